"""What the author calls the arrays: the variables, lists, dicts and objects that hold them."""

from __future__ import annotations

import re
from collections import Counter
from types import FrameType, ModuleType
from typing import Any

from jaxnet.compare.author.chains import before_writes
from jaxnet.compare.author.lines import short_name, target_of
from jaxnet.compare.author.meanings import read_name
from jaxnet.compare.author.node import Node
from jaxnet.compare.author.recorder import Array, known_node, node_of, set_flat
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import is_authors
from jaxnet.compare.author.updates import versions_until

DEPTH = 8  # model.decoder.layers[0].feed_forward.linear1.bias
ENTRIES = 2_000  # of an author's objects that are looked into for the names of arrays


def names_in_frames(frame: FrameType | None) -> dict[Node, list[str]]:
    """What the running functions of the author call their arrays, the innermost first."""
    found: dict[Node, list[str]] = {}
    while frame is not None:
        if is_authors(frame.f_code.co_filename):
            # In the frame of a comprehension the module's names are others than its own.
            of_module = frame.f_globals if frame.f_code.co_name == "<module>" else {}
            names_in({**of_module, **frame.f_locals}, found)
        frame = frame.f_back
    return found


def names_in(namespace: dict[str, Any], found: dict[Node, list[str]]) -> None:
    """Adds the arrays in variables, and in the lists, dicts and objects that variables hold."""
    stack: list[tuple[str, Any, int]] = [
        (name, value, 0) for name, value in list(namespace.items()) if name[:2] != "__"
    ]
    seen: Counter[int] = Counter()  # the loop's `layer` is the list's `layers[2]` too
    for _ in range(ENTRIES):
        if not stack:
            return
        name, value, depth = stack.pop(0)
        node = node_of(value) if isinstance(value, Array) else known_node(value)
        if node is not None:
            found.setdefault(node, []).append(name)
        elif depth < DEPTH and seen[id(value)] < 4:
            seen[id(value)] += 1
            stack += [(f"{name}{way}", part, depth + 1) for way, part in parts(value)]


def parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in list(value.items())[:200]]
    if isinstance(value, (list, tuple)):
        return [(f"[{k}]", part) for k, part in enumerate(value[:200])]
    own = getattr(value, "__dict__", None) if not isinstance(value, ModuleType) else None
    module = getattr(type(value), "__module__", "")
    if isinstance(own, dict) and not isinstance(value, type) and not module.startswith(("numpy", "jaxnet")):
        return [(f".{key}", part) for key, part in list(own.items())[:200]]
    return []


def _holder(name: str) -> str:
    return re.split(r"[.\[]", name)[0]


def parameter_names(step: Step, known: dict[Node, list[str]]) -> dict[Parameter, str]:
    """The author's names for the parameters: a name that only one of them has, by which it is held as it is.

    Where there is none, the target of the line that steps it.
    """
    candidates: dict[Parameter, list[str]] = {p: [] for p in step.parameters}
    by_version = {version: p for p in step.parameters for version in (p.root, *p.versions)}
    for node, held_as in known.items():
        node = node.inputs[2] if node.function is set_flat else node  # what was written through a view of all of it
        version = next((n for n in before_writes(node) if n in by_version), None)  # it may be in the midst of a step
        if version is not None:
            candidates[by_version[version]] += [short_name(name) for name in held_as]
    of_later = known.items() if not all(candidates.values()) else ()  # versions of what was seen to be stepped once
    for node, held_as in of_later:
        version = next((n for n in versions_until(node) if n in by_version), None)
        if version is not None and not candidates[by_version[version]]:
            candidates[by_version[version]] = [short_name(name) for name in held_as]
    holders = Counter(holder for names in candidates.values() for holder in {_holder(name) for name in names})
    bare = all(any(name.isidentifier() for name in names) for names in candidates.values())
    for p in step.parameters:
        # Of `neuron['weights'][0]` and `network[0][1]['weights'][0]` that in what holds most of them; what one alone is
        # called is the variable of a loop.
        candidates[p].sort(
            key=lambda name: (
                not bare and name.isidentifier(),
                0 if bare else -holders[_holder(name)],
                not any(map(read_name, re.findall(r"[A-Za-z_]\w*", name))),  # but a place in a list of all
                bool(re.search(r"\[\d", name)),
                "[" in name,
                bare and "." in name,
                -holders[_holder(name)],
            )
        )
        candidates[p] += [target] if (target := target_of(p.after)) else []
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
