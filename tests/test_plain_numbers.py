"""Networks of plain numbers, and single numbers beside arrays: a bias that is one, or begins as one."""

import re

import pytest
from judging import LOGISTIC, ONE_OUTPUT, PLAIN, examined


@pytest.mark.parametrize("bias", ["array(0.0)", "zeros(1)", "zeros((1, 1))"])
def test_a_bias_that_is_one_number_is_clipped_by_the_norm_of_all(tmp_path, bias):
    """The norm is one number too, and made of the bias's gradient: it is what that is scaled by."""
    one = PLAIN
    for old, new in ONE_OUTPUT.items():
        one = one.replace(old, new)
    one = one.replace("np.zeros(1)", f"np.{bias}").replace("dZ2.sum(0)", f"dZ2.sum().reshape(np.{bias}.shape)")
    norm = "    n = np.sqrt(sum((g ** 2).sum() for g in (dW1, db1, dW2, db2)))\n"
    clipped = "    dW1, db1, dW2, db2 = [g / n for g in (dW1, db1, dW2, db2)] if n > 0.01 else [dW1, db1, dW2, db2]\n"
    one = one.replace("    W1 -=", norm + clipped + "    W1 -=")
    assert examined(tmp_path, one)["verdict"] == "right"
    summed = one.replace("dZ2.sum", "2 * dZ2.sum")
    assert [p["name"] for p in examined(tmp_path, summed)["parameters"] if not p["right"]] == ["b2"]


LOOKS_AHEAD = """
import numpy as np
rng = np.random.default_rng(48)
X = rng.normal(size=(30, 4))
y = X @ [1.0, -2.0, 0.5, 3.0] + 1
w, b, v, u = np.zeros(4), 0.0, np.zeros(4), 0.0
for _ in range(9):
    e = X @ (w + 0.9 * v) + (b + 0.9 * u) - y
    loss = np.mean(e ** 2) / 2
    dw, db = X.T @ e / 30, e.mean()
    v, u = 0.9 * v - 0.1 * dw, 0.9 * u - 0.1 * db
    w = w + v
    b = b + u
"""


def test_a_bias_and_its_momentum_that_are_numbers(tmp_path):
    """Nesterov's gradient is taken where the momentum leads."""
    said = examined(tmp_path, LOOKS_AHEAD)
    assert (said["verdict"], [p["name"] for p in said["parameters"]]) == ("right", ["b", "w"])
    said = examined(tmp_path, LOOKS_AHEAD.replace("e.mean()", "e[:9].mean()"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["b"]
    in_object = LOOKS_AHEAD.replace("w + 0.9 * v", "w - 0.9 * v").replace("b + 0.9 * u", "b - 0.9 * u")
    in_object = in_object.replace("* v - 0.1", "* v + 0.1").replace("* u - 0.1", "* u + 0.1")
    in_object = in_object.replace("w = w + v", "w = w - v").replace("b = b + u", "b = b - u")
    assert examined(tmp_path, in_object)["verdict"] == "right"


OPTIMISERS = {
    "Adam": "S = 0.9 * S + 0.1 * g; V = 0.99 * V + 0.01 * g ** 2; "
    "p = p - 0.1 * (S / (1 - 0.9 ** k)) / (np.sqrt(V / (1 - 0.99 ** k)) + 1e-8)",
    "RMSprop": "V = 0.9 * V + 0.1 * g ** 2; p = p - 0.05 * g / (np.sqrt(V) + 1e-8)",
    "Nesterov": "S0 = S; S = 0.9 * S - 0.05 * g; p = p + (1.9 * S - 0.9 * S0)",
    "momentum": "S = 0.9 * S + 2 * g / 2; p = p - 0.01 * S",
}


@pytest.mark.parametrize("begin", ["0", "np.zeros((1, 1))"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_optimisers_of_a_single_number(tmp_path, optimiser, begin):
    """What they keep of it began as a number too: it is no parameter, and no rate is a part of the gradient."""
    steps = OPTIMISERS[optimiser].split("; ")
    lines = [re.sub(r"\b([pgSV])(0?)\b", r"{}\1\2", line) for line in steps]
    text = (
        "import numpy as np\nrng = np.random.default_rng(5)\nX = rng.normal(size=(50, 3))\ny = X.sum(1)[:, None] + 4\n"
        "wp, wS, wV = np.zeros((3, 1)), np.zeros((3, 1)), np.zeros((3, 1))\n"
        f"bp, bS, bV = {begin}, {begin}, {begin}\nfor k in range(1, 99):\n"
        "    e = X @ wp + bp - y\n    print((e ** 2).mean())\n    wg, bg = 2 * X.T @ e / 50, 2 * e.mean()\n"
        + "".join(f"    {re.sub('{}', name, line)}\n" for name in "wb" for line in lines)
    )
    said = examined(tmp_path, text)
    assert (said["verdict"], [p["name"] for p in said["parameters"]], said["unjudged"]) == ("right", ["W1", "b1"], [])
    said = examined(tmp_path, text.replace("2 * e.mean()", "-2 * e.mean()"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-sign")]


@pytest.mark.parametrize(
    "step", ["b = np.clip(b - 0.1 * db, -5, 5)", "b = b * (1 - r * 0.01) - r * db", "b = np.maximum(b - 0.1 * db, 0)"]
)
def test_a_number_is_not_passed_over_whatever_steps_it(tmp_path, step):
    """Where it stood in the forward pass there stands in the next one what follows from this one."""
    text = OF_NUMBERS.replace("STEP", f"r = np.float64(0.1)\n    w -= 0.1 * dw\n    {step}").replace(
        "rng.normal(),", "0.7,"
    )
    with pytest.raises(ValueError, match=r"what line 13 of net\.py steps could not"):
        examined(tmp_path, text.replace("(p - y).mean()", "-((p - y) * p).mean()"))


def test_a_bias_that_is_stepped_after_the_weights_by_a_forward_pass_of_its_own(tmp_path):
    """It is 3 until then, and an array from its first step on."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, w, b = rng.normal(size=(4, 1)), rng.normal(size=(1, 4)), 3
for _ in range(30):
    w = w + 0.01 * X.T * (5 - w @ X - b)
    b = b - 0.01 * (5 - w @ X - b)
"""
    with pytest.raises(ValueError, match=r"what line 7 of net\.py steps could not"):
        examined(tmp_path, text)


@pytest.mark.parametrize("zero", ["0", "0.0"])
@pytest.mark.parametrize("other", ["np.zeros(3)", "0"])
def test_biases_that_begin_as_a_number_and_become_arrays(tmp_path, zero, other):
    """They are arrays from the second step on, and are judged there."""
    text = PLAIN.replace("np.zeros(5)", zero).replace("np.zeros(3)", other)
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    said = examined(tmp_path, text.replace("b1 -= ", "b1 += "))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-sign")]


def test_a_factor_that_began_as_a_number_is_judged(tmp_path):
    """γ = 1 is an array from the first step on."""
    text = PLAIN.replace("for _", "gain = 1\nfor _").replace("np.tanh(X @ W1 + b1)", "np.tanh(gain * (X @ W1 + b1))")
    text = text.replace("dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)", "dS = dZ2 @ W2.T * (1 - A1 ** 2)\n    dZ1 = gain * dS")
    text = text.replace(
        "    W1 -=", "    dgain = (dS * (X @ W1 + b1)).sum(0)\n    gain = gain - 0.1 * dgain\n    W1 -="
    )
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 5)
    said = examined(tmp_path, text.replace("gain - 0.1", "gain + 0.1"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dgain", "wrong-sign")]
    said = examined(tmp_path, text.replace("dgain = (dS", "dgain = 9 * (dS"))
    assert [(f["at"], f["code"], f["source"][:7]) for f in said["findings"]] == [("dgain", "wrong-scale", "dgain =")]


ROWS_ONE_BY_ONE = """
import numpy as np
rng = np.random.default_rng(3)
X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
V, a, w, b = rng.uniform(-1, 1, (2, 2)), rng.uniform(-1, 1, 2), rng.uniform(-1, 1, 2), 0.7
for _ in range(500):
    for x, y in zip(X, Y):
        h = 1 / (1 + np.exp(-(x @ V + a)))
        p = 1 / (1 + np.exp(-(h @ w + b)))
        d = (p - y) * p * (1 - p)
        g = d * w * h * (1 - h)
        V, a, w, b = V - 0.2 * np.outer(x, g), a - 0.2 * g, w - 0.2 * d * h, b - 0.2 * d
"""


def test_a_bias_that_begins_as_a_number_is_no_loss(tmp_path):
    said = examined(tmp_path, ROWS_ONE_BY_ONE)
    assert (said["verdict"], len(said["parameters"]), said["unjudged"]) == ("right", 4, [])
    said = examined(tmp_path, ROWS_ONE_BY_ONE.replace("np.outer(x, g)", "np.outer(g, x)"))
    assert ([f["code"] for f in said["findings"]], said["loss"]["from"]) == (["transposed"], "inferred")


def test_single_numbers_that_are_stepped_too_early(tmp_path):
    text = """
import numpy as np
w, a, v, b = -0.5, 0.1, -0.3, 0.2
for _ in range(50):
    for x, y in ((1, 2), (2, 5)):
        h = 1 / (1 + np.exp(-(w * x + a)))
        d = -2 * (y - (v * h + b))
        EARLY
        e = (1 - h) * h * v * d
        w, a = w - 0.1 * e * x, a - 0.1 * e
        LATE
"""
    step = "v, b = v - 0.1 * d * h, b - 0.1 * d"
    assert examined(tmp_path, text.replace("EARLY", "").replace("LATE", step))["verdict"] == "right"
    said = examined(tmp_path, text.replace("EARLY", step).replace("LATE", ""))
    assert {(f["code"], f["line"]) for f in said["findings"]} == {("weights-already-updated", 9)}


NEURONS = """
import numpy as np
class Neuron:
    def __init__(self, inputs):
        self.weights, self.bias = np.random.uniform(-1, 1, inputs), np.random.uniform()
    def forward(self, x):
        self.x = x
        self.out = 1 / (1 + np.exp(-(self.weights @ x + self.bias)))
        return self.out
    def update(self, error):
        slope = error * self.out * (1 - self.out)
        back = slope * self.weights
        self.weights = self.weights + 0.5 * slope * self.x
        self.bias = self.bias + 0.5 * slope
        return back
np.random.seed(4)
hidden, last = [Neuron(2) for _ in range(3)], Neuron(3)
for _ in range(9):
    for x, y in zip(np.random.randn(4, 2), np.random.rand(4)):
        out = last.forward(np.array([neuron.forward(x) for neuron in hidden]))
        errors = last.update(y - out)
        for neuron, error in zip(hidden, errors):
            neuron.update(error)
"""


def test_biases_that_are_numbers_of_neurons_that_are_objects(tmp_path):
    said = examined(tmp_path, NEURONS)
    assert (said["verdict"], len(said["parameters"])) == ("right", 8)
    late = NEURONS.replace("        back = slope * self.weights\n", "").replace(
        "        return back", "        return slope * self.weights"
    )
    said = examined(tmp_path, late)  # the error goes back through what has just been stepped, to biases too
    assert {f["code"] for f in said["findings"]} == {"weights-already-updated"}
    assert len([p for p in said["parameters"] if not p["right"]]) == 6


def test_a_loss_beside_the_first_step_only_where_the_bias_is_still_a_number(tmp_path):
    """The squared error is printed once in a hundred steps, and b is an array from the second one on."""
    text = """
import numpy as np
np.random.seed(2)
X, y, w, b = np.random.randn(30, 2), np.arange(30) % 2, np.zeros(2), 0.0
for i in range(900):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    w -= 0.1 * X.T @ (p - y) / 30
    b -= 0.1 * np.mean(p - y)
    if i % 100 == 0:
        print(np.mean((p - y) ** 2))
"""
    said = examined(tmp_path, text)
    assert ("dZ1", "missing-output-derivative") in [(f["at"], f["code"]) for f in said["findings"]]
    said = examined(
        tmp_path, text.replace("np.mean((p - y) ** 2)", "-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))")
    )
    assert said["verdict"] == "right"
    assert [p["name"] for p in said["parameters"]] == ["W1", "b1"]


def test_a_number_that_is_learnt(tmp_path):
    text = PLAIN.replace("for _ in", "T = np.array(1.0)\nfor _ in").replace(
        "np.exp(A1 @ W2 + b2)", "np.exp(T * (A1 @ W2 + b2))"
    )
    text = text.replace(
        "    dZ2 = (P - Y) / 9\n", "    D = (P - Y) / 9\n    dT = -np.sum(D * (A1 @ W2 + b2))\n    dZ2 = T * D\n"
    )
    said = examined(tmp_path, text + "    T -= 0.1 * dT\n")
    assert [p["shape"] for p in said["parameters"] if not p["right"]] == [[]]


COST_AFTER_THE_STEP = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(6, 2)), np.array([0, 1, 1, 0, 1, 0])

def cost(X, y, w, b):
    total = 0
    for i in range(len(X)):
        p = 1 / (1 + np.exp(-(np.dot(X[i], w) + b)))
        total += -y[i] * np.log(p) - (1 - y[i]) * np.log(1 - p)
    return total / len(X)

def slopes(X, y, w, b):
    dw, db = np.zeros(2), 0
    for i in range(len(X)):
        error = 1 / (1 + np.exp(-(np.dot(X[i], w) + b))) - y[i]
        dw = dw + error * X[i]
        db = db + error
    return dw / len(X), db / len(X)

w, b = np.zeros(2), 0.0
for _ in range(20):
    dw, db = slopes(X, y, w, b)
    w = w - 0.1 * dw
    b = b - 0.1 * db
    print(cost(X, y, w, b))
"""


def test_a_forward_pass_of_the_loss_alone_is_no_step_of_a_bias_that_began_as_a_number(tmp_path):
    said = examined(tmp_path, COST_AFTER_THE_STEP)
    assert (said["verdict"], len(said["parameters"])) == ("right", 2)
    for wrong in ("db + error + y[i]", "db + error * b"):
        said = examined(tmp_path, COST_AFTER_THE_STEP.replace("db + error\n", f"{wrong}\n"))
        assert [(f["at"], f["line"], f["parameters"]) for f in said["findings"]] == [("db1", 18, ["b1"])]


@pytest.mark.parametrize(("old", "findings"), [("", []), (".mean()", [("db1", "wrong-scale")])])
def test_a_bias_that_is_a_number_and_a_loss_with_a_forward_pass_of_its_own(tmp_path, old, findings):
    text = LOGISTIC.replace(old, ".sum()") if old else LOGISTIC
    q = "    q = 1 / (1 + np.exp(-(X @ w + b)))\n    cost = -np.sum(T * np.log(q) + (1 - T) * np.log(1 - q)) / 20\n"
    said = examined(tmp_path, text.replace("b = np.zeros(4), 0.0", "b = np.zeros(4), 0") + q)
    assert [p["shape"] for p in said["parameters"]] == [[4], []]
    assert [(f["at"], f["code"]) for f in said["findings"]] == findings
    assert said["loss"]["reduction"] == "mean"


STRAIGHT_LINE = """
import numpy as np
rng = np.random.default_rng(0)
x = rng.random(50)
y = 3 * x + 1 + 0.1 * rng.random(50)
w, b = 0.0, 0.0
for _ in range(20):
    error = w * x + b - y
    print(np.mean(error ** 2))
    dw = 2 * np.mean(error * x)
    db = 2 * np.mean(error)
    w -= 0.1 * dw
    b -= 0.1 * db
"""


def test_a_number_that_is_right_proves_another_wrong(tmp_path):
    """By a loss of the program's own, or by one that is implied: two numbers that are the right ones in two draws, but
    for one constant, are so by no chance."""
    assert examined(tmp_path, STRAIGHT_LINE)["verdict"] == "right"
    said = examined(tmp_path, STRAIGHT_LINE.replace("np.mean(error)", "np.mean(error * x)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["b"]
    assert said["frontier"]["b"]["wrong_from"]["line"] == 11
    implied = STRAIGHT_LINE.replace("    print(np.mean(error ** 2))\n", "")
    assert examined(tmp_path, implied)["verdict"] == "right"
    said = examined(tmp_path, implied.replace("np.mean(error)", "np.mean(error * x)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["b"]


GAUSSIAN = """
import numpy as np
x = np.random.default_rng(2).normal(3, 2, 40)
m, s = 0.0, 0.5
for _ in range(20):
    v = np.exp(s)
    print(0.5 * np.mean((x - m) ** 2) / v + 0.5 * s)
    dm = -np.mean(x - m) / v
    ds = 0.5 - 0.5 * np.mean((x - m) ** 2) / v
    m = m - 0.2 * dm
    s = s - 0.2 * ds
"""


def test_one_number_is_no_proof_by_a_loss_without_a_name(tmp_path):
    """A gradient over the Fisher information is the natural one (Amari 1998), and another number in each draw."""
    assert examined(tmp_path, GAUSSIAN)["verdict"] == "right"
    with pytest.raises(
        ValueError, match=r"line 8 of net\.py makes the gradient of m, and the step makes something else"
    ):
        examined(tmp_path, GAUSSIAN.replace("0.2 * dm", "0.2 * v * dm"))


def test_the_constant_of_most_numbers_counts_where_no_loss_says_otherwise(tmp_path):
    text = LOGISTIC.replace(
        "w -= 0.1 * X.T @ (p - T) / 20", "dw, db = X.T @ (p - T) / 20, (p - T).mean()\n    w -= 0.1 * dw"
    )
    text = text.replace("b -= 0.1 * (p - T).mean()", "b -= 0.1 * db")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("(p - T).mean()", "(p - T).sum()"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-scale")]
    assert "m times what it should be" in said["findings"][0]["explanation"]


def test_a_number_that_labels_do_not_enter_is_stepped_all_the_same(tmp_path):
    """It is an array from the first step on, and what it is stepped with is part of the step."""
    cost = "    cost = -np.mean(T * np.log(p) + (1 - T) * np.log(1 - p))\n    w -="
    text = LOGISTIC.replace("    w -=", cost)
    assert [p["right"] for p in examined(tmp_path, text)["parameters"]] == [True, True]
    said = examined(tmp_path, text.replace("(p - T).mean()", "p.mean()"))
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W1": True, "b1": False}
    said = examined(tmp_path, text.replace("(p - T) / 20", "p / 20"))
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W1": False, "b1": True}


TWO_NUMBERS = """
import numpy as np
x = np.linspace(0, 1, 30); y = 3 * x + 1
m = 0.; c = 0.; L = .1; n = len(x)
for i in range(500):
    yp = m * x + c
    Dm = (-2 / n) * sum(x * (y - yp)); Dc = (-2 / n) * sum(y - yp)
    m = m - L * Dm
    c = c - L * Dc
"""


def test_a_number_that_climbs_is_no_state(tmp_path):
    """0 + g, its first version, is no step of the sum that g is, which begins anew in each round."""
    assert [p["right"] for p in examined(tmp_path, TWO_NUMBERS)["parameters"]] == [True, True]
    for name, *step in (("dc", "c - L", "c + L"), ("dm", "m - L", "m + L")):
        said = examined(tmp_path, TWO_NUMBERS.replace(*step))
        assert [(f["at"], f["code"]) for f in said["findings"]] == [(name, "wrong-sign")]


LEARNT_SPREAD = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3)); y = X @ [1., 2, -1] + .5 * rng.normal(size=50)
w = np.zeros(3); s = 0.
for i in range(50):
    r = X @ w - y
    loss = np.mean(.5 * r ** 2 * np.exp(-2 * s) + s)
    gw = X.T @ r * np.exp(-2 * s) / 50
    gs = 1 - np.mean(r ** 2) * np.exp(-2 * s)
    w -= .1 * gw
    s -= .1 * gs
"""


def test_a_number_that_only_the_loss_is_made_of_is_judged(tmp_path):
    """log σ, which begins as a number that is not on the record; not so a baseline, which the loss takes as it is."""
    assert {p["name"]: p["right"] for p in examined(tmp_path, LEARNT_SPREAD)["parameters"]} == {"W1": True, "s": True}
    said = examined(tmp_path, LEARNT_SPREAD.replace("gs = 1 -", "gs = 0.5 -"))
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W1": True, "s": False}
    averaged = LEARNT_SPREAD.replace("loss =", "seen =").replace("s -= .1 * gs", "s = .9 * s + .1 * seen")
    said = examined(tmp_path, averaged.replace("    gw", "    loss = np.mean(.5 * r ** 2) * np.exp(-2 * s)\n    gw"))
    assert [p["name"] for p in said["parameters"]] == ["W1"]


PLAIN_NUMBERS = """
import math, random
random.seed(1)

def dot(w, x):
    total = w[-1]
    for k in range(len(x)):
        total += w[k] * x[k]
    return total

class Unit:
    def __init__(self, n):
        self.w = [random.uniform(-1, 1) for _ in range(n + 1)]

    def forward(self, x):
        self.x, self.out = x, 1 / (1 + math.exp(-dot(self.w, x)))
        return self.out

    def backward(self, error):
        self.delta = error * self.out * (1 - self.out)
        return [self.delta * w for w in self.w[:-1]]

    def step(self):
        self.w = [w - 0.3 * self.delta * x for w, x in zip(self.w, self.x + [1])]

layers = [[Unit(2) for _ in range(3)], [Unit(3) for _ in range(2)]]
data = [([2.8, 1.5], [1, 0]), ([1.4, -2.3], [0, 1]), ([-3.3, 0.4], [1, 0])]
for epoch in range(30):
    loss = 0
    for x, y in data:
        for layer in layers:
            x = [unit.forward(x) for unit in layer]
        loss += sum([(p - t) ** 2 for p, t in zip(x, y)]) / 2
        errors = [p - t for p, t in zip(x, y)]
        for layer in reversed(layers):
            errors = [sum(of) for of in zip(*[unit.backward(e) for unit, e in zip(layer, errors)])]
        for unit in layers[0] + layers[1]:
            unit.step()
    print(loss)
"""


def test_a_network_of_plain_numbers(tmp_path):
    """Without NumPy, the numbers that are drawn begin the record."""
    said = examined(tmp_path, PLAIN_NUMBERS)
    assert (said["verdict"], len(said["parameters"]), said["unjudged"]) == ("right", 17, [])
    assert said["parameters"][0]["name"] == "layers[0][0].w[0]"
    said = examined(tmp_path, PLAIN_NUMBERS.replace("self.delta * w for", "self.delta for"))
    assert {f["line"] for f in said["findings"]} == {36}  # where what is sent back is added up
    assert all((p["name"][:9] == "layers[0]") is not p["right"] for p in said["parameters"])
    zero = examined(tmp_path, PLAIN_NUMBERS.replace("[2.8, 1.5]", "[2.8, 0]"))
    assert (zero["verdict"], zero["unjudged"]) == ("right", [])  # the second example tells of what the first does not


def test_what_has_no_gradient_in_the_first_example_is_judged_in_the_second(tmp_path):
    text = PLAIN_NUMBERS.replace("[2.8, 1.5]", "[0, 0]")
    assert examined(tmp_path, text)["verdict"] == "right"
    sign = "(-1 if len(self.w) == 3 and x != 1 else 1)"
    said = examined(tmp_path, text.replace("0.3 * self.delta * x", f"0.3 * self.delta * x * {sign}"))
    wrong = [f"dlayers[0][{unit}].w[{k}]" for unit in range(3) for k in range(2)]
    assert [(f["at"], f["code"]) for f in said["findings"]] == [(name, "wrong-sign") for name in wrong]


BY_NUMBERS = """
import random
from math import exp, log
random.seed(3)
data = [([2.7, 2.5], 0), ([1.4, 2.3], 0), ([7.6, 2.7], 1), ([5.3, 2.0], 1)]
w, b = [random.gauss(0, 0.1) for _ in range(2)], random.gauss(0, 0.1)
for _ in range(30):
    dw, db, cost = [0.0] * 2, 0.0, 0.0
    for x, y in data:
        a = 1 / (1 + exp(-(w[0] * x[0] + w[1] * x[1] + b)))
        cost += -(y * log(a) + (1 - y) * log(1 - a))
        dw = [d + (a - y) * v for d, v in zip(dw, x)]
        db += a - y
    cost /= 4
    dw = [d / 4 for d in dw]
    db /= 4
    w = [v - 0.1 * d for v, d in zip(w, dw)]
    b = b - 0.1 * db
    print(cost)
"""


def test_a_mean_of_plain_numbers(tmp_path):
    """The number that is printed counts, not what the errors imply; and not the sum, whose name it has taken."""
    assert examined(tmp_path, BY_NUMBERS)["verdict"] == "right"
    said = examined(tmp_path, BY_NUMBERS.replace("    dw = [d / 4 for d in dw]\n", ""))
    assert [(f["code"], round(f["scale"], 6)) for f in said["findings"]] == [("wrong-scale", 4)] * 2
    said = examined(tmp_path, BY_NUMBERS.replace("    db /= 4\n", ""))
    assert [(f["at"], f["code"], round(f["scale"], 6)) for f in said["findings"]] == [("db", "wrong-scale", 4)]


RELUS = """
import random
random.seed(5)
data = [([0.5, 1.0], 1.0), ([-0.3, 0.8], 0.5), ([0.9, -0.7], -1.0)]
W, b = [[random.gauss(0, 1) for _ in range(2)] for _ in range(4)], [random.gauss(0, 0.5) for _ in range(4)]
v = [random.gauss(0, 1) for _ in range(4)]
for _ in range(30):
    for x, t in data:
        z = [sum(w * u for w, u in zip(W[j], x)) + b[j] for j in range(4)]
        a = [q if q > 0 else 0.0 for q in z]
        e = sum(v[j] * a[j] for j in range(4)) - t
        d = [e * v[j] * (z[j] > 0) for j in range(4)]
        for j in range(4):
            v[j] -= 0.05 * e * a[j]
            b[j] -= 0.05 * d[j]
            for k in range(2):
                W[j][k] -= 0.05 * d[j] * x[k]
        print(e ** 2 / 2)
"""


def test_units_that_a_decision_cuts_off_have_no_gradient(tmp_path):
    """Nothing is left of them in the prediction: what steps them all the same could not be judged."""
    assert examined(tmp_path, RELUS)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"but what line 15 of net\.py steps could not$"):
        examined(tmp_path, RELUS.replace(" * (z[j] > 0)", ""))


COORDINATES = """
import random
random.seed(3)
D = [([random.gauss(0, 1) for _ in range(3)], random.gauss(0, 1)) for _ in range(6)]
w = [random.gauss(0, 1) for _ in range(3)]
for _ in range(30):
    for j in range(3):
        g = 0
        for x, t in D:
            e = sum(a * b for a, b in zip(w, x)) - t
            g += e * x[j] / 6
        w[j] -= 0.2 * g
    print(sum((sum(a * b for a, b in zip(w, x)) - t) ** 2 for x, t in D) / 12)
"""


def test_numbers_that_are_stepped_by_turns_are_not_accused(tmp_path):
    with pytest.raises(ValueError, match="right if each is stepped in its turn"):
        examined(tmp_path, COORDINATES)


def test_a_slope_too_many_over_plain_numbers(tmp_path):
    """Labels that are plain numbers enter the cost on no record: it is the cross-entropy all the same."""
    said = examined(
        tmp_path, BY_NUMBERS.replace("(a - y)", "(a - y) * a * (1 - a)").replace("a - y\n", "(a - y) * a * (1 - a)\n")
    )
    assert (said["verdict"], said["loss"]["name"], said["loss"]["from"]) == ("wrong", "binary-cross-entropy", "source")


def test_a_number_that_is_drawn_and_never_stepped_is_named(tmp_path):
    said = examined(tmp_path, BY_NUMBERS.replace("    b = b - 0.1 * db\n", ""))
    assert (said["verdict"], [(u["shape"], u["line"]) for u in said["unjudged"]]) == ("right", [([], 10)])


A_COST = """
import random
from math import exp, log
random.seed(3)
data = [([2.7, 2.5], 0), ([1.4, 2.3], 0), ([7.6, 2.7], 1), ([5.3, 2.0], 1)]
w, b = [random.gauss(0, 0.1) for _ in range(2)], random.gauss(0, 0.1)

def predict(x):
    return 1 / (1 + exp(-(w[0] * x[0] + w[1] * x[1] + b)))

def cost():
    losses = [-(y * log(predict(x)) + (1 - y) * log(1 - predict(x))) for x, y in data]
    return sum(losses) / 4 + 0.05 * (w[0] ** 2 + w[1] ** 2)

for _ in range(30):
    errors = [predict(x) - y for x, y in data]
    dw = [sum(e * x[k] for e, (x, y) in zip(errors, data)) / 4 + 0.1 * w[k] for k in range(2)]
    w, b = [v - 0.1 * d for v, d in zip(w, dw)], b - 0.1 * sum(errors) / 4
    print(cost())
"""


def test_a_penalty_of_plain_numbers_beside_the_step(tmp_path):
    """It is computed once the step is made, and what the errors imply has none, or one of any size."""
    assert examined(tmp_path, A_COST)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"for a penalty: line 13 of net\.py computes one of w\[0\] that its gradient"):
        examined(tmp_path, A_COST.replace(" + 0.1 * w[k]", ""))
    said = examined(tmp_path, A_COST.replace("0.1 * w[k]", "0.1 * w[k] * (k > 0)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dw[0]", "weight-penalty")]


HINGE = """
import random
random.seed(7)
data = [([random.gauss(k, 1), random.gauss(k, 1)], k) for k in (-1, 1) for _ in range(3)]
w, b = [random.uniform(-0.1, 0.1) for _ in range(2)], random.uniform(-0.1, 0.1)
for _ in range(50):
    loss = 0
    for x, y in data:
        margin = y * (w[0] * x[0] + w[1] * x[1] + b)
        loss += max(0, 1 - margin) + 0.005 * (w[0] ** 2 + w[1] ** 2)
        w = [v - 0.05 * (0.01 * v - (margin < 1) * y * u) for v, u in zip(w, x)]
        b -= 0.05 * y
    print(loss / 6)
"""
HINGE_OF_ARRAYS = """
import numpy as np
np.random.seed(7)
X, Y = np.random.randn(12, 2), np.repeat([-1, 1], 6)
w, b = np.random.randn(2) * 0.1, 0.05
for _ in range(50):
    loss = 0
    for x, y in zip(X, Y):
        margin = y * (x @ w + b)
        loss += max(0, 1 - margin) + 0.005 * np.sum(w**2)
        w = w - 0.05 * (0.01 * w - y * x) if margin < 1 else w - 0.05 * 0.01 * w
        b -= 0.05 * y
    print(loss / 12)
"""


@pytest.mark.parametrize("text", [HINGE, HINGE_OF_ARRAYS])
def test_a_bias_that_no_gradient_steps_is_not_passed_over(tmp_path, text):
    """A number that was drawn, or one that was on no record until then."""
    with pytest.raises(ValueError, match=r"but what line 1[1-3] of net\.py steps could not$"):
        examined(tmp_path, text)


def test_numbers_that_are_stepped_too_early(tmp_path):
    """Each by another rate: all that goes back through them would have a constant else."""
    early = "self.step()\n        return [self.delta * w for w in self.w[:-1]]"
    text = PLAIN_NUMBERS.replace("return [self.delta * w for w in self.w[:-1]]", early)
    said = examined(tmp_path, text.replace("            unit.step()\n", "            pass\n"))
    assert all((p["name"][:9] == "layers[0]") is not p["right"] for p in said["parameters"])
    assert {f["code"] for f in said["findings"]} == {"weights-already-updated"}


def test_functions_that_are_for_plain_numbers_are_not_called_with_arrays(tmp_path):
    """This one takes the labels for the last entry of a row."""
    text = PLAIN_NUMBERS.replace("random.uniform(-1, 1) for _", "0.1 * (_ + n) for _")
    with pytest.raises(ValueError, match="nothing was found that it trains"):
        examined(tmp_path, text)


OF_NUMBERS = """
import numpy as np
rng = np.random.default_rng(4)
X = rng.normal(size=(25, 3))
y = (X[:, 0] + 0.5 * X[:, 1] > 0.2) * 1.0
w, b, v, c = np.zeros(3), rng.normal(), 0, 0.0
for _ in range(60):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    dw, db = X.T @ (p - y) / 25, (p - y).mean()
    STEP
"""


@pytest.mark.parametrize(
    "kept",
    [
        "v = 0.9 * v - 0.3 * X.T @ (p - y) / 25; c = 0.9 * c - 0.3 * np.sum(p - y) / 25; w = w + v; b = b + c",
        "v = 0.9 * v + 0.1 * X.T @ (p - y) / 25; c = 0.9 * c + 0.1 * np.mean(p - y); w = w - 0.3 * v; b = b - 0.3 * c",
        "v += dw**2; c += db**2; w -= 0.3 * dw / (np.sqrt(v) + 1e-8); b -= 0.3 * db / (np.sqrt(c) + 1e-8)",
    ],
)
def test_what_an_optimiser_keeps_of_a_number(tmp_path, kept):
    text = OF_NUMBERS.replace("STEP", kept.replace("; ", "\n    "))
    said = examined(tmp_path, text)
    assert (said["verdict"], [p["shape"] for p in said["parameters"]]) == ("right", [[3], []])
    wrong = text.replace("np.sum(p - y)", "np.sum(p - 2 * y)").replace("np.mean(p - y)", "np.mean(p - 2 * y)")
    said = examined(tmp_path, wrong.replace("(p - y).mean()", "(p - 0.3 * y).mean()"))
    assert [p["right"] for p in said["parameters"]] == [True, False]


def test_a_bias_whose_velocity_no_label_enters_is_not_passed_over(tmp_path):
    kept = "v = 0.9 * v - 0.3 * X.T @ (p - y) / 25; c = 0.9 * c - 0.3 * np.sum(X) / 25; w = w + v; b = b + c"
    with pytest.raises(ValueError, match=r"but what line 14 of net\.py steps could not"):
        examined(tmp_path, OF_NUMBERS.replace("STEP", kept.replace("; ", "\n    ")))


@pytest.mark.parametrize("rate", ["0.1 * np.exp(-0.01 * k)", "np.float64(0.1)"])
@pytest.mark.parametrize(
    ("of_w", "of_b", "wrong"),
    [("r * X.T @ (p - y) / 25", "r * np.mean(p - y)", "r * np.sum(p - y)"),
     ("r * 2 / 50 * X.T @ (p - y)", "r * 2 / 50 * np.sum(p - y)", "r * 2 / 50 * np.sum(y - p)")],
)  # fmt: skip
def test_a_rate_that_is_recorded_is_one_for_numbers_too(tmp_path, rate, of_w, of_b, wrong):
    text = OF_NUMBERS.replace("STEP", f"r = {rate}\n    w = w - {of_w}\n    b = b - {of_b}").replace("for _", "for k")
    assert (examined(tmp_path, text)["verdict"], examined(tmp_path, text)["findings"]) == ("right", [])
    said = examined(tmp_path, text.replace(of_b, wrong))
    assert [p["right"] for p in said["parameters"]] == [True, False]


def test_a_number_s_gradient_is_no_constant_times_the_right_one(tmp_path):
    """In one example any number is, x₁/x₂, say."""
    text = """
import numpy as np
X = np.array([[1.78, 1.14], [1.96, 1.18], [1.86, 1.20], [2.08, 1.56]])
v, w, b = 0.3, -0.2, 0.1
for epoch in range(20):
    for x, y in zip(X, [1, 1, 0, 0]):
        o = 1 / (1 + np.exp(-(v * x[0] + w * x[1] + b)))
        d = -2 * (y - o) * o * (1 - o)
        v -= 0.1 * d * x[0]
        w -= 0.1 * d * x[1]
        b -= 0.1 * d
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("w -= 0.1 * d * x[1]", "w -= 0.1 * d * x[0]"))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("dw", "unknown", 10)]


TWO_UNITS = """
import math
import random
random.seed(0)
data = [(x, 1 if x > 3 else 0) for x in range(-10, 11)]
w1, b1, w2, b2 = [random.uniform(-0.01, 0.01) for _ in range(4)]

def sigmoid(z):
    return 1 / (1 + math.exp(-z))

for epoch in range(200):
    total = 0
    for x, t in data:
        n1, n2 = sigmoid(w1 * x + b1), sigmoid(w2 * x + b2)
        total += (t - n1 * n2) ** 2
        d1 = 2 * (n1 * n2 - t) * n2 * n1 * (1 - n1)
        d2 = 2 * (n1 * n2 - t) * n1 * n2 * (1 - n1)
        w1 -= 0.005 * d1 * x
        b1 -= 0.005 * d1
        w2 -= 0.005 * d2 * x
        b2 -= 0.005 * d2
    print(total)
"""


def test_the_slope_of_a_plain_number_is_no_rate(tmp_path):
    """1 / (1 + e) is e times nothing, and what is left of the right steps, but for 0.005, is the truth."""
    said = examined(tmp_path, TWO_UNITS)
    assert {f["at"]: f["code"] for f in said["findings"]} == dict.fromkeys(("db2", "dw2"), "unknown")
    assert examined(tmp_path, TWO_UNITS.replace("n1 * n2 * (1 - n1)", "n1 * n2 * (1 - n2)"))["verdict"] == "right"


def test_an_input_that_is_0_is_no_factor_of_the_gradient(tmp_path):
    text = PLAIN_NUMBERS.replace("[2.8, 1.5]", "[0, 1.5]").replace("[1.4, -2.3]", "[1.4, 0]")
    said = examined(tmp_path, text)
    assert (said["verdict"], {u["why"][:28] for u in said["unjudged"]}) == ("right", {"whose gradient is 0 in this "})


def test_numbers_of_a_list_that_are_one_draw_are_not_accused(tmp_path):
    """The loss depends on the draw by all of them, and each is stepped by its own gradient."""
    text = PLAIN_NUMBERS.replace(
        "[random.uniform(-1, 1) for _ in range(n + 1)]", "[0.5 * random.uniform(-1, 1)] * (n + 1)"
    )
    with pytest.raises(ValueError, match=r"line 24 of net\.py step one array"):
        examined(tmp_path, text)


def test_numbers_of_one_line_are_no_majority(tmp_path):
    """Six numbers three times too large are one array, and so are the three that are right."""
    text = """
import math, random
random.seed(0)
w = [[random.random() for _ in range(2)] for _ in range(3)]
v = [random.random() for _ in range(3)]
data = [([0.5, 0.2], 1), ([0.1, 0.9], 0), ([0.7, 0.3], 1)]
for _ in range(9):
    for x, t in data:
        h = [math.tanh(sum(a * b for a, b in zip(row, x))) for row in w]
        o = 1 / (1 + math.exp(-sum(a * b for a, b in zip(v, h))))
        d = (t - o) * o * (1 - o)
        e = [3 * d * v[j] * (1 - h[j] ** 2) for j in range(3)]
        for j in range(3):
            v[j] += 0.5 * d * h[j]
            for i in range(2):
                w[j][i] += 0.5 * e[j] * x[i]
"""
    said = examined(tmp_path, text)
    assert {p["name"][0] for p in said["parameters"] if not p["right"]} == {"w"}
    assert {f["code"] for f in said["findings"]} == {"wrong-scale"}
    assert [f["scale"] for f in said["findings"]] == pytest.approx([3] * 6)


@pytest.mark.parametrize("sign", ["-", "+"])
def test_a_bias_that_the_step_with_the_loss_has_not_yet_is_named(tmp_path, sign):
    """The loss is printed in the first step alone, in which b is a number: by what the weights are judged does not hang
    on how b is stepped, and that nothing is said of b is said."""
    text = f"""
import numpy as np
X, y = np.array([[5, 1], [6, 2], [7, 3], [8, 6], [9, 8]], dtype=float), np.array([0, 0, 0, 1, 1.0])
w, b = np.zeros(2), 0.0
for i in range(1000):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = p - y
    w -= 0.001 * X.T @ error / len(X)
    b {sign}= 0.001 * np.mean(error)
    if i % 100 == 0:
        print(np.mean((p - y) ** 2))
"""
    said = examined(tmp_path, text)
    assert (said["loss"]["name"], said["loss"]["from"]) == ("squared-error", "source")
    assert [p["right"] for p in said["parameters"]] == [False]
    assert [(u["shape"], u["line"], u["why"]) for u in said["unjudged"]] == [
        ([], 9, "which is a number until its first step")
    ]


PLAIN_BESIDE_NUMPY = """
import random, math
import numpy as np
random.seed(5)
rows = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(6)]
w = {k: random.uniform(-1, 1) for k in "abcd"}
for epoch in range(5):
    total, g = 0.0, dict.fromkeys(w, 0.0)
    for x, z in rows:
        h = math.tanh(w["a"] * x + w["b"] * z)
        e = w["c"] * h + w["d"] - x * z
        total += 0.5 * e * e
        g["c"] += e * h; g["d"] += e
        s = e * w["c"] * (1 - h * h)
        g["a"] += s * x; g["b"] += s * z
    for k in w: w[k] -= 0.1 * g[k]
print(np.mean([total]))
"""


def test_numbers_that_random_draws_are_recorded_beside_numpy(tmp_path):
    said = examined(tmp_path, PLAIN_BESIDE_NUMPY)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    assert examined(tmp_path, PLAIN_BESIDE_NUMPY.replace(" * (1 - h * h)", ""))["verdict"] == "wrong"


def test_what_a_momentum_keeps_of_a_single_bias_is_no_loss(tmp_path):
    """0.9 v, a number that is made with the labels and all that is before them, in the next step."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.random((6, 1))
W1, b1, W2, b2 = rng.normal(size=(3, 8)) / 2, np.zeros(8), rng.normal(size=(8, 1)) / 2, np.zeros(1)
V = [np.zeros_like(p) for p in (W1, b1, W2, b2)]
def forward(x):
    a1 = 1 / (1 + np.exp(-(x @ W1 + b1)))
    return a1, 1 / (1 + np.exp(-(a1 @ W2 + b2)))
for _ in range(9):
    for i in range(6):
        a1, a2 = forward(X[i:i + 1])
        d2 = (a2 - Y[i:i + 1]) * a2 * (1 - a2)
        d1 = d2 @ W2.T * a1 * (1 - a1)
        gradients = X[i:i + 1].T @ d1, d1.sum(0), a1.T @ d2, d2.sum(0)
        V = [0.9 * v + g for v, g in zip(V, gradients)]
        W1, b1, W2, b2 = [p - 0.5 * v for p, v in zip((W1, b1, W2, b2), V)]
    print(np.mean((Y - forward(X)[1]) ** 2))
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" * a1 * (1 - a1)", ""))
    assert [p["right"] for p in said["parameters"]] == [False, False, True, True]
