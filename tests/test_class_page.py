"""The page of a class: every program in its row, each mistake counted, and no name of a file taken for HTML."""

import re

import numpy as np
import pytest
from planting import backward, make_network
from test_page import Reader

import jaxnet
from jaxnet.compare.class_page import COLUMNS, class_page
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.many import Outcome
from jaxnet.compare.mistakes import idea_of
from jaxnet.compare.report import Frontier, Place

SLOPE, SUM = "missing-activation-derivative", "summed-over-all-axes"


def program(name, plan, cell=None):
    """What came of a program with planted mistakes, whose findings are at lines 41, 42 …"""
    params, X, Y = make_network(np.random.default_rng(0), (4, 5, 3), 7)
    gradients = backward(params, X, Y, "tanh", "softmax", "squared-error", plan)
    report = jaxnet.diagnose_backprop(params, X, Y, gradients, hidden="tanh", loss="squared-error")
    places = [Place(41 + k, cell, f"line = {k}", f"instead({k})") for k in range(len(report.findings))]
    return Outcome(name, report._replace(source=name, places=places), None, 1.0)


def no_verdict(name, problem):
    return Outcome(name, None, problem, 1.0)


@pytest.fixture(scope="module")
def outcomes():
    return [
        program("ada.py", {}),
        program("bob.ipynb", {"dZ1": (SLOPE,)}, cell=3),
        no_verdict("cy.py", "cy.py: the code may loop without end"),
        program("dot.py", {"dZ1": (SLOPE,), "db2": (SUM,)}),
        program("eve.py", {"dZ2": ("wrong-scale",)}),
    ]


class Rows(Reader):
    """The rows of the table of programs, as the words of their cells, and where their links lead."""

    def __init__(self, html):
        self.rows, self.links, self.ids = [], [], []
        super().__init__(html)
        text = html[html.index('<section class="programs">') :]
        for row in re.findall(r"<tr.*?</tr>", text[: text.index("</section>")], re.DOTALL):
            cells = re.findall(r"<(?:td|th)\b.*?</(?:td|th)>", row, re.DOTALL)
            self.rows.append([Reader(cell).text for cell in cells])

    def handle_starttag(self, tag, attributes):
        super().handle_starttag(tag, attributes)
        self.links += [value for name, value in attributes if name == "href"]
        self.ids += [value for name, value in attributes if name == "id"]


def test_each_program_has_its_row(outcomes):
    assert Rows(class_page(outcomes)).rows == [
        ["program", "", "loss", "db2", "dZ1"],
        ["ada.py", "✓ right", "", "", ""],
        ["bob.ipynb", "✗ wrong", "", "", f"{SLOPE} cell 3, line 41"],
        ["cy.py", "? no verdict", "the code may loop without end"],
        ["dot.py", "✗ wrong", "", f"{SUM} line 41", f"{SLOPE} line 42"],
        ["eve.py", "≈ right up to a constant", "wrong-scale line 41", "", ""],
    ]


def test_the_class_is_counted(outcomes):
    text = Reader(class_page(outcomes)).text
    assert text.startswith(
        "5 programs compared 5 programs 1 ✓ right 1 ≈ right up to a constant 2 ✗ wrong 1 ? no verdict"
    )
    first, second = f"2 {SLOPE} dZ1 {idea_of(SLOPE)}", f"1 {SUM} db2 {idea_of(SUM)}"
    assert 0 < text.index(first) < text.index(second) < text.index("ada.py")


def test_a_mistake_counts_once_for_a_program():
    twice = program("a.py", {"db1": (SUM,), "db2": (SUM,)})
    assert [f.code for f in twice.report.findings] == [SUM, SUM]
    assert f"1 {SUM} db1, db2" in Reader(class_page([twice])).text


def test_rows_lead_to_reports_and_back(outcomes):
    page = Rows(class_page(outcomes))
    assert len(page.ids) == len(set(page.ids))
    assert [link for link in page.links if link[1:] not in page.ids] == []
    assert [link for link in page.links if "report" in link] == [f"#report-{k}" for k in (1, 2, 4, 5)]
    assert [link for link in page.links if "row" in link] == [f"#row-{k}" for k in (1, 2, 4, 5)]
    for outcome in outcomes:
        for finding in outcome.report.findings if outcome.report else []:
            assert all(part in page.text for part in outcome.report.explanation(finding).split(": ", 1)[1:])
    assert "dot.py:42" in page.text
    assert "instead(1)" in page.text


def test_a_gradient_without_a_finding_is_marked_where_it_goes_wrong():
    report = program("a.py", {"dZ1": (SLOPE,)}).report
    frontier = {"W1": Frontier(None, "dZ1", Place(9)), "b1": Frontier(None, "dZ1", Place(10, file="help.py"))}
    outcome = Outcome("a.py", report._replace(findings=[], places=[], frontier=frontier), None, 1.0)
    assert Rows(class_page([outcome])).rows[1] == ["a.py", "✗ wrong", "wrong line 9", "wrong help.py:10"]


def test_quantities_without_a_column_are_named():
    report = program("a.py", {"dZ1": (SLOPE,)}).report
    at = [f"dZ{layer}" for layer in range(1, COLUMNS + 2)] + ["gamma"]
    findings = [Finding(quantity, SLOPE) for quantity in at]
    one = Outcome("a.py", report._replace(findings=findings, places=[Place()] * len(at)), None, 1.0)
    head, row = Rows(class_page([one])).rows
    assert head[2:] == [*reversed(at[:COLUMNS]), "elsewhere"]
    assert row[2:] == [SLOPE] * COLUMNS + [f"dZ{COLUMNS + 1} {SLOPE} gamma {SLOPE}"]


@pytest.mark.parametrize(
    ("level", "told"), [(1, set()), (2, {"line"}), (3, {"line", "code"}), (None, {"line", "code", "rest"})]
)
def test_hints_say_no_more_than_their_level(outcomes, level, told):
    page = class_page([o._replace(report=o.report and o.report.hinted(level)) for o in outcomes])
    text = Reader(page).text
    assert (f"hint {level} of 3" in text) == (level is not None)
    assert ("line 41" in text, "line = 1" in text) == ("line" in told, "line" in told)
    assert (SLOPE in page, idea_of(SUM) in text) == ("code" in told, "code" in told)
    assert ("instead(" in page, "1.0e+00" in text) == ("rest" in told, "rest" in told)
    assert Rows(page).rows[4][:2] == ["dot.py", "✗ wrong"]


def test_a_hint_of_level_1_names_the_gradients_alone(outcomes):
    hinted = [o._replace(report=o.report and o.report.hinted(1)) for o in outcomes]
    rows = Rows(class_page(hinted)).rows
    assert rows[0] == ["program", "", "dW2", "db2", "dW1", "db1"]
    assert rows[2] == ["bob.ipynb", "✗ wrong", "", "", "wrong", "wrong"]
    assert rows[5] == ["eve.py", "≈ right up to a constant", *["a constant"] * 4]


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>.py",
        "\"quoted\" 'twice' &amp; &.py",
        "two\nlines: a.py",
        "caf\udce9.py",
        "javascript:x.py",
    ],
)
def test_names_of_files_are_names(name):
    made = class_page([program(name, {"dZ1": (SLOPE,)}), no_verdict(name, f"{name}: <b>no</b>")])
    made.encode()
    page = Rows(made)
    assert "script" not in page.tags
    assert page.text.count(" ".join(name.replace("\udce9", "?").split())) >= 4
    assert page.rows[2][2] == "<b>no</b>"
    assert set(page.links) == {"#report-1", "#row-1"}


def test_nothing_is_loaded_from_elsewhere(outcomes):
    html = class_page(outcomes)
    page = Rows(html)
    assert "default-src 'none'" in html
    assert not {"script", "link", "iframe", "object", "base", "img"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"https?://|@import|url\(", html)


def test_three_hundred_programs_make_a_small_page(outcomes):
    every = outcomes * 60
    html = class_page(every)
    assert len(Rows(html).rows) == 1 + 300
    assert len(html.encode()) < 2_000_000


@pytest.mark.parametrize("few", [[], [no_verdict("a.py", "a.py: why")], [program("a.py", {})]])
def test_a_class_of_few(few):
    page = Rows(class_page(few))
    assert page.text.startswith(f"{len(few)} program" + "s" * (len(few) != 1) + " compared")
    assert len(page.rows) == 1 + len(few)
    assert "Mistakes" not in page.text
