"""The verdict on a step: each parameter's raw gradient against the truth, in every draw.

Right is what equals the truth in all draws up to one constant that all parameters share. Wrong is what differs in one
of them and is proved so: a formula of the catalogue gives these very numbers, or the program's own loss contradicts
them. Everything else is no verdict, and a ValueError says why.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from dataclasses import replace

import numpy as np

from jaxnet.compare.author import dense as dense_networks
from jaxnet.compare.author import doubts, doubts_of_steps
from jaxnet.compare.author.doubts import numbers_beside
from jaxnet.compare.author.draws import draws, idle_masks, may_cut
from jaxnet.compare.author.intended import with_constants
from jaxnet.compare.author.judged import Astray, Judged, Tied, Unexplained, Unproved, Uphill
from jaxnet.compare.author.levels import (
    RIGHT,
    Level,
    differs,
    divided,
    fit,
    holds,
    is_multiple,
    is_one,
    levels_of,
    true_gradients,
)
from jaxnet.compare.author.lines import is_divided_later, where
from jaxnet.compare.author.mutants import teeth_of
from jaxnet.compare.author.node import Node, ancestors, depends, nodes_in, root_of
from jaxnet.compare.author.output import wrong_error
from jaxnet.compare.author.penalties import (
    beside_another_scale,
    is_by_a_penalty,
    is_decay_of_all,
    is_of_another_size,
    penalties_of_wrong,
    penalty_finding,
    with_decay_as_penalty,
    with_implied_penalty,
    without_decay,
)
from jaxnet.compare.author.proofs import LEFT_OUT, is_formula, without_formula
from jaxnet.compare.author.pullback import PullBack
from jaxnet.compare.author.rates import have_hidden_numbers, multiplies_numbers
from jaxnet.compare.author.raw import stepped, stepped_by
from jaxnet.compare.author.readings import equal_to_truth, is_written_in_part, readings, shared_constant, with_spread
from jaxnet.compare.author.replay import Values, same_as_recorded
from jaxnet.compare.author.step import NoLoss, Parameter, Step
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.truth import Loss, Truth, has_more_terms, multiple_of, truths
from jaxnet.compare.diagnosis import Diagnosis, Finding, Problem, diagnose, leaf_findings
from jaxnet.compare.multiples import NOTHING, common_multiple, is_among, multiples_of_each
from jaxnet.compare.teeth import Teeth, teeth

WRONG = 1e-4  # farther than this from the truth is another one; between this and RIGHT nothing is said
EXACT = 1e-9  # a constant as near to 1 as this leaves no other loss to be looked at
DRAWS = 2
SENT_BACK = 8  # numbers that are tried as the loss
MOST_TERMS = 4  # numbers whose sums are
CONSTANTS = ("wrong-sign", "wrong-scale")
Array = np.ndarray


def judge(tape: Tape, step: Step, names: dict[Parameter, str], loss: str | None = None, near: float = 0.0) -> Judged:
    """The verdict on a step. `loss` is the name of a loss that the caller states; `near` is for the draws. Raises
    ValueError for no verdict."""
    if empty := next((p for p in step.parameters if not p.size), None):
        raise ValueError(f"{names[empty]} has no entries: the data that it is for are missing")
    recorded = Values()
    _check_record(step, recorded)
    drawn = draws(step, DRAWS, tape, near=near, recorded=recorded)
    judged = _by_what_is_sent_back(tape, step, names, loss, drawn)
    if judged.wrong and (idle := idle_masks(step, recorded)) and not any(map(may_cut, idle)):
        as_it_was = _in_draws(step, names, loss, draws(step, DRAWS, tape, False, near, recorded))
        if not as_it_was.wrong:
            raise Unexplained(
                f"nothing is wrong, but {where(idle[0])} makes a mask that never cuts anything off: with one that does "
                f"the gradient of {judged.wrong[0]} would be wrong"
            )
    if {f.code for f in judged.findings if f.severity == "error"} <= {"weight-penalty"}:
        doubts_of_steps.check_for_a_later_penalty(judged, tape)
    if judged.wrong:
        doubts_of_steps.check_for_several_outputs(judged)
        doubts_of_steps.check_that_no_array_is_two(step, tape)
        doubts_of_steps.check_for_a_proximal_step(judged, tape)
        doubts_of_steps.check_for_turns(judged)
        doubts.check_for_either_sign(judged, tape)
    else:
        doubts.check_that_weights_count(judged)
    return judged


def _by_what_is_sent_back(
    tape: Tape, step: Step, names: dict[Parameter, str], loss: str | None, drawn: list[Values]
) -> Judged:
    """The verdict; where no number stands beside the step, and not all is right by a loss that the error implies, by
    a number that is sent back with the error, if more is right by it: (Ŷ − Y) / √Σ (Ŷ − Y)² has its own loss in it."""
    judged: Judged | None = None
    problem = ValueError()
    try:
        judged = _in_draws(step, names, loss, drawn)
    except ValueError as error:
        problem = error
    may_be_sent = loss is None and not step.losses
    for number in _sent_back(step) if may_be_sent and (judged is None or judged.wrong) else ():
        of_number = step._replace(losses=(number,))
        if not _explains_some(of_number, drawn):
            continue
        with contextlib.suppress(ValueError):
            own = _in_draws(of_number, names, loss, drawn)
            right = [name for name, p in own.names.items() if name not in own.wrong and p.size > 1]
            if judged is not None:
                explains = len(own.wrong) < len(judged.wrong)
            else:  # not the last bias alone
                explains = not own.wrong or (isinstance(problem, Unproved) and len(right) > 1)
            judged = own if explains and own.truth.loss.node is number else judged
            if judged is not None and not judged.wrong:
                break
    if loss is None and (judged is None or judged.wrong):
        judged = _by_a_sum(tape, step, names, drawn, judged.wrong if judged is not None else []) or judged
    if judged is None:
        raise problem
    return judged


def _by_a_sum(
    tape: Tape, step: Step, names: dict[Parameter, str], drawn: list[Values], wrong: list[str]
) -> Judged | None:
    """The verdict by the sum of numbers that the program shows one by one and nowhere adds up, where that is meant: the
    two terms of a variational autoencoder, the losses of several tasks. It is where a gradient to which each adds
    something is that of their sum. Raises Unexplained where others are those of other sums of them, each of which may
    be meant, and what is `wrong` by one number is right by the sum, of which something else may be so."""
    numbers = sorted({*step.losses[:1], *numbers_beside(step)}, key=lambda n: n.number)
    numbers = [*{n.site: n for n in numbers}.values()]
    levels = levels_of(step, drawn) if 1 < len(numbers) <= MOST_TERMS else {}
    pull = PullBack(numbers, step.active, {p.root for p in step.parameters}) if levels else None
    of_each = [[pull(values, row) for values in drawn] for row in np.eye(len(numbers))] if pull else []

    def parts(p: Parameter, several: tuple[int, ...]) -> list[list[Array]]:
        return [[p.turned(of.get(p.root, np.zeros(p.root.shape))) for of in of_each[k]] for k in several]

    for count in range(2, len(of_each) + 1):
        for several in itertools.combinations(range(len(numbers)), count):
            terms = tuple(numbers[k] for k in several)
            if any(depends(b, a) for a, b in itertools.combinations(terms, 2)):
                continue
            total = tape.total(terms)
            of_sum = step._replace(losses=(total,), active=step.active | {total})
            fitted = fit(levels, next(truths(of_sum, drawn, inferred=False)))
            equal = [p for p, of in fitted.items() if p.size > 1 and any(is_multiple(lv.factor) for lv in of)]
            equal = [p for p in equal if all(np.any(of_draws[0]) for of_draws in parts(p, several))]
            if not equal:
                continue
            with contextlib.suppress(ValueError):
                judged = _in_draws(of_sum, names, None, drawn)
                telling = {n: p for n in judged.wrong if (p := judged.names[n]).size > count}  # few are of any sum
                of_others = (multiples_of_each(judged.given[n], parts(p, several), RIGHT) for n, p in telling.items())
                told = bool(telling or not judged.wrong) and all(counts is None for counts in of_others)
                if told and judged.truth.loss.node is total:
                    return judged
            if named := next((names[p] for p in equal if names[p] in wrong), None):
                said = " and ".join(map(where, terms))
                raise Unexplained(
                    f"the gradient of {named} is that of the sum of the numbers of {said}, and others' are not: which "
                    "loss each array is for cannot be told"
                )
    return None


def _sent_back(step: Step) -> list[Node]:
    """The numbers on the way from the labels to the steps that sum up what a prediction of several numbers is off by:
    what a line makes in the end, as it does a loss, comes first, and the last ones of each kind."""
    if any(example.prediction.size == 1 for example in step.examples):
        return []
    last = {n.place: n for n in step.backward}
    numbers = [n for n in step.backward if n.size == 1 and n.is_float and n in step.active]
    return sorted(numbers, key=lambda n: (last[n.place] is n, n.number))[: -SENT_BACK - 1 : -1]


def _explains_some(step: Step, drawn: list[Values]) -> bool:
    """Whether some gradient is that of a step's own number."""
    levels, own = levels_of(step, drawn), truths(step, drawn, inferred=False)
    return any(is_multiple(level.factor) for truth in own for of in fit(levels, truth).values() for level in of)


def _in_draws(step: Step, names: dict[Parameter, str], loss: str | None, drawn: list[Values]) -> Judged:
    levels = levels_of(step, drawn)
    possible = []
    endless: Loss | None = None
    for truth in truths(step, drawn):
        if loss is not None and truth.loss.name != loss:
            continue
        true = [t for p in step.parameters for t in true_gradients(p, truth)]
        if not any(t.any() for t in true):
            continue  # an accuracy, say
        if not all(np.isfinite(t).all() for t in true):
            endless = endless or truth.loss
            continue
        fitted = fit(levels, truth)
        right = _right_in(fitted)
        if right == len(step.parameters) and (truth.loss.node is not None or loss is not None):
            constant = shared_constant(fitted)
            if constant is not None and abs(abs(constant) - 1) < EXACT:
                possible = [(truth, fitted, right)]
                break
        possible.append((truth, fitted, right))
    if not possible and endless is not None:
        raise ValueError("the loss has no finite derivative at these numbers: √0, say, or the logarithm of 0")
    try:
        truth, fitted = _meant(possible, len(step.parameters))
    except Unexplained:
        if (by_own := _by_one_left_out(step, drawn, names, possible)) is None:
            raise
        return by_own
    best = next(right for t, _, right in possible if t is truth)
    if best == len(step.parameters):
        doubts.check_that_it_is_no_score(truth.loss, [t.loss for t, _, right in possible if right < best])
    if truth.loss.node is None and best < len(step.parameters):
        lacks = any(not any(t.any() for t in true_gradients(p, truth)) for p in step.parameters)
        for own in (t.whole() for t, _, _ in possible if t.loss.node is not None):
            doubts.check_for_intent(step, own, drawn)
            for _, of_own in with_constants(step, own):
                explained = fit(levels, of_own)
                if _right_in(explained) + lacks > best:  # which has a part of all arrays
                    return _judged(step, drawn, names, of_own, explained)
    if best == len(step.parameters):
        own = [(node, t) for t, _, right in possible if (node := t.loss.node) is not None and right < best]
        doubts.check_for_other_labels(truth.loss, own, step, drawn)
    if (number := truth.loss.node) is not None or best:
        # A single array proves nothing: the error itself is the derivative of some loss by what it was made of.
        several = sum(p.size > 1 for p in step.parameters) > 1
        all_of = [t for t, _, right in possible if right == len(step.parameters) and t is not truth]
        if number is not None and several and best < len(step.parameters) and all_of:
            other = all_of[0]
            if truth.loss.weighted:
                raise Unexplained(
                    f"all gradients are those of the {other.loss.name}, and {where(number)} computes "
                    "it with other weights for some examples: right if that is a measure, wrong if it is the loss"
                )
            if other.loss.node is None:
                said = f"all gradients are those of the {other.loss.name}"
                doubts.check_that_it_is_in_time(number, truth, step, drawn, said)
            truth = replace(truth, loss=truth.loss._replace(other=other.loss.name))
        try:
            return _judged(step, drawn, names, truth.whole(), fitted)
        except (Unproved, Astray) as doubt:
            ruled_out = best and not isinstance(doubt, Astray)
            if ruled_out or (by_implied := _by_implied(step, drawn, names, possible)) is None:
                raise
            return by_implied
    checked: list[Truth] = []
    for truth, _, _ in possible:
        if not any(multiple_of(truth, other, step) for other in checked):
            doubts.check_for_intent(step, truth.whole() if truth.loss.node is not None else truth, drawn)
            checked.append(truth)
    # Nothing is right under any loss that may be meant: then that one counts under which the least is wrong.
    judged: list[Judged] = []
    problem: ValueError | None = None
    for truth, fitted, _ in possible:
        if truth.loss.node is None:
            try:
                found = _judged(step, drawn, names, truth.whole(), fitted)
                # An error without the slope of the output implies the loss of which it is the derivative.
                if all(f.code != "missing-output-derivative" for f in found.findings):
                    judged.append(found)
            except ValueError as error:
                problem = problem or error
    if not judged:
        by_own = _by_one_left_out(step, drawn, names, possible)
        if by_own is None:
            raise problem or ValueError("no loss could be inferred")
        return by_own

    def price(found: Judged) -> float:  # a penalty may be what was wrong
        return found.diagnosis.price if found.diagnosis is not None else math.inf if found.wrong else 0.0

    return min(judged, key=price)


def _by_implied(step: Step, drawn: list[Values], names: dict[Parameter, str], possible: list) -> Judged | None:
    """The verdict by a loss that the error implies, where no gradient is that of the one that is computed: what is
    wrong by it as well is so whichever is meant. None where it has no part of some array, which another loss is for."""
    implied = [found for found in possible if found[0].loss.node is None and found[2] > 1]
    if not implied:
        return None
    truth, fitted, _ = max(implied, key=lambda found: found[2])
    judged = _judged(step, drawn, names, truth.whole(), fitted)
    of_all = all(any(t.any() for t in true) for true in judged.true.values())
    return judged if judged.wrong and of_all else None


def _by_one_left_out(step: Step, drawn: list[Values], names: dict[Parameter, str], possible: list) -> Judged | None:
    """The verdict by a number of the program's own, whatever it is, where one derivative of it that stands for another
    one explains all gradients, or penalties of another size do."""
    predictions = {example.prediction for example in step.examples}
    for truth, fitted, _ in possible:
        if truth.loss.node is None or not all(predictions <= adjoints.keys() for adjoints in truth.adjoints):
            continue
        with contextlib.suppress(ValueError):
            judged = _judged(step, drawn, names, truth.whole(), fitted)
            if judged.wrong and (judged.proof == LEFT_OUT or all(map(is_of_another_size, judged.findings))):
                return judged
    return None


def _right_in(fitted: dict[Parameter, list[Level]]) -> int:
    """How many gradients are right, each up to a constant."""
    return sum(any(level.factor is not None for level in levels) for levels in fitted.values())


def _check_record(step: Step, values: Values) -> None:
    """The record must give the numbers that the program had, or it is no record of it."""
    inside = ancestors([p.after for p in step.parameters])
    off = same_as_recorded((n for n in inside if n in step.active or n in step.labelled), values)
    if off is not None:
        where = f" from {off.place} on" if off.place else ""
        # Where numbers are equal but for rounding, another one may be the largest.
        chosen = any(n.name in ("max", "amax", "argmax") for n in step.active.intersection(ancestors([off])))
        raise (Tied if chosen else ValueError)(
            f"something was changed behind the record's back{where}: what was recorded gives other numbers"
        )


def _meant(possible: list, count: int):
    """The loss that is meant: the program's own; where that is none that has a name, the one that explains more."""
    own = [(t, f, right) for t, f, right in possible if t.loss.node is not None]
    named = [(t, f, right) for t, f, right in possible if t.loss.node is None]

    # A gradient may have the small number that keeps a logarithm finite in it, as the loss has, or not.
    softened = not all(t.loss.exact for t, _, _ in own)

    def explains(found: tuple) -> tuple[int, bool, int, int]:
        """How many gradients, whether by a loss with a name, and how many are equal: a smoothed loss is a multiple."""
        truth, fitted, right = found
        exact = softened and sum(
            common_multiple(level.arrays, true_gradients(p, truth), EXACT) is not None
            for p, level in next(readings(fitted)).items()
        )
        return right, truth.loss.name is not None, equal_to_truth(fitted), exact

    best_own = max(own, key=explains, default=None)
    with_name = [found for found in own if found[0].loss.name is not None or found[0].loss.weighted]
    if best_own is not None and (best_own[2] == count or best_own in with_name):
        return (best_own if best_own[2] == count else max(with_name, key=explains))[:2]
    best = max(named, key=lambda found: found[2], default=None)
    if best is not None and (best_own is None or best[2] > best_own[2]):
        return best[:2]
    if best_own is not None and best_own[2]:
        return best_own[:2]
    if best_own is None and best is None:
        raise NoLoss("no loss was computed, and none could be inferred")
    if best is not None:
        return best[:2]
    raise Unproved(
        "the program computes a number that may be its loss, but steps nothing by a gradient of it, nor of another loss"
    )


def _judged(step: Step, drawn, names, truth: Truth, fitted: dict[Parameter, list[Level]]) -> Judged:
    network = dense_networks.recognise(step, drawn)
    if network is not None:
        own = {p: name for name, p in network.parameters.items()}
        names = {p: own.get(p) or name + " #2" * (name in own.values()) for p, name in names.items()}
    by_name = {names[p]: p for p in sorted(step.parameters, key=lambda p: _order(names[p]))}
    stated = truth.loss.node is not None
    if stated and not step.stale:
        truth, fitted = without_decay(truth, fitted, step, drawn)
        fitted = with_decay_as_penalty(fitted, truth, step)
    if not step.stale:
        truth, fitted = with_implied_penalty(truth, fitted, step, drawn)
    judged = _by_gradients(step, drawn, by_name, truth, fitted, network)
    if stated and (added := penalties_of_wrong(judged)):
        decaying, of_decay = with_implied_penalty(truth, fitted, step, drawn, added)
        if decaying.loss.penalised:
            fitted = of_decay
            judged = _by_gradients(step, drawn, by_name, decaying, fitted, network)
    if not judged.wrong:
        doubts_of_steps.check_what_arrays_decay_by(judged, fitted)
        doubts_of_steps.check_what_is_added(judged, fitted)
        doubts_of_steps.check_what_multiplies_it(judged, fitted)
    return judged


def _by_gradients(step: Step, drawn, by_name, truth: Truth, fitted, network) -> Judged:
    """The verdict, by those arrays of each parameter that explain most."""
    fitted = with_spread(fitted, step, drawn)
    likeliest, *others = readings(fitted)
    judged = [_at_levels(step, drawn, by_name, truth, fitted, likeliest, network)]
    for choice in others:
        with contextlib.suppress(ValueError):  # of another reading, where the first has a verdict
            judged.append(_at_levels(step, drawn, by_name, truth, fitted, choice, network))
    return min(judged, key=lambda found: (any(f.code == "unknown" for f in found.findings), len(found.findings)))


def _at_levels(step: Step, drawn, by_name, truth: Truth, fitted, levels, network) -> Judged:
    """The verdict where these arrays are the gradients."""
    nodes = {name: levels[p].node for name, p in by_name.items()}
    true = {name: true_gradients(p, truth) for name, p in by_name.items()}
    descends = {
        name: None if _is_nothing(levels[p].factor) else _descends(p, nodes[name], true[name], drawn)
        for name, p in by_name.items()
    }
    # Where no step was found but ours, nobody knows whether gradients are to be added.
    added = not step.is_authors and not step.stale and set(descends.values()) - {None} == {False}
    if added:
        levels = {p: divided(level, -1.0) for p, level in levels.items()}
        descends = {name: None if down is None else True for name, down in descends.items()}
    given, factors = _downhill({name: levels[p] for name, p in by_name.items()}, descends, by_name, drawn)
    known = list(filter(is_multiple, factors.values()))
    made = {name: fitted[p][-1].node for name, p in by_name.items()}
    judged = Judged(step, drawn, truth, by_name, given, nodes, made, true, [], 1.0, network, None, None, [])
    same = bool(known) and max(known) - min(known) <= RIGHT * max(map(abs, known))
    if all(f is not None for f in factors.values()) and same and all(d is not False for d in descends.values()):
        if added:
            raise Unexplained(
                "all gradients are those of the loss but for the sign, and nothing was found that steps by them: right "
                "if they are to be added, and wrong if not"
            )
        doubts_of_steps.check_that_steps_follow(judged, [name for name, f in factors.items() if not _is_nothing(f)])
        doubts_of_steps.check_for_a_forgotten_factor(judged, levels, fitted)
        doubts_of_steps.check_for_a_sum_without_end(judged.step, judged.truth, judged.drawn)
        judged = judged._replace(scale=known[0], findings=_constant(known[0], judged))
        if judged.findings:
            problem, diagnosis = _diagnosed(judged)
            judged = judged._replace(problem=problem, diagnosis=diagnosis)
        return judged
    loss = truth.loss
    ways = {descends[name] for name, f in factors.items() if is_multiple(f)}
    climbed = loss.node if same and ways <= {False, None} else None
    if climbed is not None and loss.sign < 0:
        raise Astray(
            f"all steps go down the number of {where(climbed)}, which is small where the {loss.name} is large: right "
            "if that is meant, and wrong if not"
        )
    if climbed is not None and (loss.name is None or has_more_terms(climbed, step)):
        if None in factors.values() or (loss.name is None and doubts_of_steps.has_no_least(judged)):
            fitted = {p: [lv.turned() for lv in of] for p, of in fitted.items()}
            levels = {p: level.turned() for p, level in levels.items()}
            return _at_levels(step, drawn, by_name, truth.of_negative(), fitted, levels, network)
        raise Uphill(climbed)
    if all(f is not None for f in factors.values()) and not known and not step.stale:
        raise ValueError("all gradients are 0 in this step: nothing can be told from it")
    largest = [[max(np.abs(a).max(initial=0) for a in of) for of in arrays.values()] for arrays in (true, given)]
    if max(largest[0]) <= NOTHING * max(largest[1]) and not step.stale:  # a softmax of a single output, say
        raise ValueError("the loss depends on no parameter in these data: nothing can be told from it")
    doubts_of_steps.check_that_steps_follow(judged, [name for name, f in factors.items() if f and f < 0])
    inside = {name: node for name, p in by_name.items() for lv in fitted[p] if lv.factor and (node := lv.node)}
    return _accused(judged, factors, known, inside)


def _is_nothing(factor: float | None) -> bool:
    """Whether a gradient and the true one are both 0 but for rounding: that of a bias before a normalisation."""
    return factor is not None and math.isnan(factor)


def _order(name: str) -> tuple:
    return (int(name[1:]), name[0] == "b", name) if name[1:].isdigit() and name[0] in "Wb" else (10**6, False, name)


def _descends(parameter: Parameter, gradient: Node | None, true: list[Array], drawn: list[Values]) -> bool | None:
    """Whether the step goes down the loss; None where nothing tells."""
    signs = set()
    for values, t in zip(drawn, true, strict=True):
        moved = stepped_by(parameter, list(nodes_in(gradient)), values)
        moved = moved if moved.any() else stepped(parameter, values)  # a rate that is made of it may be turned as well
        try:
            moved = np.broadcast_to(moved, t.shape)
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
    known = {name: f for name, f in factors.items() if is_multiple(f) and descends[name] is not None}
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


def _constant(scale: float, judged: Judged) -> list[Finding]:
    """That all gradients share a constant other than 1: a warning."""
    if _constant_is_ours(judged) or _is_no_constant(scale, judged):
        return []
    return [Finding("loss", "wrong-scale", abs(scale), f"{abs(scale):.6g}", severity="warning")]


def _is_no_constant(scale: float, judged: Judged) -> bool:
    """Whether it is 1, but for what a small number in a logarithm makes of it; or makes the mean of a sum that the
    program adds up and divides after the step; or is a rate that is made of gradients itself, as an optimiser makes it.
    """
    loss, step = judged.truth.loss, judged.step
    is_sum = abs(loss.factor or 1.0) > 2.5 * abs(scale)  # not 1/m or 2/m already
    makes_mean = is_sum and is_among(1 / abs(scale), step.counts, RIGHT)
    if abs(abs(scale) - 1) <= 10 * RIGHT or (makes_mean and loss.node is not None and is_divided_later(loss.node)):
        return True
    scaled = [n for p in step.parameters for n in step.way_to(p) if n.function is np.multiply and n.size > 1]
    rates = {n for made in scaled for n in made.parents if n.size == 1 and n in step.labelled}
    return any(all(is_among(float(np.ravel(v(n))[0]), [abs(scale)], RIGHT) for v in judged.drawn) for n in rates)


def _constant_is_ours(judged: Judged) -> bool:
    """Whether the loss is one that we chose, or a number for each example, of which the mean may be meant; or the steps
    are made with a number whose parts are on no record: the 1/m of `rate / m * dW`."""
    node = judged.truth.loss.node
    chosen = node is None or node.size > 1
    return chosen or have_hidden_numbers(judged.step, judged.drawn[0])


def _accused(judged: Judged, factors, known: list[float], inside: dict[str, Node]) -> Judged:
    """What is wrong, by a formula where one is known. What is right `inside` of a step may be what was meant."""
    if judged.step.stale:
        stale = [Finding(f"d{name}", "stale-gradient") for name in judged.given]
        return judged._replace(findings=stale, wrong=list(judged.given), proof="unchanged")
    unit = 1.0
    if _constant_is_ours(judged):
        as_stated = judged.truth.loss.node is not None and any(is_one(f) and f for f in factors.values())
        most = _constant_of_most(judged, factors)
        unit = 1.0 if as_stated else most
        if as_stated and not is_among(most, [1.0], RIGHT) and multiplies_numbers(judged.step, judged.drawn[0]):
            raise Unexplained(
                f"some gradients are those of the loss and others {most:.6g} times those, and by what numbers steps "
                "are multiplied is on no record: which are right cannot be told"
            )
    in_units = {name: [a / unit for a in arrays] for name, arrays in judged.given.items()}
    problem, diagnosis = _diagnosed(judged._replace(given=in_units))
    if diagnosis is not None:
        findings, common = _by_formulas(judged, diagnosis, unit)
    else:
        findings, common = _one_by_one(judged, factors, known, unit)
    given = judged.given
    penalised = {f.at for f in findings if f.code == "weight-penalty"}  # however small that is
    not_zero = [n for n in given if not _is_nothing(factors[n])]
    wrong = [n for n in not_zero if f"d{n}" in penalised or differs(given[n], judged.true[n], common)]
    if not wrong and (name := next((n for n, of in given.items() if not np.isfinite(of).all()), None)):
        raise ValueError(f"the gradient of {name} is no number, but nan or infinite")
    findings = [f for f in findings if f.at[1:] not in given or f.at[1:] in wrong]  # rates of their own, as they are
    findings = [f for f in findings if _has_a_part(f, judged, wrong)]
    late = (name for name in wrong if not differs(given[name], judged.true[name], common, WRONG))
    unsure = [name for name in late if not is_by_a_penalty(judged, name, common)]
    if unsure:
        raise ValueError(
            f"the gradient of {unsure[0]} differs from the truth in late digits only: rounding, or a small constant"
        )
    doubts_of_steps.check_for_a_sum_without_end(judged.step, judged.truth, judged.drawn)
    findings = doubts_of_steps.without_rates_of_their_own(judged, findings)
    doubts_of_steps.check_for_one_number(judged, wrong)
    doubts_of_steps.check_that_pieces_are_linear(judged, wrong)
    doubts_of_steps.check_for_entries_that_stay(judged, wrong)
    doubts.check_for_another_number(judged, wrong)
    doubts_of_steps.check_what_becomes_of_it(judged, wrong, findings, common, inside)
    findings += [f for name in wrong for f in _unaccounted(judged, name, findings)]
    if any(f.code != "unknown" for f in findings):  # what is added to a part of what it explains is for later
        of_parts = {f"d{name}" for name in wrong if _is_wrong_before(judged, name, common)}
        findings = [f for f in findings if f.code != "unknown" or f.at not in of_parts]
    of_new = {f"d{name}" for name in wrong if Finding(f"d{name}", "unknown") in findings and _is_of_new(judged, name)}
    findings = [f._replace(code="weights-already-updated") if f.at in of_new else f for f in findings]
    findings = [(f.code == "unknown" and penalty_finding(judged, f, common)) or f for f in findings]
    if other := judged.truth.loss.other:
        of_it = (f._replace(computed=f"{f.at} = ∂{other}/∂{f.at[1:]}") if f.code == "unknown" else f for f in findings)
        findings = list(of_it)
    findings = [beside_another_scale(f, common) for f in findings]
    doubts_of_steps.check_for_a_decay_of_each(judged, findings)
    doubts_of_steps.check_for_rules_of_their_own(judged, findings)
    doubts.check_for_a_term_of_the_loss(judged, findings)
    doubts.check_for_a_way_of_its_own(judged, findings)
    doubts.check_that_it_is_no_measure(judged, findings)
    doubts.check_that_none_is_tied(judged)
    doubts_of_steps.check_where_it_is_taken(judged)
    doubts.check_that_labels_are_shares(judged)
    doubts.check_that_it_is_no_function_of_the_loss(judged, wrong, findings)
    proof = "formula"
    errors = {f.code for f in findings if f.severity == "error"}
    if not is_formula(diagnosis) or errors == {"unknown"}:  # of what is beside the layers that formulas are known for
        if not known and (error := wrong_error(judged.step, judged.truth, judged.drawn)) is not None:
            findings = [Finding("dZ", code, computed=f"dZ = {error.computed}") for code in error.codes]
        else:
            if any(common_multiple(given[name], judged.true[name], RIGHT) is None for name in wrong):
                doubts.check_for_intent(judged.step, judged.truth, judged.drawn)
                doubts.check_for_a_term_in_some(judged, wrong, common)
                for _, truth in with_constants(judged.step, judged.truth):
                    if (by := as_constants(judged._replace(wrong=wrong, scale=common), truth)) is not None:
                        return by
            doubts.check_for_an_error_that_is_turned(judged)
            doubts_of_steps.check_for_clipped_examples(judged, wrong)
            doubts.check_for_a_fixed_point(judged, wrong)
            judged = doubts.as_unclipped(judged, wrong, common)
            wrong = [name for name in wrong if differs(judged.given[name], judged.true[name], common)]
            findings = [f for f in findings if f.at[1:] not in given or f.at[1:] in wrong]
            of_penalties = {f.at[1:] for f in findings if is_of_another_size(f)}
            if not of_penalties.issuperset(wrong):  # else all is that of the loss, and a number times the array
                proof = without_formula(judged._replace(wrong=wrong), factors)
            if proof == LEFT_OUT and (number := judged.truth.loss.node) is not None:
                doubts.check_what_it_is_called(number)
    doubts_of_steps.check_for_a_saddle(judged, wrong)
    doubts.check_for_an_adversary(judged)
    judged = judged._replace(
        problem=problem, diagnosis=diagnosis, findings=findings, wrong=wrong, scale=common, proof=proof
    )
    doubts.check_for_a_loss_of_its_own(judged)
    return judged


def as_constants(judged: Judged, truth: Truth) -> Judged | None:
    """The verdict on a step of which something is wrong by a reading in which something else is a constant, if more is
    right by it: what is wrong by both is so whichever is meant. Raises ValueError where there is no verdict by it."""
    true = {name: true_gradients(judged.names[name], truth) for name in judged.wrong}
    factors = {name: abs(common_multiple(judged.given[name], true[name], RIGHT) or 0.0) for name in true}
    all_wrong = len(judged.wrong) == len(judged.names)
    if not any(
        f and judged.names[n].size > 1 and (all_wrong or is_among(f, [judged.scale], RIGHT)) for n, f in factors.items()
    ):
        return None
    names = {p: name for name, p in judged.names.items()}
    by = _judged(judged.step, judged.drawn, names, truth, fit(levels_of(judged.step, judged.drawn), truth))
    return by if by.wrong and {*by.wrong} < {*judged.wrong} else None


def _has_a_part(finding: Finding, judged: Judged, wrong: list[str]) -> bool:
    """Whether something is wrong in the layer of an error that is, or below it."""
    if judged.dense is None or not finding.at.startswith("dZ") or not finding.layer:
        return True
    return any(name in wrong for name in judged.dense.parameters if int(name[1:]) <= finding.layer)


def _is_wrong_before(judged: Judged, name: str, common: float) -> bool:
    """Whether something is added to some entries of an array, and the others are wrong as well."""
    if (node := judged.chosen[name]) is None or not is_written_in_part(node):
        return False
    kept = [np.asarray(values(node)) == values(node.inputs[0]) for values in judged.drawn]
    arrays = list(zip(judged.given[name], judged.true[name], kept, strict=True))
    same = all(g.shape == t.shape == k.shape for g, t, k in arrays)
    return same and differs([g[k] for g, _, k in arrays], [t[k] for _, t, k in arrays], common)


def _by_formulas(judged: Judged, diagnosis: Diagnosis, unit: float) -> tuple[list[Finding], float]:
    """What the catalogue has found, and the constant that right gradients have."""
    findings = list(diagnosis.findings)
    if judged.dense is not None and judged.dense.over_batch:
        findings = [Finding("forward", "softmax-over-all-entries"), *findings]
    if _constant_is_ours(judged) or any(
        f.scale and _is_no_constant(f.scale, judged) for f in findings if f.at == "loss"
    ):
        findings = [f for f in findings if (f.at, f.code) != ("loss", "wrong-scale")]
    if judged.truth.loss.node is None:  # no penalty is denied
        findings = [f for f in findings if f.code != "weight-penalty"]
    findings = [f for f in findings if not is_decay_of_all(f, judged.truth)]
    of_loss = (f.scale for f in diagnosis.findings if f.at == "loss" and f.code == "wrong-scale")
    return findings, unit * (next(of_loss, None) or 1.0)


def _one_by_one(judged: Judged, factors, known: list[float], unit: float) -> tuple[list[Finding], float]:
    """What is seen of each gradient by itself, where no formulas are known, and the constant that right ones have."""
    given = judged.given
    agree = bool(known) and all(abs(f - known[0]) <= RIGHT * abs(f) for f in known)
    # A loss without a name has the constant that most share, unless it is that of some gradients as it is.
    if not agree and not any(abs(f - 1) <= RIGHT for f in known):
        unit = _constant_of_most(judged, factors)
    leaves = [(n, given[n][0] / unit, judged.true[n][0]) for n in given if not _is_nothing(factors[n])]
    findings = [f if f.at == "loss" else f._replace(at=f"d{f.at}") for f in leaf_findings(leaves, RIGHT)]
    # Where a single entry is alive, any number is a constant; another one in the next draw.
    varying = {f"d{n}" for n in given if common_multiple(given[n], judged.true[n], RIGHT) is None}
    # In one example all that a number's gradient can be is a constant times the right one: x₁/x₂, say.
    numbers = {f"d{n}" for n, t in judged.true.items() if max(map(np.count_nonzero, t)) == 1}
    varying |= {f.at for f in findings if f.at in numbers and f.scale and not _is_of_counts(f.scale)}
    # What follows from the labels was computed, and has come to 0.
    computed = {f"d{n}" for n, node in judged.chosen.items() if node in judged.step.labelled}
    codes = dict.fromkeys(CONSTANTS, varying) | {"zero": computed}
    named = (Finding(f.at, "unknown") if f.at in codes.get(f.code, ()) else f for f in findings)
    findings = list(dict.fromkeys(named))
    if agree and known[0] > 0:  # what all that is right shares is the loss's
        findings = [f for f in findings if f.code != "wrong-scale"] + _constant(known[0], judged)
    if agree:
        return findings, abs(known[0])
    return findings + _constant(unit, judged), unit


def _is_of_counts(scale: float) -> bool:
    """Whether a constant is a whole number, or one over it: a sum that is no mean, or a factor of a derivative."""
    return any(abs(c - round(c)) <= RIGHT * abs(c) and round(c) for c in (scale, 1 / scale))


def _constant_of_most(judged: Judged, factors: dict[str, float | None]) -> float:
    """The constant that most of the gradients share, where numbers that one line steps are one; of several, that of one
    which has gone back through the fewest layers, and of these that of most numbers; a mean rather than a sum."""
    known = {name: f for name, f in factors.items() if is_multiple(f)}
    roots = {p.root for p in judged.step.parameters}

    def layers(name: str) -> int:
        way = judged.step.way_to(judged.names[name])
        return len(roots & {root_of(parent) for node in way for parent in node.parents})

    def sharing(constant: float) -> list[str]:
        return [n for n, f in known.items() if abs(f - constant) <= RIGHT * abs(constant)]

    def likely(constant: float) -> tuple[int, int]:
        alike = [judged.names[n] for n in sharing(constant)]
        count = len({p.after.site if p.size == 1 else p for p in alike})
        return count, -min(map(layers, sharing(constant)))

    most = max(map(likely, known.values()), default=(0, 0))
    constants = [f for f in known.values() if likely(f) == most]
    best = max(constants, key=lambda f: (sum(judged.names[n].size for n in sharing(f)), -abs(f)), default=1.0)
    for other in constants if judged.truth.loss.node is None else ():
        ratio = max(abs(other / best), abs(best / other))
        if ratio > 1 + RIGHT and not is_among(ratio, judged.step.counts, RIGHT):
            names = " and ".join((*sharing(best)[:1], *sharing(other)[:1]))
            raise Unexplained(
                f"the gradients of {names} have constants of which one is {ratio:.6g} times the other: right if each "
                "has a rate of its own, and which is wrong if not cannot be told without a loss"
            )
    return abs(best)


def _diagnosed(judged: Judged) -> tuple[Problem | None, Diagnosis | None]:
    """The gradients as those of a dense network, and the formulas that give them; None for another network."""
    problem = _problem(judged)
    return problem, diagnose(problem) if problem is not None else None


def _problem(judged: Judged) -> Problem | None:
    if judged.dense is None:
        return None
    return dense_networks.problem(judged.dense, judged.step, judged.drawn, judged.truth, judged.given)


def with_teeth(judged: Judged) -> Judged:
    """With which mistakes would have shown, where nothing is wrong: of a dense network those of the catalogue, and what
    is left out of any. Raises ValueError if none would."""
    if judged.findings or judged.step.stale:
        return judged
    problem, found = _problem(judged), None
    if problem is not None and judged.truth.loss.name is not None:
        biases = {layer for layer in range(1, problem.passes[0].last + 1) if problem.db[layer][0] is not None}
        found = teeth(problem.passes, judged.truth.loss.name, biases, WRONG)
    of_all = Teeth.of_all([found, teeth_of(judged)])
    if of_all is not None and not of_all.shown:
        raise ValueError("nothing is wrong, but in this step no mistake would show")
    return judged._replace(teeth=of_all)


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
    return [] if explained else [Finding(f"d{name}", "unknown")]


def _is_of_new(judged: Judged, name: str) -> bool:
    """Whether a gradient is right, up to a constant, if what it is made of had not been stepped by then."""
    node = judged.chosen[name]
    early = [p for p in judged.step.parameters if node is not None and depends(node, p.after)]
    if node is None or not early:
        return False
    first = min((p.after for p in early), key=lambda n: n.number)
    drawn = []
    for values in judged.drawn:
        held = values.before(first)
        held.known |= {p.after: values(p.before) for p in early}
        drawn.append(held)
    return holds(node, judged.true[name], drawn)
