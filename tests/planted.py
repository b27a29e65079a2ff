"""The programs of tests/programs, each right once and with each of its planted mistakes.

A program says in comments what this module has to know; none of them is in the text that is compared:
`code  # wrong: other code`   planted, `other code` stands in the line (several in a line: one mistake each);
`code  # missing: less code`  the same where what is left is a right derivative, but of something else: without an
                              addend it is that of one use of a quantity. It may show in the next line only;
`# parameters: {…}`           before the forward pass: an expression, the parameters by name;
`# gradients: loss, {…}`      after the backward pass and before the step: the loss, the raw gradients by name.
"""

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
HOOK = re.compile(r"^( *)# (parameters|gradients): (.+)$")
MISTAKE = re.compile(r"  # (wrong|missing): ")


class Variant(NamedTuple):
    name: str  # "rnn", "rnn 47a"
    text: str  # the program
    line: int | None = None  # of the mistake, in `text`; None where all is right
    shapes: dict[str, tuple[int, ...]] = {}  # noqa: RUF012 (of the parameters, by name)
    wrong: frozenset[str] = frozenset()  # the parameters whose gradient the mistake changes
    missing: bool = False  # what the line makes is a derivative still


class Stop(BaseException):
    """Ends a program once it has made its gradients."""


def variants(path: Path) -> Iterator[Variant]:
    """First the right program, then it with one mistake after the other."""
    marked = path.read_text().splitlines()
    _, right = first_step("\n".join(without_mistakes(marked)))
    shapes = {name: gradient.shape for name, gradient in right.items()}
    yield Variant(path.stem, *without_hooks(without_mistakes(marked), None), shapes)
    for number, line in enumerate(marked):
        kinds_and_code = MISTAKE.split(line)[1:]
        for letter, kind, replacement in zip("abcdef", kinds_and_code[::2], kinds_and_code[1::2], strict=False):
            lines = without_mistakes(marked)
            lines[number] = line[: len(line) - len(line.lstrip())] + replacement
            _, gradients = first_step("\n".join(lines))
            wrong = frozenset(name for name in right if differ(gradients[name], right[name]))
            name = f"{path.stem} {number + 1}{letter}"
            yield Variant(name, *without_hooks(lines, number), shapes, wrong, kind == "missing")


def without_mistakes(lines: list[str]) -> list[str]:
    return [MISTAKE.split(line)[0] for line in lines]


def without_hooks(lines: list[str], number: int | None) -> tuple[str, int | None]:
    """The text, and where lines[number] is in it, counted from 1."""
    kept = [k for k, line in enumerate(lines) if not HOOK.match(line)]
    return "\n".join(lines[k] for k in kept) + "\n", None if number is None else kept.index(number) + 1


def differ(given: np.ndarray, right: np.ndarray) -> bool:
    return given.shape != right.shape or bool(np.abs(given - right).max() > 1e-9 * np.abs(right).max())


def first_step(text: str, nudge: dict[str, np.ndarray] | None = None) -> tuple[float, dict[str, np.ndarray]]:
    """The loss and the gradients of the program's first step, its parameters moved by `nudge` before it."""
    seen = {}

    def see_parameters(parameters):
        for name, move in (nudge or {}).items():
            parameters[name][...] += move

    def see_gradients(loss, gradients):
        seen.update({name: np.array(gradient, dtype=float) for name, gradient in gradients.items()})
        seen[""] = float(loss)
        raise Stop

    text = "\n".join(HOOK.sub(r"\1see_\2(\3)", line) for line in text.splitlines())
    names = {"__name__": "__main__", "see_parameters": see_parameters, "see_gradients": see_gradients}
    with contextlib.suppress(Stop), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "program", "exec"), names)
    return seen.pop(""), seen
