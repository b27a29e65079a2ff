"""Measure jaxnet beside what its users would otherwise use: `python benchmarks/benchmark.py [SECTION…] [--json]`.

Contenders of a section take turns, round after round, so that a noisy neighbour disturbs all alike; the median
is reported with the quartiles, and the ratio to jaxnet's median. Each is in a process of its own (peers.py), which
also gives its peak memory, and so that this one stays small. m examples in a batch, i inputs of a layer, o outputs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import itertools
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from scaling import measure_scaling, scaling_text

BENCHMARKS = Path(__file__).parent

# Sizes, batch, and the steps a round takes: 0.1 to 0.4 s, if jaxnet makes them.
SETTINGS = [
    ((784, 10, 10), 8, 7500),
    ((784, 128, 10), 32, 1500),
    ((784, 512, 512, 10), 128, 100),
    ((784, 1024, 1024, 10), 128, 50),
]

# What a contender is called, its name in peers.py, and the modules and programs it needs.
STEP = [
    ("jaxnet, in an epoch", "jaxnet_in_epoch", []),
    ("jaxnet, a step at a time", "jaxnet_alone", []),
    ("JAX, a step at a time", "jax_loop", []),
    ("NumPy by hand", "numpy_by_hand", []),
    ("C by hand, one thread", "c_by_hand", ["cc"]),
    ("PyTorch, eager", "torch_eager", ["torch"]),
    ("PyTorch, compiled", "torch_compiled", ["torch", "g++"]),
    ("scikit-learn (log loss)", "scikit_learn", ["sklearn"]),
    ("Keras on JAX", "keras_on_jax", ["keras"]),
]
CSV = [
    ("jaxnet.data.read_csv", "csv_jaxnet", []),
    ("np.loadtxt", "csv_numpy", []),
    ("pandas.read_csv", "csv_pandas", ["pandas"]),
    ("polars.read_csv", "csv_polars", ["polars"]),
]
CHECKING = [
    ("jaxnet.diagnose_backprop", "check_with_jaxnet", []),
    ("jax.test_util.check_grads", "check_with_jax", []),
    ("torch.autograd.gradcheck", "check_with_torch", ["torch"]),
]
# Here the name is that of a script in shell/.
SHELL = [
    ("JAX, a step at a time", "jax_loop", []),
    ("NumPy by hand", "numpy_by_hand", []),
    ("PyTorch, eager", "torch_eager", ["torch"]),
    ("scikit-learn", "scikit_learn", ["sklearn"]),
    ("Keras on JAX", "keras_on_jax", ["keras"]),
]
# 97.7 % or more on each of ten seeds. Batches of 64 or 32, in two epochs, take as long: most of it is the start.
JAXNET_TRAIN = "--hidden 128 --loss cross-entropy --optimizer adam --learning-rate 0.01 --batch-size 128 --epochs 3"

WIDTHS = (64, 128, 256, 512, 1024, 2048)
DEPTHS = (1, 2, 4, 6, 8)
BATCH_SIZES = (8, 32, 128, 512, 1024)
EXAMPLES = (7_500, 15_000, 30_000, 60_000)

# Seconds before a contender's turn: threads of the last one (OpenBLAS's, say) spin on for a while and would slow it.
PAUSE = 0.3


class Measured(NamedTuple):
    """One round of one contender."""

    seconds: float
    peak_bytes: int  # the most memory that its process has taken so far
    accuracy: float | None = None  # on the test set, where it trains to one


Contender = Callable[[], Measured]
Row = dict[str, Any]  # seconds of all rounds, peak_bytes, and what else is known of a contender


def take_turns(contenders: dict[str, Contender], rounds: int = 5) -> dict[str, Row]:
    """What each contender measures in each round, after one round to warm up."""
    for contender in contenders.values():
        contender()
    measured: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            time.sleep(PAUSE)
            measured[name].append(contender())
    return {name: _row(turns) for name, turns in measured.items()}


def _row(turns: list[Measured]) -> Row:
    row = {"seconds": [turn.seconds for turn in turns], "peak_bytes": max(turn.peak_bytes for turn in turns)}
    accuracies = [turn.accuracy for turn in turns if turn.accuracy is not None]
    return row | ({"accuracies": accuracies} if accuracies else {})


@contextmanager
def waiting(calls: dict[str, tuple]) -> Iterator[dict[str, Contender]]:
    """Contenders from calls of peers.py (its function, then the arguments), each in a process that waits for turns."""
    processes = {name: _start(*call) for name, call in calls.items()}
    try:
        for process in processes.values():
            _answer(process)
        yield {name: partial(_ask, process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.communicate()


def in_new_process(*call: Any) -> Contender:
    """A contender whose every round is the first one of a new process, imports and preparation not counted."""

    def contender() -> Measured:
        with waiting({"": call}) as contenders:
            return contenders[""]()

    return contender


def _start(function: str, *arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, str(BENCHMARKS / "peers.py"), function, json.dumps(arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(process: subprocess.Popen[str]) -> Measured:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return Measured(*json.loads(_answer(process)))


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args} ended before its turn; what it wrote is above")
    return line


def from_the_shell(*command: str) -> Contender:
    """A contender that is a command, from its start to its end; it is given another seed in each round."""
    seeds = itertools.count()

    def contender() -> Measured:
        started = time.perf_counter()
        process = subprocess.Popen([*command, str(next(seeds))], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)  # as wait(), with the memory that it took
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{process.args} failed; what it wrote is above")
        peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Measured(seconds, peak_bytes, float(re.findall(r"([0-9.]+) ?%", output)[-1]) / 100)

    return contender


def present(table: list[tuple[str, str, list[str]]]) -> dict[str, str]:
    """The contenders of a table that can run here, by what they are called."""
    return {title: name for title, name, needs in table if not _missing(needs)}


def _missing(needs: list[str]) -> list[str]:
    return [need for need in needs if not (importlib.util.find_spec(need) or shutil.which(need))]


def measure_step() -> dict[str, dict[str, Row]]:
    """A training step, and the seconds that this machine could make it in."""
    results = {}
    for sizes, batch_size, steps in SETTINGS:
        calls = {title: ("step", name, sizes, batch_size, steps) for title, name in present(STEP).items()}
        rows = take_steps(calls)
        for row in rows.values():
            row["limit_seconds"] = limit_seconds(sizes, batch_size)
        results[f"training step, {'-'.join(map(str, sizes))}, batch {batch_size}"] = rows
    return results


def take_steps(calls: dict[str, tuple]) -> dict[str, Row]:
    """Rows of calls of peers.py's `step`, seconds a step."""
    with waiting(calls) as contenders:
        rows = take_turns(contenders, rounds=5)
    for title, (_, _, _, _, steps, *_) in calls.items():
        rows[title]["seconds"] = [seconds / steps for seconds in rows[title]["seconds"]]
    return rows


def measure_shell() -> dict[str, dict[str, Row]]:
    """From the shell to a network 784-128-10 that is right about 97.5 % of the test set."""
    jaxnet = shutil.which("jaxnet", path=Path(sys.executable).parent) or "jaxnet"
    contenders = {"jaxnet train": from_the_shell(jaxnet, "train", *JAXNET_TRAIN.split(), "--seed")}
    for title, name in present(SHELL).items():
        contenders[title] = from_the_shell(sys.executable, str(BENCHMARKS / "shell" / f"{name}.py"))
    return {"from the shell to 97.5 %, 784-128-10": take_turns(contenders)}


def measure_csv() -> dict[str, dict[str, Row]]:
    """Reading the 60,000 training images from CSV; no one but jaxnet says where a fault is."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "train.csv"))
        in_new_process("write_csv", path)()
        with waiting({title: (name, path) for title, name in present(CSV).items()}) as contenders:
            return {"CSV of 60,000 × 785": take_turns(contenders)}


def measure_checking() -> dict[str, dict[str, Row]]:
    """Checking a gradient of 784-10-10 at batch 8, first call included, imports not."""
    contenders = {title: in_new_process(name) for title, name in present(CHECKING).items()}
    return {"checking a gradient, 784-10-10, batch 8": take_turns(contenders)}


def flops(sizes: tuple[int, ...], m: int) -> int:
    """Of a step: 2 m i o for each layer's Z, DW and DX, of which the first layer needs no DX."""
    return 6 * m * _weights(sizes) - 2 * m * sizes[0] * sizes[1]


def bytes_moved(sizes: tuple[int, ...], m: int) -> int:
    """The least that a step reads and writes: parameters are read by the forward pass, read and written by the
    backward pass, which can add a gradient to them where it arises; pixels, of a byte, and the float32 values of the
    layers are written or read by the forward pass and read by the backward pass. 12 (Σ i o + o) + 2 m i₁ + 8 m Σ o.
    """
    return 12 * (_weights(sizes) + sum(sizes[1:])) + 2 * m * sizes[0] + 8 * m * sum(sizes[1:])


def _weights(sizes: tuple[int, ...]) -> int:
    return sum(i * o for i, o in itertools.pairwise(sizes))


@cache
def measure_limits() -> dict[str, dict[str, float]]:
    """What this machine can do: float32 operations a second of products of square matrices, the best of NumPy, JAX
    and PyTorch; and bytes read and written a second by all cores streaming through so many bytes, from cache to memory.
    """
    libraries = [name for name in ("numpy", "jax", "torch") if importlib.util.find_spec(name)]
    products = list(itertools.product(libraries, (1024, 2048, 4096)))
    with waiting({f"{library} {size}": ("multiply", library, size) for library, size in products}) as contenders:
        rows = take_turns(contenders, rounds=3)
    rates = {f"{name} {size}": 2 * size**3 / min(rows[f"{name} {size}"]["seconds"]) for name, size in products}
    total = 2**30
    with waiting({str(2**k): ("stream", 2**k, total) for k in range(15, 29, 2)}) as contenders:
        rows = take_turns(contenders, rounds=3)
    return {
        "flops_per_second": rates,
        "bytes_per_second": {size: total / min(row["seconds"]) for size, row in rows.items()},
    }


def limit_seconds(sizes: tuple[int, ...], m: int) -> float:
    """The least time for a step: all of its operations at the peak rate, or all of its bytes at the bandwidth of a
    memory that holds parameters and batch, whichever takes longer.
    """
    limits = measure_limits()
    held = 4 * (_weights(sizes) + m * sum(sizes))
    rates = {int(size): rate for size, rate in limits["bytes_per_second"].items()}
    bandwidth = rates[min((size for size in rates if size >= held), default=max(rates))]
    return max(flops(sizes, m) / max(limits["flops_per_second"].values()), bytes_moved(sizes, m) / bandwidth)


def measure_growth() -> dict[str, dict[str, Row]]:
    """How jaxnet's step grows with width, depth and batch size, and its epoch with the number of examples."""
    families = {
        "step, by width of the hidden layer, batch 32": {n: ((784, n, 10), 32) for n in WIDTHS},
        "step, by number of hidden layers of 256, batch 32": {n: ((784, *[256] * n, 10), 32) for n in DEPTHS},
        "step, by batch size, 784-128-10": {n: ((784, 128, 10), n) for n in BATCH_SIZES},
    }
    results = {}
    for title, points in families.items():
        calls = {}
        for n, (sizes, m) in points.items():
            steps = min(60_000 // m, math.ceil(0.06 * 40e9 / flops(sizes, m)))  # some 60 ms, at most an epoch
            calls[str(n)] = ("step", "jaxnet_in_epoch", sizes, m, steps)
        results[title] = take_steps(calls)
    calls = {str(n): ("step", "jaxnet_in_epoch", (784, 128, 10), 32, n // 32, n) for n in EXAMPLES}
    with waiting(calls) as contenders:
        results["epoch, by number of examples, 784-128-10, batch 32"] = take_turns(contenders)
    return results


def slope(rows: dict[str, Row]) -> float:
    """The k of time ∝ sizeᵏ: the slope of log time over log size, by least squares."""
    medians = [statistics.median(row["seconds"]) for row in rows.values()]
    return statistics.linear_regression([math.log(int(n)) for n in rows], [math.log(t) for t in medians]).slope


def machine() -> dict[str, Any]:
    """What was measured on what."""
    names = ("jax", "numpy", "torch", "scikit-learn", "keras", "pandas", "polars")
    installed = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
    versions = {name: installed[name] for name in names if name in installed}
    return {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(), **versions}


def print_table(title: str, rows: dict[str, Row]) -> None:
    """Medians with quartiles, the ratio to the first row's median, and what else is known of the contenders."""
    reference = statistics.median(next(iter(rows.values()))["seconds"])
    unit, scale = _unit(reference)
    columns = {"median": 14, "quartiles": 22, "ratio": 8, "memory": 10}
    extra = {"limit_seconds": "of limit", "accuracies": "accuracy"}
    columns |= {name: 10 for key, name in extra.items() if key in next(iter(rows.values()))}
    print(f"\n{title}\n{'':26}" + "".join(f"{name:>{width}}" for name, width in columns.items()))
    for name, row in rows.items():
        low, median, high = statistics.quantiles(row["seconds"], n=4)
        cells = {
            "median": f"{median * scale:,.1f} {unit}",
            "quartiles": f"{low * scale:,.1f}–{high * scale:,.1f} {unit}",
            "ratio": f"{median / reference:.2f}",
            "memory": f"{row['peak_bytes'] / 2**20:,.0f} MiB",
            "of limit": f"{row['limit_seconds'] / median:.0%}" if "limit_seconds" in row else "",
            "accuracy": f"≥ {min(row['accuracies']):.1%}" if "accuracies" in row else "",
        }
        print(f"{name:26}" + "".join(f"{cells[column]:>{width}}" for column, width in columns.items()))


def print_growth(title: str, rows: dict[str, Row]) -> None:
    """The points of one family, and their slope."""
    medians = {n: statistics.median(row["seconds"]) for n, row in rows.items()}
    unit, scale = _unit(min(medians.values()))
    print(f"\n{title}: time ∝ size^{slope(rows):.2f}")
    print("".join(f"{int(n):>12,}" for n in medians))
    print("".join(f"{f'{median * scale:,.1f} {unit}':>12}" for median in medians.values()))


def print_limits(limits: dict[str, dict[str, float]]) -> None:
    print("\nlimits of this machine")
    for name, rate in limits["flops_per_second"].items():
        library, size = name.split()
        print(f"{f'{library}, product of {size} × {size}':36}{rate / 1e9:10,.0f} GFLOP/s")
    for size, rate in limits["bytes_per_second"].items():
        print(f"{f'reading and writing {int(size) >> 10:,} KiB':36}{rate / 1e9:10,.0f} GB/s")


def _unit(seconds: float) -> tuple[str, float]:
    """The unit that shows such a time in front of the decimal point, and how many there are in a second."""
    units = (("s", 1.0), ("ms", 1e3), ("µs", 1e6))
    return next((unit for unit in units if seconds * unit[1] >= 1), units[-1])


SECTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "limits": measure_limits,
    "step": measure_step,
    "shell": measure_shell,
    "checking": measure_checking,
    "csv": measure_csv,
    "growth": measure_growth,
}


def main(
    sections: Annotated[list[str] | None, typer.Argument(help=f"Any of: {', '.join(SECTIONS)}.")] = None,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="What many devices cost and bring, and that alone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every round's seconds, as JSON.")] = False,
) -> None:
    """Print the timings of the sections named, or of all."""
    if scaling:
        measured = measure_scaling()
        print(json.dumps({"machine": machine()} | measured) if as_json else scaling_text(measured))
        return
    unknown = set(sections or []) - set(SECTIONS)
    if unknown:
        raise typer.BadParameter(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    left_out = sorted(
        {need for table in (STEP, SHELL, CHECKING, CSV) for *_, needs in table for need in _missing(needs)}
    )
    if left_out:
        print(f"left out: {', '.join(left_out)} not found; pip install -e '.[bench]'", file=sys.stderr)
    results: dict[str, Any] = {"machine": machine(), "left_out": left_out}
    for section in SECTIONS:
        # A step's limit comes of the machine's limits, which are measured once.
        if not sections or section in sections or (section == "limits" and "step" in sections):
            results[section] = SECTIONS[section]()
    if as_json:
        slopes = {title: slope(rows) for title, rows in results.get("growth", {}).items()}
        print(json.dumps(results | ({"slopes": slopes} if slopes else {})))
        return
    print(", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    if "limits" in results:
        print_limits(results["limits"])
    for section in ("step", "shell", "checking", "csv"):
        for title, rows in results.get(section, {}).items():
            print_table(title, rows)
    for title, rows in results.get("growth", {}).items():
        print_growth(title, rows)


if __name__ == "__main__":
    typer.run(main)
