"""Puts the step of weights behind what still needs them as they were: edits, of which running the program picks one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from jaxnet.compare.author import lines
from jaxnet.compare.author.edits import Edit, substituted
from jaxnet.compare.author.node import Place

KEPT = "below"  # what came back through the weights, in a name of its own


class _Block(NamedTuple):
    """The innermost block around a statement, and which of its statements that is."""

    owner: ast.AST
    body: list[ast.stmt]
    at: int


def moved(update: Place, uses: list[tuple[Place, ast.expr]]) -> Iterator[tuple[Edit, ...]]:
    """Edits after which the statement at `update` follows those that hold the `uses`; the last of each comes first."""
    file = update.file
    source = [line.rstrip("\r\n") for line in lines.parsed_lines(file)]
    block = _block_of("\n".join(source), update.line)
    if block is None:
        return
    statement, following = block.body[block.at], block.body[block.at + 1 :]
    here = {
        k: expression
        for place, expression in uses
        for k, other in enumerate(following)
        if place.file == file and other.lineno <= expression.lineno <= _end(other)
    }
    first, end = statement.lineno, _end(statement)
    stepped = source[first - 1 : end]
    before_return = following[:-1] if following and isinstance(following[-1], ast.Return) else following
    if before_return and all(k < len(before_return) for k in here):
        last = _end(before_return[-1])
        yield (Edit(file, first, last, (*source[end:last], *stepped)),)
    for k in sorted(here, reverse=True):
        yield from _hoisted(file, source, statement, here[k])
    if isinstance(block.owner, ast.For) and not here:  # a second loop, behind the whole of it, that steps
        behind, head = _end(block.owner), source[block.owner.lineno - 1 : block.body[0].lineno - 1]
        rest = () if len(block.body) > 1 else (f"{_indent(source, statement)}pass",)
        yield Edit(file, behind + 1, behind, (*head, *stepped)), Edit(file, first, end, rest)


def _hoisted(file: str, source: list[str], update: ast.stmt, use: ast.expr) -> Iterator[tuple[Edit, ...]]:
    """What goes through the weights is computed before they are stepped, and named."""
    text = "\n".join(source)
    written, replaced = ast.get_source_segment(text, use), substituted(file, source, use, KEPT)
    if written is None or replaced is None or use.lineno != use.end_lineno or re.search(rf"\b{KEPT}\b", text):
        return
    yield replaced, Edit(file, update.lineno, update.lineno - 1, (f"{_indent(source, update)}{KEPT} = {written}",))


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _indent(source: list[str], statement: ast.stmt) -> str:
    line = source[statement.lineno - 1]
    return line[: len(line) - len(line.lstrip())]


def _block_of(text: str, line: int) -> _Block | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    found = None
    for node in ast.walk(tree):
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(body, list):
                for index, statement in enumerate(body):
                    if statement.lineno <= line <= _end(statement) and not hasattr(statement, "body"):
                        found = _Block(node, body, index)
    return found
