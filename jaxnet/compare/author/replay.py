"""Runs a record again: in NumPy with other numbers at its leaves, and backwards through JAX for the true gradient.

`Values` computes any Node from the leaves, in float64. `PullBack` is reverse-mode differentiation of the record: each
Node's own operation is differentiated by `jax.vjp`, and the cotangents are added up where a Node is used twice, which
is what `jax.grad` does with the whole. It yields ∂loss/∂Node for every Node on the way, not for the parameters alone.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jaxnet.compare.author import recorder, tape
from jaxnet.compare.author.node import Instruction, Node, ancestors, replaced, setitem
from jaxnet.compare.author.updates import known_zero, sample_of

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
                if array in needed and _is_written_to(array) and last[array] is n and array.dtype == n.dtype:
                    value = self.known.pop(array)
                    value[replaced(n.inputs[1], self)] = replaced(n.inputs[2], self)
                else:
                    value = evaluated(n, self)
                    if isinstance(value, np.ndarray) and value.base is not None and any(map(_is_written_to, n.parents)):
                        value = value.copy()
                self.known[n] = value
                for parent in n.parents:  # of a large data set that is prepared step by step the last version is kept
                    if parent in needed and last[parent] is n and LARGE < parent.size < 2 * n.size:
                        self.known.pop(parent, None)


def _is_written_to(node: Node) -> bool:
    """Whether it is a large array that is written to piece by piece: of these only the last version is kept."""
    count = node.filling.count if node.filling is not None else 0
    return node.function is setitem and node.size * max(count, 20) > LARGE


def evaluated(node: Node, value_of: Callable[[Node], Any]) -> Any:
    if node.function is None:
        return _as_float64(node.value)
    return _as_float64(node.function(*replaced(node.inputs, value_of), **replaced(_keywords(node), value_of)))


def _keywords(node: Node) -> dict[str, Any]:
    """Those that say what is computed, not in which precision, or how it lies in memory."""
    dropped = ("dtype", "casting") if node.function in (np.reshape, np.ravel) else ("dtype", "casting", "order")
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
        held = again[node.number].sample if again else node.sample
        if held is None or node.dtype is None or node.dtype.kind != "f":
            continue
        value = np.asarray(values(node))
        if value.shape != tuple(node.shape):
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


# --- backwards --------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Operation:
    """A Node, its arguments with slots for arrays, and the numbers of those that it is differentiated by."""

    node: Node
    template: Any
    moving: list[int]

    @cached_property
    def part_of(self) -> int | None:
        """The array of which a part is read or written that numbers and slices tell: no entry of it twice."""
        if self.node.function is not operator.getitem and self.node.function is not setitem:
            return None
        array, index = self.template[0][:2]
        index = index if isinstance(index, tuple) else (index,)
        plain = all(i is None or i is Ellipsis or isinstance(i, (int, np.integer, slice)) for i in index)
        return array if plain and not any(isinstance(i, (_Slot, bool)) for i in index) else None

    @property
    def is_of_entries(self) -> bool:
        """Whether it is done with each entry by itself."""
        return isinstance(self.node.function, np.ufunc) and self.node.function.signature is None

    @cached_property
    def general(self) -> tuple[Any, list[int], list[float]]:
        """The template with its slots counted from 0 on, the numbers of the arrays that belong there, and what comes
        after these: constants of arithmetic, so that operations with other ones are the same."""
        renumbered: dict[int, int] = {}

        def slot(number: _Slot) -> _Slot:
            return _Slot(renumbered.setdefault(int(number), len(renumbered)))

        args, keywords = replaced(self.template, slot, _Slot)
        constants: list[float] = []
        if self.node.function in ARITHMETIC:
            constants = [float(i) for i in args if _is_constant(i)]
            further = itertools.count(len(renumbered))
            args = tuple(_Slot(next(further)) if _is_constant(i) else i for i in args)
        return (args, keywords), list(renumbered), constants

    @cached_property
    def kind(self) -> tuple:
        """What all operations of the same function and constants share."""
        template, numbers, _ = self.general
        return self.node.function, repr(template), tuple(map(numbers.index, self.moving))


def _is_constant(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, _Slot)


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

    def __call__(self, values: Values, cotangents: Iterable[Any]) -> dict[Node, np.ndarray]:
        """∂/∂Node for each Node."""
        return {self._node[number]: array.conj() for number, array in self._swept(values, cotangents).items()}

    def parts(
        self, values: Values, cotangents: Iterable[Any], stopped: Uses = NO_USES
    ) -> dict[tuple[Node, Node | None], np.ndarray]:
        """The same, with None for the use, and what each use of a Node by another one contributes to it.

        In the uses that are `stopped`, (Node, by which other one), a Node is a constant to all that it was made of.
        """
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
            value = 0.0 if _is_written_to(n) else values(n)
            if isinstance(value, (tuple, list)):
                raise ValueError(f"np.{n.name} gives several arrays, through which no derivative is taken")
            value = np.asarray(value)
            if value.ndim == 0 and value.dtype.kind not in "fc":  # an axis or an index must be known
                return value.item()
            if value.dtype.kind in "fc" and n in self.active and n.number not in moving:
                moving.append(n.number)
            return _Slot(n.number)

        inputs = _without_masks(node, values) if node.function in INDEXED else node.inputs
        if node.function is operator.getitem:
            inputs = self._read_from(node), *inputs[1:]
        return Operation(node, replaced((inputs, _keywords(node)), argument), moving)

    def _read_from(self, node: Node) -> Node:
        """The array of which a part is read: other parts of a parameter may have been stepped by then."""
        array, source = node.inputs[0], node.sources[0]
        is_before = array not in self.active and source in self.active and source.shape == array.shape
        return source if is_before else array


def _needed(node: Node) -> tuple[Node, ...]:
    """The arrays on whose numbers the derivative of an operation may depend: not those that it only takes a part of."""
    indexed = node.function in INDEXED
    return tuple(n for n in node.parents if not (indexed and n is node.inputs[0] and _is_written_to(n)))


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Raises ValueError where the memory does not suffice."""
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise ValueError("the arrays of this step are too large to be judged: smaller batches would do") from None


QUICKLY = {"xla_backend_optimization_level": 0}  # what is compiled runs a few times on small arrays
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
            parts[number, use] = part
        if (number, use) not in ends:
            cotangents[number] = cotangents[number] + part if number in cotangents else part

    for step in steps:
        number = step.node.number
        if number not in cotangents:
            continue
        array = step.part_of
        if array not in step.moving or arrays[array].size <= SMALL or (array, number) in ends:
            for origin, part in zip(step.moving, _pull(step, arrays, cotangents[number]), strict=True):
                add(origin, number, part)
        elif step.node.function is operator.getitem:
            total = _writable(cotangents[array]) if array in cotangents else np.zeros(arrays[array].shape)
            total[step.template[0][1]] += cotangents[number]
            cotangents[array] = total
        else:
            _, index, written = step.template[0]
            last = number not in overwritten
            rest = np.array(cotangents[number]) if last else _writable(cotangents.pop(number))
            if written in step.moving:
                add(written, number, _summed(rest[index], arrays[written].shape))
            rest[index] = 0
            cotangents[array] = cotangents[array] + rest if array in cotangents else rest
    return cotangents


def _writable(array: np.ndarray) -> np.ndarray:
    """An array that may be written to: what others have as well is read-only."""
    return array if array.flags.writeable else np.array(array)


def _pull_of_part(step: Operation, arrays: dict[int, Any], cotangent: Any) -> tuple[np.ndarray, ...]:
    """`_vjp` of reading or writing a part of an array: compiled, each part would be an operation of its own."""
    array, index, *written = step.template[0]
    found = {number: np.zeros(arrays[number].shape) for number in step.moving}
    if not written:
        found[array][index] = cotangent
    elif written[0] in step.moving:
        found[written[0]] = _summed(cotangent[index], arrays[written[0]].shape)
    if written and array in step.moving:
        rest = np.array(cotangent)
        rest[index] = 0
        found[array] = found[array] + rest
    return tuple(found.values())


def _summed(cotangent: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The cotangent of an array that was broadcast: read-only."""
    cotangent = np.array(cotangent)
    kept = ((1,) * cotangent.ndim + shape)[len(shape) :]
    axes = tuple(k for k, (n, m) in enumerate(zip(cotangent.shape, kept, strict=True)) if n != m)
    total = cotangent.sum(axes, keepdims=True).reshape(shape)
    total.setflags(write=False)
    return total


def _pull(step: Operation, arrays: dict[int, Any], cotangent: Any) -> tuple:
    if step.part_of is not None:
        return _pull_of_part(step, arrays, cotangent)
    _, numbers, constants = step.general
    own = [*(arrays[number] for number in numbers), *map(np.float64, constants)]
    if step.is_of_entries:
        return _pull_of_entries(step, own, cotangent)
    small = all(0 < a.ndim < 3 and max(a.shape) <= WIDTH and a.dtype.kind != "c" for a in own)
    if len(own) == LINEAR.get(step.node.function) and small:
        return _pull_in_frames(step, own, cotangent)
    return _pulled(step, own, cotangent)


ARITHMETIC = (np.add, np.subtract, np.multiply, np.true_divide)
LENGTHS = 256, 4096  # of arrays, for which operations on entries are compiled
LINEAR = {np.dot: 2, np.matmul: 2, np.sum: 1, np.transpose: 1}  # in each of so many arrays
WIDTH = 16  # of small arrays, for all of which these are compiled once


def _pull_of_entries(step: Operation, own: list[Any], cotangent: Any) -> tuple[np.ndarray, ...]:
    """`_vjp` of an operation on each entry by itself: compiled for a few lengths, not for each shape."""
    shape = np.broadcast_shapes(np.shape(cotangent), *(array.shape for array in own))
    size = math.prod(shape)
    length = next((length for length in LENGTHS if size <= length), size)

    def laid_out(array: Any) -> np.ndarray:
        row = np.broadcast_to(array, shape).ravel()
        return row if size == length else np.concatenate([row, np.zeros(length - size, row.dtype)])

    parts = _pulled(step, [laid_out(array) for array in own], laid_out(cotangent))
    moving = (own[step.general[1].index(number)] for number in step.moving)
    return tuple(_summed(part[:size].reshape(shape), array.shape) for part, array in zip(parts, moving, strict=True))


def _pull_in_frames(step: Operation, own: list[Any], cotangent: Any) -> tuple[np.ndarray, ...]:
    """`_vjp` of an operation that is linear in each small array: compiled once, for arrays with zeros around them."""
    frames = [_framed(array, (WIDTH,) * array.ndim) for array in own]
    template, numbers, _ = step.general
    args, keywords = replaced(template, dict(enumerate(frames)).get, _Slot)
    result = step.node.function(*args, **keywords)  # type: ignore[misc]
    parts = _pulled(step, frames, _framed(cotangent, np.shape(result)))
    shapes = (own[numbers.index(number)].shape for number in step.moving)
    return tuple(part[tuple(map(slice, shape))] for part, shape in zip(parts, shapes, strict=True))


def _framed(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    framed = np.zeros(shape)
    framed[tuple(map(slice, np.shape(array)))] = array
    return framed


_compiled: dict[Any, Callable | Untraceable] = {}
differenced: set[Instruction | None] = set()  # that call what JAX has not


def _pulled(step: Operation, own: list[Any], cotangent: Any) -> tuple[np.ndarray, ...]:
    """`_vjp`, compiled once for all operations of a kind: a step repeats itself over examples and moments."""
    import jax

    key = step.kind, tuple((array.shape, array.dtype) for array in own)
    if key not in _compiled:
        general = _generalised(step)
        of_jax = jax.jit(
            lambda own, cotangent: _vjp(general, dict(enumerate(own)), cotangent), compiler_options=QUICKLY
        )
        try:
            of_jax(own, cotangent)
            _compiled[key] = of_jax
        except Untraceable as problem:
            _compiled[key] = problem
    of_jax = _compiled[key]
    if isinstance(of_jax, Untraceable):
        differenced.add(step.node.instruction)
        return _by_differences(_generalised(step), of_jax, own, cotangent)
    return tuple(np.asarray(part) for part in of_jax(own, cotangent))


def _generalised(step: Operation) -> Operation:
    """The operation on arrays that are counted from 0 on."""
    template, numbers, _ = step.general
    return Operation(step.node, template, [numbers.index(number) for number in step.moving])


MOVED = 2.0**-10  # how far a number is moved for a difference, as a share of its size
SETTLED = 1e-8  # how near to each other differences of two orders are, as a share of the largest


def _by_differences(step: Operation, problem: Untraceable, own: list[Any], cotangent: Any) -> tuple:
    """`_vjp` of what JAX has not: by central differences of the operation itself, of h, h/2 and h/4, extrapolated to 0
    (Richardson 1911, https://doi.org/10.1098/rsta.1911.0009). Raises Untraceable where they do not settle, and of
    complex numbers, which have two directions."""
    if any(np.iscomplexobj(array) for array in (*own, cotangent)):
        raise problem
    arrays, at_once = dict(enumerate(own)), step.is_of_entries
    if at_once:
        arrays = {number: np.where(cotangent == 0, np.ones_like(a), a) for number, a in arrays.items()}

    def weighted(number: int, array: np.ndarray) -> Any:
        args, keywords = replaced(step.template, {**arrays, number: array}.get, _Slot)
        result = cotangent * step.node.function(*args, **keywords)  # type: ignore[misc]
        return result if at_once else np.sum(result)

    def slope(number: int, h: np.ndarray) -> np.ndarray:
        array = arrays[number]
        return (weighted(number, array + h) - weighted(number, array - h)) / (2 * h.max() if not at_once else 2 * h)

    found = []
    for number in step.moving:
        array = arrays[number]
        h = MOVED * np.maximum(np.abs(array), np.sqrt(np.mean(array**2)) or 1.0)
        moves = [h] if at_once else [np.where(np.arange(h.size).reshape(h.shape) == k, h, 0) for k in range(h.size)]
        with np.errstate(all="ignore"):
            first, second, third = (np.array([slope(number, move / n) for move in moves]) for n in (1, 2, 4))
        second, third = (4 * second - first) / 3, (4 * third - second) / 3
        best = (16 * third - second) / 15
        if not np.abs(best - third).max() <= SETTLED * np.abs(best).max():
            raise problem
        found.append(best.reshape(array.shape))
    return tuple(found)


class Untraceable(ValueError):
    """An operation that JAX has not."""


def _vjp(step: Operation, arrays: dict[int, Any], cotangent: Any) -> tuple:
    """The cotangents of one operation's active arguments, by `jax.vjp` of the operation."""
    import jax
    import jax.numpy as jnp

    node = step.node

    def forward(*values):
        args, keywords = replaced(step.template, {**arrays, **dict(zip(step.moving, values, strict=True))}.get, _Slot)
        return function(*args, **keywords)

    try:
        function = in_jax(node.function)  # type: ignore[arg-type]
        if step.is_of_entries:
            # Where no error comes back none goes on, whatever the slope is there: that of exp may be infinite.
            arrays = {number: jnp.where(cotangent == 0, jnp.ones_like(a), a) for number, a in arrays.items()}
        if node.function is np.maximum and len(step.moving) == 1:
            # relu has the slope 0 at 0, where images are blank: as authors write it, and as `jax.nn.relu` has it.
            (floor,) = (i for i in step.template[0] if not isinstance(i, _Slot) or i not in step.moving)
            array = arrays[step.moving[0]]
            is_at_it = array == (arrays[floor] if isinstance(floor, _Slot) else floor)
            arrays |= {step.moving[0]: jnp.where(is_at_it, array - 1, array)}
        result, back = jax.vjp(forward, *(jnp.asarray(arrays[number]) for number in step.moving))
        return back(jnp.broadcast_to(cotangent, result.shape).astype(result.dtype))
    except Exception as error:  # whatever JAX has to say about an operation that it cannot trace
        where = f", {node.place}," if node.place else ""
        raise Untraceable(f"np.{node.name}{where} cannot be replayed in JAX ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


class _Slot(int):
    """The number of an array among the arguments of an operation."""

    def __repr__(self) -> str:
        return f"<{int(self)}>"


def _without_masks(node: Node, values: Values) -> tuple:
    """Arguments of an indexing operation with masks as positions, which is what JAX can trace."""
    array, index, *rest = node.inputs

    def positions(part: Any) -> Any:
        part = replaced(part, values)
        if isinstance(part, tuple):
            found = [positions(one) for one in part]
            return tuple(k for one in found for k in (one if isinstance(one, tuple) else (one,)))
        if isinstance(part, (list, range)):
            part = np.asarray(part)
        if isinstance(part, np.ndarray):
            masks = part.dtype == bool and part.ndim
            return tuple(_Fixed(k) for k in np.nonzero(part)) if masks else _Fixed(part)
        return part

    return (array, positions(index), *rest)


class _Fixed:
    """An array of positions, known when the operation is compiled."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __repr__(self) -> str:
        return f"{self.array.shape}{self.array.tobytes()!r}"


def _index(index: Any) -> Any:
    return replaced(index, operator.attrgetter("array"), _Fixed)


# --- operations in JAX ------------------------------------------------------------------------------------------------


def in_jax(function: Callable) -> Callable:
    """The JAX function that computes what a NumPy function does. Raises ValueError if there is none."""
    import jax
    import jax.numpy as jnp

    own = _own()
    if function in own:
        return own[function]
    name = getattr(function, "__name__", "")
    ufunc = getattr(function, "__self__", None)
    if isinstance(ufunc, np.ufunc):
        return _of_ufunc_method(ufunc, name)
    for module in (jnp, jnp.linalg, jnp.fft, jax.scipy.special):
        if hasattr(module, name):
            return getattr(module, name)
    raise ValueError(f"np.{name} has no counterpart in JAX")


def _of_ufunc_method(ufunc: np.ufunc, method: str) -> Callable:
    import jax.numpy as jnp

    same = getattr(in_jax(ufunc), method, None)
    if same is None:
        raise ValueError(f"np.{ufunc.__name__}.{method} has no counterpart in JAX")
    if method == "outer":
        return lambda first, second, **_: same(first, second)
    if method == "reduceat":
        return lambda array, begin, axis=0, *_, **__: same(array, jnp.asarray(begin), axis=axis)
    return lambda array, axis=0, *_, keepdims=False, **__: same(
        array, axis=axis, **{"keepdims": True} if keepdims else {}
    )


def _own() -> dict[Callable, Callable]:
    """Operations that JAX writes in another way."""
    import jax.numpy as jnp

    def answer(index):
        """The truth value that an index is, if it is one: with it all of an array is taken, or nothing."""
        index = _index(index)
        array = np.asarray(index) if isinstance(index, (bool, np.bool_, np.ndarray)) else np.zeros(0)
        return bool(array) if array.ndim == 0 and array.dtype == bool else None

    def getitem(array, index):
        whole = answer(index)
        return array[_index(index)] if whole is None else array[None][: int(whole)]

    def set_item(array, index, value):
        if (whole := answer(index)) is not None:
            return _floating(array).at[None].set(value) if whole else array
        return _floating(array).at[_index(index)].set(value)

    def set_flat(array, where, value):
        array = jnp.asarray(array)
        return _floating(array).reshape(-1).at[jnp.ravel(where)].set(jnp.ravel(value)).reshape(array.shape)

    def add_at(array, index, value):
        return _floating(array).at[_index(index)].add(value)

    def _floating(array):
        array = jnp.asarray(array)
        return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(jnp.float64)

    def take(array, indices, axis=None, **_):
        return jnp.take(array, jnp.asarray(indices), axis=axis)

    def as_type(array, dtype):
        return jnp.asarray(array).astype(jnp.float64 if np.dtype(dtype).kind == "f" else dtype)

    def fill_diagonal(array, value, **_):
        return jnp.fill_diagonal(array, value, inplace=False)

    def copyto(array, value, where=True, **_):
        return jnp.where(where, value, array)

    def power(base, exponent):
        # A whole number as exponent: the derivative at a base of 0 or below is then defined.
        if isinstance(exponent, float) and exponent == int(exponent):
            exponent = int(exponent)
        return jnp.power(base, exponent)

    def clip(a, a_min=None, a_max=None, *, min=None, max=None, **_):
        return jnp.clip(a, a_min if min is None else min, a_max if max is None else max)

    def insert(array, index, values, axis=None):
        return jnp.insert(array, index, jnp.asarray(values), axis)

    def joined(join: Callable) -> Callable:
        return lambda arrays, *args, **keywords: join([jnp.asarray(a) for a in arrays], *args, **keywords)

    after = recorder.MUTATORS
    return {
        operator.getitem: getitem,
        setitem: set_item,
        recorder.set_flat: set_flat,
        tape.add_at: add_at,
        recorder.as_type: as_type,
        np.take: take,
        np.power: power,
        np.clip: clip,
        np.insert: insert,
        after[np.fill_diagonal]: fill_diagonal,
        after[np.copyto]: copyto,
        after[np.ndarray.sort]: lambda array, axis=-1: jnp.sort(array, axis=axis),
        np.asarray: jnp.asarray,
        **{join: joined(getattr(jnp, join.__name__)) for join in recorder.JOINING},
    }


INDEXED = {operator.getitem, setitem, tape.add_at}
