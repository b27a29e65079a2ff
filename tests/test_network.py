import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnet
from jaxnet import backprop
from jaxnet.losses import LOSSES
from jaxnet.network import ACTIVATIONS, OUTPUTS


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.usefixtures("device", "float64")
def test_forward_equals_numpy(hidden, output):
    params = jaxnet.init_params(0, (7, 5, 4, 3))
    X = np.random.default_rng(0).normal(size=(6, 7))
    _, _, Y_hat = backprop.forward(jax.tree.map(np.asarray, params), X, hidden, output)
    np.testing.assert_allclose(jaxnet.forward(params, X, hidden, output), Y_hat, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("init", "variance"), [("he", 2 / 400), ("glorot", 2 / 700), ("normal", 1)])
def test_initial_parameters(init, variance):
    first, last = jaxnet.init_params(3, (400, 300, 10), init)
    assert first.weights.shape == (300, 400)
    assert first.weights.dtype == jnp.float32
    np.testing.assert_allclose(first.weights.var(), variance, rtol=0.02)
    np.testing.assert_allclose(first.weights.mean() / variance**0.5, 0, atol=0.02)
    assert last.biases.shape == (10,)
    assert not first.biases.any()
    assert not jnp.array_equal(first.weights.ravel()[:3000], last.weights.ravel())
    assert not jnp.array_equal(first.weights, jaxnet.init_params(4, (400, 300, 10), init)[0].weights)


def test_parameters_are_a_pytree_that_transforms_take():
    stacked = jax.vmap(lambda key: jaxnet.init_params(key, (4, 3, 2)))(jax.random.split(jax.random.key(0), 5))
    predictions = jax.jit(jax.vmap(jaxnet.forward, (0, None)))(stacked, jnp.ones((6, 4)))
    assert predictions.shape == (5, 6, 2)
    np.testing.assert_allclose(predictions.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jaxnet.init_params(0, (784,)), "at least two"),
        (lambda: jaxnet.init_params(0, (784, 0, 10)), "each 1 or more"),
        (lambda: jaxnet.init_params(0, (4, 3), "xavier"), "unknown initialisation 'xavier'.*he, glorot, normal"),
        (lambda: jaxnet.forward(jaxnet.init_params(0, (4, 3)), jnp.ones((1, 4)), "gelu"), "unknown activation 'gelu'"),
        (lambda: jaxnet.cross_entropy(jnp.ones((1, 2)), jnp.ones((1, 2)), "sigmoid"), "goes with output softmax"),
        (lambda: jaxnet.binary_cross_entropy(jnp.ones((1, 2)), jnp.ones((1, 2)), "tanh"), "goes with output sigmoid"),
        (lambda: backprop.output_error(*[np.ones((1, 2))] * 3, "tanh", "cross-entropy"), "no hand-written gradient"),
    ],
)
def test_wrong_names_and_sizes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def by_the_formula(name, prediction, targets):
    """The losses as they are written in books, not from logits."""
    return {
        "squared-error": lambda: 0.5 * (prediction - targets) ** 2,
        "cross-entropy": lambda: -targets * np.log(prediction),
        "binary-cross-entropy": lambda: -targets * np.log(prediction) - (1 - targets) * np.log(1 - prediction),
    }[name]().sum(axis=1).mean()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "output"),
    [("cross-entropy", "softmax"), ("binary-cross-entropy", "sigmoid")] + [("squared-error", o) for o in OUTPUTS],
)
@pytest.mark.usefixtures("device", "float64")
def test_losses_equal_their_formulas_and_stay_finite(name, output):
    random = np.random.default_rng(0)
    logits, targets = random.normal(size=(6, 4)), np.eye(4)[random.integers(4, size=6)]
    prediction = np.asarray(OUTPUTS[output](logits))
    loss = LOSSES[name]
    np.testing.assert_allclose(loss(logits, targets, output), by_the_formula(name, prediction, targets), rtol=1e-12)
    for extreme in (1e4, -1e4):
        logits = jnp.full((2, 4), 1.0, jnp.float32).at[:, 1].set(extreme)
        value, gradient = jax.value_and_grad(loss)(logits, jnp.eye(4)[:2], output)
        assert jnp.isfinite(value)
        assert jnp.isfinite(gradient).all()
