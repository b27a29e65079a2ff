"""A forward pass, its backward pass and a step, of functions or of a class, called as their author would call them.

m examples, i inputs, o outputs. Parameters are made by the file's own initialiser or constructor, or here; each
function gets what the ones before it returned; where none of the author's steps the parameters, it is done here.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import math
import re
import types
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

import numpy

from jaxnet.compare.author import containers
from jaxnet.compare.author.calls import (
    COUNT,
    GRADIENTS,
    File,
    Leaf,
    Session,
    Unfillable,
    argument_meanings,
    data_of,
    find_role,
    fits,
    is_shaped,
    leaves,
    meant,
    named_results,
    nodes_of,
    pair_up,
    plain,
    returned_by,
    step,
    tail,
    targets,
    unnamed,
    upstreams,
)
from jaxnet.compare.author.meanings import Named, gradient_of, meanings, read_name, role, squeezed
from jaxnet.compare.author.names import names_in
from jaxnet.compare.author.node import Node, depends
from jaxnet.compare.author.recorder import Array, current_tape, known_node, node_of
from jaxnet.compare.author.tape import Tape


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


def takes_data(function: Any) -> bool:
    return "pairs" in meant(function) or {"X", "Y"} <= meant(function)


def whole_classes(file: File) -> list[str]:
    """The classes that no other is derived from or makes objects of."""
    used = {n for name in file.classes for f in file.methods(name).values() for n in file.reached(f) if n != name}
    bases = {base.__name__ for cls in file.classes.values() for base in cls.__mro__[1:]}
    return [name for name in file.classes if name not in used | bases] or list(file.classes)


def steps_parameters(function: Any) -> bool:
    """Whether a function itself takes something off an array called like a parameter."""
    return any(is_of_parameter(step[0]) for node in nodes_of(function) if (step := step_in(node)))


def step_in(part: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """What is stepped, and what by: W -= …, W[k] = W[k] - …."""
    match part:
        case ast.AugAssign(target=target, op=ast.Sub() | ast.Add(), value=by):
            return target, by
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Sub() | ast.Add(), right=by)):
            return (target, by) if ast.unparse(target) == ast.unparse(left) else None
    return None


def is_of_parameter(target: ast.expr) -> bool:
    """Whether it is called like a parameter, or a part of what is."""
    names = tail(target), tail(target.value if isinstance(target, ast.Subscript) else target)
    is_gradient_of = gradient_of(names[1]) is not None  # grads["W1"] += …
    return not is_gradient_of and any(read and not read.gradient for read in map(read_name, names))


class Passes(NamedTuple):
    """Functions, or methods of a class, that make one network together."""

    owner: str | None
    forward: str  # empty where the backward pass is one function with it
    backward: str


def plans(file: File, flags: Flags) -> Iterator[Passes]:
    """Pairs of a forward and a backward pass: of one class, or both functions; no parts of others."""
    groups: list[tuple[str | None, dict[str, Any]]] = [(n, file.methods(n)) for n in reversed(whole_classes(file))]
    for owner, functions in [*groups, (None, file.functions)]:
        whole = {n: f for n, f in functions.items() if role(n) in ("forward", "loss") and {"X", "Y"} <= meant(f)}
        losses = [n for n in whole if role(n) == "loss"]  # of data and parameters, rather than of a prediction
        forwards = _chosen(functions, flags.forward, owner) or [*_forwards(file, functions)[:2], *losses[:1]]
        backwards = _chosen(functions, flags.backward, owner) or _backwards(file, functions)
        yield from (Passes(owner, f, b) for b in backwards[:4] for f in forwards if f != b)
        yield from (Passes(owner, "", n) for n, f in whole.items() if not backwards and _gives_gradients(f))


def _chosen(functions: dict[str, Any], name: str | None, owner: str | None) -> list[str]:
    short = (name or "").removeprefix(f"{owner}.")
    return [short] if short in functions else []


def _forwards(file: File, functions: dict[str, Any]) -> list[str]:
    found = {n: f for n, f in find_role(functions, "forward").items() if isinstance(f, types.FunctionType)}
    found = {n: f for n, f in found.items() if "upstream" not in meant(f)}
    if not found:  # by what they are given
        free = {n: f for n, f in functions.items() if role(n) in ("no", "train") and isinstance(f, types.FunctionType)}
        found = {n: f for n, f in free.items() if "X" in meant(f) and "Y" not in meant(f) and _has_parameters(f)}
    called = {n for name in found if _is_forward(name) for n in file.reached(found[name]) if n != name}
    return sorted(found, key=lambda n: (not _is_forward(n), n in called))


def _has_parameters(function: Any) -> bool:
    means = argument_meanings(function)
    return any(read_name(name) or of[:1] == ["parameters"] for name, of in means.items())


def _is_forward(name: str) -> bool:
    """Whether a function is a forward pass by its name, and not one that predicts with it."""
    return bool(re.search("forward|feed|prop", name))


def _backwards(file: File, functions: dict[str, Any]) -> list[str]:
    """Those that can have the labels; one that only takes an upstream gradient is a layer's."""
    found = {n: f for n, f in find_role(functions, "backward").items() if isinstance(f, types.FunctionType)}
    returned = {squeezed(name) for f in file.functions.values() for name in returned_by(f)}
    found = {n: f for n, f in found.items() if not (upstreams(f, returned) or file.is_of_layers(f))}
    return [f.__name__ for f in first_uncalled(file, found) if _gives_gradients(f)]


def _gives_gradients(function: Any) -> bool:
    """Whether a function is a backward pass by its name, or has gradients inside, or returns numbers by the names of
    parameters: cost_derivative alone is none."""
    if re.search("back|bprop|grad|nabla|^bp$", function.__name__.lower()) or steps_parameters(function):
        return True
    nodes = nodes_of(function)
    words = [n.value if isinstance(n, ast.Constant) else tail(n) for n in nodes]
    returned = [part for n in nodes if isinstance(n, ast.Return) for part in ast.walk(n) if isinstance(part, ast.Dict)]
    keys = [key.value for part in returned for key in part.keys if isinstance(key, ast.Constant)]
    return any(word in GRADIENTS or is_gradient(word) for word in words) or any(
        isinstance(key, str) and read_name(key) for key in keys
    )


# --- building ---------------------------------------------------------------------------------------------------------


def construct(session: Session, name: str, **given: Any) -> Any:
    """An object of a class, its parameters made, and the data of the sizes that it turned out to have."""
    given = containers.parts(session, name) | given
    network = session.call(session.file.classes[name], building=True, **given)
    session.pool.clear()
    if not parameters_in(network):
        for method in find_role(session.file.methods(name), "init"):
            if not method.startswith("__"):
                with contextlib.suppress(Unfillable):
                    session.call(getattr(network, method), building=True, **given)
    if not parameters_in(network):
        containers.fill(session, network)
    _adapt(session, parameters_in(network))
    return network


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
        untold = set(session.pool) == before
        if result is not None and not isinstance(result, tuple):
            session.data["parameters"] = result
            session.pool |= {"parameters": result} if untold else {}
        elif result and untold and len(result) == len(wanted):
            session.pool |= dict(zip(wanted, result, strict=True))
        parameters = parameters_in(session.pool)
        if parameters:
            _adapt(session, parameters)
            return parameters
    return []


def parameters_in(root: Any, others: Container[str] = ()) -> list[Leaf]:
    """The arrays called like parameters, or by other names, in an object that has just been built or in the pool."""

    def called(leaf: Leaf) -> bool:
        words = [leaf.word, *(part for part in leaf.way[-2:-1] if isinstance(part, str))]  # params["gamma"] too
        return any(meanings(word)[:1] == ["parameters"] for word in words) or squeezed(leaf.word) in others

    arrays = leaves(root)
    gradients = [leaf for leaf in arrays if leaf.word in GRADIENTS]
    found = [
        p
        for p in arrays
        if (p.named or called(p) or any(map(p.holds_both, gradients)))
        and not (p.word in GRADIENTS or any(map(is_gradient, p.way)))
    ]
    return [p for p in found if numpy.size(p.value) and (numpy.ndim(p.value) or p.places or squeezed(p.word) in others)]


def _adapt(session: Session, parameters: list[Leaf]) -> None:
    """Where the weights are of other sizes than the world, the data become as they are."""
    two = [leaf for leaf in parameters if numpy.ndim(leaf.value) == 2]
    weights = [
        leaf for leaf in parameters if leaf.named and leaf.named.kind == "W" and numpy.ndim(leaf.value) in (1, 2)
    ]
    shapes = [numpy.shape(leaf.value) for leaf in weights or two if weights or 1 not in numpy.shape(leaf.value)]
    if shapes == [(math.prod(session.world.sizes),)] and session.world.sizes[-1] > 1:
        return  # the whole matrix of one layer, flat
    # (i, o) of each layer; a vector is that of a single output.
    ways = {"columns": [(*shape[::-1], 1)[:2] for shape in shapes], "rows": [(*shape, 1)[:2] for shape in shapes]}
    chains: dict[str, tuple[int, ...]] = {}
    for more in (0, 1):  # or one input more for the biases, which a single matrix cannot tell
        for layout, way in ways.items() if not chains else ():
            if len(way) > more and all(a[1] + more == b[0] for a, b in itertools.pairwise(way)):
                chains[layout] = (way[0][0] - more, *(outputs for _, outputs in way))
    world = session.world
    if chains and world.sizes not in chains.values():
        session.world = world._replace(sizes=chains.get(world.layout) or next(iter(chains.values())))
        session.data |= data_of(session.world, session.np)


def _make_parameters(session: Session, forward: Any, backward: Any) -> list[Leaf]:
    """Parameters of our own, where the forward pass takes some and the file has no initialiser."""
    draws, world = numpy.random.default_rng(3), session.world
    reached = session.file.reached(backward) - session.file.reached(forward) - {forward.__name__}  # no softmax
    functions = [backward, *(f for name, f in session.file.functions.items() if name in reached)]
    sums = [n for f in functions for n in nodes_of(f) if isinstance(n, ast.Call)]
    sums = [call for call in sums if tail(call.func) in ("sum", "mean")]
    kept = any(word.arg == "keepdims" for call in sums for word in call.keywords)
    along = any(len(call.args) > isinstance(call.func, ast.Attribute) or call.keywords for call in sums)
    flat = not kept if kept or along else world.labels == "integers"  # else both kinds of biases are tried

    def made(kind: str, i: int, o: int) -> Any:
        columns = world.layout == "columns"
        if kind == "W" and o == 1 and world.labels == "integers":  # for predictions as the labels are, a vector
            return session.np.array(draws.normal(size=i))
        shape = ((o, i) if columns else (i, o)) if kind == "W" else ((o,) if flat else (o, 1) if columns else (1, o))
        return session.np.array(draws.normal(size=shape))

    def called(name: str, read: Named) -> Any:
        """The array of one layer, or a list of those of all."""
        arrays = [made(read.kind, *sizes) for sizes in itertools.pairwise(world.sizes)]
        digits = [int(c) for c in read.place if c.isdigit()]
        return arrays if not digits and name.endswith(("s", "list")) else arrays[digits[-1] - 1 if digits else 0]

    for name, means in argument_meanings(forward).items():
        if parts := _unpacked(name, forward, backward):
            session.pool[name] = [called(part, read) for part in parts if (read := read_name(part))]
        elif (read := read_name(name)) and not read.gradient:
            session.pool[name] = called(name, read)
        elif means[:1] == ["parameters"]:
            nodes = [*nodes_of(forward), *nodes_of(backward)]
            keys = sorted({n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)})
            named = {key: read for key in keys if (read := read_name(key)) and not read.gradient}
            session.pool[name] = {key: called(key, read) for key, read in named.items()}
    parameters = parameters_in(session.pool)
    weights = [leaf for leaf in parameters if leaf.named and leaf.named.kind == "W"]
    if 0 < len(weights) < len(world.sizes) - 1:
        raise Unfillable("the network is not as deep")
    return parameters


def _unpacked(name: str, *functions: Any) -> list[str]:
    """The names of the parameters that functions take out of an argument: `W1, b1, W2, b2 = theta`."""
    for node in (node for function in functions for node in nodes_of(function)):
        if isinstance(node, ast.Assign) and tail(node.value) == name:
            words = targets(node.targets[0])
            if isinstance(words, list) and len(words) > 1 and all(map(read_name, words)):
                return words
    return []


# --- forward, backward, step ------------------------------------------------------------------------------------------


def put_on_record(session: Session, found: list[Leaf]) -> None:
    """Makes recorded arrays of plain numbers where they are held."""
    for leaf in found:
        if isinstance(leaf.value, float):
            leaf.set(session.np.array(leaf.value))


class Misfit(Unfillable):
    """A backward pass has run, and what it gives does not fit the parameters."""


class Network:
    """What functions, or the methods of an object, make together, with its parameters.

    `root` holds them: the object, the pool of what was returned so far, or the module.
    """

    def __init__(self, session: Session, root: Any, functions: dict[str, Any], parameters: list[Leaf]) -> None:
        self.session, self.root, self.parameters = session, root, parameters
        others = find_role(functions, "no").items()
        self.updates = find_role(functions, "update") or {name: f for name, f in others if _adds(f)}
        self.before: list[numpy.ndarray] = []
        self.is_ours = False  # whether the shapes of the parameters are ours
        self.further: list[Leaf] = []  # what may be trained as well, if a gradient of it is returned

    def now(self, of: list[Leaf] | None = None) -> list[Leaf]:
        """The parameters as they are now."""
        found = []
        for leaf in self.parameters if of is None else of:
            holder, value = None, leaf.holder if leaf.holder is self.session.pool else self.root
            for key in leaf.way:
                holder, value = value, value[key] if isinstance(value, dict | list | tuple) else getattr(value, key)
            found.append(leaf._replace(holder=holder, value=value))
        return found

    def remember(self) -> None:
        """From here on it is seen whether the author's code steps the parameters, which get names on the record."""
        leaves, further = self.now(), self.now(self.further)
        self.before = [plain(leaf.value) for leaf in leaves]
        if (tape := current_tape()) is not None:
            named = {leaf.path: leaf.value for leaf in (*leaves, *further)}
            names_in({"X": self.session.data["X"], **named}, tape.names)

    def returned(self, function: Any, result: Any) -> list[Leaf]:
        """The arrays in what a function returned, but for the parameters."""
        named = named_results(self.session.file, function, result)
        return self._beside(named or result) + self._beside(unnamed(result, named))

    def left(self) -> list[Leaf]:
        """The arrays in the object's attributes, but for the parameters."""
        return [] if isinstance(self.root, dict) else self._beside(self.root)

    def _beside(self, whole: Any) -> list[Leaf]:
        known = {id(p.value) for p in self.now()}
        return [leaf for leaf in leaves(whole) if id(leaf.value) not in known]

    def step(self, result: Any, gradients: list[Leaf], strict: bool) -> None:
        """Steps the parameters by what a backward pass gave, if the author's code does not; and the data, and what else
        it gave the gradient of, by that.

        Raises Misfit if that does not fit them; with `strict`, if not each has a gradient of its shape.
        """
        pairs, before = [], [plain(leaf.value) for leaf in self.now(self.further)]
        if not (self._moved(strict) or self._updated(result, strict)):
            sure = sorted(gradients, key=lambda g: not ((g.named and g.named.gradient) or "grad" in str(g.way).lower()))
            pairs = pair_up(self.now(), sure)
            whole = len(pairs) == len(self.parameters) and all(fits(p, g) for p, g in pairs)
            # A number for each entry of a bias is a sum over too much, or the bias is a number.
            whole &= not self.is_ours or all(numpy.size(p.value) == numpy.size(g.value) for p, g in pairs)
            if not pairs or (strict and not whole):
                raise Misfit("the gradients have other shapes than the parameters")
        # What the author's code has stepped as well is left as it is.
        both = zip(self.now(self.further), before, strict=True)
        still = [leaf for leaf, old in both if numpy.array_equal(plain(leaf.value), old)]
        step([*pairs, *self._further(still, [g for g in gradients if gradient_of(g.word)])])

    def _further(self, found: list[Leaf], gradients: list[Leaf]) -> list[tuple[Leaf, Leaf]]:
        """The data, and what of this a gradient is called after and has the shape of."""
        if (tape := current_tape()) is not None:
            tape.gradients |= {node: g.path for g in gradients if (node := known_node(g.value)) is not None}
        data, pairs = Leaf(self.session.data, "X", ("X",), self.session.data["X"]), []
        reshape = self.session.np.reshape
        for leaf in (data, *found):
            words = self.session.inputs if leaf is data else {squeezed(leaf.word)}
            own = [g for g in gradients if gradient_of(g.word) in words]
            fitting = (g for g in own if is_shaped(g.value, leaf.value))
            pairs += [(leaf, g._replace(value=reshape(g.value, numpy.shape(leaf.value)))) for g in fitting][:1]
        return pairs

    def _moved(self, strict: bool) -> bool:
        now = [plain(leaf.value) for leaf in self.now()]
        if strict and any(new.shape != old.shape for new, old in zip(now, self.before, strict=True)):
            raise Misfit("a step changes a parameter's shape")
        return not all(map(numpy.array_equal, now, self.before))

    def _updated(self, result: Any, strict: bool) -> bool:
        """Whether one of the author's updates steps the parameters; one that loses some of them is as if not called."""
        session = self.session
        if isinstance(result, dict | list):
            session.data["gradients"] = result
        for update in self.updates.values():
            before = dict(session.pool)
            try:
                session.call(update)
                if self._moved(strict):
                    return True
            except Misfit:
                raise
            except (Unfillable, KeyError, AttributeError):
                session.pool.clear()
                session.pool.update(before)
        return False


def _adds(function: Any) -> bool:
    """Whether a function adds to something, or subtracts from it, in place: it may step what its name does not tell."""
    added = (n.op for n in nodes_of(function) if isinstance(n, ast.AugAssign))
    return any(isinstance(op, ast.Add | ast.Sub) for op in added)


def play_passes(session: Session, passes: Passes, flags: Flags, strict: bool) -> None:
    """A forward pass, the loss, a backward pass and a step, three times.

    Raises Unfillable where an argument is unknown, there are no parameters, or the labels go nowhere; Misfit where
    the gradients do not fit; and whatever the author's code raises.
    """
    file, is_ours = session.file, False
    if passes.owner:
        root: Any = construct(session, passes.owner)
        parameters = parameters_in(root) or [leaf for leaf in leaves(root) if numpy.size(leaf.value) > 1]
        functions = {name: getattr(root, name) for name in file.methods(passes.owner)}
    else:
        root, functions = session.pool, file.functions
        first = functions[passes.forward or passes.backward]
        arguments = argument_meanings(first)
        parameters = initialise(session, flags.init, arguments) if arguments else []
        if is_ours := not parameters:
            parameters = _make_parameters(session, first, functions[passes.backward])
        if not parameters:
            root, parameters = file.namespace, _global_parameters(session, first)
            _adapt(session, parameters)
    if not parameters:
        raise Unfillable("no parameters")
    network = Network(session, root, functions, parameters)
    if root is not file.namespace:
        known = {leaf.way for leaf in parameters}
        found = parameters_in(root, file.gradients_in(functions[passes.backward]))
        network.further = [leaf for leaf in found if leaf.way not in known]
    put_on_record(session, network.further)
    network.is_ours, tape = is_ours, current_tape() or Tape()
    forward, backward = functions.get(passes.forward), functions[passes.backward]
    losses = [flags.loss] if flags.loss else list(find_role(functions, "loss"))
    losses += [n for n in find_role(file.functions, "loss") if passes.owner and not losses]
    for _ in range(COUNT):
        for zero in find_role(functions, "zero").values():
            with contextlib.suppress(Unfillable):
                session.call(zero)
        network.remember()
        if forward:
            result = session.call(forward, **_input(session, forward))
            tape.numbers |= _numbers_in(result)
            _remember(session, forward, result, strict)
        for name in losses if forward else ():
            with contextlib.suppress(Exception):  # a loss that cannot be called so is none; of several one is meant
                loss = _call_loss(session, functions.get(name) or file.functions[name], passes.forward)
                tape.losses |= _numbers_in(loss)
        given: dict[str, Any] = {}
        if not forward:  # of a function by itself: of a penalty that is 0 by default nothing would be seen
            penalties = [name for name, means in argument_meanings(backward).items() if means[:1] == ["penalty"]]
            given = dict.fromkeys(penalties, session.data["penalty"])
        result = session.call(backward, **given)
        tape.numbers |= _numbers_in(result)
        if not session.labelled and argument_meanings(backward):
            raise Unfillable("the labels go nowhere")
        left = [leaf for leaf in network.left() if any(is_gradient(part) for part in leaf.way)]
        network.step(result, [*network.returned(backward, result), *left], strict)


def _input(session: Session, forward: Any) -> dict[str, Any]:
    """X for the first argument that tells nothing, or of a cache, where none is called like data."""
    arguments = argument_meanings(forward).items()
    free = [name for name, means in arguments if (means[0] == "cache" if means else name not in session.pool)]
    return {} if meant(forward) & {"X", "pairs"} else dict.fromkeys(free[:1], session.data["X"])


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


def _remember(session: Session, forward: Any, result: Any, strict: bool) -> None:
    """What a forward pass returned: the prediction, which has the labels' shape, and the rest as the cache."""
    world = session.world
    shapes = {(world.sizes[-1], world.m), (world.m, world.sizes[-1])}
    shapes |= {(world.m,)} if world.sizes[-1] == 1 else {(world.sizes[-1],)} if world.form == "vector" else set()
    named = named_results(session.file, forward, result)
    found = [leaf for leaf in leaves(named or result) if numpy.shape(leaf.value) in shapes and not leaf.named]
    of_no_name = [part for part in unnamed(result, named) if isinstance(part, Array) and part.shape in shapes]
    has_parts = isinstance(result, numpy.ndarray | tuple | list | dict)
    if strict and has_parts and not (found or of_no_name or _numbers_in(result)):
        raise Unfillable("no prediction of the labels' shape")
    nearest = [leaf for leaf in found if len(leaf.way) == min(len(leaf.way) for leaf in found)]
    called = [leaf for leaf in nearest if meanings(leaf.word)[:1] == ["P"]]
    called = called or [leaf for leaf in nearest if leaf.word.lower().startswith("a")]
    possible = [leaf.value for leaf in called or nearest]
    scores = [node_of(value) for value in possible if isinstance(value, Array)]
    made = [part for part in of_no_name if not possible or any(depends(node_of(part), node) for node in scores)]
    if made or called or len(possible) == 1:  # … Z2, softmax(Z2)
        session.data["P"] = (made or possible)[-1]
        if numpy.all(plain(session.data["P"]) == 1):
            raise Unfillable("a softmax of one output is 1, whatever the parameters")
    parts = [part for part in result if isinstance(part, dict | list | tuple)] if isinstance(result, tuple) else []
    session.data["cache"] = parts[-1] if parts else result


def _numbers_in(result: Any) -> set[Node]:
    """The numbers of the record in what a function returned, of which one is the loss."""
    nodes = [known_node(part) for part in (result if isinstance(result, tuple) else (result,))]
    return {node for node in nodes if node is not None and not node.shape}


def _call_loss(session: Session, function: Any, forward: str) -> Any:
    """Of two arguments that could be labels, or of one that tells nothing, one is the prediction."""
    firsts = {name: means[0] if means else "" for name, means in argument_meanings(function).items()}
    labels = [name for name, first in firsts.items() if first == "Y"]
    given: dict[str, Any] = {}
    if "P" not in firsts.values() and forward not in session.file.reached(function) and "P" in session.data:
        others = [name for name, first in firsts.items() if first not in ("Y", "nothing", "penalty", "parameters")]
        free = [name for name in others if name not in session.pool]
        given = dict.fromkeys(["y"] if len(labels) > 1 and "y" in labels else free[:1], session.data["P"])
    if session.world.labels == "integers" and session.world.sizes[-1] > 1:
        # A backward pass may make its labels one-hot itself, where the loss wants them so.
        with contextlib.suppress(Exception):
            return session.call(function, **{**dict.fromkeys(labels, session.data["one-hot"]), **given})
    return session.call(function, **given)


def is_gradient(part: Any) -> bool:
    """Whether a word on the way to an array says that it is a gradient."""
    read = read_name(part) if isinstance(part, str) else None
    return isinstance(part, str) and (meanings(part)[:1] == ["gradients"] or bool(read and read.gradient))
