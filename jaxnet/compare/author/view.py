"""What of a record one step is, read by structure alone: labels, predictions, numbers that may be the loss.

Labels enter where a value that depends on all parameters first meets data of its size; what follows from there is the
backward pass, or the loss. No name is read.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from jaxnet.compare.author.chains import Chain, began_as, follows, masked, places_of_ones
from jaxnet.compare.author.losses import last_of, losses_of, may_be_loss
from jaxnet.compare.author.node import (
    MOVING,
    MULTIPLYING,
    PRODUCTS,
    VIEWS,
    Instruction,
    Node,
    ancestors,
    depends,
    following,
    made_alone_of,
    made_of,
    nodes_in,
    original,
    root_of,
    setitem,
)
from jaxnet.compare.author.replay import Values, is_of_zeros, is_zero
from jaxnet.compare.author.step import Example, Meeting, Parameter, Step, held_in
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.updates import makes_average, multiples, scaled_by_numbers

MEASURED = 20_000  # operations between two steps, of which a number is looked at: it takes as long as a step of them
MANY = 4  # times that something is run for further examples
AFTER = 1  # marks what depends on a parameter after its step
SUMS = {np.add, np.subtract, np.negative, np.sum, np.mean}


@dataclass(frozen=True, eq=False)
class View:
    """One step of a network, and what is known of the Nodes around it."""

    parameters: tuple[Parameter, ...]
    window: list[Node]
    masks: dict[Node, int]  # which parameters a Node depends on
    smooth: set[Node]  # has a derivative by one
    into_steps: set[Node]  # what the steps, and the arrays after them, were made of
    touched: set[Node]  # depends on some version of a parameter
    last: int
    values: Values
    others: frozenset[Node] = frozenset()  # versions of the arrays of other networks, which are constants here
    stepped: frozenset[Node] = frozenset()  # made of further arrays of which a step takes the place: no data
    returned: Set[Node] = frozenset()  # numbers that a function which we called has returned, beside gradients perhaps

    @cached_property
    def active(self) -> frozenset[Node]:
        return frozenset(n for n, mask in self.masks.items() if not mask & AFTER)

    @cached_property
    def readings(self) -> list[Meeting]:
        """The places where labels may enter."""
        found = (m for node in self.window if node in self.active for m in _readings(node, self))
        met = [m for m in found if m.network in self.active]
        met = [m for m in met if m.labels not in self.stepped] or met
        # A number of an array goes on as a state does where it meets others of that array.
        numbers = [p.root for p in self.parameters if p.root.function is operator.getitem and not p.root.shape]
        arrays = {n for n in ancestors(numbers) if n.function is None}
        return [m for m in met if m.labels is None or arrays.isdisjoint(ancestors([m.labels]))] if arrays else met

    @cached_property
    def differences(self) -> dict[Node, Node]:
        """Where data are taken from what the network makes, or that from them; and what it makes."""
        met = (m for m in self.readings if m.node.function is np.subtract)
        return {m.node: m.network for m in met if m.labels is not None and not is_of_zeros(m.labels, self.values)}

    @cached_property
    def errors(self) -> set[Node]:
        """Numbers that are compared with data, or made of such differences by sums alone: data have no say in their
        derivative, and they have no least value."""
        made: set[Node] = set()
        for node in self.window:
            terms = [n for n in node.parents if n in self.masks]
            is_sum = node.function in SUMS or (len(terms) == 1 and scaled_by_numbers(node) is terms[0])
            if node in self.differences or (terms and is_sum and made.issuperset(terms)):
                made.add(node)
        return made.union(*(multiples(compared) for compared in self.differences.values()))

    @cached_property
    def weights(self) -> frozenset[Node]:
        return frozenset(p.before for p in self.parameters)

    @cached_property
    def numbers(self) -> tuple[Node, ...]:
        """The last scalars that depend on most parameters and make no step, nor does what their lines make elsewhere:
        an error that is sent back to the data. If all lines do, as where one adds any two numbers of a network, those
        that have all that their line makes for the steps in them."""
        lines: dict[object, set[Node]] = {}
        for n in self.into_steps & self.active:
            lines.setdefault(n.instruction, set()).add(n)
        numbers = [n for n in self.window if n.size == 1 and n in self.active]
        found = [n for n in numbers if n.instruction not in lines and may_be_loss(n, self)]
        if not found:
            last = {n.instruction: n for n in numbers if n.instruction in lines and may_be_loss(n, self)}
            found = [n for instruction, n in last.items() if lines[instruction] <= ancestors([n])]
        most = max((self.masks[n].bit_count() for n in found), default=0)
        found = [n for n in found if self.masks[n].bit_count() == most]
        return tuple(n for n in reversed(last_of(found, self)[-4:]) if not self._is_of_more(n))

    def _is_of_more(self, number: Node) -> bool:
        """Whether a number has nothing of the forward pass that the steps are made of, and runs each of its
        instructions many times as often: it is of further examples. A loss may predict one twice."""
        held = _with_views(held_in(self.parameters), self.window)
        inside, own = (
            made & self.active - held for made in (made_of([number], self.window[0].number), self.into_steps)
        )
        often, seldom = Counter(n.instruction for n in inside), Counter(n.instruction for n in own)
        shared = often.keys() & seldom.keys()
        return bool(shared) and inside.isdisjoint(own) and all(often[i] >= MANY * seldom[i] for i in shared)

    @cached_property
    def inside_numbers(self) -> set[Node]:
        """What these are made of."""
        return made_of(self.numbers, self.window[0].number)

    @cached_property
    def by_data(self) -> Step | None:
        """The step as it is where labels are arrays: what is added to a prediction is rather a bias that is kept."""
        met = [m for m in self.readings if m.labels is not None]
        others = [m for m in met if m.node.function is not np.add]
        return _by_labels(self, _first_met(others, self, self.into_steps)) or _by_labels(
            self, _first_met(met, self, self.into_steps)
        )


def view_of(tape: Tape, network: list[Chain], k: int, others: frozenset[Node]) -> View:
    parameters = tuple(Parameter(c.start(k), c.versions[k + 1], c.steps[k], c.versions) for c in network)
    first = min(p.root.number for p in parameters)
    last = max(p.after.number for p in parameters)
    following = [c.versions[k + 2].number for c in network if len(c.versions) > k + 2]
    end = max(min(following) if following else len(tape.nodes), last + 1)
    into_steps = made_of((n for p in parameters for n in (p.after, *nodes_in(p.steps))), first)
    return viewed(parameters, window_of(parameters, tape, end, others, tape.since), into_steps, tape, end, others)


def viewed(
    parameters: tuple[Parameter, ...],
    window: list[Node],
    into_steps: set[Node],
    tape: Tape,
    end: int,
    others: frozenset[Node] = frozenset(),
    unknown: Set[Node] = frozenset(),  # arrays of which nothing is to be made that belongs to the step
) -> View:
    # Labels depend on no version of a parameter; what an earlier step left behind does.
    roots = {root_of(p.versions[0]) for p in parameters}
    touched = following(tape.nodes[min(n.number for n in roots) : end], roots)
    masks, smooth = _masks(parameters, window, unknown), _smooth(parameters, window)
    nodes = tape.nodes[window[0].number :]
    steps = {n: n.updates[0][0] for n in nodes if n.updates and n.updates[0][0] not in touched}
    stepped = frozenset(following(window, set(superseded(nodes, steps))))
    return View(
        parameters, window, masks, smooth, into_steps, touched, end, Values(), others, stepped, tape.numbers
    )  # fmt: skip


def superseded(nodes: list[Node], stepped: dict[Node, Node]) -> frozenset[Node]:
    """The arrays that an instruction uses and in whose place it uses, when it is run again, what they are stepped to:
    of what is stepped, by what that gives."""
    bases, found = set(stepped.values()), set()
    uses: dict[tuple, set[Node]] = {}
    for node in nodes if stepped else ():
        used = uses.setdefault((node.instruction, node.function), set())
        here = (p for p in node.parents if p in stepped and p.instruction != node.instruction)
        found |= {stepped[p] for p in here if stepped[p] in used}
        used |= bases.intersection(node.parents)
    return frozenset(found)


def window_of(
    parameters: tuple[Parameter, ...], tape: Tape, end: int, others: frozenset[Node], since: int
) -> list[Node]:
    """What may depend on the parameters of a step: of a training that was ended in the midst of one, what that has made
    of them, a momentum, does not count."""
    own = held_in(parameters)
    first = min(n.number for n in own)
    return [n for n in tape.nodes[first:end] if (n.number >= since or n in own) and n not in others]


def with_further(tape: Tape, view: View) -> View:
    """The step with further parameters: arrays of which the prediction is made, or the loss, as of log σ, and which are
    stepped by something that follows from the labels, no matter whether that depends on them."""
    step = view.by_data or _by_loss(view)
    if step is None:
        return view
    known = {p.before for p in view.parameters}
    held = {version for p in view.parameters for version in p.versions}
    held |= {n for p in view.parameters for part in nodes_in(p.steps) for n in multiples(part)}  # momenta
    held |= view.others
    stepped = max(p.after.number for p in view.parameters)
    again = {base for node in tape.nodes[stepped:] if node.steps >= 2 for base, _ in node.updates}
    predictions = [e.prediction for e in step.examples]
    ends = [*predictions, *step.losses]
    forward = made_of(predictions or [n for n in step.losses if not n.updates])
    begin = min((n.number for n in view.active - held_in(view.parameters)), default=0)
    uses: dict[Node, set[Instruction | None]] = {}  # of what was there before, in a loss
    for n in made_of(ends) & view.active:
        for base in n.parents:
            uses.setdefault(base, set()).add(n.instruction)
    used = {parent for n in view.active if n in forward for parent in n.parents}
    at_once = _following_at_once(view, {meeting.node for example in step.examples for meeting in example.meetings})
    further = {}
    for node in tape.nodes[view.window[0].number : view.last]:
        stepped_already = node in held or any(base in held for base, _ in node.updates)  # another piece of a step
        for base, made in () if stepped_already else node.updates:
            first = base.steps == 0 and base not in view.masks and base not in view.touched and base.size > 1
            # Only what these are made of: sums and moments that are stepped as well are no parameters.
            began = began_as(base, anything=base.instruction == node.instruction)
            fresh = (first and node in again) or (began is not None and (base in used or not base.shape))
            # What a loss uses, for more than to go on from it as a sum does.
            more = base.number < begin and uses.get(base, set()) - {node.instruction}
            in_loss = more and held.isdisjoint(node.parents)  # else a step of its rows is known
            if not fresh or not isinstance(made, Node) or not (base in forward or in_loss):
                continue
            if view.masks.get(made, 0) & AFTER and made not in at_once:  # an average of the weights that the steps give
                continue
            if made in step.labelled or (made in view.masks and node not in forward):
                found = further.get(base)  # x · w + b in another forward pass is no step of b where there is one
                if found is None or (made in step.labelled and step.labelled.isdisjoint(found.steps)):
                    further[base] = Parameter(base, node, (made,), (base, node))
                break
    # No forward pass has a number that an optimiser keeps, but the bias that it stepped first is made of it.
    roots = {p.root for p in view.parameters}.union(further)
    direct = made_of(ends, until=roots.__contains__)
    momenta = {n for p in further.values() for part in nodes_in(p.steps) for n in multiples(part)}
    further = {base: p for base, p in further.items() if p.after not in momenta and (p.size > 1 or base in direct)}
    # What follows from the labels through new versions only is the next forward pass: H = W[words] + position.
    after = {n for p in (*view.parameters, *further.values()) for n in p.new}
    for base, p in list(further.items()):
        inside = made_of(p.steps, until=lambda n: n in after)
        if inside & after and not (inside - after - set(p.steps)) & step.labelled:
            del further[base]
    if not further or known & set(further):
        return view
    parameters = (*view.parameters, *further.values())
    into_steps = made_of((n for p in parameters for n in nodes_in(p.steps)), min(p.root.number for p in parameters))
    window = window_of(parameters, tape, view.last, view.others, tape.since)
    return viewed(parameters, window, into_steps, tape, view.last, view.others)


def stale_step(tape: Tape) -> Step | None:
    """A step that adds zeros to arrays which a prediction is made of: the network never trains."""
    values = Values()
    first: dict[Node, tuple[Node, Node, Node]] = {}  # by the second version: the first one, itself, what was added
    again: set[Node] = set()
    for node in tape.nodes:
        for base, step in node.updates if 1 <= node.steps <= 2 else ():
            if not isinstance(step, Node) or not is_zero(step, values) or not is_of_zeros(step, values):
                continue
            if base.function is operator.getitem and base.size == 1:  # read of an array, and none that is stepped
                continue
            if follows(step, base, lambda n, base=base: depends(n, base)):
                continue
            if node.steps == 1:
                first.setdefault(node, (base, node, step))
            elif base in first:
                again.add(base)
    latest = {node: found for node, found in first.items() if node in again}
    used = {parent for node in tape.nodes if node.function in (np.dot, np.matmul, np.add) for parent in node.parents}
    parameters = tuple(
        Parameter(before, after, (step,), (before, after))
        for before, after, step in latest.values()
        if before in used or any(n in used for n in tape.nodes if before in n.parents and n.size == before.size)
    )
    if not parameters:
        return None
    last = max(p.after.number for p in parameters)
    window = tape.nodes[min(p.before.number for p in parameters) : last]
    view = viewed(parameters, window, set(window), tape, last)
    met = [m for m in view.readings if m.labels is not None]
    found = _by_labels(view, _first_met(met, view, view.into_steps), must_follow=False)
    if found is None:
        return None
    forward = made_of(example.prediction for example in found.examples)  # sums and momenta are stepped by zeros as well
    kept = tuple(p for p in parameters if p.before in forward)
    return found._replace(parameters=kept, stale=True) if kept else None


def _by_labels(view: View, meetings: list[Meeting], must_follow: bool = True) -> Step | None:
    """The step as it is where labels enter at these places; None if not all of it follows from them."""
    if not meetings:
        return None
    start = {meeting.node for meeting in meetings}
    labelled = following(view.window, start)
    at_once = _following_at_once(view, start)
    if must_follow and not all(any(n in at_once for n in nodes_in(p.steps)) for p in view.parameters):
        return None
    examples = _examples(meetings, view, view.into_steps)
    if not examples:
        return None
    losses = losses_of(view, labelled, examples)
    held = {p.before for p in view.parameters}
    if not losses and any(example.prediction in held for example in examples):
        return None  # the difference of two versions of an array is no error
    return Step(view.parameters, examples, losses, view.active, frozenset(labelled), view.last)


def _by_loss(view: View) -> Step | None:
    """The step as it is if a scalar that depends on parameters and makes no step is the loss: on no fewer of them than
    a prediction that meets labels, if there is one, or it is a part of the forward pass."""
    losses, inside = view.numbers, view.inside_numbers
    predictions = [e.prediction for e in view.by_data.examples] if view.by_data is not None else []
    if any(view.masks[p].bit_count() > view.masks[losses[0]].bit_count() for p in predictions if losses):
        return None
    return _made_with(losses, {n for n in view.into_steps if n in view.active and n not in inside}, (), view)


def _by_labels_of_loss(view: View) -> Step | None:
    """The same with the predictions that the loss compares with its labels, where these enter no step, or some by
    arrays that have been stepped only. What is made of a forward pass may follow from that."""
    if view.by_data is not None:
        return None
    losses, inside = view.numbers, view.inside_numbers
    met = _first_met([m for m in view.readings if m.labels is not None], view, inside)
    examples = _examples(met, view, inside) if met else ()
    if not examples:
        return None
    held = _with_views(held_in(view.parameters), view.window)
    forward = {n for n in inside if n in view.active and n not in held}
    start = (following(view.window, forward) & view.into_steps & view.active) - inside
    step = _made_with(losses, _following_at_once(view, start) & view.into_steps, examples, view)
    return step._replace(by_loss=True) if step is not None else None


def _made_with(losses: tuple[Node, ...], labelled: set[Node], examples: tuple[Example, ...], view: View) -> Step | None:
    """The step if all of it has something that follows from a loss, or may: from one of all these arrays."""
    losses = tuple(n for n in losses if n.number > max(p.root.number for p in view.parameters))
    if losses and all(any(n in labelled for n in nodes_in(p.steps)) for p in view.parameters):
        return Step(view.parameters, examples, losses, view.active, frozenset(labelled), view.last)
    return None


def _masks(parameters: tuple[Parameter, ...], window: list[Node], unknown: Set[Node]) -> dict[Node, int]:
    """Which parameters each Node depends on, as bits."""
    bits = {node: 2 << k for k, p in enumerate(parameters) for node in p.as_read}
    for k, p in enumerate(parameters):
        if p.before.function is setitem:  # of which entries may be read that no step has written yet
            arrays, written = {p.before, *p.writes}, p.new
            reads = (n for n in window if n.function is operator.getitem and n.inputs[0] in arrays)
            bits |= {n: 2 << k for n in reads if n not in bits and written.isdisjoint(n.sources)}
    new = {root_of(n) for p in parameters for n in p.new}
    # What else these lines step is new as well: a number that has not been recorded until then.
    stepping, first = {p.after.instruction for p in parameters}, min(p.after.number for p in parameters)
    new |= {n for n in window if n.number > first and n.instruction in stepping and n.instruction is not None}
    return masked(bits | dict.fromkeys(new | unknown, AFTER), window)


def _met_positions(view: View) -> list[Meeting]:
    """Where entries of the network's values are picked by plain numbers, as `p[label] -= 1` does. A loop over all rows
    of an array picks them, or writes them, by position too."""
    written: dict[Any, Any] = {}  # arrays that something was written into, and what they were before
    picked: dict[Any, set] = {}
    for node in view.window:
        if node.function in (operator.getitem, setitem):
            array, index = node.inputs[:2]
            array = written.get(array, array)
            picked.setdefault(array, set()).add(str(index[0] if isinstance(index, tuple) else index))
            written |= {node: array} if node.function is setitem else {}
    met = (m for m in view.readings if m.labels is None)
    arrays = ((m, written.get(m.node.inputs[0], m.node.inputs[0])) for m in met)
    some = [m for m, array in arrays if len(picked[array]) < max(array.shape[0], 2)]
    return _first_met(some, view, view.into_steps)


def _first_met(found: list[Meeting], view: View, within: set[Node]) -> list[Meeting]:
    """The meetings of what depends on most parameters, without those that follow from others; of them some are to be
    within what the steps, or the loss, are made of."""
    most = max((view.masks[m.network].bit_count() for m in found if m.node in within), default=0)
    by_node: dict[Node, list[Meeting]] = {}
    for meeting in found:
        if view.masks[meeting.network].bit_count() == most:
            by_node.setdefault(meeting.node, []).append(meeting)
    chosen: list[Meeting] = []
    reached: set[Node] = set()
    for node in view.window:
        here = [m for m in by_node.get(node, []) if m.network not in reached]
        if here:
            chosen += here
            reached.add(node)
        elif not reached.isdisjoint(node.sources):
            reached.add(node)
    return chosen


LINEAR = MULTIPLYING | {np.true_divide, np.sum, np.mean}
_ELEMENTWISE = {np.add, np.subtract, np.multiply, np.true_divide, np.power, np.maximum, np.minimum, np.where}


def _readings(node: Node, view: View) -> list[Meeting]:
    """The ways in which a Node is a place where a value of the network meets data."""
    if node.function in (operator.getitem, setitem):
        array, index = node.inputs[0], node.inputs[1]
        if array not in view.masks or not array.is_float:
            return []
        array = _before_scaling(array, view)
        labels = [n for n in nodes_in(index) if n not in view.touched and n.dtype is not None and n.dtype.kind in "iub"]
        if labels:
            return [
                Meeting(node, array, n)
                for n in labels
                if n.size > 1 or array.size <= n.size * max(array.shape, default=1)
            ]
        whole = [k for k in (index if isinstance(index, tuple) else (index,)) if isinstance(k, (int, np.integer))]
        return [Meeting(node, array, None)] if whole and array.size > 1 else []
    if node.function not in _ELEMENTWISE and not (node.function in PRODUCTS and node.size == 1):
        return []
    if makes_average(node):  # a loss that is smoothed, with what it was
        return []
    met = node.parents
    if node.function is np.subtract and len(met) == 2:
        met = _without_common(*met, view)
    floats = [n for n in met if n in view.masks and n.is_float]
    if node.function is np.multiply or node.function in PRODUCTS:  # w · x is where a prediction begins
        weights = view.weights
        floats = [n for n in floats if n not in weights and not (len(n.parents) == 1 and n.parents[0] in weights)]
    data = [n for n in met if n not in view.touched and n.dtype is not None and n.dtype.kind in "fiub"]
    return [
        Meeting(node, a, b)
        for a in floats
        for b in data
        if a.size == b.size and not _tells_nothing(node, b, view.values) and not _is_state(node, b)
    ]


def _before_scaling(node: Node, view: View) -> Node:
    """ŷ, where an error is begun as −ŷ or as ŷ / m."""
    while len(active := [n for n in node.parents if n in view.masks]) == 1:
        if node.function is not np.negative and scaled_by_numbers(node) is not active[0]:
            break
        node = active[0]
    return node


def _without_common(first: Node, second: Node, view: View) -> tuple[Node, Node]:
    """What is compared where both are sums, or have been multiplied by the same: Xᵀp − Xᵀy is Xᵀ(p − y). Weights are
    not compared with those that data were made with."""
    while first.function is second.function and first.function in LINEAR and first.keywords == second.keywords:
        pairs = list(zip(first.inputs, second.inputs, strict=False))
        differing = [k for k, pair in enumerate(pairs) if not _is_same(*pair)]
        if len(first.inputs) != len(second.inputs) or len(differing) != 1:
            break
        inside = pairs[differing[0]]
        if not all(isinstance(n, Node) for n in inside) or (differing[0] and first.function is np.true_divide):
            break
        if any(n in view.masks and made_alone_of([n], set(view.weights)) for n in inside):
            break
        first, second = inside
    return first, second


def _is_same(one: Any, other: Any) -> bool:
    """Whether two arguments are the same array, perhaps turned twice, or the same plain value."""
    if not isinstance(one, Node) or not isinstance(other, Node):
        return type(one) is type(other) and not isinstance(one, Node) and repr(one) == repr(other)
    return one is other or (one.function is other.function is not None and one.inputs == other.inputs)


def _tells_nothing(node: Node, data: Node, values: Values) -> bool:
    """Whether data are no labels: one number that all is multiplied by; zeros that something is added to, or made of
    zeros alone, as a momentum before the first step is."""
    if node.function in (np.multiply, np.true_divide) and data.size > 1 and len(np.unique(values(data))) == 1:
        return True
    return is_zero(data, values) and (node.function is np.add or (data.size > 1 and is_of_zeros(data, values)))


def _is_state(node: Node, data: Node) -> bool:
    """Whether data are what this operation made the last time, times a number: a velocity before weights are arrays."""
    same = ((m.site, m.function) == (node.site, node.function) for m in multiples(data))
    return node.function in (np.add, np.subtract) and any(same)


def _following_at_once(view: View, start: set[Node]) -> set[Node]:
    """What follows, but for what does through arrays that have been stepped by then: where a new forward pass is made
    between two steps, the second one is taken at other weights."""
    after = {n for p in view.parameters for n in p.new}
    after |= {n for n in view.window if n.function is np.subtract and began_as(n) == 0}  # b
    return following([n for n in view.window if n not in after], start)


def _smooth(parameters: tuple[Parameter, ...], window: list[Node]) -> set[Node]:
    """What follows from parameters through floating numbers alone."""
    return following(
        [node for node in window if node.is_float or node.is_complex], {n for p in parameters for n in p.as_read}
    )


def _examples(meetings: list[Meeting], view: View, within: set[Node]) -> tuple[Example, ...]:
    """Meetings that look at the same prediction together: the last Node that is common to them. One of them is to be
    within what the steps, or the loss, are made of."""
    masks = view.masks
    most = max(masks[m.network].bit_count() for m in meetings)
    whole = [n for n in view.window if n in view.active and masks[n].bit_count() == most]
    seen_by = dict.fromkeys(whole, 0)  # a bit for each meeting that looks at it, or at what is made of it
    for k, meeting in enumerate(meetings):
        seen_by[meeting.network] |= 1 << k
    for node in reversed(whole):
        for source in node.sources if seen_by[node] else ():
            if source in seen_by:
                seen_by[source] |= seen_by[node]
    held = _with_views(held_in(view.parameters), whole)  # two predictions have these in common
    last = {seen_by[n]: n for n in whole if n not in held}  # in order: the last Node that just these meetings look at
    alone = functools.reduce(operator.or_, last, 0)
    last |= {bits: n for n in whole if n in held and (bits := seen_by[n] & ~alone)}
    groups: list[int] = []
    group_of: list[int] = []  # for each meeting
    sets_of: list[list[int]] = [[] for _ in meetings]
    for bits in last:
        for k in places_of_ones(bits):
            sets_of[k].append(bits)
    for k, sets in enumerate(sets_of):
        earlier = sorted({group_of[j] for bits in sets for j in places_of_ones(bits & (1 << k) - 1)})
        own = next((j for j in earlier if any(groups[j] & bits == groups[j] for bits in sets)), None)
        if own is None:
            own = len(groups)
            groups.append(0)
        groups[own] |= 1 << k
        group_of.append(own)
    members = [[m for k, m in enumerate(meetings) if group >> k & 1] for group in groups]
    for of_group in members:  # what is multiplied by its own input is so on the way back, most often
        if len({m.labels for m in of_group}) > 1:
            of_group.sort(key=lambda m: m.node.function is np.multiply and _is_input(m, view))
    used = {parent for n in whole for parent in n.parents if n.function not in VIEWS}

    def prediction(group: int) -> Node:
        """As it was before it was turned, or written into a row that is read, where something else is made of that: a
        loss, say."""
        node = max((n for bits, n in last.items() if group & bits == group), key=lambda n: n.number)
        written = node.function is operator.getitem and [n.shape for n in node.sources] == [node.shape]
        before = node.sources[0] if written else original(node)
        return before if before in used else node

    return tuple(
        Example(prediction(group), tuple(of_group))
        for group, of_group in zip(groups, members, strict=True)
        if any(m.node in within for m in of_group)
    )


def _with_views(held: set[Node], window: list[Node]) -> set[Node]:
    """Arrays, and parts of them as they are: another forward pass may look at the same ones."""
    for node in window:
        held |= {node} if node.function in MOVING and node.inputs[0] in held else set()
    return held


def _is_input(meeting: Meeting, view: View) -> bool:
    """Whether what is met is what the network has made its value of."""
    return meeting.labels in made_of([meeting.network], until=view.weights.__contains__)


def readings_of(views: list[View]) -> list[Step]:
    found = [step for view in views for step in [view.by_data] if step is not None]
    steps = [step for step in found if step.losses]
    steps += [step for view in views for step in [_by_loss(view)] if step is not None]
    steps += [step for step in found if not step.losses]
    steps += [step for view in views for step in [_by_labels_of_loss(view)] if step is not None]
    return steps + [s for view in views for s in [_by_labels(view, _met_positions(view))] if s is not None]


def measured(tape: Tape, step: Step) -> Iterator[Step]:
    """The arrays of a step as they are where numbers are first computed that all of them are used for, and no step is
    made of: they may be a loss, of the predictions that they compare with labels. Of an error only the root is one."""
    seen = {n.instruction for n in made_of([p.after for p in step.parameters])}
    of = {version: k for k, p in enumerate(step.parameters) for version in p.versions}
    steps = {version.instruction for p in step.parameters for version in p.versions[1:]}
    ends = [max(p.before.number for p in step.parameters), *(p.versions[1].number for p in step.parameters)]
    for node in tape.nodes[max(ends) :] if None not in steps else ():
        base = next((base for base, _ in node.updates if base in of and node.instruction in steps), None)
        if base is not None:
            of[node] = of[base]
            ends.append(node.number)
    roots = {p.root for p in step.parameters}
    for begin, end in pairwise(sorted([*ends, len(tape.nodes)])):
        after = tape.nodes[begin + 1 : end]
        if len(after) > MEASURED or all(n.size > 1 or not n.is_float or n.instruction in seen for n in after):
            continue
        seen |= {n.instruction for n in after}
        used = {of[n]: n for node in after for n in node.parents if n in of}
        if len(used) < len(step.parameters):
            continue
        parameters = tuple(Parameter(n, n, (), (step.parameters[k].root, n)) for k, n in used.items())
        window = sorted(used.values(), key=lambda n: n.number) + after
        masks = masked({n: 2 << k for k, n in used.items()}, window)
        touched = following(tape.nodes[min(n.number for n in roots) : end], roots)
        view = View(parameters, window, masks, _smooth(parameters, window), set(), touched, end, Values())
        measures = {part for n in after if n.function is np.sqrt for part in (n, *n.parents)}
        for number in view.numbers:
            inside = made_of([number], begin + 1)  # another one may be of other data
            met = [m for m in view.readings if m.labels is not None and m.node in inside]
            if number in measures or masks[number].bit_count() < len(parameters) or not met:
                continue
            if examples := _examples(_first_met(met, view, inside), view, inside):
                yield Step(parameters, examples, (number,), view.active, frozenset(), end)
