"""Hostile programs end in bounded time with one clear line, or go on properly; only their own copy changes.

Each check is checked: what the audit hook refuses is done without it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxnet.compare.author import child, sandbox, scratch
from jaxnet.compare.author.child import run_in_child
from jaxnet.compare.author.scratch import scratch_copy

WORK = """
import numpy as np
from jaxnet.compare.author import program

def examine(file, root, deadline, **flags):
    ran = program.run(file, root, {}, deadline=deadline)
    report = {"notes": ran.notes, "x": repr(ran.namespace.get("x")), "flags": flags}
    return report, {"file": np.arange(3.0), "b/c": np.eye(2)}

def refuse(file, root, deadline):
    raise ValueError("no step\\nwas found")

def fail(file, root, deadline):
    raise KeyError("oh")

def wait(file, root, deadline):
    import time
    time.sleep(60)

def pickled(file, root, deadline):
    return {}, {"a": np.array([print], dtype=object)}
"""


def digest(folder):
    """Of all names, modes, links and contents below a folder."""
    found = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found.update(repr((str(path), path.lstat().st_mode, content)).encode())
    return found.hexdigest()


@pytest.fixture
def examine(tmp_path, monkeypatch):
    """Runs a program's text in a child; the author's folder must be afterwards what it was before."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "work_of_tests.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "work"), prepend=os.pathsep)
    folder = tmp_path / "author"
    folder.mkdir()
    (folder / "data.txt").write_text("precious")
    (folder / "sub").mkdir()
    (folder / "sub" / "more.txt").write_text("more")

    def run(text, *, work="examine", **how):
        (folder / "program.py").write_text(text.replace("AUTHOR", str(folder)))
        before = digest(folder)
        start = time.monotonic()
        how = {"timeout": 10, "memory": 1 << 30, **how}
        try:
            return run_in_child(folder / "program.py", work=f"work_of_tests:{work}", **how)
        finally:
            assert time.monotonic() - start < how["timeout"] + 2
            assert digest(folder) == before

    return run


# --- what comes back ------------------------------------------------------------------------------------------------


def test_the_report_and_the_arrays_come_back(examine):
    report, arrays = examine("x = open('data.txt').read()", loss="mse")
    assert report["x"] == "'precious'"
    assert report["flags"] == {"loss": "mse"}
    assert report["isolation"] in ("namespaces", "audit-hook")
    np.testing.assert_array_equal(arrays["file"], [0, 1, 2])
    np.testing.assert_array_equal(arrays["b/c"], np.eye(2))


@pytest.mark.parametrize(
    ("work", "message"),
    [
        ("refuse", r"program\.py: no step was found$"),
        ("fail", r"could not be judged: KeyError: 'oh' \(work_of_tests\.py:\d+\)$"),
        ("wait", r"no verdict within 0\.7 s; .*--timeout"),
        ("pickled", r"could not be judged: TypeError: the array a holds objects"),
    ],
)
def test_what_goes_wrong_is_one_line(examine, work, message):
    with pytest.raises(ValueError, match=message) as caught:
        examine("x = 1", work=work, timeout=0.7 if work == "wait" else 10)
    assert "\n" not in str(caught.value)


def test_a_message_without_the_token_is_none():
    token = b"t" * 32
    text = b'{"error": "forged"}'
    for other in (b"", b"u" * 32):
        assert child._read(other + text + other + other, token) is None
    whole = token + text + token + token
    assert child._read(whole[:-1], token) is None
    assert child._read(b"", token) is None
    assert child._read(b"noise" + whole + b"noise", token) == ({"error": "forged"}, {})


def test_wrong_arguments_are_said():
    with pytest.raises(ValueError, match="timeout is 0"):
        run_in_child("a.py", timeout=0)
    with pytest.raises(ValueError, match=r"nowhere\.py: there is no such file"):
        run_in_child("nowhere.py")


# --- hostile programs -----------------------------------------------------------------------------------------------

ENDS = {  # program: what the one line says
    "_exit": ("import os\nos._exit(0)", "the code ended the process with status 0"),
    "crash": ("import faulthandler\nfaulthandler._sigsegv()", r"crashed the process \(SIGSEGV\)"),
    "abort": ("import os\nos.abort()", r"crashed the process \(SIGABRT\)"),
    "kills itself": ("import os\nos.kill(os.getpid(), 9)", r"crashed the process \(SIGKILL\)"),
    "memory": ("x = []\nwhile True: x.append(bytearray(1 << 26))", "memory"),
    "closes all": ("import os\nos.closerange(0, 1 << 20)", "closed files that it did not open"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_program_that_ends_its_process_is_one_line(examine, name):
    text, message = ENDS[name]
    with pytest.raises(ValueError, match=message) as caught:
        examine(text)
    assert "\n" not in str(caught.value)


def test_a_program_without_end_is_stopped_before_the_time_is_up(examine):
    report, _ = examine("x = 1\nimport time\ntime.sleep(60)", timeout=4)
    assert report["x"] == "1"
    assert report["notes"] == ["line 3: stopped: the time was up"]


def test_a_program_that_catches_all_is_ended_when_the_time_is_up(examine):
    text = "while True:\n    try:\n        for i in range(10**9): i + 1\n    except BaseException: pass"
    with pytest.raises(ValueError, match="no verdict within 3 s"):
        examine(text, timeout=3)


GOES_ON = {  # program: the notes
    "exit": ("x = 1\nimport sys\nsys.exit(3)", ["line 3: the program ended itself: sys.exit(3)"]),
    "recursion": ("x = 1\ndef f(): f()\nimport sys\nsys.setrecursionlimit(10**9)\nf()", ["line 2: RecursionError"]),
    "threads": ("import threading, time\nthreading.Thread(target=lambda: time.sleep(60)).start()\nx = 1", []),
    "too large an array": ("import numpy as np\ny = np.ones(1 << 30)\nx = 1", ["line 2: MemoryError"]),
    "too large a file": ("f = open('f', 'wb')\nf.seek(1 << 40)\nf.write(b'1'); f.flush()\nx = 1", ["line 3: OSError"]),
    "prints": ("import os\nfor _ in range(300): print('x' * (1 << 20))\nos.write(1, b'x' * (1 << 24))\n"
               "os.write(2, b'x' * (1 << 24))\nx = 1", []),
    "numpy": ("import numpy, json, os\nnumpy.add = numpy.savez = numpy.load = None\n"
              "json.dumps = os.write = os.close = os._exit = None\nx = 1", []),
    "builtins": ("import builtins, sys, os\nbuiltins.len = builtins.print = builtins.isinstance = None\n"
                 "sys.modules.clear(); os.environ.clear()\nx = 1", []),
    "errors": ("import numpy, warnings\nnumpy.seterr(all='raise')\nwarnings.filterwarnings('error')\nx = 1", []),
    "deletes its folder": ("import shutil, os\nshutil.rmtree(os.getcwd())\nx = 1", []),
    "deletes the copy": ("import shutil, os\nshutil.rmtree(os.path.dirname(os.getcwd()))\nx = 1", []),
    "writes beside itself": ("import os, tempfile\nopen('data.txt', 'w').write('z')\nos.makedirs('a/b')\n"
                             "os.rename('sub', 'c')\ntempfile.mkdtemp()\nx = 1", []),
    "writes to all it finds": ("import os\nfor k in range(3000):\n    try: os.write(k, b'{}' * 50)\n"
                               "    except OSError: pass\nx = 1", []),
    "fork": ("import os\nwhile os.fork() >= 0: pass\nx = 1", ["line 2: Refused"]),
    "multiprocessing": ("import multiprocessing as m\nm.Process(target=print).start()\n"
                        "m.get_context('spawn').Process(target=print).start()\nx = 1",
                        ["line 2: Refused", "line 3: Refused"]),
    "author's folder": ("import shutil\nshutil.rmtree('AUTHOR')\nopen('AUTHOR/data.txt', 'a')\nx = 1",
                        ["line 2: Refused", "line 3: Refused"]),
    "through links": ("import os\nos.symlink('AUTHOR', 'here')\nopen('here/new.txt', 'w')\n"
                      "os.link('AUTHOR/data.txt', 'same')\nx = 1", ["line 3: Refused", "line 4: Refused"]),
    "the parent": ("import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)\nos.killpg(0, 9)\nx = 1",
                   ["line 2: Refused", "line 3: Refused", "line 4: Refused"]),
    "ctypes": ("import ctypes\nctypes.string_at(0)\nctypes.CDLL(None)\nctypes.pythonapi.PyErr_Clear()\nx = 1",
               ["line 2: Refused", "line 3: Refused", "line 4: Refused"]),
    "network": ("import socket, urllib.request\nsocket.create_connection(('127.0.0.1', 9))\n"
                "urllib.request.urlopen('http://localhost:9')\nx = 1", ["line 2: Refused", "line 3: URLError"]),
}  # fmt: skip


@pytest.mark.parametrize("name", GOES_ON)
def test_a_program_that_misbehaves_goes_on(examine, name):
    text, notes = GOES_ON[name]
    report, arrays = examine(text)
    assert report["x"] == "1"
    assert len(report["notes"]) == len(notes)
    assert all(note.startswith(expected) for note, expected in zip(report["notes"], notes, strict=True))
    np.testing.assert_array_equal(arrays["b/c"], np.eye(2))


def test_a_child_imports_no_module_of_the_folder_it_is_started_in(examine, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert examine("x = 1")[0]["x"] == "1"


# --- the audit hook -------------------------------------------------------------------------------------------------

ACTIONS = r"""
import os, shutil, socket, sqlite3, subprocess, sys, multiprocessing, ctypes
from pathlib import Path
outside, scratch, armed = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "armed"
descriptor, folder = os.open(outside / "a", os.O_RDONLY), os.open(outside, os.O_RDONLY)
server = socket.create_server(("127.0.0.1", 0))
os.chdir(scratch)
os.symlink(outside / "a", "link")
if armed:
    from jaxnet.compare.author.sandbox import arm
    arm(scratch)
actions = {
    "open w": lambda: open(outside / "new", "w"),
    "open a": lambda: open(outside / "a", "a"),
    "open r+": lambda: open(os.fsencode(outside / "a"), "r+"),
    "through a link": lambda: open("link", "w"),
    "relative": lambda: open(os.path.relpath(outside / "b"), "w"),
    "os.open": lambda: os.open(outside / "d", os.O_CREAT),
    "write_text": lambda: (outside / "e").write_text("x"),
    "mkdir": lambda: os.mkdir(outside / "f"),
    "rename in": lambda: os.rename(outside / "r1", "r1"),
    "rename out": lambda: os.rename("mine", outside / "mine"),
    "replace": lambda: os.replace(outside / "r2", outside / "r3"),
    "link": lambda: os.link(outside / "a", "hard"),
    "symlink": lambda: os.symlink("/", outside / "s"),
    "chmod": lambda: os.chmod(outside / "a", 0o600),
    "fchmod": lambda: os.chmod(descriptor, 0o640),
    "utime": lambda: os.utime(outside / "a", (1, 1)),
    "truncate": lambda: os.truncate(outside / "a", 1),
    "sqlite": lambda: sqlite3.connect(outside / "base").execute("create table t (a)"),
    "copy": lambda: shutil.copy("mine2", outside / "copy"),
    "remove": lambda: os.remove(outside / "a"),
    "remove in a folder": lambda: os.remove("z", dir_fd=folder),
    "rmdir": lambda: os.rmdir(outside / "empty"),
    "rmtree": lambda: shutil.rmtree(outside / "tree"),
    "system": lambda: os.system("true"),
    "Popen": lambda: subprocess.Popen(["true"]).wait(),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], os.environ),
    "connect": lambda: socket.create_connection(server.getsockname()[:2]),
    "bind": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "resolve": lambda: socket.getaddrinfo("127.0.0.1", 80),
    "kill": lambda: os.kill(os.getppid(), 0),
    "ctypes": lambda: exec(compile("ctypes.CDLL(None)", "author.py", "exec")),
    "fork": lambda: os.fork() or os._exit(0),
}
allowed = {
    "write": lambda: open("new", "w").write("x"),
    "append": lambda: open(scratch / "new", "a").write("x"),
    "null": lambda: open(os.devnull, "w").write("x"),
    "read": lambda: open(outside / "kept").read(),
    "remove link": lambda: os.remove("link"),
    "memory": lambda: sqlite3.connect(":memory:").close(),
    "rmtree": lambda: (os.makedirs("t/u"), shutil.rmtree("t")),
    "pair": lambda: [s.close() for s in socket.socketpair()],
    "self": lambda: os.kill(os.getpid(), 0),
}
for name, act in {**actions, **{f"allowed {name}": act for name, act in allowed.items()}}.items():
    try:
        act()
        print("done", name)
    except Exception as error:
        print(type(error).__name__, name, error)
"""


def act(tmp_path, mode):
    outside, inside = tmp_path / "outside", tmp_path / "scratch"
    for name in ("a", "b", "r1", "r2", "z", "kept", "tree/x"):
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_text("kept")
    (outside / "empty").mkdir()
    inside.mkdir()
    (inside / "mine").write_text("x")
    (inside / "mine2").write_text("x")
    before = digest(outside)
    command = [sys.executable, "-W", "ignore", "-c", ACTIONS, str(outside), str(inside), mode]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines(), digest(outside) == before


def test_the_hook_refuses_each_action_outside_and_none_inside(tmp_path):
    lines, unchanged = act(tmp_path, "armed")
    assert unchanged
    for line in lines:
        assert line.startswith("done allowed" if "allowed" in line else "Refused"), line


def test_without_the_hook_each_action_is_done(tmp_path):
    """The check of the check above."""
    lines, unchanged = act(tmp_path, "open")
    assert not unchanged
    assert [line for line in lines if not line.startswith("done")] == []


def test_jax_works_after_the_hook(tmp_path):
    code = (
        "import sys, pathlib; from jaxnet.compare.author.sandbox import arm, limit; import jax, jax.numpy as jnp\n"
        "limit(60); arm(pathlib.Path(sys.argv[1]))\n"
        "print(jax.jit(jax.grad(lambda x: jnp.sum(x @ x)))(jnp.eye(2))[0, 0])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "JAX_PLATFORMS": "cpu"}
    )
    assert said.stdout.strip() == "2.0", said.stderr


# --- namespaces -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bubblewrap(tmp_path, monkeypatch):
    """Puts a program that passes for bwrap on the path."""
    sandbox._namespaces.cache_clear()

    def install(script):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "bwrap").write_text(f"#!/bin/sh\n{script}")
        (tmp_path / "bin" / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")

    yield install
    sandbox._namespaces.cache_clear()


def test_bubblewrap_is_used_where_it_works(bubblewrap, examine, tmp_path):
    bubblewrap(f'echo "$@" >> {tmp_path}/said; while [ "$1" != -- ]; do shift; done; shift; exec "$@"')
    assert examine("x = 1")[0]["isolation"] == "namespaces"
    trial, run = (tmp_path / "said").read_text().splitlines()[:2]
    for option in ("--ro-bind / /", "--unshare-net", "--unshare-pid", "--die-with-parent"):
        assert option in trial
        assert option in run
    assert "--bind" not in trial.replace("--ro-bind", "")


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60"])
def test_bubblewrap_is_not_used_where_it_does_not(bubblewrap, monkeypatch, tmp_path, script):
    bubblewrap(script)
    monkeypatch.setattr(sandbox, "TRIAL", 0.2)
    assert sandbox.wrap(["a"], tmp_path) == (["a"], "audit-hook")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_namespaces_close_what_no_hook_sees(examine, tmp_path):
    sandbox._namespaces.cache_clear()
    text = "import os\nos.mkfifo('AUTHOR/new')\nx = len([p for p in os.listdir('/proc') if p.isdigit()])"
    if sandbox._namespaces() is None:
        pytest.skip("bubblewrap may not work here")
    report, _ = examine(text)
    assert report["notes"][0].startswith("line 2: OSError")
    assert int(report["x"]) < 5


# --- the copy -------------------------------------------------------------------------------------------------------


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_the_tree_of_git_is_copied_without_what_is_not_the_authors(tmp_path):
    root = tree(
        tmp_path / "repo", ".git/HEAD", "README.md", "src/nn/a.py", "data/x.csv", ".venv/lib/a.py", "env/pyvenv.cfg",
        "env/a.py", "node_modules/a.js", "src/__pycache__/a.pyc",
    )  # fmt: skip
    copy, file = scratch_copy(root / "src/nn/a.py", tmp_path / "scratch")
    assert file == copy / "src/nn/a.py"
    assert copy.name == "repo"
    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert files == {"README.md", "src/nn/a.py", "data/x.csv"}


def test_projects_that_lie_side_by_side_are_no_part_of_each_other(tmp_path):
    """Whatever lies above the folder that holds them, unless that has something of its own."""
    one, two = ((f"all/{name}/README.md", f"all/{name}/nn/a.py") for name in ("one", "two"))
    root = tree(tmp_path / "code", "notes.py", *one, *two)
    assert scratch_copy(root / "all/one/nn/a.py", tmp_path / "first")[0].name == "one"
    (root / "all" / "common.py").touch()
    assert scratch_copy(root / "all/one/nn/a.py", tmp_path / "second")[0].name == "code"


def test_without_git_the_topmost_folder_that_looks_like_a_project(tmp_path):
    root = tree(tmp_path / "deep" / "repo", "README.md", "src/nn/a.py", "src/nn/README.md")
    assert scratch_copy(root / "src/nn/a.py", tmp_path / "one")[0].name == "repo"
    (root / "README.md").unlink()
    assert scratch_copy(root / "src/nn/a.py", tmp_path / "two")[0].name == "nn"


def test_a_home_is_not_copied(tmp_path, monkeypatch):
    home = tree(tmp_path / "home", ".git/HEAD", "README.md", "a.py", "photos/b.txt", "work/c.py")
    monkeypatch.setattr(Path, "home", lambda: home)
    assert scratch_copy(home / "work/c.py", tmp_path / "one")[0].name == "work"
    copy, file = scratch_copy(home / "a.py", tmp_path / "two")
    assert file.read_text() == "a.py"
    assert (copy / "photos").is_symlink()


@pytest.mark.parametrize("limit", ["FILES", "BYTES"])
def test_a_tree_that_is_too_large_is_not_copied(tmp_path, monkeypatch, limit):
    root = tree(tmp_path / "repo", ".git/HEAD", *[f"other/{k}.py" for k in range(20)], "nn/a.py", "nn/b.txt")
    monkeypatch.setattr(scratch, limit, 12 if limit == "FILES" else 60)
    copy, file = scratch_copy(root / "nn/a.py", tmp_path / "one")
    assert copy.name == "nn"
    assert {path.name for path in copy.iterdir()} == {"a.py", "b.txt"}
    assert not file.is_symlink()


def test_large_files_and_crowded_folders_are_links(tmp_path, monkeypatch):
    root = tree(tmp_path / "repo", ".git/HEAD", "a.py", "large.csv", *[f"images/{k}" for k in range(20)])
    (root / "large.csv").write_text("x" * 1000)
    monkeypatch.setattr(scratch, "LARGE", 100)
    monkeypatch.setattr(scratch, "CROWDED", 10)
    copy, _ = scratch_copy(root / "a.py", tmp_path / "one")
    assert (copy / "large.csv").readlink() == root / "large.csv"
    assert (copy / "images").readlink() == root / "images"
    copy, file = scratch_copy(root / "images/3", tmp_path / "two")
    assert file.read_text() == "images/3"
    assert not file.is_symlink()
    assert (root / "images/3").read_text() == "images/3"
