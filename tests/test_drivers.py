"""Where nothing trains: which functions of a file are called, with what, in which order; and what is not called."""

import functools
import itertools
import linecache
import re
import textwrap
from typing import Any

import numpy as np
import pytest
from author_files import FILES

from jaxnet.compare.author import calls, facade
from jaxnet.compare.author.drivers import drive
from jaxnet.compare.author.meanings import meanings, read_name, role
from jaxnet.compare.author.program import run
from jaxnet.compare.author.recorder import recording
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.search import find_steps
from jaxnet.compare.author.standins import stand_ins
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.verdict import verdict

NUMBER = itertools.count()


def never():
    return False


def namespace_of(code, numpy=np):
    """The globals of a program that has `numpy` in the place of NumPy."""
    text = textwrap.dedent(code)
    name = f"written_{next(NUMBER)}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace = {"__name__": "__main__", "np": numpy}
    exec(compile(text, name, "exec"), namespace)
    return namespace


def attempts(code, numpy=np, **flags):
    namespace = namespace_of(code, numpy)
    return namespace, drive(namespace, numpy, never, **flags)


def first(code, numpy=np, **flags):
    namespace, offered = attempts(code, numpy, **flags)
    return namespace, next(offered)


# --- every style -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", FILES)
def test_every_style_makes_a_step_of_all_its_parameters(style, tmp_path):
    file, path = FILES[style], tmp_path / "net.py"
    path.write_text(file.code)
    modules, builtins, _ = stand_ins(tmp_path, path, facade.modules()["numpy"])
    modules = facade.modules() | modules
    with recording(Tape(3000)):
        ran = run(path, tmp_path, modules, builtins=builtins)
    attempt, tape = next(drive(ran.namespace, modules["numpy"], never)), Tape()
    with recording(tape):
        attempt.run()
    step = next(find_steps(tape))[0]
    assert len(step.parameters) == len(file.parameters.split())
    assert "in a deeper network" not in attempt.doubt


# --- what is given ---------------------------------------------------------------------------------------------------

LOGGED = """
    log = []
    def init_params(n_x, n_h, n_y):
        return np.full((n_h, n_x), 0.1), np.zeros((n_h, 1)), np.full((n_y, n_h), 0.2), np.zeros((n_y, 1))
    def forward(X, W1, b1, W2, b2):
        log.append(('forward', X, W1))
        Z1 = W1 @ X + b1
        A1 = np.tanh(Z1)
        A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
        return A1, A2
    def compute_cost(A2, Y):
        log.append(('cost', A2, Y))
        return np.sum((A2 - Y) ** 2) / 2
    def backward(A1, A2, W2, X, Y):
        log.append(('backward', A1, A2, W2, X, Y))
        dZ2 = (A2 - Y) * A2 * (1 - A2)
        dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
        dW1, db1 = dZ1 @ X.T, dZ1.sum(1, keepdims=True)
        dW2, db2 = dZ2 @ A1.T, dZ2.sum(1, keepdims=True)
        return dW1, db1, dW2, db2
"""


def test_arguments_come_from_where_they_belong():
    namespace, attempt = first(LOGGED)
    namespace["log"].clear()
    attempt.run()
    assert [entry[0] for entry in namespace["log"]] == ["forward", "cost", "backward"] * 3
    (_, x, w), (_, prediction, labels), (_, a1, a2, w2, x_again, y) = namespace["log"][:3]
    assert x_again is x
    assert y is labels
    assert a2 is prediction
    assert a1.shape == (w.shape[0], x.shape[1])
    assert w2.shape == (y.shape[0], w.shape[0])
    assert set(np.unique(y)) == {0, 1}
    assert len({*x.shape, *w.shape, *y.shape}) == 4  # a transpose cannot hide


def test_the_driver_steps_by_the_gradients_themselves():
    namespace, attempt = first(LOGGED)
    namespace["log"].clear()
    attempt.run()
    (_, x, stepped_w1), _, (_, _, _, w2, _, y) = namespace["log"][:3]
    assert namespace["log"][6][2] is stepped_w1  # in place, so that whoever holds the array sees it
    w = dict(zip(("W1", "b1", "W2", "b2"), namespace["init_params"](len(x), w2.shape[1], len(y)), strict=True))
    for _ in range(3):
        hidden, out = namespace["forward"](x, **w)
        gradients = namespace["backward"](hidden, out, w["W2"], x, y)
        w = {name: value - calls.RATE * g for (name, value), g in zip(w.items(), gradients, strict=True)}
    assert np.allclose(stepped_w1, w["W1"], atol=1e-14)


def test_the_description_says_what_was_called():
    assert first(LOGGED)[1].description == "forward and backward, called with data of jaxnet's own"
    trained = """
        class Net:
            def __init__(self, n_in):
                self.w = np.ones((n_in, 1))
            def fit(self, X, y, lr=0.1):
                self.w -= lr * X.T @ (X @ self.w - y)
    """
    assert first(trained)[1].description == "fit(X, y, lr) of class Net, called with data of jaxnet's own"
    # What tells nothing and stands behind the data is the labels.
    other = trained.replace("X, y, lr", "X, yd, lr").replace("- y)", "- yd)")
    assert first(other)[1].description == "fit(X, yd, lr) of class Net, called with data of jaxnet's own"


def test_a_class_that_trains_and_of_which_another_makes_objects():
    several = """
    class Net:
        def __init__(self, sizes):
            self.w = np.ones((sizes[0], sizes[-1]))
        def fit(self, X, y, lr):
            for _ in range(3):
                self.w -= lr * X.T @ (X @ self.w - y)

    class Several:
        def make(self, count, sizes):
            self.nets = [Net(sizes) for _ in range(count)]
    """
    assert first(several)[1].description == "fit(X, y, lr) of class Net, called with data of jaxnet's own"


def test_what_trains_by_itself_comes_first():
    code = (
        LOGGED
        + """
    def train(X, Y, learning_rate, num_iterations):
        W1, b1, W2, b2 = init_params(X.shape[0], 4, Y.shape[0])
        for i in range(num_iterations):
            A1, A2 = forward(X, W1, b1, W2, b2)
            dW1, db1, dW2, db2 = backward(A1, A2, W2, X, Y)
            W1 = W1 - learning_rate * dW1
        return W1
    """
    )
    namespace, attempt = first(code)
    assert attempt.description.startswith("train(X, Y, learning_rate, num_iterations)")
    namespace["log"].clear()
    attempt.run()
    assert len(namespace["log"]) == 3 * 3 * 2  # three calls of three iterations


def test_integer_labels_where_one_hot_ones_do_not_do():
    code = """
        log = []
        class Net:
            def __init__(self, n_inputs, n_classes):
                self.W = np.ones((n_inputs, n_classes)) * 0.1
            def forward(self, X):
                self.X = X
                e = np.exp(X @ self.W)
                self.P = e / e.sum(1, keepdims=True)
                return self.P
            def backward(self, y):
                log.append(y)
                d = self.P.copy()
                d[np.arange(len(y)), y] -= 1
                self.dW = self.X.T @ d / len(y)
    """
    namespace, attempt = first(code)
    namespace["log"].clear()
    attempt.run()
    labels = namespace["log"][0]
    assert labels.ndim == 1
    assert labels.dtype.kind == "i"
    assert set(labels) == {0, 1, 2}


@pytest.mark.parametrize("argument", ["a", "activations", "signal"])
def test_one_example_where_the_gradients_are_of_one(argument):
    code = """
        log = []
        class Net:
            def __init__(self, sizes):
                self.weights = [np.ones((o, i)) / i for i, o in zip(sizes[:-1], sizes[1:])]
                self.biases = [np.zeros((o, 1)) for o in sizes[1:]]
            def feedforward(self, argument):
                a = argument
                for w, b in zip(self.weights, self.biases):
                    a = np.tanh(w @ a + b)
                return a
            def backprop(self, x, y):
                log.append(x)
                activations = [x]
                for w, b in zip(self.weights, self.biases):
                    activations.append(np.tanh(w @ activations[-1] + b))
                delta = (activations[-1] - y) * (1 - activations[-1] ** 2)
                nabla_b, nabla_w = [delta], [delta @ activations[-2].T]
                for l in range(2, len(self.weights) + 1):
                    delta = self.weights[-l + 1].T @ delta * (1 - activations[-l] ** 2)
                    nabla_b.insert(0, delta)
                    nabla_w.insert(0, delta @ activations[-l - 1].T)
                return nabla_b, nabla_w
    """.replace("argument", argument)
    namespace, attempt = first(code)
    namespace["log"].clear()
    attempt.run()
    assert namespace["log"][0].shape == (7, 1)


def test_sizes_follow_those_that_the_code_has():
    code = """
        log = []
        class Net:
            def __init__(self):
                self.W1, self.W2 = np.ones((2, 3)), np.ones((3, 1))
            def forward(self, X):
                self.h = np.tanh(X @ self.W1)
                return self.h @ self.W2
            def backward(self, X, y, output):
                log.append((X.shape, y.shape, output.shape))
                e = output - y
                return {'W1': X.T @ (e @ self.W2.T * (1 - self.h ** 2)), 'W2': self.h.T @ e}
    """
    namespace, attempt = first(code)
    namespace["log"].clear()
    attempt.run()
    (m, inputs), labels, outputs = namespace["log"][0]
    assert (inputs, labels, outputs) == (2, (m, 1), (m, 1))


def test_weights_with_a_row_for_the_bias_and_batches_larger_than_our_data():
    _, attempt = first("""
        class Net:
            def __init__(self):
                self.W1, self.W2 = np.random.randn(3, 4), np.random.randn(5, 1)
            def fit(self, X, y, batch_size=100):
                for k in range(len(X) // batch_size):
                    x, t = (part[k * batch_size:(k + 1) * batch_size] for part in (X, y))
                    x = np.c_[x, np.ones(len(x))]
                    h = np.c_[np.tanh(x @ self.W1), np.ones(len(x))]
                    error = h @ self.W2 - t
                    dW1 = x.T @ (error @ self.W2.T * (1 - h ** 2))[:, :-1]
                    self.W2 = self.W2 - 0.1 * h.T @ error
                    self.W1 = self.W1 - 0.1 * dW1
    """, facade.modules()["numpy"])  # fmt: skip
    with recording(Tape()) as tape:
        attempt.run()
    assert [p.before.shape for p in next(find_steps(tape))[0].parameters] == [(3, 4), (5, 1)]


def test_sizes_that_the_author_calls_an_initialiser_with():
    namespace, attempt = first("""
        log = []
        def init_weights(inputs, hidden, classes):
            assert hidden == inputs // 2
            return np.ones((inputs, hidden)), np.ones((hidden, classes))
        def forward(X, W1, W2):
            H = np.tanh(X @ W1)
            return H, H @ W2
        def backward(X, Y, W1, W2, H, output):
            log.append((X.shape, Y.shape))
            error = output - Y
            return X.T @ (error @ W2.T * (1 - H ** 2)), H.T @ error
        def main():
            W1, W2 = init_weights(8, 4, 2)
            H, output = forward(X, W1, W2)
            dW1, dW2 = backward(X, Y, W1, W2, H, output)
    """)
    namespace["log"].clear()
    attempt.run()
    assert [shape[1] for shape in namespace["log"][0]] == [8, 2]


@pytest.mark.parametrize("returned", ["H, Z, squash(Z)", "Z, H, squash(Z)", "squash(Z), H, Z", "H, Z, P"])
@pytest.mark.parametrize("keepdims", ["", ", keepdims=True"])
def test_a_prediction_may_be_returned_without_a_name(tmp_path, returned, keepdims):
    """What is made of another result of its shape is the prediction, and not that one."""
    (tmp_path / "net.py").write_text(f"""
import numpy as np

def squash(Z):
    return np.tanh(Z)

def forward(X, W1, b1, W2, b2):
    H = squash(X @ W1 + b1)
    Z = H @ W2 + b2
    P = squash(Z)
    return {returned}

def loss(Yp, Y):
    return np.sum((Yp - Y) ** 2) / (2 * len(Y))

def backward(X, Y, H, Yp, W2):
    d = (Yp - Y) / len(Y) * (1 - Yp ** 2)
    dH = d @ W2.T * (1 - H ** 2)
    return X.T @ dH, np.sum(dH, axis=0{keepdims}), H.T @ d, np.sum(d, axis=0{keepdims})
""")
    said = verdict(tmp_path / "net.py", tmp_path)
    assert (said.verdict, len(said.parameters), said.loss["from"]) == ("right", 4, "source")


OF_SCORES = """
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def mse(p, Y):
    return np.mean((p - Y) ** 2)

def cross_entropy(p, Y):
    return -np.sum(Y * np.log(p)) / len(Y)

def forward(X, W1, W2, scale=0.5):
    H = np.tanh(X @ W1) * scale
    return softmax(H @ W2), H

def backward(X, Y, p, H, W2, scale):
    d = (p - Y) / len(Y)
    dW2 = H.T @ d
    dW1 = X.T @ (d @ W2.T * scale * (1 - (H / scale) ** 2))
    return dW1, dW2
"""


@pytest.mark.parametrize(("old", "new", "right"), [
    ("", "", [True, True]),  # by one of its losses, and with the number that the forward pass has by default
    (" * scale *", " *", [False, True]),
    ("(p - Y) / len(Y)", "2 * p * ((p - Y) - np.sum((p - Y) * p, 1, keepdims=True)) / p.size", [True, True]),
])  # fmt: skip
def test_a_file_of_several_losses_is_right_by_one(tmp_path, old, new, right):
    (tmp_path / "net.py").write_text(OF_SCORES.replace(old, new))
    assert [p.right for p in verdict(tmp_path / "net.py", tmp_path).parameters] == right


def test_what_a_backward_pass_is_given_may_be_the_softmax_of_what_the_other_one_returns(tmp_path):
    text = OF_SCORES.replace("return softmax(H @ W2), H", "return H @ W2, H")
    text = text.replace("np.mean((p - Y) ** 2)", "np.mean(np.abs(p - Y))")
    (tmp_path / "net.py").write_text(text)
    with pytest.raises(ValueError, match="right if backward is given softmax of what forward returns"):
        verdict(tmp_path / "net.py", tmp_path)
    unused = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n"  # where there is a softmax already
    (tmp_path / "net.py").write_text(OF_SCORES.replace("H.T @ d\n", "H.T @ (d * p)\n") + unused)
    assert [p.right for p in verdict(tmp_path / "net.py", tmp_path).parameters] == [True, False]


STYLES = {  # of files that define functions only: what they are, and a mistake that would be proved in it
    "a course's deep network, with a helper before and a prediction after": ("""
        def init_deep(layer_dims):
            return {f"{k}{l}": np.random.randn(layer_dims[l], *([layer_dims[l - 1]] if k == "W" else [1]))
                    for l in range(1, len(layer_dims)) for k in "Wb"}
        def layer_forward(A, W, b, last):
            Z = W @ A + b
            return (1 / (1 + np.exp(-Z)) if last else np.maximum(0, Z)), (A, W, Z)
        def model_forward(X, parameters):
            caches, A, L = [], X, len(parameters) // 2
            for l in range(1, L + 1):
                A, cache = layer_forward(A, parameters[f"W{l}"], parameters[f"b{l}"], l == L)
                caches.append(cache)
            return A, caches
        def compute_cost(AL, Y):
            return np.squeeze(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / Y.shape[1])
        def model_backward(AL, Y, caches):
            grads, dZ = {}, (AL - Y) / Y.shape[1]
            for l in reversed(range(len(caches))):
                A_prev, W, Z = caches[l]
                grads[f"dW{l + 1}"] = dZ @ A_prev.T
                grads[f"db{l + 1}"] = dZ.sum(axis=1, keepdims=True)
                dZ = W.T @ dZ * (A_prev > 0)
            return grads
        def predict(X, parameters):
            return model_forward(X, parameters)[0] > 0.5
    """, "* (A_prev > 0)", ""),
    "a loss with its gradients, which returns scores without labels": ("""
        class TwoLayerNet:
            def __init__(self, input_size, hidden_size, output_size, std=1e-1):
                self.params = {"W1": std * np.random.randn(input_size, hidden_size), "b1": np.zeros(hidden_size),
                               "W2": std * np.random.randn(hidden_size, output_size), "b2": np.zeros(output_size)}
            def loss(self, X, y=None, reg=0.0):
                p = self.params
                h = np.maximum(0, X @ p["W1"] + p["b1"])
                scores = h @ p["W2"] + p["b2"]
                if y is None:
                    return scores
                e = np.exp(scores - scores.max(axis=1, keepdims=True))
                q = e / e.sum(axis=1, keepdims=True)
                loss = -np.log(q[np.arange(len(y)), y]).mean() + reg * sum(np.sum(p[k] ** 2) for k in ("W1", "W2"))
                q[np.arange(len(y)), y] -= 1
                q /= len(y)
                d = q @ p["W2"].T * (h > 0)
                grads = {"W1": X.T @ d + 2 * reg * p["W1"], "b1": d.sum(0)}
                grads |= {"W2": h.T @ q + 2 * reg * p["W2"], "b2": q.sum(0)}
                return loss, grads
    """, "d + 2 * reg", "d + reg"),
    "a cost and its gradient of the same arguments": ("""
        def compute_cost(X, y, theta):
            return np.sum((X @ theta - y) ** 2) / (2 * len(y))
        def compute_gradient(X, y, theta):
            return X.T @ (X @ theta - y) / len(y)
    """, "X.T @ (X @ theta - y)", "X.T @ np.tanh(X @ theta - y)"),
    "a cost with its gradient, and a penalty without the first": ("""
        def cost_function(theta, X, y, lam):
            m, h = y.size, 1 / (1 + np.exp(-X @ theta))
            J = (-y @ np.log(h) - (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * np.sum(theta[1:] ** 2)
            grad = X.T @ (h - y) / m
            grad[1:] += lam / m * theta[1:]
            return J, grad
    """, "", ""),
    "loops, in which labels are only compared": ("""
        def softmax_loss_naive(W, X, y, reg):
            loss, dW = 0.0, np.zeros_like(W)
            for i in range(len(X)):
                s = np.exp(X[i] @ W)
                p = s / s.sum()
                loss += -np.log(p[y[i]])
                for j in range(W.shape[1]):
                    dW[:, j] += (p[j] - (j == y[i])) * X[i]
            return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W
    """, "* X[i]\n", "* X[0]\n"),
    "functions with names of their own, and parameters in one argument": ("""
        def model(x, theta):
            W1, b1, W2, b2 = theta
            h = np.tanh(x @ W1 + b1)
            e = np.exp(h @ W2 + b2)
            return e / e.sum(axis=1, keepdims=True), h
        def nll(probs, labels):
            return -np.mean(np.log(probs[np.arange(len(labels)), labels]))
        def grad(theta, x, labels):
            W1, b1, W2, b2 = theta
            probs, h = model(x, theta)
            d = probs.copy()
            d[np.arange(len(labels)), labels] -= 1
            d /= len(labels)
            dh = d @ W2.T * (1 - h ** 2)
            return [x.T @ dh, dh.sum(0), h.T @ d, d.sum(0)]
    """, "(1 - h ** 2)", "(1 - h)"),
    "an initialiser with zeros in its name, and a bias that is a number": ("""
        def initialize_with_zeros(dim):
            w, b = np.zeros((dim, 1)), 0.0
            return w, b
        def propagate(w, b, X, Y):
            A = 1 / (1 + np.exp(-(w.T @ X + b)))
            cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / X.shape[1]
            grads = {"dw": X @ (A - Y).T / X.shape[1], "db": np.sum(A - Y) / X.shape[1]}
            return grads, cost
    """, "np.sum(A - Y) / X", "np.sum(A - Y) / X.T"),
    "a bias of one output, as a number": ("""
        def forward(X, w, b):
            return X @ w + b
        def mse(p, y):
            return np.mean((p - y) ** 2)
        def backward(X, y, p):
            e = p - y
            return 2 * X.T @ e / len(X), 2 * np.mean(e)
    """, "2 * np.mean(e)", "np.mean(e)"),
    "weights of one output as a vector, and labels as one": ("""
        class Classifier:
            def __init__(self, n_features, n_hidden=8):
                self.W1 = np.random.randn(n_features, n_hidden)
                self.w2 = np.random.randn(n_hidden)
            def forward(self, X):
                self.X, self.h = X, np.tanh(X @ self.W1)
                self.prob = 1 / (1 + np.exp(-self.h @ self.w2))
                return self.prob
            def loss(self, y):
                return -np.mean(y * np.log(self.prob) + (1 - y) * np.log(1 - self.prob))
            def backward(self, y):
                d = (self.prob - y) / len(y)
                self.dw2 = self.h.T @ d
                self.dW1 = self.X.T @ (np.outer(d, self.w2) * (1 - self.h ** 2))
    """, "* (1 - self.h ** 2)", ""),
    "a forward pass that gives the loss": ("""
        def init(d, h, k):
            return dict(W1=np.random.randn(d, h), b1=np.zeros(h), W2=np.random.randn(h, k), b2=np.zeros(k))
        def forward(params, x, y):
            h = np.tanh(x @ params["W1"] + params["b1"])
            s = h @ params["W2"] + params["b2"]
            logp = s - np.log(np.exp(s).sum(-1, keepdims=True))
            return -np.mean(logp[np.arange(len(y)), y]), (x, y, h, logp)
        def backward(params, cache):
            x, y, h, logp = cache
            g = np.exp(logp)
            g[np.arange(len(y)), y] -= 1
            g = g / len(y)
            d = g @ params["W2"].T * (1 - h ** 2)
            return dict(W1=x.T @ d, b1=d.sum(0), W2=h.T @ g, b2=g.sum(0))
    """, "(1 - h ** 2)", "(1 - h)"),
    "weights that are the module's": ("""
        W = np.random.normal(0, 0.1, size=(12, 4))
        b = np.zeros(4)
        def net(X):
            e = np.exp(X @ W + b)
            return e / e.sum(1, keepdims=True)
        def cross_entropy(y_hat, y):
            return -np.log(y_hat[range(len(y_hat)), y])
        def grad_net(X, y_hat, y):
            d = y_hat.copy()
            d[range(len(y_hat)), y] -= 1
            return X.T @ d, d.sum(0)
    """, "X.T @ d", "X.T @ np.abs(d)"),
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_functions_that_nothing_calls(tmp_path, style):
    text, old, new = STYLES[style]
    path = tmp_path / "net.py"
    text = "import numpy as np\n" + textwrap.dedent(text)
    path.write_text(text)
    assert verdict(path, tmp_path).verdict == "right"
    if old:  # of one array alone nothing could be proved
        path.write_text(text.replace(old, new))
        assert not all(p.right for p in verdict(path, tmp_path).parameters)


SEVERAL_LABELS = """
    import numpy as np
    class Net:
        def __init__(self, n_in, n_hid, n_out, kind="tanh"):
            self.kind, self.W1, self.W2 = kind, np.random.randn(n_in, n_hid), np.random.randn(n_hid, n_out)
            self.b2 = np.zeros(n_out)
        def act(self, Z):
            return np.maximum(Z, 0) if self.kind == "relu" else np.tanh(Z)
        def act_gradient(self, Z):
            if self.kind == "relu":
                return (Z < 0).astype(float)
            return 1 - np.tanh(Z) ** 2
        def forward(self, X):
            self.X, self.Z1 = X, X @ self.W1
            self.A1 = self.act(self.Z1)
            self.A2 = 1 / (1 + np.exp(-(self.A1 @ self.W2 + self.b2)))
            return self.A2
        def loss(self, A2, Y):
            return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / len(Y)
        def backward(self, Y):
            d = (self.A2 - Y) / len(Y)
            self.dW2, self.db2 = self.A1.T @ d, d.sum(axis=0)
            self.dW1 = self.X.T @ (d @ self.W2.T * self.act_gradient(self.Z1))
"""


@pytest.mark.parametrize(("old", "new", "outputs", "note"), [
    ("", "", 3, None),
    ("d.sum(axis=0)", "d.sum() * np.ones(self.b2.shape)", 1, "with several the gradient of b2 would be wrong"),
    ("self.dW1 = ", "self.dW1 = getattr(self, 'dW1', 0) + ", 3, "adds a gradient to those of all steps be"),
])  # fmt: skip
def test_what_is_right_of_what_we_call_may_be_wrong_called_otherwise(tmp_path, old, new, outputs, note):
    """With several outputs, or once more; and a branch that was not run is said to be none that was judged."""
    path = tmp_path / "net.py"
    path.write_text(textwrap.dedent(SEVERAL_LABELS).replace(old, new))
    report = verdict(path, tmp_path)
    assert (report.verdict, report.network["sizes"][-1]) == ("right", outputs)
    assert [note in said for said in report.notes] == [True] * (note is not None)
    assert report.idle == ["line 11 of Net.act_gradient"]


@pytest.mark.parametrize(("backward", "said"), [
    ("def backward(self, wanted):\n    self.dW = self.x.T @ np.sign(self.out - wanted)", None),
    ("def backward(self, error):\n    self.W += 0.1 * self.x.T @ error\n    return error @ self.W.T",
     "right if it is given the error with the other sign"),
    ("def backward(self, dout):\n    self.dW = self.x.T @ dout\n    return dout",
     "right if what it sends back is the derivative of the loss by what a line of its own makes"),
])  # fmt: skip
def test_what_a_backward_pass_is_given_may_be_another_error(tmp_path, backward, said):
    """Labels by another name, an error with the other sign; and what is sent back may be an error of its own."""
    path = tmp_path / "net.py"
    text = """
import numpy as np
class Linear:
    def __init__(self, size):
        self.W = np.random.randn(size, size)
    def forward(self, x):
        self.x, self.out = x, x @ self.W
        return self.out
    def loss(self, wanted):
        return np.sum(np.abs(self.out - wanted))
"""
    path.write_text(text + textwrap.indent(backward, "    "))
    if said is None:
        path.write_text(path.read_text().replace("self, size", "self, d, k").replace("size, size", "d, k"))
        assert verdict(path, tmp_path).verdict == "right"
    else:
        path.write_text(path.read_text().replace("def loss", "def size_of"))
        with pytest.raises(ValueError, match=said):
            verdict(path, tmp_path)


@pytest.mark.parametrize(("old", "new", "right"), [("", "", True), ("np.where(x > 0, 0, x)", "x", False)])
def test_a_lone_function_has_parameters_of_any_name(tmp_path, old, new, right):
    """Also of one that data may have elsewhere: a, beside x."""
    path = tmp_path / "prelu.py"
    text = """
import numpy as np
def prelu_forward(x, a):
    return np.where(x > 0, x, a * x), (x, a)
def prelu_backward(dout, cache):
    x, a = cache
    dx = np.where(x > 0, dout, a * dout)
    da = np.sum(dout * np.where(x > 0, 0, x), axis=0)
    return dx, da
"""
    path.write_text(text.replace(old, new))
    assert {p.name: p.right for p in verdict(path, tmp_path).parameters} == {"a": right, "x": True}


def test_what_a_lone_layer_sends_back_has_the_shape_of_its_input(tmp_path):
    path = tmp_path / "layer.py"
    path.write_text(textwrap.dedent(LAZY).replace("return grad @ self.W.T", "return grad"))
    with pytest.raises(ValueError, match="no verdict"):
        verdict(path, tmp_path)


LOSSES = """
    import numpy as np
    def mse(y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)
    def mse_prime(y_true, y_pred):
        return 2 * (y_pred - y_true) / np.size(y_true)
    def softmax_loss(x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        rows = np.arange(len(x))
        loss = -np.sum(np.log(p[rows, y])) / len(x)
        dx = p.copy()
        dx[rows, y] -= 1
        dx /= len(x)
        return loss, dx
"""


@pytest.mark.parametrize(("old", "new", "said"), [
    ("", "", ("right", 1.0)), ("2 * (y_pred", "(y_pred", ("right-up-to-scale", 0.5)),
    ("    dx /= len(x)\n", "", ("right-up-to-scale", 6.0)),
])  # fmt: skip
def test_functions_of_a_loss_and_its_derivative(tmp_path, old, new, said):
    """In two functions, or in one, with rows of labels or with classes: of the loss that they have themselves."""
    path = tmp_path / "losses.py"
    path.write_text(textwrap.dedent(LOSSES).replace(old, new))
    report = verdict(path, tmp_path)
    assert (report.verdict, *[f.scale for f in report.findings]) == (
        said[0],
        *[pytest.approx(said[1])] * (said[1] != 1),
    )
    assert "softmax_loss" in report.program or "mse_prime" in report.program
    assert report.truth == "jax.grad of your forward pass and loss"


def test_a_backward_pass_that_takes_the_data_is_no_layers(tmp_path):
    """And keeps no network of its file from being called."""
    path = tmp_path / "net.py"
    path.write_text("""
import numpy as np
class Net:
    def __init__(self, n_in, n_hid, n_out):
        self.W1, self.W2 = np.random.randn(n_in, n_hid), np.random.randn(n_hid, n_out)
    def forward(self, X, y):
        self.y, self.h = y, np.tanh(X @ self.W1)
        self.out = self.h @ self.W2
        return np.mean((self.out - y) ** 2)
    def backward(self, X, lr):
        d = 2 * (self.out - self.y) / self.y.size
        dW2, dW1 = self.h.T @ d, X.T @ (d @ self.W2.T * (1 - self.h ** 2))
        self.W2 -= lr * dW2
        self.W1 -= lr * dW1
""")
    assert [p.name for p in verdict(path, tmp_path).parameters] == ["W1", "W2"]


FURTHER = """
    import numpy as np
    def init():
        return {"W1": np.random.randn(5, 7), "b1": np.zeros((5, 1)), "a": 0.25, "W2": np.random.randn(3, 5)}
    def prelu(z, a):
        return np.where(z > 0, z, a * z)
    def forward(inputs, params):
        z = params["W1"] @ inputs + params["b1"]
        h = prelu(z, params["a"])
        return params["W2"] @ h, (z, h)
    def mse(p, y):
        return 0.5 * np.sum((p - y) ** 2) / y.shape[1]
    def backward(p, inputs, y, params, cache):
        z, h = cache
        d = (p - y) / y.shape[1]
        grads = {"dW2": d @ h.T}
        dh = params["W2"].T @ d
        grads["da"] = np.sum(dh * np.where(z > 0, 0, z))
        dz = dh * np.where(z > 0, 1, params["a"])
        grads["dW1"] = dz @ inputs.T
        grads["db1"] = dz.sum(axis=1, keepdims=True)
        dinputs = params["W1"].T @ dz
        grads["dscale"] = np.sum(dh * z, axis=1)
        return grads, dinputs
"""


@pytest.mark.parametrize(("old", "new", "wrong"), [
    ("", "", []),
    ("np.where(z > 0, 0, z)", "z", ["a"]),
    ('params["W1"].T @ dz', 'params["W1"].T @ dh', None),
    ("np.where(z > 0, 1, params[", "np.where(z > 0, 1, 2 * params[", ["W1", "b1", "X"]),
])  # fmt: skip
def test_all_that_a_backward_pass_returns_is_compared(tmp_path, old, new, wrong):
    """The gradients of the data, and of what has no name of a parameter; what is of neither is said."""
    path = tmp_path / "net.py"
    path.write_text(textwrap.dedent(FURTHER).replace(old, new))
    report = verdict(path, tmp_path)
    assert [row.name for row in report.parameters if not row.right] == (wrong or [])
    assert any("dscale" in array.why for array in report.unjudged)
    if wrong is None:  # it may be meant otherwise, and nothing goes on with it
        assert "line 22 of net.py gives as the gradient of the data is none" in report.notes[0]
    else:
        assert {row.name for row in report.parameters} == {"W1", "b1", "W2", "a", "X"}


def test_a_network_whose_data_are_stepped_as_well_is_read_as_dense(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(textwrap.dedent(FURTHER).replace('"a": 0.25,', "").replace('params["a"]', "0.25"))
    report = verdict(path, tmp_path)
    assert report.network is not None
    path.write_text(path.read_text().replace("d @ h.T", "d @ np.tanh(h).T"))
    assert [f.code for f in verdict(path, tmp_path).findings] == ["unknown"]


def test_a_gradient_may_be_returned_without_a_name(tmp_path):
    text = """
import numpy as np

def scale_forward(x, gamma):
    return gamma * x, (x, gamma)

def scale_backward(dout, cache):
    x, gamma = cache
    dgamma = (dout * x).sum(axis=0)
    return dout * gamma, dgamma
"""
    for given, right in ((text, True), (text.replace("return dout * gamma", "return dout + gamma"), False)):
        (tmp_path / "layer.py").write_text(given)
        said = verdict(tmp_path / "layer.py", tmp_path)
        assert {p.name: p.right for p in said.parameters} == {"gamma": True, "x": right}


@pytest.mark.parametrize("without_hidden", ["", "=None", "=[]"])
def test_a_network_has_all_the_layers_and_outputs_that_it_may_have(tmp_path, without_hidden):
    """Of one layer, or of one output, a relu's slope and a sum over all units would not be missed."""
    (tmp_path / "net.py").write_text(f"""
import numpy as np

class Network:
    def __init__(self, inputs, outputs, hidden_layers{without_hidden}):
        sizes = [inputs, *(hidden_layers or []), outputs]
        self.W = [np.random.normal(size=size) * 0.3 for size in zip(sizes, sizes[1:])]
        self.b = [np.zeros(size) for size in sizes[1:]]

    def train(self, X, Y):
        A = [X]
        for W, b in zip(self.W[:-1], self.b):
            A.append(np.maximum(A[-1] @ W + b, 0))
        P = 1 / (1 + np.exp(-(A[-1] @ self.W[-1] + self.b[-1])))
        print(-np.mean(np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P), axis=1)))
        D = (P - Y) / len(X)
        for k in reversed(range(len(self.W))):
            dW, db = A[k].T @ D, np.sum(D)
            D = D @ self.W[k].T
            self.W[k] -= 0.1 * dW
            self.b[k] -= 0.1 * db

    def predict(self, X):
        return np.argmax(X)
""")
    said = verdict(tmp_path / "net.py", tmp_path)
    assert len(said.network["sizes"]) == 4
    assert said.network["sizes"][-1] == 3
    codes = {f.code for f in said.findings}
    assert codes == {"missing-activation-derivative", "summed-over-all-axes"}


def test_a_loss_that_gives_its_gradients_as_well():
    namespace, attempt = first("""
        log = []
        class Regression:
            def __init__(self, n_features=2):
                self.params = {'W': np.ones((n_features, 1))}
            def loss(self, X, y):
                log.append((X.shape, y.shape))
                error = X @ self.params['W'] - y
                return np.sum(error ** 2) / 2, {'dW': X.T @ error}
    """)
    assert attempt.description == "loss of class Regression, called with data of jaxnet's own"
    namespace["log"].clear()
    attempt.run()
    assert len(namespace["log"]) == 3


def test_gradients_under_the_names_of_their_parameters():
    _, attempt = first(
        """
        class Regression:
            def __init__(self, n_features=2):
                self.weights = {'W1': np.ones((n_features, 1))}
                self.gradients = {'W1': np.zeros((n_features, 1))}
            def forward(self, X, y):
                error = X @ self.weights['W1'] - y
                self.gradients['W1'] += X.T @ error
                return np.sum(error ** 2) / 2
    """,
        facade.modules()["numpy"],
    )
    with recording(Tape()) as tape:
        attempt.run()
    assert [len(step.parameters) for step in next(find_steps(tape))[:1]] == [1]


def test_the_modules_number_of_examples_is_that_of_our_data():
    namespace, attempt = first(
        "m = 1200\n" + textwrap.dedent(LOGGED).replace("return dW1, db1", "dW1 = dW1 / m\n    return dW1, db1")
    )
    namespace["log"].clear()
    attempt.run()
    assert namespace["m"] == namespace["log"][0][1].shape[1]


# --- what is not called ----------------------------------------------------------------------------------------------

NO_LABELS = """
    class Net:
        def __init__(self, n_in, n_out):
            self.W = np.ones((n_in, n_out))
        def forward(self, X):
            self.X = X
            return X @ self.W
        def backward(self, output):
            self.W -= self.X.T @ (output - 1)
"""


def test_labels_are_never_replaced_by_the_prediction():
    _, offered = attempts(NO_LABELS)
    assert not [a for a in offered if "data of jaxnet" in a.description]


@pytest.mark.parametrize("code", [
    "x = 1", "def plot(x):\n    return x", "class Data:\n    def __init__(self, path):\n        self.path = path",
    "def forward(X, W1):\n    return W1 @ X\ndef numerical_gradient(f, x):\n    return x",
    "def backward(X, Y, mystery):\n    return X\ndef forward(X, W):\n    return W @ X",
])  # fmt: skip
def test_nothing_is_offered_where_there_is_nothing(code):
    _, offered = attempts(code)
    assert list(offered) == []


def test_it_stops_when_it_is_told_to():
    namespace = namespace_of(LOGGED)
    assert list(drive(namespace, np, lambda: True)) == []


def test_what_raises_is_not_offered():
    code = LOGGED.replace("dZ2 = (A2 - Y)", "raise RuntimeError('no')\n        dZ2 = (A2 - Y)")
    _, offered = attempts(code)
    assert list(offered) == []


# --- flags -----------------------------------------------------------------------------------------------------------


def test_flags_name_the_functions():
    code = LOGGED.replace("forward", "alpha").replace("backward", "omega").replace("init_params", "begin")
    assert list(attempts(code)[1]) == []
    _, attempt = first(code, forward="alpha", backward="omega", init="begin", loss="compute_cost")
    assert attempt.description == "alpha and omega, called with data of jaxnet's own"


def test_the_layout_is_kept_to():
    plays: list[Any] = [a.run for a in attempts(LOGGED, layout="columns")[1]]
    worlds = [play.args[1] for play in plays if isinstance(play, functools.partial)]
    assert worlds
    assert all(world.layout == "columns" for world in worlds)
    assert list(attempts(LOGGED, layout="rows")[1]) == []


# --- lone layers -----------------------------------------------------------------------------------------------------


def stepped(code):
    """The steps that the first attempt makes: the shapes of the parameters, and the tape's step."""
    numpy = facade.modules()["numpy"]
    namespace = namespace_of(code, numpy)
    attempt = next(drive(namespace, numpy, never))
    tape = Tape()
    with recording(tape):
        attempt.run()
    step = next(find_steps(tape))[0]
    return attempt.description, sorted(p.versions[0].shape for p in step.parameters)


DENSE = """
    class Dense:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)
            self.b = np.zeros(n_out)
        def forward(self, x):
            self.x = x
            return x @ self.W + self.b
"""


@pytest.mark.parametrize("rest", [
    "def backward(self, dout):\n    self.dW = self.x.T @ dout\n    self.db = dout.sum(0)\n    return dout @ self.W.T",
    "def backward(self, grad, lr):\n    dx = grad @ self.W.T\n    self.W -= lr * self.x.T @ grad\n"
    "    self.b -= lr * grad.sum(0)\n    return dx",
    "def backward(self, delta):\n    return delta @ self.W.T, self.x.T @ delta, delta.sum(0)",
    "def backward(self, g):\n    self.g = g\n    return g @ self.W.T\ndef update(self, lr):\n"
    "    self.W = self.W - lr * self.x.T @ self.g\n    self.b = self.b - lr * self.g.sum(0)",
    "def backward(self, dvalues):\n    self.dweights = self.x.T @ dvalues\n    self.dbiases = dvalues.sum(0)\n"
    "    self.dinputs = dvalues @ self.W.T",
])  # fmt: skip
def test_a_lone_layer(rest):
    description, shapes = stepped(textwrap.dedent(DENSE) + textwrap.indent(rest, "    "))
    assert description == "forward and backward of class Dense"
    assert shapes == [(4,), (5, 4), (6, 5)]  # b, W and x


LAZY = """
    import numpy as np
    class Dense:
        def __init__(self, units):
            self.units, self.W = units, None
        def forward(self, X):
            if self.W is None:
                self.W = np.random.randn(X.shape[1], self.units)
            self.X = X
            return X @ self.W
        def backward(self, grad):
            self.dW = self.X.T @ grad
            return grad @ self.W.T
"""


@pytest.mark.parametrize(("factor", "right"), [("", True), (" * 2", False), (" / len(grad)", None)])
def test_a_lone_layer_that_makes_its_weights_in_its_first_forward_pass(tmp_path, factor, right):
    """A loss may divide by the number of examples; it has no part in any other constant of one gradient alone."""
    path = tmp_path / "layer.py"
    path.write_text(textwrap.dedent(LAZY).rstrip() + factor)
    if right is None:
        with pytest.raises(ValueError, match="right but for the number of examples"):
            verdict(path, tmp_path)
    else:
        assert {p.name: p.right for p in verdict(path, tmp_path).parameters} == {"W": True, "X": right}


@pytest.mark.parametrize("names", ["i, o", "n, m", "a, o"])
def test_a_lone_layer_of_two_sizes(tmp_path, names):
    first, second = names.split(", ")
    (tmp_path / "layer.py").write_text(f"""
import numpy as np

class Dense:
    def __init__(self, {names}):
        self.W, self.b = np.random.randn({first}, {second}), np.zeros({second})

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
""")
    said = verdict(tmp_path / "layer.py", tmp_path)
    assert (said.verdict, [p.name for p in said.parameters]) == ("right", ["W", "b", "x"])


def test_the_windows_of_a_lone_pooling_do_not_overlap(tmp_path):
    """Else a mask of the maxima would be wrong where one is that of two windows."""
    (tmp_path / "layer.py").write_text("""
import numpy as np

class MaxPool:
    def __init__(self, kernel_size, stride=2):
        self.k, self.s = kernel_size, stride

    def forward(self, x):
        n, c, h, w = x.shape
        self.mask, k, s = np.zeros_like(x), self.k, self.s
        out = np.zeros((n, c, (h - k) // s + 1, (w - k) // s + 1))
        for a, b, i, j in np.ndindex(*out.shape):
            t = x[a, b, i * s : i * s + k, j * s : j * s + k]
            p, q = np.unravel_index(t.argmax(), t.shape)
            self.mask[a, b, i * s + p, j * s + q] = 1
            out[a, b, i, j] = t[p, q]
        return out

    def backward(self, dout):
        dx, k, s = self.mask.copy(), self.k, self.s
        for a, b, i, j in np.ndindex(*dout.shape):
            dx[a, b, i * s : i * s + k, j * s : j * s + k] *= dout[a, b, i, j]
        return dx
""")
    assert verdict(tmp_path / "layer.py", tmp_path).verdict == "right"


def test_a_lone_layer_is_given_its_parameters():
    code = """
        class Affine:
            def __init__(self, W, b):
                self.W, self.b = W, b
            def forward(self, x):
                self.x = x
                return x @ self.W + self.b
            def backward(self, dout):
                self.dW, self.db = self.x.T @ dout, dout.sum(0)
                return dout @ self.W.T
    """
    assert stepped(code)[1] == [(4,), (5, 4), (6, 5)]


@pytest.mark.parametrize("code", [
    "class Scale:\n    def __init__(self, n_features):\n        self.gamma = np.ones(n_features)\n"
    "    def forward(self, x):\n        self.x = x\n        return x * self.gamma\n"
    "    def backward(self, dout):\n        self.dgamma = (dout * self.x).sum(0)\n        return dout * self.gamma",
    "class Scale:\n    def __init__(self, n_features):\n        self.params = {'s': np.ones(n_features)}\n"
    "    def forward(self, x):\n        self.x = x\n        return x * self.params['s']\n"
    "    def backward(self, dout):\n        self.grads = {'s': (dout * self.x).sum(0)}\n"
    "        return dout * self.params['s']",
    "def scale_forward(x, gamma):\n    return x * gamma, (x, gamma)\n"
    "def scale_backward(dout, cache):\n    x, gamma = cache\n    dgamma = (dout * x).sum(0)\n    dx = dout * gamma\n"
    "    return dx, dgamma",
])  # fmt: skip
def test_parameters_that_are_neither_weights_nor_biases(code):
    assert stepped(code)[1] == [(5,), (6, 5)]


def test_what_is_right_for_rows_is_not_called_with_a_vector():
    layer = (
        DENSE
        + """
        def backward(self, dout):
            self.dW, self.db = np.outer(self.x, dout), dout.sum(0)
            return (dout @ self.W.T).reshape(self.x.shape)
    """
    )
    _, offered = attempts(layer)
    plays: list[Any] = [attempt.run for attempt in offered]
    assert [play.args[1] for play in plays] == [(1, 5)]


def test_a_layer_that_cannot_be_called_leaves_a_doubt():
    """That of the whole file, which one of its layers alone does not acquit."""
    same = """
        class Same:
            def forward(self, x):
                return x
            def backward(self, dout):
                return dout
    """
    other = """
        class Other:
            def forward(self, x):
                return x @ self.weights
            def backward(self, dout):
                return dout @ self.weights.T
    """
    assert [a.doubt for a in attempts(same)[1]] == [""] * 2
    assert {a.description.split()[-1]: a.doubt for a in attempts(same + other)[1]} == {
        "Same": "",
        "Other": "it cannot be called",
    }


def test_each_layer_of_a_file_by_itself():
    code = (
        DENSE
        + """
        def backward(self, dout):
            self.dW, self.db = self.x.T @ dout, dout.sum(0)
            return dout @ self.W.T
    class Softsign:
        def forward(self, x):
            self.x = x
            return x / (1 + np.abs(x))
        def backward(self, dout):
            return dout / (1 + np.abs(self.x)) ** 2
    """
    )
    names = [attempt.description for attempt in attempts(code)[1]]
    assert list(dict.fromkeys(names)) == [f"forward and backward of class {name}" for name in ("Dense", "Softsign")]


def test_a_layer_is_built_for_its_input(tmp_path):
    """And what it has is called as its author calls it."""
    (tmp_path / "layer.py").write_text("""
import numpy as np
class Dense:
    def __init__(self, units, activation=None):
        self.units, self.params = units, {}
    def build(self, input_shape):
        self.params["w"] = np.random.randn(input_shape[-1], self.units)
        self.params["b"] = np.zeros(self.units)
    def forward(self, x):
        self.x = x
        return x @ self.params["w"] + self.params["b"]
    def backward(self, dout):
        self.dw, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.params["w"].T
""")
    report = verdict(tmp_path / "layer.py", tmp_path)
    assert (report.verdict, [p.name for p in report.parameters]) == ("right", ["b", "w", "x"])


def test_a_class_of_static_methods_is_a_place_for_functions():
    code = """
    class Net:
        @staticmethod
        def initialize(input_size, hidden=4):
            return {'W1': np.random.randn(input_size, hidden), 'W2': np.random.randn(hidden, 1)}
        @staticmethod
        def forward(X, params):
            A1 = np.tanh(X @ params['W1'])
            return A1 @ params['W2'], {'X': X, 'A1': A1}
        @staticmethod
        def backward(y, P, cache, params, rate):
            dZ = P - y
            dA = dZ @ params['W2'].T * (1 - cache['A1'] ** 2)
            params['W2'] -= rate * cache['A1'].T @ dZ
            params['W1'] -= rate * cache['X'].T @ dA
        @staticmethod
        def fit(X, y, epochs, rate):
            params = Net.initialize(X.shape[1])
            for _ in range(epochs):
                P, cache = Net.forward(X, params)
                Net.backward(y.reshape(P.shape), P, cache, params, rate)
            return params
    """
    assert first(code)[1].description == "fit(X, y, epochs, rate), called with data of jaxnet's own"


def test_a_generator_that_trains_is_run_through():
    code = """
    log = []
    class Net:
        def __init__(self, n_in):
            self.w = np.ones((n_in, 1))
        def fit(self, X, y, epochs, lr=0.1):
            for epoch in range(epochs):
                self.w -= lr * X.T @ (X @ self.w - y)
                log.append(epoch)
                yield epoch
    """
    namespace, attempt = first(code)
    namespace["log"].clear()
    attempt.run()
    assert namespace["log"] == [0, 1, 2] * 3


def test_a_layer_that_averages_has_a_loss_that_does():
    code = (
        DENSE
        + """
        def backward(self, dout):
            self.dW, self.db = self.x.T @ dout / len(dout), dout.mean(0)
            return dout @ self.W.T
    """
    )
    numpy = facade.modules()["numpy"]
    with recording(Tape()) as tape:
        next(drive(namespace_of(code, numpy), numpy, never)).run()
    step, values = next(find_steps(tape))[0], Values({})
    assert sorted(p.before.shape for p in step.parameters) == [(4,), (5, 4), (6, 5)]
    steps = {p.before.shape: np.asarray(values(p.before)) - np.asarray(values(p.after)) for p in step.parameters}
    w = next(np.asarray(values(p.before)) for p in step.parameters if p.before.shape == (5, 4))
    upstream = steps[6, 5] @ np.linalg.pinv(w.T)  # of the loss that W and b are stepped by
    assert np.allclose(upstream.sum(0), steps[4,])


@pytest.mark.parametrize("pair", [
    "def affine_forward(x, w, b):\n    return x @ w + b, (x, w, b)\n"
    "def affine_backward(dout, cache):\n    x, w, b = cache\n    dx = dout @ w.T\n    dw = x.T @ dout\n"
    "    db = dout.sum(0)\n    return dx, dw, db",
    "def tanh(x):\n    return np.tanh(x)\ndef tanh_prime(x):\n    return 1 - np.tanh(x) ** 2",
    "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\ndef sigmoid_derivative(a):\n    return a * (1 - a)",
    "def relu_forward(x):\n    return np.maximum(x, 0), x\n"
    "def relu_backward(dout, cache):\n    return dout * (cache > 0)",
])  # fmt: skip
def test_lone_functions(pair):
    description, shapes = stepped(pair)
    forward, backward = (line.partition("(")[0][4:] for line in pair.splitlines() if line.startswith("def"))
    assert description == f"{forward} and {backward}"
    assert (6, 5) in shapes
    assert len(shapes) == (3 if "affine" in pair else 1)


def test_a_derivative_is_given_what_it_is_written_for():
    namespace, attempt = first("""
        log = []
        def sigmoid(z):
            return 1 / (1 + np.exp(-z))
        def sigmoid_derivative(a):
            log.append(a)
            return a * (1 - a)
    """)
    attempt.run()
    at_x, at_output = namespace["log"][-2:]
    assert np.allclose(at_output, 1 / (1 + np.exp(-at_x)))


def test_how_many_hidden_layers_there_are_is_said_beside_their_widths():
    attempt = first("""
        class Net:
            def __init__(self, n_hidden, widths, n_in):
                self.n, self.p, sizes = n_hidden + 1, {}, [n_in, *widths, 3]
                for k in range(self.n):
                    self.p[f"W{k + 1}"] = np.random.randn(sizes[k], sizes[k + 1])
            def forward(self, x):
                self.a = [x]
                for k in range(self.n):
                    self.a.append(np.tanh(self.a[-1] @ self.p[f"W{k + 1}"]))
                return self.a[-1]
            def train(self, X, Y, epochs, b_size, learning_rate):
                for _ in range(epochs):
                    pick = np.random.choice(len(X), b_size)
                    d = (self.forward(X[pick]) - Y[pick]) * (1 - self.a[-1] ** 2)
                    for k in range(self.n - 1, -1, -1):
                        gradient, d = self.a[k].T @ d, d @ self.p[f"W{k + 1}"].T * (1 - self.a[k] ** 2)
                        self.p[f"W{k + 1}"] = self.p[f"W{k + 1}"] - learning_rate * gradient
    """)[1]
    assert attempt.description.startswith("train(X, Y, epochs, b_size, learning_rate) of class Net")


def test_a_lone_loss():
    description, shapes = stepped("""
        class MeanSquaredError:
            def __call__(self, predictions, labels):
                return np.mean((predictions - labels) ** 2)
            def gradient(self, predictions, labels):
                return 2 * (predictions - labels) / labels.size
    """)
    assert description == "__call__ and gradient of class MeanSquaredError"
    assert shapes == [(6, 5)]


def test_what_cannot_be_called_is_told_with_the_line_that_came_furthest():
    namespace, failed = (
        namespace_of("""
        class Odd:
            def forward(self, x):
                return 2 * x
            def backward(self, dout):
                dx = 2 * dout
                raise RuntimeError("frozen")
    """),
        {},
    )
    list(drive(namespace, np, never, failed=failed))
    ((what, why),) = failed.items()
    assert what == "forward and backward of class Odd"
    assert re.fullmatch(r"line 7 of written_\d+\.py: RuntimeError: frozen", why)


def test_a_softmax_made_for_its_loss_is_neither_called_nor_acquitted():
    _, offered = attempts("""
        class Softmax:
            def forward(self, z):
                e = np.exp(z)
                return e / e.sum(1, keepdims=True)
            def backward(self, dz):
                return dz
    """)
    assert [attempt.doubt for attempt in offered] == ["it cannot be called"]


# --- pairs, names ----------------------------------------------------------------------------------------------------


def paired(parameters, gradients):
    pairs = calls.pair_up(calls.leaves(parameters), calls.leaves(gradients))
    return [(p.way, g.way) for p, g in pairs]


def test_parameters_and_gradients_are_paired_by_name():
    w, b = np.ones((2, 3)), np.ones(2)
    assert paired({"W1": w, "b1": b}, {"db1": b * 2, "dW1": w * 2}) == [(("W1",), ("dW1",)), (("b1",), ("db1",))]
    assert paired({"w_out": w}, {"grad_w_out": w * 2}) == [(("w_out",), ("grad_w_out",))]
    assert paired({"gamma": b}, {"beta": b * 3, "dgamma": b * 2}) == [(("gamma",), ("dgamma",))]


def test_lists_are_paired_in_either_order():
    weights = [np.ones((2, 3)), np.ones((4, 2))]
    straight = paired({"weights": weights}, {"nabla_w": [w * 2 for w in weights]})
    assert straight == [(("weights", k), ("nabla_w", k)) for k in (0, 1)]
    turned = paired({"weights": weights}, {"grad_w": [w * 2 for w in weights[::-1]]})
    assert turned == [(("weights", k), ("grad_w", 1 - k)) for k in (0, 1)]


def test_unnamed_gradients_are_paired_in_order_if_their_shapes_fit():
    w1, b1, w2 = np.ones((2, 3)), np.ones((2, 1)), np.ones((1, 2))
    assert len(paired({"W1": w1, "b1": b1, "W2": w2}, (w1 * 2, b1 * 2, w2 * 2))) == 3
    assert paired({"W1": w1, "b1": b1, "W2": w2}, (w2 * 2, b1 * 2, w1 * 2))[0][1] == (2,)
    assert paired({"W1": w1, "b1": b1}, (w2 * 2, b1 * 2)) == []


def test_steps():
    w, b = np.ones((2, 2)), {"b": 1.0}
    held = {"w": w, "b": b}
    calls.step(list(zip(calls.leaves(held), calls.leaves({"dw": np.full((2, 2), 0.25), "db": 0.5}), strict=True)))
    assert w.tolist() == [[0.75, 0.75]] * 2
    assert held["b"]["b"] == 0.5


@pytest.mark.parametrize(("name", "building", "first_meaning"), [
    ("X_train", False, "X"), ("y_true", False, "Y"), ("targets", False, "Y"), ("AL", False, "P"), ("y_hat", False, "P"),
    ("learning_rate", False, "rate"), ("alpha", False, "rate"), ("n_h", True, "hidden1"), ("layer_dims", True, "sizes"),
    ("output_size", True, "outputs"), ("in_features", True, "inputs"), ("num_iterations", False, "count"),
    ("dout", False, "upstream"), ("dA", False, "upstream"), ("grad_output", False, "upstream"),
    ("caches", False, "cache"),
    ("training_data", False, "pairs"), ("mini_batch_size", False, "m"), ("parameters", False, "parameters"),
    ("grads", False, "gradients"), ("lambd", False, "penalty"), ("output", False, "P"), ("outputs", True, "outputs"),
    ("inputs_num", True, "inputs"),
])  # fmt: skip
def test_meanings(name, building, first_meaning):
    assert meanings(name, building)[0] == first_meaning


@pytest.mark.parametrize(("name", "expected"), [
    ("forward_prop", "forward"), ("L_model_backward", "backward"), ("backprop", "backward"), ("__call__", "forward"),
    ("update_parameters", "update"), ("initialize_parameters_deep", "init"), ("compute_cost", "loss"), ("fit", "train"),
    ("gradient_descent", "train"), ("gradient_decent", "train"), ("relu_derivative", "backward"), ("dropout", "no"),
    ("numerical_gradient", "no"), ("to_one_hot", "no"), ("softmax_loss_onehot", "loss"),
    ("zero_grad", "zero"), ("cross_entropy", "loss"), ("predict", "forward"), ("plot_decision_boundary", "no"),
])  # fmt: skip
def test_roles(name, expected):
    assert role(name) == expected


@pytest.mark.parametrize(("name", "kind", "place", "gradient"), [
    ("W1", "W", "1", False), ("dW1", "W", "1", True), ("nabla_b", "b", "", True), ("grad_w2", "W", "2", True),
    ("weights_ho", "W", "ho", False), ("bias_hidden", "b", "hidden", False), ("dJdW2", "W", "2", True),
    ("weights_gradient", "W", "", True), ("weigths_ho", "W", "ho", False),
])  # fmt: skip
def test_parameters_are_read_from_names(name, kind, place, gradient):
    assert read_name(name) == (kind, place, gradient)


@pytest.mark.parametrize("name", ["x", "Z1", "A2", "delta", "labels", "loss", "vocab"])
def test_other_names_are_none(name):
    assert read_name(name) is None


def test_a_constructor_is_given_what_a_program_that_breaks_off_gives_it(tmp_path):
    (tmp_path / "net.py").write_text("""
import numpy as np


def relu(z):
    return np.maximum(z, 0)


def drelu(z):
    return (z > 0) * 1


class Net:
    def __init__(self, size, step, h, dh):
        self.step, self.h, self.dh = step, h, dh
        self.W = [np.random.normal(0, 0.5, (b, a)) for a, b in zip(size[:-1], size[1:])]

    def train(self, x, y, epochs):
        for _ in range(epochs):
            a, s = [x.T], []
            for W in self.W:
                s.append(W @ a[-1])
                a.append(self.h(s[-1]) if len(s) < len(self.W) else s[-1])
            d = a[-1] - y.T
            for k in reversed(range(len(self.W))):
                before = (self.W[k].T @ d) * self.dh(s[k - 1]) if k else None
                self.W[k] -= self.step * d @ a[k].T
                d = before
""")
    (tmp_path / "run.py").write_text("""
from net import Net, drelu, relu

x, y = open("data.unknown").read()["x"]
Net((784, 30, 10), 0.3, relu, drelu).train(x, y, 3)
""")
    said = verdict(tmp_path / "net.py", tmp_path)
    assert said.verdict == "right"
    assert (said.program or "").endswith("with step 0.3")


STEPPED_BY_ITSELF = """
import numpy as np
class Dense:
    def __init__(self, inputs, outputs, rate=1.0):
        self.W, self.b, self.rate = np.random.randn(inputs, outputs), np.zeros(outputs), rate
    def forward(self, x):
        return x.dot(self.W) + self.b
    def backward(self, x, error):
        back = error.dot(self.W.T)
        self.W = self.W - self.rate * x.T.dot(error)
        self.b = self.b - self.rate * error.sum(axis=0)
        return back
"""


def test_what_is_meant_for_several_examples_is_not_accused_with_one(tmp_path):
    """With several the wrong line raises; with one its gradient is a number, as is that of a right line."""
    (tmp_path / "net.py").write_text(STEPPED_BY_ITSELF)
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"
    (tmp_path / "net.py").write_text(STEPPED_BY_ITSELF.replace("x.T.dot(error)", "x.T.dot(back)"))
    with pytest.raises(ValueError, match="right if it is called with several examples at a time"):
        verdict(tmp_path / "net.py", tmp_path)


CALLED_P = """
import numpy as np
def forward_propagation(X, Y, p):
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    A2 = 1 / (1 + np.exp(-(p["W2"] @ A1 + p["b2"])))
    return np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2)), (A1, A2)
def backward_propagation(X, Y, cache, p):
    A1, A2 = cache
    dZ2 = (A2 - Y) / X.shape[1]
    dZ1 = p["W2"].T @ dZ2 * (1 - A1 ** 2)
    return {"W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True), "W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True)}
"""


def test_what_has_weights_by_their_names_is_no_prediction(tmp_path):
    (tmp_path / "net.py").write_text(CALLED_P)
    said = verdict(tmp_path / "net.py", tmp_path)
    assert said.verdict == "right"
    assert "learning rate" not in said.truth  # of a step that nobody takes
    (tmp_path / "net.py").write_text(CALLED_P.replace("(1 - A1 ** 2)", "A1 * (1 - A1)"))
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "wrong"


RIDGE = """
import numpy as np
class Ridge:
    def __init__(self, alpha=1.0, C=1.0, lr=0.05):
        self.alpha, self.C, self.lr = alpha, C, lr
    def fit(self, X, y, steps=30):
        self.w = np.random.default_rng(0).normal(size=X.shape[1])
        for _ in range(steps):
            e = X @ self.w - y
            self.cost = 0.5 * self.C * np.mean(e ** 2) + 0.5 * self.alpha * self.w @ self.w
            self.w = self.w - self.lr * (self.C * X.T @ e / len(y) + self.alpha * self.w)
        return self
"""


@pytest.mark.parametrize(("by_default", "given"), [("1.0", "0.6"), ("0.0", "0.0913")])
def test_what_is_1_or_0_by_default_is_another_number_where_only_we_build_an_object(tmp_path, by_default, given):
    """A factor that was forgotten would not show; and what is a number by default is no size, as a C could be."""
    text = RIDGE.replace("alpha=1.0", f"alpha={by_default}")
    (tmp_path / "net.py").write_text(text)
    said = verdict(tmp_path / "net.py", tmp_path)
    assert (said.verdict, (said.program or "").rpartition("with ")[2]) == ("right", f"alpha {given}, C 0.6, lr 0.05")
    (tmp_path / "net.py").write_text(text.replace("self.alpha * self.w)", "self.w)"))
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "wrong"
    only = f"        assert alpha == {by_default}\n        self.alpha"
    (tmp_path / "net.py").write_text(text.replace("        self.alpha", only, 1))
    said = verdict(tmp_path / "net.py", tmp_path)
    assert (said.program or "").rpartition("with ")[2] == f"alpha {by_default}, C 1.0, lr 0.05"  # as it is built


def test_steps_that_are_not_taken_are_named(tmp_path):
    """Where we call both passes, and make the step."""
    text = """
def adam(W1, W2, dW1, dW2, m, v):
    W1 -= 0.1 * m / v
    return W1, W2
def move(W1, update):
    W1 -= update
def checked(W1, eps):
    W1[0, 0] += eps
    W1 -= W1.mean(0)
"""
    (tmp_path / "net.py").write_text(OF_SCORES + text)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert (report.verdict, report.idle) == ("right", ["adam", "move"])


OF_PAIRS = """
import numpy as np
class Conv:
    def __init__(self, input_channels=1, filter_num=4, filter_dim=(2, 3)):
        self.filter_dim = filter_dim
        self.W = np.random.randn(filter_num, input_channels, filter_dim[0], filter_dim[1]) * 0.1
    def forward(self, X):
        self.X = X
        f, g = self.filter_dim
        out = np.zeros((X.shape[0], self.W.shape[0], X.shape[2] - f + 1, X.shape[3] - g + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = np.einsum('ncxy,fcxy->nf', X[:, :, i:i + f, j:j + g], self.W)
        return out
    def backward(self, dout):
        f, g = self.filter_dim
        dX, self.dW = np.zeros_like(self.X), np.zeros_like(self.W)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                self.dW += np.einsum('ncxy,nf->fcxy', self.X[:, :, i:i + f, j:j + g], dout[:, :, i, j])
                dX[:, :, i:i + f, j:j + g] += np.einsum('nf,fcxy->ncxy', dout[:, :, i, j], self.W)
        return dX
"""


def test_a_size_that_is_a_pair_by_default_stays_one(tmp_path):
    (tmp_path / "net.py").write_text(OF_PAIRS)
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"
    (tmp_path / "net.py").write_text(OF_PAIRS.replace("+= np.einsum('ncxy,nf", "= np.einsum('ncxy,nf"))
    assert {p.name: p.right for p in verdict(tmp_path / "net.py", tmp_path).parameters} == {"W": False, "X": True}


OF_OTHER = "self.n_in if before is None else before.n_out"
CONNECTED = f"""
import numpy as np
class Linear:
    def __init__(self, n_out, n_in=None):
        self.n_out, self.n_in, self.W, self.b = n_out, n_in, None, None
    def connect_to(self, before=None):
        self.W = np.random.normal(size=({OF_OTHER}, self.n_out)) * 0.1
        self.b = np.zeros((1, self.n_out))
    def forward(self, input):
        self.last_input = input
        return np.dot(input, self.W) + self.b
    def backward(self, grad):
        self.dW = np.dot(self.last_input.T, grad)
        self.db = np.sum(grad, axis=0)
        return np.dot(grad, self.W.T)
"""


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"self, before=None": "self, n", OF_OTHER: "n"},
        {"self, before=None": "self, shape", OF_OTHER: "shape[1]"},
        {"self, before=None": "self, x", OF_OTHER: "x.shape[1]"},
    ],
    ids=["other layer", "number", "shape", "inputs"],
)  # fmt: skip
def test_a_layer_whose_weights_a_method_makes(tmp_path, changes):
    """Its bias has one row, and the gradient of it none: it is stepped by it all the same."""
    text = functools.reduce(lambda text, item: text.replace(*item), changes.items(), CONNECTED)
    (tmp_path / "net.py").write_text(text)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert (report.verdict, {p.name for p in report.parameters}) == ("right", {"W", "b", "input"})


def test_of_two_arrays_of_a_layer_one_is_no_mean_beside_a_sum(tmp_path):
    """Where both are means, the loss that the layer is used with may divide by the number of examples."""
    mean = CONNECTED.replace("np.sum(grad", "np.mean(grad")
    (tmp_path / "net.py").write_text(mean)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert [(f.code, f.at) for f in report.findings] == [("wrong-scale", "db")]
    assert report.places[0].line == 14
    (tmp_path / "net.py").write_text(mean.replace("last_input.T, grad)", "last_input.T, grad) / len(grad)"))
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"


WINDOWS = """
import numpy as np
class Pool:
    def __init__(self, func='mean', stride=2):
        self.func, self.stride = func, stride
    def forward(self, X):
        n, d, h, w = X.shape
        s = self.stride
        self.X, self.win = X, X.reshape(n, d, h // s, s, w // s, s)
        return self.win.mean(axis=(3, 5)) if self.func == 'mean' else self.win.max(axis=(3, 5))
    def backward(self, dout):
        part = np.ones_like(self.win) / self.stride ** 2
        if self.func != 'mean':
            part = self.win == self.win.max(axis=(3, 5), keepdims=True)
        return (part * dout[:, :, :, None, :, None]).reshape(self.X.shape), []
"""


def test_what_a_forward_pass_makes_anew_is_no_weight_of_a_layer(tmp_path):
    """Though it is called like one; and a word by default is no size."""
    (tmp_path / "net.py").write_text(WINDOWS)
    said = verdict(tmp_path / "net.py", tmp_path).to_dict()
    assert (said["verdict"], said["program"]) == ("right", "forward and backward of class Pool, with stride 3")


def test_weights_that_a_class_keeps_as_a_vector(tmp_path):
    (tmp_path / "net.py").write_text("""
import numpy as np
class Softmax:
    def __init__(self, input_size, num_classes):
        self.input_size, self.num_classes = input_size, num_classes
        self.theta = 0.005 * np.random.normal(size=num_classes * input_size)
    def cost(self, theta, data, labels):
        theta = theta.reshape(self.num_classes, self.input_size)
        z = np.dot(theta, data)
        p = np.exp(z) / np.sum(np.exp(z), axis=0)
        truth = np.eye(self.num_classes)[labels].T
        grad = -np.dot(truth - p, data.T) / data.shape[1]
        return -np.sum(truth * np.log(p)) / data.shape[1], grad.flatten()
""")
    report = verdict(tmp_path / "net.py", tmp_path)
    assert (report.verdict, [p.name for p in report.parameters]) == ("right", ["theta"])


OF_THREE_AXES = """
import numpy as np
class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)
class Scale:
    def __init__(self, size):
        self.gamma, self.beta = Parameter(np.ones(size)), Parameter(np.zeros(size))
    def forward(self, x):
        self.x = x
        return np.tanh(x) * self.gamma.data + self.beta.data
    def backward(self, d):
        self.gamma.grad += (d * np.tanh(self.x)).sum(axis=(0, 1))
        self.beta.grad += d.sum(axis=(0, 1))
        return d * self.gamma.data * (1 - np.tanh(self.x) ** 2)
"""


def test_a_layer_for_arrays_of_three_axes_is_not_accused_by_two(tmp_path):
    """With two the sum over both is a number, which NumPy adds to all entries."""
    (tmp_path / "net.py").write_text(OF_THREE_AXES)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert (report.verdict, report.parameters[-1].given.shape) == ("right", (6, 3, 5))
    (tmp_path / "net.py").write_text(OF_THREE_AXES.replace("self.beta.grad += d.sum", "self.beta.grad += 2 * d.sum"))
    assert {p.name: p.right for p in verdict(tmp_path / "net.py", tmp_path).parameters}["beta"] is False


def test_a_class_that_is_one_layer_is_no_network_that_could_not_be_called(tmp_path):
    """Its passes may be those of a network, by their names: what is meant is a layer, and that is judged."""
    (tmp_path / "net.py").write_text("""
import numpy as np
class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T
""")
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"


def test_a_number_of_outputs_that_we_have_chosen_is_no_constant(tmp_path):
    """Of one output the mean is what it is said to be."""
    text = """
import numpy as np
def mse_loss(w, X, y):
    r = X.dot(w) - y
    dw = 2 * X.T.dot(r) / len(y)
    return (r ** 2).mean(), dw
"""
    for content, findings in ((text, []), (text.replace("dw = 2 *", "dw ="), ["wrong-scale"])):
        (tmp_path / "net.py").write_text(content)
        assert [f.code for f in verdict(tmp_path / "net.py", tmp_path).findings] == findings
