"""The verdict on a step: each parameter's raw gradient against the truth, in every draw.

Right is what equals the truth in all draws up to one constant that all parameters share. Wrong is what differs in all
of them and is proved so: a formula of the catalogue gives these very numbers, or the program's own loss contradicts
them. Everything else is no verdict, and a ValueError says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author import dense as dense_networks
from jaxnet.compare.author.dense import Dense
from jaxnet.compare.author.raw import Candidate, candidates, is_scaling, spread, stepped
from jaxnet.compare.author.replay import Values, same_as_recorded
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, Tape, ancestors, nodes_in
from jaxnet.compare.author.truth import Truth, draws, truths
from jaxnet.compare.diagnosis import Diagnosis, Finding, Problem, diagnose, leaf_findings

RIGHT = 1e-6  # a gradient as near as this, as a share of its largest entry, is the true one
WRONG = 1e-4  # one farther than this is another one; between the two nothing is said
NOTHING = 1e-10  # a gradient as small as this, as a share of the largest one of the network, is 0
DRAWS = 2
Array = np.ndarray


class Level(NamedTuple):
    """What may be a parameter's gradient: its values in each draw, and its constant to the truth, if there is one."""

    candidate: Candidate | None
    arrays: list[Array]
    factor: float | None  # None where it is not proportional to the truth; nan where both are 0 in all draws


class Judged(NamedTuple):
    """What was found out about a step."""

    step: Step
    drawn: list[Values]
    truth: Truth
    names: dict[str, Parameter]
    given: dict[str, list[Array]]  # the gradients that are judged, in each draw
    chosen: dict[str, Node | None]  # the Nodes that hold them
    made: dict[str, Node | None]  # the first Nodes of their size, of which they were made
    true: dict[str, list[Array]]
    wrong: list[str]
    scale: float  # the constant that all right ones share
    dense: Dense | None
    problem: Problem | None
    diagnosis: Diagnosis | None
    findings: list[Finding]
    stated: bool  # the loss is the program's own, or the caller's
    proof: str = ""  # by what a wrong gradient is proved wrong


def judge(tape: Tape, step: Step, names: dict[Parameter, str], loss: str | None = None) -> Judged:
    """The verdict on a step. `loss` is the name of a loss that the caller states. Raises ValueError for no verdict."""
    _check_record(tape, step)
    drawn = draws(step, DRAWS, tape)
    raw = {p: [] if step.stale else candidates(p, step) for p in step.parameters}
    arrays = {p: _levels(p, raw[p], drawn) for p in step.parameters}
    possible = []
    for truth in truths(step, drawn):
        if loss is not None and truth.loss.name != loss:
            continue
        if not any(t.any() for p in step.parameters for t in _true(p, truth)):
            continue  # an accuracy, say
        fitted = _fitted(step, arrays, truth)
        right = sum(any(level.factor is not None for level in levels) for levels in fitted.values())
        if right == len(step.parameters) and (truth.loss.node is not None or loss is not None):
            constant = _shared_constant(fitted)
            if constant is not None and abs(abs(constant) - 1) < RIGHT:
                possible = [(truth, fitted, right)]
                break
        possible.append((truth, fitted, right))
    truth, fitted, stated = _meant(possible, len(step.parameters))
    best = next(right for t, _, right in possible if t is truth)
    if stated or best:
        return _judged(step, drawn, names, truth.whole(), fitted, stated)
    # Nothing is right under any loss that may be meant: then that one counts under which the least is wrong.
    judged: list[Judged] = []
    problem: ValueError | None = None
    for truth, fitted, _ in possible:
        if truth.loss.node is None:
            try:
                judged.append(_judged(step, drawn, names, truth.whole(), fitted, False))
            except ValueError as error:
                problem = problem or error
    if not judged:
        raise problem or ValueError("no loss could be inferred")
    return min(judged, key=lambda found: found.diagnosis.price if found.diagnosis is not None else math.inf)


def _check_record(tape: Tape, step: Step) -> None:
    """The record must give the numbers that the program had, or it is no record of it."""
    values = Values()
    made_of = ancestors([p.after for p in step.parameters])
    off = same_as_recorded((n for n in made_of if n in step.active or n in step.labelled), values)
    if off is not None:
        where = f" from line {off.place.line} of {off.place.file} on" if off.place else ""
        raise ValueError(
            f"something was changed behind the record's back{where}: what was recorded gives other numbers"
        )


# --- which constant, which loss ---------------------------------------------------------------------------------------


def _levels(parameter: Parameter, found: list[Candidate], drawn: list[Values]) -> list[Level]:
    """What may be the gradient, outermost first: the step itself where no array of it is known."""
    if not found:
        return [Level(None, [stepped(parameter, values) for values in drawn], None)]
    return [Level(c, [_placed(np.asarray(v(c.node), float), c, parameter) for v in drawn], None) for c in found]


def _placed(value: Array, candidate: Candidate, parameter: Parameter) -> Array:
    """A candidate's entries where the step has them, spread over the parameter as NumPy spreads them."""
    placed = value.reshape(-1)[candidate.positions] if value.size == candidate.positions.size else value
    shape = parameter.before.shape
    if placed.shape != shape and placed.size == parameter.size:
        vector = sum(n > 1 for n in shape) <= 1
        return placed.reshape(shape) if vector else placed
    return placed


def _fitted(step: Step, arrays: dict[Parameter, list[Level]], truth: Truth) -> dict[Parameter, list[Level]]:
    """The constants of all that may be gradients. What is 0 beside the largest one is rounding: a bias before a
    normalisation has no gradient, and gets one of 1e-17."""
    nothing = [NOTHING * max(np.abs(_true(p, truth)[k]).max(initial=0) for p in step.parameters) for k in range(DRAWS)]
    nothing_given = [
        NOTHING * max(np.abs(levels[-1].arrays[k]).max(initial=0) for levels in arrays.values()) for k in range(DRAWS)
    ]
    return {
        p: _up_to_formula(
            [level._replace(factor=_factor(level.arrays, _true(p, truth), nothing_given, nothing)) for level in levels],
            p,
        )
        for p, levels in arrays.items()
    }


def _up_to_formula(levels: list[Level], parameter: Parameter) -> list[Level]:
    """The arrays down to the line that made the gradient: what stands there is its formula, constants and sign too.

    What an optimiser makes of a gradient is seen through. Where the gradient is made in the line of the step itself,
    numbers that it is multiplied by are seen through as well, since the learning rate is one of them.
    """
    made = levels[-1].candidate
    if made is None or made.node.place is None:
        return levels
    in_step = parameter.after.place is not None and made.node.place[:2] == parameter.after.place[:2]
    for k, level in enumerate(levels):
        candidate = level.candidate
        if candidate is None or candidate.node.place != made.node.place:
            continue
        if not in_step or not (level.factor is not None or candidate.scaled or candidate.decayed):
            return levels[: k + 1]
    return levels


def _true(parameter: Parameter, truth: Truth) -> list[Array]:
    nothing = np.zeros(parameter.before.shape)
    return [np.asarray(adjoints.get(parameter.before, nothing)).reshape(nothing.shape) for adjoints in truth.adjoints]


def _factor(arrays: list[Array], true: list[Array], nothing_given: list[float], nothing: list[float]) -> float | None:
    """c with array = c · true in every draw; nan where both are 0."""
    factors = []
    for array, t, none_given, none in zip(arrays, true, nothing_given, nothing, strict=True):
        try:
            array = np.broadcast_to(array, t.shape)
        except ValueError:
            return None
        given_is_zero, true_is_zero = np.abs(array).max(initial=0) <= none_given, np.abs(t).max(initial=0) <= none
        if given_is_zero or true_is_zero:
            if given_is_zero != true_is_zero:
                return None
            continue
        factor = float(np.vdot(t, array) / np.vdot(t, t))
        if factor == 0 or np.abs(array - factor * t).max() > RIGHT * np.abs(array).max():
            return None
        factors.append(factor)
    if not factors:
        return math.nan
    return factors[0] if max(factors) - min(factors) <= RIGHT * max(map(abs, factors)) else None


def _meant(possible: list, count: int):
    """The loss that is meant: the program's own; where that is none that has a name, the one that explains more."""
    own = [(t, f, right) for t, f, right in possible if t.loss.node is not None]
    named = [(t, f, right) for t, f, right in possible if t.loss.node is None]
    best_own = max(own, key=lambda found: (found[2], found[0].loss.name is not None), default=None)
    if best_own is not None and (best_own[2] == count or best_own[0].loss.name is not None):
        with_name = [found for found in own if found[0].loss.name is not None]
        return (*(best_own if best_own[2] == count else max(with_name, key=lambda f: f[2]))[:2], True)
    best = max(named, key=lambda found: found[2], default=None)
    if best is not None and (best_own is None or best[2] > best_own[2]):
        return (*best[:2], False)
    if best_own is not None and best_own[2]:
        return (*best_own[:2], True)
    if best_own is None and best is None:
        raise ValueError("no loss was computed, and none could be inferred")
    if best is not None:
        return (*best[:2], False)
    raise ValueError(
        "the program computes a number that may be its loss, but no gradient is that of it, nor of another loss"
    )


# --- the verdict ------------------------------------------------------------------------------------------------------


def _judged(step: Step, drawn, names, truth: Truth, fitted: dict[Parameter, list[Level]], stated: bool) -> Judged:
    network = dense_networks.recognise(step, drawn)
    if network is not None:
        names = names | {p: name for name, p in network.parameters.items()}
    by_name = {names[p]: p for p in sorted(step.parameters, key=lambda p: _order(names[p]))}
    if not stated and not step.stale:
        truth, fitted = _with_implied_penalty(truth, fitted, drawn)
    given_before = {}  # what NumPy spread over the arrays of an optimiser
    for p in by_name.values() if not step.stale else ():
        if all(level.factor is None for level in fitted[p]):
            further = [Level(c, [np.asarray(v(c.node), float) for v in drawn], None) for c in spread(p, step)]
            fitted = {**fitted, p: _up_to_formula([*fitted[p], *further], p)}
            given_before |= {p: further[0]} if further else {}
    levels = _compared_level(fitted)
    rate = _rate_inside(levels, fitted, step, drawn)
    levels = {p: _divided(level, rate) for p, level in levels.items()}
    for p, first in given_before.items():
        if levels[p].arrays[0].size == fitted[p][0].arrays[0].size:
            levels[p] = first
    judged = _fewest(
        _at_levels(step, drawn, by_name, truth, fitted, choice, network, stated)
        for choice in [levels, *_whole_steps(levels, fitted, step, drawn)]
    )
    off = next((f.scale for f in judged.findings if (f.at, f.code) == ("loss", "wrong-scale")), None)
    outer = {p: _times(1 / off, levels[p], fitted[p]) for p in levels} if judged.wrong and off else {}
    if outer and all(outer.values()):  # the constant is taken off before the step
        rescaled = {p: level for p, level in outer.items() if level is not None}
        judged = _at_levels(step, drawn, by_name, truth, fitted, rescaled, network, stated)
    return judged


def _with_implied_penalty(truth: Truth, fitted: dict[Parameter, list[Level]], drawn: list[Values]):
    """The truth with λ/2 Σp² for each parameter whose gradient has λp in it: a loss that is inferred cannot deny it."""
    adjoints, levels_of, found = [dict(a) for a in truth.adjoints], dict(fitted), False
    for p, levels in fitted.items():
        if p.size < 4 or any(level.factor is not None for level in levels):
            continue
        true, own = _true(p, truth), [np.asarray(values(p.before), float) for values in drawn]
        fits = [_penalty(level.arrays, true, own) for level in levels]
        penalty = next((fit[1] for fit in fits if fit is not None), None)
        if penalty is not None:
            found = True
            levels_of[p] = [lv._replace(factor=fit and fit[0]) for lv, fit in zip(levels, fits, strict=True)]
            for of_draw, t, w in zip(adjoints, true, own, strict=True):
                of_draw[p.before] = t + penalty * w
    if not found:
        return truth, fitted
    return truth._replace(loss=truth.loss._replace(penalised=True), adjoints=adjoints), levels_of


def _penalty(arrays: list[Array], true: list[Array], own: list[Array]) -> tuple[float, float] | None:
    """(c, λ) with array = c (true + λ p) in each draw and λ > 0; None if there are none."""
    found = []
    for array, t, w in zip(arrays, true, own, strict=True):
        if array.shape != t.shape or not np.isfinite(array).all():
            return None
        (c, d), *_ = np.linalg.lstsq(np.stack([t.ravel(), w.ravel()], 1), array.ravel(), rcond=None)
        if not c or np.abs(c * t + d * w - array).max() > RIGHT * np.abs(array).max():
            return None
        found.append((float(c), float(d / c)))
    (c, penalty), *others = found
    same = all(abs(a - c) <= 1e-5 * abs(c) and abs(b - penalty) <= 1e-5 * abs(penalty) for a, b in others)
    return (c, penalty) if same and penalty > 0 else None


def _fewest(readings: Iterator[Judged]) -> Judged:
    """Of several readings of the same step, the first that needs fewest findings, and none that is unknown."""
    return min(readings, key=lambda found: (any(f.code == "unknown" for f in found.findings), len(found.findings)))


def _whole_steps(levels, fitted, step: Step, drawn) -> Iterator[dict[Parameter, Level]]:
    """Where no gradient is right: all of each step but the learning rate, which may have been put into the error."""
    if step.stale or any(level.factor is not None for level in levels.values()):
        return
    if all(len(p.steps) != 1 for p in levels):
        return
    for number in _numbers_inside(levels, step, drawn):
        yield {p: Level(fitted[p][0].candidate, [stepped(p, v) / number for v in drawn], None) for p in levels}


def _at_levels(step: Step, drawn, by_name, truth: Truth, fitted, levels, network, stated: bool) -> Judged:
    """The verdict where these arrays are the gradients."""
    nodes = {name: _node(levels[p]) for name, p in by_name.items()}
    true = {name: _true(p, truth) for name, p in by_name.items()}
    descends = {name: _descends(p, true[name], drawn) for name, p in by_name.items()}
    given, factors = _downhill({name: levels[p] for name, p in by_name.items()}, descends, by_name, drawn)
    known = [f for f in factors.values() if f is not None and not math.isnan(f)]
    made = {name: _node(fitted[p][-1]) for name, p in by_name.items()}
    judged = Judged(step, drawn, truth, by_name, given, nodes, made, true, [], 1.0, network, None, None, [], stated)
    same = bool(known) and max(known) - min(known) <= RIGHT * max(map(abs, known))
    if all(f is not None for f in factors.values()) and same and all(d is not False for d in descends.values()):
        judged = judged._replace(scale=known[0], findings=_constant(known[0], stated))
        if judged.findings:
            problem, diagnosis = diagnosed(judged)
            judged = judged._replace(problem=problem, diagnosis=diagnosis)
        return judged
    if all(f is not None for f in factors.values()) and not known and not step.stale:
        raise ValueError("all gradients are 0 in this step: nothing can be told from it")
    return _accused(judged, factors, known)


def _rate_inside(levels: dict[Parameter, Level], fitted: dict[Parameter, list[Level]], step: Step, drawn) -> float:
    """The learning rate that is inside of the gradients; 1 if it is not, or no gradient is right.

    It is where no number stands just before the step, and the error was multiplied by one that is the gradients'
    constant.
    """
    known = [(p, level) for p, level in levels.items() if level.factor and not math.isnan(level.factor)]
    if not known or any(level is not fitted[p][0] or level.candidate is None for p, level in known):
        return 1.0
    for number in _numbers_inside([p for p, _ in known], step, drawn):
        if all(abs(abs(level.factor or 0) - number) <= RIGHT * number for _, level in known):
            return number
    return 1.0


def _divided(level: Level, number: float) -> Level:
    if number == 1:
        return level
    arrays = [array / number for array in level.arrays]
    return level._replace(arrays=arrays, factor=level.factor and level.factor / number)


def _numbers_inside(parameters: Iterable[Parameter], step: Step, drawn) -> list[float]:
    """The numbers by which something is multiplied in each of these parameters' steps."""
    ratios: dict[Node, float] = {}
    shared: list[float] | None = None
    for p in parameters:
        scalings = [n for n in ancestors(nodes_in(p.steps)) & step.labelled if is_scaling(n, step)]
        for node in sorted(scalings, key=lambda n: n.number):
            if node not in ratios:
                array = next(np.asarray(drawn[0](parent)) for parent in node.parents if parent.size == node.size)
                square = float(np.vdot(array, array))
                product = float(np.vdot(array, np.asarray(drawn[0](node)).reshape(array.shape)))
                ratios[node] = abs(product / square) if square else 0.0
        own = [ratios[node] for node in scalings if ratios[node]]
        shared = [k for k in own if shared is None or any(abs(k - other) <= RIGHT * k for other in shared)]
    return list(dict.fromkeys(shared or []))


def _times(constant: float, level: Level, levels: list[Level]) -> Level | None:
    """The array that is another one times a constant."""
    for other in levels:
        pairs = zip(other.arrays, level.arrays, strict=True)
        if all(a.shape == b.shape and np.allclose(a, constant * b, RIGHT, 0) for a, b in pairs):
            return other
    return None


def _order(name: str) -> tuple:
    return (int(name[1:]), name[0] == "b", name) if name[1:].isdigit() and name[0] in "Wb" else (10**6, False, name)


def _node(level: Level) -> Node | None:
    return level.candidate.node if level.candidate is not None else None


def _compared_level(fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level]:
    """Which array of each parameter is compared: the one that a constant is fairly judged on.

    The outermost that is proportional to the truth, where all share one constant: then no constant is wrong, and the
    array is looked for that it is 1 on. Else what is left when the learning rate is taken off: the array within one
    multiplication by a number, or within two or three, whichever leaves most gradients equal to the truth.
    """
    outermost = {p: _proportional(levels) for p, levels in fitted.items()}
    if _one_constant(outermost):
        exact = {p: [level for level in levels if _is_one(level.factor)] for p, levels in fitted.items()}
        if all(exact.values()):
            return {p: levels[0] for p, levels in exact.items()}
        within = {p: _within(levels, 1) for p, levels in fitted.items()}
        return within if _one_constant(within) else outermost
    choices = [
        _by_rates_of_others({p: _within(levels, count) for p, levels in fitted.items()}, fitted) for count in (1, 2, 3)
    ]
    # Numbers that all steps are multiplied by alike are a learning rate; others are part of a gradient's formula.
    whole = {p: levels[0] for p, levels in fitted.items()}
    fair = [choices[0], *(choice for choice in choices[1:] if _same_ratio(choice, fitted)), whole]
    chosen = max(fair, key=_agreement)
    # One line makes all gradients ready for the step: that which gives the right ones gives the wrong ones too.
    lines = {_line(level) for level in chosen.values() if _is_one(level.factor)} - {None}
    beside = {p: [level for level in levels if _line(level) in lines] for p, levels in fitted.items()}
    return {p: beside[p][0] if level.factor is None and beside[p] else level for p, level in chosen.items()}


def _by_rates_of_others(levels: dict[Parameter, Level], fitted: dict[Parameter, list[Level]]) -> dict[Parameter, Level]:
    """The learning rate taken off where the whole step is that times the truth, as `rate * X.T @ error` is.

    It is what has been taken off the steps of others.
    """
    rates = {_ratio(level, fitted[p][0]) for p, level in levels.items() if level is not fitted[p][0]} - {None}
    inside = {
        p: rate
        for p, level in levels.items()
        for rate in rates
        if rate and level is fitted[p][0] and level.factor and abs(abs(level.factor) - rate) <= RIGHT * rate
    }
    return {p: _divided(level, inside.get(p, 1.0)) for p, level in levels.items()}


def _agreement(choice: dict[Parameter, Level]) -> tuple[bool, int, int]:
    """How much speaks for a choice of arrays: all share one constant; so many share one; so many equal the truth."""
    known = [abs(level.factor) for level in choice.values() if level.factor and not math.isnan(level.factor)]
    sharing = max((sum(abs(f - other) <= RIGHT * abs(f) for other in known) for f in known), default=0)
    return _one_constant(choice), sharing, sum(_is_one(level.factor) for level in choice.values())


def _line(level: Level):
    return level.candidate.node.place if level.candidate is not None else None


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


def _is_one(factor: float | None) -> bool:
    """Whether a gradient is the true one but for its sign, which the step decides on."""
    return factor is not None and (math.isnan(factor) or abs(abs(factor) - 1) <= RIGHT)


def _proportional(levels: list[Level]) -> Level:
    """The outermost array that is proportional to the truth, past what an optimiser makes of it."""
    return next((level for level in levels if level.factor is not None), levels[-1])


def _of_formula(levels: list[Level]) -> Level:
    """What an optimiser was given, where no array is the truth: all of the line in which the gradient was made."""
    made = levels[-1].candidate
    here = made.node.place if made is not None else None
    same = [level for level in levels if level.candidate is not None and level.candidate.node.place == here]
    return (same or levels[-1:])[0]


def _within(levels: list[Level], count: int) -> Level:
    """What is left of a step without so many multiplications by numbers; of an optimiser's, what is proportional."""
    if levels[0].candidate is None or not levels[0].candidate.scaled:
        return next((level for level in levels if _is_one(level.factor)), _of_formula(levels))
    k = taken = 0
    while k + 1 < len(levels) and (candidate := levels[k].candidate) is not None:
        decays = candidate.decayed and levels[k].factor is None
        if not decays and (taken == count or not candidate.scaled):
            break
        taken += candidate.scaled
        k += 1
    return levels[k]


def _shared_constant(fitted: dict[Parameter, list[Level]]) -> float | None:
    """The constant that all gradients share on the level on which they are compared."""
    chosen = _compared_level(fitted)
    known = [level.factor for level in chosen.values() if level.factor is not None and not math.isnan(level.factor)]
    return known[0] if known and _one_constant(chosen) else None


def _one_constant(choice: dict[Parameter, Level]) -> bool:
    factors = [level.factor for level in choice.values() if level.factor is None or not math.isnan(level.factor)]
    if any(f is None for f in factors) or not factors:
        return False
    values = [abs(f) for f in factors if f is not None]
    return max(values) - min(values) <= RIGHT * max(map(abs, values))


def _descends(parameter: Parameter, true: list[Array], drawn: list[Values]) -> bool | None:
    """Whether the step goes down the loss; None where nothing tells."""
    signs = set()
    for values, t in zip(drawn, true, strict=True):
        try:
            moved = np.broadcast_to(stepped(parameter, values), t.shape)
        except ValueError:
            return None
        size = np.linalg.norm(moved) * np.linalg.norm(t)
        if size > 0:
            signs.add(bool(np.vdot(moved, t) > 0))
    return signs.pop() if len(signs) == 1 else None


def _downhill(levels: dict[str, Level], descends: dict[str, bool | None], parameters: dict[str, Parameter], drawn):
    """The gradients and their constants with the signs that the steps give them: W += η·dW, dW = −∂loss/∂W is right.

    What nothing is known of is taken as all the others are; if there are none, as it is stepped.
    """
    factors = {name: level.factor for name, level in levels.items()}
    known = {name: f for name, f in factors.items() if f and not math.isnan(f) and descends[name] is not None}
    turned = {name for name, f in known.items() if (f > 0) != descends[name]}
    factors |= {name: -known[name] for name in turned}
    if known and turned == set(known):
        turned |= {name for name, f in factors.items() if f is None}
    elif not known:
        turned = {name for name, level in levels.items() if _is_added(parameters[name], level, drawn)}
    given = {name: [-a for a in level.arrays] if name in turned else level.arrays for name, level in levels.items()}
    return given, factors


def _is_added(parameter: Parameter, level: Level, drawn: list[Values]) -> bool:
    """Whether a multiple of an array is what is added to its parameter, rather than subtracted."""
    for values, array in zip(drawn, level.arrays, strict=True):
        step = np.asarray(stepped(parameter, values), float)
        size = np.linalg.norm(step) * np.linalg.norm(array)
        if step.shape != array.shape or np.vdot(step, array) > (RIGHT - 1) * size or not size:
            return False
    return True


def _constant(scale: float, stated: bool) -> list[Finding]:
    """That all gradients share a constant other than 1: a warning, if the loss is not one that we chose ourselves."""
    if not stated or abs(abs(scale) - 1) <= 10 * RIGHT:
        return []
    return [Finding("loss", "wrong-scale", abs(scale), f"{abs(scale):.6g}", severity="warning")]


def _accused(judged: Judged, factors, known) -> Judged:
    """What is wrong, by a formula where one is known."""
    given = judged.given
    if judged.step.stale:
        stale = [Finding(f"d{name}", "stale-gradient") for name in given]
        return judged._replace(findings=stale, wrong=list(given), proof="unchanged")
    problem, diagnosis = diagnosed(judged)
    if diagnosis is not None:
        findings = [
            f._replace(code="stale-gradient") if f.code == "zero" and _is_stale(judged, f.at[1:]) else f
            for f in diagnosis.findings
        ]
        if judged.dense is not None and judged.dense.over_all:
            findings = [Finding("forward", "softmax-over-all-entries"), *findings]
        if not judged.stated:  # then the constant is ours, and no penalty is denied
            findings = [f for f in findings if f.code != "weight-penalty" and (f.at, f.code) != ("loss", "wrong-scale")]
        common = next((f.scale or 1.0 for f in diagnosis.findings if f.at == "loss" and f.code == "wrong-scale"), 1.0)
    else:
        leaves = [(name, given[name][0], judged.true[name][0]) for name in given]
        findings = [f if f.at == "loss" else f._replace(at=f"d{f.at}") for f in leaf_findings(leaves, RIGHT)]
        agree = bool(known) and all(abs(f - known[0]) <= RIGHT * abs(f) for f in known)
        common = known[0] if agree else 1.0
        if agree and common > 0:  # what all that is right shares is the loss's
            findings = [f for f in findings if f.code != "wrong-scale"] + _constant(common, judged.stated)
    wrong = [name for name in given if _differs(given[name], judged.true[name], common)]
    unsure = [name for name in wrong if not _differs(given[name], judged.true[name], common, WRONG)]
    if unsure:
        raise ValueError(
            f"the gradient of {unsure[0]} differs from the truth in late digits only: rounding, or a small constant"
        )
    findings += [f for name in wrong for f in _unaccounted(judged, name, findings)]
    _check_for_strangers(judged)
    outputs = sum(example.prediction.size for example in judged.step.examples)
    if outputs == 1 and any(f.at == "loss" for f in findings) and len(wrong) == len(given):
        # With one example and one output the derivative of any loss is a multiple of that of any other one.
        raise ValueError("all gradients are those of the loss times a number that is another one in each draw")
    proof = _proof(judged, diagnosis, factors)
    return judged._replace(
        problem=problem, diagnosis=diagnosis, findings=findings, wrong=wrong, scale=common, proof=proof
    )


def diagnosed(judged: Judged) -> tuple[Problem | None, Diagnosis | None]:
    """The gradients as those of a dense network, and the formulas that give them; None for another network."""
    if judged.dense is None:
        return None, None
    problem = dense_networks.problem(judged.dense, judged.step, judged.drawn, judged.truth, judged.given)
    return problem, diagnose(problem) if problem is not None else None


def _unaccounted(judged: Judged, name: str, findings: list[Finding]) -> list[Finding]:
    """What is wrong with a parameter that the network never uses, or that no finding explains."""
    if not any(t.any() for t in judged.true[name]):
        return [] if any(f.at == f"d{name}" for f in findings) else [Finding(f"d{name}", "should-be-zero")]
    layer = name[1:] if name[1:].isdigit() else ""
    explained = any(
        f.at in (f"d{name}", "loss", "forward")
        or (layer and f.at[:2] == "dZ" and f.at[2:].isdigit() and int(layer) <= int(f.at[2:]))
        for f in findings
        if f.severity == "error"
    )
    return [] if explained else [Finding(f"d{name}", "stale-gradient" if _is_stale(judged, name) else "unknown")]


def _is_stale(judged: Judged, name: str) -> bool:
    """Whether a parameter is stepped with something that does not follow from the labels."""
    parameter = judged.names.get(name)
    return parameter is not None and not any(n in judged.step.labelled for n in nodes_in(parameter.steps))


def _check_for_strangers(judged: Judged) -> None:
    """An array that came from outside of the record, after parameters were used, may depend on them: then the truth
    is not the whole truth, and nothing is proved by it."""
    step = judged.step
    first = min((n.number for n in step.active if n.parents), default=0)
    used = (parent for n in (*step.forward, *step.backward, *step.losses) for parent in n.parents)
    for node in used:
        if (
            node.origin == "foreign"
            and node.number > first
            and node.dtype.kind == "f"
            and np.ptp(np.asarray(node.value)) > 0
        ):
            where = f" in line {node.place.line} of {node.place.file}" if node.place else ""
            raise ValueError(
                f"an array{where} was not made by NumPy functions that are recorded: no gradient is judged"
            )


def _proof(judged: Judged, diagnosis: Diagnosis | None, factors: dict[str, float | None]) -> str:
    """What proves an accusation: a formula, the program's own loss, or one that others of its gradients are of."""
    if diagnosis is not None and not any(f.code == "unknown" for f in diagnosis.findings):
        return "formula"
    explained = [
        name for name, f in factors.items() if f is not None and not math.isnan(f) and judged.names[name].size > 1
    ]
    # A network that was read layer by layer, and a loss of the program's own that has a name, leave no doubt.
    if explained or (judged.dense is not None and judged.truth.loss.node is not None and judged.truth.loss.name):
        return "loss"
    raise ValueError(
        "no gradient is that of a loss which the program computes or implies, and no known formula gives them: "
        "the step may be another one than it was taken for"
    )


def _differs(given: list[Array], true: list[Array], scale: float, tolerance: float = RIGHT) -> bool:
    for array, t in zip(given, true, strict=True):
        if array.shape != t.shape or np.abs(array - scale * t).max() > tolerance * max(np.abs(scale * t).max(), 1e-300):
            return True
    return False
