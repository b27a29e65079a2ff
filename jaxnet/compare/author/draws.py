"""Draws: other, generic values for all parameters and data, with which a record is run again.

So nothing is hidden by a start at zero, a saturated softmax, a relu's kink, or a constant that happens to be the batch
size.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author.node import MOVING, MULTIPLYING, Node, ancestors, nodes_in, whole_of
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Tape

ROUNDED = 1e-8  # of 1 − p half of the digits are left
TINY = 1e-100  # of 1/p² nothing is left where 1/p is the derivative of a logarithm
ROUGH = 1e-3  # what a small number inside a logarithm may be, or change
Array = np.ndarray
CUTTING = (np.maximum, np.where)
BOUNDING = (np.maximum, np.minimum, np.clip)
SCALES = 1.0, 0.3, 0.1, 0.03, 0.01, 0.001  # of parameters, beside their usual size
SHARES = 0.5, 0.1, 0.01, 1e-3, 1e-5, 1e-7  # of parameters as they were, by which they are moved
LARGE_STEP = 0.01  # of a parameter, where it is used once it has been stepped
FLAT = 7.0  # e^-7 is a thousandth
FEW = 4  # numbers, of which in two draws none may be cut off
MOST_DRAWS = 6
TRIES = 4  # at one draw, where a layer of relus is cut off


def draws(
    step: Step, count: int, tape: Tape, other_masks: bool = True, near: float = 0.0, recorded: Values | None = None
) -> list[Values]:
    """The record with generic parameters, as often as asked for, and more often where few numbers are cut off by relus:
    each of them is to be cut off once. They are made for data of their size, and where there is a weight penalty, by
    turns of one size for all data. Masks are as they were where there are to be no others.

    Where the program branched on a number (`if z > 0`), a draw in which it would have branched otherwise is no run of
    it: then the parameters are moved less and less from where they were; by that share at most, if they are to be
    `near`.
    """
    random, recorded = np.random.default_rng(0), recorded or Values()
    asked = list(_inside(step, tape.decisions))
    # What else is made with these parameters, of all data perhaps, is none of the step's affairs.
    step = step._replace(active=step.active & ancestors(_ends(step)))
    data = _unseen(step, recorded, random, other_masks)
    found = _drawn(step, count, tape, asked, data, random, near, recorded)
    if not asked and (pooled := list(tied(step, found[0]))):  # with noise, a program would be told otherwise if it asks
        return _drawn(step, count, tape, asked, data | _apart(step, pooled, random), random, near, recorded)
    return found


def _drawn(
    step: Step,
    count: int,
    tape: Tape,
    asked: list[tuple[Node, Any]],
    data: dict[Node, Array],
    random: np.random.Generator,
    near: float,
    recorded: Values,
) -> list[Values]:
    found = []
    made_at = {p: recorded(p.before) for p in step.parameters}
    moved = {p: ~nothing_there(p, recorded) for p in step.parameters}
    usual = {p: _usual_size(p.before.shape) for p in step.parameters}
    for_data = {p: usual[p] / _size(inputs, step, recorded) for p, inputs in multiplied(step).items()}
    penalised = stands_alone({p.before for p in step.parameters}, step.active)
    own = set(_given(made_at) | data)  # what is another number in each draw
    for node in tape.nodes[min((n.number for n in own), default=0) :]:
        if not own.isdisjoint(node.parents):
            own.add(node)
    early = _stepped_early(step)
    few = [n for n in step.active if n.function in CUTTING and n.size <= FEW and n.is_float]
    cut_off = {n: np.zeros(n.shape, bool) for n in few}
    through = _let_through(step, recorded)

    def first_of(tries: Iterable[dict[Node, Array]], sloping: bool) -> tuple[tuple[bool, bool, bool], Values] | None:
        """The first that is such as the program could have run with; the best, if there is none."""
        best = None
        for tried, given in enumerate(tries):
            if best is not None and (all(best[0]) or (all(best[0][:2]) and tried >= len(SCALES))):
                break
            values = Values(given, recorded, own)
            alike = _branches_alike(asked, values)
            if best is not None and (alike, True, True) <= best[0]:
                continue
            if not _can_be_run(step, values) or not _is_alive(step, values):
                continue
            fits = alike, _is_precise(step, values), not (sloping and _is_flat(step, values))
            if best is None or fits > best[0]:
                best = fits, values
        return best

    for k in range(MOST_DRAWS):
        if k >= count and all(seen.all() for seen in cut_off.values()):
            break
        sloping = not penalised or k % 2 == 0  # else a penalty is seen, beside gradients that may be small
        best = None
        for _ in range(TRIES):
            noise = _noise(moved, random)
            far = _of_sizes(for_data if sloping else usual, noise, data) if not near else ()
            tries = itertools.chain(far, _near(made_at, noise, data, near or 1.0))
            best = first_of(tries, sloping)
            if best is None or not sloping or through <= _let_through(step, best[1]):
                break
        drawn = best[1] if best is not None else Values(_given(made_at) | data, recorded, own)
        found.append(_with_large_steps(early, drawn, random))
        cut_off = {n: seen | (np.asarray(found[-1](n)) == 0) for n, seen in cut_off.items()}
    unseen = _sides(step, recorded).difference(*(_sides(step, values) for values in found))
    if unseen:  # an error larger than 0, say, where all that is drawn is far below the labels
        tries = _near(made_at, _noise(moved, random), data, near or 1.0)
        shown = (given for given in tries if not unseen.isdisjoint(_sides(step, Values(given, recorded, own))))
        best = first_of(shown, True)
        found += [best[1]] if best is not None and all(best[0]) else []
    return found


def _stepped_early(step: Step) -> list[Parameter]:
    """The parameters whose new versions have a part in others' steps: those that are stepped as a whole."""
    inside = {p: ancestors(nodes_in(p.steps), p.root.number) for p in step.parameters}
    whole = [p for p in inside if len(p.steps) == 1 and p.after.function in (np.add, np.subtract)]
    return [p for p in whole if any(p.after in inside[q] for q in inside if q is not p)]


def _with_large_steps(parameters: list[Parameter], values: Values, random: np.random.Generator) -> Values:
    """New versions as larger rates would make them, of each another one, where these are very small: what is made of
    them must show."""
    larger: dict[Node, Array] = {}
    for p in parameters:
        before, after = (np.asarray(values(n), float) for n in (p.before, p.after))
        moved = after - before if after.shape == before.shape else np.zeros(1)
        size, wanted = (float(np.abs(a).max(initial=0)) for a in (moved, LARGE_STEP * random.uniform(1, 3) * before))
        if 0 < size < wanted:
            larger[p.after] = before + wanted / size * moved
    if not larger:
        return values
    stepped = values.before(min(larger, key=lambda n: n.number))
    stepped.known |= larger
    stepped.given = values.given | larger
    return stepped


def _sides(step: Step, values: Values) -> set[tuple]:
    """Which way comparisons went, for some number at least: each instruction with True, False or both; and whether
    numbers were bounded, but for what keeps a logarithm finite."""
    compared = (n for n in step.active if n.dtype is not None and n.dtype.kind == "b" and n.size)
    sides = {(n.site, bool(side)) for n in compared for side in np.unique(values(n))}
    for n in (n for n in step.active if n.function in BOUNDING and n.size):
        bounded = [parent for parent in n.parents if parent in step.active]
        if len(bounded) == 1 and bounded[0].shape == n.shape:
            by = np.abs(np.asarray(values(n)) - values(bounded[0]))
            sides |= {(n.site, side) for side, of in ((False, by == 0), (True, by > ROUGH)) if of.any()}
    return sides


def _given(values: dict[Parameter, Array]) -> dict[Node, Array]:
    return {node: value for p, of_p in values.items() for node, value in p.given(of_p).items()}


def _unseen(step: Step, recorded: Values, random: np.random.Generator, other_masks: bool) -> dict[Node, Array]:
    """Other data where a layer was given zeros alone, which would hide its weights, as the first row of XOR does; and
    masks that cut something off where those that were drawn at random cut off nothing."""
    labels = ancestors(m.labels for e in step.examples for m in e.meetings if m.labels is not None)
    zeros: set[Node] = set()
    for inputs in multiplied(step).values():
        if inputs and not any(n in step.active or np.asarray(recorded(n)).any() for n in inputs):
            zeros |= inputs
    made = ancestors(zeros)
    which_rows = ancestors(i for n in made if n.function is operator.getitem for i in nodes_in(n.inputs[1]))
    leaves = {n for n in made - which_rows - labels if n.function is None and n.size > 1}
    data = {n: recorded(n) + random.normal(size=n.shape) for n in sorted(leaves, key=lambda n: n.number)}
    for mask in idle_masks(step, recorded) if other_masks else ():
        kept = random.permutation(mask.size).reshape(mask.shape) % 2
        data[mask] = (recorded(mask) * kept).astype(np.asarray(recorded(mask)).dtype)
    return data


def idle_masks(step: Step, recorded: Values) -> list[Node]:
    """What was drawn at random, or tells what data are like, and multiplies arrays of the forward pass by one and the
    same number."""
    multiplied = {n for m in step.active if m.function is np.multiply for n in m.parents} - step.active
    masks = set()
    for mask in (n for n in multiplied if n.size > 1):
        made = sorted(ancestors([mask]), key=lambda n: n.number)
        possible = (n for n in made if n.size >= mask.size and (n.dtype == bool or n.origin == "random"))
        first = next((n for n in possible if np.ptp(recorded(n) * 1.0) == 0), None)
        masks |= {first} if first is not None and np.all(recorded(first)) else set()
    return sorted(masks, key=lambda n: n.number)


def may_cut(mask: Node) -> bool:
    """Whether what was drawn between two whole numbers could have cut something off: `rand < 1` never does."""
    recorded = Values()
    drawn = [n for n in ancestors([mask]) if n.origin == "random"]
    ends = (
        {n: np.full(n.shape, np.floor(np.min(recorded(n)))) for n in drawn},
        {n: np.full(n.shape, np.nextafter(np.ceil(np.max(recorded(n))), -np.inf)) for n in drawn},
    )
    return mask in drawn or not all(np.all(Values(end)(mask)) for end in ends)


def idle_weights(number: Node, step: Step) -> list[Node]:
    """The ones, as many as the terms of a loss, by which these are multiplied beside the forward pass: the weights of
    examples where a program was run with none."""
    inside = (ancestors([number]) & step.active).difference(step.forward)
    ones: set[Node] = set()
    for terms in (n for n in inside if n.function is np.multiply and n.size > 1):
        weights = [whole_of(n) for n in terms.parents if n not in step.active and n.size == terms.size]
        ones.update(n for n in weights if n.origin == "ones" and n.size == terms.size)
    return sorted(ones, key=lambda n: n.number)


def multiplied(step: Step) -> dict[Parameter, set[Node]]:
    """For each parameter the arrays that it is multiplied with in the forward pass."""
    own = {p.before: p for p in step.parameters}
    views = own | {n: own[w] for n in step.active for w in n.parents if w in own and n.size == w.size}
    found: dict[Parameter, set[Node]] = {p: set() for p in step.parameters}
    for node in step.active - step.labelled:
        if node.function in MULTIPLYING:
            for p in {views[w] for w in node.parents if w in views}:
                found[p].update(n for n in node.parents if n not in views)
    return found


def stands_alone(parameters: Iterable[Node], active: Iterable[Node]) -> bool:
    """Whether numbers are made of parameters and nothing else, as those of a weight penalty are."""
    weights = set(parameters)
    for node in sorted(active, key=lambda n: n.number):
        if node.parents and weights.issuperset(node.parents):
            if node.function not in MOVING:
                return True
            weights.add(node)
    return False


def tied(step: Step, values: Values) -> Iterator[Node]:
    """The maxima that several numbers are, other than 0: nobody can say which of them they follow. Where an image is
    blank, all that a pooling looks at is the same."""
    for node in sorted(step.active, key=lambda n: n.number):
        array = node.inputs[0] if node.name in ("max", "amax") else None
        if isinstance(array, Node) and array in step.active:
            numbers = np.asarray(values(array))
            along = node.inputs[1:], {**node.keywords, "keepdims": True}
            largest = (numbers == np.max(numbers, *along[0], **along[1])) & (numbers != 0)
            if (np.sum(largest, *along[0], **along[1]) > 1).any():
                yield node


def _apart(step: Step, pooled: list[Node], random: np.random.Generator) -> dict[Node, Array]:
    """The data that maxima are made of, as floating numbers, with a little noise: no two are the same then."""
    recorded = Values()
    labels = ancestors(m.labels for e in step.examples for m in e.meetings if m.labels is not None)
    met = {p for n in ancestors(pooled) & step.active for p in n.parents if p not in step.active}
    inside = {n for n in ancestors(met) if n.is_float and n.size > 1} - labels
    first = sorted((n for n in inside if inside.isdisjoint(n.parents)), key=lambda n: n.number)
    return {n: recorded(n) + 0.1 * (np.std(recorded(n)) or 1) * random.normal(size=n.shape) for n in first}


def _noise(moved: dict[Parameter, Array], random: np.random.Generator) -> dict[Parameter, Array]:
    return {p: random.normal(size=entries.shape) * entries for p, entries in moved.items()}


def nothing_there(parameter: Parameter, recorded: Values) -> Array:
    """The entries that are 0 before a step and after it, beside others that are not: they connect nothing."""
    before, after = np.asarray(recorded(parameter.before)), np.asarray(recorded(parameter.after))
    stay = (before == 0) & (after == 0) if after.shape == before.shape else np.zeros(before.shape, bool)
    return stay & before.any()


def _of_sizes(
    usual: dict[Parameter, float], noise: dict[Parameter, Array], data: dict[Node, Array]
) -> Iterator[dict[Node, Array]]:
    """Parameters of their `usual` size, and smaller ones."""
    for scale in SCALES:
        yield _given({p: scale * usual[p] * n for p, n in noise.items()}) | data


def _near(
    made_at: dict[Parameter, Array], noise: dict[Parameter, Array], data: dict[Node, Array], most: float
) -> Iterator[dict[Node, Array]]:
    """Parameters that are less and less far from what they were, by `most` of that at first."""
    for share in (share for share in SHARES if share <= most):
        near = {p: value * (1 + share * noise[p]) + share * 0.1 * noise[p] for p, value in made_at.items()}
        yield _given(near) | data


def _usual_size(shape: tuple[int, ...]) -> float:
    """Of numbers by which sums of so many are neither very small nor large; a vector may be weights or biases."""
    return 1 / np.sqrt(max(shape)) if sum(n > 1 for n in shape) > 1 else min(0.5, 2 / np.sqrt(max(shape, default=1)))


def _size(inputs: set[Node], step: Step, recorded: Values) -> float:
    """How large the numbers are that a parameter is multiplied with, of the largest array: pixels, say, or the few ones
    among the zeros of a word; 1 of those that other parameters make."""
    data = (np.abs(np.asarray(recorded(n))) for n in inputs - step.active if n.size > 1)
    sizes = [float(np.sqrt(np.mean(array.astype(float) ** 2))) for array in data if array.any()]
    return max(sizes + [1.0] * (not step.active.isdisjoint(inputs)), default=1.0)


def _inside(step: Step, told: list[tuple[Node, Any]]) -> Iterator[tuple[Node, Any]]:
    return ((node, outcome) for node, outcome in told if node in step.active and node.number <= step.last)


def _branches_alike(asked: list[tuple[Node, Any]], values: Values) -> bool:
    """Whether all numbers on which the program branched are the same in this draw."""

    def held(node: Node, outcome: Any) -> Any:
        return bool(values(node)) if isinstance(outcome, bool) else np.asarray(values(node)).tolist()

    try:
        return all(held(node, outcome) == outcome for node, outcome in asked)
    except (IndexError, ValueError):
        return False


def _can_be_run(step: Step, values: Values) -> bool:
    """Whether arrays fit together: a mask may pick more entries, or fewer, than it did."""
    try:
        for node in _ends(step):
            values(node)
    except (IndexError, ValueError):
        return False
    return True


def _ends(step: Step) -> list[Node]:
    """What a step is judged by: its predictions, what may be its loss, and what it is stepped with."""
    predictions = (example.prediction for example in step.examples)
    return [*predictions, *step.losses, *(n for p in step.parameters for n in nodes_in(p.steps))]


def _is_alive(step: Step, values: Values) -> bool:
    """Predictions are numbers and, where they are probabilities, not all next to 0 or 1."""
    for example in step.examples:
        prediction = np.asarray(values(example.prediction))
        if not np.isfinite(prediction).all():
            return False
        if prediction.min(initial=0) >= 0 and prediction.max(initial=0) <= 1 and prediction.size:
            between = np.minimum(prediction, 1 - prediction)
            several = prediction.size > max(prediction.shape, default=1)  # classes, of which some are unlikely
            if np.median(between.max(axis=-1) if several else between) < 1e-3:
                return False
    return True


def _is_precise(step: Step, values: Values) -> bool:
    """Whether the losses are numbers, no 1 − p is left with a few digits only, and 1/p² is a number; what is bounded
    may be 1."""
    free = (example.prediction for example in step.examples if example.prediction.function not in BOUNDING)
    predictions = [np.asarray(values(prediction)) for prediction in free]
    near_one = any((np.abs(1 - p) < ROUNDED).any() or (np.abs(p[p != 0]) < TINY).any() for p in predictions)
    return not near_one and all(np.isfinite(values(node)).all() for node in step.losses)


def _is_flat(step: Step, values: Values) -> bool:
    """Whether the numbers that an instruction takes exponentials of, or tanh, are mostly so large that a softmax, a
    sigmoid or tanh has no slope left there: what is wrong behind it would not show."""
    found: dict[tuple, list[Array]] = {}
    for node in step.active:
        if node.function in (np.exp, np.tanh) and node.size and node.inputs[0] in step.active:
            z = node.inputs[0]
            found.setdefault(node.site, []).append(np.abs(values(z)).ravel())
    return any(np.median(np.concatenate(numbers)) > FLAT for numbers in found.values())


def _let_through(step: Step, values: Values) -> set[tuple]:
    """The instructions, of relus and of masks, that do not cut off all: what is wrong before those does not show."""
    alive = set()
    for node in (n for n in step.active if n.is_float and n.site not in alive):
        masks = [n for n in node.parents if n.dtype is not None and n.dtype.kind == "b"]
        relu = [node] if node.function in CUTTING and node not in step.labelled else []
        alive |= {node.site for n in masks or relu if np.any(values(n))}
    return alive
