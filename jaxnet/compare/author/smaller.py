"""Smaller numbers in the place of a program's own: with these it may be too large, or too slow, to be judged."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTHS = (24, 40, 56, 72, 88)  # which as many heads as most have divide
# What is called so (squeezed), and how many are enough, of which there is another one for each number: of what a
# network is made of, never of its data. They are unlike each other, and unlike what is written out in many places.
_ENOUGH = [
    (r"(mini)?batch(size|len)?|bsz?", (7, 11, 13, 17)),
    (r"(block|context|seq(uence)?|max(seq(uence)?)?)(size|len(gth)?)", (9, 15, 19, 21)),
    (r"d(model|ff|k|v|emb)|n?emb(e?d)?|ffn?(size|dim)", WIDTHS),
    (
        r"(n|num)?(embed(ding)?|hidden|latent|model|lstm|rnn|state|feedforward)s?(size|dim|unit|node|neuron|state)?s?",
        WIDTHS,
    ),
    (r"(n|num|enc|dec|encoder|decoder)?(layers|blocks)|depth", (3,)),
    (r"(n|num)?heads?", (2,)),
]
_COMPILED = [(re.compile(pattern), enough) for pattern, enough in _ENOUGH]


class Sizes:
    """The numbers of a program that can be smaller, by name, as they can be, or are. Those that differ stay so, and the
    larger one the larger, for all that is in a file."""

    def __init__(self, examples: Mapping[int, int]) -> None:
        self.by_name: dict[str, int] = {}
        self._larger: set[int] = set()  # what those by name are …
        self._unnamed: set[Any] = set()  # … and what stands in the files without such a name
        self._examples = examples  # how many there are of missing data, wherever that is written out, and fewer
        self._fewer: dict[tuple[tuple[int, ...], int], int] = {}

    def learn(self, text: str, body: list[ast.stmt]) -> None:
        """What the numbers of a file can become."""
        taken = {int(number) for number in re.findall(r"(?<![\w.])\d{1,9}(?![\w.])", text)}  # is written out
        found = [(enough, c) for part in body for name, c in _named(part) if (enough := _enough(name))]
        known = {id(constant) for _, constant in found}
        others = (n for part in body for n in ast.walk(part) if isinstance(n, ast.Constant) and id(n) not in known)
        self._unnamed |= {n.value for n in others if type(n.value) in (int, float)}
        named = {(enough, c.value) for enough, c in found if type(c.value) is int}
        for enough, number in sorted(named - self._fewer.keys(), key=lambda size: size[1]):
            used = {*self._fewer.values()} | taken if len(enough) > 1 else set()
            least = max((n for (of, m), n in self._fewer.items() if of == enough and m < number), default=0)
            free = (n for n in enough if least <= n < number and n not in used)
            self._fewer[enough, number] = next(free, number)

    @property
    def stand_alone(self) -> bool:
        """Whether no number that is smaller stands in the files as it was, where it may be the same."""
        return self._larger.isdisjoint(self._unnamed)

    def of_arguments(self, arguments: Sequence[str], in_place: bool) -> list[str]:
        """What a program is started with: `--batch-size 1024`."""
        found = list(arguments)
        for k, (flag, value) in enumerate(itertools.pairwise(arguments), start=1):
            number = int(value) if flag.startswith("--") and value.isdigit() else 0
            if (fewer := next((n for n in _enough(flag) if n < number), None)) is not None:
                self.by_name[flag] = fewer
                self._larger.add(number)
                found[k] = str(fewer) if in_place else value
        return found

    def shrink(self, statement: ast.stmt, in_place: bool) -> None:
        """Notes those of a statement; with `in_place` it has them from then on."""
        numbers = [n for n in ast.walk(statement) if isinstance(n, ast.Constant) and type(n.value) is int]
        for constant, number in [(n, n.value) for n in numbers]:
            if isinstance(number, int) and number in self._examples:
                fewer = self.by_name[f"{number} as"] = self._examples[number]
                constant.value = fewer if in_place else number
        for name, constant in _named(statement) if numbers else ():
            number = constant.value
            if type(number) is int and (fewer := self._fewer.get((_enough(name), number), number)) < number:
                self.by_name[name] = fewer
                self._larger.add(number)
                constant.value = fewer if in_place else number


def _enough(name: str) -> tuple[int, ...]:
    plain = re.sub(r"[^a-z]", "", name.lower())
    return next((enough for pattern, enough in _COMPILED if pattern.fullmatch(plain)), ())


def _named(statement: ast.stmt) -> Iterator[tuple[str, ast.Constant]]:
    """The constants of a statement that are given a name: assigned, by default, as an argument or at a key."""
    for node in ast.walk(statement):
        pairs: list[tuple[Any, ast.AST | None]] = []
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = list(zip(names, values, strict=False))
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
                pairs = [(target, value)]
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[*_, ast.Constant(value=str(flag))]):
                pairs = [(flag, word.value) for word in node.keywords if word.arg == "default"]
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
