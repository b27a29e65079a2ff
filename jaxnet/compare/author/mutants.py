"""Whether a mistake would have shown in a network of any kind: the author's own backward pass with something left out.

A factor that depends on the parameters, a mask, a term or the labels are left out, by turns (mutation testing: DeMillo,
Lipton and Sayward 1978). "Right" says nothing of what changes no gradient: a slope that is 1 everywhere, say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.node import Node, ancestors, nodes_in, setitem
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Step
from jaxnet.compare.teeth import Teeth

OPERATION = 10_000  # nanoseconds that one takes, beside one for each entry of its array …
MOST = 2e9  # … and that all of them may
SHOWS = 1e-4  # of the largest entry of a gradient

Mutant = list[tuple[Node, Node]]  # Nodes of the backward pass, in order, each with what is left of it


def teeth_of(judged: Judged) -> Teeth | None:
    """How much would have been missed if it were left out, and the lines of what would not; None where there is nothing
    that could be, or it would take too long to tell."""
    gradients: set[Node] = set()
    for name, parameter in judged.names.items():
        chosen = judged.chosen[name]
        gradients.update(nodes_in(parameter.steps) if chosen is None else [chosen])
    mutants = _mutants(judged.step, gradients)
    of_one = sum(OPERATION + node.size for node in judged.step.backward)
    if len(mutants) * len(judged.drawn) * of_one > MOST:
        return None
    # Nothing shows of what is 0 for another reason: what the first state of a recurrent network is multiplied by, say.
    mutants = [m for m in mutants if any(np.any(values(left)) for _, left in m for values in judged.drawn)]
    hidden = [m[0][0].place for m in mutants if not any(_shows(m, gradients, values) for values in judged.drawn)]
    lines = dict.fromkeys(f"{place.file}:{place.line}" for place in hidden if place is not None)
    left_out = tuple((line, "left-out") for line in lines)
    return Teeth(len(mutants) - len(hidden), len(mutants), left_out) if mutants else None


def _mutants(step: Step, gradients: set[Node]) -> list[Mutant]:
    """Together goes what one instruction makes for the same parameters: those of a layer, and of all steps in time."""
    reached: dict[Node, int] = {gradient: 1 << k for k, gradient in enumerate(gradients)}  # a bit for each gradient
    for node in sorted(ancestors(gradients) & step.labelled, key=lambda n: -n.number):
        for parent in node.parents:
            reached[parent] = reached.get(parent, 0) | reached.get(node, 0)
    errors = {m.node: m.network for e in step.examples for m in e.meetings if m.node.function in (np.add, np.subtract)}
    found: dict[tuple, Mutant] = defaultdict(list)
    for node in step.backward:
        if node in errors and node in reached and node.shape == errors[node].shape:
            found[node.site, node.places, "labels", reached[node]].append((node, errors[node]))
        for k, left in enumerate(_left_of(node, step) if node in reached else ()):
            found[node.site, node.places, k, reached[node]].append((node, left))
    return list(found.values())


def _left_of(node: Node, step: Step) -> Iterator[Node]:
    """A product without its factor, an array without what was written into it, a sum without one term or the other."""
    errors = [p for p in node.parents if p in step.labelled]
    others = [p for p in node.parents if p not in step.labelled]
    factors = node.function in (np.multiply, np.true_divide, np.where, setitem) and len(errors) == 1
    if (node.function is np.add and len(errors) == 2) or (factors and any(other in step.active for other in others)):
        yield from (error for error in errors if error.shape == node.shape)
    elif node.function is np.subtract and len(errors) == 2 and errors[0].shape == node.shape:
        yield errors[0]


def _shows(mutant: Mutant, gradients: set[Node], values: Values) -> bool:
    mutated = values.before(mutant[0][0])
    for node, left in mutant:
        mutated.known[node] = np.asarray(mutated(left))
    pairs = ([np.asarray(v(node), float) for v in (values, mutated)] for node in gradients)
    return any(a.shape != b.shape or np.abs(a - b).max(initial=0) > SHOWS * np.abs(a).max(initial=0) for a, b in pairs)
