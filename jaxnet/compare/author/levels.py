"""Which array of a step is the gradient: what is left of the step when the learning rate, and what an optimiser or a
penalty makes of it, are taken off.

From the step inwards each array is a *level*. A constant is judged on the outermost level that is proportional to the
truth: the innermost would forgive a missing 1/m.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.raw import Candidate, candidates, is_scaling, spread, stepped
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, ancestors, nodes_in
from jaxnet.compare.author.truth import Truth
from jaxnet.compare.multiples import NOTHING, common_multiple, is_among, with_penalty, without_ones

MOST_NUMBERS = 6  # in the line of a step
RIGHT = 1e-6  # a gradient as near as this, as a share of its largest entry, is the true one
Array = np.ndarray


class Level(NamedTuple):
    """What may be a parameter's gradient: its values in each draw, and its constant to the truth, if there is one."""

    candidate: Candidate | None
    arrays: list[Array]
    factor: float | None  # None where it is not proportional to the truth; nan where both are 0 in all draws

    @property
    def node(self) -> Node | None:
        return self.candidate.node if self.candidate is not None else None


def levels_of(step: Step, drawn: list[Values]) -> dict[Parameter, list[Level]]:
    """What may be the gradients, outermost first: the step itself where no array of it is known."""
    levels = {}
    for p in step.parameters:
        found = [] if step.stale else candidates(p, step)
        if p.after.place is None:  # the step is ours: a rate times the gradient, and no other number is a rate
            found = found[1:2] or found
        levels[p] = [Level(c, [_placed(np.asarray(v(c.node), float), c, p) for v in drawn], None) for c in found]
        levels[p] = levels[p] or [Level(None, [stepped(p, values) for values in drawn], None)]
    return levels


def _placed(value: Array, candidate: Candidate, parameter: Parameter) -> Array:
    """A candidate's entries where the step has them, spread over the parameter as NumPy spreads them."""
    placed = value.reshape(-1)[candidate.positions] if value.size == candidate.positions.size else value
    shape = parameter.before.shape
    if placed.shape != shape and placed.size == parameter.size:
        vector = sum(n > 1 for n in shape) <= 1
        return placed.reshape(shape) if vector else placed
    return placed


def fit(found: dict[Parameter, list[Level]], truth: Truth) -> dict[Parameter, list[Level]]:
    """The constants of all that may be gradients. What is 0 beside the largest one is rounding: a bias before a
    normalisation has no gradient, and gets one of 1e-17."""
    draws = range(len(truth.adjoints))
    nothing = [NOTHING * max(np.abs(true_gradients(p, truth)[k]).max(initial=0) for p in found) for k in draws]
    nothing_given = [
        NOTHING * max(np.abs(levels[-1].arrays[k]).max(initial=0) for levels in found.values()) for k in draws
    ]
    return {
        p: _up_to_formula(
            [lv._replace(factor=_factor(lv.arrays, true_gradients(p, truth), nothing_given, nothing)) for lv in levels],
            p,
        )
        for p, levels in found.items()
    }


def _up_to_formula(levels: list[Level], parameter: Parameter) -> list[Level]:
    """The arrays down to the line that made the gradient: what stands there is its formula, constants and sign too.

    What an optimiser makes of a gradient is seen through. Where the line that makes the gradient is that of the step
    itself, or makes all that is stepped with, numbers that it is multiplied by are seen through as well, since the
    learning rate is one of them.
    """
    made, outermost = levels[-1].candidate, levels[0].candidate
    if made is None or outermost is None or made.node.place is None:
        return levels
    in_step = made.node.place[:2] in [node.place[:2] for node in (parameter.after, outermost.node) if node.place]
    for k, level in enumerate(levels):
        candidate = level.candidate
        if candidate is None or candidate.beside or candidate.bent or candidate.kept:
            continue
        if candidate.node.place != made.node.place:
            continue
        if not in_step or not (level.factor is not None or candidate.scaled or candidate.decayed):
            return levels[: k + 1]
    return levels


def true_gradients(parameter: Parameter, truth: Truth) -> list[Array]:
    nothing = np.zeros(parameter.before.shape)
    return [np.asarray(adjoints.get(parameter.before, nothing)).reshape(nothing.shape) for adjoints in truth.adjoints]


def holds(node: Node, true: list[Array], drawn: list[Values]) -> bool:
    """Whether a Node is a multiple of a gradient, by the same constant in all draws: (n,) of (1, n), too."""
    if not has_shape(node, true[0].shape):
        return False
    arrays = [np.reshape(np.asarray(values(node), float), t.shape) for values, t in zip(drawn, true, strict=True)]
    return common_multiple(arrays, true, RIGHT) is not None


def has_shape(node: Node, shape: tuple[int, ...]) -> bool:
    """Whether a Node has this shape, but for axes of length 1."""
    return without_ones(node.shape) == without_ones(shape)


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


# --- which of them is compared ----------------------------------------------------------------------------------------


def compared(
    fitted: dict[Parameter, list[Level]], step: Step, drawn: list[Values]
) -> tuple[dict[Parameter, Level], dict[Parameter, list[Level]]]:
    """Which array of each parameter is compared with the truth; and all of them, with those found meanwhile."""
    given_before = {}  # what NumPy spread over the arrays of an optimiser
    for p, levels in fitted.items() if not step.stale else ():
        if all(level.factor is None for level in levels):
            further = [Level(c, [np.asarray(v(c.node), float) for v in drawn], None) for c in spread(p, step)]
            fitted = {**fitted, p: _up_to_formula([*levels, *further], p)}
            given_before |= {p: further[0]} if further else {}
    chosen = _compared_level(fitted)
    if not _one_constant(chosen):  # `W -= rate * X.T @ error`, and another rate in another line
        by_line = {p: _divided(levels[0], _rate_of_line(p, levels[0], step, drawn[0])) for p, levels in fitted.items()}
        chosen = max([chosen, by_line], key=_agreement)
        taken = [rate for p, lv in chosen.items() if lv.factor is not None and (rate := _ratio(lv, fitted[p][0]))]
        for p, level in chosen.items():
            whole = fitted[p][0]
            as_others = level is whole and is_among(_ratio(by_line[p], whole) or 1.0, taken, RIGHT)
            if level.factor is None and (level.candidate is None or as_others):
                chosen = {**chosen, p: by_line[p]}
    whole = {p: levels[0] for p, levels in fitted.items()}
    explained = all(level.factor is not None for level in whole.values())
    if explained and not all(is_one(level.factor) for level in chosen.values()):
        # A number among others in the line of the step is the rate, if the rest is then the truth.
        chosen = whole if _rate_inside(whole, fitted, step, drawn) != 1 else chosen
    rate = _rate_inside(chosen, fitted, step, drawn)
    chosen = {p: _divided(level, rate) for p, level in chosen.items()}
    for p, first in given_before.items():
        if chosen[p].arrays[0].size == fitted[p][0].arrays[0].size:
            chosen[p] = first
    return chosen, fitted


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
    fair = [choices[0], *(choice for choice in choices[1:] if _same_ratio(choice, fitted)), whole]
    fair.append({p: _within(levels, 1, one_is_rate=True) for p, levels in fitted.items()})
    if (given := _given_alike(fitted)) is not None:
        fair.append(given)
    past = _past_optimisers(choices[0], fitted)
    chosen = past if _one_constant(past) else max(fair, key=_agreement)
    # What is taken off the right gradients, once they are made, is taken off the wrong ones too.
    ratios = (_ratio(fitted[p][-1], level) for p, level in chosen.items() if is_one(level.factor))
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
    ratios = [ratio for p, level in choice.items() if (ratio := _ratio(level, fitted[p][0])) is not None]
    return len(ratios) == len(choice) and max(ratios) - min(ratios) <= RIGHT * max(map(abs, ratios))


def _ratio(level: Level, whole: Level) -> float | None:
    """The number that one array is another one times."""
    rest, of_whole = level.arrays[0], whole.arrays[0]
    if of_whole.shape != rest.shape or not rest.any():
        return None
    return float(np.vdot(rest, of_whole) / np.vdot(rest, rest))


def is_one(factor: float | None) -> bool:
    """Whether a gradient is the true one but for its sign, which the step decides on."""
    return factor is not None and (math.isnan(factor) or abs(abs(factor) - 1) <= RIGHT)


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
    here = made.node.place if made is not None else None
    in_line = [k for k, lv in enumerate(levels) if (c := lv.candidate) and c.node.place == here and not c.kept]
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
    apart = count == 1 and made is not None and made.node.place != levels[0].candidate.node.place
    counts: list[float] = []  # of examples, or 1 for another number
    while k + 1 < len(levels) and (candidate := levels[k].candidate) is not None:
        beside = (candidate.decayed or candidate.beside) and levels[k].factor is None
        if apart and made is not None and candidate.node.place != made.node.place and candidate.scaled:
            # Between the line that makes a gradient and the step, numbers are a layer's own rate.
            taken = 1
            counts.append((candidate.counts and _ratio(levels[k + 1], levels[k])) or 1.0)
        elif candidate.kept:
            taken -= candidate.mean  # 1 − β is the optimiser's
        elif not beside and (taken == count or not candidate.scaled):
            break
        taken += candidate.scaled
        k += 1
    if one_is_rate and 1.0 not in counts:
        counts = counts[1:]
    return _divided(levels[k], 1 / math.prod(counts))


def shared_constant(fitted: dict[Parameter, list[Level]]) -> float | None:
    """The constant that all gradients share on the level on which they are compared."""
    chosen = _compared_level(fitted)
    known = [level.factor for level in chosen.values() if level.factor is not None and not math.isnan(level.factor)]
    return known[0] if known and _one_constant(chosen) else None


def equal_to_truth(fitted: dict[Parameter, list[Level]]) -> int:
    """How many gradients are the true ones, on the level on which they are compared."""
    return sum(is_one(level.factor) for level in _compared_level(fitted).values())


# --- the learning rate ------------------------------------------------------------------------------------------------


def _by_rates_of_others(levels: dict[Parameter, Level], fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level]:
    """The learning rate taken off where the whole step is that times the truth, as `rate * X.T @ error` is.

    It is what has been taken off the steps of others. Where such a step is divided by a number as well, as
    `rate * X.T @ error / m` is, it is one of the numbers that others are multiplied by, and is not seen in the step.
    """
    whole = {p: found[0] for p, found in fitted.items()}
    rates = {_ratio(level, whole[p]) for p, level in levels.items() if level is not whole[p]} - {None}
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
    return {p: _divided(whole[p], inside[p]) if p in inside else level for p, level in levels.items()}


def _numbers_of(levels: list[Level]) -> list[float]:
    """The numbers that a step is multiplied by, one after another, and what is left is not."""
    found = []
    for outer, inner in itertools.pairwise(levels):
        if outer.candidate is None or not outer.candidate.scaled or (ratio := _ratio(inner, outer)) is None:
            break
        found.append(abs(ratio))
    return found


def _rate_inside(levels: dict[Parameter, Level], fitted: dict[Parameter, list[Level]], step: Step, drawn) -> float:
    """The learning rate that is inside of the gradients; 1 if it is not, or no gradient is right.

    It is where no number stands just before the step, and the error was multiplied by one that is the gradients'
    constant.
    """
    known = [(p, level) for p, level in levels.items() if level.factor and not math.isnan(level.factor)]
    if not known or not step.is_authors or any(level is not fitted[p][0] for p, level in known):
        return 1.0
    for number in _numbers_inside([p for p, _ in known], step, drawn[0]):
        if all(abs(abs(level.factor or 0) - number) <= RIGHT * number for _, level in known):
            return number
    return 1.0


def whole_steps(levels, fitted, step: Step, drawn) -> Iterator[dict[Parameter, Level]]:
    """Where no gradient is right: all of each step but the learning rate, which may have been put into the error."""
    if step.stale or not step.is_authors or any(level.factor is not None for level in levels.values()):
        return
    if all(len(p.steps) != 1 for p in levels):
        return
    for number in _numbers_inside(levels, step, drawn[0]):
        yield {p: Level(fitted[p][0].candidate, [stepped(p, v) / number for v in drawn], None) for p in levels}


def _scalings(parameter: Parameter, step: Step, values: Values, factors: bool = False) -> dict[Node, float]:
    """By what numbers something is multiplied on the way to a step: what follows from the labels, or in the line of the
    step anything (`W -= rate * X.T @ error`), and elsewhere the other `factors` of what follows from the labels
    (`dW = rate * X.T @ error`)."""
    inside = ancestors(nodes_in(parameter.steps), min((n.number for n in step.labelled), default=0))
    products = (n for n in inside & step.labelled if factors and n.function not in (np.add, np.subtract))
    counted = step.labelled.union(*(n.parents for n in products))
    inside = (n for n in inside if n in counted or n.place == parameter.after.place)
    found = {}
    for node in sorted((n for n in inside if is_scaling(n, step)), key=lambda n: n.number):
        array = next(np.asarray(values(parent)) for parent in node.parents if parent.size == node.size)
        square = float(np.vdot(array, array)) or 1.0
        number = abs(float(np.vdot(array, np.asarray(values(node)).reshape(array.shape)))) / square
        if number:
            found[node] = number
    return found


def _is_count(number: float, step: Step) -> bool:
    """Whether it is the number of examples, or over it."""
    return is_among(max(number, 1 / number), step.counts, RIGHT)


def _rate_of_line(parameter: Parameter, whole: Level, step: Step, values: Values) -> float:
    """The product of numbers in the line of a step, but for those of examples: of those that are the step's constant to
    the truth, if some are, else of all."""
    found = _scalings(parameter, step, values).items()
    in_line = {n.site: k for n, k in found if n.place == parameter.after.place and not _is_count(k, step)}
    numbers = list(in_line.values())[:MOST_NUMBERS]
    several = (some for count in range(1, len(numbers) + 1) for some in itertools.combinations(numbers, count))
    products = [math.prod(some) for some in several]
    constant = abs(whole.factor or 0.0)
    return next((k for k in products if abs(k - constant) <= RIGHT * k), products[-1] if products else 1.0)


def _numbers_inside(parameters: Iterable[Parameter], step: Step, values: Values) -> list[float]:
    """The numbers, but for those of examples, by which something is multiplied in each of these parameters' steps."""
    found = [[*_scalings(p, step, values).values()] for p in parameters]
    return [k for k in _common(found) if not _is_count(k, step)]


def _common(numbers: list[list[float]]) -> list[float]:
    """Those that are in each of the lists."""
    return [k for k in dict.fromkeys(numbers[0]) if all(is_among(k, of, RIGHT) for of in numbers)]


def without_common_rate(step: Step, values: Values) -> bool:
    """Whether steps are multiplied by numbers, once they are of no common error, and by none all of them: then each may
    be a rate of its own."""
    found = [_scalings(p, step, values, factors=True) for p in step.parameters if stepped(p, values).any()]
    times = Counter(node for of in found for node in of)
    own = [[number for node, number in of.items() if times[node] == 1] for of in found]
    return any(not _is_count(k, step) for of in own for k in of) and not _common(own)


def _divided(level: Level, number: float) -> Level:
    if number == 1:
        return level
    arrays = [array / number for array in level.arrays]
    return level._replace(arrays=arrays, factor=level.factor and level.factor / number)


def multiple_among(constant: float, level: Level, levels: list[Level]) -> Level | None:
    """The array that is another one times a constant, of the author's lines if there is one."""
    for other in sorted(levels, key=lambda lv: lv.candidate is None or lv.candidate.node.place is None):
        pairs = zip(other.arrays, level.arrays, strict=True)
        if all(a.shape == b.shape and np.allclose(a, constant * b, RIGHT, 0) for a, b in pairs):
            return other
    return None


# --- penalties --------------------------------------------------------------------------------------------------------


def with_implied_penalty(truth: Truth, fitted: dict[Parameter, list[Level]], drawn: list[Values]):
    """The truth with λ/2 Σp² for each parameter whose gradient has λp in it: a loss that is inferred cannot deny it."""
    adjoints, levels_of, found = [dict(a) for a in truth.adjoints], dict(fitted), False
    for p, levels in fitted.items():
        if p.size < 4 or any(level.factor is not None for level in levels):
            continue
        true, own = true_gradients(p, truth), [np.asarray(values(p.before), float) for values in drawn]
        fits = [with_penalty(level.arrays, true, own, RIGHT) for level in levels]
        penalty = next((fit[1] for fit in fits if fit is not None), None)
        if penalty is not None:
            found = True
            levels_of[p] = [lv._replace(factor=fit and fit[0]) for lv, fit in zip(levels, fits, strict=True)]
            for of_draw, t, w in zip(adjoints, true, own, strict=True):
                of_draw[p.before] = t + penalty * w
    if not found:
        return truth, fitted
    return truth._replace(loss=truth.loss._replace(penalised=True), adjoints=adjoints), levels_of


def without_decay(truth: Truth, fitted: dict[Parameter, list[Level]], step: Step, drawn: list[Values]):
    """The truth without the penalty, or the part of it, of each parameter that is made smaller by itself as by a step
    down it: then the gradient need not have it."""
    forward = ancestors(example.prediction for example in step.examples)
    adjoints, decays = [dict(a) for a in truth.adjoints], []
    for p, levels in fitted.items():
        if p.size < 2 or any(level.factor is not None for level in levels):
            continue
        own = [np.asarray(values(p.before), float) for values in drawn]
        made = ((m, [w - np.asarray(Values({b: w})(m)).reshape(w.shape) for w in own]) for b, m in p.shrunk)
        for (node, taken), penalty in itertools.product(made, penalties(p, truth, forward)):
            if (common_multiple(taken, penalty, RIGHT) or 0) > 0:
                decays.append(node)
                for of_draw, part in zip(adjoints, penalty, strict=True):
                    of_draw[p.before] = of_draw[p.before] - part
                break
    if not decays:
        return truth, fitted
    truth = truth._replace(loss=truth.loss._replace(decay=decays[0]), adjoints=adjoints)
    return truth, fit(fitted, truth)


def penalties(parameter: Parameter, truth: Truth, forward: set[Node]) -> list[list[Array]]:
    """What the loss's derivative has of the parameter beside the forward pass: all of it, and each part."""
    uses = {use: None for n, use in truth.parts[0] if n is parameter.before and use is not None and use not in forward}
    parts = [[np.asarray(of_draw[parameter.before, use], float) for of_draw in truth.parts] for use in uses]
    return [[np.sum(of_draw, axis=0) for of_draw in zip(*parts, strict=True)], *parts] if parts else []
