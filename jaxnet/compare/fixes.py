"""What a report would change in the author's files: shown as a diff, and written where they are still what was run."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from jaxnet.compare.formats import from_here, results_of
from jaxnet.compare.report import Change, Report
from jaxnet.runs.files import named_errors, write_atomically


def unmended(report: Report) -> list[str]:
    """What the changes leave wrong, each with its quantity and code."""
    if report.changes:
        return [f"{at}: {code}" for at, code in report.unmended or []]
    return [result.title for result in results_of(report) if result.severity == "error"]


def diff_of(report: Report) -> str:
    """The changes as `patch -p1` and `git apply` take them in the working directory; outside of it, in the root."""
    return "".join(_diff_of(path, file, change) for path, file, change in _changes(report))


def write(report: Report) -> list[Path]:
    """Write the changes, all or none of them, and return what was written.

    Raises ValueError, of one line, where a file is neither what it was when the program ran nor what it is to be, and
    where one cannot be written.
    """
    todo = []
    for path, _, change in _changes(report):
        with named_errors(path):
            now = path.read_bytes()
        if now == change.text.encode():
            continue  # another program that has a part of its code there was mended before
        if hashlib.sha256(now).hexdigest() != change.digest:
            raise ValueError(f"{from_here(path)}: has changed since it was run, and is left as it is")
        todo.append((path, change.text.encode()))
    for path, content in todo:
        write_atomically(path, content)
    return [path for path, _ in todo]


def _changes(report: Report) -> list[tuple[Path, str, Change]]:
    """For each change where its file is, and the name that it has in the diff."""
    assert report.root is not None or not report.changes
    return [(Path(report.root or "", file), file, change) for file, change in report.changes.items()]


def _diff_of(path: Path, file: str, change: Change) -> str:
    """The diff with the names that the file has from the working directory on."""
    name = str(from_here(path)).lstrip("/")
    body = change.diff.removeprefix(f"--- a/{file}\n+++ b/{file}\n")
    return f"--- {_quoted(f'a/{name}')}\n+++ {_quoted(f'b/{name}')}\n{body}"


def _quoted(name: str) -> str:
    """The name as git writes it: a tab ends one with blanks, and odd bytes are octal, within quotes."""
    content = os.fsencode(name)
    if all(byte >= 0x20 and byte not in b'"\\\x7f' for byte in content) and name.isprintable():
        return name + "\t" * (" " in name)
    escaped = (chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\{b:03o}" for b in content)
    return f'"{"".join(escaped)}"'
