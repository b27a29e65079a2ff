"""Which array of each parameter is compared with the truth: what is left of its step without the learning rate, and
without what an optimiser makes of a gradient.

A constant is judged on the outermost array that is proportional to the truth: the innermost would forgive a missing
1/m. The rate is a product of numbers that this is multiplied by, the same for all steps, by which the most gradients
are the true ones.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator

import numpy as np

from jaxnet.compare.author.levels import RIGHT, Level, divided, is_multiple, is_one, up_to_formula
from jaxnet.compare.author.node import Node, ancestors, depends, nodes_in, setitem
from jaxnet.compare.author.rates import Number, but_for, common_to, outside_of_formulas, products
from jaxnet.compare.author.raw import spread
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.multiples import common_multiple, is_among, is_times

Choice = dict[Parameter, Level]


def with_spread(fitted: dict[Parameter, list[Level]], step: Step, drawn: list[Values]) -> dict[Parameter, list[Level]]:
    """The levels without a decay that is the step's, and with what NumPy spread over the arrays of an optimiser."""
    found = {}
    for p, levels in fitted.items():
        is_decay = [lv.candidate is not None and lv.candidate.decayed and lv.factor is None for lv in levels[:-1]]
        found[p] = levels[(*is_decay, False).index(False) :]
        if not step.stale and all(level.factor is None for level in levels):
            for c in spread(p, step):
                made = ancestors([c.node], p.root.number)
                numbers = tuple(n for n in levels[0].numbers if n.node in made)
                found[p].append(Level(c, [np.asarray(v(c.node), float) for v in drawn], None, numbers))
            found[p] = up_to_formula(found[p], p)
    return found


def readings(fitted: dict[Parameter, list[Level]]) -> Iterator[Choice]:
    """Which array of each parameter may be its gradient, likeliest first; several where no gradient is right."""
    linear = [p for p, levels in fitted.items() if is_multiple(levels[0].factor)]
    of_linear = ancestors(n for p in linear for n in nodes_in(p.steps)) if len(linear) < len(fitted) else set()
    given = {p: _given(levels, of_linear) for p, levels in fitted.items()}
    known = {p: level for p, level in given.items() if is_multiple(level.factor)}
    # Those whose whole step is a multiple of the gradient have a rate, and of others it may be farther out.
    own = [p for p in given if p.after.place is not None] or list(given)  # not a layer's input, which we step
    groups = [[p for p in own if (given[p] is fitted[p][0]) is whole] for whole in (True, False)]
    telling = [[p for p in of if p in known or known.keys().isdisjoint(of)] for of in groups]
    # What is a number of all steps is the rate, and then there is none farther in of one group alone.
    of_all = common_to([outside_of_formulas(fitted[p][0].numbers) for p in own]) if all(telling) else []
    possible = [dict.fromkeys(_rates([(given[p], fitted[p][0]) for p in of], of_all)) for of in telling]
    shared = [common_to([outside_of_formulas(given[p].numbers) for p in of]) for of in telling]

    @functools.cache
    def without(rate: float, p: Parameter) -> Level:
        return multiple_among(1 / rate, given[p], fitted[p]) or divided(given[p], rate)

    def by_rates(of_groups: tuple[float, ...], constant: float | None) -> Choice:
        rates = {p: (rate, numbers) for of, rate, numbers in zip(groups, of_groups, shared, strict=True) for p in of}
        taken = {p: _rate_of(lv, fitted[p][0], *rates.get(p, (1.0, [])), constant) for p, lv in given.items()}
        return {p: without(taken[p], p) for p in given}

    alike = [by_rates(rates, None) for rates in itertools.product(*possible)]
    if not known:
        yield from alike
        return
    best = max(alike, key=_explained)
    if _explained(best)[1:] == (len(known), len(known)):  # all are the true ones
        yield best
        return
    constants = {round(abs(lv.factor), 12) for choice in alike for p, lv in choice.items() if p in known and lv.factor}
    constants |= {
        abs(lv.factor or 0) / math.prod(n.size for n in outside_of_formulas(lv.numbers)) for lv in known.values()
    }
    own = (by_rates(of, constant) for of in itertools.product(*possible) for constant in [1.0, *sorted(constants)])
    yield max([best, *own], key=_explained)


def _given(levels: list[Level], of_linear: set[Node]) -> Level:
    """What an optimiser was given: the outermost array that is proportional to the truth, or else to that which the
    formula makes. What steps `of_linear` optimisers are made of as well is a layer's error, of which gradients are to
    be made."""

    made = next((level for level in levels if is_written_in_part(level.node)), levels[-1])

    def is_multiple(level: Level) -> bool:
        pairs = [(a, b) for a, b in zip(level.arrays, made.arrays, strict=True) if np.any(a) or np.any(b)]
        same = all(a.shape == b.shape for a, b in pairs)
        return same and common_multiple([a for a, _ in pairs], [b for _, b in pairs], RIGHT) is not None

    right = next((level for level in levels if level.factor is not None), None)
    if right is not None:
        return right if right is levels[0] or right.node not in of_linear else levels[0]
    return next(filter(is_multiple, levels), made)


def is_written_in_part(node: Node | None) -> bool:
    """Whether something was added to some entries of an array, by writing into it; not of one that began as zeros, to
    which all entries are added so."""
    if node is None or node.function is not setitem:
        return False
    array, _, value = node.inputs
    is_sum = isinstance(value, Node) and value.function in (np.add, np.subtract)
    if not is_sum or not isinstance(array, Node) or not value.size < array.size or not depends(value, array):
        return False
    return array.function is not None and (array.function is not setitem or is_written_in_part(array))


def _rates(levels: list[tuple[Level, Level]], of_all: list[Number]) -> list[float]:
    """What the rate of all these steps may be, likeliest first: of the numbers that gradients, each beside its whole
    step, have in common outside of the lines that make them all, or one, or some; if there are none, and none farther
    out, none or one of those inside. That is the rate of whole steps, if there is but one. What is farther out, and is
    no rate, may yet be divided by the number of examples there. Where a number `of_all` steps is farther out, what is
    farther in is no rate, unless it is an average's share."""
    farther = common_to([[n for n in whole.numbers if n not in level.numbers] for level, whole in levels])
    means = 1 / math.prod(n.size for n in farther if n.counts)
    has_rate = any(not n.counts for n in farther)
    inner = bool(common_to([of_all, farther])) and all(level.factor for level, _ in levels)
    outside = common_to([[n for n in level.numbers if n.outside and (n.share or not inner)] for level, _ in levels])
    inside = [] if has_rate else common_to([[n for n in level.numbers if not n.counts] for level, _ in levels])
    if numbers := [n.size for n in outside if not n.counts]:
        every = numbers + [n.size for n in outside if n.counts]
        fractions = [size for size in numbers if size % 1] or numbers  # 2 is a square's rather than a rate
        likeliest = (math.prod(fractions), math.prod(numbers))
        # What is divided by may be a count of a sum's terms, and the rate be where they are made.
        inner_rates = products([n.size for n in inside]) if all(n.divides for n in outside) else []
        return [means * rate for rate in (*likeliest, *products(every), *inner_rates, *([1.0] if has_rate else []))]
    if len(inside) == 1 and all(level is whole for level, whole in levels):
        return [inside[0].size, 1.0] if inside[0].size % 1 else [1.0, inside[0].size]
    return [means, *(means * n.size for n in (*outside, *inside))]


def _explained(choice: Choice) -> tuple[bool, int, int]:
    """How much speaks for a choice: all share one constant; so many share one; so many are the true ones."""
    constants = [abs(lv.factor) for lv in choice.values() if is_multiple(lv.factor)]
    sharing = max((sum(is_among(c, [other], RIGHT) for other in constants) for c in constants), default=0)
    all_share = sharing == sum(lv.factor is None or not math.isnan(lv.factor) for lv in choice.values())
    return all_share, sharing, sum(is_among(c, [1.0], RIGHT) for c in constants)


def _rate_of(level: Level, whole: Level, rate: float, shared: list[Number], constant: float | None) -> float:
    """The rate that is taken off one step: that of all, times numbers of its own by which it has the `constant` of
    others. If the rate of all is nowhere in it, its own ones. What a gradient was multiplied by before the rate is no
    rate of its own, unless it is an average's share."""
    numbers = outside_of_formulas(level.numbers)
    further = but_for(numbers, shared)
    in_all = [n for n in numbers if n not in further]
    last = max((n.node for n in in_all), key=lambda n: n.number, default=None)
    is_farther = any(n not in level.numbers for n in outside_of_formulas(whole.numbers))

    def may_be_own(n: Number) -> bool:
        later = not is_farther if last is None else n.node.number > last.number or n.node.place == last.place
        return n.share or later

    own = [n.size for n in filter(may_be_own, further)]
    if not own or (constant is None and (level.factor or rate == 1)):
        return rate
    base = rate if in_all else 1.0
    of_own = [base * k for k in products(own)]
    if level.factor and constant:
        return next((k for k in of_own if is_among(abs(level.factor) / k, [constant], RIGHT)), rate)
    return rate if in_all else of_own[-1]


def shared_constant(fitted: dict[Parameter, list[Level]]) -> float | None:
    """The constant that all gradients share on the level on which they are compared."""
    chosen = next(readings(fitted))
    factors = [level.factor for level in chosen.values() if level.factor is None or not math.isnan(level.factor)]
    sizes = [abs(f) for f in factors if f is not None]
    same = bool(factors) and len(sizes) == len(factors) and max(sizes) - min(sizes) <= RIGHT * max(sizes)
    return factors[0] if same else None


def equal_to_truth(fitted: dict[Parameter, list[Level]]) -> int:
    """How many gradients are the true ones, on the level on which they are compared."""
    return sum(is_one(level.factor) for level in next(readings(fitted)).values())


def multiple_among(constant: float, level: Level, levels: list[Level]) -> Level | None:
    """The array that is another one times a constant, of the author's lines if there is one."""
    for other in sorted(levels, key=lambda lv: lv.candidate is None or lv.candidate.node.place is None):
        pairs = zip(other.arrays, level.arrays, strict=True)
        if all(is_times(a, constant, b, RIGHT) for a, b in pairs):
            return other
    return None
