"""Why there is no verdict on what an array is stepped by: what becomes of a gradient until then may be meant.

Each check raises, and says what would be right and what wrong. None of them accuses.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Mapping

import numpy as np

from jaxnet.compare.author.chains import PIECEWISE
from jaxnet.compare.author.draws import nothing_there, stands_alone
from jaxnet.compare.author.intended import adds_up
from jaxnet.compare.author.judged import Astray, Judged, Remade, Unexplained
from jaxnet.compare.author.levels import RIGHT, Level, constant_to, is_one_number, true_gradients
from jaxnet.compare.author.lines import is_of_statement, where
from jaxnet.compare.author.node import (
    PRODUCTS,
    Node,
    ancestors,
    depends,
    made_alone_of,
    made_of,
    nodes_in,
    original,
    root_of,
    setitem,
)
from jaxnet.compare.author.penalties import ADDING, SCALING, penalties, penalty_added
from jaxnet.compare.author.rates import (
    but_for,
    common_to,
    numbers_of,
    outside_of_formulas,
    products,
    without_common_rate,
)
from jaxnet.compare.author.raw import stepped, stepped_by
from jaxnet.compare.author.recorder import MUTATORS, set_flat
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step, held_in
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.truth import Truth
from jaxnet.compare.author.updates import versions_until
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.multiples import common_multiple, each_multiple, is_among, without_ones
from jaxnet.compare.report import some

Array = np.ndarray
ALIKE = 0.5  # the mean of the products of signs, or a cosine
SEVERAL = 4  # entries, of which that says something
MOVED = 1e-3  # how far an array is moved, to see what becomes of predictions
ALONG = np.linspace(-8, 8, 17)  # how far it is, as a share of its size, to see how a loss curves …
SAME = 1e-12  # … of which this share is rounding
TURNING = PRODUCTS | {np.linalg.solve}


def check_what_becomes_of_it(
    judged: Judged, wrong: list[str], findings: list[Finding], common: float, inside: Mapping[str, Node]
) -> None:
    """Where a line on the way to a step computes the right gradient, and another array is stepped with, an optimiser
    that nobody knows may have made that of it. A layer's error, of which other gradients are made too, is none, unless
    nothing else is `inside` of a step."""
    known = {f.at for f in findings if f.code != "unknown"}
    step = judged.step
    forward = {n for n in set(step.forward) - held_in(step.parameters) if n.size > 1}

    def goes_on_with_forward(node: Node, way: Iterable[Node]) -> bool:
        """Whether what is made of it has a part that the prediction is made of: no optimiser has a use for that."""
        return any(not forward.isdisjoint(n.parents) and depends(n, node) for n in way if n.number > node.number)

    ways = {p: step.way_to(p) for p in step.parameters}
    for name in wrong:
        p, true, chosen = judged.names[name], judged.true[name], judged.chosen[name]
        if f"d{name}" in known or common_multiple(judged.given[name], true, RIGHT) is not None:
            continue
        own = ways[p].difference(*(way for q, way in ways.items() if q is not p))
        own |= {inside[name]} if name in inside else set()
        # Of a sum that goes on, over examples, no term is the gradient, nor is what has been added up by then.
        sums = {n: m for m in own for n in m.parents if n.site == m.site}
        adding = {m.places: m.site for m in sums.values()}
        own -= {n for n in own if n in sums or n.site != adding.get(n.places, n.site)}
        for node in sorted(own, key=lambda n: n.number):
            in_one = chosen is not None and is_of_statement(chosen, node) and not is_of_statement(node, p.after)
            factor = constant_to(node, true, judged.drawn) if any(t.any() for t in true) and not in_one else None
            # A number may be a multiple of much: it is to be that which right gradients have.
            as_others = len(wrong) < len(judged.names) and factor and is_among(abs(factor), [common], RIGHT)
            if factor is not None and (p.size > 1 or as_others) and not goes_on_with_forward(node, ways[p]):
                raise Remade(
                    f"{where(node)} makes the gradient of {name}, and the step makes something else of it: right "
                    "if that is an optimiser's, and wrong if not"
                )


def check_for_one_number(judged: Judged, wrong: list[str]) -> None:
    """Where all that is wrong is a single number, the same in all draws, no constant of it is proved where an optimiser
    makes something else of it."""
    alone = all(is_one_number(judged.true[name]) and _is_bent(judged, name) for name in wrong)
    if alone and wrong:
        raise Unexplained(
            f"the gradient of {some(wrong)} is one number, which is the same with other data: whether the step makes "
            "the same of it as of others cannot be told"
        )


def check_for_a_forgotten_factor(judged: Judged, levels: dict[Parameter, Level], fitted) -> None:
    """The lines that make a gradient and step with it may have rates of their own. Where two differ by the number of
    examples, one may as well be a mean and the other one a sum; and where all gradients share a constant, and one would
    be the loss's without its own rate, that may be the 2 of a square that the others lack."""
    rates, constant = {}, 1.0
    for name, p in judged.names.items():
        node, whole, own = levels[p].node, fitted[p][0].factor or 0.0, levels[p].factor or 0.0
        in_one = len(p.steps) > 1 if node is None else is_of_statement(node, p.after)
        if in_one and whole and own and math.isfinite(whole) and math.isfinite(own):
            rates[name], constant = abs(whole / own), abs(own)
    sizes = {size for node in judged.step.active for size in node.shape}
    counts = (judged.step.counts or sizes).difference(*(p.before.shape for p in judged.step.parameters))
    for (a, rate), (b, other) in itertools.permutations(rates.items(), 2):
        ratio = rate / other
        is_count = is_among(ratio, counts, RIGHT)
        is_factor = is_among(2 * ratio, [round(2 * ratio)], RIGHT) and abs(constant - 1) > RIGHT
        is_factor = is_factor and is_among(1.0, [constant * ratio, constant / ratio], RIGHT)
        if ratio > 1 + RIGHT and (is_count or is_factor):
            meant = "the number of examples" if is_count else "a factor of the loss's"
            raise Unexplained(
                f"{a} is stepped with {ratio:.6g} times the rate of {b}, which may be {meant}: right if each has its "
                "own rate, wrong if that is missing in one"
            )


def without_rates_of_their_own(judged: Judged, findings: list[Finding]) -> list[Finding]:
    """Where no rate is common to all steps, or a line multiplies one gradient alone, a number that this is times the
    others' may be its rate: nothing is said of it beside another mistake, and there is no verdict on it alone."""
    step, values = judged.step, judged.drawn[0]
    off = {f.at: f.scale or 0.0 for f in findings if f.code == "wrong-scale" and f.at[1:] in judged.names}
    if not off or not step.is_authors:
        return findings
    outside = {
        f"d{name}": outside_of_formulas(numbers_of(p, step, values, judged.made[name]))
        for name, p in judged.names.items()
    }
    shared = common_to(list(outside.values()))

    def has_rate(at: str) -> bool:
        return is_among(abs(off[at]), products([n.size for n in but_for(outside[at], shared)]), RIGHT)

    own = set(off) if without_common_rate(step, values) else set(filter(has_rate, off))
    others = [f for f in findings if f.code != "wrong-scale" or f.at not in own]
    for alone in sorted(own - {f.at for f in others}):
        no_rate = "is the gradient times another number than others are, and no rate is common to all steps"
        its_own = f"alone is multiplied by {abs(off[alone]):.6g} once it is made"
        raise Unexplained(f"{alone} {its_own if shared else no_rate}: right if it has a rate of its own, wrong if not")
    return others


def check_what_arrays_decay_by(judged: Judged, fitted: dict[Parameter, list[Level]]) -> None:
    """What is made of an array alone, and is added where it is stepped, is to make its entries smaller, as λp and the
    signs of p do. A loss that has penalties names the arrays that are to decay."""
    of_loss = made_of(nodes_in(judged.truth.loss.node)) & judged.step.active
    for name, p in judged.names.items():
        decayed = [lv.candidate.node for lv in fitted[p] if lv.candidate is not None and lv.candidate.decayed]
        smaller = [*decayed, *(made for _, made in p.shrunk)]
        if (
            smaller
            and not stands_alone({p.before}, of_loss)
            and (penalised := [other for other, q in judged.names.items() if stands_alone({q.before}, of_loss)])
        ):
            raise Unexplained(
                f"{where(smaller[0])} makes {name} smaller by itself, and the loss has a penalty of {some(penalised)} "
                "only: right if that is meant, and wrong if not"
            )
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


def check_what_is_added(judged: Judged, fitted: dict[Parameter, list[Level]]) -> None:
    """To a gradient an optimiser adds what it keeps from the steps before, and perhaps noise: no number, and nothing
    that is made of data alone."""
    step, values = judged.step, judged.recorded
    versions = {version for p in step.parameters for version in (p.root, *p.versions)}
    for name, p in judged.names.items():
        chosen = judged.chosen[name]
        for node in (
            n for n in _outside(chosen, fitted[p]) if n.place is not None and n.function in (np.add, np.subtract)
        ):
            for added in node.inputs[:2]:
                if isinstance(added, Node) and added in step.labelled:
                    if added.size == 1 < node.size and chosen is not None and not depends(added, chosen):
                        raise Unexplained(
                            f"{where(node)} adds to the gradient of {name} a number that is made of other ones: "
                            "right if that is meant, and wrong if not"
                        )
                    continue
                made = ancestors(nodes_in(added))
                noise = any(n.origin == "random" and n.number > p.before.number for n in made)
                number = values(added) if isinstance(added, Node) else added
                if not noise and versions.isdisjoint(made) and np.any(number):
                    raise Unexplained(
                        f"{where(node)} adds to the gradient of {name} what is made of no array that is trained: right "
                        "if that is meant, and wrong if not"
                    )


def _outside(gradient: Node | None, levels: list[Level]) -> list[Node]:
    """What is made of a gradient, up to the step."""
    nodes = [level.node for level in levels if level.node is not None]
    return [node for node in nodes if gradient is not None and node.number > gradient.number]


def check_what_multiplies_it(judged: Judged, fitted: dict[Parameter, list[Level]]) -> None:
    """An optimiser multiplies a gradient by numbers, by masks, and by what gradients were made into. By entries of the
    array itself only one of another geometry does (Kivinen & Warmuth 1997, EG), which may be meant or a slip."""
    for name, p in judged.names.items():
        for node in (n for n in _outside(judged.chosen[name], fitted[p]) if n.function in SCALING):
            for factor in (n for n in node.parents if n.size > 1 and n not in judged.step.labelled):
                entries = np.asarray(judged.drawn[0](factor))
                if p.before in ancestors([factor]) and len(np.unique(entries[entries != 0])) > 1:
                    raise Unexplained(
                        f"{where(node)} multiplies the gradient of {name} by what is made of {name} itself: right if "
                        "that is meant, and wrong if not"
                    )


def check_that_steps_follow(judged: Judged, right: Iterable[str]) -> None:
    """Whatever an optimiser makes of a gradient has its signs, or most of them: not so the absolute values of it, its
    squares, its entries at other places, those that are positive. A matrix that it is multiplied by, as Newton's, may
    turn it."""
    bent: dict[str, set] = {}  # functions of each entry in the line that makes a gradient
    nodes: dict[str, Node] = {}
    for name in right:
        node, p = judged.chosen[name], judged.names[name]
        if node is None or not judged.step.is_authors:
            continue
        nodes[name] = node
        made, still, ways = {node}, [], set()
        for n in sorted(judged.step.way_to(p), key=lambda n: n.number):
            made |= {n} if n.number > node.number and not made.isdisjoint(n.parents) else set()
        later = sorted(made - {node}, key=lambda n: n.number)
        if (over := next((n for n in later if written_over(n, node, judged).any()), None)) is not None:
            raise Astray(
                f"the gradient of {name} is right, but {where(over)} writes something else into it: right if that is "
                "meant, and wrong if not"
            )
        way = {n for n in made if n.size == node.size}
        way &= ancestors(nodes_in(p.steps), node.number, until=lambda n, way=way: n not in way)
        bent[name] = {n.function for n in way - {node} if n.place == node.place and _bends(n)}
        if any(n.function in TURNING for n in made - {node}):
            continue
        for values, t in zip(judged.drawn, judged.true[name], strict=True):
            whole, moved, alive = stepped(p, values), stepped_by(p, [node], values), t != 0
            if moved.size < t.size == node.size:
                raise Astray(
                    f"the gradient of {name} is right, but what {where(p.after)} steps by has {moved.size} of its "
                    f"{t.size} entries: right if that is meant, and wrong if not"
                )
            if moved.shape != t.shape or not alive.any() or not whole.any():  # a rate that is warmed up begins at 0
                continue
            still.append(alive & (whole == 0))
            signs = abs(float(np.mean(np.sign(moved[alive]) * np.sign(t[alive]))))
            cosine = float(np.vdot(moved, t)) / (float(np.linalg.norm(moved) * np.linalg.norm(t)) or 1.0)
            astray = np.count_nonzero(alive) >= SEVERAL and max(signs, abs(cosine)) < ALIKE
            ways |= {cosine > 0} if abs(cosine) > ALIKE else set()
            if not moved.any() or astray or len(ways) > 1 or _is_cut(still, np.mean(still[-1][alive])):
                raise Astray(
                    f"the gradient of {name} is right, but what {where(p.after)} steps by goes another way: right if "
                    "that is meant, and wrong if not"
                )

    for name, functions in bent.items():
        if own := functions - set.intersection(*bent.values()):
            made = f"{where(nodes[name])} takes np.{min(function.__name__ for function in own)} of it"
            raise Astray(
                f"the gradient of {name} is right, but {made}, and not of all others: right if that is meant, and "
                "wrong if not"
            )


_LINEAR = *ADDING, *SCALING, np.maximum, np.minimum  # and where that is bounded


def _bends(node: Node) -> bool:
    """Whether each entry is made something else than a multiple of it."""
    return node.function in (np.round, np.around) or (node.is_of_entries and node.function not in _LINEAR)


def written_over(node: Node, gradient: Node, judged: Judged) -> Array:
    """The numbers that entries of a gradient are given in the place of others, where these entries do not depend on it,
    as those of a clip do; nor where some weights are made to decay, which a loss that is inferred cannot deny."""
    step, function = judged.step, node.function
    if function is setitem and judged.truth.loss.node is None and _is_decay(node, judged):
        return np.empty(0)
    of_it, chosen_by = list(node.inputs[:1]), None
    if function is np.where:
        of_it, chosen_by = list(node.inputs[1:]), node.inputs[0]
    elif function in (setitem, set_flat) or function in MUTATORS.values():
        chosen_by = node.keywords.get("where") if function is MUTATORS[np.copyto] else node.inputs[1]
    elif function not in (np.tril, np.triu):
        return np.empty(0)
    written = next((i for i in of_it if isinstance(i, Node) and i in step.labelled and i.size == node.size), None)
    if written is None or node.size != gradient.size or any(n in step.active for n in nodes_in(chosen_by)):
        return np.empty(0)
    before, after = (np.ravel(judged.drawn[0](n)) for n in (written, node))
    return after[(before != after) & (before != 0)]


def _is_decay(node: Node, judged: Judged) -> bool:
    """Whether what is written is the sum of what was there and of something that is made of a parameter alone, and
    that makes each of its entries smaller once the parameter is stepped."""
    step, value = judged.step, node.inputs[2]
    added = [n for n in value.parents if n not in step.labelled] if isinstance(value, Node) else []
    if not added or value.function not in (np.add, np.subtract):
        return False

    def smaller(parameter: Parameter) -> bool:
        found: set[float] = set()
        for values in judged.drawn:
            off, own = np.ravel(values(node) - values(node.inputs[0])), np.ravel(values(parameter.before))
            direction = np.vdot(stepped_by(parameter, [node], values).ravel(), np.ravel(values(node)))
            found |= {*np.sign(direction * off * own)[off != 0]}
        return found == {1.0}

    owners = (p for p in step.parameters if p.size == node.size)
    return any(made_alone_of(added, {p.before, p.root}) and smaller(p) for p in owners)


def _is_cut(still: list[Array], share: float) -> bool:
    """Whether a good part of the entries stay as they are, in one draw others than in another."""
    return share > ALIKE / 2 and not all(np.array_equal(entries, still[0]) for entries in still)


def check_that_pieces_are_linear(judged: Judged, wrong: list[str]) -> None:
    """What is stepped piece by piece, and of which no array is known, is a gradient's multiple only if it is twice as
    large where the error is: what an optimiser makes of each piece is not."""
    errors = {m.node for e in judged.step.examples for m in e.meetings}
    for name in wrong if errors else ():
        p = judged.names[name]
        for values in judged.drawn if len(p.steps) > 1 and judged.chosen[name] is None else ():
            once = stepped_by(p, errors, values)
            twice = values.before(min(errors, key=lambda n: n.number))
            twice.known |= {node: 2 * np.asarray(values(node), float) for node in errors}
            if np.abs(stepped_by(p, errors, twice) - 2 * once).max() > RIGHT * np.abs(once).max():
                raise Unexplained(
                    f"{where(p.after)} steps pieces of {name} by what is no multiple of the error: whether it makes "
                    "that of a right gradient cannot be told"
                )


def check_for_entries_that_stay(judged: Judged, wrong: list[str]) -> None:
    """A step may be one of some entries only, whose turn it is, or of those that are trained at all; and of a symmetric
    matrix both halves may be one and the same."""
    recorded = judged.recorded

    def is_right(name: str, entries: Array) -> bool:
        given, true = ([array[entries] for array in of[name]] for of in (judged.given, judged.true))
        others = any(array[~entries].any() for array in judged.true[name])
        return others and (common_multiple(given, true, RIGHT) or 0) > 0

    for name in wrong:
        p, given, true = judged.names[name], judged.given[name], judged.true[name]
        if any(array.shape != t.shape for array, t in zip(given, true, strict=True)):
            continue
        whole = [n for n in judged.step.way_to(p) if n.size == p.size]
        masks = [p.after] if p.after.function in PIECEWISE else []
        masks += [n for n in whole if n.function in (np.tril, np.triu)]
        masks += [n for n in whole if n.function is np.where and n.inputs[0] not in judged.step.active]
        if masks and is_right(name, np.any([v(p.before) != v(p.after) for v in judged.drawn], axis=0)):
            raise Unexplained(
                f"{where(masks[0])} leaves some entries of {name} as they are, and the gradient of others is right: "
                "right if they are to stay, and wrong if not"
            )
        if (stay := nothing_there(p, recorded)).any() and is_right(name, ~stay):
            raise Unexplained(
                f"some entries of {name} are 0 before the step and after it, and the gradient of others is right: "
                "right if nothing is connected there, and wrong if they are to be trained"
            )
        if (still := _rows_that_stay(p, given, judged.step)).any() and is_right(name, ~still):
            raise Unexplained(
                f"some rows of {name} are picked, and have no gradient, and that of others is right: right if they are "
                "to stay as they are, and wrong if not"
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


def _rows_that_stay(parameter: Parameter, given: list[Array], step: Step) -> Array:
    """The entries of rows that have no gradient, of an array of which rows are picked by numbers, and nothing else is
    used: those of words that are frozen, or of no word."""
    read = parameter.as_read
    uses = [n for n in step.active if not read.isdisjoint(n.parents) and n not in read and n not in parameter.writes]
    picked = bool(uses) and all(
        n.function is operator.getitem and n.inputs[0] in read and any(nodes_in(n.inputs[1])) for n in uses
    )
    still = np.all([array == 0 for array in given], axis=0)
    return still & still.all(axis=tuple(range(1, still.ndim)), keepdims=True) & picked


def check_for_rules_of_their_own(judged: Judged, findings: list[Finding]) -> None:
    """An array may have a rule of its own by which it is stepped: each of its rows a rate, as centres of classes do
    (Wen et al. 2016, center loss); or it climbs where others descend, as a perturbation or a multiplier does, and what
    makes its step of the gradient is not what makes the others'."""
    codes = {f.at[1:]: f.code for f in findings if f.at[1:] in judged.names}
    layers = judged.dense.parameters if judged.dense is not None else ()
    for name, code in codes.items():
        rows = [judged.given[name], judged.true[name]] if code == "unknown" else []
        if _is_made_of_entries(judged, name):
            rows = [[np.ravel(array)[:, None] for array in of_draw] for of_draw in rows]
        elif len(without_ones(judged.names[name].before.shape)) < 2:
            rows = []
        if rows and _has_rates_in_rows(*rows):
            raise Unexplained(
                f"each row of the gradient of {name} is the true one times a number of its own: right if that is its "
                "rate, and wrong if not"
            )
        climbs = code == "wrong-sign" and name not in layers and _is_bent(judged, name)
        if climbs and not all(_is_bent(judged, other) for other in judged.names):
            raise Unexplained(f"{name} is stepped uphill, in another way than others: right if it is meant to climb")


def check_for_a_saddle(judged: Judged, wrong: list[str]) -> None:
    """An array may climb where others descend: a multiplier of a constraint, the other side of a game, a perturbation
    of the data (Boyd and Vandenberghe 2004, 5.4 and 10.3)."""
    layers = judged.dense.parameters if judged.dense is not None else ()
    for name in (name for name in wrong if name not in layers and judged.step.is_authors):
        climbs = (common_multiple(judged.given[name], judged.true[name], RIGHT) or 0) < 0
        if climbs and (curves_downwards(judged, name) or _is_of_examples(judged, name)):
            raise Unexplained(f"{name} is stepped uphill, and others are not: right if it is meant to climb")


def curves_downwards(judged: Judged, name: str, strictly: bool = False) -> bool:
    """Whether the loss curves downwards, or not at all unless `strictly`, all along the line on which the gradient
    lies, in all draws: so it does in a multiplier, and in what a saddle is the largest of. What is bounded cannot do
    so."""
    p, loss = judged.names[name], judged.truth.loss.node
    for values, true in zip(judged.drawn, judged.true[name], strict=True):
        if loss is None or not true.any():
            return False
        start = np.asarray(values(p.before), float)
        unit = true * (1 + np.linalg.norm(start)) / np.linalg.norm(true)
        held = (_with_other(p, start + by * unit, judged, values) for by in ALONG)
        numbers = np.array([float(np.sum(of(loss))) for of in held])
        bends, rounding = np.diff(numbers, 2), SAME * np.abs(numbers).max()
        if not (bends <= rounding).all() or (strictly and not (bends < -rounding).any()):
            return False
    return True


def has_no_least(judged: Judged) -> bool:
    """Whether the loss curves downwards wherever the gradient leads, as a likelihood does."""
    return all(curves_downwards(judged, name, strictly=True) for name in judged.names)


def _with_other(parameter: Parameter, value: Array, judged: Judged, values: Values) -> Values:
    """A draw in which one parameter has another value."""
    held = values.before(parameter.root)
    for other in judged.step.parameters:
        held.known |= other.given(value if other is parameter else values(other.before))
    return held


def _is_of_examples(judged: Judged, name: str) -> bool:
    """Whether each row of an array has a part in one example's prediction only, as a perturbation of the data has."""
    p, examples = judged.names[name], judged.step.examples
    rows, values = p.before.shape[:1], judged.drawn[0]
    if len(examples) != 1 or not rows or rows[0] < SEVERAL or examples[0].prediction.shape[:1] != rows:
        return False
    moved = np.array(values(p.before), float)
    moved[0] += MOVED
    held = _with_other(p, moved, judged, values)
    change = np.asarray(held(examples[0].prediction)) != np.asarray(values(examples[0].prediction))
    return bool(change[0].any()) and not change[1:].any()


def _is_made_of_entries(judged: Judged, name: str) -> bool:
    """Whether the line that steps a vector does so entry by entry, or puts the entries together."""
    p = judged.names[name]
    joined = (n for n in judged.step.way_to(p) if n.function is np.stack and n.size == p.size)
    return len(p.before.shape) == 1 and (len(p.steps) > 1 or any(is_of_statement(n, p.after) for n in joined))


def _is_bent(judged: Judged, name: str) -> bool:
    """Whether what an array is stepped with is no multiple of its gradient."""
    steps = [stepped(judged.names[name], values) for values in judged.drawn]
    same = all(a.shape == b.shape for a, b in zip(steps, judged.given[name], strict=True))
    return not same or common_multiple(steps, judged.given[name], RIGHT) is None


def _has_rates_in_rows(given: list[Array], true: list[Array]) -> bool:
    """Whether each row is a number of its own times the true one, the same number in all draws."""
    if any(g.shape != t.shape or g.ndim != 2 for g, t in zip(given, true, strict=True)):
        return False
    rates = each_multiple(np.hstack(given), np.hstack(true), 1, RIGHT)
    return rates is not None and np.ptp(rates) > RIGHT * np.abs(rates).max() and bool((rates > 0).all())


def check_for_a_sum_without_end(step: Step, truth: Truth, drawn: list[Values]) -> None:
    """Where a gradient is added to those of all steps before, a momentum is not damped, or nobody sets the sum to 0."""
    for p in step.parameters:
        known: set[Node] = set()  # what a later sum goes on from
        way = sorted(step.way_to(p), key=lambda n: -n.number)
        for node in way:
            if node in known or node.function is not np.add or node.shape != p.before.shape:
                continue
            old: Node | None = node
            scaled = {n.site for n in way if n.number > node.number}
            while old is not None and old in step.labelled:  # the sum of what is added in this step
                known.add(old)
                old = next((n for n in old.parents if _is_made_at(node.site, n, scaled)), None)
            if old is None or old in step.active:
                continue
            if old.function is operator.getitem and old.parents[0].site != node.site:  # a part of what it starts from
                continue
            added = [np.asarray(values(node), float) - np.asarray(values(old), float) for values in drawn]
            if common_multiple(added, true_gradients(p, truth), RIGHT) is not None:
                raise Unexplained(
                    f"{where(node)} adds a gradient to those of all steps before: right if that is meant, as a "
                    "momentum without damping, and wrong if the sum was to be set to 0"
                )


def _is_made_at(site: object, node: Node, scaled: set) -> bool:
    """Whether an array was made there; but for constants, by which sums are `scaled` before they are stepped with:
    those that a momentum is damped by are not."""
    while node.site != site and node.function in (np.multiply, np.true_divide) and node.site in scaled:
        node = max(node.parents, key=lambda n: n.size)
    return node.site == site


def check_for_a_decay_of_each(judged: Judged, findings: list[Finding]) -> None:
    """Where all that is wrong is λp, with another λ for each array, which the loss has of none: added by one line to
    several, or to all weights, it may be the optimiser's."""
    forward = ancestors(example.prediction for example in judged.step.examples)
    added = {f.at[1:]: penalty_added(judged, f.at[1:]) for f in findings if f.at[1:] in judged.names}
    if not findings or any(f.code != "weight-penalty" or added.get(f.at[1:]) is None for f in findings):
        return
    if any(penalties(judged.names[name], judged.truth, forward) for name in added):
        return
    others = [(name, {n.instruction for n in judged.step.way_to(p)}) for name, p in judged.names.items()]
    nodes = [(name, node) for name, node in added.items() if node is not None]
    shared = all(any(node.instruction in made for other, made in others if other != name) for name, node in nodes)
    weights = {name for name, p in judged.names.items() if len(p.before.shape) > 1}
    if shared or (len(weights) > 1 and weights <= added.keys()):
        name, node = nodes[0]
        raise Unexplained(
            f"{where(node)} adds a number times {name} to its gradient, of which the loss has nothing: right if that "
            "is a decay, which may be another one for each array, and wrong if the loss is to have it"
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


def check_for_turns(judged: Judged) -> None:
    """Where labels are met in the loss alone, nobody sees whether what is made with new weights is a mistake, or each
    weight's own turn, with a forward pass of its own, as in coordinate descent (Wright 2015)."""
    if judged.step.by_loss and any(f.code == "weights-already-updated" for f in judged.findings):
        raise Unexplained(
            "some gradients are made with what others' steps have given: right if each is stepped in its turn, "
            "wrong if all are of one forward pass"
        )


def check_for_several_outputs(judged: Judged) -> None:
    """Several outputs, each of which meets labels of its own, may each have a loss of its own: no error implies one of
    all, and a number that is made of some of them is none of the others'."""
    predictions, values, loss = [e.prediction for e in judged.step.examples], judged.drawn[0], judged.truth.loss.node

    def parameters_of(node: Node) -> frozenset[str]:
        inside = ancestors([node])
        return frozenset(name for name, p in judged.names.items() if not p.as_read.isdisjoint(inside))

    of_each = {p: parameters_of(p) for p in predictions}
    if loss is not None and frozenset().union(*of_each.values()) <= parameters_of(loss):
        return
    if len({(p.instruction, of) for p, of in of_each.items()}) < 2:
        return
    # What each of them alone is made of tells how many times its loss counts, where all of that is right.
    shared = frozenset.intersection(*of_each.values())
    if loss is None and shared.issuperset(judged.wrong) and all(of - shared for of in of_each.values()):
        return
    different = {np.round(values(p), 9).tobytes(): p for p in predictions}.values()  # one may be computed once more
    inner = ancestors(parent for p in different for parent in p.parents)
    outer = {(p.instruction, of_each[p]): p.place for p in different if p.place is not None and p not in inner}
    if len(outer) > 1:
        shown = " and ".join(f"line {line}" for line in sorted({place.line for place in outer.values()}))
        raise Unexplained(
            f"several outputs, those of {shown}, meet labels, and no loss of all of them was found: right if each has "
            "one of its own, and wrong if not"
        )


def check_where_it_is_taken(judged: Judged) -> None:
    """A gradient that is taken at other weights than are stepped, a little uphill of them, is none of these weights."""
    for name, p in judged.names.items():
        inside = ancestors(nodes_in(p.steps), p.before.number)
        used = {
            original(n, (p.before,)) for made in inside if made.function in (np.dot, np.matmul) for n in made.parents
        }
        for node in sorted(inside & used, key=lambda n: n.number):
            at = [base for base, made in node.updates if base is p.before and made in judged.step.labelled]
            if at and node.place is not None:
                raise ValueError(f"the gradient of {name} is taken at other weights, made in line {node.place.line}")


def check_for_a_later_penalty(judged: Judged, tape: Tape) -> None:
    """A penalty that is added to the loss once the weights have been stepped is one of other weights than the gradient
    could have: nothing tells whether it was to have it."""
    loss, stepped = judged.truth.loss.node, {p.after for p in judged.step.parameters}
    for node in tape.nodes[loss.number + 1 : judged.step.last + 1] if loss is not None else ():
        others = [parent for parent in node.parents if parent is not loss] if loss in node.parents else []
        further = loss is not None and node.instruction == loss.instruction  # that of another example
        if node.function is np.add and node.size == 1 and not further and others and made_alone_of(others, stepped):
            raise Unexplained(
                f"{where(node)} adds to the loss a penalty of the weights after the step: whether the gradient is to "
                "have one of those before it cannot be told"
            )


def check_that_no_array_is_two(step: Step, tape: Tape) -> None:
    """Two arrays may begin as one, b = c = zeros(3) or V = W.T.copy(): the derivative by that is the sum of theirs."""
    goes_on = {base for node in tape.nodes for base, _ in node.updates}
    roots = {p.root: p.after for p in step.parameters}
    for node in tape.nodes[min((root.number for root in roots), default=0) : step.last + 1]:
        base, made = next(iter(node.updates), (None, None))
        if base is None or node not in goes_on or not isinstance(made, Node):
            continue
        after = roots.get(root := root_of(base))
        if after is None or not depends(made, root):
            continue
        if node not in versions_until(after) and after not in versions_until(node):
            raise Unexplained(f"{where(after)} and {where(node)} step one array, and go on with two that begin as it")


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
    together = [np.concatenate([judged.true[name][k].ravel() for name in wrong]) for k in range(len(judged.drawn))]
    for node in (n for n in judged.step.backward if len(wrong) > 1 and n.shape[1:] == together[0].shape):
        sums = [np.asarray(values(node), float).sum(0) for values in judged.drawn]
        if common_multiple(sums, together, RIGHT) is not None:
            raise Unexplained(
                f"what {where(node)} makes adds up to the gradients of {', '.join(wrong)}, but what the steps make of "
                "it does not: right if that is meant, as each example's gradient is clipped, and wrong if not"
            )
