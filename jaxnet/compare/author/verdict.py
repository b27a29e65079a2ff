"""From a file to the report: run the program, find its step in the record, judge it, say where it stands."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author import places, repair
from jaxnet.compare.author.attempts import Attempt, Way, attempts, once_more
from jaxnet.compare.author.edits import file_and_cell
from jaxnet.compare.author.idle import branches_not_run, idle_in, steps_not_taken
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.judged import Judged, Tied
from jaxnet.compare.author.lines import where
from jaxnet.compare.author.moments import Moment, Trace
from jaxnet.compare.author.node import Instruction
from jaxnet.compare.author.outcome import Outcome, outcome_of
from jaxnet.compare.author.program import OutOfTime, alarm
from jaxnet.compare.author.reasons import IS_JUDGED, TRAINS, Reason, told
from jaxnet.compare.author.recorder import current_tape
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.states import states_of
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Planted
from jaxnet.compare.author.witness import planted_for, strayed
from jaxnet.compare.report import Report


class Found(NamedTuple):
    """A way of running the code, and what was found out about its step."""

    attempt: Attempt
    examined: Examined
    sent_back: Judged | None  # as in Outcome
    idle: tuple[str, ...]  # backward passes of the file that have no part in it


NO_ANSWER = "nothing is wrong in it, but that is no answer to what the program itself does"
CARRIED_ON = "what is stepped is carried on by a forward pass that begins anew, and nothing else was found that trains"
SEVERAL = "run with one output; with several the gradient of {} would be wrong"
SMALLER = "with smaller sizes the gradient of {} would be wrong, as they may make it, and with its own it is too large"
NEAR = 0.1, 1e-3  # how far from a program's own numbers, as a share of them, others may be
FURTHER = 10.0  # seconds after which no further program is run for what a first one leaves out


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
    try:
        found, others = _examined(path, root, deadline, stated, flags)
    except Tied:
        found, others = _examined(path, root, deadline, stated, flags, noise=True)
    attempt, examined, sent_back, idle = found
    report = places.report(examined.judged, path.name, "flag" if stated else None, attempt)
    if report.verdict != "wrong":
        right = [examined.judged.step, *(step for step, why in others if not why)]
        report = report._replace(
            idle=[*idle, *steps_not_taken(path, root, examined.judged.step), *branches_not_run(path, root, right)]
        )
    report = places.with_others(report, others)
    report = places.with_sent_back(report, sent_back) if sent_back is not None else report
    if mend <= 0 or report.verdict == "right":
        return report
    deadline = min(deadline, time.monotonic() + mend)

    def again() -> Examined | None:
        with contextlib.suppress(Tied):
            runs = once_more(path, root, deadline, flags, examined.way)
            outcomes = [outcome_of(run, stated, deadline).judged for run in runs]
            judged = outcomes.pop(examined.ordinal) if examined.ordinal < len(runs) else None
            if judged is not None:
                others = tuple(map(_wrong_in, outcomes))
                return examined._replace(judged=judged, tape=runs[examined.ordinal].tape, others=others)
        return None

    if attempt.networks > 1:  # what is wrong in the others as they stand
        examined = again() or examined

    def moments(of: Examined) -> list[Moment]:
        return _traced(path, root, deadline, flags, of)

    return places.with_mended(report, repair.mend(root, examined, again, moments, deadline))


def _examined(
    path: Path, root: Path, deadline: float, stated: str | None, flags: dict[str, str | None], noise: bool = False
) -> tuple[Found, list[tuple[Step, str]]]:
    """The first way of running the file that has a verdict; and where it trains several networks and none is wrong, the
    steps of the others, and why they could not be judged: "" for those that are right.

    Raises ValueError if there is none: NothingTrains if no way made a step. Raises Tied where pictures are so blank
    that nothing can be told, but for those with `noise`.
    """
    reasons: list[Reason] = []
    layers: list[Found] = []  # each by itself, and right: all of them must be
    networks: list[Found] = []  # of one run, and right
    beside: list[tuple[Step, str]] = []  # of the same run, and why nothing could be said of them
    astray: list[Step] = []  # of the same run as well, by what nobody knows
    guess: Found | None = None  # wrong, on labels whose shape was guessed
    several: list[str] = []  # what is said of a network with several outputs, if it may have one
    in_part: Found | None = None  # right, of a program in which not all backward passes of the file have a part
    began = time.monotonic()
    trains = unsure = unexplained = of_itself = False

    def end(attempt: Attempt) -> float:
        now = time.monotonic()
        once_more = attempt.can_be_smaller or (attempt.guessed and guess is None)
        return now + (deadline - now) / 2 if once_more else deadline

    def run(until: float, *way: Any) -> list[Attempt]:
        return once_more(path, root, until, flags, *way)

    ways = attempts(path, root, deadline, flags, reasons, noise)
    for attempt, outcome in _outcomes(ways, stated, noise, end, run):
        if guess is not None and not attempt.guessed:
            break
        if attempt.called and attempt.program in [network.attempt.program for network in networks]:
            continue  # on data of another shape
        trains = trains or bool(attempt.steps)
        if attempt.tentative and (outcome.judged is None or outcome.judged.findings):
            wrong = outcome.judged.wrong if outcome.judged is not None else []
            several = [SEVERAL.format(", ".join(wrong))] if wrong else []
            continue
        first_guess = attempt.guessed and guess is None
        judged, in_time = outcome.judged, outcome.in_time or first_guess or attempt.can_be_smaller
        idle = idle_in(path, root, judged.step) if judged is not None else ()
        elsewhere = of_itself and attempt.program is not None  # another program may train it without a penalty
        is_no_answer = elsewhere or (attempt.called and (unexplained or (attempt.unread and idle)))
        if judged is not None and not judged.wrong and is_no_answer:
            judged, outcome = None, Outcome(why=NO_ANSWER)
        if judged is not None and judged.findings and attempt.way.guess.smaller:  # numbers stand beside that have names
            why = SMALLER.format(", ".join(judged.wrong[:3]) or "all")
            judged, outcome = None, Outcome(why=why, unexplained=True)
        if judged is not None and (measure := places.measure_among(judged, attempt.tape.losses | attempt.tape.numbers)):
            judged, outcome = None, Outcome(why=measure, unexplained=True)  # the only loss that the file has
        trains_by_what = outcome.unexplained and any(map(_trains, attempt.steps))  # nobody knows
        unexplained = unexplained or trains_by_what
        of_itself = of_itself or (trains_by_what and attempt.program is None)
        if judged is None:
            if attempt.steps:
                far = TRAINS if attempt.alone else IS_JUDGED
                reasons.append(Reason(attempt.program or path.name, outcome.why, far))
            unsure = unsure or attempt.alone
            beside += [(step, f"which may be wrong: {outcome.why}") for step in attempt.steps[:1] if _trains(step)]
            astray += attempt.steps[:1] if outcome.unexplained else []
        else:
            of_outputs = several if attempt.called and not judged.wrong else []
            attempt = attempt._replace(notes=attempt.notes + [outcome.note] * bool(outcome.note) + of_outputs)
            examined = Examined(judged, attempt.tape, attempt.way, attempt.ordinal)
            found = Found(attempt, examined, outcome.sent_back, idle)
            if judged.wrong and in_part is not None and idle == in_part.idle:
                continue  # another program's affair
            # A network of another file, in a program that also trains what this one makes.
            if judged.wrong and networks and attempt.program and _is_of_others(found, path):
                beside.append((judged.step, "whose gradients are wrong by lines of other files"))
            elif judged.wrong and not attempt.guessed:
                return found, []
            elif judged.wrong:
                guess = guess or found
                continue
            else:
                is_of_another = attempt.program and not attempt.called and not attempt.more
                if idle and is_of_another and time.monotonic() < began + FURTHER:
                    in_part = in_part if in_part is not None and len(in_part.idle) <= len(idle) else found
                    continue
                parts = (found._replace(examined=found.examined._replace(judged=part)) for part in outcome.parts)
                (layers if attempt.alone else networks).extend([found, *parts])
        if in_part is not None and attempt.called:
            break
        if networks and not attempt.more and any(_is_made_by_lines_of(networks[0], step) for step in astray):
            networks = []  # the same formulas that are right in one are not in another, of another activation say
            break
        if networks and not (attempt.more and in_time):
            return _of_networks(networks, beside)
        if not in_time:
            break
        beside, astray = (beside, astray) if attempt.more else ([], [])
    if found := guess or in_part:
        return found, []
    if networks:  # of functions, of which the last could not be called
        return _of_networks(networks, beside)
    if layers and not unsure:
        return _of_layers(layers), []
    kind = ValueError if trains or time.monotonic() > deadline else NothingTrains
    raise kind(f"no verdict: {told(reasons, path.name) or 'nothing in it trains'}")


def _outcomes(
    of: Iterable[Attempt],
    stated: str | None,
    noise: bool,
    end: Callable[[Attempt], float],
    run: Callable[..., list[Attempt]],
) -> Iterator[tuple[Attempt, Outcome]]:
    """What came of each attempt until its `end`; of another `run` in its place where what a forward pass carries on was
    taken for what is trained. Raises Tied."""
    passed: Way | None = None
    for attempt in of:
        if attempt.way == passed:
            continue
        once_more = functools.partial(run, end(attempt))
        try:
            outcome = _witnessed(attempt, stated, end(attempt), once_more)
        except Tied as error:
            if not noise:
                raise
            outcome = Outcome(why=str(error), unexplained=True)
        loss = outcome.judged.truth.loss if outcome.judged is not None else None
        states: frozenset[Instruction] = frozenset()
        if loss is None or loss.node is None or loss.name is None:
            with contextlib.suppress(OutOfTime), alarm(end(attempt)):
                states = states_of(attempt.steps, attempt.tape)
        if states <= attempt.way.states:
            yield attempt, outcome
            continue
        passed = attempt.way
        others = once_more(passed._replace(states=passed.states | states))
        without = list(_outcomes((a._replace(program=attempt.program) for a in others), stated, noise, end, run))
        if any(other.judged is not None for _, other in without):
            yield from without
        elif outcome.judged is None:
            yield attempt, outcome
        else:
            yield from without or [(attempt, Outcome(why=CARRIED_ON))]


def _is_of_others(found: Found, asked: Path) -> bool:
    """Whether all that is wrong is so by lines of other files than the one that was asked for."""
    files = [place.file for place in places.report(found.examined.judged, "", None, found.attempt).places]
    return all(file is not None and not asked.match(file_and_cell(file)[0]) for file in files)


def _trains(step: Step) -> bool:
    """Whether it meets labels, or is made more than once by one instruction: a picture of weights is scaled once, by
    what is in it, and so is each column of data."""
    made = ([version.instruction for version in p.versions[1:]] for p in step.parameters)
    return bool(step.examples) or any(len(set(by)) < len(by) for by in made)


def _is_made_by_lines_of(found: Found, other: Step) -> bool:
    """Whether all lines that make the gradients of the one make those of the other as well."""
    right, unknown = ({n.place[:2] for n in step.backward if n.place} for step in (found.examined.judged.step, other))
    return right <= unknown


def _of_networks(networks: list[Found], beside: list[tuple[Step, str]]) -> tuple[Found, list[tuple[Step, str]]]:
    """The first of networks that are right, and what is said of the others."""
    found, *further = networks
    judged = [network.examined.judged for network in further]
    others = [(one.step, "whose gradients are right but for a constant" if one.findings else "") for one in judged]
    idle = tuple(name for name in found.idle if all(name in network.idle for network in networks))
    return found._replace(idle=idle), others + beside


def _of_layers(layers: list[Found]) -> Found:
    """Of lone layers that are all right the one with most parameters, or one that is off by a constant."""
    if scaled := [found for found in layers if found.examined.judged.findings]:
        return scaled[0]
    most = max(layers, key=lambda found: len(found.examined.judged.names))
    program = "; ".join(dict.fromkeys(str(found.attempt.program) for found in layers))
    idle = tuple(name for name in most.idle if all(name in found.idle for found in layers))
    return most._replace(attempt=most.attempt._replace(program=program), idle=idle)


def _wrong_in(judged: Judged | None) -> frozenset[str] | None:
    return frozenset(judged.wrong) if judged is not None else None


def _witnessed(
    attempt: Attempt, stated: str | None, end: float, run: Callable[[Way, Planted], list[Attempt]]
) -> Outcome:
    """What came of an attempt that is judged until `end`, of which nothing is called wrong where the program itself,
    when it is `run` once more, makes something else of the numbers of a draw: then those that are near to its own may
    do. Where its record has begun anew, or too little time is left, it is not asked. Raises Tied."""
    why = ""
    for near in (0.0, *NEAR):
        began = time.monotonic()
        outcome = outcome_of(attempt._replace(near=near), stated, end)
        judged, now = outcome.judged, time.monotonic()
        if judged is None or not judged.wrong or attempt.tape.forgotten or 2 * (now - began) > end - now:
            return outcome
        runs, stray = run(attempt.way, planted_for(judged, attempt.tape)), None
        with contextlib.suppress(OutOfTime, MemoryError), alarm(end):
            stray = strayed(judged, runs[0].tape) if runs else None
        if stray is None:
            return outcome
        why = f"run with other weights, the program does not do what its record says from {where(stray)} on"
    return Outcome(why=why, unexplained=True)


def _traced(path: Path, root: Path, deadline: float, flags: dict[str, str | None], of: Examined) -> list[Moment]:
    """What could be named in the step, line by line: the same run once more, which must have the same record."""
    step = of.judged.step
    first = min((n.number for n in step.backward), default=0) - 200
    with Trace(current_tape, first, step.last) as trace:
        runs = once_more(path, root, deadline, flags, of.way)
    if not runs or any(
        (a.function, a.shape) != (b.function, b.shape)
        for a, b in zip(of.tape.nodes[: step.last + 1], runs[0].tape.nodes, strict=False)
    ):
        return []
    known = len(of.tape.nodes)  # the second run may have gone on for longer
    return [m for m in trace.moments if max((m.result or 0, *m.arrays.values())) < known]
