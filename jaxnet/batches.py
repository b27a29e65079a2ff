"""Which examples each step of an epoch takes, and how they come to the devices that compute it.

n examples, m of them in a batch, i inputs of an example. The order is a function of (seed, epoch), one for data in
memory and another for data in a file; how many devices or processes there are does not matter to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from jaxnet.data import Dataset, read_rows
from jaxnet.devices import place, split

WINDOW_BYTES = 2**24  # of inputs that are read from a file at a time
BLOCK = 64  # examples that lie side by side in a file and are read together


class Part(NamedTuple):
    """Steps first … stop − 1 of an epoch, counted from 0, with their examples on the devices.

    Row k of `batches` (stop − first or more, m) has the numbers of the examples of step first + k. Without
    batches, the examples come step by step: inputs (stop − first or more, m, i), labels (…, m).
    """

    epoch: int  # from 1
    first: int
    stop: int
    dataset: Dataset
    batches: jax.Array | None


def epoch_batches(seed: int, epoch: int, examples: int, batch_size: int) -> np.ndarray:
    """The examples' numbers of each batch of an epoch: (steps, m) int32.

    A function of its arguments alone. Each example is used at most once; what does not fill a batch sits out,
    other examples in each epoch. Raises ValueError if not even one batch can be filled.
    """
    steps = count_steps(examples, batch_size)
    return _order(seed, epoch, examples)[: steps * batch_size].reshape(steps, batch_size)


def window_batches(seed: int, epoch: int, examples: int, batch_size: int, first: int, stop: int) -> np.ndarray:
    """The examples' numbers of steps first … stop − 1, a window of an epoch over a file: (stop − first, m).

    A file is read well only where its examples lie side by side. So blocks of it, chosen at random, make a window,
    and the window's examples are shuffled. A function of its arguments alone; the windows of an epoch begin at
    multiples of one length. Memory is taken for one window and for the blocks' order. Each example is used at most
    once in an epoch; what does not fill a batch sits out, and blocks begin elsewhere, in each epoch.
    """
    random = _random(seed, epoch)
    offset, whole = random.integers(examples), examples // BLOCK
    blocks = np.append(random.permutation(whole), whole)  # the last one has fewer examples, so it stays last
    places = np.arange(first * batch_size, stop * batch_size)
    _random(seed, epoch, first).shuffle(places)
    return ((blocks[places // BLOCK] * BLOCK + places % BLOCK + offset) % examples).reshape(-1, batch_size)


def count_steps(examples: int, batch_size: int) -> int:
    """Steps of an epoch. Raises ValueError if not even one batch can be filled."""
    if not 1 <= batch_size <= examples:
        raise ValueError(f"batch size is {batch_size}, but there are {examples} examples")
    return examples // batch_size


def is_streamed(train: Dataset) -> bool:
    """Whether the examples of a step are read when they are needed, and not kept on each device.

    They are where they may not fit into memory, or where each of several processes reads its share alone.
    """
    return isinstance(train.inputs, np.memmap) or jax.process_count() > 1


def on_devices(dataset: Dataset, mesh: Mesh) -> Dataset:
    """The whole of a data set on each device of a mesh."""
    return jax.tree.map(lambda array: place(np.asarray(array), mesh), dataset)


def parts(train: Dataset, mesh: Mesh, *, seed: int, batch_size: int, begun: int, epochs: int) -> Iterator[Part]:
    """All that is trained on, up to the end of the last epoch, from the part that has step `begun` of the run on.

    One part an epoch where the data are on the devices. Where they are streamed, windows of one length: the next is
    read while one is trained on.
    """
    examples, pixels = train.inputs.shape
    steps = count_steps(examples, batch_size)
    first_epoch, begun = begun // steps + 1, begun % steps
    if not is_streamed(train):
        for epoch in range(first_epoch, epochs + 1):
            order = epoch_batches(seed, epoch, examples, batch_size)
            yield Part(epoch, 0, steps, train, place(order, mesh, None, "batch"))
        return

    length = max(1, min(steps, WINDOW_BYTES // (batch_size * pixels)))
    sharding = split(mesh, None, "batch")
    shares = sharding.addressable_devices_indices_map((length, batch_size)).values()
    # The places in a batch that this process's devices need.
    columns = np.unique([np.arange(batch_size)[at[1]] for at in shares if at is not None])

    def read(epoch: int, first: int) -> Part:
        stop = min(first + length, steps)
        if isinstance(train.inputs, np.memmap):
            rows = window_batches(seed, epoch, examples, batch_size, first, stop)
        else:
            rows = epoch_batches(seed, epoch, examples, batch_size)[first:stop]
        # The last window is as long as the others, so that one program does for all; nobody looks at what fills it.
        rows = np.concatenate([rows, np.zeros((length - len(rows), batch_size), rows.dtype)])

        def take(array: np.ndarray) -> jax.Array:
            values = read_rows(array, rows[:, columns])
            return jax.make_array_from_process_local_data(sharding, values, (*rows.shape, *array.shape[1:]))

        return Part(epoch, first, stop, jax.tree.map(take, train), None)

    windows = ((epoch, first) for epoch in range(first_epoch, epochs + 1) for first in range(0, steps, length))
    windows = itertools.islice(windows, begun // length, None)
    with ThreadPoolExecutor(1) as pool:
        being_read = None
        for window in windows:
            following = pool.submit(read, *window)
            if being_read:
                yield being_read.result()
            being_read = following
        if being_read:
            yield being_read.result()


def split_validation(train: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """The training set without a random `fraction` of its examples, and these as a validation set.

    A function of its arguments alone. Of a memory-mapped set the last examples are held out, in memory: one chosen
    at random would tear the file's order apart. Raises ValueError unless each of the two gets an example.
    """
    examples = len(train.labels)
    count = round(fraction * examples) if 0 < fraction < 1 else 0
    if not 0 < count < examples:
        raise ValueError(f"validation is {fraction}; a share between 0 and 1 of the {examples} examples is needed")
    if isinstance(train.inputs, np.memmap):
        last = np.arange(examples - count, examples)
        return Dataset(*(array[:-count] for array in train)), Dataset(*(read_rows(array, last) for array in train))
    held_out = np.zeros(examples, bool)
    held_out[_order(seed, 0, examples)[:count]] = True  # epochs count from 1: this is the order of none
    return Dataset(*(array[~held_out] for array in train)), Dataset(*(array[held_out] for array in train))


def _order(seed: int, epoch: int, examples: int) -> np.ndarray:
    return _random(seed, epoch).permutation(examples).astype(np.int32)


def _random(seed: int, *numbers: int) -> np.random.Generator:
    if seed < 0:
        raise ValueError(f"seed is {seed}; 0 or more is needed")
    return np.random.default_rng((seed, *numbers))
