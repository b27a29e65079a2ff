"""From Nodes to the author's text: which line made it, how the author calls it, up to where a gradient is right."""

from __future__ import annotations

import ast
import linecache
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.recorder import Array, node_of
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Node, Place, nodes_in

ENTRIES = 2_000  # of an author's objects that are looked into for the names of arrays


# --- names ------------------------------------------------------------------------------------------------------------


def names_in_frames(frame: FrameType | None) -> dict[Node, list[str]]:
    """What the running functions of the author call their arrays, the innermost first."""
    found: dict[Node, list[str]] = {}
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(("/", "<")):
            names_in(frame.f_locals, found)
        frame = frame.f_back
    return found


def names_in(namespace: dict[str, Any], found: dict[Node, list[str]]) -> None:
    """Adds the arrays in variables, and in the lists, dicts and objects that variables hold."""
    stack: list[tuple[str, Any, int]] = [
        (name, value, 0) for name, value in list(namespace.items()) if name[:2] != "__"
    ]
    seen: set[int] = set()
    for _ in range(ENTRIES):
        if not stack:
            return
        name, value, depth = stack.pop(0)
        if isinstance(value, Array):
            found.setdefault(node_of(value), []).append(name)
        elif depth < 4 and id(value) not in seen:
            seen.add(id(value))
            stack += [(f"{name}{way}", part, depth + 1) for way, part in _parts(value)]


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in list(value.items())[:200]]
    if isinstance(value, (list, tuple)):
        return [(f"[{k}]", part) for k, part in enumerate(value[:200])]
    own = getattr(value, "__dict__", None)
    module = getattr(type(value), "__module__", "")
    if isinstance(own, dict) and not isinstance(value, type) and not module.startswith(("numpy", "jaxnet")):
        return [(f".{key}", part) for key, part in list(own.items())[:200]]
    return []


def parameter_names(step: Step, known: dict[Node, list[str]]) -> dict[Parameter, str]:
    """The author's names for the parameters: a name that only one of them has, by which it is held as it is.

    Where there is none, the target of the line that steps it.
    """
    candidates: dict[Parameter, list[str]] = {p: [] for p in step.parameters}
    by_version = {version: p for p in step.parameters for version in p.versions}
    for node, held_as in known.items():
        if node in by_version:
            candidates[by_version[node]] += [_short(name) for name in held_as]
    for p in step.parameters:
        candidates[p].sort(key=lambda name: (bool(re.search(r"\[\d", name)), "[" in name))
        candidates[p] += [target] if (target := _target(p.after.place)) else []
    shared = Counter(name for names in candidates.values() for name in set(names))
    names: dict[Parameter, str] = {}
    numbers: Counter[str] = Counter()
    for p, held_as in candidates.items():
        own = next((name for name in held_as if shared[name] == 1), None)
        if own is None:
            name = held_as[0] if held_as else "parameter"
            numbers[name] += 1
            own = f"{name} #{numbers[name]}"
        names[p] = own
    return names


def _short(name: str) -> str:
    """`self.params['W1']` is called W1; `net.layers[0].weights` remains."""
    return name.removeprefix("self.")


def _target(place: Place | None) -> str | None:
    statement = statement_at(place) if place is not None else None
    if isinstance(statement, ast.AugAssign):
        return _short(ast.unparse(statement.target))
    if isinstance(statement, ast.Assign) and not isinstance(statement.targets[0], ast.Tuple):
        return _short(ast.unparse(statement.targets[0]))
    return None


# --- lines ------------------------------------------------------------------------------------------------------------


def text_of(place: Place) -> str:
    return linecache.getline(place.file, place.line).strip()


def cell_of(place: Place) -> int | None:
    """The number of the notebook's cell that the line is in; None for a file."""
    _, found, number = place.file.partition("#cell-")
    return int(number) if found else None


def parsed_lines(file: str) -> list[str]:
    """The lines of a file or a cell, without those that only IPython understands."""
    return [line if line.strip()[:1] not in "%!" else "\n" for line in linecache.getlines(file)]


@lru_cache(maxsize=200)
def _statements(text: str) -> tuple[ast.stmt, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(n for n in ast.walk(tree) if isinstance(n, ast.stmt) and not hasattr(n, "body"))


def statement_at(place: Place) -> ast.stmt | None:
    """The simple statement that the line belongs to."""
    for statement in _statements("".join(parsed_lines(place.file))):
        if statement.lineno <= place.line <= (statement.end_lineno or statement.lineno):
            return statement
    return None


# --- the frontier -----------------------------------------------------------------------------------------------------


class Frontier(NamedTuple):
    """Up to where a gradient is right and from where on it is not."""

    known: Node | None  # the last Node that is a derivative of the loss, times a constant
    quantity: str  # of what it is the derivative
    unknown: Node  # the first that is none


def frontiers(
    step: Step,
    drawn: list[Values],
    parts: list[dict[tuple[Node, Node | None], np.ndarray]],
    wrong: dict[str, tuple[Parameter, Node | None]],
) -> dict[str, Frontier]:
    """For each wrong gradient the Nodes between which it went wrong.

    A backward Node is known if it equals, in all draws, the derivative of the loss by a forward Node, or by one use of
    it, up to transposition and a constant, or is a sum of such parts. The first unknown ones on the way to a wrong
    gradient, all of whose origins are known, are where it begins to be wrong.
    """
    known = _known(step, drawn, parts)
    found = {}
    for name, (parameter, node) in wrong.items():
        start = node if node is not None else next(iter(nodes_in(parameter.steps)), None)
        if start is None:
            continue
        edge = _edge(start, known, step)
        place_of = Counter(n.place for n in edge)
        if not edge:
            continue
        first = min(edge, key=lambda n: (-place_of[n.place], n.number))
        parents = [p for p in first.parents if p in known]
        last = max(parents, key=lambda n: n.number, default=None)
        found[name] = Frontier(last, _quantity(known[last], step) if last is not None else "", first)
    return found


def _edge(start: Node, known: dict[Node, set[Node]], step: Step) -> list[Node]:
    edge, seen, stack = [], set(), [start]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        unknown = [p for p in node.parents if p in step.labelled and p not in known and p.size > 0]
        if not unknown or node in known:
            edge.append(node)
        else:
            stack += unknown
    return edge


def _known(step: Step, drawn: list[Values], parts) -> dict[Node, set[Node]]:
    """Backward Nodes that are right, with the forward Nodes of which they are the derivative or a part of it."""
    references: dict[tuple, list[tuple[Node, list[np.ndarray]]]] = {}
    for use in parts[0]:
        if all(use in of_draw for of_draw in parts):
            arrays = [of_draw[use] for of_draw in parts]
            references.setdefault(_signature(arrays[0]), []).append((use[0], arrays))
    known: dict[Node, set[Node]] = {}
    for node in step.backward:
        if node.size < 1 or node.dtype is None or node.dtype.kind != "f":
            continue
        arrays = [np.asarray(values(node), float) for values in drawn]
        if not np.isfinite(arrays[0]).all():
            continue
        targets = set()
        for key in _near(_signature(arrays[0])):
            for target, wanted in references.get(key, []):
                if target not in targets and _same_up_to_constant(arrays, wanted):
                    targets.add(target)
        if not targets and node.parents:
            parents = [p for p in node.parents if p in step.labelled]
            of_parents = [known.get(p, set()) for p in parents]
            constant = all(not isinstance(i, Node) or i in parents or not _is_computed(i, step) for i in node.inputs)
            if node.function in (np.add, np.subtract) and of_parents and all(of_parents) and constant:
                targets = set.intersection(*of_parents)
        if targets:
            known[node] = targets
    return known


def _is_computed(node: Node, step: Step) -> bool:
    return node in step.active


def _signature(array: np.ndarray) -> tuple:
    """The same for an array, its transpose and its multiples."""
    norm = np.linalg.norm(array)
    if not norm or not np.isfinite(norm):
        return (array.size, 0, 0)
    return (array.size, round(float(np.sum((np.abs(array) / norm) ** 3)), 6), 1)


def _near(signature: tuple) -> Iterable[tuple]:
    size, number, kind = signature
    return ((size, round(number + d, 6), kind) for d in (-1e-6, 0.0, 1e-6))


def _same_up_to_constant(arrays: list[np.ndarray], wanted: list[np.ndarray]) -> bool:
    factors = []
    for array, want in zip(arrays, wanted, strict=True):
        a, w = np.squeeze(array), np.squeeze(want)
        fitting = [o for o in ((w, w.T) if w.ndim > 1 else (w,)) if o.shape == a.shape] or [w] * (w.size == a.size)
        for turned in fitting:
            turned = turned.reshape(a.shape)
            square = float(np.vdot(turned, turned))
            factor = float(np.vdot(turned, a)) / square if square else 0.0
            if factor and np.abs(a - factor * turned).max() <= 1e-6 * np.abs(a).max():
                factors.append(factor)
                break
            if not square and not a.any():
                factors.append(1.0)
                break
        else:
            return False
    return max(factors) - min(factors) <= 1e-5 * max(map(abs, factors))


def _quantity(targets: set[Node], step: Step) -> str:
    """∂loss/∂ the line of the forward pass that made the Node, in the author's name for it where the line has one."""
    target = min(targets, key=lambda n: n.number)
    name = _target(target.place)
    return f"∂loss/∂{name}" if name else f"∂loss/∂(line {target.place.line})" if target.place else ""
