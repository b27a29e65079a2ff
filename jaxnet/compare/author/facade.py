"""What an author's program sees as `numpy` and `math`: the same names, with what they make on the record.

Universal functions and all that NumPy dispatches reach the recorder by themselves. What is done here is the rest:
functions that make arrays, those that look into lists, random numbers, and the standard library's `math`.
"""

from __future__ import annotations

import math as standard_math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author import recorder
from jaxnet.compare.author.recorder import Array, Number, call, is_recorded, leaf, plain


def modules() -> dict[str, types.ModuleType]:
    """The modules that stand in the place of NumPy's and of `math`, by name."""
    random = _module("numpy.random", np.random, _RANDOM)
    linalg = _module("numpy.linalg", np.linalg, {})
    masked = {name: _losing(getattr(np.ma, name)) for name in ("array", "masked_array", "MaskedArray", "zeros", "ones")}
    tricks = _module("numpy.lib.stride_tricks", np.lib.stride_tricks, _TRICKS)
    lib = _module("numpy.lib", np.lib, {"stride_tricks": tricks})
    ma = types.ModuleType("numpy.ma", np.ma.__doc__)
    ma.__dict__.update(vars(np.ma) | masked)
    numpy = _module("numpy", np, {**_NUMPY, "random": random, "linalg": linalg, "lib": lib, "ma": ma})
    return {
        "numpy": numpy,
        "numpy.lib": lib,
        "numpy.lib.stride_tricks": tricks,
        "numpy.random": random,
        "numpy.linalg": linalg,
        "numpy.ma": ma,
        "math": _module("math", standard_math, _MATH),
    }


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type(np.reshape))  # the last: those that NumPy dispatches


def _module(name: str, real: types.ModuleType, own: dict[str, Any]) -> types.ModuleType:
    module = types.ModuleType(name, real.__doc__)
    for key in dir(real):
        value = own.get(key, getattr(real, key))
        if key not in own and isinstance(value, _FUNCTIONS):
            value = _making(value)
        setattr(module, key, value)
    for key, value in own.items():
        setattr(module, key, value)
    module.__name__ = name
    return module


def _making(function: Callable) -> Callable:
    """A NumPy function whose result is recorded even if nothing recorded goes in."""

    def make(*args: Any, **keywords: Any) -> Any:
        if args and isinstance(args[0], Iterator) and function.__name__ in _JOINING:
            args = (list(args[0]), *args[1:])
        if any(isinstance(a, (list, tuple)) and is_recorded(a) for a in args) and function.__name__ in _OF_ARRAYS:
            args = tuple(recorder.built(a) if isinstance(a, (list, tuple)) and is_recorded(a) else a for a in args)
        if any(is_recorded(a) for a in (*args, *keywords.values())):
            return call(function, args, keywords)
        result = function(*args, **keywords)
        # An array that other libraries made stays a foreign one, whatever is made of it.
        origin = "foreign" if any(isinstance(a, np.ndarray) for a in args) else function.__name__
        if isinstance(result, (tuple, list)) and not hasattr(result, "_fields"):
            return type(result)([leaf(part, origin) for part in result])
        return leaf(result, origin)

    make.__name__ = getattr(function, "__name__", "make")
    make.__doc__ = function.__doc__
    make.__wrapped__ = function  # type: ignore[attr-defined]
    return make


def _losing(function: Callable) -> Callable:
    """A function that makes matrices or masked arrays, which are not recorded."""

    def make(*args: Any, **keywords: Any) -> Any:
        recorder.lose()
        return function(*plain(args), **plain(keywords))

    return make


_JOINING = {"concatenate", "hstack", "vstack", "stack", "column_stack", "dstack"}  # an iterator too, before NumPy 1.16
# Functions of one array, which may be given as a list of recorded numbers or rows. Of two the recorder sees to that.
_OF_ARRAYS = {
    "sum", "mean", "max", "amax", "min", "amin", "std", "var", "prod", "argmax", "argmin", "where", "clip",
    "reshape", "transpose", "ravel", "squeeze", "expand_dims", "cumsum", "norm", "average", "median", "sort",
    "argsort", "round", "around", "any", "all", "nan_to_num", "repeat", "tile", "roll", "flip", "einsum",
    "atleast_2d", "atleast_1d", "argwhere", "nonzero", "count_nonzero", "array_equal", "allclose", "isclose",
    "diag", "trace", "swapaxes", "moveaxis", "broadcast_to", "copy", "pad",
}  # fmt: skip


# --- arrays -----------------------------------------------------------------------------------------------------------


def _array(value: Any, dtype: Any = None, **keywords: Any) -> Any:
    try:  # rows of one length that are held as objects are numbers all the same
        return _array_of(value, None if dtype is object and is_recorded(value) else dtype, **keywords)
    except ValueError:
        if dtype not in (None, object) or not isinstance(value, (list, tuple)):
            raise
        return _of_objects(value)


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
    if not is_recorded(value):
        array = np.array(value, dtype, **keywords)
        if dtype is not None and array.dtype.kind in "OV" and array.size > 1:
            recorder.lose()  # numbers as objects, or as fields of a record
        return leaf(array, "array")
    if isinstance(value, (list, tuple)):
        value = recorder.built(value)
    elif isinstance(value, Number):
        value = call(np.reshape, (value, ()))
        value = value if isinstance(value, Array) else _of_number(value)
    result = recorder.copied(value) if isinstance(value, Array) else value
    while getattr(result, "ndim", 0) < keywords.get("ndmin", 0):
        result = result[None]
    return result if dtype is None else recorder.converted(result, dtype)


def _of_number(number: Any) -> Any:
    """A recorded number as an array without dimensions."""
    array = np.ndarray.view(np.array(plain(number)), Array)
    array._node = number._node
    return array


def _asarray(value: Any, dtype: Any = None, **keywords: Any) -> Any:
    if isinstance(value, Array):
        same = dtype is None or np.dtype(dtype) == value.dtype
        return value if same else recorder.converted(value, dtype)
    if isinstance(value, np.ndarray) and not isinstance(value, np.matrix):
        return leaf(np.asarray(value, dtype), "array")
    return _array(value, dtype)


def _copy(value: Any, *args: Any, **keywords: Any) -> Any:
    return _array(value)


class _Converting(type):
    """The type of the number types below: called with something recorded, they convert it on the record."""

    def __call__(cls, value: Any = 0, *args: Any) -> Any:
        real = cls.__mro__[1]
        return recorder.converted(value, real) if is_recorded(value) else real(plain(value), *args)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1])


def _number_types() -> dict[str, type]:
    names = (
        "float64",
        "float32",
        "float16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "double",
        "single",
        "longdouble",
    )
    return {name: _Converting(name, (getattr(np, name),), {}) for name in names}


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


def _windows(function: Callable) -> Callable:
    """A function that lays out an array's memory anew, as the picking of entries that it is."""

    def view(array: Any, *args: Any, **keywords: Any) -> Any:
        if not isinstance(array, Array) or not array.flags.c_contiguous:
            return function(plain(array), *args, **keywords)
        numbers = np.arange(array.size, dtype=np.int64 if array.itemsize == 8 else np.int32).reshape(array.shape)
        where = np.array(function(numbers, *plain(args), **plain(keywords)), dtype=np.int64)
        return array.reshape(-1)[where]

    return view


_TRICKS = {name: _windows(getattr(np.lib.stride_tricks, name)) for name in ("as_strided", "sliding_window_view")}


def _split(function: Callable) -> Callable:
    """A function that cuts an array into several, as the picking of entries that it is."""

    def split(array: Any, *args: Any, **keywords: Any) -> Any:
        if not isinstance(array, Array):
            return _making(function)(array, *args, **keywords)
        numbers = np.arange(array.size).reshape(array.shape)
        return [array.reshape(-1)[part] for part in function(numbers, *plain(args), **plain(keywords))]

    return split


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


def _permuted(generator: Any, array: Any, **keywords: Any) -> Any:
    array = _array(array) if isinstance(array, (list, tuple)) else array
    if not isinstance(array, Array):
        return leaf(generator.permutation(plain(array), **keywords), "random")
    return call(np.take, (array, np.asarray(generator.permutation(array.shape[0]))), {"axis": 0})


# --- random numbers ---------------------------------------------------------------------------------------------------


def _drawing(function: Callable) -> Callable:
    def draw(*args: Any, **keywords: Any) -> Any:
        return leaf(function(*plain(args), **plain(keywords)), "random")

    draw.__name__ = getattr(function, "__name__", "draw")
    return draw


class Generator(np.random.Generator):
    """`np.random.Generator` whose draws are recorded."""

    def shuffle(self, array: Any, axis: int = 0) -> None:  # type: ignore[override]
        _shuffled(super(), array, axis)

    def permutation(self, array: Any, axis: int = 0) -> Any:  # type: ignore[override]
        return _permuted(super(), array)


class RandomState(np.random.RandomState):
    """`np.random.RandomState` whose draws are recorded."""

    def shuffle(self, array: Any) -> None:  # type: ignore[override]
        _shuffled(super(), array)

    def permutation(self, array: Any) -> Any:  # type: ignore[override]
        return _permuted(super(), array)


def _draws_of(own: type, base: type) -> None:
    for name in dir(base):
        if not name.startswith("_") and name not in vars(own) and name not in ("bit_generator", "spawn", "seed"):

            def method(self: Any, *args: Any, _name: str = name, **keywords: Any) -> Any:
                return leaf(getattr(base, _name)(self, *plain(args), **plain(keywords)), "random")

            setattr(own, name, method)


_draws_of(Generator, np.random.Generator)
_draws_of(RandomState, np.random.RandomState)


def _default_rng(seed: Any = None) -> Generator:
    return Generator(np.random.default_rng(plain(seed)).bit_generator)


_RANDOM: dict[str, Any] = {
    name: _drawing(getattr(np.random, name))
    for name in dir(np.random)
    if not name.startswith("_") and callable(getattr(np.random, name)) and name[0].islower()
}
_RANDOM |= {
    "seed": lambda seed=None: np.random.seed(plain(seed)),
    "get_state": np.random.get_state,
    "set_state": np.random.set_state,
    "shuffle": lambda array: _shuffled(np.random, array),
    "permutation": lambda array: _permuted(np.random, array),
    "default_rng": _default_rng,
    "Generator": Generator,
    "RandomState": RandomState,
}


# --- math -------------------------------------------------------------------------------------------------------------

_AS_UFUNC = {
    "exp": np.exp, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "expm1": np.expm1,
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "sinh": np.sinh, "cosh": np.cosh,
    "fabs": np.fabs, "pow": np.power, "floor": np.floor, "ceil": np.ceil, "atan": np.arctan,
}  # fmt: skip


def _number(function: Callable, ufunc: np.ufunc) -> Callable:
    def compute(*args: Any) -> Any:
        return call(ufunc, args) if is_recorded(args) and len(args) == ufunc.nin else function(*plain(args))

    compute.__name__ = function.__name__
    return compute


_MATH: dict[str, Any] = {name: _number(getattr(standard_math, name), ufunc) for name, ufunc in _AS_UFUNC.items()}

_NUMPY: dict[str, Any] = {
    **_number_types(),
    "array": _array,
    "asarray": _asarray,
    "asanyarray": _asarray,
    "ascontiguousarray": _asarray,
    "asfortranarray": _asarray,
    "copy": _copy,
    "vectorize": _vectorize,
    "apply_along_axis": _apply_along_axis,
    "piecewise": _piecewise,
    "nditer": _nditer,
    **{name: _split(getattr(np, name)) for name in ("split", "array_split", "hsplit", "vsplit", "dsplit")},
    "c_": _Columns(np.c_, 1),
    "r_": _Columns(np.r_, 0),
    # Gone from NumPy 2, and still in programs.
    "float": float,
    "int": int,
    "bool": np.bool_,
    "object": object,
    "str": str,
    "float_": _number_types()["float64"],
    "int_": _number_types()["int64"],
    "product": _making(np.prod),
    "alltrue": _making(np.all),
    "sometrue": _making(np.any),
    "asfarray": lambda value, dtype=np.float64: _asarray(value, dtype),
    "complex": complex,
    "NaN": np.nan,
    "Inf": np.inf,
    "infty": np.inf,
    **{name: _losing(np.asmatrix) for name in ("mat", "matrix", "asmatrix")},
    "row_stack": _making(np.vstack),
    "in1d": _making(np.isin),
    "trapz": _making(np.trapezoid),
    "asscalar": lambda value: value.item(),
    "cumproduct": _making(np.cumprod),
    "round_": _making(np.round),
}
