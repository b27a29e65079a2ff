"""Reads a .py file or a notebook as statements that can be run one after the other, without what cannot be parsed."""

from __future__ import annotations
import __future__

import ast
import io
import json
import math
import re
import textwrap
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.compare.author import python2
from jaxnet.compare.author.edits import CELL

_TIMED = re.compile(r"\s*%(?:time|timeit|prun)\s+([^-\s].*)")
_PYLAB = re.compile(r"^(\s*)%pylab\b.*", re.MULTILINE)
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "python", "python3", "debug"}
_MAGIC = re.compile(r"\s*(?:[%!?]|[\w.]+\?{1,2}\s*$)")
_BROKEN = 40  # stretches of one text that may be left out


class Unit(NamedTuple):
    """A .py file, or one code cell of a notebook."""

    filename: str  # what its code is compiled with
    text: str  # as the author wrote it
    body: list[ast.stmt]
    broken: list[tuple[int, str]]  # what was left out: line, why
    python2: bool
    flags: int  # of __future__


def read_units(path: Path, name: str, by_counts: bool = False) -> list[Unit]:
    """The statements of a file that is called `name` in reports; a notebook's with `by_counts` in the order in which
    its cells were run. ValueError if it is no program at all."""
    if path.suffix not in (".py", ".ipynb"):
        raise ValueError("expected a .py or .ipynb file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    if path.suffix == ".py":
        return [unit_of(_decoded(content), name)]
    cells = enumerate(code_cells(content), 1)
    units = [unit_of(text, f"{name}{CELL}{number}", of_notebook=True) for number, text in cells]
    counts = execution_counts(content) if by_counts else []
    return [unit for _, unit in sorted(zip(counts, units, strict=True), key=lambda pair: pair[0])] if counts else units


def execution_counts(content: bytes) -> list[int]:
    """In which order the code cells of a notebook were run; [] if that is not known, or is the one that they have."""
    counts = [count for _, count in _code_cells(content)]
    known = [count for count in counts if isinstance(count, int)]
    return known if len(known) == len(counts) and known != sorted(known) else []


def _decoded(content: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeDecodeError):
        return io.TextIOWrapper(io.BytesIO(content), "latin-1").read()


def code_cells(content: bytes) -> Iterator[str]:
    return (source for source, _ in _code_cells(content))


def _code_cells(content: bytes) -> list[tuple[str, Any]]:
    """The code cells of a notebook, and what each has as its execution count."""
    try:
        notebook = json.loads(content)
        sheets = [notebook] if "cells" in notebook else notebook["worksheets"]  # worksheets: before nbformat 4
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell.get("cell_type") == "code"]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells]
        texts = [source if isinstance(source, str) else "".join(source) for source in sources]
        counts = [cell.get("execution_count", cell.get("prompt_number")) for cell in cells]
        return list(zip(texts, counts, strict=True))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"is not a notebook: {type(error).__name__}: {error}") from None


def unit_of(text: str, filename: str, of_notebook: bool = False) -> Unit:
    """The statements of a text: as it is, or without magics, or in Python 2, or without the lines that are broken."""
    plain = textwrap.dedent(_without_cell_magic(text)) if of_notebook else text  # as IPython does
    bare = _without_magics(plain)
    broken: list[tuple[int, str]] = []
    tree = _tree(plain) or _tree(bare)
    old = python2.is_python2(plain, tree)
    if old or tree is None:
        mended = python2.mended(bare)
        in_python2 = _tree(mended)
        old = old or in_python2 is not None or "print " in plain
        tree = in_python2 or tree
        if tree is None:
            tree, broken = _without_broken(mended if old else bare)
    imports = [s for s in tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    features = {alias.name for statement in imports for alias in statement.names}
    known = features & set(__future__.all_feature_names)
    flags = sum(getattr(__future__, feature).compiler_flag for feature in known)  # a bit each
    return Unit(filename, text, [s for s in tree.body if s not in imports], broken, old, flags)


def _tree(source: str) -> ast.Module | None:
    parsed = _parsed(source)
    return parsed if isinstance(parsed, ast.Module) else None


def _parsed(source: str) -> ast.Module | SyntaxError:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # '\d' in a docstring, `is 0`: the author's business
            return ast.parse(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; brackets without end
        return SyntaxError(str(error) or type(error).__name__)


def _without_cell_magic(text: str) -> str:
    """A cell whose first line is %%something: its Python, or what it does in Python, or nothing."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("%%"):
        return text
    magic, _, argument = first[2:].partition(" ")
    if magic in ("writefile", "file"):
        name, mode = argument.split()[-1:] or [""], "a" if "-a" in argument.split() else "w"
        return f"with open({name[0]!r}, {mode!r}) as __file: __file.write({rest!r})"
    above = text.index(first)
    return text[:above] + "\n" + rest if magic in _PYTHON_CELLS else ""


def with_pylab(text: str) -> str:
    """With what `%pylab` imports: NumPy's and pyplot's names, and the modules themselves."""
    return _PYLAB.sub(r"\1from pylab import *; import numpy, matplotlib", text)


def _without_magics(text: str) -> str:
    """Without the lines that only IPython understands; of `%time STATEMENT` the statement, of `%run FILE` a call."""
    lines, goes_on = [], False
    for line in with_pylab(text).split("\n"):
        continued, magic = goes_on, goes_on or bool(_MAGIC.match(line))
        goes_on = magic and line.endswith("\\")
        indent = line[: len(line) - len(line.lstrip())]
        if magic and line.strip().startswith("%run "):
            line = f"{indent}get_ipython().run_line_magic('run', {line.strip()[5:]!r})"
        elif magic and (timed := _TIMED.match(line)):
            line = f"{indent}{timed[1]}"
        elif magic:
            line = f"{indent}pass" if indent and not continued else ""
        else:
            line = re.sub(r"^(\s*[\w, ]+=)\s*(?:!|%\w).*", r"\1 None", line)
        lines.append(line)
    return "\n".join(lines)


def _without_broken(source: str) -> tuple[ast.Module, list[tuple[int, str]]]:
    """What is left when the least is taken out that parsing stops at; and what that was."""
    lines = source.split("\n")
    left_out: list[tuple[int, str]] = []
    for _ in range(_BROKEN):
        problem = _parsed("\n".join(lines))
        if isinstance(problem, ast.Module):
            return problem, left_out
        header = re.search(r"expected an indented block after .* on line (\d+)", problem.msg)
        line = int(header[1]) if header else min(max(problem.lineno or len(lines), 1), len(lines))
        reached, best, note = 0, lines, ""
        for candidate, end, why in _candidates(lines, line, problem.msg):
            if candidate == lines:
                continue
            after = _parsed("\n".join(candidate))
            got = len(lines) + 1 if isinstance(after, ast.Module) else after.lineno or 0
            if got > reached:
                reached, best, note = got, candidate, why
            if got > end:
                break
        lines = best
        left_out += [(line, note)] if note else []
    return ast.Module([], []), [*left_out, (1, "there are too many errors")]


def _candidates(lines: list[str], line: int, why: str) -> Iterator[tuple[list[str], int, str]]:
    """The lines with one change at or around a line, from the least to the greatest; its last line; and a note."""
    before, here, after = lines[: line - 1], lines[line - 1], lines[line:]
    yield [*before, _requoted(here), *after], line, ""
    yield [*before, re.sub(r"[`$?!\s]+$", "", here), *after], line, f"{why}, at its end"  # no Python ends so
    for start, end in _stretches(lines, line - 1):
        indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        instead = "" if why == "unexpected indent" else f"{indent}pass"
        yield lines[:start] + [instead] + [""] * (end - start - 1) + lines[end:], end, why


def _requoted(line: str) -> str:
    """A line whose f-strings have their own quotes inside of braces, which Python 3.11 cannot read, with others."""
    result, quote, depth = "", "", 0
    for k, letter in enumerate(line):
        if not quote:
            opens = letter in "'\"" and line[k - 1 : k].lower() == "f" and line[k : k + 3] != letter * 3
            quote = letter if opens else ""
        elif letter == quote and depth > 0:
            letter = "'" if quote == '"' else '"'
        elif letter == quote:
            quote = ""
        depth = max(depth + (letter == "{") - (letter == "}"), 0) if quote else 0
        result += letter
    return result


def _stretches(lines: list[str], at: int) -> Iterator[tuple[int, int]]:
    """The line with what is below it, then the blocks around, from the innermost to the outermost, then the rest."""
    deep = [len(line) - len(line.lstrip()) if line.strip() else math.inf for line in lines]
    start, depth = at, deep[at] if lines[at].strip() else 1
    while True:
        end = next((k for k in range(start + 1, len(lines)) if deep[k] <= depth), len(lines))
        if end < len(lines) and deep[end] == depth and re.match(r"\s*[)\]}]", lines[end]):
            end += 1
        yield start, end
        above = [k for k in range(start) if deep[k] < depth]
        if not above:
            break
        start, depth = above[-1], deep[above[-1]]
    yield start, len(lines)
    yield at, len(lines)
