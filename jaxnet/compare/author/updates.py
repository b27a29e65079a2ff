"""Whether a Node is a step p ± g of an array p, as its function and its inputs tell."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author.node import (
    MULTIPLYING,
    Node,
    add_at,
    depends,
    kind_of,
    made_alone_of,
    nodes_in,
    part_of,
    root_of,
    setitem,
)


def updates_of(node: Node) -> Iterator[tuple[Node, Any]]:
    """(p, g) for each reading of a Node as a step p ± g of an array p, or of a part of it that is written back."""
    if not node.is_float or makes_average(node.inputs[2] if node.function is setitem else node):
        return
    if node.function is setitem:
        array, index, value = node.inputs
        if isinstance(value, Node) and value.function is np.reshape and value.shape == ():
            value = value.inputs[0]  # an array of one number that is put into an entry
        stepped: Iterable[tuple[Node, Any]] = ()
        if isinstance(value, Node) and value.function in (np.add, np.subtract):
            pairs = zip(value.inputs[:2], reversed(value.inputs[:2]), strict=True)
            stepped = ((p, step) for first, step in pairs if isinstance(first, Node) for p in most_of(first))
        elif isinstance(value, Node) and value.function is setitem:
            stepped = value.updates  # `W[0][1] += g` writes into a row
        stepped = ((part, step) for part, step in stepped if not _is_averaged(part, step, value))
        yield from ((array, step) for part, step in stepped if _stands_at(index, array, part))
    elif node.function is add_at:
        yield node.inputs[0], node.inputs[2]
    elif node.function in (np.add, np.subtract):
        first, second = node.inputs[:2]
        if isinstance(first, Node) and (
            first.shape == node.shape
            or (node.function is np.subtract and first.size < node.size)
            or (_begins(first) and node.shape == (1, *first.shape))  # a vector becomes a row
        ):
            yield from ((p, second) for p in most_of(first) if not _is_averaged(p, second, node))
            in_one = first.place == node.place and first.instruction != node.instruction
            if in_one and first.function in (np.add, np.subtract) and _is_scaled(second):
                inner, term = first.inputs[:2]
                is_array = isinstance(inner, Node) and inner.shape == node.shape
                if is_array and (not isinstance(term, Node) or (_is_scaled(term) and not depends(term, inner))):
                    yield inner, second  # p − μ v + (1 + μ) v′, of Nesterov's momentum
        both = isinstance(first, Node) and isinstance(second, Node)  # 0 + g is no step of g
        turned = node.function is np.add and both and second.shape == node.shape
        if turned and not _is_averaged(second, first, node):
            yield second, first  # g + λp is a gradient with a penalty


def _is_scaled(term: Any) -> bool:
    return isinstance(term, Node) and scaled_by_numbers(term) is not None


def _is_averaged(array: Node, step: Any, made: Node) -> bool:
    """Whether p + a (x − p) makes the moving average of x, or p − a (p − x) that of what was made since p was, in one
    line of the author's: what is trained moves by what is made of a loss."""
    while isinstance(step, Node) and (scaled := scaled_by_numbers(step)) is not None:
        step = scaled
    if not isinstance(step, Node) or step.function is not np.subtract or made.place is None:
        return False
    first, second = step.inputs[:2]
    is_new = isinstance(second, Node) and second.number > array.number
    moves = second is array if made.function is np.add else first is array and is_new
    return moves and step.place == made.place


def makes_average(value: Any) -> bool:
    """Whether it is a p + (1 − a) x, with plain numbers: a moving average, or a state that leaks."""
    if not isinstance(value, Node) or value.function is not np.add:
        return False
    shares = [_share(term) for term in value.inputs[:2]]
    return all(0 < share < 1 for share in shares) and abs(sum(shares) - 1) < 1e-9


def _share(term: Any) -> float:
    """The plain number that something is times, or a part of a product; 0 where there is none."""
    if not isinstance(term, Node) or term.function not in MULTIPLYING:
        return 0.0
    numbers = (float(i) if type(i) in (int, float) else _share(i) for i in term.inputs[:2])
    return next((number for number in numbers if number), 0.0)


def _stands_at(index: Any, array: Node, part: Node) -> bool:
    """Whether it is what the array holds there: it was taken from it, or has just been written."""
    if part.function is operator.getitem and repr(part.inputs[1]) == repr(index):
        return _still_there(index, part.inputs[0], array)
    return array.function is setitem and array.inputs[2] is part and repr(array.inputs[1]) == repr(index)


def _still_there(index: Any, base: Any, array: Node) -> bool:
    """Whether an array has there what another version of it had, of whose other parts some have been written since."""
    part, filling = part_of(index), array.filling
    if base is array or not isinstance(base, Node) or base.number > array.number or base.shape != array.shape:
        return base is array
    if part is not None and filling is not None and filling.kind == kind_of(part):
        write = filling.latest(part, array.number)
        return (base is filling.before or base.filling is filling) and (write is None or write.number <= base.number)
    places = np.arange(array.size).reshape(array.shape)
    while array is not base and array.function is setitem and not any(nodes_in((array.inputs[1], index))):
        if np.intersect1d(places[array.inputs[1]], places[index]).size:
            return False
        array = array.inputs[0]
    return array is base


def _begins(node: Node) -> bool:
    """Whether it is a vector of floating numbers that was made of no other array."""
    return node.function is None and len(node.shape) == 1 and node.dtype.kind == "f"


MORE = 1.1  # times an array, which is the array once it has grown


def most_of(node: Node) -> Iterator[Node]:
    """What a Node is a multiple of, half of it at least: λp is a penalty's gradient, and no array that is stepped. At
    most a little more, as where a decay has a wrong sign. And what it was before a part of it was made so."""
    if node.function is setitem and isinstance(node.inputs[2], Node):
        before = node.inputs[0]
        yield from (node, before) if made_alone_of([node.inputs[2]], {before}) else (node,)
        return
    for whole in multiples(node):
        pairs = zip(map(abs, _ends(node)), map(abs, _ends(whole)), strict=False)
        if all(number <= 2 * rest and rest <= number * MORE for rest, number in pairs):
            yield whole
        if is_by_0(whole):
            return  # a momentum may begin as 0 times an array, and is none of its versions


def _ends(node: Node) -> tuple[float, ...]:
    """The first and the last number that a Node held when the program ran."""
    return (node.sample if node.value is None else sample_of(node.value)) or ()


def look_at(node: Node, array: np.ndarray) -> None:
    """Notes what is to be remembered of the numbers that a Node holds."""
    node.sample = sample_of(array)
    node.zero = all_zero(array, node.sample)


def known_zero(node: Node) -> bool | None:
    """Whether all numbers that a Node held were 0 when the program ran; None if that would have to be computed."""
    if node.zero is None and node.value is not None:
        node.zero = not np.any(node.value)
    return node.zero


def all_zero(array: np.ndarray, sample: tuple[float, float] | None) -> bool:
    """Whether all numbers are 0; most arrays tell by their `sample`."""
    return not any(sample or ()) and not array.any()


def sample_of(array: np.ndarray) -> tuple[float, float] | None:
    """The first and the last number of an array."""
    if not array.size or array.dtype.kind == "c":
        return None
    return float(array[(0,) * array.ndim]), float(array[(-1,) * array.ndim])


def multiples(node: Node) -> Iterator[Node]:
    """The Node, and what it is a multiple of by plain numbers: weight decay scales a parameter, or takes λp from it."""
    while True:
        yield node
        if (scaled := scaled_by_numbers(node)) is not None:
            node = scaled
        elif node.function in (np.add, np.subtract) and len(node.parents) == 2:
            first, second = node.parents
            if first.shape != node.shape or not _is_multiple_of(second, first):
                return
            node = first
        else:
            return


def versions_until(version: Node) -> Iterator[Node]:
    """A version of an array, and what that was before it was stepped, turned or scaled, back to what it began as."""
    yield version
    while (
        before := version.updates[0][0] if version.updates else root_of(list(multiples(version))[-1])
    ) is not version:
        version = before
        yield version


def scaled_by_numbers(node: Node) -> Node | None:
    """The array that a Node is times or over a number, be that plain or recorded, as a decaying learning rate is."""
    if node.function not in (np.multiply, np.true_divide):
        return None
    arrays = [i for i in node.inputs if np.shape(i) != ()] or node.parents
    array = arrays[0] if len(arrays) == 1 else None
    under = node.function is np.true_divide and array is not node.inputs[0]
    return array if isinstance(array, Node) and array.shape == node.shape and not under else None


def is_by_0(node: Node) -> bool:
    """Whether it is a product with 0, as a penalty in a first experiment is."""
    return node.function is np.multiply and any(type(i) in (int, float) and not i for i in node.inputs)


def is_by_1(node: Node) -> bool:
    """Whether it is a product with 1 that was computed, as 1 − rate · decay is where nothing decays."""
    return node.function is np.multiply and any(type(i) is float and i == 1 for i in node.inputs)


def _is_multiple_of(node: Node, other: Node) -> bool:
    for made in multiples(node):
        if made.number <= other.number:  # what it is a multiple of was made before it
            return made is other
    return False
