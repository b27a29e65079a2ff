"""Runs: training that is saved as it goes, and goes on where it stopped.

A run is a folder:
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
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from jaxnet.batches import count_steps, on_devices, split_validation
from jaxnet.data import Dataset, read_rows
from jaxnet.devices import agree, make_mesh, whole
from jaxnet.network import Params, init_params
from jaxnet.runs.checkpoint import (
    CHECKPOINT,
    Checkpoint,
    Settings,
    named_errors,
    parse_object,
    parse_settings,
    read_checkpoint,
    save_checkpoint,
    write_atomically,
)
from jaxnet.training import Progress, evaluate, fit, learning_rate_at

RUN, METRICS = "run.json", "metrics.jsonl"
PICTURES = ("curves.png", "confusion.png", "mistakes.png", "weights.png")
LONGEST_RUN = 2**20  # bytes of a run.json, a thousand times what it takes
DIGEST_ROWS = 2**15  # of a file that may not fit into memory
SAVING_SHARE = 0.02  # of the time may go into saving checkpoints

Metrics = dict[str, Any]  # an epoch's line in metrics.jsonl


def train_run(
    settings: Settings,
    train: Dataset,
    test: Dataset,
    folder: str | Path | None = None,
    *,
    mesh: Mesh | None = None,
    create: Callable[[], None] | None = None,
    watch: Callable[[Progress], bool] | None = None,
) -> Iterator[Metrics]:
    """Train, and yield the metrics of each epoch, from the first one on; with a folder, go on where its run stands.

    What the run has already comes at once. The rest, and the parameters, equal those of a run without
    interruption bit for bit, but for seconds and examples_per_second. A new run is made by `create`, which is
    called once the first steps have succeeded. `watch` is called as `fit` calls it and after each epoch; when it
    returns True the run is saved, at that very step, and ends there.

    With patience, the parameters of the epoch with the least validation loss are those that stay. Raises
    ValueError for settings that do not fit the data, a damaged run, one that another process is training, and
    files that cannot be written, and FloatingPointError as `fit` does.
    """
    with ExitStack() as locks:

        def create_and_lock() -> None:
            if create and folder is not None:
                create()
                locks.enter_context(_locked(folder))

        if folder is not None and not create and is_first_process():
            locks.enter_context(_locked(folder))
        yield from _train_run(settings, train, test, folder, mesh, create_and_lock if create else None, watch)


def _train_run(
    settings: Settings,
    train: Dataset,
    test: Dataset,
    folder: str | Path | None,
    mesh: Mesh | None,
    create: Callable[[], None] | None,
    watch: Callable[[Progress], bool] | None,
) -> Iterator[Metrics]:
    validation = None
    if settings.patience < 0:
        raise ValueError(f"patience is {settings.patience}; 1 or more epochs are needed, or 0 for none")
    if settings.validation:
        train, validation = split_validation(train, settings.validation, settings.seed)
    elif settings.patience:
        raise ValueError(f"patience is {settings.patience}, but there is no validation set; add --validation 0.1")
    steps = count_steps(len(train.labels), settings.batch_size)
    checkpoint, metrics = _resume(folder, settings, steps) if folder is not None and not create else (None, [])
    yield from metrics
    if checkpoint:
        progress, best = checkpoint.progress, checkpoint.best
        params = progress.state.params
    else:
        progress, best = None, None
        params = init_params(settings.seed, settings.sizes, settings.init)
    network = network_options(settings)
    mesh = mesh or make_mesh()
    # As many training examples as there are for testing, so that the two accuracies can be compared.
    first = np.arange(min(len(train.labels), len(test.labels)))
    seen = on_devices(Dataset(*(read_rows(array, first) for array in train)), mesh)

    def is_good(params: Params) -> bool:
        return bool(np.isfinite(evaluate(params, seen, **network)[0]))

    keeper = _Keeper(settings, folder, create, is_good, int(progress.state.step) if progress else None)

    def look(progress: Progress, known_good: bool = False) -> bool:
        stop, due = agree(watch is not None and watch(progress), keeper.is_due())
        if stop or due:
            keeper.save(progress, best, known_good)
        return bool(stop)

    epochs = fit(
        params,
        train,
        test,
        **fit_options(settings),
        validation=validation,
        mesh=mesh,
        start=progress,
        watch=look,
    )
    try:
        for epoch in () if is_finished(settings, metrics) else epochs:
            progress, step = Progress(epoch.state), int(epoch.state.step)
            line = {
                "epoch": epoch.number,
                "step": step,
                "train_loss": epoch.train_loss,
                "train_accuracy": float(evaluate(epoch.params, seen, **network)[1]),
                "test_loss": epoch.test_loss,
                "test_accuracy": epoch.test_accuracy,
                "learning_rate": learning_rate_at(
                    step - 1, settings.learning_rate, settings.schedule, steps * settings.epochs
                ),
                "seconds": epoch.seconds,
                "examples_per_second": epoch.examples_per_second,
            }
            if validation is not None:
                line |= {"validation_loss": epoch.validation_loss, "validation_accuracy": epoch.validation_accuracy}
            metrics.append(line)
            if settings.patience and reported(settings, metrics) is line:
                best = epoch.params
            keeper.append(line)
            stop = is_finished(settings, metrics) or look(progress, known_good=True)
            yield line
            if stop:
                break
    except FloatingPointError as error:
        kept = "" if keeper.step is None else f"; {folder} keeps the last good checkpoint, of step {keeper.step:,}"
        raise FloatingPointError(f"{error}{kept}") from None
    if progress and is_finished(settings, metrics) and (best or keeper.step != int(progress.state.step)):
        keeper.save(Progress(progress.state._replace(params=best or progress.state.params)), None, known_good=True)


class _Keeper:
    """Keeps the files of a run while it is trained; does nothing where there is no folder.

    Of several processes all call it together, and the first one writes.
    """

    def __init__(
        self,
        settings: Settings,
        folder: str | Path | None,
        create: Callable[[], None] | None,
        is_good: Callable[[Params], bool],
        step: int | None,
    ) -> None:
        self.settings, self.folder, self.create, self.is_good = settings, folder, create, is_good
        self.writes = folder is not None and is_first_process()
        self.step = step  # of the last checkpoint
        self.next_save = 0.0

    def is_due(self) -> bool:
        return self.writes and time.perf_counter() >= self.next_save

    def save(self, progress: Progress, best: Params | None, known_good: bool) -> None:
        started = time.perf_counter()
        # Where training has diverged the next step will say so; the checkpoint before is the last good one.
        if self.folder is not None and (known_good or self.is_good(progress.state.params)):
            checkpoint = Checkpoint(self.settings, *whole((progress, best)))
            if self.writes:
                self._begin()
                save_checkpoint(self.folder, checkpoint)
            ended, self.step = time.perf_counter(), int(progress.state.step)
            self.next_save = ended + (ended - started) / SAVING_SHARE

    def append(self, line: Metrics) -> None:
        if self.folder is not None and self.writes:
            self._begin()
            path = Path(self.folder, METRICS)
            with named_errors(path), open(path, "ab") as file:
                file.write(_to_json(line))
                file.flush()
                os.fsync(file.fileno())

    def _begin(self) -> None:
        if self.create:
            self.create()
            self.create = None


def network_options(settings: Settings) -> dict[str, str]:
    """What `evaluate` and `make_loss` take of settings."""
    return {"hidden": settings.activation, "output": settings.output, "loss": settings.loss}


def fit_options(settings: Settings) -> dict[str, Any]:
    """What `fit` takes of settings."""
    names = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed", "augment")
    return {name: getattr(settings, name) for name in names} | network_options(settings)


def is_first_process() -> bool:
    """Whether this process is the only one, or the one of several that writes."""
    return jax.process_index() == 0


def is_finished(settings: Settings, metrics: list[Metrics]) -> bool:
    """Whether all epochs are done, or `patience` of them have passed since the best one."""
    if not metrics or len(metrics) == settings.epochs:
        return bool(metrics)
    return bool(settings.patience) and len(metrics) - reported(settings, metrics)["epoch"] >= settings.patience


def reported(settings: Settings, metrics: list[Metrics]) -> Metrics:
    """The epoch whose parameters stay: the last; with patience, the first with the least validation loss."""
    return min(metrics, key=lambda line: line["validation_loss"]) if settings.patience else metrics[-1]


def check_absent(folder: str | Path, *, overwrite: bool) -> list[Path]:
    """The files of the run that is in a folder. Raises ValueError if there are any that may not be overwritten."""
    present = [path for name in (RUN, METRICS, CHECKPOINT, *PICTURES) if (path := Path(folder, name)).exists()]
    if present and not overwrite:
        raise ValueError(f"{folder}: holds a run already; go on with it by --resume, or replace it by --overwrite")
    return present


def create_run(folder: str | Path, settings: Settings, data: dict[str, Any], device: str, *, overwrite: bool) -> None:
    """Make a folder a run by its run.json; `overwrite` removes the run that was there.

    Raises ValueError if there is a run that may not be overwritten, or the folder cannot be written.
    """
    with named_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            for path in check_absent(folder, overwrite=overwrite):
                path.unlink()
            _clear(folder)
            record = {"settings": settings._asdict(), "data": data, "device": device, "versions": versions()}
            write_atomically(Path(folder, RUN), (json.dumps(record, indent=2) + "\n").encode())


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


def versions() -> dict[str, str]:
    """What a run's bits depend on, beside settings, data and device."""
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


def _resume(folder: str | Path, settings: Settings, steps: int) -> tuple[Checkpoint | None, list[Metrics]]:
    """What a run goes on from: its checkpoint, None if it ended before the first, and the metrics up to there.

    Clears away what a kill left behind: temporary files, a half-written line, lines that come after the
    checkpoint.
    """
    checkpoint = read_checkpoint(folder) if Path(folder, CHECKPOINT).exists() else None
    if checkpoint and checkpoint.settings != settings:
        raise ValueError(f"{folder}: {CHECKPOINT} is of other settings than {RUN}; restore the one or the other")
    done = int(checkpoint.progress.state.step) // steps if checkpoint else 0
    metrics = read_metrics(folder, settings, done)
    if len(metrics) < done:
        raise ValueError(f"{folder}: {METRICS} ends after epoch {len(metrics)}, {CHECKPOINT} after epoch {done}")
    path = Path(folder, METRICS)
    if not is_first_process():
        return checkpoint, metrics
    with named_errors(folder):
        _clear(folder)
        lines = b"".join(map(_to_json, metrics))
        if path.exists() and path.read_bytes() != lines:
            write_atomically(path, lines)
    return checkpoint, metrics


@contextmanager
def _locked(folder: str | Path) -> Iterator[None]:
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


def _clear(folder: str | Path) -> None:
    """Remove the temporary files that a killed process left behind."""
    for name in (RUN, METRICS, CHECKPOINT, *PICTURES):
        for leftover in Path(folder).glob(f".{name}.*.tmp"):
            leftover.unlink()


def _to_json(line: Metrics) -> bytes:
    return json.dumps(line, allow_nan=False).encode() + b"\n"
