import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxnet
from jaxnet import backprop, training
from jaxnet.batches import epoch_batches, split_validation
from jaxnet.data import Dataset
from jaxnet.evaluation import confusion_matrix


@pytest.fixture(scope="module")
def small(mnist):
    """The first 2,000 training and 500 test images."""
    train, test = mnist
    return Dataset(train.inputs[:2000], train.labels[:2000]), Dataset(test.inputs[:500], test.labels[:500])


def all_equal(first, second):
    return jax.tree.all(jax.tree.map(jnp.array_equal, first, second))


@pytest.mark.usefixtures("device")
def test_a_step_equals_an_update_written_out(small):
    images, labels = small[0].inputs[:8], small[0].labels[:8]
    params = jaxnet.init_params(0, (784, 10, 10))
    gradients = backprop.backward(jax.tree.map(np.float64, params), images / 255, np.eye(10)[labels])
    expected = [(W - 0.5 * DW, b - 0.5 * Db) for (W, b), (DW, Db) in zip(params, gradients, strict=True)]

    optimizer = optax.sgd(0.5)
    state = jaxnet.init_state(params, optimizer)
    state, _ = jaxnet.train_step(state, images, labels, loss=jaxnet.make_loss(), optimizer=optimizer)
    assert state.step == 1
    for given, wanted in zip(jax.tree.leaves(state.params), jax.tree.leaves(expected), strict=True):
        assert given.dtype == jnp.float32
        np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("name", training.OPTIMIZERS)
@pytest.mark.usefixtures("device")
def test_stretches_equal_single_steps(small, name):
    train = jax.device_put(small[0])
    loss, optimizer = jaxnet.make_loss(), jaxnet.make_optimizer(name, 0.01, "cosine", 12)
    batches = epoch_batches(0, 1, 96, 8)
    params = jaxnet.init_params(0, (784, 10, 10))

    one_by_one, values = jaxnet.init_state(params, optimizer), []
    for batch in batches:
        inputs, labels = small[0].inputs[batch], small[0].labels[batch]
        one_by_one, value = jaxnet.train_step(one_by_one, inputs, labels, loss=loss, optimizer=optimizer)
        values.append(value)
    at_once, losses = jaxnet.train_steps(
        jaxnet.init_state(params, optimizer), train, batches, 0, 12, loss=loss, optimizer=optimizer
    )
    in_two, first = jaxnet.train_steps(
        jaxnet.init_state(params, optimizer), train, batches, 0, 5, loss=loss, optimizer=optimizer
    )
    in_two, last = jaxnet.train_steps(in_two, train, batches, 5, 12, loss=loss, optimizer=optimizer)

    assert all_equal(at_once, in_two)
    np.testing.assert_array_equal(losses, first + last)
    np.testing.assert_allclose(losses, values, rtol=1e-5)
    for given, wanted in zip(jax.tree.leaves(at_once), jax.tree.leaves(one_by_one), strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("device")
def test_two_runs_with_one_seed_are_equal_bit_for_bit(small):
    def run(seed):
        params = jaxnet.init_params(seed, (784, 10, 10))
        return [epoch.params for epoch in jaxnet.fit(params, *small, epochs=2, seed=seed)]

    first, again, other = run(0), run(0), run(1)
    assert all_equal(first, again)
    assert not all_equal(first, other)


def test_what_is_yielded_may_be_kept(small):
    params = jaxnet.init_params(0, (784, 10, 10))
    epochs = list(jaxnet.fit(params, *small, epochs=3))
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert [int(epoch.state.step) for epoch in epochs] == [250, 500, 750]
    assert epochs[0].train_loss > epochs[-1].train_loss
    for epoch in epochs:
        loss, accuracy = jaxnet.evaluate(epoch.params, small[1])
        assert (float(loss), float(accuracy)) == (epoch.test_loss, epoch.test_accuracy)


@pytest.mark.parametrize(("examples", "batch_size"), [(100, 8), (96, 8), (5, 5), (7, 1)])
def test_the_order_of_an_epoch(examples, batch_size):
    batches = epoch_batches(3, 1, examples, batch_size)
    assert batches.shape == (examples // batch_size, batch_size)
    assert len(set(batches.ravel().tolist())) == batches.size
    assert 0 <= batches.min() <= batches.max() < examples
    np.testing.assert_array_equal(batches, epoch_batches(3, 1, examples, batch_size))
    if examples > 5:
        assert not np.array_equal(batches, epoch_batches(3, 2, examples, batch_size))
        assert not np.array_equal(batches, epoch_batches(4, 1, examples, batch_size))


def test_a_run_compiles_one_program(small):
    training.train_steps.clear_cache()
    for _ in jaxnet.fit(jaxnet.init_params(0, (784, 10, 10)), *small, epochs=3):
        assert training.train_steps._cache_size() == 1


def test_evaluate_counts(small):
    params = jaxnet.init_params(0, (784, 10, 10))
    _, test = small
    Y_hat = backprop.forward(jax.tree.map(np.asarray, params), test.inputs / 255)[2]
    loss, accuracy = jaxnet.evaluate(params, test)
    assert accuracy == pytest.approx((Y_hat.argmax(axis=1) == test.labels).mean())
    assert loss == pytest.approx(0.5 * ((Y_hat - np.eye(10)[test.labels]) ** 2).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [("constant", [1, 1, 1, 1]), ("cosine", [1, 0.5, 0.5 - 0.125**0.5, 0]), ("step", [1, 0.1, 0.01, 0.01])],
)
def test_schedules(schedule, shares):
    optimizer = jaxnet.make_optimizer("sgd", 0.5, schedule, 100)
    state = optimizer.init(jnp.zeros(()))
    updates, step = [], jax.jit(optimizer.update)
    for _ in range(101):
        update, state = step(jnp.ones(()), state)
        updates.append(-update / 0.5)
    np.testing.assert_allclose([updates[step] for step in (0, 50, 75, 100)], shares, atol=1e-6)


@pytest.mark.parametrize("stretch_seconds", [1e-9, 1e9])
def test_fit_goes_on_from_any_stretch(small, stretch_seconds, monkeypatch):
    monkeypatch.setattr(training, "STRETCH_SECONDS", stretch_seconds)
    settings = {"epochs": 2, "batch_size": 20, "optimizer": "adam", "learning_rate": 0.01}
    params = jaxnet.init_params(0, (784, 10, 10))
    whole = list(jaxnet.fit(params, *small, **settings))
    kept, epochs = [], []

    def stop_often(progress):
        kept[:] = [jax.tree.map(np.asarray, progress.state), progress.loss_sum]
        return len(epochs) == 0 or int(progress.state.step) % 7 == 0

    start = None
    while len(epochs) < 2:
        for epoch in jaxnet.fit(params, *small, **settings, start=start, watch=stop_often):
            epochs.append(epoch)
            kept[:] = [epoch.state, 0.0]
        start = training.Progress(*kept)
    for given, wanted in zip(epochs, whole, strict=True):
        assert given.train_loss == wanted.train_loss
        assert all_equal(given.state, wanted.state)


def test_divergence_is_explained(small):
    rate, sizes = 0.15, (784, 10)
    with pytest.raises(FloatingPointError) as caught:
        list(jaxnet.fit(jaxnet.init_params(0, sizes), *small, learning_rate=rate, output="identity", batch_size=2))
    step = int(re.search(r"after step ([\d,]+)", str(caught.value))[1].replace(",", ""))
    largest, name = re.search(
        r"largest entry of the last gradient is (\S+), in the (\w+) of layer 1", str(caught.value)
    ).groups()

    loss = jaxnet.make_loss(output="identity")
    optimizer = jaxnet.make_optimizer("sgd", rate, "cosine", 3000)
    state = jaxnet.init_state(jaxnet.init_params(0, sizes), optimizer)
    batches = epoch_batches(0, 1, 2000, 2)
    assert step < 100
    for batch in batches[: step - 1]:
        state, value = jaxnet.train_step(
            state, small[0].inputs[batch], small[0].labels[batch], loss=loss, optimizer=optimizer
        )
        assert np.isfinite(value)
    images, labels = small[0].inputs[batches[step - 1]] / np.float32(255), small[0].labels[batches[step - 1]]
    gradient = jax.grad(loss)(state.params, images, jax.nn.one_hot(labels, 10))[0]
    assert float(largest) == pytest.approx(float(jnp.abs(getattr(gradient, name)).max()), rel=0.2)


def test_validation_is_split_off(small):
    train, validation = split_validation(small[0], 0.1, 5)
    assert (len(train.labels), len(validation.labels)) == (1800, 200)
    rows = lambda *sets: sorted(  # noqa: E731
        bytes(row) + bytes([label]) for set_ in sets for row, label in zip(*set_, strict=True)
    )
    assert rows(train, validation) == rows(small[0])
    again = split_validation(small[0], 0.1, 5)[1]
    np.testing.assert_array_equal(validation.inputs, again.inputs)
    assert not np.array_equal(validation.inputs, split_validation(small[0], 0.1, 6)[1].inputs)
    for epoch in jaxnet.fit(jaxnet.init_params(0, (784, 10)), train, small[1], epochs=1, validation=validation):
        loss, accuracy = jaxnet.evaluate(epoch.params, validation)
        assert (epoch.validation_loss, epoch.validation_accuracy) == (float(loss), float(accuracy))
    for share in (0, 1, -0.5, 1e-9, 1 - 1e-9, float("nan")):
        with pytest.raises(ValueError, match="validation is"):
            split_validation(small[0], share, 0)


def test_confusion_matrix_counts():
    labels, guesses = np.array([0, 0, 1, 9], np.uint8), np.array([0, 2, 1, 9])
    matrix = confusion_matrix(labels, guesses, 11)
    assert matrix.shape == (11, 11)
    assert {(int(r), int(c)): int(matrix[r, c]) for r, c in np.argwhere(matrix)} == {
        (0, 0): 1, (0, 2): 1, (1, 1): 1, (9, 9): 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 2001}, "batch size is 2001, but there are 2000 examples"),
        ({"batch_size": 0}, "batch size is 0"),
        ({"learning_rate": -0.1}, "learning rate is -0.1"),
        ({"learning_rate": float("nan")}, "learning rate is nan"),
        ({"optimizer": "rmsprop"}, "unknown optimiser 'rmsprop'"),
        ({"schedule": "linear"}, "unknown schedule 'linear'"),
        ({"hidden": "gelu"}, "unknown activation 'gelu'"),
        ({"loss": "hinge"}, "unknown loss 'hinge'"),
        ({"seed": -1}, "seed is -1"),
        ({"epochs": 10**8}, "25,000,000,000 steps"),
    ],
)
def test_wrong_settings(small, settings, message):
    with pytest.raises(ValueError, match=message):
        next(jaxnet.fit(jaxnet.init_params(0, (784, 10, 10)), *small, **settings))


def test_network_and_data_of_different_sizes(small):
    with pytest.raises(ValueError, match="takes 100 inputs, but an example has 784"):
        next(jaxnet.fit(jaxnet.init_params(0, (100, 10)), *small))
    with pytest.raises(ValueError, match="takes 100 inputs, but an example has 784"):
        jaxnet.evaluate(jaxnet.init_params(0, (100, 10)), small[1])


def test_labels_that_the_network_has_no_outputs_for(small):
    train, test = small
    params = jaxnet.init_params(0, (784, 9))
    lower, message = [dataset.labels < 9 for dataset in small], "has the classes 0 to 8, but an example has label 9"
    fitting = [Dataset(dataset.inputs[rows], dataset.labels[rows]) for dataset, rows in zip(small, lower, strict=True)]
    for sets in ((train, fitting[1]), (fitting[0], test)):
        with pytest.raises(ValueError, match=message):
            next(jaxnet.fit(params, *sets))
    with pytest.raises(ValueError, match=message):
        next(jaxnet.fit(params, *fitting, validation=test))
    with pytest.raises(ValueError, match=message):
        jaxnet.evaluate(params, test)
    assert next(jaxnet.fit(params, *fitting)).test_accuracy > 0.5
