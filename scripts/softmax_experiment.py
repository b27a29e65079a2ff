"""Why does taking the softmax derivative as 1 work? The notebook's experiments, repeated, corrected and explained.

First the notebook's cell In [11] from the notebook's own start, then MNIST with jaxnet. n starts, m examples.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

import jaxnet
from jaxnet import backprop

Array: TypeAlias = np.ndarray

# The notebook's one example and the random start that its output shows: (4, 4) weights, (4,) biases.
Y = np.array([0.0, 0, 1, 0])
A1 = np.array([-0.5, 2, -1, 2])
W2 = np.array(
    [
        [-0.99425939, -0.90462065, 0.70144063, -0.17468478],
        [0.48365069, 1.24297392, 1.11278452, -0.70666226],
        [0.03642154, 0.82449719, 0.89398637, -1.24945377],
        [-0.32258708, 1.13457837, 0.73162431, -0.20000658],
    ]
)
b2 = np.array([-0.36804239, -0.31741067, 0.141857, -0.03714414])
STEPS = 100
STARTS = 1000
SHOWN = (0, 1, 2, 5, 10, 20, 50, 99)

EPOCHS = 5
SIZES = (784, 10, 10)
INITS = {"normal": "standard normal", "he": "scaled √(2/inputs)"}
RATES = (0.01, 0.1)
LOSSES = {"squared-error": "true gradient", "cross-entropy": "factor 1"}  # DZ2 = Ŷ − Y is cross-entropy's gradient

BLUE, ORANGE = "#0072B2", "#D55E00"


# --- the notebook's cell ----------------------------------------------------------------------------------------------


def softmax_deriv(Y_hat: Array) -> Array:
    """The notebook's sm.dot(1 - sm), one number for an example: (n, 4) → (n, 1)."""
    return (Y_hat * (1 - Y_hat)).sum(axis=-1, keepdims=True)


class Way(NamedTuple):
    """A way to compute the gradient: DZ2 as a function of Ŷ (n, 4), and how DW2 is made of it."""

    error: Callable[[Array], Array]
    outer: bool  # the outer product DZ2 A1ᵀ, or the notebook's DZ2 * A1
    colour: str
    style: str


def true_error(Y_hat: Array) -> Array:
    """(diag(ŷ) − ŷ ŷᵀ)(ŷ − y)."""
    return np.einsum("nkj,nk->nj", backprop.softmax_jacobian(Y_hat), Y_hat - Y)


WAYS = {
    "softmax_deriv, elementwise": Way(lambda Y_hat: (Y_hat - Y) * softmax_deriv(Y_hat), False, BLUE, "--"),
    "1, elementwise": Way(lambda Y_hat: Y_hat - Y, False, ORANGE, "--"),
    "Jacobian, outer product": Way(true_error, True, BLUE, "-"),
    "1, outer product": Way(lambda Y_hat: Y_hat - Y, True, ORANGE, "-"),
}


def descend(way: Way, W: Array, b: Array, learning_rate: float = 1.0, train_weights: bool = True):
    """The losses ½Σ(Y−Ŷ)² before each step (STEPS, n), and the predictions (STEPS, n, 4), from n starts at once."""
    losses, predictions = [], []
    for _ in range(STEPS):
        Y_hat = backprop.softmax(W @ A1 + b)
        losses.append(0.5 * ((Y - Y_hat) ** 2).sum(axis=1))
        predictions.append(Y_hat)
        DZ2 = way.error(Y_hat)
        # Without the outer product NumPy adds the one row DZ2 * A1 to every row of W2.
        DW2 = DZ2[:, :, None] * A1 if way.outer else (DZ2 * A1)[:, None, :]
        W = W - learning_rate * DW2 * train_weights
        b = b - learning_rate * DZ2
    return np.array(losses), np.array(predictions)


def print_losses(curves: dict[str, Array], others: dict[str, Array]) -> None:
    print("One example, 4 units, learning rate 1, from the notebook's start: ½Σ(Y−Ŷ)² before the step of each epoch\n")
    print(f"{'softmax derivative, DW2':28}" + "".join(f"{epoch:>10}" for epoch in SHOWN))
    for name, losses in curves.items():
        print(f"{name:28}" + "".join(f"{losses[epoch]:10.2g}" for epoch in SHOWN))
    print(f"\nThe median of {STARTS:,} other random starts, drawn from the standard normal distribution\n")
    for name, losses in others.items():
        print(f"{name:28}" + "".join(f"{np.median(losses[epoch]):10.2g}" for epoch in SHOWN))


# --- MNIST ------------------------------------------------------------------------------------------------------------


def train_all(seeds: int) -> dict[tuple[str, float, str], Array]:
    """Test accuracy after each epoch, (seeds, EPOCHS), for each (init, learning rate, loss)."""
    train, test = jaxnet.load_data()

    def accuracy(init: str, rate: float, loss: str, seed: int) -> list[float]:
        params = jaxnet.init_params(seed, SIZES, init)
        settings = {"batch_size": 8, "learning_rate": rate, "schedule": "constant", "loss": loss, "seed": seed}
        return [epoch.test_accuracy for epoch in jaxnet.fit(params, train, test, epochs=EPOCHS, **settings)]

    return {
        choice: np.array([accuracy(*choice, seed) for seed in range(seeds)]) for choice in product(INITS, RATES, LOSSES)
    }


def print_accuracies(accuracies: dict[tuple[str, float, str], Array], seeds: int) -> None:
    sizes = "-".join(map(str, SIZES))
    print(f"\nMNIST, {sizes}, batch 8, SGD at a constant rate: test accuracy after 1 → {EPOCHS} epochs")
    print(f"(median of {seeds} seeds, and in brackets the lowest to the highest after {EPOCHS})\n")
    print(f"{'weights':20}{'learning rate':>14}" + "".join(f"{name:>38}" for name in LOSSES.values()))
    for init, words in INITS.items():
        for rate in RATES:
            cells = [show(accuracies[init, rate, loss]) for loss in LOSSES]
            print(f"{words:20}{rate:14}" + "".join(f"{cell:>38}" for cell in cells))


def show(accuracy: Array) -> str:
    first, last = np.median(accuracy[:, 0]), np.median(accuracy[:, -1])
    return f"{first:.1%} → {last:.1%} ({accuracy[:, -1].min():.1%}–{accuracy[:, -1].max():.1%})".replace("%", " %")


class Start(NamedTuple):
    """How the network stands before its first step: medians over examples and seeds."""

    surest: float  # the largest ŷ of an example
    wrong: float  # the share of examples whose surest class is wrong
    true: float  # ‖DZ2‖ of the squared error, over the wrong ones
    factor_one: float  # ‖Ŷ − Y‖, over the wrong ones


def measure_start(init: str, seeds: int, examples: int = 10_000) -> Start:
    train, _ = jaxnet.load_data()
    X, labels = train.inputs[:examples] / 255, train.labels[:examples]
    rows = []
    for seed in range(seeds):
        params = [(np.asarray(W, float), np.asarray(b, float)) for W, b in jaxnet.init_params(seed, SIZES, init)]
        Z, _, Y_hat = backprop.forward(params, X)
        errors = [backprop.output_error(Z[-1], Y_hat, np.eye(10)[labels], "softmax", loss) for loss in LOSSES]
        norms = [np.linalg.norm(error, axis=1) for error in errors]
        rows.append(np.stack([Y_hat.max(axis=1), Y_hat.argmax(axis=1) != labels, *norms]))
    surest, wrong, true, factor_one = np.concatenate(rows, axis=1)
    of_wrong = [float(np.median(norm[wrong == 1])) for norm in (true, factor_one)]
    return Start(float(np.median(surest)), float(wrong.mean()), *of_wrong)


# --- the picture and the answer ---------------------------------------------------------------------------------------


def draw(curves: dict[str, Array], accuracies: dict[tuple[str, float, str], Array], path: Path) -> None:
    """The losses of the notebook's cell, and the accuracies on MNIST at each learning rate."""
    figure = Figure(figsize=(13, 4.9), layout="constrained")
    figure.suptitle("The softmax derivative taken as 1 (orange), and not (blue)")
    loss_axes, *accuracy_axes = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    for name, losses in curves.items():
        loss_axes.plot(losses, WAYS[name].style, color=WAYS[name].colour, linewidth=2, label=name)
    loss_axes.set(title="The notebook's cell: one example", xlabel="epoch (one step each)", yscale="log")
    loss_axes.set(ylabel="squared error ½Σ(Y−Ŷ)², log scale", ylim=(1e-9, 2))
    for axes, rate in zip(accuracy_axes, RATES, strict=True):
        draw_accuracies(axes, {(init, loss): accuracies[init, rate, loss] for init, loss in product(INITS, LOSSES)})
        axes.set(title=f"MNIST, learning rate {rate}", xlabel="epoch (60,000 images each)", ylim=(0, 1))
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    accuracy_axes[0].set_ylabel("test accuracy: median, and range over the seeds")
    accuracy_axes[1].tick_params(labelleft=False)
    loss_axes.legend(title="softmax derivative, DW2", loc="lower right", bbox_to_anchor=(1, 0.13))
    accuracy_axes[1].legend(loc="lower right")
    for axes in (loss_axes, *accuracy_axes):
        axes.grid(color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


def draw_accuracies(axes: Axes, accuracies: dict[tuple[str, str], Array]) -> None:
    epochs = np.arange(1, EPOCHS + 1)
    for (init, loss), accuracy in accuracies.items():
        colour = BLUE if loss == "squared-error" else ORANGE
        (line,) = axes.plot(epochs, np.median(accuracy, axis=0), "s--" if init == "normal" else "o-", color=colour)
        line.set_label(f"{LOSSES[loss]}, {INITS[init]}")
        axes.fill_between(epochs, accuracy.min(axis=0), accuracy.max(axis=0), color=colour, alpha=0.12, linewidth=0)
    axes.set_xticks(epochs)


def print_answer(curves: dict[str, Array], accuracies: dict[tuple[str, float, str], Array], seeds: int) -> None:
    """Why 1 works, each claim with the number that shows it."""
    one = W2[None], b2[None]
    _, predictions = descend(WAYS["softmax_deriv, elementwise"], *one)
    factors = softmax_deriv(predictions)
    frozen, _ = descend(WAYS["1, elementwise"], *one, train_weights=False)
    unseen = np.abs(frozen[:, 0] - curves["1, elementwise"]).max()
    with jax.enable_x64(True):
        scores = jnp.asarray(W2 @ A1 + b2)[None]
        cross_entropy = jax.grad(lambda scores: jaxnet.cross_entropy(scores, jnp.asarray(Y)[None]))(scores)
    apart = np.abs(np.asarray(cross_entropy) - (predictions[0] - Y)).max()
    normal, he = (measure_start(init, seeds) for init in INITS)
    last = {key: np.median(accuracy[:, -1]) for key, accuracy in accuracies.items()}
    gap = {init: last[init, 0.01, "cross-entropy"] - last[init, 0.01, "squared-error"] for init in INITS}
    best = {loss: max(value for key, value in last.items() if key[2] == loss) for loss in LOSSES}
    times = {init: start.factor_one / start.true for init, start in (("normal", normal), ("he", he))}
    answer = f"""
    1. It is the gradient of another loss. With the derivative taken as 1, DZ2 = Ŷ − Y, and that is exactly what the
    cross-entropy −Σ y log ŷ has (to within {max(apart, 1e-16):.0e} of jax.grad on the example above). Both losses are
    least at Ŷ = Y, so on the way down the one, the other falls as well.

    2. "For real" was no test of it. sm.dot(1 - sm) is a single positive number ({factors.max():.2f} down to
    {factors.min():.3f} here), not the Jacobian diag(ŷ) − ŷŷᵀ: it shortens the step Ŷ − Y and leaves its direction. So
    both experiments descend the cross-entropy, one more slowly: {curves["softmax_deriv, elementwise"][50]:.2g} against
    {curves["1, elementwise"][50]:.2g} at epoch 50.

    3. Neither trained W2 to any effect. DZ2 * A1 is one row, added to every row of W2: all four scores move alike,
    which softmax does not see (with W2 held fixed the losses differ by {unseen:.0e}). Only b2 learned. With the outer
    product one step takes the loss from {curves["1, outer product"][0]:.2f} to {curves["1, outer product"][1]:.0e}
    with 1, to {curves["Jacobian, outer product"][1]:.2f} with the Jacobian.

    4. It helps most where the softmax saturates, and with standard-normal weights it does: before the first step on
    MNIST the largest ŷ of an example is {normal.surest:.3f} in the median, and {normal.wrong:.0%} of the examples are
    wrong. On those the true gradient Ŷ ∘ (…) all but vanishes: the median of ‖DZ2‖ is {normal.true:.1g}, that of
    ‖Ŷ − Y‖ is {normal.factor_one:.2f}, {times["normal"]:.0f} times as much. With weights scaled by √(2/inputs) they
    are {he.true:.2f} and {he.factor_one:.2f}, {times["he"]:.0f} times as much.

    5. So the true gradient is sound, and starved by the weights. At learning rate 0.01, after {EPOCHS} epochs, factor 1
    is ahead by {100 * gap["normal"]:.0f} points with standard-normal weights and by {100 * gap["he"]:.1f} with scaled
    ones; at its best, the true gradient reaches {best["squared-error"]:.1%} and factor 1 {best["cross-entropy"]:.1%}.
    """
    print("\nWhy 1 works\n")
    for paragraph in answer.replace("%", " %").split("\n\n"):
        print(textwrap.fill(" ".join(paragraph.split()), 116, subsequent_indent="   "))


def main(
    out: Annotated[Path, typer.Option(help="Where the curves are drawn to.")] = Path("softmax_experiment.png"),
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds MNIST is trained with.")] = 5,
) -> None:
    """Repeat the notebook's two softmax experiments, and say why taking the derivative as 1 works.

    Prints the losses of the notebook's cell, and those with the true Jacobian;
    test accuracies on MNIST, with the true gradient and with factor 1; and the
    answer, with the numbers just measured. Takes about a minute.
    """
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"--out is {out}, but there is no folder {out.parent}")
    random = np.random.default_rng(0)
    starts = random.normal(size=(STARTS, 4, 4)), random.normal(size=(STARTS, 4))
    curves = {name: descend(way, W2[None], b2[None])[0][:, 0] for name, way in WAYS.items()}
    print_losses(curves, {name: descend(way, *starts)[0] for name, way in WAYS.items()})
    accuracies = train_all(seeds)
    print_accuracies(accuracies, seeds)
    print_answer(curves, accuracies, seeds)
    draw(curves, accuracies, out)
    print(f"\nThe curves are in {out}.")


if __name__ == "__main__":
    typer.run(main)
