"""What a verdict says nothing of: arrays that look like weights or biases and that no step changes, and what a right
one leaves open of those that are stepped."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.compare.author import frontier
from jaxnet.compare.author.chains import began_as
from jaxnet.compare.author.doubts_of_steps import written_over
from jaxnet.compare.author.draws import BOUNDING, multiplied
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT
from jaxnet.compare.author.lines import as_place
from jaxnet.compare.author.node import (
    PRODUCTS,
    VIEWS,
    Node,
    ancestors,
    depends,
    made_of,
    nodes_in,
    original,
    root_of,
    setitem,
)
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Step, held_in, makers_of
from jaxnet.compare.author.updates import is_by_0, is_by_1, known_zero
from jaxnet.compare.author.view import superseded
from jaxnet.compare.multiples import common_multiple
from jaxnet.compare.report import Place, Unjudged

if TYPE_CHECKING:
    from jaxnet.compare.author.attempts import Attempt

WRITTEN = "into which is written what is no step of it"
STEPPED = "which is stepped in another way than those that were judged"
ELSEWHERE = "by which an array that was judged is stepped in another round"
TEN = 10.0
ROUNDS = 20  # of which it is looked for that
THROWN = "of which a step is made that nothing goes on with: it stays as it is"
BY_0 = "which is multiplied by 0 there: whether a penalty is right with another number cannot be told"
ADDED_0 = "to which 0 is added there: whether what it stands for is right with another number cannot be told"
BY_1 = "which is multiplied by 1 in its step: whether a decay is right with another number cannot be told"
STATE = "which is multiplied by zeros alone in this step: what is carried on from round to round is not judged"
RETURNED = "which is returned as {}, and is no gradient of what was judged"
SENT_ON = "which goes back through weights, and nothing goes on with it: in a deeper network it would be judged"
BESIDE = "which is trained as well, by what is made of those that were judged, and is none of them"
USELESS = "which is stepped by what the labels make, and of which nothing else is made"
STILL = "whose gradient is 0 in this step, whatever the parameters"
UNUSED = "which is what the gradient of a bias would be, and steps nothing"
LATE = "which is a number until its first step"
HELD = "where entries of its gradient are set to 0: they are not trained"
UNBOUND = "whose bound no number of it reaches, as ten times larger ones would: what goes back beyond it is not judged"
BY_ONE = "whose gradient is divided by 1 there, and not all are: which is right with more examples cannot be told"
ONCE = "whose rows are each picked once in this step: one that is picked twice would be stepped once only"


def unjudged(judged: Judged, attempt: Attempt) -> list[Unjudged]:
    """Arrays that look like weights or biases of the network, and that no step changes, of this network or of others
    that are trained: nothing is said of them. And what a right verdict on those that are stepped does not say."""
    step = judged.step
    written = {n.inputs[0]: n for n in step.labelled if n.function is setitem}
    found: dict[Unjudged, None] = {}
    stepped = {(base, n.instruction) for n in attempt.tape.nodes for base, _ in n.updates}
    later = {parent for n in attempt.tape.nodes[step.last + 1 :] for parent in n.parents}
    still = list(untrained(judged, attempt))
    for array, node in still:
        write = written.get(array)
        stays = THROWN if array in later else STEPPED
        is_stepped = any(base is array and by != node.instruction for base, by in stepped)  # not what adds it once more
        why = [WRITTEN] if write else [stays] if is_stepped else []
        found[Unjudged(array.shape, as_place(write or node) or Place(), *why)] = None
    shown = {root_of(array) for array, _ in still}
    found |= {
        _seen_at(n, base.shape, STEPPED): None for base, n in _stepped_otherwise(step, attempt) if base not in shown
    }
    found |= {_seen_at(n, n.shape, USELESS): None for n in _of_no_use(judged, attempt)}
    found |= {_seen_at(n, n.shape, BESIDE): None for n in _trained_beside(step, attempt)}
    known = makers_of(step.parameters)
    returned = {n: name for n, name in attempt.tape.gradients.items() if n.instruction not in known}
    found |= {_seen_at(n, n.shape, RETURNED.format(name)): None for n, name in returned.items()}
    found |= {_seen_at(n, n.shape, SENT_ON): None for n in _sent_on(step, attempt) if n.instruction not in known}
    found |= {_seen_at(n, n.shape, ELSEWHERE): None for n in _made_elsewhere(judged)}
    own = {p.versions[0] for p in step.parameters}
    late = {p.versions[0] for other in attempt.steps for p in other.parameters} - own
    found |= {_seen_at(n, n.shape, LATE): None for n in late if began_as(n, anything=True) is not None}
    forward = _forward(step, attempt)
    roots = {p.root for p in step.parameters}
    begin = min((n.number for n in forward & step.active if n.parents), default=0)
    of_penalty = step.active - step.labelled - forward  # w², say
    by_0 = (n for n in step.active - forward if n.size > 1 and is_by_0(n))  # a number may be a pixel's
    for node in (n for n in by_0 if n.number > begin):  # a momentum may begin as 0 times an array
        found |= {_seen_at(node, n.shape, BY_0): None for n in node.parents if root_of(n) in roots or n in of_penalty}
    found |= {_seen_at(n, n.shape, ADDED_0): None for n in _with_0_added(judged, attempt)}
    shrunk = ((p, made) for p in step.parameters for _, made in p.shrunk)
    found |= {_seen_at(made, p.before.shape, BY_1): None for p, made in shrunk if is_by_1(made)}
    for p, inputs in multiplied(step).items():
        leaves = [n for n in ancestors(inputs) if n.function is None]
        zeros = leaves and all(n.origin == "zeros" and known_zero(n) for n in leaves) and step.active.isdisjoint(inputs)
        if zeros and not any(np.any(judged.recorded(n)) for n in inputs):  # nothing was written into them
            found[_seen_at(min(inputs, key=lambda n: n.number), p.before.shape, STATE)] = None
    return [*found, *_left_open(judged)]


def untrained(judged: Judged, attempt: Attempt) -> Iterator[tuple[Node, Node]]:
    """Arrays that look like weights or biases of the network, and that no step changes; and what uses them."""
    step, trained = judged.step, attempt.trained
    stepped = {p.before for p in step.parameters}
    first = max((p.number for p in stepped), default=0)
    # A row that is taken of data is recorded where it is used.
    used = (n for n in step.active if n.function not in VIEWS and (n.function is not operator.getitem or _is_picked(n)))
    uses = [(n, k, i) for n in used for k, i in enumerate(n.inputs)]
    # Where one after the other stands.
    in_turn = {
        (n.instruction, n.function, k) for n, k, i in uses if isinstance(i, Node) and original(i, stepped) in stepped
    }
    known = step.active.union(trained, *(p.writes for p in step.parameters))
    added = Counter((n.instruction, p) for n in attempt.tape.nodes if n.function is np.add for p in n.parents)
    begin = min((n.number for n in step.active if n.parents), default=0)
    for node in sorted(_forward(step, attempt), key=lambda n: n.number):
        here = (i for k, i in enumerate(node.inputs) if (node.instruction, node.function, k) in in_turn)
        for array in (i for i in here if isinstance(i, Node) and root_of(i) not in known and i.is_float):
            yield array, node
        fixed = [p for p in node.parents if p not in step.active]
        still = [p for p in fixed if p.is_float and (p.shape or p.origin == "random")]
        if node.place is None or len(node.parents) != 2 or not still:
            continue
        if node.function is np.add:
            again = added[node.instruction, still[0]] > 1  # to one example, and to the next
            of_one = again and node.size == max(node.shape, default=1)
            looks = len(still) == 1 and (still[0].size < node.size or of_one) and _may_be_a_bias(still[0], judged)
        elif node.function is np.multiply:  # numbers that were drawn beforehand
            looks = not node.shape and still[0].origin == "random" and still[0].number < begin
        elif fixed == [*node.parents]:  # the product of data and a parameter is a layer; an example is a vector
            looks = node.function in (np.dot, np.matmul) and node.size > 1
        else:  # what was made by another layer, or picked out of a table
            whole, inside = all(len(p.shape) == 2 for p in node.parents), step.active & ancestors(node.parents, first)
            of_layer = whole and any(n.function in (np.dot, np.matmul) for n in inside)
            is_row = _is_picked(still[0])
            of_table = (whole or is_row) and any(_is_picked(n) for n in inside)
            looks = node.function in (np.dot, np.matmul) and (of_layer or of_table)
        if looks and trained.isdisjoint(map(root_of, still)):
            array = still[0] if len(still) == 1 else _without_examples(node, step)
            yield (array.inputs[0] if _is_picked(array) else array), node


def _may_be_a_bias(array: Node, judged: Judged) -> bool:
    """Whether its numbers were drawn, or are all the same: those of positions, sines and cosines, are neither."""
    return any(n.origin == "random" for n in ancestors([array])) or np.ptp(np.asarray(judged.recorded(array))) == 0


def _is_picked(node: Node) -> bool:
    """Whether it is rows of a table, by numbers that are data."""
    index = node.inputs[1] if node.function is operator.getitem else None
    return any(nodes_in(index)) or isinstance(index, list | np.ndarray)


def _without_examples(product: Node, step: Step) -> Node:
    """Of two arrays that are multiplied the one that has no axis of the examples: they are rows or columns of the
    prediction as they are of the product. Where both may be, there are more examples than units."""
    first, second = product.parents
    for prediction in (e.prediction.shape for e in step.examples):
        rows = first.shape[:1] == prediction[:1]
        columns = second.shape[1:] == prediction[1:] != ()
        if rows != columns:
            return second if rows else first
    return min(first, second, key=lambda n: (-len(n.shape), n.size))


def _stepped_otherwise(step: Step, attempt: Attempt) -> Iterator[tuple[Node, Node]]:
    """What the predictions are made of beside the parameters, and what it is stepped to for the next ones: no state,
    that begins anew, or as it did, in each round."""
    judged = step.active.union(attempt.trained, *((*p.writes, *p.versions) for p in step.parameters))
    inputs = {n for node in _forward(step, attempt) for n in node.parents} - judged
    steps = {n: n.updates[0][0] for n in attempt.tape.nodes if n.updates and n.updates[0][0] in inputs}
    takes_its_place = superseded(attempt.tape.nodes, steps)
    times = Counter((base, n.instruction) for n, base in steps.items())
    made = {n.instruction: n.number for n in attempt.tape.nodes}
    for n, base in steps.items():
        anew = times[base, n.instruction] > 1 or made[root_of(base).instruction] > n.number
        if base in takes_its_place and not anew:
            yield base, n


def _of_no_use(judged: Judged, attempt: Attempt) -> Iterator[Node]:
    """What is stepped as the parameters are, time and again, and is used for nothing but its own steps: a bias that the
    forward pass has forgotten. Numbers that others are added to are rather kept to be shown."""
    labelled, known = judged.step.labelled, {version for p in judged.step.parameters for version in p.versions}
    uses: dict[Node, list[Node]] = {}
    for node in attempt.tape.nodes:
        for parent in node.parents:
            uses.setdefault(parent, []).append(node)
    begin = min((n.number for n in judged.step.active - known), default=0)
    for node in sorted(labelled - known, key=lambda n: n.number):
        bases = [base for base, by in node.updates if by in labelled and base.number < begin]
        as_steps = node.function is np.subtract or (node.function is np.add and node.size > 1)
        if not as_steps or not bases or uses[bases[0]] != [node] or judged.truth.loss.node in node.parents:
            continue
        version, count = node, 1
        while [n.instruction for n in uses.get(version, ())] == [node.instruction]:
            version, count = uses[version][0], count + 1
        if version not in uses and count > 1:
            yield node


def _with_0_added(judged: Judged, attempt: Attempt) -> Iterator[Node]:
    """Gradients to which a plain 0 is added, and in the next step again, a penalty's number in a first experiment (a
    velocity is a plain 0 in its first step only); or what is 0 whatever the parameters are, and made of them, as how
    far they are from where they began, or of something else times 0, as a multiplier is at first."""
    step, begin = judged.step, min(p.before.number for p in judged.step.parameters)

    def is_plain(node: Node) -> bool:
        return type(node.inputs[1]) in (int, float) and not node.inputs[1]

    def is_nothing(node: Node) -> bool:
        return not any(np.any(values(node)) for values in judged.drawn)

    def is_made(node: Node) -> bool:
        inside = ancestors((n for n in node.parents if n not in step.labelled and is_nothing(n)), begin)
        by_0 = {n for n in inside if is_by_0(n) and not all(map(is_nothing, n.parents))}
        alike = (n for n in inside & step.active if n.function is np.subtract and is_nothing(n))
        differ = any(not any(map(is_nothing, n.parents)) for n in alike)
        return (bool(by_0) or differ) and step.active.isdisjoint(by_0)  # else it is said of these

    shapes = {p.before.shape for p in step.parameters if p.size > 1}
    added = (n for n in step.backward if n.shape in shapes and n.function in (np.add, np.subtract))
    for node in sorted(added, key=lambda n: n.number):
        later = (n for n in attempt.tape.nodes[node.number + 1 :] if n.instruction == node.instruction)
        if is_made(node) or (is_plain(node) and is_plain(next(later, node))):
            yield node


def _trained_beside(step: Step, attempt: Attempt) -> Iterator[Node]:
    """What is stepped time and again by what is made of itself and of what was judged, and by products, as no average
    is and nothing that an optimiser keeps: an actor that does what its critic is content with."""
    judged = {version for p in step.parameters for version in p.versions}
    known = judged | attempt.trained
    steps: dict[Node, tuple[Node, Node]] = {}
    forward = {n.instruction for n in step.active}  # what a pass carries on is no step
    for node in (n for n in attempt.tape.nodes if n.place is not None and n.instruction not in forward):
        for base, by in node.updates:
            if base.size > 1 and isinstance(by, Node) and known.isdisjoint((base, node)):
                steps.setdefault(base, (node, by))
    stepped = {node for node, _ in steps.values()}
    held = held_in(step.parameters)
    begin = min((n.number for n in step.forward if n not in held), default=0)
    for base, (node, by) in steps.items():
        again = node in steps and steps[node][0].instruction == node.instruction
        if base in stepped or not (again or base.number < begin):
            continue
        made = made_of([by], base.number)
        meets = any(n.function in PRODUCTS and base in map(root_of, n.parents) for n in made)
        if meets and not judged.isdisjoint(made):
            yield node


def _sent_on(step: Step, attempt: Attempt) -> Iterator[Node]:
    """What is made of an error and of weights by a line whose results nothing uses: a first layer's gradient of the
    data."""
    products = [n for n in step.labelled if n.function in PRODUCTS and n.size > 1 and n.number <= step.last]
    used = {parent.instruction for n in attempt.tape.nodes for parent in n.parents} if products else set()
    held = held_in(step.parameters)
    for node in (n for n in products if n.instruction not in used):
        whole = {original(parent, held) for parent in node.parents}
        if not held.isdisjoint(whole) and not step.labelled.isdisjoint(whole):
            yield node


def _made_elsewhere(judged: Judged) -> Iterator[Node]:
    """What a line makes of parameters, by which one of these is stepped in another round, in the place of the line that
    makes its gradient in those that are right: that of another branch."""
    also = judged.also.parameters if judged.also is not None else ()
    known = makers_of((*judged.step.parameters, *also))
    for name, p in judged.names.items():
        if (gradient := judged.chosen[name]) is None:
            continue
        for before, after in pairwise(p.versions[:ROUNDS]):
            made = made_of(nodes_in([by for base, by in after.updates if base is before]), before.number)
            others = [n for n in made if n.instruction not in known and n is not before and depends(n, before)]
            if others and all(n.instruction != gradient.instruction for n in made):
                last = max(others, key=lambda n: n.number)
                known.add(last.instruction)
                yield last


def _forward(step: Step, attempt: Attempt) -> set[Node]:
    """What the predictions are made of, from the parameters on; or the loss, where nothing is compared with labels, or
    a table is, of which data pick rows."""
    first, held = max((p.before.number for p in step.parameters), default=0), held_in(step.parameters)
    predictions = [e.prediction for e in step.examples if e.prediction not in held]
    return made_of(predictions or step.losses[:1], first, until=attempt.trained.__contains__)


def _seen_at(node: Node, shape: tuple[int, ...], why: str) -> Unjudged:
    return Unjudged(shape, as_place(node) or Place(), why)


def _left_open(judged: Judged) -> list[Unjudged]:
    """What is not seen of parameters whose gradients are right; of numbers of one line each by itself. And what was
    computed for a bias that is a number, and was not stepped with."""
    step, still, found, values = judged.step, [], {}, judged.recorded
    found |= {_seen_at(n, n.shape, UNUSED): None for n in _unused(judged)}
    found |= {_seen_at(n, n.shape, UNBOUND): None for n in _unbound(judged)}
    by_one = {name: n for name in judged.names if (n := _divided_by_1(judged, name)) is not None}
    if len(by_one) < len(judged.names) and all(1 in e.prediction.shape for e in step.examples):
        found |= {_seen_at(n, judged.names[name].before.shape, BY_ONE): None for name, n in by_one.items()}
    for name, p in judged.names.items():
        if name in judged.wrong:
            continue
        if not np.any(judged.given[name]) and not np.any(judged.true[name]):
            still.append(_seen_at(p.after, p.before.shape, STILL))
        way = step.way_to(p)
        if (gradient := judged.chosen[name]) is not None:
            held = (n for n in way if n.number > gradient.number)
            held = (n for n in held if (over := written_over(n, gradient, judged)).size and not over.any())
            found |= {_seen_at(n, p.before.shape, HELD): None for n in held}
        found |= {_seen_at(n, p.before.shape, ONCE): None for n in way if _puts_rows_once(n, step, values)}
        write, twice = frontier.writes_rows(p)
        if write is None or twice:
            continue
        picked = [n for n in step.active if n.name == "getitem" and n.inputs[0] is p.before and n.place != write.place]
        by = set(nodes_in(write.inputs[1])) or repr(write.inputs[1])  # rows in an array, or in a list
        if any(by == repr(n.inputs[1]) or not set(nodes_in(n.inputs[1])).isdisjoint(by) for n in picked):
            found[_seen_at(write, p.before.shape, ONCE)] = None
    return [*found, *still]


def _divided_by_1(judged: Judged, name: str) -> Node | None:
    """What divides a gradient by the number 1, as X.shape[0] is where it has one example."""
    if (gradient := judged.chosen[name]) is None:
        return None
    way = judged.step.way_to(judged.names[name])
    divided = [n for n in way if n.number <= gradient.number and n.function is np.true_divide]
    by_1 = [n for n in divided if isinstance(n.inputs[1], (int, float)) and n.inputs[1] == 1]
    return max(by_1, key=lambda n: n.number, default=None)


def _unbound(judged: Judged) -> Iterator[Node]:
    """What bounds an array in the midst of the forward pass, and no number of it in any draw; not what keeps an
    exponential finite."""
    predictions = [e.prediction for e in judged.step.examples]
    for node in (n for n in ancestors(p for n in predictions for p in n.parents) if n.function in BOUNDING):
        of = next((n for n in node.parents if n in judged.step.active and n.shape == node.shape), None)
        if of is None or len(node.parents) > 1:
            continue
        reached, beyond = set(), set()  # 1 from above, -1 from below
        for values in judged.drawn:
            larger = values.before(of)
            larger.known[of] = TEN * np.asarray(values(of))
            reached |= {*np.sign(values(of) - np.asarray(values(node))).ravel()}
            beyond |= {*np.sign(larger(of) - np.asarray(larger(node))).ravel()}
        if beyond - reached:
            yield node


def _puts_rows_once(node: Node, step: Step, values: Values) -> bool:
    """Whether rows of an error are written, by numbers that are none of a mere count, where there were zeros."""
    if node.function is not setitem or not step.labelled.isdisjoint(nodes_in(node.inputs[0])):
        return False
    index = node.inputs[1]
    if not isinstance(index, Node) or index.size < 2 or index.dtype is None or index.dtype.kind not in "iu":
        return False
    rows = np.asarray(values(index))
    return len(np.unique(rows)) == rows.size and np.ptp(np.diff(rows.ravel())) > 0


def _unused(judged: Judged) -> Iterator[Node]:
    """Numbers that nothing is made of, and that are the derivative of the loss by a product of the forward pass, added
    up over all examples, and no array is added to that."""
    step, parts = judged.step, judged.truth.parts
    in_loss = made_of(nodes_in(judged.truth.loss.node))
    used = in_loss | made_of(n for p in step.parameters for n in nodes_in(p.steps))
    forward = step.forward or [n for n in in_loss if n in step.active]
    # Else a mean error that is shown would be the gradient of a bias that nobody wanted.
    has_number = any(n.function is np.add and len(n.parents) == 1 for n in forward)
    left = [n for n in step.active if n.size == 1 and n.is_float and n not in used]
    left = [n for n in left if has_number or n in step.labelled]
    inner = {parent for n in left for parent in n.parents}
    left = [n for n in left if n not in inner]
    if not left:
        return
    linear = PRODUCTS | {np.add, np.subtract, np.sum}
    of_all: dict[tuple, list[Node]] = {}  # by what makes them: of one example after the other, where there is a number
    for n in forward:
        if (n, None) in parts[0] and n.function in linear and (has_number or n.size > 1):
            of_all.setdefault(n.site if has_number else (n,), []).append(n)
    sums = {
        site: [np.reshape(sum(np.sum(of_draw.get((n, None), 0.0)) for n in nodes), 1) for of_draw in parts]
        for site, nodes in of_all.items()
        if sum(n.size for n in nodes) > 1
    }
    biased = {site for site in sums if any(n.function is np.add and len(n.parents) > 1 for n in of_all[site])}
    for number in left:
        given = [np.reshape(values(number), 1) for values in judged.drawn]
        same = {site for site, added in sums.items() if common_multiple(given, added, RIGHT) is not None}
        if same and same.isdisjoint(biased) and not any(_has_entry(judged.true[name], given) for name in judged.names):
            yield number


def _has_entry(arrays: list[np.ndarray], numbers: list[np.ndarray]) -> bool:
    """Whether an entry of the arrays is the same multiple of these numbers in all draws: that of a column of ones."""
    ratios = np.stack([np.ravel(array) / number for array, number in zip(arrays, numbers, strict=True)])
    same = np.ptp(ratios, axis=0) <= RIGHT * np.abs(ratios).max(axis=0)
    return bool(np.any(same & ratios.all(axis=0)))
