"""Gradients that are right if an array is a constant: a target, an advantage, the weight of an example.

Where two branches of a network meet in its loss, an author may mean one of them as data, and let no gradient through
(`stop_gradient`). The record has no word for that, so such a step is neither right nor wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from jaxnet.compare.author.levels import fit, levels_of, shared_constant
from jaxnet.compare.author.replay import Uses, Values
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Node, Place, ancestors
from jaxnet.compare.author.truth import Truth

MOST = 8  # lines at which branches meet


def constant_of(step: Step, truth: Truth, drawn: list[Values]) -> Place | None:
    """Where the arrays are made with which as constants all gradients are right; None if there are none."""
    if truth.loss.node is None:
        return None
    meetings = list(itertools.islice(_meetings(step, truth, truth.loss.node), MOST))
    levels = levels_of(step, drawn)
    for several in (1, 2):
        for uses in itertools.combinations(meetings, several):
            fitted = fit(levels, truth.whole(frozenset.union(*uses)))
            all_right = all(any(level.factor is not None for level in of_one) for of_one in fitted.values())
            if all_right and shared_constant(fitted) is not None:
                return min(uses[0], key=lambda use: use[0].number)[0].place
    return None


def _meetings(step: Step, truth: Truth, loss: Node) -> Iterator[Uses]:
    """For each line of the loss in which two branches of the network meet, either of them.

    The loss begins where no prediction is made any more, and no parameter comes in. No branch is what the other one was
    made of, such as the sum that a softmax divides by; and none is a term of the loss, such as a penalty.
    """
    held = {n for p in step.parameters for n in (p.root, p.before)}
    inside = sorted(ancestors([loss]) & step.active, key=lambda n: n.number)
    for node in inside:
        if node.size in {p.size for p in node.parents} and len(node.parents) == 1 and node.parents[0] in held:
            held.add(node)
    entered = [n for n in inside if n not in held and held & set(n.parents)]
    made_before = ancestors([*entered, *(example.prediction for example in step.examples)])
    found: dict[tuple, set[tuple[Node, Node]]] = {}
    for node in inside:
        branches = [n for n in dict.fromkeys(node.parents) if n in step.active]
        if node in made_before or len(branches) != 2 or (_is_sum(node) and _is_linear(node, truth)):
            continue
        first, second = branches
        if first not in ancestors([second]) and second not in ancestors([first]):
            for k, branch in enumerate(branches):
                found.setdefault((node.place, k), set()).add((branch, node))
    yield from map(frozenset, found.values())


def _is_sum(node: Node) -> bool:
    return node.function in (np.add, np.subtract)


def _is_linear(node: Node, truth: Truth) -> bool:
    """Whether the loss has the same derivative by this Node whatever the parameters are."""
    first, *others = (adjoints.get(node) for adjoints in truth.adjoints)
    return first is None or all(other is not None and np.allclose(first, other) for other in others)
