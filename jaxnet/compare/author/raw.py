"""The raw gradient in a step: what the optimiser was given, whatever the optimiser is.

From the step back through arrays of the parameter's size, those count through which all goes that the labels have to
say: dW itself, then m̂ of Adam, η·dW, whatever follows. Momentum, decay, clipping and their like need not be known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from operator import getitem
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.chains import before_writes
from jaxnet.compare.author.lines import statement_of
from jaxnet.compare.author.node import MOVING, PRODUCTS, Node, ancestors, depends, made_alone_of, nodes_in, setitem
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.updates import known_zero, multiples
from jaxnet.compare.multiples import without_ones

PRIME = (1 << 61) - 1


class Candidate(NamedTuple):
    """An array that may be the gradient: its Node, and where each entry of the parameter finds its own in it."""

    node: Node
    positions: np.ndarray
    scaled: bool  # it is another candidate times a plain number
    decayed: bool = False  # it is another candidate and a multiple of the parameter, added where the step is made …
    penalised: bool = False  # … or elsewhere
    bent: bool = False  # it is made of another candidate and of numbers, or of the matrix of Newton's method, and no
    # multiple of it: clipped, say, or with entries that are not trained
    kept: bool = False  # it is another candidate and β v, of an array that an optimiser keeps


def candidates(parameter: Parameter, step: Step) -> list[Candidate]:
    """Outermost first: the step itself, then what it was made of, down to the formula of the gradient."""
    outermost = _only_step(parameter)
    if outermost is None:
        return []
    if parameter.after.function not in (np.add, np.subtract) and outermost.size != parameter.size:
        return []  # only some entries are stepped
    data = data_of(step)
    region = _region(outermost, parameter, step, data)
    positions = _positions(outermost, region)
    inwards = []
    for node in _all_goes_through(outermost, region, step):
        inwards += [node] if node in positions and not node.is_complex else []
        if _is_formula(node, parameter, step, data) or _is_filled(node, step):
            break
    return [_candidate(node, positions, inwards[-1], parameter, step, data) for node in inwards]


def _candidate(
    node: Node, positions: dict[Node, np.ndarray], made: Node, parameter: Parameter, step: Step, data: set[Node]
) -> Candidate:
    """What is known of an array on the way from where the gradient is made."""
    with_own = _adds_own(node, parameter)
    decayed = with_own and _is_of_step(node, parameter, made)
    scaled, inner = is_scaling(node, step), any(parent in positions for parent in node.parents)
    made_of_it = not (scaled or _is_formula(node, parameter, step, data))
    return Candidate(
        node,
        positions[node],
        scaled,
        decayed,
        penalised=with_own and not decayed,
        bent=_is_held(node, step)
        or bool(_inverses(node))
        or (inner and made_of_it and all(parent in step.labelled for parent in node.parents)),
        kept=is_kept(node, step),
    )


def _only_step(parameter: Parameter) -> Node | None:
    """What the parameter is stepped with, if that is one array: not counting what it decays by beside that."""
    steps = [s for s in parameter.steps if not (isinstance(s, Node) and _is_own(s, parameter))]
    return steps[0] if len(steps) == 1 and isinstance(steps[0], Node) else _array_of_entries(parameter)


def _array_of_entries(parameter: Parameter) -> Node | None:
    """The array of which each entry, times numbers, is what the same one of the parameter is stepped with, once."""
    arrays: dict[Any, None] = {}
    for write in _written_once(parameter):
        step = next(iter(write.steps), None)
        entry = next((n for n in multiples(step) if n.function is getitem), None) if isinstance(step, Node) else None
        own = ()
        while entry is not None and entry.function is getitem and len(own) < len(write.at):
            own, entry = (*_axes(entry.inputs[1]), *own), entry.inputs[0]
        if entry is None or entry.shape != parameter.before.shape or repr(own) != repr(write.at):
            return None
        arrays[entry] = None
    return next(iter(arrays)) if len(arrays) == 1 else None


class _Write(NamedTuple):
    """What is written into one part of an array."""

    node: Node
    at: tuple
    value: Node
    steps: list[object]  # that it is stepped by


def _written_once(parameter: Parameter) -> list[_Write]:
    """The parts of a parameter that are written by themselves, in their order, if each of its entries is in one."""
    writes, left = [], np.ones(parameter.before.shape)
    for node in parameter.writes:
        at, value = (), node
        while isinstance(value, Node) and value.function is setitem:
            at, value = (*at, *_axes(value.inputs[1])), value.inputs[2]
        if any(nodes_in(at)) or not isinstance(value, Node):
            return []
        try:
            left[at] -= 1
        except IndexError:  # an entry of a row of a column
            return []
        writes.append(_Write(node, at, value, [g for base, g in node.updates if base is node.inputs[0]]))
    return [] if left.any() else writes


Pieces = list[tuple[Any, Node]]  # where each piece stands in an array, and what was made for it


def made_in_pieces(parameter: Parameter, step: Step) -> list[Pieces]:
    """What statements make, or take from an array, for each piece that is stepped by itself: g of `g = …; w[i] = f(g)`;
    the last first, of those before an optimiser keeps something, and only what each step has the signs of."""

    def ends(node: Node) -> bool:
        return node not in step.labelled or _is_formula(node, parameter, step, data)

    data = data_of(step)
    found: dict[object, Pieces] = {}
    last = parameter.before.number
    writes = _written_once(parameter)[::-1] if len(parameter.steps) > 1 else []
    for write in writes:
        way = ancestors(nodes_in(write.steps), last, until=ends) & step.labelled
        own = sorted((n for n in way if n.size == write.value.size), key=lambda n: n.number)
        kept = next((n.number for n in own if is_kept(n, step)), write.node.number)
        own = [n for n in own if n.number < kept]
        parts = {n.site: n for n in own if n.function is getitem}
        for made_by, node in ({_statement(n): n for n in own} | parts).items():  # the last of each statement
            found.setdefault(made_by, []).append((write.at, node))
        last = write.node.number
    whole = [of for of in found.values() if len(of) == len(writes)]
    errors = {m.node for e in step.examples for m in e.meetings}
    whole = [of for of in whole if _has_signs_of(parameter, of, errors, Values())]
    return sorted(whole, key=lambda pieces: -pieces[-1][1].number)


def _has_signs_of(parameter: Parameter, pieces: Pieces, errors: set[Node], values: Values) -> bool:
    """Whether each entry that is stepped because of these pieces, or of the array that they are taken from, and because
    of the errors, is so in their direction, or each against it."""
    array = joined(pieces, parameter, values)
    made = {node.inputs[0] if node.function is getitem else node for _, node in pieces}
    for turned in ({node for node in made if isinstance(node, Node)}, errors):
        moved = stepped_by(parameter, turned, values)
        if moved.shape != array.shape or not np.isfinite(moved).all():
            return False
        signs = (np.sign(moved) * np.sign(array))[array != 0]
        if not signs.size or abs(int(signs.sum())) != signs.size:
            return False
    return True


def joined(pieces: Pieces, parameter: Parameter, values: Values) -> np.ndarray:
    """What was made piece by piece as one array."""
    array = np.zeros(parameter.before.shape)
    for index, node in pieces:
        array[index] = np.reshape(np.asarray(values(node), float), array[index].shape)
    return array


_statements: dict[object, object] = {}


def _statement(node: Node) -> object:
    """The statement that made a Node: the same object for all of its instructions."""
    if node.instruction not in _statements:
        statement = statement_of(node)
        at = (statement.lineno, statement.col_offset) if statement is not None else None
        _statements[node.instruction] = (node.place, at)
    return _statements[node.instruction]


def _axes(index: object) -> tuple:
    return index if isinstance(index, tuple) else (index,)


def _is_formula(node: Node, parameter: Parameter, step: Step, data: set[Node]) -> bool:
    """Whether something of the forward pass goes into the Node, such as a slope: an optimiser has no use for that.

    It may have one for the parameter itself, which decays. A product with what another one's step has given is a
    formula, too, and so is one with the network's input, which may be as large as the layer's error.
    """
    carrying, new = _carrying(node, step), [p.after for p in step.parameters]
    is_product = node.function in PRODUCTS or (node.size == 1 and node.function is np.multiply)
    is_product = is_product and len(carrying) > 1
    others = [parent for parent in carrying if parent not in step.labelled]
    return (
        (is_product and any(depends(parent, *new) for parent in carrying))
        or any(parent in step.active and not _is_own(parent, parameter) for parent in others)
        or (is_product and len(others) == 1 and not ancestors(others).isdisjoint(data))
    )


def data_of(step: Step) -> set[Node]:
    """What the predictions, or the loss, began with beside the parameters."""
    weights = {n for p in step.parameters for n in (p.root, *p.versions)}
    ends = [example.prediction for example in step.examples] or step.losses
    return {n for n in ancestors(ends, until=weights.__contains__) - weights if n.function is None}


def _is_filled(node: Node, step: Step) -> bool:
    """Whether what was made without labels, of zeros say, has been written into, part by part: before the last one it
    was no gradient yet."""
    *_, begun = before_writes(node)
    return begun is not node and begun not in step.labelled and not _is_held(node, step)


def _is_own(node: Node, parameter: Parameter) -> bool:
    """Whether a Node is what the parameter decays by, its signs, its norm."""
    return made_alone_of([node], {parameter.before, parameter.root})


def _carrying(node: Node, step: Step) -> list[Node]:
    """What a gradient may come from: all that made the Node but for the matrix that Newton's method divides by, and for
    the norm by which a single number is clipped."""
    others = {*_inverses(node), _norm(node, step)}
    return [parent for parent in node.parents if parent not in others]


def _inverses(node: Node) -> set[Node]:
    inverses = {parent for parent in node.parents if parent.function in (np.linalg.inv, np.linalg.pinv)}
    return inverses | ({node.parents[0]} if node.function is np.linalg.solve else set())


def _norm(node: Node, step: Step) -> Node | None:
    """Of a gradient that is one number, and a number that is made of it and by which it is scaled, the latter: if it is
    not made of what that has stepped."""
    if node.size > 1 or node.function not in (np.multiply, np.true_divide) or len(node.parents) < 2:
        return None
    pairs = (node.parents[:2], node.parents[1::-1])
    made = ((norm, m) for one, norm in pairs if one in step.labelled for m in multiples(one))
    new = [p.after for p in step.parameters]
    return next((norm for norm, m in made if depends(norm, m) and not depends(norm, *new)), None)


def spread(parameter: Parameter, step: Step) -> list[Candidate]:
    """Arrays of another size that an optimiser was given, and that NumPy spread over what it keeps; outermost first."""
    outermost = _only_step(parameter)
    if outermost is None:
        return []
    found = ancestors([outermost], until=lambda n: n not in step.labelled or not _is_spreading(n, step))
    region = sorted((n for n in found if n in step.labelled), key=lambda n: -n.number)
    return [
        Candidate(node, np.arange(node.size), is_scaling(node, step))
        for node in _all_goes_through(outermost, region, step)
        if node.size != outermost.size
    ]


def _is_spreading(node: Node, step: Step) -> bool:
    """Whether an operation on each entry adds arrays, or goes on with one: not the product of an error and an input."""
    if not isinstance(node.function, np.ufunc) or node.function.signature is not None:
        return False
    labelled = [parent for parent in node.parents if parent in step.labelled]
    others = [parent for parent in node.parents if parent not in step.labelled and parent.size > 1]
    return node.function in (np.add, np.subtract) or not others or all(p.size == node.size for p in labelled)


def stepped(parameter: Parameter, values: Values) -> np.ndarray:
    """What was taken from the parameter, p − p′, in its shape."""
    before, after = np.asarray(values(parameter.before)), np.asarray(values(parameter.after))
    if len(parameter.steps) == 1 and parameter.after.function in (np.add, np.subtract):
        step = np.asarray(values(parameter.steps[0]))
        step = step.reshape(after.shape) if step.size == after.size else step
        return step if parameter.after.function is np.subtract else -step
    return before - after


def stepped_by(parameter: Parameter, gradient: Collection[Node], values: Values) -> np.ndarray:
    """What was taken from the parameter because of a gradient, or of the errors that it is made of: half of what
    turning these round changes. A momentum of the steps before has a direction of its own."""
    moved = stepped(parameter, values)
    if not gradient:
        return moved
    turned = values.before(min(gradient, key=lambda n: n.number))
    for node in gradient:
        turned.known[node] = -np.asarray(values(node), float)
    return (moved - stepped(parameter, turned)) / 2


def is_scaling(node: Node, step: Step) -> bool:
    """Whether the Node is an array times or over numbers that are no part of its formula.

    A number that follows from the parameters is one: ΣZ, or the loss. That which follows from the array itself, as the
    norm that clipping divides by, is not.
    """
    if node.function not in (np.multiply, np.true_divide):
        return False
    norm = _norm(node, step)
    arrays = [i for i in node.inputs if isinstance(i, Node) and i.size == node.size and i is not norm]
    others = [i for i in node.inputs if i is norm or not (isinstance(i, Node) and i.size == node.size)]
    if node.function is np.true_divide and node.inputs[0] not in arrays:  # 1 / (1 + e)
        return False
    return len(arrays) == 1 and all(
        not isinstance(i, Node) or (i.size == 1 and (i not in step.active or depends(i, arrays[0]))) for i in others
    )


def _adds_own(node: Node, parameter: Parameter) -> bool:
    """Whether something that is made of the parameter alone is added in a line of the author's, λp say."""
    adds = node.function in (np.add, np.subtract) and len(node.parents) == 2
    return adds and node.place is not None and any(_is_own(parent, parameter) for parent in node.parents)


def _is_of_step(node: Node, parameter: Parameter, made: Node) -> bool:
    """Whether it is made where the parameter is stepped: the optimiser's doing, not the gradient's."""
    here, there, origin = node.place, parameter.after.place, made.place
    if here is None or there is None or origin is None or here.file != there.file:
        return False
    return here.line == there.line or (here.function == there.function != origin.function)


def is_kept(node: Node, step: Step) -> bool:
    """Whether it is β v + g or β v − g, with v from before, or 0 yet, and g from the labels."""
    others = [p for p in node.parents if p not in step.labelled]
    if node.function not in (np.add, np.subtract) or len(node.parents) - len(others) != 1:
        return False
    if not others:
        return [i for i in node.inputs if not isinstance(i, Node) and np.shape(i) == ()] == [0]
    # Older weights are none that an optimiser keeps.
    versions = {version for p in step.parameters for version in p.versions}
    # A velocity is made in each step, and is 0 before the first one.
    made = all(parent.function is not None or known_zero(parent) is not False for parent in others[0].parents)
    kept = made and others[0] not in step.active and versions.isdisjoint(others[0].parents)
    return kept and others[0].function is np.multiply and sum(not isinstance(i, Node) for i in others[0].inputs) == 1


def _is_held(node: Node, step: Step) -> bool:
    """Whether some entries are set to 0, or an array is multiplied by zeros and ones that no data have made."""
    constant = [i for i in node.inputs[-2:] if not (isinstance(i, Node) and (i in step.active or i in step.labelled))]
    if node.function is setitem and len(constant) == 2:
        return not np.any(Values()(constant[1]) if isinstance(constant[1], Node) else constant[1])
    if node.function is not np.multiply or len(constant) != 1 or not isinstance(constant[0], Node):
        return False
    if constant[0].size == 1 or not np.isin(Values()(constant[0]), (0, 1)).all():
        return False
    return ancestors(constant).isdisjoint(data_of(step))


def _region(outermost: Node, parameter: Parameter, step: Step, data: set[Node]) -> list[Node]:
    """Arrays that the labels reach, from the step down to formulas, last first. Numbers are none, but for a number."""
    least = min(outermost.size, 2)

    def ends(node: Node) -> bool:
        return node not in step.labelled or node.size < least or _is_formula(node, parameter, step, data)

    found = ancestors([outermost], until=ends)
    return sorted((n for n in found if n in step.labelled and n.size >= least), key=lambda n: -n.number)


def _all_goes_through(outermost: Node, region: list[Node], step: Step) -> Iterator[Node]:
    """The Nodes that every way from the labels to the step passes: paths to one times paths from it are all paths.

    Single numbers, such as a norm that all gradients are divided by, are no way: they change no direction. But an array
    may be nothing else than numbers that were added up.
    """
    inside = set(region)
    entries: dict[Node, int] = {}
    of_numbers: set[Node] = set()
    for node in reversed(region):
        parents = [p for p in _carrying(node, step) if p in step.labelled]
        numbers = [p for p in parents if p.size == 1 and p not in inside]
        if (
            node.function in (np.add, np.subtract)
            and numbers
            and of_numbers.issuperset(set(parents).difference(numbers))
        ):
            of_numbers.add(node)
        entries[node] = sum(p not in inside for p in parents if p.size > 1 or node in of_numbers)
    to_step: dict[Node, int] = dict.fromkeys(region, 0)
    to_step[outermost] = 1
    for node in region:
        for parent in _carrying(node, step):
            if parent in inside:
                to_step[parent] = (to_step[parent] + to_step[node]) % PRIME
    from_labels: dict[Node, int] = {}
    for node in reversed(region):
        inner = sum(from_labels[parent] for parent in _carrying(node, step) if parent in inside)
        # A Node without further inner ones is where the array was made.
        from_labels[node] = (inner + entries[node] + (not inner and not entries[node])) % PRIME
    total = from_labels.get(outermost, 0)
    for node in region:
        if to_step[node] * from_labels[node] % PRIME == total:
            yield node


def _positions(outermost: Node, region: list[Node]) -> dict[Node, np.ndarray]:
    """For each Node of the region, which of its entries each entry of the step was made from."""
    numbers = np.arange(outermost.size).reshape(outermost.shape)
    known = {outermost: numbers}
    inside = set(region)
    for node in region:
        if node not in known:
            continue
        for parent in node.parents:
            if parent in inside and parent not in known:
                found = _moved(node, parent, known[node])
                if found is not None:
                    known[parent] = found
    return known


def _moved(node: Node, parent: Node, positions: np.ndarray) -> np.ndarray | None:
    """Positions in `parent` of what stands at `positions` of `node`."""
    if node.function in MOVING:
        numbers = np.arange(parent.size).reshape(parent.shape)
        try:
            moved = node.function(numbers, *node.inputs[1:], **node.keywords)  # type: ignore
        except Exception:  # an index that is recorded itself
            return None
        return moved.reshape(-1)[positions] if moved.size == node.size else None
    if parent.shape == node.shape or parent.size == node.size == 1:
        return positions
    if without_ones(parent.shape) == without_ones(node.shape):
        return positions
    return None
