"""What a run is trained with, and what of it the network and `fit` take."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.data import MOST_CLASSES


class Settings(NamedTuple):
    """What a run is trained with; by default, the notebook's network on MNIST."""

    sizes: tuple[int, ...] = (784, 10, 10)  # of the layers, inputs first
    activation: str = "relu"
    output: str = "softmax"
    loss: str = "squared-error"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    schedule: str = "cosine"
    batch_size: int = 8
    epochs: int = 3
    init: str = "he"
    seed: int = 0
    augment: str = "none"
    validation: float = 0.0  # share of the training examples that is held out
    patience: int = 0  # so many epochs without a better validation loss end the run; 0: none do


def network_options(settings: Settings) -> dict[str, str]:
    """What `evaluate` and `make_loss` take of settings."""
    return {"hidden": settings.activation, "output": settings.output, "loss": settings.loss}


def fit_options(settings: Settings) -> dict[str, Any]:
    """What `fit` takes of settings."""
    names = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed", "augment")
    return {name: getattr(settings, name) for name in names} | network_options(settings)


def parse_settings(path: Path, values: Any) -> Settings:
    """Settings as they were written to JSON. Raises ValueError unless each is there, of the kind its default is."""
    defaults: dict[str, Any] = Settings()._asdict()
    if not isinstance(values, dict):
        raise ValueError(f"{path}: has no settings as jaxnet writes them")
    for name in sorted(values.keys() ^ defaults.keys()):
        problem = "is missing" if name in defaults else "is none that this version of jaxnet knows"
        raise ValueError(f"{path}: setting {name[:60]} {problem}")
    sizes = values["sizes"]
    for name, default in defaults.items():
        good = type(values[name]) is (list if name == "sizes" else type(default))
        if not good or (name == "sizes" and not all(type(size) is int and size > 0 for size in sizes)):
            raise ValueError(f"{path}: setting {name} is {values[name]!r:.60}; the file is damaged")
    if len(sizes) < 2 or not 2 <= sizes[-1] <= MOST_CLASSES:
        raise ValueError(
            f"{path}: sizes are {sizes!r:.60}; inputs first and 2 to {MOST_CLASSES} classes last are needed"
        )
    return Settings(**{**values, "sizes": tuple(sizes)})


def check_unchanged(saved: Settings, given: Settings, options: Iterable[str]) -> None:
    """Raise ValueError if one of these options, each given a value, has another one than in a saved run."""
    for option in options:
        now, before = _option(given, option), _option(saved, option)
        if now != before:
            why = " (the learning rate's schedule depends on it)" if option == "epochs" else ""
            raise ValueError(
                f"--{option.replace('_', '-')} is {now}, but the run has {before}{why}; "
                "leave it out to go on with the run, or train another one"
            )


def _option(settings: Settings, name: str) -> Any:
    """An option's value as the command line has it."""
    if name == "hidden":
        return ",".join(map(str, settings.sizes[1:-1])) or "none"
    return settings.sizes[-1] if name == "classes" else getattr(settings, name)
