"""Where nothing in a program trains: calls of what the file has, in the order in which its author would make them.

m examples, i inputs, o outputs. Functions that train by themselves come first, then classes that do, then a forward
pass, its backward pass and a step, at last lone layers, which get the gradient of a squared error as their upstream
gradient. A call is tried before it is offered: what raises, or returns gradients of other shapes, is none.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import itertools
import random
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
    World,
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
from jaxnet.compare.author.layers import SHAPES, lone_layers
from jaxnet.compare.author.meanings import meanings, read_name, role
from jaxnet.compare.author.recorder import recording
from jaxnet.compare.author.tape import Enough, Tape

PROBE = 6000  # Nodes of a call that is tried
OFFERED = 2  # worlds of one target


class Attempt(NamedTuple):
    """A thing to try: what the report says was run, and the call."""

    description: str
    call: Callable[[], None]


class Target(NamedTuple):
    """What can be called in one world or another. `strict`: only if shapes are as they ought to be."""

    description: str
    play: Callable[[Any, bool], None]
    worlds: list[Any]  # a World each, or for a lone layer the shape of x


class Flags(NamedTuple):
    """Names that the command line gives."""

    forward: str | None = None
    backward: str | None = None
    init: str | None = None
    loss: str | None = None
    layout: str | None = None


def drive(
    namespace: dict[str, Any], numpy: types.ModuleType, stop: Callable[[], bool], **flags: str | None
) -> Iterator[Attempt]:
    """Things to try with what a program has defined, likeliest first. `numpy` makes all arrays that are given."""
    file, names = File(namespace), Flags(**flags)
    trainers = [] if names.forward or names.backward else [*_trainers(file, numpy), *_class_trainers(file, numpy)]
    layers = [Target(shown, play, list(SHAPES)) for shown, play in lone_layers(file, numpy)]
    for target in [*trainers, *_passes(file, numpy, names), *layers]:
        offered = 0
        for strict in (True, False):
            for world in _of_layout(target.worlds, names.layout):
                if stop():
                    return
                play = functools.partial(_seeded, target.play, world, strict)
                if _runs(play):
                    offered += 1
                    yield Attempt(target.description, play)
                if offered == OFFERED:
                    break
            if offered:
                break


def _seeded(play: Callable[[Any, bool], None], world: Any, strict: bool) -> None:
    """A call whose random numbers are the same each time."""
    random.seed(0)
    numpy.random.seed(0)
    play(world, strict)


def _of_layout(worlds: list[Any], layout: str | None) -> list[Any]:
    return [world for world in worlds if layout in (None, getattr(world, "layout", layout))]


def _runs(play: Callable[[], None]) -> bool:
    """Whether a call ends well, or has not ended after a while."""
    with recording(Tape(PROBE)), contextlib.redirect_stdout(io.StringIO()), numpy.errstate(all="ignore"):
        try:
            play()
        except Enough:
            return True
        except (Exception, SystemExit):
            return False
    return True


def _worlds(file: File) -> list[World]:
    """What the code may work on: batches before single examples; one output unit first where the file speaks of it."""
    one_unit = any(mark in file.source for mark in ("> 0.5", ">= 0.5", ">0.5", ">=0.5", "1 - Y", "1-Y", "1 - y", "1-y"))
    outputs = (1, 3) if one_unit else (3, 1)
    depth = max([int(k) for k in re.findall(r"\b[Ww](?:eights?_?)?([1-6])\b", file.source)], default=0)
    depths = dict.fromkeys([depth if depth > 1 else 3, 2, 3, 1])
    sizes = [(*(7, 5, 4, 6, 5, 4)[:depth], out) for depth in depths for out in outputs]
    sizes += [(784, 5, 10)] if "784" in file.source else []
    return [
        World(size, layout, labels, form)
        for form in ("batch", "vector", "example")
        for size in sizes
        for labels in ("one-hot", "integers")
        for layout in ("columns", "rows")
    ]


# --- what trains by itself -------------------------------------------------------------------------------------------


def _computes_gradients(file: File, function: Any) -> bool:
    """Whether a function, or one that it calls, speaks of gradients."""
    reached = file.reached(function)
    speaks = any(role(name) == "backward" or ((read := read_name(name)) and read.gradient) for name in reached)
    return speaks or _steps(function)


def _steps(function: Any) -> bool:
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


def _takes_data(function: Any) -> bool:
    means = [found[0] for found in argument_meanings(function).values() if found]
    return "pairs" in means or {"X", "Y"} <= set(means)


def _first_uncalled(file: File, functions: dict[str, Any]) -> list[Any]:
    """Those that none of the others calls come first."""
    called = {name for key, f in functions.items() for name in file.reached(f) if name != key}
    return sorted(functions.values(), key=lambda f: f.__name__ in called)


def _trainers(file: File, np: types.ModuleType) -> Iterator[Target]:
    found = {n: f for n, f in find_role(file.functions, "train").items() if _computes_gradients(file, f)}
    for function in _first_uncalled(file, found):
        arguments = argument_meanings(function)
        if arguments and not _takes_data(function):
            continue
        shown = f"{function.__name__}({', '.join(arguments)}), called with data of jaxnet's own"

        def play(world: World, strict: bool, function: Any = function, arguments: Any = arguments) -> None:
            session = Session(file, np, world)
            if any(read_name(name) or means[:1] == ["parameters"] for name, means in arguments.items()):
                _initialise(session, None, arguments)
            for _ in range(COUNT):
                session.call(function)

        yield Target(shown, play, _worlds(file) if arguments else _worlds(file)[:1])


def _class_trainers(file: File, np: types.ModuleType) -> Iterator[Target]:
    for name in reversed(_whole_classes(file)):
        methods = {n: f for n, f in find_role(file.methods(name), "train").items() if isinstance(f, types.FunctionType)}
        for method in _first_uncalled(file, methods):
            built_with_data = "Y" in {m[0] for m in argument_meanings(_constructor(file, name), True).values() if m}
            if not (_takes_data(method) or built_with_data) or not _computes_gradients(file, method):
                continue
            arguments = ", ".join(argument_meanings(method))
            shown = f"{method.__name__}({arguments}) of class {name}, called with data of jaxnet's own"

            def play(world: World, strict: bool, name: str = name, method: str = method.__name__) -> None:
                session = Session(file, np, world)
                network = _construct(session, name)
                for _ in range(COUNT):
                    session.call(getattr(network, method))

            yield Target(shown, play, _worlds(file))


def _whole_classes(file: File) -> list[str]:
    """The classes that no other is derived from or makes objects of."""
    used = {n for name in file.classes for f in file.methods(name).values() for n in file.reached(f)}
    bases = {base.__name__ for cls in file.classes.values() for base in cls.__mro__[1:]}
    parts = (used - _recursive(file)) | bases
    return [name for name in file.classes if name not in parts] or list(file.classes)


def _recursive(file: File) -> set[str]:
    """Classes that only their own methods name."""
    by = {n: {k for k in file.classes for f in file.methods(k).values() if n in file.reached(f)} for n in file.classes}
    return {name for name, users in by.items() if users <= {name}}


def _constructor(file: File, name: str) -> Any:
    return file.methods(name).get("__init__", lambda: None)


# --- building --------------------------------------------------------------------------------------------------------


def _construct(session: Session, name: str) -> Any:
    """An object of a class, its parameters made, and the data of the sizes that it turned out to have."""
    network = session.call(session.file.classes[name], building=True)
    session.pool.clear()
    if not _parameters(network):
        for method in find_role(session.file.methods(name), "init"):
            if not method.startswith("__"):
                with contextlib.suppress(Unfillable):
                    session.call(getattr(network, method), building=True)
    _adapt(session, _parameters(network))
    return network


def _initialise(session: Session, chosen: str | None, user: Iterable[str]) -> list[Leaf]:
    """The parameters that the file's own initialiser makes; they are in the pool under their names.

    `user` are the arguments of the function that needs them: what has no names has these.
    """
    wanted = [name for name in user if (read := read_name(name)) and not read.gradient]
    found = {n: f for n, f in find_role(session.file.functions, "init").items() if not _takes_data(f)}
    if chosen:
        found = {chosen: session.file.namespace[chosen]}
    for function in _first_uncalled(session.file, found):
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
    named = [leaf for leaf in leaves(root) if (read := leaf.named) and not read.gradient]
    return [leaf for leaf in named if numpy.size(leaf.value) and (numpy.ndim(leaf.value) or leaf.places)]


def _adapt(session: Session, parameters: list[Leaf]) -> None:
    """Where the weights are of other sizes than the world, the data become as they are."""
    two = [leaf for leaf in parameters if numpy.ndim(leaf.value) == 2]
    weights = [leaf for leaf in two if leaf.named and leaf.named.kind == "W"]
    shapes = [numpy.shape(leaf.value) for leaf in weights or two if weights or 1 not in numpy.shape(leaf.value)]
    chains = {}
    if shapes and all(a[0] == b[1] for a, b in itertools.pairwise(shapes)):
        chains["columns"] = (shapes[0][1], *(s[0] for s in shapes))
    if shapes and all(a[1] == b[0] for a, b in itertools.pairwise(shapes)):
        chains["rows"] = (shapes[0][0], *(s[1] for s in shapes))
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
            keys = {n.value for f in (forward, backward) if (node := node_of(f)) for n in _strings(node)}
            named = {key: read for key in sorted(keys) if (read := read_name(key)) and not read.gradient}
            count = len([read for read in named.values() if read.kind == "W"])
            if count != len(sizes):
                raise Unfillable("another number of layers")
            session.pool[name] = {key: made(read.kind, int(read.place[-1:] or 1) - 1) for key, read in named.items()}
    return [leaf for leaf in leaves(session.pool) if numpy.ndim(leaf.value)]


def _strings(node: Any) -> Iterator[Any]:
    return (n for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


# --- forward, backward, step -----------------------------------------------------------------------------------------


class Passes(NamedTuple):
    """Functions, or methods of a class, that make one network together."""

    owner: str | None
    forward: str  # empty where the backward pass is one function with it
    backward: str


def _passes(file: File, np: types.ModuleType, flags: Flags) -> Iterator[Target]:
    for passes in _plans(file, flags):
        of = f" of class {passes.owner}" if passes.owner else ""
        names = " and ".join(name for name in passes[1:] if name)
        shown = f"{names}{of}, called with data of jaxnet's own"

        def play(world: World, strict: bool, passes: Passes = passes) -> None:
            _play_passes(Session(file, np, world), passes, flags, strict)

        yield Target(shown, play, _worlds(file))


def _plans(file: File, flags: Flags) -> Iterator[Passes]:
    """Pairs of a forward and a backward pass: of one class, or both functions; no parts of others."""
    groups: list[tuple[str | None, dict[str, Any]]] = [(n, file.methods(n)) for n in reversed(_whole_classes(file))]
    for owner, functions in [*groups, (None, file.functions)]:
        forwards = _chosen(functions, flags.forward, owner) or _forwards(file, functions)
        backwards = _chosen(functions, flags.backward, owner) or _backwards(file, functions)
        yield from (Passes(owner, f, b) for b in backwards[:4] for f in forwards[:2] if f != b)
        whole = {n: f for n, f in functions.items() if role(n) in ("forward", "loss") and {"X", "Y"} <= _firsts(f)}
        yield from (Passes(owner, "", n) for n, f in whole.items() if not backwards and _gives_gradients(f))


def _chosen(functions: dict[str, Any], name: str | None, owner: str | None) -> list[str]:
    short = (name or "").removeprefix(f"{owner}.")
    return [short] if short in functions else []


def _forwards(file: File, functions: dict[str, Any]) -> list[str]:
    found = {n: f for n, f in find_role(functions, "forward").items() if isinstance(f, types.FunctionType)}
    found = {n: f for n, f in found.items() if "upstream" not in _firsts(f)}
    order = {n: k for k, n in enumerate(f.__name__ for f in _first_uncalled(file, found))}
    return sorted(found, key=lambda n: ("forward" not in n and "feed" not in n and "prop" not in n, order.get(n, 0)))


def _backwards(file: File, functions: dict[str, Any]) -> list[str]:
    """Those that can have the labels; one that only takes an upstream gradient is a layer's."""
    found = {n: f for n, f in find_role(functions, "backward").items() if isinstance(f, types.FunctionType)}
    found = {n: f for n, f in found.items() if "upstream" not in _firsts(f) and "gradients" not in _firsts(f)}
    return [f.__name__ for f in _first_uncalled(file, found) if _gives_gradients(f)]


def _gives_gradients(function: Any) -> bool:
    """Whether a function is a backward pass by its name, or has gradients inside: cost_derivative alone is none."""
    if re.search("back|bprop|grad|nabla|^bp$", function.__name__.lower()) or _steps(function):
        return True
    nodes = list(ast.walk(node)) if (node := node_of(function)) else []
    words = [n.value if isinstance(n, ast.Constant) else tail(n) for n in nodes]
    return any(_is_gradient(word) for word in words)


def _firsts(function: Any) -> set[str]:
    return {means[0] for means in argument_meanings(function).values() if means}


def _play_passes(session: Session, passes: Passes, flags: Flags, strict: bool) -> None:
    file = session.file
    if passes.owner:
        root: Any = _construct(session, passes.owner)
        parameters = _parameters(root)
        functions = {name: getattr(root, name) for name in file.methods(passes.owner)}
    else:
        root, functions = session.pool, file.functions
        first = functions[passes.forward or passes.backward]
        arguments = argument_meanings(first)
        parameters = _initialise(session, flags.init, arguments) if arguments else []
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
        before = {p.way: plain(p.value) for p in parameters}
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
                raise Unfillable("gradients of other shapes")
            step(pairs)


def _input(session: Session, forward: Any) -> dict[str, Any]:
    """X for the first argument that tells nothing, where none is called like data."""
    arguments = argument_meanings(forward)
    if _firsts(forward) & {"X", "pairs"}:
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
        except (Unfillable, KeyError, AttributeError):
            session.pool.clear()
            session.pool.update(before)
    return False


def _global_parameters(session: Session, forward: Any) -> list[Leaf]:
    """The module's own arrays, made anew so that they are on this record, where functions work on the module's."""
    namespace = session.file.namespace
    names = [n for n in namespace if n in session.file.reached(forward) and isinstance(namespace[n], numpy.ndarray)]
    for name in [
        *names,
        *(n for n in namespace if isinstance(namespace[n], numpy.ndarray) and meanings(n)[:1] == ["Y"]),
    ]:
        namespace[name] = session.np.array(plain(namespace[name]))
    session.labelled = True
    return [Leaf(namespace, n, (n,), namespace[n]) for n in names if (read := read_name(n)) and not read.gradient]


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
        free = [
            name
            for name, first in firsts.items()
            if first not in ("Y", "nothing", "parameters") and name not in session.pool
        ]
        chosen = "y" if len(labels) > 1 and "y" in labels else next(iter(free), None)
        given = {chosen: session.data["P"]} if chosen else {}
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
            raise Unfillable("a step that changes a parameter's shape")
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
