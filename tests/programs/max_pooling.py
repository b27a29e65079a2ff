"""A small LeNet: convolution, tanh, max pooling by argmax, dense layer. Functions, and a dict of parameters."""
import numpy as np

np.random.seed(21)


def conv_forward(X, K, b):
    """X (N, H, W), K (F, k, k) -> (N, F, H-k+1, W-k+1)"""
    N, H, W = X.shape
    F, k, _ = K.shape
    out = np.zeros((N, F, H - k + 1, W - k + 1))
    for i in range(H - k + 1):
        for j in range(W - k + 1):
            patch = X[:, i:i + k, j:j + k]
            out[:, :, i, j] = np.tensordot(patch, K, axes=([1, 2], [1, 2])) + b
    return out


def conv_backward(dout, X, K):
    k = K.shape[1]
    dK = np.zeros_like(K)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            patch = X[:, i:i + k, j:j + k]
            dK += np.tensordot(dout[:, :, i, j], patch, axes=([0], [0]))  # wrong: dK += np.tensordot(dout[:, :, j, i], patch, axes=([0], [0]))
    db = dout.sum(axis=(0, 2, 3))  # wrong: db = dout.sum(axis=(0, 2, 3)) / dout.shape[0]
    return dK, db


def pool_forward(A):
    N, F, H, W = A.shape
    blocks = A.reshape(N, F, H // 2, 2, W // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(N, F, H // 2, W // 2, 4)
    where = blocks.argmax(axis=4)
    return blocks.max(axis=4), where


def pool_backward(dP, where):
    N, F, H, W = dP.shape
    blocks = np.zeros((N, F, H, W, 4))
    n, f, i, j = np.indices(where.shape)
    blocks[n, f, i, j, where] = dP  # wrong: blocks[n, f, i, j, 0] = dP
    return blocks.reshape(N, F, H, W, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(N, F, 2 * H, 2 * W)  # missing: return blocks.reshape(N, F, 2 * H, 2 * W)


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def forward(X, params):
    Z1 = conv_forward(X, params["K"], params["b1"])
    A1 = np.tanh(Z1)
    P, where = pool_forward(A1)
    flat = P.reshape(len(X), -1)
    probs = softmax(flat @ params["W"] + params["b2"])
    return probs, (X, A1, where, P, flat)


def backward(probs, Y, cache, params):
    X, A1, where, P, flat = cache
    dZ2 = (probs - Y) / len(Y)
    grads = {"W": flat.T @ dZ2, "b2": dZ2.sum(axis=0)}
    dP = (dZ2 @ params["W"].T).reshape(P.shape)
    dA1 = pool_backward(dP, where)
    dZ1 = dA1 * (1 - A1 ** 2)  # wrong: dZ1 = dA1 * (1 - A1)
    grads["K"], grads["b1"] = conv_backward(dZ1, X, params["K"])
    return grads


def make_data(count):
    X = np.random.randn(count, 8, 8) * 0.5
    labels = np.arange(count) % 4
    for image, label in zip(X, labels):
        row, column = divmod(label, 2)
        image[row * 4:row * 4 + 4, column * 4:column * 4 + 4] += 1
    return X, np.eye(4)[labels]


params = {
    "K": np.random.randn(3, 3, 3) * 0.3,
    "b1": np.zeros(3),
    "W": np.random.randn(27, 4) * 0.2,
    "b2": np.zeros(4),
}
X_train, Y_train = make_data(12)
for epoch in range(12):
    # parameters: params
    probs, cache = forward(X_train, params)
    loss = -np.mean(np.sum(Y_train * np.log(probs), axis=1))
    grads = backward(probs, Y_train, cache, params)
    # gradients: loss, grads
    for name in params:
        params[name] = params[name] - 0.5 * grads[name]
    if epoch % 4 == 0:
        print(f"epoch {epoch}: loss {loss:.4f}, accuracy {np.mean(probs.argmax(1) == Y_train.argmax(1)):.2f}")
