"""Which array of each parameter is compared with the truth: what is left of its step without the learning rate, and
without what an optimiser makes of a gradient.

A constant is judged on the outermost array that is proportional to the truth: the innermost would forgive a missing
1/m. Where a step may be read in several ways, that one counts by which the most gradients share a constant, or are the
true ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from jaxnet.compare.author.levels import RIGHT, Level, divided, is_one, ratio_of, up_to_formula
from jaxnet.compare.author.lines import is_of_statement
from jaxnet.compare.author.rates import numbers_inside, rate_of_line
from jaxnet.compare.author.raw import spread, stepped
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import ancestors, nodes_in
from jaxnet.compare.multiples import common_multiple, is_among


def compared(
    fitted: dict[Parameter, list[Level]], step: Step, drawn: list[Values]
) -> tuple[dict[Parameter, Level], dict[Parameter, list[Level]]]:
    """Which array of each parameter is compared with the truth; and all of them, with those found meanwhile."""
    fitted = {p: _without_decay(levels) for p, levels in fitted.items()}
    given_before = {}  # what NumPy spread over the arrays of an optimiser
    for p, levels in fitted.items() if not step.stale else ():
        if all(level.factor is None for level in levels):
            further = [Level(c, [np.asarray(v(c.node), float) for v in drawn], None) for c in spread(p, step)]
            fitted = {**fitted, p: up_to_formula([*levels, *further], p)}
            given_before |= {p: further[0]} if further else {}
    chosen = _compared_level(fitted)
    if not _one_constant(chosen):
        chosen = _by_line(chosen, fitted, step, drawn)
    whole = {p: levels[0] for p, levels in fitted.items()}
    explained = all(level.factor is not None for level in whole.values())
    if explained and not all(is_one(level.factor) for level in chosen.values()):
        # A number among others in the line of the step is the rate, if the rest is then the truth.
        chosen = whole if _rate_inside(whole, fitted, step, drawn) != 1 else chosen
    rate = _rate_inside(chosen, fitted, step, drawn)
    chosen = {p: divided(level, rate) for p, level in chosen.items()}
    for p, first in given_before.items():
        if chosen[p].arrays[0].size == fitted[p][0].arrays[0].size:
            chosen[p] = first
    return chosen, fitted


def _without_decay(levels: list[Level]) -> list[Level]:
    """The levels but for a decay of the weights that is part of the step, and of no gradient."""
    is_decay = [lv.candidate is not None and lv.candidate.decayed and lv.factor is None for lv in levels[:-1]]
    return levels[(*is_decay, False).index(False) :]


def _by_line(
    chosen: dict[Parameter, Level], fitted: dict[Parameter, list[Level]], step: Step, drawn: list[Values]
) -> dict[Parameter, Level]:
    """The whole steps without the numbers in their lines, where more speaks for that than for what was chosen:
    `W -= rate * X.T @ error`, and another rate in another line. Else those of wrong gradients only: of what is stepped
    in pieces, and of a step in whose line the number stands that has been taken off the right ones."""
    whole = {p: levels[0] for p, levels in fitted.items()}
    rates = {p: rate_of_line(p, level.factor, step, drawn[0]) for p, level in whole.items()}
    of_right = next((rates[p] for p, level in whole.items() if level.factor), None)  # is looked for in wrong ones too
    rates |= {p: rate_of_line(p, of_right, step, drawn[0]) for p, level in whole.items() if level.factor is None}
    by_line = {p: divided(level, rates[p]) for p, level in whole.items()}
    chosen = max([chosen, by_line], key=_agreement)
    right = {p: level for p, level in chosen.items() if level.factor is not None}
    taken = [abs(rate) for p, level in (right or chosen).items() if (rate := ratio_of(level, whole[p]))]
    is_inside = bool(right) and all(level is whole[p] for p, level in right.items())  # and is taken off all at once

    def is_wrong_with_it(p: Parameter, level: Level) -> bool:
        own = common_multiple(whole[p].arrays, level.arrays, RIGHT) if right and level is not whole[p] else None
        in_doubt = level is whole[p] or (own is not None and not is_among(abs(own), taken, RIGHT))
        as_others = in_doubt and is_among(ratio_of(by_line[p], whole[p]) or 1.0, taken, RIGHT)
        return level.factor is None and ((level.candidate is None and not is_inside) or as_others)

    return {p: by_line[p] if is_wrong_with_it(p, level) else level for p, level in chosen.items()}


def _compared_level(fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level]:
    """Which array of each parameter is compared: the one that a constant is fairly judged on.

    The outermost that is proportional to the truth, where all share one constant: then no constant is wrong, and the
    array is looked for that it is 1 on. Else what is left when the learning rate is taken off: the array within one
    multiplication by a number, or within two or three, whichever leaves most gradients equal to the truth.
    """
    outermost = {p: _proportional(levels) for p, levels in fitted.items()}
    if _one_constant(outermost):
        exact = {p: [level for level in levels if is_one(level.factor)] for p, levels in fitted.items()}
        if all(exact.values()):
            return {p: levels[0] for p, levels in exact.items()}
        within = _by_rates_of_others({p: _within(levels, 1) for p, levels in fitted.items()}, fitted)
        return within if _one_constant(within) else outermost
    choices = [
        _by_rates_of_others({p: _within(levels, count) for p, levels in fitted.items()}, fitted) for count in (1, 2, 3)
    ]
    # Numbers that all steps are multiplied by alike are a learning rate; others are part of a gradient's formula.
    whole = {p: levels[0] for p, levels in fitted.items()}
    fair = [{p: _within(levels, 1, one_is_rate=True) for p, levels in fitted.items()}]
    fair += [choices[0], *(choice for choice in choices[1:] if _same_ratio(choice, fitted)), whole]
    if (given := _given_alike(fitted)) is not None:
        fair.append(given)
    past = _past_optimisers(choices[0], fitted)
    chosen = past if _one_constant(past) else max(fair, key=_agreement)
    # What is taken off the right gradients, once they are made, is taken off the wrong ones too.
    ratios = (ratio_of(fitted[p][-1], level) for p, level in chosen.items() if is_one(level.factor))
    taken = [ratio for ratio in ratios if ratio is not None] or [1.0]
    if max(taken) - min(taken) > RIGHT * abs(taken[0]) or abs(taken[0] - 1) <= RIGHT:
        return chosen
    wrong = {p: fitted[p][-1] for p, level in chosen.items() if level.factor is None}
    alike = {p: multiple_among(taken[0], made, fitted[p]) for p, made in wrong.items() if made.arrays[0].size == p.size}
    return {p: alike.get(p) or level for p, level in chosen.items()}


def _past_optimisers(within: dict[Parameter, Level], fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level]:
    """The same, but for some gradients what an optimiser was given, since it clips those of some layers only.

    That is an array of the parameter's own: the error of a layer, of which all its gradients are made, is none.
    """
    first = min((lv.candidate.node.number for levels in fitted.values() for lv in levels if lv.candidate), default=0)
    inside = {p: ancestors(nodes_in(p.steps), first) for p in fitted}

    def own(level: Level, p: Parameter) -> bool:
        node = level.node
        return level.factor is not None and not any(node in inside[q] for q in fitted if q is not p)

    def given(p: Parameter) -> Level:
        for level in fitted[p]:
            if level.candidate is not None and level.candidate.penalised:
                break  # a penalty is no optimiser's
            if own(level, p):
                return level
        return within[p]

    return {p: given(p) if level.factor is None else level for p, level in within.items()}


def _given_alike(fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level] | None:
    """What an optimiser was given, where the same lines of the program make the steps of all gradients."""
    given = {p: _of_formula(levels) for p, levels in fitted.items()}
    lines = set()
    for p, levels in fitted.items():
        outside = itertools.takewhile(lambda level, inner=given[p]: level is not inner, levels)
        lines.add(tuple((lv.node.place, lv.node.function) for lv in outside if lv.node is not None))
    return given if len(lines) == 1 and lines != {()} else None


def _agreement(choice: dict[Parameter, Level]) -> tuple[bool, int, int]:
    """How much speaks for a choice of arrays: all share one constant; so many share one; so many equal the truth."""
    known = [abs(level.factor) for level in choice.values() if level.factor and not math.isnan(level.factor)]
    sharing = max((sum(abs(f - other) <= RIGHT * abs(f) for other in known) for f in known), default=0)
    return _one_constant(choice), sharing, sum(is_one(level.factor) for level in choice.values())


def _same_ratio(choice: dict[Parameter, Level], fitted: dict[Parameter, list[Level]]) -> bool:
    """Whether the same constant has been taken off all steps."""
    ratios = [ratio for p, level in choice.items() if (ratio := ratio_of(level, fitted[p][0])) is not None]
    return len(ratios) == len(choice) and max(ratios) - min(ratios) <= RIGHT * max(map(abs, ratios))


def _one_constant(choice: dict[Parameter, Level]) -> bool:
    factors = [level.factor for level in choice.values() if level.factor is None or not math.isnan(level.factor)]
    if any(f is None for f in factors) or not factors:
        return False
    values = [abs(f) for f in factors if f is not None]
    return max(values) - min(values) <= RIGHT * max(map(abs, values))


def _proportional(levels: list[Level]) -> Level:
    """The outermost array that is proportional to the truth, past what an optimiser makes of it."""
    return next((level for level in levels if level.factor is not None), levels[-1])


def _of_formula(levels: list[Level]) -> Level:
    """What an optimiser was given, where no array is the truth: all of the line in which the gradient was made, but for
    what is kept from the steps before, and over the number of examples, if it is divided by that further on."""
    made = levels[-1].candidate
    of = [lv.candidate for lv in levels]
    in_line = [k for k, c in enumerate(of) if c and made and not c.kept and is_of_statement(c.node, made.node)]
    k = next(iter(in_line), len(levels) - 1)
    while k and (outer := levels[k - 1].candidate) and outer.counts and outer.node.function is np.true_divide:
        k -= 1
    return levels[k]


def _within(levels: list[Level], count: int, one_is_rate: bool = False) -> Level:
    """What is left of a step without so many multiplications by numbers; of an optimiser's, what is proportional.

    Where all that stands between step and gradient are numbers of examples, one may be the learning rate all the same.
    """
    if levels[0].candidate is None or not levels[0].candidate.scaled:
        return next((level for level in levels if is_one(level.factor)), _of_formula(levels))
    k = taken = 0
    made = levels[-1].candidate
    apart = count == 1 and made is not None and not is_of_statement(made.node, levels[0].candidate.node)
    counts: list[float] = []  # of examples, or 1 for another number
    while k + 1 < len(levels) and (candidate := levels[k].candidate) is not None:
        beside = (candidate.decayed or candidate.beside) and levels[k].factor is None
        if apart and made is not None and candidate.scaled and not is_of_statement(candidate.node, made.node):
            # Between the line that makes a gradient and the step, numbers are a layer's own rate.
            taken = 1
            counts.append((candidate.counts and ratio_of(levels[k + 1], levels[k])) or 1.0)
        elif candidate.kept:
            taken -= candidate.mean  # 1 − β is the optimiser's
        elif not beside and (taken >= count or not candidate.scaled):
            break
        taken += candidate.scaled
        k += 1
    if one_is_rate and 1.0 not in counts:
        counts = counts[1:]
    return divided(levels[k], 1 / math.prod(counts))


def shared_constant(fitted: dict[Parameter, list[Level]]) -> float | None:
    """The constant that all gradients share on the level on which they are compared."""
    chosen = _compared_level(fitted)
    known = [level.factor for level in chosen.values() if level.factor is not None and not math.isnan(level.factor)]
    return known[0] if known and _one_constant(chosen) else None


def equal_to_truth(fitted: dict[Parameter, list[Level]]) -> int:
    """How many gradients are the true ones, on the level on which they are compared."""
    return sum(is_one(level.factor) for level in _compared_level(fitted).values())


def _by_rates_of_others(levels: dict[Parameter, Level], fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level]:
    """The learning rate taken off where the whole step is that times the truth, as `rate * X.T @ error` is.

    It is what has been taken off the steps of others. Where such a step is divided by a number as well, as
    `rate * X.T @ error / m` is, it is one of the numbers that others are multiplied by, and is not seen in the step.
    """
    whole = {p: found[0] for p, found in fitted.items()}
    rates = {ratio_of(level, whole[p]) for p, level in levels.items() if level is not whole[p]} - {None}
    numbers = {p: _numbers_of(found) for p, found in fitted.items()}
    hidden = {p: {n for of in numbers.values() for n in of if not is_among(n, numbers[p], RIGHT)} for p in levels}
    inside: dict[Parameter, float] = {}
    for p, level in levels.items():
        factor = abs(whole[p].factor or 0)
        possible = rates if level is whole[p] else set() if is_one(level.factor) else hidden[p]
        for rate in possible:
            if rate and abs(factor - rate) <= RIGHT * rate:
                inside[p] = rate
    unseen = {rate for p, rate in inside.items() if levels[p] is not whole[p]}
    for p, level in levels.items():  # what is wrong is written as the others are
        if level.factor is None and len(unseen) == 1 and unseen <= hidden[p]:
            inside[p] = next(iter(unseen))
    return {p: divided(whole[p], inside[p]) if p in inside else level for p, level in levels.items()}


def _numbers_of(levels: list[Level]) -> list[float]:
    """The numbers that a step is multiplied by, one after another, and what is left is not."""
    found = []
    for outer, inner in itertools.pairwise(levels):
        if outer.candidate is None or not outer.candidate.scaled or (ratio := ratio_of(inner, outer)) is None:
            break
        found.append(abs(ratio))
    return found


def _rate_inside(levels: dict[Parameter, Level], fitted: dict[Parameter, list[Level]], step: Step, drawn) -> float:
    """The learning rate that is inside of the gradients; 1 if it is not, or no gradient is right.

    It is where no number stands just before the step, and the error was multiplied by one that is the gradients'
    constant, or by one alone. Where some are the true ones with it, and no line multiplies these once they are made,
    the rate is 1.
    """
    known = [(p, level) for p, level in levels.items() if level.factor and not math.isnan(level.factor)]
    outer = all(any(level is other for other in _to_what_is_kept(fitted[p])) for p, level in known)
    if not known or not step.is_authors or not outer:
        return 1.0
    if any(is_one(lv.factor) and not (lv.candidate and lv.candidate.scaled) for _, lv in known):
        return 1.0
    numbers = numbers_inside([p for p, _ in known], step, drawn[0])
    for number in numbers:
        if all(abs(abs(level.factor or 0) - number) <= RIGHT * number for _, level in known):
            return number
    return numbers[0] if len(numbers) == 1 else 1.0


def _to_what_is_kept(levels: list[Level]) -> list[Level]:
    """The outermost array, and those down to the first one within what an optimiser keeps."""
    kept = [k for k, level in enumerate(levels[:-1]) if level.candidate is not None and level.candidate.kept]
    return levels[: kept[-1] + 2 if kept else 1]


def whole_steps(levels, fitted, step: Step, drawn) -> Iterator[dict[Parameter, Level]]:
    """Where no gradient is right: all of each step but the learning rate, which may have been put into the error."""
    if step.stale or not step.is_authors or any(level.factor is not None for level in levels.values()):
        return
    if all(len(p.steps) != 1 for p in levels):
        return
    for number in numbers_inside(levels, step, drawn[0]):
        yield {p: Level(fitted[p][0].candidate, [stepped(p, v) / number for v in drawn], None) for p in levels}


def multiple_among(constant: float, level: Level, levels: list[Level]) -> Level | None:
    """The array that is another one times a constant, of the author's lines if there is one."""
    for other in sorted(levels, key=lambda lv: lv.candidate is None or lv.candidate.node.place is None):
        pairs = zip(other.arrays, level.arrays, strict=True)
        if all(a.shape == b.shape and np.allclose(a, constant * b, RIGHT, 0) for a, b in pairs):
            return other
    return None
