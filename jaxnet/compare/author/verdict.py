"""From a file to the report: run the program, find its step in the record, judge it, say where it stands."""

from __future__ import annotations

import ast
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author import places, repair
from jaxnet.compare.author.attempts import Attempt, attempts
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.judge import judge, with_teeth
from jaxnet.compare.author.judged import Judged, Tied, Unexplained, Unseen
from jaxnet.compare.author.later import and_next, check_for_what_is_kept
from jaxnet.compare.author.meanings import role
from jaxnet.compare.author.moments import Moment, Trace
from jaxnet.compare.author.names import parameter_names
from jaxnet.compare.author.program import OutOfTime, alarm
from jaxnet.compare.author.recorder import current_tape, set_flat
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.statements import read_units
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Tape, made_of, nodes_in, setitem
from jaxnet.compare.report import Report


class Found(NamedTuple):
    """A way of running the code, and what was found out about its step."""

    attempt: Attempt
    examined: Examined
    sent_back: Judged | None = None  # with what a lone layer sends back, where that is late and the rest is right
    idle: tuple[str, ...] = ()  # backward passes of the file that have no part in it


class Outcome(NamedTuple):
    """What came of an attempt: a verdict, or why there is none."""

    judged: Judged | None = None
    sent_back: Judged | None = None
    why: str = ""
    unexplained: bool = False  # something is wrong, or was meant otherwise: what else can be called is no answer
    in_time: bool = True


LAST = 50  # operations, with which a record ends
FURTHER = 10.0  # seconds after which no further program is run for what a first one leaves out


def _idle(path: Path, root: Path, step: Step) -> list[str]:
    """The backward passes of the file, of which no line has a part in the step."""
    name = str(path.resolve().relative_to(root.resolve()))
    stepped = made_of(n for p in step.parameters for n in nodes_in(p.steps))  # slopes too, which need no labels
    lines = {(place.file, place.line) for node in stepped for place in node.places}
    found = []
    for unit in read_units(path, name):
        classes = [(f"{c.name}.", c.body) for c in unit.body if isinstance(c, ast.ClassDef)]
        for owner, body in [("", unit.body), *classes]:
            functions = [f for f in body if isinstance(f, ast.FunctionDef) and role(f.name) == "backward"]
            for f in functions:
                own = {(unit.filename, line) for line in range(f.lineno, (f.end_lineno or f.lineno) + 1)}
                found += [f"{owner}{f.name}"] * (own.isdisjoint(lines) and _computes(f))
    return found


def _computes(function: ast.FunctionDef) -> bool:
    """Whether there is more in it than `raise NotImplementedError`, or what it is given."""
    nodes = (node for part in function.body if not isinstance(part, ast.Raise) for node in ast.walk(part))
    return any(isinstance(node, ast.BinOp | ast.AugAssign | ast.Call) for node in nodes)


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
    found, others = _examined(path, root, deadline, stated, flags)
    attempt, examined, sent_back, idle = found
    report = places.report(examined.judged, path.name, "flag" if stated else None, attempt.program, attempt.notes)
    report = report._replace(idle=list(idle) if report.verdict != "wrong" else [])
    report = places.with_others(report, others)
    report = places.with_sent_back(report, sent_back) if sent_back is not None else report
    if mend <= 0 or report.verdict == "right":
        return report
    deadline = min(deadline, time.monotonic() + mend)

    def again() -> Examined | None:
        try:
            return _examined(path, root, deadline, stated, flags, examined.noise, examined)[0].examined
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
    noise: bool = False,
    only: Examined | None = None,
) -> tuple[Found, list[tuple[Step, str]]]:
    """The first way of running the file that has a verdict, or once more the one that had this; and where it trains
    several networks and none is wrong, the steps of the others, and why they could not be judged: "" for those that are
    right. Where its pictures are so blank that nothing can be told, it is run once more on some with noise.

    Raises ValueError if there is none: NothingTrains if no way made a step.
    """
    reasons: list[str] = []
    layers: list[Found] = []  # each by itself, and right: all of them must be
    networks: list[Found] = []  # of one run, and right
    beside: list[tuple[Step, str]] = []  # of the same run, and why nothing could be said of them
    guess: Found | None = None  # wrong, on labels whose shape was guessed
    in_part: Found | None = None  # right, of a program in which not all backward passes of the file have a part
    began = time.monotonic()
    trains = unsure = unexplained = False
    ways = enumerate(attempts(path, root, deadline, flags, reasons, noise))
    for ordinal, attempt in ways if only is None else _once_more(path, root, deadline, flags, reasons, only):
        if guess is not None and not attempt.guessed:
            break
        trains = trains or bool(attempt.steps)
        first_guess = attempt.guessed and guess is None
        now = time.monotonic()
        try:
            outcome = _outcome(attempt, stated, now + (deadline - now) / 2 if first_guess else deadline)
        except Tied as error:
            if not noise:
                return _examined(path, root, deadline, stated, flags, noise=True, only=only)
            outcome = Outcome(why=str(error), unexplained=True)
        judged, why, in_time = outcome.judged, outcome.why, outcome.in_time or first_guess
        if unexplained and attempt.called and judged is not None and not judged.wrong:
            why = why or "nothing is wrong in it, but that is no answer to what the program itself does"
        unexplained = unexplained or outcome.unexplained
        if judged is None or why:
            reasons.append(f"{attempt.program or path.name}: {why}")
            unsure = unsure or attempt.alone
            beside += [(step, why) for step in attempt.steps[:1]]
        else:
            idle = _idle(path, root, judged.step) if only is None and not attempt.called else []
            examined = Examined(judged, attempt.tape, ordinal, attempt.key, noise)
            found = Found(attempt, examined, outcome.sent_back, tuple(idle))
            if in_part is not None and judged.wrong and found.idle == in_part.idle:
                continue  # another program's affair
            if judged.wrong and attempt.guessed and only is None:
                guess = guess or found
                continue
            if judged.wrong or only is not None:
                return found, []
            if idle and attempt.program and not attempt.more and time.monotonic() < began + FURTHER:
                in_part = in_part if in_part is not None and len(in_part.idle) <= len(idle) else found
                continue
            (layers if attempt.alone else networks).append(found)
        if in_part is not None and attempt.called:
            break
        if networks and not (attempt.more and in_time):
            others = [(network.examined.judged.step, "") for network in networks[1:]]
            idle = [name for name in networks[0].idle if all(name in network.idle for network in networks)]
            return networks[0]._replace(idle=tuple(idle)), others + beside
        if not in_time:
            break
        beside = beside if attempt.more else []
    if guess is not None:
        return guess, []
    if in_part is not None:
        return in_part, []
    if layers and not unsure:
        return _of_layers(layers), []
    kind = ValueError if trains or time.monotonic() > deadline else NothingTrains
    raise kind(f"no verdict: {'; '.join(dict.fromkeys(reasons)) or 'nothing in it trains'}"[:800])


def _outcome(attempt: Attempt, stated: str | None, end: float) -> Outcome:
    """What came of an attempt that is judged until `end`. Raises Tied."""
    try:
        with alarm(end):
            judged, sent_back = _best(attempt, stated, end), None
            if attempt.alone and (rest := _without_input(attempt, judged, stated)) is not None:
                judged, sent_back = rest, judged
        with contextlib.suppress(OutOfTime, MemoryError), alarm(end):  # there was room for the verdict
            judged = with_teeth(judged)
        return Outcome(judged, sent_back, _hollow(attempt, judged))
    except Tied:
        raise
    except OutOfTime:
        return Outcome(why="the time was up before it was judged", in_time=False)
    except MemoryError:
        return Outcome(why="its arrays are too large to be judged", unexplained=True)
    except ValueError as error:
        return Outcome(why=str(error), unexplained=isinstance(error, Unexplained))


def _of_layers(layers: list[Found]) -> Found:
    """Of lone layers that are all right the one with most parameters, or one that is off by a constant."""
    if scaled := [found for found in layers if found.examined.judged.findings]:
        return scaled[0]
    most = max(layers, key=lambda found: len(found.examined.judged.names))
    program = "; ".join(dict.fromkeys(str(found.attempt.program) for found in layers))
    return most._replace(attempt=most.attempt._replace(program=program))


def _once_more(
    path: Path, root: Path, deadline: float, flags: dict[str, str | None], reasons: list[str], of: Examined
) -> Iterator[tuple[int, Attempt]]:
    """The way of running the file that gave this, with its number."""
    for ordinal, attempt in enumerate(attempts(path, root, deadline, flags, reasons, of.noise, of.key)):
        if attempt.key == of.key if of.key else ordinal == of.ordinal:
            yield of.ordinal, attempt
            return


def _hollow(attempt: Attempt, judged: Judged) -> str:
    """Why a verdict says less than it seems to; "" where it does not."""
    if attempt.alone and (meant := _may_be_meant(judged)):
        return meant
    if not judged.wrong and (line := _left_over(attempt.tape, judged.step)):
        return f"nothing is wrong in what could be judged, but what line {line} steps could not"
    if not judged.wrong and attempt.tape.is_cut and _is_in_the_midst(attempt.tape, judged.step):
        count = len(attempt.tape.nodes)
        return f"nothing is wrong in what could be recorded, but its step was not done in {count} operations"
    if (lost := attempt.tape.lost) is not None and not judged.wrong:
        return f"nothing is wrong in what is on the record, but what line {lost.line} of {lost.file} makes is not"
    if attempt.doubt and not judged.wrong:
        return f"nothing is wrong in what could be run, but {attempt.doubt}"
    return ""


def _is_in_the_midst(tape: Tape, step: Step) -> bool:
    """Whether the record ends with what follows from the labels of a step, and not through new weights."""
    return any(node in step.labelled and node in step.active for node in tape.nodes[-LAST:])


def _left_over(tape: Tape, step: Step) -> int:
    """The line that steps an array of the forward pass by what follows from the labels, or writes that into it, and
    which was not judged."""
    judged = {n for p in step.parameters for n in (p.root, *p.versions, *nodes_in(p.steps))}
    predictions = [example.prediction for example in step.examples]
    forward = made_of(predictions, until=lambda n: n in judged) - step.active
    after = {p.after for p in step.parameters}  # what follows from these is the next forward pass
    first = min((n.number for n in step.labelled), default=0)
    for node in tape.nodes[first : step.last + 1]:
        made = [(base, g) for base, g in node.updates if g in step.labelled and base in node.parents]
        written = node.function in (setitem, set_flat) and node.inputs[2] in step.labelled
        made += [(node.inputs[0], node.inputs[2])] if written else []
        if node.place is None or any(judged & set(pair) for pair in made) or not forward & {base for base, _ in made}:
            continue
        if written or not after & made_of(g for _, g in made):
            return node.place.line
    return 0


def _traced(path: Path, root: Path, deadline: float, flags: dict[str, str | None], of: Examined) -> list[Moment]:
    """What could be named in the step, line by line: the same run once more, which must have the same record."""
    step = of.judged.step
    first = min((n.number for n in step.backward), default=0) - 200
    with Trace(current_tape, first, step.last) as trace:
        _, attempt = next(_once_more(path, root, deadline, flags, [], of), (0, None))
    if attempt is None or any(
        (a.function, a.shape) != (b.function, b.shape)
        for a, b in zip(of.tape.nodes[: step.last + 1], attempt.tape.nodes, strict=False)
    ):
        return []
    return trace.moments


def _best(attempt: Attempt, stated: str | None, end: float) -> Judged:
    """The verdict on the step as `_by_readings`; where that is right by a loss that the error implies, and the program
    computes one in another step, which has fewer parameters yet, and is wrong by that, this one."""
    count = max((len(step.parameters) for step in attempt.steps), default=0)
    best = _by_readings(attempt, [step for step in attempt.steps if len(step.parameters) == count], stated, end)
    if not best.wrong and best.truth.loss.node is None:
        for step in (step for step in attempt.steps if len(step.parameters) < count):
            with contextlib.suppress(ValueError):
                judged = judge(attempt.tape, step, parameter_names(step, attempt.names), stated)
                if judged.wrong and judged.truth.loss.node is not None:
                    return judged
    return best


def _by_readings(attempt: Attempt, steps: list[Step], stated: str | None, end: float) -> Judged:
    """The verdict on the first reading of the step under which something can be said; one that is right, if any is, and
    if the step after it is not wrong: a copy of the weights is right until they are stepped."""
    right: Judged | None = None  # but for a constant, perhaps
    wrong: Judged | None = None
    problem: ValueError | None = None
    unseen = unexplained = False
    began = time.monotonic()
    for step in steps:
        try:
            judged = judge(attempt.tape, step, parameter_names(step, attempt.names), stated)
            if judged.wrong:
                check_for_what_is_kept(judged, attempt)
        except Tied:
            raise
        except ValueError as error:
            problem, unseen = problem or error, unseen or isinstance(error, Unseen)
            unexplained = unexplained or isinstance(error, Unexplained)
            continue
        if not judged.step.examples and (unexplained if judged.wrong and judged.proof != "formula" else unseen):
            continue  # the same step, read without its labels
        if judged.wrong:
            wrong = wrong or judged
            if judged.is_certain:
                break
        elif right is not None and (
            judged.truth.loss.node is None or right.truth.loss.is_same_number(judged.truth.loss)
        ):
            continue  # the loss of a step that has it beside it counts
        elif not judged.findings:
            # Another step of the same arrays does not acquit one that the program's own loss contradicts.
            if wrong is not None and _same_reading(wrong, judged):
                return wrong
            right = judged
            break
        else:
            right = right or judged  # another number of the program may be the loss, without that constant
    if right is None:
        if wrong is None:
            raise problem or ValueError("no step")
        return wrong
    # What is called by itself adds up what its program sets to 0. The next step takes as long as this one did.
    now = time.monotonic()
    in_time = 2 * (now - began) < end - now
    if in_time and not attempt.called:
        with contextlib.suppress(MemoryError):  # there is room for one step
            return and_next(right, attempt, stated)
    return right


def _may_be_meant(judged: Judged) -> str:
    """Why what is wrong with a lone layer is none if the loss that it is used with is made for it."""
    if any(f.code == "missing-output-derivative" for f in judged.findings):
        # Softmax with cross-entropy: its loss may give it the error of its scores in the place of its own.
        return "right if it is given ∂loss/∂ what its last activation is applied to"
    if judged.wrong and all(f.code == "wrong-scale" for f in judged.findings):
        return "right but for a constant, which the loss that it is used with may have"
    return ""


def _without_input(attempt: Attempt, judged: Judged, stated: str | None) -> Judged | None:
    """The verdict on a layer's own parameters, where all that is wrong is that it steps them before it sends back.

    How far that is off is its rate's affair, and none of its own gradients is: it is said, and it is no verdict.
    """
    late = {judged.names[name] for name in judged.wrong}
    if not late or len(late) == len(judged.names) or any(f.code != "weights-already-updated" for f in judged.findings):
        return None
    step = judged.step._replace(parameters=tuple(p for p in judged.step.parameters if p not in late))
    return judge(attempt.tape, step, parameter_names(step, attempt.names), stated)


def _same_reading(first: Judged, second: Judged) -> bool:
    """Whether two verdicts are on steps of the same arrays, each by a loss of the program's."""
    arrays = [{p.versions[0] for p in judged.step.parameters} for judged in (first, second)]
    return arrays[0] == arrays[1] and all(judged.truth.loss.node is not None for judged in (first, second))
