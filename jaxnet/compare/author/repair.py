"""The line to write instead of a wrong one, proved: it is put into the copy, and the program is run and judged again.

An edit is kept only if its finding is gone and none has come. What is put in is written by `corrections`; where it is
put is the statement that gives the wrong array, as its author assigns, returns or uses it.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from jaxnet.compare.author import blame, lines
from jaxnet.compare.author.attempts import Way
from jaxnet.compare.author.corrections import Quantities, Term, Writer, ratio_to, wanted_error, wanted_gradient
from jaxnet.compare.author.edits import Edit, edited, file_and_cell, substituted, unified_diff
from jaxnet.compare.author.frontier import Frontier, frontiers
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.moments import Moment
from jaxnet.compare.author.moves import moved
from jaxnet.compare.author.node import Node, Place, ancestors, nodes_in, original
from jaxnet.compare.author.raw import is_scaling
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.author.variants import variants
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.report import Change
from jaxnet.compare.report import Place as Shown

TRIES = 5  # edits for one finding that are run
FOREIGN = 0.05  # how much less like a line one is for each name that is not in it
NAMES = 2  # ways to write the same numbers that are run
THROUGH_WEIGHTS = ("weights-not-transposed", "weights-already-updated", "unknown")
Proposal: TypeAlias = tuple[Place, str, tuple[Edit, ...]]  # where, what to write there, and the edits that do


class Examined(NamedTuple):
    """What a run of the program gave: its verdict, its record, which way of running it this was, and which of the
    networks that it trains. Of the others what is wrong in each, None if that cannot be told."""

    judged: Judged
    tape: Tape
    way: Way
    ordinal: int
    others: tuple[frozenset[str] | None, ...] = ()


class Mended(NamedTuple):
    """What mending came to: for each finding that is gone, the place and what to write there; the files' new texts."""

    instead: dict[tuple[str, str], tuple[Shown, str]]
    changes: dict[str, Change]
    left: list[tuple[str, str]]  # findings that stay


class _Sight(NamedTuple):
    """What a run has shown: what could be named line by line, and from where on gradients are wrong."""

    examined: Examined
    moments: list[Moment]
    edges: dict[str, Frontier]


class _Tried(NamedTuple):
    """What came of a proposal: where, what is written there, the files before and after, what is found with these."""

    place: Shown
    text: str
    files: dict[str, tuple[bytes, bytes]]
    after: Examined


class _Site(NamedTuple):
    """An expression of the author's that gives a wrong array, in the moments in which it does."""

    statement: ast.stmt
    expression: ast.expr
    moment: Moment
    node: Node
    through: bool = False  # it gives what comes back through the weights, not yet times a slope
    is_slope: bool = False  # it gives the slope alone

    @property
    def place(self) -> Place:
        return self.moment.place


def mend(
    root: Path,
    examined: Examined,
    examine: Callable[[], Examined | None],
    trace: Callable[[Examined], list[Moment]],
    deadline: float,
) -> Mended:
    """Change files below `root` until nothing more can be mended; `examine` runs and judges what stands there now."""
    before: dict[str, bytes] = {}
    instead: dict[tuple[str, str], tuple[Shown, str]] = {}
    as_written: dict[tuple, Shown] = {}  # a line that is mended twice is quoted as its author has it
    hopeless: set[tuple[str, str]] = set()
    sight: _Sight | None = None
    while time.monotonic() < deadline:
        findings = sorted(examined.judged.findings, key=lambda f: f.severity != "error")
        finding = next((f for f in findings if (f.at, f.code) not in hopeless), None)
        if finding is None:
            break
        # All of them before the first is run: they are written from the lines as they were traced.
        tried: _Tried | None = None
        sight = sight or _Sight(examined, trace(examined), frontiers(examined.judged))
        proposals = list(islice(_proposals(sight, finding, deadline), TRIES))
        quoted = [lines.place_of_line(place) or Shown() for place, *_ in proposals]  # as they stand before the first
        for proposal, shown in zip(proposals, quoted, strict=True):
            if time.monotonic() > deadline:
                break
            found = _try(root, proposal, shown, examine)
            if found is not None and _is_better(found.after, examined, finding):
                is_clean = _keys(found.after) <= _keys(examined)
                if is_clean:
                    tried = found
                    break
                if len(examined.judged.names) > 1:  # else nothing tells that the constant was there before
                    tried = tried or found  # it may have come in by that very line
        if tried is None:
            hopeless |= {(f.at, f.code) for f in _of_one_edge(sight, finding)}
            continue
        for file, (old, new) in tried.files.items():
            before.setdefault(file, old)
            (root / file).write_bytes(new)
        shown = as_written.setdefault((tried.place.file, tried.place.cell, tried.place.line), tried.place)
        instead |= dict.fromkeys(_keys(examined) - _keys(tried.after), (shown, tried.text))
        examined, sight = tried.after, None
    now = {file: (root / file).read_bytes() for file in before}
    changes = {
        file: Change(hashlib.sha256(old).hexdigest(), now[file].decode("utf-8"), unified_diff(file, old, now[file]))
        for file, old in before.items()
    }
    return Mended(instead, changes, sorted(_keys(examined)))


def _of_one_edge(sight: _Sight, finding: Finding) -> list[Finding]:
    """The finding, and all that no formula tells either and that goes wrong at the same Node."""
    unknown = {f: sight.edges.get(f.at[1:]) for f in sight.examined.judged.findings if f.code == "unknown"}
    own = unknown.get(finding)
    return [finding, *(f for f, edge in unknown.items() if edge and own and edge.unknown is own.unknown)]


def _try(root: Path, proposal: Proposal, shown: Shown, examine: Callable[[], Examined | None]) -> _Tried | None:
    """What comes of a proposal, with the files left as they were; None if it cannot be judged."""
    _, text, edits = proposal
    kept = {file: (root / file).read_bytes() for file in {file_and_cell(edit.file)[0] for edit in edits}}
    if any((root / file).is_symlink() for file in kept):
        return None  # what is linked is not a copy
    try:
        for edit in edits:
            path = root / file_and_cell(edit.file)[0]
            path.write_bytes(edited(path.read_bytes(), edit))
        after = examine()
        files = {file: (old, (root / file).read_bytes()) for file, old in kept.items()}
        return _Tried(shown, text, files, after) if after is not None else None
    except (ValueError, OSError):
        return None
    finally:
        for file, content in kept.items():
            (root / file).write_bytes(content)


def _is_better(after: Examined, before: Examined, finding: Finding) -> bool:
    """Whether the finding is gone and no error has come, in other networks neither, and it is the same network and loss
    that was judged, with the penalties that gradients were granted.

    A constant may come to light: as long as a gradient is wrong, it is not told apart from the mistake.
    """
    old, new = before.judged, after.judged
    then, now = (of.truth.loss.node and of.truth.loss.node.place for of in (old, new))
    same_loss = new.truth.loss.name == old.truth.loss.name or (now is not None and then == now)
    same = set(new.names) == set(old.names) and same_loss
    decaying, still = ({n for n, p in of.names.items() if p.before in of.truth.loss.penalised} for of in (old, new))
    errors = {(f.at, f.code) for f in old.findings if f.severity == "error"}
    remaining = {(f.at, f.code) for f in new.findings if f.severity == "error"}
    return (
        same
        and decaying <= still
        and (finding.at, finding.code) not in _keys(after)
        and remaining <= errors
        and len(after.others) == len(before.others)
        and all(
            then is None or (now is not None and now <= then)
            for now, then in zip(after.others, before.others, strict=True)
        )
    )


def _keys(examined: Examined) -> set[tuple[str, str]]:
    return {(f.at, f.code) for f in examined.judged.findings}


# --- what may be written where ----------------------------------------------------------------------------------------


def _proposals(sight: _Sight, finding: Finding, deadline: float) -> Iterator[Proposal]:
    judged = sight.examined.judged
    if finding.code == "softmax-over-all-entries":
        yield from _normalised(judged)
        return
    if judged.dense is not None and judged.problem is not None:
        yield from _formulas(sight.examined, sight.moments, finding)
    if finding.at[1:] in judged.wrong:
        if (assigned := blame.assigned_alone(judged, finding.at[1:])) is not None:
            yield from _added(*assigned)
        yield from _variants(sight, finding, deadline)


def _added(place: Place, statement: ast.Assign) -> Iterator[Proposal]:
    """What an assignment gives to an array, added to it."""
    target, value = map(ast.unparse, (statement.targets[0], statement.value))
    source = lines.parsed_lines(place.file)[statement.lineno - 1]
    text = f"{target} += {value}"
    if statement.end_lineno == statement.lineno and source.strip() == ast.unparse(statement):
        edit = Edit(place.file, statement.lineno, statement.lineno, (source.rstrip().replace(source.strip(), text),))
        yield place, text, (edit,)


def _variants(sight: _Sight, finding: Finding, deadline: float) -> Iterator[Proposal]:
    """The line of the finding with one thing in it changed; that of what else is wrong alone."""
    examined, name = sight.examined, finding.at[1:]
    edge, chosen = sight.edges.get(name), examined.judged.chosen[name]
    made = [n for n in (chosen, *nodes_in(examined.judged.names[name].steps)) if n is not None]
    wrong = [edge.unknown] if edge is not None else made[:1]
    for found in variants(examined.judged, examined.tape, sight.moments, name, wrong, deadline):
        edit = _put_in(found.place, found.statement, found.expression, Term(found.text, np.empty(0)))
        if edit is not None:
            yield found.place, _written(found.statement, edit), (edit,)


def _formulas(examined: Examined, moments: list[Moment], finding: Finding) -> Iterator[Proposal]:
    """What the catalogue has for it, in the finding's own line first, and what is most like what stands there."""
    judged, tape = examined.judged, examined.tape
    if finding.code == "weights-already-updated":
        yield from _moved(examined, moments, finding)
    node = blame.node_of(judged, finding)
    own = blame.line_of(judged, finding) or (node.place if node is not None else None)
    name = finding.at[1:]
    made = judged.made.get(name)
    is_passed_on = made is not None and made.size != judged.names[name].size
    found: list[tuple[float, _Site, Term, Edit]] = []
    by_text: dict[tuple[Place, str], list[tuple[Finding, _Site]]] = {}
    for alike in _in_the_same_line(judged, finding):
        for site in _sites(judged, tape, moments, alike):
            by_text.setdefault((site.place, ast.unparse(site.expression)), []).append((alike, site))
    for (_, old), sites in by_text.items():
        if not any(alike is finding for alike, _ in sites):
            continue
        site = sites[0][1]
        others = [m for m in moments if m.place == site.place and m is not site.moment]
        # An array that was never summed may be passed on: the sum belongs where it is made, not in the optimiser.
        distance = site.moment.number if is_passed_on else own is not None and own.line != site.place.line
        for term in _common_terms(judged, tape, sites):
            edit = _put_in(site.place, site.statement, site.expression, term)
            if term.text != old and edit is not None and _can_be_named(term.text, others):
                found.append((distance - _likeness(old, term.text), site, term, edit))
    written: Counter[tuple[int, int, bytes]] = Counter()
    tried: set[Edit] = set()
    for _, site, term, edit in sorted(found, key=lambda proposal: proposal[0]):
        same = edit.first, edit.last, np.round(term.value, 12).tobytes()  # the same numbers under other names
        written[same] += 1
        if written[same] <= NAMES and edit not in tried:
            tried.add(edit)
            yield site.place, _written(site.statement, edit), (edit,)


def _likeness(old: str, new: str) -> float:
    """How much of one line, name by name and sign by sign, is in the other in the same order; less for other names."""
    before, after = (re.findall(r"[A-Za-z_][\w.]*(?:\[[^\]]*\])?|\S", text) for text in (old, new))
    names = {word for word in after if word[0].isalpha()} - set(before)
    return difflib.SequenceMatcher(None, before, after, autojunk=False).ratio() - FOREIGN * len(names)


def _in_the_same_line(judged: Judged, finding: Finding) -> list[Finding]:
    """The finding, and its like for the other layers whose quantity the same line of a loop or a class makes."""
    kind, layer = _kind_and_layer(judged, finding)
    here = _maker(judged, kind, layer)
    if here is None or finding.at == "loss":
        return [finding]
    last = judged.problem.passes[0].last  # type: ignore[union-attr]
    makers = {number: _maker(judged, kind, number) for number in range(last, 0, -1) if number != layer}
    alike = [number for number, made in makers.items() if made is not None and made.place == here.place]
    return [finding, *(finding._replace(at=f"{kind}{number}") for number in alike)]


def _maker(judged: Judged, kind: str, layer: int) -> Node | None:
    return blame.holder(judged, layer) if kind == "dZ" else judged.made.get(f"{kind[1:]}{layer}")


def _common_terms(judged: Judged, tape: Tape, sites: list[tuple[Finding, _Site]]) -> list[Term]:
    """The formulas that are right in each of the moments, and would change something in one of them."""
    common: dict[str, Term] = {}
    same: set[str] = set()
    for alike in dict.fromkeys(alike for alike, _ in sites):
        own = [site for other, site in sites if other is alike]
        for site in {id(site.moment): site for site in own}.values():
            terms = {term.text: term for term in _terms(judged, tape, site, alike)}
            if not terms and common:
                continue  # not in a moment in which nothing has a name
            gives = {text for text, term in terms.items() if _gives(judged, site, term)}
            same = same & gives if common else gives
            common = {text: term for text, term in common.items() if text in terms} if common else terms
    return [term for text, term in common.items() if text not in same]


def _gives(judged: Judged, site: _Site, term: Term) -> bool:
    """Whether the term is what the site gives already."""
    value = np.asarray(judged.drawn[0](site.node), float)
    return value.shape == term.value.shape and bool(np.allclose(value, term.value, rtol=1e-9, atol=0))


def _can_be_named(text: str, others: list[Moment]) -> bool:
    """Whether what the text names is there each time that its line is run: in a loop, in all layers."""
    names = {ast.unparse(n) for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, (ast.Name, ast.Subscript))}
    known = names & {name for moment in others for name in moment.arrays}
    return all(name in moment.arrays for name in known for moment in others)


def _sites(judged: Judged, tape: Tape, moments: list[Moment], finding: Finding) -> Iterator[_Site]:
    kind, layer = _kind_and_layer(judged, finding)
    products: set[Node] = set()
    slope = blame.slope_of(judged, finding)
    holder = blame.holder(judged, layer) if kind == "dZ" else None
    if kind == "dZ" and holder is None:
        if slope is None:
            yield from _sites_of_line(judged, tape, moments, finding)
            return
        nodes = []
    elif holder is not None:
        nodes, last = [holder], judged.problem.passes[0].last  # type: ignore[union-attr]
        if finding.code == "wrong-scale" and blame.holds(
            judged, scaled := blame.scaled_at(judged, holder, finding), layer
        ):
            nodes = [scaled]
        if layer < last and (finding.code in THROUGH_WEIGHTS or finding.is_of_layer_above):
            products = {blame.through_weights(judged, holder)} - {holder}
            nodes += products
    elif kind in ("dW", "db"):
        nodes = _gradients(judged, finding.at[1:])
    else:
        return
    if len(judged.step.examples) > 1:
        instructions = {product.instruction for product in products}
        nodes = [part for node in nodes for part in _of_each_example(judged, node, finding)]
        products = {node for node in nodes if node.instruction in instructions}
    nodes += [slope] if slope is not None else []
    wanted = {*nodes, *map(original, nodes)}
    for moment in moments:
        statement = lines.statement_at(moment.place)
        if statement is None:
            continue
        value, result = _given(moment, statement, tape)
        if value is not None and result is not None and not wanted.isdisjoint((result, original(result))):
            through = original(result) in map(original, products)
            yield _Site(statement, value, moment, result, through, original(result) is slope)
        for node in nodes:
            expression = lines.expression_of(node, statement) if _is_made_in(node, moment) else None
            if expression is not None:
                yield _Site(statement, expression, moment, node, node in products, node is slope)


def _gradients(judged: Judged, name: str) -> list[Node]:
    """The arrays that hold a parameter's gradient, from where it was made to the one that is judged."""
    parameter, made, chosen = judged.names[name], judged.made.get(name), judged.chosen.get(name)
    nodes = [node for node in (made, chosen) if node is not None]
    if made is not None and chosen is not None:
        nodes = [n for n in ancestors([chosen], made.number) if made in ancestors([n], made.number)]
    if nodes and nodes[0].size != parameter.size:  # on its way to the step it may be multiplied by plain numbers
        found = {nodes[0]}
        for node in sorted(ancestors(nodes_in(parameter.steps), nodes[0].number), key=lambda n: n.number):
            if node.parents and is_scaling(node, judged.step) and not found.isdisjoint(node.parents):
                found.add(node)
                nodes.append(node)
    if judged.truth.loss.penalised:  # beside the penalty, which stays
        sums = [n for n in nodes if n.function is np.add and any(parameter.before in multiples(m) for m in n.parents)]
        nodes += [part for n in sums for part in n.parents if part in judged.step.labelled]
    return nodes


def _sites_of_line(judged: Judged, tape: Tape, moments: list[Moment], finding: Finding) -> Iterator[_Site]:
    """What the finding's line assigns, where the numbers do not tell which array is meant: all are 0."""
    node = blame.node_of(judged, finding)
    for moment in moments:
        made_here = node is not None and _is_made_in(node, moment)
        statement = lines.statement_at(moment.place) if made_here else None
        if statement is not None:
            value, result = _given(moment, statement, tape)
            if value is not None and result is not None:
                yield _Site(statement, value, moment, result)


def _given(moment: Moment, statement: ast.stmt, tape: Tape) -> tuple[ast.expr | None, Node | None]:
    """What is assigned or returned in a moment, and the array that this was."""
    return getattr(statement, "value", None), tape.nodes[moment.result] if moment.result is not None else None


def _is_made_in(node: Node, moment: Moment) -> bool:
    return moment.number <= node.number < moment.end and node.place == moment.place


def _kind_and_layer(judged: Judged, finding: Finding) -> tuple[str, int]:
    """dZ, dW or db, and of which layer; a constant of the loss belongs to the error that all others follow from."""
    if finding.at == "loss":
        return "dZ", judged.problem.passes[0].last  # type: ignore[union-attr]
    return (finding.at[:2], finding.layer) if finding.layer else ("", 0)


def _of_each_example(judged: Judged, node: Node, finding: Finding) -> list[Node]:
    """What the same expression gave for a few of the examples that run one by one, those with other labels first."""
    kind, layer = _kind_and_layer(judged, finding)
    parts = [node] if kind == "dZ" else blame.of_each_example(judged, node)
    made, shapes = {part.instruction for part in parts}, {part.shape for part in parts}
    alike = [n for n in judged.step.backward if n.instruction in made and n.shape in shapes]
    if kind == "dZ":  # the same line may serve other layers
        alike = [n for n in alike if blame.holds(judged, n, layer)] or [node]
    Y = judged.problem.passes[0].Y  # type: ignore[union-attr]
    chosen: defaultdict[object, dict[bytes, Node]] = defaultdict(dict)
    for n in alike:
        chosen[n.instruction].setdefault(Y[_example_at(judged, n.number)].tobytes(), n)
    return [n for alike in chosen.values() for n in list(alike.values())[:3]]


def _example_at(judged: Judged, number: int) -> int:
    """Of examples that run one by one, the one whose prediction was made last."""
    return max(0, sum(e.prediction.number < number for e in judged.step.examples) - 1)


def _terms(judged: Judged, tape: Tape, site: _Site, finding: Finding) -> Iterator[Term]:
    """The right formulas for what the site gives, with the constant that it has there."""
    kind, layer = _kind_and_layer(judged, finding)
    value = np.asarray(judged.drawn[0](site.node), float)
    examples = judged.step.examples
    quantities = Quantities(judged, _example_at(judged, site.moment.number))
    writer = Writer(judged, tape, site.moment, quantities, lines.text_of(site.place))
    if site.is_slope:
        yield from (term for term in writer.slopes(layer) if term.value.shape == value.shape)
        return
    if kind == "dZ":
        right = quantities.scaled[f"dZ{layer}"][0]
        scale = 1.0 if finding.at == "loss" else judged.scale
        wanted = wanted_error(judged, layer, value, scale * right) if len(examples) == 1 else None
        terms = writer.carried_back(layer) if site.through else writer.errors(layer)
        terms = (term for term in terms if term.value.shape == value.shape)
    else:
        wanted = wanted_gradient(judged, finding.at[1:], value) if len(examples) == 1 else None
        terms = writer.weight_gradients(layer) if kind == "dW" else writer.bias_gradients(layer)
    for term in terms:
        factor = ratio_to(term, wanted) if wanted is not None and not site.through else None
        if factor is not None:
            yield from writer.scaled(term, factor)
        elif kind == "dW" and wanted is not None:
            yield from writer.penalised(term, layer, wanted)
        # The constant that comes with what is named may be the author's own.
        yield term
        if factor is None and kind != "dZ":
            yield from writer.scaled(term, 1 / len(quantities.forward.Y))


# --- edits ------------------------------------------------------------------------------------------------------------


def _put_in(place: Place, statement: ast.stmt, expression: ast.expr, term: Term) -> Edit | None:
    whole = expression is getattr(statement, "value", None)
    whole = whole and isinstance(statement, (ast.Assign, ast.AugAssign, ast.Return, ast.AnnAssign))
    return _substituted(place, expression, term.text, term.text if whole else term.closed)


def _substituted(place: Place, expression: ast.expr, text: str, closed: str = "") -> Edit | None:
    return substituted(place.file, lines.parsed_lines(place.file), expression, text, closed)


def _written(statement: ast.stmt, edit: Edit) -> str:
    """What to write instead: the right-hand side of an assignment, or the whole statement."""
    source = lines.parsed_lines(edit.file)
    changed = [*source[: edit.first - 1], *(f"{line}\n" for line in edit.lines), *source[edit.last :]]
    removed = edit.last - edit.first + 1 - len(edit.lines)
    end = (statement.end_lineno or statement.lineno) - removed
    text = "".join(changed[statement.lineno - 1 : end]).strip()
    try:
        (parsed,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return text
    if isinstance(parsed, ast.Assign):
        return ast.get_source_segment(text, parsed.value) or text
    return text


def _normalised(judged: Judged) -> Iterator[Proposal]:
    """The sums and maxima of the forward pass that run over the examples, each over an example's outputs instead."""
    assert judged.dense is not None
    axis = 0 if judged.dense.layout == "columns" else 1
    scores = judged.dense.layers[-1][0].scores
    for node in reversed([n for n in judged.step.forward if n.number > scores.number]):
        if node.size == scores.size or node.place is None or not node.parents or node.parents[0].shape != scores.shape:
            continue
        statement = lines.statement_of(node)
        expression = lines.expression_of(node, statement) if statement is not None else None
        if statement is None or not isinstance(expression, ast.Call):
            continue
        kept = [argument for argument in expression.args if not isinstance(argument, ast.Constant)]
        others = [keyword for keyword in expression.keywords if keyword.arg not in ("axis", "keepdims")]
        given = [ast.keyword(name, ast.Constant(value)) for name, value in (("axis", axis), ("keepdims", True))]
        call = ast.Call(expression.func, kept, others + given)
        edit = _substituted(node.place, expression, ast.unparse(call))
        if edit is not None:
            yield node.place, _written(statement, edit), (edit,)


def _moved(examined: Examined, moments: list[Moment], finding: Finding) -> Iterator[Proposal]:
    """The step of the weights above, put behind all that needs them as they were."""
    above = examined.judged.names.get(f"W{finding.layer + 1}")  # or a new forward pass is made with those below
    sites = _sites(examined.judged, examined.tape, moments, finding)
    uses = {ast.unparse(site.expression): (site.place, site.expression) for site in sites if site.through}
    for moment in moments:
        if above is not None and _is_made_in(above.after, moment):
            yield from ((moment.place, "", edits) for edits in moved(moment.place, list(uses.values())))
