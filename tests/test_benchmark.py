"""The benchmark's contenders train the same network: all parameters are equal after some steps from the same start."""

import importlib.util
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def peers():
    """The module, computing on a CPU: a GPU multiplies with fewer digits."""
    spec = importlib.util.spec_from_file_location("peers", BENCHMARKS / "peers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with jax.default_device(jax.devices("cpu")[0]):
        yield module


def flat(params):
    return np.concatenate([np.ravel(np.asarray(array, np.float64)) for pair in params for array in pair])


@pytest.fixture(scope="module")
def wanted(peers, mnist):
    """Start, batches, and jaxnet's parameters after some steps; widths and batch are no multiples of anything."""
    params, batches = peers.start((784, 33, 18, 10), 7, steps=20, examples=60_000)
    return params, batches, flat(peers.jaxnet_in_epoch(params, batches, mnist[0])())


@pytest.mark.parametrize("contender", ["jaxnet_alone", "jax_loop", "numpy_by_hand", "c_by_hand", "torch_eager"])
def test_contenders_train_the_same_network(peers, mnist, wanted, contender):
    if contender == "torch_eager":
        pytest.importorskip("torch")
    if contender == "c_by_hand" and shutil.which("cc") is None:
        pytest.skip("no C compiler")
    params, batches, expected = wanted
    given = flat(peers.STEPS[contender](params, batches, mnist[0])())
    moved = np.abs(expected - flat(params)).max()
    assert moved > 0.01
    assert np.abs(given - expected).max() < 1e-4 * moved
