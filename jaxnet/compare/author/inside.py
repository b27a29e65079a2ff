"""What runs in the child process: takes its task, closes the doors, examines the program, sends back what it found."""

from __future__ import annotations

import functools
import gc
import importlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

from jaxnet.compare.author import sandbox

if TYPE_CHECKING:
    import numpy as np

CLOSED = 117  # exit status: the way out was closed


class NothingTrains(ValueError):
    """There is no verdict, since nothing that was run made a step."""


def main() -> None:
    """Import what is needed, take the task, and from then on depend on nothing that the author's code can change."""
    work, scratch = sys.argv[1:3]
    module, _, name = work.partition(":")
    gc.disable()  # a tenth of the time that imports take
    examine = getattr(importlib.import_module(module), name)
    import jax
    import numpy as np

    jax.config.update("jax_cpu_enable_async_dispatch", False)  # another thread takes longer than small arrays do
    jax.devices()  # its threads begin while there is memory for them
    gc.freeze()
    gc.enable()
    pack, leave = functools.partial(_packed, json.dumps, np.savez), os._exit
    task = json.loads(sys.stdin.buffer.read())
    send = _sender(task["token"].encode())
    sandbox.limit(**task["limits"])
    watch = threading.Timer(task["limits"]["seconds"] + 5, leave, [1])  # if the parent is gone
    watch.daemon = True
    watch.start()
    sandbox.arm(Path(scratch))
    examine = functools.partial(examine, **task["flags"])
    outcome = _outcome(examine, Path(task["file"]), Path(task["root"]), pack)
    try:
        send(*outcome)
    except OSError:
        leave(CLOSED)
    leave(0)  # threads that the author's code left behind do not keep us


def _outcome(examine: Callable, file: Path, root: Path, pack: Callable) -> tuple[bytes, bytes]:
    """What `examine` found, or the one line that says why it found nothing, as JSON and .npz."""
    trains = True  # or that is not known
    try:
        report, arrays = examine(file, root)
        return pack({"report": report, "arrays": list(arrays)}, arrays)
    except ValueError as error:
        problem = " ".join(str(error).split())
        trains = not isinstance(error, NothingTrains)
    except MemoryError:
        problem = "the code needs more memory than it is given"
    except RecursionError:
        problem = "the code calls itself without end"
    except SystemExit as error:
        problem = f"the code ended the process (sys.exit({error.code}))"
    except BaseException as error:
        *_, (frame, line) = walk_tb(error.__traceback__)
        where = f"{Path(frame.f_code.co_filename).name}:{line}"
        problem = f"could not be judged: {type(error).__name__}: {' '.join(str(error).split())[:200]} ({where})"
    gone = "" if file.exists() else "; the code deleted its own folder"
    return pack({"error": problem + gone, "trains": trains}, {})


def _packed(dumps: Callable, savez: Callable, report: dict, arrays: dict[str, np.ndarray]) -> tuple[bytes, bytes]:
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"the array {name} holds objects")
    packed = io.BytesIO()
    if arrays:
        savez(packed, **{f"{k}": array for k, array in enumerate(arrays.values())})
    return dumps(report).encode(), packed.getvalue()


def _sender(token: bytes) -> Callable[[bytes, bytes], None]:
    """Moves the way out to where nobody looks for it, and puts /dev/null in the place of the standard files."""
    write, close, null = os.write, os.close, os.open(os.devnull, os.O_RDWR)
    channel = _hidden(1)
    for number in range(3):
        os.dup2(null, number)
    close(null)

    def send(report: bytes, arrays: bytes) -> None:
        rest = memoryview(token + report + token + arrays + token)
        while rest:
            rest = rest[write(channel, rest) :]
        close(channel)

    return send


def _hidden(number: int) -> int:
    """A copy of an open file with a high number, which closing all the usual ones does not close."""
    try:
        import fcntl
        import resource

        most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, wanted), hard))
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, max(most, wanted) - 1 - os.urandom(1)[0])
    except (ImportError, OSError, ValueError):
        return os.dup(number)
