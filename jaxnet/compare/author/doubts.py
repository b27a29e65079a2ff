"""Why there is no verdict, whether gradients are those of a loss or not: another loss may be meant, or another way back
from it, or nothing of it can be seen. What is meant by the step is `doubts_of_steps`' affair.

Each check raises, and says what would be right and what wrong. None of them accuses.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author.draws import idle_weights, tied
from jaxnet.compare.author.frontier import frontiers
from jaxnet.compare.author.intended import (
    carried_over,
    constant_of,
    explains,
    labels_of_its_own,
    reweighted,
    rounds_back,
    unclipped,
    without_terms,
)
from jaxnet.compare.author.judged import Astray, Judged, Tied, Unexplained
from jaxnet.compare.author.levels import RIGHT, fit, holds, is_multiple, levels_of, true_gradients
from jaxnet.compare.author.lines import statement_of, target_of, where
from jaxnet.compare.author.node import Node, ancestors, depends, following, made_of, nodes_in, root_of
from jaxnet.compare.author.pullback import PullBack
from jaxnet.compare.author.replay import Values, once
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.truth import Loss, Truth, labels_of, made_again, truths
from jaxnet.compare.author.updates import multiples, scaled_by_numbers
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.mistakes import LOSS_SLOPES
from jaxnet.compare.multiples import NOTHING, common_multiple, is_among, multiple, multiples_of_each

Array = np.ndarray
MOST_NUMBERS = 8  # of a program that are looked at
STEPS = {np.sign, np.round, np.rint, np.floor, np.ceil, np.trunc, np.heaviside, np.greater, np.greater_equal, np.less,
         np.less_equal}  # fmt: skip
MEASURES = re.compile("metric|measure|score|brier|rmse|accuracy|evaluat")  # what a number is called that is no loss


def check_that_it_is_no_score(meant: Loss, others: list[Loss]) -> None:
    """Raises ValueError where all gradients are those of a number that grows as the error falls, R² say, and not those
    of another one that the program computes."""
    other = next((loss.node for loss in others if loss.node is not None), None)
    if meant.node is not None and meant.name == "squared-error" and meant.sign < 0 and other is not None:
        raise ValueError(
            f"all gradients are those of the squared error, of which {where(meant.node)} computes a score, and not "
            f"of the number of {where(other)}: right if that is a measure, wrong if it is the loss"
        )


def check_that_weights_count(judged: Judged) -> None:
    """Raises Unexplained where a gradient is right as the weights of examples in the loss are all 1, and would not be
    with others: as many as there are terms, made by the program, which nobody has given another value."""
    step, number = judged.step, judged.truth.loss.node
    if number is None or not (weights := idle_weights(number, step)):
        return
    random = np.random.default_rng(0)
    given = {w: random.uniform(0.5, 1.5, w.shape) for w in weights}
    other = [Values(judged.drawn[0].given | given)]  # of one draw: they may divide the loss as well

    def fits(drawn: list[Values]) -> set[Parameter]:
        truth = next(t for t in truths(step, drawn, inferred=False) if t.loss.node is number)
        fitted = fit(levels_of(step, drawn), truth)
        return {p for p, of in fitted.items() if p.size > 1 and any(is_multiple(level.factor) for level in of)}

    of_ones = fits(judged.drawn[:1]) - fits(other)
    if name := next((n for n, p in judged.names.items() if p in of_ones), None):
        raise Unexplained(
            f"nothing is wrong, but {where(weights[0])} makes weights that are all 1: with others the gradient of "
            f"{name} would be wrong"
        )


def check_for_either_sign(judged: Judged, tape: Tape) -> None:
    """Raises Unexplained where the program's number has been multiplied by plain numbers of either sign: a reward times
    the logarithm of a probability is to be made large (Williams 1992, REINFORCE)."""
    numbers = {m for n in nodes_in(judged.truth.loss.node) for m in multiples(n)}  # no label within a hinge's
    scaled = {n.instruction: n for n in numbers if n.function is np.multiply and len(n.parents) == 1}
    signs: dict[Any, set[float]] = {}
    for n in (n for n in tape.nodes if n.instruction in scaled and n.function is np.multiply):
        signs.setdefault(n.instruction, set()).update(np.sign(i) for i in n.inputs if isinstance(i, (int, float)))
    for instruction in (instruction for instruction, of in signs.items() if {1.0, -1.0} <= of):
        raise Unexplained(
            f"{where(scaled[instruction])} multiplies the number by positive and by negative ones: whether it is to be "
            "made small cannot be told"
        )


def check_that_it_is_no_measure(judged: Judged, findings: list[Finding]) -> None:
    """Raises Astray where the error is that of another loss than the program's number, and the author calls that a
    measure; or it is computed once the step is made, and something else is wrong: with that right, nobody could say
    which loss is meant."""
    codes = {f.code for f in findings if f.severity == "error"}
    if (number := judged.truth.loss.node) is None or "missing-output-derivative" not in codes:
        return
    check_what_it_is_called(number)
    if len(codes) > 1:
        said = "the error is that of another loss"
        check_that_it_is_in_time(number, judged.truth, judged.step, judged.drawn, said)


def check_what_it_is_called(number: Node) -> None:
    """Raises Astray where the program's number has the name of a measure, or is shown as one."""
    statement, names = statement_of(number), [target_of(number) or "", *(place.function for place in number.places)]
    if isinstance(statement, ast.Expr) and not re.search("loss|cost|err", text := ast.unparse(statement), re.I):
        names.append(text)
    if called := next((found.group() for name in names if (found := MEASURES.search(name.lower()))), ""):
        raise Astray(
            f"the error is that of another loss than what {where(number)} computes: right if that is a measure, as "
            f"its name says ({called}), and wrong if it is the loss"
        )


def check_that_it_is_in_time(node: Node, truth: Truth, step: Step, drawn: list[Values], said: str) -> None:
    """Raises Astray where the program's number is computed once the step is made: it may be there to be looked at,
    unless its derivative is what goes back. In the next step it may not be computed at all."""
    made = node  # a loss may be added to those of other batches later
    while len(inner := [n for n in made.parents if n in step.active]) == 1 and inner[0].size == 1:
        made = inner[0]
    late = made.number > max(p.after.number for p in step.parameters)
    if late and made.place and not _is_derived(node, truth, step, drawn):
        raise Astray(
            f"{said}, and line {made.place.line} computes another number once the step is made: right if that is a "
            "measure, wrong if it is the loss"
        )


def _is_derived(number: Node, truth: Truth, step: Step, drawn: list[Values]) -> bool:
    """Whether the error is made by the class or the function that computes the number, a loss with its derivative; or
    is exactly the number's, of squares, constant included: 2 (Ŷ − Y) / m is that of a mean square, Ŷ − Y that of many a
    loss."""

    def home(node: Node) -> str:
        owner, function = (node.place.owner, node.place.function) if node.place else ("", "")
        return owner if owner and not owner.endswith("<locals>") else function

    on_the_way = set().union(*map(step.way_to, step.parameters))
    made_there = (n for n in on_the_way if step.labelled.isdisjoint(n.parents))  # the error itself
    is_named = home(number)[:1] not in ("", "<") and home(number) not in {home(p.after) for p in step.parameters}
    if is_named and any(home(n) == home(number) for n in made_there):
        return True
    for prediction in (example.prediction for example in step.examples):
        slopes = [adjoints[prediction] for adjoints in truth.whole().adjoints if prediction in adjoints]
        constants = [_constant(slope, prediction, step, values) for slope, values in zip(slopes, drawn, strict=False)]
        counts = {1, *prediction.shape, prediction.size}
        if len(slopes) < len(drawn) or any(c is None or is_among(1 / abs(c), counts, RIGHT) for c in constants):
            continue
        same = (n for n in on_the_way if n.shape == prediction.shape)
        found = ([np.abs(np.asarray(values(n), float)) for values in drawn] for n in same)
        if any(all(np.allclose(a, np.abs(b), RIGHT, 0) for a, b in zip(of, slopes, strict=True)) for of in found):
            return True
    return False


def _constant(slope: Array, prediction: Node, step: Step, values: Values) -> float | None:
    """How many times Ŷ − Y a derivative by a prediction is; None if it is not."""
    labels = next(labels_of(e, values) for e in step.examples if e.prediction is prediction)
    error = None if labels is None else np.asarray(values(prediction), float) - labels
    return None if error is None else multiple(slope, error, RIGHT)


def check_for_other_labels(meant: Loss, own: list[tuple[Node, Truth]], step: Step, drawn: list[Values]) -> None:
    """Raises Astray where all gradients are those of a loss that is inferred, and a number of the program's own is
    that very loss of the same predictions, made once more, with other labels.

    Its derivative by these is c f(Ŷ, Y′), with the slope of that loss, f(Ŷ, Y) = f(Ŷ, 0) + Y (f(Ŷ, 1) − f(Ŷ, 0)).
    """
    if meant.node is not None or meant.name is None:
        return
    predictions = [example.prediction for example in step.examples]
    if any(p.size == 1 for p in predictions):  # of one number c and a label would be made for any derivative
        return

    def joined(arrays: Iterable[Any]) -> Array:
        return np.concatenate([np.zeros(0), *(np.ravel(np.asarray(a, float)) for a in arrays)])

    labels_met = [labels_of(example, drawn[0]) for example in step.examples]
    if not labels_met or any(of is None for of in labels_met):
        return
    known, slope = joined(labels_met), LOSS_SLOPES[meant.name]
    predicted = [joined(map(values, predictions)) for values in drawn]
    for number, truth in own:
        again = made_again(predictions, number, step, drawn) or [[] for _ in predictions]
        adjoints_of = truth.whole().adjoints if any(again) else truth.adjoints
        labels = []  # c f(Ŷ, Y′) over what stands before Y′: c Y′, and c times what is known
        with np.errstate(all="ignore"):
            for adjoints, P in zip(adjoints_of, predicted, strict=True):
                at_zero = slope(P, np.zeros_like(P))
                by_label = slope(P, np.ones_like(P)) - at_zero
                places = ([p] if p in adjoints or not of else of for p, of in zip(predictions, again, strict=True))
                given = joined(
                    np.sum([adjoints.get(n, np.full(n.shape, np.nan)) for n in there], axis=0) for there in places
                )
                labels.append((given / by_label, at_zero / by_label))
        (first, of_first), (second, of_second) = labels[:2]
        c = common_multiple([first - second], [of_first - of_second], RIGHT) if of_first.any() else 0.0
        if c is None or not np.allclose(first - c * of_first, second - c * of_second, RIGHT):
            continue
        # Of a loss whose derivative has Y alone, −Y/Ŷ, the constant may be any.
        ratio = common_multiple([first - c * of_first], [known], RIGHT)
        if ratio is None or (c and not is_among(ratio, [c], RIGHT)):
            raise Astray(
                f"all gradients are those of the {meant.name}, and {where(number)} computes it with other "
                "labels for the same predictions: right if that is a measure, wrong if it is the loss"
            )


def check_that_it_is_no_function_of_the_loss(judged: Judged, wrong: list[str], findings: list[Finding]) -> None:
    """The gradients of √loss are those of the loss times a number, which is another one in each draw; and with one
    example and one output those of any loss are a multiple of those of any other one: then a formula tells, but not
    several at once, which may be an accident of that one label."""
    outputs = sum(example.prediction.size for example in judged.step.examples)
    several = outputs == 1 and sum(f.severity == "error" for f in findings) > 1
    if (len(judged.given) == 1 and outputs > 1) or not (several or any(f.code == "unknown" for f in findings)):
        return
    given, true = zip(*((judged.given[name], judged.true[name]) for name in judged.given), strict=True)
    draws = range(len(judged.drawn))
    numbers = [common_multiple([g[k] for g in given], [t[k] for t in true], RIGHT) for k in draws]
    # What divides the error may be taken for a learning rate where nothing else is made of it: of the last bias, say.
    apart = judged.given.keys() - set(wrong)
    ends = [judged.chosen[name] for name in wrong if judged.chosen[name] is not None]
    tells = outputs > 1 and sum(judged.names[name].size > 1 for name in wrong) > 1  # a number is a multiple of any
    if None in numbers and tells and apart and all(judged.chosen[n] in ancestors(ends) for n in apart):
        pairs = [(judged.given[name], judged.true[name]) for name in wrong]
        numbers = [common_multiple([g[k] for g, _ in pairs], [t[k] for _, t in pairs], RIGHT) for k in draws]
        wrong = [*wrong, *apart]
    if len(wrong) == len(given) and None not in numbers and np.ptp(np.array(numbers, float)) > RIGHT:
        raise ValueError("all gradients are those of the loss times a number that is another one in each draw")


def check_for_a_fixed_point(judged: Judged, wrong: list[str]) -> None:
    """Of an iteration that has come to a fixed point the derivative is taken at that (Bai et al. 2019, deep equilibrium
    models). With other numbers it may come to none, and its end has another derivative."""
    own, loss, step = [judged.recorded], judged.truth.loss, judged.step
    last: dict[tuple, Node] = {}
    ends = False  # whether an operation of an iteration gives what it gave before
    for node in step.forward:
        where_made = node.site, node.function, node.shape
        before = last.get(where_made)
        if before is not None and node.size > 1 and depends(node, before):
            ends = ends or np.allclose(own[0](node), own[0](before), 1e-6, 0)
        last[where_made] = node
    nodes = {n: node for n in wrong if (node := judged.chosen[n]) is not None and judged.names[n].size > 1}
    for truth in truths(step, own) if ends and nodes else ():
        there = (n for n, node in nodes.items() if holds(node, true_gradients(judged.names[n], truth), own))
        if truth.loss.is_same(loss) and (name := next(there, None)) is not None:
            raise Unexplained(
                f"the gradient of {name} is right where an iteration comes to a fixed point, as it does in the "
                "program, and not where it does not: which is meant cannot be told"
            )


def check_for_a_way_of_its_own(judged: Judged, findings: list[Finding]) -> None:
    """An error may be meant to come back another way: over a function that has no slope, or a draw, as if it had one
    (Bengio et al. 2013, straight-through estimators), or through other weights than those of the forward pass."""
    step, forward = judged.step, judged.step.forward
    ends = [example.prediction for example in step.examples]
    alive = {n for (n, use), array in judged.truth.parts[0].items() if use is None and array.any()}
    for name in (f.at[1:] for f in findings if f.code == "should-be-zero" and f.at[1:] in judged.names):
        p = judged.names[name]
        over = [n for n in forward if depends(n, p.root)]
        jumps = (n for n in over if n in alive and alive.isdisjoint(n.parents))  # the derivative is 0 from there on
        jump = next(jumps, None) if any(n.function in STEPS or not n.is_float for n in over) else None
        if jump is None and p.as_read.isdisjoint(made_of([*ends, *step.losses])):
            after = following(sorted(step.active, key=lambda n: n.number), p.as_read)
            beside = ((n, {*n.parents} - after) for n in after)  # what meets it: in a forward pass no error does
            used = (n for n, others in beside if others and others.isdisjoint(step.labelled))
            if (first := min(used, key=lambda n: n.number, default=None)) is not None:
                raise Unexplained(
                    f"no number of the loss is made of what {where(first)} makes, and the gradient of {name} goes back "
                    "over it: right if it is to, as that of another loss, and wrong if not"
                )
        if jump is not None:
            raise Unexplained(
                f"what {where(jump)} makes has no slope, and the gradient of {name} goes over it: right if that is "
                "meant, as by a straight-through estimator, and wrong if not"
            )
    if (node := _sent_back_otherwise(step)) is not None:
        raise Unexplained(
            f"{where(node)} sends the error back through numbers that the forward pass does not have: right if that is "
            "meant, as in feedback alignment, and wrong if not"
        )


def _sent_back_otherwise(step: Step) -> Node | None:
    """Where an error is multiplied by numbers that the forward pass does not have: that were drawn (Lillicrap et al.
    2016, feedback alignment), that are trained beside the weights (Kolen and Pollack 1994), or the signs of these (Liao
    et al. 2016)."""
    met = [m.labels for example in step.examples for m in example.meetings if m.labels is not None]
    ends, begin = [example.prediction for example in step.examples], {p.root for p in step.parameters}
    forward = made_of([*ends, *step.losses, *met], until=lambda n: n in begin)
    beside = {n for p in step.parameters if p.as_read.isdisjoint(forward) for n in p.as_read}
    versions = {version for p in step.parameters for version in p.versions}  # as weights were before
    weights, shapes = set(map(root_of, versions)), {version.shape for version in versions}
    forward |= versions

    def is_own(other: Node) -> bool:
        """Whether it is an array that the forward pass does not have."""
        made, root = ancestors([other]), root_of(other)
        drawn = forward.isdisjoint(made) and any(n.origin == "random" for n in made) and other not in step.active
        trained = bool(root.updates) and root.shape in shapes
        trained = trained and forward.isdisjoint((root, *(base for base, _ in root.updates)))
        signs = any(n.function in STEPS and not weights.isdisjoint(map(root_of, n.parents)) for n in made)
        return other not in forward and (drawn or trained or signs)

    for node in (n for n in step.backward if n.function in (np.dot, np.matmul)):
        errors = step.labelled.intersection(node.parents)
        if any(is_own(n) for n in node.parents if n not in errors):
            return node
        if any(root_of(n) in beside and errors - {n} for n in node.parents):
            return node
    return None


def check_for_a_loss_of_its_own(judged: Judged) -> None:
    """Raises Unexplained where all that is wrong is of the squares of differences that no right gradient is made of:
    what a policy's rewards are compared with (Williams 1992) may have a loss that nobody computes."""
    right = [p for name, p in judged.names.items() if name not in judged.wrong and p.size > 1]
    if not right or any(f.code != "unknown" for f in judged.findings if f.severity == "error"):
        return
    of_right = set().union(*map(judged.step.way_to, right))
    begins = {name for name, found in frontiers(judged).items() if found.known is not None}
    differences = [None if name in begins else _difference_for(judged, name, of_right) for name in judged.wrong]
    if all(differences) and (first := next(iter(differences), None)):
        raise Unexplained(
            f"the gradient of {judged.wrong[0]} is that of the squares of what {where(first)} makes, which "
            "no loss has that is computed: right if it is for these, and wrong if not"
        )


def _difference_for(judged: Judged, name: str, of_right: set[Node]) -> Node | None:
    """What a forward pass makes less what it is compared with, of whose squares a gradient is that."""
    step, p = judged.step, judged.names[name]
    for node in sorted(step.way_to(p) - of_right, key=lambda n: n.number):
        made = [n for n in node.parents if n in step.active]
        if node.function is not np.subtract or len(made) != 1 or made[0].shape != node.shape:
            continue
        pull = PullBack(made, step.active, {p.root})
        found = [pull(values, [values(node)]).get(p.root) for values in judged.drawn]
        of_it = [p.turned(array) for array in found if array is not None]
        if len(of_it) == len(found) and common_multiple(judged.given[name], of_it, RIGHT) is not None:
            return node
    return None


def check_for_another_number(judged: Judged, wrong: list[str]) -> None:
    """A program may step some arrays down one number and others down another one: a critic and an actor, say."""
    found: dict[Node, list[str]] = {}
    for name, node in _with_gradients_of(numbers_beside(judged.step, judged.truth.loss.node), judged, wrong):
        found.setdefault(node, []).append(name)
    if found:
        node, names = max(found.items(), key=lambda pair: len(pair[1]))
        if len(names) == len(judged.names):
            raise ValueError(f"all gradients are those of the number of {where(node)}, and not of another one")
        raise Unexplained(
            f"the gradient of {names[0]} is that of the number of {where(node)}, and others' are not: which loss "
            "each array is for cannot be told"
        )


def numbers_beside(step: Step, loss: Node | None = None) -> list[Node]:
    """The numbers that depend on parameters and make no step, nor another such number, but for the loss."""
    ways = ancestors(n for p in step.parameters for n in nodes_in(p.steps))
    numbers = [n for n in step.active if n.size == 1 and n.is_float and n not in ways]
    inner = {parent for n in numbers for parent in n.parents}
    return [n for n in numbers if n not in inner and n is not loss]


def check_for_a_term_of_the_loss(judged: Judged, findings: list[Finding]) -> None:
    """One array may be for one term of the loss, and a constant in the others: a code that follows what is encoded, in
    whose place the error goes straight through (van den Oord et al. 2017, VQ-VAE)."""
    if judged.step.examples or judged.truth.loss.node is None:
        return
    unknown = [f.at[1:] for f in findings if f.code == "unknown" and f.at[1:] in judged.names]
    terms = _terms_of(judged.truth.loss.node, judged.step)
    made = Counter(n.site for n in terms)  # not what a line makes of each example
    for name, node in _with_gradients_of([n for n in terms if made[n.site] == 1], judged, unknown):
        raise Unexplained(
            f"the gradient of {name} is that of what {where(node)} adds to the loss: right if {name} is to be a "
            "constant in the rest of it, and wrong if not"
        )


def check_for_an_adversary(judged: Judged) -> None:
    """One array may be stepped down what others' loss takes off, and has a part in nothing else of it: an adversary,
    and others learn to make it fail (Zhang et al. 2018, mitigating unwanted biases with adversarial learning)."""
    loss, parts = judged.truth.loss.node, judged.truth.parts
    signs = {name: np.sign(common_multiple(judged.given[name], judged.true[name], RIGHT) or 0) for name in judged.names}
    if loss is None or not {1, -1} <= {*signs.values()}:
        return
    terms = set(_terms_of(loss, judged.step))
    terms = {n for n in terms if terms.isdisjoint(n.parents)}
    draws = list(zip(judged.drawn, parts, strict=True))
    adds = {n: {np.sign(values(n) * of.get((n, None), 0.0)).item() for values, of in draws} for n in terms}
    for sign in (1, -1):
        taken_off = {n for n, signs_of in adds.items() if signs_of == {sign}}
        rest = made_of([loss], until=taken_off.__contains__)
        apart = [name for name, p in judged.names.items() if p.as_read.isdisjoint(rest)]
        if apart and {sign} == {signs[n] for n in apart} and {-sign} == {signs[n] for n in signs if n not in apart}:
            raise Unexplained(
                f"{apart[0]} has a part only in what the loss of others takes off, and is stepped down that: right if "
                "these are to climb what it descends"
            )


def _terms_of(loss: Node, step: Step) -> list[Node]:
    """The numbers of which a loss is a sum, each perhaps times a number."""
    found, stack = [], [loss]
    while stack:
        node = stack.pop()
        active = [n for n in node.parents if n in step.active and n.size == 1]
        if node.function in (np.add, np.subtract, np.negative) or scaled_by_numbers(node) in active:
            found += active
            stack += active
    return found


def _with_gradients_of(numbers: list[Node], judged: Judged, names: list[str]) -> Iterator[tuple[str, Node]]:
    """Which of these arrays' gradients are no multiple of those of the loss, and one of a number's."""
    of_site = {n.site: n for n in sorted(numbers, key=lambda n: -n.number)}
    for node in list(of_site.values())[:MOST_NUMBERS]:
        pull = PullBack([node], judged.step.active, {p.root for p in judged.step.parameters})
        found = [pull(values, [1.0]) for values in judged.drawn]
        for name in names:
            p = judged.names[name]
            if common_multiple(judged.given[name], judged.true[name], RIGHT) is not None:
                continue  # and of each other number that is a multiple of the loss
            of_it = [p.turned(of_draw[p.root]) for of_draw in found if p.root in of_draw]
            given = [array for array in judged.given[name] if array.shape == p.before.shape]
            same = len(of_it) == len(given) == len(found) and all(a.any() for a in of_it)
            if same and common_multiple(given, of_it, RIGHT) is not None:
                yield name, node


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
        # One that is wrong itself is taken to descend.
        signs = {*np.sign(factors)} - {0} or {1}
        sign = signs.pop() if len(signs) == 1 else 0
        parts.append((predictions[0], sign, drawn))
    for name, p in judged.names.items():
        by_group = [[p.turned(of_draw[p.root]) for of_draw in drawn if p.root in of_draw] for *_, drawn in parts]
        through = [k for k, of_draws in enumerate(by_group) if len(of_draws) == len(judged.drawn)]
        if len(through) < 2:
            continue
        counts = multiples_of_each(judged.given[name], [by_group[k] for k in through], RIGHT)
        turned = [k for k, count in zip(through, counts or (), strict=False) if parts[k][1] * count < 0]
        if turned:
            raise Unexplained(
                f"the error that comes back to {name} from {where(parts[turned[0]][0])} is turned, and that of what "
                "this alone is made of is not: right if that is meant, as by gradient reversal, and wrong if not"
            )


def check_that_none_is_tied(judged: Judged) -> None:
    """Of several numbers that are the largest, the error may go to each."""
    for values, adjoints in zip(judged.drawn, judged.truth.adjoints, strict=True):
        largest = max(np.abs(adjoints[p.before]).max(initial=0) for p in judged.step.parameters if p.before in adjoints)
        for node in tied(judged.step, values):
            if np.abs(adjoints.get(node, 0.0)).max() > NOTHING * largest:  # nothing follows from a softmax's
                raise Tied(f"in {where(node)} several numbers are the largest: whose the error is cannot be told")


def check_that_labels_are_shares(judged: Judged) -> None:
    """The error of a softmax is ŷ − y where the labels of an example add up to 1, and ŷ Σy − y where they do not: with
    labels that were made up for a file that is not there, say."""
    values = judged.drawn[0]
    loss = judged.truth.loss
    for example in judged.step.examples if loss.name == "cross-entropy" or loss.node is None else ():
        P, Y = np.asarray(values(example.prediction), float), labels_of(example, values)
        are_shares = [any(np.allclose(a.sum(axis), 1) for axis in range(P.ndim)) for a in (P, Y) if a is not None]
        if are_shares == [True, False]:
            raise ValueError("the labels of an example do not add up to 1: of such the error is another one")


def check_for_intent(step: Step, truth: Truth, drawn: list[Values]) -> None:
    """What is not that of the computed loss is not wrong where that may be meant."""
    if why := _intent(step, truth, drawn):
        raise Unexplained(why)


@once
def _intent(step: Step, truth: Truth, drawn: list[Values]) -> str:
    """What may be meant; nothing if all gradients are wrong whatever is."""
    constant, apart = constant_of(step, truth, drawn)
    if constant is not None and apart:
        return (
            f"what {where(constant)} makes is a constant for some gradients, which are right then, and what others are "
            f"made of, as those of what {where(apart[0].after)} steps: which loss these are for cannot be told"
        )
    if constant is not None:
        return f"the gradients are right if what {where(constant)} makes is a constant, and wrong if not"
    place, without = without_terms(step, truth, drawn)
    if place is not None and explains(levels_of(step, without), truth):
        return f"the gradients are right but for what line {place.line} adds, of which the loss has no part"
    place, without = unclipped(step, drawn)
    if place is not None and explains(levels_of(step, without), truth):
        line = f"line {place.line}"
        return f"the gradients are right but for what {line} clips: right if it is to, and wrong if not"
    place, both = reweighted(step, truth, drawn)
    if place is not None and all(explains(levels_of(step, rest), truth) for rest in both):
        return f"the gradients are right if examples are to count differently, as line {place.line} has it"
    if (place := labels_of_its_own(step, drawn)) is not None:
        return f"the gradients are right for the labels that line {place.line} makes of others, and the loss has these"
    if (place := carried_over(step, truth, drawn)) is not None:
        return (
            f"the gradients are right if what line {place.line} makes, which a later forward pass goes on with, is a "
            "constant for that, and wrong if not"
        )
    if (count := rounds_back(step, truth, drawn)) is not None:
        return f"the gradients are right if they are meant to go back {count} rounds of the loop and no more"
    return ""


def check_for_a_term_in_some(judged: Judged, wrong: list[str], common: float) -> None:
    """One gradient may have a term of which the loss has no part, or be of one that counts examples differently, beside
    others that are wrong: what is not shown to be wrong is not accused with them."""
    step, truth, drawn = judged.step, judged.truth, judged.drawn
    place, without = without_terms(step, truth, drawn)
    if place is not None:
        fitted = fit(levels_of(step, without), truth)
        for name in wrong:
            factors = [level.factor for level in fitted[judged.names[name]] if level.factor]
            if any(is_among(abs(factor), [common], RIGHT) for factor in factors):
                raise Unexplained(
                    f"the gradient of {name} is right but for what line {place.line} adds, of which the loss has no "
                    "part, and others are wrong without it: by which loss cannot be told"
                )
    place, both = reweighted(step, truth, drawn)
    if place is not None:
        fitted, twice = (fit(levels_of(step, rest), truth) for rest in both)
        for name, p in ((name, judged.names[name]) for name in wrong):
            if p.size > 1 and all(any(is_multiple(a.factor) for a in of[p]) for of in (fitted, twice)):
                raise Unexplained(
                    f"the gradient of {name} is right if examples are to count differently, as line {place.line} has "
                    "it, and others are wrong even so: by which loss cannot be told"
                )


def as_unclipped(judged: Judged, wrong: list[str], common: float) -> Judged:
    """With the gradients that are right but for numbers that are clipped on the way, as they are without that: beside
    what is wrong whatever is clipped, an optimiser's clipping is none."""
    place, without = unclipped(judged.step, judged.drawn)
    fitted = fit(levels_of(judged.step, without), judged.truth) if place is not None else {}
    given = dict(judged.given)
    for name in wrong if fitted else ():
        pairs = zip(given[name], judged.true[name], strict=True)
        uphill = all(g.shape == t.shape and np.vdot(g, t) < 0 for g, t in pairs)
        for level in () if uphill else fitted[judged.names[name]]:
            if level.factor and is_among(abs(level.factor), [common], RIGHT):
                given[name] = [array * common / level.factor for array in level.arrays]
    return judged._replace(given=given)
