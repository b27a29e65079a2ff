"""Finds the training step in a record, by structure alone: parameters, labels, predictions, loss, raw gradients.

Parameters are arrays that are stepped (`chains`). Labels enter where a value that depends on all parameters first
meets data of its size; what follows from there is the backward pass, or the loss. No name is read.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.chains import (
    Chain,
    at_once,
    before_writes,
    began_as,
    began_with,
    chains_in,
    follows,
    masked,
    networks,
    places_of_ones,
    stepped_once,
    what_was_written,
)
from jaxnet.compare.author.lines import target_of
from jaxnet.compare.author.node import (
    MOVING,
    MULTIPLYING,
    PRODUCTS,
    Instruction,
    Node,
    ancestors,
    depends,
    made_alone_of,
    made_of,
    nodes_in,
    root_of,
    setitem,
)
from jaxnet.compare.author.replay import Values, is_of_zeros, is_zero
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.updates import makes_average, multiples, scaled_by_numbers


class Parameter(NamedTuple):
    """An array that the program steps: the version that the prediction was made with, and the one after."""

    before: Node
    after: Node
    steps: tuple[Any, ...]  # what was added or subtracted: one Node, several where entries were stepped one by one
    versions: tuple[Node, ...]  # all that there are, the first one first

    @property
    def size(self) -> int:
        return self.before.size

    @property
    def shrunk(self) -> Iterator[tuple[Node, Node]]:
        """Versions, and what each was made by itself alone, between two of its steps or as one of them."""
        for before, after in pairwise(self.versions):
            for made in (after, *(base for base, _ in after.updates[:1])):
                if made is not before and made_alone_of([made], {before}):
                    yield before, made

    @property
    def writes(self) -> list[Node]:
        """The array after the step, and before each write of an entry or a row that the step is made of."""
        return list(itertools.takewhile(lambda n: n is not self.before, before_writes(self.after)))

    @property
    def new(self) -> set[Node]:
        """The version after the step, and what was written into it."""
        return {self.after, *what_was_written(self.writes)}

    @property
    def as_read(self) -> set[Node]:
        """What the forward pass may read of it: the version before the step, its root, and the entries and rows that
        the step before has written into that, or that it began with."""
        if self.before is self.versions[0]:
            return {self.root, self.before, *began_with(self.before)}
        k = self.versions.index(self.before) if self.before in self.versions else 0
        earlier = self.versions[k - 1] if k else self.before
        writes = itertools.takewhile(lambda n: n is not earlier, before_writes(self.before))
        return {self.root, self.before, *what_was_written(writes)}

    @property
    def root(self) -> Node:
        """The array whose entries it has, perhaps turned: W, where `W.T + step` is what is stepped."""
        return root_of(self.before)

    def given(self, value: Any) -> dict[Node, Any]:
        """What it takes for the parameter to have another value: its root has it too."""
        if self.root is self.before:
            return {self.before: value}
        places = np.asarray(Values({self.root: np.arange(self.size).reshape(self.root.shape)})(self.before))
        of_root = np.empty(self.size)
        of_root[places.ravel()] = np.ravel(value)
        return {self.root: of_root.reshape(self.root.shape), self.before: value}

    def turned(self, of_root: Any) -> Any:
        """The root's entries where the parameter has them."""
        return np.asarray(Values({self.root: of_root})(self.before))


def held_in(parameters: Iterable[Parameter]) -> set[Node]:
    """The arrays that parameters are as the forward pass has them, or parts of them, and as their roots have them."""
    return {n for p in parameters for n in (p.before, *p.as_read)}


def makers_of(parameters: Iterable[Parameter]) -> set[Instruction | None]:
    """The instructions that make what parameters are stepped with."""
    return {n.instruction for p in parameters for n in made_of(nodes_in(p.steps), p.root.number)}


class Example(NamedTuple):
    """One prediction and where it meets its labels: a whole batch, or one of several that run one by one."""

    prediction: Node
    meetings: tuple[Meeting, ...]


class Meeting(NamedTuple):
    """Where labels enter: the Node, what of the network it looks at, the labels (None: positions in plain numbers)."""

    node: Node
    network: Node
    labels: Node | None


class Step(NamedTuple):
    """One step of one network."""

    parameters: tuple[Parameter, ...]
    examples: tuple[Example, ...]
    losses: tuple[Node, ...]  # scalars that may be the loss, likeliest first
    active: frozenset[Node]  # depend on the parameters before the step, and not on those after
    labelled: frozenset[Node]  # follow from where the labels enter
    last: int  # the number of the last Node that belongs to the step
    stale: bool = False  # the steps are made with zeros that no backward pass has filled
    by_loss: bool = False  # not all of it follows from the labels: the prediction is what a loss compares with them

    @property
    def counts(self) -> set[int]:
        """What may be the number of examples: of single ones, or in a batch, a size that no parameter has. Of numbers
        that are outputs, perhaps, rather how often the loss has the same terms."""
        sizes = {n for example in self.examples for n in example.prediction.shape}
        sizes = (sizes - {n for p in self.parameters for n in p.before.shape}) or sizes
        if all(p.size == 1 for p in self.parameters):
            terms = Counter(n.site for n in made_of(self.losses) if n in self.active)
            return {*sizes, max(terms.values(), default=0)} - {0, 1}
        return {len(self.examples), *sizes} - {0, 1}

    @property
    def number(self) -> int | None:
        """Which step of its parameters it is, 1 or 2; None where they are bounded before it."""
        found = {p.versions.index(p.before) + 1 if p.before in p.versions else None for p in self.parameters}
        return found.pop() if len(found) == 1 else None

    def next_pass(self, tape: Tape) -> int | None:
        """The number of the first Node after the step that the line makes with which its forward pass began."""
        first = min((n for n in self.active if n.function is not None), key=lambda n: n.number)
        after = tape.nodes[max(p.after.number for p in self.parameters) :]
        return next((n.number for n in after if n.instruction == first.instruction), None)

    @property
    def is_authors(self) -> bool:
        """Whether lines of the author's make the step, and not we, who have no learning rate."""
        return all(p.after.place is not None for p in self.parameters)

    def way_to(self, parameter: Parameter) -> set[Node]:
        """What follows from the labels on the way to a parameter's step."""
        return ancestors(nodes_in(parameter.steps), parameter.root.number) & self.labelled

    @property
    def forward(self) -> list[Node]:
        """The Nodes of the forward pass, in order: what the predictions are made of and parameters reach."""
        begin = {n for p in self.parameters for n in p.as_read if n is not p.before or n is p.root}
        inside = made_of([example.prediction for example in self.examples], until=lambda n: n in begin)
        return sorted((n for n in inside if n in self.active), key=lambda n: n.number)

    @property
    def backward(self) -> list[Node]:
        """The Nodes between the labels and the steps, in order."""
        steps = [n for p in self.parameters for n in nodes_in(p.steps)]
        return sorted((n for n in made_of(steps) if n in self.labelled), key=lambda n: n.number)


class NoStep(ValueError):
    """There is no step in the record; says what was looked for and not found."""


class NoLoss(NoStep):
    """Arrays are stepped, by nothing that can be told to come from labels or a loss."""


def find_steps(tape: Tape) -> Iterator[list[Step]]:
    """The ways to read the record as a step, likeliest first, of each network that has one, that with most parameters
    first. Raises NoStep if there is none.

    The first step of a network is judged, or its second one if only that has the loss beside it. Labels in arrays come
    first, then a scalar that may be the loss, whatever its labels are, then labels in arrays without a loss, and
    positions in plain numbers.
    """
    found = networks(chains_in(tape))
    steps: list[Step] = []
    for steps in _steps_of(found, tape):
        yield steps
    if steps:
        return
    stale = _stale_step(tape)
    if stale is not None:  # unless the prediction is made of something that does train
        trained = {chain.versions[0] for network in found for chain in network if len(chain.steps) > 1}
        if trained.isdisjoint(made_of(example.prediction for example in stale.examples)):
            yield [stale]
            return
    if not all(_is_no_training(chain) for network in found for chain in network):
        raise NoLoss("arrays are stepped, and neither the labels nor the loss that they are stepped by were found")
    raise NoStep("nothing was found that it trains")


def _is_no_training(chain: Chain) -> bool:
    """Whether what is added up is a gradient by its name, or an array is shifted by what is made of it alone, as scores
    are by the largest one."""
    start, name = chain.versions[0], target_of(chain.versions[1]) or ""
    if re.match(r"d_?[WwBb]|d[A-Z]|grad", name):
        return True
    made = ancestors(nodes_in(chain.steps[0]), start.number)
    return {n for m in made - {start} for n in m.parents} <= made


def steps_by_hand(tape: Tape) -> list[list[Step]]:
    """The same for arrays that are stepped once, beside those that are trained, and by labels: a state is not."""
    of_each = _steps_of(networks(stepped_once(tape)), tape)
    return [found for steps in of_each if (found := [step for step in steps if step.examples])]


def parts_of(tape: Tape, step: Step) -> list[list[Step]]:
    """The readings of each part of a network by itself, where some of its arrays are stepped with others that are not
    stepped with them: an actor with what its critic says, a probe with what its encoder makes. What a part is stepped
    with is a constant there. A number that is made with an array that it is not stepped with is no loss of its."""
    stepped = {n for p in step.parameters for n in p.new}
    made = [made_of(nodes_in(p.steps), until=stepped.__contains__) for p in step.parameters]
    needs = np.array([[not inside.isdisjoint(p.as_read) for p in step.parameters] for inside in made])
    reached = needs | np.eye(len(made), dtype=bool)
    while (further := reached @ reached).sum() > reached.sum():
        reached = further
    parts = sorted(np.unique(reached & reached.T, axis=0), key=np.sum, reverse=True)  # all that need each other
    return [_part_of(tape, step, part, np.logical_or.reduce(needs[part])) for part in parts if len(parts) > 1]


def _part_of(tape: Tape, step: Step, own: np.ndarray, needed: np.ndarray) -> list[Step]:
    parameters = tuple(itertools.compress(step.parameters, own))
    constant = frozenset(n for p in itertools.compress(step.parameters, ~own) for n in (p.before, *p.versions[1:]))
    unknown = {n for p in itertools.compress(step.parameters, ~own & ~needed) for n in p.as_read}
    first = min(p.root.number for p in parameters)
    into_steps = made_of((n for p in parameters for n in (p.after, *nodes_in(p.steps))), first)
    since = min(n.number for n in step.active - held_in(step.parameters))  # as it was when the step was found
    window = _window(parameters, tape, step.last, constant, since)
    return _readings_of([_viewed(parameters, window, into_steps, tape, step.last, constant, unknown)])


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


def _steps_of(found: list[list[Chain]], tape: Tape) -> Iterator[list[Step]]:
    for network in found:
        steps_made = min(len(chain.versions) for chain in network) - 1
        # A step that changes an array's shape is judged, and what comes after it is another network.
        kept = all(chain.versions[1].shape == chain.versions[0].shape for chain in network)
        others = frozenset(v for other in found if other is not network for c in other for v in c.versions[1:])
        judged = range(min(2 if kept else 1, steps_made))
        views = [_view(tape, network, k, others) for k in judged if at_once(network, k)]
        views = [_with_further(tape, view) for view in views]
        # A bias that began as a number is one from the second step on: what is read without it is not all of the step,
        # but the loss may be computed in the first one only.
        counts = sorted({len(view.parameters) for view in views}, reverse=True)
        of_each = [_readings_of([view for view in views if len(view.parameters) == count]) for count in counts]
        if steps := next(filter(None, of_each), []):
            without = [step for found in of_each if found is not steps for step in found if step.losses]
            yield steps if any(step.losses for step in steps) else steps + without


def _readings_of(views: list[View]) -> list[Step]:
    found = [step for view in views for step in [view.by_data] if step is not None]
    steps = [step for step in found if step.losses]
    steps += [step for view in views for step in [_by_loss(view)] if step is not None]
    steps += [step for step in found if not step.losses]
    steps += [step for view in views for step in [_by_labels_of_loss(view)] if step is not None]
    return steps + [s for view in views for s in [_by_labels(view, _met_positions(view))] if s is not None]


# --- one step ---------------------------------------------------------------------------------------------------------

MEASURED = 20_000  # operations between two steps, of which a number is looked at: it takes as long as a step of them
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
        found = [n for n in numbers if n.instruction not in lines and _may_be_loss(n, self)]
        if not found:
            last = {n.instruction: n for n in numbers if n.instruction in lines and _may_be_loss(n, self)}
            found = [n for instruction, n in last.items() if lines[instruction] <= ancestors([n])]
        most = max((self.masks[n].bit_count() for n in found), default=0)
        found = [n for n in found if self.masks[n].bit_count() == most]
        return tuple(reversed(_last_of(found, self)[-4:]))

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


def _view(tape: Tape, network: list[Chain], k: int, others: frozenset[Node]) -> View:
    parameters = tuple(Parameter(c.start(k), c.versions[k + 1], c.steps[k], c.versions) for c in network)
    first = min(p.root.number for p in parameters)
    last = max(p.after.number for p in parameters)
    following = [c.versions[k + 2].number for c in network if len(c.versions) > k + 2]
    end = max(min(following) if following else len(tape.nodes), last + 1)
    into_steps = made_of((n for p in parameters for n in (p.after, *nodes_in(p.steps))), first)
    return _viewed(parameters, _window(parameters, tape, end, others, tape.since), into_steps, tape, end, others)


def _viewed(
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
    return View(parameters, window, masks, smooth, into_steps, touched, end, Values(), others, stepped)


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


def _window(parameters: tuple[Parameter, ...], tape: Tape, end: int, others: frozenset[Node], since: int) -> list[Node]:
    """What may depend on the parameters of a step: of a training that was ended in the midst of one, what that has made
    of them, a momentum, does not count."""
    own = held_in(parameters)
    first = min(n.number for n in own)
    return [n for n in tape.nodes[first:end] if (n.number >= since or n in own) and n not in others]


def _with_further(tape: Tape, view: View) -> View:
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
    window = _window(parameters, tape, view.last, view.others, tape.since)
    return _viewed(parameters, window, into_steps, tape, view.last, view.others)


def _stale_step(tape: Tape) -> Step | None:
    """A step that adds zeros to arrays which a prediction is made of: the network never trains."""
    values = Values()
    first: dict[Node, tuple[Node, Node, Node]] = {}  # by the second version: the first one, itself, what was added
    again: set[Node] = set()
    for node in tape.nodes:
        for base, step in node.updates if 1 <= node.steps <= 2 else ():
            if not isinstance(step, Node) or not is_zero(step, values) or not is_of_zeros(step, values):
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
    view = _viewed(parameters, window, set(window), tape, last)
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
    losses = _losses(view, labelled, examples)
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
    held = held_in(view.parameters)
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


def _may_be_loss(node: Node, view: View) -> bool:
    """Whether a Node is a scalar, or has one for each example, that makes no step. What is counted, as an accuracy is,
    has no derivative; and what is shown of a number is not where it is computed."""
    shown = node.function in (operator.getitem, np.reshape, np.round, np.around) and node.parents[0].size == node.size
    alone = node in view.smooth and node not in view.into_steps and not shown
    return node.size == max(node.shape, default=1) and alone and node not in view.errors


def _masks(parameters: tuple[Parameter, ...], window: list[Node], unknown: Set[Node]) -> dict[Node, int]:
    """Which parameters each Node depends on, as bits."""
    bits = {node: 2 << k for k, p in enumerate(parameters) for node in p.as_read}
    new = {root_of(n) for p in parameters for n in p.new}
    # What else these lines step is new as well: a number that has not been recorded until then.
    stepping, first = {p.after.instruction for p in parameters}, min(p.after.number for p in parameters)
    new |= {n for n in window if n.number > first and n.instruction in stepping and n.instruction is not None}
    return masked(bits | dict.fromkeys(new | unknown, AFTER), window)


def _met_positions(view: View) -> list[Meeting]:
    """Where entries of the network's values are picked by plain numbers, as `p[label] -= 1` does."""
    found = [m for m in view.readings if m.labels is None]
    picked: dict[Node, set] = {}
    for meeting in found:
        index = meeting.node.inputs[1]
        picked.setdefault(meeting.network, set()).add(repr(index[0] if isinstance(index, tuple) else index))
    # A loop over all rows of an array picks them by position too.
    return _first_met(
        [m for m in found if len(picked[m.network]) < m.network.shape[0] or m.network.shape[0] == 1],
        view,
        view.into_steps,
    )


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


def following(
    window: list[Node], start: set[Node], of: Callable[[Node], tuple[Node, ...]] = operator.attrgetter("sources")
) -> set[Node]:
    """These, and what of a window, in order, is made of them."""
    found = set(start)
    for node in window:
        if node not in found and not found.isdisjoint(of(node)):
            found.add(node)
    return found


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
    held = held_in(view.parameters)  # two predictions have these in common, and parts of them
    for node in whole:
        held |= {node} if node.function in MOVING and node.inputs[0] in held else set()
    last = {seen_by[n]: n for n in whole if n not in held}  # in order: the last Node that just these meetings look at
    alone = functools.reduce(operator.or_, last, 0)
    last |= {bits: n for n in whole if n in held and (bits := seen_by[n] & ~alone)}
    groups: list[int] = []
    sets_of: list[list[int]] = [[] for _ in meetings]
    for bits in last:
        for k in places_of_ones(bits):
            sets_of[k].append(bits)
    for k, sets in enumerate(sets_of):
        own = next((j for j, group in enumerate(groups) if any(group & bits == group for bits in sets)), None)
        if own is None:
            groups.append(1 << k)
        else:
            groups[own] |= 1 << k
    members = [[m for k, m in enumerate(meetings) if group >> k & 1] for group in groups]
    for of_group in members:  # what is multiplied by its own input is so on the way back, most often
        if len({m.labels for m in of_group}) > 1:
            of_group.sort(key=lambda m: m.node.function is np.multiply and _is_input(m, view))
    return tuple(
        Example(max((n for bits, n in last.items() if group & bits == group), key=lambda n: n.number), tuple(of_group))
        for group, of_group in zip(groups, members, strict=True)
        if any(m.node in within for m in of_group)
    )


def _is_input(meeting: Meeting, view: View) -> bool:
    """Whether what is met is what the network has made its value of."""
    return meeting.labels in made_of([meeting.network], until=view.weights.__contains__)


FEW = 50  # numbers, the last of a step, that are looked at for labels


def _losses(view: View, labelled: set[Node], examples: tuple[Example, ...]) -> tuple[Node, ...]:
    """What depends on all that the prediction does and on the labels, and from which no step follows: scalars, or where
    there are none, one for each example."""
    masks = view.masks
    most = max(masks[e.prediction].bit_count() for e in examples)
    first = min(e.prediction.number for e in examples)
    back = following(view.window, _sent_back(view, labelled, examples))
    found = [n for n in view.window if _may_be_loss(n, view) and n in view.active and masks[n].bit_count() >= most]
    # Nor is it what the next step keeps of this one, 0.9 v of a single bias.
    back |= {n for n in found if not view.into_steps.isdisjoint(m for m in multiples(n) if m is not n)}
    found = [n for n in found if n not in back]
    found = [n for n in found if n.number > first] or found  # not of the examples before
    numbers = [n for n in found if n.size == 1]
    # Labels may enter a loss in another way than the error, and the mean may be taken when all is over.
    met = {m.labels for e in examples for m in e.meetings if m.labels is not None}
    found = (
        [n for n in numbers if n in labelled]
        or [n for n in numbers[-FEW:] if not met.isdisjoint(made_of([n]))]
        or [n for n in found if n in labelled and any(n.size in e.prediction.shape for e in examples)]
        or [n for n in numbers[-FEW:] if made_of([n]).issuperset(e.prediction for e in examples)]  # labels may be plain
    )
    # A loss is made of the prediction, or of the error, and not of what the backward pass makes of it.
    depth: dict[Node, int] = {}
    for node in view.window:
        inside = node in labelled and node in view.into_steps
        depth[node] = max((depth.get(source, 0) for source in node.sources), default=0) + inside
    likeliest = sorted(_last_of(found, view), key=lambda n: (depth[n], -n.number))[:12]
    covered = {}
    for node in likeliest:
        if depth[node] <= depth[likeliest[0]] + 1:
            inside = made_of([node], first)
            covered[node] = sum(e.prediction in inside for e in examples)

    def likely(node: Node) -> tuple:
        return -covered[node], depth[node], _is_made_larger(node, covered.keys()), -node.number

    return tuple(sorted(covered, key=likely))[:4]


def _sent_back(view: View, labelled: set[Node], examples: tuple[Example, ...]) -> set[Node]:
    """The products for the steps in which what labels have entered meets more of the forward pass than the prediction:
    no loss is made of them."""
    others = view.active - labelled - following(view.window, {e.prediction for e in examples})
    products = (n for n in labelled & view.into_steps if n.function in MULTIPLYING)
    return {n for n in products if not labelled.isdisjoint(n.parents) and not others.isdisjoint(n.parents)}


def _is_made_larger(node: Node, scalars: Set[Node]) -> bool:
    """Whether it is another scalar, times a number above 1: a mean that is made the sum of all examples once more."""
    if node.function is not np.multiply or scalars.isdisjoint(node.parents):
        return False
    return any(np.any(np.abs(number) > 1) for number in node.inputs if not isinstance(number, Node))


def _is_summed_again(mean: Node, later: Node, view: View) -> bool:
    """Whether a scalar is another one times the number of examples."""
    if not _is_made_larger(later, {mean}):
        return False
    counts = {float(size) for meeting in view.readings for size in meeting.network.shape[:1] if size > 1}
    return not counts.isdisjoint(float(i) for i in later.inputs if np.ndim(i) == 0 and not isinstance(i, Node))


def _is_averaged(node: Node, later: Node, view: View) -> bool:
    """Whether a scalar is made of another one and of those of earlier steps: or will be, by the line that made it, once
    it is run again after the step. So is how much smaller it is than a number, which may be what it was: but for 1 − a
    similarity."""
    if later.function is np.subtract and later.inputs[1] is node and later.inputs[0] is not node:
        was = later.inputs[0]
        was = was.value if isinstance(was, Node) and was.function is None and not was.shape else was
        if not isinstance(was, Node) and np.ndim(was) == 0 and was not in (0, 1):
            return True
    before = [p.before for p in view.parameters]
    others = [n for n in later.parents if n is not node and n in view.touched]
    again = node.places[:1] == later.places[:1] and any(
        node.number < p.after.number < later.number for p in view.parameters
    )
    return again or any(not depends(n, *before) for n in others)


def _is_of_one_result(node: Node, later: Node, view: View) -> bool:
    """Whether two scalars are made in one line, or by the same call of a function: of one that steps nothing, and
    returns a number, or under the same name, which the later one has from then on."""
    here, there = node.places, later.places
    if here[:1] == there[:1]:
        return True
    stepping = {place.function for p in view.parameters for place in p.after.places}
    same = bool(here and there) and here[1:] == there[1:] and here[0][::2] == there[0][::2]
    return same and (here[0].function not in stepping or target_of(node) == target_of(later) is not None)


def _last_of(scalars: list[Node], view: View) -> list[Node]:
    """Of scalars that are made of each other, the last, and those that it is made of alone in other lines: a loss of
    which another line takes the mean.

    A loss without its penalty is part of another scalar, and not alone: it is not what the program descends. Nor is Σ…
    where the same line, or the same call of a function, divides it by m; nor what a mean becomes that is multiplied by
    m, to be divided by all examples in the end.
    """
    known = set(scalars)
    inner = {parent for node in scalars for parent in node.parents}
    kept: set[Node] = set()
    for node in scalars:
        current, later = node if node not in inner else None, None
        chain: list[Node] = []
        while current is not None:
            if later is not None and _is_averaged(current, later, view):
                shares = [scaled_by_numbers(n) for n in later.parents]
                current = (None not in shares and scaled_by_numbers(current)) or current
                chain = [current]
            elif later is not None and _is_summed_again(current, later, view):
                chain = [*(n for n in chain if n is later), current]
            elif later is None or not _is_of_one_result(current, later, view):
                chain.append(current)
            later = current
            active = sorted((n for n in {*current.parents} if n in view.masks), key=lambda n: n.number)
            first = active[0] if active and active[0] in known else None  # or a sum of it over steps, beside it
            current = first if first and all(made_alone_of([n], {first}) for n in active) else None
        kept.update(chain)
    return [node for node in scalars if node in kept]
