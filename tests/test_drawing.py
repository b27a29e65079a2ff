"""The page to draw on, as a text: the network is in it, whole, and no name breaks out (test_browser.py opens it)."""

import base64
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest

import jaxnet
from jaxnet.network import ACTIVATIONS, OUTPUTS, Layer, Network
from jaxnet.runs.drawing import PLACE, drawing_page

NETWORK = Network((784, 10, 10), "relu", "softmax", "squared-error")
HOSTILE = ["</script>", "<!--<script>", "]]>--></script><img src=x onerror=alert(1)>", "\"'\\\u2028&amp;", ">NETWORK<"]


class Reader(HTMLParser):
    """The tags of a page, and what stands in the script with the network."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.inside, self.content = [], False, ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.inside = ("id", "network") in attributes

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        self.content += data if self.inside else ""


def test_the_parameters_are_in_it_to_the_last_bit():
    params = jaxnet.init_params(0, NETWORK.sizes)
    content = json.loads(Reader(drawing_page(NETWORK, params, "a run")).content)
    assert {key: content[key] for key in ("name", *NETWORK._fields)} == {
        "name": "a run",
        **NETWORK._asdict(),
        "sizes": [784, 10, 10],
    }
    for found, layer in zip(content["layers"], params, strict=True):
        for name, array in layer._asdict().items():
            values = np.frombuffer(base64.b64decode(found[name]), "<f4")
            np.testing.assert_array_equal(values, np.asarray(array).ravel())


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_its_place(name):
    params = jaxnet.init_params(0, NETWORK.sizes)
    harmless, hostile = (Reader(drawing_page(NETWORK, params, n)) for n in ("harmless", name))
    assert hostile.tags == harmless.tags
    assert json.loads(hostile.content)["name"] == name


def test_the_template_has_one_place_and_no_address():
    template = files("jaxnet.runs").joinpath("drawing.html").read_text("utf-8")
    assert template.count(f">{PLACE}<") == 1
    assert not re.search(r"https?:|@import|url\(|\bsrc=", template)


def test_the_template_knows_all_activations():
    template = files("jaxnet.runs").joinpath("drawing.html").read_text("utf-8")
    table = template[template.index("const ACTIVATIONS = {") : template.index("const hidden = ")]
    assert set(re.findall(r"^  (\w+): \{", table, flags=re.MULTILINE)) == ACTIVATIONS.keys()
    assert OUTPUTS.keys() - {"softmax"} <= ACTIVATIONS.keys()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="mine: its network takes 50 inputs; only those of a square image"):
        drawing_page(NETWORK._replace(sizes=(50, 3)), jaxnet.init_params(0, (50, 3)), "mine")


def test_what_no_browser_opens_is_refused():
    weights = np.broadcast_to(np.float32(0), (130_000, 784))  # which takes no memory
    with pytest.raises(ValueError, match=r"wide: 102,050,000 parameters make a page of 519 MB, .* above 476"):
        drawing_page(NETWORK, (Layer(weights, weights[:, 0]),), "wide")  # type: ignore[arg-type]
