"""Takes the functions out of an author's .py or .ipynb and calls them by argument name, with data of its own.

`reading` takes the code apart, `names` says what names mean, `calling` fills arguments and calls, `parameters` finds
weights and gradients in what the code holds and returns, `tracing` records assignments. Here they come together: a
world (sizes, layout, kind of labels) is tried after another until forward and backward run in it; then both run on
several draws of data and parameters, and are recorded.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import itertools
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare import names
from jaxnet.compare.calling import (
    RATE,
    Binding,
    Callee,
    File,
    Leaf,
    Session,
    Transplant,
    Unfillable,
    bindings,
    expression_of,
    follow,
    jax_program,
    leaves,
    named_leaves,
    return_names,
)
from jaxnet.compare.parameters import (
    Parameter,
    find_parameters,
    literal_rate,
    made_parameters,
    match_gradients,
    own_values,
    size_options,
    updates_itself,
)
from jaxnet.compare.reading import NumPy, Program, Unit, read_units
from jaxnet.compare.tracing import Assignment, is_authors, is_number, record, statements_by_line

__all__ = ["Assignment", "Call", "Observation", "observe"]


class Call(NamedTuple):
    """One forward and backward pass of the author's code, on one draw of data and parameters.

    Arrays are as the author holds them: in the author's layout, shapes and dtype float64.
    """

    inputs: np.ndarray  # X as given to forward: (i, m) for columns, (m, i) for rows
    targets: np.ndarray  # Y one-hot (or as the loss takes it), in the same layout as the prediction: (o, m) or (m, o)
    prediction: np.ndarray  # what forward computed, (o, m) or (m, o)
    parameters: dict[str, np.ndarray]  # W1, b1, W2, b2, … in the order of the layers; b may be missing
    gradients: dict[str, np.ndarray]  # for each of these names, what backward gave for it, whatever its shape
    loss: float | None  # what the author's loss function gave
    forward_assignments: list[Assignment]  # in the order of execution
    backward_assignments: list[Assignment]
    learning_rate: float | None = None  # of the update that the gradients were computed from, if they were


class Observation(NamedTuple):
    """Everything that was seen of the author's code."""

    layout: str  # columns or rows
    calls: list[Call]  # several draws, with different numbers of examples
    # parameters (float64 JAX or NumPy arrays by name) of call k -> prediction or loss, the author's own code with
    # jax.numpy in the place of numpy; raises whatever the code raises where it cannot be traced.
    predict: Callable[[int, dict[str, Any]], Any]
    loss: Callable[[int, dict[str, Any]], Any] | None
    # The same by NumPy, for central differences.
    predict_numpy: Callable[[int, dict[str, np.ndarray]], np.ndarray]
    loss_numpy: Callable[[int, dict[str, np.ndarray]], float] | None
    lines: dict[tuple[int | None, int], str]  # (cell, line) -> the statement's text, stripped, first line only if long
    updated_in_place: bool  # gradients were computed from what an update changed, divided by the learning rate
    names: dict[str, str] = {}  # the author's expression for each parameter: {'W1': 'self.weights[0]'}
    roles: dict[str, str] = {}  # init, forward, backward and loss: the author's names for those that were found


def observe(
    path: str | Path,
    *,
    forward: str | None = None,
    backward: str | None = None,
    init: str | None = None,
    loss: str | None = None,
    layout: str | None = None,
) -> Observation:
    """Runs the forward and backward pass of a file's network on data of its own, and tells what was seen.

    The names are of functions, or Class.method; without them, functions are found by their names and arguments.
    Raises ValueError, of one line, where the file cannot be read, no function of a role is there, an argument cannot
    be filled, or the code raises whatever it is given.
    """
    path = Path(path)
    units = read_units(path)
    if not units:
        raise ValueError(f"{path}: has no code cells")
    with _quiet():
        file = File(Program(units, path.parent, NumPy()))
        flags = {"forward": forward, "backward": backward, "init": init, "loss": loss}
        for flag, name in flags.items():
            if name is not None and name not in file.callees and name not in file.classes:
                raise ValueError(f"{path}: --{flag} {name}: no such function; found: {_listed(file)}")
        trial = _search(path, file, flags, layout)
        return _observation(path, units, file, trial)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The author's output and warnings are not ours; their random numbers are repeatable and leave no trace."""
    state, python_state = np.random.get_state(), random.getstate()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)
        random.setstate(python_state)


def _listed(file: File) -> str:
    return ", ".join(name for name in file.callees if not name.rpartition(".")[2].startswith("__")) or "none"


# --------------------------------------------------------------------------------------------------------------- roles


class Plan(NamedTuple):
    """Functions that could be the forward and the backward pass of one network."""

    owner: str | None  # a class to be built first
    init: Callee | None
    forward: Callee
    backward: Callee


def _plans(path: Path, file: File, flags: dict[str, str | None]) -> list[Plan]:
    """Pairs of functions by name, the surest first."""
    everything = [c for c in file.callees.values() if not c.short.startswith("__") or c.short == "__call__"]
    backwards = _chosen(file, flags["backward"]) or _ranked(file, everything, lambda c: _backward_rank(c))
    forwards = _chosen(file, flags["forward"]) or _ranked(file, everything, _forward_rank)
    if not backwards:
        raise ValueError(
            f"{path}: no backward function: looked for a name such as backward, back_prop, gradients, train_step; "
            f"found: {_listed(file)}; name it with --backward"
        )
    if not forwards:
        raise ValueError(
            f"{path}: no forward function: looked for a name such as forward, forward_prop, feedforward, predict; "
            f"found: {_listed(file)}; name it with --forward"
        )
    plans = []
    for f, b in sorted(itertools.product(forwards[:6], backwards[:6]), key=lambda pair: _pair_rank(file, *pair)):
        owner = f.owner or b.owner
        if f.owner and b.owner and f.owner != b.owner:
            continue
        if flags["init"] and flags["init"] not in file.classes:
            inits: list[Callee | None] = [file.callees[flags["init"]]]
        elif owner:
            inits = [None]
        else:
            named = [c for c in everything if c.owner is None and c not in (f, b) and names.is_init(c.name)]
            named = [c for c in named if not any(meant[:1] == ["Y"] for meant in _all_meanings(c))]
            inits = [*_roots(file, sorted(named, key=lambda c: "init" not in c.name.lower()))[:3], None]
        plans += [Plan(owner, i, f, b) for i in inits]
    if not plans:
        raise ValueError(f"{path}: forward and backward are methods of different classes; found: {_listed(file)}")
    return plans


def _all_meanings(callee: Callee) -> list[list[str]]:
    return [names.meanings(p.name, True) for p in callee.arguments]


def _chosen(file: File, name: str | None) -> list[Callee]:
    return [file.callees[name]] if name in file.callees else []


def _pair_rank(file: File, forward: Callee, backward: Callee) -> tuple:
    """Surest names first; both in one class, rather a later one, or both outside classes."""
    order = list(file.classes)
    together = forward.owner == backward.owner
    depth = -order.index(forward.owner) if forward.owner in order else 1
    forward_rank, backward_rank = _forward_rank(forward), _backward_rank(backward)
    return (not together, backward_rank or 0, forward_rank or 0, depth)


def _forward_rank(callee: Callee) -> int | None:
    tier = names.forward_tier(callee.short)
    if (
        tier is None
        and names.is_loss(callee.short)
        and any(p.name in "yY" and p.default is None for p in callee.arguments)
    ):
        return 3  # scores where it is given no targets, as in CS231n
    if tier is None or any(meant[:1] == ["Y"] for meant in _all_meanings(callee)):
        return None if tier is None else 2
    return tier


def _backward_rank(callee: Callee) -> int | None:
    listed = return_names(callee.node)
    returned = [
        read for name in (listed if isinstance(listed, list) else [listed or ""]) if (read := names.read_name(name))
    ]
    grads = any(
        n.lower().strip("_") in ("grads", "gradients", "grad")
        for n in (listed if isinstance(listed, list) else [listed or ""])
    )
    tier = names.backward_tier(callee.short)
    if any(
        p.name.lower() in ("grads", "gradients") or ((r := names.read_name(p.name)) and r.gradient)
        for p in callee.arguments
    ):
        return None  # it takes gradients: an update
    if tier == 0:
        return 0
    if sum(r.gradient for r in returned) or grads:
        return (
            None
            if names.is_init(callee.short) or names._tier(callee.short.lower(), [r"numeric|check|approx|clip"]) == 0
            else 1
        )
    return 2 if tier == 1 else None


def _ranked(file: File, candidates: list[Callee], rank: Callable[[Callee], int | None]) -> list[Callee]:
    """By rank; within one, those that no other calls come first: linear_backward is but a part of backward."""
    ranks = {c.name: r for c in candidates if (r := rank(c)) is not None}
    found = []
    for tier in sorted(set(ranks.values())):
        found += _roots(file, [c for c in candidates if ranks.get(c.name) == tier])
    return found


def _roots(file: File, candidates: list[Callee]) -> list[Callee]:
    reached = {c.name: {r.name for r in file.reached(c)} - {c.name} for c in candidates}
    called = set().union(*reached.values()) if reached else set()
    return [c for c in candidates if c.name not in called] + [c for c in candidates if c.name in called]


# -------------------------------------------------------------------------------------------------------------- worlds


class World(NamedTuple):
    """A hypothesis of what the code works on."""

    sizes: tuple[int, ...]  # inputs, hidden …, outputs
    layout: str  # columns or rows
    labels: str = "one-hot"  # or integers (m,), integers-2d: what stands for Y
    form: str = "batch"  # or example (m = 1), or vector (X is (i,))
    authors_sizes: bool = False  # the sizes that the file itself gives to its constructor or initialiser
    flat_biases: bool = False  # parameters that we make: b (o,), rather than (o, 1) or (1, o)
    flipped: bool = False  # parameters that we make: W (i, o) in columns, (o, i) in rows
    seed: int = 0

    @property
    def m(self) -> int:
        """Enough for every class, and unlike every size, so that no transpose hides."""
        if self.form != "batch":
            return 1
        counts = (m for m in itertools.count(max(6, self.sizes[-1] + 2)) if m not in self.sizes)
        return next(itertools.islice(counts, self.seed * 2, None))


def _data(world: World) -> dict[str, Any]:
    """What the reserved names of the pool stand for."""
    draws = np.random.default_rng(1000 + world.seed)
    m, inputs, outputs = world.m, world.sizes[0], world.sizes[-1]
    x = draws.normal(size=(m, inputs))
    if inputs == 784:  # images: dark for the most part
        x = draws.random((m, inputs)) * (draws.random((m, inputs)) < 0.2)
    labels = draws.permutation((np.arange(m) + draws.integers(100)) % max(outputs, 2))
    y = labels[:, None].astype(np.float64) if outputs == 1 else np.eye(outputs)[labels]
    if world.layout == "columns":
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    if world.form == "vector":
        x, y = x.reshape(-1), y.reshape(-1)
    flat = labels[:, None] if world.layout == "rows" else labels[None]
    hidden = list(world.sizes[1:-1])
    data = {
        "<X>": x, "<Y>": {"one-hot": y, "integers": labels, "integers-2d": flat}[world.labels], "<one-hot>": y,
        "<labels>": labels, "<m>": m, "<rate>": RATE, "<inputs>": inputs, "<outputs>": outputs,
        "<sizes>": list(world.sizes), "<depth>": len(world.sizes) - 1, "<hidden list>": hidden,
    }  # fmt: skip
    return data | {f"<hidden{k}>": size for k, size in enumerate(hidden, 1)}


_DISTINCT = (5, 4, 6, 8, 5, 4, 6)  # of hidden layers, between 7 inputs and 3 outputs


def _worlds(file: File, plan: Plan, layout: str | None, forms: tuple[str, ...]) -> Iterator[list[World]]:
    """Groups of hypotheses, one for each choice of sizes, likeliest first."""
    building = [c for c in (plan.init, file.callees.get(f"{plan.owner}.__init__")) if c]
    meant = {m for c in building for p in c.arguments for m in names.meanings(p.name, True)[:1]}
    named = [r for c in (plan.forward, plan.backward) for p in c.arguments if (r := names.read_name(p.name))]
    named += [r for n in file.free_names(plan.forward) if (r := names.read_name(n))]
    made = {r.identity for r in named if r.kind == "W" and not r.gradient}
    numbered = any(r.number is not None for r in named)
    if meant & {"sizes", "hidden_list"}:
        depths = [3, 2, 1, 4]
    elif meant & {"hidden1", "hidden2", "hidden3"}:
        depths = [1 + len(meant & {"hidden1", "hidden2", "hidden3"})]
    elif building or plan.owner:
        depths = [2, 3, 1]
    else:
        depths = [len(made)] if numbered or len(made) > 1 else [2, 3, 1]
    one_unit = _suggests_one_unit(file)
    choices: list[tuple[tuple[int, ...], bool]] = []
    for depth in depths:
        hidden = tuple(itertools.islice(itertools.cycle(_DISTINCT), depth - 1))
        choices += [((7, *hidden, outputs), False) for outputs in ([1, 3] if one_unit else [3])]
    if building:
        choices.append(((7, 5, 3), True))
    for depth in depths[:2]:
        hidden = tuple(itertools.islice(itertools.cycle(_DISTINCT), depth - 1))
        choices += [((7, *hidden, 1), False), ((7, *hidden, 10), False), ((784, *hidden, 10), False)]
        choices += [((7, *[3] * depth), False), ((4,) * (depth + 1), False), ((784, *[10] * depth), False)]
    layouts = [layout] if layout else ["columns", "rows"]
    made_here = not building and not plan.owner
    for sizes, authors in dict.fromkeys(choices):
        yield [
            World(sizes, lay, labels, form, authors, flat, flip)
            for flip in ((False, True) if made_here else (False,))
            for form in forms
            for labels in ("one-hot", "integers", "integers-2d")
            for lay in layouts
            for flat in ((False, True) if made_here else (False,))
        ]


def _suggests_one_unit(file: File) -> bool:
    """Whether the file speaks of a single output unit: a threshold of one half, or a dot product in its loss."""
    for callee in file.callees.values():
        text = ast.unparse(callee.node)
        if "> 0.5" in text or ">= 0.5" in text:
            return True
        if names.is_loss(callee.short) and "log(" in text and "1 -" in text and ("dot(" in text or " @ " in text):
            return True
    return False


# --------------------------------------------------------------------------------------------------------------- trial


class Ready(NamedTuple):
    """A network that is built, and whose forward pass runs."""

    plan: Plan
    world: World
    pool: dict[str, Any]  # a template: each run gets a copy, with parameters of our own
    parameters: list[Parameter]
    forward: Binding
    place: tuple[str, Any]  # of the prediction: in what forward returned, or in the pool


class Trial(NamedTuple):
    """A network whose forward and backward pass both run, and how its gradients are read."""

    ready: Ready
    backward: Binding
    how: str  # returned, attributes, update: where gradients are found
    loss: tuple[Callee, Binding, World] | None
    score: tuple
    after: tuple[Callee, Binding] | None = None  # an update method that is called after backward


class _Run(NamedTuple):
    session: Session
    prediction: Any
    result: Any = None


def _search(path: Path, file: File, flags: dict[str, str | None], layout: str | None) -> Trial:
    """The first network of the file that runs, in the first world that it runs in."""
    errors: list[tuple[int, str]] = []
    plans = _plans(path, file, flags)
    for plan in plans:
        forms = _forms(file, plan)
        for form in forms:
            best: Trial | None = None
            for group in _worlds(file, plan, layout, form):
                trials = [t for w in group if (t := _try_world(file, plan, w, flags["loss"], errors)) is not None]
                if trials:
                    best = max(trials, key=lambda trial: trial.score)
                    break
            if best is None:
                continue
            if form == ("batch",) and len(forms) > 1 and _one_example_only(file, best):
                for group in _worlds(file, plan, layout, forms[1]):
                    group = [w for w in group if w.sizes == best.ready.world.sizes or plan.owner or plan.init]
                    trials = [t for w in group if (t := _try_world(file, plan, w, flags["loss"], [])) is not None]
                    single = max(trials, key=lambda trial: trial.score, default=None)
                    if single is not None and single.score[:2] > best.score[:2]:
                        return single
                    if trials:
                        break
            return best
    stage, message = max(errors, key=lambda error: error[0], default=(0, "nothing ran"))
    raise ValueError(f"{path}: {message}")


def _forms(file: File, plan: Plan) -> list[tuple[str, ...]]:
    return [("batch",), ("example", "vector")]


def _one_example_only(file: File, trial: Trial) -> bool:
    """Whether a backward pass that ran on a batch is meant for one example: it sums over none, and its file says so."""
    wrong_weights, unsummed, biases = trial.score[-1]
    text = " ".join(ast.unparse(c.node) for c in file.reached(trial.ready.plan.backward))
    counts = any(word in text for word in ("sum(", "mean(", ".shape[", ".size", "len(X", "/ m"))
    looped = any(site.loops for site in _example_sites(file, trial.ready.plan.backward))
    return wrong_weights or (unsummed == biases > 0 and (looped or (biases > 1 and not counts)))


def _example_sites(file: File, callee: Callee) -> list[Any]:
    """The places where a function is called with what a loop over examples binds: for x, y in zip(X, Y)."""
    found = []
    for site in file.sites(callee):
        for node in site.arguments.values():
            root = node.value if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice) else node
            inner = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            loops = [site.loops[n] for n in inner & set(site.loops)]
            if not loops or not isinstance(root, ast.Name):
                continue
            over = ast.unparse(loops[0].iter).lower()
            if "batches" not in over and not any("batch" in n.lower() for n in inner):
                found.append(site)
    return found


def _try_world(file: File, plan: Plan, world: World, loss: str | None, errors: list[tuple[int, str]]) -> Trial | None:
    try:
        ready = _ready(file, plan, world)
        return _try_backward(file, ready, loss)
    except _Failed as failure:
        errors.append((failure.stage, str(failure)))
        return None


class _Failed(Exception):
    """One hypothesis came to nothing, at a stage: the further on, the more it says about the code."""

    def __init__(self, stage: int, message: str) -> None:
        super().__init__(message)
        self.stage = stage


def _attempt(action: Callable[[], Any], stage: int, what: str) -> Any:
    try:
        return action()
    except Unfillable as error:
        raise _Failed(stage + 1, str(error)) from None
    except _Failed:
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        raise _Failed(stage, f"{what} raised {type(error).__name__}: {text[:300]}") from error


def _first(action: Callable[[Binding], Any], options: Iterator[Binding], stage: int, what: str) -> Any:
    """What the first binding that works gives; the first one's error where none does."""
    failure: _Failed | None = None
    iterator = iter(options)
    while True:
        try:
            binding = _attempt(lambda: next(iterator, None), stage, what)
            if binding is None:
                break
            return _attempt(lambda binding=binding: action(binding), stage, what)
        except _Failed as error:
            failure = failure or error
            if error.stage > stage:
                break
    raise failure or _Failed(stage, f"{what} could not be called")


def _ready(file: File, plan: Plan, world: World) -> Ready:
    """Builds the network in a world, corrects the world's sizes by the network's, and runs the forward pass."""
    for _ in range(3):
        pool = _built(file, plan, world)
        parameters = find_parameters(pool, ("<X>", "<Y>", "<one-hot>", "<labels>"))
        options = size_options([p.value.shape for p in parameters if p.name[0] == "W"])
        if not options or world.sizes in options.values():
            break
        side = "oi" if world.layout == "columns" else "io"
        world = world._replace(sizes=options.get(side) or next(iter(options.values())))
    parameters += made_parameters(file, plan.forward, plan.backward, pool, parameters, world)
    for parameter in parameters:
        if parameter.made and parameter.root is not None:
            pool[parameter.root] = parameter.structure
    parameters = find_parameters(pool, ("<X>", "<Y>", "<one-hot>", "<labels>"))
    if not parameters:
        raise _Failed(
            1, f"{plan.forward.name}: found no parameters, neither arrays such as W1 nor a function that makes them"
        )
    _offer_parameters(pool, parameters)
    trial = Session(file.program, pool)

    def run(binding: Binding) -> Ready:
        ready = Ready(plan, world, pool, parameters, binding, ("", None))
        session = _start(file.program, ready)
        before = {id(leaf.value) for leaf in leaves(session.pool)}
        result = session.call(plan.forward, binding)
        place = _prediction_place(file, ready, session, result, before)
        return _used(file, ready._replace(place=place))

    stage = bindings(plan.forward, "forward", trial, file)
    return _first(run, stage, 2, f"{plan.forward.name}, given data of {world.sizes[0]} inputs in {world.layout},")


def _built(file: File, plan: Plan, world: World) -> dict[str, Any]:
    """The pool after the constructor and the initialiser ran."""
    np.random.seed(world.seed)
    random.seed(world.seed)
    pool = _data(world)
    pool["<prediction function>"] = plan.forward.name
    session = Session(file.program, pool)
    if plan.owner:
        constructor = file.callees.get(f"{plan.owner}.__init__")
        if constructor is None:
            pool["self"] = _attempt(lambda: file.program.names[plan.owner](), 0, f"{plan.owner}()")
        else:
            options = bindings(constructor, "build", session, file, world.authors_sizes)
            pool["self"] = _first(lambda b: session.call(constructor, b), options, 0, f"{plan.owner}(…)")
        for name, value in vars(pool["self"]).items():
            if isinstance(value, float) and names.meanings(name, False)[:1] == ["rate"]:
                setattr(pool["self"], name, RATE)
        if not find_parameters(pool, ("<X>", "<Y>", "<one-hot>")):
            for callee in file.callees.values():
                if callee.owner == plan.owner and names.is_init(callee.short) and not callee.short.startswith("__"):
                    with contextlib.suppress(_Failed):
                        _call_init(file, callee, session, world)
    if plan.init:
        _call_init(file, plan.init, session, world)
    return pool


def _call_init(file: File, init: Callee, session: Session, world: World) -> None:
    options = bindings(init, "build", session, file, world.authors_sizes)
    result = _first(lambda b: session.call(init, b), options, 0, init.name)
    session.absorb(init, result, file)
    if (
        result is not None
        and not any(value is result for value in session.pool.values())
        and not isinstance(result, tuple)
    ):
        session.pool.setdefault("parameters", result)
    if isinstance(result, tuple) and not isinstance(return_names(init.node), list):
        session.pool.setdefault("parameters", result)


def _offer_parameters(pool: dict[str, Any], parameters: list[Parameter]) -> None:
    """Parameters as one dict or list, for functions that take them so."""
    roots = [p.path[0][1] for p in parameters]
    root = max(roots, key=roots.count)
    if isinstance(pool[root], dict | list | tuple):
        pool["<parameters>"] = pool[root]
    pool["<parameter dict>"] = {p.word: p.value for p in parameters}
    pool["<parameter list>"] = [p.value for p in parameters]


def _start(program: Program, ready: Ready, values: dict[str, np.ndarray] | None = None) -> Session:
    """A copy of the network with the given parameters, or our own, in the place of those that it was built with."""
    values = values or own_values(ready.parameters, ready.world.sizes, ready.world.seed)
    memo: dict[int, Any] = {id(p.value): np.array(values[p.name], np.float64) for p in ready.parameters}
    return Session(program, copy.deepcopy(ready.pool, memo))


def _forward(file: File, ready: Ready, session: Session) -> Any:
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


def _prediction_place(file: File, ready: Ready, session: Session, result: Any, before: set[int]) -> tuple[str, Any]:
    """Where the prediction is: of what has its shape, what is called a prediction, or the last activation."""
    m, outputs = ready.world.m, ready.world.sizes[-1]
    shapes = {(outputs, m), (m, outputs)} | ({(m,)} if outputs == 1 else set()) | ({(outputs,)} if m == 1 else set())
    if outputs == m == 1:
        shapes.add(())
    found = [("result", leaf) for leaf in named_leaves(ready.plan.forward, result, file)]
    if not any(np.shape(leaf.value) in shapes for _, leaf in found):
        found += [("pool", leaf) for leaf in leaves(session.pool) if id(leaf.value) not in before]
    fitting = [
        (where, leaf)
        for where, leaf in found
        if np.shape(leaf.value) in shapes
        and np.asarray(leaf.value).dtype.kind == "f"
        and not names.read_name(leaf.word)
    ]
    if not fitting:
        seen = (
            ", ".join(f"{leaf.word or 'result'} {np.shape(leaf.value)}" for _, leaf in found[:8])
            or type(result).__name__
        )
        raise ValueError(f"no prediction of shape {(outputs, m)} or {(m, outputs)} in what it gives: {seen}")
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
    elif word.startswith(("z", "logit", "net", "s", "x", "in", "y_true")) or word == "y":
        likely = 0 if word != "y" else 1
    return (likely, number, -len(leaf.path))


def _used(file: File, ready: Ready) -> Ready:
    """Keeps the parameters: arrays that the prediction depends on, or that are called like one and stay what they are."""
    values = own_values(ready.parameters, ready.world.sizes, ready.world.seed)
    base = np.asarray(_forward(file, ready, _start(file.program, ready, values)))
    kept = []
    for parameter in ready.parameters:
        session = _start(file.program, ready, {**values, parameter.name: values[parameter.name] + 0.1})
        before = follow(session.pool, parameter.path)
        changed = not np.array_equal(base, np.asarray(_forward(file, ready, session)))
        if changed or (parameter.named and follow(session.pool, parameter.path) is before):
            kept.append(parameter)
    if not any(p.name[0] == "W" for p in kept):
        raise ValueError("its prediction depends on no weights")
    if len(kept) == len(ready.parameters):
        return ready
    found = find_parameters(ready.pool, ("<X>", "<Y>", "<one-hot>", "<labels>"), [p.path for p in kept])
    return ready._replace(parameters=found)


# ------------------------------------------------------------------------------------------------------------ backward


def _try_backward(file: File, ready: Ready, loss: str | None) -> Trial:
    plan = ready.plan
    session = _start(file.program, ready)
    _attempt(lambda: _forward(file, ready, session), 3, plan.forward.name)
    found_loss = _find_loss(file, ready, loss)
    failures: list[_Failed] = []
    trials: list[Trial] = []

    def run(binding: Binding) -> Trial:
        trial = Trial(ready, binding, "", found_loss, ())
        how, after = _how(file, trial)
        trial = trial._replace(how=how, after=after)
        gradients, _ = _gradients(file, trial, _pass(file, trial))
        return trial._replace(score=_score(trial, gradients))

    for binding in _all(bindings(plan.backward, "backward", session, file), failures):
        try:
            trials.append(_attempt(lambda binding=binding: run(binding), 4, plan.backward.name))
        except _Failed as failure:
            failures.append(failure)
            continue
        if trials[-1].score[0] == 1.0:
            break
    if trials:
        return max(trials, key=lambda trial: trial.score[:2])
    raise failures[0] if failures else _Failed(4, f"{plan.backward.name} could not be called")


def _all(options: Iterator[Binding], failures: list[_Failed]) -> Iterator[Binding]:
    try:
        yield from options
    except Unfillable as error:
        failures.append(_Failed(5, str(error)))


def _score(trial: Trial, gradients: dict[str, np.ndarray]) -> tuple:
    """How well gradients fit their parameters: the fraction of fitting shapes, whether a loss was found, and why not."""
    shapes = {p.name: p.value.shape for p in trial.ready.parameters}
    fits = {n: g.shape == shapes[n] for n, g in gradients.items()}
    m = trial.ready.world.m
    weights = [fit for n, fit in fits.items() if n[0] == "W"]
    biases = [n for n in gradients if n[0] == "b"]
    unsummed = sum(not fits[n] and m in gradients[n].shape for n in biases)
    fraction = sum(fits.values()) / max(len(shapes), 1)
    return (fraction, trial.loss is not None, (bool(weights) and not any(weights), unsummed, len(biases)))


def _pass(file: File, trial: Trial, values: dict[str, np.ndarray] | None = None, rate: float = RATE) -> _Run:
    session = _start(file.program, trial.ready, values)
    _set_rate(session, rate)
    prediction = _forward(file, trial.ready, session)
    result = session.call(trial.ready.plan.backward, trial.backward)
    if trial.after:
        session.call(*trial.after)
    return _Run(session, prediction, result)


def _set_rate(session: Session, rate: float) -> None:
    session.pool["<rate>"] = rate
    for name, value in list(vars(session.pool["self"]).items()) if is_authors(session.pool.get("self")) else ():
        if isinstance(value, float) and value == RATE and names.meanings(name, False)[:1] == ["rate"]:
            setattr(session.pool["self"], name, rate)


def _how(file: File, trial: Trial) -> tuple[str, tuple[Callee, Binding] | None]:
    """Where this backward pass leaves its gradients; what it returns comes first, an update last."""
    problem: ValueError | None = None
    for how in ("returned", "attributes", "update"):
        try:
            _gradients(file, trial._replace(how=how), _pass(file, trial))
            return how, None
        except ValueError as error:
            problem = problem if problem is not None and how != "returned" else error
    run = _pass(file, trial)
    plan = trial.ready.plan
    for callee in file.callees.values():
        if callee.owner != plan.owner or callee.name == plan.backward.name or names.backward_tier(callee.short) != 1:
            continue
        with contextlib.suppress(Exception):
            for binding in bindings(callee, "backward", run.session, file, limit=2):
                attempt = trial._replace(how="update", after=(callee, binding))
                _gradients(file, attempt, _pass(file, attempt))
                return "update", (callee, binding)
    raise problem or ValueError("no gradients")


def _gradients(file: File, trial: Trial, run: _Run) -> tuple[dict[str, np.ndarray], float | None]:
    """The gradients of a pass by parameter, and the learning rate if they come from an update."""
    ready, backward = trial.ready, trial.ready.plan.backward
    parameters, rate = ready.parameters, None
    if trial.how == "update":
        gradients, rate = _of_update(file, trial)
    elif trial.how == "returned":
        found = named_leaves(backward, run.result, file)
        found = [x for x in found if not (names.read_name(x.word) and updates_itself(backward.node, x.word))]
        gradients = match_gradients(found, parameters, backward.name)
    else:
        before = _start(file.program, ready)
        _forward(file, ready, before)
        old = {leaf.path: leaf.value for leaf in leaves(before.pool)}
        new = [x for x in leaves(run.session.pool) if not str(x.tokens[0]).startswith("<")]
        new = [x for x in new if x.path not in old or not np.array_equal(old[x.path], x.value)]
        new = [x for x in new if x.path not in {p.path for p in parameters}]
        gradients = match_gradients([x for x in new if _is_gradient(x)], parameters, backward.name)
        if len(gradients) < len(parameters):
            with contextlib.suppress(ValueError):
                gradients, rate = _of_update(file, trial)
    gradients = {p.name: np.array(gradients[p.name], np.float64) for p in parameters if p.name in gradients}
    for name, gradient in gradients.items():
        if not np.all(np.isfinite(gradient)):
            raise ValueError(f"gave a gradient of {name} that is not finite (NaN or infinity)")
    return gradients, rate


def _is_gradient(leaf: Leaf) -> bool:
    words = [t for t in leaf.tokens if isinstance(t, str)]
    return any((r := names.read_name(w)) is not None and r.gradient for w in words) or any(
        w.lower().strip("_") in ("grads", "gradients", "grad", "gradient") for w in words
    )


def _of_update(file: File, trial: Trial) -> tuple[dict[str, np.ndarray], float]:
    """(before − after) / rate, with the rate that was used: ours, one in the code, or 1."""
    changes = _changes(file, trial, RATE)
    if all(not np.any(change) for change in changes.values()):
        raise ValueError(
            f"{trial.ready.plan.backward.name} returned no gradients ({_found(trial, file)}), left none in attributes such as "
            f"dW1, and changed no parameter; name another function with --backward"
        )
    doubled = _changes(file, trial, 2 * RATE)
    ours = any(not np.array_equal(changes[n], doubled[n]) for n in changes)
    rate = RATE if ours else _rate_in_code(file, trial)
    return {name: _unspread(change / rate) for name, change in changes.items()}, rate


def _found(trial: Trial, file: File) -> str:
    result = _pass(file, trial).result
    return (
        "None"
        if result is None
        else ", ".join(str(x.word or np.shape(x.value)) for x in leaves(result)[:6]) or str(type(result).__name__)
    )


def _changes(file: File, trial: Trial, rate: float) -> dict[str, np.ndarray]:
    ready, backward = trial.ready, trial.ready.plan.backward
    values = own_values(ready.parameters, ready.world.sizes, ready.world.seed)
    run = _pass(file, trial, values, rate)
    after = {p.name: np.asarray(follow(run.session.pool, p.path), np.float64) for p in ready.parameters}
    returned = [x for x in named_leaves(backward, run.result, file) if names.read_name(x.word)]
    returned = [x for x in returned if updates_itself(backward.node, x.word)]
    with contextlib.suppress(ValueError):
        after |= match_gradients(returned, ready.parameters, backward.name)
    return {name: values[name] - value for name, value in after.items()}


def _rate_in_code(file: File, trial: Trial) -> float:
    callees = [trial.ready.plan.backward, *([trial.after[0]] if trial.after else [])]
    free = [name for callee in callees for name in sorted(file.free_names(callee))]
    for name in free:
        value = file.program.names.get(name)
        if names.meanings(name, False)[:1] == ["rate"] and isinstance(value, float | int):
            return float(value)
    for callee in callees:
        for parameter in callee.arguments:
            if names.meanings(parameter.name, False)[:1] == ["rate"] and isinstance(parameter.default, float):
                return parameter.default
    return literal_rate([reached.node for callee in callees for reached in file.reached(callee)])


def _unspread(gradient: np.ndarray) -> np.ndarray:
    """A scalar that was subtracted from a whole array is still the scalar."""
    if gradient.size > 1 and np.any(gradient) and np.ptp(gradient) <= 1e-12 * np.max(np.abs(gradient)) + 1e-15:
        return np.array(np.median(gradient))
    return gradient


# ---------------------------------------------------------------------------------------------------------------- loss


def _find_loss(file: File, ready: Ready, name: str | None) -> tuple[Callee, Binding, World] | None:
    """The author's loss, and the kind of labels that it takes: one-hot before integers, which broadcast silently."""
    candidates = [file.callees[name]] if name else _loss_candidates(file, ready.plan)
    for callee in candidates:
        for labels in ("one-hot", "integers", "integers-2d"):
            world = ready.world._replace(labels=labels)
            try:
                session = _start(file.program, ready)
                session.pool["<Y>"] = _data(world)["<Y>"]
                _forward(file, ready, session)
                binding = _first(
                    lambda b, c=callee, s=session: (b, _scalar(s.call(c, b)))[0],
                    bindings(callee, "loss", session, file, limit=6), 6, callee.name,
                )  # fmt: skip
            except (_Failed, Unfillable, Exception) as error:
                if name and labels == "integers-2d":
                    raise _Failed(6, f"--loss {name}: {error}") from None
                continue
            return callee, binding, world
    return None


def _loss_candidates(file: File, plan: Plan) -> list[Callee]:
    """Functions called like a loss, those that the file calls first; none where several are there and none is called."""
    found = [c for c in file.callees.values() if names.is_loss(c.short) and c.owner in (None, plan.owner)]
    found = [c for c in found if c.name not in (plan.forward.name, plan.backward.name)] or found
    found.sort(key=lambda c: c.owner is None and plan.owner is not None)
    penalised = any(names.meanings(p.name, False)[:1] == ["penalty"] for p in plan.backward.arguments)
    found.sort(key=lambda c: penalised != any(names.meanings(p.name, False)[:1] == ["penalty"] for p in c.arguments))
    called = [c for c in found if file.sites(c)]
    roots = _roots(file, called)
    return roots if called else found if len(found) == 1 else []


def _scalar(value: Any) -> Any:
    """The one number in what a loss function returned."""
    numbers = [x.value for x in leaves(value) if np.size(x.value) == 1]
    single = isinstance(value, tuple | list) and len([x for x in value if is_number(x) and np.size(x) == 1]) == 1
    if single:
        value = next(x for x in value if is_number(x) and np.size(x) == 1)
    elif not numbers or np.size(value) != 1:
        raise ValueError("did not return one number")
    if not np.all(np.isfinite(np.asarray(value, np.float64))):
        raise ValueError("is not finite")
    return np.asarray(value, np.float64).reshape(())


# --------------------------------------------------------------------------------------------------------- observation


def _observation(path: Path, units: list[Unit], file: File, trial: Trial) -> Observation:
    """Runs forward and backward on several draws, recorded, and offers the same functions to be traced."""
    draws = 2 if trial.ready.world.form == "batch" else 3
    trials = [trial, *(_redrawn(file, trial, seed) for seed in range(1, draws))]
    calls = [_call(file, units, t) for t in trials]
    cached: list[Program] = []

    def away() -> Program:
        if not cached:
            cached.append(jax_program(file.program, units, path.parent))
        return cached[0]

    def session_of(k: int, params: dict[str, Any], traced: bool) -> Session:
        ready = trials[k].ready
        values = {**calls[k].parameters, **params}
        if not traced:
            return _start(file.program, ready, values)
        import jax.numpy as jnp

        swap = {id(p.value): jnp.asarray(values[p.name]) for p in ready.parameters}
        transplant = Transplant(file.program, away(), swap)
        return Session(away(), transplant(ready.pool), transplant)

    def prediction(k: int, params: dict[str, Any], traced: bool) -> Any:
        with _quiet():
            session = session_of(k, params, traced)
            return _forward(file, trials[k].ready, session).reshape(calls[k].prediction.shape)

    def loss(k: int, params: dict[str, Any], traced: bool) -> Any:
        callee, binding, world = trials[k].loss  # pyright: ignore[reportGeneralTypeIssues]
        with _quiet():
            session = session_of(k, params, traced)
            session.pool["<Y>"] = session._convert(_data(world)["<Y>"])
            _forward(file, trials[k].ready, session)
            value = session.call(callee, binding)
            if isinstance(value, tuple | list):
                value = next(x for x in value if np.size(x) == 1)
            return value.reshape(()) if hasattr(value, "reshape") else value

    roles = {"forward": trial.ready.plan.forward.name, "backward": trial.ready.plan.backward.name}
    roles |= {"init": trial.ready.plan.init.name} if trial.ready.plan.init else {}
    roles |= {"loss": trial.loss[0].name} if trial.loss else {}
    return Observation(
        layout=trial.ready.world.layout,
        calls=calls,
        predict=lambda k, params: prediction(k, params, True),
        loss=(lambda k, params: loss(k, params, True)) if trial.loss else None,
        predict_numpy=lambda k, params: np.asarray(prediction(k, params, False), np.float64),
        loss_numpy=(lambda k, params: float(loss(k, params, False))) if trial.loss else None,
        lines=_lines(units),
        updated_in_place=calls[0].learning_rate is not None,
        names={p.name: expression_of(p.path) for p in trial.ready.parameters},
        roles=roles,
    )


def _redrawn(file: File, trial: Trial, seed: int) -> Trial:
    """The same network on other data and parameters, and with another number of examples where the code lets it."""
    world = trial.ready.world._replace(seed=seed)
    try:
        ready = _ready(file, trial.ready.plan, world)
    except _Failed as failure:
        raise ValueError(f"ran once, but not on a second draw of data: {failure}") from None
    loss = trial.loss and (trial.loss[0], trial.loss[1], trial.loss[2]._replace(seed=seed, sizes=ready.world.sizes))
    return trial._replace(ready=ready._replace(forward=trial.ready.forward), loss=loss)


def _call(file: File, units: list[Unit], trial: Trial) -> Call:
    """One recorded pass."""
    ready = trial.ready
    values = own_values(ready.parameters, ready.world.sizes, ready.world.seed)
    session = _start(file.program, ready, values)
    prediction, forward = record(lambda: np.array(_forward(file, ready, session), np.float64), units)

    def backward() -> Any:
        result = session.call(ready.plan.backward, trial.backward)
        if trial.after:
            session.call(*trial.after)
        return result

    result, assignments = record(backward, units)
    gradients, rate = _gradients(file, trial, _Run(session, prediction, result))
    inputs, targets = np.array(session.pool["<X>"], np.float64), session.pool["<one-hot>"]
    if ready.world.form == "vector":
        shape = (-1, 1) if ready.world.layout == "columns" else (1, -1)
        inputs, targets, prediction = inputs.reshape(shape), targets.reshape(shape), prediction.reshape(shape)
    if prediction.ndim < 2:
        prediction = prediction.reshape(targets.shape)
    targets = targets if targets.shape == prediction.shape else targets.T
    return Call(
        inputs=inputs,
        targets=np.array(targets, np.float64),
        prediction=prediction,
        parameters=values,
        gradients=gradients,
        loss=_loss_value(file, trial, values),
        forward_assignments=forward,
        backward_assignments=assignments,
        learning_rate=rate,
    )


def _loss_value(file: File, trial: Trial, values: dict[str, np.ndarray]) -> float | None:
    if trial.loss is None:
        return None
    callee, binding, world = trial.loss
    session = _start(file.program, trial.ready, values)
    session.pool["<Y>"] = _data(world)["<Y>"]
    _forward(file, trial.ready, session)
    return float(_scalar(session.call(callee, binding)))


def _lines(units: list[Unit]) -> dict[tuple[int | None, int], str]:
    """The text of every statement, on one line; of a long one the first line."""
    found = {}
    for unit in units:
        for statement in {id(s): s for s in statements_by_line(unit.tree).values()}.values():
            first = unit.text[statement.lineno - 1].strip()
            whole = unit.text[statement.lineno - 1 : statement.end_lineno]
            joined = " ".join(line.strip() for line in whole)
            compound = hasattr(statement, "body")
            found[unit.cell, statement.lineno] = first if compound or len(joined) > 160 else joined
            for line in range(statement.lineno + 1, (statement.end_lineno or 0) + 1):  # elements of a display
                found.setdefault((unit.cell, line), unit.text[line - 1].strip())
    return found
