"""What proves an accusation: formulas of the catalogue, the program's own loss, or one that others of its gradients
are of.
"""

from __future__ import annotations

import operator

import numpy as np

from jaxnet.compare.author.doubts import check_that_it_is_in_time
from jaxnet.compare.author.frontier import frontiers
from jaxnet.compare.author.judged import Judged, Unproved
from jaxnet.compare.author.levels import RIGHT, is_multiple
from jaxnet.compare.author.node import Node, depends, nodes_in, root_of
from jaxnet.compare.author.raw import stepped_by
from jaxnet.compare.author.replay import Values
from jaxnet.compare.diagnosis import Diagnosis
from jaxnet.compare.multiples import common_multiple, is_among

NO_LOSS = "no gradient is that of a loss which the program computes or implies"
LEFT_OUT = "one derivative"  # in the place of another one


def is_formula(diagnosis: Diagnosis | None) -> bool:
    """Whether formulas of the catalogue give all gradients."""
    return diagnosis is not None and not any(f.code == "unknown" for f in diagnosis.findings)


def without_formula(judged: Judged, factors: dict[str, float | None]) -> str:
    """What proves an accusation without a formula: the program's own loss, or one that others of its gradients are
    of."""
    loss = judged.truth.loss
    least = 0 if loss.name else 1  # a single number may be a multiple of much
    known = {name: f for name, f in factors.items() if is_multiple(f)}
    known = {name: f for name, f in known.items() if judged.names[name].size > 1 or _is_stepped_by_it(judged, name)}
    known = {name: f for name, f in known.items() if not _may_be_another(judged, name)}
    sizes = {
        n: sum(judged.names[m].size for m, g in known.items() if is_among(g, [f], RIGHT)) for n, f in known.items()
    }
    explained = [name for name, size in sizes.items() if size > least]
    explained = explained or [name for name in judged.names if _has_right_part(judged, name)]
    # A network that was read layer by layer, and a loss of the program's own that has a name, leave no doubt; nor do
    # gradients that are all those of another loss.
    if explained or loss.other:
        return "loss"
    if judged.dense is not None and loss.node is not None and loss.name:
        check_that_it_is_in_time(loss.node, judged.truth, judged.step, judged.drawn, NO_LOSS)
        return "loss"
    if loss.node is not None and _is_one_thing_left_out(judged):
        return LEFT_OUT
    if loss.node is not None and loss.name and _begins_as_that_of_the_loss(judged):
        return "loss"
    raise Unproved(f"{NO_LOSS}, and no known formula gives them: the step may be another one than it was taken for")


def _is_stepped_by_it(judged: Judged, name: str) -> bool:
    """Whether the step has a multiple of the gradient in it. The error itself is that of a bias: of another loss the
    sign of the error may be the gradient, say."""
    p, node = judged.names[name], judged.chosen[name]
    steps = [stepped_by(p, list(nodes_in(node)), values) for values in judged.drawn]
    return common_multiple(steps, judged.true[name], RIGHT) is not None


def _may_be_another(judged: Judged, name: str) -> bool:
    """Whether a gradient is made into another array, no multiple of it, by which its parameter is stepped and of which
    all that is wrong is made as well: of one example the error is that of a bias, and its sign may be the gradient."""
    node = judged.chosen[name]
    ends = [end for n in judged.wrong if (end := judged.chosen[n]) is not None]
    if node is None or not ends:
        return False
    way = judged.step.way_to(judged.names[name])
    later = (n for n in way if n is not node and n.size == node.size and depends(n, node))
    shared = (n for n in later if all(depends(end, n) for end in ends))
    true = [np.ravel(t) for t in judged.true[name]]
    return any(common_multiple([np.ravel(v(n)) for v in judged.drawn], true, RIGHT) is None for n in shared)


def _has_right_part(judged: Judged, name: str) -> bool:
    """Whether a part of a parameter that the forward pass uses by itself, a layer's in an array of all layers, has a
    right gradient."""
    p = judged.names[name]
    if any(array.size != p.size for array in judged.given[name]):
        return False
    numbers = Values({p.before: np.arange(p.size).reshape(p.before.shape)})
    for node in judged.step.active:
        is_part = node.function is operator.getitem and root_of(node.inputs[0]) is p.root
        if is_part and 1 < node.size < p.size:
            part = np.ravel(numbers(node)).astype(int)  # other entries may have been written meanwhile
            given, true = ([np.ravel(a)[part] for a in of[name]] for of in (judged.given, judged.true))
            if all(t.any() for t in true) and common_multiple(given, true, RIGHT) is not None:
                return True
    return False


def _is_one_thing_left_out(judged: Judged) -> bool:
    """Whether all gradients are made with one derivative of the loss where they are right with another one."""
    edges = frontiers(judged)
    told = {edge.left_out and edge.left_out[:2] for edge in edges.values()}
    return len(edges) == len(judged.names) and len(told) == 1 and None not in told


def _begins_as_that_of_the_loss(judged: Judged) -> bool:
    """Whether all gradients are made of the loss's derivative by what its prediction is made of, which is more than the
    error: that of cross-entropy through softmax, say, is no other loss's."""
    edges, parts = frontiers(judged), judged.truth.parts
    ends = [e.prediction for e in judged.step.examples if all((e.prediction, None) in of_draw for of_draw in parts)]

    def is_error(node: Node) -> bool:
        given = [np.asarray(values(node), float) for values in judged.drawn]
        return any(
            common_multiple([np.ravel(turn(g)) for g in given], [np.ravel(of[end, None]) for of in parts], RIGHT)
            for end in ends
            for turn in (np.asarray, np.transpose)
            if end.size == node.size
        )

    return (
        len(edges) == len(judged.wrong)
        and bool(ends)
        and not any(
            edge.known is None or edge.known not in judged.step.labelled or is_error(edge.known)
            for edge in edges.values()
        )
    )
