"""Compares a file in a process of its own, so that the author's code can neither hang, crash nor flood this one."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from jaxnet.compare.report import Report

MEMORY = 6 << 30  # bytes of data that the author's code and JAX may use together


def compare_in_child(path: str | Path, *, timeout: float = 60.0, **flags: str | None) -> Report:
    """`jaxnet.compare.files.compare_file(path, **flags)` in another process, within `timeout` seconds and 6 GiB.

    Raises ValueError, of one line, where that does, and where the code runs too long, crashes, or ends its process.
    """
    if not timeout > 0:
        raise ValueError(f"timeout is {timeout}; a positive number of seconds is needed")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result")
        process = subprocess.Popen(
            [sys.executable, "-m", "jaxnet.compare.child", str(path), str(result), json.dumps(flags)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, messages = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"{path}: no verdict within {timeout:g} s; the code may loop without end (or raise --timeout)"
            ) from None
        finally:
            _end(process)
        if not result.exists():
            raise ValueError(f"{path}: {_how_it_ended(process.returncode, messages)}")
        report = pickle.loads(result.read_bytes())
    if isinstance(report, str):
        raise ValueError(report)
    return report


def _end(process: subprocess.Popen) -> None:
    """End the process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _how_it_ended(status: int, messages: bytes) -> str:
    if status < 0:
        return f"the code crashed the process ({signal.Signals(-status).name})"
    last = messages.decode(errors="replace").strip().splitlines()[-1:]
    return f"the code ended the process with status {status}" + (f": {last[0][:200]}" if last and status else "")


def main() -> None:
    path, result, flags = sys.argv[1:]
    try:
        import resource  # not on Windows, where there is no such limit

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass
    from jaxnet.compare.files import compare_file

    try:
        outcome: Report | str = compare_file(path, **json.loads(flags))
    except ValueError as error:
        outcome = " ".join(str(error).split())
    except MemoryError:
        outcome = f"{path}: the code needs more than {MEMORY >> 30} GiB of memory"
    except SystemExit as error:
        outcome = f"{path}: the code ended the process (sys.exit({error.code}))"
    except RecursionError:
        outcome = f"{path}: the code calls itself without end"
    partial = Path(result + ".part")
    partial.write_bytes(pickle.dumps(outcome))
    partial.rename(result)
    sys.stderr.flush()
    os._exit(0)  # threads that the author's code left behind do not keep us


if __name__ == "__main__":
    main()
