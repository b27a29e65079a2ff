"""The right formula of a quantity, written with what the author can name at a line.

No name is read: an expression is A1 because it holds the numbers of A1 in every draw. The formulas are those of
`jaxnet.backprop`, in the orientation and with the functions that the author uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.compare import mistakes
from jaxnet.compare.author.dense import as_rows
from jaxnet.compare.author.judge import Judged
from jaxnet.compare.author.moments import Moment
from jaxnet.compare.author.tape import Node, Tape
from jaxnet.compare.diagnosis import continued
from jaxnet.compare.multiples import multiple

Array = np.ndarray
SAME = 1e-7
EACH = 3  # expressions for one quantity that are tried


class Term(NamedTuple):
    """An expression and what it holds: examples as rows (m, n), as columns (n, m), or one example's vector (n,)."""

    text: str
    value: Array

    @property
    def closed(self) -> str:
        """The expression as an operand of any operator."""
        tree = ast.parse(self.text, mode="eval").body
        return self.text if isinstance(tree, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)) else f"({self.text})"

    @property
    def T(self) -> Term:
        return Term(self.text[:-2] if self.text.endswith(".T") else f"{self.closed}.T", self.value.T)


class Quantities:
    """The rows of all quantities of one example, or of the batch, in each draw; right ones, and constants left open.

    An error is the right one, or the one that the author has in its place: what follows from it is written alike.
    """

    def __init__(self, judged: Judged, example: int):
        assert judged.problem is not None
        self.exact: dict[str, list[Array]] = {}
        self.scaled: dict[str, list[Array]] = {}  # derivatives: any constant will do
        self.given: dict[str, list[Array]] = {}  # the author's, of the same names
        several = len(judged.step.examples) > 1
        self.count = len(judged.problem.passes[0].Y)  # of examples
        own = judged.diagnosis.errors if judged.diagnosis is not None else ()
        for k, p in enumerate(judged.problem.passes):
            rows = slice(example, example + 1) if several else slice(None)
            errors = continued(p, {p.last: p.DZ})
            self._add(self.exact, "Y", p.Y[rows])
            self._add(self.scaled, "E", (p.A[-1] - p.Y)[rows])
            for layer in range(1, p.last + 1):
                self._add(self.exact, f"W{layer}", p.W[layer])
                self._add(self.exact, f"Z{layer}", p.Z[layer][rows])
                self._add(self.scaled, f"dZ{layer}", errors[layer][rows])
                if layer < p.last:
                    self._add(self.scaled, f"dA{layer}", (errors[layer + 1] @ p.W[layer + 1])[rows])
                if own and layer in own[k]:
                    self._add(self.given, f"dZ{layer}", own[k][layer][rows])
            for layer, A in enumerate(p.A):
                self._add(self.exact, f"A{layer}", A[rows])

    @staticmethod
    def _add(table: dict[str, list[Array]], name: str, array: Array) -> None:
        table.setdefault(name, []).append(array)


class Writer:
    """Writes formulas with what can be named at a moment."""

    def __init__(self, judged: Judged, tape: Tape, moment: Moment, quantities: Quantities, text: str):
        self.judged, self.moment, self.quantities = judged, moment, quantities
        self.numpy = moment.numpy
        dots = f"{self.numpy}.dot(" in text or (self.numpy is not None and "@" not in text and ".dot(" not in text)
        self.product = f"{self.numpy}.dot({{}}, {{}})" if dots else "{}.dot({})" if ".dot(" in text else "{} @ {}"
        self.terms: dict[str, list[Term]] = {}
        by_number: dict[int, list[str]] = {}
        for expression, number in moment.arrays.items():
            by_number.setdefault(number, []).append(expression)
        for number, expressions in by_number.items():
            node = tape.nodes[number]
            for name in self._meanings(node):
                value = np.asarray(judged.drawn[0](node), float)
                # What the line has already, what a name holds, and in a loop what its index finds.
                first = sorted(
                    expressions,
                    key=lambda e: (not _stands_in(e, text), not e.isidentifier(), not _is_indexed_by_name(e), len(e)),
                )
                self.terms.setdefault(name, []).extend(Term(e, value) for e in first[:EACH])

    def _meanings(self, node: Node) -> list[str]:
        if node.dtype is None or node.dtype.kind not in "fiub":
            return []
        found = []
        held = [np.asarray(values(node), float) for values in self.judged.drawn]
        quantities = self.quantities
        for table in (quantities.exact, quantities.scaled, quantities.given):
            any_constant = table is not quantities.exact
            for name, arrays in table.items():
                if arrays[0].size != node.size or len(arrays) != len(held) or name in found:
                    continue
                factors = [_factor(value, array) for value, array in zip(held, arrays, strict=True)]
                if any_constant:
                    same = factors[0] is not None and all(
                        f is not None and abs(f - factors[0]) <= SAME * abs(factors[0]) for f in factors
                    )
                else:
                    same = all(
                        (f is not None and abs(f - 1) <= SAME) or not (array.any() or value.any())
                        for f, value, array in zip(factors, held, arrays, strict=True)
                    )
                if same:
                    found.append(name)
        return found

    def known(self, name: str) -> list[Term]:
        return self.terms.get(name, [])

    # --- the formulas -------------------------------------------------------------------------------------------------

    def weight_gradients(self, layer: int) -> Iterator[Term]:
        """dZᵀ A, in the shape of the author's weights."""
        dense = self.judged.dense
        assert dense is not None
        out_first = dense.output_first(layer)
        for error in self.known(f"dZ{layer}"):
            for inputs in self.known(f"A{layer - 1}"):
                first, second = (error, inputs) if out_first else (inputs, error)
                if first.value.ndim == second.value.ndim == 1 and self.numpy:
                    value = np.outer(first.value, second.value)
                    yield Term(f"{self.numpy}.outer({first.text}, {second.text})", value)
                elif first.value.ndim == second.value.ndim == 2:
                    units, examples = (self._turned(t, layer, t is error) for t in (first, second))
                    yield self._product(units, examples.T)

    def _turned(self, term: Term, layer: int, is_error: bool) -> Term:
        """(n, m): units first."""
        rows = self._rows(f"dZ{layer}" if is_error else f"A{layer - 1}")
        return term.T if _holds(term.value, rows) else term

    def _product(self, first: Term, second: Term) -> Term:
        operator = "@" in self.product
        texts = (first.closed, second.closed) if operator else (first.text, second.text)
        if self.product.startswith("{}.dot"):
            texts = first.closed, second.text
        return Term(self.product.format(*texts), first.value @ second.value)

    def bias_gradients(self, layer: int) -> Iterator[Term]:
        """dZ summed over the examples, in the shape of the author's biases."""
        shape = self.judged.names[f"b{layer}"].before.shape
        rows = self._rows(f"dZ{layer}")
        for error in self.known(f"dZ{layer}"):
            if error.value.shape == shape:
                yield error
            if error.value.ndim < 2:
                continue
            axis = 0 if _holds(error.value, rows) else 1
            for keep in (True, False):
                value = error.value.sum(axis=axis, keepdims=keep)
                if value.shape == shape:
                    yield self._sum(error, axis, keep, value)

    def _sum(self, term: Term, axis: int, keep: bool, value: Array) -> Term:
        rest = f"axis={axis}" + (", keepdims=True" if keep else "")
        text = f"{self.numpy}.sum({term.text}, {rest})" if self.numpy else f"{term.closed}.sum({rest})"
        return Term(text, value)

    def errors(self, layer: int) -> Iterator[Term]:
        """∂loss/∂Z of a layer."""
        assert self.judged.problem is not None
        last = self.judged.problem.passes[0].last
        if layer == last:
            yield from self._output_errors(layer)
            return
        for through in (*self.known(f"dA{layer}"), *self.carried_back(layer)):
            for slope in self._slopes(layer):
                if slope.value.shape == through.value.shape:
                    yield _times(through, slope)

    def carried_back(self, layer: int) -> Iterator[Term]:
        """dZ of the layer above through its weights."""
        right = self._rows(f"W{layer + 1}")
        for error in self.known(f"dZ{layer + 1}"):
            rows = self._rows(f"dZ{layer + 1}")
            has_rows, has_columns = _holds(error.value, rows), error.value.ndim < 2 or _holds(error.value.T, rows)
            for weights in self.known(f"W{layer + 1}"):
                if weights.value.ndim != 2 or error.value.ndim > 2:
                    continue
                out_first = _holds(weights.value, right)
                if has_rows and error.value.ndim == 2:
                    yield self._product(error, weights if out_first else weights.T)
                if has_columns:
                    yield self._product(weights.T if out_first else weights, error)

    def _slopes(self, layer: int) -> Iterator[Term]:
        """The derivative of a layer's activation: the author's own function of Z or A, or the formula."""
        assert self.judged.problem is not None
        name = self.judged.problem.passes[0].activations[layer]
        _, at_z, at_a = mistakes.ACTIVATIONS[name]
        for held, slope in ((f"Z{layer}", at_z), (f"A{layer}", at_a)):
            for term in self.known(held):
                wanted = slope(term.value)
                for called, function in self.moment.functions.items():
                    try:
                        value = np.asarray(function(term.value.copy()), float)
                    except Exception:
                        continue
                    if value.shape == wanted.shape and np.abs(value - wanted).max(initial=0) < 1e-6:
                        yield Term(f"{called}({term.text})", wanted)
        formulas = {
            "relu": [("Z", "{} > 0"), ("A", "{} > 0")],
            "tanh": [("A", "1 - {} ** 2")],
            "sigmoid": [("A", "{} * (1 - {})")],
            "leaky_relu": [("Z", f"{{np}}.where({{}} > 0, 1, {float(at_z(np.array(-1.0))):g})")],
        }
        for held, formula in formulas.get(name.partition("(")[0], []):
            if "{np}" in formula and self.numpy is None:
                continue
            for term in self.known(f"{held}{layer}"):
                text = formula.replace("{np}", self.numpy or "").replace("{}", term.closed)
                yield Term(text, (at_z if held == "Z" else at_a)(term.value))

    def _output_errors(self, layer: int) -> Iterator[Term]:
        judged = self.judged
        assert judged.problem is not None
        loss, output = judged.truth.loss.name, judged.problem.passes[0].activations[-1]
        predictions, labels = self.known(f"A{layer}"), self.known("Y")
        differences = self.known("E") + [
            Term(f"{a.text} - {y.closed}", a.value - y.value)
            for a in predictions
            for y in labels
            if a.value.shape == y.value.shape
        ]
        for difference in differences:
            if (loss, output) in (("cross-entropy", "softmax"), ("binary-cross-entropy", "sigmoid")) or (
                output == "identity"
            ):
                yield difference
            elif loss == "squared-error" and output == "softmax":
                for a in predictions:
                    if a.value.shape == difference.value.shape:
                        yield self._through_softmax(difference, a)
            elif loss == "squared-error":
                for slope in self._slopes(layer):
                    if slope.value.shape == difference.value.shape:
                        yield _times(difference, slope)

    def _through_softmax(self, difference: Term, prediction: Term) -> Term:
        """Ŷ ∘ (e − Σ e ∘ Ŷ): softmax's Jacobian times the error e of each example."""
        rows = self._rows(f"A{self.judged.problem.passes[0].last}")  # type: ignore[union-attr]
        a, e = prediction.value, difference.value
        as_rows = _holds(a, rows)
        axis = None if a.ndim < 2 else 1 if as_rows else 0
        each = _times(difference, prediction)
        total = (a * e).sum() if axis is None else (a * e).sum(axis=axis, keepdims=True)
        rest = "" if axis is None else f"axis={axis}, keepdims=True"
        summed = f"({each.text}).sum({rest})"
        if self.numpy:
            summed = f"{self.numpy}.sum({each.text}{', ' + rest if rest else ''})"
        return Term(f"{prediction.closed} * ({difference.closed} - {summed})", a * (e - total))

    def _rows(self, name: str) -> Array:
        return (self.quantities.exact.get(name) or self.quantities.scaled[name])[0]

    # --- constants ----------------------------------------------------------------------------------------------------

    def scaled(self, term: Term, factor: float) -> Iterator[Term]:
        """The term times a number, in the author's words for the number where there are some."""
        value = term.value * factor
        if abs(factor - 1) < SAME:
            yield Term(term.text, value)
            return
        if abs(factor + 1) < SAME:
            yield Term(f"-{term.closed}", value)
            return
        sign, size = ("-" if factor < 0 else ""), abs(factor)
        numbers = [("2", 2.0), *((text, number) for text, number in self.moment.numbers.items() if number > 0)]
        numbers.sort(key=lambda found: len(found[0]))
        count = 0
        for text, number in numbers:
            if abs(size * number - 1) < SAME * 10:
                yield Term(f"{sign}{term.closed} / {Term(text, value).closed if text != '2' else '2'}", value)
                count += 1
            elif abs(size / number - 1) < SAME * 10:
                yield Term(f"{sign}{Term(text, value).closed if text != '2' else '2'} * {term.closed}", value)
                count += 1
            if count == EACH:
                return

    def penalised(self, term: Term, layer: int, wanted: Array) -> Iterator[Term]:
        """The term and the λW that the loss has besides."""
        for weights in self.known(f"W{layer}"):
            if weights.value.shape != wanted.shape:
                continue
            columns = np.stack([term.value.ravel(), weights.value.ravel()], axis=1)
            (factor, size), *_ = np.linalg.lstsq(columns, wanted.ravel(), rcond=None)
            if np.abs(columns @ [factor, size] - wanted.ravel()).max() < SAME * np.abs(wanted).max() and abs(size) > 0:
                for data in self.scaled(term, float(factor)):
                    for penalty in self.scaled(weights, float(size)):
                        yield Term(f"{data.text} + {penalty.text}", wanted)


def _stands_in(expression: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(expression)}(?![\w\[])", text) is not None


def _is_indexed_by_name(text: str) -> bool:
    tree = ast.parse(text, mode="eval").body
    return isinstance(tree, ast.Subscript) and any(isinstance(n, ast.Name) for n in ast.walk(tree.slice))


def _times(first: Term, second: Term) -> Term:
    return Term(f"{first.closed} * {second.closed}", first.value * second.value)


def _holds(value: Array, wanted: Array) -> bool:
    """Whether a value is the wanted one times a constant, in the same orientation."""
    return multiple(value, wanted, SAME) is not None


def _factor(value: Array, wanted: Array) -> float | None:
    """c with value = c · wanted, as it is, turned, or as a vector; None if there is none."""
    value, wanted = np.squeeze(value), np.squeeze(wanted)
    return next((f for turned in (value, value.T) if (f := multiple(turned, wanted, SAME)) is not None), None)


# --- what a statement should give -------------------------------------------------------------------------------------


def wanted_gradient(judged: Judged, name: str, value: Array) -> Array | None:
    """What should stand where the author has `value`, of which the gradient was made by a constant; in draw 0."""
    given, true = np.asarray(judged.given[name][0]), judged.scale * np.asarray(judged.true[name][0])
    for turned in (False, True):
        placed = value.T if turned else value
        if placed.size != given.size or (turned and placed.shape == value.shape and value.ndim < 2):
            continue
        factor = multiple(given, placed.reshape(given.shape) if placed.ndim != given.ndim else placed, SAME)
        if factor:
            right = true / factor
            return right.T if turned and right.ndim == 2 else right
    return None


def wanted_error(judged: Judged, layer: int, value: Array, right: Array) -> Array | None:
    """What should stand where the author has `value` as dZ; the constant is that by which dW and db follow from it."""
    assert judged.problem is not None
    p = judged.problem.passes[0]
    rows = value.reshape(right.shape) if value.size == right.size and value.ndim < 2 else value
    if rows.shape != right.shape:
        rows = rows.T
    if rows.shape != right.shape:
        return None
    constant = None
    for name, made in ((f"W{layer}", rows.T @ p.A[layer - 1]), (f"b{layer}", rows.sum(axis=0))):
        if name in judged.given and constant is None:
            given = as_rows(judged.dense, name, np.asarray(judged.given[name][0]))  # type: ignore[arg-type]
            constant = multiple(given, made, SAME)
    if constant is None:
        return None
    return right / constant


def ratio_to(term: Term, wanted: Array) -> float | None:
    """The constant that makes a term what is wanted, in either orientation."""
    for candidate in (term.value, term.value.T):
        if candidate.size == wanted.size:
            factor = multiple(
                wanted, candidate.reshape(wanted.shape) if candidate.ndim != wanted.ndim else candidate, SAME
            )
            if factor:
                return factor
    return None
