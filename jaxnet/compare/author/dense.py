"""Reads a recorded forward pass as a dense network, so that the catalogue's formulas can be tried on it.

A layer is a product with a parameter, perhaps a bias added, and an activation between it and the next product, which
is recognised by its numbers in every draw. All comes as rows: weights (o, i), Z and A (m, o).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxnet import backprop
from jaxnet.compare import mistakes
from jaxnet.compare.author.node import Node, ancestors, original
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step, held_in
from jaxnet.compare.author.truth import Truth, are_signs, labels_of
from jaxnet.compare.diagnosis import Problem, continued
from jaxnet.compare.mistakes import Array, Pass
from jaxnet.compare.multiples import in_shape, without_ones

EXACT = 1e-9


class Layer(NamedTuple):
    """One layer of one example: its product, and what stands on either side of it."""

    weights: Parameter
    biases: Parameter | None
    weights_first: bool  # W A, with examples as columns, rather than A W
    turned: bool  # the product uses the transpose of the parameter
    input: Node
    product: Node
    scores: Node


class Dense(NamedTuple):
    """A dense network: its layers for each example, and the activations, the output's last."""

    layers: list[list[Layer]]  # by layer, then by example
    activations: list[str]  # index l made A[l]
    layout: str
    over_batch: bool = False  # the softmax is normalised over the examples

    @property
    def parameters(self) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for number, (layer, *_) in enumerate(self.layers, start=1):
            found[f"W{number}"] = layer.weights
            if layer.biases is not None:
                found[f"b{number}"] = layer.biases
        return found

    def output_first(self, number: int) -> bool:
        """Whether the author holds the weights of a layer as (o, i)."""
        layer = self.layers[number - 1][0]
        return layer.weights_first != layer.turned


def recognise(step: Step, drawn: list[Values]) -> Dense | None:
    """The dense network that the forward pass is; None if it is another one, or not all parameters are its own."""
    by_node = {p.before: p for p in step.parameters}
    per_example = []
    for example in step.examples:
        layers = _layers(example.prediction, step, by_node)
        if layers is None:
            return None
        per_example.append(layers)
    if len({len(layers) for layers in per_example}) != 1 or not per_example[0]:
        return None
    by_layer = [list(group) for group in zip(*per_example, strict=True)]
    if any(len({layer.weights.before for layer in group}) != 1 for group in by_layer):
        return None
    used = {p.before for group in by_layer for layer in group for p in (layer.weights, layer.biases) if p}
    used |= {original(layer.input, by_node) for layer in by_layer[0]}.intersection(by_node)
    if used - set(by_node) or (set(by_node) - used) & set(step.forward):
        return None
    layout = "columns" if by_layer[0][0].weights_first else "rows"
    dense = Dense(by_layer, [""], layout)
    found = [_activation(dense, step, drawn, number) for number in range(1, len(by_layer) + 1)]
    activations = [name for name in found if name is not None]
    if len(activations) < len(found):
        return None
    over_batch = activations[-1] in mistakes.OVER_BATCH
    if over_batch:
        activations[-1] = "softmax"
    return dense._replace(activations=["", *activations], over_batch=over_batch)


def _layers(prediction: Node, step: Step, by_node: dict[Node, Parameter]) -> list[Layer] | None:
    held = held_in(step.parameters)
    inside = ancestors([prediction], until=lambda n: n in held)
    nodes = sorted((n for n in inside if n in step.active), key=lambda n: n.number)
    layers, seen = [], set()
    for node in nodes:
        if node.function not in (np.dot, np.matmul) or len(node.inputs) != 2:
            continue
        first, second = node.inputs
        if not (isinstance(first, Node) and isinstance(second, Node)):
            continue
        left, right = (by_node.get(original(side, by_node)) for side in (first, second))
        if left is not None and right is not None and not layers:  # the data are stepped as well
            data_first, weights_first = (prediction.shape[k:][:1] == node.shape[k:][:1] for k in (0, 1))
            left, right = (left if weights_first else None), (right if data_first else None)
        if (left is None) == (right is None):
            return None
        weights, own, other = (left, first, second) if left is not None else (right, second, first)
        assert weights is not None
        if weights.before in seen or len(weights.before.shape) > 2:
            return None
        if len(without_ones(own.shape)) > len(without_ones(weights.before.shape)):
            return None  # a vector that holds a matrix row by row, or column by column
        seen.add(weights.before)
        scores, biases = node, None
        for child in (n for n in nodes if n.function is np.add and node in n.parents):
            addend = next((n for n in child.inputs if n is not node), None)
            if isinstance(addend, Node):
                added = by_node.get(original(addend, by_node))
                if added is not None:
                    scores, biases = child, added
                elif addend not in step.active:
                    scores = child  # biases that no step changes
        # A vector as weights holds those of a single unit, whichever side it stands on.
        weights_first = left is not None
        turned = own is not weights.before and own.function in (np.transpose, np.swapaxes)
        layers.append(Layer(weights, biases, weights_first, turned, other, node, scores))
    return layers


# --- values as rows ---------------------------------------------------------------------------------------------------


def _rows(value: Array, weights_first: bool) -> Array:
    """(m, n) of an array that holds examples as columns or rows, or of one example's vector."""
    if value.ndim < 2:
        return value.reshape(1, -1)
    return value.T if weights_first else value


def _units(value: Array, layer: Layer) -> Array:
    """The same for scores, where a vector may also be one unit's for all examples."""
    if value.ndim == len(layer.weights.before.shape) == 1:
        return value.reshape(-1, 1)
    return _rows(value, layer.weights_first)


def _stacked(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _input(dense: Dense, number: int, values: Values) -> Array:
    return _stacked(
        [_rows(np.asarray(values(layer.input), float), layer.weights_first) for layer in dense.layers[number - 1]]
    )


def _scores(dense: Dense, number: int, values: Values) -> Array:
    return _stacked([_units(np.asarray(values(layer.scores), float), layer) for layer in dense.layers[number - 1]])


def _of_prediction(dense: Dense, arrays: list[Array], values: Values) -> Array | None:
    """Arrays of the predictions' shapes, one for each example, as rows (m, o)."""
    parts = []
    for layer, array in zip(dense.layers[-1], arrays, strict=True):
        scores = np.asarray(values(layer.scores))
        if array.size != scores.size:
            return None
        parts.append(_units(in_shape(np.asarray(array, float), scores.shape), layer))
    return _stacked(parts)


def _prediction(dense: Dense, step: Step, values: Values) -> Array | None:
    return _of_prediction(dense, [np.asarray(values(e.prediction)) for e in step.examples], values)


def _weights(dense: Dense, number: int, values: Values, stepped: bool) -> Array:
    """W as (o, i), before the step or after it."""
    parameter = dense.layers[number - 1][0].weights
    W = np.atleast_2d(np.asarray(values(parameter.after if stepped else parameter.before), float))
    return W if parameter.before.shape != W.shape or dense.output_first(number) else W.T


def as_rows(dense: Dense, name: str, array: Array) -> Array:
    """A gradient of the parameter as the catalogue has it: (o, i) or (o,) where the shape is right."""
    number = int(name[1:])
    parameter = dense.parameters[name]
    if name[0] == "b":
        vector = array.ndim <= 1 or (array.ndim == 2 and 1 in array.shape)
        return array.ravel() if vector and array.size == parameter.size else array
    if len(parameter.before.shape) == 1:
        return array.reshape(1, -1) if array.size == parameter.size else array
    return array if dense.output_first(number) or array.ndim != 2 else array.T


def _activation(dense: Dense, step: Step, drawn: list[Values], number: int) -> str | None:
    """The name of the function from a layer's scores to what follows: the next layer's input, or the prediction."""
    last = number == len(dense.layers)
    names = ["softmax", *mistakes.OVER_BATCH] * last + list(mistakes.ACTIVATIONS)
    both = zip(step.examples, dense.layers[-1], strict=True)
    if last and all(original(example.prediction) is original(layer.scores) for example, layer in both):
        names = ["identity"]  # the numbers alone, if all are positive, could be a relu's
    pairs = []
    for values in drawn:
        Z = _scores(dense, number, values)
        A = _prediction(dense, step, values) if last else _input(dense, number + 1, values)
        if A is None or A.shape != Z.shape:
            return None
        pairs.append((Z, A))
    below = next(((z, a) for Z, A in pairs for z, a in zip(Z.flat, A.flat, strict=True) if z < 0), None)
    if below is not None and 0 < below[1] / below[0] < 1:
        names.append(f"leaky_relu({below[1] / below[0]:.9g})")
    return next((name for name in names if all(equal(activated(Z, name), A) for Z, A in pairs)), None)


def activated(Z: Array, name: str) -> Array:
    """What an activation of this name makes of scores, (m, o)."""
    if name in mistakes.OVER_BATCH:
        return mistakes.OVER_BATCH[name](Z)
    return backprop.softmax(Z) if name == "softmax" else mistakes.ACTIVATIONS[name][0](Z)


def equal(first: Array, second: Array) -> bool:
    """Whether two arrays are the same but for rounding."""
    return bool(np.abs(first - second).max(initial=0) <= EXACT * max(np.abs(second).max(initial=0), 1e-300))


# --- what the diagnosis is given --------------------------------------------------------------------------------------


def problem(
    dense: Dense, step: Step, drawn: list[Values], truth: Truth, gradients: dict[str, list[Array]]
) -> Problem | None:
    """The network, its loss's derivatives and the given gradients in each draw; None where they do not fit."""
    passes, new = [], []
    depth = len(dense.layers)
    penalty: list[list[float]] = [[0.0] * len(drawn) for _ in range(depth + 1)]
    for k, values in enumerate(drawn):

        def adjoint(node: Node, of_draw: dict[Node, Array] = truth.adjoints[k]) -> Array:
            return np.asarray(of_draw.get(node, np.zeros(node.shape)), float)

        W, after = (
            [np.zeros((0, 0)), *(_weights(dense, number, values, stepped) for number in range(1, depth + 1))]
            for stepped in (False, True)
        )
        Z = [_scores(dense, number, values) for number in range(1, depth + 1)]
        Y = [labels_of(example, values) for example in step.examples]
        if any(y is None for y in Y):
            return None
        Y_rows = _of_prediction(dense, [y for y in Y if y is not None], values)
        A_last = _prediction(dense, step, values)
        DZ = _stacked([_units(adjoint(layer.scores), layer) for layer in dense.layers[-1]])
        DY_hat = _of_prediction(dense, [adjoint(e.prediction) for e in step.examples], values)
        if Y_rows is None or A_last is None or DY_hat is None:
            return None
        A = [_input(dense, number, values) for number in range(1, depth + 1)] + [A_last]
        activations = list(dense.activations)
        if activations[-1] == "identity" and truth.loss.name in ("cross-entropy", "binary-cross-entropy"):
            # The loss takes the scores and holds the softmax or sigmoid itself.
            activations[-1] = "softmax" if truth.loss.name == "cross-entropy" else "sigmoid"
            A[-1] = activated(Z[-1], activations[-1])
            Y_rows = (1 + Y_rows) / 2 if activations[-1] == "sigmoid" and are_signs(Y_rows) else Y_rows
            with np.errstate(all="ignore"):
                slope = -Y_rows / A[-1] if activations[-1] == "softmax" else (A[-1] - Y_rows) / (A[-1] * (1 - A[-1]))
            scale = np.abs(DZ).max() / max(np.abs(A[-1] - Y_rows).max(), 1e-300)
            DY_hat = scale * np.nan_to_num(slope)
        if dense.over_batch:
            # Right is what follows from these predictions by the formulas for a softmax of each example.
            error = backprop.output_error(Z[-1], A[-1], Y_rows, "softmax", truth.loss.name or "cross-entropy")
            scale = float(np.abs(DY_hat).max() / max(np.abs(_slope(A[-1], Y_rows, truth.loss.name)).max(), 1e-300))
            DZ, DY_hat = scale * error, scale * _slope(A[-1], Y_rows, truth.loss.name)
        forward = Pass(W, [np.zeros((len(Y_rows), 0)), *Z], A, Y_rows, activations, DY_hat, DZ)
        if any(z.shape != (len(Y_rows), w.shape[0]) for z, w in zip(Z, W[1:], strict=True)):
            return None
        errors = continued(forward, {forward.last: forward.DZ})
        for number in range(1, depth + 1) if not dense.over_batch else ():
            true = as_rows(dense, f"W{number}", adjoint(dense.parameters[f"W{number}"].before))
            data = errors[number].T @ A[number - 1]
            found = _penalty(true, data, W[number])
            if found is None:
                return None
            penalty[number][k] = found
        passes.append(forward)
        new.append(after)

    def given(name: str) -> list[Array | None]:
        return [as_rows(dense, name, g) for g in gradients[name]] if name in gradients else [None] * len(drawn)

    dW, db = ([given(f"{kind}{number}") for number in range(depth + 1)] for kind in "Wb")
    if any([w.shape for w in p.W] != [w.shape for w in after] for p, after in zip(passes, new, strict=True)):
        new = []  # a step that gives an array another shape
    return Problem(passes, dW, db, 1e-8, penalty, new=tuple(new))


def _slope(Y_hat: Array, Y: Array, loss: str | None) -> Array:
    """∂loss/∂Ŷ of an example, by a softmax."""
    return mistakes.LOSS_SLOPES["squared-error" if loss == "squared-error" else "cross-entropy"](Y_hat, Y)


def _penalty(true: Array, data: Array, W: Array) -> float | None:
    """λ with true = data + λ W, however small that is beside the rest; None if there is none."""
    rest = true - data
    size, of_rest = (np.abs(array).max(initial=0) for array in (true, rest))
    found = float(np.vdot(W, rest) / (np.vdot(W, W) or 1))
    off = np.abs(rest - found * W).max(initial=0)
    if off > 1e-7 * size:
        return None
    # A number that explains the rest is none of rounding, unless it explains but one.
    return found if of_rest > 1e-7 * size or (W.size > 1 and off <= 1e-3 * of_rest) else 0.0
