"""Puts the step of weights behind what still needs them as they were: edits, of which running the program picks one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from jaxnet.compare.author import lines
from jaxnet.compare.author.edits import Edit
from jaxnet.compare.author.tape import Place

KEPT = "below"  # what came back through the weights, in a name of its own


class _Block(NamedTuple):
    """The innermost block around a statement, and which of its statements that is."""

    owner: ast.AST
    body: list[ast.stmt]
    at: int


def moved(update: Place, uses: list[tuple[Place, ast.expr]]) -> Iterator[tuple[Edit, ...]]:
    """Edits after which the statement at `update` follows those that hold the `uses`; the last of each comes first."""
    source = lines.parsed_lines(update.file)
    block = _block_of("".join(source), update.line)
    if block is None:
        return
    statement, following = block.body[block.at], block.body[block.at + 1 :]
    here = {
        k: (place, expression)
        for place, expression in uses
        for k, other in enumerate(following)
        if place.file == update.file and other.lineno <= expression.lineno <= (other.end_lineno or other.lineno)
    }
    last = following[-2:][0] if following and isinstance(following[-1], ast.Return) else (following or [statement])[-1]
    if last is not statement and all(following[k] is not following[-1] or following[-1] is last for k in here):
        yield (_behind(update.file, source, statement, last.end_lineno or last.lineno),)
    for k in sorted(here, reverse=True):
        yield from _hoisted(update.file, source, statement, following[k], here[k][1])
    if isinstance(block.owner, ast.For) and not here:
        yield _in_a_loop_of_its_own(update.file, source, statement, block)


def _behind(file: str, source: list[str], statement: ast.stmt, line: int) -> Edit:
    first, end = statement.lineno, statement.end_lineno or statement.lineno
    return Edit(file, first, line, (*_stripped(source[end:line]), *_stripped(source[first - 1 : end])))


def _hoisted(
    file: str, source: list[str], update: ast.stmt, user: ast.stmt, expression: ast.expr
) -> Iterator[tuple[Edit, ...]]:
    """What goes through the weights is computed before they are stepped, and named."""
    text = "".join(source)
    written = ast.get_source_segment(text, expression)
    if written is None or expression.lineno != expression.end_lineno or re.search(rf"\b{KEPT}\b", text):
        return
    line = source[expression.lineno - 1].rstrip("\r\n")
    start, end = (len(line.encode()[:k].decode()) for k in (expression.col_offset, expression.end_col_offset or 0))
    kept = f"{_indent(source, update)}{KEPT} = {written}"
    yield (
        Edit(file, expression.lineno, expression.lineno, (f"{line[:start]}{KEPT}{line[end:]}",)),
        Edit(file, update.lineno, update.lineno - 1, (kept,)),
    )


def _in_a_loop_of_its_own(file: str, source: list[str], statement: ast.stmt, block: _Block) -> tuple[Edit, ...]:
    """All of the loop, then a second one that steps."""
    loop = block.owner
    assert isinstance(loop, ast.For)
    first, end = statement.lineno, statement.end_lineno or statement.lineno
    head = source[loop.lineno - 1 : block.body[0].lineno - 1]
    behind = loop.end_lineno or loop.lineno
    rest = [] if len(block.body) > 1 else [f"{_indent(source, statement)}pass"]
    return (
        Edit(file, behind + 1, behind, (*_stripped(head), *_stripped(source[first - 1 : end]))),
        Edit(file, first, end, tuple(rest)),
    )


def _stripped(source: list[str]) -> tuple[str, ...]:
    return tuple(line.rstrip("\r\n") for line in source)


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
                    if statement.lineno <= line <= (statement.end_lineno or line) and not hasattr(statement, "body"):
                        found = _Block(node, body, index)
    return found
