"""Each epoch takes each example at most once, in an order that depends on nothing but seed and epoch; and examples that
are read from a file as they are needed train the same network as examples in memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnet
from jaxnet import batches, training
from jaxnet.batches import BLOCK, window_batches
from jaxnet.data import Dataset


def whole_epoch(seed, epoch, examples, batch_size, length):
    steps = examples // batch_size
    return [
        window_batches(seed, epoch, examples, batch_size, first, min(first + length, steps))
        for first in range(0, steps, length)
    ]


@pytest.mark.parametrize(("examples", "batch_size", "length"), [(1000, 8, 20), (1000, 7, 1000), (64, 64, 1), (5, 2, 1)])
def test_windows_take_each_example_at_most_once(examples, batch_size, length):
    rows = np.concatenate(whole_epoch(3, 1, examples, batch_size, length))
    assert rows.shape == (examples // batch_size, batch_size)
    assert len(np.unique(rows)) == rows.size
    assert 0 <= rows.min() <= rows.max() < examples
    np.testing.assert_array_equal(rows, np.concatenate(whole_epoch(3, 1, examples, batch_size, length)))
    if examples > 5:
        assert not np.array_equal(rows, np.concatenate(whole_epoch(3, 2, examples, batch_size, length)))
        assert not np.array_equal(rows, np.concatenate(whole_epoch(4, 1, examples, batch_size, length)))


def test_each_example_sits_out_at_times():
    seen = [np.unique(np.concatenate(whole_epoch(0, epoch, 1000, 300, 1))) for epoch in range(1, 30)]
    assert all(len(rows) == 900 for rows in seen)
    assert len(np.unique(np.concatenate(seen))) == 1000
    counts = np.bincount(np.concatenate(seen), minlength=1000)
    assert counts.max() <= 29
    assert counts.min() >= 15


def test_a_window_reads_whole_blocks_from_all_over_the_file_and_shuffles_them():
    examples, length = 100 * BLOCK, 20
    for rows in whole_epoch(0, 1, examples, BLOCK, length):
        at_sides = np.isin(rows.ravel() + 1, rows) | (rows.ravel() == examples - 1)
        assert at_sides.mean() > 1 - 2 / BLOCK  # all but the last of a block have their neighbour in the window
        assert np.ptp(rows) > examples / 2
        assert np.abs(np.corrcoef(rows.ravel()[:-1], rows.ravel()[1:])[0, 1]) < 0.1


@pytest.fixture(scope="module")
def in_file(mnist, tmp_path_factory):
    """1,500 training images, memory-mapped, sorted by class as such files may be, and 500 test images."""
    train, test = mnist
    order = train.labels[:1500].argsort()
    path = tmp_path_factory.mktemp("data") / "x_train.npy"
    np.save(path, train.inputs[order])
    return (
        Dataset(np.load(path, mmap_mode="r"), train.labels[order]),
        Dataset(test.inputs[:500], test.labels[:500]),
    )


SETTINGS = {"epochs": 2, "batch_size": 20, "optimizer": "adam", "learning_rate": 0.01, "seed": 5}


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("window_steps", [7, 75])
def test_examples_from_a_file_train_as_those_in_memory(in_file, window_steps, monkeypatch):
    monkeypatch.setattr(batches, "WINDOW_BYTES", window_steps * 20 * 784)
    train, test = in_file
    params = jaxnet.init_params(0, (784, 10, 10))
    streamed = list(jaxnet.fit(params, train, test, **SETTINGS))

    loss, optimizer = jaxnet.make_loss(), jaxnet.make_optimizer("adam", 0.01, "cosine", 150)
    state = jaxnet.init_state(params, optimizer)
    for epoch in streamed:
        rows = np.concatenate(whole_epoch(5, epoch.number, 1500, 20, window_steps))
        state, losses = jaxnet.train_steps(
            state, Dataset(np.array(train.inputs), train.labels), rows, 0, 75, loss=loss, optimizer=optimizer
        )
        np.testing.assert_allclose(epoch.train_loss, losses.mean(), rtol=1e-5)
        for given, wanted in zip(jax.tree.leaves(epoch.params), jax.tree.leaves(state.params), strict=True):
            np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("augment", ["none", "elastic"])
def test_streaming_goes_on_from_any_stretch(in_file, augment, monkeypatch):
    monkeypatch.setattr(batches, "WINDOW_BYTES", 10 * 20 * 784)
    settings = SETTINGS | {"augment": augment}
    params = jaxnet.init_params(0, (784, 10, 10))
    whole = list(jaxnet.fit(params, *in_file, **settings))
    for stop in (1, 10, 33, 74):  # within the first window, between two, in another, in the last
        monkeypatch.setattr(training, "STRETCH_SECONDS", 1e-9)
        kept = []

        def watch(progress, stop=stop, kept=kept):
            if int(progress.state.step) >= stop and not kept:
                kept.append(training.Progress(jax.tree.map(np.asarray, progress.state), progress.loss_sum))
            return bool(kept)

        assert not list(jaxnet.fit(params, *in_file, **settings, watch=watch))
        monkeypatch.setattr(training, "STRETCH_SECONDS", 1e9)
        for given, wanted in zip(jaxnet.fit(params, *in_file, **settings, start=kept[0]), whole, strict=True):
            assert given.train_loss == wanted.train_loss
            assert jax.tree.all(jax.tree.map(jnp.array_equal, given.state, wanted.state))


def test_augmented_runs_differ_from_plain_ones_and_equal_each_other(in_file):
    def run(augment, seed=0):
        params = jaxnet.init_params(0, (784, 10))
        return [epoch.train_loss for epoch in jaxnet.fit(params, *in_file, epochs=1, seed=seed, augment=augment)]

    assert run("elastic") == run("elastic")
    assert run("elastic") != run("none")
    with pytest.raises(ValueError, match="unknown augmentation 'cutout'"):
        run("cutout")


def test_divergence_of_streamed_and_distorted_data_is_explained(in_file, monkeypatch):
    monkeypatch.setattr(batches, "WINDOW_BYTES", 10 * 8 * 784)
    params = jaxnet.init_params(0, (784, 10))
    with pytest.raises(FloatingPointError, match=r"after step \d+; the largest entry .* of layer 1; try a lower"):
        list(jaxnet.fit(params, *in_file, learning_rate=3.0, output="identity", augment="elastic"))


def test_the_last_examples_of_a_file_are_held_out(in_file):
    train, validation = batches.split_validation(in_file[0], 0.1, 0)
    assert isinstance(train.inputs, np.memmap)
    assert not isinstance(validation.inputs, np.memmap)
    np.testing.assert_array_equal(np.concatenate([train.inputs, validation.inputs]), in_file[0].inputs)
    np.testing.assert_array_equal(np.concatenate([train.labels, validation.labels]), in_file[0].labels)
