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
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.judge import Judged, judge, with_teeth
from jaxnet.compare.author.moments import Moment, Trace
from jaxnet.compare.author.program import OutOfTime, Ran, alarm, run
from jaxnet.compare.author.recorder import current_tape, recording
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import NoStep, Step, find_steps
from jaxnet.compare.author.tape import Another, Enough, Node, Tape, depends, updates
from jaxnet.compare.author.tree import importers
from jaxnet.compare.report import Report

NODES = 300_000  # that are recorded at most
SHARE = 0.5  # of the time that is left, for one program


class Attempt(NamedTuple):
    """One way of running the author's code that made a step."""

    program: str | None  # what was run, if it is not the file itself
    tape: Tape
    steps: list[Step]
    names: dict[Node, list[str]]
    notes: list[str]
    alone: bool = False  # it is a layer that no network of the file uses
    doubt: str = ""  # why it would be hollow to say that nothing is wrong


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

    `loss` is the name of a loss, or of a function of the file's. `deadline` is a value of `time.monotonic`. For
    `mend` seconds what is wrong is mended where it can be: files below `root` are changed, and the report says how.
    """
    deadline = time.monotonic() + 48 if deadline is None else deadline
    stated = loss if loss in ("squared-error", "cross-entropy", "binary-cross-entropy") else None
    flags = {**flags, "loss": None if stated else loss}
    attempt, examined = _examined(path, root, deadline, stated, flags)
    report = places.report(examined.judged, path.name, "flag" if stated else None, attempt.program, attempt.notes)
    if mend <= 0 or report.verdict == "right":
        return report
    deadline = min(deadline, time.monotonic() + mend)

    def again() -> Examined | None:
        try:
            return _examined(path, root, deadline, stated, flags, only=examined.ordinal)[1]
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
) -> tuple[Attempt, Examined]:
    """The first way of running the file that has a verdict, or the one with this number.

    Raises ValueError if there is none: NothingTrains if no way made a step.
    """
    reasons: list[str] = []
    layers: list[tuple[Attempt, Examined]] = []  # each by itself, and right: all of them must be
    trains = unsure = False
    attempts = enumerate(_attempts(path, root, deadline, flags, reasons))
    for ordinal, attempt in itertools.islice(attempts, only or 0, None if only is None else only + 1):
        trains = trains or bool(attempt.steps)
        try:
            with alarm(deadline):
                found = attempt, Examined(with_teeth(_best(attempt, stated)), attempt.tape, ordinal)
        except OutOfTime:
            reasons.append(f"{attempt.program or path.name}: the time was up before it was judged")
            break
        except ValueError as error:
            reasons.append(f"{attempt.program or path.name}: {error}")
            unsure = unsure or attempt.alone
            continue
        if attempt.alone and (meant := _may_be_meant(found[1].judged)):
            reasons.append(f"{attempt.program}: {meant}")
            unsure = True
            continue
        if (teeth := found[1].judged.teeth) is not None and not teeth.shown:
            reasons.append(f"{attempt.program or path.name}: nothing is wrong, but in this step no mistake would show")
            unsure = unsure or attempt.alone
            continue
        if found[1].judged.wrong or only is not None or not (attempt.alone or attempt.doubt):
            return found
        if attempt.doubt:
            reasons.append(f"{attempt.program}: nothing is wrong in what could be run, but {attempt.doubt}")
            unsure = unsure or attempt.alone
        else:
            layers.append(found)
    if layers and not unsure:
        most = max(layers, key=lambda found: len(found[1].judged.names))
        return most[0]._replace(program="; ".join(str(attempt.program) for attempt, _ in layers)), most[1]
    kind = ValueError if trains or time.monotonic() > deadline else NothingTrains
    raise kind(f"no verdict: {'; '.join(dict.fromkeys(reasons)) or 'nothing in it trains'}"[:800])


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
    for file in _programs(path, root):
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
            with alarm(deadline):
                found = watch.steps or _last_look(tape, ran, watch, reasons, file.name)
        except OutOfTime:
            reasons.append(f"{file.name}: the time was up before a step was found in {len(tape.nodes)} operations")
            return
        if not found:
            continue
        if not _concerns(found[0], asked):
            reasons.append(f"{file.name}: its step is made by other files")
            continue
        trained = True
        yield Attempt(None if file == path else str(ran.entry), tape, found, watch.names, ran.notes)
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
        found = watch.steps or _last_look(tape, None, watch, reasons, description)
        if found or attempt.alone:
            # A network's layers are not judged apart from it.
            trained = trained or not attempt.alone
            yield Attempt(description, tape, found, watch.names, own.notes, attempt.alone, attempt.doubt)


def _programs(path: Path, root: Path) -> Iterator[Path]:
    yield path
    yield from importers(path, root)


class _Watch:
    """Looks for the step while the program runs, and ends it when there is one of the file that is asked for."""

    def __init__(self, tape: Tape, asked: str):
        self.tape, self.asked = tape, asked
        self.steps: list[Step] = []
        self.names: dict[Node, list[str]] = {}
        self.next_look = 0

    def __call__(self, node: Node) -> None:
        if len(self.tape.nodes) < self.next_look:
            return
        made = [(base, step) for base, step in updates(node) if isinstance(step, Node)]
        if not any(depends(step, base) for base, step in made) and not any(_is_zero(step) for _, step in made):
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
            for seen in self.tape.nodes:
                seen.steps = 0
            self.next_look = 0
            raise Another
        self.steps = steps
        self.names = lines.names_in_frames(sys._getframe(1))
        raise Enough


def _is_zero(node: Node) -> bool:
    """Whether the array was all zeros when the program ran."""
    return not any(node.sample or ()) and not np.asarray(Values()(node)).any()


def _watched(deadline: float, asked: str = "") -> tuple[Tape, Any]:
    tape = Tape(NODES, deadline)
    watch = _Watch(tape, asked)
    tape.on_step = watch
    return tape, watch


def _last_look(tape: Tape, ran: Ran | None, watch: Any, reasons: list[str], name: str) -> list[Step]:
    """The step of a program that ended before it had made three."""
    try:
        steps = find_steps(tape)
    except NoStep as error:
        reasons.append(f"{name}: {error}" + (f" ({ran.notes[0]})" if ran is not None and ran.notes else ""))
        return []
    if ran is not None:
        with recording(tape):
            lines.names_in(ran.namespace, watch.names)
    return steps


def _concerns(step: Step, asked: str) -> bool:
    """Whether the asked file has a part in the step; where nothing was computed for it, in what is stepped."""
    nodes = [p.before for p in step.parameters] if step.stale else [*step.backward, *step.forward]
    return any(place.file.partition("#")[0] == asked for node in nodes for place in node.places)
