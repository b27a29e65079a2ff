# GRU for forecasting a noisy sine, batches in rows, parameters in a dict

import numpy as np

np.random.seed(11)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def init_params(input_dim, hidden_dim):
    p = {}
    for gate in ['z', 'r', 'h']:
        p['W' + gate] = np.random.randn(input_dim, hidden_dim) * 0.5
        p['U' + gate] = np.random.randn(hidden_dim, hidden_dim) * 0.4
        p['b' + gate] = np.random.randn(hidden_dim) * 0.1
    p['V'] = np.random.randn(hidden_dim, 1) * 0.5
    p['c'] = np.zeros(1)
    return p


def forward(X, p):
    """X has shape (batch, time, features)."""
    h = np.zeros((X.shape[0], p['Uz'].shape[0]))
    cache = []
    for t in range(X.shape[1]):
        x = X[:, t]
        z = sigmoid(x.dot(p['Wz']) + h.dot(p['Uz']) + p['bz'])
        r = sigmoid(x.dot(p['Wr']) + h.dot(p['Ur']) + p['br'])
        hbar = np.tanh(x.dot(p['Wh']) + (r * h).dot(p['Uh']) + p['bh'])
        h_new = (1 - z) * h + z * hbar
        cache.append((x, h, z, r, hbar))
        h = h_new
    return h.dot(p['V']) + p['c'], h, cache


def backward(Y, Y_hat, h_last, cache, p):
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    m = Y.shape[0]
    dY = 2 * (Y_hat - Y) / m
    grads['V'] = h_last.T.dot(dY)
    grads['c'] = dY.sum(axis=0)
    dh = dY.dot(p['V'].T)
    for x, h, z, r, hbar in reversed(cache):
        dz = dh * (hbar - h) * z * (1 - z)  # wrong: dz = dh * (h - hbar) * z * (1 - z)
        dhbar = dh * z * (1 - hbar ** 2)  # wrong: dhbar = dh * (1 - hbar ** 2)
        dr = dhbar.dot(p['Uh'].T) * h * r * (1 - r)  # wrong: dr = dhbar.dot(p['Uh'].T) * r * (1 - r)
        grads['Wz'] += x.T.dot(dz)
        grads['Uz'] += h.T.dot(dz)
        grads['bz'] += dz.sum(axis=0)
        grads['Wr'] += x.T.dot(dr)
        grads['Ur'] += h.T.dot(dr)
        grads['br'] += dr.sum(axis=0)
        grads['Wh'] += x.T.dot(dhbar)
        grads['Uh'] += (r * h).T.dot(dhbar)  # wrong: grads['Uh'] += h.T.dot(dhbar)
        grads['bh'] += dhbar.sum(axis=0)
        dh_direct = dh * (1 - z)
        dh_gates = dz.dot(p['Uz'].T) + dr.dot(p['Ur'].T)
        dh_candidate = dhbar.dot(p['Uh'].T) * r  # wrong: dh_candidate = dhbar.dot(p['Uh'].T) * z
        dh = dh_direct + dh_gates + dh_candidate
    return grads


def batch(size, steps):
    start = np.random.rand(size, 1) * 6
    time = start + np.arange(steps + 1) * 0.4
    wave = np.sin(time) + np.random.randn(size, steps + 1) * 0.05
    other = np.cos(time)
    return np.stack([wave, other], axis=2)[:, :-1], wave[:, -1:]


params = init_params(2, 5)
lr = 0.05
for epoch in range(40):
    X, Y = batch(8, 6)
    # parameters: params
    Y_hat, h_last, cache = forward(X, params)
    loss = np.mean((Y_hat - Y) ** 2)
    grads = backward(Y, Y_hat, h_last, cache, params)
    # gradients: loss, grads
    for k in params:
        params[k] -= lr * grads[k]
    if epoch % 10 == 0:
        print('epoch', epoch, 'loss', loss)
