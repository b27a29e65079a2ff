"""Runs a .py file or a notebook as its author would, statement by statement.

A statement that raises is noted and left out, and the next one is run. What the program imports is `imports`' affair.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import copy
import functools
import linecache
import os
import random
import re
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author import python2
from jaxnet.compare.author.edits import file_and_cell
from jaxnet.compare.author.facade import type_of
from jaxnet.compare.author.imports import Imports
from jaxnet.compare.author.inert import Inert
from jaxnet.compare.author.meanings import role
from jaxnet.compare.author.reasons import LATE
from jaxnet.compare.author.recorder import as_float, current_tape, difference, named, plain, unrecorded
from jaxnet.compare.author.smaller import Sizes
from jaxnet.compare.author.stated import Stated
from jaxnet.compare.author.statements import Unit, read_units
from jaxnet.compare.author.tape import Another, Enough
from jaxnet.compare.author.tree import Tree, modules_below

TIME_IS_UP = f"stopped: {LATE}"
_NOTES = 20  # that are kept
_KEPT = 10_000  # numbers of an array that a function is given
LOOPS = 3  # inside one another, which may end where they train what is known: Python has room for 20 blocks
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.AnnAssign)
_ASKS_FOR_MAIN = ("__name__ == '__main__'", "'__main__' == __name__")


class Ran(NamedTuple):
    """What became of a program."""

    entry: Path  # the file that was run, relative to the root of the author's tree
    namespace: dict[str, Any]  # its globals afterwards
    notes: list[str]  # what could not be run, one line each
    started: Callable[[], contextlib.AbstractContextManager[None]]  # the state of the process that its functions need
    in_time: bool  # it was not stopped for want of time
    entered: dict[str, tuple[Any, ...]]  # the functions that it has called, and what it gave them the first time
    broken: frozenset[str]  # those that something was raised in …
    raised: frozenset[tuple[str, int]]  # … and at which lines, before a training was ended early
    strangers: dict[str, str]  # modules that may be another project's, and their files
    beside: Callable[[], dict[str, type]]  # the classes of other modules in its folder, and in the folders in that
    fewer: dict[str, int]  # its numbers that can be smaller, as they can be, or are, by name …
    fewer_alone: bool  # … and none of them stands anywhere else


class OutOfTime(BaseException):
    """Ends a program that is still running at its deadline."""


def run(
    file: Path,
    root: Path,
    modules: dict[str, types.ModuleType],
    *,
    builtins: dict[str, Any] | None = None,
    arguments: Sequence[str] = (),
    deadline: float | None = None,
    python2: bool = False,
    smaller: bool = False,
    examples: Mapping[int, int] = types.MappingProxyType({}),
    by_counts: bool = False,
    loss: Stated | None = None,
) -> Ran:
    """Run `file` of the tree below `root` as `__main__`, until it ends, the recorder has enough, or time is up.

    `modules` are seen by the tree in the place of the real ones, by their dotted names; `builtins` in the place of
    `input`, `open` …; `arguments` stand after the program's name on its command line; `deadline` is a value of
    `time.monotonic`; with `python2` it is a program of Python 2, even if Python 3 can parse it; `smaller` makes its
    sizes so, and of the numbers of `examples` fewer; with `by_counts` a notebook's cells are run in the order of their
    counts. Code objects have the file's name relative to `root`, those of a notebook's cell `name#cell-k`, k from 1.
    """
    program = _Program(
        file.resolve(), root.resolve(), modules, builtins or {}, python2, smaller, examples, by_counts, loss
    )
    is_notebook = file.suffix == ".ipynb"
    if is_notebook:
        del program.main.__file__
    started = functools.partial(_as_started, program.imports, program.sizes.of_arguments(arguments, smaller))
    in_time = True
    try:
        with started(), alarm(deadline):
            program.run_file(program.file, program.main, forgiving_exit=is_notebook)
    except (Enough, OutOfTime) as end:
        in_time = not isinstance(end, OutOfTime)
        program.note_the_end(end)
    entry, namespace = program.file.relative_to(program.root), program.main.__dict__
    broken, raised = frozenset(program.broken), frozenset(program.raised)
    notes, strangers = program.all_notes(), program.imports.strangers
    fewer, entered = (program.sizes.by_name, program.sizes.stand_alone), dict(program.entered)
    beside = program.classes_beside
    return Ran(entry, namespace, notes, started, in_time, entered, broken, raised, strangers, beside, *fewer)


@contextlib.contextmanager
def _as_started(imports: Imports, arguments: Sequence[str]) -> Iterator[None]:
    """The process is as the program's author would have started it: folder, arguments, `__main__`.

    What a program changes of the process is put back at the end.
    """
    folder, recursion_limit, main = os.getcwd(), sys.getrecursionlimit(), sys.modules["__main__"]
    old_arguments, path, environment = sys.argv[:], sys.path[:], dict(os.environ)
    with warnings.catch_warnings(), np.errstate():
        warnings.simplefilter("ignore")
        random.seed(0)  # each run of a program gives the same
        np.random.seed(0)
        try:
            os.chdir(imports.folder)
            sys.argv[:] = [str(imports.file), *arguments]
            sys.path.insert(0, str(imports.folder))
            sys.path_hooks.insert(0, imports.path_hook)
            sys.modules["__main__"] = imports.main
            yield
        finally:
            imports.withdraw()
            with contextlib.suppress(OSError):
                os.chdir(folder)
            sys.argv[:], sys.path[:], sys.modules["__main__"] = old_arguments, path, main
            os.environ.update(environment)
            sys.setrecursionlimit(recursion_limit)


@contextlib.contextmanager
def alarm(deadline: float | None) -> Iterator[None]:
    """Raises OutOfTime in the main thread at the deadline, and again each second if the program catches it."""
    if deadline is None or not hasattr(signal, "setitimer"):
        yield
        return

    running = [True]

    def ring(*_: object) -> None:
        if running:
            raise OutOfTime

    def lost(what: Any) -> None:
        """What the garbage collector calls cannot raise it."""
        if issubclass(what.exc_type, OutOfTime):
            signal.setitimer(signal.ITIMER_REAL, 0.01, 1.0)
        else:
            hook(what)

    before, hook = signal.signal(signal.SIGALRM, ring), sys.unraisablehook
    sys.unraisablehook = lost
    signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 0.01), 1.0)
    try:
        yield
    finally:
        running.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = hook


def shorten(seconds: float) -> None:
    """Let the alarm that is set ring after these seconds."""
    if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] > seconds:
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)


class _Program:
    """A program that is being run, and the notes that were made meanwhile."""

    def __init__(
        self,
        file: Path,
        root: Path,
        modules: dict[str, types.ModuleType],
        overrides: dict[str, Any],
        python2: bool,
        smaller: bool,
        examples: Mapping[int, int],
        by_counts: bool,
        loss: Stated | None,
    ) -> None:
        self.file, self.root = file, root
        self.smaller, self.by_counts, self.loss = smaller, by_counts, loss
        self.sizes = Sizes(examples)
        self.notes: list[str] = []
        self.missing: set[str] = set()  # names that statements left out would have bound
        self.followed = 0  # statements left out for want of these
        self.trained = False  # something: what goes wrong from here on may follow from where that was ended
        self.loops: list[_Loop] = []  # that are being run
        self.python2 = python2  # some file of it is
        self.filenames: set[str] = set()
        self.entered: dict[str, tuple[Any, ...]] = {}
        self.broken: set[str] = set()
        self.raised: set[tuple[str, int]] = set()
        self.shown: set[tuple[str, int]] = set()  # what is shown now and then only, and has been once
        own = {
            "get_ipython": lambda: _Shell(self),
            "display": lambda *_, **__: None,
            "__named__": named,
            "__float__": as_float,
            "__type__": type_of,
            "__difference__": difference,
            "__unrecorded__": unrecorded,
            "__loop__": lambda: _Loop(self),
            "__once__": self.is_first,
            "__entered__": self.enter,
            "__aside__": _aside,
        }
        self.imports = Imports(Tree(root), file, modules, {**own, **overrides}, self.run_file)
        self.main = self.imports.main

    def run_file(self, path: Path, module: types.ModuleType, forgiving_exit: bool = False) -> None:
        """Run each statement of a file; SystemExit passes on, unless it is forgiven as a notebook does."""
        name = str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name
        units = read_units(path, name, self.by_counts)
        self.sizes.learn("\n".join(unit.text for unit in units), [part for unit in units for part in unit.body])
        if _uses_unbound("np", [statement for unit in units for statement in unit.body]):
            module.__dict__.setdefault("np", self.imports.modules.get("numpy", np))
            self._add(f"{name} uses np, which it does not import")
        if len(units) == 1:
            module.__doc__ = ast.get_docstring(ast.Module(units[0].body, []), clean=False)
        for unit in units:
            self._run_unit(unit, module.__dict__, forgiving_exit)

    def _run_unit(self, unit: Unit, namespace: dict[str, Any], forgiving_exit: bool) -> None:
        self.filenames.add(unit.filename)
        lines = unit.text.splitlines(True)
        linecache.cache[unit.filename] = (len(unit.text), None, lines, unit.filename)
        self.python2 = self.python2 or unit.python2  # and so is what it imports
        if self.python2:
            self.imports.builtins.__dict__.update(python2.LISTS)
        for line, why in unit.broken:
            self._add(f"{self._place(unit.filename, line)} left out: {why}")
        keeping = _Keeping(unit.filename, self.python2 and not unit.flags & __future__.division.compiler_flag)
        for statement in _one_by_one(unit.body, namespace):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    if self.loss is not None:
                        self.loss.insert(statement, unit.filename)
                    self.sizes.shrink(statement, in_place=self.smaller)
                    module = ast.Module([keeping.visit(statement)], [])
                    compiled = functools.partial(compile, module, unit.filename, "exec", dont_inherit=True)
                    code = compiled(unit.flags)
                try:
                    exec(code, namespace)
                except Exception:
                    if not isinstance(statement, _DEFINITIONS):
                        raise
                    # An annotation may name what is not here.
                    exec(compiled(unit.flags | __future__.annotations.compiler_flag), namespace)
            except Exception as error:
                self._leave_out(statement, unit, error)
            except Another as end:
                self.pass_on(end, (unit.filename, statement.lineno))
            except SystemExit as end:
                self.note(end, f"the program ended itself: sys.exit({'' if end.code is None else end.code!r})")
                if not forgiving_exit:
                    if namespace is not self.main.__dict__:
                        raise
                    return

    def classes_beside(self) -> dict[str, type]:
        """What the modules define that only define something, in the program's folder and in the folders in that."""
        modules = []
        for path in modules_below(self.file.parent):
            with contextlib.suppress(Exception):  # one that needs what is not here
                modules.append(self.imports.module_at(path))
        named = [(n, value, module.__name__) for module in modules for n, value in vars(module).items()]
        return {n: value for n, value, own in named if isinstance(value, type) and value.__module__ == own}

    def enter(self, function: str, *arguments: Any) -> None:
        """Notes that a function is called, unless it is given what has no effect: nothing is known of it then."""
        if function not in self.entered and not any(isinstance(argument, Inert) for argument in arguments):
            self.entered[function] = tuple(map(_kept, arguments))

    def is_first(self, *line: Any) -> bool:
        """Whether it is asked for this line the first time."""
        return line not in self.shown and self.shown.add(line) is None

    def pass_on(self, end: Another, place: tuple[str, int] | None = None) -> None:
        """To the next statement."""
        if end.note:
            self.note(end, f"stopped: {end.note}", place)
        else:
            self.trained = True

    # --- notes ----------------------------------------------------------------------------------------------------

    def _leave_out(self, statement: ast.stmt, unit: Unit, error: Exception) -> None:
        frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        self.broken |= {code.co_name for code, _ in frames}
        own = [(code.co_filename, line) for code, line in frames if code.co_filename in self.filenames]
        self.raised |= {*own[-1:]} if not self.trained else set()
        try:
            message = " ".join(str(error).replace(f"{self.root}/", "").split())[:200]  # as in the author's own tree
        except Exception:  # an author's __str__
            message = ""
        follows = isinstance(error, NameError) and getattr(error, "name", None) in self.missing
        follows |= f"'{Inert.__name__}'" in message  # it computes with what has no effect
        self.missing |= _bound_by(statement)
        if follows:
            self.followed += not self.trained
            return
        text = f"{type(error).__name__}: {message}" if message else type(error).__name__
        outdated = isinstance(error, ImportError) or (isinstance(error, TypeError) and "keyword argument" in message)
        text += ", perhaps since its training was ended early" if self.trained and not outdated else ""
        self.note(error, text, (unit.filename, statement.lineno))

    def note(self, error: BaseException, text: str, place: tuple[str, int] | None = None) -> None:
        """A note with the innermost line of the author's that the error came from, else with that place."""
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename in self.filenames:
                place = frame.f_code.co_filename, line
        self._add(f"{self._place(*place)}: {text}" if place else text)

    def note_the_end(self, end: BaseException) -> None:
        """That the program was stopped: too early, or once it had trained, with something left to be run."""
        if self.trained:
            self.note(end, "stopped once it had trained: what comes after this was not run")
            self.notes.insert(0, self.notes.pop())  # before what was left out on the way
        elif isinstance(end, OutOfTime):
            self.note(end, TIME_IS_UP)

    def _place(self, filename: str, line: int) -> str:
        path, cell = file_and_cell(filename)
        where = [] if path == str(self.file.relative_to(self.root)) else [path]
        return ", ".join([*where, *([] if cell is None else [f"cell {cell}"]), f"line {line}"])

    def _add(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def all_notes(self) -> list[str]:
        more = len(self.notes) - _NOTES
        kept = self.notes[:_NOTES] + ([f"{more} more of that kind"] if more > 0 else [])
        return kept + ([f"{self.followed} statements that need what is missing"] if self.followed else [])


def _kept(value: Any) -> Any:
    """A copy, off the record, of what was given to a function, if that is small and made of arrays and numbers."""
    if isinstance(value, np.ndarray):
        return np.array(plain(value)) if value.size <= _KEPT and value.dtype.kind in "biufc" else None
    if type(value) is dict and len(value) <= _NOTES:
        return {key: _kept(part) for key, part in value.items()}
    return plain(value) if isinstance(value, int | float | str) else None


def _aside(value: Any, known: dict[int, Any] | None = None) -> Any:
    """A copy of an author's object, with its very arrays: what a method keeps in it is not seen later."""
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    known[id(value)] = value
    fixed = isinstance(value, type | types.ModuleType | types.FunctionType | np.ndarray)
    if isinstance(value, list | dict) or (isinstance(getattr(value, "__dict__", None), dict) and not fixed):
        known[id(value)] = other = copy.copy(value)
        parts = other if isinstance(other, list | dict) else vars(other)
        for key, part in list(parts.items() if isinstance(parts, dict) else enumerate(parts)):
            parts[key] = _aside(part, known)
        return other
    return value


class _Loop:
    """A loop of the author's: where it trains what is known by then, it ends, and what stands after it is run."""

    def __init__(self, program: _Program) -> None:
        tape = current_tape()
        self._program = program
        self._last = tape.nodes[-1] if tape is not None and tape.nodes else None  # that was recorded before it

    @property
    def began(self) -> int:
        return self._last.number + 1 if self._last is not None else 0

    def __enter__(self) -> None:
        self._program.loops.append(self)

    def __exit__(self, kind: Any, end: Any, _: Any) -> bool:
        loops = self._program.loops
        which = end.which_of([loop.began for loop in loops]) if kind is Another else None
        is_this = which is not None and loops[which] is self
        loops.remove(self)  # that of a generator may not be the last
        if is_this:
            self._program.pass_on(end)
        return is_this


class _Shell:
    """What get_ipython() gives: runs %run and the Python of cell magics, and does nothing else."""

    def __init__(self, program: _Program) -> None:
        self._program = program

    def run_line_magic(self, name: str, line: str = "", *_: Any) -> None:
        words = [word for word in re.sub("['\"]", "", line).split() if not word.startswith("-")]
        if name == "run" and words:
            path = Path(words[0] if words[0].endswith((".py", ".ipynb")) else f"{words[0]}.py")
            self._program.run_file(path.resolve(), self._program.main, forgiving_exit=True)

    def run_cell_magic(self, name: str, _: str, cell: str) -> None:
        if name in ("time", "timeit", "capture"):
            exec(compile(cell, "<cell>", "exec"), self._program.main.__dict__)

    def magic(self, text: str) -> None:
        self.run_line_magic(*text.partition(" ")[::2])

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class _Keeping(ast.NodeTransformer):
    """What is given a name goes through `recorder.named`, `float(x)` through `recorder.as_float`, and a − b through
    `recorder.difference`: nothing is lost of what is on the record, or belongs there. What only checks gradients, entry
    by entry, goes through `recorder.unrecorded`: nothing is trained by it, and it takes most of the time. What a loop
    shows now and then only is shown at once, too: a loss that is printed each hundredth time is seen. `type(x)` is
    NumPy's, and `x == None` is `x is None`, as it was for arrays before NumPy 1.13. `divides_integers`: `/` is
    Python 2's."""

    def __init__(self, filename: str, divides_integers: bool) -> None:
        self.filename, self.divides_integers = filename, divides_integers
        self.loops: list[ast.For | ast.While] = []  # around what is visited

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        given = [ast.Name(a.arg, ast.Load()) for a in (*node.args.posonlyargs, *node.args.args)]
        entered = _call_instead("__entered__", [ast.Constant(node.name), *given], node)
        node.body.insert(ast.get_docstring(node) is not None, ast.copy_location(ast.Expr(entered), node.body[0]))
        if re.search("numerical_?grad|grad(ient)?s?_?check|check_?grad", node.name, re.I):
            node.decorator_list.append(ast.copy_location(ast.Name("__unrecorded__", ast.Load()), node))
        return node

    def visit_For(self, node: ast.For | ast.While) -> ast.AST:
        self.loops.append(node)
        self.generic_visit(node)
        self.loops.pop()
        if len(self.loops) >= LOOPS:
            return node
        loop = _call_instead("__loop__", [], node)
        return ast.copy_location(ast.With([ast.withitem(loop)], [node]), node)

    visit_While = visit_For

    def visit_If(self, node: ast.If) -> ast.AST:
        shows = bool(self.loops) and _shows_now_and_then(node, self.loops[-1])
        self.generic_visit(node)
        if shows:
            handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
            once = _call_instead("__once__", [ast.Constant(self.filename), ast.Constant(node.lineno)], node.test)
            early = ast.Try(copy.deepcopy(node.body), [handler], [], [])  # it may not be made for the first time
            node.orelse = [ast.fix_missing_locations(ast.copy_location(ast.If(once, [early], []), node))]
            node.body.insert(0, ast.copy_location(ast.Expr(once), node))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("float", "type") and len(node.args) == 1:
            node.func = ast.copy_location(ast.Name(f"__{node.func.id}__", ast.Load()), node.func)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        identity = {ast.Eq: ast.Is(), ast.NotEq: ast.IsNot()}
        for k, (op, other) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if isinstance(other, ast.Constant) and other.value is None:
                node.ops[k] = identity.get(type(op), op)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        sides = [node.left, node.right]
        if isinstance(node.op, ast.Div) and self.divides_integers:
            return _call_instead("__divide__", sides, node)
        if isinstance(node.op, ast.Sub) and not any(isinstance(side, ast.Constant) for side in sides):
            return _call_instead("__difference__", sides, node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Call | ast.Attribute | ast.Subscript | ast.Name | ast.BinOp | ast.Tuple):
            node.value = _call_instead("__named__", [node.value], node.value)
        return node


def _shows_now_and_then(node: ast.If, loop: ast.For | ast.While) -> bool:
    """Whether all that a loop does each so many times is to compute something and to show it, or to keep it: nothing
    that the next round begins with is another one then, as after W = W - rate * dW, or dW = 0."""
    parts = [part for statement in node.body for part in ast.walk(statement)]
    called = [call.func for call in parts if isinstance(call, ast.Call)]
    names = [f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called]
    plain = all(isinstance(statement, ast.Expr | ast.Assign) for statement in node.body)
    assigned = [statement for statement in node.body if isinstance(statement, ast.Assign)]
    return (
        plain
        and not node.orelse
        and not any(isinstance(part, ast.Yield | ast.YieldFrom | ast.Await) for part in parts)
        and any(isinstance(part, ast.Mod) for part in ast.walk(node.test))
        and not {"print", "append", "write", "info"}.isdisjoint(names)
        and all(isinstance(t, ast.Name) and _is_made_anew(t.id, loop, node) for s in assigned for t in s.targets)
        and not any(role(name) in ("train", "zero", "init", "backward", "update") for name in names)
    )


def _is_made_anew(name: str, loop: ast.For | ast.While, apart: ast.If) -> bool:
    """Whether each round of a loop gives a value to a name before it uses it, but for one part of the loop."""
    inside = set(ast.walk(apart))
    uses = [n for n in ast.walk(loop) if isinstance(n, ast.Name) and n.id == name and n not in inside]
    if not uses:
        return True
    first = min(uses, key=lambda n: (n.lineno, n.col_offset))
    made = (n for n in ast.walk(loop) if isinstance(n, ast.Assign) and first in n.targets)
    return any(name not in {part.id for part in ast.walk(n.value) if isinstance(part, ast.Name)} for n in made)


def _call_instead(function: str, arguments: list[ast.expr], node: ast.expr | ast.stmt) -> ast.Call:
    call = ast.Call(ast.Name(function, ast.Load()), arguments, [])
    return ast.fix_missing_locations(ast.copy_location(call, node))


def _one_by_one(body: list[ast.stmt], namespace: dict[str, Any]) -> Iterator[ast.stmt]:
    """The statements, those of `if __name__ == "__main__"` one by one too."""
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) in _ASKS_FOR_MAIN:
            yield from statement.body if namespace.get("__name__") == "__main__" else statement.orelse
        else:
            yield statement


def _uses_unbound(name: str, statements: list[ast.stmt]) -> bool:
    """Whether a name is used that nothing in the program could bind: no assignment, import or argument."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    return any(node.id == name for node in names) and not bound & {name, "*"}


def _bound_by(statement: ast.stmt) -> set[str]:
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        names = {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        names = {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    return names
