"""Networks that nothing fills: they are given their layers, their loss or their optimiser as objects."""

import pytest
from judging import examined

CONTAINER = """
import numpy as np


class Dense:
    def __init__(self, inputs, outputs):
        self.W = np.random.randn(inputs, outputs) * 0.5
        self.b = np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

    def update(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, grad):
        return grad * (1 - self.out ** 2)

    def update(self, lr):
        pass


class MSE:
    def forward(self, prediction, y):
        self.prediction, self.y = prediction, y
        return np.mean((prediction - y) ** 2)

    def backward(self):
        return 2 * (self.prediction - self.y) / self.y.size


class Network:
    def __init__(self, layers, loss):
        self.layers, self.loss = layers, loss

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def train(self, X, y, lr, epochs):
        for _ in range(epochs):
            loss = self.loss.forward(self.forward(X), y)
            self.backward(self.loss.backward())
            for layer in self.layers:
                layer.update(lr)
            print(loss)
"""

ADDED = (
    "    def __init__(self, layers, loss):\n        self.layers, self.loss = layers, loss",
    """    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def compile(self, loss):
        self.loss = loss""",
)
DESCENT = """class Descent:
    def __init__(self, lr=0.1):
        self.lr = lr

    def step(self, layers):
        for layer in layers:
            layer.update(self.lr)


"""
OPTIMISED = (
    "class Network:\n    def __init__(self, layers, loss):\n        self.layers, self.loss = layers, loss",
    DESCENT
    + """class Network:
    def __init__(self, layers, loss, optimizer):
        self.layers, self.loss, self.optimizer = layers, loss, optimizer""",
)
BASE = """class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad):
        raise NotImplementedError

    def update(self, lr):
        pass


"""
STEPS = "            for layer in self.layers:\n                layer.update(lr)\n"
FORMS = {
    "one argument each": [],
    "added": [ADDED],
    "added, and stepped from outside": [
        ADDED,
        (
            "        self.loss = loss",
            "        self.loss = loss\n\n    def step(self, optimizer):\n        optimizer.step(self.layers)",
        ),
        ("class Network:", DESCENT + "class Network:"),
        (STEPS, "            self.step(Descent(lr))\n"),
    ],
    "by their places": [
        ("for layer in self.layers:\n            x =", "for k in range(len(self.layers)):\n            x ="),
        ("layer.forward", "self.layers[k].forward"),
    ],
    "of a base class": [
        ("class Dense:", BASE + "class Dense(Layer):"),
        ("class Tanh:", "class Tanh(Layer):"),
    ],
    "with an optimiser": [
        OPTIMISED,
        (STEPS, "            self.optimizer.step(self.layers)\n"),
        ("X, y, lr, epochs", "X, y, epochs"),
    ],
    "a loss that is called": [
        ("forward(self, prediction, y)", "__call__(self, prediction, y)"),
        ("loss.forward(", "loss("),
    ],
    "a loss to train with": [
        ("layers, loss):\n        self.layers, self.loss = layers, loss", "layers):\n        self.layers = layers"),
        ("X, y, lr, epochs", "X, y, loss, lr, epochs"),
        ("loss = self.loss.forward", "cost = loss.forward"),
        ("self.loss.", "loss."),
        ("print(loss)", "print(cost)"),
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_containers_are_filled_with_the_files_own_parts(tmp_path, form):
    text = CONTAINER
    for old, new in FORMS[form]:
        assert old in text
        text = text.replace(old, new)
    report = examined(tmp_path, text)
    assert report["verdict"] == "right"
    assert report["network"]["sizes"] == [7, 5, 4, 3]
    for old, new, code in (
        ("(1 - self.out ** 2)", "self.out", "activation-instead-of-derivative"),
        ("grad @ self.W.T", "grad @ self.W.T * 2", "wrong-scale"),
    ):
        report = examined(tmp_path, text.replace(old, new))
        assert report["verdict"] == "wrong"
        assert code in [finding["code"] for finding in report["findings"]]


@pytest.mark.parametrize("form", ["one argument each", "added"])
def test_a_layer_that_was_not_put_into_the_container_is_judged_by_itself(tmp_path, form):
    tanh = CONTAINER[CONTAINER.index("class Tanh:") : CONTAINER.index("class MSE:")]
    sigmoid = tanh.replace("Tanh", "Sigmoid").replace("np.tanh(x)", "1 / (1 + np.exp(-x))")
    text = CONTAINER.replace(
        "class MSE:", sigmoid.replace("1 - self.out ** 2", "self.out - self.out ** 2") + "class MSE:"
    )
    for old, new in FORMS[form]:
        text = text.replace(old, new)
    report = examined(tmp_path, text)
    assert report["verdict"] == "right"
    assert report["network"]["sizes"] == [7, 5, 4, 3]
    wrong = examined(tmp_path, text.replace("self.out - self.out ** 2", "self.out"))
    assert wrong["verdict"] == "wrong"
    assert wrong["program"] == "forward and backward of class Sigmoid"


def test_what_a_container_was_filled_with_is_said(tmp_path):
    report = examined(tmp_path, CONTAINER)
    assert "with layers Dense, Tanh, Dense, Tanh, Dense, loss MSE, lr 1.0" in str(report["program"])


def test_a_loss_that_may_want_another_output_accuses_nobody(tmp_path):
    """The error of cross-entropy is that of softmax's scores, which the author would put before it, and we do not."""
    text = CONTAINER.replace("MSE", "CrossEntropy").replace(
        "np.mean((prediction - y) ** 2)", "-np.sum(y * np.log(prediction))"
    )
    text = text.replace("2 * (self.prediction - self.y) / self.y.size", "self.prediction - self.y")
    with pytest.raises(ValueError, match=r"no verdict: .*the network that they are parts of could not be called"):
        examined(tmp_path, text)


def test_a_containers_parts_may_stand_in_other_files_of_its_folder(tmp_path):
    """In modules that only define something; what runs something is not run, and what is below another folder is of
    another network."""
    for folder in ("here/layers", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    dense, tanh, mse, network = (f"class {part}" for part in CONTAINER.split("class ")[1:])
    (tmp_path / "here/layers/dense.py").write_text(f"import numpy as np\n\n\n{dense}")
    (tmp_path / "here/layers/tanh.py").write_text(f"import numpy as np\n\n\n{tanh}")
    (tmp_path / "here/losses.py").write_text(f"import numpy as np\n\n\n{mse}")
    (tmp_path / "here/main.py").write_text(f"print('run')\n{tanh.replace('Tanh', 'Another')}")
    (tmp_path / "elsewhere/dense.py").write_text(dense.replace("Dense", "Aaa"))
    assert examined(tmp_path / "here", network)["verdict"] == "right"
    (tmp_path / "here/layers/tanh.py").write_text(f"import numpy as np\n\n\n{tanh.replace('1 - self.out ** 2', '1')}")
    report = examined(tmp_path / "here", network)
    assert report["verdict"] == "wrong"
    assert "layers Dense, Tanh, Dense, Tanh, Dense, loss MSE" in report["program"]


def test_a_layer_is_given_its_activation_as_an_object(tmp_path):
    text = CONTAINER[: CONTAINER.index("class MSE")]
    for old, new in [
        ("self, inputs, outputs):", "self, inputs, outputs, activation):\n        self.activation = activation"),
        ("return x @ self.W + self.b", "return self.activation.forward(x @ self.W + self.b)"),
        ("        self.dW =", "        grad = self.activation.backward(grad)\n        self.dW ="),
        ("class Tanh:", "class TanhActivation:"),
    ]:
        text = text.replace(old, new)
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("x.T @ grad", "x.T @ grad * 2"))["verdict"] == "wrong"
