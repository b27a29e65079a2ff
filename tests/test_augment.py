"""The distortions against oracles in NumPy: how they are drawn, and how an image is interpolated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxnet.augment import AUGMENTATIONS, LEFT_OUT, Strengths, draw_displacements, elastic, smooth_fields, warp
from jaxnet.evaluation import scale_pixels
from jaxnet.runs.plots import draw_distortions

RANDOM = np.random.default_rng(0)
NOTHING = Strengths(alpha=0, rotation=0, scaling=0, shift=0)
DRAWS = 3000


def tents(images, displacements):
    """Bilinear interpolation as a sum over all pixels p of the image, each weighed with (1 − |q + u − p|) of both
    directions, if positive: images (m, side, side), displacements (m, 2, side²).
    """
    side = images.shape[1]
    pixels = np.arange(side)
    rows, columns = np.indices((side, side)).reshape(2, 1, -1) + displacements.transpose(1, 0, 2).astype(float)
    weight = [np.maximum(0, 1 - np.abs(place[..., None] - pixels)) for place in (rows, columns)]
    return np.einsum("mqr,mqc,mrc->mq", *weight, images)


def smoothed_noise_covariance(side, sigma, alpha):
    """Of noise, uniform from −1 to 1, so of variance ⅓, convolved with a Gaussian: (i, i), summed explicitly."""
    margin = int(6 * sigma)
    line = np.exp(-((np.arange(side)[:, None] - np.arange(-margin, side + margin)) ** 2) / (2 * sigma**2))
    line /= line.sum(axis=1, keepdims=True)
    kernels = np.einsum("ya,xb->yxab", line, line).reshape(side * side, -1)
    return alpha**2 / 3 * kernels @ kernels.T


def draw(strengths, side=28, seed=0, examples=DRAWS):
    drawn = jax.jit(draw_displacements, static_argnums=(1, 2, 3))(jax.random.key(seed), examples, side, strengths)
    return np.asarray(drawn, float)


@pytest.mark.usefixtures("device")
def test_a_function_of_the_key_that_treats_each_example_otherwise(mnist):
    images = np.repeat(mnist[0].inputs[:1], 50, axis=0)
    distort = jax.jit(elastic)
    result, again, other = (np.asarray(distort(jax.random.key(seed), images)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(result, again)
    assert len(np.unique(np.concatenate([result, other]), axis=0)) == 100


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_what_comes_out_is_what_the_network_takes(name, mnist):
    images = mnist[0].inputs[:2000]
    result, of_floats = (
        np.asarray(scale_pixels(jax.jit(AUGMENTATIONS[name])(jax.random.key(0), batch)))
        for batch in (jnp.asarray(images), scale_pixels(jnp.asarray(images)))
    )
    assert result.shape == images.shape
    assert result.dtype == np.float32
    assert result.min() == 0
    assert 0.99 < result.max() <= 1
    np.testing.assert_allclose(of_floats, result, atol=1e-6)
    # A digit keeps its ink, but for what is stretched, and does not leave the image.
    ink = result.sum(axis=1) / (images / 255).sum(axis=1)
    assert abs(ink.mean() - 1) < 0.02
    assert 0.4 < ink.min() <= ink.max() < 2.5


@pytest.mark.usefixtures("float64")
def test_float32_whatever_the_default():
    assert jax.eval_shape(elastic, jax.random.key(0), np.ones((2, 9))).dtype == np.float32


@pytest.mark.usefixtures("device")
def test_no_strength_changes_nothing(mnist):
    images = mnist[0].inputs[:100]
    result = jax.jit(elastic, static_argnums=2)(jax.random.key(0), images, NOTHING)
    np.testing.assert_array_equal(result, jax.jit(scale_pixels)(images))  # compiled, x / 255 may be rounded otherwise


@pytest.mark.parametrize("pixels", [2, 50, 785])
def test_images_that_are_not_square(pixels):
    with pytest.raises(ValueError, match=f"an example has {pixels} pixels, which make no square"):
        elastic(jax.random.key(0), jnp.zeros((3, pixels)))


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("side", [1, 5, 28])
@pytest.mark.parametrize("reach", [0.3, 3, 40])
def test_interpolation(side, reach):
    images = RANDOM.integers(256, size=(6, side, side), dtype=np.uint8)
    displacements = RANDOM.uniform(-reach, reach, (6, 2, side * side)).astype(np.float32)
    result = jax.jit(warp)(images.reshape(6, -1), displacements)
    np.testing.assert_allclose(result, tents(images / 255, displacements), atol=1e-5)


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(("down", "right"), [(1, 0), (-2, 5), (0, -100)])
def test_a_whole_number_of_pixels_moves_the_image(down, right, mnist):
    image = mnist[0].inputs[:1]
    displacements = np.tile(np.float32([[down], [right]]), (1, 1, 784))
    expected = np.zeros((28, 28), np.float32)
    for row, column in np.ndindex(28, 28):
        if 0 <= row + down < 28 and 0 <= column + right < 28:
            expected[row, column] = image.reshape(28, 28)[row + down, column + right]
    result = jax.jit(warp)(image, displacements)
    np.testing.assert_allclose(result, expected.reshape(1, -1) / np.float32(255), rtol=1e-6)


@pytest.mark.parametrize(("side", "sigma", "count"), [(28, 6, 23), (28, 4, 42), (10, 2, 24), (5, 3, 6), (1, 4, 1)])
def test_few_fields_hold_the_variance(side, sigma, count):
    fields = smooth_fields(side, sigma)
    left_out = smoothed_noise_covariance(side, sigma, 1) * 12 * np.pi * sigma**2 - fields.T @ fields
    assert len(fields) == count
    assert -1e-4 < np.diag(left_out).mean() <= LEFT_OUT
    assert abs(left_out).max() < 30 * LEFT_OUT  # in a corner, which few of the others resemble


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(("side", "sigma", "alpha"), [(28, 6, 37), (12, 2, 10)])
def test_the_elastic_part_is_smoothed_noise(side, sigma, alpha):
    displacements = draw(NOTHING._replace(sigma=sigma, alpha=alpha), side)
    expected = smoothed_noise_covariance(side, sigma, alpha)
    variance = expected.max()
    assert variance == pytest.approx(alpha**2 / (12 * np.pi * sigma**2), rel=1e-3)
    # Each entry has a standard error of at most √(2 / draws) of the variance.
    tolerance = 6 * (2 / DRAWS) ** 0.5 * variance
    down, right = displacements.transpose(1, 0, 2)
    for first, second, covariance in ((down, down, expected), (right, right, expected), (down, right, 0)):
        assert abs(first.T @ second / DRAWS - covariance).max() < tolerance
    assert abs(displacements.mean(axis=0)).max() < 6 * (variance / DRAWS) ** 0.5


def affine(strengths):
    """The matrices (m, 2, 2) and shifts (m, 2) about the centre that displacements without an elastic part are of."""
    displacements = draw(strengths)
    centred = np.indices((28, 28)).reshape(2, -1) - 13.5
    moved = centred + displacements
    shifts = moved.mean(axis=2)
    matrices = (moved - shifts[..., None]) @ np.linalg.pinv(centred)
    np.testing.assert_allclose(matrices @ centred + shifts[..., None], moved, atol=1e-4)
    return matrices, shifts


@pytest.mark.usefixtures("device")
def test_rotation():
    matrices, shifts = affine(NOTHING._replace(rotation=10))
    np.testing.assert_allclose(matrices @ matrices.transpose(0, 2, 1), np.tile(np.eye(2), (DRAWS, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-5)
    angles = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert angles.std() == pytest.approx(10, rel=0.08)
    assert abs(angles.mean()) < 1
    assert abs(shifts).max() < 1e-4


@pytest.mark.usefixtures("device")
def test_scaling_and_shift():
    matrices, shifts = affine(NOTHING._replace(scaling=0.1, shift=2))
    assert abs(matrices[:, [0, 1], [1, 0]]).max() < 1e-5
    numbers = np.column_stack([matrices[:, 0, 0] - 1, matrices[:, 1, 1] - 1, shifts])
    deviations = np.array([0.1, 0.1, 2, 2])
    # Each standard deviation within 6 of its standard errors, and no two correlated.
    np.testing.assert_allclose(np.cov((numbers / deviations).T), np.eye(4), atol=6 * (2 / DRAWS) ** 0.5)


def test_rotation_is_drawn_before_scaling():
    """Rows of the matrix are scaled: it is S R and not R S, so its rows stay at a right angle."""
    matrices, _ = affine(NOTHING._replace(rotation=20, scaling=0.3))
    assert abs((matrices[:, 0] * matrices[:, 1]).sum(axis=1)).max() < 1e-5


def test_the_picture(mnist, tmp_path):
    draw_distortions(mnist[0].inputs[:2], tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert min(picture.size) > 200
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10
