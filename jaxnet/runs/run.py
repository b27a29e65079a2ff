"""Training that is saved as it goes, and goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jax.sharding import Mesh

from jaxnet.batches import count_steps, on_devices, split_validation
from jaxnet.data import Dataset, read_rows
from jaxnet.devices import agree, make_mesh
from jaxnet.evaluation import loss_and_accuracy
from jaxnet.network import init_params
from jaxnet.runs.folder import Metrics
from jaxnet.runs.keeper import Keeper
from jaxnet.runs.settings import Settings, fit_options, network_options
from jaxnet.training import MEASURED, Epoch, Progress, fit, learning_rate_at


def train_run(
    settings: Settings,
    train: Dataset,
    test: Dataset,
    folder: str | Path | None = None,
    *,
    record: dict[str, Any] | None = None,
    overwrite: bool = False,
    mesh: Mesh | None = None,
    watch: Callable[[Progress], bool] | None = None,
) -> Iterator[Metrics]:
    """Train, and yield the metrics of each epoch, from the first one on; with a folder, go on where its run stands.

    What the run has already comes at once. The rest, and the parameters, equal those of a run without
    interruption bit for bit, but for seconds and examples_per_second. With a `record` (`folder.new_record`) the run
    is a new one, which is made, in the place of another one with `overwrite`, once the first steps have succeeded.
    `watch` is called as `fit` calls it and after each epoch; when it returns True the run is saved, at that very
    step, and ends there.

    With patience, the parameters of the epoch with the least validation loss are those that stay. Raises
    ValueError for settings that do not fit the data, a damaged run, one that another process is training, and
    files that cannot be written, and FloatingPointError as `fit` does.
    """
    train, validation = _split(settings, train)
    steps = count_steps(len(train.labels), settings.batch_size)
    with Keeper(settings, folder, record, overwrite=overwrite) as keeper:
        checkpoint, metrics = keeper.resume(steps)
        yield from metrics
        if is_finished(settings, metrics):
            return
        start, best = (checkpoint.progress, checkpoint.best) if checkpoint else (None, None)
        params = start.state.params if start else init_params(settings.seed, settings.sizes, settings.init)
        mesh, network, options = mesh or make_mesh(), network_options(settings), fit_options(settings)
        # As many training examples as there are for testing, so that the two accuracies can be compared.
        first = np.arange(min(len(train.labels), len(test.labels)))
        seen = on_devices(Dataset(*(read_rows(array, first) for array in train)), mesh)

        def look(progress: Progress) -> bool:
            def is_good() -> bool:
                return bool(np.isfinite(loss_and_accuracy(progress.state.params, seen, **network)[0]))

            stop, due = agree(watch is not None and watch(progress), keeper.is_due())
            if stop or due:
                keeper.save(progress, best, is_good)
            return bool(stop)

        for epoch in fit(params, train, test, **options, validation=validation, mesh=mesh, start=start, watch=look):
            accuracy = float(loss_and_accuracy(epoch.params, seen, **network)[1])
            metrics.append(line := _line(settings, epoch, accuracy, steps))
            if settings.patience and reported(settings, metrics) is line:
                best = epoch.params
            keeper.append(line)
            finished = is_finished(settings, metrics)
            if finished:
                keeper.save(Progress(epoch.state._replace(params=best or epoch.params)))
            stop = finished or look(Progress(epoch.state))
            yield line
            if stop:
                return


def _split(settings: Settings, train: Dataset) -> tuple[Dataset, Dataset | None]:
    """The examples to train on, and those that are held out, if any are. Raises ValueError if patience needs some."""
    if settings.patience < 0:
        raise ValueError(f"patience is {settings.patience}; 1 or more epochs are needed, or 0 for none")
    if settings.validation:
        return split_validation(train, settings.validation, settings.seed)
    if settings.patience:
        raise ValueError(f"patience is {settings.patience}, but there is no validation set; add --validation 0.1")
    return train, None


def _line(settings: Settings, epoch: Epoch, train_accuracy: float, steps: int) -> Metrics:
    """What is said of an epoch of `steps` steps."""
    step = epoch.number * steps
    rate = learning_rate_at(step - 1, settings.learning_rate, settings.schedule, steps * settings.epochs)
    measured = {name: value for name in MEASURED if (value := getattr(epoch, name)) is not None}
    return {
        "epoch": epoch.number,
        "step": step,
        "train_loss": epoch.train_loss,
        "train_accuracy": train_accuracy,
        **measured,
        "learning_rate": rate,
        "seconds": epoch.seconds,
        "examples_per_second": epoch.examples_per_second,
    }


def is_finished(settings: Settings, metrics: list[Metrics]) -> bool:
    """Whether all epochs are done, or `patience` of them have passed since the best one."""
    if not metrics or len(metrics) == settings.epochs:
        return bool(metrics)
    return bool(settings.patience) and len(metrics) - reported(settings, metrics)["epoch"] >= settings.patience


def reported(settings: Settings, metrics: list[Metrics]) -> Metrics:
    """The epoch whose parameters stay: the last; with patience, the first with the least validation loss."""
    return min(metrics, key=lambda line: line["validation_loss"]) if settings.patience else metrics[-1]
