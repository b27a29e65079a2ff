"""`%load_ext jaxnet`, then `%compare`: judges the cells of a notebook as they have been run so far.

Not the file as it was last saved, but what the kernel was given: each cell as it was when it last ran, without those
runs that failed. Interrupted runs count, since training that takes too long is no mistake. Magics have no effect:
`%compare` itself may be among the cells, and what stands above it in its own counts.

Which cell a run belongs to, the front end says (JupyterLab, Notebook 7, VS Code), once the extension is loaded.
Elsewhere a run is that of an earlier cell, edited, if most of its text is the same and it binds the same names anew.

In which order the cells stand, no front end says. They are taken in the order of their last runs, which is what the
kernel did. Where a cell was mended but those below it not run again, something is missing in this order, though the
learner sees a whole program: so if statements fail, the order of the first runs is tried too, and that one counts in
which fewer fail. Cells are named by the number that stands beside them, the [3] of their last run.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
import symtable
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.compare.files import MENDING, compare_file
from jaxnet.compare.report import HINTS, Frontier, Place, Report

FILE = "cells.ipynb"  # as which the cells are run; nothing is written in the kernel's folder
SOURCE = "the cells run so far"
ALIKE = 0.6  # share of the text that an edited cell keeps, at least


class Run(NamedTuple):
    """One run of a cell."""

    number: int  # the execution count
    cell: str | None  # the cell's identity, if the front end tells it
    source: str  # as the author wrote it
    code: str  # the same without magics, as Python
    first: int = 0  # the number of the cell's first run that counts


def load_ipython_extension(ipython: Any) -> None:
    """Called by `%load_ext jaxnet`: adds the line magic `%compare`, of which `%compare?` says more."""
    from IPython.core import magic_arguments
    from IPython.display import display

    history = ipython.history_manager
    cells: dict[int, str | None] = {}
    earlier = getattr(history, "exceptions", {})  # of what was run already; older versions of IPython do not keep it
    failed = {number for number, error in earlier.items() if error["ename"] != KeyboardInterrupt.__name__}

    def before_cell(info: Any) -> None:
        number = len(history.input_hist_raw)
        cells[number] = getattr(info, "cell_id", None)
        failed.discard(number)

    def after_cell(result: Any) -> None:
        if result.info.store_history and not (result.success or isinstance(result.error_in_exec, KeyboardInterrupt)):
            failed.add(len(history.input_hist_raw) - 1)

    @magic_arguments.magic_arguments()
    @magic_arguments.argument(
        "--hint", type=int, choices=list(HINTS), help="Say less, for a learner who wants to find it."
    )
    @magic_arguments.argument("--loss", help="The loss function, or squared-error, cross-entropy, …")
    @magic_arguments.argument("--timeout", type=float, default=60.0, help="Seconds that the cells may run.")
    def compare(line: str) -> None:
        """Say whether the backward pass in the cells run so far is right, and which formula is wrong."""
        options = magic_arguments.parse_argstring(compare, line)
        sources = enumerate(zip(history.input_hist_raw, history.input_hist_parsed, strict=True))
        runs = [Run(n, cells.get(n), source, code) for n, (source, code) in sources if source.strip()]
        try:
            report = compare_runs(runs, failed, options.hint, loss=options.loss, timeout=options.timeout)
        except ValueError as error:
            print(f"jaxnet: {error}", file=sys.stderr)
            return
        display({"text/plain": report.text(), "text/html": report._repr_html_()}, raw=True)

    ipython.events.register("pre_run_cell", before_cell)
    ipython.events.register("post_run_cell", after_cell)
    ipython.register_magic_function(compare, "line", "compare")


def compare_runs(runs: Sequence[Run], failed: set[int], hint: int | None = None, **flags: Any) -> Report:
    """The report on the cells that these runs, in their order, leave; without the runs whose numbers have failed.

    Raises ValueError, of one line, where there is no verdict.
    """
    counted = latest([run for run in runs if run.number not in failed])
    reports, problems = [], []
    for order in dict.fromkeys((tuple(counted), tuple(sorted(counted, key=lambda run: run.first)))):
        try:
            report = _compare(order, mend=MENDING if hint is None else 0, **flags)
        except ValueError as error:
            problems.append(error)
            continue
        reports.append(report)
        if not report.notes:
            break
    if reports:
        return min(reports, key=lambda report: len(report.notes)).hinted(hint)
    seen = {run.cell for run in counted if run.cell}
    missing = [run for run in runs if run.number in failed and run.cell not in seen and run.source[:1] not in "%!?"]
    left_out = ", ".join(f"{run.number}" for run in missing)
    raise ValueError(f"{problems[0]}" + f"; left out, since it failed: cell {left_out}" * bool(missing))


def latest(runs: Sequence[Run]) -> list[Run]:
    """The last run of each cell, in order, with the number of the cell's first one."""
    found: list[Run] = []
    for run in runs:
        same = [known for known in found if known.cell and known.cell == run.cell]
        same = same or [k for k in found if not (k.cell and run.cell) and _is_edited(k, run)]
        if same:
            found.remove(same[-1])
        known = same[-1] if same else run
        found.append(run._replace(cell=run.cell or known.cell, first=known.first or known.number))
    return found


def _is_edited(before: Run, after: Run) -> bool:
    """Whether `after` may be the same cell, edited: it binds all names anew, and goes on from none of them."""
    (bound, read), (bound_after, read_after) = _names(before.code), _names(after.code)
    if not bound or not bound <= bound_after or read_after & bound - read:
        return False
    return difflib.SequenceMatcher(None, before.source, after.source, autojunk=False).ratio() >= ALIKE


@functools.lru_cache
def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds, and those that it reads."""
    try:
        symbols = symtable.symtable(code, "cell", "exec").get_symbols()
    except (SyntaxError, ValueError):
        return set(), set()
    return {s.get_name() for s in symbols if s.is_assigned()}, {s.get_name() for s in symbols if s.is_referenced()}


def _compare(runs: Sequence[Run], **flags: Any) -> Report:
    """The report on these cells as one program that lies in the working directory."""
    numbers = [run.number for run in runs]
    cells = [{"cell_type": "code", "metadata": {}, "source": run.source} for run in runs]
    content = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    path = Path.cwd() / FILE
    try:
        report = compare_file(path, content=content, **flags)
    except ValueError as error:
        said = str(error).removeprefix(f"{path}: ").replace(f"{FILE}: ", "")
        raise ValueError(_renumbered(said, numbers)) from None

    def shown(place: Place | None) -> Place | None:
        if place is None or place.cell is None:
            return place
        return place._replace(cell=numbers[place.cell - 1], file=None)

    frontier = {
        name: Frontier(shown(f.right_up_to), f.quantity, shown(f.wrong_from)) for name, f in report.frontier.items()
    }
    return report._replace(
        source=SOURCE,
        places=[shown(place) or place for place in report.places],
        frontier=frontier,
        unjudged=[u._replace(place=shown(u.place) or u.place) for u in report.unjudged],
        also_right=[shown(place) or place for place in report.also_right],
        notes=[_renumbered(note, numbers) for note in report.notes],
    )


def _renumbered(text: str, numbers: Sequence[int]) -> str:
    """The text with the numbers of its cells, which are those of other notebooks where a name stands before them."""
    return re.sub(r"(?<!, )\bcell (\d+)(?=, line)", lambda found: f"cell {numbers[int(found[1]) - 1]}", text)
