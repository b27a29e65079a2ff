"""Programs are judged as `jaxnet compare` judges them; and the programs that tests of several subjects change."""

import contextlib
import functools
import io
import tempfile
from pathlib import Path

import numpy as np

from jaxnet.compare.author.verdict import verdict


def examined(folder, text, name="net", mend=0):
    """What `jaxnet compare` says of a program, as the object that --json prints. ValueError: no verdict."""
    path = folder / f"{name}{'.ipynb' if text.startswith('{') else '.py'}"
    path.write_text(text)
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        return verdict(path, folder, mend=mend).to_dict()


@functools.cache
def examined_once(text):
    """What is said of a program that stands alone: once for all cases of which each changes something else in it."""
    with tempfile.TemporaryDirectory() as folder:
        return examined(Path(folder), text)


def is_right(folder):
    """Whether the program is right as it stands there now: `verdict` mends the file that it is given."""
    (path,) = folder.glob("net.*")
    return examined(folder, path.read_text())["verdict"] == "right"


PLAIN = """
import numpy as np
np.random.seed(3)
X, Y = np.random.randn(9, 4), np.eye(3)[np.arange(9) % 3]
W1, b1, W2, b2 = np.random.randn(4, 5) / 2, np.zeros(5), np.random.randn(5, 3) / 2, np.zeros(3)
for _ in range(9):
    A1 = np.tanh(X @ W1 + b1)
    E = np.exp(A1 @ W2 + b2)
    P = E / E.sum(1, keepdims=True)
    loss = -np.sum(Y * np.log(P)) / 9
    dZ2 = (P - Y) / 9
    dW2, db2 = A1.T @ dZ2, dZ2.sum(0)
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    dW1, db1 = X.T @ dZ1, dZ1.sum(0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
"""
SLOPE = (" * (1 - A1 ** 2)", "")
SENT_BACK = {"np.exp(A1 @ W2 + b2)": "1 + np.exp(-(A1 @ W2 + b2))", "E / E.sum(1, keepdims=True)": "1 / E",
             "-np.sum(Y * np.log(P)) / 9": "np.sum((P - Y) ** 2) / 18",
             "(P - Y) / 9": "(P - Y) * P * (1 - P) / 9", "dZ2 @ W2.T": "(P - Y) / 9 @ W2.T"}  # fmt: skip
ONE_OUTPUT = {"np.arange(9) % 3]": "np.arange(9) % 3, :1]", "(5, 3)": "(5, 1)", "zeros(3)": "zeros(1)",
              "E = np.exp(A1 @ W2 + b2)": "P = A1 @ W2 + b2", "    P = E / E.sum(1, keepdims=True)\n": "",
              "-np.sum(Y * np.log(P)) / 9": "+ np.sum((P - Y) ** 2) / 18"}  # fmt: skip
UPHILL = {f"{p} -= ": f"{p} += " for p in ("W1", "b1", "W2", "b2")}
RATE_INSIDE = {"dZ2 = (P - Y) / 9": "dZ2 = 0.05 * (P - Y) / 9", "0.1 * ": ""}
PERCEPTRON = """
import numpy as np
X, T = np.random.randn(20, 2), np.arange(20) % 2
w = np.random.randn(2)
for _ in range(5):
    y = 1 / (1 + np.exp(-np.dot(X, w)))
    w = w - 0.1 * X.T.dot(y * (1 - T) - T * (1 - y))
"""
SQUARE = PLAIN.replace("randn(9, 4)", "randn(9, 3)").replace("zeros(5)", "zeros(3)").replace("(4, 5)", "(3, 3)")
SQUARE = SQUARE.replace("(5, 3)", "(3, 3)").replace("W1 -= ", "W1 = W1 - ").replace("W2 -= ", "W2 = W2 - ")
PENALISED = PLAIN.replace("np.log(P)) / 9", "np.log(P)) / 9 + 0.01 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))")
TWO_NETWORKS = (
    PLAIN
    + """
V, c = np.zeros((4, 3)), 0.0
for _ in range(9):
    E = X @ V + c - Y
    V -= 0.1 * X.T @ E
    c -= 0.1 * E.sum()
"""
)
LOGISTIC = """
import numpy as np
X, T = np.random.randn(20, 4), np.arange(20) % 2
w, b = np.zeros(4), 0.0
for _ in range(9):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    w -= 0.1 * X.T @ (p - T) / 20
    b -= 0.1 * (p - T).mean()
"""
IN_EPOCHS = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.random((40, 3))
T = np.eye(2)[(X.sum(1) > 1.5).astype(int)]
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))

def softmax(s):
    return np.exp(s) / np.exp(s).sum(1, keepdims=True)

for epoch in range(20):
    for i in range(0, 40, 8):
        x, t = X[i:i + 8], T[i:i + 8]
        h = np.tanh(x @ W)
        d = h @ V - t
        dV, dW = h.T @ d, x.T @ (d @ V.T * (1 - h ** 2))
        V, W = V - 0.01 * dV, W - 0.01 * dW
    print(-np.sum(T * np.log(softmax(np.tanh(X @ W) @ V) + 1e-7)))
"""
SOFTMAX_ALONE = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 6)), np.eye(4)[rng.integers(4, size=20)]
W, b = rng.normal(size=(6, 4)), np.zeros(4)
for _ in range(20):
    E = np.exp(X @ W + b)
    P = E / E.sum(1, keepdims=True)
    print(-np.sum(Y * np.log(P)) / 20)
    dW = X.T @ (P - Y) / 20
    db = (P - Y).sum(0) / 20
    W = W - 0.1 * dW
    b = b - 0.1 * db
"""
