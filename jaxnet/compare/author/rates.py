"""The numbers that a step is multiplied by, of which one may be the learning rate."""

from __future__ import annotations

import ast
import math
from collections import Counter
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.lines import is_of_statement, statement_of
from jaxnet.compare.author.raw import Candidate, is_kept, is_scaling, stepped
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, ancestors, multiples, nodes_in
from jaxnet.compare.multiples import is_among

SAME = 1e-6


class Number(NamedTuple):
    """A number, without its sign, that an array is multiplied by on the way from the labels to a step."""

    node: Node  # the product
    size: float
    counts: bool  # it divides by the number of examples
    outside: bool  # of the line that makes the gradient: in that of the step, or of what an optimiser keeps, or between


def numbers_of(
    parameter: Parameter, step: Step, values: Values, made: Candidate | None = None, factors: bool = False
) -> list[Number]:
    """By what numbers something is multiplied on the way to a step, the outermost first, and of one place once: what
    follows from the labels, or in the line of the step, and in that of what an optimiser keeps, anything
    (`W -= rate * X.T @ error`) but the parameter, and elsewhere the other `factors` of what follows from the labels
    (`dW = rate * X.T @ error`). What `made` the gradient is outside of no gradient."""
    way = step.way_to(parameter)
    kept = [n for n in way if is_kept(n, step)]
    begin = {parent for n in kept for parent in n.parents if parent not in way}.union(p.root for p in step.parameters)
    inside = ancestors(nodes_in(parameter.steps), min(n.number for n in begin), begin.__contains__) - begin
    products = (n for n in way if factors and n.function not in (np.add, np.subtract))
    counted = step.labelled.union(*(n.parents for n in products))
    lines = {parameter.after.place, *(n.place for n in kept)}
    inside = (n for n in inside if n in counted or n.place in lines)
    found: dict[tuple, Number] = {}
    for node in sorted((n for n in inside if is_scaling(n, step)), key=lambda n: -n.number):
        # A parameter that is multiplied decays.
        if node.site in found or parameter.before in multiples(node) or not (size := scale_of(node, values)):
            continue
        counts = node.function is np.true_divide and is_among(1 / size, step.counts, SAME)
        later = made is not None and node.number > made.node.number and not is_of_statement(node, made.node)
        found[node.site] = Number(node, size, counts, later or (node.place in lines and not counts))
    return list(found.values())


def scale_of(node: Node, values: Values) -> float:
    """The number, without its sign, by which an array is multiplied in a Node that scales it."""
    array = next(parent for parent in node.parents if parent.size == node.size)
    others = (values(i) if isinstance(i, Node) else i for i in node.inputs if i is not array)
    number = abs(math.prod(float(np.reshape(other, ())) for other in others))
    return 1 / (number or math.inf) if node.function is np.true_divide else number


def have_hidden_numbers(step: Step, values: Values) -> bool:
    """Whether of all that is stepped, or of any where no number is common to them, the statement that makes the step,
    or what an optimiser keeps, or where no number is in these, that of one on the way, has products that are none of
    arrays: 1/m in `rate / m * dW`, or 2 in `rate * 2 * dW`."""
    first = min(p.root.number for p in step.parameters)
    made = ancestors((p.after for p in step.parameters), first)
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

    numbers = {p: numbers_of(p, step, values) for p in step.parameters}
    outside = {p: [n for n in of if n.outside] for p, of in numbers.items()}

    def is_hidden(p: Parameter) -> bool:
        kept = [n for n in step.way_to(p) if is_kept(n, step)]
        return any(map(has_more, [p.after, *kept, *(n.node for n in numbers[p] if not outside[p])]))

    return (all if common_to(list(outside.values())) else any)(map(is_hidden, step.parameters))


def without_common_rate(step: Step, values: Values) -> bool:
    """Whether steps are multiplied by numbers, once they are of no common error, and by none all of them: then each may
    be a rate of its own."""
    found = [numbers_of(p, step, values, factors=True) for p in step.parameters if stepped(p, values).any()]
    times = Counter(number.node for of in found for number in of)
    own = [[number for number in of if times[number.node] == 1] for of in found]
    return any(not n.counts for of in own for n in of) and not common_to(own)


def common_to(numbers: list[list[Number]]) -> list[Number]:
    """Those of the first list that are in each of the others too, as often as they are there."""
    found: list[Number] = []
    left = [list(of) for of in numbers[1:]]
    for number in numbers[0] if numbers else ():
        same = [
            next((n for n in of if n.counts == number.counts and is_among(n.size, [number.size], SAME)), None)
            for of in left
        ]
        if None not in same:
            found.append(number)
            left = [[n for n in of if n is not taken] for of, taken in zip(left, same, strict=True)]
    return found
