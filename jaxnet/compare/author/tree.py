"""The author's tree of files: where in it the module of a name is, and which of its programs use a file."""

from __future__ import annotations

import ast
import functools
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from jaxnet.compare.author.statements import read_units

SKIPPED = {
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", "site-packages",
    ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache",
}  # fmt: skip
_MOST = 3000  # programs that are looked at
_MODULES = 50  # that classes are looked for in
_LARGE = 3_000_000  # bytes of one
_TRAINS = re.compile(r"fit|train|back_?prop|backward|learn|sgd|des?cent|optimi[sz]e|update|step|epoch", re.I)


class Tree:
    """The files below a root, as imports look for them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @functools.cached_property
    def programs(self) -> list[Path]:
        """All .py and .ipynb of the tree, in order."""
        return list(itertools.islice(programs_below(self.root), _MOST))

    def contains(self, path: Path) -> bool:
        return path.is_relative_to(self.root)

    def source(self, path: Path) -> Path | None:
        """The code of a module: a package's is in its __init__.py, if it has one."""
        if path.is_dir():
            path = path / "__init__.py"
        return path if path.is_file() else None

    def below(self, folder: Path, parts: list[str], any_case: bool = False) -> Path | None:
        """The file or folder that is a.b.c, seen from a folder; a file in `any_case`, as some file systems have it."""
        for part in parts[:-1]:
            folder = folder / part
            if not folder.is_dir():
                return None
        if not parts:
            return folder
        package, file = folder / parts[-1], folder / f"{parts[-1]}.py"
        if (package / "__init__.py").is_file():
            return package
        if file.is_file():
            return file
        if any_case and folder.is_dir():
            return next((path for path in folder.glob("*.py") if path.stem.lower() == parts[-1].lower()), None)
        holds_code = package.is_dir() and any(program.is_relative_to(package) for program in self.programs)
        return package if holds_code else None

    def find(self, parts: list[str], folders: list[Path], known: bool) -> Path | None:
        """The folder in which the first part of a.b.c lies: one of `folders`, or else where the tree has such a name.

        `known`: there is another module of that name, which only a file in one of `folders` hides.
        """
        if known:
            firsts = ((folder, self.below(folder, parts[:1])) for folder in folders if self.below(folder, parts))
            return next((folder for folder, first in firsts if first and self.source(first)), None)
        seeing = (folder for folder in self.places(folders) if self.below(folder, parts))
        return next(seeing, None) or self._elsewhere(parts, folders[0])

    def places(self, folders: list[Path]) -> list[Path]:
        """Where Python finds the modules of a program that looks in `folders`, run from wherever it is meant to be."""
        return [*folders, *(above for above in folders[0].parents if self.contains(above)), self.root / "src"]

    @functools.cached_property
    def _holders(self) -> dict[str, set[Path]]:
        """For the name of each module and package, the folders that one lies in."""
        holders: dict[str, set[Path]] = {}
        for program in self.programs:
            place = program.parent if program.stem == "__init__" else program.with_suffix("")
            while self.contains(place) and place.parent not in holders.get(place.name, ()):
                holders.setdefault(place.name, set()).add(place.parent)
                place = place.parent
        return holders

    def _elsewhere(self, parts: list[str], near: Path) -> Path | None:
        """The folder nearest to `near` from which a.b.c can be seen."""
        seeing = {folder for folder in self._holders.get(parts[0], ()) if self.below(folder, parts)}
        return min(seeing, key=lambda folder: (_distance(folder, near), str(folder)), default=None)

    def moved(self, parts: list[str], near: Path) -> Path | None:
        """The file or folder that is b.c or c, where a.b.c is looked for and the folder a has gone."""
        for k in range(1, len(parts)):
            base = self._elsewhere(parts[k:], near)
            if base is not None:
                return self.below(base, parts[k:])
        return None

    def package(self, folder: Path) -> list[str]:
        return list(folder.relative_to(self.root.parent).parts) if self.contains(folder) else [folder.name]


def programs_below(root: str | Path) -> Iterator[Path]:
    """The .py and .ipynb below a folder that may be the author's, in order."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not Path(folder, f, "pyvenv.cfg").exists())
        programs = (Path(folder, file) for file in sorted(files) if file.endswith((".py", ".ipynb")))
        yield from (path for path in programs if path.is_file())


def _distance(a: Path, b: Path) -> int:
    shared = len(os.path.commonpath([a, b]).split(os.sep))
    return len(a.parts) + len(b.parts) - 2 * shared


# --- programs that use a file -----------------------------------------------------------------------------------------


def importers(file: Path, root: Path, most: int = 5, defining: bool = False) -> list[Path]:
    """At most `most` programs of the tree that import `file`, by themselves or through others.

    Those that make training calls when they are run come first, then the nearer ones; tests come last. A file that
    only defines things is no program: with `defining`, those.
    """
    file, tree = file.resolve(), Tree(root.resolve())
    texts = {path: _text(path) for path in tree.programs if path != file}
    distance = {file: 0}
    edge = [file]
    found = []
    while edge:
        names = "|".join({re.escape(path.parent.name if path.stem == "__init__" else path.stem) for path in edge})
        mentioned = re.compile(rf"import.*\b(?:{names})\b|\b(?:{names})\b.*import")
        later = []
        for path in [path for path in texts if path not in distance and mentioned.search(texts[path])]:
            statements = _statements(path)
            if not any(imported in edge for imported in _imports(statements, path, tree)):
                continue
            distance[path] = min(distance[known] for known in edge) + 1
            later.append(path)
            calls = _calls_when_run(statements)
            if bool(calls) != defining and path.stem != "__init__":
                trains = len({call for call in calls if _TRAINS.search(call)}) + 3 * ("train" in path.stem.lower())
                is_test = bool(re.match(r"test_|conftest|.*_test$", path.stem))
                found.append((is_test, -trains, distance[path], _distance(path, file), str(path)))
        edge = later
    return [Path(path) for *_, path in sorted(found)[:most]]


def modules_below(folder: Path) -> list[Path]:
    """The .py below a folder that only define something when they are run."""
    below = (path for path in programs_below(folder) if path.suffix == ".py" and path.stem != "__init__")
    return [path for path in itertools.islice(below, _MODULES) if not _calls_when_run(_statements(path))]


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.stat().st_size < _LARGE else ""


def _statements(path: Path) -> list[ast.stmt]:
    try:
        return [statement for unit in read_units(path, path.name) for statement in unit.body]
    except ValueError:
        return []


def _imports(statements: list[ast.stmt], path: Path, tree: Tree) -> Iterator[Path]:
    """The files of the tree that a program's import statements name."""
    for node in (node for statement in statements for node in ast.walk(statement)):
        match node:
            case ast.Import(names=names):
                wanted = [(alias.name.split("."), 0) for alias in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                parts = module.split(".") if module else []
                wanted = [(parts, level), *(([*parts, alias.name], level) for alias in names)]
            case _:
                continue
        for parts, level in wanted:
            base = path.parents[level - 1] if level else tree.find(parts, [path.parent], False)
            if base:
                places = [tree.below(base, parts[:k]) for k in range(len(parts) + 1)]
            else:
                places = [tree.moved(parts, path.parent)]
            yield from (source for place in places if place and (source := tree.source(place)))


def _calls_when_run(statements: list[ast.stmt]) -> set[str]:
    """The names of the functions and methods that are called by running a program, through its own functions too."""
    functions = {s.name: s for s in statements if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)}
    todo = [s for s in statements if not isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    calls: set[str] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    if name in functions and name not in calls:
                        todo.append(functions[name])
                    calls.add(name)
    return calls
