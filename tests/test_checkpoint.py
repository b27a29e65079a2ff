"""A run that was stopped, killed or starved of disk goes on to the bits of one that was not; damage is refused."""

import errno
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxnet
from jaxnet import training
from jaxnet.batches import split_validation
from jaxnet.data import Dataset
from jaxnet.runs import checkpoint, keeper
from jaxnet.runs.folder import (
    CHECKPOINT,
    METRICS,
    PICTURES,
    RUN,
    create_run,
    new_record,
    read_metrics,
    read_run,
)
from jaxnet.runs.run import train_run
from jaxnet.runs.settings import Settings

SMALL = Settings(batch_size=2, optimizer="adam", learning_rate=0.01, epochs=3)
STOPPING_EARLY = SMALL._replace(epochs=20, validation=0.2, patience=2, learning_rate=0.005, seed=0)


@pytest.fixture(scope="module")
def small(mnist):
    """300 images to train and 100 to test: epochs of 150 steps."""
    train, test = mnist
    return Dataset(train.inputs[:300], train.labels[:300]), Dataset(test.inputs[:100], test.labels[:100])


@pytest.fixture
def short_stretches(monkeypatch):
    """Looks at the training after 64 steps, then after each step."""
    monkeypatch.setattr(training, "STRETCH_SECONDS", 1e-9)


def train(folder, settings, data, watch=None):
    """The run in this folder, from its beginning or from where it stands: its metrics."""
    record = None if Path(folder, RUN).exists() else new_record(settings, None, *data, "cpu")
    return list(train_run(settings, *data, folder, record=record, watch=watch))


def content(folder):
    """All that must be equal: the checkpoint's bytes, and the metrics without the times."""
    lines = [json.loads(line) for line in Path(folder, METRICS).read_text().splitlines()]
    times = ("seconds", "examples_per_second")
    return Path(folder, CHECKPOINT).read_bytes(), [{k: v for k, v in m.items() if k not in times} for m in lines]


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """Folders of uninterrupted runs."""
    folders = {}
    for settings in (SMALL, STOPPING_EARLY):
        folders[settings] = tmp_path_factory.mktemp("whole") / "run"
        train(folders[settings], settings, small)
    return folders


@pytest.fixture
def copy(whole, tmp_path):
    """A finished run to be damaged."""
    for name in (RUN, METRICS, CHECKPOINT):
        (tmp_path / name).write_bytes((whole[SMALL] / name).read_bytes())
    return tmp_path


def all_equal(first, second):
    return jax.tree.structure(first) == jax.tree.structure(second) and jax.tree.all(
        jax.tree.map(lambda a, b: a.dtype == b.dtype and np.array_equal(a, b), first, second)
    )


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
@pytest.mark.parametrize("sizes", [(784, 10), (5, 3, 4, 10)])
def test_what_is_saved_is_what_is_read(optimizer, sizes, tmp_path):
    settings = Settings(sizes=sizes, optimizer=optimizer, seed=7)
    params = jaxnet.init_params(7, sizes)
    state = jaxnet.init_state(params, jaxnet.make_optimizer(optimizer, 0.1, "cosine", 9))._replace(step=np.int32(4))
    saved = checkpoint.Checkpoint(settings, training.Progress(state, 0.1 + 0.2), params)
    checkpoint.save_checkpoint(tmp_path, saved)
    read = checkpoint.read_checkpoint(tmp_path)
    assert (read.settings, read.progress.loss_sum) == (settings, 0.1 + 0.2)
    assert all_equal(read.progress.state, state)
    assert all_equal(read.best, params)
    network, params = jaxnet.load(tmp_path)
    assert network == (sizes, "relu", "softmax", "squared-error")
    assert all_equal(params, state.params)


def test_a_loaded_network_is_the_trained_one(whole, small):
    network, params = jaxnet.load(whole[SMALL])
    prediction = jaxnet.forward(params, small[1].inputs / np.float32(255), network.hidden, network.output)
    last = read_metrics(whole[SMALL], SMALL)[-1]
    assert np.mean(prediction.argmax(axis=1) == small[1].labels) == pytest.approx(last["test_accuracy"])


@pytest.mark.parametrize("looks", [1, 2, 60, 86, 87, 88, 200])
@pytest.mark.usefixtures("short_stretches")
def test_stopped_anywhere_and_resumed(looks, whole, small, tmp_path):
    seen = []

    def stop(progress):
        seen.append(int(progress.state.step))
        return len(seen) == looks

    train(tmp_path / "run", SMALL, small, stop)
    assert int(checkpoint.read_checkpoint(tmp_path / "run").progress.state.step) == seen[-1]
    assert len(seen) == looks
    train(tmp_path / "run", SMALL, small)
    assert content(tmp_path / "run") == content(whole[SMALL])


def test_early_stopping_keeps_the_best_and_can_be_resumed(whole, small, tmp_path):
    metrics = read_metrics(whole[STOPPING_EARLY], STOPPING_EARLY)
    losses = [line["validation_loss"] for line in metrics]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 20
    _, validation = split_validation(small[0], 0.2, 0)
    assert len(validation.labels) == 60
    assert float(jaxnet.evaluate(jaxnet.load(whole[STOPPING_EARLY])[1], validation)[0]) == losses[best]
    for epochs in range(1, len(losses) + 1):
        folder = tmp_path / str(epochs)
        looks = iter(range(1, 100))
        train(folder, STOPPING_EARLY, small, lambda progress, looks=looks, epochs=epochs: next(looks) == 2 * epochs)
        train(folder, STOPPING_EARLY, small)
        assert content(folder) == content(whole[STOPPING_EARLY])


def test_a_finished_run_is_left_as_it_is(copy, small):
    before = content(copy)
    assert len(train(copy, SMALL, small, lambda progress: pytest.fail("trained"))) == 3
    assert content(copy) == before


class Killed(BaseException):
    pass


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Killed()])
def test_whichever_write_fails_nothing_is_lost(error, whole, small, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "STRETCH_SECONDS", 1e9)  # two stretches in the first epoch, then one
    monkeypatch.setattr(keeper, "SAVING_SHARE", float("inf"))  # saved after each
    calls, failing = 0, 0

    def failing_once(real):
        def call(*arguments):
            nonlocal calls
            calls += 1
            if calls == failing:
                raise error
            return real(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", failing_once(os.fsync))
    monkeypatch.setattr(os, "replace", failing_once(os.replace))
    train(tmp_path / "counts", SMALL, small)
    expected = content(whole[SMALL])
    assert calls > 15
    for number in range(1, calls + 1):
        folder, calls, failing = tmp_path / str(number), 0, number
        with pytest.raises(ValueError if isinstance(error, OSError) else Killed):
            train(folder, SMALL, small)
        failing = 0
        if (folder / CHECKPOINT).exists():
            checkpoint.read_checkpoint(folder)
        train(folder, SMALL, small)
        assert content(folder) == expected
        assert not list(folder.glob(".*"))


# Trains in a process of its own, which saves at every look; with a number, it ends by SIGKILL at that write.
COMMAND = """
import os, sys
from jaxnet import cli, training
from jaxnet.runs import keeper
keeper.SAVING_SHARE, training.STRETCH_SECONDS = float("inf"), 0.01
writes = int(sys.argv.pop(1))
def counted(real):
    def call(*arguments):
        global writes
        writes -= 1
        if writes == 0:
            os.kill(os.getpid(), 9)
        return real(*arguments)
    return call
os.fsync, os.replace = counted(os.fsync), counted(os.replace)
cli.main()
"""


@pytest.fixture(scope="module")
def data_file(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "small.npz"
    (x_train, y_train), (x_test, y_test) = small
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def start(folder, data_file, *, kill_at=0):
    """The training of SMALL in a process of its own, resumed if there is something to resume."""
    options = ["--resume"] if (folder / RUN).exists() else []
    if not options:
        options = [f"--data={data_file}", "--batch-size=2", "--optimizer=adam", "--learning-rate=0.01"]
    command = [sys.executable, "-c", COMMAND, str(kill_at), "train", f"--run={folder}", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_readable(folder):
    """What is there under its own name can be read, but for the last line of the metrics."""
    for name, read in (
        (RUN, read_run),
        (CHECKPOINT, checkpoint.read_checkpoint),
        (METRICS, lambda folder: read_metrics(folder, SMALL)),
    ):
        if (folder / name).exists():
            read(folder)
    for picture in folder.glob("*.png"):
        assert picture.read_bytes().endswith(b"IEND\xaeB`\x82")


@pytest.mark.slow
def test_killed_twice_and_resumed(whole, data_file, tmp_path):
    for write in (2, 9):  # as run.json is put in its place, and in the midst of a checkpoint
        process = start(tmp_path, data_file, kill_at=write)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert_readable(tmp_path)
    process = start(tmp_path, data_file)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert content(tmp_path) == content(whole[SMALL])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([RUN, METRICS, CHECKPOINT, *PICTURES])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(50))
def test_killed_at_a_random_moment_and_resumed(number, whole, data_file, tmp_path):
    folder, moment = tmp_path / "run", random.Random(number)
    for _ in range(2):
        process = start(folder, data_file, kill_at=moment.randrange(40) if number % 2 else 0)
        time.sleep(moment.uniform(0.5, 3))
        process.kill()
        process.communicate()
        assert_readable(folder)
    process = start(folder, data_file)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert content(folder) == content(whole[SMALL])


def damaged(copy, name, change):
    path = copy / name
    path.write_bytes(change(path.read_bytes()))


def resume(copy, small):
    settings, _ = read_run(copy)
    return list(train_run(settings, *small, copy))


@pytest.mark.parametrize("end", [b'{"epoch": 4, "st', b"\0\0\0\n", b'{"epoch": 4}\n'])
def test_lines_after_the_checkpoint_are_dropped(end, copy, small, whole):
    damaged(copy, METRICS, lambda content: content + end)
    (copy / ".checkpoint.safetensors.123.tmp").write_bytes(b"half")
    resume(copy, small)
    assert content(copy) == content(whole[SMALL])
    assert not list(copy.glob(".*"))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (METRICS, lambda text: text[100:], r"metrics.jsonl: line 1: .* is no JSON object"),
        (METRICS, lambda text: text[text.index(b"\n") + 1 :], "line 1 is not of epoch 1"),
        (METRICS, lambda text: text[: text.index(b"\n") + 9], "metrics.jsonl ends after epoch 1, .* after epoch 3"),
        (METRICS, lambda text: text.replace(b"test_loss", b"test_los", 1), "line 1 .* lacks one of train_loss"),
        (RUN, lambda text: text[:-20], r"run.json: .* is no JSON object"),
        (RUN, lambda text: b"[" * 100_000, "is no JSON object"),
        (RUN, lambda text: b" " * 2**21, "too many"),
        (RUN, lambda text: b"{}", "lacks settings, data, device or versions"),
        (RUN, lambda text: text.replace(b'"sha256": "', b'"sha": "'), "lacks settings, data, device or versions"),
        (RUN, lambda text: text.replace(b'"seed": 0', b'"seed": "0"'), "setting seed is '0'"),
        (RUN, lambda text: text.replace(b'"seed": 0', b'"sead": 0'), "setting sead is none"),
        (RUN, lambda text: text.replace(b'"seed": 0,', b""), "setting seed is missing"),
        (RUN, lambda text: text.replace(b'"seed": 0', b'"seed": 1'), "of other settings"),
        (CHECKPOINT, lambda text: text[:-1], "damaged"),
        (CHECKPOINT, lambda text: text[:5], "5 bytes, of which the header claims"),
        (CHECKPOINT, lambda text: b"", "0 bytes, of which the header claims"),
        (CHECKPOINT, lambda text: text[:-9] + b"\1" + text[-8:], "not what was saved"),
        (CHECKPOINT, lambda text: text.replace(b'step\\": 450', b'step\\": 451'), "not what was saved"),
        (CHECKPOINT, lambda text: b"\xff" * 7 + b"\0" + text[8:], "of which the header claims 72,057,594,037,927,935"),
        (CHECKPOINT, lambda text: struct.pack("<Q", 2**23) + b" " * 2**24, "of which the header claims 8,388,608"),
    ],
)
def test_damage_is_refused(name, change, message, copy, small):
    damaged(copy, name, change)
    files = {path.name: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(ValueError, match=message):
        resume(copy, small)
    assert files == {path.name: path.read_bytes() for path in copy.iterdir()}


def test_a_flipped_bit_anywhere_is_found(copy):
    content = (copy / CHECKPOINT).read_bytes()
    moment = random.Random(0)
    header = struct.unpack("<Q", content[:8])[0]
    for place in [*range(8), *moment.sample(range(8, header), 200), *moment.sample(range(header, len(content)), 100)]:
        flipped = content[place] ^ 1 << moment.randrange(8)
        (copy / CHECKPOINT).write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        with pytest.raises(ValueError, match=r"checkpoint.safetensors: "):
            jaxnet.load(copy)


def by_hand(folder, settings, tensors, data=b"", **about):
    """A checkpoint whose header says this: {name: (dtype, shape)}; its data are whatever."""
    offset, header = 0, {}
    for name, (dtype, shape) in tensors.items():
        end = offset + 4 * int(np.prod(shape, dtype=object))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}
        offset = end
    about = {"settings": settings, "step": 1, "loss_sum": 0.5, "sha256": "", **about}
    header["__metadata__"] = {"jaxnet": json.dumps(about)}
    text = json.dumps(header).encode()
    (folder / CHECKPOINT).write_bytes(struct.pack("<Q", len(text)) + text + (data or bytes(min(offset, 2**20))))


HUGE = 10**12
GOOD = {"layers.0.weight": ("F32", [10, 4]), "layers.0.bias": ("F32", [10]), "optimizer.1.count": ("I32", [])}


@pytest.mark.parametrize(
    ("sizes", "tensors", "about", "message"),
    [
        ([4, 10], GOOD, {}, "not what was saved"),
        ([4, 10], GOOD, {"step": "x"}, "step is 'x'"),
        ([4, 10], GOOD, {"step": 2**40}, "step is 1099511627776"),
        ([4, 10], GOOD, {"loss_sum": None}, "loss_sum None"),
        ([HUGE, 10], GOOD, {}, "too few for layers of sizes"),
        ([10**4000, 10], GOOD, {}, "too few for layers of sizes"),
        ([4, *[1] * 100_000, 10], GOOD, {}, "too few for layers of sizes"),
        ([4, 10], {**GOOD, "layers.0.weight": ("F32", [HUGE, HUGE])}, {}, "damaged or no checkpoint"),
        ([4, 10], {**GOOD, "layers.0.weight": ("F32", [2**62, 4])}, {}, "damaged or no checkpoint"),
        ([4, 10], {**GOOD, "layers.0.weight": ("F32", [4, 10])}, {}, "layers.0.weight is .*4, 10"),
        ([4, 10], {**GOOD, "layers.0.weight": ("I32", [10, 4])}, {}, "layers.0.weight is .*I32"),
        ([4, 10], {**GOOD, "layers.1.weight": ("F32", [10, 4])}, {}, "layers.1.weight does not belong"),
        ([4, 10], {**GOOD, "best.0.weight": ("F32", [10, 4])}, {}, "best.0.bias is missing"),
        ([4, 10], {**GOOD, "../../x": ("F32", [1])}, {}, "../../x does not belong"),
        ([4, 10], {"layers.0.weight": ("F32", [10, 4]), "x": ("F32", [10])}, {}, "layers.0.bias is missing"),
        ([4, 1], GOOD, {}, "2 to 256 classes last"),
        ([4, 257], GOOD, {}, "2 to 256 classes last"),
        ([4, 3], GOOD, {}, "layers.0.bias is .*10"),
        ([4, -10], GOOD, {}, "setting sizes is"),
        ([10], GOOD, {}, "inputs first"),
        (None, GOOD, {}, "setting sizes is None"),
        ([4, 10], GOOD, {"settings": 3}, "no settings"),
        ([4, 10], GOOD, {"settings": Settings()._replace(optimizer="rmsprop")._asdict()}, "unknown optimiser"),
    ],
)
def test_a_checkpoint_made_by_hand(sizes, tensors, about, message, tmp_path):
    settings = about.pop("settings", None) or Settings()._asdict() | {"sizes": sizes}
    if isinstance(settings, dict) and settings["optimizer"] == "rmsprop":
        settings["sizes"] = sizes
    by_hand(tmp_path, settings, tensors, **about)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            jaxnet.load(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_no_run_and_no_file():
    with pytest.raises(ValueError, match="/nope: no such run"):
        jaxnet.load("/nope")
    with pytest.raises(ValueError, match="/nope"):
        read_run("/nope")


def test_a_run_is_never_overwritten_unasked(copy, small):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(ValueError, match="holds a run already; go on with it by --resume"):
        create_run(copy, {}, overwrite=False)
    assert before == {path.name: path.read_bytes() for path in copy.iterdir()}


def test_two_processes_do_not_train_one_run(small, tmp_path, whole):
    def try_too(progress):
        with pytest.raises(ValueError, match="another process is training this run"):
            next(train_run(SMALL, *small, tmp_path))
        with pytest.raises(ValueError, match="another process is training this run"):
            create_run(tmp_path, {}, overwrite=True)
        return False

    train(tmp_path, SMALL, small, lambda progress: (tmp_path / RUN).exists() and try_too(progress))
    assert content(tmp_path) == content(whole[SMALL])


def test_what_diverges_keeps_the_last_good_checkpoint(small, tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "SAVING_SHARE", float("inf"))
    monkeypatch.setattr(training, "STRETCH_SECONDS", 1e-9)
    diverging = SMALL._replace(
        sizes=(784, 10), optimizer="sgd", learning_rate=0.075, output="identity", schedule="constant"
    )
    with pytest.raises(FloatingPointError) as caught:
        train(tmp_path, diverging, small)
    state = checkpoint.read_checkpoint(tmp_path).progress.state
    assert "infinite or NaN after step 106; the largest entry of the last gradient is 7" in str(caught.value)
    assert f"keeps the last good checkpoint, of step {state.step}" in str(caught.value)
    assert 90 < state.step < 106
    assert np.isfinite(jaxnet.evaluate(state.params, Dataset(*(a[:100] for a in small[0])), output="identity")[0])


def test_torch_opens_a_checkpoint(whole, small):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    tensors = load_file(whole[SMALL] / CHECKPOINT)
    network = torch.nn.Sequential(torch.nn.Linear(784, 10), torch.nn.ReLU(), torch.nn.Linear(10, 10))
    for number, layer in enumerate(network[::2]):
        layer.load_state_dict({name: tensors[f"layers.{number}.{name}"] for name in ("weight", "bias")})
    images = small[1].inputs / np.float32(255)
    expected = jaxnet.logits(jaxnet.load(whole[SMALL])[1], images)
    np.testing.assert_allclose(network(torch.from_numpy(images)).detach().numpy(), expected, rtol=1e-5, atol=1e-5)
