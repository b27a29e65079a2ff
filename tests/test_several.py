"""Several networks, trainings, stages and files in one program: each is judged, and none is passed over."""

import contextlib
import io

import pytest
from judging import LOGISTIC, PLAIN, SLOPE, TWO_NETWORKS, examined, examined_once, is_right

from jaxnet.compare.author.verdict import verdict


def test_tasks_that_take_turns(tmp_path):
    """The layer that they share is stepped by another line in each other step, and goes back the wrong way there."""
    text = """
import numpy as np
np.random.seed(1)
X, Y, T = np.random.randn(9, 5), np.random.randn(9, 2), np.random.randn(9, 2)
V, A, B = np.random.randn(5, 6) / 2, np.random.randn(6, 2) / 2, np.random.randn(6, 2) / 2
for step in range(20):
    h = np.tanh(X @ V)
    if step % 2 == 0:
        e = h @ A - Y
        dh = e @ A.T
        A = A - 0.01 * h.T @ e
    else:
        e = h @ B - T
        dh = e @ A.T
        B = B - 0.01 * h.T @ e
    loss = (e ** 2).sum() / 2
    V = V - 0.01 * X.T @ (dh * (1 - h ** 2))
"""
    with pytest.raises(ValueError, match=r"in the first step, but line 13 of net\.py has a part in later steps of "):
        examined(tmp_path, text)


ADVERSARIES = """
import numpy as np
np.random.seed(3)
real = np.random.rand(40, 4)
W1, b1, W2, b2 = np.random.randn(3, 6) / 2, np.zeros(6), np.random.randn(6, 4) / 2, np.zeros(4)
V1, c1, V2, c2 = np.random.randn(4, 5) / 2, np.zeros(5), np.random.randn(5, 1) / 2, np.zeros(1)

def generate(z):
    h = np.tanh(z @ W1 + b1)
    return h, 1 / (1 + np.exp(-(h @ W2 + b2)))

def decide(x):
    h = np.tanh(x @ V1 + c1)
    return h, 1 / (1 + np.exp(-(h @ V2 + c2)))

for step in range(20):
    x, (_, fake) = real[np.random.choice(40, 8)], generate(np.random.randn(8, 3))
    (h, p), (g, q) = decide(x), decide(fake)
    of_critic = -np.mean(np.log(p) + np.log(1 - q))
    d, e = (p - 1) / 8, q / 8
    dh, eh = d @ V2.T * (1 - h ** 2), e @ V2.T * (1 - g ** 2)
    dV2, dc2, dV1, dc1 = h.T @ d + g.T @ e, (d + e).sum(0), x.T @ dh + fake.T @ eh, (dh + eh).sum(0)
    V1, c1, V2, c2 = V1 - 0.1 * dV1, c1 - 0.1 * dc1, V2 - 0.1 * dV2, c2 - 0.1 * dc2
    z = np.random.randn(8, 3)
    f, fake = generate(z)
    g, q = decide(fake)
    of_generator = -np.mean(np.log(q))
    back = (((q - 1) / 8) @ V2.T * (1 - g ** 2)) @ V1.T * fake * (1 - fake)
    df = back @ W2.T * (1 - f ** 2)
    dW2, db2, dW1, db1 = f.T @ back, back.sum(0), z.T @ df, df.sum(0)
    W1, b1, W2, b2 = W1 - 0.1 * dW1, b1 - 0.1 * db1, W2 - 0.1 * dW2, b2 - 0.1 * db2
    print(of_critic, of_generator)
"""


def test_two_networks_that_take_turns(tmp_path):
    """Each is a constant of the other's step (Goodfellow et al. 2014, generative adversarial networks)."""
    said = examined(tmp_path, ADVERSARIES)
    assert (said["verdict"], len(said["parameters"]), len(said["also_right"])) == ("right", 4, 1)
    for slope, names in (("(1 - f ** 2)", ["W1", "b1"]), (" * (1 - h ** 2), e @", ["V1", "c1"])):
        said = examined(
            tmp_path, ADVERSARIES.replace(slope, slope.replace("(1 - f ** 2)", "1").replace("1 - h", "2 - h"))
        )
        assert [p["name"] for p in said["parameters"] if not p["right"]] == names
    said = examined(tmp_path, ADVERSARIES.replace(" * fake * (1 - fake)", ""))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "b1", "W2", "b2"]


OF_ONE_CLASS = """
import numpy as np
rng = np.random.default_rng(0)

class Layer:
    def __init__(self, inputs, outputs):
        self.W, self.b = rng.normal(size=(inputs, outputs)) * 0.3, np.zeros((1, outputs))
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g, rate):
        back = g @ self.W.T
        if rate:
            self.W -= rate * self.x.T @ g
            self.b -= rate * g.sum(0, keepdims=True)
        return back

class Last(Layer):
    def backward(self, g, rate):
        return super().backward(g, rate)

class Network:
    def __init__(self, inputs, hidden, outputs, last):
        self.first, self.last = Layer(inputs, hidden), last(hidden, outputs)
    def forward(self, x):
        self.h = np.tanh(self.first.forward(x))
        self.p = 1 / (1 + np.exp(-self.last.forward(self.h)))
        return self.p
    def backward(self, g, rate):
        return self.first.backward(self.last.backward(g * self.p * (1 - self.p), rate) * (1 - self.h ** 2), rate)

def cost(p, t):
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))

def slope(p, t):
    return (p - t) / (p * (1 - p)) / len(p)

maker, critic = Network(6, 9, 20, Layer), Network(20, 9, 1, Last)
one, zero = np.ones((8, 1)), np.zeros((8, 1))
for _ in range(9):
    p = critic.forward(rng.random((8, 20)))
    total = cost(p, one)
    critic.backward(slope(p, one), 0.01)
    p = critic.forward(maker.forward(rng.normal(size=(8, 6))))
    total += cost(p, zero)
    critic.backward(slope(p, zero), 0.01)
    p = critic.forward(maker.forward(rng.normal(size=(8, 6))))
    maker.backward(critic.backward(slope(p, one), 0.0), 0.01)
    print(total, cost(p, one))
"""


def test_networks_that_take_turns_and_have_layers_of_one_class(tmp_path):
    """One is stepped by two lines in turns."""
    said = examined(tmp_path, OF_ONE_CLASS)
    assert (said["verdict"], len(said["also_right"]), said["unjudged"], said["idle"]) == ("right", 1, [], [])
    wrong = (
        "self.b -= rate * g.mean(0, keepdims=True)\n        back = g @ self.W.T\n        self.W -= rate * self.x.T @ g"
    )
    said = examined(
        tmp_path, OF_ONE_CLASS.replace("return super().backward(g, rate)", f"{wrong} * bool(rate); return back")
    )
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["b2"]


LAYERED = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 2))

class Linear:
    def __init__(self, inputs, outputs):
        self.w = rng.normal(size=(inputs, outputs)) * 0.5
    def forward(self, x):
        self.x = x
        self.w += 0
        return x @ self.w
    def backward(self, d):
        self.g = self.x.T @ d
        return d @ self.w.T

class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)
    def backward(self, d):
        return d * (self.x > 0)

def train(layers, back):
    for _ in range(50):
        out = X
        for layer in layers:
            out = layer.forward(out)
        print(np.sum((out - Y) ** 2) / 60)
        d = 2 * (out - Y) / 60
        for layer in back:
            d = layer.backward(d)
        for layer in layers[::2]:
            layer.w -= 0.05 * layer.g

a, r, b = Linear(5, 8), Relu(), Linear(8, 2)
train([a, r, b], [b, r, a])
a, r, b, s, c = Linear(5, 8), Relu(), Linear(8, 8), Relu(), Linear(8, 2)
train([a, r, b, s, c], [c, s, b, r, a])
"""


def test_a_deeper_network_of_the_same_layers_is_judged_as_well(tmp_path):
    """What its layers are set to by a check of gradients that is not made, w += 0, is no step."""
    said = examined(tmp_path, LAYERED)
    assert (said["verdict"], len(said["parameters"]), len(said["also_right"])) == ("right", 2, 1)
    said = examined(tmp_path, LAYERED.replace("[c, s, b, r, a]", "[c, b, a]"))
    assert {f["code"] for f in said["findings"]} == {"missing-activation-derivative"}


RUNS = """
import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(80, 3))
y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=80)

def cost(w):
    return np.sum((X @ w - y) ** 2) / 160

def plain(w):
    for _ in range(30):
        w = w - 0.01 * X.T @ (X @ w - y) / 80
        print(cost(w))

def adam(w):
    m, v = np.zeros(3), np.zeros(3)
    for t in range(1, 30):
        g = X.T @ (X @ w - y) / 80
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g ** 2
        w = w - 0.01 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.99 ** t)) + 1e-8)
        print(cost(w))

start = rng.normal(size=3)
plain(start)
adam(start)
scaled = (start - start.min()) / (start.max() - start.min())
print(scaled)
"""


def test_weights_that_are_trained_once_more_from_where_they_began(tmp_path):
    """By another optimiser, and its moments are no weights; nor is a picture of these a step of theirs."""
    said = examined(tmp_path, RUNS)
    assert (said["verdict"], [place["line"] for place in said["also_right"]], said["unjudged"]) == ("right", [20], [])
    said = examined(tmp_path, RUNS.replace("g = X.T @ (X @ w - y)", "g = np.abs(X).T @ (X @ w - y)"))
    assert (said["verdict"], [f["line"] for f in said["findings"]]) == ("wrong", [18])


IN_THREE_STEPS = """
import numpy as np
np.random.seed(3)
real = np.random.rand(40, 4)

class Layer:
    def __init__(self, i, o):
        self.W, self.b = np.random.randn(i, o) / 2, np.zeros(o)
    def forward(self, x):
        self.x, self.y = x, np.tanh(x @ self.W + self.b)
        return self.y
    def backward(self, dy):
        d = dy * (1 - self.y ** 2)
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T

class Last(Layer):
    def forward(self, x):
        self.x, self.y = x, 1 / (1 + np.exp(-(x @ self.W + self.b)))
        return self.y
    def backward(self, t):
        d = (self.y - t) / len(t)
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T

def train(x, t, layers, stepped):
    for layer in layers:
        x = layer.forward(x)
    back = t
    for layer in reversed(layers):
        back = layer.backward(back)
    for layer in stepped:
        layer.W -= 0.1 * layer.dW
        layer.b -= 0.1 * layer.db
    return -np.mean(t * np.log(x) + (1 - t) * np.log(1 - x))

generator, critic = [Layer(3, 6), Layer(6, 4)], [Layer(4, 5), Last(5, 1)]
for _ in range(20):
    fake = np.random.randn(8, 3)
    for layer in generator:
        fake = layer.forward(fake)
    train(fake, np.zeros((8, 1)), critic, critic)
    train(real[np.random.choice(40, 8)], np.ones((8, 1)), critic, critic)
    train(np.random.randn(8, 3), np.ones((8, 1)), generator + critic, generator)
"""


def test_a_network_that_is_stepped_twice_before_another_is(tmp_path):
    """On what is made up, on what is real, and then through it."""
    said = examined(tmp_path, IN_THREE_STEPS)
    assert (said["verdict"], len(said["also_right"]), said["unjudged"]) == ("right", 1, [])
    said = examined(tmp_path, IN_THREE_STEPS.replace("(self.y - t)", "(t - self.y)"))
    assert {f["code"] for f in said["findings"]} == {"wrong-sign"}


BESIDE = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y, Z = X @ rng.normal(size=(3, 1)), np.sin(X[:, 1:2])
a, b = rng.normal(size=(3, 1)), rng.normal(size=(3, 1))
for _ in range(50):
    p = X @ a
    first = .5 * np.mean((p - Y) ** 2)
    q = X @ b
    second = .5 * np.mean((q - Z) ** 2)
    a -= .1 * (X.T @ (p - Y) / 40)
    b -= .1 * (X.T @ (q - Z) / 40)
"""


def test_two_losses_of_which_one_is_made_of_the_other(tmp_path):
    """What is left by one model is what the other one is fitted to: no gradient is that of both losses, and each that
    of its own."""
    text = BESIDE.replace("(q - Z)", "(q - (Y - p))")
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["also_right"])) == ("right", 1)
    with pytest.raises(ValueError, match=r"line 11 of net\.py computes another one"):  # first is not for b
        examined(tmp_path, text.replace("b -= .1 *", "b -= .1 * b *"))


@pytest.mark.parametrize("wrong", ["p - Y", "q - Z"])
def test_networks_that_are_trained_in_one_loop_are_all_judged(tmp_path, wrong):
    said = examined_once(BESIDE)
    assert (said["verdict"], len(said["also_right"])) == ("right", 1)
    said = examined(tmp_path, BESIDE.replace(f"X.T @ ({wrong})", f"X.T @ ({wrong}) ** 2"))
    assert (said["verdict"], len(said["findings"])) == ("wrong", 1)


def test_what_trains_first_is_not_what_was_asked_for(tmp_path):
    """A program trains another file's network, and then the one that is asked for, which is wrong."""
    wrong = PLAIN.replace(*SLOPE).strip().splitlines()
    body = "\n".join(f"    {line}" for line in wrong[1:])
    (tmp_path / "mine.py").write_text(f"import numpy as np\ndef train():\n{body}\n")
    (tmp_path / "other.py").write_text(
        f"import numpy as np\ndef train():\n{body.replace('W2.T', 'W2.T * (1 - A1 ** 2)')}\n"
    )
    (tmp_path / "main.py").write_text("import mine, other\nother.train()\nmine.train()\n")
    with contextlib.redirect_stdout(io.StringIO()):
        said = verdict(tmp_path / "mine.py", tmp_path).to_dict()
    assert said["program"] == "main.py"
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


@pytest.mark.parametrize(
    ("old", "new", "verdict", "parameters", "right"),
    [
        ("", "", "right", 4, ["V -= 0.1 * X.T @ E"]),
        (*SLOPE, "wrong", 4, []),
        ("X.T @ E", "X.T @ E / 9", "wrong", 2, []),
    ],
)
def test_each_network_of_a_program_is_judged(tmp_path, old, new, verdict, parameters, right):
    """The first that is wrong is shown, and none is passed over in silence."""
    said = examined(tmp_path, TWO_NETWORKS.replace(old, new))
    assert (said["verdict"], said["notes"], len(said["parameters"])) == (verdict, [], parameters)
    assert [place["source"] for place in said["also_right"]] == right
    assert said["unjudged"] == []


def test_a_second_network_that_steps_its_weights_too_early_is_judged(tmp_path):
    """That what goes back is made with new weights does not make them data that blocks are added to."""
    lines = PLAIN.splitlines(keepends=True)
    first = "V = np.zeros((4, 3))\nfor _ in range(9):\n    V -= 0.1 * X.T @ (X @ V - Y)\n"
    text = "".join(lines[:4]) + first + "".join(lines[4:])
    early = text.replace("    W2 -= 0.1 * dW2\n", "").replace("    dZ1 =", "    W2 -= 0.1 * dW2\n    dZ1 =")
    assert examined(tmp_path, text)["verdict"] == "right"
    assert [(f["at"], f["code"]) for f in examined(tmp_path, early)["findings"]] == [("dZ1", "weights-already-updated")]


def test_networks_of_one_class_that_differ_in_their_activation(tmp_path):
    lines = PLAIN.splitlines(keepends=True)
    body = "".join(lines[4:]).replace("np.tanh(X @ W1 + b1)", "f(X @ W1 + b1)").replace("(1 - A1 ** 2)", "slope(A1)")
    train = "def train(f, slope):\n" + "".join(f"    {line}" for line in body.splitlines(keepends=True))
    tanh = "train(np.tanh, lambda a: 1 - a ** 2)\n"
    relu = "train(lambda z: np.maximum(z, 0), lambda a: a >= 0)\n"  # 1 everywhere
    said = examined(tmp_path, "".join(lines[:4]) + train + tanh)
    assert said["verdict"] == "right"
    said = examined(tmp_path, "".join(lines[:4]) + train + tanh + relu)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


EXPERIMENTS = """
import numpy as np
rng = np.random.default_rng(4)
X, Y = rng.normal(size=(12, 5)), rng.normal(size=(12, 2))

def tanh_prime(a):
    return 1 - a ** 2

def sigmoid_prime(a):
    return a * (1 - a)

class Network:
    def __init__(self, act, slope):
        self.act, self.slope = act, slope
        self.V, self.W = rng.normal(size=(5, 4)), rng.normal(size=(4, 2))
    def fit(self, rate, epochs=50):
        for _ in range(epochs):
            A = self.act(X @ self.V)
            E = (A @ self.W - Y) / 12
            dW, dV = A.T @ E, X.T @ (E @ self.W.T * self.slope(A))
            self.V -= rate * dV
            self.W -= rate * dW

for act, slope in [(np.tanh, tanh_prime), (lambda z: 1 / (1 + np.exp(-z)), sigmoid_prime)]:
    for rate in (0.1, 0.01):
        net = Network(act, slope)
        net.fit(rate)
        net.history = [rate]
print(net.history)  # which no round has come to
"""


@pytest.mark.parametrize("twice", [False, True])
def test_the_experiments_of_a_loop_are_all_judged(tmp_path, twice):
    """A round that makes a network and trains it is followed by the next one, also where it is as one before it."""
    text = EXPERIMENTS.replace("(np.tanh, tanh_prime)", "*2 * [(np.tanh, tanh_prime)]") if twice else EXPERIMENTS
    text = text.replace("(0.1, 0.01)", "(0.1,)") if twice else text
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["also_right"]), said["idle"], said["notes"]) == ("right", 1, [], [])
    said = examined(tmp_path, text.replace("a * (1 - a)", "a * (1 + a)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1"]
    first = text.replace(", (lambda z: 1 / (1 + np.exp(-z)), sigmoid_prime)]", "]")
    assert examined(tmp_path, first)["idle"] == ["sigmoid_prime"]  # and not tanh_prime, which no label goes through


@pytest.mark.parametrize(
    "loop",
    [
        "for net in nets:\n    net.fit(0.1)\n",
        "for k, net in enumerate(nets):\n    for rate in (0.1, 0.01):\n        net.fit(rate)\n",
        "for _ in range(50):\n    for net in nets:\n        net.fit(0.1, 1)\n",
    ],
    ids=["one after the other", "each twice", "in turns"],
)
def test_networks_that_are_made_before_the_loop_are_all_judged(tmp_path, loop):
    """A round that is for one of them ends by itself."""
    head, _, kinds = EXPERIMENTS.partition(":\n    for rate")[0].partition("for act, slope in ")
    made = f"nets = [Network(act, slope) for act, slope in {kinds}]\n"
    said = examined(tmp_path, head + made + loop)
    assert (said["verdict"], len(said["also_right"]), said["idle"]) == ("right", 1, [])
    said = examined(tmp_path, (head + made + loop).replace("a * (1 - a)", "a * (1 + a)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1"]


LAYER_BY_LAYER = """
import numpy as np
rng = np.random.default_rng(5)
X = rng.normal(size=(20, 6))
Y = np.tanh(X @ rng.normal(size=(6, 2)))

def train():
    layers, inputs = [], X
    for i, o in [(6, 5), (5, 3)]:
        V, U = rng.normal(size=(i, o)) * 0.4, rng.normal(size=(o, i)) * 0.4
        for _ in range(30):
            A = np.tanh(inputs @ V)
            E = (A @ U - inputs) / 20
            dU, dV = A.T @ E, inputs.T @ (E @ U.T * (1 - A ** 2))
            U -= 0.1 * dU
            V -= 0.1 * dV
        layers.append(V)
        inputs = np.tanh(inputs @ V)
    last, epoch = rng.normal(size=(3, 2)) * 0.4, 0
    while epoch < 30:
        A1 = np.tanh(X @ layers[0])
        A2 = np.tanh(A1 @ layers[1])
        D3 = (A2 @ last - Y) / 20
        D2 = D3 @ last.T * (1 - A2 ** 2)
        D1 = D2 @ layers[1].T * (1 - A1 ** 2)
        last -= 0.1 * A2.T @ D3
        layers[1] -= 0.1 * A1.T @ D2
        layers[0] -= 0.1 * X.T @ D1
        epoch += 1

train()
"""


def test_what_is_trained_once_more_is_judged_once_more(tmp_path):
    """Layers that are trained one by one first, and then all together, in one function: what stands after a loop that
    trains what is known is run."""
    said = examined(tmp_path, LAYER_BY_LAYER)
    assert (said["verdict"], len(said["also_right"])) == ("right", 1)
    said = examined(tmp_path, LAYER_BY_LAYER.replace("layers[1].T * (1 - A1 ** 2)", "layers[1].T * (1 - A1)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1"]
    assert len(said["parameters"]) == 3
    said = examined(tmp_path, LAYER_BY_LAYER.replace("U.T * (1 - A ** 2)", "U.T"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]


@pytest.mark.parametrize("error", ["np.tanh(X @ V + c - Y)", "np.hypot.accumulate(X @ V + c, 1) - Y"])
def test_a_network_that_is_right_acquits_no_other_one(tmp_path, error):
    """Why there is no verdict on that is said, and what is right."""
    with pytest.raises(ValueError, match=r"what line 18 of net\.py steps is right, and no gradient is that of a loss"):
        examined(tmp_path, TWO_NETWORKS.replace("X @ V + c - Y", error))


WITH_PENALTY_LATER = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 4))
y = (X[:, 0] > X[:, 2]).astype(float)

def fit(penalty):
    w, b = np.zeros(4), np.zeros(1)
    for _ in range(20):
        p = 1 / (1 + np.exp(-(X @ w + b)))
        print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + penalty / 40 * np.sum(w ** 2))
        w -= 0.1 * (X.T @ (p - y) + penalty * w) / 20
        b -= 0.1 * np.mean(p - y)

fit(0.0)
fit(5.0)
"""


def test_what_a_first_experiment_multiplies_by_0_is_judged_in_a_second_one(tmp_path):
    said = examined(tmp_path, WITH_PENALTY_LATER)
    assert (said["verdict"], len(said["also_right"])) == ("right", 1)
    said = examined(tmp_path, WITH_PENALTY_LATER.replace("+ penalty * w)", "- penalty * w)"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dW1", "weight-penalty")]


BY_HAND_FIRST = """
import numpy as np
X, y = np.array([[2.0, 3.0], [1.0, 5.0], [3.0, 2.0], [5.0, 1.0]]), np.array([0, 1, 2, 0])
W, b = np.array([[0.2, -0.3, 0.5], [0.4, 0.1, -0.2]]), np.array([[0.1, -0.2, 0.3]])
E = np.exp(X @ W + b)
P = E / E.sum(axis=1, keepdims=True)
print("by hand", -np.mean(np.log(P[range(4), y])))
P[range(4), y] -= 1
P /= 4
W -= 0.01 * X.T @ P
b -= 0.01 * P.sum(axis=0, keepdims=True)

def fit(X, y, V, c):
    for _ in range(50):
        F = np.exp(X @ V + c)
        Q = F / F.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(Q[range(len(y)), y]))
        Q[range(len(y)), y] -= 1
        V -= 0.1 * X.T @ Q / len(y)
        c -= 0.1 * Q.sum(axis=0, keepdims=True) / len(y)
    return loss

rng = np.random.default_rng(0)
fit(rng.normal(size=(90, 2)), rng.integers(0, 3, 90), 0.1 * rng.normal(size=(2, 3)), np.zeros((1, 3)))
"""


def test_a_step_that_is_worked_by_hand_before_others_is_judged_as_well(tmp_path):
    said = examined(tmp_path, BY_HAND_FIRST)
    assert (said["verdict"], len(said["also_right"]), said["unjudged"]) == ("right", 1, [])
    assert said["also_right"][0]["line"] == 10
    said = examined(tmp_path, BY_HAND_FIRST.replace("0.01 * X.T @ P", "0.01 * X.T @ E"))
    assert said["verdict"] == "wrong"
    assert {f["line"] for f in said["findings"]} == {10}
    said = examined(tmp_path, BY_HAND_FIRST.replace("P /= 4\n", ""))
    assert said["verdict"] == "right"
    assert said["unjudged"][0]["why"] == "of another network, whose gradients are right but for a constant"


def test_what_is_trained_further_is_judged_too(tmp_path):
    """W is made of its momentum by then, which is no parameter for that."""
    once = PLAIN.replace("for _ in", "V = np.zeros((4, 5))\nfor _ in").replace(
        "    W1 -= 0.1 * dW1\n", "    V = 0.9 * V + dW1\n    W1 -= 0.1 * V\n"
    )
    again = once[once.index("for _ in") :]
    said = examined(tmp_path, f"{once}\n{again}")
    assert (said["verdict"], [place["line"] for place in said["also_right"]], said["unjudged"]) == ("right", [32], [])
    said = examined(tmp_path, f"{once}\n{again.replace(*SLOPE)}")
    assert [(f["code"], f["line"]) for f in said["findings"]] == [("missing-activation-derivative", 29)]


def test_of_two_stages_the_second_one_is_judged_too(tmp_path):
    """The run of the first one ends in the midst of a step."""
    first = """
import numpy as np
V, U = np.random.randn(4, 3) / 2, np.random.randn(3, 4) / 2
D = np.random.randn(9, 4)
for _ in range(9):
    C = D @ V
    d = (C @ U - D) / 9
    gU, gV = C.T @ d, D.T @ (d @ U.T)
    V -= 0.1 * gV; U -= 0.1 * gU
"""
    second = PLAIN.replace("X, Y = np.random.randn(9, 4)", "X, Y = np.c_[D @ V, D[:, :1]]")
    said = examined(tmp_path, first + second)
    assert (said["verdict"], said["network"]["sizes"], len(said["also_right"])) == ("right", [4, 3, 4], 1)
    said = examined(tmp_path, first + second.replace(*SLOPE))
    assert [f["code"] for f in said["findings"]] == ["missing-activation-derivative"]


def test_a_later_network_is_mended(tmp_path):
    said = examined(tmp_path, LOGISTIC + PLAIN.replace(*SLOPE), mend=60)
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]
    assert is_right(tmp_path)


LIBRARY = """
import numpy as np

def linear(W, A):
    return W @ A, (W, A)

def linear_backward(dZ, cache):
    W, A = cache
    return dZ @ A.T, W.T @ dZ

def train(X, Y, W1, W2, mask, scale):
    for i in range(200):
        Z1, c1 = linear(W1, X)
        A = np.tanh(Z1)
        out, c2 = linear(W2, A * mask)
        cost = np.mean(np.sum((out - Y) ** 2, axis=0))
        dW2, dA = linear_backward(2 * (out - Y) / X.shape[1], c2)
        dW1, _ = linear_backward(dA * mask / scale * (1 - A ** 2), c1)
        W1 = W1 - 0.1 * dW1
        W2 = W2 - 0.1 * dW2
"""


def test_what_is_wrong_in_another_file_is_no_mistake_of_the_one_that_it_uses(tmp_path):
    """A program trains a network by a library, which is right, and another one by its own lines, with a mistake."""
    (tmp_path / "lib.py").write_text(LIBRARY)
    own = LIBRARY[LIBRARY.index("def train") :].replace("train(", "own(").strip()
    (tmp_path / "main.py").write_text(
        "import numpy as np\nfrom lib import linear, linear_backward, train\nrng = np.random.default_rng(0)\n"
        "X, Y = rng.normal(size=(4, 60)), rng.normal(size=(2, 60))\n"
        "W1, W2 = rng.normal(size=(6, 4)), rng.normal(size=(2, 6))\n"
        f"{own}\ntrain(X, Y, W1, W2, 1, 1)\nown(X, Y, W1, W2, rng.random((6, 60)) < 0.8, 0.8)\n"
    )
    said = verdict(tmp_path / "lib.py", tmp_path)
    assert (said.verdict, [u.place.file for u in said.unjudged]) == ("right", ["main.py"])
    assert verdict(tmp_path / "main.py", tmp_path).verdict == "wrong"
    (tmp_path / "lib.py").write_text(LIBRARY.replace("W.T @ dZ", "W.T @ dZ * A"))
    assert verdict(tmp_path / "lib.py", tmp_path).verdict == "wrong"


ACTOR_AND_CRITIC = """
import numpy as np
rng = np.random.default_rng(21)
N = 60
S, A = rng.normal(size=(N, 4)), rng.integers(0, 3, N)
R = (A == 1) * S[:, 0] + (A == 2) * S[:, 1]
W, V, w = rng.normal(size=(4, 6)) * .5, rng.normal(size=(6, 3)) * .5, rng.normal(size=4) * .3
for step in range(30):
    advantage = R - S @ w
    critic_loss = .5 * (advantage ** 2).mean()
    h = np.tanh(S @ W)
    scores = h @ V
    logp = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    actor_loss = -(logp[np.arange(N), A] * advantage).mean()
    g = np.exp(logp) * advantage[:, None]
    g[np.arange(N), A] -= advantage
    g /= N
    gV = h.T @ g
    gW = S.T @ (g @ V.T * (1 - h ** 2))
    gw = -S.T @ advantage / N
    W -= .2 * gW
    V -= .2 * gV
    w -= .1 * gw
"""


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [("", "", None), ("h ** 2", "h", 19), ("gw = -S.T", "gw = S.T", 20), ("gV = h.T", "gV = -h.T", 18)],
)
def test_a_part_that_others_need_and_that_does_not_need_them_is_judged_by_its_own_loss(tmp_path, right, wrong, line):
    said = examined(tmp_path, ACTOR_AND_CRITIC.replace(right, wrong))
    assert [finding["line"] for finding in said["findings"]] == ([line] if line else [])
    assert said["unjudged"] == []
    assert "what line 23 of net.py steps is taken for a constant in the loss of line 14 of net.py" in said["notes"]


LAYERS_WITH_LOSSES = """
import numpy as np
rng = np.random.default_rng(3)
X, Y = rng.normal(size=(30, 4)), np.eye(3)[rng.integers(0, 3, 30)]
W, V = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
for step in range(20):
    A = 1 / (1 + np.exp(-X @ W))
    B = 1 / (1 + np.exp(-A @ V))
    of_first = 0.5 * ((A - Y) ** 2).sum()
    of_last = 0.5 * ((B - Y) ** 2).sum()
    d = (B - Y) * B * (1 - B)
    e = (A - Y) * A * (1 - A)
    V -= 0.5 * A.T @ d
    W -= 0.5 * X.T @ e
"""


def test_a_layer_with_its_own_error_is_right_by_a_loss_that_is_computed_only(tmp_path):
    """(A − Y) may be a slip for (B − Y), or meant: the program says which, or nobody knows. With a slope that is none
    of A it is for nothing."""
    assert examined(tmp_path, LAYERS_WITH_LOSSES)["verdict"] == "right"
    without = "\n".join(line for line in LAYERS_WITH_LOSSES.splitlines() if "of_first" not in line)
    with pytest.raises(ValueError, match=r"W is that of the squares of what line 11 of net\.py makes"):
        examined(tmp_path, without)
    assert examined(tmp_path, without.replace("(A - Y) * A", "(A - Y) * B"))["verdict"] == "wrong"
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, "\n".join(line for line in without.splitlines() if "of_last" not in line))


WITH_MOMENTA = """
import numpy as np
np.random.seed(0)
data = np.random.randn(200, 2) + 1
D = [np.random.randn(2, 12) / 2, np.zeros(12), np.random.randn(12, 1) / 2, np.zeros(1)]
G = [np.random.randn(2, 8) / 2, np.zeros(8), np.random.randn(8, 2) / 2, np.zeros(2)]
of_D, of_G = ([[np.zeros_like(p) for p in net] for net in (D, G)])

def forward(net, x):
    h = np.maximum(x @ net[0] + net[1], 0)
    return h, h @ net[2] + net[3]

def backward(net, x, h, d):
    e = d @ net[2].T * (h > 0)
    return [x.T @ e, e.sum(0), h.T @ d, d.sum(0)], e @ net[0].T

def loss(z, t):
    return np.mean(np.log(1 + np.exp(z)) - z * t), (1 / (1 + np.exp(-z)) - t) / len(z)

def step(net, kept, gradients):
    for p, v, g in zip(net, kept, gradients):
        v[:] = 0.5 * v + 0.5 * g
        p -= 0.01 * v

for epoch in range(9):
    noise = np.random.randn(16, 2)
    x = np.vstack([data[np.random.choice(200, 16)], forward(G, noise)[1]])
    h, z = forward(D, x)
    first, d = loss(z, np.vstack([np.ones((16, 1)), np.zeros((16, 1))]))
    step(D, of_D, backward(D, x, h, d)[0])
    u, fake = forward(G, noise)
    h, z = forward(D, fake)
    second, d = loss(z, np.ones((16, 1)))
    step(G, of_G, backward(G, noise, u, backward(D, fake, h, d)[1])[0])
    print(first, second)
"""


def test_what_is_stepped_by_its_own_network_is_no_further_parameter_of_another_one(tmp_path):
    """A discriminator's next step follows from the loss of the generator, which has been made with it."""
    said = examined(tmp_path, WITH_MOMENTA)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    said = examined(tmp_path, WITH_MOMENTA.replace("/ len(z)", "* z / len(z)"))
    assert (said["verdict"], len(said["parameters"])) == ("wrong", 4)


def test_all_gradients_of_a_network_may_be_those_of_the_other_of_two_numbers(tmp_path):
    """What the generator makes meets data in the discriminator's dropout first, which is none in its own pass."""
    mask = "(np.random.rand(len(x), net[1].size) < keep)"
    text = WITH_MOMENTA.replace(", 0)\n    return h", f", 0) * {mask} / keep\n    return h")
    text = text.replace("net, x):", "net, x, keep=1):").replace("h, z = forward(D, x)", "h, z = forward(D, x, 0.8)")
    text = text.replace("v[:] = 0.5 * v + 0.5 * g", "v[:] = g").replace("h, d):", "h, d, keep=1):")
    text = text.replace("(h > 0)", "(h > 0) / keep").replace("x, h, d)[0]", "x, h, d, 0.8)[0]")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["unjudged"], len(said["also_right"])) == ("right", [], 1)


def test_another_program_is_no_answer_to_what_the_file_itself_does(tmp_path):
    """It trains what the file defines without a term of which the loss has no part."""
    (tmp_path / "net.py").write_text("""
import numpy as np

def predicted(X, W):
    E = np.exp(X @ W)
    return E / E.sum(1, keepdims=True)

def fit(X, y, decay):
    W = np.zeros((X.shape[1], 3))
    for _ in range(9):
        P = predicted(X, W)
        g = X.T @ (P - np.eye(3)[y]) / len(y)
        g[1:] -= decay * W[1:] ** 2
        W -= 0.1 * g
        P = predicted(X, W)
        loss = -np.mean(np.log(P[np.arange(len(y)), y]))
    return loss

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    print(fit(rng.normal(size=(30, 4)), rng.integers(0, 3, 30), 0.001))
""")
    text = "import numpy as np\nfrom net import fit\nprint(fit(np.random.randn(9, 4), np.arange(9) % 3, 0.0))\n"
    (tmp_path / "try_it.py").write_text(text)
    with pytest.raises(ValueError, match="no answer to what the program itself does"):
        verdict(tmp_path / "net.py", tmp_path)
    assert verdict(tmp_path / "try_it.py", tmp_path).verdict == "right"


def test_lines_that_are_right_in_one_network_and_in_another_one_nobody_knows(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))

def train(W, b, error):
    for _ in range(9):
        d = error(X @ W + b - Y) / 20
        W -= 0.1 * X.T @ d
        b -= 0.1 * d.sum(0)

train(rng.normal(size=(4, 2)), np.zeros(2), lambda d: d)
train(rng.normal(size=(4, 2)), np.zeros(2), ERROR)
"""
    assert examined(tmp_path, text.replace("ERROR", "lambda d: 2 * d"))["verdict"] == "right"
    with pytest.raises(ValueError, match="no gradient is that of a loss"):
        examined(tmp_path, text.replace("ERROR", "np.tanh"))


def test_a_layer_beside_a_head_is_made_of_fewer_arrays_and_may_be_wrong(tmp_path):
    """The true gradient of W2 has no part of A either: that is no sign of an average."""
    text = """
import numpy as np
rng = np.random.default_rng(1)
X, Y, T = rng.normal(size=(12, 3)), rng.normal(size=(12, 1)), rng.normal(size=(12, 1))
W1, W2, A, B = (rng.normal(size=shape) for shape in ((3, 4), (4, 3), (4, 1), (3, 1)))
for _ in range(9):
    h1 = np.tanh(X @ W1)
    h2 = np.tanh(h1 @ W2)
    loss = np.mean((h1 @ A - T) ** 2) + np.mean((h2 @ B - Y) ** 2)
    da, db = 2 * (h1 @ A - T) / 12, 2 * (h2 @ B - Y) / 12
    dz2 = db @ B.T * (1 - h2 ** 2)
    dz1 = (da @ A.T + dz2 @ W2.T) * (1 - h1 ** 2)
    gA, gB, gW2, gW1 = h1.T @ da, h2.T @ db, h1.T @ dz2, X.T @ dz1
    A, B, W2, W1 = A - 0.1 * gA, B - 0.1 * gB, W2 - 0.1 * gW2, W1 - 0.1 * gW1
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(" * (1 - h2 ** 2)", ""))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W1", "W2"]


ACTOR = """
import numpy as np
rng = np.random.default_rng(6)
S, A = rng.normal(size=(30, 3)), rng.uniform(-1, 1, (30, 1))
R = -(A - S[:, :1]) ** 2
W, V, U = rng.normal(size=(4, 5)), rng.normal(size=(5, 1)), rng.normal(size=(3, 1))
kept = np.zeros((3, 1))
for _ in range(9):
    x = np.hstack([S, A])
    h = np.tanh(x @ W)
    q = h @ V
    print(np.mean((q - R) ** 2))
    d = 2 * (q - R) / 30
    dV, dW = h.T @ d, x.T @ (d @ V.T * (1 - h ** 2))
    W -= 0.1 * dW
    V -= 0.1 * dV
    a = np.tanh(S @ U)
    h = np.tanh(np.hstack([S, a]) @ W)
    da = (-np.ones((30, 1)) / 30 @ V.T * (1 - h ** 2)) @ W.T
    dU = S.T @ (da[:, :1] * (1 - a ** 2))
    kept = 0.9 * kept + 0.1 * dU
    U -= 0.1 * dU
"""


@pytest.mark.parametrize("each_second", [False, True])
def test_an_actor_without_labels_is_named_beside_its_critic(tmp_path, each_second):
    """It is trained by what the critic says, and no label meets it; what is kept of its gradients is no such thing."""
    lines = ACTOR.splitlines()
    k = next(k for k, line in enumerate(lines) if "S @ U" in line)
    if each_second:  # as TD3 does (Fujimoto et al. 2018, delayed policy updates)
        lines = [line.replace("for _", "for t") for line in lines]
        lines[k:] = ["    if t % 2:", *("    " + line for line in lines[k:])]
    (tmp_path / "net.py").write_text("\n".join(lines))
    report = verdict(tmp_path / "net.py", tmp_path)
    assert report.verdict == "right"
    assert report.unjudged_lines() == [
        f"not judged: an array 3×1 in net.py:{22 + each_second}, which is trained as well, by what is made of those "
        "that were judged, and is none of them"
    ]
