"""Arrays and numbers that keep a record of how they were made, in the place of NumPy's own.

An `Array` is an `ndarray` with a Node; a `Float` or an `Integer` a number with one, so that results without a
dimension stay on the record. Whatever is done with one of them goes through `call`: the operation is run on plain
arrays, a Node is added to the tape, and the result comes back recorded. Both NumPy protocols lead there, and so do the
methods that go round them. Writing into an array makes a new version of it: the array's Node is another one after.
"""

# NumPy's own signatures differ between arrays and numbers, and so do those of what stands in their place.
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

import contextlib
import functools
import gc
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxnet.compare.author.node import (
    MULTIPLYING,
    PRODUCTS,
    Node,
    add_at,
    ancestors,
    depends,
    mapped,
    nodes_in,
    part_of,
    root_of,
    setitem,
    whole_of,
)
from jaxnet.compare.author.tape import Tape, innermost
from jaxnet.compare.author.updates import all_zero, look_at, sample_of, scaled_by_numbers

_tape: list[Tape] = []  # the tape that is being written, if any
_unrecorded: list[None] = []  # one for each context off the record


@contextlib.contextmanager
def recording(tape: Tape | None = None) -> Iterator[Tape]:
    """Context in which operations are recorded; its value is the Tape."""
    tape = tape or Tape()
    _tape.append(tape)
    try:
        yield tape
    finally:
        _tape.remove(tape)


@contextlib.contextmanager
def off_the_record() -> Iterator[None]:
    """Context of which nothing is on the record. What is written into an array there must be taken back; an array that
    is put in the place of another one begins on the record where it is used."""
    held = _tape[:]
    _tape.clear()
    _unrecorded.append(None)
    try:
        yield
    finally:
        _unrecorded.pop()
        _tape[:] = held


def unrecorded(function: Callable) -> Callable:
    """The same function, off the record."""

    @functools.wraps(function)
    def run(*args: Any, **keywords: Any) -> Any:
        with off_the_record():
            return function(*args, **keywords)

    return run


def current_tape() -> Tape | None:
    return _tape[-1] if _tape else None


def _is_on() -> bool:
    """Whether what is being run is put on the record."""
    return bool(_tape) and not _tape[-1].passes_over()


LISTED = 10_000  # numbers of a list, of which it is seen whether it is one that was used before
MANY = 1000  # arrays that a line has made: rows of data in a list
UNSEEN = "unseen"  # where arrays begin that were used before, on no record
SEVERAL = 20  # so many things a list may have that is no list of data

PLAIN = frozenset({int, float, bool, str, type(None), type(Ellipsis), np.ndarray, np.float64, np.int64})  # most of it

# --- what goes in, what comes out -------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Nested arguments with plain arrays and numbers."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Array):
        return np.ndarray.view(value, np.ndarray)
    if isinstance(value, Float):
        return np.float64(float.__float__(value))
    if isinstance(value, Float32):
        return np.float32(np.float32.__float__(value))
    if isinstance(value, Integer):
        return value.value
    return np.asarray(value) if _is_table(value) else mapped(value, plain)


def node_of(array: Any) -> Node:
    """The Node of an Array's present version: made anew if it is a view whose base has changed."""
    if array._parent is not None:
        base = node_of(array._parent)
        if base is not array._seen:
            array._node = _view_node(base, array._function, array._rest, array)
            array._seen = base
    if array._node is None or _is_of_another_record(array._node):
        array._node = _tape[-1].leaf(plain(array), UNSEEN if _root(array)._unseen else "array")
        _root(array)._leaf = array._node
    _plant(array)
    return array._node


def _is_of_another_record(node: Node) -> bool:
    """Whether what it stands for was made before this record began: by what the program itself has run, say."""
    nodes = _tape[-1].nodes if _tape else None
    return nodes is not None and (node.number >= len(nodes) or nodes[node.number] is not node)


def _plant(array: Any) -> None:
    """Before an array is used for the first time it gets the numbers that are planted there: what is put into it until
    then is no version of it."""
    if not _tape or not _tape[-1].planted.numbers:  # as it is for all but a witness
        return
    root = _root(array)
    if root._leaf is not None and not root._leaf.used:
        _tape[-1].planted.into(root._leaf, root)


def _begins_there(array: Any) -> None:
    """Before a write that is on no record: the array begins on it where it is used next."""
    root = _root(array)
    root._unseen = False
    if root._leaf is None:
        root._node = None
    elif root._leaf.used:
        root._leaf.value = np.array(root._leaf.value)
        root._leaf = root._node = None


def _uses_unseen(value: Any) -> None:
    """Notes that something is used, and that no record shows it: where it is stepped later on, that may be missing."""
    if isinstance(value, Array):
        root = _root(value)
        root._unseen = True
        for node in (root._node, value._node):
            if node is not None:
                node.origin = UNSEEN
    elif isinstance(value, Number) and value._node is not None:
        value._node.origin = UNSEEN
    elif isinstance(value, (list, tuple)):
        for part in value:
            _uses_unseen(part)


def is_stepped_unseen(tape: Tape) -> bool:
    """Whether an array is stepped, time and again, that was used before while nothing was recorded."""
    stepped = {base for node in tape.nodes for base, _ in node.updates}
    steps = ((node, base) for node in tape.nodes for base, step in node.updates if isinstance(step, Node))
    return any(base.origin == UNSEEN and node in stepped for node, base in steps)


def begin_anew(tape: Tape) -> bool:
    """Forgets how all arrays and numbers were made, unless one that is there has been stepped, which nothing is before
    arrays are multiplied: arrays are leaves from here on, and numbers plain ones."""
    own = set(tape.nodes)
    held = [thing for thing in gc.get_objects() if issubclass(type(thing), Recorded) and thing._node in own]
    updates = (update for thing in held for update in thing._node.updates)
    if tape.multiplies and any(isinstance(step, Node) and depends(step, base) for base, step in updates):
        return False
    roots = [thing for thing in held if issubclass(type(thing), Array) and thing._parent is None]
    roots.sort(key=lambda array: array._node.number)
    made = Counter(array._node.place for array in roots)
    kept = [array for array in roots if made[array._node.place] < MANY]  # no rows of data
    for thing in held:
        thing._node = None
        if issubclass(type(thing), Array):
            thing._seen = thing._leaf = None
    tape.begin_anew()
    for array in kept:  # as they were, before what is made of them
        array._node = array._leaf = tape.leaf(plain(array), UNSEEN if array._unseen else "array")
    return True


def known_node(value: Any) -> Node | None:
    """The Node of a recorded value, if its present version has one; nothing is put on the record."""
    if isinstance(value, Array):
        current = value._parent is None or known_node(value._parent) is value._seen
        return value._node if current else None
    return value._node if isinstance(value, Number) else None


def _refer(value: Any) -> Any:
    """Nested arguments with Nodes in the place of whatever is recorded, and of plain arrays."""
    if isinstance(value, Array):
        return node_of(value)
    if isinstance(value, Number):
        known = value._node is not None and not _is_of_another_record(value._node)
        return value._node if known else plain(value)
    if isinstance(value, np.ndarray) and value.ndim:
        if _tape[-1].is_adopted(value):
            return node_of(_adopted(value))
        return _tape[-1].constant(value) if value.dtype.kind in "fiubc" else value
    if _is_table(value):
        array = np.asarray(value)
        known = not array.ndim or array.dtype.kind not in "fiubc" or _tape[-1].is_adopted(array)
        return _refer(array) if known else _tape[-1].of_table(array)
    return mapped(value, _refer)


def _as_mask(index: Any) -> Any:
    """The mask of which an index has all positions: these are as many as it is True at, in another draw others."""
    parts: list[Any] = [*index] if isinstance(index, tuple) else [index]
    found = next((n.inputs[0] for n in parts[:1] if isinstance(n, Node) and n.function is operator.getitem), None)
    if not isinstance(found, Node) or found.function not in (np.where, np.nonzero) or len(found.inputs) > 1:
        return index
    mask, of_all = next(iter(found.parents), None), [(found, k) for k in range(len(parts))]
    is_mask = isinstance(mask, Node) and mask.dtype == bool and len(mask.shape) == len(parts)
    return mask if is_mask and [getattr(n, "inputs", None) for n in parts] == of_all else index


def _adopted(array: np.ndarray) -> Any:
    """The Array that stands for one that is not ours, and has its memory."""
    return _tape[-1].adopted(array, lambda: with_node(array, _tape[-1].constant(array)))


def _is_table(value: Any) -> bool:
    """Whether it is a table of pandas, or a column of one."""
    return hasattr(type(value), "__array__") and not isinstance(value, np.generic | np.ndarray | Number)


def is_recorded(value: Any) -> bool:
    if not isinstance(value, (tuple, list)):
        return isinstance(value, (Array, Number))
    kinds = set(map(type, value))  # of the millions of numbers that a data set may be, each is looked at once
    if any(issubclass(kind, (Array, Number)) for kind in kinds):
        return True
    return any(issubclass(kind, (tuple, list)) for kind in kinds) and any(map(is_recorded, value))


def leaf(result: Any, origin: str) -> Any:
    """A recorded array that begins here: data, zeros, random numbers."""
    is_own = (_tape or _unrecorded) and isinstance(result, np.ndarray) and not isinstance(result, Array)
    if not is_own or result.dtype.kind not in "fiubc":
        is_of_records = _tape and isinstance(result, np.ndarray) and result.dtype.kind == "V"
        return np.ndarray.view(result, Records) if is_of_records else result
    array = with_node(result, _tape[-1].leaf(result, origin) if _is_on() else None)
    array._leaf = array._node
    return array


class Records(np.ndarray):
    """A structured array: data, unless what may be trained is put into it once arrays have been multiplied."""

    def __getitem__(self, index: Any) -> Any:
        result = np.ndarray.view(self, np.ndarray)[plain(index)]
        return leaf(result, "data") if isinstance(result, np.ndarray) and result.dtype.kind == "V" else result

    def __setitem__(self, index: Any, value: Any) -> None:
        own = isinstance(value, np.ndarray) or is_recorded(value)
        if _tape and _tape[-1].multiplies and own and not _is_of_data(known_node(value)):
            lose()
        np.ndarray.view(self, np.ndarray)[plain(index)] = plain(value)


def _is_of_data(node: Node | None) -> bool:
    """Whether nothing of it was drawn, or is a product of arrays."""
    if node is None:
        return False
    made = ancestors([node])
    return not any(n.origin == "random" or (n.function in MULTIPLYING and len(n.parents) > 1) for n in made)


def lose() -> None:
    """What an author's line makes now is not recorded, and computes with numbers all the same."""
    if _tape and _tape[-1].lost is None:
        _tape[-1].lost = innermost()


def named(value: Any) -> Any:
    """What an author gives a name to: what other libraries made of numbers is recorded from then on."""
    if not isinstance(value, np.ndarray | np.integer | np.floating | tuple | list) or not _is_on():
        return value
    if type(value) is np.ndarray and value.ndim and value.dtype.kind in "fiub":
        own = value if value.flags.writeable else value.copy()  # what pandas gave could be written to before it was 3
        return _tape[-1].adopted(value, lambda: leaf(own, "foreign"))
    if isinstance(value, (np.integer, np.floating)) and not isinstance(value, Number):
        return wrap(value, _tape[-1].leaf(np.asarray(value), "foreign"))
    if type(value) is tuple and any(type(part) is np.ndarray for part in value):
        return tuple(map(named, value))
    if type(value) is list and len(value) < SEVERAL and any(type(part) is np.ndarray for part in value):
        value[:] = map(named, value)  # the author's own list
    return value


def difference(first: Any, second: Any) -> Any:
    """a − b. A number that is on no record may be a label, of a list or a table: beside a recorded one it is recorded.

    A number from which a product is taken, a rate times a gradient, is a bias that began as a number. Beside a whole
    number it is an index.
    """
    return _beside(first, second) - _beside(second, first)


def _beside(value: Any, other: Any) -> Any:
    is_plain = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, (bool, Number))
    node = known_node(other) if is_plain and _tape else None
    if node is None or node.size != 1 or node.function is np.multiply or isinstance(other, Integer):
        return value
    return number(value, "array")


def number(value: Any, origin: str) -> Any:
    """A recorded number that begins here."""
    return wrap(np.float64(value), _tape[-1].leaf(np.asarray(float(value)), origin)) if _is_on() else value


def with_node(array: np.ndarray, node: Node | None) -> Any:
    """An array as a recorded one."""
    recorded = np.ndarray.view(array, Array)
    recorded._node = node
    return recorded


def wrap(result: Any, node: Node) -> Any:
    """What an operation returns, with its Node."""
    result = _tape[-1].planted.into(node, result)
    if isinstance(result, np.ndarray):
        if result.dtype.kind not in "fiubc":
            return result
        look_at(node, result)
        return with_node(result, node)
    if isinstance(result, (np.bool_, bool)):
        _tape[-1].decisions.append((node, bool(result)))
        return np.bool_(result)
    if isinstance(result, np.float32):  # type: ignore
        return Float32.of(result, node)
    if isinstance(result, (np.floating, float)):
        return Float.of(result, node)
    if isinstance(result, (np.integer, int)):
        return Integer.of(int(result), node)
    if isinstance(result, (tuple, list)):
        parts = [wrap(part, _tape[-1].add(operator.getitem, (node, k), {}, part)) for k, part in enumerate(result)]
        if hasattr(result, "_fields"):
            return type(result)(*parts)
        return type(result)(parts)
    return result


# --- the one way in ---------------------------------------------------------------------------------------------------

# What they return has shapes and no numbers of their argument's.
INDEPENDENT = {
    np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.shape, np.ndim, np.size, np.isscalar, np.result_type,
    np.can_cast, np.may_share_memory, np.shares_memory, np.iscomplexobj, np.isrealobj,
}  # fmt: skip
JOINING = {np.concatenate, np.hstack, np.vstack, np.stack, np.column_stack, np.dstack}  # a list of arrays
SHOWN = {np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savez_compressed, np.savetxt}


def call(function: Callable, args: tuple, keywords: dict[str, Any] | None = None) -> Any:
    """Run a NumPy function on plain arrays, and put it on the record."""
    joined = args[0] if function in JOINING and args and isinstance(args[0], list | tuple) else ()
    if (kind := next((type(a) for a in (*args, *joined) if type(a) in KINDS), None)) is not None:
        return KINDS[kind](function, args, keywords or {})
    if not _tape or function in SHOWN or (_tape[-1].passes_over() and not _multiplies(function, args)):
        return _off_the_record(function, args, keywords or {})
    if function in JOINING and args and isinstance(args[0], Array):
        args = list(args[0]), *args[1:]
    result = _recorded(function, args, keywords or {})
    _tape[-1].look()
    return result


# Kinds of arrays of which operations have another shape than of arrays, or are other ones, and what does these.
KINDS: dict[type, Callable[[Callable, tuple, dict[str, Any]], Any]] = {}


def _multiplies(function: Callable, args: tuple) -> bool:
    return function in MULTIPLYING and sum(isinstance(array, Array) and array.ndim > 0 for array in args) > 1


def _off_the_record(function: Callable, args: tuple, keywords: dict[str, Any]) -> Any:
    out = keywords.get("out")
    out = out[0] if isinstance(out, tuple) else out
    into = args[0] if function in MUTATORS else out
    if _tape and function not in SHOWN:
        _uses_unseen(args)
        if isinstance(into, Array):
            _begins_there(into)
    result = function(*plain(args), **plain(keywords))
    is_array = isinstance(result, np.ndarray) and result.dtype.kind in "fiubc" and (_tape or _unrecorded)
    if not is_array or isinstance(result, Array):
        return result
    return with_node(result, None) if out is None else out


def _recorded(function: Callable, args: tuple, keywords: dict[str, Any]) -> Any:
    if function in INDEPENDENT:
        function = np.zeros_like if function is np.empty_like else function  # the same in each run
        return leaf(function(*plain(args), **plain(keywords)), "array")
    if function in MUTATORS:
        return _write(function, args, keywords)
    if isinstance(function, np.ufunc) or function in PRODUCTS:
        args = tuple(map(built, args))  # data and labels may be lists
    if function in (np.dot, np.inner) and any(np.ndim(plain(array)) == 0 for array in args[:2]):
        function = np.multiply  # by a number
    out = keywords.get("out")
    if out is not None:
        target = out[0] if isinstance(out, tuple) else out
        keywords = {name: value for name, value in keywords.items() if name != "out"}
        if target is not None and isinstance(function, np.ufunc) and "where" in keywords:
            where = keywords.pop("where")
            with np.errstate(all="ignore"):  # of the other entries nothing is kept
                made = call(function, args, keywords)
            call(np.copyto, (target, made), {"where": where})
            return target
        if target is not None:
            return _write(function, args, keywords, target)
    if function in (np.linalg.eig, np.linalg.eigh):
        # Where eigenvalues are alike, rounding says which vectors there are, in which order: they are held.
        _uses_unseen(args)
        result = function(*plain(args), **plain(keywords))
        return type(result)(*(leaf(part, "array") for part in result))
    inputs, named = _refer(args), _refer(keywords)
    result = function(*plain(args), **plain(keywords))
    if isinstance(result, np.ndarray) and args:
        base = args[0]
        if isinstance(base, Array) and np.may_share_memory(result, plain(base)):
            return _view(base, result, function, (tuple(inputs[1:]), named))
    if not any(nodes_in((inputs, named))):
        return leaf(result, "array")
    node = _tape[-1].add(function, inputs, named, result)
    return wrap(result, _as_writes(node) if function in JOINING else node)


def _as_writes(joined: Node) -> Node:
    """An array that is joined of all parts of another one, stepped or as they are: that array, into which the stepped
    parts are written one after another."""
    first = joined
    while isinstance(first, Node) and first.function in JOINING and first.inputs[0]:
        first = first.inputs[0][0]
    array = next((whole for whole, _, _ in _parts_of(first)), None)
    if array is None or array.shape != joined.shape:
        return joined
    places = np.arange(array.size).reshape(array.shape)
    writes = []
    for part, at in _joined_parts(joined, places):
        own = [(index, step) for whole, index, step in _parts_of(part) if whole is array]
        own = [(index, step) for index, step in own if np.array_equal(places[index], at)]
        if not own:
            return joined
        writes += [(part, index, step) for index, step in own[:1] if step is not None]
    # A rate times what depends on the array; labels less a prediction that they have trained are none.
    if not writes or scaled_by_numbers(writes[0][2]) is None or not depends(writes[0][2], root_of(array)):
        return joined
    for part, index, _ in writes:
        array = _tape[-1].add(setitem, (array, index, part), {}, joined)
    return array


def _parts_of(node: Any) -> Iterator[tuple[Node, Any, Node | None]]:
    """Arrays of which a Node is a part, or a step of one: where that stands, and the step."""
    readings = [(node, None), *node.updates] if isinstance(node, Node) else []
    for part, step in readings:
        if part.function is operator.getitem:
            array, index = part.inputs[:2]
            if not any(nodes_in(index)) and (step is None or isinstance(step, Node)):
                yield array, index, step


def _joined_parts(node: Any, at: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    """What an array is joined of, to the last, and which entries of the whole each of them is."""
    join = node.function if isinstance(node, Node) else None
    if join is None or join not in JOINING:
        yield node, at
        return
    parts = node.inputs[0]
    labels = join([np.full(np.shape(p), k) for k, p in enumerate(parts)], *node.inputs[1:], **node.keywords)
    for k, part in enumerate(parts):
        yield from _joined_parts(part, at[labels == k].reshape(np.shape(part)))


def _write(function: Callable, args: tuple, keywords: dict[str, Any], out: Any = None) -> Any:
    """A function that writes into `out`, or into its first argument: a new version of that."""
    if type(out) is np.ndarray and out.ndim and out.dtype.kind == "f" and is_recorded(args):
        out = _adopted(out)  # what was made while nothing was recorded
    if function is np.copyto and len(args) == 2 and not keywords and isinstance(args[0], Array):
        args[0][...] = args[1]  # no other version of the array than what is written: a step is seen as one
        return None
    target = args[0] if out is None else out
    into = {} if out is None else {"out": plain(out)}
    if not isinstance(target, Array):
        return function(*plain(args), **plain(keywords), **into)
    inputs, named = _refer(args), _refer(keywords)
    _detach(target)
    result = function(*plain(args), **plain(keywords), **into)
    node = _tape[-1].add(MUTATORS.get(function, function), inputs, named, plain(target))
    if out is not None:
        look_at(node, into["out"])
    _assign(target, node)
    return result if out is None else out


def _after(function: Callable) -> Callable:
    """The function of (array, …) that returns what the array holds after `function` has written into it."""

    def pure(array, *args, **keywords):
        array = np.array(array)
        function(array, *args, **keywords)
        return array

    pure.__name__ = f"after_{getattr(function, '__name__', 'writing')}"
    return pure


# Those that write into their first argument, as the function of (array, …) that gives what it holds after.
MUTATORS: dict[Callable, Callable] = {np.add.at: add_at}
for _function in (np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis, np.copyto, np.ndarray.sort):
    MUTATORS[_function] = _after(_function)


# --- versions and views -----------------------------------------------------------------------------------------------


def set_flat(array, where, value):
    """The array with `value` written at flat positions: a write through a view of it."""
    array = np.array(array, order="C")  # of one that is laid out by columns this would write into a copy
    array.reshape(-1)[np.ravel(where)] = np.ravel(value)
    return array


def _root(array: Any) -> Any:
    while array._parent is not None:
        array = array._parent
    return array


HUGE = 60_000_000  # entries of data of which a batch is data by itself: nobody could compute all of them several times


def _is_of_pictures(node: Node) -> bool:
    """Whether most of an array's numbers began as whole ones: no weights do."""
    whole = (n for n in ancestors([node]) if n.function is None and n.dtype.kind in "iu")
    return 2 * sum(n.size for n in whole) >= node.size


def _is_unused(array: Any) -> bool:
    """Whether it is data, or a view of them, that nothing has been computed of yet."""
    data = _root(array)._leaf
    return data is not None and not data.used


def _is_drawn(node: Node) -> bool:
    """Whether it is made of what the line that is being run has drawn at random, and of numbers."""
    line = innermost()
    inside = ancestors([node], until=lambda n: line not in n.places)
    return all(line in n.places and (n.function is not None or n.origin == "random") for n in inside)


def _detach(array: Any) -> None:
    """Before a write: a leaf that keeps this memory as its value gets a copy of its own."""
    node_of(array).used = True
    root = _root(array)
    if root._leaf is not None:
        root._leaf.value = np.array(root._leaf.value)
        root._leaf = None


def _assign(array: Any, node: Node) -> None:
    """After a write: the array's new version, and that of all of whose memory it is a view."""
    array._node = node
    parent = array._parent
    if parent is not None:
        base = node_of(parent)
        if array._function is np.asarray:
            written = node
        elif array._function is operator.getitem:
            written = _tape[-1].add(setitem, (base, array._rest[0][0], node), {}, parent)
        else:
            numbers = np.arange(base.size).reshape(base.shape)
            where = array._function(numbers, *array._rest[0], **array._rest[1])
            written = _tape[-1].add(set_flat, (base, where, node), {}, parent)
            _tape[-1].views[_view_key(written, array._function, array._rest)] = node
        _assign(parent, written)
        if not written.updates:  # else it is looked at anew, as a part of what was stepped
            array._seen = node_of(parent)
    else:
        array._leaf = None


def _view(
    base: Any, result: np.ndarray, function: Callable, rest: tuple, seen: bool = True, kind: type | None = None
) -> Any:
    """A view of an Array, which knows of what and how, so that writes through either are seen by the other."""
    array = np.ndarray.view(result, kind or Array)
    array._parent, array._function, array._rest = base, function, rest
    if seen and not _is_unused(base):  # else its Node is made when something is computed of it
        array._seen = node_of(base)
        array._node = _view_node(array._seen, function, rest, result)
    return array


def seen_as(array: Any, kind: type) -> Any:
    """An array as one of another kind: a view of all of it."""
    return _view(array, plain(array), np.asarray, ((), {}), _is_on(), kind)


def _view_node(base: Node, function: Callable, rest: tuple, result: Any) -> Node:
    """The Node of a view: the same for the same view of the same version."""
    args, keywords = rest
    tape = _tape[-1]
    if function in (np.reshape, np.ravel, np.asarray) and result.shape == base.shape:
        return base
    turned = function in (np.reshape, np.ravel) and base.function in (np.reshape, np.ravel)
    if turned and (whole := base.inputs[0]).shape == result.shape and not (keywords or base.keywords):
        return whole  # there and back
    if function is operator.getitem and base.function is setitem and repr(base.inputs[1]) == repr(args[0]):
        written = base.inputs[2]
        # What has just been written there, unless it was stepped, or is where weights begin: see Parameter.as_read.
        if isinstance(written, Node) and written.shape == result.shape and not base.updates and not _is_begun(written):
            return written
    key = _view_key(base, function, rest)
    known = tape.views.get(key)
    if known is None:
        known = tape.views[key] = tape.add(function, (base, *args), keywords, result)
        bare = plain(result)
        known.zero = all_zero(bare, sample_of(bare))
    return known


def _is_begun(node: Node) -> bool:
    """Whether it is made of one array and numbers alone, as weights are before they are trained."""
    while node.function is not None:
        arrays = {parent for parent in node.parents if parent.shape}
        if len(arrays) != 1:
            return False
        (node,) = arrays
    return True


def _view_key(base: Node, function: Callable, rest: tuple) -> tuple:
    return base.number, getattr(function, "__name__", ""), repr(rest)


# --- operators, shared by arrays and numbers --------------------------------------------------------------------------

_BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip
_COMPARED = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
             "ne": np.not_equal}  # fmt: skip
_UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


class Recorded:
    """What arrays and numbers have in common: operators, and methods that are NumPy functions of the same name."""

    __array_priority__ = __pandas_priority__ = 10_000  # a table leaves to us what is computed of it and one of these

    _node: Node | None = None

    def __round__(self, digits: int | None = None) -> Any:
        return call(np.round, (self, digits or 0))

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    @property
    def T(self) -> Any:
        return call(np.transpose, (self,)) if np.ndim(self) > 1 else self  # type: ignore

    @property
    def real(self) -> Any:
        return call(np.real, (self,)) if np.iscomplexobj(plain(self)) else self

    @property
    def imag(self) -> Any:
        return call(np.imag, (self,))

    def dot(self, other: Any, out: Any = None) -> Any:
        return call(np.dot, (self, other), {} if out is None else {"out": out})

    def to_numpy(self, *_: Any, **__: Any) -> Any:
        """As a table's: what is computed of one and of an array is an array already."""
        return self

    @property
    def values(self) -> Any:
        return self

    def copy(self, order: Any = "C") -> Any:
        return copied(self, order)

    def __copy__(self, _: Any = None) -> Any:
        return copied(self)

    __deepcopy__ = __copy__

    def astype(self, dtype: Any, *args: Any, **keywords: Any) -> Any:
        return converted(self, dtype)

    def reshape(self, *shape: Any, order: str = "C", **keywords: Any) -> Any:
        shape = tuple(plain(shape[0])) if len(shape) == 1 and np.ndim(shape[0]) else plain(shape)
        return call(np.reshape, (self, shape), {"order": order} if order != "C" else {})

    def flatten(self, order: str = "C") -> Any:
        return copied(self.reshape(-1) if order == "C" else self.T.reshape(-1))

    def item(self, *index: Any) -> Any:
        if not isinstance(self, np.ndarray):
            return self
        index = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
        return self[index] if len(index) > 1 else self.reshape(-1)[index[0] if index else 0]

    def tolist(self) -> Any:
        numbers = np.asarray(plain(self))
        if numbers.dtype.kind != "f" or numbers.size > LISTED or not _is_on():
            return numbers.tolist()
        parts = [self[k] for k in range(len(numbers))] if numbers.ndim else []  # type: ignore
        return [part.tolist() if np.ndim(part) else part for part in parts] if numbers.ndim else self

    def __float__(self) -> float:
        return float(np.asarray(plain(self)).item())

    def __int__(self) -> int:
        return int(np.asarray(plain(self)).item())

    def __bool__(self) -> bool:
        result = bool(plain(self))
        if _is_on() and isinstance(node := _refer(self), Node):
            _tape[-1].decisions.append((node, result))
        return result

    def __repr__(self) -> str:
        return repr(plain(self))

    def __str__(self) -> str:
        return str(plain(self))

    def __format__(self, form: str) -> str:
        return format(plain(self), form)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(plain(self)).__reduce_ex__(protocol)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method == "at":
            if ufunc is np.subtract:
                return call(np.add.at, (*inputs[:2], np.negative(inputs[2])), keywords)
            MUTATORS.setdefault(ufunc.at, _after(ufunc.at))
            return call(ufunc.at, inputs, keywords)
        if ufunc is np.negative and np.asarray(plain(inputs[0])).dtype == bool:
            ufunc = np.logical_not  # as before NumPy 1.13
        return call(ufunc if method == "__call__" else getattr(ufunc, method), inputs, keywords)

    def __array_function__(self, function: Callable, types: Any, args: tuple, keywords: dict) -> Any:
        return call(function, args, keywords)


def _operator(ufunc: np.ufunc, turned: bool = False) -> Callable:
    def operate(self: Any, other: Any) -> Any:
        numbers = isinstance(other, (Recorded, np.ndarray, np.generic, int, float, complex, list, tuple))
        if (not numbers and not _is_table(other)) or isinstance(other, np.matrix):
            return NotImplemented
        return call(ufunc, (other, self) if turned else (self, other))

    return operate


def _in_place(ufunc: np.ufunc) -> Callable:
    def operate(self: Any, other: Any) -> Any:
        if ufunc in (np.add, np.subtract) and type(other) in (int, float) and other == 0:
            return self  # as for a check by differences that is not made: no step
        return call(ufunc, (self, other), {"out": (self,)})

    return operate


def _method(function: Callable) -> Callable:
    def method(self: Any, *args: Any, **keywords: Any) -> Any:
        return call(function, (self, *args), keywords)

    return method


for _name, _ufunc in _BINARY.items():
    setattr(Recorded, f"__{_name}__", _operator(_ufunc))
    setattr(Recorded, f"__r{_name}__", _operator(_ufunc, turned=True))
for _name, _ufunc in _COMPARED.items():
    setattr(Recorded, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in _UNARY.items():
    setattr(Recorded, f"__{_name}__", _method(_ufunc))
for _name in ("sum", "mean", "max", "min", "std", "var", "prod", "argmax", "argmin", "argsort", "cumsum", "cumprod",
              "squeeze", "swapaxes", "repeat", "round", "all", "any", "nonzero", "trace", "diagonal", "ravel",
              "compress", "choose", "searchsorted", "ptp", "take"):  # fmt: skip
    setattr(Recorded, _name, _method(getattr(np, _name)))


# --- arrays -----------------------------------------------------------------------------------------------------------


class Array(Recorded, np.ndarray):
    """An `ndarray` on the record."""

    _parent: Any
    _leaf: Any
    _seen: Any
    _function: Any
    _rest: Any
    _unseen = False  # whether it was used, since it was last written to, while nothing was recorded

    def __array_finalize__(self, template: Any) -> None:
        self._node = self._parent = self._leaf = self._seen = None

    @property
    def shape(self) -> tuple[int, ...]:
        return np.ndarray.shape.__get__(self)  # type: ignore[attr-defined]

    @shape.setter
    def shape(self, value: Any) -> None:
        """From now on the array is a view of what it was."""
        was = np.ndarray.view(self, Array)
        was.__dict__.update(self.__dict__)
        np.ndarray.shape.__set__(self, plain(value))  # type: ignore[attr-defined]
        if _tape:
            self._leaf, self._parent = None, was
            self._function, self._rest, self._seen = np.reshape, ((tuple(self.shape),), {}), node_of(was)
            self._node = _view_node(self._seen, np.reshape, self._rest, self)

    def __getitem__(self, index: Any) -> Any:
        _plant(self)
        bare = plain(self)
        result = bare[plain(index)]
        if not _tape:
            return result
        if _tape[-1].passes_over():
            if not isinstance(result, np.ndarray) or not np.may_share_memory(result, bare):
                _uses_unseen(self)
                return with_node(result, None) if isinstance(result, np.ndarray) else result
            return _view(self, result, operator.getitem, ((plain(index),), {}), seen=False)
        if self.dtype == np.uint8 and self.ndim > 1 and _is_unused(self):
            return result  # pixels, row by row or one by one: what is made of them is data when it is given a name
        if self.size > HUGE and 10 * np.size(result) < self.size and _is_of_pictures(node_of(self)):
            return leaf(np.array(result), "data")
        at = _as_mask(_refer(index))
        if result.ndim and np.may_share_memory(result, bare):
            return _view(self, result, operator.getitem, ((at,), {}))
        of = node_of(self)
        if of.function is np.stack and isinstance(index, int) and isinstance(part := of.inputs[0][index], Node):
            return wrap(result, part)  # a number that it was built of
        return wrap(result, _tape[-1].add(operator.getitem, (of, at), {}, result))

    def __setitem__(self, index: Any, value: Any) -> None:
        into, where = plain(self), plain(index)
        if isinstance(value, np.ndarray) and value.size == 1 and value.ndim and not np.ndim(into[where]):
            value = np.reshape(value, ())  # as NumPy let one do before its version 2.4
        if not _is_on():
            if _tape:
                _uses_unseen(value)
                _begins_there(self)
            into[where] = plain(value)
            return
        value = built(value) if is_recorded(value) else value
        if into.dtype.kind in "iu" and is_recorded(value) and plain(value).dtype.kind == "f":
            value = np.trunc(value)  # what integers keep of it, in other draws too
        at = _as_mask(_refer(index))
        if isinstance(value, Array) and value._parent is self and repr(value._rest) == repr(((at,), {})):
            return  # `a[k] += g`: the view has been written through already
        written = _refer(value)
        if _is_unused(self) and not any(nodes_in(at)) and all(map(_is_drawn, nodes_in(written))):
            into[where] = plain(value)  # what is put into an array before anything is computed of it is data
            return
        _detach(self)
        into[where] = plain(value)
        if isinstance(written, (list, tuple)):
            written = _tape[-1].leaf(np.asarray(written), "array")
        whole = written if isinstance(written, Node) and part_of(at) == () and written.shape == self.shape else None
        if whole is None or whole.dtype.kind != self.dtype.kind:
            whole = _tape[-1].add(setitem, (node_of(self), at, written), {}, into)
        _assign(self, whole)
        _tape[-1].look()

    def itemset(self, *index_and_value: Any) -> None:
        """As NumPy had it before its version 2."""
        *index, value = index_and_value
        at = index[0] if len(index) == 1 and isinstance(index[0], tuple) else tuple(index)
        (self.reshape(-1) if len(at) < self.ndim else self)[at] = value

    def __iter__(self) -> Any:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        if self.dtype.kind == "i" and _is_on() and whole_of(node_of(self)).origin == "arange":
            return iter(plain(self))  # it counts the rounds of a loop, as `range` does
        return (self[k] for k in range(len(self)))

    def __reversed__(self) -> Any:
        return iter(self[::-1])

    def __index__(self) -> int:
        return operator.index(plain(self))

    def __contains__(self, value: Any) -> bool:
        return plain(value) in plain(self)

    def transpose(self, *axes: Any) -> Any:
        axes = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes  # type: ignore
        return call(np.transpose, (self, tuple(axes)) if axes and axes != (None,) else (self,))

    @property
    def flat(self) -> Any:
        return self.reshape(-1)

    @flat.setter
    def flat(self, value: Any) -> None:
        self[...] = np.reshape(value, self.shape) if np.size(value) == self.size else value

    def clip(self, min: Any = None, max: Any = None, out: Any = None, **named: Any) -> Any:
        bounds = named.get("a_min", min), named.get("a_max", max)
        return call(np.clip, (self, *bounds), {} if out is None else {"out": out})

    def sort(self, axis: int = -1, **keywords: Any) -> None:
        _write(np.ndarray.sort, (self, axis), {})

    def fill(self, value: Any) -> None:
        self[...] = value

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        _write(np.put, (self, indices, values), {})

    def view(self, *kind: Any, **keywords: Any) -> Any:
        if kind and isinstance(kind[0], type) and issubclass(kind[0], np.ndarray):
            if kind[0] is not np.ndarray:
                lose()
            return np.ndarray.view(self, *kind)
        return self[...] if not kind else plain(self).view(*kind)

    def resize(self, *shape: Any, **keywords: Any) -> None:
        raise ValueError("resizing an array in place is not recorded")


for _name, _ufunc in _BINARY.items():
    setattr(Array, f"__i{_name}__", _in_place(_ufunc))


def copied(value: Any, order: Any = "K") -> Any:
    """A copy: the same Node until one of the two is written to."""
    if not isinstance(value, Array):
        return value
    is_on = _is_on()
    if _tape and not is_on:
        _uses_unseen(value)
    return with_node(np.array(plain(value), order=order), node_of(value) if is_on else None)


def converted(value: Any, dtype: Any) -> Any:
    """The same numbers as another type: the same Node, unless they are of another kind."""
    bare = plain(value)
    array = np.asarray(bare).astype(dtype)
    if not _tape or array.dtype.kind not in "fiubc":
        if array.dtype.kind == "O":
            lose()
        return array
    if not _is_on():
        _uses_unseen(value)
        return with_node(array, None) if array.ndim else array[()]
    node = _refer(value)
    if not isinstance(node, Node):
        return leaf(array, "array")
    if np.asarray(bare).dtype.kind != array.dtype.kind:
        node = _tape[-1].add(as_type, (node, array.dtype.str), {}, array)
    if not array.ndim and not isinstance(value, np.ndarray):
        return wrap(array[()], node)
    return with_node(array, node)


def as_type(array, dtype):
    """The numbers as another type; floats, of whatever precision, as float64."""
    return np.asarray(array).astype(np.float64 if np.dtype(dtype).kind == "f" else dtype)


def _of_all_rows(nodes: list[Node | None]) -> Node | None:
    """The array of which these are all rows, one after the other; None if there is none."""
    whole = nodes[0].inputs[0] if nodes and nodes[0] is not None and nodes[0].function is operator.getitem else None
    if whole is None or whole.shape[:1] != (len(nodes),):
        return None
    rows = (n.inputs if n is not None and n.function is operator.getitem else () for n in nodes)
    same = (len(row) == 2 and row[0] is whole and type(row[1]) is int and row[1] == k for k, row in enumerate(rows))
    return whole if all(same) else None


def built(value: Any) -> Any:
    """An array of nested lists, on the record if something in them is; anything else as it is."""
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) > SEVERAL and all(isinstance(part, Array) and part._node is None for part in value):
        return leaf(np.stack(plain(value)), "array")  # rows that nothing was computed of
    if is_recorded(value):
        parts = [built(part) for part in value]
        whole = _of_all_rows([node_of(part) if isinstance(part, Array) else None for part in parts])
        return call(np.stack, (parts,)) if whole is None else with_node(np.stack(plain(parts)), whole)
    array = np.asarray(value)
    if not _is_on() or array.size > LISTED or array.dtype.kind not in "fiub":
        return leaf(array, "array")
    return _tape[-1].listed(value, array, lambda: leaf(array, "array"))


# --- numbers ----------------------------------------------------------------------------------------------------------


class Number(Recorded):
    """A recorded number without a dimension."""

    _node: Node | None

    @classmethod
    def of(cls, value: Any, node: Node) -> Any:
        number = cls(value)  # type: ignore[call-arg]
        number._node = node
        if not isinstance(value, int):
            node.sample, node.zero = (float(value), float(value)), not value
        return number

    def __hash__(self) -> int:
        return hash(plain(self))

    def __getitem__(self, index: Any) -> Any:
        return self.reshape(1)[0 if index == () else index]


class Float(np.float64, Number):
    """A recorded float64."""


class Float32(np.float32, Number):
    """A recorded float32."""


def _plainly(name: str) -> Callable:
    return lambda self, *args, **keywords: getattr(plain(self), name)(*plain(args), **plain(keywords))


# NumPy takes a number's type from its first base, and its own methods of numbers crash the interpreter for a subclass.
for _kind, _type in ((Float, np.float64), (Float32, np.float32)):
    for _name in dir(_type):
        if not _name.startswith("_") and callable(getattr(_type, _name)):
            setattr(_kind, _name, _method(getattr(np, _name)) if hasattr(np, _name) else _plainly(_name))
    for _base in (Recorded, Number):
        for _name, _own in vars(_base).items():
            if _name not in ("__dict__", "__weakref__", "__module__", "__doc__", "__annotations__"):
                setattr(_kind, _name, _own)
    setattr(_kind, "dtype", np.dtype(_type))  # noqa: B010 (a class attribute in the place of a property)


class Builtin(Float):
    """A recorded number that the author made a `float`, and that shows itself as one."""

    def __repr__(self) -> str:
        return float.__repr__(self)


def as_float(value: Any) -> Any:
    """As `float`: a recorded number remains one."""
    if isinstance(value, Array) and value.size == 1:
        value = value.item()
    node = known_node(value)
    is_float = isinstance(value, (Float, Float32))
    return Builtin.of(plain(value), node) if node is not None and is_float else float(value)


class Integer(Number):
    """A recorded whole number. It is no `int`, whose products with floats Python makes without asking it."""

    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1
    dtype = np.dtype(np.int64)

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.value, dtype=dtype)

    def __rmul__(self, other: Any) -> Any:  # a list so many times
        return other * self.value if isinstance(other, (list, tuple, str)) else call(np.multiply, (other, self))

    def __mul__(self, other: Any) -> Any:
        return self.value * other if isinstance(other, (list, tuple, str)) else call(np.multiply, (self, other))

    def item(self) -> int:
        return self.value
