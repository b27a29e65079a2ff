"""Gradients that are not those of the computed loss, and may be meant so.

Where two branches of a network meet in its loss, an author may mean one of them as data: a target, an advantage, the
weight of an example. A loop may go back a few rounds only (Williams and Peng 1990, truncated backpropagation through
time). A gradient may have a term that the computed number has not, or count examples differently, or clip each one's.
The record has no word for any of these, so such a step is neither right nor wrong.
"""

from __future__ import annotations

import bisect
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from jaxnet.compare.author.frontier import derivatives
from jaxnet.compare.author.levels import RIGHT, Level, fit, levels_of, true_gradients
from jaxnet.compare.author.node import PRODUCTS, Node, Place, ancestors, depends, nodes_in, replaced, setitem
from jaxnet.compare.author.pullback import PullBack, Uses
from jaxnet.compare.author.raw import is_kept
from jaxnet.compare.author.readings import shared_constant
from jaxnet.compare.author.replay import Values, once
from jaxnet.compare.author.step import Parameter, Step, held_in
from jaxnet.compare.author.truth import Truth, labels_of, truths
from jaxnet.compare.author.updates import scaled_by_numbers
from jaxnet.compare.multiples import common_multiple, each_multiple, without_ones

MOST = 8  # branches that meet others
MOST_ROUNDS = 40


def constant_of(step: Step, truth: Truth, drawn: list[Values]) -> tuple[Node | None, list[Parameter]]:
    """The array with which as a constant, alone or beside another one, all gradients are right, and the parameters that
    the loss does not depend on then, and that are stepped nevertheless: an actor's, in the loss of its critic. None if
    there is no such array."""
    levels = levels_of(step, drawn)
    for uses, as_constants in with_constants(step, truth):
        apart = [p for p in levels if not any(t.any() for t in true_gradients(p, as_constants))]
        stepped = [p for p in apart if any(a.any() for a in levels[p][-1].arrays)]
        are_terms = all(_is_sum(node) for _, node in uses)  # not factors
        reached = {p: found for p, found in levels.items() if p not in apart}
        if reached and (not stepped or are_terms) and explains(reached, as_constants):
            return as_constants.loss.constant, stepped
    return None, []


def with_constants(step: Step, truth: Truth) -> Iterator[tuple[Uses, Truth]]:
    """The readings in which one or two of the branches that meet others in a loss of the program's are constants."""
    meetings = _meetings(step, truth, truth.loss.node) if truth.loss.node is not None else ()
    first = list(itertools.islice(meetings, MOST))
    for several in (1, 2):
        for uses in itertools.combinations(first, several):
            constant = min(uses[0], key=lambda use: use[0].number)[0]
            as_constants = truth.whole(frozenset.union(*uses))
            yield frozenset.union(*uses), replace(as_constants, loss=truth.loss._replace(constant=constant))


def explains(levels: dict[Parameter, list[Level]], truth: Truth) -> bool:
    """Whether all gradients are those of this truth, up to a constant."""
    return shared_constant(fit(levels, truth)) is not None


def rounds_back(step: Step, truth: Truth, drawn: list[Values]) -> int | None:
    """After how many rounds of a loop backwards all gradients are right; None if after none or after all."""
    crossing = _between_rounds(step, truth)
    if not crossing:
        return None
    uses_of: dict[Node, list[tuple[Node, Node]]] = {}
    for use in crossing:
        uses_of.setdefault(use[0], []).append(use)
    pull = PullBack(uses_of, step.active, {p.root for p in step.parameters})
    pulled = truth.pulled(crossing)

    def gradients(count: int) -> Iterator[list[dict[Node, np.ndarray]]]:
        """Those in the first draws that are made after one round, after two, and so on, but for all of them."""

        def seeds() -> list[list[Any]]:
            return [[sum(of_draw.get(use, 0.0) for use in uses) for uses in uses_of.values()] for of_draw in parts]

        def is_all() -> bool:
            return not any(np.any(seed) for of_draw in rest for seed in of_draw)

        parts = pulled[:count]
        total, rest = _of_parameters(step, parts), seeds()
        while not is_all():
            parts = [pull.parts(values, of_draw, crossing) for values, of_draw in zip(drawn, rest, strict=False)]
            more = _of_parameters(step, parts)
            total = [{n: t[n] + m[n] for n in t} for t, m in zip(total, more, strict=True)]
            rest = seeds()
            if not is_all():
                yield total

    # Who goes back k rounds, at the end or from each round, does what a round needs another number of times than there
    # are rounds, but for k = 1.
    most = 1 if _most_often(step.forward) == _most_often(step.backward) else MOST_ROUNDS
    levels = [levels_of(step, drawn[:count]) for count in (1, len(drawn))]
    for k, in_one in enumerate(itertools.islice(gradients(1), most)):
        if explains(levels[0], replace(truth, adjoints=in_one)):
            in_all = next(itertools.islice(gradients(len(drawn)), k, None))
            if explains(levels[1], replace(truth, adjoints=in_all)):
                return k + 1
    return None


def carried_over(step: Step, truth: Truth, drawn: list[Values]) -> Place | None:
    """Where what a forward pass goes on with is made before a backward pass, and all gradients are right if it is a
    constant for what follows: several stretches of a sequence in one step. None if that does not make them right."""
    of_loss = ancestors([truth.loss.node] if truth.loss.node is not None else [e.prediction for e in step.examples])
    held = held_in(step.parameters)
    products = {n for n in step.active | step.labelled if n.function in PRODUCTS}
    back = sorted(n.number for n in products - of_loss)
    forward = ancestors(products & of_loss) & step.active - held
    crossing = frozenset(
        (parent, node)
        for node in forward
        for parent in node.parents
        if parent in forward and bisect.bisect(back, parent.number) < bisect.bisect(back, node.number)
    )
    if not crossing or not explains(levels_of(step, drawn), truth.whole(crossing)):
        return None
    return min(crossing, key=lambda use: use[0].number)[0].place


def _most_often(nodes: list[Node]) -> int:
    """How often the operation is made that is made most often."""
    return max(Counter(n.site for n in nodes).values(), default=0)


@once
def without_terms(step: Step, truth: Truth, drawn: list[Values]) -> tuple[Place | None, list[Values]]:
    """Where what follows from parameters, and from no derivative of the loss, is added to something that does, or
    noise, and the draws as they are without that; None if nowhere."""
    known = max((example.prediction.number for example in step.examples), default=sys.maxsize)

    def may_be_added(node: Node) -> bool:
        return node in step.active or any(n.origin == "random" for n in ancestors([node], known))

    sums = [
        node
        for node in step.backward
        if node.function in (np.add, np.subtract) and len(node.parents) == 2 and all(map(may_be_added, node.parents))
    ]
    of_loss = set(derivatives(step, drawn, truth.parts, set())[0]) if truth.parts and sums else set()
    for node in step.backward:
        if any(parent in of_loss for parent in node.parents):
            of_loss.add(node)
    kept = [(node, [p for p in node.parents if p in of_loss]) for node in sums]
    sums = [(node, of_node[0]) for node, of_node in kept if len(of_node) == 1]
    without = []
    for values in drawn if sums else ():
        rest = values.before(sums[0][0])
        for node, kept in sums:
            sign = -1 if node.function is np.subtract and kept is node.inputs[1] else 1
            rest.known[node] = np.array(np.broadcast_to(sign * np.asarray(rest(kept)), node.shape))
        without.append(rest)
    return sums[-1][0].place if sums else None, without


def unclipped(step: Step, drawn: list[Values]) -> tuple[Place | None, list[Values]]:
    """Where the numbers of an error are clipped, or all of it by its size, and the draws as they are if these are not;
    None if nowhere."""
    clipped = [(node, rest) for node in step.backward if (rest := _before_clipping(node)) is not None]
    without = [values.before(clipped[0][0]) for values in drawn] if clipped else []
    for (node, before), rest in itertools.product(clipped, without):
        rest.known[node] = np.array(rest(before))
    return clipped[0][0].place if clipped else None, without


def _before_clipping(node: Node) -> Node | None:
    """What is clipped, or multiplied by a number that is made of itself: 1 / max(1, |d| / c), say."""
    if node.function is np.clip:
        return node.inputs[0]
    if node.function not in (np.multiply, np.true_divide) or len(node.parents) < 2:
        return None
    array, number = sorted(node.parents[:2], key=lambda n: -n.size)
    while (inner := scaled_by_numbers(array)) is not None and inner.shape == array.shape:
        array = inner
    is_its_own = array.shape == node.shape and number.size == 1 < array.size and depends(number, array)
    return array if is_its_own else None


@once
def reweighted(step: Step, truth: Truth, drawn: list[Values]) -> tuple[Place | None, list[list[Values]]]:
    """Where the error of each example is a number times the right one, and the draws as they are with the right one,
    and with twice that: it is none where it is not all of what a gradient is made of. None if nowhere.

    An example is known by its labels, which are of one class, or a single one.
    """
    if len(step.examples) > 1:
        return _by_numbers(step, drawn)
    labels = labels_of(step.examples[0], drawn[0]) if step.examples else None
    if labels is None or labels.ndim not in (1, 2):
        return None, []
    rows = labels.reshape(len(labels), -1)
    over = [axis for axis in (1, 0) if rows.shape[axis] == 1 or np.allclose(rows.sum(axis), 1)]
    held = held_in(step.parameters)
    known = [n for n in truth.adjoints[0] if n not in held and n.shape == labels.shape]
    errors = [[adjoints[n] for adjoints in truth.adjoints] for n in known if all(n in a for a in truth.adjoints)]
    errors = [error for error in errors if all(a.shape == labels.shape and a.any() for a in error)]
    for node in (n for n in step.backward if over and n.shape == labels.shape and n.is_float):
        given = [np.asarray(values(node), float).reshape(rows.shape) for values in drawn]
        for right in errors:
            pairs = [(g, a.reshape(rows.shape)) for g, a in zip(given, right, strict=True)]
            numbers = [n for g, a in pairs if (n := each_multiple(g, a, over[0], RIGHT)) is not None]
            if len(numbers) < len(given):
                continue
            # Of one output, or of two classes, the errors are numbers times the right ones, whatever they are.
            some = [a.any(over[0], keepdims=True) for _, a in pairs]  # of what has no error any number is right
            first, *others = (np.where(has, n, np.nan) for n, has in zip(numbers, some, strict=True))
            same = all(np.allclose(n, first, equal_nan=True) for n in others)
            by_labels = _is_times_what_labels_make(node, right, step, drawn)
            if rows.shape[over[0]] < 3 and not by_labels and not (same and np.nanmin(first) * np.nanmax(first) >= 0):
                continue
            if np.nanmax(first) - np.nanmin(first) > RIGHT * np.nanmax(np.abs(first)):
                both = [[values.before(node) for values in drawn] for _ in range(2)]
                for times, rest in enumerate(both, 1):
                    for values, a in zip(rest, right, strict=True):
                        values.known[node] = times * a
                return node.place, both
    return None, []


def _by_numbers(step: Step, drawn: list[Values]) -> tuple[Place | None, list[list[Values]]]:
    """`reweighted` of examples one by one: where a line multiplies each one's error by a number of its own that neither
    follows from parameters nor is among what the forward pass is given, as what came of an action is in a policy's
    gradient (Williams 1992)."""
    given = {parent for n in step.forward for parent in n.parents} - step.active
    errors_at: dict[Any, dict[Node, Node]] = {}
    numbers_at: dict[Any, set[float]] = {}
    for node in (n for n in step.backward if n.function is np.multiply and len(n.inputs) == 2):
        for error, number in (node.inputs, node.inputs[::-1]):
            if error in step.labelled and error.shape == node.shape and number not in step.active:
                value = np.asarray(replaced(number, drawn[0]))
                if value.size == 1:
                    errors_at.setdefault(node.instruction, {})[node] = error
                    numbers_at.setdefault(node.instruction, set()).add(value.item())
    for instruction, errors in errors_at.items():
        numbers, nodes = numbers_at[instruction], sorted(errors, key=lambda n: n.number)
        if len(numbers) > 1 and not any(np.isin(drawn[0](n), [*numbers]).any() for n in given):
            both = [[values.before(nodes[0]) for values in drawn] for _ in range(2)]
            for times, rests in enumerate(both, 1):
                for node, rest in itertools.product(nodes, rests):
                    rest.known[node] = np.array(times * np.asarray(rest(errors[node])))
            return nodes[0].place, both
    return None, []


def _is_times_what_labels_make(node: Node, right: list[np.ndarray], step: Step, drawn: list[Values]) -> bool:
    """Whether a Node is a right error times a number for each example that follows from the labels too, from how far
    each is off, and is never negative: no slope does."""
    if node.function is not np.multiply or len(node.parents) != 2 or not step.labelled.issuperset(node.parents):
        return False
    for error, number in (node.parents, node.parents[::-1]):
        given = [np.asarray(values(error), float) for values in drawn]
        if common_multiple(given, right, RIGHT) is not None:
            return all((np.asarray(values(number)) >= 0).all() for values in drawn)
    return False


def labels_of_its_own(step: Step, drawn: list[Values]) -> Place | None:
    """Where labels are made of those that the loss has, with which all gradients are right: smoothed ones, as training
    may have them and a report of it not (Szegedy et al. 2016, section 7)."""
    made: list[Node] = []
    examples = []
    for example in step.examples:
        met = {m.labels for m in example.meetings if m.labels is not None}
        of_others = [labels for labels in met if not met.isdisjoint(ancestors([labels]) - {labels})]
        meetings = tuple(m for m in example.meetings if m.labels in of_others)
        examples.append(example._replace(meetings=meetings))
        made += of_others
    if not made or not all(example.meetings for example in examples):
        return None
    both = [[labels_of(e, drawn[0]) for e in of] for of in (step.examples, examples)]
    if all(a is not None and b is not None and np.array_equal(a, b) for a, b in zip(*both, strict=True)):
        return None  # −y, of which the loss is made
    with_these = step._replace(examples=tuple(examples), losses=())
    levels = levels_of(step, drawn)
    return made[0].place if any(explains(levels, of_these) for of_these in truths(with_these, drawn)) else None


def adds_up(parameter: Parameter, true: list[np.ndarray], step: Step, drawn: list[Values]) -> Place | None:
    """Where an instruction makes several arrays, or an array more for each example, that add up to the gradient of what
    the network multiplies with, as where each is clipped (Abadi et al. 2016, deep learning with differential privacy).

    The errors of a layer always add up to the gradient of its biases, which is no sign of it; that an optimiser adds
    them to what it keeps, one for each example, is one.
    """
    shape = without_ones(parameter.before.shape)
    own = {parameter.root, parameter.before}
    weights = any(n.function in (np.dot, np.matmul, np.multiply) and own & set(n.parents) for n in step.forward)
    parts: dict[tuple, list[Node]] = {}
    inside = ancestors(nodes_in(parameter.steps), parameter.before.number)
    backward = [node for node in step.backward if node in inside] if shape else []
    if not weights:
        kept = {parent for node in backward if is_kept(node, step) for parent in node.parents}
        backward = [node for node in backward if node in kept]
    for node in backward:
        own = without_ones(node.shape)
        if own[len(own) - len(shape) :] == shape:
            parts.setdefault((node.instruction, own), []).append(node)
    wanted = [np.reshape(t, shape) for t in true]
    for nodes in parts.values():
        if sum(node.size for node in nodes) > parameter.size:
            sums = [np.sum([np.reshape(values(n), (-1, *shape)).sum(0) for n in nodes], 0) for values in drawn]
            if common_multiple(sums, wanted, RIGHT) is not None:
                return nodes[0].place
    return None


def _of_parameters(step: Step, parts: list[dict]) -> list[dict[Node, np.ndarray]]:
    return [
        {p.before: p.turned(of_draw.get((p.root, None), np.zeros(p.root.shape))) for p in step.parameters}
        for of_draw in parts
    ]


def _between_rounds(step: Step, truth: Truth) -> Uses:
    """What a round of a loop uses of the rounds before. An operation that is made again by the same instruction, called
    from the same lines, is one of the next round; an array that is filled round by round, and a sum of the loss's
    terms, carry nothing over."""
    outputs = [truth.loss.node] if truth.loss.node is not None else [e.prediction for e in step.examples]
    held = held_in(step.parameters)
    rounds: dict[Node, int] = {}
    counts: Counter = Counter()
    for node in sorted(ancestors(outputs, until=lambda n: n in held) & step.active - held, key=lambda n: n.number):
        key = node.places, node.instruction, node.function
        rounds[node] = counts[key]
        counts[key] += 1
    return frozenset(
        (parent, node)
        for node in rounds
        for parent in node.parents
        if rounds.get(parent, rounds[node]) < rounds[node]
        and not (node.function is setitem and parent is node.inputs[0])
        and not (_is_sum(node) and _is_linear(node, truth))
    )


def _meetings(step: Step, truth: Truth, loss: Node) -> Iterator[Uses]:
    """For each operation of the loss in which two branches of the network meet, either of them.

    The loss begins where no prediction is made any more, and no parameter comes in. No branch is what the other one was
    made of, such as the sum that a softmax divides by; and none is a term of the loss, such as a penalty. And what a
    parameter is moved by in the forward pass itself (Finn et al. 2017, 5.2, first-order MAML).
    """
    held = held_in(step.parameters)
    inside = sorted(ancestors([loss]) & step.active, key=lambda n: n.number)
    for node in inside:
        if node.size in {p.size for p in node.parents} and len(node.parents) == 1 and node.parents[0] in held:
            held.add(node)
    entered = [n for n in inside if n not in held and held & set(n.parents)]
    made_before = ancestors([*entered, *(example.prediction for example in step.examples)])
    found: dict[tuple, set[tuple[Node, Node]]] = {}
    for node in inside:
        branches = [n for n in dict.fromkeys(node.parents) if n in step.active]
        if node in made_before or len(branches) != 2 or (_is_sum(node) and _is_linear(node, truth)):
            continue
        first, second = branches
        if first not in ancestors([second]) and second not in ancestors([first]):
            for k, branch in enumerate(branches):
                found.setdefault((node.instruction, k), set()).add((branch, node))
    weights = held.intersection(parent for n in inside if n.function in PRODUCTS for parent in n.parents)
    for node in inside:
        moved = {base for base, by in node.updates if base in weights and all(depends(n, base) for n in nodes_in(by))}
        for parent in step.active.intersection(node.parents) - moved if moved else ():
            found.setdefault((node.instruction, None), set()).add((parent, node))
    yield from map(frozenset, found.values())


def _is_sum(node: Node) -> bool:
    return node.function in (np.add, np.subtract)


def _is_linear(node: Node, truth: Truth) -> bool:
    """Whether the loss has the same derivative by this Node whatever the parameters are."""
    first, *others = (adjoints.get(node) for adjoints in truth.adjoints)
    return first is None or all(other is not None and np.allclose(first, other) for other in others)
