"""At which line a mistake is shown, which array it is said of, and what is not blamed beside it."""

import functools
import re

import pytest
from judging import PLAIN, SENT_BACK, examined, examined_once, is_right

from jaxnet.compare.author.verdict import verdict


def test_what_no_formula_gives_is_shown_where_it_is_made_if_its_error_is_another_mistake(tmp_path):
    """db2 is a mean of dW2: the line of dZ2, whose mistake is known, is not the one to look at."""
    text = PLAIN.replace("dZ2.sum(0)", "(A1.T @ dZ2).mean(0)").replace(
        "dZ2 = (P - Y) / 9", "dZ2 = P * (1 - P) * (P - Y) / 9"
    )
    said = examined(tmp_path, text)
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dZ2", 11), ("db2", 12)]


def test_what_is_wrong_in_an_error_that_no_formula_gives_is_no_fault_of_what_is_made_of_it(tmp_path):
    """A formula that fits the sum of it, and none that fits its product: both stand where the error is made."""
    text = PLAIN.replace("E = np.exp(A1 @ W2 + b2)", "P = A1 @ W2 + b2").replace(
        "    P = E / E.sum(1, keepdims=True)\n", ""
    )
    text = text.replace("-np.sum(Y * np.log(P)) / 9", "0.5 * np.mean((P - Y) ** 2)").replace("(5, 3)", "(5, 1)")
    text = text.replace("np.eye(3)[np.arange(9) % 3]", "np.random.randn(9, 1)").replace("np.zeros(3)", "np.zeros(1)")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("(P - Y) / 9", "(P - Y) / 9 * P"))
    assert {f["line"] for f in said["findings"]} == {10}


@pytest.mark.parametrize("in_one", [False, True])
def test_a_step_by_the_gradient_of_another_parameter(tmp_path, in_one):
    """It is the step's line that takes it; where one line takes all gradients, that of the gradient is named."""
    text = PLAIN.replace("(5, 3)", "(5, 5)").replace("np.zeros(3)", "np.zeros(5)").replace("np.eye(3)", "np.eye(5)")
    wrong = text.replace("b1 -= 0.1 * db1", "b1 -= 0.1 * db2")
    if in_one:
        wrong = text[: text.index("    W1 -=")] + (
            "    for p, g in zip((W1, b1, W2, b2), (dW1, db2, dW2, db2)):\n        p -= 0.1 * g\n"
        )
    (found,) = examined(tmp_path, wrong)["findings"]
    assert (found["at"], found["code"], found["line"]) == ("db1", "wrong-layer-error", 12 if in_one else 16)


SHARED = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
w, V = rng.normal(size=(2, 3)), rng.normal(size=(9, 2))
for _ in range(9):
    h = np.tanh(np.hstack([X[:, k : k + 2] @ w for k in range(3)]))
    d = (h @ V - Y) / 20
    loss = 10 * np.sum(d ** 2) + 0.05 * np.sum(w ** 2)
    dV = h.T @ d
    dz = d @ V.T * (1 - h ** 2)
    dw = 0
    for k in range(3):
        dw += X[:, k : k + 2].T @ dz[:, 3 * k : 3 * k + 3]
    dw = dw + 0.1 * w
    w -= 0.1 * dw
    V -= 0.1 * dV
"""


def test_a_part_of_a_sum_is_missing_where_it_is_made_and_not_where_a_penalty_is_added(tmp_path):
    assert examined(tmp_path, SHARED)["verdict"] == "right"
    (found,) = examined(tmp_path, SHARED.replace("dw += ", "dw = "))["findings"]
    assert (found["at"], found["line"]) == ("dw", 14)


ERROR_TIMES_WEIGHTS = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(30, 3))
y, W = np.sin(X[:, 0]) + X[:, 1], rng.normal(size=(4, 3))
v, c = rng.normal(size=4), np.zeros(4)
for _ in range(9):
    total = 0
    for x, t in zip(X, y):
        h = np.tanh(W @ x + c)
        e = t - v @ h
        total += e ** 2 / 2
        g = e * v
        v += 0.02 * e * h
        W += 0.02 * np.outer(g, x)
        c += 0.02 * g
    print(total)
"""


def test_an_error_is_made_where_it_is_and_not_where_its_weights_are(tmp_path):
    """e v is a multiple of v, in each draw another one: that is no reason to name what made v."""
    said = examined(tmp_path, ERROR_TIMES_WEIGHTS)
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative", 13)]
    assert examined(tmp_path, ERROR_TIMES_WEIGHTS.replace("e * v", "e * v * (1 - h ** 2)"))["verdict"] == "right"


TWO_HEADS = """
import numpy as np
rng = np.random.default_rng(0)
x, y, z = rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), rng.normal(size=(20, 4))
W, U, V, vW = rng.normal(size=(3, 5)), rng.normal(size=(5, 2)), rng.normal(size=(5, 4)), np.zeros((3, 5))
for _ in range(9):
    A = np.maximum(x @ W, 0)
    S, R = A @ U, A @ V
    print((np.sum((S - y) ** 2) + np.sum((R - z) ** 2)) / 40)
    dS, dR = (S - y) / 20, (R - z) / 20
    dU, dV = A.T @ dS, A.T @ dR
    dA = dS @ U.T + dR @ V.T
    dA[A <= 0] = 0
    dW = x.T @ dA
    vW = 0.8 * vW - 0.1 * dW
    W, U, V = W + vW, U - 0.1 * dU, V - 0.1 * dV
"""


def test_where_a_part_of_an_error_is_forgotten(tmp_path):
    """Not where what is there of it is used."""
    assert examined(tmp_path, TWO_HEADS)["verdict"] == "right"
    for old, new, line in (
        ("dS @ U.T + dR @ V.T", "dS @ U.T", 12),
        ("dA[A <= 0] = 0", "dA[A <= 0] = 1", 13),
        ("dW = x.T @ dA", "dW = x[:10].T @ dA[:10]", 14),
    ):
        said = examined(tmp_path, TWO_HEADS.replace(old, new))
        assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW", line)]


def test_what_was_computed_and_is_0_is_not_said_to_be_left_out(tmp_path):
    text = TWO_HEADS.replace(
        "W, U, V = W + vW, U", "b -= 0.1 * ((dS @ U.T).sum(0) - (dS @ U.T).sum(0))\n    W, U, V = W + vW, U"
    )
    said = examined(tmp_path, text.replace("x @ W,", "x @ W + b,").replace("for _", "b = np.ones(5)\nfor _"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db", "unknown")]


FILLED_BY_MOMENTS = """
import numpy as np
np.random.seed(5)
T, X, Y = 4, np.random.randn(4, 3), np.random.randn(4, 2)
W, U, p, V = np.random.randn(3, 4), np.random.randn(4, 4) / 2, np.random.randn(4), np.random.randn(4, 2)
for _ in range(9):
    h, i = np.zeros((T + 1, 4)), np.zeros((T, 4))
    for t in range(T):
        i[t] = 1 / (1 + np.exp(-X[t] @ W - h[t - 1] @ U))
        h[t] = i[t] * p + (1 - i[t]) * h[t - 1]
    error = h[:T] @ V - Y
    loss = np.sum(error**2) / 2
    dh, di = np.zeros((T + 1, 4)), np.zeros((T + 1, 4))
    dW, dU, dp = np.zeros_like(W), np.zeros_like(U), np.zeros_like(p)
    for t in reversed(range(T)):
        dh[t] = V @ error[t] + di[t + 1] @ U.T
        if t < T - 1:
            dh[t] += dh[t + 1] * (1 - i[t + 1])
        di[t] = dh[t] * (p - h[t - 1]) * i[t] * (1 - i[t])
        dW += np.outer(X[t], di[t])
        dU += np.outer(h[t - 1], di[t])
        dp += dh[t] * i[t]
    W, U, p, V = W - 0.1 * dW, U - 0.1 * dU, p - 0.1 * dp, V - 0.1 * h[:T].T @ error
"""


def test_the_frontier_where_an_array_is_filled_moment_by_moment(tmp_path):
    assert examined(tmp_path, FILLED_BY_MOMENTS)["verdict"] == "right"
    for old, new, line in (("* (p - h[t - 1]) *", "* p *", 19), ("@ U.T", "@ U", 16)):
        said = examined(tmp_path, FILLED_BY_MOMENTS.replace(old, new))
        assert {name: f["wrong_from"]["line"] for name, f in said["frontier"].items()} == dict.fromkeys("WUp", line)


def test_what_is_right_below_a_wrong_error_is_not_accused(tmp_path):
    """The error itself is sent back, and not what was made of it for W2."""
    text = PLAIN.replace("A1.T @ dZ2, dZ2.sum(0)", "A1.T @ d, d.sum(0)").replace(
        "    dW2", "    d = dZ2 * P * (1 - P)\n    dW2"
    )
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ2", "elementwise-softmax-derivative")]
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W1": True, "b1": True, "W2": False, "b2": False}


def test_a_constant_beside_another_mistake_is_shown_where_it_is_made(tmp_path):
    text = PLAIN.replace("dZ2 = (P - Y) / 9", "dZ2 = (P - Y) * P * (1 - P)").replace(
        "A1.T @ dZ2, dZ2.sum(0)", "A1.T @ dZ2 / 9, dZ2.sum(0) / 9"
    )
    text = text.replace("dW1, db1 = X.T @ dZ1, dZ1.sum(0)", "dW1 = X.T @ dZ1 / 9\n    db1 = dZ1.sum(0)")
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [
        ("dZ2", "elementwise-softmax-derivative", 11), ("db1", "wrong-scale", 15)
    ]  # fmt: skip


def test_a_constant_in_an_error_is_shown_where_it_is_made(tmp_path):
    """Not in the slope of the activation that stands below."""
    text = PLAIN.replace("dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)", "dA1 = dZ2 @ W2.T / 9\n    dZ1 = dA1 * (1 - A1 ** 2)")
    (finding,) = examined(tmp_path, text)["findings"]
    assert (finding["at"], finding["code"], finding["source"]) == ("dZ1", "wrong-scale", "dA1 = dZ2 @ W2.T / 9")


CLIPPED_SCORES = """
import numpy as np

rng = np.random.default_rng(0)
X, T = rng.normal(size=(32, 8)), np.eye(3)[rng.integers(3, size=32)]
W1, W2, b2 = rng.normal(size=(8, 6)) / 2, rng.normal(size=(6, 3)) / 2, np.zeros(3)
for _ in range(9):
    A = np.tanh(X @ W1)
    scores = A @ W2 + b2
    E = np.exp(np.clip(scores, 0.01, 0.99))
    P = E / E.sum(1, keepdims=True)
    print(-np.mean(np.log(np.sum(P * T, 1))))
    error = (P - T) / 32
    dW2 = A.T @ error
    db2 = error.sum(0)
    dA = error @ W2.T
    dW1 = X.T @ (dA * (1 - A ** 2))
    W1, W2, b2 = W1 - 0.1 * dW1, W2 - 0.1 * dW2, b2 - 0.1 * db2
"""
SENT_TO_THE_FIRST = """
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 8, 8)), np.eye(3)[rng.integers(3, size=40)]
K, W = rng.normal(size=(2, 3, 3)) * 0.3, rng.normal(size=(3, 18)) * 0.1
for x, y in zip(X, Y):
    c = np.zeros((2, 6, 6))
    for k in range(2):
        for i in range(6):
            for j in range(6):
                c[k, i, j] = np.sum(x[i:i + 3, j:j + 3] * K[k])
    p = c.reshape(2, 3, 2, 3, 2).max(axis=(2, 4))
    e = np.exp(W @ p.ravel())
    q = e / e.sum()
    print(-np.sum(y * np.log(q)))
    dz = q - y
    dc = np.zeros_like(c)
    dc[:, ::2, ::2] = (W.T @ dz).reshape(p.shape)
    dK = np.zeros_like(K)
    for k in range(2):
        for i in range(6):
            for j in range(6):
                dK[k] += dc[k, i, j] * x[i:i + 3, j:j + 3]
    W -= 0.01 * np.outer(dz, p.ravel())
    K -= 0.01 * dK
"""


def test_it_is_the_error_that_is_wrong_and_no_line_that_takes_it(tmp_path):
    """All of these are right; and where it is wrong from an array on, none that takes the entries which are right."""
    findings = examined(tmp_path, CLIPPED_SCORES)["findings"]
    assert {f["source"] for f in findings} == {"error = (P - T) / 32"}
    findings = examined(tmp_path, SENT_TO_THE_FIRST)["findings"]
    assert {f["source"] for f in findings} == {"dc[:, ::2, ::2] = (W.T @ dz).reshape(p.shape)"}


LAYER_NORM = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 2))
W1, W2 = rng.normal(size=(4, 6)), rng.normal(size=(6, 2))
for _ in range(20):
    Z = X @ W1
    centred = Z - Z.mean(1, keepdims=True)
    spread = np.sqrt(np.mean(centred ** 2, 1, keepdims=True))
    A = np.maximum(centred / spread, 0)
    E = (A @ W2 - Y) / 12
    print(6 * np.sum(E ** 2))
    dA = E @ W2.T * (A > 0)
    dC = (dA - A * np.mean(dA * centred / spread, 1, keepdims=True)) / spread
    dZ = dC - dC.mean(1, keepdims=True)
    W2 -= 0.1 * A.T @ E
    W1 -= 0.1 * X.T @ dZ
"""


def test_what_is_not_gone_back_through_is_said(tmp_path):
    """Whatever it is: with the derivative by what it was made of the gradient would be right."""
    right = LAYER_NORM.replace("dA - A *", "dA - centred / spread *")
    assert examined(tmp_path, right)["verdict"] == "right"
    said = examined(tmp_path, right.replace("dZ = dC - dC.mean(1, keepdims=True)", "dZ = dC"))
    told = "made with ∂loss/∂(line 8), and right with ∂loss/∂(line 7): what lies between is left out."
    assert [f["explanation"].startswith(told) for f in said["findings"]] == [True]
    said = examined(tmp_path, LAYER_NORM)  # A is cut off
    assert [f["explanation"].startswith("no formula") for f in said["findings"]] == [True]


SOFTPLUS = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(12, 4)), rng.random((12, 2))
W1, W2 = rng.normal(size=(4, 6)), rng.normal(size=(6, 2))
for _ in range(20):
    A = np.sin(X @ W1)
    Z = A @ W2
    P = np.log(1 + np.exp(Z))
    print(np.mean((P - Y) ** 2))
    dZ = 2 * (P - Y) / P.size / (1 + np.exp(-Z))
    dW2 = A.T @ dZ
    dW1 = X.T @ (dZ @ W2.T * np.cos(X @ W1))
    W2 -= 0.1 * dW2
    W1 -= 0.1 * dW1
"""


@pytest.mark.parametrize("power", [2, 4])
def test_all_gradients_are_wrong_for_one_derivative(tmp_path, power):
    """Where that of another quantity explains them all, it proves them wrong by whatever loss the program computes."""
    text = SOFTPLUS.replace("** 2", f"** {power}").replace("2 * (P - Y)", f"{power} * (P - Y) ** {power - 1}")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" / (1 + np.exp(-Z))", ""))
    told = "made with ∂loss/∂(line 9), and right with ∂loss/∂(line 8): what lies between is left out."
    assert [f["explanation"].startswith(told) for f in said["findings"]] == [True, True]
    assert {f["line"] for f in said["findings"]} == {11}  # where it is left out, once for both
    with pytest.raises(ValueError, match="no gradient is that of a loss"):  # nobody knows what they are
        examined(tmp_path, text.replace("/ (1 + np.exp(-Z))", "* np.cos(Z)"))


BEFORE_SOFTMAX = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 5)), np.eye(3)[rng.integers(3, size=20)]
W = rng.normal(size=(5, 3))
for _ in range(20):
    s = X @ W
    mean, std = s.mean(0), np.sqrt(s.var(0) + 1e-3)
    n = (s - mean) / std
    p = np.exp(n) / np.exp(n).sum(1, keepdims=True)
    print(-np.sum(Y * np.log(p)))
    dn = p - Y
    ds = (dn - dn.mean(0) - n * (dn * n).mean(0)) / std
    W -= 0.1 * X.T @ ds
"""


def test_gradients_that_are_all_wrong_from_the_error_on(tmp_path):
    """The error that goes back is the derivative of the loss through softmax, which no other loss has."""
    assert examined(tmp_path, BEFORE_SOFTMAX)["verdict"] == "right"
    said = examined(tmp_path, BEFORE_SOFTMAX.replace("- n * (dn * n).mean(0)", "- (dn * n).mean(0)"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW", 13)]
    squared = BEFORE_SOFTMAX.replace("p = np.exp(n) / np.exp(n).sum(1, keepdims=True)", "p = n")
    squared = squared.replace("-np.sum(Y * np.log(p))", "np.sum((p - Y) ** 2) / 2")
    assert examined(tmp_path, squared)["verdict"] == "right"
    with pytest.raises(ValueError, match="the step may be another one than it was taken for"):
        examined(tmp_path, squared.replace("- n * (dn * n).mean(0)", "- (dn * n).mean(0)"))


@pytest.mark.parametrize(("old", "new", "line"), [("b1 -= ", "b1 += ", 16), ("dZ1.sum(0)", "-dZ1.sum(0)", 14)])
def test_a_sign_is_shown_where_it_is_wrong(tmp_path, old, new, line):
    """In the gradient or in the step: the one that other gradients, or steps, have not."""
    said = examined(tmp_path, PLAIN.replace(old, new))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("db1", "wrong-sign", line)]


TWO_GATES = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 5)), rng.normal(size=(40, 1))
W, V, U = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.normal(size=(4, 1))
b, c = np.zeros((1, 4)), np.zeros((1, 4))
for epoch in range(20):
    f = 1 / (1 + np.exp(-(X @ W + b)))
    g = np.tanh(X @ V + c)
    p = (f * g) @ U
    print(np.mean((p - Y) ** 2))
    d = 2 * (p - Y) / 40
    dU = (f * g).T @ d
    dg = d @ U.T * f * (1 - g * g)
    dV, dc = X.T @ dg, dg.sum(0, keepdims=True)
    df = d @ U.T * g * f * (1 - f)
    dW = X.T @ df
    db = df.sum(0, keepdims=True)
    gradients = [np.clip(gradient, -9, 9) for gradient in (dU, dV, dc, dW, db)]
    for weights, gradient in zip((U, V, c, W, b), gradients):
        weights -= 0.05 * gradient
"""


def test_the_gradient_of_another_parameter_is_named(tmp_path):
    """It is right for that one, and wrong from where it is made for this one."""
    said = examined(tmp_path, TWO_GATES.replace("db = df.sum", "db = dg.sum"))
    assert [(f["at"], f["line"], f["explanation"].split(".")[0]) for f in said["findings"]] == [
        ("db", 18, "this is the gradient of c")
    ]


def test_the_line_of_a_sum_that_lacks_its_division(tmp_path):
    """Where what is added up, example by example, is right for another gradient."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))
Y = (X[:, 0] > 0) * 1.0
w, b = np.zeros(3), 0
for epoch in range(20):
    dw, db = np.zeros(3), 0
    for x, y in zip(X, Y):
        error = 1 / (1 + np.exp(-(x @ w + b))) - y
        dw = dw + error * x
        db = db + error
    w = w - 0.1 * dw / 50
    b = b - 0.1 * db / 50
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("0.1 * db / 50", "0.1 * db"))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("db1", "wrong-scale", 12)]


def test_a_sum_over_examples_that_one_gradient_lacks(tmp_path):
    """What it is made of is right, that of one example: it is wrong from where that is used as all."""
    text = """
import numpy as np
np.random.seed(0)
X, T = np.random.randn(64, 2), np.random.randn(64, 2)
W, b, V, c = np.random.randn(4, 2), np.zeros((4, 1)), np.random.randn(2, 4), np.zeros((2, 1))
for epoch in range(5):
    for i in range(0, 64, 8):
        total = None
        for x, t in zip(X[i : i + 8], T[i : i + 8]):
            h = np.tanh(W @ x.reshape(-1, 1) + b)
            d = V @ h + c - t.reshape(-1, 1)
            e = V.T @ d * (1 - h ** 2)
            g = [e @ x.reshape(1, -1), e, d @ h.T, d]
            if total is None:
                total = g
            else:
                for k in range(4):
                    total[k] = total[k] + g[k]
        W, b, V = W - 0.1 * total[0] / 8, b - 0.1 * total[1] / 8, V - 0.1 * total[2] / 8
        c = c - 0.1 * total[3] / 8
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("for k in range(4)", "for k in range(3)"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("db2", 20)]


def test_a_bias_without_slope_is_wrong_in_its_own_line(tmp_path):
    """With one example a step it has the numbers of what came back, which is right."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 8)), rng.normal(size=(30, 4))

class Layer:
    def __init__(self, n, m, ends):
        self.w, self.b, self.ends = rng.normal(size=(n, m)) / 2, np.zeros((1, m)), ends

    def forward(self, x):
        z = x @ self.w + self.b
        self.x, self.y = x, z if self.ends else np.tanh(z)
        return self.y

    def backward(self, upstream):
        error = upstream if self.ends else upstream * (1 - self.y ** 2)
        back = error @ self.w.T
        self.w -= 0.01 * self.x.T @ error
        self.b -= 0.01 * np.sum(upstream, axis=0, keepdims=True)
        return back

net = [Layer(8, 9, False), Layer(9, 7, False), Layer(7, 4, True)]
for k in range(30):
    x = X[k : k + 1]
    for layer in net:
        x = layer.forward(x)
    upstream = x - Y[k : k + 1]
    for layer in reversed(net):
        upstream = layer.backward(upstream)
"""
    said = examined(tmp_path, text)
    assert {(f["at"], f["line"]) for f in said["findings"]} == {("db1", 19), ("db2", 19)}
    assert all("what lies between is left out" in f["explanation"] for f in said["findings"])


def test_one_derivative_left_out_beside_a_sum_for_a_mean(tmp_path):
    """With the derivative put in, these gradients are not right yet, and the report says so."""
    text = """
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(4, 2)), np.array([[0.0], [0], [0], [1]])
W1, W2 = rng.normal(size=(3, 2)), rng.normal(size=(1, 3))
b1, b2 = rng.normal(size=3), rng.normal(size=1)
f, slope = lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)
for _ in range(200):
    z1 = W1 @ X.T + b1[:, None]
    a1 = f(z1)
    a2 = f(W2 @ a1 + b2[:, None])
    print(np.mean((y.T - a2) ** 2) / 2)
    d2 = a2 - y.T
    d1 = W2.T @ d2 * slope(z1)
    W1 -= 0.01 * d1 @ X
    W2 -= 0.01 * d2 @ a1.T
    b1 -= 0.01 * d1.mean(1)
    b2 -= 0.01 * d2.mean(1)
"""
    said = {f["at"]: f["explanation"].partition(", and ")[2][:7] for f in examined(tmp_path, text)["findings"]}
    assert said == {"dW1": "4 times", "dW2": "4 times", "db1": "right w", "db2": "right w"}


def test_a_constant_is_wrong_where_it_comes_in(tmp_path):
    """Not where the gradients are made of what has it already."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 1))
W, b, V = rng.normal(size=(4, 5)), np.zeros(5), rng.normal(size=(5, 1))
for _ in range(9):
    h = np.tanh(X @ W + b)
    mask = rng.random(h.shape) < 0.8
    a = h * mask / 0.8
    e = a @ V - y
    print(np.mean(e ** 2))
    de = 2 * e / 20
    da = de @ V.T
    dh = da * mask / 0.8
    dz = dh * (1 - h ** 2)
    dV, dW, db = a.T @ de, X.T @ dz, dz.sum(0)
    W -= 0.1 * dW
    b -= 0.1 * db
    V -= 0.1 * dV
"""
    said = examined(tmp_path, text.replace("dh = da * mask / 0.8", "dh = da * mask"))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [
        ("dW", "wrong-scale", 14), ("db", "wrong-scale", 14)
    ]  # fmt: skip


def test_an_error_that_comes_back_through_stepped_weights_is_made_where_it_is_multiplied(tmp_path):
    """One error makes the steps of a bias and, column by column, of its weights: both are off by the same share."""
    text = """
import numpy as np
np.random.seed(0)
sizes = [1, 5, 8, 1]
W = [np.random.uniform(0, 1, (sizes[i + 1], sizes[i])) for i in range(3)]
b = [np.random.uniform(0, 1, sizes[i + 1]) for i in range(3)]
for epoch in range(20):
    for x in np.linspace(-3, 3, 40):
        A = [np.array([x])]
        for k in range(3):
            z = W[k] @ A[-1] + b[k]
            A.append(np.where(z < 0, 0, z) if k < 2 else z)
        e = A[-1] - np.array([np.sin(x)])
        for k in range(2, -1, -1):
            b[k] = b[k] - 0.01 * e
            for j in range(W[k].shape[1]):
                W[k][:, j] = W[k][:, j] - 0.01 * A[k][j] * e
            e = np.diag(np.where(A[k] > 0, 1, 0)) @ W[k].T @ e
"""
    said = examined(tmp_path, text)
    off = {p["name"]: p["relative_error"] for p in said["parameters"]}
    assert [name for name, error in off.items() if error > 1e-6] == ["W1", "b1", "W2", "b2"]
    assert off["b2"] == pytest.approx(off["W2"], 1e-6)
    assert {(f["at"], f["code"]) for f in said["findings"]} == {
        ("dZ2", "weights-already-updated"), ("dZ1", "weights-already-updated")
    }  # fmt: skip


def test_an_error_whose_rows_are_made_one_by_one_is_not_blamed(tmp_path):
    """What goes forward row by row goes back as a whole, and right up to the slope."""
    text = """
import numpy as np
rng = np.random.RandomState(0)
x, y = rng.randn(12, 5), np.eye(4)[np.arange(12) % 4]
V, W, b = rng.randn(5, 6), rng.randn(6, 4), np.zeros(4)
for k in range(9):
    h, p = np.zeros((12, 6)), np.zeros((12, 4))
    for t in range(12):
        h[t] = 1 / (1 + np.exp(-np.dot(x[t], V)))
        z = np.exp(np.dot(h[t], W) + b)
        p[t] = z / np.sum(z)
    print(-np.sum(y * np.log(p)))
    d = p - y
    up = d @ W.T
    gV = x.T @ (up * 1.3 * h)
    gW, gb = h.T @ d, d.sum(axis=0)
    V -= 0.01 * gV
    W -= 0.01 * gW
    b -= 0.01 * gb
"""
    said = examined(tmp_path, text)
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dV", 15)]


def test_what_a_block_forgets_is_named_in_the_block_and_not_in_its_layers(tmp_path):
    text = """
import numpy as np
class Linear:
    def __init__(self, i, o): self.W = rng.normal(size=(i, o)) * 0.5
    def forward(self, x): self.x = x; return x @ self.W
    def backward(self, g):
        self.g = self.x.T @ g
        return g @ self.W.T
class Residual:
    def __init__(self, d): self.a, self.b = Linear(d, d), Linear(d, d)
    def forward(self, x):
        self.h = np.tanh(self.a.forward(x))
        return x + self.b.forward(self.h)
    def backward(self, g):
        d = self.a.backward(self.b.backward(g) * (1 - self.h ** 2))
        return g + d
rng = np.random.default_rng(1)
first, block, last = Linear(4, 3), Residual(3), Linear(3, 1)
X, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 1))
for step in range(9):
    e = last.forward(block.forward(first.forward(X))) - y
    loss = (e ** 2).mean()
    first.backward(block.backward(last.backward(2 * e / 9)))
    for layer in (first, block.a, block.b, last): layer.W = layer.W - 0.05 * layer.g
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("return g + d", "return d"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dfirst.W", 15)]


def test_a_sign_that_comes_in_with_the_step_is_told_there(tmp_path):
    text = PLAIN.replace("W2 -= ", "W2 -= -")
    assert text != PLAIN
    said = examined(tmp_path, text)
    (finding,) = said["findings"]
    assert (finding["code"], text.splitlines()[finding["line"] - 1].count("W2 -= -")) == ("wrong-sign", 1)
    with_momentum = PLAIN.replace("for _", "M = [np.zeros_like(w) for w in (W1, b1, W2, b2)]\nfor _")
    with_momentum = re.sub(
        r"    W1 -= (.*\n)*",
        "    for k, (w, g) in enumerate(zip((W1, b1, W2, b2), (dW1, db1, dW2, db2))):\n"
        "        M[k] = 0.9 * M[k] + 0.1 * g\n        w -= M[k]\n",
        with_momentum,
    )
    assert examined(tmp_path, with_momentum)["verdict"] == "right"
    (finding,) = examined(tmp_path, with_momentum.replace("w -=", "w +="))["findings"]
    assert (finding["code"], finding["line"]) == ("wrong-sign", len(with_momentum.splitlines()))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (("error * slope", "slope"), 11),
        (("d2.dot(W2.T) * slope", "W2.T * slope"), 12),
    ],
    ids=["no error", "no error of the layer above"],
)
def test_a_right_slope_is_not_what_is_wrong(tmp_path, wrong, line):
    """It is taken for an error where its function is called."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
def sigmoid(z): return 1 / (1 + np.exp(-z))
def slope(a): return a * (1 - a)
X, Y, W1, W2 = rng.normal(size=(4, 2)), rng.random((4, 1)), rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
for i in range(9):
    a1 = sigmoid(X @ W1)
    a2 = sigmoid(a1 @ W2)
    error = 2 * (a2 - Y) / 4; loss = np.mean((Y - a2) ** 2)
    d2 = error * slope(a2)
    d1 = d2.dot(W2.T) * slope(a1)
    W2 -= a1.T.dot(d2)
    W1 -= X.T.dot(d1)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    of_scores = text.replace("slope(a): return a * (1 - a)", "slope(z): return sigmoid(z) * (1 - sigmoid(z))")
    of_scores = of_scores.replace("* slope(a2)", "* slope(a1 @ W2)").replace("* slope(a1)", "* slope(X @ W1)")
    for right in (text, of_scores):
        said = examined(tmp_path, right.replace(*wrong))
        assert {f["line"] for f in said["findings"]} == {line}


def test_one_step_of_a_right_error_has_another_sign(tmp_path):
    """Beside a constant of all, and without biases: of the error of that layer the others are made, and are right."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y, W1, W2 = rng.normal(size=(3, 2)), rng.random((3, 1)), rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
for i in range(9):
    a1 = np.tanh(X @ W1)
    a2 = np.tanh(a1 @ W2)
    loss = np.mean((Y - a2) ** 2)
    d2 = (Y - a2) * (1 - a2 ** 2)
    d1 = d2.dot(W2.T) * (1 - a1 ** 2)
    W1 += X.T.dot(d1)
    W2 -= a1.T.dot(d2)
"""
    assert [(f["at"], f["code"]) for f in examined(tmp_path, text)["findings"]] == [
        ("loss", "wrong-scale"), ("dW2", "wrong-sign")
    ]  # fmt: skip


def test_a_constant_once_too_often_before_a_penalty(tmp_path):
    """The error's constant is no other penalty, and it came in where it was divided by, not in the layer above."""
    text = PLAIN.replace("dZ2 = (P - Y) / 9", "dZ2 = P - Y\n    dZ2 /= 9").replace("(1 - A1 ** 2)", "(1 - A1 ** 2) / 9")
    text = text.replace("np.log(P)) / 9", "np.log(P)) / 9 + 0.05 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))")
    text = text.replace("A1.T @ dZ2,", "A1.T @ dZ2 + 0.1 * W2,").replace("X.T @ dZ1,", "X.T @ dZ1 + 0.1 * W1,")
    (finding,) = examined(tmp_path, text, mend=5)["findings"]
    assert (finding["at"], finding["code"], finding["line"]) == ("dZ1", "wrong-scale", 14)
    assert finding["instead"] == "(dZ2 @ W2.T) * (1 - A1 ** 2)"


def test_a_constant_that_one_sum_of_several_has_not(tmp_path):
    """What all are made of has it, too, and is right where it is divided by in the end."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(7, 4)), np.eye(3)[np.arange(7) % 3]
W, b, V = rng.normal(size=(4, 5)), np.zeros((1, 5)), rng.normal(size=(5, 3))
for step in range(9):
    H = np.tanh(X @ W + b)
    E = np.exp(H @ V)
    P = E / E.sum(axis=1, keepdims=True)
    print(-np.sum(np.log(P) * Y) / 7)
    dW, db, dV = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V)
    for k in range(7):
        d2 = (P - Y)[k].reshape(1, -1)
        dV += np.dot(H[k].reshape(-1, 1), d2)
        d1 = np.dot(d2, V.T) * (1 - H[k].reshape(1, -1) ** 2)
        dW += np.dot(X[k].reshape(-1, 1), d1)
        db += d1
    dW, dV = dW / 7, dV / 7
    W, b, V = W - 0.1 * dW, b - 0.1 * db, V - 0.1 * dV
"""
    (finding,) = examined(tmp_path, text)["findings"]
    assert (finding["code"], finding["line"]) == ("wrong-scale", 17)


IN_A_LOOP = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(30, 6)), rng.integers(0, 2, size=(30, 1))
sizes = 6, 5, 4, 1
W = [rng.normal(size=size) for size in zip(sizes, sizes[1:])]
b = [np.zeros(size) for size in sizes[1:]]
for epoch in range(20):
    A = [X]
    for k in range(3):
        A.append(1 / (1 + np.exp(-(A[-1] @ W[k] + b[k]))))
    print(7 * np.mean(-y * np.log(A[3]) - (1 - y) * np.log(1 - A[3])))
    d = A[3] - y
    for k in (2, 1, 0):
        dW, db = A[k].T @ d, d.sum(0)
        d = d @ W[k].T * A[k] * (1 - A[k])
        W[k] = W[k] - 0.1 * dW
        b[k] = b[k] - 0.1 * db
"""


def test_one_line_of_several_layers_is_shown_once(tmp_path):
    """A sign that stands where all weights are stepped is none of an error that all right biases would have undone."""
    (tmp_path / "net.py").write_text(IN_A_LOOP.replace("- 0.1 * dW", "+ 0.1 * dW"))
    report = verdict(tmp_path / "net.py", tmp_path)
    found = [(f.at, f.code, place.line) for f, place in zip(report.findings, report.places, strict=True)]
    assert [f for f in found if f[1] != "wrong-scale"] == [(f"dW{n}", "wrong-sign", 17) for n in (3, 2, 1)]
    assert "error[wrong-sign]: dW3, dW2, dW1\n" in str(report)
    assert str(report).count("uphill") == 1


HANDED_ON = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 50)), rng.integers(0, 2, size=(1, 50))
W1, W2 = rng.normal(size=(4, 6)), rng.normal(size=(1, 4))
def through(dZ, A, W):
    dA = W.T @ dZ
    return dA, dZ @ A.T / 50
def backward(dA, A, W, Z):
    dZ = dA * (Z > 0)
    return through(dZ, A, W)
for i in range(30):
    Z1 = W1 @ X
    A1 = np.maximum(0, Z1)
    P = 1 / (1 + np.exp(-(W2 @ A1)))
    print(-np.mean(Y * np.log(P) + (1 - Y) * np.log(1 - P)))
    dA1, dW2 = through(P - Y, A1, W2)
    _, dW1 = backward(dA1, X, W1, Z1)
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""


@pytest.mark.parametrize(("right", "other", "line"), [
    ("through(dZ, A, W)\nfor", "through(dA, A, W)\nfor", 11),
    ("return dA, dZ @ A.T / 50", "return dZ, dZ @ A.T / 50", 8),
])  # fmt: skip
def test_what_a_function_returns_in_the_place_of_what_it_has_made(tmp_path, right, other, line):
    """A derivative that is right, and that nothing uses: the line that takes the other array is right as it stands."""
    assert examined_once(HANDED_ON)["verdict"] == "right"
    said = examined(tmp_path, HANDED_ON.replace(right, other))
    assert {f["line"] for f in said["findings"]} == {line}


def test_a_return_beside_a_right_derivative_that_nothing_uses_is_not_accused(tmp_path):
    """The mistake is another one, in the same function."""
    text = HANDED_ON.replace("    dZ = dA * (Z > 0)\n", "    right = dA * (Z > 0)\n    dZ = dA * Z\n")
    said = examined(tmp_path, text)
    assert [f["line"] for f in said["findings"]] == [11]


BLOCKS = """
import numpy as np
rng = np.random.default_rng(0)
class Linear:
    def __init__(self, n, m):
        self.W, self.b = rng.normal(0, 0.4, (n, m)), np.zeros(m)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, d):
        x, d2 = self.x.reshape(-1, self.x.shape[-1]), d.reshape(-1, d.shape[-1])
        self.dW, self.db = x.T @ d2, d2.sum(axis=0)
        return d @ self.W.T
class Norm:
    def forward(self, x):
        self.inv = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        self.xhat = (x - x.mean(axis=-1, keepdims=True)) * self.inv
        return self.xhat
    def backward(self, g):
        own = g - g.mean(axis=-1, keepdims=True)
        return self.inv * (own - self.xhat * (g * self.xhat).mean(axis=-1, keepdims=True))
class Attention:
    def __init__(self, n):
        self.q, self.k, self.v = Linear(n, n), Linear(n, n), Linear(n, n)
        self.scale = np.sqrt(n)
    def forward(self, h):
        self.Q, self.K, self.V = self.q.forward(h), self.k.forward(h), self.v.forward(h)
        S = self.Q @ self.K.transpose(0, 2, 1)
        S = S / self.scale
        e = np.exp(S - S.max(axis=-1, keepdims=True))
        self.A = e / e.sum(axis=-1, keepdims=True)
        return self.A @ self.V
    def backward(self, d):
        dV, dA = self.A.transpose(0, 2, 1) @ d, d @ self.V.transpose(0, 2, 1)
        dS = self.A * (dA - (dA * self.A).sum(axis=-1, keepdims=True))
        dS = dS / self.scale
        dQ, dK = dS @ self.K, dS.transpose(0, 2, 1) @ self.Q
        dh = self.v.backward(dV)
        return dh + self.q.backward(dQ) + self.k.backward(dK)
class Block:
    def __init__(self, n):
        self.parts = {"norm": Norm(), "attention": Attention(n), "feed": Linear(n, n)}
    def forward(self, x):
        n, a, f = self.parts.values()
        h = x + a.forward(n.forward(x))
        return h + f.forward(np.tanh(h))
    def backward(self, d):
        n, a, f = self.parts.values()
        d = d + f.backward(d) * (1 - np.tanh(self.h) ** 2)
        return d + n.backward(a.backward(d))
first, block, last = Linear(3, 4), Block(4), Linear(4, 3)
X, Y = rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 5, 3))
for step in range(20):
    x = first.forward(X)
    out = last.forward(block.forward(x))
    print(np.mean((out - Y) ** 2))
    first.backward(block.backward(last.backward(2 * (out - Y) / out.size)))
    for layer in (first, *vars(block.parts["attention"]).values(), block.parts["feed"], last):
        if isinstance(layer, Linear):
            layer.W -= 0.1 * layer.dW
            layer.b -= 0.1 * layer.db
""".replace("        return h + f.forward(np.tanh(h))", "        self.h = h\n        return h + f.forward(np.tanh(h))")


@pytest.mark.parametrize(
    ("line", "change", "accused"),
    [
        ("        dS = dS / self.scale\n", "        pass\n", "dQ, dK = dS @"),
        ("return d + n.backward(", "return n.backward(", "return n.backward("),
        ("d = d + f.backward(", "d = f.backward(", "d = f.backward("),
    ],
    ids=["scale", "around a normalisation", "around a layer"],
)
def test_what_a_block_leaves_out_is_no_fault_of_its_layers(tmp_path, line, change, accused):
    """By which other gradients are right; and a gradient that is 0, of the keys' bias, says nothing of constants."""
    said = examined_once(BLOCKS)
    names = {p["name"] for p in said["parameters"]}
    assert said["verdict"] == "right"
    assert {"first.W", "block.parts['attention'].k.b", "block.parts['feed'].W"} <= names
    text = BLOCKS.replace(line, change)
    said = examined(tmp_path, text)
    (number,) = (k for k, of_text in enumerate(text.splitlines(), 1) if accused in of_text)
    assert {f["line"] for f in said["findings"]} == {number}


OF_VIEWS = """
import numpy as np
rng = np.random.default_rng(0)
W1, b1, W2, b2 = rng.normal(size=(4, 6)), np.zeros(6), rng.normal(size=(6, 3)), np.zeros(3)
X, Y = rng.normal(size=(20, 4)), np.eye(3)[np.arange(20) % 3]
class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out
    def backward(self, dout):
        dout[self.mask] = 0
        return dout
relu = Relu()
for step in range(20):
    A = relu.forward((X @ W1 + b1).reshape(20, 2, 3)).reshape(20, 6)
    E = np.exp(A @ W2 + b2)
    P = E / E.sum(1, keepdims=True)
    print(-np.sum(Y * np.log(P)) / 20)
    d = (P - Y) / 20
    dW2, db2 = A.T @ d, d.sum(0)
    d = d @ W2.T
    d = relu.backward(d.reshape(20, 2, 3)).reshape(20, 6)
    dW1 = X.T @ d
    db1 = d.sum(0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
"""


def test_what_a_view_writes_back_to_its_array_is_no_result_that_is_not_returned(tmp_path):
    assert examined(tmp_path, OF_VIEWS)["verdict"] == "right"
    (finding,) = examined(tmp_path, OF_VIEWS.replace("dW1 = X.T @ d", "dW1 = X.T @ (d * np.abs(d))"))["findings"]
    assert (finding["at"], finding["line"]) == ("dW1", 25)


def test_what_is_0_is_shown_where_it_becomes_so(tmp_path):
    outer = "P[:, :, None] * P[:, None] - np.einsum('ij,ik->ijk', P, P)"
    text = re.sub(r" \+ b\d|    b\d -= 0.1 \* db\d\n", "", PLAIN)
    text = text.replace("(P - Y) / 9", f"np.einsum('ij,ijk->ik', -Y / P / 9, {outer})")
    assert {(f["code"], f["line"]) for f in examined(tmp_path, text)["findings"]} == {("zero", 11)}


WINDOWS_OVERLAP = """
import numpy as np
class Conv:
    def __init__(self, channels, filters, size):
        self.size, self.W = size, np.random.randn(filters, channels, size, size)
    def forward(self, x):
        self.x, k = x, self.size
        out = np.zeros((len(x), len(self.W), x.shape[2] - k + 1, x.shape[3] - k + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = np.tensordot(x[:, :, i:i + k, j:j + k], self.W, axes=([1, 2, 3], [1, 2, 3]))
        return out
    def backward(self, d):
        dx, k = np.zeros(self.x.shape), self.size
        self.dW = np.zeros_like(self.W)
        for n, f, i, j in np.ndindex(*d.shape):
            value = d[n, f, i, j]
            dx[n, :, i:i + k, j:j + k] += value * self.W[f]
            self.dW[f] += value * self.x[n, :, i:i + k, j:j + k]
        return dx
"""


def test_an_entry_of_a_right_array_is_no_part_of_one(tmp_path):
    """Where windows that overlap are written over, and not added up."""
    assert examined(tmp_path, WINDOWS_OVERLAP)["verdict"] == "right"
    (finding,) = examined(tmp_path, WINDOWS_OVERLAP.replace("+= value * self.W", "= value * self.W"))["findings"]
    assert (finding["at"], finding["line"]) == ("dx", 18)


def test_an_error_without_its_slope_goes_back_through_weights_that_were_stepped(tmp_path):
    """Two mistakes in one line: Ŷ − Y is handed on, by the weights after their step."""
    text = functools.reduce(lambda text, change: text.replace(*change), SENT_BACK.items(), PLAIN)
    step = "    W2 -= 0.1 * dW2\n"
    text = text.replace(step, "").replace("    dZ1 =", f"{step}    dZ1 =")
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [
        ("dZ1", "missing-output-derivative", 14),
        ("dZ1", "weights-already-updated", 14),
    ]
    assert "((Ŷ − Y) (W2 after its update))" in said["findings"][0]["explanation"]


def test_what_may_be_wrong_is_noted_first(tmp_path):
    """Of many notes a terminal shows some."""
    said = examined(tmp_path, PLAIN.replace("b1 -= 0.1 * db1", "b1 -= db1").replace("for _", "None.nothing\nfor _"))
    assert [note.partition(":")[0] for note in said["notes"]] == ["rates of their own", "line 6"]


SUMS_OF_EXAMPLES = """
import numpy as np
np.random.seed(0)
X = np.random.random((11, 1))
Y = np.sin(X)
sizes = [1, 6, 1]
w = {k: np.random.randn(sizes[k], sizes[k - 1]) for k in (1, 2)}
b = {k: np.zeros((sizes[k], 1)) for k in (1, 2)}
for epoch in range(200):
    dw, db = ({k: np.zeros_like(of[k]) for k in of} for of in (w, b))
    loss = 0
    for i in range(11):
        h = {0: X[i].reshape(1, 1)}
        for k in (1, 2):
            h[k] = np.tanh(w[k] @ h[k - 1] + b[k])
        loss += np.sum((h[2] - Y[i]) ** 2) / 2
        g = h[2] - Y[i]
        for k in (2, 1):
            g = g * (1 - h[k] ** 2)
            dw[k] += g @ h[k - 1].T
            db[k] += g
            g = w[k].T @ g
    for k in w:
        dw[k] /= 11
        db[k] /= 11
        w[k] -= 0.1 * dw[k]
        b[k] -= 0.1 * db[k]
    print(loss / 11)
"""


def test_an_example_in_the_place_of_a_sum(tmp_path):
    """`=` for `+=` leaves no record: nothing is computed there."""
    assert examined(tmp_path, SUMS_OF_EXAMPLES)["verdict"] == "right"
    said = examined(tmp_path, SUMS_OF_EXAMPLES.replace("db[k] += g", "db[k] = g"), mend=60)
    assert {(f["at"], f["line"], f["instead"]) for f in said["findings"]} == {
        ("db1", 21, "db[k] += g"),
        ("db2", 21, "db[k] += g"),
    }
    assert all(f["explanation"].startswith("made of one of 11 examples alone, the last") for f in said["findings"])
    assert is_right(tmp_path)
    said = examined(tmp_path, SUMS_OF_EXAMPLES.replace("dw[k] += g", "dw[k] = g"))
    assert {(f["at"], f["line"]) for f in said["findings"]} == {("dW1", 20), ("dW2", 20)}


EXAMPLES_IN_A_LOOP = """
import numpy as np
from scipy.optimize import minimize
rng = np.random.RandomState(1)
X, Y = np.matrix(rng.rand(11, 6)), np.matrix(np.eye(3)[rng.randint(0, 3, 11)])
sigmoid = lambda z: 1 / (1 + np.exp(-z))
def cost(params, X, Y):
    A, B = np.matrix(np.reshape(params[:28], (4, 7))), np.matrix(np.reshape(params[28:], (3, 5)))
    a1 = np.insert(X, 0, values=np.ones(11), axis=1)
    z2 = a1 * A.T
    a2 = np.insert(sigmoid(z2), 0, values=np.ones(11), axis=1)
    h = sigmoid(a2 * B.T)
    J = 0
    for i in range(11):
        J += np.sum(np.multiply(-Y[i, :], np.log(h[i, :])) - np.multiply(1 - Y[i, :], np.log(1 - h[i, :])))
    dA, dB = np.zeros(A.shape), np.zeros(B.shape)
    for t in range(11):
        a1t, z2t, a2t = a1[t, :], np.insert(z2[t, :], 0, values=np.ones(1)), a2[t, :]
        d3 = h[t, :] - Y[t, :]
        d2 = np.multiply((B.T * d3.T).T, np.multiply(sigmoid(z2t), 1 - sigmoid(z2t)))
        dA = dA + d2[:, 1:].T * a1t
        dB = dB + d3.T * a2t
    return J / 11, np.concatenate((np.ravel(dA / 11), np.ravel(dB / 11)))
minimize(cost, rng.rand(43) - 0.5, args=(X, Y), method="TNC", jac=True)
"""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("np.multiply(sigmoid(z2t), 1 - sigmoid(z2t))", "z2t", 20),
        ("d3.T * a2t", "d3.T * (a2t + 1)", 22),
        ("(B.T * d3.T).T", "(B.T * d3.T).T + 1", 20),
    ],
)
def test_rows_that_a_loop_makes_are_known_where_the_forward_pass_has_all(tmp_path, old, new, line):
    assert examined_once(EXAMPLES_IN_A_LOOP)["verdict"] == "right"
    assert [f["line"] for f in examined(tmp_path, EXAMPLES_IN_A_LOOP.replace(old, new))["findings"]] == [line]


PIECES = """
import numpy as np
rng = np.random.default_rng(0)
X = np.c_[np.ones(30), rng.normal(size=(30, 4))]
y = (X[:, 1:2] > 0) * 1.0
w = rng.normal(size=5)
for _ in range(20):
    h = 1 / (1 + np.exp(-X.dot(w.reshape(-1, 1))))
    print(-np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + np.sum(w[1:] ** 2) / 60)
    g = np.zeros(5)
    g[0] = (h - y).sum() / 30
    g[1:] = X[:, 1:].T.dot(h - y).ravel() / 30 + w[1:] / 30
    w -= 0.1 * g
"""


@pytest.mark.parametrize(("right", "wrong"), [("T.dot(h - y)", "T.dot(h + y)"), ("(h - y).sum()", "(h + y).sum()")])
def test_of_a_gradient_that_is_written_in_pieces_the_wrong_one_is_named(tmp_path, right, wrong):
    assert examined_once(PIECES)["verdict"] == "right"
    (finding,) = examined(tmp_path, PIECES.replace(right, wrong))["findings"]
    assert wrong in finding["source"]


def test_a_number_that_is_read_twice_is_not_stepped_by_zeros(tmp_path):
    """As multipliers are, pair by pair (Platt 1998), which all begin as 0."""
    text = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(6, 7))
y, alpha, C = np.where(X[:, 0] > 0, 1, -1), np.zeros(6), 0.6
K = X @ X.T
errors = K @ (alpha * y) - y
for _ in range(40):
    i, j = rng.choice(6, 2, replace=False)
    a, c = alpha[i], alpha[j]
    low, high = (max(0, c - a), min(C, C + c - a)) if y[i] != y[j] else (max(0, a + c - C), min(C, a + c))
    new = np.clip(c - y[j] * (errors[i] - errors[j]) / (2 * K[i, j] - K[i, i] - K[j, j]), low, high)
    alpha[i], alpha[j] = a + y[i] * y[j] * (c - new), new
    errors = K @ (alpha * y) - y
"""
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


def test_an_array_of_zeros_is_right_whatever_constant_others_have(tmp_path):
    """Bits of 0 give a part of a gradient that is 0, by a right line, whose other parts are times −1."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
bits = rng.integers(2, size=(3, 1, 2))
goal = np.array([1., 0., 1.])
W, U, v = rng.normal(size=(2, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 1))
for _ in range(9):
    hs, ds, total = [np.zeros((1, 4))], [], 0
    for t in range(3):
        hs.append(np.tanh(bits[t] @ W + hs[-1] @ U))
        ds.append(goal[t] - hs[-1] @ v)
        total += abs(ds[-1].item())
    dW, dU, dv = np.zeros_like(W), np.zeros_like(U), np.zeros_like(v)
    back = np.zeros((1, 4))
    for t in reversed(range(3)):
        dv += hs[t + 1].T @ ds[t]
        back = (back @ U.T + ds[t] @ v.T) * (1 - hs[t + 1] ** 2)
        dU += hs[t].T @ back
        dW += bits[t].T @ back
    W += 0.1 * dW
    U += 0.1 * dU
    v += 0.1 * dv
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    found = examined(tmp_path, text.replace("(back @", "(back[:, ::-1] @"))["findings"]
    assert [(f["at"], f["line"]) for f in found] == [("dU", 17), ("dW", 17)]


GATED = """
import numpy as np
rng = np.random.default_rng(0)
n, x, Y = 4, rng.normal(size=(5, 3, 7)), rng.normal(size=(4, 7))
F, I, G, O = (rng.normal(size=(4, 7)) / 3 for _ in range(4))
sigmoid = lambda z: 1 / (1 + np.exp(-z))
def filled(h, x):
    both = np.zeros((7, 7))
    both[:n], both[n:] = h, x
    return both
for _ in range(20):
    h, c, kept = np.zeros((4, 7)), np.zeros((4, 7)), []
    for t in range(5):
        both, before = np.concatenate((h, x[t])), c
        f, i, g, o = sigmoid(F @ both), sigmoid(I @ both), np.tanh(G @ both), sigmoid(O @ both)
        c = f * c + i * g
        h = o * np.tanh(c)
        kept.append((both, before, f, i, g, o, c))
    loss = np.sum((h - Y) ** 2) / 2
    dh, dc, dF, dI, dG, dO = h - Y, 0 * h, 0 * F, 0 * I, 0 * G, 0 * O
    for both, before, f, i, g, o, c in reversed(kept):
        slope = 1 - np.tanh(c) ** 2
        do = dh * np.tanh(c) * o * (1 - o)
        dg = (dc * i + o * slope * i * dh) * (1 - g ** 2)
        di = (dc * g + o * slope * g * dh) * i * (1 - i)
        df = (dc * before + o * slope * before * dh) * f * (1 - f)
        dF += df @ both.T
        dI += di @ both.T
        dG += dg @ both.T
        dO += do @ both.T
        dc = dc * f + o * slope * f * dh
        dh = F[:, :n].T @ df + I[:, :n].T @ di + G[:, :n].T @ dg + O[:, :n].T @ do
    F -= 0.01 * dF
    I -= 0.01 * dI
    G -= 0.01 * dG
    O -= 0.01 * dO
"""


@pytest.mark.parametrize("joined", ["np.concatenate((h, x[t]))", "np.vstack([h, x[t]])", "filled(h, x[t])"])
@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [("i * (1 - i)", "i * (1 + i)", 25), ("(1 - g ** 2)", "(1 - g)", 24), ("I[:", "F[:", 32)],
)
def test_gates_that_are_made_of_what_is_joined_are_told_apart(tmp_path, right, wrong, line, joined):
    """What each sends back to the state is a piece of what it sends to [state, input]."""
    said = examined(tmp_path, GATED.replace(right, wrong).replace("np.concatenate((h, x[t]))", joined))
    assert {f["line"] for f in said["findings"]} == {line}
