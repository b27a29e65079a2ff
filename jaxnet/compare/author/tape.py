"""The record of a run: its Nodes in the order in which they were made, what it was run with, and when it is to end."""

from __future__ import annotations

import dis
import functools
import os
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from jaxnet.compare.author.node import MULTIPLYING, Instruction, Node, Place, add_at, fill, nodes_in, setitem
from jaxnet.compare.author.updates import updates_of


class Enough(BaseException):
    """Ends the author's program: what was to be seen has been seen. No `except Exception` of theirs catches it."""


class TooLong(Enough):
    """Ends the author's program: too many operations, or too much time, without a step."""


class Another(BaseException):
    """Ends a loop of the author's that trains what was not asked for, or what has been seen; a statement, where there
    is none. What stands after it is run.

    `note` says why. Without one the run goes on only to see what else there is, and nothing that fails from then on is
    worth a note.
    """

    def __init__(self, made: int, first: int, stepped: int, note: str = "") -> None:
        super().__init__(note)
        self.note = note
        self._made, self._first, self._stepped = made, first, stepped

    def which_of(self, loops: list[int]) -> int | None:
        """Which of the loops that are being run ends, by the numbers of the operations with which they began: the
        innermost one that has trained the network all the while since it was `made`, from the `first` time that it was
        seen; or else since it was `stepped` this time; or that one, if it was a number until the loop made it."""
        ways = ((self._made, self._first), (self._made, self._stepped), (-1, self._stepped))
        found = ([k for k, began in enumerate(loops) if made < began <= number] for made, number in ways)
        return next((max(of_way) for of_way in found if of_way), None)


class Planted(NamedTuple):
    """Other numbers that Nodes get when a program is run once more, by these Nodes' own numbers; how many Nodes it
    makes then; which of its loops end on the way, as they did before; and how many Nodes there were before the record
    began anew, to which none of these numbers belong."""

    numbers: dict[int, np.ndarray]
    end: int
    ended: dict[int, Another]
    after: int = 0

    def into(self, node: Node, result: Any) -> Any:
        """What a Node holds: into arrays it is written, where they are."""
        if node.number not in self.numbers:
            return result
        planted = self.numbers[node.number]
        if not isinstance(result, np.ndarray):
            return type(result)(planted)
        if result.shape == planted.shape and result.flags.writeable:
            np.copyto(np.ndarray.view(result, np.ndarray), planted, casting="unsafe")
        return result


PREPARED = 40_000  # operations without a product of arrays: so many prepare data
EACH = 1024  # operations, after which it is looked whether there are too many
OFTEN = 100  # times that a line of theirs was run
DEPTH = 8  # lines that are being run, of which a Node keeps the places
NOTHING_PLANTED = Planted({}, -1, {})


class Tape:
    """All Nodes of a run, what left the record, and when to stop."""

    def __init__(
        self,
        most: int = 400_000,
        deadline: float = float("inf"),
        planted: Planted = NOTHING_PLANTED,
        states: Collection[Instruction] = (),
    ):
        self.planted = planted if planted.after == 0 else NOTHING_PLANTED
        self._planted_later = planted
        self.states = states  # instructions that step what is no parameter
        self.nodes: list[Node] = []
        self.decisions: list[tuple[Node, Any]] = []  # a number that Python branched on or counted with, as it was
        self.most, self.deadline = most, deadline
        self.on_step: Callable[[Node], None] | None = None  # called when an array has been stepped for the third time
        self.on_full: Callable[[], bool] = lambda: False  # called when there are too many: whether to begin anew
        self.following: dict[tuple[Node, Node], bool] = {}  # whether a step follows from its array …
        self.read = 0  # … for the updates in so many Nodes
        self.rounds: dict[Node, tuple[Node, Node]] = {}  # by a version of an array: the one before, and the step to it
        self.pieces: set[tuple[Node, Node]] = set()  # steps in pieces, and the versions that they are added to
        self.since = 0  # steps are looked for from here on
        self.ended: dict[int, Another] = {}  # loops, with which Nodes
        self.is_cut = False  # the program went on, and was stopped
        self.lost: Place | None = None  # where numbers were put into something that is not recorded
        self.views: dict[tuple, Node] = {}  # the same view of the same version is one Node
        self.names: dict[Node, list[str]] = {}  # of arrays that nobody but us could name: a lone layer's input, say
        self.options: dict[str, bool | int | float | str] = {}  # numbers and words that we called something with
        self.put_together = False  # whether what we called is a network of layers that we have chosen
        self.gradients: dict[Node, str] = {}  # what a function that we called has returned as one, by its name …
        self.numbers: set[Node] = set()  # … or as the loss, of data and labels …
        self.losses: set[Node] = set()  # … or of a prediction
        self.begun = 0  # how often it has begun anew because it was full
        self.forgotten = 0  # Nodes that there were before it began anew
        self.multiplies = False  # whether arrays have been multiplied with each other, as weights are with inputs
        self.preparing: set[Place] = set()  # lines that prepare data over and over, not recorded until then
        self._full = False
        self._stepped: list[Node] = []
        self._constants: dict[tuple, tuple[Any, Node]] = {}
        self._adopted: dict[tuple, tuple[Any, Any]] = {}
        self._totals: dict[tuple[Node, ...], Node] = {}
        self._tables: dict[int, np.ndarray] = {}  # the memory of tables of which something was shown

    def leaf(self, value: Any, origin: str = "") -> Node:
        """A Node for an array that was not computed from recorded ones; for the numbers of a matrix of SciPy's."""
        value = np.asarray(value) if isinstance(value, np.matrix) else value
        node = Node(len(self.nodes), None, (), {}, (), value.shape, value.dtype, value, origin)
        self._append(node)
        node.value = self.planted.into(node, value)
        return node

    def constant(self, array: np.ndarray, origin: str = "foreign") -> Node:
        """The leaf of an array that is not ours; the same one each time."""

        def made() -> Node:
            node = self.leaf(np.array(array), origin)
            self.planted.into(node, array)
            return node

        return _once(self._constants, memory_of(array), array, made)

    def of_table(self, array: np.ndarray) -> Node:
        """The leaf of what a table shows: data, if it is memory of which some was shown before, as all batches of a
        table are, and whatever is turned of it; else nobody knows what it was made of."""
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        is_known = id(owner) in self._tables
        self._tables[id(owner)] = owner
        return self.constant(array, "data" if is_known else "foreign")

    def adopted(self, array: np.ndarray, adopt: Callable[[], Any]) -> Any:
        """What stands for an array that is not ours; the same one each time."""
        return _once(self._adopted, memory_of(array), array, adopt)

    def is_adopted(self, array: np.ndarray) -> bool:
        """Whether something stands for an array that is not ours."""
        return memory_of(array) in self._adopted

    def listed(self, numbers: Sequence, array: np.ndarray, adopt: Callable[[], Any]) -> Any:
        """What stands for a list of numbers; the same one each time, until others are in it."""
        return _once(self._adopted, (id(numbers), array.shape, array.tobytes()), numbers, adopt)

    def add(self, function, inputs: tuple, keywords: dict, result: Any) -> Node:
        """A Node for the operation whose result this is."""
        shape, dtype = getattr(result, "shape", ()), getattr(result, "dtype", None)
        parents = tuple(nodes_in((inputs, keywords)))
        node = Node(len(self.nodes), function, inputs, keywords, parents, shape, dtype)
        for parent in parents:
            parent.used = True
        self._append(node)
        if isinstance(result, np.ndarray):
            self.planted.into(node, result)
        if not self.multiplies and function in MULTIPLYING and _is_of_arrays(parents):
            self.multiplies = True
            self.preparing.clear()
        if function is setitem:
            fill(node)
        if function is np.subtract or function is np.add or function is setitem or function is add_at:
            self._count_steps(node)
        return node

    def total(self, terms: tuple[Node, ...]) -> Node:
        """The sum of numbers that the program does not add up itself: the same Node each time."""
        if terms not in self._totals:
            node = Node(len(self.nodes), sum, (terms,), {}, terms, (), np.dtype(float), places=terms[-1].places)
            self.nodes.append(node)
            self._totals[terms] = node
        return self._totals[terms]

    def _append(self, node: Node) -> None:
        if node.number == self.planted.end:
            self._cut()
        self.nodes.append(node)
        node.places, node.instruction = places()
        if len(self.nodes) % EACH == 0:
            if (self._full and len(self.nodes) > self.most) or time.monotonic() > self.deadline:
                self._cut()
            self._full = len(self.nodes) > (self.most if self.multiplies else PREPARED)

    def _count_steps(self, node: Node) -> None:
        if node.instruction in self.states:
            return
        node.updates = tuple(updates_of(node))
        node.steps = max((base.steps + 1 for base, step in node.updates if isinstance(step, Node)), default=0)
        if node.steps >= 3 and self.multiplies:  # nothing is trained before
            self._stepped.append(node)

    def look(self) -> None:
        """Says what has been stepped: once the operation is done, and what it wrote is on the record, since a run that
        ends here may go on with the next statement."""
        while self._stepped and self.on_step is not None:
            self.on_step(self._stepped.pop(0))
        if self._full and not self.on_full():
            if len(self.nodes) > self.most:
                self._cut()
            self.multiplies = True  # for all that is known
            self._full = False

    def passes_over(self) -> bool:
        """Whether the line that is being run only prepares data, as it did before the record began anew."""
        return bool(self.preparing) and innermost() in self.preparing

    def _cut(self) -> NoReturn:
        self.is_cut = True
        raise TooLong

    def begin_anew(self) -> None:
        """Forgets all Nodes: what was made until now is data."""
        if self.multiplies:
            self.begun += 1
        else:
            often = Counter(node.place for node in self.nodes)
            self.preparing |= {place for place, count in often.items() if place is not None and count >= OFTEN}
        for node in self.nodes:
            node.number = -1  # before all that come
        self.forgotten += len(self.nodes)
        self.planted = self._planted_later if self.forgotten == self._planted_later.after else NOTHING_PLANTED
        for known in (self.nodes, self.decisions, self.views, self.names, self.following, self.rounds,
                      self.pieces, self.gradients, self.numbers, self.losses, self._stepped,
                      self._constants):  # fmt: skip
            known.clear()
        self.read = self.since = 0
        self._full = False


def _is_of_arrays(parents: tuple[Node, ...]) -> bool:
    """Whether two of them are arrays, or numbers that were made of something."""
    return len({parent for parent in parents if parent.shape or parent.parents}) > 1


def _once(known: dict[tuple, tuple[Any, Any]], key: tuple, kept: Any, make: Callable[[], Any]) -> Any:
    """What is made for a key the first time. What has that key is kept: nobody else can have it then."""
    if key not in known:
        known[key] = kept, make()
    return known[key][1]


def memory_of(array: np.ndarray) -> tuple:
    """The memory that an array shows: another one each time, as a table of pandas gives, may show the same."""
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str


def place_of(frame: types.FrameType) -> Place:
    code = frame.f_code
    return Place(code.co_filename, frame.f_lineno, code.co_name, code.co_qualname.rpartition(".")[0])


def places() -> tuple[tuple[Place, ...], Instruction | None]:
    """The author's lines that are being run, innermost first, and the instruction of the innermost."""
    found, instruction = [], None
    frame = sys._getframe(1)
    while frame is not None and len(found) < DEPTH:
        if is_authors(frame.f_code.co_filename):
            place, made = _line(frame)
            found.append(place)
            instruction = instruction or made
        frame = frame.f_back
    return tuple(found), instruction


def innermost() -> Place | None:
    """The innermost of the author's lines that are being run."""
    frame = sys._getframe(1)
    while frame is not None:
        if is_authors(frame.f_code.co_filename):
            return place_of(frame)
        frame = frame.f_back
    return None


_lines: dict[tuple[int, int], tuple[Place, Instruction]] = {}


def _line(frame: types.FrameType) -> tuple[Place, Instruction]:
    """What is being run. Python 3.11 makes a call at PRECALL once it has made it often enough, and at CALL before."""
    code, offset = frame.f_code, frame.f_lasti
    key = id(code), offset  # the code is kept: its number is nobody else's then
    if key not in _lines:
        at_precall = code.co_code[offset] == dis.opmap.get("PRECALL")
        _lines[key] = place_of(frame), (code, offset + 4 * at_precall)
    return _lines[key]


@functools.cache
def is_authors(file: str) -> bool:
    """The author's files are compiled with relative names."""
    return not os.path.isabs(file) and file[:1] != "<"
