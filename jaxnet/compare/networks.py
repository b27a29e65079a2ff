"""Builds an author's network in a world, finds its parameters and its prediction, and runs its forward pass."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare import names
from jaxnet.compare.calling import RATE, Binding, Session, Unfillable, bindings, named_leaves, remember
from jaxnet.compare.functions import Callee, File
from jaxnet.compare.leaves import Leaf, Refusal, follow, leaves
from jaxnet.compare.parameters import Parameter, find_parameters, made_parameters, own_values, size_options
from jaxnet.compare.reading import Program
from jaxnet.compare.roles import Plan
from jaxnet.compare.tracing import is_authors
from jaxnet.compare.worlds import World, data_of

DATA = ("<X>", "<Y>", "<one-hot>", "<labels>")  # in the pool, and no parameters


class Ready(NamedTuple):
    """A network that is built, and whose forward pass runs."""

    plan: Plan
    world: World
    pool: dict[str, Any]  # a template: each run gets a copy, with parameters of our own
    parameters: list[Parameter]
    forward: Binding
    place: tuple[str, Any]  # of the prediction: in what forward returned, or in the pool
    draw: int = 0  # of the parameters' values


class Failed(Exception):
    """One hypothesis came to nothing, at a stage: the further on, the more it says about the code."""

    def __init__(self, stage: float, message: str) -> None:
        super().__init__(message)
        self.stage = stage


def attempt(action: Callable[[], Any], stage: int, what: str) -> Any:
    try:
        return action()
    except Refusal as error:
        raise Failed(stage + (1 if isinstance(error, Unfillable) else 0.5), str(error)) from None
    except Failed:
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        raise Failed(stage, f"{what} raised {type(error).__name__}: {text[:300]}") from error


def first(action: Callable[[Binding], Any], options: Iterator[Binding], stage: int, what: str) -> Any:
    """What the first binding that works gives; the first one's error where none does."""
    failure: Failed | None = None
    iterator = iter(options)
    while True:
        try:
            binding = attempt(lambda: next(iterator, None), stage, what)
            if binding is None:
                break
            return attempt(lambda binding=binding: action(binding), stage, what)
        except Failed as error:
            failure = failure or error
            if error.stage > stage:
                break
    raise failure or Failed(stage, f"{what} could not be called")


def make_ready(file: File, plan: Plan, world: World, tried: set[Any] | None = None) -> Ready:
    """Builds the network in a world, corrects the world's sizes by the network's, and runs the forward pass.

    `tried` holds the corrected worlds that came to nothing already: with sizes written into the code, many are one.
    """
    pool: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for _ in range(3):
        pool = built(file, plan, world)
        parameters = find_parameters(pool, DATA)
        options = size_options([p.value.shape for p in parameters if p.name[0] == "W"])
        if not options or world.sizes in options.values():
            break
        side = "oi" if world.layout == "columns" else "io"
        world = world._replace(sizes=options.get(side) or next(iter(options.values())))
    if tried is not None:
        if (plan, world) in tried:
            raise Failed(-1, "tried before")
        tried.add((plan, world))
    for made in made_parameters(file, plan.forward, plan.backward, pool, parameters, world):
        pool[made.name] = made.structure
        parameters = []
    parameters = parameters or find_parameters(pool, DATA)
    if not parameters:
        raise Failed(1, f"{plan.forward.name}: no parameters: no arrays such as W1, and no function that makes them")
    _offer_parameters(pool, parameters)

    def run(binding: Binding) -> Ready:
        ready = Ready(plan, world, pool, parameters, binding, ("", ()))
        session = start(file.program, ready)
        before = {id(leaf.value) for leaf in leaves(session.pool)}
        result = session.call(plan.forward, binding)
        place = _prediction_place(file, ready, session, result, before)
        return _alive(file, _used(file, ready._replace(place=place)))

    options_of_forward = bindings(plan.forward, "forward", Session(file.program, pool), file)
    given = f"{plan.forward.name}, given X of shape {pool['<X>'].shape},"
    return first(run, options_of_forward, 2, given)


def built(file: File, plan: Plan, world: World) -> dict[str, Any]:
    """The pool after the constructor and the initialiser ran."""
    np.random.seed(world.seed)
    random.seed(world.seed)
    pool: dict[str, Any] = {**data_of(world), "<forward>": plan.forward.name}
    for name in file.free_names(plan.forward) | file.free_names(plan.backward):
        value, read = file.constants.get(name), names.read_name(name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and read and not read.gradient:
            pool[name] = value  # the module's variables are the parameters
    session = Session(file.program, pool)
    if plan.owner:
        _construct(file, plan.owner, session, world)
    if plan.init:
        _call_init(file, plan.init, session, world)
    return pool


def _construct(file: File, owner: str, session: Session, world: World) -> None:
    """Makes the object, and lets its own initialisers run where the constructor left it without parameters."""
    pool = session.pool
    constructor = file.callees.get(f"{owner}.__init__")
    if constructor is None:
        pool["self"] = attempt(lambda: file.program.names[owner](), 0, f"{owner}()")
    else:
        options = bindings(constructor, "build", session, file, world.authors_sizes)
        pool["self"], binding = first(lambda b: (session.call(constructor, b), b), options, 0, f"{owner}(…)")
        remember(session, constructor, binding)
    for name in rate_attributes(pool["self"]):
        setattr(pool["self"], name, RATE)
    if find_parameters(pool, DATA):
        return
    for callee in file.callees.values():
        if callee.owner == owner and names.is_init(callee.short) and not callee.short.startswith("__"):
            with contextlib.suppress(Failed):
                _call_init(file, callee, session, world)


def rate_attributes(value: Any) -> list[str]:
    """The attributes of an object that are its learning rate; `alpha` only where there is no other."""
    attributes = getattr(value, "__dict__", {}).items()
    found = [n for n, v in attributes if isinstance(v, float) and names.meanings(n, False)[:1] == ["rate"]]
    return [n for n in found if n != "alpha" or len(found) == 1]


def _call_init(file: File, init: Callee, session: Session, world: World) -> None:
    options = bindings(init, "build", session, file, world.authors_sizes)
    result, binding = first(lambda b: (session.call(init, b), b), options, 0, init.name)
    remember(session, init, binding)
    if isinstance(result, tuple):  # `return W1, b1, W2, b1` must not make one array of two parameters
        parts = [np.copy(v) if any(v is w for w in result[:i]) else v for i, v in enumerate(result)]
        result = type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    session.absorb(init, result, file)
    known = {id(value) for value in session.pool.values()}
    if isinstance(result, tuple | list | dict) and any(id(value) in known for value in (result, *result)):
        return
    if isinstance(result, tuple | list | dict) or is_authors(result):
        session.pool["parameters"] = result


def _offer_parameters(pool: dict[str, Any], parameters: list[Parameter]) -> None:
    """Parameters as one dict or list, for functions that take them so."""
    roots = [p.path[0][1] for p in parameters]
    root = max(roots, key=roots.count)
    if isinstance(pool[root], dict | list | tuple) or (is_authors(pool[root]) and root != "self"):
        pool["<parameters>"] = pool[root]
    pool["<parameter dict>"] = {p.word: p.value for p in parameters}
    pool["<parameter list>"] = [p.value for p in parameters]


def start(program: Program, ready: Ready, values: dict[str, np.ndarray] | None = None) -> Session:
    """A copy of the network with the given parameters, or our own, in the place of those that it was built with."""
    values = values or values_of(ready)
    memo: dict[int, Any] = {id(p.value): np.array(values[p.name], np.float64) for p in ready.parameters}
    return Session(program, copy.deepcopy(ready.pool, memo))


def values_of(ready: Ready) -> dict[str, np.ndarray]:
    """Parameters of our own for a network."""
    return own_values(ready.parameters, ready.world.sizes, ready.world.seed + 10 * ready.draw)


def run_forward(file: File, ready: Ready, session: Session) -> Any:
    """Runs the forward pass, puts its results into the pool, and returns the prediction."""
    result = session.call(ready.plan.forward, ready.forward)
    session.absorb(ready.plan.forward, result, file)
    where, path = ready.place
    prediction = follow(result if where == "result" else session.pool, path)
    session.pool["<prediction>"] = prediction
    session.pool["<result>"] = result
    parts = [p for p in result if isinstance(p, dict | list | tuple)] if isinstance(result, tuple) else []
    session.pool["<cache>"] = parts[-1] if parts else result
    own = {k: v for k, v in session.pool.items() if not k.startswith("<") and k != "self"}
    session.pool["<cache dict>"] = own
    return prediction


def oriented(prediction: Any, world: World) -> Any:
    """A prediction in the layout of the inputs: (o, m) in columns, (m, o) in rows. Takes JAX arrays as well."""
    shape = (world.sizes[-1], world.m) if world.layout == "columns" else (world.m, world.sizes[-1])
    return prediction.T if prediction.ndim == 2 and prediction.shape != shape else prediction.reshape(shape)


def _prediction_place(file: File, ready: Ready, session: Session, result: Any, before: set[int]) -> tuple[str, Any]:
    """Where the prediction is: of what has its shape, what is called a prediction, or the last activation."""
    m, outputs = ready.world.m, ready.world.sizes[-1]
    shapes: set[tuple[int, ...]] = {(outputs, m), (m, outputs)}
    shapes |= {(m,)} if outputs == 1 else set()
    shapes |= {(outputs,)} if m == 1 else set()
    shapes |= {()} if outputs == m == 1 else set()
    found = [("result", leaf) for leaf in named_leaves(ready.plan.forward, result, file)]
    if not any(np.shape(leaf.value) in shapes for _, leaf in found):
        found += [("pool", leaf) for leaf in leaves(session.pool) if id(leaf.value) not in before]
    numbers = [(where, leaf) for where, leaf in found if np.asarray(leaf.value).dtype.kind == "f"]
    fitting = [(w, x) for w, x in numbers if np.shape(x.value) in shapes and not names.read_name(x.word)]
    if not fitting:
        seen = [f"{x.word or 'a result'} {np.shape(x.value)} of {np.asarray(x.value).dtype}" for _, x in found[:8]] or [
            type(result).__name__
        ]
        raise Refusal(
            f"{ready.plan.forward.name}, given X of shape {session.pool['<X>'].shape}, gave no prediction of shape "
            f"{(outputs, m)} or {(m, outputs)}, but {', '.join(seen)}"
        )
    where, leaf = max(enumerate(fitting), key=lambda pair: (*_prediction_score(pair[1][1]), pair[0]))[1]
    return where, leaf.path


def _prediction_score(leaf: Leaf) -> tuple:
    word = leaf.word.lower().strip("_")
    digits = [int(d) for d in "".join(c if c.isdigit() else " " for c in word).split()]
    number = digits[-1] if digits else -1
    likely = 1
    if "P" in names.meanings(word, False)[:1]:
        likely = 3
    elif word.startswith("a"):
        likely = 2
    elif word.startswith(("z", "logit", "net", "s", "x", "in")):
        likely = 0
    return (likely, number, -len(leaf.path))


def _used(file: File, ready: Ready) -> Ready:
    """Keeps the parameters: what the prediction depends on, or is called like one and stays what it is."""
    values, others = values_of(ready), values_of(ready._replace(draw=100))
    base = np.asarray(run_forward(file, ready, start(file.program, ready, values)))
    kept, used = [], set()
    for parameter in ready.parameters:
        session = start(file.program, ready, {**values, parameter.name: others[parameter.name]})
        before = follow(session.pool, parameter.path)
        changed = not np.array_equal(base, np.asarray(run_forward(file, ready, session)))
        used |= {parameter.name} if changed else set()
        if changed or (parameter.named and follow(session.pool, parameter.path) is before):
            kept.append(parameter)
    if not any(name[0] == "W" for name in used):
        raise Refusal(f"{ready.plan.forward.name}: its prediction depends on no weights")
    if len(kept) == len(ready.parameters):
        return ready
    found = find_parameters(ready.pool, DATA, [p.path for p in kept])
    return ready._replace(parameters=found)


def _alive(file: File, ready: Ready) -> Ready:
    """Draws the parameters again while relu has silenced an example: where all is zero, no mistake shows."""
    for draw in range(10):
        drawn = ready._replace(draw=draw)
        values = values_of(drawn)
        moved = {**values, "W1": values_of(ready._replace(draw=100))["W1"]}
        both = [oriented(run_forward(file, drawn, start(file.program, drawn, v)), ready.world) for v in (values, moved)]
        if np.all(np.any(both[0] != both[1], axis=0 if ready.world.layout == "columns" else 1)):
            return drawn
    return ready
