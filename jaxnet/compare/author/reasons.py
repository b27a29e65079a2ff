"""Why there is no verdict on a file: what was run of it, how far that came, and what of it is worth a line."""

from __future__ import annotations

import itertools
from typing import NamedTuple

# How far a run may come.
TRAINS_NOTHING, BREAKS_OFF, TRAINS, IS_JUDGED = range(4)
LATE, TOO_LARGE = "the time was up", "its arrays are too large to be judged"
_SHOWN = 3  # reasons
_NAMED = 3  # runs that share one
_LETTERS = 300  # of one reason


class Reason(NamedTuple):
    what: str  # was run: a program, or what was called
    why: str  # there is no verdict
    far: int
    too_much: bool = False  # smaller numbers may do


def told(reasons: list[Reason], asked: str) -> str:
    """One line on the file that was `asked` for: first what came furthest; where anything came further than that,
    nothing is said of what trains nothing."""
    furthest = max((reason.far for reason in reasons), default=TRAINS_NOTHING)
    kept = [reason for reason in dict.fromkeys(reasons) if reason.far > TRAINS_NOTHING or reason.far == furthest]
    kept.sort(key=lambda reason: -reason.far)
    whats: dict[str, list[str]] = {}
    for reason in kept:
        whats.setdefault(reason.why, []).append(reason.what)
    said = [_of(list(dict.fromkeys(what)), asked) + why for why, what in itertools.islice(whats.items(), _SHOWN)]
    more = len(whats) - len(said)
    said += [f"{more} more were run without a verdict"] * (more > 0)
    return "; ".join(why if len(why) <= _LETTERS else f"{why[:_LETTERS]} …" for why in said)


def _of(names: list[str], asked: str) -> str:
    more = len(names) - _NAMED
    listed = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return "" if names == [asked] else f"{listed}: "
