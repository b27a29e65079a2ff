"""MNIST to 97.5 % in NumPy by hand: 784-128-10, Adam, cosine schedule, cross-entropy. The argument is the seed."""

import math
import sys

import numpy as np
from mnist import load

EPOCHS, BATCH, RATE = 3, 128, 0.01

random = np.random.default_rng(int(sys.argv[1]))
(X_train, y_train), (X_test, y_test) = load("train"), load("t10k")
targets = np.eye(10, dtype=np.float32)[y_train]

W1 = random.normal(0, (2 / 784) ** 0.5, (784, 128)).astype(np.float32)
W2 = random.normal(0, (2 / 128) ** 0.5, (128, 10)).astype(np.float32)
params = [W1, np.zeros(128, np.float32), W2, np.zeros(10, np.float32)]
means = [np.zeros_like(parameter) for parameter in params]
squares = [np.zeros_like(parameter) for parameter in params]

steps = len(X_train) // BATCH
t = 0
for epoch in range(EPOCHS):
    order = random.permutation(len(X_train))
    for step in range(steps):
        batch = order[step * BATCH : (step + 1) * BATCH]
        X, Y = X_train[batch], targets[batch]
        W1, b1, W2, b2 = params
        A = np.maximum(X @ W1 + b1, 0)
        Z = A @ W2 + b2
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        DZ2 = (E / E.sum(axis=1, keepdims=True) - Y) / BATCH
        DZ1 = (DZ2 @ W2.T) * (A > 0)
        gradients = [X.T @ DZ1, DZ1.sum(axis=0), A.T @ DZ2, DZ2.sum(axis=0)]

        rate = RATE * 0.5 * (1 + math.cos(math.pi * t / (EPOCHS * steps)))
        t += 1
        scale = rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for parameter, gradient, mean, square in zip(params, gradients, means, squares, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            parameter -= scale * mean / (np.sqrt(square) + 1e-8)
    W1, b1, W2, b2 = params
    accuracy = np.mean((np.maximum(X_test @ W1 + b1, 0) @ W2 + b2).argmax(axis=1) == y_test)
    print(f"epoch {epoch + 1}: {accuracy:.2%}")
    if accuracy >= 0.975:
        break
