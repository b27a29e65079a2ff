import subprocess
import sys
import time
import typing
from pathlib import Path

import numpy as np
import pytest

from jaxnet import cli, losses, network, training

SMALL = ["--batch-size", "10", "--epochs", "2"]


@pytest.fixture(scope="module")
def small_csv(mnist, tmp_path_factory):
    """`--data` with the first 200 images, for training and for testing."""
    path = tmp_path_factory.mktemp("data") / "small.csv"
    table = np.column_stack([mnist[0].labels, mnist[0].inputs])[:200]
    np.savetxt(path, table, fmt="%d", delimiter=",")
    return str(path)


@pytest.fixture
def run(monkeypatch, capsys):
    """The command in this process: (exit status, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["jaxnet", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return exit_.value.code or 0, out, err

    return run


def test_train_reports_each_epoch_and_the_accuracy(run, small_csv):
    status, out, err = run("train", "--data", small_csv, *SMALL)
    assert (status, err) == (0, "")
    title, first, second, last = out.splitlines()
    assert title.startswith("784-10-10, 200 examples")
    assert first.startswith("epoch 1/2  train loss 0.")
    assert second.startswith("epoch 2/2")
    accuracy = last.removeprefix("test accuracy ").removesuffix(" %")
    assert 10 < float(accuracy) <= 100
    assert f"test accuracy {accuracy} %" in second


def test_every_option_reaches_the_training(run, small_csv):
    plain = run("train", "--data", small_csv, *SMALL)[1]
    for option in (
        "--hidden=20",
        "--hidden=10,10",
        "--hidden=none",
        "--activation=tanh",
        "--output=sigmoid",
        "--loss=cross-entropy",
        "--loss=binary-cross-entropy",
        "--optimizer=adam",
        "--learning-rate=0.2",
        "--schedule=constant",
        "--batch-size=20",
        "--init=glorot",
        "--seed=1",
    ):
        status, out, err = run("train", "--data", small_csv, *SMALL, option)
        assert (status, err) == (0, ""), option

        def losses_of(text):
            return [line.split("  ")[1] for line in text.splitlines() if line.startswith("epoch")]

        assert losses_of(out) != losses_of(plain), option
    assert run("train", "--data", small_csv, *SMALL, "--device=cpu")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data=/nope.csv"], "/nope.csv: No such file or directory"),
        (["train", "--data=/"], "/: holds neither train-images-idx3-ubyte nor"),
        (["train", "--hidden=10,x"], "--hidden is '10,x'"),
        (["train", "--hidden=0"], "--hidden is '0'"),
        (["train", "--epochs=0"], "epochs is 0"),
        (["train", "--epochs=x"], "'--epochs'"),
        (["train", "--batch-size=60001"], "batch size is 60001, but there are 60000 examples"),
        (["train", "--learning-rate=-1"], "learning rate is -1.0"),
        (["train", "--seed=-1"], "seed is -1"),
        (["train", "--optimizer=rmsprop"], "'rmsprop' is not one of 'sgd'"),
        (["train", "--device=abacus"], "no device 'abacus' here; there is: "),
        (["train", "--loss=cross-entropy", "--output=tanh"], "cross-entropy goes with output softmax"),
        (["train", "--frobnicate"], "--frobnicate"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, arguments, message):
    status, _, err = run(*arguments)
    assert status == 2
    assert err.startswith("jaxnet: ")
    assert err.count("\n") == 1
    assert message in err


def test_the_names_of_options_are_those_of_the_library():
    for literal, table in (
        (cli.Activation, network.ACTIVATIONS),
        (cli.Output, network.OUTPUTS),
        (cli.Initializer, network.INITIALIZERS),
        (cli.Loss, losses.LOSSES),
        (cli.Optimizer, training.OPTIMIZERS),
        (cli.Schedule, training.SCHEDULES),
    ):
        assert typing.get_args(literal) == tuple(table)


def test_help_and_import_stay_light():
    script = (
        "import sys; sys.argv = ['jaxnet', '--help']; import jaxnet, jaxnet.cli\n"
        "try: jaxnet.cli.main()\n"
        "except SystemExit as exit: assert not exit.code, exit.code\n"
        "heavy = {'jax', 'numpy', 'matplotlib', 'optax'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    help_text = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "train" in help_text
    script = "import sys, jaxnet; jaxnet.fit; assert not {'typer', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_script_is_the_command(small_csv):
    script = Path(__file__).parent.parent / "scripts" / "train.py"
    command = [sys.executable, script, "--data", small_csv, *SMALL]
    assert "test accuracy" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_an_interrupt_is_one_line_and_status_130():
    command = "from jaxnet.cli import main; import sys; sys.argv = ['jaxnet', 'train', '--epochs', '10000']; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("epoch 1"):
        time.sleep(0.01)
    process.send_signal(2)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "jaxnet: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "percent"),
    [
        ([], 92),
        (["--hidden=128", "--optimizer=adam", "--batch-size=64", "--learning-rate=0.003", "--epochs=5"], 97.5),
    ],
)
def test_accuracy_on_mnist(run, arguments, percent):
    status, out, _ = run("train", *arguments)
    assert status == 0
    assert float(out.splitlines()[-1].split()[2]) >= percent
