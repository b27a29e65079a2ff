"""A wrong line with one thing in it changed, for a mistake that no formula tells, in a network of any kind.

An operand is turned, or another one that can be named there; a sum runs along another axis, or is a mean; a sign is
turned; a factor or an addend is left out, or comes in: an array, or the slope of an activation. Whether the gradient is
right with that is computed on the record, wherever the line was run in the step, before the program is asked.
"""

from __future__ import annotations

import ast
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jaxnet.compare.author import lines
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT, constant_to
from jaxnet.compare.author.moments import Moment
from jaxnet.compare.author.node import Node, Place, ancestors, nodes_in
from jaxnet.compare.author.raw import stepped
from jaxnet.compare.author.replay import Values, evaluated
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.multiples import common_multiple

LINES = 6  # on the way to a wrong gradient, and to no right one
SLOPES = {
    "{} * (1 - {} ** 2)": lambda a: 1 - a**2,
    "{} * {} * (1 - {})": lambda a: a * (1 - a),
    "{} * ({} > 0)": lambda a: a > 0,
    "{} * {}": lambda a: a,
}  # of what comes back, and of an activation; an array may be a factor itself
Instead: TypeAlias = dict[Node, Callable[[Values], Any]]  # what Nodes are then
Change: TypeAlias = tuple[ast.expr, str, Instead]  # an expression, and what may stand in its place


class Variant(NamedTuple):
    """What to write in the place of an expression."""

    place: Place
    statement: ast.stmt
    expression: ast.expr
    text: str


def variants(
    judged: Judged, tape: Tape, moments: list[Moment], name: str, wrong: list[Node], deadline: float
) -> Iterator[Variant]:
    """Those with which a gradient is right, of the lines that are run on the way to `wrong` Nodes, and to no right
    gradient: first what only hands on what these are made of, then the last line. None are looked for later."""
    first = min((n.number for n in judged.step.backward), default=judged.step.last)
    moments = [m for m in moments if first <= m.number <= judged.step.last]
    for place in _places(judged, moments, wrong):
        here = [m for m in moments if m.place == place]
        statement = lines.statement_at(place)
        if statement is None:
            continue
        for expression, text, instead in _Line(statement, here, tape, judged.step.last).changes():
            if time.monotonic() > deadline:
                return
            if _is_right_with(judged, name, instead):
                yield Variant(place, statement, expression, text)


def _places(judged: Judged, moments: list[Moment], wrong: list[Node]) -> list[Place]:
    errors = {p.number for n in wrong for p in n.parents if p in judged.step.labelled}
    handing_on = [m.place for m in moments if m.end == m.number and m.result in errors]
    right = (n for name, p in judged.names.items() if name not in judged.wrong for n in nodes_in(p.steps))
    others = ancestors(wrong) - ancestors(right) - set(judged.step.forward)
    made = sorted((n for n in others if n.place is not None), key=lambda n: -n.number)
    known = {m.place for m in moments}
    return [p for p in dict.fromkeys([*handing_on, *(n.place for n in made)]) if p is not None and p in known][:LINES]


def _is_right_with(judged: Judged, name: str, instead: Instead) -> bool:
    """Whether a gradient is the true one, but for a constant, with other values of some Nodes."""
    nodes, drawn = sorted(instead, key=lambda n: n.number), []
    for k, values in enumerate(judged.drawn if nodes else ()):
        drawn.append(values.before(nodes[0]))
        try:
            with np.errstate(all="ignore"):
                for node in nodes:
                    drawn[-1].known[node] = instead[node](drawn[-1])
                if not _is_multiple(judged, name, drawn, judged.true[name][: k + 1]):
                    return False
        except (ValueError, TypeError, IndexError, ZeroDivisionError):  # what does not fit
            return False
    return bool(nodes)


def _is_multiple(judged: Judged, name: str, drawn: list[Values], true: list[np.ndarray]) -> bool:
    if (chosen := judged.chosen[name]) is not None:
        return constant_to(chosen, true, drawn) is not None
    return common_multiple([stepped(judged.names[name], values) for values in drawn], true, RIGHT) is not None


class _Line:
    """A statement, the moments in which it was run, and the arrays that could be named in all of them."""

    def __init__(self, statement: ast.stmt, moments: list[Moment], tape: Tape, last: int):
        self.moments, self.tape, self.last = moments, tape, last
        self.parents = {child: node for node in ast.walk(statement) for child in ast.iter_child_nodes(node)}
        common = sorted(set.intersection(*(set(m.arrays) for m in moments)), key=lambda text: (len(text), text))
        self.named = {text: [tape.nodes[m.arrays[text]] for m in moments] for text in common}
        self.value = getattr(statement, "value", None)  # that is assigned or returned
        self.parts = [part for part in ast.walk(statement) if isinstance(part, ast.expr)]
        self.views: dict[Node, list[Node]] = {}
        for view in tape.views.values():
            self.views.setdefault(view.inputs[0], []).append(view)

    def changes(self) -> Iterator[Change]:
        """What is less, and more likely, first."""
        read = (p for p in self.parts if isinstance(getattr(p, "ctx", None), ast.Load))
        operands = [(p, ast.unparse(p)) for p in read if ast.unparse(p) in self.named]
        for operand, text in operands:
            yield from self._turned(operand, text)
        for part in self.parts:
            yield from self._recomputed(part)
        for operand, text in operands:
            for other, nodes in self._arrays():
                if [n.shape for n in nodes] == [n.shape for n in self.named[text]] and nodes != self.named[text]:
                    yield operand, other, self._with(self.named[text], nodes)
        for part in self.parts:
            if part is self.value or isinstance(part, ast.BinOp):
                yield from self._multiplied(part)
        for part in self.parts:
            if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
                yield from self._with_another_factor(part)

    def _arrays(self) -> Iterator[tuple[str, list[Node]]]:
        """Each under the simplest of its names."""
        seen = set()
        for text, nodes in self.named.items():
            if (key := tuple(nodes)) not in seen:
                seen.add(key)
                yield text, nodes

    def _turned(self, operand: ast.expr, text: str) -> Iterator[Change]:
        """Aᵀ for A, and A for Aᵀ; of a stack of matrices each."""
        nodes, parent = self.named[text], self.parents[operand]
        if any(len(node.shape) < 2 for node in nodes):
            return
        shapes = [(*n.shape[:-2], n.shape[-1], n.shape[-2]) for n in nodes]
        turned = [
            replace(n, function=np.swapaxes, inputs=(n, -1, -2), keywords={}, shape=of)
            for n, of in zip(nodes, shapes, strict=True)
        ]
        if isinstance(parent, ast.Attribute) and parent.attr == "T":
            yield parent, text, self._with(nodes, turned)
        else:
            flat = all(len(n.shape) == 2 for n in nodes)
            yield operand, f"{text}.T" if flat else f"{text}.swapaxes(-1, -2)", self._with(nodes, turned)

    def _with(self, old: list[Node], new: list[Node]) -> Instead:
        """Nodes in the place of others, in all that is made of these in each moment; of their views, too, which may
        have been made before."""
        found: Instead = {}
        for moment, one, other in zip(self.moments, old, new, strict=True):
            views = {v: replace(v, inputs=(other, *v.inputs[1:])) for v in self.views.get(one, ())}
            instead = {one: other, **views}
            for node in self.tape.nodes[moment.number : moment.end]:
                if not instead.keys().isdisjoint(node.parents):
                    found[node] = self._by(node, instead)
        return found

    def _by(self, node: Node, instead: dict[Node, Node]) -> Callable[[Values], Any]:
        def value(values: Values) -> Any:
            def of(other: Node) -> Any:  # which may be on no record
                return values(other) if self.tape.nodes[other.number] is other else evaluated(other, of)

            return evaluated(node, lambda other: of(instead.get(other, other)))

        return value

    def _each(self, part: ast.expr, value: Callable[[Node, Values], Any]) -> Instead:
        """Another value for what an expression gives in each moment; nothing where one of them is not known."""
        nodes = self._nodes_of(part)
        return {node: lambda values, node=node: value(node, values) for node in nodes}

    def _nodes_of(self, part: ast.expr) -> list[Node]:
        position = part.lineno, part.end_lineno, part.col_offset, part.end_col_offset
        found = []
        for m in self.moments:
            made = (n for n in self.tape.nodes[m.number : m.end] if n.place == m.place)
            found += [n for n in made if lines.position_of(n) == position][:1]
        return found if len(found) == len(self.moments) else []

    def _recomputed(self, part: ast.expr) -> Iterator[Change]:
        """A difference for a sum, or the other way round; one operand of two; a sum along the other axis, or a mean."""
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add | ast.Sub):
            op, function = (ast.Sub(), np.subtract) if isinstance(part.op, ast.Add) else (ast.Add(), np.add)
            other = self._each(part, lambda n, values: evaluated(replace(n, function=function), values))
            yield part, ast.unparse(ast.BinOp(part.left, op, part.right)), other
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub):
            text = ast.unparse(ast.BinOp(part.right, part.op, part.left))
            yield part, text, self._each(part, lambda n, values: -values(n))
        if isinstance(part, ast.BinOp):
            for k, side in enumerate((part.left, part.right)):
                yield part, ast.unparse(side), self._each(part, lambda n, values, k=k: _value(n.inputs[k], values))
        for other, changed in _other_calls(part):
            yield part, ast.unparse(other), self._each(part, lambda n, v, changed=changed: evaluated(changed(n), v))

    def _multiplied(self, part: ast.expr) -> Iterator[Change]:
        """With an array or a slope as a factor, or an array as an addend."""
        text, closed = ast.unparse(part), _as_factor(part)
        handed_on = self.named.get(text, []) if part is self.value else []
        made = handed_on or self._nodes_of(part)
        other = self._later if handed_on else self._each
        for name, by in self._fitting(made):
            yield part, f"{text} + {name}", other(part, lambda n, v, by=by: v(n) + v(by[n]))
        for written, times in self._products(closed, made):
            yield part, written, other(part, lambda n, v, times=times: times(n, v, v(n)))

    def _with_another_factor(self, part: ast.BinOp) -> Iterator[Change]:
        """One of two factors stays, and another array or slope stands in the place of the other one."""
        made = self._nodes_of(part)
        for k, side in enumerate((part.left, part.right)):
            for written, times in self._products(_as_factor(side), made):
                product = self._each(part, lambda n, v, k=k, times=times: times(n, v, _value(n.inputs[k], v)))
                yield part, written, product

    def _products(self, closed: str, made: list[Node]) -> Iterator[tuple[str, Callable[[Node, Values, Any], Any]]]:
        """What an array times a slope, or times an array, is called, and what it is for each Node that holds it."""
        for name, by in self._fitting(made):
            for form, slope in SLOPES.items():
                text = form.format(closed, *[name] * (form.count("{}") - 1))
                yield text, lambda n, v, value, by=by, slope=slope: value * slope(v(by[n]))

    def _fitting(self, made: list[Node]) -> Iterator[tuple[str, dict[Node, Node]]]:
        """The arrays with an entry for each of those that were made, or for several of them."""
        for name, nodes in self._arrays() if made else ():
            if all(map(_is_spread_over, nodes, made)):
                yield name, dict(zip(made, nodes, strict=True))

    def _later(self, part: ast.expr, value: Callable[[Node, Values], Any]) -> Instead:
        """Another value for what a statement hands on as it is, in all that is made of it from then on."""
        found: Instead = {}
        handed_on = dict(zip(self.named[ast.unparse(part)], self.moments, strict=True))

        def by(node: Node) -> Callable[[Values], Any]:
            return lambda values: evaluated(node, lambda n: value(n, values) if n in handed_on else values(n))

        for node in self.tape.nodes[min(m.end for m in self.moments) : self.last + 1]:
            if any(n in handed_on and handed_on[n].end <= node.number for n in node.parents):
                found[node] = by(node)
        return found


def _as_factor(e: ast.expr) -> str:
    """How an expression is written before a `*`."""
    is_product = isinstance(e, ast.BinOp) and isinstance(e.op, ast.Mult | ast.Div | ast.MatMult)
    is_closed = is_product or isinstance(e, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return ast.unparse(e) if is_closed else f"({ast.unparse(e)})"


def _other_calls(part: ast.expr) -> Iterator[tuple[ast.Call, Callable[[Node], Node]]]:
    """A call that sums along the other axis, or is a sum for a mean: how it is written, and its Node."""
    if not isinstance(part, ast.Call):
        return
    for keyword in part.keywords:
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant) and keyword.value.value in (0, 1):
            axis = 1 - keyword.value.value
            others = [k if k is not keyword else ast.keyword("axis", ast.Constant(axis)) for k in part.keywords]
            along = ast.Call(part.func, part.args, others)
            yield along, lambda n, axis=axis: replace(n, keywords=n.keywords | {"axis": axis})
    function = part.func
    if isinstance(function, ast.Attribute) and function.attr in ("sum", "mean"):
        name, other = ("mean", np.mean) if function.attr == "sum" else ("sum", np.sum)
        called = ast.Attribute(function.value, name, ast.Load())
        yield ast.Call(called, part.args, part.keywords), lambda n: replace(n, function=other)


def _is_spread_over(node: Node, other: Node) -> bool:
    """Whether its entries are factors of another's, one for each or for several of them."""
    with contextlib.suppress(ValueError):
        return np.broadcast_shapes(node.shape, other.shape) == other.shape
    return False


def _value(of: Any, values: Values) -> Any:
    return values(of) if isinstance(of, Node) else of
