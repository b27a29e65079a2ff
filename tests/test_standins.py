"""What a program reads and shows: data in all their forms, files, plots, questions, and the helpers of courses."""

import contextlib
import gzip
import json
import pickle
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judging import PLAIN, SLOPE, examined

from jaxnet.compare.author import course, libraries
from jaxnet.compare.author.files import Files
from jaxnet.compare.author.inert import Inert
from jaxnet.compare.author.program import run
from jaxnet.compare.author.samples import TEST, TRAIN, Samples
from jaxnet.compare.author.standins import arguments, stand_ins
from jaxnet.compare.author.verdict import verdict


@pytest.fixture
def ran(tmp_path):
    """Runs a program with real NumPy behind the stand-ins; its globals, if every statement of it ran."""

    def run_program(code, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (tmp_path / "program.py").write_text(textwrap.dedent(code))
        modules, builtins, _ = stand_ins(tmp_path, tmp_path / "program.py", np)
        result = run(tmp_path / "program.py", tmp_path, modules, builtins=builtins)
        assert result.notes == []
        return result.namespace

    return run_program


MNIST = {
    "keras": "from keras.datasets import mnist\n(x, y), _ = mnist.load_data()",
    "tensorflow": "import tensorflow as tf\n(x, y), _ = tf.keras.datasets.mnist.load_data()",
    "tensorflow.keras": "from tensorflow.keras.datasets import fashion_mnist\n(x, y), _ = fashion_mnist.load_data()",
    "idx": """
        import gzip
        import numpy as np
        with gzip.open('data/train-images-idx3-ubyte.gz', 'rb') as f:
            x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28 * 28)
        with open('data/train-labels.idx1-ubyte', 'rb') as f:
            y = np.frombuffer(f.read(), np.uint8, offset=8)
    """,
    "idx by its header": """
        import struct
        import numpy as np
        with open('train-labels-idx1-ubyte', 'rb') as f:
            magic, count = struct.unpack('>II', f.read(8))
            y = np.fromfile(f, dtype=np.uint8)
        with open('train-images-idx3-ubyte', 'rb') as f:
            magic, m, rows, columns = struct.unpack('>IIII', f.read(16))
            x = np.fromfile(f, dtype=np.uint8).reshape(len(y), 784)
        assert (magic, m, rows, columns) == (2051, count, 28, 28)
    """,
    "pickle": """
        import gzip, pickle
        with gzip.open('mnist.pkl.gz', 'rb') as f:
            (x, y), valid, test = pickle.load(f, encoding='latin1')
    """,
    "pickle, by keys": """
        import pickle
        data = pickle.load(open('mnist.pkl', 'rb'))
        x, y, x_test = data["training_images"], data["training_labels"], data['test_images']
        assert x_test.shape == (300, 784)
    """,
    "pickle of four": """
        import pickle
        with open('mnist.pkl', 'rb') as f:
            x, y, x_test, y_test = pickle.load(f)
        assert len(x_test) == len(y_test) == 300
    """,
    "idx, open for text": """
        import numpy as np
        f = open('train-images-idx3-ubyte', 'r')
        shape = np.fromfile(f, dtype='>i4', count=4)[1:]
        x = np.fromfile(f, dtype=np.uint8).reshape(shape).reshape(-1, 784)
        y = np.fromfile(open('train-labels-idx1-ubyte'), dtype=np.uint8, offset=8)
    """,
    "npz": "import numpy as np\nwith np.load('mnist.npz') as f:\n    x, y = f['x_train'], f['y_train']",
    "npy": "import numpy as np\nx, y = np.load('data/X_train.npy'), np.load('data/y_train.npy')",
    "loadtxt": """
        import numpy as np
        data = np.loadtxt('mnist_train.csv', delimiter=',', skiprows=1)
        y, x = data[:, 0], data[:, 1:]
    """,
    "genfromtxt": """
        import numpy as np
        data = np.genfromtxt('digit-recognizer/train.csv', delimiter=',', skip_header=1)
        y, x = data[:, 0], data[:, 1:]
    """,
    "lines": """
        rows = [line.split(',') for line in open('mnist_dataset/mnist_train.csv').readlines()]
        x, y = [[float(v) for v in row[1:]] for row in rows], [int(row[0]) for row in rows]
    """,
    "blanks": """
        rows = [[float(v) for v in line.split()] for line in open('mnist_train.csv')]
        x, y = [row[1:] for row in rows], [int(row[0]) for row in rows]
    """,
    "csv": """
        import csv
        with open('mnist_train.csv') as f:
            rows = list(csv.reader(f))
        x, y = [list(map(float, row[1:])) for row in rows], [int(row[0]) for row in rows]
    """,
    "pathlib": """
        from pathlib import Path
        import numpy as np
        folder = Path('data') / 'raw'
        assert (folder / 'train-images-idx3-ubyte').exists()
        x = np.frombuffer((folder / 'train-images-idx3-ubyte').read_bytes(), np.uint8, offset=16).reshape(-1, 784)
        y = np.frombuffer((folder / 'train-labels-idx1-ubyte').open('rb').read(), np.uint8, offset=8)
    """,
    "download": """
        import os, urllib.request
        import numpy as np
        if not os.path.exists('here.gz'):
            urllib.request.urlretrieve('http://yann.lecun.com/exdb/mnist/train-images-idx3-ubyte.gz', 'here.gz')
        import gzip
        x = np.frombuffer(gzip.open('here.gz').read(), np.uint8, offset=16).reshape(-1, 784)
        os.remove('here.gz')
        content = urllib.request.urlopen('http://yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz').read()
        y = np.frombuffer(gzip.decompress(content), np.uint8, offset=8)
    """,
    "torchvision": """
        from torchvision import datasets, transforms
        train = datasets.MNIST('.', train=True, download=True, transform=transforms.ToTensor())
        x, y = train.data.numpy(), train.targets.numpy()
        assert train[3][0].shape == (1, 28, 28) and train[3][1] == y[3]
        import torch
        import torch.nn.functional as F
        images, labels = next(iter(torch.utils.data.DataLoader(train, batch_size=8)))
        assert images.contiguous().view(8, -1).numpy().shape == (8, 784)
        assert images.resize(labels.size()[0], 784).shape == (8, 784) and images.size(0) == 8
        assert F.one_hot(labels, num_classes=10).numpy().argmax(1).tolist() == y[:8].tolist()
        tensors = torch.utils.data.DataLoader(train.data.type(torch.FloatTensor).div(255), batch_size=8)
        assert (next(iter(tensors)).numpy() == (x[:8] / 255).astype('float32')).all()
    """,
    "the author's own transforms": """
        import numpy as np
        import torchvision
        class Halved:
            def __call__(self, image):
                return np.array(image)[::2, ::2] / 255
        parts = torchvision.transforms.Compose([Halved(), lambda image: np.repeat(np.repeat(image, 2, 0), 2, 1)])
        one_hot = torchvision.transforms.Lambda(lambda label: np.eye(10)[label])
        train = torchvision.datasets.MNIST('.', train=True, transform=parts, target_transform=one_hot)
        plain = torchvision.datasets.MNIST('.', train=True)
        assert np.array(plain[0][0]).shape == (28, 28) and np.array(plain[0][0]).max() > 200
        pairs = [train[k] for k in range(len(train))]
        x, y = [image for image, _ in pairs], [label.argmax() for _, label in pairs]
    """,
    "npz, by keys": """
        import numpy as np
        with np.load('letters.npz') as data:
            x, y = data["images"], data["Labels"]
    """,
    "npz, by keys with both words": """
        import numpy as np
        data = np.load('letters.npz')
        x, y, x_test = data["X_train"].reshape(-1, 28, 28), data["y_train"], data["X_test"]
    """,
    "pickle of another name": """
        import pickle
        data = pickle.load(open('small_py3.p', 'rb'))
        x, y, x_test = data['train_data'], data['train_labels'], data['test_data']
    """,
    "read_data_sets": """
        from tensorflow.examples.tutorials.mnist import input_data
        mnist = input_data.read_data_sets('MNIST_data/', one_hot=False)
        x, y = mnist.train.images, mnist.train.labels
        for _ in range(30):
            x_batch, y_batch = mnist.train.next_batch(100)
            assert x_batch.shape == (100, 784) and len(y_batch) == 100
    """,
    "flat images": """
        import numpy as np
        x, y = np.load("data/X_images.npy"), np.load("data/y_images.npy")
        assert x.ndim == 2
    """,
    "MATLAB, by keys": """
        from scipy.io import loadmat
        data = loadmat("mnist_all.mat")
        x, y = data["X_train"], data["Y_train"].ravel()
    """,
    "files that must be in a folder": """
        import gzip, os
        import numpy as np
        open("logs/of/today.txt", "w").close()
        os.makedirs("data/mnist", exist_ok=True)
        missing = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"} - set(os.listdir("data/mnist"))
        assert not missing
        x = np.frombuffer(gzip.open("data/mnist/train-images-idx3-ubyte.gz").read()[16:], np.uint8).reshape(-1, 784)
        y = np.frombuffer(gzip.open("data/mnist/train-labels-idx1-ubyte.gz").read()[8:], np.uint8)
    """,
    "shuffled": """
        import mnist, mlxtend.preprocessing
        x, y = mlxtend.preprocessing.shuffle_arrays_unison(arrays=[mnist.train_images(), mnist.train_labels()])
    """,
    "python-mnist": "from mnist import MNIST\nx, y = MNIST('data').load_training()",
    "python-mnist, as arrays": """
        from mnist import MNIST
        x, y = MNIST("data", return_type="numpy").load_training()
        x, y = x.astype("f4"), y.astype(int)
    """,
    "mnist": "import mnist\nx, y = mnist.train_images(), mnist.train_labels()",
    "mnist_loader": """
        import numpy as np
        import mnist_loader
        training, validation, test = mnist_loader.load_data_wrapper()
        x, y = [x for x, _ in training], [np.argmax(y) for _, y in training]
        assert training[0][0].shape == (784, 1) and training[0][1].shape == (10, 1)
    """,
    "datasets": """
        from datasets import load_dataset
        train = load_dataset('mnist')['train']
        x, y = [row['image'] for row in train], train['label']
    """,
}


@pytest.mark.parametrize("form", MNIST)
def test_digits(ran, form):
    found = ran(MNIST[form])
    x, y = np.asarray(found["x"], np.float64), np.asarray(found["y"], np.int64)
    assert len(x) == len(y) > 1000
    assert set(y[:200]) == set(range(10))
    flat = x.reshape(len(x), -1) / x.max()
    assert flat.shape[1] == 784
    centres = np.stack([flat[y == k].mean(0) for k in range(10)])  # real digits are near their class's mean
    nearest = np.argmin(((flat[:300, None] - centres) ** 2).sum(-1), axis=1)
    assert np.mean(nearest == y[:300]) > 0.7


def test_coloured_pictures_of_torchvision(ran):
    found = ran("""
        import numpy as np
        from torchvision import datasets, transforms
        plain = datasets.CIFAR10('.', train=False)
        test = datasets.CIFAR10('.', train=False, transform=transforms.Compose([transforms.ToTensor()]))
        x, y = np.array([image.numpy() for image, _ in test]), np.array([label for _, label in test])
    """)
    assert found["plain"].data.shape[1:] == (32, 32, 3)
    assert found["x"].shape == (len(found["plain"]), 3, 32, 32)
    assert 0 <= found["x"].min() < 0.1 < 0.9 < found["x"].max() <= 1
    assert set(np.asarray(found["y"]).tolist()) <= set(range(10))


def test_all_of_mnist_where_its_size_is_written_down():
    assert Samples("x = x.reshape(60000, 784)").digits.x_train.shape == (60000, 28, 28)
    assert Samples("x, held = x[:60000], x[60000:]").digits.x_train.shape == (TRAIN, 28, 28)
    assert Samples("held, x = x[:10000], x[10000:]").digits.x_train.shape == (10000 + TRAIN, 28, 28)
    assert Samples("n_val = 10_000\nx = x[:-n_val]").digits.x_train.shape == (10000 + TRAIN, 28, 28)
    assert Samples("held, x = x[-10000:], x[:-10000]").digits.x_train.shape == (10000 + TRAIN, 28, 28)
    split = "train_test_split(X, y, train_size=3000, test_size=10000)"
    assert Samples(split).digits.x_train.shape == (13000 + TRAIN, 28, 28)
    assert Samples("shown = x[random.randint(1, 60000)]").digits.x_train.shape == (TRAIN, 28, 28)
    assert Samples("rows = np.random.randint(0, 60000, 9)").digits.x_train.shape == (60000, 28, 28)
    assert Samples("batch_size = 5000\nbatches = len(x) // batch_size").digits.x_train.shape == (10000 + TRAIN, 28, 28)
    assert Samples("batch_size = 5000\nbatches = range(0, len(x), batch_size)").digits.x_train.shape == (TRAIN, 28, 28)


COLUMN = """
import numpy as np
x, y = np.load("data/x_train.npy")[:30], np.load("data/y_train.npy")[:30]  # binary: (m, 1) of zeros and ones
w, b = np.zeros((784, 1)), np.zeros(1)
for _ in range(9):
    p = 1 / (1 + np.exp(-(x @ w + b)))
    error = (p - y) / 30
    w -= 0.1 * x.T @ error
    b -= 0.1 * error.sum(0)
"""


@pytest.mark.parametrize(("forward", "shape"), [("x @ w + b", "a column"), ("(x @ w + b)[:, 0]", "a vector")])
def test_the_shape_of_labels_that_are_made_up(tmp_path, forward, shape):
    """Nothing tells whether they are (m,) or (m, 1): what is wrong with the one and right with the other is right."""
    text = COLUMN.replace("x @ w + b", forward)
    if shape == "a vector":
        text = text.replace("x.T @ error", "(x.T @ error)[:, None]").replace("error.sum(0)", "error.sum()")
    (tmp_path / "net.py").write_text(text)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert report.verdict == "right"
    assert ("labels, which are missing, are made up as a column" in report.notes) == (shape == "a column")
    (tmp_path / "net.py").write_text(text.replace("(p - y)", "(p - y) * p"))
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "wrong"


def test_what_is_wrong_beside_what_is_right_with_labels_that_are_made_up(tmp_path):
    """Of two networks of one run neither acquits the other one."""
    second = COLUMN[COLUMN.index("w, b = ") :].replace("w", "v").replace("b ", "c ").replace("b)", "c)")
    (tmp_path / "net.py").write_text(COLUMN + second)
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"
    for wrong in (COLUMN + second.replace("(p - y)", "(p - y) * p"), COLUMN.replace("(p - y)", "(p - y) * p") + second):
        (tmp_path / "net.py").write_text(wrong)
        assert verdict(tmp_path / "net.py", tmp_path).verdict == "wrong"


PICKED = """
import numpy as np
x, y = np.load("data/x_train.npy")[:30], np.load("data/y_train.npy")[:30].astype(int)
w = np.random.randn(784, 10) * 0.01
rows = np.arange(30)[:, np.newaxis]
for _ in range(9):
    e = np.exp(x @ w)
    p = e / e.sum(1, keepdims=True)
    print(-np.mean(np.log(p[rows, y])))
    error = p.copy()
    error[rows, y] -= 1
    w -= 0.1 * x.T @ error / 30
"""


def test_what_is_wrong_for_labels_of_one_shape_is_tried_with_another(tmp_path):
    """With labels (m,) all rows pick the classes of all: that is an error, too, of which a loss is inferred."""
    (tmp_path / "net.py").write_text(PICKED)
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"
    (tmp_path / "net.py").write_text(PICKED.replace("x.T @ error", "x.T @ (error * p)"))
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "wrong"


ONE_HOT = """
import pickle
import numpy as np
import pandas as pd
x, y = load("x_train")[:30], load("y_train")[:30]
w = np.zeros((784, 10))
for _ in range(9):
    e = np.exp(x @ w)
    p = e / e.sum(1, keepdims=True)
    print(-np.einsum("ij,ij->", y, np.log(p)) / 30)
    w -= 0.1 * x.T @ (p - y) / 30
"""


@pytest.mark.parametrize(
    "load", ["np.loadtxt({} + '.txt')", "pickle.load(open({} + '.p', 'rb'))", "pd.read_pickle({} + '.p')"]
)
def test_labels_that_are_made_up_may_be_one_hot(tmp_path, load):
    """In texts, in pickles of one array each: told by no error that has a size in it."""
    text = ONE_HOT
    for name in ('"x_train"', '"y_train"'):
        text = text.replace(f"load({name})", load.format(name))
    (tmp_path / "net.py").write_text(text)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert (report.verdict, report.notes[0]) == ("right", "labels, which are missing, are made up as one-hot rows")


OF_ANOTHER_SIZE = """
import numpy as np
X, y = np.load("/home/me/X.npy"), np.load("/home/me/y.npy")
W = np.random.default_rng(1).normal(size=(30, 4))
for k in range(0, len(X), 32):
    x, t = X[k : k + 32], y[k : k + 32]
    e = np.exp(x @ W)
    p = e / e.sum(1, keepdims=True)
    p[range(len(x)), t] -= 1
    W -= 0.1 * x.T @ p
"""


def test_a_loop_that_lists_something_else_lists_no_folders_of_folders():
    text = "for f in os.listdir(d):\n    imread(f)\nfor g in os.listdir({}):\n    imread(g)"
    assert Samples(text.format("folder")).file_names("d")[0] == "0.png"
    assert Samples(text.format("join(d, f)")).file_names("d") == [str(k) for k in range(10)]
    assert Samples(text.format("in_f")).file_names("d/3")[0] == "0.png"


def test_what_is_missing_is_said_where_nothing_was_found(tmp_path):
    """The error may be one of data that are not the author's, or of a module that computes nothing here."""
    (tmp_path / "other.py").write_text("import another_module_that_nobody_has")
    (tmp_path / "net.py").write_text(
        "import module_that_nobody_has as m\nimport numpy as np\nrows = np.loadtxt('rows.csv', delimiter=',')\n"
        "if len(rows) != 12345:\n    raise ValueError('too few')\n"
    )
    said = r"too few\); rows.csv is missing, and made up; module_that_nobody_has is not installed, and without effect$"
    with pytest.raises(ValueError, match=said):
        verdict(tmp_path / "net.py", tmp_path)


def test_arrays_of_the_program_tell_the_size_of_data(tmp_path):
    """Those that are made up are MNIST's first; the error that comes of it says what they should be."""
    said = "data, which are missing, are made up of 30 numbers each and of 4 classes, as arrays of the program have it"
    one_hot = OF_ANOTHER_SIZE.replace("(30, 4)", "(30, y.shape[1])").replace("p[range(len(x)), t] -= 1", "p = p - t")
    table = OF_ANOTHER_SIZE.replace("X, y = ", "rows = np.loadtxt('data.csv', delimiter=',') #")
    table = table.replace("W =", "X, y = rows[:, 1:-1], rows[:, -1].astype(int)\nW =").replace("@ W", ".dot(W)")
    for text, notes in (
        (OF_ANOTHER_SIZE, [said]),
        (one_hot, ["labels, which are missing, are made up as one-hot rows", said.replace(" and of 4 classes", "")]),
        (table, [said.replace("30", "31").replace(" and of 4 classes", "")]),
    ):
        (tmp_path / "net.py").write_text(text)
        report = verdict(tmp_path / "net.py", tmp_path)
        missing = "data.csv is" if text is table else "X.npy, y.npy are"
        assert (report.verdict, report.notes) == ("right", [*notes, f"{missing} missing, and made up"])
        (tmp_path / "net.py").write_text(text.replace("x.T @ p", "x.T @ p * W"))
        with pytest.raises(ValueError, match="no gradient is that of a loss"):
            verdict(tmp_path / "net.py", tmp_path)


def test_the_command_line_of_the_readme(tmp_path):
    """`-l 8 10` is what the program wants, and nothing but its README says so."""
    program = """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("-l", "--layers", nargs="+", type=int, required=True)
        parser.add_argument("--rate", type=float, default=0.1)
        options = parser.parse_args()
        assert options.layers[-1] == 10
    """
    (tmp_path / "net.py").write_text(textwrap.dedent(program))
    (tmp_path / "ReadMe.md").write_text("Start it so:\n\n`python3 net.py --rate 0.5 \\\n   -l 8 10`, and wait.\n")
    assert arguments(tmp_path / "net.py", tmp_path) == ["--rate", "0.5", "-l", "8", "10"]
    modules, builtins, _ = stand_ins(tmp_path, tmp_path / "net.py", np)
    given = arguments(tmp_path / "net.py", tmp_path)
    result = run(tmp_path / "net.py", tmp_path, modules, builtins=builtins, arguments=given)
    assert (result.notes, result.namespace["options"].layers) == ([], [8, 10])
    (tmp_path / "ReadMe.md").write_text("python net.py -l <sizes>")
    assert arguments(tmp_path / "net.py", tmp_path) == []
    text = "kind, epochs = sys.argv[1], sys.argv[2]\nmode = sys.argv[3]\nif mode.lower() == 'fit': pass\n"
    (tmp_path / "net.py").write_text(text)
    (tmp_path / "ReadMe.md").write_text("python net.py fit")  # two that are asked for are left out
    assert arguments(tmp_path / "net.py", tmp_path)[2] == "fit"


@pytest.mark.parametrize(("source", "given"), [
    ("if len(sys.argv) == 1: a = 'x.csv'\nelse: a = sys.argv[1]", []),
    ("if len(sys.argv) > 1: a = sys.argv[1]", []),
    ("rate = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3", []),
    ("if len(sys.argv) < 2: sys.exit('usage')\na = sys.argv[1]", ["1"]),
    ("if len(sys.argv) != 3:\n    raise ValueError\na, b = sys.argv[1], sys.argv[2]", ["1", "1"]),
    ("if len(sys.argv) > 2: a = sys.argv[1]\nelse: quit()", ["1"]),
])  # fmt: skip
def test_what_need_not_be_given_is_not(tmp_path, source, given):
    (tmp_path / "net.py").write_text(f"import sys\n{source}\n")
    assert arguments(tmp_path / "net.py", tmp_path) == given


def test_the_authors_own_file_wins_wherever_it_lies(ran):
    found = ran(
        "import numpy as np\na = np.loadtxt('data/mnist_train.csv', delimiter=',')",
        deep__er__mnist_train_dot_csv=b"1,2\n3,4\n",
    )
    assert found["a"].tolist() == [[1, 2], [3, 4]]


def test_a_pointer_to_a_file_is_none(ran):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:51c2\nsize 18289443\n"
    found = ran("lines = open('mnist_train.csv').readlines()", mnist_train_dot_csv=pointer)
    assert len(found["lines"]) == TRAIN


def test_a_large_file_is_cut(ran):
    found = ran("rows = open('big.csv').readlines()", big_dot_csv=b"1,2,3,4,5,6,7,8,9,0\n" * 300_000)
    assert len(found["rows"]) == 3000


def test_images_and_labels_agree_in_number_wherever_they_come_from(ran):
    """MNIST's labels lie there packed; its images are missing, or one half of the tests is."""
    images, labels = (bytes([0, 0, 8, k]) + (60_000).to_bytes(4, "big") for k in (3, 1))
    labels += bytes(60_000)
    images += (1).to_bytes(4, "big") * 2 + bytes(60_000)
    reading = "y = open('train-labels-idx1-ubyte', 'rb').read()\nx = open('train-images-idx3-ubyte', 'rb').read()"
    found = ran(reading, **{"data__train-labels-idx1-ubyte_dot_gz": gzip.compress(labels)})
    assert (len(found["x"]) - 16) // 784 == len(found["y"]) - 8 == TRAIN
    assert not any(found["y"][8:])
    found = ran(f"{reading}\nvalidation_size = 5000", **{"train-images-idx3-ubyte": images})
    assert len(found["x"]) - 16 == len(found["y"]) - 8 == TRAIN + 5000
    found = ran(reading, **{"train-images-idx3-ubyte": images})
    assert len(found["x"]) - 16 == len(found["y"]) - 8 == TRAIN


@pytest.mark.parametrize("reading", [
    "import pickle\npickle.load(open('network.pkl', 'rb'))", "import numpy as np\nnp.load('weights.npz')",
    "import numpy as np\nnp.load('W1.npy')", "import numpy as np\nnp.loadtxt('weights_of_training.txt')",
    "import h5py\nh5py.File('model_weights.h5', 'r')",
    "open('notes.md').read()",
    "import urllib.request\nurllib.request.urlopen('https://example.com/net.bin')",
])  # fmt: skip
def test_nothing_that_was_trained_is_made_up(ran, reading):
    found = ran(f"failed = False\ntry:\n{textwrap.indent(reading, '    ')}\nexcept OSError:\n    failed = True")
    assert found["failed"]


def test_other_data(ran):
    found = ran("""
        import h5py, pickle, glob, cv2, os
        import numpy as np
        import scipy.io as sio
        from PIL import Image
        pictures = np.array(h5py.File('datasets/train_catvnoncat.h5', 'r')['train_set_x'][:])
        with open('cifar-10-batches-py/data_batch_1', 'rb') as f:
            batch = pickle.load(f, encoding='bytes')
        text = open('input.txt', 'r').read()
        images = [cv2.resize(cv2.imread(file), (64, 64)) for file in glob.glob('images/*.png')]
        more = [name for name in os.listdir('images')]
        image = np.array(Image.open('my_image.jpg').resize((32, 32)))
        matrix = sio.loadmat('ex4data1.mat')
    """)
    assert found["pictures"].shape == (209, 64, 64, 3)
    assert found["batch"][b"data"].shape == (400, 3072)
    assert len(found["batch"][b"labels"]) == 400
    assert len(set(found["text"])) > 10
    assert np.array(found["images"]).shape == (50, 64, 64, 3)
    assert len(found["more"]) == 50
    assert found["image"].shape == (32, 32, 3)
    assert found["matrix"]["X"].shape == (TRAIN, 400)
    assert sorted(set(found["matrix"]["y"].reshape(-1))) == list(range(1, 11))
    found = ran("""
        import codecs, glob, os, pickle
        from io import open
        listed = [open(os.path.join('data/names', name), encoding='utf-8').read() for name in os.listdir('data/names')]
        found = [codecs.open(name, 'r', 'utf-8').read() for name in glob.glob('../data/names/*.txt')]
        names = pickle.load(open('cifar/batches.meta', 'rb'), encoding='bytes')[b'label_names']
    """)
    assert (len(found["listed"]), len(found["found"]), len(found["names"])) == (50, 50, 10)
    found = ran("""
        import cv2, os
        labels = sorted(os.listdir(os.path.join('mnist_images', 'train')))
        pictures, y = [], []
        for label in labels:
            for name in os.listdir(os.path.join('mnist_images', 'train', label)):
                pictures.append(cv2.imread(os.path.join('mnist_images', 'train', label, name), cv2.IMREAD_UNCHANGED))
                y.append(int(label))
    """)
    assert np.array(found["pictures"]).shape == (100, 28, 28)
    assert sorted(set(found["y"])) == list(range(10))
    found = ran("""
        import os, urllib.request, zipfile
        from datasets import load_dataset
        from pathlib import Path
        home = os.path.expanduser("~/.no such folder")
        os.makedirs(os.path.join(home, "deep"))
        (Path(home) / "deep").mkdir(parents=True)
        urllib.request.urlretrieve("https://example.com/text8.zip", "here.zip")
        words = zipfile.ZipFile("here.zip").open("text8").read().decode().split()
        with zipfile.ZipFile("/elsewhere/table.zip") as archive:
            archive.extractall("unpacked")
        rows = open("unpacked/table.csv").readlines()
        lines = [row["text"] for row in load_dataset("a corpus", split="train") if row["text"].strip()]
    """)
    assert (len(set(found["words"])) > 10, len(found["rows"]), len(found["lines"])) == (True, 300, 11)
    assert not Path(found["home"]).exists()
    found = ran("from pathlib import Path\nn = Path('data/train-labels-idx1-ubyte').stat().st_size")
    assert found["n"] == 8 + TRAIN
    found = ran("""
        import gzip, struct, urllib.request
        urllib.request.urlretrieve("https://example.com/1", "train_labels.gz")
        with gzip.open("train_labels.gz") as f:
            n = struct.unpack(">II", f.read(8))[1]
    """)
    assert found["n"] == TRAIN


# --- what shows ------------------------------------------------------------------------------------------------------


def test_plots_and_the_like_do_nothing(ran, capsys):
    found = ran("""
        import matplotlib.pyplot as plt, seaborn as sns, not_there.deep as deep
        from mpl_toolkits.mplot3d import Axes3D
        from not_there import decorator, Base, thing
        from tqdm import tqdm, trange
        from tqdm.notebook import tqdm as bar
        figure, axes = plt.subplots(2, 3)
        figure, ((one, two), (three, *rest)) = plt.subplots(2, 3)
        first, = plt.plot([1, 2])
        for k, axis in enumerate(axes.flat):
            axis.imshow(k)
        with plt.style.context('dark'), deep.session(1) as session:
            session.run(plt.cm.Blues(0.3) + 1, -thing * 2, thing[0]['x'], thing.deeper.still(2) > 3)
        plt.rcParams['figure.figsize'] = (1, 2)
        plt.plot.style = 'x'
        class Net(Base):
            def __init__(self):
                super().__init__()
        net = Net()
        @decorator
        def f(x):
            return x
        @decorator(a=1)
        def g(x):
            return 2 * x
        calls = f(1), g(1), isinstance(1, thing)
        steps = [i for i in tqdm(range(3), desc='x')] + [i for i in trange(2)]
        with bar(total=3) as b:
            b.update(1)
            b.set_description(f'{thing:.3f} {thing}')
        tqdm.write('hello')
        print(f'{thing:.2f}', thing, len(thing), float(thing), int(thing))
    """)
    assert found["calls"] == (1, 2, False)
    assert found["steps"] == [0, 1, 2, 0, 1]
    assert len(found["rest"]) == 1
    assert capsys.readouterr().out == "  0 0.0 0\n"


def test_a_progress_bar_counts(ran):
    found = ran("from tqdm import tqdm\nbar, n = tqdm(total=9), 0\nwhile bar.n < 9:\n    bar.update(3)\n    n += 1")
    assert found["n"] == 3


def test_an_inert_thing_makes_no_array():
    thing: Any = Inert()
    assert isinstance(np.ones(3) * thing, Inert)
    assert isinstance(thing @ np.ones((3, 3)), Inert)
    with pytest.raises(TypeError):
        np.exp(thing)


def test_a_star_gives_the_names_that_are_wanted(ran):
    found = ran(
        "from plots import *\nfrom public_tests import *\nshow_all(1)\nmy_test(print)\ndef show_all2():\n    pass"
    )
    assert isinstance(found["show_all"], Inert)
    assert isinstance(found["my_test"], Inert)
    assert callable(found["show_all2"])
    found = ran("from shown import bar", shown_dot_py=b"from bars import *\nbar = Bar(1)")
    assert isinstance(found["bar"], Inert)


def test_modules_of_the_tree_are_the_authors(ran):
    found = ran(
        "from mnist import images\nfrom nets.tqdm import tqdm",
        mnist_dot_py=b"images = 5",
        nets__tqdm_dot_py=b"tqdm = 6",
    )
    assert (found["images"], found["tqdm"]) == (5, 6)
    found = ran("from keras.utils import to_categorical\nfrom utils import five", utils_dot_py=b"five = 5")
    assert (found["to_categorical"]([2]).tolist(), found["five"]) == ([[0, 0, 1]], 5)


def test_no_file_is_the_module_that_it_imports(ran):
    """`mnist.py` for `dataset.mnist`, whose folder is missing."""
    found = ran("from chapter.mnist import x", chapter__mnist_dot_py=b"from dataset.mnist import load_mnist as x")
    assert found["x"]()[1][0].shape == (300, 784)


def test_what_is_written_outside_of_the_tree_is_found_in_it(ran, tmp_path):
    found = ran("""
        with open('/nowhere/weights.bin', 'wb') as file:
            file.write(b'12')
        content = open('/nowhere/weights.bin', 'rb').read()
    """)
    assert found["content"] == b"12"
    assert [path.name for path in tmp_path.rglob("*.bin")] == ["weights.bin"]


def test_libraries_for_either_python(ran):
    found = ran("from six.moves import cPickle, range\nfrom past.builtins import xrange\nn = list(xrange(2))")
    assert (found["cPickle"].loads(found["cPickle"].dumps(5)), found["n"]) == (5, [0, 1])


def test_what_earlier_versions_of_libraries_had_and_a_terminal(ran):
    found = ran("""
        from sklearn.cross_validation import train_test_split
        from sklearn.datasets.samples_generator import make_moons
        x, y = make_moons(10)
        parts = train_test_split(x, y, test_size=0.2)
    """)
    assert [len(part) for part in found["parts"]] == [8, 2, 8, 2]
    found = ran("""
        import os
        import pandas as pd
        a = pd.DataFrame({"x": [1, 2]})
        b = a.append({"x": 3}, ignore_index=True).append([a, a]).append(a.iloc[0], ignore_index=True)
        c = a["x"].append(a["x"] + 2)
        width = os.get_terminal_size().columns
    """)
    assert (list(found["b"]["x"]), list(found["c"])) == ([1, 2, 3, 1, 2, 1, 2, 1], [1, 2, 3, 4])
    assert found["width"] == 80


def test_compilers_and_other_numpys(ran):
    found = ran("""
        from numba import njit, prange, jit
        import cupy as cp
        @njit(parallel=True)
        def f(n):
            return sum(i for i in prange(n))
        @jit
        def g(n):
            return n
        total, array = f(4) + g(1), cp.asnumpy(cp.ones(3) * 2)
        column = cp.ones(3)[:, cp.newaxis]
    """)
    assert found["total"] == 7
    assert found["column"].shape == (3, 1)
    assert found["array"].tolist() == [2, 2, 2]


# --- what asks -------------------------------------------------------------------------------------------------------


def test_options_that_nobody_gives(ran):
    found = ran("""
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument('data')
        parser.add_argument('extra', nargs='*')
        parser.add_argument('--hidden', type=int, required=True)
        parser.add_argument('--activation', choices=['relu', 'tanh'], required=True)
        parser.add_argument('--lr', type=float, default=0.3)
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument('--fast', action='store_true')
        parser.add_argument('--set', choices=['big', 'small'])
        parser.add_argument('--task', required=True)
        args = parser.parse_args()
        is_regression = args.task.lower() == 'regression'
        import tyro
        class Config:
            rate = 0.3
        config = tyro.cli(Config)
        with_commands = argparse.ArgumentParser()
        commands = with_commands.add_subparsers(dest='command', required=True)
        commands.add_parser('predict')
        commands.add_parser('train').add_argument('--epochs', type=int, default=7)
        chosen = with_commands.parse_args()
    """)
    args = found["args"]
    assert (args.hidden, args.activation, args.lr, args.fast, args.extra) == (5, "relu", 0.3, False, [])
    assert (args.data.endswith("csv"), found["is_regression"]) == (True, True)
    assert (args.set, found["config"].rate) == ("big", 0.3)
    assert (found["chosen"].command, found["chosen"].epochs) == ("train", 7)


def test_a_file_that_is_asked_for_is_the_largest_table_of_the_tree(ran):
    asked = "import numpy as np\na = np.loadtxt(input('path of the data? '), delimiter=',')"
    assert ran(asked, data__cancer_dot_csv=b"1,2\n3,4\n")["a"].tolist() == [[1, 2], [3, 4]]
    assert ran(asked, other_dot_csv=b"5\n")["a"].tolist() == [[1, 2], [3, 4]]  # of two, the larger one


def test_questions_are_answered_and_not_for_ever(ran):
    found = ran("""
        layers, rate = int(input('Enter the number of layers: ')), float(input('learning rate? '))
        again, share = input('Continue (y/n)?'), int(input('Percentage of the test data: '))
        data, start = input('Which data?\\n1) digits\\n2) clothes\\n'), input('Initialise by (He, Xavier or none): ')
        asked = 0
        try:
            while True:
                input('more')
                asked += 1
        except EOFError:
            pass
    """)
    assert (found["layers"], found["rate"], found["again"], found["share"]) == (2, 0.1, "y", 1)
    assert (found["data"], found["start"]) == ("1", "He")
    assert found["asked"] < 1000


def test_an_answer_has_as_many_numbers_as_the_program_has_names_for(ran):
    found = ran("""
        print('Please enter the learning rate, the hidden units and the number of epochs')
        rate, hidden, epochs = map(float, input().split())
        first, second = [int(x) for x in input('two whole numbers, please: ').split(',')]
        learning_rate = float(input())
    """)
    assert [found[name] for name in ("rate", "hidden", "epochs", "learning_rate")] == [0.1, 5, 3, 0.1]
    assert (found["first"], found["second"]) == (1, 1)


def test_what_asks_for_a_word_until_it_is_content_gets_others(ran):
    found = ran("""
        print('Load what is there? [Y/N]')
        res = input()
        while res.lower() not in {'y', 'n'}:
            print('Please enter [Y/N]')
            res = input()
        sizes = []
        while len(sizes) < 6:
            size = int(input('Number of neurons: '))
            sizes.append(size)
    """)
    assert (found["res"], len(set(found["sizes"]))) == ("n", 1)


def test_a_module_of_another_case_is_no_missing_one(ran):
    assert ran("from layer import a", Layer_dot_py=b"a = 1")["a"] == 1


def test_what_python_had_in_other_places(ran):
    found = ran("""
        import collections
        from collections import Iterator, OrderedDict, abc
        counted = collections.Counter('abca').most_common(1)
        is_one = isinstance(iter([]), Iterator) and Iterator is abc.Iterator and Iterator is collections.Iterator
    """)
    assert (found["counted"], found["is_one"]) == ([("a", 2)], True)


def test_nothing_is_waited_for_or_run(ran):
    found = ran("""
        import os, subprocess, time
        time.sleep(1000)
        done = os.system('clear'), subprocess.run(['ls']).returncode, subprocess.call('x', shell=True).returncode
        from google.colab import drive, files
        drive.mount('/content/drive')
        uploaded = files.upload()
    """)
    assert found["done"] == (0, 0, 0)


def test_tasks_of_a_pool_are_done_in_turn(ran):
    found = ran("""
        import concurrent.futures as futures
        done = []
        def task(k):
            done.append(k)
            return k / (k - 2)
        with futures.ThreadPoolExecutor(max_workers=4) as pool:
            tasks = [pool.submit(task, k) for k in range(4)]
            first, later = tasks[0].result(), list(pool.map(task, [5, 6]))
            error = tasks[2].exception()
        futures.wait(tasks)
    """)
    assert (found["done"], found["first"], found["later"]) == ([0, 1, 2, 3, 5, 6], 0, [5 / 3, 1.5])
    assert isinstance(found["error"], ZeroDivisionError)


def test_a_sweep_is_one_run_with_its_first_values(ran):
    found = ran("""
        import wandb
        seen = []
        def train():
            with wandb.init(config={"epochs": 2, "lr": 0.5}) as run:
                seen.append((run.config.lr, wandb.config["size"], wandb.config.epochs))
                wandb.log({"loss": 1.0})
        parameters = {"lr": {"min": 0.1, "max": 1.0}, "size": {"values": [[32, 16], [8]]}, "other": {"value": None}}
        wandb.agent(wandb.sweep({"method": "bayes", "parameters": parameters}, project="net"), function=train, count=9)
        wandb.agent("sweep", train, "entity", "project", 9)
    """)
    assert found["seen"] == [(0.1, [32, 16], 2)] * 2


# --- tables and data sets ---------------------------------------------------------------------------------------------


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "here.csv").write_text("a,b,label\n1,2.5,x\n3,4.5,y\n5,,x\n")
    samples = Samples("df[['X_0', 'X_1']], df['target']")
    return libraries.tables(Files(tmp_path, tmp_path / "net.py", samples), samples)


def test_a_table_is_read_as_the_program_finds_it(tables):
    frame = tables["pandas.read_csv"]("elsewhere/here.csv")
    assert list(frame.columns) == ["a", "b", "label"]
    assert frame["a"].tolist() == [1, 3, 5]
    assert tables["pandas.read_csv"]("here.csv", header=None).shape == (4, 3)
    assert tables["pandas.read_csv"]("here.csv", delim_whitespace=True).shape == (3, 1)  # which pandas 3 has no more
    assert tables["pandas.read_csv"]("here.csv", ",").shape == (3, 3)


def test_a_table_that_seaborn_would_download(tables):
    assert tables["seaborn.load_dataset"]("iris")["target"].nunique() == 3


def test_a_missing_table_has_the_columns_that_the_program_asks_for(tables):
    frame = tables["pandas.read_csv"]("data/points.csv")
    assert tables["pandas.read_excel"]("data/points.xlsx", 0, engine="openpyxl").shape == frame.shape
    assert frame[["X_0", "X_1"]].values.shape == (300, 2)
    assert set(frame["target"].values) == {0, 1}
    assert frame["target"].dtype == int  # an index, as some use it


def test_a_missing_table_whose_columns_are_named_where_it_is_read(tables):
    names = ["user_id", "itemId", "score", "class"]
    frame = tables["pandas.read_csv"]("u.data", sep="::", names=names, usecols=["user_id", "score", "class"])
    assert list(frame.columns) == ["user_id", "score", "class"]
    assert frame["user_id"].dtype == frame["class"].dtype == int  # of rows of a matrix
    assert frame["user_id"].min() == 1 < frame["user_id"].max() < len(frame)
    assert frame["score"].dtype == float
    assert tables["pandas.read_csv"]("u.data", names=names, sep="\t", engine="python").shape == (300, 4)


def test_a_missing_table_whose_name_tells_nothing(ran, tmp_path):
    source = "df.columns = [u'length', u'width', \\\n    u'kind']"
    samples = Samples(source)
    frame = libraries.tables(Files(tmp_path, tmp_path / "net.py", samples), samples)["pandas.read_csv"](
        "your_file_path"
    )
    assert list(frame.columns)[:2] == ["length", "width"]
    read_csv = libraries.tables(Files(tmp_path, tmp_path / "net.py", samples), samples)["pandas.read_csv"]
    assert list(read_csv("your_file_path", index_col=0).columns) == list(frame.columns)
    assert set(samples.table("iris.csv")[1][:, -1]) == {0, 1, 2}
    found = ran("import numpy as np\nx = np.loadtxt('your_file_path', delimiter=',')\nw = open('text8').readline()")
    assert found["x"].shape == (300, 5)
    assert ran("import numpy as np\nx = np.loadtxt('train_x')")["x"].shape == (TRAIN, 784)
    assert len(found["w"].split()) > 100
    assert len(ran("import numpy as np\nx = np.loadtxt('points.csv', delimiter=',', skiprows=1)")["x"]) == 300


def test_a_missing_table_of_digits(tables):
    read_csv = tables["pandas.read_csv"]
    train, test = read_csv("mnist_train.csv"), read_csv("/kaggle/input/test.csv", header=None)
    assert train.shape == (TRAIN, 786 - 1)
    assert train["target"].values.tolist() == Samples("").digits.y_train.tolist()
    assert len(test) == 300
    digits = Samples("784").table("test.csv")
    assert (len(digits[0]), digits[1].shape) == (784, (TEST, 784))


def test_data_sets_that_would_be_downloaded(tables):
    fetch = tables["sklearn.datasets.fetch_openml"]
    mnist = fetch("mnist_784", version=1, as_frame=False)
    assert mnist.data.shape == (TRAIN + TEST, 784)
    assert mnist["target"][0] in "0123456789"
    assert isinstance(fetch("mnist_784").target, np.ndarray)  # as a program has it that asks for no table's attribute
    frames = libraries.tables(None, Samples("X = mnist.data.values"))["sklearn.datasets.fetch_openml"]  # type: ignore
    assert frames("mnist_784").data.values.shape == (TRAIN + TEST, 784)
    assert tables["sklearn.datasets.fetch_mldata"]("MNIST original").target[:3].dtype == float  # as it was called
    assert tables["sklearn.datasets.load_boston"](return_X_y=True)[0].shape == (506, 13)
    houses = tables["sklearn.datasets.fetch_california_housing"](as_frame=True).frame
    assert [*houses.columns[::4], houses.shape[1]] == ["MedInc", "Population", "MedHouseVal", 9]


@pytest.mark.parametrize("sparse", [{}, {"sparse": True}, {"sparse": False}, {"sparse_output": False}])
def test_one_hot_by_its_former_option(tables, sparse):
    coded = tables["sklearn.preprocessing.OneHotEncoder"](**sparse).fit_transform([[0], [2], [0]])
    assert hasattr(coded, "toarray") == (not sparse or sparse == {"sparse": True})


WITH_LIBRARIES = """
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
table = pd.read_csv("flowers.csv")
x = StandardScaler().fit_transform(table.drop("kind", axis=1))
y = OneHotEncoder(sparse=False).fit_transform(table[["kind"]])
x, _, y, _ = train_test_split(x, y, test_size=0.25)
W, b = np.random.randn(x.shape[1], 3), np.zeros(3)
for _ in range(5):
    for k in range(0, len(x), 3):
        E = np.exp(x[k:k + 3] @ W + b)
        error = E / E.sum(1, keepdims=True) - y[k:k + 3]
        W -= 0.1 * x[k:k + 3].T @ error
        b -= 0.1 * error.sum(0)
"""
ONE_ROW = """
import numpy as np
import pandas as pd
table = pd.read_csv("flowers.csv")
table["kind"] = table["kind"].map({"a": 0, "b": 1, "c": 1})
w, b = np.random.randn(2), 0.0
for k in range(8):
    x, y = table.loc[k, ["length", "width"]].values.astype(float), table.loc[k, "kind"]
    error = 1 / (1 + np.exp(-(x @ w + b))) - y
    w, b = w - 0.1 * error * x, b - 0.1 * error
"""

OF_TABLES = """
import numpy as np
import pandas as pd
random = np.random.default_rng(0)
table = pd.DataFrame(random.normal(size=(16, 3)), columns=list("abc"))
X, y = table[["a", "b"]], (table["c"] > 0).astype(int)
w, b = np.zeros(2), 0.0
for _ in range(9):
    A = 1 / (1 + np.exp(-({product} + b)))
    loss = -np.mean(y * np.log(A) + (1 - y) * np.log(1 - A))
    dZ = A - y
    dw = {gradient} / len(X)
    w -= 0.1 * dw
    b -= 0.1 * np.sum(dZ) / len(X)
"""

PICKLED = """
import pickle
import numpy as np
inputs, kinds = pickle.load(open("flowers.pkl", "rb"))
pairs = [(np.reshape(x, (2, 1)), np.eye(3)[y].reshape(3, 1)) for x, y in zip(inputs, kinds)]
W, b = np.random.randn(3, 2), np.zeros((3, 1))
for x, y in pairs:
    E = np.exp(W @ x + b)
    error = E / E.sum() - y
    W = W - 0.1 * error @ x.T
    b -= 0.1 * error
"""


@pytest.mark.parametrize(
    ("product", "gradient"),
    [
        ("X @ w", "X.T @ dZ"),
        ("X.dot(w)", "X.T.dot(dZ)"),
        ("np.dot(X, w)", "np.dot(dZ, X)"),
        ("X.as_matrix() @ w", "dZ @ X"),
    ],
)
def test_what_is_computed_of_tables_is_recorded(tmp_path, product, gradient):
    """Inputs are a table and labels a column of it, which have operators of their own; pandas before 1 had others."""
    right = OF_TABLES.format(product=product, gradient=gradient)
    for text, expected in ((right, "right"), (right.replace("A - y", "(A - y) * A"), "wrong")):
        (tmp_path / "net.py").write_text(text)
        report = verdict(tmp_path / "net.py", tmp_path)
        assert (report.verdict, len(report.parameters)) == (expected, 2)


BATCHES_OF_TABLE = """
import numpy as np
import pandas as pd
rng = np.random.default_rng(0)
table = pd.DataFrame(rng.normal(size=(64, 5)))
y = (table[0].to_numpy() > 0).astype(float).reshape(-1, 1)
W1, W2 = rng.normal(size=(5, 4)), rng.normal(size=(4, 1))
for epoch in range(30):
    for k in range(0, 64, 16):
        X, t = table[k:k + 16], y[k:k + 16]
        A = np.tanh(np.dot(X, W1))
        P = 1 / (1 + np.exp(-np.dot(A, W2)))
        d2 = (P - t) / 16
        d1 = np.dot(d2, W2.T) * (1 - A ** 2)
        W2 = W2 - 0.1 * np.dot(A.T, d2)
        W1 = W1 - 0.1 * np.dot(X.T, d1)
"""


def test_a_batch_of_a_table_is_data_and_what_is_made_a_table_is_none(tmp_path):
    """What is turned of a table on the way back shows memory that the forward pass has shown; a table made of the
    prediction shows new memory, of which nobody knows what it depends on."""

    def judged(old: str, new: str):
        (tmp_path / "net.py").write_text(BATCHES_OF_TABLE.replace(old, new))
        return verdict(tmp_path / "net.py", tmp_path)

    assert judged("", "").verdict == "right"
    report = judged(" * (1 - A ** 2)", "")
    assert [(f.at, f.code) for f in report.findings] == [("dZ1", "missing-activation-derivative")]
    with pytest.raises(ValueError, match="no gradient is that of a loss which the program computes or implies"):
        judged("(P - t)", "(pd.DataFrame(P) - t)")


def test_what_only_a_table_computes_is_not_right(tmp_path):
    """The bias is stepped by what is on the record, and the weights are not."""
    (tmp_path / "net.py").write_text(OF_TABLES.format(product="X @ w", gradient="X.mul(dZ, axis=0).sum()"))
    with pytest.raises(ValueError, match="what line 13 of net"):
        verdict(tmp_path / "net.py", tmp_path)


# A row that a library makes anew for each step might be made of the parameters, for all that is known.
@pytest.mark.parametrize(("text", "wrong"), [(WITH_LIBRARIES, False), (WITH_LIBRARIES, True), (ONE_ROW, False),
                                             (PICKLED, False), (PICKLED, True)])  # fmt: skip
def test_what_other_libraries_make_is_recorded(tmp_path, text, wrong):
    rows = "".join(f"{k % 5},{k % 3 - k % 7},{'abc'[k % 3]}\n" for k in range(24))
    (tmp_path / "flowers.csv").write_text(f"length,width,kind\n{rows}")
    arrays = np.random.default_rng(0).normal(size=(24, 2)), np.arange(24) % 3
    # As NumPy called its modules before its second version.
    (tmp_path / "flowers.pkl").write_bytes(pickle.dumps(arrays, 0).replace(b"numpy._core", b"numpy.core"))
    (tmp_path / "net.py").write_text(re.sub(r"(b -=? 0.1 \*) error", r"\1 (error * E)", text) if wrong else text)
    report = verdict(tmp_path / "net.py", tmp_path)
    assert [(p.name, p.right) for p in report.parameters] == [("W1", True), ("b1", not wrong)]


@pytest.mark.parametrize("text", [
    "import idx2numpy\nx = idx2numpy.convert_from_file('train-images.idx3-ubyte').reshape(-1, 784) / 255\n"
    "y = np.eye(10)[idx2numpy.convert_from_file('train-labels.idx1-ubyte')]\n",
    "import pandas as pd\ntable = pd.read_csv('people.csv')\n"
    "table['Sex'] = table['Sex'].map({'male': 0, 'female': 1})\n"
    "x, y = table[['Sex', 'Age']].values.astype(float), table[['Survived']].values\n",
    "import scipy.io\nfile = scipy.io.loadmat('points.mat')\n"
    "x, y = np.asarray(file.get('data')), np.asarray(file.get('labels'))\n",
    "from dataset.mnist import load_mnist\n(x, y), (tests, _) = load_mnist(one_hot_label=True)\n"
    "assert y.shape[1] == 10 and x.max() == 1\n"
    "assert load_mnist(flatten=False, normalize=False)[1][0].shape == (len(tests), 1, 28, 28)\n",
    "import imageio, pandas as pd\ntable = pd.read_csv('pictures.csv')  # no word at the brackets tells a column\n"
    "folder, file, kind = 'database name', 'filename', 'digit'\nnames = table[folder] + '/' + table[file]\n"
    "x = np.array([imageio.imread(name).mean(-1).ravel()[:28] for name in names]) / 255\n"
    "y = np.eye(10)[getattr(table, kind)]\n",
    "from mnist.loader import MNIST\nx, y = MNIST().load_training()\nx, y = np.array(x) / 255, np.eye(10)[y]\n",
    "from sklearn.datasets import fetch_openml\nx, y = fetch_openml('mnist_784', return_X_y=True, as_frame=False)\n"
    "x, tests = np.split(x, [60000])\nx, y = x[:500] / 255, np.eye(10)[y[:500].astype(int)]\nassert len(tests)\n",
    "from sklearn.datasets import fetch_california_housing\n"
    "table = fetch_california_housing(as_frame=True).frame\n"
    "x, y = table.iloc[:, :-1].to_numpy(), table.iloc[:, -1:].to_numpy()\n",
])  # fmt: skip
def test_data_are_made_up_as_they_are_read(tmp_path, text):
    step = "W = np.zeros((x.shape[1], y.shape[1]))\nfor _ in range(9):\n    W -= 0.01 * x.T @ (x @ W - y) / len(x)\n"
    (tmp_path / "net.py").write_text(f"import numpy as np\n{text}{step}")
    assert verdict(tmp_path / "net.py", tmp_path).verdict == "right"


@pytest.mark.parametrize(("of_w", "of_b", "said"), [
    ("891", "891", ""), ("len(y)", "len(y)", ""), ("891", "len(y)", "a number that may be how many examples"),
])  # fmt: skip
def test_how_many_examples_missing_data_have_is_not_known(tmp_path, of_w, of_b, said):
    (tmp_path / "net.py").write_text(
        "import numpy as np, pandas as pd\ntable = pd.read_csv('people.csv')\n"
        "x, y = table[['Age', 'Fare']].values.astype(float), table['Survived'].values.reshape(-1, 1)\n"
        "x = (x - x.mean(0)) / x.std(0)\nw, b = np.zeros((2, 1)), np.zeros(1)\nfor _ in range(9):\n"
        "    p = 1 / (1 + np.exp(-(x @ w + b)))\n    print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))\n"
        f"    w -= 0.1 * (x.T @ (p - y) / {of_w})\n    b -= 0.1 * (np.sum(p - y) / {of_b})\n"
    )
    with pytest.raises(ValueError, match=said) if said else contextlib.nullcontext():
        report = verdict(tmp_path / "net.py", tmp_path)
        assert (report.verdict, report.findings) == ("right", [])


def test_what_data_are_divided_by_is_no_number_of_examples(tmp_path):
    (tmp_path / "net.py").write_text(
        "import numpy as np\nt = np.loadtxt('people.csv', delimiter=',')\nx, y = t[:, 1:] / 255, t[:, :1] > 0\n"
        "w, b = np.zeros((x.shape[1], 1)), np.zeros(1)\nfor _ in range(9):\n"
        "    p = 1 / (1 + np.exp(-(x @ w + b)))\n    print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))\n"
        "    dw, db = x.T @ (p - y) / len(y), np.sum(p - y)\n    w -= 0.1 * dw\n    b -= 0.1 * db\n"
    )
    report = verdict(tmp_path / "net.py", tmp_path)
    assert [(f.at, f.code) for f in report.findings] == [("db1", "wrong-scale")]


# --- courses, mathematics --------------------------------------------------------------------------------------------


def test_the_courses_network_agrees_with_differences():
    known = {
        name.partition(".")[2]: value for name, value in course.modules(np, Samples("")).items() if "reg_utils" in name
    }
    x, y, *_ = known["load_2D_dataset"]()
    parameters = {k: v + 0.1 for k, v in known["initialize_parameters"]([2, 4, 3, 1]).items()}

    def cost(w):
        return known["compute_cost"](known["forward_propagation"](x, {**parameters, "W1": w})[0], y)

    gradients = known["backward_propagation"](x, y, known["forward_propagation"](x, parameters)[1])
    e = np.zeros((4, 2))
    e[2, 1] = 1e-6
    slope = (cost(parameters["W1"] + e) - cost(parameters["W1"] - e)) / 2e-6
    assert gradients["dW1"][2, 1] == pytest.approx(slope, abs=1e-7)
    stepped = known["update_parameters"](parameters, gradients, 0.5)
    assert np.array_equal(stepped["b2"], parameters["b2"] - 0.5 * gradients["db2"])


def test_courses_that_came_without_their_helpers(ran):
    found = ran("""
        from lr_utils import load_dataset
        from planar_utils import load_planar_dataset, plot_decision_boundary
        from dnn_app_utils_v3 import *
        from testCases_v2 import *
        from nnfs.datasets import spiral_data
        import nnfs
        nnfs.init()
        x, y, x_test, y_test, classes = load_dataset()
        planar = load_planar_dataset()
        plot_decision_boundary(lambda x: x, *planar)
        a, cache = relu(planar[0])
        points, labels = spiral_data(samples=50, classes=3)
    """)
    assert (found["x"].shape, found["y"].shape) == ((209, 64, 64, 3), (1, 209))
    assert (found["planar"][0].shape, found["planar"][1].shape) == ((2, 400), (1, 400))
    assert (found["a"] >= 0).all()
    assert (found["points"].shape, len(found["labels"])) == ((150, 2), 150)


def test_mathematics_agrees_with_scipy():
    import scipy.signal
    import scipy.special

    known = libraries.mathematics(np)
    draws = np.random.default_rng(0)
    z, image, kernel = draws.normal(size=(4, 3)), draws.normal(size=(7, 6)), draws.normal(size=(3, 2))
    for name in ("expit", "logsumexp"):
        assert np.allclose(known[f"scipy.special.{name}"](z), getattr(scipy.special, name)(z), atol=1e-14)
    assert np.allclose(known["scipy.special.softmax"](z, axis=1), scipy.special.softmax(z, axis=1), atol=1e-14)
    for name in ("correlate2d", "convolve2d"):
        for mode in ("full", "valid", "same"):
            ours = known[f"scipy.signal.{name}"](image, kernel, mode)
            assert np.allclose(ours, getattr(scipy.signal, name)(image, kernel, mode), atol=1e-12), (name, mode)


def test_a_correlation_of_scipy_steps_nothing(tmp_path):
    """The sum over the kernel's places is no step of the image."""
    path = tmp_path / "net.py"
    path.write_text("""
import numpy as np
from scipy.signal import correlate2d
rng = np.random.default_rng(0)
k, w = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
for image in rng.random((9, 5, 5)):
    a = np.tanh(correlate2d(image, k, mode="valid"))
    e = np.sum(a * w) - image[0, 0]
    print(e ** 2 / 2)
    dk = correlate2d(image, e * w * (1 - a ** 2), mode="valid")
    w -= 0.1 * e * a
    k -= 0.1 * dk
""")
    said = verdict(path, tmp_path).to_dict()
    assert (said["verdict"], said["unjudged"]) == ("right", [])


def test_a_minimiser_steps_down_the_authors_gradient():
    known = libraries.mathematics(np)

    def cost(x, scale):
        value, gradient = scale * np.sum(x**2), 2 * scale * x
        x[:] = 0  # its own copy, which it may write to
        return value, gradient

    x0 = np.array([1.0, -2.0])
    expected = x0 * (1 - 0.125 * 2) ** 3
    assert np.allclose(known["scipy.optimize.minimize"](cost, x0, args=(1.0,), jac=True).x, expected)
    by_parts = known["scipy.optimize.fmin_cg"](lambda x: cost(x, 1)[0], x0, fprime=lambda x: cost(x, 1)[1])
    assert np.allclose(by_parts, expected)
    found, *_ = known["scipy.optimize.fmin_l_bfgs_b"](cost, x0[:, None], args=(1.0,))  # a column has one axis there
    assert np.allclose(found, expected)
    best = known["scipy.optimize.minimize"](lambda x: np.sum(x**2), x0, method="L-BFGS-B")  # by differences
    assert np.array_equal(best.x, x0)


MINIMISED = """
import numpy as np
import scipy.optimize as opt
rng = np.random.default_rng(0)
X = np.c_[np.ones((60, 1)), rng.normal(size=(60, 3))]
y = (X[:, 1:2] + 0.5 * rng.normal(size=(60, 1)) > 0).astype(float)
def cost(theta, X, y, lam):
    h = 1 / (1 + np.exp(-np.dot(X, theta)))  # (60,) beside (60, 1)
    J = np.sum(-y * np.log(h) - (1 - y) * np.log(1 - h)) / len(y)
    return J + lam / (2 * len(y)) * np.sum(np.power(theta[1:], 2))
def grad(theta, X, y, lam):
    h = 1 / (1 + np.exp(-np.dot(X, theta.reshape(4, 1))))
    return np.dot(X.T, h - y) / len(y)
opt.fmin_tnc(func=cost, x0=np.zeros((4, 1)), fprime=grad, args=(X, y, 1))
"""


def test_what_a_minimiser_is_given_is_the_loss_whatever_it_is_made_of(tmp_path):
    with pytest.raises(ValueError, match=r"line 10 of net\.py computes another number than the binary-cross-entropy"):
        examined(tmp_path, MINIMISED)


def test_pickles_of_batches_can_be_read_both_ways():
    batch = pickle.loads(Samples("").content("data_batch_2") or b"", encoding="latin1")
    assert batch["data"].shape == batch[b"data"].shape == (400, 3072)


OF_PYLAB = """
X, Y = rand(30, 4), rand(30, 1)
W1, W2 = randn(4, 3), randn(3, 1)
for _ in range(9):
    A = tanh(dot(X, W1))
    P = dot(A, W2)
    print(mean((P - Y) ** 2))
    d = 2 * (P - Y) / 30
    W1, W2 = W1 - 0.1 * X.T.dot(d.dot(W2.T) * (1 - A ** 2)), W2 - 0.1 * A.T.dot(d)
plot(P)
show()
"""


@pytest.mark.parametrize(
    "imports",
    [
        "from pylab import *",
        "from matplotlib.pylab import *\nfrom matplotlib.pyplot import *",
        "from numpy import *\nfrom numpy.random import rand, randn\nfrom matplotlib.pyplot import *",
        "%pylab inline\nrand = numpy.random.rand",
    ],
)
def test_all_names_of_numpy_and_of_what_plots(tmp_path, imports):
    cell = {"cell_type": "code", "source": imports + OF_PYLAB, "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "net.ipynb").write_text(json.dumps(notebook))
    report = verdict(tmp_path / "net.ipynb", tmp_path)
    assert (report.verdict, [p.name for p in report.parameters]) == ("right", ["W1", "W2"])


@pytest.mark.parametrize(
    "words",
    [
        "from nltk.corpus import brown\nwords = [word for line in brown.sents() for word in line]",
        "import nltk\nwords = list(nltk.corpus.gutenberg.words('austen-emma.txt'))",
        "import kagglehub, os\nfolder = kagglehub.dataset_download('who/text8')\n"
        "with open(os.path.join(folder, 'text8')) as file:\n    words = file.read().split()",
    ],
    ids=["sentences", "words", "a folder"],
)
def test_texts_of_collections_are_made_up(tmp_path, words):
    (tmp_path / "net.py").write_text(f"""{words}
import numpy as np
known = sorted(set(words))
W, V = np.random.randn(len(known), 4), np.random.randn(4, len(known))
for this, following in zip(words[:200], words[1:]):
    i, k = known.index(this), known.index(following)
    p = np.exp(W[i] @ V)
    p = p / p.sum()
    loss = -np.log(p[k])
    p[k] -= 1
    dV = np.outer(W[i], p)
    W[i] -= 0.1 * V @ p
    V -= 0.1 * dV
""")
    said = verdict(tmp_path / "net.py", tmp_path).to_dict()
    assert (said["verdict"], [p["name"] for p in said["parameters"]]) == ("right", ["V", "W"])


LINES = """
import numpy as np
xs, ts = [], []
for k in range(10):
    with open('digits/train{}.txt'.format(k)) as f:
        for line in f:
            xs.append([int(v) / 255 for v in line.split()])
            ts.append([1 if j == k else 0 for j in range(10)])
X, T = np.array(xs), np.array(ts)
"""
TABLE = """
import numpy as np
rows = []
for line in open('points.txt'):
    rows.append([float(v) for v in line.strip().split(',')])
D = np.array(rows)
X, T = D[:, :-1], np.eye(2)[D[:, -1].astype(int)]
"""
WORDS = """
import numpy as np
X, labels = [], []
for line in open('testSet.txt').readlines():
    words = line.strip().split()
    X.append([1.0, float(words[0]), float(words[1])])
    labels.append(int(words[2]))
X, T = np.array(X), np.eye(2)[labels]
"""
NAMED = """
import numpy as np
kinds = {"Iris-setosa": 0, "Iris-versicolor": 1, "Iris-virginica": 2}
rows = []
for line in open("iris.data").readlines():
    parts = line.strip().split(",")
    rows.append([float(v) for v in parts[:4]] + [kinds[parts[4]]])
D = np.array(rows)
X, T = D[:, :4], np.eye(3)[D[:, 4].astype(int)]
"""
SEMICOLONS = """
import csv
import numpy as np
X, labels = [], []
with open("wine.csv", newline="") as file:
    reader = csv.reader(file, delimiter=";")
    for row in reader:
        X.append([float(v) for v in row[:11]])
        labels.append(int(row[11]))
X, T = np.array(X), np.eye(2)[labels]
"""
COLUMNS = """
import numpy as np
table = np.loadtxt("housing.data")
X, T = table[:, :13], np.eye(2)[table[:, 13].astype(int)]
"""
TEN = """
import numpy as np
X = np.loadtxt('digits_train_in.txt', delimiter=',')
t = np.loadtxt('digits_train_out.txt', delimiter=',').astype(int)
T = np.eye(10)[t]
assert t.max() == 9
"""
EACH_DIGIT = """
import numpy as np
from scipy.io import loadmat
data = loadmat('mnist_all.mat')
X = np.vstack([data['train' + str(i)] for i in range(10)]) / 255.
T = np.eye(10)[np.concatenate([[i] * len(data['train' + str(i)]) for i in range(10)])]
"""
SUBSET = """
import argparse
import numpy as np
from torchvision import datasets
ap = argparse.ArgumentParser()
ap.add_argument("--limit", type=str, default="5000")
x = datasets.MNIST("data", train=True)
limit = int(ap.parse_args().limit)
k = np.random.default_rng(0).choice(len(x.data), size=limit, replace=False)
X, T = x.data.numpy().reshape(-1, 784)[k] / 255., np.eye(10)[x.targets.numpy()[k]]
"""
REGRESSION = """
W = np.random.randn(X.shape[1], T.shape[1]) * .01
for _ in range(20):
    E = np.exp(X @ W)
    P = E / E.sum(1, keepdims=True)
    loss = -np.sum(T * np.log(P)) / len(X)
    W -= .1 * X.T @ (P - T) / len(X)
"""


@pytest.mark.parametrize("data", [LINES, TABLE, WORDS, NAMED, SEMICOLONS, COLUMNS, TEN, EACH_DIGIT, SUBSET])
def test_data_as_their_lines_keys_and_counts_tell(tmp_path, data):
    assert examined(tmp_path, data + REGRESSION)["verdict"] == "right"


def test_a_notebook_whose_cells_were_run_in_another_order(tmp_path):
    """As they stand they may lack what comes later; their counts are asked only then."""
    head, _, training = PLAIN.partition("W1, b1, W2, b2 =")
    data, training = head.replace("X, Y =", "inputs, targets ="), f"W1, b1, W2, b2 ={training}"

    def said(*cells):
        of_cells = [{"cell_type": "code", "execution_count": count, "source": text} for count, text in cells]
        return examined(tmp_path, json.dumps({"cells": of_cells}))

    order = "its cells are run in the order of their execution counts: as they stand, they lack what comes later"
    report = said((1, data), (7, training), (3, "X, Y = inputs, targets"))
    assert (report["verdict"], report["notes"]) == ("right", [order])
    wrong = said((1, data), (7, training.replace(*SLOPE)), (3, "X, Y = inputs, targets"))
    assert [(f["code"], f["line"]) for f in wrong["findings"]] == [("missing-activation-derivative", 9)]
    assert said((5, data), (4, "X, Y = inputs, targets"), (7, training), (1, "undefined"))["notes"] != [order]
    with pytest.raises(ValueError, match="name 'X' is not defined"):
        said((1, data), (3, training), (7, "X, Y = inputs, targets"))
    with pytest.raises(ValueError, match="name 'x' is not defined"):
        said((3, "import os\nos.remove('net.ipynb')"), (2, "print(x)"), (1, "x = 3"))


def test_a_notebook_beside_it_that_is_none(tmp_path):
    (tmp_path / "other.ipynb").write_text('{"cells": [{"cell_type": "code", "source": 5}]}')
    assert examined(tmp_path, PLAIN)["verdict"] == "right"


@pytest.mark.parametrize(("module", "start"), [("fire", "fire.Fire(main)"), ("typer", "typer.run(main)")])
def test_a_function_that_is_made_a_command_is_called(tmp_path, module, start):
    """With what it has no default for; `from` `__main__`, as a program is started."""
    lines = PLAIN.replace("in range(9)", "in range(epochs)").replace("0.1", "rate").strip().splitlines()
    body = "".join(f"    {line}\n" for line in lines if not line.startswith("import"))
    head = f"import {module}\nimport numpy as np\n\ndef main(epochs, rate: float, verbose=False):\n"
    said = examined(tmp_path, f"{head}{body}\nif __name__ == '__main__':\n    {start}\n")
    assert (said["verdict"], said["program"]) == ("right", None)
    wrong = examined(tmp_path, f"{head}{body.replace(*SLOPE)}\n{start}\n")
    assert [f["code"] for f in wrong["findings"]] == ["missing-activation-derivative"]


WORDS = """
import numpy as np
inputs, targets = np.load("data/train_inputs.npy"), np.load("data/train_targets.npy")
V, D = 20, 4
C, W, b = np.random.randn(V, D), np.random.randn(3 * D, V), np.zeros(V)
for i in range(5):
    xs = [np.eye(V)[inputs[i * 10 : (i + 1) * 10, k]] for k in range(3)]
    t = np.eye(V)[targets[i * 10 : (i + 1) * 10]]
    e = np.concatenate([x @ C for x in xs], axis=1)
    p = np.exp(e @ W + b)
    p = p / p.sum(1, keepdims=True)
    print(-np.sum(t * np.log(p)) / 10)
    d = (p - t) / 10
    de = d @ W.T
    W = W - 0.1 * e.T @ d
    b = b - 0.1 * d.sum(0)
    C = C - 0.1 * sum(xs[k].T @ de[:, k * D : (k + 1) * D] for k in range(3))
"""

IN_COLUMNS = """
import numpy as np
x, y = np.load("data/x_train.npy"), np.load("data/y_train.npy")
m = x.shape[1]
w, b, v = np.random.randn(8, 12) * 0.1, np.zeros((8, 1)), np.random.randn(1, 8)
for _ in range(5):
    a = np.tanh(w @ x + b)
    e = v @ a - y
    print(np.sum(e ** 2) / m / 2)
    d = v.T @ e * (1 - a ** 2)
    v -= 0.01 * e @ a.T / m
    b -= 0.01 * d.sum(axis=1, keepdims=True) / m
    w -= 0.01 * d @ x.T / m
"""


CLASSIFIED = """
    p = np.exp(x @ W + b)
    p /= p.sum(1, keepdims=True)
    print(-np.sum(t * np.log(p)) / len(x))
    d = (p - t) / len(x)
    W -= 0.1 * x.T @ d
    b -= 0.1 * d.sum(0)
"""

FLAT = """
import numpy as np
data = np.load("mnist.npz")
X, Y = data["x_train"] / 255, np.eye(10)[data["y_train"].reshape(-1)]
W, b = np.random.randn(784, 10) * 0.1, np.zeros(10)
for i in range(5):
    x, t = X[i * 10 : (i + 1) * 10], Y[i * 10 : (i + 1) * 10]
"""

VECTORS = """
import numpy as np
vectors = {}
for line in open("data/glove.6B.50d.txt"):
    word, *numbers = line.split()
    vectors[word] = np.array(numbers, dtype=float)
X, Y = np.array([vectors[word] for word in sorted(vectors)[:12]]), np.eye(3)[np.arange(12) % 3]
W, b = np.random.randn(50, 3), np.zeros(3)
for _ in range(5):
    x, t = X, Y
"""


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        (WORDS, ("de = d @ W.T", "de = d @ W.T * e")),
        (IN_COLUMNS, (" * (1 - a ** 2)", "")),
        (FLAT + CLASSIFIED, ("d.sum(0)", "d.mean(0)")),
        (VECTORS + CLASSIFIED, ("d.sum(0)", "d.mean(0)")),
    ],
)
def test_what_examples_are_is_told_by_what_the_program_does_with_them(tmp_path, text, slip):
    """Numbers of words, by which rows are picked; columns, of as many numbers as the weights have; rows of pixels; or
    the vectors of words."""
    assert examined(tmp_path, text)["verdict"] == "right"
    assert examined(tmp_path, text.replace(*slip))["verdict"] == "wrong"
