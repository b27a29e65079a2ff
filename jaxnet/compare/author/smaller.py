"""Smaller numbers in the place of a program's own: with these it may be too large, or too slow, to be judged."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

# What is called so (squeezed), and how many are enough: of what a network is made of, never of its data.
_ENOUGH = [
    (r"(mini)?batch(size|len)?|bsz?", 8),
    (r"(n|num|enc|dec|encoder|decoder)?(layers|blocks)|depth|(n|num)?heads?", 2),
    (r"(block|context|seq(uence)?|max(seq(uence)?)?)(size|len(gth)?)", 8),
    (r"d(model|ff|k|v|emb)|n?emb(e?d)?|ffn?(size|dim)", 16),
    (
        r"(n|num)?(embed(ding)?|hidden|latent|model|lstm|rnn|state|feedforward)s?(size|dim|unit|node|neuron|state)?s?",
        16,
    ),
]
_COMPILED = [(re.compile(pattern), enough) for pattern, enough in _ENOUGH]


def enough(name: str, number: int) -> int:
    """The number itself, or fewer: a size of 16, say, in the place of 512."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return next((min(number, most) for pattern, most in _COMPILED if pattern.fullmatch(plain)), number)


def shrink(statement: ast.stmt, in_place: bool) -> dict[str, int]:
    """The numbers of a statement that can be smaller, by name, as they can be, and with `in_place` are from then on."""
    found = {}
    for name, constant in _named(statement):
        if type(constant.value) is int and (fewer := enough(name, constant.value)) < constant.value:
            found[name] = fewer
            constant.value = fewer if in_place else constant.value
    return found


def _named(statement: ast.stmt) -> Iterator[tuple[str, ast.Constant]]:
    """The constants of a statement that are given a name: assigned, by default, as an argument or at a key."""
    for node in ast.walk(statement):
        pairs: list[tuple[Any, ast.AST | None]] = []
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = list(zip(names, values, strict=False))
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
                pairs = [(target, value)]
            case ast.keyword(arg=name, value=value):
                pairs = [(name, value)]
            case ast.Dict(keys=keys, values=values):
                pairs = [(key.value, v) for key, v in zip(keys, values, strict=True) if isinstance(key, ast.Constant)]
            case ast.arguments(args=args, defaults=defaults, kwonlyargs=more, kw_defaults=of_more):
                last = args[len(args) - len(defaults) :]
                pairs = [(a.arg, d) for a, d in zip((*last, *more), (*defaults, *of_more), strict=False)]
        for name, value in pairs:
            word = name if isinstance(name, str) else getattr(name, "id", getattr(name, "attr", None))
            if isinstance(word, str) and isinstance(value, ast.Constant):
                yield word, value
