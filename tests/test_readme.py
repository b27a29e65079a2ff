"""What the READMEs show is what happens: each command and each line of Python in them is run.

Commands run in a folder that has what a checkout has; those that take minutes run with `-m slow`, and are asked for
their help else, which tells whether they and their options are there.
"""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import jaxnet
from jaxnet import cli

ROOT = Path(__file__).parent.parent
READMES = {
    str(path.relative_to(ROOT)): path.read_text()
    for pattern in ("README.md", "[a-z]*/README.md", "jaxnet/*/README.md")
    for path in sorted(ROOT.glob(pattern))
}
MEASUREMENT = re.compile(r"\.venv/bin/python (benchmarks/\w+|scripts/softmax_experiment)\.py")
# What makes the environment that the tests run in already.
INSTALLATION = re.compile(r"(python3 -m venv \.venv && )?\.venv/bin/pip install -q -e '\.\[(\w+)\]'( && )?")


def fenced(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def commands(text):
    """The lines of all shell blocks, without comments, continued ones joined."""
    lines = "".join(fenced(text, "sh")).replace("\\\n", " ").splitlines()
    return [command for line in lines if (command := re.sub(r"\s+#.*", "", line).strip())]


def each(found):
    return [(name, item) for name, text in READMES.items() for item in found(text)]


@pytest.fixture(scope="module")
def workspace(mnist, tmp_path_factory):
    """A folder with the checkout's folders, the environment as .venv, and the files that the READMEs speak of."""
    folder = tmp_path_factory.mktemp("workspace")
    for name in ("scripts", "benchmarks", "clusters"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "folder").mkdir()
    for name, array in zip(("x_train", "y_train", "x_test", "y_test"), (*mnist[0], *mnist[1]), strict=True):
        np.save(folder / "folder" / name, array[:1000])
    for name, number in (("seven.png", 0), ("photo.jpg", 3)):
        Image.fromarray(mnist[1].inputs[number].reshape(28, 28)).resize((90, 90)).save(folder / name)
    return folder


def run(command, workspace):
    # Two devices for commands that ask for them; what they compute is beside the point, so it is little. What trains on
    # all of MNIST is compiled as it is for users.
    environment = os.environ | ({"JAX_NUM_CPU_DEVICES": "2"} if "device" in command else {"XLA_FLAGS": ""})
    command = command.replace("--hidden 4096,4096 --batch-size 8192", "--hidden 8,8 --batch-size 8192 --epochs 1")
    done = subprocess.run(command, shell=True, cwd=workspace, env=environment, capture_output=True, text=True)
    wrong_is_an_answer = "jaxnet compare" in command
    assert done.returncode in ((0, 1) if wrong_is_an_answer else (0,)), done.stdout + done.stderr
    return done.stdout


# These train for longer.
LONG = ("jaxnet/runs/README.md", "clusters/README.md")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in READMES]
)
def test_the_commands_run(name, workspace):
    """One after the other, as one may need what another has left."""
    for command in commands(READMES[name]):
        installation = INSTALLATION.match(command)
        if installation:
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            assert installation[2] in extras
        command = INSTALLATION.sub("", command)
        if command and not command.endswith("-m pytest"):  # which runs this
            run(f"{command} --help" if MEASUREMENT.match(command) else command, workspace)
    # What is shown of Python at its prompt may speak of the runs that the commands have made.
    for session in fenced(READMES[name], "pycon"):
        check_session(session, name, workspace)


def check_session(session, name, workspace):
    names = {"jaxnet": jaxnet, "images": np.zeros((2, 784), np.uint8)}
    test = doctest.DocTestParser().get_doctest(session, names, name, name, 0)
    assert test.examples
    before = os.getcwd()
    os.chdir(workspace)
    try:
        assert doctest.DocTestRunner().run(test).failed == 0
    finally:
        os.chdir(before)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "command"), each(lambda text: filter(MEASUREMENT.match, commands(text))))
def test_the_measurements_run(name, command, workspace):
    assert run(command, workspace)


@pytest.mark.parametrize(("name", "code"), each(lambda text: fenced(text, "python")))
def test_the_python_runs(name, code, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(code, {"__name__": "readme"})


def mentioned(text):
    """Commands within the prose, and options alone."""
    return re.findall(r"`((?:jaxnet [a-z]|--[a-z]|python (?:benchmarks|scripts)/)[^`\n]*)`", text)


COMMANDS = {name: {option for parameter in command.params for option in parameter.opts}
            for name, command in typer.main.get_command(cli.app).commands.items()}  # fmt: skip
SCRIPTS = [path.read_text() for folder in ("benchmarks", "scripts") for path in (ROOT / folder).glob("*.py")]
OPTIONS = set().union(*COMMANDS.values(), *(re.findall(r'"(--[a-z-]+)"', script) for script in SCRIPTS))


@pytest.mark.parametrize("name", READMES)
def test_commands_and_options_in_the_prose_exist(name, workspace):
    for mention in mentioned(READMES[name]):
        program, *arguments = mention.split()
        if program == "python":
            run(f".venv/bin/{mention} --help", workspace)
            continue
        known = COMMANDS[arguments[0]] | {"--help"} if program == "jaxnet" else OPTIONS
        assert {argument for argument in [program, *arguments] if argument.startswith("--")} <= known, mention


def test_the_tests_look_at_what_is_there():
    assert {"README.md", "jaxnet/README.md", "jaxnet/runs/README.md", "benchmarks/README.md"} <= READMES.keys()
    assert len(each(commands)) > 10
    assert len(each(mentioned)) > 20
    assert len(each(lambda text: fenced(text, "python"))) >= 3
    assert any(fenced(text, "pycon") for text in READMES.values())


@pytest.mark.parametrize("name", READMES)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", READMES[name]):
        assert target.startswith("http") or (ROOT / name).parent.joinpath(target).exists(), target


def test_the_two_commands_stand_at_the_top():
    found = [line for line in READMES["README.md"].splitlines()[:30] if line.startswith("python3 -m venv")]
    assert len(found) == 2
    assert found[0].endswith("jaxnet train")
    assert found[1].endswith("pytest")
