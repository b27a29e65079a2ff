"""Weight penalties and weights that decay: in the loss, in a gradient, in a step, or in one of them alone."""

import contextlib
import re
from types import SimpleNamespace

import numpy as np
import pytest
from judging import IN_EPOCHS, ONE_OUTPUT, PENALISED, PLAIN, SLOPE, SOFTMAX_ALONE, examined, examined_once

from jaxnet.compare.author.penalties import is_by_a_penalty

PROXIMAL = """
import numpy as np
rng = np.random.default_rng(7)
X = rng.normal(size=(40, 8))
y = X[:, 0] - 2 * X[:, 3]
w, rate = np.zeros(8), 1 / np.linalg.norm(X, 2) ** 2
for _ in range(20):
    error = X @ w - y
    print(0.5 * np.sum(error ** 2) + 3 * np.sum(np.abs(w)))
    z = w - rate * X.T @ error
    w = np.sign(z) * np.maximum(np.abs(z) - 3 * rate, 0)
"""


def test_a_penalty_may_have_a_step_of_its_own(tmp_path):
    squares = PROXIMAL.replace("3 * np.sum(np.abs(w))", "1.5 * np.sum(w ** 2)")
    squares = squares.replace(PROXIMAL.splitlines()[-1], "    w = z / (1 + 3 * rate)")
    for text in (PROXIMAL, squares):
        with pytest.raises(ValueError, match=r"line 11 of net\.py makes of W1 what the next step begins with"):
            examined(tmp_path, text)
    text = PROXIMAL.replace(PROXIMAL.splitlines()[-1], "    w = np.clip(z, -1, 1)")
    assert examined(tmp_path, text)["verdict"] == "wrong"


@pytest.mark.parametrize("penalty", ["2 * 0.01 * W1", "0.01 * W1", "0"])
def test_a_cost_that_makes_a_forward_pass_of_its_own_counts(tmp_path, penalty):
    """Where it is printed now and then, the next step does not acquit a gradient that it contradicts."""
    one = PLAIN
    for old, new in ONE_OUTPUT.items():
        one = one.replace(old, new)
    cost = "def cost(): return np.mean((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2) / 2 + 0.01 * np.sum(W1 ** 2)\n"
    one = one.replace("for _ in range(9):", f"{cost}for step in range(9):\n    if step % 5 == 0: print(cost())")
    one = "".join(line for line in one.splitlines(keepends=True) if "loss =" not in line)
    said = examined(tmp_path, one.replace("W1 -= 0.1 * dW1", f"dW1 += {penalty}\n    W1 -= 0.1 * dW1"))
    wrong = [] if penalty[0] == "2" else [("dW1", "weight-penalty")]
    assert [(f["at"], f["code"]) for f in said["findings"]] == wrong


def test_a_penalty_of_the_first_weights_is_no_momentum(tmp_path):
    text = PLAIN.replace("-np.sum(Y", "0.05 * np.sum(W1 ** 2) - np.sum(Y").replace("for _", "W0 = W1.copy()\nfor _")
    right = text.replace("= X.T @ dZ1", "= X.T @ dZ1 + 0.1 * W1")
    assert examined(tmp_path, right)["verdict"] == "right"
    said = examined(tmp_path, right.replace("0.1 * W1,", "0.1 * W0,"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW1", 15)]


def test_a_weight_penalty_beside_pixels(tmp_path):
    """However small it is beside the other part of a gradient: it is right, or named."""
    text = PLAIN.replace("np.random.randn(9, 4)", "255 * np.random.rand(9, 4)")
    text = text.replace("/ 9\n    dZ2", "/ 9 + 1e-5 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))\n    dZ2")
    text = text.replace("A1.T @ dZ2", "A1.T @ dZ2 + 2e-5 * W2").replace("X.T @ dZ1", "X.T @ dZ1 + 2e-5 * W1")
    assert examined(tmp_path, text)["verdict"] == "right"
    for old, new, finding in (
        (*SLOPE, ("dZ1", "missing-activation-derivative")),
        (" + 2e-5 * W1", "", ("dW1", "weight-penalty")),
        (" + 2e-5 * W1", " + 4e-5 * W1", ("dW1", "weight-penalty")),
    ):
        said = examined(tmp_path, text.replace(old, new))
        assert [(f["at"], f["code"]) for f in said["findings"]] == [finding]


def test_what_a_parameter_decays_by_in_the_line_of_its_step(tmp_path):
    """Adam's step and a decay are two steps of one array, and an optimiser may be where the mean is taken."""
    text = PLAIN.replace("for _", "S = {k: 0 for k in ('W1', 'b1', 'W2', 'b2')}\nfor _").replace("(P - Y) / 9", "P - Y")
    text = re.sub(
        r"    (\w\d) -= 0.1 \* d\1",
        r"    d\1 /= 9\n    S['\1'] = 0.9 * S['\1'] + 0.1 * d\1 ** 2\n"
        r"    \1 = \1 - 0.01 * d\1 / (np.sqrt(S['\1']) + 1e-8) - 1e-3 * \1",
        text,
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("/= 9", "/= 7"))
    assert [(f["code"], f["scale"]) for f in said["findings"]] == [("wrong-scale", pytest.approx(9))]
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_weights_that_decay_in_the_line_of_their_step_may_be_stepped_too_early(tmp_path):
    """And a rate that is a bias's own is no second mistake of what is summed over too much."""
    text = (
        PLAIN[: PLAIN.index("    dZ2 =")]
        + """
    dZ2 = P - Y
    b2 -= 0.5 * np.mean(dZ2, axis=0)
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    W2 -= 0.5 * (A1.T @ dZ2) / 9 + 0.5 * 0.01 * W2 / 9
    W1 -= 0.5 * (X.T @ dZ1) / 9 + 0.5 * 0.02 * W1
    b1 -= 0.5 * np.mean(dZ1, axis=0)
"""
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    lines = text.splitlines(keepends=True)
    lines[-3], lines[-4] = lines[-4], lines[-3]
    said = examined(tmp_path, "".join(lines))
    early = [("dZ1", "weights-already-updated")]
    assert [(f["at"], f["code"]) for f in said["findings"]] == early
    said = examined(tmp_path, "".join(lines).replace("0.5 * np.mean(dZ2, axis=0)", "np.mean(0.5 * dZ2)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db2", "summed-over-all-axes"), *early]


def test_a_penalty_of_the_weights_after_the_step(tmp_path):
    """The gradient has that of the weights before it, as it should; the number that is printed has another one."""
    text = PLAIN.replace("    W1 -= ", "    dW1, dW2 = dW1 + 0.01 * W1, dW2 + 0.01 * W2\n    W1 -= ")
    text += "    print(loss + 0.01 / 2 * (np.sum(W1 ** 2) + np.sum(W2 ** 2)))\n"
    for program in (text, text.replace("0.01 * W", "0 * W")):
        with pytest.raises(ValueError, match="adds to the loss a penalty of the weights after the step"):
            examined(tmp_path, program)
    before = text.replace(
        "P - Y) / 9", "P - Y) / 9\n    print(loss + 0.01 / 2 * (np.sum(W1 ** 2) + np.sum(W2 ** 2)))", 1
    )
    assert examined(tmp_path, before)["verdict"] == "right"
    said = examined(tmp_path, text.replace(*SLOPE))
    assert ("dZ1", "missing-activation-derivative") in [(f["at"], f["code"]) for f in said["findings"]]


LOG_SOFTMAX = PLAIN.replace(
    "    E = np.exp(A1 @ W2 + b2)\n    P = E / E.sum(1, keepdims=True)\n",
    """
    Z = A1 @ W2 + b2
    L = Z - np.log(np.exp(Z).sum(1, keepdims=True))
    P = np.exp(L)
""",
).replace("-np.sum(Y * np.log(P)) / 9", "-(L * Y).sum() / 9 + 0.01 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))")


def test_a_penalty_of_the_loss_whose_gradient_is_missing(tmp_path):
    """The loss with a penalty is the program's loss, whatever explains more gradients."""
    added = "    dW1 += 0.02 * W1\n    dW2 += 0.02 * W2\n    W1 -="
    right = LOG_SOFTMAX.replace("    W1 -=", added)
    said = examined(tmp_path, right)
    assert (said["verdict"], said["loss"]["from"]) == ("right", "source")
    for missing in ("    dW2 += 0.02 * W2\n", "    dW1 += 0.02 * W1\n"):
        said = examined(tmp_path, right.replace(missing, ""))
        name = missing.split()[-1]
        assert [p["name"] for p in said["parameters"] if not p["right"]] == [name]
        found = [(f["at"], f["code"], f["scale"]) for f in said["findings"]]
        assert found == [(f"d{name}", "weight-penalty", pytest.approx(0.02))]


LAYERS = """
import numpy as np
np.random.seed(3)
X, Y = np.random.randn(9, 4), np.eye(3)[np.arange(9) % 3]

class Layer:
    def __init__(self, n, m):
        self.W, self.b = np.random.randn(n, m) / 2, np.zeros(m)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def update(self, dZ):
        dW, db = self.x.T @ dZ, dZ.sum(0)
        dW += 0
        self.W -= 0.1 * dW
        self.b -= 0.1 * db

first, second = Layer(4, 5), Layer(5, 3)
for _ in range(9):
    A1 = np.tanh(first.forward(X))
    E = np.exp(second.forward(A1))
    P = E / E.sum(1, keepdims=True)
    loss = -np.sum(Y * np.log(P)) / 9
    dZ2 = (P - Y) / 9
    dZ1 = dZ2 @ second.W.T * (1 - A1 ** 2)
    second.update(dZ2)
    first.update(dZ1)
"""
NO_LOSS = ("    loss = -np.sum(Y * np.log(P)) / 9\n", "")


@pytest.mark.parametrize("change", [(), NO_LOSS], ids=["computed", "implied"])
@pytest.mark.parametrize("penalty", ["0.02 * self.W", "0.02 * np.sign(self.W)"])
def test_a_penalty_that_all_gradients_have(tmp_path, penalty, change):
    """Whoever prints the loss without it lets the weights decay: the truth has it, and says so."""
    text = LAYERS.replace("dW += 0", f"dW += {penalty}").replace(*(change or ("", "")))
    said = examined(tmp_path, text)
    assert said["verdict"] == "right"
    assert ", with the weight penalty in your gradients" in said["truth"]
    if "sign" not in penalty:  # of what is wrong for another reason, the others' decay is none
        said = examined(tmp_path, text.replace(*SLOPE))
        assert [p["right"] for p in said["parameters"]] == [False, False, True, True]
        assert {f["code"] for f in said["findings"]} == {"missing-activation-derivative"}


def test_a_penalty_of_biases(tmp_path):
    """Of whatever size they are: a single number has the λ that others have."""
    text = LAYERS.replace("dW += 0", "dW += 0.02 * self.W; db += 0.02 * self.b").replace(*NO_LOSS)
    assert examined(tmp_path, text)["verdict"] == "right"
    one = text.replace("% 3]", "% 3, :1]").replace("Layer(5, 3)", "Layer(5, 1)")
    one = one.replace("E = np.exp(second.forward(A1))", "P = second.forward(A1)").replace("P = E / E", "E = P / P")
    assert examined(tmp_path, one)["verdict"] == "right"


@pytest.mark.parametrize("added", ["-0.02 * self.W", "np.sin(7 * self.W)", "self.W.mean()", "self.W[::-1]"])
def test_what_is_added_to_a_gradient_and_is_no_penalty(tmp_path, added):
    """It is made of the weights alone, and makes them no smaller: wrong, or nobody can tell."""
    for text in (LAYERS.replace("dW += 0", f"dW += {added}"), LAYERS.replace("0.1 * dW", f"0.1 * (dW + {added})")):
        for of_loss in (text, text.replace(*NO_LOSS)):
            with contextlib.suppress(ValueError):
                assert examined(tmp_path, of_loss)["verdict"] == "wrong"


DECAY = "    W1 *= 1 - 0.1 * 0.02\n    W2 *= 1 - 0.1 * 0.02\n"


def test_what_an_array_decays_by_is_no_prediction(tmp_path):
    """Data that are added to λw where an example is on the wrong side are no labels: here they have the wrong sign."""
    text = """
import numpy as np
np.random.seed(12)
X = np.r_[np.random.randn(20, 2) + 1.2, np.random.randn(20, 2) - 1.2]
y, w = np.r_[np.ones(20), -np.ones(20)], np.zeros(2)
for _ in range(5):
    for k in range(40):
        if y[k] * (X[k] @ w) >= 1:
            w -= 0.01 * (0.02 * w)
        else:
            w -= 0.01 * (0.02 * w + X[k] * y[k])
"""
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


ABSOLUTE = PLAIN.replace("np.log(P)) / 9", "np.log(P)) / 9 + 0.02 * (np.sum(np.abs(W1)) + np.sum(np.abs(W2)))")
SIGNS = "    W1 -= 0.1 * 0.02 * np.sign(W1)\n    W2 -= 0.1 * 0.02 * np.sign(W2)\n"


@pytest.mark.parametrize(
    "decayed",
    [
        PENALISED + DECAY,
        PENALISED + "    W1 -= 0.1 * 0.02 * W1\n    W2 -= 0.1 * 0.02 * W2\n",
        PENALISED.replace("    W1 -=", DECAY + "    W1 -="),
        PENALISED.replace("W1 -=", "W1 = 0.998 * W1 -").replace("W2 -=", "W2 = 0.998 * W2 -"),
        ABSOLUTE + SIGNS,
    ],
    ids=["after", "taken off after", "before", "in the step", "by its signs"],
)
def test_weights_that_decay_where_the_loss_has_a_penalty(tmp_path, decayed):
    """The gradient is that of the loss without the penalty, which the weights are stepped down by themselves."""
    said = examined(tmp_path, decayed)
    assert said["verdict"] == "right"
    assert "without its weight penalty" in said["truth"]
    said = examined(tmp_path, decayed.replace(*SLOPE))
    assert [f["code"] for f in said["findings"]] == ["missing-activation-derivative"]


@pytest.mark.parametrize(
    "other",
    [ABSOLUTE + SIGNS.replace("-=", "+="), PENALISED + "    W1, W2 = np.clip(W1, -2, 2), np.clip(W2, -2, 2)\n"],
    ids=["that grow", "that are clipped"],
)
def test_weights_that_do_not_decay(tmp_path, other):
    """What becomes of them by themselves is no step down the penalty."""
    said = examined(tmp_path, other)
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "W2"]


def test_a_penalty_is_no_step(tmp_path):
    """dW1 + 0.1 W1 is no new version of W1 by a step dW1, where the program only looks at its gradients."""
    for added in ("    dW1 += 0.1 * W1\n    dW2 += 0.1 * W2\n", "    dW1 += 50 * W1\n", "    dW1 = W1 * 0.8 + dW1\n"):
        text = PLAIN[: PLAIN.index("    W1 -= ")] + added
        for once in (text, text.replace("range(9)", "range(1)")):
            with pytest.raises(ValueError, match="nothing was found that it trains"):
                examined(tmp_path, once)


def test_a_penalty_of_one_layer_alone_is_said(tmp_path):
    """The loss that is inferred cannot deny it."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "").replace(
        "A1.T @ dZ2,", "A1.T @ dZ2 + 0.01 * W2,"
    )
    assert "with the weight penalty in your gradients of W2 alone (" in examined(tmp_path, text)["truth"]
    both = examined(tmp_path, text.replace("X.T @ dZ1,", "X.T @ dZ1 + 0.01 * W1,"))["truth"]
    assert "with the weight penalty in your gradients (" in both


def test_a_penalty_in_the_gradients_is_no_other_loss(tmp_path):
    """Nothing is right before it is known: what is right with it is taken before what a known mistake explains."""
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "").replace(" + b1", "").replace(" + b2", "")
    text = "\n".join(line for line in text.splitlines() if " -= 0.1 * db" not in line)
    text = text.replace("    W1 -=", "    dW1, dW2 = dW1 + 0.01 * W1, dW2 + 0.01 * W2\n    W1 -=")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "cross-entropy")
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


@pytest.mark.parametrize(("taken", "loss"), [("7 *", "0.5"), ("", "0"), ("0 *", "0.5")])
def test_a_penalty_that_only_a_loss_of_all_data_has(tmp_path, taken, loss):
    """It is computed when an epoch is over: of the weights after its last step, and of more examples than any has."""
    text = IN_EPOCHS.replace("h.T @ d, x.T", f"h.T @ d / 8 + {taken} 0.5 * V, x.T").replace(
        "(1 - h ** 2))", f"(1 - h ** 2)) / 8 + {taken} 0.5 * W"
    )
    number = f"((np.tanh(X @ W) @ V - T) ** 2).sum() / 80 + {loss} / 2 * (np.sum(W ** 2) + np.sum(V ** 2))"
    text = re.sub(r"-np\.sum\(T .*", f"{number})", text)
    if loss == "0":  # that the gradients of all weights have it is a decay
        assert examined(tmp_path, text)["verdict"] == "right"
        return
    with pytest.raises(ValueError, match=r"line 18 of net\.py computes one of W1 that its gradient has not$"):
        examined(tmp_path, text)
    right = text.replace(f"{taken} 0.5 * V", "0.5 * V").replace(f"{taken} 0.5 * W", "0.5 * W")
    assert examined(tmp_path, right)["verdict"] == "right"


@pytest.mark.parametrize("part", ["", "[1:]"])
def test_a_penalty_of_a_loss_of_other_data_before_the_step(tmp_path, part):
    """Of a validation loss, say, of which what is shown is rounded."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, T, W = rng.normal(size=(30, 3)), np.eye(3)[rng.integers(0, 3, 30)], rng.normal(size=(3, 3))
def softmax(z):
    e = np.exp(z)
    return e / e.sum(1, keepdims=True)
for epoch in range(9):
    P = softmax(X[:20] @ W)
    if epoch % 5 == 0:
        Q = softmax(X[20:] @ W)
        loss = -(T[20:] * np.log(Q + 1e-5)).sum(1).mean() + 0.1 / 2 * (WHOLE ** 2).sum()
        print(epoch, loss.round(4))
    D = WHOLE
    g = X[:20].T @ (P - T[:20]) / 20 + 0.1 * D
    W = W - 0.1 * g
"""
    text = text.replace("WHOLE", f"W{part}")
    text = text.replace("0.1 * D", "0.1 * np.r_[np.zeros((1, 3)), D]") if part else text
    assert examined(tmp_path, text)["verdict"] == "right"
    for wrong in (" + 0.1 *", " + 0 *"), ("+ 0.1 *", "+ 1 *"), (") / 20 +", ") +"):
        with pytest.raises(ValueError, match=r"computes one of W1 that its gradient has not$"):
            examined(tmp_path, text.replace(*wrong))


def test_a_penalty_in_the_line_of_the_step_is_that_of_a_later_loss(tmp_path):
    text = IN_EPOCHS.replace(
        "h.T @ d, x.T @ (d @ V.T * (1 - h ** 2))", "h.T @ d / 8, x.T @ (d @ V.T * (1 - h ** 2)) / 8"
    )
    text = text.replace("V - 0.01 * dV, W - 0.01 * dW", "V - 0.01 * (dV + 0.5 * V), W - 0.01 * (dW + 0.5 * W)")
    number = "((np.tanh(X @ W) @ V - T) ** 2).sum() / 80 + 0.5 / 2 * (np.sum(W ** 2) + np.sum(V ** 2))"
    text = re.sub(r"-np\.sum\(T .*", f"{number})", text)
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"computes one of W1 that its gradient has not$"):
        examined(tmp_path, text.replace("dW + 0.5 * W", "dW + 1.5 * W"))
    further = (
        text + "    of_others = " + number.replace("X @", "X[:9] @").replace("- T)", "- T[:9])").replace("/ 80", "/ 18")
    )
    assert examined(tmp_path, further)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"computes one of W1 that its gradient has not$"):
        examined(tmp_path, further.replace("dW + 0.5 * W", "dW + 1.5 * W"))


@pytest.mark.parametrize("decay", ["b1 -= 0.1 * (db1 + 0.01 * b1)", "b1 *= 0.99; b1 -= 0.1 * db1"])
def test_what_decays_is_what_the_loss_has_a_penalty_of(tmp_path, decay):
    text = PLAIN.replace("P)) / 9", "P)) / 9 + 0.005 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))")
    text = re.sub(r"0\.1 \* dW(.)", r"0.1 * (dW\1 + 0.01 * W\1)", text)
    assert examined(tmp_path, text)["verdict"] == "right"
    text = text.replace("b1 -= 0.1 * db1", decay)
    with pytest.raises(ValueError, match=r"line 16 of net\.py makes b1 smaller by itself, and .* of W1, W2 only"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("+ np.sum(W2", "+ np.sum(b1 ** 2) + np.sum(W2"))["verdict"] == "right"


ADDED_TO_A_GRADIENT = """
def backward():
    dZ2 = (P - Y) / 9
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)

for"""


def test_a_penalty_that_is_added_where_the_step_is_made(tmp_path):
    """It is that of the loss, and no decay: nothing is left out where the rest of the gradient is wrong."""
    head, _, tail = PENALISED.partition("    dZ2 = ")
    own = "    dW1, db1, dW2, db2 = backward()\n    dW1 += 0.02 * W1\n    dW2 += 0.02 * W2\n"
    text = head.replace("\nfor", ADDED_TO_A_GRADIENT) + own + tail[tail.index("    W1 -= ") :]
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]
    said = examined(tmp_path, text.replace("0.02 * W1", "0.05 * W1"))
    assert [(f["at"], f["code"], f["scale"]) for f in said["findings"]] == [
        ("dW1", "weight-penalty", pytest.approx(0.05))
    ]


def test_a_decay_in_the_line_of_the_step_hides_no_constant(tmp_path):
    text = re.sub(r"(W\d) -= 0.1 \* (\w+)", r"\1 = \1 * (1 - 0.1 * 0.02) - 0.1 * \2", PENALISED)
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("(P - Y) / 9", "(P - Y)"))
    assert [(f["code"], f["scale"]) for f in said["findings"]] == [("wrong-scale", pytest.approx(9))]


def test_a_penalty_of_size_0_is_not_judged(tmp_path):
    text = PLAIN.replace("np.log(P)) / 9", "np.log(P)) / 9 + l * np.sum(W1 ** 2)").replace(
        "0.1 * dW1", "0.1 * (dW1 + l * W1)"
    )
    said = examined(tmp_path, text.replace("for _", "l = 0.0\nfor _"))
    assert (said["verdict"], [u["why"].partition(":")[0] for u in said["unjudged"]]) == (
        "right",
        ["which is multiplied by 0 there"],
    )
    assert examined(tmp_path, text.replace("for _", "l = 0.1\nfor _"))["verdict"] == "wrong"
    forgotten = text.replace("0.1 * (dW1 + l * W1)", "0.1 * (dW1 + l)").replace(
        "for _", "for l in [0.0] * 9 + [0.1] * 9:\n  #"
    )
    said = examined(tmp_path, forgotten)
    assert "0 is added there" in said["unjudged"][0]["why"]


@pytest.mark.parametrize("term", ["0.1 * (start - W1)", "pull * np.ones((5, 4)).T"])
def test_a_term_that_is_0_at_first_is_not_judged(tmp_path, term):
    """How far weights are from where they began (Li et al. 2020, FedProx), and what is multiplied by a 0 that grows."""
    text = PLAIN.replace("0.1 * dW1", f"0.1 * (dW1 + {term})\n    pull += 0.1")
    said = examined(tmp_path, text.replace("for _", "start, pull = W1.copy(), 0.0\nfor _"))
    assert (said["verdict"], [u["line"] for u in said["unjudged"]]) == ("right", [16])


def test_a_velocity_of_zeros_is_no_term_that_is_left_open(tmp_path):
    text = PLAIN.replace("W1 -= 0.1 * dW1", "v = 0.9 * v + dW1\n    W1 -= 0.1 * (dW1 + 0.0 * v)")
    assert not examined(tmp_path, text.replace("for _", "v = np.zeros((4, 5))\nfor _"))["unjudged"]


def test_a_decay_of_size_0_is_not_judged(tmp_path):
    text = PLAIN.replace("W1 -= 0.1 * dW1", "W1 = (1 + 0.1 * l) * W1 - 0.1 * dW1").replace("for _", "l = 0.0\nfor _")
    said = examined(tmp_path, text)
    (open_,) = said["unjudged"]
    assert (said["verdict"], open_["shape"], open_["line"]) == ("right", [4, 5], 16)
    assert open_["why"].startswith("which is multiplied by 1 in its step")


def test_a_penalty_that_an_argument_sizes_is_seen(tmp_path):
    """Where only functions can be called, it is none of 0."""
    text = """
import numpy as np
class Net:
    def __init__(self, inputs, hidden, outputs):
        self.params = {"W1": np.random.randn(inputs, hidden), "W2": np.random.randn(hidden, outputs)}

    def loss(self, X, y, reg):
        W1, W2 = self.params["W1"], self.params["W2"]
        h = np.maximum(0, X @ W1)
        scores = h @ W2
        p = np.exp(scores - scores.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        loss = -np.mean(np.log(p[np.arange(len(X)), y])) + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
        p[np.arange(len(X)), y] -= 1
        p /= len(X)
        grads = {"W2": h.T @ p + reg * W2}
        grads["W1"] = X.T @ (p @ W2.T * (h > 0)) + reg * W1
        return loss, grads
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("(h > 0)) + reg", "(h > 0)) + 2 * reg"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dW1", "weight-penalty")]
    without = re.sub(r" \+ 0\.5 \* reg \* .*", "", text)  # weights may decay where the loss has no penalty
    assert examined(tmp_path, without)["verdict"] == "right"
    with pytest.raises(ValueError, match="right if the weights are to decay"):
        examined(tmp_path, without.replace("h.T @ p + reg * W2", "h.T @ p"))


def test_a_penalty_of_another_form_times_0_is_not_judged(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 3)), rng.normal(size=40)
w, decay = rng.normal(size=3), 0
for epoch in range(20):
    p = X @ w
    print(np.mean((p - Y) ** 2))
    w -= 0.1 * (2 * X.T @ (p - Y) / 40 + decay * w ** 2)
"""
    assert ["multiplied by 0" in array["why"] for array in examined(tmp_path, text)["unjudged"]] == [True]


def test_a_single_array_may_decay_by_its_gradient(tmp_path):
    """As all of several may: the report says that the loss has no such penalty."""
    said = examined(tmp_path, SOFTMAX_ALONE.replace("/ 20\n    db", "/ 20 + 0.01 * W\n    db"))
    assert (said["verdict"], said["truth"][-39:]) == ("right", "with the weight penalty in your gradients"[-39:])


@pytest.mark.parametrize("penalty", ["np.sum(w[1:] ** 2)", "np.sum(np.abs(w))"])
def test_a_penalty_of_other_entries_than_the_loss_has(tmp_path, penalty):
    """All of w decays; the first one has no penalty in the loss, or all have another one."""
    text = f"""
import numpy as np
rng = np.random.default_rng(1)
X = np.hstack([np.ones((50, 1)), rng.normal(size=(50, 3))])
y = (X[:, 1] + 0.3 * X[:, 2] > 0.2) * 1.0
w = rng.normal(size=4)
for _ in range(50):
    h = 1 / (1 + np.exp(-X @ w))
    print(-np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + 0.05 * {penalty})
    w = w - 0.5 * (X.T @ (h - y) / 50 + 0.1 * w)
"""
    assert examined(tmp_path, text)["verdict"] == "wrong"
    assert examined(tmp_path, text.replace(penalty, "np.sum(w ** 2)"))["verdict"] == "right"
    late = text.replace(
        "    print", "    w = w - 0.5 * (X.T @ (h - y) / 50 + 0.1 * w)\n    h = 1 / (1 + np.exp(-X @ w))\n    print"
    )
    late = late[: late.rindex("    w = w - 0.5")]
    assert examined(tmp_path, late)["repeat"]["before"] == 2  # the next step begins with the weights of that number
    assert examined(tmp_path, late.replace(penalty, "np.sum(w ** 2)"))["verdict"] == "right"


def test_a_decay_of_a_part_that_is_made_before_the_step(tmp_path):
    """What a part of an array was decayed to is the array, as all of it would be."""
    text = PLAIN.replace("    W1 -=", "    W1[:, 1:] -= 0.0 * W1[:, 1:]\n    W1 -=")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


PENALTY_BUT_FOR_BIASES = """
import numpy as np
rng = np.random.default_rng(0)
X = np.hstack([np.ones((40, 1)), rng.normal(size=(40, 3))])
y = (X[:, 1:2] - X[:, 2:3] + 0.5 * rng.normal(size=(40, 1)) > 0).astype(int)
w = np.zeros((4, 1))
for _ in range(9):
    p = 1 / (1 + np.exp(-X @ w))
    d = p - y
    PENALTY
    w -= 0.1 * g
"""


@pytest.mark.parametrize("penalty", [
    "g = X.T @ d / 40 + 0.1 * w\n    g[0, 0] = (X[:, 0] @ d).item() / 40",
    "g = X.T @ d / 40\n    g[1:] += 0.1 * w[1:]",
    "r = 0.1 * w\n    r[0] = 0\n    g = X.T @ d / 40 + r",
])  # fmt: skip
def test_a_penalty_in_the_gradient_of_all_rows_but_that_of_the_biases(tmp_path, penalty):
    """No loss is computed, and the error implies the cross-entropy: nobody is accused of another one's slope."""
    text = PENALTY_BUT_FOR_BIASES.replace("PENALTY", penalty)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"]) == ("right", "binary-cross-entropy")
    for added, taken in (("+= 0.1", "-= 0.1"), ("+ r", "- r"), ("+ 0.1 * w", "- 0.1 * w")):
        text = text.replace(added, taken)
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


def test_of_what_is_wrong_nobody_says_that_it_has_no_penalty(tmp_path):
    """The mask of the dropout is left out on the way back; all weights decay by what is added to their gradients."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 7)), rng.normal(size=(40, 3))
W = [rng.normal(size=s) / 2 for s in ((7, 5), (5, 4), (4, 3))]
for epoch in range(50):
    a, z, M = [X], [], []
    for i in range(3):
        z.append(a[-1] @ W[i])
        M.append(rng.binomial(1, 0.8, z[i].shape) / 0.8)
        a.append(z[i] if i == 2 else np.where(z[i] > 0, z[i], 0.01 * z[i]) * M[i])
    dz = a[-1] - Y
    G = [0, 0, a[2].T @ dz / 40 + 0.01 * W[2]]
    for i in (1, 0):
        dz = dz @ W[i + 1].T * np.where(z[i] > 0, 1, 0.01)
        G[i] = a[i].T @ dz / 40 + 0.01 * W[i]
    for i in range(3):
        W[i] -= 0.01 * G[i]
"""
    said = examined(tmp_path, text)
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W[0]", "W[1]"]
    assert "penalty in your gradients of W[2] (no loss" in said["truth"]
    right = text.replace("0.01)\n        G[i]", "0.01) * M[i]\n        G[i]").replace(" / 40 + 0.01 * W[i]", " / 40")
    said = examined(tmp_path, right)
    assert said["verdict"] == "right"
    assert "penalty in your gradients of W[2] alone (no loss" in said["truth"]


@pytest.mark.parametrize("of_last", [" + 0.001 * V", ""])
def test_a_penalty_where_the_first_example_is_zero(tmp_path, of_last):
    """Labels that are made of the data keep these as they are: the gradient of W is its penalty's alone, which the loss
    that the error implies cannot deny: it is the others', or that of the next example."""
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
x = np.linspace(0, 5, 11)
y = np.sin(x).reshape(11, 1)
X, W, V, b = x.reshape(11, 1), rng.normal(size=(1, 6)), rng.normal(size=(6, 1)), np.zeros((1, 6))
for epoch in range(3):
    for k in range(11):
        h = np.tanh(X[k].dot(W) + b)
        e = h.dot(V) - y[k]
        dV, d = h.T.dot(e), e.dot(V.T) * (1 - h ** 2)
        dW = X[k].T.dot(d) + 0.001 * W
        dV = dV{of_last}
        V, W, b = V - 0.1 * dV, W - 0.1 * dW, b - 0.1 * d
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], "penalty in your gradients" in said["truth"]) == ("right", True)


def test_a_penalty_that_is_added_to_gradients_is_no_training(tmp_path):
    """The layer keeps the weights that it was made with, and what is stepped in their place is never used."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
W = rng.normal(size=(4, 2))
params, grads, velocity = {"W": W}, {"W": np.zeros((4, 2))}, {}
for _ in range(9):
    E = X @ W - Y
    loss = np.mean(np.sum(E ** 2, axis=1))
    for name, value in params.items():
        loss += 0.5 * 1e-6 * np.sum(value * value)
        grads[name] += 1e-6 * value
    for name, value in params.items():
        velocity[name] = 0.9 * velocity.get(name, np.zeros_like(value)) - 0.1 * grads[name]
        params[name] = value + velocity[name]
"""
    with pytest.raises(ValueError, match="adds a gradient to those of all steps before"):
        examined(tmp_path, text)


@pytest.mark.parametrize(("added", "right"), [
    ("0.5 * W2[1:]", True),
    ("0.5 * np.sign(W2[1:])", True),
    ("0.5 * W2[:-1]", False),
    ("0.5 * W2[1:] ** 2", False),
    ("0.5 * np.abs(W2[1:])", False),
    ("-0.5 * W2[1:]", False),
])  # fmt: skip
@pytest.mark.parametrize("write", ["dW2[1:] += {}", "dW2[1:] = dW2[1:] + {}"])
def test_what_is_added_to_some_rows_of_a_gradient_makes_them_decay(tmp_path, added, right, write):
    """Where the program computes no loss, nobody else denies it."""
    text = PLAIN.replace("    W1 -=", f"    {write.format(added)}\n    W1 -=", 1)
    text = re.sub(r"    loss = .*\n", "", text)
    if right:
        assert examined(tmp_path, text)["verdict"].startswith("right")
    else:
        with pytest.raises(ValueError, match="writes something else into it"):
            examined(tmp_path, text)


OF_COURSE = """
import numpy as np
r = np.random.default_rng(0)
X = np.hstack([np.ones((60, 1)), r.normal(size=(60, 4))])
y = r.integers(2, size=(60, 1))
theta, lam, m = r.normal(size=(5, 1)), 1.0, 60
for i in range(100):
    h = 1 / (1 + np.exp(-X @ theta))
    J = np.mean(-y * np.log(h) - (1 - y) * np.log(1 - h)) + lam / (2 * m) * np.sum(theta[1:] ** 2)
    print(J)
    grad = X.T @ (h - y) / m
    grad[1:] = grad[1:] + lam / m * theta[1:]
    theta = theta - 0.1 * grad
"""


@pytest.mark.parametrize(("old", "new"), [("+ lam / m * theta", "+ lam * theta"), ("theta[1:]\n", "theta[:-1]\n")])
def test_what_is_wrong_in_rows_of_a_gradient_is_shown_where_it_is_written(tmp_path, old, new):
    """With the numbers that the step is made with; and −y is y, no labels of its own."""
    assert examined_once(OF_COURSE)["verdict"] == "right"
    said = examined(tmp_path, OF_COURSE.replace(old, new))
    assert [f["line"] for f in said["findings"]] == [12]


BY_LOOPS = """
import numpy as np
def softmax_loss(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        correct = scores[y[i]]
        total = np.sum(np.exp(scores))
        for j in range(W.shape[1]):
            dW[:, j] += (np.exp(X[i].dot(W[:, j])) / total - (j == y[i])) * X[i]
        loss -= np.log(np.exp(scores[y[i]]) / total)
    dW = dW / X.shape[0] + 2 * reg * W
    return loss / X.shape[0] + reg * np.sum(W * W), dW
def svm_loss(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss, dW = loss / X.shape[0], dW / X.shape[0]
    dW += 2 * reg * W
    return loss + reg * np.sum(W * W), dW
"""


@pytest.mark.parametrize(("line", "line_of"), [("dW / X.shape[0] + 2 * reg", 12), ("dW += 2 * reg", 25)])
def test_the_number_that_is_returned_with_gradients_is_their_loss(tmp_path, line, line_of):
    """Whatever else is made beside it; each function is judged; and a penalty is wrong where it is added."""
    said = examined_once(BY_LOOPS)
    assert (said["verdict"], said["idle"]) == ("right", [])
    assert [place["line"] for place in said["also_right"]] == [25]
    said = examined(tmp_path, BY_LOOPS.replace(line, line.replace("2 * ", "")))
    (finding,) = said["findings"]
    assert (finding["code"], finding["line"]) == ("weight-penalty", line_of)
    assert finding["scale"] == pytest.approx(0.0913)


@pytest.mark.parametrize("decays", ["[0.05, 0, 0, 0]", "[0.05, 0, 0.02, 0]"])
def test_a_decay_that_each_array_has_its_own_of_is_not_accused(tmp_path, decays):
    """One statement adds it to all of them, or to none, or all weights have some: an optimiser may do that."""
    text = re.sub(r"    \w\d -= 0.1 \* d..\n", "", PLAIN)
    text += (
        f"    for p, g, decay in zip((W1, b1, W2, b2), (dW1, db1, dW2, db2), {decays}):\n        g = g + decay * p\n"
    )
    with pytest.raises(
        ValueError, match=r"line 1[67] of net\.py adds a number times W. to its gradient, of which the loss"
    ):
        examined(tmp_path, text + "        p -= 0.1 * g\n")
    one = PLAIN.replace("    W1 -= 0.1", "    dW1 = dW1 + 0.05 * W1\n    W1 -= 0.1")
    assert [f["code"] for f in examined_once(one)["findings"]] == ["weight-penalty"]


def test_some_entries_of_an_array_decay_once_it_was_stepped(tmp_path):
    """The first row of W1 is that of the biases, and does not."""
    decays = PLAIN.replace("    b1 -=", "    W1[1:] -= 2e-4 * W1[1:]\n    b1 -=")
    assert examined(tmp_path, decays)["verdict"] == "right"
    said = examined(tmp_path, decays.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


DECAYED = """
import numpy as np
rng = np.random.default_rng(64)
X, Y, lam, lr = rng.normal(size=(16, 4)), rng.normal(size=(16, 2)), 0.01, 3e-4
V, W = rng.normal(size=(4, 5)), rng.normal(size=(5, 2))
for _ in range(50):
    H = np.maximum(X @ V, 0)
    E = H @ W - Y
    loss = np.sum(E * E) / 32 + lam / 2 * (np.sum(V ** 2) + np.sum(W ** 2))
    dW, dV = H.T @ E, X.T @ (E @ W.T * (H > 0))
    W = W * (1 - lam) - lr * dW
    V = V * (1 - lam) - lr * dV
"""


@pytest.mark.parametrize("minus", [" - ", "\\\n        - "])
def test_a_sum_for_a_mean_beside_a_decay(tmp_path, minus):
    """On one line and on two."""
    text = DECAYED.replace(" - lr", f"{minus}lr")
    (finding,) = examined(tmp_path, text)["findings"]
    assert (finding["at"], finding["code"], finding["scale"]) == ("loss", "wrong-scale", pytest.approx(16))
    assert not examined(tmp_path, text.replace("@ E, X.T @ (E", "@ E / 16, X.T @ (E / 16"))["findings"]


OF_ALL_ENTRIES = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 5)), np.eye(3)[rng.integers(3, size=30)]
W, b = rng.normal(size=(5, 3)), np.zeros(3)
for _ in range(9):
    P = np.exp(X @ W + b)
    P = P / P.sum(1, keepdims=True)
    loss = -np.mean(Y * np.log(P)) + 0.05 * np.sum(W ** 2)
    dZ = (P - Y) / 30
    W -= 0.1 * (X.T @ dZ + 0.1 * W)
    b -= 0.1 * dZ.sum(0)
"""


def test_a_penalty_that_is_the_losss_beside_another_scale(tmp_path):
    """The mean is over classes, too: the rest of the gradient is 3 times the loss's."""
    penalty = next(f for f in examined(tmp_path, OF_ALL_ENTRIES)["findings"] if f["code"] == "weight-penalty")
    assert (penalty["at"], penalty["scale"]) == ("dW1", pytest.approx(0.1))
    assert "0.1 · W1 is what the loss has, and the rest is 3 times its gradient" in penalty["explanation"]


OF_ONE_ARRAY = """
import numpy as np
rng = np.random.default_rng(0)
X = np.c_[np.ones(100), rng.normal(size=(100, 3))]
y = (X @ [0.2, 1.0, -1.0, 0.3] + 0.3 * rng.normal(size=100) > 0) * 1.0
w = rng.normal(size=4)
for _ in range(20):
    h = 1 / (1 + np.exp(-X @ w))
    print(-np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + 0.05 * np.sum(w[1:] ** 2))
    g = X.T @ (h - y) / 100
    g[1:] += 0.1 * w[1:]
    w = w - 0.5 * g
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("g[1:] += 0.1 * w[1:]", "g += 0.1 * w"),
        ("g[1:] += 0.1 * w[1:]", "g[1:] -= 0.1 * w[1:]"),
        ("g[1:] += 0.1 * w[1:]", "g[1:] += w[1:]"),
        ("(h - y) / 100", "(y - h) / 100"),
        ("(h - y) / 100", "(h - y)"),
    ],
)
def test_of_a_gradient_and_its_penalty_the_one_is_wrong_that_is_not_the_loss_s(tmp_path, right, wrong):
    """Of an array alone no other gradient tells which; what has the very penalty of the loss is wrong in the rest."""
    assert examined(tmp_path, OF_ONE_ARRAY)["verdict"] == "right"
    (finding,) = examined(tmp_path, OF_ONE_ARRAY.replace(right, wrong))["findings"]
    assert wrong in finding["source"]


@pytest.mark.parametrize(("wrong", "said"), [("0.2 * w[1:]", "in place of 0.1"), ("0 * w[1:]", "left out")])
def test_a_penalty_of_a_part_of_an_array_is_named(tmp_path, wrong, said):
    (finding,) = examined(tmp_path, OF_ONE_ARRAY.replace("0.1 * w[1:]", wrong))["findings"]
    assert (finding["at"], finding["code"], said in finding["explanation"]) == ("dw", "weight-penalty", True), finding
    assert said == "left out" or finding["source"] == f"g[1:] += {wrong}"


def test_a_small_penalty_of_a_column_that_has_none_is_no_rounding(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X = np.c_[np.ones(60), rng.normal(size=(60, 4))]
Y = np.eye(3)[rng.integers(0, 3, 60)]
W = rng.normal(size=(3, 5))
for _ in range(20):
    E = np.exp(X @ W.T)
    P = E / E.sum(1, keepdims=True)
    print(-np.mean(np.sum(Y * np.log(P), axis=1)) + 0.5e-6 * np.sum(W[:, 1:] ** 2))
    G = (P - Y).T @ X / 60
    G[:, 1:] += 1e-6 * W[:, 1:]
    W -= 0.5 * G
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    (finding,) = examined(tmp_path, text.replace("G[:, 1:] += 1e-6 * W[:, 1:]", "G += 1e-6 * W"))["findings"]
    assert finding["source"] == "G += 1e-6 * W"
    with pytest.raises(ValueError, match="late digits only"):
        examined(tmp_path, text.replace("G[:, 1:] += 1e-6 * W[:, 1:]", "G += 1e-6 * np.cos(W)"))


@pytest.mark.parametrize("of", [lambda w: 0.1 * w, lambda w: 0.1 * w * (np.arange(w.size) < 20), np.tanh])
def test_a_weight_next_to_0_hides_no_penalty(of):
    """Of thousands of weights, one is so small in some draw that its penalty is lost in the rounding of the others."""
    rng = np.random.default_rng(0)
    draws = [rng.normal(size=50) for _ in range(2)]
    draws[1][3] = 1e-14
    judged = SimpleNamespace(
        given={"W": [of(w) for w in draws]},
        true={"W": [np.zeros(50) for _ in draws]},
        drawn=[{"before": w}.__getitem__ for w in draws],
        names={"W": SimpleNamespace(before="before")},
    )
    assert is_by_a_penalty(judged, "W", 1.0) == (of is not np.tanh)
