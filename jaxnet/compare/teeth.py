"""Whether a mistake would have shown: each wrong formula, put in the place of the right one, on the data of a check.

"Right" is hollow where a mistake changes nothing: a bias gradient that is not summed, with one example; a relu whose
slope is left out, where all slopes are 1. So each formula of the catalogue is run once more, and what comes of it is
compared with the right gradients, as the author's own was: those of weights by their products with a few directions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.compare import mistakes
from jaxnet.compare.diagnosis import continued, directions
from jaxnet.compare.mistakes import Array, Pass
from jaxnet.compare.multiples import without_ones

Gradients = list[Array]


class Teeth(NamedTuple):
    """How many mistakes, each at one quantity or line, would have shown, and which ones would not."""

    shown: int
    of: int
    hidden: tuple[tuple[str, str], ...] = ()  # (quantity or line, code)

    @staticmethod
    def of_all(parts: list[Teeth | None]) -> Teeth | None:
        known = [part for part in parts if part is not None]
        hidden = tuple(pair for part in known for pair in part.hidden)
        return Teeth(sum(p.shown for p in known), sum(p.of for p in known), hidden) if known else None


def teeth(passes: list[Pass], loss: str, biases: set[int], tolerance: float) -> Teeth | None:
    """The mistakes that would show in these forward passes; `biases` are the layers that have one.

    A formula counts if it is a mistake at all in this network: if it gives another gradient on random data. It shows
    if it gives another one here too, by more than `tolerance` times the largest entry, and not the right ones times a
    constant that all share, in all passes. None for a loss and an output that do not go together.
    """
    with np.errstate(all="ignore"):  # wrong formulas may well overflow
        example = _random_pass(passes[0], loss)
        if example is None:
            return None
        real, shown = (
            {key for key, (wrong, right) in _mistakes(seen, biases).items() if not _same(wrong, right, tolerance)}
            for seen in ([example], passes)
        )
    all_, missed = dict.fromkeys(key[:2] for key in sorted(real)), {key[:2] for key in real - shown}
    return Teeth(len(all_) - len(missed), len(all_), tuple(key for key in all_ if key in missed))


def _mistakes(passes: list[Pass], biases: set[int]) -> dict[tuple[str, str, str], tuple[Gradients, Gradients]]:
    """For each (quantity, code, symbols) all gradients with the mistake, and the right ones."""
    found: dict[tuple[str, str, str], tuple[Gradients, Gradients]] = defaultdict(lambda: ([], []))
    for p in passes:
        for key, wrong, right in _mistakes_of(p, biases):
            found[key][0].extend(wrong)
            found[key][1].extend(right)
    return found


def _mistakes_of(p: Pass, biases: set[int]) -> Iterator[tuple[tuple[str, str, str], Gradients, Gradients]]:
    errors = continued(p, {p.last: p.DZ})
    right = _gradients(p, errors, biases)
    for layer in range(1, p.last + 1):
        above = {number: error for number, error in errors.items() if number > layer}
        for code, symbols, error in _wrong_errors(p, layer, errors):
            yield (f"dZ{layer}", code, symbols), _gradients(p, continued(p, {**above, layer: error}), biases), right
        for code, symbols, dW in _wrong_weight_gradients(p, layer, errors):
            yield (f"dW{layer}", code, symbols), _gradients(p, errors, biases, {f"W{layer}": dW}), right
        for code, symbols, db in _wrong_bias_gradients(p, layer, errors) if layer in biases else ():
            yield (f"db{layer}", code, symbols), _gradients(p, errors, biases, {f"b{layer}": db}), right


def _wrong_errors(p: Pass, layer: int, errors: dict[int, Array]) -> Iterator[tuple[str, str, Array]]:
    if layer == p.last:
        for code, formula in mistakes.OUTPUT_ERRORS:
            yield from ((code, symbols, error) for symbols, error in formula(p) if code)
        for code, extra in mistakes.OUTPUT_EXTRAS:
            yield from ((code, symbols, p.DZ * factor) for symbols, factor in extra(p) if code)
        return
    dA = errors[layer + 1] @ p.W[layer + 1]
    slope = mistakes.ACTIVATIONS[p.activations[layer]][1](p.Z[layer])
    before = list(mistakes.output_errors(p))
    if layer + 1 < p.last:
        before = [(f"dA{layer + 1}", errors[layer + 2] @ p.W[layer + 2])]
    for code, formula in mistakes.WEIGHTS:
        through = formula(p, layer, mistakes.Above(errors[layer + 1], before))
        yield from ((code, symbols, dA * slope) for symbols, dA in through if code)
    for code, formula in mistakes.DERIVATIVES:
        yield from ((code, symbols, dA * factor) for symbols, factor in formula(p, layer, dA) if code)


def _wrong_weight_gradients(p: Pass, layer: int, errors: dict[int, Array]) -> Iterator[tuple[str, str, Array]]:
    dZ, A = errors[layer], p.A[layer - 1]
    for code, formula in mistakes.ERRORS:
        yield from ((code, s, e.T @ A) for s, e in formula(errors, layer) if code and e.shape == dZ.shape)
    for code, formula in mistakes.INPUTS:
        yield from ((code, s, dZ.T @ a) for s, a in formula(p, layer) if code and a.shape == A.shape)
    for code, formula in mistakes.PRODUCTS:
        square = code != "transposed" or dZ.shape[1] == A.shape[1]  # else the step does not run
        yield from ((code, symbols, dW) for symbols, dW in formula(dZ, A) if code and square)


def _wrong_bias_gradients(p: Pass, layer: int, errors: dict[int, Array]) -> Iterator[tuple[str, str, Array]]:
    for code, formula in mistakes.ERRORS:
        yield from ((code, s, e.sum(axis=0)) for s, e in formula(errors, layer) if code)
    for code, formula in mistakes.SUMS:
        yield from ((code, symbols, db) for symbols, db in formula(errors[layer], p.Z[layer]) if code)


def _gradients(
    p: Pass, errors: dict[int, Array], biases: set[int], instead: dict[str, Array] | None = None
) -> Gradients:
    found = {}
    for layer, error in errors.items():
        A = p.A[layer - 1]
        along = directions(A.shape[1])
        found[f"W{layer}"] = error.T @ (A @ along)
        if (dW := (instead or {}).get(f"W{layer}")) is not None:
            found[f"W{layer}"] = dW @ along if dW.shape == (error.shape[1], A.shape[1]) else dW
        if layer in biases:
            found[f"b{layer}"] = np.asarray((instead or {}).get(f"b{layer}", error.sum(axis=0)))
    return [gradient for _, gradient in sorted(found.items())]


def _same(wrong: Gradients, right: Gradients, tolerance: float) -> bool:
    """Whether these are the right gradients, but for a constant that all share."""
    if any(without_ones(w.shape) != without_ones(r.shape) for w, r in zip(wrong, right, strict=True)):
        return False
    first, second = (np.concatenate([g.ravel() for g in gradients]) for gradients in (wrong, right))
    if not np.isfinite(first).all():
        return False
    square = float(second @ second)
    factor = float(first @ second) / square if square else 0.0
    if not factor > 0:
        return not first.any() and not second.any()
    off = [np.abs(w.ravel() / factor - r.ravel()).max() / max(np.abs(r).max(), 1e-300)
           for w, r in zip(wrong, right, strict=True) if w.any() or r.any()]  # fmt: skip
    return max(off, default=0.0) <= tolerance


def _random_pass(p: Pass, loss: str) -> Pass | None:
    """A network like it with other weights, and more examples than units, of random data: with as many layers, of which
    those are equally wide that are, and no others."""
    from jaxnet.compare.gradients import make_pass

    random = np.random.default_rng(0)
    widths = sorted({n for w in p.W[1:] for n in w.shape})
    narrow = {n: min(n, 8) + k for k, n in enumerate(widths)} | {1: 1}
    m = 11 + max(narrow.values())
    sizes = [[narrow[n] for n in w.shape] for w in p.W[1:]]
    W = [random.normal(size=size) / np.sqrt(size[1]) for size in sizes]
    b = [random.normal(size=len(w)) for w in W]
    outputs = len(W[-1])
    Y = random.normal(size=(m, outputs))
    if p.activations[-1] == "softmax":
        Y = np.eye(outputs)[random.integers(outputs, size=m)]
    elif loss == "binary-cross-entropy":
        Y = random.integers(2, size=(m, outputs)).astype(float)
    try:
        return make_pass(W, b, random.normal(size=(m, W[0].shape[1])), Y, p.activations, loss)
    except (ValueError, KeyError):
        return None
