"""One device, several devices and several processes train the same network, up to the order of sums; and the loss of a
process is one line and a run that can be resumed.

How many CPU devices there are is settled when JAX starts, so most of this runs in processes of its own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import jaxnet
from jaxnet.devices import agree, join_processes, make_mesh, place_state, whole
from jaxnet.runs.checkpoint import read_checkpoint

JAXNET = [sys.executable, "-c", "from jaxnet.cli import main; main()"]

# 200 steps of a network whose layers, but for the last, can be shared by 2, 4 and 8 devices.
TRAIN = """
import json, sys
import jax, numpy as np
import jaxnet
from jaxnet import training
from jaxnet.data import Dataset
from jaxnet.devices import make_mesh

settings = {"epochs": 2, "batch_size": 64, "optimizer": "adam", "learning_rate": 0.003}
train, test = jaxnet.load_data()
train, test = Dataset(train.inputs[:6400], train.labels[:6400]), Dataset(test.inputs[:1000], test.labels[:1000])
results = []
for x64, meshes in json.loads(sys.argv[1]):
    with jax.enable_x64(x64):
        params = jaxnet.init_params(0, (784, 32, 16, 10))
        for count, model in meshes:
            training.train_steps.clear_cache()
            mesh = make_mesh(jax.devices()[:count], model)
            if x64:
                data = [Dataset(inputs / 255.0, labels) for inputs, labels in (train, test)]
                start = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
            else:
                data, start = (train, test), params
            epochs = list(jaxnet.fit(start, *data, **settings, mesh=mesh))
            specs = [f"P{tuple(layer.weights.sharding.spec)}" for layer in epochs[-1].params]
            results.append({
                "losses": [epoch.train_loss for epoch in epochs], "accuracy": epochs[-1].test_accuracy, "specs": specs,
                "dtype": str(epochs[-1].params[0].weights.dtype), "programs": training.train_steps._cache_size(),
            })
print(json.dumps(results))
"""


def test_any_number_of_devices_trains_the_same_network():
    single = [(1, 1), (8, 1), (4, 2)]
    double = [(1, 1), (4, 2)]
    task = json.dumps([(False, single), (True, double)])
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": "8", "JAX_PLATFORMS": "cpu"}
    run = [sys.executable, "-c", TRAIN, task]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    compared = (
        (single, results[: len(single)], 1e-5, "float32", 2 / 1000),
        (double, results[len(single) :], 1e-12, "float64", 0),
    )
    for meshes, trained, tolerance, dtype, slack in compared:
        assert len(trained) == len(meshes)
        for (_, model), result in zip(meshes, trained, strict=True):
            np.testing.assert_allclose(result["losses"], trained[0]["losses"], rtol=tolerance)
            assert abs(result["accuracy"] - trained[0]["accuracy"]) <= slack
            assert (result["dtype"], result["programs"]) == (dtype, 1)
            assert result["specs"][0].startswith("P('model'") == (model > 1)


def test_a_mesh_of_wrong_size():
    with pytest.raises(ValueError, match="1 devices cannot be split into groups of 3"):
        make_mesh(model=3)


def test_a_batch_that_the_devices_cannot_share(mnist):
    two_devices = SimpleNamespace(shape={"batch": 2, "model": 1})
    with pytest.raises(ValueError, match="a batch of 7 cannot be split evenly over 2 devices"):
        next(jaxnet.fit(jaxnet.init_params(0, (784, 10)), *mnist, batch_size=7, mesh=two_devices))


@pytest.mark.usefixtures("device")
def test_placing_on_one_device_changes_nothing():
    tree = {"layer": jaxnet.init_params(3, (5, 4)), "step": np.int32(7)}
    placed = place_state(tree, make_mesh())
    assert jax.tree.all(jax.tree.map(np.array_equal, placed, tree))
    assert jax.tree.leaves(whole(placed))[0] is jax.tree.leaves(placed)[0]
    assert agree(3, 0) == (3, 0)


def start(count, *arguments):
    """So many processes of `jaxnet train` that train together."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [*JAXNET, "train", "--coordinator", address, "--processes", str(count)]
    return [
        subprocess.Popen(
            [*command, "--process", str(process), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
        )
        for process in range(count)
    ]


def finish(processes):
    outputs = [process.communicate(timeout=120) for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


def alone(*arguments):
    return subprocess.run([*JAXNET, "train", *map(str, arguments)], capture_output=True, text=True, check=True)


def lines(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


ARGUMENTS = ("--hidden", 16, "--batch-size", 600, "--epochs", 2, "--optimizer", "adam", "--learning-rate", 0.003)


def assert_same_training(run, other):
    for one, two in zip(lines(run), lines(other), strict=True):
        assert one["step"] == two["step"]
        for name in ("train_loss", "test_loss"):
            assert one[name] == pytest.approx(two[name], rel=1e-5)
        assert one["test_accuracy"] == pytest.approx(two["test_accuracy"], abs=2e-4)


@pytest.mark.slow  # the quick test below has two processes
@pytest.mark.parametrize("count", [2, 4])
def test_several_processes_train_the_same_network_and_one_of_them_writes(count, tmp_path):
    results = finish(start(count, *ARGUMENTS, "--run", tmp_path / "many"))
    assert [code for code, _, _ in results] == [0] * count
    assert "test accuracy" in results[0][1]
    assert not any("epoch" in out for _, out, _ in results[1:])
    alone(*ARGUMENTS, "--run", tmp_path / "one")
    assert_same_training(tmp_path / "many", tmp_path / "one")
    assert {path.name for path in (tmp_path / "many").iterdir()} == {path.name for path in (tmp_path / "one").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("lost", [1, 0])
def test_the_loss_of_a_process_is_one_line_and_the_run_goes_on_with_one(lost, tmp_path):
    many, one = tmp_path / "many", tmp_path / "one"
    processes = start(2, *ARGUMENTS, "--epochs", 20, "--run", many)
    deadline = time.monotonic() + 60
    while not (many / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    processes[lost].send_signal(signal.SIGKILL)
    killed = time.monotonic()
    code, _, err = finish(processes)[1 - lost]
    assert time.monotonic() - killed < 30
    assert code == 2
    assert err.splitlines()[-1].endswith(f"go on with: jaxnet train --run {many} --resume")
    done = len(lines(many))
    assert 0 < done < 20
    step = int(read_checkpoint(many).progress.state.step)
    # A shorter run has another schedule, so the same one is trained to the end; the rest of it by one process alone.
    alone("--run", many, "--resume")
    assert step < lines(many)[-1]["step"] == 2000
    alone(*ARGUMENTS, "--epochs", 20, "--run", one)
    for line, other in zip(lines(many)[:3], lines(one)[:3], strict=True):
        assert line["train_loss"] == pytest.approx(other["train_loss"], rel=1e-5)
    assert lines(many)[-1]["test_accuracy"] == pytest.approx(lines(one)[-1]["test_accuracy"], abs=3e-3)


@pytest.mark.slow
def test_on_slurm_no_option_is_needed(tmp_path):
    job = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_NTASKS": "2"}
    processes = [
        subprocess.Popen(
            [*JAXNET, "train", *map(str, ARGUMENTS), "--run", str(tmp_path / "run")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | job | {"SLURM_PROCID": str(number), "SLURM_LOCALID": str(number), "JAX_PLATFORMS": "cpu"},
        )
        for number in range(2)
    ]
    (code, out, _), (other_code, other_out, _) = finish(processes)
    assert code == other_code == 0
    assert "2 × cpu" in out
    assert "epoch" not in other_out


def test_one_process_is_alone_whatever_the_cluster_says(monkeypatch):
    def initialize(*arguments, **options):
        raise AssertionError("it asked the cluster")

    monkeypatch.setattr(jax.distributed, "initialize", initialize)
    join_processes(None, 1, None)
    with pytest.raises(AssertionError):
        join_processes(None, None, None)


def test_processes_that_do_not_go_together():
    done = subprocess.run([*JAXNET, "train", "--processes", "2"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "jaxnet: --coordinator, --processes and --process go together; a cluster that JAX knows needs none\n"
    )
