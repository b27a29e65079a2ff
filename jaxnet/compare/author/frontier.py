"""Up to which Node a wrong gradient is right, and from which on it is not."""

from __future__ import annotations

import itertools
import math
import operator
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.chains import before_writes
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT, constant_to, is_rounding
from jaxnet.compare.author.lines import target_of
from jaxnet.compare.author.node import (
    MULTIPLYING,
    PRODUCTS,
    Node,
    Place,
    ancestors,
    following,
    made_alone_of,
    nodes_in,
    original,
    replaced,
    setitem,
)
from jaxnet.compare.author.penalties import penalties
from jaxnet.compare.author.raw import candidates, is_kept, is_scaling
from jaxnet.compare.author.recorder import JOINING
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.multiples import common_multiple, is_among, multiple


class LeftOut(NamedTuple):
    """Two lines, the derivative of the loss by the one of which stands in the place of that by the other; and how many
    times the right one the gradient is with that."""

    made: Place
    right: Place
    times: float

    def __str__(self) -> str:
        made, right = (f"∂loss/∂(line {place.line})" for place in (self.made, self.right))
        right = "that by what it was made of there" if right == made else right
        fits = "right" if abs(self.times - 1) <= RIGHT else f"{self.times:.6g} times what it should be"
        return f"made with {made}, and {fits} with {right}: what lies between is left out"


class Frontier(NamedTuple):
    """Up to where a gradient is right and from where on it is not."""

    known: Node | None  # the last Node that is a derivative of the loss, times a constant
    quantity: str  # of what it is the derivative
    unknown: Node  # the first that is none
    left_out: LeftOut | None = None  # the gradient is a multiple of the right one with it


def frontiers(judged: Judged) -> dict[str, Frontier]:
    """For each wrong gradient the Nodes between which it went wrong.

    A backward Node is known if it equals, in all draws, the derivative of the loss by a forward Node, or by one use of
    it, up to transposition and a constant, or is a sum of such parts. The constant must be one that is found on the
    way to a right gradient, if there is any. The first unknown ones on the way to a wrong gradient, all of whose
    origins are known, are where it begins to be wrong.
    """
    if not judged.wrong:
        return {}
    step, drawn, parts = judged.step, judged.drawn, judged.truth.parts
    # A gradient that is 0, of a bias before a normalisation, has no constant.
    telling = (p for n, p in judged.names.items() if n not in judged.wrong and not is_rounding(judged.true, n))
    right = [n for p in telling for n in nodes_in(p.steps)]
    on_right_ways = ancestors(right)
    known, partial = derivatives(step, drawn, parts, on_right_ways, judged.scale)
    # Nothing is wrong with an error whose product with the input of a layer is right, nor with what the loss is.
    chosen = [node for name, node in judged.chosen.items() if node is not None and name not in judged.wrong]
    of_right = ancestors([*(n for node in chosen for n in _multiplied(node, step)), *nodes_in(judged.truth.loss.node)])
    found, end = {}, time.monotonic() + LOOKING
    for name in judged.wrong:
        parameter, node = judged.names[name], judged.chosen[name]
        first = node and first_of_value(judged, name, node)  # a clip that does not bite
        node = node if first in known else first  # not what is right for another array
        write, twice = writes_rows(parameter)
        if write is not None and twice:
            found[name] = Frontier(None, "", write)
            continue
        start = node if node is not None else _first_unknown(parameter, known, step)
        if start is None:
            continue
        if _is_another_view(start, parameter, known):  # right, but it was not turned back, or in another way
            inwards, shape = [c.node for c in candidates(parameter, step)], parameter.before.shape
            if start.shape == shape:
                start = min([start, *(n for n in inwards if n.shape == shape)], key=lambda n: n.number)
            else:
                outer = [n for n in inwards if n.number > start.number]
                start = next((n for n in reversed(outer) if n not in known or n.shape == shape), start)
        if start in known and start in on_right_ways and len(step.examples) > 1:  # one's, where those of all add up
            inside = ancestors(nodes_in(parameter.steps), start.number)
            uses = (n for n in inside if start in n.parents and n.place is not None)
            if (use := min(uses, key=lambda n: n.number, default=None)) is not None:
                found[name] = Frontier(start, _quantity(known[start], step), use)
                continue
        known.pop(start, None)
        own = known
        if (other := other_with(judged, name)) is not None:  # what is right for that is not on the way to this one
            targets = {judged.names[other].before, judged.names[other].root}
            own = {n: of for n, of in known.items() if not of.keys() <= targets}
        right_pieces, wrong_pieces = _pieces(start, judged, name)
        edge = _edge(start, own, step, of_right | right_pieces)
        place_of = Counter(n.place for n in edge)
        if not edge:
            continue
        first = min(edge, key=lambda n: (-place_of[n.place], n.number))
        origins = [p for p in (p if p in own else _laid_out(p) for p in first.sources) if p in own]
        # What is used as if it were all of a derivative, and is a part of it, is where the rest is missing.
        # An entry of all of it is no such part.
        picked = (p for p in origins if p.function is operator.getitem and p.size == 1)
        entries = {p for p in picked if p.inputs[0] in known.keys() - partial}
        missing = [p for p in origins if p in partial - entries and p in step.labelled]
        collects = first.function in (np.add, np.subtract, operator.getitem) and not is_kept(first, step)
        collects = collects and step.labelled.issuperset(first.parents)  # a penalty is no part of it
        collects = collects or (first.function is setitem and first.inputs[2] in step.labelled)
        if (is_another := _adds_another_penalty(first, parameter, judged)) is not None:
            collects = is_another
        if missing and not collects:
            part = max(missing, key=lambda n: n.number)
            if is_another is False and part.function is operator.getitem:  # of what is not penalised, too
                part = part.inputs[0] if part.inputs[0] in known else part
            first = _unscaled(_laid_out(part), step)
            origins = [p for p in first.sources if p in known]
            of = [n for n in known.get(first, ()) if n is not parameter.before]  # which all of a program may use
            first = _of_block(first, [use for target, use in parts[0] if use is not None and target in of])
        last = max(origins, key=lambda n: n.number, default=None)
        first = wrong_pieces[0] if wrong_pieces and first is start else first
        if last is None:
            found[name] = Frontier(None, "", _where_it_is_called(first, judged))
        else:
            out = None
            if node is not None and last is not node and time.monotonic() < end:
                out = _left_out(last, known, name, judged)
            named = _quantity(known[last], step)
            quantity = f"a part of {named}" if named and last in partial else named
            found[name] = Frontier(last, quantity, first, out)
    return found | _of_one_error(found, step, on_right_ways)


def _pieces(node: Node, judged: Judged, name: str) -> tuple[set[Node], list[Node]]:
    """Of a gradient that is written piece by piece the pieces that are right, and the array where it has no others; and
    the writes of those that are wrong."""
    given, true = judged.given[name], judged.true[name]
    writes: list[Node] = []
    while node.function is setitem and isinstance(node.inputs[2], Node) and node.shape == true[0].shape:
        writes.append(node)
        node = node.inputs[0]
    right: set[Node] = set()
    wrong: list[Node] = []
    if len(writes) < 2 or any(g.shape != t.shape for g, t in zip(given, true, strict=True)):
        return right, wrong
    for write in reversed(writes):
        at = replaced(write.inputs[1], judged.recorded)
        pairs = ((g[at], judged.scale * t[at], judged.scale * t) for g, t in zip(given, true, strict=True))
        is_right = all(np.allclose(g, t, 0, RIGHT * np.abs(whole).max(initial=0)) for g, t, whole in pairs)
        wrong += [] if is_right else [write]
        right |= {write.inputs[2]} if is_right else set()
        right |= set() if wrong else {write}
    return right, wrong


def _adds_another_penalty(node: Node, parameter: Parameter, judged: Judged) -> bool | None:
    """Whether what is made alone of a parameter, and added to a gradient or to a part of it, is another penalty than
    the loss has: if it is the same, the rest is wrong. None if nothing of that kind is added, or the loss has none."""
    added = node.inputs[2] if node.function is setitem else node
    if not isinstance(added, Node) or added.function not in (np.add, np.subtract):
        return None
    before = parameter.before
    terms = [n for n in added.parents if n not in judged.step.labelled and made_alone_of([n], {before})]
    of_loss = penalties(parameter, judged.truth, ancestors(e.prediction for e in judged.step.examples))
    if len(terms) != 1 or not of_loss:
        return None
    (term,) = terms
    read = {before, *(n for n in ancestors([term]) if n.function is operator.getitem)}
    part = next((n for n in sorted(read, key=lambda n: -n.number) if n.shape == term.shape), None)
    if part is None:
        return None
    at = np.ravel(Values({before: np.arange(parameter.size).reshape(before.shape)})(part)).astype(int)
    sign = -1.0 if added.function is np.subtract and added.inputs[1] is term else 1.0
    given = []
    for values in judged.drawn:
        given.append(np.zeros(parameter.size))
        given[-1][at] = sign * np.ravel(values(term))
    factors = (common_multiple(given, list(map(np.ravel, of_draws)), RIGHT) for of_draws in of_loss)
    return not any(f is not None and is_among(f, [judged.scale], RIGHT) for f in factors)


def _of_one_error(found: dict[str, Frontier], step: Step, on_right_ways: set[Node]) -> dict[str, Frontier]:
    """Where several lines take an error that is made of labels, which no line takes to a right gradient: it is that
    error's line which is wrong, and none of theirs."""
    right = {n.instruction for n in on_right_ways}
    errors: dict[object, list[str]] = {}
    for name, edge in found.items():
        error = edge.known
        if error is None or error.instruction in right:
            continue
        *_, begun = multiples(error)
        if step.labelled.isdisjoint(begun.sources):
            errors.setdefault(error.instruction, []).append(name)
    taken = {n: found[n].unknown for names in errors.values() for n in names}
    several = [names for names in errors.values() if len({taken[name].place for name in names}) > 1]
    # What multiplies it by a slope, entry by entry, may have another slope than the right one.
    several = [names for names in several if all(taken[name].function is not np.multiply for name in names)]
    alike = {name: found[name] for names in several for name in names}
    return {name: edge._replace(unknown=edge.known) for name, edge in alike.items() if edge.known is not None}


def other_with(judged: Judged, name: str) -> str | None:
    """The parameter whose gradient a wrong one is, up to a constant; of a number any would be."""
    given = judged.given[name]
    others = (other for other, p in judged.names.items() if other != name and p.size > 1)
    return next((other for other in others if common_multiple(given, judged.true[other], RIGHT) is not None), None)


def _of_block(node: Node, uses: list[Node]) -> Node:
    """A part of a derivative as the block has it in which all is used that it is by: what a layer sends back is right,
    and it is the block that it is a layer of that forgets what it adds to that."""
    calls = zip(*(reversed(use.places) for use in uses), strict=False)
    common = sum(1 for _ in itertools.takewhile(lambda places: len(set(places)) == 1, calls))
    common = min([common, *(len(use.places) - 1 for use in uses)])  # the line that uses it has also the call
    inner = len(node.places) - common - 1
    return replace(node, places=node.places[inner:]) if common and inner > 0 else node


def _where_it_is_called(node: Node, judged: Judged) -> Node:
    """A part of a slope as the line has it that calls the function which makes that, if it is right: it is taken there
    for what it is not, an error say."""
    step, parts = judged.step, judged.truth.parts
    for k in range(1, len(node.places)):  # of functions that call each other the outermost
        calls = node.places[k:]
        by_it = (n for n in step.active if len(n.places) > len(calls) and n.places[-len(calls) :] == calls)
        result = max(by_it, key=lambda n: n.number, default=None)
        if result is None or result in step.forward:
            continue
        known = [n for n in step.forward if n.shape == result.shape and (n, None) in parts[0]]
        for after in known:
            for before in ancestors([after]).intersection(known) - {after}:
                pairs = zip(judged.drawn, parts, strict=True)
                both = ((v(result) * of[after, None], of[before, None]) for v, of in pairs)
                if all(np.allclose(chained, true, rtol=RIGHT, atol=0) for chained, true in both):
                    return replace(node, places=calls)
    return node


def _left_out(last: Node, known: Known, name: str, judged: Judged) -> LeftOut | None:
    """That a gradient is made with ∂loss/∂A, and is right with ∂loss/∂Z, of a Z that A is made of, in all that the same
    lines do: a mask, an activation, or a mean that is taken off is not gone back through."""
    step, drawn, parts, gradient = judged.step, judged.drawn, judged.truth.parts, judged.chosen[name]
    assert gradient is not None
    taken = constant_to(gradient, judged.given[name], drawn)
    given = [np.asarray(values(last), float) for values in drawn]
    whole = [t for t in known[last] if (t, None) in parts[0]]
    whole = [t for t in whole if _factor(given, [of_draw[t, None] for of_draw in parts]) is not None]
    target = min(whole, key=lambda n: n.number, default=None)
    if target is None or target.place is None:
        return None
    alike = {n: t for n, of in known.items() if n.site == last.site for t in of if t.site == target.site}
    if len(alike) > ALIKE:
        return None
    before = {n: ancestors([t]) & step.active for n, t in alike.items()}
    origins = [m for m in before[last] if m.size == target.size and (m, None) in parts[0] and m.place is not None]
    for origin in sorted(origins, key=lambda n: -n.number)[1:MOST_LEFT_OUT]:
        instead = {}  # in other rounds of a loop, too
        for n in alike:
            same = [m for m in before[n] if (m.site, m.function, m.size) == (origin.site, origin.function, n.size)]
            same = [m for m in same if (m, None) in parts[0]]
            instead |= {n: max(same, key=lambda m: m.number)} if same else {}
        rest = []
        for values, of_draw in zip(drawn, parts, strict=True):
            rest.append(values.before(min(instead, key=lambda n: n.number)))
            numbers = {n: np.asarray(known[n][alike[n]] * of_draw[m, None]) for n, m in instead.items()}
            # In another draw other entries may be picked.
            rest[-1].known |= {n: np.reshape(array, n.shape) for n, array in numbers.items() if array.size == n.size}
        if taken and origin.place and (factor := constant_to(gradient, judged.true[name], rest)):
            return LeftOut(target.place, origin.place, abs(factor / taken / judged.scale))
    return None


def first_of_value(judged: Judged, name: str, node: Node) -> Node:
    """The first array with these very numbers: where a constant came in, before a momentum of 0 was added."""
    wanted = [np.asarray(v(node), float) for v in judged.drawn]
    for candidate in candidates(judged.names[name], judged.step):
        found = [np.asarray(v(candidate.node), float) for v in judged.drawn]
        if all(a.shape == w.shape and np.array_equal(a, w) for a, w in zip(found, wanted, strict=True)):
            node = min(node, candidate.node, key=lambda n: n.number)
    return node


def writes_rows(parameter: Parameter) -> tuple[Node | None, bool]:
    """A write of rows by an array of their numbers, if there is one, and whether one comes up twice: the last one
    counts, and what the others have to say is lost (`W[words] -= …`, where `np.subtract.at` adds them up)."""
    found: Node | None = None
    for node in before_writes(parameter.after):
        if node is parameter.before or node.function is not setitem:
            break
        index = replaced(node.inputs[1], Values())
        rows = np.asarray(index[0] if isinstance(index, tuple) and index else index)
        if rows.dtype.kind in "iu" and rows.size > 1:
            found = node
            if len(np.unique(rows)) < rows.size:
                return node, True
    return found, False


def _first_unknown(parameter: Parameter, known: Known, step: Step) -> Node | None:
    """Of entries or rows that are stepped one by one the first that is wrong, as it was before it was scaled."""
    parts = sorted(nodes_in(parameter.steps), key=lambda n: n not in step.labelled)
    unscaled = {part: _unscaled(part, step) for part in parts}
    rows = {part: n.inputs[0] if n.function is operator.getitem else n for part, n in unscaled.items()}
    unknown = (part for part in parts if part not in known and rows[part] not in known)
    start = next(unknown, next(iter(parts), None))
    return unscaled[start] if start is not None and start not in step.labelled and len(parts) > 1 else start


def _unscaled(node: Node, step: Step) -> Node:
    """The array before it was multiplied by numbers that no parameter has a part in, such as a learning rate."""
    while is_scaling(node, step) and not any(n in step.active and n.size < node.size for n in node.parents):
        node = next(parent for parent in node.parents if parent.size == node.size)
    return node


def _is_another_view(node: Node, parameter: Parameter, known: Known) -> bool:
    """Whether an array is the derivative by a view of a parameter that has another shape."""
    return any(
        t.shape != parameter.before.shape and original(t, (parameter.before,)) is parameter.before
        for t in known.get(node, ())
    )


def _laid_out(node: Node) -> Node:
    """What was laid out in another way, with zeros around it, or in windows that have its entries several times."""
    while node.inputs and isinstance(array := node.inputs[0], Node):
        windows = node.function is operator.getitem and node.size > array.size
        if not windows and node.function not in (np.pad, np.reshape, np.transpose):
            break
        node = array
    return node


def _multiplied(node: Node, step: Step) -> list[Node]:
    """The errors in the matrix product that an array is, but for constants and transposition."""
    while node.function not in PRODUCTS:
        same = [n for n in node.parents if n.size == node.size and n in step.labelled]
        if len(same) != 1:
            return []
        node = same[0]
    return [n for n in node.parents if n in step.labelled]


def _edge(start: Node, known: Known, step: Step, right: set[Node]) -> list[Node]:
    """The first unknown Nodes on the way to one, but for `right` ones. Slopes and inputs, which errors are multiplied
    by, are passed over; where weights that have been stepped by then are used, nothing is wrong with how they were."""
    right = right.union(*((*p.new, *p.writes) for p in step.parameters))
    errors: set[Node] = set()
    for node in step.backward:
        if node in known or not errors.isdisjoint(node.sources):
            errors.add(node)
    edge, seen, stack = [], set(), [start]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        sources = map(_laid_out, node.sources)
        unknown = [p for p in sources if p in step.labelled and p not in known and p.size > 0 and p not in right]
        if node.function in MULTIPLYING and not errors.isdisjoint(node.sources):
            unknown = [p for p in unknown if p in errors]
        if not unknown or node in known:
            edge.append(node)
        else:
            stack += unknown
    # An entry that is right by chance, of an array that is wrong already, is no news.
    wrong = following(step.backward, set(edge))
    return [node for node in edge if wrong.isdisjoint(node.sources)]


MOST_LEFT_OUT = 12  # operations, whose derivatives may be left out
MOST_IN_ROUNDS = 10_000_000  # entries of what a loop makes
ALIKE = 100  # rounds of a loop, in which that may be so
LOOKING = 2.0  # seconds, for what is left out
SAME = 1e-5  # constants as near as this are one
DIGITS = 6  # of what tells arrays apart
Known = dict[Node, dict[Node, float]]  # for a Node, of which forward Nodes it is the derivative, times which constant


def derivatives(
    step: Step, drawn: list[Values], parts, on_right_ways: set[Node], scale: float = 1.0
) -> tuple[Known, set[Node]]:
    """Backward Nodes that are right, with the forward Nodes of which they are the derivative or a part of it; and those
    that are no more than a part, of what is used in several places. Right gradients are `scale` times the true ones."""
    references: dict[tuple, list[tuple[Node, bool, list[np.ndarray]]]] = {}
    uses = Counter(target for target, use in parts[0] if use is not None)
    rounds: dict[tuple, list[Node]] = {}  # of a loop, which makes rows of what is used as a whole on the way back

    def refer(target: Node, is_whole: bool, arrays: list[np.ndarray]) -> None:
        size, *numbers = _signature(arrays)
        key = size, *(round(number, DIGITS) for number in numbers)
        references.setdefault(key, []).append((target, is_whole, arrays))

    for target, use in parts[0]:
        if target.function is np.negative:
            continue  # a wrong sign is no derivative by −Z
        if all((target, use) in of_draw for of_draw in parts):
            whole_of = original(target)  # the derivative by Aᵀ is one by a use of A
            is_whole = use is None and (whole_of is target or uses[whole_of] == 1)
            refer(target, is_whole, [of_draw[target, use] for of_draw in parts])
            as_a_whole = use is not None and use.function not in (operator.getitem, setitem)
            for piece, place in _joined_in(target) if as_a_whole else ():  # else once for each write of each
                arrays = [of_draw[target, use][place] for of_draw in parts]
                if arrays[0].shape == piece.shape:
                    refer(piece, False, arrays)
            if use is None:
                rounds.setdefault((target.site, target.shape), []).append(target)
    for target, several in _in_one_call(parts[0]):
        refer(target, False, [np.sum([of_draw[target, use] for use in several], axis=0) for of_draw in parts])
    for targets in (sorted(of, key=lambda n: n.number) for of in rounds.values()):
        stacked = [np.stack([of_draw[t, None] for t in targets]) for of_draw in parts] if len(targets) > 1 else []
        if len({array.shape for array in stacked}) == 1:
            refer(targets[-1], True, stacked)
    # Of what is made of entries of an array the array, too.
    read_from = {n.inputs[0] for n in step.backward if n.function is operator.getitem} & step.labelled
    backward = sorted({n for n in (*step.backward, *read_from) if n.size and n.is_float}, key=lambda n: n.number)
    found_of: Known = {}
    wholes: set[tuple[Node, Node]] = set()
    zeros: set[Node] = set()  # any constant times what is 0, too

    def like(arrays: list[np.ndarray]) -> Iterator[tuple[Node, bool, list[np.ndarray]]]:
        size, *numbers = _signature(arrays)
        near = [dict.fromkeys(round(n + k * 10.0**-DIGITS, DIGITS) for k in (-1, 0, 1)) for n in numbers]
        for key in itertools.product([size], *near) if np.isfinite(arrays[0]).all() else ():
            yield from references.get(key, [])

    for node in backward:
        arrays = [np.asarray(values(node), float) for values in drawn]
        zeros |= set() if any(map(np.any, arrays)) else {node}
        found: dict[Node, float] = {}
        for target, is_whole, wanted in like(arrays):
            more = target not in found or (is_whole and (node, target) not in wholes)
            factor = _factor(arrays, wanted) if more else None
            if factor is not None:
                found[target] = factor
                wholes |= {(node, target)} if is_whole else set()
        found_of[node] = found
    # Of what a loop makes, row by row or as terms of a sum, each is a part, of which nothing is missing.
    of_rounds: set[Node] = set()
    for nodes in _made_in_rounds(backward, found_of):
        rows = [np.stack([np.asarray(values(n), float) for n in nodes]) for values in drawn]
        for arrays in (rows, [array.sum(0) for array in rows]):
            for target, _, wanted in like(arrays):
                if (factor := _factor(arrays, wanted)) is not None:
                    of_rounds.update(nodes)
                    for node in nodes:
                        found_of[node].setdefault(target, factor)
    # A Node may be the derivative by several, each times another constant: the one nearest to 1 is meant.
    nearest = {n: min(found.values(), key=_from_one) for n, found in found_of.items() if found and n not in zeros}
    of_right = {n: f for n, f in nearest.items() if n in on_right_ways}
    # A constant that the next multiplication takes away is none of the gradients'.
    passing = {
        p
        for n in of_right
        for p in n.parents
        if p.size == n.size
        and p in of_right
        and is_scaling(n, step)
        and _from_one(of_right[n]) < _from_one(of_right[p])
    }
    usual = [f for n, f in of_right.items() if n not in passing]
    usual += [math.copysign(scale, f) for f in usual]
    used: dict[str, dict[Node, list[Node]]] = {}  # entries of arrays in the forward pass, by index and array
    for node in step.active:
        if node.function is operator.getitem:
            used.setdefault(repr(node.inputs[1]), {}).setdefault(node.inputs[0], []).append(node)
    known: Known = {}
    for node in backward:
        of = {t: usual[0] if node in zeros and usual else f for t, f in found_of[node].items()}
        targets = {t: f for t, f in of.items() if not usual or is_among(f, usual, SAME)}
        targets = {t: f for t, f in targets.items() if (node, t) in wholes} or targets
        if not targets and node.function in (np.add, np.subtract):
            targets = _known_sum(node, known, step)
        elif not targets and node.function in (operator.getitem, setitem):
            targets = _known_by_index(node, known, used.setdefault(repr(node.inputs[1]), {}), step)
        if targets:
            known[node] = targets
    partial = {n for n, targets in known.items() if all((n, target) not in wholes for target in targets)}
    return known, partial - of_rounds


def _made_in_rounds(backward: list[Node], found_of: Known) -> Iterator[list[Node]]:
    """What an instruction makes again and again, if it is no derivative by itself."""
    rounds: dict[tuple, list[Node]] = {}
    for node in backward:
        rounds.setdefault((node.site, node.shape), []).append(node)
    for nodes in rounds.values():
        if len(nodes) > 1 and len(nodes) * nodes[0].size <= MOST_IN_ROUNDS and not any(found_of[n] for n in nodes):
            yield nodes


def _joined_in(joined: Node) -> Iterator[tuple[Node, Any]]:
    """The arrays that were joined along an axis, or written into one, [hidden state, input] say, and where each
    stands."""
    parents, shape = joined.parents, joined.shape
    for write in before_writes(joined) if joined.function is setitem else ():
        index, value = write.inputs[1:3] if write.function is setitem else (None, None)
        if isinstance(value, Node) and value.size > 1 and not any(nodes_in(index)):
            yield value, index
    if joined.function not in JOINING or any(len(p.shape) != len(shape) for p in parents):
        return
    for axis, length in enumerate(shape):
        ends = np.cumsum([p.shape[axis] for p in parents])
        if ends[-1] == length:
            for parent, end in zip(parents, ends.tolist(), strict=True):
                yield parent, (*[slice(None)] * axis, slice(end - parent.shape[axis], end))
            return


def _in_one_call(uses: Iterable[tuple[Node, Node | None]]) -> Iterator[tuple[Node, list[Node]]]:
    """What a function uses more than once, and others do as well, with the uses of each call of it: a normalisation
    sends back what all of them add up to, beside a way around it."""
    of: dict[Node, list[Node]] = {}
    for target, use in uses:
        if use is not None:
            of.setdefault(target, []).append(use)
    for target, all_of_it in ((target, found) for target, found in of.items() if len(found) > 2):
        calls: dict[tuple, list[Node]] = {}
        for use in all_of_it:
            for k in range(1, len(use.places)):
                calls.setdefault(use.places[k:], []).append(use)
        groups = {tuple(found): found for found in calls.values() if 1 < len(found) < len(all_of_it)}
        yield from ((target, found) for found in groups.values())


def _from_one(factor: float) -> tuple[float, bool]:
    """How far a constant is from 1, of two that only their signs tell apart the positive one first."""
    return round(abs(math.log(abs(factor))), 9), factor < 0


def _known_sum(node: Node, known: Known, step: Step) -> dict[Node, float]:
    """What a sum of parts belongs to, if all have one constant; nothing of the forward pass may be among them."""
    parts = [p for p in node.parents if p in step.labelled]
    others = [i for i in node.inputs if isinstance(i, Node) and i not in parts and i in step.active]
    if not parts or others or not all(p in known for p in parts):
        return {}
    taken = node.inputs[-1] if node.function is np.subtract else None
    first, *rest = [{t: -f if p is taken else f for t, f in known[p].items()} for p in parts]
    return {t: f for t, f in first.items() if all(t in other and is_among(other[t], [f], SAME) for other in rest)}


def _known_by_index(node: Node, known: Known, used: dict[Node, list[Node]], step: Step) -> dict[Node, float]:
    """What an entry of a gradient belongs to, or all of it where one is written: `dW[k] += …`, where W[k] was used."""
    array = node.inputs[0]
    of_array = known.get(array, {})
    if node.function is operator.getitem:
        for whole in of_array.keys() - used.keys():  # no entry of which the forward pass uses
            inputs = whole, node.inputs[1]
            used[whole] = [replace(whole, function=operator.getitem, inputs=inputs, parents=(whole,), _sources=None)]
        return {n: factor for whole, factor in of_array.items() for n in used[whole]}
    value = node.inputs[2]
    of_value = known.get(value, {}) if isinstance(value, Node) else {}
    entries = (n for n in of_value if n.function is operator.getitem and n in used.get(n.inputs[0], ()))
    whole = {n.inputs[0]: of_value[n] for n in entries}
    if array not in step.labelled:  # zeros
        return whole
    added = isinstance(value, Node) and any(array in part.parents for part in value.parents)
    return {t: f for t, f in whole.items() if added and t in of_array and is_among(f, [of_array[t]], SAME)}


def _signature(arrays: list[np.ndarray]) -> tuple[int, float, float]:
    """The same for what is in each draw an array, its transpose, or a multiple: its size, Σ|a|³ / ‖a‖³ in the first
    draw, and the logarithm of ‖a‖ in the last one over that."""
    first, last = (float(np.linalg.norm(array)) for array in (arrays[0], arrays[-1]))
    if not 0 < first < math.inf:
        return arrays[0].size, 0.0, 0.0
    shares = np.abs(arrays[0]) / first
    return (
        arrays[0].size,
        float(np.vdot(shares * shares, shares)),
        math.log(last / first) if 0 < last < math.inf else 0.0,
    )


def turned_multiple(array: np.ndarray, of: np.ndarray, tolerance: float) -> float | None:
    """c with array = c · of, as it is, turned, or without axes of length 1; None if there is none."""
    array, of = np.squeeze(array), np.squeeze(of)
    return next((f for turned in (of, of.T) if (f := multiple(array, turned, tolerance)) is not None), None)


def _factor(arrays: list[np.ndarray], wanted: list[np.ndarray]) -> float | None:
    """c with array = c · wanted, of the same size, turned or laid out in another way, in each draw; None if there is
    none."""
    factors = []
    for array, want in zip(arrays, wanted, strict=True):
        a, w = np.squeeze(array), np.squeeze(want)
        if a.size != w.size:  # of one round of a loop, and of all of them
            return None
        w = w if a.shape in (w.shape, w.T.shape) else w.reshape(a.shape)
        factor = turned_multiple(a, w, 1e-6) if a.any() or w.any() else 1.0
        if factor is None:
            return None
        factors.append(factor)
    return factors[0] if max(factors) - min(factors) <= SAME * max(map(abs, factors)) else None


def _quantity(targets: Iterable[Node], step: Step) -> str:
    """∂loss/∂ the line of the forward pass that made the Node; in the author's name for it if that is what the line
    gives a name to, and nothing else of the line is made of it."""
    target = min(targets, key=lambda n: (n.place is None, n.number))
    inner = any(target in n.parents and n.place == target.place for n in step.active)
    name = None if inner else target_of(target)
    return f"∂loss/∂{name}" if name else f"∂loss/∂(line {target.place.line})" if target.place else ""
