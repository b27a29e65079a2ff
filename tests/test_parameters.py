"""Which arrays are parameters, however they are held and made; what is said of those that nothing steps."""

import contextlib
import math
import re

import pytest
from generated import case
from judging import PLAIN, SLOPE, examined, examined_once

from jaxnet.compare.author.verdict import verdict


@pytest.mark.parametrize("form", ["class", "class, defined only"])
def test_what_no_step_changes_is_said_not_to_be_judged(tmp_path, form):
    one = case(1, 1, "never-updated")
    said = examined(tmp_path, one.text_by_form[form])
    assert said["verdict"] == "right"
    assert len(said["unjudged"]) == 1
    assert examined(tmp_path, case(1).text_by_form[form])["unjudged"] == []


def test_what_no_step_changes_is_not_stepped_by_the_next_forward_pass(tmp_path):
    """`XW + b` of the next step is a step of b by its looks, if W has been stepped and b has not."""
    text = PLAIN.replace("    b1 -= 0.1 * db1\n", "").replace("np.zeros(5)", "np.zeros((9, 5))")
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 3)


def test_biases_that_no_step_changes_are_part_of_a_dense_network(tmp_path):
    text = PLAIN.replace("    b1 -= 0.1 * db1\n", "").replace("    b2 -= 0.1 * db2\n", "")
    text = text.replace("np.zeros(5)", "np.ones(5)").replace("np.zeros(3)", "np.arange(3.)")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative", 13)]


def test_what_a_parameter_was_made_of_is_no_way_to_another(tmp_path):
    """W1 steps by what W2 is by then, and the number that is computed after the step has them read from the second one
    on: the gradient of W2 does not go through the step of W1."""
    lines = PLAIN.splitlines(True)
    first = next(k for k, line in enumerate(lines) if "W2 -= " in line)
    lines.insert(next(k for k, line in enumerate(lines) if "dZ1 = " in line), lines.pop(first))
    text = "".join(line for line in lines if "loss = " not in line) + (
        "    V = np.exp(np.tanh(2 * X[:5] @ W1 + b1) @ W2 + b2)\n"
        "    cost = -np.log((V / V.sum(1, keepdims=True))[np.arange(5), np.arange(5) % 3]).mean()\n"
    )
    said = examined(tmp_path, text)
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1"]


def test_a_target_that_follows_the_weights_is_no_parameter(tmp_path):
    """Its steps depend on it, by the labels that it makes."""
    text = PLAIN.replace("for _ in", "slow = [np.random.randn(*p.shape) for p in (W1, b1, W2, b2)]\nfor _ in", 1)
    target = "np.tanh(np.tanh(X @ slow[0] + slow[1]) @ slow[2] + slow[3]) ** 2"
    text = text.replace("    loss =", f"    Y = {target}\n    loss =")
    text = text.replace("E / E.sum(1, keepdims=True)", "np.log(E)")
    text = text.replace("-np.sum(Y * np.log(P)) / 9", "np.sum((P - Y) ** 2) / 18")
    text += "    slow = [0.9 * old + 0.1 * p for old, p in zip(slow, (W1, b1, W2, b2))]\n"
    said = examined(tmp_path, text)
    assert (said["verdict"], [p["name"] for p in said["parameters"]]) == ("right", ["W1", "b1", "W2", "b2"])
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_a_mean_that_is_taken_off_a_table_is_no_gradient_of_it(tmp_path):
    text = """
import numpy as np
X = np.random.randn(200, 2)
Z = np.array(X)
Z -= np.mean(Z, axis=0)
x, y = np.meshgrid(np.arange(X[:, 0].min(), X[:, 0].max(), 0.1), np.arange(X[:, 1].min(), X[:, 1].max(), 0.1))
print(np.tanh(np.c_[x.ravel(), y.ravel()]).shape)
"""
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


IN_VIEWS = """
import numpy as np
rng = np.random.default_rng(43)
X = rng.normal(size=(6, 4))
Y = np.sin(X) / 2
W = rng.normal(size=(2, 4, 4)) / 2
A, B = W[0], W[1]
for _ in range(20):
    H = np.tanh(X @ A)
    E = X + H @ B - Y
    loss = np.sum(E ** 2) / 2
    D = E @ B.T * (1 - H ** 2)
    A -= 0.05 * X.T @ D
    B -= 0.05 * H.T @ E
"""


def test_a_matrix_that_is_stepped_through_views_of_it(tmp_path):
    """The next forward pass is made of new views: it is no step of the data that a block is added to."""
    said = examined(tmp_path, IN_VIEWS)
    assert (said["verdict"], said["unjudged"], [p["name"] for p in said["parameters"]]) == ("right", [], ["W"])
    said = examined(tmp_path, IN_VIEWS.replace("(1 - H ** 2)", "(1 - H)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W"]


@pytest.mark.parametrize("order", ["C", "F"])
def test_in_which_order_a_matrix_is_laid_out(tmp_path, order):
    """One order for the weights and another one for their gradient put each entry in another's place."""
    flat = PLAIN.replace("W1, b1, W2", "t, b1, W2").replace("np.random.randn(4, 5) / 2", "np.random.randn(20) / 2")
    flat = flat.replace("    A1 =", f"    W1 = t.reshape((4, 5), order={order!r})\n    A1 =")
    flat = flat.replace("W1 -= 0.1 * dW1", "t -= 0.1 * dW1.ravel(order='F')")
    said = examined(tmp_path, flat)
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ([] if order == "F" else ["t"])
    assert said["network"] is None


def test_a_neuron_that_is_never_stepped_is_named(tmp_path):
    rows = PLAIN.replace("X @ W1 + b1", "np.array([x for x in map(unit, range(5))]).T")
    rows = rows.replace("for _ in", "def unit(k): return X @ units[k]\nunits = list(W1.T.copy())\nfor _ in", 1)
    rows = rows.replace("W1 -= 0.1 * dW1", "for k in range(NUMBER): units[k] = units[k] - 0.1 * dW1[:, k]")
    rows = rows.replace("    b1 -= 0.1 * db1\n", "")
    assert examined(tmp_path, rows.replace("NUMBER", "5"))["unjudged"] == []
    said = examined(tmp_path, rows.replace("NUMBER", "4"))
    assert [(u["shape"], u["source"]) for u in said["unjudged"]] == [([4], "def unit(k): return X @ units[k]")]


NEURONS = """
import numpy as np
rng = np.random.default_rng(0)
class Neuron:
    def __init__(self):
        self.weights = rng.normal(size=5)
    def predict(self, x):
        self.net = np.dot(self.weights[:-1], x) + self.weights[-1]
        return np.tanh(self.net)
neurons = [Neuron() for _ in range(3)]
for _ in range(5):
    for x in rng.uniform(size=(20, 4)):
        out = np.array([neuron.predict(x) for neuron in neurons])
        print(np.sum((out - x[:3] ** 2) ** 2) / 2)
        d = (out - x[:3] ** 2) * (1 - np.tanh(np.array([neuron.net for neuron in neurons])) ** 2)
        for neuron, row in zip(neurons, np.column_stack((np.outer(d, x), d))):
            neuron.weights = neuron.weights - 0.1 * row
"""


def test_rows_of_data_are_no_neurons(tmp_path):
    """They are taken where the weights are."""
    said = examined(tmp_path, NEURONS)
    assert (said["verdict"], said["unjudged"]) == ("right", [])
    assert examined(tmp_path, NEURONS.replace("np.outer(d, x)", "np.outer(d, x ** 2)"))["verdict"] == "wrong"


def test_what_is_written_into_an_array_and_is_no_step_of_it_is_said(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y, W, b = (rng.normal(size=size) for size in ((9, 4), (9, 3), (4, 3), (3,)))
for _ in range(5):
    D = X @ W + b - Y
    print((D ** 2).sum() / 2)
    W -= 0.01 * X.T @ np.abs(D)
    b[0] = 0.01 * D[:, 0].sum()
"""
    (array,) = examined(tmp_path, text)["unjudged"]
    assert (array["line"], array["why"]) == (9, "into which is written what is no step of it")


def test_what_is_added_to_a_turned_array(tmp_path):
    """`W2.T` is another array each time, of the same memory: all of it is one parameter."""
    text = PLAIN.replace("W2 -= 0.1 * dW2", "np.add.at(W2.T, [0, 1, 2], -0.1 * dW2.T)")
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    said = examined(tmp_path, text.replace("A1.T @ dZ2", "A1.T @ P"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W2"]


MOVING_AVERAGES = """
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
smooth = X[:, 0].copy()
for k in range(1, 20):
    smooth[k] = smooth[k - 1] + 0.3 * (X[k, 0] - smooth[k - 1])
X = np.c_[X, smooth]
W, V = rng.normal(size=(4, 6)), rng.normal(size=(6, 1))
mean, spread, slow = np.zeros(6), np.ones(6), W.copy()
for _ in range(9):
    Z = X @ W
    mu, var = Z.mean(0), Z.var(0)
    N = (Z - mu) / np.sqrt(var + 1e-5)
    H = np.tanh(N)
    e = H @ V - y
    print(np.mean(e ** 2))
    dN = 2 * e / 20 @ V.T * (1 - H ** 2)
    dZ = (dN - dN.mean(0) - N * (dN * N).mean(0)) / np.sqrt(var + 1e-5)
    V -= 0.05 * H.T @ e / 10
    W -= 0.05 * X.T @ dZ
    mean += 0.1 * (mu - mean)
    spread = spread - 0.1 * (spread - var)
    slow += 0.1 * (W - slow)
"""
TOWARDS = """
import numpy as np
wanted = np.array([1.0, -2.0, 3.0])
x = np.zeros(3)
for _ in range(9):
    print(np.sum((x - wanted) ** 2))
    x = x - 0.1 * 2 * (x - wanted)
"""


def test_an_array_is_called_as_those_beside_it_are(tmp_path):
    """And not what a loop has left its last one with."""
    text = "n = {'W': {}, 'b': {}}" + re.sub(r"\b([Wb])([12])\b", r"n['\1'][\2]", PLAIN)
    said = examined(tmp_path, text.replace("for _ in", "for v in n['b'].values():\n    print(v.shape)\nfor _ in"))
    assert said["names"] == {"W1": "n['W'][1]", "b1": "n['b'][1]", "W2": "n['W'][2]", "b2": "n['b'][2]"}


def test_a_moving_average_is_no_step(tmp_path):
    """Of the statistics of a normalisation (Ioffe and Szegedy 2015), of weights, of data that are smoothed."""
    said = examined(tmp_path, MOVING_AVERAGES)
    assert (said["verdict"], [p["name"] for p in said["parameters"]]) == ("right", ["V", "W"])
    said = examined(tmp_path, MOVING_AVERAGES.replace(" - N * (dN * N).mean(0)", ""))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW", 19)]
    assert examined(tmp_path, TOWARDS)["verdict"] == "right"


NEVER_FILLED = """
import numpy as np
rng = np.random.default_rng(58)
X, y, w, b = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=3), rng.normal(size=1)
for _ in range(5):
    dw, db = np.zeros(3), np.zeros(1)
    for x, label in zip(X, y):
        error = x @ w + b - label
        gradient = np.zeros(3), np.zeros(1)
        dw, db = dw + gradient[0], db + gradient[1]
    w, b = w - 0.1 * dw, b - 0.1 * db
"""


def test_scores_that_are_shifted_do_not_train(tmp_path):
    """Z − max Z is an array of which something is subtracted that depends on it, once."""
    text = PLAIN.replace("E = np.exp(A1 @ W2 + b2)", "Z = A1 @ W2 + b2\n    E = np.exp(Z - Z.max(1, keepdims=True))")
    for name in ("W1", "b1", "W2", "b2"):
        text = text.replace("for _", f"d{name} = np.zeros_like({name})\nfor _", 1)
    said = examined(tmp_path, re.sub(r"    dW., db. = .*\n", "", text))
    assert {f["code"] for f in said["findings"]} == {"stale-gradient"}
    assert len(said["parameters"]) == 4


def test_sums_of_zeros_are_no_parameters(tmp_path):
    said = examined(tmp_path, NEVER_FILLED)
    assert {(p["name"], f["code"]) for p in said["parameters"] for f in said["findings"]} == {
        ("W1", "stale-gradient"), ("b1", "stale-gradient"),
    }  # fmt: skip


def test_what_is_stepped_and_cannot_be_judged_is_not_passed_over(tmp_path):
    text = PLAIN.replace("W1 -= 0.1 * dW1", "W1 = np.sinh(np.arcsinh(W1 - 0.1 * dW1) * 0.99)")
    with pytest.raises(ValueError, match="nothing is wrong in what could be judged, but what line 15 of "):
        examined(tmp_path, text)
    overwritten = PLAIN.replace("b2 -= 0.1 * db2", "b2[:] = W2[0] - 0.1 * db2")  # of another array
    with pytest.raises(ValueError, match="nothing is wrong in what could be judged, but what line 18 of "):
        examined(tmp_path, overwritten)


@pytest.mark.parametrize("order", ["range(3)", "(2, 1, 0)"])
def test_a_first_layer_whose_gradient_is_never_added_up(tmp_path, order):
    text = """
import numpy as np
rng = np.random.default_rng(1)
X, T = rng.normal(size=(3, 2)), rng.normal(size=(3, 3))
W = [rng.normal(size=shape) for shape in [(2, 5), (5, 4), (4, 3)]]
b = [rng.normal(size=n) for n in (5, 4, 3)]
for _ in range(9):
    dW, db = [np.zeros_like(w) for w in W], [np.zeros_like(v) for v in b]
    for x, t in zip(X, T):
        A = [x]
        for w, v in zip(W, b):
            A.append(np.tanh(A[-1] @ w + v))
        d = (A[3] - t) * (1 - A[3] ** 2)
        dW[2] += np.outer(A[2], d)
        db[2] += d
        d = W[2] @ d * (1 - A[2] ** 2)
        dW[1] += np.outer(A[1], d)
        db[1] += d
    for k in ORDER:
        W[k] += -0.1 * dW[k]
        b[k] += -0.1 * db[k]
"""
    with pytest.raises(ValueError, match="by zeros, to which nothing is added"):
        examined(tmp_path, text.replace("ORDER", order))


WIDE = """
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(66, 5, 2)), rng.normal(size=(5, 3))
W = [rng.normal(size=(2, 3)) * 0.1 for _ in range(66)]
for _ in range(20):
    P = X[0] @ W[0]
    for x, V in zip(X[1:], W[1:]):
        P = P + x @ V
    print(np.mean((P - T) ** 2))
    back = 2 * (P - T) / T.size
    for k in range(66):
        W[k] = W[k] - 0.1 * (X[k].T @ back)
"""


def test_a_network_of_more_parameters_than_a_machine_word_has_bits(tmp_path):
    said = examined(tmp_path, WIDE)
    assert (said["verdict"], len(said["parameters"])) == ("right", 66)
    said = examined(tmp_path, WIDE.replace("@ back", "@ (back if k else P * back)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W[0]"]


UNFILLED_SUM = """
    gW1, gb1, gW2, gb2 = (np.zeros_like(p) for p in (W1, b1, W2, b2))
    for x, y in zip(X, Y):
        a = np.tanh(x @ W1 + b1)
        e = np.exp(a @ W2 + b2)
        d2 = e / e.sum() - y
        d1 = W2 @ d2 * (1 - a ** 2)
        gW1 += np.outer(x, d1)
        gb1 += d1
        gW2 += np.outer(a, d2)
        gb2 += d2
    W1 -= 0.1 * gW1
    b1 -= 0.1 * gb1
    W2 -= 0.1 * gW2
    b2 -= 0.1 * gb2
"""


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_a_sum_that_nothing_is_added_to(tmp_path, name):
    """It is stepped with all the same, and the forward pass uses the array: it may be frozen, or its line forgotten."""
    head, _, _ = PLAIN.partition("    A1 = ")
    said = examined_once(head + UNFILLED_SUM)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    text = head + "\n".join(line for line in UNFILLED_SUM.splitlines() if f"g{name} +=" not in line)
    with pytest.raises(ValueError, match="by zeros, to which nothing is added, in each step that was seen: right if"):
        examined(tmp_path, text)
    wrong = examined(tmp_path, text.replace("gW2 += np.outer(a, d2)", "gW2 += np.outer(a, d2) * 2") if name != "W2" else
                     text.replace("gW1 += np.outer(x, d1)", "gW1 += np.outer(x, d1) * 2"))  # fmt: skip
    assert [p["name"] for p in wrong["parameters"] if not p["right"]] == ["W1" if name == "W2" else "W2"]
    # A velocity that is 0 in the first step only is none.
    late = UNFILLED_SUM.replace("b1 -= 0.1 * gb1", "b1 -= V\n    V = 0.1 * gb1")
    with contextlib.suppress(ValueError):
        assert not examined(tmp_path, head.replace("for _", "V = np.zeros_like(b1)\nfor _") + late)["findings"]


AS_VIEWS = {"np.random.randn(4, 5)": "np.random.randn(20).reshape(4, 5)", "np.zeros(5)": "np.zeros((5, 1)).ravel()",
            "np.random.randn(5, 3)": "np.random.randn(3, 5).T", " / 2": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("planted", "at", "code"),
    [
        (SLOPE, "dZ1", "missing-activation-derivative"),
        (("dZ1.sum(0)", "dZ1.sum()"), "db1", "summed-over-all-axes"),
        (("X.T @ dZ1", "X.T @ (dZ2 @ W2.T)"), "dW1", "unknown"),
        (("A1.T @ dZ2", "(X @ W1 + b1).T @ dZ2"), "dW2", "pre-activation-input"),
        (("dZ2 @ W2.T", "dZ2 @ (W2 - dW2).T"), "dZ1", "unknown"),
    ],
)
def test_weights_that_are_views(tmp_path, planted, at, code):
    """Of what they were drawn as: the layers are read all the same, and the mistakes named as of any other weights."""
    views = PLAIN
    for old, new in AS_VIEWS.items():
        views = views.replace(old, new)
    for text in (PLAIN, views):
        assert examined_once(text)["verdict"] == "right"
        said = examined(tmp_path, text.replace(*planted))
        assert (said["network"]["sizes"], [(f["at"], f["code"]) for f in said["findings"]]) == ([4, 5, 3], [(at, code)])


@pytest.mark.parametrize(("largest", "taken"), [(10000.0, "W - C * y * x"), (10.0, "-W - C * y * x")])
def test_what_is_added_to_a_parameter_is_no_error_of_it(tmp_path, largest, taken):
    """A support vector machine, an example at a time: W is no prediction, nor is −W, of which C y x would be labels: a
    wrong gradient was that of a squared error, and the right one 10,000 times that."""
    text = f"""
import numpy as np
np.random.seed(0)
C, X = {largest}, np.hstack([np.random.rand(80, 2), np.ones((80, 1))])
Y = np.where(X[:, 0] + 0.5 * X[:, 1] > 0.75, 1.0, -1.0)
order = np.random.permutation(80)
X, Y = X[order], Y[order]
W = np.zeros(3)
for epoch in range(500):
    for x, y in zip(X, Y):
        if 1 - y * np.dot(x, W) <= 0:
            dW = W
        else:
            dW = {taken}
        W = W - 0.000001 * dW
        cost = 0.5 * np.dot(W, W) + C * np.sum(np.maximum(0, 1 - Y * np.dot(X, W)))
    print(epoch, cost)
"""
    with pytest.raises(ValueError, match="steps nothing by a gradient of it"):
        examined(tmp_path, text)


def test_biases_that_are_never_stepped_are_named_where_examples_come_one_by_one(tmp_path):
    """They have the shape of what they are added to."""
    text = """
import numpy as np
np.random.seed(0)
X = np.random.rand(30, 2)
T = X.sum(1) / 2
B = [np.random.randn(y, 1) for y in (5, 1)]
W = [np.random.randn(y, x) for x, y in ((2, 5), (5, 1))]
for epoch in range(3):
    for x, t in zip(X, T):
        a = [x.reshape(-1, 1)]
        for w, b in zip(W, B):
            a.append(1 / (1 + np.exp(-(np.dot(w, a[-1]) + b))))
        error = a[-1] - t.reshape(-1, 1)
        for k in (1, 0):
            delta = error * a[k + 1] * (1 - a[k + 1])
            error = np.dot(W[k].T, delta)
            W[k] = W[k] - 0.1 * np.dot(delta, a[k].T)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], [u["shape"] for u in said["unjudged"]]) == ("right", [[5, 1], [1, 1]])
    stepped = text.replace("            W[k] =", "            B[k] = B[k] - 0.1 * delta; W[k] =")
    assert examined(tmp_path, stepped)["unjudged"] == []


CHECKED_FIRST = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(9, 4), np.random.randn(9, 2)

class Layer:
    def __init__(self):
        self.W, self.b = np.random.randn(4, 2), np.zeros(2)

layer = Layer()

def numerical_gradients():
    for k in range(8):
        for change in (-1e-4, 2e-4, -1e-4):
            layer.W = layer.W.reshape(-1)
            layer.W[k] += change
            layer.W = layer.W.reshape(4, 2)

numerical_gradients()
for _ in range(20):
    e = X @ layer.W + layer.b - Y
    print(np.sum(e ** 2) / 2)
    layer.W -= 0.01 * (X.T @ e)
    layer.b -= 0.01 * e.sum(0)
"""


@pytest.mark.parametrize(("old", "new", "verdict"), [("", "", "right"), ("-= 0.01 * (X", "+= 0.01 * (X", "wrong")])
def test_what_a_check_of_gradients_leaves_is_stepped_in_place(tmp_path, old, new, verdict):
    """It is on no record what the check makes of the weights, and is nevertheless an array from then on."""
    said = examined(tmp_path, CHECKED_FIRST.replace(old, new))
    assert (said["verdict"], [p["shape"] for p in said["parameters"]]) == (verdict, [[4, 2], [2]])
    assert said["unjudged"] == []


def test_a_mean_error_is_no_gradient_of_a_bias(tmp_path):
    """That has the slope of the activation, too."""
    text = """
import numpy as np
X, Y = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]), np.array([[0], [0], [1], [1]])
W = np.random.random((3, 1)) * 2 - 1
for _ in range(30):
    P = 1 / (1 + np.exp(-X @ W))
    error = Y - P
    print(np.mean(error))
    W += X.T @ (error * P * (1 - P))
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["unjudged"]) == ("right", [])


def test_a_gradient_of_a_bias_that_steps_nothing_is_named(tmp_path):
    """The bias is the number 0 and on no record; what was computed for it is."""
    text = """
import numpy as np
np.random.seed(0)
X = np.random.randn(60, 5)
y = (X[:, 0] + 0.3 > 0) * 1.0
w, b = np.zeros(5), 0
for _ in range(30):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    dw, db = X.T @ (p - y) / 60, np.sum(p - y) / 60
    w = w - 0.1 * dw
    b = b - 0.1 * db
"""
    assert examined(tmp_path, text)["unjudged"] == []
    ones = text.replace("randn(60, 5)", "randn(60, 5)\nX[:, 4] = 1").replace("    b = b - 0.1 * db\n", "")
    assert examined(tmp_path, ones)["unjudged"] == []
    said = examined(tmp_path, text.replace("    b = b - 0.1 * db\n", ""))
    assert [(u["shape"], u["line"], u["why"]) for u in said["unjudged"]] == [
        ([], 9, "which is what the gradient of a bias would be, and steps nothing")
    ]


def test_a_layer_that_is_never_stepped_is_named_where_examples_are_vectors(tmp_path):
    text = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(9, 4), np.eye(3)[np.arange(9) % 3]
V, W, b = np.random.randn(5, 4), np.random.randn(3, 5), np.zeros(3)
for _ in range(5):
    for x, y in zip(X, Y):
        h = np.tanh(V @ x)
        E = np.exp(W @ h + b)
        d = E / E.sum() - y
        print(-np.log(E / E.sum()) @ y)
        W -= 0.1 * np.outer(d, h)
        b -= 0.1 * d
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], [(u["shape"], u["line"]) for u in said["unjudged"]]) == ("right", [([5, 4], 8)])


@pytest.mark.parametrize("made", [
    "np.array([[W[i, k] - 0.1 * G[i, k] for k in range(2)] for i in range(3)])",
    "np.array([w - 0.1 * g for w, g in zip(W, G)])",
    "np.array([w - 0.1 * g for w, g in zip(W.ravel(), G.ravel())]).reshape(W.shape)",
    "np.vstack([W[:-1] - 0.1 * G[:-1], W[-1:] - 0.1 * G[-1:]])",
    "np.hstack([W[:, :1] - 0.1 * G[:, :1], W[:, 1:] - 0.1 * G[:, 1:]])",
])  # fmt: skip
def test_weights_that_are_made_anew_of_their_parts(tmp_path, made):
    """A list of stepped entries or rows is the array, written part by part; the bias beside it is right each time."""
    text = (
        "import numpy as np\nrng = np.random.default_rng(1)\nX, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))\n"
        "W, b = rng.normal(size=(3, 2)), np.zeros(2)\nfor _ in range(9):\n    P = np.tanh(X @ W + b)\n"
        "    print(np.sum((P - Y) ** 2) / 2)\n    D = (P - Y) * (1 - P ** 2)\n    G = X.T @ D\n"
        f"    W = {made}\n    b = b - 0.1 * D.sum(0)\n"
    )
    said = examined(tmp_path, text)
    assert (said["verdict"], [math.prod(p["shape"]) for p in said["parameters"]]) == ("right", [6, 2])
    said = examined(tmp_path, text.replace("G = X.T @ D", "G = X.T @ (P - Y)"))
    assert [p["right"] for p in said["parameters"]] == [False, True]
    kept = made.replace("W[-1:] - 0.1 * G[-1:]", "W[-1:]")
    if kept != made:
        with pytest.raises(ValueError, match="leaves some entries of W1 as they are"):
            examined(tmp_path, text.replace(made, kept))


@pytest.mark.parametrize("made", [
    "np.array([[w - 0.1 * g for w, g in zip(*rows)] for rows in zip(*eval(str([W.tolist(), G.tolist()])))])",
    "np.array([[W[i, k] - 0.1 * G[i, k] for i in range(3)] for k in range(2)]).T",
])  # fmt: skip
def test_weights_that_are_made_anew_unseen_are_not_passed_over(tmp_path, made):
    """They stand in the next forward pass in the place of what no step was seen to change."""
    text = (
        "import numpy as np\nrng = np.random.default_rng(1)\nX, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))\n"
        "W, b = rng.normal(size=(3, 2)), np.zeros(2)\nfor _ in range(9):\n    D = X @ W + b - Y\n"
        f"    print(np.sum(D ** 2) / 2)\n    G = X.T @ D\n    W = {made}\n    b = b - 0.1 * D.sum(0)\n"
    )
    with pytest.raises(ValueError, match=r"but what line 9 of net\.py steps"):
        examined(tmp_path, text)
    assert len(examined(tmp_path, text.replace(made, "W"))["unjudged"]) == 1


DRAWN_ONE_BY_ONE = """
import numpy as np
rng = np.random.RandomState(0)
X, W, v = rng.randn(5, 3), np.zeros((3, 2)), np.zeros(2)
y = np.sin(X[:, 0])
for j in range(2):
    v[j] = rng.normal()
    for i in range(3):
        W[i, j] = DRAW
for t in range(5):
    h = np.tanh([[sum(x[i] * W[i, j] for i in range(3)) for j in range(2)] for x in X])
    r = h @ v - y
    print(0.5 * (r ** 2).sum())
    gW = X.T @ (np.outer(r, v) * (1 - h ** 2))
    for j in range(2):
        v[j] = v[j] - 0.01 * (h.T @ r)[j]
        for i in range(3):
            W[i, j] = W[i, j] - 0.01 * gW[i, j]
"""


@pytest.mark.parametrize("draw", ["rng.normal()", "0.5 * (rng.rand() - 0.5)"])
def test_weights_whose_entries_are_drawn_one_by_one_are_no_numbers_apart(tmp_path, draw):
    text = DRAWN_ONE_BY_ONE.replace("DRAW", draw)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["from"], len(said["parameters"])) == ("right", "source", 2)
    said = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W": False, "v": True}


def test_weights_that_a_check_of_gradients_makes_anew_are_judged(tmp_path):
    """It flattens them, nudges each, and gives them their shape back: other arrays, made off the record."""
    text = """
import numpy as np
np.random.seed(0)

class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_out, n_in) / 3, np.zeros((n_out, 1))

layers = [Dense(12, 5), Dense(5, 4)]
X, Y = np.random.rand(12, 10), np.eye(4)[:, np.arange(10) % 4]

def cost():
    A = [X]
    for layer in layers:
        A.append(1 / (1 + np.exp(-(layer.W @ A[-1] + layer.b))))
    return A, -np.mean(np.sum(Y * np.log(A[-1]) + (1 - Y) * np.log(1 - A[-1]), axis=0))

def check_gradients(e=1e-4):
    for layer in layers:
        shape = layer.W.shape
        for k in range(layer.W.size):
            layer.W = layer.W.reshape(-1)
            layer.W[k] += e
            layer.W = layer.W.reshape(shape)
            cost()
            layer.W = layer.W.reshape(-1)
            layer.W[k] -= e
            layer.W = layer.W.reshape(shape)

check_gradients()
for _ in range(9):
    A, loss = cost()
    print(loss)
    d = (A[-1] - Y) / 10
    for k in (1, 0):
        dW, db = d @ A[k].T, d.sum(axis=1, keepdims=True)
        d = layers[k].W.T @ d * A[k] * (1 - A[k])
        layers[k].W -= 0.1 * dW
        layers[k].b -= 0.1 * db
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], [p["name"] for p in said["parameters"]]) == ("right", ["W1", "b1", "W2", "b2"])
    said = examined(tmp_path, text.replace("dW, db = d @", "dW, db = 3 * d @"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "W2"]


def test_a_part_of_weights_that_begin_anew_begins_so_too(tmp_path):
    """In each fold of a validation; the line that takes the part out may be run in the first one only."""
    text = """
import numpy as np
np.random.seed(3)
X, Y = np.random.randn(60, 4), np.eye(3)[np.arange(60) % 3]
seen = []

def with_ones(A):
    return np.hstack([np.ones((len(A), 1)), A])

def fit(weights, X, Y, penalty=0):
    for X, Y in zip(np.split(X, 5), np.split(Y, 5)):
        A = np.tanh(with_ones(X) @ weights[0])
        E = np.exp(with_ones(A) @ weights[1])
        error = E / E.sum(1, keepdims=True) - Y
        if not seen:
            back = error @ weights[1][1:].T
        else:
            back = error @ weights[1].T[:, 1:]
        seen.append(1)
        gradients = [with_ones(X).T @ (back * (1 - A ** 2)) / len(X), with_ones(A).T @ error / len(X)]
        for k in range(2):
            gradients[k][1:] += penalty / len(X) * weights[k][1:]
            weights[k] -= 0.1 * gradients[k]

def validated(rate):
    for fold in range(3):
        kept = np.arange(60) % 3 != fold
        fit([np.random.randn(5, 6) / 2, np.random.randn(7, 3) / 2], X[kept], Y[kept])

list(map(validated, range(4)))
"""
    assert examined(tmp_path, text)["verdict"] == "right"


IN_PARTS = """
import numpy as np
rng = np.random.default_rng(3)
X, K = rng.normal(size=(9, 3)), BEGIN
y = X[:, 0] * X[:, 1]
FILL
for t in range(5):
    W, v = K[:12].reshape(3, 4), K[12:]
    h = np.tanh(X @ W)
    e = h @ v - y
    print(0.5 * np.sum(e ** 2))
    dW, dv = X.T @ (np.outer(e, v) * (1 - h ** 2)), h.T @ e
    K = K - 0.02 * np.concatenate([dW.ravel(), dv])
"""


@pytest.mark.parametrize(("begin", "fill"), [
    ("np.zeros(16)", "K[:12] = 0.6 * rng.normal(size=12); K[12:] = rng.normal(size=4)"),
    ("rng.normal(size=16)", "K[12:] *= 0.5"),
    ("rng.normal(size=16)", "K[12:] = K[12:] / np.linalg.norm(K[12:])"),
    ("np.zeros(16)", "for k in range(16): K[k] = rng.normal()"),
    ("np.zeros(16)", "for k in range(16): number = rng.normal(); K[k] = number"),
])  # fmt: skip
def test_weights_that_are_made_in_parts_are_read_as_one_array(tmp_path, begin, fill):
    text = IN_PARTS.replace("BEGIN", begin).replace("FILL", fill)
    said = examined(tmp_path, text)
    assert (said["verdict"], [p["shape"] for p in said["parameters"]]) == ("right", [[16]])
    assert examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))["verdict"] == "wrong"


@pytest.mark.parametrize("made", ["W[j] = row", "W[j] = 0.5 * row"])
def test_rows_that_are_read_as_they_were_written_are_those_of_the_weights(tmp_path, made):
    text = f"""
import numpy as np
rng = np.random.default_rng(3)
X, W, v = rng.normal(size=(9, 3)), np.zeros((4, 3)), rng.normal(size=4)
y = X[:, 0] * X[:, 1]
for j in range(4):
    row = rng.normal(size=3)
    {made}
for t in range(5):
    Z = np.zeros((9, 4))
    for j in range(4): Z[:, j] = X @ W[j]
    h = np.tanh(Z)
    e = h @ v - y
    print(0.5 * np.sum(e ** 2))
    dZ, dv = np.outer(e, v) * (1 - h ** 2), h.T @ e
    W, v = W - 0.02 * dZ.T @ X, v - 0.02 * dv
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert {p["name"]: p["right"] for p in said["parameters"]} == {"W": False, "v": True}


def test_a_step_that_gets_another_name_trains_nothing(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y, V, W = rng.normal(size=(9, 3)), rng.normal(size=(9, 1)), rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
for _ in range(9):
    h = np.tanh(X @ V)
    e = h @ W - Y
    print(0.5 * np.sum(e ** 2))
    G = X.T @ (e @ W.T * (1 - h ** 2))
    W_new = W * 1 - 0.1 * h.T @ e
    V = V * 1 - 0.1 * G
"""
    said = examined(tmp_path, text)
    assert [p["name"] for p in said["parameters"]] == ["V"]
    assert [(u["shape"], u["why"]) for u in said["unjudged"]] == [
        ([4, 1], "of which a step is made that nothing goes on with: it stays as it is")
    ]


@pytest.mark.parametrize("first", [4, 5])
@pytest.mark.parametrize(("right", "wrong"), [("", ""), ("1 - h ** 2", "1 - h"), ("d * h\n", "d * h ** 2\n")])
def test_a_row_that_is_set_before_the_training_is_of_the_array_like_the_others(tmp_path, first, right, wrong):
    text = f"""
import numpy as np
rng = np.random.default_rng(4)
E = rng.normal(size=(6, 3)) * .5
E[5] = rng.normal(size=3) * .01  # what is unknown
v = rng.normal(size=3)
words, y = [{first}, 0, 1, 2, 3, 4, 5, 2], [1., 0., 1., 0., 1., 0., 0., 1.]
for epoch in range(10):
    total = 0
    for w, t in zip(words, y):
        h = np.tanh(E[w])
        p = 1 / (1 + np.exp(-h @ v))
        total -= t * np.log(p) + (1 - t) * np.log(1 - p)
        d = p - t
        gE, gv = d * v * (1 - h ** 2), d * h
        E[w] -= .1 * gE
        v -= .1 * gv
    print(epoch, total)
"""
    said = examined(tmp_path, text.replace(right, wrong))
    assert (len(said["parameters"]), [f["line"] for f in said["findings"]]) == (2, [15] if wrong else [])


READOUT = """
import numpy as np
rng = np.random.default_rng(57)
X = rng.normal(size=(6, 3))
y = X[:, 0] ** 2
W, r = rng.normal(size=(4, 3)) * .5, rng.normal(size=4) * .5
for step in range(9):
    loss, dr, dW = 0.0, np.zeros(4), np.zeros((4, 3))
    for x, t in zip(X, y):
        h = np.tanh(W @ x)
        e = r @ h - t
        loss += e ** 2 / 6
        dr += 2 * e * h / 6
        dW += np.outer(2 * e / 6 * r * (1 - h ** 2), x)
    W, r = W - .05 * dW, r - .05 * dr
    print(step, loss)
"""


def test_what_is_stepped_is_no_label(tmp_path):
    """Without the error in its step r depends on nothing that it is stepped by: it meets h as labels would."""
    assert examined(tmp_path, READOUT)["verdict"] == "right"
    said = examined(tmp_path, READOUT.replace("2 * e * h / 6", "h"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW2", 13)]


@pytest.mark.parametrize("dg", ["np.exp(g)", "0.1 * g"])
def test_what_is_stepped_by_no_error_is_named(tmp_path, dg):
    text = (
        READOUT.replace("r @ h", "np.exp(g) * (r @ h)")
        .replace("step in", "_ in")
        .replace("    print(step, loss)\n", "")
    )
    text = text.replace("W, r = rng", "g = np.ones(1)\nW, r = rng").replace("h / 6", "h / 6 * np.exp(g)")
    text = text.replace("6 * r", "6 * r * np.exp(g)")
    said = examined(tmp_path, text + f"    dg = {dg}\n    g = g - .05 * dg\n")
    assert [(u["shape"], u["why"]) for u in said["unjudged"]] == [
        ([1], "which is stepped in another way than those that were judged")
    ]


def test_a_row_that_is_scaled_before_the_training_and_picked_by_its_number(tmp_path):
    """W[-1] is read of an array that was drawn as a whole, by a plain number, as labels are picked."""
    text = """
import numpy as np
rng = np.random.default_rng(4)
W = rng.normal(size=(5, 3))
W[-1] = W[-1] / np.linalg.norm(W[-1])
X = rng.normal(size=(20, 4))
y = np.sin(X[:, 0])
for step in range(9):
    h = np.tanh(X @ W[:-1])
    e = h @ W[-1] - y
    loss = .5 * (e ** 2).mean()
    d = e / 20
    W = W - .2 * np.vstack([X.T @ (np.outer(d, W[-1]) * (1 - h ** 2)), h.T @ d])
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("(1 - h ** 2)", "(1 - h)"))["verdict"] == "wrong"


@pytest.mark.parametrize("step", ["b1 -= 0.1 * b1", "b1 *= 0.9", "b1 = 0.9 * b1"])
def test_what_is_stepped_by_itself_alone_is_not_passed_over(tmp_path, step):
    text = PLAIN.replace("    b1 -= 0.1 * db1\n", f"    {step}\n").replace("np.zeros(5)", "np.random.randn(5)")
    with pytest.raises(ValueError, match=r"line 16 of net\.py steps could not"):
        examined(tmp_path, text)


def test_a_bias_that_is_added_and_never_stepped(tmp_path):
    (unjudged,) = examined(tmp_path, PLAIN.replace("b2 -= 0.1 * db2", ""))["unjudged"]
    assert (unjudged["shape"], unjudged["why"]) == ([3], "which none of the first steps changes")


@pytest.mark.parametrize(
    ("step", "data", "why"),
    [
        ("", "np.random.randn(9, 4)", "none of the first"),
        ("", "np.random.randint(0, 3, (9, 4))", "none of the first"),
        ("W1 -= 0.1", "np.random.randn(9, 4)", "in another way than those that were judged"),
        ("W1 -= 0.1 * X[:5].T", "np.random.randn(9, 4)", "in another way than those that were judged"),
    ],
)
def test_weights_that_no_gradient_steps(tmp_path, step, data, why):
    """Of the two that a layer multiplies it is the weights that are named, not the data; these may be integers."""
    text = PLAIN.replace("W1 -= 0.1 * dW1", step).replace("np.random.randn(9, 4)", data)
    (unjudged,) = examined(tmp_path, text)["unjudged"]
    assert unjudged["shape"] == [4, 5]
    assert why in unjudged["why"]


def test_weights_of_one_layer_that_no_step_changes_are_told_from_data(tmp_path):
    text = """
import numpy as np
w, b, X, Y = np.array([[1.], [2.]]), 2., np.array([[1., 2., -1.], [3., 4., -3.2]]), np.array([[1, 0, 1]])
for _ in range(9):
    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / 3
    b = b - 0.01 * np.sum(A - Y) / 3
"""
    (unjudged,) = examined(tmp_path, text)["unjudged"]
    assert unjudged["shape"] == [1, 2]


def test_rows_that_were_picked_are_multiplied_by_weights_that_no_step_changes(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
E, U = rng.normal(size=(12, 5)), rng.normal(size=(5, 12))
words = rng.integers(0, 12, 60)
for k in range(0, 60, 6):
    x, t = words[k:k + 6].reshape(3, 2), words[k:k + 3]
    h = np.array([E[c].mean(axis=0) for c in x])
    p = np.exp(h @ U)
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(3), t]).mean()
    p[np.arange(3), t] -= 1
    dh = p / 3 @ U.T
    for c, d in zip(x, dh):
        np.add.at(E, c, -0.1 * d / 2)
"""
    (unjudged,) = examined(tmp_path, text)["unjudged"]
    assert (unjudged["shape"], unjudged["line"]) == ([5, 12], 9)


def test_a_number_that_was_drawn_and_is_never_stepped(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
w1, w2, v = rng.normal(), rng.normal(), rng.normal()
data, labels = rng.normal(size=(8, 2)), rng.normal(size=8)
for _ in range(9):
    for x, y in zip(data, labels):
        h = np.tanh(w1 * x[0] + w2 * x[1])
        d = v * h - y
        loss = d ** 2 / 2
        v, w1 = v - 0.1 * d * h, w1 - 0.1 * d * v * (1 - h ** 2) * x[0]
"""
    assert [(u["shape"], u["line"]) for u in examined(tmp_path, text)["unjudged"]] == [([], 8)]


def test_a_method_that_steps_by_what_no_other_has_filled(tmp_path):
    text = """
import numpy as np
np.random.seed(3)
X, Y = np.random.randn(9, 4), np.eye(3)[np.arange(9) % 3]
class Net:
    def __init__(self):
        self.W1, self.W2 = np.random.randn(4, 5) / 2, np.random.randn(5, 3) / 2
        self.dW1, self.dW2 = np.zeros((4, 5)), np.zeros((5, 3))
    def forward(self, X):
        self.A = np.tanh(X @ self.W1)
        return self.A @ self.W2
    def backward(self, X, E):
        dW2 = self.A.T @ E
        dW1 = X.T @ (E @ self.W2.T * (1 - self.A ** 2))
    def update(self):
        self.W1 -= 0.1 * self.dW1
        self.W2 -= 0.1 * self.dW2
    def train(self, X, Y):
        for _ in range(9):
            P = self.forward(X)
            print(np.mean((P - Y) ** 2))
            self.backward(X, (P - Y) / 9)
            self.update()
net = Net()
net.train(X, Y)
"""
    said = examined(tmp_path, text)
    assert {f["code"] for f in said["findings"]} == {"stale-gradient"}
    right = text.replace("dW2 = self", "self.dW2 = self").replace("dW1 = X", "self.dW1 = X")
    assert "unknown" not in {f["code"] for f in examined(tmp_path, right)["findings"]}


def test_a_bias_that_the_forward_pass_forgets(tmp_path):
    text = PLAIN.replace("A1 @ W2 + b2", "A1 @ W2")
    (unjudged,) = examined(tmp_path, text)["unjudged"]
    assert (unjudged["shape"], unjudged["source"]) == ([3], "b2 -= 0.1 * db2")
    kept = "b2 = 0\nV = np.zeros(3)"  # a momentum is used, and a sum that is shown is no array that trains
    used = text.replace("b2 -= 0.1 * db2", "b2 += loss").replace(
        "W2 -= 0.1 * dW2", "V = 0.9 * V - 0.1 * db2\n    W2 += V"
    )
    assert examined(tmp_path, used.replace("for _ in range(9):", f"{kept}\nfor _ in range(9):"))["unjudged"] == []


HELD_DEEP = """
import numpy as np
rng = np.random.default_rng(0)
class Linear:
    def __init__(self, n, m):
        self.parts = {"W": rng.normal(size=(n, m)) / 2}
class Feed:
    def __init__(self):
        self.linear = Linear(4, 4)
class Block:
    def __init__(self):
        self.feed = {"forward": Feed()}
class Model:
    def __init__(self):
        self.body = {"blocks": [Block(), Block()]}
model = Model()
X, Y = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
def train():
    for _ in range(9):
        inputs, out = [], X
        for block in model.body["blocks"]:
            inputs.append(out)
            out = np.tanh(out @ block.feed["forward"].linear.parts["W"])
        print(np.mean((out - Y) ** 2))
        d = 2 * (out - Y) / Y.size
        for block, x in zip(model.body["blocks"][::-1], inputs[::-1]):
            parts = block.feed["forward"].linear.parts
            d = d * (1 - np.tanh(x @ parts["W"]) ** 2)
            parts["dW"] = x.T @ d
            d = d @ parts["W"].T
        for block in model.body["blocks"]:
            parts = block.feed["forward"].linear.parts
            parts["W"] -= 0.1 * parts["dW"]
train()
"""


def test_arrays_are_called_by_what_holds_them_all(tmp_path):
    """However deep that is; and not by the variable of a loop."""
    (tmp_path / "net.py").write_text(HELD_DEEP)
    report = verdict(tmp_path / "net.py", tmp_path)
    names = [f"model.body['blocks'][{k}].feed['forward'].linear.parts['W']" for k in (0, 1)]
    assert (report.verdict, [report.yours(p.name) for p in report.parameters]) == ("right", names)


ROW_BY_ROW = """
import numpy as np
rng = np.random.default_rng(0)
table, W = rng.normal(size=(7, 4)) / 2, rng.normal(size=(7, 8)) / 2
for epoch in range(9):
    loss = 0
    for words, word in [([0, 1], 3), ([1, 2], 4), ([2, 3], 5)]:
        x = np.concatenate([table[i] for i in words])
        p = np.exp(W @ x) / np.sum(np.exp(W @ x))
        loss += -np.log(p[word])
        d = p.copy()
        d[word] -= 1
        dx = (W.T @ d).reshape(2, 4)
        W -= 0.1 * np.outer(d, x)
        for k, i in enumerate(words):
            table[i] -= 0.1 * (dx[k] + 0.01 * table[i])
    print(loss)
"""


def test_rows_that_no_step_has_written_yet_are_read_in_the_next_one(tmp_path):
    """Of two that are picked one has been stepped before, and each decays; nobody knows whether that is meant."""
    with pytest.raises(ValueError, match="right but for what line 16 adds"):
        examined(tmp_path, ROW_BY_ROW)
    text = ROW_BY_ROW.replace(" + 0.01 * table[i]", "")
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("dx[k]", "dx[1 - k]"))["verdict"] == "wrong"
