"""Dense networks written as their authors write them, each case in every form, with mistakes of the catalogue planted.

A case has a plan: which codes are planted at which quantity. A form that unrolls its layers holds the plan as it is;
one that loops over them has the mistake in all layers that the line is for. All forms of a case are made of the same
formulas, so they must agree in what they predict after training (test_dense.py has them run).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

# Whole programs that train, and what they are when they only define their functions and classes.
UNROLLED = ("functions", "dicts", "class", "module", "notebook")
LOOPED = ("lists", "layers", "one example")
FORMS = UNROLLED + LOOPED
DEFINED = tuple(f"{form}, defined only" for form in FORMS if form != "module")

OUTPUT = ("missing-output-derivative", "elementwise-softmax-derivative", "scalar-softmax-derivative")
OUTPUT += ("extra-activation-derivative", "derivative-of-activated-value", "wrong-sign", "wrong-scale")
THROUGH_WEIGHTS = ("weights-not-transposed", "weights-already-updated")
HIDDEN = ("missing-activation-derivative", "activation-instead-of-derivative", "derivative-of-activated-value")
HIDDEN += ("derivative-at-wrong-point", "other-activation-derivative", *THROUGH_WEIGHTS)
HIDDEN += ("wrong-sign", "wrong-scale", "zero")
UNFILLED = ("stale-gradient", "never-updated")
WEIGHTS = ("transposed", "pre-activation-input", "wrong-layer-input", "elementwise-product", "wrong-layer-error")
WEIGHTS += ("weight-penalty", "wrong-sign", "wrong-scale", "zero", *UNFILLED)
BIASES = ("summed-over-all-axes", "summed-over-wrong-axis", "not-summed", "wrong-layer-error")
BIASES += ("multiplied-by-pre-activation", "should-be-zero", "wrong-sign", "wrong-scale", "zero", *UNFILLED)
FORWARD = ("softmax-over-all-entries",)
CODES = tuple(sorted({*OUTPUT, *HIDDEN, *WEIGHTS, *BIASES, *FORWARD}))
# Only against a stated loss is one of these a mistake, and not the gradient of another loss.
NEEDS_LOSS = {*OUTPUT, "weight-penalty"} - {"derivative-of-activated-value", "wrong-sign"}

ACTIVATIONS = {  # the function, its derivative at Z, the same from A
    "relu": ("np.maximum(0, {})", "({} > 0)", "({} > 0)"),
    "sigmoid": ("1 / (1 + np.exp(-{}))", "np.exp(-{0}) / (1 + np.exp(-{0})) ** 2", "{0} * (1 - {0})"),
    "tanh": ("np.tanh({})", "(1 - np.tanh({}) ** 2)", "(1 - {} ** 2)"),
    "leaky_relu": ("np.where({0} > 0, {0}, 0.01 * {0})", "np.where({} > 0, 1, 0.01)", "np.where({} > 0, 1, 0.01)"),
}
LOSSES = {"softmax": ("squared-error", "cross-entropy"), "identity": ("squared-error",)}
LOSSES["sigmoid"] = ("squared-error", "binary-cross-entropy")

Plan = dict[str, tuple[str, ...]]
Statement = tuple[str | None, str]  # the quantity that a line makes, and the line
BLANK: list = [(None, "")] * 2
Line = tuple[int | None, int]  # the code cell of a notebook, counted from 1, and the line there
Found = dict[tuple[str, str], Line | None]  # (at, code) → where; None where no line is to be expected


class Settings(NamedTuple):
    sizes: tuple[int, ...]
    columns: bool  # one example a column, or a row
    hidden: str
    output: str
    loss: str
    mean: bool  # or the sum over the examples
    early: bool  # the mean's 1/m in the last error, or in each gradient
    with_loss: bool  # computed and printed, or nowhere
    optimiser: str
    batches: bool  # three of them, or all examples at once
    from_value: bool  # the derivative from A, or at Z
    helpers: bool  # the activation as a function of its own
    two_lines: bool  # dA = …, dZ = dA * …, or all in one line
    zero_biases: bool
    other_way: bool  # of two ways to make the same mistake, the second

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    @property
    def m(self) -> int:
        return 3 + max(self.sizes) + self.sizes[-1] % 2


class Case(NamedTuple):
    settings: Settings
    plan: Plan
    truth: str  # the verdict: right, right-up-to-scale or wrong
    text_by_form: dict[str, str]
    found_by_form: dict[str, Found]


def case(seed: int, mistakes: int = 0, code: str | None = None) -> Case:
    """The same for the same arguments. A `code` is the first mistake; forms that cannot hold the plan are left out."""
    random = np.random.default_rng((seed, mistakes, *(code or "").encode()))
    while True:
        settings = draw_settings(random)
        plan = draw_plan(random, settings.depth, mistakes, code)
        if plan is None or not is_real(settings, plan):
            continue
        texts, found = {}, {}
        for form in FORMS:
            written = write(form, settings, plan)
            if written is not None:
                texts[form], texts[f"{form}, defined only"], found[form] = written
                found[f"{form}, defined only"] = found[form]
        texts.pop("module, defined only", None)
        if texts:
            return Case(settings, plan, verdict(plan, settings.depth), texts, found)


def draw_settings(random: np.random.Generator) -> Settings:
    depth = int(random.integers(1, 5))
    sizes = [int(k) for k in random.permutation(np.arange(3, 9))[: depth + 1]]  # all different
    kind = random.integers(3)
    if kind == 1:  # nothing tells a transpose, or another layer's error, by its shape
        sizes = [sizes[0]] * (depth + 1)
    elif kind == 2:
        sizes = [int(k) for k in random.integers(3, 6, depth + 1)]
    output = str(random.choice(list(LOSSES)))
    if output != "softmax" and random.random() < 0.2:
        sizes[-1] = 1
    flags = [bool(flag) for flag in random.integers(0, 2, 9)]
    return Settings(
        sizes=tuple(sizes),
        columns=flags[0],
        hidden=str(random.choice(list(ACTIVATIONS))),
        output=output,
        loss=str(random.choice(LOSSES[output])),
        mean=flags[1],
        early=flags[1] and flags[2],
        with_loss=bool(random.random() < 0.7),
        optimiser=str(random.choice(["sgd", "sgd", "momentum", "adam", "decay"])),
        batches=flags[3],
        from_value=flags[4],
        helpers=flags[5],
        two_lines=flags[6],
        zero_biases=flags[7],
        other_way=flags[8],
    )


def draw_plan(random: np.random.Generator, depth: int, mistakes: int, code: str | None) -> Plan | None:
    """So many mistakes, each at a quantity of its own; a code is as likely as any other."""
    plan: Plan = {}
    for number in range(mistakes):
        chosen = code if code and number == 0 else str(random.choice(CODES))
        at = str(random.choice([at for at in quantities(depth) if chosen in codes_at(at, depth)] or [""]))
        if not at or at in plan:
            return None
        plan[at] = (chosen,)
    return plan


def quantities(depth: int) -> list[str]:
    return ["forward", *(f"{kind}{layer}" for layer in range(1, depth + 1) for kind in ("dZ", "dW", "db"))]


def codes_at(at: str, depth: int) -> tuple[str, ...]:
    if at == f"dZ{depth}":
        return OUTPUT
    return {"fo": FORWARD, "dZ": HIDDEN, "dW": WEIGHTS, "db": BIASES}[at[:2]]


def verdict(plan: Plan, depth: int) -> str:
    if not plan:
        return "right"
    return "right-up-to-scale" if plan == {f"dZ{depth}": ("wrong-scale",)} else "wrong"


def is_real(s: Settings, plan: Plan) -> bool:
    """Whether the plan can be written at all, is a mistake here, and each part of it changes some gradient."""
    codes = {code for codes in plan.values() for code in codes}
    if (not s.with_loss and codes & NEEDS_LOSS) or (s.optimiser != "sgd" and "weights-already-updated" in codes):
        return False
    if s.sizes[-1] == 1 and plan.get(f"db{s.depth}") in (("summed-over-wrong-axis",), ("summed-over-all-axes",)):
        return False  # the sum over one unit is the array itself: not-summed; and that over all axes is right
    if s.output == "softmax" and "summed-over-all-axes" in plan.get(f"db{s.depth}", ()):
        return False  # the error of a softmax adds up to 0: what is left is rounding, of which no formula can be told
    if s.depth == 1 and plan == dict.fromkeys(("dW1", "db1"), ("wrong-scale",)):
        return False  # that is one of the loss
    return all(changes(s, plan, at) for at in plan)


def changes(s: Settings, plan: Plan, at: str) -> bool:
    if plan[at][0] in (*UNFILLED, "should-be-zero"):
        return True
    given, without = gradients(s, plan), gradients(s, {other: codes for other, codes in plan.items() if other != at})
    return given is not None and without is not None and any(differ(given[k], without[k]) for k in given)


def differ(given: np.ndarray, right: np.ndarray) -> bool:
    """Beyond rounding, and beyond what a program would hide that blows up or whose units are all dead."""
    if given.shape != right.shape:
        return True
    return bool(np.abs(given - right).max() > 1e-6 * max(np.abs(right).max(), 1e-3))


def gradients(s: Settings, plan: Plan, seed: int = 1) -> dict[str, np.ndarray] | None:
    """dW1, db1, … of one step from generic parameters, by running the unrolled formulas; None if they cannot run."""
    backward = backward_lines(s, plan)
    if backward is None:
        return None
    statements = [*helper_lines(s, plan), *forward_lines(s, plan), (None, f"m = {count(s.columns)}"), *backward]
    random = np.random.default_rng(seed)
    names = {"np": np, "learning_rate": 0.1}
    for layer, (i, o) in enumerate(pairwise(s.sizes), start=1):
        names[f"W{layer}"] = random.normal(size=(o, i) if s.columns else (i, o)) / np.sqrt(i)
        names[f"b{layer}"] = random.normal(size=(o, 1) if s.columns else (1, o)) / 2
    X, Y = random.normal(size=(s.m, s.sizes[0])), random.normal(size=(s.m, s.sizes[-1])) > 0
    Y = Y if s.output != "softmax" else np.eye(s.sizes[-1])[np.arange(s.m) % s.sizes[-1]]
    names["X"], names["Y"] = (X.T, Y.T.astype(float)) if s.columns else (X, Y.astype(float))
    before = dict(names)
    try:
        with np.errstate(all="ignore"):
            exec("\n".join(line for _, line in statements), names)
        made = {f"{p}{layer}": np.asarray(names[f"d{p}{layer}"]) for layer in range(1, s.depth + 1) for p in "Wb"}
        for name, gradient in made.items():  # a bias may get a column for each example, and be added still
            shape = np.broadcast_shapes(before[name].shape, gradient.shape)
            allowed = [before[name].shape] + [names[f"Z{name[1:]}"].shape] * (name[0] == "b")
            if shape not in allowed:
                return None
    except ValueError:  # the shapes do not fit
        return None
    return made


# --- formulas ------------------------------------------------------------------------------------------------------


def count(columns: bool, array: str = "X") -> str:
    return f"{array}.shape[{1 if columns else 0}]"


def product(columns: bool, first: str, second: str) -> str:
    """As one writes it for columns; in rows all is transposed and the factors trade places."""
    return f"np.dot({first}, {second})" if columns else f"np.dot({second}, {first})"


def activate(s: Settings, Z: str) -> str:
    return f"{s.hidden}({Z})" if s.helpers else ACTIVATIONS[s.hidden][0].format(Z)


def output_error(s: Settings, codes: Iterable[str], columns: bool, A: str, Z: str, Y: str) -> str | None:
    across = 0 if columns else 1
    E = f"({A} - {Y})"
    elementwise = f"{E} * {A} * (1 - {A})"
    expression = E
    if s.loss == "squared-error" and s.output == "softmax":
        expression = f"{A} * ({E} - np.sum({E} * {A}, axis={across}, keepdims=True))"
    elif s.loss == "squared-error" and s.output == "sigmoid":
        expression = elementwise
    for code in codes:
        if code == "missing-output-derivative":
            if expression == E:
                return None
            expression = E
        elif code in ("elementwise-softmax-derivative", "scalar-softmax-derivative"):
            if s.output != "softmax":
                return None
            numbers = f"np.sum({A} * (1 - {A}), axis={across}, keepdims=True)"
            expression = elementwise if code.startswith("elementwise") else f"{E} * {numbers}"
        elif code == "extra-activation-derivative":
            if s.output == "sigmoid":
                return None
            expression = f"{expression} * {ACTIVATIONS[s.hidden][1].format(Z)}"
        elif code == "derivative-of-activated-value":
            if (s.output, s.loss) != ("sigmoid", "squared-error"):
                return None
            expression = f"{E} * {ACTIVATIONS['sigmoid'][1].format(A)}"
        elif code == "wrong-sign":
            expression = f"-{expression}" if expression == E else f"-({expression})"
        elif code == "wrong-scale":
            expression = f"2 * {expression}"
    return f"{expression} / m" if s.early else expression


def back_through(codes: Iterable[str], columns: bool, W: str, dZ: str) -> str:
    return product(columns, W if "weights-not-transposed" in codes else f"{W}.T", dZ)


def hidden_error(s: Settings, codes: Iterable[str], dA: str, Z: str, A: str, other: str | None) -> str | None:
    """`other`: another layer's Z of the same size."""
    at_z = f"{s.hidden}_prime({{}})" if s.helpers else ACTIVATIONS[s.hidden][1]
    slope = ACTIVATIONS[s.hidden][2].format(A) if s.from_value else at_z.format(Z)
    expression = "{dA} * {slope}"
    for code in codes:
        if code == "missing-activation-derivative":
            expression = "1 * {dA}" if dA.isidentifier() else "{dA}"  # a line that only renames makes nothing
        elif code == "activation-instead-of-derivative":
            slope = A
        elif code == "derivative-of-activated-value":
            slope = at_z.format(A)
        elif code == "derivative-at-wrong-point":
            point = other if s.other_way else dA
            if point is None:
                return None
            slope = at_z.format(point if point.isidentifier() or "." in point else f"({point})")
        elif code == "other-activation-derivative":
            slope = ACTIVATIONS["sigmoid" if s.hidden == "tanh" else "tanh"][2].format(A)
        elif code == "wrong-sign":
            expression = f"-({expression})"
        elif code == "wrong-scale":
            expression = f"0.5 * {expression}" if s.other_way else f"{expression} / m"
        elif code == "zero":
            expression = f"1 // m * {expression}"
    return expression.format(dA=dA, slope=slope)


def weight_gradient(
    s: Settings,
    codes: Iterable[str],
    columns: bool,
    dZ: str,
    A: str,
    W: str,
    Z_below: str | None = None,
    other_error: str | None = None,
    other_input: str | None = None,
) -> str | None:
    over_m = "" if s.early or not s.mean else " / m"
    negative, twice, penalty, whole = "", "", "", "{}"
    for code in codes:
        if code == "pre-activation-input":
            A = Z_below
        elif code == "wrong-layer-input":
            A = other_input
        elif code == "wrong-layer-error":
            dZ = other_error
        elif code == "wrong-sign":
            negative = "-"
        elif code == "wrong-scale":
            over_m, twice = ("", "") if over_m and s.other_way else (over_m, "2 * ")
        elif code == "weight-penalty":
            penalty = f" + 0.1 * {W}"
        elif code == "transposed":
            whole = "({}).T"
        elif code == "zero":
            twice = "1 // m * "
    if A is None or dZ is None:
        return None
    expression = product(columns, dZ, f"{A}.T")
    if "elementwise-product" in codes:
        expression = f"np.sum({dZ} * {A}, axis={1 if columns else 0}, keepdims=True)"
    return whole.format(f"{negative}{twice}{expression}{over_m}{penalty}")


def bias_gradient(
    s: Settings, codes: Iterable[str], columns: bool, dZ: str, Z: str, other_error: str | None = None
) -> str | None:
    axis = 1 if columns else 0
    over_m = "" if s.early or not s.mean else " / m"
    before, total = "", "np.sum({}, axis={}, keepdims=True)"
    for code in codes:
        if code == "wrong-layer-error":
            dZ = other_error
        elif code == "summed-over-all-axes":
            total = "np.sum({})"
        elif code == "summed-over-wrong-axis":
            axis = 1 - axis
        elif code == "not-summed":
            total, before = "{}", "" if over_m else "1 * "  # a line that only renames makes nothing
        elif code == "multiplied-by-pre-activation":
            total = f"{{}} * np.sum({Z})" if s.other_way else f"np.sum({{}} * np.sum({Z}), axis={{}}, keepdims=True)"
        elif code == "wrong-sign":
            before = "-"
        elif code == "wrong-scale":
            over_m, before = ("", "") if over_m and s.other_way else (over_m, "2 * ")
        elif code == "zero":
            before = "1 // m * "
    return None if dZ is None else f"{before}{total.format(dZ, axis)}{over_m}"


def loss_lines(s: Settings, columns: bool, A: str, Y: str) -> str:
    value = {
        "squared-error": f"0.5 * np.sum(({A} - {Y}) ** 2)",
        "cross-entropy": f"-np.sum({Y} * np.log({A}))",
        "binary-cross-entropy": f"-np.sum({Y} * np.log({A}) + (1 - {Y}) * np.log(1 - {A}))",
    }[s.loss]
    return f"{value} / {count(columns, Y)}" if s.mean else value


# --- unrolled layers: statements, each with the quantity that it makes ------------------------------------------------


def helper_lines(s: Settings, plan: Plan) -> list[Statement]:
    """The functions that the formulas call."""
    lines: list[Statement] = []
    if s.output == "softmax":
        reach = f", axis={0 if s.columns != ('forward' in plan) else 1}, keepdims=True"
        reach = "" if "forward" in plan and s.m % 2 else reach  # over all entries, or over the examples
        lines += [(None, "def softmax(Z):"), (None, f"    e = np.exp(Z - np.max(Z{reach}))")]
        lines += [("forward", f"    return e / np.sum(e{reach})"), *BLANK]
    if s.helpers:
        function, at_z, _ = ACTIVATIONS[s.hidden]
        lines += [(None, f"def {s.hidden}(Z):"), (None, f"    return {function.format('Z')}"), *BLANK]
        lines += [(None, f"def {s.hidden}_prime(Z):"), (None, f"    return {at_z.format('Z')}"), *BLANK]
    return lines


def apply_output(s: Settings, Z: str) -> str:
    return {"softmax": f"softmax({Z})", "sigmoid": f"1 / (1 + np.exp(-{Z}))", "identity": Z}[s.output]


def forward_lines(s: Settings, plan: Plan) -> list[Statement]:
    lines: list[Statement] = []
    for layer in range(1, s.depth + 1):
        A, Z = f"A{layer - 1}" if layer > 1 else "X", f"Z{layer}"
        bias = "" if "should-be-zero" in plan.get(f"db{layer}", ()) else f" + b{layer}"
        value = apply_output(s, Z) if layer == s.depth else activate(s, Z)
        lines += [(None, f"{Z} = {product(s.columns, f'W{layer}', A)}{bias}"), (None, f"A{layer} = {value}")]
    return lines


def backward_lines(s: Settings, plan: Plan) -> list[Statement] | None:
    """None where the plan cannot be written. Weights that are updated too early have their step among the lines."""
    depth, lines = s.depth, []

    def same_size(layer: int, others: Iterable[int]) -> list[int]:
        return [k for k in others if k != layer and s.sizes[k] == s.sizes[layer]]

    lines.append((f"dZ{depth}", output_error(s, plan.get(f"dZ{depth}", ()), s.columns, f"A{depth}", f"Z{depth}", "Y")))
    for layer in range(depth, 0, -1):
        above = same_size(layer, range(layer + 1, depth + 1))
        other_error = f"dZ{above[0]}" if above else None
        dZ, Z = f"dZ{layer}", f"Z{layer}"
        inputs = {
            "A": f"A{layer - 1}" if layer > 1 else "X",
            "Z_below": f"Z{layer - 1}" if layer > 1 else None,
            "other_error": other_error,
            "other_input": "X" if layer > 1 and s.sizes[layer - 1] == s.sizes[0] else None,
        }
        codes = plan.get(f"dW{layer}", ())
        lines.append((f"dW{layer}", weight_gradient(s, codes, s.columns, dZ, W=f"W{layer}", **inputs)))
        lines.append((f"db{layer}", bias_gradient(s, plan.get(f"db{layer}", ()), s.columns, dZ, Z, other_error)))
        if layer > 1:
            below = layer - 1
            codes = plan.get(f"dZ{below}", ())
            if layer in updated_early(plan):
                lines.append(("step", f"W{layer} - learning_rate * dW{layer}", f"W{layer}"))
            dA = back_through(codes, s.columns, f"W{layer}", dZ)
            if s.two_lines:
                lines.append((f"dA{below}", dA))
                dA = f"dA{below}"
            others = same_size(below, range(1, depth + 1))
            other = f"Z{others[0]}" if others else None
            lines.append((f"dZ{below}", hidden_error(s, codes, dA, f"Z{below}", f"A{below}", other)))
    if any(expression is None for _, expression, *_ in lines):
        return None
    return [(mark, f"{(name or [mark])[0]} = {expression}") for mark, expression, *name in lines]


def updated_early(plan: Plan) -> set[int]:
    return {int(at[2:]) + 1 for at, codes in plan.items() if "weights-already-updated" in codes}


def step_lines(s: Settings, parameter: str, gradient: str, state: str, rate: str = "learning_rate", t: str = "t"):
    """One parameter's step. `state` has a place for the name of what the optimiser remembers."""
    v, square = state.format("v"), state.format("s")
    if s.optimiser == "decay":  # shrinks what it steps, which no gradient knows of
        return [(None, f"{parameter} = (1 - 0.001 * {rate}) * {parameter} - {rate} * {gradient}")]
    if s.optimiser == "momentum":
        return [(None, f"{v} = 0.9 * {v} + {gradient}"), (None, f"{parameter} = {parameter} - {rate} * {v}")]
    if s.optimiser == "adam":
        corrected = f"{v} / (1 - 0.9 ** {t}) / (np.sqrt({square} / (1 - 0.99 ** {t})) + 1e-8)"
        return [
            (None, f"{v} = 0.9 * {v} + 0.1 * {gradient}"),
            (None, f"{square} = 0.99 * {square} + 0.01 * {gradient} ** 2"),
            (None, f"{parameter} = {parameter} - {rate} * {corrected}"),
        ]
    return [(None, f"{parameter} = {parameter} - {rate} * {gradient}")]


def remembered(s: Settings) -> str:
    """The letters of what the optimiser remembers for each parameter."""
    return {"momentum": "v", "adam": "vs"}.get(s.optimiser, "")


# --- whole programs -----------------------------------------------------------------------------------------------


class Writer:
    """Lines of a program, in cells where it is a notebook, and where the quantities are made."""

    def __init__(self):
        self.cells: list[list[str]] = [[]]
        self.titles: list[str] = [""]
        self.marks: dict[str, tuple[int, int]] = {}

    def emit(self, indent: int, statements: Iterable[Statement | str]) -> None:
        for statement in statements:
            mark, line = (None, statement) if isinstance(statement, str) else statement
            if not line and self.cells[-1][-2:] == ["", ""]:
                continue
            self.cells[-1].append(" " * indent + line if line else "")
            if mark:
                self.marks[mark] = len(self.cells), len(self.cells[-1])

    def cell(self, title: str) -> None:
        if self.cells != [[]]:
            self.cells.append([])
            self.titles.append(title)

    def program(self) -> str:
        assert len(self.cells) == 1
        return "\n".join(self.cells[0]).rstrip() + "\n"

    def notebook(self) -> str:
        cells = []
        for title, lines in zip(self.titles, self.cells, strict=True):
            if title:
                cells.append({"cell_type": "markdown", "metadata": {}, "source": [f"## {title}"]})
            source = [line + "\n" for line in lines]
            cells.append(
                {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
            )
        return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}, indent=1)


def write(form: str, s: Settings, plan: Plan) -> tuple[str, str, Found] | None:
    """The program, the program that only defines, and what is to be found; None where the form cannot hold the plan."""
    codes = {code for codes in plan.values() for code in codes}
    writer, definitions = Writer(), Writer()
    if form in LOOPED:
        uniform = in_all_layers(form, s, plan)
        if uniform is None:
            return None
        by_kind, expanded = uniform
        if not WRITERS[form](definitions, s, by_kind, trains=False) or not WRITERS[form](writer, s, by_kind):
            return None
        found = expected(expanded, s, writer.marks, by_kind)
    else:
        early = updated_early(plan)
        if form in ("functions", "dicts", "notebook") and (early or codes & set(UNFILLED)):
            return None
        WRITERS[form](definitions, s, plan, trains=False)
        WRITERS[form](writer, s, plan)
        found = expected(plan, s, writer.marks)
    if form == "notebook":
        return writer.notebook(), definitions.notebook(), found
    found = {key: line and (None, line[1]) for key, line in found.items()}
    return writer.program(), definitions.program(), found


def in_all_layers(form: str, s: Settings, plan: Plan) -> tuple[Plan, Plan] | None:
    """The plan by kind of quantity (dZL, dZ, dW, db, forward), and the plan that this is for each layer."""
    by_kind: Plan = {}
    for at, codes in plan.items():
        kind = "forward" if at == "forward" else "dZL" if at == f"dZ{s.depth}" else at[:2]
        if by_kind.setdefault(kind, codes) != codes:
            return None
    codes = {code for codes in by_kind.values() for code in codes}
    if codes & {"wrong-layer-error", "pre-activation-input", *UNFILLED}:
        return None
    if form == "layers" and "wrong-layer-input" in codes:
        return None
    mixes_examples = {"summed-over-wrong-axis", "not-summed", "weights-already-updated", *FORWARD}
    if form == "one example" and codes & mixes_examples:
        return None
    expanded: Plan = {}
    for kind, codes in by_kind.items():
        if kind == "forward":
            expanded["forward"] = codes
        elif kind == "dZL":
            expanded[f"dZ{s.depth}"] = codes
        else:
            for layer in range(1, s.depth + (kind != "dZ")):
                if (layer, codes) != (1, ("wrong-layer-input",)):
                    expanded[f"{kind}{layer}"] = codes
    if gradients(s, expanded) is None or (s.sizes[-1] == 1 and "summed-over-wrong-axis" in by_kind.get("db", ())):
        return None
    kept = {at: codes for at, codes in expanded.items() if changes(s, expanded, at)}
    if s.sizes[-1] == 1 and kept.get(f"db{s.depth}") == ("summed-over-all-axes",):
        del kept[f"db{s.depth}"]  # there is one unit
    return (by_kind, kept) if kept or not plan else None


def expected(plan: Plan, s: Settings, marks: dict[str, tuple[int, int]], by_kind: Plan | None = None) -> Found:
    """A constant of the last layer's error is one that all gradients share."""
    found: Found = {}
    for at, codes in plan.items():
        last = at == f"dZ{s.depth}"
        mark = at if by_kind is None or at == "forward" else "dZL" if last else at[:2]
        if f"{mark} below" in marks and at[2:] != str(s.depth):
            mark = f"{mark} below"
        for code in codes:
            through = mark.replace("Z", "A") if code in THROUGH_WEIGHTS else mark
            line = None if code in (*UNFILLED, "should-be-zero") else marks.get(through, marks.get(mark))
            found["loss" if last and code == "wrong-scale" else at, code] = line
    return found


def found_at(one: Case, form: str, sizes: tuple[int, ...]) -> Found | None:
    """What is to be found where a form that loops over its layers is called as a network of other sizes.

    None where it raises then, or does what it ought to.
    """
    s, form = one.settings._replace(sizes=sizes), form.removesuffix(", defined only")

    def kind(at: str, depth: int) -> str:
        return "dZL" if at in ("loss", f"dZ{depth}") else f"{at[:2]}L" if at[2:] == str(depth) else at[:2]

    uniform = in_all_layers(form, one.settings, one.plan)
    assert uniform is not None
    by_kind, _ = uniform
    plan = {at if at == "forward" else f"dZ{s.depth}" if at == "dZL" else f"{at}1": c for at, c in by_kind.items()}
    if s.depth == 1 and "dZ" in by_kind:
        return None
    there = in_all_layers(form, s, plan)
    if there is None:
        return None
    known = {(kind(at, one.settings.depth), code): line for (at, code), line in one.found_by_form[form].items()}
    found = expected(there[1], s, {}, by_kind)
    return {(at, code): known.get((kind(at, s.depth), code)) for at, code in found}


def data_lines(s: Settings) -> list[str]:
    n, inputs, outputs = s.m * (3 if s.batches else 1), s.sizes[0], s.sizes[-1]

    def shape(units: int) -> str:
        return f"{units}, {n}" if s.columns else f"{n}, {units}"

    lines = ["np.random.seed(5)", f"X_train = np.random.randn({shape(inputs)})"]
    if s.output == "softmax":
        lines += [f"labels = np.arange({n}) % {outputs}", f"Y_train = np.eye({outputs})[labels]{'.T' * s.columns}"]
    elif s.output == "sigmoid":
        lines += [f"Y_train = (np.random.rand({shape(outputs)}) > 0.5).astype(float)"]
    else:
        truth = f"np.random.randn{(outputs, inputs) if s.columns else (inputs, outputs)}"
        lines += [f"Y_train = np.sin({product(s.columns, truth, 'X_train')})"]
    lines += [f"X_test = X_train[{':, ' * s.columns}-{s.m}:]"]
    return lines


def loop_lines(s: Settings, step: list[Statement], columns: bool | None = None) -> list[Statement]:
    """Trains on X_train, Y_train, a batch X, Y at a time."""
    part = f"[{':, ' * s.columns}k:k + {s.m}]"
    lines: list[Statement] = [(None, f"for epoch in range({5 if s.batches else 12}):")]
    if s.batches:
        lines += [(None, f"    for k in range(0, {count(s.columns, 'X_train')}, {s.m}):")]
        lines += [(None, f"        X, Y = X_train{part}, Y_train{part}")]
    else:
        lines += [(None, "    X, Y = X_train, Y_train")]
    lines += indented(8 if s.batches else 4, step)
    if s.with_loss:
        lines += [(None, "    if epoch % 4 == 0:"), (None, '        print("epoch", epoch, "loss", loss)')]
    return lines


def indented(spaces: int, statements: Iterable[Statement]) -> list[Statement]:
    return [(mark, " " * spaces + line if line else "") for mark, line in statements]


def initial(s: Settings, prefix: str = "") -> list[str]:
    """W1 = …, b1 = …, and what the optimiser remembers is left to the form."""
    lines = []
    for layer, (i, o) in enumerate(pairwise(s.sizes), start=1):
        lines.append(f"{prefix}W{layer} = {made('W', s, str(i), str(o))}")
        lines.append(f"{prefix}b{layer} = {made('b', s, str(i), str(o))}")
    return lines


def made(kind: str, s: Settings, i: str, o: str, columns: bool | None = None) -> str:
    columns = s.columns if columns is None else columns
    if kind == "W":
        return f"np.random.randn({o}, {i}) * 0.5" if columns else f"np.random.randn({i}, {o}) * 0.5"
    shape = f"{o}, 1" if columns else f"1, {o}"
    return f"np.zeros(({shape}))" if s.zero_biases else f"np.random.randn({shape}) * 0.3"


def parameter_names(s: Settings) -> list[str]:
    return [f"{p}{layer}" for layer in range(1, s.depth + 1) for p in "Wb"]


def kept_names(s: Settings) -> list[str]:
    return [f"{q}{layer}" for layer in range(1, s.depth + 1) for q in "ZA"]


def write_functions(w: Writer, s: Settings, plan: Plan, trains: bool = True, notebook: bool = False) -> bool:
    """Arrays by name, handed from function to function; in a notebook the loop is a cell."""
    parameters, kept, gradient_names = parameter_names(s), kept_names(s), [f"d{p}" for p in parameter_names(s)]
    cell = w.cell if notebook else lambda title: w.emit(0, ["", ""])
    w.emit(0, ["import numpy as np"])
    if helpers := helper_lines(s, plan):
        cell("Functions")
        w.emit(0, helpers)
    cell("Parameters")
    w.emit(0, ["def init_params():"])
    w.emit(4, [*initial(s), f"return {', '.join(parameters)}"])
    cell("Forward")
    w.emit(0, [f"def forward_prop({', '.join(parameters)}, X):"])
    w.emit(4, [*forward_lines(s, plan), f"return {', '.join(kept)}"])
    cell("Backward")
    w.emit(0, [f"def back_prop({', '.join(kept)}, {', '.join(parameters)}, X, Y):"])
    w.emit(4, [f"m = {count(s.columns)}", *backward_lines(s, plan), f"return {', '.join(gradient_names)}"])
    if s.with_loss:
        cell("Loss")
        w.emit(0, [f"def compute_loss(A{s.depth}, Y):"])
        w.emit(4, [f"return {loss_lines(s, s.columns, f'A{s.depth}', 'Y')}"])
    step = [f"{', '.join(kept)} = forward_prop({', '.join(parameters)}, X)"]
    step += [f"loss = compute_loss(A{s.depth}, Y)"] * s.with_loss
    step += [f"grads = back_prop({', '.join(kept)}, {', '.join(parameters)}, X, Y)"]
    step += [f"params = [{', '.join(parameters)}]"]
    step += ["t += 1"] * (s.optimiser == "adam")
    step += ["for i in range(len(params)):"]
    step += ["    " + line for _, line in step_lines(s, "params[i]", "grads[i]", "{}[i]")]
    step += [f"{', '.join(parameters)} = params"]
    start = [f"{', '.join(parameters)} = init_params()"]
    start += [f"{letter} = [np.zeros(p.shape) for p in ({', '.join(parameters)})]" for letter in remembered(s)]
    start += ["t = 0"] * (s.optimiser == "adam")
    loop = loop_lines(s, [(None, line) for line in step])
    if notebook:
        if trains:
            cell("Data")
            w.emit(0, data_lines(s))
            cell("Training")
            w.emit(0, ["learning_rate = 0.1", *start, *loop])
    else:
        cell("Training")
        w.emit(0, ["def gradient_descent(X_train, Y_train, learning_rate):"])
        w.emit(4, [*start, *loop, f"return {', '.join(parameters)}"])
        if trains:
            cell("Data")
            w.emit(0, [*data_lines(s), f"{', '.join(parameters)} = gradient_descent(X_train, Y_train, 0.1)"])
    if trains:
        cell("Predictions")
        w.emit(0, [f"predictions = forward_prop({', '.join(parameters)}, X_test)[-1]", "print(predictions.round(3))"])
    return True


def write_notebook(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    return write_functions(w, s, plan, trains, notebook=True)


def write_dicts(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    """parameters, cache and grads, each a dict."""
    parameters, kept = parameter_names(s), kept_names(s)

    def packed(names: Iterable[str]) -> str:
        return "{" + ", ".join(f'"{name}": {name}' for name in names) + "}"

    w.emit(0, ["import numpy as np", "", "", *helper_lines(s, plan)])
    w.emit(0, ["def initialize_parameters():"])
    w.emit(4, [*initial(s), f"return {packed(parameters)}", "", ""])
    w.emit(0, ["def forward_propagation(X, parameters):"])
    w.emit(4, [*(f'{p} = parameters["{p}"]' for p in parameters), *forward_lines(s, plan)])
    w.emit(4, [f"cache = {packed(kept)}", f"return A{s.depth}, cache", "", ""])
    w.emit(0, ["def backward_propagation(parameters, cache, X, Y):"])
    w.emit(4, [f"m = {count(s.columns)}", *(f'{p} = parameters["{p}"]' for p in parameters if p[0] == "W")])
    w.emit(4, [*(f'{c} = cache["{c}"]' for c in kept), *backward_lines(s, plan)])
    w.emit(4, [f"grads = {packed(f'd{p}' for p in parameters)}", "return grads", "", ""])
    if s.with_loss:
        w.emit(0, [f"def compute_cost(A{s.depth}, Y):"])
        w.emit(4, [f"return {loss_lines(s, s.columns, f'A{s.depth}', 'Y')}", "", ""])
    memory = remembered(s)
    extra = "".join(f", {letter}" for letter in memory) + ", t" * (s.optimiser == "adam")
    w.emit(0, [f"def update_parameters(parameters, grads{extra}, learning_rate=0.1):", "    for key in parameters:"])
    w.emit(8, step_lines(s, "parameters[key]", 'grads["d" + key]', "{}[key]"))
    w.emit(4, ["return parameters", "", ""])
    w.emit(0, ["def model(X_train, Y_train):"])
    w.emit(4, ["parameters = initialize_parameters()"])
    w.emit(4, [f"{letter} = {{key: np.zeros(parameters[key].shape) for key in parameters}}" for letter in memory])
    w.emit(4, ["t = 0"] * (s.optimiser == "adam"))
    step = [f"A{s.depth}, cache = forward_propagation(X, parameters)"]
    step += [f"loss = compute_cost(A{s.depth}, Y)"] * s.with_loss
    step += ["grads = backward_propagation(parameters, cache, X, Y)"]
    step += ["t = t + 1"] * (s.optimiser == "adam")
    step += [f"parameters = update_parameters(parameters, grads{extra})"]
    w.emit(4, [*loop_lines(s, [(None, line) for line in step]), "return parameters"])
    if trains:
        w.emit(0, ["", "", *data_lines(s), "parameters = model(X_train, Y_train)"])
        w.emit(0, ["predictions, _ = forward_propagation(X_test, parameters)", "print(predictions.round(3))"])
    return True


def unrolled_steps(s: Settings, plan: Plan, rate: str = "learning_rate", t: str = "t") -> list[Statement]:
    """The steps of all parameters but those that have theirs among the gradients, or that are forgotten."""
    lines: list[Statement] = []
    for name in parameter_names(s):
        early = name[0] == "W" and int(name[1:]) in updated_early(plan)
        if not early and "never-updated" not in plan.get(f"d{name}", ()):
            lines += step_lines(s, name, f"d{name}", f"{{}}{name}", rate, t)
    return lines


def write_module(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    """No function but those of the activations; all at the top level."""
    stale = [at for at, codes in plan.items() if "stale-gradient" in codes]
    w.emit(0, ["import numpy as np", "", "", *helper_lines(s, plan), "# data", *data_lines(s), ""])
    w.emit(0, ["# parameters", *initial(s)])
    w.emit(0, [f"{at} = np.zeros({at[1:]}.shape)" for at in stale])
    w.emit(0, [f"{v}{p} = np.zeros({p}.shape)" for p in parameter_names(s) for v in remembered(s)])
    w.emit(0, ["t = 0"] * (s.optimiser == "adam"))
    w.emit(0, ["learning_rate = 0.1", ""])
    backward = [
        (mark, line.replace(f"{mark} =", f"{mark[0]}_{mark[1:]} =") if mark in stale else line)
        for mark, line in backward_lines(s, plan)
    ]
    step: list[Statement] = [(None, "# forward"), *forward_lines(s, plan)]
    step += [(None, f"loss = {loss_lines(s, s.columns, f'A{s.depth}', 'Y')}")] * s.with_loss
    step += [(None, "# backward"), (None, f"m = {count(s.columns)}"), *backward, (None, "# update")]
    step += [(None, "t += 1")] * (s.optimiser == "adam")
    step += unrolled_steps(s, plan)
    w.emit(0, [*loop_lines(s, step), "", "X = X_test", *forward_lines(s, plan)])
    w.emit(0, [f"predictions = A{s.depth}", "print(predictions.round(3))"])
    return True


def write_class(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    """One class that holds all of it and has a method fit."""
    stale = [at for at, codes in plan.items() if "stale-gradient" in codes]
    own = [*parameter_names(s), *kept_names(s), *(f"d{p}" for p in parameter_names(s)), "learning_rate"]
    memory = [f"{v}{p}" for p in parameter_names(s) for v in remembered(s)]

    def of_self(statements: Iterable[Statement], *others: str) -> list[Statement]:
        names = "|".join(name for name in [*own, *memory] if name not in others)
        return [(mark, re.sub(rf"(?<![\w.])({names})(?!\w)", r"self.\1", line)) for mark, line in statements]

    w.emit(0, ["import numpy as np", "", "", *helper_lines(s, plan), "class NeuralNetwork:"])
    w.emit(4, ["def __init__(self, learning_rate=0.1):"])
    w.emit(8, ["self.learning_rate = learning_rate", *initial(s, "self.")])
    w.emit(8, [f"self.{at} = np.zeros(self.{at[1:]}.shape)" for at in stale])
    w.emit(8, [f"self.{name} = np.zeros(self.{name[1:]}.shape)" for name in memory])
    w.emit(8, ["self.t = 0"] * (s.optimiser == "adam"))
    w.emit(4, ["", "def forward(self, X):"])
    w.emit(8, [*of_self(forward_lines(s, plan)), f"return self.A{s.depth}"])
    w.emit(4, ["", "def backward(self, X, Y):"])
    w.emit(8, [f"m = {count(s.columns)}", *of_self(backward_lines(s, plan), *stale)])
    w.emit(4, ["", "def update(self):"])
    w.emit(8, ["self.t += 1"] * (s.optimiser == "adam"))
    w.emit(8, of_self(unrolled_steps(s, plan, t="self.t")))
    if s.with_loss:
        w.emit(4, ["", "def loss(self, Y_hat, Y):", f"    return {loss_lines(s, s.columns, 'Y_hat', 'Y')}"])
    w.emit(4, ["", "def fit(self, X_train, Y_train):"])
    step = ["Y_hat = self.forward(X)"] + ["loss = self.loss(Y_hat, Y)"] * s.with_loss
    step += ["self.backward(X, Y)", "self.update()"]
    w.emit(8, [*loop_lines(s, [(None, line) for line in step]), "", ""])
    if trains:
        w.emit(0, ['if __name__ == "__main__":'])
        w.emit(4, [*data_lines(s), "network = NeuralNetwork()", "network.fit(X_train, Y_train)"])
        w.emit(4, ["predictions = network.forward(X_test)", "print(predictions.round(3))"])
    return True


# --- programs that loop over their layers -----------------------------------------------------------------------------


def write_lists(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    """Lists of weights and biases; `plan` is by kind of quantity."""
    bias = "" if "should-be-zero" in plan.get("db", ()) else " + biases[l]"
    early = "weights-already-updated" in plan.get("dZ", ())
    W, dZ = "weights[l]", "dZ"
    last = output_error(s, plan.get("dZL", ()), s.columns, "activations[-1]", "zs[-1]", "Y")
    through = back_through(plan.get("dZ", ()), s.columns, "weights[l + 1]", dZ)
    hidden = hidden_error(s, plan.get("dZ", ()), "dA" if s.two_lines else through, "zs[l]", "activations[l + 1]", None)
    inputs = {"A": "activations[l]", "W": W, "other_input": "activations[0]"}
    dW = weight_gradient(s, plan.get("dW", ()), s.columns, dZ, **inputs)
    db = bias_gradient(s, plan.get("db", ()), s.columns, dZ, "zs[l]")
    if None in (last, hidden, dW, db):
        return False
    w.emit(0, ["import numpy as np", "", "", *helper_lines(s, plan), f"sizes = {list(s.sizes)}", "", ""])
    names = {"W": "weights", "b": "biases"}
    w.emit(0, ["def initialize(sizes):", "    weights, biases = [], []"])
    w.emit(4, ["for n_in, n_out in zip(sizes, sizes[1:]):"])
    w.emit(8, [f"{name}.append({made(kind, s, 'n_in', 'n_out')})" for kind, name in names.items()])
    w.emit(4, ["return weights, biases", "", ""])
    w.emit(
        0, ["def forward(X, weights, biases):", "    zs, activations = [], [X]", "    for l in range(len(weights)):"]
    )
    w.emit(8, [f"z = {product(s.columns, W, 'activations[-1]')}{bias}", "zs.append(z)", "if l == len(weights) - 1:"])
    w.emit(12, [f"activations.append({apply_output(s, 'z')})"])
    w.emit(8, ["else:", f"    activations.append({activate(s, 'z')})"])
    w.emit(4, ["return zs, activations", "", ""])
    extra = ", learning_rate" if early else ""
    w.emit(0, [f"def backward(Y, zs, activations, weights{extra}):", f"    m = {count(s.columns, 'Y')}"])
    w.emit(4, [f"grads_{p} = [None] * len(weights)" for p in "Wb"])
    w.emit(4, ["for l in range(len(weights) - 1, -1, -1):", "    if l == len(weights) - 1:"])
    w.emit(12, [("dZL", f"dZ = {last}")])
    w.emit(8, ["else:"])
    w.emit(12, [("dA", f"dA = {through}")] * s.two_lines)
    w.emit(12, [("dZ", f"dZ = {hidden}")])
    w.emit(8, [("dW", f"grads_W[l] = {dW}"), ("db", f"grads_b[l] = {db}")])
    w.emit(8, [f"{W} = {W} - learning_rate * grads_W[l]"] * early)
    w.emit(4, ["return grads_W, grads_b", "", ""])
    if s.with_loss:
        w.emit(0, ["def loss_function(Y_hat, Y):", f"    return {loss_lines(s, s.columns, 'Y_hat', 'Y')}", "", ""])
    w.emit(0, ["def train(X_train, Y_train, learning_rate=0.1):", "    weights, biases = initialize(sizes)"])
    w.emit(4, [f"{v}{p} = [np.zeros(p.shape) for p in {names[p]}]" for p in "Wb" for v in remembered(s)])
    w.emit(4, ["t = 0"] * (s.optimiser == "adam"))
    step = ["zs, activations = forward(X, weights, biases)"]
    step += ["loss = loss_function(activations[-1], Y)"] * s.with_loss
    step += [f"grads_W, grads_b = backward(Y, zs, activations, weights{extra})"]
    step += ["t += 1"] * (s.optimiser == "adam") + ["for l in range(len(weights)):"]
    for p in "b" if early else "Wb":
        step += ["    " + line for _, line in step_lines(s, f"{names[p]}[l]", f"grads_{p}[l]", f"{{}}{p}[l]")]
    w.emit(4, [*loop_lines(s, [(None, line) for line in step]), "return weights, biases"])
    if trains:
        w.emit(0, ["", "", *data_lines(s), "weights, biases = train(X_train, Y_train)"])
        w.emit(0, ["predictions = forward(X_test, weights, biases)[1][-1]", "print(predictions.round(3))"])
    return True


def write_layers(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    """Layer objects with forward and backward(upstream) in a container; `plan` is by kind of quantity."""
    bias = "" if "should-be-zero" in plan.get("db", ()) else " + self.b"
    early = "weights-already-updated" in plan.get("dZ", ())
    name = {"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "Tanh", "leaky_relu": "LeakyReLU"}[s.hidden]
    last = output_error(s, plan.get("dZL", ()), s.columns, "Y_hat", "self.scores", "Y")
    hidden = hidden_error(s, plan.get("dZ", ()), "upstream", "self.z", "self.a", None)
    dW = weight_gradient(s, plan.get("dW", ()), s.columns, "upstream", "self.x", "self.W")
    db = bias_gradient(s, plan.get("db", ()), s.columns, "upstream", "self.z")
    if None in (last, hidden, dW, db):
        return False
    w.emit(0, ["import numpy as np", "", "", *helper_lines(s, plan), "class Dense:"])
    w.emit(4, ["def __init__(self, n_in, n_out):", f"    self.W = {made('W', s, 'n_in', 'n_out')}"])
    w.emit(8, [f"self.b = {made('b', s, 'n_in', 'n_out')}"])
    w.emit(8, [f"self.{v}{p} = np.zeros(self.{p}.shape)" for p in "Wb" for v in remembered(s)])
    w.emit(4, ["", "def forward(self, x):", "    self.x = x"])
    w.emit(8, [f"self.z = {product(s.columns, 'self.W', 'x')}{bias}", "return self.z", ""])
    w.emit(4, [f"def backward(self, upstream{', learning_rate' * early}):"])
    w.emit(8, [f"m = {count(s.columns, 'self.x')}", ("dW", f"self.dW = {dW}"), ("db", f"self.db = {db}")])
    w.emit(8, ["self.W = self.W - learning_rate * self.dW", "self.b = self.b - learning_rate * self.db"] * early)
    w.emit(8, [("dA", f"return {back_through(plan.get('dZ', ()), s.columns, 'self.W', 'upstream')}"), "", ""])
    w.emit(0, [f"class {name}:", "    def forward(self, z):", "        self.z = z"])
    w.emit(8, [f"self.a = {activate(s, 'z')}", "return self.a", ""])
    w.emit(4, [f"def backward(self, upstream{', learning_rate' * early}):"])
    w.emit(8, [f"m = {count(s.columns, 'self.z')}"] * bool(re.search(r"\bm\b", hidden)))
    w.emit(8, [("dZ", f"return {hidden}"), "", ""])
    w.emit(0, ["class Network:", "    def __init__(self):", "        self.layers = []", "        self.t = 0", ""])
    w.emit(4, ["def add(self, layer):", "    self.layers.append(layer)", "", "def forward(self, X):"])
    w.emit(8, ["for layer in self.layers:", "    X = layer.forward(X)", "self.scores = X"])
    w.emit(8, [f"return {apply_output(s, 'X')}", ""])
    w.emit(4, [f"def backward(self, Y_hat, Y{', learning_rate' * early}):", f"    m = {count(s.columns, 'Y')}"])
    w.emit(8, [("dZL", f"upstream = {last}"), "for layer in reversed(self.layers):"])
    w.emit(12, [f"upstream = layer.backward(upstream{', learning_rate' * early})", ""])
    if not early:
        w.emit(4, ["def update(self, learning_rate):", "    self.t += 1", "    for layer in self.layers:"])
        w.emit(12, ["if isinstance(layer, Dense):"])
        for p in "Wb":
            w.emit(16, step_lines(s, f"layer.{p}", f"layer.d{p}", f"layer.{{}}{p}", t="self.t"))
        w.emit(0, [""])
    step = ["Y_hat = self.forward(X)"]
    step += [f"loss = {loss_lines(s, s.columns, 'Y_hat', 'Y')}"] * s.with_loss
    step += [f"self.backward(Y_hat, Y{', learning_rate' * early})"] + ["self.update(learning_rate)"] * (not early)
    w.emit(4, ["def train(self, X_train, Y_train, learning_rate=0.1):"])
    w.emit(8, [*loop_lines(s, [(None, line) for line in step]), "", ""])
    if trains:
        w.emit(0, ["if __name__ == '__main__':"])
        w.emit(4, [*data_lines(s), "net = Network()"])
        for layer, (i, o) in enumerate(pairwise(s.sizes), start=1):
            w.emit(4, [f"net.add(Dense({i}, {o}))"] + [f"net.add({name}())"] * (layer < s.depth))
        w.emit(4, ["net.train(X_train, Y_train)", "predictions = net.forward(X_test)", "print(predictions.round(3))"])
    return True


def write_one_example(w: Writer, s: Settings, plan: Plan, trains: bool = True) -> bool:
    """Columns of one example each, gradients added up over a minibatch; `plan` is by kind of quantity."""
    single = s._replace(mean=False, early=False)  # the 1/m comes after the sum
    bias = "" if "should-be-zero" in plan.get("db", ()) else " + b"
    last = output_error(single, plan.get("dZL", ()), True, "activations[-1]", "zs[-1]", "y")
    through = back_through(plan.get("dZ", ()), True, "self.weights[-l + 1]", "delta")
    hidden = hidden_error(
        single, plan.get("dZ", ()), "delta" if s.two_lines else through, "zs[-l]", "activations[-l]", None
    )

    def gradients_at(index: str) -> list[str | None]:
        below = "activations[-2]" if index == "-1" else "activations[-l - 1]"
        W, other = f"self.weights[{index}]", "activations[0]"
        bias_codes = plan.get("db", ())
        db = bias_gradient(single, bias_codes, True, "delta", f"zs[{index}]") if bias_codes else "delta"
        return [db, weight_gradient(single, plan.get("dW", ()), True, "delta", below, W, other_input=other)]

    formulas = [last, hidden, *gradients_at("-1"), *gradients_at("-l")]
    if None in formulas or (single.other_way and "multiplied-by-pre-activation" in plan.get("db", ())):
        return False
    formulas = [formula.replace("1 // m *", "0 *") for formula in formulas]
    if any(re.search(r"\bm\b", formula) for formula in formulas):
        return False
    write_network_of_examples(w, s, formulas, through, bias, trains)
    return True


def write_network_of_examples(
    w: Writer, s: Settings, formulas: list[str], through: str, bias: str, trains: bool
) -> None:
    last, hidden, last_b, last_w, hidden_b, hidden_w = formulas
    columns = s._replace(columns=True)
    w.emit(0, ["import numpy as np", "", "", *helper_lines(columns, {}), "class Network(object):"])
    w.emit(4, ["def __init__(self, sizes):"])
    w.emit(8, ["self.num_layers = len(sizes)", "self.weights, self.biases = [], []"])
    w.emit(8, ["for x, y in zip(sizes[:-1], sizes[1:]):", f"    self.weights.append({made('W', columns, 'x', 'y')})"])
    w.emit(12, [f"self.biases.append({made('b', columns, 'x', 'y')})"])
    names = {"w": "weights", "b": "biases"}
    w.emit(8, [f"self.{v}{p} = [np.zeros(p.shape) for p in self.{names[p]}]" for p in "wb" for v in remembered(s)])
    w.emit(8, ["self.t = 0", "self.loss = 0.0", ""])
    w.emit(4, ["def feedforward(self, a):", "    for b, w in list(zip(self.biases, self.weights))[:-1]:"])
    w.emit(12, [f"a = {activate(s, f'(np.dot(w, a){bias})')}"])
    w.emit(8, ["w, b = self.weights[-1], self.biases[-1]", f"z = np.dot(w, a){bias}", f"return {apply_output(s, 'z')}"])
    w.emit(4, ["", "def SGD(self, training_data, epochs, mini_batch_size, eta):", "    for epoch in range(epochs):"])
    w.emit(12, ["for k in range(0, len(training_data), mini_batch_size):"])
    w.emit(16, ["self.update_mini_batch(training_data[k:k + mini_batch_size], eta)"])
    if s.with_loss:
        w.emit(12, ["if epoch % 4 == 0:", '    print("Epoch", epoch, "loss", self.loss)'])
    w.emit(4, ["", "def update_mini_batch(self, mini_batch, eta):"])
    w.emit(8, ["self.loss = 0.0"] * s.with_loss)
    w.emit(8, ["nabla_b = [np.zeros(b.shape) for b in self.biases]"])
    w.emit(8, ["nabla_w = [np.zeros(w.shape) for w in self.weights]", "for x, y in mini_batch:"])
    w.emit(12, ["delta_nabla_b, delta_nabla_w = self.backprop(x, y)"])
    w.emit(12, [f"nabla_{p} = [n + d for n, d in zip(nabla_{p}, delta_nabla_{p})]" for p in "bw"])
    if s.mean:
        w.emit(8, ["self.loss = self.loss / len(mini_batch)"] * s.with_loss)
        w.emit(8, [f"nabla_{p} = [n / len(mini_batch) for n in nabla_{p}]" for p in "bw"])
    w.emit(8, ["self.t += 1"] * (s.optimiser == "adam") + ["for k in range(len(self.weights)):"])
    for p in "wb":
        state = f"self.{{}}{p}[k]"
        w.emit(12, step_lines(s, f"self.{names[p]}[k]", f"nabla_{p}[k]", state, rate="eta", t="self.t"))
    w.emit(4, ["", "def backprop(self, x, y):"])
    w.emit(8, [f"nabla_{p} = [np.zeros({p}.shape) for {p} in self.{names[p]}]" for p in "bw"])
    w.emit(8, ["activation = x", "activations = [x]", "zs = []", "for b, w in zip(self.biases, self.weights):"])
    w.emit(12, [f"z = np.dot(w, activation){bias}", "zs.append(z)", "if len(zs) < self.num_layers - 1:"])
    w.emit(16, [f"activation = {activate(s, 'z')}"])
    w.emit(12, ["else:", f"    activation = {apply_output(s, 'z')}", "activations.append(activation)"])
    example = s._replace(mean=False)
    w.emit(8, [f"self.loss += {loss_lines(example, True, 'activations[-1]', 'y')}"] * s.with_loss)
    w.emit(8, [("dZL", f"delta = {last}")])
    w.emit(8, [("db", f"nabla_b[-1] = {last_b}"), ("dW", f"nabla_w[-1] = {last_w}")])
    w.emit(8, ["for l in range(2, self.num_layers):"])
    w.emit(12, [("dA", f"delta = {through}")] * s.two_lines + [("dZ", f"delta = {hidden}")])
    w.emit(12, [("db below", f"nabla_b[-l] = {hidden_b}"), ("dW below", f"nabla_w[-l] = {hidden_w}")])
    w.emit(8, ["return nabla_b, nabla_w", "", ""])
    if trains:
        of = ".T" * s.columns
        w.emit(0, [*data_lines(s), "training_data = []", f"for x, y in zip(X_train{of}, Y_train{of}):"])
        w.emit(4, ["training_data.append((x.reshape(-1, 1), y.reshape(-1, 1)))"])
        w.emit(0, [f"net = Network({list(s.sizes)})", f"net.SGD(training_data, {5 if s.batches else 12}, {s.m}, 0.1)"])
        w.emit(0, [f"predictions = np.hstack([net.feedforward(x.reshape(-1, 1)) for x in X_test{of}])"])
        w.emit(0, ["print(predictions.round(3))"])


WRITERS = {
    "functions": write_functions,
    "dicts": write_dicts,
    "class": write_class,
    "module": write_module,
    "notebook": write_notebook,
    "lists": write_lists,
    "layers": write_layers,
    "one example": write_one_example,
}
