"""Any picture of a digit becomes what MNIST would have made of it."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

import jaxnet
from jaxnet.data import write_idx
from jaxnet.runs.images import prepare_image, read_inputs


@pytest.fixture(scope="module")
def digits(mnist):
    """The first 100 test images, (28, 28) each, and their labels."""
    return mnist[1].inputs[:100].reshape(-1, 28, 28), mnist[1].labels[:100]


def enlarged(image, inverted=True, size=(200, 200)):
    return Image.fromarray(255 - image if inverted else image).resize(size, Image.Resampling.BICUBIC)


def distance(first, second):
    """Mean difference of the grey levels, of 255, where a shift by one pixel is none: a centre may lie between two."""
    shifts = [np.roll(second, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(np.abs(first.astype(int) - shifted).mean() for shifted in shifts)


def through(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return Image.open(file)


def test_mnist_stays_mnist(digits):
    """Its own images are fixed points, but for what is too faint to count as ink."""
    for image in digits[0]:
        assert distance(prepare_image(Image.fromarray(image)), image) < 2


def test_the_same_digit_in_any_size_and_colour(digits):
    yellow_on_blue = [[30, 40, 90], [250, 240, 120]]
    for image in digits[0][:20]:
        big = enlarged(image, inverted=False)
        share = np.asarray(big)[..., None] / 255
        coloured = Image.fromarray(np.uint8((1 - share) * yellow_on_blue[0] + share * yellow_on_blue[1]))
        ink = Image.new("RGBA", big.size, (200, 30, 30, 0))
        ink.putalpha(big)
        light_ink = Image.new("RGBA", big.size, (255, 255, 255, 0))
        light_ink.putalpha(big)
        elsewhere = Image.new("L", (900, 500), 255)
        elsewhere.paste(enlarged(image), (650, 20))
        pictures = {
            "inverted": enlarged(image),
            "coloured": coloured,
            "transparent, dark ink": ink,
            "transparent, light ink": light_ink,
            "in a corner": elsewhere,
            "JPEG": through(enlarged(image), "JPEG", quality=50),
            "palette": enlarged(image).convert("P"),
            "CMYK": enlarged(image).convert("RGB").convert("CMYK"),
            "16 bits": Image.fromarray(np.asarray(big).astype(np.uint16) * 257),
        }
        for name, picture in pictures.items():
            assert distance(prepare_image(picture), prepare_image(big)) < 3, name
        for side in (60, 1000):  # the shorter side may come out a pixel wider or narrower
            assert distance(prepare_image(enlarged(image, size=(side, side))), prepare_image(big)) < 12, side


def test_as_accurate_as_on_the_originals(mnist, digits, tmp_path):
    images, labels = digits
    params = jaxnet.init_params(0, (784, 10, 10))
    for epoch in jaxnet.fit(params, *mnist, epochs=1):
        params = epoch.params
    prepared = []
    for number, image in enumerate(images):
        enlarged(image).save(tmp_path / f"{number}.png")
        inputs, known = read_inputs(tmp_path / f"{number}.png")
        assert (inputs.shape, inputs.dtype, known) == ((1, 784), np.uint8, None)
        prepared.append(inputs[0])

    def accuracy(inputs):
        return (jaxnet.forward(params, inputs / np.float32(255)).argmax(axis=1) == labels).mean()

    assert accuracy(np.stack(prepared)) >= 0.95 * accuracy(images.reshape(-1, 784))


@pytest.mark.parametrize("box", [(10, 10, 19, 89), (5, 50, 94, 58), (20, 20, 79, 79)])
def test_the_longer_side_is_20_pixels_and_the_mass_in_the_middle(box):
    picture = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(picture).rectangle(box, fill=0)
    image = prepare_image(picture).astype(float)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    height, width = len(rows), len(columns)
    assert max(height, width) == 20
    scale = 20 / max(box[2] - box[0] + 1, box[3] - box[1] + 1)
    assert (height, width) == pytest.approx((scale * (box[3] - box[1] + 1), scale * (box[2] - box[0] + 1)), abs=1)
    assert image.max() == 255
    for axis in (0, 1):
        mass = image.sum(axis=axis)
        assert abs(mass @ np.arange(28) / mass.sum() - 14) <= 0.5


def test_a_photo_lies_as_the_camera_was_held(digits, tmp_path):
    picture = enlarged(digits[0][0])
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_inputs(tmp_path / "turned.png")[0][0], prepare_image(picture).ravel())


def test_noise_is_no_ink():
    noise = np.random.default_rng(0).normal(0, 6, (300, 400))
    picture = Image.new("L", (400, 300), 120)
    ImageDraw.Draw(picture).line([(200, 60), (200, 240)], fill=40, width=8)
    noisy, clean = (Image.fromarray(np.uint8(np.asarray(picture) + n)) for n in (noise, 0 * noise))
    assert distance(prepare_image(noisy), prepare_image(clean)) < 3
    with pytest.raises(ValueError, match="no ink"):
        prepare_image(Image.fromarray(np.uint8(120 + noise)))


@pytest.mark.parametrize("colour", [(255, 255, 255, 255), (0, 0, 0, 0), (9, 80, 7, 255), (7, 7, 7, 40)])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (200, 100)])
def test_a_picture_without_ink(colour, size):
    with pytest.raises(ValueError, match="no ink"):
        prepare_image(Image.new("RGBA", size, colour))


def test_rows_come_as_they_are(digits, tmp_path):
    images, labels = digits
    for name in ("some.idx3-ubyte", "some.gz"):
        write_idx(tmp_path / name, images)
        inputs, known = read_inputs(tmp_path / name)
        np.testing.assert_array_equal(inputs, images.reshape(100, -1))
        assert known is None
    np.savetxt(tmp_path / "some.csv", np.column_stack([labels, images.reshape(100, -1)]), fmt="%d", delimiter=",")
    inputs, known = read_inputs(tmp_path / "some.csv")
    np.testing.assert_array_equal(inputs, images.reshape(100, -1))
    np.testing.assert_array_equal(known, labels)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.png", None, "No such file"),
        ("text.png", b"hello", "no picture that Pillow can read"),
        ("empty", b"", "no picture that Pillow can read"),
        ("labels", b"\0\0\x08\x01\0\0\0\1\7", "IDX file of 3-dimensional"),
        ("not.gz", b"hello", "cannot be decompressed"),
        ("bad.csv", b"1,2,x\n", "line 1, column 3"),
    ],
)
def test_files_that_are_no_pictures(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_inputs(tmp_path / name)
    assert name in str(caught.value)


def test_a_picture_cut_off_anywhere(digits, tmp_path):
    for kind in ("PNG", "JPEG", "GIF", "BMP"):
        enlarged(digits[0][0]).save(file := io.BytesIO(), kind)
        for length in range(1, len(file.getvalue()) - 20, 97 if kind != "BMP" else 4000):
            (tmp_path / "cut").write_bytes(file.getvalue()[:length])
            with pytest.raises(ValueError, match=r"cut: (no picture|the picture|no ink)"):
                read_inputs(tmp_path / "cut")


def test_a_picture_too_large_for_memory(tmp_path):
    header = bytes.fromhex("49484452 000f4240 000f4240 08 00 00 00 00")  # 10⁶ × 10⁶ pixels of 8 bits
    chunks = len(header[4:]).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big") + b"\0\0\0\0IDAT"
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    with pytest.raises(ValueError, match=r"bomb.png: .*pixels"):
        read_inputs(tmp_path / "bomb.png")
