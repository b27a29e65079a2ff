"""The command line: parses, calls, prints. JAX is imported by the commands, not by `--help`."""

from __future__ import annotations

import errno
import gc
import json
import os
import platform
import shlex
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from jaxnet.compare.many import Outcome
    from jaxnet.compare.report import Report
    from jaxnet.data import Dataset
    from jaxnet.runs.settings import Settings
    from jaxnet.training import Progress

app = typer.Typer(
    help="Train small dense networks in JAX.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# The names of the library's tables, spelled out since importing the tables imports JAX; a test compares them.
Activation = Literal["relu", "tanh", "sigmoid", "leaky_relu", "identity"]
Output = Literal["softmax", "sigmoid", "identity", "tanh"]
Loss = Literal["squared-error", "cross-entropy", "binary-cross-entropy"]
Optimizer = Literal["sgd", "momentum", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "step"]
Initializer = Literal["he", "glorot", "normal"]
Augmentation = Literal["none", "elastic"]
Format = Literal["text", "json", "github", "sarif", "gradescope"]

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="Folder that `jaxnet train --run` made.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class Interrupted(Exception):
    """Ctrl-C stopped it, and what was done is kept; the message says how much, or how to go on."""


@app.callback()
def common() -> None:
    """Train small dense networks in JAX."""


@app.command()
def train(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Option(help="Folder of IDX or .npy files, train.csv[,test.csv], or .npz.", show_default="MNIST"),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="How many classes there are.", show_default="the highest label + 1")
    ] = None,
    hidden: Annotated[str, typer.Option(help="Sizes of the hidden layers, as 300,100; 'none' for none.")] = "10",
    activation: Annotated[Activation, typer.Option(help="Activation of the hidden layers.")] = "relu",
    output: Annotated[
        Output | None, typer.Option(help="Activation of the output.", show_default="softmax, or sigmoid for binary")
    ] = None,
    loss: Annotated[Loss, typer.Option(help="What is made small.")] = "squared-error",
    optimizer: Annotated[Optimizer, typer.Option(help="Optax optimiser.")] = "sgd",
    learning_rate: Annotated[float, typer.Option(help="Learning rate at the start.")] = 0.1,
    schedule: Annotated[Schedule, typer.Option(help="How the learning rate goes on.")] = "cosine",
    batch_size: Annotated[int, typer.Option(help="Examples in a step.")] = 8,
    epochs: Annotated[int, typer.Option(help="Passes over the data.")] = 3,
    init: Annotated[Initializer, typer.Option(help="How the weights are drawn.")] = "he",
    seed: Annotated[int, typer.Option(help="Seed of weights and order.")] = 0,
    augment: Annotated[Augmentation, typer.Option(help="How the training images are distorted.")] = "none",
    validation: Annotated[
        float, typer.Option(help="Share of the training examples to hold out, as 0.1.", show_default="none")
    ] = 0.0,
    patience: Annotated[
        int, typer.Option(help="Stop after so many epochs without a better validation loss.", show_default="never")
    ] = 0,
    device: Annotated[
        str | None, typer.Option(help="Kind of device: cpu, gpu.", show_default="the best there is")
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(help="Devices that share each batch.", show_default="all that the batch can be split over"),
    ] = None,
    shard_model: Annotated[int, typer.Option(help="Devices that share the weights of each layer.")] = 1,
    coordinator: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where process 0 listens.", show_default="the cluster's")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processes that train together; 1 to be alone.", show_default="the cluster's")
    ] = None,
    process: Annotated[
        int | None, typer.Option(help="Which of them this one is, from 0.", show_default="the cluster's, or 0")
    ] = None,
    run: Annotated[str | None, typer.Option(help="Folder to save the run in.", show_default="not saved")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in that folder.")] = False,
) -> None:
    """Train a network; with no option, the notebook's 784-10-10 on MNIST."""
    layers = _parse_hidden(hidden)
    if (resume or overwrite) and run is None:
        raise ValueError("--resume and --overwrite are about a saved run; add its folder, --run DIR")
    if resume and overwrite:
        raise ValueError("--resume goes on with a run, --overwrite replaces it; give the one or the other")

    from jaxnet.data import count_classes
    from jaxnet.runs import folder
    from jaxnet.runs.settings import Settings, check_unchanged

    saved, record = folder.read_run(run) if run is not None and resume else (None, {})
    if run is not None and not resume:
        folder.check_absent(run, overwrite=overwrite)
    path = record["data"]["path"] if saved and data is None else data
    with _reading(path, classes or (saved.sizes[-1] if saved else None)) as read:
        from jaxnet.devices import choose_devices, is_first_process, join_processes
        from jaxnet.runs.run import train_run

        join_processes(coordinator, processes, process)
        train_set, test_set = read()
    settings = Settings(
        sizes=(train_set.inputs.shape[1], *layers, classes or count_classes(train_set.labels)),
        activation=activation,
        output=output or ("sigmoid" if loss == "binary-cross-entropy" else "softmax"),
        loss=loss,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        batch_size=batch_size,
        epochs=epochs,
        init=init,
        seed=seed,
        augment=augment,
        validation=validation,
        patience=patience,
    )
    device_name, mesh = choose_devices(device, devices, shard_model, (saved or settings).batch_size)
    new_record = None
    if saved:
        folder.check_data(record, path, train_set, test_set)
        check_unchanged(saved, settings, _given(context, [*Settings._fields[1:], "hidden", "classes"]))
        settings = saved
    elif run is not None:
        new_record = folder.new_record(settings, path, train_set, test_set, device_name)
    if is_first_process():
        if saved:
            _note_changes(record, device_name)
        elif classes is None:
            _warn_of_missing_classes(train_set)
        typer.echo(f"{'-'.join(map(str, settings.sizes))}, {len(train_set.labels):,} examples, {device_name}")
    training = partial(train_run, settings, train_set, test_set, run, record=new_record, overwrite=overwrite, mesh=mesh)
    _show_training(settings, training, len(train_set.labels), run)
    if run is not None and is_first_process():
        from jaxnet.runs.drawing import is_drawable
        from jaxnet.runs.plots import draw_run

        draw_run(run, test_set)
        if is_drawable(settings.sizes):
            typer.echo(f"draw digits for it to read: jaxnet export {shlex.quote(run)} digits.html")


def _show_training(
    settings: Settings, training: Callable[..., Iterator[dict[str, Any]]], examples: int, run: str | None
) -> None:
    """Train, with a line an epoch, a bar on a terminal, and what came of it; `training(watch=…)` is a `train_run`."""
    from jaxnet.devices import is_first_process
    from jaxnet.runs.run import is_finished, reported
    from jaxnet.runs.terminal import interruptible, progress_bar, together

    go_on = f"; go on with: jaxnet train --run {run} --resume" if run is not None else ""
    metrics: list[dict[str, Any]] = []
    with (
        together(go_on),
        interruptible(run is not None) as is_interrupted,
        progress_bar(settings, examples, metrics) as (say, show),
    ):

        def watch(progress: Progress) -> bool:
            show(progress)
            return is_interrupted()

        for line in training(watch=watch):
            metrics.append(line)
            say(_epoch_line(settings, line))
    if not is_finished(settings, metrics):
        raise Interrupted(f"interrupted and saved{go_on}")
    if is_first_process():
        kept = reported(settings, metrics)
        if settings.patience:
            best = f"epoch {kept['epoch']} of {len(metrics)} has the least validation loss"
            typer.echo(f"{best}; its parameters are kept")
        typer.echo(f"test accuracy {_percent(kept['test_accuracy'])}")


@app.command()
def plot(
    run: Annotated[list[str], typer.Argument(metavar="RUN…", help="Folders that `jaxnet train --run` made.")],
    out: Annotated[str, typer.Option(help="Where the curves of several runs go.")] = "curves.png",
) -> None:
    """Draw a run's pictures into its folder; of several runs, one picture of all learning curves."""
    from jaxnet.runs.folder import PICTURES, read_metrics, read_run, read_test_set
    from jaxnet.runs.plots import draw_curves, draw_run

    if len(run) == 1:
        draw_run(run[0], read_test_set(run[0]))
        typer.echo("\n".join(os.path.join(run[0], name) for name in PICTURES))
        return
    names = [os.path.basename(os.path.normpath(folder)) for folder in run]
    curves = {}
    for folder, name in zip(run, names if len(set(names)) == len(names) else run, strict=True):
        settings, _ = read_run(folder)
        curves[name] = read_metrics(folder, settings), settings.loss
        if not curves[name][0]:
            raise ValueError(f"{folder}: no epoch is finished yet")
    draw_curves(curves, out)
    typer.echo(out)


@app.command()
def evaluate(
    run: RunFolder,
    data: Annotated[
        str | None, typer.Option(help="As of `jaxnet train`; its test set counts.", show_default="the run's")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a run's network: loss, accuracy, precision and recall of each class."""
    from jaxnet import evaluation
    from jaxnet.data import load_data
    from jaxnet.runs.checkpoint import load
    from jaxnet.runs.folder import read_test_set

    network, params = load(run)
    test = read_test_set(run) if data is None else load_data(data, network.sizes[-1])[1]
    _check_inputs(run, network.sizes[0], test.inputs)
    names = {"hidden": network.hidden, "output": network.output}
    loss, accuracy = evaluation.evaluate(params, test, **names, loss=network.loss)
    guesses = evaluation.predict(params, test.inputs, **names).argmax(axis=1)
    matrix = evaluation.confusion_matrix(test.labels, guesses, network.sizes[-1])
    classes = evaluation.precision_and_recall(matrix)
    if as_json:
        result = {"run": run, "examples": len(test.labels), "loss": float(loss), "accuracy": float(accuracy)}
        typer.echo(json.dumps(result | {"classes": classes, "confusion": matrix.tolist()}))
        return
    typer.echo("class  examples  precision   recall")
    for row in classes:
        precision, recall = _percent(row["precision"]), _percent(row["recall"])
        typer.echo(f"{row['class']:5}  {row['examples']:8,}  {precision:>9}  {recall:>7}")
    typer.echo(f"{network.loss} {float(loss):.4f}, mean over {len(test.labels):,} examples")
    typer.echo(f"accuracy {_percent(float(accuracy))}")


@app.command()
def predict(
    run: RunFolder,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE…", help="Pictures of a digit each; IDX or CSV files, row by row.")
    ],
    as_json: AsJson = False,
    show: Annotated[
        str | None, typer.Option(help="Draw what the network was given into this file.", show_default="not drawn")
    ] = None,
) -> None:
    """Say which digit each picture shows, and how probable each class is.

    Pictures may be of any size and colour, dark on light or light on dark: they are made what MNIST's images are.
    """
    import numpy as np

    from jaxnet import evaluation
    from jaxnet.evaluation import PROBABILITIES, show_prediction
    from jaxnet.runs.checkpoint import load
    from jaxnet.runs.images import read_inputs

    network, params = load(run)
    names, labels, parts = [], [], []
    for image in images:
        inputs, known = read_inputs(image)
        _check_inputs(image, network.sizes[0], inputs)
        names += [image] if len(inputs) == 1 else [f"{image} row {row}" for row in range(1, len(inputs) + 1)]
        labels += [None] * len(inputs) if known is None else known.tolist()
        parts.append(inputs)
    inputs = np.concatenate(parts)
    outputs = np.asarray(evaluation.predict(params, inputs, hidden=network.hidden, output=network.output))
    guesses = outputs.argmax(axis=1).tolist()
    if show is not None:
        from jaxnet.runs.plots import draw_images

        captions = [
            f"{os.path.basename(name)[-18:]}\n{guess}, {show_prediction(row[guess], network.output)}"
            for name, guess, row in zip(names[:60], guesses, outputs, strict=False)
        ]
        title = f"What the network of {os.path.basename(run) or run} was given, and what it takes it for"
        draw_images(inputs[:60], captions, title, show)
    if as_json:
        kind = "probabilities" if network.output in PROBABILITIES else "outputs"
        predictions = [
            {"image": name, "guess": guess, kind: row.tolist()} | ({} if label is None else {"label": label})
            for name, label, guess, row in zip(names, labels, guesses, outputs, strict=True)
        ]
        typer.echo(json.dumps({"run": run, "predictions": predictions}))
        return
    typer.echo("\n".join(_prediction_lines(names, guesses, outputs, network.output)))


def _prediction_lines(names: list[str], guesses: list[int], outputs: Any, output: str) -> list[str]:
    """A table of what each picture is taken for: all classes, or the surest five where there are more than ten."""
    from jaxnet.evaluation import show_prediction as show

    width, classes = max(map(len, [*names, "image"])), outputs.shape[1]
    if classes <= 10:
        lines = [f"{'image':{width}}  guess" + "".join(f"{number:9}" for number in range(classes))]
        for name, guess, row in zip(names, guesses, outputs, strict=True):
            lines.append(f"{name:{width}}  {guess:5}" + "".join(f"{show(value, output):>9}" for value in row))
        return lines
    lines = [f"{'image':{width}}  guess  the surest five of {classes} classes"]
    for name, guess, row in zip(names, guesses, outputs, strict=True):
        surest = (-row).argsort(kind="stable")[:5]
        lines.append(f"{name:{width}}  {guess:5}" + "".join(f"{k:6}: {show(row[k], output):>7}" for k in surest))
    return lines


@app.command()
def export(
    run: RunFolder,
    page: Annotated[str, typer.Argument(metavar="PAGE", help="The HTML file to write.")] = "digits.html",
) -> None:
    """Write a page to draw digits on, with the run's network in it: one file, for any browser."""
    from pathlib import Path

    from jaxnet.runs.checkpoint import load
    from jaxnet.runs.drawing import LARGE, SLOW, drawing_page
    from jaxnet.runs.files import write_atomically

    network, params = load(run)
    content = drawing_page(network, params, os.path.basename(os.path.normpath(run))).encode()
    write_atomically(Path(page), content)
    typer.echo(f"{page}: {_size(len(content))}; open it in a browser and draw")
    if len(content) > LARGE:
        pace = "but its pictures lag behind the pen" if len(content) > SLOW else "and it keeps up with the pen"
        note = f"more than {_size(LARGE)}, as all weights are in it: mail may refuse it; browsers open it, {pace}"
        typer.echo(f"jaxnet: note: {note}", err=True)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.0f} KB"


@app.command()
def compare(
    context: typer.Context,
    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="A .py or .ipynb with a backward pass in NumPy; or several, and folders of them.",
            show_default="the library's own",
        ),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="What is printed.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json: an object a line.")] = False,
    hint: Annotated[
        int | None,
        typer.Option(
            metavar="1|2|3",
            help="Tell less: which gradients are wrong; also where that begins; also the idea.",
            min=1,
            max=3,
            show_default="all",
        ),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff that mends it, and nothing else.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend the files.")] = False,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write one HTML page, of all programs.")] = None,
    points: Annotated[float, typer.Option(metavar="N", help="What all is worth, for gradescope.")] = 100.0,
    forward: Annotated[str | None, typer.Option(metavar="NAME", help="The function of the forward pass.")] = None,
    backward: Annotated[str | None, typer.Option(metavar="NAME", help="The function of the backward pass.")] = None,
    init: Annotated[str | None, typer.Option(metavar="NAME", help="The function that makes the parameters.")] = None,
    loss: Annotated[
        str | None, typer.Option(metavar="NAME", help="The loss function, or squared-error, cross-entropy, …")
    ] = None,
    layout: Annotated[
        Literal["columns", "rows"] | None,
        typer.Option(help="Whether examples are columns or rows.", show_default="found"),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds that a program may run.")] = 60.0,
) -> None:
    """Say whether hand-written backward passes are right, and which formula is wrong."""
    if as_json and format_ not in ("text", "json"):
        raise ValueError(f"--json is --format json, and not {format_}; give the one or the other")
    shown = "json" if as_json else format_
    if diff and (fix or shown != "text"):
        raise ValueError(f"--diff prints a diff alone and writes nothing; leave out --{'fix' if fix else 'format'}")
    if hint is not None and (diff or fix):
        raise ValueError("--hint is for those who are to find it; leave out the hint, or --diff and --fix")
    if shown != "gradescope" and _given(context, ["points"]):
        raise ValueError("--points is for --format gradescope")
    if not 0 < points < float("inf"):
        raise ValueError(f"--points is {points}; a positive number is needed")
    if not timeout > 0:
        raise ValueError(f"timeout is {timeout}; a positive number of seconds is needed")
    if html is not None:
        _check_writable("--html", html)

    from jaxnet.compare.files import MENDING
    from jaxnet.compare.formats import FORMATS, gradescope, json_of, line_of, one_line, results_of, summary
    from jaxnet.compare.many import compare_many

    one = not source or (len(source) == 1 and not os.path.isdir(source[0]))
    as_document = shown in FORMATS
    options: dict[str, Any] = {"forward": forward, "backward": backward, "init": init, "loss": loss, "layout": layout}
    # Mending takes its time: it is done for what shows it, and to the end for what is about it.
    shows = hint is None and (one or diff or fix or html is not None or shown != "text")
    options |= {"timeout": timeout, "mend": timeout if diff or fix else MENDING if shows else 0}
    verdicts: Counter[str] = Counter()
    mistakes: Counter[str] = Counter()
    kept: list[Outcome] = []
    with _comparing(bar=not one) as (console, watch, stop):
        outcomes = compare_many(source, arrays=one, watch=watch, stop=stop, **options) if source else [_library()]
        for outcome in outcomes:
            verdict, report = outcome.verdict, outcome.report
            if report is not None:
                if fix and verdict in ("wrong", "right-up-to-scale") and _fix(outcome.source, report):
                    verdict = "fixed"
                report = report.hinted(hint)
                outcome = outcome._replace(report=report)
                mistakes.update({result.code for result in results_of(report)})
            elif one and not as_document:
                raise ValueError(one_line(outcome.problem or ""))
            verdicts[verdict] += 1
            if as_document or html is not None:
                kept.append(outcome)
            if diff:
                _show_diff(outcome, console)
            elif shown == "json":
                _echo(f"{json_of(outcome)}\n", console)
            elif shown == "text":
                _print(str(outcome.report) if one else f"{line_of(outcome)}\n", console)
        interrupted = stop.is_set()
    if as_document:
        write = partial(gradescope, points=points) if shown == "gradescope" else FORMATS[shown]
        _echo(write(kept))
    elif shown == "text" and not one and not diff and verdicts:
        _echo(f"\n{summary(verdicts, mistakes)}\n")
    if html is not None and verdicts:
        _write_page(html, kept, one)
    if interrupted:
        raise Interrupted(f"interrupted after {verdicts.total()} program{'s' * (verdicts.total() != 1)}")
    if not verdicts:
        raise ValueError(f"{', '.join(map(one_line, source or []))}: no program with a backward pass is there")
    raise typer.Exit(1 if verdicts["wrong"] else 2 if verdicts["none"] else 0)


def _library() -> Outcome:
    from jaxnet.compare.gradients import compare_library
    from jaxnet.compare.many import Outcome

    report = compare_library()
    return Outcome(report.source or "", report, None, 0.0)


def _show_diff(outcome: Outcome, console: Console | None) -> None:
    """Print the diff, and on stderr what it leaves, or why there is none."""
    from jaxnet.compare import fixes
    from jaxnet.compare.formats import line_of

    if outcome.report is None:
        _note(line_of(outcome))
        return
    _echo(fixes.diff_of(outcome.report), console)
    _note_unmended(outcome.source, outcome.report)


def _fix(source: str, report: Report) -> bool:
    """Write what mends the program, say on stderr what was done, and return whether nothing wrong is left."""
    from jaxnet.compare import fixes
    from jaxnet.compare.formats import from_here, one_line

    try:
        for path in fixes.write(report):
            _note(f"fixed {one_line(str(from_here(path)))}")
    except ValueError as error:
        _note(str(error))
        return False
    return not _note_unmended(source, report)


def _note_unmended(source: str, report: Report) -> list[str]:
    from jaxnet.compare import fixes
    from jaxnet.compare.formats import one_line

    left = fixes.unmended(report)
    if left:
        _note(f"{one_line(source)}: not mended: {', '.join(left)}")
    return left


def _note(text: str) -> None:
    typer.echo(f"jaxnet: {text}", err=True)


def _echo(text: str, console: Console | None = None) -> None:
    """Print a text as it is, above the console's bar; what is no text in the names of files is escaped as in JSON."""
    if console is None:
        typer.echo(text.encode("utf-8", "backslashreplace"), nl=False)
    else:
        console.out(text.encode("utf-8", "backslashreplace").decode(), end="", highlight=False)


def _print(text: str, console: Console | None = None) -> None:
    """Print a report, with colours where there is a terminal that shows them, above the bar of a console."""
    from rich.console import Console
    from rich.text import Text

    shown = Text(text.encode("utf-8", "backslashreplace").decode())
    shown.highlight_regex(r"✓[^\n]*", "green")
    shown.highlight_regex(r"(?m)✗ wrong|^✗|error\[[^\]]*\]", "bold red")
    shown.highlight_regex(r"(?m)≈[^\n]*|^\?|warning\[[^\]]*\]", "bold yellow")
    shown.highlight_regex(r"instead:", "bold green")
    (console or Console()).print(shown, soft_wrap=True, end="")


def _check_writable(option: str, path: str) -> None:
    """Raise ValueError where a file cannot be written, before the work for it is done."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        why = errno.ENOENT
    elif os.path.isdir(path):
        why = errno.EISDIR
    elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
        why = errno.EACCES
    else:
        return
    raise ValueError(f"{option} {path}: {os.strerror(why)}")


def _write_page(path: str, outcomes: list[Outcome], one: bool) -> None:
    """The report's own page, or that of a class."""
    from jaxnet.compare.class_page import class_page

    report = outcomes[0].report if one else None
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(class_page(outcomes) if report is None else report.html())
    except OSError as error:
        raise ValueError(f"--html {path}: {error.strerror or error}") from None


@contextmanager
def _comparing(
    bar: bool,
) -> Iterator[tuple[Console | None, Callable[[int, int], object] | None, threading.Event]]:
    """Where lines are printed, if not as ever; what is told how many programs are done; and what Ctrl-C sets first.

    On a terminal there is a bar, and lines on the same terminal go above it.
    """
    stop = threading.Event()

    def press(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, press)
    try:
        if not (bar and sys.stderr.isatty()):
            yield None, None, stop
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
        console = Console(stderr=True)
        with Progress(*columns, console=console, redirect_stdout=False, transient=True, expand=True) as progress:
            task = progress.add_task("", total=None)

            def watch(done: int, count: int) -> None:
                progress.update(task, completed=done, total=count)

            yield console if sys.stdout.isatty() else None, watch, stop
    finally:
        signal.signal(signal.SIGINT, before)


def _parse_hidden(text: str) -> list[int]:
    if text == "none":
        return []
    try:
        sizes = [int(size) for size in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise ValueError(f"--hidden is {text!r}; give sizes of 1 or more, as 300,100, or 'none'")
    return sizes


@contextmanager
def _reading(path: str | None, classes: int | None) -> Iterator[Callable[[], tuple[Dataset, Dataset]]]:
    """Read the data beside what the block does, importing JAX for one, and hand them over when they are asked for."""
    from jaxnet.data import load_data

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(load_data, path, classes).result


def _given(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Those of the options that stand on the command line."""
    sources = {name: context.get_parameter_source(name) for name in names}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]


def _note_changes(record: dict[str, Any], device: str) -> None:
    """Say where versions and device are others than when a run was begun."""
    from jaxnet.runs.folder import versions

    for name, now in {"device": device, **versions()}.items():
        before = (record["versions"] | {"device": record["device"]}).get(name)
        if now != before:
            typer.echo(f"jaxnet: note: {name} was {before} and is {now}; the bits may differ", err=True)


def _warn_of_missing_classes(train: Dataset) -> None:
    from jaxnet.data import missing_classes

    if missing := missing_classes(train.labels):
        shown = ", ".join(map(str, missing[:8])) + (f" … {missing[-1]}" if len(missing) > 8 else "")
        typer.echo(
            f"jaxnet: warning: no example of class {shown}, though label {train.labels.max()} is there; "
            "if that is meant, say so with --classes",
            err=True,
        )


def _check_inputs(what: str, wanted: int, inputs: Any) -> None:
    if inputs.shape[1] != wanted:
        raise ValueError(f"{what}: {inputs.shape[1]} pixels an example, but the network takes {wanted}")


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def _epoch_line(settings: Settings, line: dict[str, Any]) -> str:
    validation = ""
    if settings.validation:
        validation = (
            f"validation loss {line['validation_loss']:.4f}  "
            f"validation accuracy {_percent(line['validation_accuracy'])}  "
        )
    return (
        f"epoch {line['epoch']}/{settings.epochs}  train loss {line['train_loss']:.4f}  {validation}"
        f"test loss {line['test_loss']:.4f}  test accuracy {_percent(line['test_accuracy'])}  "
        f"{line['seconds']:.2f} s  {line['examples_per_second']:,.0f} examples/s"
    )


def _keep_compiled_programs() -> None:
    """Have JAX keep what it compiles for the next time, unless it was told where to: that saves a third of a short run.

    A folder for each machine, since a home may be shared by machines with other processors.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(caches, "jaxnet", platform.node() or "here")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", folder)
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def main() -> None:
    """Run the command line; any failure that a user can mend is one line on stderr and exit status 2."""
    _keep_compiled_programs()
    gc.set_threshold(100_000)  # importing JAX makes so many objects, and all of them stay
    try:
        status = app(standalone_mode=False)
    except Interrupted as stop:
        print(f"jaxnet: {stop}", file=sys.stderr)
        _leave(130)
    except typer.TyperException as error:
        print(f"jaxnet: {error.format_message()}", file=sys.stderr)
        status = 2
    except (ValueError, FloatingPointError, ConnectionError) as error:
        print(f"jaxnet: {error}", file=sys.stderr)
        status = 2
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):  # XLA's are RuntimeErrors
            raise
        print("jaxnet: out of memory; try smaller layers, a smaller batch or fewer examples", file=sys.stderr)
        status = 2
    if status == 130:  # what Typer makes of Ctrl-C
        print("jaxnet: interrupted", file=sys.stderr)
    _leave(status)


def _leave(status: int | None) -> NoReturn:
    """End with this status. A process of several that has failed does not wait for the others, as JAX would."""
    if status and "jax" in sys.modules and sys.modules["jax"].distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    gc.freeze()  # or Python would look through all that is left for what it may free, a tenth of a second long
    sys.exit(status)
