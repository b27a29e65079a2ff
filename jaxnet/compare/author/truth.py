"""What the gradients should be: autodiff of the author's recorded forward pass and loss, in several draws.

A draw gives all parameters other, generic values and runs the record again, forwards and backwards. So nothing is
hidden by a start at zero, a saturated softmax, a relu's kink, or a constant that happens to be the batch size.
"""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.chains import masked
from jaxnet.compare.author.node import MOVING, MULTIPLYING, Node, ancestors, made_alone_of, made_of, nodes_in, replaced
from jaxnet.compare.author.replay import NO_USES, PullBack, Uses, Values
from jaxnet.compare.author.step import Example, Parameter, Step, held_in
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.mistakes import LOSS_SLOPES
from jaxnet.compare.multiples import common_multiple, each_multiple, in_shape, multiple, with_penalty

ROUNDED = 1e-8  # of 1 − p half of the digits are left
TINY = 1e-100  # of 1/p² nothing is left where 1/p is the derivative of a logarithm
ROUGH = 1e-3  # what a small number inside a logarithm may be, or change
Array = np.ndarray


class Loss(NamedTuple):
    """What is differentiated: a scalar of the program's, or a named loss of its prediction."""

    node: Node | None
    name: str | None  # squared-error, cross-entropy, binary-cross-entropy; None for another one
    exact: bool = True  # the program's loss is the named one to rounding
    # λ of what has the weight penalty that gradients imply, where no loss says otherwise.
    penalised: Mapping[Node, float] = types.MappingProxyType({})
    decay: Node | None = None  # where parameters shrink instead, and without that penalty
    other: str | None = None  # the name of another loss, if all gradients are those of that one
    factor: float | None = None  # what the program's own is times the sum of the named one over the examples
    weighted: bool = False  # the program's own is a named one in which examples count differently, or not at all

    def is_same_number(self, other: Loss) -> bool:
        """Whether both are what the same instruction of the program computes."""
        return self.node is not None and other.node is not None and self.node.site == other.node.site

    def is_same(self, other: Loss) -> bool:
        """Whether they are the same number, or are inferred and have one name."""
        inferred = self.node is None and other.node is None and self.name is not None
        return self.is_same_number(other) or (inferred and self.name == other.name)

    @property
    def sign(self) -> int:
        """−1 where the program's number is the negative of a loss: a log-likelihood."""
        return -1 if self.factor is not None and self.factor < 0 else 1


class Truth(NamedTuple):
    """For each draw ∂loss/∂Node: for parameters and predictions, and once it is `whole` for all Nodes on the way."""

    loss: Loss
    adjoints: list[dict[Node, Array]]
    pulled: Callable[..., list[dict[tuple[Node, Node | None], Array]]]
    parts: list[dict[tuple[Node, Node | None], Array]]  # what each use adds to a Node's, and their sum under None

    def whole(self, stopped: Uses = NO_USES) -> Truth:
        """Computed anew: of several losses only the one that is meant is needed in full. In the uses that are
        `stopped`, (Node, by which other one), a Node is a constant."""
        parts = self.pulled(stopped)
        return self._replace(
            adjoints=[{n: a for (n, use), a in of_draw.items() if use is None} for of_draw in parts], parts=parts
        )

    def of_negative(self) -> Truth:
        """That of a number which is to be made large: what descends is its negative."""

        def negative(found: list[dict]) -> list[dict]:
            return [{key: -array for key, array in of_draw.items()} for of_draw in found]

        return Truth(
            self.loss._replace(factor=-(self.loss.factor or 1.0)),
            negative(self.adjoints),
            lambda *stopped: negative(self.pulled(*stopped)),
            negative(self.parts),
        )


# --- draws ------------------------------------------------------------------------------------------------------------


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
    leaves = {n for n in ancestors(zeros) if n.function is None and n.size > 1 and n not in labels}
    data = {n: recorded(n) + random.normal(size=n.shape) for n in sorted(leaves, key=lambda n: n.number)}
    for mask in idle_masks(step, recorded) if other_masks else ():
        kept = random.permutation(mask.size).reshape(mask.shape) % 2
        data[mask] = (recorded(mask) * kept).astype(np.asarray(recorded(mask)).dtype)
    return data


def idle_masks(step: Step, recorded: Values) -> list[Node]:
    """What was drawn at random, and multiplies arrays of the forward pass by one and the same number."""
    multiplied = {n for m in step.active if m.function is np.multiply for n in m.parents} - step.active
    masks = set()
    for mask in (n for n in multiplied if n.size > 1):
        made = sorted(ancestors([mask]), key=lambda n: n.number)
        drawn = masked({n: 1 for n in made if n.origin == "random"}, made)
        possible = (n for n in made if n in drawn and n.size == mask.size)
        possible = (n for n in possible if n.origin == "random" or n.dtype == bool)
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


# --- losses -----------------------------------------------------------------------------------------------------------


def labels_of(example: Example, values: Values) -> Array | None:
    """The labels as an array of the prediction's shape; None if they cannot be read."""
    prediction = np.asarray(values(example.prediction))
    met = {meeting.labels for meeting in example.meetings if meeting.labels is not None}
    entries = np.full(prediction.size, np.nan)  # where each meets its own label
    for meeting in example.meetings:
        network = np.asarray(values(meeting.network))
        if meeting.labels is not None and _is_rest(meeting.labels, met, values):
            continue
        if meeting.labels is not None and meeting.labels.size == network.size and meeting.node.name != "getitem":
            labels = np.asarray(values(meeting.labels), float)
            # ŷ + (−y), and −y · log ŷ or −y / ŷ: labels may enter with their sign.
            scaling = meeting.node.function in (np.multiply, np.true_divide)
            if meeting.node.function is np.add or (scaling and labels.max(initial=0) <= 0 and labels.any()):
                labels = -labels
            if labels.size == prediction.size:
                return _shaped_like(labels, network, prediction)
            if (places := _places_in(example.prediction, meeting.network)) is not None:
                entries[places] = labels.ravel()
    if np.isfinite(entries).all():
        return entries.reshape(prediction.shape)
    for meeting in example.meetings:
        if meeting.node.name in ("getitem", "setitem"):
            network = np.asarray(values(meeting.network))
            marked = np.zeros(network.shape)
            index = replaced(meeting.node.inputs[1], values)
            try:
                marked[index] = 1
            except (IndexError, TypeError):
                continue
            return _shaped_like(marked, network, prediction)
    return None


def _places_in(prediction: Node, picked: Node) -> Array | None:
    """Which entries of a prediction these are; None if they are made of them in another way than by picking some."""
    node = picked
    while node is not prediction:
        if node.function not in MOVING or not isinstance(node.inputs[0], Node):
            return None
        node = node.inputs[0]
    return np.ravel(Values({prediction: np.arange(prediction.size).reshape(prediction.shape)})(picked))


def _is_rest(labels: Node, met: set[Node], values: Values) -> bool:
    """Whether these are 1 − y, where y is met as well."""
    if labels.function is not np.subtract or len(labels.parents) != 1:
        return False
    return any(n is not labels and np.array_equal(values(labels.parents[0]), values(n)) for n in met)


def _shaped_like(labels: Array, network: Array, prediction: Array) -> Array | None:
    if labels.shape == prediction.shape or labels.size != prediction.size:
        return labels if labels.shape == prediction.shape else None
    return in_shape(in_shape(labels, network.shape), prediction.shape)


def _softmax(Z: Array, axis: int) -> Array:
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


def _of_scores(Z: Array, Y: Array) -> Array:
    """softmax(z) − y where the prediction is the scores themselves; the axis is the one over which labels sum to 1."""
    for axis in range(Y.ndim):
        if np.allclose(Y.sum(axis=axis), 1):
            return _softmax(Z, axis) - Y
    return np.full(Z.shape, np.nan)


def _of_logits(Z: Array, Y: Array) -> Array:
    """σ(z) − y, the same for single outputs."""
    return 1 / (1 + np.exp(-Z)) - Y


def _one_over_p(Z: Array, Y: Array, formula: Callable) -> Array:
    """1 / p of the label, for each score of an example: what a small number in log(p + ε) is multiplied by."""
    with np.errstate(all="ignore"):
        if formula is _of_logits:
            P = 1 / (1 + np.exp(-Z))
            return Y / P + (1 - Y) / (1 - P)
        axis = next(axis for axis in range(Y.ndim) if np.allclose(Y.sum(axis=axis), 1))
        return np.broadcast_to((Y / _softmax(Z, axis)).sum(axis=axis, keepdims=True), Z.shape)


# ∂loss/∂prediction of the losses that have a name, up to a constant.
NAMED: dict[str, list[Callable[[Array, Array], Array]]] = {
    "squared-error": [LOSS_SLOPES["squared-error"]],
    "cross-entropy": [LOSS_SLOPES["cross-entropy"], _of_scores],
    "binary-cross-entropy": [LOSS_SLOPES["binary-cross-entropy"], _of_logits],
}


def _named_slopes(predictions: list[Node], drawn, labels) -> Iterator[tuple[str, Callable, list[list[Array]]]]:
    """The losses that have a name, each formula of theirs, and what that gives in each draw; none where labels are not
    known. A single number is no distribution over classes."""
    known = bool(predictions) and all(y is not None for of_draw in labels for y in of_draw)
    several = any(p.size > 1 for p in predictions)
    for name, formulas in NAMED.items() if known else ():
        for formula in formulas if several or name != "cross-entropy" else ():
            yield (
                name,
                formula,
                [
                    [_quiet(formula, values(p), y) for p, y in zip(predictions, of_draw, strict=True)]
                    for values, of_draw in zip(drawn, labels, strict=True)
                ],
            )


def _has_logarithms(formula: Callable, predictions: Iterable[Array]) -> bool:
    """Whether a loss is a number at these predictions: log ŷ of a tanh is none, nor is log(1 − ŷ) of a relu."""
    low = min((np.min(p, initial=np.inf) for p in predictions), default=1.0)
    high = max((np.max(p, initial=-np.inf) for p in predictions), default=0.0)
    if formula is LOSS_SLOPES["binary-cross-entropy"]:
        return low >= 0 and high <= 1
    return formula is not LOSS_SLOPES["cross-entropy"] or low >= 0


def truths(step: Step, drawn: list[Values], inferred: bool = True) -> Iterator[Truth]:
    """The gradients of each loss that may be meant: the program's own first, then those that have a name, if these are
    to be `inferred`."""
    predictions = [example.prediction for example in step.examples]
    weights = held_in(step.parameters)
    # Anything that is added to a parameter, or to what it decays by, would be an error of that.
    is_fitted = not all(any(n in weights for n in multiples(_not_negative(p))) for p in predictions)
    labels = [[labels_of(e, values) if is_fitted else None for e in step.examples] for values in drawn]
    pull = PullBack([*step.losses, *predictions], step.active, {p.root for p in step.parameters})
    kept = [*predictions, *(p.before for p in step.parameters)]

    def differentiated(loss: Loss, of_losses: list[float], of_predictions: list[list]) -> Truth:
        def pulled(stopped: Uses = NO_USES) -> list[dict[tuple[Node, Node | None], Array]]:
            pairs = zip(drawn, of_predictions, strict=True)
            parts = [pull.parts(v, [*of_losses, *seeds], stopped) for v, seeds in pairs]
            for of_draw in parts:  # all ways in which the array is used count
                known = [p for p in step.parameters if (p.root, None) in of_draw]
                of_draw |= {(p.before, None): p.turned(of_draw[p.root, None]) for p in known}
            return parts

        found = [pull(v, [*of_losses, *seeds]) for v, seeds in zip(drawn, of_predictions, strict=True)]
        for of_draw in found:
            of_draw |= {p.before: p.turned(of_draw[p.root]) for p in step.parameters if p.root in of_draw}
        adjoints = [{n: of_draw[n] for n in kept if n in of_draw} for of_draw in found]
        return Truth(loss, adjoints, pulled, [])

    @functools.cache
    def of_names() -> list[tuple[Truth, list[list[Array]]]]:
        """Those of the losses that have a name, and these losses' derivatives by the predictions."""
        return [
            (differentiated(Loss(None, name), none, cotangents), cotangents)
            for name, formula, cotangents in _named_slopes(predictions, drawn, labels)
            if all(np.isfinite(c).all() for of_draw in cotangents for c in of_draw)
            and _has_logarithms(formula, [np.asarray(values(p)) for values in drawn for p in predictions])
        ]

    none, nothing = [0.0] * len(step.losses), [[0.0] * len(predictions) for _ in drawn]
    for k, node in enumerate(step.losses):
        only = [float(other == k) for other in range(len(step.losses))]
        truth = differentiated(Loss(node, None), only, nothing)
        name, factor, corrections = _named(step, drawn, labels, truth.adjoints)
        elsewhere = None  # it may be computed of another prediction than the one that was found, made once more
        for of_name, cotangents in of_names() if name is None else ():
            if c := multiple_of(truth, of_name, step):
                name, factor, elsewhere = of_name.loss.name, c, cotangents
                break
            if c := _but_for_penalty(truth, of_name, step, drawn):
                name, factor = of_name.loss.name, c
                break
        weighted = name is None and _is_weighted(step, drawn, labels, truth.adjoints)
        loss = Loss(node, name, corrections is None, factor=factor if name else None, weighted=weighted)
        if elsewhere is not None and not any(p in found for p in predictions for found in truth.adjoints):
            yield differentiated(loss, none, [[abs(factor) * c for c in of_draw] for of_draw in elsewhere])
        elif corrections is None and factor > 0:
            yield truth._replace(loss=loss)
        else:
            added = [[loss.sign * c for c in of_draw] for of_draw in corrections or nothing]
            yield differentiated(loss, [loss.sign * one for one in only], added)
            if corrections is not None and factor > 0:  # gradients may have the small number in them as well
                yield truth._replace(loss=loss._replace(exact=True))
    if inferred:
        yield from (truth for truth, _ in of_names())


def _not_negative(node: Node) -> Node:
    while node.function is np.negative:
        (node,) = node.parents
    return node


def has_more_terms(loss: Node, step: Step) -> bool:
    """Whether a loss depends on the parameters in another way than by the predictions, and that is no penalty: a name
    says nothing of it."""
    through = {example.prediction for example in step.examples}
    weights = held_in(step.parameters)
    for node in sorted(made_of([loss], until=lambda n: n in through), key=lambda n: n.number):
        if not through.isdisjoint(node.sources):
            through.add(node)
        elif node in step.active and node not in through and not made_alone_of([node], weights):
            return True
    return False


def multiple_of(truth: Truth, other: Truth, step: Step) -> float | None:
    """The constant by which all gradients are those of another loss, in all draws."""
    nodes = [(k, p.before) for p in step.parameters for k in range(len(truth.adjoints))]
    pairs = [(truth.adjoints[k].get(n), other.adjoints[k].get(n)) for k, n in nodes]
    known = [(np.ravel(a), np.ravel(b)) for a, b in pairs if a is not None and b is not None]
    if len(known) != len(pairs):
        return None
    a, b = (np.concatenate(arrays) for arrays in zip(*known, strict=True))
    return multiple(a, b, 1e-9)


def _but_for_penalty(truth: Truth, other: Truth, step: Step, drawn: list[Values]) -> float | None:
    """The constant by which all gradients are those of another loss, and some with a weight penalty."""
    constants = []
    for p in step.parameters:
        own, named = ([adjoints.get(p.before) for adjoints in t.adjoints] for t in (truth, other))
        known = [a for a in (*own, *named) if a is not None]
        if len(known) < 2 * len(drawn):
            return None
        own, named = known[: len(drawn)], known[len(drawn) :]
        before = [np.asarray(values(p.before), float) for values in drawn]
        fit = with_penalty(own, named, before, 1e-9) if p.size > 1 else None
        constants.append(fit[0] if fit is not None else common_multiple(own, named, 1e-9))
    first = constants[0]
    same = first is not None and all(c is not None and abs(c - first) <= 1e-6 * abs(first) for c in constants)
    return first if same else None


def _quiet(formula: Callable, prediction: Array, labels: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(formula(np.asarray(prediction, float), labels))


def _named(step: Step, drawn, labels, adjoints) -> tuple[str | None, float, list | None]:
    """Which named loss the program's own is a multiple of, and by which constant, as ∂loss/∂prediction shows; and what
    would make it so exactly, where it is so up to a small number."""
    predictions = [example.prediction for example in step.examples]
    if any(prediction not in found for prediction in predictions for found in adjoints):
        return None, 1.0, None
    own = [[found[prediction] for prediction in predictions] for found in adjoints]
    possible: list[tuple[float, str, float, list | None]] = []
    for name, formula, named in _named_slopes(predictions, drawn, labels):
        pairs = [pair for both in zip(own, named, strict=True) for pair in zip(*both, strict=True)]
        if not all(np.isfinite(n).all() and n.any() for _, n in pairs):
            continue
        sizes = [np.abs(n) for _, n in pairs]
        if formula in (_of_scores, _of_logits):
            draws_of = (zip(predictions, of_draw, strict=True) for of_draw in labels)
            sizes = [_one_over_p(v(p), y, formula) for v, of in zip(drawn, draws_of, strict=True) for p, y in of]
        factor, small = _constant_and_small(pairs, sizes)
        worst = max(np.abs(o - factor * n).max() / (np.abs(o).max() + 1e-300) for o, n in pairs)
        softened = max(
            np.abs(o - factor * n / (1 + small * size)).max() / (np.abs(o).max() + 1e-300)
            for (o, n), size in zip(pairs, sizes, strict=True)
        )
        if worst < (1e-9 if name == "squared-error" else ROUGH) or (softened < 1e-9 and 0 < small < ROUGH):
            corrections = [
                [factor * n - o for o, n in zip(*both, strict=True)] for both in zip(own, named, strict=True)
            ]
            possible.append((min(worst, softened), name, factor, None if worst < 1e-9 else corrections))
    # With one output, and draws in which it is near to ½, one loss is nearly another one.
    return min(possible, key=lambda found: found[0])[1:] if possible else (None, 1.0, None)


def name_of_number(step: Step, drawn: list[Values]) -> tuple[str | None, float]:
    """The loss that the number of a step is, and how many times that, of its predictions and labels, or of what the
    predictions are made of: of p, where labels meet log p. None if it has no name, and where few numbers could have
    any."""
    predictions = [example.prediction for example in step.examples]
    if sum(p.size for p in predictions) * len(drawn) <= FEW:
        return None, 1.0
    labels = [[labels_of(example, values) for example in step.examples] for values in drawn]
    pull = PullBack(step.losses, step.active, {p.root for p in step.parameters})
    adjoints = [pull(values, [1.0]) for values in drawn]
    while True:
        of = tuple(e._replace(prediction=p) for e, p in zip(step.examples, predictions, strict=True))
        name, factor, _ = _named(step._replace(examples=of), drawn, labels, adjoints)
        if name:
            return name, factor
        inside = [[n for n in p.parents if n in step.active and n.shape == p.shape] for p in predictions]
        if any(len(parents) != 1 for parents in inside):
            return None, 1.0
        predictions = [node for (node,) in inside]


def _is_weighted(step: Step, drawn, labels, adjoints) -> bool:
    """Whether the derivative of the program's own loss is that of a named one times a number for each example, which
    is the same in all draws: where examples are masked, or classes have weights."""
    predictions = [example.prediction for example in step.examples]
    if any(p not in found for p in predictions for found in adjoints):
        return False
    for _, _, slopes in _named_slopes(predictions, drawn, labels):
        numbers = []
        for found, of_draw, slopes_of_draw in zip(adjoints, labels, slopes, strict=True):
            for p, y, named in zip(predictions, of_draw, slopes_of_draw, strict=True):
                own = np.asarray(found[p], float)
                axis = next((k for k in range(y.ndim) if y.ndim > 1 and np.allclose(y.sum(k), 1)), None)
                if axis is None:
                    named, own, axis = named.reshape(-1, 1), own.reshape(-1, 1), 1
                finite = np.isfinite(named).all() and named.any()
                numbers.append(each_multiple(own, named, axis, 1e-9) if finite else None)
        if all(n is not None for n in numbers):
            first, *others = np.split(np.concatenate([np.ravel(n) for n in numbers]), len(drawn))
            if np.ptp(first) > 1e-6 * np.abs(first).max() and all(np.allclose(n, first, 1e-6) for n in others):
                return True
    return False


def _constant_and_small(pairs: list[tuple[Array, Array]], sizes: list[Array]) -> tuple[float, float]:
    """c and ε with own = c · named, where own may have a small ε in it: 1 / (p + ε) in the place of 1 / p.

    named / own = (1 + ε / p) / c then, of the sizes 1 / p a line whose value at 0 is 1 / c.
    """
    own, named = (np.concatenate([np.ravel(pair[k]) for pair in pairs]) for k in (0, 1))
    size = np.concatenate([np.ravel(of) for of in sizes])[own != 0]
    own, named = own[own != 0], named[own != 0]
    if not own.size:
        return 0.0, 0.0
    ratios = named / own
    spread = size - size.mean()
    slope = float(spread @ ratios / (spread @ spread)) if np.ptp(ratios) and spread.any() else 0.0
    at_zero = float(ratios.mean() - slope * size.mean())
    return (1 / at_zero, slope / at_zero) if at_zero else (0.0, 0.0)
