"""Compares many programs side by side: files, and what stands in folders."""

from __future__ import annotations

from typing import NamedTuple

from jaxnet.compare.report import Report


class Outcome(NamedTuple):
    """What came of one program: its report, or the one line that says why there is none."""

    source: str  # the path as it was asked for
    report: Report | None
    problem: str | None
    seconds: float

    @property
    def verdict(self) -> str:
        """right, right-up-to-scale, wrong, or none."""
        return self.report.verdict if self.report is not None else "none"
