"""Examines an author's program in a process of its own, so that it can neither hang, crash nor flood this one.

The child (`inside`) gets its task, with a random token, on its standard input, and sends back one JSON text and one
.npz on what was its standard output, with that token before, between and after them; nothing is unpickled. Before any
of the author's code is run, both are moved out of its sight: files 0 to 2 are /dev/null then, and a message without
the tokens is none. So a program that prints, closes or writes to whatever it finds cannot make up a verdict by
accident, or by a simple forgery. It is no seal against code that searches its process's memory for the token.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxnet.compare.author import inside, sandbox
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.scratch import scratch_copy

if TYPE_CHECKING:
    import numpy as np

EXAMINE = "jaxnet.compare.author.verdict:examine"
SOFT = 0.8  # of the time, or until REST seconds before its end where that is later: so long a program is judged
REST = 7.0
LOOK = 0.1  # seconds from one look at whether to stop, or whether the time is up, to the next


class Stopped(Exception):
    """The program was ended because nobody waits for it any more."""


def run_in_child(
    path: str | Path,
    *,
    content: bytes | None = None,
    timeout: float = 60.0,
    memory: int = sandbox.MEMORY,
    work: str = EXAMINE,
    stop: threading.Event | None = None,
    **flags: Any,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `work(file, root, deadline=…, **flags)` returns for a copy of the program, in another process.

    With `content`, that is run in the place of what the file at `path` holds, and there need be none. `work` is
    "module:function"; `deadline` a value of `time.monotonic`. The report's `root` is the folder that was copied.
    Raises ValueError, of one line, where it does, and where the program runs longer than `timeout` seconds, needs more
    than `memory` bytes, crashes, ends itself, or cannot be copied: NothingTrains where it was run and made no step.
    Raises Stopped once `stop` is set.
    """
    if not timeout > 0:
        raise ValueError(f"timeout is {timeout}; a positive number of seconds is needed")
    end = time.monotonic() + timeout
    if content is None and not Path(path).is_file():
        raise ValueError(f"{path}: there is no such file")
    with tempfile.TemporaryDirectory(prefix="jaxnet-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder).resolve()
        (scratch / "tmp").mkdir()
        process, isolation = _start(work, scratch)
        try:
            try:  # while the child imports what it needs
                root, file = scratch_copy(Path(path), scratch / "tree", content)
            except OSError as error:
                raise ValueError(f"{path}: cannot be copied: {error.strerror or error}") from None
            token = os.urandom(16).hex()
            limits, soft = {"seconds": timeout, "memory": memory}, end - min((1 - SOFT) * timeout, REST)
            task = {"token": token, "limits": limits, "file": str(file), "root": str(root)}
            task["flags"] = {"deadline": soft, **flags}
            message, errors, late = _communicate(process, json.dumps(task).encode(), end, stop)
        finally:
            _end(process)
    outcome = _read(message, token.encode())
    if outcome is None:
        why = (
            f"no verdict within {timeout:g} s; the code may loop without end (or raise --timeout)"
            if late
            else _how_it_ended(process.returncode, errors)
        )
        raise ValueError(f"{path}: {why}")
    report, arrays = outcome
    if "error" in report:
        raise (ValueError if report["trains"] else NothingTrains)(f"{path}: {report['error']}")
    original = Path(path).resolve().parents[len(file.relative_to(root).parts) - 1]
    return {**report["report"], "isolation": isolation, "root": str(original)}, arrays


def _start(work: str, scratch: Path) -> tuple[subprocess.Popen, str]:
    path = f"import sys; sys.path.append({str(Path(__file__).parents[3])!r})"
    code = f"{path}; from jaxnet.compare.author import inside; inside.main()"
    command, isolation = sandbox.wrap([sys.executable, "-P", "-c", code, work, str(scratch)], scratch)
    settings = {
        "TMPDIR": str(scratch / "tmp"),
        "JAX_PLATFORMS": "cpu",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # what is compiled is run a few times only
        "OPENBLAS_NUM_THREADS": "1",  # the arrays are small
        "PYTHONHASHSEED": "0",
    }
    pipe, environment = subprocess.PIPE, {**os.environ, **settings}
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)
    return process, isolation


def _communicate(
    process: subprocess.Popen, task: bytes | None, end: float, stop: threading.Event | None
) -> tuple[bytes, bytes, bool]:
    """What the child said on its two pipes, and whether it had to be ended. Raises Stopped once `stop` is set."""
    while stop is None or not stop.is_set():
        try:
            return *process.communicate(task, timeout=LOOK), False
        except subprocess.TimeoutExpired:
            task = None  # it is on its way
        if time.monotonic() >= end:
            _end(process)
            return *process.communicate(), True
    raise Stopped


def _end(process: subprocess.Popen) -> None:
    """End the process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _read(message: bytes, token: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The report and the arrays of a whole message; None for all else."""
    parts = message.split(token)
    if len(parts) != 4:
        return None
    _, text, packed, _ = parts
    report = json.loads(text)
    if not packed:
        return report, {}
    import numpy as np

    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return report, {name: arrays[f"{k}"] for k, name in enumerate(report["arrays"])}


def _how_it_ended(status: int, errors: bytes) -> str:
    number = -status if status < 0 else status - 128  # bubblewrap adds 128, as a shell does
    if number in {known.value for known in signal.Signals}:
        # The ways of XLA and of compiled code to say so.
        short = ", or needs more memory than it is given" if number in (signal.SIGABRT, signal.SIGSEGV) else ""
        return f"the code crashed the process ({signal.Signals(number).name}){short}"
    if status == inside.CLOSED:
        return "the code closed files that it did not open, the way out of its verdict too"
    last = errors.decode(errors="replace").strip().splitlines()[-1:]
    return f"the code ended the process with status {status}" + (f": {last[0][:200]}" if last and status else "")
