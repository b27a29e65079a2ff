"""A Node for each array operation of a run, and what it is made of.

It knows how it was made, not what it holds: values are computed anew from the leaves when they are asked for, so that a
loop that writes into an array entry by entry does not fill the memory with its versions. Numbers rise, so whether one
Node depends on another is decided by looking no further back than the other's number.
"""

from __future__ import annotations

import bisect
import heapq
import math
import operator
import types
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jaxnet.compare.author.edits import file_and_cell

PRODUCTS = {np.dot, np.matmul, np.inner, np.outer, np.vdot, np.einsum, np.tensordot}  # of arrays, with sums
MULTIPLYING = PRODUCTS | {np.multiply}
MOVING = {np.transpose, np.reshape, np.ravel, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims, operator.getitem,
           np.atleast_2d, np.flip, np.fliplr, np.flipud}  # fmt: skip
VIEWS = {np.transpose, np.reshape, np.ravel, np.squeeze, np.expand_dims, np.atleast_2d, np.broadcast_to, np.swapaxes}
Instruction: TypeAlias = tuple[types.CodeType, int]  # of the author's code, and at which byte of it


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
    def is_of_entries(self) -> bool:
        """Whether it was done with each entry by itself."""
        return isinstance(self.function, np.ufunc) and self.function.signature is None

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
        if node in seen or node.number < down_to:
            continue
        seen.add(node)
        if until is None or not until(node):
            stack += of(node)
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


def original(node: Node, stepped: Collection[Node] = ()) -> Node:
    """What the Node is another view of, with all of its entries: `y[0][0]` of a single number, too; what is `stepped`,
    though it may be a view itself."""
    while (
        node.parents
        and node not in stepped
        and (node.function in VIEWS or (node.function is operator.getitem and node.size == node.parents[0].size == 1))
    ):
        node = node.parents[0]
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
            if written is not None and array.filling.kind == kind_of(part):
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
        whole = part is not None and filling is not None and filling.kind == kind_of(part)
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
    if not all(bound is None or _is_whole(bound) for bound in (index.start, index.stop, index.step)):
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
        if self.kind == kind_of(part):
            found = [self.writes.get(part, [])]
        else:
            found = [nodes for other, nodes in self.writes.items() if _overlap(part, other)]
        own_number = operator.attrgetter("number")
        until = [nodes[k - 1] for nodes in found if (k := bisect.bisect_right(nodes, number, key=own_number))]
        return max(until, key=own_number, default=None)


def fill(node: Node) -> None:
    """Notes into which part of an array a Node writes."""
    array, index = node.inputs[:2]
    part = part_of(index)
    if part is None:
        return
    array = _as_written(array)
    filling = array.filling
    if filling is None or filling.last is not array or filling.kind != kind_of(part):
        filling = Filling(array, kind_of(part))
    filling.places.setdefault(part, len(filling.places))
    filling.writes.setdefault(part, []).append(node)
    filling.count += 1
    filling.last, node.filling, node.filled = node, filling, len(filling.writes)


def kind_of(part: Part) -> tuple[bool, ...]:
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
    return tuple(parts) if all(i is None or (_is_whole(i) and i >= 0) for i in parts) else None


def _is_whole(number: Any) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def following(
    window: list[Node], start: set[Node], of: Callable[[Node], tuple[Node, ...]] = operator.attrgetter("sources")
) -> set[Node]:
    """These, and what of a window, in order, is made of them."""
    found = set(start)
    for node in window:
        if node not in found and not found.isdisjoint(of(node)):
            found.add(node)
    return found
