"""Runs a .py file or a notebook as its author would, with other modules in the place of some that it imports.

The replacements are seen by the author's tree alone. All its modules are loaded here, not by Python's importer, and
are executed with builtins of their own, whose `__import__` knows the replacements; `sys.modules` keeps the real ones.
A statement that raises is noted and left out, and the next one is run.
"""

from __future__ import annotations

import ast
import builtins as real_builtins
import contextlib
import importlib
import importlib.abc
import importlib.util
import linecache
import os
import pickle
import signal
import sys
import time
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.compare.author import python2
from jaxnet.compare.author.statements import Unit, read_units
from jaxnet.compare.author.tape import Enough
from jaxnet.compare.author.tree import Tree, importers

__all__ = ["Ran", "importers", "run"]

_NOTES = 20  # that are kept


class Ran(NamedTuple):
    """What became of a program."""

    entry: Path  # the file that was run, relative to the root of the author's tree
    namespace: dict[str, Any]  # its globals afterwards
    notes: list[str]  # what could not be run, one line each
    enough: bool  # whether the recorder ended the run
    started: StartedBy  # puts the process into the program's state again, to call its functions later


class OutOfTime(BaseException):
    """Ends a program that is still running at its deadline."""


def run(
    file: Path,
    root: Path,
    modules: dict[str, types.ModuleType],
    *,
    builtins: dict[str, Any] | None = None,
    deadline: float | None = None,
) -> Ran:
    """Run `file` of the tree below `root` as `__main__`, until it ends, the recorder has enough, or time is up.

    `modules` are seen by the tree in the place of the real ones, by their dotted names; `builtins` in the place of
    `input`, `open` …; `deadline` is a value of `time.monotonic`. Code objects have the file's name relative to `root`,
    those of a notebook's cell `name#cell-k` with k from 1.
    """
    program = _Program(file.resolve(), root.resolve(), modules, builtins or {})
    started = StartedBy(program)
    enough = False
    main = program.new_module("__main__", program.file)
    if file.suffix == ".ipynb":
        del main.__file__
    program.main = main
    with started, _alarm(deadline):
        try:
            program.run_file(program.file, main, forgiving_exit=file.suffix == ".ipynb")
        except Enough:
            enough = True
        except OutOfTime as end:
            program.note(end, "stopped: the time was up")
    return Ran(program.file.relative_to(program.root), main.__dict__, program.all_notes(), enough, started)


class StartedBy:
    """Context in which the process is as the program's author would have started it: folder, arguments, `__main__`."""

    def __init__(self, program: _Program) -> None:
        self.program = program
        self._before: list[Any] = []

    def __enter__(self) -> None:
        program = self.program
        self._before.append((os.getcwd(), sys.argv[:], sys.path[:], sys.modules.get("__main__")))
        os.chdir(program.folder)
        sys.argv[:] = [str(program.file)]
        sys.path.insert(0, str(program.folder))
        sys.path_hooks.insert(0, program.path_hook)
        sys.modules["__main__"] = program.main
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        folder, arguments, path, main = self._before.pop()
        self._warnings.__exit__(None, None, None)
        with contextlib.suppress(OSError):
            os.chdir(folder)
        sys.argv[:] = arguments
        sys.path[:] = path
        with contextlib.suppress(ValueError):
            sys.path_hooks.remove(self.program.path_hook)
        if main is not None:
            sys.modules["__main__"] = main
        for name, module in list(self.program.registered.items()):
            if sys.modules.get(name) is module:
                del sys.modules[name]


@contextlib.contextmanager
def _alarm(deadline: float | None) -> Iterator[None]:
    """Raises OutOfTime in the main thread at the deadline, and again each second if the program catches it."""
    if deadline is None or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 0.01), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Program:
    """A tree's modules as they are loaded, and the notes that were made meanwhile."""

    def __init__(self, file: Path, root: Path, modules: dict[str, types.ModuleType], overrides: dict[str, Any]) -> None:
        self.file, self.root, self.folder = file, root, file.parent
        self.tree = Tree(root)
        self.main = types.ModuleType("__main__")
        self.loaded: dict[Path, types.ModuleType] = {}
        self.registered: dict[str, types.ModuleType] = {}  # those in sys.modules
        self.notes: list[str] = []
        self.missing: set[str] = set()  # names that statements left out would have bound
        self.followed = 0  # statements left out for want of these
        self.filenames: set[str] = set()
        self._path_before = list(sys.path)
        self.builtins = self._builtins(overrides)
        self.modules = {**modules, **python2.modules(modules.get("pickle", pickle))}
        self.sys = self._sys()
        self.modules.update(
            sys=self.sys, builtins=self.builtins, __builtin__=self.builtins, importlib=self._importlib()
        )

    # --- what the tree sees --------------------------------------------------------------------------------------

    def _builtins(self, overrides: dict[str, Any]) -> types.ModuleType:
        """A module for the author to patch: it is theirs alone."""
        module = types.ModuleType("builtins")
        own = {"__import__": self.import_, "get_ipython": lambda: _Shell(self), "display": lambda *_, **__: None}
        raw_input = {"raw_input": overrides.get("input", input)}
        module.__dict__.update({**vars(real_builtins), **python2.NAMES, **own, **raw_input, **overrides})
        return module

    def _sys(self) -> types.ModuleType:
        module = types.ModuleType("sys")
        seen = {**sys.modules, **self.modules, "__main__": self.main}
        own = {"modules": seen, "maxint": sys.maxsize, "setrecursionlimit": _set_recursion_limit}
        module.__dict__.update({**vars(sys), **own})
        return module

    def _importlib(self) -> types.ModuleType:
        util, module = types.ModuleType("importlib.util"), types.ModuleType("importlib")
        util.__dict__.update({**vars(importlib.util), "spec_from_file_location": self._spec_from_file})
        own = {"import_module": self._import_module, "reload": lambda module: module, "util": util}
        module.__dict__.update({**vars(importlib), **own, "__import__": self.import_})
        self.modules["importlib.util"] = util
        return module

    def _import_module(self, name: str, package: str | None = None) -> types.ModuleType:
        level = len(name) - len(name.lstrip("."))
        if level:
            name = importlib.util.resolve_name(name, package)
        return self._module(name)

    def _spec_from_file(self, name: str, location: Any = None, **_: Any) -> Any:
        path = Path(os.fspath(location)).resolve()
        return importlib.util.spec_from_loader(name, _Loader(self, path), origin=str(path))

    def path_hook(self, entry: str) -> _FindsNothing:
        """For Python's own importer, there is nothing in the author's tree: their random.py is not for SciPy."""
        if not self.root.exists() or not Path(entry or os.getcwd()).resolve().is_relative_to(self.root):
            raise ImportError
        return _FindsNothing()

    # --- imports --------------------------------------------------------------------------------------------------

    def import_(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        """`__import__` for the modules of the tree."""
        module = self._relative(name, globals or {}, level) if level else self._module(name)
        if not fromlist:
            return self._module(name.partition(".")[0])
        names = list(fromlist)
        if "*" in names:
            names += list(getattr(module, "__all__", ()))
        for part in names:
            if part != "*" and not hasattr(module, part):
                self._submodule(module, part)
        return module

    def _submodule(self, package: types.ModuleType, part: str) -> None:
        folder = next(iter(getattr(package, "__path__", ())), None)
        path = folder and self.tree.below(Path(folder), [part])
        if path and self.tree.contains(path):
            setattr(package, part, self._load(path, f"{package.__name__}.{part}"))
        elif hasattr(package, "__path__"):
            with contextlib.suppress(ImportError):
                setattr(package, part, self._module(f"{package.__name__}.{part}"))

    def _relative(self, name: str, globals: dict[str, Any], level: int) -> types.ModuleType:
        """By the file's place, so that it also works in one that is run directly."""
        folder = Path(globals.get("__file__") or self.file).parent
        for _ in range(level - 1):
            folder = folder.parent
        parts = name.split(".") if name else []
        path = self.tree.below(folder, parts)
        if path is None or not self.tree.contains(path):
            return self._module(name or folder.name)
        for k in range(1, len(parts)):
            above = self.tree.below(folder, parts[:k])
            if above is not None:
                self._load(above, ".".join([*self.tree.package(folder), *parts[:k]]))
        return self._load(path, ".".join([*self.tree.package(folder), *parts]))

    def _module(self, name: str) -> types.ModuleType:
        """The module of this dotted name: the author's, a replacement, or the real one."""
        parts = name.split(".")
        known = self._replaced(parts[0]) or self._installed(parts[0])
        base = None if parts[0] in sys.builtin_module_names else self.tree.find(parts, self._folders(), known)
        if base is not None:
            return self._chain(base, parts)
        if name in self.modules:
            return self.modules[name]
        if self._replaced(parts[0]):
            return self._beside_replaced(parts)
        try:
            return importlib.import_module(name)
        except ImportError:
            base = self.tree.find(parts, self._folders(), known=False)
            if base is None:
                raise
            return self._chain(base, parts)

    def _chain(self, base: Path, parts: list[str]) -> types.ModuleType:
        """Load a, a.b and a.b.c, of which the first lies in `base`, and make each an attribute of the one before."""
        module: Any = None
        for k in range(1, len(parts) + 1):
            path = self.tree.below(base, parts[:k])
            assert path is not None
            parent, module = module, self._load(path, ".".join(parts[:k]))
            if parent is not None and not isinstance(getattr(parent, parts[k - 1], None), type):
                setattr(parent, parts[k - 1], module)
        return module

    def _folders(self) -> list[Path]:
        """Where the program looks for modules: in its own folder first, then where it says."""
        added = [Path(entry).resolve() for entry in self.sys.path if entry not in self._path_before]
        return [self.folder, *(folder for folder in added if self.tree.contains(folder))]

    def _replaced(self, top: str) -> bool:
        return top in self.modules or any(name.startswith(f"{top}.") for name in self.modules)

    def _installed(self, top: str) -> bool:
        if top in sys.modules:
            return top not in self.registered
        try:
            return importlib.util.find_spec(top) is not None
        except (ImportError, ValueError):
            return False

    def _beside_replaced(self, parts: list[str]) -> types.ModuleType:
        """A module above, below or beside replacements: what of it is not replaced is the real one's."""
        name, parent = ".".join(parts), ".".join(parts[:-1])
        above = self._module(parent) if parent else None
        if above is not None and isinstance(getattr(above, parts[-1], None), types.ModuleType):
            return getattr(above, parts[-1])
        real = importlib.import_module(name)
        module = types.ModuleType(name, real.__doc__)
        module.__dict__.update(vars(real))
        module.__dict__.setdefault("__getattr__", lambda attribute: getattr(real, attribute))
        self.modules[name] = module
        for child in [n for n in self.modules if n.rpartition(".")[0] == name]:
            setattr(module, child.rpartition(".")[2], self.modules[child])
        if above is not None:
            setattr(above, parts[-1], module)
        return module

    # --- execution ------------------------------------------------------------------------------------------------

    def new_module(self, name: str, path: Path) -> types.ModuleType:
        module = types.ModuleType(name)
        source = self.tree.source(path)
        module.__file__ = str(source or path)
        module.__package__ = name if path.is_dir() else name.rpartition(".")[0]
        if path.is_dir():
            module.__path__ = [str(path)]
        module.__dict__["__builtins__"] = self.builtins
        return module

    def _load(self, path: Path, name: str) -> types.ModuleType:
        """The module of a file, or of a folder with or without an __init__.py: run once, whatever it is called."""
        if path not in self.loaded:
            module = self.loaded[path] = self.new_module(name, path)
            self.sys.modules[name] = module
            if name not in sys.modules:  # where pickle and dataclasses look
                sys.modules[name] = self.registered[name] = module
            source = self.tree.source(path)
            if source is not None:
                self.run_file(source, module)
        return self.loaded[path]

    def run_file(self, path: Path, module: types.ModuleType, forgiving_exit: bool = False) -> None:
        """Run each statement of a file; SystemExit passes on, unless it is forgiven as a notebook does."""
        name = str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name
        units = read_units(path, name)
        if len(units) == 1:
            module.__doc__ = ast.get_docstring(ast.Module(units[0].body, []), clean=False)
        for unit in units:
            self._run_unit(unit, module.__dict__, forgiving_exit)

    def _run_unit(self, unit: Unit, namespace: dict[str, Any], forgiving_exit: bool) -> None:
        self.filenames.add(unit.filename)
        lines = unit.text.splitlines(True)
        linecache.cache[unit.filename] = (len(unit.text), None, lines, unit.filename)
        if unit.python2:
            self.builtins.__dict__.update(python2.LISTS)
        for line, why in unit.broken:
            self._add(f"{self._place(unit.filename, line)} left out: {why}")
        for statement in _one_by_one(unit.body, namespace):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    code = compile(ast.Module([statement], []), unit.filename, "exec", unit.flags, dont_inherit=True)
                exec(code, namespace)
            except Exception as error:
                self._leave_out(statement, unit, error)
            except SystemExit as end:
                self.note(end, f"the program ended itself: sys.exit({'' if end.code is None else end.code!r})")
                if not forgiving_exit:
                    if namespace is not self.main.__dict__:
                        raise
                    return

    # --- notes ----------------------------------------------------------------------------------------------------

    def _leave_out(self, statement: ast.stmt, unit: Unit, error: Exception) -> None:
        follows = isinstance(error, NameError) and getattr(error, "name", None) in self.missing
        self.missing |= _bound_by(statement)
        if follows:
            self.followed += 1
            return
        try:
            message = " ".join(str(error).split())[:200]
        except Exception:  # an author's __str__
            message = ""
        text = f"{type(error).__name__}: {message}" if message else type(error).__name__
        self.note(error, text, (unit.filename, statement.lineno))

    def note(self, error: BaseException, text: str, otherwise: tuple[str, int] | None = None) -> None:
        """A note with the innermost line of the author's that the error came from."""
        place, trace = otherwise, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self.filenames:
                place = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        self._add(f"{self._place(*place)}: {text}" if place else text)

    def _place(self, filename: str, line: int) -> str:
        path, _, cell = filename.partition("#cell-")
        where = [] if path == str(self.file.relative_to(self.root)) else [path]
        return ", ".join(where + ([f"cell {cell}"] if cell else []) + [f"line {line}"])

    def _add(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def all_notes(self) -> list[str]:
        more = len(self.notes) - _NOTES
        kept = self.notes[:_NOTES] + ([f"{more} more of that kind"] if more > 0 else [])
        return kept + ([f"{self.followed} statements that need what is missing"] if self.followed else [])


class _Loader(importlib.abc.Loader):
    """Loads a module that the author finds by its path, for importlib.util.spec_from_file_location."""

    def __init__(self, program: _Program, path: Path) -> None:
        self.program, self.path = program, path

    def create_module(self, spec: Any) -> types.ModuleType:
        return self.program.new_module(spec.name, self.path)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self.program.builtins
        self.program.run_file(self.path, module)


class _FindsNothing:
    def find_spec(self, *_: Any) -> None:
        return None


class _Shell:
    """What get_ipython() gives: runs %run and the Python of cell magics, and does nothing else."""

    def __init__(self, program: _Program) -> None:
        self._program = program

    def run_line_magic(self, name: str, line: str = "", *_: Any) -> None:
        words = line.replace("'", "").replace('"', "").split()
        words = [word for word in words if not word.startswith("-")]
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


def _set_recursion_limit(limit: int) -> None:
    """A program that calls itself without end is to hear of it before the memory is full."""
    sys.setrecursionlimit(min(limit, 10_000))


def _one_by_one(body: list[ast.stmt], namespace: dict[str, Any]) -> Iterator[ast.stmt]:
    """The statements, those of `if __name__ == "__main__"` one by one too."""
    for statement in body:
        if isinstance(statement, ast.If) and _asks_for_main(statement.test):
            yield from statement.body if namespace.get("__name__") == "__main__" else statement.orelse
        else:
            yield statement


def _asks_for_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(ops=[ast.Eq()], left=left, comparators=[right]):
            return {ast.unparse(left), ast.unparse(right)} == {"__name__", "'__main__'"}
    return False


def _bound_by(statement: ast.stmt) -> set[str]:
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        names = {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        names = {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    return names
