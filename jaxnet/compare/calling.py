"""Calls an author's functions by argument name, from a pool of values that are known by name.

The pool holds what earlier calls returned, under the author's names, and data of our own under names in angle
brackets: <X>, <Y>, <m>, <prediction>, <rate> … An argument is given the value of its own name if there is one, and
else what its name means. Parameters are found in the pool wherever they are: by name, in dicts, lists, objects.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.functions import Callee, File, return_names, tail
from jaxnet.compare.leaves import Leaf, Refusal, Token, follow, leaves
from jaxnet.compare.names import meanings, read_name
from jaxnet.compare.reading import Program

RATE = 0.125  # a power of two, so that dividing an update by it is exact


class Source(NamedTuple):
    """Where the value of an argument comes from."""

    where: str  # pool, entry (of something in the pool), value, or omit (leave the default)
    key: Any


class Binding(NamedTuple):
    """The sources of all arguments of a call, and of the module's variables that the code reads."""

    arguments: dict[str, Source]
    globals: dict[str, Source]


class Unfillable(Refusal):
    """An argument that nothing known can be given to."""


class Session:
    """One run of the author's code: a program, and the values known by name so far."""

    def __init__(self, program: Program, pool: dict[str, Any], convert: Callable[[Any], Any] | None = None) -> None:
        self.program = program
        self.pool = pool
        self.convert = convert or (lambda value: value)

    def call(self, callee: Callee, binding: Binding) -> Any:
        """Calls by argument name; the author's print is silent (`reading`), their warnings are not heard."""
        names = self.program.names
        for name, source in binding.globals.items():
            names[name] = self._resolve(source)
        function = self._function(callee)
        positional, named = [], {}
        for parameter in callee.arguments:
            source = binding.arguments.get(parameter.name)
            if source is None or source.where == "omit":
                continue
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(self._resolve(source))
            else:
                named[parameter.name] = self._resolve(source)
        result = function(*positional, **named)
        for name, source in binding.globals.items():
            if source.where == "pool" and not str(source.key).startswith("<"):
                self.pool[source.key] = names[name]
        return result

    def _function(self, callee: Callee) -> Any:
        if callee.short == "__init__":
            return self.program.names[callee.owner or ""]
        if callee.owner is None:
            return self.program.names[callee.name]
        return getattr(self.pool.get("self", self.program.names[callee.owner]), callee.short)

    def _resolve(self, source: Source) -> Any:
        if source.where == "pool":
            return self.pool[source.key]
        if source.where == "entry":
            return follow(self.pool, source.key)
        return self.convert(source.key)

    def absorb(self, callee: Callee, result: Any, file: File) -> None:
        """Puts what a call returned into the pool, under the names that the file has for it."""
        for name, value in named_results(callee, result, file):
            self.pool[name] = value


def remember(session: Session, callee: Callee, binding: Binding) -> None:
    """Keeps what an initialiser was given, so that a later function gets the same for an argument of the same name."""
    for parameter in callee.arguments:
        source = binding.arguments.get(parameter.name)
        if source is not None and parameter.name not in session.pool:
            given = parameter.default if source.where == "omit" else source.key
            if source.where == "pool" and source.key not in ("<X>", "<Y>", "<m>"):
                given = session.pool[source.key]
            if source.where != "pool" or source.key not in ("<X>", "<Y>", "<m>"):
                session.pool[parameter.name] = given


def named_results(callee: Callee, result: Any, file: File) -> list[tuple[str, Any]]:
    """A call's results with the names of its return statement and of the places where the file calls it."""
    if result is None:
        return []
    unique: dict[str, Any] = {}
    for names in [return_names(callee.node), *(site.targets for site in file.sites(callee))]:
        if isinstance(names, str) and names:
            unique.setdefault(names, result)
        elif isinstance(names, list) and isinstance(result, tuple | list) and len(names) == len(result):
            for i, (name, value) in enumerate(zip(names, result, strict=True)):
                if name and name != "_" and name not in names[:i]:  # twice is a slip, as `return W1, b1, W2, b1`
                    unique.setdefault(name, value)
    return list(unique.items())


def named_leaves(callee: Callee, result: Any, file: File) -> list[Leaf]:
    """The numbers and arrays in a result, the elements of a tuple with their names as the first token."""
    listed = [return_names(callee.node), *(site.targets for site in file.sites(callee))]
    fitting = [n for n in listed if isinstance(n, list) and isinstance(result, tuple | list) and len(n) == len(result)]
    if not fitting:
        root = next((name for name in listed if isinstance(name, str) and name), "")
        return leaves(result, (), (root,) if root else (), once=False)
    names = [next((n[i] for n in fitting if n[i]), "") for i in range(len(result))]
    if any(name and names.count(name) > 1 for name in names):
        names = next((n for n in fitting if len(set(n)) == len(n) and all(n)), names)
    found = []
    for i, (name, part) in enumerate(zip(names, result, strict=True)):
        token: tuple[Token, ...] = (name,) if name else (i,)
        found += leaves(part, (("item", i),), token, once=False)
    return found


def bindings(
    callee: Callee, stage: str, session: Session, file: File, authors_sizes: bool = False, limit: int = 40
) -> Iterator[Binding]:
    """The ways to fill a call's arguments, likeliest first; Unfillable where an argument can have no value."""
    chooser = _Chooser(callee, stage, session, file, authors_sizes)
    options: dict[str, list[Source]] = {}
    for parameter in callee.arguments:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        options[parameter.name] = chooser.sources(parameter.name, parameter.default)
        if not options[parameter.name]:
            known = ", ".join(n for n in session.pool if not n.startswith("<")) or "nothing"
            raise Unfillable(
                f"{callee.name} takes an argument {parameter.name!r} whose name tells neither data (X, Y, m), nor a "
                f"parameter, nor anything that the file's other functions return ({known}); rename it, give it a "
                f"default, or name other functions with --init, --forward or --backward"
            )
    free = {name: source for name in sorted(file.free_names(callee)) if (source := chooser.global_source(name))}
    for choice in itertools.islice(_choices([len(sources) for sources in options.values()]), limit):
        chosen = {name: sources[k] for (name, sources), k in zip(options.items(), choice, strict=True)}
        data = [source.key for source in chosen.values() if source in _ONCE]
        if len(data) == len(set(data)):
            yield Binding(chosen, free)


def _choices(counts: list[int]) -> Iterator[list[int]]:
    """The first of everything, then another for one argument, then for two."""
    yield [0] * len(counts)
    others = [(i, k) for i, count in enumerate(counts) for k in range(1, min(count, 6))]
    for number in (1, 2):
        for changed in itertools.combinations(others, number):
            if len({i for i, _ in changed}) == number:
                yield [dict(changed).get(i, 0) for i in range(len(counts))]


class _Chooser:
    """Finds sources for the arguments of one call."""

    def __init__(self, callee: Callee, stage: str, session: Session, file: File, authors_sizes: bool) -> None:
        self.callee, self.stage, self.file = callee, stage, file
        self.pool, self.names = session.pool, session.program.names
        self.building = stage == "build"
        self.authors_sizes = authors_sizes
        self.given = {p.name: self._names_given(p.name) for p in callee.arguments}
        self.meanings = {p.name: self._meanings(p.name) for p in callee.arguments}
        if stage == "forward":
            self._find_input()
        if stage in ("backward", "loss"):
            self._find_prediction()

    def _names_given(self, argument: str) -> list[str]:
        """The names that the file itself passes for an argument."""
        given = [tail(node) for site in self.file.sites(self.callee) if (node := site.arguments.get(argument))]
        return [name for name in dict.fromkeys(given) if name]

    def _meanings(self, argument: str) -> list[str]:
        found = meanings(argument, self.building)
        if not found and argument not in self.pool and read_name(argument) is None:
            found = [m for name in self.given[argument] for m in meanings(name, self.building)]
        return found

    def _first_meanings(self) -> dict[str, str]:
        return {name: (found or ["?"])[0] for name, found in self.meanings.items()}

    def _find_input(self) -> None:
        """Of a forward pass without an argument called like data, the first one that tells nothing is the data."""
        firsts = self._first_meanings()
        unknown = [n for n, first in firsts.items() if n not in self.pool and read_name(n) is None and first in "?P"]
        if "X" not in firsts.values() and unknown:
            self.meanings[unknown[0]] = ["X"]

    def _find_prediction(self) -> None:
        """Of two arguments that could both be targets (y, t), or of one that tells nothing, one is the prediction."""
        firsts = self._first_meanings()
        targets = [name for name, first in firsts.items() if first == "Y"]
        if "P" in firsts.values():
            return
        for name, first in firsts.items():
            if first in ("X", "?") and any(meanings(given, False)[:1] == ["P"] for given in self.given[name]):
                self.meanings[name] = ["P", *self.meanings[name]]
                return
        if self.stage != "loss" or not targets or any(read_name(name) for name in firsts):
            return
        if any(c.name == self.pool.get("<forward>") for c in self.file.reached(self.callee)):
            return  # it computes the prediction itself
        if len(targets) > 1 and "y" in targets:
            self.meanings["y"] = ["P"]
            return
        others = [n for n, first in firsts.items() if n not in (*targets, *self.pool) and first in _COULD_BE_PREDICTION]
        if others:
            self.meanings[others[0]] = ["P", *self.meanings[others[0]]]

    def sources(self, name: str, default: Any = inspect.Parameter.empty) -> list[Source]:
        """Values for an argument, likeliest first: by its own name, by what it means, its default, a constant."""
        found: list[Source] = []
        means = self.meanings.get(name, meanings(name, self.building))
        first = means[0] if means else ""
        optional = default is not inspect.Parameter.empty
        omitted = [Source("omit", None)] * optional
        written = [Source("value", value) for value in self.file.written(self.callee, name)]
        if self.stage == "forward" and first == "Y" and optional:
            return omitted
        if self.building and self.authors_sizes and first not in ("X", "Y", "m", "rate"):
            found += written + omitted
        if first in ("X", "Y", "zero", "one", "false", "rate", "empty"):
            found += self._by_meaning(first)
        found += self._by_name(name)
        if first == "penalty":
            found += (omitted if default else []) + written + self._constant(name)
        for meaning in means:
            if not (optional and meaning in ("true", "seed", "cache", "unknown")):
                found += self._by_meaning(meaning)
        found += omitted + written + self._constant(name) + self._function_or_word(name)
        return list({(s.where, repr(s.key)): s for s in found}.values())

    def global_source(self, name: str) -> Source | None:
        """For a variable of the module that a function reads: data for data, parameters from the pool."""
        known = self.names.get(name)
        if isinstance(known, types.FunctionType | type | types.ModuleType) or name in self.names["__builtins__"]:
            return None
        if name in self.pool:
            return Source("pool", name)
        means = meanings(name, False)[:1]
        if known is None and name not in self.file.declared_global:
            return next(iter(self.sources(name)), None)
        if isinstance(known, np.ndarray | list) and means in (["X"], ["Y"]):
            return Source("pool", f"<{means[0]}>")
        return Source("pool", "<m>") if means == ["m"] and isinstance(known, int) and name != "n" else None

    def _by_name(self, name: str) -> list[Source]:
        """What the pool has under a name, or one that the file passes for it; or nearly so, or inside something."""
        candidates = [name, *self.given.get(name, [])]
        exact = [Source("pool", n) for n in candidates if n in self.pool]
        if exact:
            return exact
        squeezed = [_squeezed(n) for n in candidates]
        near = [Source("pool", n) for wanted in squeezed for n in self.pool if _squeezed(n) == wanted]
        if near:
            return near
        own = {n: v for n, v in self.pool.items() if not n.startswith("<")}
        inside = [leaf for leaf in leaves(own, depth=4) if len(leaf.path) > 1]
        entries = [Source("entry", x.path) for w in squeezed for x in inside if _squeezed(str(x.tokens[-1])) == w]
        read = read_name(name)
        if entries or read is None or read.gradient:
            return entries
        others = [(n, other) for n in own if (other := read_name(n)) and not other.gradient]
        return [Source("pool", n) for n, other in others if other.identity == read.identity]

    def _by_meaning(self, meaning: str) -> list[Source]:
        if meaning in _CONSTANTS:
            return [Source("value", _CONSTANTS[meaning])]
        return [Source("pool", key) for key in _KEYS.get(meaning, []) if key in self.pool]

    def _constant(self, name: str) -> list[Source]:
        value = self.names.get(name)
        plain = value is not None and not isinstance(value, types.ModuleType | types.FunctionType)
        return [Source("value", value)] if plain else []

    def _function_or_word(self, name: str) -> list[Source]:
        """For an argument such as `activation`: a word that the code compares it with, or a function of the file."""
        compared = [n for n in ast.walk(self.callee.node) if isinstance(n, ast.Compare) and tail(n.left) == name]
        words = [c.value for n in compared for c in n.comparators if isinstance(c, ast.Constant)]
        found = [Source("value", word) for word in words if isinstance(word, str)]
        if "act" in name.lower():
            functions = [c for c in self.file.callees if c.lower() in ("sigmoid", "tanh", "relu")]
            found += [Source("value", self.names[c]) for c in functions]
        return found


def _squeezed(name: str) -> str:
    return name.replace("_", "").lower()


_ONCE = [Source("pool", key) for key in ("<X>", "<Y>", "<prediction>")]  # never for two arguments of one call
_COULD_BE_PREDICTION = ("?", "X", "m", "outputs", "cache", "hidden1")
_CONSTANTS = {"zero": 0.0, "one": 1, "false": False, "true": True, "seed": 0, "penalty": 0.1, "empty": {}}
_KEYS = {
    "X": ["<X>"],
    "Y": ["<Y>"],
    "P": ["<prediction>"],
    "m": ["<m>"],
    "rate": ["<rate>"],
    "inputs": ["<inputs>"],
    "outputs": ["<outputs>"],
    "sizes": ["<sizes>"],
    "depth": ["<depth>"],
    "hidden_list": ["<hidden list>", "<hidden1>"],
    "hidden1": ["<hidden1>", "<hidden list>"],
    "hidden2": ["<hidden2>"],
    "hidden3": ["<hidden3>"],
    "cache": ["<cache>", "<result>", "<cache dict>"],
    "parameters": ["<parameters>", "<parameter dict>", "<parameter list>"],
}
