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
from jaxnet.data import CLASSES, Dataset
from jaxnet.devices import agree, make_mesh, place_state
from jaxnet.losses import LOSSES, network_loss
from jaxnet.network import Params, choose, forward
from jaxnet.network import logits as network_logits

LossFunction: TypeAlias = Callable[[Params, jax.Array, jax.Array], jax.Array]
Augmentation: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]

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
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; at least 1 is needed")
    if params[0].weights.shape[1] != train.inputs.shape[1]:
        raise ValueError(
            f"the network takes {params[0].weights.shape[1]} inputs, but an example has {train.inputs.shape[1]}"
        )
    steps = count_steps(len(train.labels), batch_size)
    if steps * epochs >= 2**31:
        raise ValueError(f"{epochs:,} epochs are {steps * epochs:,} steps; they are counted up to {2**31 - 1:,}")
    mesh = mesh or make_mesh()
    if batch_size % mesh.shape["batch"]:
        raise ValueError(f"a batch of {batch_size} cannot be split evenly over {mesh.shape['batch']} devices")
    rule = make_optimizer(optimizer, learning_rate, schedule, steps * epochs)
    network = {"hidden": hidden, "output": output, "loss": loss}
    program = {
        "loss": make_loss(**network),
        "optimizer": rule,
        "augment": choose(AUGMENTATIONS, augment, "augmentation"),
        "seed": np.uint32(seed % 2**32),
    }
    train = train if is_streamed(train) else on_devices(train, mesh)
    test = on_devices(test, mesh)
    validation = on_devices(validation, mesh) if validation is not None else None
    kept, loss_sum = start or Progress(init_state(params, rule))
    kept = place_state(kept, mesh)
    stretch = 64  # steps; soon as many as take STRETCH_SECONDS
    seconds, trained, started = 0.0, 0, time.perf_counter()
    for part in parts(train, mesh, seed=seed, batch_size=batch_size, begun=int(kept.step), epochs=epochs):
        # The steps consume their state; `kept` stays as it was when the part began.
        state = jax.tree.map(jnp.copy, kept)
        begun = done = int(kept.step) - (part.epoch - 1) * steps
        while done < part.stop:
            here = slice(done - part.first, min(done + stretch, part.stop) - part.first)
            state, losses = train_steps(state, part.dataset, part.batches, here.start, here.stop, **program)
            losses = np.asarray(losses, np.float64)[here]  # waits for the device
            took = time.perf_counter() - started
            seconds += took
            if not np.isfinite(losses).all():
                raise _divergence(kept, part, begun, done + int(np.isfinite(losses).argmin()), program)
            # One by one and not pairwise, so that the sum does not depend on the stretches.
            loss_sum = float(np.add.accumulate([loss_sum, *losses])[-1])
            (stretch,) = agree(max(1, min(8 * stretch, int(len(losses) * STRETCH_SECONDS / took))))
            done += len(losses)
            if done < steps and watch is not None and watch(Progress(state, loss_sum)):
                return
            started = time.perf_counter()
        before, kept, trained = kept, state, trained + done - begun
        if done < steps:
            continue
        test_loss, test_accuracy = map(float, evaluate(state.params, test, **network))
        validated = evaluate(state.params, validation, **network) if validation is not None else ()
        validation_loss, validation_accuracy = map(float, validated) if validated else (None, None)
        if not np.isfinite([test_loss, validation_loss or 0.0]).all():
            raise _divergence(before, part, begun, done, program)
        yield Epoch(
            number=part.epoch,
            state=state,
            train_loss=loss_sum / steps,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            seconds=seconds,
            examples_per_second=trained * batch_size / seconds,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
        )
        loss_sum, seconds, trained, started = 0.0, 0.0, 0, time.perf_counter()


def _divergence(before: TrainState, part: Part, begun: int, done: int, program: dict[str, Any]) -> FloatingPointError:
    """What to say of a loss that is no finite number when `done` steps of the epoch are done.

    The last of them is reached again from `before`, the state when `begun` were.
    """
    last = max(done - 1, begun) - part.first
    state = jax.tree.map(jnp.copy, before)
    state, _ = train_steps(state, part.dataset, part.batches, begun - part.first, last, **program)
    inputs, labels = _batch(part.dataset, part.batches, last, state.step, program["augment"], program["seed"])
    targets = jax.nn.one_hot(labels, len(state.params[-1].biases), dtype=state.params[-1].biases.dtype)
    gradients = jax.grad(program["loss"])(state.params, scale_pixels(inputs), targets)
    sizes = {
        f"{name} of layer {number}": float(jnp.abs(leaf).max())
        for number, layer in enumerate(gradients, start=1)
        for name, leaf in layer._asdict().items()
    }
    place = max(sizes, key=lambda name: np.nan_to_num(sizes[name], nan=np.inf))
    return FloatingPointError(
        f"the loss is infinite or NaN after step {int(before.step) + done - begun:,}; the largest entry of the last "
        f"gradient is {sizes[place]:.3g}, in the {place}; try a lower learning rate, "
        "another initialisation or another optimiser"
    )
