"""Sentiment from word vectors: embedding, mean over the words, one hidden layer, sigmoid."""
import numpy as np

np.random.seed(8)
VOCABULARY, DIMENSIONS, HIDDEN, WORDS = 20, 6, 5, 7


class Embedding:
    def __init__(self, size, dim):
        self.table = np.random.randn(size, dim) * 0.5

    def forward(self, idx):
        self.idx = idx
        return self.table[idx]

    def backward(self, dout):
        self.grad = np.zeros_like(self.table)
        np.add.at(self.grad, self.idx, dout)  # wrong: self.grad[self.idx] = dout  # wrong: self.grad[self.idx] += dout


class Mean:
    def forward(self, x):
        self.n = x.shape[1]
        return x.mean(axis=1)

    def backward(self, dout):
        return np.repeat(dout[:, None, :], self.n, axis=1) / self.n  # wrong: return np.repeat(dout[:, None, :], self.n, axis=1)


class Dense:
    def __init__(self, n_in, n_out):
        self.w = np.random.randn(n_in, n_out) / np.sqrt(n_in)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dout):
        self.dw = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.w.T


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out ** 2)  # wrong: return dout * (1 - np.tanh(self.out) ** 2)


class Model:
    def __init__(self):
        self.embedding = Embedding(VOCABULARY, DIMENSIONS)
        self.mean = Mean()
        self.dense1 = Dense(DIMENSIONS, HIDDEN)
        self.tanh = Tanh()
        self.dense2 = Dense(HIDDEN, 1)
        self.layers = [self.embedding, self.mean, self.dense1, self.tanh, self.dense2]

    def __call__(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return 1 / (1 + np.exp(-x))

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)

    def step(self, lr):
        self.embedding.table -= lr * self.embedding.grad
        for dense in (self.dense1, self.dense2):
            dense.w -= lr * dense.dw
            dense.b -= lr * dense.db


texts = np.random.randint(0, VOCABULARY, (64, WORDS))
labels = (texts.mean(axis=1, keepdims=True) > VOCABULARY / 2).astype(float)
model = Model()
for step in range(40):
    rows = np.random.choice(64, 12)
    x, y = texts[rows], labels[rows]
    # parameters: dict(table=model.embedding.table, w1=model.dense1.w, b1=model.dense1.b, w2=model.dense2.w, b2=model.dense2.b)
    p = model(x)
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    model.backward((p - y) / len(y))
    # gradients: loss, dict(table=model.embedding.grad, w1=model.dense1.dw, b1=model.dense1.db, w2=model.dense2.dw, b2=model.dense2.db)
    model.step(0.5)
    if step % 10 == 0:
        print(f"{step:3d}  loss {loss:.4f}")
