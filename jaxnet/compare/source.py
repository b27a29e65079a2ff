"""Takes the functions out of an author's .py or .ipynb and calls them by argument name, with data of its own.

`reading` takes the code apart, `names` says what names mean, `calling` fills arguments and calls, `parameters` finds
weights and gradients in what the code holds and returns, `tracing` records assignments. Here they come together: a
world (sizes, layout, kind of labels) is tried after another until forward and backward run in it; then both run on
several draws of data and parameters, and are recorded.
"""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.calling import Session
from jaxnet.compare.functions import File, listed
from jaxnet.compare.leaves import expression_of
from jaxnet.compare.names import read_name
from jaxnet.compare.networks import Failed, attempt, make_ready, oriented, run_forward, start, values_of
from jaxnet.compare.parameters import Parameter
from jaxnet.compare.reading import NumPy, Program, Unit, read_units
from jaxnet.compare.tracing import Assignment, record, statements_by_line
from jaxnet.compare.transplant import Transplant, jax_program
from jaxnet.compare.trials import Run, Trial, loss_of, read_gradients, search

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
    names: Mapping[str, str]  # the author's expression for each parameter: {'W1': 'self.weights[0]'}
    roles: Mapping[str, str]  # init, forward, backward and loss: the author's names for those that were found


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
                raise ValueError(f"{path}: --{flag} {name}: no such function; found: {listed(file)}")
        trial = search(path, file, flags, layout)
        try:
            return _observation(path, units, file, trial)
        except Failed as failure:
            raise ValueError(f"{path}: {failure}") from None


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


# --------------------------------------------------------------------------------------------------------- observation


def _observation(path: Path, units: list[Unit], file: File, trial: Trial) -> Observation:
    """Runs forward and backward on several draws, recorded, and offers the same functions to be traced."""
    draws = 2 if trial.ready.world.form == "batch" else 3
    trials = [trial, *(_redrawn(file, trial, seed) for seed in range(1, draws))]
    what = f"{trial.ready.plan.backward.name}, on another draw of data,"
    calls = [attempt(lambda t=t: _call(file, units, t), 0, what) for t in trials]
    cached: list[Program] = []

    def away() -> Program:
        if not cached:
            cached.append(jax_program(file.program, units, path.parent))
        return cached[0]

    def session_of(k: int, params: dict[str, Any], traced: bool) -> Session:
        ready = trials[k].ready
        values = {**calls[k].parameters, **params}
        if not traced:
            return start(file.program, ready, values)
        import jax.numpy as jnp

        swap = {id(p.value): jnp.asarray(values[p.name]) for p in ready.parameters}
        transplant = Transplant(file.program, away(), swap)
        return Session(away(), transplant(ready.pool), transplant)

    def prediction(k: int, params: dict[str, Any], traced: bool) -> Any:
        with _quiet():
            return oriented(run_forward(file, trials[k].ready, session_of(k, params, traced)), trials[k].ready.world)

    def loss(k: int, params: dict[str, Any], traced: bool) -> Any:
        with _quiet():
            return loss_of(file, trials[k], session_of(k, params, traced))

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
    ready = make_ready(file, trial.ready.plan, trial.ready.world._replace(seed=seed))
    loss = trial.loss and (trial.loss[0], trial.loss[1], trial.loss[2]._replace(seed=seed, sizes=ready.world.sizes))
    return trial._replace(ready=ready._replace(forward=trial.ready.forward), loss=loss)


def _call(file: File, units: list[Unit], trial: Trial) -> Call:
    """One recorded pass."""
    ready = trial.ready
    values = values_of(ready)
    session = start(file.program, ready, values)
    prediction, forward = record(lambda: np.array(run_forward(file, ready, session), np.float64), units)

    def backward() -> Any:
        result = session.call(ready.plan.backward, trial.backward)
        if trial.after:
            session.call(*trial.after)
        return result

    result, assignments = record(backward, units)
    gradients, rate = read_gradients(file, trial, Run(session, prediction, result))
    if rate is not None:
        gradients = {p.name: _as_computed(p, gradients[p.name], assignments) for p in ready.parameters}
    inputs, targets = np.array(session.pool["<X>"], np.float64), np.array(session.pool["<one-hot>"], np.float64)
    if ready.world.form == "vector":
        inputs = inputs.reshape((-1, 1) if ready.world.layout == "columns" else (1, -1))
    return Call(
        inputs=inputs,
        targets=oriented(targets, ready.world),
        prediction=oriented(prediction, ready.world),
        parameters=values,
        gradients=gradients,
        loss=float(loss_of(file, trial, start(file.program, ready, values))) if trial.loss else None,
        forward_assignments=forward,
        backward_assignments=assignments,
        learning_rate=rate,
    )


def _as_computed(parameter: Parameter, gradient: np.ndarray, assignments: list[Assignment]) -> np.ndarray:
    """A gradient that an update spread over the whole parameter, or rounded, as the code had it before: dW1 or −dW1."""
    for seen in reversed(assignments):
        read = read_name(seen.expression)
        if read is None or not read.gradient or read.identity != parameter.identity:
            continue
        with contextlib.suppress(ValueError):
            spread = np.broadcast_to(seen.value, gradient.shape or parameter.value.shape)
            rounding = 1e-13 * (1 + np.max(np.abs(gradient)) + np.max(np.abs(parameter.value)))
            for value, whole in ((seen.value, spread), (-seen.value, -spread)):
                if np.max(np.abs(whole - gradient)) <= rounding:
                    return value
    return gradient


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
