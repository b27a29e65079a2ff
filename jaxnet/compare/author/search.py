"""Finds the training steps in a record: of which arrays, as they are stepped (`chains`), and which first."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np

from jaxnet.compare.author.chains import Chain, at_once, chains_in, networks, stepped_once
from jaxnet.compare.author.lines import target_of
from jaxnet.compare.author.node import ancestors, made_of, nodes_in
from jaxnet.compare.author.step import NOTHING, NoLoss, NoStep, Step, held_in
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.view import readings_of, stale_step, view_of, viewed, window_of, with_further


def find_steps(tape: Tape) -> Iterator[list[Step]]:
    """The ways to read the record as a step, likeliest first, of each network that has one, that with most parameters
    first. Raises NoStep if there is none.

    The first step of a network is judged, or its second one if only that has the loss beside it. Labels in arrays come
    first, then a scalar that may be the loss, whatever its labels are, then labels in arrays without a loss, and
    positions in plain numbers.
    """
    found = networks(chains_in(tape))
    steps: list[Step] = []
    for steps in _steps_of(found, tape):
        yield steps
    if steps:
        return
    stale = stale_step(tape)
    if stale is not None:  # unless the prediction is made of something that does train
        trained = {chain.versions[0] for network in found for chain in network if len(chain.steps) > 1}
        if trained.isdisjoint(made_of(example.prediction for example in stale.examples)):
            yield [stale]
            return
    if not all(_is_no_training(chain) for network in found for chain in network):
        raise NoLoss("arrays are stepped, and neither the labels nor the loss that they are stepped by were found")
    raise NoStep(NOTHING)


def _is_no_training(chain: Chain) -> bool:
    """Whether what is added up is a gradient by its name, or an array is shifted by what is made of it alone, as scores
    are by the largest one."""
    start, name = chain.versions[0], target_of(chain.versions[1]) or ""
    if re.match(r"d_?[WwBb]|d[A-Z]|grad", name):
        return True
    made = ancestors(nodes_in(chain.steps[0]), start.number)
    return {n for m in made - {start} for n in m.parents} <= made


def steps_by_hand(tape: Tape) -> list[list[Step]]:
    """The same for arrays that are stepped once, beside those that are trained, and by labels: a state is not."""
    of_each = _steps_of(networks(stepped_once(tape)), tape)
    return [found for steps in of_each if (found := [step for step in steps if step.examples])]


def parts_of(tape: Tape, step: Step) -> list[list[Step]]:
    """The readings of each part of a network by itself, where some of its arrays are stepped with others that are not
    stepped with them: an actor with what its critic says, a probe with what its encoder makes. What a part is stepped
    with is a constant there. A number that is made with an array that it is not stepped with is no loss of its."""
    stepped = {n for p in step.parameters for n in p.new}
    made = [made_of(nodes_in(p.steps), until=stepped.__contains__) for p in step.parameters]
    needs = np.array([[not inside.isdisjoint(p.as_read) for p in step.parameters] for inside in made])
    reached = needs | np.eye(len(made), dtype=bool)
    while (further := reached @ reached).sum() > reached.sum():
        reached = further
    parts = sorted(np.unique(reached & reached.T, axis=0), key=np.sum, reverse=True)  # all that need each other
    return [_part_of(tape, step, part, np.logical_or.reduce(needs[part])) for part in parts if len(parts) > 1]


def _part_of(tape: Tape, step: Step, own: np.ndarray, needed: np.ndarray) -> list[Step]:
    parameters = tuple(itertools.compress(step.parameters, own))
    constant = frozenset(n for p in itertools.compress(step.parameters, ~own) for n in (p.before, *p.versions[1:]))
    unknown = {n for p in itertools.compress(step.parameters, ~own & ~needed) for n in p.as_read}
    first = min(p.root.number for p in parameters)
    into_steps = made_of((n for p in parameters for n in (p.after, *nodes_in(p.steps))), first)
    since = min(n.number for n in step.active - held_in(step.parameters))  # as it was when the step was found
    window = window_of(parameters, tape, step.last, constant, since)
    return readings_of([viewed(parameters, window, into_steps, tape, step.last, constant, unknown)])


def _steps_of(found: list[list[Chain]], tape: Tape) -> Iterator[list[Step]]:
    for network in found:
        steps_made = min(len(chain.versions) for chain in network) - 1
        # A step that changes an array's shape is judged, and what comes after it is another network.
        kept = all(chain.versions[1].shape == chain.versions[0].shape for chain in network)
        others = frozenset(v for other in found if other is not network for c in other for v in c.versions[1:])
        judged = range(min(2 if kept else 1, steps_made))
        views = [view_of(tape, network, k, others) for k in judged if at_once(network, k)]
        views = [with_further(tape, view) for view in views]
        # A bias that began as a number is one from the second step on: what is read without it is not all of the step,
        # but the loss may be computed in the first one only.
        counts = sorted({len(view.parameters) for view in views}, reverse=True)
        of_each = [readings_of([view for view in views if len(view.parameters) == count]) for count in counts]
        if steps := next(filter(None, of_each), []):
            without = [step for found in of_each if found is not steps for step in found if step.losses]
            yield steps if any(step.losses for step in steps) else steps + without
