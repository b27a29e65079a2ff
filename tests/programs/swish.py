"""A network with two unusual activations, Swish and GELU, whose derivatives are written out."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def swish(x, beta=1.5):
    return x * sigmoid(beta * x)


def swish_backward(dout, x, beta=1.5):
    s = sigmoid(beta * x)
    return dout * (s + beta * x * s * (1 - s))  # wrong: return dout * (s + x * s * (1 - s))  # wrong: return dout * (s + beta * s * (1 - s))


C = np.sqrt(2 / np.pi)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(C * (x + 0.044715 * x ** 3)))


def gelu_backward(dout, x):
    t = np.tanh(C * (x + 0.044715 * x ** 3))
    inner = C * (1 + 3 * 0.044715 * x ** 2)
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t ** 2) * inner)  # wrong: return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t ** 2))  # missing: return dout * 0.5 * (1 + t)


class Network:
    def __init__(self, sizes, activations, seed=0):
        rng = np.random.RandomState(seed)
        self.weights = [rng.randn(n, m) / np.sqrt(n) for n, m in zip(sizes[:-1], sizes[1:])]
        self.biases = [rng.randn(1, m) * 0.1 for m in sizes[1:]]
        self.activations = activations

    def forward(self, x):
        self.zs, self.outputs = [], [x]
        for (f, _), w, b in zip(self.activations, self.weights, self.biases):
            self.zs.append(self.outputs[-1] @ w + b)
            self.outputs.append(f(self.zs[-1]))
        return self.outputs[-1]

    def backward(self, error):
        dw, db = [None] * len(self.weights), [None] * len(self.weights)
        for k in range(len(self.weights) - 1, -1, -1):
            delta = self.activations[k][1](error, self.zs[k])
            dw[k] = self.outputs[k].T @ delta  # wrong: dw[k] = self.outputs[k].T @ error
            db[k] = delta.sum(axis=0, keepdims=True)
            error = delta @ self.weights[k].T
        return dw, db


identity = lambda x: x
identity_backward = lambda dout, x: dout
net = Network([3, 8, 6, 2], [(swish, swish_backward), (gelu, gelu_backward), (identity, identity_backward)])
rng = np.random.RandomState(1)
X = rng.randn(40, 3)
Y = np.c_[X[:, :1] ** 2 - X[:, 1:2], np.sin(X[:, 2:])]
for i in range(30):
    batch = rng.randint(0, 40, 10)
    # parameters: {n + str(k + 1): p for n, ps in (("W", net.weights), ("b", net.biases)) for k, p in enumerate(ps)}
    out = net.forward(X[batch])
    loss = ((out - Y[batch]) ** 2).sum() / (2 * len(batch))
    dw, db = net.backward((out - Y[batch]) / len(batch))
    # gradients: loss, {n + str(k + 1): p for n, ps in (("W", dw), ("b", db)) for k, p in enumerate(ps)}
    for k in range(3):
        net.weights[k] -= 0.1 * dw[k]
        net.biases[k] -= 0.1 * db[k]
    if i % 10 == 0:
        print("iteration", i, "loss", loss)
