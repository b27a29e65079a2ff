"""Many programs: which count, in which order they come, how each form of the results reads, what stops and mends them.

Where what becomes of one program is beside the point, `compare_file` is a stand-in that gives what a file's name says.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import author_files
import generated
import numpy as np
import pytest
import yaml
from planting import backward, make_network
from terminals import lines_of, run_on_terminal

import jaxnet
from jaxnet import cli
from jaxnet.compare import fixes, many
from jaxnet.compare.author import child
from jaxnet.compare.author.child import NothingTrains, Stopped
from jaxnet.compare.author.edits import unified_diff
from jaxnet.compare.files import compare_file
from jaxnet.compare.formats import FORMATS, line_of, summary
from jaxnet.compare.many import compare_many, find_programs, has_backward_pass
from jaxnet.compare.mistakes import WORDS
from jaxnet.compare.report import Change

NET = """\
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
W1, b1, W2, b2 = rng.normal(size=(4, 5)), np.zeros(5), rng.normal(size=(5, 3)), np.zeros(3)
for step in range(5):
    A1 = np.tanh(X @ W1 + b1)
    A2 = A1 @ W2 + b2
    loss = 0.5 * np.sum((A2 - Y) ** 2) / len(X)
    dZ2 = (A2 - Y) / len(X)
    dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
    W1, b1, W2, b2 = W1 - 0.1 * dW1, b1 - 0.1 * db1, W2 - 0.1 * dW2, b2 - 0.1 * db2
"""
WRONG = NET.replace("dZ2 @ W2.T * (1 - A1**2)", "dZ2 @ W2.T")
ENDLESS = NET.replace("for step in range(5):\n", "while True: pass\nfor step in range(5):\n")
TOOL = "import numpy as np\n\ndef table(rows):\n    return np.mean(rows, axis=0) @ np.ones(3)\n"
ODD = ["a b.py", 'c: 100%, "d" it\'s.py', "e\nf.py", "\udcff.py"]


def planted(plan):
    params, X, Y = make_network(np.random.default_rng(1), (6, 4, 3), 9)
    given = backward(params, X, Y, "relu", "softmax", "squared-error", plan)
    return jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error")


REPORTS = {
    "right": planted({}),
    "scaled": planted({"dZ2": ("wrong-scale",)}),
    "wrong": planted({"db2": ("summed-over-all-axes",)}),
    "two": planted({"db2": ("summed-over-all-axes",), "dZ1": ("missing-activation-derivative",)}),
}


@pytest.fixture
def pretend(monkeypatch):
    """Has each file be what its name begins with: one of REPORTS, `none`, `nothing` that trains; or calls it."""

    def install(**special):
        def compared(path, *, stop, **options):
            kind = re.match("[a-z]*", Path(path).name)[0]
            if kind in special:
                special[kind](stop)
            if kind == "none":
                raise ValueError(f"{path}: no verdict within 60 s")
            if kind == "nothing":
                raise NothingTrains(f"{path}: no verdict: nothing in it trains")
            return REPORTS.get(kind, REPORTS["right"])._replace(source=path)

        monkeypatch.setattr(many, "compare_file", compared)

    return install


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, and a maker of files in it."""
    monkeypatch.chdir(tmp_path)

    def make(*names, text=NET):
        for name in names:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(notebook(text) if name.endswith(".ipynb") else text)
        return tmp_path

    make.path = tmp_path
    return make


@pytest.fixture
def run(monkeypatch, capsys):
    """The command in this process: (exit status, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["jaxnet", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capsys.readouterr()

    return run


def notebook(text):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# α"},
        *(
            {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
            for source in ("print('first')", text.splitlines(keepends=True))
        ),
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def sources(outcomes):
    return [outcome.source for outcome in outcomes]


# --- which files count ----------------------------------------------------------------------------------------------


def test_a_folder_gives_its_programs_in_order_and_each_once(folder):
    folder("b/z.py", "b/a.ipynb", "b.py", "a/net.py", "net.txt", "b/.venv/x.py", "b/node_modules/x.py", ".git/x.py")
    folder(
        "a/__pycache__/x.py", "a/site-packages/x.py", "a/.ipynb_checkpoints/a.ipynb", "env/lib/x.py", "env/pyvenv.cfg"
    )
    folder("tool.py", text=TOOL)
    folder("plain.py", text="print(1)")
    os.mkfifo("pipe.py")
    os.symlink("nowhere", "dangling.py")
    os.mkdir("folder.py")
    os.symlink("b.py", "again.py")
    assert [p.path for p in find_programs(["."])] == ["again.py", "a/net.py", "b/a.ipynb", "b/z.py"]
    assert find_programs(["b", "tool.py", "b/z.py", "./b/z.py", "nowhere.py"]) == [
        many.Program("b/a.ipynb", False),
        many.Program("b/z.py", True),
        many.Program("tool.py", True),
        many.Program("nowhere.py", True),
    ]


EVERY_FORM = {**{name: file.code for name, file in author_files.FILES.items()}, **generated.case(3, 1).text_by_form}


UNNAMED = (
    "one neuron, eleven lines",
    "lists in, columns inside",
    "train_step of functions",
)  # nothing is called as gradients are


@pytest.mark.parametrize("name", EVERY_FORM)
def test_every_form_of_a_backward_pass_is_one(tmp_path, name):
    path = tmp_path / ("net.ipynb" if EVERY_FORM[name].startswith("{") else "net.py")
    path.write_text(EVERY_FORM[name])
    assert [program.path for program in find_programs([tmp_path])] == [str(path)]
    assert has_backward_pass(str(path)) == (name not in UNNAMED)


@pytest.mark.parametrize(
    ("name", "text", "may", "has"),
    [
        ("net.py", "", False, False),
        ("net.py", TOOL, False, False),
        ("net.py", TOOL + "count += 1\nnames += ['a']\ntext = 'grad'  # backward\n", False, False),
        ("net.py", "import torch\nw -= 0.1 * g @ x", False, False),
        ("net.py", "import numpy as np\nw = w + 0.1 * np.sum(x * (y - z))", True, False),  # a perceptron
        ("net.py", "import numpy as np\np['w'] -= rate * np.mean(x)", True, False),
        ("net.py", "import random\nw = random.random()\ndef backward(w): w -= delta * x", True, False),  # of numbers
        ("net.py", "import random\nw = random.random()\nw -= 2 * sum(x)", False, False),
        ("net.py", "import numpy as np\ndef relu_backward(d, z): return np.multiply(d, z > 0)", True, False),
        ("net.py", "import numpy as np\ndef backward(d, x): return x.T @ d", True, True),
        ("net.py", "import numpy as np\nself.grads['W1'] = x.dot(d)\nx = = 1", True, True),
        ("net.py", "import numpy as np\nprint 1\ndW = np.dot(x, d)", True, True),  # Python 2
        ("test_net.py", "import numpy as np\ngradient = x.T @ d", True, False),
        ("net.ipynb", "numpy @ no notebook", True, False),
        ("net.ipynb", notebook("%matplotlib inline\nimport numpy as np\ndelta = x.T @ d"), True, True),
        ("net.py", "import numpy as np\nupgrade = background = timedelta = x.T @ d", False, False),
        ("net.py", "import numpy as np\nx = " + "(" * 5000 + " @ \x00", False, False),
    ],
)
def test_what_a_text_tells(tmp_path, name, text, may, has):
    path = tmp_path / name
    path.write_text(text)
    assert (bool(find_programs([tmp_path])), has_backward_pass(str(path))) == (may, has)


def test_numbers_may_be_drawn_in_a_file_beside_it(folder):
    folder("net/model.py", text="import draw\nw = draw.first()\ndef back_prop(w, x): return w - x\n")
    assert find_programs(["."]) == []
    folder("draw.py", "net/draw.py", text="import random\ndef first(): return random.random()\n")
    assert [program.path for program in find_programs(["."])] == ["net/model.py"]


def test_what_serves_others_is_not_listed(folder, pretend):
    pretend()
    weak = "import numpy as np\nw += np.sum(x)\n"
    folder("a/nothing.py", "a/none.py", text=weak)
    folder("a/nothing but a backward pass.py", "a/test_nothing.py", "a/right.py")
    listed = {o.source: o.verdict for o in compare_many(["a"])}
    assert listed == {"a/none.py": "none", "a/nothing but a backward pass.py": "none", "a/right.py": "right",
                      "a/test_nothing.py": "right"}  # fmt: skip
    (outcome,) = compare_many(["a/nothing.py"])
    assert outcome.problem == "a/nothing.py: no verdict: nothing in it trains"


@pytest.mark.parametrize("code", ["w += np.sum(w)", "import os, shutil; shutil.rmtree(os.getcwd())"])
def test_a_child_says_that_nothing_trains(folder, code):
    folder("a.py", text=f"import numpy as np\nw = np.ones(3)\n{code}\n")
    with pytest.raises(NothingTrains, match=r"^a\.py: no verdict: [^\n]*$"):
        compare_file("a.py", timeout=20)


def test_ten_thousand_files_take_seconds(folder, run):
    folder("plain.py", text="import numpy\nprint(1)\n")
    folder("tool.py", text=TOOL)
    for number in range(10_000 - 2):
        os.link("plain.py" if number % 100 else "tool.py", f"{number}.py")
    assert run(".") == (2, "", "jaxnet: .: no program with a backward pass is there\n")


# --- side by side ---------------------------------------------------------------------------------------------------


def test_the_order_stays_and_the_slowest_holds_up_nobody(folder, pretend):
    """The first program goes on until all others are done."""
    others = [f"right {k:02}.py" for k in range(40)]
    done = threading.Semaphore(0)
    pretend(right=lambda stop: done.release(), first=lambda stop: [done.acquire(timeout=20) for _ in others])
    folder("first.py", *others)
    calls = []
    outcomes = list(compare_many(["first.py", "."], workers=2, watch=lambda *numbers: calls.append(numbers)))
    assert sources(outcomes) == ["first.py", *others]
    assert sorted(calls) == [(k, 41) for k in range(1, 42)]
    assert not done.acquire(blocking=False)


def test_what_is_kept_does_not_grow_with_the_number(folder, pretend, monkeypatch):
    monkeypatch.setattr(many, "AHEAD", 3)
    started = []
    pretend(right=started.append)
    folder(*(f"right {k:02}.py" for k in range(60)))
    for number, _ in enumerate(compare_many(["."], workers=2), 1):
        assert len(started) <= number + 2 * 3
    assert len(started) == 60


@pytest.mark.parametrize("kind", ["right", "scaled", "wrong", "two"])
def test_reports_go_without_arrays_and_say_the_same(folder, pretend, kind):
    pretend()
    folder(f"{kind}.py")
    (light,), (whole,) = compare_many([f"{kind}.py"]), compare_many([f"{kind}.py"], arrays=True)
    assert all(p.given.size == p.true.size == 0 for p in light.report.parameters)
    assert all(p.true.size for p in whole.report.parameters)
    assert (str(light.report), light.report.to_json()) == (str(whole.report), whole.report.to_json())


def test_how_far_off_is_said_without_the_arrays():
    random = np.random.default_rng(0)
    params, X, Y = make_network(random, (6, 4, 3), 9)
    given = backward(params, X, Y, "relu", "softmax", "squared-error", {})
    given[1][0][1] = random.normal(size=4)
    report = jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error")
    assert "all in rows 1; direction" in str(report)
    assert str(report.without_arrays()) == str(report)
    assert str(report.without_arrays().hinted(3)) == str(report.hinted(3))
    assert "entries" not in repr(report.without_arrays().hinted(3))


def test_a_report_is_what_it_is_alone(folder):
    folder("a/right.py")
    folder("a/wrong.ipynb", text=WRONG)
    outcomes = list(compare_many(["a"]))
    assert [line_of(o) for o in outcomes] == [
        "✓ a/right.py",
        "✗ a/wrong.ipynb  dZ1 missing-activation-derivative cell 2 line 12",
    ]
    assert [o.report.to_dict() for o in outcomes] == [compare_file(o.source).to_dict() for o in outcomes]


# --- the end before the end -----------------------------------------------------------------------------------------


def test_what_is_done_comes_after_a_stop(folder, pretend):
    stop = threading.Event()

    def stopped(stop):
        stop.wait(20)
        raise Stopped

    def last(stop):
        stop.set()

    pretend(first=stopped, last=last, never=lambda _: pytest.fail("started after the stop"))
    folder("first.py", "right.py", "last.py", "never.py")
    names = ["first.py", "right.py", "last.py", "never.py"]
    assert sources(compare_many(names, workers=2, stop=stop)) == ["right.py", "last.py"]


def test_nothing_goes_on_when_nobody_takes_the_outcomes(folder, pretend):
    started, ended = threading.Event(), threading.Event()
    pretend(endless=lambda stop: (started.set(), stop.wait(20) and ended.set()))
    folder("a.py", "endless.py")
    outcomes = compare_many(["a.py", "endless.py"], workers=2)
    assert next(outcomes).source == "a.py"
    assert started.wait(20)
    outcomes.close()
    assert ended.is_set()


def test_a_child_is_ended_when_told(folder, monkeypatch, tmp_path):
    processes, stop = [], threading.Event()
    start = child._start

    def started(*arguments):
        processes.append(start(*arguments)[0])
        stop.set()
        return processes[0], "audit-hook"

    monkeypatch.setattr(child, "_start", started)
    folder("endless.py", text=ENDLESS)
    with pytest.raises(Stopped):
        child.run_in_child("endless.py", stop=stop)
    assert processes[0].returncode == -signal.SIGKILL


def test_an_interrupt_keeps_what_is_done(folder, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("temporary")
    folder("class/a.py")
    folder(*(f"class/b{k}.py" for k in range(8)), text=ENDLESS)
    command = [sys.executable, "-c", "from jaxnet.cli import main; main()", "compare", "class", "--json"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    # On a busy machine a second one may have been ended by its own time before the signal came.
    done = [json.loads(text)["source"] for text in (line, *out.splitlines())]
    assert (process.returncode, done) == (130, ["class/a.py", "class/b0.py"][: len(done)])
    assert err == f"jaxnet: interrupted after {len(done)} program{'s' * (len(done) > 1)}\n"
    assert list(temporary.iterdir()) == []
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in running if os.fsencode(temporary) in command]


def test_a_file_that_vanishes_is_one_line(folder, monkeypatch, run):
    folder("a/1.py", "a/2.py")
    monkeypatch.setattr(many, "compare_file", lambda path, **_: Path(path).unlink() or compare_file(path))
    status, out, err = run("a")
    assert (status, err) == (2, "")
    assert out.splitlines()[:2] == ["? a/1.py  there is no such file", "? a/2.py  there is no such file"]


def test_what_vanishes_beside_a_program_is_no_matter_of_its(folder, monkeypatch):
    """Nor is a file that may not be read."""
    copy = shutil.copyfile

    def copied(source, target):
        if Path(source).name == "b.py":
            os.remove(source)
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", copied)
    folder("tree/a.py", "tree/b.py", "tree/c.py", "tree/README.md")
    root, file = child.scratch_copy(Path("tree/a.py"), folder.path / "scratch")
    assert (file.name, sorted(os.listdir(root))) == ("a.py", ["README.md", "a.py", "c.py"])


def test_a_program_that_vanishes_while_it_is_copied_is_one_line(folder, monkeypatch):
    def copied(*_):
        raise FileNotFoundError(2, "No such file or directory", "b.py")

    monkeypatch.setattr(child, "scratch_copy", copied)
    folder("a.py")
    with pytest.raises(ValueError, match=r"^a\.py: cannot be copied: No such file or directory$"):
        compare_file("a.py")


# --- the command ----------------------------------------------------------------------------------------------------

MIXED = ["none.py", "right.py", "scaled.py", "two.py", "wrong.py"]


def test_a_line_each_and_a_summary(folder, pretend, run):
    pretend()
    folder(*MIXED)
    assert run(".") == (
        1,
        "? none.py  no verdict within 60 s\n"
        "✓ right.py\n"
        "≈ scaled.py  loss wrong-scale\n"
        "✗ two.py  db2 summed-over-all-axes; dZ1 missing-activation-derivative\n"
        "✗ wrong.py  db2 summed-over-all-axes\n"
        "\n"
        "5 programs: 1 right, 1 right up to a constant, 2 wrong, 1 without a verdict\n"
        "     2  summed-over-all-axes\n"
        "     1  missing-activation-derivative\n"
        "     1  wrong-scale\n",
        "",
    )
    assert summary(Counter(right=1), Counter()) == "1 program: 1 right"


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["right.py", "scaled.py"], 0),
        (["right.py", "none.py"], 2),
        (["none.py", "wrong.py"], 1),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"], ["--format=github"], ["--format=sarif"], ["--format=gradescope"]])
def test_the_status(folder, pretend, run, names, status, options):
    pretend()
    folder(*names)
    assert run(*names, *options)[0] == status


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["right", "wrong", "none"])
def test_odd_names_in_every_form(folder, pretend, run, odd, kind):
    pretend()
    name = f"{kind} {odd}"
    folder(f"a/{name}", "a/z.py")
    status = {"right": 0, "wrong": 1, "none": 2}[kind]
    found, out, err = run("a", "--html", "page.html")
    assert (found, err) == (status, "")
    assert len(out.splitlines()[:-1]) == 3 + (kind == "wrong")
    assert Path("page.html").read_text()
    found, out, err = run("a", "--json")
    assert (found, err) == (status, "")
    assert [json.loads(line)["source"] for line in out.splitlines()] == [f"a/{name}", "a/z.py"]
    for form in FORMATS:
        found, out, err = run("a", "--format", form)
        assert (found, err) == (status, "")
        if form != "github":
            json.loads(out)


@pytest.mark.slow
def test_odd_names_of_real_programs(folder, run):
    folder(*(f"a/{name}" for name in ODD[2:]), text=WRONG)
    status, out, err = run("a", "--json")
    assert (status, err) == (1, "")
    found = {report["source"]: report["findings"][0]["line"] for report in map(json.loads, out.splitlines())}
    assert found == {f"a/{name}": 12 for name in ODD[2:]}
    status, out, err = run("a/\udcff.py", "--diff")
    assert (status, err) == (1, "")
    subprocess.run(["git", "apply"], input=out, text=True, check=True)
    assert run("a/\udcff.py")[0] == 0


def test_json_lines_say_why_there_is_no_verdict(folder, pretend, run):
    pretend()
    folder("none.py", "wrong.py")
    status, out, err = run("none.py", "wrong.py", "--json")
    assert (status, err) == (1, "")
    first, second = map(json.loads, out.splitlines())
    assert first == {"source": "none.py", "verdict": None, "problem": "no verdict within 60 s"}
    assert (second["source"], second["verdict"]) == ("wrong.py", "wrong")
    assert run("wrong.py", "--format", "json")[1] == f"{out.splitlines()[1]}\n"
    assert run("none.py", "--json") == (2, "", "jaxnet: none.py: no verdict within 60 s\n")


def test_the_formats(folder, pretend, run):
    pretend()
    folder(*MIXED)
    assert [line.split("::")[1].split()[0] for line in run(".", "--format=github")[1].splitlines()] == [
        "warning",
        "warning",
        "error",
        "error",
        "error",
    ]
    results = json.loads(run(".", "--format=sarif")[1])["runs"][0]["results"]
    assert Counter(result["level"] for result in results) == {"error": 3, "warning": 1}
    grades = json.loads(run(".", "--format=gradescope", "--points=10")[1])
    assert grades["score"] == pytest.approx(2 + 2 + 2 * 0.75 + 2 * 0.25)
    assert json.loads(run("none.py", "--format=gradescope")[1])["tests"][0]["status"] == "failed"


@pytest.mark.parametrize("arguments", [["."], ["wrong.py"]])
def test_hints_reach_every_form(folder, pretend, run, arguments):
    pretend()
    folder("wrong.py")
    for options in [[], ["--json"], *(["--format", form] for form in FORMATS)]:
        status, out, _ = run(*arguments, *options, "--hint=1", "--html=page.html")
        assert status == 1
        for text in (out.partition('"results"')[2] if "sarif" in options else out, Path("page.html").read_text()):
            assert "b2" in text
            assert "summed-over-all-axes" not in text
    assert "db2" in run(*arguments, "--hint=2")[1]
    assert "summed-over-all-axes" in run(*arguments, "--hint=3")[1]


def test_one_page_for_all(folder, pretend, run):
    pretend()
    folder(*MIXED)
    run(".", "--html=all.html")
    run("wrong.py", "--html=one.html")
    assert all(name in Path("all.html").read_text() for name in MIXED)
    assert Path("one.html").read_text() == REPORTS["wrong"]._replace(source="wrong.py").html()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["empty"], "empty: no program with a backward pass is there"),
        (["empty", "tools"], "empty, tools: no program with a backward pass is there"),
        (["empty", "--json"], "empty: no program with a backward pass is there"),
        (["nope"], "nope: there is no such file"),
        (["net.py", "--hint=0"], "'--hint'"),
        (["net.py", "--hint=x"], "'--hint'"),
        (["net.py", "--hint=1", "--fix"], "--hint is for those who are to find it"),
        (["net.py", "--diff", "--fix"], "leave out --fix"),
        (["net.py", "--diff", "--json"], "leave out --format"),
        (["net.py", "--json", "--format=sarif"], "--json is --format json, and not sarif"),
        (["net.py", "--format=xml"], "'xml' is not one of 'text'"),
        (["net.py", "--points=5"], "--points is for --format gradescope"),
        (["net.py", "--format=gradescope", "--points=0"], "--points is 0.0"),
        (["net.py", "--format=gradescope", "--points=nan"], "--points is nan"),
        (["net.py", "--html=nope/x.html"], "--html nope/x.html: No such file or directory"),
        (["net.py", "--html=empty"], "--html empty: Is a directory"),
        (["net.py", "tools", "--timeout=0"], "timeout is 0.0"),
    ],
)
def test_bad_input_is_one_line_before_anything_runs(folder, monkeypatch, run, arguments, message):
    folder("net.py")
    folder("tools/tool.py", text=TOOL)
    os.mkdir("empty")
    if arguments[0] != "nope":
        monkeypatch.setattr(many, "compare_file", lambda *_, **__: pytest.fail("it was run"))
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_submission_without_programs_is_graded_by_a_person(folder, run):
    os.mkdir("empty")
    status, out, err = run("empty", "--format=gradescope")
    assert (status, err.count("\n")) == (2, 1)
    assert json.loads(out)["output"] == "There is no program here."


def test_what_is_shown_decides_whether_it_is_mended(folder, monkeypatch, run):
    asked = []

    def compared(path, *, mend, **_):
        asked.append(mend)
        return REPORTS["right"]._replace(source=path)

    monkeypatch.setattr(many, "compare_file", compared)
    folder("a.py", "b.py")
    for arguments in (["."], [".", "--hint=2", "--json"], ["a.py", "--hint=3"]):
        run(*arguments)
    for arguments in (["a.py"], [".", "--json"], [".", "--diff"], [".", "--fix"], [".", "--html=x.html"]):
        run(*arguments)
    assert asked == [0] * 5 + [5.0] * 3 + [60.0] * 4 + [5.0] * 2


@pytest.mark.parametrize("lines_too", [True, False])
def test_a_terminal_has_a_bar_and_the_same_lines(folder, run, lines_too):
    """With the lines on the terminal, and with the lines in a file."""
    names = [f"{'long ' * 30}{k}.py" for k in range(3)]
    status, shown, out = run_on_terminal("compare", *names, columns=300, stdout=lines_too, stderr=True)
    assert status == 2
    plain = run(*names)[1]
    assert "3/3" in shown
    if lines_too:
        assert [line.rstrip() for line in lines_of(shown) if line.startswith("?")] == plain.splitlines()[:3]
    else:
        assert out == plain


# --- mending --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mended(tmp_path_factory):
    """A report on each kind of file with a mistake that can be mended: (folder, reports by name)."""
    where = tmp_path_factory.mktemp("mended")
    (where / "net.py").write_text(WRONG)
    (where / "net.ipynb").write_text(notebook(WRONG))
    return where, {name: compare_file(where / name) for name in ("net.py", "net.ipynb")}


@pytest.fixture
def wrong(mended, tmp_path, monkeypatch):
    """The working directory, with these files in `week 1`, and their reports in the place of `compare_file`."""
    where, reports = mended
    shutil.copytree(where, tmp_path / "week 1")
    monkeypatch.chdir(tmp_path)

    def compared(path, **_):
        return reports[Path(path).name]._replace(source=str(path), root=str(tmp_path / "week 1"))

    monkeypatch.setattr(many, "compare_file", compared)
    return tmp_path / "week 1"


def differing(before, after):
    return [(a, b) for a, b in zip(before.split("\n"), after.split("\n"), strict=True) if a != b]


@pytest.mark.parametrize("name", ["net.py", "net.ipynb"])
def test_fix_writes_one_line_and_leaves_the_rest(wrong, run, name):
    path = wrong / name
    path.chmod(0o640)
    before = path.read_text()
    status, out, err = run(f"week 1/{name}", "--fix")
    assert (status, err) == (0, f"jaxnet: fixed week 1/{name}\n")
    assert "missing-activation-derivative" in out
    ((old, new),) = differing(before, path.read_text())
    assert "dZ1 = dZ2 @ W2.T" in old
    assert new.startswith(old.partition("dZ1")[0] + "dZ1 = ")
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(wrong)) == ["net.ipynb", "net.py"]
    assert compare_file(path).verdict == "right"


def test_a_diff_is_what_fix_writes(wrong, run):
    status, diff, err = run("week 1", "--diff")
    assert (status, err) == (1, "")
    status, out, err = run("week 1", "--fix")
    assert (status, err) == (0, "jaxnet: fixed week 1/net.ipynb\njaxnet: fixed week 1/net.py\n")
    assert out.splitlines()[-2:] == ["2 programs: 2 fixed", "     2  missing-activation-derivative"]
    fixed = {path.name: path.read_bytes() for path in wrong.iterdir()}
    for command in (["patch", "-R", "-p1"], ["git", "apply"], ["git", "apply", "-R"], ["patch", "-p1"]):
        subprocess.run(command, input=diff, text=True, check=True, stdout=subprocess.DEVNULL)
    assert {path.name: path.read_bytes() for path in wrong.iterdir()} == fixed


def test_a_file_that_has_changed_is_left(wrong, run):
    path = wrong / "net.py"
    path.write_text(f"{WRONG}# mine\n")
    status, _, err = run("week 1", "--fix")
    assert status == 1
    assert err == (
        "jaxnet: fixed week 1/net.ipynb\njaxnet: week 1/net.py: has changed since it was run, and is left as it is\n"
    )
    assert path.read_text() == f"{WRONG}# mine\n"


def test_of_several_files_all_are_written_or_none(wrong, mended, monkeypatch):
    report = mended[1]["net.py"]._replace(root=str(wrong))
    (change,) = report.changes.values()
    report = report._replace(changes={"net.py": change, "other.py": change})
    for other in (None, "changed"):
        if other is not None:
            (wrong / "other.py").write_text(other)
        with pytest.raises(ValueError, match=r"week 1/other\.py: [^\n]*$"):
            fixes.write(report)
        assert (wrong / "net.py").read_text() == WRONG
    (wrong / "other.py").write_text(change.text)  # mended before
    assert fixes.write(report) == [wrong / "net.py"]


def test_a_link_stays_a_link(wrong, run, mended):
    os.symlink("week 1/net.py", "net.py")
    assert run("net.py", "--fix")[0] == 0
    assert os.path.islink("net.py")
    assert (wrong / "net.py").read_text() == mended[1]["net.py"].changes["net.py"].text


def test_what_cannot_be_mended_is_said(folder, pretend, run):
    pretend()
    folder("wrong.py", "right.py")
    before = Path("wrong.py").read_bytes()
    for option in ("--diff", "--fix"):
        status, out, err = run(".", option)
        assert status == 1
        assert err == "jaxnet: wrong.py: not mended: db2: summed-over-all-axes\n"
        assert (option == "--diff") == (out == "")
    assert Path("wrong.py").read_bytes() == before


def test_what_is_mended_in_part_is_still_wrong(wrong, run, mended, monkeypatch):
    report = mended[1]["net.py"]._replace(root=str(wrong), source="net.py", unmended=[("db2", "zero")])
    monkeypatch.setattr(many, "compare_file", lambda path, **_: report)
    status, _, err = run("week 1/net.py", "--fix")
    assert (status, err) == (1, "jaxnet: fixed week 1/net.py\njaxnet: week 1/net.py: not mended: db2: zero\n")


def test_the_root_is_that_of_the_tree(folder):
    folder("tree/deep/net.py", "tree/README.md", text=WRONG)
    os.symlink("tree/deep", "short")
    report = compare_file("short/net.py")
    assert report.root == str(folder.path / "tree")
    assert list(report.changes) == ["deep/net.py"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (command, name)
        for command in (["patch", "-p1"], ["git", "apply"])
        for name in ("my net.py", 'a"b\\c.py', "new\nline.py", "\udcff.py", "ä.py")
        if (command[0], name) != ("patch", "new\nline.py")  # which it refuses
    ],
)
def test_diffs_of_odd_names_can_be_applied(folder, command, name):
    folder(name, text="a\x0cb\nc\n")
    diff = unified_diff(name, b"a\x0cb\nc\n", b"a\x0cB\nc\n")
    report = REPORTS["wrong"]._replace(root=str(folder.path), changes={name: Change("", "", diff)})
    subprocess.run(command, input=os.fsencode(fixes.diff_of(report)), check=True, stdout=subprocess.DEVNULL)
    assert Path(name).read_bytes() == b"a\x0cB\nc\n"


# --- what the READMEs show ------------------------------------------------------------------------------------------

ROOT = Path(__file__).parent.parent


def shown_in_readme(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def test_the_workflow_is_one():
    (text,) = shown_in_readme("yaml")
    assert text.count("\n") <= 10
    steps = yaml.safe_load(text)["jobs"]["compare"]["steps"]
    assert [next(iter(step)) for step in steps] == ["uses", "uses", "run", "run"]
    assert steps[-1]["run"] == "jaxnet compare homework --format github"


def test_the_autograder_grades(folder, monkeypatch):
    (text,) = shown_in_readme("bash")
    assert text.count("\n") <= 10
    folder("submission/net.py", "results/kept", text=WRONG)
    jaxnet_command = folder.path / "bin" / "jaxnet"
    jaxnet_command.parent.mkdir()
    jaxnet_command.write_text(f"#!{sys.executable}\nfrom jaxnet.cli import main; main()\n")
    jaxnet_command.chmod(0o755)
    script = text.replace("/autograder", str(folder.path))
    environment = os.environ | {"PATH": f"{jaxnet_command.parent}:{os.environ['PATH']}"}
    subprocess.run(["bash"], input=script, text=True, env=environment, check=True)
    results = json.loads(Path("results/results.json").read_text())
    assert (results["score"], len(results["tests"])) == (50, 4)


def test_the_readme_has_the_words_of_the_catalogue():
    text = (ROOT / "jaxnet/compare/README.md").read_text()
    for code, words in WORDS.items():
        assert f"| `{code}` | {re.sub(r'{[a-z_]+}', '…', words.whole)} |\n" in text
