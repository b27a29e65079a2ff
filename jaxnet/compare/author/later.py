"""What the step after it tells of a step: what is right in the first may be right in it alone, and what is wrong there
may be made with an array that is kept from step to step, as a constant.

A copy of the weights is theirs until they are stepped, and a sum that is never set to 0 is one gradient until then.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from jaxnet.compare.author.attempts import Attempt
from jaxnet.compare.author.doubts_of_steps import check_for_a_sum_without_end
from jaxnet.compare.author.draws import draws
from jaxnet.compare.author.intended import explains
from jaxnet.compare.author.judge import DRAWS, as_constants, judge
from jaxnet.compare.author.judged import Astray, Judged, Kept, Unexplained, Unproved
from jaxnet.compare.author.levels import (
    RIGHT,
    constant_to,
    has_shape,
    holds,
    is_made_in_pieces,
    levels_of,
    true_gradients,
)
from jaxnet.compare.author.lines import where
from jaxnet.compare.author.names import parameter_names
from jaxnet.compare.author.node import MOVING, PRODUCTS, Node, ancestors, made_of, nodes_in, whole_of
from jaxnet.compare.author.penalties import penalties, terms_of_one_array, with_a_part
from jaxnet.compare.author.pullback import PullBack, Uses
from jaxnet.compare.author.raw import stepped, stepped_by
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step, held_in
from jaxnet.compare.author.truth import Loss, Truth, is_same_number, multiple_of, name_of_number, truths
from jaxnet.compare.author.updates import is_by_0
from jaxnet.compare.author.view import measured
from jaxnet.compare.multiples import common_multiple, is_among, with_penalty

Makers = dict[Node, dict[tuple, float]]  # what has made a gradient, of each array, and how many times that


def and_next(right: Judged, attempt: Attempt, stated: str | None) -> Judged:
    """The verdict on a right step; or on the next one of the same arrays, where that is wrong and would not be if it
    were made with their new versions only.

    It is wrong where what made a true gradient in the first step does not in the second, whatever an optimiser makes of
    it. Raises Unexplained where that is so and nobody can say why, where the next forward pass does not go on with what
    the step gave, and where a sum is never set to 0.
    """
    _check_that_it_stays_finite(right)
    _check_that_it_is_gone_on_with(right, attempt)
    _check_that_it_moves(right, attempt)
    _check_what_is_computed(right, attempt)
    _check_for_another_penalty(right, attempt)
    judged, also_right = _and_next(right, attempt, stated)
    if not judged.wrong:
        _check_that_it_is_made_again(right, attempt, also_right)
    return judged._replace(also=also_right)


def _check_that_it_stays_finite(judged: Judged) -> None:
    """What becomes NaN in its first step trains nothing, whatever the gradient."""

    def is_finite(node: Node) -> bool:
        return bool(np.isfinite(np.asarray(judged.recorded(node), float)).all())

    for name, p in judged.names.items():
        if is_finite(p.before) and not is_finite(p.after):
            way = (n for n in judged.step.way_to(p) if n.is_float and not is_finite(n))
            first = min(way, key=lambda n: n.number, default=p.after)
            raise Astray(f"the gradient of {name} is right, but {where(first)} makes NaN of it, or an infinite number")


def doubt_of_next(right: Judged, attempt: Attempt, stated: str | None) -> str:
    """Why what is right in the first step may not be so in the next one, where we make the steps: the program may set
    to 0 what is added up. "" if nothing tells."""
    try:
        _and_next(right, attempt, stated)
    except Unexplained as error:
        return str(error)
    return ""


def _and_next(right: Judged, attempt: Attempt, stated: str | None) -> tuple[Judged, Step | None]:
    """The verdict, and the next step if that is right as well."""
    loss = right.truth.loss
    if loss.decay is not None or loss.penalised:
        return right, None  # the truth is that of one step
    makers = {
        p.versions[0]: {
            n.site: constant
            for n in _on_the_way(p, right.step)
            if (constant := constant_to(n, right.true[name], right.drawn)) is not None
        }
        for name, p in right.names.items()
    }
    problem = None
    still = {p.versions[0] for name, p in right.names.items() if not any(t.any() for t in right.true[name])}
    for step in _others(right.step, attempt):
        # A number of all data may take a hundred times as long as that of a batch.
        numbers = (n for n in step.losses if loss.node is None or is_same_number(n, loss.node))
        of_loss = step._replace(losses=tuple(numbers))
        drawn, as_it_was = draws(of_loss, DRAWS, attempt.tape, near=attempt.near), [Values()]
        try:
            truth, wrong = _by_loss(right, makers, of_loss, drawn)
            if wrong:  # what is made of earlier steps may be another way to the weights that are drawn
                wrong &= _by_loss(right, makers, of_loss, as_it_was)[1]
        except ValueError:
            problem = problem or _of_another_branch(right, step, attempt, stated)
            continue
        if not wrong:
            check_for_a_sum_without_end(step, truth, drawn)
            seen = _of_what_had_none(still, step, attempt, stated)
            return (seen, None) if seen is not None else (right, step)
        kept = _kept(right.step, step)
        if kept and not wrong & _unmade(makers, step, truth.whole(kept), drawn):
            return right._replace(kept=min((node for node, _ in kept), key=lambda n: n.number)), None
        names = parameter_names(step, attempt.names)
        try:
            judged = judge(attempt.tape, step, names, stated, attempt.near)
        except ValueError:
            judged = None
        by_own = judged is not None and not judged.wrong and judged.truth.loss.node is not None
        if by_own and _made_in_other_lines(right, step, step.parameters) is not None:
            return right, step  # of a branch that has a loss of its own
        same = judged is not None and {judged.names[name] for name in judged.wrong} == wrong
        if judged is not None and same and judged.is_certain:
            is_of_old = all(_is_of_old(judged, name) for name in judged.wrong)
            if is_of_old or _goes_further(right, step, wrong, attempt):
                return judged, None
        first = min(wrong, key=lambda p: p.before.number)
        problem = problem or _of_another_gradient(right, step, first, names[first])
    if problem is not None:
        raise problem
    return right, None


def _of_another_gradient(right: Judged, step: Step, wrong: Parameter, name: str) -> Unexplained:
    """Why there is no verdict where a gradient is right in one step and not in another one."""
    if (made := _made_in_other_lines(right, step, [wrong])) is not None:
        return Unexplained(
            f"nothing is wrong in one step, but in another, in which {where(made)} has a part, the gradient of {name} "
            "is not that of the same loss: right if that is meant, and wrong if not"
        )
    return Unexplained(
        f"nothing is wrong in the first step, but in the second one the gradient of {name} is another one: right if "
        "what is kept from the first is meant to make it so, and wrong if not"
    )


def _of_another_branch(right: Judged, step: Step, attempt: Attempt, stated: str | None) -> Unexplained | None:
    """Why there is no verdict where other lines make another step, and nothing of it is a gradient of the number that
    is computed beside it: the loss of that branch, perhaps."""
    if (made := _made_in_other_lines(right, step, step.parameters)) is None:
        return None
    try:
        judge(attempt.tape, step, parameter_names(step, attempt.names), stated, attempt.near)
    except Unproved as error:
        return Unexplained(f"nothing is wrong in one step, but in another, in which {where(made)} has a part, {error}")
    except ValueError:
        pass
    return None


def _made_in_other_lines(right: Judged, step: Step, parameters: Iterable[Parameter]) -> Node | None:
    """What a line that has no part in a right step makes between the labels and these parameters."""
    return min(_in_other_lines(right, step, parameters), key=lambda n: n.number, default=None)


def _in_other_lines(right: Judged, step: Step, parameters: Iterable[Parameter]) -> list[Node]:
    lines = {n.place for p in right.step.parameters for n in made_of(nodes_in(p.steps), p.root.number)}
    return [n for p in parameters for n in step.way_to(p) if n.place not in lines]


def _goes_further(right: Judged, step: Step, wrong: Iterable[Parameter], attempt: Attempt) -> bool:
    """Whether lines that make these gradients were run in a right step too and had no part in it, and no others have:
    what a loop sends back from its last round, of a sequence with one word."""
    begin, end = min(n.number for n in right.step.active), max(p.after.number for p in right.step.parameters)
    ran = {n.place for n in attempt.tape.nodes[begin:end]}
    others = _in_other_lines(right, step, wrong)
    return bool(others) and all(n.place in ran for n in others)


def _check_that_it_moves(right: Judged, attempt: Attempt) -> None:
    """Raises Unexplained where a gradient is multiplied by 0 before it is stepped with, and in the next step as well,
    and others are not: a rate that is warmed up is 0 for all, or in one step."""
    still = {name for name, p in right.names.items() if not stepped(p, right.recorded).any()}
    if len(still) == len(right.names):
        return
    steps = [(step, {q.versions[0]: q for q in step.parameters}) for step in _others(right.step, attempt)]
    for name, p in right.names.items():
        if name not in still or not any(t.any() for t in right.true[name]):
            continue
        by_0 = {n.site: n for n in right.step.way_to(p) if is_by_0(n) and n.size == p.size}
        again = [{n.site for n in step.way_to(own[p.versions[0]]) if is_by_0(n)} for step, own in steps]
        always = [n for site, n in by_0.items() if again and all(site in sites for sites in again)]
        if always:
            raise Unexplained(
                f"nothing is wrong in what is stepped, but {where(always[0])} multiplies the gradient of {name} by 0: "
                "right if that is to stay as it is, and wrong if not"
            )


def _of_what_had_none(still: set[Node], step: Step, attempt: Attempt, stated: str | None) -> Judged | None:
    """The verdict on a step in which what had no gradient in the first one, of a first example of zeros say, has one
    that is wrong; None if none of it has."""
    if not still:
        return None
    with contextlib.suppress(ValueError):
        judged = judge(attempt.tape, step, parameter_names(step, attempt.names), stated, attempt.near)
        wrong = {judged.names[name].versions[0] for name in judged.wrong}
        if wrong and wrong <= still and judged.is_certain:
            return judged
    return None


def _check_that_it_is_gone_on_with(right: Judged, attempt: Attempt) -> None:
    """Raises Unexplained where something else than an array's next version stands in its place in the next forward
    pass: a copy or a view of the weights that has grown stale, or what was given another array's name; or the next
    version of an array that was none to be judged."""
    step, names = right.step, {p: name for name, p in right.names.items()}
    owner = {node: p for p in step.parameters for node in (p.root, p.before, *p.writes)}
    version_of = {version: p for p in step.parameters for version in p.versions}
    begin = max(p.after.number for p in step.parameters)
    of_rows = any(p.root.function is operator.getitem for p in step.parameters)  # of which others come next
    end = max(
        (p.versions[2].number for p in step.parameters if len(p.versions) > 2),
        default=0 if of_rows else len(attempt.tape.nodes),
    )
    following, recorded = _in_their_places(attempt.tape.nodes[begin:end]), right.recorded
    loss = right.truth.loss.node
    forward = step.forward or [
        n for n in sorted(made_of([loss]) if loss else (), key=lambda n: n.number) if n in step.active
    ]
    for place, (node, *nodes) in _in_their_places(forward).items():
        stood, now = ([n.parents[place[-1]] for n in of] for of in ((node, *nodes), following.get(place, ())))
        own = dict.fromkeys(owner[n] for n in map(whole_of, stood) if n in owner)
        lost = [p for p in own if p.new.isdisjoint(ancestors(now, min(n.number for n in p.new)))] if now else []
        if not own and step.active.isdisjoint(stood):  # a constant, where now a step of an array may stand
            others = (n for n in map(whole_of, now) if n not in version_of)
            lost = [version_of[base] for n in others for base, _ in n.updates if base in version_of]
        if lost:
            raise Unexplained(
                f"nothing is wrong in the first step, but what {where(node)} uses in the next one is not what the "
                f"first has made of {names[lost[0]]}"
            )
        p = owner.get(stood[0]) if now else None
        if p is not None and now[0].shape == stood[0].shape == p.after.shape:
            before, after, gone_on = (np.asarray(recorded(n)) for n in (p.before, p.after, now[0]))
            exchanged = not np.array_equal(gone_on, after) and np.isin(gone_on, after).all()
            if exchanged or np.any((gone_on == before) & (after != before)):
                raise Unexplained(
                    f"nothing is wrong in the first step, but what {where(node)} uses in the next one are some entries "
                    f"of {names[p]} {'at other places' if exchanged else 'as they were before'}"
                )


def _check_what_is_computed(right: Judged, attempt: Attempt) -> None:
    """Raises Unexplained where the loss is one that the error implies, and later, when an epoch is over, the program
    computes the squared error where that is none, or cross-entropy where that is the squared error; or that very loss,
    of the labels that those of the error are computed of."""
    meant = right.truth.loss.name
    for step in measured(attempt.tape, right.step) if right.truth.loss.node is None else ():
        name, factor = name_of_number(step, [Values()])
        if name is not None and "squared-error" in (name, meant) and name != meant:
            raise Unexplained(
                f"all gradients are those of the {meant}, and {where(step.losses[0])} computes the {name}: right if "
                "that is a measure, wrong if it is the loss"
            )
        if name == meant and (made := _of_other_labels(right.step, step)) is not None:
            raise Unexplained(
                f"all gradients are those of the {meant} with labels that {where(made)} makes of those with which "
                f"{where(step.losses[0])} computes it: right if that is a measure, wrong if it is the loss"
            )
        if name == meant and (other := _with_another_penalty(right, step, factor)):
            raise _of_another_penalty(step.losses[0], other)


def _of_other_labels(step: Step, measure: Step) -> Node | None:
    """What computes the labels of an error of those of a later number, where they are no part or view of these."""
    own, later = ({m.labels for e in of.examples for m in e.meetings if m.labels is not None} for of in (step, measure))

    def whole(node: Node) -> Node:
        while node not in later and node.function in MOVING and isinstance(node.inputs[0], Node):
            node = node.inputs[0]
        return node

    made = set(map(whole, own))
    others = (n for n in made if not later.isdisjoint(ancestors([n])))
    return next(others, None) if made.isdisjoint(later) else None


def _with_another_penalty(right: Judged, measure: Step, factor: float) -> str:
    """The array of which a number that is computed later has another penalty than its gradient, if it has any: as a
    share of what one example has, or of all of them."""
    values, (number,) = Values(), measure.losses
    pull = PullBack([number], measure.active, {p.root for p in measure.parameters})
    truth = Truth(right.truth.loss, [], lambda *_: [], [pull.parts(values, [factor and 1 / factor])])
    forward = ancestors(example.prediction for example in measure.examples)
    computed = {}
    for p in measure.parameters:
        own = np.asarray(values(p.before), float)
        for (part,) in penalties(p, truth, forward)[:1]:  # of all but the row of the biases, perhaps
            computed[p.versions[0]] = common_multiple([part[part != 0]], [own[part != 0]], RIGHT) or 0.0
    sizes = [sum(e.prediction.size for e in step.examples) for step in (right.step, measure)]
    for name, p in right.names.items() if any(computed.values()) else ():
        of_all, given = computed.get(p.root, 0.0), right.truth.loss.penalised.get(p.before, 0.0)
        if not given:  # it may be added where the step is made
            whole, true = [np.asarray(stepped(p, v), float) for v in right.drawn], right.true[name]
            own = [np.asarray(v(p.before), float) for v in right.drawn]
            alike = all(a.shape == t.shape for a, t in zip(whole, true, strict=True))
            given = (with_penalty(whole, true, own, RIGHT) or (0.0, 0.0))[1] if alike else 0.0
        if not is_among(given, [of_all, of_all * sizes[0] / sizes[1]], 1e-4) and not any(p.shrunk):
            return name
    return ""


def _check_for_another_penalty(right: Judged, attempt: Attempt) -> None:
    """Raises Unexplained where the loss is one that the error implies, and the program computes a number D + Σ P(p)
    beside a step, of which all parameters take c ∂D/∂p + c(p) ∂P/∂p + λ(p) p with another c(p) than c, 0 if the penalty
    is left out, or with a λ(p) p that the number does not have.
    """
    if right.truth.loss.node is not None:
        return
    names = {p.versions[0]: name for name, p in right.names.items()}
    for step in attempt.steps:
        own = {p: names[p.versions[0]] for p in step.parameters if p.versions[0] in names}
        for number in step.losses if len(own) == len(step.parameters) else ():
            if penalised := terms_of_one_array(number, {p.root for p in own}):
                drawn = draws(step._replace(losses=(number,)), DRAWS, attempt.tape)
                if name := with_a_part(own, step, number, penalised, drawn):
                    raise _of_another_penalty(number, name)


def _of_another_penalty(number: Node, name: str) -> Unexplained:
    return Unexplained(
        f"nothing is wrong but for a penalty: {where(number)} computes one of {name} that its gradient has not"
    )


def _check_that_it_is_made_again(right: Judged, attempt: Attempt, also_right: Step | None) -> None:
    """Raises Unexplained where what steps an array later multiplies arrays in lines that have no part in the first
    step, nor in one that is also right: those of another task, or of another branch."""
    begin, again = max(p.after.number for p in right.step.parameters), right.step.next_pass(attempt.tape)
    seen = {n.instruction for n in attempt.tape.nodes[: begin if again is None else again]}
    seen |= {n.instruction for n in also_right.active} if also_right is not None else set()
    for name, p in right.names.items():
        for before, after in itertools.pairwise(n for n in p.versions if n.number >= p.after.number):
            steps = (g for base, g in after.updates if base is before and isinstance(g, Node))
            made = made_of(steps, before.number, attempt.tape.rounds.__contains__)  # not what other steps are made of
            new = [n for n in made if n.function in PRODUCTS and n.size > 1 and n.instruction not in seen]
            if new:
                raise Unexplained(
                    f"nothing is wrong in the first step, but {where(min(new, key=lambda n: n.number))} has a part in "
                    f"later steps of {name} only"
                )


def _in_their_places(nodes: Iterable[Node]) -> dict[tuple, list[Node]]:
    """The Nodes that each instruction makes, for each place that something has in it."""
    found: dict[tuple, list[Node]] = {}
    for node in nodes:
        for k in range(len(node.parents)):
            found.setdefault((node.site, node.function, k), []).append(node)
    return found


def with_what_is_kept(wrong: Judged, attempt: Attempt) -> Judged:
    """The verdict, where no formula gives what is wrong, by a reading in which what is made with arrays that are kept
    from step to step is a constant, if more is right by it: the largest singular value by one more round of power
    iteration (Miyato et al. 2018, spectral normalisation), or what running averages correct. Raises Kept where all
    is."""
    if wrong.proof == "formula":
        return wrong
    for second in _others(wrong.step, attempt):
        stopped = _parted(wrong.step, second) | _carried(wrong.step, second)
        if not stopped:
            continue
        first, truth = min((node for node, _ in stopped), key=lambda n: n.number), wrong.truth.whole(stopped)
        if explains(levels_of(wrong.step, wrong.drawn), truth):
            raise Kept(
                f"the gradients are right if what {where(first)} makes with what is kept from step to step is a "
                "constant, and wrong if not"
            )
        if (by := as_constants(wrong, replace(truth, loss=truth.loss._replace(constant=first)))) is not None:
            return by
    return wrong


def _others(step: Step, attempt: Attempt) -> Iterator[Step]:
    """The other steps of the same arrays."""
    own = {p.versions[0]: p.before for p in step.parameters}
    for other in attempt.steps:
        begun = {p.versions[0]: p.before for p in other.parameters}
        if begun.keys() == own.keys() and all(before is not own[begin] for begin, before in begun.items()):
            yield other


def _carried(first: Step, second: Step) -> Uses:
    """The uses of what carries an array over from step to step: of what is made with it as it was before, of what it
    is after, and of all between, by others."""
    made: set[Node] = set()
    new: set[Node] = set()
    following = _by_site(second)
    for site, nodes in _by_site(first).items():
        for node, again in zip(nodes, following.get(site, ()), strict=False):
            for old, kept in zip(node.parents, again.parents, strict=False):
                if old not in first.active and kept in first.active and kept.size > 1:
                    made.add(node)
                    new.add(kept)
    between = ancestors(new) & first.active
    carrying = set(made)
    for node in sorted(between, key=lambda n: n.number):
        if not carrying.isdisjoint(node.parents):
            carrying.add(node)
    return frozenset(
        (parent, node) for node in first.active - carrying for parent in node.parents if parent in carrying
    )


def _parted(first: Step, second: Step) -> Uses:
    """The uses of what is made of parameters, and in the other step by another instruction, or of others: of a copy
    that is no longer the same then, or of what a queue was filled with."""
    own, now, following = held_in(first.parameters), held_in(second.parameters), _by_site(second)

    def is_parted(old: Node, other: Node) -> bool:
        old, other = whole_of(old), whole_of(other)
        if old in own:
            return other not in now
        return old in first.active and (other.site != old.site or other not in second.active)

    return frozenset(
        (old, node)
        for site, nodes in _by_site(first).items()
        for node, again in zip(nodes, following.get(site, ()), strict=False)
        for old, other in zip(node.parents, again.parents, strict=False)
        if is_parted(old, other)
    )


def _by_site(step: Step) -> dict[tuple, list[Node]]:
    """What depends on the parameters, in order, by the operation and the instruction that made it."""
    found: dict[tuple, list[Node]] = {}
    for node in sorted(step.active, key=lambda n: n.number):
        found.setdefault((node.site, node.function), []).append(node)
    return found


def _kept(first: Step, second: Step) -> Uses:
    """Where arrays that no instruction of the first step made of its parameters are used by those that did: what is
    made after a step for the next one, a target or a weight, which was a constant in the first."""
    sites = {n.site for n in first.active}
    own = held_in(second.parameters)
    return frozenset(
        (parent, node)
        for node in second.active
        if node.site in sites
        for parent in node.parents
        if parent in second.active and parent not in own and parent.site not in sites
    )


def _by_loss(right: Judged, makers: Makers, step: Step, drawn: list[Values]) -> tuple[Truth, set[Parameter]]:
    """The truth by the loss of another step, and what is `_unmade` by it: of several readings of the loss, as of
    probabilities and of scores, by the one of which most is made. Where it is computed now and then only, by that of
    its name. Raises ValueError where it has none."""
    loss = right.truth.loss
    same = [t for t in truths(step, drawn, inferred=loss.node is None) if t.loss.is_same(loss)]
    if not same and any(
        multiple_of(right.truth, t, right.step) for t in _of_name(truths(right.step, right.drawn), loss)
    ):
        same = _of_name(truths(step, drawn), loss)
    found = [(t, _unmade(makers, step, t, drawn)) for t in same]
    if not found:
        raise ValueError("the loss is not known in this step")
    return min(found, key=lambda pair: len(pair[1]))


def _of_name(possible: Iterable[Truth], loss: Loss) -> list[Truth]:
    """Those that are inferred, of the name that a loss has."""
    return [t for t in possible if loss.name is not None and t.loss.node is None and t.loss.name == loss.name]


def _unmade(makers: Makers, step: Step, truth: Truth, drawn: list[Values]) -> set[Parameter]:
    """The parameters whose true gradient none of the instructions makes that did so in another step. Called from
    another line they are the same; a step that is written once more, with others, is to be the gradient itself. By one
    draw alone, what is made is to be as many times the gradient as it was: any error of one number is some multiple."""
    found = set()

    def is_made(node: Node, true: list[np.ndarray], before: float | None) -> bool:
        constant = constant_to(node, true, drawn)
        return constant is not None and (len(drawn) > 1 or before is None or is_among(constant, [before], RIGHT))

    for p in step.parameters:
        true, sites = true_gradients(p, truth), makers[p.versions[0]]
        way, instructions = _on_the_way(p, step), {instruction for _, instruction in sites}
        alike = [n for n in way if n.site in sites] or [n for n in way if n.instruction in instructions]
        made = any(is_made(n, true, sites.get(n.site)) for n in alike)
        by_entries = len(p.steps) > 1
        made = made or (by_entries and _is_made_by_entries(p, step, true, drawn))
        if not alike:
            made = made or common_multiple([stepped(p, values) for values in drawn], true, RIGHT) is not None
        if (sites or by_entries) and not made and (truth.parts or all(t.any() for t in true)):
            found.add(p)
    return found


def _is_made_by_entries(p: Parameter, step: Step, true: list[np.ndarray], drawn: list[Values]) -> bool:
    """Whether entries that are stepped one by one move by the gradient, and perhaps by a part of what they moved by in
    the step before, a momentum: by all of that they would for ever."""
    if common_multiple([stepped(p, values) for values in drawn], true, RIGHT) is not None:
        return True
    if is_made_in_pieces(p, step, true, drawn):
        return True
    errors = [m.node for e in step.examples for m in e.meetings]
    if not errors or p.before not in p.versions[1:]:
        return False
    if common_multiple([stepped_by(p, errors, values) for values in drawn], true, RIGHT) is None:
        return False
    now, earlier = Values(), p.versions[p.versions.index(p.before) - 1]
    moved = np.asarray(now(earlier), float) - np.asarray(now(p.before), float)
    share = common_multiple([stepped(p, now) - stepped_by(p, errors, now)], [moved], RIGHT)
    return share is not None and 0 <= share < 1 - RIGHT


def _on_the_way(parameter: Parameter, step: Step) -> list[Node]:
    """What follows from the labels, and the parameter's step from that, in the parameter's shape."""
    return [n for n in step.way_to(parameter) if has_shape(n, parameter.before.shape)]


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
