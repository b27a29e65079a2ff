"""Which devices compute, and how arrays lie on them.

The devices form a mesh with two axes: `batch`, over which each batch is split, and `model`, over which the weights of
wide layers can be. A single device is a mesh of one, so there is one way to train.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

Tree = TypeVar("Tree")


def make_mesh(devices: Sequence[Any] | None = None, model: int = 1) -> Mesh:
    """A mesh of these devices, or of JAX's default device alone, `model` of them along the axis `model`.

    Raises ValueError unless the devices make whole rows of `model`.
    """
    devices = list(jnp.zeros(()).devices() if devices is None else devices)
    if model < 1 or len(devices) % model:
        raise ValueError(f"{len(devices)} devices cannot be split into groups of {model} that share a layer")
    # Auto: the compiler places what is in between, so that networks and losses are written without a word of it.
    axis_types = (AxisType.Auto, AxisType.Auto)
    return jax.make_mesh((len(devices) // model, model), ("batch", "model"), axis_types, devices=devices)


def place(array: np.ndarray, mesh: Mesh, *axes: str | None) -> jax.Array:
    """An array on the devices of a mesh, split along the mesh's axes that are named for its own, else whole on each."""
    return place_parts(array.shape, lambda index: array[index], mesh, *axes)


def place_parts(shape: tuple[int, ...], part: Callable[[Any], np.ndarray], mesh: Mesh, *axes: str | None) -> jax.Array:
    """The same of an array that exists in parts alone: `part` maps slices of each axis to the values there.

    Each process asks for the parts of its own devices.
    """
    return jax.make_array_from_callback(shape, NamedSharding(mesh, P(*axes)), part)


def place_state(tree: Tree, mesh: Mesh) -> Tree:
    """Parameters, and whatever an optimiser keeps for each of them, on the devices of a mesh.

    Weights (o, i) and biases (o,) are split along o over the mesh's axis `model`, where o is a multiple of it.
    """
    model = mesh.shape["model"]

    def place_leaf(leaf: Any) -> jax.Array:
        array = np.asarray(
            jax.block_until_ready(leaf)
        )  # waits first: a failed computation, as without memory, is raised
        split = model > 1 and array.ndim > 0 and array.shape[0] % model == 0
        return place(array, mesh, *(["model"] if split else []))

    return jax.tree.map(place_leaf, tree)
