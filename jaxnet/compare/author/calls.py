"""Calls an author's functions by the names of their arguments, and finds parameters and gradients by theirs.

m examples. A `Session` holds what the author's functions returned, under the author's names, and data of our own by
what they mean: X, Y, rate … An argument is given what has its own name, else what its name means, else nothing.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import linecache
import re
import types
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from jaxnet.compare.author.meanings import SIZES, Named, gradient_of, meanings, read_name, role, squeezed
from jaxnet.compare.author.recorder import current_tape
from jaxnet.compare.author.statements import read_units, unit_of

RATE = 1.0  # a step is then the gradient itself, wherever the author multiplies with the rate
LIKE_LAYERS = 3  # classes with the same backward pass
COUNT = 3  # of steps, iterations, epochs
OPTION = (bool, int, float, str)
NO_OPTIONS = [[means] for means in (*SIZES, "count", "m", "seed", "cache", "parameters")]
PENALTY = 0.0913  # λ of a weight penalty: with 0 nothing of it would be seen; as no author writes it


class Unfillable(ValueError):
    """An argument that nothing known can be given to, or a call whose result is not what was to be expected."""


class World(NamedTuple):
    """A hypothesis of what the code works on."""

    sizes: tuple[int, ...]  # inputs, hidden …, outputs
    layout: str  # columns or rows
    labels: str = "one-hot"  # or integers (m,)
    form: str = "batch"  # or example (m = 1), or vector (X is (i,))
    signs: bool = False  # the labels of a single output are −1 and 1, and not 0 and 1
    in_batches: bool = False  # some function goes over the examples so
    as_built: bool = False  # objects have the numbers that they have by default, though these be 0 or 1

    @property
    def m(self) -> int:
        """Enough for every class, and unlike every size, so that no transpose hides. In batches, of 9 and of 8, no
        factor that was put into a mean by mistake makes the sum over a batch of it."""
        if self.form != "batch":
            return 1
        least = max(17 if self.in_batches else 6, self.sizes[-1] + 2)
        return next(m for m in range(least, 2000) if m not in self.sizes)


def data_of(world: World, np: types.ModuleType) -> dict[str, Any]:
    """What an argument is given for what it means."""
    draws = numpy.random.default_rng(7)
    m, inputs, outputs = world.m, world.sizes[0], world.sizes[-1]
    x = draws.normal(size=(m, inputs))
    labels = draws.permutation((numpy.arange(m) + 1) % max(outputs, 2))
    labels = 2 * labels - 1 if world.signs else labels
    y = labels[:, None].astype(numpy.float64) if outputs == 1 else numpy.eye(outputs)[labels]
    pairs = [(np.array(x[k, :, None]), np.array(y[k, :, None])) for k in range(m)]
    if world.layout == "columns":
        x, y = numpy.ascontiguousarray(x.T), numpy.ascontiguousarray(y.T)
    if world.form == "vector":
        x, y = x.reshape(-1), y.reshape(-1)
    hidden = list(world.sizes[1:-1])
    return {
        "X": np.array(x), "Y": np.array(labels if world.labels == "integers" else y), "one-hot": np.array(y),
        "pairs": pairs, "m": m,
        "rate": RATE, "count": COUNT, "inputs": inputs, "outputs": outputs, "sizes": list(world.sizes),
        "depth": len(world.sizes) - 1, "hidden": hidden, "nothing": 0.0, "penalty": PENALTY, "one": 1, "false": False,
        "true": True, "seed": 0, "word": "name", "gradients": {},
        **{f"hidden{k}": size for k, size in enumerate(hidden, 1)},
    }  # fmt: skip


# --- the author's file ------------------------------------------------------------------------------------------------


class File:
    """The functions and classes that a file defines, in their order, and how it calls them; `without` some functions. A
    class of static methods alone is a place for functions. `called` is what the program has given some of them, and
    `others` are programs that use the file, `beside` classes of other files of its folder."""

    def __init__(
        self,
        namespace: dict[str, Any],
        without: Container[str] = (),
        called: Mapping[str, tuple[Any, ...]] = types.MappingProxyType({}),
        others: Callable[[], Iterable[Path]] = tuple,
        beside: Callable[[], Mapping[str, type]] = dict,
    ) -> None:
        self.namespace, self.without, self.called, self.others = namespace, without, called, others
        self._beside = beside
        own = namespace.get("__name__")
        classes = {n: c for n, c in namespace.items() if isinstance(c, type) and c.__module__ == own}
        static = {n: _static_methods(c) for n, c in classes.items()}
        self.classes = {n: c for n, c in classes.items() if not static[n]}
        named = [*namespace.items(), *(item for of_class in static.values() for item in of_class.items())]
        functions = [(n, f) for n, f in named if isinstance(f, types.FunctionType)]
        self.functions = {n: f for n, f in functions if f.__globals__ is namespace and n not in without}
        methods = [f for c in self.classes.values() for f in vars(c).values()]
        plain = [getattr(f, "__func__", f) for f in (*self.functions.values(), *methods)]
        names = {f.__code__.co_filename for f in plain if isinstance(f, types.FunctionType)}
        self.trees = [_tree(name) for name in sorted(names)]
        self.source = "\n".join("".join(linecache.getlines(name)) for name in sorted(names))
        self.sites = _sites(self.trees)

    @functools.cached_property
    def all_classes(self) -> dict[str, type]:
        """Those of other files of the folder as well, which a network may be put together of."""
        return {**self._beside(), **self.classes}

    @functools.cached_property
    def _sites_of_others(self) -> dict[str, list[tuple[ast.Call, Any]]]:
        units = (unit for path in self.others() for unit in read_units(path, path.name))
        return _sites([ast.Module(unit.body, []) for unit in units])

    def given(self, function: Any, argument: str) -> list[ast.expr]:
        """What the file gives a function of its own for an argument."""
        return _given(function, argument, self.sites)

    def given_by_others(self, function: Any, argument: str) -> list[Any]:
        """The numbers, words and functions of the file that it, and programs that use it, give for an argument."""
        found = []
        for node in [*self.given(function, argument), *_given(function, argument, self._sites_of_others)]:
            with contextlib.suppress(ValueError, TypeError):
                found.append(ast.literal_eval(node))
            if callable(of_file := self.namespace.get(tail(node))):
                found.append(of_file)
        return found

    def methods(self, name: str) -> dict[str, Any]:
        """The methods of a class that are the author's, its bases' included, in their order."""
        owner = self.classes.get(name) or self.all_classes[name]
        bases = [base for base in reversed(owner.__mro__) if base is not object]
        found = {n: f for base in bases for n, f in vars(base).items()}
        kinds = types.FunctionType | staticmethod | classmethod
        return {n: f for n, f in found.items() if isinstance(f, kinds) and n not in self.without}

    def is_of_layers(self, method: Any) -> bool:
        """Whether several classes have a method that takes an argument of this one's name alone, and compares it with
        nothing, as all of them would the labels: it is an upstream gradient then, whatever it is called."""
        arguments = list(argument_meanings(method))
        of_classes = (self.methods(name).get(method.__name__) for name in self.classes)
        alike = {id(f): f for f in of_classes if f is not None and list(argument_meanings(f)) == arguments}
        uses = len(arguments) == 1 and not any(is_compared(f, arguments[0]) for f in alike.values())
        return uses and len(alike) >= LIKE_LAYERS

    def gradients_in(self, *functions: Any) -> set[str]:
        """What functions speak of the gradients of: gamma, where there is a dgamma in them."""
        names = {name for function in functions for name in self.reached(function)}
        keys = {n.value for f in functions for n in nodes_of(f) if isinstance(n, ast.Constant)}
        return {word for name in names | {k for k in keys if isinstance(k, str)} if (word := gradient_of(name))}

    @functools.cached_property
    def goes_in_batches(self) -> bool:
        """Whether a function, or a method, is told the size of batches over which it goes."""
        methods = (f for name in self.classes for f in self.methods(name).values())
        functions = [f for f in (*self.functions.values(), *methods) if isinstance(f, types.FunctionType)]
        return any(_is_size_of_batches_alone(f, p.name) for f in functions for p in parameters_of(f))

    def used(self, name: str, *but: str) -> bool:
        """Whether a class or another function of the file uses a function, `but` for some."""
        own = {id(n) for of in (name, *but) for n in nodes_of(self.functions[of])}
        kinds = ast.FunctionDef | ast.ClassDef
        defined = (part for tree in self.trees for part in ast.walk(tree) if isinstance(part, kinds))
        nodes = (n for part in defined for n in ast.walk(part) if isinstance(n, ast.Name) and n.id == name)
        return any(id(n) not in own for n in nodes)

    def reached(self, function: Any) -> set[str]:
        """The names that a function uses, and those that the file's functions and methods of these names use."""
        found: set[str] = set()
        waiting = [function]
        while waiting:
            nodes = nodes_of(waiting.pop())
            names = {n.id for n in nodes if isinstance(n, ast.Name)}
            attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
            waiting += [self.functions[name] for name in names - found if name in self.functions]
            waiting += [
                vars(c)[a] for a in attributes - found for c in self.classes.values() if callable(vars(c).get(a))
            ]
            found |= names | attributes
        return found


def _static_methods(kind: type) -> dict[str, Any]:
    """The functions of a class that has no other methods."""
    methods = {n: f for n, f in vars(kind).items() if isinstance(f, types.FunctionType | staticmethod | classmethod)}
    static = {n: f.__func__ for n, f in methods.items() if isinstance(f, staticmethod)}
    return static if kind.__bases__ == (object,) and len(static) == len(methods) else {}


def _tree(filename: str) -> ast.Module:
    return _parsed("".join(linecache.getlines(filename)))


@functools.lru_cache(100)
def _parsed(text: str) -> ast.Module:
    """As the program was run: without what is broken, and with Python 2's statements as functions."""
    return ast.Module(unit_of(text, "<author>").body, [])


def nodes_of(function: Any) -> list[ast.AST]:
    """A function's definition and all that is in it; nothing if its source is not at hand."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return _nodes_of_code(code) if code is not None else []


def _batches_of(function: Any, name: str) -> Iterator[list[ast.stmt]]:
    """For each loop of a function over its examples in batches of so many, `for k in range(0, len(X), batch_size)`,
    the loop and what stands after it."""
    for node in nodes_of(function):
        body = node.body if isinstance(node, ast.FunctionDef | ast.For | ast.While) else []
        for k, loop in enumerate(body):
            over = loop.iter if isinstance(loop, ast.For) else None
            by = over.args[2:] if isinstance(over, ast.Call) and tail(over.func) == "range" else []
            if name in {n.id for step in by for n in ast.walk(step) if isinstance(n, ast.Name)}:
                yield body[k:]


def _is_size_of_batches_alone(function: Any, name: str) -> bool:
    """Whether it is the size of batches, and nothing is computed after a loop over them: the loss of all examples, say,
    which is the step's own where there is but one batch."""
    loops = list(_batches_of(function, name))
    later = (n for _, *after in loops for statement in after for n in ast.walk(statement))
    calls = (n for n in later if isinstance(n, ast.Call))
    return bool(loops) and all(tail(call.func) in ("print", "append") for call in calls)


@functools.lru_cache(maxsize=200)
def _nodes_of_code(code: types.CodeType) -> list[ast.AST]:
    for node in ast.walk(_tree(code.co_filename)):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            decorators = getattr(node, "decorator_list", [])
            if min([node.lineno, *(d.lineno for d in decorators)]) == code.co_firstlineno:
                return list(ast.walk(node))
    return []


def tail(node: ast.AST) -> str:
    """The last name of an expression: W1 of self.W1, of params['W1'] and of W1."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _tails(node: ast.AST) -> set[str]:
    """The last names of all parts of an expression: name of self.name.lower()."""
    return {tail(part) for part in ast.walk(node)}


def kept_as(argument: str, nodes: Iterable[ast.AST]) -> set[str]:
    """The names that an argument has in the code of an object: its own, and b of `self.a, self.b = x, argument`."""
    assigned = [n for n in nodes if isinstance(n, ast.Assign)]
    pairs = [pair for n in assigned for pair in zip(ast.walk(n.targets[0]), ast.walk(n.value), strict=False)]
    kept = {tail(to) for to, of in pairs if isinstance(of, ast.Name) and of.id == argument}
    return {argument, *kept} - {""}


def targets(node: ast.AST) -> list[str] | str:
    """The last name of an expression, or a list of those of its parts."""
    return [tail(part) for part in node.elts] if isinstance(node, ast.Tuple | ast.List) else tail(node)


def _sites(trees: list[ast.Module]) -> dict[str, list[tuple[ast.Call, Any]]]:
    """The calls of each name, with the names that their results are assigned to."""
    found: dict[str, list[tuple[ast.Call, Any]]] = {}
    for node in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.stmt)):
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and (name := tail(call.func)):
                assigned = targets(node.targets[0]) if isinstance(node, ast.Assign) and call is node.value else None
                found.setdefault(name, []).append((call, assigned))
    return found


def _given(function: Any, argument: str, sites: dict[str, list[tuple[ast.Call, Any]]]) -> list[ast.expr]:
    order = [parameter.name for parameter in parameters_of(function)]
    calls = (call for call, _ in sites.get(getattr(function, "__name__", ""), []))
    named = ({**dict(zip(order, call.args, strict=False)), **{k.arg: k.value for k in call.keywords}} for call in calls)
    return [of_call[argument] for of_call in named if argument in of_call]


def return_names(function: Any) -> list[list[str] | str]:
    """The names in a function's return statements, the last one's first: a list for several, a string for one."""
    returns = [n for n in nodes_of(function) if isinstance(n, ast.Return) and n.value]
    return [targets(n.value) for n in sorted(returns, key=lambda n: -n.lineno) if n.value]


def returned_by(function: Any) -> list[str]:
    """The names of all that a function returns."""
    found = [name for names in return_names(function) for name in ([names] if isinstance(names, str) else names)]
    return [name for name in found if name]


def upstreams(function: Any, outputs: Container[str]) -> list[str]:
    """A backward pass's arguments for gradients from above: by what they are called, or after one of the `outputs`."""
    means, meant = argument_meanings(function).items(), (["upstream"], ["gradients"])
    return [name for name, of in means if of[:1] in meant or (gradient_of(name) or "") in outputs]


# --- calls ------------------------------------------------------------------------------------------------------------


class Session:
    """One run of the author's functions: what they returned so far, and data of ours."""

    def __init__(self, file: File, np: types.ModuleType, world: World) -> None:
        self.file, self.np, self.world = file, np, world
        self.data = data_of(world, np)
        self.pool: dict[str, Any] = {}
        self.defaults: dict[str, Any] = {}  # that were left as they are: another function's argument is the same
        self.labelled = False  # whether the author's code has been given the labels
        self.inputs: set[str] = set()  # what the author calls X

    def call(self, function: Any, building: bool = False, **given: Any) -> Any:
        """Calls with arguments by name; what is returned goes into the pool under the author's names for it, and in the
        place of what had another name as well."""
        arguments = {}
        for parameter in parameters_of(function):
            name, optional = parameter.name, parameter.default is not parameter.empty
            empty = parameter.default in ([], ())
            unset = building and (parameter.default is None or empty)
            if name in given:
                found = given[name]
            elif building and type(parameter.default) is float:  # no size
                found = _OMIT if self.world.as_built or not is_blind(parameter) else _SEEN[parameter.default]
            else:
                found = self._value(name, function, building, optional, unset)
            found = [found] if empty and isinstance(found, int) else found
            if found is not _OMIT:
                arguments[name] = found
            elif not building and isinstance(parameter.default, int | float | str):
                self.defaults.setdefault(name, parameter.default)
        self._set_globals(function)
        if (tape := current_tape()) is not None:
            tape.options |= _options(function, arguments, building)
            whole = (n for n, value in arguments.items() if value is self.data["m"] and any(_batches_of(function, n)))
            tape.options |= dict.fromkeys(whole, "of all examples")  # what mistakes it has between batches is not seen
        self.inputs |= {squeezed(name) for name, value in arguments.items() if value is self.data["X"]}
        result = _called(function, arguments, self.world.sizes if building else ())
        for name, value in named_results(self.file, function, result).items():
            old = self.pool.get(name)
            for known in (self.pool, self.data) if isinstance(old, dict | list) else ():
                known |= {other: value for other, v in known.items() if v is old}
            self.pool[name] = value
        return result

    def _value(self, name: str, function: Any, building: bool, optional: bool, unset: bool) -> Any:
        if name in self.defaults:
            return _OMIT if optional else self.defaults[name]
        names = [name, *self._aliases(function, name)]
        told = argument_meanings(function, building)
        if building and any(isinstance(n, ast.Call) and tail(n.func) == name for n in self._code_of(function)):
            of_file = (value for value in self.file.given_by_others(function, name) if callable(value))
            if (given := next(of_file, None)) is not None:
                return given
        means = told.get(name) or next((found for n in names if (found := meanings(n, building))), [])
        first = means[0] if means else ""
        if building and first == "hidden1" and ["hidden"] in [of[:1] for of in told.values()]:
            return len(self.data["hidden"])  # beside a list of sizes it is how many these are
        for n in names if first not in ("X", "Y") else ():  # a forward pass may return what it was given the name of
            if n in self.pool:
                return self.pool[n]
        held_out = any(word in name.lower() for word in ("val", "test", "dev"))
        wanted = ("inputs", "outputs") if building else ("X", "Y", "P", "count", "parameters", "cache")
        wanted = SIZES if unset else wanted  # without hidden layers, their backward pass would not be seen
        if first == "m" and not building and _is_size_of_batches_alone(function, name):
            return self.data["m"] // 2 + 1  # two batches, of which one is smaller: they are told from all data
        if optional and first == "m" and "batch" in name.lower():
            return self.data["m"]  # a default may be more than there are examples
        if optional and (held_out or first not in wanted):
            return _OMIT
        own = self.file.namespace.get(name, self.file.namespace.get(name.upper()))
        if first in SIZES and isinstance(own, list) and not all(isinstance(size, int) for size in own):
            return own  # an architecture of another kind than a list of sizes
        if read_name(name) is None or not self.pool:
            for meaning in means:
                if meaning in self.data:
                    self.labelled |= meaning in ("Y", "pairs")
                    return self.data[meaning]
        found = self._near(names)
        found = self._part(name, function) if found is _OMIT and not optional else found
        if found is not _OMIT or optional:
            return found
        for value in self.file.given_by_others(function, name):  # the first, if there is any
            return value
        if (own := getattr(getattr(function, "__self__", None), name, None)) is not None:
            return own  # what its object keeps under this name
        raise Unfillable(f"nothing is known for the argument {name!r} of {getattr(function, '__name__', 'a function')}")

    def _aliases(self, function: Any, argument: str) -> list[str]:
        """The names that the file itself passes for an argument."""
        given = map(tail, self.file.given(function, argument))
        return [name for name in dict.fromkeys(given) if name and name != argument]

    def _near(self, names: list[str]) -> Any:
        """What is nearly called so: in the pool, inside what is there, or among the file's constants."""
        wanted, file = [squeezed(name) for name in names], self.file
        own = [(n, v) for n, v in file.namespace.items() if not n.startswith("__")]
        own = [(n, v) for n, v in own if isinstance(v, int | float | str | list | tuple | dict) or n in file.functions]
        known = [*self.pool.items(), *((leaf.word, leaf.value) for leaf in leaves(self.pool)), *own]
        return next((value for name, value in known if squeezed(name) in wanted), _OMIT)

    def _code_of(self, function: Any) -> list[ast.AST]:
        """The Nodes of a function, or of all methods of a class."""
        owner = getattr(self.file.namespace.get(getattr(function, "__name__", "")), "__dict__", {})
        return [n for f in (function, *owner.values()) for n in nodes_of(f)]

    def _part(self, name: str, function: Any) -> Any:
        """What the file has for an argument that is a part of a network: an activation, a word for one."""
        word = name.lower()
        words = self._words(name, function)
        if words:  # an argument that the code compares with a word is such a word
            return next((given for w in _ACTIVATIONS for given in words if given.lower() == w), words[0])
        if "act" in word or word in ("f", "g"):
            made = {n.lower(): v for n, v in (*self.file.functions.items(), *self.file.classes.items())}
            found = next((made[w] for w in _ACTIVATIONS if w in made), _OMIT)
            return found() if isinstance(found, type) else found
        return _OMIT

    def _words(self, name: str, function: Any, before: tuple = ()) -> list[str]:
        """The words that the code compares an argument with, or what an object keeps it as; here, or in a class that it
        is handed on to."""
        nodes = self._code_of(function)
        names = kept_as(name, nodes)
        told = {name for of in names for name in (of, "_" + of)}
        asked = [n for n in nodes if isinstance(n, ast.Compare) and told & _tails(n.left)]
        matched = [n for n in nodes if isinstance(n, ast.Match) and told & _tails(n.subject)]
        parts = [*(part for n in asked for part in n.comparators), *(of.pattern for n in matched for of in n.cases)]
        found = [n.value for part in parts for n in ast.walk(part) if isinstance(n, ast.Constant)]
        if words := [value for value in found if isinstance(value, str)]:
            return words
        own = self.file.classes.get(getattr(function, "__name__", ""))
        for n in nodes:
            if isinstance(n, ast.Call) and (cls := self.file.classes.get(tail(n.func))) not in (None, own, *before):
                arguments = {k.arg: k.value for k in n.keywords if k.arg}
                arguments |= zip((p.name for p in parameters_of(cls)), n.args, strict=False)
                handed = (argument for argument, value in arguments.items() if tail(value) in names)
                for argument in handed:
                    return self._words(argument, cls, (own, *before))
        return []

    def _set_globals(self, function: Any) -> None:
        """The module's number of examples, if a function reads it, is that of our data."""
        if not argument_meanings(function):
            return
        numbers = [name for name, value in self.file.namespace.items() if type(value) is int and name != "n"]
        counts = [name for name in numbers if meanings(name)[:1] == ["m"]]
        reached = self.file.reached(function) if counts else ()
        self.file.namespace.update((name, self.world.m) for name in counts if name in reached)


_OMIT = object()
_SEEN = {0.0: PENALTY, 1.0: 0.6}  # what an object of theirs is built with in the place of these


def is_blind(parameter: inspect.Parameter) -> bool:
    """Whether a number of a constructor is 0.0 or 1.0 by default, so that nothing of it would be seen: a bound is none,
    of which a small one cuts off what is there."""
    return type(parameter.default) is float and parameter.default in _SEEN and not _BOUND.search(parameter.name.lower())


_BOUND = re.compile("eps|clip|tol|min|max|thresh|delta|limit|norm")


def _options(function: Any, arguments: dict[str, Any], building: bool) -> dict[str, bool | int | float | str]:
    """The numbers and words, but for sizes, that a function is called with, and those that it has by default."""
    # Words and switches that are left as they are tell nothing.
    defaults = {p.name: p.default for p in parameters_of(function) if not isinstance(p.default, bool | str)}
    given = {**defaults, **arguments}
    told = {
        name: value
        for name, value in given.items()
        if type(value) is float or meanings(name, building)[:1] not in NO_OPTIONS
    }
    parts = [value if isinstance(value, dict) else {name: value} for name, value in told.items()]
    return {name: value for part in parts for name, value in part.items() if isinstance(value, OPTION)}


def _called(function: Any, arguments: dict[str, Any], sizes: tuple[int, ...]) -> Any:
    """Calls with arguments by name, and with the sizes one after the other where it takes any number of them:
    `Network(*sizes)`; those of the layers after the first if it is given that of the inputs before."""
    before: list[inspect.Parameter] = []
    for p in _signature(function) if sizes else ():
        if p.kind is p.VAR_POSITIONAL and meanings(p.name, building=True)[:1] == ["sizes"]:
            later = sizes[any(meanings(b.name, building=True)[:1] == ["inputs"] for b in before) :]
            return function(*(arguments.pop(b.name, b.default) for b in before), *later, **arguments)
        before.append(p)
    return function(**arguments)


_ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear")


@functools.lru_cache(maxsize=200)
def _signature(function: Any) -> tuple[inspect.Parameter, ...]:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()


def parameters_of(function: Any) -> list[inspect.Parameter]:
    return [p for p in _signature(function) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def argument_meanings(function: Any, building: bool = False) -> dict[str, list[str]]:
    """What the arguments of a function mean; a method's without self. What tells nothing is the labels where a backward
    pass or a loss takes something from it, or it from that, or where it follows on the data of one that needs some."""
    names = [p.name for p in parameters_of(function)]
    bound = isinstance(function, types.FunctionType) and names[:1] == ["self"]
    found = {name: meanings(name, building) for name in (names[1:] if bound else names)}
    if predictions := {name for name, means in found.items() if means[:1] == ["P"]}:
        keyed = (n for n in nodes_of(function) if isinstance(n, ast.Subscript) and re.fullmatch(r"W\d?", tail(n)))
        of_weights = {tail(n.value) for n in keyed}  # p["W1"]: of parameters, and of no prediction
        found |= {name: ["parameters"] for name in predictions & of_weights}
    firsts = [means[:1] for means in found.values()]
    if not building and ["Y"] not in firsts and role(getattr(function, "__name__", "")) in ("backward", "loss"):
        untold = [name for name, means in found.items() if not means and is_compared(function, name)]
        found |= {name: ["Y"] for name in untold if len(untold) == 1}
    if ["X"] in firsts and ["Y"] not in firsts and role(getattr(function, "__name__", "")) in ("train", "backward"):
        after = list(found)[firsts.index(["X"]) + 1 :][:1]
        numbers = [p.name for p in parameters_of(function) if isinstance(p.default, OPTION)]
        found |= {name: ["Y"] for name in after if set(found[name]) <= SIZES and name not in numbers}
    return found


def meant(function: Any, building: bool = False) -> set[str]:
    """What a function's arguments mean in the first place."""
    return {means[0] for means in argument_meanings(function, building).values() if means}


def is_compared(function: Any, name: str) -> bool:
    """Whether a function takes an argument from something, or a plain name from it: no error is compared so."""
    taken = [n for n in nodes_of(function) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)]
    return any(
        (isinstance(n.right, ast.Name) and n.right.id == name)
        or (isinstance(n.left, ast.Name) and n.left.id == name and isinstance(n.right, ast.Name | ast.Attribute))
        for n in taken
    )


def needs_arguments(function: Any, is_method: bool = False) -> bool:
    """Whether a function has arguments without a default; a method beside its object."""
    return any(p.default is p.empty for p in parameters_of(function)[is_method:])


def named_results(file: File, function: Any, result: Any) -> dict[str, Any]:
    """A call's results with the names of its return statement and of the places where the file calls it. Of several
    return statements it is the last one, or the one that has as many.

    Names that are not all different, `return W1, b1, W2, b1`, are a slip and none.
    """
    short = getattr(function, "__name__", "")
    found: dict[str, Any] = {}
    returned = return_names(function)
    if isinstance(result, tuple):
        returned = [names for names in returned if isinstance(names, list) and len(names) == len(result)] or returned
    for names in [*returned[:1], *(assigned for _, assigned in file.sites.get(short, []))]:
        if isinstance(names, str) and names and result is not None:
            found.setdefault(names, result)
        elif isinstance(names, list) and isinstance(result, tuple | list) and len(names) == len(result):
            told = [name for name in names if name and name != "_"]
            for name, value in zip(names, result, strict=True) if len(set(told)) == len(told) else ():
                if name in told or (isinstance(value, dict) and not name):
                    found.setdefault(name or "", value)
    return found


def unnamed(result: Any, named: dict[str, Any]) -> list[Any]:
    """What a call returned beside what has a name: `return scores, softmax(scores)`."""
    parts = result if named and isinstance(result, tuple | list) else ()
    return [part for part in parts if not any(part is value for value in named.values())]


# --- what is in the results -------------------------------------------------------------------------------------------


class Leaf(NamedTuple):
    """A number or array somewhere in a structure: where it is held, and the words and numbers on the way to it."""

    holder: Any
    key: Any
    way: tuple[Any, ...]
    value: Any

    @property
    def word(self) -> str:
        """The last name on the way, but for that of what a parameter is made of: `params["W"].data`."""
        words = [part for part in reversed(self.way) if isinstance(part, str) and part]
        return next((word for word in words if word not in ("data", "value")), *(words or [""])[:1])

    def holds_both(self, other: Leaf) -> bool:
        """Whether an object of the author's holds this array and one of its shape: a parameter and its gradient."""
        is_object = self.holder is other.holder is not None and not isinstance(self.holder, dict | list | tuple)
        return is_object and numpy.shape(self.value) == numpy.shape(other.value)

    @property
    def path(self) -> str:
        """As its author would write it: `layers[0].weights`, and `W1` in a dict."""
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.way]
        return self.word if "[" not in "".join(parts) else "".join(parts).lstrip(".")

    @property
    def named(self) -> Named | None:
        return read_name(self.word)

    @property
    def places(self) -> tuple[int, ...]:
        return tuple(part for part in self.way if isinstance(part, int))

    def set(self, value: Any) -> None:
        if isinstance(self.holder, dict | list):
            self.holder[self.key] = value
        elif not isinstance(self.holder, tuple):
            setattr(self.holder, self.key, value)


def leaves(value: Any, way: tuple[Any, ...] = (), depth: int = 5) -> list[Leaf]:
    """All float arrays and numbers in dicts, lists, tuples and objects of the author's, each array once."""
    found: dict[int, Leaf] = {}
    for leaf in _walk(None, None, value, way, depth, set()):
        found.setdefault(id(leaf.value), leaf)
    return list(found.values())


def _walk(holder: Any, key: Any, value: Any, way: tuple[Any, ...], depth: int, seen: set[int]) -> Iterator[Leaf]:
    if isinstance(value, numpy.ndarray | float) and not isinstance(value, bool):
        if getattr(value, "dtype", numpy.dtype(float)).kind == "f":
            yield Leaf(holder, key, way, value)
        return
    if depth == 0 or id(value) in seen or isinstance(value, type | types.ModuleType | types.FunctionType):
        return
    seen.add(id(value))
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    elif hasattr(value, "__dict__") and type(value).__module__ not in ("numpy", "builtins"):
        parts = vars(value).items()
    for name, part in list(parts):
        yield from _walk(value, name, part, (*way, name), depth - 1, seen)


def plain(value: Any) -> numpy.ndarray:
    """A copy of an array, off the record."""
    return numpy.array(numpy.ndarray.view(value, numpy.ndarray) if isinstance(value, numpy.ndarray) else float(value))


GRADIENTS = ("grad", "gradient")  # what an object calls the gradient of what it holds


def pair_up(parameters: list[Leaf], gradients: list[Leaf]) -> list[tuple[Leaf, Leaf]]:
    """Each parameter with its gradient: by their names and places, else in order.

    Gradients in lists may have been appended from the last layer to the first.
    """
    straight, turned = (_by_name(parameters, gradients, turned) for turned in (False, True))
    pairings = [straight, turned]
    if len(straight) < len(parameters):
        arrays = [g for g in gradients if numpy.ndim(g.value)]  # without a loss beside them
        orders = (gradients, gradients[::-1], arrays, arrays[::-1])
        pairings += [list(zip(parameters, given, strict=True)) for given in orders if len(given) == len(parameters)]
    whole = [pairs for pairs in pairings if len(pairs) == len(parameters) and all(fits(p, g) for p, g in pairs)]
    return (whole or pairings)[0]


def _by_name(parameters: list[Leaf], gradients: list[Leaf], turned: bool) -> list[tuple[Leaf, Leaf]]:
    pairs = []
    for parameter in parameters:
        key, word = _key(parameter), squeezed(parameter.word)
        found = [g for g in gradients if g.word in GRADIENTS and parameter.holds_both(g)]
        found = found or [g for g in gradients if key and _key(g, turned) == key]
        if not found and word and not parameter.places:
            called = [g for g in gradients if gradient_of(g.word) == word]
            found = called or [g for g in gradients if squeezed(g.word).endswith(word)]
            found = found if len(found) == 1 else []
        pairs += [(parameter, g) for g in found[:1]]
    return pairs


def _key(leaf: Leaf, turned: bool = False) -> tuple[str, str, tuple[int, ...]] | None:
    """What a parameter and its gradient have in common: the kind, the rest of the name, and the places in lists."""
    named, places = leaf.named, leaf.places
    if turned and places and isinstance(leaf.holder, list):
        places = (*places[:-1], len(leaf.holder) - 1 - places[-1])
    return (*(named[:2] if named else ("", "")), places) if named or places else None


def fits(parameter: Leaf, gradient: Leaf) -> bool:
    """Whether a gradient has its parameter's shape, but for leading axes of length 1, or is one number."""
    own, of_gradient = numpy.shape(parameter.value), numpy.shape(gradient.value)
    ones = len(own) - len(of_gradient)
    return own == (1,) * ones + of_gradient or numpy.size(gradient.value) == 1


def is_shaped(gradient: Any, array: Any) -> bool:
    """Whether a gradient has an array's shape, or both are vectors of as many entries, as rows or columns perhaps."""
    own, of_gradient = numpy.shape(array), numpy.shape(gradient)
    size = numpy.size(array)
    return own == of_gradient or max(own, default=1) == max(of_gradient, default=1) == size == numpy.size(gradient)


def step(pairs: list[tuple[Leaf, Leaf]]) -> None:
    """p ← p − rate · gradient, in place where that is possible, so that whoever holds the array sees it."""
    for parameter, gradient in pairs:
        value = parameter.value
        if isinstance(value, numpy.ndarray) and value.ndim and numpy.size(value) >= numpy.size(gradient.value):
            try:
                value -= RATE * gradient.value
                continue
            except (ValueError, TypeError):  # shapes that do not fit, numbers of another kind
                pass
        parameter.set(value - RATE * gradient.value)


def find_role(names: dict[str, Any], wanted: str) -> dict[str, Any]:
    return {name: function for name, function in names.items() if role(name) == wanted}
