"""An autoencoder whose decoder is the transpose of its encoder."""
import numpy as np


class TiedAutoencoder:
    def __init__(self, n_visible, n_hidden, rng):
        bound = 4 * np.sqrt(6 / (n_hidden + n_visible))
        self.W = rng.uniform(-bound, bound, (n_visible, n_hidden)) * 0.3
        self.vbias = np.zeros(n_visible)
        self.hbias = np.zeros(n_hidden)
        self.rng = rng

    def sigmoid(self, x):
        return 1. / (1 + np.exp(-x))

    def corrupt(self, x, level):
        return self.rng.binomial(size=x.shape, n=1, p=1 - level) * x

    def encode(self, x):
        return self.sigmoid(np.dot(x, self.W) + self.hbias)

    def decode(self, y):
        return self.sigmoid(np.dot(y, self.W.T) + self.vbias)

    def train(self, x, lr=0.1, corruption_level=0.3):
        # parameters: dict(W=self.W, vbias=self.vbias, hbias=self.hbias)
        tilde_x = self.corrupt(x, corruption_level)
        y = self.encode(tilde_x)
        z = self.decode(y)
        cost = -np.mean(np.sum(x * np.log(z) + (1 - x) * np.log(1 - z), axis=1))

        N = x.shape[0]
        L_h2 = (z - x) / N
        L_h1 = np.dot(L_h2, self.W) * y * (1 - y)  # wrong: L_h1 = np.dot(L_h2, self.W) * y
        L_vbias = np.sum(L_h2, axis=0)
        L_hbias = np.sum(L_h1, axis=0)  # wrong: L_hbias = np.mean(L_h1, axis=0)
        L_W = np.dot(tilde_x.T, L_h1) + np.dot(L_h2.T, y)  # wrong: L_W = np.dot(tilde_x.T, L_h1)  # wrong: L_W = np.dot(x.T, L_h1) + np.dot(L_h2.T, y)  # wrong: L_W = np.dot(tilde_x.T, L_h1) - np.dot(L_h2.T, y)
        # gradients: cost, dict(W=L_W, vbias=L_vbias, hbias=L_hbias)
        self.W -= lr * L_W
        self.vbias -= lr * L_vbias
        self.hbias -= lr * L_hbias
        return cost


def demo(epochs=20, lr=0.3):
    rng = np.random.RandomState(123)
    prototypes = rng.rand(3, 12) > 0.5
    data = np.array([np.where(rng.rand(12) < 0.1, ~prototypes[k % 3], prototypes[k % 3]) for k in range(18)], dtype=float)
    da = TiedAutoencoder(12, 5, rng)
    for epoch in range(epochs):
        cost = da.train(data, lr=lr)
        if epoch % 5 == 0:
            print('Training epoch %d, cost is %s' % (epoch, cost))
    return da


if __name__ == "__main__":
    demo()
