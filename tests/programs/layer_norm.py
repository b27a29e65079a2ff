"""Layer normalisation between dense layers, for a regression with two outputs."""
import numpy as np

rng = np.random.default_rng(4)
n_in, n_hidden, n_out = 4, 8, 2
eps = 1e-5
params = [
    rng.standard_normal((n_in, n_hidden)) * 0.5,  # W1
    np.zeros((1, n_hidden)),  # b1
    np.ones((1, n_hidden)) + 0.1 * rng.standard_normal((1, n_hidden)),  # gain
    np.zeros((1, n_hidden)),  # shift
    rng.standard_normal((n_hidden, n_out)) * 0.5,  # W2
    np.zeros((1, n_out)),  # b2
]


def forward(X):
    W1, b1, gain, shift, W2, b2 = params
    z1 = X @ W1 + b1
    mean = z1.mean(axis=1, keepdims=True)
    std = np.sqrt(z1.var(axis=1, keepdims=True) + eps)
    normed = (z1 - mean) / std
    scaled = normed * gain + shift
    a1 = np.tanh(scaled)
    return a1 @ W2 + b2, (X, std, normed, a1)


def backward(error, cache):
    W1, b1, gain, shift, W2, b2 = params
    X, std, normed, a1 = cache
    dW2 = a1.T @ error
    db2 = error.sum(axis=0, keepdims=True)
    dscaled = (error @ W2.T) * (1 - a1 ** 2)
    dgain = (dscaled * normed).sum(axis=0, keepdims=True)  # wrong: dgain = dscaled.sum(axis=0, keepdims=True)
    dshift = dscaled.sum(axis=0, keepdims=True)
    dnormed = dscaled * gain
    dz1 = (dnormed - dnormed.mean(1, keepdims=True) - normed * (dnormed * normed).mean(1, keepdims=True)) / std  # wrong: dz1 = (dnormed - normed * (dnormed * normed).mean(1, keepdims=True)) / std  # wrong: dz1 = (dnormed - dnormed.mean(1, keepdims=True)) / std  # wrong: dz1 = (dnormed - dnormed.mean(0, keepdims=True) - normed * (dnormed * normed).mean(1, keepdims=True)) / std
    dW1 = X.T @ dz1
    db1 = dz1.sum(axis=0, keepdims=True)
    return [dW1, db1, dgain, dshift, dW2, db2]


X = rng.standard_normal((50, n_in))
Y = np.column_stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2] * X[:, 3]])
learning_rate = 0.1
for epoch in range(5):
    order = rng.permutation(len(X))
    for start in range(0, len(X), 10):
        batch = order[start:start + 10]
        # parameters: dict(zip(("W1", "b1", "gain", "shift", "W2", "b2"), params))
        prediction, cache = forward(X[batch])
        error = prediction - Y[batch]
        loss = 0.5 * np.sum(error ** 2) / len(batch)
        gradients = backward(error / len(batch), cache)
        # gradients: loss, dict(zip(("W1", "b1", "gain", "shift", "W2", "b2"), gradients))
        for i in range(len(params)):
            params[i] = params[i] - learning_rate * gradients[i]
    print("epoch", epoch, "last batch's loss", round(loss, 4))
