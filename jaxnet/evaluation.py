"""What a network makes of examples: its predictions, its loss, its accuracy, and which classes it confuses.

m examples, i inputs, o classes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.data import Dataset
from jaxnet.losses import LOSSES
from jaxnet.network import Params, choose, forward, logits

PROBABILITIES = ("softmax", "sigmoid")  # outputs that are probabilities of the classes


def evaluate(
    params: Params,
    dataset: Dataset,
    *,
    hidden: str = "relu",
    output: str = "softmax",
    loss: str = "squared-error",
) -> tuple[jax.Array, jax.Array]:
    """Mean loss and accuracy (a fraction) on a whole set. The prediction is the class with the largest score.

    Raises ValueError for examples that do not fit the network, as `check_examples` says, and for unknown names.
    """
    check_examples(params, dataset)
    return loss_and_accuracy(params, dataset, hidden=hidden, output=output, loss=loss)


def check_examples(params: Params, dataset: Dataset) -> None:
    """Raise ValueError unless the examples have as many inputs as the network, and labels that it has outputs for."""
    inputs, classes = params[0].weights.shape[1], len(params[-1].biases)
    if dataset.inputs.shape[1] != inputs:
        raise ValueError(f"the network takes {inputs} inputs, but an example has {dataset.inputs.shape[1]}")
    if (highest := int(np.max(dataset.labels))) >= classes:
        raise ValueError(f"the network has the classes 0 to {classes - 1}, but an example has label {highest}")


@partial(jax.jit, static_argnames=("hidden", "output", "loss"))
def loss_and_accuracy(
    params: Params, dataset: Dataset, *, hidden: str, output: str, loss: str
) -> tuple[jax.Array, jax.Array]:
    """What `evaluate` gives, for examples that are known to fit the network."""
    scores = logits(params, scale_pixels(jnp.asarray(dataset.inputs)), hidden)
    value = choose(LOSSES, loss, "loss")(scores, one_hot(params, dataset.labels), output)
    return value, jnp.mean(scores.argmax(axis=-1) == dataset.labels)


@partial(jax.jit, static_argnames=("hidden", "output"))
def predict(params: Params, inputs: jax.Array, *, hidden: str = "relu", output: str = "softmax") -> jax.Array:
    """The network's prediction ŷ for inputs as the data has them, uint8 pixels or floats: (m, i) → (m, o)."""
    return forward(params, scale_pixels(jnp.asarray(inputs)), hidden, output)


def scale_pixels(inputs: jax.Array) -> jax.Array:
    """uint8 pixels as float32 from 0 to 1; inputs that are floats already stay as they are."""
    return inputs.astype(jnp.float32) / 255 if inputs.dtype == jnp.uint8 else inputs


def one_hot(params: Params, labels: jax.Array | np.ndarray) -> jax.Array:
    """Labels (m,) as targets (m, o) for the network with these parameters: 1 at the label's class, else 0."""
    biases = params[-1].biases
    return jax.nn.one_hot(labels, len(biases), dtype=biases.dtype)


def show_prediction(value: float, output: str) -> str:
    """A prediction ŷ for the eye: in per cent where the output activation makes it a probability."""
    return f"{100 * value:.1f} %" if output in PROBABILITIES else f"{value:.3f}"


def confusion_matrix(labels: np.ndarray, guesses: np.ndarray, classes: int) -> np.ndarray:
    """How many examples of each class, its row, were taken for each class, its column: (classes, classes)."""
    pairs = np.asarray(labels, np.int64) * classes + np.asarray(guesses)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def precision_and_recall(matrix: np.ndarray) -> list[dict[str, Any]]:
    """Of each class in a confusion matrix: its number, its examples, precision and recall, None where 0 / 0."""

    def share(part: np.integer, whole: np.integer) -> float | None:
        return float(part / whole) if whole else None

    return [
        {
            "class": number,
            "examples": int(matrix[number].sum()),
            "precision": share(matrix[number, number], matrix[:, number].sum()),
            "recall": share(matrix[number, number], matrix[number].sum()),
        }
        for number in range(len(matrix))
    ]
