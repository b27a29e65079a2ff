"""Mistakes planted by the hundred: each must be named, and nothing else."""

import json
import re
import sys
import tracemalloc
from pathlib import Path

import author_files
import jax
import jax.numpy as jnp
import numpy as np
import optax
import planting
import pytest

import jaxnet
from jaxnet import backprop
from jaxnet.compare import gradients as array_interface
from jaxnet.compare.files import compare_file
from jaxnet.compare.mistakes import WORDS
from jaxnet.compare.multiples import multiple

PAIRS = [(output, loss) for output, losses in array_interface.LOSSES_OF_OUTPUT.items() for loss in losses]
HIDDEN = ("relu", "tanh", "sigmoid", "leaky_relu")


@pytest.fixture
def numpy_truth(monkeypatch):
    """The truth from `jaxnet.backprop`, which test_gradients.py compares with jax.grad: nothing to compile."""

    def true_gradients(W, b, X, Y, hidden, output, guess):
        factor = len(X) if guess.reduction == "sum" else 1
        pairs = backprop.backward(list(zip(W, b, strict=True)), X, Y, hidden, output, guess.loss)
        return [(factor * dW, factor * db) for dW, db in pairs]

    monkeypatch.setattr(array_interface, "true_gradients", true_gradients)


def draw_case(seed, mistakes, one_quantity=False, depth=4):
    random = np.random.default_rng((seed, mistakes))
    layers = int(random.integers(1, depth + 1))
    kind = random.integers(3)  # all sizes different, all equal (nothing tells a transpose by its shape), or mixed
    sizes = [int(k) for k in random.permutation(np.arange(3, 4 + 2 * depth))[: layers + 1]]
    sizes = [sizes, [sizes[0]] * (layers + 1), [int(k) for k in random.integers(3, 7, layers + 1)]][kind]
    m = int(random.integers(4, 13))
    output, loss = PAIRS[random.integers(len(PAIRS))]
    hidden = str(random.choice(HIDDEN))
    plan = planting.draw_plan(random, layers, mistakes, one_quantity) if mistakes else {}
    return planting.make_network(random, sizes, m), hidden, output, loss, plan


def differ(given, true):
    return {
        f"{p}{layer}"
        for layer, pair in enumerate(zip(given, true, strict=True), start=1)
        for p, g, t in zip("Wb", *pair, strict=True)
        if g.shape != t.shape or np.abs(g - t).max() > 1e-9 * max(np.abs(t).max(), 1e-6)
    }


def expected_findings(plan, layers):
    """A constant of the last layer's error is one that all gradients share."""
    return {
        ("loss" if (code, at) == ("wrong-scale", f"dZ{layers}") else at, code)
        for at, codes in plan.items()
        for code in codes
    }


def judge(seed, mistakes, one_quantity=False):
    """None where the plan cannot be made or some mistake of it has no effect, else whether it is named exactly."""
    (params, X, Y), hidden, output, loss, plan = draw_case(seed, mistakes, one_quantity)
    given = planting.backward(params, X, Y, hidden, output, loss, plan, seed)
    if given is None:
        return None
    true = backprop.backward(params, X, Y, hidden, output, loss)
    wrong = differ(given, true)
    for at, codes in plan.items():
        for code in codes:
            less = {**plan, at: tuple(other for other in codes if other != code)}
            without = planting.backward(params, X, Y, hidden, output, loss, less, seed)
            if without is not None and not differ(given, without):
                return None
    report = jaxnet.diagnose_backprop(params, X, Y, given, hidden=hidden, output=output, loss=loss)
    assert {p.name for p in report.parameters if not p.right} == wrong
    found, expected = {(f.at, f.code) for f in report.findings}, expected_findings(plan, len(params))
    # A sign or constant of dZ1 beside one of dW1 is the same in numbers as one of db1: as few findings are as good.
    only_constants = all(code in ("wrong-sign", "wrong-scale") for _, code in found ^ expected)
    return found == expected or (mistakes > 1 and only_constants and len(found) <= len(expected))


@pytest.mark.parametrize(
    ("mistakes", "one_quantity", "cases", "share"), [(1, False, 60, 1), (2, False, 40, 0.98), (3, False, 30, 0.95)]
)
@pytest.mark.usefixtures("numpy_truth")
def test_planted_mistakes_are_named(mistakes, one_quantity, cases, share):
    verdicts = [judge(seed, mistakes, one_quantity) for seed in range(cases)]
    counted = [verdict for verdict in verdicts if verdict is not None]
    assert len(counted) > cases / 3
    missed = [seed for seed, verdict in enumerate(verdicts) if verdict is False]
    assert sum(counted) >= share * len(counted), missed


@pytest.mark.usefixtures("numpy_truth")
def test_two_mistakes_in_one_quantity_are_named():
    verdicts = [judge(seed, 2, one_quantity=True) for seed in range(100)]
    counted = [verdict for verdict in verdicts if verdict is not None]
    missed = [seed for seed, verdict in enumerate(verdicts) if verdict is False]
    assert sum(counted) >= 0.98 * len(counted) > 30, missed


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.usefixtures("numpy_truth")
def test_no_false_alarm(stated):
    for seed in range(500):
        (params, X, Y), hidden, output, loss, _ = draw_case(seed, 0, depth=8)
        given = backprop.backward(params, X, Y, hidden, output, loss)
        factor = 1 if stated or seed % 2 else len(X)  # nobody stated whether it is a sum or a mean
        given = [(factor * dW, factor * db) for dW, db in given]
        said = {"loss": loss} if stated else {}
        report = jaxnet.diagnose_backprop(params, X, Y, given, hidden=hidden, output=output, **said)
        assert (report.verdict, report.findings) == ("right", []), seed
        assert (report.loss or {})["reduction"] == ("mean" if factor == 1 else "sum"), seed


def small_case(seed=0, sizes=(6, 5, 4), m=7):
    return planting.make_network(np.random.default_rng(seed), sizes, m)


def codes_of(report):
    return [(f.at, f.code) for f in report.findings]


def test_softmax_over_the_whole_batch():
    params, X, Y = small_case()
    plan = {"forward": ("softmax-over-all-entries",), "db1": ("summed-over-all-axes",)}
    for loss in ("squared-error", "cross-entropy"):
        given = planting.backward(params, X, Y, "relu", "softmax", loss, plan)
        report = jaxnet.diagnose_backprop(params, X, Y, given, loss=loss)
        assert set(codes_of(report)) == {("forward", "softmax-over-all-entries"), ("db1", "summed-over-all-axes")}


@pytest.mark.parametrize("columns", [True, False])
@pytest.mark.parametrize("input_first", [True, False])
@pytest.mark.parametrize("sizes", [(6, 5, 4), (5, 5, 5)])
def test_any_arrangement_of_the_arrays(columns, input_first, sizes):
    params, X, Y = small_case(sizes=sizes)
    given = backprop.backward(params, X, Y)
    given[0] = given[0][0], np.array(given[0][1].sum())
    turn = np.transpose if input_first else np.asarray
    named = {f"w{k}": turn(W) for k, (W, _) in enumerate(params, start=1)}
    named |= {f"B{k}": b[:, None] for k, (_, b) in enumerate(params, start=1)}
    gradients = {f"dW{k}": turn(W) for k, (W, _) in enumerate(given, start=1)}
    gradients |= {f"db{k}": b for k, (_, b) in enumerate(given, start=1)}
    layout = "columns" if columns else "rows"
    X, Y = (X.T, Y.T) if columns else (X, Y)
    report = jaxnet.diagnose_backprop(named, X, Y, gradients, layout=layout)
    assert codes_of(report) == [("db1", "summed-over-all-axes")]
    assert [p.name for p in report.parameters if not p.right] == ["b1"]
    assert report.network == {"sizes": list(sizes), "hidden": "relu", "output": "softmax", "layout": layout}


def test_float32_is_compared_at_its_own_precision():
    params, X, Y = small_case()
    given = jax.tree.map(np.float32, backprop.backward(params, X, Y))
    assert jaxnet.diagnose_backprop(params, X, Y, given).verdict == "right"
    given[1] = given[1][0], given[1][1] * np.float32(1.001)
    report = jaxnet.diagnose_backprop(params, X, Y, given)
    assert codes_of(report) == [("db2", "wrong-scale")]


def test_labels_may_be_numbers():
    params, X, Y = small_case()
    given = backprop.backward(params, X, Y)
    assert jaxnet.diagnose_backprop(params, X, Y.argmax(axis=1), given).verdict == "right"


def test_a_constant_common_to_all_is_a_warning():
    params, X, Y = small_case()
    given = [(2 * dW, 2 * db) for dW, db in backprop.backward(params, X, Y)]
    report = jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error")
    assert report.verdict == "right-up-to-scale"
    assert [(f.at, f.code, f.severity, f.scale) for f in report.findings] == [
        ("loss", "wrong-scale", "warning", pytest.approx(2))
    ]


def test_what_no_formula_gives_is_unknown():
    params, X, Y = small_case()
    given = backprop.backward(params, X, Y)
    given[0][0][2] += 0.1  # one unit's row
    report = jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error")
    assert codes_of(report) == [("dW1", "unknown")]
    assert "rows 2" in report.to_dict()["findings"][0]["explanation"]


def test_the_formulas_are_tried_one_by_one():
    """Hundreds of errors of a layer are made before one is given up: all of them at once would fill the memory."""
    params, X, Y = small_case(sizes=(5, 64, 4), m=2000)
    given = backprop.backward(params, X, Y)
    given = [tuple(array * np.arange(1, len(array) + 1)[::-1].reshape(-1, *[1] * (array.ndim - 1)) for array in layer)
             for layer in given]  # fmt: skip
    tracemalloc.start()
    try:
        report = jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {code for _, code in codes_of(report)} == {"unknown"}
    assert most < 30 * 2000 * 64 * 8


def test_every_code_has_words_and_the_report_its_keys():
    params, X, Y = small_case()
    for code in {code for slots in planting.SLOTS.values() for slot in slots for code in slot}:
        assert code in WORDS
    given = backprop.backward(params, X, Y)
    given[1] = given[1][0], np.array(given[1][1].sum())
    data = json.loads(jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error").to_json())
    contract = ["source", "verdict", "loss", "network", "parameters", "findings", "truth", "program", "notes"]
    assert list(data) == [
        *contract,
        "names",
        "unjudged",
        "idle",
        "also_right",
        "diff",
        "teeth",
        "repeat",
        "isolation",
        "frontier",
    ]
    assert list(data["parameters"][0]) == ["name", "shape", "gradient_shape", "relative_error", "right"]
    keys = ["at", "code", "severity", "scale", "line", "source", "explanation", "instead", "parameters"]
    assert list(data["findings"][0]) == keys
    assert data["findings"][0]["parameters"] == ["b2"]


def test_the_readme_has_the_whole_catalogue():
    text = (Path(__file__).parent.parent / "jaxnet/compare/README.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == list(WORDS)


def test_compare_gradients_of_any_pytree():
    params = {"a": jnp.arange(6.0).reshape(2, 3), "b": [jnp.ones(3)]}

    def loss(params, x):
        return jnp.sum(jnp.tanh(params["a"] @ x) ** 2) + jnp.sum(params["b"][0] ** 3)

    x = jnp.array([0.1, -0.2, 0.3])
    with jax.enable_x64(True):
        true = jax.grad(loss)(jax.tree.map(lambda a: a.astype(jnp.float64), params), x.astype(jnp.float64))
        true = jax.tree.map(np.asarray, true)
    assert jaxnet.compare_gradients(loss, params, true, x).verdict == "right"
    wrong = {"a": true["a"], "b": [-2 * true["b"][0]]}
    report = jaxnet.compare_gradients(loss, params, wrong, x)
    assert [p.right for p in report.parameters] == [True, False]
    assert {f.code for f in report.findings} == {"wrong-sign", "wrong-scale"}
    with pytest.raises(AssertionError, match="wrong-sign"):
        jaxnet.assert_gradients_match(loss, params, wrong, x)
    jaxnet.assert_gradients_match(loss, params, true, x)
    assert not jax.config.jax_enable_x64


def test_gradients_of_an_update_in_place():
    params, X, Y = small_case()
    given = backprop.backward(params, X, Y)
    after = [(W - 0.3 * dW, b - 0.3 * db) for (W, b), (dW, db) in zip(params, given, strict=True)]
    implied = jaxnet.gradients_of_update(params, after, 0.3)
    assert jaxnet.diagnose_backprop(params, X, Y, implied).verdict == "right"
    with optax_step(params, given) as updated:
        assert (
            jaxnet.diagnose_backprop(params, X, Y, jaxnet.gradients_of_update(params, updated, 0.3)).verdict == "right"
        )


class optax_step:
    """An update by Optax, in float64."""

    def __init__(self, params, gradients):
        with jax.enable_x64(True):
            rule = optax.sgd(0.3)
            updates, _ = rule.update(jax.tree.map(jnp.asarray, gradients), rule.init(params))
            self.updated = optax.apply_updates(jax.tree.map(jnp.asarray, params), updates)

    def __enter__(self):
        return self.updated

    def __exit__(self, *_):
        pass


def test_the_librarys_own_gradient_on_real_images():
    assert array_interface.compare_library().verdict == "right"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gradients": [(np.ones((5, 6)), np.ones(5))]}, "gradients are of 1 layers"),
        ({"gradients": {"W1": np.ones((5, 6)), "q": np.ones(2)}}, "gradients have a 'q'"),
        ({"gradients": [(np.full((5, 6), np.nan), np.ones(5)), (np.ones((4, 5)), np.ones(4))]}, "holds nan at"),
        ({"inputs": np.ones((7, 9))}, "do not chain from inputs"),
        ({"params": "W"}, "params are a str"),
        ({"hidden": "gelu"}, "unknown activation 'gelu'"),
        ({"output": "relu"}, "unknown output 'relu'"),
        ({"loss": "hinge"}, "unknown loss 'hinge'"),
        ({"loss": "binary-cross-entropy"}, "no binary-cross-entropy with output softmax"),
        ({"layout": "diagonal"}, "layout is 'diagonal'"),
    ],
)
def test_bad_arrays(change, message):
    params, X, Y = small_case()
    call = {"params": params, "inputs": X, "targets": Y, "gradients": backprop.backward(params, X, Y)} | change
    with pytest.raises(ValueError, match=message):
        jaxnet.diagnose_backprop(**call)


# --- files ----------------------------------------------------------------------------------------------------------


# All of them with -m slow.
@pytest.mark.parametrize(
    "name",
    [
        name if number % 12 == 0 else pytest.param(name, marks=pytest.mark.slow)
        for number, name in enumerate(author_files.FILES)
    ],
)
def test_right_files_of_many_styles(tmp_path, name):
    path = tmp_path / "net.py"
    path.write_text(author_files.FILES[name].code)
    report = compare_file(path)
    assert all(finding.severity == "warning" for finding in report.findings), str(report)


def test_the_notebooks_own_mistakes():
    """Its `return W1, b1, W2, b1` makes one array of both biases: Db1 and Db2 step the same one."""
    report = compare_file("scripts/notebook_net.py")
    found = {(f.at, f.code, f.severity, place.line) for f, place in zip(report.findings, report.places, strict=True)}
    assert found == {
        ("dZ2", "missing-output-derivative", "error", 50),
        ("loss", "wrong-scale", "warning", None),
        ("db2", "multiplied-by-pre-activation", "error", 60),
    }
    assert report.verdict == "wrong"
    assert report.truth == "jax.grad of your forward pass and loss"
    assert str(report) in Path("README.md").read_text()  # as the README shows it


@pytest.mark.parametrize("shape", [(2, 3), (300, 700)])
def test_what_is_a_multiple(shape):
    """Of large arrays some entries are looked at first, and of a wrong one that is not among them all."""
    array = np.random.default_rng(0).normal(size=shape)
    assert multiple(-2 * array, array, 1e-9) == pytest.approx(-2)
    off = array.copy()
    off[1, 2] += 1e-6
    assert multiple(off, array, 1e-9) is None
    assert multiple(off, array, 1e-3) == pytest.approx(1)
    for other in (array.T, 0 * array, array[:1]):
        assert multiple(other, array, 1e-9) is None
        assert multiple(array, other, 1e-9) is None


def test_the_command(tmp_path, monkeypatch, capsys):
    from jaxnet import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["jaxnet", "compare", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capsys.readouterr()

    status, out, err = run("scripts/notebook_net.py", "--json", "--html", str(tmp_path / "page.html"))
    assert (status, err) == (1, "")
    assert json.loads(out)["verdict"] == "wrong"
    assert "multiplied-by-pre-activation" in (tmp_path / "page.html").read_text()
    assert run()[0] == 0
    nothing = tmp_path / "nothing.py"
    nothing.write_text("x = 1\n")
    for arguments, message in (
        ([str(nothing)], "nothing was found that it trains"),
        (["/nope.py"], "there is no such file"),
        ([str(tmp_path)], "no program with a backward pass is there"),
        (["scripts/notebook_net.py", "--html", "/nope/x.html"], "--html /nope/x.html"),
        (["scripts/notebook_net.py", "--timeout", "0"], "timeout is 0"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
