"""The record of a run: a Node for each array operation, in the order in which they were made.

A Node knows how it was made, not what it holds: values are computed anew from the leaves when they are asked for, so
that a loop that writes into an array entry by entry does not fill the memory with its versions. Numbers rise, so
whether one Node depends on another is decided by looking no further back than the other's number.
"""

from __future__ import annotations

import bisect
import dis
import functools
import heapq
import math
import operator
import os
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np

from jaxnet.compare.author.edits import file_and_cell

PRODUCTS = {np.dot, np.matmul, np.inner, np.outer, np.vdot, np.einsum, np.tensordot}  # of arrays, with sums
MULTIPLYING = PRODUCTS | {np.multiply}
MOVING = {np.transpose, np.reshape, np.ravel, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims, operator.getitem,
           np.atleast_2d, np.flip, np.fliplr, np.flipud}  # fmt: skip

Instruction: TypeAlias = tuple[types.CodeType, int]  # of the author's code, and at which byte of it


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


class Place(NamedTuple):
    """A line of the author's: file as it was compiled (`net.py`, `net.ipynb#cell-3`), line, function, and its class."""

    file: str
    line: int
    function: str
    owner: str = ""

    def __str__(self) -> str:
        file, cell = file_and_cell(self.file)
        return f"line {self.line} of {file if cell is None else f'cell {cell}'}"


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """One operation: `function(*inputs, **keywords)`, with Nodes in the place of recorded arrays.

    A leaf has no function; its value is kept. `steps` counts how many updates p ± g lie behind this version of an
    array; `sample` is the first and the last number that it held, by which a change behind our back is noticed.
    """

    number: int
    function: Callable[..., Any] | None
    inputs: tuple[Any, ...]
    keywords: dict[str, Any]
    parents: tuple[Node, ...]
    shape: tuple[int, ...]
    dtype: Any
    value: Any = None
    origin: str = ""
    places: tuple[Place, ...] = ()
    instruction: Instruction | None = None  # of the innermost line, which it was made by
    steps: int = 0
    updates: tuple[tuple[Node, Any], ...] = ()  # (p, g) for each reading of it as a step p ± g
    sample: tuple[float, float] | None = None
    zero: bool | None = None  # whether all numbers that it held were 0, if somebody has looked
    of_zeros: bool | None = None  # whether it is made of zeros and numbers alone, if somebody has looked
    used: bool = False  # whether another Node was made of it
    filling: Filling | None = None  # where it is a write of a part of an array …
    filled: int = 0  # … and how many parts have been written by then
    _sources: tuple[Node, ...] | None = None

    @property
    def sources(self) -> tuple[Node, ...]:
        """The Nodes that its numbers are made of: of an array that is filled entry by entry the entries alone."""
        if self._sources is None:
            self._sources = _sources(self)
        return self._sources

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype is not None and self.dtype.kind == "f"

    @property
    def is_complex(self) -> bool:
        return self.dtype is not None and self.dtype.kind == "c"

    @property
    def place(self) -> Place | None:
        """The innermost line of the author's that made it."""
        return self.places[0] if self.places else None

    @property
    def site(self) -> tuple:
        """The author's instruction that made it, and the lines that it was called from."""
        return self.places, self.instruction

    def __repr__(self) -> str:
        made = self.name or self.origin or "leaf"
        of = ", ".join(f"#{parent.number}" for parent in self.parents)
        return f"#{self.number} {made}({of}) {self.shape} {self.place.line if self.place else ''}"


class Planted(NamedTuple):
    """Other numbers that Nodes get when a program is run once more, by these Nodes' own numbers; how many Nodes it
    makes then; and which of its loops end on the way, as they did before."""

    numbers: dict[int, np.ndarray]
    end: int
    ended: dict[int, Another]

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
        self.planted = planted
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
        self._tables: dict[int, np.ndarray] = {}  # the memory of tables of which something was shown

    def leaf(self, value: Any, origin: str = "") -> Node:
        """A Node for an array that was not computed from recorded ones."""
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

        return _once(self._constants, _memory(array), array, made)

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
        return _once(self._adopted, _memory(array), array, adopt)

    def is_adopted(self, array: np.ndarray) -> bool:
        """Whether something stands for an array that is not ours."""
        return _memory(array) in self._adopted

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
            _fill(node)
        if function is np.subtract or function is np.add or function is setitem or function is add_at:
            self._count_steps(node)
        return node

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
        node.updates = tuple(_updates(node))
        node.steps = max((base.steps + 1 for base, step in node.updates if isinstance(step, Node)), default=0)
        if node.steps >= 3 and self.on_step is not None:
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


def _memory(array: np.ndarray) -> tuple:
    """The memory that an array shows: another one each time, as a table of pandas gives, may show the same."""
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str


def setitem(array, index, value):
    """The array with `value` written at `index`."""
    array = np.array(array, dtype=np.result_type(array, np.float64) if np.asarray(value).dtype.kind == "f" else None)
    array[index] = value
    return array


def add_at(array, index, value):
    """The array with `value` added at `index`, as often as an entry stands there (`np.add.at`)."""
    array = np.array(array)
    np.add.at(array, index, value)
    return array


def _updates(node: Node) -> Iterator[tuple[Node, Any]]:
    """(p, g) for each reading of a Node as a step p ± g of an array p, or of a part of it that is written back."""
    if not node.is_float or makes_average(node.inputs[2] if node.function is setitem else node):
        return
    if node.function is setitem:
        array, index, value = node.inputs
        stepped: Iterable[tuple[Node, Any]] = ()
        if isinstance(value, Node) and value.function in (np.add, np.subtract):
            pairs = zip(value.inputs[:2], reversed(value.inputs[:2]), strict=True)
            stepped = ((p, step) for first, step in pairs if isinstance(first, Node) for p in most_of(first))
        elif isinstance(value, Node) and value.function is setitem:
            stepped = value.updates  # `W[0][1] += g` writes into a row
        stepped = ((part, step) for part, step in stepped if not _is_averaged(part, step, value))
        yield from ((array, step) for part, step in stepped if _stands_at(index, array, part))
    elif node.function is add_at:
        yield node.inputs[0], node.inputs[2]
    elif node.function in (np.add, np.subtract):
        first, second = node.inputs[:2]
        if isinstance(first, Node) and (
            first.shape == node.shape
            or (node.function is np.subtract and first.size < node.size)
            or (_begins(first) and node.shape == (1, *first.shape))  # a vector becomes a row
        ):
            yield from ((p, second) for p in most_of(first) if not _is_averaged(p, second, node))
            in_one = first.place == node.place and first.instruction != node.instruction
            if in_one and first.function in (np.add, np.subtract) and _is_scaled(second):
                inner, term = first.inputs[:2]
                is_array = isinstance(inner, Node) and inner.shape == node.shape
                if is_array and (not isinstance(term, Node) or (_is_scaled(term) and not depends(term, inner))):
                    yield inner, second  # p − μ v + (1 + μ) v′, of Nesterov's momentum
        both = isinstance(first, Node) and isinstance(second, Node)  # 0 + g is no step of g
        turned = node.function is np.add and both and second.shape == node.shape
        if turned and not _is_averaged(second, first, node):
            yield second, first  # g + λp is a gradient with a penalty


def _is_scaled(term: Any) -> bool:
    return isinstance(term, Node) and scaled_by_numbers(term) is not None


def _is_averaged(array: Node, step: Any, made: Node) -> bool:
    """Whether p + a (x − p) makes the moving average of x, or p − a (p − x) that of what was made since p was, in one
    line of the author's: what is trained moves by what is made of a loss."""
    while isinstance(step, Node) and (scaled := scaled_by_numbers(step)) is not None:
        step = scaled
    if not isinstance(step, Node) or step.function is not np.subtract or made.place is None:
        return False
    first, second = step.inputs[:2]
    is_new = isinstance(second, Node) and second.number > array.number
    moves = second is array if made.function is np.add else first is array and is_new
    return moves and step.place == made.place


def makes_average(value: Any) -> bool:
    """Whether it is a p + (1 − a) x, with plain numbers: a moving average, or a state that leaks."""
    if not isinstance(value, Node) or value.function is not np.add:
        return False
    shares = [_share(term) for term in value.inputs[:2]]
    return all(0 < share < 1 for share in shares) and abs(sum(shares) - 1) < 1e-9


def _share(term: Any) -> float:
    """The plain number that something is times, or a part of a product; 0 where there is none."""
    if not isinstance(term, Node) or term.function not in MULTIPLYING:
        return 0.0
    numbers = (float(i) if type(i) in (int, float) else _share(i) for i in term.inputs[:2])
    return next((number for number in numbers if number), 0.0)


def _stands_at(index: Any, array: Node, part: Node) -> bool:
    """Whether it is what the array holds there: it was taken from it, or has just been written."""
    if part.function is operator.getitem and repr(part.inputs[1]) == repr(index):
        return _still_there(index, part.inputs[0], array)
    return array.function is setitem and array.inputs[2] is part and repr(array.inputs[1]) == repr(index)


def _still_there(index: Any, base: Any, array: Node) -> bool:
    """Whether an array has there what another version of it had, of whose other parts some have been written since."""
    part, filling = part_of(index), array.filling
    if base is array or not isinstance(base, Node) or base.number > array.number or base.shape != array.shape:
        return base is array
    if part is not None and filling is not None and filling.kind == _kind(part):
        write = filling.latest(part, array.number)
        return (base is filling.before or base.filling is filling) and (write is None or write.number <= base.number)
    places = np.arange(array.size).reshape(array.shape)
    while array is not base and array.function is setitem and not any(nodes_in((array.inputs[1], index))):
        if np.intersect1d(places[array.inputs[1]], places[index]).size:
            return False
        array = array.inputs[0]
    return array is base


def _begins(node: Node) -> bool:
    """Whether it is a vector of floating numbers that was made of no other array."""
    return node.function is None and len(node.shape) == 1 and node.dtype.kind == "f"


def most_of(node: Node) -> Iterator[Node]:
    """What a Node is a multiple of, half of it at least and all of it at most: λp is a penalty's gradient, and no array
    that is stepped. And what it was before a part of it was made so."""
    if node.function is setitem and isinstance(node.inputs[2], Node):
        before = node.inputs[0]
        yield from (node, before) if made_alone_of([node.inputs[2]], {before}) else (node,)
        return
    for whole in multiples(node):
        pairs = zip(map(abs, _ends(node)), map(abs, _ends(whole)), strict=False)
        if all(number <= 2 * rest and rest <= number * (1 + 1e-6) for rest, number in pairs):
            yield whole


def _ends(node: Node) -> tuple[float, ...]:
    """The first and the last number that a Node held when the program ran."""
    return (node.sample if node.value is None else sample_of(node.value)) or ()


def look_at(node: Node, array: np.ndarray) -> None:
    """Notes what is to be remembered of the numbers that a Node holds."""
    node.sample = sample_of(array)
    node.zero = all_zero(array, node.sample)


def known_zero(node: Node) -> bool | None:
    """Whether all numbers that a Node held were 0 when the program ran; None if that would have to be computed."""
    if node.zero is None and node.value is not None:
        node.zero = not np.any(node.value)
    return node.zero


def all_zero(array: np.ndarray, sample: tuple[float, float] | None) -> bool:
    """Whether all numbers are 0; most arrays tell by their `sample`."""
    return not any(sample or ()) and not array.any()


def sample_of(array: np.ndarray) -> tuple[float, float] | None:
    """The first and the last number of an array."""
    if not array.size or array.dtype.kind == "c":
        return None
    return float(array[(0,) * array.ndim]), float(array[(-1,) * array.ndim])


def multiples(node: Node) -> Iterator[Node]:
    """The Node, and what it is a multiple of by plain numbers: weight decay scales a parameter, or takes λp from it."""
    while True:
        yield node
        if (scaled := scaled_by_numbers(node)) is not None:
            node = scaled
        elif node.function in (np.add, np.subtract) and len(node.parents) == 2:
            first, second = node.parents
            if first.shape != node.shape or not _is_multiple_of(second, first):
                return
            node = first
        else:
            return


def versions_until(version: Node) -> Iterator[Node]:
    """A version of an array, and what that was before it was stepped, turned or scaled, back to what it began as."""
    yield version
    while (
        before := version.updates[0][0] if version.updates else root_of(list(multiples(version))[-1])
    ) is not version:
        version = before
        yield version


def scaled_by_numbers(node: Node) -> Node | None:
    """The array that a Node is times or over a number, be that plain or recorded, as a decaying learning rate is."""
    if node.function not in (np.multiply, np.true_divide):
        return None
    arrays = [i for i in node.inputs if np.shape(i) != ()] or node.parents
    array = arrays[0] if len(arrays) == 1 else None
    under = node.function is np.true_divide and array is not node.inputs[0]
    return array if isinstance(array, Node) and array.shape == node.shape and not under else None


def is_by_0(node: Node) -> bool:
    """Whether it is a product with 0, as a penalty in a first experiment is."""
    return node.function is np.multiply and any(type(i) in (int, float) and not i for i in node.inputs)


def _is_multiple_of(node: Node, other: Node) -> bool:
    for made in multiples(node):
        if made.number <= other.number:  # what it is a multiple of was made before it
            return made is other
    return False


def nodes_in(inputs: Any) -> Iterator[Node]:
    """The Nodes in nested arguments."""
    if isinstance(inputs, Node):
        yield inputs
    elif isinstance(inputs, (tuple, list)):
        for part in inputs:
            yield from nodes_in(part)
    elif isinstance(inputs, dict):
        for part in inputs.values():
            yield from nodes_in(part)
    elif isinstance(inputs, slice):
        yield from nodes_in((inputs.start, inputs.stop, inputs.step))


def replaced(inputs: Any, of: Callable[[Any], Any], kind: type | tuple[type, ...] = Node) -> Any:
    """Nested arguments with something in the place of each Node, or of whatever else is of that kind."""
    return of(inputs) if isinstance(inputs, kind) else mapped(inputs, lambda part: replaced(part, of, kind))


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A list, tuple, dict or slice with its parts changed; anything else as it is."""
    if type(value) in (tuple, list):
        return type(value)([change(part) for part in value])
    if isinstance(value, dict):
        return {key: change(part) for key, part in value.items()}
    if isinstance(value, slice):
        return slice(change(value.start), change(value.stop), change(value.step))
    return value


def place_of(frame: types.FrameType) -> Place:
    code = frame.f_code
    return Place(code.co_filename, frame.f_lineno, code.co_name, code.co_qualname.rpartition(".")[0])


def places(most: int = 8) -> tuple[tuple[Place, ...], Instruction | None]:
    """The author's lines that are being run, innermost first, and the instruction of the innermost."""
    found, instruction = [], None
    frame = sys._getframe(1)
    while frame is not None and len(found) < most:
        code = frame.f_code
        if is_authors(code.co_filename):
            found.append(place_of(frame))
            instruction = instruction or _instruction(code, frame.f_lasti)
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


_instructions: dict[tuple[int, int], Instruction] = {}


def _instruction(code: types.CodeType, offset: int) -> Instruction:
    """What is being run. Python 3.11 makes a call at PRECALL once it has made it often enough, and at CALL before."""
    key = id(code), offset  # the code is kept: its number is nobody else's then
    if key not in _instructions:
        at_precall = code.co_code[offset] == dis.opmap.get("PRECALL")
        _instructions[key] = code, offset + 4 * at_precall
    return _instructions[key]


@functools.cache
def is_authors(file: str) -> bool:
    """The author's files are compiled with relative names."""
    return not os.path.isabs(file) and file[:1] != "<"


def ancestors(
    nodes,
    down_to: int = 0,
    until: Callable[[Node], bool] | None = None,
    of: Callable[[Node], tuple[Node, ...]] = operator.attrgetter("parents"),
) -> set[Node]:
    """The Nodes and all that they were made from, with numbers of at least `down_to`; not beyond those that end it."""
    seen: set[Node] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node.number >= down_to and node not in seen:
            seen.add(node)
            if until is None or not until(node):
                stack.extend(of(node))
    return seen


def root_of(node: Node) -> Node:
    """The array whose entries it has, perhaps turned."""
    while node.function in (np.transpose, np.reshape, np.ravel) and node.parents[0].size == node.size:
        node = node.parents[0]
    return node


def whole_of(node: Node) -> Node:
    """The array that a Node shows all or a part of."""
    while node.function in MOVING and isinstance(node.inputs[0], Node):
        node = node.inputs[0]
    return node


def made_of(nodes, down_to: int = 0, until: Callable[[Node], bool] | None = None) -> set[Node]:
    """As `ancestors`, without those of whose numbers none is left: what an array held before all of it was written."""
    return ancestors(nodes, down_to, until, operator.attrgetter("sources"))


def made_alone_of(nodes: Iterable[Node], own: set[Node]) -> bool:
    """Whether Nodes are made of some arrays and of numbers alone; numbers that were drawn may be weights."""
    least = min(node.number for node in own)
    seen, stack = set(), list(nodes)
    while stack:
        node = stack.pop()
        if node in seen or node in own or (node.size == 1 and not node.parents and node.origin != "random"):
            seen.add(node)
        elif node.number < least or not node.parents:
            return False
        else:
            seen.add(node)
            stack += node.sources
    return bool(seen & own)


def depends(node: Node, *on: Node) -> bool:
    """Whether it is one of these, or made of one: what was made last is looked at first."""
    least, wanted = min(n.number for n in on), set(on)
    seen, heap = {node}, [(-node.number, id(node), node)]
    while heap:
        *_, node = heapq.heappop(heap)
        if node in wanted:
            return True
        new = {n for n in node.sources if n.number >= least and n not in seen}
        seen |= new
        for source in new:
            heapq.heappush(heap, (-source.number, id(source), source))
    return False


def _sources(node: Node) -> tuple[Node, ...]:
    if node.function is operator.getitem:
        array, index = _as_written(node.inputs[0]), node.inputs[1]
        if (written := _written_in(array, index)) is not None:
            return written
        part = part_of(index)
        while part is not None and array.filling is not None:
            written = array.filling.latest(part, array.number)
            if written is not None and array.filling.kind == _kind(part):
                return tuple(nodes_in(written.inputs[2]))
            if written is not None:  # an entry of the row that is read, or the row that the entry is of
                array = written
                break
            array = _as_written(array.filling.before)
        return (array, *nodes_in(index))
    if (filling := node.filling) is not None and node.filled <= MOST_PARTS:
        lengths = [length for length, whole in zip(node.shape, filling.kind, strict=False) if not whole]
        if node.filled == math.prod(lengths):
            known, value = filling.parts_before(node), node.inputs[2]
            if known is not None and isinstance(value, Node):
                at = filling.places[part_of(node.inputs[1])]  # type: ignore
                return (*known[:at], value, *known[at + 1 :])
            writes = (filling.latest(part, node.number) for part in filling.writes)
            return tuple(n for write in writes if write for n in nodes_in(write.inputs[2]))
    return node.parents


def _as_written(array: Node) -> Node:
    """Of a row that is read what was written there as a whole, of which an entry may have been written alone."""
    while array.function is operator.getitem:
        base = array.inputs[0]
        part, filling = part_of(array.inputs[1]), base.filling
        whole = part is not None and filling is not None and filling.kind == _kind(part)
        written = filling.latest(part, base.number) if whole else None  # type: ignore
        row = written.inputs[2] if written is not None else None
        if not isinstance(row, Node) or row.shape != array.shape:
            break
        array = row
    return array


def _written_in(array: Node, index: Any) -> tuple[Node, ...] | None:
    """What the entries or rows of a slice were made of, where each of them has been written."""
    filling = array.filling
    if not isinstance(index, slice) or filling is None or filling.kind != (False,) or array.shape[0] > MOST_PARTS:
        return None
    if any(type(bound) is not int and bound is not None for bound in (index.start, index.stop, index.step)):
        return None
    found: dict[Node, None] = {}
    for k in range(*index.indices(array.shape[0])):
        if (write := filling.latest((k,), array.number)) is None:
            return None
        found |= dict.fromkeys(nodes_in(write.inputs[2]))
    return tuple(found)


MOST_PARTS = 1000  # of an array that are told apart
Part = tuple[int | None, ...]  # the position along each axis, None for all of it


class Filling:
    """Entries, rows or columns that are written into an array one after another: they have nothing in common."""

    __slots__ = ("before", "count", "kind", "last", "places", "writes")

    def __init__(self, before: Node, kind: tuple[bool, ...]):
        self.before, self.kind = before, kind
        self.last = before
        self.count = 0  # of all writes
        self.writes: dict[Part, list[Node]] = {}
        self.places: dict[Part, int] = {}  # of the parts, in the order in which they were written first

    def parts_before(self, write: Node) -> tuple[Node, ...] | None:
        """What all parts were made of before one was written again, in their order: where that is known, and each of
        them is one array or number."""
        before = _as_written(write.inputs[0])
        known = before._sources if before.filling is self and before.filled == write.filled else None
        return known if known is not None and len(known) == write.filled else None

    def latest(self, part: Part, number: int) -> Node | None:
        """The last write into a part, or into what has entries in common with it, up to this number."""
        if self.kind == _kind(part):
            found = [self.writes.get(part, [])]
        else:
            found = [nodes for other, nodes in self.writes.items() if _overlap(part, other)]
        own_number = operator.attrgetter("number")
        until = [nodes[k - 1] for nodes in found if (k := bisect.bisect_right(nodes, number, key=own_number))]
        return max(until, key=own_number, default=None)


def _fill(node: Node) -> None:
    """Notes into which part of an array a Node writes."""
    array, index = node.inputs[:2]
    part = part_of(index)
    if part is None:
        return
    array = _as_written(array)
    filling = array.filling
    if filling is None or filling.last is not array or filling.kind != _kind(part):
        filling = Filling(array, _kind(part))
    filling.places.setdefault(part, len(filling.places))
    filling.writes.setdefault(part, []).append(node)
    filling.count += 1
    filling.last, node.filling, node.filled = node, filling, len(filling.writes)


def _kind(part: Part) -> tuple[bool, ...]:
    return tuple(position is None for position in part)


def _overlap(part: Part, other: Part) -> bool:
    return not any(i != j and None not in (i, j) for i, j in zip(part, other, strict=False))


def part_of(index: Any) -> Part | None:
    """Where an index is that of an entry, a row or a column: which one; that of all of the array is ()."""
    if index is Ellipsis:
        return ()
    whole: tuple[Any, ...] = index if isinstance(index, tuple) else (index,)
    parts: list[Any] = [None if isinstance(i, slice) and i == slice(None) else i for i in whole]  # or a table, say
    while parts and parts[-1] is None:
        parts.pop()
    return tuple(parts) if all(i is None or (type(i) is int and i >= 0) for i in parts) else None
