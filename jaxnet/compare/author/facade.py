"""What an author's program sees as `numpy` and `math`: the same names, with what they make on the record.

Universal functions and all that NumPy dispatches reach the recorder by themselves. What is done here is the rest:
functions that make arrays, those that look into lists, random numbers, and the standard library's `math`.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import itertools
import math
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author import recorder
from jaxnet.compare.author.matrix import Matrix, as_array, as_matrix
from jaxnet.compare.author.recorder import JOINING, Array, Number, call, is_recorded, leaf, plain


def modules() -> dict[str, types.ModuleType]:
    """What stands in the place of NumPy and of `math`, by name: new modules, into which a program may write."""
    made = {name: types.ModuleType(name) for name in _contents()}
    for name, module in made.items():
        vars(module).update(_contents()[name])
        package, _, own = name.rpartition(".")
        if package:
            setattr(made[package], own, module)
    return made


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type(np.reshape))  # the last: those that NumPy dispatches


@functools.cache
def _contents() -> dict[str, dict[str, Any]]:
    """What the modules hold."""
    masked = {name: _losing(getattr(np.ma, name)) for name in ("array", "masked_array", "MaskedArray", "zeros", "ones")}
    return {
        "numpy": _recording(np, _NUMPY),
        "numpy.lib": _recording(np.lib, {}),
        "numpy.lib.stride_tricks": _recording(np.lib.stride_tricks, _TRICKS),
        "numpy.random": _recording(np.random, _RANDOM),
        "numpy.linalg": _recording(np.linalg, {}),
        "numpy.ma": vars(np.ma) | masked,
        "math": _recording(math, _MATH),
    }


def drawing_numbers() -> types.ModuleType:
    """What stands in the place of `random`: the numbers that are drawn are on the record."""
    module, names = types.ModuleType("random"), ("random", "uniform", "gauss", "normalvariate")
    drawn: dict[str, Any] = {name: _number_of(getattr(random, name)) for name in names}

    class Random:
        def __init__(self, *seed: Any):
            self._own = random.Random(*seed)

        def __getattr__(self, name: str) -> Any:
            found = getattr(self._own, name)
            return _number_of(found) if name in names else found

    vars(module).update(vars(random) | drawn | {"Random": Random})
    return module


def _number_of(function: Callable) -> Callable:
    return lambda *args: recorder.number(function(*args), "random")


def _recording(real: types.ModuleType, own: dict[str, Any]) -> dict[str, Any]:
    found = dict(own)
    for key in dir(real):
        value = getattr(real, key)
        if key not in own:
            is_function = isinstance(value, _FUNCTIONS)
            found[key] = _making(value) if is_function else _OfLists(value) if isinstance(value, np.ufunc) else value
        elif isinstance(own[key], types.FunctionType):
            found[key] = _by_names_of(value, own[key])
    if real is np:  # as before NumPy 2, which has `max` and more of Python's names, and not `mat`
        found["__all__"] = sorted({*np.__all__, *own} - vars(builtins).keys() | {"all", "any", "sum"})
    return found


def _by_names_of(real: Callable, own: Callable) -> Callable:
    """A function of ours that takes what it is given by NumPy's names (`arr=…`) as what stands at their places."""
    try:
        names = list(inspect.signature(real).parameters)
    except ValueError:  # a function of C that does not say
        return own

    @functools.wraps(own)
    def call_own(*args: Any, **keywords: Any) -> Any:
        for name in names[len(args) :] if keywords else ():
            if name not in keywords:
                break
            args = *args, keywords.pop(name)
        return own(*args, **keywords)

    return call_own


class _OfLists:
    """A universal function that sees what is recorded in lists, of which NumPy makes plain arrays."""

    def __init__(self, real: np.ufunc) -> None:
        self._real = real

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        in_lists = any(isinstance(a, list | tuple) and is_recorded(a) for a in args)
        return call(self._real, args, keywords) if in_lists else self._real(*args, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _making(function: Callable) -> Callable:
    """A NumPy function whose result is recorded even if nothing recorded goes in."""

    @functools.wraps(function)
    def make(*args: Any, **keywords: Any) -> Any:
        if function is np.reshape and "newshape" in keywords:  # as before NumPy 2.4
            keywords["shape"] = keywords.pop("newshape")
        if args and isinstance(args[0], Iterator) and function in JOINING:  # as before NumPy 1.16
            args = (list(args[0]), *args[1:])
        if args and isinstance(args[0], Iterator) and function is np.sum:  # as before NumPy 2.4
            return sum(args[0])
        if function.__name__ in _OF_ARRAYS and any(isinstance(a, (list, tuple)) for a in args):
            args = tuple(recorder.built(a) if is_recorded(a) else a for a in args)
        if args and function.__name__ in _REARRANGING:  # a list that is used again is the same data
            args = (recorder.built(args[0]), *args[1:])
        if any(is_recorded(a) for a in (*args, *keywords.values())):
            return call(function, args, keywords)
        result = function(*args, **keywords)
        if function is np.empty and result.dtype.kind in "fc":
            result.fill(0)  # the same in each run
        # An array that other libraries made stays a foreign one, whatever is made of it.
        origin = "foreign" if any(isinstance(a, np.ndarray) for a in args) else function.__name__
        if isinstance(result, (tuple, list)) and not hasattr(result, "_fields"):
            return type(result)([leaf(part, origin) for part in result])
        return leaf(result, origin)

    return make


def _losing(function: Callable) -> Callable:
    """A function that makes masked arrays, which are not recorded."""

    def make(*args: Any, **keywords: Any) -> Any:
        recorder.lose()
        return function(*plain(args), **plain(keywords))

    return make


# Functions of one array, which may be given as a list of recorded numbers or rows. Of two the recorder sees to that.
_OF_ARRAYS = {
    "insert", "append", "delete", "take",
    "sum", "mean", "max", "amax", "min", "amin", "std", "var", "prod", "argmax", "argmin", "where", "clip",
    "reshape", "transpose", "ravel", "squeeze", "expand_dims", "cumsum", "norm", "average", "median", "sort",
    "argsort", "round", "around", "any", "all", "nan_to_num", "repeat", "tile", "roll", "flip", "einsum",
    "atleast_2d", "atleast_1d", "argwhere", "nonzero", "count_nonzero", "array_equal", "allclose", "isclose",
    "diag", "trace", "swapaxes", "moveaxis", "broadcast_to", "copy", "pad",
}  # fmt: skip


_REARRANGING = {
    "transpose", "reshape", "ravel", "squeeze", "expand_dims", "swapaxes", "moveaxis", "atleast_1d", "atleast_2d",
}  # fmt: skip


# --- arrays -----------------------------------------------------------------------------------------------------------


def _array(value: Any, dtype: Any = None, **keywords: Any) -> Any:
    try:  # rows of one length that are held as objects are numbers all the same
        return _array_of(value, None if dtype is object and is_recorded(value) else dtype, **keywords)
    except ValueError:
        if dtype not in (None, object) or not isinstance(value, (list, tuple)):
            raise
    try:  # as do arrays of one number beside numbers
        return _array_of(_with_numbers(value), **keywords)
    except ValueError:
        return _of_objects(value)


def _with_numbers(value: Any) -> Any:
    """Lists with numbers in the place of arrays of one number."""
    if isinstance(value, (list, tuple)):
        return [_with_numbers(part) for part in value]
    return value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 else value


def _of_objects(value: list | tuple) -> np.ndarray:
    """Lists of different lengths, of which NumPy made an array of objects before its version 1.24."""
    try:
        return np.array(value, object)
    except ValueError:  # the first lengths are equal and further ones are not
        array = np.empty(len(value), object)
        for k, part in enumerate(value):
            array[k] = part
        return array


def _array_of(value: Any, dtype: Any = None, **keywords: Any) -> Any:
    kind = "" if dtype is None else np.dtype(dtype).kind
    if type(value) is list and kind not in ("O", "V") and not is_recorded(value):
        value = recorder.built(value)
    if kind == "V" or not is_recorded(value):
        array = np.array(plain(value), dtype, **keywords)
        if kind == "O" and array.size > 1:
            recorder.lose()
        return leaf(array, "array")
    if isinstance(value, (list, tuple)):
        value = recorder.built(value)
    elif isinstance(value, Number):
        value = recorder.with_node(np.array(plain(value)), value._node)
    result = recorder.copied(as_array(value))
    while getattr(result, "ndim", 0) < keywords.get("ndmin", 0):
        result = result[None]
    return result if dtype is None else recorder.converted(result, dtype)


def _asarray(value: Any, dtype: Any = None, **keywords: Any) -> Any:
    if isinstance(value, Array):
        value, same = as_array(value), dtype is None or np.dtype(dtype) == value.dtype
        return value if same else recorder.converted(value, dtype)
    if isinstance(value, np.ndarray):
        return leaf(np.asarray(value, dtype), "array")
    return _array(value, dtype)


class _Converting(type):
    """The type of the number types below: called with something recorded, they convert it on the record."""

    def __call__(cls, value: Any = 0, *args: Any) -> Any:
        real = cls.__mro__[1]
        return recorder.converted(value, real) if is_recorded(value) else real(plain(value), *args)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1])


_NAMES_OF_NUMBERS = (
    "float64", "float32", "float16", "double", "single", "longdouble", "int64", "int32", "int16", "int8", "uint8",
)  # fmt: skip
_NUMBER_TYPES = {name: _Converting(name, (getattr(np, name),), {}) for name in _NAMES_OF_NUMBERS}


def type_of(value: Any) -> type:
    """As `type`: of what is recorded that of NumPy, as the program sees it."""
    own = {recorder.Array: np.ndarray, recorder.Builtin: float}
    if type(value) in own:
        return own[type(value)]
    return _NUMBER_TYPES[np.dtype(value.dtype).name] if isinstance(value, recorder.Number) else type(value)  # type: ignore


def _vectorize(function: Callable | None = None, *args: Any, **keywords: Any) -> Any:
    """`np.vectorize`, by the function on the whole array where that gives the same numbers, else entry by entry."""
    if function is None:
        return lambda inner: _vectorize(inner, *args, **keywords)

    def vectorized(*arrays: Any, **named: Any) -> Any:
        if named or not any(isinstance(a, Array) for a in arrays):
            return leaf(np.asarray(np.vectorize(function, *args, **keywords)(*plain(arrays), **plain(named))), "array")
        expected = _quietly(lambda: np.vectorize(function)(*plain(arrays)))
        whole = _quietly(lambda: function(*arrays))
        if isinstance(whole, Array) and expected is not None and np.array_equal(plain(whole), expected):
            return whole
        shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
        columns = [call(np.reshape, (call(np.broadcast_to, (a, shape)), (-1,))) for a in arrays]
        entries = [function(*(column[k] for column in columns)) for k in range(int(np.prod(shape)))]
        return call(np.reshape, (_array(entries), shape))

    return vectorized


def _quietly(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except Exception:  # the author's function may raise anything on an array that it was not made for
        return None


def _apply_along_axis(function: Callable, axis: int, array: Any, *args: Any, **keywords: Any) -> Any:
    if not isinstance(array, Array):
        return leaf(np.apply_along_axis(function, axis, array, *args, **keywords), "array")
    moved = call(np.moveaxis, (array, axis, -1))
    rows = call(np.reshape, (moved, (-1, moved.shape[-1])))
    results = _array([function(rows[k], *args, **keywords) for k in range(rows.shape[0])])
    result = call(np.reshape, (results, (*moved.shape[:-1], *results.shape[1:])))
    return call(np.moveaxis, (result, -1, axis)) if results.ndim > 1 else result


def _piecewise(array: Any, conditions: Any, functions: Any, *args: Any) -> Any:
    conditions = list(conditions)
    functions = list(functions)
    result = call(np.multiply, (array, 0.0))
    if len(functions) > len(conditions):
        default = functions.pop()
        result = default(array) if callable(default) else result + default
    for condition, function in zip(reversed(conditions), reversed(functions), strict=True):
        result = call(np.where, (condition, function(array) if callable(function) else function, result))
    return result


def _nditer(operand: Any, flags: Any = None, *args: Any, **keywords: Any) -> Any:
    """`np.nditer` over one array: its entries as views, so that writing into one is recorded."""
    if not isinstance(operand, Array) or flags:
        return np.nditer(plain(operand), flags, *args, **keywords)
    flat = operand.reshape(-1)
    return (flat[k : k + 1].reshape(()) for k in range(operand.size))


def _picking(function: Callable) -> Callable:
    """A function that lays an array out anew, as the picking of entries that it is."""

    def pick(array: Any, *args: Any, **keywords: Any) -> Any:
        if function is np.lib.stride_tricks.as_strided and isinstance(array, Array) and not array.flags.c_contiguous:
            array = plain(array)  # its strides say nothing of the order of its entries
        if not isinstance(array, Array):
            return _making(function)(array, *args, **keywords)
        numbers = np.arange(array.size, dtype=np.int64 if array.itemsize == 8 else np.int32).reshape(array.shape)
        found = function(numbers, *plain(args), **plain(keywords))
        return array.reshape(-1)[np.array(found, np.int64)]

    return pick


def _splitting(function: Callable, along: int = 0) -> Callable:
    """A function that cuts an array into several, which are views of it, along an axis."""

    def split(ary: Any, indices_or_sections: Any, *given: Any, **named: Any) -> Any:
        if not isinstance(ary, Array):
            return _making(function)(ary, indices_or_sections, *given, **named)
        axis = next(iter((*given, *named.values())), along)
        axis = axis % ary.ndim if ary.ndim > 1 else 0
        sizes = [part.shape[axis] for part in function(plain(ary), plain(indices_or_sections), *given, **named)]
        ends = zip(sizes, itertools.accumulate(sizes), strict=True)
        return [ary[(slice(None),) * axis + (slice(end - size, end),)] for size, end in ends]

    return split


_TRICKS = {name: _picking(getattr(np.lib.stride_tricks, name)) for name in ("as_strided", "sliding_window_view")}


class _Columns:
    """`np.c_`, and with `axis` 0 `np.r_`."""

    def __init__(self, real: Any, axis: int):
        self.real, self.axis = real, axis

    def __getitem__(self, parts: Any) -> Any:
        parts = parts if isinstance(parts, tuple) else (parts,)
        if not is_recorded(parts):
            return leaf(self.real[parts], "array")
        listed = [part if not isinstance(part, slice) else self.real[part] for part in parts]
        if self.axis:
            arrays = [call(np.reshape, (p, (-1, 1))) if np.ndim(p) < 2 else p for p in listed]
            return call(np.concatenate, (arrays,), {"axis": -1})
        return call(np.concatenate, ([call(np.atleast_1d, (p,)) for p in listed],), {"axis": 0})


def _shuffled(generator: Any, array: Any, axis: int = 0) -> None:
    """Shuffle in place: one draw of an order, then the rows in that order."""
    if not isinstance(array, Array):
        generator.shuffle(array)
        return
    order = np.asarray(generator.permutation(array.shape[axis]))
    array[...] = call(np.take, (recorder.copied(array), order), {"axis": axis})


def _permuted(generator: Any, array: Any) -> Any:
    array = _array(array) if isinstance(array, (list, tuple)) else array
    if not isinstance(array, Array):
        return leaf(generator.permutation(plain(array)), "random")
    return call(np.take, (array, np.asarray(generator.permutation(array.shape[0]))), {"axis": 0})


# --- random numbers ---------------------------------------------------------------------------------------------------


def _drawing(function: Callable) -> Callable:
    @functools.wraps(function)
    def draw(*args: Any, **keywords: Any) -> Any:
        drawn = function(*plain(args), **plain(keywords))
        return recorder.number(drawn, "random") if type(drawn) is float else leaf(drawn, "random")

    return draw


class _Shuffling:
    """What NumPy's two kinds of generators have in common."""

    def shuffle(self, array: Any, axis: int = 0) -> None:
        _shuffled(super(), array, axis)

    def permutation(self, array: Any, axis: int = 0) -> Any:
        return _permuted(super(), array)


class Generator(_Shuffling, np.random.Generator):  # type: ignore[misc]
    """`np.random.Generator` whose draws are recorded."""


class RandomState(_Shuffling, np.random.RandomState):  # type: ignore[misc]
    """`np.random.RandomState` whose draws are recorded."""


for _own, _base in ((Generator, np.random.Generator), (RandomState, np.random.RandomState)):
    for _name in dir(_base):
        if not _name.startswith("_") and callable(getattr(_base, _name)) and not hasattr(_Shuffling, _name):
            setattr(_own, _name, _drawing(getattr(_base, _name)))


def _default_rng(seed: Any = None) -> Generator:
    """Without a seed one that is the same in each run."""
    seed = np.random.randint(2**31) if seed is None else plain(seed)
    return Generator(np.random.default_rng(seed).bit_generator)


_RANDOM: dict[str, Any] = {
    name: _drawing(getattr(np.random, name))
    for name in dir(np.random)
    if not name.startswith("_") and callable(getattr(np.random, name)) and name[0].islower()
}
_RANDOM |= {
    "shuffle": lambda array: _shuffled(np.random, array),
    "permutation": lambda array: _permuted(np.random, array),
    "default_rng": _default_rng,
    "Generator": Generator,
    "RandomState": RandomState,
}


# --- math -------------------------------------------------------------------------------------------------------------


def _number(function: Callable, ufunc: np.ufunc) -> Callable:
    def compute(*args: Any) -> Any:
        if not is_recorded(args) or len(args) != ufunc.nin or any(np.size(value) > 1 for value in args):
            return function(*plain(args))  # which raises TypeError for arrays, and for more numbers than it takes
        return call(ufunc, tuple(value.item() if isinstance(value, np.ndarray) else value for value in args))

    compute.__name__ = function.__name__
    return compute


_MATH: dict[str, Any] = {
    name: _number(getattr(math, name), ufunc)
    for name, ufunc in vars(np).items()
    if isinstance(ufunc, np.ufunc) and hasattr(math, name) and name not in ("remainder", "trunc")  # they mean another
}

_RENAMED = {
    "product": "prod", "cumproduct": "cumprod", "alltrue": "all", "sometrue": "any", "row_stack": "vstack",
    "in1d": "isin", "trapz": "trapezoid", "round_": "round",
}  # fmt: skip
_NUMPY: dict[str, Any] = {
    **_NUMBER_TYPES,
    "array": _array,
    "copy": lambda value, *_, **__: _array(value),
    **dict.fromkeys(("asarray", "asanyarray", "ascontiguousarray", "asfortranarray"), _asarray),
    "fromiter": lambda values, dtype=np.float64, count=-1: _array(list(itertools.islice(values, count % 2**60)), dtype),
    "vectorize": _vectorize,
    "frompyfunc": lambda function, nin, nout: _vectorize(function) if nout == 1 else np.frompyfunc(function, nin, nout),
    "apply_along_axis": _apply_along_axis,
    "piecewise": _piecewise,
    "nditer": _nditer,
    **{name: _splitting(getattr(np, name)) for name in ("split", "array_split", "vsplit")},
    "hsplit": _splitting(np.hsplit, 1),
    "dsplit": _splitting(np.dsplit, 2),
    "c_": _Columns(np.c_, 1),
    "r_": _Columns(np.r_, 0),
    # Gone from NumPy 2, and still in programs.
    "float": float,
    "int": int,
    "bool": np.bool_,
    "object": object,
    "str": str,
    "float_": _NUMBER_TYPES["float64"],
    "int_": _NUMBER_TYPES["int64"],
    "asfarray": lambda value, dtype=np.float64: _asarray(value, dtype),
    "complex": complex,
    "NaN": np.nan,
    "Inf": np.inf,
    "Infinity": np.inf,
    "infty": np.inf,
    "matrix": Matrix,
    **dict.fromkeys(("mat", "asmatrix"), as_matrix),
    **{name: _making(getattr(np, now)) for name, now in _RENAMED.items()},
    "asscalar": lambda value: value.item(),
}
