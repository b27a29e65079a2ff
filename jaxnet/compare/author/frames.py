"""Pandas where it is not installed: tables of numbers, as far as programs use them to get at their arrays."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author.inert import Inert


class Frame:
    """A table: an array (m, columns) with names for its columns; a column by itself is an array (m,) with one name."""

    array: Callable[[Any], Any] = np.array  # makes what leaves for the program: values, means

    def __init__(self, data: Any = (), columns: Any = None, index: Any = None, name: Any = ..., **_: Any) -> None:
        table = name is ... and not isinstance(data, Frame)  # one column is a table, too, unless it has a name
        if isinstance(data, Frame):
            data, columns = data._data, data._names if columns is None else columns
        if isinstance(data, dict):
            columns, data = list(data), np.column_stack([np.asarray(v, object) for v in data.values()])
        data = np.asarray(data)
        self._data = _tidy(data.reshape(-1, 1) if table and data.ndim == 1 and data.size else data)
        width = self._data.shape[1] if self._data.ndim == 2 else 1
        plain = range(width) if self._data.ndim == 2 else [None if name is ... else name]
        self._names = list(plain if columns is None else columns)

    def _like(self, data: Any, names: Any = None) -> Frame:
        return type(self)(data, self._names if names is None else names, name=None)

    values = property(lambda self: self.array(self._data))
    shape = property(lambda self: self._data.shape)
    size = property(lambda self: self._data.size)
    ndim = property(lambda self: self._data.ndim)
    dtype = property(lambda self: self._data.dtype)
    dtypes = property(lambda self: Inert())
    T = property(lambda self: type(self)(self._data.T, name=None))
    index = property(lambda self: range(len(self)))
    name = property(lambda self: self._names[0])
    columns = property(lambda self: _Names(self._names), lambda self, names: setattr(self, "_names", list(names)))
    iloc = property(lambda self: _Places(self, by_name=False))
    loc = property(lambda self: _Places(self, by_name=True))

    def _entry(self, value: Any) -> Any:
        """A number leaves the table as the arrays do."""
        return self.array(value)[()] if np.asarray(value).dtype.kind in "fiu" else value

    def to_numpy(self, dtype: Any = None, **_: Any) -> Any:
        return self.array(self._data if dtype is None else self._data.astype(dtype))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._data, dtype)

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names if self._data.ndim == 2 else self.values)

    def __contains__(self, name: Any) -> bool:
        return name in self._names

    def _place(self, name: Any) -> int:
        if name not in self._names:
            raise KeyError(name)
        return self._names.index(name)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice | Frame) or (isinstance(key, np.ndarray) and key.dtype == bool):
            return self._like(self._data[np.asarray(key) if isinstance(key, Frame) else key])
        if self._data.ndim < 2:
            return self._entry(self._data[self._place(key) if isinstance(key, str) else key])
        if isinstance(key, list | _Names | np.ndarray):
            return self._like(self._data[:, [self._place(name) for name in key]], list(key))
        return self._like(self._data[:, self._place(key)], [key])

    def __setitem__(self, key: Any, value: Any) -> None:
        column = np.broadcast_to(np.asarray(value), (len(self),))
        others = {name: self._data[:, k] for k, name in enumerate(self._names)}
        self._names = list({**others, key: column})
        self._data = _tidy(np.column_stack([np.asarray(c, object) for c in {**others, key: column}.values()]))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._names and self._data.ndim == 2:
            return self[name]
        if name in ("reset_index", "set_index", "fillna", "dropna", "drop_duplicates", "copy", "infer_objects"):
            return lambda *_, inplace=False, **__: None if inplace else self._like(self._data.copy())
        if name in ("mean", "std", "min", "max", "sum", "median", "var"):
            extra = {"ddof": 1} if name in ("std", "var") else {}
            return lambda *_, **__: self._reduced(getattr(np, name)(self._data, axis=0, **extra))
        return Inert()  # info, describe, corr, plot, hist …

    def _reduced(self, value: Any) -> Any:
        return type(self)(value, self._names, name=None) if np.ndim(value) else value

    def drop(self, labels: Any = None, axis: Any = 0, columns: Any = None, index: Any = None, inplace: bool = False):
        names = columns if columns is not None else labels if axis in (1, "columns") else None
        if names is None:
            rows = np.atleast_1d(np.asarray(labels if index is None else index))
            changed = self._like(np.delete(self._data, rows.astype(int), axis=0))
        else:
            gone = {self._place(name) for name in ([names] if isinstance(names, str | int) else names)}
            kept = [k for k in range(len(self._names)) if k not in gone]
            changed = self._like(self._data[:, kept], [self._names[k] for k in kept])
        if inplace:
            self._data, self._names = changed._data, changed._names
            return None
        return changed

    def pop(self, name: Any) -> Frame:
        column = self[name]
        self.drop(columns=name, inplace=True)
        return column

    def head(self, n: int = 5) -> Frame:
        return self[:n]

    def tail(self, n: int = 5) -> Frame:
        return self[-n:]

    def sample(self, n: int | None = None, frac: float = 1.0, random_state: Any = None, **_: Any) -> Frame:
        order = np.random.default_rng(0).permutation(len(self))
        return self._like(self._data[order[: n or round(frac * len(self))]])

    def astype(self, dtype: Any, **_: Any) -> Frame:
        return self._like(self._data.astype(object if dtype in ("category", "string") else dtype))

    def isnull(self) -> Frame:
        return self._like(self._data != self._data)

    isna = isnull

    def any(self, *_: Any, **__: Any) -> Any:
        return self._reduced(self._data.any(axis=0))

    def unique(self) -> Any:
        return self.array(np.unique(self._data))

    def nunique(self) -> int:
        return len(np.unique(self._data))

    def value_counts(self, **_: Any) -> Frame:
        values, counts = np.unique(self._data, return_counts=True)
        return type(self)(counts, values, name=None)

    def map(self, function: Any, **_: Any) -> Frame:
        change = function.get if isinstance(function, dict) else function
        return self._like([change(value) for value in self._data.tolist()])

    def apply(self, function: Any, axis: Any = 0, **_: Any) -> Frame:
        if self._data.ndim < 2:
            return self.map(function)
        parts = [self[name] for name in self._names] if axis == 0 else [self._like(row) for row in self._data]
        results = [np.asarray(function(part)) for part in parts]
        return self._like(np.stack(results, axis=1 if axis == 0 and results[0].ndim else 0))

    def replace(self, old: Any, new: Any = None, **_: Any) -> Frame:
        pairs = old if isinstance(old, dict) else {old: new}
        return self.map(lambda value: pairs.get(value, value)) if self._data.ndim < 2 else self

    def iterrows(self) -> Iterator[tuple[int, Frame]]:
        return ((k, self._like(row)) for k, row in enumerate(self._data))

    def tolist(self) -> list[Any]:
        return self._data.tolist()

    to_list = tolist


def _operation(name: str) -> Callable[[Frame, Any], Frame]:
    def operate(self: Frame, *other: Any) -> Frame:
        parts = [part._data if isinstance(part, Frame) else part for part in other]
        return self._like(getattr(self._data, name)(*parts))

    return operate


for _name in ["add", "sub", "mul", "truediv", "pow", "mod", "floordiv"]:
    setattr(Frame, f"__{_name}__", _operation(f"__{_name}__"))
    setattr(Frame, f"__r{_name}__", _operation(f"__r{_name}__"))
for _name in ["lt", "le", "gt", "ge", "eq", "ne", "and", "or", "invert", "neg", "abs"]:
    setattr(Frame, f"__{_name}__", _operation(f"__{_name}__"))


class _Names(list):
    """The names of columns, which also behave like an array of them."""

    values = property(lambda self: np.array(self, object))

    def tolist(self) -> list[Any]:
        return list(self)

    to_list = tolist

    def drop(self, names: Any) -> _Names:
        return _Names(n for n in self if n not in ([names] if isinstance(names, str) else names))


class _Places:
    """`iloc`, and `loc` whose columns are names."""

    def __init__(self, frame: Frame, by_name: bool) -> None:
        self._frame, self._by_name = frame, by_name

    def __getitem__(self, key: Any) -> Any:
        frame = self._frame
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        rows = np.asarray(rows) if isinstance(rows, Frame) else rows
        if frame._data.ndim < 2:
            return frame._like(frame._data[rows]) if np.ndim(frame._data[rows]) else frame._entry(frame._data[rows])
        places: Any = np.arange(len(frame._names))
        if isinstance(columns, slice) and self._by_name:
            start, stop = (None if name is None else frame._place(name) for name in (columns.start, columns.stop))
            columns = slice(start, None if stop is None else stop + 1)
        elif self._by_name:
            columns = [frame._place(n) for n in columns] if isinstance(columns, list) else frame._place(columns)
        chosen = places[columns]
        data = frame._data[rows][..., chosen]
        names = [frame._names[k] for k in np.atleast_1d(chosen)]
        return frame._like(data, names) if np.ndim(data) else frame._entry(data)


def _tidy(data: np.ndarray) -> np.ndarray:
    """Numbers where all are numbers."""
    if data.dtype.kind not in "OU":
        return data
    try:
        numbers = data.astype(np.float64)
    except (TypeError, ValueError):
        return data.astype(object)
    return numbers.astype(np.int64) if numbers.size and np.all(numbers == np.floor(numbers)) else numbers


def read_text(frame: type[Frame], text: str, separator: str, header: bool, names: Any) -> Frame:
    """The table that a CSV holds."""
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True) if row]
    columns = rows.pop(0) if header else names
    data = np.array(rows, object)
    parts = [_tidy(np.where(column == "", "nan", column)).astype(object) for column in data.T]
    return frame(np.column_stack(parts), names or columns)


def pandas(array: Callable[[Any], Any], read: Callable[[str], Any]) -> dict[str, Any]:
    """The functions of the module. `read` gives a file's text or, as (columns, rows), what a missing one would hold."""
    frame = type("DataFrame", (Frame,), {"array": staticmethod(array)})

    def read_csv(path: Any, sep: Any = ",", header: Any = "infer", names: Any = None, nrows: Any = None, **how: Any):
        found = path.read() if hasattr(path, "read") else read(str(path))
        if isinstance(found, tuple):
            table = frame(found[1], found[0] if header == "infer" and names is None else names)
        else:
            separator = how.get("delimiter") or sep
            separator = " " if how.get("delim_whitespace") or separator in (r"\s+", None) else separator
            table = read_text(frame, found, separator, header is not None and names is None, names)
        if how.get("index_col") in (0, True):
            table = table.iloc[:, 1:]
        if how.get("usecols") is not None:
            columns = how["usecols"]
            table = table[columns] if isinstance(columns[0], str) else table.iloc[:, columns]
        return table[:nrows] if nrows else table

    def get_dummies(data: Any, *_: Any, **__: Any) -> Frame:
        values, places = np.unique(np.asarray(data), return_inverse=True)
        return frame(np.eye(len(values), dtype=np.int64)[places.reshape(-1)], list(values))

    def concat(parts: Any, axis: int = 0, **_: Any) -> Frame:
        columns = [p._data.reshape(len(p), -1) if axis in (1, "columns") else p._data for p in map(frame, parts)]
        names = [name for p in parts for name in p._names] if axis in (1, "columns") else parts[0]._names
        return frame(np.concatenate(columns, axis=1 if axis in (1, "columns") else 0), names)

    def to_numeric(data: Any, **_: Any) -> Any:
        return data.astype(float) if isinstance(data, Frame) else data

    functions = {
        "DataFrame": frame, "Series": functools.partial(frame, name=None), "read_csv": read_csv, "read_table": read_csv,
        "get_dummies": get_dummies, "concat": concat, "to_numeric": to_numeric,
    }  # fmt: skip
    return {f"pandas.{name}": value for name, value in functions.items()}
