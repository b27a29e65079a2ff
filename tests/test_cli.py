import inspect
import json
import os
import re
import subprocess
import sys
import time
import typing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminals import lines_of, run_on_terminal

import jaxnet
from jaxnet import augment, cli, losses, network, training
from jaxnet.compare import formats
from jaxnet.runs import checkpoint, settings
from jaxnet.runs.folder import PICTURES

MNIST = Path(__file__).parents[1] / "data"
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
        (["train", "--classes=1"], "1 classes; a number from 2 to 256"),
        (["train", "--classes=257"], "257 classes; a number from 2 to 256"),
        (["train", f"--data={MNIST}", "--classes=9"], "labels-idx1-ubyte[4] is 9; whole numbers from 0 to 8 are"),
        (["train", "--epochs=0"], "epochs is 0"),
        (["train", "--epochs=x"], "'--epochs'"),
        (["train", "--batch-size=201"], "batch size is 201, but there are 200 examples"),
        (["train", "--learning-rate=-1"], "learning rate is -1.0"),
        (["train", "--seed=-1"], "seed is -1"),
        (["train", "--optimizer=rmsprop"], "'rmsprop' is not one of 'sgd'"),
        (["train", "--device=abacus"], "no device 'abacus' here; there is: "),
        (["train", "--devices=0"], "--devices is 0; there are "),
        (["train", "--shard-model=0"], "--shard-model is 0; there are "),
        (["train", "--coordinator=nowhere", "--processes=2", "--process=0"], "--coordinator is 'nowhere'; HOST:PORT"),
        (["train", "--coordinator=a:99999", "--processes=2", "--process=0"], "--coordinator is 'a:99999'; HOST:PORT"),
        (["train", "--loss=cross-entropy", "--output=tanh"], "cross-entropy goes with output softmax"),
        (["train", "--frobnicate"], "--frobnicate"),
        (["train", "--resume"], "add its folder, --run DIR"),
        (["train", "--run=x", "--resume", "--overwrite"], "give the one or the other"),
        (["train", "--run=/nope", "--resume"], "/nope: no such run"),
        (["train", "--run=/proc/nope", "--epochs=1"], "/proc/nope: "),
        (["train", "--patience=2"], "add --validation 0.1"),
        (["train", "--validation=0.1", "--patience=-2"], "patience is -2"),
        (["train", "--validation=1.5"], "validation is 1.5"),
        (["train", "--epochs=1000000000"], "25,000,000,000 steps"),
        (["train", "--seed=99999999999999999999"], "seed is 99999999999999999999"),
        (["train", "--hidden=99999999999"], "out of memory"),
        (
            ["train", "--batch-size=10", "--output=identity", "--learning-rate=1e7"],
            "infinite or NaN after step 2; the largest",
        ),
        (["evaluate", "/nope"], "/nope: no such run"),
        (["evaluate"], "Missing argument 'RUN'"),
        (["predict", "/nope", "x.png"], "/nope: no such run"),
        (["plot", "/nope"], "/nope: no such run"),
        (["export", "/nope"], "/nope: no such run"),
        (["plot", "/nope", "/nope2"], "/nope: no such run"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, small_csv, arguments, message):
    small = ["--data", small_csv] if arguments[0] == "train" and "--data" not in " ".join(arguments) else []
    status, _, err = run(*arguments, *small)
    assert status == 2
    assert err.startswith("jaxnet: ")
    assert err.count("\n") == 1
    assert message in err


def test_the_names_of_options_are_those_of_the_library():
    for literal, table in (
        (cli.Activation, network.ACTIVATIONS),
        (cli.Output, network.OUTPUTS),
        (cli.Initializer, network.INITIALIZERS),
        (cli.Augmentation, augment.AUGMENTATIONS),
        (cli.Loss, losses.LOSSES),
        (cli.Optimizer, training.OPTIMIZERS),
        (cli.Schedule, training.SCHEDULES),
        (cli.Format, ("text", "json", *formats.FORMATS)),
    ):
        assert typing.get_args(literal) == tuple(table)


def test_help_and_import_stay_light():
    script = (
        "import sys; sys.argv = ['jaxnet', '--help']; import jaxnet, jaxnet.cli\n"
        "try: jaxnet.cli.main()\n"
        "except SystemExit as exit: assert not exit.code, exit.code\n"
        "heavy = {'jax', 'numpy', 'matplotlib', 'optax', 'PIL', 'safetensors', 'rich.progress'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    help_text = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "train" in help_text
    script = "import sys, jaxnet; jaxnet.fit; assert not {'typer', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("writable", [True, False])
def test_compiled_programs_are_kept_where_that_can_be(writable, small_csv, tmp_path):
    caches = tmp_path if writable else Path("/dev/null")
    command = [sys.executable, "-c", "from jaxnet.cli import main; main()", "train", "--data", small_csv, *SMALL]
    environment = os.environ | {"XDG_CACHE_HOME": str(caches)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not done.stderr
    assert any("train_steps" in path.name for path in tmp_path.rglob("*")) == writable


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


@pytest.fixture(scope="module")
def trained(small_csv, tmp_path_factory):
    """A finished run: its folder."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    cli.app(["train", "--data", small_csv, *SMALL, "--run", str(folder)], standalone_mode=False)
    return str(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_run_holds_what_the_design_says(trained, small_csv):
    assert set(contents(trained)) == {"run.json", "metrics.jsonl", "checkpoint.safetensors", *PICTURES}
    record = json.loads(Path(trained, "run.json").read_text())
    assert record["settings"]["sizes"] == [784, 10, 10]
    assert record["data"]["path"] == small_csv
    assert record["versions"]["jax"]
    lines = [json.loads(line) for line in Path(trained, "metrics.jsonl").read_text().splitlines()]
    names = "epoch step train_loss test_loss test_accuracy learning_rate seconds examples_per_second"
    assert all(set(names.split()) <= set(line) for line in lines)
    assert [(line["epoch"], line["step"]) for line in lines] == [(1, 20), (2, 40)]


def test_a_finished_run_is_shown_again(run, trained):
    before = contents(trained)
    status, out, err = run("train", "--run", trained, "--resume")
    assert (status, err) == (0, "")
    assert [line.split("  ")[0] for line in out.splitlines()[1:3]] == ["epoch 1/2", "epoch 2/2"]
    assert {name: before[name] for name in before if not name.endswith("png")}.items() <= contents(trained).items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "holds a run already; go on with it by --resume, or replace it by --overwrite"),
        (["--resume", "--epochs=3"], "--epochs is 3, but the run has 2 (the learning rate's schedule"),
        (["--resume", "--classes=12"], "--classes is 12, but the run has 10"),
        (["--resume", "--hidden=20"], "--hidden is 20, but the run has 10"),
        (["--resume", "--learning-rate=0.2"], "--learning-rate is 0.2, but the run has 0.1"),
        (["--resume", "--seed=0", "--loss=cross-entropy"], "--loss is cross-entropy, but the run has squared-error"),
        (["--resume", "--data={data}/other.npz"], "other.npz: not the data that the run was trained with"),
        (["--overwrite", "--epochs=0"], "epochs is 0"),
        (["--overwrite", "--output=identity", "--learning-rate=1e9"], "the loss is infinite or NaN"),
        (["--overwrite", "--data=/nope"], "/nope: No such file"),
    ],
)
def test_what_a_run_refuses_leaves_it_as_it_is(options, message, run, trained, mnist, tmp_path):
    arrays = {f"{name}_{kind}": array[:50] for kind, set_ in zip(("train", "test"), mnist, strict=True)
              for name, array in zip("xy", set_, strict=True)}  # fmt: skip
    np.savez(tmp_path / "other.npz", **arrays)
    before = contents(trained)
    data = [] if "--resume" in options or any("--data" in option for option in options) else ["--data", "{small}"]
    record = json.loads(Path(trained, "run.json").read_text())
    arguments = [option.format(data=tmp_path, small=record["data"]["path"]) for option in [*options, *data]]
    status, _, err = run("train", "--run", trained, *arguments)
    assert (status, err.count("\n")) == (2, 1)
    assert message in err
    assert contents(trained) == before


@pytest.fixture
def few_classes(tmp_path):
    """A maker of a CSV with examples of these labels, 10 of each, that are told apart by a single bright pixel."""

    def make(*labels, name="few.csv"):
        table = [[label, *np.where(np.arange(300) == label, 255, 0)] for label in labels for _ in range(10)]
        np.savetxt(tmp_path / name, table, fmt="%d", delimiter=",")
        return str(tmp_path / name)

    return make


def test_a_run_is_exported_as_training_says(run, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    last = run("train", "--run", trained, "--resume")[1].splitlines()[-1]
    assert last.startswith("draw digits for it to read: jaxnet export ")
    status, out, err = run(*last.partition("jaxnet ")[2].split())
    assert (status, err) == (0, "")
    size = (tmp_path / "digits.html").stat().st_size
    assert size < 100_000
    assert out == f"digits.html: {size / 1024:.0f} KB; open it in a browser and draw\n"
    assert re.search(r'{"name": "trained", "sizes": \[784, 10, 10\]', (tmp_path / "digits.html").read_text())


@pytest.mark.parametrize(
    ("hidden", "pace"), [("1600", "keeps up"), pytest.param("5500", "lag behind", marks=pytest.mark.slow)]
)
def test_a_large_page_says_what_it_costs(run, small_csv, hidden, pace, tmp_path):
    small = ["--data", small_csv, "--batch-size", "100", "--epochs", "1", "--hidden", hidden]
    assert run("train", *small, "--run", str(tmp_path / "run"))[0] == 0
    status, out, err = run("export", str(tmp_path / "run"), str(tmp_path / "digits.html"))
    assert status == 0
    assert re.fullmatch(rf"jaxnet: note: more than 4.0 MB, .*{pace}.*\n", err)
    assert " MB; open it" in out


@pytest.mark.parametrize("classes", [3, *(pytest.param(k, marks=pytest.mark.slow) for k in (47, 256))])
def test_any_number_of_classes(classes, run, few_classes, tmp_path):
    data, folder = few_classes(*range(classes)), str(tmp_path / "run")
    options = ["--hidden=none", "--loss=cross-entropy", "--optimizer=adam", "--learning-rate=0.1", "--epochs=3"]
    status, out, err = run("train", "--data", data, *options, "--run", folder)
    assert (status, err) == (0, "")
    assert out.startswith(f"300-{classes}, {10 * classes:,} examples")
    assert out.endswith("test accuracy 100.0 %\n")
    assert run("train", "--run", folder, "--resume", "--data", data)[0] == 0
    result = json.loads(run("evaluate", folder, "--json")[1])
    assert result["confusion"] == (10 * np.eye(classes, dtype=int)).tolist()
    assert run("export", folder) == (
        2,
        "",
        "jaxnet: run: its network takes 300 inputs; only those of a square image can be drawn\n",
    )
    status, out, err = run("predict", folder, few_classes(0, classes - 1, name="two.csv"))
    assert (status, err) == (0, "")
    assert [line.split()[3] for line in out.splitlines()[1:]] == [str(k) for k in [0] * 10 + [classes - 1] * 10]
    assert max(map(len, out.splitlines())) < 200
    assert jaxnet.load(folder)[0].sizes == (300, classes)


def test_a_gap_in_the_classes_is_a_warning_unless_their_number_is_stated(run, few_classes):
    options = ["--epochs=1", "--batch-size=2"]
    status, out, err = run("train", "--data", few_classes(0, 1, 2, 4, 6), *options)
    assert (status, err.count("\n")) == (0, 1)
    assert err.startswith("jaxnet: warning: no example of class 3, 5, though label 6 is there;")
    assert out.startswith("300-10-7,")
    status, out, err = run("train", "--data", few_classes(0, 1, 2, 4, 6), "--classes=9", *options)
    assert (status, err) == (0, "")
    assert out.startswith("300-10-9,")


def test_a_test_set_has_no_class_more(run, few_classes):
    data = few_classes(0, 1, 2) + "," + few_classes(0, 3, name="test.csv")
    status, _, err = run("train", "--data", data, "--epochs=1")
    assert (status, err.count("\n")) == (2, 1)
    assert "test example 11 has label 3, but those of the training set end at 2" in err
    status, out, err = run("train", "--data", data, "--epochs=1", "--classes=4")
    assert (status, err) == (0, "")
    assert out.startswith("300-10-4,")
    status, _, err = run("train", "--data", few_classes(0), "--epochs=1")
    assert (status, err.count("\n")) == (2, 1)
    assert "all training examples have label 0" in err


def test_overwrite_replaces_a_run(run, trained, small_csv, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name, content in contents(trained).items():
        (folder / name).write_bytes(content)
    assert run("train", "--data", small_csv, *SMALL, "--seed=5", "--run", str(folder), "--overwrite")[0] == 0
    assert checkpoint.read_checkpoint(folder).settings.seed == 5
    assert set(contents(folder)) == set(contents(trained))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="for the administrator no folder is read-only")
def test_a_read_only_folder(run, small_csv, tmp_path):
    tmp_path.chmod(0o500)
    status, _, err = run("train", "--data", small_csv, *SMALL, "--run", str(tmp_path))
    assert (status, err) == (2, f"jaxnet: {tmp_path}/run.json: Permission denied\n")


def test_evaluate(run, trained, mnist):
    status, out, err = run("evaluate", trained)
    assert (status, err) == (0, "")
    result = json.loads(run("evaluate", trained, "--json")[1])
    assert out.splitlines()[-1] == f"accuracy {100 * result['accuracy']:.1f} %"
    last = json.loads(Path(trained, "metrics.jsonl").read_text().splitlines()[-1])
    assert (result["examples"], result["loss"], result["accuracy"]) == (200, last["test_loss"], last["test_accuracy"])
    matrix = np.array(result["confusion"])
    assert matrix.sum() == 200
    _, params = jaxnet.load(trained)
    guesses = jaxnet.forward(params, mnist[0].inputs[:200] / np.float32(255)).argmax(axis=1)
    for row in result["classes"]:
        number = row["class"]
        right = int(((guesses == number) & (mnist[0].labels[:200] == number)).sum())
        guessed, there = int((guesses == number).sum()), int((mnist[0].labels[:200] == number).sum())
        assert row["precision"] == (pytest.approx(right / guessed) if guessed else None)
        assert row["recall"] == (pytest.approx(right / there) if there else None)
        assert row["examples"] == there


def test_predict(run, trained, mnist, tmp_path):
    paths = [str(tmp_path / f"{number}.png") for number in range(3)]
    for path, image in zip(paths, mnist[1].inputs, strict=False):
        Image.fromarray(255 - image.reshape(28, 28)).resize((100, 100)).save(path)
    status, out, err = run("predict", trained, *paths, "--show", str(tmp_path / "shown.png"))
    assert (status, err) == (0, "")
    predictions = json.loads(run("predict", trained, *paths, "--json")[1])["predictions"]
    assert [row["image"] for row in predictions] == paths
    for row, line in zip(predictions, out.splitlines()[1:], strict=True):
        assert sum(row["probabilities"]) == pytest.approx(1)
        assert int(np.argmax(row["probabilities"])) == row["guess"]
        assert line.split()[:2] == [row["image"], str(row["guess"])]
    assert (tmp_path / "shown.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "{run}", "/nope.png"], "/nope.png: No such file"),
        (["predict", "{run}", "{tmp}/blank.png"], "blank.png: no ink"),
        (["predict", "{run}", "{tmp}/small.csv"], "small.csv: 4 pixels an example, but the network takes 784"),
        (["predict", "{run}", "{tmp}/digit.png", "--show=/nope/x.png"], "/nope/x.png: No such file"),
        (["predict", "{run}", "{tmp}/digit.png", "--show=x.abc"], "Format 'abc' is not supported"),
        (["predict", "{tmp}", "{tmp}/digit.png"], "checkpoint.safetensors: No such file"),
        (["export", "{run}", "/nope/digits.html"], "/nope/digits.html: No such file"),
        (["export", "{run}", "{tmp}"], "Is a directory"),
        (["export", "{tmp}"], "checkpoint.safetensors: No such file"),
        (["evaluate", "{run}", "--data={tmp}/small.csv"], "4 pixels an example, but the network takes 784"),
        (["evaluate", "{run}", "--data={tmp}/classes.csv"], "line 1, column 1: label '10'"),
        (["plot", "{run}", "{tmp}"], "holds no run.json"),
        (["plot", "{tmp}"], "holds no run.json"),
    ],
)
def test_bad_input_to_a_run_is_one_line_and_status_2(arguments, message, run, trained, tmp_path):
    Image.new("L", (30, 30), 200).save(tmp_path / "blank.png")
    digit = Image.new("L", (30, 30), 200)
    digit.paste(0, (10, 5, 14, 25))
    digit.save(tmp_path / "digit.png")
    (tmp_path / "small.csv").write_text("1,0,0,0,0\n")
    (tmp_path / "classes.csv").write_text("10,0,0,0,0\n")
    before = contents(trained)
    status, _, err = run(*(argument.format(run=trained, tmp=tmp_path) for argument in arguments))
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("jaxnet: ")
    assert message in err
    assert contents(trained) == before


def test_plot(run, trained, tmp_path):
    Path(trained, "curves.png").unlink()
    status, out, err = run("plot", trained)
    assert (status, err) == (0, "")
    assert out.splitlines() == [str(Path(trained, name)) for name in PICTURES]
    assert all(Path(line).exists() for line in out.splitlines())
    assert run("plot", trained, trained, "--out", str(tmp_path / "both.png"))[0] == 0
    assert (tmp_path / "both.png").exists()


def test_validation_and_patience(run, small_csv):
    options = ["--validation=0.5", "--patience=1", "--epochs=50", "--learning-rate=2", "--batch-size=2"]
    status, out, err = run("train", "--data", small_csv, *options)
    assert (status, err) == (0, "")
    *epochs, kept, last = out.splitlines()[1:]
    losses = [float(line.split("validation loss ")[1].split()[0]) for line in epochs]
    assert len(epochs) < 50
    best = int(np.argmin(losses)) + 1
    assert kept == f"epoch {best} of {best + 1} has the least validation loss; its parameters are kept"
    assert last in epochs[best - 1]


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    folder = str(tmp_path / "run")
    command = [sys.executable, "-c", "from jaxnet.cli import main; main()", "train", "--epochs=10000", "--run", folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("epoch 1"):
        time.sleep(0.01)
    process.send_signal(2)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == f"jaxnet: interrupted and saved; go on with: jaxnet train --run {folder} --resume\n"
    assert checkpoint.read_checkpoint(folder).progress.state.step > 7500


def test_a_terminal_has_a_bar_and_the_same_lines(run, small_csv):
    status, with_bar, _ = run_on_terminal("train", "--data", small_csv, *SMALL, columns=200)
    assert status == 0
    plain = run("train", "--data", small_csv, *SMALL)[1]

    def lines(text):
        found = [line for line in lines_of(text) if "train loss" in line or line.startswith("test accuracy")]
        return [line.split("  ")[:4] for line in found]

    assert "━" in with_bar
    assert "ex./s" in with_bar
    assert "\x1b" not in plain
    assert "━" not in plain
    assert lines(with_bar) == lines(plain)
    assert len(lines(plain)) == 3


@pytest.mark.parametrize(
    ("arguments", "percent"),
    [
        ([], 92),
        pytest.param(
            ["--hidden=128", "--optimizer=adam", "--batch-size=64", "--learning-rate=0.003", "--epochs=5"],
            97.5,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_accuracy_on_mnist(run, arguments, percent):
    status, out, _ = run("train", *arguments)
    assert status == 0
    assert float(out.splitlines()[-1].split()[2]) >= percent


def test_the_defaults_of_the_options_are_those_of_the_library():
    defaults = settings.Settings()
    for parameter in inspect.signature(cli.train).parameters.values():
        if parameter.name in defaults._fields and parameter.name != "output":
            assert parameter.default == getattr(defaults, parameter.name)
