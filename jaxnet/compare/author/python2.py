"""Mends programs of Python 2, line for line, so that Python 3 can run them and means the same.

What only the grammar knows (print, exec, raise, except, backticks, <>, 0777, 10L) is rewritten in the text; names that
are gone are given back as builtins; `/` of two integers is left to whoever runs the program.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import Any

_STRING = r"""(?:[bBuUrR]{0,2}(?:'{3}.*?'{3}|"{3}.*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))"""
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>\#[^\n]*)|(?P<join>\\\n)|(?P<number>\d*\.\d+)|(?P<word>\w+)"
    r"|(?P<space>[ \t]+)|(?P<other>.)",
    re.S,
)
_CODED = re.compile(r"\.(?:de|en)code\(\s*['\"](?:utf|ascii|latin|cp|iso)[\w-]*['\"][^()\n]*\)")  # text is bytes
_GONE = {"xrange", "raw_input", "unicode", "has_key", "cPickle", "urllib2", "izip", "maxint"}
_OF_TABLES = {"iteritems", "itervalues"}  # which pandas had until its version 2, too
_EITHER = re.compile(r"import\s+xrange|xrange\s*=|ImportError|NameError|version_info|print_function")
_NEW = (ast.JoinedStr, ast.AnnAssign, ast.MatMult, ast.Nonlocal)


def is_python2(source: str, tree: ast.Module | None) -> bool:
    """Whether a program was meant for Python 2, by the names that it uses, and has nothing that only Python 3 has."""
    words = {token[0] for token in _TOKEN.finditer(source) if token.lastgroup == "word"}
    gone = words & (_GONE if "pandas" in words else _GONE | _OF_TABLES)
    return bool(gone) and not _EITHER.search(source) and not any(map(_is_new, ast.walk(tree) if tree else ()))


def _is_new(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return bool(node.keywords) and isinstance(node.func, ast.Name) and node.func.id == "print"
    return isinstance(node, _NEW)


def mended(source: str) -> str:
    """The text with statements that Python 3 can parse, on the same lines."""
    lines = (re.sub(r"^[ \t]+", lambda found: found[0].expandtabs(8), line) for line in source.splitlines(True))
    source = "".join(lines)
    result, pending, depth, fresh = [], [], 0, True  # pending: a statement that is rewritten when it ends
    for token in _TOKEN.finditer(source):
        kind, text = token.lastgroup, token[0]
        depth += _deeper(token)
        ends = depth <= 0 and (kind == "comment" or (kind == "other" and text in "\n;"))
        if pending and (ends or (pending[0] == "except" and text == ":" and depth <= 0)):
            result.append(_rewritten(*pending))
            pending = []
        if fresh and kind == "word" and text in ("print", "exec", "raise", "except"):
            pending = [text]
        else:
            (pending if pending else result).append(_word(text) if kind == "word" else text)
        if kind != "space" and kind != "comment":
            fresh = depth <= 0 and kind == "other" and text in "\n;:"
    if pending:
        result.append(_rewritten(*pending))
    text = "".join(result).replace("<>", "!=")
    text = re.sub(r"`([^`\n]+)`", r"repr(\1)", text)
    text = _CODED.sub("", text)
    return re.sub(r"\.iter(items|keys|values)\(\)", r".\1()", text)


def _deeper(token: re.Match[str]) -> int:
    """By how many brackets what follows a token is deeper than it."""
    return (token[0] in "([{") - (token[0] in ")]}") if token.lastgroup == "other" else 0


def _word(text: str) -> str:
    if re.fullmatch(r"0[0-7]+", text):
        return f"0o{text[1:]}" if text.strip("0") else "0"
    text = re.sub(r"^(\d+|0[xX][0-9a-fA-F]+)[lL]$", r"\1", text)
    return "__contains__" if text == "has_key" else text


def _rewritten(keyword: str, *tokens: str) -> str:
    rest = "".join(tokens)
    body = rest.strip()
    after = rest[len(rest.rstrip()) :]
    parts = _split(body)
    match keyword:
        case "print" if body.startswith(">>"):
            return f"print({', '.join(parts[1:])}, file={parts[0][2:].strip()}){after}"
        case "print" if not _in_brackets(body) and body[:1] not in ("=", "."):
            return f"print({body.rstrip(',')}){after}"
        case "exec" if not _in_brackets(body):
            code = re.sub(r"\s+in\s+", ", ", body)
            return f"exec({code}){after}"
        case "raise" if len(parts) > 1:
            return f"raise {parts[0]}({parts[1]}){after}"
        case "except" if len(parts) == 2:
            return f"except {parts[0]} as {parts[1]}{after}"
    return keyword + rest


def _split(text: str) -> list[str]:
    """At the commas outside of brackets and strings."""
    parts, depth = [""], 0
    for token in _TOKEN.finditer(text):
        depth += _deeper(token)
        if token[0] == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += token[0]
    return [part.strip() for part in parts]


def _in_brackets(text: str) -> bool:
    """Whether one pair of brackets is around all of it."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += _deeper(token)
        if depth == 0 and token.end() < len(text):
            return False
    return text.startswith("(") and depth == 0


def _divide(a: Any, b: Any) -> Any:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


# What a program of either version may use: nothing that Python 3 has is changed.
NAMES: dict[str, Any] = {
    "xrange": range, "unicode": str, "basestring": str, "long": int, "unichr": chr, "reduce": functools.reduce,
    "__divide__": _divide,
}  # fmt: skip
# What Python 2 means by names that Python 3 has too.
LISTS: dict[str, Any] = {
    "zip": lambda *parts: list(zip(*parts, strict=False)),
    "map": lambda function, *parts: list(map(function, *parts)),
    "filter": lambda function, part: list(filter(function, part)),
    "range": lambda *ends: list(range(*ends)),
}
