"""From a file to the report: run the program, find its step in the record, judge it, say where it stands."""

from __future__ import annotations

import ast
import itertools
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author import lines, places, repair
from jaxnet.compare.author.attempts import Attempt, attempts
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.judge import (
    DRAWS,
    Endless,
    Judged,
    Tied,
    Unexplained,
    Unseen,
    check_for_a_sum_without_end,
    judge,
    with_teeth,
)
from jaxnet.compare.author.levels import holds, true_gradients
from jaxnet.compare.author.meanings import role
from jaxnet.compare.author.moments import Moment, Trace
from jaxnet.compare.author.program import OutOfTime, alarm
from jaxnet.compare.author.recorder import current_tape
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.replay import Uses, Values
from jaxnet.compare.author.statements import read_units
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, Tape, ancestors, made_of, nodes_in
from jaxnet.compare.author.truth import Loss, Truth, draws, truths
from jaxnet.compare.report import Report


class Found(NamedTuple):
    """A way of running the code, and what was found out about its step."""

    attempt: Attempt
    examined: Examined
    sent_back: Judged | None = None  # with what a lone layer sends back, where that is late and the rest is right
    idle: tuple[str, ...] = ()  # backward passes of the file that have no part in it

    def of_part(self, idle: list[str]) -> Found:
        """The same, saying what has no part in it."""
        program = (
            f"{self.attempt.program}, in which {' and '.join(idle[:3])} {'has' if len(idle) == 1 else 'have'} no part"
        )
        return self._replace(attempt=self.attempt._replace(program=program), idle=tuple(idle))


AT_ONCE = 5.0  # seconds after which a step that is right is not followed by another one
FURTHER = 10.0  # seconds after which no further program is run for what a first one leaves out


def _idle(path: Path, root: Path, step: Step) -> list[str]:
    """The backward passes of the file, of which no line has a part in the step."""
    name = str(path.resolve().relative_to(root.resolve()))
    lines = {place.line for node in step.backward for place in node.places if place.file == name}
    found = []
    for unit in read_units(path, name):
        classes = [(f"{c.name}.", c.body) for c in unit.body if isinstance(c, ast.ClassDef)]
        for owner, body in [("", unit.body), *classes]:
            functions = [f for f in body if isinstance(f, ast.FunctionDef) and role(f.name) == "backward"]
            own = (f for f in functions if lines.isdisjoint(range(f.lineno, (f.end_lineno or f.lineno) + 1)))
            found += [f"{owner}{f.name}" for f in own if _computes(f)]
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
    attempt, examined, sent_back = found[:3]
    report = places.report(examined.judged, path.name, "flag" if stated else None, attempt.program, attempt.notes)
    report = places.with_others(report, others)
    report = places.with_sent_back(report, sent_back) if sent_back is not None else report
    if mend <= 0 or report.verdict == "right":
        return report
    deadline = min(deadline, time.monotonic() + mend)

    def again() -> Examined | None:
        try:
            return _examined(path, root, deadline, stated, flags, examined.noise, examined.ordinal)[0].examined
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
    only: int | None = None,
) -> tuple[Found, list[tuple[Step, str]]]:
    """The first way of running the file that has a verdict, or the one with this number; and where it trains several
    networks and none is wrong, the steps of the others, and why they could not be judged: "" for those that are right.
    Where its pictures are so blank that nothing can be told, it is run once more on some with noise.

    Raises ValueError if there is none: NothingTrains if no way made a step.
    """
    reasons: list[str] = []
    layers: list[Found] = []  # each by itself, and right: all of them must be
    networks: list[Found] = []  # of one run, and right
    beside: list[tuple[Step, str]] = []  # of the same run, and why nothing could be said of them
    in_part: Found | None = None  # right, of a program in which not all backward passes of the file have a part
    began = time.monotonic()
    trains = unsure = unexplained = False
    ways = enumerate(attempts(path, root, deadline, flags, reasons, noise))
    for ordinal, attempt in itertools.islice(ways, only or 0, None if only is None else only + 1):
        trains = trains or bool(attempt.steps)
        in_time, judged, sent_back = True, None, None
        try:
            with alarm(deadline):
                judged = with_teeth(_best(attempt, stated))
                if attempt.alone and (rest := _without_input(attempt, judged, stated)) is not None:
                    judged, sent_back = rest, judged
            why = _hollow(attempt, judged)
            if unexplained and attempt.called and not judged.wrong:
                why = why or "nothing is wrong in it, but that is no answer to what the program itself does"
        except OutOfTime:
            in_time, why = False, "the time was up before it was judged"
        except MemoryError:
            why, unexplained = "its arrays are too large to be judged", True
        except Tied as error:
            if not noise:
                return _examined(path, root, deadline, stated, flags, noise=True, only=only)
            why, unexplained = str(error), True
        except Unexplained as error:
            why, unexplained = str(error), True
        except ValueError as error:
            why = str(error)
        if judged is None or why:
            reasons.append(f"{attempt.program or path.name}: {why}")
            unsure = unsure or attempt.alone
            beside += [(step, why) for step in attempt.steps[:1]]
        else:
            found = Found(attempt, Examined(judged, attempt.tape, ordinal, noise), sent_back)
            idle = _idle(path, root, judged.step) if attempt.program and not attempt.called else []
            if in_part is not None and judged.wrong and idle == in_part.idle:
                continue  # another program's affair
            if judged.wrong or only is not None:
                return found, []
            if idle and not attempt.more and time.monotonic() < began + FURTHER:
                in_part = in_part if in_part is not None and len(in_part.idle) <= len(idle) else found.of_part(idle)
                continue
            (layers if attempt.alone else networks).append(found)
        if in_part is not None and attempt.called:
            break
        if networks and not (attempt.more and in_time):
            return networks[0], [(network.examined.judged.step, "") for network in networks[1:]] + beside
        if not in_time:
            break
        beside = beside if attempt.more else []
    if in_part is not None:
        return in_part, []
    if layers and not unsure:
        most = max(layers, key=lambda found: len(found.examined.judged.names))
        program = "; ".join(dict.fromkeys(str(found.attempt.program) for found in layers))
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
    if (lost := attempt.tape.lost) is not None and not judged.wrong:
        return f"nothing is wrong in what is on the record, but what line {lost.line} of {lost.file} makes is not"
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
        made = [(base, g) for base, g in node.updates if g in step.labelled and base in node.parents]
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
        ways = attempts(path, root, deadline, flags, [], of.noise)
        attempt = next(itertools.islice(ways, of.ordinal, None), None)
    if attempt is None or any(
        (a.function, a.shape) != (b.function, b.shape)
        for a, b in zip(of.tape.nodes[: step.last + 1], attempt.tape.nodes, strict=False)
    ):
        return []
    return trace.moments


def _best(attempt: Attempt, stated: str | None) -> Judged:
    """The verdict on the first reading of the step under which something can be said; one that is right, if any is, and
    if the step after it is not wrong: a copy of the weights is right until they are stepped."""
    scaled: Judged | None = None
    wrong: Judged | None = None
    problem: ValueError | None = None
    unseen = unexplained = False
    began = time.monotonic()
    for step in attempt.steps:
        try:
            judged = judge(attempt.tape, step, lines.parameter_names(step, attempt.names), stated)
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
            if _is_certain(judged):
                break
        elif scaled is not None and (
            judged.truth.loss.node is None or _is_same_number(scaled.truth.loss, judged.truth.loss)
        ):
            continue  # the loss of a step that has it beside it counts
        elif not judged.findings:
            # Another step of the same arrays does not acquit one that the program's own loss contradicts.
            if wrong is not None and _same_reading(wrong, judged):
                return wrong
            # What is called by itself adds up what its program sets to 0. What takes long is not done twice.
            in_time = time.monotonic() < began + AT_ONCE
            return _and_next(judged, attempt, stated) if in_time and not attempt.called else judged
        else:
            scaled = scaled or judged  # another number of the program may be the loss, without that constant
    if scaled is None and wrong is None:
        raise problem or ValueError("no step")
    return scaled or wrong  # type: ignore[return-value]


def _is_certain(wrong: Judged) -> bool:
    return wrong.proof == "formula" or bool(wrong.step.examples and wrong.truth.loss.name)


def _and_next(right: Judged, attempt: Attempt, stated: str | None) -> Judged:
    """The verdict on a right step; or on the next one of the same arrays, where that is wrong and would not be if it
    were made with their new versions only.

    It is wrong where what made a true gradient in the first step does not in the second, whatever an optimiser makes of
    it. Raises Unexplained where that is so and nobody can say why, and where a sum is never set to 0.
    """
    loss, first = right.truth.loss, {p.versions[0]: p.before for p in right.step.parameters}
    if loss.decay is not None or loss.penalised:
        return right  # the truth is that of one step
    makers = {
        p.versions[0]: {n.site for n in _on_the_way(p, right.step) if holds(n, right.true[name], right.drawn)}
        for name, p in right.names.items()
    }
    problem = None
    for step in attempt.steps:
        begun = {p.versions[0]: p.before for p in step.parameters}
        if begun.keys() != first.keys() or any(before is first[begin] for begin, before in begun.items()):
            continue
        drawn = draws(step, DRAWS, attempt.tape)
        truth = _truth_by(loss, step, drawn)
        as_it_was = [Values()]
        if truth is None:
            continue
        wrong = _unmade(makers, step, truth, drawn)
        if wrong:  # what is made of earlier steps may be another way to the weights that are drawn
            of_record = _truth_by(loss, step, as_it_was)
            wrong = wrong & _unmade(makers, step, of_record, as_it_was) if of_record is not None else wrong
        if not wrong:
            check_for_a_sum_without_end(step, truth, drawn)
            return right
        kept = _kept(right.step, step)
        if kept and not wrong & _unmade(makers, step, truth.whole(kept), drawn):
            return right._replace(kept=min((node for node, _ in kept), key=lambda n: n.number))
        names = lines.parameter_names(step, attempt.names)
        try:
            judged = judge(attempt.tape, step, names, stated)
        except Endless:
            raise
        except ValueError:
            judged = None
        same = judged is not None and {judged.names[name] for name in judged.wrong} == wrong
        if judged is not None and same and _is_certain(judged) and all(_is_of_old(judged, n) for n in judged.wrong):
            return judged
        problem = problem or Unexplained(
            "nothing is wrong in the first step, but in the second one the gradient of "
            f"{names[min(wrong, key=lambda p: p.before.number)]} is another one: right if what is kept from the first "
            "is meant to make it so, and wrong if not"
        )
    if problem is not None:
        raise problem
    return right


def _kept(first: Step, second: Step) -> Uses:
    """Where arrays that no instruction of the first step made of its parameters are used by those that did: what is
    made after a step for the next one, a target or a weight, which was a constant in the first."""
    sites = {n.site for n in first.active}
    own = {n for p in second.parameters for n in (p.root, p.before)}
    return frozenset(
        (parent, node)
        for node in second.active
        if node.site in sites
        for parent in node.parents
        if parent in second.active and parent not in own and parent.site not in sites
    )


def _truth_by(loss: Loss, step: Step, drawn: list[Values]) -> Truth | None:
    """The truth by the loss of another step, if it is computed in this one."""
    return next((truth for truth in truths(step, drawn) if _is_same_loss(truth.loss, loss)), None)


def _unmade(makers: dict[Node, set[tuple]], step: Step, truth: Truth, drawn: list[Values]) -> set[Parameter]:
    """The parameters whose true gradient none of the instructions makes that did so in another step."""
    found = set()
    for p in step.parameters:
        true, sites = true_gradients(p, truth), makers[p.versions[0]]
        made = any(holds(n, true, drawn) for n in _on_the_way(p, step) if n.site in sites)
        if sites and not made and (truth.parts or all(t.any() for t in true)):
            found.add(p)
    return found


def _on_the_way(parameter: Parameter, step: Step) -> list[Node]:
    """What follows from the labels, and the parameter's step from that, in the parameter's shape."""
    inside = ancestors(nodes_in(parameter.steps), parameter.root.number) & step.labelled
    return [n for n in inside if n.shape == parameter.before.shape]


def _is_of_old(judged: Judged, name: str) -> bool:
    """Whether a gradient would be a multiple of the true one if older versions of the arrays were the new ones."""
    if (node := judged.chosen[name]) is None:
        return False
    drawn = []
    for values in judged.drawn:
        new = {n: value for n, value in values.known.items() if n.function is None}
        for p in judged.step.parameters:
            older = (n for n in p.versions if n.number < p.before.number)
            new |= p.given(values(p.before)) | dict.fromkeys(older, values(p.before))
        drawn.append(Values(new))
    return holds(node, judged.true[name], drawn)


def _is_same_number(loss: Loss, other: Loss) -> bool:
    """Whether both are what the same instruction of the program computes."""
    return loss.node is not None and other.node is not None and loss.node.site == other.node.site


def _is_same_loss(loss: Loss, other: Loss) -> bool:
    """Whether they are the same number, or are inferred and have one name."""
    inferred = loss.node is None and other.node is None and loss.name is not None
    return _is_same_number(loss, other) or (inferred and loss.name == other.name)


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
    return judge(attempt.tape, step, lines.parameter_names(step, attempt.names), stated)


def _same_reading(first: Judged, second: Judged) -> bool:
    """Whether two verdicts are on steps of the same arrays, each by a loss of the program's."""
    arrays = [{p.versions[0] for p in judged.step.parameters} for judged in (first, second)]
    return arrays[0] == arrays[1] and all(judged.truth.loss.node is not None for judged in (first, second))
