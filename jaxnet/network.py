"""A dense network: its parameters are plain data, and the network is a function of them.

Shape letters, here and everywhere in jaxnet: m examples, i inputs of a layer, o outputs of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

LEAKY_SLOPE = 0.01


class Layer(NamedTuple):
    """The parameters of one layer, or a gradient with respect to them."""

    weights: jax.Array  # (o, i), as the notebook's W1[10, 784]
    biases: jax.Array  # (o,)


Params: TypeAlias = tuple[Layer, ...]


class Network(NamedTuple):
    """What a network computes, apart from its parameters."""

    sizes: tuple[int, ...]  # inputs first
    hidden: str
    output: str
    loss: str


def leaky_relu(z: jax.Array) -> jax.Array:
    """Leaky relu: z where z > 0, else 0.01 z (Maas, Hannun and Ng 2013, eq. 2).

    `jax.nn.leaky_relu` compares with >=, so its derivative at 0 is 1. Here, as for relu, 0 belongs to the
    negative side, which is what the usual `Z > 0` of a hand-written backward pass says.
    """
    return jnp.where(z > 0, z, LEAKY_SLOPE * z)


def identity(z: jax.Array) -> jax.Array:
    return z


# `jax.nn.relu` and not `jnp.maximum(z, 0)`, whose derivative at 0 is ½.
ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "leaky_relu": leaky_relu,
    "identity": identity,
}

OUTPUTS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "softmax": jax.nn.softmax,
    "sigmoid": jax.nn.sigmoid,
    "identity": identity,
    "tanh": jnp.tanh,
}

# The standard deviation of a weight of a layer with i inputs and o outputs.
INITIALIZERS: dict[str, Callable[[int, int], float]] = {
    "he": lambda i, o: (2 / i) ** 0.5,
    "glorot": lambda i, o: (2 / (i + o)) ** 0.5,
    "normal": lambda i, o: 1.0,
}


def choose(table: dict, name: str, what: str):
    """Entry `name` of one of the tables above; ValueError with the possible names if there is none."""
    try:
        return table[name]
    except KeyError:
        raise ValueError(f"unknown {what} {name!r}; choose one of: {', '.join(table)}") from None


def init_params(seed: int | jax.Array, sizes: Sequence[int], init: str = "he") -> Params:
    """Random weights and zero biases for a network with layers of these sizes, inputs first.

    Weights are drawn from a normal distribution with mean 0 and standard deviation

    - `he`: √(2 / i), which keeps the variance through relu layers (He et al. 2015, eq. 10);
    - `glorot`: √(2 / (i + o)) (Glorot and Bengio 2010, eq. 12);
    - `normal`: 1, as the notebook has it: with 784 inputs it saturates the softmax.

    `seed` is an integer of 64 bits or a JAX key. Raises ValueError for a larger one, for fewer than two sizes, a
    size below 1 or an unknown `init`.
    """
    if isinstance(seed, int) and not -(2**63) <= seed < 2**63:
        raise ValueError(f"seed is {seed}; {2**63 - 1} is the largest")
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes are {tuple(sizes)}; give at least two, inputs first, each 1 or more")
    standard_deviation = choose(INITIALIZERS, init, "initialisation")
    start = np.int64(seed) if isinstance(seed, int) else seed
    return _draw_params(start, tuple(sizes), tuple(standard_deviation(i, o) for i, o in pairwise(sizes)))


@partial(jax.jit, static_argnames=("sizes", "scales"))
def _draw_params(seed: np.int64 | jax.Array, sizes: tuple[int, ...], scales: tuple[float, ...]) -> Params:
    is_key = jnp.issubdtype(seed.dtype, jax.dtypes.prng_key)
    key = seed if is_key else jax.random.key(seed)
    # One draw for all layers, cut up: the generator takes most of the compile time, for each time it is called.
    ends = np.cumsum([i * o for i, o in pairwise(sizes)])
    draws = jnp.split(jax.random.normal(key, (ends[-1],)), ends[:-1])
    return tuple(
        Layer(scale * draw.reshape(o, i), jnp.zeros(o))
        for draw, scale, (i, o) in zip(draws, scales, pairwise(sizes), strict=True)
    )


def logits(params: Params, inputs: jax.Array, hidden: str = "relu") -> jax.Array:
    """The last layer's values before the output activation: (m, i) → (m, o).

    z₁ = x W₁ᵀ + b₁, a₁ = hidden(z₁), z₂ = a₁ W₂ᵀ + b₂, …
    """
    activation = choose(ACTIVATIONS, hidden, "activation")
    *hidden_layers, last = params
    for layer in hidden_layers:
        inputs = activation(inputs @ layer.weights.T + layer.biases)
    return inputs @ last.weights.T + last.biases


def forward(params: Params, inputs: jax.Array, hidden: str = "relu", output: str = "softmax") -> jax.Array:
    """The network's prediction ŷ = output(logits): (m, i) → (m, o)."""
    return choose(OUTPUTS, output, "output")(logits(params, inputs, hidden))
