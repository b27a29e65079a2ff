"""Training: a step, a stretch of steps as one XLA program, and `fit`, which yields after each epoch.

`fit` can be looked at after each stretch and goes on from any step; what comes out is the same, bit for bit.
m examples in a batch, i inputs, o outputs. State goes in and comes out; nothing is hidden.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh

from jaxnet.augment import AUGMENTATIONS, keep
from jaxnet.batches import Part, count_steps, is_streamed, on_devices, parts
from jaxnet.data import Dataset
from jaxnet.devices import agree, make_mesh, place_state
from jaxnet.evaluation import check_examples, loss_and_accuracy, one_hot, scale_pixels
from jaxnet.losses import network_loss
from jaxnet.network import Params, choose

LossFunction: TypeAlias = Callable[[Params, jax.Array, jax.Array], jax.Array]
Augmentation: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]

STRETCH_SECONDS = 0.15  # between two looks at a running epoch
MEASURED = ("test_loss", "test_accuracy", "validation_loss", "validation_accuracy")  # in an Epoch, as they come

OPTIMIZERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
    "adam": optax.adam,
    "adamw": optax.adamw,
}

SCHEDULES: dict[str, Callable[[float, int], float | optax.Schedule]] = {
    "constant": lambda rate, steps: rate,
    "cosine": lambda rate, steps: optax.cosine_decay_schedule(rate, steps),
    # A tenth after one half of the steps, a hundredth after three quarters (He et al. 2016, section 4.2).
    "step": lambda rate, steps: optax.piecewise_constant_schedule(rate, {steps // 2: 0.1, steps * 3 // 4: 0.1}),
}


class TrainState(NamedTuple):
    """All that training changes."""

    params: Params
    optimizer_state: optax.OptState
    step: jax.Array  # () int32, steps taken


class Progress(NamedTuple):
    """Where training stands between two steps: all that `fit` needs to go on from there."""

    state: TrainState
    loss_sum: float = 0.0  # of the epoch's steps so far, added up in float64 one by one


class Epoch(NamedTuple):
    """What `fit` yields after each epoch. Losses are means over examples, accuracy is a fraction."""

    number: int  # from 1
    state: TrainState
    train_loss: float  # mean over the epoch's batches, each before its step
    test_loss: float
    test_accuracy: float
    seconds: float  # of the epoch's steps, without the evaluation
    examples_per_second: float
    validation_loss: float | None = None  # None without a validation set
    validation_accuracy: float | None = None

    @property
    def params(self) -> Params:
        return self.state.params


@lru_cache
def make_loss(hidden: str = "relu", output: str = "softmax", loss: str = "squared-error") -> LossFunction:
    """`network_loss` of one kind of network, as a function of (params, inputs (m, i), targets (m, o)).

    The same function for the same names, so that what is compiled for it is found again.
    """
    return partial(network_loss, hidden=hidden, output=output, loss=loss)


@lru_cache
def make_optimizer(
    name: str = "sgd", learning_rate: float = 0.1, schedule: str = "constant", steps: int = 1
) -> optax.GradientTransformation:
    """An Optax optimiser whose learning rate follows a schedule over `steps` steps.

    `constant`; `cosine`, down to 0 at the last step (Loshchilov and Hutter 2017, eq. 5); `step`, a tenth after
    half of the steps and a hundredth after three quarters. Raises ValueError for an unknown name or a rate
    that is not a positive number.
    """
    if not 0 < learning_rate < float("inf"):
        raise ValueError(f"learning rate is {learning_rate}; a positive number is needed")
    return choose(OPTIMIZERS, name, "optimiser")(make_schedule(learning_rate, schedule, steps))


def learning_rate_at(step: int, learning_rate: float, schedule: str = "constant", steps: int = 1) -> float:
    """The learning rate of the step that `step` others come before, under a schedule over `steps` steps."""
    rate = make_schedule(learning_rate, schedule, steps)
    return float(cast(float, rate(jnp.int32(step)))) if callable(rate) else rate


@lru_cache
def make_schedule(learning_rate: float, schedule: str, steps: int) -> float | optax.Schedule:
    """The learning rate as a function of the step, compiled as one program, or the number where it is constant."""
    rate = choose(SCHEDULES, schedule, "schedule")(learning_rate, steps)
    return jax.jit(rate) if callable(rate) else rate


def init_state(params: Params, optimizer: optax.GradientTransformation) -> TrainState:
    """The state before the first step. The parameters are copied, since each step consumes its state."""
    return _init_state(params, optimizer=optimizer)


@partial(jax.jit, static_argnames="optimizer")
def _init_state(params: Params, optimizer: optax.GradientTransformation) -> TrainState:
    return TrainState(params, optimizer.init(params), jnp.zeros((), jnp.int32))


@jax.jit
def _copy(state: TrainState) -> TrainState:
    """The same state in other buffers, so that these may be donated; one program, sooner compiled than one a leaf."""
    return jax.tree.map(jnp.copy, state)


def _step(state: TrainState, inputs: jax.Array, labels: jax.Array, loss: LossFunction, optimizer):
    """One step of gradient descent; labels (m,) become one-hot targets (m, o)."""
    params, optimizer_state, step = state
    value, gradients = jax.value_and_grad(loss)(params, scale_pixels(inputs), one_hot(params, labels))
    updates, optimizer_state = optimizer.update(gradients, optimizer_state, params)
    params = cast(Params, optax.apply_updates(params, updates))
    return TrainState(params, optimizer_state, step + 1), value


@partial(jax.jit, static_argnames=("loss", "optimizer"), donate_argnames="state")
def train_step(
    state: TrainState,
    inputs: jax.Array,
    labels: jax.Array,
    *,
    loss: LossFunction,
    optimizer: optax.GradientTransformation,
) -> tuple[TrainState, jax.Array]:
    """One optimiser step on a batch: the next state and the loss before the step.

    inputs (m, i), uint8 pixels or floats; labels (m,). `loss` maps (params, inputs, one-hot targets (m, o)) to
    a scalar. `state` is donated: its buffers become the result's, so it cannot be used again.
    """
    return _step(state, inputs, labels, loss, optimizer)


@partial(jax.jit, static_argnames=("loss", "optimizer", "augment"), donate_argnames="state")
def train_steps(
    state: TrainState,
    dataset: Dataset,
    batches: jax.Array | None,
    start: int,
    stop: int,
    *,
    loss: LossFunction,
    optimizer: optax.GradientTransformation,
    augment: Augmentation = keep,
    seed: int | np.uint32 = 0,
) -> tuple[TrainState, jax.Array]:
    """Steps start … stop − 1 of a part of an epoch as one XLA program: the next state and the loss of each step.

    batches (steps, m) holds the examples' numbers, row by row; without them the data set does: inputs
    (steps, m, i), labels (steps, m). The losses are (steps,), 0 outside of the stretch. start and stop are no
    constants of the program: it is compiled once for all stretches. `augment` maps a key, a function of `seed`
    and the number of the step, and the inputs (m, i) to other inputs. `state` is donated.
    """

    def body(k, carry):
        state, losses = carry
        inputs, labels = _batch(dataset, batches, k, state.step, augment, seed)
        state, value = _step(state, inputs, labels, loss, optimizer)
        return state, losses.at[k].set(value)

    losses = jnp.zeros(len(dataset.labels if batches is None else batches), state.params[-1].biases.dtype)
    return jax.lax.fori_loop(start, stop, body, (state, losses))


def _batch(dataset: Dataset, batches: jax.Array | None, k, step, augment: Augmentation, seed):
    """Inputs and labels of the k-th batch of a part of an epoch, augmented as for this step."""
    inputs, labels = map(jnp.asarray, dataset)
    if batches is None:
        inputs, labels = inputs[k], labels[k]
    else:
        # The numbers come from a permutation, so no bounds need to be kept.
        inputs, labels = (array.at[batches[k]].get(mode="promise_in_bounds") for array in (inputs, labels))
    return augment(jax.random.fold_in(jax.random.key(seed), step), inputs), labels


def fit(
    params: Params,
    train: Dataset,
    test: Dataset,
    *,
    epochs: int = 3,
    batch_size: int = 8,
    optimizer: str = "sgd",
    learning_rate: float = 0.1,
    schedule: str = "cosine",
    hidden: str = "relu",
    output: str = "softmax",
    loss: str = "squared-error",
    seed: int = 0,
    augment: str = "none",
    validation: Dataset | None = None,
    mesh: Mesh | None = None,
    start: Progress | None = None,
    watch: Callable[[Progress], bool] | None = None,
) -> Iterator[Epoch]:
    """Train, and yield an `Epoch` after each epoch; stop iterating to stop training.

    The same arguments give the same parameters, bit for bit, on the same devices. What is yielded may be kept:
    the next epoch does not consume it. Memory-mapped inputs are read as they are needed. `augment` distorts the
    training images, `validation` is measured beside `test`. With a `mesh` (`devices.make_mesh`) all of its devices
    share the work, else JAX's default device does it; several processes call `fit` alike. With `start` training
    goes on from there, and `params` give the shapes alone. `watch` is called several times a second, after each
    stretch of steps but an epoch's last; it ends the training by returning True, in all processes, and copies what
    it keeps, since the next step consumes its state.

    Raises ValueError for zero epochs, a batch larger than the data, or one that the devices cannot share, sizes of
    network and data that do not fit, and unknown names; FloatingPointError once a loss is NaN or infinite, with the
    step, the largest entry of the gradient before it and what to try.
    """
    mesh = mesh or make_mesh()
    steps = count_steps(len(train.labels), batch_size)
    _check_counts(epochs, steps, batch_size, mesh)
    measured = (test,) if validation is None else (test, validation)
    for dataset in (train, *measured):
        check_examples(params, dataset)
    network = {"hidden": hidden, "output": output, "loss": loss}
    rule = make_optimizer(optimizer, learning_rate, schedule, steps * epochs)
    program = {
        "loss": make_loss(**network),
        "optimizer": rule,
        "augment": choose(AUGMENTATIONS, augment, "augmentation"),
        "seed": np.uint32(seed % 2**32),
    }
    train = train if is_streamed(train) else on_devices(train, mesh)
    measured = [on_devices(dataset, mesh) for dataset in measured]
    state, loss_sum = start or Progress(init_state(params, rule))
    state = place_state(state, mesh)

    seconds, trained = 0.0, 0
    begun = int(state.step)
    pieces = parts(train, mesh, seed=seed, batch_size=batch_size, begun=begun, epochs=epochs)
    for stretch in _stretches(state, pieces, steps, program):
        # One by one and not pairwise, so that the sum does not depend on the stretches.
        loss_sum = float(np.add.accumulate([loss_sum, *stretch.losses])[-1])
        seconds, trained = seconds + stretch.seconds, trained + len(stretch.losses)
        if stretch.done < steps:
            if watch is not None and watch(Progress(stretch.state, loss_sum)):
                return
            continue
        results = [loss_and_accuracy(stretch.state.params, dataset, **network) for dataset in measured]
        values = [float(value) for pair in results for value in pair]
        if not np.isfinite(values).all():
            raise _divergence(stretch.before, stretch.part, stretch.done, steps, program)
        yield Epoch(
            number=stretch.part.epoch,
            state=stretch.state,
            train_loss=loss_sum / steps,
            seconds=seconds,
            examples_per_second=trained * batch_size / seconds,
            **dict(zip(MEASURED, values, strict=False)),
        )
        loss_sum, seconds, trained = 0.0, 0.0, 0


class _Stretch(NamedTuple):
    """Steps of an epoch that were computed between two looks at it."""

    part: Part  # to which they belong
    before: TrainState  # when the part began
    state: TrainState  # after them
    done: int  # steps of the epoch by then
    losses: np.ndarray  # float64, of each of them
    seconds: float


def _stretches(state: TrainState, pieces: Iterator[Part], steps: int, program: dict[str, Any]) -> Iterator[_Stretch]:
    """Train on one part of an epoch of `steps` steps after the other, for STRETCH_SECONDS between two yields.

    The state that is yielded last of a part stays as it is; the others are consumed by the steps that follow.
    """
    length, started = 64, time.perf_counter()
    for part in pieces:
        before, state = state, _copy(state)
        done = int(before.step) - (part.epoch - 1) * steps
        while done < part.stop:
            here = slice(done - part.first, min(done + length, part.stop) - part.first)
            state, losses = train_steps(state, part.dataset, part.batches, here.start, here.stop, **program)
            losses = np.asarray(losses, np.float64)[here]  # waits for the device
            seconds = time.perf_counter() - started
            if not np.isfinite(losses).all():
                raise _divergence(before, part, done + int(np.isfinite(losses).argmin()), steps, program)
            (length,) = agree(max(1, min(8 * length, int(len(losses) * STRETCH_SECONDS / seconds))))
            done += len(losses)
            yield _Stretch(part, before, state, done, losses, seconds)
            started = time.perf_counter()


def _check_counts(epochs: int, steps: int, batch_size: int, mesh: Mesh) -> None:
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; at least 1 is needed")
    if steps * epochs >= 2**31:
        raise ValueError(f"{epochs:,} epochs are {steps * epochs:,} steps; they are counted up to {2**31 - 1:,}")
    if batch_size % mesh.shape["batch"]:
        raise ValueError(f"a batch of {batch_size} cannot be split evenly over {mesh.shape['batch']} devices")


def _divergence(before: TrainState, part: Part, done: int, steps: int, program: dict[str, Any]) -> FloatingPointError:
    """What to say of a loss that is no finite number when `done` steps of an epoch of `steps` are done.

    The last of them is reached again from `before`, the state when the part began.
    """
    begun = int(before.step) - (part.epoch - 1) * steps
    last = max(done - 1, begun) - part.first
    state, _ = train_steps(_copy(before), part.dataset, part.batches, begun - part.first, last, **program)
    inputs, labels = _batch(part.dataset, part.batches, last, state.step, program["augment"], program["seed"])
    gradients = jax.grad(program["loss"])(state.params, scale_pixels(inputs), one_hot(state.params, labels))
    sizes = {
        f"{name} of layer {number}": float(jnp.abs(leaf).max())
        for number, layer in enumerate(gradients, start=1)
        for name, leaf in layer._asdict().items()
    }
    place = max(sizes, key=lambda name: np.nan_to_num(sizes[name], nan=np.inf))
    return FloatingPointError(
        f"the loss is infinite or NaN after step {(part.epoch - 1) * steps + done:,}; the largest entry of the last "
        f"gradient is {sizes[place]:.3g}, in the {place}; try a lower learning rate, "
        "another initialisation or another optimiser"
    )
