"""Scaled dot-product attention with one head: which kind of token comes first in a sequence?"""
import numpy as np

np.random.seed(13)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Attention:
    def __init__(self, d_model, d_key, d_value):
        self.Wq = np.random.randn(d_model, d_key) / np.sqrt(d_model)
        self.Wk = np.random.randn(d_model, d_key) / np.sqrt(d_model)
        self.Wv = np.random.randn(d_model, d_value) / np.sqrt(d_model)
        self.scale = np.sqrt(d_key)

    def forward(self, X):
        """X (batch, time, d_model) -> (batch, time, d_value)"""
        self.X = X
        self.Q = X @ self.Wq
        self.K = X @ self.Wk
        self.V = X @ self.Wv
        scores = self.Q @ self.K.transpose(0, 2, 1) / self.scale
        self.A = softmax(scores)
        return self.A @ self.V

    def backward(self, dO):
        dA = dO @ self.V.transpose(0, 2, 1)
        dV = self.A.transpose(0, 2, 1) @ dO  # wrong: dV = self.A @ dO
        dS = self.A * (dA - (dA * self.A).sum(axis=-1, keepdims=True))  # wrong: dS = dA * self.A * (1 - self.A)
        dQ = dS @ self.K / self.scale  # wrong: dQ = dS @ self.K
        dK = dS.transpose(0, 2, 1) @ self.Q / self.scale  # wrong: dK = dS @ self.Q / self.scale
        self.dWq = np.einsum('btd,btk->dk', self.X, dQ)
        self.dWk = np.einsum('btd,btk->dk', self.X, dK)
        self.dWv = np.einsum('btd,btk->dk', self.X, dV)


class Classifier:
    def __init__(self, d_model, d_key, d_value, classes):
        self.attention = Attention(d_model, d_key, d_value)
        self.Wc = np.random.randn(d_value, classes) / np.sqrt(d_value)
        self.bc = np.zeros(classes)
        self.position = np.array([[0.4], [0.3], [0.2], [0.1]])  # early tokens count for more

    def forward(self, X):
        self.O = self.attention.forward(X)
        self.pooled = (self.O * self.position).sum(axis=1)
        return softmax(self.pooled @ self.Wc + self.bc)

    def backward(self, P, Y):
        dlogits = (P - Y) / len(Y)
        self.dWc = self.pooled.T @ dlogits
        self.dbc = dlogits.sum(axis=0)
        dpooled = dlogits @ self.Wc.T
        dO = dpooled[:, None, :] * self.position  # wrong: dO = dpooled[:, None, :] * self.position[::-1]
        self.attention.backward(dO)

    def update(self, lr):
        self.Wc -= lr * self.dWc
        self.bc -= lr * self.dbc
        for name in ('Wq', 'Wk', 'Wv'):
            weights = getattr(self.attention, name)
            weights -= lr * getattr(self.attention, 'd' + name)


tokens = np.random.randint(0, 5, (40, 4))
X_all = np.eye(5)[tokens]
X_all = np.concatenate([X_all, np.broadcast_to(np.linspace(-1, 1, 4)[None, :, None], (40, 4, 1))], axis=2)
Y_all = np.eye(3)[tokens[:, 0] % 3]
model = Classifier(6, 4, 5, 3)
for it in range(40):
    rows = np.random.permutation(40)[:10]
    X, Y = X_all[rows], Y_all[rows]
    # parameters: dict(Wq=model.attention.Wq, Wk=model.attention.Wk, Wv=model.attention.Wv, Wc=model.Wc, bc=model.bc)
    P = model.forward(X)
    loss = -(Y * np.log(P)).sum() / len(Y)
    model.backward(P, Y)
    # gradients: loss, dict(Wq=model.attention.dWq, Wk=model.attention.dWk, Wv=model.attention.dWv, Wc=model.dWc, bc=model.dbc)
    model.update(0.3)
    if it % 10 == 0:
        print(f'iteration {it}, loss {loss:.4f}')
