"""Compares the backward pass of an author's file: recognises the network and the loss, diagnoses, finds the lines."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxnet import backprop
from jaxnet.compare import mistakes
from jaxnet.compare.diagnosis import Diagnosis, Finding, Problem, continued, diagnose, leaf_findings
from jaxnet.compare.gradients import LOSSES_OF_OUTPUT, as_given_biases, as_given_weights, make_pass, verdicts
from jaxnet.compare.mistakes import Array
from jaxnet.compare.places import find_place
from jaxnet.compare.report import Report
from jaxnet.compare.source import Call, Observation, observe

EXACT = 1e-10  # outputs closer than this, as a share of the largest, are those of the same network
ROUGH = 1e-4  # a loss with a small number inside its logarithm differs from the plain one by no more than this


class Batch(NamedTuple):
    """A call as rows: weights (o, i), biases (o,), X (m, i), Y and prediction (m, o)."""

    W: list[Array]
    b: list[Array | None]
    X: Array
    Y: Array
    prediction: Array


class Network(NamedTuple):
    """What the author's forward pass computes."""

    output_first: bool  # weights are held as (o, i)
    activations: list[str]  # index l made A[l]; the last one is the output's
    over_all: bool  # the softmax is normalised over the whole batch
    unused: frozenset[str]  # parameters that the forward pass never uses


class Loss(NamedTuple):
    """What the gradients are to be of: κ times jaxnet's mean loss, and λ W of a penalty for each layer."""

    name: str
    reduction: str
    origin: str  # source, flag or inferred
    factors: list[float]  # κ for each call
    penalty: list[list[float]]  # λ for each layer, index 0 unused, and each call


def compare_file(
    path: str | Path,
    *,
    forward: str | None = None,
    backward: str | None = None,
    init: str | None = None,
    loss: str | None = None,
    layout: str | None = None,
) -> Report:
    """Run a file's forward and backward pass on data of our own and say which formulas are wrong, and where.

    `loss` is the name of a function in the file, or of a loss of `jaxnet.losses`. Runs the author's code in this
    process; `jaxnet.compare.child` does it in another one, within limits. Raises ValueError where no verdict can
    be reached, and says why.
    """
    stated = loss if loss in ("squared-error", "cross-entropy", "binary-cross-entropy") else None
    with jax.enable_x64(True):
        seen = observe(
            path, forward=forward, backward=backward, init=init, loss=None if stated else loss, layout=layout
        )
        for call in seen.calls:
            for name, gradient in call.gradients.items():
                if not np.isfinite(gradient).all():
                    raise ValueError(f"{path}: the gradient of {name} holds NaN or infinity on random data")
        network = _recognise(seen)
        if network is None:
            return _without_network(path, seen)
        batches = [_as_batch(call, seen.layout, network.output_first) for call in seen.calls]
        network, candidates = _losses(seen, network, batches, stated)
        best: tuple[Loss, Problem, Diagnosis] | None = None
        for candidate in candidates:
            problem = _problem(seen, network, batches, candidate)
            diagnosis = diagnose(problem, best[2].price if best else math.inf)
            if best is None or diagnosis.price < best[2].price:
                best = candidate, problem, diagnosis
        assert best is not None
        return _report(path, seen, network, batches, *best)


# --- recognising the network ------------------------------------------------------------------------------------------


def _rows(array: Array, layout: str, examples: int) -> Array:
    """A prediction or targets as (m, o)."""
    if array.ndim < 2:
        return array.reshape(examples, -1)
    return array.T if layout == "columns" else array


def _as_batch(call: Call, layout: str, output_first: bool) -> Batch:
    X = np.atleast_2d(call.inputs.T).astype(float) if layout == "columns" else np.atleast_2d(call.inputs).astype(float)
    if call.inputs.ndim == 1:
        X = call.inputs.reshape(1, -1)
    weights = [array for name, array in call.parameters.items() if name[0] == "W"]
    layers = [name[1:] for name in call.parameters if name[0] == "W"]
    biases = [call.parameters.get(f"b{k}") for k in layers]
    return Batch(
        [w if output_first else w.T for w in weights],
        [None if b is None else b.ravel() for b in biases],
        X,
        _rows(call.targets, layout, len(X)),
        _rows(call.prediction, layout, len(X)),
    )


def _recognise(seen: Observation) -> Network | None:
    """The network with the same outputs to 1e-10 in every call; None if it is none that jaxnet knows."""
    unused = _unused(seen)
    depth = sum(name[0] == "W" for name in seen.calls[0].parameters)
    names = list(mistakes.ACTIVATIONS)
    outputs = ["softmax", "sigmoid", "tanh", "identity", "relu", "leaky_relu"]
    uniform = [(name,) * (depth - 1) for name in names]
    mixed = [combination for combination in product(names, repeat=depth - 1) if depth <= 5]
    for output_first in (True, False):
        batches = [_without(_as_batch(call, seen.layout, output_first), unused) for call in seen.calls]
        if not all(_chains(batch) for batch in batches):
            continue
        for hidden in dict.fromkeys([*uniform, *mixed]):
            logits = [_logits(batch, hidden) for batch in batches]
            for output in outputs:
                predictions = [_activated(z, output) for z in logits]
                if all(_equal(p, batch.prediction) for p, batch in zip(predictions, batches, strict=True)):
                    return Network(output_first, ["", *hidden, output], False, unused)
            over_all = [backprop.softmax(z.reshape(1, -1)).reshape(z.shape) for z in logits]
            if all(_equal(p, batch.prediction) for p, batch in zip(over_all, batches, strict=True)):
                return Network(output_first, ["", *hidden, "softmax"], True, unused)
    return None


def _unused(seen: Observation) -> frozenset[str]:
    """Parameters whose change leaves the prediction as it is."""
    call = seen.calls[0]
    unused = set()
    for name, array in call.parameters.items():
        changed = {**call.parameters, name: array + 1.0 + np.arange(array.size).reshape(array.shape)}
        try:
            if np.array_equal(np.asarray(seen.predict_numpy(0, changed)), call.prediction):
                unused.add(name)
        except Exception:  # the author's code may raise anything; then nothing is known of this parameter
            continue
    return frozenset(unused)


def _without(batch: Batch, unused: frozenset[str]) -> Batch:
    return batch._replace(b=[None if f"b{k}" in unused else b for k, b in enumerate(batch.b, start=1)])


def _chains(batch: Batch) -> bool:
    sizes = [batch.X.shape[1], *(w.shape[0] for w in batch.W)]
    fits = all(w.shape[1] == size for w, size in zip(batch.W, sizes, strict=False))
    return fits and all(b is None or b.size == len(w) for b, w in zip(batch.b, batch.W, strict=True))


def _logits(batch: Batch, hidden: tuple[str, ...]) -> Array:
    A = batch.X
    for k, (w, b) in enumerate(zip(batch.W, batch.b, strict=True)):
        Z = A @ w.T + (0 if b is None else b)
        A = mistakes.ACTIVATIONS[hidden[k]][0](Z) if k < len(hidden) else Z
    return A


def _activated(Z: Array, name: str) -> Array:
    return backprop.softmax(Z) if name == "softmax" else mistakes.ACTIVATIONS[name][0](Z)


def _equal(first: Array, second: Array) -> bool:
    return first.shape == second.shape and bool(np.abs(first - second).max() <= EXACT * max(np.abs(second).max(), 1.0))


# --- recognising the loss ---------------------------------------------------------------------------------------------


def _losses(
    seen: Observation, network: Network, batches: list[Batch], stated: str | None
) -> tuple[Network, list[Loss]]:
    """The loss that the file's own loss function computes; without one, those that the gradients may be of.

    A forward pass may end with the scores and leave the softmax or sigmoid to the loss: then that is its output.
    """
    depth = len(batches[0].W)
    output = network.activations[-1]
    possible = LOSSES_OF_OUTPUT.get(output, ("squared-error",))
    outputs = (output, "softmax", "sigmoid") if output == "identity" else (output,)
    if seen.loss is not None and stated is None:
        true = [_own_gradients(seen, k) for k in range(len(seen.calls))]
        if all(t is not None for t in true):
            for own_output in outputs:
                with_output = network._replace(activations=[*network.activations[:-1], own_output])
                for name in LOSSES_OF_OUTPUT.get(own_output, ("squared-error",)):
                    found = _fitted_loss(with_output, batches, name, true)
                    if found is not None:
                        return with_output, [found]
    names = [stated] if stated else list(possible)
    origin = "flag" if stated else "inferred"
    none = [[0.0] * len(batches)] * (depth + 1)
    return network, [
        Loss(name, reduction, origin, [1.0 if reduction == "mean" else float(len(b.X)) for b in batches], none)
        for name in names
        for reduction in ("mean", "sum")
    ]


def _own_gradients(seen: Observation, k: int) -> dict[str, Array] | None:
    """`jax.grad` of the author's own loss of the author's own forward pass, else central differences of it."""
    parameters, loss, loss_numpy = seen.calls[k].parameters, seen.loss, seen.loss_numpy
    if loss is not None:
        try:
            true = jax.jit(jax.grad(lambda p: loss(k, p)))(
                {name: jax.numpy.asarray(a) for name, a in parameters.items()}
            )
            true = {name: np.asarray(array) for name, array in true.items()}
            if all(np.isfinite(array).all() for array in true.values()):
                return true
        except Exception:  # whatever cannot be traced: assignment into arrays, say
            pass
    if loss_numpy is None:
        return None
    try:
        return _central_differences(lambda p: loss_numpy(k, p), parameters)
    except Exception:
        return None


def _central_differences(loss, parameters: dict[str, Array], h: float = 1e-6) -> dict[str, Array]:
    """(loss(p + h) − loss(p − h)) / 2h for each entry, of at most 200 entries of a leaf evenly spread; 0 elsewhere."""
    true = {}
    for name, array in parameters.items():
        gradient = np.zeros_like(array)
        for at in np.unique(np.linspace(0, array.size - 1, 200).astype(int)):
            values = []
            for sign in (1, -1):
                moved = array.copy()
                moved.flat[at] += sign * h
                values.append(float(loss({**parameters, name: moved})))
            gradient.flat[at] = (values[0] - values[1]) / (2 * h)
        true[name] = gradient
    return true


def _fitted_loss(network: Network, batches: list[Batch], name: str, true: list) -> Loss | None:
    """κ and λ with which jaxnet's loss has the gradients of the author's, in every call; None if there are none."""
    factors, penalties, worst = [], [], 0.0
    for batch, own in zip(batches, true, strict=True):
        forward = _pass(batch, network, name)
        errors = continued(forward, {forward.last: forward.DZ})
        fits = []
        for layer in range(1, forward.last + 1):
            data = errors[layer].T @ forward.A[layer - 1]
            given = own.get(f"W{layer}")
            if given is None or given.shape not in (batch.W[layer - 1].shape, batch.W[layer - 1].shape[::-1]):
                return None
            given = given if network.output_first else given.T
            known = given != 0  # central differences leave gaps
            columns = np.stack([data[known], batch.W[layer - 1][known]], axis=1)
            if not known.any() or not data.any():
                continue
            (kappa, penalty), *_ = np.linalg.lstsq(columns, given[known])
            if abs(penalty) * np.abs(columns[:, 1]).max() < ROUGH * np.abs(given).max():
                kappa, penalty = float(columns[:, 0] @ given[known] / (columns[:, 0] @ columns[:, 0])), 0.0
            off = np.abs(columns @ [kappa, penalty] - given[known]).max()
            if off > ROUGH * np.abs(given).max():
                return None
            worst = max(worst, off / np.abs(given).max())
            fits.append((kappa, penalty))
        if not fits or any(abs(kappa - fits[0][0]) > ROUGH * abs(fits[0][0]) for kappa, _ in fits):
            return None
        factors.append(fits[0][0])
        penalties.append([0.0, *(penalty for _, penalty in fits)])
    exact, reduction = _named_factors(factors, [len(batch.X) for batch in batches], batches[0].Y.shape[1])
    penalty = [[of_call[layer] for of_call in penalties] for layer in range(len(penalties[0]))]
    if worst > EXACT:
        # The loss has a small number in its logarithm, say, and the fit is off by it; λ m is a round number.
        penalty = [
            [float(f"{value * len(batch.X):.6g}") / len(batch.X) for value, batch in zip(values, batches, strict=True)]
            for values in penalty
        ]
    return Loss(name, reduction, "source", exact, penalty)


def _named_factors(factors: list[float], examples: list[int], classes: int) -> tuple[list[float], str]:
    """The constants of meaning nearest to the factors of the mean loss, and whether they make it a mean or a sum."""
    as_sum = [factor / m for factor, m in zip(factors, examples, strict=True)]
    for values, reduction in ((factors, "mean"), (as_sum, "sum")):
        for constant in (1.0, 2.0, 0.5, 1 / classes, 2 / classes, 0.5 / classes, float(classes), 4.0, 0.25):
            if all(abs(value - constant) <= ROUGH * constant for value in values):
                return [constant * (1 if reduction == "mean" else m) for m in examples], reduction
    constant = max(factors) - min(factors) <= ROUGH * abs(factors[0])
    return factors, "mean" if constant else "sum"


# --- the problem, and its report --------------------------------------------------------------------------------------


def _pass(batch: Batch, network: Network, loss: str):
    return make_pass(
        batch.W, _without(batch, network.unused).b, batch.X, batch.Y, network.activations, loss, network.over_all
    )


def _problem(seen: Observation, network: Network, batches: list[Batch], loss: Loss) -> Problem:
    passes = []
    for batch, kappa in zip(batches, loss.factors, strict=True):
        forward = _pass(batch, network, loss.name)
        passes.append(forward._replace(DY_hat=kappa * forward.DY_hat, DZ=kappa * forward.DZ))
    depth = passes[0].last
    dW: list[list[Array | None]] = [[None] * len(batches)]
    db: list[list[Array | None]] = [[None] * len(batches)]
    for layer in range(1, depth + 1):
        width = batches[0].W[layer - 1].shape
        own = seen.calls[0].parameters[f"W{layer}"].shape
        has_bias = f"b{layer}" in seen.calls[0].parameters
        dW.append(
            [
                as_given_weights(call.gradients.get(f"W{layer}", np.zeros(own)), network.output_first)
                for call in seen.calls
            ]
        )
        db.append(
            [
                as_given_biases(call.gradients.get(f"b{layer}", np.zeros(width[0])), width[0]) if has_bias else None
                for call in seen.calls
            ]
        )
    return Problem(passes, dW, db, 1e-9, loss.penalty)


def _report(path, seen: Observation, network, batches, loss: Loss, problem: Problem, diagnosis: Diagnosis) -> Report:
    call, forward = seen.calls[0], problem.passes[0]
    errors = continued(forward, {forward.last: forward.DZ})
    true: dict[str, Array] = {}
    for layer in range(1, forward.last + 1):
        dW = errors[layer].T @ forward.A[layer - 1] + loss.penalty[layer][0] * forward.W[layer]
        true[f"W{layer}"] = dW if network.output_first else dW.T
        if f"b{layer}" in call.parameters:
            unused = f"b{layer}" in network.unused
            true[f"b{layer}"] = np.zeros(len(dW)) if unused else errors[layer].sum(axis=0)
    truth = "jax.grad of your forward pass"
    own = _own_gradients(seen, 0) if seen.loss is not None else _own_forward_gradients(seen, loss, batches[0])
    if own is None:
        truth = "jax.grad of the same network (yours cannot be traced)"
    elif network.over_all:
        true = {name: own[name] for name in true}
    given = {name: call.gradients.get(name, np.zeros_like(array)) for name, array in call.parameters.items()}
    parameters = verdicts(call.parameters, given, true, problem.tolerance)
    findings = [_unless_unused(finding, network) for finding in diagnosis.findings]
    findings = list(dict.fromkeys(finding for finding in findings if finding is not None))
    for p in parameters:
        if p.name in network.unused and not p.right:
            at = f"d{p.name}"
            findings = [f for f in findings if f.at != at] + [Finding(at, "should-be-zero")]
    if network.over_all:
        findings = [Finding("forward", "softmax-over-all-entries"), *findings]
    places = [find_place(finding, seen, problem, diagnosis, loss.name, network.output_first) for finding in findings]
    hidden = list(dict.fromkeys(network.activations[1:-1]))
    return Report.of(
        parameters,
        findings,
        places,
        source=str(path),
        loss={"name": loss.name, "reduction": loss.reduction, "from": loss.origin},
        network={
            "sizes": [batches[0].X.shape[1], *(w.shape[0] for w in batches[0].W)],
            "hidden": hidden[0] if len(hidden) == 1 else ",".join(network.activations[1:-1]),
            "output": network.activations[-1],
            "layout": seen.layout,
        },
        truth=truth,
    )


def _own_forward_gradients(seen: Observation, loss: Loss, batch: Batch) -> dict[str, Array] | None:
    """`jax.grad` of jaxnet's loss of the author's own prediction; None if that cannot be traced."""
    parameters = {name: jax.numpy.asarray(array) for name, array in seen.calls[0].parameters.items()}

    def total(p):
        prediction = seen.predict(0, p)
        prediction = prediction.T if seen.layout == "columns" else prediction
        return ((prediction.reshape(batch.Y.shape) - batch.Y) ** 2).sum()

    try:
        return {name: np.asarray(array) for name, array in jax.jit(jax.grad(total))(parameters).items()}
    except Exception:
        return None


def _unless_unused(finding: Finding, network: Network) -> Finding | None:
    return None if finding.at[1:] in network.unused else finding


def _without_network(path, seen: Observation) -> Report:
    """The verdict on each parameter, where the network is none that jaxnet knows: no formula can be named."""
    true = _own_gradients(seen, 0)
    if true is None:
        raise ValueError(
            f"{path}: the forward pass is no dense network that jaxnet knows, and there is no loss function to "
            "differentiate; name one with --loss"
        )
    call = seen.calls[0]
    given = {name: call.gradients.get(name, np.zeros_like(array)) for name, array in call.parameters.items()}
    parameters = verdicts(call.parameters, given, true, 1e-6)
    leaves = [(p.name, p.given, p.true) for p in parameters]
    findings = [f if f.at == "loss" else f._replace(at=f"d{f.at}") for f in leaf_findings(leaves, 1e-6)]
    return Report.of(parameters, findings, source=str(path), truth="jax.grad of your forward pass")
