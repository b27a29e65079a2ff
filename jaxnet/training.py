"""Training: a step, a stretch of steps as one XLA program, and `fit`, which yields after each epoch.

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

from jaxnet.data import Dataset
from jaxnet.losses import LOSSES, network_loss
from jaxnet.network import Params, choose
from jaxnet.network import logits as network_logits

LossFunction: TypeAlias = Callable[[Params, jax.Array, jax.Array], jax.Array]

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


class Epoch(NamedTuple):
    """What `fit` yields after each epoch. Losses are means over examples, accuracy is a fraction."""

    number: int  # from 1
    state: TrainState
    train_loss: float  # mean over the epoch's batches, each before its step
    test_loss: float
    test_accuracy: float
    seconds: float  # of the epoch's steps, without the evaluation
    examples_per_second: float

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
    order = np.random.default_rng((seed, epoch)).permutation(examples).astype(np.int32)
    steps = examples // batch_size
    return order[: steps * batch_size].reshape(steps, batch_size)


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
) -> Iterator[Epoch]:
    """Train, and yield an `Epoch` after each epoch; stop iterating to stop training.

    The same arguments give the same parameters, bit for bit, on the same device. What is yielded may be kept:
    the next epoch does not consume it. Raises ValueError for zero epochs, a batch larger than the data, sizes
    of network and data that do not fit, and unknown names.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; 0 or more is needed")
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; at least 1 is needed")
    if params[0].weights.shape[1] != train.inputs.shape[1]:
        raise ValueError(
            f"the network takes {params[0].weights.shape[1]} inputs, but an example has {train.inputs.shape[1]}"
        )
    steps = len(epoch_batches(seed, 0, len(train.labels), batch_size))
    rule = make_optimizer(optimizer, learning_rate, schedule, steps * epochs)
    network = {"hidden": hidden, "output": output, "loss": loss}
    loss_function = make_loss(**network)
    train, test = jax.device_put((train, test))
    state = init_state(params, rule)
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        batches = epoch_batches(seed, epoch, len(train.labels), batch_size)
        state, losses = train_steps(state, train, batches, 0, steps, loss=loss_function, optimizer=rule)
        train_loss = float(losses.mean())
        seconds = time.perf_counter() - started
        test_loss, test_accuracy = evaluate(state.params, test, **network)
        yield Epoch(
            number=epoch,
            state=jax.tree.map(jnp.copy, state),
            train_loss=train_loss,
            test_loss=float(test_loss),
            test_accuracy=float(test_accuracy),
            seconds=seconds,
            examples_per_second=batches.size / seconds,
        )
