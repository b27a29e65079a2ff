"""A loss that the file defines, and that no line of it runs before the step: where it could be run, and with what.

The error that the step is made of is taken in some line. Right before it, in the function that has it or in one that
calls this, there is often all that the loss needs: `self.objective(X, y)` in a method of the same class, `mse(y, p)`
anywhere. So the program is run once more with that line, and its own loss is differentiated, not one that its error
implies: of this nobody knows whether it is a sum or a mean, or what its penalty was to be.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.compare.author.idle import losses_not_run, units_of
from jaxnet.compare.author.meanings import meanings
from jaxnet.compare.author.node import Node, Place, made_of
from jaxnet.compare.author.penalties import terms_of_one_array
from jaxnet.compare.author.step import Step

Function = ast.FunctionDef
SMALL = 1e-4


class Stated(NamedTuple):
    """A call of a loss that stands before a line, on copies of the objects that it changes."""

    name: str
    call: str  # as the author would write it there
    file: str
    line: int
    by_name: bool  # its arguments are what has their names there

    def __str__(self) -> str:
        return (
            f"{self.name}, which is not run before a step, is run before {Place(self.file, self.line, '')}: {self.call}"
        )

    def has_made(self, number: Node) -> bool:
        """Whether it is what the call gives, and of nothing that is drawn anew in it."""
        made = [n for n in made_of([number]) if self._is_at(n)]
        return bool(made) and all(n.origin != "random" for n in made)

    def is_another(self, steps: list[Step]) -> bool:
        """Whether what the call gives is the loss by its name, and takes nothing for another thing, or has a term that
        is made of one of the arrays alone."""
        numbers = [n for step in steps[:1] for n in step.losses if self.has_made(n)]
        penalised = any(terms_of_one_array(n, {p.root for p in steps[0].parameters}) for n in numbers)
        return penalised or (bool(numbers) and self.is_called_loss and self.by_name)

    @property
    def is_called_loss(self) -> bool:
        """Whether its name says so: an mse may be a measure of what is trained by another one."""
        return re.search("loss|cost|objective", self.name.rpartition(".")[2], re.I) is not None

    def _is_at(self, node: Node) -> bool:
        return any((place.file, place.line) == (self.file, self.line) for place in node.places)

    def insert(self, statement: ast.stmt, filename: str) -> None:
        """The call into a statement of the file, if the line is in that."""
        if filename != self.file:
            return
        for node in ast.walk(statement):
            for block in (b for field in ("body", "orelse") if isinstance(b := getattr(node, field, None), list)):
                for k, inner in enumerate(block):
                    simple = not hasattr(inner, "body")
                    if simple and inner.lineno <= self.line <= (inner.end_lineno or inner.lineno):
                        block.insert(k, self._guarded(inner))
                        return

    def _guarded(self, before: ast.stmt) -> ast.stmt:
        call = self.call.replace("self.", "__aside__(self).", 1)
        (guarded,) = ast.parse(f"try:\n    {call}\nexcept Exception:\n    pass").body
        for node in ast.walk(guarded):
            ast.copy_location(node, before)
        return guarded


def losses_stated(
    path: Path, root: Path, step: Step, nodes: list[Node], names: dict[Node, list[str]]
) -> Iterator[Stated]:
    """The losses of the file that could be run in this step, of which these are the Nodes until it is made."""
    error = next(iter(step.backward), None)
    units = {unit.filename: unit for unit in units_of(path, root)}
    predictions = {name for example in step.examples for name in names.get(example.prediction, ())}
    for name, loss in losses_not_run(path, root, nodes):
        owner = name.rpartition(".")[0]
        for place in error.places if error is not None else ():
            unit = units.get(place.file)
            if unit is None:
                continue
            call = _call(owner, loss, place, ast.Module(unit.body, []), predictions)
            if call is not None:
                yield Stated(name, call[0], place.file, place.line, call[1])
                break


def _call(
    owner: str, loss: Function, place: Place, module: ast.Module, predictions: set[str]
) -> tuple[str, bool] | None:
    """How a loss is called in that line, with what has the names of its arguments there, or alone means the same; and
    whether all have their names."""
    functions = [n for n in ast.walk(module) if isinstance(n, Function) and n.name == place.function]
    here = next((f for f in functions if f.lineno <= place.line <= (f.end_lineno or f.lineno)), None)
    if here is None and place.function != "<module>":
        return None
    known = _bound_before(here or module, place.line)
    arguments = [a.arg for a in loss.args.args]
    if owner:
        if arguments[:1] != ["self"] or "self" not in known or owner not in _bases(place.owner, module):
            return None
        arguments = arguments[1:]
    optional = dict(zip(reversed(arguments), reversed(loss.args.defaults), strict=False))
    given, by_name = [], True
    for name in arguments:
        found = _given(name, known - {"self"}, predictions)
        if found is None and (name not in optional or _matters(optional[name])):
            return None
        by_name = by_name and found in (name, None)
        given += [f"{name}={found}" if name in optional else found] if found is not None else []
    return f"{'self.' if owner else ''}{loss.name}({', '.join(given)})", by_name


def _matters(default: ast.expr) -> bool:
    """Whether a number that stands for what was not given may be another one where it is trained: a penalty's factor,
    and no ε."""
    number = default.value if isinstance(default, ast.Constant) else None
    return isinstance(number, int | float) and not isinstance(number, bool) and abs(number) > SMALL


def _given(argument: str, known: set[str], predictions: set[str]) -> str | None:
    if argument in known:
        return argument
    means = meanings(argument)[:1]
    alike = sorted(name for name in known if means and meanings(name)[:1] == means)
    if means == ["P"]:
        alike = [name for name in known if name in predictions] or alike
    return alike[0] if len(alike) == 1 else None


def _bases(name: str, module: ast.Module) -> set[str]:
    """A class and those of the file that it is derived from."""
    classes = {n.name: n for n in module.body if isinstance(n, ast.ClassDef)}
    found, waiting = set(), [name]
    while waiting:
        if (current := waiting.pop()) in classes and current not in found:
            found.add(current)
            waiting += [base.id for base in classes[current].bases if isinstance(base, ast.Name)]
    return found


def _bound_before(scope: Function | ast.Module, line: int) -> set[str]:
    """The names that have a value in a function, or in a program, before a line of it."""
    inside: list[Any] = []
    waiting: list[Any] = list(scope.body)
    while waiting:
        node = waiting.pop()
        inside.append(node)
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    names = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.lineno < line}
    return names | {a.arg for a in scope.args.args} if isinstance(scope, Function) else names
