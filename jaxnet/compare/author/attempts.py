"""The ways to run an author's code: the file itself, programs of its tree that use it, and calls of what it has."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jaxnet.compare.author import drivers, facade, standins
from jaxnet.compare.author.drivers import Call
from jaxnet.compare.author.node import Instruction, Node
from jaxnet.compare.author.program import OutOfTime, Ran, alarm, run
from jaxnet.compare.author.reasons import BREAKS_OFF, LATE, TOO_LARGE, TRAINS, TRAINS_NOTHING, Reason
from jaxnet.compare.author.recorder import is_stepped_unseen, recording
from jaxnet.compare.author.samples import FIRST_GUESS, Guess, Samples, learnt, said_of_missing
from jaxnet.compare.author.stated import Stated
from jaxnet.compare.author.statements import execution_counts
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import NOTHING_PLANTED, Enough, Planted, Tape
from jaxnet.compare.author.tree import importers
from jaxnet.compare.author.watch import Watch, concerns
from jaxnet.compare.report import some

DEFINING = 2  # files that use the asked one and define things only, whose functions are called
ROOM = 2.5e8  # numbers of a step: each draw has all of them
SHARE = 0.5  # of the time that is left, for one program …
OF_OTHERS = 1 / 3  # … that is not the file itself, whose functions may have to be called in the end
NOTHING_TO_CALL = "no forward pass with its backward pass was found in what it defines"
NOISE = ", on pictures with a little noise: where one is blank, several numbers are the largest"


NOT_CALLED = Call("", lambda: None)  # the program itself was run


class Way(NamedTuple):
    """Which way of running the code it is, by which it can be run once more."""

    file: Path  # relative to the root of the tree
    guess: Guess = FIRST_GUESS
    call: tuple = ()  # of what the file has defined …
    silent: frozenset[str] = frozenset()  # … without these
    states: frozenset[Instruction] = frozenset()  # instructions that step what is no parameter
    loss: Stated | None = None  # is run as well


class Attempt(NamedTuple):
    """One way of running the author's code that made a step."""

    program: str | None  # what was run, if it is not the file itself
    tape: Tape
    steps: list[Step]
    names: dict[Node, list[str]]
    notes: list[str]  # what of the program was left out
    way: Way
    call: Call = NOT_CALLED  # of functions of the file, with data of ours
    networks: int = 1  # that the same run trains …
    ordinal: int = 0  # … and which of them this is
    trained: frozenset[Node] = frozenset()  # the versions of all arrays of all networks of that run
    unread: bool = False  # the program itself trains something, by what could not be read
    made_up: tuple[str, ...] = ()  # files that the program reads, and that are missing
    raised: frozenset[tuple[str, int]] = frozenset()  # lines at which it broke off, before a training was ended early
    guessed: bool = False  # the shape of labels was guessed: one attempt has it in one way, the next one in the other
    given: tuple[str, ...] = ()  # what it was run with that is not its own
    near: float = 0.0  # how far at most it is judged from the numbers that it had, as a share of them; 0 for anywhere
    strangers: Mapping[str, str] = MappingProxyType({})  # modules that may be another project's, and their files
    off_by_sizes: bool = False  # it is run with smaller numbers, some of which stand elsewhere as they were
    can_be_smaller: bool = False  # where it is too large, or takes too long, it is run once more with fewer numbers

    @property
    def called(self) -> bool:
        return self.call is not NOT_CALLED

    @property
    def more(self) -> bool:
        """Whether the same run trains another network, which is the next attempt; or another function of the kind that
        was called is."""
        return self.call.followed or self.ordinal < self.networks - 1


def attempts(
    path: Path, root: Path, deadline: float, flags: dict[str, str | None], reasons: list[Reason], noise: bool = False
) -> Iterator[Attempt]:
    """The file itself, programs of its tree that use it, and calls of what it has. With `noise`, on pictures no part of
    which is blank."""
    own: Ran | None = None
    recorded: set[str] = set()  # functions of the file itself that are on its record
    numpy: Any = None
    trained = False  # some program stepped arrays: then its layers are not judged apart from it
    unread = False  # it trains something, by what could not be read
    elsewhere = ""  # a program that uses the file, and trains what it has no part in
    tried_smaller = False  # some program
    asked, first_guess = _within(root, path), FIRST_GUESS._replace(noise=noise)
    for file, without in _programs(path, root):
        guesses = [first_guess]
        for guess in guesses:  # others are found meanwhile
            if time.monotonic() > deadline:
                reasons.append(Reason(file.name, LATE, BREAKS_OFF))
                return
            watch, way = Watch(deadline, asked, whole=guess.whole), Way(Path(_within(root, file)), guess)
            ran, numpy, samples = _run(way, root, watch)
            if own is None:
                own, recorded = ran, {place.function for node in watch.tape.nodes for place in node.places}
            if is_stepped_unseen(watch.tape) and not guess.whole:
                guesses.append(guess._replace(whole=True))
                continue
            if (told := guess.told_by(ran.notes, samples)) is not None:
                guesses.append(told)
            elif samples.guessed and not guess.one_hot:
                guesses.append(guess._replace(columns=not guess.columns, one_hot=guess.columns))
            elsewhere = elsewhere or (file.name if watch.elsewhere else "")
            before, found = len(reasons), list(_networks(way, watch, ran, samples, reasons))
            if not found and not guess.by_counts and _lacks_what_comes_later(file, ran.notes):
                guesses.append(guess._replace(by_counts=True))
            fewer = [guess._replace(few_rows=True)] * (bool(samples.long) and not guess.few_rows)
            fewer += [guess._replace(smaller=True)] * (bool(ran.fewer) and not guess.smaller)
            can_be_smaller = bool(fewer) and (file == path or not tried_smaller)
            if can_be_smaller and any(map(_is_large, found)):
                reasons.append(Reason(file.name, TOO_LARGE, BREAKS_OFF, too_much=True))
                found = []
            for attempt in found:
                trained = True
                program = attempt.program if noise or file != path else None
                given = (*without, *attempt.given)
                yield attempt._replace(program=program, given=given, can_be_smaller=can_be_smaller)
            if can_be_smaller and any(reason.too_much for reason in reasons[before:]):
                tried_smaller = True
                guesses.append(fewer[0])
                continue
            unread = unread or (file == path and watch.unread)
            trained = trained or unread
    if own is None:
        return
    silent = frozenset(own.entered.keys() - recorded - own.broken)
    way = Way(own.entry, first_guess, (), silent)
    doubt = f"{elsewhere}, which uses it, trains what it has no part in" if elsewhere else ""
    for attempt in _driven(way, root, own, numpy, deadline, flags, reasons, trained, doubt):
        yield attempt._replace(unread=unread)
    for file in importers(path, root, DEFINING, defining=True):  # a network of this file's layers, perhaps
        start, numpy, _ = _ready(file, root)
        ran = start(deadline=deadline)
        yield from _driven(way._replace(file=ran.entry), root, ran, numpy, deadline, flags, reasons, True, asked=asked)


def once_more(
    path: Path, root: Path, deadline: float, flags: dict[str, str | None], way: Way, planted: Planted = NOTHING_PLANTED
) -> list[Attempt]:
    """A way of running the code, once more: the networks that it trains. Where numbers are planted, it is run up to
    where these end, and there is only its record."""
    asked, file = _within(root, path), root / way.file
    if not way.call:
        watch = Watch(deadline, asked, planted, way.states, way.guess.whole)
        ran, _, samples = _run(way, root, watch)
        return list(_networks(way, watch, ran, samples, []))
    if file == path:
        ran, numpy, _ = _run(way, root, Watch(deadline, asked, whole=way.guess.whole))
    else:
        start, numpy, _ = _ready(file, root, loss=way.loss)
        ran = start(deadline=deadline)
    return list(_driven(way, root, ran, numpy, deadline, flags, [], False, planted=planted))


def _within(root: Path, file: Path) -> str:
    return str(file.resolve().relative_to(root.resolve()))


def _run(way: Way, root: Path, watch: Watch) -> tuple[Ran, Any, Samples]:
    """Runs a program; the NumPy that it had, and its samples."""
    start, numpy, samples = _ready(root / way.file, root, way.guess, way.loss)
    deadline = watch.tape.deadline
    part = SHARE if str(way.file) == watch.asked else OF_OTHERS
    watch.tape.deadline = share = time.monotonic() + part * (deadline - time.monotonic())
    with recording(watch.tape):
        ran = start(deadline=share)
    watch.tape.is_cut |= not ran.in_time
    return ran, numpy, samples


def _networks(way: Way, watch: Watch, ran: Ran, samples: Samples, reasons: list[Reason]) -> Iterator[Attempt]:
    """What a program has trained."""
    name, notes, given = way.file.name, ran.notes, way.guess.notes()
    fewer = (ran.fewer if way.guess.smaller else {}) | (samples.long if way.guess.few_rows else {})
    if fewer:
        sizes = ", ".join(f"{name} {number}" for name, number in fewer.items())
        given = [f"run with {sizes}: with its own numbers it is too large, or too slow, to be judged", *given]
    program = f"{ran.entry}{NOISE if way.guess.noise else ''}"
    if watch.tape.planted.numbers:
        yield Attempt(program, watch.tape, [], {}, notes, way)
        return
    try:
        with alarm(time.monotonic() + SHARE * (watch.deadline - time.monotonic())):
            found = watch.networks(ran, reasons, name)
    except OutOfTime:
        why = f"{LATE} before a step was found in {len(watch.tape.nodes)} operations"
        reasons.append(Reason(name, why, BREAKS_OFF, too_much=True))
        watch.unread = True
        return
    if not found and reasons:  # an error may be one of the data, which are not the author's
        why = "; ".join([reasons[-1].why, *said_of_missing(samples.made_up, samples.inert)])
        reasons[-1] = reasons[-1]._replace(why=why)
    if found and not concerns(found[0].steps[0], watch.asked):
        reasons.append(Reason(name, "its step is made by other files", TRAINS))
        return
    stepped = _goes_on({v for network in found for p in network.steps[0].parameters for v in p.versions}, watch.tape)
    for ordinal, network in enumerate(found):
        yield Attempt(
            program, watch.tape, network.steps, network.names, notes, way,
            networks=len(found), ordinal=ordinal, trained=stepped, made_up=tuple(samples.made_up),
            guessed=samples.guessed, raised=ran.raised, given=tuple(given),
            strangers=ran.strangers, off_by_sizes=way.guess.smaller and not ran.fewer_alone,
        )  # fmt: skip


def _goes_on(versions: set[Node], tape: Tape) -> frozenset[Node]:
    """The versions of arrays, and what the same lines have stepped them to where a record was ended early."""
    lines = {version.instruction for version in versions if version.updates}
    for node in tape.nodes:
        if node.instruction in lines and any(base in versions for base, _ in node.updates):
            versions.add(node)
    return frozenset(versions)


def _is_large(attempt: Attempt) -> bool:
    """Whether a step has more numbers than there is room for."""
    return sum(node.size for node in attempt.steps[0].active | attempt.steps[0].labelled) > ROOM


def _lacks_what_comes_later(file: Path, notes: list[str]) -> bool:
    """Whether a notebook's cells were run in another order than they stand in, in which they know no name."""
    unknown = file.suffix == ".ipynb" and any("NameError: name '" in note for note in notes)
    return unknown and file.is_file() and bool(execution_counts(file.read_bytes()))


def _ready(
    file: Path, root: Path, guess: Guess = FIRST_GUESS, loss: Stated | None = None
) -> tuple[Callable[..., Ran], Any, Samples]:
    """The run of a program with all that stands in for what it needs, the NumPy that it has, and its samples."""
    recorded = facade.modules()
    modules, builtins, samples = standins.stand_ins(root, file, recorded["numpy"], guess)
    modules, arguments = {**recorded, **modules}, standins.arguments(file, root)
    how = {"builtins": builtins, "arguments": arguments, "python2": guess.python2, "smaller": guess.smaller}
    how |= {"examples": samples.fewer, "by_counts": guess.by_counts, "loss": loss}
    return functools.partial(run, file, root, modules, **how), modules["numpy"], samples


def _driven(
    way: Way,
    root: Path,
    own: Ran,
    numpy: Any,
    deadline: float,
    flags: dict[str, str | None],
    reasons: list[Reason],
    trained: bool,
    doubt_of_layers: str = "",
    asked: str = "",
    planted: Planted = NOTHING_PLANTED,
) -> Iterator[Attempt]:
    """Calls of what a file has defined, or the one that the `way` tells; if `asked` is a file, it must make the steps.
    What the program itself has called, and is on no record since it computes with plain numbers, is `silent`: nobody
    knows how to call it with arrays."""
    failed: dict[str, str] = {}
    file = root / way.file

    def others() -> list[Path]:
        return [*importers(file, root), *importers(file, root, DEFINING, defining=True)]

    ours: set[str] = set()  # the classes that have a part in a network that was put together here
    tried = drivers.drive(
        own.namespace,
        numpy,
        lambda: time.monotonic() > deadline,
        way.call,
        way.silent,
        failed,
        own.entered,
        others,
        own.beside,
        **flags,
    )
    while True:
        watch = Watch(deadline, planted=planted, states=way.states)
        description, call = "calls of what it defines", None
        try:
            with own.started(), alarm(deadline):
                call = next(tried, None)
                if call is None or (call.alone and trained and not ours):
                    reasons += [Reason(f"{what} cannot be called", why, BREAKS_OFF) for what, why in failed.items()]
                    if not trained and not failed:
                        reasons.append(Reason(own.entry.name, NOTHING_TO_CALL, TRAINS_NOTHING))
                    return
                description = call.description + (f" ({own.entry})" if asked else "")
                with recording(watch.tape):
                    call.run()
        except Enough:
            pass
        except OutOfTime:
            reasons.append(Reason(description, LATE, BREAKS_OFF))
            return
        except (Exception, SystemExit) as error:  # a class ends the process where an option is unknown to it
            reasons.append(Reason(description, drivers.said_of(error)[:150], BREAKS_OFF))
        if call is None:  # the program's folder has gone
            return
        if options := watch.tape.options:
            given = [f"{name} {value}" for name, value in options.items()]
            description += f", with {', '.join(given)}"
        this = way._replace(call=call.key)
        if ours and not (call.alone and _owners(watch.tape) - ours):
            continue
        if planted.numbers:
            yield Attempt(description, watch.tape, [], {}, own.notes, this)
            return
        found = watch.networks(None, reasons, description)
        if asked and found and not concerns(found[0].steps[0], asked):
            continue
        if found or call.alone:
            # A network's layers are not judged apart from it; but what is in none that was put together here is.
            trained = trained or not call.alone
            ours = _owners(watch.tape) if watch.tape.put_together and found else ours
            steps, names = found[0] if found else ([], {})
            doubt = call.doubt or (doubt_of_layers if call.alone else "")
            if call.alone and own.notes:  # what trains may be another layer's, of another file
                doubt = doubt or f"the program itself was not run to its end ({own.notes[0]})"
            call = call._replace(doubt=doubt, followed=call.followed or bool(ours))
            yield Attempt(description, watch.tape, steps, names, own.notes, this, call, strangers=own.strangers)


def _owners(tape: Tape) -> set[str]:
    """The classes whose methods were run."""
    return {node.place.owner for node in tape.nodes if node.place is not None}


def _programs(path: Path, root: Path) -> Iterator[tuple[Path, list[str]]]:
    """The file, and then other programs that use it."""
    yield from _with_and_without_weights(path, root)
    for program in importers(path, root):
        yield from _with_and_without_weights(program, root)


def _with_and_without_weights(program: Path, root: Path) -> Iterator[tuple[Path, list[str]]]:
    """A program; and the same without the weights that an earlier run of it left, which it would load instead of
    training, and a note of that."""
    kept = learnt(program, root)
    yield program, []
    for file in kept:
        file.unlink(missing_ok=True)
    if kept:
        yield program, [f"run without {some([file.name for file in kept])}, which it would load instead of training"]
