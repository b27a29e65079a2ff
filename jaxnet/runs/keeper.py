"""Keeps a run's folder while it is trained: made when there is something to keep, locked, saved now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jaxnet.devices import is_first_process, whole
from jaxnet.network import Params
from jaxnet.runs.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from jaxnet.runs.files import named_errors
from jaxnet.runs.folder import (
    CHECKPOINT,
    METRICS,
    RUN,
    Metrics,
    append_metrics,
    clear,
    create_run,
    cut_metrics,
    locked,
    read_metrics,
)
from jaxnet.runs.settings import Settings
from jaxnet.training import Progress

SAVING_SHARE = 0.02  # of the time may go into saving checkpoints


class Keeper:
    """The folder of a run, kept for as long as the `with` block lasts; does nothing where there is no folder.

    A run with a `record` (`folder.new_record`) is new: its folder is made by the first that is written, so that a
    training which never begins leaves nothing behind. Of several processes all call it together, and the first one
    writes. Raises ValueError where files cannot be written and where another process trains the run.
    """

    def __init__(
        self, settings: Settings, folder: str | Path | None, record: dict[str, Any] | None, *, overwrite: bool
    ) -> None:
        self.settings, self.folder, self.overwrite = settings, folder, overwrite
        self.record = record  # of a run that is yet to be made
        self.writes = folder is not None and is_first_process()
        self.step: int | None = None  # of the last checkpoint
        self.next_save = 0.0
        self.locks = ExitStack()

    def __enter__(self) -> Keeper:
        if self.folder is not None and self.writes and self.record is None:
            self.locks.enter_context(locked(self.folder))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.locks.close()
        if isinstance(error, FloatingPointError) and self.step is not None:
            raise FloatingPointError(
                f"{error}; {self.folder} keeps the last good checkpoint, of step {self.step:,}"
            ) from None

    def resume(self, steps: int) -> tuple[Checkpoint | None, list[Metrics]]:
        """What a run with epochs of `steps` goes on from: its checkpoint, if there is one, and the metrics up to there.

        Clears away what a kill left behind: temporary files, a half-written line, lines that come after the
        checkpoint. Raises ValueError for a damaged run.
        """
        if self.folder is None or self.record is not None:
            return None, []
        checkpoint = read_checkpoint(self.folder) if Path(self.folder, CHECKPOINT).exists() else None
        if checkpoint and checkpoint.settings != self.settings:
            raise ValueError(
                f"{self.folder}: {CHECKPOINT} is of other settings than {RUN}; restore the one or the other"
            )
        self.step = int(checkpoint.progress.state.step) if checkpoint else None
        done = (self.step or 0) // steps
        metrics = read_metrics(self.folder, self.settings, done)
        if len(metrics) < done:
            raise ValueError(
                f"{self.folder}: {METRICS} ends after epoch {len(metrics)}, {CHECKPOINT} after epoch {done}"
            )
        if self.writes:
            with named_errors(self.folder):
                clear(self.folder)
                cut_metrics(self.folder, metrics)
        return checkpoint, metrics

    def is_due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self.writes and time.perf_counter() >= self.next_save

    def save(self, progress: Progress, best: Params | None = None, is_good: Callable[[], bool] = lambda: True) -> None:
        """Write a checkpoint, if it is good: where training has diverged, the one before is the last good one."""
        started = time.perf_counter()
        if self.folder is not None and is_good():
            checkpoint = Checkpoint(self.settings, *whole((progress, best)))
            if self.writes:
                self._begin(self.folder)
                save_checkpoint(self.folder, checkpoint)
            ended, self.step = time.perf_counter(), int(progress.state.step)
            self.next_save = ended + (ended - started) / SAVING_SHARE

    def append(self, line: Metrics) -> None:
        """Write the metrics of an epoch."""
        if self.folder is not None and self.writes:
            self._begin(self.folder)
            append_metrics(self.folder, line)

    def _begin(self, folder: str | Path) -> None:
        if self.record is not None:
            create_run(folder, self.record, overwrite=self.overwrite)
            self.record = None
            self.locks.enter_context(locked(folder))
