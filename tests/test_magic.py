"""%compare judges what a learner has in front of them, in a real kernel: cells mended, run again, failed, moved."""

import json
import os
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

import jaxnet
from jaxnet.compare.author import scratch
from jaxnet.compare.author.scratch import scratch_copy
from jaxnet.compare.magic import SOURCE, Run, compare_runs, latest

DATA = "import numpy as np\nfrom helper import slope\nX, Y = np.load('X.npy'), np.load('Y.npy')"
START = """\
random = np.random.default_rng(0)
W1, b1 = random.normal(size=(4, 5)), np.zeros(5)
W2, b2 = random.normal(size=(5, 3)), np.zeros(3)"""
FORWARD = "A1 = np.tanh(X @ W1 + b1)\nY_hat = A1 @ W2 + b2\nloss = ((Y_hat - Y) ** 2).sum() / 2"
BACKWARD = """\
dZ2 = Y_hat - Y
dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)
dZ1 = dZ2 @ W2.T * slope(A1)
dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)"""
STEP = "W1 = W1 - 0.01 * dW1\nb1 = b1 - 0.01 * db1\nW2 = W2 - 0.01 * dW2\nb2 = b2 - 0.01 * db2"
WRONG = BACKWARD.replace(" * slope(A1)", "")
CELLS = {"data": DATA, "start": START, "forward": FORWARD, "backward": WRONG, "step": STEP}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    here = tmp_path / "exercise 3"
    here.mkdir()
    np.save(here / "X.npy", random.normal(size=(20, 4)))
    np.save(here / "Y.npy", np.eye(3)[random.integers(3, size=20)])
    (here / "helper.py").write_text("def slope(A):\n    return 1 - A**2\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "profile"))
    monkeypatch.chdir(here)
    return here


class Learner:
    """Runs cells in a kernel, by their names; a cell that is given a text is edited first."""

    def __init__(self, folder, tells_cells):
        resources = {"metadata": {"path": str(folder)}}
        self.client = NotebookClient(nbformat.v4.new_notebook(), timeout=120, allow_errors=True, resources=resources)
        self.tells_cells, self.names = tells_cells, []

    def __enter__(self):
        self.kernel = self.client.setup_kernel()
        self.kernel.__enter__()
        if self.tells_cells:
            self.client.kc.execute = self.execute_as_jupyterlab
        return self

    def __exit__(self, *error):
        self.kernel.__exit__(*error)

    def execute_as_jupyterlab(self, code, store_history, stop_on_error):
        """The message with the identity of the cell, which nbclient leaves out."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        message = self.client.kc.session.msg("execute_request", content, metadata={"cellId": self.running.id})
        self.client.kc.shell_channel.send(message)
        return message["header"]["msg_id"]

    def run(self, name, source=None):
        if name not in self.names:
            self.names.append(name)
            self.client.nb.cells.append(nbformat.v4.new_code_cell(CELLS.get(name, name)))
        index = self.names.index(name)
        self.running = self.client.nb.cells[index]
        self.running.source = self.running.source if source is None else source
        return self.client.execute_cell(self.running, index).outputs

    def compare(self, flags=""):
        """The text of the report, or of what is said instead."""
        (output,) = self.run(f"%compare {flags}")
        if output.output_type == "stream":
            return output.text
        assert '<div class="jaxnet-report">' in output.data["text/html"]
        return output.data["text/plain"]


@pytest.mark.parametrize("tells_cells", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_learner_mends_a_formula(folder, tells_cells):
    files = set(os.listdir(folder))
    with Learner(folder, tells_cells) as learner:
        for name in CELLS:
            learner.run(name)
        assert learner.run("%load_ext jaxnet") == []
        learner.run("backward")
        said = learner.compare()
        assert said.startswith(f"✗ wrong: {SOURCE}\n")
        assert f"error[missing-activation-derivative]: dZ1\n --> {SOURCE}, cell 7, line 3\n" in said
        learner.run("backward", BACKWARD)
        assert learner.compare().startswith("✓ right")  # though the step below was not made again
    assert set(os.listdir(folder)) - {"__pycache__"} == files  # which the kernel makes when it imports their helper


@pytest.mark.slow
def test_what_failed_is_left_out(folder):
    with Learner(folder, tells_cells=True) as learner:
        learner.run("%load_ext jaxnet")
        for name in ("data", "start", "forward"):
            learner.run(name)
        learner.run("backward", f"{WRONG}\n{STEP}\nprint(typo)")
        said = learner.compare()
        assert said.startswith("jaxnet: no verdict: ")
        assert said.endswith("; left out, since it failed: cell 5\n")
        assert said.count("\n") == 1
        (itself,) = learner.run("backward", f"{BACKWARD}\n{STEP}\n%compare")
        assert itself.data["text/plain"].startswith("✓ right")
        learner.run("backward", f"{WRONG}\nprint(typo)")  # what ran last without an error still counts
        assert learner.compare().startswith("✓ right")


def test_flags_and_mistakes_in_them(folder):
    with Learner(folder, tells_cells=True) as learner:
        learner.run("%load_ext jaxnet")
        for name in CELLS:
            learner.run(name)
        hinted = learner.compare("--hint 2")
        assert f"{SOURCE}, cell 5, line 3" in hinted
        assert "missing-activation-derivative" not in hinted
        assert "squared-error, sum over examples (as stated)" in learner.compare("--loss squared-error")
        for flags in ("--hint 7", "--timeout soon", "cells", "--timeout 0"):
            said = learner.compare(flags)
            assert re.fullmatch(r"(UsageError|jaxnet): [^\n]+\n", said), said


def test_in_a_terminal(folder):
    program = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(sys.stdin):
    shell.run_cell(cell, store_history=True)
"""
    cells = json.dumps([*CELLS.values(), "%load_ext jaxnet", "%compare"])
    ran = subprocess.run([sys.executable, "-c", program], input=cells, capture_output=True, text=True, timeout=120)
    assert ran.stdout.startswith(f"✗ wrong: {SOURCE}\n"), ran
    assert f"--> {SOURCE}, cell 4, line 3\n" in ran.stdout


# --- which cells, and in which order ----------------------------------------------------------------------------------


def runs_of(*texts, cells=None):
    return [Run(k, cells and cells[k - 1], text, text) for k, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("texts", "cells", "kept"),
    [
        (["a = 1", "b = 2"], None, [1, 2]),
        (["a = 1", "b = 2", "a = 3"], None, [2, 3]),  # edited
        (["def f(x):\n    return x", "f(1)", "def f(x):\n    y = x\n    return y"], None, [2, 3]),
        (["a = f(x)\nprint(a)", "a = f(x)\nb = a"], None, [2]),  # edited: it binds one more
        (["a = load('file')", "a = a.T"], None, [1, 2]),  # goes on from a
        (["a = load('file')", "a = 1 + a.load('file')"], None, [1, 2]),
        (["dW1 = dot(dZ1, X)", "dW2 = dot(dZ2, A1)"], None, [1, 2]),  # binds others
        (["layers.append(5)", "layers.append(5)"], None, [1, 2]),  # binds nothing
        (["layers.append(5)", "layers.append(5)"], "ab", [1, 2]),
        (["layers.append(5)", "layers.append(5)"], "aa", [2]),
        (["a = 1", "b = 2", "something(else)"], "aba", [2, 3]),
        (["a = 1", "a = 2"], "ab", [1, 2]),
        (["a = 1", "a = 2", "a = 3"], [None, "a", "b"], [2, 3]),  # run before the extension was loaded
        (["a = 1", "a = ("], None, [1, 2]),  # no Python
    ],
)
def test_the_last_run_of_a_cell_counts(texts, cells, kept):
    assert [run.number for run in latest(runs_of(*texts, cells=cells))] == kept


def test_a_cell_keeps_the_place_of_its_first_run():
    assert [(run.number, run.first) for run in latest(runs_of("a = 1", "b = 2", "a = 3", "a = 4"))] == [(2, 2), (4, 1)]


@pytest.mark.usefixtures("folder")
@pytest.mark.slow
def test_the_order_counts_in_which_the_cells_run():
    inserted = "dZ1 = dZ2 @ W2.T * slope(A1)"
    without = BACKWARD.replace(f"{inserted}\n", "")
    above = [DATA, START, FORWARD, BACKWARD, STEP]
    # A cell that was put in above, which the cells below were run again after; and one that was mended alone.
    moved = runs_of(*above, f"dZ2 = Y_hat - Y\n{inserted}", without, STEP, cells="abcdefde")
    mended = runs_of(*above[:3], WRONG, STEP, BACKWARD, cells="abcded")
    for runs in (moved, mended):
        report = compare_runs(runs, set())
        assert (report.verdict, report.notes) == ("right", [])


@pytest.mark.usefixtures("folder")
def test_a_second_network_is_named_by_its_cell():
    other = "V = np.zeros((4, 3))\nfor _ in range(5):\n    V -= 0.01 * X.T @ (X @ V - Y)"
    loop = "for _ in range(5):\n" + "\n".join(f"    {line}" for line in f"{FORWARD}\n{BACKWARD}\n{STEP}".splitlines())
    runs = [run for run in runs_of("", DATA, START, "", loop, "", other) if run.source]
    report = compare_runs(runs, set())
    assert [(place.cell, place.line) for place in report.also_right] == [(7, 3)]


@pytest.mark.usefixtures("folder")
def test_statements_that_fail_are_named_by_their_cells():
    runs = [run for run in runs_of("a = missing", DATA, START, "", FORWARD, "", WRONG, STEP) if run.source]
    report = compare_runs(runs, set())
    assert report.notes == ["cell 1, line 1: NameError: name 'missing' is not defined"]
    assert [(place.cell, place.line) for place in report.places] == [(7, 3)]


def test_cells_in_a_folder_that_is_only_a_link_are_not_written_into_it(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "CROWDED", 1)
    (tmp_path / "project" / "images").mkdir(parents=True)
    (tmp_path / "project" / "main.py").write_text("")
    for name in ("a.png", "b.png"):
        (tmp_path / "project" / "images" / name).write_text(name)
    copy, file = scratch_copy(tmp_path / "project/images/cells.ipynb", tmp_path / "copy", b"content")
    assert file.read_bytes() == b"content"
    assert file.resolve().is_relative_to(copy)
    assert (copy / "a.png").read_text() == "a.png"
    assert sorted(os.listdir(tmp_path / "project/images")) == ["a.png", "b.png"]


def test_without_ipython_all_names_are_there():
    blocked = "import sys; sys.modules['IPython'] = None; from jaxnet import *; print(load_ipython_extension.__name__)"
    ran = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=True)
    assert ran.stdout == "load_ipython_extension\n"
    assert "load_ipython_extension" in dir(jaxnet)
