"""Files as a program finds them: its own, cut where they are large; wherever in its tree they lie; or made up."""

from __future__ import annotations

import ast
import glob
import gzip
import io
import itertools
import linecache
import os
import re
import tempfile
import types
import urllib.error
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from jaxnet.compare.author.samples import ASKED, IDX, MNIST_TESTS, MNIST_TRAIN, Samples
from jaxnet.compare.author.tape import innermost

LARGE = 4_000_000  # bytes; of a larger file the first ROWS examples are enough …
ROWS = 3000
FEW_ROWS = 300  # … and these of a table of more, where the program is too slow with all of them
TABLES = (".csv", ".txt", ".data", ".tsv")
POINTER = b"version https://git-lfs"  # a file of Git LFS that was not fetched: what it stands for is missing


class Files:
    """What stands for `open` and its like in a program of the tree `root`; nothing is written."""

    def __init__(self, root: Path, file: Path, samples: Samples) -> None:
        self.root, self.folder, self.samples = root, file.parent, samples

    def find(self, path: Any) -> Path | None:
        """The file itself, or that of the same name elsewhere in the tree."""
        given = Path(str(path).replace("\\", "/"))
        for place in (Path(path), given, self.folder / given):
            if _is_there(place):
                return place
        found = [p for p in sorted(self.root.rglob(glob.escape(given.name or "?"))) if _is_there(p)]
        if not found and str(path) == ASKED:
            found = sorted((p for p in self.root.rglob("*.csv") if _is_there(p)), key=lambda p: -p.stat().st_size)
        return next(iter(found), None)

    def content(self, path: Any, numbers: bool = False) -> bytes | None:
        """The bytes of a file that is read, or of what would be in it. `numbers`: they are read as an array."""
        if found := self.find(path):
            if found.suffix not in TABLES:
                return self._cut(found.read_bytes())
            with open(found, "rb") as file:
                first = list(itertools.islice(file, ROWS))
                rest = file.read() if found.stat().st_size <= LARGE else b""
            self._note_length(found, len(first))
            return b"".join(first[:FEW_ROWS] if self.samples.guess.few_rows else [*first, rest])
        name = str(path)
        unpacked = name.removesuffix(".gz")
        if other := self.find(f"{name}.gz" if name == unpacked else unpacked):  # it was packed since, or unpacked
            content = other.read_bytes()
            return self._cut(gzip.decompress(content)) if name == unpacked else gzip.compress(content, 1)
        content = None if _has_another_way() else self.samples.content(name, numbers)
        self.samples.made_up |= {} if content is None else {name: None}
        return content

    def _note_length(self, table: Path, rows: int) -> None:
        if rows > FEW_ROWS:
            self.samples.long[f"rows of {table.name}"] = FEW_ROWS

    def _cut(self, content: bytes) -> bytes:
        """Of an IDX file as many examples as are made up where it is missing, all of anything else."""
        count = int.from_bytes(content[4:8], "big")
        if content[:3] != b"\0\0\x08" or count in (0, *self.samples.counts):
            return content
        start = 4 + 4 * content[3]
        train, test = self.samples.counts
        kept = {MNIST_TRAIN: train, MNIST_TESTS: test}.get(count, min(count, ROWS))
        size = (len(content) - start) // count
        numbers = numpy.frombuffer(content[start : start + kept * size], numpy.uint8)
        numbers = self.samples.pictures(numbers) if size > 1 else numbers
        return content[:4] + kept.to_bytes(4, "big") + content[8:start] + numbers.tobytes()

    def read(self, path: Any, numbers: bool = False) -> bytes:
        """As `content`, not compressed; raises the usual error."""
        content = self.content(path, numbers)
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return self._cut(gzip.decompress(content)) if content[:2] == b"\x1f\x8b" else content

    def open(
        self, file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, *rest: Any, **how: Any
    ) -> Any:
        if isinstance(file, str | os.PathLike) and not set(mode) & set("wax+"):
            is_large = os.path.isfile(file) and os.path.getsize(file) > LARGE
            is_table = Path(file).suffix in TABLES
            large = is_large or (self.samples.guess.few_rows and is_table)
            there = _is_there(Path(file)) or os.path.isdir(file)
            if is_table and os.path.isfile(file):
                with open(file, "rb") as lines:
                    self._note_length(Path(file), sum(1 for _ in itertools.islice(lines, FEW_ROWS + 1)))
            content = self.content(file) if large or not there or IDX.search(str(file)) else None
            if content is not None:
                return _stream(content, mode, encoding)
        elif isinstance(file, str | os.PathLike) and not self._may_be_written(Path(file).resolve()):
            file = self.root / Path(file).name  # where it is found again
        elif isinstance(file, str | os.PathLike):
            Path(file).parent.mkdir(parents=True, exist_ok=True)  # no repository has empty folders
        return open(file, mode, buffering, encoding, *rest, **how)

    def mkdir(self, path: Any, *rest: Any, **how: Any) -> None:
        """As `makedirs`; outside of the tree, where files that are written go elsewhere, nothing is made."""
        if self._may_be_written(Path(path).resolve()):
            os.makedirs(path, *rest, **how)

    def open_decoded(self, file: Any, mode: str = "r", encoding: Any = None, *_: Any, **__: Any) -> Any:
        """As `codecs.open`."""
        return self.open(file, mode, encoding=None if "b" in mode else encoding)

    def _may_be_written(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in (self.root, tempfile.gettempdir()))

    def open_gzip(self, file: Any, mode: str = "rb", *rest: Any, **how: Any) -> Any:
        if not isinstance(file, str | os.PathLike) or set(mode) & set("wax"):
            return gzip.open(file, mode, *rest, **how)
        return _stream(self.read(file), mode if "t" in mode else "rb", None)

    def open_zip(self, file: Any, mode: Any = "r", *rest: Any, **how: Any) -> zipfile.ZipFile:
        found = isinstance(file, str | os.PathLike) and mode == "r" and not _is_there(Path(file))
        return zipfile.ZipFile(io.BytesIO(self.read(file)) if found else file, mode, *rest, **how)

    def exists(self, path: Any) -> bool:
        return os.path.exists(path) or (isinstance(path, str | os.PathLike) and self.content(path) is not None)

    def is_file(self, path: Any) -> bool:
        return not os.path.isdir(path) and self.exists(path)

    def listdir(self, path: Any = ".") -> list[str]:
        if os.path.isdir(path):
            return os.listdir(path) or self.samples.named_files()  # where they would have been put by hand
        return self.samples.file_names(str(path))

    def glob(self, pattern: Any, **how: Any) -> list[str]:
        images = re.search(r"\.(png|jpe?g|bmp|gif)$", str(pattern), re.I)
        texts = str(pattern).endswith(".txt") and not os.path.isdir(os.path.dirname(pattern) or ".")
        made_up = [str(pattern).replace("*", str(k), 1) for k in range(50)] if images or texts else []
        return glob.glob(pattern, **how) or made_up

    def download(self, url: Any, filename: Any = None, *_: Any, **__: Any) -> Any:
        """As `urlretrieve`: nothing is fetched; what the end of the address or the new name tells is found there."""
        path = Path(filename or Path(url).name)
        path.write_bytes(self.samples.content(str(url)) or self.fetch(str(path)).read())
        return str(path), None

    def fetch(self, url: Any, *_: Any, **__: Any) -> Any:
        """As `urlopen`."""
        content = self.samples.content(getattr(url, "full_url", url))
        if content is None:
            raise urllib.error.URLError("no network")
        return io.BytesIO(content)

    def table(self, path: str, columns: list[str] | None = None) -> Any:
        """The text of a CSV, or the columns and rows that it would have."""
        if self.find(path) is not None:
            return self.read(path).decode("utf-8-sig", "replace")
        self.samples.made_up[path] = None
        return self.samples.table(path, columns)

    def rows(self, path: Any) -> Any:
        """The array of a text of numbers that is missing: of which no text need be made, if its name tells."""
        array = self.samples.arrays(str(path)) if Path(path).suffix in (".txt", "") else None
        self.samples.made_up |= {} if array is None else {str(path): None}
        return array

    def path_class(self) -> type:
        """`Path` that opens, and so reads, files as the program finds them."""
        files = self

        class StandInPath(type(Path())):
            def open(self, mode: str = "r", *rest: Any, **how: Any) -> Any:
                return files.open(str(self), mode, *rest, **how)

            def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
                if files._may_be_written(self.resolve()):
                    super().mkdir(mode, parents, exist_ok)

            def exists(self, **_: Any) -> bool:
                return files.exists(str(self))

            def is_file(self, **_: Any) -> bool:
                return files.is_file(str(self))

            def stat(self, **how: Any) -> Any:
                made_up = None if os.path.exists(self) else files.content(str(self))
                size = 0 if made_up is None else len(made_up)
                return os.stat_result((0o100644, 0, 0, 1, 0, 0, size, 0, 0, 0)) if size else super().stat(**how)

        return StandInPath


def _is_there(path: Path) -> bool:
    """Whether it is a file, and no pointer to one."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(POINTER)) != POINTER


def _has_another_way() -> bool:
    """Whether the program is ready to go on without the file: it is read in a `try` whose `except` does the work."""
    here = innermost()
    if here is None:
        return False
    try:
        tree = ast.parse("".join(linecache.getlines(here.file)))
    except (SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.body[0].lineno <= here.line <= (node.body[-1].end_lineno or 0):
            handled = [part for handler in node.handlers for part in ast.walk(handler)]
            return any(isinstance(part, ast.For | ast.While) for part in handled)
    return False


def _stream(content: bytes, mode: str, encoding: Any) -> Any:
    stream = io.BytesIO(content)
    return stream if "b" in mode else io.TextIOWrapper(stream, encoding or "utf-8", "replace")


class Arrays(dict):
    """The arrays in a file, by name, or by the number that those without a name have: arr_0."""

    def __missing__(self, name: Any) -> Any:
        number = re.fullmatch(r"arr_(\d+)", str(name))
        if number is None or int(number[1]) >= len(self):
            raise KeyError(name)
        return list(self.values())[int(number[1])]

    files = property(lambda self: list(self))

    def __enter__(self) -> Arrays:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        pass


def numpy_readers(np: types.ModuleType, files: Files) -> dict[str, Any]:
    """NumPy's functions that read files."""

    def stream(file: Any, numbers: bool = False) -> Any:
        return io.BytesIO(files.read(file, numbers)) if isinstance(file, str | os.PathLike) else file

    def load(file: Any, mmap_mode: Any = None, allow_pickle: bool = True, *arguments: Any, **how: Any) -> Any:
        loaded = numpy.load(stream(file), None, allow_pickle, *arguments, **how)  # as before NumPy 1.16.3
        if isinstance(loaded, numpy.ndarray):
            return np.array(loaded)
        rows = None if files.samples.whole else ROWS
        return Arrays({k: np.array(loaded[k][:rows] if loaded[k].ndim else loaded[k]) for k in loaded})

    def text(reader: Callable[..., Any]) -> Callable[..., Any]:
        def read(fname: Any, *arguments: Any, **how: Any) -> Any:
            if isinstance(fname, str | os.PathLike) and files.find(fname) is None:  # what is made up has no heading
                how = {name: value for name, value in how.items() if name not in ("skiprows", "skip_header")}
                rows = None if arguments or how.keys() - {"dtype", "delimiter", "max_rows"} else files.rows(fname)
                if rows is not None:
                    return np.array(rows[: how.get("max_rows")], how.get("dtype", float))
            return reader(stream(fname, True), *arguments, **how)

        return read

    def fromfile(file: Any, dtype: Any = float, count: int = -1, sep: str = "", offset: int = 0) -> Any:
        opened = stream(file)
        opened = getattr(opened, "buffer", opened)  # it may be open for text
        opened.read(offset)
        if sep:
            return np.array(numpy.fromstring(opened.read(), sep=sep))
        content = opened.read(-1 if count < 0 else count * numpy.dtype(dtype).itemsize)
        return np.array(numpy.frombuffer(content, dtype, count))

    def fromstring(string: Any, dtype: Any = float, count: int = -1, sep: str = "", **_: Any) -> Any:
        return np.array(numpy.fromstring(string, sep=sep) if sep else numpy.frombuffer(string, dtype, count))

    return {
        "fromstring": fromstring, "load": load, "loadtxt": text(np.loadtxt),
        "genfromtxt": text(np.genfromtxt), "fromfile": fromfile,
    }  # fmt: skip
