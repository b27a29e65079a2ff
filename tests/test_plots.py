"""Each picture is drawn, without a warning, for whatever a run may be; people look at what is on it."""

import numpy as np
import pytest
from PIL import Image

from jaxnet.data import Dataset
from jaxnet.runs import plots

RANDOM = np.random.default_rng(0)


def metrics(epochs, **more):
    names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", *more)
    return [{"epoch": epoch} | dict.fromkeys(names, 1 / epoch) for epoch in range(1, epochs + 1)]


def examples(count, pixels=784):
    return Dataset(RANDOM.integers(256, size=(count, pixels), dtype=np.uint8), np.arange(count, dtype=np.uint8) % 10)


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: plots.draw_curves({"a": (metrics(1), "squared-error")}, path),
        lambda path: plots.draw_curves({"a": (metrics(50, validation_loss=1, validation_accuracy=1), "x")}, path),
        lambda path: plots.draw_curves({f"a{k}": (metrics(k), f"loss {k % 2}") for k in range(1, 9)}, path),
        lambda path: plots.draw_confusion(RANDOM.integers(2000, size=(10, 10)), path),
        lambda path: plots.draw_confusion(RANDOM.integers(2000, size=(3, 3)), path),
        lambda path: plots.draw_confusion(RANDOM.integers(2000, size=(62, 62)), path),
        lambda path: plots.draw_confusion(np.diag([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]), path),
        lambda path: plots.draw_mistakes(examples(40), RANDOM.random((40, 10)), "softmax", path),
        lambda path: plots.draw_mistakes(examples(10), np.eye(10), "softmax", path),
        lambda path: plots.draw_mistakes(examples(40, 50), RANDOM.random((40, 10)), "tanh", path),
        lambda path: plots.draw_weights(RANDOM.normal(size=(10, 784)), path),
        lambda path: plots.draw_weights(RANDOM.normal(size=(300, 100)), path),
        lambda path: plots.draw_weights(np.zeros((1, 7)), path),
    ],
)
def test_a_picture_is_drawn(draw, tmp_path):
    draw(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert min(picture.size) > 200
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    assert len(list(tmp_path.iterdir())) == 1


def test_the_surest_mistakes_come_first(monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        plots, "draw_images", lambda images, captions, title, path: drawn.update(captions=captions, title=title)
    )
    predictions = np.full((10, 10), 0.01)
    guesses = [0, 2, 2, 5, 4, 5, 6, 7, 8, 9]
    predictions[range(10), guesses] = [0.9, 0.6, 0.9, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    plots.draw_mistakes(examples(10), predictions, "softmax", "nowhere")
    assert drawn["captions"] == ["3, taken for 5\n80.0 %", "1, taken for 2\n60.0 %"]
    assert drawn["title"].startswith("The 2 surest of 2 mistakes in 10 ")


def test_an_unknown_kind_of_picture(tmp_path):
    with pytest.raises(ValueError, match="Format 'xyz' is not supported"):
        plots.draw_confusion(np.eye(10, dtype=int), tmp_path / "a.xyz")
