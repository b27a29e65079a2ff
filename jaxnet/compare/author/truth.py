"""What the gradients should be: autodiff of the author's recorded forward pass and loss, in several draws."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.draws import FEW, ROUGH, Array
from jaxnet.compare.author.node import MOVING, PRODUCTS, Node, ancestors, made_alone_of, made_of, replaced
from jaxnet.compare.author.pullback import NO_USES, PullBack, Uses
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Example, Step, held_in
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.mistakes import LOSS_SLOPES
from jaxnet.compare.multiples import common_multiple, each_multiple, in_shape, multiple, with_penalty


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
    constant: Node | None = None  # what is made as a constant, by whose reading less is wrong, and all is that is so
    weighted: bool = False  # the program's own is a named one in which examples count differently, or not at all

    def is_same_number(self, other: Loss) -> bool:
        """Whether both are what the same instruction of the program computes."""
        return self.node is not None and other.node is not None and is_same_number(self.node, other.node)

    def is_same(self, other: Loss) -> bool:
        """Whether they are the same number, or are inferred and have one name."""
        inferred = self.node is None and other.node is None and self.name is not None
        return self.is_same_number(other) or (inferred and self.name == other.name)

    @property
    def numbers(self) -> tuple[Node, ...]:
        """The numbers of the program's that it is: several where only their sum, which it does not compute, is one."""
        return () if self.node is None else self.node.parents if self.node.function is sum else (self.node,)

    @property
    def sign(self) -> int:
        """−1 where the program's number is the negative of a loss: a log-likelihood."""
        return -1 if self.factor is not None and self.factor < 0 else 1


def is_same_number(one: Node, other: Node) -> bool:
    """Whether the same instruction makes both, or what a total that begins at 0 is of: from the next step on, that
    alone is the step's."""
    return _without_0(one).site == _without_0(other).site


def _without_0(node: Node) -> Node:
    """What is added to 0, or taken from it."""
    added = node.function in (np.add, np.subtract) and len(node.parents) == 1
    plain = [i for i in node.inputs if isinstance(i, (int, float))]
    return node.parents[0] if added and plain == [0] else node


@dataclass(frozen=True, eq=False)
class Truth:
    """For each draw ∂loss/∂Node: for parameters and predictions, and once it is `whole` for all Nodes on the way."""

    loss: Loss
    adjoints: list[dict[Node, Array]]
    pulled: Callable[..., list[dict[tuple[Node, Node | None], Array]]]
    parts: list[dict[tuple[Node, Node | None], Array]]  # what each use adds to a Node's, and their sum under None

    def whole(self, stopped: Uses = NO_USES) -> Truth:
        """Computed anew: of several losses only the one that is meant is needed in full. In the uses that are
        `stopped`, (Node, by which other one), a Node is a constant."""
        parts = self.pulled(stopped)
        adjoints = [{n: a for (n, use), a in of_draw.items() if use is None} for of_draw in parts]
        return replace(self, adjoints=adjoints, parts=parts)

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
            # ŷ + (−y), and −y · log ŷ or −y / ŷ: labels may enter with another sign.
            scaling = meeting.node.function in (np.multiply, np.true_divide, *PRODUCTS)
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


def _of_signs(Z: Array, Y: Array) -> Array:
    """−y σ(−y z), of −log σ(y z) with labels of −1 and 1: σ(z) less the label of 0 or 1 that each stands for."""
    return _of_logits(Z, (1 + Y) / 2) if are_signs(Y) else np.full(Z.shape, np.nan)


def are_signs(Y: Array) -> bool:
    """Whether labels are −1 and 1."""
    return bool(np.all(np.abs(Y) == 1) and np.any(Y < 0))


def _one_over_p(Z: Array, Y: Array, formula: Callable) -> Array:
    """1 / p of the label, for each score of an example: what a small number in log(p + ε) is multiplied by."""
    with np.errstate(all="ignore"):
        if formula in (_of_logits, _of_signs):
            P = 1 / (1 + np.exp(-Z))
            return Y / P + (1 - Y) / (1 - P)
        axis = next(axis for axis in range(Y.ndim) if np.allclose(Y.sum(axis=axis), 1))
        return np.broadcast_to((Y / _softmax(Z, axis)).sum(axis=axis, keepdims=True), Z.shape)


LARGE = 100.0  # of labels, more than probabilities are
# ∂loss/∂prediction of the losses that have a name, up to a constant.
NAMED: dict[str, list[Callable[[Array, Array], Array]]] = {
    "squared-error": [LOSS_SLOPES["squared-error"]],
    "cross-entropy": [LOSS_SLOPES["cross-entropy"], _of_scores],
    "binary-cross-entropy": [LOSS_SLOPES["binary-cross-entropy"], _of_logits, _of_signs],
}


def _named_slopes(predictions: list[Node], drawn, labels) -> Iterator[tuple[str, Callable, list[list[Array]]]]:
    """The losses that have a name, each formula of theirs, and what that gives in each draw; none where labels are not
    known. A single number is no distribution over classes; signs have a formula of their own, and beside labels like
    prices σ is next to nothing."""
    known = bool(predictions) and all(y is not None for of_draw in labels for y in of_draw)
    several = any(p.size > 1 for p in predictions)
    shares = known and not any(are_signs(y) or np.abs(y).max(initial=0) > LARGE for of_draw in labels for y in of_draw)
    for name, formulas in NAMED.items() if known else ():
        for formula in formulas if several or name != "cross-entropy" else ():
            if name == "binary-cross-entropy" and not shares and formula is not _of_signs:
                continue
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

    def differentiated(loss: Loss, of_losses: list[float], of_predictions: list[list], ends: Uses = NO_USES) -> Truth:
        def pulled(stopped: Uses = NO_USES) -> list[dict[tuple[Node, Node | None], Array]]:
            pairs = zip(drawn, of_predictions, strict=True)
            parts = [pull.parts(v, [*of_losses, *seeds], stopped | ends) for v, seeds in pairs]
            for of_draw in parts:  # all ways in which the array is used count
                known = [p for p in step.parameters if (p.root, None) in of_draw]
                of_draw |= {(p.before, None): p.turned(of_draw[p.root, None]) for p in known}
            return parts

        found = [pull(v, [*of_losses, *seeds], ends) for v, seeds in zip(drawn, of_predictions, strict=True)]
        for of_draw in found:
            of_draw |= {p.before: p.turned(of_draw[p.root]) for p in step.parameters if p.root in of_draw}
        adjoints = [{n: of_draw[n] for n in kept if n in of_draw} for of_draw in found]
        return Truth(loss, adjoints, pulled, [])

    @functools.cache
    def of_names() -> list[Truth]:
        """Those of the losses that have a name."""
        return [
            differentiated(Loss(None, name), none, cotangents)
            for name, formula, cotangents in _named_slopes(predictions, drawn, labels)
            if all(np.isfinite(c).all() for of_draw in cotangents for c in of_draw)
            and _has_logarithms(formula, [np.asarray(values(p)) for values in drawn for p in predictions])
        ]

    none, nothing = [0.0] * len(step.losses), [[0.0] * len(predictions) for _ in drawn]
    for k, node in enumerate(step.losses):
        only = [float(other == k) for other in range(len(step.losses))]
        again = made_again(predictions, node, step, drawn)
        if again and has_more_terms(node, step, (n for of in again for n in of)):
            again = []  # of all examples, where the step is made of some
        # It may be in the place of several, of one for each gradient: it counts once.
        first = {n: k for k, of in reversed([*enumerate(again)]) for n in of}
        ends = frozenset((n, use) for use in step.active for n in use.parents if n in first)
        found = [pull(v, [*only, *nothing[0]]) for v in drawn] if again else []
        once = [[n for n in of if first[n] == k] for k, of in enumerate(again)]
        moved = [[sum(of_draw.get(n, 0.0) for n in of) for of in once] for of_draw in found] or nothing
        truth = differentiated(Loss(node, None), only, moved, ends)
        name, factor, corrections = _named(step, drawn, labels, truth.adjoints)
        for of_name in of_names() if name is None else ():
            if c := multiple_of(truth, of_name, step) or _but_for_penalty(truth, of_name, step, drawn):
                name, factor = of_name.loss.name, c
                break
        weighted = name is None and _is_weighted(step, drawn, labels, truth.adjoints)
        loss = Loss(node, name, corrections is None, factor=factor if name else None, weighted=weighted)
        if corrections is None and factor > 0:
            yield replace(truth, loss=loss)
        else:
            added = [
                [loss.sign * (m + c) for m, c in zip(*both, strict=True)]
                for both in zip(moved, corrections or nothing, strict=True)
            ]
            yield differentiated(loss, [loss.sign * one for one in only], added, ends)
            if corrections is not None and factor > 0:  # gradients may have the small number in them as well
                yield replace(truth, loss=loss._replace(exact=True))
    if inferred:
        yield from of_names()


def made_again(predictions: list[Node], loss: Node, step: Step, drawn: list[Values]) -> list[list[Node]]:
    """What a loss that makes a prediction once more, or several times, has in its place: the same numbers in all draws;
    nothing for one that it is made of itself. Nothing at all if some prediction has no part in it, or all have."""
    inside = made_of([loss]) & step.active
    alike = {p.shape: [] for p in predictions if p.size and p not in inside}
    for n in sorted(inside, key=lambda n: n.number):
        alike.get(n.shape, []).append(n)
    numbers = {shape: np.array([_first_numbers(n, drawn) for n in nodes]) for shape, nodes in alike.items() if nodes}
    found: list[list[Node]] = []
    for p in predictions:
        same: list[Node] = []
        if p not in inside and p.shape in numbers:
            is_near = np.isclose(numbers[p.shape], _first_numbers(p, drawn), 1e-12, 0).all(axis=1)
            near = (alike[p.shape][k] for k in np.flatnonzero(is_near))
            same = [n for n in near if all(np.allclose(v(n), v(p), 1e-12, 0) for v in drawn)]
        least = min((n.number for n in same), default=0)
        found.append([n for n in same if ancestors([n], least).isdisjoint(m for m in same if m is not n)])
    return found if any(found) and all(of or p in inside for p, of in zip(predictions, found, strict=True)) else []


def _first_numbers(node: Node, drawn: list[Values]) -> list[float]:
    """Of an array in each draw: by which most others are told from it."""
    return [float(np.ravel(values(node))[0]) for values in drawn]


def _not_negative(node: Node) -> Node:
    while node.function is np.negative:
        (node,) = node.parents
    return node


def has_more_terms(loss: Node, step: Step, again: Iterable[Node] = ()) -> bool:
    """Whether a loss depends on the parameters in another way than by the predictions, or what is made `again` in the
    place of them, and that is no penalty: a name says nothing of it."""
    through = {example.prediction for example in step.examples}.union(again)
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
