"""Records what each statement of the author's code assigned, while it runs under NumPy.

After every statement all that is in reach of the running function (its variables, entries of its dicts and lists,
attributes of its objects) is compared with what was there before, so that changes in place are seen as well.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from jaxnet.compare.reading import AUTHOR, Unit

T = TypeVar("T")

_DEPTH = 4  # of containers in containers
_ENTRIES = 64  # of a list that are watched one by one
_EVENTS = 20_000  # statements; after that only what functions return is recorded
_INNER = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


class Assignment(NamedTuple):
    """A value that a line of the author's code gave to something, as seen while the code ran."""

    line: int  # of the statement's first line, in the file; in a notebook, in its cell
    cell: int | None  # of a notebook, counting code cells from 1
    function: str  # the function that the line stands in
    expression: str  # what was assigned to, in the author's words: dZ2, grads['dW2'], self.W1, or 'return'
    value: np.ndarray  # a float64 copy; a scalar has shape ()


class _Seen(NamedTuple):
    value: Any  # kept, so that no other object can get its id
    copy: np.ndarray
    owner: Any


class _Place(NamedTuple):
    slot: tuple[Any, Any]  # (container, key): the same however it is reached
    owner: Any
    expression: str
    value: Any


def record(action: Callable[[], T], units: list[Unit]) -> tuple[T, list[Assignment]]:
    """Runs action and returns what it returned, with the assignments that the units' functions made."""
    recorder = _Recorder(units)
    before = sys.gettrace()
    sys.settrace(recorder.enter)
    try:
        result = action()
    finally:
        sys.settrace(before)
    return result, recorder.assignments


def statements_by_line(tree: ast.Module) -> dict[int, ast.stmt]:
    """For each line of a file the innermost statement that it belongs to."""
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):  # outer ones come first, and inner ones overwrite them
        if isinstance(node, ast.stmt):
            found.update(dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), node))
    return found


def is_number(value: Any) -> bool:
    """A number, or an array of numbers."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf" and value.size <= 10_000_000
    return isinstance(value, bool | int | float | np.number) and not isinstance(value, complex)


def is_authors(value: Any) -> bool:
    """An object of one of the author's classes."""
    return type(value).__module__ == AUTHOR and hasattr(value, "__dict__")


class _Recorder:
    def __init__(self, units: list[Unit]) -> None:
        self.assignments: list[Assignment] = []
        self._units = {unit.filename: (unit.cell, statements_by_line(unit.tree)) for unit in units}
        self._seen: dict[tuple[Any, Any], _Seen] = {}
        self._frames = itertools.count()
        self._events = 0

    def enter(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if event != "call" or code.co_filename not in self._units or code.co_name in _INNER:
            return None
        key = ("frame", next(self._frames))
        statements = self._units[code.co_filename][1]
        for place in self._places(frame, key, statements):
            self._seen[place.slot] = _seen(place)
        line = 0

        def step(frame: FrameType, event: str, value: Any) -> Any:
            nonlocal line
            if event in ("line", "return") and line:
                self._collect(frame, key, line)
            if event == "return":
                self._returned(frame, value)
            line = frame.f_lineno
            return step

        return step

    def _collect(self, frame: FrameType, key: Any, line: int) -> None:
        """Records what the statement on the line that was just left has changed."""
        self._events += 1
        if self._events > _EVENTS:
            return
        statements = self._units[frame.f_code.co_filename][1]
        for place in self._places(frame, key, statements):
            old = self._seen.get(place.slot)
            if old is not None and old.value is place.value and _same(old.copy, place.value):
                continue
            self._seen[place.slot] = _seen(place)
            statement = statements.get(line)
            start = statement.lineno if statement else line
            start = _line_of_element(statement, place.expression) or start
            self._add(frame, start, place.expression, self._seen[place.slot].copy)

    def _returned(self, frame: FrameType, value: Any) -> None:
        statement = self._units[frame.f_code.co_filename][1].get(frame.f_lineno)
        line = statement.lineno if statement else frame.f_lineno
        shown = statement.value if isinstance(statement, ast.Return) else None
        parts: list[tuple[int, Any]] = [(line, value)]
        if (
            isinstance(shown, ast.Tuple | ast.List)
            and isinstance(value, tuple | list)
            and len(shown.elts) == len(value)
        ):
            parts = [(node.lineno, part) for node, part in zip(shown.elts, value, strict=True)]
        elif isinstance(shown, ast.Dict) and isinstance(value, dict) and len(shown.values) == len(value):
            parts = [(node.lineno, part) for node, part in zip(shown.values, value.values(), strict=True)]
        for place, part in parts:
            if is_number(part):
                self._add(frame, place, "return", np.array(part, np.float64))

    def _add(self, frame: FrameType, line: int, expression: str, value: np.ndarray) -> None:
        cell = self._units[frame.f_code.co_filename][0]
        function = frame.f_code.co_qualname.replace("<locals>.", "")
        self.assignments.append(Assignment(line, cell, function, expression, value))

    def _places(self, frame: FrameType, key: Any, statements: dict[int, ast.stmt]) -> Iterator[_Place]:
        visited: set[int] = set()
        for name, value in list(frame.f_locals.items()):
            yield from _reach(name, value, (key, name), None, visited, _DEPTH)
        definition = statements.get(frame.f_code.co_firstlineno)
        for name in _globals_of(definition) if definition is not None else ():
            if name in frame.f_globals:
                yield from _reach(name, frame.f_globals[name], ("global", name), None, visited, _DEPTH)


def _globals_of(definition: ast.stmt) -> set[str]:
    """The module's variables that a function says it assigns to."""
    cached = getattr(definition, "_globals", None)
    if cached is None:
        cached = {name for n in ast.walk(definition) if isinstance(n, ast.Global) for name in n.names}
        definition._globals = cached  # pyright: ignore[reportAttributeAccessIssue]
    return cached


def _reach(expression: str, value: Any, slot: Any, owner: Any, visited: set[int], depth: int) -> Iterator[_Place]:
    """Every number and array that can be reached from a value, with the author's expression for it."""
    if is_number(value):
        yield _Place(slot, owner, expression, value)
        return
    if depth == 0 or id(value) in visited:
        return
    if isinstance(value, dict):
        parts = [(f"{expression}[{k!r}]", k, v) for k, v in list(value.items())[:_ENTRIES]]
    elif isinstance(value, list | tuple) or (
        isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1
    ):
        parts = [(f"{expression}[{k}]", k, v) for k, v in enumerate(value[:_ENTRIES])]
    elif is_authors(value):
        parts = [(f"{expression}.{k}", k, v) for k, v in list(vars(value).items())]
    else:
        return
    visited.add(id(value))
    for name, part, entry in parts:
        yield from _reach(name, entry, (id(value), part), value, visited, depth - 1)


def _seen(place: _Place) -> _Seen:
    return _Seen(place.value, np.array(place.value, np.float64), place.owner)


def _same(copy: np.ndarray, value: Any) -> bool:
    return not isinstance(value, np.ndarray) or np.array_equal(copy, value, equal_nan=value.dtype.kind == "f")


def _line_of_element(statement: ast.stmt | None, expression: str) -> int | None:
    """Where a display of several lines is assigned, the line of the element's own expression."""
    if not isinstance(statement, ast.Assign) or statement.lineno == statement.end_lineno:
        return None
    shown, (target, *_) = statement.value, statement.targets
    if isinstance(shown, ast.Tuple | ast.List) and isinstance(target, ast.Tuple | ast.List):
        names = [ast.unparse(t) for t in target.elts]
        return shown.elts[names.index(expression)].lineno if expression in names[: len(shown.elts)] else None
    entries: dict[str, ast.expr] = {}
    if isinstance(shown, ast.Dict):
        for key, value in zip(shown.keys, shown.values, strict=True):
            with contextlib.suppress(ValueError, TypeError):
                entries[repr(ast.literal_eval(key))] = value  # pyright: ignore[reportArgumentType]
    elif isinstance(shown, ast.Tuple | ast.List):
        entries = {str(i): value for i, value in enumerate(shown.elts)}
    elif (
        isinstance(shown, ast.Call) and not shown.args and isinstance(shown.func, ast.Name) and shown.func.id == "dict"
    ):
        entries = {repr(keyword.arg): keyword.value for keyword in shown.keywords}
    root = ast.unparse(target)
    return next((v.lineno for k, v in entries.items() if expression.startswith(f"{root}[{k}]")), None)
