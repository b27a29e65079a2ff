"""The page to draw on, in a real browser: the same numbers as in Python, drawn, touched, typed, read and heard."""

import base64
import itertools
import re
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import jaxnet
from jaxnet import backprop
from jaxnet.network import Layer, Network, logits
from jaxnet.runs.drawing import drawing_page
from jaxnet.runs.images import prepare_image

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("left out, for want of Chromium: apt-get install chromium", allow_module_level=True)
playwright = pytest.importorskip(
    "playwright.sync_api", reason="left out, for want of Playwright: pip install -e '.[browser]'"
)

# In a container, without a GPU, and asking for nothing by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NETWORKS = {
    "784-10-10": Network((784, 10, 10), "relu", "softmax", "squared-error"),
    "no hidden layer": Network((784, 10), "relu", "softmax", "cross-entropy"),
    "three hidden layers": Network((784, 20, 15, 12, 10), "tanh", "sigmoid", "squared-error"),
    "62 classes": Network((784, 12, 62), "leaky_relu", "identity", "squared-error"),
    "two classes": Network((784, 16, 2), "sigmoid", "sigmoid", "binary-cross-entropy"),
    "tanh": Network((784, 14, 10), "identity", "tanh", "squared-error"),
    "8×8": Network((64, 9, 10), "relu", "softmax", "squared-error"),
}
ONE = [[(0.5, 0.15), (0.5, 0.85)]]
SEVEN = [[(0.28, 0.22), (0.72, 0.22), (0.6, 0.45), (0.48, 0.85)]]
ZERO = [[(0.5 + 0.2 * np.sin(t), 0.5 - 0.33 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 25)]]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def trained(mnist):
    """A network that knows digits, as `jaxnet train` makes it with no option."""
    params = jaxnet.init_params(0, (784, 10, 10))
    for epoch in jaxnet.fit(params, *mnist, epochs=3):
        params = epoch.params
    return params


@pytest.fixture
def opened(browser, tmp_path):
    """Open a network's page from its file; no error may be raised in it, and no request may leave it."""
    contexts, errors, requests = [], [], []

    def opened(network, params, name="first", **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: requests.append(request.url))
        (tmp_path / "digits.html").write_text(drawing_page(network, params, name), "utf-8")
        page.goto((tmp_path / "digits.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert {url for url in requests if not url.startswith("data:")} == {(tmp_path / "digits.html").as_uri()}


def places(page, stroke):
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]


def draw(page, strokes):
    for stroke in strokes:
        start, *rest = places(page, stroke)
        page.mouse.move(*start)
        page.mouse.down()
        for place in rest:
            page.mouse.move(*place, steps=5)
        page.mouse.up()
    settle(page)


def settle(page):
    """Wait until what was done is shown, in the next frame, and said, in the one after."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


def said(page):
    settle(page)
    return page.locator("#announcement").inner_text()


def guess(page):
    return page.locator("#best").inner_text()


def ask(page, call, arrays, *more):
    """What `call`, JavaScript of `bytes` and `more`, makes of each uint8 array."""
    texts = [base64.b64encode(np.ascontiguousarray(array, np.uint8)).decode() for array in arrays]
    decode = "Uint8Array.from(atob(text), (character) => character.charCodeAt(0))"
    return page.evaluate(
        f"([texts, more]) => texts.map((text) => {{ const bytes = {decode}; return {call}; }})", [texts, list(more)]
    )


def inputs_for(network, mnist):
    """The first 1,000 test images; cut to 8×8 where the network takes so few."""
    images = mnist[1].inputs[:1000]
    return images if network.sizes[0] == 784 else images.reshape(-1, 28, 28)[:, 4:28:3, 4:28:3].reshape(1000, -1)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_predicts_what_jax_does(opened, mnist, name):
    network = NETWORKS[name]
    params = jaxnet.init_params(1, network.sizes)
    inputs = inputs_for(network, mnist)
    found = ask(opened(network, params), "jaxnet.predict(bytes)", inputs)
    expected = jaxnet.forward(params, inputs / np.float32(255), network.hidden, network.output)
    assert np.abs(np.array(found) - expected).max() < 1e-5


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", NETWORKS)
def test_its_backward_pass_is_right(opened, mnist, name):
    network = NETWORKS[name]
    single = [(np.float32(W), np.float32(b) + np.float32(0.1)) for W, b in jaxnet.init_params(1, network.sizes)]
    params = [Layer(jnp.float64(W), jnp.float64(b)) for W, b in single]
    page = opened(network, params)
    images = inputs_for(network, mnist)[:2]
    for image, found in zip(images, ask(page, "jaxnet.gradient(bytes, more[0])", images, 1), strict=True):
        X, Y = image[None] / 255, np.eye(network.sizes[-1])[[1]]
        options = {"hidden": network.hidden, "output": network.output, "loss": network.loss}
        assert found["loss"] == pytest.approx(float(jaxnet.network_loss(params, X, Y, **options)), rel=1e-10)
        for (DW, Db), layer in zip(backprop.backward(params, X, Y, **options), found["gradients"], strict=True):
            np.testing.assert_allclose(layer["DW"], DW.ravel(), rtol=0, atol=1e-12 * np.abs(DW).max())
            np.testing.assert_allclose(layer["Db"], Db, rtol=0, atol=1e-12 * np.abs(Db).max())
        spoke = jax.grad(lambda x: logits(params, x, network.hidden).max())(jnp.asarray(X))[0]
        (found,) = ask(page, "jaxnet.spokenFor(bytes)", [image])
        np.testing.assert_allclose(found, spoke, rtol=0, atol=1e-12 * np.abs(spoke).max())


def test_it_prepares_pictures_as_predict_does(opened, mnist, trained):
    page = opened(NETWORKS["784-10-10"], trained)
    pictures = []
    for number, image in enumerate(mnist[1].inputs[:200].reshape(-1, 28, 28)):
        picture = Image.fromarray(image if number % 2 else 255 - image)
        pictures.append(picture.resize((200, 200), Image.Resampling.BICUBIC))
    random = np.random.default_rng(0)
    for height, width in [(1, 90), (200, 13), (31, 300), (20, 20), (7, 9)]:  # thin, flat, smaller than its place
        ink = random.integers(0, 3, (height, width)) * 120
        pictures.append(Image.fromarray(np.pad(ink, 1).astype(np.uint8)))
    for size, group in itertools.groupby(pictures, key=lambda picture: picture.size):
        group = list(group)
        found = ask(page, "[...jaxnet.prepare(bytes, more[0], more[1])]", [np.asarray(p) for p in group], *size)
        expected = np.array([prepare_image(picture).ravel() for picture in group], int)
        assert np.abs(np.array(found) - expected).max() <= 2, size
    assert ask(page, "jaxnet.prepare(bytes, 50, 50)", [np.full(2500, 90)]) == [None]


@pytest.mark.parametrize(("strokes", "digit"), [(ONE, "1"), (SEVEN, "7"), (ZERO, "0")], ids=["1", "7", "0"])
def test_it_reads_what_is_drawn(opened, trained, tmp_path, strokes, digit):
    page = opened(NETWORKS["784-10-10"], trained)
    draw(page, strokes)
    assert guess(page) == digit
    # What predict makes of the pad's picture is what the page makes of it.
    content = page.evaluate("page.pad.toDataURL()").split(",")[1]
    (tmp_path / "drawn.png").write_bytes(base64.b64decode(content))
    prepared = prepare_image(Image.open(tmp_path / "drawn.png")).reshape(1, -1)
    outputs = np.asarray(jaxnet.forward(trained, prepared / np.float32(255)))[0]
    shown = [float(text.removesuffix(" %")) / 100 for text in page.locator("#bars span:last-child").all_inner_texts()]
    np.testing.assert_allclose(shown, outputs, atol=0.03)


def test_it_thinks_while_one_draws_faster_than_a_screen_shows(opened, trained):
    page = opened(NETWORKS["784-10-10"], trained)
    start, *rest = places(page, ZERO[0])
    page.mouse.move(*start)
    page.mouse.down()
    times, guesses = [], []
    for place in rest:
        page.mouse.move(*place)
        page.evaluate("new Promise(requestAnimationFrame)")
        times.append(float(re.search(r"took ([\d.]+) ms", page.locator("#foot").inner_text())[1]))
        guesses.append(guess(page))
    assert guesses[-1] == "0"
    assert len(set(guesses)) > 1  # while the pen was still down
    assert page.locator("#announcement").inner_text() == ""  # and only then is it said
    assert min(times) < 1000 / 60


def test_undo_and_clear(opened, trained):
    page = opened(NETWORKS["784-10-10"], trained)
    undo, clear = (page.get_by_role("button", name=name) for name in ("Undo", "Clear"))
    assert undo.is_disabled()
    draw(page, ONE)
    before = page.locator("#sure").inner_text()
    draw(page, [[(0.2, 0.2), (0.8, 0.8)]])
    assert page.locator("#sure").inner_text() != before
    undo.click()
    settle(page)
    assert page.locator("#sure").inner_text() == before
    page.keyboard.press("Control+z")
    assert said(page) == "The pad is empty."
    assert guess(page) == "–"
    assert page.locator("#invitation").is_visible()
    draw(page, SEVEN + ONE)
    clear.click()
    assert said(page) == "The pad is empty."
    assert clear.is_disabled()


def test_a_finger_draws(opened, trained):
    page = opened(NETWORKS["784-10-10"], trained, viewport={"width": 390, "height": 844}, has_touch=True)
    device = page.context.new_cdp_session(page)

    def touch(kind, points):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    stroke = places(page, [(0.5, 0.15 + 0.07 * k) for k in range(11)])
    touch("touchStart", stroke[:1])
    for number, place in enumerate(stroke[1:]):
        other = [(stroke[0][0] - 100, place[1])] * (number > 4)  # a second finger, which is not to disturb
        touch("touchMove" if number != 5 else "touchStart", [place, *other])
    touch("touchEnd", [])
    assert said(page).startswith("Guess: 1, ")
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("strokes.length") == 1


def test_the_keyboard_draws_and_the_guess_is_said(opened, trained):
    page = opened(NETWORKS["784-10-10"], trained)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pad"
    for key, times in [("ArrowUp", 4), (" ", 1), ("ArrowDown", 18)]:
        for _ in range(times):
            page.keyboard.press(key)
    assert page.locator("#announcement").inner_text().startswith("Pen down")
    page.keyboard.press(" ")
    assert said(page).startswith("Guess: 1, ")
    assert page.locator("#announcement").get_attribute("aria-live") == "polite"
    page.keyboard.press("Escape")
    assert said(page) == "The pad is empty."


def test_everything_is_reached_by_the_keyboard_and_has_a_name(opened, trained):
    page = opened(NETWORKS["784-10-10"], trained)
    draw(page, SEVEN)
    page.get_by_role("switch", name="Why?").press("Enter")
    page.locator("#pad").focus()
    for _ in range(100):
        page.evaluate("document.activeElement.dataset.seen = 'yes'")
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "pad":
            break
    # Of the cells of a vector one is reached by Tab, the others with the arrows.
    missed = page.evaluate(
        "[...document.querySelectorAll('button, select, a, input:checked, [tabindex=\"0\"]')]"
        ".filter((e) => !e.disabled && !e.dataset.seen).map((e) => e.outerHTML)"
    )
    assert missed == []
    snapshot = page.locator("body").aria_snapshot()
    for name in ("Drawing pad", "Undo", "Why?", "It is a", "DZ2", "Steps"):
        assert re.search(f'"{re.escape(name)}', snapshot), name
    assert not re.search(r"- (button|link|img|combobox|radio|switch|region)( \[|:|$)", snapshot, flags=re.MULTILINE)


CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const ground = (element) => {
    const colour = channels(getComputedStyle(element).backgroundColor);
    return colour.length === 4 && colour[3] === 0 ? ground(element.parentElement) : colour;
  };
  const texts = [...document.body.querySelectorAll('*')].filter((element) => element.checkVisibility()
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    && !element.matches(':disabled, option, script, .hidden'));
  return texts.map((element) => [element.outerHTML.slice(0, 80),
    ratio(luminance(channels(getComputedStyle(element).color)), luminance(ground(element)))]);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out(opened, trained, scheme):
    page = opened(NETWORKS["784-10-10"], trained, color_scheme=scheme)
    draw(page, SEVEN)
    page.get_by_role("switch").click()
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 100
    assert [text for text in ratios if text[1] < 4.5] == []
    bright = page.evaluate("getComputedStyle(document.body).backgroundColor") > "rgb(200"
    assert bright == (scheme == "light")


SYMBOLS = ["X", "Z1", "A1", "Z2", "Ŷ", "loss", "DZ2", "DW2", "Db2", "DZ1", "DW1", "Db1"]


def test_why_shows_the_numbers_of_both_passes(opened, trained):
    page = opened(NETWORKS["784-10-10"], trained)
    page.get_by_role("switch", name="Why?").click()
    assert "Draw a digit first" in page.locator("#walk").inner_text()
    draw(page, SEVEN)
    assert page.locator("nav a").all_inner_texts() == SYMBOLS
    page.get_by_label("It is a").select_option("3")
    X = np.array(page.evaluate("[...thought.pixels]"))[None] / 255
    params = [(np.asarray(W, float), np.asarray(b, float)) for W, b in trained]
    Z, A, Y_hat = backprop.forward(params, X)
    (DW1, Db1), (DW2, Db2) = backprop.backward(params, X, np.eye(10)[[3]])
    for symbol, values in {"Z1": Z[0], "A1": A[1], "Z2": Z[1], "Ŷ": Y_hat, "DZ2": Db2, "Db2": Db2, "Db1": Db1}.items():
        shown = page.locator(f"#step-{symbol} .number").all_inner_texts()
        np.testing.assert_allclose(numbers(shown), np.ravel(values), rtol=0.06, atol=1e-30, err_msg=symbol)
    shown = page.locator("#step-DW2 td:not(:empty)").all_inner_texts()
    np.testing.assert_allclose(numbers(shown), DW2.ravel(), rtol=0.06)
    assert page.locator("#step-DW1 canvas").count() == 10
    entry = re.search(r"DW1\[(\d+), (\d+)\].* = (\S+)$", page.locator("#step-DW1 .worked").inner_text())
    np.testing.assert_allclose(numbers([entry[3]]), DW1[int(entry[1]), int(entry[2])], rtol=0.06)
    page.locator("#step-Z2 label", has_text="[3]").click()
    assert page.locator("#step-Z2 .worked").inner_text().startswith("Z2[3] = W2[3] · A1 + b2[3] = ")


def numbers(texts):
    return [float(text.replace("−", "-")) for text in texts]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_fits_on_a_phone(opened, name):
    network = NETWORKS[name]
    params = jaxnet.init_params(0, network.sizes)
    page = opened(network, params, viewport={"width": 390, "height": 844})
    page.get_by_role("switch").click()
    draw(page, SEVEN)
    assert page.locator("#bars li").count() == network.sizes[-1]
    assert page.locator("#tiles li").count() == min(48, network.sizes[1])
    assert page.locator(".step").count() == 2 + 5 * (len(network.sizes) - 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_hostile_name_is_text(opened):
    network = NETWORKS["784-10-10"]
    name = "</script><img src=x onerror=alert(1)><!--"
    page = opened(network, jaxnet.init_params(0, network.sizes), name)
    assert page.locator("#about").inner_text().startswith(name)
    assert page.title() == f"Draw a digit: {name}"
    assert page.locator("img").count() == 0


def test_the_page_may_load_nothing(browser):
    network = NETWORKS["784-10-10"]
    page = browser.new_page()
    page.set_content(drawing_page(network, jaxnet.init_params(0, network.sizes), "first"))
    refused = page.evaluate("""() => new Promise((resolve) => {
      addEventListener('securitypolicyviolation', (event) => resolve(event.blockedURI));
      new Image().src = 'http://localhost:9/picture.png';
    })""")
    page.close()
    assert refused == "http://localhost:9/picture.png"
