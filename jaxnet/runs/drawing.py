"""A network as a page to draw digits on, one HTML file that needs no other: drawing.html with the network in it."""

from __future__ import annotations

import base64
import json
import math
from importlib.resources import files

import numpy as np

from jaxnet.network import Network, Params

PLACE = "NETWORK"  # in the template
LARGE = 4 * 2**20  # bytes; from here on a page loads for a moment, and mail may refuse it
SLOW = 20 * 2**20  # bytes; from here on a frame takes longer than a 60th of a second
LARGEST = 500_000_000  # bytes; browsers hold no text of more than 2²⁹ characters


def is_drawable(sizes: tuple[int, ...]) -> bool:
    """Whether a network with layers of these sizes takes a square image."""
    return math.isqrt(sizes[0]) ** 2 == sizes[0]


def drawing_page(network: Network, params: Params, name: str) -> str:
    """The page, for a network whose inputs are a square image. Raises ValueError for others, and for too large ones."""
    if not is_drawable(network.sizes):
        raise ValueError(
            f"{name}: its network takes {network.sizes[0]} inputs; only those of a square image can be drawn"
        )
    count = sum(layer.weights.size + layer.biases.size for layer in params)
    if 4 * count * 4 // 3 > LARGEST:
        raise ValueError(
            f"{name}: {count:,} parameters make a page of {16 * count // 3 // 2**20:,} MB, "
            f"and browsers open none above {LARGEST // 2**20}; train a smaller network"
        )
    layers = [{"weights": _base64(layer.weights), "biases": _base64(layer.biases)} for layer in params]
    content = _json({"name": name, **network._asdict(), "layers": layers})
    before, after = files("jaxnet.runs").joinpath("drawing.html").read_text("utf-8").split(f">{PLACE}<")
    return f"{before}>{content}<{after}"


def _base64(array: object) -> str:
    """float32, lowest byte first."""
    return base64.b64encode(np.asarray(array, "<f4").tobytes()).decode()


def _json(value: object) -> str:
    """JSON that HTML takes for text, whatever is in it: no tag and no comment can begin or end there."""
    return json.dumps(value).replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
