"""Learning rates and constants: which number is a rate, and which a factor that a gradient has too much."""

import functools
import re

import pytest
from judging import PLAIN, RATE_INSIDE, SLOPE, SOFTMAX_ALONE, examined


def test_a_rate_inside_of_gradients_that_have_another_constant(tmp_path):
    """Nobody can tell the rate from another number there: nothing is said of a constant."""
    text = PLAIN.replace("-np.sum(Y * np.log(P)) / 9", "-2 * np.sum(Y * np.log(P)) / 9")
    for old, new in RATE_INSIDE.items():
        text = text.replace(old, new)
    assert examined(tmp_path, text)["verdict"] == "right"


def test_a_number_before_the_error_is_no_learning_rate(tmp_path):
    """Twice the gradient, where what it is twice of is no more than the prediction."""
    text = """
import numpy as np
np.random.seed(2)
def forward(W, b, X):
    E = np.exp(X @ W + b)
    return E / np.sum(E, axis=1, keepdims=True)
def compute_loss(P, Y):
    return 0.5 * np.sum((P - Y) ** 2) / len(Y)
def backward(P, X, Y):
    dZ = 2 * P * ((P - Y) - np.sum((P - Y) * P, axis=1, keepdims=True)) / len(Y)
    return X.T @ dZ, np.sum(dZ, axis=0)
X, Y = np.random.randn(6, 8), np.eye(4)[np.arange(6) % 4]
W, b = np.random.randn(8, 4) / 2, np.random.randn(4)
for _ in range(9):
    P = forward(W, b, X)
    loss = compute_loss(P, Y)
    dW, db = backward(P, X, Y)
    W, b = W - 1.0 * dW, b - 1.0 * db
"""
    assert examined(tmp_path, text)["verdict"] == "right-up-to-scale"
    assert examined(tmp_path, text.replace("2 * P", "P"))["verdict"] == "right"


def test_the_share_that_a_moving_average_takes_is_the_optimisers(tmp_path):
    averaged = re.sub(r"    (\w\d) -= 0.1 \* (d\w\d)", r"    v\1 = 0.9 * v\1 + 0.1 * \2\n    \1 -= 0.5 * v\1", PLAIN)
    averaged = averaged.replace("for _", "vW1, vb1, vW2, vb2 = (np.zeros(p.shape) for p in (W1, b1, W2, b2))\nfor _")
    finding = examined(tmp_path, averaged.replace("np.log(P)) / 9", "np.log(P))"))["findings"][0]
    assert (finding["at"], finding["code"], finding["scale"]) == ("loss", "wrong-scale", pytest.approx(1 / 9))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.1 * dW1", "0.1 * dW1 * .3"),
        ("0.1 * dW1", "(0.1 * dW1) / 2"),
        ("W1 -= 0.1 * dW1", "s = 0.1 * dW1\n    s *= .3\n    W1 -= s"),
    ],
)
def test_a_layer_may_have_a_rate_of_its_own(tmp_path, old, new):
    assert examined(tmp_path, PLAIN.replace(old, new))["verdict"] == "right"


def test_each_line_may_have_its_own_rate_within_a_product(tmp_path):
    """`rate * X.T @ error` is (rate · Xᵀ) error."""
    lines = {"    W1 -= 0.1 * dW1": "    W1 -= 0.2 * X.T @ dZ1", "    W2 -= 0.1 * dW2": "    W2 -= 0.05 * A1.T @ dZ2"}
    text = PLAIN
    for old, new in lines.items():
        text = text.replace(old, new)
    assert examined(tmp_path, text)["verdict"] == "right"


def test_a_number_of_the_formula_is_no_part_of_the_rate_of_what_is_wrong_beside_it(tmp_path):
    """0.5 · 2 is 1: W2 and b2 are stepped by 0.5 times the gradient, and W1 and b1 are as well."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, t = rng.normal(size=(8, 4)), np.arange(8) % 2
W1, b1, W2, b2 = (rng.normal(size=size) for size in ((4, 3), (1, 3), (3, 1), (1, 1)))
for _ in range(20):
    for i in range(len(X)):
        h = 1 / (1 + np.exp(-(X[i] @ W1 + b1)))
        o = 1 / (1 + np.exp(-(h @ W2 + b2)))
        print((t[i] - o) ** 2)
        W2 = W2 - 0.5 * (-2 * (t[i] - o)) * (o * (1 - o)) * h.T
        b2 = b2 - 0.5 * (-2 * (t[i] - o)) * (o * (1 - o))
        W1 = W1 - 0.5 * (-2 * (t[i] - o)) * (o * (1 - o)) * W2.T * (h * (1 - h)) * X[i][:, None]
        b1 = b1 - 0.5 * (-2 * (t[i] - o)) * (o * (1 - o)) * W2.T * (h * (1 - h))
"""
    assert [(f["at"], f["code"]) for f in examined(tmp_path, text)["findings"]] == [("dZ1", "weights-already-updated")]


def test_a_number_of_examples_is_no_rate(tmp_path):
    counted = re.sub(r"(0.1 \* d\w\d)", r"\1 / 9", PLAIN.replace("(P - Y) / 9", "P - Y"))
    assert examined(tmp_path, counted)["verdict"] == "right"
    wrong = examined(tmp_path, counted.replace("db2 / 9", "db2"))
    assert [(f["at"], f["code"], f["scale"]) for f in wrong["findings"]] == [("db2", "wrong-scale", pytest.approx(9))]


def test_a_rate_that_happens_to_be_one_over_the_number_of_examples(tmp_path):
    text = re.sub(r"0.1 \* d", "0.111111111111111111 * d", PLAIN)
    text = text.replace("* dW1", "* X.T @ dZ1").replace("* dW2", "* A1.T @ dZ2")
    assert examined(tmp_path, re.sub(r"\* db(.)", r"* dZ\1.sum(0)", text))["verdict"] == "right"


@pytest.mark.parametrize(
    "step",
    [
        "    W2 -= 0.1 * (A1.T @ dZ2)\n    W1 -= 0.1 * X.T @ dZ1\n    b1 -= 0.1 * db1\n    b2 -= 0.1 * db2\n",
        "    all_of = [(W1, dW1), (b1, db1), (W2, dW2), (b2, db2)]\n"
        "    norm = np.sqrt(sum(np.sum(d ** 2) for _, d in all_of))\n"
        "    for W, d in all_of:\n        W -= 0.1 * np.clip(d / norm, -2, 2)\n",
        "    W1 -= 0.5 * dW1\n    b1 -= 0.5 * db1\n    W2 -= %.20f * dW2\n    b2 -= 0.5 * db2\n" % (1 / 9),
    ],
    ids=["a product in the step", "clipping by a norm that has the wrong gradient in it", "a rate that is 1/m"],
)
def test_a_wrong_slope_beside_numbers_that_may_be_rates_is_all_that_is_wrong(tmp_path, step):
    text = PLAIN[: PLAIN.index("    W1 -=")] + step
    assert examined(tmp_path, text)["verdict"] == "right"
    wrong = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in wrong["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_rates_that_differ_by_the_number_of_examples(tmp_path):
    """`rate / m` is a number like any other once it is computed: the one without may be a mean that was forgotten."""
    text = PLAIN.replace("(P - Y) / 9", "P - Y").replace("for _", "m, rate = len(X), 0.5\nfor _")
    text = re.sub(r"0.1 \* d(\w)(\d)", r"rate / m * d\1\2", text)
    text = text.replace("* dW1", "* X.T @ dZ1").replace("* dW2", "* A1.T @ dZ2")
    text = text.replace("* db1", "* dZ1.sum(0)").replace("* db2", "* dZ2.sum(0)")
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(
        ValueError, match="b1 is stepped with 9 times the rate of W1, which may be the number of examples"
    ):
        examined(tmp_path, text.replace("m * dZ1.sum", "1 * dZ1.sum"))
    assert examined(tmp_path, text.replace("m * dZ1.sum", "2 * dZ1.sum"))["verdict"] == "right"
    text = text.replace("rate / m *", "rate *")  # it is all in numbers there, and nothing else is
    assert examined(tmp_path, text)["verdict"] == "right-up-to-scale"


def test_constants_are_no_mistakes_where_each_step_may_have_its_own_rate(tmp_path):
    """No rate is common to both gradients: 0.02 may be that of the first layer, and 0.1 that of the second."""
    own = PLAIN.replace("dW1, db1 = X.T", "dW1, db1 = 0.02 * X.T").replace("dW2, db2 = A1.T", "dW2, db2 = 0.1 * A1.T")
    own = re.sub(r"(W\d) -= 0.1 \* d", r"\1 -= d", own)
    own = re.sub(r"    b\d -= .*\n", "", own)
    with pytest.raises(ValueError, match="dW1 is the gradient times another number than others are, and no rate is"):
        examined(tmp_path, own)
    said = examined(tmp_path, own.replace("-= d", "-= 0.1 * d"))
    assert [(f["at"], f["code"]) for f in said["findings"] if f["at"] != "loss"] == [("dW1", "wrong-scale")]


def test_which_of_two_constants_is_wrong_is_not_told_without_a_loss(tmp_path):
    text = """
import numpy as np
X = np.arange(1.0, 11).reshape(-1, 1)
y, w, b = 9.5 * X[:, 0] + 25, np.zeros(1), 0
for _ in range(30):
    e = np.dot(X, w) + b - y
    dw, db = (1 / 10) * np.dot(X.T, e), OF_B * np.sum(e)
    w, b = w - 0.01 * dw, b - 0.01 * db
"""
    assert examined(tmp_path, text.replace("OF_B", "(1 / 10)"))["verdict"] == "right"
    said = examined(tmp_path, text.replace("OF_B *", ""))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-scale")]
    with pytest.raises(ValueError, match="W1 and b1 have constants of which one is 2 times the other"):
        examined(tmp_path, text.replace("OF_B", "(2 / 10)"))


def test_constants_that_differ_are_each_named_beyond_dense_layers(tmp_path):
    """Only a constant that all right gradients share is the loss's."""
    text = PLAIN.replace("X @ W1", "np.einsum('mi,io->mo', X, W1)").replace("dW1, db1 = X.T", "dW1, db1 = 3 * X.T")
    said = examined(tmp_path, text)
    assert said["network"] is None
    assert [(f["code"], f["scale"]) for f in said["findings"]] == [("wrong-scale", pytest.approx(3))]


def test_a_sum_over_a_batch_may_be_divided_once_all_batches_are_added_up(tmp_path):
    text = PLAIN.replace("for _", "total = 0.0\nfor _").replace(" / 9\n    dZ2", "; total += loss\n    dZ2")
    said = examined(tmp_path, f"{text}print(total / 81)")
    assert (said["verdict"], said["loss"]["reduction"], said["findings"]) == ("right", "mean", [])
    assert [f["scale"] for f in examined(tmp_path, text)["findings"]] == [pytest.approx(1 / 9)]
    said = examined(tmp_path, f"{text}print(total / 81)".replace("(P - Y) / 9", "(P - Y) / 3"))
    assert [f["scale"] for f in said["findings"]] == [pytest.approx(1 / 3)]
    mean = text.replace("np.log(P))", "np.log(P)) / 9")
    said = examined(tmp_path, f"{mean}total /= 9".replace("(P - Y) / 9", "(P - Y) / 81"))
    assert [f["scale"] for f in said["findings"]] == [pytest.approx(1 / 9)]
    said = examined(tmp_path, f"{text}print(total / 81)".replace("dZ2.sum(0)", "dZ2.sum(0) / 9"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db2", "wrong-scale")]


def test_a_factor_in_the_step_that_is_a_number_times_the_rate(tmp_path):
    """Which of the two belongs to the gradient is on no record."""
    text = (
        PLAIN.replace("(P - Y) / 9", "(P - Y)").replace("0.1 * d", "rate / 9 * d").replace("for _", "rate = 1\nfor _")
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    text = ONE_MATRIX.replace("0.1 * X", "0.1 * 2 * X")
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, ONE_MATRIX)["verdict"] == "right-up-to-scale"


ONE_MATRIX = """
import numpy as np
rng = np.random.default_rng(4)
X, Y, W = rng.normal(size=(9, 4)), rng.normal(size=(9, 3)), rng.normal(size=(4, 3))
for _ in range(9):
    E = X @ W - Y
    loss = np.sum(E ** 2)
    W -= 0.1 * X.T @ E
"""


def test_two_mistakes_where_the_rate_is_inside_of_the_products(tmp_path):
    """`w += -rate * delta @ h.T` is (−rate · delta) hᵀ, and the biases beside it tell the rate."""
    text = SQUARED_COLUMNS
    assert examined(tmp_path, text)["verdict"] == "right-up-to-scale"
    said = examined(tmp_path, text.replace(" * P * (1 - P)  # slope", "").replace("before.T", "W2.T"))
    errors = [(f["at"], f["code"]) for f in said["findings"] if f["severity"] == "error"]
    assert errors == [("dZ2", "missing-output-derivative"), ("dZ1", "weights-already-updated")]


SQUARED_COLUMNS = """
import numpy as np
np.random.seed(3)
X, Y = np.random.rand(12, 6), np.eye(3)[np.arange(12) % 3]
W1, b1 = np.random.uniform(-0.5, 0.5, (4, 6)), np.zeros((4, 1))
W2, b2 = np.random.uniform(-0.5, 0.5, (3, 4)), np.zeros((3, 1))
for _ in range(3):
    for x, y in zip(X[:, :, None], Y[:, :, None]):
        A = 1 / (1 + np.exp(-(W1 @ x + b1)))
        P = 1 / (1 + np.exp(-(W2 @ A + b2)))
        loss = 1 / len(P) * np.sum((P - y) ** 2, axis=0)
        dZ2 = (P - y) * P * (1 - P)  # slope
        before = W2.copy()
        W2 += -0.01 * dZ2 @ A.T
        b2 += -0.01 * dZ2
        dZ1 = before.T @ dZ2 * A * (1 - A)
        W1 += -0.01 * dZ1 @ x.T
        b1 += -0.01 * dZ1
"""


@pytest.mark.parametrize("rate", [1e-8, 1e-5, 0.1])
def test_weights_that_are_stepped_too_early_show_at_any_rate(tmp_path, rate):
    text = PLAIN.replace("0.1 *", f"{rate} *").replace("    W2 -= ", "    pass; 0 * ", 1)
    early = text.replace("    dZ1 =", f"    W2 = W2 - {rate} * dW2\n    dZ1 =")
    assert [(f["at"], f["code"]) for f in examined(tmp_path, early)["findings"]] == [("dZ1", "weights-already-updated")]


def test_a_rate_that_is_one_over_the_number_of_examples(tmp_path):
    """Of two gradients the one that lacks the mean is wrong, though the other step has the same number."""
    text = SOFTMAX_ALONE.replace("- 0.1 *", "- 0.05 *")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("sum(0) / 20", "sum(0)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-scale")]


def test_a_step_without_a_rate(tmp_path):
    """The mean is over all entries of an array, a number that no axis has: it is no rate where the truth has it too."""
    said = examined(tmp_path, PLAIN.replace("/ 9", "/ P.size").replace("0.1 * ", ""))
    assert (said["verdict"], said["loss"]["from"], said["findings"]) == ("right", "source", [])


VELOCITIES = ("for _", "vW1, vb1, vW2, vb2 = (np.zeros(p.shape) for p in (W1, b1, W2, b2))\nfor _")
NORM = ("    W1 -=", "    n = sum(np.sum(d ** 2) for d in (dW1, db1, dW2, db2)) ** 0.5\n    W1 -=")
ERROR, STEP, LINE = r"\(P - Y\) / 9", r"0.1 \* (d\w\d)", r"(\w\d) -= 0.1 \* (d\w\d)"
TWICE, SUMS, LOSS = (ERROR, "2 * (P - Y) / 9"), (ERROR, "P - Y"), (r"np.log\(P\)\) / 9", "np.log(P))")
# Changes of a program that is right, and the constant that all of its gradients have then.
RATES = {
    "one over the examples, beside a mean": ([(STEP, rf"{1 / 9!r} * \1"), TWICE], 2),
    "the same, inside of sums": ([(STEP, r"\1"), (ERROR, f"{1 / 9!r} * (P - Y)"), LOSS], 1),
    "one number with a factor": ([(STEP, r"\1"), (ERROR, "0.1 * 2 * (P - Y) / 9")], 1),
    "the share of a moving average": (
        [TWICE, (LINE, r"v\1 = 0.9 * v\1 + 0.1 * \2\n    \1 -= 0.1 * v\1"), VELOCITIES], 2),
    "in a velocity, beside sums": ([SUMS, (LINE, r"v\1 = 0.9 * v\1 - 0.1 * \2\n    \1 += v\1"), VELOCITIES], 9),
    "beside a mean of what is clipped": ([(ERROR, "2 * (P - Y)"), NORM, (STEP, r"0.1 * (\1 / n) / 9")], 2),
    "over the examples, beside sums": ([LOSS, SUMS, (STEP, r"0.1 * \1 / 9")], 1),
    "over the examples, and times a mean of errors": (
        [SUMS, (r"0.1 \* dW1", "0.1 / 9 * X.T @ dZ1"), (r"0.1 \* dW2", "0.1 / 9 * A1.T @ dZ2"),
         (r"0.1 \* db(\d)", r"0.1 * np.mean(dZ\1, 0)")], 1),
    "folded, two steps a line": (
        [TWICE, (LOSS[0], "2 * np.log(P)) / 9"), (STEP, r"0.1 * 3 * \1 * 1"), ("\n    b", "; b")], 1),
    "over the examples, and times what sums and means have in common": (
        [SUMS, (r"0.1 \* dW1", "0.1 / 9 * (2 * X.T @ dZ1)"), (r"0.1 \* dW2", "0.1 / 9 * (2 * A1.T @ dZ2)"),
         (r"0.1 \* db(\d)", r"0.1 * np.mean(2 * dZ\1, 0)"), (r"-np.sum\(Y", "-2 * np.sum(Y")], 1),
}  # fmt: skip


@pytest.mark.parametrize("how", RATES)
def test_the_constant_is_what_no_rate_accounts_for(tmp_path, how):
    changes, constant = RATES[how]
    text = PLAIN
    for old, new in changes:
        changed = re.sub(old, new, text)
        assert changed != text, old
        text = changed
    found = [(f["at"], f["scale"]) for f in examined(tmp_path, text)["findings"]]
    assert found == [("loss", pytest.approx(constant))] * (constant != 1)
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]


AVERAGED = (r"W2 -= 0.1 \* dW2", "vW2 = 0.9 * vW2 + 0.1 * dW2\n    W2 -= 0.1 * vW2")
HALF = (ERROR, "(P - Y) / 18")
# The same, where one array is stepped otherwise than others, and what is then said: the constant, or why there is none.
RATES_OF_ONE = {
    "a moving average": ([HALF, AVERAGED, VELOCITIES], 0.5),
    "a factor in its step": ([HALF, (r"0.1 \* dW2", "0.1 * dW2 * 0.3")], 0.5),
    "a rate in its velocity": (
        [HALF, VELOCITIES, (r"W2 -= 0.1 \* dW2", "vW2 = 0.9 * vW2 + 0.1 * dW2\n    W2 -= vW2"),
         (r"b2 -= 0.1 \* db2", "vb2 = 0.9 * vb2 + 0.1 * db2\n    b2 -= 0.1 * vb2")], 0.5),
    "a factor before the rate": ([("    W1 -=", "    dW2 *= 2\n    W1 -=")], "dW2 alone is multiplied by 2 once it is"),
    "a factor in its velocity": (
        [VELOCITIES, (r"W2 -= 0.1 \* dW2", "vW2 = 0.9 * vW2 + 2 * dW2\n    W2 -= 0.1 * vW2")],
        "dW2 alone is multiplied by 2 once it is"),
    "its signs": ([(r"b2 -= 0.1 \* db2", "b2 -= 0.1 * np.sign(db2)")], 1),
    "a recorded rate of its layer": (
        [("for _", "R = np.array([0.1, 0.05])\nfor _"), (r"(\w)(\d) -= 0.1 \*", r"\1\2 -= R[\2 - 1] *")], 1),
}  # fmt: skip


@pytest.mark.parametrize("how", RATES_OF_ONE)
def test_a_rate_of_one_array_s_own(tmp_path, how):
    changes, expected = RATES_OF_ONE[how]
    text = functools.reduce(lambda text, change: re.sub(*change, text), changes, PLAIN)
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            examined(tmp_path, text)
        return
    found = [(f["at"], f["scale"]) for f in examined(tmp_path, text)["findings"]]
    assert found == [("loss", pytest.approx(expected))] * (expected != 1)


@pytest.mark.parametrize("rate", ["r * min(1.0, 0.2 / norm)", "r * k"])
@pytest.mark.parametrize("begin", ["0.0", "np.zeros((1, 1))"])
def test_a_recorded_rate_of_a_single_number(tmp_path, begin, rate):
    """With a norm that is made of both gradients, and a rate of its own that is negative."""
    text = f"""
import numpy as np
rng = np.random.default_rng(2)
X, w, b, r, k = rng.normal(size=(40, 3)), np.zeros((3, 1)), {begin}, np.float64(0.1), np.float64(0.5)
y = (X.sum(1, keepdims=True) > 0) * 1.0
for _ in range(30):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    d = p - y
    dw, db = X.T @ d / 40, d.sum() / 40
    print(-(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / 40)
    norm = np.sqrt(np.sum(dw ** 2) + np.sum(db ** 2))
    w = w - {rate.replace("k", "1")} * dw
    b = b + db * -({rate})
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["findings"], len(said["parameters"])) == ("right", [], 2)


def test_a_constant_that_makes_up_for_an_average_s_share_is_seen(tmp_path):
    """Of 1 − β = 0.1 in all steps, and gradients of which one is ten times too large by the line that makes it."""
    text = re.sub(LINE, r"v\1 = 0.9 * v\1 + 0.1 * \2\n    \1 -= 0.1 * v\1", re.sub(*VELOCITIES, PLAIN))
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("dW2, db2 = A1.T @ dZ2", "dW2, db2 = 10 * A1.T @ dZ2"))
    assert [(f["at"], f["code"], f["scale"]) for f in said["findings"]] == [("dW2", "wrong-scale", pytest.approx(10))]


def test_a_rate_that_makes_up_for_a_constant(tmp_path):
    """A mean over all of 10 × 9 entries, gradients over 9 examples, and a rate of 0.1."""
    text = PLAIN.replace("np.eye(3)[np.arange(9) % 3]", "np.eye(10)[np.arange(9)]").replace("3) / 2", "10) / 2")
    text = text.replace("zeros(3)", "zeros(10)").replace("-np.sum(Y * np.log(P)) / 9", "np.mean(-Y * np.log(P))")
    assert [(f["code"], round(f["scale"], 6)) for f in examined(tmp_path, text)["findings"]] == [("wrong-scale", 10)]


def test_a_rate_and_a_mean_that_are_the_same_number(tmp_path):
    """The rate is inside of the products: 0.05, as is one over 20."""
    text = SOFTMAX_ALONE.replace("(P - Y) / 20\n", "d\n", 1).replace("    dW =", "    d = (P - Y) / 20\n    dW =")
    text = text.replace("W - 0.1 * dW", "W - 0.05 * X.T @ d").replace("b - 0.1 * db", "b - 0.05 * d.sum(0)")
    assert examined(tmp_path, text)["verdict"] == "right"


LOOP_LOSS = """
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(12, 5)), rng.normal(size=(12, 3))
W1, b1, W2, b2 = rng.normal(size=(5, 6)), np.zeros(6), rng.normal(size=(6, 3)), np.zeros(3)
for epoch in range(50):
    H = np.tanh(X @ W1 + b1)
    O = H @ W2 + b2
    total = 0
    for o, t in zip(O, T):
        total += np.mean((o - t) ** 2)
    print(total / 12)
    d = 2 * (O - T)
    e = d @ W2.T * (1 - H ** 2)
    gW2, gb2, gW1, gb1 = H.T @ d / 12, d.sum(0), X.T @ e / 12, e.sum(0)
    W2, b2, W1, b1 = W2 - 0.01 * gW2, b2 - 0.01 * gb2, W1 - 0.01 * gW1, b1 - 0.01 * gb1
"""


@pytest.mark.parametrize("right", [[], ["W2"]], ids=["no bias has the mean", "W2 has"])
def test_a_constant_that_most_gradients_share_is_that_of_the_loss(tmp_path, right):
    """Of a loss that is added up in a loop, and has no name, too. The others are off by what is left."""
    text = LOOP_LOSS.replace("H.T @ d / 12", "H.T @ d / 36") if right else LOOP_LOSS
    said = examined(tmp_path, text)
    assert {p["name"] for p in said["parameters"] if p["right"]} == {*(right or ["W1", "W2"])}
    of_loss = [f["scale"] for f in said["findings"] if f["at"] == "loss"]
    assert of_loss == ([] if right else [pytest.approx(3)])


def test_a_constant_that_all_right_gradients_share_is_said_beside_a_wrong_one(tmp_path):
    """Also where a single one is right."""
    said = examined(tmp_path, LOOP_LOSS.replace("d.sum(0)", "np.tanh(d.sum(0))").replace("(1 - H ** 2)", "(1 - H)"))
    assert [p["name"] for p in said["parameters"] if p["right"]] == ["W2"]
    assert [(f["code"], f["scale"]) for f in said["findings"] if f["at"] == "loss"] == [
        ("wrong-scale", pytest.approx(3))
    ]


def test_constants_where_rates_stand_in_the_lines_of_gradients(tmp_path):
    """They are those of whole steps, which have one rate."""
    steps = """    W2, b2 = W2 - 0.01 * H.T @ d / 12, b2 - 0.01 * d.sum(0)
    W1, b1 = W1 - 0.01 * X.T @ e / 12, b1 - 0.01 * e.sum(0)
"""
    said = examined(tmp_path, LOOP_LOSS[: LOOP_LOSS.index("    gW2")] + steps)
    found = {"db1": pytest.approx(12), "db2": pytest.approx(12), "loss": pytest.approx(3)}
    assert {f["at"]: f["scale"] for f in said["findings"]} == found
    errors = [p["relative_error"] for p in said["parameters"] if not p["right"]]
    assert errors == [pytest.approx(11)] * 2


TWICE_DIVIDED = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 6)), np.eye(3)[rng.integers(0, 3, 40)]
W1, b1, W2, b2 = rng.normal(size=(6, 8)), np.zeros(8), rng.normal(size=(8, 7)), np.zeros(7)
W3, b3 = rng.normal(size=(7, 3)), np.zeros(3)
for epoch in range(30):
    A1 = np.tanh(X @ W1 + b1)
    A2 = np.tanh(A1 @ W2 + b2)
    E = np.exp(A2 @ W3 + b3)
    P = E / E.sum(1, keepdims=True)
    print(-np.sum(Y * np.log(P)) / 40)
    d3 = (P - Y) / 40
    d2 = d3 @ W3.T * (1 - A2 ** 2)
    d1 = d2 @ W2.T * (1 - A1 ** 2)
    W3, b3 = W3 - 0.1 * (A2.T @ d3 / 40), b3 - 0.1 * (d3.sum(0) / 40)
    W2, b2 = W2 - 0.1 * (A1.T @ d2 / 40), b2 - 0.1 * (d2.sum(0) / 40)
    W1, b1 = W1 - 0.1 * X.T @ d1, b1 - 0.1 * d1.sum(0)
"""


def test_a_gradient_that_is_that_of_the_loss_is_right_whatever_most_are(tmp_path):
    """The others do not make a constant of the loss's."""
    said = examined(tmp_path, TWICE_DIVIDED)
    assert {p["name"] for p in said["parameters"] if p["right"]} == {"W1", "b1"}
    assert {(f["at"], f["code"]) for f in said["findings"]} == {
        (f"d{k}{n}", "wrong-scale") for k in "Wb" for n in (2, 3)
    }


def test_a_gradient_times_0_is_no_step(tmp_path):
    """Unless the rate is warmed up."""
    text = PLAIN.replace("b1 -= 0.1 * db1", "b1 -= 0.1 * (db1 * RATE)").replace("for _ in", "for k in")
    assert examined(tmp_path, text.replace("RATE", "min(k, 5)"))["verdict"] == "right"
    warmed = PLAIN.replace("-= 0.1 *", "-= (k // 4) *").replace("for _ in", "for k in")  # epochs of four steps
    assert examined(tmp_path, warmed)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"line 16 of net\.py multiplies the gradient of b1 by 0"):
        examined(tmp_path, text.replace("RATE", "0"))


@pytest.mark.parametrize(("mean", "times"), [("* (1 / 9)", 8 / 9), ("/ 9", 8 / 9), ("* 0.5", 8.0)])
def test_a_mean_that_is_taken_by_a_quotient_of_plain_numbers_is_no_rate(tmp_path, mean, times):
    """Any other number there may be a part of the rate."""
    text = PLAIN.replace("np.log(P)) / 9", "np.log(P)) / 8").replace("(P - Y) / 9", "P - Y")
    text = text.replace(
        "    W1 -=", f"    dW1, db1, dW2, db2 = dW1 {mean}, db1 {mean}, dW2 {mean}, db2 {mean}\n    W1 -="
    )
    (finding,) = examined(tmp_path, text)["findings"]
    assert (finding["at"], finding["scale"]) == ("loss", pytest.approx(times))


def test_a_rate_of_one_over_the_number_of_examples_is_a_rate(tmp_path):
    text = PLAIN.replace("9", "10").replace("(P - Y) / 10", "P - Y")
    for gradient, made in {"dW1": "X.T @ dZ1", "db1": "dZ1.sum(0)", "dW2": "A1.T @ dZ2", "db2": "dZ2.sum(0)"}.items():
        text = text.replace(f"0.1 * {gradient}", f"{made} / 10 * 0.1")
    assert (examined(tmp_path, text)["verdict"], text.count("/ 10 * 0.1")) == ("right", 4)


@pytest.mark.parametrize(("own", "wrong"), [(" / 60", ["W1", "b1", "b2"]), ("", [])])
def test_a_mean_that_is_printed_is_the_loss_where_no_step_has_a_rate(tmp_path, own, wrong):
    """One gradient is that of the mean, the others are of the sum: by the loss that is stated, these are wrong. Of the
    sum all would be right, and nobody knows what of the 60 is a rate: no sum is said to be the loss."""
    text = f"""
import numpy as np
np.random.seed(0)
X, y = np.random.randn(60, 3), np.random.rand(60, 1)
W1, b1, W2, b2 = np.random.rand(3, 4), np.zeros((1, 4)), np.random.rand(4, 1), np.zeros((1, 1))
def sigmoid(z): return 1 / (1 + np.exp(-z))
for i in range(100):
    h = sigmoid(X @ W1 + b1)
    o = sigmoid(h @ W2 + b2)
    print(np.mean((o - y) ** 2))
    d = 2 * (o - y) * o * (1 - o)
    e = d @ W2.T * h * (1 - h)
    W1 -= X.T @ e
    W2 -= h.T @ d{own}
    b1 -= e.sum(axis=0, keepdims=True)
    b2 -= d.sum(axis=0, keepdims=True)
"""
    said = examined(tmp_path, text)
    assert [p["name"] for p in said["parameters"] if not p["right"]] == wrong
    assert said["loss"] == {"name": "squared-error", "reduction": "mean", "from": "source"}
    assert said["truth"].endswith("loss" if wrong else "loss, times 60, which may be of the learning rate")


def test_what_goes_back_through_stepped_weights_has_no_part_of_their_rate(tmp_path):
    """W2's rate stands in the way of W1's gradient, since W2 is stepped too early: it is no rate of W1."""
    text = """
import numpy as np
np.random.seed(0)
X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0]).reshape((-1, 1))
def sigmoid(x, derivative=False): return x * (1 - x) if derivative else 1 / (1 + np.exp(-x))
W1, b1 = np.random.uniform(-1, 1, (2, 3)), np.random.uniform(-1, 1)
W2, b2 = np.random.uniform(-1, 1, (3, 1)), np.random.uniform(-1, 1)
for i in range(1000):
    h = sigmoid(X.dot(W1) + b1)
    p = sigmoid(h.dot(W2) + b2)
    d = p * (p - y) * sigmoid(p, True)
    W2 -= 0.1 * h.T.dot(d)
    b2 -= 0.1 * np.mean(d)
    d = d.dot(W2.T) * sigmoid(h, True)
    W1 -= 0.1 * X.T.dot(d)
    b1 -= 0.1 * np.mean(d)
    print(np.mean(0.5 * (p - y) ** 2))
"""
    said = examined(tmp_path, text)
    assert {"dZ1": "weights-already-updated", "dW2": "wrong-scale"}.items() <= {
        f["at"]: f["code"] for f in said["findings"]
    }.items()
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1", "W2", "b2"]


OF_ALL_ENTRIES = """
import numpy as np
rng = np.random.default_rng(13)
X, Y, W, b, lr = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=(3, 2)), np.zeros(2), 0.1
for t in range(5):
    E = X @ W + b - Y
    print(np.mean(E ** 2))
    STEP
"""


@pytest.mark.parametrize(("step", "wrong"), [
    ("dW = 2 * X.T @ E / 12; db = 2 * E.mean(0) / 2; W -= dW; b -= db", []),
    ("dW = 2 * X.T @ E / 12; db = 2 * E.mean(0); W -= dW; b -= db", ["b1"]),
    ("dW = 2 * X.T @ E / 12; db = E.sum(0) / 12; W -= lr * dW; b -= lr * db", ["b1"]),
    ("W -= lr * 2 * X.T @ E / 12; b -= lr * 2 * E.mean(0)", "on no record: which are right cannot be told"),
    ("dW = -lr * 2 * X.T @ E / 12; db = -lr * 2 * E.mean(0); W += dW; b += db", "which are right cannot be told"),
    ("W -= 0.1 * 2 * X.T @ E / 12; b -= 0.1 * E.sum(0) / 12", "W1 is stepped with 2 times the rate of b1"),
    ("dW = lr * 2 * X.T @ E / 12; db = lr * E.sum(0) / 12; W -= dW; b -= db", ["b1"]),
])  # fmt: skip
def test_of_which_array_a_factor_is_missing_is_told_or_not(tmp_path, step, wrong):
    """The 2 of the square is one array's alone: where no number can be a rate, that array is wrong which the stated
    loss says is; where it may be of a rate, nobody is accused."""
    text = OF_ALL_ENTRIES.replace("STEP", step)
    if isinstance(wrong, str):
        with pytest.raises(ValueError, match=wrong):
            examined(tmp_path, text)
    else:
        assert [p["name"] for p in examined(tmp_path, text)["parameters"] if not p["right"]] == wrong


def test_a_gradient_that_is_half_the_right_one_is_no_other_loss(tmp_path):
    """Of W Wᵀ the one W could be a constant: the number 2 is missing, and nothing more."""
    text = """
import numpy as np
rng = np.random.default_rng(7)
X, W, s = rng.normal(size=(20, 3)), rng.normal(size=(3, 2)), np.array([0.1])
S = X.T @ X / 20
for _ in range(9):
    M = W @ W.T + np.exp(s) * np.eye(3)
    I = np.linalg.inv(M)
    print(0.5 * (np.log(np.linalg.det(M)) + np.trace(I @ S)))
    dM = 0.5 * (I - I @ S @ I)
    W, s = W - 0.1 * 2 * dM @ W, s - 0.1 * np.trace(dM) * np.exp(s)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    text = text.replace("W, s = W - 0.1 * 2 * dM @ W, s - 0.1 *", "dW, ds = dM @ W,").replace(
        "np.trace(dM) * np.exp(s)\n", "np.trace(dM) * np.exp(s)\n    W, s = W - 0.1 * dW, s - 0.1 * ds\n"
    )
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dW", "wrong-scale")]


def test_a_rate_that_gradients_make_is_no_constant_of_theirs(tmp_path):
    """Hypergradient descent (Baydin et al. 2018): the first rate is what it began with, in all draws."""
    text = """
import numpy as np
rng = np.random.default_rng(5)
X, W, rate, before = rng.normal(size=(9, 4)), rng.normal(size=(4, 2)), 0.05, np.zeros((4, 2))
Y = rng.normal(size=(9, 2))
for _ in range(9):
    e = X @ W - Y
    print(0.5 * np.sum(e ** 2))
    g = X.T @ e
    rate += 0.001 * np.sum(g * before)
    W, before = W - rate * g, g
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["findings"]) == ("right", [])


@pytest.mark.parametrize(
    "step",
    [
        "th[0] -= RATE * np.sum(d * np.tanh(x))\n    th[1] -= .1 * np.sum(d)",
        "th -= np.array([RATE * np.sum(d * np.tanh(x)), .1 * np.sum(d)])",
        "th -= np.array([np.sum(d * np.tanh(x)), np.sum(d)]) * np.array([RATE, .1])",
    ],
)
def test_entries_of_a_vector_may_have_rates_of_their_own(tmp_path, step):
    text = f"""
import numpy as np
x = np.linspace(-1, 1, 30)
y, th = 2 * np.tanh(3 * x) + 1, np.array([.5, .3])
for _ in range(9):
    e = th[0] * np.tanh(x) + th[1] - y
    print((e ** 2).mean())
    d = 2 * e / 30
    {step}
"""
    assert examined(tmp_path, text.replace("RATE", ".1"))["verdict"] == "right"
    with pytest.raises(ValueError, match="and wrong if not"):
        examined(tmp_path, text.replace("RATE", ".5"))


def test_arrays_that_are_stepped_by_rates_of_their_own(tmp_path):
    """A factor that stands in the step of one array alone: its own rate, or left out of the others."""
    text = PLAIN.replace("b2 -= 0.1 * db2", "b2 -= 0.1 * db2 / 2")
    said = examined(tmp_path, text)
    told = "rates of their own: W1, b1, W2 by 0.1 times the gradient; b2 by 0.05 times the gradient"
    assert (said["verdict"], said["notes"]) == ("right", [told])
    assert examined(tmp_path, PLAIN)["notes"] == []
    decaying = text.replace("0.1 * dW1", "0.1 * (dW1 + 0.01 * W1)").replace("0.1 * dW2", "0.1 * (dW2 + 0.01 * W2)")
    assert examined(tmp_path, decaying)["notes"] == [told]


SUMMED = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(60, 5)), np.eye(3)[rng.integers(3, size=60)]
W1, b1 = rng.normal(size=(5, 6)) * 0.5, np.zeros(6)
W2, b2 = rng.normal(size=(6, 3)) * 0.5, np.zeros(3)
sums = [np.zeros(p.shape) for p in (W1, b1, W2, b2)]
for epoch in range(9):
    for i, (x, y) in enumerate(zip(X, Y)):
        a1 = 1 / (1 + np.exp(-(x @ W1 + b1)))
        a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
        loss = np.sum((a2 - y) ** 2) / 2
        d2 = (a2 - y) * a2 * (1 - a2)
        d1 = d2 @ W2.T * a1 * (1 - a1)
        for total, gradient in zip(sums, (np.outer(x, d1), d1, np.outer(a1, d2), d2)):
            total += 0.01 * gradient
        if i % 10 == 9:
            W1, b1, W2, b2 = [p - s / 16 for p, s in zip((W1, b1, W2, b2), sums)]
            sums = [np.zeros(p.shape) for p in (W1, b1, W2, b2)]
    print(loss)
"""


def test_a_rate_may_stand_where_gradients_are_added_up(tmp_path):
    """And what they are divided by later is not how many there are. The number is that of the last example alone."""
    added = SUMMED.replace("loss = ", "loss = (loss if i % 10 else 0) + ").replace("sums = [", "loss, sums = 0, [", 1)
    assert examined(tmp_path, added)["verdict"] == "right"
    said = examined(tmp_path, SUMMED)
    assert (said["verdict"], said["notes"]) == ("right", [])
    assert "is of some of the examples)" in said["truth"]
    said = examined(tmp_path, SUMMED.replace(" * a1 * (1 - a1)", ""))
    assert [p["right"] for p in said["parameters"]] == [False, False, True, True]


def test_a_product_with_a_number_may_be_written_as_dot(tmp_path):
    """The rate of `np.dot(rate, dW)` is on the record: a 2 beside it is none."""
    text = PLAIN.replace("-= 0.1 * dW", "-= np.dot(0.5, dW").replace("-= 0.1 * db", "-= np.dot(0.5, db")
    text = re.sub(r"(np.dot\(0.5, d\w+)", r"\1)", text)
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("(P - Y) / 9", "2 * (P - Y) / 9"))["verdict"] == "right-up-to-scale"


@pytest.mark.parametrize("how", ["np.sign(g)", "g / np.sqrt(g ** 2 + 1e-12)", "m / (np.sqrt(v) + 1e-12)"])
def test_a_bias_whose_gradient_is_one_number_proves_no_constant(tmp_path, how):
    """A mean of signs has few values: all that is made of it is a multiple of it."""
    text = f"""
import numpy as np
rng = np.random.default_rng(9)
X = rng.normal(size=(3, 4))
y = X @ [1.0, -2, 3, 0] + 1
w, b, state = rng.normal(size=4), np.zeros(()), {{}}
def step(name, g):
    m, v = state.get(name, (0, 0))
    m, v = state[name] = 0.9 * m + 0.1 * g, 0.9 * v + 0.1 * g ** 2
    return {how}
for t in range(9):
    o = X @ w + b
    print(np.abs(o - y).mean())
    e = np.sign(o - y) / 3
    w = w - 0.01 * step("w", X.T @ e)
    b = b - 0.01 * step("b", e.sum())
"""
    assert examined(tmp_path, text)["verdict"] == "right"


def test_a_rate_that_begins_at_0_is_no_gradient_of_0(tmp_path):
    text = PLAIN.replace("for _ in range(9):", "for t in range(9):\n    rate = 0.2 * min(1, t / 5)")
    for old, new in (("W1 -= 0.1 * dW1", "W1 -= rate * X.T @ dZ1"), ("W2 -= 0.1 * dW2", "W2 -= rate * A1.T @ dZ2")):
        text = text.replace(old, new)
    assert examined(tmp_path, text)["verdict"] == "right"
    assert [f["code"] for f in examined(tmp_path, text.replace(*SLOPE))["findings"]] == [
        "missing-activation-derivative"
    ]
    said = examined(tmp_path, text.replace("rate * X.T", "0 * X.T"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dW1", "zero")]


def test_a_momentum_that_begins_as_0_times_its_array_is_none_of_its_versions(tmp_path):
    text = PLAIN.replace("for _ in", "v = 0 * b1\nfor _ in")
    right = text.replace("b1 -= 0.1 * db1", "v = 0.9 * v - 0.1 * db1\n    b1 += v")
    assert examined(tmp_path, right)["verdict"] == "right"
    said = examined(tmp_path, right.replace("b1 += v", "b1 -= v"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-sign")]


NESTEROV = PLAIN.replace("for _ in", "V = [np.zeros_like(p) for p in (W1, b1, W2, b2)]\nfor _ in")
NESTEROV = (
    NESTEROV[: NESTEROV.index("    W1 -= ")]
    + """
    for v, p, g in zip(V, (W1, b1, W2, b2), (dW1, db1, dW2, db2)):
        v *= 0.9
        v -= 0.1 * g
        p += 0.9 * v - 0.1 * g
"""
)


def test_what_is_added_up_of_a_gradient_is_none(tmp_path):
    """The step is 0.19 times the gradient, and neither 0.1 nor 0.9 nor both together is that."""
    assert examined(tmp_path, NESTEROV)["verdict"] == "right"
    of_rows = NESTEROV.replace("np.zeros(5)", "np.zeros((1, 5))").replace("np.zeros(3)", "np.zeros((1, 3))")
    in_turn = of_rows.replace("v *= 0.9", "before = v.copy()").replace("v -= 0.1 * g", "v[:] = 0.9 * before - 0.1 * g")
    assert examined(tmp_path, in_turn.replace("0.9 * v - 0.1 * g\n", "v + 0.9 * (v - before)\n"))["verdict"] == "right"
    found = examined(tmp_path, NESTEROV.replace("db1 = X.T @ dZ1, dZ1.sum(0)", "db1 = X.T @ dZ1 / 9, dZ1.sum(0)"))
    assert [(f["at"], f["code"]) for f in found["findings"]] == [("dW1", "wrong-scale")]
    twice = NESTEROV.replace("    for v, p", "    dW1 = dW1 + dW1\n    for v, p")
    assert [(f["at"], f["code"]) for f in examined(tmp_path, twice)["findings"]] == [("dW1", "wrong-scale")]


ONE_OUTPUT_OF_MEANS = """
import numpy as np
rng = np.random.default_rng(0)
X, w, b = rng.normal(size=(7, 2)), rng.normal(size=(2, 1)), np.zeros(1)
y = X @ [[1.0], [2.0]] + 0.5
rate = 0.1 / 7
for _ in range(20):
    d = X @ w + b - y
    print(np.mean(d ** 2))
    w -= rate * (X.T @ d)
    b -= rate * d.sum(0)
"""


def test_a_rate_that_was_divided_by_m_beforehand_leaves_it_open_which_gradient_lacks_it(tmp_path):
    """Of Xᵀd and the mean of d one is wrong, and 0.1 / m stands before both."""
    text = ONE_OUTPUT_OF_MEANS
    assert examined(tmp_path, text)["verdict"].startswith("right")
    with pytest.raises(ValueError, match=r"0\.0142857 = 0\.1 / 7: which gradients are to have that count"):
        examined(tmp_path, text.replace("d.sum(0)", "d.mean(0)"))
    said = examined(tmp_path, text.replace("0.1 / 7", "0.01").replace("d.sum(0)", "d.mean(0)"))
    assert {f["code"] for f in said["findings"] if f["at"] != "loss"} == {"wrong-scale"}
