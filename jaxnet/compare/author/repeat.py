"""Numbers that authors can compute themselves: what the loss does when an entry is moved, and what they say of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.node import Node
from jaxnet.compare.author.replay import Values
from jaxnet.compare.report import Move

STEP = 1e-6
NEAR = 0.01  # of a number, within which another one says the same
ROUNDING = 1e-13  # of a loss, by which it may change without a reason
ENTRIES = 5  # that are looked at in each gradient, those that are most wrong first


def contradiction(judged: Judged) -> Move | None:
    """An entry of a wrong gradient that the program's own loss contradicts, with the numbers that the program had.

    None where the loss is not the program's own, or has a constant in it that moves with the entry, where all that is
    wrong is its shape, where no such step shows in the digits of the loss, and where the weights are bounded before
    the step.
    """
    loss, recorded = judged.truth.loss.node, judged.recorded
    if loss is None or judged.truth.loss.constant is not None or judged.step.number is None:
        return None
    number = float(np.abs(np.asarray(recorded(loss))).sum())
    for name in judged.wrong:
        node, base = judged.chosen.get(name), judged.names[name].before
        given, true = judged.given[name][0], judged.scale * judged.true[name][0]
        if node is None or given.shape != base.shape or not _holds(node, given, judged.drawn[0]):
            continue
        said = np.asarray(recorded(node), float).reshape(base.shape)
        at = np.argsort(-np.abs(given - true), axis=None, kind="stable")[:ENTRIES]
        for index in (np.unravel_index(k, base.shape) for k in at):
            change, shared = _change(loss, base, index, recorded), judged.scale * judged.truth.loss.sign
            right, claimed = shared * change, STEP * float(said[index])
            least = max(NEAR * max(abs(right), abs(claimed)), ROUNDING * abs(shared) * number)
            if np.isfinite([right, claimed]).all() and abs(right - claimed) > least:
                return Move(name, tuple(map(int, index)), STEP, change, claimed, judged.step.number, shared)
    return None


def _holds(node: Node, given: np.ndarray, values: Values) -> bool:
    """Whether the Node holds the gradient as it is, neither turned nor scaled."""
    held = np.asarray(values(node), float)
    return held.size == given.size and np.array_equal(held.reshape(given.shape), given)


def _change(loss: Node, base: Node, index: tuple[int, ...], recorded: Values) -> float:
    """By how much the loss changes when the entry is moved by STEP; nan where a step to the other side does not change
    it by as much, as at a kink."""
    below, here, above = (
        float(np.asarray(Values({base: _moved(recorded(base), index, by)})(loss)).sum()) for by in (-STEP, 0.0, STEP)
    )
    is_smooth = abs(above + below - 2 * here) <= NEAR * abs(above - below) / 2
    return above - here if is_smooth else np.nan


def _moved(array: Any, index: tuple[int, ...], by: float) -> np.ndarray:
    moved = np.array(array, float)
    moved[index] += by
    return moved
