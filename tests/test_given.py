"""Lone functions: a forward pass of several arrays with its backward pass, called with what fits them, or with what the
program has given them itself."""

import textwrap

import pytest

from jaxnet.compare.author.verdict import verdict

SEQUENCE = """
import numpy as np


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h ** 2)
    return da.dot(Wx.T), da.dot(Wh.T), x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h, cache = np.zeros((N, T, H)), []
    prev = h0
    for t in range(T):
        prev, c = rnn_step_forward(x[:, t], prev, Wx, Wh, b)
        h[:, t] = prev
        cache.append(c)
    return h, cache


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev = np.zeros((N, T, D)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for t in reversed(range(T)):
        dx[:, t], dprev, a, c, d = rnn_step_backward(dh[:, t] + dprev, cache[t])
        dWx += a
        dWh += c
        db += d
    return dx, dprev, dWx, dWh, db
"""
STEP = """
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H:2 * H]), sigmoid(a[:, 2 * H:3 * H])
    g = np.tanh(a[:, 3 * H:])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (i, f, o, g, x, prev_h, prev_c, Wx, Wh, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    i, f, o, g, x, prev_h, prev_c, Wx, Wh, next_c = cache
    t = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - t ** 2)
    do = dnext_h * t
    da = np.hstack([dc * g * i * (1 - i), dc * prev_c * f * (1 - f), do * o * (1 - o), dc * i * (1 - g ** 2)])
    return da.dot(Wx.T), da.dot(Wh.T), dc * f, x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)
"""
LSTM = (
    STEP
    + """

def lstm_forward(x, h0, Wx, Wh, b):
    h, cache, prev, c = [], [], h0, np.zeros_like(h0)
    for t in range(x.shape[1]):
        prev, c, kept = lstm_step_forward(x[:, t], prev, c, Wx, Wh, b)
        h.append(prev)
        cache.append(kept)
    return np.stack(h, axis=1), cache


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][4].shape[1]
    dx, dprev, dc = np.zeros((N, T, D)), np.zeros((N, H)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    for t in reversed(range(T)):
        dx[:, t], dprev, dc, a, b, c = lstm_step_backward(dh[:, t] + dprev, dc, cache[t])
        dWx, dWh, db = dWx + a, dWh + b, db + c
    dh0 = dprev
    return dx, dh0, dWx, dWh, db
"""
)
BATCH_NORM = """
import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    out, cache = None, None
    if mode == "train":
        mu = x.mean(axis=0)
        var = x.var(axis=0)
        xhat = (x - mu) / np.sqrt(var + eps)
        out = gamma * xhat + beta
        cache = (xhat, gamma, np.sqrt(var + eps))
        running_mean = momentum * running_mean + (1 - momentum) * mu
        running_var = momentum * running_var + (1 - momentum) * var
    elif mode == "test":
        out = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta
    else:
        raise ValueError(mode)
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def batchnorm_backward(dout, cache):
    xhat, gamma, std = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / std
    return dx, dgamma, dbeta
"""
ATTENTION = """
import numpy as np


def attention_forward(Q, K, V):
    d = Q.shape[-1]
    S = Q @ K.T / np.sqrt(d)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    P = E / E.sum(axis=-1, keepdims=True)
    out = P @ V
    return out, (Q, K, V, P)


def attention_backward(dout, cache):
    Q, K, V, P = cache
    dV = P.T @ dout
    dP = dout @ V.T
    dS = P * (dP - (dP * P).sum(axis=-1, keepdims=True)) / np.sqrt(Q.shape[-1])
    dQ = dS @ K
    dK = dS.T @ Q
    return dQ, dK, dV
"""
TABLE = """
import numpy as np


def word_embedding_forward(x, W):
    return W[x], (x, W)


def word_embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, x, dout)
    return dW
"""
CONVOLUTION = """
import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho = 1 + (H + 2 * pad - HH) // stride
    Wo = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    part = xp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
                    out[n, f, i, j] = np.sum(part * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    db = dout.sum(axis=(0, 2, 3))
    _, _, Ho, Wo = dout.shape
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    dw[f] += dout[n, f, i, j] * xp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
                    dxp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += dout[n, f, i, j] * w[f]
    dx = dxp[:, :, pad:pad + H, pad:pad + W]
    return dx, dw, db
"""
POOL = """
import numpy as np


def max_pool_forward_naive(x, pool_param):
    ph, pw, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    Ho, Wo = 1 + (H - ph) // stride, 1 + (W - pw) // stride
    out = np.zeros((N, C, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            out[:, :, i, j] = x[:, :, i * stride:i * stride + ph, j * stride:j * stride + pw].max(axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    ph, pw, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    N, C, Ho, Wo = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(Ho):
                for j in range(Wo):
                    window = x[n, c, i * stride:i * stride + ph, j * stride:j * stride + pw]
                    mask = window == window.max()
                    dx[n, c, i * stride:i * stride + ph, j * stride:j * stride + pw] += mask * dout[n, c, i, j]
    return dx
"""
CALLED = """
import numpy as np


def conv_single_step(a_slice_prev, W, b):
    return np.sum(a_slice_prev * W) + float(np.squeeze(b))


def conv_forward(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev + 2 * pad - f) / stride) + 1
    n_W = int((n_W_prev + 2 * pad - f) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    P = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    part = P[i, h * stride:h * stride + f, w * stride:w * stride + f]
                    Z[i, h, w, c] = np.sum(part * W[..., c]) + b[0, 0, 0, c]
    cache = (A_prev, W, b, hparameters)
    return Z, cache


def conv_backward(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    P = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dP = np.zeros(P.shape)
    m, n_H, n_W, n_C = dZ.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    part = P[i, h * stride:h * stride + f, w * stride:w * stride + f]
                    dP[i, h * stride:h * stride + f, w * stride:w * stride + f] += W[..., c] * dZ[i, h, w, c]
                    dW[..., c] += part * dZ[i, h, w, c]
                    db[..., c] += dZ[i, h, w, c]
    dA_prev = dP[:, pad:-pad, pad:-pad] if pad else dP
    return dA_prev, dW, db


np.random.seed(1)
A_prev = np.random.randn(2, 4, 5, 2)
W = np.random.randn(3, 3, 2, 3)
b = np.random.randn(1, 1, 1, 3)
Z, cache_conv = conv_forward(A_prev, W, b, {"pad": 1, "stride": 2})
print(np.mean(Z))
dA, dW, db = conv_backward(Z, cache_conv)
print(np.mean(dA))
"""
SCALED = """
def scale_forward(x, alpha, beta):
    return alpha * x + beta, (x, alpha)


def scale_backward(dout, cache):
    x, alpha = cache
    return dout * alpha, (dout * x).sum(axis=0), dout.sum(axis=0)
"""
PRELU = """
import numpy as np


class PReLU:
    def __init__(self, n, slope=0.25):
        self.slope = np.full(n, slope)

    def forward(self, x):
        self.x = x
        return np.where(x >= 0, x, self.slope * x)

    def backward(self, dy):
        self.dslope = np.where(self.x >= 0, 0, self.x * dy).sum(axis=0)
        return np.where(self.x >= 0, dy, self.slope * dy)
"""
CELL = """
import numpy as np


class Cell:
    def __init__(self, inputs, units):
        self.Wz, self.Wn = np.random.randn(units, inputs), np.random.randn(units, inputs)
        self.Uz, self.Un = np.random.randn(units, units), np.random.randn(units, units)
        self.dWz, self.dWn, self.dUz, self.dUn = (np.zeros(a.shape) for a in (self.Wz, self.Wn, self.Uz, self.Un))

    def forward(self, x, previous):
        self.x, self.h = x, previous
        self.z = 1 / (1 + np.exp(-self.Wz @ x - self.Uz @ previous))
        self.n = np.tanh(self.Wn @ x + self.Un @ previous)
        return (1 - self.z) * self.n + self.z * previous

    def backward(self, delta):
        dz = delta * (self.h - self.n) * self.z * (1 - self.z)
        dn = delta * (1 - self.z) * (1 - self.n ** 2)
        self.dWz += np.outer(dz, self.x)
        self.dWn += np.outer(dn, self.x)
        self.dUz += np.outer(dz, self.h)
        self.dUn += np.outer(dn, self.h)
        dx = (self.Wz.T @ dz + self.Wn.T @ dn).reshape(1, -1)
        return dx, self.Uz.T @ dz + self.Un.T @ dn + delta * self.z
"""
TEXTS = {
    "sequence": SEQUENCE, "lstm": LSTM, "step": STEP, "batch_norm": BATCH_NORM, "attention": ATTENTION, "table": TABLE,
    "convolution": CONVOLUTION, "pool": POOL, "called": CALLED,
    "scaled": SCALED, "prelu": PRELU, "cell": CELL,
}  # fmt: skip
ARRAYS = {
    "sequence": "Wh Wx b h0 x", "lstm": "Wh Wx b h0 x", "step": "Wh Wx b prev_c prev_h x", "batch_norm": "beta gamma x",
    "attention": "K Q V", "table": "W", "convolution": "b w x", "pool": "x",
    "scaled": "alpha beta x", "prelu": "slope x", "cell": "Un Uz Wn Wz previous x",
}  # fmt: skip
WRONG = [
    ("sequence", "dh[:, t] + dprev", "dh[:, t]", "Wh Wx b h0 x"),
    ("sequence", "return dx, dprev,", "return dx, 2 * dprev,", "h0"),  # which has no name of its own there
    ("lstm", "dprev, dc, a, b, c = lstm", "dprev, _, a, b, c = lstm", "Wh Wx b h0 x"),
    ("step", "dc * prev_c * f * (1 - f)", "dc * prev_c * f", "Wh Wx b prev_h x"),
    ("batch_norm", " - xhat * (dxhat * xhat).mean(axis=0)", "", "x"),
    ("batch_norm", "(dout * xhat).sum", "dout.sum", "gamma"),
    ("attention", "(dP - (dP * P).sum(axis=-1, keepdims=True))", "dP", "K Q"),
    ("table", "W[x], (x, W)", "2 * W[x], (x, W)", "W"),
    ("convolution", "dw[f] += ", "dw[f] = ", "w"),
    ("convolution", "pad:pad + H, pad:pad + W]", "0:H, 0:W]", "x"),
    ("scaled", "(dout * x).sum", "(dout * alpha).sum", "alpha"),  # none of the gradients has a name
    ("prelu", "0, self.x * dy", "0, dy", "slope"),
    ("cell", "(self.h - self.n)", "(self.n - self.h)", "Uz Wz previous x"),
    ("cell", " + delta * self.z", "", "previous"),
    ("called", "db[..., c] += ", "db[..., c] = ", "b"),
]


def examined(folder, text):
    (folder / "layers.py").write_text(text)
    return verdict(folder / "layers.py", folder).to_dict()


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "called"])
def test_right(tmp_path, name):
    said = examined(tmp_path, TEXTS[name])
    assert said["verdict"] == "right"
    assert sorted(p["name"] for p in said["parameters"]) == ARRAYS[name].split()


@pytest.mark.parametrize(
    ("name", "old", "new", "wrong"),
    [pytest.param(*w, marks=pytest.mark.slow if k % 2 or w[0] == "called" else ()) for k, w in enumerate(WRONG)],
)
def test_wrong(tmp_path, name, old, new, wrong):
    assert TEXTS[name].count(old) == 1
    said = examined(tmp_path, TEXTS[name].replace(old, new))
    assert said["verdict"] == "wrong" or said["verdict"] == "right-up-to-scale"
    assert sorted(p["name"] for p in said["parameters"] if not p["right"]) == wrong.split()


KERNEL = """
import numpy as np


def conv1d_forward(x, w, b, stride=1):
    n = (x.shape[1] - w.shape[0]) // stride + 1
    out = np.zeros((x.shape[0], n))
    for i in range(n):
        out[:, i] = x[:, i * stride:i * stride + w.shape[0]] @ w + b
    return out, (x, w, stride)


def conv1d_backward(dout, cache):
    x, w, stride = cache
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dout.shape[1]):
        j = i * stride
        dw += x[:, j:j + w.shape[0]].T @ dout[:, i]
        dx[:, j:j + w.shape[0]] += dout[:, i, None] * w
    return dx, dw, dout.sum()
"""
LEAKY = """
import numpy as np


def leaky_forward(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x), (x, alpha)


def leaky_backward(dout, cache):
    x, alpha = cache
    return np.where(x > 0, dout, alpha * dout)
"""


def test_options_have_other_numbers_than_by_default(tmp_path):
    right = examined(tmp_path, KERNEL)
    assert (right["verdict"], right["program"]) == ("right", "conv1d_forward and conv1d_backward, with stride 2")
    wrong = examined(tmp_path, KERNEL.replace("j = i * stride", "j = i"))
    assert [p["name"] for p in wrong["parameters"] if not p["right"]] == ["w", "x"]


def test_an_option_that_the_backward_pass_does_not_follow(tmp_path):
    assert examined(tmp_path, LEAKY)["program"] == "leaky_forward and leaky_backward, with alpha 0.006"
    with pytest.raises(ValueError, match=r"no verdict: leaky_forward and leaky_backward, with alpha 0.006"):
        examined(tmp_path, LEAKY.replace("alpha * dout", "0.01 * dout"))


def test_an_option_of_which_the_backward_pass_has_a_default_of_its_own(tmp_path):
    text = """
import numpy as np


def leaky_forward(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x)


def leaky_backward(dout, x, slope=0.01):
    return np.where(x > 0, dout, slope * dout)
"""
    assert examined(tmp_path, text)["program"] == "leaky_forward and leaky_backward, with alpha 0.01, slope 0.01"


SHAPED = {
    "a mask of zeros and ones": ("right", """
        def masked_forward(x, w, b, mask):
            h = x * mask
            return h @ w + b, (h, w, mask)

        def masked_backward(dout, cache):
            h, w, mask = cache
            dh = dout @ w.T
            dh[mask == 0] = 0
            return dh, h.T @ dout, dout.sum(axis=0)
    """),
    "a square matrix, not transposed": ("wrong", """
        def rotate_forward(x, R):
            return x @ R, (x, R)

        def rotate_backward(dout, cache):
            x, R = cache
            return dout @ R, x.T @ dout
    """),
    "gradients at keys that are the arrays' names": ("wrong", """
        def scores_forward(x, wq, wk):
            return (x @ wq) @ (x @ wk).T, (x, wq, wk)

        def scores_backward(dout, cache):
            x, wq, wk = cache
            dq, dk = dout @ (x @ wk), dout.T @ (x @ wq)
            return {"x": dq @ wq.T + dk @ wk.T, "wq": x.T @ dq, "wk": 5 * x.T @ dk}
    """),
    "a word before a name": ("wrong", """
        class Scale:
            def __init__(self, dim):
                self.scale = np.random.randn(dim)

            def forward(self, x):
                self.x = x
                return self.scale * x

            def backward(self, grad_output):
                self.grad_scale = 3 * (grad_output * self.x).sum(axis=0)
                return grad_output * self.scale
    """),
    "a constant that all share": ("wrong", """
        def halve_forward(x, w):
            return x @ w, (x, w)

        def halve_backward(dout, cache):
            x, w = cache
            return dout @ w.T / 2, x.T @ dout / 2
    """),
    "a class's option": ("wrong", """
        class Strided:
            def __init__(self, kernel_size=3, stride=1):
                self.w, self.k, self.s = np.random.randn(kernel_size), kernel_size, stride

            def forward(self, x):
                self.x = x
                n = (x.shape[1] - self.k) // self.s + 1
                return np.stack([x[:, j * self.s:j * self.s + self.k] @ self.w for j in range(n)], axis=1)

            def backward(self, dout):
                self.dw, dx = np.zeros_like(self.w), np.zeros_like(self.x)
                for j in range(dout.shape[1]):
                    self.dw += self.x[:, j:j + self.k].T @ dout[:, j]
                    dx[:, j * self.s:j * self.s + self.k] += dout[:, j, None] * self.w
                return dx
    """),
    "windows of three": ("wrong", """
        def pool_forward(x, pool_size):
            n, c, h, w = x.shape
            k = pool_size
            return x.reshape(n, c, h // k, k, w // k, k).mean(axis=(3, 5)), (x, k)

        def pool_backward(dout, cache):
            x, k = cache
            return dout.repeat(k, axis=2).repeat(k, axis=3) / (2 * k)
    """),
    "a temperature that does not go back": ("wrong", """
        def heat_forward(x, w, temperature):
            z = x @ w / temperature
            return np.tanh(z), (x, w, z)

        def heat_backward(dout, cache):
            x, w, z = cache
            dz = dout * (1 - np.tanh(z) ** 2)
            return dz @ w.T, x.T @ dz
    """),
    "a slope that goes back to one array alone": ("wrong", """
        def leaky_forward(x, w, b, alpha):
            z = x @ w + b
            return np.where(z > 0, z, alpha * z), (x, w, z, alpha)

        def leaky_backward(dout, cache):
            x, w, z, alpha = cache
            return np.where(z > 0, dout, alpha * dout) @ w.T, x.T @ dout, dout.sum(axis=0)
    """),
    "gradients in another order": ("right", """
        def layernorm_forward(x, gamma, beta, eps=1e-5):
            mu = x.mean(axis=-1, keepdims=True)
            inv = 1.0 / np.sqrt(((x - mu) ** 2).mean(axis=-1, keepdims=True) + eps)
            return gamma * (x - mu) * inv + beta, ((x - mu) * inv, inv, gamma)

        def layernorm_backward(dy, cache):
            xn, inv, gamma = cache
            dg, db, g = np.sum(dy * xn, axis=tuple(range(dy.ndim - 1))), dy.sum(tuple(range(dy.ndim - 1))), dy * gamma
            dx = inv * (g - g.mean(-1, keepdims=True) - xn * (g * xn).mean(-1, keepdims=True))
            return db, dg, dx
    """),
    "a course's cell": ("right", """
        def cell_forward(xt, a_prev, parameters):
            Wax, Waa, ba = parameters["Wax"], parameters["Waa"], parameters["ba"]
            Wya, by = parameters["Wya"], parameters["by"]
            a_next = np.tanh(Wax @ xt + Waa @ a_prev + ba)
            e = np.exp(Wya @ a_next + by)
            return a_next, e / e.sum(axis=0), (a_next, a_prev, xt, parameters)

        def cell_backward(da_next, cache):
            a_next, a_prev, xt, parameters = cache
            dtanh = (1 - a_next**2) * da_next
            return {"dxt": parameters["Wax"].T @ dtanh, "da_prev": parameters["Waa"].T @ dtanh, "dWax": dtanh @ xt.T,
                    "dWaa": dtanh @ a_prev.T, "dba": dtanh.sum(axis=1, keepdims=True)}

        x, a, p = np.random.randn(3, 10), np.random.randn(5, 10), {"ba": np.random.randn(5, 1)}
        p |= {"Wax": np.random.randn(5, 3), "Waa": np.random.randn(5, 5)}
        p |= {"Wya": np.random.randn(2, 5), "by": np.random.randn(2, 1)}
        dba = np.zeros((5, 1))
        for _ in range(3):
            z = np.dot(p["Wya"], cell_forward(x, a, p)[0])
            z = z - z.max()
            dba += cell_backward(a, cell_forward(x, a, p)[2])["dba"]
    """),
    "a cell of many arrays": ("right", """
        def sigmoid(z):
            return 1.0 / (1.0 + np.exp(-z))

        def cell_forward(x, h, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh):
            z, r = sigmoid(x @ Wz + h @ Uz + bz), sigmoid(x @ Wr + h @ Ur + br)
            n = np.tanh(x @ Wh + (r * h) @ Uh + bh)
            return (1 - z) * h + z * n, (x, h, z, r, n, Wz, Uz, Wr, Ur, Wh, Uh)

        def cell_backward(dout, cache):
            x, h, z, r, n, Wz, Uz, Wr, Ur, Wh, Uh = cache
            dz, dn = dout * (n - h) * z * (1 - z), dout * z * (1 - n ** 2)
            dr = dn @ Uh.T * h * r * (1 - r)
            dx = dz @ Wz.T + dr @ Wr.T + dn @ Wh.T
            dh = dout * (1 - z) + dn @ Uh.T * r + dz @ Uz.T + dr @ Ur.T
            return dx, dh, dict(Wz=x.T @ dz, Uz=h.T @ dz, bz=dz.sum(0), Wr=x.T @ dr, Ur=h.T @ dr, br=dr.sum(0),
                                Wh=x.T @ dn, Uh=(r * h).T @ dn, bh=dn.sum(0))
    """),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_what_is_given_shows_what_is_wrong(tmp_path, name):
    verdict, text = SHAPED[name]
    assert examined(tmp_path, f"import numpy as np\n{textwrap.dedent(text)}")["verdict"] == verdict


@pytest.mark.parametrize(
    ("forward", "backward", "why"),
    [
        (
            "x / tau",
            "dz / tau, -np.sum(dz * x, axis=1, keepdims=True) / tau**2",
            "right with an array of one row or co",
        ),
        (
            "x / np.abs(tau)",
            "dz / tau, -np.sum(dz * x / tau**2, axis=0)",
            "right with positive numbers, wrong with others",
        ),
        ("x @ tau", "dz @ np.linalg.inv(tau)", "right with orthogonal matrices, wrong with others"),
    ],
)
def test_what_is_right_with_some_arrays_alone_is_no_verdict(tmp_path, forward, backward, why):
    text = f"""
import numpy as np


def scale_forward(x, tau):
    return {forward}, (x, tau)


def scale_backward(dz, cache):
    x, tau = cache
    return {backward}
"""
    with pytest.raises(ValueError, match=why):
        examined(tmp_path, text)


def test_no_other_loss_is_inferred_where_one_is_called(tmp_path):
    text = """
import numpy as np


def logistic_loss(w, X, y):
    return np.mean(np.log(1 + np.exp(-y * (X @ w))))


def logistic_gradient(w, X, y):
    return 2 * X.T @ (X @ w - y) / len(y)
"""
    with pytest.raises(ValueError, match="computes another number than the squared-error"):
        examined(tmp_path, text)


def test_the_shapes_are_those_that_the_program_has(tmp_path):
    said = examined(tmp_path, CALLED)
    shapes = {p["name"]: p["shape"] for p in said["parameters"]}
    assert said["verdict"] == "right"
    assert shapes == {"A_prev": [2, 4, 5, 2], "W": [3, 3, 2, 3], "b": [1, 1, 1, 3]}


def test_a_derivative_that_calls_its_own_function(tmp_path):
    text = """
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["program"]) == ("right", "sigmoid and sigmoid_prime")


def test_the_diagonal_of_a_derivative_is_not_accused(tmp_path):
    text = """
import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def softmax_derivative(x):
    s = softmax(x)
    return s * (1 - s)
"""
    with pytest.raises(ValueError, match="meant for the diagonal"):
        examined(tmp_path, text)


FITTING = {  # right as they stand, with arrays of other shapes than those that are tried first
    "a number": ("beta", """
        def swish_forward(x, beta):
            s = 1 / (1 + np.exp(-beta * x))
            return x * s, (x, s, beta)

        def swish_backward(dout, cache):
            x, s, beta = cache
            return dout * (s + beta * x * s * (1 - s)), np.sum(dout * x * x * s * (1 - s))
    """),
    "a number that spreads": ("tau", """
        def scale_forward(x, tau):
            return x / tau, (x, tau)

        def scale_backward(dz, cache):
            x, tau = cache
            return dz / tau, -np.sum(dz * x) / tau**2
    """),
    "another order": ("", """
        def merge_forward(x, skip, W):
            return (x * skip) @ W, (x, skip, W)

        def merge_backward(dout, cache):
            x, skip, W = cache
            d = dout @ W.T
            return d * x, d * skip, (x * skip).T @ dout
    """),
    "weights first": ("", """
        def affine_forward(w, x, b):
            return x @ w + b, (w, x)

        def affine_backward(dout, cache):
            w, x = cache
            return x.T @ dout, dout @ w.T, np.sum(dout, axis=0)
    """),
}  # fmt: skip


@pytest.mark.parametrize("name", FITTING)
def test_arrays_that_do_not_fit_accuse_nobody(tmp_path, name):
    judged, text = FITTING[name]
    text = f"import numpy as np\n{textwrap.dedent(text)}"
    if judged:
        said = examined(tmp_path, text)
        assert (said["verdict"], judged in {p["name"] for p in said["parameters"]}) == ("right", True)
    else:
        with pytest.raises(ValueError, match="no verdict"):
            examined(tmp_path, text)


IN_MODES = """
import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def batchnorm_forward(x, gamma, beta, bn_param):
    mode, eps = bn_param["mode"], bn_param.get("eps", 1e-5)
    if mode == "test":
        return gamma * (x - bn_param["running_mean"]) / np.sqrt(bn_param["running_var"] + eps) + beta, None
    if mode == "train":
        mu, var = x.mean(axis=0), x.var(axis=0)
        z = (x - mu) / np.sqrt(var + eps)
        return gamma * z + beta, (z, var, eps, gamma)
    raise ValueError(mode)


def batchnorm_backward(dout, cache):
    z, var, eps, gamma = cache
    dz = dout * gamma
    dx = (dz - dz.mean(axis=0) - z * np.mean(dz * z, axis=0)) / np.sqrt(var + eps)
    return dx, np.sum(dout * z, axis=0), np.sum(dout, axis=0)


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    out, cache = batchnorm_forward(x.transpose(0, 2, 3, 1).reshape(-1, C), gamma, beta, bn_param)
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    dx, dgamma, dbeta = batchnorm_backward(dout.transpose(0, 2, 3, 1).reshape(-1, C), cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta
"""


def test_functions_that_others_of_the_file_use_are_judged_beside_them(tmp_path):
    """Options in a dictionary have no gradient: what is returned is that of each of the others, in their order."""
    said = examined(tmp_path, IN_MODES)
    assert (said["verdict"], "batchnorm_forward and batchnorm_backward" in said["program"]) == ("right", True)
    said = examined(tmp_path, IN_MODES.replace("dz - dz.mean(axis=0) - z", "dz - z"))
    assert [(f["at"], f["source"].partition(" = ")[0]) for f in said["findings"]] == [("dx", "dx")]
