"""A hand-written backward pass into which any mistakes of the catalogue can be planted, independent of jaxnet.compare.

Rows, weights (o, i). A plan maps a quantity (dZ2, dW1, db2, forward) to the codes planted there.
"""

from itertools import chain, pairwise

import numpy as np

from jaxnet import backprop

FUNCTION = {name: pair[0] for name, pair in backprop.ACTIVATIONS.items()}
SLOPE = {name: pair[1] for name, pair in backprop.ACTIVATIONS.items()}
# Mistakes that can be made at each kind of quantity. Of one row only one can be made at a time.
SLOTS = {
    "output": [
        ["missing-output-derivative", "elementwise-softmax-derivative", "scalar-softmax-derivative"],
        ["extra-activation-derivative"],
        ["wrong-sign"],
        ["wrong-scale"],
        ["zero"],
    ],
    "dZ": [
        [
            "missing-activation-derivative",
            "activation-instead-of-derivative",
            "derivative-of-activated-value",
            "derivative-at-wrong-point",
            "other-activation-derivative",
        ],
        ["weights-not-transposed", "missing-output-derivative"],
        ["weights-already-updated"],
        ["wrong-sign"],
        ["wrong-scale"],
        ["zero"],
    ],
    "dW": [
        ["wrong-layer-error"],
        ["pre-activation-input", "wrong-layer-input"],
        ["elementwise-product", "transposed", "weight-penalty"],
        ["wrong-sign"],
        ["wrong-scale"],
        ["zero"],
    ],
    "db": [
        ["wrong-layer-error"],
        ["summed-over-all-axes", "summed-over-wrong-axis", "not-summed", "multiplied-by-pre-activation"],
        ["wrong-sign"],
        ["wrong-scale"],
        ["zero"],
    ],
}


def draw_plan(random, layers, mistakes, one_quantity=False):
    """So many mistakes at random, at different quantities or all at one, none of which excludes another."""
    quantities = [f"{kind}{layer}" for layer in range(1, layers + 1) for kind in ("dZ", "dW", "db")]
    plan = {}
    if one_quantity:
        quantity = str(random.choice(quantities))
        slots = SLOTS["output" if quantity == f"dZ{layers}" else quantity[:2]][:-1]
        chosen = random.choice(len(slots), min(mistakes, len(slots)), replace=False)
        plan[quantity] = tuple(str(random.choice(slots[k])) for k in chosen)
    else:
        for quantity in random.choice(quantities, min(mistakes, len(quantities)), replace=False):
            slots = SLOTS["output" if quantity == f"dZ{layers}" else quantity[:2]]
            slots = slots if mistakes == 1 else slots[:-1]
            plan[str(quantity)] = (str(random.choice(list(chain(*slots)))),)
    return plan


def make_network(random, sizes, m):
    params = [(random.normal(size=(o, i)) / np.sqrt(i), random.normal(size=o) / 2) for i, o in pairwise(sizes)]
    X = random.normal(size=(m, sizes[0]))
    labels = random.permutation(np.arange(m) % max(sizes[-1], 2))
    Y = np.eye(sizes[-1])[labels] if sizes[-1] > 1 else labels[:, None].astype(float)
    return params, X, Y


def backward(params, X, Y, hidden, output, loss, plan, seed=0):
    """The gradient with the planted mistakes, [(dW, db), …], or None where a mistake cannot be made here."""

    def draws(quantity):
        """A mistake that can be made in several ways is made in the same one whatever else is planted."""
        return np.random.default_rng((seed, *quantity.encode()))

    L, m = len(params), len(X)
    W = [None, *(w for w, _ in params)]
    Z, A = [None], [X]
    for layer, (w, b) in enumerate(params, start=1):
        Z.append(A[-1] @ w.T + b)
        name = output if layer == L else hidden
        A.append(backprop.softmax(Z[-1]) if name == "softmax" else FUNCTION[name](Z[-1]))
    if "softmax-over-all-entries" in plan.get("forward", ()):
        if output != "softmax":
            return None
        A[L] = np.exp(Z[L]) / np.exp(Z[L]).sum(axis=draws("forward").choice([None, 0]))
    codes, random = plan.get(f"dZ{L}", ()), draws(f"dZ{L}")
    E, S = A[L] - Y, A[L]
    if "elementwise-softmax-derivative" in codes:
        if output != "softmax":
            return None
        dZ = E * S * (1 - S)
    elif "scalar-softmax-derivative" in codes:
        if output != "softmax":
            return None
        dZ = E * (S * (1 - S)).sum(axis=1 if random.random() < 0.5 else None, keepdims=True)
    elif "missing-output-derivative" in codes:
        if loss != "squared-error" or output == "identity":
            return None
        dZ = E.copy()
    else:
        dZ = backprop.output_error(Z[L], A[L], Y, output, loss)
    if "extra-activation-derivative" in codes:
        if hidden == "identity" or output not in ("softmax", "identity"):
            return None
        dZ = dZ * SLOPE[hidden](Z[L])
    dZ = _constant(dZ / m, codes, random, m)
    errors, before_slope = {L: dZ}, {L: E / m}
    gradients = {}

    def gradient(layer):
        """dW of a layer once all errors are known (another layer's may be wanted)."""
        codes, random = plan.get(f"dW{layer}", ()), draws(f"dW{layer}")
        error, inputs = errors[layer], A[layer - 1]
        if "wrong-layer-error" in codes:
            others = [k for k in errors if k != layer and errors[k].shape == errors[layer].shape]
            if not others:
                return None
            error = errors[random.choice(others)]
        if "pre-activation-input" in codes:
            if layer == 1:
                return None
            inputs = Z[layer - 1]
        if "wrong-layer-input" in codes:
            others = [k for k in range(L + 1) if k != layer - 1 and A[k].shape == inputs.shape]
            if not others:
                return None
            inputs = A[random.choice(others)]
        if "elementwise-product" in codes:
            if error.shape[1] != inputs.shape[1]:
                return None
            dW = error * inputs
            dW = dW.sum(axis=0) if random.random() < 0.5 else dW
        else:
            dW = error.T @ inputs
        if "weight-penalty" in codes:
            if dW.shape != W[layer].shape:
                return None
            dW = dW + random.choice([0.01, 0.1, 1.0]) * W[layer]
        if "transposed" in codes:
            dW = dW.T
        return _constant(dW, codes, random, m)

    for layer in range(L - 1, 0, -1):
        codes, random = plan.get(f"dZ{layer}", ()), draws(f"dZ{layer}")
        weights = W[layer + 1]
        if "weights-already-updated" in codes:
            above = gradient(layer + 1)
            if above is None or above.shape != weights.shape:
                return None
            gradients[layer + 1] = above
            weights = weights - random.choice([0.1, 0.5]) * above
        if "weights-not-transposed" in codes:
            if weights.shape[0] != weights.shape[1]:
                return None
            weights = weights.T
        dA = errors[layer + 1] @ weights
        if "missing-output-derivative" in codes:  # of the layer above
            if layer + 1 < L or loss != "squared-error" or output == "identity":
                return None
            dA = before_slope[L] @ weights
        before_slope[layer] = dA
        slope = SLOPE[hidden](Z[layer])
        if "missing-activation-derivative" in codes and layer + 1 < L and random.random() < 0.5:
            dA = before_slope[layer] = before_slope[layer + 1] @ weights  # that of the layer above
        elif "missing-activation-derivative" in codes:
            slope = 1
        elif "activation-instead-of-derivative" in codes:
            slope = A[layer]
        elif "derivative-of-activated-value" in codes:
            slope = SLOPE[hidden](A[layer])
        elif "derivative-at-wrong-point" in codes:
            points = [dA] + [Z[k] for k in range(1, L + 1) if k != layer and Z[k].shape == dA.shape]
            slope = SLOPE[hidden](points[random.integers(len(points))])
        elif "other-activation-derivative" in codes:
            slope = SLOPE[random.choice([n for n in SLOPE if n not in (hidden, "identity")])](Z[layer])
        errors[layer] = _constant(dA * slope, codes, random, m)
    for layer in range(1, L + 1):
        if layer not in gradients:
            gradients[layer] = gradient(layer)
        if gradients[layer] is None:
            return None
        codes, random = plan.get(f"db{layer}", ()), draws(f"db{layer}")
        error = errors[layer]
        if "wrong-layer-error" in codes:
            others = [k for k in errors if k != layer]
            if not others:
                return None
            error = errors[random.choice(others)]
        if "summed-over-all-axes" in codes:
            db = error.sum()
        elif "summed-over-wrong-axis" in codes:
            db = error.sum(axis=1)
        elif "not-summed" in codes:
            db = error
        elif "multiplied-by-pre-activation" in codes:
            if error.shape != Z[layer].shape:
                return None
            db = error * Z[layer].sum() if random.random() < 0.5 else error.T @ Z[layer].sum(axis=1)
        else:
            db = error.sum(axis=0)
        gradients[layer] = gradients[layer], _constant(np.asarray(db), codes, random, m)
    return [gradients[layer] for layer in range(1, L + 1)]


def _constant(array, codes, random, m):
    if "zero" in codes:
        array = np.zeros_like(array)
    if "wrong-sign" in codes:
        array = -array
    if "wrong-scale" in codes:
        array = array * random.choice([2.0, 0.5, m, 1 / m])
    return array
