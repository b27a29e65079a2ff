"""Two inputs, a branch for each, joined by concatenation: prices from numbers and from a one-hot district."""
import numpy as np

np.random.seed(17)
relu = lambda x: np.maximum(x, 0)

# data
numbers = np.random.randn(48, 4)
district = np.eye(5)[np.random.randint(0, 5, 48)]
price = numbers @ np.array([[1.0], [-2.0], [0.5], [0.3]]) + district @ np.array([[0.0], [1.0], [2.0], [-1.0], [3.0]])
price += 0.1 * np.random.randn(48, 1)

# parameters of the two branches and of the head
Wa = np.random.randn(4, 6) * 0.5
ba = np.zeros(6)
Wb = np.random.randn(5, 3) * 0.5
bb = np.zeros(3)
Wj = np.random.randn(9, 7) * 0.4
bj = np.zeros(7)
wo = np.random.randn(7, 1) * 0.4
bo = np.zeros(1)

lr = 0.02
for it in range(60):
    rows = np.random.choice(48, 12, replace=False)
    xa, xb, y = numbers[rows], district[rows], price[rows]
    n = len(rows)
    # parameters: dict(Wa=Wa, ba=ba, Wb=Wb, bb=bb, Wj=Wj, bj=bj, wo=wo, bo=bo)

    # forward
    za = xa @ Wa + ba
    ha = relu(za)
    zb = xb @ Wb + bb
    hb = np.tanh(zb)
    joined = np.concatenate([ha, hb], axis=1)
    zj = joined @ Wj + bj
    hj = relu(zj)
    out = hj @ wo + bo
    loss = np.sum((out - y) ** 2) / n

    # backward
    dout = 2 * (out - y) / n
    dwo = hj.T @ dout
    dbo = dout.sum(0)
    dzj = (dout @ wo.T) * (zj > 0)
    dWj = joined.T @ dzj  # wrong: dWj = joined.T @ dzj / n
    dbj = dzj.sum(0)
    djoined = dzj @ Wj.T
    dha = djoined[:, :6]
    dhb = djoined[:, 6:]  # wrong: dhb = djoined[:, :3]
    dza = dha * (za > 0)  # wrong: dza = dha * za
    dWa = xa.T @ dza
    dba = dza.sum(0)
    dzb = dhb * (1 - hb ** 2)  # wrong: dzb = dhb * (hb > 0)
    dWb = xb.T @ dzb
    dbb = dzb.sum(0)  # wrong: dbb = dzb.sum()
    # gradients: loss, dict(Wa=dWa, ba=dba, Wb=dWb, bb=dbb, Wj=dWj, bj=dbj, wo=dwo, bo=dbo)

    Wa -= lr * dWa
    ba -= lr * dba
    Wb -= lr * dWb
    bb -= lr * dbb
    Wj -= lr * dWj
    bj -= lr * dbj
    wo -= lr * dwo
    bo -= lr * dbo
    if it % 20 == 0:
        print(it, loss)
