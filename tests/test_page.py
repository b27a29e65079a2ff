"""The report's page: all that the report says, nothing from elsewhere, and no word of the author's taken for HTML."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from planting import backward, make_network

import jaxnet
from jaxnet.compare.class_page import class_page
from jaxnet.compare.files import compare_file
from jaxnet.compare.formats import gradescope
from jaxnet.compare.gradients import compare_library
from jaxnet.compare.many import Outcome
from jaxnet.compare.page import fragment, page
from jaxnet.compare.report import Move, Place, Report, Unjudged
from jaxnet.compare.teeth import Teeth

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """The tags, their attributes and the text of a page; fails where a tag is not closed."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(html)
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    def pictures(self):
        return [value for _, name, value in self.attributes if name == "src"]


def planted(plan, X, Y, sizes=(784, 12, 10)):
    params = [(np.asarray(W, float), np.asarray(b, float)) for W, b in jaxnet.init_params(0, sizes)]
    return jaxnet.diagnose_backprop(params, X, Y, backward(params, X, Y, "relu", "softmax", "squared-error", plan))


@pytest.fixture(scope="module")
def wrong(real_batch):
    plan = {"dZ1": ("missing-activation-derivative",), "db2": ("summed-over-all-axes",), "dW1": ("wrong-sign",)}
    return planted(plan, *real_batch)


def test_page_says_what_the_report_says(wrong):
    text = Reader(page(wrong)).text
    assert len(wrong.findings) == 3
    for finding in wrong.findings:
        assert finding.at in text
        assert finding.code in text
        assert all(part in text for part in wrong.explanation(finding).split(": ", 1)[1:])
    for parameter in wrong.parameters:
        assert f"{parameter.relative_error:.1e}" in text
    assert "✗ wrong" in text
    assert "784-12-10" in text


@pytest.mark.slow
def test_pages_of_files_show_the_line():
    report = compare_file("scripts/notebook_net.py")
    text = Reader(page(report)).text
    assert {place.line for place in report.places} == {50, 60}
    for finding, place in zip(report.findings, report.places, strict=True):
        assert finding.code in text
        if place.line:
            assert f"scripts/notebook_net.py:{place.line}" in text
            assert place.source in text


def test_a_cell_of_a_notebook_is_named(wrong):
    report = wrong._replace(source="mine.ipynb", places=[Place(7, 3, "x = 1", "x = 2")] * 3)
    assert "mine.ipynb, cell 3, line 7" in Reader(page(report)).text


def test_right_report_has_pictures_and_no_findings():
    reader = Reader(page(compare_library(16)))
    assert "✓ right" in reader.text
    assert "Findings" not in reader.text
    assert len(reader.pictures()) == 6
    assert "10 units, each as an image of 28×28" in reader.text


def test_right_up_to_a_scale_is_not_called_wrong(real_batch):
    X, Y = real_batch
    report = planted({"dZ2": ("wrong-scale",)}, X, Y)
    assert report.verdict == "right-up-to-scale"
    text = Reader(page(report)).text
    assert "≈" in text
    assert "✗" not in text
    assert "makes the gradient" not in text


def test_gradients_of_another_shape_have_no_difference(real_batch):
    report = planted({"dW1": ("transposed",)}, *real_batch)
    reader = Reader(page(report))
    assert "No difference can be taken: the gradient is 784×12, W1 is 12×784." in reader.text
    assert "given, transposed" in reader.text
    assert len(reader.pictures()) == 2 + 3


@pytest.mark.parametrize("given", [np.array(3.0), np.zeros((0, 4)), np.zeros((2, 3, 4))])
def test_gradients_that_no_picture_can_be_made_of(wrong, given):
    first = wrong.parameters[0]._replace(given=given, gradient_shape=given.shape)
    reader = Reader(page(wrong._replace(parameters=[first, *wrong.parameters[1:]])))
    assert "No difference can be taken" in reader.text
    assert len(reader.pictures()) == 1 + 3


def test_weights_with_inputs_first_are_shown_by_unit():
    random = np.random.default_rng(0)
    params, X, Y = make_network(random, (64, 5, 3), 7)
    turned = [(W.T, b) for W, b in params]
    gradients = [(dW.T, db) for dW, db in backward(params, X, Y, "relu", "softmax", "squared-error", {})]
    text = Reader(page(jaxnet.diagnose_backprop(turned, X, Y, gradients))).text
    assert "64×5, 5 units, each as an image of 8×8" in text


def test_inputs_of_later_layers_are_no_images():
    random = np.random.default_rng(0)
    params, X, Y = make_network(random, (6, 64, 3), 7)
    gradients = backward(params, X, Y, "relu", "softmax", "squared-error", {})
    assert "as an image" not in Reader(page(jaxnet.diagnose_backprop(params, X, Y, gradients))).text


def test_large_matrices_make_small_pages():
    random = np.random.default_rng(0)
    params = {"embedding": random.normal(size=(1100, 700))}
    gradients = {"embedding": 2 * params["embedding"]}
    html = page(jaxnet.compare_gradients(lambda p: (p["embedding"] ** 2).sum(), params, gradients))
    assert "the largest entry of each block" in html
    assert len(html) < 1_500_000


@pytest.mark.parametrize("write", [page, fragment])
def test_nothing_of_the_author_s_becomes_html(wrong, write):
    hostile = "\"'><script>alert(1)</script>&amp;<img src=http://example.com/x>"
    parameters = [p._replace(name=p.name + hostile) for p in wrong.parameters]
    findings = [f._replace(computed=hostile) for f in wrong.findings]
    report = wrong._replace(
        source=hostile, parameters=parameters, findings=findings, places=[Place(3, 1, hostile, hostile)] * 3
    )
    reader = Reader(write(report))
    assert "script" not in reader.tags
    assert all(address.startswith("data:image/png;base64,") for address in reader.pictures())
    assert hostile in reader.text


@pytest.mark.parametrize("write", [page, fragment])
def test_a_name_that_is_no_text_can_be_written(wrong, write):
    html = write(wrong._replace(source="caf\udce9.py"))
    assert "caf?.py" in Reader(html.encode().decode()).text


@pytest.mark.parametrize("html", ["<p>", "<p><b></p></b>", "</p>", "<div><p></div>"])
def test_a_tag_that_is_not_closed_is_found(html):
    with pytest.raises((AssertionError, IndexError)):
        Reader(html)


@pytest.mark.parametrize("write", [page, fragment])
def test_nothing_is_loaded_from_elsewhere(wrong, write):
    html = write(wrong)
    reader = Reader(html)
    assert not {"script", "link", "iframe", "object", "base"} & set(reader.tags)
    assert all(name not in ("href", "srcset", "data") for _, name, _ in reader.attributes)
    assert all(address.startswith("data:image/png;base64,") for address in reader.pictures())
    assert "http://" not in html
    assert "https://" not in html
    assert not re.search(r"@import|url\(", html)


def test_fragment_styles_itself_alone(wrong):
    html = fragment(wrong)
    assert not {"html", "head", "body", "title"} & set(Reader(html).tags)
    style = re.sub(
        r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}", r"\1", html[html.index("<style>") + 7 : html.index("</style>")]
    )
    for selector in re.findall(r"([^{}]+)\{", style):
        assert selector.strip().startswith(".jaxnet-report")


def test_pages_say_what_a_verdict_rests_on_and_what_it_is_not_about():
    report = compare_library(8)
    place = Place(12, 3, "A = X @ W", None, "net.ipynb")
    right = report._replace(
        verdict="right", findings=[], places=[], teeth=Teeth(3, 4, (("db1", "not-summed"),)), source="net.ipynb",
        unjudged=[Unjudged((4, 1), place)],
    )  # fmt: skip
    for html in (right.html(), right._repr_html_(), class_page([Outcome("net.ipynb", right, None, 1.0)])):
        assert "3 of 4 mistakes would show in these data; not not-summed in db1." in html
        assert "not judged: an array 4×1 in net.ipynb, cell 3, line 12, which none of the first steps changes" in html
    for shown in (right.text(), right.html(), gradescope([Outcome("net.ipynb", right, None, 1.0)])):
        assert "every gradient that was judged is that of the loss" in shown
    assert "every gradient is that of the loss" in right._replace(unjudged=[]).text()
    wrong = report._replace(repeat=Move("W1", (0, 1), 1e-6, 2e-7, 3e-7)).html()
    assert "add 1e-06 to W1[0, 1]. Your loss changes by 2e-07; your gradient says 3e-07." in wrong


def test_what_is_alike_and_not_judged_is_said_once_and_what_is_left_is_counted():
    unjudged = [Unjudged((), Place(7))] * 6 + [Unjudged((line, 1), Place(line)) for line in range(1, 6)]
    report = Report("right", [], [], [], source="net.py", unjudged=unjudged)
    why = "which none of the first steps changes"
    arrays = [f"not judged: an array {line}×1 in net.py:{line}, {why}" for line in range(1, 4)]
    assert report.unjudged_lines() == [f"not judged: 6 numbers in net.py:7, {why}", *arrays, "not judged: 2 more"]
