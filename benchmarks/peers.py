"""What jaxnet is measured against, a function each: it prepares, imports and warm-up included, and returns a round.

`python benchmarks/peers.py FUNCTION ARGUMENTS-AS-JSON` prints `ready`, and then for each line it reads the seconds of
one round and the peak memory of the process so far, in bytes. In a process of its own no contender's threads,
imports or memory touch another's. Libraries are imported where they are used, since none of them need be there.

m examples in a batch, n in the whole set, i inputs of a layer, o outputs.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from jaxnet.data import Dataset, load_data, read_csv

LEARNING_RATE = 0.1

Params: TypeAlias = list[tuple[np.ndarray, np.ndarray]]  # of each layer, weights (o, i) and biases (o,)
Pairs: TypeAlias = Iterable[tuple[Any, Any]]  # the same in a contender's own arrays
Round: TypeAlias = Callable[[], object]


def step(contender: str, sizes: list[int], batch_size: int, steps: int, examples: int = 60_000) -> Round:
    """A round is `steps` steps of a contender on batches of the first `examples` training images."""
    train = Dataset(*(array[:examples] for array in load_data()[0]))
    run = STEPS[contender](*start(sizes, batch_size, steps, examples), train)
    return _with_fastest_threads(run) if contender in ("torch_eager", "torch_compiled") else run


def start(sizes: Sequence[int], batch_size: int, steps: int, examples: int) -> tuple[Params, np.ndarray]:
    """The same parameters and the same batches (steps, m) of examples' numbers for every contender."""
    random = np.random.default_rng(0)
    params = [
        (random.normal(0, (2 / i) ** 0.5, (o, i)).astype(np.float32), np.zeros(o, np.float32))
        for i, o in pairwise(sizes)
    ]
    order = random.permutation(examples)[: steps * batch_size].astype(np.int32)
    return params, order.reshape(steps, batch_size)


# The contenders of `step`: SGD, float32, a hidden layer's activation relu, the squared error ½ Σ (softmax(z) − y)² as
# the mean over examples. Each has the form that is the fastest of those usual for it. A round returns the parameters
# after it.


def jaxnet_in_epoch(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    import jax

    import jaxnet

    loss, optimizer = jaxnet.make_loss(), jaxnet.make_optimizer("sgd", LEARNING_RATE)
    state = jaxnet.init_state(tuple(jaxnet.Layer(*map(jax.numpy.asarray, pair)) for pair in params), optimizer)
    on_device = jax.device_put(train)

    def run():
        nonlocal state
        state, losses = jaxnet.train_steps(state, on_device, batches, 0, len(batches), loss=loss, optimizer=optimizer)
        losses.block_until_ready()
        return state.params

    return run


def jaxnet_alone(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    import jax

    import jaxnet

    loss, optimizer = jaxnet.make_loss(), jaxnet.make_optimizer("sgd", LEARNING_RATE)
    state = jaxnet.init_state(tuple(jaxnet.Layer(*map(jax.numpy.asarray, pair)) for pair in params), optimizer)

    def run():
        nonlocal state
        for batch in batches:
            inputs, labels = train.inputs[batch], train.labels[batch]
            state, _ = jaxnet.train_step(state, inputs, labels, loss=loss, optimizer=optimizer)
        return jax.block_until_ready(state.params)

    return run


def jax_loop(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    """The loop of most JAX tutorials: the step is jitted, and dispatched once a batch."""
    import jax
    import jax.numpy as jnp

    def loss(params, X, Y):
        for W, b in params[:-1]:
            X = jax.nn.relu(X @ W + b)
        W, b = params[-1]
        return 0.5 * jnp.mean(jnp.sum((jax.nn.softmax(X @ W + b) - Y) ** 2, axis=1))

    @partial(jax.jit, donate_argnums=0)
    def update(params, inputs, labels):
        gradients = jax.grad(loss)(params, inputs.astype(jnp.float32) / 255, jax.nn.one_hot(labels, 10))
        return jax.tree.map(lambda parameter, gradient: parameter - LEARNING_RATE * gradient, params, gradients)

    state = [(jnp.asarray(W.T), jnp.asarray(b)) for W, b in params]

    def run():
        nonlocal state
        for batch in batches:
            state = update(state, train.inputs[batch], train.labels[batch])
        jax.block_until_ready(state)
        return ((W.T, b) for W, b in state)

    return run


def numpy_by_hand(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    inputs, targets = _floats(train)
    params = [(W.copy(), b.copy()) for W, b in params]

    def run():
        for batch in batches:
            X, Y = inputs[batch], targets[batch]
            activations = [X]
            for W, b in params[:-1]:
                activations.append(np.maximum(activations[-1] @ W.T + b, 0))
            W, b = params[-1]
            Z = activations[-1] @ W.T + b
            exponentials = np.exp(Z - Z.max(axis=1, keepdims=True))
            Y_hat = exponentials / exponentials.sum(axis=1, keepdims=True)
            DY_hat = Y_hat - Y
            DZ = Y_hat * (DY_hat - (DY_hat * Y_hat).sum(axis=1, keepdims=True)) / len(batch)
            for layer in range(len(params) - 1, -1, -1):
                W, b = params[layer]
                DW, Db = DZ.T @ activations[layer], DZ.sum(axis=0)
                if layer > 0:
                    DZ = (DZ @ W) * (activations[layer] > 0)
                W -= LEARNING_RATE * DW
                b -= LEARNING_RATE * Db
        return params

    return run


def c_by_hand(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    """step.c, by one thread: compiled here, for this machine."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "step.so")
        options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
        subprocess.run(["cc", *options, Path(__file__).with_name("step.c"), "-o", library, "-lm"], check=True)
        train_in_c = ctypes.CDLL(str(library)).train

    def padded(size: int) -> int:
        return -(-size // 16) * 16  # LANES in step.c

    def pointer(array: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    def pointers(arrays: list[np.ndarray]) -> ctypes.Array:
        return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))

    weights = [np.pad(W, ((0, 0), (0, padded(W.shape[1]) - W.shape[1]))) for W, _ in params]
    biases = [b.copy() for _, b in params]
    widths = [W.shape[1] for W, _ in params]
    sizes = np.array([*widths, len(biases[-1])], np.int32)
    steps, m = batches.shape
    values, errors = ([np.zeros((m, padded(size)), np.float32) for size in sizes] for _ in range(2))

    def run():
        train_in_c(
            *(len(biases), pointer(sizes), pointers(weights), pointers(biases)),
            *(pointer(train.inputs), pointer(train.labels), pointer(batches), steps, m),
            *(ctypes.c_float(LEARNING_RATE), pointers(values), pointers(errors)),
        )
        return ((W[:, :width], b) for W, width, b in zip(weights, widths, biases, strict=True))

    return run


def torch_eager(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    import torch

    inputs, targets = map(torch.from_numpy, _floats(train))
    layers = []
    for W, b in params:
        linear = torch.nn.Linear(W.shape[1], W.shape[0])
        linear.load_state_dict({"weight": torch.from_numpy(W), "bias": torch.from_numpy(b)})
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)

    def run():
        for batch in torch.from_numpy(batches):
            X, Y = inputs[batch], targets[batch]
            loss = 0.5 * ((torch.softmax(model(X), 1) - Y) ** 2).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return ((linear.weight.detach(), linear.bias.detach()) for linear in layers[::2])

    return run


def torch_compiled(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    """The whole step, the choice of the batch and the update included, as one compiled function."""
    import torch

    inputs, targets = map(torch.from_numpy, _floats(train))
    leaves = [torch.from_numpy(array.copy()) for pair in params for array in pair]

    def loss(leaves, X, Y):
        *hidden, (W, b) = zip(leaves[::2], leaves[1::2], strict=True)
        for V, c in hidden:
            X = torch.relu(torch.nn.functional.linear(X, V, c))
        return 0.5 * ((torch.softmax(torch.nn.functional.linear(X, W, b), 1) - Y) ** 2).sum(1).mean()

    @torch.compile
    def update(leaves, batch):
        gradients = torch.func.grad(loss)(leaves, inputs[batch], targets[batch])
        for leaf, gradient in zip(leaves, gradients, strict=True):
            leaf.sub_(gradient, alpha=LEARNING_RATE)

    @torch.no_grad()
    def run():
        for batch in torch.from_numpy(batches):
            update(leaves, batch)
        return zip(leaves[::2], leaves[1::2], strict=True)

    return run


def scikit_learn(params: Params, batches: np.ndarray, train: Dataset) -> Round:
    """MLPClassifier has no squared error for classes: this is the log loss, from weights that it draws itself."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        tuple(len(b) for _, b in params)[:-1],
        solver="sgd",
        alpha=0,
        momentum=0,
        batch_size=batches.shape[1],
        learning_rate_init=LEARNING_RATE,
        max_iter=1,
        warm_start=True,
    )
    inputs, labels = _floats(train)[0][batches.ravel()], train.labels[batches.ravel()]
    warnings.filterwarnings("ignore", message=".*Maximum iterations")
    return lambda: model.fit(inputs, labels)


def keras_on_jax(params: Params, batches: np.ndarray, train: Dataset) -> Callable[[], Pairs]:
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    layers = [keras.layers.Dense(len(b), activation="relu") for _, b in params[:-1]]
    layers.append(keras.layers.Dense(len(params[-1][1]), activation="softmax"))
    model = keras.Sequential([keras.Input((params[0][0].shape[1],)), *layers])
    for layer, (W, b) in zip(layers, params, strict=True):
        layer.set_weights([W.T, b])
    # Its squared error is the mean over the classes, ½ Σ times 2 / o.
    optimizer = keras.optimizers.SGD(LEARNING_RATE * len(params[-1][1]) / 2)
    model.compile(optimizer, "mean_squared_error", jit_compile=True, steps_per_execution=10)
    inputs, targets = (array[batches.ravel()] for array in _floats(train))

    def run():
        model.fit(inputs, targets, batch_size=batches.shape[1], shuffle=False, verbose=0)
        return ((layer.kernel.value.T, layer.bias.value) for layer in layers)

    return run


STEPS: dict[str, Callable[..., Round]] = {
    contender.__name__: contender
    for contender in (
        *(jaxnet_in_epoch, jaxnet_alone, jax_loop, numpy_by_hand, c_by_hand),
        *(torch_eager, torch_compiled, scikit_learn, keras_on_jax),
    )
}


def _floats(train: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Pixels from 0 to 1, (n, i), and one-hot targets, (n, 10), float32."""
    return train.inputs.astype(np.float32) / 255, np.eye(10, dtype=np.float32)[train.labels]


def _with_fastest_threads(run: Round) -> Round:
    """PyTorch's threads help large networks and slow down small ones: take all or one, whichever is faster.

    The first round chooses, when nothing else runs: it is a warm-up, and not counted.
    """
    import torch

    def seconds(threads: int) -> float:
        torch.set_num_threads(threads)
        return min(_timed(run) for _ in range(3))

    @cache
    def choose() -> None:
        run()  # compiles
        torch.set_num_threads(min(os.cpu_count() or 1, 1, key=seconds))

    def run_with_them() -> object:
        choose()
        return run()

    return run_with_them


# Reading a CSV: uint8 arrays of labels (n,) and of pixels (n, i).


def write_csv(path: str) -> Round:
    """The 60,000 training images, the label first."""
    numbers = [str(value) for value in range(256)]
    train, _ = load_data()

    def run():
        with open(path, "w") as file:
            for label, pixels in zip(train.labels, train.inputs, strict=True):
                file.write(f"{label},{','.join([numbers[pixel] for pixel in pixels])}\n")

    return run


def csv_jaxnet(path: str) -> Round:
    return lambda: read_csv(path)


def csv_numpy(path: str) -> Round:
    return lambda: _split(np.loadtxt(path, np.uint8, delimiter=","))


def csv_pandas(path: str) -> Round:
    import pandas

    return lambda: _split(pandas.read_csv(path, header=None, dtype=np.uint8).to_numpy())


def csv_polars(path: str) -> Round:
    import polars

    columns = {f"column_{number}": polars.UInt8 for number in range(1, 786)}
    return lambda: _split(polars.read_csv(path, has_header=False, schema=columns).to_numpy())


def _split(table: np.ndarray) -> Dataset:
    return Dataset(np.ascontiguousarray(table[:, 1:]), table[:, 0].copy())


# Checking a gradient of 784-10-10 at batch 8, the first call included.


def _network_to_check():
    random = np.random.default_rng(0)
    params = [(random.normal(size=(o, i)) / i**0.5, random.normal(size=o)) for i, o in pairwise((784, 10, 10))]
    return params, random.random((8, 784)), np.eye(10)[random.integers(10, size=8)]


def check_with_jaxnet() -> Round:
    """Finds a planted fault, and names it."""
    from jaxnet import backprop, diagnose_backprop

    params, X, Y = _network_to_check()
    given = backprop.backward(params, X, Y)
    given[1] = given[1][0], given[1][1].sum()

    def run():
        assert diagnose_backprop(params, X, Y, given, loss="squared-error").findings[0].at == "db2"

    return run


def check_with_jax() -> Round:
    import jax
    from jax.test_util import check_grads

    from jaxnet import Layer, network_loss

    jax.config.update("jax_enable_x64", True)
    params, X, Y = _network_to_check()
    layers = tuple(Layer(*map(jax.numpy.asarray, pair)) for pair in params)
    x, y = jax.numpy.asarray(X), jax.numpy.asarray(Y)
    return lambda: check_grads(lambda layers: network_loss(layers, x, y), (layers,), order=1, modes=["rev"])


def check_with_torch() -> Round:
    import torch

    params, X, Y = _network_to_check()
    leaves = [torch.tensor(array, requires_grad=True) for pair in params for array in pair]
    x, y = torch.tensor(X), torch.tensor(Y)

    def loss(W1, b1, W2, b2):
        y_hat = torch.softmax(torch.relu(x @ W1.T + b1) @ W2.T + b2, dim=1)
        return 0.5 * ((y_hat - y) ** 2).sum(dim=1).mean()

    def run():
        assert torch.autograd.gradcheck(loss, leaves)

    return run


# What this machine can do.


def multiply(library: str, size: int) -> Round:
    """A product of two square matrices, float32: 2 size³ operations."""
    A, B = np.random.default_rng(0).random((2, size, size), np.float32)
    if library == "jax":
        import jax

        A, B, product = jax.device_put(A), jax.device_put(B), jax.jit(jax.numpy.matmul)
        return lambda: product(A, B).block_until_ready()
    if library == "torch":
        import torch

        A, B = torch.from_numpy(A), torch.from_numpy(B)
    return lambda: A @ B


def stream(size: int, total: int) -> Round:
    """Reads and writes `total` bytes by adding to an array and writing the sums into another, on all cores.

    The arrays are `size` bytes together, and are gone through again and again: inside of one call, by rows that all
    lie at the same place, so that calls cost nothing even where the arrays are small.
    """
    threads = os.cpu_count() or 1
    length = size // (8 * threads)
    rows = max(1, total // size)
    pairs = [[np.ones(length, np.float32) for _ in range(2)] for _ in range(threads)]
    views = [[np.lib.stride_tricks.as_strided(array, (rows, length), (0, 4)) for array in pair] for pair in pairs]
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(lambda pair: np.add(pair[0], 1, out=pair[1]), views))


def _timed(run: Round) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    name, arguments = sys.argv[1:]
    run = globals()[name](*json.loads(arguments))
    print("ready", flush=True)
    for _ in sys.stdin:
        if name == "step":
            run()  # wakes cores and threads that slept while others had their turns: a step is measured in full swing
        seconds = _timed(run)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        print(json.dumps([seconds, peak]), flush=True)


if __name__ == "__main__":
    main()
