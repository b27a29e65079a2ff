"""What an author's tree sees when it imports: its own modules, replacements of some others, and the real rest.

The replacements are seen by the tree alone. All its modules are loaded here, not by Python's importer, and are
executed with builtins of their own, whose `__import__` is the one below; `sys.modules` keeps the real modules.
"""

from __future__ import annotations

import builtins
import collections
import collections.abc
import contextlib
import importlib
import importlib.abc
import importlib.util
import io
import os
import pickle
import queue
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxnet.compare.author import python2
from jaxnet.compare.author.tree import Tree


class Imports:
    """The modules of a tree, loaded as they are asked for; `execute` runs a file in the module that it is given."""

    def __init__(
        self,
        tree: Tree,
        file: Path,
        modules: dict[str, types.ModuleType],
        overrides: dict[str, Any],
        execute: Callable[[Path, types.ModuleType], None],
    ) -> None:
        self.tree, self.file, self.folder, self.execute = tree, file, file.parent, execute
        self.loaded: dict[Path, types.ModuleType] = {}
        self.found: dict[str, types.ModuleType] = {}
        self.registered: dict[str, types.ModuleType] = {}  # those in sys.modules
        self.strangers: dict[str, str] = {}  # those that may be another project's, and their files
        self._path_before = list(sys.path)
        of_python2 = {"raw_input": overrides.get("input", input), "file": overrides.get("open", open)}
        own: dict[str, Any] = {"__import__": self.import_, **of_python2}
        self.builtins = derived(builtins, {**python2.NAMES, **own, **overrides})  # theirs alone, to patch
        self.main = self.new_module("__main__", file)
        self.modules = {**modules, **_older(modules.get("pickle", pickle))}
        seen = {**sys.modules, **self.modules, "__main__": self.main}
        own = {"modules": seen, "maxint": sys.maxsize, "setrecursionlimit": _set_recursion_limit}
        self.sys = derived(sys, own)
        util = derived(importlib.util, {"spec_from_file_location": self._spec_from_file})
        own = {"import_module": self._import_module, "reload": lambda module: module, "util": util}
        self.modules |= {
            "sys": self.sys, "builtins": self.builtins, "__builtin__": self.builtins, "importlib.util": util,
            "importlib": derived(importlib, {**own, "__import__": self.import_}),
            "collections": derived(collections, {n: getattr(collections.abc, n) for n in collections.abc.__all__}),
        }  # fmt: skip

    def _import_module(self, name: str, package: str | None = None) -> types.ModuleType:
        return self._module(importlib.util.resolve_name(name, package))

    def _spec_from_file(self, name: str, location: Any = None, **_: Any) -> Any:
        path = Path(os.fspath(location)).resolve()
        return importlib.util.spec_from_loader(name, _Loader(self, path), origin=str(path))

    def path_hook(self, entry: str) -> _FindsNothing:
        """For Python's own importer, there is nothing in the author's tree: their random.py is not for SciPy."""
        if not self.tree.root.exists() or not Path(entry or os.getcwd()).resolve().is_relative_to(self.tree.root):
            raise ImportError
        return _FindsNothing()

    def withdraw(self) -> None:
        """Take out of the process what was put there for the tree."""
        with contextlib.suppress(ValueError):
            sys.path_hooks.remove(self.path_hook)
        for name, module in self.registered.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        for entry, finder in list(sys.path_importer_cache.items()):
            if isinstance(finder, _FindsNothing):
                del sys.path_importer_cache[entry]

    # --- imports --------------------------------------------------------------------------------------------------

    def import_(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        """`__import__` for the modules of the tree."""
        asking = Path((globals or {}).get("__file__") or self.file)
        module = self._relative(name, asking, level) if level else self._module(name, asking)
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

    def _relative(self, name: str, asking: Path, level: int) -> types.ModuleType:
        """By the file's place, so that it also works in one that is run directly."""
        folder = asking.parent
        for _ in range(level - 1):
            folder = folder.parent
        parts = name.split(".") if name else []
        path = self.tree.below(folder, parts) or self.tree.below(folder, parts, any_case=True)
        if path is None or not self.tree.contains(path):
            return self._module(name or folder.name)
        for k in range(1, len(parts)):
            above = self.tree.below(folder, parts[:k])
            if above is not None:
                self._load(above, ".".join([*self.tree.package(folder), *parts[:k]]))
        return self._load(path, ".".join([*self.tree.package(folder), *parts]))

    def _module(self, name: str, asking: Path | None = None) -> types.ModuleType:
        """The module of this dotted name; looked for once, since functions import too."""
        if name not in self.found:
            self.found[name] = self._search(name, asking)
        return self.found[name]

    def _search(self, name: str, asking: Path | None) -> types.ModuleType:
        """The author's module of this name, or a replacement, or the real one; never the file that is `asking`."""
        if name in _RENAMED:
            return self._module(_RENAMED[name])
        parts = name.split(".")
        known = self._replaced(parts[0]) or (parts[0] not in self.registered and is_installed(parts[0]))
        if not known and (path := self._in_another_case(parts)):
            return self._load(path, name)
        base = None if parts[0] in sys.builtin_module_names else self.tree.find(parts, self._folders(), known)
        if base is not None:
            return self._chain(base, parts)
        moved = self.tree.moved(parts, self.folder) if not known else None
        if moved is not None and self.tree.source(moved) != asking:
            self._note_if_strange(name, moved.parent, moved)
            return self._load(moved, name)
        if name in self.modules:
            return self.modules[name]
        if self._replaced(parts[0]):
            return self._beside_replaced(parts)
        try:
            return importlib.import_module(name)
        except ImportError:
            base = self.tree.find(parts, self._folders(), known=False)
            if base is not None:
                return self._chain(base, parts)
            raise

    def _in_another_case(self, parts: list[str]) -> Path | None:
        """Where the program looks for modules: what some systems find there by a name in other letters."""
        folders = self._folders()
        if any(self.tree.below(folder, parts) for folder in folders):
            return None
        return next(filter(None, (self.tree.below(folder, parts, any_case=True) for folder in folders)), None)

    def _chain(self, base: Path, parts: list[str]) -> types.ModuleType:
        """Load a, a.b and a.b.c, of which the first lies in `base`, and make each an attribute of the one before."""
        module: Any = None
        for k in range(1, len(parts) + 1):
            path = self.tree.below(base, parts[:k])
            assert path is not None
            self._note_if_strange(".".join(parts[:k]), base, path)
            parent, module = module, self._load(path, ".".join(parts[:k]))
            if parent is not None and not isinstance(getattr(parent, parts[k - 1], None), type):
                setattr(parent, parts[k - 1], module)
        return module

    def _note_if_strange(self, name: str, base: Path, path: Path) -> None:
        """A module seen from a folder `base` in which Python does not look, and which is not below the program's."""
        source = self.tree.source(path)
        if source is not None and base not in self.tree.places(self._folders()) and self.folder not in base.parents:
            self.strangers[name] = str(source.relative_to(self.tree.root))

    def _folders(self) -> list[Path]:
        """Where the program looks for modules: in its own folder first, then where it says."""
        added = [Path(entry).resolve() for entry in self.sys.path if entry not in self._path_before]
        return [self.folder, *(folder for folder in added if self.tree.contains(folder))]

    def _replaced(self, top: str) -> bool:
        return top in self.modules or any(name.startswith(f"{top}.") for name in self.modules)

    def _beside_replaced(self, parts: list[str]) -> types.ModuleType:
        """A module above, below or beside replacements: what of it is not replaced is the real one's."""
        name, parent = ".".join(parts), ".".join(parts[:-1])
        above = self._module(parent) if parent else None
        real = importlib.import_module(name)  # first, since pickle looks for what it has imported in sys.modules
        if above is not None and isinstance(getattr(above, parts[-1], None), types.ModuleType):
            return getattr(above, parts[-1])
        module = self.modules[name] = derived(real, {})
        for child in [n for n in self.modules if n.rpartition(".")[0] == name]:
            setattr(module, child.rpartition(".")[2], self.modules[child])
        if above is not None:
            setattr(above, parts[-1], module)
        return module

    # --- loading ---------------------------------------------------------------------------------------------------

    def new_module(self, name: str, path: Path) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__file__ = str(self.tree.source(path) or path)
        module.__package__ = name if path.is_dir() else name.rpartition(".")[0]
        if path.is_dir():
            module.__path__ = [str(path)]
        module.__dict__["__builtins__"] = self.builtins
        return module

    def module_at(self, path: Path) -> types.ModuleType:
        """The module of a file below the program's folder."""
        return self._load(path, ".".join(path.relative_to(self.folder).with_suffix("").parts))

    def _load(self, path: Path, name: str) -> types.ModuleType:
        """The module of a file, or of a folder with or without an __init__.py: run once, whatever it is called."""
        if path not in self.loaded:
            module = self.loaded[path] = self.new_module(name, path)
            self.sys.modules[name] = module
            if name not in sys.modules:  # where pickle and dataclasses look
                sys.modules[name] = self.registered[name] = module
            source = self.tree.source(path)
            if source is not None:
                self.execute(source, module)
        return self.loaded[path]


class _Loader(importlib.abc.Loader):
    """Loads a module that the author finds by its path, for importlib.util.spec_from_file_location."""

    def __init__(self, imports: Imports, path: Path) -> None:
        self.imports, self.path = imports, path

    def create_module(self, spec: Any) -> types.ModuleType:
        return self.imports.new_module(spec.name, self.path)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self.imports.builtins
        self.imports.execute(self.path, module)


class _FindsNothing:
    def find_spec(self, *_: Any) -> None:
        return None


def is_installed(name: str) -> bool:
    if name in sys.modules:
        return True
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # a folder that happens to lie on the path is none


def derived(module: types.ModuleType, changes: dict[str, Any]) -> types.ModuleType:
    """A module like another but for some attributes."""
    copy = types.ModuleType(module.__name__, module.__doc__)
    copy.__dict__.update({"__getattr__": lambda name: getattr(module, name)} | module.__dict__ | changes)
    return copy


# Where scikit-learn has what older programs import.
_RENAMED = {
    "sklearn.cross_validation": "sklearn.model_selection", "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.datasets.samples_generator": "sklearn.datasets",
}  # fmt: skip


def _older(pickle: types.ModuleType) -> dict[str, types.ModuleType]:
    """Python 2's modules that Python 3 has under another name, and of the libraries for programs of either version;
    cPickle is `pickle`, reading strings as Python 2 wrote them."""
    pickles = derived(pickle, {
        "load": lambda file, **how: pickle.load(file, **{"encoding": "latin1", **how}),
        "loads": lambda text, **how: pickle.loads(text, **{"encoding": "latin1", **how}),
    })  # fmt: skip
    moves = derived(builtins, python2.NAMES | {"cPickle": pickles, "StringIO": io.StringIO})
    either = {"six.moves": moves, "past.builtins": derived(builtins, python2.NAMES)}
    return {"cPickle": pickles, "StringIO": io, "cStringIO": io, "Queue": queue, **either}


def _set_recursion_limit(limit: int) -> None:
    """A program that calls itself without end is to hear of it before the memory is full."""
    sys.setrecursionlimit(min(limit, 10_000))
