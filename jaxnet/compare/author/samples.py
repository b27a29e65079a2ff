"""Data for a program whose own is missing: what a file of a certain name would hold, small, and from one seed.

m examples. Digits are real ones, of the MNIST that comes with jaxnet; all else is drawn.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import itertools
import math
import pickle
import re
import string
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.report import some

TRAIN, TEST = 1200, 300  # more than a thousand: many programs put the first thousand aside
MNIST_TRAIN, MNIST_TESTS = 60_000, 10_000
THOUSANDS = 5000
SPECKLES = 64  # of 256 shades
IDX = re.compile(r"idx\d|ubyte")  # what MNIST's files are called
TEXT = "the quick brown fox jumps over the lazy dog, and he said: what a lovely day it is!\n" * 10
TEXT += string.ascii_uppercase + string.digits + string.punctuation + "\n"  # a sample may begin with any of them
_TRAINED = re.compile(r"weight|bias|model|param|theta|net|nn|trained|checkpoint|(^|_)[wb]\d*(_|\.|$)")
_KEPT = re.compile(r"(?i)(^|[\\/_])(models?|weights|checkpoints?|params|parameters)[\\/][^\\/]*$")  # folders of these
_ARRAYS = {".pkl", ".pickle", ".pk", ".npy", ".npz", ".h5", ".json", ".txt", ".csv"}  # what weights are saved in
_NUMBERED = re.compile(r"(?i:(^|_)(id|user|item|movie|book|product)s?(_|$))|[a-z]I[dD]$")  # whose ratings these are
NUMBERED = 30  # of them, and of words
IRIS = "Iris-setosa", "Iris-versicolor", "Iris-virginica"
IN_A_ROW = 3  # words
_NAME = re.compile(r"(?i)(^|[_ ])(name|path)s?$|filename")  # columns of words
_NO_COLUMN = re.compile(r"KeyError: '([A-Za-z_][\w .-]*)'|'DataFrame' object has no attribute '(\w+)'")
_LABEL = re.compile(r"labels?|class(es)?|targets?|y|digits?|outputs?|species|diagnosis|outcome|survived|quality|result")


class Digits(NamedTuple):
    """Images (m, 28, 28) of uint8 and their labels (m,), for training and for tests."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


LISTS_OF_PYTHON2 = re.compile(
    r"TypeError: .*('(zip|map|filter|range)'( has no len| object is not subs| object does not support item|$))"
    r"|TypeError: 'float' object cannot be interpreted as an integer"  # of range(n / size)
)
_NO_NUMBER = re.compile(  # the first word of the text that stands in for a file
    rf"ValueError: (invalid literal for int\(\) with base 10|could not convert string to float): '{TEXT.split()[0]}\b"
)
_NO_INDEX = re.compile(r"IndexError: (arrays used as indices must be of integer|only integers, slices)")
_NOT_FLAT = re.compile(r"\b(28\b.*(different from|!=) 784|784\b.*(different from|!=) 28)\b")
_TOO_FEW = re.compile(r"larger sample than population|Sample larger than population")
CUT_OFF = 3  # columns of a table, at most
ASKED_FOR = 8  # columns, at most, that are added one by one


class Guess(NamedTuple):
    """What no name tells of data that are made up."""

    noise: bool = False  # no part of a picture is blank
    columns: bool = False  # labels are (m, 1), and not (m,) …
    one_hot: bool = False  # … or (m, classes)
    width: int | None = None  # numbers of an example …
    classes: int | None = None  # … and classes, where the program's errors told
    python2: bool = False  # and so did they that it takes what zip makes for a list
    whole: bool = False  # what prepares data is recorded as well
    smaller: bool = False  # the sizes of the program
    few_rows: bool = False  # of its tables
    numbers: bool = False  # texts are tables
    all_of_it: bool = False  # as many examples as MNIST has
    asked: tuple[str, ...] = ()  # columns of tables that errors have named
    ids: bool = False  # examples are of whole numbers, by which rows are picked …
    turned: bool = False  # … or are columns
    flat: bool = False  # pictures are rows of pixels
    by_counts: bool = False  # the cells of a notebook in the order in which they were run

    def notes(self) -> list[str]:
        """What was made up so, to be said."""
        sizes = [f"of {n} {what}" for n, what in ((self.width, "numbers each"), (self.classes, "classes")) if n]
        of_sizes = [f"data, which are missing, are made up {' and '.join(sizes)}, as arrays of the program have it"]
        shape = "a column" if self.columns else "one-hot rows" if self.one_hot else ""
        of_labels = [f"labels, which are missing, are made up as {shape}"]
        of_version = ["it is run as Python 2 would: zip, map, filter and range make lists, / of integers is //"]
        of_cells = [
            "its cells are run in the order of their execution counts: as they stand, they lack what comes later"
        ]
        notes = of_labels * bool(shape) + of_sizes * bool(sizes) + of_version * self.python2
        return notes + of_cells * self.by_counts

    def told_by(self, errors: Iterable[str], samples: Samples) -> Guess | None:
        """The guess again, as the first error has it: arrays of another size than those that were made up; or lists."""
        errors = list(errors)
        if not self.python2 and any(map(LISTS_OF_PYTHON2.search, errors)):
            return self._replace(python2=True)
        if not self.numbers and any(map(_NO_NUMBER.search, errors)):
            return self._replace(numbers=True)
        if not self.all_of_it and samples.counts[0] < MNIST_TRAIN and any(map(_TOO_FEW.search, errors)):
            return self._replace(all_of_it=True)
        if not self.flat and samples.has_pictures and any(map(_NOT_FLAT.search, errors)):
            return self._replace(flat=True)
        if not self.ids and samples.widths and any(map(_NO_INDEX.search, errors)):
            return self._replace(ids=True)
        missing = (of[1] or of[2] for error in errors if samples.has_tables for of in _NO_COLUMN.finditer(error))
        if (column := next(missing, None)) is not None and column not in self.asked and len(self.asked) < ASKED_FOR:
            return self._replace(asked=(*self.asked, column))
        for error in errors if samples.widths or samples.guessed else ():
            sizes = re.search(r"(\d+)\)? (?:is different from|\(dim \d\) !=) (\d+)", error)
            shapes = re.search(r"broadcast together with shapes \(([\d,]+)\) \(([\d,]+)\)", error)
            index = re.search(r"index (\d+) is out of bounds for axis \d with size (\d+)", error)
            pairs = [sizes.groups()] if sizes else []
            pairs += zip(*(shape.split(",")[::-1] for shape in shapes.groups()), strict=False) if shapes else []
            differing = ((int(a), int(b)) for pair in pairs if all(pair) for a, b in (pair, pair[::-1]) if a != b)
            for one, other in differing:
                # Columns may be cut off, and one of ones added.
                more = next((width - one for width in samples.widths if -1 <= width - one <= CUT_OFF), None)
                if more is not None and self.width is None and other + more > 0:
                    return self._replace(width=other + more)
                if one == samples.counts[0] and other > 1 and self.width is None and not self.turned:
                    return self._replace(width=other, turned=True)
                if other > 1 and one == samples.classes and self.classes is None:
                    return self._replace(classes=other)
            of_vector = re.search("tuple index out of range|axis 1 is out of bounds for array of dimension 1", error)
            if of_vector and samples.guessed and not (self.columns or self.one_hot):
                return self._replace(one_hot=True)  # labels.shape[1]
            if index and int(index[2]) <= int(index[1]) < samples.classes and self.classes is None:
                return self._replace(classes=int(index[2]))
        return None


FIRST_GUESS = Guess()


def said_of_missing(files: Iterable[str], modules: Iterable[str] = ()) -> list[str]:
    """That a program runs on data of ours, and without what is not installed."""
    found = (files, "missing, and made up"), (modules, "not installed, and without effect")
    every = [([Path(name).name for name in names], why) for names, why in found]
    return [f"{some(names)} {'is' if len(names) == 1 else 'are'} {why}" for names, why in every if names]


def _fewer_examples(source: str) -> dict[int, int]:
    """The numbers of MNIST's examples, and fewer, where a program writes out how many there are, and no other
    thousands, which may be parts of these."""
    written = {int(n.replace("_", "")) for n in re.findall(r"(?<![\w.])\d[\d_]*(?![\w.])", source)}
    fewer = {MNIST_TRAIN: TRAIN, MNIST_TESTS: TEST}
    return fewer if MNIST_TRAIN in written and fewer.keys() >= {n for n in written if n >= THOUSANDS} else {}


class Samples:
    """What the files that a program asks for would hold, as far as their names and its `source` tell, and else as one
    has to `guess`: `guessed` says whether labels were made up so."""

    def __init__(self, source: str, guess: Guess = FIRST_GUESS) -> None:
        # Some write the number of MNIST's examples into a shape or a loop (in a slice, fewer will do, and of one at
        # random to be looked at), or put thousands of them aside, or have whole batches of thousands only.
        number = r"((?:[2-9]|1\d|20)_?000)\b"
        part, count = "(?:val|dev|test|train)", "(?:size|count|num|samples)"
        size = rf"(?:{part}\w*{count}|(?:n|{count})_{part}\w*)\b[^=\n,)]*="
        aside = re.findall(rf"\[\s*-?{number}\s*:|:\s*-{number}\s*\]|{size}\s*{number}|choice\(.*,\s*{number}", source)
        batches = re.findall(rf"batch\w*size\b[^=\n,)]*=\s*{number}", source, re.I)
        loops = re.sub(r"#.*|(?<!np\.)(?<!numpy\.)\brandom\.rand(int|range)\([^()\n]*\)", "", source)
        written = re.findall(r"(?<![:\[\w.])((?:[45]\d|60)_?000)(?![ \t]*[:\]\w.])|split\(.*\[(60_?000)\]", loops)
        sizes = [int(n.replace("_", "")) for pair in written for n in pair if n]
        all_of_it = bool(sizes) or guess.all_of_it
        is_cut = re.search(r"60_?000|\d_?000[ \t]*:|:[ \t]*\d+_?000|pickle", source)  # into parts, of all that there is
        more = sum({int(n.replace("_", "")) for of in aside for n in of if n})
        if re.search(r"//\s*(self\.)?\w*batch", source, re.I):
            more = max([more, *(2 * int(n.replace("_", "")) for n in batches)])
        # Of MNIST no part of a batch is left over where 60,000 is so many times its size: of fewer examples neither.
        batch_sizes = [int(n) for n in re.findall(r"batch\w*\s*=\s*([1-9]\d*)\b", source)]
        size = math.lcm(*(n for n in batch_sizes if MNIST_TRAIN % n == 0))
        train = TRAIN + more + (-(TRAIN + more) % size if size < TRAIN else 0)
        tests = MNIST_TESTS if re.search(r"reshape\(+\s*10_?000\b|\[\s*1_?000\s*:", source) else TEST
        whole = MNIST_TRAIN if is_cut or guess.all_of_it else max(sizes, default=0)
        self.counts = (whole, MNIST_TESTS) if all_of_it else (train, tests)
        self.whole = all_of_it or more > 0  # what is there is not cut
        self.fewer = _fewer_examples(loops)
        if guess.smaller and self.fewer:
            self.counts, self.whole = (TRAIN, TEST), False
        self.source, self.guess = source, guess
        self.guessed = False
        self.made_up: dict[str, None] = {}  # files that are missing
        self.long: dict[str, int] = {}  # tables of the program's, of which fewer rows may do
        self.inert: list[str] = []  # modules that are not installed, and for which nothing stands in
        self.has_tables = False  # that were made up
        self.has_pictures = False  # of two axes, that were made up
        self.widths: set[int] = set()  # numbers of an example that was made up
        self.classes = guess.classes or (NUMBERED if guess.ids else 10)

    @functools.cached_property
    def digits(self) -> Digits:
        from jaxnet.data import _bundled_folder  # as it is: MNIST's own place

        train, test = self.counts
        parts = (("train-images-idx3", train, 16, 784), ("train-labels-idx1", train, 8, 1),
                 ("t10k-images-idx3", test, 16, 784), ("t10k-labels-idx1", test, 8, 1))  # fmt: skip
        arrays = []
        for name, count, start, size in parts:
            with gzip.open(_bundled_folder() / f"{name}-ubyte.gz") as file:
                content = np.frombuffer(file.read(start + count * size), np.uint8, offset=start)
            arrays.append(self.pictures(content).reshape(count, 28, 28) if size > 1 else content.copy())
        return Digits(*arrays)

    def part(self, test: object) -> tuple[np.ndarray, np.ndarray]:
        """The images and the labels for training, or for tests."""
        return self.digits[2:] if test else self.digits[:2]

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of uint8 as they are, or with noise."""
        if not self.guess.noise:
            return numbers.copy()
        speckles = np.random.default_rng(2).integers(0, SPECKLES, numbers.shape, np.uint8)
        return np.where(numbers < 128, numbers + speckles, numbers - speckles)

    def images(self, count: int, *shape: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Noise of uint8, (m, …), that is lighter for some classes than for others; and the labels (m,)."""
        draws = np.random.default_rng(0)
        labels = np.arange(count) % classes
        noise = draws.integers(0, 156, (count, *shape), np.uint8)
        return (noise + labels.reshape(-1, *[1] * len(shape)) * 100 // classes).astype(np.uint8), labels

    def table(self, name: str, columns: list[str] | None = None) -> tuple[list[str], np.ndarray]:
        """The columns of a CSV and its rows: the label first, and again last, as some have it there; or just these
        columns, where the program names them."""
        self.has_tables = True
        path = name.replace("\\", "/").lower()
        name = Path(path).name
        about_digits = re.search(r"mnist|digit|fashion", path) or re.search(r"\b784\b|\b28\b|pixel", self.source)
        lists = re.findall(
            r"""(?:\[|drop\(|columns\s*=)\s*\[?((?:[\s\\]*u?['"][A-Za-z_][\w .-]*['"]\s*,?)+)""", self.source
        )
        told = list(self.guess.asked)
        asked = told + [word for part in lists for word in re.findall(r"""['"]([^'"]*)['"]""", part)]
        asked = columns or [word for word in dict.fromkeys(asked) if not re.fullmatch(r"d?[WbAZ]\d|pixel.*", word)]
        labels = [word for word in asked if _LABEL.fullmatch(word.lower())]
        if about_digits and self.guess.width is None and set(told) <= set(labels):
            self.widths.add(784)
            images, digits = self.part("test" in name)
            rows = images.reshape(-1, 784).astype(np.int64)
            if "label" in name:
                return ["label"], digits[:, None].astype(np.int64)
            if name == "test.csv" or re.search(r"label\w*\.csv", self.source):  # of Kaggle, or they have their own file
                return [f"pixel{i}" for i in range(784)], rows
            rows[:, -1] = digits
            return [labels[0] if labels else "label", *(f"pixel{i}" for i in range(784))], np.c_[digits, rows]
        features = [word for word in asked if word not in labels]
        words = 0 if features or labels else self._words_of_a_line()
        features += [f"feature{i}" for i in range((self.guess.width or words or 4) - len(features))]
        self.widths.add(len(features))
        self.classes = self.guess.classes or (3 if "iris" in path else 2)
        values, classes = self.points(300, len(features), self.classes)
        rows = np.empty((len(values), len(labels[1:]) + len(features) + 1), object)  # classes are written without a dot
        words_of = np.array(IRIS if IRIS[0] in self.source else range(self.classes), object)
        rows[:], rows[:, len(labels[1:]) : -1] = words_of[classes % len(words_of), None], values.round(4)
        for k, column in enumerate(features, start=len(labels[1:])):
            # df["Sex"].map({"male": 0, "female": 1}): such a column holds the words that are mapped.
            mapped = re.search(
                rf"""\[['"]{re.escape(column)}['"]\]\s*\.\s*(?:map|replace)\(\s*\{{([^}}]*)""", self.source
            )
            words = re.findall(r"""['"]([^'"]*)['"]\s*:""", mapped[1]) if mapped else []
            if _NAME.search(column):
                rows[:, k] = [f"{i}.png" for i in range(len(rows))]
            elif words:
                rows[:, k] = np.random.default_rng(k).choice(words, len(rows))
            elif _NUMBERED.search(column):
                rows[:, k] = np.random.default_rng(k).integers(1, NUMBERED, len(rows))
        names = [*labels[1:], *features, labels[0] if labels else "label"]
        if columns:
            return columns, rows[:, [names.index(column) for column in columns]]
        return (names[1:], rows[:, 1:]) if words else (names, rows)

    def _words_of_a_line(self) -> int:
        """The number of the last one that the program takes of a line or a table, the label: float(words[0]),
        float(words[1]), int(words[2]); or of those before it, words[:4] or table[:, :13]."""
        lines = re.findall(r"(\w+)\s*=[^\n]*\.split\(|\bfor (\w+) in (?:csv\.)?reader\b", self.source)
        tables = re.findall(r"(\w+)\s*=\s*\w+\.(?:loadtxt|genfromtxt)\(", self.source)
        of_lines = (rf"\b(?:float|int)\(\s*{a or b}\[(\d+)\]|(?<![\w.]){a or b}\[:(\d+)\]" for a, b in lines)
        of_tables = (rf"(?<![\w.]){name}\[:\s*,\s*:(\d+)()\]" for name in tables)
        found = (pair for pattern in (*of_lines, *of_tables) for pair in re.findall(pattern, self.source))
        return max((int(a or b) for a, b in found), default=0)

    def points(self, count: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
        """Points (m, features) around one centre for each class, and the classes (m,)."""
        draws = np.random.default_rng(1)
        labels = draws.permutation(np.arange(count) % classes)
        return draws.normal(size=(classes, features))[labels] * 2 + draws.normal(size=(count, features)), labels

    def arrays(self, name: str) -> np.ndarray | None:
        """What x_train.npy, images.npy, test_labels.txt … hold: digits, flat if the name speaks of neither."""
        word = re.sub(r"[^a-z]+", "_", Path(name).stem.lower())
        if re.search(_TRAINED, word):
            return None
        images, labels = self.part(re.search(r"test|val|dev|t_?k", word))
        if re.search(r"label|target|(^|_)(y|out)(_|$)|class|output", word):
            return self.labels(labels)
        if re.search(r"image|(^|_)(x|data|train|test|inputs?|features?)(_|$)", word):
            if self.guess.ids:
                return np.random.default_rng(3).integers(0, self.classes, (len(images), self.guess.width or IN_A_ROW))
            if self.guess.width is not None:
                points = self.points(len(images), self.guess.width, self.classes)[0]
                return points.T if self.guess.turned else points
            self.widths.add(784)
            whole = "image" in word and re.search(r"\b28\b|reshape|flatten|ravel", self.source)
            flat = images if whole else images.reshape(len(images), -1)
            return flat if "255" in self.source else flat / np.float32(255)
        return None

    def by_keys(self) -> dict[str, np.ndarray] | None:
        """Digits under the keys by which the program takes them out of a file: images (m, 784) from 0 to 1, and labels
        (m,)."""
        found = {}
        for key, are_labels in self._keys(r"\w*(?:train|test)\w*").items():
            images, labels = self._flat("test" in key.lower())
            found[key] = self.labels(labels) if are_labels else images
        return found or None

    def _keys(self, pattern: str) -> dict[str, bool]:
        """The keys that the program uses, and whether each is that of labels, where one is that of images or labels."""
        keys = re.findall(rf"""(?:\[|\.get\()['"]({pattern})['"][\])]""", self.source)
        labels = {key: re.search("label|target|y_|_y|^y$", key.lower()) is not None for key in keys}
        known = any(labels[key] or re.search("image|data|x_|_x|^x$", key.lower()) for key in keys)
        return labels if known else {}

    def short_keys(self) -> dict[str, bool]:
        """Those that speak of no part of the data."""
        return self._keys(r"(?i:images?|data|labels?|targets?|[xy])")

    def _flat(self, test: bool) -> tuple[np.ndarray, np.ndarray]:
        images, labels = self.part(test)
        return images.reshape(-1, 784) / np.float32(255), labels.astype(np.int64)

    def labels(self, of_digits: np.ndarray) -> np.ndarray:
        """Labels in a shape that is a guess; whether digits are odd, where the program speaks of two classes only."""
        self.guessed = True
        two = "binary" in self.source.lower() and not re.search(r"softmax|\b10\b", self.source, re.I)
        labels = (of_digits % (2 if two else self.classes)).astype(np.int64)
        if self.guess.one_hot:
            return np.eye(self.classes)[labels]
        return labels.reshape(-1, *[1] * self.guess.columns)

    def _pickled(self) -> Any:
        """Digits as the program takes them out of a pickle: by keys, four arrays, or pairs for training, validation
        and test."""
        (x, y), tests = self._flat(test=False), self._flat(test=True)
        if (named := self.by_keys()) is not None:
            return named
        if re.search(r"^[ \t]*\w+(\s*,\s*\w+){3}\s*=\s*\w+\.load\(", self.source, re.M):
            return x, y, *tests
        aside = 10_000 if len(x) == MNIST_TRAIN else 100
        return (x[:-aside], y[:-aside]), (x[-aside:], y[-aside:]), tests

    def named_files(self) -> list[str]:
        """The files that the program speaks of and that can be made up."""
        names = dict.fromkeys(re.findall(r"""['"]([\w-]+(?:\.\w+)+)['"]""", self.source))
        return [name for name in names if not _TRAINED.search(name.lower()) and self.content(name) is not None]

    def file_names(self, folder: str) -> list[str]:
        """What a folder would hold that is missing: these, or pictures or texts by numbers; or a folder for each class,
        as deep as loops over what is listed list that."""
        classes = [str(k) for k in range(10)]
        inside = itertools.takewhile(classes.__contains__, reversed(Path(folder).parts))
        if sum(1 for _ in inside) < self._levels:
            return classes
        pictures = re.search(r"imread|Image\.open|\.(png|jpe?g|bmp)\b", self.source)
        numbered = [f"{k}.{'png' if pictures else 'txt'}" for k in range(50 // 5**self._levels)]
        return numbered if pictures else self.named_files() or numbered

    @functools.cached_property
    def _levels(self) -> int:
        """How many loops list what they go over: pictures are in folders of folders then."""

        def is_listed(over: str) -> bool:
            return "listdir(" in over or bool(re.search(rf"\b{re.escape(over)}\s*=[^\n]*listdir\(", self.source))

        loops = re.findall(r"\bfor\s+(\w+)\s+in\s+(\w+|[^\n]*listdir\([^\n]*):", self.source)
        listing = {name for name, over in loops if is_listed(over)}
        words = (rf"listdir\([^\n]*(?<![^\W_]){name}(?![^\W_])" for name in listing)  # `batch_path` of `batch`, too
        return sum(bool(re.search(word, self.source)) for word in words)

    def content(self, path: str, numbers: bool = False) -> bytes | None:
        """The bytes of a missing file; None if its name tells nothing. `numbers`: it is read as an array."""
        name = Path(path.replace("\\", "/")).name.lower()
        plain = name.removesuffix(".gz")
        numbers = numbers or self.guess.numbers
        content = self._plain(plain, path, numbers)
        if content is not None and name.endswith(".gz"):
            return gzip.compress(content, 1)
        return content

    def _plain(self, name: str, path: str, numbers: bool) -> bytes | None:
        unpacked = re.search("image|label", name) and re.search(r"unpack\(\s*['\"]>", self.source)
        if IDX.search(name) or unpacked:
            array = self.part(re.search(r"t10k|test", name))["label" in name]
            header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            return header + array.tobytes()
        is_data = not (_TRAINED.search(name) or _KEPT.search(path))
        about_digits = is_data and re.search("784|mnist", self.source)
        pickled = is_data and re.search(r"\.(pkl|pickle|pk|p)$", name)
        of_one = re.search(r"image|label|(^|_)[xy](_|\.)", name) and self.by_keys() is None
        if pickled and of_one and (array := self.arrays(name)) is not None:
            return pickle.dumps(array)
        if pickled and ("mnist" in name or about_digits or self.by_keys()):
            return pickle.dumps(self._pickled())
        if re.fullmatch(r"data_batch(_\d)?|test_batch", name):  # CIFAR-10's
            whole = self.whole or re.search(r"\b10_?000\b", self.source)
            images, labels = self.images(10_000 if whole else 400, 3072)
            values = {"data": images, "labels": labels.tolist()}
            return pickle.dumps(values | {key.encode(): value for key, value in values.items()})
        if name == "batches.meta":
            names = [f"class {k}" for k in range(10)]
            return pickle.dumps({"label_names": names, b"label_names": [name.encode() for name in names]})
        if name.endswith(".npz") and is_data:
            buffer, arrays = io.BytesIO(), {}
            for part in ("train", "test"):
                images, labels = self.part(part == "test")
                self.has_pictures, images = True, images.reshape(len(images), -1) if self.guess.flat else images
                arrays |= dict.fromkeys((f"x_{part}", f"{part}_x", f"{part}_images"), images)
                arrays |= dict.fromkeys((f"y_{part}", f"{part}_y", f"{part}_labels"), labels)
            for key, are_labels in self.short_keys().items():
                arrays[key] = self.labels(self.digits.y_train) if are_labels else self.digits.x_train
            np.savez(buffer, **{**(self.by_keys() or {}), **arrays})
            return buffer.getvalue()
        if name.endswith(".npy") and (array := self.arrays(name)) is not None:
            buffer = io.BytesIO()
            np.save(buffer, array)
            return buffer.getvalue()
        if re.search(r"\.(csv|data)$", name):
            splits = re.search(r"\.split\(\)|loadtxt\(", self.source)
            splits = splits and not re.search(r"csv\.|_csv|split\(['\"],|delim|sep=", self.source)
            semicolons = re.search(r"(?:delimiter\s*=\s*|split\(\s*)['\"];", self.source)
            return _written(self.table(path)[1], " " if splits else ";" if semicolons else ",")
        if name.endswith(".zip"):
            stem = name.removesuffix(".zip")
            packed = ((member, self.content(member)) for member in (stem, f"{stem}.csv"))
            return next((_zipped(member, content) for member, content in packed if content is not None), None)
        if vectors := re.search(r"glove.*?(\d+)d\b", name):  # a line for each word
            words = dict.fromkeys(re.findall(r"\w+", TEXT.lower()))
            rows = np.random.default_rng(4).normal(size=(len(words), int(vectors[1]))).round(4).astype(str)
            return "".join(f"{word} {' '.join(row)}\n" for word, row in zip(words, rows, strict=True)).encode()
        if re.search(r"\.txt$|^text8$|corpus", name) and not numbers:
            return (TEXT.replace("\n", " ") if name == "text8" else TEXT).encode()  # that is one line
        if numbers and Path(name).suffix in (".txt", ""):
            array = self.arrays(name)
            if array is not None and re.search(r"\d", Path(name).stem):  # one file of several
                array = array[:: self.classes]
            commas = r"""(?:delimiter\s*=\s*|split\(\s*)['"],"""
            separator = "," if re.search(commas, self.source) else " "
            tells = is_data and re.search(r"data|set|train|test|points|features|file", name)
            if array is None and not tells:
                return None  # what an earlier run of the program wrote down, it seems
            return _written(self.table(path)[1] if array is None else array.reshape(len(array), -1), separator)
        return None


def learnt(program: Path, root: Path) -> list[Path]:
    """The files of the tree that hold weights, by their names or their folder's, and that a program speaks of."""
    text = program.read_text(errors="replace")
    if not any(suffix in text for suffix in _ARRAYS):
        return []
    files = [path for path in sorted(root.rglob("*")) if path.suffix in _ARRAYS]
    named = [path for path in files if path.name in text and _TRAINED.search(path.name.lower())]
    kept = (path for path in files if f"{path.parent.name}/" in text and _KEPT.search(str(path.relative_to(root))))
    return list(dict.fromkeys([*named, *kept]))


def _zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _written(rows: np.ndarray, separator: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows.tolist())
    return text.getvalue().encode()


ASKED = "asked/mnist_train.csv"  # where a file of data is asked for: the largest table of the program's tree, or MNIST


def plausible(name: str, kind: Any = None, choices: Any = None) -> Any:
    """An answer to a question or an argument of this name: a small number, a word, the first of several choices."""
    if choices:
        return next(iter(choices))
    if listed := _LISTED.search(name):
        return listed[1] or listed[2]
    word = name.lower()
    for pattern, value in _ANSWERS:
        is_of_kind = value.isdigit() if kind is int else value[0].isdigit() if kind is float else True
        if is_of_kind and re.search(pattern, word):
            return kind(value) if callable(kind) and not isinstance(kind, bool) else value
    return kind("1") if kind in (int, float) else "1"


# 1) one, 2) another; or (one, another or a third)
_LISTED = re.compile(
    r"^\W*(1)\s*[).:\]]|[(\[]\s*([a-z]\w*)(?:\s*(?:,\s*or\b|[/|,]|\bor\b)\s*[\w-]+)+\s*[)\]]", re.M | re.I
)
_ANSWERS: list[tuple[str, Any]] = [
    (r"rate|\blr\b|eta|alpha", "0.1"),
    (r"neuron|node|unit|hidden|size|dim", "5"),
    (r"layer", "2"),
    (r"epoch|iter|step", "3"),
    (r"y/n|\(y|yes|continue", "y"),
    (r"mode|action|command", "train"),
    (r"device", "cpu"),
    (r"data|csv|train|path|file|dir|folder", ASKED),
    (r"activation", "sigmoid"),
]
