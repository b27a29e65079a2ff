"""The SLURM script and the Kubernetes manifest run, with stand-ins for the clusters that they are for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

CLUSTERS = Path(__file__).parent.parent / "clusters"


def stand_in(folder, name, script):
    """A program of this name that is found before any other."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}


@pytest.mark.slow
def test_the_slurm_script_trains_and_goes_on_when_submitted_again(mnist, environment, tmp_path):
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "digits.npz", **{n: a[:100] for n, a in zip(names, (*mnist[0], *mnist[1]), strict=True)})
    (tmp_path / ".venv").symlink_to(sys.prefix)
    # Of what is given twice the last counts.
    small = "--hidden 8 --batch-size 20 --epochs 2 --processes 1"
    stand_in(tmp_path, "srun", f'echo "$@" >> calls; exec "$@" {small}')
    environment |= {"DATA": str(tmp_path / "digits.npz"), "RUN": str(tmp_path / "run")}
    for _ in range(2):
        script = ["bash", CLUSTERS / "train.slurm"]
        done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "test accuracy" in done.stdout
    first, second = (tmp_path / "calls").read_text().splitlines()
    assert second == f"{first} --resume"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["sizes"] == [784, 8, 10]


def test_the_kubernetes_job_meets_at_its_first_pod(environment, tmp_path):
    service, job = yaml.safe_load_all((CLUSTERS / "kubernetes.yaml").read_text())
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == 4
    # Pods are found by name through the service, which has no address of its own.
    assert service["spec"] == {"clusterIP": "None", "selector": {"job-name": job["metadata"]["name"]}}
    pod = spec["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"]
    (container,) = pod["containers"]
    # Each option is one that the command has: else asking for help would fail.
    stand_in(
        tmp_path, "jaxnet", f'echo "$@"; exec {sys.executable} -c "from jaxnet.cli import main; main()" "$@" --help'
    )
    command = [*container["command"], *container["args"]]
    done = subprocess.run(
        command, env=environment | {"JOB_COMPLETION_INDEX": "3"}, capture_output=True, text=True, check=True
    )
    given = done.stdout.splitlines()[0].split()
    assert given[0] == "train"
    options = dict(zip(given[1::2], given[2::2], strict=True))
    assert options["--coordinator"] == f"{job['metadata']['name']}-0.{pod['subdomain']}:1234"
    assert (options["--processes"], options["--process"]) == ("4", "3")
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert all(any(options[name].startswith(mount) for mount in mounts) for name in ("--data", "--run"))
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
