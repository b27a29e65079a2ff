"""What came of many programs, in a line each, and for other programs: JSON, GitHub, SARIF for editors, Gradescope.

Each is a function from outcomes to text. What a hint withholds is not in their reports, and so in no format either.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

from jaxnet.compare.author.edits import statement_in
from jaxnet.compare.many import NO_VERDICT, Outcome
from jaxnet.compare.mistakes import HEADLINES, WORDS, idea_of
from jaxnet.compare.page import printable
from jaxnet.compare.report import Place, Report

UNNAMED = "wrong-gradient"  # stands for the code where a hint withholds it, or no formula is named
WIDTH = 160  # of why there is no verdict, where programs have a line each


class Result(NamedTuple):
    """One thing that is wrong with a program."""

    at: str  # a quantity, or the parameters that are wrong
    code: str
    severity: str
    message: str
    place: Place
    parameters: list[str]  # whose gradients it makes wrong

    @property
    def title(self) -> str:
        return f"{self.at}: {self.code}"


def results_of(report: Report) -> Iterator[Result]:
    """The findings, then the wrong parameters that no finding accounts for, by the line from which they are wrong."""
    accounted: set[str] = set()
    for finding, place in zip(report.findings, report.places, strict=True):
        names = report.parameters_of(finding)
        accounted |= set(names)
        sentences = [report.explanation(finding) or f"{finding.at} is wrong."]
        if names and finding.severity == "error":
            sentences.append(f"{finding.at} makes the gradient of {', '.join(names)} wrong.")
        yield Result(finding.at, finding.code or UNNAMED, finding.severity, " ".join(sentences), place, names)
    beginning: dict[Place, list[str]] = {}
    for p in report.parameters:
        if not p.right and p.name not in accounted:
            frontier = report.frontier.get(p.name)
            beginning.setdefault((frontier and frontier.wrong_from) or Place(), []).append(p.name)
    severity = "error" if report.verdict == "wrong" else "warning"
    how = "wrong" if report.verdict == "wrong" else "right but for a constant"
    for place, names in beginning.items():
        message = f"the gradient of {', '.join(names)} is {how}" + " from this line on" * (place.line is not None)
        yield Result(", ".join(names), UNNAMED, severity, f"{message}.", place, names)
    if report.verdict != "right" and not report.findings and not beginning:
        yield Result("gradients", UNNAMED, severity, f"{report.headline}.", Place(), [])


def path_of(source: str, report: Report, place: Place) -> Path:
    """The file in which the place is: the source, as it was asked for, or another file of the program's tree."""
    own = Path(source)
    if not place.file or place.cell is not None or report.root is None:
        return own
    whole = Path(report.root, place.file)
    return own if whole == own.resolve() else whole


def from_here(path: Path) -> Path:
    """The path from the working directory on, as GitHub wants it, for what is below it."""
    whole, here = Path(os.path.abspath(path)), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


# --- a line each ------------------------------------------------------------------------------------------------------


def line_of(outcome: Outcome) -> str:
    """The verdict's sign, the path, and in short what is wrong where, or why there is no verdict."""
    if outcome.report is None:
        why = textwrap.shorten(one_line(outcome.why_none), WIDTH, placeholder=" …")
        return f"? {one_line(outcome.source)}  {why}"
    sign, _, _ = HEADLINES[outcome.verdict].partition(" ")
    found: dict[str, list[str]] = {}  # in a loop over the layers, one line is wrong for several quantities
    for r in results_of(outcome.report):
        found.setdefault(f"{r.code}{_where(outcome.source, outcome.report, r.place)}", []).append(r.at)
    told = "; ".join(f"{', '.join(quantities)} {what}" for what, quantities in found.items())
    return f"{sign} {one_line(outcome.source)}" + f"  {told}" * bool(told)


def _where(source: str, report: Report, place: Place) -> str:
    if place.line is None:
        return ""
    path = path_of(source, report, place)
    other = "" if path == Path(source) else f" {one_line(str(from_here(path)))}"
    return f"{other}{f' cell {place.cell}' if place.cell is not None else ''} line {place.line}"


def summary(verdicts: Mapping[str, int], codes: Mapping[str, int]) -> str:
    """How many programs have which verdict, and in how many of them each mistake is."""
    words = {
        "right": "right",
        "right-up-to-scale": "right up to a constant",
        "fixed": "fixed",
        "wrong": "wrong",
        "none": "without a verdict",
    }
    count = sum(verdicts.values())
    counts = [f"{verdicts[name]} {words[name]}" for name in words if verdicts.get(name)]
    lines = [f"{count} program{'s' * (count != 1)}: {', '.join(counts)}"]
    lines += [f"{times:6}  {code}" for code, times in sorted(codes.items(), key=lambda item: (-item[1], item[0]))]
    return "\n".join(lines)


def one_line(text: str) -> str:
    """The text with what would not stay in its line, or is no text, as escapes."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def json_of(outcome: Outcome) -> str:
    """The report's JSON, in a line; without one {"source": …, "verdict": null, "problem": …}."""
    if outcome.report is not None:
        return outcome.report.to_json()
    return json.dumps({"source": outcome.source, "verdict": None, "problem": outcome.why_none}, ensure_ascii=False)


# --- GitHub -----------------------------------------------------------------------------------------------------------


def github(outcomes: Sequence[Outcome]) -> str:
    """A workflow command a line: an error or a warning at its line, a warning for a program without a verdict.

    A right program is not mentioned: GitHub shows ten annotations of a step, and it needs nobody's attention. A
    notebook has no lines there, so the cell is named in the message.
    """
    lines = []
    for outcome in outcomes:
        if outcome.report is None:
            path = from_here(Path(outcome.source))
            lines.append(_command("warning", {"file": path, "title": NO_VERDICT}, outcome.problem or NO_VERDICT))
            continue
        for result in results_of(outcome.report):
            place = result.place
            properties = {"file": from_here(path_of(outcome.source, outcome.report, place))}
            properties |= {} if place.line is None or place.cell is not None else {"line": place.line}
            instead = f"\ninstead: {place.instead}" if place.instead else ""
            message = f"{_in_cell(place)}{result.message}{instead}"
            lines.append(_command(result.severity, properties | {"title": result.title}, message))
    return printable("".join(f"{line}\n" for line in lines))


def _command(name: str, properties: dict[str, Any], message: str) -> str:
    listed = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{name} {listed}::{_escaped(message)}"


def _escaped(text: str, further: str = "") -> str:
    """The text with per cent, the ends of lines and the further signs as %25, %0D, …: per cent first."""
    for sign in f"%\r\n{further}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _in_cell(place: Place) -> str:
    return f"in cell {place.cell}, line {place.line}: " if place.cell is not None else ""


# --- SARIF ------------------------------------------------------------------------------------------------------------


def sarif(outcomes: Sequence[Outcome]) -> str:
    """A log of one run in SARIF 2.1.0: a rule for each code of the catalogue, a result for each thing that is wrong.

    Paths are relative to the working directory where they are below it. A result has a fix where the line to write
    instead is known, and still stands as it was run. A program without a verdict is a notification of the run, which
    then was not successful.
    """
    from importlib.metadata import version  # takes its time to import

    rules = [*WORDS, UNNAMED]
    problems = [o for o in outcomes if o.report is None]
    run = {
        "tool": {"driver": {"name": "jaxnet", "version": version("jaxnet"), "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": _artifact(Path(o.source)), "roles": ["analysisTarget"]} for o in outcomes],
        "results": [_result(o.source, o.report, r, rules) for o in outcomes if o.report for r in results_of(o.report)],
        "invocations": [
            {
                "executionSuccessful": not problems,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": _message(o.problem or NO_VERDICT),
                        "locations": [{"physicalLocation": {"artifactLocation": _artifact(Path(o.source))}}],
                    }
                    for o in problems
                ],
            }
        ],
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return _as_json({"$schema": schema, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, Any]:
    idea = idea_of(code) if code in WORDS else "A gradient is not that of the loss."
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("-")),
        "shortDescription": _message(code.replace("-", " ")),
        "fullDescription": _message(idea),
        "defaultConfiguration": {"level": "error"},
    }


def _result(source: str, report: Report, result: Result, rules: list[str]) -> dict[str, Any]:
    place, path = result.place, path_of(source, report, result.place)
    location: dict[str, Any] = {"artifactLocation": _artifact(path)}
    if place.line is not None and place.cell is None:
        location["region"] = {"startLine": place.line} | ({"snippet": {"text": place.source}} if place.source else {})
    same = [_artifact(path)["uri"], result.at, result.code, str(place.cell or ""), place.source or ""]
    fix = _fix(path, place)
    return {
        "ruleId": result.code,
        "ruleIndex": rules.index(result.code),
        "level": result.severity,
        "message": _message(f"{_in_cell(place)}{result.message}"),
        "locations": [{"physicalLocation": location}],
        # Without the line's number, so that a result stays the same when lines are put in above it.
        "partialFingerprints": {"mistake/v1": hashlib.sha256("\0".join(same).encode("utf-8", "replace")).hexdigest()},
    } | ({"fixes": [fix]} if fix else {})


def _fix(path: Path, place: Place) -> dict[str, Any] | None:
    """What to replace where, if the line is still the one that was run and holds one statement."""
    if not place.instead or place.line is None or place.cell is not None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
        replaced = _replaced(text, place.line, place.instead)
    except (OSError, ValueError, SyntaxError):
        return None
    lines = text.split("\n")
    if replaced is None or lines[place.line - 1].strip() != place.source:
        return None
    last = replaced.end_lineno or replaced.lineno
    region = {
        "startLine": replaced.lineno,
        "startColumn": 1 + _characters(lines[replaced.lineno - 1], replaced.col_offset),
        "endLine": last,
        "endColumn": 1 + _characters(lines[last - 1], replaced.end_col_offset or 0),
    }
    replacement = {"deletedRegion": region, "insertedContent": {"text": place.instead}}
    return {
        "description": _message(f"write {place.instead} instead"),
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": [replacement]}],
    }


def _replaced(text: str, line: int, instead: str) -> ast.stmt | ast.expr | None:
    """What `instead` stands for: the value of `x = value` if it is an expression, and else the whole statement."""
    (written,) = ast.parse(instead).body
    statement = statement_in(text, line)
    return statement.value if isinstance(statement, ast.Assign) and isinstance(written, ast.Expr) else statement


def _characters(line: str, count: int) -> int:
    """How many characters the first bytes of a line are, which is how Python counts its columns."""
    return len(line.encode()[:count].decode())


def _message(text: str) -> dict[str, str]:
    """A message of SARIF, in which {0} would be an argument."""
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def _artifact(path: Path) -> dict[str, str]:
    path = from_here(path)
    return {"uri": path.as_uri() if path.is_absolute() else quote_from_bytes(os.fsencode(path.as_posix()))}


# --- Gradescope -------------------------------------------------------------------------------------------------------


def gradescope(outcomes: Sequence[Outcome], points: float = 100.0) -> str:
    """Gradescope's results.json: a test for each parameter of each program, `points` for all of them together.

    The programs share the points equally, and within a program its parameters do; where a program is wrong though all
    of its gradients are right, that costs as much as a parameter. A gradient that is right but for a constant which all
    share counts as right. A program without a verdict gets one test with all of its points, which fails with none: no
    verdict says nothing about a program, so its output asks for a person, who can give the points by hand. Raises
    ValueError unless points is a positive number.
    """
    if not 0 < points < float("inf"):
        raise ValueError(f"points is {points}; a positive number is needed")
    graded = [test for outcome in outcomes for test in _graded(outcome, points / len(outcomes))]
    return _as_json(
        {
            "score": _rounded(sum(test.points for test in graded if test.passed)),
            "execution_time": round(sum(outcome.seconds for outcome in outcomes)),
            "output": "\n".join(map(_summary, outcomes)) or "There is no program here.",
            "output_format": "text",
            "visibility": "visible",
            "tests": [
                {
                    "name": test.name,
                    "score": _rounded(test.points) if test.passed else 0.0,
                    "max_score": _rounded(test.points),
                    "status": "passed" if test.passed else "failed",
                    "output": test.output,
                    "output_format": "text",
                    "visibility": "visible",
                }
                for test in graded
            ],
        }
    )


class Grade(NamedTuple):
    """A part of a grade: all of its points or none."""

    name: str
    points: float
    passed: bool
    output: str


def _graded(outcome: Outcome, points: float) -> list[Grade]:
    """The tests of one program. Which there are with points follows from the verdicts alone, and so from no hint."""
    file, report = from_here(Path(outcome.source)), outcome.report
    if report is None:
        return [Grade(f"{file}: {NO_VERDICT}", points, False, _summary(outcome))]
    results = list(results_of(report))
    right = {p.name: p.right or report.verdict == "right-up-to-scale" for p in report.parameters}
    beside = report.verdict == "wrong" and all(right.values())
    share = points / (len(right) + beside or 1)
    told = {name: _told(report, [r for r in results if name in r.parameters]) or "right" for name in right}
    tests = [Grade(f"{file}: gradient of {name}", share, right[name], told[name]) for name in right]
    rest = [r for r in results if r.severity == "error" and not r.parameters]
    if rest or beside or not tests:
        points_of_rest = share if beside or not tests else 0.0
        tests.append(Grade(f"{file}: beside the gradients", points_of_rest, not (rest or beside), _told(report, rest)))
    return tests


def _told(report: Report, results: list[Result]) -> str:
    """What is wrong, as text: the place with its line, and what is said of it."""
    parts = []
    for place, message in dict.fromkeys((r.place, r.message) for r in results):
        where = [report.where(place), f"    {place.source}"] if place.line is not None else []
        parts.append("\n".join([*where, message, *([f"instead: {place.instead}"] if place.instead else [])]))
    return "\n\n".join(parts)


def _rounded(points: float) -> float:
    return round(points, 4)


def _summary(outcome: Outcome) -> str:
    file = from_here(Path(outcome.source))
    if outcome.report is None:
        return f"? {NO_VERDICT}, a person must look at it: {file}\n  {outcome.problem or ''}".rstrip()
    hint = f"\n  {outcome.report.hint_line()}" if outcome.report.hint is not None else ""
    return f"{outcome.report.headline}: {file}{hint}"


# --- all of them ------------------------------------------------------------------------------------------------------


def _as_json(document: dict[str, Any]) -> str:
    return printable(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


FORMATS: dict[str, Callable[[Sequence[Outcome]], str]] = {"github": github, "sarif": sarif, "gradescope": gradescope}
