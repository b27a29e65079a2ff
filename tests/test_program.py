"""Programs run as their authors would: imports, statements left out, notebooks, Python 2, names of files and lines."""

import ast
import gc
import json
import linecache
import os
import sys
import time
import types

import numpy as np
import pytest
from judging import PLAIN, examined

from jaxnet.compare.author import attempts, program
from jaxnet.compare.author.smaller import Sizes
from jaxnet.compare.author.statements import read_units
from jaxnet.compare.author.tape import Enough
from jaxnet.compare.author.tree import importers
from jaxnet.compare.author.verdict import verdict


class Author:
    """A tree of files, and how one of them is run with a NumPy that can be told from the real one."""

    def __init__(self, root):
        self.root = root
        self.places = []
        self.numpy = types.ModuleType("numpy")
        self.numpy.__dict__.update(vars(np), made_by="the recorder", here=self._here, enough=self._enough)
        self.numpy.random = self.random = types.ModuleType("numpy.random")
        self.random.__dict__.update(vars(np.random), made_by="the recorder", __all__=["made_by"])

    def _here(self):
        frame = sys._getframe(1)
        self.places.append((frame.f_code.co_filename, frame.f_lineno))

    def _enough(self):
        raise Enough

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def notebook(self, name, *cells):
        content = [{"cell_type": "code", "source": cell.splitlines(True)} for cell in cells]
        return self.write(name, json.dumps({"cells": [{"cell_type": "markdown", "source": ["# 1"]}, *content]}))

    def run(self, name, text=None, **how):
        if text is not None:
            self.write(name, text)
        modules = {"numpy": self.numpy, "numpy.random": self.random, **how.pop("modules", {})}
        return program.run(self.root / name, self.root, modules, **how)


@pytest.fixture
def author(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    return Author(root)


# --- imports --------------------------------------------------------------------------------------------------------

FORMS = {
    "import": "import numpy\nx = numpy.made_by",
    "import as": "import numpy as np\nx = np.made_by",
    "import a.b": "import numpy.random\nx = numpy.random.made_by",
    "import a.b as": "import numpy.random as r\nx = r.made_by",
    "from": "from numpy import made_by as x",
    "from a import b": "from numpy import random\nx = random.made_by",
    "from a.b": "from numpy.random import made_by as x",
    "star": "from numpy.random import *\nx = made_by",
    "import_module": "import importlib\nx = importlib.import_module('numpy').made_by",
    "import_module a.b": "from importlib import import_module\nx = import_module('numpy.random').made_by",
    "__import__": "x = __import__('numpy').made_by",
    "sys.modules": "import sys\nx = sys.modules['numpy'].made_by",
    "exec": "exec('import numpy')\nx = numpy.made_by",
    "inside": "def f():\n    import numpy\n    return numpy.made_by\nx = f()",
    "try": "try:\n    import cupy as np\nexcept ImportError:\n    import numpy as np\nx = np.made_by",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_import_gives_the_replacement(author, form):
    ran = author.run("main.py", FORMS[form])
    assert ran.notes == []
    assert ran.namespace["x"] == "the recorder"
    assert sys.modules["numpy"] is np


@pytest.mark.parametrize("form", FORMS)
def test_modules_of_the_tree_see_the_replacement_too(author, form):
    author.write("helper.py", FORMS[form])
    assert author.run("main.py", "from helper import x").namespace["x"] == "the recorder"


def test_without_a_replacement_the_real_module_is_seen(author):
    """The check of the checks above."""
    author.write("main.py", FORMS["import"])
    ran = program.run(author.root / "main.py", author.root, {})
    assert ran.notes == ["line 2: AttributeError: module 'numpy' has no attribute 'made_by'"]


def test_what_is_not_replaced_is_the_real_thing(author):
    ran = author.run("main.py", "import json, os.path, numpy.linalg\nfrom numpy.linalg import norm\nn = norm")
    assert ran.namespace["json"] is json
    assert ran.namespace["os"] is os
    assert ran.namespace["n"] is np.linalg.norm


def test_a_replacement_below_a_real_module(author):
    special = types.ModuleType("scipy.special")
    special.expit = "mine"
    text = "import scipy.special\nfrom scipy import special\nx = scipy.special.expit, special.expit, scipy.__version__"
    ran = author.run("main.py", text, modules={"scipy.special": special})
    assert ran.notes == []
    assert ran.namespace["x"][:2] == ("mine", "mine")
    import scipy.special

    assert scipy.special.expit != "mine"


@pytest.mark.parametrize("name", ["utils", "random", "queue", "statistics", "data"])
def test_a_file_beside_the_program_hides_a_module_of_that_name_for_the_author_alone(author, name):
    author.write(f"{name}.py", "mine = 1")
    assert author.run("main.py", f"from {name} import mine\nimport tempfile").namespace["mine"] == 1
    import random

    assert not hasattr(random, "mine")


def test_a_folder_does_not_hide_a_module(author):
    author.write("numpy/exercise.py", "")
    author.write("random/exercise.py", "")
    ran = author.run("main.py", "import numpy, random\nx = numpy.made_by, random.random")
    assert ran.notes == []


TREES = {
    "beside": ({"layers.py": "Dense = 1"}, "main.py", "from layers import Dense as x"),
    "package": ({"nn/__init__.py": "", "nn/layers.py": "Dense = 1"}, "main.py", "from nn.layers import Dense as x"),
    "no __init__": ({"nn/layers.py": "Dense = 1"}, "main.py", "import nn.layers\nx = nn.layers.Dense"),
    "re-exported": (
        {"nn/__init__.py": "from .layers import *", "nn/layers.py": "from .base import one\nDense = one",
         "nn/base.py": "one = 1"}, "main.py", "from nn import Dense as x",
    ),
    "submodule": (
        {"nn/__init__.py": "", "nn/layers.py": "Dense = 1"}, "main.py", "from nn import layers\nx = layers.Dense",
    ),
    "root on the path": ({"nn/layers.py": "Dense = 1"}, "scripts/main.py", "from nn.layers import Dense as x"),
    "src on the path": ({"src/nn/layers.py": "Dense = 1"}, "scripts/main.py", "from nn.layers import Dense as x"),
    "elsewhere": ({"a/b/layers.py": "Dense = 1", "z/q.py": ""}, "scripts/main.py", "from layers import Dense as x"),
    "nearest": (
        {"one/layers.py": "Dense = 1", "two/lib/layers.py": "Dense = 2"},
        "one/sub/main.py", "from layers import Dense as x",
    ),
    "moved": ({"layers.py": "Dense = 1"}, "main.py", "from models.layers import Dense as x"),
    "named as the root": (
        {"__init__.py": "", "layers.py": "Dense = 1"}, "main.py", "from repo.layers import Dense as x",
    ),
    "relative, run directly": ({"nn/layers.py": "Dense = 1"}, "nn/main.py", "from .layers import Dense as x"),
    "relative, up": ({"base.py": "one = 1"}, "nn/deep/main.py", "from ...base import one as x"),
    "relative, the package": ({"nn/__init__.py": "one = 1"}, "nn/main.py", "from . import one as x"),
    "sys.path": (
        {"lib/deep/odd.py": "Dense = 1"}, "main.py",
        "import sys\nsys.path.append('lib/deep')\nfrom odd import Dense as x",
    ),
    "by its path": (
        {"01-layers.py": "Dense = 1"}, "main.py",
        "import importlib.util as u\ns = u.spec_from_file_location('l', '01-layers.py')\n"
        "m = u.module_from_spec(s)\ns.loader.exec_module(m)\nx = m.Dense",
    ),
    "in another case": ({"Layers.py": "Dense = 1"}, "main.py", "from layers import Dense as x"),
    "in another case, beside that of somebody else": (
        {"ann/Layers.py": "Dense = 1", "bob/layers.py": "Dense = 2"}, "ann/main.py", "from layers import Dense as x"
    ),
    "relative, in another case": (
        {"nn/Base.py": "one = 1", "nn/__init__.py": "from .base import one"}, "main.py", "from nn import one as x",
    ),
    "each other": ({"a.py": "import b\none = 1", "b.py": "import a"}, "main.py", "from a import one as x"),
}  # fmt: skip


@pytest.mark.parametrize("form", TREES)
def test_modules_are_found_where_authors_put_them(author, form):
    files, main, text = TREES[form]
    for name, content in files.items():
        author.write(name, content)
    ran = author.run(main, text)
    assert ran.notes == []
    assert ran.namespace["x"] == 1


def test_a_module_is_run_once_and_knows_its_name(author):
    author.write("helper.py", "import numpy\nnumpy.here()\nname = __name__")
    author.write("other.py", "import helper")
    ran = author.run("main.py", "import helper, other\nimport helper\nname = helper.name, __name__, __file__")
    assert len(author.places) == 1
    assert ran.namespace["name"] == ("helper", "__main__", str(author.root / "main.py"))


def test_patched_builtins_are_the_authors_own(author):
    text = "import builtins\nbuiltins.len = lambda x: 99\nn = len([])\nfrom helper import m"
    author.write("helper.py", "m = len([])")
    ran = author.run("main.py", text)
    assert (ran.namespace["n"], ran.namespace["m"]) == (99, 99)
    assert len([]) == 0


def test_builtins_can_be_given(author):
    ran = author.run("main.py", "x = input('?')", builtins={"input": lambda _: "7"})
    assert ran.namespace["x"] == "7"


# --- the process ----------------------------------------------------------------------------------------------------


def test_the_process_is_the_authors_while_the_program_runs_and_ours_afterwards(author):
    def state():
        finders = len(sys.path_hooks), len(sys.path_importer_cache)
        return os.getcwd(), sys.argv[:], sys.path[:], sys.modules["__main__"], sys.getrecursionlimit(), finders

    before = state()
    author.write("sub/helper.py", "class A: pass")
    text = (
        "import sys, os, pickle, warnings, numpy\nfrom helper import A\n"
        "seen = os.getcwd(), sys.argv, sys.path[0]\nclass B: pass\n"
        "again = [type(pickle.loads(pickle.dumps(c()))) is c for c in (A, B)]\n"
        "sys.setrecursionlimit(5000)\nos.chdir('/')\nos.environ.clear()\nnumpy.seterr(all='raise')\n"
        "warnings.filterwarnings('error')\nwarnings.warn('mine')\nsys.path.clear()\n"
    )
    settings = np.geterr()
    ran = author.run("sub/main.py", text)
    folder = str(author.root / "sub")
    assert ran.namespace["seen"][0] == folder
    assert ran.namespace["again"] == [True, True]
    assert ran.notes == ["line 11: UserWarning: mine"]
    assert state() == before
    assert np.geterr() == settings
    assert "PATH" in os.environ
    assert "helper" not in sys.modules
    with ran.started():
        assert os.getcwd() == folder
    assert state() == before


def test_files_and_lines_are_those_of_the_tree(author):
    author.write("nn/helper.py", "import numpy\n\ndef f():\n    numpy.here()\n")
    author.run(
        "main.py", "import numpy\nfrom nn.helper import f\n\n\nif __name__ == '__main__':\n    numpy.here()\n    f()"
    )
    assert author.places == [("main.py", 6), ("nn/helper.py", 4)]
    assert linecache.getline("main.py", 6) == "    numpy.here()\n"
    author.places.clear()
    author.notebook("a.ipynb", "import numpy", "%matplotlib inline\n\nnumpy.here()")
    author.run("a.ipynb")
    assert author.places == [("a.ipynb#cell-2", 3)]
    assert linecache.getline("a.ipynb#cell-2", 3) == "numpy.here()"


def test_the_recorder_ends_the_run(author):
    author.write("helper.py", "import numpy\nnumpy.enough()")
    text = "x = 1\ntry:\n    import helper\nexcept Exception:\n    pass\nx = 2"
    ran = author.run("main.py", text)
    assert ran.notes == []
    assert ran.namespace["x"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass",
        "import time; time.sleep(9)",
    ],
)
def test_the_deadline_ends_the_run(author, text):
    start = time.monotonic()
    ran = author.run("main.py", f"x = 1\n{text}\nx = 2", deadline=start + 0.2)
    assert 0.2 < time.monotonic() - start < 2
    assert ran.namespace["x"] == 1
    assert ran.notes[0].endswith("stopped: the time was up")
    assert ran.notes[0].startswith("line ")


# --- what cannot be run ---------------------------------------------------------------------------------------------


def test_a_statement_that_raises_is_noted_and_left_out(author):
    text = "import sys\ndata = open('no.csv')\nn = data.read()\nm = n + 1\nx = 1\n"
    text += "if __name__ == '__main__':\n    f()\n    y = 2"
    ran = author.run("main.py", text)
    assert ran.notes == [
        "line 2: FileNotFoundError: [Errno 2] No such file or directory: 'no.csv'",
        "line 7: NameError: name 'f' is not defined",
        "2 statements that need what is missing",
    ]
    assert (ran.namespace["x"], ran.namespace["y"]) == (1, 2)


def test_notes_say_where_in_the_tree(author):
    author.write("nn/helper.py", "def f():\n    1 / 0\nf()")
    text = "from nn.helper import f\nf()\nraise ValueError('a\\n b')\n"
    ran = author.run("main.py", text + "class E(Exception):\n    def __str__(self): 1 / 0\nraise E")
    assert ran.notes == [
        "nn/helper.py, line 2: ZeroDivisionError: division by zero",
        "line 3: ValueError: a b",
        "line 6: E",
    ]
    said = author.run("other.py", "from nn.helper import g\n").notes  # not where the copy of the tree is
    assert said[-1] == "line 1: ImportError: cannot import name 'g' from 'nn.helper' (nn/helper.py)"


def test_a_fragment_that_does_not_import_numpy(author):
    ran = author.run("main.py", "x = np.made_by")
    assert (ran.namespace["x"], ran.notes) == ("the recorder", ["main.py uses np, which it does not import"])
    author.write("helpers.py", "import numpy as np\nplt = 1")
    ran = author.run("third.py", "from helpers import (plt,\n    np)\nx = np.made_by")
    assert (ran.namespace["x"], ran.notes) == ("the recorder", [])
    ran = author.run("other.py", "try:\n    np.zeros(1)\nexcept NameError:\n    import numpy as np\n    x = 1")
    assert (ran.namespace["x"], ran.notes) == (1, [])


NOW_AND_THEN = """
shown, steps, held, count = [], [], 5, 0
for k in range(4):
    if (k + 1) % 3 == 0:
        value = 10 * k
        shown.append(value)
    if k % 3 == 2:
        held = k
        print(held)
    if k % 3 == 2:
        print(1 / k)
    if k % 3 == 2:
        update(steps.append(k))
    count += 1
    if k % 3 == 2:
        count = 0
        print(count)
    if k % 3 == 0:
        shown.append(-k)
"""


def test_what_is_shown_now_and_then_is_shown_at_once(author):
    """And once more when its turn has come; what steps something waits, and what cannot be shown yet is passed over."""
    ran = author.run("net.py", "def update(_):\n    pass\n" + NOW_AND_THEN)
    assert (ran.namespace["shown"], ran.namespace["steps"], ran.namespace["count"]) == ([0, 0, 20, -3], [2], 1)
    assert ran.notes == []


def test_exit_ends_a_program_but_not_a_notebook(author):
    text = "x = 1\nimport sys\nsys.exit('usage')\nx = 2"
    ran = author.run("main.py", text)
    assert ran.notes == ["line 3: the program ended itself: sys.exit('usage')"]
    assert ran.namespace["x"] == 1
    author.write("helper.py", text)
    ran = author.run("other.py", "x = 1\nimport helper\nx = 2")
    assert ran.namespace["x"] == 1
    author.notebook("a.ipynb", text)
    assert author.run("a.ipynb").namespace["x"] == 2


def test_recursion_is_a_note(author):
    ran = author.run("main.py", "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()\nx = 1")
    (note,) = ran.notes
    assert note.startswith("line 3: RecursionError: maximum recursion depth exceeded")
    assert ran.namespace["x"] == 1


BROKEN = {  # text: what is left, the lines that are noted
    "x = 1\ny = = 2\nz = 3": ("x = 1\npass\nz = 3", [2]),
    "def f():\n    a = 1\n    b = = 2\n    return a": ("def f():\n    a = 1\n    pass\n    return a", [3]),
    "def f():\n    a = (1,\n      2 3)\n    return 4": ("def f():\n    pass\n    return 4", [3]),
    "class A:\n    def f(self:\n        return 1\n    def g(self): return 2": (
        "class A:\n    pass\n    def g(self): return 2",
        [2],
    ),
    "for i in x:\nz = 3": ("pass\nz = 3", [1]),
    "x = 1\n  y = 2\nz = 3": ("x = 1\nz = 3", [2]),
    "z = 3\nx = (1,\n": ("z = 3\npass", [2]),
    "x = '''a\nb": ("pass\nb", [1]),
    "def f():\n    A = g(1)` `\n    return A": ("def f():\n    A = g(1)\n    return A", [2]),
    "x = 1\nreturn x\ny = 2": ("x = 1\nreturn x\ny = 2", []),  # compiles not, but parses
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_line_costs_as_little_as_possible(author, text):
    import ast

    [unit] = read_units(author.write("main.py", text), "main.py")
    expected, lines = BROKEN[text]
    assert [ast.dump(s) for s in unit.body] == [ast.dump(s) for s in ast.parse(expected).body]
    assert [line for line, _ in unit.broken] == lines


def test_what_only_a_compiler_refuses_is_noted(author):
    ran = author.run("main.py", "x = 1\nreturn x\ny = 2")
    assert ran.notes == ["line 2: SyntaxError: 'return' outside function (main.py, line 2)"]
    assert ran.namespace["y"] == 2


def test_broken_lines_are_noted(author):
    assert author.run("main.py", "x = 1\ny = = 2\nz = 3").notes == ["line 2 left out: invalid syntax"]


def test_quotes_of_an_f_string_in_its_braces(author):
    ran = author.run("main.py", "d = {'a': 1, 'b': 2}\nx = f\"{d[\"a\"]} {d['b']}\" + \"c\"")
    assert ran.namespace["x"] == "1 2c"
    assert ran.notes == []


@pytest.mark.parametrize(
    "text", ["", "\0", "(" * 5000, "a b\n" * 200, "\ufeffx = 1", "# -*- coding: nonsense -*-\nx = 1"]
)
def test_any_text_can_be_read(author, text):
    author.run("main.py", text)


NO_TEXT = '{"cells": [{"cell_type": "code", "source": [1]}]}'


@pytest.mark.parametrize(("name", "text"), [("a.ipynb", "{"), ("b.ipynb", "[]"), ("c.txt", ""), ("d.ipynb", NO_TEXT)])
def test_what_is_no_program_is_said(author, name, text):
    """Whoever asks for the file names it."""
    with pytest.raises(ValueError, match=r"^(is not a notebook|expected a \.py or \.ipynb file)"):
        author.run(name, text)


# --- notebooks ------------------------------------------------------------------------------------------------------


def test_a_notebook_is_run_as_ipython_does(author):
    author.write("sub/helper.py", "h = 5")
    author.notebook(
        "sub/a.ipynb",
        "%matplotlib inline\n!pip install torch \\\n  more\nimport numpy as np\nfiles = !ls\nx = 1\nnp?\n?np",
        "%%time\n%time y = x + 1",
        "%%bash\nrm -rf *",
        "%%writefile made.py\nz = 'a'\nw = \"b\"\n",
        "from made import z, w\nfor i in range(2):\n    !ls\n    %timeit i\n    x += 1",
        "%run helper.py\ndisplay(h)\nget_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')",
        "  p = 1\n  q = 2",
    )
    ran = author.run("sub/a.ipynb")
    assert ran.notes == []
    names = ran.namespace
    assert [names[n] for n in "xyzwhpq"] == [3, 2, "a", "b", 5, 1, 2]
    assert "__file__" not in names


def test_a_broken_cell_does_not_end_a_notebook(author):
    author.notebook("a.ipynb", "x = 1\nopen('no')\ny = 2", "def f(:\n    return 1", "z = = 3\nw = 4", "u = y")
    ran = author.run("a.ipynb")
    assert ran.notes == [
        "cell 1, line 2: FileNotFoundError: [Errno 2] No such file or directory: 'no'",
        "cell 2, line 1 left out: invalid syntax",
        "cell 3, line 1 left out: invalid syntax",
    ]
    assert [ran.namespace[n] for n in "xyuw"] == [1, 2, 2, 4]


def test_an_old_notebook(author):
    author.write("a.ipynb", json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}))
    assert author.run("a.ipynb").namespace["x"] == 1


# --- Python 2 -------------------------------------------------------------------------------------------------------

PYTHON2 = r"""
import cPickle, sys
print "a %d" % 1, "b"
print("c"), "d"
print ("e") + "f"
print
print >>sys.stderr, "x", "y"
for i in xrange(3):
	print i,
	if i: print "more", \
		i
try:
    raise ValueError, "bad %s" % "value"
except (ValueError, KeyError), e:
    message = str(e)
table = {"a": 1}
has = table.has_key("a"), 1 <> 2, `3`, 0777, 10L, 0xFFL
pairs = zip([1], [2])
count = len(pairs) + len(map(str, pairs))
half, real = 1 / 2, 1 / 2.0
items = list(table.iteritems())
exec "made = 1" in globals()
text = "print 'no' <> 0777 10L"
rate = 0.01 + .05
s = unicode("u").encode('utf-8').decode("ascii", 'ignore'); n = reduce(lambda a, b: a + b, xrange(4))
"""


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("n = [2 for _ in range(1)]  # xrange in Python 2", 0.5),
        ("n = [2]; said = 'has_key and unicode'", 0.5),
        ("unicode = str; n = [2]; print(f'{n}')", 0.5),
        ("n = [2]; print(raw_input, end='')", 0.5),
        ("import pandas as pd; n = [2]; rows = list(pd.DataFrame({'a': n}).iteritems())", 0.5),
        ("n = [2 for _ in xrange(1)]", 0),
        ("n = [2]; rows = list({'a': n}.iteritems())", 0),
    ],
)
def test_python_2_is_told_by_what_only_it_has(author, text, half):
    """`/` of integers is another one there: neither a comment nor a table of pandas says so."""
    ran = author.run("main.py", f"{text}\nhalf = 1 / n[0]", builtins={"print": lambda *_, **__: None})
    assert ran.namespace["half"] == half
    assert "pandas" in text or not ran.notes


def test_python_2(author):
    said = []
    ran = author.run("main.py", PYTHON2, builtins={"print": lambda *words, **_: said.append(words)})
    names = ran.namespace
    assert ran.notes == []
    assert names["message"] == "bad value"
    assert names["has"] == (True, True, "3", 0o777, 10, 0xFF)
    assert (names["pairs"], names["count"]) == ([(1, 2)], 2)
    assert (names["half"], names["real"], names["rate"]) == (0, 0.5, 0.01 + 0.05)
    assert names["items"] == [("a", 1)]
    assert (names["made"], names["s"], names["n"]) == (1, "u", 6)
    assert "0777 10L" in names["text"]
    assert said[:4] == [("a 1", "b"), ("c", "d"), ("ef",), ()]
    assert ("more", 1) in said


def test_what_a_program_of_python_2_imports_is_of_python_2(author):
    author.write("layers.py", "half = 1 / 2\ntext = file(__file__).read()")
    author.write("new.py", "from layers import half")
    assert author.run("main.py", "print 'a'\nfrom layers import *").namespace["half"] == 0
    assert author.run("new.py").namespace["half"] == 0.5


def test_python_2_keeps_its_lines(author):
    author.run("main.py", "import numpy\nprint 'a', \\\n  'b'\n\nnumpy.here()\nprint 'c'")
    assert author.places == [("main.py", 5)]


def test_an_array_is_not_none(author):
    """As in NumPy before 1.13, where it was no array of comparisons."""
    text = "import numpy as np\nW, b = np.ones(3), None\nfound = [W == None, W != None, b == None, 1 < 2 != None]"
    assert author.run(author.write("net.py", text)).namespace["found"] == [False, True, True, True]


def test_python_3_is_left_alone(author):
    text = "from __future__ import division\nprint('a', end='')\nx = 1 / 2\ny = type(zip([1], [2])) is zip\nexcept_ = 1"
    ran = author.run("main.py", text, builtins={"print": lambda *_, **__: None})
    assert (ran.notes, ran.namespace["x"], ran.namespace["y"]) == ([], 0.5, True)


# --- importers ------------------------------------------------------------------------------------------------------


def test_importers_are_found_and_those_that_train_come_first(author):
    file = author.write("src/nn/layers.py", "class Dense: pass")
    author.write("src/nn/__init__.py", "from .layers import Dense")
    author.write("src/nn/model.py", "from .layers import Dense\ndef fit(): pass")
    author.write("show.py", "from src.nn.layers import Dense\nprint(Dense)")
    author.write(
        "scripts/train.py",
        "from nn import Dense\ndef main():\n    net.fit()\n    net.train()\nif __name__ == '__main__':\n    main()",
    )
    author.notebook("notebooks/a.ipynb", "from src.nn.model import fit", "fit()")
    author.write("tests/test_layers.py", "from nn.layers import Dense\nDense().backward()\nfit()\nstep()")
    author.write("unrelated.py", "layers = 1\nfit()")
    found = [str(path.relative_to(author.root)) for path in importers(file, author.root)]
    assert found == ["scripts/train.py", "notebooks/a.ipynb", "show.py", "tests/test_layers.py"]
    assert len(importers(file, author.root, most=2)) == 2


def test_a_file_that_nobody_imports_has_no_importers(author):
    file = author.write("alone.py", "x = 1")
    author.write("other.py", "fit()")
    assert importers(file, author.root) == []


def _collect_and_wait():
    with program.alarm(time.monotonic() + 0.1):
        gc.collect()
        time.sleep(0.5)


def test_an_alarm_is_not_lost_to_the_garbage_collector():
    """What it calls may not raise: the alarm rings again once that is done."""

    def takes_long(*_):
        begin = time.monotonic()
        while time.monotonic() < begin + 0.2:
            pass

    gc.callbacks.append(takes_long)
    try:
        with pytest.raises(program.OutOfTime):
            _collect_and_wait()
    finally:
        gc.callbacks.remove(takes_long)


def test_annotations_can_be_read_and_may_name_what_is_not_there(author):
    text = """
import numpy as np

def of_its_kind(function):
    def checked(*arguments):
        kinds = function.__annotations__.values()
        return function(*arguments) if all(map(isinstance, arguments, kinds)) else None
    return checked

@of_its_kind
def scores(X: np.ndarray, W: np.ndarray):
    return X @ W

def shown(X: Undefined, more: np.nothing[3] = 2):
    return X

rows: Unknown = 8
result = scores(shown(np.ones((rows, 3))), np.ones((3, 2)))
"""
    ran = author.run("typed.py", text)
    assert ran.notes == []
    assert ran.namespace["result"].shape == (8, 2)


def test_sizes_of_a_program_can_be_smaller():
    """Of what a network is made of, where they have a name; never those of data. Those that differ stay so."""
    text = """
batch_size, HIDDEN = 64, 256
config = {"d_model": 512, "vocab_size": 4000, "n_heads": 8, "epochs": 90}
class Net:
    def __init__(self, inputs=784, hidden_size=128, *, seq_len=32, small_dim=300):
        self.embedding_dim = 100
        self.hidden_size = 256
net = Net(784, n_layers=6, classes=24)
hidden_dim: int = 12
parser.add_argument("-w", "--batch-size", type=int, default=128)
rows = X[:60_000]
"""
    names = {"batch_size", "HIDDEN", "d_model", "n_heads", "hidden_size", "seq_len", "embedding_dim", "n_layers"}
    names |= {"--batch-size", "60000 as"}
    tree = ast.parse(text)

    def shrunk(in_place):
        sizes = Sizes({60_000: 1200})
        sizes.learn(text, tree.body)
        for statement in tree.body:
            sizes.shrink(statement, in_place)
        return sizes.by_name

    given = ["--epochs", "90", "--batch-size", "64", "--verbose", "--hidden", "12"]
    assert Sizes({}).of_arguments(given, in_place=True) == [*given[:3], "7", *given[4:]]
    assert Sizes({}).of_arguments(given, in_place=False) == given

    found = shrunk(in_place=False)
    assert found.keys() == names
    assert {name: found[name] for name in ("batch_size", "n_heads", "n_layers", "seq_len")} == {
        "batch_size": 7, "n_heads": 2, "n_layers": 3, "seq_len": 9}  # fmt: skip
    assert 24 < found["embedding_dim"] < found["hidden_size"] < found["d_model"]  # there are 24 classes
    assert found["HIDDEN"] == found["hidden_size"]
    assert ast.dump(tree) == ast.dump(ast.parse(text))
    assert shrunk(in_place=True) == found
    assert f"batch_size, HIDDEN = (7, {found['HIDDEN']})" in ast.unparse(tree)


@pytest.mark.parametrize("too", ["large", "slow"])
def test_what_is_too_large_or_too_slow_is_run_with_smaller_sizes(tmp_path, monkeypatch, too):
    """There no constant is called wrong, and nothing where a number that is smaller is written out as well."""
    text = """
import numpy as np
rng = np.random.default_rng(0)
hidden_size = 40
X, Y = rng.normal(size=(30, 6)), rng.normal(size=(30, 2))
W, V = rng.normal(size=(6, hidden_size)), rng.normal(size=(hidden_size, 2))
for _ in range(9):
    A = np.tanh(X @ W)
    E = A @ V - Y
    print(np.mean(E ** 2))
    dV, dW = A.T @ E / 30, X.T @ (E @ V.T * (1 - A ** 2)) / 30
    W, V = W - 0.1 * dW, V - 0.1 * dV
"""
    (tmp_path / "net.py").write_text(text)
    assert verdict(tmp_path / "net.py", tmp_path).network["sizes"] == [6, 40, 2]
    if too == "large":
        monkeypatch.setattr(attempts, "ROOM", 1000)
    else:
        text = text.replace("for _", "while hidden_size > 30: pass\nfor _")
    (tmp_path / "net.py").write_text(text)
    report = verdict(tmp_path / "net.py", tmp_path, deadline=time.monotonic() + 8)
    assert (report.verdict, report.network["sizes"]) == ("right", [6, 24, 2])
    note = "run with hidden_size 24: with its own numbers it is too large, or too slow, to be judged"
    assert report.notes == [note]
    if too == "large":
        once = text.replace("for _ in", "b = np.ones(2)\nfor _ in").replace("range(9)", "range(1)")
        (tmp_path / "net.py").write_text(once.replace("A @ V", "A @ V + b"))
        report = verdict(tmp_path / "net.py", tmp_path)
        assert (report.verdict, report.notes, len(report.unjudged)) == ("right", [note], 1)
        (tmp_path / "net.py").write_text(text.replace("/ 30\n    W", "/ 30 * hidden_size / 40\n    W"))
        with pytest.raises(ValueError, match="with smaller sizes the gradient of W1 would be wrong"):
            verdict(tmp_path / "net.py", tmp_path)
        no_slope = text.replace(" * (1 - A ** 2)", "")
        (tmp_path / "net.py").write_text(no_slope)
        report = verdict(tmp_path / "net.py", tmp_path)
        assert ([f.code for f in report.findings], report.notes) == (["missing-activation-derivative"], [note])
        (tmp_path / "net.py").write_text(no_slope.replace("range(9)", "range(40)"))
        with pytest.raises(ValueError, match="with smaller sizes the gradient of W1 would be wrong"):
            verdict(tmp_path / "net.py", tmp_path)


def test_what_is_too_large_is_run_with_fewer_rows_of_its_table(tmp_path, monkeypatch):
    """There a constant may be right with all of them; no other formula is."""
    text = """
import numpy as np
table = np.loadtxt("data.csv", delimiter=",")
X, Y = table[:, :-1], table[:, -1:]
W, V = np.random.randn(3, 4), np.random.randn(4, 1)
for _ in range(9):
    A = np.tanh(X @ W)
    E = A @ V - Y
    print(np.mean(E ** 2) / 2)
    dV, dW = A.T @ E / 900, X.T @ (E @ V.T * (1 - A ** 2)) / len(X)
    W, V = W - 0.1 * dW, V - 0.1 * dV
"""
    np.savetxt(tmp_path / "data.csv", np.random.default_rng(0).normal(size=(900, 4)), delimiter=",")
    (tmp_path / "net.py").write_text(text)
    assert verdict(tmp_path / "net.py", tmp_path).notes == []
    monkeypatch.setattr(attempts, "ROOM", 10_000)
    with pytest.raises(ValueError, match="with smaller sizes the gradient of W2 would be wrong"):
        verdict(tmp_path / "net.py", tmp_path)
    (tmp_path / "net.py").write_text(text.replace("900", "len(X)"))
    report = verdict(tmp_path / "net.py", tmp_path)
    note = "run with rows of data.csv 300: with its own numbers it is too large, or too slow, to be judged"
    assert (report.verdict, report.notes) == ("right", [note])
    split = "np.array([[float(v) for v in line.split(',')] for line in open('data.csv')])"
    lines = text.replace("900", "len(X)").replace('np.loadtxt("data.csv", delimiter=",")', split)
    (tmp_path / "net.py").write_text(lines)
    assert verdict(tmp_path / "net.py", tmp_path).notes == [note]
    (tmp_path / "net.py").write_text(text.replace("900", "len(X)").replace(" * (1 - A ** 2)", ""))
    report = verdict(tmp_path / "net.py", tmp_path)
    assert [f.code for f in report.findings] == ["missing-activation-derivative"]


def test_a_file_s_name_may_hold_what_a_cell_s_does(tmp_path):
    assert examined(tmp_path, PLAIN, name="# of a net")["verdict"] == "right"
