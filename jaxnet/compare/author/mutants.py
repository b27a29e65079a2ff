"""Whether a mistake would have shown in a network of any kind: the author's own backward pass with something left out.

A factor that depends on the parameters, a mask or a term is left out, by turns (mutation testing: DeMillo, Lipton and
Sayward 1978). "Right" is hollow where that changes no gradient: where all slopes are 1, or nothing is carried back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Node, ancestors, nodes_in, setitem
from jaxnet.compare.teeth import Teeth

OPERATION = 10_000  # nanoseconds that one takes, beside one for each entry of its array …
MOST = 2e9  # … and that all of them may
SHOWS = 1e-4  # of the largest entry of a gradient
WHAT = "factors and terms left out of the backward pass"

Mutant = list[tuple[Node, Node]]  # Nodes of the backward pass, in order, each with what is left of it


def teeth_of(judged: Judged) -> Teeth | None:
    """How much would have been missed if it were left out, and the lines of what would not; None where there is nothing
    that could be, or it would take too long to tell."""
    gradients: set[Node] = set()
    for name, parameter in judged.names.items():
        chosen = judged.chosen[name]
        gradients.update(nodes_in(parameter.steps) if chosen is None else [chosen])
    mutants = _mutants(judged.step, gradients)
    if len(mutants) * sum(OPERATION + node.size for node in judged.step.backward) > MOST:
        return None
    # Nothing shows of what is 0 for another reason: what the first state of a recurrent network is multiplied by, say.
    mutants = [m for m in mutants if any(np.any(values(left)) for _, left in m for values in judged.drawn)]
    hidden = [m[0][0].place for m in mutants if not any(_shows(m, gradients, values) for values in judged.drawn)]
    lines = dict.fromkeys(f"{place.file}:{place.line}" for place in hidden if place is not None)
    teeth = Teeth(len(mutants) - len(hidden), len(mutants), tuple((line, "left-out") for line in lines), WHAT)
    return teeth if mutants else None


def _mutants(step: Step, gradients: set[Node]) -> list[Mutant]:
    """Together goes what one instruction makes for the same parameters: those of a layer, and of all steps in time."""
    reached: defaultdict[Node, set[Node]] = defaultdict(set)
    for gradient in gradients:
        for node in ancestors([gradient]) & step.labelled:
            reached[node].add(gradient)
    found: dict[tuple, Mutant] = defaultdict(list)
    for node in step.backward:
        for k, left in enumerate(_left_of(node, step) if node in reached else ()):
            found[node.site, node.places, k, frozenset(reached[node])].append((node, left))
    return list(found.values())


def _left_of(node: Node, step: Step) -> Iterator[Node]:
    """A product without its factor, an array without what was written into it, a sum without one term or the other."""
    errors = [p for p in node.parents if p in step.labelled and p.shape == node.shape]
    others = [p for p in node.parents if p not in step.labelled]
    if node.function is np.add and len(errors) == 2:
        yield from errors
    elif node.function in (np.multiply, np.true_divide, np.where, setitem) and len(errors) == 1:
        yield from errors if any(other in step.active for other in others) else ()


def _shows(mutant: Mutant, gradients: set[Node], values: Values) -> bool:
    mutated = values.before(mutant[0][0])
    for node, left in mutant:
        mutated.known[node] = np.asarray(mutated(left))
    pairs = ([np.asarray(v(node), float) for v in (values, mutated)] for node in gradients)
    return any(a.shape != b.shape or np.abs(a - b).max(initial=0) > SHOWS * np.abs(a).max(initial=0) for a, b in pairs)
