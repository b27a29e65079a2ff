"""The ways to run an author's code: the file itself, programs of its tree that use it, and calls of what it has."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.compare.author import drivers, facade, standins
from jaxnet.compare.author.program import OutOfTime, Ran, alarm, run
from jaxnet.compare.author.recorder import recording
from jaxnet.compare.author.samples import FIRST_GUESS, Guess, Samples, learnt
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Enough, Node, Tape
from jaxnet.compare.author.tree import importers
from jaxnet.compare.author.watch import Watch, concerns

DEFINING = 2  # files that use the asked one and define things only, whose functions are called
SHARE = 0.5  # of the time that is left, for one program
NOISE = ", on pictures with a little noise: where one is blank, several numbers are the largest"


class Attempt(NamedTuple):
    """One way of running the author's code that made a step."""

    program: str | None  # what was run, if it is not the file itself
    tape: Tape
    steps: list[Step]
    names: dict[Node, list[str]]
    notes: list[str]
    called: bool = False  # functions of the file were called with data of ours
    alone: bool = False  # it is a layer that no network of the file uses
    doubt: str = ""  # why it would be hollow to say that nothing is wrong
    more: bool = False  # the same run trains another network, which is the next attempt
    networks: int = 1  # that the same run trains
    key: tuple = ()  # of what was called, which it was
    beside: tuple[Parameter, ...] = ()  # of other parts of the same network, which are judged by themselves
    trained: frozenset[Node] = frozenset()  # the versions of all arrays of all networks of that run
    unread: bool = False  # the program itself trains something, by what could not be read
    made_up: tuple[str, ...] = ()  # files that the program reads, and that are missing
    guessed: bool = False  # the shape of labels was guessed: one attempt has it in one way, the next one in the other


def attempts(
    path: Path,
    root: Path,
    deadline: float,
    flags: dict[str, str | None],
    reasons: list[str],
    noise: bool = False,
    key: tuple = (),
) -> Iterator[Attempt]:
    """The file itself, programs of its tree that use it, and calls of what it has, or only the one with this `key`.
    With `noise`, on pictures no part of which is blank."""
    own: Ran | None = None
    record: Tape | None = None  # of the file itself
    numpy: Any = None
    trained = False  # some program stepped arrays: then its layers are not judged apart from it
    unread = False  # it trains something, by what could not be read
    elsewhere = ""  # a program that uses the file, and trains what it has no part in
    asked = str(path.resolve().relative_to(root.resolve()))
    for file, without in _programs(path, root):
        guesses = [FIRST_GUESS._replace(noise=noise)]
        for guess in guesses:  # others are found meanwhile
            if time.monotonic() > deadline:
                reasons.append("the time was up")
                return
            watch = Watch(deadline, asked)
            start, numpy, samples = _ready(file, root, guess)
            watch.tape.deadline = share = time.monotonic() + SHARE * (deadline - time.monotonic())
            with recording(watch.tape):
                ran = start(deadline=share)
            watch.tape.is_cut |= not ran.in_time
            own, record, guessed = own or ran, record or watch.tape, samples.guessed
            if (told := guess.told_by(ran.notes, samples)) is not None:
                guesses.append(told)
            elif guessed and not (guess.columns or guess.one_hot):
                guesses.append(guess._replace(columns=True))
            elsewhere = elsewhere or (file.name if watch.elsewhere else "")
            trained = trained or (file == path and any(node.steps >= 3 for node in watch.tape.nodes))
            try:
                with alarm(time.monotonic() + SHARE * (deadline - time.monotonic())):
                    found = watch.networks(ran, reasons, file.name)
            except OutOfTime:
                count = len(watch.tape.nodes)
                reasons.append(f"{file.name}: the time was up before a step was found in {count} operations")
                continue
            unread = unread or (file == path and watch.unread)
            if not found:
                continue
            if not concerns(found[0].steps[0], asked):
                reasons.append(f"{file.name}: its step is made by other files")
                continue
            trained = True
            notes = [*without, *guess.notes(), *ran.notes]
            stepped = {v for network in found for p in network.steps[0].parameters for v in p.versions}
            for network in found:
                more = network is not found[-1]
                program = f"{ran.entry}{NOISE}" if noise else None if file == path else str(ran.entry)
                yield Attempt(
                    program, watch.tape, network.steps, network.names, notes,
                    more=more, networks=len(found), trained=frozenset(stepped), made_up=tuple(samples.made_up),
                    guessed=guessed,
                )  # fmt: skip
    if own is None or record is None:
        return
    silent = own.entered - {place.function for node in record.nodes for place in node.places}
    doubt = f"{elsewhere}, which uses it, trains what it has no part in" if elsewhere else ""
    for attempt in _driven(own, numpy, deadline, flags, reasons, trained, key, silent, doubt):
        yield attempt._replace(unread=unread)
    for file in importers(path, root, DEFINING, defining=True):  # a network of this file's layers, perhaps
        start, numpy, _ = _ready(file, root)
        yield from _driven(start(deadline=deadline), numpy, deadline, flags, reasons, True, key, silent, asked=asked)


def _ready(file: Path, root: Path, guess: Guess = FIRST_GUESS) -> tuple[Callable[..., Ran], Any, Samples]:
    """The run of a program with all that stands in for what it needs, the NumPy that it has, and its samples."""
    recorded = facade.modules()
    modules, builtins, samples = standins.stand_ins(root, file, recorded["numpy"], guess)
    modules, arguments = {**recorded, **modules}, standins.arguments(file, root)
    return (
        functools.partial(run, file, root, modules, builtins=builtins, arguments=arguments),
        modules["numpy"],
        samples,
    )


def _driven(
    own: Ran,
    numpy: Any,
    deadline: float,
    flags: dict[str, str | None],
    reasons: list[str],
    trained: bool,
    key: tuple,
    silent: set[str],
    doubt_of_layers: str = "",
    asked: str = "",
) -> Iterator[Attempt]:
    """Calls of what a file has defined, or the one with this `key`; if `asked` is a file, it must make the steps. What
    the program itself has called, and is on no record since it computes with plain numbers, is `silent`: nobody knows
    how to call it with arrays."""
    entry = str(own.entry)
    if key[:1] not in ((), (entry,)):
        return
    tried = drivers.drive(own.namespace, numpy, lambda: time.monotonic() > deadline, key[1:], silent, **flags)
    while True:
        watch = Watch(deadline)
        description, attempt = "calls of what it defines", None
        try:
            with own.started(), alarm(deadline):
                attempt = next(tried, None)
                if attempt is None or (attempt.alone and trained):
                    return
                description = attempt.description + (f" ({entry})" if asked else "")
                with recording(watch.tape):
                    attempt.call()
        except Enough:
            pass
        except OutOfTime:
            reasons.append(f"{description}: the time was up")
            return
        except Exception as error:
            reasons.append(f"{description}: {type(error).__name__}: {error}"[:150])
        if attempt is None:  # the program's folder has gone
            return
        found = watch.networks(None, reasons, description)
        if asked and found and not concerns(found[0].steps[0], asked):
            continue
        if found or attempt.alone:
            # A network's layers are not judged apart from it.
            trained = trained or not attempt.alone
            steps, names = found[0] if found else ([], {})
            doubt = attempt.doubt or (doubt_of_layers if attempt.alone else "")
            if attempt.alone and own.notes:  # what trains may be another layer's, of another file
                doubt = doubt or f"the program itself was not run to its end ({own.notes[0]})"
            yield Attempt(
                description, watch.tape, steps, names, own.notes, True, attempt.alone, doubt, key=(entry, *attempt.key)
            )


def _programs(path: Path, root: Path) -> Iterator[tuple[Path, list[str]]]:
    """The file; the same without the weights that an earlier run of it left, which it would load instead of training,
    and a note of that; other programs that use it."""
    kept = learnt(path, root)
    yield path, []
    for file in kept:
        file.unlink(missing_ok=True)
    if kept:
        yield path, [f"run without {', '.join(file.name for file in kept)}, which it would load instead of training"]
    yield from ((program, []) for program in importers(path, root))
