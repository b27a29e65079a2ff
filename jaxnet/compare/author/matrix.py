"""`np.matrix` on the record: arrays of two axes always, whose product is that of matrices.

What is recorded are the operations on arrays, and where a matrix has the same numbers in another shape (a row of it, a
sum along an axis) that they are reshaped. Which shape that is, and whether it is a matrix, NumPy's own says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxnet.compare.author.node import mapped
from jaxnet.compare.author.recorder import (
    KINDS,
    MUTATORS,
    Array,
    Number,
    built,
    call,
    converted,
    copied,
    leaf,
    plain,
    seen_as,
)
from jaxnet.compare.author.tape import memory_of


class Matrix(Array):
    """An `np.matrix` on the record."""

    def __new__(cls, data: Any, dtype: Any = None, copy: bool = True) -> Any:
        if isinstance(data, str):
            data = np.asarray(np.matrix(data, dtype))
        array = built(data)
        if not isinstance(array, np.ndarray):
            array = np.asarray(array)
        if not isinstance(array, Array):
            array = leaf(np.array(array, ndmin=2), "array")
        if dtype is not None:
            array = converted(array, dtype)
        array = copied(as_array(array)) if copy else as_array(array)
        return _as_is(array, np.ndarray.view(plain(array), np.matrix))

    @property
    def A(self) -> Any:
        return as_array(self)

    def getA(self) -> Any:
        return self.A

    @property
    def A1(self) -> Any:
        return as_array(self).reshape(-1)

    @property
    def I(self) -> Any:  # noqa: E743 (NumPy's name)
        return call(np.linalg.inv if self.shape[0] == self.shape[1] else np.linalg.pinv, (self,))

    @property
    def H(self) -> Any:
        return call(np.conjugate, (self.T,))

    def __mul__(self, other: Any) -> Any:
        return _product(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _product(other, self)

    def __imul__(self, other: Any) -> Any:
        self[...] = self * other
        return self

    def __pow__(self, times: int) -> Any:  # type: ignore[override]
        return call(np.linalg.matrix_power, (self, times))

    def __getitem__(self, index: Any) -> Any:
        real = np.ndarray.view(plain(self), np.matrix)[plain(index)]
        return _as_is(as_array(self)[_of_two_axes(index)], real)

    def __setitem__(self, index: Any, value: Any) -> None:
        index = _of_two_axes(index)
        target = plain(self)[plain(index)]
        if isinstance(value, np.ndarray) and isinstance(target, np.ndarray) and value.size == target.size:
            if memory_of(plain(value)) == memory_of(target):
                return  # `m[k] += g`: the view has been written through already
            value = value if value.shape == target.shape else call(np.reshape, (value, target.shape))
        super().__setitem__(index, value)

    def ravel(self, order: str = "C") -> Any:  # type: ignore[override]
        return self.reshape(1, -1, order=order)

    def item(self, *index: Any) -> Any:
        return as_array(self).item(*index)

    def tolist(self) -> Any:
        return as_array(self).tolist()

    @property
    def flat(self) -> Any:  # type: ignore[override]
        return as_array(self).reshape(-1)

    def copy(self, order: Any = "C") -> Any:
        return _matrix(copied(as_array(self), order))

    __copy__ = __deepcopy__ = lambda self, _=None: self.copy()

    def astype(self, dtype: Any, *args: Any, **keywords: Any) -> Any:
        return _matrix(converted(as_array(self), dtype))


def as_matrix(data: Any, dtype: Any = None) -> Any:
    """As `np.asmatrix`: of an array a view."""
    if isinstance(data, Matrix) and dtype is None:
        return data
    return Matrix(data, dtype, copy=False)


def as_array(value: Any) -> Any:
    """A matrix as the array that it shows; one of NumPy's own, which another library has made, too."""
    if isinstance(value, np.matrix):
        return np.asarray(value)
    return seen_as(value, Array) if isinstance(value, Matrix) else value


def _product(first: Any, second: Any) -> Any:
    """What * makes of a matrix and a number, or of two matrices."""
    if any(np.isscalar(factor) or isinstance(factor, Number) for factor in (first, second)):
        return call(np.multiply, (first, second))
    return call(np.matmul, (as_matrix(first), as_matrix(second)))


def _matrix(array: Any) -> Any:
    """An array that nobody else has, as a matrix."""
    return seen_as(array, Matrix)


def _of_two_axes(index: Any) -> Any:
    """A row or a column as the part of one row or column that it is of a matrix."""
    parts = index if isinstance(index, tuple) else (index,)
    if not any(isinstance(k, slice) for k in parts) and len(parts) > 1:
        return index
    return tuple(slice(k, k + 1 or None) if isinstance(k, int | np.integer) else k for k in parts)


def _as_is(result: Any, real: Any) -> Any:
    """What was computed of arrays, in the shape and of the kind that it has of matrices."""
    if isinstance(real, tuple | list) and isinstance(result, tuple | list):
        return type(real)(map(_as_is, result, real))
    if isinstance(real, np.ndarray) and np.shape(result) != real.shape:
        result = call(np.reshape, (result, real.shape))
    return _matrix(result) if isinstance(real, np.matrix) and isinstance(result, Array) else result


def _called(function: Callable, args: tuple, keywords: dict[str, Any]) -> Any:
    """What a NumPy function makes of matrices."""
    if function in MUTATORS or keywords.get("out") is not None:
        result = call(function, _arrays(args), _arrays(keywords))
        out = keywords.get("out", result)
        return out[0] if isinstance(out, tuple) else out
    with np.errstate(all="ignore"):
        real = function(*_real(args), **_real(keywords))
    return _as_is(call(function, _arrays(args), _arrays(keywords)), real)


def _arrays(value: Any) -> Any:
    return as_array(value) if isinstance(value, np.ndarray) else mapped(value, _arrays)


def _real(value: Any) -> Any:
    """Nested arguments with NumPy's own matrices."""
    if isinstance(value, Matrix):
        return np.ndarray.view(value, np.matrix)
    return plain(value) if isinstance(value, Array | Number) else mapped(value, _real)


KINDS |= {Matrix: _called, np.matrix: _called}
