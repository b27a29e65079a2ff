"""The numbers that a step is multiplied by, of which one may be the learning rate."""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.lines import expression_of, is_of_statement, is_times_quotient, statement_of
from jaxnet.compare.author.node import Node, ancestors, depends, following, nodes_in, whole_of
from jaxnet.compare.author.raw import data_of, is_kept, is_scaling, stepped
from jaxnet.compare.author.replay import Values, once
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.multiples import is_among

SAME = 1e-6
MOST_NUMBERS = 6  # of which some together may be a rate


class Factor(NamedTuple):
    size: float
    divides: bool  # it is one over a number that is divided by


class Number(NamedTuple):
    """A number, without its sign, that an array is multiplied by on the way from the labels to a step."""

    node: Node  # the product
    size: float
    counts: bool  # it divides by the number of examples, or of all their outputs
    outside: bool  # of the line that makes the gradient: in that of the step, or of what an optimiser keeps, or between
    share: bool = False  # it is the 1 − β of a moving average
    divides: bool = False  # it is one over a number that is divided by


def numbers_of(parameter: Parameter, step: Step, values: Values, made: Node | None = None) -> list[Number]:
    """By what numbers something is multiplied on the way to a step, the outermost first, and of one place once: what
    follows from the labels, and the other factors of that (`dW = rate * X.T @ error`), and in the line of the step, or
    of what an optimiser keeps, anything but the parameter. What `made` the gradient is outside of no gradient."""
    return _numbers_of(parameter, step, made, [values])


@once
def _numbers_of(parameter: Parameter, step: Step, made: Node | None, drawn: list[Values]) -> list[Number]:
    (values,) = drawn
    way = step.way_to(parameter)
    kept = [n for n in way if is_kept(n, step)]
    begin = {parent for n in kept for parent in n.parents if parent not in way}.union(p.root for p in step.parameters)
    begin = begin.union(*(p.new for p in step.parameters if p is not parameter))  # with its own rate

    def scaled(node: Node) -> tuple[Node, ...]:  # not a norm, which follows from the labels too
        divided = node.function is np.true_divide and isinstance(node.inputs[0], Node)

        def is_norm(n: Node) -> bool:
            others = [other for other in node.parents if other is not n and other in step.labelled]
            by_it = n.size == 1 < node.size and bool(others) and depends(n, *others)
            return n in step.labelled and (by_it or (divided and n is not node.inputs[0]))

        return tuple(n for n in node.parents if not is_norm(n))

    inside = ancestors(nodes_in(parameter.steps), min(n.number for n in begin), begin.__contains__, scaled) - begin
    counted = step.labelled.union(*(n.parents for n in way if n.function not in (np.add, np.subtract)))
    steps = [parameter.after, *kept]

    def in_step(node: Node) -> bool:
        return any(n.place is node.place is None or is_of_statement(node, n) for n in steps)

    inside = [n for n in inside if n in counted or in_step(n)]
    terms = {*step.counts, sum(example.prediction.size for example in step.examples)}
    before = sorted(ancestors(inside), key=lambda n: n.number) if any(n.size == 1 for n in inside) else []
    of_data = following(before, data_of(step), operator.attrgetter("parents")) if before else set()
    found: dict[tuple, list[Number]] = {}
    for node in sorted(inside, key=lambda n: -n.number):
        # A parameter that is multiplied decays; and what is another number in each step, as a norm, is no rate.
        varies = node.size > 1 and any(n.size == 1 and (n in step.active or n in step.labelled) for n in node.parents)
        # What is multiplied by it has its factors, but for those of an entry of the data.
        made_of_numbers = node.size == 1 and node not in step.labelled and node not in of_data
        decays = any(whole_of(n) is parameter.before for n in multiples(node))
        if node.site in found or decays or varies or made_of_numbers:
            continue
        later = made is not None and node.number > made.number and not is_of_statement(node, made)
        factors = _factors(node, step, values, of_data)
        for size, divides in factors if all(factor.size for factor in factors) else ():
            counts = is_among(1 / size, terms, SAME) and (divides or is_times_quotient(node))
            share = any(_are_all(node, size, n, step, values) for n in kept)
            number = Number(node, size, counts, later or (in_step(node) and not counts), share, divides)
            found.setdefault(node.site, []).append(number)
    return [number for of_site in found.values() for number in of_site]


def _are_all(node: Node, size: float, kept: Node, step: Step, values: Values) -> bool:
    """Whether a number of its statement, and that by which what is kept is multiplied beside it, are 1 together."""
    beside = [n for n in kept.parents if n not in step.labelled and n.function is np.multiply]
    if node not in kept.parents and not is_of_statement(node, kept):
        return False
    return is_among(size + scale_of(beside[0], values), [1.0], SAME) if beside else size < 1  # nothing is kept yet


def _factors(node: Node, step: Step, values: Values, of_data: set[Node]) -> list[Factor]:
    """By what numbers something is multiplied in a Node. A number that is multiplied by another one that is recorded
    too may be an error and an input, which is made of data that the forward pass has."""
    if is_scaling(node, step) and (node.size > 1 or len(step.labelled.intersection(node.parents)) < 2):
        return _scales(node, values)
    others = [n for n in node.parents if n not in step.labelled]
    if node.function is not np.multiply or node.size > 1 or len(others) != 1 or others[0] in step.active:
        return []
    return [] if not of_data.isdisjoint(others) else _factors_of(others[0], values)


def _factors_of(number: object, values: Values, divides: bool = False) -> list[Factor]:
    """The numbers of which another one is the product, without signs: 0.1, 2 and 1/m of `0.1 * 2 / m`."""
    if isinstance(number, Node) and number.size == 1 and number.function in (np.multiply, np.true_divide):
        first, second = number.inputs
        turned = divides != (number.function is np.true_divide)
        return _factors_of(first, values, divides) + _factors_of(second, values, turned)
    if isinstance(number, Node) and number.function is np.negative:
        return _factors_of(number.inputs[0], values, divides)
    size = abs(float(np.reshape(values(number) if isinstance(number, Node) else number, ())))  # type: ignore
    return [Factor(1 / (size or math.inf) if divides else size, divides)]


def scale_of(node: Node, values: Values) -> float:
    """The number, without its sign, by which an array is multiplied in a Node that scales it."""
    return math.prod(factor.size for factor in _scales(node, values))


def _scales(node: Node, values: Values) -> list[Factor]:
    array = next(parent for parent in node.parents if parent.size == node.size)
    divides = node.function is np.true_divide
    return [f for i in node.inputs if i is not array for f in _factors_of(i, values, divides)]


def have_hidden_numbers(step: Step, values: Values) -> bool:
    """Whether nobody can tell what of a constant is the rate: where no number is common to all steps but inside of the
    lines that make gradients; or where statements multiply numbers that are on no record."""
    numbers = [numbers_of(p, step, values) for p in step.parameters]
    if not _outside_of_all(numbers) and any(not n.counts for n in common_to(numbers)):
        return True
    return _have_further_products(step, numbers)


def multiplies_numbers(step: Step, values: Values) -> bool:
    """Whether the statement that makes a step, or what an optimiser keeps, has products that are none of arrays: 1/m in
    `rate / m * dW`, or 2 in `rate * 2 * dW`. If steps have a common number, and some none of their own beside it, that
    is the rate, unless all such statements have."""
    return _have_further_products(step, [numbers_of(p, step, values) for p in step.parameters])


def _outside_of_all(numbers: list[list[Number]]) -> list[Number]:
    """The numbers that all steps are multiplied by outside of the lines that make gradients."""
    return common_to([[n for n in of if n.outside] for of in numbers])


def _have_further_products(step: Step, numbers: list[list[Number]]) -> bool:
    """As `multiplies_numbers`, of steps with these numbers."""
    outside = _outside_of_all(numbers)
    made = ancestors((p.after for p in step.parameters), min(p.root.number for p in step.parameters))
    recorded = {n.instruction: n for n in made if n.function in (np.true_divide, np.multiply) and n.place}.values()
    stepped_arrays = {p.before for p in step.parameters}

    def has_more(node: Node) -> bool:
        place, statement = node.place, statement_of(node)
        if place is None or statement is None:
            return False
        lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        near = (n for n in recorded if n.place and n.place.file == place.file and n.place.line in lines)
        here = [n for n in near if statement_of(n) is statement]
        # By what the parameter is multiplied is no factor of the gradient: it decays.
        decaying = [n for n in here if not stepped_arrays.isdisjoint(multiples(n))]
        apart = {part for n in decaying if (made := expression_of(n, statement)) for part in ast.walk(made)}
        here = [n for n in here if expression_of(n, statement) not in apart]
        operators = (part.op for part in ast.walk(statement) if isinstance(part, ast.BinOp) and part not in apart)
        of_0 = is_kept(node, step) and len(node.parents) == 1  # β v, of a v that is the number 0 yet
        return sum(isinstance(operator, (ast.Div, ast.Mult)) for operator in operators) > len(here) + of_0

    inner = [[] if outside else [n.node for n in of] for of in numbers]  # the rate may be where a gradient is made
    ways = (
        (p.after, *(n for n in step.way_to(p) if is_kept(n, step)), *own)
        for p, own in zip(step.parameters, inner, strict=True)
    )
    each_has_own = all(but_for(outside_of_formulas(of), outside) for of in numbers)
    return (all if outside and not each_has_own else any)(any(map(has_more, way)) for way in ways)


def without_common_rate(step: Step, values: Values) -> bool:
    """Whether steps are multiplied by numbers, once they are of no common error, and by none all of them: then each may
    be a rate of its own."""
    found = [numbers_of(p, step, values) for p in step.parameters if stepped(p, values).any()]
    times = Counter(node for of in found for node in {number.node for number in of})
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


def outside_of_formulas(numbers: Iterable[Number]) -> list[Number]:
    """Those that may be a rate: outside of the line that makes the gradient, and of no mean."""
    return [n for n in numbers if n.outside and not n.counts]


def but_for(numbers: list[Number], shared: list[Number]) -> list[Number]:
    """Those that are not among the shared ones, as often as they are there."""
    in_both = common_to([numbers, shared])
    return [n for n in numbers if n not in in_both]


def products(numbers: list[float]) -> list[float]:
    """Of some of these numbers, and of all."""
    few = numbers[:MOST_NUMBERS]
    return [math.prod(of) for count in range(1, len(few) + 1) for of in itertools.combinations(few, count)]
