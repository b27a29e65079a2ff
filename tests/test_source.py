"""An author's file is read, run and recorded: parameters, gradients, the traced functions, the lines."""

from __future__ import annotations

import json
import textwrap

import jax
import numpy as np
import pytest
from author_files import FILES

from jaxnet.compare.source import observe

pytestmark = pytest.mark.usefixtures("float64")

ACTIVATIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: z > 0),
    "leaky": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "identity": (lambda z: z, np.ones_like),
}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def rows(array, layout):
    return array.T if layout == "columns" else array


def reference(call, layout, hidden, output, loss, decay=0.0):
    """Mean loss, prediction (m, o), gradients (W as (o, i), b as (o,)): from the parameters alone."""
    X, Y = rows(call.inputs, layout), rows(call.targets, layout)
    weights = [w for name, w in call.parameters.items() if name[0] == "W"]
    sizes = [X.shape[1]]
    for k, w in enumerate(weights):
        weights[k] = w if w.shape[1] == sizes[-1] else w.T
        sizes.append(len(weights[k]))
    biases = [call.parameters.get(f"b{k}", np.zeros(o)).reshape(-1) for k, o in enumerate(sizes[1:], 1)]
    A, Z = [X], []
    for k, (w, b) in enumerate(zip(weights, biases, strict=True), 1):
        Z.append(A[-1] @ w.T + b)
        name = hidden if k < len(weights) else output
        A.append(softmax(Z[-1]) if name == "softmax" else ACTIVATIONS[name][0](Z[-1]))
    if loss == "squared-error":
        value = 0.5 * np.sum((A[-1] - Y) ** 2)
        delta = (A[-1] - Y) * ACTIVATIONS[output][1](Z[-1])
    elif loss == "binary-cross-entropy":
        value, delta = -np.sum(Y * np.log(A[-1]) + (1 - Y) * np.log(1 - A[-1])), A[-1] - Y
    else:
        p = softmax(A[-1]) if loss == "softmax-cross-entropy" else A[-1]
        value, delta = -np.sum(Y * np.log(p)), p - Y
    m, gradients = len(X), {}
    for k in range(len(weights), 0, -1):
        gradients[f"W{k}"] = (delta.T @ A[k - 1] + decay * weights[k - 1]) / m
        gradients[f"b{k}"] = delta.sum(axis=0) / m
        if k > 1:
            delta = delta @ weights[k - 1] * ACTIVATIONS[hidden][1](Z[k - 2])
    value += decay / 2 * sum(np.sum(w**2) for w in weights)
    return value / m, A[-1], gradients


def write(folder, code, name="net.py"):
    path = folder / name
    path.write_text(textwrap.dedent(code))
    return path


def close(a, b, tolerance=1e-10):
    return np.shape(a) == np.shape(b) and np.max(np.abs(a - b)) <= tolerance * max(np.max(np.abs(b)), 1e-3)


@pytest.mark.parametrize("name", FILES)
def test_right_code_gives_the_gradients_of_an_independent_computation(name, tmp_path):
    file = FILES[name]
    seen = observe(write(tmp_path, file.code))
    assert seen.layout == file.layout
    assert seen.updated_in_place == file.in_place
    assert len(seen.calls) >= 2
    for call in seen.calls:
        assert list(call.parameters) == list(call.gradients) == file.parameters.split()
        value, prediction, gradients = reference(call, file.layout, file.hidden, file.output, file.loss, file.decay)
        assert close(rows(call.prediction, seen.layout), prediction)
        factor = file.factor(len(prediction))
        for parameter, gradient in call.gradients.items():
            right = gradients[parameter] * factor
            given = gradient.reshape(-1) if parameter[0] == "b" else gradient
            given = given if given.shape == right.shape else given.T
            assert gradient.shape == call.parameters[parameter].shape
            assert close(given, right), parameter
        assert (call.loss is not None) == file.has_loss
        if call.loss is not None:
            assert call.loss == pytest.approx(value * factor, rel=1e-9)


@pytest.mark.parametrize("name", FILES)
def test_the_same_code_runs_under_jax(name, tmp_path):
    file = FILES[name]
    seen = observe(write(tmp_path, file.code))
    call = seen.calls[1]
    shifted = {n: p + 0.1 * np.arange(p.size).reshape(p.shape) / p.size for n, p in call.parameters.items()}
    _, prediction, _ = reference(call._replace(parameters=shifted), file.layout, file.hidden, file.output, file.loss)
    assert close(rows(seen.predict_numpy(1, shifted), seen.layout), prediction)
    if not file.traces and seen.loss is None:
        with pytest.raises(Exception, match=r"immutable|[Tt]rac"):
            jax.jit(lambda p: seen.predict(1, p))(shifted)
        return
    assert close(rows(np.asarray(jax.jit(lambda p: seen.predict(1, p))(shifted)), seen.layout), prediction)
    assert (seen.loss is not None) == file.has_loss
    if seen.loss is None or not file.traces:
        return
    loss, gradients = jax.jit(jax.value_and_grad(lambda p: seen.loss(1, p)))(call.parameters)
    assert float(loss) == pytest.approx(call.loss, rel=1e-12)
    assert call.loss == seen.loss_numpy(1, call.parameters)
    for parameter, gradient in gradients.items():
        assert close(np.asarray(gradient), call.gradients[parameter], 1e-9), parameter


# ----------------------------------------------------------------------------------------------------------- what it is


def test_numbers_of_examples_and_sizes_differ_where_the_code_lets_them(tmp_path):
    first, second = observe(write(tmp_path, FILES["list of pairs"].code)).calls
    sizes = [*first.inputs.shape, *(w.shape[0] for n, w in first.parameters.items() if n[0] == "W")]
    assert len(set(sizes)) == len(sizes)
    assert first.inputs.shape[1] != second.inputs.shape[1]
    assert np.all(first.targets.sum(axis=1) >= 1), "every class occurs"


def test_images_are_mostly_dark(tmp_path):
    call = observe(write(tmp_path, FILES["kaggle digits"].code)).calls[0]
    assert call.inputs.shape[0] == 784
    assert 0 <= call.inputs.min() < call.inputs.max() <= 1
    assert 0.1 < np.mean(call.inputs > 0) < 0.3


def test_says_what_the_author_calls_the_parameters_and_functions(tmp_path):
    seen = observe(write(tmp_path, FILES["class with lists"].code))
    assert seen.names["W2"] == "self.weights[1]"
    assert seen.roles == {"forward": "DeepNet.forward", "backward": "DeepNet.backward", "loss": "DeepNet.cross_entropy"}
    assert observe(write(tmp_path, FILES["course, two layers"].code)).names["b1"] == "parameters['b1']"


def test_the_authors_prints_and_random_state_do_not_show(tmp_path, capsys):
    state = np.random.get_state()[1].copy()
    observe(write(tmp_path, FILES["kaggle digits"].code.replace("    m, n", "    print('!')\n    m, n")))
    observe(write(tmp_path, FILES["vectors"].code.replace("    h, y_hat", "    print('!'); h, y_hat")))
    assert capsys.readouterr() == ("", "")
    assert np.array_equal(state, np.random.get_state()[1])


def test_nothing_but_definitions_is_run(tmp_path):
    code = """
        import sys, os
        import numpy as np
        import tensorflow as tf
        from sklearn.datasets import load_digits
        open(__file__ + ".ran", "w").close()
        X, y = load_digits(return_X_y=True)
        np.loadtxt("missing.csv")
        sys.exit(3)
        while True:
            pass
    """
    path = write(tmp_path, textwrap.dedent(code) + FILES["no initialiser, rows"].code)
    assert len(observe(path).calls) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_functions_of_a_file_beside_it_and_scipy_are_there(tmp_path):
    write(tmp_path, "import scipy.special\ndef sigmoid(z): return scipy.special.expit(z)", "activations.py")
    code = """
        import numpy as np
        from activations import sigmoid
        from plots import show
        def forward(X, W, b): return sigmoid(X @ W + b)
        def backward(X, Y, Y_hat): return X.T @ (Y_hat - Y), (Y_hat - Y).sum(axis=0)
    """
    seen = observe(write(tmp_path, code))
    call = seen.calls[0]
    _, prediction, gradients = reference(call, "rows", "", "sigmoid", "binary-cross-entropy")
    assert close(call.prediction, prediction)
    assert close(call.gradients["b1"], gradients["b1"] * len(prediction))
    assert close(np.asarray(seen.predict(0, call.parameters)), prediction)


# ---------------------------------------------------------------------------------------------------------------- lines


def lines_of(seen, assignments):
    return {a.expression: seen.lines[a.cell, a.line] for a in assignments}


def test_assignments_have_their_lines(tmp_path):
    code = FILES["course, two layers"].code
    seen = observe(write(tmp_path, code))
    call = seen.calls[0]
    of = lines_of(seen, call.backward_assignments)
    assert of["dZ1"] == "dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))"
    assert of["grads['db2']"] == '"db2": db2}', "an element of a display has its own line"
    found = {a.expression: a for a in call.backward_assignments}
    assert code.splitlines()[found["db2"].line - 1].strip().startswith("db2 = ")
    assert found["db2"].function == "backward_propagation"
    assert found["db2"].cell is None
    assert found["dW1"].value.dtype == np.float64
    assert np.array_equal(found["dW1"].value, call.gradients["W1"])
    assert [a.expression for a in call.forward_assignments if a.function == "sigmoid"] == ["return"]


def test_changes_in_place_are_assignments(tmp_path):
    seen = observe(write(tmp_path, FILES["course, L layers"].code))
    in_helper = [a for a in seen.calls[0].backward_assignments if a.function == "relu_backward"]
    texts = [seen.lines[a.cell, a.line] for a in in_helper]
    assert "dZ[Z <= 0] = 0" in texts
    own = [a for a in seen.calls[0].backward_assignments if a.function == "L_model_backward"]
    assert [a.expression for a in own if "dW" in a.expression] == [
        "dW_temp", "grads['dW3']", "dW_temp", "grads['dW2']", "dW_temp", "grads['dW1']",
    ]  # fmt: skip
    seen = observe(write(tmp_path, FILES["train does all"].code))
    of = lines_of(seen, seen.calls[0].backward_assignments)
    assert of["self.bias_output"].startswith("self.bias_output += np.sum(output_delta")
    of = lines_of(seen, seen.calls[0].forward_assignments)
    assert of["self.hidden_output"] == "self.hidden_output = self.sigmoid(self.hidden_activation)"


def test_a_returned_display_has_a_line_for_each_element(tmp_path):
    seen = observe(write(tmp_path, FILES["dict and no initialiser"].code))
    returned = [a for a in seen.calls[0].backward_assignments if a.expression == "return"]
    assert [seen.lines[a.cell, a.line].split(":")[0] for a in returned] == ['"dW1"', '"db1"', '"dW2"', '"db2"']


def notebook(folder, *cells):
    sources = [{"cell_type": "code", "source": textwrap.dedent(cell).splitlines(keepends=True)} for cell in cells]
    path = folder / "net.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# A"}, *sources]}))
    return path


def test_a_notebook_counts_its_cells_and_lines_and_drops_magics(tmp_path):
    code = FILES["no initialiser, rows"].code
    definitions, backward = code.split("    def backprop" if "    def backprop" in code else "def backprop")
    path = notebook(
        tmp_path,
        "%matplotlib inline\n!pip install numpy\nimport numpy as np\nnp.exp?",
        "%%bash\nrm -rf / --no-preserve-root",
        "%%time\n" + definitions,
        "%load_ext autoreload\n\ndef backprop" + backward,
    )
    seen = observe(path)
    found = {a.expression: a for a in seen.calls[0].backward_assignments}
    assert (found["dZ1"].cell, found["dZ1"].line) == (4, 6)
    assert seen.lines[4, 6] == "dZ1 = dZ2 @ W2.T * (Z1 > 0)"
    with pytest.raises(ValueError, match=r"cell 2, line 3: syntax error.*: def f\(:"):
        observe(notebook(tmp_path, "import numpy as np", "x = 1\n\ndef f(:\n    pass"))


# ------------------------------------------------------------------------------------------------ mistakes are survived


def test_the_notebooks_own_slips(tmp_path, request):
    """initialize_w_b returns b1 twice, and never b2; Db1 and Db2 have a column for each example."""
    path = request.config.rootpath / "scripts" / "notebook_net.py"
    for text in (path.read_text(), path.read_text() + "\n\nW1, b1, W2, b2 = initialize_w_b()\n"):
        seen = observe(write(tmp_path, text))
        assert seen.roles["init"] == "initialize_w_b"
        call = seen.calls[0]
        m = call.inputs.shape[1]
        assert {n: p.shape for n, p in call.parameters.items()} == {
            "W1": (10, 784), "b1": (10, 1), "W2": (10, 10), "b2": (10, 1),
        }  # fmt: skip
        assert not np.array_equal(call.parameters["b1"], call.parameters["b2"])
        assert {n: g.shape for n, g in call.gradients.items()} == {
            "W1": (10, 784), "b1": (10, m), "W2": (10, 10), "b2": (10, m),
        }  # fmt: skip
        _, _, gradients = reference(call, "columns", "relu", "softmax", "cross-entropy")
        assert close(call.gradients["W2"], gradients["W2"])
        squares = 0.5 * np.sum((call.prediction - call.targets) ** 2)
        assert call.loss == pytest.approx(squares), "the loss takes one-hot labels, backward integers"


def change(name, old, new):
    code = FILES[name].code
    assert old in code
    return code.replace(old, new)


def test_one_number_for_a_whole_layer(tmp_path):
    code = change("kaggle digits", "db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)", "db2 = 1 / m * np.sum(dZ2)")
    call = observe(write(tmp_path, code)).calls[0]
    assert call.gradients["b2"].shape == ()
    code = change("train does all", "np.sum(output_delta, axis=0, keepdims=True)", "np.sum(output_delta)")
    call = observe(write(tmp_path, code)).calls[0]
    assert call.gradients["b2"].shape == (), "spread by the update, but one number still"
    assert call.gradients["b1"].shape == (1, 5)


def test_weights_updated_before_they_are_used(tmp_path):
    code = FILES["train does all"].code.splitlines()
    late = next(i for i, line in enumerate(code) if "hidden_error = " in line)
    used = code.pop(late)
    delta = code.pop(late)
    code[late + 1 : late + 1] = [used, delta]
    call = observe(write(tmp_path, "\n".join(code))).calls[0]
    assert call.learning_rate == 0.125
    _, A2, right = reference(call, "rows", "sigmoid", "sigmoid", "squared-error")
    m = len(A2)
    W2, rate = call.parameters["W2"], call.learning_rate
    delta2 = (A2 - call.targets) * A2 * (1 - A2)
    A1 = 1 / (1 + np.exp(-call.inputs @ call.parameters["W1"] - call.parameters["b1"]))
    delta1 = delta2 @ (W2 - rate * A1.T @ delta2).T * A1 * (1 - A1)
    assert close(call.gradients["W2"], right["W2"].T * m)
    assert close(call.gradients["W1"], call.inputs.T @ delta1)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("list of pairs", "(W.T @ dZ)", "(W @ dZ)"),
        ("weights transposed in rows", "delta2 @ self.W2 *", "delta2 @ self.W2.T *"),
        ("course, two layers", "(1 / m) * np.dot(dZ2, A1.T)", "(1 / m) * dZ2 * A1"),
    ],
)
def test_mistakes_that_only_run_on_square_layers(name, old, new, tmp_path):
    seen = observe(write(tmp_path, change(name, old, new)))
    assert len(seen.calls[0].gradients) == len(seen.calls[0].parameters)


@pytest.mark.parametrize(
    ("name", "old", "new", "shape"),
    [
        ("list of pairs", "dZ @ A_prev.T", "A_prev @ dZ.T", lambda call: call.parameters["W2"].shape[::-1]),
        (
            "course, two layers",
            "np.dot(dZ2, A1.T)",
            "np.dot(A1, dZ2.T)",
            lambda call: call.parameters["W2"].shape[::-1],
        ),
        ("no initialiser, rows", "dZ2.sum(axis=0, keepdims=True)", "dZ2", lambda call: call.prediction.shape),
        ("kaggle digits", "1 / m * np.sum(dZ2, axis=1, keepdims=True)", "dZ2 / m", lambda call: call.prediction.shape),
    ],
)
def test_gradients_keep_a_wrong_shape(name, old, new, shape, tmp_path):
    call = observe(write(tmp_path, change(name, old, new))).calls[0]
    assert shape(call) in [g.shape for g in call.gradients.values()]


def test_a_gradient_that_is_missing_by_name_is_left_out(tmp_path):
    code = change("course, two layers", '"dW2": dW2,\n             "db2": db2}', '"dW2": dW2}')
    call = observe(write(tmp_path, code)).calls[0]
    assert list(call.parameters) == ["W1", "b1", "W2", "b2"]
    assert list(call.gradients) == ["W1", "b1", "W2"]


def test_a_bias_that_forward_never_adds_is_a_parameter_still(tmp_path):
    code = change("class with a params dict", ' + self.params["b2"]', "")
    call = observe(write(tmp_path, code)).calls[0]
    assert list(call.parameters) == ["W1", "b1", "W2", "b2"] == list(call.gradients)


# ----------------------------------------------------------------------------------------------------- flags and errors


TWO = """
    import numpy as np
    def forward(X, W, b): return X @ W + b
    def other(X, W, b): return np.tanh(X @ W + b)
    def backward(X, Y, Y_hat): return X.T @ (Y_hat - Y), (Y_hat - Y).sum(axis=0)
    def assess(Y, Y_hat): return np.sum((Y - Y_hat) ** 2) / 2
"""


def test_flags_override_names(tmp_path):
    path = write(tmp_path, TWO)
    plain, flagged = observe(path), observe(path, forward="other", loss="assess")
    assert plain.loss is None
    assert flagged.loss is not None
    assert np.array_equal(np.tanh(plain.calls[0].prediction), flagged.calls[0].prediction)
    assert observe(path, layout="rows").layout == "rows"
    path = write(tmp_path, FILES["class with lists"].code)
    assert observe(path, forward="DeepNet.forward", backward="DeepNet.backward").updated_in_place
    with pytest.raises(ValueError, match=r"--backward nothing: no such function; found: DeepNet\.forward, DeepNet"):
        observe(path, backward="nothing")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(:\n    pass", "net.py, line 1: syntax error"),
        ("import numpy as np\ndef forward(X, W1): return W1 @ X", "no backward function.*found: forward.*--backward"),
        ("def backward(X, Y, dZ2): return X", "no forward function.*found: backward.*--forward"),
        (TWO.replace("(X, Y, Y_hat)", "(X, Y, Y_hat, foo)"), "backward takes an argument 'foo'.*rename it"),
        (TWO.replace(", (Y_hat - Y).sum(axis=0)", ""), "gave 1 gradients .* for 2 parameters"),
        (TWO.replace("return X.T @", "return np.nan * X.T @"), "gradient of W1 that is not finite"),
        (TWO.replace("return X @ W + b", "raise RuntimeError('no luck')"), "forward.* raised RuntimeError: no luck"),
        (TWO.replace("def forward(X, W, b): return X @ W", "def forward(X, b): return X"), "no weights|no parameters"),
        (TWO.replace("return X.T @ (Y_hat - Y), (Y_hat - Y).sum(axis=0)", "pass"), "backward returned no gradients"),
        ("", "no backward function"),
    ],
)
def test_errors_are_one_clear_line(code, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        observe(write(tmp_path, code))
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        observe(tmp_path / "missing.py")
    with pytest.raises(ValueError, match=r"expected a \.py or \.ipynb"):
        observe(write(tmp_path, "", "net.txt"))
    with pytest.raises(ValueError, match="is not a notebook"):
        observe(write(tmp_path, "[]", "net.ipynb"))
