"""Every format reads back what was written; what is damaged or wrong is a ValueError that says where.

The oracles are what was written, and parses of the same bytes with `struct` and `int`.
"""

import functools
import gzip
import re
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import jaxnet.data
from jaxnet.data import (
    MNIST_SHA256,
    Dataset,
    count_classes,
    load_data,
    missing_classes,
    read_csv,
    read_idx,
    read_rows,
    write_idx,
)

IDX_NAMES = list(MNIST_SHA256)  # train images, train labels, test images, test labels
NPZ_NAMES = ["x_train", "y_train", "x_test", "y_test"]
KINDS = ["idx", "idx.gz", "csv", "csv.gz", "npz", "npz compressed", "npy"]
HEADERS = ["", "label,1x1,1x2\n", "label,0,1,2\n", '"label","1x1"\n']
TOKENS = [*'0579,,,,\n\n\r "\0', "255", "256", "10", "+3", "-1", "-0", "1.0", "1_0", "٣", "nan", "label,", "\ufeff"]

read_images = functools.partial(read_idx, dimensions=3)


@pytest.fixture(scope="session")
def few(mnist):
    """Real examples, four to train (5041) and four to test (2104): small enough to be damaged a thousand times."""
    return tuple(Dataset(inputs[k : k + 4], labels[k : k + 4]) for k, (inputs, labels) in enumerate(mnist))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """One for all, as Hypothesis calls a test many times; what a test reads there it has just written."""
    return tmp_path_factory.mktemp("data")


def write(folder, kind, train, test):
    """Both sets as files of this kind, alone in a folder of their own, and the path that load_data takes."""
    folder = folder / kind
    folder.mkdir(exist_ok=True)
    suffix = ".gz" if kind.endswith(".gz") else ""
    if kind.startswith("idx"):
        for name, array in zip(IDX_NAMES, (*train, *test), strict=True):
            write_idx(folder / (name + suffix), array if array.ndim == 1 else array.reshape(len(array), 28, -1))
        return folder
    if kind.startswith("npz"):
        save = np.savez if kind == "npz" else np.savez_compressed
        save(folder / "all.npz", **dict(zip(NPZ_NAMES, (*train, *test), strict=True)))
        return folder / "all.npz"
    if kind == "npy":
        for name, array in zip(NPZ_NAMES, (*train, *test), strict=True):
            np.save(folder / name, array)
        return folder
    paths = [f"{folder}/train.csv{suffix}", f"{folder}/test.csv{suffix}"]
    for path, (inputs, labels) in zip(paths, (train, test), strict=True):
        np.savetxt(path, np.column_stack([labels, inputs]), fmt="%d", delimiter=",")
    return ",".join(paths)


def naive_idx(content, dimensions):
    assert content[:4] == bytes([0, 0, 8, dimensions])
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.array(list(content[4 + 4 * dimensions :]), np.uint8).reshape(shape)


def naive_csv(content):
    lines = re.split(r"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf").decode("latin-1"))
    if re.match(r'\s*"?(?!nan\b)[A-Za-z_]{2}', lines[0]):
        del lines[0]
    table = np.array([[int(value) for value in line.split(",")] for line in lines if line])
    return Dataset(table[:, 1:], table[:, 0])


def assert_equal(actual, expected):
    assert actual.inputs.dtype == actual.labels.dtype == np.uint8
    np.testing.assert_array_equal(actual.inputs, np.reshape(expected.inputs, (len(expected.labels), -1)))
    np.testing.assert_array_equal(actual.labels, expected.labels)


def unless_refused(read, path):
    """What is read, or None after a ValueError that names a file. Any other exception fails the test."""
    try:
        return read(path)
    except ValueError as error:
        refused = error
    assert type(refused) is ValueError
    assert str(refused).startswith(tuple(str(path).split(",")))


def refusal(read, path):
    """What the ValueError says after the file's name."""
    named = pytest.raises(ValueError, match=f"^{re.escape(str(path))}: ")
    # What NumPy only warns of must be refused, whatever the user's warning filter is.
    with warnings.catch_warnings(action="ignore"), named as raised:
        read(path)
    return str(raised.value).removeprefix(f"{path}: ")


def test_bundled_mnist(mnist):
    for dataset, count, labels in zip(mnist, (60_000, 10_000), ("5041921314", "7210414959"), strict=True):
        assert dataset.inputs.shape == (count, 784)
        assert dataset.labels.shape == (count,)
        assert dataset.inputs.dtype == dataset.labels.dtype == np.uint8
        assert "".join(map(str, dataset.labels[:10])) == labels


def test_one_changed_pixel_is_no_longer_the_bundled_mnist(mnist, tmp_path, monkeypatch):
    for path in jaxnet.data._bundled_folder().glob("*.gz"):
        (tmp_path / path.name).symlink_to(path)
    changed = mnist[1].inputs.copy()
    changed[1234, 567] ^= 1
    path = tmp_path / "t10k-images-idx3-ubyte"  # it is read in the place of the .gz
    write_idx(path, changed.reshape(-1, 28, 28))
    assert_equal(load_data(tmp_path)[1], Dataset(changed, mnist[1].labels))
    monkeypatch.setattr(jaxnet.data, "_bundled_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=f"^{path}: SHA-256"):
        load_data()


@pytest.mark.parametrize("kind", KINDS)
def test_load_data_reads_every_kind(kind, few, tmp_path):
    for actual, expected in zip(load_data(write(tmp_path, kind, *few)), few, strict=True):
        assert_equal(actual, expected)


@pytest.mark.parametrize("name", ["one.csv", "one.csv.gz", "a,b.csv"])
def test_a_single_csv_is_both_sets(name, few, tmp_path):
    np.savetxt(tmp_path / name, np.column_stack(few[0][::-1]), fmt="%d", delimiter=",")
    for dataset in load_data(str(tmp_path / name)):
        assert_equal(dataset, few[0])


def test_a_comma_in_a_folder_name_does_not_make_it_two_files(few, tmp_path):
    (tmp_path / "a,b").mkdir()
    assert_equal(load_data(write(tmp_path / "a,b", "idx", *few))[1], few[1])


@pytest.mark.parametrize("shape", [(4, 28, 28), (4, 784), (4, 28, 28, 1)])
@pytest.mark.parametrize("convert", [np.asarray, np.asfortranarray, lambda array: array.astype(">i8")])
def test_npz_of_any_shape_and_layout(shape, convert, few, tmp_path):
    written = [Dataset(convert(inputs.reshape(shape)), convert(labels)) for inputs, labels in few]
    for actual, expected in zip(load_data(write(tmp_path, "npz", *written)), few, strict=True):
        assert_equal(actual, expected)


@given(arrays(np.uint8, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)), st.sampled_from(["", ".gz"]))
@settings(deadline=None)
def test_idx_reads_back_equal(folder, array, suffix):
    write_idx(folder / f"array{suffix}", array)
    np.testing.assert_array_equal(read_idx(folder / f"array{suffix}", array.ndim), array, strict=True)


@given(
    table=arrays(np.uint8, array_shapes(min_dims=2, max_dims=2).map(lambda shape: (shape[0], shape[1] + 1))),
    header=st.sampled_from(HEADERS),
    fmt=st.sampled_from(["%d", "%4d", "%+d", "%03d"]),
    newline=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    suffix=st.sampled_from([".csv", ".csv.gz"]),
)
@settings(deadline=None)
def test_csv_reads_back_equal(folder, table, header, fmt, newline, encoding, suffix):
    path = folder / f"table{suffix}"
    np.savetxt(path, table, fmt, ",", newline, header=header.strip(), comments="", encoding=encoding)
    assert_equal(read_csv(path), Dataset(table[:, 1:], table[:, 0]))


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@settings(deadline=None)
def test_damaged_files_give_right_data_or_are_refused(kind, few, folder, data):
    path = write(folder, kind, *few)
    file = data.draw(st.sampled_from(sorted((folder / kind).iterdir())))
    content = file.read_bytes()
    place = st.integers(0, len(content) - 1)

    def flip(at, bit):
        return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]

    def cut_out(start, end):
        return content[:start] + content[end:]

    flipped = st.builds(flip, place, st.integers(0, 7))
    shortened = st.builds(cut_out, place, place | st.just(len(content)))
    file.write_bytes(data.draw(flipped | shortened | st.binary()))
    actual = unless_refused(load_data, path)
    if actual is None:
        return
    if kind == "idx":
        idx = [naive_idx((folder / kind / name).read_bytes(), 3 if "images" in name else 1) for name in IDX_NAMES]
        expected = Dataset(*idx[:2]), Dataset(*idx[2:])
    elif kind == "csv":
        expected = [naive_csv((folder / kind / name).read_bytes()) for name in ("train.csv", "test.csv")]
    elif kind == "npy":
        for inputs, labels in actual:
            assert inputs.dtype == labels.dtype == np.uint8
            assert inputs.shape == (len(labels), inputs.size // len(labels))
        assert actual[1].labels.max() <= actual[0].labels.max()
        return
    else:
        expected = few  # the checksums of .gz and .npz let nothing else pass
    for one, other in zip(actual, expected, strict=True):
        assert_equal(one, other)


@given(st.lists(st.sampled_from(TOKENS), max_size=20).map("".join).map(str.encode) | st.binary())
@settings(deadline=None, max_examples=1000)
def test_any_csv_gives_right_data_or_is_refused(folder, content):
    (folder / "any.csv").write_bytes(content)
    actual = unless_refused(read_csv, folder / "any.csv")
    if actual is not None:
        assert_equal(actual, naive_csv(content))


@given(st.lists(st.sampled_from([0, 1, 2, 3, 2**31, 2**32 - 1]), min_size=3, max_size=3), st.binary(max_size=12))
@settings(deadline=None, max_examples=300)
def test_any_idx_gives_right_data_or_is_refused(folder, sizes, values):
    content = b"\0\0\x08\x03" + struct.pack(">3I", *sizes) + values
    (folder / "any").write_bytes(content)
    actual = unless_refused(read_images, folder / "any")
    if actual is not None:
        np.testing.assert_array_equal(actual, naive_idx(content, 3), strict=True)


@given(
    row=st.integers(0, 3),
    column=st.just(0) | st.integers(1, 784),
    value=st.sampled_from(["256", "-1", "5.7", "1.0", "1e2", "x", "nan", "None", "", "0x1", "1_0", "٣", '"3"', "3;4"]),
    header=st.sampled_from(HEADERS),
    blank_lines=st.integers(0, 2),
    suffix=st.sampled_from([".csv", ".csv.gz"]),
)
@settings(deadline=None)
def test_a_fault_in_csv_is_found_in_its_place(few, folder, row, column, value, header, blank_lines, suffix):
    table = np.column_stack(few[0][::-1]).astype(object)
    table[row, column] = value
    lines = [",".join(map(str, values)) for values in table]
    lines[row] = "\n" * blank_lines + lines[row]
    content = (header + "\n".join(lines)).encode()
    path = folder / f"fault{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    what = "pixel" if column else "label"
    place = f"line {row + 1 + blank_lines + bool(header)}, column {column + 1}"
    assert refusal(read_csv, path) == f"{place}: {what} {value!r} is not a whole number from 0 to 255"


@given(st.integers(1, 3), st.integers(1, 900).filter(lambda length: length != 785), st.sampled_from(HEADERS))
@settings(deadline=None)
def test_a_csv_line_of_another_length_is_found(folder, row, length, header):
    lines = [["1"] * (length if line == row else 785) for line in range(4)]
    path = folder / "ragged.csv"
    path.write_text(header + "\n".join(map(",".join, lines)))
    place = f"line {row + 1 + bool(header)}"
    assert refusal(read_csv, path) == f"{place}: {length} values, but the lines before have 785"


@pytest.mark.parametrize("kind", KINDS)
@given(row=st.integers(0, 3), label=st.integers(6, 255))
@settings(deadline=None, max_examples=20)
def test_a_test_set_with_a_class_more_is_refused(kind, few, folder, row, label):
    sets = few[0], Dataset(few[1].inputs, few[1].labels.copy())
    sets[1].labels[row] = label
    path = write(folder, kind, *sets)
    assert refusal(load_data, path).startswith(
        f"test example {row + 1} has label {label}, but those of the training set end at 5; if that is meant, say"
    )
    if label < 255:
        assert_equal(load_data(path, label + 1)[1], sets[1])


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_one_class_only(kind, few, tmp_path):
    path = write(tmp_path, kind, *(few_of_one._replace(labels=0 * few_of_one.labels) for few_of_one in few))
    assert refusal(load_data, path) == "all training examples have label 0; two classes or more are needed"


@pytest.mark.parametrize("classes", [-1, 0, 1, 257])
def test_numbers_of_classes_that_none_can_have(classes):
    with pytest.raises(ValueError, match=f"^{classes} classes; a number from 2 to 256 is needed$"):
        load_data(None, classes)


@pytest.mark.parametrize(
    ("labels", "count", "missing"),
    [([0, 1, 2], 3, []), ([5, 1, 1, 3], 6, [2, 4]), ([255, 254], 256, []), ([0, 255], 256, list(range(1, 255)))],
)
def test_classes_are_counted_and_gaps_are_found(labels, count, missing):
    assert count_classes(np.array(labels, np.uint8)) == count
    assert missing_classes(np.array(labels, np.uint8)) == missing


@given(st.integers(0, 3), st.integers(10, 255))
@settings(deadline=None)
def test_a_label_too_high_is_found_in_its_place(few, folder, row, label):
    def load_digits(path):
        return load_data(path, 10)

    def read_digits(path):
        return read_csv(path, 10)

    sets = few[0], Dataset(few[1].inputs, few[1].labels.copy())
    sets[1].labels[row] = label
    place = f"t10k-labels-idx1-ubyte[{row}]"
    assert (
        refusal(load_digits, write(folder, "idx", *sets)) == f"{place} is {label}; whole numbers from 0 to 9 are needed"
    )
    test_csv = write(folder, "csv", *sets).split(",")[1]
    place = f"line {row + 1}, column 1"
    assert refusal(read_digits, test_csv) == f"{place}: label '{label}' is not a whole number from 0 to 9"


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 783), st.sampled_from([-1, 256, 2**40]))
@settings(deadline=None)
def test_a_value_out_of_range_in_npz_is_found_in_its_place(few, folder, which, row, column, value):
    arrays = [array.astype(np.int64) for array in (*few[0], *few[1])]
    place = (row, column)[: arrays[which].ndim]
    arrays[which][place] = value
    message = f"{NPZ_NAMES[which]}{list(place)} is {value}; whole numbers from 0 to 255 are needed"
    assert refusal(load_data, write(folder, "npz", Dataset(*arrays[:2]), Dataset(*arrays[2:]))) == message


ONE_PIXEL = b"\0\0\x08\x03" + b"\0\0\0\x01" * 3  # the header of one image of 1 × 1


@pytest.mark.parametrize(
    ("read", "name", "content", "message"),
    [
        (
            read_images,
            "empty",
            b"",
            "starts with bytes (none); an IDX file of 3-dimensional uint8 starts with 00 00 08",
        ),
        (read_images, "labels", b"\0\0\x08\x01\0\0\0\x01\x05", "starts with bytes 00 00 08 01;"),
        (read_images, "floats", b"\0\0\x0d\x03" + bytes(16), "starts with bytes 00 00 0d 03;"),
        (read_images, "header", ONE_PIXEL[:8], "8 bytes, but its header announces shape (1, 0, 0), which takes 16;"),
        (read_images, "short", ONE_PIXEL, "16 bytes, but its header announces shape (1, 1, 1), which takes 17;"),
        (read_images, "long", ONE_PIXEL + b"ab", "18 bytes, but its header announces shape (1, 1, 1), which takes 17;"),
        (read_images, "plain.gz", ONE_PIXEL, "damaged or cut off, it cannot be decompressed (Not a gzipped file"),
        (read_csv, "empty.csv", b"", "no examples; expected a label and pixels on each line"),
        (read_csv, "empty.csv.gz", b"", "no examples"),
        (read_csv, "blank.csv", b"\n\r\n\n", "no examples"),
        (read_csv, "byte-order-mark.csv", b"\xef\xbb\xbf", "no examples"),
        (read_csv, "header.csv", b"label,1x1\n", "no examples"),
        (read_csv, "labels.csv", b"label\n5\n0\n", "one value a line; expected a label and pixels on each line"),
        (read_csv, "letter.csv", b"x,0\n5,0\n", "line 1, column 1: label 'x' is not"),  # a damaged digit, no header
        (read_csv, "missing.csv", b"nan,0\n5,0\n", "line 1, column 1: label 'nan' is not"),
        # Characters so high crash NumPy's parser, if they reach it.
        (read_csv, "high.csv", "\ufeff5,0\n5\U0010ffff,0\n".encode(), r"line 2, column 1: label '5\U0010ffff' is not"),
        (read_csv, "comment.csv", b"5,0\n#5,0\n", "line 2, column 1: label '#5' is not"),
        (read_csv, "header-again.csv", b"label,1x1\n5,0\nlabel,1x1\n", "line 3, column 1: label 'label' is not"),
        (read_csv, "header-below.csv", b"\nlabel,1x1\n5,0\n", "line 2, column 1: label 'label' is not"),
        (read_csv, "no.csv.bz2", b"BZh9,1\n", "no examples"),  # NumPy must not unpack it behind the header's back
        (load_data, "plain.csv.gz", b"5,0\n", "damaged or cut off, it cannot be decompressed (Not a gzipped file"),
        (load_data, "empty.npz", b"", "x_train cannot be read (File is not a zip file); the file is damaged"),
        (load_data, "train.parquet", b"PAR1", "neither a folder of IDX or .npy files nor a .csv, .csv.gz or .npz file"),
    ],
)
def test_content_that_is_refused(read, name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert refusal(read, tmp_path / name).startswith(message)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("x_train", np.zeros((4, 784), np.float32), "x_train is float32; whole numbers from 0 to 255 are needed"),
        ("y_train", np.zeros((4, 10)), "y_train is float64; whole numbers from 0 to 255 are needed"),
        ("y_train", np.zeros(4, object), "y_train cannot be read (Object arrays cannot be loaded"),
        ("y_train", np.zeros((4, 1), int), "x_train has shape (4, 784) and y_train (4, 1); as many labels as images"),
        ("y_test", np.zeros(3, int), "x_test has shape (4, 784) and y_test (3,); as many labels as images"),
        ("x_test", np.zeros((), int), "x_test has shape () and y_test (4,)"),
        ("x_test", np.zeros((0, 784), int), "x_test is empty, of shape (0, 784)"),
    ],
)
def test_arrays_that_are_refused(name, array, message, few, tmp_path):
    arrays = dict(zip(NPZ_NAMES, (*few[0], *few[1]), strict=True)) | {name: array}
    np.savez(tmp_path / "all.npz", **arrays)
    assert refusal(load_data, tmp_path / "all.npz").startswith(message)


def test_training_images_in_npy_are_not_read_into_memory(few, tmp_path):
    train, test = load_data(write(tmp_path, "npy", *few))
    assert isinstance(train.inputs, np.memmap)
    assert not any(isinstance(array, np.memmap) for array in (train.labels, *test))


def test_rows_are_read_from_a_file_as_from_memory(mnist, tmp_path):
    images = mnist[0].inputs[:1000]
    np.save(tmp_path / "images.npy", images.reshape(-1, 28, 28))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r").reshape(1000, 784)
    random = np.random.default_rng(0)
    some = random.integers(0, 300, (20, 7)), np.arange(300), np.array([299, 0, 0, 298]), np.zeros((0, 3), int)
    for start in (0, 400):
        for rows in some:
            np.testing.assert_array_equal(read_rows(mapped[start:], rows), images[start:][rows])
            np.testing.assert_array_equal(read_rows(images[start:], rows), images[start:][rows])
    with open(tmp_path / "images.npy", "r+b") as file:
        file.truncate(200_000)
    with pytest.raises(ValueError, match=r"images\.npy: has become shorter than it was"):
        read_rows(mapped, np.arange(999))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 784), np.int64), "x_train is int64, in C order: True; save it as uint8 in C order"),
        (np.zeros((784, 4), np.uint8).T, "x_train is uint8, in C order: False; save it as uint8 in C order"),
    ],
)
def test_npy_that_would_be_converted_is_refused(images, message, few, tmp_path):
    path = write(tmp_path, "npy", *few)
    np.save(path / "x_train", images)
    assert refusal(load_data, path) == message


@pytest.mark.parametrize("name", NPZ_NAMES)
def test_a_folder_without_one_of_the_four_npy_files(name, few, tmp_path):
    path = write(tmp_path, "npy", *few)
    (path / f"{name}.npy").unlink()
    with pytest.raises(ValueError, match=f"^{re.escape(str(path / name))}.npy: No such file or directory$"):
        load_data(path)


@pytest.mark.parametrize("name", NPZ_NAMES)
def test_npz_without_one_of_the_four_arrays(name, few, tmp_path):
    np.savez(tmp_path / "all.npz", **{other: few[0].labels for other in NPZ_NAMES if other != name})
    assert refusal(load_data, tmp_path / "all.npz") == f"holds no array {name}; {', '.join(NPZ_NAMES)} are needed"


@pytest.mark.parametrize("kind", KINDS)
def test_sets_that_do_not_fit_each_other(kind, few, tmp_path):
    path = write(tmp_path, kind, few[0], few[1]._replace(inputs=few[1].inputs[:, :56]))
    assert refusal(load_data, path) == "training examples have 784 pixels, test examples 56"


@pytest.mark.parametrize("name", IDX_NAMES)
def test_a_folder_of_unfit_idx_files(name, few, tmp_path):
    folder = write(tmp_path, "idx", *few)
    images, labels = (IDX_NAMES[:2], IDX_NAMES[2:])[name.startswith("t10k")]
    lengths = {images: 4, labels: 4, name: 3}
    write_idx(folder / name, np.zeros((3, 28, 28) if name == images else 3, np.uint8))
    assert refusal(load_data, folder).startswith(
        f"{images} has shape ({lengths[images]}, 28, 28) and {labels} ({lengths[labels]},); as many labels as images"
    )
    (folder / name).unlink()
    assert refusal(load_data, folder).startswith(f"holds neither {name} nor {name}.gz; the four IDX files")


@pytest.mark.parametrize("read", [read_images, read_csv, load_data])
@pytest.mark.parametrize("name", ["absent", "absent.gz", "absent.csv", "absent.csv.gz", "absent.npz", "a" * 5000])
def test_a_missing_file(read, name, tmp_path):
    assert refusal(read, tmp_path / name) in ("No such file or directory", "File name too long")


@pytest.mark.parametrize("read", [read_images, read_csv])
def test_a_folder_given_as_a_file(read, tmp_path):
    assert refusal(read, tmp_path) == "Is a directory"


def test_more_than_two_csv_files():
    assert refusal(load_data, "a.csv,b.csv,c.csv") == "3 files; give a CSV for training and one for testing"


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_write_idx_refuses_values_that_might_not_fit(dtype, tmp_path):
    message = f"the array is {np.dtype(dtype)}; only uint8 is written as IDX"
    assert refusal(lambda path: write_idx(path, np.zeros(3, dtype)), tmp_path / "array") == message
