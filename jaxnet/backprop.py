"""The gradient of a dense network by hand, in NumPy alone: what `jax.grad` is compared with.

The symbols are the notebook's, its mistakes are not. One departure: a batch is rows, X (m, i), so each formula
is the transpose of the notebook's. ∘ multiplies entry by entry; D in front of a quantity is ∂loss/∂quantity and
has the quantity's shape.

Forward
    Aₗ₋₁ (m, i), A₀ = X          the layer's inputs
    Zₗ = Aₗ₋₁ Wₗᵀ + bₗ   (m, o)  every example's scores; Wₗ (o, i), bₗ (o,)
    Aₗ = act(Zₗ)         (m, o)  act is relu, say
    Ŷ  = out(Z_L)        (m, o)  out is softmax, say; L is the last layer
    loss = 1/m Σ over examples of ℓ(Ŷ, Y)

1. The mean. Each example's ℓ enters the loss divided by m. That 1/m is put in once, into DZ_L, and the chain
   rule carries it into all that follows; it appears nowhere else.

2. The output. Example by example, ∂ℓ/∂zⱼ = Σₖ ∂ℓ/∂ŷₖ ∂ŷₖ/∂zⱼ. The squared error ℓ = ½ Σₖ (ŷₖ − yₖ)² has
   ∂ℓ/∂ŷₖ = ŷₖ − yₖ.
   - out acts on each score alone (sigmoid, tanh, identity): only k = j is left, DZ_L = (Ŷ − Y) ∘ out′(Z_L) / m.
   - out is softmax, ŷₖ = e^zₖ / Σₙ e^zₙ: each score moves every ŷ, through the sum in the denominator.
     The quotient rule gives the Jacobian  ∂ŷₖ/∂zⱼ = ŷₖ (δₖⱼ − ŷⱼ),  in matrix form diag(ŷ) − ŷ ŷᵀ. With it
     ∂ℓ/∂zⱼ = Σₖ (ŷₖ − yₖ) ŷₖ (δₖⱼ − ŷⱼ) = ŷⱼ ((ŷⱼ − yⱼ) − Σₖ (ŷₖ − yₖ) ŷₖ):
         DZ_L = Ŷ ∘ ((Ŷ − Y) − Σ over classes of (Ŷ − Y) ∘ Ŷ) / m
   - cross-entropy with softmax, ℓ = −Σₖ yₖ log ŷₖ: ∂ℓ/∂ŷₖ = −yₖ/ŷₖ, so
     ∂ℓ/∂zⱼ = −Σₖ yₖ (δₖⱼ − ŷⱼ) = ŷⱼ Σₖ yₖ − yⱼ, and as y sums to 1, DZ_L = (Ŷ − Y) / m.
   - binary cross-entropy with sigmoid, ℓ = −Σₖ [yₖ log ŷₖ + (1 − yₖ) log(1 − ŷₖ)]:
     ∂ℓ/∂ŷ = (ŷ − y) / (ŷ (1 − ŷ)), and σ′ = ŷ (1 − ŷ) cancels it: DZ_L = (Ŷ − Y) / m again.

3. The weights. For one example zⱼ = Σᵢ wⱼᵢ aᵢ + bⱼ, so ∂zⱼ/∂wⱼᵢ = aᵢ and ∂ℓ/∂wⱼᵢ = (∂ℓ/∂zⱼ) aᵢ: all pairs of an
   output and an input, the outer product of dz and a, not an entrywise product. The loss adds up over the
   examples, and the sum of their outer products is one matrix product:  DWₗ = DZₗᵀ Aₗ₋₁  (o, m)(m, i) = (o, i).

4. The biases. ∂zⱼ/∂bⱼ = 1. One bias serves every example, so their contributions add up:
   Dbₗ = Σ over examples of DZₗ  (o,). (No Z appears: the notebook multiplied by ΣZ.)

5. The layer below. Input aᵢ reaches the loss through every output j: ∂ℓ/∂aᵢ = Σⱼ (∂ℓ/∂zⱼ) wⱼᵢ, that is
   DAₗ₋₁ = DZₗ Wₗ  (m, o)(o, i) = (m, i), and as act works entry by entry, DZₗ₋₁ = DAₗ₋₁ ∘ act′(Zₗ₋₁).
   Then again from 3, until the first layer.

The notebook's two questions
    What should `softmax_deriv` be? Not sm.dot(1 − sm), which is one number; nor sm ∘ (1 − sm), which is the
    Jacobian's diagonal alone. It is the matrix diag(ŷ) − ŷ ŷᵀ, which `softmax_jacobian` writes out.
    What does "1" compute, and why does it work? With the Jacobian taken as 1, DZ_L = Ŷ − Y: that is exactly the
    gradient of another loss, the cross-entropy (2., third case). Descending it is sound, and here even faster:
    where the softmax saturates on a wrong class the true squared-error gradient vanishes, since Ŷ ∘ (…) → 0,
    while Ŷ − Y stays near 1. The reported squared error falls as well, as both losses are least at Ŷ = Y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray
Pairs: TypeAlias = list[tuple[Array, Array]]


def sigmoid(Z: Array) -> Array:
    """1 / (1 + e^−z), as (1 + tanh(z/2)) / 2, which cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * Z))


def softmax(Z: Array) -> Array:
    """e^z / Σ e^z for each row; the row's maximum is subtracted first, so that e^z cannot overflow."""
    exponentials = np.exp(Z - Z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def softmax_jacobian(Y_hat: Array) -> Array:
    """∂ŷₖ/∂zⱼ = ŷₖ (δₖⱼ − ŷⱼ) for each example: (m, o) → (m, o, o)."""
    return Y_hat[:, :, None] * (np.eye(Y_hat.shape[1], dtype=Y_hat.dtype) - Y_hat[:, None, :])


# Each activation with its derivative, both functions of Z. At 0, relu and leaky_relu take the negative side.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "relu": (lambda Z: np.maximum(Z, 0), lambda Z: (Z > 0).astype(Z.dtype)),
    "leaky_relu": (lambda Z: np.where(Z > 0, Z, 0.01 * Z), lambda Z: np.where(Z > 0, 1, 0.01).astype(Z.dtype)),
    "tanh": (np.tanh, lambda Z: 1 - np.tanh(Z) ** 2),
    "sigmoid": (sigmoid, lambda Z: sigmoid(Z) * (1 - sigmoid(Z))),
    "identity": (lambda Z: Z, np.ones_like),
}


def forward(params: Sequence, X: Array, hidden: str = "relu", output: str = "softmax"):
    """The forward pass, all of it kept: (Z₁ … Z_L, A₀ … A_{L−1}, Ŷ).

    params is a sequence of (weights (o, i), biases (o,)); X is (m, i).
    """
    A, Z = [X], []
    for W, b in params:
        Z.append(A[-1] @ W.T + b)
        A.append(ACTIVATIONS[hidden][0](Z[-1]))
    Y_hat = softmax(Z[-1]) if output == "softmax" else ACTIVATIONS[output][0](Z[-1])
    return Z, A[:-1], Y_hat


def output_error(Z: Array, Y_hat: Array, Y: Array, output: str, loss: str) -> Array:
    """∂ℓ/∂Z_L for each example, derivation 2: (m, o). ValueError for a pair that does not go together."""
    match loss, output:
        case ("cross-entropy", "softmax") | ("binary-cross-entropy", "sigmoid"):
            return Y_hat - Y
        case "squared-error", "softmax":
            DY_hat = Y_hat - Y
            return Y_hat * (DY_hat - (DY_hat * Y_hat).sum(axis=1, keepdims=True))
        case "squared-error", "sigmoid" | "tanh" | "identity":
            return (Y_hat - Y) * ACTIVATIONS[output][1](Z)
    raise ValueError(f"no hand-written gradient of {loss} with output {output}")


def backward(
    params: Sequence, X: Array, Y: Array, hidden: str = "relu", output: str = "softmax", loss: str = "squared-error"
) -> Pairs:
    """The gradient of the mean loss: (DW (o, i), Db (o,)) for each layer, first layer first.

    X (m, i), Y (m, o) with rows that sum to 1 for cross-entropy. Raises ValueError for a pair of output and
    loss that does not go together.
    """
    m = len(X)
    Z, A, Y_hat = forward(params, X, hidden, output)
    DZ = output_error(Z[-1], Y_hat, Y, output, loss) / m
    gradients: Pairs = []
    for layer in reversed(range(len(params))):
        DW = DZ.T @ A[layer]
        Db = DZ.sum(axis=0)
        gradients.append((DW, Db))
        if layer > 0:
            DA = DZ @ params[layer][0]
            DZ = DA * ACTIVATIONS[hidden][1](Z[layer - 1])
    return gradients[::-1]
