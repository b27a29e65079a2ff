"""A training step: parameters, and where labels enter, predictions and numbers that may be the loss."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.chains import as_read, before_writes, what_was_written
from jaxnet.compare.author.node import Instruction, Node, ancestors, made_alone_of, made_of, nodes_in, root_of
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.tape import Tape

NOTHING = "nothing was found that it trains"


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
        """What the forward pass may read of it: see `chains.as_read`."""
        known = self.before in self.versions
        return as_read(self.versions, self.versions.index(self.before)) if known else {self.root, self.before}

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
