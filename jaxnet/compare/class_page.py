"""What came of many programs as one HTML page: what was misunderstood how often, who is wrong where, each report.

The words and most of the style are those of a report's own page. There are no pictures, so that a class of three
hundred makes a page that can be mailed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from jaxnet.compare import page
from jaxnet.compare.formats import UNNAMED, results_of
from jaxnet.compare.many import Outcome
from jaxnet.compare.mistakes import idea_of
from jaxnet.compare.report import Place, Report

COLUMNS = 8  # at most; the quantities that are wrong least often share one more
ELSEWHERE = "elsewhere"
VERDICTS = {  # sign, word
    "right": ("✓", "right"),
    "right-up-to-scale": ("≈", "right up to a constant"),
    "wrong": ("✗", "wrong"),
    "none": ("?", "no verdict"),
}


class Mark(NamedTuple):
    """What is wrong with one quantity of a program: the code, if it is told, and where."""

    quantity: str
    code: str
    severity: str
    place: Place


def class_page(outcomes: Sequence[Outcome]) -> str:
    """One page of HTML that needs no other file: what is wrong how often, a row and a report a program.

    The rows are in the order of the outcomes, with a column for each quantity of a dense network that is wrong
    somewhere. A row leads to the program's report and back; one without a verdict says why. Of hints it says what they
    say. The names of files are escaped, and what UTF-8 cannot hold of them is a question mark.
    """
    marks = [list(dict.fromkeys(_marks(outcome.report))) if outcome.report else [] for outcome in outcomes]
    parts = [_summary(outcomes), _mistakes(outcomes), _table(outcomes, marks)]
    reports = [_report(number, o.report) for number, o in enumerate(outcomes, 1) if o.report is not None]
    if reports:
        parts.append(page.section("reports", "Reports", "\n".join(reports)))
    return page.document(f"{_programs(len(outcomes))} compared", "\n".join(part for part in parts if part), STYLE)


def _programs(count: int) -> str:
    return f"{count} program" + "s" * (count != 1)


# --- summary ----------------------------------------------------------------------------------------------------------


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in outcomes)
    lines = [
        f'<li class="{verdict}"><b>{counts[verdict]}</b> <span class="sign">{sign}</span> {word}</li>'
        for verdict, (sign, word) in VERDICTS.items()
        if counts[verdict] or verdict != "right-up-to-scale"
    ]
    hints = dict.fromkeys(o.report.hint_line() for o in outcomes if o.report is not None and o.report.hint is not None)
    hinted = "".join(f'\n<p class="network">{escape(hint)}</p>' for hint in hints)
    heading = f"<h1>{_programs(len(outcomes))}</h1>"
    return f'<header>\n{heading}\n<ul class="counts">\n' + "\n".join(lines) + f"\n</ul>{hinted}\n</header>"


def _mistakes(outcomes: Sequence[Outcome]) -> str:
    """Each mistake with the number of programs that make it, the commonest first, and the idea behind it."""
    makers: Counter[str] = Counter()
    quantities: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for report in (outcome.report for outcome in outcomes if outcome.report is not None):
        told = sorted({(f.code, f.at) for f in report.findings if f.code})
        makers.update(sorted({code for code, _ in told}))
        for code, at in told:
            quantities[code][at] += 1
    articles = []
    for code, count in makers.most_common():
        where = ", ".join(at for at, _ in quantities[code].most_common(6))
        articles.append(
            f'<article>\n<h3><b class="count">{count}</b> <code class="at">{escape(code)}</code> '
            f"<small>{escape(where)}</small></h3>\n"
            f'<p class="share"><i style="width: {100 * count / len(outcomes):.0f}%"></i></p>\n'
            f'<p class="why">{escape(idea_of(code))}</p>\n</article>'
        )
    if not articles:
        return ""
    letters = '<p class="network">f stands for a layer\'s activation, l for its number.</p>'
    cards = f'{letters}\n<div class="cards">\n' + "\n".join(articles) + "\n</div>"
    return page.section("mistakes", "Mistakes, and how many programs make them", cards)


# --- the table --------------------------------------------------------------------------------------------------------


def _marks(report: Report) -> list[Mark]:
    """The findings, and the gradients that are wrong without one."""
    marks = []
    for result in results_of(report):
        is_finding = result.at != ", ".join(result.parameters)
        quantities = [result.at] if is_finding else [re.sub(r"^([Wb]\d+)$", r"d\1", p) for p in result.parameters]
        code = "" if result.code == UNNAMED else result.code
        marks += [Mark(quantity, code, result.severity, result.place) for quantity in quantities]
    return marks


def _columns(marks: Sequence[Sequence[Mark]]) -> list[str]:
    """The quantities that have a column, in the order of a backward pass: dZ2, dW2, db2, dZ1 …"""
    counts = Counter(mark.quantity for of_one in marks for mark in of_one)
    known = [q for q, _ in counts.most_common() if q in ("loss", "forward") or re.fullmatch(r"d[ZWb]\d+", q)][:COLUMNS]

    def order(quantity: str) -> tuple[int, ...]:
        return (1, -int(quantity[2:]), "ZWb".index(quantity[1])) if quantity.startswith("d") else (0,)

    return sorted(known, key=order) + [ELSEWHERE] * (len(counts) > len(known))


def _table(outcomes: Sequence[Outcome], marks: Sequence[Sequence[Mark]]) -> str:
    columns = _columns(marks)
    head = "".join(f'<th scope="col">{name}</th>' for name in ("program", "", *columns))
    rows = [_row(number, *pair, columns) for number, pair in enumerate(zip(outcomes, marks, strict=True), 1)]
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>"
    return page.section("programs", "Programs", f"<table>\n{body}\n</table>")


def _row(number: int, outcome: Outcome, marks: Sequence[Mark], columns: list[str]) -> str:
    name, (sign, word) = f"<code>{escape(outcome.source)}</code>", VERDICTS[outcome.verdict]
    verdict = f'<td class="word">{sign} {word}</td>'
    start = f'<tr id="row-{number}" class="{outcome.verdict}"><th scope="row">'
    if outcome.report is None:
        reason = f'<td class="reason" colspan="{len(columns) or 1}">{escape(outcome.why_none)}</td>'
        return f"{start}{name}</th>{verdict}{reason}</tr>"
    cells = []
    for column in columns:
        here = [m for m in marks if m.quantity == column or (column == ELSEWHERE and m.quantity not in columns)]
        said = "".join(_mark(outcome.report, mark, mark.quantity != column) for mark in here)
        cells.append(f'<td data-at="{column}">{said}</td>' if said else "<td></td>")
    return f'{start}<a href="#report-{number}">{name}</a></th>{verdict}{"".join(cells)}</tr>'


def _mark(report: Report, mark: Mark, named: bool) -> str:
    code = mark.code or ("wrong" if mark.severity == "error" else "a constant")
    at = f"<code>{escape(mark.quantity)}</code> " * named
    where = f"<small>{escape(_where(report, mark.place))}</small>" * (mark.place.line is not None)
    return f'<p>{at}<span class="{escape(mark.severity)}">{escape(code)}</span> {where}</p>'


def _where(report: Report, place: Place) -> str:
    """The place within the program, whose name stands at the head of the row."""
    where = report.where(place).removeprefix(f"{report.source}, ").removeprefix(f"{report.source}:")
    return f"line {where}" if where.isdigit() else where


# --- reports ----------------------------------------------------------------------------------------------------------


def _report(number: int, report: Report) -> str:
    parts = [page.header(report, "h2"), page.table(report), page.findings(report)]
    back = f'<p class="back"><a href="#row-{number}">↑ all programs</a></p>'
    return (
        f'<div class="report" id="report-{number}">\n' + "\n".join(part for part in parts if part) + f"\n{back}\n</div>"
    )


STYLE = """
.jaxnet-report main { max-width: 84rem; }
.jaxnet-report header > h1 { color: var(--ink); }
.jaxnet-report main > header { --verdict: var(--line); }
.jaxnet-report .none { --verdict: var(--soft); }
.jaxnet-report .counts { display: flex; flex-wrap: wrap; gap: 0.2rem 2rem; list-style: none; margin: 0.5rem 0 0;
  padding: 0; }
.jaxnet-report .counts li { color: var(--verdict); }
.jaxnet-report .counts b { font-size: 1.6rem; }
.jaxnet-report .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr));
  gap: 0.6rem; margin-top: 0.8rem; }
.jaxnet-report .cards article { padding-block: 0.8rem; margin: 0; }
.jaxnet-report .count { min-width: 1.6rem; color: var(--wrong); font-size: 1.15rem; }
.jaxnet-report .share { background: var(--tint); margin-top: 0.3rem; border-radius: 2px; }
.jaxnet-report .share i { display: block; height: 4px; background: var(--wrong); border-radius: 2px; }
.jaxnet-report a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: 0.15em; }
.jaxnet-report :is(tr, .report) { scroll-margin-top: 3.5rem; }
.jaxnet-report .programs table { width: 100%; font-size: 0.85rem; }
.jaxnet-report .programs :is(th, td) { text-align: left; vertical-align: top; padding-right: 0.9rem;
  white-space: normal; overflow-wrap: anywhere; min-width: 5rem; }
.jaxnet-report .programs thead th { position: sticky; top: 0; background: var(--paper); z-index: 1; }
.jaxnet-report .programs tbody th { min-width: 10rem; font-weight: 400; white-space: pre-wrap; }
.jaxnet-report .programs .word { font-size: 1em; min-width: 7em; }
.jaxnet-report .programs small { color: var(--soft); }
.jaxnet-report .programs p + p { margin-top: 0.3rem; }
.jaxnet-report .reason { color: var(--soft); }
.jaxnet-report tr:target { background: var(--tint); }
.jaxnet-report .report { border-top: 1px solid var(--line); padding: 1.6rem 0; }
.jaxnet-report h2 { break-after: avoid; }
.jaxnet-report .report h2 { font-size: 1.25rem; letter-spacing: 0; text-transform: none; color: var(--verdict);
  margin: 0; }
.jaxnet-report .source code { white-space: pre-wrap; }
.jaxnet-report .report .wide { margin: 0.9rem 0 1.2rem; }
.jaxnet-report .back { font-size: 0.85rem; color: var(--soft); }
@media screen and (max-width: 1120px) {
  .jaxnet-report .programs :is(table, tbody, tr, th, td) { display: block; padding-right: 0; border: 0; }
  .jaxnet-report .programs :is(thead, td:empty) { display: none; }
  .jaxnet-report .programs tr { border-bottom: 1px solid var(--line); padding: 0.5rem 0; }
  .jaxnet-report .programs :is(th, td) { padding-block: 0.1rem; }
  .jaxnet-report .programs td[data-at] { display: grid; grid-template-columns: 5.2rem 1fr; }
  .jaxnet-report .programs td[data-at]::before { content: attr(data-at); color: var(--soft); grid-row: span 9; }
  .jaxnet-report .programs td[data-at] p { grid-column: 2; }
}
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  .jaxnet-report { font-size: 12px; background: none; }
  .jaxnet-report main { max-width: none; padding: 0; }
  .jaxnet-report .programs table { font-size: 11px; }
  .jaxnet-report .programs thead th { position: static; background: none; }
  .jaxnet-report :is(tr, article, .report header) { break-inside: avoid; }
  .jaxnet-report .reports { break-before: page; }
  .jaxnet-report .back { display: none; }
}
"""
