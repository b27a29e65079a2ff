"""Pictures of digits of any kind, made into what the network was trained on as MNIST itself was made.

MNIST's own preparation (LeCun et al. 1998, section III.A): the digit, in grey levels on 0, keeps its proportions, is
fitted into 20×20 pixels with anti-aliasing, and stands in 28×28 with its centre of mass in the middle.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from jaxnet.data import read_csv, read_idx

SIDE, DIGIT = 28, 20  # pixels
LEAST_CONTRAST = 24  # of 255 between ink and background; less is a blank page, with the noise of a camera
FAINT = 0.15  # of the ink's full strength; less is background: the paper's grain, JPEG's ripples
NOISE = 5  # standard deviations of the border's brightness; less is a camera's noise


def read_inputs(path: str | Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The inputs that a file holds, (m, i) uint8, and their labels where it has them.

    A label-first CSV and an IDX file of images (.gz or not) give their rows as they are; any other file is a
    picture, PNG or JPEG say, prepared by `prepare_image`. Raises ValueError for a file that is neither, and for
    one that is missing or damaged.
    """
    name = str(path)
    if name.removesuffix(".gz").endswith(".csv"):
        return read_csv(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    if name.endswith(".gz") or content.startswith(b"\0\0\x08"):
        images = read_idx(path, 3)
        return images.reshape(len(images), -1), None
    try:
        return prepare_image(_open_image(content)).reshape(1, -1), None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def prepare_image(picture: Image.Image) -> np.ndarray:
    """A picture of one digit as MNIST would have it: (28, 28) uint8, from 0, the background, to 255, the ink.

    Any size and colour. The background is what is transparent, and the brightness along the border; ink is
    what differs from it towards the other end of the picture's range, so that either may be the brighter one.
    Raises ValueError for a picture without ink.
    """
    ink = _ink(picture)
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = DIGIT / max(cropped.shape)
    height, width = (max(1, round(scale * length)) for length in cropped.shape)
    small = np.asarray(Image.fromarray(cropped.astype(np.float32)).resize((width, height), Image.Resampling.HAMMING))
    # A thin line has lost strength to its surroundings; MNIST's strokes have full strength.
    small = small / small.max()
    centred = np.zeros((SIDE, SIDE))
    top, left = (_offset(small.sum(axis=axis)) for axis in (1, 0))
    centred[top : top + height, left : left + width] = small
    return np.rint(255 * centred).astype(np.uint8)


def _ink(picture: Image.Image) -> np.ndarray:
    """How much ink there is in each pixel, from 0 to 1: (height, width)."""
    if picture.mode[0] in "IF":  # 16 bits and more, which Pillow would cut off at 255
        values = np.asarray(picture, np.float32)
        picture = Image.fromarray(np.uint8(255 * (values - values.min()) / max(np.ptp(values), 1)))
    rgba = picture.convert("RGBA")
    grey = np.asarray(rgba.convert("L"), np.float32)
    opacity = np.asarray(rgba.getchannel("A"), np.float32) / 255
    border = np.ones(grey.shape, bool)
    border[1:-1, 1:-1] = False
    seen = border & (opacity > 0.5)
    if seen.sum() * 2 >= border.sum():
        background = float(np.median(grey[seen]))
    else:  # drawn on nothing: on what the drawing stands out from
        background = 255.0 if (opacity * grey).sum() < 127.5 * opacity.sum() else 0.0
    grey = opacity * grey + (1 - opacity) * background
    difference = grey - background
    noise = 1.48 * float(np.median(np.abs(difference[border])))  # of a normal distribution, 1.48 medians are σ
    ink = difference if difference.max() > -difference.min() else -difference
    if ink.max() < max(LEAST_CONTRAST, NOISE * noise):
        raise ValueError("no ink: nothing stands out from the background")
    return np.where(ink < max(FAINT * ink.max(), NOISE * noise), 0, ink / ink.max())


def _offset(mass: np.ndarray) -> int:
    """Where a digit of this mass, by row or column, begins so that its centre is nearest to number 14, as in MNIST."""
    centre = mass @ np.arange(len(mass)) / mass.sum()
    return int(np.clip(round(SIDE / 2 - centre), 0, SIDE - len(mass)))


def _open_image(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            picture = Image.open(io.BytesIO(content))
            picture.load()
            return ImageOps.exif_transpose(picture)  # as the camera was held
    except UnidentifiedImageError:
        raise ValueError("no picture that Pillow can read (PNG, JPEG …), no IDX file, and not named .csv") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # damaged files make Pillow's decoders raise almost anything
        raise ValueError(f"the picture cannot be read ({error}); the file is damaged") from None
