"""The author's text at the place that made a Node."""

from __future__ import annotations

import ast
import functools
import linecache
import types
from collections.abc import Iterator

from jaxnet.compare.author.edits import file_and_cell, simple_statements, statement_in
from jaxnet.compare.author.node import Node, Place
from jaxnet.compare.report import Place as Shown

MOST_LINES = 10  # of a statement


def text_of(place: Place) -> str:
    return linecache.getline(place.file, place.line).strip()


def parsed_lines(file: str) -> list[str]:
    """The lines of a file or a cell, without those that only IPython understands."""
    return [*map(_of_python, linecache.getlines(file))]


def parsed_text(file: str) -> str:
    """These lines as one text, the same object each time: most of what is asked for in it is known."""
    return _joined(tuple(linecache.getlines(file)))


@functools.lru_cache(maxsize=200)
def _joined(lines: tuple[str, ...]) -> str:
    return "".join(map(_of_python, lines))


def _of_python(line: str) -> str:
    return line if line.strip()[:1] not in "%!" else "\n"


def statement_at(place: Place) -> ast.stmt | None:
    """The simple statement that the line belongs to; None where it holds several."""
    return statement_in(parsed_text(place.file), place.line)


def position_of(node: Node) -> tuple[int | None, int | None, int | None, int | None]:
    """The first and the last line, and the columns, of the expression that made a Node."""
    if node.instruction is None:
        return None, None, None, None
    code, offset = node.instruction
    positions = _positions(id(code), code)
    return positions[offset // 2] if offset // 2 < len(positions) else (None, None, None, None)


@functools.lru_cache(maxsize=1000)
def _positions(number: int, code: types.CodeType) -> list[tuple[int | None, int | None, int | None, int | None]]:
    """Those of all instructions of a code; by its number, too, as the same code elsewhere has other ones."""
    return list(code.co_positions())


def statement_of(node: Node) -> ast.stmt | None:
    """The simple statement that made a Node, also where its line holds several."""
    if node.place is None:
        return None
    line, _, column, _ = position_of(node)
    return statement_in(parsed_text(node.place.file), line or node.place.line, column)


def expression_of(node: Node, statement: ast.stmt) -> ast.expr | None:
    """The part of the statement whose value the Node is."""
    position = position_of(node)
    parts = (part for part in ast.walk(statement) if isinstance(part, ast.expr))
    return next((p for p in parts if (p.lineno, p.end_lineno, p.col_offset, p.end_col_offset) == position), None)


def is_times_quotient(node: Node) -> bool:
    """Whether it is made as `(1 / m) * array`: the quotient of two plain numbers is on no record."""
    statement = statement_of(node)
    made = expression_of(node, statement) if statement is not None else None
    if not isinstance(made, ast.BinOp) or not isinstance(made.op, ast.Mult):
        return False
    sides = zip((made.left, made.right), node.inputs, strict=True)
    plain = (side for side, number in sides if not isinstance(number, Node))
    return any(isinstance(side, ast.BinOp) and isinstance(side.op, ast.Div) for side in plain)


def is_of_statement(node: Node, other: Node) -> bool:
    """Whether the statement that made a Node made another one, too."""
    here, there = node.place, other.place
    if here is None or there is None or here.file != there.file:
        return False
    if apart := abs(here.line - there.line):  # of one that takes several
        near = apart < MOST_LINES and here.function == there.function
        return near and (statement := statement_of(node)) is not None and statement is statement_of(other)
    return ";" not in text_of(here) or statement_of(node) is statement_of(other)


def target_of(node: Node) -> str | None:
    """What the statement that made a Node gives a value to, if that is one thing."""
    statement = statement_of(node)
    if isinstance(statement, ast.AugAssign):
        return short_name(ast.unparse(statement.target))
    if isinstance(statement, ast.Assign) and not isinstance(statement.targets[0], ast.Tuple):
        return short_name(ast.unparse(statement.targets[0]))
    return None


def is_divided_later(node: Node) -> bool:
    """Whether a statement adds a number to what another one divides: the sum of an epoch, whose mean is shown."""
    for place, adding in zip(node.places, (statement_of(node), *map(statement_at, node.places[1:])), strict=False):
        if isinstance(adding, ast.AugAssign) and isinstance(adding.op, ast.Add):
            total = ast.unparse(adding.target)
            statements = simple_statements(parsed_text(place.file))
            if any(ast.unparse(of) == total for statement in statements for of in _divided_in(statement)):
                return True
    return False


def _divided_in(statement: ast.stmt) -> Iterator[ast.expr]:
    for part in ast.walk(statement):
        if isinstance(part, ast.BinOp | ast.AugAssign) and isinstance(part.op, ast.Div):
            yield part.left if isinstance(part, ast.BinOp) else part.target


def short_name(name: str) -> str:
    """`self.params['W1']` is called W1; `net.layers[0].weights` remains."""
    return name.removeprefix("self.")


def where(node: Node) -> str:
    return str(node.place) if node.place else "the program"


def as_place(node: Node | None) -> Shown | None:
    """The line that made a Node, as a report shows it."""
    return place_of_line(node.place) if node is not None else None


def place_of_line(line: Place | None) -> Shown | None:
    if line is None:
        return None
    file, cell = file_and_cell(line.file)
    return Shown(line.line, cell, text_of(line), None, file)
