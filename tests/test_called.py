"""Functions, layers and classes that nothing calls: what they are called with, and what was never run of them."""

import textwrap

import pytest
from judging import PLAIN, SLOPE, TWO_NETWORKS, examined

from jaxnet.compare.author.verdict import verdict

ONLY_DEFINED = """
import numpy as np
def predict(X, w, b):
    return 1 / (1 + np.exp(-(np.dot(X, w) + b)))
def loss(y, y_hat):
    return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
def gradients(X, y, y_hat):
    dw = np.dot(X.T, y_hat - y) / len(X)
    db = np.sum(y_hat - y) / len(X)
    return dw, db
"""


def test_how_many_outputs_there_are_is_not_known_where_the_weights_are_ours(tmp_path):
    """A bias that is a number gets the sum over all: such functions are for one output, unless they have a softmax."""
    said = examined(tmp_path, ONLY_DEFINED)
    assert (said["verdict"], said["network"]["sizes"][-1]) == ("right", 1)
    softmax = "E = np.exp(np.dot(X, w) + b)\n    return E / E.sum(axis=1, keepdims=True)"
    text = ONLY_DEFINED.replace("return 1 / (1 + np.exp(-(np.dot(X, w) + b)))", softmax)
    several = examined(tmp_path, text.replace(" + (1 - y) * np.log(1 - y_hat)", ""))
    assert [f["at"] for f in several["findings"] if f["code"] == "summed-over-all-axes"] == ["db1"]


LAYER = """
import numpy as np
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, X):
        self.X = X
        return X @ self.W
    def backward(self, grad, lr):
        dX = grad @ self.W.T
        self.W -= lr * self.X.T @ grad / len(grad)
        return dX
"""


@pytest.mark.parametrize("sums", [True, False])
def test_a_lone_layer_that_goes_back_through_weights_that_it_has_stepped(tmp_path, sums):
    text = LAYER.replace(" / len(grad)", "") if sums else LAYER
    assert examined(tmp_path, text)["verdict"] == "right"
    dx = "        dX = grad @ self.W.T\n"
    said = examined(tmp_path, text.replace(dx, "").replace("        return dX", f"{dx}        return dX"))
    assert [p["right"] for p in said["parameters"]] == [True]
    assert [(place["source"], place["why"][:38]) for place in said["unjudged"]] == [
        ("dX = grad @ self.W.T", "whose gradient goes back through weigh")
    ]


HELD_BY_OBJECTS = """
import numpy as np
class Tensor:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)
class Affine:
    def __init__(self, inputs, outputs):
        self.parts = {"kernel_": Tensor(np.random.randn(inputs, outputs)), "shift": Tensor(np.zeros(outputs))}
    def forward(self, x):
        self.x = x
        return x @ self.parts["kernel_"].data + self.parts["shift"].data
    def backward(self, upstream):
        self.parts["kernel_"].grad += self.x.T @ upstream
        self.parts["shift"].grad += upstream.sum(0)
        return upstream @ self.parts["kernel_"].data.T
"""


def test_parameters_that_an_object_holds_with_their_gradients(tmp_path):
    """A layer is not right where its input's gradient alone was found."""
    said = examined(tmp_path, HELD_BY_OBJECTS)
    assert (said["verdict"], {p["name"] for p in said["parameters"]}) == ("right", {"kernel_", "shift", "x"})
    said = examined(tmp_path, HELD_BY_OBJECTS.replace("self.x.T @ upstream", "self.x.T @ upstream + 1"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["kernel_"]


def test_a_backward_pass_that_has_no_part_in_what_is_right_is_named(tmp_path):
    other = "def backward_with_penalty(X, d, W):\n    return X.T @ d + W\n"
    assert examined(tmp_path, PLAIN + other)["idle"] == ["backward_with_penalty"]
    used = PLAIN.replace("for _", other.replace(" + W", "") + "for _").replace(
        "X.T @ dZ1", "backward_with_penalty(X, dZ1, W1)"
    )
    assert examined(tmp_path, used)["idle"] == []
    assert examined(tmp_path, PLAIN.replace(*SLOPE) + other)["idle"] == []
    of_second = "def backward(X, E):\n    return X.T @ E\n"
    once_more = "class Deeper:\n    def loss(self, X, d):\n        grads['W'] = X.T @ d\n        return grads\n"
    of_scores = "def softmax_loss(x, y):\n    dx = np.exp(x) / np.exp(x).sum() - y\n    return -np.log(dx[y]), dx\n"
    assert examined(tmp_path, PLAIN + of_scores)["idle"] == ["softmax_loss"]
    assert examined(tmp_path, PLAIN + once_more)["idle"] == ["Deeper.loss"]
    cursor = "def move_back(self):\n    if self.at < 1:\n        raise IndexError('at the end')\n    self.at -= 1\n"
    assert examined(tmp_path, PLAIN + cursor)["idle"] == []
    ridge = "class Ridge:\n    def fit(self, X, E):\n        for k in X:\n            self.W = self.W - 0.1 * k.T @ E\n"
    assert examined(tmp_path, PLAIN + ridge)["idle"] == ["Ridge.fit"]
    assert examined(tmp_path, PLAIN + ridge.replace("fit", "gradAscent"))["idle"] == ["Ridge.gradAscent"]
    assert examined(tmp_path, PLAIN + ridge.replace("fit", "train").replace("self.W =", "print"))["idle"] == []
    both = TWO_NETWORKS.replace("\nV, c", f"\n{of_second}V, c").replace("X.T @ E\n    c", "backward(X, E)\n    c")
    assert (examined(tmp_path, both)["verdict"], examined(tmp_path, both)["idle"]) == ("right", [])


def test_a_layer_of_a_program_that_breaks_off_acquits_nobody(tmp_path):
    """What trains may be another one, of another file."""
    text = """
import numpy as np
class Scale:
    def forward(self, x):
        return 2 * x
    def backward(self, upstream):
        return 2 * upstream
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match="not run to its end"):
        examined(tmp_path, text + "Scale(3)\n")


def test_a_slope_that_is_taken_for_a_backward_pass_is_not_accused(tmp_path):
    """Its argument is no upstream gradient, and what it is given happens to be the gradient of another loss."""
    with pytest.raises(ValueError, match="no verdict"):
        examined(
            tmp_path,
            """
import numpy as np
class Sigmoid:
    def forward(self, z):
        return 1 / (1 + np.exp(-z))
    def backward(self, z):
        return self.forward(z) * (1 - self.forward(z))
""",
        )


OUTPUT_ALONE = """
import numpy as np

class Hidden:
    def __init__(self, n_in, n_out):
        self.w, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
    def forward(self, x):
        self.x, self.y = x, np.maximum(x @ self.w + self.b, 0)
    def backward(self, grad_y):
        self.grad_w, self.grad_b = self.x.T @ grad_y, grad_y.sum(0)
        self.grad_x = grad_y @ self.w.T

class Output:
    def __init__(self, n_in, n_out):
        self.w, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
    def forward(self, x):
        self.x, self.y = x, 1 / (1 + np.exp(-(x @ self.w + self.b)))
    def backward(self, t):
        delta = self.y - t
        self.grad_w, self.grad_b = self.x.T @ delta, delta.sum(0)

def update(layer, rate):
    layer.w -= rate * layer.grad_w
    layer.b -= rate * layer.grad_b
"""


def test_layers_that_are_not_called_are_named(tmp_path):
    """The one that takes labels is a network by itself."""
    said = examined(tmp_path, OUTPUT_ALONE)
    assert (said["verdict"], said["idle"]) == ("right", ["Hidden.backward", "update"])
    trains = "M, a = np.random.randn(3, 3), np.ones(3)\nfor _ in range(20):\n    a -= 0.1 * np.tanh(a @ M)\n"
    with pytest.raises(ValueError, match="no answer to what the program itself does"):
        examined(tmp_path, OUTPUT_ALONE + trains)
    alone = OUTPUT_ALONE.replace("def backward(self, grad_y)", "def send_on(self, grad_y)")
    assert examined(tmp_path, alone.replace("grad_y", "g") + trains)["verdict"] == "right"


ROW_BY_ROW = """
import numpy as np

class Linear:
    def __init__(self, n_in, n_out):
        self.weight, self.offset = np.random.randn(n_in, n_out), np.zeros((1, n_out))
    def forward(self, x):
        self.x = x
        return x @ self.weight + self.offset
    def backward(self, upstream, rate):
        back = upstream @ self.weight.T
        self.weight = self.weight - rate * self.x.T @ upstream
        self.offset = self.offset - rate * upstream
        return back
"""
OF_A_COLUMN = """
import numpy as np

def first():
    return {"W1": np.random.randn(5, 7), "b1": np.zeros((5, 1)), "W2": np.random.randn(3, 5), "b2": np.zeros((3, 1))}

def forwardpass(X, parameters):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    return E / E.sum(axis=0), A1

def backwardpass(parameters, A1, A2, X, Y):
    dZ2 = A2 - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    m = X.shape[1]
    return {"dW1": dZ1 @ X.T / m, "db1": dZ1 / m, "dW2": dZ2 @ A1.T / m, "db2": dZ2 / m}

if __name__ == "__main__":
    parameters = first()
    for x, y in np.load(open("data.npy")):
        A2, A1 = forwardpass(x.reshape(7, 1), parameters)
        grads = backwardpass(parameters, A1, A2, x.reshape(7, 1), y.reshape(3, 1))
        parameters = {k: parameters[k] - 0.02 * grads["d" + k] for k in parameters}
"""


def test_functions_for_one_example_at_a_time_are_not_accused(tmp_path):
    """Their program has no data; called with six columns they give six for each bias."""
    with pytest.raises(ValueError, match="right if it is called with one example at a time"):
        examined(tmp_path, OF_A_COLUMN)
    text = OF_A_COLUMN.replace("dZ1 / m", "dZ1.sum(1, keepdims=True) / m")
    assert [f["at"] for f in examined(tmp_path, text)["findings"] if f["code"] == "not-summed"] == ["db2"]


def test_a_layer_for_one_example_at_a_time_is_not_accused(tmp_path):
    with pytest.raises(ValueError, match="right if it is called with one example at a time"):
        examined(tmp_path, ROW_BY_ROW)
    wrong = ROW_BY_ROW.replace("rate * upstream\n", "rate * upstream.sum(0)\n").replace(
        "upstream @ self", "2 * upstream @ self"
    )
    assert [(f["at"], f["code"]) for f in examined(tmp_path, wrong)["findings"]] == [("dx", "wrong-scale")]


def test_a_lone_layer_may_be_taken_together_with_its_loss(tmp_path):
    """What comes in where it ends in a sigmoid is ŷ − y then, the error of its scores."""
    text = """
import numpy as np

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))

class Layer:
    def __init__(self, input_size, output_size, activation=sigmoid, prime=None):
        self.W = np.random.rand(output_size, input_size)
        self.b = np.random.rand(output_size, 1)
        self.activation, self.prime = activation, prime

    def forward(self, A_prev):
        self.A_prev = A_prev
        self.Z = self.W.dot(A_prev) + self.b
        return self.activation(self.Z)

    def backward(self, dA):
        m = dA.shape[1]
        dZ = dA if self.activation is sigmoid else dA * self.prime(self.Z)
        self.dW = (1 / m) * np.dot(dZ, self.A_prev.T)
        self.db = (1 / m) * np.sum(dZ, axis=1, keepdims=True)
        return np.dot(self.W.T, dZ)
"""
    with pytest.raises(ValueError, match="right if it is given ∂loss/∂ what its last activation is applied to"):
        examined(tmp_path, text)


SOFTMAX = """
import numpy as np

class Softmax:
    def __init__(self, inputs, outputs):
        self.W = np.random.randn(inputs, outputs)
        self.b = np.zeros((1, outputs))

    def forward(self, x):
        self.x = x
        e = np.exp(x @ self.W + self.b)
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, grad):
        self.dW = self.x.T @ grad / len(grad)
        self.db = grad.mean(axis=0, keepdims=True)
        return grad @ self.W.T
"""


def test_a_lone_layer_that_ends_in_a_softmax_may_be_given_the_error_of_its_scores(tmp_path):
    with pytest.raises(ValueError, match="right if it is given ∂loss/∂ what its last activation is applied to"):
        examined(tmp_path, SOFTMAX)


LAYERS = """
import numpy as np

class Dense:
    def __init__(self, inputs, outputs):
        self.W = np.random.randn(inputs, outputs)
        self.b = np.zeros((1, outputs))
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, y):
        self.dW = self.x.T @ y
        self.db = y.sum(axis=0, keepdims=True)
        return y @ self.W.T

class Sigmoid:
    def forward(self, x):
        self.a = 1 / (1 + np.exp(-x))
        return self.a
    def backward(self, y):
        return y * self.a * (1 - self.a)

class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)
    def backward(self, y):
        return y * (self.x > 0)
"""


def test_what_the_backward_passes_of_several_classes_take_alone_comes_from_above(tmp_path):
    """Whatever it is called; but where one of them compares it with something, it is the labels."""
    assert examined(tmp_path, LAYERS)["verdict"] == "right"
    for old, new in (("self.x.T @ y", "self.x.T @ y * 2"), ("(1 - self.a)", "1")):
        assert examined(tmp_path, LAYERS.replace(old, new))["verdict"] == "wrong"
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, LAYERS.replace("return y * self.a * (1 - self.a)", "return self.a - y"))


def test_branches_of_a_backward_pass_that_were_not_run_are_not_judged(tmp_path):
    """Nor are they where one of several networks runs them."""
    text = PLAIN.replace("    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)\n", "    dZ1 = hidden_backward(dZ2 @ W2.T, A1)\n")
    text = text.replace(
        "np.random.seed(3)",
        """np.random.seed(3)
def hidden_backward(dA, A, kind="tanh"):
    if kind == "tanh":
        return dA * (1 - A ** 2)
    elif kind == "sigmoid":
        return dA * A
    if A.ndim < 2:
        A = A.reshape(1, -1)
    return dA * (A > 0)
""",
    )
    said = examined(tmp_path, text)
    idle = ["line 8 of hidden_backward", "lines 9 to 11 of hidden_backward"]
    assert (said["verdict"], said["idle"]) == ("right", idle)
    assert examined(tmp_path, text.replace("(1 - A ** 2)", "(1 - A)"))["idle"] == []


def test_branches_of_every_kind_that_were_not_run_are_not_judged(tmp_path):
    """What is wrong is seldom a product: the derivative 1, an error the other way round, what was given."""
    text = PLAIN.replace("    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)\n", "    dZ1 = hidden_backward(dZ2 @ W2.T, A1)\n")
    text = text.replace(
        "np.random.seed(3)",
        """np.random.seed(3)
SLOPES = {"tanh": lambda A: 1 - A ** 2,
          "relu": lambda A: A * 1.0}

def slope(A, kind):
    if kind == "one":
        return np.ones_like(A)
    return SLOPES[kind](A)

def hidden_backward(dA, A, kind="tanh"):
    match kind:
        case "none":
            dA = A - dA
        case "turned":
            dA = -dA
    if not kind:
        return dA
    return dA * slope(A, kind)
""",
    )
    said = examined(tmp_path, text)
    lines = ["line 5", "line 9 of slope", *(f"line {n} of hidden_backward" for n in (15, 17, 19))]
    assert (said["verdict"], said["idle"]) == ("right", lines)


@pytest.mark.parametrize(
    ("old", "new"),
    [("return loss, grads", "return loss, {'V': grads['V'], 'U': grads['U']}"), ("", "")],
    ids=["in a literal", "in a dict"],
)
def test_gradients_that_are_returned_by_the_parameters_names(tmp_path, old, new):
    said = examined(tmp_path, BY_NAME.replace(old, new))
    assert (said["verdict"], len(said["parameters"])) == ("right", 2)
    said = examined(tmp_path, BY_NAME.replace(old, new).replace(" * (H > 0)", ""))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


BY_NAME = """
import numpy as np

class Net:
    def __init__(self, n_in=7, n_hidden=6, n_out=3):
        self.V, self.U = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)
    def loss(self, X, y):
        H = np.maximum(X @ self.V, 0)
        E = np.exp(H @ self.U)
        P = E / E.sum(axis=1, keepdims=True)
        d = P.copy()
        d[np.arange(len(y)), y] -= 1
        loss, d = -np.mean(np.log(P[np.arange(len(y)), y])), d / len(y)
        grads = {}
        grads['U'], grads['V'] = H.T @ d, X.T @ (d @ self.U.T * (H > 0))
        return loss, grads
"""
HINGES = """
import numpy as np
rng = np.random.default_rng(2)
X, y = rng.normal(size=(12, 4)), rng.integers(3, size=12)
W = rng.normal(size=(4, 3)) * 0.01
for _ in range(9):
    dW, loss = np.zeros(W.shape), 0.0
    for i in range(12):
        scores = X[i] @ W
        for j in range(3):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / 12 + 0.005 * np.sum(W * W)
    dW = dW / 12 + 0.01 * W
    W -= 0.1 * dW
"""


def test_what_a_program_never_did_is_said(tmp_path):
    """Where all examples violate a margin, nobody sees what becomes of one that does not."""
    said = examined(tmp_path, HINGES)
    told = "line 12 of net.py decides in one way 24 times: what it does otherwise is not judged"
    assert (said["verdict"], said["notes"]) == ("right", [told])
    said = examined(tmp_path, HINGES.replace("* 0.01", "* 2"))
    assert (said["verdict"], said["notes"]) == ("right", [])


def test_functions_that_were_given_what_has_no_effect_are_called(tmp_path):
    """An exercise whose cells call them with cases of a module that is missing. The update works on a copy."""
    text = """
import numpy as np
from cases_of_the_course import *

def initialize(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}

def forward(X, parameters):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = 1 / (1 + np.exp(-(parameters["W2"] @ A1 + parameters["b2"])))
    return A2, (A1, parameters["W2"])

def backward(A2, Y, X, cache):
    A1, W2 = cache
    dZ2 = (A2 - Y) / Y.shape[1]
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    return {"dW1": dZ1 @ X.T, "db1": dZ1.sum(1, keepdims=True), "dW2": dZ2 @ A1.T, "db2": dZ2.sum(1, keepdims=True)}

def update(params, grads, learning_rate):
    parameters = params.copy()
    for name in params:
        parameters[name] = parameters[name] - learning_rate * grads["d" + name]
    return parameters

X_case, parameters_case = forward_test_case()
A2, cache = forward(X_case, parameters_case)
A2_case, Y_case, X_case, cache_case = backward_test_case()
grads = backward(A2_case, Y_case, X_case, cache_case)
parameters_case, grads_case = update_test_case()
parameters_case = update(parameters_case, grads_case, 0.1)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    wrong = examined(tmp_path, text.replace(" * (1 - A1 ** 2)", ""))
    assert [(f["at"], f["code"]) for f in wrong["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_what_goes_back_to_the_data_by_a_line_of_its_own_is_not_judged(tmp_path):
    """In a network that has one more layer it would be: the line is named, and not where a layer above has it too."""
    text = """
import numpy as np
rng = np.random.default_rng(0)

class Dense:
    def __init__(self, i, o):
        self.w = rng.normal(size=(i, o))
    def forward(self, x):
        self.x, self.y = x, np.tanh(x @ self.w)
        return self.y
    def backward(self, upstream):
        self.dw = self.x.T @ (upstream * (1 - self.y ** 2))
        return upstream @ self.w.T

class Linear(Dense):
    def forward(self, x):
        self.x = x
        return x @ self.w
    def backward(self, upstream):
        self.dw = self.x.T @ upstream
        return upstream @ self.w.T

X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
layers = [Dense(5, 8), Linear(8, 3)]
for epoch in range(30):
    a = X
    for layer in layers:
        a = layer.forward(a)
    print(np.mean((a - Y) ** 2))
    d = 2 * (a - Y) / a.size
    for layer in reversed(layers):
        d = layer.backward(d)
    for layer in layers:
        layer.w -= 0.1 * layer.dw
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], [array["line"] for array in said["unjudged"]]) == ("right", [13])
    deep = examined(tmp_path, text.replace("Dense(5, 8)", "Dense(5, 6), Dense(6, 8)"))
    assert {f["line"] for f in deep["findings"]} == {13}
    assert not deep["unjudged"]


ADDED = """
import numpy as np

class Net:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1 = np.random.randn(input_size, hidden_size)
        self.W2 = np.random.randn(hidden_size, output_size)

    def forward(self, x):
        self.x, self.h = x, 1 / (1 + np.exp(-x @ self.W1))
        e = np.exp(self.h @ self.W2)
        return e / e.sum(1, keepdims=True)

    def backward(self, output, target):
        d = target - output
        self.dW2, self.dW1 = self.h.T @ d, self.x.T @ (d @ self.W2.T * self.h * (1 - self.h))
"""


@pytest.mark.parametrize("name", ["apply_gradients", "pas_suivant"])
def test_gradients_that_are_added_by_a_method_that_nothing_calls(tmp_path, name):
    method = f"\n    def {name}(self, rate):\n        self.W1 += rate * self.dW1\n        self.W2 += rate * self.dW2\n"
    assert examined(tmp_path, ADDED + method)["verdict"] == "right"
    wrong = examined(tmp_path, ADDED + method.replace("+=", "-="))
    assert [(f["at"], f["code"]) for f in wrong["findings"]] == [("loss", "wrong-sign")]


def test_a_sign_of_all_gradients_is_no_mistake_where_nothing_steps(tmp_path):
    """What else is wrong is told as it is."""
    with pytest.raises(ValueError, match="nothing was found that steps by them: right if they are to be added"):
        examined(tmp_path, ADDED)
    wrong = examined(tmp_path, ADDED.replace(" * self.h * (1 - self.h)", ""))
    assert [p["name"] for p in wrong["parameters"] if not p["right"]] == ["W1"]


def test_entries_that_are_picked_otherwise_in_another_draw(tmp_path):
    """A sigmoid in two pieces, each of as many numbers as have that sign."""
    text = (
        ADDED.replace("1 / (1 + np.exp(-x @ self.W1))", "self.squashed(x @ self.W1)")
        + """
    def squashed(self, z):
        a = z.copy()
        a[z >= 0] = 1 / (1 + np.exp(-z[z >= 0]))
        a[z < 0] = np.exp(z[z < 0]) / (1 + np.exp(z[z < 0]))
        return a
"""
    )
    with pytest.raises(ValueError, match="nothing was found that steps by them"):
        examined(tmp_path, text)
    wrong = examined(tmp_path, text.replace("1 / (1 + np.exp(-z[z >= 0]))", "1 / (2 + np.exp(-z[z >= 0]))"))
    assert [p["name"] for p in wrong["parameters"] if not p["right"]] == ["W1"]


def test_a_layer_that_steps_itself_has_a_rate(tmp_path):
    """No number is common to its weights and to its input, which nobody steps."""
    text = """
import numpy as np
from nowhere import data
class Layer:
    def __init__(self, n, m):
        self.w, self.b = np.random.randn(n, m), np.zeros((1, m))
    def forward(self, x):
        self.x, self.y = x, np.maximum(0, x @ self.w + self.b)
        return self.y
    def backward(self, ds):
        dz = ds * (self.y > 0)
        dx, dw, db = dz @ self.w.T, self.x.T @ dz, np.sum(dz, axis=0, keepdims=True)
        self.w -= dw * 0.01
        self.b -= db * 0.01
        return dx
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("np.sum(dz, axis", "np.sum(ds, axis"))
    assert [f["at"] for f in said["findings"]] == ["db"]


def test_data_that_are_scaled_once_keep_no_class_from_being_called(tmp_path):
    text = """
import numpy as np

class Neuron:
    def fit(self, x, y, rate=0.01):
        self.w, self.b, self.cost = np.random.normal(0, 0.01, x.shape[1]), 0.0, []
        for _ in range(9):
            error = y - (x @ self.w + self.b)
            self.w += rate * x.T @ error
            self.b += rate * error.sum()
            self.cost.append((error ** 2).sum() / 2)

x = np.random.RandomState(0).randn(40, 2)
xs = np.copy(x)
xs[:, 0] = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std()
xs[:, 1] = (x[:, 1] - x[:, 1].mean()) / x[:, 1].std()
# Neuron().fit(xs, np.where(x[:, 0] > 0, 1, -1))
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("error.sum()\n", "np.abs(error).sum()\n"))["verdict"] == "wrong"


def test_data_that_one_method_keeps_for_another(tmp_path):
    text = """
import numpy as np

class Mlp:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1 = np.random.randn(n_hidden, n_in) / 2
        self.W2 = np.random.randn(n_out, n_hidden) / 2
        self.x = self.y = None

    def fit(self, x, y):
        self.x, self.y = x, y

    def train(self, rate, rounds=50):
        if self.x is None:
            exit(1)
        for _ in range(rounds):
            for x, y in zip(self.x, self.y):
                h = np.tanh(self.W1 @ x)
                e = np.exp(self.W2 @ h)
                p = e / e.sum()
                print(-np.sum(y * np.log(p)))
                d2 = p - y
                d1 = self.W2.T @ d2 * (1 - h ** 2)
                self.W2 -= rate * np.outer(d2, h)
                self.W1 -= rate * np.outer(d1, x)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


def test_the_activation_that_a_layer_is_built_without_is_named(tmp_path):
    """What it sends back lacks the derivative then."""
    text = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out, activation=None):
        self.weights, self.biases = np.random.rand(n_out, n_in) - 0.5, np.random.rand(n_out, 1) - 0.5
        self.activation = activation

    def forward(self, x):
        self.input = x
        z = np.dot(self.weights, x) + self.biases
        return self.activation.forward(z) if self.activation else z

    def backward(self, error):
        d = self.activation.backward(error) if self.activation else error
        self.dW, self.db = np.dot(d, self.input.T), d
        return np.dot(self.weights.T, error)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["idle"]) == ("right", ["line 15 of Dense.backward"])
    without = text.replace("self.activation.backward(error) if self.activation else error", "error")
    assert examined(tmp_path, without)["idle"] == []


def test_what_is_called_as_it_cannot_be_is_called_as_it_can(tmp_path):
    """By its own program with what breaks off before anything is computed: that it is on no record tells nothing."""
    text = """
import numpy as np
class Net:
    def __init__(self, inputnodes, hiddennodes, outputnodes, learningrate):
        self.wih = np.random.normal(0.0, 0.3, (hiddennodes, inputnodes))
        self.who = np.random.normal(0.0, 0.3, (outputnodes, hiddennodes))
        self.lr = learningrate
    def train(self, inputs_list, targets_list):
        inputs = np.array(inputs_list, ndmin=2).T
        targets = np.array(targets_list, ndmin=2).T
        hidden = np.tanh(np.dot(self.wih, inputs))
        errors = targets - np.dot(self.who, hidden)
        back = np.dot(self.who.T, errors) * (1 - hidden ** 2)
        self.who += self.lr * np.dot(errors, np.transpose(hidden))
        self.wih += self.lr * np.dot(back, np.transpose(inputs))
net = Net(784, 20, 10, 0.1)
for line in ["1,2,3"]:
    net.train(line, line)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["program"].partition("(")[0]) == ("right", "train")
    assert examined(tmp_path, text.replace("1 - hidden ** 2", "1 - hidden"))["verdict"] == "wrong"


def test_derivatives_of_another_file_that_were_not_used_are_not_judged(tmp_path):
    (tmp_path / "slopes.py").write_text(
        "def tanh_prime(A):\n    return 1 - A ** 2\n\n\ndef sigmoid_prime(A):\n    return A * A\n\n\n"
        "def conv_backward(A):\n    return A @ A\n"
    )
    text = PLAIN.replace("import numpy as np\n", "import numpy as np\nfrom slopes import sigmoid_prime, tanh_prime\n")
    said = examined(tmp_path, text.replace("(1 - A1 ** 2)", "tanh_prime(A1)"))
    assert (said["verdict"], said["idle"]) == ("right", ["sigmoid_prime of slopes.py"])


@pytest.mark.parametrize(
    "clipped",
    ["        for g in grads: g *= norm / 50\n", "        grads = [g * norm / 50 for g in grads]\n"],
    ids=["in place", "anew"],
)
@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a function"])
def test_what_is_not_done_to_gradients_before_the_step_is_named(tmp_path, clipped, inside):
    """A clip that never bites may be written the wrong way round; what else is done now and then is no formula."""
    text = PLAIN.partition("    W1 -= 0.1")[0].replace("for _", "rate = 0.1\nfor _")
    text += "    grads = [dW1, db1, dW2, db2]\n    norm = np.sqrt(sum(np.sum(g ** 2) for g in grads))\n"
    text += f"    if norm > 50:\n{clipped}    if loss > 90:\n        print(loss * 2)\n        rate *= 0.5\n"
    text += "    for p, g in zip((W1, b1, W2, b2), grads): p -= rate * g\n"
    if inside:
        start = text.index("W1, b1, W2, b2 = np")
        text = text[:start] + "def train():\n" + textwrap.indent(text[start:], "    ") + "train()\n"
    line = 1 + text.splitlines().index("    " * inside + clipped.rstrip("\n"))
    assert examined(tmp_path, text)["idle"] == [f"line {line}"]
    assert examined(tmp_path, text.replace("norm > 50", "norm > 0"))["idle"] == []


NORMALISED = """
import numpy as np
class Normalised:
    def __init__(self, in_dim, out_dim):
        self.V = np.random.randn(in_dim, out_dim)
        self.g = self.b = None

    def init(self, x):
        t = x @ (self.V / np.linalg.norm(self.V, axis=0))
        self.g, self.b = 1 / t.std(0), -t.mean(0) / t.std(0)

    def forward(self, x):
        if self.g is None:
            self.init(x)
        self.x, self.norm = x, np.linalg.norm(self.V, axis=0)
        self.W = self.V * (self.g / self.norm)
        return x @ self.W + self.b

    def backward(self, d):
        dW = self.x.T @ d
        self.db, self.dg = d.sum(0), (dW * self.V).sum(0) / self.norm
        self.dV = self.g / self.norm * dW - self.g * self.dg / self.norm ** 2 * self.V
        return d @ self.W.T
"""


def test_what_the_first_batch_sets_is_a_parameter_of_its_own(tmp_path):
    """Salimans & Kingma 2016, https://arxiv.org/abs/1602.07868, equations 3 and 5."""
    said = examined(tmp_path, NORMALISED)
    assert (said["verdict"], {p["name"] for p in said["parameters"]}) == ("right", {"V", "b", "g", "x"})
    wrong = examined(tmp_path, NORMALISED.replace(".norm ** 2", ".norm"))
    assert [p["name"] for p in wrong["parameters"] if not p["right"]] == ["V"]


def test_a_function_of_numbers_takes_no_array(tmp_path):
    text = """
import math
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 3)), rng.random((20, 1))
w = rng.normal(size=(3, 1))
for _ in range(5):
    p = 1 / (1 + np.exp(-X @ w))
    w -= 0.1 * X.T @ ((p - y) * p * (1 - p))
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    with pytest.raises(ValueError, match=r"line 8: TypeError"):
        examined(tmp_path, text.replace("np.exp", "math.exp"))


SAMPLER = """
import numpy as np
np.random.seed(0)
text = "the quick brown fox jumps over the lazy dog"
index = {c: k for k, c in enumerate(sorted(set(text)))}


class Model:
    def __init__(self):
        self.U, self.W, self.V = (np.random.randn(*shape) / 5 for shape in ((8, 28), (8, 8), (28, 8)))
        self.b = np.zeros((8, 1))

    def sample(self, n):
        h, x = np.zeros((8, 1)), np.zeros((28, 1))
        for _ in range(n):
            h = np.tanh(self.U @ x + self.W @ h + self.b)
            p = np.exp(self.V @ h)
            x = np.zeros((28, 1))
            x[np.random.choice(28, p=(p / np.sum(p)).ravel())] = 1

    def train(self):
        for p in range(0, 40, 4):
            hs, xs, ps, loss = [np.zeros((8, 1))], [], [], 0
            for t in range(3):
                x = np.zeros((28, 1))
                x[index[text[p + t]]] = 1
                hs.append(np.tanh(self.U @ x + self.W @ hs[-1] + self.b))
                e = np.exp(self.V @ hs[-1])
                xs.append(x)
                ps.append(e / np.sum(e))
                loss -= np.log(ps[-1][index[text[p + t + 1]], 0])
            dU, dW, dV, db = (np.zeros_like(a) for a in (self.U, self.W, self.V, self.b))
            dh = np.zeros((8, 1))
            for t in reversed(range(3)):
                dy = np.copy(ps[t])
                dy[index[text[p + t + 1]]] -= 1
                dV += dy @ hs[t + 1].T
                d = (self.V.T @ dy + dh) * (1 - hs[t + 1] ** 2)
                dU += d @ xs[t].T
                dW += d @ hs[t].T
                db += d
                dh = self.W.T @ d
            print(loss)
            self.U -= 0.1 * dU
            self.W -= 0.1 * dW
            self.V -= 0.1 * dV
            self.b -= 0.1 * db


Model().sample(9)
"""


def test_a_class_that_trains_by_itself_where_the_program_only_uses_it(tmp_path):
    """What samples adds to a bias again and again, and steps nothing."""
    said = examined(tmp_path, SAMPLER)
    assert (said["verdict"], said["program"]) == ("right", "train() of class Model")
    assert [p["name"] for p in said["parameters"]] == ["U", "V", "W", "b"]
    said = examined(tmp_path, SAMPLER.replace("dh = self.W.T @ d", "dh = self.W @ d"))
    assert sorted(p["name"] for p in said["parameters"] if not p["right"]) == ["U", "W", "b"]
    # It samples while it trains: what that adds to a bias is no step of it, in another round.
    said = examined(tmp_path, SAMPLER.replace("print(loss)", "print(loss, self.sample(4) if p % 8 == 0 else None)"))
    assert (said["verdict"], said["unjudged"]) == ("right", [])


def test_what_another_arm_gives_the_same_name_is_said_where_it_is_not_run(tmp_path):
    """In a loop that trains: the other arm makes what the step is made of."""
    old = "    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)\n"
    chosen = "    if kind == 'tanh':\n        dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)\n    else:\n        dZ1 = dZ2 @ W2.T\n"
    forward = "    if kind == 'tanh':\n        A1 = np.tanh(X @ W1 + b1)\n    else:\n        A1 = np.abs(X @ W1)\n"
    text = PLAIN.replace("for _", "kind = 'tanh'\nfor _").replace("    A1 = np.tanh(X @ W1 + b1)\n", forward)
    for program, idle in ((text, []), (text.replace(old, chosen), ["line 20"])):
        (tmp_path / "net.py").write_text(program)
        report = verdict(tmp_path / "net.py", tmp_path)
        assert (report.verdict, report.idle) == ("right", idle)


def test_a_loss_that_is_never_run_may_be_another_one_than_the_error_implies(tmp_path):
    cost = "def cost(P, Y, W):\n    return -np.sum(Y * np.log(P)) / 9 + np.sum(np.abs(W))\n"
    without = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "")
    assert examined(tmp_path, without + cost)["idle"] == ["cost"]
    assert examined(tmp_path, PLAIN + cost)["idle"] == []  # it has one of its own
    assert examined(tmp_path, without + cost + "print(cost(P, Y, 0 * W1))\n")["idle"] == []


HUBER = """
import numpy as np
rng = np.random.default_rng(7)
X = rng.normal(size=(50, 3))
y, w, b = X[:, 0] / 9, np.zeros(3), 0.0
for _ in range(9):
    for x, t in zip(X, y):
        r = w @ x + b - t
        if abs(r) > 1:
            loss, dr = abs(r) - 0.5, np.sign(r)
        else:
            loss, dr = 0.5 * r ** 2, r
        w = w - 0.1 * dr * x
        b = b - 0.1 * dr
        print(loss)
"""


def test_an_arm_that_hands_the_error_on_as_it_is_was_run_all_the_same(tmp_path):
    """`dr = r` leaves no record, and the other arm has a formula."""
    assert examined(tmp_path, HUBER)["idle"] == ["line 10"]


IN_BATCHES = """
import numpy as np
class Net:
    def __init__(self, inputs, hidden, outputs):
        self.W1, self.b1 = np.random.randn(inputs, hidden) / 2, np.zeros((1, hidden))
        self.W2, self.b2 = np.random.randn(hidden, outputs) / 2, np.zeros((1, outputs))
    def fit(self, X, Y, epochs, batch_size, rate):
        m = len(X)
        for epoch in range(epochs):
            for k in range(0, m, batch_size):
                x, y = X[k : k + batch_size], Y[k : k + batch_size]
                A = np.tanh(x @ self.W1 + self.b1)
                Z = np.exp(A @ self.W2 + self.b2)
                P = Z / Z.sum(axis=1, keepdims=True)
                loss = -np.sum(y * np.log(P)) / len(x)
                d = (P - y) / len(x)
                e = d @ self.W2.T * (1 - A ** 2)
                self.W2 -= rate * A.T @ d
                self.b2 -= rate * d.sum(axis=0, keepdims=True)
                self.W1 -= rate * x.T @ e
                of_b = e.sum(axis=0, keepdims=True)
                self.b1 -= rate * of_b
            print(loss)
"""
AFTER_EACH = IN_BATCHES.replace("                loss =", "                one =").replace(
    "print(loss)",
    "P = np.exp(np.tanh(X @ self.W1 + self.b1) @ self.W2 + self.b2)\n"
    "            print(-np.sum(Y * np.log(P / P.sum(1, keepdims=True))) / m)",
)


def test_what_goes_over_its_data_in_batches_is_called_with_two(tmp_path):
    """The number of all examples is not that of a batch then. Where the loss is that of all, it is of one batch."""
    assert examined(tmp_path, IN_BATCHES)["verdict"] == "right"
    (finding,) = examined(tmp_path, IN_BATCHES.replace("of_b = e", "of_b = len(x) / m * e"))["findings"]
    assert (finding["at"], finding["code"]) == ("db1", "wrong-scale")
    said = examined(tmp_path, AFTER_EACH)
    assert (said["verdict"], "batch_size of all examples" in said["program"]) == ("right", True)
    assert examined(tmp_path, AFTER_EACH.replace(" * (1 - A ** 2)", ""))["verdict"] == "wrong"


MARGINS = """
import numpy as np

class Margins:
    def __init__(self, rate=0.1):
        self.rate = rate

    def fit(self, X, y):
        w = np.zeros(X.shape[1])
        for _ in range(10):
            total = 0.0
            for i in range(len(X)):
                s = X[i] @ w
                total += np.maximum(0, 1 - y[i] * s)
                w = w - self.rate * np.where(y[i] * s < 1, -y[i], 0.0) * X[i]
            print(total / len(X))
        return w
"""


def test_labels_that_multiply_a_prediction_are_signs(tmp_path):
    """With a label of 0 the gradient would be 0, and of squared errors it is none."""
    assert examined(tmp_path, MARGINS)["verdict"] == "right"
    with pytest.raises(ValueError, match="no known formula gives them"):
        examined(tmp_path, MARGINS.replace("0.0) * X[i]", "0.0) * X[i] ** 2"))


STEPS_ITSELF = """
import numpy as np

class Regression:
    def __init__(self, inputs, rate=0.1, share=1.0):
        self.w, self.b, self.rate, self.share = np.random.randn(inputs) * 0.1, 0.0, rate, share

    def loss(self, X, y):
        return self.share * np.mean((X @ self.w + self.b - y) ** 2)

    def NAME(self, X, y):
        g = 2 * self.share * (X @ self.w + self.b - y) / len(y)
        self.w -= self.rate * X.T @ g
        self.b -= self.rate * g.sum()
"""


@pytest.mark.parametrize("name", ["step", "update", "on_batch"])
def test_a_method_that_is_given_examples_and_steps_parameters_trains(tmp_path, name):
    text = STEPS_ITSELF.replace("NAME", name)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["from"]) == ("right", "source")
    assert said["program"].startswith(f"{name}(X, y) of class Regression, called with data")
    wrong = examined(tmp_path, text.replace("g.sum()", "g.mean()"))
    assert [f["at"] for f in wrong["findings"]] == ["db1"]


def test_a_penalty_that_is_off_by_default_may_be_that_of_the_loss(tmp_path):
    """With the λ of 0 that nobody has given, the gradient has none; with 2 it has that of the loss."""
    text = """
import numpy as np
def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
def cost(X, y, w):
    return -np.sum(y * np.log(softmax(np.dot(X, w)))) + np.sum(w * w)
def train(X_train, y_train, epochs, rate, lam=0):
    w = np.zeros((X_train.shape[1], y_train.shape[1]))
    for _ in range(epochs):
        w = w - rate * (np.dot(X_train.T, softmax(np.dot(X_train, w)) - y_train) + lam * w)
        print(cost(X_train, y_train, w))
    return w
"""
    with pytest.raises(ValueError, match="right if it is called with the number that its loss has"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("lam * w", "2 * w"))["verdict"] == "right"
    found = examined(tmp_path, text.replace(" + lam * w", ""))["findings"]
    assert [f["code"] for f in found] == ["weight-penalty"]


ANY_NUMBER_OF_SIZES = """
import numpy as np


class Network:
    def __init__(self, inputs, *sizes, rate=0.1):
        rng, self.rate = np.random.default_rng(0), rate
        sizes = (inputs, *sizes)
        self.W = [rng.normal(size=s) * 0.5 for s in zip(sizes[:-1], sizes[1:])]
        self.b = [np.zeros(n) for n in sizes[1:]]

    def forward(self, X):
        self.A = [X]
        for W, b in zip(self.W, self.b):
            self.A.append(np.tanh(self.A[-1] @ W + b))
        return self.A[-1]

    def backward(self, Y):
        up = self.A[-1] - Y
        for k in reversed(range(len(self.W))):
            dz = up * (1 - self.A[k + 1] ** 2)
            up = dz @ self.W[k].T
            self.W[k] = self.W[k] - self.rate * self.A[k].T @ dz
            self.b[k] = self.b[k] - self.rate * dz.sum(axis=0)

    def train(self, X, Y):
        for _ in range(9):
            print(0.5 * np.sum((self.forward(X) - Y) ** 2))
            self.backward(Y)
"""


@pytest.mark.parametrize("arguments", ["inputs, *sizes", "*sizes", "scale=0.5, *sizes"])
def test_a_network_of_any_number_of_sizes(tmp_path, arguments):
    text = ANY_NUMBER_OF_SIZES.replace("inputs, *sizes", arguments)
    if "inputs" not in arguments:
        text = text.replace("        sizes = (inputs, *sizes)\n", "")
    for source, said in ((text, "right"), (text.replace("(1 - self.A[k + 1] ** 2)", "self.A[k + 1]"), "wrong")):
        report = examined(tmp_path, source)
        assert report["verdict"] == said
        assert report["network"]["sizes"] == [7, 5, 4, 3]


NAMED_BY_A_WORD = """
import numpy as np


class Slope:
    def __init__(self, kind):
        self.name = kind

    def forward(self, z):
        self.z = z
        match self.name.lower():
            case "relu":
                return np.maximum(z, 0)
            case "tanh":
                return np.tanh(z)

    def backward(self, grad):
        match self.name.lower():
            case "relu":
                return grad * (self.z > 0)
            case "tanh":
                return grad * (1 - np.tanh(self.z) ** 2)


class Dense:
    def __init__(self, inputs, outputs, kind):
        self.W = np.random.randn(inputs, outputs)
        self.slope = Slope(kind)

    def forward(self, x):
        self.x = x
        return self.slope.forward(x @ self.W)

    def backward(self, grad):
        grad = self.slope.backward(grad)
        self.dW = self.x.T @ grad
        return grad @ self.W.T
"""


def test_a_word_that_an_argument_is_matched_with_where_it_is_handed_on(tmp_path):
    report = examined(tmp_path, NAMED_BY_A_WORD)
    assert report["verdict"] == "right"
    assert "forward and backward of class Dense, with kind tanh" in report["program"]
    wrong = examined(tmp_path, NAMED_BY_A_WORD.replace("(1 - np.tanh(self.z) ** 2)", "(1 - self.z ** 2)"))
    assert wrong["verdict"] == "wrong"
