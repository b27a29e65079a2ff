"""From a file to the report: run the program, find its step in the record, judge it, say where it stands."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author import drivers, facade, lines, places, repair, standins
from jaxnet.compare.author.chains import before_writes
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.judge import Judged, judge, with_teeth
from jaxnet.compare.author.moments import Moment, Trace
from jaxnet.compare.author.program import OutOfTime, Ran, alarm, run, shorten
from jaxnet.compare.author.recorder import current_tape, recording
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.samples import learnt
from jaxnet.compare.author.step import NoStep, Step, find_steps
from jaxnet.compare.author.tape import Another, Enough, Node, Place, Tape, depends, made_of, nodes_in, updates
from jaxnet.compare.author.tree import importers
from jaxnet.compare.report import Report

NODES = 300_000  # that are recorded at most
SHARE = 0.5  # of the time that is left, for one program
NETWORKS = 4  # of one program that are judged at most


class Attempt(NamedTuple):
    """One way of running the author's code that made a step."""

    program: str | None  # what was run, if it is not the file itself
    tape: Tape
    steps: list[Step]
    names: dict[Node, list[str]]
    notes: list[str]
    alone: bool = False  # it is a layer that no network of the file uses
    doubt: str = ""  # why it would be hollow to say that nothing is wrong
    more: bool = False  # the same run trains another network, which is the next attempt


class Found(NamedTuple):
    """A way of running the code, and what was found out about its step."""

    attempt: Attempt
    examined: Examined


def examine(path: Path, root: Path, **flags: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """`verdict` as what JSON can hold, and its arrays."""
    return verdict(path, root, **flags).packed()


def verdict(
    path: Path,
    root: Path,
    *,
    deadline: float | None = None,
    loss: str | None = None,
    mend: float = 0.0,
    **flags: str | None,
) -> Report:
    """The report on a file of the tree below `root`. Raises ValueError, of one line, where there is no verdict.

    `loss` is the name of a loss, or of a function of the file's. `deadline` is a value of `time.monotonic`. The tree is
    a copy that may be changed: weights that the file would load are deleted where it does not train otherwise, and for
    `mend` seconds what is wrong is mended where it can be, and the report says how.
    """
    deadline = time.monotonic() + 48 if deadline is None else deadline
    stated = loss if loss in ("squared-error", "cross-entropy", "binary-cross-entropy") else None
    flags = {**flags, "loss": None if stated else loss}
    (attempt, examined), others = _examined(path, root, deadline, stated, flags)
    report = places.report(examined.judged, path.name, "flag" if stated else None, attempt.program, attempt.notes)
    report = places.with_others(report, others)
    if mend <= 0 or report.verdict == "right":
        return report
    deadline = min(deadline, time.monotonic() + mend)

    def again() -> Examined | None:
        try:
            return _examined(path, root, deadline, stated, flags, only=examined.ordinal)[0].examined
        except ValueError:
            return None

    def moments(of: Examined) -> list[Moment]:
        return _traced(path, root, deadline, flags, of)

    return places.with_mended(report, repair.mend(root, examined, again, moments, deadline))


def _examined(
    path: Path,
    root: Path,
    deadline: float,
    stated: str | None,
    flags: dict[str, str | None],
    only: int | None = None,
) -> tuple[Found, list[tuple[Step, bool]]]:
    """The first way of running the file that has a verdict, or the one with this number; and where it trains several
    networks and none is wrong, the steps of the others, and whether they are right or could not be judged.

    Raises ValueError if there is none: NothingTrains if no way made a step.
    """
    reasons: list[str] = []
    layers: list[Found] = []  # each by itself, and right: all of them must be
    networks: list[Found] = []  # of one run, and right
    beside: list[Step] = []  # of the same run, of which nothing could be said
    trains = unsure = False
    attempts = enumerate(_attempts(path, root, deadline, flags, reasons))
    for ordinal, attempt in itertools.islice(attempts, only or 0, None if only is None else only + 1):
        trains = trains or bool(attempt.steps)
        in_time, judged = True, None
        try:
            with alarm(deadline):
                judged = with_teeth(_best(attempt, stated))
            why = _hollow(attempt, judged)
        except OutOfTime:
            in_time, why = False, "the time was up before it was judged"
        except MemoryError:
            why = "its arrays are too large to be judged"
        except ValueError as error:
            why = str(error)
        if judged is None or why:
            reasons.append(f"{attempt.program or path.name}: {why}")
            unsure = unsure or attempt.alone
            beside += attempt.steps[:1]
        else:
            found = Found(attempt, Examined(judged, attempt.tape, ordinal))
            if judged.wrong or only is not None:
                return found, []
            (layers if attempt.alone else networks).append(found)
        if networks and not (attempt.more and in_time):
            right = [(network.examined.judged.step, True) for network in networks[1:]]
            return networks[0], right + [(step, False) for step in beside]
        if not in_time:
            break
        beside = beside if attempt.more else []
    if layers and not unsure:
        most = max(layers, key=lambda found: len(found.examined.judged.names))
        program = "; ".join(str(found.attempt.program) for found in layers)
        return most._replace(attempt=most.attempt._replace(program=program)), []
    kind = ValueError if trains or time.monotonic() > deadline else NothingTrains
    raise kind(f"no verdict: {'; '.join(dict.fromkeys(reasons)) or 'nothing in it trains'}"[:800])


def _hollow(attempt: Attempt, judged: Judged) -> str:
    """Why a verdict says less than it seems to; "" where it does not."""
    if attempt.alone and (meant := _may_be_meant(judged)):
        return meant
    if judged.teeth is not None and not judged.teeth.shown:
        return "nothing is wrong, but in this step no mistake would show"
    if not judged.wrong and (line := _left_over(attempt.tape, judged.step)):
        return f"nothing is wrong in what could be judged, but what line {line} steps could not"
    if attempt.doubt and not judged.wrong:
        return f"nothing is wrong in what could be run, but {attempt.doubt}"
    return ""


def _left_over(tape: Tape, step: Step) -> int:
    """The line that steps an array of the forward pass by what follows from the labels, and which was not judged."""
    judged = {n for p in step.parameters for n in (p.root, *p.versions, *nodes_in(p.steps))}
    predictions = [example.prediction for example in step.examples]
    forward = made_of(predictions, until=lambda n: n in judged) - step.active
    after = {p.after for p in step.parameters}  # what follows from these is the next forward pass
    first = min((n.number for n in step.labelled), default=0)
    for node in tape.nodes[first : step.last + 1]:
        made = [(base, g) for base, g in updates(node) if g in step.labelled and base in node.parents]
        if node.place is None or any(judged & set(pair) for pair in made) or not forward & {base for base, _ in made}:
            continue
        if not after & made_of(g for _, g in made):
            return node.place.line
    return 0


def _traced(path: Path, root: Path, deadline: float, flags: dict[str, str | None], of: Examined) -> list[Moment]:
    """What could be named in the step, line by line: the same run once more, which must have the same record."""
    step = of.judged.step
    first = min((n.number for n in step.backward), default=0) - 200
    with Trace(current_tape, first, step.last) as trace:
        attempts = _attempts(path, root, deadline, flags, [])
        attempt = next(itertools.islice(attempts, of.ordinal, None), None)
    if attempt is None or any(
        (a.function, a.shape) != (b.function, b.shape)
        for a, b in zip(of.tape.nodes[: step.last + 1], attempt.tape.nodes, strict=False)
    ):
        return []
    return trace.moments


def _best(attempt: Attempt, stated: str | None) -> Judged:
    """The verdict on the first reading of the step under which something can be said; one that is right, if any is."""
    scaled: Judged | None = None
    wrong: Judged | None = None
    problem: ValueError | None = None
    for step in attempt.steps:
        try:
            judged = judge(attempt.tape, step, lines.parameter_names(step, attempt.names), stated)
        except ValueError as error:
            problem = problem or error
            continue
        if judged.wrong:
            wrong = wrong or judged
            if judged.proof == "formula" or (judged.step.examples and judged.truth.loss.name):
                break
        elif not judged.findings:
            # Another step of the same arrays does not acquit one that the program's own loss contradicts.
            return wrong if wrong is not None and _same_reading(wrong, judged) else judged
        else:
            scaled = scaled or judged  # another number of the program may be the loss without that constant
    if scaled is None and wrong is None:
        raise problem or ValueError("no step")
    return scaled or wrong  # type: ignore[return-value]


def _may_be_meant(judged: Judged) -> str:
    """Why what is wrong with a lone layer is none if the loss that it is used with is made for it."""
    if any(f.code == "missing-output-derivative" for f in judged.findings):
        # Softmax with cross-entropy: its loss may give it the error of its scores in the place of its own.
        return "right if it is given ∂loss/∂ what its last activation is applied to"
    if judged.wrong and all(f.code == "wrong-scale" for f in judged.findings):
        return "right but for a constant, which the loss that it is used with may have"
    return ""


def _same_reading(first: Judged, second: Judged) -> bool:
    """Whether two verdicts are on steps of the same arrays, each by a loss of the program's."""
    arrays = [{p.versions[0] for p in judged.step.parameters} for judged in (first, second)]
    return arrays[0] == arrays[1] and all(judged.truth.loss.node is not None for judged in (first, second))


def _attempts(
    path: Path, root: Path, deadline: float, flags: dict[str, str | None], reasons: list[str]
) -> Iterator[Attempt]:
    """The file itself, programs of its tree that use it, and calls of what it has."""
    own: Ran | None = None
    modules: dict[str, Any] = {}
    trained = False  # some program stepped arrays: then its layers are not judged apart from it
    asked = str(path.resolve().relative_to(root.resolve()))
    for file, without in _programs(path, root):
        if time.monotonic() > deadline:
            reasons.append("the time was up")
            return
        tape, watch = _watched(deadline, asked)
        modules, builtins = standins.stand_ins(root, file, facade.modules()["numpy"])
        modules = {**facade.modules(), **modules}
        share = time.monotonic() + SHARE * (deadline - time.monotonic())
        tape.deadline = share
        with recording(tape):
            ran = run(file, root, modules, builtins=builtins, arguments=standins.arguments(file), deadline=share)
        own = own or ran
        trained = trained or (file == path and any(node.steps >= 3 for node in tape.nodes))
        try:
            with alarm(time.monotonic() + SHARE * (deadline - time.monotonic())):
                found = watch.found or _last_look(tape, ran, reasons, file.name)
        except OutOfTime:
            reasons.append(f"{file.name}: the time was up before a step was found in {len(tape.nodes)} operations")
            continue
        if not found:
            continue
        if not _concerns(found[0].steps[0], asked):
            reasons.append(f"{file.name}: its step is made by other files")
            continue
        trained = True
        for network in found:
            more = network is not found[-1]
            program = None if file == path else str(ran.entry)
            yield Attempt(program, tape, network.steps, network.names, [*without, *ran.notes], more=more)
    if own is None:
        return
    yield from _driven(own, modules["numpy"], deadline, flags, reasons, trained)


def _driven(
    own: Ran, numpy: Any, deadline: float, flags: dict[str, str | None], reasons: list[str], trained: bool
) -> Iterator[Attempt]:
    """Calls of what the file has defined."""
    tried = drivers.drive(own.namespace, numpy, lambda: time.monotonic() > deadline, **flags)
    while True:
        tape, watch = _watched(deadline)
        description = "calls of what it defines"
        attempt = None
        try:
            with own.started, alarm(deadline):
                attempt = next(tried, None)
                if attempt is None or (attempt.alone and trained):
                    return
                description = attempt.description
                with recording(tape):
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
        found = watch.found or _last_look(tape, None, reasons, description)
        if found or attempt.alone:
            # A network's layers are not judged apart from it.
            trained = trained or not attempt.alone
            steps, names = found[0] if found else ([], {})
            yield Attempt(description, tape, steps, names, own.notes, attempt.alone, attempt.doubt)


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


class Network(NamedTuple):
    """The ways to read the step of a network, and the names that its arrays had then."""

    steps: list[Step]
    names: dict[Node, list[str]]


class _Watch:
    """Looks for steps while the program runs: of each network of the file that is asked for, told apart by the lines
    that make its step. Where no file is asked for, the first ends the run."""

    def __init__(self, tape: Tape, asked: str):
        self.tape, self.asked = tape, asked
        self.found: list[Network] = []
        self.lines: set[Place | None] = set()  # that make the steps that have been found
        self.began = time.monotonic()
        self.next_look = 0

    def __call__(self, node: Node) -> None:
        if len(self.tape.nodes) < self.next_look:
            return
        made = [(base, step) for base, step in updates(node) if isinstance(step, Node)]
        # A row that is stepped may be as it was before any other one was.
        whole = [(step, list(before_writes(base))[-1]) for base, step in made]
        if not any(depends(step, base) for step, base in whole) and not any(_is_zero(step) for step, _ in whole):
            self.next_look = int(1.05 * len(self.tape.nodes))  # a look at the values takes long
            return
        try:
            steps = find_steps(self.tape)
        except NoStep:
            steps = []
        if not steps or not (steps[0].stale or any(len(p.versions) > 3 for p in steps[0].parameters)):
            self.next_look = int(1.25 * len(self.tape.nodes)) + 20
            return
        if self.asked and not _concerns(steps[0], self.asked):
            self._forget()
            raise Another("it trains what was not asked for")
        lines_of_it = {n.place for n in (*steps[0].backward, *(p.after for p in steps[0].parameters))}
        if not lines_of_it <= self.lines:
            self.found.append(Network(steps, lines.names_in_frames(sys._getframe(1))))
            self.lines |= lines_of_it
        if not self.asked or len(self.found) == NETWORKS:
            raise Enough
        if len(self.found) == 1:  # what else there is may take as long as this did
            rest = max(3.0, time.monotonic() - self.began)
            self.tape.deadline = min(self.tape.deadline, time.monotonic() + rest)
            shorten(rest)
        self._forget()
        raise Another

    def _forget(self) -> None:
        for seen in self.tape.nodes:
            seen.steps = 0
        self.next_look = 0


def _is_zero(node: Node) -> bool:
    """Whether the array was all zeros when the program ran."""
    return not any(node.sample or ()) and not np.asarray(Values()(node)).any()


def _watched(deadline: float, asked: str = "") -> tuple[Tape, Any]:
    tape = Tape(NODES, deadline)
    watch = _Watch(tape, asked)
    tape.on_step = watch
    return tape, watch


def _last_look(tape: Tape, ran: Ran | None, reasons: list[str], name: str) -> list[Network]:
    """The step of a program that ended before it had made three."""
    try:
        steps = find_steps(tape)
    except NoStep as error:
        reasons.append(f"{name}: {error}" + (f" ({ran.notes[0]})" if ran is not None and ran.notes else ""))
        return []
    names: dict[Node, list[str]] = {}
    if ran is not None:
        with recording(tape):
            lines.names_in(ran.namespace, names)
    return [Network(steps, names)]


def _concerns(step: Step, asked: str) -> bool:
    """Whether the asked file has a part in the step; where nothing was computed for it, in what is stepped."""
    nodes = [p.before for p in step.parameters] if step.stale else [*step.backward, *step.forward]
    return any(place.file.partition("#")[0] == asked for node in nodes for place in node.places)
