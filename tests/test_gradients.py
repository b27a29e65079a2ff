"""The heart: `jax.grad` = the hand-written gradient = central differences."""

import functools
import inspect
import types
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnet
from jaxnet import backprop
from jaxnet.compare.gradients import verdicts
from jaxnet.network import ACTIVATIONS

PAIRS = [
    ("softmax", "squared-error"),
    ("softmax", "cross-entropy"),
    ("sigmoid", "squared-error"),
    ("sigmoid", "binary-cross-entropy"),
    ("identity", "squared-error"),
    ("tanh", "squared-error"),
]

# (sizes, m): depths 1 to 4, square and not, one unit, batches of 1 to 128.
SHAPES = [
    ((4, 1), 6),
    ((6, 5, 3), 1),
    ((3, 8, 1, 2), 128),
    ((3, 3, 3, 3), 2),
    ((7, 4, 6, 5, 3), 9),
]


def make_case(sizes, m, hidden="relu", seed=0):
    """Parameters, inputs and one-hot targets in float64, no Z within reach of the differences from a kink."""
    for attempt in range(1000):
        random = np.random.default_rng((seed, attempt))
        params = [(random.normal(size=(o, i)) / np.sqrt(i), random.normal(size=o)) for i, o in pairwise(sizes)]
        X = random.normal(size=(m, sizes[0]))
        Z, _, _ = backprop.forward(params, X, hidden, "identity")
        if min(np.abs(z).min() for z in Z) > 1e-3:
            return params, X, np.eye(sizes[-1])[random.integers(sizes[-1], size=m)]
    raise AssertionError("no draw without a kink")


def as_layers(params):
    return tuple(jaxnet.Layer(jnp.asarray(W), jnp.asarray(b)) for W, b in params)


@functools.cache
def gradient_of(hidden, output, loss):
    return jax.jit(jax.grad(jaxnet.make_loss(hidden, output, loss)))


def autodiff(params, X, Y, hidden, output, loss):
    return gradient_of(hidden, output, loss)(as_layers(params), jnp.asarray(X), jnp.asarray(Y))


def largest_error(given, true):
    """The largest difference in a leaf, as a share of the leaf's largest entry; the worst leaf's."""
    errors = []
    for given_leaf, true_leaf in zip(jax.tree.leaves(given), jax.tree.leaves(true), strict=True):
        assert given_leaf.shape == true_leaf.shape
        scale = max(np.abs(true_leaf).max(), np.finfo(float).tiny)
        errors.append(np.abs(np.asarray(given_leaf) - np.asarray(true_leaf)).max() / scale)
    return max(errors)


def central_differences(params, X, Y, hidden, output, loss, h=1e-4):
    """(8 [f(h) − f(−h)] − [f(2h) − f(−2h)]) / 12h for each parameter, with f the loss as a function of it.

    The error is of order h⁴ + ε/h: 1e-12 here, where the plain difference quotient could reach only 1e-10.
    """
    flat, unravel = ravel_pytree(as_layers(params))
    loss_of = jaxnet.make_loss(hidden, output, loss)

    def slope(direction):
        def f(distance):
            return loss_of(unravel(flat + distance * direction), X, Y)

        return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)

    return unravel(jax.jit(jax.vmap(slope))(jnp.eye(len(flat))))


def some_shape(hidden, output, loss):
    """One shape for each activation and pair, so that every shape meets every activation and every pair."""
    return SHAPES[(list(ACTIVATIONS).index(hidden) + PAIRS.index((output, loss))) % len(SHAPES)]


@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.usefixtures("device", "float64")
def test_autodiff_equals_hand_written(hidden, output, loss):
    params, X, Y = make_case(*some_shape(hidden, output, loss), hidden)
    by_hand = backprop.backward(params, X, Y, hidden, output, loss)
    assert largest_error(by_hand, autodiff(params, X, Y, hidden, output, loss)) < 1e-12


# Hand-written and autodiff are compared over all of ACTIVATIONS × PAIRS; of these, some are compared with a third.
COVERING = [(list(ACTIVATIONS)[k % len(ACTIVATIONS)], *PAIRS[k % len(PAIRS)]) for k in range(len(PAIRS))]


@pytest.mark.parametrize(("hidden", "output", "loss"), COVERING)
@pytest.mark.usefixtures("device", "float64")
def test_both_equal_central_differences(hidden, output, loss):
    params, X, Y = make_case(*some_shape(hidden, output, loss), hidden)
    by_hand = backprop.backward(params, X, Y, hidden, output, loss)
    assert largest_error(central_differences(params, X, Y, hidden, output, loss), by_hand) < 1e-7


@pytest.mark.parametrize(("hidden", "output", "loss"), COVERING)
@pytest.mark.usefixtures("device")
def test_float32_autodiff_equals_hand_written(hidden, output, loss):
    params, X, Y = make_case((7, 4, 6, 5, 3), 9, hidden)
    params, X, Y = jax.tree.map(np.float32, (params, X, Y))
    in_float64 = backprop.backward(*jax.tree.map(np.float64, (params, X, Y)), hidden, output, loss)
    autodiff32 = autodiff(params, X, Y, hidden, output, loss)
    assert autodiff32[0].weights.dtype == jnp.float32
    assert largest_error(autodiff32, in_float64) < 1e-5
    assert largest_error(backprop.backward(params, X, Y, hidden, output, loss), in_float64) < 1e-5


@pytest.mark.parametrize("init", ["he", "normal"])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.usefixtures("device", "float64")
def test_the_notebooks_network_on_a_real_batch(real_batch, output, loss, init):
    X, Y = real_batch
    params = jax.tree.map(np.asarray, jaxnet.init_params(0, (784, 10, 10), init))
    by_hand = backprop.backward(params, X, Y, "relu", output, loss)
    assert largest_error(by_hand, autodiff(params, X, Y, "relu", output, loss)) < 1e-12


@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
@pytest.mark.usefixtures("device", "float64")
def test_exactly_on_the_kink(hidden):
    params, X, Y = make_case((4, 6, 3), 5)
    params = [(np.round(2 * W), np.zeros_like(b)) for W, b in params]
    X[0] = 0  # every Z of this example is 0
    by_hand = backprop.backward(params, X, Y, hidden)
    assert (backprop.forward(params, X, hidden)[0][0] == 0).sum() >= 6
    assert largest_error(by_hand, autodiff(params, X, Y, hidden, "softmax", "squared-error")) < 1e-12


@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("size_of_logits", [50.0, 700.0, 1e4])
@pytest.mark.usefixtures("device", "float64")
def test_saturated_outputs(output, loss, size_of_logits):
    params, X, Y = make_case((4, 6, 3), 5)
    W, b = params[-1]
    params[-1] = (W * size_of_logits, b * size_of_logits)
    by_hand = backprop.backward(params, X, Y, "relu", output, loss)
    true = autodiff(params, X, Y, "relu", output, loss)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((by_hand, true)))
    # Saturated entries are as small as 1e-300 and no share of them is meaningful: measured by the loss's own size.
    for given, wanted in zip(jax.tree.leaves(by_hand), jax.tree.leaves(true), strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-10, atol=1e-12 * size_of_logits)


def test_worked_by_hand():
    """784-10-10 made 1-1-2: every number of the backward pass can be followed on paper."""
    params = [(np.array([[2.0]]), np.array([1.0])), (np.array([[1.0], [1.0]]), np.array([0.0, 0.0]))]
    X, Y = np.array([[1.0]]), np.array([[1.0, 0.0]])
    # Z1 = A1 = 3, Z2 = (3, 3), Ŷ = (½, ½), Ŷ − Y = (−½, ½), Σ (Ŷ−Y)∘Ŷ = 0, DZ2 = (−¼, ¼), DA1 = 0.
    (DW1, Db1), (DW2, Db2) = backprop.backward(params, X, Y)
    np.testing.assert_array_equal(DW2, [[-0.75], [0.75]])
    np.testing.assert_array_equal(Db2, [-0.25, 0.25])
    np.testing.assert_array_equal(DW1, [[0.0]])
    np.testing.assert_array_equal(Db1, [0.0])


def test_softmax_jacobian_gives_the_squared_errors_gradient():
    random = np.random.default_rng(0)
    Z, Y = random.normal(size=(6, 4)), np.eye(4)[random.integers(4, size=6)]
    Y_hat = backprop.softmax(Z)
    from_jacobian = np.einsum("mk,mkj->mj", Y_hat - Y, backprop.softmax_jacobian(Y_hat))
    np.testing.assert_allclose(
        backprop.output_error(Z, Y_hat, Y, "softmax", "squared-error"), from_jacobian, rtol=1e-13
    )


def test_what_1_computes():
    """The notebook's DZ2 = (Ŷ − Y) ∘ 1 is the gradient of cross-entropy."""
    params, X, Y = make_case((6, 5, 3), 7)
    Z, _, Y_hat = backprop.forward(params, X)
    of_cross_entropy = jax.grad(lambda z: 7 * jaxnet.cross_entropy(z, Y))(Z[-1].astype(np.float32))
    np.testing.assert_allclose(Y_hat - Y, of_cross_entropy, atol=1e-6)


# Each term of the hand-written gradient, and what it is broken into. Every one of them must be caught.
FAULTS = [
    ("/ m\n", "\n"),
    ("DW = DZ.T @ A[layer]", "DW = DZ.T @ A[layer] * 1.0001"),
    ("DW = DZ.T @ A[layer]", "DW = DZ.T @ np.maximum(A[layer], 0)"),
    ("DW = DZ.T @ A[layer]", "DW = DZ.T @ A[0][:, : A[layer].shape[1]]"),
    ("DZ.sum(axis=0)", "DZ.sum() * np.ones(DZ.shape[1])"),
    ("DZ.sum(axis=0)", "DZ.mean(axis=0)"),
    ("DZ.sum(axis=0)", "Z[layer].sum(axis=0) * DZ.sum(axis=0)"),
    ("DA = DZ @ params[layer][0]", "DA = DZ @ params[layer][0].T"),
    ("DA = DZ @ params[layer][0]", "DA = -DZ @ params[layer][0]"),
    ("DZ = DA * ACTIVATIONS[hidden][1](Z[layer - 1])", "DZ = DA"),
    ("ACTIVATIONS[hidden][1](Z[layer - 1])", "ACTIVATIONS[hidden][0](Z[layer - 1])"),
    ("ACTIVATIONS[hidden][1](Z[layer - 1])", "ACTIVATIONS[hidden][1](ACTIVATIONS[hidden][0](Z[layer - 1]))"),
    ("DY_hat - (DY_hat * Y_hat).sum(axis=1, keepdims=True)", "DY_hat"),
    ("DY_hat - (DY_hat * Y_hat).sum(axis=1, keepdims=True)", "DY_hat * (1 - Y_hat)"),
    ("(DY_hat * Y_hat).sum(axis=1, keepdims=True)", "(DY_hat * Y_hat).sum(axis=0, keepdims=True)"),
    ("Y_hat * (DY_hat -", "(DY_hat -"),
    ("return (Y_hat - Y) * ACTIVATIONS[output][1](Z)", "return Y_hat - Y"),
    ("ACTIVATIONS[output][1](Z)", "ACTIVATIONS[output][1](Y_hat)"),
    ("            return Y_hat - Y\n", "            return Y - Y_hat\n"),
    ("1 - np.tanh(Z) ** 2", "1 - np.tanh(Z)"),
    ("sigmoid(Z) * (1 - sigmoid(Z))", "sigmoid(Z)"),
    ("np.where(Z > 0, 1, 0.01)", "np.where(Z > 0, 1, 0)"),
    ("(Z > 0).astype", "(Z > 0.3).astype"),
    ("(Z > 0).astype", "(Z >= 0).astype"),
    ("np.where(Z > 0, 1, 0.01)", "np.where(Z >= 0, 1, 0.01)"),
    ("gradients[::-1]", "gradients"),
]


@pytest.mark.parametrize(("right", "wrong"), FAULTS)
@pytest.mark.usefixtures("float64")
def test_planted_fault_is_caught(right, wrong):
    source = inspect.getsource(backprop)
    assert right in source
    broken = types.ModuleType("broken")
    exec(source.replace(right, wrong), broken.__dict__)

    def is_caught(case, hidden, output, loss):
        params, X, Y = case
        try:
            by_hand = broken.backward(params, X, Y, hidden, output, loss)
            return largest_error(by_hand, autodiff(params, X, Y, hidden, output, loss)) > 1e-12
        except AssertionError:  # a shape differs
            return True

    params, X, Y = make_case((5, 5, 5), 4)
    X[0] = 0
    on_the_kink = [(W, np.zeros_like(b)) for W, b in params], X, Y
    cases = [make_case((5, 5, 5), 4), on_the_kink]
    kinds = [(hidden, *pair) for hidden in ACTIVATIONS for pair in PAIRS]
    assert any(is_caught(case, *kind) for kind in kinds for case in cases)


PROGRAM = """\
import numpy as np
random = np.random.default_rng(0)
X, Y = random.normal(size=(20, 4)), np.eye(3)[random.integers(3, size=20)]
W1, b1 = random.normal(size=(4, 5)), np.zeros(5)
W2, b2 = random.normal(size=(5, 3)), np.zeros(3)
for step in range(10):
    A1 = np.tanh(X @ W1 + b1)
    Y_hat = A1 @ W2 + b2
    loss = ((Y_hat - Y) ** 2).sum() / 2
    dZ2 = Y_hat - Y
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    W2 -= 0.01 * (A1.T @ dZ2)
    b2 -= 0.01 * dZ2.sum(axis=0)
    W1 -= 0.01 * (X.T @ dZ1)
    b1 -= 0.01 * dZ1.sum(axis=0)
"""


def test_a_program_s_gradients_match(tmp_path):
    """Its path is given as either kind."""
    file = tmp_path / "my_net.py"
    file.write_text(PROGRAM)
    jaxnet.assert_gradients_match(str(file))
    assert jaxnet.compare_file(file).verdict == "right"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (" * (1 - A1**2)", "", r"(?s)✗ wrong: .*my_net\.py.*error\[missing-activation-derivative\]: dZ1"),
        ("dZ2 = Y_hat - Y", "dZ2 = (Y_hat - Y) / 20", "≈ right up to a constant that all gradients share"),
    ],
)
def test_a_program_s_gradients_do_not_match(tmp_path, right, wrong, said):
    file = tmp_path / "my_net.py"
    assert right in PROGRAM
    file.write_text(PROGRAM.replace(right, wrong))
    with pytest.raises(AssertionError, match=said):
        jaxnet.assert_gradients_match(file)


def test_where_there_is_no_verdict_no_test_passes(tmp_path):
    file = tmp_path / "my_net.py"
    with pytest.raises(ValueError, match=r"my_net\.py: there is no such file$"):
        jaxnet.assert_gradients_match(file)
    file.write_text("print('nothing to compare')")
    with pytest.raises(ValueError, match=r"my_net\.py: .+"):
        jaxnet.assert_gradients_match(file, timeout=30)


def test_what_cancels_is_rounding():
    """The gradient of a bias before a normalisation is the sum of what cancels, whatever the order of adding."""
    W, b = np.ones((2, 2)), np.ones(2)
    rounded = verdicts({"W": W, "b": b}, {"W": W, "b": 3e-13 * b}, {"W": W, "b": -1e-19 * b}, 1e-6)
    assert [p.right for p in rounded] == [True, True]
    small = verdicts({"W": W, "b": b}, {"W": W, "b": 1.1e-8 * b}, {"W": W, "b": 1e-8 * b}, 1e-6)
    assert [p.right for p in small] == [True, False]
