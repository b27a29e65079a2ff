"""Backwards through a record, to the true gradient.

`PullBack` is reverse-mode differentiation: each Node's own operation is differentiated by itself, and the cotangents
are added up where a Node is used twice, which is what `jax.grad` does with the whole. It yields ∂loss/∂Node for every
Node on the way, not for the parameters alone.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from jaxnet.compare.author.chains import before_writes
from jaxnet.compare.author.derivative import INDEXED, Operation, Slot, of_written, pull, without_masks, zeros_for
from jaxnet.compare.author.node import Node, ancestors, replaced, setitem
from jaxnet.compare.author.replay import Values, is_written_to, keywords_of

Uses = frozenset[tuple[Node, Node]]  # (a Node, by which other one)
NO_USES: Uses = frozenset()
Parts = dict[tuple[int, int], Any]  # by the numbers of a Node and of its use


class PullBack:
    """∂(Σ output · cotangent)/∂Node for all active Nodes that the outputs depend on; ∂/∂Re + i ∂/∂Im of complex ones,
    against which they descend, as authors write it: the conjugate of what JAX has.

    `active` are the Nodes that depend on parameters; all others are constants. What the `parameters` were made of does
    not count: one may have been stepped by what another one is by then. Called with the values of one draw and the
    outputs' cotangents. Raises ValueError where an operation has no counterpart in JAX.
    """

    def __init__(self, outputs: Iterable[Node], active: Collection[Node], parameters: Collection[Node] = ()):
        self.outputs, self.active = list(outputs), frozenset(active)
        reached = ancestors(self.outputs, until=lambda n: n in parameters)
        reached = (n for n in reached if n in self.active and n not in parameters and n.function is not None)
        # Positions and masks have no derivative.
        moving = (n for n in reached if n.dtype is None or n.dtype.kind not in "biu")
        self.order = sorted(moving, key=lambda n: -n.number)
        self._of_draw: dict[Values, tuple] = {}

    def __call__(self, values: Values, cotangents: Iterable[Any], stopped: Uses = NO_USES) -> dict[Node, np.ndarray]:
        """∂/∂Node for each Node; in the uses that are `stopped`, (Node, by which other one), a Node is a constant."""
        totals = self._swept(values, cotangents, stopped=stopped)
        return {self._node[number]: array.conj() for number, array in totals.items()}

    def parts(
        self, values: Values, cotangents: Iterable[Any], stopped: Uses = NO_USES
    ) -> dict[tuple[Node, Node | None], np.ndarray]:
        """The same, with None for the use, and what each use of a Node by another one contributes to it."""
        parts: dict[tuple[int, int], np.ndarray] = {}
        totals = self._swept(values, cotangents, parts, stopped)
        found: dict[tuple[Node, Node | None], np.ndarray] = {}
        found |= {(self._node[number], None): array.conj() for number, array in totals.items()}
        found |= {(self._node[target], self._node[use]): array.conj() for (target, use), array in parts.items()}
        return found

    @cached_property
    def _node(self) -> dict[int, Node]:
        """The Nodes by number."""
        return {n.number: n for n in (*self.active, *self.outputs)}

    def _swept(
        self, values: Values, cotangents: Iterable[Any], parts: Parts | None = None, stopped: Uses = NO_USES
    ) -> dict[int, np.ndarray]:
        import jax

        seeds: dict[int, np.ndarray] = {}
        for output, cotangent in zip(self.outputs, cotangents, strict=True):
            seed = np.broadcast_to(np.asarray(cotangent, np.float64), np.shape(values(output)))
            seeds[output.number] = seeds.get(output.number, 0.0) + seed
        steps, arrays = self._prepared(values)
        with jax.enable_x64(True), _room():
            return _sweep(steps, arrays, {number: seed for number, seed in seeds.items() if seed.any()}, parts, stopped)

    def _prepared(self, values: Values) -> tuple[list[Operation], dict[int, np.ndarray]]:
        """The operations of one draw, the last one first, and the arrays by number."""
        if values not in self._of_draw:
            known = values.operations.setdefault(self.active, {})
            known |= {node: self._described(node, values) for node in self.order if node not in known}
            steps = [known[node] for node in self.order if known[node].moving]
            needed = {n for step in steps for n in _needed(step.node)}
            moving = {self._node[number] for step in steps for number in step.moving}
            others = moving.union(*(step.node.parents for step in steps)) - needed
            arrays = {n.number: np.asarray(values(n)) for n in needed}
            arrays |= {n.number: np.broadcast_to(np.float64(0), n.shape) for n in others}
            self._of_draw[values] = steps, arrays
        return self._of_draw[values]

    def _described(self, node: Node, values: Values) -> Operation:
        moving: list[int] = []

        def argument(n: Node) -> Any:
            value = 0.0 if is_written_to(n) else values(n)
            if isinstance(value, (tuple, list)):
                raise ValueError(f"np.{n.name} gives several arrays, through which no derivative is taken")
            value = np.asarray(value)
            if value.ndim == 0 and value.dtype.kind not in "fc":  # an axis or an index must be known
                return value.item()
            if value.dtype.kind in "fc" and n in self.active and n.number not in moving:
                moving.append(n.number)
            return Slot(n.number)

        inputs = without_masks(node, values) if node.function in INDEXED else node.inputs
        if node.function is operator.getitem:
            inputs = self._read_from(node), *inputs[1:]
        return Operation(node, replaced((inputs, keywords_of(node)), argument), moving)

    def _read_from(self, node: Node) -> Node:
        """The array of which a part is read: other parts of a parameter may have been stepped by then."""
        array = node.inputs[0]
        if array in self.active or node.sources[0] not in self.active:
            return array
        return next((n for n in before_writes(array) if n in self.active), array)


def _needed(node: Node) -> tuple[Node, ...]:
    """The arrays on whose numbers the derivative of an operation may depend: not those that it only takes a part of."""
    indexed = node.function in INDEXED
    return tuple(n for n in node.parents if not (indexed and n is node.inputs[0] and is_written_to(n)))


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Raises MemoryError where the memory does not suffice."""
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError from error


SMALL = 10_000  # entries of an array whose cotangents are kept for each of its uses, and for each version


def _sweep(
    steps: list[Operation], arrays: dict[int, Any], seeds: dict[int, Any], parts: Parts | None, stopped: Uses
) -> dict[int, Any]:
    """The chain rule: from the last Node to the first, each passes its cotangent on to what it was made of.

    Returns the cotangent of each Node by its number; what each use of it adds goes into `parts`. Where a part of a
    large array is read or written, the cotangent of the array is added to, or cut, in its place.
    """
    cotangents = dict(seeds)
    ends = {(n.number, use.number) for n, use in stopped}
    overwritten = {step.template[0][0] for step in steps if step.node.function is setitem}

    def add(number: int, use: int, part: Any) -> None:
        if parts is not None:
            parts[number, use] = parts[number, use] + part if (number, use) in parts else part  # w @ w
        if (number, use) not in ends:
            cotangents[number] = cotangents[number] + part if number in cotangents else part

    for step in steps:
        number = step.node.number
        if number not in cotangents:
            continue
        array = step.part_of
        if array not in step.moving or arrays[array].size <= SMALL or (array, number) in ends:
            for origin, part in zip(step.moving, pull(step, arrays, cotangents[number]), strict=True):
                add(origin, number, part)
        elif step.node.function is operator.getitem:
            cotangent = cotangents[number]
            total = _writable(cotangents[array]) if array in cotangents else zeros_for(arrays[array], cotangent)
            total[step.index] += cotangent
            cotangents[array] = total
        else:
            index, written = step.index, step.template[0][2]
            last = number not in overwritten
            rest = np.array(cotangents[number]) if last else _writable(cotangents.pop(number))
            if isinstance(written, Slot) and written in step.moving:
                add(written, number, of_written(arrays[written], rest[index]))
            rest[index] = 0
            cotangents[array] = cotangents[array] + rest if array in cotangents else rest
    return cotangents


def _writable(array: np.ndarray) -> np.ndarray:
    """An array that may be written to: what others have as well is read-only."""
    return array if array.flags.writeable else np.array(array)
