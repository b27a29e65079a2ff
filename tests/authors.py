"""Writes NumPy networks as their authors do, in several styles, with any mistake of the catalogue planted in a line."""

import re
from itertools import pairwise

STYLES = ("named", "dict", "class", "update")

# act -> (function of Z, derivative in terms of Z, the same in terms of A)
ACTIVATIONS = {
    "relu": ("np.maximum(0, {Z})", "({Z} > 0)", "({A} > 0)"),
    "sigmoid": (
        "1 / (1 + np.exp(-{Z}))",
        "(1 / (1 + np.exp(-{Z}))) * (1 - 1 / (1 + np.exp(-{Z})))",
        "{A} * (1 - {A})",
    ),
    "tanh": ("np.tanh({Z})", "(1 - np.tanh({Z}) ** 2)", "(1 - {A} ** 2)"),
}
LOSSES = {
    ("softmax", "squared-error"): "np.sum((A{L} - Y) ** 2) / 2",
    ("softmax", "cross-entropy"): "-np.sum(Y * np.log(A{L} + 1e-12))",
    ("sigmoid", "squared-error"): "np.sum((A{L} - Y) ** 2) / 2",
    ("sigmoid", "binary-cross-entropy"): "-np.sum(Y * np.log(A{L}) + (1 - Y) * np.log(1 - A{L}))",
}


def formulas(columns, L, hidden, output, loss, plan):
    """The backward pass as (quantity, expression) pairs; dA lines are no quantity. None where a plan cannot be kept."""
    axis, across = (1, 0) if columns else (0, 1)

    def matmul(first, second):  # in columns as written; in rows the transposes trade places
        return f"np.dot({first}, {second})" if columns else f"np.dot({second}, {first})"

    Y_hat, E = f"A{L}", f"(A{L} - Y)"
    lines = []
    codes = plan.get(f"dZ{L}", ())
    jacobian = f"{Y_hat} * ({E} - np.sum({E} * {Y_hat}, axis={across}, keepdims=True))"
    right = E if loss != "squared-error" else jacobian if output == "softmax" else f"{E} * {Y_hat} * (1 - {Y_hat})"
    if "missing-output-derivative" in codes:
        if loss != "squared-error":
            return None
        right = E
    if "elementwise-softmax-derivative" in codes:
        if output != "softmax":
            return None
        right = f"{E} * {Y_hat} * (1 - {Y_hat})"
    if "scalar-softmax-derivative" in codes:
        if output != "softmax":
            return None
        right = f"{E} * np.sum({Y_hat} * (1 - {Y_hat}), axis={across}, keepdims=True)"
    if "extra-activation-derivative" in codes:
        if output != "softmax" or hidden == "sigmoid":
            return None
        right = f"{right} * {ACTIVATIONS[hidden][1].format(Z=f'Z{L}')}"
    if "wrong-scale" in codes:
        right = f"2 * {right}"
    if "wrong-sign" in codes:
        right = f"-({right})"
    lines.append((f"dZ{L}", right))
    for layer in range(L, 0, -1):
        A = f"A{layer - 1}" if layer > 1 else "X"
        codes = plan.get(f"dW{layer}", ())
        dZ = f"dZ{layer}"
        if "pre-activation-input" in codes:
            if layer == 1:
                return None
            A = f"Z{layer - 1}"
        expression = f"{matmul(dZ, A + '.T') if columns else matmul(dZ, A + '.T').replace(A + '.T', A + '.T')} / m"
        if "wrong-scale" in codes:
            expression = expression.removesuffix(" / m")
        if "wrong-sign" in codes:
            expression = f"-{expression}"
        if "weight-penalty" in codes:
            expression += f" + 0.1 * W{layer}"
        if "transposed" in codes:
            expression = f"({expression}).T"
        if "zero" in codes:
            expression = f"np.zeros(W{layer}.shape)"
        lines.append((f"dW{layer}", expression))
        codes = plan.get(f"db{layer}", ())
        if "wrong-layer-error" in codes:
            if layer == L:
                return None
            dZ = f"dZ{L}"
        expression = f"np.sum({dZ}, axis={axis}, keepdims=True) / m"
        if "summed-over-all-axes" in codes:
            expression = f"1 / m * np.sum({dZ})"
        if "summed-over-wrong-axis" in codes:
            expression = f"np.sum({dZ}, axis={across}, keepdims=True) / m"
        if "not-summed" in codes:
            expression = f"{dZ} / m"
        if "multiplied-by-pre-activation" in codes:
            expression = f"{dZ} * np.sum(Z{layer}) / m"
        if "wrong-scale" in codes:
            expression = expression.replace(" / m", "").replace("1 / m * ", "")
        if "wrong-sign" in codes:
            expression = f"-{expression}"
        if "zero" in codes:
            expression = f"np.zeros(b{layer}.shape)"
        lines.append((f"db{layer}", expression))
        if layer > 1:
            below = layer - 1
            codes = plan.get(f"dZ{below}", ())
            lines.append((f"dA{below}", matmul(f"W{layer}.T", f"dZ{layer}")))
            _, at_z, at_a = ACTIVATIONS[hidden]
            slope = at_a.format(A=f"A{below}")
            if "activation-instead-of-derivative" in codes:
                slope = f"A{below}"
            if "derivative-of-activated-value" in codes:
                slope = at_z.format(Z=f"A{below}")
            if "derivative-at-wrong-point" in codes:
                if hidden != "relu":
                    return None
                slope = f"(dA{below} > 0)"
            if "other-activation-derivative" in codes:
                slope = ACTIVATIONS["tanh" if hidden != "tanh" else "sigmoid"][2].format(A=f"A{below}")
            expression = f"dA{below}" if "missing-activation-derivative" in codes else f"dA{below} * {slope}"
            if "wrong-scale" in codes:
                expression = f"{expression} / m"
            if "wrong-sign" in codes:
                expression = f"-({expression})"
            lines.append((f"dZ{below}", expression))
    return lines


def write(style, columns, sizes, hidden, output, loss, plan, with_loss=True):
    """(the file's text, the line of each quantity), or None where the plan cannot be kept."""
    L = len(sizes) - 1
    backward = formulas(columns, L, hidden, output, loss, plan)
    if backward is None:
        return None
    axis = 0 if columns else 1
    function = ACTIVATIONS[hidden][0]
    forward = []
    for layer in range(1, L + 1):
        A = f"A{layer - 1}" if layer > 1 else "X"
        forward.append(
            f"Z{layer} = np.dot(W{layer}, {A}) + b{layer}"
            if columns
            else f"Z{layer} = np.dot({A}, W{layer}) + b{layer}"
        )
        last = "softmax(Z{Z})" if output == "softmax" else "1 / (1 + np.exp(-Z{Z}))"
        forward.append(f"A{layer} = {last.format(Z=layer) if layer == L else function.format(Z=f'Z{layer}')}")
    parameters = [f"{p}{layer}" for layer in range(1, L + 1) for p in "Wb"]
    cached = [f"{q}{layer}" for layer in range(1, L + 1) for q in "ZA"]
    text = ["import numpy as np", "", "", "def softmax(Z):"]
    all_of_it = "softmax-over-all-entries" in plan.get("forward", ())
    text.append(
        "    e = np.exp(Z - np.max(Z))" if all_of_it else f"    e = np.exp(Z - np.max(Z, axis={axis}, keepdims=True))"
    )
    text.append("    return e / np.sum(e)" if all_of_it else f"    return e / np.sum(e, axis={axis}, keepdims=True)")
    lines = {"forward": len(text)} if all_of_it else {}
    text += ["", ""]
    shapes = [(o, i) if columns else (i, o) for i, o in pairwise(sizes)]
    bias_shapes = [(o, 1) if columns else (1, o) for o in sizes[1:]]
    m = "X.shape[1]" if columns else "X.shape[0]"
    cost = LOSSES[output, loss].format(L=L) + " / m"

    def emit(indent, statements):
        for name, statement in statements:
            text.append(" " * indent + statement)
            if name:
                lines[name] = len(text)

    made = [
        (None, f"{p}{k + 1} = np.random.randn{s[k]} * 0.1")
        for k in range(L)
        for p, s in (("W", shapes), ("b", bias_shapes))
    ]
    if style in ("named", "dict"):
        text.append("def init_params():")
        emit(4, made)
        pack = "return " + ", ".join(parameters)
        if style == "dict":
            pack = "return {" + ", ".join(f'"{p}": {p}' for p in parameters) + "}"
        emit(4, [(None, pack)])
        text += ["", ""]
    unpack = [(None, f'{p} = parameters["{p}"]') for p in parameters]
    work = [(q if q[1] != "A" else None, f"{q} = {expression}") for q, expression in backward]
    gradients = [f"d{p}" for p in parameters]
    if style == "named":
        text.append(f"def forward_prop({', '.join(parameters)}, X):")
        emit(4, [(None, line) for line in forward] + [(None, "return " + ", ".join(cached))])
        text += ["", "", f"def back_prop({', '.join(cached)}, {', '.join(parameters)}, X, Y):"]
        emit(4, [(None, f"m = {m}"), *work, (None, "return " + ", ".join(gradients))])
    elif style == "dict":
        text.append("def forward_propagation(X, parameters):")
        emit(4, [*unpack, *((None, line) for line in forward)])
        emit(4, [(None, "cache = {" + ", ".join(f'"{c}": {c}' for c in cached) + "}"), (None, f"return A{L}, cache")])
        text += ["", "", "def backward_propagation(parameters, cache, X, Y):"]
        emit(4, [(None, f"m = {m}"), *unpack, *((None, f'{c} = cache["{c}"]') for c in cached), *work])
        emit(4, [(None, "return {" + ", ".join(f'"{g}": {g}' for g in gradients) + "}")])
    else:
        text += ["class NeuralNetwork:", "    def __init__(self, learning_rate=0.1):"]
        emit(8, [(None, f"self.{line}") for _, line in made] + [(None, "self.learning_rate = learning_rate")])
        text += ["", "    def forward(self, X):"]

        def of_self(line, names):
            for name in names:
                line = line.replace(name, f"self.{name}")
            return line

        own = parameters + cached
        emit(8, [(None, of_self(line, own)) for line in forward] + [(None, f"return self.A{L}")])
        text += ["", "    def backward(self, X, Y):"]

        def rename(line):
            return re.sub(rf"(?<![\w.])({'|'.join(own)})(?!\w)", r"self.\1", line)

        emit(8, [(None, f"m = {m}"), *((name, rename(line)) for name, line in work)])
        if style == "class":
            emit(8, [(None, "return " + ", ".join(gradients))])
        else:
            emit(8, [(None, f"self.{p} -= self.learning_rate * d{p}") for p in parameters])
    if with_loss:
        if style in ("named", "dict"):
            text += ["", "", f"def compute_loss(A{L}, Y):"]
            emit(4, [(None, f"m = {m.replace('X', 'Y')}"), (None, f"return {cost}")])
        else:
            text += ["", "    def loss(self, X, Y):", f"        A{L} = self.forward(X)"]
            emit(8, [(None, f"m = {m}"), (None, f"return {cost}")])
    return "\n".join(text) + "\n", lines
