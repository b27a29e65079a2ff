"""How long the page to draw on takes for a picture, by the size of its network: `python benchmarks/drawing.py`.

Needs Chromium and `pip install -e '.[browser]'`. It prints the fastest and the median of 25 pictures, as the page
itself measures them, from the drawing to all that is shown of it.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import tempfile
from pathlib import Path

import jaxnet
from jaxnet.network import Network
from jaxnet.runs.drawing import drawing_page

HIDDEN = [(10,), (128,), (800,), (2048, 2048), (4096, 4096)]
PICTURES = 25


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    from playwright.sync_api import sync_playwright

    print("| network | page | fastest | median |\n| --- | --- | --- | --- |")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        path = Path(folder, "digits.html")
        for hidden in HIDDEN:
            sizes = (784, *hidden, 10)
            network = Network(sizes, "relu", "softmax", "squared-error")
            path.write_text(drawing_page(network, jaxnet.init_params(0, sizes), "measured"), "utf-8")
            times = draw(browser.new_page(viewport={"width": 1280, "height": 800}), path)
            size = f"{path.stat().st_size / 2**20:.3g} MB"
            print(f"| {'-'.join(map(str, sizes))} | {size} | {min(times):.1f} ms | {statistics.median(times):.1f} ms |")
        browser.close()


def draw(page, path: Path) -> list[float]:
    """Draw a line, a frame at a time: the milliseconds that each picture took."""
    page.goto(path.as_uri())
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    times = []
    for step in range(PICTURES):
        page.mouse.move(box["x"] + 100 + 3 * step, box["y"] + 50 + 10 * step)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        times.append(float(re.search(r"took ([\d.]+) ms", page.locator("#foot").inner_text())[1]))  # type: ignore
    page.close()
    return times


if __name__ == "__main__":
    main()
