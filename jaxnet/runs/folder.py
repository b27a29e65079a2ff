"""The folder of a run: what is in it, read and written without JAX.

run.json                what was asked for: settings, data and its digest; and where: versions, device
metrics.jsonl           what came of it, a line an epoch
checkpoint.safetensors  where it stands (checkpoint.py)
*.png                   pictures of it (plots.py)
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jaxnet.data import Dataset, load_data, read_rows
from jaxnet.runs.files import named_errors, parse_object, write_atomically
from jaxnet.runs.settings import Settings, parse_settings

RUN, METRICS, CHECKPOINT = "run.json", "metrics.jsonl", "checkpoint.safetensors"
PICTURES = ("curves.png", "confusion.png", "mistakes.png", "weights.png")
LONGEST_RUN = 2**20  # bytes of a run.json, a thousand times what it takes
DIGEST_ROWS = 2**15  # of a file that may not fit into memory

Metrics = dict[str, Any]  # an epoch's line in metrics.jsonl


def new_record(settings: Settings, path: str | None, train: Dataset, test: Dataset, device: str) -> dict[str, Any]:
    """What run.json says of a run that is trained with these settings and data, read from `path`, on this device."""
    if path is not None:  # one file or two; it is to hold in another folder too
        path = ",".join(map(os.path.abspath, [path] if os.path.exists(path) else path.split(",")))
    data = {"path": path, "sha256": data_digest(train, test)}
    return {"settings": settings._asdict(), "data": data, "device": device, "versions": versions()}


def create_run(folder: str | Path, record: dict[str, Any], *, overwrite: bool) -> None:
    """Make a folder a run by its run.json, a `new_record`; `overwrite` removes the run that was there.

    Raises ValueError if there is a run that may not be overwritten, or the folder cannot be written.
    """
    with named_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with locked(folder):
            for path in check_absent(folder, overwrite=overwrite):
                path.unlink()
            clear(folder)
            write_atomically(Path(folder, RUN), (json.dumps(record, indent=2) + "\n").encode())


def check_absent(folder: str | Path, *, overwrite: bool) -> list[Path]:
    """The files of the run that is in a folder. Raises ValueError if there are any that may not be overwritten."""
    present = [path for name in (RUN, METRICS, CHECKPOINT, *PICTURES) if (path := Path(folder, name)).exists()]
    if present and not overwrite:
        raise ValueError(f"{folder}: holds a run already; go on with it by --resume, or replace it by --overwrite")
    return present


def read_run(folder: str | Path) -> tuple[Settings, dict[str, Any]]:
    """The settings of a run, and all of its run.json. Raises ValueError if there is none, or it is damaged."""
    path = Path(folder, RUN)
    with named_errors(path):
        if not path.exists():
            raise ValueError(f"{folder}: {'holds no run.json' if path.parent.is_dir() else 'no such run'}")
        if path.stat().st_size > LONGEST_RUN:
            raise ValueError(f"{path}: {path.stat().st_size:,} bytes are too many; the file is damaged")
        record = parse_object(path, path.read_bytes())
    match record:
        case {
            "settings": dict(settings),
            "data": {"path": str() | None, "sha256": str()},
            "device": str(),
            "versions": dict(),
        }:
            return parse_settings(path, settings), record
    raise ValueError(f"{path}: lacks settings, data, device or versions as jaxnet writes them; the file is damaged")


def check_data(record: dict[str, Any], path: str | None, train: Dataset, test: Dataset) -> None:
    """Raise ValueError unless the data, read from `path`, are those that the run of a run.json was trained with."""
    found, wanted = data_digest(train, test), record["data"]["sha256"]
    if found != wanted:
        raise ValueError(
            f"{path or 'MNIST'}: not the data that the run was trained with; "
            f"their SHA-256 is {found[:12]}…, the run's {wanted[:12]}…"
        )


def read_test_set(folder: str | Path) -> Dataset:
    """The test set of a run, from where it was read in training. Raises ValueError if other data are there now."""
    settings, record = read_run(folder)
    path = record["data"]["path"]
    train, test = load_data(path, settings.sizes[-1])
    check_data(record, path, train, test)
    return test


def versions() -> dict[str, str]:
    """What a run's bits depend on, beside settings, data and device."""
    from importlib.metadata import version  # takes its time to import

    packages = ("jaxnet", "jax", "jaxlib", "numpy", "optax")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def data_digest(train: Dataset, test: Dataset) -> str:
    """SHA-256 over the arrays with their shapes, in hexadecimal; of memory-mapped ones, over evenly spaced examples."""
    digest = hashlib.sha256()
    for array in (*train, *test):
        digest.update(f"{array.shape} {array.dtype}\n".encode())
        if isinstance(array, np.memmap):
            array = read_rows(array, np.linspace(0, len(array) - 1, min(len(array), DIGEST_ROWS), dtype=int))
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def read_metrics(folder: str | Path, settings: Settings, epochs: int | None = None) -> list[Metrics]:
    """The metrics of the first `epochs`, or of all that are there.

    A last line that was cut off is none. Raises ValueError for any other damage, with the line.
    """
    path = Path(folder, METRICS)
    with named_errors(path):
        content = path.read_bytes() if path.exists() else b""
    names = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    names += ["validation_loss", "validation_accuracy"] if settings.validation else []
    metrics = []
    for number, text in enumerate(content.split(b"\n")[:-1][:epochs], start=1):
        line = parse_object(f"{path}: line {number}", text)
        if line.get("epoch") != number or not all(type(line.get(name)) in (int, float) for name in names):
            raise ValueError(f"{path}: line {number} is not of epoch {number}, or lacks one of {', '.join(names)}")
        metrics.append(line)
    return metrics


def append_metrics(folder: str | Path, line: Metrics) -> None:
    """Add an epoch's line. Raises ValueError where it cannot be written."""
    path = Path(folder, METRICS)
    with named_errors(path), open(path, "ab") as file:
        file.write(_to_json(line))
        file.flush()
        os.fsync(file.fileno())


def cut_metrics(folder: str | Path, metrics: list[Metrics]) -> None:
    """Have a run's metrics be these alone, whatever a kill has left behind of others."""
    path, lines = Path(folder, METRICS), b"".join(map(_to_json, metrics))
    with named_errors(path):
        if path.exists() and path.read_bytes() != lines:
            write_atomically(path, lines)


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Keep other processes off a run. The system takes the lock away from a process that ends, however it does."""
    try:
        import fcntl
    except ImportError:  # there is none on Windows
        yield
        return
    with named_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(f"{folder}: another process is training this run") from None
    except OSError:  # a file system that has no locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)


def clear(folder: str | Path) -> None:
    """Remove the temporary files that a killed process left behind."""
    for name in (RUN, METRICS, CHECKPOINT, *PICTURES):
        for leftover in Path(folder).glob(f".{name}.*.tmp"):
            leftover.unlink()


def _to_json(line: Metrics) -> bytes:
    return json.dumps(line, allow_nan=False).encode() + b"\n"
