"""One operation of a record, and its derivative: by `jax.vjp`, or by central differences of what JAX has not."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jaxnet.compare.author import recorder, tape
from jaxnet.compare.author.node import Instruction, Node, replaced, setitem
from jaxnet.compare.author.replay import Values


@dataclass(eq=False)
class Operation:
    """A Node, its arguments with slots for arrays, and the numbers of those that it is differentiated by."""

    node: Node
    template: Any
    moving: list[int]

    @cached_property
    def index(self) -> tuple | None:
        """Where an array is read or written, if numbers, slices and positions tell it."""
        if self.node.function is not operator.getitem and self.node.function is not setitem:
            return None
        index = self.template[0][1]
        index = index if isinstance(index, tuple) else (index,)
        plain = all(i is None or i is Ellipsis or isinstance(i, (int, np.integer, slice, _Fixed)) for i in index)
        return _index(index) if plain and not any(isinstance(i, (Slot, bool)) for i in index) else None

    @cached_property
    def part_of(self) -> int | None:
        """The array of which a part is read or written: no entry of it twice."""
        if self.index is None:
            return None
        if any(isinstance(i, np.ndarray) for i in self.index):
            times = np.zeros(self.node.parents[0].shape, int)
            np.add.at(times, self.index, 1)
            if times.max(initial=0) > 1:
                return None
        return self.template[0][0]

    @cached_property
    def general(self) -> tuple[Any, list[int], list[float]]:
        """The template with its slots counted from 0 on, the numbers of the arrays that belong there, and what comes
        after these: constants of arithmetic, so that operations with other ones are the same."""
        renumbered: dict[int, int] = {}

        def slot(number: Slot) -> Slot:
            return Slot(renumbered.setdefault(int(number), len(renumbered)))

        args, keywords = replaced(self.template, slot, Slot)
        constants: list[float] = []
        if self.node.function in ARITHMETIC:
            constants = [float(i) for i in args if _is_constant(i)]
            further = itertools.count(len(renumbered))
            args = tuple(Slot(next(further)) if _is_constant(i) else i for i in args)
        return (args, keywords), list(renumbered), constants

    @cached_property
    def kind(self) -> tuple:
        """What all operations of the same function and constants share."""
        template, numbers, _ = self.general
        return self.node.function, repr(template), tuple(map(numbers.index, self.moving))


def _is_constant(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, Slot)


QUICKLY = {"xla_backend_optimization_level": 0}  # what is compiled runs a few times on small arrays


def _pull_of_part(step: Operation, arrays: dict[int, Any], cotangent: Any) -> tuple[np.ndarray, ...]:
    """`_vjp` of reading or writing a part of an array: compiled, each part would be an operation of its own."""
    array, _, *written = step.template[0]
    index: Any = step.index
    found = {number: zeros_for(arrays[number], cotangent) for number in step.moving}
    if not written and step.part_of is None:  # some entries more than once
        np.add.at(found[array], index, cotangent)
    elif not written:
        found[array][index] = cotangent
    elif isinstance(written[0], Slot) and written[0] in step.moving:
        found[written[0]] = of_written(arrays[written[0]], cotangent[index])
    if written and array in step.moving:
        rest = np.array(cotangent)
        rest[index] = 0
        found[array] = found[array] + rest
    return tuple(found.values())


def zeros_for(array: Any, cotangent: Any) -> np.ndarray:
    """Where parts of the cotangent of an array go: of a spectrum complex ones."""
    return np.zeros(array.shape, np.result_type(np.float64, cotangent))


def of_written(array: Any, cotangent: Any) -> np.ndarray:
    """The cotangent of what is written into an array: real numbers may be written into complex ones."""
    return summed(cotangent if array.dtype.kind == "c" else np.real(cotangent), array.shape)


def summed(cotangent: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The cotangent of an array that was broadcast: read-only."""
    total = np.array(cotangent)
    if total.shape != shape:
        kept = ((1,) * total.ndim + shape)[len(shape) :]
        axes = tuple(k for k, (n, m) in enumerate(zip(total.shape, kept, strict=True)) if n != m)
        total = total.sum(axes, keepdims=True).reshape(shape)
    total.setflags(write=False)
    return total


def pull(step: Operation, arrays: dict[int, Any], cotangent: Any) -> tuple:
    if step.part_of is not None or (step.index is not None and step.node.function is operator.getitem):
        return _pull_of_part(step, arrays, cotangent)
    _, numbers, constants = step.general
    own = [*(arrays[number] for number in numbers), *map(np.float64, constants)]
    if step.node.is_of_entries or step.node.function in (np.where, np.clip):
        return _pull_of_entries(step, own, cotangent)
    # A list of what counts has the array's own shape.
    is_linear = len(own) == LINEAR.get(step.node.function) and "where" not in step.template[1]
    if is_linear and all(0 < a.ndim < 3 and a.dtype.kind != "c" for a in own):
        longest = max(length for a in own for length in a.shape)
        if (width := next((width for width in WIDTHS if longest <= width), None)) is not None:
            return _pull_in_frames(step, own, cotangent, width)
    return _pulled(step, own, cotangent)


ARITHMETIC = (np.add, np.subtract, np.multiply, np.true_divide)
LENGTHS = 256, 4096  # of arrays, for which operations on entries are compiled
LINEAR = {np.dot: 2, np.matmul: 2, np.sum: 1, np.mean: 1, np.transpose: 1}  # in each of so many arrays
WIDTHS = 16, 64  # of small arrays, for all of which these are compiled once


def _pull_of_entries(step: Operation, own: list[Any], cotangent: Any) -> tuple[np.ndarray, ...]:
    """`_vjp` of an operation on each entry by itself: compiled for a few lengths, not for each shape."""
    shape = np.broadcast_shapes(np.shape(cotangent), *(array.shape for array in own))
    size = math.prod(shape)
    length = next((length for length in LENGTHS if size <= length), size)

    def laid_out(array: Any) -> np.ndarray:
        if size == length:
            return np.broadcast_to(array, shape).ravel()
        row = np.zeros(length, array.dtype)
        row[:size].reshape(shape)[...] = array
        return row

    parts = _pulled(step, [laid_out(array) for array in own], laid_out(cotangent))
    moving = (own[step.general[1].index(number)] for number in step.moving)
    return tuple(summed(part[:size].reshape(shape), array.shape) for part, array in zip(parts, moving, strict=True))


def _pull_in_frames(step: Operation, own: list[Any], cotangent: Any, width: int) -> tuple[np.ndarray, ...]:
    """`_vjp` of an operation that is linear in each small array: compiled once, for arrays with zeros around them."""
    frames = [_framed(array, (width,) * array.ndim) for array in own]
    template, numbers, _ = step.general
    args, keywords = replaced(template, dict(enumerate(frames)).get, Slot)
    result = step.node.function(*args, **keywords)  # type: ignore[misc]
    if step.node.function is np.mean:  # of more numbers in the frame
        cotangent = cotangent * (frames[0].size * np.size(cotangent) / (own[0].size * np.size(result)))
    parts = _pulled(step, frames, _framed(cotangent, np.shape(result)))
    shapes = (own[numbers.index(number)].shape for number in step.moving)
    return tuple(part[tuple(map(slice, shape))] for part, shape in zip(parts, shapes, strict=True))


def _framed(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    framed = np.zeros(shape)
    framed[tuple(map(slice, np.shape(array)))] = array
    return framed


_compiled: dict[Any, Callable | Untraceable] = {}
differenced: set[Instruction] = set()  # that call what JAX has not


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
        if step.node.instruction is not None:  # what we compute ourselves is no call of the program's
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
    arrays, at_once = dict(enumerate(own)), step.node.is_of_entries
    if at_once:
        arrays = {number: np.where(cotangent == 0, np.ones_like(a), a) for number, a in arrays.items()}

    def weighted(number: int, array: np.ndarray) -> Any:
        args, keywords = replaced(step.template, {**arrays, number: array}.get, Slot)
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
        args, keywords = replaced(step.template, {**arrays, **dict(zip(step.moving, values, strict=True))}.get, Slot)
        return function(*args, **keywords)

    try:
        function = in_jax(node.function)  # type: ignore[arg-type]
        if step.node.is_of_entries:
            # Where no error comes back none goes on, whatever the slope is there: that of exp may be infinite.
            arrays = {number: jnp.where(cotangent == 0, jnp.ones_like(a), a) for number, a in arrays.items()}
        if node.function is np.maximum and len(step.moving) == 1:
            # relu has the slope 0 at 0, where images are blank: as authors write it, and as `jax.nn.relu` has it.
            (floor,) = (i for i in step.template[0] if not isinstance(i, Slot) or i not in step.moving)
            array = arrays[step.moving[0]]
            is_at_it = array == (arrays[floor] if isinstance(floor, Slot) else floor)
            arrays |= {step.moving[0]: jnp.where(is_at_it, array - 1, array)}
        result, back = jax.vjp(forward, *(jnp.asarray(arrays[number]) for number in step.moving))
        return back(jnp.broadcast_to(cotangent, result.shape).astype(result.dtype))
    except Exception as error:  # whatever JAX has to say about an operation that it cannot trace
        where = f", {node.place}," if node.place else ""
        raise Untraceable(f"np.{node.name}{where} cannot be replayed in JAX ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


class Slot(int):
    """The number of an array among the arguments of an operation."""

    def __repr__(self) -> str:
        return f"<{int(self)}>"


def without_masks(node: Node, values: Values) -> tuple:
    """Arguments of an indexing operation with masks as positions, which is what JAX can trace."""
    array, index, *rest = node.inputs

    def positions(part: Any) -> Any:
        if isinstance(part, (list, range, tuple)):
            part = np.asarray(part)
        if isinstance(part, np.ndarray):
            masks = part.dtype == bool and part.ndim
            return tuple(_Fixed(k) for k in np.nonzero(part)) if masks else _Fixed(part)
        return part

    index = replaced(index, values)
    found = map(positions, index if isinstance(index, tuple) else (index,))
    parts = tuple(k for one in found for k in (one if isinstance(one, tuple) else (one,)))
    return (array, parts[0] if len(parts) == 1 and not isinstance(index, tuple) else parts, *rest)


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
        sum: sum,  # of several numbers: see `Tape.total`
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
