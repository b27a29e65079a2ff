"""Where nothing in a program trains: calls of what the file has, in the order in which its author would make them.

m examples, i inputs, o outputs. Functions that train by themselves come first, then classes that do, then a forward
pass, its backward pass and a step, at last lone layers, which get the gradient of a squared error as their upstream
gradient. A call is tried before it is offered: what raises, or returns gradients of other shapes, is none.
"""

from __future__ import annotations

import contextlib
import functools
import io
import random
import re
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy

from jaxnet.compare.author.calls import COUNT, File, Session, World, argument_meanings, find_role
from jaxnet.compare.author.layers import SHAPES, lone_layers
from jaxnet.compare.author.meanings import read_name, role
from jaxnet.compare.author.passes import (
    Flags,
    Passes,
    construct,
    first_uncalled,
    initialise,
    meant,
    plans,
    play_passes,
    steps_parameters,
    takes_data,
    whole_classes,
)
from jaxnet.compare.author.recorder import recording
from jaxnet.compare.author.step import NoStep, find_steps
from jaxnet.compare.author.tape import Enough, Tape

PROBE = 6000  # Nodes of a call that is tried
OFFERED = 2  # worlds of one target


class Attempt(NamedTuple):
    """A thing to try: what the report says was run, and the call."""

    description: str
    call: Callable[[], None]
    alone: bool = False  # layers that no network of the file uses


class Target(NamedTuple):
    """What can be called in one world or another; `strict`: only if the gradients' shapes are as they ought to be."""

    description: str
    play: Callable[[Any, bool], None]
    worlds: list[Any]  # a World each, or for a lone layer the shape of x
    strictness: tuple[bool, ...] = (True, False)


def drive(
    namespace: dict[str, Any], numpy: types.ModuleType, stop: Callable[[], bool], **flags: str | None
) -> Iterator[Attempt]:
    """Things to try with what a program has defined, likeliest first. `numpy` makes all arrays that are given."""
    file, names = File(namespace), Flags(**flags)
    trainers = [] if names.forward or names.backward else [*_trainers(file, numpy), *_class_trainers(file, numpy)]
    layers = [Target(shown, play, list(SHAPES)) for shown, play in lone_layers(file, numpy)]
    for target in [*trainers, *_passes(file, numpy, names), *layers]:
        offered = 0
        met = target not in layers  # labels must meet a prediction of their size: NumPy lets others pass unnoticed
        for strict in target.strictness:
            for world in _of_layout(target.worlds, names.layout):
                if stop():
                    return
                play = functools.partial(_seeded, target.play, world, strict)
                if _runs(play, met):
                    offered += 1
                    yield Attempt(target.description, play, target in layers)
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


def _runs(play: Callable[[], None], met: bool) -> bool:
    """Whether a call ends well, or has not ended after a while; with `met`, only if its prediction meets labels."""
    tape = Tape(PROBE)
    ends = True
    with recording(tape), contextlib.redirect_stdout(io.StringIO()), numpy.errstate(all="ignore"):
        try:
            play()
        except Enough:
            pass
        except (Exception, SystemExit):  # what comes after some steps, an evaluation or another batch, is not needed
            ends = any(node.steps >= 3 for node in tape.nodes)
    if not ends or not met or not tape.nodes:
        return ends
    try:
        return bool(find_steps(tape)[0].examples)
    except NoStep:
        return False


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


# --- what trains by itself --------------------------------------------------------------------------------------------


def _computes_gradients(file: File, function: Any) -> bool:
    """Whether a function, or one that it calls, speaks of gradients."""
    reached = file.reached(function)
    speaks = any(role(name) == "backward" or ((read := read_name(name)) and read.gradient) for name in reached)
    return speaks or steps_parameters(function)


def _trainers(file: File, np: types.ModuleType) -> Iterator[Target]:
    found = {n: f for n, f in find_role(file.functions, "train").items() if _computes_gradients(file, f)}
    for function in first_uncalled(file, found):
        arguments = argument_meanings(function)
        if arguments and not takes_data(function):
            continue
        shown = f"{function.__name__}({', '.join(arguments)}), called with data of jaxnet's own"

        def play(world: World, strict: bool, function: Any = function, arguments: Any = arguments) -> None:
            session = Session(file, np, world)
            if any(read_name(name) or means[:1] == ["parameters"] for name, means in arguments.items()):
                initialise(session, None, arguments)
            for _ in range(COUNT):
                session.call(function)

        yield Target(shown, play, _worlds(file) if arguments else _worlds(file)[:1], (True,))


def _class_trainers(file: File, np: types.ModuleType) -> Iterator[Target]:
    for name in reversed(whole_classes(file)):
        methods = {n: f for n, f in find_role(file.methods(name), "train").items() if isinstance(f, types.FunctionType)}
        built_with_labels = "Y" in meant(file.classes[name], True)
        for method in first_uncalled(file, methods):
            if not (takes_data(method) or built_with_labels) or not _computes_gradients(file, method):
                continue
            arguments = ", ".join(argument_meanings(method))
            shown = f"{method.__name__}({arguments}) of class {name}, called with data of jaxnet's own"

            def play(world: World, strict: bool, name: str = name, method: str = method.__name__) -> None:
                session = Session(file, np, world)
                network = construct(session, name)
                for _ in range(COUNT):
                    session.call(getattr(network, method))

            yield Target(shown, play, _worlds(file), (True,))


def _passes(file: File, np: types.ModuleType, flags: Flags) -> Iterator[Target]:
    for passes in plans(file, flags):
        of = f" of class {passes.owner}" if passes.owner else ""
        names = " and ".join(name for name in passes[1:] if name)
        shown = f"{names}{of}, called with data of jaxnet's own"

        def play(world: World, strict: bool, passes: Passes = passes) -> None:
            play_passes(Session(file, np, world), passes, flags, strict)

        yield Target(shown, play, _worlds(file))
