"""Authors' programs are run and judged: right ones, and ones with a mistake planted in a line that is known."""

import numpy as np
import planted
import pytest


@pytest.mark.parametrize("path", planted.PROGRAMS, ids=lambda path: path.stem)
def test_the_programs_are_right(path):
    """Against central differences of the loss that the program prints, in a random direction for each parameter."""
    text = "\n".join(planted.without_mistakes(path.read_text().splitlines()))
    _, gradients = planted.first_step(text)
    random, step = np.random.default_rng(0), 1e-6
    for name, gradient in gradients.items():
        direction = random.normal(size=gradient.shape)
        up, down = (planted.first_step(text, {name: sign * step * direction})[0] for sign in (1, -1))
        given, size = np.sum(gradient * direction), np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert abs((up - down) / (2 * step) - given) < 1e-7 * size, name


@pytest.mark.parametrize("path", planted.PROGRAMS, ids=lambda path: path.stem)
def test_every_planted_mistake_has_its_effect(path):
    _, *mistakes = planted.variants(path)
    assert len(mistakes) >= 3
    for variant in mistakes:
        assert variant.wrong, variant.name
