"""Runs a record again, in NumPy: `Values` computes any Node from the leaves, in float64, with other numbers in some."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jaxnet.compare.author.node import Node, ancestors, replaced, setitem
from jaxnet.compare.author.updates import known_zero, sample_of

if TYPE_CHECKING:
    from jaxnet.compare.author.derivative import Operation

F = TypeVar("F", bound=Callable)
LARGE = 1_000_000  # entries of all versions of an array that is written to piece by piece: not all of them are kept


class Values:
    """The values of Nodes in float64, where some Nodes have been given other ones. Computed when first asked for.

    What follows from none of the given Nodes has the values of `others`, where there are some: a data set is held once.
    `own` are the Nodes that do follow.
    """

    def __init__(
        self, given: dict[Node, Any] | None = None, others: Values | None = None, own: Collection[Node] = ()
    ) -> None:
        self.given = dict(given or {})
        self.known = dict(self.given)
        self.others, self.own = others, own
        # By the Nodes that they are differentiated by, which are most often the same.
        self.operations: dict[frozenset[Node], dict[Node, Operation]] = {}
        self.found: dict[Hashable, Any] = {}  # see `once`

    def __call__(self, node: Node) -> Any:
        if node in self.known:
            return self.known[node]
        if self.others is not None and node not in self.own:
            return self.others(node)
        self._compute(node)
        return self.known[node]

    def before(self, node: Node) -> Values:
        """Those of the Nodes that came before this one: all after it can be computed anew."""
        known = {n: value for n, value in self.known.items() if n.number < node.number}
        return Values(known, self.others, self.own) if node in self.own else Values(known)

    def _is_at_hand(self, node: Node) -> bool:
        return node in self.known or (self.others is not None and node not in self.own)

    def _compute(self, node: Node) -> None:
        needed = {n for n in ancestors([node], until=self._is_at_hand) if not self._is_at_hand(n)}
        order = sorted(needed, key=lambda n: n.number)
        last = {parent: n for n in order for parent in n.parents}  # that needs it
        with np.errstate(all="ignore"):
            for n in order:
                array = n.parents[0] if n.function is setitem and n.parents else None
                if array in needed and is_written_to(array) and last[array] is n and array.dtype == n.dtype:
                    value = self.known.pop(array)
                    value[replaced(n.inputs[1], self)] = replaced(n.inputs[2], self)
                else:
                    value = evaluated(n, self)
                    if isinstance(value, np.ndarray) and value.base is not None and any(map(is_written_to, n.parents)):
                        value = value.copy()
                self.known[n] = value
                for parent in n.parents:  # of a large data set that is prepared step by step the last version is kept
                    if parent in needed and last[parent] is n and LARGE < parent.size < 2 * n.size:
                        self.known.pop(parent, None)


def once(find: F) -> F:
    """A function of draws, its last argument, that finds the same thing once: it is asked again and again in one
    verdict. What it finds is kept as long as the first draw."""

    @functools.wraps(find)
    def found(*args: Any) -> Any:
        *others, (first, *further) = args
        key = find, *others, *further
        if key not in first.found:
            first.found[key] = find(*args)
        return first.found[key]

    return found  # type: ignore[return-value]


def is_written_to(node: Node) -> bool:
    """Whether it is a large array that is written to piece by piece: of these only the last version is kept."""
    count = node.filling.count if node.filling is not None else 0
    return node.function is setitem and node.size * max(count, 20) > LARGE


def evaluated(node: Node, value_of: Callable[[Node], Any]) -> Any:
    if node.function is None:
        return _as_float64(node.value)
    return _as_float64(node.function(*replaced(node.inputs, value_of), **replaced(keywords_of(node), value_of)))


def keywords_of(node: Node) -> dict[str, Any]:
    """Those that say what is computed, not in which precision, or how it lies in memory."""
    dropped = {"casting"}
    if node.function not in (np.reshape, np.ravel):
        dropped.add("order")
    if node.dtype is None or node.dtype.kind == "f":
        dropped.add("dtype")
    return {name: value for name, value in node.keywords.items() if name not in dropped}


def _as_float64(value: Any) -> Any:
    """Floating numbers of whatever precision as float64."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind == "f" and value.dtype != np.float64 else value
    if isinstance(value, np.floating):
        return np.float64(value)
    return value


def is_zero(node: Node, recorded: Values) -> bool:
    """`known_zero`, computed where it is not known."""
    if known_zero(node) is None:
        node.zero = not any(node.sample or ()) and not np.asarray(recorded(node)).any()
    return bool(node.zero)


def is_of_zeros(node: Node, recorded: Values) -> bool:
    """Whether it is made of zeros and numbers alone: what a dead relu lets through is made of more."""
    stack = [node]
    while stack:
        made = stack[-1]
        unknown = [source for source in made.sources if source.of_zeros is None]
        if made.function is None:
            made.of_zeros = not made.shape or is_zero(made, recorded)
        elif not unknown or any(source.of_zeros is False for source in made.sources):
            made.of_zeros = all(source.of_zeros for source in made.sources)
        if made.of_zeros is None:
            stack += unknown
        else:
            stack.pop()
    return bool(node.of_zeros)


ROUNDING = 1e-10  # a sum that is 0 but for rounding is another one each time
ROUNDING_OF_SINGLE = 1e-6  # so much of what is added up


def same_as_recorded(nodes: Iterable[Node], values: Values, again: Sequence[Node] = ()) -> Node | None:
    """The first Node whose first or last number was another one when the program ran, or when it ran `again`; None if
    there is none. What follows from a number that was nothing but rounding in single precision may be another one."""
    rounded: set[Node] = set()
    for node in sorted(nodes, key=lambda n: n.number):
        if not rounded.isdisjoint(node.sources):
            rounded.add(node)
            continue
        ran = again[node.number] if again else node
        held = ran.sample
        if held is None or node.dtype is None or node.dtype.kind != "f":
            continue
        value = np.asarray(values(node))
        if value.shape != tuple(ran.shape):
            return node
        now, then = np.array(sample_of(value)), np.array(held)
        with np.errstate(all="ignore"):
            off = np.abs(now - then) > 1e-3 * (np.abs(then) + np.abs(value).max(initial=0)) + ROUNDING
        if (off & np.isfinite(now) & np.isfinite(then)).any():
            if not np.abs(now - then).max() <= _rounding(node, values):
                return node
            rounded.add(node)
    return None


def _rounding(node: Node, values: Values) -> float:
    """What may be left where terms in single precision cancel each other."""
    terms = [p for p in node.parents if p.size]
    if not terms or np.float32 not in (node.dtype, *(term.dtype for term in terms)):
        return 0.0
    largest = [float(np.abs(values(term)).max()) for term in terms]
    if node.function in (np.dot, np.matmul):
        return ROUNDING_OF_SINGLE * math.prod(largest) * terms[0].shape[-1]
    return ROUNDING_OF_SINGLE * max(largest) * max(term.size for term in terms) / max(node.size, 1)
