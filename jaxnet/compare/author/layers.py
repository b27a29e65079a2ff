"""Lone layers: classes, or pairs of functions, with a forward(x) and a backward(upstream) that nothing in a file uses.

Each stands by itself. It gets random x, and the gradient of ½ Σ (output − target)² as its upstream gradient. x is
stepped as a parameter is, x ← x − rate · dx, so that dx is compared like dW and db.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Container, Iterator
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
    leaves,
    plain,
    return_names,
)
from jaxnet.compare.author.meanings import LATER, gradient_of, meanings, read_name, role, squeezed
from jaxnet.compare.author.names import names_in
from jaxnet.compare.author.passes import Network, construct, is_gradient, meant, parameters_in, put_on_record
from jaxnet.compare.author.recorder import current_tape, recording
from jaxnet.compare.author.tape import Tape

Shape = tuple[int, ...]
Play = Callable[[Shape, bool], None]
SHAPES = ((6, 5), (5, 6), (1, 5), (5, 1), (6, 5, 1), (2, 3, 6, 6), (2, 6, 6, 3), (5,))  # of x
IMAGES = {  # of what a layer of images is made, by the names of its arguments
    **dict.fromkeys(("in_channels", "input_channels", "channels", "n_channels", "num_channels", "c_in"), 3),
    **dict.fromkeys(("out_channels", "output_channels", "filters", "num_filters", "n_filters", "c_out"), 4),
    **dict.fromkeys(("kernel_size", "filter_size", "kernel", "ksize", "k"), 3), "stride": 1, "strides": 1, "padding": 0,
    "pad": 0, "pool_size": 2, "p": 0.5, "axis": 1, "eps": 1e-5, "epsilon": 1e-5,
}  # fmt: skip


def lone_layers(file: File, np: types.ModuleType) -> Iterator[tuple[str, Play, bool, str]]:
    """What is to be tried, what it is called, whether it is a layer's class, and surely meant as one, and why what is
    wrong may be right.

    The first argument of a play is the shape of x.
    """
    names = {name: passes for name in file.classes if (passes := _passes_of(file, name))}
    general = {base.__name__ for name in names for base in file.classes[name].__mro__[1:]}
    names = {name: passes for name, passes in names.items() if name not in general}

    for name, passes in names.items():
        build = partial(_of_class, file, np, name, passes)
        is_error = any("err" in _upstream_argument(file.methods(name)[back]).lower() for back in passes[1:])
        may_be = "right if it is given the error with the other sign" if is_error else ""
        yield f"forward and backward of class {name}", partial(_play, build, np), True, may_be
    for pair in (pair for pair in _pairs(file) if not _takes_labels(file.functions[pair[1]])):
        build = partial(_of_functions, file, np, pair)
        yield " and ".join(pair), partial(_play, build, np), False, ""
    for loss in _losses(file):
        of = f" of class {loss[0]}" if loss[0] else ""
        yield f"{' and '.join(dict.fromkeys(loss[1:]))}{of}", partial(_play_loss, file, np, loss), False, ""


def _passes_of(file: File, name: str) -> list[str]:
    """The forward pass of a class, and its backward passes: some have one for dx and one for dW.

    A backward pass takes an upstream gradient, or something that tells nothing.
    """
    methods = file.methods(name)
    forward = [n for n in find_role(methods, "forward") if n != "predict" and not _takes_labels(methods[n])]
    backward = [n for n, f in find_role(methods, "backward").items() if argument_meanings(f) and "Y" not in meant(f)]
    backward = [n for n in backward if not is_compared(methods[n], _upstream_argument(methods[n]))]  # with labels
    first = sorted(forward, key=lambda n: "forward" not in n)[:1]
    return [*first, *([n for n in backward if "back" in n] or backward)] if first and backward else []


def _pairs(file: File) -> Iterator[tuple[str, str]]:
    """linear_forward and linear_backward, relu and relu_derivative: functions that nothing in the file uses."""
    for backward in find_role(file.functions, "backward"):
        stem = squeezed(backward)
        for word in ("backward", "backprop", "back", "derivative", "deriv", "gradient", "grad", "prime"):
            stem = stem.replace(word, "")
        for forward in file.functions:
            same = squeezed(forward).replace("forward", "") in (stem, stem.removeprefix("d"))
            if same and forward != backward and not file.used(forward) and not file.used(backward):
                yield forward, backward


# --- one layer --------------------------------------------------------------------------------------------------------


def _of_class(file: File, np: types.ModuleType, name: str, passes: list[str], shape: Shape) -> _Layer:
    session = Session(file, np, World((_features(shape), 4), "rows"))
    session.data |= {"hidden1": 4, "sizes": _features(shape)}  # a layer has one size …
    words = {"rate": 0.5, "prob": 0.5} if "drop" in name.lower() else {}
    makers = [file.classes[name], *find_role(file.methods(name), "init").values()]
    arguments = {argument: means for maker in makers for argument, means in argument_meanings(maker, True).items()}
    if "pool" in name.lower():  # windows that do not overlap
        words |= dict.fromkeys(("kernel_size", "filter_size", "kernel", "ksize", "k", "stride", "strides"), 2)
    if len(arguments) == 2 and all(set(m) <= LATER and not read_name(a) for a, m in arguments.items()):  # Dense(i, o)
        words |= dict(zip(arguments, (_features(shape), 4), strict=True))
    layer = construct(session, name, **{**_parts(np, list(arguments), shape), **words})
    own = {n: getattr(layer, n) for n in file.methods(name)}
    if not parameters_in(layer):  # they may be made in the first forward pass
        _Layer(session, layer, own, passes).forward(np.array(numpy.zeros(shape)))
    return _Layer(session, layer, own, passes)


def _of_functions(file: File, np: types.ModuleType, names: tuple[str, str], shape: Shape) -> _Layer:
    session = Session(file, np, World((_features(shape), 4), "rows"))
    functions = {name: file.functions[name] for name in names}
    others = file.gradients_in(functions[names[1]])
    session.pool |= _parts(np, list(argument_meanings(functions[names[0]]))[1:], shape, others)
    return _Layer(session, session.pool, functions, list(names))


def _features(shape: Shape) -> int:
    return shape[0] if shape[:1] == (5,) else shape[1]


def _parts(np: types.ModuleType, arguments: list[str], shape: Shape, others: Container[str] = ()) -> dict[str, Any]:
    """What a layer is made of, by the names of its arguments: Affine(W, b) is given its parameters."""
    draws, found, inputs = numpy.random.default_rng(5), {}, _features(shape)
    shapes = {"W": (4, 3, 3, 3) if len(shape) == 4 else (inputs, 4), "b": (4,)}
    for name in arguments:
        if name.lower() in IMAGES:
            found[name] = IMAGES[name.lower()]
        elif re.fullmatch(r"(n|num)?(units|neurons|nodes)", squeezed(name)):
            found[name] = 4  # … unless that is how many units it has
        elif squeezed(name) in ("inputshape", "shapein", "prevshape"):  # of one example
            found[name] = shape[1:] if len(shape) == 4 else (inputs,)
        elif (read := read_name(name)) and not read.gradient:
            found[name] = np.array(draws.normal(size=shapes[read.kind]))
        elif squeezed(name) in others:
            found[name] = np.array(draws.normal(size=shape[-1]))
    return found


class _Layer(Network):
    """A forward pass and its backward pass, one or several: an object's methods, or functions."""

    def __init__(self, session: Session, root: Any, functions: dict[str, Any], names: list[str]) -> None:
        others = session.file.gradients_in(*(functions[name] for name in names[1:]))
        super().__init__(session, root, functions, parameters_in(root, others))
        put_on_record(session, self.parameters)
        self.of_object = root is not session.pool
        self.softmax = "softmax" in (type(root).__name__ if self.of_object else names[0]).lower()
        self.passes = [functions[name] for name in names]

    def forward(self, x: Any) -> Any:
        """The output; what else is returned is kept as the cache."""
        function, session = self.passes[0], self.session
        first, *others = argument_meanings(function).items()
        training = {name: True for name, means in others if means[:1] == ["true"]}
        if (tape := current_tape()) is not None:
            names_in({first[0]: x}, tape.names)
        parts = {} if self.of_object else {leaf.word: leaf.value for leaf in self.now()}
        result = session.call(function, **{**parts, first[0]: x, **training})
        self.x, self.out = x, _output(result, self.root)
        rest = result[1:] if isinstance(result, tuple) else (result,)
        session.data |= {"cache": rest[0] if len(rest) == 1 else rest, "X": x}
        return self.out

    def backward(self, upstream: Any, strict: bool) -> Any:
        """dx; the parameters are stepped, by the layer itself or here."""
        found, result = [], None
        self.remember()
        for function in self.passes[1:]:
            arguments = argument_meanings(function)
            if not self.of_object and len(arguments) == 1 and "upstream" not in next(iter(arguments.values()))[:1]:
                return self._derivative(function) * upstream
            if not (argument := _upstream_argument(function)):
                raise Unfillable("no argument for an upstream gradient")
            result = self.session.call(function, **{argument: upstream})
            found += self.returned(function, result)
        found += self.left()
        dx = _of_input(found, self.x)
        if self.softmax and dx is not None and numpy.array_equal(plain(dx), plain(upstream)):
            raise Unfillable("made for the cross-entropy, whose gradient its loss gives it in the place of its own")
        own = [leaf.named for leaf in found if leaf.value is result]
        if dx is None and isinstance(result, numpy.ndarray) and result.ndim and own and own[0] is None:
            raise Unfillable("what it sends back has not the shape of its input")
        gradients = [leaf for leaf in found if leaf.value is not dx and _is_gradient(leaf)]
        if self.parameters:
            self.step(result, gradients, strict)
        return dx

    def _derivative(self, function: Any) -> Any:
        """At x; at the output where it is written for that, which differences tell."""
        x, e = plain(self.x), 1e-6
        forward = self.passes[0]
        slope = (plain(_output(forward(x + e), None)) - plain(_output(forward(x - e), None))) / (2 * e)
        at_x, at_output = function(self.x), function(self.out)
        for values in (at_x, at_output):
            if numpy.shape(values) != numpy.shape(self.x):
                raise Unfillable("not a derivative entry by entry")
        return at_output if numpy.allclose(plain(at_output), slope, atol=1e-5) else at_x


def _upstream_argument(function: Any) -> str:
    """The argument for an upstream gradient; "" where there is none."""
    arguments = argument_meanings(function)
    found = [name for name, means in arguments.items() if means[:1] in (["upstream"], ["gradients"])]
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
    """The gradient of the input among arrays: of its shape, and not called like a parameter's."""
    fitting = [g for g in found if numpy.shape(g.value) == numpy.shape(x) and not g.named and g.value is not x]
    called = [g for g in fitting if gradient_of(g.word) is not None or not g.word]
    return (called or fitting or [Leaf(None, None, (), None)])[0].value


# --- steps ------------------------------------------------------------------------------------------------------------


def _play(build: Callable[[Shape], _Layer], np: types.ModuleType, shape: Shape, strict: bool) -> None:
    """Forward and back, three times; where the gradients are averages over the examples, the loss is one as well."""
    draws = numpy.random.default_rng(11)
    data = draws.normal(size=shape)
    examples = shape[0] if shape[0] != 5 else shape[-1]
    count = examples if _averages(build(shape), np, data, examples) else 1
    layer, x, target = build(shape), np.array(data), None
    for _ in range(COUNT):
        out = layer.forward(x)
        if target is None:
            target = np.array(draws.normal(size=numpy.shape(out)))
        upstream = out - target
        _loss = np.sum(upstream * upstream) / (2 * count)  # for the record
        dx = layer.backward(upstream, strict)
        if dx is not None:
            x = x - RATE * (dx / count)
        elif not layer.parameters:
            raise Unfillable("no gradient of its input")


def _averages(layer: _Layer, np: types.ModuleType, data: numpy.ndarray, examples: int) -> bool:
    """Whether the gradient of a parameter is that of ½ Σ output² but for the number of examples, as differences say."""
    with recording(Tape()):  # nothing of this belongs to the record
        x, e = np.array(data), 1e-6
        out = layer.forward(x)
        before = [plain(leaf.value) for leaf in layer.now()]
        if not before:
            return False
        layer.backward(out, False)
        now = layer.now()
        gradient = (before[0] - plain(now[0].value)) / RATE
        direction = numpy.random.default_rng(17).normal(size=before[0].shape)

        def value(change: Any) -> Any:
            for leaf, old in zip(now, before, strict=True):
                leaf.set(np.array(old + change if leaf is now[0] else old))
            return numpy.sum(plain(layer.forward(x)) ** 2) / 2

        slope = (value(e * direction) - value(-e * direction)) / (2 * e)
        return bool(numpy.isclose(slope, examples * numpy.sum(gradient * direction), rtol=1e-3, atol=0))


# --- lone losses ------------------------------------------------------------------------------------------------------


def _losses(file: File) -> Iterator[tuple[str | None, str, str]]:
    """Classes of a loss of a prediction and labels, with the methods for its value and for its derivative; functions
    for these; and functions that give both."""
    for name in file.classes:
        methods = file.methods(name)
        values = [n for n, f in methods.items() if role(n) in ("loss", "forward") and _takes_labels(f)]
        slopes = find_role(methods, "backward").items()
        slopes = [n for n, f in slopes if _takes_labels(f) or not argument_meanings(f)]
        if values and slopes:
            yield name, values[0], slopes[0]
    for value, slope in _pairs(file):
        if _takes_labels(file.functions[value]) and _takes_labels(file.functions[slope]):
            yield None, value, slope
    for name, function in find_role(file.functions, "loss").items():
        returned = [names for names in return_names(function) if isinstance(names, list)]
        gives_both = any(gradient_of(word) for names in returned for word in names)
        if gives_both and len(argument_meanings(function)) == 2 and _takes_labels(function):
            yield None, name, name


def _takes_labels(function: Any) -> bool:
    return "Y" in meant(function) and len(argument_meanings(function)) > 1


def _play_loss(
    file: File, np: types.ModuleType, names: tuple[str | None, str, str], shape: Shape, strict: bool
) -> None:
    """Steps a prediction down its loss. Predictions and labels lie between 0 and 1; labels are classes where rows of
    them do not fit."""
    session, draws = Session(file, np, World((5, 5), "rows")), numpy.random.default_rng(13)
    owner, value, slope = names
    loss = session.call(file.classes[owner], building=True) if owner else None
    both = [file.functions[n] if loss is None else getattr(loss, n) for n in dict.fromkeys((value, slope))]
    prediction = np.array(draws.uniform(0.2, 0.8, size=shape))
    several = len(shape) == 2 and shape[-1] > 1
    classes = draws.integers(0, shape[-1], size=shape[0])
    session.data["Y"] = np.eye(shape[-1])[classes] if several else np.array(draws.integers(0, 2, shape) * 1.0)

    def derivative() -> Any:
        session.data |= dict.fromkeys(("P", "X", "cache"), prediction)
        result: Any = None
        for function in both:
            means = argument_meanings(function)
            given = [name for name, of in means.items() if not of or of[0] in ("P", "X")]
            if (tape := current_tape()) is not None:
                names_in(dict.fromkeys(given[:1], prediction), tape.names)
            result = session.call(function, **{name: prediction for name in given if not means[name]})
        parts = result if isinstance(result, tuple) else (result,)
        found = (part for part in parts if numpy.shape(part) == numpy.shape(prediction))
        if (array := next(found, None)) is None:
            raise Unfillable("the derivative has another shape")
        return array

    if several:
        with recording(Tape()):  # nothing of this belongs to the record
            try:
                derivative()
            except IndexError:
                session.data["Y"] = np.array(classes)
    for _ in range(COUNT):
        prediction = prediction - derivative() / 16  # so small that it stays between 0 and 1
