"""An LSTM in one class: reads a sequence of vectors and says at its end which of two kinds it was."""
import numpy as np

rng = np.random.default_rng(7)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class LSTM:
    def __init__(self, n_in, n_hidden, n_out):
        n_all = n_in + n_hidden
        self.Wf = rng.normal(0, 0.3, (n_hidden, n_all))
        self.Wi = rng.normal(0, 0.3, (n_hidden, n_all))
        self.Wg = rng.normal(0, 0.3, (n_hidden, n_all))
        self.Wo = rng.normal(0, 0.3, (n_hidden, n_all))
        self.bf = np.ones((n_hidden, 1))
        self.bi = np.zeros((n_hidden, 1))
        self.bg = np.zeros((n_hidden, 1))
        self.bo = np.zeros((n_hidden, 1))
        self.Wy = rng.normal(0, 0.3, (n_out, n_hidden))
        self.by = np.zeros((n_out, 1))
        self.n_hidden = n_hidden

    def forward(self, xs):
        h = np.zeros((self.n_hidden, 1))
        c = np.zeros((self.n_hidden, 1))
        self.steps = []
        for x in xs:
            z = np.vstack((h, x.reshape(-1, 1)))
            f = sigmoid(self.Wf @ z + self.bf)
            i = sigmoid(self.Wi @ z + self.bi)
            g = np.tanh(self.Wg @ z + self.bg)
            o = sigmoid(self.Wo @ z + self.bo)
            c_prev = c
            c = f * c_prev + i * g
            h = o * np.tanh(c)
            self.steps.append((z, f, i, g, o, c, c_prev))
        self.h = h
        return sigmoid(self.Wy @ h + self.by)

    def backward(self, y_hat, y):
        grads = {name: np.zeros_like(getattr(self, name)) for name in self.names()}
        dy = y_hat - y
        grads["Wy"] += dy @ self.h.T
        grads["by"] += dy
        dh = self.Wy.T @ dy
        dc = np.zeros_like(dh)
        for z, f, i, g, o, c, c_prev in reversed(self.steps):
            do = dh * np.tanh(c) * o * (1 - o)  # wrong: do = dh * c * o * (1 - o)
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)  # missing: dc = dh * o * (1 - np.tanh(c) ** 2)
            df = dc * c_prev * f * (1 - f)  # wrong: df = dc * c * f * (1 - f)
            di = dc * g * i * (1 - i)
            dg = dc * i * (1 - g ** 2)
            for gate, d in (("f", df), ("i", di), ("g", dg), ("o", do)):
                grads["W" + gate] += d @ z.T
                grads["b" + gate] += d
            dz = self.Wf.T @ df + self.Wi.T @ di + self.Wg.T @ dg + self.Wo.T @ do  # wrong: dz = self.Wf.T @ df + self.Wi.T @ di + self.Wg.T @ do + self.Wo.T @ dg
            dh = dz[:self.n_hidden]
            dc = dc * f  # wrong: dc = dc * (1 - f)
        return grads

    def names(self):
        return ["Wf", "Wi", "Wg", "Wo", "bf", "bi", "bg", "bo", "Wy", "by"]


def make_example():
    """Sums of noisy numbers: is the first column's sum above the second's?"""
    xs = rng.normal(size=(3, 3))
    return xs, np.array([[float(xs[:, 0].sum() > xs[:, 1].sum())]])


net = LSTM(3, 6, 1)
learning_rate = 0.1
total = 0
for iteration in range(100):
    xs, y = make_example()
    # parameters: {name: getattr(net, name) for name in net.names()}
    y_hat = net.forward(xs)
    loss = -np.sum(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
    grads = net.backward(y_hat, y)
    # gradients: loss, grads
    for name in net.names():
        setattr(net, name, getattr(net, name) - learning_rate * grads[name])
    total += loss
    if iteration % 25 == 0:
        print(f"iteration {iteration}: mean loss {total / (iteration + 1):.4f}")
