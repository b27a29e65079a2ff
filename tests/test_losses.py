"""Which number is the loss, and what is a measure or something else."""

import re

import pytest
from judging import IN_EPOCHS, PERCEPTRON, PLAIN, SENT_BACK, SLOPE, UPHILL, examined

ONE_ROW = ("np.dot(X, w)", "np.dot(X[_], w)"), ("X.T.dot(y * (1 - T) - T * (1 - y))", "X[_] * (y - T[_])")


PICKED_CLASS = """
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(40, 6)), rng.integers(0, 4, size=40)
W, b = rng.normal(size=(4, 6)), np.zeros(4)
for x, y in zip(X, T):
    E = np.exp(W @ x + b)
    P = E / np.sum(E)
    d = -P
    d[y] = d[y] + 1
    W = W + 0.1 * np.outer(d, x)
    b = b + 0.1 * d
"""


@pytest.mark.parametrize("begun", ["-P", "-1.0 * P", "P / 2"])
def test_an_error_that_begins_as_a_multiple_of_the_prediction(tmp_path, begun):
    """The class is picked of −ŷ, or of ŷ / m: the loss is one of ŷ."""
    text = PICKED_CLASS.replace("-P", begun)
    if "/" in begun:
        text = text.replace("d[y] + 1", "d[y] - 1 / 2").replace("+ 0.1", "- 0.1")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "cross-entropy")


def test_one_output_of_one_example(tmp_path):
    """Another formula gives the right gradient times a number, which is another one in each draw."""
    text = PERCEPTRON
    for old, new in ONE_ROW:
        text = text.replace(old, new)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "binary-cross-entropy")
    linear = text.replace("1 / (1 + np.exp(-np.dot(X[_], w)))", "np.dot(X[_], w)").replace("% 2", "% 2 + 1")
    said = examined(tmp_path, linear)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "squared-error")
    with pytest.raises(ValueError, match="no mistake would show"):  # of labels that are 0 nothing is missed
        examined(tmp_path, linear.replace("np.arange(20) % 2 + 1", "np.zeros(20)"))


@pytest.mark.parametrize(
    ("loss", "slope", "right"),
    [
        ("(y - T[_]) ** 2 / 2", " * y * (1 - y)", True),
        ("(y - T[_]) ** 2 / 2", "", False),
        ("(y - T[_]) ** 2 / 2", " * y", False),
        ("-np.log(T[_] * y + (1 - T[_]) * (1 - y))", "", True),
        ("-np.log(T[_] * y + (1 - T[_]) * (1 - y))", " * y * (1 - y)", False),
    ],
)
def test_a_formula_tells_of_one_output_of_one_example(tmp_path, loss, slope, right):
    """Any number is the derivative of some loss; that of another loss than is computed is a mistake, as in a batch."""
    text = PERCEPTRON.replace(*ONE_ROW[0]).replace("X.T.dot(y * (1 - T) - T * (1 - y))", f"(y - T[_]){slope} * X[_]")
    said = examined(tmp_path, text.replace("    w = ", f"    print({loss})\n    w = "))
    assert said["verdict"] == ("right" if right else "wrong")
    assert [f["at"] for f in said["findings"] if f["severity"] == "error"] == ["dZ1"] * (not right)


def test_a_sum_of_whole_numbers_is_a_gradient(tmp_path):
    """The bias of a hinge loss is stepped by how many examples are on the wrong side."""
    text = """
import numpy as np
X, T = np.random.randn(20, 2), np.where(np.arange(20) % 3, 1, -1)
w, b = np.random.randn(2), 0.0
for _ in range(5):
    margins = T * (X @ w + b)
    loss = np.sum(np.maximum(0, 1 - margins))
    wrong = np.where(margins < 1, -T, 0)
    w, b = w - 0.1 * wrong @ X, b - 0.1 * wrong.sum()
"""
    assert [p["right"] for p in examined(tmp_path, text)["parameters"]] == [True, True]
    text = text.replace("wrong.sum()", "-wrong.sum()")
    assert [p["right"] for p in examined(tmp_path, text)["parameters"]] == [True, False]


def test_what_is_large_where_the_program_makes_it_so_is_not_accused(tmp_path):
    """Of a number without a name nobody knows whether it is to be small."""
    loss = "np.sum(np.log(np.cosh(P - Y)))"
    text = PLAIN.replace("-np.sum(Y * np.log(P)) / 9", loss).replace("(P - Y) / 9", "P * (D - (P * D).sum(1)[:, None])")
    text = text.replace("    dZ2 =", "    D = np.tanh(P - Y)\n    dZ2 =")
    assert examined(tmp_path, text)["verdict"] == "right"
    for old, new in UPHILL.items():
        text = text.replace(old, new)
    with pytest.raises(ValueError, match="all steps go uphill"):
        examined(tmp_path, text)


def test_a_number_that_may_be_a_measure(tmp_path):
    """What is computed once the step is made may be the loss, or not."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "") + "    brier = np.mean((P - Y) ** 2)\n"
    with pytest.raises(ValueError, match="right if that is a measure"):
        examined(tmp_path, text)
    early = PLAIN.replace("-np.sum(Y * np.log(P)) / 9", "np.mean((P - Y) ** 2)")
    assert examined(tmp_path, early)["verdict"] == "wrong"


def test_a_score_acquits_nobody(tmp_path):
    """All gradients are those of the squared error, and R² is computed; but so is another loss."""
    text = PLAIN.replace("E / E.sum(1, keepdims=True)", "A1 @ W2 + b2")
    text = text.replace("np.log(P)) / 9", "np.log(E / E.sum(1, keepdims=True))) / 9")
    with pytest.raises(ValueError, match="computes a score, and not of the number of line 10"):
        examined(tmp_path, text.replace("/ 9\n", "/ 9\n    r2 = 1 - np.sum((P - Y) ** 2) / np.var(Y)\n", 1))
    assert examined(tmp_path, text)["verdict"] == "wrong"


SCALARS = """
import numpy as np
np.random.seed(4)
X, Y = np.random.rand(4, 3), np.random.rand(4, 2)
W1, W2 = np.random.randn(3, 5) / 2, np.random.randn(5, 2) / 2
for _ in range(9):
    A = np.tanh(X @ W1)
    P = 1 / (1 + np.exp(-A @ W2))
    loss = np.mean((P - Y) ** 2)
    dZ = 2 * (P - Y) / Y.size * P * (1 - P)
    dA = dZ @ W2.T * (1 - A ** 2)
    dX = np.zeros(X.shape)
    for n in range(4):
        for j in range(5):
            dX[n] += dA[n, j] * W1[:, j]
    W1 -= 0.1 * (X.T @ dA)
    W2 -= 0.1 * (A.T @ dZ)
"""


def test_a_likelihood_is_climbed(tmp_path):
    """One of its two terms alone is that of a cross-entropy: its name says nothing of the other one."""
    likelihood = """
import numpy as np
rng = np.random.default_rng(130)
X = rng.normal(size=(30, 3))
seen, b = rng.random(30) < 0.7, np.zeros(3)
for _ in range(9):
    r = np.exp(X @ b)
    S, SX = np.cumsum(r), np.cumsum(r[:, None] * X, 0)
    likelihood = np.sum(seen * (X @ b - np.log(S)))
    b += 0.02 * (seen[:, None] * (X - SX / S[:, None])).sum(0)
"""
    said = examined(tmp_path, likelihood)
    assert (said["verdict"], "which is to be made large" in said["truth"]) == ("right", True)
    with pytest.raises(ValueError, match="that has no least value: right if it is to be made small"):
        examined(tmp_path, likelihood.replace("b += ", "b -= "))


def test_a_term_of_the_loss_that_no_gradient_has(tmp_path):
    """It depends on the parameters beside the prediction: the cross-entropy alone would acquit them."""
    text = PLAIN.replace("np.log(P)) / 9", "np.log(P)) / 9 + 0.1 * np.sum(A1 ** 2)")
    said = examined(tmp_path, text)
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]


SOFTENED = """
import numpy as np
rng = np.random.default_rng(55)
X, y = 8 * rng.normal(size=(400, 100)), rng.integers(0, 2, (400, 1))
w, b = np.zeros((100, 1)), np.zeros(1)
for _ in range(9):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(p + 1e-8) + (1 - y) * np.log(1 - p + 1e-8))
    dp = -(y / (p + 1e-8) - (1 - y) / (1 - p + 1e-8)) / 400
    dz = dp * p * (1 - p)
    w -= 0.1 * X.T @ dz
    b -= 0.1 * dz.sum(0)
"""


def test_a_small_number_in_the_loss_and_in_its_derivative(tmp_path):
    """Where predictions are next to 0 it is not small; nor are weights of a hundred inputs as large as a few biases."""
    said = examined(tmp_path, SOFTENED)
    assert (said["verdict"], said["truth"]) == ("right", "jax.grad of your forward pass and loss")
    scaled = SOFTENED.replace("dp = -(", "dp = -1.1 * (").replace("X.T @ dz", "X.T @ dz / 1.1")  # a rate of its own
    assert examined(tmp_path, scaled)["verdict"] == "right-up-to-scale"
    without = SOFTENED.replace("dz = dp * p * (1 - p)", "dz = (p - y) / 400")
    said = examined(tmp_path, without)
    assert (said["verdict"], said["truth"][-32:]) == ("right", "without the small constant in it")
    small = SOFTENED.replace("8 * rng", "rng")
    assert examined(tmp_path, small)["verdict"] == "right"


@pytest.mark.parametrize(("number", "notes"), [
    ("np.sum(np.log(np.cosh(E)))", ["line 8 of net.py computes another number than the squared-error: right if it is a "
     "measure, wrong if it is the loss"]),
    ("np.sum(np.abs(G))", []),
])  # fmt: skip
def test_a_number_with_other_gradients_is_said(tmp_path, number, notes):
    """It may be the loss that the error is not of: not if it is made of the gradients, to see how far it is."""
    text = f"""
import numpy as np
X, Y = np.random.randn(9, 4), np.random.randn(9, 2)
W = np.random.randn(4, 2)
for _ in range(9):
    E = X @ W - Y
    G = X.T @ E
    print({number})
    W -= 0.1 * G
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["notes"]) == ("right", notes)


A_LINE = """
import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(80, 3))
y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=80)
w, total = rng.normal(size=3), 0
for _ in range(30):
    e = X @ w - y
    total += np.mean(e ** 2) * len(X)
    w = w - 0.01 * X.T @ e / 80
"""


def test_a_mean_times_the_number_of_examples_is_for_a_sum_over_batches(tmp_path):
    said = examined(tmp_path, A_LINE)
    assert (said["loss"]["reduction"], [f["scale"] for f in said["findings"]]) == ("mean", [pytest.approx(0.5)])


SMOOTHED = """
import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(40, 3))
y = (X @ [1.0, -2.0, 0.5] > 0) * 1.0
w, b, smooth = rng.normal(size=3), 0.0, None
for _ in range(30):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)); smooth = AVERAGE
    e = p - y
    dw, db = X.T @ e / 40, e.mean()
    w -= 0.1 * dw
    b -= 0.1 * db
    print(smooth)
"""


@pytest.mark.parametrize(
    "average", ["loss if smooth is None else 0.9 * smooth + 0.1 * loss", "(smooth or 0) + loss * 40"]
)
def test_a_loss_may_be_averaged_over_the_steps(tmp_path, average):
    """What is shown is no loss of the step: neither the share that this has in it, nor what it becomes in the next."""
    text = SMOOTHED.replace("AVERAGE", average)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["reduction"], said["findings"]) == ("right", "mean", [])
    said = examined(tmp_path, text.replace("e.mean()", "e.sum()"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-scale")]


@pytest.mark.parametrize("labels", ["+ y", "- 2 * y", "- y[::-1]"])
def test_the_loss_of_a_line_has_other_labels_than_its_error(tmp_path, labels):
    """An error alone is one of any labels: the number that is printed says of which."""
    text = A_LINE.replace("X.T @ e", f"X.T @ (X @ w {labels})")
    with pytest.raises(ValueError, match="computes it with other labels for the same predictions"):
        examined(tmp_path, text)


def test_numbers_of_the_backward_pass_are_no_losses(tmp_path):
    """What goes back to the data is made entry by entry, and no step needs it."""
    said = examined(tmp_path, SCALARS)
    assert (said["verdict"], said["loss"]["name"], said["loss"]["from"]) == ("right", "squared-error", "source")
    said = examined(tmp_path, SCALARS.replace(" * P * (1 - P)", ""))  # those of a cross-entropy
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "W2"]


@pytest.mark.parametrize("loss", ["np.sqrt(np.mean((P - Y) ** 2))", "np.exp(np.mean((P - Y) ** 2))"])
def test_a_loss_that_is_part_of_its_own_derivative(tmp_path, loss):
    """And no scalar beside it."""
    outer = "(P - Y) / Y.size / loss" if "sqrt" in loss else "2 * loss * (P - Y) / Y.size"
    text = SCALARS.replace("np.mean((P - Y) ** 2)", loss).replace("2 * (P - Y) / Y.size", outer)
    assert examined(tmp_path, text)["verdict"] == "right"


def test_what_a_gradient_held_before_it_was_filled_with_zeros_is_no_loss(tmp_path):
    text = PLAIN.replace("for _", "db1 = np.zeros((5, 1))\nfor _").replace("zeros(5)", "zeros((5, 1))")
    text = text.replace("W1 + b1", "W1 + b1.T").replace(
        ", db1 = X.T @ dZ1, dZ1.sum(0)", " = X.T @ dZ1\n    db1.fill(0)"
    )
    text = text.replace("    W1 -=", "    for k in range(5):\n        db1[k] += np.sum(dZ1[:, k])\n    W1 -=")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["from"]) == ("right", "source")
    said = examined(tmp_path, text.replace("-np.sum(Y * np.log(P))", "np.sum((P - Y) ** 2)"))
    assert (said["verdict"], said["loss"]["from"]) == ("wrong", "source")


def test_a_loss_that_is_added_up_in_a_loop_goes_back_through_all_of_it(tmp_path):
    """All rounds are no hypothesis of their own: a wrong sign is one then as well."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
W1, W2 = rng.random((4, 3)), rng.random((2, 4))
def loss(y, out):
    total = 0
    for i in range(y.size):
        total += 0.5 * (y[i] - out[i]) ** 2
    return total
for _ in range(9):
    x, y = rng.random((3, 1)), np.array([[10.0], [-2.0]])
    h = 1 / (1 + np.exp(-(W1 @ x)))
    out = W2 @ h
    print(loss(y, out).item())
    dW2 = (out - y) @ h.T
    dW1 = (W2.T @ (out - y)) * h * (1 - h) @ x.T
    W1, W2 = W1 - 0.01 * dW1, W2 - 0.01 * dW2
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("dW2 = (out - y)", "dW2 = (y - out)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dW2", "wrong-sign")]


def test_a_loss_that_is_only_added_up_is_no_measure_of_what_is_right(tmp_path):
    """`total += loss * len(x)` is m times the loss, of which a wrong constant in some gradients is no proof."""
    text = PLAIN.replace("for _", "total = 0.0\nfor _").replace("    dZ2 =", "    total += loss * len(X)\n    dZ2 =")
    assert (examined(tmp_path, text)["verdict"], examined(tmp_path, text)["findings"]) == ("right", [])
    said = examined(tmp_path, text.replace("dZ1 = dZ2", "dZ1 = (P - Y)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]
    said = examined(tmp_path, text.replace("dZ1.sum(0)", "dZ1.mean(0)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-scale")]


TWO_OUTPUTS = """
import numpy as np

rng = np.random.default_rng(0)
X, T = rng.normal(size=(30, 4)), np.eye(3)[rng.integers(3, size=30)]
W, U, V = rng.normal(size=(4, 6)) / 2, rng.normal(size=(6, 3)) / 2, rng.normal(size=(6, 4)) / 2
for _ in range(9):
    h = np.tanh(X @ W)
    e = np.exp(h @ U)
    p = e / e.sum(1, keepdims=True)
    v = h @ V
    print(np.mean(np.abs(v - X)))
    ds, dv = (p - T) / 30, 0.5 * (v - X) / 30
    dU, dV = h.T @ ds, h.T @ dv
    dW = X.T @ ((ds @ U.T + dv @ V.T) * (1 - h ** 2))
    U, V, W = U - 0.1 * dU, V - 0.1 * dV, W - 0.1 * dW
"""


def test_outputs_that_have_a_loss_each(tmp_path):
    """Cross-entropy of the one and the squared error of the other: by that of the one the other is not accused."""
    with pytest.raises(ValueError, match="several outputs, those of line 10 and line 11, meet labels"):
        examined(tmp_path, TWO_OUTPUTS)
    whole = "print(-np.sum(T * np.log(p)) / 30 + 0.25 * np.sum((v - X) ** 2) / 30)"
    text = TWO_OUTPUTS.replace("print(np.mean(np.abs(v - X)))", whole)
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("(1 - h ** 2)", "(1 - h)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W"]


HEADS = """
import numpy as np
rng = np.random.default_rng(0)
X, A, B = rng.normal(size=(20, 4)), rng.normal(size=(20, 2)), rng.normal(size=(20, 1))
W, V, U = rng.normal(size=(4, 6)) / 2, rng.normal(size=(6, 2)) / 2, rng.normal(size=(6, 1)) / 2
for _ in range(9):
    H = np.tanh(X @ W)
    P, Q = H @ V, H @ U
    of_p, of_q = np.mean((P - A) ** 2), np.mean((Q - B) ** 2)
    print(of_p, of_q)
    dP, dQ = 2 * (P - A) / A.size, 2 * (Q - B) / B.size
    dH = (dP @ V.T + dQ @ U.T) * (1 - H ** 2)
    V, U, W = V - 0.1 * H.T @ dP, U - 0.1 * H.T @ dQ, W - 0.1 * X.T @ dH
"""


@pytest.mark.parametrize("mistake", [("", ""), ("/ B.size", "/ B.size * Q"), ("(P - A) / A.size", "(P - A) * P")])
def test_outputs_of_one_line_that_have_a_loss_each(tmp_path, mistake):
    """Each of them is a mean of its own size: by the one, or by the error of both, the other one is not accused."""
    text = HEADS.replace(*mistake)
    shown = [text] if mistake[0] else []  # else all is that of their sum
    none = text.replace("of_p, of_q = np.mean((P - A) ** 2), np.mean((Q - B) ** 2)", "of_p = of_q = 0")
    for said in (*shown, none):
        with pytest.raises(ValueError, match="several outputs, those of line 8, meet labels"):
            examined(tmp_path, said)
    said = examined(tmp_path, text.replace("print(of_p, of_q)", "print(of_p + of_q)"))
    assert said["verdict"] == ("wrong" if mistake[0] else "right")


GATED = """
import numpy as np

rng = np.random.default_rng(0)
X, T = rng.normal(size=(32, 8)), np.eye(3)[rng.integers(3, size=32)]
V, G, W = rng.normal(size=(8, 6)) / 2, rng.normal(size=(8, 6)) / 2, rng.normal(size=(6, 3)) / 2
for _ in range(9):
    A, g = np.tanh(X @ V), np.tanh(X @ G)
    E = np.exp(A * g @ W)
    P = E / E.sum(1, keepdims=True)
    print(0.5 * np.sum((P - T) ** 2) / 32)
    d = (P - T) / 32
    dW = (A * g).T @ d
    back = d @ W.T
    dV = X.T @ (back * g * (1 - A ** 2))
    dG = X.T @ (back * A * (1 - g ** 2))
    V, G, W = V - 0.1 * dV, G - 0.1 * dG, W - 0.1 * dW
"""


def test_what_is_wrong_by_the_loss_that_is_printed_and_by_the_one_that_is_implied(tmp_path):
    """It is wrong whichever is meant; what is right by one of the two alone is not accused beside it."""
    said = examined(tmp_path, GATED)
    assert (said["verdict"], [p["right"] for p in said["parameters"]]) == ("wrong", [False] * 3)  # by the one printed
    said = examined(tmp_path, GATED.replace("back * A * (1 - g ** 2)", "back * (1 - g ** 2)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dG", "unknown")]
    assert (said["loss"]["name"], said["loss"]["from"]) == ("cross-entropy", "inferred")
    nothing_right = GATED.replace("d @ W.T", "d @ (W ** 2).T").replace("(A * g).T @ d", "A.T @ d")
    with pytest.raises(ValueError, match="no verdict: no gradient is that of a loss"):
        examined(tmp_path, nothing_right)


def test_a_loss_that_is_computed_when_an_epoch_is_over(tmp_path):
    """It is of other data than any step: its name tells whether it is the one that the error implies."""
    with pytest.raises(ValueError, match=r"squared-error, and line 18 of net\.py computes the cross-entropy: right if"):
        examined(tmp_path, IN_EPOCHS)
    right = IN_EPOCHS.replace("h @ V - t", "softmax(h @ V) - t")
    assert examined(tmp_path, right)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"cross-entropy, and line 18 of net\.py computes the squared-error: right if"):
        examined(tmp_path, re.sub(r"-np\.sum\(T .*", "np.mean((softmax(np.tanh(X @ W) @ V) - T) ** 2))", right))
    root = re.sub(r"-np\.sum\(T .*", "np.sqrt(np.mean((softmax(np.tanh(X @ W) @ V) - T) ** 2)))", right)
    assert examined(tmp_path, root)["verdict"] == "right"


def test_a_loss_that_is_printed_now_and_then_is_that_of_the_step(tmp_path):
    """It is computed of a prediction that is made once more, after the step: no other formulas are known for that."""
    loss = "    loss = -np.sum(Y * np.log(P)) / 9\n"
    assert loss in PLAIN
    forward = "".join(f"    {line}\n" for line in PLAIN.splitlines()[6:9])
    seldom = PLAIN.replace(loss, "") + "    if _ % 100 == 99:\n" + forward
    said = examined(tmp_path, f"{seldom}        print(-np.sum(Y * np.log(P)) / 9)\n")
    assert (said["verdict"], said["loss"]["from"], said["teeth"]["shown"] > 20) == ("right", "source", True)
    said = examined(tmp_path, f"{seldom}        print(np.sum((P - Y) ** 2) / 18)\n")
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ2", "missing-output-derivative")]


OF_A_LOOP = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(5, 3)), rng.integers(2, size=(5, 1)).astype(float)
W, b = rng.normal(size=(3, 1)), np.zeros((1, 1))

def cost(p, y):
    total = 0
    for i in range(len(y)):
        total -= y[i, 0] * np.log(p[i, 0]) + (1 - y[i, 0]) * np.log(1 - p[i, 0])
    return total / len(y)

for _ in range(20):
    p = 1 / (1 + np.exp(-(X @ W + b)))
    print(cost(p, y))
    W, b = W - 0.01 * (X.T @ (p - y)) / 5, b - 0.01 * np.sum(p - y) / 5
"""


def test_what_a_function_returns_is_its_loss(tmp_path):
    """A mean over examples that a loop adds up is no sum: another line of the same function divides it."""
    assert examined(tmp_path, OF_A_LOOP)["verdict"] == "right"
    said = examined(tmp_path, OF_A_LOOP.replace(" / 5,", ",").replace("y) / 5", "y)"))
    assert [(f["code"], f["scale"]) for f in said["findings"]] == [("wrong-scale", pytest.approx(5))]


def test_a_mean_that_is_made_a_sum_once_more_is_the_loss(tmp_path):
    """The sum is there to be looked at, unless the gradients are its own."""
    text = PLAIN.replace("/ 9\n    dZ2", "/ 9\n    print(loss, loss * len(X))\n    dZ2")
    said = examined(tmp_path, text.replace("dZ2 @ W2.T", "(P - Y) @ W2.T"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]
    said = examined(tmp_path, text.replace("(P - Y) / 9", "P - Y"))
    assert (said["verdict"], said["findings"]) == ("right", [])


@pytest.mark.parametrize("rows", [False, True])
def test_a_sum_of_losses_that_one_is_added_to_is_no_loss(tmp_path, rows):
    text = PLAIN.replace("    dZ2", "    total += loss\n    print(loss + total)\n    dZ2", 1).replace(
        "for _", "total = 0\nfor _"
    )
    if rows:  # where the data are turned as the weights are, they are no layer's
        text = text.replace("X @ W1", "X.T.T @ W1.T.T")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["findings"], said["unjudged"]) == ("right", [], [])


@pytest.mark.parametrize("slope", ["error * p", "2 * error * p"])
def test_a_single_array_that_climbs_its_loss_is_wrong(tmp_path, slope):
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
y = np.exp(X @ [0.3, -0.2, 0.1])
w = np.zeros(3)
for _ in range(40):
    p = np.exp(X @ w)
    error = p - y
    print(np.sum(error**2) / 2)
    w = w - 0.001 * X.T @ ({slope})
"""
    assert examined(tmp_path, text)["verdict"] == "right"  # the 2 may be the rate's
    said = examined(tmp_path, text.replace("w - 0.001", "w + 0.001"))
    assert (said["verdict"], [f["code"] for f in said["findings"]][:1]) == ("wrong", ["wrong-sign"])


def test_what_keeps_a_logarithm_finite_is_no_bound(tmp_path):
    text = PLAIN.replace("np.log(P)", "np.log(np.clip(P, 1e-9, 1 - 1e-9))").replace("(5, 3) / 2", "(5, 3) * 90")
    assert examined(tmp_path, text)["verdict"] == "right"


BATCH_OF_HINGES = """
import numpy as np
np.random.seed(0)
X, y, W = np.random.randn(100, 6), np.random.randint(0, 4, 100), 0.001 * np.random.randn(6, 4)
for it in range(20):
    k = np.random.choice(100, 20, replace=False)
    s = X[k] @ W
    m = np.maximum(0, s - s[range(20), y[k]].reshape(20, 1) + 1)
    m[range(20), y[k]] = 0
    print(np.sum(m) / 20 + 0.05 * np.sum(W * W))
    m[m > 0] = 1.0
    m[range(20), y[k]] = -np.sum(m, axis=1)
    W -= 0.01 * (X[k].T @ m / 20 + 0.1 * W)
"""
IRIS = """
import numpy as np
np.random.seed(0)
X, Y, W = np.random.randn(30, 4), np.arange(3) == (np.arange(30) % 3)[:, None], np.zeros((4, 3))
for epoch in range(20):
    e = np.exp(X @ W)
    p = e / e.sum(1, keepdims=True)
    each = -np.sum(Y * np.log(p), 1)
    W -= 0.01 * X.T @ (p - Y * 1)
    print(each.sum())
"""


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (BATCH_OF_HINGES, "-np.sum(m, axis=1)", "-np.max(m, axis=1)"),
        (IRIS, "Y * 1)", "Y * each[:, None])"),
    ],
)
def test_a_part_of_an_error_says_nothing_of_how_examples_count(tmp_path, text, right, wrong):
    """Nor does an example that has no error; and a mask is no error."""
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match="no gradient is that of a loss which the program computes or implies"):
        examined(tmp_path, text.replace(right, wrong))


def test_a_penalty_of_another_size_beside_a_loss_without_a_name(tmp_path):
    """All but a number times the weights is that of the loss: no other step is meant."""
    said = examined(tmp_path, BATCH_OF_HINGES.replace("+ 0.1 * W)", "+ 0.1 * W / 20)"))
    (finding,) = said["findings"]
    assert (finding["code"], finding["line"], finding["scale"]) == ("weight-penalty", 13, pytest.approx(0.005))


def test_an_error_of_another_loss_than_a_measure_after_the_step_is_not_accused(tmp_path):
    """The number may be there to be looked at. What is wrong by the loss that the error implies is so by either."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "") + "    print(np.mean((P - Y) ** 2))\n"
    with pytest.raises(ValueError, match="computes another number once the step is made: right if that is a measure"):
        examined(tmp_path, text)
    for change, code in (
        (SLOPE, "missing-activation-derivative"),
        (("dZ2.sum(0)", "dZ2.sum()"), "summed-over-all-axes"),
    ):
        assert text.count(change[0]) == 1
        assert [f["code"] for f in examined(tmp_path, text.replace(*change))["findings"]] == [code]


def test_a_distance_that_is_to_be_small_is_not_climbed(tmp_path):
    """Of pairs (Hadsell et al. 2006): by its labels it is the negative of a squared error, too."""
    text = """
import numpy as np
np.random.seed(9)
X, kind = np.random.rand(40, 5), np.random.randint(0, 2, 40)
W, b = np.random.randn(5, 3) * 0.5, np.random.randn(3) * 0.1
for _ in range(300):
    i, j = np.random.randint(0, 40, 2)
    y = float(kind[i] == kind[j])
    f1, f2 = np.maximum(0, X[i] @ W + b), np.maximum(0, X[j] @ W + b)
    d = np.sqrt(np.sum((f1 - f2) ** 2) + 1e-8)
    print(y * d**2 + (1 - y) * max(0, 2.0 - d) ** 2)
    g = (2 * y * d - 2 * (1 - y) * max(0, 2.0 - d)) * (f1 - f2) / d
    g1, g2 = g * (f1 > 0), -g * (f2 > 0)
    W = W - 0.05 * (np.outer(X[i], g1) + np.outer(X[j], g2))
    b = b - 0.05 * (g1 + g2)
"""
    assert examined(tmp_path, text)["verdict"] == "right"


FORGOTTEN = """
import numpy as np
np.random.seed(0)
X = np.random.randn(40, 3)
y = (X[:, 0] > 0).astype(float)
w, b = np.random.randn(3) * 0.1, 0.0
for epoch in range(5):
    total = 0
    for x, t in zip(X, y):
        p = 1 / (1 + np.exp(-(np.dot(x, w) + b)))
        error = p - t
        total += SUMMED
        d = error * p * (1 - p)
        w -= 0.1 * d * x
        b -= 0.1 * d
    print(total / 40)
"""


@pytest.mark.parametrize("summed", ["error ** 2", "error"])
def test_a_signed_error_is_no_loss(tmp_path, summed):
    """By it a gradient without the error was right: p (1 − p) x is the derivative of p − t."""
    text = FORGOTTEN.replace("SUMMED", summed)
    assert examined(tmp_path, text)["verdict"].startswith("right")
    with pytest.raises(ValueError, match=r"nor of another loss|times a number that is another one in each draw"):
        examined(tmp_path, text.replace("error * p", "p"))


@pytest.mark.parametrize("number", ["d @ grad(x)", "loss(x) + 0.1 * d @ grad(x)"])
def test_what_a_line_search_computes_of_gradients_is_no_loss(tmp_path, number):
    """Armijo's rule looks at the slope along the step: of a right gradient that made a wrong one."""
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))
def loss(v):
    return np.mean((np.tanh(X @ v[:12].reshape(3, 4)) @ v[12:].reshape(4, 1) - y) ** 2)
def grad(v):
    W, U = v[:12].reshape(3, 4), v[12:].reshape(4, 1)
    a = np.tanh(X @ W)
    e = 2 * (a @ U - y) / len(X)
    return np.concatenate([(X.T @ (e @ U.T * (1 - a ** 2))).ravel(), (a.T @ e).ravel()])
x = rng.normal(size=16)
for _ in range(9):
    d = -grad(x)
    number = {number}
    x = x + 0.1 * d
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    wrong = examined(tmp_path, text.replace("(1 - a ** 2)", "a"))
    assert wrong["frontier"]["x"]["wrong_from"]["source"].startswith("return np.concatenate")


def test_a_forward_pass_of_the_loss_is_that_of_the_step(tmp_path):
    """What the loss makes once more has the same numbers, whatever makes them; of other data it has others."""
    cost = """def cost(X, W1, b1, W2, b2):
    E = np.exp(np.tanh(b1 + np.dot(X, W1)) @ W2 + b2)
    return -np.sum(Y * np.log(E / E.sum(1, keepdims=True) + 1e-5)) / 9 + 0.05 * W2.ravel() @ W2.ravel()
for _"""
    text = PLAIN.replace("-np.sum(Y * np.log(P)) / 9", "cost(X, W1, b1, W2, b2)").replace("for _", cost, 1)
    said = examined(tmp_path, text.replace("A1.T @ dZ2", "A1.T @ dZ2 + 0.2 * W2"))
    assert [(f["at"], f["code"], f["scale"]) for f in said["findings"]] == [
        ("dW2", "weight-penalty", pytest.approx(0.2))
    ]
    assert examined(tmp_path, text.replace("A1.T @ dZ2", "A1.T @ dZ2 + 0.1 * W2"))["loss"]["from"] == "source"
    said = examined(
        tmp_path, text.replace("= cost(X", "= cost(X[::-1]").replace(" + 0.05 * W2.ravel() @ W2.ravel()", "")
    )
    assert said["truth"].endswith("(the number of line 8 of net.py is of other predictions)")


def test_zeros_are_the_gradient_of_no_loss(tmp_path):
    text = re.sub(r"    (loss|dW1|dW2|dZ1) = .*\n|    dW\d, db\d = .*\n", "", PLAIN)
    text = text.replace("for _", "dW1, db1, dW2, db2 = (np.zeros_like(p) for p in (W1, b1, W2, b2))\nfor _", 1)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"], "the gradient of no loss" in said["truth"]) == ("wrong", None, True)
    assert {f["code"] for f in said["findings"]} == {"stale-gradient"}


def test_a_mean_over_a_stack_of_columns(tmp_path):
    said = examined(tmp_path, """
import numpy as np
rng = np.random.default_rng(0)
W, b = rng.normal(size=(2, 4)), np.zeros((2, 1))
for _ in range(9):
    x, t = rng.normal(size=(10, 4, 1)), rng.random((10, 2, 1))
    p = 1 / (1 + np.exp(-(W @ x + b)))
    print(np.mean(np.sum(-(t * np.log(p) + (1 - t) * np.log(1 - p)), axis=1)))
    d = p - t
    W = W - 0.1 * np.mean(d @ np.swapaxes(x, 1, 2), axis=0)
    b = b - 0.1 * np.mean(d, axis=0)
""")  # fmt: skip
    assert (said["verdict"], said["loss"]["reduction"]) == ("right", "mean")


@pytest.mark.parametrize(("sums", "wrong"), [("sum", []), ("mean", ["b1", "b2"])])
def test_a_small_number_in_the_logarithm_of_what_is_made_of_scores(tmp_path, sums, wrong):
    """log(p + ε) has 1 / (1 + ε / p) of the derivative by the scores, and the constant is that of ε = 0."""
    text = PLAIN.replace("E = np.exp(A1 @ W2 + b2)", "S = A1 @ W2 + b2\n    E = np.exp(S)")
    text = text.replace("loss = -np.sum(Y * np.log(P)) / 9", "loss = cost(S)").replace(".sum(0)", f".{sums}(0)")
    text = text.replace(
        "for _", "def cost(S):\n    E = np.exp(S)\n    P = E / E.sum(1, keepdims=True)\n"
        "    return -np.sum(np.log(P[np.arange(9), np.arange(9) % 3] + 1e-5)) / 9\nfor _", 1
    )  # fmt: skip
    said = examined(tmp_path, text)
    assert said["truth"] == "jax.grad of your forward pass and loss, without the small constant in it"
    assert [p["name"] for p in said["parameters"] if not p["right"]] == wrong


def test_a_number_of_the_forward_pass_is_no_loss(tmp_path):
    """Of one example a hidden unit is a single number, on which the weights behind it have no influence."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.random((1, 24))
V, W, U = rng.normal(size=(24, 9)), rng.normal(size=(9, 1)), rng.normal(size=(1, 24))
V_old, W_old, U_old = 0 * V, 0 * W, 0 * U
for _ in range(9):
    h = np.tanh(X @ V)
    z = h @ W
    d = X - np.tanh(z) @ U
    e = d @ U.T * (1 - np.tanh(z) ** 2)
    dU, dW, dV = np.tanh(z).T @ d, h.T @ e, X.T @ (e @ W.T * (1 - h ** 2))
    U = U + 0.1 * dU
    W = W + 0.1 * dW
    V = V + 0.1 * dV
    U, U_old = U + 0.5 * (U - U_old) + 0.1 * dU, U
    W, W_old = W + 0.5 * (W - W_old) + 0.1 * dW, W
    V, V_old = V + 0.5 * (V - V_old) + 0.1 * dV, V
    z = np.tanh(X @ V) @ W
"""
    assert examined(tmp_path, text)["verdict"] == "right"


def test_gradients_that_are_no_multiple_of_the_loss_are_not_said_to_be(tmp_path):
    """One output and one example: all gradients could be those of another loss, but these are of none."""
    text = """
import numpy as np
np.random.seed(3)
class Layer:
    def __init__(self, shape, act):
        self.W, self.B, self.act = np.random.rand(*shape), np.zeros((shape[0], 1)), act
    def f(self, Z): return Z * (Z > 0) if self.act == 'relu' else 1 / (1 + np.exp(-Z))
    def fp(self, Z): return (Z > 0).astype(int) if self.act == 'relu' else self.f(Z) * (1 - self.f(Z))
    def activate(self, a):
        self.Z = np.dot(self.W, a) + self.B
        self.A = self.f(self.Z)
        return self.A
layers = [Layer((3, 3), 'relu'), Layer((4, 3), 'relu'), Layer((1, 4), 'sigmoid')]
def backward(p, y):
    cost = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    dA = y / p + (1 - y) / (1 - p)
    for l in reversed(layers):
        dZ = l.fp(l.Z)
        l.W -= 0.01 * np.dot(l.A.T, dA * dZ)
        l.B -= 0.01 * np.sum(dZ, axis=1, keepdims=True) / len(l.A)
        dA = np.dot(l.W.T, dA * dZ)
    return cost
P = X = np.random.rand(3, 1)
for l in layers: P = l.activate(P)
backward(P, np.zeros(1))
backward(P, np.zeros(1))
"""
    assert examined(tmp_path, text)["verdict"] == "wrong"


CLIMBING = """
import numpy as np
rng = np.random.default_rng(3)
X, W, v = rng.normal(size=(9, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
for t in range(5):
    h = np.tanh(X @ W)
    q = np.exp(-(h @ v) ** 2)
    print(np.log(q.sum()))
    d = -2 * q * (h @ v) / q.sum()
    v, W = v + 0.1 * h.T @ d, W + 0.1 * X.T @ (np.outer(d, v) * (1 - h ** 2))
"""


def test_what_is_wrong_on_the_way_uphill_is_told_and_what_is_right_is_not_accused(tmp_path):
    """A log-likelihood is to be made large: what all right gradients climb is no loss to be descended."""
    with pytest.raises(ValueError, match="all steps go uphill on the number of line 8"):
        examined(tmp_path, CLIMBING)
    said = examined(tmp_path, CLIMBING.replace(" * (1 - h ** 2)", ""))
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W": False, "v": True}
    assert said["truth"].endswith("which is to be made large")
    assert [f["code"] for f in said["findings"]] == ["unknown"]


def test_a_gradient_may_have_the_small_number_of_the_logarithm_in_it(tmp_path):
    """Beside what is wrong the constant that all right gradients share is seen by the loss that has it, too."""
    text = """
import numpy as np
rng = np.random.default_rng(1)
X, W, b = rng.normal(size=(12, 3)), rng.normal(size=(3, 2)), np.zeros(2)
Y = (X[:, :2] > 0) * 1.0
for _ in range(9):
    P = 1 / (1 + np.exp(-(X @ W + b)))
    print(-np.sum(Y * np.log(P + 1e-8) + (1 - Y) * np.log(1 - P + 1e-8)) / 12)
    d = (-Y / (P + 1e-8) + (1 - Y) / (1 - P + 1e-8)) * P * (1 - P)
    dW, db = X.T @ d / 4, np.sum(d) / 4
    W, b = W - 0.1 * dW, b - 0.1 * db
"""
    said = examined(tmp_path, text)
    assert [p["right"] for p in said["parameters"]] == [True, False]


def test_a_term_of_the_loss_is_no_loss_of_a_part(tmp_path):
    """Without the way back through V the steps of W and A need neither V nor B: they are right by one term of two."""
    text = """
import numpy as np
rng = np.random.default_rng(92)
X = rng.normal(size=(40, 5))
y, z = X[:, :1] * X[:, 1:2], np.abs(X[:, 2:3])
W, A, V, B = [rng.normal(size=size) * .5 for size in ((5, 8), (8, 1), (8, 6), (6, 1))]
for step in range(9):
    h = np.tanh(X @ W)
    g = np.tanh(h @ V)
    d, e = h @ A - y, g @ B - z
    loss = .5 * (d ** 2).mean() + .5 * (e ** 2).mean()
    d, e = d / 40, e / 40
    f = e @ B.T * (1 - g ** 2)
    dW = X.T @ ((d @ A.T + f @ V.T) * (1 - h ** 2))
    W, A, V, B = W - .3 * dW, A - .3 * h.T @ d, V - .3 * h.T @ f, B - .3 * g.T @ e
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match="adds to the loss"):
        examined(tmp_path, text.replace(" + f @ V.T", ""))


def test_what_is_compared_with_a_count_is_no_loss(tmp_path):
    """The first count is 0: the gradient of the prediction itself is what the step is made of."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, w = rng.normal(size=(30, 4)) / 2, np.full(4, 0.01)
y = np.maximum(rng.poisson(1, 30) - 1, 0)
y = y[np.argsort(y)]
for i in range(30):
    difference = 0.1 * np.exp(np.dot(w, X[i])) - y[i]
    w = w - 0.1 * (np.exp(np.dot(w, X[i])) - 5 * y[i]) * X[i]
"""
    with pytest.raises(ValueError, match=r"of the number of line|another one in each draw"):
        examined(tmp_path, text)


def test_how_much_a_loss_has_fallen_is_none(tmp_path):
    """It is to be made large, and gradients that climb the loss would be its own."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 2))
y, w, before = X @ [1.0, 2.0], np.zeros(2), np.inf
for _ in range(50):
    w = w + 0.01 * X.T @ (X @ w - y) / 30
    r = X @ w - y
    cost = r @ r / 60
    fallen = before - cost
    before = cost
"""
    assert [(f["at"], f["code"]) for f in examined(tmp_path, text)["findings"]] == [("dW1", "wrong-sign")]
    assert examined(tmp_path, text.replace("w + 0.01", "w - 0.01"))["verdict"] == "right"


def test_a_loss_that_is_added_up_in_two_lines(tmp_path):
    """What the next example adds to is the loss, and no number of the forward pass that has been stepped."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
W, V = rng.uniform(-0.8, 0.8, (6, 4)), rng.uniform(-0.8, 0.8, (4, 6))
words, labels = [0, 3, 1, 4, 2, 5], [3, 1, 4, 2, 5, 1]
for epoch in range(9):
    loss = 0
    for word, label in zip(words, labels):
        h = np.dot(W.T, np.eye(6)[word].tolist()).reshape(4, 1)
        u = np.dot(V.T, h)
        e = np.exp(u) / np.exp(u).sum(axis=0) - np.eye(6)[label].reshape(6, 1)
        dV = np.dot(h, e.T)
        dW = np.dot(np.eye(6)[word].reshape(6, 1), np.dot(V, e).T)
        V = V - 0.05 * dV
        W = W - 0.05 * dW
        loss += -u[label][0]
        loss += np.log(np.sum(np.exp(u)))
    print(loss)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("np.dot(V, e)", "np.dot(V, e / 6)"))["verdict"] == "wrong"


@pytest.mark.parametrize("labels", ["np.eye(3)[np.arange(9) % 3]", "2 * np.eye(3)[np.arange(9) % 3] - 1"])
def test_the_logarithm_of_a_tanh_is_no_loss(tmp_path, labels):
    """Ŷ − Y is the derivative of a loss of its own there, −½ Σ (1 + y) ln(1 + ŷ) + (1 − y) ln(1 − ŷ)."""
    text = PLAIN.replace("np.eye(3)[np.arange(9) % 3]", labels).replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "")
    text = text.replace("E = np.exp(A1 @ W2 + b2)", "P = np.tanh(A1 @ W2 + b2)")
    text = text.replace("    P = E / E.sum(1, keepdims=True)\n", "")
    with pytest.raises(ValueError, match="no gradient is that of a loss which the program computes or implies"):
        examined(tmp_path, text)


@pytest.mark.parametrize("error", ["2 * (P - Y) / Y.size", "(2 / Y.size) * (P - Y)"])
def test_a_number_after_the_step_whose_derivative_goes_back_is_the_loss(tmp_path, error):
    """To the constant: Ŷ − Y alone is the derivative of many a loss."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "").replace("(P - Y) / 9", error)
    said = examined(tmp_path, f"{text}    print(np.mean((P - Y) ** 2))\n")
    assert [f["code"] for f in said["findings"]] == ["missing-output-derivative"]


def test_a_number_after_the_step_of_the_class_that_goes_back_is_the_loss(tmp_path):
    loss = """
class Cost:
    def __call__(self, y, p):
        return -np.mean(np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=1))

    def derivative(self, y, p):
        return (p - y) / 9


cost = Cost()
"""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "")
    for old in ("np.exp(A1 @ W2 + b2)", "E / E.sum(1, keepdims=True)"):  # a sigmoid
        text = text.replace(old, SENT_BACK[old])
    text = text.replace("(P - Y) / 9", "cost.derivative(Y, P) * P * (1 - P)").replace("for _", f"{loss}for _")
    said = examined(tmp_path, f"{text}    print(cost(Y, P))\n")
    assert [f["code"] for f in said["findings"]] == ["extra-activation-derivative"]
    with pytest.raises(ValueError, match="computes another number once the step is made"):
        examined(tmp_path, f"{text}    print(-np.mean(np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P), axis=1)))\n")


def test_a_number_after_the_step_of_the_function_that_goes_back_is_the_loss(tmp_path):
    """Of one that gives a loss or its derivative. Else it may be a measure: one gradient is named, by that number's
    catalogue, and the other one is nobody's."""
    loss = """
def mse(y, p, derivative=False):
    return p - y if derivative else np.mean((p - y) ** 2)

"""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "")
    for old in ("np.exp(A1 @ W2 + b2)", "E / E.sum(1, keepdims=True)"):  # a sigmoid
        text = text.replace(old, SENT_BACK[old])
    text = text.replace("dZ2.sum(0)", "(A1.T @ dZ2).mean(0)").replace("for _", f"{loss}for _")
    text += "    print(mse(Y, P))\n"
    slope = " / (1 + np.exp(-P)) * (1 - 1 / (1 + np.exp(-P)))"
    said = examined(tmp_path, text.replace("(P - Y) / 9", f"mse(Y, P, True){slope}"))
    assert ("dZ2", "derivative-of-activated-value") in [(f["at"], f["code"]) for f in said["findings"]]
    with pytest.raises(ValueError, match="computes another number once the step is made"):
        examined(tmp_path, text.replace("(P - Y) / 9", f"(P - Y){slope}"))


def test_a_class_that_has_more_than_a_loss_does_not_say_which_it_is(tmp_path):
    """Only the class that makes the error itself does."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "").replace(
        "dZ2 @ W2.T * (1 - A1 ** 2)", "maths.back(dZ2 @ W2.T, A1)"
    )
    maths = """
class Maths:
    def mse(self, y, p):
        return np.mean((y - p) ** 2)

    def back(self, d, a):
        return d * (1 - a ** 2)


maths = Maths()
"""
    text = text.replace("for _", f"{maths}for _")
    with pytest.raises(ValueError, match="computes another number once the step is made"):
        examined(tmp_path, f"{text}    print(maths.mse(Y, P))\n")


BY_ITS_LABEL = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(40, 3)), (np.arange(40) + 1) % 2
W1, b1, W2, b2 = rng.normal(size=(4, 3)), np.zeros(4), rng.normal(size=(1, 4)), np.zeros(1)
for epoch in range(30):
    total = 0
    for i in range(40):
        h = 1 / (1 + np.exp(-(W1 @ X[i] + b1)))
        p = 1 / (1 + np.exp(-(W2 @ h + b2)))
        if y[i] == 1:
            loss, d2 = -np.log(p), p - 1
        else:
            loss, d2 = -np.log(1 - p), p
        total += loss
        d1 = d2 @ W2 * h * (1 - h)
        W2 -= 0.1 * np.outer(d2, h)
        b2 -= 0.1 * d2
        W1 -= 0.1 * np.outer(d1, X[i])
        b1 -= 0.1 * d1
    print(total)
"""


def test_a_step_up_what_the_next_one_goes_down(tmp_path):
    assert examined(tmp_path, BY_ITS_LABEL)["verdict"] == "right"
    with pytest.raises(ValueError, match="the first one goes uphill on the number of line 15"):
        examined(tmp_path, BY_ITS_LABEL.replace("p - 1", "1 - p"))


PRINTED_AT_TIMES = """
import numpy as np
rng = np.random.default_rng(0)
X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
W1, W2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
for i in range(2000):
    h = np.tanh(X @ W1)
    o = 1 / (1 + np.exp(-(h @ W2)))
    d2 = (y - o) * o * (1 - o)
    d1 = d2 @ W2.T * (1 - h * h)
    W2 += h.T @ d2 * 0.1
    W1 += X.T @ d1 * 0.1
    if i % 100 == 0:
        print(np.mean(np.square(y - o)))
"""


def test_a_number_that_is_printed_at_times_is_not_passed_over(tmp_path):
    """Once the step is made: in the second step there is none."""
    assert examined(tmp_path, PRINTED_AT_TIMES)["verdict"] == "right-up-to-scale"
    with pytest.raises(ValueError, match="line 14 computes another number once the step is made"):
        examined(tmp_path, PRINTED_AT_TIMES.replace(" * o * (1 - o)", ""))


def test_a_clipped_prediction_turns_no_gradient_round(tmp_path):
    """Beside what is wrong, a gradient is not wrong that would be right if nothing were clipped: in that direction."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(11, 4)), rng.integers(0, 2, size=11)
def cost(w, b):
    total = 0
    for i in range(11):
        p = np.clip(1 / (1 + np.exp(-np.clip(X[i] @ w + b, -500, 500))), 1e-15, 1 - 1e-15)
        total += -y[i] * np.log(p + 1e-15) - (1 - y[i]) * np.log(1 - p + 1e-15)
    return total / 11
def gradient(w, b):
    dw, db = np.zeros(4), 0
    for i in range(11):
        e = 1 / (1 + np.exp(-np.clip(X[i] @ w + b, -500, 500))) - y[i]
        for j in range(4):
            dw[j] = dw[j] + e * X[i, j]
        db = db + e
    return dw / 11, db / 11
w, b = np.zeros(4), 0
history = [cost(w, b)]
for i in range(50):
    dw, db = gradient(w, b)
    w = w - 0.5 * dw
    b = b - 0.5 * db
    history.append(cost(w, b))
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("dw[j] + e", "dw[j] - e"))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("dW1", "wrong-sign", 16)]
    said = examined(tmp_path, text.replace("    b = b - 0.5 * db\n", ""))
    unused = "which is what the gradient of a bias would be, and steps nothing"
    assert [(u["shape"], u["line"], u["why"]) for u in said["unjudged"]] == [([], 18, unused)]


REWARDED = """
import numpy as np
rng = np.random.default_rng(0)
W = rng.normal(size=(3, 4)) * 0.1
for episode in range(30):
    s = rng.normal(size=4)
    p = np.exp(W @ s); p /= p.sum()
    a = rng.choice(3, p=p)
    r = 1.0 if a == np.argmax(s[:3]) else -1.0
    score = r * np.log(p[a])
    one = np.zeros(3); one[a] = 1
    W += 0.1 * r * np.outer(one - p, s)
    print(score)
"""


def test_a_number_that_is_to_be_made_large_at_times_is_no_loss(tmp_path):
    with pytest.raises(ValueError, match="multiplies the number by positive and by negative ones"):
        examined(tmp_path, REWARDED)


NORM = """
import numpy as np
np.random.seed(0)
W1, b1 = np.random.rand(5, 2) - .5, np.random.rand(5, 1) - .5
W2, b2 = np.random.rand(2, 5) - .5, np.random.rand(2, 1) - .5
X, Y = np.random.randn(64, 2, 1), np.random.randn(64, 2, 1)
for x, y in zip(X, Y):
    h = np.tanh(W1 @ x + b1)
    p = W2 @ h + b2
    loss = np.sqrt(((p - y) ** 2).sum())
    d = (p - y) / loss
    dh = W2.T @ d * (1 - h ** 2)
    W2 -= .01 * d @ h.T; b2 -= .01 * d
    W1 -= .01 * dh @ x.T; b1 -= .01 * dh
"""


@pytest.mark.parametrize(
    ("loss", "error"),
    [
        ("np.sqrt(((p - y) ** 2).sum())", "(p - y) / loss"),
        ("np.linalg.norm(p - y)", "(p - y) / loss"),
        ("np.sqrt(np.mean((p - y) ** 2))", "(p - y) / (2 * loss)"),
        ("((p - y) ** 2).sum() ** 2", "4 * (p - y) * np.sqrt(loss)"),
    ],
)
def test_a_loss_that_its_own_gradient_has_in_it(tmp_path, loss, error):
    text = NORM.replace("np.sqrt(((p - y) ** 2).sum())", loss).replace("(p - y) / loss", error)
    assert examined(tmp_path, text)["verdict"] == "right"
    wrong = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert wrong["verdict"] == "wrong"
    assert {p["name"] for p in wrong["parameters"] if not p["right"]} == {"W1", "b1"}


def test_a_loss_that_its_own_gradient_is_half_of(tmp_path):
    said = examined(tmp_path, NORM.replace(".sum())", ".sum()) / p.size").replace("/ loss", "/ loss / p.size"))
    assert said["verdict"] == "right-up-to-scale"


def test_what_divides_the_error_may_be_of_a_loss_that_is_nowhere(tmp_path):
    """log(1 + |ŷ − y|²) / 2."""
    text = NORM.replace("np.sqrt(((p - y) ** 2).sum())", "1 + np.sum((p - y) ** 2)")
    with pytest.raises(ValueError, match="another one in each draw"):
        examined(tmp_path, text)


def test_where_there_is_one_class_nothing_is_right(tmp_path):
    """Of one class a softmax is 1: whatever stands in the gradient, it is 0."""
    text = """
import numpy as np
rng = np.random.default_rng(3)
X, W = rng.normal(size=(9, 3)), rng.normal(size=(3, 1))
for t in range(5):
    E = np.exp(X @ W)
    P = E / E.sum(1, keepdims=True)
    W = W - 0.1 * (X ** 2).T @ (P - 1) / 9
    print(-np.mean(np.log(P)))
"""
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


def test_an_error_that_is_sent_back_to_the_data_is_no_loss(tmp_path):
    """Each unit keeps what it sends back; that of the first layer steps nothing, and labels are met in branches."""
    text = """
import numpy as np
rng = np.random.default_rng(5)
X, y = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
class Unit:
    def __init__(self, count):
        self.w, self.b = rng.standard_normal(count), rng.standard_normal()
        self.back, self.dw = np.zeros(count), np.zeros(count)
    def forward(self, a):
        self.a = a
        self.z = 1 / (1 + np.exp(-(self.w @ a + self.b)))
        return self.z
    def backward(self, d):
        for v in range(len(self.a)):
            self.back[v] = self.z * (1 - self.z) * self.w[v] * d
            self.dw[v] = self.z * (1 - self.z) * self.a[v] * d
        self.db = self.z * (1 - self.z) * d
hidden, out = [Unit(2) for _ in range(3)], Unit(3)
for epoch in range(20):
    total = 0
    for x, label in zip(X, y):
        a = np.zeros(3)
        for k, unit in enumerate(hidden): a[k] = unit.forward(x)
        p = out.forward(a)
        total += -np.log(1 - p) if label == 0 else -np.log(p)
        out.backward(1 / (1 - p) if label == 0 else -1 / p)
        for k, unit in enumerate(hidden): unit.backward(out.back[k])
        for unit in hidden + [out]:
            unit.w = unit.w - 0.01 * unit.dw
            unit.b = unit.b - 0.01 * unit.db
    print(total / 40)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"]), said["loss"]["from"]) == ("right", 8, "source")
    said = examined(tmp_path, text.replace("self.dw[v] = self.z * (1 - self.z)", "self.dw[v] = (1 - self.z)"))
    assert {p["name"] for p in said["parameters"] if not p["right"]} == {"out.w", *(f"hidden[{k}].w" for k in range(3))}


@pytest.mark.parametrize("error", ["np.sign(p - y)", "np.tanh(p - y)", "(p - y) / np.sqrt(1 + (p - y) ** 2)"])
def test_an_error_that_is_a_function_of_the_difference_is_not_accused(tmp_path, error):
    """Of one example it is the last bias's gradient, which may also be the difference, stepped by a function of it."""
    text = NORM.replace("    loss = np.sqrt(((p - y) ** 2).sum())\n", "").replace("(p - y) / loss", error)
    with pytest.raises(ValueError, match="no gradient is that of a loss which the program computes or implies"):
        examined(tmp_path, text)


def test_a_head_with_a_loss_of_its_own_beside_a_measure_is_not_accused(tmp_path):
    """What it stands on is a constant to it."""
    head = "    V -= 0.1 * A1.T @ (A1 @ V - R)\n"
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "")
    text = text.replace("    dZ2", head + "    dZ2", 1) + "    print(np.mean((P - Y) ** 2))\n"
    begin = text.index("for ")
    text = text[:begin] + "V, R = np.random.randn(5, 2), np.random.randn(9, 2)\n" + text[begin:]
    with pytest.raises(ValueError, match="the gradient of V goes back over it: right if it is to, as that of another"):
        examined(tmp_path, text)


@pytest.mark.parametrize(
    "error",
    [
        "(P - Y) * (1 + X[:, :1] ** 2) / 9",
        "(P - Y + 0.1 * P * (np.log(P) - np.sum(P * np.log(P), 1, keepdims=True))) / 9",
    ],
)
def test_an_error_of_a_loss_without_a_name_beside_a_measure_after_the_step_is_not_accused(tmp_path, error):
    """Of weights of examples, or with a share of the entropy."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "").replace("(P - Y) / 9", error)
    text += "    print(np.mean((P - Y) ** 2))\n"
    with pytest.raises(ValueError, match="computes another number once the step is made: right if that is a measure"):
        examined(tmp_path, text)


POISSON = """import numpy as np
rng = np.random.default_rng(3)
X = np.c_[np.ones(100), rng.normal(size=(100, 2))]
y = rng.poisson(np.exp(X @ np.array([0.5, 0.3, -0.2])))
beta = np.zeros(3)
for t in range(200):
    mu = np.exp(X @ beta)
    print(np.sum(y * np.log(mu) - mu))
    beta += 0.001 * X.T @ (y - mu)
"""


def test_a_likelihood_has_a_largest_value_and_no_least(tmp_path):
    """The number has no name that is known; it curves downwards wherever the gradient leads."""
    said = examined(tmp_path, POISSON)
    assert (said["verdict"], "which is to be made large" in said["truth"]) == ("right", True)
    with pytest.raises(ValueError, match="but that has no least value: right if it is to be made small"):
        examined(tmp_path, POISSON.replace("(y - mu)", "(mu - y)"))


TURNED = """
import numpy as np

class Model:
    def __init__(self):
        self.w, self.b = np.random.uniform(-1, 1, 3), 0

    def __call__(self, x):
        return 1 / (1 + np.exp(-(np.matmul(x, self.w) + self.b)))

    def loss(self, p, y):
        p = np.clip(p, a_min=1e-9, a_max=1 - 1e-9)
        return np.mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)), axis=0)

    def backward(self, x, p, y):
        y, p = y.reshape(-1, 1), p.reshape(-1, 1)
        return np.mean(x * (p - y), axis=0), np.mean(p - y, axis=0)

np.random.seed(0)
X = np.random.normal(size=(12, 3))
Y = (X[:, 0] > 0).astype(int)  # the first batch is all of one class
model = Model()
for epoch in range(3):
    total, seen = 0.0, []
    for k in (0, 4, 8):
        x, y = X[k:k+4], Y[k:k+4]
        p = model(x)
        loss = model.loss(p, y)
        dw, db = model.backward(x, p, y)
        model.w -= 0.1 * dw
        model.b -= 0.1 * db
        total += loss
        seen.append(p)
        print(total / 4)
    print(np.mean(np.hstack(seen) > .5))
"""


def test_a_loss_is_of_a_prediction_however_that_is_turned_on_the_way_back(tmp_path):
    said = examined(tmp_path, TURNED)
    assert (said["verdict"], said["loss"]["from"]) == ("right", "source")
    found = examined(tmp_path, TURNED.replace("np.mean(x", "np.sum(x"))["findings"]
    assert [(f["at"], f["code"]) for f in found] == [("dW1", "wrong-scale")]


OF_ALL = """
import numpy as np
np.random.seed(1)
data = [(np.random.randn(4, 1), np.random.randn(2, 1)) for _ in range(30)]
W, b = np.random.randn(2, 4), np.zeros((2, 1))
for t in range(9):
    print(sum(np.sum((W @ x + b - y) ** 2) for x, y in data) / 30)
    batch = [data[k] for k in np.random.choice(30, 8, replace=False)]
    dW = sum(2 * (W @ x + b - y) @ x.T for x, y in batch) / 8
    db = sum(2 * (W @ x + b - y) for x, y in batch) / 8
    W = W - 0.05 * dW
    b = b - 0.05 * db
"""


def test_a_loss_of_all_examples_has_some_predictions_in_common_with_a_batch(tmp_path):
    assert examined(tmp_path, OF_ALL)["verdict"] == "right"


def test_a_prediction_that_each_gradient_makes_anew_counts_once(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.uniform(4, 22, 97)
y = 1.2 * X - 4 + rng.normal(size=97)
w, b = 0.3, 0.2
for _ in range(9):
    cost = np.mean((X * w + b - y) ** 2) / 2
    dw = np.mean((w * X + b - y) * X)
    db = np.mean(w * X + b - y)
    w -= 0.001 * dw
    b -= 0.001 * db
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    found = examined(tmp_path, text.replace("** 2) / 2", "** 2)"))["findings"]
    assert [(f["code"], f["scale"]) for f in found] == [("wrong-scale", pytest.approx(0.5))]
    found = examined(tmp_path, text.replace("- y) * X)", "- y))"))["findings"]
    assert [(f["at"], f["line"]) for f in found] == [("dw", 9)]


def test_which_of_two_gradients_lacks_a_constant_is_for_the_loss_to_say(tmp_path):
    """It is a sum of all examples, after the step: by what the error implies, either may."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
y = (X @ [1., -2, 1] > 0).astype(int)
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def cost(w, b):
    total = 0
    for x, t in zip(X, y):
        p = sigmoid(x @ w + b)
        total += -t * np.log(p) - (1 - t) * np.log(1 - p)
    return total / len(X)
w, b = np.zeros(3), 0
costs = [cost(w, b)]
for _ in range(9):
    dw, db = np.zeros(3), 0
    for x, t in zip(X, y):
        error = sigmoid(x @ w + b) - t
        dw = dw + error * x
        db = db + error
    w = w - 0.01 * dw / len(X)
    b = b - 0.01 * db / len(X)
    costs.append(cost(w, b))
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    found = examined(tmp_path, text.replace("dw / len(X)", "dw"))["findings"]
    assert [(f["at"], f["code"], f["scale"]) for f in found] == [("dW1", "wrong-scale", pytest.approx(30))]


SCORED = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(80, 4))
y = (X[:, 0] > 0) * 1.0

def predict(X, w, b):
    return 1 / (1 + np.exp(-(X @ w + b)))

def brier_score(X, y, w, b):
    return np.mean((predict(X, w, b) - y) ** 2)

w, b = np.zeros(4), 0.0
for epoch in range(20):
    d = predict(X, w, b) - y
    w -= 0.5 * (X.T @ d) / 80
    b -= 0.5 * np.mean(d)
    if epoch % 5 == 0:
        print(brier_score(X, y, w, b))
"""


def test_what_is_called_a_score_is_no_loss_that_was_missed(tmp_path):
    """Of the error of cross-entropy, beside a mean square that is printed (Brier 1950)."""
    with pytest.raises(ValueError, match="right if that is a measure, as its name says"):
        examined(tmp_path, SCORED)
    shown = SCORED.replace("return np.mean(", "return 1 - np.mean(").replace("brier_score", "score")
    with pytest.raises(ValueError, match=r"as its name says \(score\)"):
        examined(tmp_path, shown)
    inline = SCORED.replace("print(brier_score(X, y, w, b))", "print('brier', np.mean((p - y) ** 2))")
    inline = inline.replace("d = predict(X, w, b) - y", "p = predict(X, w, 0)\n    d = p - y").replace(
        "    b -= 0.5 * np.mean(d)\n", ""
    )
    with pytest.raises(ValueError, match=r"as its name says \(brier\)"):
        examined(tmp_path, inline)
    assert examined(tmp_path, inline.replace("'brier'", "'loss'"))["verdict"] == "wrong"
    said = examined(tmp_path, SCORED.replace("brier_score", "cost"))
    assert said["findings"][0]["code"] == "missing-output-derivative"


TWO_TASKS = """
import numpy as np
np.random.seed(1)
X, T, L = np.random.randn(20, 6), np.random.randn(20, 1), (np.random.rand(20, 1) > 0.5) * 1.0
W, A, B = np.random.randn(6, 5) / 2, np.random.randn(5, 1) / 2, np.random.randn(5, 1) / 2
for epoch in range(9):
    H = np.tanh(X @ W)
    R = H @ A
    P = 1 / (1 + np.exp(-(H @ B)))
    distance = np.mean((R - T) ** 2)
    entropy = -np.mean(L * np.log(P) + (1 - L) * np.log(1 - P))
    print(epoch, distance, entropy)
    dR = 2 * (R - T) / 20
    dP = (P - L) / 20
    dH = dR @ A.T + dP @ B.T
    dA = H.T @ dR
    dB = H.T @ dP
    dW = X.T @ (dH * (1 - H ** 2))
    W -= 0.1 * dW
    A -= 0.1 * dA
    B -= 0.1 * dB
"""


def test_numbers_that_are_shown_one_by_one_may_be_meant_to_be_added_up(tmp_path):
    report = examined(tmp_path, TWO_TASKS)
    assert report["verdict"] == "right"
    assert "the sum of the numbers of line 10 of net.py and line 11 of net.py" in report["truth"]


LINE_SEARCH = """
import numpy as np
rng = np.random.default_rng(3)
X, w = rng.normal(size=(50, 4)), rng.normal(size=4) * 0.1
y = (X[:, 0] > X[:, 1]) * 1.0
def loss(w):
    p = 1 / (1 + np.exp(-X @ w))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
for _ in range(20):
    p = 1 / (1 + np.exp(-X @ w))
    g = X.T @ (p - y) / 50
    was, t = loss(w), 1.0
    while loss(w - t * g) > was - 0.5 * t * (g @ g):
        t /= 2
    w = w - t * g
"""


@pytest.mark.parametrize(("error", "verdict"), [("(p - y)", "right"), ("((p - y) * p)", "wrong")])
def test_what_a_line_search_begins_with_is_the_loss_and_its_bound_is_none(tmp_path, error, verdict):
    said = examined(tmp_path, LINE_SEARCH.replace("(p - y)", error))
    assert (said["verdict"], said["loss"]["from"]) == (verdict, "source")


def test_a_sum_may_have_a_rate_in_it(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(80, 4))
y, w, b = (X[:, 0] > X[:, 1]) * 1.0, rng.normal(size=4) * 0.1, 0.0
for epoch in range(30):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    of_ones, of_zeros = -np.mean(y * np.log(p)), -np.mean((1 - y) * np.log(1 - p))
    e = (p - y) / len(y)
    w -= 0.5 * X.T @ e
    b -= 0.5 * e.sum()
    print(epoch, of_ones, of_zeros)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert {f["line"] for f in examined(tmp_path, text.replace("(p - y)", "(p - y) * p"))["findings"]} <= {9}


def test_what_is_not_that_of_the_sum_is_wrong_where_others_are(tmp_path):
    report = examined(tmp_path, TWO_TASKS.replace("dA = H.T @ dR", "dA = H.T @ R / 10"))
    assert [(f["at"], f["line"]) for f in report["findings"]] == [("dA", 16)]


def test_another_sum_that_the_program_computes_is_the_loss(tmp_path):
    """And where it computes none, one whose terms count differently is neither right nor wrong."""
    weighted = TWO_TASKS.replace("    print(epoch, distance, entropy)", "    loss = distance + entropy / 2")
    assert {f["at"] for f in examined(tmp_path, weighted)["findings"]} == {"dB", "dW"}
    with pytest.raises(ValueError, match="cannot be told"):
        examined(tmp_path, TWO_TASKS.replace("dP = (P - L) / 20", "dP = (P - L) / 40"))


WEIGHTED_LATER = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
y, w = (X[:, 0] > X[:, 1]) * 1.0, rng.normal(size=4) * 0.1

def fit(X, y, w, sample_weight=None):
    if sample_weight is None:
        sample_weight = np.ones(len(y))
    for epoch in range(20):
        p = 1 / (1 + np.exp(-X @ w))
        loss = -np.sum(sample_weight * (y * np.log(p) + (1 - y) * np.log(1 - p))) / np.sum(sample_weight)
        w = w - 0.5 * X.T @ (sample_weight * (p - y)) / len(y)
    return w

fit(X, y, w)
"""


def test_weights_that_are_all_1_prove_nothing_of_the_gradients_that_forget_them(tmp_path):
    assert examined(tmp_path, WEIGHTED_LATER)["verdict"] == "right"
    wrong = WEIGHTED_LATER.replace("(sample_weight * (p - y))", "(p - y)")
    with pytest.raises(ValueError, match="makes weights that are all 1: with others the gradient of w"):
        examined(tmp_path, wrong)
