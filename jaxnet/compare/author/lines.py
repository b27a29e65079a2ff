"""The author's text at the place that made a Node."""

from __future__ import annotations

import ast
import linecache

from jaxnet.compare.author.edits import statement_in
from jaxnet.compare.author.tape import Place


def text_of(place: Place) -> str:
    return linecache.getline(place.file, place.line).strip()


def parsed_lines(file: str) -> list[str]:
    """The lines of a file or a cell, without those that only IPython understands."""
    return [line if line.strip()[:1] not in "%!" else "\n" for line in linecache.getlines(file)]


def statement_at(place: Place) -> ast.stmt | None:
    """The simple statement that the line belongs to; None where it holds several."""
    return statement_in("".join(parsed_lines(place.file)), place.line)


def target_at(place: Place | None) -> str | None:
    """What the line gives a value to, if that is one thing."""
    statement = statement_at(place) if place is not None else None
    if isinstance(statement, ast.AugAssign):
        return short_name(ast.unparse(statement.target))
    if isinstance(statement, ast.Assign) and not isinstance(statement.targets[0], ast.Tuple):
        return short_name(ast.unparse(statement.targets[0]))
    return None


def short_name(name: str) -> str:
    """`self.params['W1']` is called W1; `net.layers[0].weights` remains."""
    return name.removeprefix("self.")
