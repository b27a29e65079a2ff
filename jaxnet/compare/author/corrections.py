"""The right formula of a quantity, written with what the author can name at a line.

No name is read: an expression is A1 because it holds the numbers of A1 in every draw. The formulas are those of
`jaxnet.backprop`, in the orientation and with the functions that the author uses.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from jaxnet.compare import mistakes
from jaxnet.compare.author.dense import as_rows
from jaxnet.compare.author.frontier import turned_multiple
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.lines import text_of
from jaxnet.compare.author.moments import Moment
from jaxnet.compare.author.node import Node
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.diagnosis import continued
from jaxnet.compare.multiples import is_among, multiple, with_penalty

Array = np.ndarray
SAME = 1e-7
EACH = 3  # expressions for one quantity that are tried
_CLOSED = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant)


class Term(NamedTuple):
    """An expression and what it holds: examples as rows (m, n), as columns (n, m), or one example's vector (n,)."""

    text: str
    value: Array

    @property
    def closed(self) -> str:
        """The expression as an operand of any operator."""
        tree = ast.parse(self.text, mode="eval").body
        return self.text if isinstance(tree, _CLOSED) else f"({self.text})"

    @property
    def T(self) -> Term:
        return Term(self.text[:-2] if self.text.endswith(".T") else f"{self.closed}.T", self.value.T)


class Quantities:
    """The rows of all quantities of one example, or of the batch, in each draw; right ones, and constants left open.

    An error is the right one, or the one that the author has in its place: what follows from it is written alike.
    """

    def __init__(self, judged: Judged, example: int):
        assert judged.problem is not None
        self.exact: defaultdict[str, list[Array]] = defaultdict(list)
        self.scaled: defaultdict[str, list[Array]] = defaultdict(list)  # derivatives: any constant will do
        self.given: defaultdict[str, list[Array]] = defaultdict(list)  # the author's, of the same names
        several = len(judged.step.examples) > 1
        self.forward = judged.problem.passes[0]
        own = judged.diagnosis.errors if judged.diagnosis is not None else ()
        for k, p in enumerate(judged.problem.passes):
            rows = slice(example, example + 1) if several else slice(None)
            errors = continued(p, {p.last: p.DZ})
            self.exact["Y"].append(p.Y[rows])
            self.scaled["E"].append((p.A[-1] - p.Y)[rows])
            for layer in range(1, p.last + 1):
                self.exact[f"W{layer}"].append(p.W[layer])
                self.exact[f"Z{layer}"].append(p.Z[layer][rows])
                self.scaled[f"dZ{layer}"].append(errors[layer][rows])
                if layer < p.last:
                    self.scaled[f"dA{layer}"].append((errors[layer + 1] @ p.W[layer + 1])[rows])
                if own and layer in own[k]:
                    self.given[f"dZ{layer}"].append(own[k][layer][rows])
            for layer, A in enumerate(p.A):
                self.exact[f"A{layer}"].append(A[rows])

    def rows(self, name: str) -> Array:
        """In the first draw."""
        return (self.exact.get(name) or self.scaled[name])[0]


class Writer:
    """Writes formulas with what can be named at a moment."""

    def __init__(self, judged: Judged, tape: Tape, moment: Moment, quantities: Quantities, text: str):
        self.judged, self.moment, self.quantities, self.text = judged, moment, quantities, text
        self.forward = quantities.forward
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
                    key=lambda e: (not _stands_in(e, text), not e.isidentifier(), not _is_found_by(e, text), len(e)),
                )
                self.terms.setdefault(name, []).extend(Term(e, value) for e in first[:EACH])

    def _meanings(self, node: Node) -> list[str]:
        if node.dtype is None or node.dtype.kind not in "fiub":
            return []
        found = []
        held = [np.asarray(values(node), float) for values in self.judged.drawn]
        quantities = self.quantities
        for table in (quantities.exact, quantities.scaled, quantities.given):
            exact = table is quantities.exact
            for name, arrays in table.items():
                if arrays[0].size != node.size or len(arrays) != len(held) or name in found:
                    continue
                both = list(zip(held, arrays, strict=True))
                factors = [1.0 if exact and not (v.any() or a.any()) else turned_multiple(v, a, SAME) for v, a in both]
                constant = 1.0 if exact else factors[0]
                if constant is not None and all(f is not None and is_among(f, [constant], SAME) for f in factors):
                    found.append(name)
        return found

    def known(self, name: str) -> list[Term]:
        return self.terms.get(name, [])

    # --- the formulas -------------------------------------------------------------------------------------------------

    def weight_gradients(self, layer: int) -> Iterator[Term]:
        """dZᵀ A, in the shape of the author's weights."""
        out_first = self.judged.dense.output_first(layer)  # type: ignore[union-attr]
        for error in self.known(f"dZ{layer}"):
            for inputs in self.known(f"A{layer - 1}"):
                first, second = (error, inputs) if out_first else (inputs, error)
                if first.value.ndim == second.value.ndim == 1 and self.numpy:
                    value = np.outer(first.value, second.value)
                    yield Term(f"{self.numpy}.outer({first.text}, {second.text})", value)
                elif first.value.ndim == second.value.ndim == 2:
                    units, examples = (self._turned(t, layer, t is error) for t in (first, second))
                    yield from self._product(units, examples.T)

    def _turned(self, term: Term, layer: int, is_error: bool) -> Term:
        """(n, m): units first."""
        rows = self.quantities.rows(f"dZ{layer}" if is_error else f"A{layer - 1}")
        return term.T if _holds(term.value, rows) else term

    def _product(self, first: Term, second: Term) -> Iterator[Term]:
        """None of what is held in another layout than its layer, as a slice of a list of batches may be."""
        if first.value.shape[-1:] != second.value.shape[:1]:
            return
        left = first.closed if self.product.startswith("{}") else first.text
        right = second.closed if "@" in self.product else second.text
        yield Term(self.product.format(left, right), first.value @ second.value)

    def bias_gradients(self, layer: int) -> Iterator[Term]:
        """dZ summed over the examples, in the shape of the author's biases."""
        shape = self.judged.names[f"b{layer}"].before.shape
        rows = self.quantities.rows(f"dZ{layer}")
        for error in self.known(f"dZ{layer}"):
            if error.value.shape == shape:
                yield error
            if error.value.ndim < 2:
                continue
            axis = 0 if _holds(error.value, rows) else 1
            sums = (self._sum(error, axis, keep) for keep in (True, False))
            yield from (term for term in sums if term.value.shape == shape)

    def _sum(self, term: Term, axis: int | None, keep: bool) -> Term:
        given = [f"axis={axis}"] * (axis is not None) + ["keepdims=True"] * keep
        of_numpy = f"{self.numpy}.sum({', '.join([term.text, *given])})"
        text = of_numpy if self.numpy else f"{term.closed}.sum({', '.join(given)})"
        return Term(text, term.value.sum(axis=axis, keepdims=keep))

    def errors(self, layer: int) -> Iterator[Term]:
        """∂loss/∂Z of a layer."""
        if layer == self.forward.last:
            yield from self._output_errors(layer)
            return
        for through in (*self.known(f"dA{layer}"), *self.carried_back(layer)):
            for slope in self.slopes(layer):
                if slope.value.shape == through.value.shape:
                    yield _times(through, slope)

    def carried_back(self, layer: int) -> Iterator[Term]:
        """dZ of the layer above through its weights."""
        right = self.quantities.rows(f"W{layer + 1}")
        for error in self.known(f"dZ{layer + 1}"):
            rows = self.quantities.rows(f"dZ{layer + 1}")
            has_rows, has_columns = _holds(error.value, rows), error.value.ndim < 2 or _holds(error.value.T, rows)
            for weights in self.known(f"W{layer + 1}"):
                if weights.value.ndim != 2 or error.value.ndim not in (1, 2):
                    continue
                out_first = _holds(weights.value, right)
                if has_rows and error.value.ndim == 2:
                    yield from self._product(error, weights if out_first else weights.T)
                columns = weights.T if out_first else weights
                if has_columns and len(error.value) == columns.value.shape[1]:  # a vector may be one of many examples
                    yield from self._product(columns, error)

    def slopes(self, layer: int) -> Iterator[Term]:
        """The derivative of a layer's activation: the author's own function of Z or A, or the formula. That of softmax
        is none that works entry by entry."""
        name = self.forward.activations[layer]
        if name == "softmax":
            return
        _, at_z, at_a = mistakes.ACTIVATIONS[name]
        for held, slope in ((f"Z{layer}", at_z), (f"A{layer}", at_a)):
            for term in self.known(held):
                wanted = slope(term.value)
                own = self.moment.functions.items()
                for called, function in sorted(own, key=lambda f: f"{f[0]}(" not in self.text):
                    try:
                        value = np.asarray(function(term.value.copy()), float)
                    except (Exception, SystemExit):  # a function that ends the process
                        continue
                    if value.shape == wanted.shape and np.abs(value - wanted).max(initial=0) < 1e-6:
                        yield Term(f"{called}({term.text})", wanted)
        formulas = {
            "relu": [("Z", "{} > 0"), ("A", "{} > 0")],
            "tanh": [("A", "1 - {} ** 2")],
            "sigmoid": [("A", "{} * (1 - {})")],
        }
        if self.numpy:
            below = float(at_z(np.array(-1.0)))
            formulas["leaky_relu"] = [("Z", f"{self.numpy}.where({{}} > 0, 1, {below:g})")]
        for held, formula in formulas.get(name.partition("(")[0], []):
            for term in self.known(f"{held}{layer}"):
                yield Term(formula.replace("{}", term.closed), (at_z if held == "Z" else at_a)(term.value))

    def _output_errors(self, layer: int) -> Iterator[Term]:
        loss, output = self.judged.truth.loss.name, self.forward.activations[-1]
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
                for slope in self.slopes(layer):
                    if slope.value.shape == difference.value.shape:
                        yield _times(difference, slope)

    def _through_softmax(self, difference: Term, prediction: Term) -> Term:
        """Ŷ ∘ (e − Σ e ∘ Ŷ): softmax's Jacobian times the error e of each example."""
        by_row = _holds(prediction.value, self.quantities.rows(f"A{self.forward.last}"))
        axis = None if prediction.value.ndim < 2 else 1 if by_row else 0
        total = self._sum(_times(difference, prediction), axis, keep=axis is not None)
        value = prediction.value * (difference.value - total.value)
        return Term(f"{prediction.closed} * ({difference.closed} - {total.text})", value)

    # --- constants ----------------------------------------------------------------------------------------------------

    def scaled(self, term: Term, factor: float) -> Iterator[Term]:
        """The term times a number, in the author's words for the number where there are some."""
        value = term.value * factor
        if abs(abs(factor) - 1) < SAME:
            yield Term(term.text if factor > 0 else f"-{term.closed}", value)
            return
        sign, size = ("-" if factor < 0 else ""), abs(factor)
        literals = re.findall(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?(?![\w.])", self.text)
        named = [("2", 2.0), *self.moment.numbers.items(), *((text, float(text)) for text in literals)]
        numbers = [(text, number) for text, number in named if number > 0]
        written = []
        # What only steps are made with may be their rate, whatever other number that equals.
        steps = [text_of(p.after.place) for p in self.judged.step.parameters if p.after.place is not None]
        for text, number in sorted(numbers, key=lambda found: len(found[0])):
            if any(_stands_in(text, line) for line in steps) and not _stands_in(text, self.text):
                continue
            closed = Term(text, value).closed
            if abs(size * number - 1) < SAME * 10:
                written.append(f"{sign}{term.closed} / {closed}")
            elif abs(size / number - 1) < SAME * 10:
                written.append(f"{sign}{closed} * {term.closed}")
        yield from (Term(text, value) for text in written[:EACH])

    def penalised(self, term: Term, layer: int, wanted: Array) -> Iterator[Term]:
        """The term and the λW that the loss has besides."""
        for weights in self.known(f"W{layer}"):
            if weights.value.shape != wanted.shape:
                continue
            if found := with_penalty([wanted], [term.value], [weights.value], SAME):
                both = product(self.scaled(term, found[0]), self.scaled(weights, found[0] * found[1]))
                yield from (Term(f"{data.text} + {penalty.text}", wanted) for data, penalty in both)


def _stands_in(expression: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(expression)}(?![\w\[])", text) is not None


def _is_found_by(expression: str, text: str) -> bool:
    """Whether it is indexed by a name, and by those that stand in the line: another one's value may be a chance. Or it
    is the last of what the line appends to."""
    if expression.endswith("[-1]") and f"{expression[:-4]}.append(" in text:
        return True
    tree = ast.parse(expression, mode="eval").body
    names = [n.id for n in ast.walk(tree.slice) if isinstance(n, ast.Name)] if isinstance(tree, ast.Subscript) else []
    return bool(names) and all(re.search(rf"\b{name}\b", text) for name in names)


def _times(first: Term, second: Term) -> Term:
    return Term(f"{first.closed} * {second.closed}", first.value * second.value)


def _holds(value: Array, wanted: Array) -> bool:
    """Whether a value is the wanted one times a constant, in the same orientation."""
    return multiple(value, wanted, SAME) is not None


# --- what a statement should give -------------------------------------------------------------------------------------


def wanted_gradient(judged: Judged, name: str, value: Array) -> Array | None:
    """What should stand where the author has `value`, of which the gradient was made by a constant; in draw 0."""
    given, true = np.asarray(judged.given[name][0]), judged.scale * np.asarray(judged.true[name][0])
    for turned in (False, True):
        factor = _ratio(given, value.T if turned else value)
        if factor is not None:
            return (true / factor).T if turned else true / factor
    return None


def wanted_error(judged: Judged, layer: int, value: Array, right: Array) -> Array | None:
    """What should stand where the author has `value` as dZ; the constant is that by which dW and db follow from it."""
    assert judged.problem is not None
    assert judged.dense is not None
    inputs = judged.problem.passes[0].A[layer - 1]
    rows = value.reshape(right.shape) if value.size == right.size and value.ndim < 2 else value
    rows = rows if rows.shape == right.shape else rows.T
    if rows.shape != right.shape:
        return None
    for name, made in ((f"W{layer}", rows.T @ inputs), (f"b{layer}", rows.sum(axis=0))):
        if name in judged.given:
            constant = multiple(as_rows(judged.dense, name, np.asarray(judged.given[name][0])), made, SAME)
            if constant is not None:
                return right / constant
    return None


def ratio_to(term: Term, wanted: Array) -> float | None:
    """The constant that makes a term what is wanted, in either orientation."""
    factors = (_ratio(wanted, turned) for turned in (term.value, term.value.T))
    return next((factor for factor in factors if factor is not None), None)


def _ratio(wanted: Array, value: Array) -> float | None:
    """c with wanted = c · value, which may have been given another axis or lost one; None if there is none."""
    if value.size == wanted.size and value.ndim != wanted.ndim:
        value = value.reshape(wanted.shape)
    return multiple(wanted, value, SAME)
