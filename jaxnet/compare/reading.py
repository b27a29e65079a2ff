"""Takes the functions, classes, imports of NumPy and plain constants out of an author's file, and runs nothing else.

A notebook is a file of several units, one a code cell; a .py file has one. A program is made twice from the same
units: once with NumPy, and once with jax.numpy in its place.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import copy
import importlib
import io
import json
import math
import re
import types
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

AUTHOR = "jaxnet_author"  # __name__ of an author's namespace, and so __module__ of the classes in it

# fmt: off
_HARMLESS = {
    "abc", "cmath", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "itertools", "math", "numbers", "numpy", "operator", "random", "re", "statistics", "string",
    "textwrap", "time", "types", "typing", "warnings",
}
_PLAIN_BUILTINS = {
    "abs", "bool", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int", "len", "list", "max", "min",
    "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip",
}
# fmt: on
_READS_FILES = {"load", "loadtxt", "genfromtxt", "fromfile", "memmap", "save", "savez", "savetxt", "fromregex", "open"}
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "python", "python3", "debug"}


class Unit(NamedTuple):
    """A .py file, or one code cell of a notebook."""

    filename: str  # what its code objects are compiled with, which tells them apart while they run
    cell: int | None
    tree: ast.Module
    text: list[str]


def read_units(path: Path) -> list[Unit]:
    """The parsed code of a .py or .ipynb; ValueError with file, cell and line where it cannot be read or parsed."""
    if path.suffix not in (".py", ".ipynb"):
        raise ValueError(f"{path}: expected a .py or .ipynb file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    if path.suffix == ".ipynb":
        return [
            Unit(f"{path}#cell{number}", number, *_parse(source, path, number))
            for number, source in enumerate(_code_cells(content, path), 1)
        ]
    return [Unit(str(path), None, *_parse(_decode(content, path), path, None))]


def _decode(content: bytes, path: Path) -> str:
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is not text that Python can read: {error}") from None


def _code_cells(content: bytes, path: Path) -> Iterator[str]:
    try:
        notebook = json.loads(content)
        sheets = [notebook] if "cells" in notebook else notebook["worksheets"]  # worksheets: before nbformat 4
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell.get("cell_type") == "code"]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: is not a notebook: {type(error).__name__}: {error}") from None
    for source in sources:
        yield source if isinstance(source, str) else "".join(source)


def _parse(source: str, path: Path, cell: int | None) -> tuple[ast.Module, list[str]]:
    """The tree and its lines; what only IPython understands is blanked where Python alone cannot read it."""
    text = source.splitlines()
    for candidate in (source, "\n".join(_without_magics(text))):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # '\d' in a docstring, `is 0`: the author's business
                return ast.parse(candidate), text
        except (SyntaxError, ValueError) as error:
            problem = error
    line = getattr(problem, "lineno", None)
    where = ", ".join([str(path)] + ([f"cell {cell}"] if cell else []) + ([f"line {line}"] if line else []))
    shown = f": {text[line - 1].strip()}" if line and line <= len(text) else ""
    raise ValueError(f"{where}: syntax error: {getattr(problem, 'msg', problem)}{shown}")


def _without_magics(text: list[str]) -> list[str]:
    first = next((line for line in text if line.strip()), "").strip()
    if first.startswith("%%") and re.sub(r"\W.*", "", first[2:]) not in _PYTHON_CELLS:
        return []
    return [_without_magic(line) for line in text]


def _without_magic(line: str) -> str:
    indent, code = re.match(r"(\s*)(.*)", line, re.DOTALL).groups()  # pyright: ignore[reportOptionalMemberAccess]
    if code.startswith(("%", "!", "?")) or re.fullmatch(r"[\w.]+\?{1,2}\s*", code):
        return f"{indent}pass" if indent else ""
    return re.sub(r"^([\w, ]+=)\s*[!%].*", r"\1 None", code) if not indent else line


class Program:
    """The author's names, made by running definitions, imports and plain assignments, with NumPy or with JAX."""

    def __init__(self, units: list[Unit], folder: Path, numpy: Any, overrides: dict[str, Any] | None = None) -> None:
        self.units = units
        self.numpy = numpy
        self.modules: dict[str, dict[str, Any]] = {}  # those in files beside it, by name
        self._folder = folder
        self._builtins = {**vars(builtins), "input": _refuse_input, "print": _silent, **(overrides or {})}
        self.names = self._run(units)

    def _run(self, units: list[Unit]) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": AUTHOR, "__builtins__": self._builtins, "__file__": units[0].filename}
        for unit in units:
            self._take(unit.tree.body, names, unit.filename, only_missing=False)
        return names

    def _take(self, body: Iterable[ast.stmt], names: dict, filename: str, only_missing: bool) -> None:
        for statement in body:
            match statement:
                case ast.Import() | ast.ImportFrom():
                    self._import(statement, names)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    if not (only_missing and statement.name in names):
                        _define(statement, names, filename)
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                    known = any(isinstance(t, ast.Name) and t.id in names for t in targets)
                    if not (only_missing and known) and self._plain_assignment(statement, targets, names):
                        _execute(statement, names, filename)
                case ast.If():
                    branch = only_missing or "__name__" in ast.unparse(statement.test)
                    self._take(statement.body, names, filename, branch)
                    self._take(statement.orelse, names, filename, True)
                case ast.Try():
                    self._take(statement.body, names, filename, only_missing)
                    for handler in statement.handlers:
                        self._take(handler.body, names, filename, True)
                case _:
                    pass

    def _plain_assignment(self, statement: Any, targets: Sequence[ast.expr], names: dict) -> bool:
        return (
            statement.value is not None
            and self.is_plain(statement.value, names)
            and all(isinstance(t, ast.Name) or self.is_plain(t, names) or _all_names(t) for t in targets)
        )

    def is_plain(self, node: ast.AST, names: dict) -> bool:
        """Whether an expression is a constant, or made of constants by operators and harmless calls alone."""
        match node:
            case ast.Lambda() | ast.expr_context() | ast.operator() | ast.unaryop() | ast.cmpop() | ast.boolop():
                return True
            case ast.Name(id=name):
                return name in names or name in _PLAIN_BUILTINS
            case ast.Attribute(value=value, attr=attr):
                return attr not in _READS_FILES and not self._inert(node, names) and self.is_plain(value, names)
            case ast.ListComp() | ast.DictComp() | ast.SetComp() | ast.GeneratorExp():
                bound = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
                return all(self.is_plain(c, {**names, **dict.fromkeys(bound)}) for c in ast.iter_child_nodes(node))
            case ast.Call(func=func):
                called = _value(func, names)
                author = getattr(called, "__globals__", None) or {"__name__": getattr(called, "__module__", None)}
                return author["__name__"] != AUTHOR and all(self.is_plain(c, names) for c in ast.iter_child_nodes(node))
            case ast.Await() | ast.Yield() | ast.YieldFrom() | ast.NamedExpr():
                return False
            case ast.expr() | ast.keyword() | ast.comprehension():
                return not self._inert(node, names) and all(self.is_plain(c, names) for c in ast.iter_child_nodes(node))
        return False

    def _inert(self, node: ast.AST, names: dict) -> bool:
        return any(isinstance(n, ast.Name) and isinstance(names.get(n.id), Inert) for n in ast.walk(node))

    def _import(self, statement: ast.Import | ast.ImportFrom, names: dict) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                root = alias.name.split(".")[0]
                names[alias.asname or root] = self.module(alias.name if alias.asname else root)
            return
        if statement.module == "__future__":
            return
        module = self.module(statement.module or "", beside=statement.level > 0)
        for alias in statement.names:
            if alias.name == "*":
                listed = module if isinstance(module, dict) else {n: getattr(module, n) for n in _public(module)}
                names.update({n: v for n, v in listed.items() if not n.startswith("_")})
            elif isinstance(module, types.SimpleNamespace) and not hasattr(module, alias.name):
                names[alias.asname or alias.name] = self.module(alias.name, beside=True)
            else:
                names[alias.asname or alias.name] = getattr(module, alias.name, INERT)

    def module(self, name: str, beside: bool = False) -> Any:
        """What `import name` gives the author: NumPy, a harmless module, a file beside theirs, or a stand-in."""
        parts = name.split(".")
        if parts[-1] == "numpy" or parts[0] in ("numpy", "cupy", "jnp"):
            below = parts[1:] if parts[0] in ("numpy", "cupy") else []
            return _walk_attributes(self.numpy, below)
        if parts[0] == "scipy":
            return self.numpy.__scipy__(parts[1:])
        if parts[0] == "tqdm":
            return types.SimpleNamespace(tqdm=_first, trange=range, notebook=types.SimpleNamespace(tqdm=_first))
        if parts[0] == "math" and self.numpy.traces:
            return self.numpy.math
        if parts[0] in _HARMLESS and not beside:
            return importlib.import_module(name)
        neighbour = self._folder.joinpath(*parts[:-1], f"{parts[-1]}.py") if parts[-1] else None
        if neighbour is not None and neighbour.is_file():
            if name not in self.modules:
                self.modules[name] = {}  # for modules that import each other
                self.modules[name].update(self._neighbour(neighbour))
            return types.SimpleNamespace(**self.modules[name])
        return types.SimpleNamespace() if beside and not name else INERT

    def _neighbour(self, path: Path) -> dict[str, Any]:
        try:
            return self._run(read_units(path))
        except ValueError:
            return {}


def _all_names(target: ast.expr) -> bool:
    return isinstance(target, ast.Tuple | ast.List) and all(isinstance(t, ast.Name) for t in target.elts)


def _value(node: ast.AST, names: dict) -> Any:
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=value, attr=attr):
            return getattr(_value(value, names), attr, None)
    return None


def _execute(statement: ast.stmt, names: dict, filename: str) -> Exception | None:
    """Runs one statement; what it raises is returned: a definition that fails is only missing."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            flags = __future__.annotations.compiler_flag  # annotations name what is not imported here
            exec(compile(ast.Module([statement], []), filename, "exec", flags, dont_inherit=True), names)
    except Exception as error:
        return error
    return None


def _define(statement: Any, names: dict, filename: str) -> None:
    """Runs a def or class; names in defaults, decorators and bases that are not there get a stand-in meanwhile."""
    if isinstance(statement, ast.ClassDef):
        kept = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.AnnAssign | ast.Assign | ast.Pass
        body = [s for s in statement.body if isinstance(s, kept)] or [ast.Pass()]
        statement = copy.copy(statement)
        statement.body = body
        ast.fix_missing_locations(statement)
    lent = []
    for _ in range(20):
        error = _execute(statement, names, filename)
        if not isinstance(error, NameError) or not error.name or error.name in names:
            break
        names[error.name] = INERT
        lent.append(error.name)
    for name in lent:
        del names[name]


def _public(module: Any) -> list[str]:
    return [] if isinstance(module, Inert) else list(getattr(module, "__all__", dir(module)))


def _walk_attributes(value: Any, names: list[str]) -> Any:
    for name in names:
        value = getattr(value, name, INERT)
    return value


def _silent(*_: Any, **__: Any) -> None:
    """print, for an author whose output must not mix with the verdict."""


def _refuse_input(*_: Any) -> str:
    raise ValueError("the code asks for input()")


def _first(iterable: Any = (), *_: Any, **__: Any) -> Any:
    return iterable


class Inert:
    """Stands in for what is not imported (Matplotlib, Pandas …): takes every use of it, and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **_: Any) -> Any:
        return args[0] if len(args) == 1 and isinstance(args[0], types.FunctionType | type) else self

    def __getitem__(self, _: Any) -> Inert:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        return ()

    def __deepcopy__(self, _: Any) -> Inert:
        return self


INERT = Inert()

_REMOVED = {
    "float": float,
    "int": int,
    "float_": float,
    "product": np.prod,
    "Inf": np.inf,
    "NaN": np.nan,
    "object": object,
}
_CREATES = {"zeros", "ones", "empty", "full", "eye", "identity", "arange", "linspace", "array", "asarray"}
_CREATES_LIKE = {"zeros_like", "ones_like", "empty_like", "full_like"}


class NumPy(types.ModuleType):
    """numpy as the author sees it: in float64 throughout, and with the names that NumPy 2 took away."""

    traces = False

    def __init__(self) -> None:
        super().__init__("numpy")
        self.float32 = self.float16 = self.single = self.half = np.float64
        self.__all__ = np.__all__

    def __getattr__(self, name: str) -> Any:
        return _REMOVED[name] if name in _REMOVED else getattr(np, name)

    def __scipy__(self, below: list[str]) -> Any:
        return importlib.import_module("scipy.special") if below == ["special"] else _Scipy(self)


class JaxNumPy(types.ModuleType):
    """jax.numpy under numpy's name. What holds no traced value stays NumPy, so that it can be assigned into."""

    traces = True

    def __init__(self) -> None:
        super().__init__("numpy")
        self.float32 = self.float16 = self.single = self.half = np.float64
        self.__all__ = np.__all__
        self.math = _JaxMath()

    def __getattr__(self, name: str) -> Any:
        import jax.numpy as jnp

        plain = _REMOVED[name] if name in _REMOVED else getattr(np, name)
        if name == "linalg":
            return jnp.linalg
        traced = getattr(jnp, name, None)
        if isinstance(plain, type | types.ModuleType) or not callable(plain) or traced is None:
            return jnp.vectorize if name == "vectorize" else plain
        return _on_traced(plain, traced, name)

    def __scipy__(self, below: list[str]) -> Any:
        return importlib.import_module("jax.scipy.special") if below == ["special"] else _Scipy(self)


class _Scipy:
    """scipy, of which only scipy.special is used in such files."""

    def __init__(self, numpy: Any) -> None:
        self._numpy = numpy

    def __getattr__(self, name: str) -> Any:
        return self._numpy.__scipy__(["special"]) if name == "special" else INERT


def _has_jax(value: Any) -> bool:
    import jax

    if isinstance(value, list | tuple):
        return any(map(_has_jax, value))
    return isinstance(value, jax.Array)


def _on_traced(plain: Any, traced: Any, name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _has_jax(args) and not _has_jax(tuple(kwargs.values())):
            return plain(*args, **kwargs)
        import jax.numpy as jnp

        try:
            return traced(*args, **kwargs)
        except TypeError:  # jax.numpy takes no lists where NumPy does
            return traced(*(jnp.asarray(a) if isinstance(a, list) else a for a in args), **kwargs)

    call.__name__ = name
    return call


class _JaxMath(types.ModuleType):
    """math that takes traced scalars too."""

    def __init__(self) -> None:
        super().__init__("math")

    def __getattr__(self, name: str) -> Any:
        import jax.numpy as jnp

        plain = getattr(math, name)
        return _on_traced(plain, getattr(jnp, name), name) if callable(plain) and hasattr(jnp, name) else plain


class _FloatType(type):
    def __call__(cls, value: Any = 0.0) -> Any:
        return value.astype(np.float64).reshape(()) if _has_jax(value) else float(value)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, float)


def countable(*bounds: Any) -> Any:
    """range, as an array that can also be an index of a traced array: probs[range(m), y]."""
    return np.arange(*bounds)


class TracedFloat(metaclass=_FloatType):
    """float, for an author's `float(loss)` of a traced value; as a dtype it is float64."""

    dtype = np.dtype(np.float64)
