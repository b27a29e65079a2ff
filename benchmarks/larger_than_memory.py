"""Train on 1.2 million distorted digits from a file, and on MNIST from a file and from memory: speed, memory, accuracy.

    python benchmarks/larger_than_memory.py [--copies 20] [--folder DIR]

Each training is a process of its own, so that its peak memory is its own; they take turns, round after round, and the
medians are printed. The file of 20 copies takes 1 GB of disk. Peak memory is read as Linux has it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import typer

import jaxnet
from jaxnet.augment import elastic

NETWORKS = [((784, 10, 10), 8, "sgd", 0.1), ((784, 128, 10), 32, "adam", 0.001)]

TRAINING = r"""
import json, re, sys
from pathlib import Path
import jaxnet
path, sizes, batch_size, optimizer, rate, seed, epochs = json.loads(sys.argv[1])
settings = {"epochs": epochs, "batch_size": batch_size, "optimizer": optimizer, "learning_rate": rate, "seed": seed}
trained = list(jaxnet.fit(jaxnet.init_params(seed, sizes), *jaxnet.load_data(path), **settings))
# The peak since the start of this program; getrusage would count what the parent had before.
peak = int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps({
    "rate": trained[-1].examples_per_second,
    "accuracy": trained[-1].test_accuracy,
    "memory": 1024 * peak,
}))
"""


def write_copies(folder: Path, copies: int) -> None:
    """MNIST as .npy files; of the training images, the originals and copies − 1 distortions of each."""
    train, test = jaxnet.load_data()
    folder.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(
        folder / "x_train.npy", "w+", np.uint8, (copies * len(train.labels), train.inputs.shape[1])
    )
    distort = jax.jit(lambda key, inputs: jax.numpy.rint(255 * elastic(key, inputs)).astype(np.uint8))
    size = 10_000
    for start in range(0, len(images), size):
        originals = train.inputs[start % len(train.labels) :][:size]
        images[start : start + size] = (
            originals if start < len(train.labels) else distort(jax.random.key(start), originals)
        )
    np.save(folder / "y_train.npy", np.tile(train.labels, copies))
    np.save(folder / "x_test.npy", test.inputs)
    np.save(folder / "y_test.npy", test.labels)


def train(path: Path | None, network: tuple, seed: int, epochs: int) -> dict[str, float]:
    task = json.dumps([path and str(path), *network, seed, epochs])
    run = subprocess.run([sys.executable, "-c", TRAINING, task], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def main(
    copies: Annotated[int, typer.Option(help="How many times MNIST's training set the large file has.")] = 20,
    rounds: Annotated[int, typer.Option(help="Trainings of each kind, with a seed of its own.")] = 5,
    folder: Annotated[str | None, typer.Option(help="Where the files go.", show_default="a temporary folder")] = None,
) -> None:
    """Print examples/s, peak memory and test accuracy of each."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(folder or temporary)
        once, many = root / "once", root / "many"
        write_copies(once, 1)
        write_copies(many, copies)
        print(f"{'':34}{'examples/s':>12}{'of in memory':>14}{'peak memory':>13}{'test accuracy':>20}")
        for network in NETWORKS:
            kinds = {
                "MNIST in memory": (None, 4),
                "MNIST from a file": (once, 4),
                f"{copies} times MNIST from a file": (many, 1),
            }
            results: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
            for seed in range(rounds):
                for kind, (path, epochs) in kinds.items():
                    results[kind].append(train(path, network, seed, epochs))
            print(f"{'-'.join(map(str, network[0]))}, batch {network[1]}, {network[2]}")
            reference = statistics.median(result["rate"] for result in results["MNIST in memory"])
            for kind, found in results.items():
                rate = statistics.median(result["rate"] for result in found)
                memory = statistics.median(result["memory"] for result in found)
                accuracies = [100 * result["accuracy"] for result in found]
                shown = f"{statistics.mean(accuracies):.2f} % ({min(accuracies):.2f}–{max(accuracies):.2f})"
                print(f"  {kind:32}{rate:12,.0f}{rate / reference:14.2f}{memory / 1e6:10.0f} MB{shown:>24}")


if __name__ == "__main__":
    typer.run(main)
