"""Rows and entries: those that an example picks, and arrays that are stepped row by row or entry by entry."""

import re

import numpy as np
import pytest
from judging import PLAIN, examined, is_right

from jaxnet.compare.author.verdict import verdict

ENTRY_BY_ENTRY = """
import numpy as np
X, Y = np.random.randn(6, 3), np.random.randn(6, 2)
W1, W2 = np.random.randn(4, 3), np.random.randn(2, 4)
A1, A2 = np.empty(4), np.empty(2)
for _ in range(9):
    dW1, dW2 = np.zeros((4, 3)), np.zeros((2, 4))
    for x, y in zip(X, Y):
        for j in range(4):
            A1[j] = np.tanh(np.dot(W1[j], x))
        for k in range(2):
            A2[k] = np.dot(W2[k], A1)
        dW2 += np.outer(A2 - y, A1)
        dW1 += np.outer(np.dot(W2.T, A2 - y) * (1 - A1 ** 2), x)
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""


@pytest.mark.parametrize(("old", "new", "wrong"), [("", "", set()), (" * (1 - A1 ** 2)", "", {"W1"})])
def test_arrays_that_are_filled_entry_by_entry_for_each_example(tmp_path, old, new, wrong):
    """What they held before, of another example, is not part of the prediction."""
    said = examined(tmp_path, ENTRY_BY_ENTRY.replace(old, new))
    assert {p["name"] for p in said["parameters"] if not p["right"]} == wrong
    assert len(said["parameters"]) == 2


RATINGS = """
import numpy as np
rng = np.random.default_rng(0)
R = rng.integers(1, 6, size=(12, 9)).astype(float)
P, Q = rng.normal(scale=0.5, size=(12, 4)), rng.normal(scale=0.5, size=(9, 4))
total = 0.0
for u in range(12):
    for i in range(9):
        e = R[u, i] - P[u] @ Q[i]
        total += e ** 2 + 0.02 * (P[u] @ P[u] + Q[i] @ Q[i])
        p = P[u].copy()
        P[u] += 0.01 * (e * Q[i] - 0.02 * P[u])
        Q[i] += 0.01 * (e * p - 0.02 * Q[i])
print(total)
"""


def test_what_a_row_decays_by_is_no_rate(tmp_path):
    """It multiplies the row itself, and not what the step is made of."""
    said = examined(tmp_path, RATINGS)
    assert (said["verdict"], [round(f["scale"], 6) for f in said["findings"]]) == ("right-up-to-scale", [0.5])
    assert examined(tmp_path, RATINGS.replace("+= 0.01", "+= 2 * 0.01"))["verdict"] == "right"
    text = PLAIN.replace("b2 -= 0.1 * db2", "b2 = b2 - 0.1 * np.exp(b2) * db2").replace(
        "A1 @ W2 + b2", "A1 @ W2 + np.exp(b2)"
    )
    said = examined(tmp_path, text)  # but what is made of it in another way is
    assert said["verdict"] == "right"


MEAN_OF_WORDS = """
import numpy as np
rng = np.random.default_rng(0)
V, W = rng.uniform(-0.5, 0.5, size=(20, 6)), rng.normal(size=(20, 6))
text = rng.integers(0, 20, size=40)
for at in range(2, 38):
    target, context = text[at], [text[at - 2], text[at - 1], text[at + 1], text[at + 2]]
    h = np.mean(V[context], axis=0)
    p = 1 / (1 + np.exp(-W[target] @ h))
    print(-np.log(p))
    dh = (p - 1) * W[target] / 4
    W[target] -= 0.1 * (p - 1) * h
    for word in context:
        V[word] -= 0.1 * dh
"""


def test_rows_that_nothing_picks_say_nothing_of_those_that_are_picked(tmp_path):
    """Their gradient is 0 and they stay as they are: a constant that all other rows share is still wrong."""
    assert examined(tmp_path, MEAN_OF_WORDS)["verdict"] == "right"
    said = examined(tmp_path, MEAN_OF_WORDS.replace("W[target] / 4", "W[target]"))
    assert [(f["at"], f["code"], round(f["scale"])) for f in said["findings"]] == [("dV", "wrong-scale", 4)]


FACTORS = """
import numpy as np
np.random.seed(3)
P, Q = np.random.rand(2, 2), np.random.rand(3, 2)
ratings = [(0, 0, 5.0), (0, 1, 3.0), (1, 0, 4.0), (1, 2, 1.0)]
for epoch in range(9):
    total = 0
    for u, i, r in ratings:
        e = r - P[u] @ Q[i]
        total += e ** 2
        dP, dQ = -2 * e * Q[i], -2 * e * P[u]
        P[u] -= 0.01 * dP; Q[i] -= 0.01 * dQ
    print(total)
"""
NEXT_WORD = """
import numpy as np
np.random.seed(3)
words = [0, 1, 2, 0, 3, 1, 3, 2, 4, 0]
E, U = np.random.randn(5, 4) / 3, np.random.randn(4, 5) / 3
for epoch in range(9):
    total = 0
    for i, o in zip(words, words[1:]):
        h = E[i]
        p = np.exp(h @ U) / np.exp(h @ U).sum()
        total -= np.log(p[o])
        d = p.copy()
        d[o] -= 1
        dh = U @ d
        U -= 0.1 * np.outer(h, d)
        E[i] -= 0.1 * dh
    print(total)
"""


@pytest.mark.parametrize(("text", "signs"), [(FACTORS, ("P[u] -=", "Q[i] -=")), (NEXT_WORD, ("E[i] -=",))])
def test_rows_that_are_picked_by_plain_numbers(tmp_path, text, signs):
    """Each example steps other rows, which do not follow from those that the example before has stepped."""
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 2)
    for sign in signs:
        said = examined(tmp_path, text.replace(sign, sign.replace("-", "+")))
        assert [(f["at"], f["code"]) for f in said["findings"]] == [(f"d{sign[0]}", "wrong-sign")]


IN_ROWS = """
import numpy as np
def start():
    return {'W1': np.ones((2, 2)) * 0.1, 'b1': np.zeros((2, 1)), 'W2': np.ones((2, 1)) * 0.1, 'b2': np.zeros((1, 1))}
def sigmoid(z): return 1 / (1 + np.exp(-z))
def forward(x, P):
    A = sigmoid(P['W1'].T @ x + P['b1'])
    return (P['W2'].T @ A + P['b2'])[0][0], A
def step(P, y, p, A, x):
    d = [P['W2'][k][0] * A[k][0] * (1 - A[k][0]) for k in range(2)]
    P['W2'][0][0] = P['W2'][0][0] + 0.001 * 2 * (y - p) * A[0][0]
    P['W2'][1][0] = P['W2'][1][0] + 0.001 * 2 * (y - p) * A[1][0]
    P['b2'][0][0] = P['b2'][0][0] + 0.001 * 2 * (y - p)
    P['W1'][0][0] = P['W1'][0][0] + 0.001 * 2 * (y - p) * d[0] * x[0][0]
    P['W1'][0][1] = P['W1'][0][1] + 0.001 * 2 * (y - p) * d[1] * x[0][0]
    P['W1'][1][0] = P['W1'][1][0] + 0.001 * 2 * (y - p) * d[0] * x[1][0]
    P['W1'][1][1] = P['W1'][1][1] + 0.001 * 2 * (y - p) * d[1] * x[1][0]
    P['b1'][0][0] = P['b1'][0][0] + 0.001 * 2 * (y - p) * d[0]
    P['b1'][1][0] = P['b1'][1][0] + 0.001 * 2 * (y - p) * d[1]
data = np.array([[8, 8, 4], [7, 9, 5], [6, 10, 6], [5, 12, 7]])
P = start()
for j in range(4):
    p, A = forward(data[j, :2].reshape(2, 1), P)
    step(P, data[j, 2], p, A, data[j, :2].reshape(2, 1))
P = start()
for _ in range(5):
    for x in data:
        p, A = forward(x[:2].reshape(2, 1), P)
        step(P, x[2], p, A, x[:2].reshape(2, 1))
"""


def test_entries_of_rows_are_stepped_one_by_one(tmp_path):
    """`W[0][1] = W[0][1] + …` writes into a row, and so into the matrix. Of two networks the loop trains the second."""
    said = examined(tmp_path, IN_ROWS)
    assert (said["verdict"], said["network"]["output"]) == ("right", "identity")
    assert [p["name"] for p in said["parameters"]] == ["W1", "b1", "W2", "b2"]
    swapped = IN_ROWS.replace("d[1] * x[0][0]", "d[?]").replace("d[0] * x[1][0]", "d[1] * x[0][0]")
    swapped = swapped.replace("d[?]", "d[0] * x[1][0]")
    assert [(f["at"], f["code"]) for f in examined(tmp_path, swapped)["findings"]] == [("dW1", "transposed")]
    d = next(line for line in swapped.splitlines() if line.startswith("    d = "))
    late = swapped.replace(f"{d}\n", "").replace("    P['W1'][0][0] =", f"{d}\n    P['W1'][0][0] =")
    said = examined(tmp_path, late)
    assert [f["code"] for f in said["findings"]] == ["weights-already-updated", "transposed"]
    # By a loss that has another constant than the line of the step: the rate is 0.001 then, of right and of wrong ones.
    of_loss = late.replace("step(P, x[2], p, A,", "print((x[2] - p) ** 2)\n        step(P, x[2], p, A,")
    said = examined(tmp_path, of_loss)
    line = of_loss[: of_loss.index("    P['W1'][0][0] =")].count("\n") + 1
    assert [f["code"] for f in said["findings"]] == ["weights-already-updated", "transposed"]
    assert [f["line"] for f in said["findings"]] == [line - 1, line]


IN_LOOPS = """
import numpy as np
rng = np.random.default_rng(1)
X, Y, W1, W2 = (rng.normal(size=size) for size in ((2, 3), (2, 2), (3, 4), (4, 2)))
b1, b2 = np.zeros(4), np.zeros(2)
for _ in range(3):
    for x, y in zip(X, Y):
        h = np.tanh(x @ W1 + b1)
        d2 = h @ W2 + b2 - y
        d1 = np.array([sum(d2[k] * W2[j][k] for k in range(2)) for j in range(4)]) * (1 - h ** 2)
        for j in range(4):
            for k in range(2):
                W2[j][k] -= 0.05 * d2[k] * h[j]
        for k in range(2):
            b2[k] -= 0.05 * d2[k]
        for i in range(3):
            for j in range(4):
                W1[i][j] -= 0.05 * d1[j] * x[i]
        for j in range(4):
            b1[j] -= 0.05 * d1[j]
"""


def test_entries_are_stepped_in_loops_over_rows_and_columns(tmp_path):
    said = examined(tmp_path, IN_LOOPS)
    assert [p["name"] for p in said["parameters"] if p["right"]] == ["W1", "b1", "W2", "b2"]
    wrong = examined(tmp_path, IN_LOOPS.replace("* x[i]", "* x[2 - i]"))
    assert [p["name"] for p in wrong["parameters"] if not p["right"]] == ["W1"]
    d1 = next(line for line in IN_LOOPS.splitlines(keepends=True) if line.startswith("        d1 = "))
    late = IN_LOOPS.replace(d1, "").replace("        for i in", f"{d1}        for i in")
    said = examined(tmp_path, late)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "weights-already-updated")]


@pytest.mark.parametrize(
    "step",
    ["t0, t1 = t[0] - 0.02 * e.mean(), t[1] - 0.02 * GRADIENT; t = np.array([t0, t1])",
     "g = np.array([e.mean(), GRADIENT]); v = 0.9 * v + 0.1 * g; t = [t[0] - 0.1 * v[0], t[1] - 0.1 * v[1]]"],
)  # fmt: skip
@pytest.mark.parametrize("begin", ["np.zeros(2)", "[0.5, 0.25]"])
def test_entries_that_are_stepped_as_numbers(tmp_path, begin, step):
    """Of an array that is made anew of them, or by the entries of another one."""
    text = (
        "import numpy as np\nx = np.linspace(0, 5, 20)\ny, v = 3 + 2 * x, np.zeros(2)\n"
        f"t = {begin}\nfor _ in range(30):\n    e = t[0] + t[1] * x - y\n    print(np.mean(e ** 2) / 2)\n"
        + "".join(f"    {line}\n" for line in step.split("; "))
    )
    said = examined(tmp_path, text.replace("GRADIENT", "(e * x).mean()"))
    assert (said["verdict"], len(said["parameters"])) == ("right", 2)
    said = examined(tmp_path, text.replace("GRADIENT", "(e * (x - 1)).mean()"))
    assert [p["right"] for p in said["parameters"]] == [True, False]


FILLED_ANEW = """
import numpy as np
rng = np.random.default_rng(57)
X, y = rng.normal(size=(4, 3)), np.array([0.0, 1.0, 1.0, 0.0])
u, v, w = rng.normal(size=3), rng.normal(size=3), rng.normal(size=3)
out = np.zeros(3)
for _ in range(9):
    du, dv, dw = np.zeros(3), np.zeros(3), np.zeros(3)
    for k in range(4):
        out[0], out[1] = np.tanh(X[k] @ u), np.tanh(X[k] @ v)
        out[2] = w[0] + w[1:3] @ out[0:2]
        error = out[2] - y[k]
        dw[0] += error
        dw[1:] += error * out[:2]
        du += error * w[1] * (1 - out[0] ** 2) * X[k]
        dv += error * w[2] * (1 - out[1] ** 2) * X[k]
    u -= 0.1 * du
    v -= 0.1 * dv
    w -= 0.1 * dw
"""


def test_an_array_that_is_filled_anew_for_each_example(tmp_path):
    """A slice of it has nothing of what the others left in it: there are four examples, not one."""
    said = examined(tmp_path, FILLED_ANEW)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "squared-error")
    said = examined(tmp_path, FILLED_ANEW.replace("(1 - out[1] ** 2)", "(1 - out[1])"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["v"]


def test_rows_that_decay_where_they_are_picked(tmp_path):
    """Matrix factorisation with biases: of the rows of an example the gradient is judged, and the decay that all have.
    Examples that have no row in common are one step, and what they read of an array is what it was before."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
ratings = [(u, i, float(rng.integers(1, 6))) for u in range(3) for i in range(2)]
P, Q, b, c = rng.normal(size=(3, 2)), rng.normal(size=(2, 2)), np.zeros(3), np.zeros(2)
for _ in range(3):
    for u, i, r in ratings:
        e = r - (b[u] + c[i] + P[u] @ Q[i])
        b[u] += 0.01 * (e - 0.02 * b[u])
        c[i] += 0.01 * (e - 0.02 * c[i])
        P[u], Q[i] = P[u] + 0.01 * (e * Q[i] - 0.02 * P[u]), Q[i] + 0.01 * (e * P[u] - 0.02 * Q[i])
    print(np.mean([(r - b[u] - c[i] - P[u] @ Q[i]) ** 2 for u, i, r in ratings]))
"""
    mistakes = [("0.02 * Q[i]", "0.02 * Q[i - 1]", "Q"), ("e * Q[i]", "e * Q[i - 1]", "P")]
    for order, (right, wrong, name) in zip(("", "    rng.shuffle(ratings)\n"), mistakes, strict=True):
        shuffled = text.replace("    for u, i, r in ratings:\n", order + "    for u, i, r in ratings:\n")
        said = examined(tmp_path, shuffled)
        assert (said["verdict"], len(said["parameters"]), said["unjudged"]) == ("right", 4, [])
        assert ", with the weight penalty in your gradients" in said["truth"]
        assert examined(tmp_path, re.sub(r" - 0\.02 \* [^,)]+", "", shuffled))["verdict"] == "right"
        said = examined(tmp_path, shuffled.replace(right, wrong))
        assert [p["name"] for p in said["parameters"] if not p["right"]] == [name]


def test_rows_that_are_stepped_class_by_class(tmp_path):
    text = """
import numpy as np
np.random.seed(3)
X, y, W = np.random.randn(30, 4), np.arange(30) % 3, np.random.randn(3, 4) / 9
for epoch in range(20):
    total = 0
    for k in range(3):
        t = (y == k).astype(float)
        p = 1 / (1 + np.exp(-X @ W[k]))
        total -= np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
        W[k] -= 0.1 * X.T @ (p - t) / 30
    print(total)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("@ (p - t)", "@ (p - (k < 2) * t)"))
    assert (said["verdict"], said["findings"][0]["line"]) == ("wrong", 11)


PICKED = """
import numpy as np
rng = np.random.default_rng(56)
table, v = rng.normal(size=(20, 4)), rng.normal(size=4)
for k in range(9):
    words, y = (np.arange(5) * 3 + k) % 20, rng.normal(size=5)
    rows = table[words]
    e = rows @ v - y
    loss = np.sum(e ** 2) / 2
    v -= 0.1 * rows.T @ e
    table[words] -= 0.1 * np.outer(e, v + 0.1 * rows.T @ e)
"""


def test_rows_that_are_picked_once_hide_what_becomes_of_those_picked_twice(tmp_path):
    said = examined(tmp_path, PICKED)
    assert said["verdict"] == "right"
    assert [(u["line"], u["why"][:42]) for u in said["unjudged"]] == [
        (11, "whose rows are each picked once in this st")
    ]
    added = PICKED.replace("table[words] -= 0.1 *", "np.add.at(table, words, -0.1 *").replace(
        "rows.T @ e)\n", "rows.T @ e))\n"
    )
    assert (examined(tmp_path, added)["verdict"], examined(tmp_path, added)["unjudged"]) == ("right", [])
    twice = examined(tmp_path, PICKED.replace("* 3 + k", "// 2 + k"))
    assert [p["name"] for p in twice["parameters"] if not p["right"]] == ["table"]


# Rows of a table that are stepped one by one: an example's, a batch's, those of a whole epoch.
BAG_OF_WORDS = """
import numpy as np
np.random.seed(2)
table, W = np.random.randn(20, 4) / 2, np.random.randn(4, 3) / 2
texts, kinds = [np.random.randint(0, 20, 2 + k % 4) for k in range(30)], np.arange(30) % 3
for k in range(0, 30, 5):
    x, Y = texts[k:k + 5], np.eye(3)[kinds[k:k + 5]]
    H = np.array([table[words].mean(axis=0) for words in x])
    E = np.exp(H @ W)
    P = E / E.sum(1, keepdims=True)
    dZ = (P - Y) / 5
    dH = dZ @ W.T
    for words, d in zip(x, dH):
        np.add.at(table, words, -0.5 * d / len(words))
    W -= 0.5 * H.T @ dZ
"""


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ([], set()),
        ([("np.add.at", "np.subtract.at"), ("-0.5 * d", "0.5 * d")], set()),
        ([("np.add.at(table, words, -0.5", "for w in words:\n            table[w] -= (0.5")], set()),
        ([("/ len(words)", "")], {"table"}),
        ([("-0.5 * d / len", "-0.5 * d * len")], {"table"}),
        ([("H.T @ dZ", "H.T @ (dZ * P)")], {"W"}),
    ],
)  # fmt: skip
def test_rows_that_are_stepped_one_by_one(tmp_path, changes, wrong):
    text = BAG_OF_WORDS
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    said = examined(tmp_path, text)
    assert {p["name"]: p["right"] for p in said["parameters"]} == {p: p not in wrong for p in ("table", "W")}
    assert said["verdict"] == ("wrong" if wrong else "right")


def test_a_row_that_is_stepped_once_and_used_twice(tmp_path):
    """`table[words] -= …` keeps the last of what a word that stands there twice has to say."""
    text = BAG_OF_WORDS.replace(
        "np.add.at(table, words, -0.5 * d / len(words))", "table[words] -= 0.5 * d / len(words)"
    )
    text = text.replace("[np.random.randint(0, 20, 2 + k % 4)", "[np.array([k % 20, k % 7, 9, k % 7])")
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("dtable", "unknown", 14)]
    assert "line 14 steps a row once" in said["findings"][0]["explanation"]


ROWS_OF_LISTS = """
import numpy as np
rng = np.random.default_rng(0)
E = rng.normal(size=(10, 4)); W = rng.normal(size=(4, 2))
for s, l in [([0, 1, 2], 0), ([3, 4, 5], 1), ([2, 2, 3], 0), ([7, 7, 7], 1)] * 9:
    h = E[s].mean(0); z = h @ W; p = np.exp(z) / np.exp(z).sum()
    loss = -np.log(p[l])
    dz = p.copy(); dz[l] -= 1
    dh = W @ dz
    W -= .1 * np.outer(h, dz)
    E[s] -= .1 * dh / 3
"""


def test_rows_of_a_list_that_are_picked_once_are_noted(tmp_path):
    """In the third example row 2 is stepped once, not twice: nobody sees it in the first."""
    said = examined(tmp_path, ROWS_OF_LISTS)
    assert [(u["line"], u["why"][:27]) for u in said["unjudged"]] == [(11, "whose rows are each picked ")]


EACH_EXAMPLE = """
import numpy as np
np.random.seed(0)
X, T = np.random.randn(20, 2), np.random.rand(20, 2)
V, W = np.random.randn(2, 3), np.random.randn(3, 2)
for epoch in range(9):
    for x, t in zip(X, T):
        h = np.tanh(x @ V)
"""
ERROR_BY_ERROR = f"""{EACH_EXAMPLE}        y = h @ W
        old = W.copy()
        d = []
        for j in range(2):
            error = y[j] - t[j]
            d.append(error)
            for k in range(3):
                W[k, j] -= 0.1 * d[j] * h[k]
        sent = 0
        for k in range(3):
            back = np.sum(old[k] * d) * (1 - h[k] ** 2)
            sent += back * V[0, k]
            for i in range(2):
                V[i, k] -= 0.1 * back * x[i]
"""


@pytest.mark.parametrize(
    ("old", "new", "wrong"), [("", "", []), ("old[k]", "W[k]", ["W1"]), ("* h[k]", "* y[j]", ["W2"])]
)
def test_each_output_meets_its_own_label(tmp_path, old, new, wrong):
    said = examined(tmp_path, ERROR_BY_ERROR.replace(old, new) if old else ERROR_BY_ERROR)
    assert said["loss"]["name"] == "squared-error"
    assert "(no loss was found in these steps)" in said["truth"]  # what is sent further back is none
    assert [p["name"] for p in said["parameters"] if not p["right"]] == wrong


def test_where_entries_of_an_error_go_wrong(tmp_path):
    """Each is used by itself, and that they are right shows in the array that they are written into."""
    text = f"""{EACH_EXAMPLE}        y = np.tanh(h @ W)
        loss = 0.5 * np.sum((t - y) ** 2)
        d, dV = np.zeros(2), np.zeros((2, 3))
        for j in range(2):
            d[j] = (y[j] - t[j]) * (1 - y[j] ** 2)
        for k in range(3):
            back = 0
            for j in range(2):
                back += d[j] * W[k, j - 1]
            for i in range(2):
                dV[i, k] = back * (1 - h[k] ** 2) * x[i]
        W -= 0.1 * np.outer(h, d)
        V -= 0.1 * dV
"""
    (tmp_path / "net.py").write_text(text)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert report.frontier["W1"].wrong_from.source == "back += d[j] * W[k, j - 1]"
    assert np.all(report.parameters[0].given)  # and not what was there when the first entry had been written


@pytest.mark.parametrize(("error", "wrong"), [("p - y", []), ("(p - y) * p", ["W1", "b1"])])
def test_a_momentum_of_each_entry(tmp_path, error, wrong):
    """Entries of rows are read again: each is what was written there, whatever else the row has got by then."""
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 2)), np.eye(3)[rng.integers(0, 3, 40)]
W, b, v, u = rng.normal(size=(3, 2)), np.zeros(3), np.zeros((3, 2)), np.zeros(3)
for x, y in zip(X, Y):
    z = W @ x
    z += b
    p = np.exp(z) / np.exp(z).sum()
    loss = -np.sum(y * np.log(p))
    d = {error}
    for i in range(3):
        for j in range(2):
            v[i][j] = 0.9 * v[i][j] - 0.01 * d[i] * x[j]
            W[i][j] = W[i][j] + v[i][j]
        u[i] = 0.9 * u[i] - 0.01 * d[i]
        b[i] += u[i]
"""
    assert [p["name"] for p in examined(tmp_path, text)["parameters"] if not p["right"]] == wrong
    if not wrong:
        with pytest.raises(ValueError, match="in the second one the gradient of W is another one"):
            examined(tmp_path, text.replace("0.9 * ", ""))


STEPPED_BY_ENTRIES = """
import numpy as np
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
V, W = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
d, back = [0.0] * 3, W.copy()
for _ in range(3):
    for x, y in zip(X, Y):
        h = np.tanh(x @ V)
        p = h @ W
        loss = 0.5 * np.sum((p - y) ** 2)
        e = p - y
        d = [0.0] * 3
        back = W.copy()
        for i in range(3):
            for k in range(2):
                d[i] += back[i, k] * e[k] * (1 - h[i] ** 2)
        for i in range(3):
            for k in range(2):
                W[i, k] -= 0.1 * h[i] * e[k]
        for i in range(2):
            for j in range(3):
                V[i, j] -= 0.1 * x[i] * d[j]
"""


def test_the_second_step_by_entries_is_compared_too(tmp_path):
    """What is never set to 0 again, or is no more what the weights are, is right in the first step."""
    said = examined(tmp_path, STEPPED_BY_ENTRIES)
    assert (said["verdict"], said["findings"]) == ("right", [])  # 0.1 · x[i] has the rate
    for left_out in ("        d = [0.0] * 3\n", "        back = W.copy()\n"):
        with pytest.raises(ValueError, match="in the second one the gradient of V is another one"):
            examined(tmp_path, STEPPED_BY_ENTRIES.replace(left_out, ""))


def test_a_rate_that_an_entry_of_the_data_is_multiplied_by_is_no_part_of_the_gradient(tmp_path):
    said = examined(tmp_path, STEPPED_BY_ENTRIES.replace("0.1 * h[i] * e[k]", "0.1 * h[i] * e[0]"))
    assert [p["right"] for p in said["parameters"]] == [True, False]
    assert [f["at"] for f in said["findings"]] == ["dW2"]


@pytest.mark.parametrize(("write", "verdict_"), [("+=", "right"), ("=", "wrong")])
def test_a_sum_over_examples_of_which_the_last_one_is_left(tmp_path, write, verdict_):
    """The loss is that of all of them, whatever numbers the others' entries have left."""
    said = examined(tmp_path, f"""
import numpy as np
rng = np.random.default_rng(1)
X, Y, W = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
for _ in range(4):
    dW, loss = np.zeros_like(W), 0
    for n in range(4):
        e = X[n] @ W - Y[n]
        loss += 0.5 * (e @ e)
        for i in range(3):
            for k in range(2):
                dW[i, k] {write} X[n, i] * e[k]
    for i in range(3):
        for k in range(2):
            W[i, k] -= 0.05 * dW[i, k]
""")  # fmt: skip
    assert (said["verdict"], said["loss"]["from"]) == (verdict_, "source")


@pytest.mark.parametrize("shown", ["True", "t % 2"])
def test_rows_that_were_written_in_the_step_before_are_the_array(tmp_path, shown):
    """The bias is the first row: the second forward pass reads what the first step has written there."""
    text = f"""
import numpy as np
rng = np.random.default_rng(1)
X, Y, W = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
for t in range(9):
    P = X @ W[1:] + W[0]
    if {shown}:
        print(np.sum((P - Y) ** 2) / 2)
    W[1:] -= 0.1 * X.T @ (P - Y)
    W[0] -= 0.1 * np.sum(P - Y, axis=0)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert (
        examined(tmp_path, text.replace("np.sum(P - Y, axis=0)", "np.sum(P - Y, axis=0) * P[0]"))["verdict"] == "wrong"
    )


@pytest.mark.parametrize("loop", [
    "    for (i, k), g in np.ndenumerate(X.T @ D):\n        W[i, k] -= 0.1 * g * W[i, k]\n",
    "    G = eval(str((X.T @ D).tolist()))\n    for i, k in np.ndindex(3, 2):\n        W[i, k] -= 0.1 * G[k][k]\n\n",
])  # fmt: skip
def test_entries_that_are_stepped_by_what_has_left_the_record_are_not_passed_over(tmp_path, loop):
    text = (
        "import numpy as np\nrng = np.random.default_rng(1)\nX, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))\n"
        "W, b = rng.normal(size=(3, 2)), np.zeros(2)\nfor _ in range(9):\n    D = X @ W + b - Y\n"
        f"    print(np.sum(D ** 2) / 2)\n{loop}    b -= 0.1 * D.sum(0)\n"
    )
    with pytest.raises(ValueError, match=r"but what line (9|10)"):
        examined(tmp_path, text)
    frozen = text.replace(loop, "    W[0, 0] = 0.5\n")  # what is written there is no step
    assert examined(tmp_path, frozen)["verdict"] == "right"


def test_a_step_of_a_copy_that_is_thrown_away_is_none_to_be_accused(tmp_path):
    """The rows' gradients are right, and each row's copy is stepped alone: no row is trained."""
    text = """
import numpy as np
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
W, b = rng.normal(size=(2, 3)), np.zeros(2)
for t in range(5):
    for n in range(4):
        z = np.array([W[k] @ X[n] + b[k] for k in range(2)])
        loss = 0.5 * np.sum((z - Y[n]) ** 2)
        for k in range(2):
            e = z[k] - Y[n, k]
            row = W[k]COPY
            for j in range(3):
                row[j] = row[j] - 0.1 * e * X[n, j]
            b[k] = b[k] - 0.1 * e
"""
    assert examined(tmp_path, text.replace("COPY", ""))["verdict"] == "right"
    with pytest.raises(ValueError, match=r"line 14 of net\.py"):
        examined(tmp_path, text.replace("COPY", ".copy()"))


@pytest.mark.parametrize(("step", "verdict_"), [
    ("for i in range(3):\n        for k in range(2): W[i, k] -= 0.05 * dW[i, k] / 4", "right"),
    ("for i in range(3):\n        for k in range(2): W[i][k] = W[i][k] - dW[i][k] / 4 * 0.05", "right"),
    ("for k in range(2): W[:, k] -= 0.05 * (dW[:, k] / 4)", "right"),
    ("for i in range(3):\n        for k in range(2): W[i, k] -= 0.05 * dW[2 - i, k] / 4", None),
    ("for i in range(-1, 3): W[i] -= 0.05 * dW[i]", None),  # the last one twice
])  # fmt: skip
def test_an_array_is_the_gradient_where_its_entries_are_stepped_with_one_by_one(tmp_path, step, verdict_):
    """What the step divides by is then no constant of the gradient, as it is none of `W -= 0.05 * dW / 4`."""
    text = (
        "import numpy as np\nrng = np.random.default_rng(1)\nX, Y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))\n"
        "W = rng.normal(size=(3, 2))\nfor t in range(5):\n    dW, loss = np.zeros_like(W), 0\n    for n in range(4):\n"
        "        e = X[n] @ W - Y[n]\n        loss += 0.5 * (e @ e)\n        for i in range(3):\n"
        f"            for k in range(2): dW[i, k] += X[n, i] * e[k]\n    {step}\n"
    )
    if verdict_ is None:
        with pytest.raises(ValueError, match="and the step makes something else of it"):
            examined(tmp_path, text)
        return
    said = examined(tmp_path, text)
    assert (said["verdict"], said["findings"]) == (verdict_, [])


@pytest.mark.parametrize("mistake", ["", "momentum", "back"])
def test_entries_of_several_arrays_that_one_loop_writes_are_one_step(tmp_path, mistake):
    """A momentum beside each entry; and weights that are stepped in the loop that sends the error back through them."""
    text = """
import numpy as np
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
W1, W2, b = rng.normal(size=(2, 3)) / 2, rng.normal(size=(3, 2)) / 2, np.zeros(2)
V = np.zeros(2)
for t in range(3):
    for x, y in zip(X, Y):
        h = 1 / (1 + np.exp(-(x @ W1)))
        p = h @ W2 + b
        loss = 0.5 * np.sum((p - y) ** 2)
        d = p - y
        back = np.zeros(3)
        for i in range(3):
            for j in range(2):
                back[i] += W2[i, j] * d[j]
                W2[i, j] -= 0.3 * h[i] * d[j]
        dh = back * h * (1 - h)
        for i in range(2):
            for j in range(3):
                W1[i, j] -= 0.3 * x[i] * dh[j]
        for j in range(2):
            V[j] = 0.9 * V[j] - 0.3 * d[j]
            b[j] += V[j]
"""
    if mistake == "momentum":
        text = text.replace("0.3 * d[j]", "0.3 * d[j] * d[j]")
    elif mistake == "back":
        stepped = "                W2[i, j] -= 0.3 * h[i] * d[j]\n"
        text = text.replace(stepped, "").replace("                back[i] +=", f"{stepped}                back[i] +=")
    said = examined(tmp_path, text)
    wrong = {"": [], "momentum": ["b2"], "back": ["W1"]}[mistake]
    assert [p["name"] for p in said["parameters"] if not p["right"]] == wrong
    assert [p["name"] for p in said["parameters"]] == ["W1", "W2", "b2"]


def test_entries_that_are_stepped_with_the_error_twice_have_no_verdict(tmp_path):
    """However the step is read, with labels or without: the gradient is right, and the step makes something else of
    it, though it has the gradient's signs in this example."""
    text = """
import numpy as np
rng = np.random.default_rng(2)
X, Y, W, b, lr = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=(3, 2)), np.zeros(2), 0.1
for t in range(4):
    L = 0
    for x, y in zip(X, Y):
        e = x @ W + b - y
        L += 0.5 * e @ e
        dW = np.outer(x, e)
        for i in range(3):
            for k in range(2):
                W[i, k] -= lr * dW[i, k]TWICE
        for k in range(2): b[k] -= lr * e[k]
    print(L)
"""
    assert examined(tmp_path, text.replace("TWICE", ""))["verdict"] == "right"
    with pytest.raises(ValueError, match="and the step makes something else of it"):
        examined(tmp_path, text.replace("TWICE", " * e[k]"))


def test_a_row_that_is_a_view_of_what_is_stepped_makes_no_other_network(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
A, B = rng.normal(size=(6, 3)), rng.normal(size=(3, 6))
pairs = rng.integers(0, 6, (30, 2))
for epoch in range(3):
    loss = 0
    for i, j in pairs:
        h = A[i]
        p = 1 / (1 + np.exp(-h @ B[:, j]))
        loss += -np.log(p)
        dh = (p - 1) * B[:, j].copy()
        B[:, j] -= 0.1 * (p - 1) * h
        A[i] -= 0.1 * dh
    print(loss)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["unjudged"], len(said["parameters"])) == ("right", [], 2)


def test_rows_of_an_error_that_are_written_once_are_named(tmp_path):
    """Of a word that comes up twice one gradient would be lost: in the first steps none does."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
W = rng.normal(size=(9, 3))
for words in ([3, 1, 7], [2, 8, 4], [5, 0, 3], [1, 1, 2], [6, 2, 0]):
    words = np.array(words)
    e = W[words] - 1
    print(0.5 * np.sum(e ** 2))
    unique, inverse = np.unique(words, return_inverse=True)
    G = np.zeros((len(unique), 3))
    WRITE
    W[unique] -= 0.1 * G
"""
    said = examined(tmp_path, text.replace("WRITE", "G[inverse] = e"))
    assert [(u["line"], u["why"].partition(":")[0]) for u in said["unjudged"]] == [
        (11, "whose rows are each picked once in this step")
    ]
    assert examined(tmp_path, text.replace("WRITE", "np.add.at(G, inverse, e)"))["unjudged"] == []


FACTORISED = """
import random
import numpy as np
random.seed(0)
np.random.seed(0)
R = np.random.randint(0, 6, (12, 9)).astype(float)
P, Q = np.random.normal(scale=0.25, size=(12, 4)), np.random.normal(scale=0.25, size=(9, 4))
b, c, mean = np.zeros(12), np.zeros(9), R[R > 0].mean()
samples = [(i, j, R[i, j]) for i in range(12) for j in range(9) if R[i, j] > 0]
for epoch in range(9):
    random.shuffle(samples)
    for i, j, r in samples:
        e = r - (mean + b[i] + c[j] + P[i, :].dot(Q[j, :].T))
        b[i] += 0.01 * (e - 0.02 * b[i])
        c[j] += 0.01 * (e - 0.02 * c[j])
        p = P[i, :].copy()
        P[i, :] += 0.01 * (e * Q[j, :] - 0.02 * P[i, :])
        Q[j, :] += 0.01 * (e * p - 0.02 * Q[j, :])
"""


def test_rows_that_later_examples_of_a_step_use_again(tmp_path):
    """An example has a row that one before it has stepped: what stands there is no constant."""
    said = examined(tmp_path, FACTORISED)
    assert (said["verdict"], said["unjudged"], len(said["parameters"])) == ("right", [], 4)
    said = examined(tmp_path, FACTORISED.replace(".copy()", ""))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dQ", 18)]


def test_rows_that_are_picked_may_be_frozen(tmp_path):
    """Those of the first two words have no gradient, and have numbers."""
    text = """
import numpy as np
rng = np.random.default_rng(4)
E, V, words = rng.normal(size=(6, 3)) / 2, rng.normal(size=(3, 3)) / 2, rng.integers(0, 6, size=(14, 2))
Y = np.eye(3)[rng.integers(0, 3, 14)]
for _ in range(9):
    h = np.tanh(E[words].sum(1))
    p = np.exp(h @ V) / np.exp(h @ V).sum(1, keepdims=True)
    loss = -np.sum(Y * np.log(p)) / 14
    d = (p - Y) / 14
    dh = d @ V.T * (1 - h ** 2)
    dE = np.zeros_like(E)
    for n in range(14):
        for word in words[n]:
            if word > 1:
                dE[word] += dh[n]
    E, V = E - 0.5 * dE, V - 0.5 * h.T @ d
"""
    with pytest.raises(ValueError, match="some rows of E are picked, and have no gradient"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("if word > 1", "if True"))["verdict"] == "right"
    assert examined(tmp_path, text.replace("(1 - h ** 2)", "(1 - h)"))["verdict"] == "wrong"


ENTRIES = """
import numpy as np
np.random.seed(0)
X, y = np.random.randn(40, 3), np.random.rand(40, 1)
w = np.zeros(4)
for i in range(40):
    p = 1 / (1 + np.exp(-(X[i] @ w[1:] + w[0])))
    for j in range(3):
        w[j + 1] = w[j + 1] - 0.01 * (p - y[i]) * X[i, j]
    w[0] = w[0] - 0.01 * (p - y[i])
    print(-(y[i] * np.log(p) + (1 - y[i]) * np.log(1 - p)))
"""


def test_an_array_of_one_number_that_is_put_into_an_entry(tmp_path):
    assert examined(tmp_path, ENTRIES)["verdict"] == "right"
    assert examined(tmp_path, ENTRIES.replace("* X[i, j]", "* X[i, j] * p"))["verdict"] == "wrong"


def test_a_row_of_which_a_column_is_taken(tmp_path):
    """NumPy makes a square of both."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(5, 30))
Y, W = (X[:1] > 0) * 1.0, rng.normal(size=(5, 1)) / 9
for _ in range(9):
    P = 1 / (1 + np.exp(-W.T @ X))
    loss = -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P))
    W = W - 0.01 * (P - Y) @ X.T
"""
    assert [(f["at"], f["code"]) for f in examined(tmp_path, text)["findings"]] == [("dW", "transposed")]
    assert examined(tmp_path, text.replace("(P - Y) @ X.T", "X @ (P - Y).T"))["verdict"] == "right"


FLAT_ERROR = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(16, 2))
y = (X[:, 0] * X[:, 1] > 0) * 1.0
W1, b1, W2, b2 = rng.normal(size=(4, 2)), rng.normal(size=(4, 1)), rng.normal(size=(1, 4)), rng.normal(size=(1, 1))
for _ in range(9):
    A = np.tanh(X @ W1.T + b1.T)
    p = 1 / (1 + np.exp(-(A @ W2.T + b2.T).squeeze(axis=1)))
    e = p - y
    d2 = e[:, None]
    d1 = d2 @ W2 * (1 - A ** 2)
    W1 -= 0.01 * d1.T @ X
    b1 -= 0.01 * d1.sum(0)[:, None]
    W2 -= 0.01 * d2.T @ A
    b2 -= 0.01 * e.sum(keepdims=True)
"""


def test_the_errors_of_all_examples_in_a_vector(tmp_path):
    said = examined(tmp_path, FLAT_ERROR.replace(" * (1 - A ** 2)", ""), mend=60)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]
    assert is_right(tmp_path)


def test_a_sum_by_entries_that_is_kept_from_step_to_step(tmp_path):
    """The second step reads the entries that the first has written, and so it is one, as that of whole arrays is."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(4, 2)), rng.normal(size=4)
W, v, dW, dv = rng.normal(size=(2, 2)), rng.normal(size=2), np.zeros((2, 2)), np.zeros(2)
for epoch in range(20):
    for i in range(4):
        a = np.tanh(W @ X[i])
        e = a[0] * v[0] + a[1] * v[1] - y[i]
        dW += np.outer(e * v * (1 - a ** 2), X[i])
        dv[0] += e * a[0]
        dv[1] += e * a[1]
    for k in range(2):
        v[k] -= 0.1 * dv[k]
        W[k] -= 0.1 * dW[k]
    dW[:] = 0
    dv[:] = 0
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    kept = text.replace("    dv[:] = 0\n", "")
    assert [p["right"] for p in examined(tmp_path, kept)["parameters"]] == [True, False]


ONE_EXAMPLE = """import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 1))
W1, b1, W2, b2 = rng.normal(size=(4, 5)), np.zeros((1, 5)), rng.normal(size=(5, 1)), np.zeros((1, 1))
for i in range(30):
    x, y = X[i : i + 1], Y[i : i + 1]
    m = x.shape[0]
    h = np.tanh(x @ W1 + b1)
    e = h @ W2 + b2 - y
    d = e @ W2.T * (1 - h ** 2)
    print(np.mean(e ** 2) / 2)
    W2 = W2 - 0.01 * (h.T @ e / m)
    b2 = b2 - 0.01 * (e.sum(0, keepdims=True) / m)
    W1 = W1 - 0.01 * (x.T @ d / m)
    b1 = b1 - 0.01 * (d.sum(0, keepdims=True) / m)
"""


def test_a_mean_of_one_example_in_some_gradients_is_said(tmp_path):
    """By 1 the one who divides and the one who forgets to are both right."""
    assert not examined(tmp_path, ONE_EXAMPLE)["unjudged"]
    said = examined(tmp_path, ONE_EXAMPLE.replace("(e.sum(0, keepdims=True) / m)", "e.sum(0, keepdims=True)"))
    assert said["verdict"] == "right"
    assert [of["line"] for of in said["unjudged"]] == [14, 15, 12]
    assert all(of["why"].startswith("whose gradient is divided by 1 there, and not all") for of in said["unjudged"])


XOR = """import numpy as np
np.random.seed(0)
X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
W1, b1 = np.random.randn(4, 2), np.zeros(4)
W2, b2 = np.random.randn(1, 4), np.zeros(1)
for epoch in range(500):
    for x, y in zip(X, Y):
        x, y = np.array(x), np.array(y)
        z = W1 @ x + b1
        h = np.maximum(0, z)
        p = 1 / (1 + np.exp(-(W2 @ h + b2)))
        loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        d2 = p - y
        d1 = (W2.T @ d2) * (z > 0)
        W2 = W2 - 0.1 * np.outer(d2, h)
        b2 = b2 - 0.1 * d2
        W1 = W1 - 0.1 * np.outer(d1, x)
        b1 = b1 - 0.1 * d1
    print(loss)
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("(d2, h)", "(d2, h ** 2)", [("dW2", "unknown", 15)]),
        ("(d2, h)", "(d2, z)", [("dW2", "pre-activation-input", 15)]),
        ("b1 - 0.1", "b1 + 0.1", [("db1", "wrong-sign", 18)]),
        ("0.1 * np.outer(d1", "0.3 * np.outer(d1", []),
        ("", "", []),
    ],
)
def test_a_first_example_of_zeros_says_nothing_of_weights(tmp_path, old, new, found):
    """The table of XOR begins with one: no weight of the first layer has a gradient there, and others hardly any."""
    said = examined(tmp_path, XOR.replace(old, new, 1))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == found
    assert said["verdict"] == ("wrong" if found else "right")
    assert "in the second step" in said["truth"] if found else bool(said["notes"]) == bool(old)


@pytest.mark.parametrize("once", [True, False])
def test_an_optimiser_of_a_first_example_of_zeros(tmp_path, once):
    """One unit is alive there: all that an optimiser makes of its bias's gradient is a multiple of that. Gradients that
    are computed twice, for two moments, are held by nothing."""
    adam = XOR.replace("for epoch in", "m, v, t = {}, {}, 0\nfor epoch in").replace("d2 =", "t += 1\n        d2 =")
    for name, gradient in (("W2", "np.outer(d2, h)"), ("b2", "d2"), ("W1", "np.outer(d1, x)"), ("b1", "d1")):
        g = "g" if once else gradient
        moments = f"""m[{name!r}] = 0.9 * m.get({name!r}, 0) + 0.1 * {g}
        v[{name!r}] = 0.999 * v.get({name!r}, 0) + 0.001 * {g} ** 2
        m_hat, v_hat = m[{name!r}] / (1 - 0.9 ** t), v[{name!r}] / (1 - 0.999 ** t)
        {name} = {name} - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)"""
        moments = f"g = {gradient}\n        {moments}" if once else moments
        adam = adam.replace(f"{name} = {name} - 0.1 * {gradient}", moments)
    if once:
        assert examined(tmp_path, adam)["verdict"] == "right"
        assert examined(tmp_path, adam.replace("* (z > 0)", ""))["verdict"] == "wrong"
    else:
        with pytest.raises(ValueError, match="right if that is an optimiser's, and wrong if not"):
            examined(tmp_path, adam)


NEURONS = """
import numpy as np
np.random.seed(0)
class Neuron:
    def __init__(self, inputs):
        self.weights = np.random.normal(size=inputs + 1)
    def output(self, x):
        self.sum = np.dot(self.weights[:-1], x) + self.weights[-1]
        return np.tanh(self.sum)
hidden = [Neuron(6) for _ in range(4)]
last = [Neuron(4) for _ in range(3)]
def stepped(neurons, error, inputs):
    new = np.array([n.weights for n in neurons]) - 0.1 * np.column_stack((np.outer(error, inputs), error))
    for n, w in zip(neurons, new):
        n.weights = w
for epoch in range(9):
    for x in np.random.rand(5, 6):
        h = np.array([n.output(x) for n in hidden])
        out = np.array([n.output(h) for n in last])
        loss = 0.5 * np.sum((out - x[:3]) ** 2)
        d = (out - x[:3]) * (1 - out ** 2)
        back = np.array([n.weights[:-1] for n in last]).T @ d * (1 - h ** 2)
        stepped(last, d, h)
        stepped(hidden, back, x)
"""


@pytest.mark.parametrize(("old", "new", "wrong"), [("", "", []), (" * (1 - h ** 2)", "", ["dnew #2"])])
def test_neurons_whose_weights_are_rows_of_what_is_stepped(tmp_path, old, new, wrong):
    """All rows of an array, put together again in their order, are that array."""
    assert [f["at"] for f in examined(tmp_path, NEURONS.replace(old, new))["findings"]] == wrong
