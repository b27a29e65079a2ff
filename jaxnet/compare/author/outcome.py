"""The verdict on one way of running the code, or why there is none: which reading of its step counts."""

from __future__ import annotations

import ast
import contextlib
import time
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.attempts import Attempt
from jaxnet.compare.author.hollow import hollow, is_of_counts, is_of_our_outputs, other_count
from jaxnet.compare.author.judge import judge, with_teeth
from jaxnet.compare.author.judged import Astray, Judged, Kept, Remade, Tied, Unexplained, Unproved, Uphill
from jaxnet.compare.author.later import and_next, doubt_of_next, with_what_is_kept
from jaxnet.compare.author.lines import expression_of, is_of_statement, statement_of, where
from jaxnet.compare.author.names import parameter_names
from jaxnet.compare.author.node import Node, ancestors, depends, nodes_in
from jaxnet.compare.author.program import OutOfTime, alarm
from jaxnet.compare.author.reasons import LATE, TOO_LARGE
from jaxnet.compare.author.search import parts_of
from jaxnet.compare.author.step import NoLoss, Parameter, Step, makers_of
from jaxnet.compare.author.updates import is_by_0
from jaxnet.compare.diagnosis import Finding

DATA = "X"  # what we call the data that we give


class Outcome(NamedTuple):
    """What came of an attempt: a verdict, or why there is none."""

    judged: Judged | None = None
    parts: tuple[Judged, ...] = ()  # of the network, each with a verdict of its own: the first one, and these
    note: str = ""  # what is a constant in the loss of a part, or may be another one in the next step
    sent_back: Judged | None = None  # with what a lone layer sends back, where that is late and the rest is right
    why: str = ""
    unexplained: bool = False  # something is wrong, or was meant otherwise: what else can be called is no answer
    in_time: bool = True
    too_much: bool = False  # too large, or too slow


def outcome_of(attempt: Attempt, stated: str | None, end: float) -> Outcome:
    """What came of an attempt that is judged until `end`: as one network, or, where nothing can be said of that, as the
    parts that it has, if there is a verdict on each, by a loss that the program computes and of which it makes no other
    one: else an array that was forgotten in one term would be right by the others. Raises Tied."""
    outcome = _outcome_of(attempt, stated, end)
    if outcome.unexplained and attempt.steps:
        with contextlib.suppress(OutOfTime, MemoryError), alarm(end):
            apart = (attempt._replace(steps=steps) for steps in parts_of(attempt.tape, attempt.steps[0]))
            found = [_outcome_of(part, stated, end).judged for part in apart]
            parts = sorted((judged for judged in found if judged is not None), key=lambda judged: not judged.wrong)
            losses = [part.truth.loss.node for part in parts]
            numbers = {n for step in attempt.steps for n in step.losses}.union(nodes_in(losses))
            inside = ancestors(parent for n in numbers for parent in n.parents)
            if parts and len(parts) == len(found) and None not in losses and inside.isdisjoint(losses):
                return Outcome(parts[0], tuple(parts[1:]), _constants_of(parts))
    return outcome


def _constants_of(parts: list[Judged]) -> str:
    """What is stepped as a part of its own, and a constant in the loss of another part."""
    losses = [node for part in parts for node in nodes_in(part.truth.loss.node)]
    others = (
        (p, node)
        for part, node in zip(parts, losses, strict=True)
        for other in parts
        for p in other.names.values()
        if other is not part and depends(node, p.before)
    )
    said = (f"what {where(p.after)} steps is taken for a constant in the loss of {where(node)}" for p, node in others)
    return "; ".join(dict.fromkeys(said))


def _outcome_of(attempt: Attempt, stated: str | None, end: float) -> Outcome:
    try:
        with alarm(end):
            judged, sent_back = _best(attempt, stated, end), None
            ours = other_count(attempt, judged) is not None or is_of_our_outputs(attempt, judged)
            if ours and not judged.wrong and judged.findings:
                judged = judged._replace(findings=[], problem=None, diagnosis=None)  # nobody knows the constant
            elif ours:
                findings = [f for f in judged.findings if (f.at, f.code) != ("loss", "wrong-scale")]
                judged = judged._replace(findings=findings)
            if attempt.call.alone and not judged.has_own_loss:
                judged = _without_convention(judged)
            if attempt.call.alone and (rest := _without_input(attempt, judged, stated)) is not None:
                judged, sent_back = rest, judged
            note = ""
            if attempt.called and not attempt.call.alone and judged.wrong == [DATA]:
                node = judged.chosen[DATA] or judged.names[DATA].after
                note = f"what {where(node)} gives as the gradient of the data is none: right if it is meant otherwise"
                judged = _without(judged, {judged.names[DATA]}, attempt, stated)
        with contextlib.suppress(OutOfTime, MemoryError), alarm(end):  # there was room for the verdict
            judged = with_teeth(judged)
        why = hollow(attempt, judged)
        if attempt.called and not judged.wrong and not why and not note:
            with contextlib.suppress(OutOfTime, MemoryError), alarm(end):
                note = doubt_of_next(judged, attempt, stated)
        return Outcome(why=why) if why else Outcome(judged, sent_back=sent_back, note=note)
    except Tied:
        raise
    except OutOfTime:
        return Outcome(why=f"{LATE} before it was judged", in_time=False, too_much=True)
    except MemoryError:
        return Outcome(why=TOO_LARGE, unexplained=True, too_much=True)
    except ValueError as error:
        return Outcome(why=f"{error}{_spread(attempt)}", unexplained=isinstance(error, Unexplained))


def _spread(attempt: Attempt) -> str:
    """Where predictions and as many labels are spread to a square, since only one of them has a second axis."""
    met = sorted({n for step in attempt.steps for n in step.active | step.labelled}, key=lambda n: n.number)
    for node in met:
        shapes = {parent.shape for parent in node.parents}
        if node.is_of_entries and len(set(node.shape)) == 1 and shapes == {node.shape[:1], (*node.shape[:1], 1)}:
            m = node.shape[0]
            return (
                f"; {where(node)} makes {m}×{m} numbers of {m} and {m}: one of them is a column, and the other is none"
            )
    return ""


def _without_convention(judged: Judged) -> Judged:
    """A layer is given the gradient from above, so that no constant is its own to choose, but for the number of
    examples: those of the layers below would have it, and those of the layers above not."""
    scale = next((f.scale for f in judged.findings if f.code == "wrong-scale" and f.at == "loss"), None)
    if judged.wrong or not scale or is_of_counts(scale, judged.step):
        return judged
    findings = [Finding(f"d{name}", "wrong-scale", scale, f"{scale:.6g}") for name in judged.names]
    return judged._replace(findings=findings, wrong=list(judged.names), scale=1.0)


def _best(attempt: Attempt, stated: str | None, end: float) -> Judged:
    """The verdict on the step as `_by_readings`; where that is by a loss that the error implies, and the program
    computes one in another step, which has fewer parameters yet, and is wrong by that, this one; and where some array
    has no gradient in it, that on another step in which it has."""
    began = time.monotonic()
    count = max((len(step.parameters) for step in attempt.steps), default=0)
    best = _by_readings(attempt, [step for step in attempt.steps if len(step.parameters) == count], stated, end)
    if best.truth.loss.node is None:
        for step in (step for step in attempt.steps if len(step.parameters) < count):
            with contextlib.suppress(ValueError):
                judged = judge(attempt.tape, step, parameter_names(step, attempt.names), stated, attempt.near)
                if judged.wrong and judged.truth.loss.node is not None:
                    return judged
    still, now = _still(best), time.monotonic()
    others = [s for s in attempt.steps if len(s.parameters) == count and s.number != best.step.number]
    if still and others and 2 * (now - began) < end - now:
        with contextlib.suppress(ValueError):
            other = _by_readings(attempt, others, stated, end)
            if len(_still(other)) < len(still) and bool(other.wrong) == bool(best.wrong):
                return other
    return best


def _still(judged: Judged) -> list[str]:
    """The arrays of which no entry has a gradient, as weights have none that meet a first example of zeros."""
    return [name for name, true in judged.true.items() if not all(np.any(array) for array in true)]


def _by_readings(attempt: Attempt, steps: list[Step], stated: str | None, end: float) -> Judged:
    """The verdict on the first reading of the step under which something can be said; one that is right, if any is, and
    if the step after it is not wrong: a copy of the weights is right until they are stepped."""
    right: Judged | None = None  # but for a constant, perhaps
    wrong: Judged | None = None
    by_0: Judged | None = None  # wrong, but the first step may have a rate of 0
    problem: ValueError | None = None
    remade: Remade | None = None  # of the first step, as is `uphill`
    uphill: Uphill | None = None
    unexplained = meant = kept = False
    began = time.monotonic()
    for step in steps:
        if right is not None and right.truth.loss.name and (step.by_loss or not step.examples):
            continue  # a named loss leaves nothing to other numbers
        if kept and step.number == 2:
            continue  # what may be a constant in the first step may be so in the next
        try:
            judged = judge(attempt.tape, step, parameter_names(step, attempt.names), stated, attempt.near)
            if judged.wrong:
                judged = with_what_is_kept(judged, attempt)
        except (Tied, Astray):
            raise
        except ValueError as error:
            vague = isinstance(problem, Unproved) and not isinstance(error, (Unproved, NoLoss))
            problem = error if problem is None or vague else problem
            kept = kept or isinstance(error, Kept)
            remade = error if isinstance(error, Remade) and step.number == 1 else remade
            uphill = error if isinstance(error, Uphill) and step.number == 1 else uphill
            unexplained = unexplained or isinstance(error, Unexplained)
            meant = meant or (isinstance(error, Unexplained) and not isinstance(error, Unproved))
            continue
        met = {meeting.labels for example in judged.step.examples for meeting in example.meetings}
        if not judged.wrong and meant and met == {None}:  # read as if labels were where plain numbers pick entries
            continue
        if not judged.step.examples or judged.step.by_loss:  # the same step, read without its labels
            in_part = len(judged.wrong) < len(judged.names)  # it is the loss of those that are right
            doubted = meant if judged.step.examples or in_part else unexplained
            needs_proof = judged.wrong and judged.proof != "formula"
            if (needs_proof and doubted) or (not judged.wrong and meant):
                continue
        if judged.wrong and _is_multiplied_by_0(judged):
            by_0 = judged
            continue
        if judged.wrong:
            if wrong is None or (judged.is_certain and not _is_of_another_constant(wrong, judged)):
                wrong = judged
            if judged.is_certain:
                break
        elif right is not None and (
            judged.truth.loss.node is None or right.truth.loss.is_same_number(judged.truth.loss)
        ):
            continue  # the loss of a step that has it beside it counts
        elif not judged.findings:
            right = judged
            break
        else:
            right = right or judged  # another number of the program may be the loss, without that constant
    if right is None:
        if wrong is None and by_0 is not None:
            raise Unexplained(f"what steps {by_0.wrong[0]} is multiplied by 0: what it would be else cannot be told")
        if wrong is None:
            raise problem or ValueError("no step")
        return wrong
    if remade is not None and right.step.number == 2:
        raise remade
    if uphill is not None and right.step.number == 2:
        raise Unexplained(
            f"nothing is wrong in the next step, but the first one goes uphill on the number of {where(uphill.number)}"
        )
    if wrong is not None and wrong.truth.loss.node is not None and _is_made_elsewhere(wrong, right.step):
        return wrong
    # What is called by itself adds up what its program sets to 0. The next step takes as long as this one did.
    now = time.monotonic()
    in_time = 2 * (now - began) < end - now
    if in_time and not attempt.called and by_0 is None:
        with contextlib.suppress(MemoryError):  # there is room for one step
            return and_next(right, attempt, stated)
    return right


def _is_of_another_constant(stated: Judged, implied: Judged) -> bool:
    """Whether a number of the program's and the loss that an error implies only differ in which gradient lacks a
    constant: that is for the number to say."""
    constants = all(f.code == "wrong-scale" for of in (stated, implied) for f in of.findings)
    return constants and stated.truth.loss.node is not None and implied.truth.loss.node is None


def _is_multiplied_by_0(judged: Judged) -> bool:
    """Whether something that is wrong has come to 0 by a plain number that the line of its step was given: a rate that
    is warmed up begins there, and a reward may be 0. What makes the gradient may be 1 // m times something."""
    nothing = [judged.names[name] for name in judged.wrong if not any(given.any() for given in judged.given[name])]
    inside = ((n, p.after) for p in nothing for n in ancestors(nodes_in(p.steps), p.root.number))
    return any(is_by_0(n) and is_of_statement(n, after) and not _is_by_literal(n) for n, after in inside)


def _is_by_literal(node: Node) -> bool:
    """Whether the author's own expression multiplies by a number that is written out."""
    statement = statement_of(node)
    product = expression_of(node, statement) if statement is not None else None
    factors = (product.left, product.right) if isinstance(product, ast.BinOp) else ()
    return any(isinstance(factor, ast.Constant) for factor in factors)


def _is_made_elsewhere(wrong: Judged, right: Step) -> bool:
    """Whether what is wrong is of another round than a right step, and made by instructions that this has not: those of
    another branch."""
    others = [wrong.names[name] for name in wrong.wrong]
    is_another = {p.before for p in right.parameters}.isdisjoint(p.before for p in others)
    return is_another and not makers_of(others) <= makers_of(right.parameters)


def _without_input(attempt: Attempt, judged: Judged, stated: str | None) -> Judged | None:
    """The verdict on a layer's own parameters, where all that is wrong is that it steps them before it sends back.

    How far that is off is its rate's affair, and none of its own gradients is: it is said, and it is no verdict.
    """
    late = {judged.names[name] for name in judged.wrong}
    if not late or len(late) == len(judged.names) or any(f.code != "weights-already-updated" for f in judged.findings):
        return None
    return _without(judged, late, attempt, stated)


def _without(judged: Judged, some: set[Parameter], attempt: Attempt, stated: str | None) -> Judged:
    step = judged.step._replace(parameters=tuple(p for p in judged.step.parameters if p not in some))
    return judge(attempt.tape, step, parameter_names(step, attempt.names), stated, attempt.near)
