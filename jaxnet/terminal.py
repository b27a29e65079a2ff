"""What a person at a terminal has of a running training: a bar that moves, and Ctrl-C that loses nothing."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from jaxnet.checkpoint import Settings
from jaxnet.training import Progress


@contextmanager
def interruptible(saves: bool) -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, where the run can be saved then; a second one stops at once."""
    pressed = False

    def press(*_: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, press) if saves else None
    try:
        yield lambda: pressed
    finally:
        if saves:
            signal.signal(signal.SIGINT, before)


@contextmanager
def progress_bar(
    settings: Settings, examples: int, metrics: list[dict[str, Any]]
) -> Iterator[tuple[Callable[[str], None], Callable[[Progress], None]]]:
    """Ways to print a line and to show progress: with a bar on a terminal, with none elsewhere."""
    if not sys.stdout.isatty():
        yield typer.echo, lambda progress: None
        return

    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    # At least 1: what does not fit is refused when the training begins.
    steps = max(1, (examples - round(settings.validation * examples)) // max(1, settings.batch_size))
    columns = (
        TextColumn("epoch {task.fields[epoch]}/" + str(settings.epochs)),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,}/{task.total:,}"),
        TextColumn("{task.fields[rate]:,.0f} ex./s"),
        TextColumn("{task.fields[results]}"),
        TimeRemainingColumn(compact=True),
    )
    # Drawn when there is something new, so that it takes no time from the training in between.
    with Bar(*columns, auto_refresh=False, transient=True, expand=True) as bar:
        task = bar.add_task("", total=steps * settings.epochs, epoch=1, rate=0.0, results="")

        def say(text: str) -> None:
            bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

        def show(progress: Progress) -> None:
            step = int(progress.state.step)
            epoch, done = divmod(step, steps)
            results = [f"loss {progress.loss_sum / done:.4f}"] if done else []
            results += [f"test {100 * metrics[-1]['test_accuracy']:.1f} %"] if metrics else []
            rate = (bar.tasks[0].speed or 0.0) * settings.batch_size
            epoch = min(epoch + 1, settings.epochs)
            bar.update(task, completed=step, epoch=epoch, rate=rate, results=" ".join(results), refresh=True)

        yield say, show
