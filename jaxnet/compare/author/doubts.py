"""Why there is no verdict, whether gradients are those of a loss or not: another reading of the step may be meant, or
nothing of it can be seen.

Each check raises, and says what would be right and what wrong. None of them accuses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np

from jaxnet.compare.author.chains import PIECEWISE
from jaxnet.compare.author.dense import original
from jaxnet.compare.author.intended import (
    adds_up,
    clipping_of,
    constant_of,
    rounds_back,
    term_of_its_own,
    weights_of_examples,
)
from jaxnet.compare.author.judged import Astray, Endless, Judged, Tied, Unexplained, Unseen
from jaxnet.compare.author.levels import RIGHT, Level, holds, true_gradients
from jaxnet.compare.author.lines import is_of_statement
from jaxnet.compare.author.penalties import penalties
from jaxnet.compare.author.rates import without_common_rate
from jaxnet.compare.author.raw import stepped, stepped_by
from jaxnet.compare.author.replay import PullBack, Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, Tape, ancestors, depends, made_alone_of, made_of, nodes_in, setitem
from jaxnet.compare.author.truth import Loss, Truth, labels_of, tied, truths
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.multiples import NOTHING, common_multiple, each_multiple, is_among, multiples_of_each

Array = np.ndarray
MOST_NUMBERS = 8  # of a program that are looked at
ALIKE = 0.5  # the mean of the products of signs, or a cosine
SEVERAL = 4  # entries, of which that says something
PRODUCTS = {np.dot, np.matmul, np.einsum, np.tensordot, np.linalg.solve}
STEPS = {np.sign, np.round, np.rint, np.floor, np.ceil, np.trunc, np.heaviside, np.greater, np.greater_equal, np.less,
         np.less_equal}  # fmt: skip


def where(node: Node) -> str:
    return f"line {node.place.line} of {node.place.file}" if node.place else "the program"


def check_that_it_is_no_score(meant: Loss, others: list[Loss]) -> None:
    """Raises ValueError where all gradients are those of a number that grows as the error falls, R² say, and not those
    of another one that the program computes."""
    other = next((loss.node for loss in others if loss.node is not None), None)
    if meant.node is not None and meant.name == "squared-error" and meant.sign < 0 and other is not None:
        raise ValueError(
            f"all gradients are those of the squared error, of which {where(meant.node)} computes a score, and not "
            f"of the number of {where(other)}: right if that is a measure, wrong if it is the loss"
        )


def is_measure(node: Node | None, other: Loss, step: Step, tape: Tape) -> bool:
    """Whether the program's number is there to be looked at: only its root is wanted. Raises ValueError where nobody
    can say, since it is computed once the step is made, and all gradients are those of another loss."""
    if node is None:
        return False
    if any(n.function is np.sqrt and node in n.parents for n in tape.nodes[node.number : step.last]):
        return True
    made = node  # a loss may be added to those of other batches later
    while len(inner := [n for n in made.parents if n in step.active]) == 1 and inner[0].size == 1:
        made = inner[0]
    if made.number > max(p.after.number for p in step.parameters) and made.place:
        raise Unexplained(
            f"all gradients are those of the {other.name}, and line {made.place.line} computes another number once the "
            "step is made: right if that is a measure, wrong if it is the loss"
        )
    return False


def check_for_strangers(judged: Judged) -> None:
    """An array that came from outside of the record, after parameters were used, may depend on them: then the truth
    is not the whole truth, and nothing is proved by it."""
    step = judged.step
    first = min((n.number for n in step.active if n.parents), default=0)
    used = (parent for n in (*step.forward, *step.backward, *step.losses) for parent in n.parents)
    for node in used:
        if (
            node.origin == "foreign"
            and node.number > first
            and node.dtype.kind == "f"
            and np.ptp(np.asarray(node.value)) > 0
        ):
            here = f" in {where(node)}" if node.place else ""
            raise ValueError(f"an array{here} was not made by NumPy functions that are recorded: no gradient is judged")


def check_that_it_is_no_function_of_the_loss(judged: Judged) -> None:
    """The gradients of √loss are those of the loss times a number, which is another one in each draw."""
    given, true = zip(*((judged.given[name], judged.true[name]) for name in judged.given), strict=True)
    draws = range(len(judged.drawn))
    numbers = [common_multiple([g[k] for g in given], [t[k] for t in true], RIGHT) for k in draws]
    if len(given) > 1 and None not in numbers:
        raise ValueError("all gradients are those of the loss times a number that is another one in each draw")


def check_what_becomes_of_it(judged: Judged, wrong: list[str], findings: list[Finding]) -> None:
    """Where a line on the way to a step computes the right gradient, and another array is stepped with, an optimiser
    that nobody knows may have made that of it. A layer's error, of which other gradients are made too, is none."""
    known = {f.at for f in findings if f.code != "unknown"}
    step = judged.step
    ways = {p: step.way_to(p) for p in step.parameters}
    for name in wrong:
        p, true, chosen = judged.names[name], judged.true[name], judged.chosen[name]
        if f"d{name}" in known or p.size < 2 or common_multiple(judged.given[name], true, RIGHT) is not None:
            continue
        own = ways[p].difference(*(way for q, way in ways.items() if q is not p))
        for node in sorted(own, key=lambda n: n.number):
            in_one = chosen is not None and is_of_statement(chosen, node) and not is_of_statement(node, p.after)
            may_be = node.shape == p.before.shape and any(t.any() for t in true) and not in_one
            if may_be and holds(node, true, judged.drawn):
                raise Unexplained(
                    f"{where(node)} makes the gradient of {name}, and the step makes something else of it: right "
                    "if that is an optimiser's, and wrong if not"
                )


def check_for_a_forgotten_mean(judged: Judged, levels: dict[Parameter, Level], fitted) -> None:
    """The lines that make a gradient and step with it may have rates of their own. Where two differ by the number of
    examples, one may as well be a mean and the other one a sum."""
    rates = {}
    for name, p in judged.names.items():
        node, factors = levels[p].node, (fitted[p][0].factor, levels[p].factor)
        if node is not None and node.place == p.after.place and all(f and math.isfinite(f) for f in factors):
            rates[name] = abs(factors[0] / factors[1])
    sizes = {size for node in judged.step.active for size in node.shape}
    counts = (judged.step.counts or sizes).difference(*(p.before.shape for p in judged.step.parameters))
    for (a, rate), (b, other) in itertools.permutations(rates.items(), 2):
        if rate > other * (1 + RIGHT) and is_among(rate / other, counts, RIGHT):
            raise Unexplained(
                f"{a} is stepped with {rate / other:.0f} times the rate of {b}, which is the number of examples: right "
                "if each has its own rate, wrong if a mean was meant"
            )


def without_rates_of_their_own(judged: Judged, findings: list[Finding]) -> list[Finding]:
    """Where no rate is common to all steps, a number that one gradient is times the others' may be its rate: nothing is
    said of it beside another mistake, and there is no verdict on it alone."""
    off = {f.at for f in findings if f.code == "wrong-scale" and f.at[1:] in judged.names}
    if not off or not judged.step.is_authors or not without_common_rate(judged.step, judged.drawn[0]):
        return findings
    others = [f for f in findings if f.code != "wrong-scale" or f.at not in off]
    for alone in sorted(off - {f.at for f in others}):
        raise Unexplained(
            f"{alone} is the gradient times another number than others are, and no rate is common to all steps: right "
            "if each has its own, and wrong if not"
        )
    return others


def check_what_arrays_decay_by(judged: Judged, fitted: dict[Parameter, list[Level]]) -> None:
    """What is made of an array alone, and is added where it is stepped, is to make its entries smaller, as λp and the
    signs of p do."""
    for name, p in judged.names.items():
        decayed = (lv.candidate.node for lv in fitted[p] if lv.candidate is not None and lv.candidate.decayed)
        for node, values in itertools.product(decayed, judged.drawn):
            without = values.before(node)
            own = (n for n in node.parents if made_alone_of([n], {p.before, p.root}))
            without.known |= {n: np.zeros(n.shape) for n in own}
            taken = stepped(p, values) - stepped(p, without)
            if (taken * np.asarray(values(p.before)) < 0).any():
                raise Unexplained(
                    f"{where(node)} adds what is made of {name} alone, and makes it no smaller: right if that is "
                    "meant, and wrong if not"
                )


def check_that_steps_follow(judged: Judged, right: Iterable[str]) -> None:
    """Whatever an optimiser makes of a gradient has its signs, or most of them: not so the absolute values of it, its
    squares, its entries at other places, those that are positive. A matrix that it is multiplied by, as Newton's, may
    turn it."""
    for name in right:
        node, p = judged.chosen[name], judged.names[name]
        if node is None or not judged.step.is_authors:
            continue
        made, still = {node}, []
        for n in sorted(judged.step.way_to(p), key=lambda n: n.number):
            made |= {n} if n.number > node.number and not made.isdisjoint(n.parents) else set()
        if any(n.function in PRODUCTS for n in made - {node}):
            continue
        for values, t in zip(judged.drawn, judged.true[name], strict=True):
            whole, moved, alive = stepped(p, values), stepped_by(p, node, values), t != 0
            if moved.shape != t.shape or not alive.any() or not whole.any():  # a rate that is warmed up begins at 0
                continue
            still.append(alive & (whole == 0))
            signs = abs(float(np.mean(np.sign(moved[alive]) * np.sign(t[alive]))))
            cosine = abs(float(np.vdot(moved, t))) / (float(np.linalg.norm(moved) * np.linalg.norm(t)) or 1.0)
            astray = np.count_nonzero(alive) >= SEVERAL and max(signs, cosine) < ALIKE
            if not moved.any() or astray or _is_cut(still, np.mean(still[-1][alive])):
                raise Astray(
                    f"the gradient of {name} is right, but what {where(p.after)} steps by goes another way: right if "
                    "that is meant, and wrong if not"
                )


def _is_cut(still: list[Array], share: float) -> bool:
    """Whether a good part of the entries stay as they are, in one draw others than in another."""
    return share > ALIKE / 2 and not all(np.array_equal(entries, still[0]) for entries in still)


def check_for_entries_that_stay(judged: Judged, wrong: list[str]) -> None:
    """A step may be one of some entries only, whose turn it is, or of those that are trained at all; entries may be
    stepped in turns, each down a loss of its own; and of a symmetric matrix both halves may be one and the same."""
    recorded = Values()

    def is_right(name: str, entries: Array) -> bool:
        given, true = ([array[entries] for array in of[name]] for of in (judged.given, judged.true))
        return not entries.all() and (common_multiple(given, true, RIGHT) or 0) > 0

    for name in wrong:
        p, given, true = judged.names[name], judged.given[name], judged.true[name]
        if any(array.shape != t.shape for array, t in zip(given, true, strict=True)):
            continue
        if len(p.steps) > 1 and is_right(name, true[0] != 0):
            raise Unexplained(
                f"{where(p.after)} steps entries of {name} in turns, and the loss has a part of some alone, whose "
                "gradient is right: right if others have a loss of their own, and wrong if not"
            )
        whole = [n for n in judged.step.way_to(p) if n.size == p.size]
        masks = [p.after] if p.after.function in PIECEWISE else []
        masks += [n for n in whole if n.function in (np.tril, np.triu)]
        masks += [n for n in whole if n.function is np.where and n.inputs[0] not in judged.step.active]
        if masks and is_right(name, np.asarray(recorded(p.before)) != np.asarray(recorded(p.after))):
            raise Unexplained(
                f"{where(masks[0])} leaves some entries of {name} as they are, and the gradient of others is right: "
                "right if they are to stay, and wrong if not"
            )
        square = true[0].shape == true[0].T.shape and true[0].ndim == 2 and len(true[0]) > 1
        if not square or (common_multiple(given, [t + t.T for t in true], RIGHT) or 0) <= 0:
            continue
        before = np.asarray(recorded(p.before))
        if before.any() and np.array_equal(before, before.T):
            raise Unexplained(
                f"{name} is symmetric, and its gradient is that of a matrix which is to stay so: right if it is, and "
                "wrong if not"
            )


def check_for_a_fixed_point(judged: Judged, wrong: list[str]) -> None:
    """Of an iteration that has come to a fixed point the derivative is taken at that (Bai et al. 2019, deep equilibrium
    models). With other numbers it may come to none, and its end has another derivative."""
    own, loss, step = [Values()], judged.truth.loss, judged.step
    last: dict[tuple, Node] = {}
    ends = False
    for node in step.forward:
        where_made = node.site, node.function, node.shape
        before = last.get(where_made)
        if before is not None and node.size > 1 and depends(node, before):
            ends = ends or np.allclose(own[0](node), own[0](before), 1e-6, 0)
        last[where_made] = node
    nodes = {judged.names[name]: judged.chosen[name] for name in wrong if judged.names[name].size > 1}
    for truth in truths(step, own) if ends and nodes else ():
        if truth.loss.is_same(loss) and all(
            node and holds(node, true_gradients(p, truth), own) for p, node in nodes.items()
        ):
            raise Unexplained(
                "the gradients are right where an iteration comes to a fixed point, as it does in the program, and not "
                "where it does not: which is meant cannot be told"
            )


def check_for_rules_of_their_own(judged: Judged, findings: list[Finding]) -> None:
    """An array may have a rule of its own by which it is stepped: each of its rows a rate, as centres of classes do
    (Wen et al. 2016, center loss); or it climbs where others descend, as a perturbation or a multiplier does, and what
    makes its step of the gradient is not what makes the others'. Running averages are no gradients at all."""
    codes = {f.at[1:]: f.code for f in findings if f.at[1:] in judged.names}
    layers = judged.dense.parameters if judged.dense is not None else ()
    for name, code in codes.items():
        rows = [judged.given[name], judged.true[name]] if code == "unknown" and judged.names[name].size > 1 else []
        if rows and _has_rates_in_rows(*rows):
            raise Unexplained(
                f"each row of the gradient of {name} is the true one times a number of its own: right if that is its "
                "rate, and wrong if not"
            )
        climbs = code == "wrong-sign" and name not in layers and _is_bent(judged, name)
        if climbs and not all(_is_bent(judged, other) for other in judged.names):
            raise Unexplained(f"{name} is stepped uphill, in another way than others: right if it is meant to climb")
        if code == "unknown" and not judged.step.examples and _is_made_of_fewer(judged, name):
            raise Unexplained(
                f"{name} is stepped with what is made of fewer arrays than the loss: right if that is no gradient but "
                "an average, and wrong if not"
            )


def check_for_a_way_of_its_own(judged: Judged, findings: list[Finding]) -> None:
    """An error may be meant to come back another way: over a function that has no slope as if it had one (Bengio et al.
    2013, straight-through estimators), or through fixed weights of its own (Lillicrap et al. 2016, feedback alignment).
    """
    step = judged.step
    for name in (f.at[1:] for f in findings if f.code == "should-be-zero" and f.at[1:] in judged.names):
        jump = next((n for n in step.forward if n.function in STEPS and depends(n, judged.names[name].root)), None)
        if jump is not None:
            raise Unexplained(
                f"{where(jump)} has no slope, and the gradient of {name} goes over it: right if that is meant, as by a "
                "straight-through estimator, and wrong if not"
            )
    labels = [m.labels for example in step.examples for m in example.meetings if m.labels is not None]
    ends, begin = [example.prediction for example in step.examples], {p.root for p in step.parameters}
    forward = made_of([*ends, *step.losses, *labels], until=lambda n: n in begin)
    forward |= {version for p in step.parameters for version in p.versions}  # as weights were before
    for node in (n for n in step.backward if n.function in (np.dot, np.matmul)):
        for fixed in (n for n in node.parents if n not in step.active and n not in step.labelled):
            made = ancestors([fixed])
            if forward.isdisjoint(made) and any(n.origin == "random" for n in made):
                raise Unexplained(
                    f"{where(node)} sends the error back through numbers that the forward pass does not have: right if "
                    "that is meant, as in feedback alignment, and wrong if not"
                )


def _is_bent(judged: Judged, name: str) -> bool:
    """Whether what an array is stepped with is no multiple of its gradient."""
    steps = [stepped(judged.names[name], values) for values in judged.drawn]
    same = all(a.shape == b.shape for a, b in zip(steps, judged.given[name], strict=True))
    return not same or common_multiple(steps, judged.given[name], RIGHT) is None


def _is_made_of_fewer(judged: Judged, name: str) -> bool:
    """Whether what an array is stepped with is made of fewer parameters than what others are."""
    roots = {p.root for p in judged.names.values()}
    first = min(root.number for root in roots)
    made_of = {other: len(roots & ancestors(nodes_in(p.steps), first)) for other, p in judged.names.items()}
    return made_of[name] < max(made_of.values())


def _has_rates_in_rows(given: list[Array], true: list[Array]) -> bool:
    """Whether each row is a number of its own times the true one, the same number in all draws."""
    if any(g.shape != t.shape or g.ndim != 2 or g.shape[1] == 1 for g, t in zip(given, true, strict=True)):
        return False
    rates = each_multiple(np.hstack(given), np.hstack(true), 1, RIGHT)
    return rates is not None and np.ptp(rates) > RIGHT * np.abs(rates).max() and bool((rates > 0).all())


def check_for_a_sum_without_end(step: Step, truth: Truth, drawn: list[Values]) -> None:
    """Where a gradient is added to those of all steps before, a momentum is not damped, or nobody sets the sum to 0.
    Raises Endless."""
    for p in step.parameters:
        for node in step.way_to(p):
            old: Node | None = node if node.function is np.add and node.shape == p.before.shape else None
            while old is not None and old in step.labelled:  # the sum of what is added in this step
                old = next((n for n in old.parents if n.site == node.site), None)
            if old is None:
                continue
            added = [np.asarray(values(node), float) - np.asarray(values(old), float) for values in drawn]
            if common_multiple(added, true_gradients(p, truth), RIGHT) is not None:
                raise Endless(
                    f"{where(node)} adds a gradient to those of all steps before: right if that is meant, as a "
                    "momentum without damping, and wrong if the sum was to be set to 0"
                )


def check_for_another_number(judged: Judged, wrong: list[str]) -> None:
    """A program may step some arrays down one number and others down another one: a critic and an actor, say."""
    step, loss = judged.step, judged.truth.loss.node
    ways = ancestors(n for p in step.parameters for n in nodes_in(p.steps))
    numbers = [n for n in step.active if n.size == 1 and n.dtype is not None and n.dtype.kind == "f" and n not in ways]
    inner = {parent for n in numbers for parent in n.parents}
    outer = {n.site: n for n in sorted(numbers, key=lambda n: -n.number) if n not in inner and n is not loss}
    for node in list(outer.values())[:MOST_NUMBERS]:
        pull = PullBack([node], step.active, {p.root for p in step.parameters})
        found = [pull(values, [1.0]) for values in judged.drawn]
        for name in wrong:
            p = judged.names[name]
            if common_multiple(judged.given[name], judged.true[name], RIGHT) is not None:
                continue  # and of each other number that is a multiple of the loss
            of_it = [p.turned(of_draw[p.root]) for of_draw in found if p.root in of_draw]
            given = [array for array in judged.given[name] if array.shape == p.before.shape]
            same = len(of_it) == len(given) == len(found) and all(a.any() for a in of_it)
            if same and common_multiple(given, of_it, RIGHT) is not None:
                raise Unexplained(
                    f"the gradient of {name} is that of the number of {where(node)}, and others' are not: which loss "
                    "each array is for cannot be told"
                )


def check_for_an_error_that_is_turned(judged: Judged) -> None:
    """What some predictions are made of alone may be meant to descend their loss, and what it shares with others to
    climb that (Ganin and Lempitsky 2015, gradient reversal)."""
    step, truth = judged.step, judged.truth
    roots = {p.root for p in step.parameters}
    reached = {example.prediction: ancestors([example.prediction]) & roots for example in step.examples}
    groups: dict[frozenset[Node], list[Node]] = {}
    for prediction, of_it in reached.items():
        groups.setdefault(frozenset(of_it), []).append(prediction)
    if not 2 <= len(groups) <= MOST_NUMBERS or any(n not in a for n in reached for a in truth.adjoints):
        return
    parts = []
    for group, predictions in groups.items():
        pull = PullBack(predictions, step.active, roots)
        seeds = ([adjoints[n] for n in predictions] for adjoints in truth.adjoints)
        drawn = [pull(values, of_draw) for values, of_draw in zip(judged.drawn, seeds, strict=True)]
        others = frozenset[Node]().union(*(other for other in groups if other is not group))
        own = [name for name, p in judged.names.items() if p.root in group - others]
        factors = [common_multiple(judged.given[name], judged.true[name], RIGHT) or 0 for name in own]
        sign = np.sign(factors[0]) if len({*np.sign(factors)}) == 1 else 0
        parts.append((predictions[0], sign, drawn))
    for name, p in judged.names.items():
        by_group = [[p.turned(of_draw[p.root]) for of_draw in drawn if p.root in of_draw] for *_, drawn in parts]
        through = [k for k, of_draws in enumerate(by_group) if len(of_draws) == len(judged.drawn)]
        counts = multiples_of_each(judged.given[name], [by_group[k] for k in through], RIGHT)
        turned = [k for k, count in zip(through, counts or (), strict=False) if parts[k][1] * count < 0]
        if len(through) > 1 and turned:
            raise Unexplained(
                f"the error that comes back to {name} from {where(parts[turned[0]][0])} is turned, and that of what "
                "this alone is made of is not: right if that is meant, as by gradient reversal, and wrong if not"
            )


def check_for_a_proximal_step(judged: Judged, tape: Tape) -> None:
    """A step down a loss without its penalty may be followed by one of the penalty alone, as soft thresholding is
    (Parikh and Boyd 2014, proximal algorithms)."""
    step, truth = judged.step, judged.truth
    forward = ancestors(example.prediction for example in step.examples)
    used = {
        (n.site, k): p for n in step.forward for k, m in enumerate(n.parents) for p in step.parameters if m is p.root
    }
    later = tape.nodes[max((p.after.number for p in step.parameters), default=0) :]
    for name in judged.wrong:
        p = judged.names[name]
        for penalty in penalties(p, truth, forward):
            rest = [t - part for t, part in zip(judged.true[name], penalty, strict=True)]
            if (common_multiple(judged.given[name], rest, RIGHT) or 0) <= 0:
                continue
            now = (m for n in later for k, m in enumerate(n.parents) if used.get((n.site, k)) is p)
            made = next((m for m in now if m is not p.after), p.after)
            inside = made_of([made], until=lambda n, after=p.after: n is after)
            if p.after in inside - {made} and _is_proximal(made, p.after, judged.drawn):
                raise Unexplained(
                    f"{where(made)} makes of {name} what the next step begins with, and the gradient is right without "
                    "the penalty: right if that is the penalty's step, and wrong if not"
                )


def _is_proximal(made: Node, stepped: Node, drawn: list[Values]) -> bool:
    """Whether all that is left of an array is as much smaller as by a step down Σp² or Σ|p| at what it is then."""
    before, after = ([np.asarray(values(n), float) for values in drawn] for n in (stepped, made))
    left = [a != 0 for a in after]
    taken = [(b - a)[of] for a, b, of in zip(after, before, left, strict=True)]
    return any(
        (common_multiple(taken, [slope(a[of]) for a, of in zip(after, left, strict=True)], RIGHT) or 0) > 0
        for slope in (np.positive, np.sign)
    )


def check_what_it_branches_on(judged: Judged) -> None:
    """A draw in which the program would have branched in another way is no run of it; and of several numbers that are
    the largest, the error may go to each."""
    for values, adjoints in zip(judged.drawn, judged.truth.adjoints, strict=True):
        if (node := values.otherwise) is not None:
            raise ValueError(f"{where(node)} branches on numbers, and does so in another way whatever the parameters")
        largest = max(np.abs(adjoints[p.before]).max(initial=0) for p in judged.step.parameters if p.before in adjoints)
        for node in tied(judged.step, values):
            if np.abs(adjoints.get(node, 0.0)).max() > NOTHING * largest:  # nothing follows from a softmax's
                raise Tied(f"in {where(node)} several numbers are the largest: whose the error is cannot be told")


def check_that_labels_are_shares(judged: Judged) -> None:
    """The error of a softmax is ŷ − y where the labels of an example add up to 1, and ŷ Σy − y where they do not: with
    labels that were made up for a file that is not there, say."""
    values = judged.drawn[0]
    for example in judged.step.examples if judged.truth.loss.name == "cross-entropy" else ():
        P, Y = np.asarray(values(example.prediction), float), labels_of(example, values)
        are_shares = [any(np.allclose(a.sum(axis), 1) for axis in range(P.ndim)) for a in (P, Y) if a is not None]
        if are_shares == [True, False]:
            raise ValueError("the labels of an example do not add up to 1: of such the error is another one")


def check_where_it_is_taken(judged: Judged) -> None:
    """A gradient that is taken at other weights than are stepped, a little uphill of them, is none of these weights."""
    for name, p in judged.names.items():
        inside = ancestors(nodes_in(p.steps), p.before.number)
        used = {original(n) for made in inside if made.function in (np.dot, np.matmul) for n in made.parents}
        for node in sorted(inside & used, key=lambda n: n.number):
            at = [base for base, made in node.updates if base is p.before and made in judged.step.labelled]
            if at and node.place is not None:
                raise ValueError(f"the gradient of {name} is taken at other weights, made in line {node.place.line}")


def check_what_is_cut_off(judged: Judged) -> None:
    """Where a relu of the forward pass cuts something off there must be an error, or nobody can see what becomes of it.

    In a loss it need not be: a squared hinge has no error where it is 0. Raises Unseen.
    """
    active = judged.step.active
    forward = made_of(example.prediction for example in judged.step.examples)
    seen: dict[tuple, bool] = {}  # by the lines that cut off: whether there was
    for values, parts in zip(judged.drawn, judged.truth.parts, strict=True):
        for node, use in parts:
            if use not in forward or node.shape != use.shape or use.function in (np.add, np.subtract, setitem):
                continue
            if use.function is not np.maximum and len(active.intersection(use.parents)) < 2:
                continue  # a mask that is drawn: what the network decides on itself is a relu
            cut_off = (np.asarray(values(use)) == 0) & (np.asarray(values(node)) != 0)
            if cut_off.any():
                with_error = (cut_off & (parts.get((use, None), 0.0) != 0)).any()
                seen[use.site] = with_error or seen.get(use.site, False)
    hidden = [places[0] for (places, _), with_error in seen.items() if places and not with_error]
    if hidden:
        here = f"line {hidden[0].line} of {hidden[0].file}"
        raise Unseen(f"what {here} cuts off has no error: whether it is sent back cannot be told")


def check_for_intent(step: Step, truth: Truth, drawn: list[Values]) -> None:
    """What is not that of the computed loss is not wrong where that may be meant."""
    place, apart = constant_of(step, truth, drawn)
    if place is not None and apart:
        raise Unexplained(
            f"what line {place.line} makes is a constant for some gradients, which are right then, and what others are "
            f"made of, as those of what {where(apart[0].after)} steps: which loss these are for cannot be told"
        )
    if place is not None:
        raise Unexplained(f"the gradients are right if what line {place.line} makes is a constant, and wrong if not")
    if (place := term_of_its_own(step, truth, drawn)) is not None:
        raise Unexplained(f"the gradients are right but for what line {place.line} adds, of which the loss has no part")
    if (place := clipping_of(step, truth, drawn)) is not None:
        line = f"line {place.line}"
        raise Unexplained(f"the gradients are right but for what {line} clips: right if it is to, and wrong if not")
    if (place := weights_of_examples(step, truth, drawn)) is not None:
        raise Unexplained(f"the gradients are right if examples are to count differently, as line {place.line} has it")
    if (count := rounds_back(step, truth, drawn)) is not None:
        raise Unexplained(
            f"the gradients are right if they are meant to go back {count} rounds of the loop and no more"
        )


def check_for_a_later_penalty(judged: Judged, tape: Tape) -> None:
    """A penalty that is added to the loss once the weights have been stepped is one of other weights than the gradient
    could have: nothing tells whether it was to have it."""
    loss, stepped = judged.truth.loss.node, {p.after for p in judged.step.parameters}
    for node in tape.nodes[loss.number + 1 : judged.step.last + 1] if loss is not None else ():
        others = [parent for parent in node.parents if parent is not loss] if loss in node.parents else []
        if node.function is np.add and node.size == 1 and others and made_alone_of(others, stepped):
            raise Unexplained(
                f"{where(node)} adds to the loss a penalty of the weights after the step: whether the gradient is to "
                "have one of those before it cannot be told"
            )


def check_for_clipped_examples(judged: Judged, wrong: list[str]) -> None:
    """Where gradients of single examples are right, what becomes of them may be meant, unless that is a constant."""
    for name in wrong:
        if common_multiple(judged.given[name], judged.true[name], RIGHT) is not None:
            continue
        if (place := adds_up(judged.names[name], judged.true[name], judged.step, judged.drawn)) is not None:
            raise Unexplained(
                f"what line {place.line} makes adds up to the gradient of {name}, but what the step makes of it does "
                "not: right if that is meant, as each example's gradient is clipped, and wrong if not"
            )
