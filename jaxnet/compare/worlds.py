"""What an author's code may work on: sizes, layout and kind of labels, and the data that go with them."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare import names
from jaxnet.compare.calling import RATE
from jaxnet.compare.functions import File, tail
from jaxnet.compare.parameters import used_as_list
from jaxnet.compare.roles import Plan


class World(NamedTuple):
    """A hypothesis of what the code works on."""

    sizes: tuple[int, ...]  # inputs, hidden …, outputs
    layout: str  # columns or rows
    labels: str = "one-hot"  # or integers (m,), integers-2d: what stands for Y
    form: str = "batch"  # or example (m = 1), or vector (X is (i,))
    authors_sizes: bool = False  # the sizes that the file itself gives to its constructor or initialiser
    flat_biases: bool = False  # parameters that we make: b (o,), rather than (o, 1) or (1, o)
    flipped: bool = False  # parameters that we make: W (i, o) in columns, (o, i) in rows
    seed: int = 0

    @property
    def m(self) -> int:
        """Enough for every class, and unlike every size, so that no transpose hides."""
        if self.form != "batch":
            return 1
        counts = (m for m in itertools.count(max(6, self.sizes[-1] + 2)) if m not in self.sizes)
        return next(itertools.islice(counts, self.seed * 2, None))


def data_of(world: World) -> dict[str, Any]:
    """What the reserved names of the pool stand for."""
    draws = np.random.default_rng(1000 + world.seed)
    m, inputs, outputs = world.m, world.sizes[0], world.sizes[-1]
    x = draws.normal(size=(m, inputs))
    if inputs == 784:  # images: dark for the most part
        x = draws.random((m, inputs)) * (draws.random((m, inputs)) < 0.2)
    labels = draws.permutation((np.arange(m) + draws.integers(100)) % max(outputs, 2))
    y = labels[:, None].astype(np.float64) if outputs == 1 else np.eye(outputs)[labels]
    if world.layout == "columns":
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    if world.form == "vector":
        x, y = x.reshape(-1), y.reshape(-1)
    flat = labels[:, None] if world.layout == "rows" else labels[None]
    hidden = list(world.sizes[1:-1])
    data = {
        "<X>": x, "<Y>": {"one-hot": y, "integers": labels, "integers-2d": flat}[world.labels], "<one-hot>": y,
        "<labels>": labels, "<m>": m, "<rate>": RATE, "<inputs>": inputs, "<outputs>": outputs,
        "<sizes>": list(world.sizes), "<depth>": len(world.sizes) - 1, "<hidden list>": hidden,
    }  # fmt: skip
    return data | {f"<hidden{k}>": size for k, size in enumerate(hidden, 1)}


_DISTINCT = (5, 4, 6, 8, 5, 4, 6)  # of hidden layers, between 7 inputs and 3 outputs


def worlds(file: File, plan: Plan, layout: str | None, forms: tuple[str, ...]) -> Iterator[list[World]]:
    """Groups of hypotheses, one for each choice of sizes, likeliest first."""
    building = [c for c in (plan.init, file.callees.get(f"{plan.owner}.__init__")) if c]
    meant = {m for c in building for p in c.arguments for m in names.meanings(p.name, True)[:1]}
    named = [r for c in (plan.forward, plan.backward) for p in c.arguments if (r := names.read_name(p.name))]
    named += [r for n in file.free_names(plan.forward) if (r := names.read_name(n))]
    made = {r.identity for r in named if r.kind == "W" and not r.gradient}
    numbered = any(r.number is not None for r in named)
    listed = any(used_as_list(plan.forward, p.name) for p in plan.forward.arguments if names.read_name(p.name))
    if meant & {"sizes", "hidden_list"}:
        depths = [3, 2, 1, 4]
    elif meant & {"hidden1", "hidden2", "hidden3"}:
        depths = [1 + len(meant & {"hidden1", "hidden2", "hidden3"})]
    elif building or plan.owner:
        depths = [2, 3, 1]
    else:
        depths = [len(made)] if not listed and (numbered or len(made) > 1) else [3, 2, 1]
    written = _written_depth(file)
    if written and len(depths) > 1:
        depths = list(dict.fromkeys([written, *depths]))
    one_unit = _suggests_one_unit(file)
    choices: list[tuple[tuple[int, ...], bool]] = []
    for depth in depths:
        hidden = tuple(itertools.islice(itertools.cycle(_DISTINCT), depth - 1))
        choices += [((7, *hidden, outputs), False) for outputs in ([1, 3] if one_unit else [3])]
    if building:
        choices.append(((7, 5, 3), True))
    for depth in depths[:2]:
        hidden = tuple(itertools.islice(itertools.cycle(_DISTINCT), depth - 1))
        choices += [((7, *hidden, 1), False), ((7, *hidden, 10), False), ((784, *hidden, 10), False)]
        choices += [((7, *[3] * depth), False), ((4,) * (depth + 1), False), ((784, *[10] * depth), False)]
    layouts = [layout] if layout else ["columns", "rows"]
    made_here = not building and not plan.owner
    for sizes, authors in dict.fromkeys(choices):
        yield [
            World(sizes, lay, labels, form, authors, flat, flip)
            for flip in ((False, True) if made_here else (False,))
            for form in forms
            for labels in ("one-hot", "integers", "integers-2d")
            for lay in layouts
            for flat in ((False, True) if made_here else (False,))
        ]


def _written_depth(file: File) -> int:
    """The number of layers that are written out in the file: the highest in W3, params['W3'], weights[2]."""
    depth = 0
    for callee in file.callees.values():
        for node in ast.walk(callee.node):
            word = tail(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""
            read = names.read_name(word) if word else None
            if read and read.kind == "W" and read.number is not None:
                depth = max(depth, read.number)
            match node:
                case ast.Subscript(value=ast.Name() | ast.Attribute() as value, slice=ast.Constant(value=int(index))):
                    read = names.read_name(tail(value))
                    depth = max(depth, index + 1) if read and read.kind == "W" else depth
    return depth


def _suggests_one_unit(file: File) -> bool:
    """Whether the file speaks of a single output unit: a threshold of one half, or a dot product in its loss."""
    for callee in file.callees.values():
        text = ast.unparse(callee.node)
        if "> 0.5" in text or ">= 0.5" in text:
            return True
        if names.is_loss(callee.short) and "log(" in text and "1 -" in text and ("dot(" in text or " @ " in text):
            return True
    return False
