#!/usr/bin/env python
"""Word vectors by skip-gram with negative sampling."""
import numpy as np

text = """the cat sat on the mat and the dog sat on the rug while the bird flew over the house
the cat saw the dog and the dog saw the bird but the bird saw the cat on the mat""".split()
words = sorted(set(text))
index = {w: i for i, w in enumerate(words)}
corpus = [index[w] for w in text]
V = len(words)
D = 7
WINDOW = 2
NEGATIVE = 3

random = np.random.RandomState(42)
counts = np.bincount(corpus, minlength=V) ** 0.75
noise = counts / counts.sum()
W_in = (random.rand(V, D) - 0.5)
W_out = (random.rand(V, D) - 0.5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def pairs(position):
    for other in range(max(0, position - WINDOW), min(len(corpus), position + WINDOW + 1)):
        if other != position:
            yield corpus[position], corpus[other]


def loss_and_gradients(position):
    """Sum over the words in the window."""
    loss = 0.0
    grad_in = np.zeros_like(W_in)
    grad_out = np.zeros_like(W_out)
    for center, context in pairs(position):
        negatives = random.choice(V, NEGATIVE, p=noise)
        negatives = negatives[~np.isin(negatives, [other for _, other in pairs(position)])]
        v = W_in[center]
        # the true context word
        p = sigmoid(np.dot(v, W_out[context]))
        loss -= np.log(p)
        grad_in[center] += (p - 1) * W_out[context]  # wrong: grad_in[center] += p * W_out[context]
        grad_out[context] += (p - 1) * v  # wrong: grad_out[center] += (p - 1) * v
        # words drawn at random
        for k in negatives:
            q = sigmoid(np.dot(v, W_out[k]))
            loss -= np.log(1 - q)
            grad_in[center] += q * W_out[k]  # wrong: grad_in[center] -= q * W_out[k]  # wrong: grad_in[k] += q * W_out[k]
            grad_out[k] += q * v  # wrong: grad_out[k] = q * v  # wrong: grad_out[k] += q * (1 - q) * v
    return loss, grad_in, grad_out


alpha = 0.05
for epoch in range(2):
    total = 0.0
    for position in range(len(corpus)):
        # parameters: {"W_in": W_in, "W_out": W_out}
        loss, grad_in, grad_out = loss_and_gradients(position)
        # gradients: loss, {"W_in": grad_in, "W_out": grad_out}
        W_in -= alpha * grad_in
        W_out -= alpha * grad_out
        total += loss
    print("epoch", epoch, "loss", total / len(corpus))
vectors = W_in / np.linalg.norm(W_in, axis=1, keepdims=True)
print("nearest to cat:", words[np.argsort(-vectors @ vectors[index["cat"]])[1]])
