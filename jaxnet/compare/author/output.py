"""The error of the output, in any network: by which formula of the catalogue it was made, if all gradients follow from
it as they should.

A dense network is explained layer by layer. Of another one only its end is known: a prediction, made of scores by an
activation. If the gradients are those that autodiff makes of a wrong error there, all behind it is right.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.dense import activated, equal
from jaxnet.compare.author.levels import fit, levels_of
from jaxnet.compare.author.node import Node, made_of
from jaxnet.compare.author.pullback import PullBack
from jaxnet.compare.author.readings import shared_constant
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.truth import Truth, labels_of
from jaxnet.compare.diagnosis import Candidate, output_candidates
from jaxnet.compare.mistakes import ACTIVATIONS, Array, Pass
from jaxnet.compare.multiples import common_multiple

FORMULA = 1e-8  # an error as near as this to a formula's is that


class End(NamedTuple):
    """The last activation of a network: its scores, as rows or with the examples as columns, and a pass of each draw
    that has one layer, without weights."""

    scores: Node
    columns: bool
    passes: list[Pass]

    def as_written(self, array: Array) -> Array:
        """Rows as the author holds the scores."""
        return (array.T if self.columns else array).reshape(self.scores.shape)

    def as_held(self, array: Array) -> Array:
        """An array of as many entries in the shape of the scores: another shape is that of the transpose."""
        return (array if array.shape == self.scores.shape else array.T).reshape(self.scores.shape)


class Gradients:
    """The gradients of parameters that an error of the scores leads to, in each draw: computed once for each error."""

    def __init__(self, scores: Node, active: frozenset[Node], parameters: tuple[Parameter, ...], drawn: tuple) -> None:
        self.pull = PullBack([scores], active, {p.root for p in parameters})
        self.parameters, self.drawn = parameters, drawn
        self.known: dict[Node, list[dict[Node, Array]]] = {}

    def of(self, errors: list[Array]) -> list[dict[Node, Array]]:
        found = [self.pull(values, [error]) for values, error in zip(self.drawn, errors, strict=True)]
        return [
            {p.before: p.turned(of_draw[p.root]) for p in self.parameters if p.root in of_draw} for of_draw in found
        ]

    def of_node(self, node: Node, errors: list[Array]) -> list[dict[Node, Array]]:
        if node not in self.known:
            self.known[node] = self.of(errors)
        return self.known[node]


_gradients = functools.lru_cache(1)(Gradients)  # of a step, whatever its loss may be


def wrong_error(step: Step, truth: Truth, drawn: list[Values]) -> Candidate | None:
    """The wrong formula for the error of the scores whose gradients all are, up to a constant; None if there is none.

    The error must stand in the backward pass: that leaves few formulas to be differentiated.
    """
    end = _end(step, truth, drawn)
    if end is None:
        return None
    levels = levels_of(step, drawn)
    gradients = _gradients(end.scores, step.active, step.parameters, tuple(drawn))
    backward = [n for n in step.backward if n.size == end.scores.size and n.is_float]
    held = [(node, [end.as_held(np.asarray(values(node), float)) for values in drawn]) for node in backward]
    rest: list[dict[Node, Any]] | None = None  # what a penalty of the loss adds to the gradients
    for candidate in itertools.islice(output_candidates(end.passes), 1, None):
        errors = [end.as_written(dZ) for dZ in candidate.dZ]
        for node, made in held:
            factor = common_multiple(errors, made, FORMULA)
            if factor is None:
                continue
            sent = gradients.of_node(node, made)
            if rest is None and truth.loss.node is None:
                rest = [dict.fromkeys(of_draw, 0.0) for of_draw in sent]
            elif rest is None:
                right = gradients.of([of_draw[end.scores] for of_draw in truth.adjoints])
                rest = [  # an error of 0 sends nothing
                    {n: a[n] - r.get(n, 0.0) for n in g} for a, r, g in zip(truth.adjoints, right, sent, strict=True)
                ]
            adjoints = [
                {**a, **{n: r[n] + factor * g[n] for n in g}}
                for a, r, g in zip(truth.adjoints, rest, sent, strict=True)
            ]
            if shared_constant(fit(levels, replace(truth, adjoints=adjoints))) is not None:
                return candidate
    return None


def _end(step: Step, truth: Truth, drawn: list[Values]) -> End | None:
    """Where an activation makes the prediction."""
    labels = [labels_of(example, values) for example in step.examples for values in drawn]
    if len(step.examples) != 1 or any(y is None for y in labels):
        return None
    prediction = step.examples[0].prediction
    inside = [n for n in made_of([prediction]) & step.active if n.shape == prediction.shape and n is not prediction]
    known = [n for n in inside if all(n in of_draw for of_draw in truth.adjoints)]
    for scores in sorted(known, key=lambda n: n.number):  # z before z − max z: they are the same to a softmax alone
        for columns in (False, True):
            passes = []
            for values, adjoints, y in zip(drawn, truth.adjoints, labels, strict=True):
                arrays = values(scores), values(prediction), y, adjoints[prediction], adjoints[scores]
                Z, A, Y, DA, DZ = (_rows(np.asarray(array, float), columns) for array in arrays)
                name = next((name for name in ("softmax", *ACTIVATIONS) if equal(activated(Z, name), A)), None)
                if name is None or name == "identity":
                    break
                nothing = np.zeros((0, 0))
                passes.append(Pass([nothing] * 2, [nothing, Z], [nothing, A], Y, ["", name], DA, DZ))
            if len(passes) == len(drawn) and len({p.activations[-1] for p in passes}) == 1:
                return End(scores, columns, passes)
    return None


def _rows(array: Array, columns: bool) -> Array:
    """(m, o): a vector is one example's."""
    rows = np.atleast_2d(array) if array.ndim < 3 else array.reshape(-1, array.shape[-1])
    return rows.T if columns else rows
