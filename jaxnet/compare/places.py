"""Where in the author's file a wrong formula stands, and what to write there instead, in the author's own names.

Both are found by value: while the code ran, each value that a line assigned was kept. The line that first assigned
what the diagnosis says was computed is the line that computed it.
"""

from __future__ import annotations

import re

import numpy as np

from jaxnet.compare.diagnosis import Diagnosis, Finding, Problem
from jaxnet.compare.mistakes import Array
from jaxnet.compare.names import Named, read_name
from jaxnet.compare.report import Place
from jaxnet.compare.source import Observation
from jaxnet.compare.tracing import Assignment

TOLERANCE = 1e-8


def find_place(
    finding: Finding, seen: Observation, problem: Problem, diagnosis: Diagnosis, loss: str, output_first: bool
) -> Place:
    """The line of a finding, its text and what to write instead; an empty Place where the line is not known."""
    call, forward = seen.calls[0], problem.passes[0]
    errors = diagnosis.errors[0] if diagnosis.errors else {}
    common = next((f.scale or 1.0 for f in diagnosis.findings if f.at == "loss" and f.code == "wrong-scale"), 1.0)
    names = _Names(seen, problem, errors, common)
    kind, layer = finding.at[:2], int(finding.at[2:]) if finding.at[2:].isdigit() else forward.last
    found, instead = None, None
    if finding.at == "forward":
        found = next((a for a in call.forward_assignments if _is_one(_factor_of(a.value, call.prediction))), None)
        instead = names.softmax()
    elif finding.at == "loss":
        found = names.error_assignment(layer)
        factor = None if found is None else _factor_of(found.value, errors[layer])
        m = len(forward.Y)
        if factor is None or any(abs(abs(factor) - usual) < 1e-6 * usual for usual in (1.0, 1 / m, m)):
            return Place()  # the constant comes in later, at each gradient
        instead = names.output_error(loss)
    elif kind == "dZ":
        found = names.error_assignment(layer) or names.gradient_assignment(f"W{layer}", last=False)
        if finding.code != "weights-already-updated":
            instead = names.output_error(loss) if layer == forward.last else names.hidden_error(layer, output_first)
    elif kind in ("dW", "db"):
        found = names.gradient_assignment(finding.at[1:], last=finding.code == "wrong-scale")
        if finding.code != "should-be-zero":
            instead = names.gradient(kind, layer, call.parameters[finding.at[1:]].shape, output_first)
    if found is None:
        return Place(instead=instead)
    return Place(found.line, found.cell, seen.lines.get((found.cell, found.line)), instead)


# --- values -----------------------------------------------------------------------------------------------------------


def _factor_of(value: Array, reference: Array) -> float | None:
    """c with value = c · reference, for arrays of the same numbers in the same or the transposed order."""
    if value.size != reference.size or not value.size:
        return None
    arrangements = [reference] if reference.ndim < 2 else [reference, reference.T]
    for arranged in arrangements:
        vectors = max(value.shape, default=1) == value.size and max(arranged.shape, default=1) == arranged.size
        if arranged.shape != value.shape and not vectors:
            continue
        v, r = value.ravel(), arranged.ravel()
        if not r.any():
            return 1.0 if not v.any() else None
        factor = float(v @ r / (r @ r))
        if factor and np.abs(v - factor * r).max() <= TOLERANCE * np.abs(v).max():
            return factor
    return None


# --- the right formula, in the author's names -------------------------------------------------------------------------


class _Names:
    """Where the author's code holds the quantities of the network, and how it calls them; found by their values."""

    def __init__(self, seen: Observation, problem: Problem, errors: dict[int, Array], common: float):
        self.seen, self.forward, self.errors, self.common = seen, problem.passes[0], errors, common
        self.columns = seen.layout == "columns"
        call = seen.calls[0]
        roles = {role: name.rpartition(".")[2] for role, name in seen.roles.items()}
        own = [a for a in call.backward_assignments if a.function.rpartition(".")[2] == roles.get("backward")]
        self.backward = [a for a in call.backward_assignments if a.expression != "return"]
        of_forward = [a for a in call.forward_assignments if a.function.rpartition(".")[2] == roles.get("forward")]
        # What a name held last: a loop's variables hold other layers' values in passing.
        latest = {a.expression: a for a in (*of_forward, *own) if a.expression != "return"}
        self.known = list(reversed(latest.values()))

    def of(self, value: Array, otherwise: str) -> str:
        """The author's name for a value, or ours."""
        for name, parameter in self.seen.calls[0].parameters.items():
            if parameter.size == value.size > 1 and _is_one(_factor_of(parameter, value)):
                return self.seen.names.get(name, name)
        for assignment in self.known:
            if assignment.value.size == value.size > 1 and _is_one(_factor_of(assignment.value, value)):
                return assignment.expression
        return otherwise

    def error_assignment(self, layer: int) -> Assignment | None:
        """The line that computed dZ: of the names that hold it, the one that dW or db was made of."""
        error = self.errors.get(layer)
        if error is None or not error.any():
            return None
        holders = [a for a in self.backward if a.value.size == error.size and _factor_of(a.value, error)]
        for name in (f"W{layer}", f"b{layer}"):
            made = self._exact(name)
            text = self.seen.lines.get((made[0].cell, made[0].line), "") if made else ""
            right_side = text.partition("=")[2] or text
            for holder in holders:
                if re.search(rf"(?<![\w.]){re.escape(holder.expression)}(?!\w)", right_side):
                    return holder
        return holders[0] if holders else None

    def _exact(self, name: str) -> list[Assignment]:
        given = self.seen.calls[0].gradients.get(name)
        if given is None:
            return []
        same = [a for a in self.backward if a.value.size == given.size and _is_one(_factor_of(a.value, given))]
        # Two gradients may be equal, as those of a wrong layer are: the name decides which is which.
        wanted = read_name(self.seen.names.get(name, name)) or read_name(name)
        # Of a helper's db and the grads['db2'] that it is put into, the helper's comes first, and computed it.
        return sorted(same, key=lambda a: max(_distance(a.expression, wanted), 1))

    def gradient_assignment(self, name: str, last: bool) -> Assignment | None:
        """The line that computed a parameter's gradient; the last one that changed it if that is where a factor is."""
        call = self.seen.calls[0]
        layer = int(name[1:])
        error = self.error_assignment(layer) if name[0] == "b" else None
        exact = [a for a in self._exact(name) if error is None or a.expression != error.expression]
        given = call.gradients.get(name)
        if not exact and given is not None and given.size > 1:  # an update may hold it times the learning rate
            exact = [a for a in self.backward if a.value.size == given.size and _factor_of(a.value, given)]
            exact = [a for a in exact if error is None or a.expression != error.expression]
        if exact and given is not None:
            first = exact[0]
            same = [a for a in self.backward if a.expression == first.expression and _factor_of(a.value, given)]
            return first if last or not same else same[0]
        own = [a for a in self.backward if a.expression == self.seen.names.get(name)]
        if own:
            return own[0]
        returned = [
            a
            for a in call.backward_assignments
            if a.expression == "return" and given is not None and _is_one(_factor_of(a.value, given))
        ]
        return returned[0] if returned else None

    def error(self, layer: int) -> tuple[str, float]:
        """The author's name for dZ, and the factor that theirs has: m where 1/m comes later."""
        found = self.error_assignment(layer)
        if found is None:
            return f"dZ{layer}", 1.0
        return found.expression, abs(_factor_of(found.value, self.errors[layer]) or 1.0)

    def count(self) -> str:
        """How the author calls the number of examples."""
        m = len(self.forward.Y)
        usual = ("m", "n", "N", "batch_size", "m_train", "num_examples")
        for a in self.known:
            if a.expression in usual and a.value.shape == () and a.value == m:
                return a.expression
        return "m"

    def scaled(self, formula: str, factor: float) -> str:
        m = len(self.forward.Y)
        if abs(factor - 1) < 1e-6:
            return formula
        if abs(factor * m - 1) < 1e-6:
            return f"{formula} / {self.count()}"
        if abs(factor / m - 1) < 1e-6:
            return f"{self.count()} * {formula}"
        return f"{factor:.6g} * {formula}"

    def gradient(self, kind: str, layer: int, shape: tuple[int, ...], output_first: bool) -> str:
        dZ, factor = self.error(layer)
        A = self.of(self.forward.A[layer - 1], "X" if layer == 1 else f"A{layer - 1}")
        if kind == "dW":
            if self.columns:
                formula = f"np.dot({dZ}, {A}.T)" if output_first else f"np.dot({A}, {dZ}.T)"
            else:
                formula = f"np.dot({dZ}.T, {A})" if output_first else f"np.dot({A}.T, {dZ})"
        else:
            keep = ", keepdims=True" if len(shape) == 2 else ""
            formula = f"np.sum({dZ}, axis={1 if self.columns else 0}{keep})"
        return self.scaled(formula, self.common / factor)

    def hidden_error(self, layer: int, output_first: bool) -> str:
        dZ, _ = self.error(layer + 1)
        W = self.of(self.seen.calls[0].parameters[f"W{layer + 1}"], f"W{layer + 1}")
        if self.columns:
            back = f"np.dot({W}.T, {dZ})" if output_first else f"np.dot({W}, {dZ})"
        else:
            back = f"np.dot({dZ}, {W})" if output_first else f"np.dot({dZ}, {W}.T)"
        Z = self.of(self.forward.Z[layer], f"Z{layer}")
        A = self.of(self.forward.A[layer], f"A{layer}")
        slope = {
            "relu": f"({Z} > 0)",
            "leaky_relu": f"np.where({Z} > 0, 1, 0.01)",
            "sigmoid": f"{A} * (1 - {A})",
            "tanh": f"(1 - {A} ** 2)",
            "identity": "1",
        }[self.forward.activations[layer]]
        return f"{back} * {slope}" if slope != "1" else back

    def output_error(self, loss: str) -> str:
        Y_hat = self.of(self.forward.A[-1], "Y_hat")
        Y = self.of(self.forward.Y, "Y")
        output = self.forward.activations[-1]
        difference = f"({Y_hat} - {Y})"
        if loss != "squared-error" or output == "identity":
            formula = f"{Y_hat} - {Y}"
        elif output == "softmax":
            axis = 0 if self.columns else 1
            formula = f"{Y_hat} * ({difference} - np.sum({difference} * {Y_hat}, axis={axis}, keepdims=True))"
        elif output == "sigmoid":
            formula = f"{difference} * {Y_hat} * (1 - {Y_hat})"
        elif output == "tanh":
            formula = f"{difference} * (1 - {Y_hat} ** 2)"
        else:
            Z = self.of(self.forward.Z[-1], f"Z{self.forward.last}")
            formula = f"{difference} * ({Z} > 0)"
        return formula

    def softmax(self) -> str:
        Z = f"Z{self.forward.last}"
        axis = 0 if self.columns else 1
        return f"np.exp({Z}) / np.sum(np.exp({Z}), axis={axis}, keepdims=True)"


def _distance(expression: str, wanted: Named | None) -> int:
    """0 for the name of the gradient wanted, 1 for one of its kind that has no number, 2 for any other."""
    words = re.findall(r"\w+", expression)
    found = read_name(words[-1] if not words[-1].isdigit() else "".join(words))
    if found is None or wanted is None:
        return 2
    if found.identity == wanted.identity:
        return 0
    return 1 if found.kind == wanted.kind and found.number is None else 2


def _is_one(factor: float | None) -> bool:
    return factor is not None and abs(factor - 1) < TOLERANCE
