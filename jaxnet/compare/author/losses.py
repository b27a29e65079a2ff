"""Numbers of a record that may be the loss of a step, likeliest first."""

from __future__ import annotations

import operator
from collections.abc import Set
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.compare.author.lines import target_of
from jaxnet.compare.author.node import MULTIPLYING, Node, depends, following, made_alone_of, made_of, nodes_in, original
from jaxnet.compare.author.step import Example
from jaxnet.compare.author.updates import multiples, scaled_by_numbers

if TYPE_CHECKING:
    from jaxnet.compare.author.view import View

FEW = 50  # numbers, the last of a step, that are looked at for labels


def losses_of(view: View, labelled: set[Node], examples: tuple[Example, ...]) -> tuple[Node, ...]:
    """What depends on all that the prediction does and on the labels, and from which no step follows: scalars, or where
    there are none, one for each example."""
    masks = view.masks
    most = max(masks[e.prediction].bit_count() for e in examples)
    first = min(e.prediction.number for e in examples)
    back = following(view.window, _sent_back(view, labelled, examples))
    found = [n for n in view.window if may_be_loss(n, view) and n in view.active and masks[n].bit_count() >= most]
    # Nor is it what the next step keeps of this one, 0.9 v of a single bias.
    back |= {n for n in found if not view.into_steps.isdisjoint(m for m in multiples(n) if m is not n)}
    found = [n for n in found if n not in back]
    found = [n for n in found if n.number > first] or found  # not of the examples before
    found = [n for n in found if n in view.returned] or found
    numbers = [n for n in found if n.size == 1]
    # Labels may enter a loss in another way than the error, and the mean may be taken when all is over.
    met = {original(m.labels) for e in examples for m in e.meetings if m.labels is not None}
    found = (
        [n for n in numbers if n in labelled]
        or [n for n in numbers[-FEW:] if not met.isdisjoint(made_of([n]))]
        or [n for n in found if n in labelled and any(n.size in e.prediction.shape for e in examples)]
        or [n for n in numbers[-FEW:] if made_of([n]).issuperset(e.prediction for e in examples)]  # labels may be plain
    )
    # A loss is made of the prediction, or of the error, and not of what the backward pass makes of it.
    depth: dict[Node, int] = {}
    for node in view.window:
        inside = node in labelled and node in view.into_steps
        depth[node] = max((depth.get(source, 0) for source in node.sources), default=0) + inside
    likeliest = sorted(last_of(found, view), key=lambda n: (depth[n], -n.number))[:12]
    covered = {}
    for node in likeliest:
        if depth[node] <= depth[likeliest[0]] + 1:
            inside = made_of([node], first)
            covered[node] = sum(e.prediction in inside for e in examples)

    def likely(node: Node) -> tuple:
        return -covered[node], depth[node], _is_made_larger(node, covered.keys()), -node.number

    return tuple(sorted(covered, key=likely))[:4]


def _sent_back(view: View, labelled: set[Node], examples: tuple[Example, ...]) -> set[Node]:
    """The products for the steps in which what labels have entered meets more of the forward pass than the prediction,
    or which arrays are stepped by: no loss is made of them, but the bound of a line search is."""
    others = view.active - labelled - following(view.window, {e.prediction for e in examples})
    products = {n for n in labelled & view.into_steps if n.function in MULTIPLYING}
    met = {n for n in products if not labelled.isdisjoint(n.parents) and not others.isdisjoint(n.parents)}
    stepped = {m for p in view.parameters for n in nodes_in(p.steps) for m in multiples(n)}
    return met | {n for n in products & stepped if len({*n.parents}) > 1}


def _is_made_larger(node: Node, scalars: Set[Node]) -> bool:
    """Whether it is another scalar, times a number above 1: a mean that is made the sum of all examples once more."""
    if node.function is not np.multiply or scalars.isdisjoint(node.parents):
        return False
    return any(np.any(np.abs(number) > 1) for number in node.inputs if not isinstance(number, Node))


def _is_summed_again(mean: Node, later: Node, view: View) -> bool:
    """Whether a scalar is another one times the number of examples."""
    if not _is_made_larger(later, {mean}):
        return False
    counts = {float(size) for meeting in view.readings for size in meeting.network.shape[:1] if size > 1}
    return not counts.isdisjoint(float(i) for i in later.inputs if np.ndim(i) == 0 and not isinstance(i, Node))


def _is_averaged(node: Node, later: Node, view: View) -> bool:
    """Whether a scalar is made of another one and of those of earlier steps: or will be, by the line that made it, once
    it is run again after the step. So is how much smaller it is than a number, which may be what it was: but for 1 − a
    similarity."""
    if later.function is np.subtract and later.inputs[1] is node and later.inputs[0] is not node:
        was = later.inputs[0]
        was = was.value if isinstance(was, Node) and was.function is None and not was.shape else was
        if not isinstance(was, Node) and np.ndim(was) == 0 and was not in (0, 1):
            return True
    before = [p.before for p in view.parameters]
    others = [n for n in later.parents if n is not node and n in view.touched]
    again = node.places[:1] == later.places[:1] and any(
        node.number < p.after.number < later.number for p in view.parameters
    )
    return again or any(not depends(n, *before) for n in others)


def _is_of_one_result(node: Node, later: Node, view: View) -> bool:
    """Whether two scalars are made in one line, or by the same call of a function: of one that steps nothing, and
    returns a number, or under the same name, which the later one has from then on."""
    here, there = node.places, later.places
    if here[:1] == there[:1]:
        return True
    stepping = {place.function for p in view.parameters for place in p.after.places}
    same = bool(here and there) and here[1:] == there[1:] and here[0][::2] == there[0][::2]
    return same and (here[0].function not in stepping or target_of(node) == target_of(later) is not None)


def last_of(scalars: list[Node], view: View) -> list[Node]:
    """Of scalars that are made of each other, the last, and those that it is made of alone in other lines: a loss of
    which another line takes the mean.

    A loss without its penalty is part of another scalar, and not alone: it is not what the program descends. Nor is Σ…
    where the same line, or the same call of a function, divides it by m; nor what a mean becomes that is multiplied by
    m, to be divided by all examples in the end.
    """
    known = set(scalars)
    inner = {parent for node in scalars for parent in node.parents}
    kept: set[Node] = set()
    for node in scalars:
        current, later = node if node not in inner else None, None
        chain: list[Node] = []
        while current is not None:
            if later is not None and _is_averaged(current, later, view):
                shares = [scaled_by_numbers(n) for n in later.parents]
                current = (None not in shares and scaled_by_numbers(current)) or current
                chain = [current]
            elif later is not None and _is_summed_again(current, later, view):
                chain = [*(n for n in chain if n is later), current]
            elif later is None or not _is_of_one_result(current, later, view):
                chain.append(current)
            later = current
            active = sorted((n for n in {*current.parents} if n in view.masks), key=lambda n: n.number)
            first = active[0] if active and active[0] in known else None  # or a sum of it over steps, beside it
            current = first if first and all(made_alone_of([n], {first}) for n in active) else None
        kept.update(chain)
    return [node for node in scalars if node in kept]


def may_be_loss(node: Node, view: View) -> bool:
    """Whether a Node is a scalar, or has one for each example, that makes no step. What is counted, as an accuracy is,
    has no derivative; and what is shown of a number is not where it is computed."""
    shown = node.function in (operator.getitem, np.reshape, np.round, np.around) and node.parents[0].size == node.size
    alone = node in view.smooth and node not in view.into_steps and not shown
    return node.size == max(node.shape, default=1) and alone and node not in view.errors
