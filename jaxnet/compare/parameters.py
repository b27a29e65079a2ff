"""Finds the parameters in what an author's code holds, and the gradients in what it gives back.

Parameters get the names W1, b1, W2, b2 … in the order of the layers, whatever the author calls them: by the numbers
in the author's names, else by the order in which they come.
"""

from __future__ import annotations

import ast
import itertools
import re
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.functions import Callee, File
from jaxnet.compare.leaves import Leaf, Path, Refusal, Token, leaves
from jaxnet.compare.names import meanings, read_name

_NOT_PARAMETERS = re.compile(
    r"grad|cache|veloc|moment|history|memory|delta|prev|best|old|^[vms]_?d?[wb]|^d_?[wb]|activ|^<"
)


class Parameter(NamedTuple):
    """An array that the network learns."""

    name: str  # W1
    path: Path  # where it is in the pool
    value: np.ndarray  # what the author's code set it to
    word: str  # what the author calls it
    named: bool  # whether that word says that it is a parameter
    identity: str  # as of names.read_name: what it shares with its gradient
    number: int | None  # the author's


class Made(NamedTuple):
    """What we put into the pool where a file has no function that makes its parameters: an array, a list or a dict."""

    name: str
    structure: Any


class _Read(NamedTuple):
    leaf: Leaf
    kind: str | None
    number: int | None
    identity: str
    gradient: bool
    word: str


def _read(leaf: Leaf) -> _Read:
    """Kind and layer by the last telling word on the way to a leaf, and the first index."""
    words = [t for t in leaf.tokens if isinstance(t, str)]
    telling = next(((w, r) for w in reversed(words) if (r := read_name(w))), None)
    indices = [t for t in leaf.tokens if isinstance(t, int) and not isinstance(t, bool)]
    index = indices[0] if indices else None
    if telling is None:
        return _Read(leaf, None, index if len(indices) > 1 else None, "", False, leaf.word)
    word, read = telling
    number = read.number if read.number is not None else index
    identity = read.identity if read.number is not None or index is None else f"{read.identity}[{index}]"
    gradient = read.gradient or any(re.fullmatch(r"grads?|gradients?|nabla", w.lower().strip("_")) for w in words)
    return _Read(leaf, read.kind, number, identity, gradient, word)


def find_parameters(pool: dict[str, Any], data: tuple[str, ...], only: list[Path] | None = None) -> list[Parameter]:
    """The arrays in the pool that can be parameters, in the order W1, b1, W2, b2 …"""
    ours = [np.asarray(pool[name]) for name in data if name in pool]
    found = []
    for leaf in leaves({k: v for k, v in pool.items() if not k.startswith("<")}):
        path = leaf.path
        value = leaf.value
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.ndim not in (1, 2) or value.size == 0:
            continue
        if only is not None and path not in only:
            continue
        if any(isinstance(t, str) and _NOT_PARAMETERS.search(t.lower()) for t in leaf.tokens):
            continue
        if any(
            value is d or (value.shape in (d.shape, d.T.shape) and (_same(value, d) or _same(value, d.T))) for d in ours
        ):
            continue
        read = _read(leaf)
        if not read.gradient:
            found.append(read)
    named = [r for r in found if r.kind]
    if named and len({r.kind for r in named}) == 2:  # with named ones there, others are caches and the like
        unnamed = [r for r in found if not r.kind]
        found = named + (unnamed if only is not None else [])
    return _arranged(found)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal, and not by being constant: a bias of zeros is no data."""
    return a.shape == b.shape and bool(np.array_equal(a, b)) and np.ptp(a) > 0


def _arranged(found: list[_Read]) -> list[Parameter]:
    kinds = _kinds(found)
    weights = _ordered([r for r, kind in zip(found, kinds, strict=True) if kind == "W"])
    biases = [r for r, kind in zip(found, kinds, strict=True) if kind == "b"]
    layers = _layers_of_biases(weights, biases)
    arranged = []
    for layer, weight in enumerate(weights, 1):
        arranged.append(_parameter(f"W{layer}", weight))
        arranged += [_parameter(f"b{layer}", bias) for bias, its in zip(biases, layers, strict=True) if its == layer][
            :1
        ]
    return arranged


def _kinds(found: list[_Read]) -> list[str]:
    """W or b: by name; of nameless arrays the second of each pair is a bias, or what has but one row or column."""
    nameless = [r.leaf.value for r in found if r.kind is None]
    pairs = len(nameless) % 2 == 0 and all(
        (w.ndim == 2 and b.size in w.shape and min([2, *b.shape]) <= 1) or b.ndim == 1
        for w, b in zip(nameless[::2], nameless[1::2], strict=False)
    )
    kinds, count = [], 0
    for read in found:
        if read.kind is not None:
            kinds.append(read.kind)
            continue
        shape = read.leaf.value.shape
        kinds.append("Wb"[count % 2] if pairs else "W" if len(shape) == 2 and min(shape) > 1 else "b")
        count += 1
    return kinds


def _ordered(weights: list[_Read]) -> list[_Read]:
    numbers = [w.number for w in weights]
    if None not in numbers and len(set(numbers)) == len(numbers):
        return sorted(weights, key=lambda w: w.number or 0)
    if len(weights) > 1 and not size_options([w.leaf.value.shape for w in weights]):
        turned = weights[::-1]
        return turned if size_options([w.leaf.value.shape for w in turned]) else weights
    return weights


def _layers_of_biases(weights: list[_Read], biases: list[_Read]) -> list[int | None]:
    """For each bias its layer: by number, by what it shares with the weights' name, by order, or by size."""
    numbers = {w.number: layer for layer, w in enumerate(weights, 1)}
    own = [b.number for b in biases]
    if None not in own and None not in numbers and len(set(own)) == len(own) and set(own) <= set(numbers):
        return [numbers[n] for n in own]
    places = {w.identity[1:]: layer for layer, w in enumerate(weights, 1)}
    if all(b.identity[1:] in places for b in biases) and len({b.identity for b in biases}) == len(biases):
        return [places[b.identity[1:]] for b in biases]
    if len(biases) == len(weights):
        return list(range(1, len(weights) + 1))
    layers: list[int | None] = []
    for bias in biases:
        size = bias.leaf.value.size
        free = [i for i, w in enumerate(weights, 1) if size in w.leaf.value.shape and i not in layers]
        layers.append(free[0] if free else None)
    return layers


def _parameter(name: str, read: _Read) -> Parameter:
    return Parameter(
        name, read.leaf.path, read.leaf.value, read.word, read.kind is not None, read.identity, read.number
    )


def size_options(shapes: list[tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Layer sizes by the weights' shapes, as (o, i) and as (i, o); with a row or column for the bias, or without."""
    options: dict[str, tuple[int, ...]] = {}
    for side in ("oi", "io"):
        pairs = [s if len(s) == 2 else ((1, s[0]) if side == "oi" else (s[0], 1)) for s in shapes]
        pairs = [(a, b) if side == "io" else (b, a) for a, b in pairs]  # (inputs, outputs) of each layer
        for extra in (0, 1):
            chained = all(a[1] + extra == b[0] for a, b in itertools.pairwise(pairs))
            if pairs and chained and side not in options and (extra == 0 or len(pairs) > 1):
                options[side] = (pairs[0][0] - extra, *(p[1] for p in pairs))
    return options


def own_values(parameters: list[Parameter], sizes: tuple[int, ...], seed: int) -> dict[str, np.ndarray]:
    """Values of our own: scaled so that nothing saturates, and no bias zero, so that no mistake hides."""
    draws = np.random.default_rng(seed)
    values = {}
    for parameter in parameters:
        shape = parameter.value.shape
        if parameter.name[0] == "b":
            values[parameter.name] = draws.normal(size=shape) * 0.3 + 0.2  # rather positive: relu units stay alive
            continue
        layer = int(parameter.name[1:])
        inputs = sizes[layer - 1] if layer <= len(sizes) and sizes[layer - 1] in shape else max(shape)
        values[parameter.name] = draws.normal(size=shape) * np.sqrt(2 / inputs)
    return values


# ------------------------------------------------------------------------------------------------ parameters of our own


def made_parameters(
    file: File, forward: Callee, backward: Callee, pool: dict[str, Any], there: list[Parameter], world: Any
) -> list[Made]:
    """Parameters that the functions take and no initialiser gives, with the shapes that the world implies."""
    wanted = [p.name for c in (forward, backward) for p in c.arguments if p.default is p.empty]
    wanted += [n for n in sorted(file.free_names(forward)) if n not in file.constants and n not in file.declared_global]
    known = {p.word for p in there} | {p.identity for p in there}
    names = [n for n in dict.fromkeys(wanted) if n not in pool and n not in known]
    reads = {n: r for n in names if (r := read_name(n)) and not r.gradient and r.identity not in known}
    if not reads and not there:
        return _made_container(file, forward, world)
    counted = {r.number for r in reads.values()} | {p.number for p in there}
    layers = _layers([(r.kind, r.number) for r in reads.values()], sorted(n for n in counted if n is not None))
    made: list[Made] = []
    for name, layer in zip(reads, layers, strict=True):
        kind = reads[name].kind
        if used_as_list(forward, name):
            made.append(Made(name, [_array(kind, k, world, there) for k in range(1, len(world.sizes))]))
        elif layer < len(world.sizes):
            made.append(Made(name, _array(kind, layer, world, there)))
    return made


def _layers(kinds: list[tuple[str, int | None]], numbers: list[int]) -> list[int]:
    """The layer of each name, by the rank of its number or by its place among the names of its kind."""
    order = {"W": 0, "b": 0}
    layers = []
    for kind, number in kinds:
        order[kind] += 1
        layers.append(order[kind] if number is None else numbers.index(number) + 1)
    return layers


def _array(kind: str, layer: int, world: Any, there: list[Parameter]) -> np.ndarray:
    inputs, outputs = world.sizes[layer - 1], world.sizes[layer]
    like = next((p.value.shape for p in there if p.name[0] == "b"), None)
    if kind == "W":
        upright = (world.layout == "columns") != world.flipped
        return np.zeros((outputs, inputs) if upright else (inputs, outputs))
    if like is not None:
        return np.zeros((outputs,) if len(like) == 1 else (outputs, 1) if like[-1] == 1 else (1, outputs))
    if world.flat_biases or world.form == "vector":
        return np.zeros(outputs)
    return np.zeros((outputs, 1) if world.layout == "columns" else (1, outputs))


def _made_container(file: File, forward: Callee, world: Any) -> list[Made]:
    """A dict or list of parameters for an argument such as `params`, by the way in which the code takes from it."""
    layers = range(1, len(world.sizes))
    for argument in forward.arguments:
        if meanings(argument.name, False)[:1] != ["parameters"]:
            continue
        keys = [key for callee in file.reached(forward) for key in _keys_taken(callee, argument.name)]
        if used_as_list(forward, argument.name) and not keys:
            pairs = [(_array("W", k, world, []), _array("b", k, world, [])) for k in layers]
            return [Made(argument.name, pairs)]
        keys = list(dict.fromkeys(keys)) or [f"{kind}{k}" for k in layers for kind in "Wb"]
        reads = [r for key in keys if (r := read_name(key))]
        numbers = sorted({r.number for r in reads if r.number is not None})
        places = zip(keys, reads, _layers([(r.kind, r.number) for r in reads], numbers), strict=True)
        return [Made(argument.name, {k: _array(r.kind, n, world, []) for k, r, n in places if n < len(world.sizes)})]
    return []


def _keys_taken(callee: Callee, name: str) -> list[str]:
    """The keys called like parameters that a function takes from a dict."""
    subscripts = [n for n in ast.walk(callee.node) if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)]
    own = [n.slice.value for n in subscripts if ast.unparse(n.value) == name and isinstance(n.slice, ast.Constant)]
    return [key for key in own if isinstance(key, str) and read_name(key)]


def used_as_list(callee: Callee, name: str) -> bool:
    """Whether a function indexes an argument by position, or runs over it."""
    for node in ast.walk(callee.node):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
            key = node.slice
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)) and not isinstance(
                key, ast.JoinedStr
            ):
                return not isinstance(key, ast.BinOp) or "'" not in ast.unparse(key)
        if isinstance(node, ast.For | ast.comprehension) and name in {
            n.id for n in ast.walk(node.iter) if isinstance(n, ast.Name)
        }:
            return "items" not in ast.unparse(node.iter) and "len(" not in ast.unparse(node.iter)
    return False


# ------------------------------------------------------------------------------------------------------------ gradients


def match_gradients(found: list[Leaf], parameters: list[Parameter], function: str) -> dict[str, Any]:
    """Which leaf is the gradient of which parameter: by name and layer number, else by shape and order."""
    reads = [_read(leaf) for leaf in found]
    named = [r for r in reads if r.kind is not None]
    if named and len(named) >= min(2, len(parameters)):
        matched = _match_by_identity(named, parameters) or _match_by_number(named, parameters)
        if matched:
            return matched | _leftover(matched, found, parameters)
    if not named and len(found) >= len(parameters):
        nameless = found if len(found) == len(parameters) else [leaf for leaf in found if not _is_other(leaf)]
        if len(nameless) == len(parameters):
            return _match_by_shape(nameless, parameters)
    words = ", ".join(str(leaf.word) or str(np.shape(leaf.value)) for leaf in found) or "none"
    raise Refusal(
        f"{function} gave {len(named) or len(found)} gradients ({words}) for {len(parameters)} parameters "
        f"({', '.join(p.word for p in parameters)}); expected one for each, named after it (dW1, grads['W1'], nabla_w)"
    )


def _leftover(matched: dict[str, Any], found: list[Leaf], parameters: list[Parameter]) -> dict[str, Any]:
    """Of a tuple with one entry for each parameter, those whose names tell nothing: `return dW1, db1, dW2, dZ2`."""
    missing = [p.name for p in parameters if p.name not in matched]
    used = {id(value) for value in matched.values()}
    left = [leaf.value for leaf in found if len(leaf.path) == 1 and id(leaf.value) not in used]
    whole = len(found) == len(parameters) and len(left) == len(missing)
    return dict(zip(missing, left, strict=True)) if whole else {}


def _is_other(leaf: Leaf) -> bool:
    return bool(re.fullmatch(r"d?[azxy]_?\d*|loss|cost|delta\w*|error\w*|y_?hat|acc\w*", leaf.word.lower()))


def _match_by_identity(named: list[_Read], parameters: list[Parameter]) -> dict[str, Any] | None:
    own = {p.identity: p.name for p in parameters}
    theirs = {r.identity: r.leaf.value for r in named}
    if len(own) < len(parameters) or len(theirs) < len(named) or not set(theirs) <= set(own):
        return None
    if any("[" in identity for identity in theirs) and _reversed_fits(named, parameters):
        return None
    return {own[identity]: value for identity, value in theirs.items()}


def _reversed_fits(named: list[_Read], parameters: list[Parameter]) -> bool:
    """Whether lists of gradients, appended from the last layer to the first, fit only when turned round."""
    straight = _shapes_that_fit(_by_rank(named, parameters, 1), parameters)
    turned = _shapes_that_fit(_by_rank(named, parameters, -1), parameters)
    return turned > straight


def _match_by_number(named: list[_Read], parameters: list[Parameter]) -> dict[str, Any] | None:
    numbers: dict[tuple[str, int | None], str] = {
        (p.name[0], p.number): p.name for p in parameters if p.number is not None
    }
    keys = [(r.kind or "", r.number) for r in named]
    distinct = len(numbers) == len(parameters) and len(set(keys)) == len(keys) and set(keys) <= set(numbers)
    turned = any("[" in r.identity for r in named) and _reversed_fits(named, parameters)
    if distinct and not turned:
        return {numbers[key]: r.leaf.value for key, r in zip(keys, named, strict=True)}
    canonical = {f"{kind}{number}" for kind, number in keys}
    if len(canonical) == len(keys) and canonical <= {p.name for p in parameters} and 0 not in {n for _, n in keys}:
        return {f"{r.kind}{r.number}": r.leaf.value for r in named}
    candidates = [_by_rank(named, parameters, 1), _by_rank(named, parameters, -1)]
    candidates = [c for c in candidates if c is not None]
    return max(candidates, key=lambda c: _shapes_that_fit(c, parameters), default=None)


def _by_rank(named: list[_Read], parameters: list[Parameter], step: int) -> dict[str, Any] | None:
    """In the order of their numbers, or of their coming; step −1 from the last layer to the first."""
    matched: dict[str, Any] = {}
    for kind in "Wb":
        reads = [r for r in named if r.kind == kind]
        if all(r.number is not None for r in reads) and len({r.number for r in reads}) == len(reads):
            reads = sorted(reads, key=lambda r: r.number or 0)
        places = [p.name for p in parameters if p.name[0] == kind]
        if len(reads) != len(places):
            return None
        matched |= {name: r.leaf.value for name, r in zip(places, reads[::step], strict=True)}
    return matched


def _shapes_that_fit(matched: dict[str, Any] | None, parameters: list[Parameter]) -> int:
    return sum(np.shape(matched[p.name]) == p.value.shape for p in parameters if p.name in matched) if matched else -1


def _match_by_shape(found: list[Leaf], parameters: list[Parameter]) -> dict[str, Any]:
    """Nameless gradients in one of the usual orders: the one in which most shapes fit."""
    names = [p.name for p in parameters]
    weights, biases = [n for n in names if n[0] == "W"], [n for n in names if n[0] == "b"]
    backwards = [n for w in weights[::-1] for n in names if n[1:] == w[1:]]
    orders = [names, weights + biases, backwards, weights[::-1] + biases[::-1], biases + weights, names[::-1]]
    matches = [dict(zip(order, (leaf.value for leaf in found), strict=True)) for order in orders]
    return max(matches, key=lambda matched: _shapes_that_fit(matched, parameters))


# -------------------------------------------------------------------------------------------------------------- updates


def updates_itself(node: ast.AST, name: str) -> bool:
    """Whether a function computes a new value of a name from the old one: W1 = W1 - …, or W1 -= …."""
    for n in ast.walk(node):
        if isinstance(n, ast.AugAssign) and _ends(n.target) == name:
            return True
        if isinstance(n, ast.Assign):
            own = [ast.unparse(t) for t in n.targets if _ends(t) == name]
            if own and own[0] in {ast.unparse(part) for part in ast.walk(n.value) if isinstance(part, ast.expr)}:
                return True
    return False


def _ends(node: ast.AST) -> Token | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return None


def literal_rate(nodes: list[ast.AST]) -> float:
    """The number that an update multiplies gradients with, where the code has one in it; else 1."""
    rates = set()
    for node in (n for root in nodes for n in ast.walk(root)):
        step = None
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
            step = node.value
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.BinOp)
            and isinstance(node.value.op, ast.Sub | ast.Add)
        ):
            same = ast.unparse(node.value.left) == ast.unparse(node.targets[0])
            step = node.value.right if same else None
        if isinstance(step, ast.BinOp) and isinstance(step.op, ast.Mult):
            rates |= {
                c.value for c in (step.left, step.right) if isinstance(c, ast.Constant) and isinstance(c.value, float)
            }
    return rates.pop() if len(rates) == 1 else 1.0
