"""A forward pass, its backward pass and a step, of functions or of a class, called as their author would call them.

m examples, i inputs, o outputs. Parameters are made by the file's own initialiser or constructor, or here; each
function gets what the ones before it returned; where none of the author's steps the parameters, it is done here.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy

from jaxnet.compare.author.calls import (
    COUNT,
    File,
    Leaf,
    Session,
    Unfillable,
    argument_meanings,
    data_of,
    find_role,
    fits,
    leaves,
    named_results,
    node_of,
    pair_up,
    plain,
    step,
    tail,
)
from jaxnet.compare.author.meanings import meanings, read_name, role

ADDING = ("add", "add_layer", "append", "push", "addLayer")  # what a container calls it


class Flags(NamedTuple):
    """Names that the command line gives."""

    forward: str | None = None
    backward: str | None = None
    init: str | None = None
    loss: str | None = None
    layout: str | None = None


# --- which functions --------------------------------------------------------------------------------------------------


def first_uncalled(file: File, functions: dict[str, Any]) -> list[Any]:
    """Those that none of the others calls come first."""
    called = {name for key, f in functions.items() for name in file.reached(f) if name != key}
    return sorted(functions.values(), key=lambda f: f.__name__ in called)


def meant(function: Any, building: bool = False) -> set[str]:
    """What a function's arguments mean in the first place."""
    return {means[0] for means in argument_meanings(function, building).values() if means}


def takes_data(function: Any) -> bool:
    return "pairs" in meant(function) or {"X", "Y"} <= meant(function)


def whole_classes(file: File) -> list[str]:
    """The classes that no other is derived from or makes objects of."""
    used = {n for name in file.classes for f in file.methods(name).values() for n in file.reached(f) if n != name}
    bases = {base.__name__ for cls in file.classes.values() for base in cls.__mro__[1:]}
    return [name for name in file.classes if name not in used | bases] or list(file.classes)


def steps_parameters(function: Any) -> bool:
    """Whether a function itself takes something off an array called like a parameter: W -= …, W1 = W1 - …."""
    node = node_of(function)
    for part in ast.walk(node) if node else ():
        match part:
            case ast.AugAssign(target=target, op=ast.Sub() | ast.Add()) if read_name(tail(target)):
                return True
            case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Sub() | ast.Add())):
                if tail(target) == tail(left) and read_name(tail(target)):
                    return True
    return False


class Passes(NamedTuple):
    """Functions, or methods of a class, that make one network together."""

    owner: str | None
    forward: str  # empty where the backward pass is one function with it
    backward: str


def plans(file: File, flags: Flags) -> Iterator[Passes]:
    """Pairs of a forward and a backward pass: of one class, or both functions; no parts of others."""
    groups: list[tuple[str | None, dict[str, Any]]] = [(n, file.methods(n)) for n in reversed(whole_classes(file))]
    for owner, functions in [*groups, (None, file.functions)]:
        forwards = _chosen(functions, flags.forward, owner) or _forwards(file, functions)
        backwards = _chosen(functions, flags.backward, owner) or _backwards(file, functions)
        yield from (Passes(owner, f, b) for b in backwards[:4] for f in forwards[:2] if f != b)
        whole = {n: f for n, f in functions.items() if role(n) in ("forward", "loss") and {"X", "Y"} <= meant(f)}
        yield from (Passes(owner, "", n) for n, f in whole.items() if not backwards and _gives_gradients(f))


def _chosen(functions: dict[str, Any], name: str | None, owner: str | None) -> list[str]:
    short = (name or "").removeprefix(f"{owner}.")
    return [short] if short in functions else []


def _forwards(file: File, functions: dict[str, Any]) -> list[str]:
    found = {n: f for n, f in find_role(functions, "forward").items() if isinstance(f, types.FunctionType)}
    found = {n: f for n, f in found.items() if "upstream" not in meant(f)}
    order = {n: k for k, n in enumerate(f.__name__ for f in first_uncalled(file, found))}
    return sorted(found, key=lambda n: ("forward" not in n and "feed" not in n and "prop" not in n, order.get(n, 0)))


def _backwards(file: File, functions: dict[str, Any]) -> list[str]:
    """Those that can have the labels; one that only takes an upstream gradient is a layer's."""
    found = {n: f for n, f in find_role(functions, "backward").items() if isinstance(f, types.FunctionType)}
    found = {n: f for n, f in found.items() if "upstream" not in meant(f) and "gradients" not in meant(f)}
    return [f.__name__ for f in first_uncalled(file, found) if _gives_gradients(f)]


def _gives_gradients(function: Any) -> bool:
    """Whether a function is a backward pass by its name, or has gradients inside: cost_derivative alone is none."""
    if re.search("back|bprop|grad|nabla|^bp$", function.__name__.lower()) or steps_parameters(function):
        return True
    nodes = list(ast.walk(node)) if (node := node_of(function)) else []
    words = [n.value if isinstance(n, ast.Constant) else tail(n) for n in nodes]
    return any(_is_gradient(word) for word in words)


# --- building ---------------------------------------------------------------------------------------------------------


def construct(session: Session, name: str) -> Any:
    """An object of a class, its parameters made, and the data of the sizes that it turned out to have."""
    network = session.call(session.file.classes[name], building=True)
    session.pool.clear()
    if not _parameters(network):
        for method in find_role(session.file.methods(name), "init"):
            if not method.startswith("__"):
                with contextlib.suppress(Unfillable):
                    session.call(getattr(network, method), building=True)
    if not _parameters(network):
        _fill(session, network)
    _adapt(session, _parameters(network))
    return network


def _fill(session: Session, container: Any) -> None:
    """Layers of the file put into a container, as an author would: `net.add(Dense(7, 5)); net.add(ReLU())` …"""
    classes, data = session.file.classes, dict(session.data)
    add = next((getattr(container, name) for name in ADDING if callable(getattr(container, name, None))), None)
    dense = [c for c in classes.values() if {"inputs", "outputs"} <= meant(c, True)]
    slopes = [
        c
        for name, c in classes.items()
        if not argument_meanings(c, True)
        and all(find_role(session.file.methods(name), kind) for kind in ("forward", "backward"))
        and not isinstance(container, c)
        and "softmax" not in name.lower()
    ]
    if add is None or not dense:
        return
    for inputs, outputs in itertools.pairwise(session.world.sizes):
        session.data |= {"inputs": inputs, "outputs": outputs}
        add(session.call(dense[0], building=True))
        if slopes and outputs != session.world.sizes[-1]:
            add(session.call(slopes[0], building=True))
    session.data.update({key: data[key] for key in ("inputs", "outputs")})


def initialise(session: Session, chosen: str | None, user: Iterable[str]) -> list[Leaf]:
    """The parameters that the file's own initialiser makes; they are in the pool under their names.

    `user` are the arguments of the function that needs them: what has no names has these.
    """
    wanted = [name for name in user if (read := read_name(name)) and not read.gradient]
    found = {n: f for n, f in find_role(session.file.functions, "init").items() if not takes_data(f)}
    if chosen:
        found = {chosen: session.file.namespace[chosen]}
    for function in first_uncalled(session.file, found):
        before = set(session.pool)
        try:
            result = session.call(function, building=True)
        except Unfillable:
            continue
        if isinstance(result, dict | list) or (hasattr(result, "__dict__") and not isinstance(result, tuple)):
            session.data["parameters"] = result
            if set(session.pool) == before:
                session.pool["parameters"] = result
        elif isinstance(result, tuple) and set(session.pool) == before and len(result) == len(wanted):
            session.pool |= dict(zip(wanted, result, strict=True))
        parameters = [leaf for leaf in leaves(session.pool) if numpy.ndim(leaf.value)]
        if parameters:
            _adapt(session, parameters)
            return parameters
    return []


def _parameters(root: Any) -> list[Leaf]:
    """The arrays called like weights and biases in an object that has just been built."""
    named = [leaf for leaf in leaves(root) if leaf.named and not any(map(_is_gradient, leaf.way))]
    return [leaf for leaf in named if numpy.size(leaf.value) and (numpy.ndim(leaf.value) or leaf.places)]


def _adapt(session: Session, parameters: list[Leaf]) -> None:
    """Where the weights are of other sizes than the world, the data become as they are."""
    two = [leaf for leaf in parameters if numpy.ndim(leaf.value) == 2]
    weights = [leaf for leaf in two if leaf.named and leaf.named.kind == "W"]
    shapes = [numpy.shape(leaf.value) for leaf in weights or two if weights or 1 not in numpy.shape(leaf.value)]
    chains = {}
    for more in (0, 1):  # or one column, or row, more for the biases, which a single matrix cannot tell
        if chains or len(shapes) <= more:
            continue
        if all(a[0] + more == b[1] for a, b in itertools.pairwise(shapes)):
            chains["columns"] = (shapes[0][1] - more, *(s[0] for s in shapes))
        if all(a[1] + more == b[0] for a, b in itertools.pairwise(shapes)):
            chains["rows"] = (shapes[0][0] - more, *(s[1] for s in shapes))
    world = session.world
    if chains and world.sizes not in chains.values():
        session.world = world._replace(sizes=chains.get(world.layout) or next(iter(chains.values())))
        kept = session.data.get("parameters")
        session.data = data_of(session.world, session.np)
        if kept is not None:
            session.data["parameters"] = kept


def _make_parameters(session: Session, forward: Any, backward: Any) -> list[Leaf]:
    """Parameters of our own, where the forward pass takes some and the file has no initialiser."""
    draws, np, world = numpy.random.default_rng(3), session.np, session.world
    sizes = list(zip(world.sizes, world.sizes[1:], strict=False))
    flat = world.labels == "integers"  # so that both kinds of biases are tried

    def made(kind: str, layer: int) -> Any:
        i, o = sizes[layer]
        columns = world.layout == "columns"
        shape = ((o, i) if columns else (i, o)) if kind == "W" else ((o,) if flat else (o, 1) if columns else (1, o))
        return np.array(draws.normal(size=shape))

    for name, means in argument_meanings(forward).items():
        read = read_name(name)
        if read and read.gradient is False:
            digits = [int(c) for c in read.place if c.isdigit()]
            several = not digits and name.endswith(("s", "list"))
            if digits and digits[-1] > len(sizes):
                raise Unfillable(f"{name}: more layers than there are")
            made_up = [made(read.kind, k) for k in range(len(sizes))]
            session.pool[name] = made_up if several else made_up[digits[-1] - 1 if digits else 0]
        elif means[:1] == ["parameters"]:
            nodes = [n for f in (forward, backward) if (node := node_of(f)) for n in ast.walk(node)]
            keys = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            named = {key: read for key in sorted(keys) if (read := read_name(key)) and not read.gradient}
            count = len([read for read in named.values() if read.kind == "W"])
            if count != len(sizes):
                raise Unfillable("another number of layers")
            session.pool[name] = {key: made(read.kind, int(read.place[-1:] or 1) - 1) for key, read in named.items()}
    return [leaf for leaf in leaves(session.pool) if numpy.ndim(leaf.value)]


# --- forward, backward, step ------------------------------------------------------------------------------------------


class Misfit(Unfillable):
    """A backward pass has run, and what it gives does not fit the parameters."""


def play_passes(session: Session, passes: Passes, flags: Flags, strict: bool) -> None:
    file = session.file
    if passes.owner:
        root: Any = construct(session, passes.owner)
        parameters = _parameters(root)
        functions = {name: getattr(root, name) for name in file.methods(passes.owner)}
    else:
        root, functions = session.pool, file.functions
        first = functions[passes.forward or passes.backward]
        arguments = argument_meanings(first)
        parameters = initialise(session, flags.init, arguments) if arguments else []
        parameters = parameters or _make_parameters(session, first, functions[passes.backward])
        if not parameters:
            root, parameters = file.namespace, _global_parameters(session, first)
    if not parameters:
        raise Unfillable("no parameters")
    forward, backward = functions.get(passes.forward), functions[passes.backward]
    losses = [flags.loss] if flags.loss else list(find_role(functions, "loss"))
    losses += [n for n in find_role(file.functions, "loss") if passes.owner and not losses]
    updates = find_role(functions, "update")
    for _ in range(COUNT):
        _zero(session, functions)
        before = {p.way: plain(p.value) for p in _again(root, parameters)}
        if forward:
            _remember(session, forward, session.call(forward, **_input(session, forward)), strict)
        for name in losses if forward else ():
            with contextlib.suppress(Exception):  # a loss that cannot be called so is none
                _call_loss(session, functions.get(name) or file.functions[name], passes.forward)
                break
        result = session.call(backward)
        if not session.labelled and argument_meanings(backward):
            raise Unfillable("the labels go nowhere")
        if _moved(root, before, strict):
            continue
        gradients = _gradients(session, backward, result, root, parameters)
        if not _updated(session, updates, result, functools.partial(_moved, root, before, strict)):
            pairs = pair_up(_again(root, parameters), gradients)
            if not pairs or (strict and (len(pairs) < len(parameters) or not all(fits(p, g) for p, g in pairs))):
                raise Misfit("the gradients have other shapes than the parameters")
            step(pairs)


def _input(session: Session, forward: Any) -> dict[str, Any]:
    """X for the first argument that tells nothing, where none is called like data."""
    arguments = argument_meanings(forward)
    if meant(forward) & {"X", "pairs"}:
        return {}
    free = [name for name, means in arguments.items() if not means and name not in session.pool]
    free += [name for name, means in arguments.items() if means[:1] == ["cache"]]
    return {free[0]: session.data["X"]} if free else {}


def _updated(session: Session, updates: dict[str, Any], gradients: Any, moved: Callable[[], bool]) -> bool:
    """Whether one of the author's updates steps the parameters; one that loses some of them is as if not called."""
    if isinstance(gradients, dict | list):
        session.data["gradients"] = gradients
    for update in updates.values():
        before = dict(session.pool)
        try:
            session.call(update)
            if moved():
                return True
        except Misfit:
            raise
        except (Unfillable, KeyError, AttributeError):
            session.pool.clear()
            session.pool.update(before)
    return False


def _global_parameters(session: Session, forward: Any) -> list[Leaf]:
    """The module's own arrays, made anew so that they are on this record, where functions work on the module's."""
    namespace = session.file.namespace
    arrays = [name for name, value in namespace.items() if isinstance(value, numpy.ndarray)]
    reached = session.file.reached(forward)
    for name in arrays:
        if name in reached or meanings(name)[:1] == ["Y"]:
            namespace[name] = session.np.array(plain(namespace[name]))
    session.labelled = True
    named = [name for name in arrays if name in reached and (read := read_name(name)) and not read.gradient]
    return [Leaf(namespace, name, (name,), namespace[name]) for name in named]


def _zero(session: Session, functions: dict[str, Any]) -> None:
    for function in find_role(functions, "zero").values():
        with contextlib.suppress(Unfillable):
            session.call(function)


def _remember(session: Session, forward: Any, result: Any, strict: bool) -> None:
    """What a forward pass returned: the prediction, which has the labels' shape, and the rest as the cache."""
    world = session.world
    shapes = {(world.sizes[-1], world.m), (world.m, world.sizes[-1])}
    shapes |= {(world.m,)} if world.sizes[-1] == 1 else {(world.sizes[-1],)} if world.form == "vector" else set()
    named = dict(named_results(session.file, forward, result))
    found = [leaf for leaf in leaves(named or result) if numpy.shape(leaf.value) in shapes and not leaf.named]
    if strict and isinstance(result, numpy.ndarray | tuple | list | dict) and not found:
        raise Unfillable("no prediction of the labels' shape")
    if found:
        nearest = [leaf for leaf in found if len(leaf.way) == min(len(leaf.way) for leaf in found)]
        surest = [leaf for leaf in nearest if meanings(leaf.word)[:1] == ["P"]]
        activated = [leaf for leaf in nearest if leaf.word.lower().startswith("a")]
        for kind in (surest, activated, nearest if len(nearest) == 1 else []):
            if kind:
                session.data["P"] = kind[-1].value
                break
    parts = [part for part in result if isinstance(part, dict | list | tuple)] if isinstance(result, tuple) else []
    session.data["cache"] = parts[-1] if parts else result


def _call_loss(session: Session, function: Any, forward: str) -> None:
    """Of two arguments that could be labels, or of one that tells nothing, one is the prediction."""
    arguments = argument_meanings(function)
    given: dict[str, Any] = {}
    firsts = {name: means[0] if means else "" for name, means in arguments.items()}
    if "P" not in firsts.values() and forward not in session.file.reached(function) and "P" in session.data:
        labels = [name for name, first in firsts.items() if first == "Y"]
        others = [name for name, first in firsts.items() if first not in ("Y", "nothing", "parameters")]
        free = [name for name in others if name not in session.pool]
        chosen = "y" if len(labels) > 1 and "y" in labels else next(iter(free), None)
        given = {chosen: session.data["P"]} if chosen else {}
    if session.world.labels == "integers":
        # A backward pass may make its labels one-hot itself, where the loss wants them so.
        one_hot = {
            name: session.data["one-hot"] for name, first in firsts.items() if first == "Y" and name not in given
        }
        with contextlib.suppress(Exception):
            session.call(function, **given, **one_hot)
            return
    session.call(function, **given)


def _follow(root: Any, way: tuple[Any, ...]) -> tuple[Any, Any]:
    """What holds the thing at the end of a way, and the thing."""
    holder = None
    for key in way:
        holder, root = root, root[key] if isinstance(root, dict | list | tuple) else getattr(root, key)
    return holder, root


def _again(root: Any, parameters: list[Leaf]) -> list[Leaf]:
    """The parameters as they are now."""
    found = []
    for leaf in parameters:
        holder, value = _follow(root, leaf.way)
        found.append(Leaf(holder, leaf.way[-1], leaf.way, value))
    return found


def _moved(root: Any, before: dict[tuple[Any, ...], numpy.ndarray], strict: bool) -> bool:
    """Whether the author's code has stepped the parameters itself."""
    moved = False
    for way, old in before.items():
        new = plain(_follow(root, way)[1])
        if strict and new.shape != old.shape:
            raise Misfit("a step changes a parameter's shape")
        moved |= new.shape != old.shape or not numpy.array_equal(new, old)
    return moved


def _gradients(session: Session, backward: Any, result: Any, root: Any, parameters: list[Leaf]) -> list[Leaf]:
    """What a backward pass returned, and what it left in attributes under a gradient's name."""
    named = dict(named_results(session.file, backward, result))
    returned = leaves(named) if named else leaves(result)
    own = root is not session.pool and root is not session.file.namespace
    left = [leaf for leaf in (leaves(root) if own else []) if any(_is_gradient(part) for part in leaf.way)]
    known = {id(p.value) for p in _again(root, parameters)}
    found = [leaf for leaf in [*returned, *left] if id(leaf.value) not in known]
    return sorted(found, key=lambda leaf: not ((leaf.named and leaf.named.gradient) or "grad" in str(leaf.way).lower()))


def _is_gradient(part: Any) -> bool:
    read = read_name(part) if isinstance(part, str) else None
    return isinstance(part, str) and (meanings(part)[:1] == ["gradients"] or bool(read and read.gradient))
