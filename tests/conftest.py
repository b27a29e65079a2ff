"""What the tests share: the real MNIST, float64, and every kind of device that is there."""

import gc
import importlib.metadata
import os
import tempfile

# The tests run in several processes; none of them is to take all of a GPU's memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
# What is compiled here is run a few times only: it need not be fast.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    " --xla_cpu_parallel_codegen_split_count=1"
    # Half of the time to compile; later versions have no other emitters.
    + " --xla_cpu_use_fusion_emitters=false"
    * importlib.metadata.version("jaxlib").startswith("0.10."),
)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as where programs are judged: others would wait for work, busily
# What the command line compiles is kept for the session, for all processes, and not in the home of whoever tests.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()

import jax
import numpy as np
import pytest

import jaxnet

jax.config.update("jax_cpu_enable_async_dispatch", False)  # as where programs are judged: the arrays are small
gc.freeze()  # what JAX is made of stays
gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def mnist():
    return jaxnet.load_data()


@pytest.fixture(scope="session")
def real_batch(mnist):
    """128 training images as float64 from 0 to 1, and their one-hot labels."""
    train, _ = mnist
    return train.inputs[:128] / 255, np.eye(10)[train.labels[:128]]


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


PLATFORMS = sorted({device.platform for device in jax.devices()} | {"cpu"})


@pytest.fixture(params=PLATFORMS)
def device(request):
    """Each kind of device in turn, with products of float32 in full precision, as a GPU's tensor cores have not."""
    with jax.default_device(jax.devices(request.param)[0]), jax.default_matmul_precision("highest"):
        yield
