"""MNIST from its IDX files: what each script beside this one needs, and no more."""

import gzip
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[2] / "data"


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 784), float32 from 0 to 1, and labels (n,) of the set `train` or `t10k`."""
    images = np.frombuffer(gzip.decompress((DATA / f"{name}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((DATA / f"{name}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    return images.reshape(-1, 784).astype(np.float32) / 255, labels
