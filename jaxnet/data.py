"""Labelled images: read from IDX, CSV, .npz or .npy, checked, and kept as uint8.

m examples, i pixels of an example. Every failure is a ValueError that says which file, where in it, what was
found there and what to do.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import re
import warnings
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

MOST_CLASSES = 256  # a label is a uint8
ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# SHA-256 of the uncompressed content of the MNIST that comes with jaxnet (data/README.md).
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class Dataset(NamedTuple):
    """Examples and their classes. Pixels become float32 / 255 inside the compiled step, not here."""

    inputs: np.ndarray  # (m, i) uint8
    labels: np.ndarray  # (m,) uint8, classes counted from 0


def load_data(path: str | Path | None = None, classes: int | None = None) -> tuple[Dataset, Dataset]:
    """The training and the test set at `path`; the MNIST that comes with jaxnet when there is no path.

    `path` is a folder with the four IDX files of MNIST (.gz or not), a label-first CSV of each set as
    `train.csv,test.csv` (.gz or not), an .npz with x_train, y_train, x_test and y_test, or a folder with these as
    .npy. A single CSV is both the training and the test set. x_train.npy may be larger than memory: it is
    memory-mapped, and read when its examples are needed.

    Labels are below `classes`; where nothing is said, they are 0 to 9 in MNIST, and elsewhere the training set has
    two classes or more, and the test set none beyond them. Raises ValueError if anything is missing, damaged or out
    of range.
    """
    if classes is not None and not 2 <= classes <= MOST_CLASSES:
        raise ValueError(f"{classes} classes; a number from 2 to {MOST_CLASSES} is needed")
    if path is None:
        return _load_idx_folder(_bundled_folder(), classes or 10, MNIST_SHA256)
    train, test = _load_path(path, classes or MOST_CLASSES)
    if train.inputs.shape[1] != test.inputs.shape[1]:
        raise ValueError(
            f"{path}: training examples have {train.inputs.shape[1]} pixels, test examples {test.inputs.shape[1]}"
        )
    if classes is None:
        _check_classes(path, train.labels, test.labels)
    return train, test


def count_classes(labels: np.ndarray) -> int:
    """The highest label + 1, as classes are counted from 0."""
    return int(labels.max()) + 1


def missing_classes(labels: np.ndarray) -> list[int]:
    """The classes that have no example, between others that have some: perhaps a label is damaged."""
    present = np.flatnonzero(np.bincount(labels))
    return sorted(set(range(present[0], present[-1])) - set(present.tolist()))


def _check_classes(path: str | Path, train: np.ndarray, test: np.ndarray) -> None:
    """ValueError unless training labels (m,) say how many classes there are, and those of the test set keep to it."""
    classes = count_classes(train)
    if classes < 2:
        raise ValueError(f"{path}: all training examples have label 0; two classes or more are needed")
    if test.max() >= classes:
        place = int(test.argmax())
        raise ValueError(
            f"{path}: test example {place + 1} has label {test[place]}, but those of the training set end at "
            f"{classes - 1}; if that is meant, say how many classes there are (--classes)"
        )


def _load_path(path: str | Path, classes: int) -> tuple[Dataset, Dataset]:
    """The training and the test set, each in the form that the path's kind calls for."""
    names = [str(path)] if os.path.exists(path) else str(path).split(",")  # a name may hold a comma itself
    if os.path.isdir(path):
        in_arrays = any(Path(path, f"{name}.npy").exists() for name in ARRAYS)
        return _load_npy_folder(Path(path), classes) if in_arrays else _load_idx_folder(Path(path), classes)
    if len(names) == 2 or _suffix(names[0]) == ".csv":
        if len(names) > 2:
            raise ValueError(f"{path}: {len(names)} files; give a CSV for training and one for testing")
        train = read_csv(names[0], classes)
        return train, read_csv(names[1], classes) if len(names) == 2 else train
    if _suffix(path) == ".npz":
        return _read_npz(Path(path), classes)
    _read_bytes(Path(path))  # a missing file is a better answer than an unknown kind of file
    raise ValueError(f"{path}: neither a folder of IDX or .npy files nor a .csv, .csv.gz or .npz file")


def read_idx(path: str | Path, dimensions: int, sha256: str | None = None) -> np.ndarray:
    """The uint8 array of an IDX file, plain or .gz: magic 0x0000080d for d dimensions, sizes, then the values.

    Raises ValueError for another magic, a length that does not fit the sizes, damaged compression, or content
    that is not the one with this SHA-256.
    """
    content = _read_bytes(Path(path))
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path}: SHA-256 is not that of the original MNIST; restore the file")
    magic, header = bytes([0, 0, 8, dimensions]), 4 + 4 * dimensions
    if content[:4] != magic:
        raise ValueError(
            f"{path}: starts with bytes {content[:4].hex(' ') or '(none)'}; "
            f"an IDX file of {dimensions}-dimensional uint8 starts with {magic.hex(' ')}"
        )
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4))
    try:
        return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    except ValueError:  # more or fewer values than the sizes announce, or sizes that no array can have
        raise ValueError(
            f"{path}: {len(content)} bytes, but its header announces shape {shape}, which takes "
            f"{header + math.prod(shape)}; the file is cut off or damaged"
        ) from None


def write_idx(path: str | Path, array: np.ndarray) -> None:
    """Write a uint8 array as IDX, the inverse of `read_idx`; gzipped if the name ends in .gz.

    Raises ValueError for an array of another type, whose values might not fit.
    """
    if array.dtype != np.uint8:
        raise ValueError(f"{path}: the array is {array.dtype}; only uint8 is written as IDX")
    content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    Path(path).write_bytes(gzip.compress(content) if _is_gzip(path) else content)


def read_csv(path: str | Path, classes: int = MOST_CLASSES) -> Dataset:
    """Label-first CSV, plain or .gz: one example a line, its label, then its pixels, whole numbers from 0 to 255.

    A first line that begins with a word (`label,1x1,…`) is a header; any other line is an example. Raises
    ValueError with line, column and value for anything that is no such number, for a label that is not below
    `classes`, and for lines of other lengths.
    """
    content = _read_bytes(Path(path))
    has_header = _is_header(_text_lines(content).readline())
    try:
        # NumPy before 2.4 no more than warns of 5.7 where a whole number belongs; all versions, of no lines at all.
        with warnings.catch_warnings(action="error"):
            table = np.loadtxt(
                _text_lines(content), np.uint8, comments=None, delimiter=",", skiprows=int(has_header), ndmin=2
            )
    except (ValueError, Warning):
        table = None
    if table is None or table.shape[1] < 2 or table[:, 0].max() >= classes:
        raise ValueError(f"{path}: {_first_fault_of_csv(content, has_header, classes)}")
    return Dataset(np.ascontiguousarray(table[:, 1:]), table[:, 0].copy())


def read_rows(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """array[rows], whatever the shape of `rows`; of a memory-mapped array, read from its file.

    Through the mapping, a system may keep much more of the file in memory than is asked for. Raises ValueError if the
    file has become shorter.
    """
    if not isinstance(array, np.memmap):
        return np.asarray(array).take(rows, axis=0)
    mapped = array
    while isinstance(mapped.base, np.memmap):  # of which `array` may be a slice
        mapped = mapped.base
    offset = mapped.offset + array.__array_interface__["data"][0] - mapped.__array_interface__["data"][0]
    numbers, inverse = np.unique(rows, return_inverse=True)
    values = np.empty((len(numbers), *array.shape[1:]), array.dtype)
    runs = [*np.flatnonzero(np.diff(numbers, prepend=-2) != 1).tolist(), len(numbers)]  # of rows side by side
    with open(str(mapped.filename), "rb", buffering=0) as file:
        for start, stop in pairwise(runs):
            file.seek(offset + int(numbers[start]) * values.strides[0])
            if file.readinto(values[start:stop].data) != values[start:stop].nbytes:
                raise ValueError(f"{mapped.filename}: has become shorter than it was; restore the file")
    return values.take(inverse.reshape(rows.shape), axis=0)


def _text_lines(content: bytes) -> io.TextIOWrapper:
    """The lines of a text without its byte order mark, each byte a character.

    It must be Latin-1: NumPy's parser of integers reads out of bounds, and can crash, at a character beyond U+00FF
    (https://github.com/numpy/numpy/pull/31586).
    """
    return io.TextIOWrapper(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), encoding="latin-1")


def _is_header(line: str) -> bool:
    """Whether this first line begins with a word of two letters or more: `label`, say.

    One letter is not enough: a damaged first digit must not make an example a header, and so lose it. Neither are
    the words for a missing number.
    """
    return re.match(r'\s*"?(?!(nan|na|inf|null|none)\b)[a-z_]{2}', line, re.ASCII | re.IGNORECASE) is not None


def _first_fault_of_csv(content: bytes, has_header: bool, classes: int) -> str:
    """Where and what the first thing is that makes a CSV unfit, counting lines and columns from 1."""
    usual = {str(value) for value in range(256)}
    columns = None
    for number, line in enumerate(_text_lines(content), start=1):
        line = line.rstrip("\n")
        if not line or (has_header and number == 1):
            continue
        values = line.split(",")
        # Whole numbers as they are usually written need no closer look: that takes half a minute for 60,000 lines.
        for column, value in enumerate(values[:1] if usual.issuperset(values) else values, start=1):
            highest = classes - 1 if column == 1 else 255
            number_match = re.fullmatch(r"\s*\+?0*([0-9]{1,3})\s*", value)
            if number_match is None or int(number_match[1]) > highest:
                what = "label" if column == 1 else "pixel"
                shown = value.encode("latin-1").decode(errors="replace").strip()[:20]
                return f"line {number}, column {column}: {what} {shown!r} is not a whole number from 0 to {highest}"
        columns = columns or len(values)
        if len(values) != columns:
            return f"line {number}: {len(values)} values, but the lines before have {columns}"
    found = "no examples" if columns is None else "one value a line"
    return f"{found}; expected a label and pixels on each line"


def _read_npz(path: Path, classes: int) -> tuple[Dataset, Dataset]:
    archive_bytes = _read_bytes(path)
    arrays = {}
    for name in ARRAYS:
        try:
            with zipfile.ZipFile(io.BytesIO(archive_bytes)) as archive:
                # Read whole first: that checks the member's CRC before its header is believed.
                member = io.BytesIO(archive.read(f"{name}.npy"))
            arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
        except KeyError:
            raise ValueError(f"{path}: holds no array {name}; x_train, y_train, x_test, y_test are needed") from None
        except Exception as error:  # a damaged archive makes zipfile and NumPy raise almost anything
            raise ValueError(f"{path}: {name} cannot be read ({error}); the file is damaged") from None
    return _checked_pairs(path, arrays, classes)


def _load_npy_folder(folder: Path, classes: int) -> tuple[Dataset, Dataset]:
    arrays = {}
    for name in ARRAYS:
        path = folder / f"{name}.npy"
        try:
            arrays[name] = np.load(path, mmap_mode="r" if name == "x_train" else None, allow_pickle=False)
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror or error}") from None
        except Exception as error:  # a damaged header makes NumPy raise almost anything
            raise ValueError(f"{path}: no array can be read from it ({error}); the file is damaged") from None
    images = arrays["x_train"]
    # Another type or order would be converted, all of it at once.
    if images.dtype != np.uint8 or not images.flags.c_contiguous:
        raise ValueError(
            f"{folder}: x_train is {images.dtype}, in C order: {images.flags.c_contiguous}; save it as uint8 in C order"
        )
    return _checked_pairs(folder, arrays, classes)


def _checked_pairs(path: Path, arrays: dict[str, np.ndarray], classes: int) -> tuple[Dataset, Dataset]:
    return (
        _checked(path, arrays["x_train"], arrays["y_train"], "x_train", "y_train", classes),
        _checked(path, arrays["x_test"], arrays["y_test"], "x_test", "y_test", classes),
    )


def _load_idx_folder(folder: Path, classes: int, sha256: dict[str, str] | None = None) -> tuple[Dataset, Dataset]:
    def read(name: str, dimensions: int) -> np.ndarray:
        path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
        if path is None:
            raise ValueError(f"{folder}: holds neither {name} nor {name}.gz; the four IDX files of MNIST are needed")
        return read_idx(path, dimensions, sha256[name] if sha256 else None)

    def read_set(prefix: str) -> Dataset:
        images, labels = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
        return _checked(folder, read(images, 3), read(labels, 1), images, labels, classes)

    return read_set("train"), read_set("t10k")


def _checked(
    path: Path, inputs: np.ndarray, labels: np.ndarray, inputs_name: str, labels_name: str, classes: int
) -> Dataset:
    """The two arrays as a Dataset, images flattened to rows. ValueError for all that is not uint8-like."""
    for name, array, highest in ((inputs_name, inputs, 255), (labels_name, labels, classes - 1)):
        if array.dtype.kind not in "iu":
            raise ValueError(f"{path}: {name} is {array.dtype}; whole numbers from 0 to {highest} are needed")
        if array.size == 0:
            raise ValueError(f"{path}: {name} is empty, of shape {array.shape}")
        fits = array.dtype == np.uint8 and highest == 255  # by its type: a file larger than memory is not read for it
        if not fits and (array.min() < 0 or array.max() > highest):
            outside = (array < 0) | (array > highest)
            place = tuple(int(index) for index in np.unravel_index(outside.argmax(), array.shape))
            raise ValueError(
                f"{path}: {name}{list(place)} is {array[place]}; whole numbers from 0 to {highest} are needed"
            )
    if labels.ndim != 1 or inputs.ndim < 2 or len(inputs) != len(labels):
        raise ValueError(
            f"{path}: {inputs_name} has shape {inputs.shape} and {labels_name} {labels.shape}; "
            "as many labels as images are needed"
        )
    rows = inputs.reshape(len(inputs), -1)
    if not isinstance(rows, np.memmap):
        rows = np.ascontiguousarray(rows, dtype=np.uint8)
    return Dataset(rows, labels.astype(np.uint8, copy=False))


def _bundled_folder() -> Path:
    """Where MNIST lies: inside the package when installed from a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "mnist"
    return installed if installed.is_dir() else package.parent / "data"


def _read_bytes(path: Path) -> bytes:
    """The file's content, decompressed if its name ends in .gz."""
    try:
        content = path.read_bytes()
        # All at once: a file that is read piece by piece would ask for Python's lock again and again.
        return gzip.decompress(content) if _is_gzip(path) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: damaged or cut off, it cannot be decompressed ({error})") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None


def _is_gzip(path: str | Path) -> bool:
    return str(path).endswith(".gz")


def _suffix(path: str | Path) -> str:
    """The file's suffix under a final .gz: .csv for both train.csv and train.csv.gz."""
    return Path(str(path).removesuffix(".gz")).suffix
