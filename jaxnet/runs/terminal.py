"""What a person at a terminal has of a running training: a bar that moves, Ctrl-C that loses nothing, and a line that
says so when another process is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import typer

from jaxnet.devices import is_first_process
from jaxnet.runs.settings import Settings
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
def together(go_on: str) -> Iterator[None]:
    """Raise ConnectionError when another of the processes that train together is lost; `go_on` ends what it says.

    Where a computation fails for it, JAX raises an error. Where nobody answers, or process 0 is lost, JAX's runtime
    ends this process as it stands, with lines of its own; so a shell waits to have the last word.
    """
    count = jax.process_count()
    if count == 1 or os.name != "posix":
        yield
        return
    ended = f"jaxnet: process {jax.process_index()} of {count} was ended, or the loss of another one ended it{go_on}"
    last_word = ["/bin/sh", "-c", 'read -r _ || echo "$0" >&2', ended]
    with subprocess.Popen(last_word, stdin=subprocess.PIPE, start_new_session=True) as shell:
        try:
            yield
        except (jax.errors.JaxRuntimeError, ValueError) as error:
            # JAX makes some failures of a collective operation the one, some the other.
            own = isinstance(error, ValueError) or "RESOURCE_EXHAUSTED" in str(error)
            if own and "Gloo" not in str(error):
                raise
            raise ConnectionError(f"another one of the {count} processes is lost{go_on}") from None
        finally:
            shell.communicate(b"\n")


@contextmanager
def progress_bar(
    settings: Settings, examples: int, metrics: list[dict[str, Any]]
) -> Iterator[tuple[Callable[[str], None], Callable[[Progress], None]]]:
    """Ways to print a line and to show progress: with a bar on a terminal, with none elsewhere.

    Of several processes the first one shows it.
    """
    if not is_first_process():
        yield lambda text: None, lambda progress: None
        return
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
