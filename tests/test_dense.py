"""Dense networks in every form with every mistake, by the hundred; their activations and derivatives."""

import contextlib
import io
import itertools
import json
from itertools import pairwise

import generated
import numpy as np
import pytest
from generated import CODES, DEFINED, FORMS, LOOPED, UNFILLED, case
from judging import PLAIN, examined, is_right

from jaxnet import backprop

CONSTANTS = ("wrong-sign", "wrong-scale")
# What no record shows: a parameter that is never stepped, or whose step has nothing to do with the prediction.
UNSEEN = ("never-updated", "should-be-zero", "stale-gradient")
# Of a gradient with another shape the optimiser's line is found, and `dZ = dA` alone makes nothing that has a line.
OTHER_LINES = ("not-summed", "summed-over-all-axes", "multiplied-by-pre-activation", "missing-activation-derivative")
# A single number for a whole layer fits any constant, that of a momentum too: it is wrong, but may be `unknown`.
NAMED = [code for code in CODES if code not in (*UNSEEN, "summed-over-all-axes")]


def check(folder, case, form, mend=0):
    """None where all is as it should be, else what is not. Several constants may be told in fewer findings."""
    expected = case.found_by_form[form]
    only_defined = form.removesuffix(", defined only") in LOOPED and "defined only" in form
    try:
        said = examined(folder, case.text_by_form[form], mend=mend)
    except ValueError as error:
        deep = generated.found_at(case, form, (7, 5, 4, 3)) if only_defined else expected
        if {code for _, code in deep or {}} == {"not-summed"} and "one example at a time" in str(error):
            return None  # of functions that are defined only nobody knows how many examples they are to be given
        return f"{form}: no verdict: {error}" if deep else None
    found = {(f["at"], f["code"]): f for f in said["findings"]}
    sizes = tuple((said["network"] or {"sizes": case.settings.sizes})["sizes"])
    if only_defined:
        expected = generated.found_at(case, form, sizes) or {}
    truth, decays = case.truth, [key for key in expected if key[1] == "weight-penalty"]
    if len(decays) == len(sizes) - 1 and "with the weight penalty in your gradients" in said["truth"]:
        expected = {key: line for key, line in expected.items() if key not in decays}  # whoever has it everywhere
        truth = truth if expected else "right"  # lets the weights decay
    if only_defined and said["verdict"] == "right" and {code for _, code in expected} == {"not-summed"}:
        return None  # the report says that this would not show: one example was given
    if "defined only" in form:  # a gradient of another shape is wrong in any network that a driver may call
        shaped = {f"d{p['name']}": p["gradient_shape"] in (None, p["shape"]) for p in said["parameters"]}
        found, expected = ({k: v for k, v in keys.items() if shaped.get(k[0], True)} for keys in (found, expected))
    few = len(expected) > 1 and len(found) <= len(expected)
    if set(found) != set(expected) and not (few and all(code in CONSTANTS for _, code in set(found) ^ set(expected))):
        return f"{form}: {said['verdict']}, {sorted(found)}, not {sorted(expected)}"
    if said["verdict"] != truth and not any(code == "never-updated" for _, code in expected):
        return f"{form}: {said['verdict']}, not {truth}"
    if len(case.plan) == 1:
        for key, line in expected.items():
            exact = key[0] != "loss" and key[1] not in OTHER_LINES
            if line and exact and key in found and found[key]["line"] != line[1]:
                return f"{form}: {key} in line {found[key]['line']}, not {line[1]}"
    return None


def forms_of(case, number):
    """One form that trains and one that is only defined, in turn."""
    training = [form for form in FORMS if form in case.text_by_form]
    defined = [form for form in DEFINED if form in case.text_by_form]
    return training[number % len(training)], *([defined[number % len(defined)]] if defined else [])


@pytest.mark.parametrize(
    "number",
    [pytest.param(k, id=form, marks=pytest.mark.slow if k % 2 else ()) for k, form in enumerate(FORMS + DEFINED)],
)
def test_right_in_every_form(tmp_path, number):
    """In networks of two layers, which take little time; deeper ones are in test_no_false_alarm."""
    form = (FORMS + DEFINED)[number]
    seeds = itertools.count(number)
    one = next(one for seed in seeds if form in (one := case(seed)).text_by_form and one.settings.depth == 2)
    assert check(tmp_path, one, form) is None


@pytest.mark.parametrize(
    "code", [code if k % 6 == 3 else pytest.param(code, marks=pytest.mark.slow) for k, code in enumerate(NAMED)]
)
def test_every_mistake_is_named(tmp_path, code):
    """And every second one mended, in a network of two layers, or one, which take no time."""
    one = next(one for seed in range(1000) if (one := case(seed, 1, code)).settings.depth <= 2)
    form = forms_of(one, CODES.index(code))[0]
    mend = 60 * (CODES.index(code) % 2)
    assert check(tmp_path, one, form, mend) is None
    assert not mend or is_right(tmp_path)


@pytest.mark.parametrize(
    ("code", "seed", "form"),
    [
        ("wrong-sign", 4, "module"),  # told where it comes in, not where a momentum keeps it
        ("wrong-scale", 4, "functions"),  # beside a decay, whose number is no part of the rate
        ("summed-over-wrong-axis", 2, "module"),  # no constant beside it, where NumPy spreads it over what is kept
        ("weights-already-updated", 1, "class, defined only"),  # a layer of three relus was cut off in one of two draws
        ("weight-penalty", 1, "functions, defined only"),  # of a size that is the author's
        ("wrong-layer-input", 1, "lists, defined only"),  # right with one layer, also where that may have one output
        ("missing-output-derivative", 1, "one example"),  # in a method that has the forward pass in it
        (None, 15, "one example"),  # numbers are added up, example by example
    ],
)
def test_mistakes_that_were_once_told_otherwise(tmp_path, code, seed, form):
    assert check(tmp_path, case(seed, 1, code), form) is None


@pytest.mark.parametrize("code", ["weights-not-transposed", "summed-over-all-axes"])
@pytest.mark.parametrize("form", ["layers, defined only", pytest.param("lists, defined only", marks=pytest.mark.slow)])
def test_what_only_runs_in_part_is_not_right(tmp_path, code, form):
    """A mistake that makes a deep network raise, or gives arrays of other shapes, is not seen in a shallow one."""
    one = next(one for seed in range(100) if form in (one := case(seed, 1, code)).text_by_form)
    with contextlib.suppress(ValueError):
        assert examined(tmp_path, one.text_by_form[form])["verdict"] == "wrong"


def test_a_gradient_that_is_0_in_one_of_the_draws(tmp_path):
    """A layer of three relus is cut off in one of five: any formula gives that, the one that gives the others too."""
    said = examined(tmp_path, case(95, 1).text_by_form["one example"])
    assert {(f["at"], f["code"]) for f in said["findings"]} == {
        (f"dZ{layer}", "missing-activation-derivative") for layer in (1, 2, 3)
    }


def test_a_number_of_the_forward_pass_is_part_of_a_formula(tmp_path):
    """db2 = dZ2 · ΣZ2 of one example is no learning rate."""
    text = case(1, 1, "multiplied-by-pre-activation").text_by_form["notebook, defined only"]
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db2", "multiplied-by-pre-activation")]


@pytest.mark.slow
@pytest.mark.parametrize("code", NAMED)
def test_every_mistake_is_named_in_every_form(tmp_path, code):
    for seed in range(1, 5):
        one = case(seed, 1, code)
        assert [wrong for form in one.text_by_form if (wrong := check(tmp_path, one, form))] == [], (seed, one)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(k, k + 50) for k in range(0, 1000, 50)], ids=str)
def test_no_false_alarm(tmp_path, seeds):
    wrong = {seed: [check(tmp_path, case(seed), form) for form in forms_of(case(seed), seed)] for seed in seeds}
    assert {seed: said for seed, said in wrong.items() if any(said)} == {}


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(k, k + 50) for k in range(0, 200, 50)], ids=str)
@pytest.mark.parametrize(("mistakes", "share"), [(1, 1), (2, 0.98), (3, 0.95)])
def test_planted_mistakes_are_named(tmp_path, mistakes, share, seeds):
    said = {}
    for seed in seeds:
        one = case(seed, mistakes)
        if not {code for codes in one.plan.values() for code in codes} & set(UNSEEN):
            said |= {(seed, form): check(tmp_path, one, form) for form in forms_of(one, seed)}
    missed = {key: wrong for key, wrong in said.items() if wrong}
    print(f"of {len(said)} programs with {mistakes} planted, all of it is named in {len(said) - len(missed)}")
    assert len(missed) <= (1 - share) * len(said), missed


OUTPUT_RELU = """
import numpy as np
np.random.seed({seed})
W, V = np.random.randn(6, 3), np.random.randn(2, 6)
for x, y in zip(np.eye(9, 3) + 0.5, [[0, 0], [0, 1], [1, 0], [1, 1]] * 3):
    x, y = x.reshape(3, 1), np.array(y).reshape(2, 1)
    h = np.tanh(W @ x)
    z = V @ h
    p = np.maximum(z, 0)
    loss = np.sum((p - y) ** 2) / 2
    e = p - y
    e = e * (z > 0)
    V, W = V - 0.1 * e @ h.T, W - 0.1 * (V.T @ e * (1 - h ** 2)) @ x.T
"""


@pytest.mark.parametrize("seed", range(3))
def test_an_output_that_is_cut_off_is_not_passed_over(tmp_path, seed):
    """Where the label is 0 too, the error is 0, whether it is multiplied by the slope or not."""
    text = OUTPUT_RELU.format(seed=seed)
    assert examined(tmp_path, text)["verdict"] == "right"
    with contextlib.suppress(ValueError):
        assert examined(tmp_path, text.replace("    e = e * (z > 0)\n", ""))["verdict"] == "wrong"


def test_a_softmax_of_a_single_output_is_not_accused(tmp_path):
    text = PLAIN.replace("np.eye(3)[np.arange(9) % 3]", "(np.arange(9) % 2.)[:, None]")
    text = text.replace("(5, 3)", "(5, 1)").replace("np.zeros(3)", "np.zeros(1)")
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


def test_as_many_examples_as_inputs(tmp_path):
    """The error of the first layer has the shape of its weights, and is not their gradient yet."""
    text = PLAIN.replace("(9, 4)", "(4, 4)").replace("np.arange(9)", "np.arange(4)").replace("/ 9", "/ 4")
    text = text.replace("-= 0.1 * dW1", "-= 0.1 * X.T @ dZ1")
    said = examined(tmp_path, text.replace("1 - A1 ** 2", "1 - np.tanh(A1) ** 2"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "derivative-of-activated-value")]


OVERFLOWING = """
import numpy as np
np.seterr(all='ignore')
rng = np.random.default_rng(3)
X = np.c_[rng.integers(500, 4000, 40), rng.integers(1, 6, 40)] * 1.0
y, W, v = (X[:, 0] > 2000) * 1.0, rng.normal(size=(2, 6)), rng.normal(size=6) * 1e-3
for _ in range(9):
    z = X @ W
    h = np.where(z > 0, z, np.exp(z) - 1)
    s = h @ v
    loss = np.mean((s - y) ** 2) / 2
    d = (s - y) / 40
    dv, dz = h.T @ d, np.outer(d, v) * np.where(z > 0, 1, np.exp(z))
    dW = X.T @ dz
    W -= 1e-6 * dW
    v -= 1e-6 * dv
"""


def test_an_activation_whose_other_branch_overflows(tmp_path):
    """Of the branch of `where` that is not taken nothing comes back, whatever its slope is."""
    assert examined(tmp_path, OVERFLOWING)["verdict"] == "right"
    said = examined(tmp_path, OVERFLOWING.replace(" * np.where(z > 0, 1, np.exp(z))", ""))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W"]


def test_a_relu_that_writes_where_its_argument_is_negative(tmp_path):
    """It leaves nothing negative in Z, by which the slope was to be told; positions have no derivative themselves."""
    written = PLAIN.replace("np.tanh(X @ W1 + b1)", "X @ W1 + b1\n    A1[np.where(A1 < 0)] = 0")
    assert examined(tmp_path, written.replace("(1 - A1 ** 2)", "(A1 > 0)"))["verdict"] == "right"
    said = examined(tmp_path, written.replace("(1 - A1 ** 2)", "np.where(A1 < 0, 0, 1)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_a_stable_sigmoid_of_single_numbers(tmp_path):
    """`out[x >= 0]` of an array without axes: the truth value takes all of it, or nothing."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, t, V, W = rng.normal(size=(40, 3)), np.arange(40) % 2, rng.normal(size=(3, 4)), rng.normal(size=4)
def sigmoid(x):
    out = np.empty_like(x)
    positive = x >= 0
    out[positive] = 1 / (1 + np.exp(-x[positive]))
    out[~positive] = np.exp(x[~positive]) / (1 + np.exp(x[~positive]))
    return out
for x, y in zip(X, t):
    h = np.tanh(x @ V)
    p = sigmoid(np.asarray(h @ W))
    loss = -y * np.log(p) - (1 - y) * np.log(1 - p)
    dW, dV = (p - y) * h, np.outer(x, (p - y) * W * (1 - h ** 2))
    W -= 0.1 * dW
    V -= 0.1 * dV
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert [p["right"] for p in said["parameters"]] == [False, True]


def test_a_dead_relu_is_no_stale_gradient(tmp_path):
    assert check(tmp_path, case(55), "one example") is None


def test_a_bound_that_nothing_reaches_is_not_judged(tmp_path):
    """min(relu(z), 6) needs a mask at both ends; what keeps an exponential finite needs no note."""
    relu = PLAIN.replace("np.tanh(X @ W1 + b1)", "np.maximum(X @ W1 + b1, 0)").replace("(1 - A1 ** 2)", "(A1 > 0)")
    for bound, noted in ((6, True), (1000, False)):
        said = examined(
            tmp_path, relu.replace("A1 = np.maximum(X @ W1 + b1, 0)", f"A1 = np.clip(X @ W1 + b1, 0, {bound})")
        )
        assert said["verdict"] == "right"
        assert ["whose bound no number of it reaches" in u["why"] for u in said["unjudged"]] == [True] * noted
    capped = relu.replace("np.maximum(X @ W1 + b1, 0)", "np.minimum(np.maximum(X @ W1 + b1, 0), 0.5)")
    assert examined(tmp_path, capped)["verdict"] == "wrong"
    assert not examined(tmp_path, capped.replace("(A1 > 0)", "(A1 > 0) * (A1 < 0.5)"))["unjudged"]


def test_positions_of_a_mask_are_the_mask(tmp_path):
    """They are as many as it is True at: in another draw others. Here Z1 is cut off as A1 is, and the slope is 1."""
    text = PLAIN.replace("np.tanh(X @ W1 + b1)", "X @ W1 + b1; A1[np.where(A1 < 0)] = 0")
    text = text.replace("(1 - A1 ** 2)", "np.where(A1 < 0, 0, 1)")
    deep = text.replace("A1 = X", "A0 = X @ V; A0[(A0 < 0).nonzero()] = 0\n    A1 = A0").replace(
        "X.T @ dZ1", "A0.T @ dZ1"
    )
    deep = deep.replace("W1, b1, W2", "V, W1, b1, W2").replace(
        "np.random.randn(4, 5) / 2", "np.random.randn(4, 4), np.random.randn(4, 4)"
    )
    deep = deep.replace("zeros(5)", "zeros(4)").replace("(5, 3)", "(4, 3)")
    deep = deep.replace("    W1 -=", "    V -= 0.1 * X.T @ (dZ1 @ W1.T * np.where(A0 < 0, 0, 1))\n    W1 -=")
    for written, wrong in ((text, ["dZ1"]), (deep, ["dZ2", "dZ1"])):
        said = examined(tmp_path, written)
        assert [(f["at"], f["code"]) for f in said["findings"]] == [
            (at, "missing-activation-derivative") for at in wrong
        ]


@pytest.mark.parametrize("through", ["* s * (1 - s)", "* s - s * np.sum((P - Y) * s, 1, keepdims=True)"])
def test_a_derivative_of_softmax_of_what_softmax_has_made(tmp_path, through):
    error = f"s = np.exp(P) / np.exp(P).sum(1, keepdims=True)\n    dZ2 = ((P - Y) {through}) / 9"
    text = PLAIN.replace("dZ2 = (P - Y) / 9", error).replace("-np.sum(Y * np.log(P)) / 9", "np.sum((P - Y) ** 2) / 18")
    said = examined(tmp_path, text)
    assert [(f["at"], f["code"], f["line"]) for f in said["findings"]] == [("dZ2", "derivative-of-activated-value", 12)]


def test_the_generated_formulas_are_right():
    """Against `jaxnet.backprop`, which test_gradients.py compares with jax.grad."""
    for seed in range(100):
        s = case(seed).settings
        random = np.random.default_rng(1)
        given = generated.gradients(s, {})
        params = []
        for i, o in pairwise(s.sizes):  # drawn as `gradients` draws them
            W = random.normal(size=(o, i) if s.columns else (i, o)) / np.sqrt(i)
            params.append((W if s.columns else W.T, random.normal(size=o) / 2))
        X, Y = random.normal(size=(s.m, s.sizes[0])), random.normal(size=(s.m, s.sizes[-1])) > 0
        Y = np.eye(s.sizes[-1])[np.arange(s.m) % s.sizes[-1]] if s.output == "softmax" else Y.astype(float)
        right = backprop.backward(params, X, Y, s.hidden, s.output, s.loss)
        factor = 1 if s.mean else s.m
        for layer, (dW, db) in enumerate(right, start=1):
            turned = given[f"W{layer}"] if s.columns else given[f"W{layer}"].T
            np.testing.assert_allclose(turned, factor * dW, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(given[f"b{layer}"].ravel(), factor * db, rtol=1e-9, atol=1e-12)


def predictions(text, form):
    """What the program predicts once it has trained, or None if it only defines."""
    if "notebook" in form:
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    names = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        exec(compile(text, form, "exec"), names)
    return names.get("predictions")


@pytest.mark.parametrize("mistakes", range(4))
def test_all_forms_of_a_case_are_the_same_network(mistakes):
    """They train to the same predictions, the looped ones to those of the flat program with the mistake everywhere."""
    # One example at a time, these depend on what the others of its batch are; and rows draw other weights.
    other_alone = {"weight-penalty", "multiplied-by-pre-activation", "wrong-scale", "derivative-at-wrong-point"}
    for seed in range(8):
        one = case(seed, mistakes)
        assert one == case(seed, mistakes)
        flat = predictions(one.text_by_form["module"], "module")
        for form, text in one.text_by_form.items():
            made, right = predictions(text, form), flat
            if "defined only" in form:
                assert made is None
                continue
            if form in LOOPED:
                _, everywhere = generated.in_all_layers(form, one.settings, one.plan)
                right = predictions(generated.write("module", one.settings, everywhere)[0], "module")
            codes = {code for codes in one.plan.values() for code in codes}
            if form != "one example" or (one.settings.columns and not codes & other_alone):
                np.testing.assert_allclose(made, right, rtol=1e-7, atol=1e-9, err_msg=f"{seed} {form}")


def test_the_lines_of_generated_mistakes():
    """A line that is to be found is the only kind of line that differs between the wrong program and the right one."""
    for seed in range(30):
        one = case(seed, 1)
        for form, found in one.found_by_form.items():
            if "notebook" in form or "module, defined" in form or any(code in UNFILLED for _, code in found):
                continue
            text = one.text_by_form[form].splitlines()
            right = set(
                generated.write(form.removesuffix(", defined only"), one.settings, {})["only" in form].splitlines()
            )
            for (_, code), line in found.items():
                if code not in ("should-be-zero", "weights-already-updated"):
                    assert text[line[1] - 1] not in right, (seed, form, code)


BOUNDED = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
y = (X[:, 0] > 0) * 1.0
W, v = rng.normal(size=(3, 5)), rng.normal(size=5) * 3
for _ in range(9):
    h = np.tanh(X @ W)
    z = h @ v
    out = BOUND
    print(np.mean((out - y) ** 2))
    d = 2 * (out - y) / 30 * (np.abs(z) < 1)
    dv = h.T @ d
    W -= 0.5 * X.T @ (d[:, None] * v * (1 - h ** 2))
    v -= 0.5 * dv
"""


@pytest.mark.parametrize("bound", ["np.clip(z, -1, 1)", "np.minimum(np.maximum(z, -1), 1)"])
def test_where_an_output_is_bounded_it_has_no_slope(tmp_path, bound):
    """Draws are small, and bound nothing, where the program's own numbers are bounded."""
    text = BOUNDED.replace("BOUND", bound)
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" * (np.abs(z) < 1)", ""))
    assert [p["right"] for p in said["parameters"]] == [False, False]


def test_where_the_slope_ends_is_the_line_that_has_none(tmp_path):
    """What is to be the slope overwrites the activation with zeros and ones; the relu before it has a slope."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 4)), np.eye(3)[rng.integers(0, 3, 30)]
W1, W2 = rng.normal(size=(4, 6)), rng.normal(size=(6, 3))
def relu(z):
    z[z < 0] = 0
    return z
def slope(a):
    a = aCOPY
    a[a <= 0] = 0
    a[a > 0] = 1
    return a
for epoch in range(50):
    h = relu(X @ W1)
    dh = slope(h)
    e = np.exp(h @ W2)
    P = e / e.sum(axis=1, keepdims=True)
    print(-np.sum(Y * np.log(P)))
    g2, g1 = h.T @ (P - Y), X.T @ ((P - Y) @ W2.T * dh)
    W1, W2 = W1 - 0.001 * g1, W2 - 0.001 * g2
"""
    assert examined(tmp_path, text.replace("COPY", ".copy()"))["verdict"] == "right"
    with pytest.raises(ValueError, match=r"what line 11 of net\.py makes has no slope, and the gradient of W1"):
        examined(tmp_path, text.replace("COPY", ""))


def test_a_bias_that_is_stepped_by_where_a_relu_is_open(tmp_path):
    """What is stepped with is an array of truth values: no number is made of it that NumPy refuses to make."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
x, y, W, v = rng.normal(size=(3, 1)), 1.0, rng.uniform(0, 1, (4, 3)), rng.uniform(0, 1, (1, 4))
b, c = np.zeros((4, 1)), np.zeros((1, 1))
for epoch in range(50):
    z = W @ x + b
    h = z * (z > 0)
    p = 1 / (1 + np.exp(-(v @ h + c)))
    print(-np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)))
    d = p - y
    W -= 0.1 * (x.T @ x) * d
    b -= 0.1 * (z > 0) * 0.5
    v -= 0.1 * (h.T @ h) * d
    c -= 0.1 * 2 * d
"""
    with pytest.raises(ValueError, match="no gradient is that of a loss"):
        examined(tmp_path, text)
