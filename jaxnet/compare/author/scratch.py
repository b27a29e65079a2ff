"""Makes the scratch copy that an author's program runs in: of its whole tree, without what is large or not theirs."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from jaxnet.compare.author.tree import SKIPPED

LARGE = 4 << 20  # bytes; larger files are links
FILES, BYTES = 3000, 100 << 20  # of a tree that is copied
CROWDED = 800  # entries of a folder of data, which is a link
_MARKS = (
    "README*", "LICENSE*", "requirements*.txt", "pyproject.toml", "setup.py", "setup.cfg", ".gitignore", "Pipfile",
    "environment.y*ml", "*.py", "*.ipynb",
)  # fmt: skip


class TooLarge(Exception):
    """A tree that is no program's, such as somebody's home."""


def scratch_copy(path: Path, scratch: Path, content: bytes | None = None) -> tuple[Path, Path]:
    """Copy the author's tree around `path` into the folder `scratch`; returns the copy's root and the file in it.

    The tree is that of git, if there is one, else the topmost folder around the file that looks like a project's,
    else the file's own folder; of those that are small enough, the first. With `content`, that is what the file in
    the copy holds, whether or not there is one at `path`.
    """
    path = path.resolve()
    for root in _roots(path):
        copy = scratch / (root.name or "root")
        try:
            _copy_tree(root, copy, [FILES, BYTES], path.suffix == ".ipynb")
            folder = (copy / path.relative_to(root)).parent
            if content is not None and not folder.resolve().is_relative_to(copy.resolve()):
                raise TooLarge  # what is written there would go through a link to the author's own
        except TooLarge:
            shutil.rmtree(copy, ignore_errors=True)
            continue
        break
    else:
        root = path.parent
        copy = scratch / (root.name or "root")
        copy.mkdir(parents=True)
        for entry in sorted(root.iterdir())[:FILES]:
            if entry.suffix in (".py", ".ipynb") and entry.is_file() and entry.stat().st_size <= LARGE:
                shutil.copyfile(entry, copy / entry.name)
            elif entry.name not in SKIPPED:
                (copy / entry.name).symlink_to(entry)
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
    git = [folder for folder in inside if (folder / ".git").exists()][:1]
    projects = [folder for folder in reversed(inside) if any(next(folder.glob(mark), None) for mark in _MARKS)]
    return list(dict.fromkeys([*git, *([] if git else projects), *inside[:1]]))


def _copy_tree(folder: Path, copy: Path, left: list[int], for_notebook: bool) -> None:
    """Copy files while `left` allows. No notebook imports another one: those beside a notebook are links."""
    copy.mkdir(parents=True)
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda entry: entry.name)
    for entry in entries:
        left[0] -= 1
        with contextlib.suppress(FileNotFoundError, PermissionError):  # it has gone meanwhile, or may not be read
            _copy_entry(entry, copy / entry.name, left, for_notebook)
        if left[0] < 0 or left[1] < 0:
            raise TooLarge


def _copy_entry(entry: os.DirEntry[str], target: Path, left: list[int], for_notebook: bool) -> None:
    if entry.is_dir(follow_symlinks=False):
        if entry.name in SKIPPED or os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
            return
        if len(os.listdir(entry.path)) > CROWDED:
            target.symlink_to(entry.path)
        else:
            _copy_tree(Path(entry.path), target, left, for_notebook)
    elif entry.is_file():
        size = entry.stat().st_size
        if size > LARGE or (for_notebook and entry.name.endswith(".ipynb")):
            target.symlink_to(os.path.realpath(entry.path))
        else:
            left[1] -= size
            shutil.copyfile(entry.path, target)
    elif entry.is_dir():
        target.symlink_to(os.path.realpath(entry.path))
