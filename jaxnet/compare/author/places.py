"""The report on a judged step: what is shown of it, and where it stands in the author's text."""

from __future__ import annotations

import operator
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.compare.author import frontier
from jaxnet.compare.author.dense import as_rows
from jaxnet.compare.author.derivative import differenced
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT, is_rounding
from jaxnet.compare.author.lines import as_place, place_of_line, where
from jaxnet.compare.author.names import parameter_names
from jaxnet.compare.author.node import Node, made_of, nodes_in, setitem
from jaxnet.compare.author.raw import stepped
from jaxnet.compare.author.repeat import contradiction
from jaxnet.compare.author.samples import said_of_missing
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.truth import name_of_number
from jaxnet.compare.author.unjudged import unjudged
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.gradients import verdicts
from jaxnet.compare.multiples import common_multiple, is_among, with_penalty, without_ones
from jaxnet.compare.report import Frontier, Parameter, Place, Report, Unjudged, some

if TYPE_CHECKING:
    from jaxnet.compare.author.attempts import Attempt
    from jaxnet.compare.author.repair import Mended
from jaxnet.compare.author.blame import Frontiers, line_of, node_of, only_example, through_new_weights

Array = np.ndarray
OF_LAYER = "jax.vjp of its own forward pass, with a random gradient from above"
OF_ZEROS = "what is stepped with is 0, which is the gradient of no loss"
SEVERAL = 4  # decisions, which tell something if they are all the same


def report(judged: Judged, source: str, origin: str | None, attempt: Attempt) -> Report:
    """The report that the contract describes."""
    frontiers, beside = frontier.frontiers(judged), _number_beside(judged)
    of_layer = attempt.call.alone and not judged.has_own_loss
    findings = [_with_reason(judged, finding, frontiers) for finding in dict.fromkeys(judged.findings)]
    # What may be wrong comes first: of many notes a terminal shows some.
    notes = [] if judged.wrong else [*_rates(judged), *_decided_one_way(judged.step, attempt.tape)]
    notes += [*_measures(judged, *beside), *_by_differences(judged.step)]
    strangers = [
        f"{name} is not where Python looks for it: {file} was run in its place"
        for name, file in attempt.strangers.items()
    ]
    notes += [*attempt.given, *strangers, *attempt.notes, *said_of_missing(attempt.made_up)]
    known = [line_of(judged, finding, frontiers) for finding in findings]
    found = [
        place_of_line(line) or as_place(node_of(judged, finding, frontiers)) or Place()
        for finding, line in zip(findings, known, strict=True)
    ]
    return Report.of(
        _parameters(judged),
        findings,
        found,
        source=source,
        loss=None if of_layer or _is_of_zeros(judged) else _loss(judged, origin),
        network=_network(judged),
        truth=OF_LAYER if of_layer else OF_ZEROS if _is_of_zeros(judged) else _truth(judged, *beside),
        program=attempt.program,
        notes=notes,
        names=_names(judged, attempt),
        frontier={n: Frontier(as_place(f.known), f.quantity, as_place(f.unknown)) for n, f in frontiers.items()},
        teeth=judged.teeth,
        repeat=contradiction(judged),
        unjudged=unjudged(judged, attempt),
        cut=attempt.tape.is_cut and not attempt.called,
    )


def _by_differences(step: Step) -> list[str]:
    """Operations of which JAX has no derivative, each said once."""
    first = {n.name: n for n in sorted(step.active, key=lambda n: -n.number) if n.instruction in differenced}
    return [
        f"{where(n)} calls {name}, which JAX has not: differentiated by central differences"
        for name, n in first.items()
    ]


def _is_of_zeros(judged: Judged) -> bool:
    """Whether no error tells which loss is meant, nor does the program compute one."""
    return judged.step.stale and judged.truth.loss.node is None


def _names(judged: Judged, attempt: Attempt) -> dict[str, str]:
    """What the author calls the parameters of a network whose layers are counted here, if that is something else."""
    own = parameter_names(judged.step, attempt.names)
    found = {name: own[p] for name, p in judged.names.items() if own[p] != name}
    return found if any(re.findall(r"\w+", theirs)[-1] != name for name, theirs in found.items()) else {}


def _decided_one_way(step: Step, tape: Tape) -> list[str]:
    """What an `if` in a loop of the step never did: a margin that all examples violate is one that none keeps."""
    decided: dict[Any, list[bool]] = {}
    for node, outcome in tape.decisions:
        if node in step.active and isinstance(outcome, bool) and node.place is not None:
            decided.setdefault(node.place, []).append(outcome)
    return [
        f"{place} decides in one way {len(outcomes)} times: what it does otherwise is not judged"
        for place, outcomes in decided.items()
        if len(outcomes) >= SEVERAL and len(set(outcomes)) == 1
    ]


def _rates(judged: Judged) -> list[str]:
    """How much of its gradient each array is stepped by, where that differs: a number that stands in the step of one
    array alone is its own rate, or was forgotten in the others."""
    rates: dict[float, list[str]] = {}
    for name, p in judged.names.items():
        arrays, true = [np.asarray(stepped(p, v), float) for v in judged.drawn], judged.true[name]
        rate = common_multiple(arrays, true, RIGHT)
        if rate is None and all(a.shape == t.shape for a, t in zip(arrays, true, strict=True)):
            own = [np.asarray(v(p.before), float).reshape(t.shape) for v, t in zip(judged.drawn, true, strict=True)]
            rate, _ = with_penalty(arrays, true, own, RIGHT) or (None, 0.0)  # beside a decay
        if rate is None:
            return []
        alike = (other for other in rates if is_among(rate, [other], 1e-3))  # one that falls in between is no other
        rates.setdefault(next(alike, rate), []).append(name)
    several = [f"{some(names)} by {rate:.3g} times the gradient" for rate, names in rates.items()]
    return [f"rates of their own: {'; '.join(several[:4])}"] if len(several) > 1 else []


def _with_reason(judged: Judged, finding: Finding, frontiers: Frontiers) -> Finding:
    """What no formula gives, and is known all the same."""
    parameter = judged.names.get(finding.at[1:]) if finding.code == "unknown" and not finding.computed else None
    if parameter is not None and (other := frontier.other_with(judged, finding.at[1:])) is not None:
        return finding._replace(computed=f"this is the gradient of {other}")
    if parameter is not None and (k := only_example(judged, finding.at[1:])) is not None:
        count = len(judged.step.examples)
        which = {0: ", the first", count - 1: ", the last"}.get(k, "")
        return finding._replace(computed=f"made of one of {count} examples alone{which}")
    edge = frontiers.get(finding.at[1:]) if parameter is not None else None
    if edge is not None and edge.left_out:
        return finding._replace(computed=str(edge.left_out))
    write, twice = frontier.writes_rows(parameter) if parameter is not None else (None, False)
    if write is None or write.place is None or not twice:
        return finding
    return finding._replace(computed=f"line {write.place.line} steps a row once that its index has twice")


def with_others(report: Report, others: list[tuple[Step, str]]) -> Report:
    """The report with the further networks of the program: their steps, and what is to be said of them; "" if they are
    right."""
    right, unjudged = list(report.also_right), list(report.unjudged)
    for step, why in others:
        largest = max(step.parameters, key=lambda p: p.size)
        made = (n for n in made_of((largest.after, *nodes_in(largest.steps))) if n.place)  # the step may be ours
        place = as_place(max(made, key=lambda n: n.number, default=None)) or Place()
        if why:
            unjudged.append(Unjudged(largest.before.shape, place, f"of another network, {why}"))
        else:
            right.append(place)
    return report._replace(also_right=right, unjudged=unjudged)


def with_sent_back(report: Report, judged: Judged) -> Report:
    """The report with what goes back through weights that have been stepped by then."""
    why = "whose gradient goes back through weights that have been stepped by then: compute it first, step then"
    late = [(judged.names[name].before.shape, through_new_weights(judged, judged.made[name])) for name in judged.wrong]
    unjudged = [Unjudged(shape, as_place(node) or Place(), why) for shape, node in late]
    return report._replace(unjudged=[*report.unjudged, *unjudged])


def _distance(pair: tuple[np.ndarray, np.ndarray]) -> float:
    given, true = pair
    if given.shape != true.shape:
        return 0.0
    return float(np.abs(given - true).max(initial=0) / (np.abs(true).max(initial=0) or 1.0))


def _parameters(judged: Judged) -> list[Parameter]:
    """Each parameter beside the truth in the draw where it is farthest from it, both at the scale that the right ones
    share; of what is 0 but for rounding, as of a bias before a normalisation, no digits."""
    scale = (judged.scale if not judged.findings or judged.wrong else 1.0) or 1.0
    params = {name: np.zeros(p.before.shape) for name, p in judged.names.items()}
    given, true = {}, {}
    for name, arrays in judged.given.items():
        pairs = [(array / scale, t) for array, t in zip(arrays, judged.true[name], strict=True)]
        given[name], true[name] = max(pairs, key=_distance)
        if name not in judged.wrong and is_rounding(judged.true, name):
            given[name], true[name] = np.zeros_like(given[name]), np.zeros_like(true[name])
    compared = verdicts(params, given, true, 1e-6)
    return [p._replace(right=p.right and p.name not in judged.wrong) for p in compared]  # a penalty of 1e-7 is one


def _loss(judged: Judged, origin: str | None) -> dict[str, str]:
    loss = judged.truth.loss
    return {
        "name": loss.name or "another",
        "reduction": _reduction(judged),
        "from": origin or ("source" if loss.node is not None else "inferred"),
    }


def _reduction(judged: Judged) -> str:
    """Whether the loss is a sum or a mean over the examples, by how large its derivative is; as the gradients have it,
    where it is none that the program computes as one number, or one that is divided later."""
    loss, scale = judged.truth.loss, abs(judged.scale) or 1.0
    has_constant = any((f.at, f.code) == ("loss", "wrong-scale") for f in judged.findings)
    is_own = loss.node is not None and loss.node.size == 1 and not is_among(1 / scale, judged.step.counts, RIGHT)
    factor = abs(loss.factor or 1.0) * (1.0 if has_constant or is_own else scale)
    examples = _examples(judged)
    return "mean" if examples > 1 and 0 < factor * examples < 8 and factor < 0.9 else "sum"


def _examples(judged: Judged) -> int:
    if judged.problem is not None:
        return len(judged.problem.passes[0].Y)
    step = judged.step
    if len(step.examples) != 1:
        return len(step.examples)
    shape = step.examples[0].prediction.shape
    if judged.dense is None:
        return next(iter(step.counts), 1) if len(step.counts) < 2 else (*shape, 1)[0]
    return shape[-1 if judged.dense.layout == "columns" and len(shape) < 3 else 0] if shape else 1  # a stack of columns


def _network(judged: Judged) -> dict[str, Any] | None:
    dense = judged.dense
    if dense is None:
        return None
    parameters = dense.parameters
    names = [f"W{number}" for number in range(1, len(dense.layers) + 1)]
    shapes = [as_rows(dense, name, np.zeros(parameters[name].before.shape)).shape for name in names]  # (o, i)
    hidden = list(dict.fromkeys(dense.activations[1:-1]))
    output = dense.activations[-1]
    if output == "identity":
        of_scores = {"cross-entropy": "softmax", "binary-cross-entropy": "sigmoid"}
        output = of_scores.get(judged.truth.loss.name or "", output)
    return {
        "sizes": [shapes[0][1], *(outputs for outputs, _ in shapes)],
        "hidden": hidden[0] if len(hidden) == 1 else ",".join(dense.activations[1:-1]),
        "output": output,
        "layout": dense.layout,
    }


def _number_beside(judged: Judged) -> tuple[Node | None, str]:
    """Where the loss is inferred, a number that the program computes all the same, and what it has to do with that:
    what is made of the gradients tells when to stop."""
    if judged.truth.loss.node is not None:
        return None, ""
    own = judged.step.parameters
    stepped = {version for p in own for version in p.versions} - {p.before for p in own}
    numbers = (n for n in judged.step.losses if n not in stepped and n.function not in (operator.getitem, setitem))
    for number in (n for n in numbers if n.place is not None and n.size == 1):
        made = made_of([number])
        if made.isdisjoint(n for n in judged.chosen.values() if n is not None):
            examples = tuple(e for e in judged.step.examples if e.prediction in made)
            if len(examples) not in (0, len(judged.step.examples)):
                part = judged.step._replace(examples=examples, losses=(number,))
                if name_of_number(part, judged.drawn)[0] == judged.truth.loss.name:
                    return number, OF_SOME
            return number, OTHER if examples else "is of other predictions"
    return None, ""


OTHER, OF_SOME = "has other gradients", "is of some of the examples"


def _measures(judged: Judged, other: Node | None, relation: str) -> list[str]:
    """That a number of the same predictions, which is none of a known loss, is not the one that is judged by."""
    return [_another(judged, other)] if other is not None and relation == OTHER and not judged.wrong else []


def _another(judged: Judged, number: Node) -> str:
    name = judged.truth.loss.name
    return f"{where(number)} computes another number than the {name}: right if it is a measure, wrong if it is the loss"


def measure_among(judged: Judged, losses: Collection[Node]) -> str:
    """That a number which is one of these, whatever its predictions are, is not the one that is judged by; "" if there
    is none."""
    other, relation = _number_beside(judged) if losses and not judged.wrong else (None, "")
    return _another(judged, other) if other is not None and other in losses and relation != OF_SOME else ""


def _truth(judged: Judged, other: Node | None, relation: str) -> str:
    loss = judged.truth.loss
    weights = {p.before for p in judged.step.parameters if len(without_ones(p.before.shape)) > 1}
    penalty = ", with the weight penalty in your gradients" if loss.penalised else ""
    if penalty and not weights <= set(loss.penalised):
        penalised = [name for name, p in judged.names.items() if p.before in loss.penalised]
        others = (p.before for name, p in judged.names.items() if name not in judged.wrong)
        alone = " alone" if (weights & set(others)) - set(loss.penalised) else ""  # of what is wrong nobody knows
        penalty += f" of {', '.join(penalised)}{alone}"
    if loss.node is None:
        why = "no loss was found in these steps"
        if other is not None:
            why = f"the number of {where(other)} {relation}"
        return f"jax.grad of your forward pass and the {loss.name} that your error implies{penalty} ({why})"
    if loss.decay is not None:
        line = f"line {loss.decay.place.line} decays" if loss.decay.place else "the program decays"
        return f"jax.grad of your forward pass and loss, without its weight penalty: {line} the weights instead"
    without = "" if loss.exact else ", without the small constant in it"
    without += ", which is to be made large" * (loss.name is None and loss.sign < 0)
    is_right = not judged.wrong and not judged.findings
    if is_right and abs(abs(judged.scale) - 1) > 10 * RIGHT and loss.node.size == 1:
        without += f", times {judged.scale:.6g}" + ", which may be of the learning rate" * judged.step.is_authors
    later = ", in the second step" if judged.wrong and judged.step.number == 2 else ""
    if loss.constant is not None and loss.constant.place is not None:
        later += f", with what line {loss.constant.place.line} makes as a constant"
    if judged.kept is not None and judged.kept.place is not None:
        later = f", in the second step with what line {judged.kept.place.line} makes as a constant"
    summed = f" (the sum of the numbers of {' and '.join(map(where, loss.numbers))})" * (len(loss.numbers) > 1)
    return f"jax.grad of your forward pass and loss{summed}{penalty}{without}{later}"


def with_mended(report: Report, mended: Mended) -> Report:
    """The report with what to write instead, where that was put in and proved right: of what no formula tells, it is
    that line which is wrong."""
    found, fronts = [], dict(report.frontier)
    for finding, place in zip(report.findings, report.places, strict=True):
        wanted, text = mended.instead.get((finding.at, finding.code), (None, ""))
        here = wanted is not None and (wanted.file, wanted.cell, wanted.line) == (place.file, place.cell, place.line)
        if wanted is not None and text and not here and finding.code == "unknown":
            moved = [name for name, front in fronts.items() if front.wrong_from == place or name == finding.at[1:]]
            fronts |= dict.fromkeys(moved, Frontier(None, "", wanted))
            here, place = True, wanted
        found.append(place._replace(instead=text) if here and text else place)
    return report._replace(places=found, frontier=fronts, changes=mended.changes, unmended=mended.left)
