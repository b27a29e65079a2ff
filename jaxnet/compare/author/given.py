"""What lone functions are given beside x: arrays of shapes that fit together, options, and what the program has given
them itself."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy

from jaxnet.compare.author.calls import (
    OPTION,
    File,
    argument_meanings,
    nodes_of,
    parameters_of,
    plain,
    return_names,
    tail,
)
from jaxnet.compare.author.meanings import read_name, squeezed

Shape = tuple[int, ...]
POOL = 3  # by 3 windows, that do not overlap: 2 · 2 is 2²
IMAGES = {  # of what a layer of images is made, by the names of its arguments
    **dict.fromkeys(("in_channels", "input_channels", "channels", "n_channels", "num_channels", "c_in"), 3),
    **dict.fromkeys(("out_channels", "output_channels", "filters", "num_filters", "n_filters", "c_out"), 4),
    **dict.fromkeys(("kernel_size", "filter_size", "kernel", "ksize", "k"), 3), "stride": 1, "strides": 1, "padding": 1,
    "pad": 1, "pool_size": POOL, "p": 0.5, "axis": 1, "eps": 1e-5, "epsilon": 1e-5,
}  # fmt: skip
UNITS = 4  # of a layer
GATES = 4  # of a cell
OUTPUTS = 3
LIKELIEST = 1000  # ways to give each array a shape


class Wanted(NamedTuple):
    """An array that a function wants, as an argument or at a key of one."""

    way: tuple[str, ...]
    kind: str  # W, b, mask, or "" for a state, a scale, a shift


def is_number_of_units(name: str) -> bool:
    return bool(re.fullmatch(r"(n|num)?(units|neurons|nodes)", squeezed(name)))


def ways_to_give(
    file: File, np: types.ModuleType, names: tuple[str, str], shape: Shape, ones: bool
) -> Iterator[dict[str, Any]]:
    """The arguments of a forward pass beside x of a shape, by name: of all arrays whose shapes may fit together; with
    `ones`, those of which an array has one row, say, where a missing transpose or sum may not show."""
    function = file.functions[names[0]]
    (first, _), *others = argument_meanings(function).items()
    known = called_with(file, names[0])
    if known and numpy.shape(known[first]) == shape and not ones:
        yield {name: known[name] for name in known if name != first}
    found: dict[str, Any] = {}
    wanted: list[Wanted] = []
    gradients = gradients_told(file, names)
    spoken_of = set().union(*(file.reached(file.functions[name]) for name in names[1:]))
    each = gives_each(function, file.functions[names[1]])
    defaults = {p.name for p in parameters_of(function) if p.default is None or isinstance(p.default, OPTION)}
    for name, means in others:
        keys = _keys(function, name)
        untold = not means and name not in file.namespace and not re.search("act|func|^[fg]$", name.lower())
        of_norm = re.fullmatch(r"gamma|beta\d?|mu|\w*noise", name.lower())  # and of an optimiser where something trains
        is_data = (untold or each or means[:1] == ["X"] or of_norm) and name not in defaults
        if name in IMAGES and name not in defaults and f"d{name}" not in spoken_of:
            found[name] = IMAGES[name]
        elif is_number_of_units(name):
            found[name] = UNITS
        elif is_array(name, gradients) or (is_data and not keys):
            wanted.append(_wanted((name,)))
        elif keys:
            arrays = [key for key in keys if is_array(key, gradients) or _wanted((name, key)).kind]
            found[name] = {key: value for key in keys if (value := _option(function, name, key)) is not None}
            wanted += [_wanted((name, key)) for key in arrays]
    draws = numpy.random.default_rng(5)
    for shapes in _shapes_of(wanted, shape):
        pairs = list(zip(wanted, shapes, strict=True))
        if ones != any(len(of) > 1 and 1 in of for array, of in pairs if array.kind != "b"):  # biases are spread
            continue
        given = {name: dict(value) if isinstance(value, dict) else value for name, value in found.items()}
        for array, of in pairs:
            holder = given if len(array.way) == 1 else given[array.way[0]]
            normal = numpy.asarray(draws.normal(size=of))
            if normal.size > 1:  # both signs are there
                normal.flat[0] = -numpy.copysign(normal.flat[0], normal.flat[-1])
            is_mask = array.kind == "mask"  # of zeros and ones, which are both there
            holder[array.way[-1]] = np.array((normal >= numpy.median(normal)) * 1.0 if is_mask else normal)
        yield given


def _shapes_of(wanted: list[Wanted], shape: Shape) -> Iterator[tuple[Shape, ...]]:
    """Shapes for all arrays, likeliest first: one for all of a kind, for all of a letter (Wz, Wr, Wh), or one each."""
    seen: set[tuple[Shape, ...]] = set()
    kinds = [array.kind for array in wanted]
    letters = [(array.kind, array.way[-1][0]) for array in wanted]
    for keys in (kinds, letters, [array.way for array in wanted]):
        of_key = dict(zip(keys, kinds, strict=True))
        fitting = [[fits[kind] for kind in of_key.values()] for fits in shapes_that_fit(shape)]
        ranks = range(1 + max(sum(map(len, fits)) for fits in fitting))
        ways = (way for rank in ranks for fits in fitting for way in _ways(fits, rank))
        for way in itertools.islice(ways, LIKELIEST):
            chosen = dict(zip(of_key, way, strict=True))
            shapes = tuple(chosen[key] for key in keys)
            if shapes not in seen:
                seen.add(shapes)
                yield shapes


def _ways(fits: list[list[Shape]], rank: int) -> Iterator[list[Shape]]:
    """One shape of each list, whose places in the lists add up to a rank."""
    if not fits:
        yield from [[]] * (rank == 0)
        return
    for place, fit in enumerate(fits[0][: rank + 1]):
        yield from ([fit, *others] for others in _ways(fits[1:], rank - place))


def called_with(file: File, name: str) -> dict[str, Any]:
    """What the program itself has given a function of an array, by name; nothing where that cannot be told."""
    arguments = [p.name for p in parameters_of(file.functions[name])]
    given = file.called.get(name, ())
    found = dict(zip(arguments, given, strict=False))
    known = len(arguments) == len(given) > 0 and isinstance(given[0], numpy.ndarray)
    return found if known and not any(part is None for part in given) else {}


def of_a_kind(given: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same with arrays as some functions need them, and as which: of positive numbers, but for weights and biases,
    as deviations are; orthogonal, as rotations are."""
    arrays = {name: plain(value) for name, value in given.items() if isinstance(value, numpy.ndarray)}
    free = {name: numpy.abs(array) for name, array in arrays.items() if not _wanted((name,)).kind}
    square = {name: array for name, array in arrays.items() if array.ndim == 2 and len(set(array.shape)) == 1}
    yield "positive numbers", given | free
    yield "orthogonal matrices", given | {name: numpy.linalg.qr(array)[0] for name, array in square.items()}


def with_other_numbers(given: dict[str, Any], forward: Any, backward: Any) -> dict[str, Any]:
    """The same with other numbers for options: what only holds for a stride of 1, or for what is a number by default,
    is seen then. Nothing is changed where the backward pass has defaults of its own that might have to change too."""
    known, own = (_numbers_by_default(function) for function in (forward, backward))
    return _changed(known | given) if own.items() <= known.items() else given


def other_numbers(function: Any) -> dict[str, Any]:
    """Other numbers for a function's options than those that it has by default."""
    return _changed(_numbers_by_default(function))


def _numbers_by_default(function: Any) -> dict[str, Any]:
    return {p.name: p.default for p in parameters_of(function) if type(p.default) in (int, float)}


def _changed(options: dict[str, Any]) -> dict[str, Any]:
    found = dict(options)
    for name, value in options.items():
        if isinstance(value, dict):
            found[name] = _changed(value)
        elif type(value) is float and "eps" not in name.lower():  # nobody would look for that one
            found[name] = float(f"{0.6 * value:.6g}")  # by default 1 or 2, and neither then
        elif type(value) is int and re.search("stride|dilat|pad", name.lower()):
            found[name] = max(value, 1 if "pad" in name.lower() else 2)
    return found


@functools.lru_cache
def gives_each(forward: Any, backward: Any) -> bool:
    """Whether a backward pass returns as much as the forward pass is given, but for options: the gradient of each."""
    given = [name for name in argument_meanings(forward) if not _keys(forward, name)]
    return any(isinstance(of, list) and len(of) == len(given) for of in return_names(backward))


@functools.lru_cache
def gradients_told(file: File, names: tuple[str, ...]) -> frozenset[str]:
    """What the functions after the first one tell the gradients of: by their names, or by keys that they return, which
    are those of what the first one is given."""
    forward, *others = (file.functions[name] for name in names)
    keys = {
        key.value
        for function in others
        for node in nodes_of(function)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    calls = (node for function in others for node in nodes_of(function) if isinstance(node, ast.Call))
    keys |= {keyword.arg for call in calls if tail(call.func) == "dict" for keyword in call.keywords}
    told = {squeezed(p.name) for p in parameters_of(forward) if p.name in keys}
    return frozenset(file.gradients_in(*others) | told)


def is_array(name: str, gradients: frozenset[str]) -> bool:
    """Whether a name is that of a parameter, or of what a backward pass makes the gradient of."""
    return squeezed(name) in gradients or ((read := read_name(name)) is not None and not read.gradient)


def _wanted(way: tuple[str, ...]) -> Wanted:
    name = way[-1]
    read = read_name(name)
    if read is None and re.fullmatch(r"\w*mask\w*|keep|gate", name.lower()):
        return Wanted(way, "mask")
    spoken = "W" if name[0] in "wWuU" else "b" if re.fullmatch(r"[bB]_?[a-z]", name) else ""  # Wq, b_q
    return Wanted(way, read.kind if read else spoken)


def shapes_that_fit(shape: Shape) -> Iterator[dict[str, list[Shape]]]:
    """Shapes of weights, of biases and of other arrays that may fit x: of examples as rows, then as columns; of
    sequences, (m, t, i) and (i, m, t); of images, the channels first and last."""
    if len(shape) == 4:
        kernels = [(UNITS, shape[1], 3, 3), (3, 3, shape[3], UNITS)]
        of_channels = [(UNITS,), (UNITS, 1), (1, 1, 1, UNITS), (UNITS, 1, 1), (1, UNITS, 1, 1), ()]
        masks = [shape, (shape[0], 1, *shape[2:]), ()]
        yield {
            "W": kernels,
            "b": of_channels,
            "mask": masks,
            "": [(shape[1],), (1, shape[1], 1, 1), (shape[3],), shape, ()],
        }
        return
    h, o, i, m = UNITS, OUTPUTS, shape[-1], shape[0]
    for g in (1, GATES):
        of_gates = [(g * h,), (1, g * h), (1,), ()]
        yield {
            "W": [(i, g * h), (h, g * h), (i, i), *([(o,), (i,)] if len(shape) > 1 else [])],
            "b": of_gates,
            "mask": [(m, i), (m, h), (m, m), (m, 1), (i,), (m,), ()],
            "": [(m, h), (i,), (h,), (m, i), (1, i), (m, 1), (i, h), (i, i), (1,), ()],
        }
    if len(shape) > 1:
        i, m = shape[:2]
        yield {
            "W": [(h, i), (h, h), (h, h + i), (o, h)],
            "b": [(h, 1), (o, 1)],
            "mask": [(i, m), (h, m), (1, m)],
            "": [(h, m), (i, 1), (i, m), (h, 1)],
        }


def _keys(function: Any, argument: str) -> list[str]:
    """The keys that a function needs of an argument which is a dictionary."""
    return list(dict.fromkeys(
        node.slice.value
        for node in nodes_of(function)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and tail(node.value) == argument
        and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    ))  # fmt: skip


def _option(function: Any, argument: str, key: str) -> Any:
    """What a key of a dictionary may hold: a word that the function compares it with, or a number of images."""
    nodes = nodes_of(function)
    assigned = [(t, n.value) for n in nodes if isinstance(n, ast.Assign) for t in n.targets]
    assigned += [both for t, v in assigned for both in zip(*(getattr(of, "elts", ()) for of in (t, v)), strict=False)]
    names = {tail(target) for target, value in assigned if _speaks_of(value, argument, key)}
    compared = [n for n in nodes if isinstance(n, ast.Compare)]
    compared = [n for n in compared if tail(n.left) in names or _speaks_of(n.left, argument, key)]
    words = [c.value for n in compared for c in n.comparators if isinstance(c, ast.Constant)]
    words = [word for word in words if isinstance(word, str)]
    if words:
        return next((word for word in words if "train" in word), words[0])
    return POOL if "pool" in argument.lower() else IMAGES.get(key.lower())


def _speaks_of(node: ast.AST, argument: str, key: str) -> bool:
    return isinstance(node, ast.Subscript) and tail(node.value) == argument and tail(node) == key


def anew(value: Any, np: types.ModuleType) -> Any:
    """The same, with arrays of its own on the record."""
    if isinstance(value, dict):
        return {key: anew(part, np) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(anew(part, np) for part in value)
    return np.array(plain(value)) if isinstance(value, numpy.ndarray) else value
