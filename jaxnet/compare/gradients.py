"""The array interface: given gradients against `jax.grad`, for any loss and pytree, or for a dense network in full.

All is computed in float64, whatever the inputs; gradients given in float32 are compared at float32's precision.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet import backprop
from jaxnet.compare import mistakes
from jaxnet.compare.diagnosis import Diagnosis, Finding, Problem, diagnose, leaf_findings, right_ones
from jaxnet.compare.files import compare_file
from jaxnet.compare.mistakes import Array, Pass
from jaxnet.compare.multiples import NOTHING
from jaxnet.compare.report import Parameter, Report
from jaxnet.data import load_data
from jaxnet.losses import LOSSES, network_loss
from jaxnet.network import ACTIVATIONS, OUTPUTS, Layer, choose, init_params

# The losses that go with an output, the one first that is assumed if two explain a gradient equally well.
LOSSES_OF_OUTPUT = {
    "softmax": ("squared-error", "cross-entropy"),
    "sigmoid": ("squared-error", "binary-cross-entropy"),
    "tanh": ("squared-error",),
    "identity": ("squared-error",),
}


AsRows: TypeAlias = tuple[list[Array], list[Array | None], Array, Array]


class Guess(NamedTuple):
    """What nobody stated, as one way to fill it in."""

    loss: str
    reduction: str  # mean or sum
    weights_are_output_first: bool
    layout: str


def compare_gradients(loss: Callable[..., Any], params: Any, gradients: Any, *args: Any) -> Report:
    """Compare given gradients with `jax.grad(loss)(params, *args)`, leaf by leaf.

    `loss(params, *args)` is any JAX function to a scalar; params any pytree of arrays, gradients one of the same
    structure and shapes. A leaf is right if no entry differs by more than rounding (1e-9, or 2e-5 where float32
    was given) of the leaf's largest entry. Raises ValueError for another structure, NaN or infinity.
    """
    structure = jax.tree.structure(params)
    if jax.tree.structure(gradients) != structure:
        raise ValueError(f"gradients have the structure {jax.tree.structure(gradients)}, but params have {structure}")
    with jax.enable_x64(True):
        as_float64 = jax.tree.map(_to_float64, params)
        true = jax.grad(loss)(as_float64, *jax.tree.map(_to_float64, args))
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    given = dict(zip(names, map(np.asarray, jax.tree.leaves(gradients)), strict=True))
    tolerance = _tolerance(given.values())
    parameters = verdicts(
        dict(zip(names, map(np.asarray, jax.tree.leaves(params)), strict=True)),
        {name: array.astype(np.float64) for name, array in given.items()},
        dict(zip(names, map(np.asarray, jax.tree.leaves(true)), strict=True)),
        tolerance,
    )
    return Report.of(parameters, leaf_findings([(p.name, p.given, p.true) for p in parameters], tolerance))


def diagnose_backprop(
    params: Any,
    inputs: Any,
    targets: Any,
    gradients: Any,
    *,
    hidden: str = "relu",
    output: str = "softmax",
    loss: str | None = None,
    layout: str = "rows",
) -> Report:
    """Which gradients of a dense network are wrong, and which formulas they were computed with.

    params and gradients are mappings (W1, b1, W2 …, in any case; gradients also as dW1, db1 …) or sequences of
    (weights, biases), a Layer for instance; weights (o, i) or (i, o), which the shapes tell, or trying both.
    inputs are (m, i) and targets (m, o) or labels (m,) for layout "rows", their transposes for "columns". The loss
    is a name of `jaxnet.losses` and then is the mean over examples; without one, each loss that goes with
    the output is tried, mean and sum, and the report says which one it is.

    Raises ValueError for names, numbers of arrays or shapes that do not fit together, and for NaN or infinity.
    """
    choose(ACTIVATIONS, hidden, "activation")
    choose(OUTPUTS, output, "output")
    if loss is not None:
        choose(LOSSES, loss, "loss")
        if loss not in LOSSES_OF_OUTPUT[output]:
            raise ValueError(f"no {loss} with output {output}; choose one of: {', '.join(LOSSES_OF_OUTPUT[output])}")
    if layout not in ("rows", "columns"):
        raise ValueError(f"layout is {layout!r}; choose rows or columns")
    weights, biases = _by_layer(params, "params")
    dW, db = _by_layer(gradients, "gradients")
    if len(dW) != len(weights) or [b is None for b in db] != [b is None for b in biases]:
        raise ValueError(
            f"gradients are of {len(dW)} layers with {sum(b is not None for b in db)} biases, "
            f"params of {len(weights)} with {sum(b is not None for b in biases)}"
        )
    tolerance = _tolerance(array for array in (*dW, *db) if array is not None)
    inputs, targets = _finite(inputs, "inputs"), np.asarray(targets)
    names = (loss,) if loss else LOSSES_OF_OUTPUT[output]
    guesses = [
        Guess(name, reduction, output_first, which)
        for which in (layout, "columns" if layout == "rows" else "rows")
        for name in names
        for reduction in (("mean",) if loss else ("mean", "sum"))
        for output_first in (True, False)
    ]
    best: tuple[Diagnosis, Guess, AsRows] | None = None
    possible: list[tuple[Guess, AsRows]] = [
        (guess, arrays)
        for guess in guesses
        if (arrays := _as_rows(weights, biases, inputs, targets, guess)) is not None
    ]
    possible = [(guess, arrays) for guess, arrays in possible if guess.layout == possible[0][0].layout]
    for guess, arrays in possible:
        if all(right_ones(_problem(*arrays, dW, db, hidden, output, guess, tolerance))):
            best = Diagnosis([], 0.0), guess, arrays
            break
    else:  # not all is right under any guess: then the one counts under which the least is wrong
        for guess, arrays in possible:
            limit = best[0].price if best is not None else math.inf
            found = _diagnose_guess(*arrays, dW, db, hidden, output, guess, tolerance, limit)
            if best is None or found.price < best[0].price:
                best = found, guess, arrays
    if best is None:
        raise ValueError(
            f"weights of shapes {', '.join(str(w.shape) for w in weights)} do not chain from inputs {inputs.shape} to "
            f"targets {targets.shape}, neither as (o, i) nor as (i, o)"
        )
    (findings, *_), guess, arrays = best
    true = true_gradients(*arrays, hidden, output, guess)
    given = dict(_named(dW, db))
    parameters = verdicts(
        dict(_named(weights, biases)),
        {name: array.astype(np.float64) for name, array in given.items()},
        dict(_named([t if guess.weights_are_output_first else t.T for t, _ in true], [b for _, b in true])),
        tolerance,
    )
    return Report.of(
        parameters,
        findings,
        loss={"name": guess.loss, "reduction": guess.reduction, "from": "flag" if loss else "inferred"},
        network={
            "sizes": [arrays[2].shape[1], *(W.shape[0] for W in arrays[0])],
            "hidden": hidden,
            "output": output,
            "layout": guess.layout,
        },
    )


def _diagnose_guess(W, b, X, Y, dW, db, hidden, output, guess: Guess, tolerance: float, limit: float) -> Diagnosis:
    """The diagnosis under one guess; where the softmax is in doubt, also as one over the batch."""
    problem = _problem(W, b, X, Y, dW, db, hidden, output, guess, tolerance)
    found = diagnose(problem, limit)
    if output == "softmax" and any(f.at == f"dZ{len(W)}" or f.code == "unknown" for f in found.findings):
        for softmax in mistakes.OVER_BATCH.values():
            over_batch = _problem(W, b, X, Y, dW, db, hidden, output, guess, tolerance, softmax)
            again = diagnose(over_batch, found.price - 1)
            if again.price + 1 < found.price:
                findings = [Finding("forward", "softmax-over-all-entries"), *again.findings]
                found = Diagnosis(findings, again.price + 1, again.errors)
    return found


def compare_library(batch_size: int = 128) -> Report:
    """The library's own hand-written gradient on the notebook's 784-10-10 and a batch of real MNIST images."""
    train, _ = load_data()
    params = [(np.asarray(W, np.float64), np.asarray(b)) for W, b in init_params(0, (784, 10, 10))]
    X, Y = train.inputs[:batch_size] / 255, np.eye(10)[train.labels[:batch_size]]
    report = diagnose_backprop(params, X, Y, backprop.backward(params, X, Y), loss="squared-error")
    return report._replace(source="jaxnet/backprop.py")


def gradients_of_update(before: Any, after: Any, learning_rate: float) -> Any:
    """The gradients that an SGD step implies, (before − after) / learning_rate, for each leaf of any pytree.

    Pass copies of the parameters: an update in place changes what `before` refers to. Raises ValueError for a rate
    that is not positive, and for another structure or shapes.
    """
    if not learning_rate > 0:
        raise ValueError(f"learning rate is {learning_rate}; a positive number is needed")
    if jax.tree.structure(before) != jax.tree.structure(after):
        raise ValueError("the parameters before and after the update differ in structure")
    return jax.tree.map(
        lambda b, a: (np.asarray(b, np.float64) - np.asarray(a, np.float64)) / learning_rate, before, after
    )


def assert_gradients_match(*args: Any, **keywords: Any) -> None:
    """Raise AssertionError with the report unless the gradients are right; for a test suite.

    Takes the arguments of `compare_file` (the first one is a path), of `compare_gradients` (a loss function) or of
    `diagnose_backprop`. Gradients that are right up to a constant do not match: where that is meant, a test asserts
    that the report's verdict is not "wrong". Raises ValueError, of one line, where there is no verdict.
    """
    if isinstance(args[0], str | Path):
        compare = compare_file
    else:
        compare = compare_gradients if callable(args[0]) else diagnose_backprop
    report = compare(*args, **keywords)
    if report.verdict != "right":
        raise AssertionError(f"\n{report}")


# --- reading what is given ------------------------------------------------------------------------------------------


def _to_float64(leaf: Any) -> Any:
    array = jnp.asarray(leaf)
    return array.astype(jnp.float64) if jnp.issubdtype(array.dtype, jnp.floating) else array


def _tolerance(arrays) -> float:
    """What counts as equal, as a share of the largest entry: rounding of the least precise array."""
    precisions = [np.finfo(array.dtype).eps if array.dtype.kind == "f" else 0.0 for array in arrays]
    return max([1e-9, *(170 * float(eps) for eps in precisions)])


def _finite(array: Any, what: str) -> Array:
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{what} has dtype {array.dtype}; numbers are needed")
    if not np.isfinite(array).all():
        where = [int(k) for k in np.argwhere(~np.isfinite(array))[0]]
        raise ValueError(f"{what} holds {array[tuple(where)]} at {where}; finite numbers are needed")
    return array


def _by_layer(given: Any, what: str) -> tuple[list[Array], list[Array | None]]:
    """Weights and biases, layer by layer, of a mapping by name or a sequence of pairs."""
    if isinstance(given, Mapping):
        found: dict[str, dict[int, Array]] = {"w": {}, "b": {}}
        for name, array in given.items():
            match = re.fullmatch(r"(?:d|grad|g)?_?([wb])_?(\d+)", str(name).lower())
            if match is None:
                raise ValueError(f"{what} have a {name!r}; names such as W1, b1, W2 are needed")
            found[match[1]][int(match[2])] = _finite(array, f"{what}[{name!r}]")
        layers = sorted(found["w"])
        if not layers or not set(found["b"]) <= set(layers):
            raise ValueError(f"{what} have {', '.join(map(str, given)) or 'no entries'}; W1, b1, W2 … are needed")
        return [found["w"][k] for k in layers], [found["b"].get(k) for k in layers]
    if isinstance(given, Sequence) and given and all(isinstance(pair, Sequence) and len(pair) == 2 for pair in given):
        weights = [_finite(pair[0], f"{what}[{k}] weights") for k, pair in enumerate(given)]
        return weights, [None if b is None else _finite(b, f"{what}[{k}] biases") for k, (_, b) in enumerate(given)]
    raise ValueError(
        f"{what} are a {type(given).__name__}; a mapping (W1, b1, …) or (weights, biases) pairs are needed"
    )


def _named(weights: list, biases: list):
    for k, (W, b) in enumerate(zip(weights, biases, strict=True), start=1):
        yield f"W{k}", W
        if b is not None:
            yield f"b{k}", b


def _as_rows(weights, biases, inputs: Array, targets: Array, guess: Guess) -> AsRows | None:
    """(weights (o, i), biases (o,) or None, X (m, i), Y (m, o)) if the shapes fit the guess, else None."""
    W = [(w if guess.weights_are_output_first else w.T).astype(np.float64) for w in weights]
    X = (inputs if guess.layout == "rows" else inputs.T).astype(np.float64)
    if X.ndim != 2 or any(w.ndim != 2 for w in W):
        return None
    classes = W[-1].shape[0]
    if targets.ndim == 1 and targets.dtype.kind in "iu" and classes > 1 and targets.max(initial=0) < classes:
        Y = np.eye(classes)[targets]
    else:
        Y = np.atleast_2d(targets.T).T if guess.layout == "rows" else np.atleast_2d(targets).T
    sizes = [X.shape[1], *(w.shape[0] for w in W)]
    if [w.shape[1] for w in W] != sizes[:-1] or Y.shape != (len(X), classes):
        return None
    if any(b is not None and b.size != size for b, size in zip(biases, sizes[1:], strict=True)):
        return None
    return W, [None if b is None else b.astype(np.float64).ravel() for b in biases], X, Y.astype(np.float64)


# --- the network, by NumPy for the formulas and by JAX for the truth ------------------------------------------------


def make_pass(W, b, X: Array, Y: Array, activations: list[str], loss: str, softmax=backprop.softmax) -> Pass:
    """The forward pass, with the derivatives of the mean loss at its end.

    With another softmax, one of OVER_BATCH, what follows is right for the predictions that it makes.
    """
    params: list[tuple[Array, Array]] = [
        (w, np.zeros(len(w)) if bias is None else bias) for w, bias in zip(W, b, strict=True)
    ]
    Z, A = [np.zeros((len(X), 0))], [X]
    for (w, bias), name in zip(params, activations[1:], strict=True):
        Z.append(A[-1] @ w.T + bias)
        A.append(softmax(Z[-1]) if name == "softmax" else mistakes.ACTIVATIONS[name][0](Z[-1]))
    Y_hat, m = A[-1], len(X)
    with np.errstate(divide="ignore", invalid="ignore"):
        DY_hat = np.nan_to_num(mistakes.LOSS_SLOPES[loss](Y_hat, Y))
    DZ = backprop.output_error(Z[-1], Y_hat, Y, activations[-1], loss)
    return Pass([np.zeros((0, 0)), *W], Z, A, Y, activations, DY_hat / m, DZ / m)


def _problem(W, b, X, Y, dW, db, hidden, output, guess: Guess, tolerance: float, softmax=backprop.softmax) -> Problem:
    activations = ["", *[hidden] * (len(W) - 1), output]
    forward = make_pass(W, b, X, Y, activations, guess.loss, softmax)
    if guess.reduction == "sum":
        forward = forward._replace(DY_hat=forward.DY_hat * len(X), DZ=forward.DZ * len(X))
    return Problem(
        [forward],
        [[None], *([as_given_weights(d, guess.weights_are_output_first)] for d in dW)],
        [[None], *([None if d is None else as_given_biases(d, len(w))] for d, w in zip(db, W, strict=True))],
        tolerance,
        [[0.0]] * (len(W) + 1),
    )


def as_given_weights(given: Array, output_first: bool) -> Array:
    """A weight gradient turned as W (o, i) was turned; of whatever shape."""
    given = given.astype(np.float64)
    return given if output_first or given.ndim != 2 else given.T


def as_given_biases(given: Array, outputs: int) -> Array:
    """A bias gradient as (o,) if it has o entries in a row or column; else as it is."""
    given = given.astype(np.float64)
    vector = given.ndim <= 1 or (given.ndim == 2 and 1 in given.shape)
    return given.ravel() if vector and given.size == outputs else given


@lru_cache
def _network_gradient(hidden: str, output: str, loss: str):
    return jax.jit(jax.grad(partial(network_loss, hidden=hidden, output=output, loss=loss)))


def true_gradients(W, b, X, Y, hidden: str, output: str, guess: Guess) -> list[tuple[Array, Array | None]]:
    """`jax.grad` of jaxnet's own network and loss, in float64: (weights (o, i), biases (o,)) for each layer."""
    with jax.enable_x64(True):
        params = tuple(
            Layer(jnp.asarray(w), jnp.zeros(len(w)) if bias is None else jnp.asarray(bias))
            for w, bias in zip(W, b, strict=True)
        )
        true = _network_gradient(hidden, output, guess.loss)(params, X, Y)
    factor = len(X) if guess.reduction == "sum" else 1
    return [
        (factor * np.asarray(layer.weights), None if bias is None else factor * np.asarray(layer.biases))
        for layer, bias in zip(true, b, strict=True)
    ]


def verdicts(params: dict, given: dict, true: dict, tolerance: float) -> list[Parameter]:
    """Each parameter's gradient beside the true one: right if no entry is off by more than rounding.

    What is 0 but for rounding is compared with the largest of all gradients: that of a bias before a normalisation is
    the sum of what cancels.
    """
    overall = max((np.abs(t).max(initial=0) for t in true.values()), default=0.0)
    parameters = []
    for name, parameter in params.items():
        g, t = np.asarray(given[name]), np.asarray(true[name])
        if not np.isfinite(g).all():
            raise ValueError(f"the gradient of {name} holds NaN or infinity; finite numbers are needed")
        # A bias (o,) and its gradient (o, 1) hold the same numbers; a weight gradient of another shape is wrong.
        same_vector = name.startswith("b") and g.size == t.size == max(g.shape, default=1)
        fits = g.shape == parameter.shape or same_vector
        t = t.reshape(parameter.shape)
        if fits:
            size = np.abs(t).max(initial=0)
            size = max(size if size > NOTHING * overall else NOTHING / tolerance * overall, np.finfo(float).tiny)
            error = float(np.abs(g.reshape(t.shape) - t).max(initial=0) / size)
        else:
            error = 1.0
        parameters.append(Parameter(name, parameter.shape, g.shape, error, fits and error <= tolerance, g, t))
    return parameters
