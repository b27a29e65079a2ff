"""The numbers that a step is multiplied by, of which one may be the learning rate."""

from __future__ import annotations

import ast
import itertools
import math
from collections import Counter
from collections.abc import Iterable

import numpy as np

from jaxnet.compare.author.levels import RIGHT
from jaxnet.compare.author.lines import statement_of
from jaxnet.compare.author.raw import is_kept, is_scaling, stepped
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, ancestors, multiples, nodes_in
from jaxnet.compare.multiples import is_among

MOST_NUMBERS = 6  # in the line of a step


def scalings(parameter: Parameter, step: Step, values: Values, factors: bool = False) -> dict[Node, float]:
    """By what numbers something is multiplied on the way to a step: what follows from the labels, or in the line of the
    step, and in that of what an optimiser keeps, anything (`W -= rate * X.T @ error`) but the parameter, and elsewhere
    the other `factors` of what follows from the labels (`dW = rate * X.T @ error`)."""
    inside = ancestors(nodes_in(parameter.steps), min(p.root.number for p in step.parameters))
    products = (n for n in inside & step.labelled if factors and n.function not in (np.add, np.subtract))
    counted = step.labelled.union(*(n.parents for n in products))
    kept = [n for n in inside & step.labelled if is_kept(n, step)]
    old = {parent for n in kept for parent in n.parents} - step.labelled  # β v
    lines = {parameter.after.place, *(n.place for n in kept)}
    inside = (n for n in inside - old if n in counted or n.place in lines)
    found = {}
    for node in sorted((n for n in inside if is_scaling(n, step)), key=lambda n: n.number):
        if parameter.before in multiples(node):
            continue  # it decays
        if number := scale_of(node, values):
            found[node] = number
    return found


def scale_of(node: Node, values: Values) -> float:
    """The number, without its sign, by which an array is multiplied in a Node that scales it."""
    array = next(np.asarray(values(parent)) for parent in node.parents if parent.size == node.size)
    square = float(np.vdot(array, array)) or 1.0
    return abs(float(np.vdot(array, np.asarray(values(node)).reshape(array.shape)))) / square


def is_count(number: float, step: Step) -> bool:
    """Whether it is the number of examples, or over it."""
    return is_among(max(number, 1 / number), step.counts, RIGHT)


def rate_of_line(parameter: Parameter, factor: float | None, step: Step, values: Values) -> float:
    """The product of numbers in the line of a step, but for those of examples: of those that are the step's `factor` to
    the truth, if some are, else of all."""
    found = scalings(parameter, step, values).items()
    in_line = {n.site: k for n, k in found if n.place == parameter.after.place and not is_count(k, step)}
    numbers = list(in_line.values())[:MOST_NUMBERS]
    several = (some for count in range(1, len(numbers) + 1) for some in itertools.combinations(numbers, count))
    products = [math.prod(some) for some in several]
    constant = abs(factor or 0.0)
    return next((k for k in products if abs(k - constant) <= RIGHT * k), products[-1] if products else 1.0)


def have_hidden_numbers(step: Step) -> bool:
    """Whether of all that is stepped, the statement that makes the step, or what an optimiser keeps, has products that
    are none of arrays: 1/m in `rate / m * dW`, or 2 in `rate * 2 * dW`."""
    first = min(p.root.number for p in step.parameters)
    made = ancestors((n for p in step.parameters for n in (p.after, *nodes_in(p.steps))), first)
    recorded = {(n.instruction, n.place) for n in made if n.function in (np.true_divide, np.multiply) and n.place}

    def has_more(node: Node) -> bool:
        place, statement = node.place, statement_of(node)
        if place is None or statement is None:
            return False
        lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        here = {instruction for instruction, at in recorded if at.file == place.file and at.line in lines}
        operators = (part.op for part in ast.walk(statement) if isinstance(part, ast.BinOp))
        of_0 = is_kept(node, step) and len(node.parents) == 1  # β v, of a v that is the number 0 yet
        return sum(isinstance(operator, (ast.Div, ast.Mult)) for operator in operators) > len(here) + of_0

    ways = ((p.after, *(n for n in step.way_to(p) if is_kept(n, step))) for p in step.parameters)
    return all(any(map(has_more, way)) for way in ways)


def numbers_inside(parameters: Iterable[Parameter], step: Step, values: Values) -> list[float]:
    """The numbers, but for those of examples, by which something is multiplied in each of these parameters' steps; and
    one over the number of examples, if by that twice: a rate of 0.1, and a mean over 10."""
    found = [[*scalings(p, step, values).values()] for p in parameters]
    common = common_to(found)
    twice = [k for k in common if all(sum(is_among(n, [k], RIGHT) for n in of) > 1 for of in found)]
    return [k for k in common if not is_count(k, step)] + [k for k in twice if is_count(k, step)]


def common_to(numbers: list[list[float]]) -> list[float]:
    """Those that are in each of the lists, each once."""
    found: list[float] = []
    for k in numbers[0]:
        found += [k] if all(is_among(k, of, RIGHT) for of in numbers) and not is_among(k, found, RIGHT) else []
    return found


def without_common_rate(step: Step, values: Values) -> bool:
    """Whether steps are multiplied by numbers, once they are of no common error, and by none all of them: then each may
    be a rate of its own."""
    found = [scalings(p, step, values, factors=True) for p in step.parameters if stepped(p, values).any()]
    times = Counter(node for of in found for node in of)
    own = [[number for node, number in of.items() if times[node] == 1] for of in found]
    return any(not is_count(k, step) for of in own for k in of) and not common_to(own)
