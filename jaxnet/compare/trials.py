"""Tries one world after another until an author's forward and backward pass run, and reads the gradients off."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare import names
from jaxnet.compare.calling import RATE, Binding, Session, Unfillable, bindings, named_leaves
from jaxnet.compare.functions import Callee, File
from jaxnet.compare.leaves import Leaf, Refusal, follow, leaves
from jaxnet.compare.networks import (
    Failed,
    Ready,
    attempt,
    first,
    make_ready,
    rate_attributes,
    run_forward,
    start,
    values_of,
)
from jaxnet.compare.parameters import literal_rate, match_gradients, updates_itself
from jaxnet.compare.roles import Plan, loss_candidates, plans
from jaxnet.compare.worlds import World, data_of, worlds


class Trial(NamedTuple):
    """A network whose forward and backward pass both run, and how its gradients are read."""

    ready: Ready
    backward: Binding
    how: str  # returned, attributes, update: where gradients are found
    loss: tuple[Callee, Binding, World] | None
    score: tuple
    after: tuple[Callee, Binding] | None = None  # an update method that is called after backward


class Run(NamedTuple):
    session: Session
    prediction: Any
    result: Any = None


def search(path: Path, file: File, flags: dict[str, str | None], layout: str | None) -> Trial:
    """The first network of the file that runs, in the first world that it runs in."""
    log = Log([], set())
    for plan in plans(path, file, flags):
        batch = _best(file, plan, flags["loss"], worlds(file, plan, layout, ("batch",)), log)
        if batch is not None and not _one_example_only(file, batch):
            return batch
        sizes = batch.ready.world.sizes if batch else None
        groups = ([w for w in group if sizes in (None, w.sizes)] for group in worlds(file, plan, layout, _SINGLE))
        single = _best(file, plan, flags["loss"], groups, log)
        found = [trial for trial in (batch, single) if trial is not None]
        if found:
            return max(found, key=lambda trial: trial.score[:2])
    _, message = max(log.errors, key=lambda error: error[0], default=(0, "nothing ran"))
    raise ValueError(f"{path}: {message}")


_SINGLE = ("example", "vector")


class Log(NamedTuple):
    """What came to nothing: the stages and messages, and the worlds."""

    errors: list[tuple[float, str]]
    tried: set[Any]


def _best(file: File, plan: Plan, loss: str | None, groups: Iterable[list[World]], log: Log) -> Trial | None:
    """The best trial of the first sizes in which the code runs at all."""
    for group in groups:
        trials = [t for world in group if (t := _try_world(file, plan, world, loss, log)) is not None]
        if trials:
            return max(trials, key=lambda trial: trial.score)
    return None


def _one_example_only(file: File, trial: Trial) -> bool:
    """Whether a backward pass that ran on a batch is meant for one example: it sums over none, and its file says so."""
    wrong_weights, unsummed, biases = trial.score[-1]
    text = " ".join(ast.unparse(c.node) for c in file.reached(trial.ready.plan.backward))
    counts = any(word in text for word in ("sum(", "mean(", ".shape[", ".size", "len(X", "/ m"))
    looped = bool(_example_sites(file, trial.ready.plan.backward))
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
            over = ast.unparse(loops[0]).lower()
            if "batches" not in over and not any("batch" in n.lower() for n in inner):
                found.append(site)
    return found


def _try_world(file: File, plan: Plan, world: World, loss: str | None, log: Log) -> Trial | None:
    try:
        return try_backward(file, make_ready(file, plan, world, log.tried), loss)
    except Failed as failure:
        log.errors.append((failure.stage, str(failure)))
        return None


def try_backward(file: File, ready: Ready, loss: str | None) -> Trial:
    plan = ready.plan
    session = start(file.program, ready)
    attempt(lambda: run_forward(file, ready, session), 3, plan.forward.name)
    found_loss = find_loss(file, ready, loss)
    failures: list[Failed] = []
    trials: list[Trial] = []

    def run(binding: Binding) -> Trial:
        trial = Trial(ready, binding, "", found_loss, ())
        how, after = _how(file, trial)
        trial = trial._replace(how=how, after=after)
        gradients, _ = read_gradients(file, trial, run_pass(file, trial))
        return trial._replace(score=score_of(trial, gradients))

    for binding in _all(bindings(plan.backward, "backward", session, file), failures):
        try:
            trials.append(attempt(lambda binding=binding: run(binding), 4, plan.backward.name))
        except Failed as failure:
            failures.append(failure)
            continue
        if trials[-1].score[0] == 1.0:
            break
    if trials:
        return max(trials, key=lambda trial: trial.score[:2])
    raise failures[0] if failures else Failed(4, f"{plan.backward.name} could not be called")


def _all(options: Iterator[Binding], failures: list[Failed]) -> Iterator[Binding]:
    try:
        yield from options
    except Unfillable as error:
        failures.append(Failed(5, str(error)))


def score_of(trial: Trial, gradients: dict[str, np.ndarray]) -> tuple:
    """How well gradients fit their parameters: the fraction of fitting shapes, whether there is a loss, why not."""
    shapes = {p.name: p.value.shape for p in trial.ready.parameters}
    fits = {n: g.shape == shapes[n] for n, g in gradients.items()}
    m = trial.ready.world.m
    weights = [fit for n, fit in fits.items() if n[0] == "W"]
    biases = [n for n in gradients if n[0] == "b"]
    unsummed = sum(not fits[n] and m in gradients[n].shape for n in biases)
    fraction = sum(fits.values()) / max(len(shapes), 1)
    return (fraction, trial.loss is not None, (bool(weights) and not any(weights), unsummed, len(biases)))


def run_pass(file: File, trial: Trial, values: dict[str, np.ndarray] | None = None, rate: float = RATE) -> Run:
    session = start(file.program, trial.ready, values)
    _set_rate(session, rate)
    prediction = run_forward(file, trial.ready, session)
    result = session.call(trial.ready.plan.backward, trial.backward)
    if trial.after:
        session.call(*trial.after)
    return Run(session, prediction, result)


def _set_rate(session: Session, rate: float) -> None:
    session.pool["<rate>"] = rate
    for name in rate_attributes(session.pool.get("self")):
        setattr(session.pool["self"], name, rate)


def _how(file: File, trial: Trial) -> tuple[str, tuple[Callee, Binding] | None]:
    """Where this backward pass leaves its gradients; what it returns comes first, an update last."""
    problems: list[Refusal] = []
    for how in ("returned", "attributes", "update"):
        try:
            if how == "update":
                _check_moved(file, trial)
            read_gradients(file, trial._replace(how=how), run_pass(file, trial))
            return how, None
        except Refusal as error:
            problems.append(error)
    run = run_pass(file, trial)
    plan = trial.ready.plan
    for callee in file.callees.values():
        if callee.owner != plan.owner or callee.name == plan.backward.name or names.backward_tier(callee.short) != 1:
            continue
        with contextlib.suppress(Exception):
            for binding in bindings(callee, "backward", run.session, file, limit=2):
                attempt = trial._replace(how="update", after=(callee, binding))
                _check_moved(file, attempt)
                read_gradients(file, attempt, run_pass(file, attempt))
                return "update", (callee, binding)
    gave_some = leaves(run.result) or "not finite" in str(problems[0])
    raise problems[0] if gave_some else problems[-1]


def read_gradients(file: File, trial: Trial, run: Run) -> tuple[dict[str, np.ndarray], float | None]:
    """The gradients of a pass by parameter, and the learning rate if they come from an update."""
    ready, backward = trial.ready, trial.ready.plan.backward
    parameters, rate = ready.parameters, None
    if trial.how == "update":
        gradients, rate = _of_update(file, trial)
    elif trial.how == "returned":
        found = named_leaves(backward, run.result, file)
        found = [x for x in found if _is_gradient(x) or not _is_updated(x, backward)]
        gradients = match_gradients(found, parameters, backward.name)
    else:
        before = start(file.program, ready)
        run_forward(file, ready, before)
        old = {leaf.path: leaf.value for leaf in leaves(before.pool)}
        new = [x for x in leaves(run.session.pool) if not str(x.tokens[0]).startswith("<")]
        new = [x for x in new if x.path not in old or not np.array_equal(old[x.path], x.value)]
        new = [x for x in new if x.path not in {p.path for p in parameters}]
        gradients = match_gradients([x for x in new if _is_gradient(x)], parameters, backward.name)
        if len(gradients) < len(parameters):
            with contextlib.suppress(Refusal):
                _check_moved(file, trial)
                gradients, rate = _of_update(file, trial)
    gradients = {p.name: np.array(gradients[p.name], np.float64) for p in parameters if p.name in gradients}
    for name, gradient in gradients.items():
        if not np.all(np.isfinite(gradient)):
            raise Refusal(f"{backward.name} gave a gradient of {name} that is not finite (NaN or infinity)")
    return gradients, rate


def _is_gradient(leaf: Leaf) -> bool:
    words = [t for t in leaf.tokens if isinstance(t, str)]
    return any((r := names.read_name(w)) is not None and r.gradient for w in words) or any(
        w.lower().strip("_") in ("grads", "gradients", "grad", "gradient") for w in words
    )


def _is_updated(leaf: Leaf, backward: Callee) -> bool:
    """Whether what a function returned is a parameter after its update, and not a gradient."""
    root = str(leaf.tokens[0]) if leaf.tokens else ""
    in_parameters = names.meanings(root, False)[:1] == ["parameters"]
    return names.read_name(leaf.word) is not None and (in_parameters or updates_itself(backward.node, leaf.word))


def _of_update(file: File, trial: Trial) -> tuple[dict[str, np.ndarray], float]:
    """(before − after) / rate, with the rate that was used: ours, one in the code, or 1."""
    changes = _changes(file, trial, RATE)
    doubled = _changes(file, trial, 2 * RATE)
    ours = any(not np.array_equal(changes[n], doubled[n]) for n in changes)
    rate = RATE if ours else _rate_in_code(file, trial)
    return {name: _unspread(change / rate) for name, change in changes.items()}, rate


def _check_moved(file: File, trial: Trial) -> None:
    if not any(np.any(change) for change in _changes(file, trial, RATE).values()):
        raise Refusal(
            f"{trial.ready.plan.backward.name} returned no gradients ({_found(trial, file)}), left none in attributes "
            f"such as dW1, and changed no parameter; name another function with --backward"
        )


def _found(trial: Trial, file: File) -> str:
    result = run_pass(file, trial).result
    return (
        "None"
        if result is None
        else ", ".join(str(x.word or np.shape(x.value)) for x in leaves(result)[:6]) or str(type(result).__name__)
    )


def _changes(file: File, trial: Trial, rate: float) -> dict[str, np.ndarray]:
    ready, backward = trial.ready, trial.ready.plan.backward
    values = values_of(ready)
    run = run_pass(file, trial, values, rate)
    after = {p.name: np.asarray(follow(run.session.pool, p.path), np.float64) for p in ready.parameters}
    returned = [x for x in named_leaves(backward, run.result, file) if not _is_gradient(x)]
    returned = [x for x in returned if _is_updated(x, backward)]
    with contextlib.suppress(Refusal):
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


def find_loss(file: File, ready: Ready, name: str | None) -> tuple[Callee, Binding, World] | None:
    """The author's loss, and the kind of labels that it takes: one-hot before integers, which broadcast silently."""
    candidates = [file.callees[name]] if name else loss_candidates(file, ready.plan)
    for callee in candidates:
        for labels in ("one-hot", "integers", "integers-2d"):
            world = ready.world._replace(labels=labels)
            try:
                session = start(file.program, ready)
                session.pool["<Y>"] = data_of(world)["<Y>"]
                run_forward(file, ready, session)
                binding = first(
                    lambda b, c=callee, s=session: (b, _finite(scalar(s.call(c, b))))[0],
                    bindings(callee, "loss", session, file, limit=6), 6, callee.name,
                )  # fmt: skip
            except Exception as error:
                if name and labels == "integers-2d":
                    raise Failed(6, f"--loss {name}: {error}") from None
                continue
            return callee, binding, world
    return None


def _finite(value: Any) -> None:
    if not np.isfinite(value):
        raise ValueError("is not finite")


def loss_of(file: File, trial: Trial, session: Session) -> Any:
    """The author's loss of the author's forward pass, in a session of NumPy or of JAX."""
    assert trial.loss is not None
    callee, binding, world = trial.loss
    session.pool["<Y>"] = session.convert(data_of(world)["<Y>"])
    run_forward(file, trial.ready, session)
    return scalar(session.call(callee, binding))


def scalar(value: Any) -> Any:
    """The one number in what a loss function returned: itself, or the one in a tuple of a loss and gradients."""
    if isinstance(value, tuple | list):
        numbers = [x for x in value if not isinstance(x, dict | tuple | list) and np.size(x) == 1]
        if len(numbers) != 1:
            raise ValueError("did not return one number")
        value = numbers[0]
    if isinstance(value, dict | str) or value is None or np.size(value) != 1:
        raise ValueError("did not return one number")
    return value.reshape(()) if hasattr(value, "reshape") else value
