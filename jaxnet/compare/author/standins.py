"""What a program reads and shows: the modules and functions that it sees in the place of the real ones.

Data that are missing are made up (`samples`), files that are there are cut (`files`), plots and the like do nothing
(`inert`). What is installed and harmless stays; what would show, ask, wait, download or run something else never does.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import itertools
import re
import types
from pathlib import Path
from typing import Any

from jaxnet.compare.author import course, facade, libraries
from jaxnet.compare.author.files import LARGE, Files, numpy_readers
from jaxnet.compare.author.imports import derived, is_installed
from jaxnet.compare.author.inert import PROGRESS, InertModule
from jaxnet.compare.author.samples import FIRST_GUESS, Guess, Samples
from jaxnet.compare.author.statements import code_cells, with_pylab

SHOWN = """
    matplotlib mpl_toolkits pylab seaborn plotly bokeh altair IPython ipywidgets tqdm tabulate colorama termcolor rich
    wandb tensorboard tensorboardX mlflow streamlit gradio flask pygame tkinter turtle numba torch torchvision cupy
    tensorflow keras kaggle kagglehub google cv2 fire typer click absl progressbar alive_progress fastprogress manim
    requests wget gdown tensorflow_datasets datasets mnist h5py
"""  # never the real ones, installed or not: they show, ask, compile, log, or take long to load


def stand_ins(
    root: Path, file: Path, numpy: types.ModuleType, guess: Guess = FIRST_GUESS
) -> tuple[dict[str, types.ModuleType], dict[str, Any], Samples]:
    """The modules that the author's tree is to see instead of the real ones, by their dotted names; builtins; and what
    makes up the data.

    `numpy` makes the arrays that the program gets; the module "numpy" among the others is that one, with functions
    that read files as the program finds them.
    """
    texts = _texts(root, file)
    everything = "\n".join(texts.values())
    reached = _reached(texts, file)
    samples = Samples(reached, guess)
    files = Files(root, file, samples)
    known = _known(numpy, samples, files)
    imported = _imported(everything)
    own = {part.removesuffix(".py") for path in root.rglob("*.py") for part in path.relative_to(root).parts}
    in_any_case = {part.lower() for part in own}
    own |= {top for top, _ in map(_ends, imported) if top.lower() in in_any_case and not is_installed(top)}
    shown = set(SHOWN.split())
    ends = {name: _ends(name) for name in imported}
    askers = {path.stem: _imported(text) for path, text in texts.items()}  # no file is the module that it imports

    def has_moved(name: str, last: str) -> bool:
        return last in own and name not in askers.get(last, ())

    foreign = {
        name for name, (top, last) in ends.items() if top not in own and (top in shown or not has_moved(name, last))
    }
    tops = {name.partition(".")[0] for name in foreign}
    gone = {top for top in tops if top in shown or not is_installed(top)}
    used = {name.partition(".")[0] for name in _imported(reached)}
    samples.inert = sorted(used & gone - shown - {key.partition(".")[0] for key in known})
    bound = re.findall(r"^\s*(?:def|class)\s+(\w+)|^([\w, ]+?)\s*=|^(?:from\s.+)?import\s(.+)", everything, re.M)
    defined = {word for names in bound for word in re.findall(r"\w+", " ".join(names))}
    free = {*re.findall(r"\b[A-Za-z]\w*\b", reached)} - defined - {*dir(builtins)} - _starred(reached, known, gone)
    if "pandas" in tops - gone:
        libraries.join_tables()
    modules: dict[str, types.ModuleType] = {}
    for name in {part for whole in foreign for part in _with_parents(whole) if whole.partition(".")[0] in gone}:
        path = re.sub(r"_?v?\d+\w?$", "", name).lower()  # dnn_utils_v2 is dnn_utils
        given = [key.rpartition(".")[2] for key in known if key.rpartition(".")[0] == path]
        wanted = [n for n in free if re.search("_test($|_case)", n)] if "test" in path else sorted(free)
        exported = [*given, *wanted] if path.endswith("pylab") else given or wanted  # which is pyplot, and NumPy
        modules[name] = InertModule(name, path if given else name, known, exported)
    for key, value in known.items():
        name, _, attribute = key.rpartition(".")
        if name.partition(".")[0] in tops - gone and name.rpartition(".")[2] in reached and is_installed(name):
            for part in _with_parents(name):
                if part not in modules:
                    modules[part] = derived(importlib.import_module(part), {})
                    parent, _, child = part.rpartition(".")
                    if parent:
                        setattr(modules[parent], child, modules[part])
            setattr(modules[name], attribute, value)
    modules["numpy"] = derived(numpy, numpy_readers(numpy, files))
    modules["random"] = facade.drawing_numbers()
    return modules, {"open": files.open, "input": libraries.prompt()}, samples


def arguments(file: Path, root: Path) -> list[str]:
    """The arguments that the program would be started with."""
    folders = dict.fromkeys((file.parent, root))
    readmes = [path for folder in folders for path in sorted(folder.iterdir()) if path.stem.lower() == "readme"]
    readme = "\n".join(_text(path) for path in readmes if path.is_file())
    return libraries.arguments(file.name, _text(file), readme.replace("\\\n", " "))


def _known(np: types.ModuleType, samples: Samples, files: Files) -> dict[str, Any]:
    parser = type("ArgumentParser", (libraries.Parser,), {"source": samples.source})
    return {
        **PROGRESS, **libraries.system(files), **libraries.data(np, samples, files), **libraries.mathematics(np),
        "argparse.ArgumentParser": parser, **course.modules(np, samples), **libraries.tables(files, samples),
        **libraries.experiments(), **libraries.commands(),
    }  # fmt: skip


def _texts(root: Path, file: Path) -> dict[Path, str]:
    """The text of the file, and of the other programs around it."""
    others = [path for pattern in ("*.py", "*.ipynb") for path in sorted(root.rglob(pattern))[:200]]
    return {path: _text(path) for path in [file, *others] if path.is_file() and path.stat().st_size < LARGE}


def _reached(texts: dict[Path, str], file: Path) -> str:
    """The text of the file, and of what it imports from its tree, directly or not."""
    reached, waiting = {}, [file]
    while waiting:
        path = waiting.pop()
        if path in texts and path not in reached:
            reached[path] = texts[path]
            lines = re.findall(r"^\s*(?:from|import)\s.+", texts[path], re.M)  # `from package import module`, too
            words = {word for line in lines for word in re.findall(r"\w+", line)}
            waiting += [p for p in texts if (p.parent.name if p.stem == "__init__" else p.stem) in words]
    return "\n".join(reached.values())


def _text(path: Path) -> str:
    if path.suffix == ".ipynb":
        with contextlib.suppress(ValueError):  # it is none
            return with_pylab("\n".join(code_cells(path.read_bytes())))
    return path.read_text(errors="replace")


def _imported(text: str) -> set[str]:
    """The dotted names of the modules that a text imports."""
    found = re.findall(r"^\s*(?:from\s+(\w[\w.]*)\s+import|import\s+(\w[\w., ]*))", text, re.M)
    return {part.split()[0] for pair in found for part in "".join(pair).split(",") if part.split()}


def _starred(text: str, known: dict[str, Any], gone: set[str]) -> set[str]:
    """The names that a text has from all of a module which is there: no other one's `import *` is to hide them."""
    modules = set(re.findall(r"^\s*from\s+(\w[\w.]*)\s+import\s+\*", text, re.M))
    there = [name for name in modules if name.partition(".")[0] not in gone and is_installed(name)]
    names = {key.rpartition(".")[2] for key in known if key.rpartition(".")[0] in modules}
    return names.union(*(dir(importlib.import_module(name)) for name in there))


def _ends(name: str) -> tuple[str, str]:
    return name.partition(".")[0], name.rpartition(".")[2]


def _with_parents(name: str) -> list[str]:
    return list(itertools.accumulate(name.split("."), "{}.{}".format))
