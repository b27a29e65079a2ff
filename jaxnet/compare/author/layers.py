"""Lone layers: classes, or pairs of functions, with a forward(x) and a backward(upstream) that nothing in a file uses.

Each stands by itself. It gets random x, and the gradient of ½ Σ (output − target)² as its upstream gradient. x is
stepped as a parameter is, x ← x − rate · dx, so that dx is compared like dW and db.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import itertools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy

from jaxnet.compare.author.calls import (
    COUNT,
    RATE,
    File,
    Leaf,
    Session,
    Unfillable,
    World,
    argument_meanings,
    find_role,
    is_compared,
    is_shaped,
    leaves,
    meant,
    nodes_of,
    parameters_of,
    plain,
    returned_by,
    upstreams,
)
from jaxnet.compare.author.given import (
    IMAGES,
    POOL,
    UNITS,
    anew,
    called_with,
    gives_each,
    gradients_told,
    is_number_of_units,
    of_a_kind,
    other_numbers,
    shapes_that_fit,
    ways_to_give,
    with_other_numbers,
)
from jaxnet.compare.author.lone_losses import losses, pairs, play_loss, takes_labels
from jaxnet.compare.author.meanings import LATER, gradient_of, meanings, read_name, role, squeezed
from jaxnet.compare.author.names import names_in
from jaxnet.compare.author.node import depends
from jaxnet.compare.author.passes import Network, construct, is_gradient, parameters_in, put_on_record
from jaxnet.compare.author.recorder import Array, current_tape, node_of, off_the_record

Shape = tuple[int, ...]
Play = Callable[[Shape, bool], None]
OF_ONE = "right with an array of one row or column, wrong with one of several"
FITTING = 12  # ways that fit
TRIED = 1500  # ways to give a function its arguments
SHAPES = ((6, 5), (5, 6), (1, 5), (5, 1), (6, 3, 5), (6, 5, 1), (2, 3, 6, 6), (2, 6, 6, 3), (5,))  # of x
FULL_FIRST = sorted(SHAPES, key=lambda shape: 1 in shape or len(shape) == 1)  # where those of the others are guessed


def lone_layers(
    file: File, np: types.ModuleType, failed: Mapping[str, str]
) -> Iterator[tuple[str, Play, list[Shape], bool, str]]:
    """What is to be tried, what it is called, shapes of x, likeliest first, whether it is a layer's class, and surely
    meant as one, and why what is wrong may be right. Functions that others use are tried where something has `failed`
    by then.

    The first argument of a play is the shape of x.
    """
    names = {name: passes for name in file.classes if (passes := _passes_of(file, name))}
    general = {base.__name__ for name in names for base in file.classes[name].__mro__[1:]}
    names = {name: passes for name, passes in names.items() if name not in general}

    for name, passes in names.items():
        options = functools.cache(partial(_other_options, file, np, name, passes))
        build = partial(_of_class, file, np, name, passes, options)
        is_error = any("err" in _upstream_argument(file.methods(name)[back]).lower() for back in passes[1:])
        may_be = "right if it is given the error with the other sign" if is_error else ""
        play = partial(_play_if_meant, build, np, _play_of(build, np))
        yield f"forward and backward of class {name}", play, list(SHAPES), True, may_be
    alone = list(pairs(file))
    yield from _pairs_of(file, np, alone)
    for owner, value, slope in losses(file):
        shown = " and ".join(dict.fromkeys((value, slope))) + (f" of class {owner}" if owner else "")
        yield shown, partial(play_loss, file, np, (owner, value, slope)), list(SHAPES), False, ""
    if alone and failed:  # what uses them may be what cannot be called
        yield from _pairs_of(file, np, pairs(file, used=True))


def _pairs_of(
    file: File, np: types.ModuleType, pairs: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, Play, list[Shape], bool, str]]:
    for pair in (pair for pair in pairs if not takes_labels(file.functions[pair[1]])):
        build = partial(_of_functions, file, np, pair, {})
        known = [numpy.shape(x) for x in [*called_with(file, pair[0]).values()][:1]]
        yield " and ".join(pair), _play_of(build, np), list(dict.fromkeys([*known, *FULL_FIRST])), False, ""


def _passes_of(file: File, name: str) -> list[str]:
    """The forward pass of a class, and its backward passes: some have one for dx and one for dW.

    A backward pass takes an upstream gradient, or something that tells nothing; whatever it is called, if that of
    several classes takes it alone.
    """
    methods = file.methods(name)
    forward = [n for n in find_role(methods, "forward") if n != "predict" and not takes_labels(methods[n])]
    backward = [n for n, f in find_role(methods, "backward").items() if argument_meanings(f)]
    backward = [n for n in backward if "Y" not in meant(methods[n]) or file.is_of_layers(methods[n])]
    backward = [n for n in backward if not is_compared(methods[n], _upstream_argument(methods[n]))]  # with labels
    first = sorted(forward, key=lambda n: "forward" not in n)[:1]
    return [*first, *([n for n in backward if "back" in n] or backward)] if first and backward else []


# --- one layer --------------------------------------------------------------------------------------------------------


def _of_class(
    file: File,
    np: types.ModuleType,
    name: str,
    passes: list[str],
    options: Callable[[Shape], dict[str, Any]],
    shape: Shape,
) -> _Layer:
    session = Session(file, np, World((_features(shape), 4), "rows"))
    session.data |= {"hidden1": 4, "sizes": _features(shape)}  # a layer has one size …
    words = {"rate": 0.5, "prob": 0.5} if "drop" in name.lower() else {}
    makers = _makers(file, name)
    arguments = {argument: means for maker in makers for argument, means in argument_meanings(maker, True).items()}
    if "pool" in name.lower():  # windows that do not overlap
        words |= dict.fromkeys(("kernel_size", "filter_size", "kernel", "ksize", "k", "stride", "strides"), POOL)
    others = {p.name for maker in makers for p in parameters_of(maker) if type(p.default) in (float, bool, str)}
    sizes = {a: m for a, m in arguments.items() if a not in others and a.lower() not in IMAGES}
    if len(sizes) == 2 and all(set(m) <= LATER and not read_name(a) for a, m in sizes.items()):  # Dense(i, o)
        words |= dict(zip(sizes, (_features(shape), UNITS), strict=True))
    pairs = {p.name: p.default for maker in makers for p in parameters_of(maker) if isinstance(p.default, tuple)}
    given = {**_parts(np, list(arguments), shape), **options(shape), **words, **pairs}
    layer = construct(session, name, **given)
    _set_apart(layer, np)
    own = {n: getattr(layer, n) for n in file.methods(name)}
    if not parameters_in(layer):  # they may be made by a method for it, or in the first forward pass
        x = np.array(numpy.zeros(shape))
        for make in _makers_of_what_is_needed(layer, own, passes):
            _made_by(make, given, x)
        _made_in_forward(_Layer(session, layer, own, passes), x)
    return _with_states(session, layer, own, passes, shape)


def _with_states(session: Session, root: Any, own: dict[str, Any], passes: list[str], shape: Shape) -> _Layer:
    """The layer; that of a cell with the first states, arrays that its forward pass wants beside x, with which it can
    be called forward and back."""
    _, *others = argument_meanings(own[passes[0]]).items()
    required = {p.name for p in parameters_of(own[passes[0]]) if p.default is p.empty}
    states = [name for name, means in others if name in required and not means]
    if not states:
        return _Layer(session, root, own, passes)
    draws = numpy.random.default_rng(7)
    for of_state in dict.fromkeys(of for fits in shapes_that_fit(shape) for of in fits[""]):
        drawn = {name: draws.normal(size=of_state) for name in states}
        with contextlib.suppress(Exception), off_the_record():
            trial = copy.deepcopy(root)
            session.pool |= {name: session.np.array(state) for name, state in drawn.items()}
            layer = _Layer(session, trial, {name: getattr(trial, name) for name in own}, passes)
            layer.backward(layer.forward(session.np.array(numpy.ones(shape))), strict=True)
            break
    else:
        raise Unfillable(f"nothing is known for the argument {states[0]!r} of {passes[0]}")
    session.pool |= {name: session.np.array(state) for name, state in drawn.items()}
    layer = _Layer(session, root, own, passes)
    layer.further = [Leaf(session.pool, name, (name,), session.pool[name]) for name in states]
    return layer


def _set_apart(layer: Any, np: types.ModuleType) -> None:
    """Makes what was made of another array that a layer keeps, by what the first batch sets say, one of its own."""
    held = getattr(layer, "__dict__", {}) if current_tape() is not None else {}
    arrays = {name: value for name, value in held.items() if isinstance(value, Array)}
    nodes = {name: node_of(array) for name, array in arrays.items() if array._parent is None}
    for name, node in nodes.items():
        others = [other for other in nodes.values() if other is not node]
        if others and depends(node, *others):
            setattr(layer, name, np.array(plain(arrays[name])))


def _makers_of_what_is_needed(layer: Any, own: Mapping[str, Any], passes: list[str]) -> list[Any]:
    """The methods that assign what the forward pass reads of a layer, and what it has not yet: connect, build."""
    read = {n.attr for n in nodes_of(own[passes[0]]) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    needed = {name for name in read if getattr(layer, name, None) is None}
    stored = {
        name: {n.attr for n in nodes_of(f) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
        for name, f in own.items()
    }
    makers = (name for name in stored if stored[name] & needed and not name.startswith("__"))
    return [own[name] for name in makers if name not in passes and role(name) != "update"]


def _made_by(make: Any, given: dict[str, Any], x: Any) -> None:
    """Has a method make what it makes for inputs like x: of x, of their number, or of their shape."""
    wanted = [p.name for p in parameters_of(make) if p.default is p.empty]
    for value in (x, _features(x.shape), x.shape) if wanted else (None,):
        with contextlib.suppress(Exception):
            make(**{name: given.get(name, value) for name in wanted})
            return


def _made_in_forward(layer: _Layer, x: Any) -> None:
    """Leaves what the first forward pass makes; what each one makes anew, the views of its input, say, is no weight."""
    held = vars(layer.root)
    before = dict(held)
    layer.forward(x)
    first = dict(held)
    layer.forward(x.copy())
    kept = {name: value for name, value in held.items() if value is first.get(name)}
    held.clear()
    held.update(before | kept)


def _makers(file: File, name: str) -> list[Any]:
    return [file.classes[name], *find_role(file.methods(name), "init").values()]


def _other_options(file: File, np: types.ModuleType, name: str, passes: list[str], shape: Shape) -> dict[str, Any]:
    """Other numbers for the options of a class than by default, if it can be used with them."""
    others = {k: v for maker in _makers(file, name) for k, v in other_numbers(maker).items()}
    if not others:
        return {}
    with contextlib.suppress(Exception), off_the_record():
        layer = _of_class(file, np, name, passes, lambda shape: others, shape)
        layer.backward(layer.forward(np.array(numpy.ones(shape))), strict=True)
        return others
    return {}


def _of_functions(
    file: File, np: types.ModuleType, names: tuple[str, str], known: dict[Shape, Any], shape: Shape
) -> _Layer:
    """With the first of all arguments with which both can be called, and give gradients of the arrays' shapes. Those of
    each shape of x are kept as `known`, or what was raised."""
    if shape not in known:
        known[shape] = _arguments_that_fit(file, np, names, shape)
    unsure = next((of for of in known.values() if isinstance(of, Unsure)), None)
    if unsure is not None or isinstance(known[shape], Exception):
        raise unsure or known[shape]
    return _with_arguments(file, np, names, shape, known[shape])


def _arguments_that_fit(
    file: File, np: types.ModuleType, names: tuple[str, str], shape: Shape
) -> dict[str, Any] | Exception:
    """Or what the first call has raised, where there are none. Of several those with which all gradients are right,
    with other numbers for options, where these fit as well; or Unsure, where only some that may not be meant are right.
    """
    raised: Exception | None = None
    fitting: list[dict[str, Any]] = []
    most = 0  # gradients that are not 0
    for ones in (False, True):
        without_ones = len(fitting)
        for given in itertools.islice(ways_to_give(file, np, names, shape, ones), TRIED):
            try:
                ratios = _ratios_with(file, np, names, shape, given)
            except Exception as error:
                raised = raised or error
                continue
            most = max(most, len(ratios))
            if len(ratios) == most and _are_right(ratios, shape):
                return Unsure(OF_ONE) if without_ones else _with_other_options(file, np, names, shape, given)
            fitting.append(given)
            if len(fitting) == FITTING:
                break
    if not fitting:
        return raised or Unfillable("nothing is known for its arguments")
    for kind, given in of_a_kind(fitting[0]):
        with contextlib.suppress(Exception):
            ratios = _ratios_with(file, np, names, shape, given)
            if len(ratios) == most and _are_right(ratios, shape):
                return Unsure(f"right with {kind}, wrong with others")
    if 1 in shape:  # where arrays of other shapes may be meant
        return Unfillable("it was only tried with one row or column, and is wrong then")
    return _with_other_options(file, np, names, shape, fitting[0])


def _are_right(ratios: list[float], shape: Shape) -> bool:
    """Whether all gradients are those of one loss; a single one, of the sum or of a mean."""
    if len(ratios) == 1:
        return bool(numpy.isclose(ratios[0], (1, *shape), rtol=1e-3).any())
    return bool(ratios) and bool(numpy.allclose(ratios, ratios[0], rtol=1e-3))


def _with_other_options(
    file: File, np: types.ModuleType, names: tuple[str, str], shape: Shape, given: dict[str, Any]
) -> dict[str, Any]:
    if called_with(file, names[0]):
        return given
    others = with_other_numbers(given, *(file.functions[name] for name in names))
    with contextlib.suppress(Exception):
        _ratios_with(file, np, names, shape, others)
        return others
    return given


def _ratios_with(
    file: File, np: types.ModuleType, names: tuple[str, str], shape: Shape, given: dict[str, Any]
) -> list[float]:
    """As of `_ratios`. Raises, whatever the functions do, where what is given does not fit."""
    forward = file.functions[names[0]]
    (first, *wanted) = [p.name for p in parameters_of(forward) if p.default is p.empty or p.name in given]
    if given.keys() == set(wanted):  # most do not fit, and that is told soonest so
        with contextlib.suppress(IndexError), off_the_record(), numpy.errstate(all="ignore"):  # positions, perhaps
            forward(**{first: np.array(numpy.ones(shape)), **anew(given, np)})
    build = partial(_with_arguments, file, np, names, given=given)
    return _ratios(build(shape), np, _inputs(build, np, shape), strict=True)


def _with_arguments(
    file: File, np: types.ModuleType, names: tuple[str, str], shape: Shape, given: dict[str, Any]
) -> _Layer:
    session = Session(file, np, World((_features(shape), UNITS), "rows"))
    session.data |= {"one": 0.5, "rate": 0.5}  # a temperature, or the slope of a leaky relu, of 1 hides what it makes
    session.pool |= anew(given, np)
    layer = _Layer(session, session.pool, {name: file.functions[name] for name in names}, list(names))
    layer.is_ours = True
    return layer


def _features(shape: Shape) -> int:
    return 5 if 5 in shape else shape[1]


def _parts(np: types.ModuleType, arguments: list[str], shape: Shape) -> dict[str, Any]:
    """What a layer is built of, by the names of its arguments: Affine(W, b) is given its parameters."""
    draws, found, inputs = numpy.random.default_rng(5), {}, _features(shape)
    shapes = {"W": (UNITS, 3, 3, 3) if len(shape) == 4 else (inputs, UNITS), "b": (UNITS,)}
    for name in arguments:
        if name.lower() in IMAGES:
            found[name] = IMAGES[name.lower()]
        elif is_number_of_units(name):
            found[name] = UNITS  # … unless that is how many units it has
        elif squeezed(name) in ("inputshape", "shapein", "prevshape"):  # of one example
            found[name] = shape[1:] if len(shape) == 4 else (inputs,)
        elif (read := read_name(name)) and not read.gradient:
            found[name] = np.array(draws.normal(size=shapes[read.kind]))
    return found


class Unsure(Unfillable):
    """It is right or wrong with arrays of some shapes, and may be meant for others."""


class _Layer(Network):
    """A forward pass and its backward pass, one or several: an object's methods, or functions."""

    def __init__(self, session: Session, root: Any, functions: dict[str, Any], names: list[str]) -> None:
        self.of_object = root is not session.pool
        file = session.file
        backward = map(functions.get, names[1:])
        others = file.gradients_in(*backward) if self.of_object else gradients_told(file, tuple(names))
        in_order = gives_each(functions[names[0]], functions[names[-1]])
        given = argument_meanings(functions[names[0]]) if in_order else ()
        self.given = [name for name in given if isinstance(session.pool.get(name), numpy.ndarray)]
        others |= set(map(squeezed, self.given))
        found = parameters_in(root, others)
        if not self.of_object:  # a dictionary may hold what another layer is made of
            found = [leaf for leaf in found if len(leaf.way) == 1 or squeezed(leaf.word) in others]
        super().__init__(session, root, functions, found)
        put_on_record(session, self.parameters)
        self.softmax = "softmax" in (type(root).__name__ if self.of_object else names[0]).lower()
        self.passes = [functions[name] for name in names]
        self.outputs = {squeezed(name) for name in returned_by(self.passes[0])}

    def forward(self, x: Any) -> list[Any]:
        """The outputs that there are upstream gradients of; what else is returned is kept as the cache."""
        function, session = self.passes[0], self.session
        first, *others = argument_meanings(function).items()
        training = {name: True for name, means in others if means[:1] == ["true"]}
        if (tape := current_tape()) is not None:
            names_in({first[0]: x}, tape.names)
        parts = {} if self.of_object else {leaf.word: leaf.value for leaf in self.now()}
        result = session.call(function, **{**parts, first[0]: x, **training})
        self.x, self.out = x, _output(result, self.root)
        several = 1 if self.of_object else len(upstreams(self.passes[1], self.outputs))
        arrays = [part for part in result if isinstance(part, numpy.ndarray)] if isinstance(result, tuple) else []
        outputs = arrays[:several] if several > 1 else [self.out]
        rest = result[len(outputs) :] if isinstance(result, tuple) else (result,)
        rest = tuple(part for part in rest if not isinstance(part, numpy.ndarray)) or rest  # an output of another use
        session.data |= {"cache": rest[0] if len(rest) == 1 else rest, "X": x}
        return outputs

    def backward(self, upstream: list[Any], strict: bool) -> Any:
        """dx; the parameters are stepped, by the layer itself or here. Each output has its `upstream` gradient."""
        found, result = [], None
        self.remember()
        for function in self.passes[1:]:
            means = argument_meanings(function)
            wanted = [p.name for p in parameters_of(function) if p.default is p.empty]
            if not self.of_object and len(wanted) == 1 and "upstream" not in means[wanted[0]][:1]:
                return self._derivative(function) * upstream[0]
            named = [_upstream_argument(function)]
            if not self.of_object and len(both := upstreams(function, self.outputs)) > 1:
                named = both
            if not all(named):
                raise Unfillable("no argument for an upstream gradient")
            result = self.session.call(function, **dict(zip(named, upstream, strict=False)))
            found += self.returned(function, result)
        found += [*self.left(), *self._in_order(result, found)]
        found = self._by_keys(result, found)
        dx = _of_input(found, self.x)
        if self.softmax and dx is not None and numpy.array_equal(plain(dx), plain(upstream[0])):
            raise Unfillable("made for the cross-entropy, whose gradient its loss gives it in the place of its own")
        own = [leaf.named for leaf in found if leaf.value is result]
        if dx is None and isinstance(result, numpy.ndarray) and result.ndim and own and own[0] is None:
            raise Unfillable("what it sends back has not the shape of its input")
        gradients = [leaf for leaf in found if leaf.value is not dx and _is_gradient(leaf)]
        if self.parameters:
            self.step(result, gradients, strict)
        return dx

    def everything(self) -> list[Leaf]:
        """The parameters, and what else may be trained, as they are now."""
        return [*self.now(), *self.now(self.further)]

    def _in_order(self, result: Any, found: list[Leaf]) -> list[Leaf]:
        """The gradients that have another name than that of what they are the gradient of, or none."""
        arrays, told = self.session.pool, {gradient_of(leaf.word) for leaf in found}
        if not self.given or [*map(numpy.shape, result)][1:] != [numpy.shape(arrays[name]) for name in self.given]:
            return []
        named = zip(self.given, result[1:], strict=True)
        return [Leaf(None, None, (f"d{name}",), value) for name, value in named if squeezed(name) not in told]

    def _by_keys(self, result: Any, found: list[Leaf]) -> list[Leaf]:
        """The same, where a dictionary that is returned holds the gradient of W at "W"."""
        tables = [id(part) for part in (result if isinstance(result, tuple) else (result,)) if isinstance(part, dict)]
        arrays = {*self.given, *(leaf.word for leaf in self.parameters), next(iter(argument_meanings(self.passes[0])))}
        at_name = [id(leaf.holder) in tables and leaf.word in arrays for leaf in found]
        return [leaf._replace(way=(f"d{leaf.word}",)) if at else leaf for leaf, at in zip(found, at_name, strict=True)]

    def _options(self, function: Any) -> dict[str, Any]:
        pool = self.session.pool if not self.of_object else {}
        return {p.name: pool[p.name] for p in parameters_of(function) if p.default is not p.empty and p.name in pool}

    def _derivative(self, function: Any) -> Any:
        """At x; at the output where it is written for that, which differences tell."""
        x, e = plain(self.x), 1e-6
        forward, function = (partial(f, **self._options(f)) for f in (self.passes[0], function))
        slope = (plain(_output(forward(x + e), None)) - plain(_output(forward(x - e), None))) / (2 * e)
        moved = x.copy()
        moved.flat[0] += 1
        if (plain(_output(forward(moved), None)) != plain(self.out)).sum() > 1:  # softmax
            raise Unsure("what has no derivative entry by entry may have one that is meant for the diagonal")
        at_x, at_output = function(self.x), function(self.out)
        for values in (at_x, at_output):
            if numpy.shape(values) != numpy.shape(self.x):
                raise Unfillable("not a derivative entry by entry")
        return at_output if numpy.allclose(plain(at_output), slope, atol=1e-5) else at_x


def _upstream_argument(function: Any) -> str:
    """The argument for an upstream gradient; "" where there is none."""
    arguments = argument_meanings(function)
    found = upstreams(function, ())
    if not found and len(arguments) > 1 and meanings(next(iter(arguments)))[:1] not in ([], ["upstream"], ["P"]):
        return ""
    return found[0] if found else next(iter(arguments))


def _output(result: Any, layer: Any) -> Any:
    """The array that a forward pass returned, or left in an attribute. Raises Unfillable where there is none."""
    if isinstance(result, tuple):
        result = next((part for part in result if isinstance(part, numpy.ndarray)), None)
    if result is None and layer is not None:
        named = [leaf for leaf in leaves(layer, depth=1) if meanings(leaf.word)[:1] == ["P"] or leaf.word in ("a", "A")]
        result = named[0].value if named else None
    if not isinstance(result, numpy.ndarray) or not result.size:  # of images whose channels stand elsewhere
        raise Unfillable("no output")
    return result


def _is_gradient(leaf: Leaf) -> bool:
    return any(map(is_gradient, leaf.way)) or gradient_of(leaf.word) is not None or bool(leaf.places)


def _of_input(found: list[Leaf], x: Any) -> Any:
    """The gradient of the input among arrays: of its shape, perhaps as one row, and not called like a parameter's."""
    fitting = [g for g in found if is_shaped(g.value, x) and not g.named and g.value is not x]
    called = [g for g in fitting if gradient_of(g.word) is not None or not g.word]
    return (called or fitting or [Leaf(None, None, (), None)])[0].value


# --- steps ------------------------------------------------------------------------------------------------------------


def _play_of(build: Callable[[Shape], _Layer], np: types.ModuleType) -> Play:
    return partial(_play, build, np, functools.cache(partial(_data, build, np)))


def _play_if_meant(
    build: Callable[[Shape], _Layer], np: types.ModuleType, play: Play, shape: Shape, strict: bool
) -> None:
    """Unless a layer is right with arrays of another number of axes, and not with these. Raises Unsure if it is."""
    others = [other for other in SHAPES if len(other) != len(shape)] if not _is_right_with(build, np, shape) else []
    if (right := next((other for other in others if _is_right_with(build, np, other)), None)) is not None:
        raise Unsure(f"right with arrays of {len(right)} axes, for which it may be meant")
    play(shape, strict)


def _is_right_with(build: Callable[[Shape], _Layer], np: types.ModuleType, shape: Shape) -> bool:
    with contextlib.suppress(Exception), numpy.errstate(all="ignore"), off_the_record():
        return _are_right(_ratios(build(shape), np, _inputs(build, np, shape), strict=True), shape)
    return False


def _play(
    build: Callable[[Shape], _Layer],
    np: types.ModuleType,
    data: Callable[[Shape], tuple[numpy.ndarray, int]],
    shape: Shape,
    strict: bool,
) -> None:
    """Forward and back, three times."""
    draws, (inputs, count) = numpy.random.default_rng(11), data(shape)
    layer, x, targets = build(shape), np.array(inputs), []
    for _ in range(COUNT):
        outputs = layer.forward(x)
        targets = targets or [np.array(draws.normal(size=numpy.shape(out))) for out in outputs]
        upstream = [out - target for out, target in zip(outputs, targets, strict=True)]
        _loss = sum(np.sum(error * error) for error in upstream) / (2 * count)  # for the record
        dx = layer.backward(upstream, strict)
        if dx is not None:
            x = x - RATE * (np.reshape(dx, shape) / count)
        elif not layer.parameters:
            raise Unfillable("no gradient of its input")


def _data(build: Callable[[Shape], _Layer], np: types.ModuleType, shape: Shape) -> tuple[numpy.ndarray, int]:
    """The inputs, and by what the loss is divided: where the gradients are averages over the examples, it is one."""
    inputs, examples = _inputs(build, np, shape), shape[0] if shape[0] != 5 else shape[-1]
    return inputs, examples if _averages(build(shape), np, inputs, examples) else 1


def _inputs(build: Callable[[Shape], _Layer], np: types.ModuleType, shape: Shape) -> numpy.ndarray:
    """Numbers; or positions, for what looks them up in a table."""
    draws = numpy.random.default_rng(3)
    data = draws.normal(size=shape)
    with off_the_record():
        try:
            build(shape).forward(np.array(data))
        except IndexError:
            return draws.integers(0, 3, size=shape)
    return data


def _averages(layer: _Layer, np: types.ModuleType, data: numpy.ndarray, examples: int) -> bool:
    """Whether the gradient of a parameter is that of ½ Σ output² but for the number of examples, as differences say."""
    ratios = _ratios(layer, np, data, most=1) if layer.parameters else []
    return bool(ratios) and bool(numpy.isclose(ratios[0], examples, rtol=1e-3, atol=0))


def _ratios(
    layer: _Layer, np: types.ModuleType, data: numpy.ndarray, most: int | None = None, strict: bool = False
) -> list[float]:
    """For each array that is stepped, or `most` of them, how many times its gradient that of ½ Σ output² is along some
    direction, as differences say: the parameters' first, that of x last."""
    draws, e = numpy.random.default_rng(17), 1e-6
    with off_the_record():
        x = np.array(data)
        outputs = layer.forward(x)
        before = [plain(leaf.value) for leaf in layer.everything()]
        dx = layer.backward(outputs, strict)
        now = layer.everything()
        gradients = [(old - plain(leaf.value)) / RATE for old, leaf in zip(before, now, strict=True)]

        def value(at: int, change: Any) -> float:
            for k, (leaf, old) in enumerate(zip(now, before, strict=True)):
                leaf.set(np.array(old + change if k == at else old))
            moved = np.array(data + change) if at == len(now) else np.array(data)
            return float(sum(numpy.sum(plain(out) ** 2) for out in layer.forward(moved)) / 2)

        shapes = [*map(numpy.shape, before), data.shape]
        gradients += [plain(dx).reshape(data.shape)] if dx is not None else []
        told = [k for k, gradient in enumerate(gradients) if gradient.any() and gradient.shape == shapes[k]]
        found = []
        for k in told[:most]:
            direction = draws.normal(size=shapes[k])
            slope = (value(k, e * direction) - value(k, -e * direction)) / (2 * e)
            found.append(slope / numpy.sum(gradients[k] * direction))
        return found
