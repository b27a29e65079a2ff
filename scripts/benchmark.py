"""Measure jaxnet beside what its users would otherwise use: `python scripts/benchmark.py [SECTION…] [--json]`.

Contenders of a section take turns, round after round, so that a noisy neighbour disturbs all alike; the median
is reported with the quartiles, and the ratio to jaxnet's median.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import typer

import jaxnet
from jaxnet import training
from jaxnet.data import Dataset, read_csv

# Sizes, batch, and the steps a round takes: some 60 ms each.
SETTINGS = [((784, 10, 10), 8, 3000), ((784, 128, 10), 32, 500), ((784, 512, 512, 10), 128, 40)]

# Seconds before a contender's turn: threads of the last one (OpenBLAS's, say) spin on for a while and would slow it.
PAUSE = 0.3


def take_turns(contenders: dict[str, Callable[[], float]], rounds: int = 9) -> dict[str, list[float]]:
    """Seconds that each contender reports in each round, after one round to warm up."""
    for contender in contenders.values():
        contender()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            time.sleep(PAUSE)
            seconds[name].append(contender())
    return seconds


def timed(action: Callable[[], object], per: int = 1) -> Callable[[], float]:
    """A contender: seconds that the action takes, divided by how many steps it makes."""

    def contender() -> float:
        started = time.perf_counter()
        action()
        return (time.perf_counter() - started) / per

    return contender


def numpy_steps(params, dataset: Dataset, batches: np.ndarray, learning_rate: float = 0.1) -> None:
    """SGD on the squared error as one writes it by hand in NumPy, float32, params changed in place."""
    for batch in batches:
        X = dataset.inputs[batch].astype(np.float32) / 255
        Y = np.zeros((len(batch), len(params[-1][1])), np.float32)
        Y[np.arange(len(batch)), dataset.labels[batch]] = 1
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
            W -= learning_rate * DW
            b -= learning_rate * Db


def measure_step() -> dict[str, dict[str, list[float]]]:
    """A training step, seconds: jaxnet inside an epoch, jaxnet one dispatch a step, NumPy."""
    train, _ = jaxnet.load_data()
    on_device = jax.device_put(train)
    loss, optimizer = jaxnet.make_loss(), jaxnet.make_optimizer()
    results = {}
    for sizes, batch_size, steps in SETTINGS:
        batches = training.epoch_batches(0, 1, len(train.labels), batch_size)[:steps]
        params = jaxnet.init_params(0, sizes)
        by_hand = [(np.array(W), np.array(b)) for W, b in params]
        state = [jaxnet.init_state(params, optimizer), jaxnet.init_state(params, optimizer)]

        def in_epoch(state=state, batches=batches):
            state[0], losses = jaxnet.train_steps(
                state[0], on_device, batches, 0, len(batches), loss=loss, optimizer=optimizer
            )
            losses.block_until_ready()

        def alone(state=state, batches=batches):
            for batch in batches:
                inputs, labels = train.inputs[batch], train.labels[batch]
                state[1], _ = jaxnet.train_step(state[1], inputs, labels, loss=loss, optimizer=optimizer)
            jax.block_until_ready(state[1])

        contenders = {
            "jaxnet, in an epoch": in_epoch,
            "jaxnet, a step at a time": alone,
            "NumPy by hand": lambda params=by_hand, batches=batches: numpy_steps(params, train, batches),
        }
        title = f"training step, {'-'.join(map(str, sizes))}, batch {batch_size}"
        results[title] = take_turns({name: timed(action, steps) for name, action in contenders.items()})
    return results


def measure_csv() -> dict[str, dict[str, list[float]]]:
    """Reading the 60,000 training images from CSV, seconds: jaxnet, and NumPy without any check."""
    train, _ = jaxnet.load_data()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.csv")
        np.savetxt(path, np.column_stack([train.labels, train.inputs]), fmt="%d", delimiter=",")
        contenders = {
            "jaxnet.data.read_csv": lambda: read_csv(path),
            "np.loadtxt": lambda: np.loadtxt(path, dtype=np.uint8, delimiter=","),
        }
        timings = take_turns({name: timed(action) for name, action in contenders.items()}, rounds=5)
        return {"CSV of 60,000 × 785": timings}


def in_new_process(code: str) -> Callable[[], float]:
    """A contender that runs in a Python of its own, first call included; the code sets `seconds`."""

    def contender() -> float:
        run = [sys.executable, "-c", f"{code}\nprint(seconds)"]
        return float(subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()[-1])

    return contender


CHECKING = """
import time
import numpy as np
random = np.random.default_rng(0)
sizes, m = (784, 10, 10), 8
params = [(random.normal(size=(o, i)) / i**0.5, random.normal(size=o)) for i, o in zip(sizes, sizes[1:])]
X, Y = random.random((m, 784)), np.eye(10)[random.integers(10, size=m)]
"""
DIAGNOSE = """
from jaxnet import backprop, diagnose_backprop
given = backprop.backward(params, X, Y)
given[1] = given[1][0], given[1][1].sum()
started = time.perf_counter()
assert diagnose_backprop(params, X, Y, given, loss="squared-error").findings[0].at == "db2"
seconds = time.perf_counter() - started
"""
CHECK_GRADS = """
import jax
from jax.test_util import check_grads
from jaxnet import Layer, network_loss
jax.config.update("jax_enable_x64", True)
params = tuple(Layer(jax.numpy.asarray(W), jax.numpy.asarray(b)) for W, b in params)
started = time.perf_counter()
check_grads(lambda p: network_loss(p, X, Y), (params,), order=1, modes=["rev"])
seconds = time.perf_counter() - started
"""
GRADCHECK = """
import torch
leaves = [torch.tensor(a, requires_grad=True) for pair in params for a in pair]
x, y = torch.tensor(X), torch.tensor(Y)
def loss(W1, b1, W2, b2):
    y_hat = torch.softmax(torch.relu(x @ W1.T + b1) @ W2.T + b2, dim=1)
    return 0.5 * ((y_hat - y) ** 2).sum(dim=1).mean()
started = time.perf_counter()
assert torch.autograd.gradcheck(loss, leaves)
seconds = time.perf_counter() - started
"""


def measure_checking() -> dict[str, dict[str, list[float]]]:
    """Checking a gradient of 784-10-10 at batch 8, first call included, imports not; torch where it is installed."""
    contenders = {
        "jaxnet.diagnose_backprop": in_new_process(CHECKING + DIAGNOSE),
        "jax.test_util.check_grads": in_new_process(CHECKING + CHECK_GRADS),
    }
    if importlib.util.find_spec("torch"):
        contenders["torch.autograd.gradcheck"] = in_new_process(CHECKING + GRADCHECK)
    return {"checking a gradient, 784-10-10, batch 8": take_turns(contenders, rounds=5)}


SECTIONS = {"step": measure_step, "csv": measure_csv, "checking": measure_checking}


def main(
    sections: Annotated[list[str] | None, typer.Argument(help=f"Any of: {', '.join(SECTIONS)}.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every round's seconds, as JSON.")] = False,
) -> None:
    """Print the timings of the sections named, or of all."""
    unknown = set(sections or []) - set(SECTIONS)
    if unknown:
        raise typer.BadParameter(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    results = {}
    for section in sections or SECTIONS:
        results |= SECTIONS[section]()
    if as_json:
        print(json.dumps(results))
        return
    for title, timings in results.items():
        print(f"\n{title}\n{'':28}{'median':>12}{'quartiles':>22}{'ratio':>8}")
        reference = statistics.median(next(iter(timings.values())))
        for name, seconds in timings.items():
            low, median, high = (value * 1e6 for value in statistics.quantiles(seconds, n=4))
            print(f"{name:28}{median:10,.1f}µs{low:11,.1f}–{high:,.1f}µs{median / 1e6 / reference:8.2f}")


if __name__ == "__main__":
    typer.run(main)
