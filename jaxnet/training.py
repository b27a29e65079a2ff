"""Training: a step, a stretch of steps as one XLA program, and `fit`, which yields after each epoch.

`fit` can be looked at after each stretch and goes on from any step; what comes out is the same, bit for bit.
m examples in a batch, n in the whole set, i inputs, o outputs. State goes in and comes out; nothing is hidden.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxnet.data import CLASSES, Dataset
from jaxnet.losses import LOSSES, network_loss
from jaxnet.network import Params, choose, forward
from jaxnet.network import logits as network_logits

LossFunction: TypeAlias = Callable[[Params, jax.Array, jax.Array], jax.Array]

STRETCH_SECONDS = 0.15  # between two looks at a running epoch

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


PROBABILITIES = ("softmax", "sigmoid")  # outputs that are probabilities of the classes


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
    return choose(OPTIMIZERS, name, "optimiser")(choose(SCHEDULES, schedule, "schedule")(learning_rate, steps))


def learning_rate_at(step: int, learning_rate: float, schedule: str = "constant", steps: int = 1) -> float:
    """The learning rate of the step that `step` others come before, under a schedule over `steps` steps."""
    rate = choose(SCHEDULES, schedule, "schedule")(learning_rate, steps)
    return float(cast(float, rate(step) if callable(rate) else rate))


def init_state(params: Params, optimizer: optax.GradientTransformation) -> TrainState:
    """The state before the first step. The parameters are copied, since each step consumes its state."""
    params = jax.tree.map(jnp.copy, params)
    return TrainState(params, optimizer.init(params), jnp.zeros((), jnp.int32))


def scale_pixels(inputs: jax.Array) -> jax.Array:
    """uint8 pixels as float32 from 0 to 1; inputs that are floats already stay as they are."""
    return inputs.astype(jnp.float32) / 255 if inputs.dtype == jnp.uint8 else inputs


def _step(state: TrainState, inputs: jax.Array, labels: jax.Array, loss: LossFunction, optimizer):
    """One step of gradient descent; labels (m,) become one-hot targets (m, o)."""
    params, optimizer_state, step = state
    targets = jax.nn.one_hot(labels, len(params[-1].biases), dtype=params[-1].biases.dtype)
    value, gradients = jax.value_and_grad(loss)(params, scale_pixels(inputs), targets)
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


@partial(jax.jit, static_argnames=("loss", "optimizer"), donate_argnames="state")
def train_steps(
    state: TrainState,
    dataset: Dataset,
    batches: jax.Array,
    start: int,
    stop: int,
    *,
    loss: LossFunction,
    optimizer: optax.GradientTransformation,
) -> tuple[TrainState, jax.Array]:
    """Steps start … stop − 1 of an epoch as one XLA program: the next state and the loss of each step.

    batches (steps, m) holds the examples' numbers, row by row; the losses are (steps,), 0 outside of the
    stretch. start and stop are no constants of the program: it is compiled once for all stretches.
    `state` is donated.
    """

    def body(k, carry):
        state, losses = carry
        # The numbers come from a permutation, so no bounds need to be kept.
        inputs, labels = (jnp.asarray(array).at[batches[k]].get(mode="promise_in_bounds") for array in dataset)
        state, value = _step(state, inputs, labels, loss, optimizer)
        return state, losses.at[k].set(value)

    losses = jnp.zeros(len(batches), state.params[-1].biases.dtype)
    return jax.lax.fori_loop(start, stop, body, (state, losses))


def epoch_batches(seed: int, epoch: int, examples: int, batch_size: int) -> np.ndarray:
    """The examples' numbers of each batch of an epoch: (steps, m) int32.

    A function of its arguments alone. Each example is used at most once; what does not fill a batch sits out,
    other examples in each epoch. Raises ValueError if not even one batch can be filled.
    """
    if not 1 <= batch_size <= examples:
        raise ValueError(f"batch size is {batch_size}, but there are {examples} examples")
    steps = examples // batch_size
    return _order(seed, epoch, examples)[: steps * batch_size].reshape(steps, batch_size)


def split_validation(train: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """The training set without a random `fraction` of its examples, and these as a validation set.

    A function of its arguments alone. Raises ValueError unless each of the two gets an example.
    """
    examples = len(train.labels)
    count = round(fraction * examples) if 0 < fraction < 1 else 0
    if not 0 < count < examples:
        raise ValueError(f"validation is {fraction}; a share between 0 and 1 of the {examples} examples is needed")
    held_out = np.zeros(examples, bool)
    held_out[_order(seed, 0, examples)[:count]] = True  # epochs count from 1: this is the order of none
    return Dataset(*(array[~held_out] for array in train)), Dataset(*(array[held_out] for array in train))


def _order(seed: int, epoch: int, examples: int) -> np.ndarray:
    if seed < 0:
        raise ValueError(f"seed is {seed}; 0 or more is needed")
    return np.random.default_rng((seed, epoch)).permutation(examples).astype(np.int32)


@partial(jax.jit, static_argnames=("hidden", "output", "loss"))
def evaluate(
    params: Params,
    dataset: Dataset,
    *,
    hidden: str = "relu",
    output: str = "softmax",
    loss: str = "squared-error",
) -> tuple[jax.Array, jax.Array]:
    """Mean loss and accuracy (a fraction) on a whole set. The prediction is the class with the largest score."""
    inputs, labels = scale_pixels(jnp.asarray(dataset.inputs)), dataset.labels
    targets = jax.nn.one_hot(labels, len(params[-1].biases), dtype=params[-1].biases.dtype)
    scores = network_logits(params, inputs, hidden)
    value = choose(LOSSES, loss, "loss")(scores, targets, output)
    return value, jnp.mean(scores.argmax(axis=-1) == labels)


@partial(jax.jit, static_argnames=("hidden", "output"))
def predict(params: Params, inputs: jax.Array, *, hidden: str = "relu", output: str = "softmax") -> jax.Array:
    """The network's prediction ŷ for inputs as the data has them, uint8 pixels or floats: (m, i) → (m, o)."""
    return forward(params, scale_pixels(jnp.asarray(inputs)), hidden, output)


def show_prediction(value: float, output: str) -> str:
    """A prediction ŷ for the eye: in per cent where the output activation makes it a probability."""
    return f"{100 * value:.1f} %" if output in PROBABILITIES else f"{value:.3f}"


def confusion_matrix(labels: np.ndarray, guesses: np.ndarray) -> np.ndarray:
    """How many examples of each class, its row, were taken for each class, its column: (CLASSES, CLASSES)."""
    pairs = np.asarray(labels, np.int64) * CLASSES + np.asarray(guesses)
    return np.bincount(pairs, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)


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
    validation: Dataset | None = None,
    start: Progress | None = None,
    watch: Callable[[Progress], bool] | None = None,
) -> Iterator[Epoch]:
    """Train, and yield an `Epoch` after each epoch; stop iterating to stop training.

    The same arguments give the same parameters, bit for bit, on the same device. What is yielded may be kept:
    the next epoch does not consume it. With `start` training goes on from there, and `params` give the shapes
    alone. `watch` is called several times a second, after each stretch of steps but an epoch's last; it ends
    the training by returning True, and copies what it keeps, since the next step consumes its state.

    Raises ValueError for zero epochs, a batch larger than the data, sizes of network and data that do not fit,
    and unknown names; FloatingPointError once a loss is NaN or infinite, with the step, the largest entry of
    the gradient before it and what to try.
    """
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; at least 1 is needed")
    if params[0].weights.shape[1] != train.inputs.shape[1]:
        raise ValueError(
            f"the network takes {params[0].weights.shape[1]} inputs, but an example has {train.inputs.shape[1]}"
        )
    examples = len(train.labels)
    steps = len(epoch_batches(seed, 0, examples, batch_size))
    if steps * epochs >= 2**31:
        raise ValueError(f"{epochs:,} epochs are {steps * epochs:,} steps; they are counted up to {2**31 - 1:,}")
    rule = make_optimizer(optimizer, learning_rate, schedule, steps * epochs)
    network = {"hidden": hidden, "output": output, "loss": loss}
    train, test, validation = jax.device_put((train, test, validation))
    loss_function = make_loss(**network)
    take_steps = partial(train_steps, loss=loss_function, optimizer=rule)
    kept, loss_sum = start or Progress(init_state(params, rule))
    state = jax.tree.map(jnp.copy, kept)  # the steps consume it; `kept` stays as it was when the epoch began
    stretch = 64  # steps; soon as many as take STRETCH_SECONDS
    for epoch in range(int(state.step) // steps + 1, epochs + 1):
        started = time.perf_counter()
        batches = jax.device_put(epoch_batches(seed, epoch, examples, batch_size))
        begun = done = int(state.step) % steps
        seconds = 0.0
        while done < steps:
            stop = min(done + stretch, steps)
            state, losses = take_steps(state, train, batches, done, stop)
            losses = np.asarray(losses, np.float64)[done:stop]  # waits for the device
            took = time.perf_counter() - started
            seconds += took
            if not np.isfinite(losses).all():
                done += int(np.isfinite(losses).argmin())
                raise _divergence(kept, train, batches, begun, done, take_steps, loss_function)
            # One by one and not pairwise, so that the sum does not depend on the stretches.
            loss_sum = float(np.add.accumulate([loss_sum, *losses])[-1])
            stretch = max(1, min(8 * stretch, int((stop - done) * STRETCH_SECONDS / took)))
            done = stop
            if done < steps and watch is not None and watch(Progress(state, loss_sum)):
                return
            started = time.perf_counter()
        test_loss, test_accuracy = map(float, evaluate(state.params, test, **network))
        validated = evaluate(state.params, validation, **network) if validation is not None else ()
        validation_loss, validation_accuracy = map(float, validated) if validated else (None, None)
        if not np.isfinite([test_loss, validation_loss or 0.0]).all():
            raise _divergence(kept, train, batches, begun, steps, take_steps, loss_function)
        kept = jax.tree.map(jnp.copy, state)
        yield Epoch(
            number=epoch,
            state=kept,
            train_loss=loss_sum / steps,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            seconds=seconds,
            examples_per_second=(steps - begun) * batch_size / seconds,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
        )
        loss_sum = 0.0


def _divergence(
    kept: TrainState,
    train: Dataset,
    batches: jax.Array,
    begun: int,
    done: int,
    take_steps: Callable[..., tuple[TrainState, jax.Array]],
    loss: LossFunction,
) -> FloatingPointError:
    """What to say of a loss that is no finite number when `done` steps of the epoch are done.

    The last of them is reached again from `kept`, the state when `begun` steps were done.
    """
    last = max(done - 1, begun)
    state, _ = take_steps(jax.tree.map(jnp.copy, kept), train, batches, begun, last)
    inputs, labels = (jnp.asarray(array)[batches[last]] for array in train)
    targets = jax.nn.one_hot(labels, len(state.params[-1].biases), dtype=state.params[-1].biases.dtype)
    gradients = jax.grad(loss)(state.params, scale_pixels(inputs), targets)
    sizes = {
        f"{name} of layer {number}": float(jnp.abs(leaf).max())
        for number, layer in enumerate(gradients, start=1)
        for name, leaf in layer._asdict().items()
    }
    place = max(sizes, key=lambda name: np.nan_to_num(sizes[name], nan=np.inf))
    return FloatingPointError(
        f"the loss is infinite or NaN after step {int(kept.step) + done - begun:,}; the largest entry of the last "
        f"gradient is {sizes[place]:.3g}, in the {place}; try a lower learning rate, "
        "another initialisation or another optimiser"
    )
