"""Where nothing in a program trains: calls of what the file has, in the order in which its author would make them.

m examples, i inputs, o outputs. Functions that train by themselves come first, then classes that do, then a forward
pass, its backward pass and a step, at last lone layers, which get the gradient of a squared error as their upstream
gradient. A call is tried before it is offered: what raises, or returns gradients of other shapes, is none.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import functools
import io
import itertools
import random
import re
import traceback
import types
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from jaxnet.compare.author import containers
from jaxnet.compare.author.calls import (
    COUNT,
    File,
    Session,
    Unfillable,
    World,
    argument_meanings,
    find_role,
    is_blind,
    meant,
    needs_arguments,
    parameters_of,
)
from jaxnet.compare.author.layers import SHAPES, lone_layers
from jaxnet.compare.author.meanings import read_name, role
from jaxnet.compare.author.node import MULTIPLYING, ancestors
from jaxnet.compare.author.passes import (
    Flags,
    Misfit,
    Passes,
    construct,
    first_uncalled,
    initialise,
    plans,
    play_passes,
    steps_parameters,
    takes_data,
    whole_classes,
)
from jaxnet.compare.author.recorder import recording
from jaxnet.compare.author.search import find_steps
from jaxnet.compare.author.step import NoStep
from jaxnet.compare.author.tape import Enough, Tape, is_authors

PROBE = 6000  # Nodes of a call that is tried
OFFERED = 2  # worlds of one target
OURS = ", called with data of jaxnet's own"
SEVERAL = 3  # outputs, where a network may have some


class Call(NamedTuple):
    """A thing to try: what the report says was run, and how."""

    description: str
    run: Callable[[], None]
    alone: bool = False  # layers that no network of the file uses
    doubt: str = ""  # why a verdict that nothing is wrong would be hollow
    key: tuple = ()  # which of all that can be tried it is
    may_be: str = ""  # why what is wrong may be right as the program means it
    tentative: bool = False  # with more outputs than it may be made for: only that all is right is an answer
    followed: bool = False  # by another function that makes loss and gradient by itself, as this one does


class Target(NamedTuple):
    """What can be called in one world or another; `strict`: only if the gradients' shapes are as they ought to be."""

    description: str
    play: Callable[[Any, bool], None]
    worlds: list[Any]  # a World each, or for a lone layer the shape of x
    strictness: tuple[bool, ...] = (True, False)
    whole: bool = False  # it is a layer: if it cannot be called, nothing is said of the file as a whole
    may_be: str = ""  # as of a Call
    followed: bool = False  # as of a Call
    has_data: bool = False  # of its own, and is given none of ours


def drive(
    namespace: dict[str, Any],
    numpy: types.ModuleType,
    stop: Callable[[], bool],
    only: tuple = (),
    silent: Container[str] = (),
    failed: dict[str, str] | None = None,
    called: Mapping[str, tuple[Any, ...]] = types.MappingProxyType({}),
    others: Callable[[], Iterable[Path]] = tuple,
    beside: Callable[[], Mapping[str, type]] = dict,
    **flags: str | None,
) -> Iterator[Call]:
    """Things to try with what a program has defined, likeliest first, without its `silent` functions; `only` the one
    with this key. `numpy` makes all arrays that are given; what the program has `called` functions with is given to
    them once more, and what `others` that use it call them with where nothing else is known; a network is put together
    of classes that other files `beside` it define as well. What cannot be called is kept in `failed`, with what the
    call that came furthest has raised.

    A deep network is tried before a shallow one, and one whose gradients have the parameters' shapes before any. Where
    only what comes later can be run, what was wrong with the rest may be what is wrong with the program.
    """
    file, names = File(namespace, silent, called, others, beside), Flags(**flags)
    worlds = [world for world in _worlds(file) if names.layout in (None, world.layout)]
    trainers = [] if names.forward or names.backward else _trainers(file, numpy, worlds)
    networks = [*trainers, *_passes(file, numpy, names, worlds)]
    failed = {} if failed is None else failed
    layers = (
        # The arrays that a function is given are ours: where a gradient has another shape, they may be the wrong ones.
        Target(shown, play, shapes, (True, False) if whole else (True,), whole, may_be)
        for shown, play, shapes, whole, may_be in lone_layers(file, numpy, failed)
    )
    blind = any(is_blind(p) for made in file.classes.values() for p in parameters_of(made))
    for target in itertools.chain(networks, layers):
        raised: dict[int, str] = {}  # what is wrong with its backward pass, by the depth of the network
        offered, alone, furthest = 0, target not in networks, Tried(False)
        for depth, strict in [(d, s) for d in dict.fromkeys(map(_depth, target.worlds)) for s in target.strictness]:
            doubt = next((f"in a deeper network {why}" for d, why in raised.items() if d > depth), "")
            if alone and any(network.description != target.description + OURS for network in networks):
                doubt = "the network that they are parts of could not be called"
            elif not strict and not alone:
                doubt = doubt or "not all of its parameters have a gradient of their shape"
            for world in (world for world in target.worlds if _depth(world) == depth):
                if only and isinstance(world, World):  # as it was, if it was this one
                    other = [world._replace(signs=True), world._replace(as_built=True)]
                    world = only[1] if only[1] in other else world
                key = (target.description, world, strict)
                if stop():
                    return
                if only and key != only:
                    continue
                # What is right for rows need not be for a lone vector; nor need arrays of one row be guessed then.
                if offered and alone and (world == SHAPES[-1] or (1 in world and not target.whole)):
                    break
                if not (alone or only or offered) and world.sizes[-1] == 1:
                    several = world._replace(sizes=(*world.sizes[:-1], SEVERAL))
                    play = functools.partial(_seeded, target.play, several, True)
                    if several in target.worlds and _tried(play, several).ends:
                        further = (target.description, several, True)
                        yield Call(target.description, play, alone, doubt, further, target.may_be, tentative=True)
                play = functools.partial(_seeded, target.play, world, strict)
                tried = _tried(play, world, target.has_data)
                if tried.multiplied and world.sizes[-1] == 1 and not only:
                    signed = world._replace(signs=True)
                    play = functools.partial(_seeded, target.play, signed, strict)
                    tried, key = _tried(play, signed), (target.description, signed, strict)
                if not (tried.ends or only) and blind and isinstance(world, World) and not alone:
                    plain = world._replace(as_built=True)
                    play = functools.partial(_seeded, target.play, plain, strict)
                    tried, key = _tried(play, plain), (target.description, plain, strict)
                furthest = max(furthest, tried, key=lambda tried: tried.far)
                if tried.ends:
                    offered += 1
                    shown = target.description
                    if alone and 1 in world and 0 in raised:
                        shown += f", one example at a time (with several {raised[0]})"
                    yield Call(shown, play, alone, doubt, key, target.may_be, followed=target.followed)
                elif tried.why and strict:
                    raised.setdefault(depth, tried.why)
                if offered == OFFERED:
                    break
            if offered:
                raised.pop(depth, None)
                break
        if not offered:
            failed[re.sub(rf"\(.*?\)|{OURS}$", "", target.description)] = furthest.error
        if alone and not offered and (raised.pop(0, "") or target.whole):
            yield Call(target.description, lambda: None, alone, "it cannot be called")


def _depth(world: Any) -> int:
    """How many sizes a network has; a lone layer has none."""
    return len(world.sizes) if isinstance(world, World) else 0


def _seeded(play: Callable[[Any, bool], None], world: Any, strict: bool) -> None:
    """A call whose random numbers are the same each time."""
    random.seed(0)
    numpy.random.seed(0)
    play(world, strict)


class Tried(NamedTuple):
    """What came of a call on data of one shape."""

    ends: bool  # it is worth a verdict
    why: str = ""  # what a backward pass raised, or why not with one example
    far: int = -1  # operations that it came to
    error: str = ""  # why it is not worth one
    multiplied: bool = False  # predictions meet labels in products alone, as y · s does: these are signs


def _tried(play: Callable[[], None], world: Any, has_data: bool = False) -> Tried:
    tape, is_network = Tape(PROBE), isinstance(world, World) and not has_data
    tried = _runs(play, tape, met=is_network)
    if tried.ends and is_network and world.form != "batch" and (batches := _sums_over_examples(tape)):
        return Tried(False, batches, len(tape.nodes), batches)
    return tried


def _sums_over_examples(tape: Tape) -> str:
    """What was meant for several examples, where one was given: there a missing sum would not show."""
    sums = [n for n in tape.nodes if n.function in (numpy.sum, numpy.mean) and n.size > 1]
    meant = [n.place for n in sums if n.parents and n.parents[0].size == n.size]
    meant += [n.place for n in tape.nodes if n.function is numpy.true_divide and 1 in n.inputs[1:]]
    place = next(iter(meant), None)
    return "" if place is None else f"line {place.line} is made for several examples, and only one can be run at a time"


def _runs(play: Callable[[], None], tape: Tape, met: bool) -> Tried:
    """What came of a call that ends, or has not ended after a while; with `met`, it is worth something only if its
    prediction meets labels, or it returns its loss."""
    tried = Tried(True)
    # Labels must meet a prediction of their size: NumPy lets others pass unnoticed.
    with recording(tape), contextlib.redirect_stdout(io.StringIO()), numpy.errstate(all="ignore"):
        try:
            play()
        except Enough:
            pass
        except (Exception, SystemExit) as error:
            # What comes after some steps, an evaluation or another batch, is not needed.
            ends = any(node.steps >= 3 for node in tape.nodes)
            tried = Tried(ends, _raised_in_backward(error), len(tape.nodes), said_of(error))
    if not tried.ends or not met or not tape.nodes:
        return tried
    try:
        steps = next(find_steps(tape))
        meets = bool(steps[0].examples) or not ancestors(tape.numbers).isdisjoint(steps[0].losses)
        met_by = {meeting.node.function for example in steps[0].examples for meeting in example.meetings}
        multiplied = bool(met_by) and met_by <= MULTIPLYING
        return Tried(meets, "", len(tape.nodes), "what it predicts meets no labels", multiplied)
    except NoStep:
        return Tried(False, tried.why, len(tape.nodes), tried.error or "nothing that it makes can be told to be a step")


def _authors_lines(error: BaseException) -> list[tuple[types.CodeType, int]]:
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [(code, line) for code, line in frames if is_authors(code.co_filename)]


def said_of(error: BaseException) -> str:
    """What a call has raised, and at which of the author's lines."""
    text = str(error) if isinstance(error, Unfillable) else f"{type(error).__name__}: {error}".removesuffix(": ")
    lines = [] if isinstance(error, Unfillable) else _authors_lines(error)
    return f"line {lines[-1][1]} of {lines[-1][0].co_filename}: {text}" if lines else text


def _raised_in_backward(error: BaseException) -> str:
    """What is wrong with the author's backward pass, if arrays do not fit together in it, and where."""
    if isinstance(error, Misfit):
        return str(error)
    frames = _authors_lines(error)
    if not isinstance(error, ValueError) or not any(role(code.co_name) in ("backward", "update") for code, _ in frames):
        return ""
    code, line = frames[-1]
    return f"line {line} of {code.co_filename} raises {type(error).__name__}: {error}"


def _worlds(file: File) -> list[World]:
    """What the code may work on: batches before single examples; one output unit first where the file speaks of it."""
    marks = ("> 0.5", ">= 0.5", ">0.5", ">=0.5", "1 - Y", "1-Y", "1 - y", "1-y")
    one_unit = any(mark in file.source for mark in marks) and "argmax" not in file.source
    outputs = (1, SEVERAL) if one_unit else (SEVERAL, 1)
    depth = max([int(k) for k in re.findall(r"\b[Ww](?:eights?_?)?([1-6])\b", file.source)], default=0)
    depths = dict.fromkeys([depth if depth > 1 else 3, 2, 3, 1])
    sizes: list[list[tuple[int, ...]]] = [[(*(7, 5, 4, 6, 5, 4)[:depth], out) for out in outputs] for depth in depths]
    sizes += [[(784, 5, 10)]] if "784" in file.source else []
    for call in (call for name in find_role(file.functions, "init") for call, _ in file.sites.get(name, [])):
        own = tuple(a.value for a in call.args if isinstance(a, ast.Constant) and type(a.value) is int)
        if len(own) == len(call.args) > 1:  # the sizes that the author calls it with
            sizes.insert(0, [own])
    return [
        World(size, layout, labels, form, in_batches=file.goes_in_batches)
        for of_one_depth in sizes
        for form in ("batch", "vector", "example")
        for size in of_one_depth
        for labels in ("one-hot", "integers")
        for layout in ("columns", "rows")
    ]


# --- what trains by itself --------------------------------------------------------------------------------------------


def _computes_gradients(file: File, function: Any) -> bool:
    """Whether a function, or one that it calls, speaks of gradients."""
    reached = file.reached(function)
    speaks = any(role(name) == "backward" or ((read := read_name(name)) and read.gradient) for name in reached)
    return speaks or steps_parameters(function)


def _is_trainer(name: str, function: Any) -> bool:
    """Whether a function is called like what trains; or steps parameters itself and is given examples with labels, and
    is no part of a network by its name."""
    is_step = role(name) in ("update", "no") and takes_data(function) and steps_parameters(function)
    return role(name) == "train" or is_step


def _trainers(file: File, np: types.ModuleType, worlds: list[World]) -> Iterator[Target]:
    """Functions, then classes, that are given examples with labels; and functions that need no arguments."""
    whole = whole_classes(file)
    for owner in (None, *reversed(whole), *(name for name in file.classes if name not in whole)):
        methods = file.methods(owner) if owner else {}
        functions = {n: f for n, f in (methods if owner else file.functions).items() if _is_trainer(n, f)}
        keepers = [n for n, f in methods.items() if takes_data(f) and not _computes_gradients(file, f)]
        for function in first_uncalled(file, {n: f for n, f in functions.items() if isinstance(f, types.FunctionType)}):
            given = takes_data(function) or (owner and "Y" in meant(file.classes[owner], True))
            before = keepers[:1] if not given else []
            has_data = not (given or before)  # if it needs none of ours
            lacks_data = has_data and needs_arguments(function, is_method=owner is not None)
            if lacks_data or not _computes_gradients(file, function):
                continue
            arguments = argument_meanings(function)
            of = f" of class {owner}" if owner else ""
            shown = f"{' and '.join([*before, function.__name__])}({', '.join(arguments)}){of}{OURS * (not has_data)}"
            play = functools.partial(_train, file, np, owner, [*before, function.__name__])
            yield Target(shown, play, worlds[:1] if has_data else worlds, (True,), has_data=has_data)


def _train(file: File, np: types.ModuleType, owner: str | None, names: list[str], world: World, strict: bool) -> None:
    """Calls what trains, the last of these, several times; what keeps the data for it once, before."""
    session = Session(file, np, world)
    root = construct(session, owner) if owner else None
    *before, train = (getattr(root, name) if owner else file.functions[name] for name in names)
    arguments = argument_meanings(train)
    if not owner and any(read_name(name) or means[:1] == ["parameters"] for name, means in arguments.items()):
        initialise(session, None, arguments)
    for keep in before:
        session.call(keep)
    given = containers.parts(session, owner, names[-1]) if owner else {}
    for _ in range(COUNT):
        result = session.call(train, **given)
        if isinstance(result, types.GeneratorType):  # it yields after each epoch
            collections.deque(result, maxlen=0)


def _passes(file: File, np: types.ModuleType, flags: Flags, worlds: list[World]) -> Iterator[Target]:
    found = list(plans(file, flags))
    for k, passes in enumerate(found):
        of = f" of class {passes.owner}" if passes.owner else ""
        names = " and ".join(name for name in passes[1:] if name)
        shown = f"{names}{of}{OURS}"

        def play(world: World, strict: bool, passes: Passes = passes) -> None:
            play_passes(Session(file, np, world), passes, flags, strict)

        followed = not passes.forward and any(other[:2] == passes[:2] for other in found[k + 1 :])
        yield Target(shown, play, worlds, may_be=_squashed_elsewhere(file, passes), followed=followed)


def _squashed_elsewhere(file: File, passes: Passes) -> str:
    """That a program may give its backward pass the softmax of what its forward pass returns: it has one that neither
    of them uses, and a loss that does, or that takes logarithms."""
    functions = {**file.functions, **(file.methods(passes.owner) if passes.owner else {})}
    used = set().union(*(file.reached(functions[name]) for name in passes[1:] if name in functions))
    in_loss = set().union(*(file.reached(loss) for loss in find_role(functions, "loss").values()))
    named = [name for name in functions if re.fullmatch(r"_*(stable_?)?(softmax|sigmoid)", name) and name not in used]
    unused = [name for name in named if {name, "log"} & in_loss]
    return f"right if {passes.backward} is given {unused[0]} of what {passes.forward} returns" if unused else ""
