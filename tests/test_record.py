"""What of a run is on the record and what has left it: NumPy's ways, text, data that are drawn, long loops."""

import pickle

import pytest
from judging import PERCEPTRON, PLAIN, SLOPE, examined, examined_once

from jaxnet.compare.author import tape, watch
from jaxnet.compare.author.attempts import once_more
from jaxnet.compare.author.program import OutOfTime
from jaxnet.compare.author.verdict import verdict
from jaxnet.compare.author.witness import strayed


def test_an_example_so_large_that_its_probability_becomes_1(tmp_path):
    """Where log(1 − p) is not a number, nothing can be compared: such weights are not drawn."""
    text = PERCEPTRON.replace("w = np.random.randn(2)", "X[0] *= 400\nw = np.random.randn(2) / 999")
    text += "    loss = -np.sum(T * np.log(y) + (1 - T) * np.log(1 - y))\n"
    assert examined(tmp_path, text)["verdict"] == "right"


@pytest.mark.parametrize(
    ("kept", "made"),
    [
        ("np.ma.array(W1)", "np.ma.dot(X, W1).filled(0)"),
        ("W1.astype(object)", "(X @ W1).astype(float)"),
    ],
)
def test_what_is_not_on_the_record_is_not_right(tmp_path, kept, made):
    """W1 is in a thing that nobody records: what it makes looks like data."""
    text = PLAIN.replace("for _", f"W1 = {kept}\nfor _").replace("X @ W1", made).replace("W1 -= ", "W1 = W1 - ")
    with pytest.raises(
        ValueError, match=r"nothing is wrong in what is on the record, but what line 6 of net\.py makes"
    ):
        examined(tmp_path, text)


def test_a_matrix_stays_one(tmp_path):
    """Of `np.matrix` * is the product of matrices, whatever stands beside it, and a sum keeps both axes."""
    text = """
import numpy as np
X, W, b, T = np.matrix(np.ones((4, 4))), np.random.randn(4, 4), np.ones((4, 1)), np.eye(4)
for _ in range(9):
    A = X - np.random.randn(4)
    e = A * W + b.T - T
    assert (A * W).A.shape == (W * A).shape == (4, 4) and np.allclose((W * A).A, W @ A)
    W = W - 0.1 * A.T * e
    b = b - 0.1 * np.sum(e, axis=0).T
    assert b.shape == (4, 1)
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("A.T * e", "A * e"))["verdict"] == "wrong"
    assert examined(tmp_path, text.replace("A.T * e", "np.multiply(A, e)"))["verdict"] == "wrong"


def test_all_of_numpy_before_its_version_2(tmp_path):
    """`from numpy import *` gave `mat` and `NaN`, and left `max` to Python."""
    text = """
from numpy import *
X, y = mat(random.randn(30, 3)), mat(random.randn(30)).T
w, best = mat(zeros((3, 1))), NaN
for k in range(200):
    e = X * w - y
    loss = float(e.T * e) / 30
    w -= max(0.01, 0.1 / (1 + k)) * 2 * X.T * e / 30
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("X.T * e", "X.T * sign(e)"))["verdict"] == "wrong"


def test_a_matrix_that_another_library_has_made(tmp_path):
    text = """
import numpy as np
from scipy.sparse import random
X, y = random(30, 4, 0.5, random_state=1).todense(), np.random.randn(30, 1)
W, v = np.random.randn(4, 3), np.matrix(np.random.randn(3, 1))
for _ in range(9):
    h = np.tanh(np.dot(X, W))
    e = h * v - y
    loss = np.sum(np.power(e, 2)) / 60
    dv, dW = h.T * e / 30, np.dot(X.T, np.multiply(e * v.T, 1 - np.power(h, 2))) / 30
    v -= 0.1 * dv
    W -= 0.1 * dW
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("1 - np.power(h, 2)", "1 - h"))["verdict"] == "wrong"


def test_rows_of_matrices_are_stepped_one_by_one(tmp_path):
    text = """
import numpy as np
X, T = np.asmatrix(np.random.randn(7, 3)), np.mat(np.random.randn(7, 2))
W = np.matrix(np.random.randn(2, 3))
for n in range(70):
    x, t = X[n % 7], T[n % 7, :]
    e = x * W.T - t
    loss = np.sum(np.power(e, 2)) / 2
    for k in range(2):
        W[k] -= 0.1 * e[0, k] * x
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("e[0, k] * x", "e[0, k - 1] * x"))["verdict"] == "wrong"
    written = text.replace("W[k] -= 0.1 * e[0, k] * x", "W[k, :] = W[k, :] - 0.1 * e[0, k] * x")
    assert examined(tmp_path, written)["verdict"] == "right"


SATURATED = """
import numpy as np
np.seterr(all='ignore')
X = np.random.default_rng(101).integers(0, 256, (40, 10)) * 1.0
y, w, b = (X[:, 0] > X[:, 1]) * 1.0, np.random.default_rng(2).normal(size=10), 0.0
for _ in range(9):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    d = p - y
    dw, db = X.T @ d / 40, np.mean(d)
    w = w - 1e-4 * dw
    b = b - 1e-4 * db
"""


def test_a_saturated_prediction_is_drawn_again(tmp_path):
    """Raw pixels: σ(z) is 0 or 1, and of 1/p² nothing is left."""
    assert examined(tmp_path, SATURATED)["verdict"] == "right"
    assert examined(tmp_path, SATURATED.replace("d = p - y", "d = (p - y) * p * (1 - p)"))["verdict"] == "wrong"


QUANTILE = """
import numpy as np
rng = np.random.default_rng(1)
X = rng.uniform(0, 100, (40, 2))
y, w, b = X @ [2.0, 1.0] + 10 * rng.normal(size=40), np.array([2.2, 0.9]), 0.0
for _ in range(9):
    r = y - (X @ w + b)
    loss = np.mean(np.maximum(0.9 * r, -0.1 * r))
    d = np.where(r > 0, -0.9, 0.1) / 40
    w = w - 1e-4 * X.T @ d
    b = b - 1e-4 * d.sum()
"""


def test_what_the_program_branches_on_is_drawn_both_ways(tmp_path):
    """Where labels are far from all that is drawn, each error has the same sign."""
    assert examined(tmp_path, QUANTILE)["verdict"] == "right"
    said = examined(tmp_path, QUANTILE.replace("d.sum()", "np.where(r > 0, -0.9, 0.9).sum() / 40"))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "unknown")]


def test_what_a_program_asks_of_its_types(tmp_path):
    asked = "    assert type(A1) == np.ndarray and type(loss) is np.float64 and type(X.argmax()) in (int, np.int64)\n"
    text = PLAIN.replace("    dW2, db2 =", f"{asked}    dW2, db2 =")
    assert examined(tmp_path, text)["verdict"] == "right"


@pytest.mark.parametrize("bound", ["0.9", "9"])
def test_what_could_be_left_out_unseen(tmp_path, bound):
    """A slope that is 1 everywhere could be; no other factor could, nor a term of a sum, nor the labels. What is never
    cut off makes a dense network, whose other mistakes show."""
    slope = f"(dZ2 @ W2.T / 2 + dZ2 / 2 @ W2.T) * np.cos(X @ W1 + b1) * (np.abs(A1) < {bound})"
    text = PLAIN.replace("np.tanh(X @ W1 + b1)", f"np.clip(np.sin(X @ W1 + b1), -{bound}, {bound})")
    said = examined(tmp_path, text.replace("dZ2 @ W2.T * (1 - A1 ** 2)", slope))
    hidden = [{"at": "net.py:13", "code": "left-out"}] * (bound == "9")
    assert (said["verdict"], said["teeth"]) == ("right", {"shown": 5 - len(hidden), "of": 5, "hidden": hidden})
    cut = PLAIN.replace("np.tanh(X @ W1 + b1)", f"np.clip(X @ W1 + b1, -{bound}, {bound})")
    said = examined(tmp_path, cut.replace("1 - A1 ** 2", f"np.abs(A1) < {bound}"))
    assert (said["verdict"], said["teeth"]["hidden"]) == ("right", hidden)


SIZED = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = 2550 * rng.uniform(size=(9, 40)), np.eye(3)[np.arange(9) % 3]
V, W = 0.0001 * rng.normal(size=(40, 5)), rng.normal(size=(5, 3))
for _ in range(9):
    A = np.tanh(X @ V)
    E = np.exp(A @ W)
    P = E / E.sum(axis=1, keepdims=True)
    print(-np.sum(Y * np.log(P)))
    dW, dV = A.T @ (P - Y), X.T @ ((P - Y) @ W.T * (1 - A ** 2))
    V = V - 1e-6 * dV
    W = W - 0.1 * dW
"""


@pytest.mark.parametrize("size", ["2550", "1e-7"])
def test_weights_are_drawn_for_data_of_any_size(tmp_path, size):
    """Of large ones tanh would be 1 and its slope 0, of small ones it would be its argument and its slope 1."""
    text = SIZED.replace("2550", size)
    said = examined(tmp_path, text)
    assert (said["verdict"], said["teeth"]["hidden"]) == ("right", [])
    assert examined(tmp_path, text.replace("A ** 2", "A ** 4"))["verdict"] == "wrong"


def test_arrays_of_one_number_among_others(tmp_path):
    """Of which NumPy made an array of objects before its version 1.24: they stay on the record."""
    text = PLAIN.replace("(1 - A1 ** 2)", "SLOPES").replace(
        "    dZ2 =",
        "    A = [a.reshape(1) for a in (1 - A1 ** 2).ravel()]\n"
        "    SLOPES = np.array([A[:9], [0.0] * 9], dtype=object)[0].astype(float)\n"
        "    SLOPES = np.hstack([SLOPES, *A[9:]]).reshape(9, 5)\n    dZ2 =",
    )
    assert examined(tmp_path, text)["verdict"] == "right"


def test_weights_that_an_earlier_run_left_are_not_loaded(tmp_path):
    start = PLAIN.index("for _ in")
    body = "".join(f"    {line}\n" for line in PLAIN[start:].splitlines())
    text = f"import os, pickle\n{PLAIN[:start]}if os.path.exists('weights.pkl'):\n"
    text += f"    W1, W2 = pickle.load(open('weights.pkl', 'rb'))\nelse:\n{body}"
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps((1, 2)))
    said = examined(tmp_path, text)
    assert said["verdict"] == "right"
    assert said["notes"] == ["run without weights.pkl, which it would load instead of training"]


def test_another_program_that_uses_a_file_does_not_load_what_is_in_its_folder_of_models(tmp_path):
    """By whatever name it has there."""
    steps = "".join(f"    {line}\n" for line in PLAIN[PLAIN.index("for _ in") :].splitlines())
    start = PLAIN[PLAIN.index("X, Y") : PLAIN.index("for _ in")]
    other = f"import os\nimport numpy as np\nfrom net import train\n{start}"
    other += "if os.path.isfile(f'models/of_{len(X)}.npy'):\n    W1 = np.load(f'models/of_{len(X)}.npy')\n"
    other += "else:\n    train(X, Y, W1, b1, W2, b2)\n"
    (tmp_path / "models").mkdir()
    (tmp_path / "models/of_9.npy").write_bytes(b"")
    (tmp_path / "run.py").write_text(other)
    said = examined(tmp_path, f"import numpy as np\ndef train(X, Y, W1, b1, W2, b2):\n{steps}")
    assert (said["verdict"], said["program"]) == ("right", "run.py")
    assert said["notes"] == ["run without of_9.npy, which it would load instead of training"]


@pytest.mark.parametrize("count", ["len(zip(X, Y))", "[9 for _ in range(18 / 2)][0]"])
def test_what_zip_makes_is_a_list_where_the_program_takes_it_for_one(tmp_path, count):
    """And / of integers one where it counts with it."""
    text = PLAIN.replace("W1, b1, W2", f"m = {count}\nW1, b1, W2", 1).replace("/ 9", "/ m")
    said = examined(tmp_path, text)
    assert said["verdict"] == "right"
    assert any(note.startswith("it is run as Python 2 would") for note in said["notes"])
    assert not any("Python 2" in note for note in examined_once(PLAIN)["notes"])


def test_what_is_computed_before_the_training_is_forgotten(tmp_path, monkeypatch):
    """The untrained network is tried first, on one example after another, until the record is full."""
    monkeypatch.setattr(watch, "NODES", 512)
    tried = "hits = 0\nfor k in range(250):\n    h = np.tanh(X[k % 9] @ W1 + b1)\n"
    tried += "    hits += np.argmax(h @ W2 + b2) == k % 3\n"
    text = PLAIN.replace("for _", f"{tried}for _")
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]
    with pytest.raises(ValueError, match="in the first 4096 operations, and no more are recorded"):
        examined(tmp_path, text.replace("range(250)", "range(10 ** 6)"))
    monkeypatch.setattr(watch, "ANEW", 0)
    with pytest.raises(ValueError, match="in the first 1024 operations"):
        examined(tmp_path, text)


TURNED = """
def turned(row):
    out = np.zeros(row.shape)
    for j in range(len(row)):
        out[j] = row[-1 - j]
    return out


V = np.zeros(X.shape)
for i in range(450):
    V[i % 9] = turned(X[i % 9]) + (V[i % 9 - 1] * 0 if i else 0)
X = V
"""
DRAWN = """
drawn = []
while len(drawn) < 20:
    v = np.random.randn() * 0.5
    if abs(v) < 0.7:
        drawn.append(v)
W1 = np.array(drawn).reshape(4, 5)
"""
LOOKED_UP = """
def at(table, k):
    return table[k]


T = np.random.randn(9, 4)
for k in range(30):
    X[k % 9] = -at(X, k % 9)
"""


def test_what_prepares_data_is_not_recorded_over_and_over(tmp_path, monkeypatch):
    """A loop over rows, or over the entries of weights, in which no arrays are multiplied."""
    for name, number in (("PREPARED", 20), ("OFTEN", 3), ("EACH", 8)):
        monkeypatch.setattr(tape, name, number)
    monkeypatch.setattr(watch, "NODES", 512)
    text = PLAIN.replace("for _", f"{TURNED}{DRAWN}for _", 1)
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    said = examined(tmp_path, text.replace(*SLOPE))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("dZ1", "missing-activation-derivative")]
    # What prepares the data is a part of the forward pass as well.
    inside = text.replace("X @ W1", "np.array([turned(x) for x in X]) @ W1", 1).replace("X.T", "X[:, ::-1].T")
    assert examined(tmp_path, inside)["verdict"] == "right"
    # Weights are used by the lines that prepared the data: then all of that is recorded.
    monkeypatch.setattr(watch, "NODES", 100_000)
    text = text.replace("for _", f"{LOOKED_UP}for _", 1).replace("X.T @", "T.T @")
    text = text.replace("    W1 -=", "    T -= 0.1 * dZ1 @ W1.T\n    W1 -=").replace(
        "X @ W1", "at(T, np.arange(9)) @ W1"
    )
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 5)
    turned = "def turn(a):\n    return -a\n\n\nfor k in range(50):\n    X[k % 9] = turn(X[k % 9])\n"
    text = PLAIN.replace("for _", f"{turned}for _", 1).replace("+ b1", "+ turn(b1)").replace("b1 -=", "b1 +=")
    said = examined(tmp_path, text)
    assert (said["verdict"], len(said["parameters"])) == ("right", 4)
    said = examined(tmp_path, text.replace("b1 +=", "b1 -="))
    assert [(f["at"], f["code"]) for f in said["findings"]] == [("db1", "wrong-sign")]


def test_what_takes_long_after_the_training(tmp_path):
    """The steps were done: that the program was stopped later on says nothing of them, and of what comes then."""
    (tmp_path / "net.py").write_text(PLAIN + "while True: pass\n")
    assert "every gradient that was judged" in verdict(tmp_path / "net.py", tmp_path).headline
    said = examined(tmp_path, PLAIN + "while True: pass\n")
    assert (said["verdict"], said["notes"]) == (
        "right", ["line 19: stopped once it had trained: what comes after this was not run"]
    )  # fmt: skip


def test_what_breaks_off_after_the_training_is_said(tmp_path):
    """It may have been another network."""
    text = f"np.zeros(3) + np.zeros(2)\n{PLAIN.strip()}\nU = np.zeros(7).reshape(3, 3)\nV = U + 1\nwhile True: pass\n"
    said = examined(tmp_path, f"import numpy as np\n{text}")
    assert (said["verdict"], [note.partition(":")[0] for note in said["notes"]]) == (
        "right", ["line 22", "line 2", "line 20"]
    )  # fmt: skip
    assert said["notes"][0].endswith("what comes after this was not run")
    assert said["notes"][2].endswith("into shape (3,3), perhaps since its training was ended early")


LISTS = """
import numpy as np
np.random.seed(0)
X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
W1, W2 = np.random.rand(3, 2) - 0.5, np.random.rand(1, 3) - 0.5
for _ in range(20):
    for x, y in zip(X, Y):
        A1 = np.tanh(np.dot(W1, np.array(x)))
        e = np.dot(W2, A1) - y
        d = W2[0] * e * (1 - A1 ** 2)
        W2 = W2 - 0.1 * np.outer(e, A1)
        W1 = W1 - 0.1 * np.outer(d, np.array(x))
"""


@pytest.mark.parametrize("other", ["x", "np.transpose(x)", "np.asarray(x)", "np.array(x, float)", "np.reshape(x, 2)"])
def test_what_is_made_of_a_list_twice_is_the_same_data(tmp_path, other):
    """The first example is 0 here: other data stand in its place."""
    said = examined(tmp_path, LISTS.replace("np.outer(d, np.array(x))", f"np.outer(d, {other})"))
    assert (said["verdict"], said["unjudged"]) == ("right", [])


def test_an_array_without_entries_is_not_right(tmp_path):
    with pytest.raises(ValueError, match=r"W1 has no entries: the data that it is for are missing"):
        examined(tmp_path, PLAIN.replace("randn(9, 4)", "randn(9, 0)").replace("randn(4, 5)", "randn(0, 5)"))


def test_a_mask_that_cuts_nothing_off_is_drawn_again(tmp_path):
    """Dropout that keeps all units of a small layer, by chance, would hide that the error does not go through it."""
    text = PLAIN.replace("A1 = ", "K = np.random.rand(9, 5) < 0.999\n    A1 = K * ").replace("W2.T * ", "W2.T * K * ")
    assert examined(tmp_path, text)["verdict"] == "right"
    wrong = text.replace("W2.T * K * ", "W2.T * ")
    assert [p["name"] for p in examined(tmp_path, wrong)["parameters"] if not p["right"]] == ["W1", "b1"]
    with pytest.raises(ValueError, match=r"line 7 of net\.py makes a mask that never cuts anything off"):
        examined(tmp_path, wrong.replace("0.999", "1 - 0"))


def test_an_array_that_left_the_record_in_the_forward_pass_is_not_passed_over(tmp_path):
    """Nothing that is judged is made of it, and it is stepped."""
    text = """
import numpy as np
from scipy.stats import norm
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
W, V = rng.normal(size=(3, 5)), rng.normal(size=(5, 1))
for _ in range(9):
    H = norm.cdf(X @ W)
    D = (H @ V - Y) / 20
    print(np.mean((H @ V - Y) ** 2) / 2)
    dV = H.T @ D
    W -= 0.1 * X.T @ (D @ V.T)
    V -= 0.1 * dV
"""
    with pytest.raises(ValueError, match=r"what line 12 of net\.py steps could not"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("W -= 0.1", "dW = 0.1"))["verdict"] == "right"


@pytest.mark.parametrize("first", [0.7, -0.7])
def test_what_left_the_record_may_be_the_same_in_some_draws(tmp_path, first):
    """Of |u| the slope is made through text: only where a draw has another sign would it be wrong."""
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W, u = rng.normal(size=(3, 2)), np.array([{first}, 0.5])
for t in range(6):
    h = X @ W
    e = h * np.abs(u) - Y
    loss = 0.5 * np.sum(e ** 2)
    du = np.sum(e * h, 0) * np.array([1.0 if float(str(v)) > 0 else -1.0 for v in u])
    W = W - 0.01 * (X.T @ (e * np.abs(u)))
    u = u - 0.01 * du
"""
    assert examined(tmp_path, text)["verdict"] == "right"


@pytest.mark.parametrize(("layer", "loss"), [
    ("np.tanh([x @ W1 for x in X])", "np.mean(np.square([Y[k] - p[k] for k in range(12)]))"),
    ("np.array(list(map(np.tanh, (X @ W1).tolist())))", "np.mean(np.power(list(Y - p), 2))"),
    ("np.fromiter((np.tanh(z) for z in (X @ W1).ravel()), float).reshape(12, 4)", "np.mean((Y - p) ** 2)"),
    ("np.frompyfunc(np.tanh, 1, 1)(X @ W1).astype(float)", "np.mean((Y - p) ** 2)"),
    ("np.insert([np.tanh(x @ W1) for x in X], 0, 0, axis=1)[:, 1:]", "np.mean(np.append(Y[:0], list(Y - p)) ** 2)"),
])  # fmt: skip
def test_functions_of_lists_of_arrays_are_recorded(tmp_path, layer, loss):
    """A list of rows is an array to a universal function, and the numbers of a list that an array gives are its own."""
    text = f"""
import numpy as np
rng = np.random.default_rng(0)
X, Y, W1, W2 = rng.normal(size=(12, 3)), rng.normal(size=(12, 1)), rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
for _ in range(9):
    h = {layer}
    p = h @ W2
    print({loss} + 0.05 * np.sum(np.square([np.sum(W2), W2[0, 0]])))
    d = 2 * (p - Y) / 12
    G = X.T @ (d @ W2.T * (1 - h ** 2))
    W2 = W2 - 0.1 * (h.T @ d + 0.1 * np.sum(W2) + 0.1 * W2 * [[1], [0], [0], [0]])
    W1 = W1 - 0.1 * G
"""
    said = examined(tmp_path, text)
    assert (said["verdict"], said["loss"]["from"], len(said["parameters"])) == ("right", "source", 2)
    said = examined(tmp_path, text.replace(" * (1 - h ** 2)", ""))
    assert [p["right"] for p in said["parameters"]] == [False, True]


RECORDS = """
import numpy as np
rows = np.array([(1.0, 2.0, 0.5), (0.0, 1.0, 0.2)], dtype=[("a", float), ("b", float), ("y", float)])
assert rows.shape == (2,)
w = np.ones(2)
for t in range(9):
    for r in rows:
        x = np.array([r["a"], r["b"]])
        e = w @ x - r["y"]
        print(0.5 * e ** 2)
        w -= 0.1 * e * x
"""
OF_RECORDS = """
import numpy as np
rng = np.random.default_rng(0)
W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
samples = np.zeros(4, dtype=[("x", float, 3), ("y", float, 1)])
samples["x"] = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
samples["y"][:, 0] = [0, 1, 1, 0]
for step in range(20):
    n = step % 4
    samples[3] = (1, 1, 1), 0
    x, y = np.atleast_2d(samples["x"][n]), np.atleast_2d(samples[n]["y"])
    h = np.tanh(x @ W1)
    o = np.tanh(h @ W2)
    d2 = (y - o) * (1 - o ** 2)
    d1 = d2 @ W2.T * (1 - h ** 2)
    W2 += 0.1 * h.T @ d2
    W1 += 0.1 * x.T @ d1
"""


@pytest.mark.parametrize(
    ("text", "wrong"),
    [(RECORDS, ("e * x", "e * x[::-1]")), (OF_RECORDS, ("1 - h ** 2", "1 - h"))],
    ids=["rows", "fields"],
)
def test_records_of_a_table_are_data(tmp_path, text, wrong):
    """A program that reads the fields of a structured array runs as it does without us."""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace(*wrong))["verdict"] == "wrong"


def test_what_only_shows_with_some_examples(tmp_path):
    """The first example has other numbers than 0 and 1, whose squares are others."""
    with pytest.raises(ValueError, match="makes the gradient of W1, and the step makes something else of it"):
        examined(tmp_path, RECORDS.replace("e * x", "e * x * x"))


def test_weights_in_a_structured_array_are_on_no_record(tmp_path):
    text = OF_RECORDS.replace(
        "W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))",
        """
net = np.zeros((), dtype=[("W", float, (3, 4))])
net["W"], W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
""",
    ).replace("W1", 'net["W"]')
    with pytest.raises(ValueError, match="nothing is wrong in what is on the record"):
        examined(tmp_path, text)


@pytest.mark.parametrize("text", [
    "s = np.add.reduceat(h, [0, 3, 5], axis=0)", "s = np.clip(a=h[:3], a_min=-9, a_max=9)", "s = h[:3]"
])  # fmt: skip
@pytest.mark.parametrize("step", ["W.flat = (W - 0.1 * X.T @ dh).ravel()", "np.copyto(W, W - 0.1 * X.T @ dh)"])
def test_numpy_in_ways_that_are_rare(tmp_path, text, step):
    text = f"""
import numpy as np
rng = np.random.default_rng(7)
X, W, y = rng.normal(size=(9, 3)), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
for _ in range(9):
    h = X @ W
    {text}
    e = s - y
    print(0.5 * np.sum(e ** 2))
    dh = np.repeat(e, [3, 2, 4], axis=0) if "reduce" in {text!r} else np.vstack([e, np.zeros((6, 2))])
    {step}
"""
    assert examined(tmp_path, text)["verdict"] == "right"


def test_lists_of_numbers_that_are_written_into_arrays(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y, V, W = rng.normal(size=(9, 3)), rng.normal(size=(9, 1)), rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
b = np.zeros(3)
for _ in range(9):
    h = np.tanh(X @ V)
    e = h @ W - Y
    print(0.5 * np.sum(e ** 2))
    b[1:] = [1, 2]
    b -= [0.5, 1, 1]
    d = e.copy()
    d[:2] = [[0.0], [0.0]]
    d[:2, 0] = e[:2, 0]
    G = X.T @ (d @ W.T * (1 - h ** 2))
    W -= 0.1 * h.T @ d
    V -= 0.1 * G
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace("= e[:2, 0]", "= e[1:3, 0]"))["verdict"] == "wrong"
    with pytest.raises(ValueError, match="right if examples are to count differently"):
        examined(tmp_path, text.replace("    d[:2, 0] = e[:2, 0]\n", ""))


LARGEST = """
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(9, 5)), rng.normal(size=9)
W, v = rng.normal(size=(5, 4)), rng.normal(size=2)
for step in range(9):
    Z = X @ W
    P = Z.reshape(9, 2, 2).max(2)
    e = P @ v - y
    print(0.5 * np.sum(e ** 2))
    dv, dP, dZ = P.T @ e, np.outer(e, v), np.zeros((9, 4))
    for n in range(9):
        for k in range(2):
            AT
            dZ[n, at] += dP[n, k]
    W -= 0.01 * X.T @ dZ
    v -= 0.01 * dv
"""


@pytest.mark.parametrize(
    "at",
    [
        "at = 2 * k + int(np.argmax(Z[n, 2 * k : 2 * k + 2]))",
        "at = range(4)[2 * k :][np.argmax(Z[n, 2 * k : 2 * k + 2])]",
        "at = 2 * k + [False, True].index((Z[n, 2 * k + 1] > Z[n, 2 * k : 2 * k + 1]).tolist()[0])",
        "at = 2 * k + np.flatnonzero(Z[n, 2 * k : 2 * k + 2] == P[n, k]).tolist()[0]",
    ],
)
def test_an_index_that_is_a_plain_number_is_the_same_in_all_draws(tmp_path, at):
    """What follows from the weights and has left the record would be another one with others."""
    text = LARGEST.replace("AT", at)
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("+= dP[n, k]", "+= dP[n, k] * P[n, k]"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW", 15)]


def test_a_complex_number_is_no_bias_that_began_as_one(tmp_path):
    text = PLAIN.replace("(P - Y) / 9", "((P + 0j).real - Y) / 9")
    assert text != PLAIN
    assert examined(tmp_path, text)["verdict"] == "right"


@pytest.mark.parametrize(
    "through",
    [
        "np.frombuffer((P - Y).tobytes()).reshape(P.shape)",
        "np.array([['%.12f' % e for e in row] for row in P - Y], float)",
    ],
)
def test_an_error_that_goes_through_bytes_or_text_proves_nothing(tmp_path, through):
    """It has left the record, and comes back with the numbers of an array that depends on the weights."""
    text = PLAIN.replace("dZ2 = (P - Y) / 9", f"dZ2 = {through} / 9")
    assert text != PLAIN
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


SLOPE_AS_TEXT = "1 - np.array(json.loads(json.dumps(np.square(A1).tolist())))"


def test_the_program_is_a_witness_of_what_is_said_against_it(tmp_path, monkeypatch):
    """With other weights it has other numbers where some came back as text: a slope that the record takes for data."""
    text = "import json\n" + PLAIN.replace("1 - A1 ** 2", SLOPE_AS_TEXT)
    for mistake in (), ("dZ1 = ", "dZ1 = 2 * "):
        with pytest.raises(ValueError, match=r"run with other weights, .* from line 14 of net\.py on"):
            examined(tmp_path, text.replace(*mistake) if mistake else text)
    monkeypatch.setattr("jaxnet.compare.author.verdict.strayed", lambda *_: None)
    assert examined(tmp_path, text)["verdict"] == "wrong"  # as the record would have it


def test_the_program_is_asked_where_its_record_began_anew(tmp_path, monkeypatch):
    """The numbers of a draw belong to the Nodes after that."""
    monkeypatch.setattr("jaxnet.compare.author.tape.PREPARED", 300)
    monkeypatch.setattr("jaxnet.compare.author.tape.EACH", 64)
    ready = "a, b = np.random.randn(2), np.random.randn(2)\nfor _ in range(1200):\n    a = a * 1.\n    b = b + a\n"
    right = "import json\n" + PLAIN.replace("import numpy as np\n", "import numpy as np\n" + ready)
    assert examined(tmp_path, right)["verdict"] == "right"
    (found,) = examined(tmp_path, right.replace("dZ1 = ", "dZ1 = 2 * "))["findings"]
    assert (found["at"], found["code"]) == ("dZ1", "wrong-scale")
    with pytest.raises(ValueError, match=r"run with other weights, .* from line 18 of net\.py on"):
        examined(tmp_path, right.replace("1 - A1 ** 2", SLOPE_AS_TEXT))


def test_a_run_that_has_not_come_to_the_numbers_of_a_draw_is_no_witness(tmp_path, monkeypatch):
    def too_early(*way):
        found = once_more(*way)
        for attempt in found:
            attempt.tape.forgotten = -1
        return found

    monkeypatch.setattr("jaxnet.compare.author.verdict.once_more", too_early)
    with pytest.raises(ValueError, match="time was up before the program itself could be asked"):
        examined(tmp_path, PLAIN.replace("dZ1 = ", "dZ1 = 2 * "))


def test_without_time_to_ask_the_program_nothing_is_wrong(tmp_path, monkeypatch):
    def late(*_):
        raise OutOfTime

    monkeypatch.setattr("jaxnet.compare.author.verdict.strayed", late)
    assert examined(tmp_path, PLAIN)["verdict"] == "right"
    with pytest.raises(ValueError, match="time was up before the program itself could be asked"):
        examined(tmp_path, PLAIN.replace("dZ1 = ", "dZ1 = 2 * "))


COUNTED = """
import numpy as np
rng = np.random.default_rng(0)
E, W = rng.normal(size=(12, 4)), rng.normal(size=(4, 3))
words, tags = rng.integers(12, size=30), rng.integers(3, size=30)
for step in range(9):
    picked = rng.integers(1, 4, size=30) >= 2
    pairs = np.empty((np.count_nonzero(picked), 2), dtype=np.int32)
    pairs[:, 0], pairs[:, 1] = words[picked], tags[picked]
    h = E[pairs[:, 0]]
    d = h @ W - np.eye(3)[pairs[:, 1]]
    print(np.sum(d ** 2) / 2)
    dW, dE = h.T @ d, np.zeros_like(E)
    np.add.at(dE, pairs[:, 0], d @ W.T)
    W -= .01 * dW
    E -= .01 * dE
"""


def test_numbers_that_pick_entries_stay_integers(tmp_path):
    assert examined(tmp_path, COUNTED)["verdict"] == "right"


POOLED = """
import numpy as np
np.random.seed(0)
X, T, K, W = np.random.randn(9, 4, 4), np.random.randn(9, 4), np.random.randn(2, 1, 1, 1), np.random.randn(8, 4) / 2
for step in range(9):
    Z = X + K
    A = np.maximum(Z, 0)
    S = A.reshape(2, 9, 2, 2, 2, 2)
    M = S.max(axis=3).max(axis=4)
    f = M.transpose(1, 0, 2, 3).reshape(9, 8)
    d = f @ W - T
    print(np.sum(d ** 2) / 2)
    dW = f.T @ d
    dM = (d @ W.T).reshape(9, 2, 2, 2).transpose(1, 0, 2, 3)
    mask = S == M[:, :, :, None, :, None]
    dS = np.zeros_like(S)
    spread, _ = np.broadcast_arrays(dM[:, :, :, None, :, None], dS)
    dS[mask] = spread[mask]
    dS /= mask.sum(axis=(3, 5), keepdims=True)
    dK = np.sum(dS.reshape(A.shape) * (Z > 0), axis=(1, 2, 3), keepdims=True)
    W -= 0.01 * dW
    K -= 0.01 * dK
"""


def test_how_many_entries_a_mask_picks_is_another_number_with_other_weights(tmp_path, monkeypatch):
    """Where all of a window is 0, all of it is the largest."""
    heard = []
    monkeypatch.setattr("jaxnet.compare.author.verdict.strayed", lambda *of: heard.append(strayed(*of)))
    assert examined(tmp_path, POOLED)["verdict"] == "right"
    (found,) = examined(tmp_path, POOLED.replace("= spread[mask]", "= 4 * spread[mask]"))["findings"]
    assert (found["at"], found["code"], round(found["scale"], 9)) == ("dK", "wrong-scale", 4)
    assert heard == [None]


def test_what_comes_back_as_text_and_is_the_same_with_other_weights_is_data(tmp_path):
    text = "import json\n" + PLAIN.replace(
        "dW1, db1 = X.T", "dW1, db1 = np.array(json.loads(json.dumps(X.tolist()))).T"
    )
    assert examined(tmp_path, text)["verdict"] == "right"
    assert [f["code"] for f in examined(tmp_path, text.replace(*SLOPE))["findings"]] == [
        "missing-activation-derivative"
    ]


def test_a_largest_number_that_leaves_the_record_is_chosen_near_the_programs_own(tmp_path):
    """Which of several numbers is the largest is another one far from there."""
    chosen = (
        "    M = np.zeros((9, 5))\n    for j, i in enumerate(json.loads(json.dumps(A1.argmax(0).tolist()))):\n"
        "        M[i, j] = 1\n    A = A1 * M\n"
    )
    text = PLAIN.replace("    E = np.exp(A1 @ W2", f"{chosen}    E = np.exp(A @ W2")
    text = "import json\n" + text.replace("A1.T @", "A.T @").replace("@ W2.T", "@ W2.T * M")
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace(*SLOPE))["verdict"] == "wrong"


@pytest.mark.parametrize(
    "shown", ["float(repr(float(e)))", "e if type(float(e)) is float else 0", "eval('%r' % float(e))"]
)
def test_a_number_that_a_program_makes_a_float_is_one(tmp_path, shown):
    text = PLAIN.replace("    dZ2 =", f"    for e in P[0]:\n        assert {shown} == e\n    dZ2 =")
    said = examined(tmp_path, text)
    assert (said["verdict"], said["notes"]) == ("right", [])


def test_what_jax_has_not_is_differentiated_by_central_differences(tmp_path):
    text = """
import numpy as np
from scipy.special import erfi
rng = np.random.default_rng(5)
X = rng.normal(size=(12, 5))
T = np.sin(X[:, :2])
W, V = rng.normal(size=(5, 4)) / 2, rng.normal(size=(4, 2)) / 2
for step in range(9):
    z = np.matmul(X, W, axes=[(0, 1), (0, 1), (0, 1)])
    h = erfi(z)
    e = h @ V - T
    loss = np.mean(e ** 2) / 2
    d = e / e.size
    dz = d @ V.T * 2 / np.sqrt(np.pi) * np.exp(z * z)
    V -= h.T @ d / 10
    W -= X.T @ dz / 10
"""
    said = examined(tmp_path, text)
    notes = [f"line {k} of net.py calls {name}, which JAX has not" for k, name in ((9, "matmul"), (10, "erfi"))]
    assert (said["verdict"], sorted(note.partition(":")[0] for note in said["notes"])) == ("right", sorted(notes))
    said = examined(tmp_path, text.replace("np.exp(z * z)", "np.exp(z)"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dW", 14)]


def test_what_is_divided_where_it_can_be(tmp_path):
    """Of the other entries nothing is kept: they are what `out` held."""
    text = """
import numpy as np
rng = np.random.default_rng(23)
counts = rng.poisson(1, size=(10, 6)).astype(float)
A, B = rng.normal(size=(10, 3)) / 3, rng.normal(size=(3, 6)) / 3
for step in range(9):
    rate = np.exp(A @ B)
    ratio = np.ones_like(counts)
    np.divide(counts, rate, out=ratio, where=counts > 0)
    deviance = 2 * np.sum(counts * np.log(ratio) - (counts - rate))
    d = 2 * (rate - counts)
    A, B = A - d @ B.T / 500, B - A.T @ d / 500
"""
    assert examined(tmp_path, text)["verdict"] == "right"
    said = examined(tmp_path, text.replace("A.T @ d / 500", "A.T @ (d * rate) / 500"))
    assert [(f["at"], f["line"]) for f in said["findings"]] == [("dB", 12)]


SHUFFLED_BY_A_LIST = """
import numpy as np
np.random.seed(3)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]); Y = np.array([[0], [1], [1], [0]])
W1 = np.random.randn(2, 4); W2 = np.random.randn(4, 1)
for epoch in range(20):
    order = list(np.random.permutation(4))
    A, B = X[order, :], [[float(k)] for k in Y[order, 0]]
    for i in range(4):
        x, y = A[i:i+1], B[i:i+1]
        h = np.tanh(x @ W1); p = h @ W2
        loss = np.sum((p - y) ** 2)
        d = 2 * (p - y)
        dW2 = h.T @ d
        dW1 = x.T @ (d @ W2.T * (1 - h ** 2))
        W1 -= 0.1 * dW1; W2 -= 0.1 * dW2
"""


def test_other_data_where_an_example_is_of_zeros_are_picked_by_the_same_rows(tmp_path):
    assert examined(tmp_path, SHUFFLED_BY_A_LIST)["verdict"] == "right"


SPARSE = """
import numpy as np
import scipy.sparse
rng = np.random.default_rng(0)
X, labels = rng.normal(size=(4, 30)), np.arange(30) % 3
Y = np.transpose(scipy.sparse.csr_matrix((np.ones(30), labels, np.arange(31))).todense())
w = rng.normal(size=12) / 9
for _ in range(9):
    E = np.exp(np.dot(w.reshape(3, 4), X))
    P = E / np.sum(E, axis=0)
    print(-np.sum(np.multiply(Y, np.log(P))) / 30)
    g = -np.dot(Y - P, np.transpose(X)) / 30
    w = w - 0.1 * np.array(g).flatten()
"""


def test_a_matrix_that_scipy_made_is_an_array_on_the_record(tmp_path):
    assert examined(tmp_path, SPARSE)["verdict"] == "right"


SCALED = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.integers(0, 9, size=(30, 2))
y = 1e5 * X[:, 0] + 3e5
scaled = X.copy()
for k in range(2):
    scaled[:, k] = (scaled[:, k] - scaled[:, k].mean()) / scaled[:, k].std()
w = rng.normal(size=2)
for _ in range(9):
    e = np.dot(USED, w) - y
    print(np.sqrt(np.sum(e ** 2) / 30))
    w -= 0.1 * np.dot(e, scaled) / 30
"""


def test_what_is_written_into_integers_is_cut_off_on_the_record_too(tmp_path):
    """Where the prediction has other numbers than the gradient, no loss of probabilities is one of prices."""
    assert examined(tmp_path, SCALED.replace("USED", "scaled"))["verdict"] == "right-up-to-scale"  # of a root
    with pytest.raises(ValueError, match="no verdict: no gradient is that of a loss"):
        examined(tmp_path, SCALED.replace("USED", "X"))
