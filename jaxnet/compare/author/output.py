"""The error of the output, in any network: by which formula of the catalogue it was made, if all gradients follow from
it as they should.

A dense network is explained layer by layer. Of another one only its end is known: a prediction, made of scores by an
activation. If the gradients are those that autodiff makes of a wrong error there, all behind it is right.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.dense import activated, equal
from jaxnet.compare.author.levels import Level, fit, shared_constant
from jaxnet.compare.author.replay import PullBack, Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, made_of
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


def wrong_error(
    step: Step, truth: Truth, drawn: list[Values], levels: dict[Parameter, list[Level]]
) -> Candidate | None:
    """The wrong formula for the error of the scores whose gradients all are, up to a constant; None if there is none.

    The error must stand in the backward pass: that leaves few formulas to be differentiated.
    """
    end = _end(step, truth, drawn)
    if end is None:
        return None
    size = end.scores.size
    backward = [n for n in step.backward if n.size == size and n.dtype is not None and n.dtype.kind == "f"]
    made = [[np.asarray(values(n), float).reshape(-1) for values in drawn] for n in backward]
    pull = PullBack([end.scores], set(step.active), {p.root for p in step.parameters})
    for candidate in itertools.islice(output_candidates(end.passes), 1, None):
        errors = [end.as_written(dZ) for dZ in candidate.dZ]
        flat = [[e.reshape(-1) for e in errors], [e.T.reshape(-1) for e in errors]]
        if not any(common_multiple(node, error, FORMULA) for node in made for error in flat):
            continue
        adjoints = []
        for values, of_draw, error in zip(drawn, truth.adjoints, errors, strict=True):
            more = pull(values, [error - of_draw[end.scores]])  # beside what a penalty adds to the gradients
            added = {p.before: p.turned(more[p.root]) for p in step.parameters if p.root in more}
            adjoints.append({**of_draw, **{n: of_draw.get(n, 0.0) + array for n, array in added.items()}})
        if shared_constant(fit(levels, truth._replace(adjoints=adjoints))) is not None:
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
