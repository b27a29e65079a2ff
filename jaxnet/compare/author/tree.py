"""The author's tree of files: where in it the module of a name is, and which of its programs use a file."""

from __future__ import annotations

import ast
import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from jaxnet.compare.author.statements import Unit, read_units

SKIPPED = {
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", "site-packages",
    ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache",
}  # fmt: skip
_MOST = 3000  # programs that are looked at
_LARGE = 3_000_000  # bytes of one
_TRAINS = re.compile(r"fit|train|back_?prop|backward|learn|sgd|descent|optimi[sz]e|update|step|epoch", re.I)


class Tree:
    """The files below a root, as imports look for them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @functools.cached_property
    def programs(self) -> list[Path]:
        """All .py and .ipynb of the tree, in order."""
        return list(_programs(self.root))

    def contains(self, path: Path) -> bool:
        return path.is_relative_to(self.root)

    def source(self, path: Path) -> Path | None:
        """The code of a module: a package's is in its __init__.py, if it has one."""
        if path.is_dir():
            path = path / "__init__.py"
        return path if path.is_file() else None

    def below(self, folder: Path, parts: list[str]) -> Path | None:
        """The file or folder that is a.b.c, seen from a folder."""
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
        holds_code = package.is_dir() and any(program.is_relative_to(package) for program in self.programs)
        return package if holds_code else None

    def find(self, parts: list[str], folders: list[Path], known: bool) -> Path | None:
        """The folder in which the first part of a.b.c lies: one of `folders`, or else where the tree has such a name.

        `known`: there is another module of that name, which only a file in one of `folders` hides.
        """
        for folder in folders:
            if self.below(folder, parts) and not (known and self.source_of_first(folder, parts) is None):
                return folder
        if known:
            return None
        above = [folder for folder in [folders[0], *folders[0].parents] if self.contains(folder)]
        for folder in [*above, self.root / "src"]:
            if self.below(folder, parts):
                return folder
        if parts[0] == self.root.name and self.below(self.root, parts[1:]):
            return self.root.parent
        return self._elsewhere(parts, folders[0])

    def source_of_first(self, folder: Path, parts: list[str]) -> Path | None:
        first = self.below(folder, parts[:1])
        return first and self.source(first)

    @functools.cached_property
    def _holders(self) -> dict[str, set[Path]]:
        """For the name of each module and package, the folders that one lies in."""
        holders: dict[str, set[Path]] = {}
        for program in self.programs:
            place = program.parent if program.stem == "__init__" else program.with_suffix("")
            while place != self.root and self.contains(place) and place.parent not in holders.get(place.name, ()):
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


def _programs(root: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not Path(folder, f, "pyvenv.cfg").exists())
        for file in sorted(files):
            if file.endswith((".py", ".ipynb")):
                yield Path(folder, file)
                count += 1
                if count == _MOST:
                    return


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
            units = _units(path)
            if not any(imported in edge for imported in _imports(units, path, tree)):
                continue
            distance[path] = min(distance[known] for known in edge) + 1
            later.append(path)
            calls = _calls_when_run(units)
            if bool(calls) != defining and path.stem != "__init__":
                trains = len({call for call in calls if _TRAINS.search(call)}) + 3 * ("train" in path.stem.lower())
                is_test = bool(re.match(r"test_|conftest|.*_test$", path.stem))
                found.append((is_test, -trains, distance[path], _distance(path, file), str(path)))
        edge = later
    return [Path(path) for *_, path in sorted(found)[:most]]


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.stat().st_size < _LARGE else ""


def _units(path: Path) -> list[Unit]:
    try:
        return read_units(path, path.name)
    except ValueError:
        return []


def _imports(units: list[Unit], path: Path, tree: Tree) -> Iterator[Path]:
    """The files of the tree that a program's import statements name."""
    for node in (node for unit in units for statement in unit.body for node in ast.walk(statement)):
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
            moved = None if base else tree.moved(parts, path.parent)
            if moved and (source := tree.source(moved)):
                yield source
            for k in range(len(parts) + 1):
                place = base and tree.below(base, parts[:k])
                source = place and tree.source(place)
                if source:
                    yield source


def _calls_when_run(units: list[Unit]) -> set[str]:
    """The names of the functions and methods that are called by running a program, through its own functions too."""
    statements = [statement for unit in units for statement in unit.body]
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    functions = {s.name: s for s in statements if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)}
    todo: list[ast.AST] = [s for s in statements if not isinstance(s, definitions)]
    calls: set[str] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in functions and name not in calls:
                    todo.append(functions[name])
                calls.add(name)
    return calls
