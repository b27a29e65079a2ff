"""Which devices compute, how arrays lie on them, and what several processes agree on.

The devices form a mesh with two axes: `batch`, over which each batch is split, and `model`, over which the weights of
wide layers can be. A single device is a mesh of one, so there is one way to train. Of several processes each runs the
same program on its own devices, as JAX's distributed runtime has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

Tree = TypeVar("Tree")

HEARTBEAT_SECONDS = 30  # after which a process that says nothing is taken for lost, and the others end


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


def choose_devices(kind: str | None, count: int | None, model: int, batch_size: int) -> tuple[str, Mesh]:
    """Compute on `count` devices of this kind from now on: what to call them, and their mesh.

    Without a kind it is the best there is, without a count all devices that a batch can be split over; `model` of
    them share a layer. Raises ValueError for devices that are not there.
    """
    try:
        present = jax.devices(kind)
    except RuntimeError:
        kinds = sorted({device.platform for device in jax.devices()} | {"cpu"})
        raise ValueError(f"no device {kind!r} here; there is: {', '.join(kinds)}") from None
    if not 1 <= model <= len(present):
        raise ValueError(f"--shard-model is {model}; there are {len(present)} devices to share a layer")
    alone = jax.process_count() == 1
    if count is None and alone:  # as many as can share a batch evenly
        groups = range(len(present) // model, 0, -1)
        count = next((group for group in groups if batch_size % group == 0), 1) * model
    elif count is None:
        count = len(present)
    if not 1 <= count <= len(present) or not (alone or count == len(present)):
        rule = "" if alone else ", and several processes use all of them"
        raise ValueError(f"--devices is {count}; there are {len(present)}{rule}")
    jax.config.update("jax_default_device", jax.local_devices(backend=present[0].platform)[0])
    name = present[0].device_kind
    return name if count == 1 else f"{count} × {name}", make_mesh(present[:count], model)


def split(mesh: Mesh, *axes: str | None) -> NamedSharding:
    """How an array lies that is split along the mesh's axes that are named for its own, and whole along the others."""
    return NamedSharding(mesh, P(*axes))


def place(array: np.ndarray, mesh: Mesh, *axes: str | None) -> jax.Array:
    """An array, of which each process has all, laid on the devices of a mesh as `split` says."""
    return jax.make_array_from_callback(array.shape, split(mesh, *axes), lambda index: array[index])


def place_state(tree: Tree, mesh: Mesh) -> Tree:
    """Parameters, and whatever an optimiser keeps for each of them, on the devices of a mesh.

    Weights (o, i) and biases (o,) are split over the mesh's axis `model` along their first axis that is a multiple of
    it, if there is one.
    """
    model = mesh.shape["model"]

    def place_leaf(leaf: Any) -> jax.Array:
        # Waited for first, so that a computation that failed for want of memory is an error and not the end.
        array = np.asarray(jax.block_until_ready(leaf))
        along = next((axis for axis, size in enumerate(array.shape) if size % model == 0), None)
        return place(array, mesh, *([None] * along + ["model"] if along is not None and model > 1 else []))

    return jax.tree.map(place_leaf, tree)


def whole(tree: Tree) -> Tree:
    """The same values where each process has all of them; a collective operation where one has not."""

    def gather(leaf: Any) -> Any:
        if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable or leaf.is_fully_replicated:
            return leaf
        return multihost_utils.process_allgather(leaf, tiled=True)

    return jax.tree.map(gather, tree)


def is_first_process() -> bool:
    """Whether this process is the only one, or the one of several that writes."""
    return jax.process_index() == 0


def agree(*numbers: int) -> tuple[int, ...]:
    """The largest of each number over all processes, which all have to call this together."""
    if jax.process_count() == 1:
        return numbers
    return tuple(int(number) for number in multihost_utils.process_allgather(np.array(numbers)).max(axis=0))


def join_processes(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Make this process one of several that train together; without arguments, if the cluster says that it is one.

    `coordinator` is HOST:PORT where process 0 listens. Which clusters say so themselves is JAX's to know: SLURM, Open
    MPI, Kubernetes, TPU pods (https://docs.jax.dev/en/latest/multi_process.html). Raises ValueError for arguments that
    do not go together and where the others are not met in time.
    """
    if processes == 1:
        return  # alone, whatever a cluster says: in an interactive session there, for instance
    given = (coordinator, processes, process)
    if given != (None, None, None) and None in given:
        raise ValueError("--coordinator, --processes and --process go together; a cluster that JAX knows needs none")
    if coordinator is not None:
        host, _, port = coordinator.rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 2**16):  # at which JAX would crash
            raise ValueError(f"--coordinator is {coordinator!r}; HOST:PORT is needed, as 10.0.0.1:1234")
    try:
        jax.distributed.initialize(*given, heartbeat_timeout_seconds=HEARTBEAT_SECONDS)
    except ValueError as error:
        if coordinator is not None:
            raise ValueError(f"--coordinator {coordinator}: {error}") from None
        # No cluster: this process is the only one.
    except RuntimeError as error:
        if coordinator is None and "must be called before" in str(error):
            return  # JAX computes already, so it has not been said to be one of several
        raise ValueError(f"the other processes were not met: {str(error).splitlines()[0]}") from None
