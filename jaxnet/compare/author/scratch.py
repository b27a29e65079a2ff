"""Makes the scratch copy that an author's program runs in: of its whole tree, without what is large or not theirs."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jaxnet.compare.author.tree import SKIPPED

LARGE = 4 << 20  # bytes; larger files are links
FILES, BYTES = 3000, 100 << 20  # of a tree that is copied
CROWDED = 800  # entries of a folder of data, which is a link
_OF_PROJECTS = (
    "README*", "LICENSE*", "requirements*.txt", "pyproject.toml", "setup.py", "setup.cfg", ".gitignore", "Pipfile",
    "environment.y*ml", ".git",
)  # fmt: skip
_MARKS = (*_OF_PROJECTS, "*.py", "*.ipynb")


Entry = tuple[Path, Path, Callable[[Path, Path], object]]  # what stands where, and how it gets there


class TooLarge(Exception):
    """A tree that is no program's, such as somebody's home."""


def scratch_copy(path: Path, scratch: Path, content: bytes | None = None) -> tuple[Path, Path]:
    """Copy the author's tree around `path` into the folder `scratch`; returns the copy's root and the file in it.

    The tree is that of git, if there is one, else the topmost folder around the file that looks like a project's, below
    any that only holds several, else the file's own folder; of those that are small enough, the first. With `content`,
    that is what the file in the copy holds, whether or not there is one at `path`.
    """
    path = path.resolve()
    for root in _roots(path):
        copy = scratch / (root.name or "root")
        try:
            entries = list(_entries(root, copy, [FILES, BYTES], path.suffix == ".ipynb"))
        except TooLarge:
            continue
        links = {target for _, target, how in entries if how is _link}
        if content is None or links.isdisjoint((copy / path.relative_to(root)).parents):
            break  # what is written there would go through a link to the author's own
    else:
        root = path.parent
        copy = scratch / (root.name or "root")
        entries = list(_entries_of_one(root, copy))
    for source, target, how in entries:
        with contextlib.suppress(FileNotFoundError, PermissionError):  # it has gone meanwhile, or may not be read
            how(source, target)
    file = copy / path.relative_to(root)
    if content is not None or not file.exists() or file.is_symlink():  # in a folder that was linked or left out
        file.unlink(missing_ok=True)  # which may be a link to a large file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.read_bytes() if content is None else content)
    return copy, file


def _roots(path: Path) -> list[Path]:
    """The folders that may be the program's tree, the likeliest first; never a home or what is above it."""
    never = {Path.home(), *Path.home().parents, Path(tempfile.gettempdir()).resolve(), Path("/")}
    above = [folder for folder in path.parents if folder not in never]
    inside = above[: next((k for k, f in enumerate(above) if f.parent in never), len(above)) + 1]
    inside = inside[: next((k for k, f in enumerate(inside) if k and _holds_projects(f)), len(inside))]
    git = [folder for folder in inside if (folder / ".git").exists()][:1]
    projects = [folder for folder in reversed(inside) if _has(folder, _MARKS)]
    return list(dict.fromkeys([*git, *([] if git else projects), *inside[:1]]))


def _has(folder: Path, marks: tuple[str, ...]) -> bool:
    return any(next(folder.glob(mark), None) for mark in marks)


def _holds_projects(folder: Path) -> bool:
    """Whether several of its folders look like projects, and it has nothing of its own: each stands for itself."""
    if _has(folder, _MARKS):
        return False
    inside = itertools.islice(folder.glob("*/"), FILES)
    return len(list(itertools.islice((path for path in inside if _has(path, _OF_PROJECTS)), 2))) > 1


def _entries(folder: Path, copy: Path, left: list[int], for_notebook: bool) -> Iterator[Entry]:
    """What is in a tree, folders first, while `left` allows; raises TooLarge before anything is copied where it does
    not. No notebook imports another one: those beside a notebook are links."""
    yield folder, copy, _folder
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda entry: entry.name)
    for entry in entries:
        left[0] -= 1
        with contextlib.suppress(FileNotFoundError, PermissionError):
            yield from _entries_of(entry, copy / entry.name, left, for_notebook)
        if left[0] < 0 or left[1] < 0:
            raise TooLarge


def _entries_of(entry: os.DirEntry[str], target: Path, left: list[int], for_notebook: bool) -> Iterator[Entry]:
    source = Path(entry.path)
    if entry.is_dir(follow_symlinks=False):
        if entry.name in SKIPPED or (source / "pyvenv.cfg").exists():
            return
        if len(os.listdir(source)) > CROWDED:
            yield source, target, _link
        else:
            yield from _entries(source, target, left, for_notebook)
    elif entry.is_file():
        size = entry.stat().st_size
        if size > LARGE or (for_notebook and entry.name.endswith(".ipynb")):
            yield source, target, _link
        else:
            left[1] -= size
            yield source, target, shutil.copyfile
    elif entry.is_dir():
        yield source, target, _link


def _entries_of_one(folder: Path, copy: Path) -> Iterator[Entry]:
    """What is in a folder of a tree that is too large, and links to the rest of it."""
    yield folder, copy, _folder
    for path in sorted(folder.iterdir())[:FILES]:
        if path.suffix in (".py", ".ipynb") and path.is_file() and path.stat().st_size <= LARGE:
            yield path, copy / path.name, shutil.copyfile
        elif path.name not in SKIPPED:
            yield path, copy / path.name, _link


def _folder(source: Path, target: Path) -> None:
    target.mkdir(parents=True)


def _link(source: Path, target: Path) -> None:
    target.symlink_to(os.path.realpath(source))
