"""Checkpoints: all that training needs to go on at the very step, in a file that other programs can open.

A checkpoint is a safetensors file. Its tensors are named as those of a torch.nn.Sequential, layers.0.weight (o, i)
and layers.0.bias (o,); the optimiser's are optimizer.<path>; and where training would return to its best
parameters, these are best.0.weight and so on. Settings (with the seed) and step are JSON in its metadata, `jaxnet`.

i inputs and o outputs of a layer.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.network import Layer, Network, Params
from jaxnet.runs.files import named_errors, parse_object, write_atomically
from jaxnet.runs.folder import CHECKPOINT
from jaxnet.runs.settings import Settings, parse_settings
from jaxnet.training import Progress, TrainState, init_state, make_optimizer

LONGEST_HEADER = 4 * 2**20  # bytes; that of a network of a thousand layers takes a fifth
DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}  # those of training, as safetensors calls them


class Checkpoint(NamedTuple):
    """A run as it stands."""

    settings: Settings
    progress: Progress
    best: Params | None = None  # where patience is set, until the run is finished: then they are the parameters


def load(run: str | Path) -> tuple[Network, Params]:
    """The network of a run and its parameters.

        network, params = jaxnet.load("my-run")
        probabilities = jaxnet.forward(params, images / 255, network.hidden, network.output)  # (m, i) → (m, o)

    Raises ValueError if there is no such run, or its checkpoint is damaged.
    """
    settings, progress, _ = read_checkpoint(run)
    return Network(settings.sizes, settings.activation, settings.output, settings.loss), progress.state.params


def save_checkpoint(folder: str | Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a run, in the place of the one before."""
    from safetensors.numpy import save

    settings, (state, loss_sum), best = checkpoint
    tree = _tree(state, best)
    tensors = dict(zip(_names(tree), (np.asarray(leaf, order="C") for leaf in jax.tree.leaves(tree)), strict=True))
    about: dict[str, Any] = {"settings": settings._asdict(), "step": int(state.step), "loss_sum": loss_sum}
    about["sha256"] = _digest(about, tensors)
    # In one entry, as safetensors writes several in random order, and equal checkpoints are to be equal files.
    write_atomically(Path(folder, CHECKPOINT), save(tensors, {"jaxnet": json.dumps(about)}))


def read_checkpoint(folder: str | Path) -> Checkpoint:
    """The checkpoint of a run.

    Whatever the file claims is compared with its size, and with what its settings imply, before memory is taken
    for it. Raises ValueError if it is missing or damaged, or not what jaxnet writes.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(folder, CHECKPOINT)
    with named_errors(path):
        if not path.parent.is_dir():
            raise ValueError(f"{folder}: no such run")
        with open(path, "rb") as file:
            header, size = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno()).st_size
    if header > min(LONGEST_HEADER, size - 8):
        raise ValueError(f"{path}: {size:,} bytes, of which the header claims {header:,}; it is cut off or damaged")
    try:
        with safe_open(path, framework="numpy") as file:
            about, names = parse_object(path, (file.metadata() or {}).get("jaxnet", "")), set(file.keys())
            settings = parse_settings(path, about.get("settings"))
            expected = _expected(path, settings, names, size)
            wanted = dict(zip(_names(expected), jax.tree.leaves(expected), strict=True))
            for name in sorted(wanted.keys() ^ names):
                problem = "is missing" if name in wanted else "does not belong to such a network"
                raise ValueError(f"{path}: tensor {name[:60]} {problem}")
            for name, leaf in wanted.items():
                part = file.get_slice(name)
                found, needed = (part.get_dtype(), tuple(part.get_shape())), (DTYPES[leaf.dtype], leaf.shape)
                if found != needed:
                    raise ValueError(f"{path}: tensor {name} is {found}; {needed} is needed")
            tensors = {name: file.get_tensor(name) for name in wanted}
    except SafetensorError as error:
        raise ValueError(f"{path}: damaged or no checkpoint ({error})") from None
    step, loss_sum = about.get("step"), about.get("loss_sum")
    if not (type(step) is int and 0 <= step < 2**31 and type(loss_sum) is float):
        raise ValueError(f"{path}: step is {step!r:.60} and loss_sum {loss_sum!r:.60}; the file is damaged")
    if about.pop("sha256", None) != _digest(about, tensors):
        raise ValueError(f"{path}: its content is not what was saved; the file is damaged")
    tree = jax.tree.unflatten(jax.tree.structure(expected), map(jnp.asarray, tensors.values()))
    state = TrainState(_layers(tree["layers"]), tree["optimizer"], jnp.int32(step))
    best = _layers(tree["best"]) if "best" in tree else None
    return Checkpoint(settings, Progress(state, loss_sum), best)


def _tree(state: TrainState, best: Params | None) -> dict[str, Any]:
    """A checkpoint's tensors, as a tree whose paths are their names."""

    def layers(params: Params) -> list[dict[str, Any]]:
        return [{"weight": layer.weights, "bias": layer.biases} for layer in params]

    tree: dict[str, Any] = {"layers": layers(state.params), "optimizer": state.optimizer_state}
    return tree if best is None else tree | {"best": layers(best)}


def _layers(layers: list[dict[str, jax.Array]]) -> Params:
    return tuple(Layer(layer["weight"], layer["bias"]) for layer in layers)


def _names(tree: Any) -> list[str]:
    """layers.0.weight and so on, in the order of the tree's leaves."""
    paths = jax.tree_util.tree_leaves_with_path(tree)
    return [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]


def _expected(path: Path, settings: Settings, names: set[str], size: int) -> Any:
    """The tree of shapes and types that the settings imply; nothing is allocated, however large they are."""
    layers = list(pairwise(settings.sizes))
    if 2 * len(layers) > len(names) or sum(4 * o * (i + 1) for i, o in layers) > size:
        raise ValueError(f"{path}: {size:,} bytes are too few for layers of sizes {list(settings.sizes)!r:.60}")
    shape = partial(jax.ShapeDtypeStruct, dtype=np.float32)
    params: Any = tuple(Layer(shape((o, i)), shape((o,))) for i, o in layers)  # type: ignore[arg-type]
    try:
        optimizer = make_optimizer(settings.optimizer, settings.learning_rate, settings.schedule)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    state = jax.eval_shape(partial(init_state, optimizer=optimizer), params)
    return _tree(state, params if "best.0.weight" in names else None)


def _digest(about: dict[str, Any], tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over all of a checkpoint, since safetensors would not notice a flipped bit."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].data)
    return digest.hexdigest()
