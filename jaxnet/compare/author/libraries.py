"""What is known of other libraries: where programs get their data from, and what must not ask, wait or run anything.

Each table gives attributes by their dotted names; `np` makes the arrays that the program gets.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import concurrent.futures
import contextlib
import functools
import importlib.util
import inspect
import io
import itertools
import os
import pickle
import re
import subprocess
import sys
import time
import types
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy

from jaxnet.compare.author import course
from jaxnet.compare.author.files import Arrays, Files
from jaxnet.compare.author.inert import Inert
from jaxnet.compare.author.lines import statement_at
from jaxnet.compare.author.node import Place
from jaxnet.compare.author.recorder import current_tape, is_recorded, known_node
from jaxnet.compare.author.samples import TEXT, Samples, plausible
from jaxnet.compare.author.tape import innermost

RATE = 0.125  # a power of two: a product with it is exact
CORPORA = ("brown", "gutenberg", "inaugural", "movie_reviews", "reuters", "treebank", "webtext")  # of NLTK


class Bunch(dict):
    """A dict whose entries are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def system(files: Files) -> dict[str, Any]:
    """The standard library's: files, and what would run, wait or download."""

    def command(*arguments: Any, **_: Any) -> Any:
        return subprocess.CompletedProcess(arguments[:1], 0, "", "")

    return {
        "os.system": lambda *_: 0, "os._exit": sys.exit, "os.listdir": files.listdir, "os.path.exists": files.exists,
        "os.mkdir": files.mkdir, "os.makedirs": files.mkdir,
        "os.get_terminal_size": lambda *_: os.terminal_size((80, 24)),  # of an author's, which there is none of
        "os.path.isfile": files.is_file, "gzip.open": files.open_gzip, "gzip.GzipFile": files.open_gzip,
        "io.open": files.open, "codecs.open": files.open_decoded, "zipfile.ZipFile": files.open_zip,
        "glob.glob": files.glob, "pathlib.Path": files.path_class(), "time.sleep": lambda *_: None,
        "time.clock": time.perf_counter,  # that Python no longer has
        "urllib.request.urlretrieve": files.download, "urllib.request.urlopen": files.fetch,
        "wget.download": files.download, "requests.get": functools.partial(Response, files),
        "tyro.cli": lambda kind, *_, **__: kind(),
        **{f"concurrent.futures.{kind}PoolExecutor": InTurn for kind in ("Thread", "Process")},
        **{f"subprocess.{name}": command for name in ("run", "call", "check_call", "check_output", "Popen")},
    }  # fmt: skip


class InTurn(concurrent.futures.Executor):
    """A pool whose tasks are done when they are submitted, one after another: so the record has one order."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> concurrent.futures.Future:
        future: concurrent.futures.Future = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Response(Inert):
    """Of `requests.get`."""

    def __init__(self, files: Files, url: str, *_: Any, **__: Any) -> None:
        super().__init__()
        self.content = files.fetch(url).read()
        self.text, self.status_code, self.ok = self.content.decode(errors="replace"), 200, True

    def iter_content(self, *_: Any, **__: Any) -> Any:
        return iter([self.content])


# --- data -------------------------------------------------------------------------------------------------------------


def data(np: types.ModuleType, samples: Samples, files: Files) -> dict[str, Any]:
    """Digits, pictures and matrices as other libraries give them."""
    side = 28 if re.search(r"\b(784|28)\b|mnist", samples.source) else 64
    images = functools.cache(lambda *shape: samples.images(64, *shape)[0])

    def digits(*_: Any, **__: Any) -> Any:
        d = samples.digits
        return (np.array(d.x_train), np.array(d.y_train)), (np.array(d.x_test), np.array(d.y_test))

    def pictures(*_: Any, **__: Any) -> Any:
        return tuple((np.array(x), np.array(y[:, None])) for x, y in _pictures(samples))

    def one_hot(y: Any, num_classes: Any = None, **_: Any) -> Any:
        y = numpy.asarray(y).reshape(-1).astype(int)
        return np.eye(num_classes or int(y.max()) + 1)[y]

    def load_mnist(normalize: bool = True, flatten: bool = True, one_hot_label: bool = False) -> Any:
        """As `dataset.mnist` of Saito (2016), Deep Learning from Scratch, has it."""

        def part(x: Any, y: Any) -> tuple[Any, Any]:
            x = x.reshape(-1, 784) if flatten else x[:, None]
            return (x.astype("f4") / 255 if normalize else x), (one_hot(y, 10) if one_hot_label else y)

        train, test = digits()
        return part(*train), part(*test)

    def mnist_of_lists(*_: Any, return_type: str = "lists", **__: Any) -> Any:
        def load(test: bool) -> Any:
            x, y = digits()[test]
            x = x.reshape(len(x), -1)
            return (x, y) if return_type == "numpy" else (x.tolist(), y.tolist())

        return Bunch(gz=True, load_training=lambda: load(False), load_testing=lambda: load(True))

    def picture(path: Any, *shape: int) -> Any:
        """Another one for each path."""
        return images(*shape)[zlib.crc32(str(path).encode()) % 64]

    def image(path: Any, *_: Any, **__: Any) -> Any:
        return np.array(picture(path, *((side, side) if "mnist" in str(path).lower() else (side, side, 3))))

    def image_of_cv2(path: Any, flag: Any = 1) -> Any:  # of three channels, whatever the file has, unless it is asked
        return image(path) if flag == -1 else np.array(picture(path, *((side, side) if flag == 0 else (side, side, 3))))

    def open_image(path: Any, *rest: Any, **how: Any) -> Any:
        from PIL import Image

        found = path if hasattr(path, "read") else files.find(path)
        return Image.open(found, *rest, **how) if found else Image.fromarray(picture(path, side, side, 3))

    def resized(picture: Any, size: Any, *_: Any, **__: Any) -> Any:
        rows, columns = (numpy.arange(n) * have // n for n, have in zip(size[::-1], picture.shape, strict=False))
        return picture[rows][:, columns]

    def loadmat(path: Any, *rest: Any, **how: Any) -> Any:
        found, name, d = files.find(path), Path(path).stem.lower(), samples.digits
        if found and importlib.util.find_spec("scipy"):
            return importlib.import_module("scipy.io").loadmat(found, *rest, **how)
        if "weight" in name:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        if "mnist" in name and (named := samples.by_keys()) is not None:
            return {key: np.array(array.reshape(len(array), -1)) for key, array in named.items()}
        if "mnist" in name:
            whole = {"data": np.array(d.x_train.reshape(-1, 784).T), "label": np.array(d.y_train[None] * 1.0)}
            parts = (("train", d.x_train, d.y_train), ("test", d.x_test, d.y_test))  # those of each digit, of mnist_all
            return whole | {f"{p}{k}": np.array(x[y == k].reshape(-1, 784)) for p, x, y in parts for k in range(10)}
        small = d.x_train[:, 4:24, 4:24].reshape(-1, 400) / 255, numpy.where(d.y_train == 0, 10, d.y_train)
        x, y = small if re.search(r"ex[34]", name) else samples.points(300, 2, 2)
        names = {f"{k}{part}": k == "y" for part in ("", "val", "test") for k in "Xy"} | samples.short_keys()
        return {key: np.array(y[:, None] if are_labels else x) for key, are_labels in names.items()}

    def from_idx(path: Any) -> Any:
        content = path.read() if hasattr(path, "read") else files.read(path)
        shape = numpy.frombuffer(content, ">u4", content[3], 4)
        return np.array(numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * len(shape)).reshape(shape))

    def h5_file(path: Any = "", mode: str = "r", *_: Any, **__: Any) -> Any:
        if "r" not in mode:
            return Inert()
        if re.search(r"weight|model|param", str(path)):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        if "mnist" in str(path).lower():
            parts = samples.digits._asdict().items()
            return Arrays({k: np.array(v.reshape(-1, 784) / 255 if k[0] == "x" else v[:, None]) for k, v in parts})
        return Arrays(course.pictures(np, samples))

    def read_data_sets(*_: Any, one_hot: bool = False, **__: Any) -> Any:
        train, test = (Batches(np, x, y, one_hot) for x, y in (samples.digits[:2], samples.digits[2:]))
        return Bunch(train=train, test=test, validation=test)

    text = (samples.content("corpus.txt") or b"").decode()
    corpus = {"raw": text, "words": text.split(), "sents": [line.split() for line in text.splitlines() if line.strip()]}
    torch_digits = functools.partial(TorchImages, lambda: (samples.digits[:2], samples.digits[2:]))
    torch_pictures = functools.partial(TorchImages, lambda: _pictures(samples))
    transforms = {"Compose": Composed, "ToTensor": lambda: TorchImages.scaled, "Lambda": lambda function: function}
    return {
        **{f"transforms.{name}": part for name, part in transforms.items()},
        **{f"{name}.load_data": digits for name in ("mnist", "fashion_mnist")},
        **{f"{name}.load_data": pictures for name in ("cifar10", "cifar100")}, "to_categorical": one_hot,
        **{f"datasets.{name}": torch_digits for name in ("MNIST", "FashionMNIST", "EMNIST", "KMNIST")},
        **{f"datasets.{name}": torch_pictures for name in ("CIFAR10", "CIFAR100")},
        **{f"{name}.{part}": lambda *_, whole=whole, **__: whole for name in CORPORA for part, whole in corpus.items()},
        "kagglehub.dataset_download": lambda name, *_, **__: Path(name).name,  # the folder, of which all is made up
        "DataLoader": Loader, "functional.one_hot": lambda *of, **how: numpy.array(one_hot(*of, **how)).view(Tensor),
        "datasets.load_dataset": functools.partial(_rows, samples),
        **{f"mnist.{part}_{what}": lambda *_, k=k, j=j, **__: digits()[k][j]
           for k, part in enumerate(("train", "test")) for j, what in enumerate(("images", "labels"))},
        "read_data_sets": read_data_sets, "idx2numpy.convert_from_file": from_idx,
        "mnist.load_mnist": load_mnist, "mnist.MNIST": mnist_of_lists, "loader.MNIST": mnist_of_lists,
        "h5py.File": h5_file, "PIL.Image.open": open_image, "scipy.io.loadmat": loadmat,
        "PIL.Image.ANTIALIAS": 1,  # which is LANCZOS since Pillow 10
        "cv2.imread": image_of_cv2, "imageio.imread": image, "skimage.io.imread": image,
        "pyplot.imread": image, "image.imread": image, "cv2.resize": resized,
        "cv2.cvtColor": lambda picture, *_: picture.mean(-1), "cv2.IMREAD_GRAYSCALE": 0, "cv2.IMREAD_UNCHANGED": -1,
    }  # fmt: skip


def _pictures(samples: Samples) -> tuple[tuple[numpy.ndarray, numpy.ndarray], tuple[numpy.ndarray, numpy.ndarray]]:
    """Pictures (m, 32, 32, 3) of uint8 and their classes, to train and to test on."""
    x, y = samples.images(400, 32, 32, 3)
    return (x[:-50], y[:-50]), (x[-50:], y[-50:])


class _Size(int):
    """How many numbers there are; called, as tensors have it, along which axes."""

    shape: tuple[int, ...]

    def __call__(self, axis: int | None = None) -> Any:
        return self.shape if axis is None else self.shape[axis]


class Tensor(numpy.ndarray):
    """An array with the methods by which tensors become arrays."""

    @property
    def size(self) -> Any:  # pyright: ignore
        size = _Size(super().size)
        size.shape = self.shape
        return size

    def resize(self, *shape: Any) -> Any:  # pyright: ignore
        return self.reshape(*shape)

    def numpy(self) -> numpy.ndarray:
        return numpy.asarray(self)

    def float(self, *_: Any) -> Any:
        return self.astype(numpy.float32)

    type = float  # type(torch.FloatTensor)

    def div(self, other: Any) -> Any:
        return self / other

    def view(self, *shape: Any) -> Any:  # pyright: ignore
        return super().view(*shape) if shape and isinstance(shape[0], type) else self.reshape(*shape)

    def contiguous(self, *_: Any) -> Any:
        return self

    detach = cpu = to = contiguous


class TorchImages:
    """A data set of torchvision's: pairs of an image of uint8, (28, 28) or (32, 32, 3), and its class, or what the
    author's transforms make of them; for others that are not known the image is (1, 28, 28), or (3, 32, 32), from 0 to
    1."""

    def __init__(
        self,
        parts: Callable[[], Any],
        *_: Any,
        train: bool = True,
        transform: Any = None,
        target_transform: Any = None,
        **__: Any,
    ) -> None:
        x, y = parts()[not train]
        self.data, self.targets = x.view(Tensor), y.astype(numpy.int64).view(Tensor)
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, k: Any) -> Any:
        image, label = self.data[k], int(self.targets[k])
        if self.transform is not None:
            image = self.scaled(image) if isinstance(self.transform, Inert) else self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)

    @staticmethod
    def scaled(image: Any) -> Any:
        """As `ToTensor`: (28, 28) of uint8 to (1, 28, 28) from 0 to 1; the channels of others come first too."""
        return ((image[None] if image.ndim == 2 else image.transpose(2, 0, 1)) / 255).view(Tensor)


class Composed:
    """Several transforms, one after another; those that are not known change nothing."""

    def __init__(self, parts: Any) -> None:
        self.parts = [part for part in parts if not isinstance(part, Inert)]

    def __call__(self, image: Any) -> Any:
        return functools.reduce(lambda made, part: part(made), self.parts or [TorchImages.scaled], image)


class Loader:
    """Batches of a data set, as torch's."""

    def __init__(self, dataset: Any, batch_size: int = 1, *_: Any, **__: Any) -> None:
        self.dataset, self.batch_size = dataset, batch_size

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Any:
        for k in range(0, len(self.dataset), self.batch_size):
            if isinstance(self.dataset, numpy.ndarray):
                yield self.dataset[k : k + self.batch_size].view(Tensor)
                continue
            pairs = [self.dataset[j] for j in range(k, min(k + self.batch_size, len(self.dataset)))]
            yield [numpy.stack(part).view(Tensor) for part in zip(*pairs, strict=True)]


class Batches:
    """A set of TensorFlow's first tutorials: images (m, 784) from 0 to 1 and labels, which come in batches."""

    def __init__(self, np: types.ModuleType, x: Any, y: Any, one_hot: bool) -> None:
        self.images = np.array(x.reshape(-1, 784) / 255)
        self.labels = np.array(numpy.eye(10)[y] if one_hot else y.astype(numpy.int64))
        self.num_examples, self._next = len(y), 0

    def next_batch(self, size: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        start = self._next if self._next + size <= self.num_examples else 0
        self._next = start + size
        return self.images[start : self._next], self.labels[start : self._next]


class _Rows(list):
    """Rows with named entries, which are to be had by the name of a column as well."""

    def __getitem__(self, key: Any) -> Any:
        return [row[key] for row in self] if isinstance(key, str) else super().__getitem__(key)


def _rows(samples: Samples, *_: Any, split: Any = None, **__: Any) -> Any:
    if re.search(r"""\[['"]text['"]\]""", samples.source):
        lines = _Rows({"text": line, "label": k % 2} for k, line in enumerate(TEXT.splitlines()))
        return lines if split else dict.fromkeys(("train", "validation", "test"), lines)
    pairs = {"train": samples.digits[:2], "test": samples.digits[2:]}
    sets = {
        name: _Rows({"image": image, "label": int(label)} for image, label in zip(*pair, strict=True))
        for name, pair in pairs.items()
    }
    return sets.get(split, sets)


# --- mathematics ------------------------------------------------------------------------------------------------------


def mathematics(np: types.ModuleType) -> dict[str, Any]:
    """Of SciPy what networks use, in NumPy's operations, so that it is on the record."""

    def logsumexp(z: Any, axis: Any = None, keepdims: bool = False) -> Any:
        top = np.max(z, axis=axis, keepdims=True)
        total = np.log(np.sum(np.exp(z - top), axis=axis, keepdims=True)) + top
        return total if keepdims else np.squeeze(total, axis=axis)

    def slide(image: Any, kernel: Any, around: Any) -> Any:
        """The sum over the kernel's places of the image shifted there, times the kernel."""
        padded = np.pad(image, around)
        places = numpy.arange(padded.size).reshape(padded.shape)
        windows = numpy.lib.stride_tricks.sliding_window_view(places, kernel.shape)
        return np.tensordot(np.take(padded, windows), kernel, 2)

    def around(kernel: Any, mode: str) -> list[tuple[int, int]]:
        widths = {"full": lambda n: (n - 1, n - 1), "valid": lambda n: (0, 0), "same": lambda n: ((n - 1) // 2, n // 2)}
        return [widths[mode](n) for n in kernel.shape]

    def correlate2d(image: Any, kernel: Any, mode: str = "full", *_: Any, **__: Any) -> Any:
        return slide(image, kernel, around(kernel, mode))

    def convolve2d(image: Any, kernel: Any, mode: str = "full", *_: Any, **__: Any) -> Any:
        return slide(image, kernel[::-1, ::-1], [pair[::-1] for pair in around(kernel, mode)])

    def descend(f: Any, x0: Any, fprime: Any = None, args: Any = (), **_: Any) -> Any:
        """In the place of every minimiser, three plain steps down the author's gradient. Functions are given a copy of
        one axis, as SciPy does, which they may overwrite."""
        args, x = args if isinstance(args, tuple) else (args,), np.ravel(x0)
        for _step in range(3):
            value: Any = f(np.copy(x), *args)
            if not (callable(fprime) or isinstance(value, tuple | list)):
                return x  # by differences, of which no author has a formula
            loss, tape = known_node(value[0] if isinstance(value, tuple | list) else value), current_tape()
            if loss is not None and tape is not None:
                tape.losses.add(loss)  # whatever it is, it is what the gradient is of
            gradient: Any = fprime(np.copy(x), *args) if callable(fprime) else value[1]
            x = x - RATE * np.ravel(gradient)
        return x

    def minimize(fun: Any, x0: Any, args: Any = (), method: Any = None, jac: Any = None, **_: Any) -> Any:
        return Bunch(x=descend(fun, x0, jac, args), success=True, fun=0.0)

    special = {
        "expit": lambda z: 1 / (1 + np.exp(np.negative(z))), "logit": lambda p: np.log(p / (1 - p)),
        "logsumexp": logsumexp, "softmax": lambda z, axis=None: np.exp(z - logsumexp(z, axis, True)),
        "log_softmax": lambda z, axis=None: z - logsumexp(z, axis, True),
        "xlogy": lambda x, y: x * np.log(np.where(x == 0, 1, y)),
    }  # fmt: skip
    optimize = {"minimize": minimize, **dict.fromkeys(("fmin_cg", "fmin_bfgs", "fmin_ncg"), descend),
                "fmin_tnc": lambda func, x0, *rest, **how: (descend(func, x0, *rest, **how), 0, 0),
                "fmin_l_bfgs_b": lambda func, x0, *rest, **how: (descend(func, x0, *rest, **how), 0.0, {})}  # fmt: skip
    arrays = {name: value for name, value in vars(np).items() if not name.startswith("_")}
    pylab = {**arrays, **vars(np.fft), **vars(np.linalg), **vars(np.random), "np": np, "numpy": np}
    hidden = {*dir(builtins)} - {"sum", "any", "all"}
    pylab = {name: value for name, value in pylab.items() if name[0] != "_" and name not in hidden}
    return {
        "scipy.signal.correlate2d": correlate2d, "scipy.signal.convolve2d": convolve2d,
        **{f"scipy.special.{name}": value for name, value in special.items()},
        **{f"scipy.optimize.{name}": value for name, value in optimize.items()},
        "sklearn.metrics.mean_squared_error": lambda y_true, y_pred, **_: np.mean((y_true - y_pred) ** 2),
        **{f"cupy.{name}": value for name, value in arrays.items()}, "cupy.asnumpy": np.asarray,
        **{f"{module}.{name}": value for module in ("pylab", "matplotlib.pylab") for name, value in pylab.items()},
    }  # fmt: skip


# --- experiments ------------------------------------------------------------------------------------------------------


class Experiment(Inert):
    """A run of Weights & Biases: `config` holds what it is started with, and the first value of each parameter of a
    sweep, which an agent runs once."""

    def __init__(self) -> None:
        super().__init__()
        self.config, self.swept = Bunch(), {}

    def init(self, *_: Any, config: Any = None, **__: Any) -> Experiment:
        self.config |= {**(config if isinstance(config, dict) else vars(config or Inert())), **self.swept}
        return self

    def sweep(self, sweep: dict[str, Any], *_: Any, **__: Any) -> str:
        for name, possible in sweep.get("parameters", {}).items():
            values = possible.get("values") or [possible.get("value", possible.get("min"))]
            self.swept[name] = values[0]
        return "sweep"

    def agent(self, _: Any, function: Callable[[], Any] | None = None, *rest: Any, **__: Any) -> None:
        if function is not None:
            function()


def experiments() -> dict[str, Any]:
    run = Experiment()
    parts = {name: getattr(run, name) for name in ("config", "init", "sweep", "agent")}
    return {"wandb.run": run, **{f"wandb.{name}": part for name, part in parts.items()}}


# --- questions and arguments ------------------------------------------------------------------------------------------


def arguments(name: str, source: str, readme: str) -> list[str]:
    """What stands after a program's name on its command line: in the README's example of it, if the program asks for
    something; else by what the program calls it."""
    example = re.search(rf"python[\d.]*\s+\S*\b{re.escape(name)}[ \t]+([^\n`|>&;]+)", readme)
    wants = re.search(r"required\s*=\s*True|add_argument\(\s*['\"][^-]|\bargv\[[1-9]", source)
    asked = dict(itertools.chain.from_iterable(map(_asked_in, source.splitlines())))
    words = example[1].split() if example and wants and not re.search(r"[<\[{]|\.\.\.", example[1]) else []

    def guessed(name: str, before: str) -> str:
        of_arrays = re.search(r"(^|_)[xy](_|$)|image|label", name.lower()) and re.search("loadtxt|genfromtxt", source)
        return _compared(name, source) or (f"asked/{name}" if of_arrays else str(plausible(before)))

    if not words and _runs_without_arguments(source):
        return []
    return words + [guessed(*asked.get(k, ("", ""))) for k in range(len(words) + 1, max(asked, default=0) + 1)]


def commands() -> dict[str, Any]:
    """What makes a command of a function, which is called here, with what it must be given."""

    def called(function: Any = None, *_: Any, **__: Any) -> Any:
        if not isinstance(function, types.FunctionType):
            return None
        asked = (p for p in inspect.signature(function).parameters.values() if p.default is p.empty)
        return function(**{p.name: _argument(p) for p in asked if p.kind is p.POSITIONAL_OR_KEYWORD})

    return {"fire.Fire": called, "typer.run": called}


def _argument(parameter: inspect.Parameter) -> Any:
    """A plausible value: of its type, or, where it has none, a number if it reads as one."""
    if parameter.annotation in (int, float, str):
        return plausible(parameter.name, parameter.annotation)
    word = plausible(parameter.name)
    with contextlib.suppress(ValueError, SyntaxError):
        return ast.literal_eval(word)
    return word


def _asked_in(line: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """The arguments that a line takes, with the name that it gives each of them, and what stands before it."""
    targets, _, _ = line.partition("=")
    names, found = re.findall(r"\w+", targets), list(re.finditer(r"\bargv\[([1-9])\]", line))
    for k, argument in enumerate(found):
        name = names[k] if len(names) == len(found) else names[-1] if names and targets != line else ""
        yield int(argument[1]), (name, line[: argument.start()])


def _runs_without_arguments(source: str) -> bool:
    """Whether a program asks how many arguments it was given, and goes on where it was given none."""
    if "argv" not in source:
        return False
    try:
        branches = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If | ast.IfExp)]
    except (SyntaxError, ValueError):
        return False
    asked = False
    for branch in branches:
        test, asks = re.subn(r"\blen\((?:sys\.)?argv\)", "1", ast.unparse(branch.test))
        if asks and re.fullmatch(r"[\d\s<>=!]+", test):
            taken = branch.body if eval(test, {}) else branch.orelse  # numbers, and how they compare
            inside = [node for part in (taken if isinstance(taken, list) else [taken]) for node in ast.walk(part)]
            calls = (ast.unparse(node.func) for node in inside if isinstance(node, ast.Call))
            if any(isinstance(node, ast.Raise) for node in inside) or any(map(ENDS.search, calls)):
                return False
            asked = True
    return asked


ENDS = re.compile(r"exit|quit|usage", re.IGNORECASE)  # what a program calls that wants arguments


def _compared(name: str, source: str) -> str | None:
    """The first word that a program compares something of this name with."""
    if not name:
        return None
    found = re.search(rf"\b{re.escape(name)}(?:\.\w+\(\))?\s*==\s*['\"](\w+)['\"]", source)
    return found[1] if found else None


PATIENCE = 4  # times that a line is answered with the same word: it may ask for each layer


def prompt() -> Callable[..., str]:
    """`input`, answered by what it asks for, or by what the program calls the answer: as many words as it has names.
    A line that keeps asking for a word was not content with it, or is a menu's: then it gets others as well."""
    asked = iter(range(200))
    answers: dict[tuple[Place | None, object], Iterator[str]] = {}

    def answer(question: object = "") -> str:
        if next(asked, None) is None:
            raise EOFError("asked too often")
        place = innermost()
        statement = statement_at(place) if place is not None else None
        if not isinstance(statement, ast.Assign):
            return str(plausible(str(question)))
        target, calls = statement.targets[0], [n for n in ast.walk(statement.value) if isinstance(n, ast.Call)]
        split = next((n for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr == "split"), None)
        if not isinstance(target, ast.Tuple) or split is None:
            asks = [n for n in calls if not question or repr(str(question)) in ast.unparse(n)]
            kind = next((kind for n in asks for kind in (int, float) if ast.unparse(n.func) == kind.__name__), str)
            word = str(plausible(str(question) or ast.unparse(target), kind))
            if kind is not str:
                return word
            return next(
                answers.setdefault((place, question), itertools.cycle([*[word] * PATIENCE, "n", "y", "N", "Y"]))
            )
        between = split.args[0].value if split.args and isinstance(split.args[0], ast.Constant) else " "
        return str(between).join(str(plausible(ast.unparse(name))) for name in target.elts)

    return answer


class Parser(argparse.ArgumentParser):
    """A command line on which little stands: what is required, or empty, gets the first word that the program's
    `source` compares it with, or else, if it is required, a value that its name suggests."""

    source = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore
        given = list(sys.argv[1:])
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and not given:
                given = [next((name for name in action.choices if "train" in name), next(iter(action.choices)))]
            elif action.required and action.default is None and (action.option_strings or action.nargs != "*"):
                several = action.nargs in ("+", "*") or isinstance(action.nargs, int)
                is_word = action.type in (None, str) and not action.choices
                value = _compared(action.dest, self.source) if is_word else None
                value = value or plausible(action.dest, action.type or str, action.choices)
                action.default = [value] if several else value
                action.nargs = action.nargs if action.option_strings else "*" if several else "?"
            elif action.default is None and action.choices and action.nargs is None:
                action.default = next(iter(action.choices))
            elif action.default in (None, "") and action.nargs is None:
                action.default = _compared(action.dest, self.source) or action.default
            action.required = False
        for group in self._mutually_exclusive_groups:
            group.required = False
        return super().parse_known_args(given, namespace)

    def error(self, message: str) -> Any:
        raise ValueError(message)


# --- tables and data sets of pandas and scikit-learn ------------------------------------------------------------------


_OF_HOUSES = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"]


def join_tables() -> None:
    """Tables of pandas do as they did in its earlier versions, and their products with recorded arrays are recorded."""
    import pandas

    def product(of_table: Callable) -> Callable:
        @functools.wraps(of_table)
        def multiply(self: Any, other: Any) -> Any:
            return self.to_numpy() @ other if is_recorded(other) else of_table(self, other)

        return multiply

    def append(self: Any, other: Any, ignore_index: bool = False, **how: Any) -> Any:
        rows = dict if isinstance(self, pandas.Series) else (dict, pandas.Series)
        others = other if isinstance(other, list) else [other]
        tables = [pandas.DataFrame([o]) if isinstance(o, rows) else o for o in others]
        return pandas.concat([self, *tables], ignore_index=ignore_index, **how)

    for kind in (pandas.DataFrame, pandas.Series):
        if not hasattr(kind, "as_matrix"):
            products = {"dot": product(kind.dot), "__matmul__": product(kind.__matmul__)}
            earlier = {"as_matrix": kind.to_numpy, "iteritems": kind.items, "append": append}
            for name, function in {**earlier, **products}.items():
                setattr(kind, name, function)


def tables(files: Files, samples: Samples) -> dict[str, Any]:
    """What reads files as the program finds them, what would be downloaded, and what their earlier versions had."""

    def read_csv(path: Any, *separator: Any, **how: Any) -> Any:
        import pandas

        how |= dict(zip(("sep",), separator, strict=False))  # which had no name to be given by before pandas 2
        if how.pop("delim_whitespace", False):
            how["sep"] = r"\s+"
        table = (
            None if hasattr(path, "read") else files.table(str(path), [str(name) for name in how.get("names") or ()])
        )
        if isinstance(table, tuple):
            how = {name: value for name, value in how.items() if name not in ("sep", "delimiter", "engine")}
            named = how.get("header", "infer") == "infer" and "names" not in how
            frame = pandas.DataFrame(table[1], columns=table[0])
            if type(how.get("index_col")) is int and not how.get("names"):
                frame.insert(how["index_col"], "number", range(1, len(frame) + 1))  # of rows, beside what is asked for
            if named and not how:  # thousands of pictures take long to be written and read
                return frame.infer_objects()
            table = frame.to_csv(index=False, header=named)
        return pandas.read_csv(path if table is None else io.StringIO(table), **how)

    def read_excel(path: Any, *sheet: Any, **how: Any) -> Any:
        import pandas

        if not isinstance(path, (str, Path)) or Path(path).is_file():
            return pandas.read_excel(path, *sheet, **how)
        return read_csv(path, **{name: value for name, value in how.items() if name not in ("sheet_name", "engine")})

    def read_pickle(path: Any, **_: Any) -> Any:
        with files.open(path, "rb") as file:
            return pickle.load(file)

    def bunch(
        x: Any,
        y: Any,
        names: Any = None,
        return_X_y: bool = False,
        as_frame: bool = False,
        target: str = "target",
        **_: Any,
    ) -> Any:
        import pandas

        names = names or [f"feature{k}" for k in range(x.shape[1])]
        x, y = (pandas.DataFrame(x, columns=names), pandas.Series(y, name=target)) if as_frame else (x, y)
        frame = x.assign(**{target: y}) if as_frame else None
        return (x, y) if return_X_y else Bunch(data=x, target=y, feature_names=names, frame=frame)

    def fetch_openml(name: Any = "mnist_784", version: Any = 1, **how: Any) -> Any:
        if "mnist" not in str(name).lower():
            x, y = samples.points(300, 4, 3)
            return bunch(x, y.astype(str), **how)
        d = samples.digits
        x = numpy.concatenate([d.x_train, d.x_test]).reshape(-1, 784).astype(numpy.int64)
        y = numpy.concatenate([d.y_train, d.y_test]).astype(str).astype(object)
        # Before scikit-learn 0.24 these were arrays, and a program that is older takes them for such.
        frames = re.search(r"\.(values|to_numpy|i?loc|columns|sample|drop|as_matrix)\b|DataFrame", samples.source)
        return bunch(x, y, [f"pixel{k + 1}" for k in range(784)], **{"as_frame": bool(frames), **how})

    def fetch_mldata(name: Any = "MNIST original", **_: Any) -> Any:
        found = fetch_openml(name, as_frame=False)
        return Bunch(data=found.data, target=found.target.astype(float))

    def numbers_of(count: int, features: int, names: Any = None, target: str = "target") -> Callable[..., Any]:
        x = samples.points(count, features, 3)[0]
        return lambda **how: bunch(x, x.mean(1), names, target=target, **how)

    def one_hot(*rest: Any, sparse: Any = None, **how: Any) -> Any:
        from sklearn.preprocessing import OneHotEncoder

        return OneHotEncoder(*rest, **how, **({} if sparse is None else {"sparse_output": sparse}))

    return {
        "pandas.read_csv": read_csv, "pandas.read_excel": read_excel, "pandas.read_pickle": read_pickle,
        "seaborn.load_dataset": lambda name, **_: read_csv(f"{name}.csv"),
        "sklearn.datasets.fetch_openml": fetch_openml,
        "sklearn.datasets.fetch_mldata": fetch_mldata,
        "sklearn.datasets.load_boston": numbers_of(506, 13),
        "sklearn.datasets.fetch_california_housing": numbers_of(500, 8, _OF_HOUSES, "MedHouseVal"),
        "sklearn.preprocessing.OneHotEncoder": one_hot,
    }  # fmt: skip
