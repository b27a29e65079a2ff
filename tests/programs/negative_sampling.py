"""Word vectors by negative sampling: each pair of words steps one row of a table, and a few rows of another."""
import numpy as np

np.random.seed(18)
VOCABULARY, DIMENSIONS, NEGATIVES = 900, 6, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Vectors:
    def __init__(self):
        self.inner = np.random.uniform(-0.5, 0.5, (VOCABULARY, DIMENSIONS))
        self.outer = np.random.uniform(-0.5, 0.5, (VOCABULARY, DIMENSIONS))

    def pair(self, word, neighbour, others, rate):
        # parameters: dict(inner=self.inner, outer=self.outer)
        v, u, n = self.inner[word], self.outer[neighbour], self.outer[others]
        p, q = sigmoid(u @ v), sigmoid(n @ v)
        loss = -np.log(p) - np.sum(np.log(1 - q))
        dv = (p - 1) * u + q @ n  # wrong: dv = (p - 1) * u - q @ n  # wrong: dv = (p - 1) * v + q @ n
        du = (p - 1) * v  # wrong: du = p * v
        dn = np.outer(q, v)  # wrong: dn = np.outer(q - 1, v)
        # gradients: loss, dict(inner=np.eye(VOCABULARY)[:, [word]] @ dv[None], outer=np.eye(VOCABULARY)[:, [neighbour, *others]] @ np.vstack([du, dn]))
        self.inner[word] -= rate * dv
        self.outer[neighbour] -= rate * du
        for k, other in enumerate(others):
            self.outer[other] -= rate * dn[k]
        return loss


words = np.random.randint(0, VOCABULARY, 3000)
vectors = Vectors()
total = 0.0
for k in range(1, 2999):
    for neighbour in (words[k - 1], words[k + 1]):
        total += vectors.pair(words[k], neighbour, np.random.randint(0, VOCABULARY, NEGATIVES), 0.05)
    if k % 500 == 0:
        print(f"{k:3d}  loss {total / k / 2:.4f}")
