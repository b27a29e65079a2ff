"""The program itself as a witness: run once more with the numbers of a draw in the place of its own, it must make what
the record says that it would.

What leaves the record, through text, bytes or other libraries, is a constant for the record, and may depend on the
weights all the same: then the program has other numbers there, or takes another way, and nothing is proved by the draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import differs
from jaxnet.compare.author.node import Node, ancestors, nodes_in, replaced
from jaxnet.compare.author.replay import Values, same_as_recorded
from jaxnet.compare.author.tape import Planted, Tape

SINGLE = 1e-5  # numbers in single precision that are as near as this, as a share of them, are the same
PLAIN = bool, int, float, np.ndarray, np.generic


def planted_for(judged: Judged, tape: Tape) -> Planted:
    """The numbers of the draw that shows what is wrong, for a run that ends where the step does."""
    given = _telling(judged).given.items()
    numbers = {node.number: np.asarray(value) for node, value in given}
    return Planted(numbers, judged.step.last + 1, tape.ended, tape.forgotten)


def strayed(judged: Judged, again: Tape) -> Node | None:
    """Where a run with the numbers of that draw is not what the first record says that it would be, in what the
    wrong gradients and the truth are made of. None where it is; and where it is no witness: if it makes something else
    before these numbers, or draws others at random, it may do so each time; and into some arrays nothing is planted."""
    drawn = _telling(judged)
    first = min(node.number for node in drawn.given)
    inside = sorted(ancestors(_ends(judged)), key=lambda n: n.number)
    for node in inside:
        other = again.nodes[node.number] if node.number < len(again.nodes) else None
        is_alike = other is not None and _is_alike(node, other)
        if other is not None and is_alike and node in drawn.given:
            if node.function is None and not _are_same(drawn(node), other.value):
                return None
        elif other is None or not is_alike or not _holds_the_same(node, other):
            return node if node.number > first and node.origin != "random" else None
    later = (node for node in inside if node.number >= first)
    node = same_as_recorded(later, drawn, again.nodes)
    return node if node not in drawn.given else None


def _telling(judged: Judged) -> Values:
    """The first draw in which a gradient is wrong: in others what has left the record may be the same by chance."""

    def shows(k: int) -> bool:
        return any(differs([judged.given[n][k]], [judged.true[n][k]], judged.scale) for n in judged.wrong)

    return next((values for k, values in enumerate(judged.drawn) if shows(k)), judged.drawn[0])


def _ends(judged: Judged) -> Iterator[Node]:
    """The gradients that are wrong, and what they are said to be no derivatives of."""
    for name in judged.wrong:
        node = judged.chosen.get(name)
        yield from nodes_in(judged.names[name].steps if node is None else node)
    yield from judged.truth.loss.numbers
    for example in judged.step.examples:
        yield from nodes_in([example.prediction, *(meeting.labels for meeting in example.meetings)])


def _is_alike(node: Node, other: Node) -> bool:
    """Whether two Nodes are made by the same line, of the same Nodes; how many entries a mask picks may differ."""
    numbers = [[parent.number for parent in n.parents] for n in (node, other)]
    return (node.name, node.place) == (other.name, other.place) and numbers[0] == numbers[1]


def _holds_the_same(node: Node, other: Node) -> bool:
    """Whether what is plain in them is the same: a leaf's numbers, an index."""
    if node.function is None:
        return _are_same(node.value, other.value)
    plain: tuple[list, list] = [], []
    for n, found in zip((node, other), plain, strict=True):
        replaced((n.inputs, n.keywords), found.append, PLAIN)
    return all(_are_same(one, another) for one, another in zip(*plain, strict=False))


def _are_same(one: Any, another: Any) -> bool:
    one, another = np.asarray(one), np.asarray(another)
    if one.shape != another.shape or one.dtype.kind not in "fc":
        return np.array_equal(one, another)
    return np.allclose(one, another, SINGLE, 0, equal_nan=True)
