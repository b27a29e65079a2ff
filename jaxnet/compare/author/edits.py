"""Changes lines of a .py file or of a notebook's cell, and leaves every other byte as it is."""

from __future__ import annotations

import ast
import difflib
import io
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

CELL = "#cell-"  # between the name of a notebook and the number of its cell
_GAP = re.compile(r"[\s,:]*")


class Edit(NamedTuple):
    """Lines `first` to `last`, counted from 1, of a file or a cell (`net.ipynb#cell-3`), and what stands there then.

    With `last` one less than `first`, the lines are put in before `first`.
    """

    file: str
    first: int
    last: int
    lines: tuple[str, ...]  # without their ends


def file_and_cell(name: str) -> tuple[str, int | None]:
    """`net.ipynb` and 3 of `net.ipynb#cell-3`, as code of a cell is compiled; None for a file without cells."""
    file, _, cell = name.partition(CELL)
    return file, int(cell) if cell else None


def edited(content: bytes, edit: Edit) -> bytes:
    """The file with the edit. Raises ValueError if it cannot be read as text."""
    text = content.decode("utf-8")
    _, cell = file_and_cell(edit.file)
    if cell is None:
        return _changed(text, edit).encode("utf-8")
    start, end = _source_of_cell(text, cell)
    return (text[:start] + _changed_literal(text[start:end], edit, text.isascii()) + text[end:]).encode("utf-8")


def substituted(file: str, source: list[str], expression: ast.expr, text: str, closed: str = "") -> Edit | None:
    """The edit that puts a text in the place of an expression of a file with these lines; `closed` is the text where no
    brackets are around it.

    None where Python counts other lines than these: a form feed, or a line separator in a comment, may end one.
    """
    first, last = expression.lineno, expression.end_lineno or expression.lineno
    try:
        head = source[first - 1].encode()[: expression.col_offset].decode()
        tail = source[last - 1].encode()[expression.end_col_offset :].decode().rstrip("\r\n")
    except (IndexError, UnicodeDecodeError):
        return None
    enclosed = head.rstrip().endswith("(") and tail.lstrip().startswith(")")
    return Edit(file, first, last, (head + (text if enclosed else closed or text) + tail,))


def simple_statements(text: str) -> tuple[ast.stmt, ...]:
    return _parsed(text)[0]


def statement_in(text: str, line: int, column: int | None = None) -> ast.stmt | None:
    """The simple statement that a line of a program belongs to; of several, that which the column is in, if known."""
    statements, known = _parsed(text)
    if (line, column) not in known:
        here = [n for n in statements if n.lineno <= line <= (n.end_lineno or n.lineno)]
        if column is not None and len(here) > 1:
            at = line, column
            ends = [(n.end_lineno or line, n.end_col_offset or column) for n in here]
            here = [n for n, end in zip(here, ends, strict=True) if (n.lineno, n.col_offset) <= at < end]
        known[line, column] = here[0] if len(here) == 1 else None
    return known[line, column]


@lru_cache(maxsize=200)
def _parsed(text: str) -> tuple[tuple[ast.stmt, ...], dict[tuple[int, int | None], ast.stmt | None]]:
    """Its simple statements, and those that were looked for, by line and column: one is asked for over and over."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return (), {}
    return tuple(n for n in ast.walk(tree) if isinstance(n, ast.stmt) and not hasattr(n, "body")), {}


def unified_diff(name: str, before: bytes, after: bytes) -> str:
    """What `patch -p1` takes; the lines of a notebook are those of its JSON."""
    # Lines as `patch` counts them: a form feed ends none.
    old, new = (list(io.StringIO(content.decode("utf-8"), newline="\n")) for content in (before, after))
    lines = list(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)


def _changed(text: str, edit: Edit) -> str:
    lines = text.splitlines(keepends=True)
    near = lines[min(max(edit.first - 1, 0), len(lines) - 1)] if lines else "\n"
    end = "\r\n" if near.endswith("\r\n") else "\n"
    new = [line + end for line in edit.lines]
    if new and edit.last == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        if edit.last < edit.first:
            lines[-1] += end
        new[-1] = new[-1].removesuffix(end)
    return "".join([*lines[: edit.first - 1], *new, *lines[edit.last :]])


def _changed_literal(literal: str, edit: Edit, ascii_only: bool) -> str:
    """A cell's source, a string or a list of lines, as it stands in the file; lines that stay are kept as they are."""
    source = json.loads(literal)
    if isinstance(source, str):
        return json.dumps(_changed(source, edit), ensure_ascii=ascii_only)
    new = _changed("".join(source), edit).splitlines(keepends=True)
    spans = list(_elements(literal, 0))
    raw = [literal[start:end] for start, end in spans]
    gap = literal[spans[0][1] : spans[1][0]] if len(spans) > 1 else ", "
    kept: dict[str, list[str]] = {}
    for line, written in zip(source, raw, strict=True):
        kept.setdefault(line, []).append(written)
    written = [(kept.get(line) or [json.dumps(line, ensure_ascii=ascii_only)])[0] for line in new]
    return literal[: spans[0][0]] + gap.join(written) + literal[spans[-1][1] :]


# --- where things stand in a JSON text --------------------------------------------------------------------------------


def _source_of_cell(text: str, number: int) -> tuple[int, int]:
    """Where the source of the notebook's code cell stands, the first being 1."""
    top = _members(text, _begin(text, 0))
    if "cells" in top:
        sheets = [top["cells"]]
    else:  # before nbformat 4
        sheets = [_members(text, start)["cells"] for start, _ in _elements(text, top["worksheets"][0])]
    cells = [_members(text, cell) for start, _ in sheets for cell, _ in _elements(text, start)]
    code = [parts for parts in cells if json.loads(text[slice(*parts["cell_type"])]) == "code"]
    if number > len(code):
        raise ValueError("there is no such cell")
    return code[number - 1].get("source") or code[number - 1]["input"]


def _members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Where each value of the JSON object at `start` stands."""
    spans = list(_elements(text, start))
    return {json.loads(text[slice(*key)]): value for key, value in zip(spans[::2], spans[1::2], strict=True)}


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where each element of the JSON array at `start` stands; of an object its keys and values in turn."""
    decoder, position = json.JSONDecoder(), start + 1
    while text[begin := _begin(text, position)] not in "]}":
        _, position = decoder.raw_decode(text, begin)
        yield begin, position


def _begin(text: str, position: int) -> int:
    """Where the next value begins: blanks, commas and colons are passed over."""
    return _GAP.match(text, position).end()  # type: ignore[union-attr]
