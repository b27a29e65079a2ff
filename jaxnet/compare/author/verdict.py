"""From a file to the report: run the program, find its step in the record, judge it, say where it stands."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxnet.compare.author import places, repair
from jaxnet.compare.author.answer import Answer, Found, Others
from jaxnet.compare.author.attempts import Attempt, Way, attempts, once_more
from jaxnet.compare.author.idle import branches_not_run, losses_not_run, steps_not_taken
from jaxnet.compare.author.judged import Judged, Tied
from jaxnet.compare.author.lines import where
from jaxnet.compare.author.moments import Moment, Trace
from jaxnet.compare.author.node import Instruction
from jaxnet.compare.author.outcome import Outcome, outcome_of
from jaxnet.compare.author.program import OutOfTime, alarm
from jaxnet.compare.author.reasons import Reason
from jaxnet.compare.author.recorder import current_tape
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.stated import losses_stated
from jaxnet.compare.author.states import states_of
from jaxnet.compare.author.tape import Planted
from jaxnet.compare.author.witness import planted_for, strayed
from jaxnet.compare.report import Report

CARRIED_ON = "what is stepped is carried on by a forward pass that begins anew, and nothing else was found that trains"
MEASURE = (
    "all gradients are those of the {} that the error implies, and none of the file's own loss ({}), which is the {}: "
    "right if that is a measure, wrong if it is what is to be made small"
)
UNASKED = Outcome(
    why="the time was up before the program itself could be asked about what seems to be wrong",
    unexplained=True,
    in_time=False,
    too_much=True,
)
NEAR = 0.1, 1e-3  # how far from a program's own numbers, as a share of them, others may be


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
        is_implied = not stated and examined.judged.truth.loss.node is None and examined.judged.step.examples
        unrun = losses_not_run(path, root, examined.tape.nodes) if is_implied else []
        report = report._replace(
            idle=[
                *idle,
                *(name for name, _ in unrun if name not in idle),
                *steps_not_taken(path, root, examined.judged.step),
                *branches_not_run(path, root, right),
            ]
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
) -> tuple[Found, Others]:
    """The first way of running the file that has a verdict; and where it trains several networks and none is wrong, the
    steps of the others.

    Raises ValueError if there is none: NothingTrains if no way made a step. Raises Tied where pictures are so blank
    that nothing can be told, but for those with `noise`.
    """
    reasons: list[Reason] = []
    answer = Answer(path, root, reasons)

    def end(attempt: Attempt) -> float:
        now = time.monotonic()
        once_more = attempt.can_be_smaller or (attempt.guessed and answer.guess is None)
        return now + (deadline - now) / 2 if once_more else deadline

    def run(until: float, *way: Any) -> list[Attempt]:
        return once_more(path, root, until, flags, *way)

    ways = attempts(path, root, deadline, flags, reasons, noise)
    for attempt, outcome in _outcomes(ways, stated, noise, end, run):
        by_own = _by_own_loss(path, root, attempt, outcome, stated, end, run)
        if not answer.weigh(*(by_own or (attempt, outcome))):
            break
    return answer.found(late=time.monotonic() > deadline)


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


def _by_own_loss(
    path: Path,
    root: Path,
    attempt: Attempt,
    outcome: Outcome,
    stated: str | None,
    end: Callable[[Attempt], float],
    run: Callable[..., list[Attempt]],
) -> tuple[Attempt, Outcome] | None:
    """The same where the program runs no loss, and is run once more with each that its file states: with the first by
    which it is right; else by which it is wrong, of the kind that its error implies; else there is no verdict, where
    one is of another kind, or has a penalty: one that an error implies has whatever the gradients have."""
    judged = outcome.judged
    computed = any(step.losses for step in attempt.steps) if judged is None else judged.truth.loss.node is not None
    if stated or attempt.call.alone or computed or not attempt.steps:
        return None
    step = judged.step if judged is not None else attempt.steps[0]
    wrong: tuple[Attempt, Outcome] | None = None
    doubted: tuple[Attempt, Outcome] | None = None
    made = attempt.tape.nodes[: max(p.after.number for p in step.parameters) + 1]
    for loss in losses_stated(path, root, step, made, attempt.names):
        way = attempt.way._replace(loss=loss)
        other = next(iter(run(end(attempt), way)[attempt.ordinal :]), None)
        if other is None or time.monotonic() > end(attempt):
            continue
        other = other._replace(program=attempt.program, given=(*attempt.given, str(loss)))
        found = _witnessed(other, stated, end(attempt), functools.partial(run, end(attempt)))
        if found.unexplained and judged is not None and not judged.wrong and loss.is_another(other.steps):
            doubted = other, found._replace(why=f"{found.why} ({loss})")
        number = found.judged.truth.loss.node if found.judged is not None else None
        if found.judged is None or number is None or not loss.has_made(number):
            continue
        if not np.isfinite(found.judged.recorded(number)).all():  # of scores, where it is one of probabilities
            continue
        if not found.judged.wrong:
            return other, found
        if judged is None:
            continue
        implied, named = judged.truth.loss.name, found.judged.truth.loss.name
        if named == implied:
            wrong = wrong or (other, found)
        elif named is not None and loss.is_called_loss and not judged.wrong:
            doubted = other, Outcome(why=MEASURE.format(implied, loss, named), unexplained=True)
    return wrong or doubted


def _wrong_in(judged: Judged | None) -> frozenset[str] | None:
    return frozenset(judged.wrong) if judged is not None else None


def _witnessed(
    attempt: Attempt, stated: str | None, end: float, run: Callable[[Way, Planted], list[Attempt]]
) -> Outcome:
    """What came of an attempt that is judged until `end`. Nothing is called wrong where the program itself, when it is
    `run` once more, makes something else of the numbers of a draw: then those that are near to its own may do; nor
    where there is no time to ask it. Raises Tied."""
    why = ""
    for near in (0.0, *NEAR):
        outcome = outcome_of(attempt._replace(near=near), stated, end)
        judged = outcome.judged
        if judged is None or not judged.wrong:
            return outcome
        tape = next((a.tape for a in run(attempt.way, planted_for(judged, attempt.tape))), None)
        if tape is None or tape.forgotten != attempt.tape.forgotten:
            return UNASKED  # it has not come to where the numbers are planted
        if tape.is_cut and len(tape.nodes) <= judged.step.last:
            return UNASKED
        try:
            with alarm(end):
                stray = strayed(judged, tape)
        except (OutOfTime, MemoryError):
            return UNASKED
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
