"""The notebook's own network with its mistakes kept, written out anew: `jaxnet compare scripts/notebook_net.py`.

The names, formulas and shapes are the notebook's; what is wrong is found by the comparison, not told here.
"""

import numpy as np


def loss(Y, Y_hat):
    return 1 / 2 * np.sum((Y - Y_hat) ** 2)


def initialize_w_b():
    W1 = np.random.randn(10, 784)
    b1 = np.random.randn(10, 1)
    W2 = np.random.randn(10, 10)
    b1 = np.random.randn(10, 1)
    return W1, b1, W2, b1


def ReLU(n):
    return np.maximum(n, 0)


def ReLU_deriv(n):
    return n > 0


def softmax(array):
    return np.exp(array) / np.sum(np.exp(array), axis=0)


def forward_pass(X, W1, b1, W2, b2):
    Z1 = np.dot(W1, X) + b1
    A1 = ReLU(Z1)
    Z2 = W2.dot(A1) + b2
    Y_hat = softmax(Z2)
    return X, Z1, A1, Z2, Y_hat


def one_hot_encode(Y, classes=10):
    one_hot = np.zeros((Y.size, classes))
    one_hot[np.arange(Y.size), Y] = 1
    return one_hot.T


def backwards_propagation(Y_hat, Y, Z2, A1, Z1, W1, b1, W2, b2, m, X):
    m = Y.size
    Y = one_hot_encode(Y)
    DY_hat = -Y + Y_hat
    DZ2 = DY_hat * 1

    DW2 = np.dot(DZ2, A1.T) / m
    Db2 = np.dot(DZ2, np.sum(Z2)) / m

    DA1 = np.dot(W2.T, DZ2)
    DZ1 = DA1 * ReLU_deriv(Z1)

    DW1 = np.dot(DZ1, X.T) / m
    Db1 = np.dot(DZ2, np.sum(Z2)) / m

    return DW1, Db1, DW2, Db2
