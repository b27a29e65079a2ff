"""Batch normalisation in a dense network, step by step through the graph."""
import numpy as np


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mu = 1. / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu ** 2
    var = 1. / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1. / sqrtvar
    xhat = xmu * ivar
    out = gamma * xhat + beta
    cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
    return out, cache


def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)  # wrong: dgamma = np.sum(dout * xmu, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1. / (sqrtvar ** 2) * divar
    dvar = 0.5 * 1. / np.sqrt(var + eps) * dsqrtvar  # wrong: dvar = 1. / np.sqrt(var + eps) * dsqrtvar
    dsq = 1. / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)  # wrong: dmu = np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1. / N * np.ones((N, D)) * dmu  # wrong: dx2 = np.ones((N, D)) * dmu
    dx = dx1 + dx2  # wrong: dx = dx1 - dx2
    return dx, dgamma, dbeta


class Net:
    def __init__(self, n_in, n_hidden, n_out, seed=0):
        r = np.random.RandomState(seed)
        self.W1 = r.randn(n_in, n_hidden) * np.sqrt(2 / n_in)
        self.gamma = 1 + 0.1 * r.randn(n_hidden)
        self.beta = 0.1 * r.randn(n_hidden)
        self.W2 = r.randn(n_hidden, n_out) * np.sqrt(2 / n_hidden)
        self.b2 = np.zeros(n_out)

    def train_step(self, X, y, lr):
        # parameters: dict(W1=self.W1, gamma=self.gamma, beta=self.beta, W2=self.W2, b2=self.b2)
        # forward
        h = X.dot(self.W1)
        n, cache = batchnorm_forward(h, self.gamma, self.beta)
        a = np.maximum(n, 0)
        scores = a.dot(self.W2) + self.b2
        scores -= np.max(scores, axis=1, keepdims=True)
        probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
        loss = np.mean(-np.log(probs[np.arange(len(y)), y]))
        # backward
        dscores = probs.copy()
        dscores[np.arange(len(y)), y] -= 1
        dscores /= len(y)
        dW2 = a.T.dot(dscores)
        db2 = dscores.sum(axis=0)
        da = dscores.dot(self.W2.T)
        da[n <= 0] = 0
        dh, dgamma, dbeta = batchnorm_backward(da, cache)
        dW1 = X.T.dot(dh)
        # gradients: loss, dict(W1=dW1, gamma=dgamma, beta=dbeta, W2=dW2, b2=db2)
        self.W1 -= lr * dW1
        self.gamma -= lr * dgamma
        self.beta -= lr * dbeta
        self.W2 -= lr * dW2
        self.b2 -= lr * db2
        return loss


if __name__ == '__main__':
    np.random.seed(2)
    X = np.random.randn(60, 5) * 2 + 1
    y = (X[:, 0] * X[:, 1] > 1).astype(int) + (X[:, 2] > 1)
    net = Net(5, 9, 3)
    for i in range(50):
        pick = np.random.permutation(60)[:16]
        loss = net.train_step(X[pick], y[pick], 0.2)
        if i % 10 == 0:
            print('step %d  loss %.4f' % (i, loss))
