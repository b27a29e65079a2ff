"""How a step is written, what an optimiser makes of a gradient, and whether the next step goes on with it."""

import functools
import re
import textwrap

import pytest
from judging import (
    ONE_OUTPUT,
    PERCEPTRON,
    PLAIN,
    RATE_INSIDE,
    SENT_BACK,
    SLOPE,
    SQUARE,
    UPHILL,
    examined,
    examined_once,
)

from jaxnet.compare.author import watch

LEFT_OUT = {"loss = ": "loss = 0.01 * (np.sum(W1 ** 2) + np.sum(W2 ** 2)) "}
EPSILON = {"np.log(P)": "np.log(P + 1e-4)"}
NEGATIVE = {"dZ2 = (P - Y) / 9": "dZ2 = (Y - P) / 9", **UPHILL}
MOMENTS = {
    "for _ in range(9):": "m, v = np.zeros((4, 5)), np.zeros((4, 5))\nfor _ in range(9):",
    "W1 -= 0.1 * dW1": "m += 0.1 * (dW1 - m)\n    v += 0.001 * (dW1 ** 2 - v)\n    W1 -= m / (np.sqrt(v) + 1e-7)",
}
ONE_BY_ONE = {
    "range(9):": "range(9):\n  for k in range(9):\n    x, y = X[k:k + 1], Y[k:k + 1]", "\n    ": "\n      ",
    "X @": "x @", "X.T": "x.T", "Y *": "y *", "P - Y": "P - y", " / 9": "", "np.random.randn(9, 4)": "np.eye(9, 4, 4)",
}  # fmt: skip
RATE_BEFORE = {"(P - Y) / 9": "P - Y", "0.1 * dW1": "0.1 * X.T @ dZ1 / 9", "0.1 * dW2": "0.1 * A1.T @ dZ2 / 9",
               "0.1 * db1": "0.1 * db1 / 9", "0.1 * db2": "0.1 * db2 / 9"}  # fmt: skip
DROPOUT = {"X @ W1 + b1)": "X @ W1 + b1)\n    mask = np.random.rand(9, 5) < 0.6\n    D = A1 * mask / 0.6",
           "A1 @ W2": "D @ W2", "A1.T @": "D.T @", " * (1 - A1": " * mask / 0.6 * (1 - A1"}  # fmt: skip
ELU = {
    "for _ in range(9):": """
def elu(Z, slope=False):
    A = np.zeros_like(Z)
    A[Z > 0] = 1 if slope else Z[Z > 0]
    A[Z <= 0] = elu(Z[Z <= 0]) + 1 if slope else np.exp(Z[Z <= 0]) - 1
    return A
for _ in range(9):""",
    "np.tanh(X @ W1 + b1)": "elu(X @ W1 + b1)",
    "(1 - A1 ** 2)": "elu(X @ W1 + b1, True)",
}
STEPS = {
    "as it is": ({}, "right", set()),
    "dropout": (DROPOUT, "right", set()),
    "and a softmax's derivative entry by entry": (
        DROPOUT | {"(P - Y) / 9": "(P - Y) * P * (1 - P) / 9"}, "wrong", {("dZ", "elementwise-softmax-derivative")}
    ),
    "the output is multiplied by ones": ({"keepdims=True)": "keepdims=True) * np.ones((9, 3))"}, "right", set()),
    "a mask picks another number of entries in each draw": (ELU, "right", set()),
    "and its slope is forgotten": (
        ELU | {" * elu(X @ W1 + b1, True)": ""}, "wrong", {("dW1", "unknown"), ("db1", "unknown")}
    ),
    "the rate stands before the product, and the count behind it": (RATE_BEFORE, "right", set()),
    "and a slope is forgotten": (
        RATE_BEFORE | dict([SLOPE]), "wrong", {("dZ1", "missing-activation-derivative")}
    ),
    "a step turns a vector into a row": (
        {"dZ1.sum(0)": "dZ1.sum(0, keepdims=True)", "b1 -= 0.1": "b1 = b1 - 0.1"}, "right", set()
    ),
    "an output through float()": (
        {"loss = -np.sum": "total = np.array(0.0)\n    total = total - float(np.reshape(np.sum", "np.log(P)) / 9":
         "np.log(P)), ()))\n    loss = total / 9"}, "right", set()
    ),
    "an error goes back before its slope": (SENT_BACK, "wrong", {("dZ1", "missing-output-derivative")}),
    "and another slope is left out": (
        SENT_BACK | dict([SLOPE]),
        "wrong",
        {("dZ1", "missing-output-derivative"), ("dZ1", "missing-activation-derivative")},
    ),
    "another leaky relu": (
        {"np.tanh(X @ W1 + b1)": "X @ W1 + b1\n    A1 = np.where(A1 > 0, A1, 0.2 * A1)",
         "(1 - A1 ** 2)": "np.where(A1 > 0, 1, 0.2)", "dZ2.sum(0)": "dZ2.sum() + np.zeros(3)", "/ 9": "* 1"},
        "wrong",
        {("db2", "summed-over-all-axes")},
    ),
    "all go uphill": (UPHILL, "wrong", {("dZ2", "wrong-sign")}),
    "some go uphill": (dict(list(UPHILL.items())[:2]), "wrong", {("dZ1", "wrong-sign")}),
    "the negative gradient is added": (NEGATIVE, "right", set()),
    "the negative gradient of some": ({"b2 -= 0.1 * db2": "b2 += 0.1 * (Y - P).sum(0) / 9"}, "right", set()),
    "the rate is inside": (RATE_INSIDE, "right", set()),
    "the rate is inside, no slope": (RATE_INSIDE | dict([SLOPE]), "wrong", {("dZ1", "missing-activation-derivative")}),
    "the rate is inside of one, and another is wrong": (
        {"W1 -= 0.1 * dW1": "W1 -= 0.1 * X.T @ dZ1", "X.T @ dZ1, dZ1.sum(0)": "X.T @ dZ1, 3 * dZ1.sum(0)"},
        "wrong",
        {("db1", "wrong-scale")},
    ),
    "the rate is inside of each": (
        {"-np.sum(Y * np.log(P)) / 9": "np.mean((Y - P) ** 2)", "0.1 * dW2": "A1.T @ (0.1 * dZ2)"},
        "wrong",
        {("dZ2", "missing-output-derivative"), ("loss", "wrong-scale")},
    ),
    "the rate is the first of several numbers in the line": (
        {"dZ2 = (P - Y) / 9": "dZ2 = P - Y", **{f"0.1 * d{p}": f"0.1 * d{p} / 9" for p in ("W1", "b1", "W2", "b2")}},
        "right",
        set(),
    ),
    "probabilities are clipped by name": (
        {"np.log(P)": "np.log(np.clip(P, a_min=1e-9, a_max=1 - 1e-9))"}, "right", set()
    ),
    "the loss is a plain float": ({"np.sum(Y * np.log(P))": "float(np.sum(Y * np.log(P)))"}, "right", set()),
    "the mean is taken of the loss alone": (
        {"dZ2 = (P - Y) / 9": "dZ2 = P - Y"}, "right-up-to-scale", {("loss", "wrong-scale")}
    ),
    "a small number in the logarithm": (EPSILON, "right", set()),
    "and no mean": (EPSILON | {"(P - Y) / 9": "3 * (P - Y)"}, "right-up-to-scale", {("loss", "wrong-scale")}),
    "all labels of an example negative": (
        {"np.eye(3)[np.arange(9) % 3]": "-np.ones((9, 3))", "    E = np.exp(A1 @ W2 + b2)\n": "",
         "E / E.sum(1, keepdims=True)": "A1 @ W2 + b2", "    loss = -np.sum(Y * np.log(P)) / 9\n": ""},
        "right",
        set(),
    ),
    "the first example is all zeros": (ONE_BY_ONE, "right", set()),
    "and what it hides is wrong": (ONE_BY_ONE | {"dW1, db1 =": "dW1, db1 = 2 *"}, "wrong",
                                   {("dW1", "wrong-scale")}),
    "an accuracy is no loss": (
        {"-np.sum(Y * np.log(P)) / 9": "((P.argmax(1) - Y.argmax(1)) ** 2).mean()"}, "right", set()
    ),
    "the softmax is over the examples": (
        {"E.sum(1, keepdims=True)": "E.sum(0)"}, "wrong", {("forward", "softmax-over-all-entries")}
    ),
    "and another line is wrong": (
        {"E.sum(1, keepdims=True)": "E.sum(0)"} | dict([SLOPE]),
        "wrong",
        {("forward", "softmax-over-all-entries"), ("dZ1", "missing-activation-derivative")},
    ),
    "a momentum from somewhere else": (
        {"for _ in range(9):": "V1, V2 = 99 * np.ones((4, 5)), -99 * np.ones((5, 3))\nfor _ in range(9):",
         "W1 -= 0.1 * dW1": "V1 = 0.9 * V1 + 0.1 * dW1; W1 -= V1", "W2 -= 0.1 * dW2": "V2 = 0.9 * V2 + dW2; W2 -= V2"},
        "right",
        set(),
    ),
    "a momentum, and uphill": (
        {"for _ in range(9):": "V1 = 99 * np.ones((4, 5))\nfor _ in range(9):",
         "W1 -= 0.1 * dW1": "V1 = 0.9 * V1 + 0.1 * dW1; W1 += V1"},
        "wrong",
        {("dW1", "wrong-sign")},
    ),
    "the rate is in the line of the momentum, and the biases have none": (
        {"for _ in range(9):": "V1 = V2 = 0\nfor _ in range(9):", "0.1 * db": "db",
         "W1 -= 0.1 * dW1": "V1 = 0.9 * V1 + 0.1 * (X.T @ dZ1)\n    W1 -= V1",
         "W2 -= 0.1 * dW2": "V2 = 0.9 * V2 + 0.1 * (A1.T @ dZ2)\n    W2 -= V2"},
        "right",
        set(),
    ),
    "what goes up is a log-likelihood": (
        {"loss = -": "loss = ", "(P - Y) / 9": "(Y - P) / 9", **UPHILL}, "right", set()
    ),
    "and one line of it does not": (
        {"loss = -": "loss = ", "(P - Y) / 9": "(Y - P) / 9", **UPHILL} | dict([SLOPE]),
        "wrong",
        {("dZ1", "missing-activation-derivative")},
    ),
    "a bias goes away in a normalisation": (
        {"A1 = np.tanh(X @ W1 + b1)": "Z = X @ W1 + b1\n    A1 = np.tanh(Z - Z.mean(0))",
         "dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)": "D = dZ2 @ W2.T * (1 - A1 ** 2)\n    dZ1 = D - D.mean(0)"},
        "right",
        set(),
    ),
    "and a mean is forgotten on the way back": (
        {"A1 = np.tanh(X @ W1 + b1)": "Z = X @ W1 + b1\n    A1 = np.tanh(Z - Z.mean(0))"},
        "wrong",
        {("dW1", "unknown"), ("db1", "unknown")},
    ),
    "an average of the weights": (
        {"for _ in range(9):": "mean = [W1.copy(), W2.copy()]\nfor _ in range(9):",
         "    b2 -= 0.1 * db2": "    b2 -= 0.1 * db2\n"
         "    mean = [0.9 * a + 0.1 * W for a, W in zip(mean, (W1, W2))]"},
        "right",
        set(),
    ),
    "another average of the weights": (
        {"for _ in range(9):": "mean, n = np.zeros((4, 5)), 0\nfor _ in range(9):",
         "    b2 -= 0.1 * db2": "    b2 -= 0.1 * db2\n    n += 1\n    mean = mean + (W1 - mean) / n"},
        "right",
        set(),
    ),
    "a momentum that looks ahead": (
        {"for _ in range(9):": "V1 = np.zeros((4, 5))\nfor _ in range(9):", "X @ W1": "X @ (W1 + 0.9 * V1)",
         "W1 -= 0.1 * dW1": "V1 = 0.9 * V1 - 0.1 * dW1\n    W1 = W1 + V1"},
        "right",
        set(),
    ),
    "moments that step by what they are off": (MOMENTS, "right", set()),
    "and no slope": (MOMENTS | dict([SLOPE]), "wrong", {("dZ1", "missing-activation-derivative")}),
    "a root is a measure": ({"-np.sum(Y * np.log(P)) / 9": "np.sqrt(np.mean((P - Y) ** 2))"}, "right", set()),
    "some weights are held at 0": (
        {"for _ in range(9):": "mask = (np.abs(W1) > 0.3) * 1.0\nW1 = W1 * mask\nfor _ in range(9):",
         "X.T @ dZ1, ": "(X.T @ dZ1) * mask, "},
        "right",
        set(),
    ),
    "and by a mask that the data make": (
        {"X.T @ dZ1, ": "(X.T @ dZ1) * (X[:4, :1] > 0), "}, "wrong", {("dW1", "unknown")}
    ),
    "weights decay by a rate that the program computes": (
        {"for _ in range(9):": "rates = np.linspace(0.1, 0.01, 9)\nfor rate in rates:",
         "W1 -= 0.1 * dW1": "W1 = (1 - rate * 0.5) * W1 - rate * dW1",
         "W2 -= 0.1 * dW2": "W2 = (1 - rate * 0.5) * W2 - rate * dW2"},
        "right",
        set(),
    ),
    "weights are clipped": ({"W1 -= 0.1 * dW1": "W1 -= 0.1 * dW1; W1 = np.clip(W1, -2, 2)"}, "right", set()),
    "the mean is taken off a gradient": ({"0.1 * dW1": "0.1 * (dW1 - dW1.mean(0))"}, "right", set()),
    "a gradient is made orthogonal": (
        {"0.1 * dW1": "0.1 * (1.5 * dW1 - 0.5 * dW1 @ dW1.T @ dW1)"}, "right", set()
    ),
    "weights decay by their signs": ({"0.1 * dW1": "0.1 * (dW1 + 0.01 * np.sign(W1))"}, "right", set()),
    "a step is as long as the weights": (
        {"0.1 * dW1": "0.1 * dW1 * np.linalg.norm(W1) / np.linalg.norm(dW1)"}, "right", set()
    ),
    "the gradients of one layer are clipped": (
        {"X.T @ dZ1, dZ1.sum(0)": "np.clip(X.T @ dZ1, -1e-3, 1e-3), np.clip(dZ1.sum(0), -1e-3, 1e-3)",
         "(P - Y) / 9": "2 * (P - Y) / 9"},
        "right-up-to-scale",
        {("loss", "wrong-scale")},
    ),
    "data are normalised again and again": (
        {"for _ in range(9):": "for _ in range(3):\n    X = (X - X.mean(0)) / X.std(0)\nfor _ in range(9):"},
        "right",
        set(),
    ),
    "weights are masked": (
        {"for _ in range(9):": "mask = np.random.rand(4, 5) > 0.3\nfor _ in range(9):",
         "W1 -= 0.1 * dW1": "W1 -= 0.1 * dW1; W1 *= mask"},
        "right",
        set(),
    ),
    "weights are held turned": (
        {"np.random.randn(5, 3) / 2": "np.random.randn(3, 5) / 2", "A1 @ W2": "A1 @ W2.T", "dZ2 @ W2.T": "dZ2 @ W2",
         "W2 -= 0.1 * dW2": "W2 = (W2.T - 0.1 * dW2).T", "for _ in range(9):": "for _ in range(1):"},
        "right",
        set(),
    ),
    "the loss is another one than the gradient's, beyond dense layers": (
        {"np.random.randn(5, 3)": "np.random.randn(6, 3)", "A1 @ W2": "np.c_[A1, np.ones(9)] @ W2", "W2.T": "W2[:5].T",
         "A1.T": "np.c_[A1, np.ones(9)].T", "(P - Y) / 9": "P * (P - Y - (P * (P - Y)).sum(1)[:, None])"},
        "wrong",
        {(f"d{p}", "unknown") for p in ("W1", "b1", "W2", "b2")},
    ),
    "scores are shifted row by row": (
        {"E = np.exp(A1": "Z = (A1",
         "    P =": "    for k in range(9):\n        Z[k] -= Z[k].max()\n    E = np.exp(Z)\n    P ="},
        "right",
        set(),
    ),
    "a penalty is left out": (LEFT_OUT, "wrong", {("dW1", "weight-penalty"), ("dW2", "weight-penalty")}),
    "another penalty than the loss has, beyond dense layers": (
        LEFT_OUT | {"np.tanh(X @ W1 + b1)": "np.sin(X @ W1 + b1)", "(1 - A1 ** 2)": "np.cos(X @ W1 + b1)",
                    "A1.T @ dZ2,": "A1.T @ dZ2 + 0.02 * W2,", "X.T @ dZ1,": "X.T @ dZ1 + 0.05 * W1,"},
        "wrong", {("dW1", "weight-penalty")},
    ),
    "with one output": (LEFT_OUT | ONE_OUTPUT, "wrong", {("dW1", "weight-penalty"), ("dW2", "weight-penalty")}),
    "one of two penalties is taken off apart": (
        {"loss = ": "loss = 0.02 * np.abs(W1).sum() + 0.01 * (W1 ** 2).sum() ",
         "W1 -= 0.1 * dW1": "W1 -= 0.1 * (dW1 + 0.02 * np.sign(W1))\n    W1 *= 0.998"}, "right", set(),
    ),
    "a heavy ball": (
        {"for _": "old = W1\nfor _", "    W1 -= 0.1 * dW1": "    W1, old = W1 - 0.1 * dW1 + 0.8 * (W1 - old), W1"},
        "right",
        set(),
    ),
    "a momentum of the weights alone, in one line": (
        {"for _": "v1, v2 = 0, 0\nfor _", "    W1 -= 0.1 * dW1": "    v1 = 0.9 * v1 + X.T @ dZ1\n    W1 -= 0.1 * v1",
         "    W2 -= 0.1 * dW2": "    v2 = 0.9 * v2 + A1.T @ dZ2\n    W2 -= 0.1 * v2"},
        "right",
        set(),
    ),
    "a shape is set": ({"    A1 =": "    Y.shape = (9, 3, 1)\n    Y.shape = (9, 3)\n    A1 ="}, "right", set()),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_how_a_step_is_written(tmp_path, name):
    changes, verdict, findings = STEPS[name]
    text = PLAIN
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    said = examined(tmp_path, text)
    assert {(f["at"], f["code"]) for f in said["findings"]} == findings
    assert (said["verdict"], said["unjudged"]) == (verdict, [])


ROW_OF_BIASES = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(50, 6)), np.eye(3)[rng.integers(3, size=50)]
W, b = rng.normal(size=(6, 3)), np.zeros((1, 3))
for _ in range(9):
    P = 1 / (1 + np.exp(-(X @ W + b)))
    print(0.5 * np.sum((P - Y) ** 2))
    d = (Y - P) * P * (1 - P)
    W += 0.1 * X.T @ d
    b += 0.1 * np.sum(d, axis=0)
"""


@pytest.mark.parametrize("slope", ["", " * P * (1 - P)"], ids=["wrong", "right"])
def test_what_is_added_to_a_row_of_biases(tmp_path, slope):
    """Where no gradient is right, each has the sign that its step gives it: (3,) that is added to (1, 3), too."""
    said = examined(tmp_path, ROW_OF_BIASES.replace(" * P * (1 - P)", slope))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-output-derivative")] * (not slope)


def test_newtons_method(tmp_path):
    text = (
        PERCEPTRON.replace("    w = w - 0.1 * X.T.dot(y * (1 - T) - T * (1 - y))\n", "")
        + """
    loss = -np.sum(T * np.log(y) + (1 - T) * np.log(1 - y))
    H = (X * (y * (1 - y))[:, None]).T @ X + np.eye(2)
    w = w - np.linalg.solve(H, X.T @ (y - T))
"""
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("solve(H, ", "inv(H) @ ("))["verdict"] == "right"
    assert examined(tmp_path, text.replace("(y - T)", "y"))["verdict"] == "wrong"


def test_a_step_that_fails_halfway_is_not_right(tmp_path):
    """The gradient of W2 does not fit, which NumPy says once W1 and b1 have been stepped."""
    text = PLAIN.replace("A1.T @ dZ2", "X.T @ dZ2")
    with pytest.raises(ValueError, match=r"but the first step is not done \(line 17: ValueError"):
        examined(tmp_path, text)


def test_the_difference_of_two_versions_is_no_error(tmp_path):
    """Acceleration: what is stepped is ahead of the weights by half of their last step."""
    text = PERCEPTRON.replace("randn(2)\n", "randn(2)\nv = w.copy()\n").replace("np.dot(X, w)", "np.dot(X, v)")
    text = text.replace("    w = w - ", "    new = v - ") + "    v = new + 0.5 * (new - w)\n    w = new\n"
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text.replace("- T * (1 - y)", "+ T * (1 - y)"))


def test_what_an_optimiser_makes_of_a_right_gradient_is_not_accused(tmp_path):
    """As Muon does (Jordan 2024), by a singular value decomposition."""
    step = "    U, _, V = np.linalg.svd(d%s, full_matrices=False)\n    %s -= 0.1 * U @ V\n"
    text = PLAIN.replace("    W1 -= 0.1 * dW1\n", step % ("W1", "W1")).replace(
        "    W2 -= 0.1 * dW2\n", step % ("W2", "W2")
    )
    with pytest.raises(ValueError, match=r"makes the gradient of W\d, and the step makes something else of it"):
        examined(tmp_path, text)


def test_a_step_that_is_taken_in_pieces(tmp_path):
    """All of them made with the weights before the first one: example by example, or term by term."""
    pieces = "    for i in range(9):\n        W%d -= 0.1 * np.outer(%s[i], dZ%d[i])\n"
    text = PLAIN.replace("    W1 -= 0.1 * dW1\n", pieces % (1, "X", 1)).replace(
        "    W2 -= 0.1 * dW2\n", pieces % (2, "A1", 2)
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


@pytest.mark.parametrize(
    "changes",
    [
        {"for _": "old = W1.copy()\nfor _", "X @ W1": "X @ old"},
        {"for _": "old = W1.copy()\nfor _", "X @ W1": "X @ old", "W1 = W1 -": "W1 -="},
        {"for _": "turned = W1.T\nfor _", "X @ W1": "X @ turned.T"},
        {"W1 = W1 - 0.1 * dW1": "W1, W2 = W2 - 0.1 * dW2, W1 - 0.1 * dW1", "    W2 = W2 - 0.1 * dW2\n": ""},
        {"W2 = W2 -": "W2 = W1 -"},
    ],
    ids=["a copy", "a copy of what is stepped in place", "a view", "names exchanged", "another array's name"],
)
def test_what_the_next_step_does_not_go_on_with(tmp_path, changes):
    """All gradients of the first step are right."""
    assert examined_once(SQUARE)["verdict"] == "right"
    with pytest.raises(ValueError, match="not what the first has made of W1"):
        examined(tmp_path, functools.reduce(lambda text, change: text.replace(*change), changes.items(), SQUARE))


def test_a_momentum_in_the_line_of_the_gradient_is_none_in_the_second_step(tmp_path):
    """The biases are stepped by their bare gradients, the weights by a momentum that is nothing in the first step."""
    text = re.sub(r"    (b\d) -= 0.1 \* ", r"    \1 -= ", PLAIN).replace("for _", "vW1, vW2 = 0, 0\nfor _")
    text = re.sub(r"dW(\d), (db\d) = (.*), (d.*)", r"vW\1, \2 = 0.1 * vW\1 + 0.1 * \3, \4", text)
    text = re.sub(r"W(\d) -= .*", r"W\1 -= vW\1", text)
    assert examined(tmp_path, text)["verdict"] == "right"


def test_an_optimiser_that_keeps_something_for_each_example(tmp_path):
    """Adam of each example's error, of which the biases' steps are sums: the error is right, and its use an oddity."""
    kept = PLAIN.replace("for _", "m, v = np.zeros(3), np.zeros(3)\nfor _").replace(
        "    b2 -= 0.1 * db2",
        "    m, v = 0.9 * m + 0.1 * dZ2, 0.99 * v + 0.01 * dZ2 ** 2\n    b2 -= 0.1 * (m / (np.sqrt(v) + 1e-8)).sum(0)",
    )
    with pytest.raises(ValueError, match="line 19 makes adds up to the gradient of b2, but what the step makes of it"):
        examined(tmp_path, kept)
    said = examined(tmp_path, PLAIN.replace("dZ2.sum(0)", "np.abs(dZ2).sum(0)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["b2"]


def test_the_second_step_by_the_scores(tmp_path):
    """The softmax is made once more for the error: the prediction is the scores, of which the loss is implied."""
    text = PLAIN.replace("E = np.exp(A1 @ W2 + b2)", "Z2 = A1 @ W2 + b2\n    E = np.exp(Z2)")
    text = text.replace("np.log(P)", "np.log(P + 0.1)").replace(
        "(P - Y)", "(np.exp(Z2) / np.exp(Z2).sum(1)[:, None] - Y)"
    )
    assert examined(tmp_path, text)["verdict"] == "right"


def test_the_step_after_the_first_is_judged_too(tmp_path):
    """A copy of the weights is right until they are stepped, and so is a sum that is never set to 0."""
    copied = PLAIN.replace("for _", "V = W2.T.copy()\nfor _").replace("@ W2.T", "@ V")
    said = examined(tmp_path, copied)
    assert ([f["at"] for f in said["findings"]], said["findings"][0]["code"]) == (["dZ1"], "unknown")
    assert [p["name"] for p in said["parameters"] if p["right"]] == ["W2", "b2"]
    assert (said["truth"][-18:], said["repeat"]["before"]) == ("in the second step", 2)
    scaled = examined(tmp_path, copied.replace("(P - Y) / 9", "P - Y"))  # and right but for a constant in the first
    assert [p["name"] for p in scaled["parameters"] if p["right"]] == ["W2", "b2"]
    each_step = copied.replace("    W1 -=", "    V = (W2 - 0.1 * dW2).T\n    W1 -=")
    assert examined(tmp_path, each_step)["verdict"] == "right"
    summed = re.sub(r"W(\d) -= 0.1 \* dW.", r"s\1 += dW\1\n    W\1 -= 0.1 * s\1", PLAIN)
    summed = summed.replace("for _", "s1, s2 = 0 * W1, 0 * W2\nfor _")
    with pytest.raises(ValueError, match=r"line 16 of net.py adds a gradient to those of all steps before"):
        examined(tmp_path, summed)
    divided = re.sub(r"(\w\d) -= 0.1 \* d..", r"s\1 += d\1\n    s\1 /= 9\n    \1 -= 0.1 * s\1", PLAIN)
    divided = divided.replace("(P - Y) / 9", "P - Y").replace(
        "for _", "sW1, sb1, sW2, sb2 = 0 * W1, 0 * b1, 0 * W2, 0 * b2\nfor _"
    )
    with pytest.raises(ValueError, match=r"line 16 of net.py adds a gradient to those of all steps before"):
        examined(tmp_path, divided)
    assert examined(tmp_path, re.sub(r"(W(.) -= 0.1 \* s.)", r"\1\n    s\2 *= 0.9", summed))["verdict"] == "right"
    assert examined(tmp_path, re.sub(r"s(.) \+=", r"s\1 = 0.9 * s\1 +", summed))["verdict"] == "right"
    # A momentum that NumPy spreads over the rows of a bias: its gradient has one axis, and only that is the true one.
    rows = re.sub(
        r"b1 -= 0.1 \* db1", "v = 0.9 * v - 0.1 * db1\n    b1 += v", PLAIN.replace("zeros(5)", "zeros((1, 5))")
    )
    rows = rows.replace("for _", "v = np.zeros((1, 5))\nfor _")
    assert examined(tmp_path, rows)["verdict"] == "right"
    # How far the weights are from where they were: the anchor is a constant, and follows them.
    pulled = PLAIN.replace("for _", "old = W1.copy()\nfor _").replace(
        "/ 9\n    dZ2", "/ 9 + np.sum((W1 - old) ** 2)\n    dZ2"
    )
    pulled = pulled.replace(
        "    W1 -= 0.1 * dW1", "    W1 = W1 - 0.1 * (dW1 + 2 * (W1 - old))\n    old = 0.9 * old + 0.1 * W1"
    )
    said = examined(tmp_path, pulled)
    assert said["verdict"] == "right"
    assert said["truth"].endswith(", in the second step with what line 17 makes as a constant")
    with pytest.raises(ValueError, match="in the second one the gradient of W1 is another one: right if what is kept"):
        examined(tmp_path, pulled.replace("2 * (W1 - old)", "3 * (W1 - old)"))


def test_arrays_that_are_stepped_from_the_second_step_on(tmp_path):
    """The first step is that of the last layer alone: the other one is a network that goes on with its new weights."""
    text = (
        PLAIN.replace("for _", "for step")
        .replace("    W1 -=", "    if step: W1 -=")
        .replace("    b1 -=", "    if step: b1 -=")
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace(*SLOPE))["verdict"] == "wrong"


@pytest.mark.parametrize("then", ["dW1 / np.sqrt(np.sum(dW1 ** 2))", "np.round(dW1 * 100) / 100"])
def test_statements_of_one_line_are_told_apart(tmp_path, then):
    """What one makes of the gradient of another is an optimiser's, as it is in the next line."""
    text = PLAIN.replace("dW1, db1 = X.T @ dZ1,", f"dW1 = X.T @ dZ1; dW1 = {then}; db1 =")

    def found(text: str) -> str:
        try:
            return examined(tmp_path, text)["verdict"]
        except ValueError as error:
            return str(error).partition(" makes the gradient of W1,")[2]

    assert found(text) == found(text.replace("; ", "\n    ")) != "wrong"
    assert found(text.replace(*SLOPE)) == "wrong"


@pytest.mark.parametrize("way", ["np.abs({})", "({}) ** 2", "np.maximum(0, {})", "np.roll({}, 1)"])
def test_what_no_optimiser_makes_of_a_gradient(tmp_path, way):
    """It is made in the very line of the gradient, which is right."""
    text = PLAIN.replace("X.T @ dZ1,", f"{way.format('X.T @ dZ1')},")
    with pytest.raises(ValueError, match="the gradient of W1 is right, but what line 15 of "):
        examined(tmp_path, text)


@pytest.mark.parametrize("way", ["np.clip({}, -0.1, 0.1)", "np.sign({})", "np.round({}, 3)", "np.arctan({})"])
def test_what_an_optimiser_may_make_of_gradients(tmp_path, way):
    """Of all of them; of one alone it is none's, but for a bound. A rate that is warmed up is 0 in the first step."""
    text = PLAIN
    for formula in ("X.T @ dZ1", "dZ1.sum(0)", "A1.T @ dZ2", "dZ2.sum(0)"):
        text = re.sub(rf"{re.escape(formula)}(?=[,\n])", way.format(formula).replace("\\", ""), text)
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("-= 0.1 *", "-= 0.1 * _ *"))["verdict"] == "right"
    alone = PLAIN.replace("X.T @ dZ1,", f"{way.format('X.T @ dZ1')},")
    if "clip" in way:
        assert examined(tmp_path, alone)["verdict"] == "right"
    else:
        with pytest.raises(ValueError, match=r"the gradient of W1 is right, but line 14 of net.py takes np.\w+ of it"):
            examined(tmp_path, alone)


@pytest.mark.parametrize(
    "seen",
    [
        {"    loss =": "    if _ % 9 == 0:\n        loss ="},
        {"    dZ2 =": "    if _ % 9 == 0:\n        print(loss.reshape(1)[0])\n    dZ2 ="},
    ],
    ids=["computed", "shown"],
)
def test_the_second_step_by_a_loss_that_is_seen_now_and_then(tmp_path, seen):
    """In the first step the sum of all gradients is one of them."""
    text = functools.reduce(lambda text, change: text.replace(*change), seen.items(), PLAIN)
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match="adds a gradient to those of all steps before"):
        examined(tmp_path, text.replace("for _", "dW1 = np.zeros((4, 5))\nfor _").replace("= X.T", "= dW1 + X.T"))


def test_the_second_step_by_a_rate_that_is_computed(tmp_path):
    """What the weights decay by is no step of its own, whatever number stands in it."""
    text = PLAIN.replace("    W1 -= 0.1", "    rate = 0.1 + 0.05 * np.cos(_)\n    W1 -= rate").replace(
        "-= 0.1", "-= rate"
    )
    text = re.sub(r"    (W\d) -= rate", r"    \1 = \1 - rate * 0.01 * \1\n    \1 = \1 - rate", text)
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match="in the second one the gradient of W1 is another one"):
        examined(tmp_path, text.replace("(1 - A1 ** 2)", "(1 - A1 ** 2 * (_ == 0))"))


def test_a_training_that_goes_on_where_it_was_ended_in_the_midst_of_a_step(tmp_path):
    """The first layer has made its third step then, the others have not: the momentum that came of their weights as
    they still are is none of the next step's affairs."""
    text = """
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(42, 3))
T = (X ** 2).sum(axis=1, keepdims=True)
class Layer:
    def __init__(self, inputs, outputs, slope):
        self.W, self.V, self.slope = rng.normal(size=(inputs, outputs)) * 0.5, np.zeros((inputs, outputs)), slope
    def forward(self, x):
        self.x, self.z = x, x @ self.W
        return np.maximum(self.z, self.slope * self.z)
    def backward(self, g):
        self.d = g * np.where(self.z > 0, 1, self.slope)
        return self.d @ self.W.T
    def update(self, rate):
        kept = 0.5 * self.V
        self.V = kept - rate * (self.x.T @ self.d)
        self.W += self.V
layers = [Layer(3, 6, 0), Layer(6, 6, 0), Layer(6, 1, 1)]
for _ in range(6):
    for i in range(0, 42, 10):
        a = X[i : i + 10]
        for layer in layers:
            a = layer.forward(a)
        print(np.mean((a - T[i : i + 10]) ** 2))
        g = 2 * (a - T[i : i + 10]) / len(a)
        for layer in layers[::-1]:
            g = layer.backward(g)
        for layer in layers:
            layer.update(0.02)
"""
    assert examined(tmp_path, text)["verdict"] == "right"


LONG = """
    D = dZ2 @ W2.T
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
    dZ1 = np.zeros_like(A1)
    for _ in range(%d):
        for i in range(9):
            for j in range(5):
                dZ1[i, j] = D[i, j] * (1 - A1[i, j] ** 2)
"""


@pytest.mark.parametrize(("rounds", "of_slopes"), [(1, False), (15, False), (15, True)])
def test_a_step_that_is_not_done_when_the_record_is_full_is_not_right(tmp_path, monkeypatch, rounds, of_slopes):
    """The last layer is stepped, and the first one would have been."""
    monkeypatch.setattr(watch, "NODES", 1500)
    long = LONG.replace("D[i, j] * ", "") + "    dZ1 *= D\n" if of_slopes else LONG
    text = PLAIN.replace("    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)\n", long[1:] % rounds)
    text = text.removesuffix("    W2 -= 0.1 * dW2\n    b2 -= 0.1 * db2\n")
    if rounds == 1:
        assert len(examined(tmp_path, text)["parameters"]) == 4
        return
    with pytest.raises(ValueError, match=r"in what could be recorded, but its step was not done in \d+ operations"):
        examined(tmp_path, text)


def test_a_constant_in_a_gradient_is_no_optimisers(tmp_path):
    """λ/m, where `* W1` is forgotten; noise and a momentum are added as well, and are none."""
    for added in ("0.1 / 9", "0.1 * X.mean(0)[:, None]"):
        with pytest.raises(ValueError, match="adds to the gradient of W1 what is made of no array that is trained"):
            examined(tmp_path, PLAIN.replace("X.T @ dZ1,", f"X.T @ dZ1 + {added},"))
    noisy = PLAIN.replace("0.1 * dW1", "0.1 * (dW1 + np.random.randn(4, 5))")
    assert examined(tmp_path, noisy)["verdict"] == "right"


def test_a_forward_pass_that_is_made_before_the_loop_and_at_its_end(tmp_path):
    """The second step is right as well, by lines that the first one knows nothing of."""
    text = "import numpy as np\nX, T = np.random.randn(20, 4), np.arange(20) % 2\nw = np.random.randn(4)\n"
    text += "z = X @ w\nfor _ in range(9):\n    p = 1 / (1 + np.exp(-z))\n    w = w - 0.1 * X.T @ (p - T) / 20\n"
    assert examined(tmp_path, text + "    z = X @ w\n")["verdict"] == "right"
    with pytest.raises(ValueError, match="in the second one the gradient of w is another one"):
        examined(tmp_path, text + "    z = X @ w + (X @ w) ** 2\n")


def test_a_step_that_is_written_more_than_once(tmp_path):
    """By itself and then in a loop, by other lines or called from others: the second one is no other step for that."""
    head, _, body = PLAIN.partition("for _ in range(9):\n")
    once = textwrap.dedent(body)
    called = f"def step():\n    global W1, b1, W2, b2\n{body}\n\nstep()\nfor _ in range(9):\n    step()\n"
    texts = (f"{head}{once}{once}", f"{head}{once}for _ in range(9):\n{body}", f"{head}{called}")
    for text in texts:
        said = examined(tmp_path, text)
        assert (said["verdict"], len(said["parameters"])) == ("right", 4)
        said = examined(tmp_path, text.replace(*SLOPE))
        assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]
    second = head + once + once.replace(*SLOPE)
    with pytest.raises(ValueError, match=r"in which line 2\d of net\.py has a part, the gradient of W1 is not that"):
        examined(tmp_path, second)


@pytest.mark.parametrize("part", ["dW1[0]", "dW1[:, :1]", "dW1[0, 0]"])
def test_a_part_of_a_gradient_is_no_step(tmp_path, part):
    """NumPy spreads a row over all others: the gradient is right, and what is made of it is not."""
    with pytest.raises(ValueError, match=r"gradient of W1 is right, but .* steps by has \d of its 20 entries"):
        examined(tmp_path, PLAIN.replace("0.1 * dW1", f"0.1 * {part}"))


def test_a_step_that_the_forward_pass_does_not_see(tmp_path):
    text = PLAIN.replace("    W1 -= 0.1 * dW1", "    kept[0] = kept[0] - 0.1 * dW1").replace(
        "for _", "kept = [W1]\nfor _"
    )
    with pytest.raises(ValueError, match=r"uses in the next one is not what the first has made of W1"):
        examined(tmp_path, text)


MOMENTUM = """
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(30, 3))
Y = np.sin(X[:, :2])
W1, W2 = rng.normal(size=(3, 5)) * 0.5, rng.normal(size=(5, 2)) * 0.5
v1, v2 = BEGIN
for _ in range(60):
    H = np.tanh(X @ W1)
    e = (H @ W2 - Y) / 30
    print(np.sum((H @ W2 - Y) ** 2) / 60)
    d = e @ W2.T * (1 - H**2)
    STEP
"""
KEPT = {
    "a sum": "v1, v2 = 0.9 * v1 + X.T @ d, 0.9 * v2 + H.T @ e; W1 = W1 - 0.07 * v1; W2 = W2 - 0.07 * v2",
    "the steps": "v1 = 0.9 * v1 - 0.07 * (X.T @ d); v2 = 0.9 * v2 - 0.07 * (H.T @ e); W1 = W1 + v1; W2 = W2 + v2",
    "products": "v1 = 0.9 * v1 - 0.07 * X.T @ d; v2 = 0.9 * v2 - 0.07 * H.T @ e; W1 = W1 + v1; W2 = W2 + v2",
    "a mean": "v1, v2 = 0.9 * v1 + 0.1 * (X.T @ d), 0.9 * v2 + 0.1 * (H.T @ e); "
    "W1 = W1 - 0.07 * v1; W2 = W2 - 0.07 * v2",
    "Nesterov": "p1, p2 = v1, v2; v1, v2 = 0.9 * v1 - 0.07 * X.T @ d, 0.9 * v2 - 0.07 * H.T @ e; "
    "W1 += -0.9 * p1 + 1.9 * v1; W2 += -0.9 * p2 + 1.9 * v2",
}


@pytest.mark.parametrize("begin", ["0, 0", pytest.param("np.zeros((3, 5)), np.zeros((5, 2))", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kept", KEPT)
def test_what_an_optimiser_keeps_and_where_the_rate_stands(tmp_path, kept, begin):
    text = MOMENTUM.replace("BEGIN", begin).replace("STEP", KEPT[kept].replace("; ", "\n    "))
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["from"], len(said["parameters"])) == ("right", "source", 2)
    said = examined(tmp_path, text.replace("* (1 - H**2)", "* (1 - H)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1"]


WRITTEN_INTO = ["dW2[0] = -dW2[0]", "dW2[1:] *= 2", "dW2[0] = dW2[1]", "dW2[:-1] += 0.1 * W2[:-1]",
                "np.fill_diagonal(dW2, 5)", "np.put(dW2, [0, 1], 3)", "np.multiply.at(dW2, [0, 1], 2)",
                "np.add.at(dW2, [0, 0], 1)", "np.copyto(dW2, W2, where=np.arange(3) < 1)",
                "dW2 = np.where(np.arange(3) < 1, 2, dW2)"]  # fmt: skip


@pytest.mark.parametrize(
    "written", [pytest.param(w, marks=pytest.mark.slow if k % 4 else ()) for k, w in enumerate(WRITTEN_INTO)]
)
def test_what_is_written_into_a_gradient_is_not_passed_over(tmp_path, written):
    text = PLAIN.replace("    dZ1 =", f"    {written}\n    dZ1 =")
    with pytest.raises(ValueError, match=r"W2 is right, but line 13 of net\.py writes something else into it"):
        examined(tmp_path, text)


@pytest.mark.parametrize("held", ["dW2[0] = 0", "dW2[:, 1] *= 0", "dW2 = np.where(np.arange(3) < 1, 0, dW2)",
                                  "dW2 = np.tril(dW2)"])  # fmt: skip
def test_entries_of_a_gradient_that_are_set_to_0_are_named(tmp_path, held):
    said = examined(tmp_path, PLAIN.replace("    dZ1 =", f"    {held}\n    dZ1 ="))
    assert said["verdict"] == "right"
    assert [(u["shape"], u["line"], u["why"][:30]) for u in said["unjudged"]] == [
        ([5, 3], 13, "where entries of its gradient ")
    ]


@pytest.mark.parametrize("alpha", ["0.8", "0"])
def test_a_momentum_may_be_an_average_of_steps(tmp_path, alpha):
    """It is made of the steps that have it in them."""
    text = PLAIN.partition("    W1 -=")[0].replace("for _", "V1, V2 = 0 * W1, 0 * W2\nfor _")
    for k in "12":
        text += f"    step = 0.1 * dW{k} + {alpha} * V{k}\n    W{k} -= step\n    V{k} = 0.8 * V{k} + 0.2 * step\n"
    said = examined(tmp_path, text)
    assert (said["verdict"], [p["name"] for p in said["parameters"]]) == ("right", ["W1", "W2"])
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_an_array_that_nothing_makes_anew_is_no_velocity(tmp_path):
    text = PLAIN.replace("for _", "N = np.random.randn(5, 3)\nfor _").replace("= A1.T @ dZ2", "= 0.1 * N + A1.T @ dZ2")
    assert [p["name"] for p in examined(tmp_path, text)["parameters"] if not p["right"]] == ["W2"]


@pytest.mark.parametrize("added", ["db1 += 0.1 * np.sum(dZ1)", "dW1 = dW1 + np.mean(dZ2 ** 2)"])
def test_a_number_of_other_gradients_is_no_centre(tmp_path, added):
    text = PLAIN.replace("    W1 -=", f"    {added}\n    W1 -=")
    with pytest.raises(ValueError, match="a number that is made of other ones: right if that is meant"):
        examined(tmp_path, text)
    assert examined(tmp_path, PLAIN.replace("    W1 -=", "    dW1 -= np.mean(dW1)\n    W1 -="))["verdict"] == "right"


def test_a_batch_whose_examples_are_stepped_one_by_one(tmp_path):
    """What is written into all of an array is a version of it."""
    each = "    for k in range(9):\n        {0}[:] = {0} - 0.1 * np.outer({1}[k], {2}[k])\n"
    text = PLAIN.replace("    W1 -= 0.1 * dW1\n", each.format("W1", "X", "dZ1"))
    text = text.replace("    W2 -= 0.1 * dW2\n", each.format("W2", "A1", "dZ2"))
    assert len(examined(tmp_path, text)["parameters"]) == 4
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("np.outer(X[k]", "np.outer(X[k - 1]"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1"]


IN_COPIES = """
import numpy as np
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W, b = rng.normal(size=(3, 2)), np.zeros(2)
for t in range(5):
    P = np.tanh(X @ W + b)
    print(np.sum((P - Y) ** 2) / 2)
    D = (P - Y) * (1 - P ** 2)
    new = W.copy()
    for k in range(2):
        for i in range(3):
            new[i, k] -= 0.05 * (X[:, i] @ D[:, k])
    W[:] = new
    b = b - 0.05 * D.sum(0)
"""


@pytest.mark.parametrize(("old", "new", "why"), [
    ("", "", ""),
    ("D.sum(0)", "D.sum(0) * X[0, 0] * np.sin(9 * t)", ""),
    ("D.sum(0)", "D.sum(0) * np.mean(P ** 2)", "line 15 of net.* makes the gradient of b1?, and the step makes so"),
    ("W[:] = new", "W[:-1] = new[:-1]", "what line 13 of net.* steps could not"),
    ("W[:] = new\n    b = b - 0.05 * D.sum(0)", "W[:-1] = new[:-1]", "entries of W1? as they were before"),
])  # fmt: skip
def test_a_right_gradient_of_which_the_step_makes_less(tmp_path, old, new, why):
    text = IN_COPIES.replace(old, new)
    if why:
        with pytest.raises(ValueError, match=why):
            examined(tmp_path, text)
    else:
        assert examined(tmp_path, text)["verdict"] == "right"


@pytest.mark.parametrize("step", [
    "m[i] = 0.9 * m[i] + 0.1 * g; v[i] = 0.99 * v[i] + 0.01 * g * g\n        w[i] -= 0.05 * m[i] / np.sqrt(v[i])",
    "v[i] += g ** 2\n        w[i] -= 0.05 * g / (np.sqrt(v[i]) + 1e-8)",
    "w[i] -= [0.1, 0.2, 0.3][i] * g",
    "w[i] -= 0.05 * np.sign(g)",
    "w[i] -= 0.05 * g / max(1, abs(g))",
])  # fmt: skip
def test_an_optimiser_of_each_entry_is_none_to_be_accused(tmp_path, step):
    """What each entry's gradient becomes is the optimiser's: what is judged is what a statement makes for the entry."""
    text = f"""
import numpy as np
rng = np.random.default_rng(12)
X, y, w, m, v = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=3), np.zeros(3), np.zeros(3)
for t in range(6):
    e = X @ w - y
    print(np.mean(e ** 2))
    for i in range(3):
        g = 2 * e @ X[:, i] / 6
        {step}
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["findings"]) == ("right", [])
    try:
        wrong = examined(tmp_path, text.replace("X[:, i] / 6", "X[:, i - 1] / 6"))["verdict"]
    except ValueError:
        wrong = "wrong"  # or no verdict
    assert wrong == "wrong"


def test_moments_that_begin_as_0_times_the_weights_are_no_penalty(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y, W = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), rng.normal(size=(3, 2))
M = 0 * W
for t in range(5):
    E = X @ W - Y
    print(0.5 * np.sum(E ** 2))
    M = 0.9 * M + X.T @ E
    W = W - 0.01 * M
"""
    assert examined(tmp_path, text)["unjudged"] == []
    later = text.replace("X.T @ E", "(X.T @ E + 0 * W)")
    assert "multiplied by 0" in examined(tmp_path, later)["unjudged"][0]["why"]


def test_weights_with_a_leading_axis_are_stepped_by_their_mean(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(1)
x, y, W = rng.normal(size=(9, 3, 1)), rng.normal(size=(9, 2, 1)), rng.normal(size=(1, 2, 3))
for _ in range(9):
    e = np.matmul(W, x) - y
    print(0.5 * np.mean(np.sum(e ** 2, axis=1)))
    W = W - 0.1 * np.mean(e * np.transpose(x, [0, 2, 1]), axis=0)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["parameters"][0]["gradient_shape"]) == ("right", [1, 2, 3])


@pytest.mark.parametrize("before", ["v.get(k, 0)", "v[k]"])
def test_nesterovs_momentum_in_two_additions(tmp_path, before):
    """p − μ v + (1 + μ) v′, as the notes of cs231n write it (Sutskever et al. 2013): what is taken off first is none
    of this step's."""
    text = f"""
import numpy as np
rng = np.random.default_rng(8)
X, y = rng.normal(size=(9, 3)), rng.normal(size=(9, 1))
p = {{"a": rng.normal(size=(3, 4)), "c": rng.normal(size=(4, 1))}}
v = {{k: np.zeros_like(w) for k, w in p.items()}} if "get" not in "{before}" else {{}}
for _ in range(9):
    h = np.tanh(X @ p["a"])
    e = h @ p["c"] - y
    print(0.5 * np.mean(e ** 2))
    g = {{"a": X.T @ (e @ p["c"].T * (1 - h ** 2)) / 9, "c": h.T @ e / 9}}
    for k in p:
        v_before = {before}
        v[k] = 0.9 * v_before - 0.05 * g[k]
        p[k] = p[k] - 0.9 * v_before + 1.9 * v[k]
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 2)
    said = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert [p["right"] for p in said["parameters"]] == [False, True]


def test_conjugate_gradients_go_downhill(tmp_path):
    """w + a d with d = −g: turned round, d has the same part in a, which is made of it (Hestenes and Stiefel 1952)."""
    text = """
import numpy as np
rng = np.random.default_rng(123)
A = rng.normal(size=(20, 4))
t, w = (rng.random(20) < 0.5) * 1.0, np.full(4, 0.1)
for _ in range(8):
    s = 1 / (1 + np.exp(-A @ w))
    print(-np.sum(t * np.log(s) + (1 - t) * np.log(1 - s)))
    g = A.T @ (s - t)
    d = -g
    H = (A.T * (s * (1 - s))) @ A
    w = w - (g @ d) / (d @ H @ d) * d
"""
    assert [(p["name"], p["right"]) for p in examined(tmp_path, text)["parameters"]] == [("w", True)]


def test_a_sum_that_begins_with_the_step_is_none_of_all_steps(tmp_path):
    """What `dW1[:, :] += …` reads is a part of what was made for this step."""
    sum_of_one = (
        "    dW1 = np.zeros((4, 5))\n    for _ in range(1):\n        dW1[:, :] += X.T @ dZ1\n    db1 = dZ1.sum(0)\n"
    )
    assert examined(tmp_path, PLAIN.replace("    dW1, db1 = X.T @ dZ1, dZ1.sum(0)\n", sum_of_one))["verdict"] == "right"


def test_a_step_after_which_the_next_one_breaks_off(tmp_path):
    """Both results of a step are put into one array: what the step was made by is right, and no network is trained."""
    text = PLAIN.replace("    W2 -= 0.1 * dW2\n    b2 -= 0.1 * db2\n", "    W2 = b2 = b2 - 0.1 * db2\n")
    with pytest.raises(ValueError, match="its second one breaks off at line 8"):
        examined(tmp_path, text.replace("W2 = b2 =", "W2, b2 = b2 - 0.1 * db2, W2 - 0.1 * dW2 #"))
    measured = f"{PLAIN}print(np.dot(X, W2))\n"
    assert examined(tmp_path, measured)["verdict"] == "right"


@pytest.mark.parametrize("write", ["dW1[dW1 > 0.05] *= 0.5", "dW1[1:] = dW1[1:] + 0.1 * W1[1:]"])
def test_a_gradient_that_is_wrong_before_something_is_written_into_it(tmp_path, write):
    text = PLAIN.replace(*SLOPE).replace("    W1 -=", f"    {write}\n    W1 -=", 1)
    found = examined(tmp_path, text)["findings"]
    assert [(f["at"], f["code"]) for f in found] == [("dZ1", "missing-activation-derivative")]


WITH_ONES = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(60, 2)), np.eye(4)[rng.integers(0, 4, 60)]
T1, T2 = rng.normal(size=(3, 6)), rng.normal(size=(7, 4))
def with_ones(a):
    return np.hstack([a, np.ones((len(a), 1))])
for _ in range(9):
    x = with_ones(X)
    h = with_ones(np.tanh(x @ T1))
    e = np.exp(h @ T2)
    p = e / e.sum(1, keepdims=True)
    loss = -np.sum(Y * np.log(p)) / 60 + 0.005 * ((T1[:-1] ** 2).sum() + (T2[:-1] ** 2).sum())
    d = (p - Y) / 60
    g2 = h.T @ d
    dh = (d @ T2.T * (1 - h ** 2))[:, :-1]
    g1 = x.T @ dh
    g1[:-1] += 0.01 * T1[:-1]
    g2[:-1] += 0.01 * T2[:-1]
    T1 -= 0.3 * g1
    T2 -= 0.3 * g2
"""


def test_a_penalty_of_all_rows_but_that_of_ones_beside_what_is_wrong(tmp_path):
    assert examined(tmp_path, WITH_ONES)["verdict"] == "right"
    for mistake, line in (((" * (1 - h ** 2)", ""), 16), (("0.01 * T1[:-1]", "0.02 * T1[:-1]"), 18)):
        (found,) = examined(tmp_path, WITH_ONES.replace(*mistake), mend=9)["findings"]
        assert (found["at"], found["line"]) == ("dT1", line)


def test_a_step_that_makes_no_numbers_is_said_to(tmp_path):
    """The root of an average that is not one of squares."""
    made = r"v\1 = 0.9 * v\1 + 0.1 * (d\1 * d\1)\n    \1 -= 0.1 * d\1 / (np.sqrt(v\1) + 1e-8)"
    text = re.sub(r"(\w\d) -= 0.1 \* d..", made, PLAIN)
    text = text.replace("for _", "vW1, vb1, vW2, vb2 = 0 * W1, 0 * b1, 0 * W2, 0 * b2\nfor _")
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"the gradient of W1 is right, but line 17 of net\.py makes NaN of it"):
        examined(tmp_path, re.sub(r"\((d..) \* d..\)", r"\1", text))


BY_LABELS = """
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(40, 3)), (np.arange(40) + {begin}) % 2
W, v = rng.normal(size=(3, 5)), rng.normal(size=5)
for x, t in zip(X, T):
    h = np.tanh(x @ W)
    p = 1 / (1 + np.exp(-h @ v))
    {before}
    if t == 1:
        {of_one}
    else:
        {of_other}
    dh = d * v * (1 - h ** 2)
    v -= 0.1 * d * h
    W -= 0.1 * np.outer(x, dh)
"""


@pytest.mark.parametrize("begin", [0, 1])
def test_each_label_has_a_branch_of_its_own(tmp_path, begin):
    """One example's error is one number, and any other one a multiple of it: it is to be the same one in each step."""
    loss = "loss = -(t * np.log(p) + (1 - t) * np.log(1 - p))"
    text = BY_LABELS.format(begin=begin, before=loss, of_one="d = p - 1", of_other="d = p")
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"in which line 1[13] of net\.py has a part, the gradient of [Wv] is not"):
        examined(tmp_path, text.replace("d = p\n", "d = p * p\n"))


@pytest.mark.parametrize("begin", [0, 1])
def test_each_branch_has_a_loss_of_its_own(tmp_path, begin):
    """Of the one example it is right; in that of the other one nothing is the gradient of what is computed there."""
    of_one, of_other = "loss = -np.log(p); d = p - 1", "loss = 3 * p; d = 3 * p * (1 - p)"
    text = BY_LABELS.format(begin=begin, before="", of_one=of_one, of_other=of_other)
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"in which line 1[13] of net\.py has a part, "):
        examined(tmp_path, text.replace("3 * p * (1 - p)", "p * p"))


def test_what_has_a_part_of_the_forward_pass_is_no_optimiser_s(tmp_path):
    """The line that steps a bias multiplies its right gradient by an activation."""
    text = PLAIN.replace("dZ1.sum(0)", "dZ1").replace("0.1 * db1", "0.1 * (db1).sum(0)")
    assert examined(tmp_path, text)["verdict"] == "right"
    for wrong in ("db1 * A1", "db1 * (1 - A1)"):
        said = examined(tmp_path, text.replace("(db1)", f"({wrong})"))
        assert [p["name"] for p in said["parameters"] if not p["right"]] == ["b1"]


def test_an_array_that_grows_where_it_was_to_decay(tmp_path):
    """What is stepped is the array that the forward pass has, and none that it is a multiple of."""
    text = PLAIN.replace("W1 -= 0.1 * dW1", "W1 *= 1.001\n    W1 -= 0.1 * dW1").replace(
        "W2 -=", "W2 *= 1.001\n    W2 -="
    )
    assert examined(tmp_path, text)["verdict"] == "right"


def test_a_gradient_that_is_no_number_is_said_to_be_none(tmp_path):
    with pytest.raises(ValueError, match="the gradient of W1 is no number, but nan or infinite"):
        examined(tmp_path, PLAIN.replace("dZ1 = dZ2", "dZ1 = np.nan * dZ2").replace("dZ2 = (P", "dZ2 = np.nan * (P"))


OF_WORDS = """
import numpy as np
rng = np.random.default_rng(0)
texts = [([0], 0), ([1, 2, 3, 4], 1), ([2, 4, 0], 0)]
U, W, V = rng.normal(size=(5, 5)) / 2, rng.normal(size=(5, 5)) / 2, rng.normal(size=(5, 2)) / 2
for epoch in range(20):
    loss = 0
    for words, label in texts:
        h, seen = np.zeros(5), []
        for word in words:
            seen.append((word, h))
            h = np.tanh(U[word] + h @ W)
        p = np.exp(h @ V) / np.exp(h @ V).sum()
        loss -= np.log(p[label])
        d = p - np.eye(2)[label]
        dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.outer(h, d)
        back = V @ d
        for word, before in reversed(seen):
            back = back * (1 - h ** 2)
            dU[word] += back
            dW += np.outer(before, back)
            back, h = W @ back, before
        U -= 0.1 * dU
        W -= 0.1 * dW
        V -= 0.1 * dV
    print(loss)
"""


def test_what_a_loop_sends_back_from_its_last_round_is_seen_where_it_has_several(tmp_path):
    """A first text of one word needs none of it, and the second one does, beside a total that the first began."""
    assert examined(tmp_path, OF_WORDS)["verdict"] == "right"
    said = examined(tmp_path, OF_WORDS.replace("W @ back, before", "W.T @ back, before"))
    assert {f["line"] for f in said["findings"]} == {22}
    assert not said["unjudged"]


BUILT_LATER = """
import numpy as np

rng = np.random.default_rng(0)

class Dense:
    def __init__(self, units):
        self.units, self.W = units, None

    def forward(self, x):
        if self.W is None:
            self.W = rng.normal(size=(x.shape[1], self.units)) * 0.5
            self.b = np.zeros(self.units)
        self.x = x
        return x @ self.W + self.b

    def backward(self, up):
        self.dW, self.db = self.x.T @ up, up.sum(axis=0)
        return up @ self.W.T

    def step(self):
        self.W -= 0.1 * self.dW
        self.b -= 0.1 * self.db

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, up):
        return up * (1 - self.out ** 2)

    def step(self):
        pass

X, Y = rng.normal(size=(40, 6)), rng.normal(size=(40, 3))
layers = [Dense(5), Tanh(), Dense(3)]
for _ in range(6):
    out = X
    for layer in layers:
        out = layer.forward(out)
    print(0.5 * np.sum((out - Y) ** 2))
    up = out - Y
    for layer in reversed(layers):
        up = layer.backward(up)
    for layer in layers:
        layer.step()
"""


def test_layers_may_be_built_when_they_first_see_data(tmp_path):
    """What the first of them made then is older than the weights of the last, and no array that was stepped."""
    assert examined(tmp_path, BUILT_LATER)["verdict"] == "right"
    wrong = BUILT_LATER.replace("(1 - self.out ** 2)", "self.out")
    assert examined(tmp_path, wrong)["verdict"] == "wrong"


STEPPED_ONCE = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 6)), rng.normal(size=(40, 3))
W1, b1 = rng.normal(size=(6, 5)) * 0.5, np.zeros(5)
W2, b2 = rng.normal(size=(5, 3)) * 0.5, np.zeros(3)

def predict(X):
    return np.tanh(X @ W1 + b1) @ W2 + b2

H = np.tanh(X @ W1 + b1)
error = Y - (H @ W2 + b2)
print(0.5 * np.sum(error ** 2))
up = error @ W2.T * (1 - H ** 2)
W2 = W2 + 0.1 * H.T @ error
b2 = b2 + 0.1 * error.sum(axis=0)
W1 = W1 + 0.1 * X.T @ up
b1 = b1 + 0.1 * up.sum(axis=0)
error = Y - predict(X)
print(0.5 * np.sum(error ** 2))
"""


def test_a_single_step_and_the_loss_after_it(tmp_path):
    """The labels, of which predictions are taken before and after it, are stepped by nothing."""
    report = examined(tmp_path, STEPPED_ONCE)
    assert report["verdict"] == "right"
    assert [p["name"] for p in report["parameters"]] == ["W1", "b1", "W2", "b2"]
    wrong = examined(tmp_path, STEPPED_ONCE.replace("(1 - H ** 2)", "H"))
    assert [finding["code"] for finding in wrong["findings"]] == ["activation-instead-of-derivative"]


PRINCIPAL_COMPONENTS = """
X = rng.normal(size=(40, 60)).astype(np.float32)
X = (X - X.mean(axis=0)) / 1.5
X = (X @ np.linalg.eig(np.cov(X.T)).eigenvectors[:, :6]).real
"""


@pytest.mark.parametrize("change", [("", ""), ("eig(", "eigh("), ("(1 - H ** 2)", "H")])
def test_the_principal_components_of_data_are_held(tmp_path, change):
    """With fewer examples than columns rounding says which vectors belong to the eigenvalues that are 0."""
    text = STEPPED_ONCE.replace("\nH =", PRINCIPAL_COMPONENTS + "H =").replace(*change)
    text = text.replace("[:, :6]", "[:, -6:]") if "eigh" in change[1] else text  # the largest come last
    assert examined(tmp_path, text)["verdict"] == ("wrong" if "H" in change else "right")
