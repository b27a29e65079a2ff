"""Which Node a finding accuses, and which of the author's lines."""

from __future__ import annotations

import ast
from typing import TypeAlias

import numpy as np

from jaxnet.compare import mistakes
from jaxnet.compare.author import frontier
from jaxnet.compare.author.edits import simple_statements
from jaxnet.compare.author.idle import passing_on, return_after
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT, is_rounding
from jaxnet.compare.author.lines import parsed_text
from jaxnet.compare.author.node import MOVING, Node, ancestors, depends, nodes_in, original
from jaxnet.compare.author.node import Place as Line
from jaxnet.compare.author.penalties import penalty_added
from jaxnet.compare.author.rates import scale_of
from jaxnet.compare.author.raw import is_scaling
from jaxnet.compare.author.recorder import set_flat
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.multiples import common_multiple, without_ones

Frontiers: TypeAlias = dict[str, frontier.Frontier]
MISSING = ("missing-activation-derivative", "missing-output-derivative")


def node_of(judged: Judged, finding: Finding, frontiers: Frontiers | None = None) -> Node | None:
    """The Node that was made by the wrong formula, or the first one that is wrong: where an error of the layer or above
    is wrong as well, and accounted for, that is no news."""
    errors = [f for f in judged.findings if f.at[:2] == "dZ" and f.layer >= finding.layer]
    beside = finding.at[:2] in ("dW", "db") and bool(errors)
    node = _made_by_formula(judged, finding) if finding.code != "unknown" or beside else None
    earlier = not beside and finding.code in ("wrong-scale", "multiplied-by-pre-activation")
    edge = frontiers.get(finding.at[1:]) if frontiers is not None and earlier else None
    if (
        node is not None
        and edge is not None
        and edge.known is not None
        and edge.unknown.number < node.number
        and edge.unknown not in ancestors(_right_ones(judged))
    ):
        return edge.unknown  # the factor came in before, and nothing that has it is right
    if node is None and beside:  # stepped entry by entry
        node = min(nodes_in(judged.names[finding.at[1:]].steps), key=lambda n: n.number, default=None)
    if node is None:
        frontiers = frontier.frontiers(judged) if frontiers is None else frontiers
        names = [f"W{finding.layer}", f"b{finding.layer}"] if finding.at[:2] == "dZ" else [finding.at[1:]]
        names = list(frontiers) if finding.at == "dZ" else names
        wrong = (frontiers[name].unknown for name in names if name in frontiers)
        node = min(wrong, key=lambda n: n.number, default=None)
    return node


def _right_ones(judged: Judged) -> list[Node]:
    right = {name: n for name, n in judged.chosen.items() if n and name not in judged.wrong}
    return [gradient for name, gradient in right.items() if not is_rounding(judged.true, name)]


def slope_of(judged: Judged, finding: Finding, frontiers: Frontiers | None = None) -> Node | None:
    """What an error is multiplied by as the slope of an activation, if it is made for that alone: by a formula of
    slopes, or by any other one where what it is multiplied with is a derivative of the loss."""
    step, unknown, held = judged.step, finding.code == "unknown", None
    if unknown:
        held = node_of(judged, finding, frontiers)
    elif finding.at[:2] == "dZ" and finding.code in mistakes.OF_SLOPES:
        held = holder(judged, finding.layer)
    if held is None or held.function is not np.multiply:
        return None
    slopes = [n for n in held.parents if n in step.active and n not in step.labelled]
    if len(slopes) != 1 or sum(slopes[0] in n.parents for n in step.backward) != 1:
        return None
    made = slopes[0]
    while made.function in MOVING or made.function is np.insert:  # what the forward pass has is no slope by itself
        made = made.parents[0]
    if made in step.forward:
        return None
    if unknown:
        known = frontier.derivatives(step, judged.drawn, judged.truth.parts, set())[0]
        if not all(n in known for n in held.parents if n is not slopes[0]):
            return None
    return slopes[0]


def _slope_line(judged: Judged, finding: Finding, frontiers: Frontiers | None) -> Line | None:
    """The line that makes a slope, beside that of the error."""
    slope = slope_of(judged, finding, frontiers)
    held = node_of(judged, finding, frontiers) if slope is not None else None
    if slope is None or held is None or held.place is None:
        return None
    line = next((p for p in slope.places if (p.file, p.function) == (held.place.file, held.place.function)), None)
    return line if line != held.place else None


def line_of(judged: Judged, finding: Finding, frontiers: Frontiers | None = None) -> Line | None:
    """The line of a finding, where it is another one than that of the Node which is wrong."""
    assigned = assigned_alone(judged, finding.at[1:]) if finding.code == "unknown" else None
    return (
        (assigned[0] if assigned is not None else None)
        or _passed_on(judged, finding, frontiers)
        or _not_returned(judged, finding, frontiers)
        or _slope_line(judged, finding, frontiers)
    )


def only_example(judged: Judged, name: str) -> int | None:
    """Which example a gradient that is wrong is made of alone, where others are made of all of them."""
    examples = judged.step.examples

    def of(gradient: Node | None) -> list[int]:
        inside = ancestors([gradient]) if gradient is not None else set[Node]()
        return [k for k, e in enumerate(examples) if not inside.isdisjoint(m.node for m in e.meetings)]

    if len(examples) < 2 or not any(len(of(node)) == len(examples) for node in judged.chosen.values()):
        return None
    found = of(judged.chosen.get(name))
    return found[0] if len(found) == 1 else None


def assigned_alone(judged: Judged, name: str) -> tuple[Line, ast.Assign] | None:
    """The statement that gives what is known already to an array that a later line makes the gradient of, if there is
    one: it leaves no record, and puts one example's in the place of a sum."""
    node = judged.chosen.get(name)
    if node is None or node.place is None or only_example(judged, name) is None:
        return None
    statements = simple_statements(parsed_text(node.place.file))
    here = {n.id for s in statements if s.lineno == node.place.line for n in ast.walk(s) if isinstance(n, ast.Name)}
    found = []
    for statement in (s for s in statements if isinstance(s, ast.Assign) and s.lineno < node.place.line):
        target, value = statement.targets[0], statement.value
        base = target.value if isinstance(target, ast.Subscript | ast.Attribute) else target
        if (
            isinstance(base, ast.Name)
            and base.id in here
            and isinstance(value, ast.Name | ast.Subscript | ast.Attribute)
        ):
            found.append((node.place._replace(line=statement.lineno), statement))
    return found[0] if len(found) == 1 else None


def _not_returned(judged: Judged, finding: Finding, frontiers: Frontiers | None) -> Line | None:
    """Where a function returns something else than the derivative of the loss that a line of it has made before, and
    that nothing uses: what is wrong is made by what is called there, or by another function."""
    first = node_of(judged, finding, frontiers) if finding.at[:2] == "dZ" or finding.code == "unknown" else None
    if first is None or first.place is None:
        return None
    step, parts = judged.step, judged.truth.parts
    wrong = [judged.chosen[name] for name in judged.wrong]
    inside = ancestors(n for n in wrong if n is not None)
    used = {parent for n in step.labelled for parent in n.parents}
    left = sorted(step.active & step.labelled - used - inside, key=lambda n: -n.number)
    # What a view writes back to its array is used where the view is.
    for node in (n for n in left if n.size > 1 and n.function is not set_flat):
        own = [np.asarray(values(node), float) for values in judged.drawn]
        alike = (n for n, use in parts[0] if use is None and n.shape == node.shape)
        true = ([of_draw.get((n, None), np.zeros(n.shape)) for of_draw in parts] for n in alike)
        if node.place is None or all(common_multiple(own, arrays, RIGHT) is None for arrays in true):
            continue
        returned, there = return_after(node.place), {(place.file, place.line) for place in first.places}
        if returned is not None and (first.place[2:] != node.place[2:] or (returned.file, returned.line) in there):
            return returned
    return None


def _passed_on(judged: Judged, finding: Finding, frontiers: Frontiers | None) -> Line | None:
    """Where the backward pass of a layer hands on what it was given, if the derivative of that layer is what is
    missing: that line has no part in the record. Or where an error is made, of which all that is made lacks it."""
    made = None
    if finding.code == "unknown":
        edges = frontier.frontiers(judged) if frontiers is None else frontiers
        edge = edges.get(finding.at[1:])
        if edge is not None and edge.left_out is not None and edge.known is not None:
            made = edge.left_out.made
            if not made.owner and sum(e.known is edge.known and e.left_out is not None for e in edges.values()) > 1:
                return edge.known.place
    elif finding.code in MISSING and judged.dense is not None and finding.at[:2] == "dZ":
        above = judged.dense.layers[finding.layer : finding.layer + 1]
        activated = above[0][0].input if above else judged.step.examples[0].prediction
        made = next((place for place in activated.places if place.owner), None)
    return next(passing_on(made, [judged.step]), None) if made is not None and made.owner else None


def _made_by_formula(judged: Judged, finding: Finding) -> Node | None:
    kind, name = finding.at[:2], finding.at[1:]
    if finding.code == "weights-already-updated" and name in judged.names:
        return through_new_weights(judged, judged.chosen.get(name) or judged.made.get(name))
    later = {"wrong-sign": _turned_later, "weight-penalty": penalty_added, "zero": _first_zero}.get(finding.code)
    if later is not None and name in judged.names and (node := later(judged, name)) is not None:
        return node
    if name in judged.names and (use := _used_of_another(judged, name)) is not None:
        return use
    if name in judged.names:
        whole = finding.code in ("not-summed", "wrong-sign", "wrong-scale", "multiplied-by-pre-activation")
        node = _in_formula(judged, name) if whole else judged.made.get(name)
        if node is not None and finding.code != "weight-penalty":
            node = _before_the_penalty(node, judged.names[name].before)
        if node is not None and finding.code in ("wrong-sign", "wrong-scale"):
            node = frontier.first_of_value(judged, name, node)
        if node is None:
            return None
        first = min(of_each_example(judged, node), key=lambda n: n.number)
        if finding.code == "wrong-scale" and first in ancestors(_right_ones(judged)):
            return node  # what is added up is right, and the sum lacks its division
        return first
    if kind == "dZ":
        stepped = [judged.names[n].after for n in judged.wrong]
        if finding.code == "wrong-sign" and [_turned_later(judged, n) for n in judged.wrong] == stepped:
            return min(stepped, key=lambda n: n.number)  # all gradients are right, and are added
        held = holder(judged, finding.layer)
        through = finding.code in ("weights-already-updated", "weights-not-transposed") or finding.is_of_layer_above
        if finding.code == "wrong-scale" and held is not None:
            return scaled_at(judged, held, finding)
        return through_weights(judged, held) if through and held is not None else held
    return judged.step.examples[0].prediction if finding.at == "forward" else None


def _used_of_another(judged: Judged, name: str) -> Node | None:
    """Where a step takes the gradient of another parameter, for which it is right; None where one line takes all."""
    taken = judged.chosen.get(name)
    others = [n for n, node in judged.chosen.items() if node is taken and n not in judged.wrong]
    if taken is None or not others:
        return None

    def first_use(of: str) -> Node | None:
        inside = ancestors(nodes_in(judged.names[of].steps), taken.number) | {judged.names[of].after}
        return min((n for n in inside if taken in n.parents), key=lambda n: n.number, default=None)

    use, elsewhere = first_use(name), map(first_use, others)
    return use if use is not None and all(n is None or n.site != use.site for n in elsewhere) else None


def _turned_later(judged: Judged, name: str) -> Node | None:
    """Where a gradient that was made with the sign that others have is turned: the step itself, perhaps."""

    def sign(of: str, node: Node | None) -> float:
        true = judged.true[of][0]
        array = np.asarray(judged.drawn[0](node), float) if node is not None else np.zeros(())
        same = without_ones(array.shape) == without_ones(true.shape)
        return float(np.sign(np.vdot(array, true))) if same else 0.0

    others = {sign(other, judged.chosen[other]) for other in judged.names if other not in judged.wrong} or {1.0}
    chosen, made = judged.chosen[name], judged.made[name]
    if sign(name, chosen) in others:
        return judged.names[name].after
    if chosen is None or made is None or sign(name, made) not in others:
        return None
    later = (n for n in sorted(ancestors([chosen], made.number), key=lambda n: n.number) if n is not made)
    return next((n for n in later if sign(name, n) not in (0.0, *others)), chosen)


def _first_zero(judged: Judged, name: str) -> Node | None:
    """What is 0 first of all that a gradient of 0 is made of, and that labels have a say in."""
    gradient = judged.chosen.get(name)
    inside = ancestors([gradient]) & judged.step.labelled if gradient is not None else set()
    zeros = (n for n in inside if not any(np.any(values(n)) for values in judged.drawn))
    return min(zeros, key=lambda n: n.number, default=None)


def _before_the_penalty(node: Node, parameter: Node) -> Node:
    """What a multiple of the parameter is added to, in a line of its own."""
    if node.function is np.add and len(node.parents) == 2:
        rest = [n for n in node.parents if parameter not in multiples(n)]
        if len(rest) == 1 and rest[0].place != node.place:
            return rest[0]
    return node


def through_new_weights(judged: Judged, gradient: Node | None) -> Node | None:
    """The first product of a gradient with weights, or a view of them, that have been stepped by then."""
    new = {p.after for p in judged.step.parameters}
    inside = ancestors([gradient], min(n.number for n in new)) if gradient is not None else set()
    for node in sorted(inside - new, key=lambda n: n.number):
        if not new.isdisjoint(node.parents):
            if node in judged.step.labelled and len(node.parents) > 1:
                return node
            new.add(node)
    return gradient


def of_each_example(judged: Judged, node: Node) -> list[Node]:
    """What was added up over examples that run one by one, with a weight penalty and without; else the Node itself."""
    if len(judged.step.examples) < 2:
        return [node]
    weights = [p.before for p in judged.step.parameters]
    parts, sums = [], [node]
    while sums:
        whole = sums.pop()
        terms = [p for p in whole.parents if p in judged.step.labelled]
        # A number in the line of a formula is part of it.
        added = terms and (
            whole.function is np.add or (is_scaling(whole, judged.step) and terms[0].place != whole.place)
        )
        penalty = added and any(depends(p, base) for p in whole.parents if p not in terms for base in weights)
        parts += [whole] if penalty or not added else []
        sums += terms if added else []
    return parts


def _in_formula(judged: Judged, name: str) -> Node | None:
    """The last array of a gradient before the lines that step its parameter."""
    chosen, made, after = judged.chosen.get(name), judged.made.get(name), judged.names[name].after.place
    if chosen is None or chosen.place is None or after is None or chosen.place.line != after.line:
        return chosen
    return made


def _origin(node: Node, judged: Judged) -> Node:
    """The array before it was scaled, turned or reshaped: where the formula of a gradient was computed."""
    while True:
        below = original(node)
        if below is node and is_scaling(node, judged.step):
            below = next((p for p in node.parents if p.size == node.size and p in judged.step.labelled), node)
        if below is node:
            return node
        node = below


def holder(judged: Judged, layer: int) -> Node | None:
    """What first holds dZ of a layer, up to a constant, of what dW or db was made of."""
    held = _last_holder(judged, layer)
    return _origin(held, judged) if held is not None else None


def _last_holder(judged: Judged, layer: int) -> Node | None:
    """The last Node that holds dZ of a layer, up to a constant, before dW or db was made of it."""
    for made in (judged.made.get(f"W{layer}"), judged.made.get(f"b{layer}")):
        if made is None:
            continue
        inside = ancestors([made], made.number - 3000) - {made}
        holders = [n for n in inside if n in judged.step.labelled and holds(judged, n, layer)]
        if holders:
            elsewhere = [n for n in holders if n.place != made.place]
            return max(elsewhere or holders, key=lambda n: n.number)
    return None


def scaled_at(judged: Judged, held: Node, finding: Finding) -> Node:
    """Where an error was multiplied by the constant that is wrong, since that of the layer above; where it is held, if
    it was not."""
    own, above = (_last_holder(judged, layer) for layer in (finding.layer, finding.layer + 1))
    way = ancestors(nodes_in(own)) & judged.step.labelled - ancestors(nodes_in(above))
    values, scale = judged.drawn[0], finding.scale or 0.0
    found = (n for n in way if is_scaling(n, judged.step) and abs(scale_of(n, values) - scale) <= RIGHT * scale)
    return max(found, key=lambda n: n.number, default=held)


def through_weights(judged: Judged, holder: Node) -> Node:
    """Where an error went through the weights, before it was multiplied by a slope."""
    node: Node | None = holder
    while node is not None and node.function not in (np.dot, np.matmul):
        labelled = [p for p in node.parents if p in judged.step.labelled]
        node = next((p for p in labelled if p.size == node.size), next(iter(labelled), None))
    return node or holder


def holds(judged: Judged, node: Node, layer: int) -> bool:
    """Whether a Node holds the error of a layer as it was used, up to a constant: that of all examples, or of one of
    those that run one by one."""
    errors = judged.diagnosis.errors if judged.diagnosis is not None else ()
    if not errors or layer not in errors[0]:
        return False
    own = [of_draw[layer] for of_draw in errors]
    by_example = zip(*own, strict=True) if len(judged.step.examples) > 1 else [own]
    return node.size == own[0].size // len(judged.step.examples) and any(
        all(
            frontier.turned_multiple(np.asarray(values(node), float), error, 1e-7) is not None
            for values, error in zip(judged.drawn, of_draws, strict=True)
        )
        for of_draws in by_example
    )
