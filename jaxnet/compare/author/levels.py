"""What may be the gradient: the arrays from a step inwards, each a *level*, and their constants to the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, TypeGuard

import numpy as np

from jaxnet.compare.author.lines import is_of_statement
from jaxnet.compare.author.node import MOVING, Node, ancestors, depends
from jaxnet.compare.author.rates import Number, numbers_of
from jaxnet.compare.author.raw import Candidate, candidates, joined, made_in_pieces, stepped
from jaxnet.compare.author.replay import Values, once
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.truth import Truth
from jaxnet.compare.multiples import NOTHING, common_multiple, without_ones

RIGHT = 1e-6  # a gradient as near as this, as a share of its largest entry, is the true one
PACKING = MOVING | {np.stack}
Array = np.ndarray


class Level(NamedTuple):
    """What may be a parameter's gradient: its values in each draw, and its constant to the truth, if there is one."""

    candidate: Candidate | None
    arrays: list[Array]
    factor: float | None  # None where it is not proportional to the truth; nan where both are 0 in all draws
    numbers: tuple[Number, ...] = ()  # that it is multiplied by, the outermost first

    @property
    def node(self) -> Node | None:
        return self.candidate.node if self.candidate is not None else None

    def turned(self) -> Level:
        """Beside the gradient of the negative of a loss."""
        return self._replace(factor=None if self.factor is None else -self.factor)


@once
def levels_of(step: Step, drawn: list[Values]) -> dict[Parameter, list[Level]]:
    """What may be the gradients, outermost first: the step itself where it is made in pieces, or no array is known."""
    levels = {}
    for p in step.parameters:
        found = [] if step.stale else candidates(p, step)
        if is_ours := p.after.place is None:  # a rate times the gradient, and no other number is a rate
            found = found[1:2] or found
        found = found[_added_up(found, drawn) :]
        numbers = [] if is_ours else numbers_of(p, step, drawn[0], found[-1].node if found else None)
        first = min((n.node.number for n in numbers), default=0)
        inside = {c.node: ancestors([c.node], first) for c in found}
        levels[p] = [
            Level(
                c,
                [_placed(np.asarray(v(c.node), float), c, p) for v in drawn],
                None,
                tuple(n for n in numbers if n.node in inside[c.node]),
            )
            for c in found
        ]
        if not found or len(p.steps) > 1:
            levels[p].insert(0, Level(None, [stepped(p, values) for values in drawn], None, tuple(numbers)))
        for pieces in made_in_pieces(p, step):
            made = ancestors((node for _, node in pieces), first)
            arrays = [joined(pieces, p, v) for v in drawn]
            levels[p].append(Level(None, arrays, None, tuple(n for n in numbers if n.node in made)))
    return levels


def _added_up(found: list[Candidate], drawn: list[Values]) -> int:
    """How many of the outermost arrays may be no gradient, since multiples of one are added up in them: Nesterov's
    0.9 v − 0.1 g, of v = −0.1 g, is a multiple of g by no number of the author's."""
    if not found:
        return 0
    inside = [np.ravel(v(found[-1].node)) for v in drawn]  # (n,), perhaps, of a bias of (1, n)

    def is_multiple(node: Node) -> bool:
        values = [np.ravel(v(node)) for v in drawn]
        return depends(node, found[-1].node) and common_multiple(values, inside, RIGHT) is not None

    sums = (c.node.function in (np.add, np.subtract) and len({*c.node.parents}) == 2 for c in found)
    twice = [is_sum and all(map(is_multiple, c.node.parents)) for is_sum, c in zip(sums, found, strict=True)]
    return max((k + 1 for k, is_twice in enumerate(twice) if is_twice), default=0)


def is_made_in_pieces(parameter: Parameter, step: Step, true: list[Array], drawn: list[Values]) -> bool:
    """Whether a gradient is made piece by piece on the way to a step, up to a constant."""
    made = ([joined(of, parameter, v) for v in drawn] for of in made_in_pieces(parameter, step))
    return any(common_multiple(arrays, true, RIGHT) is not None for arrays in made)


def _placed(value: Array, candidate: Candidate, parameter: Parameter) -> Array:
    """A candidate's entries where the step has them, spread over the parameter as NumPy spreads them."""
    count = candidate.positions.size
    of_entries = value.size == count or (value.size > count == parameter.size)  # v[0], of a number
    placed = value.reshape(-1)[candidate.positions] if of_entries else value
    shape = parameter.before.shape
    is_spread = parameter.after.size > parameter.size  # a row, of which a column is taken, becomes a square
    if placed.shape != shape and placed.size == parameter.size and not is_spread:
        vector = sum(n > 1 for n in shape) <= 1
        return placed.reshape(shape) if vector or shape[len(shape) - placed.ndim :] == placed.shape else placed
    return placed


def fit(found: dict[Parameter, list[Level]], truth: Truth) -> dict[Parameter, list[Level]]:
    """The constants of all that may be gradients. What is 0 beside the largest one is rounding: a bias before a
    normalisation has no gradient, and gets one of 1e-17."""
    draws = range(len(truth.adjoints))
    nothing = [NOTHING * max(np.abs(true_gradients(p, truth)[k]).max(initial=0) for p in found) for k in draws]
    nothing_given = [
        NOTHING * max(np.abs(levels[-1].arrays[k]).max(initial=0) for levels in found.values()) for k in draws
    ]
    fitted = {}
    for p, levels in found.items():
        true = true_gradients(p, truth)
        fitting = [lv._replace(factor=_factor(lv.arrays, true, nothing_given, nothing)) for lv in levels]
        whole, *inner = _without_chance(fitting, true)
        # What is made in pieces counts where it is the gradient.
        fitted[p] = up_to_formula([whole, *(lv for lv in inner if lv.node is not None or lv.factor is not None)], p)
    return fitted


def is_one_number(true: list[Array]) -> bool:
    """Whether all entries of a gradient are one number, but for their signs and for those that are 0, in all draws."""
    sizes = np.abs(np.concatenate([np.ravel(t) for t in true]))
    sizes = sizes[sizes > 0]
    return bool(sizes.size) and np.ptp(sizes) <= RIGHT * sizes.max()


def _without_chance(levels: list[Level], true: list[Array]) -> list[Level]:
    """Where a gradient is one number, as a mean of signs may be, or that of the only unit that is alive, all that an
    optimiser makes of it is a multiple: then that which it is made of counts, if it is one as well."""
    if not is_one_number(true):
        return levels
    last, inner = -1, levels[-1].node
    for k, (candidate, *_) in enumerate(levels):
        if candidate is not None and candidate.node.function not in PACKING:
            twice = inner is not None and sum(depends(n, inner) for n in {*candidate.node.parents}) > 1
            last = k if twice or candidate.bent else last
    if not any(level.factor is not None for level in levels[last + 1 :]):
        return levels
    return [level._replace(factor=None) if k <= last else level for k, level in enumerate(levels)]


def up_to_formula(levels: list[Level], parameter: Parameter) -> list[Level]:
    """The arrays down to the line that made the gradient: what stands there is its formula, constants and sign too.

    What an optimiser makes of a gradient is seen through, and no penalty that is added to it. Where the line that makes
    the gradient is that of the step itself, or makes all that is stepped with, or what an optimiser keeps, numbers that
    it is multiplied by are seen through as well, since the learning rate is one of them.
    """
    made, outermost = levels[-1].candidate, levels[0].candidate
    if made is None or outermost is None or made.node.place is None:
        return levels
    kept = [lv.candidate.node for lv in levels if lv.candidate is not None and lv.candidate.kept]
    in_step = any(is_of_statement(made.node, node) for node in (parameter.after, outermost.node, *kept))
    for k, level in enumerate(levels):
        candidate = level.candidate
        if candidate is not None and candidate.penalised and level.factor is None:
            return levels[: k + 1]
        if candidate is None or candidate.bent or candidate.kept:
            continue
        if not is_of_statement(made.node, candidate.node):
            continue
        if not in_step or not (level.factor is not None or candidate.scaled or candidate.decayed):
            return levels[: k + 1]
    return levels


def true_gradients(parameter: Parameter, truth: Truth) -> list[Array]:
    nothing = np.zeros(parameter.before.shape)
    return [np.asarray(adjoints.get(parameter.before, nothing)).reshape(nothing.shape) for adjoints in truth.adjoints]


def holds(node: Node, true: list[Array], drawn: list[Values]) -> bool:
    """Whether a Node is a multiple of a gradient, by the same constant in all draws: (n,) of (1, n), too."""
    return constant_to(node, true, drawn) is not None


def constant_to(node: Node, true: list[Array], drawn: list[Values]) -> float | None:
    """How many times a gradient a Node is, if that is the same in all draws: (n,) of (1, n), too."""
    if node.is_complex or not has_shape(node, true[0].shape):
        return None
    arrays = [np.reshape(np.asarray(values(node), float), t.shape) for values, t in zip(drawn, true, strict=True)]
    return common_multiple(arrays, true, RIGHT)


def has_shape(node: Node, shape: tuple[int, ...]) -> bool:
    """Whether a Node is an array of this shape, but for axes of length 1, and not several."""
    return node.dtype is not None and without_ones(node.shape) == without_ones(shape)


def _factor(arrays: list[Array], true: list[Array], nothing_given: list[float], nothing: list[float]) -> float | None:
    """c with array = c · true in every draw; nan where both are 0."""
    given, wanted = [], []
    for array, t, none_given, none in zip(arrays, true, nothing_given, nothing, strict=True):
        try:
            array = np.broadcast_to(array, t.shape)
        except ValueError:
            return None
        given_is_zero, true_is_zero = np.abs(array).max(initial=0) <= none_given, np.abs(t).max(initial=0) <= none
        if given_is_zero != true_is_zero:
            return None
        if not given_is_zero:
            given.append(array)
            wanted.append(t)
    return common_multiple(given, wanted, RIGHT) if given else math.nan


def is_multiple(factor: float | None) -> TypeGuard[float]:
    """Whether a gradient is the true one times a constant, and neither is 0."""
    return factor is not None and not math.isnan(factor)


def is_one(factor: float | None) -> bool:
    """Whether a gradient is the true one but for its sign, which the step decides on."""
    return factor is not None and (math.isnan(factor) or abs(abs(factor) - 1) <= RIGHT)


def divided(level: Level, number: float) -> Level:
    if number == 1:
        return level
    arrays = [array / number for array in level.arrays]
    return level._replace(arrays=arrays, factor=level.factor and level.factor / number)


def differs(given: list[Array], true: list[Array], scale: float, tolerance: float = RIGHT) -> bool:
    """Whether a gradient is in some draw another one than the true one times a constant."""
    for array, t in zip(given, true, strict=True):
        if array.shape != t.shape or np.abs(array - scale * t).max() > tolerance * max(np.abs(scale * t).max(), 1e-300):
            return True
    return False


def is_rounding(true: Mapping[str, list[Array]], name: str) -> bool:
    """Whether a true gradient is in all draws so small beside the largest one that only rounding is left of it."""
    largest = [max(np.abs(array).max(initial=0) for array in of_draw) for of_draw in zip(*true.values(), strict=True)]
    return all(np.abs(t).max(initial=0) <= NOTHING * most for t, most in zip(true[name], largest, strict=True))
