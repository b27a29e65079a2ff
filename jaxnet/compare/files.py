"""Compares the backward pass of an author's file, in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jaxnet.compare.author.child import run_in_child
from jaxnet.compare.report import Report

MENDING = 5.0  # seconds that go into what to write instead, where nobody asks for more


def compare_file(
    path: str | Path, *, content: bytes | None = None, timeout: float = 60.0, mend: float = MENDING, **flags: Any
) -> Report:
    """Run a program until it has made a training step, and say whether its gradients are those of its loss.

    `path` is a .py or .ipynb; it is run on a copy of its tree, in another process, for at most `timeout` seconds. The
    flags are those of the command line: `forward`, `backward`, `init` and `loss` name functions of the file, `loss`
    may also be a loss of `jaxnet.losses`, `layout` is columns or rows. For `mend` seconds of that time, lines to write
    instead of wrong ones are looked for. With `content`, a program that is not saved is run as if it lay at `path`,
    beside the files that are there. Raises ValueError, of one line, where no verdict can be reached, and says why.
    """
    packed, arrays = run_in_child(path, content=content, timeout=timeout, mend=mend, **flags)
    return Report.unpacked(packed, arrays)._replace(source=str(path))
