"""Files that are written whole or not at all, and read with distrust; every failure is a ValueError with the name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def parse_object(where: Path | str, text: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises ValueError for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"{where}: {text[:40]!r} is no JSON object; the file is damaged")
    return value


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in its place whole: at any moment and after any failure, it is the old one or the new one.

    Who may read, write and run an old one may do so with the new one.
    Raises ValueError, with the file's name, where it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with named_errors(path):
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                shutil.copymode(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if os.name == "posix":  # the new name, too, is to outlast a power failure
            descriptor = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextmanager
def named_errors(path: str | Path) -> Iterator[None]:
    """An OSError as a ValueError that names the file."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
