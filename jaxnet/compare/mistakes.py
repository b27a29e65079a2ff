"""The catalogue: every known wrong formula of a backward pass, as a formula, with its code and its words.

Rows throughout: a batch is (m, i), weights (o, i). Index l of a list is layer l, counted from 1; A[0] is the input.
A table's first row is the right formula, with code None. Each formula yields (symbols, array) for every way there
is to make that mistake, none where it cannot be made; the first table row that reproduces a gradient names it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from jaxnet import backprop
from jaxnet.compare.multiples import multiple

Array: TypeAlias = np.ndarray
Yields: TypeAlias = Iterator[tuple[str, Array]]


class Pass(NamedTuple):
    """A forward pass on one batch, all of it kept, and the loss's derivatives at its end."""

    W: list[Array]  # W[l] (o, i); W[0] is empty
    Z: list[Array]  # Z[l] (m, o); Z[0] is empty
    A: list[Array]  # A[l] (m, o); A[0] = X, A[L] = Ŷ
    Y: Array  # (m, o)
    activations: list[str]  # activations[l] made A[l] of Z[l]; the last one is the output's
    DY_hat: Array  # ∂loss/∂Ŷ
    DZ: Array  # ∂loss/∂Z_L

    @property
    def last(self) -> int:
        return len(self.W) - 1


class _Activations(dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], Callable[[Array], Array]]]):
    """(function, derivative at Z, derivative as a function of the activated value A), by name: `leaky_relu` has a slope
    of 0.01 below 0, `leaky_relu(0.2)` one of 0.2."""

    def __missing__(self, name: str):
        slope = float(name.removeprefix("leaky_relu(").removesuffix(")"))

        def derivative(Z: Array) -> Array:
            return np.where(Z > 0, 1, slope)

        return (lambda Z: np.where(Z > 0, Z, slope * Z)), derivative, derivative


ACTIVATIONS = _Activations(
    relu=(*backprop.ACTIVATIONS["relu"], lambda A: (A > 0).astype(A.dtype)),
    tanh=(*backprop.ACTIVATIONS["tanh"], lambda A: 1 - A**2),
    sigmoid=(*backprop.ACTIVATIONS["sigmoid"], lambda A: A * (1 - A)),
    leaky_relu=(*backprop.ACTIVATIONS["leaky_relu"], lambda A: np.where(A > 0, 1, 0.01)),
    identity=(*backprop.ACTIVATIONS["identity"], np.ones_like),
)
# ∂loss/∂Ŷ of an example, from (Ŷ, Y).
LOSS_SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "squared-error": lambda Y_hat, Y: Y_hat - Y,
    "cross-entropy": lambda Y_hat, Y: -Y / Y_hat,
    "binary-cross-entropy": lambda Y_hat, Y: (Y_hat - Y) / (Y_hat * (1 - Y_hat)),
}
# A softmax that is normalised over a batch, by what sums to 1 in it.
OVER_BATCH: dict[str, Callable[[Array], Array]] = {
    "all entries": lambda Z: backprop.softmax(Z.reshape(1, -1)).reshape(Z.shape),
    "examples": lambda Z: backprop.softmax(Z.T).T,
}


def symbol_of(activation: str) -> str:
    return "σ" if activation == "sigmoid" else activation


# --- dZL: from the loss to the last layer's scores -------------------------------------------------------------


def output_errors(p: Pass) -> Iterator[tuple[str, Array]]:
    """∂loss/∂Ŷ, and Ŷ − Y (scaled as the loss is), which authors take for it whatever the loss is."""
    difference = _scale(p) * (p.A[-1] - p.Y)
    yield "∂loss/∂Ŷ" if not np.allclose(p.DY_hat, difference, rtol=1e-9, atol=0) else "(Ŷ − Y)", p.DY_hat
    yield "(Ŷ − Y)", difference


def _scale(p: Pass) -> float:
    """The constant of the loss, 1/m for a mean: that of its derivative, for the losses that are known."""
    with np.errstate(all="ignore"):
        for slope in LOSS_SLOPES.values():
            formula = slope(p.A[-1], p.Y)
            if np.isfinite(formula).all() and formula.any():
                constant = multiple(p.DY_hat, formula, 1e-6)
                if constant is not None and constant > 0:
                    return constant
    return 1 / len(p.Y)


def _output_elementwise(p: Pass) -> Yields:
    if p.activations[-1] == "softmax":
        for name, error in output_errors(p):
            yield f"{name} ∘ Ŷ ∘ (1 − Ŷ)", error * p.A[-1] * (1 - p.A[-1])


def _output_scalar(p: Pass) -> Yields:
    if p.activations[-1] == "softmax":
        numbers = p.A[-1] * (1 - p.A[-1])
        for name, error in output_errors(p):
            yield f"{name} · Σ Ŷ(1 − Ŷ), one number for an example", error * numbers.sum(axis=1, keepdims=True)
            yield f"{name} · Σ Ŷ(1 − Ŷ), one number for the batch", error * numbers.sum()


def _output_by_derivative(code: str) -> Callable[[Pass], Yields]:
    """The row of DERIVATIVES with this code, where the output works entry by entry, as a hidden layer does."""

    def formula(p: Pass) -> Yields:
        if p.activations[-1] not in ("softmax", "identity"):
            for symbols, derivative in dict(DERIVATIVES)[code](p, p.last, p.DY_hat):
                yield f"∂loss/∂Ŷ ∘ {symbols}", p.DY_hat * derivative

    return formula


def _output_at_activated(p: Pass) -> Yields:
    yield from _output_by_derivative("derivative-of-activated-value")(p)
    if p.activations[-1] == "softmax":
        s = backprop.softmax(p.A[-1])
        for name, error in output_errors(p):
            yield f"{name} ∘ s ∘ (1 − s) with s = softmax(Ŷ), the diagonal of its Jacobian alone", error * s * (1 - s)
            jacobian = s * (error - (error * s).sum(axis=1, keepdims=True))
            yield f"{name} through the Jacobian of softmax at Ŷ", jacobian


OUTPUT_ERRORS: list[tuple[str | None, Callable[[Pass], Yields]]] = [
    (None, lambda p: iter([("∂loss/∂Z", p.DZ)])),
    ("missing-output-derivative", lambda p: iter([next(output_errors(p))])),
    ("elementwise-softmax-derivative", _output_elementwise),
    ("scalar-softmax-derivative", _output_scalar),
    ("activation-instead-of-derivative", _output_by_derivative("activation-instead-of-derivative")),
    ("derivative-of-activated-value", _output_at_activated),
    ("other-activation-derivative", _output_by_derivative("other-activation-derivative")),
    ("derivative-at-wrong-point", _output_by_derivative("derivative-at-wrong-point")),
]


def _extra_derivative(p: Pass) -> Yields:
    for name, (_, at_z, at_a) in ACTIVATIONS.items():
        if name != "identity":
            yield f" ∘ {symbol_of(name)}′(Z{p.last})", at_z(p.Z[-1])
            if (name, p.activations[-1]) != ("sigmoid", "softmax"):  # Ŷ ∘ (1 − Ŷ) is elementwise-softmax-derivative
                yield f" ∘ {symbol_of(name)}′ from Ŷ", at_a(p.A[-1])


OUTPUT_EXTRAS: list[tuple[str | None, Callable[[Pass], Yields]]] = [
    (None, lambda p: iter([("", np.ones(()))])),
    ("extra-activation-derivative", _extra_derivative),
]


# --- dZl: through the weights above, and through the activation --------------------------------------------------


class Above(NamedTuple):
    """What there is to go back through the weights of the layer above: its error, and that of what it gives."""

    dZ: Array
    dA: list[tuple[str, Array]]  # ∂loss/∂A, not yet times a slope, with its symbols: the output has two of it


def _through_transposed(p: Pass, layer: int, above: Above) -> Yields:
    W = p.W[layer + 1]
    if W.shape[0] == W.shape[1]:
        yield f"dZ{layer + 1} through W{layer + 1}ᵀ for W{layer + 1}", above.dZ @ W.T


def _before_its_slope(of_output: bool) -> Callable[[Pass, int, Above], Yields]:
    """What goes back without the derivative of the layer above, be that the output or a hidden one."""

    def formula(p: Pass, layer: int, above: Above) -> Yields:
        for symbols, dA in above.dA if (layer + 1 == p.last) == of_output else ():
            yield f"{symbols} W{layer + 1}", dA @ p.W[layer + 1]

    return formula


# `weights-already-updated` is no row here: its step size is not known, so diagnosis.py solves for it.
WEIGHTS: list[tuple[str | None, Callable[[Pass, int, Above], Yields]]] = [
    (None, lambda p, layer, above: iter([(f"dZ{layer + 1} W{layer + 1}", above.dZ @ p.W[layer + 1])])),
    ("weights-not-transposed", _through_transposed),
    ("missing-output-derivative", _before_its_slope(of_output=True)),
    ("missing-activation-derivative", _before_its_slope(of_output=False)),
]


def _at_z(p: Pass, layer: int, dA: Array) -> Yields:
    name = p.activations[layer]
    yield f"{symbol_of(name)}′(Z{layer})", ACTIVATIONS[name][1](p.Z[layer])


def _activation_itself(p: Pass, layer: int, dA: Array) -> Yields:
    yield f"{symbol_of(p.activations[layer])}(Z{layer})", p.A[layer]


def _at_activated(p: Pass, layer: int, dA: Array) -> Yields:
    name = p.activations[layer]
    yield f"{symbol_of(name)}′(A{layer})", ACTIVATIONS[name][1](p.A[layer])


def _other_derivative(p: Pass, layer: int, dA: Array) -> Yields:
    for name, (_, at_z, at_a) in ACTIVATIONS.items():
        if name not in (p.activations[layer], "identity"):
            yield f"{symbol_of(name)}′(Z{layer})", at_z(p.Z[layer])
            yield f"{symbol_of(name)}′ from A{layer}", at_a(p.A[layer])
            yield f"{symbol_of(name)}′(A{layer})", at_z(p.A[layer])


def _at_wrong_point(p: Pass, layer: int, dA: Array) -> Yields:
    _, at_z, at_a = ACTIVATIONS[p.activations[layer]]
    symbol = symbol_of(p.activations[layer])
    # The author's dA may carry a sign, and the batch size where 1/m comes in later; a slope is not blind to either.
    m = len(p.Y)
    points = [(f"dA{layer}", dA), (f"m dA{layer}", m * dA), (f"−dA{layer}", -dA), (f"−m dA{layer}", -m * dA)]
    for other in range(p.last + 1):
        if other != layer:
            points += [(f"Z{other}", p.Z[other]), (f"A{other}" if other else "X", p.A[other])]
    yield f"{symbol}′ from Z{layer} for A{layer}", at_a(p.Z[layer])
    for name, point in points:
        if point.shape == dA.shape:
            yield f"{symbol}′({name})", at_z(point)
            yield f"{symbol}′ from {name} for A{layer}", at_a(point)


Slope: TypeAlias = Callable[[Pass, int, Array], Yields]
DERIVATIVES: list[tuple[str | None, Slope]] = [
    (None, _at_z),
    ("missing-activation-derivative", lambda p, layer, dA: iter([("1", np.ones(()))])),
    ("activation-instead-of-derivative", _activation_itself),
    ("derivative-of-activated-value", _at_activated),
    ("derivative-at-wrong-point", _at_wrong_point),
    ("other-activation-derivative", _other_derivative),
]


OF_SLOPES = frozenset(code for code, _ in DERIVATIVES if code) - {"missing-activation-derivative"}


# --- dWl and dbl: which error, which input, and how the two are put together ------------------------------------


def _other_errors(errors: dict[int, Array], layer: int) -> Yields:
    for other, error in errors.items():
        if other != layer:
            yield f"dZ{other}", error


# `errors` holds dZ of each layer that is known, as it was used.
ERRORS: list[tuple[str | None, Callable[[dict[int, Array], int], Yields]]] = [
    (None, lambda errors, layer: iter([(f"dZ{layer}", errors[layer])])),
    ("wrong-layer-error", _other_errors),
]


def _other_inputs(p: Pass, layer: int) -> Yields:
    for other in range(p.last + 1):
        if other != layer - 1:
            yield f"A{other}" if other else "X", p.A[other]


INPUTS: list[tuple[str | None, Callable[[Pass, int], Yields]]] = [
    (None, lambda p, layer: iter([(f"A{layer - 1}" if layer > 1 else "X", p.A[layer - 1])])),
    ("pre-activation-input", lambda p, layer: iter([(f"Z{layer - 1}", p.Z[layer - 1])] if layer > 1 else [])),
    ("wrong-layer-input", _other_inputs),
]


def _elementwise(dZ: Array, A: Array) -> Yields:
    if dZ.shape[1] == A.shape[1] or 1 in (dZ.shape[1], A.shape[1]):
        yield "{dZ} ∘ {A}", dZ * A
        yield "Σ over examples of {dZ} ∘ {A}", (dZ * A).sum(axis=0)


PRODUCTS: list[tuple[str | None, Callable[[Array, Array], Yields]]] = [
    (None, lambda dZ, A: iter([("{dZ}ᵀ {A}", dZ.T @ A)])),
    ("transposed", lambda dZ, A: iter([("({dZ}ᵀ {A})ᵀ", A.T @ dZ)])),
    ("elementwise-product", _elementwise),
]


def _times_pre_activation(dZ: Array, Z: Array) -> Yields:
    for name, factor in (
        ("Σ{Z}", Z.sum()),
        ("(Σ over units of {Z})", Z.sum(axis=1, keepdims=True)),
        ("(Σ over examples of {Z})", Z.sum(axis=0, keepdims=True)),
        ("{Z}", Z),
    ):
        if np.ndim(factor) == 0 or factor.shape[1] in (1, dZ.shape[1]):
            yield "{dZ} · " + name, dZ * factor
            yield "Σ over examples of {dZ} · " + name, (dZ * factor).sum(axis=0)
            yield "Σ over all of {dZ} · " + name, (dZ * factor).sum()


SUMS: list[tuple[str | None, Callable[[Array, Array], Yields]]] = [
    (None, lambda dZ, Z: iter([("Σ over examples of {dZ}", dZ.sum(axis=0))])),
    ("summed-over-all-axes", lambda dZ, Z: iter([("Σ over all of {dZ}", dZ.sum())])),
    ("not-summed", lambda dZ, Z: iter([("{dZ}", dZ)])),  # of one unit, as is the sum over units
    ("summed-over-wrong-axis", lambda dZ, Z: iter([("Σ over units of {dZ}", dZ.sum(axis=1))])),
    ("multiplied-by-pre-activation", _times_pre_activation),
]


# --- constants ---------------------------------------------------------------------------------------------------


SIMPLE_CONSTANTS = ("m", "1/m", "2", "½")


@functools.lru_cache
def constants(m: int, sizes: tuple[int, ...]) -> dict[str, float]:
    """Factors that have a meaning, by name: batch size, classes, features, halves, and what they make together."""
    named = {"1": 1.0, "2": 2.0, "½": 0.5, "4": 4.0, "¼": 0.25}
    for name, value in (("m", m), ("the number of classes", sizes[-1]), ("the number of inputs", sizes[0])):
        short = name if name == "m" else f"({name})"
        named |= {
            name: value, f"1/{short}": 1 / value, f"2/{short}": 2 / value, f"{short}/2": value / 2,
            f"2{short}": 2 * value, f"1/2{short}": 0.5 / value,
        }  # fmt: skip
    k = sizes[-1]
    named |= {
        "m²": m**2, "1/m²": 1 / m**2, "m³": m**3, "1/m³": 1 / m**3,  # a mean that is taken again and again
        "(m · the number of classes)/2": m * k / 2,
        "1/(m · the number of classes)": 1 / (m * k), "2/(m · the number of classes)": 2 / (m * k),
        "m/(the number of classes)": m / k, "(the number of classes)/m": k / m, "m · the number of classes": m * k,
    }  # fmt: skip
    for size in sizes[1:-1]:
        named |= {f"the layer's size {size}": size, f"1/(the layer's size {size})": 1 / size}
    return named


# --- words -------------------------------------------------------------------------------------------------------


class Words(NamedTuple):
    """What is said of a mistake: the idea, and what goes on from it to the formula that belongs there.

    The idea alone is a hint: it says why something is wrong, and no formula that could be written instead.
    """

    idea: str
    formula: str = ""

    @property
    def whole(self) -> str:
        return f"{self.idea}{self.formula}."


# For each code: why the formula is wrong, and what is right. {l} is the layer, {below} and {above} its neighbours,
# {act} its activation, {scale} the constant in words.
WORDS: dict[str, Words] = {
    "missing-output-derivative": Words(
        "the derivative of the output activation {act} is taken as 1. {cross_entropy}The loss here is {loss}, so the "
        "error must still go through the derivative of {act}"
    ),
    "elementwise-softmax-derivative": Words(
        "only the diagonal of softmax's Jacobian is used. Every score moves every output, through the sum in the "
        "denominator, and the entries beside the diagonal are missing",
        ": Ŷ ∘ (1 − Ŷ) is the diagonal of diag(ŷ) − ŷŷᵀ",
    ),
    "scalar-softmax-derivative": Words(
        "the derivative of softmax is used as a single number. It is a matrix for each example, since every score "
        "moves every output",
        ": not s·(1 − s) but diag(ŷ) − ŷŷᵀ",
    ),
    "missing-activation-derivative": Words(
        "the derivative of {act} is left out. What comes back through W{above} belongs to what comes out of the "
        "activation, not yet to what went into it",
        ": to get from ∂loss/∂A{l} to Z{l} it must be multiplied, entry by entry, by {act}′(Z{l})",
    ),
    "activation-instead-of-derivative": Words(
        "the activation {act} is used again where its slope belongs", ": {act}(Z{l}), not {act}′(Z{l})"
    ),
    "derivative-of-activated-value": Words(
        "the derivative of {act} is taken at a value that has been through {act} already",
        ": it is taken at A{l} and belongs at Z{l}",
    ),
    "derivative-at-wrong-point": Words(
        "the derivative of {act} is taken at another quantity than the one that {act} is applied to in this layer",
        "; it belongs at this layer's own Z{l}, or is written in terms of its own A{l}",
    ),
    "extra-activation-derivative": Words(
        "an activation's derivative too many: what is multiplied by it is the error of the last layer's scores already"
    ),
    "other-activation-derivative": Words(
        "this is the derivative of another activation. The forward pass uses {act} in this layer"
    ),
    "weights-not-transposed": Words(
        "W{above} is used the way the forward pass uses it. On the way back each unit collects from all that it fed; "
        "W{above} is square, so NumPy cannot notice",
        ". The transpose belongs here",
    ),
    "weights-already-updated": Words(
        "{weights} been updated already when the error goes back through it. All gradients belong to the weights "
        "that made the prediction",
        ": compute them all first, update then",
    ),
    "transposed": Words(
        "inputs and outputs have changed places",
        ": this is the transpose of the gradient, entry (i, o) where the weights have (o, i)",
    ),
    "pre-activation-input": Words(
        "the input of this layer is taken from before the activation, and the layer was fed what came out of it",
        ": A{below}, not Z{below}",
    ),
    "wrong-layer-input": Words("the input of another layer is used here", "; layer {l} was fed {input}"),
    "elementwise-product": Words(
        "error and input are multiplied entry by entry. Each weight joins one input with one output, so all pairs are "
        "needed",
        ": the outer product, added up over the examples",
    ),
    "summed-over-all-axes": Words(
        "everything is added up to a single number, so all units of the layer get the same step. Each unit has its own "
        "bias",
        ": sum over the examples only",
    ),
    "summed-over-wrong-axis": Words(
        "the sum runs over the units and leaves a number for each example. A bias is shared by the examples",
        ", so it is they that must be added up",
    ),
    "not-summed": Words(
        "there is one column for each example. The bias is shared by all of them",
        ", so their contributions add up",
    ),
    "wrong-layer-error": Words("the error of another layer is used; layer {l} has its own", ", dZ{l}"),
    "multiplied-by-pre-activation": Words(
        "the error is multiplied by Z. The bias enters Z{l} with the factor 1", ", so ∂Z/∂b = 1 and no Z belongs here"
    ),
    "weight-penalty": Words(
        "loss and gradient do not have the same weight penalty", ": one of {scale} · {parameter} is {penalty}"
    ),
    "wrong-scale": Words("right but for a constant factor", ": it is {scale} times what it should be"),
    "wrong-sign": Words("right but for the sign: it points uphill"),
    "zero": Words("it is never computed, or made of what comes to 0"),
    "should-be-zero": Words(
        "the loss does not change with this parameter: the forward pass never uses it, or only to compare",
        ", so its gradient is 0",
    ),
    "stale-gradient": Words(
        "the step adds an array of zeros that no backward pass has filled since it was made: the parameter stays what "
        "it was, and the network never trains"
    ),
    "softmax-over-all-entries": Words(
        "softmax is normalised over the examples of the batch, so that all predictions of a class, or all there are, "
        "sum to 1",
        ": each example's own must",
    ),
    "unknown": Words("no formula of the catalogue gives this", ". {how_far}"),
}

# What stands in the words where no network is at hand: f is a layer's activation.
_ANY = {
    "l": "(l)",
    "above": "(l+1)",
    "weights": "W(l+1) has",
    "act": "f",
    "loss": "not that one",
    "cross_entropy": "What is left is the gradient of another loss: so it trains all the same. ",
}


def idea_of(code: str) -> str:
    """Why a formula of the catalogue is wrong, for any network, in a sentence or two."""
    return WORDS[code].idea.format(**_ANY) + "."


HEADLINES = {
    "right": "✓ right: every gradient is that of the loss",
    "right in part": "✓ right: every gradient that was judged is that of the loss",
    "right-up-to-scale": "≈ right up to a constant that all gradients share",
    "wrong": "✗ wrong",
}


def shape_in_words(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
