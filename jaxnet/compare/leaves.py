"""Numbers and arrays wherever they are: in dicts, lists, tuples and the author's objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.tracing import is_authors, is_number

Token = str | int
Path = tuple[tuple[str, Any], ...]  # ('item', key) and ('attr', name), from the root down


class Refusal(ValueError):
    """What is wrong with an author's code, or cannot be found in it, in one line that needs nothing added."""


class Leaf(NamedTuple):
    """A number or array somewhere in a structure, with the words on the way to it."""

    path: Path
    tokens: tuple[Token, ...]
    value: Any

    @property
    def word(self) -> str:
        return next((t for t in reversed(self.tokens) if isinstance(t, str) and t), "")


def leaves(
    value: Any, path: Path = (), tokens: tuple[Token, ...] = (), depth: int = 6, once: bool = True
) -> list[Leaf]:
    """All numbers and arrays in dicts, lists, tuples and the author's objects; twice the same array once if `once`."""
    found: dict[Any, Leaf] = {}
    _collect_leaves(value, path, tokens, depth, found, set(), once)
    return list(found.values())


def _collect_leaves(
    value: Any, path: Path, tokens: tuple, depth: int, found: dict, visited: set[int], once: bool
) -> None:
    if is_number(value) or _is_jax(value):
        key = id(value) if once and hasattr(value, "shape") and value.shape else path
        found.setdefault(key, Leaf(path, tokens, value))
        return
    if depth == 0 or id(value) in visited:
        return
    parts: list[tuple[str, Any, Any]] = []
    if isinstance(value, Mapping):
        parts = [("item", k, v) for k, v in value.items()]
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object and value.ndim):
        parts = [("item", k, v) for k, v in enumerate(value)][:200]
    elif is_authors(value):
        parts = [("attr", k, v) for k, v in vars(value).items()]
    visited.add(id(value))
    for how, key, part in parts:
        token = key if isinstance(key, str | int) else str(key)
        _collect_leaves(part, (*path, (how, key)), (*tokens, token), depth - 1, found, visited, once)


def _is_jax(value: Any) -> bool:
    return type(value).__module__.startswith(("jax", "jaxlib")) and hasattr(value, "shape")


def follow(value: Any, path: Path) -> Any:
    for how, key in path:
        value = value[key] if how == "item" else getattr(value, key)
    return value


def expression_of(path: Path) -> str:
    """A path as the author would write it: self.layers[0].W, parameters['W1']."""
    (_, root), *rest = path
    return str(root) + "".join(f".{key}" if how == "attr" else f"[{key!r}]" for how, key in rest)
