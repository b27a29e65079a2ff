"""What an author's frames could name while a step was made, line by line: of this a line to write instead is made.

The program runs once more under a trace. Before each simple statement between the labels and the step, the arrays that
expressions of the frame hold are noted by the numbers of their Nodes, which are those of the first run.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from jaxnet.compare.author import lines
from jaxnet.compare.author.names import parts
from jaxnet.compare.author.node import Place
from jaxnet.compare.author.recorder import Array, Float, Number, known_node
from jaxnet.compare.author.tape import Tape, is_authors, place_of

MOST = 600  # moments that are kept
TEXTS = 600  # expressions that are tried in each
INDICES = 24  # of containers, in a function
ENTRIES = 40  # of a list or dict


class Moment(NamedTuple):
    """A statement that is about to be run, what can be named there, and what it gives."""

    place: Place
    number: int  # of Nodes so far
    arrays: dict[str, int]  # expression: number of its Node
    numbers: dict[str, float]
    functions: dict[str, Callable]  # of one argument, the author's own
    numpy: str | None  # what NumPy is called
    end: int = 0  # number of Nodes after the statement
    result: int | None = None  # number of the Node that is assigned or returned


class Trace:
    """Notes moments while `tape` has from `first` to `last` Nodes; `tape` is asked for at each line."""

    def __init__(self, tape: Callable[[], Tape | None], first: int, last: int):
        self.tape, self.first, self.last = tape, first, last
        self.moments: list[Moment] = []
        self._open: dict[types.FrameType, int] = {}
        self._of: Tape | None = None

    def __enter__(self) -> Trace:
        _expressions.cache_clear()  # files have been changed since
        self._before = sys.gettrace()  # a debugger's, say
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        self._open.clear()

    def _call(self, frame: types.FrameType, event: str, argument: Any) -> Callable | None:
        return self._event if is_authors(frame.f_code.co_filename) else None

    def _event(self, frame: types.FrameType, event: str, argument: Any) -> Callable:
        tape = self.tape()
        if tape is None or event not in ("line", "return"):
            return self._event
        if tape is not self._of:  # another way of running the file
            self._of = tape
            self.moments.clear()
            self._open.clear()
        count = len(tape.nodes)
        if frame in self._open:
            self._close(frame, count, argument if event == "return" else None)
        if event == "line" and self.first <= count <= self.last and len(self.moments) < MOST:
            place = place_of(frame)
            statement = lines.statement_at(place)
            if statement is not None and statement.lineno == place.line:
                self._open[frame] = len(self.moments)
                self.moments.append(_moment(frame, place, count))
        return self._event

    def _close(self, frame: types.FrameType, count: int, returned: Any) -> None:
        index = self._open.pop(frame)
        moment = self.moments[index]
        statement = lines.statement_at(moment.place)
        value = returned if isinstance(statement, ast.Return) else None
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            value = _evaluated(ast.unparse(statement.targets[0]), frame)
        node = known_node(value)
        self.moments[index] = moment._replace(end=count, result=node.number if node is not None else None)


def _moment(frame: types.FrameType, place: Place, count: int) -> Moment:
    arrays: dict[str, int] = {}
    numbers: dict[str, float] = {}
    for text, value in _named(frame):
        node = known_node(value)
        if node is not None and isinstance(value, Array | Float):
            arrays.setdefault(text, node.number)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers.setdefault(text, float(value))
    modules = ((name, value) for name, value in frame.f_globals.items() if isinstance(value, types.ModuleType))
    numpy = next((name for name, module in modules if module.__name__ == "numpy"), None)
    return Moment(place, count, arrays, numbers, dict(_functions(frame)), numpy)


def _named(frame: types.FrameType) -> Iterator[tuple[str, Any]]:
    """(expression, value) of what the frame can name, without calling anything of the author's."""
    used, indices = _expressions(frame.f_code.co_filename, frame.f_code.co_name, frame.f_code.co_firstlineno)
    containers: list[tuple[str, Any]] = []
    scope = frame.f_locals
    names = scope if frame.f_code.co_name != "<module>" else [n for n in used if n in scope]
    for name in list(names)[:TEXTS]:
        value = scope[name]
        yield name, value
        if isinstance(value, (list, dict, tuple)):
            containers.append((name, value))
        elif not isinstance(value, types.ModuleType):
            for way, part in parts(value)[:ENTRIES]:
                yield f"{name}{way}", part
                if isinstance(part, (list, dict, tuple)):
                    containers.append((f"{name}{way}", part))
    for text in used:
        if text not in scope and (value := _evaluated(text, frame)) is not None:
            yield text, value
    for name, container in containers:
        for text in _indexed(name, container, indices):
            if (value := _evaluated(text, frame)) is not None:
                yield text, value
        yield from ((f"{name}{way}", part) for way, part in parts(container)[:ENTRIES])


def _indexed(name: str, container: Any, indices: tuple[str, ...]) -> Iterator[str]:
    """The container at the places that the function asks any container for; a dict's other keys of the same make."""
    for index in indices:
        yield f"{name}[{index}]"
        if isinstance(container, dict):
            yield from (f"{name}[{other}]" for other in _with_other_prefixes(index, tuple(map(str, container))))


@lru_cache(maxsize=1000)
def _with_other_prefixes(index: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """`'dW' + str(l)` as `'A' + str(l)`, for the beginnings that keys have."""
    tree = ast.parse(index, mode="eval")
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value]
    if not texts:
        return ()
    found, before = [], texts[0].value
    for prefix in dict.fromkeys(key.rstrip("0123456789") for key in keys):
        if prefix and prefix != before:
            texts[0].value = prefix
            found.append(ast.unparse(tree))
    return tuple(found[:8])


def _functions(frame: types.FrameType) -> Iterator[tuple[str, Callable]]:
    """The author's functions of one argument, and such methods of `self`, or functions that it holds."""
    own = frame.f_locals.get("self")
    found = [*frame.f_globals.items()]
    if own is not None:
        names = (*dir(type(own)), *getattr(own, "__dict__", ()))
        found += [(f"self.{name}", getattr(own, name, None)) for name in names if name[:2] != "__"]
    for name, value in found:
        if isinstance(value, (types.FunctionType, types.MethodType)):
            code = value.__code__
            arguments = code.co_argcount - isinstance(value, types.MethodType)
            if arguments == 1 and is_authors(code.co_filename) and not inspect.isgeneratorfunction(value):
                yield name, value


@lru_cache(maxsize=200)
def _expressions(filename: str, function: str, first: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The expressions of a function that name something and call nothing, and those by which it indexes."""
    try:
        tree = ast.parse(lines.parsed_text(filename))
    except (SyntaxError, ValueError):
        return (), ()
    scope: ast.AST = tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            decorated = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if decorated == first:
                scope = node
    used, indices = {}, {}
    for node in ast.walk(scope):
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and _is_harmless(node):
            used[ast.unparse(node)] = None
            if isinstance(node, ast.Subscript) and not isinstance(node.slice, (ast.Constant, ast.Slice, ast.Tuple)):
                indices |= dict.fromkeys(_with_neighbours(node.slice))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            used[ast.unparse(node)] = None
    return tuple(used)[:TEXTS], tuple(indices)[:INDICES]


def _with_neighbours(index: ast.expr) -> list[str]:
    """`l + 1` itself, and what stands one or two beside it: the layer's own index may be the one that is missing."""
    base, shift = index, 0
    if isinstance(index, ast.BinOp) and isinstance(index.op, (ast.Add, ast.Sub)):
        if isinstance(index.right, ast.Constant) and isinstance(index.right.value, int):
            base, shift = index.left, index.right.value * (1 if isinstance(index.op, ast.Add) else -1)
    elif not isinstance(index, (ast.Name, ast.UnaryOp)) or isinstance(getattr(index, "operand", None), ast.Constant):
        return [ast.unparse(index)]
    text = ast.unparse(base)
    shifts = (shift, shift - 1, shift + 1, shift - 2, shift + 2)
    return [text if s == 0 else f"{text} {'+' if s > 0 else '-'} {abs(s)}" for s in shifts]


def _is_harmless(node: ast.AST) -> bool:
    """Whether an expression only names, indexes and computes with plain numbers: nothing of the author's is called."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    return all(isinstance(n.func, ast.Name) and n.func.id in ("str", "len", "int") for n in calls) and not any(
        isinstance(n, (ast.Slice, ast.Await, ast.NamedExpr, ast.Lambda, ast.ListComp)) for n in ast.walk(node)
    )


def _evaluated(text: str, frame: types.FrameType) -> Any:
    """The value of an expression, if neither an array is indexed for it nor anything raised; None if not."""
    code, bases = _compiled(text)
    if code is None:
        return None
    try:
        if any(isinstance(eval(base, frame.f_globals, frame.f_locals), Array | Number) for base in bases):
            return None  # a view would be put on the record
        return eval(code, frame.f_globals, frame.f_locals)
    except Exception:
        return None


@lru_cache(maxsize=5000)
def _compiled(text: str) -> tuple[types.CodeType | None, tuple[types.CodeType, ...]]:
    """The expression, and what is indexed in it or asked for an attribute that would be an array, innermost first: of
    X.T.dot not X.T, which is a view of X."""
    try:
        tree = ast.parse(text, mode="eval")
        looked_up = [n for n in ast.walk(tree) if isinstance(n, ast.Subscript | ast.Attribute)]
        if not all(isinstance(n.value, ast.Name | ast.Attribute | ast.Subscript) for n in looked_up):
            return None, ()  # (p - y).mean would put p − y on the record
        plain = ("shape", "size", "ndim")
        bases = [ast.unparse(n.value) for n in looked_up if isinstance(n, ast.Subscript) or n.attr not in plain]
        bases.sort(key=len)
        return compile(tree, "<named>", "eval"), tuple(compile(base, "<named>", "eval") for base in bases)
    except (SyntaxError, ValueError):
        return None, ()
