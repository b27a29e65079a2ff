"""Compares many programs side by side: files, and what stands in folders, one child process a core."""

from __future__ import annotations

import ast
import itertools
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.compare.author.child import NothingTrains, Stopped
from jaxnet.compare.author.statements import read_units
from jaxnet.compare.author.tree import programs_below
from jaxnet.compare.files import compare_file
from jaxnet.compare.report import Report

# So many results of a worker may wait for one before them: a program that takes a minute holds up none of the others,
# and what is kept at a time does not grow with their number.
AHEAD = 100
NO_VERDICT = "no verdict"


class Outcome(NamedTuple):
    """What came of one program: its report, or the one line that says why there is none."""

    source: str  # the path as it was asked for
    report: Report | None
    problem: str | None
    seconds: float

    @property
    def why_none(self) -> str:
        """The problem, without the path that it begins with."""
        return (self.problem or NO_VERDICT).removeprefix(f"{self.source}: ")

    @property
    def verdict(self) -> str:
        """right, right-up-to-scale, wrong, or none."""
        return self.report.verdict if self.report is not None else "none"


def compare_many(
    paths: Iterable[str | Path],
    *,
    workers: int | None = None,
    arrays: bool = False,
    watch: Callable[[int, int], object] | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """What came of each program among files and folders, in the order of the paths, sorted within a folder.

    Of a folder, programs count that have a backward pass: those with a verdict; those that make a step, or do not end
    by themselves, and so have none; and those that were to make one as far as their code tells, and failed before. A
    file that is named is always listed. Whatever is named twice is compared once.

    So many `workers` run at a time, a process each, as there are cores. `watch` is called with how many programs are
    done and how many there are, from any thread. Once `stop` is set, running programs are ended, and the outcomes of
    those that are done are the last ones. The reports have the gradients themselves only with `arrays`; `options` are
    those of `compare_file`.
    """
    stop = stop or threading.Event()
    workers = workers or _cores()
    programs = find_programs(paths)
    finished = itertools.count(1)

    def tell(_: Future) -> None:
        if watch is not None:
            watch(next(finished), len(programs))

    waiting: deque[Future[Outcome | None]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for program in programs:
                if len(waiting) == AHEAD * workers and (outcome := waiting.popleft().result()):
                    yield outcome
                waiting.append(pool.submit(_outcome, program, arrays, stop, options))
                waiting[-1].add_done_callback(tell)
            while waiting:
                if outcome := waiting.popleft().result():
                    yield outcome
        except BaseException:  # whoever took the outcomes takes no more
            stop.set()
            raise


def _outcome(program: Program, arrays: bool, stop: threading.Event, options: dict[str, Any]) -> Outcome | None:
    """None for a program that does not count, or was stopped."""
    if stop.is_set():
        return None
    start = time.monotonic()
    report, problem = None, None
    try:
        report = compare_file(program.path, stop=stop, **options)
        report = report if arrays else report.without_arrays()
    except Stopped:
        return None
    except ValueError as error:
        trains = not isinstance(error, NothingTrains) or has_backward_pass(program.path)
        if not program.named and not trains:
            return None
        problem = str(error)
    except OSError as error:  # no space left, too many files
        problem = f"{program.path}: {error.strerror or error}"
    return Outcome(program.path, report, problem, time.monotonic() - start)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- which files of a folder count ------------------------------------------------------------------------------------


class Program(NamedTuple):
    """A file that is to be compared; one that is named is listed whatever comes of it."""

    path: str
    named: bool


def find_programs(paths: Iterable[str | Path]) -> list[Program]:
    """The files among the paths, and of the folders those that may have a backward pass, each once."""
    found: dict[str, Program] = {}
    for path in paths:
        if os.path.isdir(path):
            programs = [Program(file, False) for file in _programs_in(path)]
        else:
            programs = [Program(str(path), True)]
        for program in programs:
            same = os.path.realpath(program.path)
            before = found.get(same)
            found[same] = program if before is None else before._replace(named=before.named or program.named)
    return list(found.values())


_LIBRARIES = re.compile(rb"numpy|pylab")
_DRAWN = re.compile(rb"\brandom\b")  # numbers, of which networks without NumPy are made
_MULTIPLIES = re.compile(rb"@|\b(?:dot|matmul|einsum|tensordot|outer|inner|multiply|convolve|sum|mean)\b")
_PRODUCTS = {"dot", "matmul", "einsum", "tensordot", "outer"}
_GRADIENT = re.compile(r"back_?(?:w|p)|grad(?![eu])|nabla|(?<!time)delta|descent|^_*d_?[wb]_?\d*$", re.I)
_TEST = re.compile(r"(?:test_.*|.*_test|conftest)\.py")


def _programs_in(root: str | Path) -> Iterator[str]:
    for _, beside in itertools.groupby(map(str, programs_below(root)), os.path.dirname):
        files = list(beside)
        drawn = any(_DRAWN.search(_content(file) or b"") for file in files)
        yield from (file for file in files if may_train(file, drawn))


def _content(path: str) -> bytes | None:
    """None if it may not be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError:
        return None


def may_train(path: str, drawn: bool) -> bool:
    """Whether there is anything in a file that could be a training step or a part of one, as far as its text tells, and
    whether numbers are `drawn` there or in a file beside it."""
    content = _content(path)
    if content is None:  # that is somebody's program, for all that is known
        return True
    has_arrays = _LIBRARIES.search(content) is not None
    if not (_MULTIPLIES.search(content) if has_arrays else drawn):
        return False
    nodes = _nodes_of(path)
    return nodes is None or any((has_arrays and _steps(node)) or _names_gradient(node) for node in nodes)


def has_backward_pass(path: str) -> bool:
    """Whether a file, as far as its code tells, has a backward pass of its own: products, and gradients by name."""
    nodes = _nodes_of(path) or []
    return any(map(_multiplies, nodes)) and any(map(_names_gradient, nodes)) and not _TEST.fullmatch(Path(path).name)


def _nodes_of(path: str) -> list[ast.AST] | None:
    """The code of a file; None if it cannot be read as a program."""
    try:
        units = read_units(Path(path), path)
    except ValueError:
        return None
    return [node for unit in units for statement in unit.body for node in ast.walk(statement)]


def _steps(node: ast.AST) -> bool:
    """p -= g, p = p - g, or the same with a sum."""
    match node:
        case ast.AugAssign(op=ast.Add() | ast.Sub(), value=value):
            return not isinstance(value, ast.Constant | ast.JoinedStr | ast.List | ast.ListComp | ast.Tuple)
        case ast.Assign(targets=targets, value=ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right)):
            return any(_same(target, side) for target in targets for side in (left, right))
    return False


def _same(target: ast.AST, value: ast.AST) -> bool:
    return ast.unparse(target) == ast.unparse(value)


def _multiplies(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.MatMult()):
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _PRODUCTS
    return False


def _names_gradient(node: ast.AST) -> bool:
    """Whether something is defined or assigned that is called as gradients are."""
    names: list[object] = []
    match node:
        case (
            ast.FunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store())
        ):
            names = [name]
        case ast.Subscript(value=whole, slice=part, ctx=ast.Store()):  # grads["W1"], cache["dW1"]
            names = [getattr(whole, "attr", getattr(whole, "id", None)), getattr(part, "value", None)]
    return any(isinstance(name, str) and _GRADIENT.search(name) for name in names)
