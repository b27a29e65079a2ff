"""The losses, and the one place where their constants are defined.

Every loss sums over the classes of an example and is the mean over the m examples. All take logits, not
predictions, so that they stay finite however large the logits are; targets are (m, o), one-hot or any numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxnet.network import OUTPUTS, Params, choose
from jaxnet.network import logits as network_logits


def squared_error(logits: jax.Array, targets: jax.Array, output: str = "softmax") -> jax.Array:
    """½ Σ over classes (ŷ − y)², mean over examples, with ŷ = output(logits).

    The ½ makes ∂/∂ŷ = ŷ − y, as in the notebook. The mean and not the sum over examples, so that the learning
    rate need not change with the batch size.
    """
    prediction = choose(OUTPUTS, output, "output")(logits)
    return 0.5 * jnp.mean(jnp.sum((prediction - targets) ** 2, axis=-1))


def cross_entropy(logits: jax.Array, targets: jax.Array, output: str = "softmax") -> jax.Array:
    """−Σ over classes y log ŷ, mean over examples, with ŷ = softmax(logits).

    log ŷ = z − log Σ eᶻ is computed from the logits, so it is finite where ŷ itself rounds to 0. Raises
    ValueError for another output than softmax: over classes that do not sum to 1 this is not a likelihood.
    """
    if output != "softmax":
        raise ValueError(f"cross-entropy goes with output softmax, not {output!r}")
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(logits), axis=-1))


def binary_cross_entropy(logits: jax.Array, targets: jax.Array, output: str = "sigmoid") -> jax.Array:
    """−Σ over classes [y log ŷ + (1 − y) log(1 − ŷ)], mean over examples, with ŷ = sigmoid(logits).

    Computed as max(z, 0) − y z + log(1 + e^−|z|), finite for any z. Raises ValueError for another output than
    sigmoid.
    """
    if output != "sigmoid":
        raise ValueError(f"binary-cross-entropy goes with output sigmoid, not {output!r}")
    return jnp.mean(jnp.sum(jax.nn.softplus(logits) - targets * logits, axis=-1))


LOSSES: dict[str, Callable[[jax.Array, jax.Array, str], jax.Array]] = {
    "squared-error": squared_error,
    "cross-entropy": cross_entropy,
    "binary-cross-entropy": binary_cross_entropy,
}


def network_loss(
    params: Params,
    inputs: jax.Array,
    targets: jax.Array,
    *,
    hidden: str = "relu",
    output: str = "softmax",
    loss: str = "squared-error",
) -> jax.Array:
    """The loss of a network on a batch, a scalar: what `jax.grad` differentiates.

    inputs (m, i), targets (m, o). Raises ValueError for an unknown name or a pair of output and loss that does
    not go together.
    """
    return choose(LOSSES, loss, "loss")(network_logits(params, inputs, hidden), targets, output)
