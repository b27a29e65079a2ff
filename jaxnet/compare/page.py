"""A report as HTML: one page that needs no other file, or a piece of one for a notebook.

The words are the report's. What comes from the author's file is escaped wherever it appears, and the page's policy
lets a browser load nothing at all.
"""

from __future__ import annotations

import base64
import io
import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.compare.mistakes import shape_in_words

if TYPE_CHECKING:
    from jaxnet.compare.report import Parameter, Place, Report

UNITS = 10  # how many units of a layer are shown as images, at most
LEAST_IMAGE = 64  # pixels; a square number of inputs from here on is taken for an image
PIXELS = 480  # about how wide a picture is drawn
COLOURS = "RdBu_r"  # the map of all pictures: blue below zero, white at zero, red above


def page(report: Report) -> str:
    """The report as one HTML page."""
    title = report.headline + (f": {report.source}" if report.source else "")
    return document(title, _content(report))


def document(title: str, content: str, style: str = "") -> str:
    """A whole page of content in HTML, in the reports' style and what is added to it; it loads nothing at all."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return printable(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}body {{ margin: 0; }}\n</style>\n</head>\n"
        f'<body class="jaxnet-report">\n<main>\n{content}\n</main>\n</body>\n</html>\n'
    )


def fragment(report: Report) -> str:
    """The same within another page, for a notebook's cell; its style reaches nothing outside of it."""
    content = f"<main>\n{_content(report)}\n</main>"
    return printable(f'<style>{STYLE}</style>\n<div class="jaxnet-report">\n{content}\n</div>\n')


def printable(text: str) -> str:
    """The text as UTF-8 can hold it, whatever bytes are in the names of files."""
    return text.encode("utf-8", "replace").decode()


def _content(report: Report) -> str:
    sections = [
        ("parameters", "Gradients", table(report)),
        ("findings", "Findings", findings(report)),
        ("pictures", "Pictures", _pictures(report)),
    ]
    return "\n".join([header(report), *(section(*parts) for parts in sections if parts[-1])])


def section(name: str, heading: str, content: str) -> str:
    """A part of a page under its heading."""
    return f'<section class="{name}">\n<h2>{heading}</h2>\n{content}\n</section>'


def header(report: Report, tag: str = "h1") -> str:
    """The verdict, as a heading, and what it is about."""
    sign, _, headline = report.headline.partition(" ")
    lines = [f'<{tag}><span class="sign">{sign}</span> {escape(headline)}</{tag}>']
    if report.source:
        lines.append(f'<p class="source"><code>{escape(report.source)}</code></p>')
    lines.append(f'<p class="network">{escape(report.network_line())}</p>')
    if report.hint is not None:
        lines.append(f'<p class="network">{escape(report.hint_line())}</p>')
    rests_on = [*report.unjudged_lines(), report.teeth_line(), report.repeat_line()]
    lines += [f'<p class="network">{escape(line)}</p>' for line in rests_on if line]
    return f'<header class="{report.verdict}">\n' + "\n".join(lines) + "\n</header>"


def table(report: Report) -> str:
    """A row for each parameter."""
    names, *lines = report.table()
    rows = [
        f'<tr class="{_class_of(report, p)}"><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + f'<td class="word">{escape(verdict)}</td></tr>'
        for p, (name, *cells, verdict) in zip(report.parameters, lines, strict=True)
    ]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + "\n</tbody>\n</table></div>"
    )


def findings(report: Report) -> str:
    """An article for each line or quantity that is wrong, which may be so for several reasons; or nothing."""
    articles = []
    for together, place in report.by_place():
        kinds = dict.fromkeys((escape(f.severity), escape(f.code)) for f in together)
        lines = [f'<h3><code class="at">{escape(", ".join(dict.fromkeys(f.at for f in together)))}</code>']
        lines += [f'<span class="{severity}"><b>{severity}</b> {code}</span>' for severity, code in kinds]
        lines += ["</h3>", *_source_lines(report, place)]
        computed, (first, *others) = together[0].computed, report.explanations(together)
        if computed and first.startswith(f"{computed}: "):
            lines.append(f'<p class="computed"><code>{escape(computed)}</code></p>')
            first = first.removeprefix(f"{computed}: ")
        lines += [f'<p class="why">{escape(e)}</p>' for e in (first, *others) if e]
        if place.instead:
            lines.append(f'<div class="lines new"><span>instead</span><code>{escape(place.instead)}</code></div>')
        errors = (f for f in together if f.severity == "error")
        names = dict.fromkeys(name for f in errors for name in report.parameters_of(f))
        if names:
            chips = " ".join(f"<code>{escape(name)}</code>" for name in names)
            lines.append(f'<p class="follows">makes the gradient of {chips} wrong</p>')
        articles.append("<article>\n" + "\n".join(lines) + "\n</article>")
    return "\n".join(articles)


def _source_lines(report: Report, place: Place) -> list[str]:
    if place.line is None:
        return []
    return [
        f'<p class="where">{escape(report.where(place))}</p>',
        f'<div class="lines old"><span>{place.line}</span><code>{escape(place.source or "")}</code></div>',
    ]


def _class_of(report: Report, p: Parameter) -> str:
    return "right" if p.right else "scaled" if report.verdict == "right-up-to-scale" else "wrong"


# --- pictures ---------------------------------------------------------------------------------------------------------


def _pictures(report: Report) -> str:
    """Each weight matrix's gradient beside the true one; nothing where there is no matrix."""
    matrices = [p for p in report.parameters if p.true.ndim == 2 and not p.name.startswith("b") and p.true.size]
    return "\n".join(_picture(report, p) for p in matrices)


def _picture(report: Report, p: Parameter) -> str:
    """The given gradient, the true one and their difference, side by side on one colour scale."""
    fits = p.given.shape == p.true.shape
    shown = {"given": p.given, "true": p.true} | ({"given − true": p.given - p.true} if fits else {})
    if not fits and p.given.T.shape == p.true.shape:
        shown = {"given, transposed": p.given.T, "true": p.true}
    shown = {name: np.asarray(matrix, float) for name, matrix in shown.items() if matrix.ndim == 2 and matrix.size}
    bound = max(float(np.abs(matrix).max()) for matrix in shown.values()) or 1.0
    rows = _image_rows(report, p, shown)
    if rows:
        shown, note = _as_images(shown, rows), _note_on_images(p, rows["true"].shape, fits)
    else:
        note = "the largest entry of each block a square" if max(p.true.shape) > PIXELS else "an entry a square"
    panels = [
        f'<figure class="{"tiles" if name in rows else "entries"}"><img alt="{escape(f"{p.name}: {name}")}" '
        f'src="{_image(matrix, bound)}"><figcaption>{escape(name)}</figcaption></figure>'
        for name, matrix in shown.items()
    ]
    if not fits:
        given, wanted = shape_in_words(p.given.shape), shape_in_words(p.shape)
        text = f"No difference can be taken: the gradient is {given}, {p.name} is {wanted}."
        panels.append(f'<p class="missing">{escape(text)}</p>')
    verdict = escape(report.verdict_of(p))
    return (
        f'<div class="picture {_class_of(report, p)}">\n<h3><code class="at">{escape(p.name)}</code> '
        f'<span class="word">{verdict}</span> <small>{shape_in_words(p.true.shape)}, {note}</small></h3>\n'
        f'<div class="panels{" images" * bool(rows)}">\n' + "\n".join(panels) + "\n</div>\n"
        f'<p class="scale"><span>−{bound:.2g}</span><i style="background: linear-gradient(90deg, {_gradient()})"></i>'
        f"<span>{bound:.2g}</span></p>\n</div>"
    )


def _image_rows(report: Report, p: Parameter, shown: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those of the matrices that hold an image for each unit, as (o, i); none where the inputs are no images."""
    sizes = (report.network or {}).get("sizes")
    if sizes and p.name != "W1":
        return {}
    inputs_first = p.true.shape == tuple(sizes[:2]) if sizes else not _is_square(p.true.shape[1])
    rows = {
        name: matrix.T if inputs_first else matrix for name, matrix in shown.items() if matrix.shape == p.true.shape
    }
    return rows if _is_square(rows["true"].shape[1]) else {}


def _as_images(shown: dict[str, np.ndarray], rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The matrices, with images of the units that are furthest off in the place of those that hold images."""
    off = np.linalg.norm(rows.get("given − true", rows["true"]), axis=1)
    units = np.sort(np.argsort(-off, kind="stable")[:UNITS])
    return {name: _tiles(rows[name][units]) if name in rows else matrix for name, matrix in shown.items()}


def _note_on_images(p: Parameter, shape: tuple[int, ...], fits: bool) -> str:
    units, side = shape[0], math.isqrt(shape[1])
    which = f"{units} units" if units <= UNITS else f"{UNITS} of the {units} units"
    if units > UNITS and fits and not p.right:
        which += ", those furthest off"
    return f"{which}, each as an image of {side}×{side}"


def _is_square(pixels: int) -> bool:
    return pixels >= LEAST_IMAGE and math.isqrt(pixels) ** 2 == pixels


def _tiles(rows: np.ndarray) -> np.ndarray:
    """Images (units, side²) in rows of five, with gaps of NaN between them."""
    side = math.isqrt(rows.shape[1])
    columns, gap = min(5, len(rows)), max(1, side // 14)
    lines = -(-len(rows) // columns)
    canvas = np.full((lines, side + gap, columns, side + gap), np.nan)
    for k, row in enumerate(rows):
        canvas[k // columns, :side, k % columns, :side] = row.reshape(side, side)
    return canvas.reshape(lines * (side + gap), columns * (side + gap))[:-gap, :-gap]


def _image(matrix: np.ndarray, bound: float) -> str:
    """A matrix as a PNG in a data: address, −bound to bound in colours, NaN transparent."""
    import matplotlib
    from matplotlib.image import imsave

    block = -(-max(matrix.shape) // PIXELS)
    if block > 1:
        rows, columns = (-(-length // block) for length in matrix.shape)
        padded = np.zeros((rows * block, columns * block))
        padded[: matrix.shape[0], : matrix.shape[1]] = matrix
        blocks = padded.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, -1)
        matrix = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[..., None], axis=2)[..., 0]
    colours = matplotlib.colormaps[COLOURS](0.5 + 0.5 * matrix / bound, bytes=True)
    colours[np.isnan(matrix)] = 0
    enlarged = max(1, PIXELS // max(matrix.shape))
    content = io.BytesIO()
    imsave(content, colours.repeat(enlarged, axis=0).repeat(enlarged, axis=1), format="png")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _gradient() -> str:
    """The colours from −bound to bound, for CSS."""
    import matplotlib
    from matplotlib.colors import to_hex

    return ", ".join(to_hex(matplotlib.colormaps[COLOURS](k / 10)) for k in range(11))


STYLE = """
.jaxnet-report {
  --paper: #fbfaf7; --card: #ffffff; --ink: #20242a; --soft: #686c73; --line: #e4e1d9; --tint: #f3f1eb;
  --wrong: #b3380b; --right: #0b6b53; --scaled: #8a5a00;
  background: var(--paper); color: var(--ink); font: 17px/1.55 "Iowan Old Style", Charter, "Palatino Linotype",
  Palatino, "Source Serif 4", "DejaVu Serif", Georgia, serif; -webkit-text-size-adjust: 100%;
}
@media screen and (prefers-color-scheme: dark) {
  .jaxnet-report {
    color-scheme: dark;
    --paper: #15171b; --card: #1d2025; --ink: #e6e4df; --soft: #9a9da4; --line: #33373e; --tint: #24282e;
    --wrong: #ff9466; --right: #5fd0ae; --scaled: #e8b64c;
  }
}
.jaxnet-report * { box-sizing: border-box; }
.jaxnet-report main { max-width: 68rem; margin: 0 auto; padding: clamp(1.2rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem); }
.jaxnet-report code, .jaxnet-report .lines, .jaxnet-report td, .jaxnet-report .where, .jaxnet-report .scale {
  font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 0.85em; background: none; padding: 0;
}
.jaxnet-report .lines code { font-size: 1em; color: inherit; }
.jaxnet-report h1, .jaxnet-report h2, .jaxnet-report h3, .jaxnet-report p, .jaxnet-report figure { margin: 0; }
.jaxnet-report header { border-left: 5px solid var(--verdict); padding-left: 1.1rem; }
.jaxnet-report h1 { font-size: clamp(1.5rem, 4.5vw, 2.3rem); line-height: 1.2; font-weight: 600; color: var(--verdict);
  letter-spacing: -0.01em; }
.jaxnet-report .right { --verdict: var(--right); }
.jaxnet-report .wrong { --verdict: var(--wrong); }
.jaxnet-report .scaled, .jaxnet-report .right-up-to-scale { --verdict: var(--scaled); }
.jaxnet-report .source { margin-top: 0.35rem; font-size: 1.05rem; overflow-wrap: anywhere; }
.jaxnet-report .network { margin-top: 0.2rem; color: var(--soft); font-size: 0.92rem; max-width: 46rem; }
.jaxnet-report section { margin-top: 2.6rem; }
.jaxnet-report h2 { font-size: 0.82rem; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase;
  color: var(--soft); margin-bottom: 0.8rem; }
.jaxnet-report .wide { overflow-x: auto; }
.jaxnet-report table { border-collapse: collapse; border: 0; margin: 0; font-size: 1em; }
.jaxnet-report tr { background: none; }
.jaxnet-report :is(th, td) { text-align: right; padding: 0.38rem 1.6rem 0.38rem 0; border: 0;
  border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
.jaxnet-report thead th { color: var(--soft); font-size: 0.85rem; }
.jaxnet-report tbody th { font-weight: 600; text-align: left; }
.jaxnet-report :is(th, td):last-child { text-align: left; padding-right: 0; }
.jaxnet-report .word { color: var(--verdict); font-weight: 600; font-family: inherit; font-size: 0.95rem; }
.jaxnet-report :is(article, .picture) { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 1.1rem clamp(0.9rem, 3vw, 1.5rem); margin-bottom: 1rem; }
.jaxnet-report h3 { font-size: 0.92rem; font-weight: 400; display: flex; flex-wrap: wrap; align-items: baseline;
  gap: 0.2rem 0.9rem; }
.jaxnet-report h3 .at { font-size: 1.15rem; font-weight: 600; }
.jaxnet-report h3 small { color: var(--soft); font-size: 0.85rem; }
.jaxnet-report .error { color: var(--wrong); }
.jaxnet-report .warning { color: var(--scaled); }
.jaxnet-report .where { color: var(--soft); margin-top: 0.7rem; font-size: 0.78rem; overflow-wrap: anywhere; }
.jaxnet-report .lines { display: grid; grid-template-columns: 5rem 1fr; background: var(--tint); margin-top: 0.3rem;
  border-left: 3px solid var(--verdict); border-radius: 0 5px 5px 0; padding: 0.5rem 0.8rem 0.5rem 0; }
.jaxnet-report .lines span { color: var(--soft); text-align: right; padding-right: 0.9rem; user-select: none; }
.jaxnet-report .lines code { white-space: pre-wrap; overflow-wrap: anywhere; }
.jaxnet-report .old { --verdict: var(--wrong); }
.jaxnet-report .new { --verdict: var(--right); margin-top: 0.8rem; }
.jaxnet-report .computed { margin-top: 0.8rem; }
.jaxnet-report .why { max-width: 44rem; margin-top: 0.35rem; }
.jaxnet-report .why::first-letter { text-transform: uppercase; }
.jaxnet-report .follows { color: var(--soft); font-size: 0.92rem; margin-top: 0.8rem; }
.jaxnet-report .follows code { color: var(--ink); border: 1px solid var(--line); border-radius: 4px;
  padding: 0.05rem 0.35rem; }
.jaxnet-report .panels { display: grid; grid-template-columns: repeat(3, 1fr); gap: clamp(0.6rem, 2vw, 1.4rem);
  margin-top: 0.9rem; }
.jaxnet-report img { display: block; max-width: 100%; width: auto; height: auto; max-height: 20rem;
  min-width: 2.5rem; min-height: 1rem; }
.jaxnet-report figure.tiles img { width: 100%; max-width: 22rem; background: var(--line); }
.jaxnet-report figcaption { color: var(--soft); font-size: 0.88rem; margin-top: 0.3rem; }
.jaxnet-report .missing { color: var(--soft); font-size: 0.92rem; align-self: start; }
.jaxnet-report .scale { display: flex; align-items: center; gap: 0.6rem; color: var(--soft); margin-top: 0.8rem;
  font-size: 0.78rem; }
.jaxnet-report .scale i { width: 9rem; height: 0.6rem; border-radius: 3px; }
@media (max-width: 640px) {
  .jaxnet-report { font-size: 16px; }
  .jaxnet-report :is(th, td) { padding-right: 0.9rem; }
  .jaxnet-report .panels.images { grid-template-columns: 1fr; }
  .jaxnet-report figure.tiles img { max-width: none; }
}
"""
