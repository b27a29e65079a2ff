"""Two convolutions by im2col and a dense layer, trained by SGD with momentum."""
import numpy as np


def im2col(x, k, stride):
    N, C, H, W = x.shape
    out_h = (H - k) // stride + 1
    out_w = (W - k) // stride + 1
    cols = np.zeros((N, C, k, k, out_h, out_w))
    for i in range(k):
        for j in range(k):
            cols[:, :, i, j] = x[:, :, i:i + stride * out_h:stride, j:j + stride * out_w:stride]
    return cols.transpose(0, 4, 5, 1, 2, 3).reshape(N * out_h * out_w, -1)


def col2im(cols, shape, k, stride):
    N, C, H, W = shape
    out_h = (H - k) // stride + 1
    out_w = (W - k) // stride + 1
    cols = cols.reshape(N, out_h, out_w, C, k, k).transpose(0, 3, 4, 5, 1, 2)
    x = np.zeros(shape)
    for i in range(k):
        for j in range(k):
            x[:, :, i:i + stride * out_h:stride, j:j + stride * out_w:stride] += cols[:, :, i, j]  # wrong: x[:, :, i:i + stride * out_h:stride, j:j + stride * out_w:stride] = cols[:, :, i, j]
    return x


class Convolution:
    def __init__(self, W, b, stride=1):
        self.W = W
        self.b = b
        self.stride = stride

    def forward(self, x):
        FN, C, k, _ = self.W.shape
        N, _, H, _ = x.shape
        out = (H - k) // self.stride + 1
        self.x = x
        self.col = im2col(x, k, self.stride)
        self.col_W = self.W.reshape(FN, -1).T
        return (np.dot(self.col, self.col_W) + self.b).reshape(N, out, out, FN).transpose(0, 3, 1, 2)

    def backward(self, dout):
        FN, C, k, _ = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db = np.sum(dout, axis=0)  # wrong: self.db = np.sum(dout, axis=0) / len(self.x)
        dW = np.dot(self.col.T, dout)
        self.dW = dW.T.reshape(FN, C, k, k)  # wrong: self.dW = dW.reshape(FN, C, k, k)
        return col2im(np.dot(dout, self.col_W.T), self.x.shape, k, self.stride)


class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0  # wrong: dout[dout <= 0] = 0
        return dout


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(x.shape[0], -1)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T).reshape(self.shape)


def softmax_loss(scores, t):
    scores = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.sum(t * np.log(probs)) / len(t)
    return loss, (probs - t) / len(t)


rng = np.random.RandomState(0)
labels = rng.randint(0, 3, 24)
images = rng.rand(24, 2, 6, 6) + labels[:, None, None, None] * np.linspace(-1, 1, 6)
T = np.eye(3)[labels]

layers = [
    Convolution(rng.randn(4, 2, 3, 3) * 0.3, rng.randn(4) * 0.1), Relu(),
    Convolution(rng.randn(3, 4, 2, 2) * 0.3, rng.randn(3) * 0.1, stride=1), Relu(),
    Affine(rng.randn(27, 3) * 0.2, np.zeros(3)),
]
trained = [layers[0], layers[2], layers[4]]
velocity = [[np.zeros_like(layer.W), np.zeros_like(layer.b)] for layer in trained]
for it in range(20):
    batch = rng.choice(24, 6, replace=False)
    # parameters: {name + str(n): getattr(layer, name) for n, layer in enumerate(trained) for name in "Wb"}
    x = images[batch]
    for layer in layers:
        x = layer.forward(x)
    loss, dout = softmax_loss(x, T[batch])
    for layer in reversed(layers):
        dout = layer.backward(dout)
    # gradients: loss, {name + str(n): getattr(layer, "d" + name) for n, layer in enumerate(trained) for name in "Wb"}
    for layer, v in zip(trained, velocity):
        v[0] = 0.9 * v[0] - 0.05 * layer.dW
        v[1] = 0.9 * v[1] - 0.05 * layer.db
        layer.W += v[0]
        layer.b += v[1]
    if it % 5 == 0:
        print(it, loss)
