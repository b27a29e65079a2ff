"""A dense network with residual blocks: h + tanh(h W) V, regression with mean squared error."""
import numpy as np


class ResidualBlock:
    def __init__(self, width, inner, rng):
        self.W = rng.normal(0, 1 / np.sqrt(width), (width, inner))
        self.b = rng.normal(0, 0.1, (1, inner))
        self.V = rng.normal(0, 1 / np.sqrt(inner), (inner, width))

    def forward(self, h):
        self.h = h
        self.a = np.tanh(h @ self.W + self.b)
        return h + self.a @ self.V

    def backward(self, dout):
        self.dV = self.a.T @ dout
        da = dout @ self.V.T
        dz = da * (1 - self.a ** 2)  # wrong: dz = da * (1 - self.h.mean() ** 2)
        self.dW = self.h.T @ dz
        self.db = dz.sum(axis=0, keepdims=True)
        return dout + dz @ self.W.T  # missing: return dz @ self.W.T  # wrong: return dout - dz @ self.W.T


class ResidualNet:
    def __init__(self, n_in, width, inner, n_out, blocks, seed=1):
        rng = np.random.default_rng(seed)
        self.Win = rng.normal(0, 1 / np.sqrt(n_in), (n_in, width))
        self.blocks = [ResidualBlock(width, inner, rng) for _ in range(blocks)]
        self.Wout = rng.normal(0, 1 / np.sqrt(width), (width, n_out))
        self.bout = np.zeros((1, n_out))

    def forward(self, X):
        self.X = X
        h = X @ self.Win
        for block in self.blocks:
            h = block.forward(h)
        self.last = h
        return h @ self.Wout + self.bout

    def backward(self, prediction, Y):
        dout = 2 * (prediction - Y) / Y.size
        self.dWout = self.last.T @ dout  # wrong: self.dWout = self.blocks[-1].h.T @ dout
        self.dbout = dout.sum(axis=0, keepdims=True)
        dh = dout @ self.Wout.T
        for block in self.blocks[::-1]:
            dh = block.backward(dh)
        self.dWin = self.X.T @ dh  # wrong: self.dWin = self.X.T @ dh / len(self.X)

    def fit(self, X, Y, lr=0.05, epochs=30):
        for epoch in range(epochs):
            # parameters: dict(Win=self.Win, Wout=self.Wout, bout=self.bout, **{n + str(k): getattr(b, n) for k, b in enumerate(self.blocks) for n in "WbV"})
            prediction = self.forward(X)
            loss = np.mean((prediction - Y) ** 2)
            self.backward(prediction, Y)
            # gradients: loss, dict(Win=self.dWin, Wout=self.dWout, bout=self.dbout, **{n + str(k): getattr(b, "d" + n) for k, b in enumerate(self.blocks) for n in "WbV"})
            self.Win -= lr * self.dWin
            self.Wout -= lr * self.dWout
            self.bout -= lr * self.dbout
            for block in self.blocks:
                block.W -= lr * block.dW
                block.b -= lr * block.db
                block.V -= lr * block.dV
            if epoch % 10 == 0:
                print("Epoch", epoch, "MSE", loss)


rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (30, 3))
Y = np.stack([X[:, 0] * X[:, 1], np.cos(2 * X[:, 2])], axis=1)
net = ResidualNet(3, 6, 5, 2, blocks=2)
net.fit(X, Y)
