"""Which data are labels, where the error begins that they make, and what differs where the loss has others."""

import re

import pytest
from judging import PERCEPTRON, PLAIN, SLOPE, examined


def test_labels_in_a_column_beside_a_prediction_that_is_none(tmp_path):
    text = PERCEPTRON.replace("np.arange(20) % 2", "np.arange(20).reshape(20, 1) % 2")
    text = text.replace("X.T.dot(y * (1 - T) - T * (1 - y))", "(X.T @ (y - T)).mean(1)")
    message = r"line 7 of net\.py makes 20×20 numbers of 20 and 20: one of them is a column"
    with pytest.raises(ValueError, match=message):
        examined(tmp_path, text)


def test_one_minus_the_labels_are_no_labels(tmp_path):
    assert examined(tmp_path, PERCEPTRON)["loss"]["name"] == "binary-cross-entropy"
    with pytest.raises(ValueError, match="no gradient is that of a loss"):
        examined(tmp_path, PERCEPTRON.replace("- T *", "+ T *"))


TABLE_BY_ROWS = """
import numpy as np
import pandas as pd
rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(60, 3)))
y = pd.Series((X[0] + X[1] > 0).astype(int))
w = np.zeros(3)
for i, row in X.iterrows():
    p = 1 / (1 + np.exp(-np.dot(row, w)))
    w = w - 0.01 * (p - y[i]) * row.values
"""


def test_a_label_that_a_table_holds(tmp_path):
    """It is a number of NumPy's, which nobody gave a name."""
    said = examined(tmp_path, TABLE_BY_ROWS)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "binary-cross-entropy")


ONE_LABEL = """
import numpy as np
np.random.seed(1)
W = np.array([row for row in np.random.randn(2, 3)], dtype=object)
b, v = np.zeros(3), np.random.randn(3)
def sigmoid(z): return 1 / (1 + np.exp(-z))
for _ in range(9):
    for x, label in [([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]:
        x = np.array(x)
        hidden = sigmoid(x @ W + b)
        out = sigmoid(hidden.dot(v))
        error = (out - label) * out * (1 - out)
        back = error * v * hidden * (1 - hidden)
        W -= 0.5 * np.outer(x, back)
        b -= 0.5 * back
        v -= 0.5 * error * hidden
"""


@pytest.mark.parametrize(("old", "verdict"), [("", "right"), (" * hidden * (1 - hidden)", "wrong")])
def test_a_label_may_be_a_plain_number(tmp_path, old, verdict):
    """And weights may be held as objects."""
    assert examined(tmp_path, ONE_LABEL.replace(old, "", 1))["verdict"] == verdict


@pytest.mark.parametrize(
    "loss",
    ["-np.sum(np.diag(Y.T @ np.log(P))) / 9", "-np.trace(Y.T @ np.log(P)) / 9", "-np.log(np.sum(Y * P, 1))"],
    ids=["diagonal", "trace", "example by example"],
)
def test_a_loss_that_labels_enter_in_another_way_than_the_error(tmp_path, loss):
    text = PLAIN.replace("-np.sum(Y * np.log(P)) / 9", loss)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"], said["loss"]["from"]) == ("right", "cross-entropy", "source")
    twice = "    D = dZ2\n    dZ2 = P * (D - np.sum(P * D, 1, keepdims=True))\n    dW2, db2"
    assert examined(tmp_path, text.replace("    dW2, db2", twice))["verdict"] == "wrong"


def test_a_bias_for_each_example_that_no_step_changes_is_no_label(tmp_path):
    """Nor is what a relu's derivative was written over the activation of."""
    kept = PLAIN.replace("np.zeros(3)\n", "np.random.randn(9, 3)\n").replace("    b2 -= 0.1 * db2\n", "")
    assert examined(tmp_path, kept)["verdict"] == "right"
    said = examined(tmp_path, kept.replace(*SLOPE))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]


def test_labels_that_do_not_add_up_to_one_accuse_nobody(tmp_path):
    """The error of a softmax is not ŷ − y then, and nobody meant such labels."""
    with pytest.raises(ValueError, match="the labels of an example do not add up to 1"):
        examined(tmp_path, PLAIN.replace("np.arange(9) % 3]", "np.arange(9) % 3] + np.eye(3)[1]"))


@pytest.mark.parametrize("each", ["3", "1"])
def test_the_loss_of_all_data_has_other_labels_than_the_errors_of_batches(tmp_path, each):
    """A part or a view of the labels are the same ones, and what is computed of them are others."""
    text = f"""
import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(9, 3))
y, w, b = (X[:, 0] > 0) * 1.0, rng.normal(size=3), 0.0
for _ in range(30):
    for s in range(0, 9, {each}):
        x = X[s : s + {each}]
        e = 1 / (1 + np.exp(-(x @ w + b))) - LABELS
        w, b = w - 0.1 * x.T @ e / {each}, b - 0.1 * e.mean()
    p = 1 / (1 + np.exp(-(X @ w + b)))
    print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
"""
    own = f"y[s : s + {each}]"
    assert examined(tmp_path, text.replace("LABELS", own))["verdict"] == "right"
    assert examined(tmp_path, text.replace("LABELS", f"y.reshape(9, 1)[s : s + {each}, 0]"))["verdict"] == "right"
    with pytest.raises(ValueError, match=r"with labels that line 9 of net\.py makes of those with which line 12"):
        examined(tmp_path, text.replace("LABELS", f"(1 - {own})"))
    with pytest.raises(ValueError, match="no verdict"):  # of signs it is the error of no probabilities
        examined(tmp_path, text.replace("LABELS", f"(2 * {own} - 1)"))


def test_a_mask_that_only_the_loss_has(tmp_path):
    """Masked in the number that is printed, and not in the gradient: nobody can say which of them is meant."""
    masked = PLAIN.replace("for _", "k, M = np.arange(9), np.arange(9) % 2\nfor _")
    masked = masked.replace("np.sum(Y * np.log(P))", "np.sum(M * np.log(P[k, k % 3]))")
    with pytest.raises(ValueError, match=r"line 11 of net\.py computes it with other weights for some examples"):
        examined(tmp_path, masked)
    assert examined(tmp_path, masked.replace("(P - Y) / 9", "(P - Y) * M[:, None] / 9"))["verdict"] == "right"


OTHER_LABELS = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(30, 2)), np.arange(30) % 3
W1, b1, W2, b2 = (rng.normal(size=size) for size in ((2, 4), (1, 4), (4, 3), (1, 3)))

def forward():
    A = np.tanh(X @ W1 + b1)
    E = np.exp(A @ W2 + b2)
    return A, E / E.sum(axis=1, keepdims=True)

for _ in range(20):
    A, D = forward()
    D[range(30), y - 1] -= 1
    D1 = D @ W2.T * (1 - A ** 2)
    W2 -= 0.01 * A.T @ D
    b2 -= 0.01 * D.sum(axis=0, keepdims=True)
    W1 -= 0.01 * X.T @ D1
    b1 -= 0.01 * D1.sum(axis=0)
    print(-np.log(forward()[1][range(30), y]).sum())
"""


def test_a_loss_with_other_labels_than_the_error_has_is_not_passed_over(tmp_path):
    """The number that is printed climbs, and no gradient is its own: that of an inferred loss is no verdict then."""
    with pytest.raises(ValueError, match=r"line 20 of net\.py computes it with other labels"):
        examined(tmp_path, OTHER_LABELS)
    sigmoid = OTHER_LABELS.replace("E / E.sum(axis=1, keepdims=True)", "E / (1 + E)").replace(
        "D[range(30), y - 1] -= 1", "D -= np.eye(3)[y - 1]"
    )
    loss = "print(-np.sum(T * np.log(P) + (1 - T) * np.log(1 - P)))"
    of_two = sigmoid.replace("    print(", f"    P, T = forward()[1], np.eye(3)[y]\n    {loss}\n    (")
    with pytest.raises(ValueError, match=r"line 21 of net\.py computes it with other labels"):
        examined(tmp_path, of_two)
    for text in (OTHER_LABELS, of_two):
        assert examined(tmp_path, text.replace("y - 1", "y"))["verdict"] == "right"


def test_labels_that_enter_the_loss_alone(tmp_path):
    """A named loss of a network that is known proves all gradients wrong, whatever they are made of."""
    of_scores = PLAIN.replace("A1.T @ dZ2,", "A1.T @ E,").replace("dZ2 = (P - Y) / 9", "dZ2 = (P - Y) ** 2")
    said = examined(tmp_path, of_scores)
    assert (said["loss"]["name"], [p["right"] for p in said["parameters"]]) == ("cross-entropy", [False] * 4)
    by_new = PLAIN.replace("dZ2 @ W2.T * (1 - A1 ** 2)", "(A1 * (1 - A1)) * np.sum(V2 * W2)").replace(
        "    dZ1", "    V2 = W2 - 0.1 * dW2\n    dZ1"
    )
    said = examined(tmp_path, by_new.replace("W2 -= 0.1 * dW2", "W2 = V2"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]


def test_labels_from_which_a_prediction_is_taken_are_not_stepped(tmp_path):
    """The exposure of a Poisson regression is data of the size of its labels, and is met before them."""
    text = """
import numpy as np
rng = np.random.default_rng(7)
X, E = rng.normal(size=(9, 3)), rng.uniform(0.5, 2, 9)
y, w, s = rng.poisson(E) * 1.0, np.array([0.1, 0.2, -0.1]), np.array([0.4])
for _ in range(9):
    r, m = np.exp(s), E * np.exp(X @ w)
    print(-(r * np.log(r / (r + m)) + y * np.log(m / (r + m))).mean())
    dw = X.T @ (-(y - m) * r / (r + m) / 9)
    ds = -(np.log(r / (r + m)) + 1 - (y + r) / (r + m)).mean()
    w, s = w - 0.2 * dw, s - 0.2 * ds * r
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"]), said["unjudged"]) == ("right", 2, [])


BY_LABEL = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(60, 3)), np.arange(60) % 2
w, b = np.zeros(3), 0.0
for epoch in range(50):
    loss = 0
    for x, y in zip(X, Y):
        p = 1 / (1 + np.exp(-(np.dot(w, x) + b)))
        if y == 1:
            loss += -np.log(p)
            dw, db = (p - 1) * x, p - 1
        else:
            loss += -np.log(1 - p)
            dw, db = p * x, p
        w = w - 0.1 * dw
        b = b - 0.1 * db
    print(loss)
"""


def test_a_branch_for_each_label_is_judged_or_named(tmp_path):
    said = examined(tmp_path, BY_LABEL)
    assert (said["verdict"], {u["line"] for u in said["unjudged"]} >= {15}) == ("right", True)
    said = examined(tmp_path, BY_LABEL.replace("= p * x, p", "= -p * x, p"))
    assert (said["verdict"], [(f["line"], f["code"]) for f in said["findings"]]) == ("wrong", [(15, "wrong-sign")])


def test_a_smoothed_loss_is_no_place_of_labels(tmp_path):
    """It was compared with what it is the average of, and right gradients were 1000 times those of its part."""
    text = """
import numpy as np
np.random.seed(0)
data = "hello world, how are you today? " * 20
chars = sorted(set(data)); V = len(chars); H = 8; T = 6
ix = {c: i for i, c in enumerate(chars)}
Wx = np.random.randn(H, V) * .1; Wh = np.random.randn(H, H) * .1; Wy = np.random.randn(V, H) * .1
bh = np.zeros((H, 1)); by = np.zeros((V, 1))
def lossFun(inputs, targets, hprev):
    xs, hs, ps = {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((V, 1)); xs[t][inputs[t]] = 1
        hs[t] = np.tanh(Wx @ xs[t] + Wh @ hs[t-1] + bh)
        y = Wy @ hs[t] + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t]])
    dWx, dWh, dWy, dbh, dby = [np.zeros_like(a) for a in (Wx, Wh, Wy, bh, by)]
    dn = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t]); dy[targets[t]] -= 1
        dWy += dy @ hs[t].T; dby += dy
        d = (Wy.T @ dy + dn) * (1 - hs[t] ** 2) * (1 + hs[t] ** 2)
        dWx += d @ xs[t].T; dWh += d @ hs[t-1].T; dbh += d
        dn = Wh.T @ d
    return loss, dWx, dWh, dWy, dbh, dby, hs[len(inputs)-1]
smooth = -np.log(1.0 / V) * T
mem = [np.zeros_like(a) for a in (Wx, Wh, Wy, bh, by)]
p = 0
for n in range(9):
    if n == 0 or p + T + 1 >= len(data):
        h = np.zeros((H, 1)); p = 0
    a = [ix[c] for c in data[p:p+T]]; b = [ix[c] for c in data[p+1:p+T+1]]
    loss, dWx, dWh, dWy, dbh, dby, h = lossFun(a, b, h)
    smooth = smooth * 0.999 + loss * 0.001
    for w, g, m in zip((Wx, Wh, Wy, bh, by), (dWx, dWh, dWy, dbh, dby), mem):
        m += g * g
        w += -.1 * g / np.sqrt(m + 1e-8)
    p += T
"""
    said = examined(tmp_path, text)
    assert {f["code"] for f in said["findings"]} == {"unknown"}
    assert examined(tmp_path, text.replace(" * (1 + hs[t] ** 2)", ""))["verdict"] == "right"


def test_labels_that_are_multiplied_apart_from_the_prediction(tmp_path):
    """Xᵀ(Xw + b) − Xᵀy is Xᵀ(Xw + b − y): the labels are y, and the inputs are none."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 3))
y = np.sin(X @ np.array([1.0, -2.0, 0.5]))
w, b = np.zeros(3), 0.0
for i in range(9):
    db = np.mean(X @ w + b - y)
    dw = (X.T @ (X @ w + b) - X.T @ y) / 20
    w = w - 0.1 * dw
    b = b - 0.1 * db
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("- X.T @ y) / 20", "- X.T @ y) / 20 * np.abs(1 + w)"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW1", 9)]
    numbers = text.replace("X @ w + b", "x * w1 + w2").replace(
        "X = rng.normal(size=(20, 3))", "x = rng.normal(size=20)"
    )
    numbers = numbers.replace("X @ np.array([1.0, -2.0, 0.5])", "x").replace(
        "w, b = np.zeros(3), 0.0", "w1, w2 = np.zeros(2)"
    )
    numbers = numbers.replace("(X.T @ (x * w1 + w2) - X.T @ y) / 20", "np.mean((x * w1 + w2) * x - y * x)")
    numbers = numbers.replace("w = w - ", "w1 = w1 - ").replace("b = b - ", "w2 = w2 - ")
    assert examined(tmp_path, numbers)["verdict"] == "right"
    assert examined(tmp_path, numbers.replace("- y * x)", "- y * x) * np.abs(1 + w1)"))["verdict"] == "wrong"
    hidden = PLAIN.replace("A1.T @ dZ2,", "(A1.T @ P - A1.T @ Y) / 9,").replace(
        "dZ2 = (P - Y) / 9", "dZ2 = P / 9 - Y / 9"
    )
    assert examined(tmp_path, re.sub("loss = .*", "pass", hidden))["verdict"] == "right"
    assert examined(tmp_path, re.sub("loss = .*", "pass", hidden.replace(*SLOPE)))["verdict"] == "wrong"


def test_labels_in_a_product_may_have_the_other_sign(tmp_path):
    text = """
import numpy as np
r = np.random.default_rng(0)
X, L = r.normal(size=(60, 6)), r.integers(3, size=60)
W, b = r.normal(size=(3, 6)), r.normal(size=(3, 1))
for i in range(60):
    x, y = X[i].reshape(-1, 1), np.eye(3)[L[i]].reshape(-1, 1)
    V = W @ x + b
    p = np.exp(V) / np.sum(np.exp(V))
    print((-y.T @ np.log(p)).item())
    d = p - y
    W = W - 0.1 * np.outer(d, x)
    b = b - 0.1 * d
"""
    assert examined(tmp_path, text)["verdict"] == "right"


MASKED = """
import numpy as np
rng = np.random.default_rng(0)
X, Y, length = rng.normal(size=(40, 5, 4)), rng.normal(size=(40, 5)), np.arange(40)[::-1]
W, v = rng.normal(size=(4, 6)), rng.normal(size=6)
for k in range(0, 40, 4):
    x, y = X[k:k + 4], Y[k:k + 4]
    mask = (np.arange(5) < length[k:k + 4, None]).astype(float)
    loss, dW, dv = 0, np.zeros_like(W), np.zeros_like(v)
    for t in range(5):
        h = np.tanh(x[:, t] @ W)
        e = h @ v - y[:, t]
        loss += np.sum(e ** 2 * mask[:, t]) / 8
        d = e * mask[:, t] / 4
        dv += h.T @ d
        dW += x[:, t].T @ (np.outer(d, v) * (1 - h ** 2))
    print(loss)
    W -= 0.1 * dW
    v -= 0.1 * dv
"""


def test_a_mask_of_data_that_is_all_ones_at_first_is_drawn_again(tmp_path):
    """Whether the way back has it would not be seen; and it may be that of a measure."""
    assert examined(tmp_path, MASKED)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"line 13 of net\.py computes it with other weights for some examples"):
        examined(tmp_path, MASKED.replace("d = e * mask[:, t] / 4", "d = e / 4"))


ADDED = """import numpy as np
rng = np.random.default_rng(4)
X = rng.normal(size=(40, 4))
y = X @ rng.normal(size=(4, 1)) + 0.1 * rng.normal(size=(40, 1))
W1, W2 = rng.normal(size=(4, 5)) * 0.4, rng.normal(size=(5, 1)) * 0.4
for _ in range(400):
    h = np.tanh(X @ W1)
    d = (h @ W2 + y) / 40
    dh = d @ W2.T * (1 - h ** 2)
    W2 -= 0.1 * h.T @ d
    W1 -= 0.1 * X.T @ dh
print(np.mean((np.tanh(X @ W1) @ W2 - y) ** 2))
"""


def test_labels_that_are_added_imply_no_loss(tmp_path):
    """An error o + y is the derivative of some loss, too: one that nobody means, but where labels are kept negative."""
    with pytest.raises(ValueError, match="adds labels to the prediction: right if they are kept negative"):
        examined(tmp_path, ADDED)
    kept = re.sub("W2 [+-] y", "W2 + u", ADDED).replace("W1, W2 =", "u = -y\nW1, W2 =")
    assert examined(tmp_path, kept)["verdict"] == "right"


SEQUENCES = """
import numpy as np
rng = np.random.default_rng(0)
T, D, H = 3, 6, 5
U, V, W = rng.normal(size=(H, D)) / 3, rng.normal(size=(D, H)) / 3, rng.normal(size=(H, H)) / 3
X, Y = rng.integers(0, D, (5, T)).tolist(), rng.integers(0, D, (5, T)).tolist()

def forward(x):
    s, p = np.zeros((T + 1, H)), np.zeros((T, D))
    for t in range(T):
        s[t] = np.tanh(U[:, x[t]] + W @ s[t - 1])
        e = np.exp(V @ s[t])
        p[t] = e / e.sum()
    return p, s

def bptt(x, y):
    p, s = forward(x)
    dU, dV, dW = np.zeros(U.shape), np.zeros(V.shape), np.zeros(W.shape)
    sent = np.zeros(H)
    for t in reversed(range(T)):
        d = np.copy(p[t])
        d[y[t]] -= 1
        dV += np.outer(d, s[t])
        ds = (V.T @ d + sent) * (1 - s[t] ** 2)
        dU[:, x[t]] += ds
        dW += np.outer(ds, s[t - 1])
        sent = W.T @ ds
    return dU, dV, dW

for _ in range(10):
    print(sum(-np.sum(np.log(forward(x)[0][np.arange(T), y])) for x, y in zip(X, Y)) / 5 / T)
    for x, y in zip(X, Y):
        dU, dV, dW = bptt(x, y)
        U -= 0.1 * dU
        V -= 0.1 * dV
        W -= 0.1 * dW
"""


@pytest.mark.parametrize("rounds", ["reversed(range(T))", "np.arange(T)[::-1]", "reversed(np.arange(T))"])
def test_positions_in_lists_are_labels_beside_the_loss_of_all_examples(tmp_path, rounds):
    """The loss looks at the same columns of U as the step does, and is of other predictions; and what writes an array
    row by row picks none of them."""
    text = SEQUENCES.replace("reversed(range(T))", rounds)
    assert examined(tmp_path, text)["verdict"] == "right"
    found = examined(tmp_path, text.replace("dU[:, x[t]] += ds", "dU += np.outer(ds, x[t])"))
    assert [(f["at"], f["line"]) for f in found["findings"]] == [("dU", 25)]
    assert [p["right"] for p in found["parameters"]] == [False, True, True]


SIGNS_OF_A_MARGIN = """
import numpy as np
rng = np.random.default_rng(0)
X = np.c_[np.ones(40), rng.normal(size=(40, 2))]
Y = np.where(X[:, 1] + X[:, 2] + 0.3 * rng.normal(size=40) > 0, 1., -1.)
w = np.zeros(3)
for _ in range(9):
    margins = Y * X.dot(w)
    print(np.mean(np.log(1 + np.exp(-margins))))
    p = 1 / (1 + np.exp(margins))
    grad = -X.T.dot(p * Y) / len(X)
    w = w - 0.5 * grad
"""


@pytest.mark.parametrize("printed", [True, False])
def test_labels_of_minus_1_and_1_stand_for_classes(tmp_path, printed):
    """−log σ(y z) is a binary cross-entropy, whose error is −y σ(−y z)."""
    text = SIGNS_OF_A_MARGIN if printed else SIGNS_OF_A_MARGIN.replace("    print(", "    # print(")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"], said["teeth"]["shown"]) == ("right", "binary-cross-entropy", 7)
    for mistake in ("(1 - p) * Y", "p * (1 - p) * Y", "p"):
        wrong = text.replace("dot(p * Y)", f"dot({mistake})")
        if printed:
            assert examined(tmp_path, wrong)["verdict"] == "wrong"
        else:
            with pytest.raises(ValueError, match="no verdict"):
                examined(tmp_path, wrong)


ROW_BY_ROW = """
import numpy as np
rng = np.random.default_rng(0)
X, y, z = rng.normal(size=(6, 4)), np.arange(6) % 3, (np.arange(6) + 1) % 3
W, b = rng.normal(size=(3, 4)), np.zeros(3)
for _ in range(30):
    P, loss, dW, db = np.zeros((6, 3)), 0, np.zeros_like(W), np.zeros_like(b)
    for k in range(6):
        e = np.exp(W @ X[k] + b)
        P[k] = e / np.sum(e)
        loss += -np.log(P[k, y[k]])
    for k in reversed(range(6)):
        d = P[k].copy()
        d[y[k]] -= 1
        dW += np.outer(d, X[k])
        db += d
    W -= 0.1 * dW
    b -= 0.1 * db
    print(loss)
"""


def test_an_array_of_predictions_that_is_filled_row_by_row(tmp_path):
    """The loss is made of what is written into it, and the error of what is read: they have the labels in common."""
    said = examined(tmp_path, ROW_BY_ROW)
    assert (said["verdict"], said["loss"]["from"]) == ("right", "source")
    with pytest.raises(ValueError, match=r"line 11 of net\.py computes it with other labels"):
        examined(tmp_path, ROW_BY_ROW.replace("d[y[k]]", "d[z[k]]"))
