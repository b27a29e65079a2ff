"""Calls an author's functions by argument name, from a pool of values that are known by name.

The pool holds what earlier calls returned, under the author's names, and data of our own under names in angle
brackets: <X>, <Y>, <m>, <prediction>, <rate> … An argument is given the value of its own name if there is one, and
else what its name means. Parameters are found in the pool wherever they are: by name, in dicts, lists, objects.
"""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.names import meanings, read_name
from jaxnet.compare.reading import AUTHOR, JaxNumPy, Program, TracedFloat
from jaxnet.compare.tracing import is_authors, is_number

Token = str | int
Path = tuple[tuple[str, Any], ...]  # ('item', key) and ('attr', name), from the pool down

RATE = 0.125  # a power of two, so that dividing an update by it is exact


class Callee(NamedTuple):
    """A function or method of the author's."""

    name: str  # back_prop, or Network.backprop
    owner: str | None  # the class of a method
    node: ast.FunctionDef | ast.Lambda
    arguments: tuple[inspect.Parameter, ...]  # without self

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]


class Site(NamedTuple):
    """A place in the file where a function is called."""

    targets: list[str] | str | None  # the names that its result is assigned to
    arguments: dict[str, ast.expr]
    loops: dict[str, ast.For]  # the loops around it, by the names that they bind


class Source(NamedTuple):
    """Where the value of an argument comes from."""

    where: str  # pool, entry (of something in the pool), value, or omit (leave the default)
    key: Any


class Binding(NamedTuple):
    """The sources of all arguments of a call, and of the module's variables that the code reads."""

    arguments: dict[str, Source]
    globals: dict[str, Source]


class Unfillable(ValueError):
    """An argument that nothing known can be given to."""


# ------------------------------------------------------------------------------------------------- what is in the file


class File:
    """The author's functions, and how the file itself calls them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.classes: dict[str, type] = {}
        self.callees: dict[str, Callee] = {}
        definitions = _definitions(program)
        for name, value in program.names.items():
            if isinstance(value, types.FunctionType):
                self._add(name, None, value, definitions)
            elif isinstance(value, type) and value.__module__ == AUTHOR:
                self.classes[name] = value
                for method in dir(value):
                    function = inspect.getattr_static(value, method)
                    static = isinstance(function, staticmethod)
                    function = getattr(function, "__func__", function)
                    if isinstance(function, types.FunctionType):
                        self._add(f"{name}.{method}", name, function, definitions, drop=not static)
        self._calls = [
            (call, targets, loops) for unit in program.units for call, targets, loops in _calls(unit.tree, None, {})
        ]

    def _add(self, name: str, owner: str | None, function: Any, definitions: dict, drop: bool = False) -> None:
        node = definitions.get((function.__code__.co_filename, function.__code__.co_firstlineno))
        if node is not None:
            listed = tuple(inspect.signature(function).parameters.values())
            self.callees[name] = Callee(name, owner, node, listed[1:] if drop else listed)

    def sites(self, callee: Callee) -> list[Site]:
        """Where the file calls a function, with the expressions given for its arguments."""
        name = callee.owner if callee.short == "__init__" else callee.short
        found = []
        for call, targets, loops in self._calls:
            called = call.func
            if not (isinstance(called, ast.Name | ast.Attribute) and _tail(called) == name):
                continue
            named = dict(zip((p.name for p in callee.arguments), call.args, strict=False))
            named |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            found.append(Site(targets, named, loops))
        return found

    def written(self, callee: Callee, argument: str) -> list[Any]:
        """The constants that the file itself gives for an argument."""
        values = []
        for site in self.sites(callee):
            node = site.arguments.get(argument)
            if node is None or not self.program.is_plain(node, self.program.names):
                continue
            try:
                values.append(eval(compile(ast.Expression(node), "<argument>", "eval"), dict(self.program.names)))
            except Exception:  # a constant expression that fails is no constant
                continue
        return values

    def reached(self, callee: Callee) -> list[Callee]:
        """The function and all the author's functions that it calls, directly or not."""
        found, waiting = {callee.name: callee}, [callee]
        while waiting:
            current = waiting.pop()
            for node in ast.walk(current.node):
                name = node.id if isinstance(node, ast.Name) else None
                if isinstance(node, ast.Attribute) and current.owner:
                    name = f"{current.owner}.{node.attr}"
                target = self.callees.get(name) if name else None
                if target is not None and target.name not in found:
                    found[target.name] = target
                    waiting.append(target)
        return list(found.values())

    def free_names(self, callee: Callee) -> set[str]:
        """The module's variables that a call can read."""
        return {name for function in self.reached(callee) for name in _free(function.node)}


def _definitions(program: Program) -> dict[tuple[str, int], Any]:
    found = {}
    for unit in program.units:
        for node in ast.walk(unit.tree):
            if isinstance(node, ast.FunctionDef):
                found[unit.filename, min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
            elif isinstance(node, ast.Lambda):
                found.setdefault((unit.filename, node.lineno), node)
    return found


def _calls(node: ast.AST, targets: Any, loops: dict[str, ast.For]) -> Iterator[tuple[ast.Call, Any, dict]]:
    if isinstance(node, ast.For):
        loops = {**loops, **{n.id: node for n in ast.walk(node.target) if isinstance(n, ast.Name)}}
    if isinstance(node, ast.Call):
        yield node, targets, loops
    assigned = None
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        several = isinstance(target, ast.Tuple | ast.List)
        assigned = [_tail(t) for t in target.elts] if several else _tail(target)
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, assigned if isinstance(node, ast.Assign) and child is node.value else None, loops)


def _tail(node: ast.AST) -> str:
    """The last name of an expression: W1 of self.W1, of params['W1'] and of W1."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _free(node: ast.AST) -> set[str]:
    loaded, stored, declared = set(), set(), set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name):
            (loaded if isinstance(n.ctx, ast.Load) else stored).add(n.id)
        elif isinstance(n, ast.arg):
            stored.add(n.arg)
        elif isinstance(n, ast.Global):
            declared.update(n.names)
    return (loaded - stored) | declared


def return_names(node: ast.FunctionDef | ast.Lambda) -> list[str] | str | None:
    """The names in a function's last return statement: a list for a tuple display, a string for one value."""
    shown = [node.body] if isinstance(node, ast.Lambda) else [r.value for r in _returns(node) if r.value is not None]
    if not shown:
        return None
    value = shown[-1]
    if isinstance(value, ast.Tuple | ast.List):
        return [_main_name(element) for element in value.elts]
    return _main_name(value) or None


def _returns(node: ast.AST) -> Iterator[ast.Return]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from _returns(child)


def _main_name(node: ast.AST) -> str:
    """What an expression is called: its own name, or that of the first gradient or parameter in it (dW1 / m)."""
    if isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.ListComp | ast.DictComp):
        return ""
    tails = [_tail(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript)]
    return _tail(node) or next((t for t in tails if read_name(t)), "")


# ------------------------------------------------------------------------------------------ values in nested structures


class Leaf(NamedTuple):
    """A number or array somewhere in a structure, with the words on the way to it."""

    path: Path
    tokens: tuple[Token, ...]
    value: Any

    @property
    def word(self) -> str:
        return next((t for t in reversed(self.tokens) if isinstance(t, str) and t), "")


def leaves(value: Any, path: Path = (), tokens: tuple[Token, ...] = (), depth: int = 6) -> list[Leaf]:
    """All numbers and arrays in dicts, lists, tuples and the author's objects; each array once."""
    found: dict[Any, Leaf] = {}
    _collect_leaves(value, path, tokens, depth, found, set())
    return list(found.values())


def _collect_leaves(value: Any, path: Path, tokens: tuple, depth: int, found: dict, visited: set[int]) -> None:
    if is_number(value) or _is_jax(value):
        key = id(value) if hasattr(value, "shape") and value.shape else path
        found.setdefault(key, Leaf(path, tokens, value))
        return
    if depth == 0 or id(value) in visited:
        return
    parts: list[tuple[str, Any, Any]] = []
    if isinstance(value, Mapping):
        parts = [("item", k, v) for k, v in value.items()]
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object and value.ndim):
        parts = [("item", k, v) for k, v in enumerate(value)][:200]
    elif is_authors(value):
        parts = [("attr", k, v) for k, v in vars(value).items()]
    visited.add(id(value))
    for how, key, part in parts:
        token = key if isinstance(key, str | int) else str(key)
        _collect_leaves(part, (*path, (how, key)), (*tokens, token), depth - 1, found, visited)


def _is_jax(value: Any) -> bool:
    return type(value).__module__.startswith(("jax", "jaxlib")) and hasattr(value, "shape")


def follow(value: Any, path: Path) -> Any:
    for how, key in path:
        value = value[key] if how == "item" else getattr(value, key)
    return value


def expression_of(path: Path) -> str:
    """A path as the author would write it: self.layers[0].W, parameters['W1']."""
    (_, root), *rest = path
    return str(root) + "".join(f".{key}" if how == "attr" else f"[{key!r}]" for how, key in rest)


# ------------------------------------------------------------------------------------------------------------- calling


class Session:
    """One run of the author's code: a program, and the values known by name so far."""

    def __init__(self, program: Program, pool: dict[str, Any], convert: Callable[[Any], Any] | None = None) -> None:
        self.program = program
        self.pool = pool
        self._convert = convert or (lambda value: value)

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
        return self._convert(source.key)

    def absorb(self, callee: Callee, result: Any, file: File) -> None:
        """Puts what a call returned into the pool, under the names that the file has for it."""
        for name, value in named_results(callee, result, file):
            self.pool[name] = value


def named_results(callee: Callee, result: Any, file: File) -> list[tuple[str, Any]]:
    """A call's results with the names of its return statement and of the places where the file calls it."""
    if result is None:
        return []
    returned = return_names(callee.node)
    listed: list[Any] = [returned, *(site.targets for site in file.sites(callee))]
    found: list[tuple[str, Any]] = []
    for names in listed:
        if isinstance(names, str) and names:
            found.append((names, result))
        elif isinstance(names, list) and isinstance(result, tuple | list) and len(names) == len(result):
            if len({n for n in names if n}) < len(
                [n for n in names if n]
            ):  # a name twice: a slip, as `return W1, b1, W2, b1`
                names = [n if n not in names[:i] else "" for i, n in enumerate(names)]
            found += [(name, value) for name, value in zip(names, result, strict=True) if name and name != "_"]
    unique: dict[str, Any] = {}
    for name, value in found:
        unique.setdefault(name, value)
    return list(unique.items())


def named_leaves(callee: Callee, result: Any, file: File) -> list[Leaf]:
    """The numbers and arrays in a result, the elements of a tuple with their names as the first token."""
    names = return_names(callee.node)
    sites = [site.targets for site in file.sites(callee)]
    if isinstance(result, tuple | list):
        fitting = [n for n in [names, *sites] if isinstance(n, list) and len(n) == len(result)]
        if fitting:
            first: list[str] = [next((n[i] for n in fitting if n[i]), "") for i in range(len(result))]
            repeated = {n for n in first if n and first.count(n) > 1}
            better = next((n for n in fitting if len(set(n)) == len(n) and all(n)), None)
            if repeated and better:
                first = better
            found = []
            for i, part in enumerate(result):
                token: tuple[Token, ...] = (first[i],) if first[i] else (i,)
                found += leaves(part, (("item", i),), token)
            return found
    root = names if isinstance(names, str) else next((s for s in sites if isinstance(s, str) and s), "")
    return leaves(result, (), (root,) if root else ())


def bindings(
    callee: Callee, stage: str, session: Session, file: File, authors_sizes: bool = False, limit: int = 16
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
                f"{callee.name} takes an argument {parameter.name!r} that tells by its name neither data (X, Y, m), nor a "
                f"parameter, nor anything that the file's other functions return ({known}); rename it, give it a default, "
                f"or name other functions with --init, --forward or --backward"
            )
    free = {name: source for name in sorted(file.free_names(callee)) if (source := chooser.global_source(name))}
    for combination in itertools.islice(itertools.product(*options.values()), limit):
        yield Binding(dict(zip(options, combination, strict=True)), free)


class _Chooser:
    """Finds sources for the arguments of one call."""

    def __init__(self, callee: Callee, stage: str, session: Session, file: File, authors_sizes: bool) -> None:
        self.callee, self.stage, self.file = callee, stage, file
        self.pool, self.names = session.pool, session.program.names
        self.building = stage == "build"
        self.authors_sizes = authors_sizes
        self.meanings = {p.name: meanings(p.name, self.building) for p in callee.arguments}
        self._tell_prediction_from_targets()

    def _tell_prediction_from_targets(self) -> None:
        """Of two arguments that could both be targets (y, t), or with one that tells nothing, one is the prediction."""
        if self.stage not in ("loss", "backward"):
            return
        firsts = {name: (found or ["?"])[0] for name, found in self.meanings.items()}
        targets = [name for name, first in firsts.items() if first == "Y"]
        if "P" in firsts.values():
            return
        if len(targets) > 1 and "y" in targets and self.stage == "loss":
            self.meanings["y"] = ["P"]
        elif len(targets) == 1 and len(firsts) > 1 and self.stage == "loss":
            forward = any(
                "<prediction function>" in self.pool and c.name == self.pool["<prediction function>"]
                for c in self.file.reached(self.callee)
            )
            other = [n for n, first in firsts.items() if n not in self.pool and (first in "?X" or len(n) == 1)]
            other = [
                n for n in other if n not in targets and first_or(firsts[n], "?") in ("?", "X", "m", "outputs", "cache")
            ]
            if other and not forward and not any(read_name(n) for n in firsts):
                self.meanings[other[0]] = ["P", *self.meanings[other[0]]]

    def sources(self, name: str, default: Any = inspect.Parameter.empty) -> list[Source]:
        found: list[Source] = []
        means = self.meanings.get(name, meanings(name, self.building))
        first = means[0] if means else ""
        optional = default is not inspect.Parameter.empty
        if self.building and self.authors_sizes and first not in ("X", "Y", "m", "rate"):
            found += [Source("value", value) for value in self.file.written(self.callee, name)]
            found += [Source("omit", None)] * optional
        if first in ("X", "Y", "zero", "one", "false", "rate", "empty"):
            found += self._by_meaning(first)
        found += self._by_name(name)
        if first == "penalty":
            found += [Source("omit", None)] * (optional and bool(default))
            found += [Source("value", v) for v in self.file.written(self.callee, name)]
            found += self._constant(name)
        for meaning in means:
            found += (
                self._by_meaning(meaning) if not (optional and meaning in ("true", "seed", "cache", "unknown")) else []
            )
        found += [Source("omit", None)] * optional
        found += [Source("value", value) for value in self.file.written(self.callee, name)]
        found += self._constant(name) + self._function_or_word(name)
        return list({(s.where, repr(s.key) if s.where == "value" else s.key): s for s in found}.values())

    def global_source(self, name: str) -> Source | None:
        """For a variable of the module that a function reads: data for data, parameters from the pool."""
        known = self.names.get(name)
        if isinstance(known, types.FunctionType | type | types.ModuleType) or name in self.names["__builtins__"]:
            return None
        means = meanings(name, False)
        if known is not None and not isinstance(known, np.ndarray):
            if name in self.pool:
                return Source("pool", name)
            return Source("pool", "<m>") if means[:1] == ["m"] and isinstance(known, int) and name != "n" else None
        if name in self.names and name not in self.pool:
            return Source("pool", f"<{means[0]}>") if means[:1] in (["X"], ["Y"]) else None
        return next(iter(self.sources(name)), None)

    def _by_name(self, name: str) -> list[Source]:
        candidates = [
            name,
            *(n for s in self.file.sites(self.callee) if (n := _tail(s.arguments.get(name, ast.Pass())))),
        ]
        found = [Source("pool", n) for n in candidates if n in self.pool]
        read = read_name(name)
        for wanted in [c.replace("_", "").lower() for c in candidates]:
            found += [Source("pool", n) for n in self.pool if n.replace("_", "").lower() == wanted]
        inside = [
            leaf
            for leaf in leaves(self.pool, depth=4)
            if len(leaf.path) > 1 and not str(leaf.tokens[0]).startswith("<")
        ]
        for wanted in [c.replace("_", "").lower() for c in candidates]:
            found += [Source("entry", x.path) for x in inside if str(x.tokens[-1]).replace("_", "").lower() == wanted]
        if read and not found and not read.gradient:
            same = [
                n
                for n in self.pool
                if (other := read_name(n)) and not other.gradient and other.identity == read.identity
            ]
            found += [Source("pool", n) for n in same]
        return found

    def _by_meaning(self, meaning: str) -> list[Source]:
        constants = {"zero": 0.0, "one": 1, "false": False, "true": True, "seed": 0, "penalty": 0.1, "empty": {}}
        if meaning in constants:
            return [Source("value", constants[meaning])]
        keys = {
            "X": ["<X>"], "Y": ["<Y>"], "P": ["<prediction>"], "m": ["<m>"], "rate": ["<rate>"],
            "inputs": ["<inputs>"], "outputs": ["<outputs>"], "sizes": ["<sizes>"], "depth": ["<depth>"],
            "hidden_list": ["<hidden list>", "<hidden1>"], "hidden1": ["<hidden1>", "<hidden list>"],
            "hidden2": ["<hidden2>"], "hidden3": ["<hidden3>"], "cache": ["<cache>", "<result>", "<cache dict>"],
            "parameters": ["<parameters>", "<parameter dict>", "<parameter list>"],
        }.get(meaning, [])  # fmt: skip
        return [Source("pool", key) for key in keys if key in self.pool]

    def _constant(self, name: str) -> list[Source]:
        value = self.names.get(name)
        plain = value is not None and not isinstance(value, types.ModuleType | types.FunctionType)
        return [Source("value", value)] if plain else []

    def _function_or_word(self, name: str) -> list[Source]:
        """For an argument such as `activation`: a word that the code compares it with, or a function of the file."""
        words = []
        for node in ast.walk(self.callee.node):
            if isinstance(node, ast.Compare) and _tail(node.left) == name:
                words += [c.value for c in node.comparators if isinstance(c, ast.Constant) and isinstance(c.value, str)]
        found = [Source("value", word) for word in words]
        if "act" in name.lower():
            functions = [self.names[c] for c in self.file.callees if c.lower() in ("sigmoid", "tanh", "relu")]
            return found + [Source("value", f) for f in functions]
        return found


def first_or(value: str, default: str) -> str:
    return value or default


# --------------------------------------------------------------------------------------------- the same state under JAX


def jax_program(program: Program, units: Any, folder: Any) -> Program:
    return Program(units, folder, JaxNumPy(), {"float": TracedFloat})


class Transplant:
    """Copies values into a program that runs under JAX: its functions, its classes, arrays as JAX arrays.

    `replace` maps ids of arrays to the traced values that take their place, wherever they are referred to.
    """

    def __init__(self, home: Program, away: Program, replace: dict[int, Any]) -> None:
        self._home, self._away = home, away
        self._memo: dict[int, Any] = dict(replace)
        self._kept: list[Any] = []

    def __call__(self, value: Any) -> Any:
        if id(value) in self._memo:
            return self._memo[id(value)]
        self._kept.append(value)
        new = self._copy(value)
        self._memo[id(value)] = new
        return new

    def _copy(self, value: Any) -> Any:
        import jax.numpy as jnp

        if isinstance(value, np.ndarray | np.floating):
            if value.dtype == object:
                return [self(entry) for entry in value]
            return jnp.asarray(value, jnp.float64) if value.dtype.kind == "f" else value
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return types.MethodType(self(value.__func__), self(value.__self__))
        if isinstance(value, types.CellType):
            return types.CellType(self(value.cell_contents))
        if isinstance(value, np.ufunc):
            return getattr(self._away.numpy, value.__name__)
        if isinstance(value, np.vectorize):
            return self._away.numpy.vectorize(self(value.pyfunc))
        if isinstance(value, type):
            return self._away.names.get(value.__name__, value) if value.__module__ == AUTHOR else value
        if is_authors(value):
            new = object.__new__(self._away.names[type(value).__name__])
            self._memo[id(value)] = new
            vars(new).update({name: self(part) for name, part in vars(value).items()})
            return new
        if isinstance(value, dict):
            new = copy.copy(value)
            self._memo[id(value)] = new
            new.update({key: self(part) for key, part in value.items()})
            return new
        if isinstance(value, list):
            new = []
            self._memo[id(value)] = new
            new.extend(self(part) for part in value)
            return new
        if isinstance(value, tuple):
            parts = [self(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        return value

    def _function(self, value: types.FunctionType) -> Any:
        if value.__globals__.get("__name__") != AUTHOR:
            found = getattr(np, value.__name__, None)
            return getattr(self._away.numpy, value.__name__) if found is value else value
        away = self._away.names
        for name, names in self._home.modules.items():
            if value.__globals__.get("__file__") == names.get("__file__"):
                away = self._away.modules.get(name, away)
        closure = tuple(map(self, value.__closure__)) if value.__closure__ else None
        defaults = self(value.__defaults__) if value.__defaults__ else None
        new = types.FunctionType(value.__code__, away, value.__name__, defaults, closure)
        new.__kwdefaults__ = value.__kwdefaults__
        return new
