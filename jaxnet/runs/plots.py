"""The pictures of a run: learning curves, confusion matrix, surest mistakes, and what the first layer looks for.

m examples, i pixels of an example, o units of the first layer. Colours are ones that colour-blind readers tell
apart (Okabe and Ito 2008; the maps Blues and RdBu), and lines differ in more than their colour.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from jaxnet.augment import elastic
from jaxnet.data import Dataset
from jaxnet.evaluation import confusion_matrix, predict, show_prediction
from jaxnet.runs.checkpoint import load
from jaxnet.runs.files import write_atomically
from jaxnet.runs.folder import Metrics, read_metrics, read_run

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
WRITTEN_CLASSES = 20  # so many classes or fewer leave room for a number in each field of a confusion matrix
SETS = {"train": ("--", "o"), "test": ("-", "s"), "validation": (":", "^")}  # line and marker


def draw_run(folder: str | Path, test: Dataset) -> None:
    """All pictures of a run, into its folder. Raises ValueError for a damaged run."""
    settings, _ = read_run(folder)
    network, params = load(folder)
    if metrics := read_metrics(folder, settings):
        draw_curves({Path(folder).name: (metrics, network.loss)}, Path(folder, "curves.png"))
    draw_weights(np.asarray(params[0].weights), Path(folder, "weights.png"))
    predictions = np.asarray(predict(params, test.inputs, hidden=network.hidden, output=network.output))
    matrix = confusion_matrix(test.labels, predictions.argmax(axis=1), network.sizes[-1])
    draw_confusion(matrix, Path(folder, "confusion.png"))
    draw_mistakes(test, predictions, network.output, Path(folder, "mistakes.png"))


def draw_curves(runs: Mapping[str, tuple[Sequence[Metrics], str]], path: str | Path) -> None:
    """Loss and accuracy against epochs, of one run or of several: {name: (metrics, name of the loss)}."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    for number, (name, (metrics, _)) in enumerate(runs.items()):
        epochs = [line["epoch"] for line in metrics]
        for place, (kind, (style, marker)) in enumerate(SETS.items()):
            look = {"color": COLOURS[(place if len(runs) == 1 else number) % len(COLOURS)], "linestyle": style}
            look |= {"label": kind if len(runs) == 1 else f"{name}, {kind}"}
            look |= {"marker": marker, "markersize": 4} if len(epochs) <= 30 else {}
            for axes, quantity in ((loss_axes, f"{kind}_loss"), (accuracy_axes, f"{kind}_accuracy")):
                if quantity in metrics[0]:
                    axes.plot(epochs, [line[quantity] for line in metrics], **look)
    losses = " or ".join(sorted({loss for _, loss in runs.values()}))
    loss_axes.set(title="Loss", ylabel=f"{losses}, mean per example")
    accuracy_axes.set(title="Accuracy", ylabel="share of examples classified rightly")
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    for axes in (loss_axes, accuracy_axes):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="0.9")
    figure.legend(handles=loss_axes.lines, loc="outside lower center", ncols=4)
    figure.suptitle(f"Learning curves of {next(iter(runs)) if len(runs) == 1 else f'{len(runs)} runs'}")
    _save(figure, path)


def draw_confusion(matrix: np.ndarray, path: str | Path) -> None:
    """A confusion matrix: how many examples of each class (row) were taken for each class (column)."""
    classes = len(matrix)
    side = max(6.8, 0.2 * classes)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    norm = PowerNorm(0.5, vmin=0, vmax=1)  # as its colours are to tell 1 % of mistakes from none
    shown = axes.imshow(shares, cmap="Blues", norm=norm)
    for (row, column), count in np.ndenumerate(matrix):
        if count and classes <= WRITTEN_CLASSES:
            colour = "white" if norm(shares[row, column]) > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=9)
    ticks = range(0, classes, 1 if classes <= WRITTEN_CLASSES else 10)
    axes.set(xlabel="guess", ylabel="truth", xticks=ticks, yticks=ticks)
    accuracy = 100 * np.trace(matrix) / matrix.sum()
    axes.set_title(f"{matrix.sum():,} test examples by truth and guess, {accuracy:.1f} % of them right")
    bar = figure.colorbar(shown, label="share of the true class", shrink=0.8, ticks=[0, 0.01, 0.05, 0.2, 0.5, 1])
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    _save(figure, path)


def draw_mistakes(dataset: Dataset, predictions: np.ndarray, output: str, path: str | Path) -> None:
    """The wrong guesses of the highest confidence: image, truth and guess. predictions is (m, classes)."""
    guesses, confidence = predictions.argmax(axis=1), predictions.max(axis=1)
    wrong = np.flatnonzero(guesses != dataset.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:24]
    captions = [f"{dataset.labels[k]}, taken for {guesses[k]}\n{show_prediction(confidence[k], output)}" for k in worst]
    title = f"The {len(worst)} surest of {len(wrong):,} mistakes in {len(dataset.labels):,} test examples, and how sure"
    draw_images(dataset.inputs[worst], captions, title, path)


def draw_weights(weights: np.ndarray, path: str | Path) -> None:
    """The weights (o, i) of the first layer, each unit's as an image: blue lowers the unit's value, red raises it."""
    units = np.sort(np.argsort(-np.linalg.norm(weights, axis=1), kind="stable")[:60])
    which = f"the {len(units)} largest of {len(weights)}" if len(units) < len(weights) else f"{len(units)}"
    title = f"First-layer weights of {which} units, {weights.shape[1]} weights each"
    # The percentile, as a few extreme weights would make all others pale.
    bound = float(np.percentile(np.abs(weights[units]), 99.5)) or 1.0
    draw_images(weights[units], [f"unit {unit + 1}" for unit in units], title, path, bound=bound)


def draw_distortions(inputs: np.ndarray, path: str | Path, seed: int = 0) -> None:
    """Images (m, i) as they are, each with what `elastic` makes of it in nine steps of training, in a row."""
    keys = jax.random.split(jax.random.key(seed), 9)
    draws = np.asarray(jax.lax.map(lambda key: elastic(key, jnp.asarray(inputs)), keys))
    rows = np.concatenate([inputs[None], 255 * draws]).swapaxes(0, 1)
    captions = ["original", *["distorted"] * 9] + [""] * 10 * (len(inputs) - 1)
    title = "What elastic distortion makes of a digit: another draw in each step"
    draw_images(rows.reshape(-1, inputs.shape[1]), captions, title, path)


def draw_images(
    images: np.ndarray, captions: Sequence[str], title: str, path: str | Path, *, bound: float | None = None
) -> None:
    """Images (m, i) with captions, in rows: grey levels from 0 to 255; with `bound`, −bound blue to bound red."""
    columns = min(max(len(images), 1), 5) if len(images) <= 10 else 6 if len(images) <= 24 else 10
    rows = max(math.ceil(len(images) / columns), 1)
    wide, high = 1.15, 1.25 + 0.15 * max((caption.count("\n") for caption in captions), default=0)
    figure = Figure(figsize=(max(1.3 * wide * columns, 7), 1.3 * high * rows + 0.5), layout="constrained")
    figure.suptitle(title)
    # All in one axes, each image one unit wide: so many axes of their own would take seconds.
    axes = figure.subplots()
    axes.set_axis_off()
    look = {"cmap": "gray_r", "vmin": 0, "vmax": 255}
    if bound is not None:
        look = {"cmap": "RdBu_r", "vmin": -bound, "vmax": bound}
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top, left = high * (number // columns), wide * (number % columns)
        shown = axes.imshow(image.reshape(_shape(image.size)), extent=(left, left + 1, top + 1, top), **look)
        axes.text(left + 0.5, top - 0.03, caption, ha="center", va="bottom", fontsize=9)
        if bound is not None and number == 0:
            figure.colorbar(shown, label="weight, per pixel brightness from 0 to 1", extend="both", shrink=0.8)
    axes.set(xlim=(1 - wide, wide * columns), ylim=(high * rows - (high - 1), 1 - high), aspect="equal")
    _save(figure, path)


def _shape(pixels: int) -> tuple[int, int]:
    """A square where there is one, else a strip."""
    side = math.isqrt(pixels)
    return (side, side) if side * side == pixels else (1, pixels)


def _save(figure: Figure, path: str | Path) -> None:
    """Whole or not at all, of the kind that the suffix says. Raises ValueError for a kind that Matplotlib cannot do."""
    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix.lstrip(".").lower() or "png", dpi=130)
    write_atomically(Path(path), content.getvalue())
