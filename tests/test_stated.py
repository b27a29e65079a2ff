"""Losses that a file defines and that no step runs: they are run beside it, and are what is differentiated."""

import re

import pytest
from judging import PLAIN, examined

RIDGE = """
import numpy as np
class Ridge:
    def predict(self, X):
        return X @ self.w + self.b
    def objective(self, X, y):
        return 0.5 * np.sum((self.predict(X) - y) ** 2)
    def gradient(self, X, y):
        r = self.predict(X) - y
        return X.T @ r, r.sum()
    def fit(self, X, y):
        self.w, self.b = np.zeros(X.shape[1]), 0.0
        for _ in range(50):
            dw, db = self.gradient(X, y)
            self.w -= 0.01 * dw
            self.b -= 0.01 * db
        return self
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
Ridge().fit(X, X @ [1.0, -2.0, 0.5] + 0.3)
"""
ELASTIC = """
import numpy as np
class ElasticNet:
    def __init__(self, share=0.5):
        self.share = share
    def loss(self, X, y):
        r = X @ self.w + self.b - y
        penalty = self.share * np.sum(np.abs(self.w)) + 0.5 * (1 - self.share) * np.sum(self.w ** 2)
        return 0.5 * np.mean(r ** 2) + 0.1 * penalty
    def fit(self, X, y):
        self.w, self.b = np.ones(X.shape[1]), 0.0
        for _ in range(100):
            r = X @ self.w + self.b - y
            dw = X.T @ r / len(y) + 0.1 * (self.share * np.sign(self.w) + (1 - self.share) * self.w)
            db = np.mean(r)
            self.w -= 0.01 * dw
            self.b -= 0.01 * db
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
ElasticNet().fit(X, X @ [1.0, -2.0, 0.5] + 0.3)
"""


def where_wrong(said: dict) -> list[tuple[str, str]]:
    return [(finding["at"], finding["source"]) for finding in said["findings"]]


@pytest.mark.parametrize(
    ("loss", "wrong"),
    [("0.5 * np.sum", ("db1", "return X.T @ r, r.mean()")), ("0.5 * np.mean", ("dW1", "return X.T @ r, r.mean()"))],
)
def test_it_tells_a_sum_from_a_mean(tmp_path, loss, wrong):
    """Of Xᵀr beside the mean of r one is wrong, and the error alone does not say which."""
    said = examined(tmp_path, RIDGE.replace("r.sum()", "r.mean()").replace("0.5 * np.sum", loss))
    assert (said["loss"]["from"], where_wrong(said)) == ("source", [wrong])
    assert any(
        "Ridge.objective, which is not run before a step, is run before line 9" in note for note in said["notes"]
    )


def test_it_tells_of_a_penalty(tmp_path):
    """λw for λ sign(w) is the penalty of another loss, and one that is inferred has it as well."""
    right = examined(tmp_path, ELASTIC)
    assert (right["verdict"], right["loss"]["from"], right["unjudged"]) == ("right", "source", [])
    said = examined(tmp_path, ELASTIC.replace("np.sign(self.w)", "self.w"))
    assert [finding["at"] for finding in said["findings"]] == ["dW1"]
    after = ELASTIC + "print(ElasticNet.loss(net, X, X @ [1.0, -2.0, 0.5]))\n"
    after = after.replace("ElasticNet().fit", "net = ElasticNet()\nnet.fit")
    assert [f["at"] for f in examined(tmp_path, after.replace("np.mean(r)", "np.sum(r)"))["findings"]] == ["db1"]


COSTS = """
def squares(y, p):
    return np.mean((y - p) ** 2)
def entropy_loss(y, p):
    return -np.sum(y * np.log(p)) / 9
for _"""


@pytest.mark.parametrize("name", ["squares", "squared_loss"])
def test_one_of_another_kind_than_the_error_is_a_measure(tmp_path, name):
    """Of two, that is the loss by which all is right; one alone, of other gradients, says nothing, if it is not called
    a loss."""
    text = PLAIN.replace("loss = -np.sum(Y * np.log(P)) / 9", "pass")
    both = text.replace("for _", COSTS.replace("squares", name).lstrip(), 1)
    assert examined(tmp_path, both)["loss"] == {"name": "cross-entropy", "reduction": "mean", "from": "source"}
    one = re.sub(r"def entropy_loss.*?\n.*?\n", "", both)
    if name == "squares":
        said = examined(tmp_path, one)
        assert (said["verdict"], said["loss"]["from"]) == ("right", "inferred")
    else:
        with pytest.raises(ValueError, match="right if that is a measure, wrong if it is what is to be made small"):
            examined(tmp_path, one)
    said = examined(tmp_path, one.replace("* (1 - A1 ** 2)", ""))
    assert [f["code"] for f in said["findings"]] == ["missing-activation-derivative"]


def test_what_it_keeps_in_its_object_is_not_seen_by_the_step(tmp_path):
    """Its own forward pass has another mask than the one of the step."""
    text = """
import numpy as np
class Net:
    def __init__(self):
        draws = np.random.default_rng(1)
        self.W, self.V = draws.normal(size=(4, 9)), draws.normal(size=(9, 1))
    def forward(self, X, training=True):
        self.mask = np.random.rand(len(X), 9) < 0.8 if training else 1.0
        self.h = np.maximum(0, X @ self.W) * self.mask
        return self.h @ self.V
    def loss(self, X, y):
        return 0.5 * np.mean((self.forward(X) - y) ** 2)
    def step(self, X, y):
        d = (self.forward(X) - y) / len(y)
        dV = self.h.T @ d
        self.W -= 0.1 * X.T @ (d @ self.V.T * self.mask * (self.h > 0))
        self.V -= 0.1 * dV
X = np.random.default_rng(0).normal(size=(50, 4))
net = Net()
for _ in range(50):
    net.step(X, X[:, :1] * 2 - X[:, 1:2])
"""
    for loss in ("self.forward(X)", "self.forward(X, training=False)"):
        said = examined(tmp_path, text.replace("np.mean((self.forward(X)", f"np.mean(({loss}"))
        assert (said["verdict"], said["loss"]["from"]) == ("right", "inferred")


PAIRS = """
import numpy as np
class Net:
    def __init__(self):
        self.w = np.random.randn(3, 1)
    def total_cost(self, data):
        return sum(0.5 * np.sum((self.w.T @ x - y) ** 2) for x, y in data) / len(data)
    def update(self, batch, eta):
        step = sum(x @ (self.w.T @ x - y) for x, y in batch)
        self.w = self.w - eta / len(batch) * step
    def SGD(self, data, eta):
        for _ in range(3):
            for k in range(0, len(data), 10):
                self.update(data[k : k + 10], eta)
            print(self.total_cost(data))
np.random.seed(0)
Net().SGD([(x, np.array([[x.sum()]])) for x in np.random.randn(40, 3, 1)], 0.1)
"""


def test_one_of_all_examples_is_none_of_a_batch(tmp_path):
    """Whether it makes its predictions at once or one by one, some of them as the step does."""
    assert examined(tmp_path, PAIRS)["verdict"] == "right"
    text = RIDGE.replace("self.gradient(X, y)", "self.gradient(X[:20], y[:20])").replace("np.sum", "np.mean")
    text = text.replace("objective(self, X, y)", "objective(self)").replace("self.predict(X) - y) **", "self.e) **")
    text = text.replace("        r = self", "        self.e = self.predict(self.X) - self.y\n        r = self")
    text = text.replace("        self.w, self.b = np", "        self.X, self.y = X, y\n        self.w, self.b = np")
    assert examined(tmp_path, text)["verdict"] == "right"


@pytest.mark.parametrize(
    "loss",
    [
        "def cost(X, y, w, lam=0.1):\n    return np.sum((X @ w - y) ** 2) / 80 + lam * np.sum(w ** 2)",  # a penalty
        "def loss(p, y):\n    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))",  # of probabilities
    ],
)
def test_one_that_may_be_called_with_other_numbers_accuses_nobody(tmp_path, loss):
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
y = X @ [1.0, -2.0, 0.5]
w = rng.normal(size=3)
{loss}
for _ in range(9):
    p = X @ w
    w = w - 0.1 * X.T @ (p - y) / 40
"""
    assert examined(tmp_path, text)["verdict"] == "right"


def test_labels_that_the_loss_has_in_another_form(tmp_path):
    text = """
import numpy as np
class Signs:
    def loss(self, X, y):
        p = 1 / (1 + np.exp(-X @ self.w))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    def fit(self, X, y):
        y = 2 * y - 1
        self.w = np.full(X.shape[1], 0.05)
        for _ in range(9):
            m = y * (X @ self.w)
            self.w = self.w + 0.5 * X.T @ (y / (1 + np.exp(m))) / len(y)
X = np.random.default_rng(0).normal(size=(60, 4))
Signs().fit(X, (X[:, 0] > X[:, 1]) * 1.0)
"""
    assert examined(tmp_path, text)["verdict"] == "right"


def test_a_measure_that_is_shown_in_the_end_accuses_nobody(tmp_path):
    text = """
import numpy as np
def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)
def train(X, y_true):
    w = np.full((4, 1), 0.1)
    for k in range(9):
        y_pred = 1 / (1 + np.exp(-X @ w))
        w = w - 0.3 * X.T @ (y_pred - y_true) / len(X)
    return w
X = np.random.default_rng(0).normal(size=(50, 4))
y = (X[:, :1] > X[:, 1:2]) * 1.0
print(mse(y, 1 / (1 + np.exp(-X @ train(X, y)))))
"""
    with pytest.raises(ValueError, match="right if that is a measure, wrong if it is the loss"):
        examined(tmp_path, text)
    assert examined(tmp_path, text[: text.index("print")] + "train(X, y)")["verdict"] == "right"


DESCENDED = """
import numpy as np
def log_likelihood(targets, outputs):
    return np.sum(targets * np.log(outputs) + (1 - targets) * np.log(1 - outputs))
rng = np.random.default_rng(3)
X = rng.normal(size=(80, 3))
t = (X[:, :1] > X[:, 1:2]) * 1.0
W, b = rng.normal(size=(3, 1)), np.zeros(1)
for _ in range(9):
    outputs = 1 / (1 + np.exp(-(X @ W + b)))
    e = t - outputs
    W = W + 0.01 * X.T @ e
    b = b + 0.01 * e.sum(axis=0)
"""


def test_a_likelihood_that_is_made_small_is_not_right(tmp_path):
    assert examined(tmp_path, DESCENDED)["verdict"].startswith("right")
    said = examined(tmp_path, DESCENDED.replace("t - outputs", "outputs - t"))
    assert [f["code"] for f in said["findings"]] == ["wrong-sign"]
    shown = DESCENDED.replace("    e = ", "    print(log_likelihood(t, outputs))\n    e = ")
    with pytest.raises(ValueError, match="all steps go down the number"):
        examined(tmp_path, shown.replace("t - outputs", "outputs - t"))


def test_a_penalty_of_a_bias_that_the_loss_has_not(tmp_path):
    """The loss that an error implies is granted any; with that of the file nothing can be told."""
    cost = """def cost(P, Y):
    return -np.sum(Y * np.log(P)) / 9 + 0.05 * np.sum(W1 ** 2) + 0.05 * np.sum(W2 ** 2)
for _"""
    text = PLAIN.replace("loss = -np.sum(Y * np.log(P)) / 9", "pass").replace("for _", cost, 1)
    text = text.replace("A1.T @ dZ2", "A1.T @ dZ2 + 0.1 * W2").replace("X.T @ dZ1", "X.T @ dZ1 + 0.1 * W1")
    assert examined(tmp_path, text)["loss"]["from"] == "source"
    with pytest.raises(
        ValueError, match=r"\(cost, which is not run before a step, is run before line 13 of net\.py: cost\(P, Y\)\)"
    ):
        examined(tmp_path, text.replace("dZ1.sum(0)", "dZ1.sum(0) + 0.1 * b1"))


def test_a_cost_that_nobody_calls_is_of_another_kind_than_an_error_without_a_slope(tmp_path):
    text = """
import numpy as np
def sigmoid(s):
    return 1 / (1 + np.exp(-s))
class Net:
    def __init__(self):
        self.W, self.V = np.random.randn(5, 4), np.random.randn(2, 5)
    def cost(self, p, y):
        return 0.5 * (p - y) ** 2
    def train(self, X, Y, rate):
        for x, y in zip(X, Y):
            h = sigmoid(self.W @ x)
            p = sigmoid(self.V @ h)
            e = (p - y) * p * (1 - p)
            back = self.V.T @ e * h * (1 - h)
            self.V -= rate * np.outer(e, h)
            self.W -= rate * np.outer(back, x)
np.random.seed(0)
Net().train(np.random.randn(9, 4), np.random.rand(9, 2).round(), 0.1)
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["name"], said["loss"]["from"]) == ("right", "squared-error", "source")
    with pytest.raises(ValueError, match=r"binary-cross-entropy that the error implies, and none of .* \(Net\.cost, "):
        examined(tmp_path, text.replace(" * p * (1 - p)", ""))


SHOWN = """
import numpy as np
rng = np.random.default_rng(0)
R, M = rng.normal(size=(9, 7)), (rng.random((9, 7)) < 0.6) * 1.0
U, V = rng.random((9, 3)), rng.random((7, 3))

def cost():
    return np.sum((M * (R - U @ V.T)) ** 2)

for epoch in range(20):
    E = M * (R - U @ V.T)
    dU, dV = -2 * E @ V, -2 * E.T @ U
    U -= 0.01 * dU
    V -= 0.01 * dV
    print(cost())
"""


def test_a_loss_that_is_run_after_each_step_is_the_one_that_it_descends(tmp_path):
    assert examined(tmp_path, SHOWN)["loss"]["from"] == "source"
    with pytest.raises(ValueError, match="with other weights for some examples: right if that is a measure"):
        examined(tmp_path, SHOWN.replace("E = M * (", "E = 1 * ("))
