"""The record of a run: whatever NumPy code does to an array, the record gives the same numbers when it is run again."""

import jax
import jax.numpy as jnp
import numpy as real
import pytest

from jaxnet.compare.author import derivative, facade, pullback, recorder, replay
from jaxnet.compare.author.node import ancestors, made_of
from jaxnet.compare.author.pullback import PullBack
from jaxnet.compare.author.recorder import Array, node_of, recording
from jaxnet.compare.author.replay import Values, same_as_recorded

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")
np = facade.modules()["numpy"]
math = facade.modules()["math"]

# Ways to compute something of `a`, (3, 4), and `b`, (4,): each leaves its result in `out`.
WAYS = {
    "operators": "out = (2 * a - b / 3) ** 2 % 5 // 1 + -a",
    "reflected": "out = (1 - a) / (2 + a * a)",
    "in place": "out = a.copy(); out += b; out *= 2; out -= a; out /= 3",
    "out=": "out = np.zeros((3, 4)); np.multiply(a, 2, out=out); np.add(out, b, out)",
    "written into": "out = np.zeros((3, 4)); out[1] = b; out[:, 2] = 5; out[0, 0] = a[1, 1]; out[a > 0] *= 2",
    "through a view": "out = a.copy(); row = out[1]; row += b; row[0] = 7; out[2][1:3] -= 1",
    "through a transpose": "out = a.copy(); t = out.T; t[0] = 1; t[2, 1] += 4",
    "through a transpose of a transposed one": "out = np.tanh(a.T); t = out.T; t[1] = b * 2; t[2, 1] += 4",
    "through a reshape of a transposed one's copy": "out = a.T.copy(); t = out.reshape(-1); t[3:5] *= b[0]",
    "through a reshape": "out = a.copy(); flat = out.reshape(-1); flat[5] = 9; flat[-2:] *= 3",
    "a view read after its base was written": "base = a.copy(); out = base[0]; base[0, 1] = 8",
    "a copy keeps": "out = a.copy(); out2 = out.copy(); out[0] = 0; out = out2",
    "methods": "out = a.T.dot(a).clip(-1, 1).reshape(2, 8).sum(axis=0).astype(np.float32).flatten()",
    "reductions": "out = np.array([a.sum(), a.mean(), a.max(), a.min(), a.std(), a.var(), np.linalg.norm(a)])",
    "keepdims": "out = np.exp(a - a.max(axis=1, keepdims=True)); out = out / np.sum(out, axis=1, keepdims=True)",
    "lists of numbers": "out = np.array([[a[0, 0], 1.0], [b[1], a[2, 3] * 2]])",
    "lists of rows": "out = np.array([row * 2 for row in a])",
    "lists of different lengths": "m = np.array([[a, b * 2], [a.T, b]], object); out = m[0, 1] + m[1, 0].sum(1)[0]",
    "scalars": "s = a[0, 0] * 2 + math.exp(a[1, 1]); s += abs(-b[0]); out = s * a",
    "joined": "out = np.concatenate([np.vstack([a, b]), np.hstack((a, a))[:, 2:6]]); out = np.c_[out, out[:, 0]]",
    "joined of one": "out = np.column_stack(np.vstack(a)) + np.concatenate(np.stack(a))[:3] + np.hstack(a)[1]",
    "through parts": "out = a * 1; x, y = np.split(out, [1], axis=1); x += b[0]; y[0] *= 3; "
    "np.array_split(out, 2)[1] -= b; z = np.hsplit(out, 2)[1]; z[2] = 4; np.vsplit(out, 3)[0][0, 0] += out[1, 1]",
    "laid out by columns": "out = a.reshape(4, 3, order='F') * np.ravel(a.T, order='F').reshape((4, 3))",
    "stacked and split": "x, y = np.split(np.stack([a, a * 2]), 2); out = x[0] + y[0]",
    "where": "out = np.where(a > 0, a, 0.01 * a) + np.maximum(b, 0)",
    "by index": "out = a[[0, 2, 2]][:, [1, 0]] + a[np.arange(2), np.array([1, 3])]",
    "added at": "out = np.zeros((3, 4)); np.add.at(out, [0, 0, 2], a)",
    "added at a turned one": "t = a.copy(); np.add.at(t.T, [0, 0, 2], b[:3]); np.add.at(t.T, 1, b[0]); out = t * 2",
    "subtracted at": "out = np.ones((3, 4)); np.subtract.at(out, [0, 0, 2], a)",
    "einsum and outer": "out = np.einsum('ij,kj->ik', a, a) + np.outer(a[:, 0], a[:, 1])",
    "along": "out = np.apply_along_axis(func1d=lambda r: r * r.sum(), axis=1, arr=a)",
    "vectorize": "out = np.vectorize(lambda v: v if v > 0 else v / 2)(a)",
    "along an axis": "out = np.apply_along_axis(lambda v: v / v.sum(), 1, a)",
    "entries": "out = a.copy()\nfor x in np.nditer(out, op_flags=['readwrite']):\n    x[...] = x * 2 if x > 0 else 0.5",
    "entries by their places": "out = np.zeros((3, 4)); it = np.nditer(a, flags=['multi_index'])\n"
    "while not it.finished:\n    out[it.multi_index] = a[it.multi_index] * 2\n    it.iternext()",
    "types": "out = np.float64(a) * np.int64(a > 0) + np.float32(b)",
    "sorted": "out = a.copy(); out.sort(axis=1)",
    "numbers of NumPy": "out = np.sum(a) / a.size + np.sum(a > 0) * b",
    "matrices": "m = np.asmatrix(a); s = m[:, :3]; out = 2 * (m * m.T) - m[:, 2] * s[1] + np.multiply(s, b[0]) * s**2",
    "matrices along an axis": "m = np.matrix(a); out = m.sum(1) + np.max(m, axis=1) - m.mean(0).T[:3] * m[0, 1]",
    "matrices joined": "m = np.asmatrix(a); out = np.insert(np.vstack([m, b]), 0, values=np.ones(4), axis=1).ravel()",
    "matrices written into": "out = np.matrix(a); out[1] += b; out[:, 2] = out[:, 1] * 2; out[0, 0] = 3; out *= 2; "
    "out[2, 1:3] -= out[0, :2]; out[out > 3] = 1; out[:, :3] = out[:, :3].T",
    "a view as a matrix": "c = a.copy(); m = np.asmatrix(c); m[0] += b; c[1] *= 2; m -= 1; out = c * 2 + m.A",
    "of matrices": "m = np.matrix(a); out = np.array(m) * m.A1[3] + np.ravel(m)[2] + m.item(5) + m.getA()"
    " + np.asarray(m[:, 1]) + np.exp(m.I.A.T)",
    "the builtin sum": "out = sum(a) + sum(x * 2 for x in b)",
}  # fmt: skip


@pytest.mark.parametrize("numpy", [np, real], ids=["recorded", "real"])
def test_no_matrix_has_three_axes(numpy):
    with recording():
        assert numpy.matrix(numpy.ones((2, 1, 3))).shape == (2, 3)
        with pytest.raises(ValueError, match="too large to be a matrix"):
            numpy.matrix(numpy.ones((2, 2, 2)))


def start():
    random = real.random.default_rng(3)
    return np.array(random.normal(size=(3, 4))), np.array(random.normal(size=4))


@pytest.mark.parametrize("way", WAYS)
def test_the_record_gives_what_the_program_had(way):
    with recording() as tape:
        a, b = start()
        names = {"np": np, "math": math, "a": a, "b": b}
        exec(compile(WAYS[way], "way.py", "exec"), names)
        out = node_of(names["out"])
    plain = {"np": real, "math": facade.math, "a": real.array(a), "b": real.array(b)}
    exec(compile(WAYS[way], "way.py", "exec"), plain)
    assert isinstance(names["out"], Array)
    assert isinstance(names["out"], np.matrix) == isinstance(plain["out"], real.matrix)
    real.testing.assert_allclose(real.asarray(names["out"]), plain["out"], rtol=1e-6, strict=True)
    real.testing.assert_allclose(Values()(out), plain["out"], rtol=1e-6)
    assert same_as_recorded(tape.nodes, Values()) is None


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("types", "methods", "sorted")])
def test_the_record_follows_other_numbers(way):
    """With other numbers in `a` it gives what the program would: nothing of `a` is a constant in it."""
    with recording() as tape:
        a, b = start()
        begin = node_of(a)
        names = {"np": np, "math": math, "a": a, "b": b}
        exec(compile(WAYS[way], "way.py", "exec"), names)
        out = node_of(names["out"])
    moved = real.array(begin.value) * 1.01  # branches stay as they were
    plain = {"np": real, "math": facade.math, "a": moved.copy(), "b": real.array(b)}
    exec(compile(WAYS[way], "way.py", "exec"), plain)
    real.testing.assert_allclose(Values({begin: moved})(out), plain["out"], rtol=1e-9)
    assert all(bool(Values({begin: moved})(node)) == seen for node, seen in tape.decisions)


def test_a_recorded_whole_number_repeats_a_list():
    with recording():
        number = np.argmax(np.array([0.0, 1.0, 3.0]))
        assert ([7] * number, number * (1,), "ab" * number) == ([7, 7], (1, 1), "abab")


def test_what_is_subtracted_from_a_whole_number_leaves_an_index():
    with recording():
        number, near = np.argmax(np.array([0.0, 1.0, 3.0])), 1
        assert list(range(recorder.difference(number, near))) == [0]  # what `number - near` is written as


def test_lists_of_different_lengths_are_objects_as_they_were():
    with recording():
        a, _ = start()
        made = np.array([[a, a[0]]]), np.array([a, a[:, :2]]), np.array([[1, 2], [3]])
        assert [array.shape for array in made] == [(1, 2), (2,), (2,)]
        assert node_of(made[0][0, 0]) is node_of(made[1][0]) is node_of(a)
        with pytest.raises(ValueError, match="inhomogeneous"):
            np.array([[1, 2], [3]], float)


def test_what_is_put_into_an_array_before_it_is_used_is_data():
    with recording() as tape:
        x = np.zeros((2, 3))
        for i in range(2):
            for j in range(3):
                x[i][j] = i + j
        assert len(tape.nodes) == 1
        y = x * 2
        x[0][0] = 5
        real.testing.assert_array_equal(Values()(node_of(y)), [[0, 2, 4], [2, 4, 6]])
        real.testing.assert_array_equal(Values()(node_of(x)), [[5, 1, 2], [1, 2, 3]])


def test_pixels_are_read_without_a_record():
    with recording() as tape:
        pictures = np.array(real.arange(12, dtype=real.uint8).reshape(2, 2, 3))
        rows = [row for picture in pictures for row in picture]
        assert not any(isinstance(row, Array) for row in rows)
        assert len(tape.nodes) == 1
        again = np.array([[rows[0][0] / 255, rows[3][2] / 255]])
        real.testing.assert_array_equal(node_of(again).value, [[0, 11 / 255]])
        labels = np.array(real.arange(3, dtype=real.uint8))
        assert node_of(pictures / 255).function is real.true_divide
        assert [node_of(array).name for array in (pictures[0], labels[1:])] == ["getitem", "getitem"]


def test_names_that_numpy_had_before_its_second_version():
    with recording():
        a = np.asfarray([1, 2])
        a = np.reshape(a, newshape=(-1,))
        out = np.float(2) * np.product(a) + np.float_(a[0]) + np.alltrue(a > 0)
        b = np.zeros((2, 2))
        b.itemset((0, 1), a[1])
        b.itemset(1, 0, 3)
        b.itemset(3, 4)
    assert isinstance(a, Array)
    assert float(out) == 6
    real.testing.assert_array_equal(Values()(node_of(b)), [[0, 2], [3, 4]])


def test_arrays_that_are_there_when_the_record_begins_anew(monkeypatch):
    """They are as old as they were, but for thousands of rows that a line has made: these are read one by one."""
    monkeypatch.setattr(recorder, "MANY", 30)
    text, names = "W = np.ones((2, 2))\nrows = [np.ones(2) for _ in range(40)]", {"np": np}
    with recording() as tape:
        exec(compile(text, "net.py", "exec"), names)
        W, rows = names["W"], names["rows"]
        assert recorder.begin_anew(tape)
        assert [recorder.known_node(array) is None for array in (W, rows[0])] == [False, True]
        assert node_of(rows[0] @ W).parents == (node_of(rows[0]), node_of(W))


def test_numbers_in_lists_are_data():
    with recording() as tape:
        error = [1, 0] - np.dot([0.5, 2], np.ones((2, 2)))
    assert [node.origin for node in tape.nodes if node.function is None] == ["ones", "array", "array"]
    real.testing.assert_array_equal(Values()(node_of(error)), [-1.5, -2.5])


def test_an_array_of_one_number_is_that_number():
    """As NumPy had it before its version 2.4."""
    with recording():
        a = np.array([2.0, 3.0])
        out = np.zeros(2)
        out[0] = a[:1]
        out[1] = real.array([float(a[1:])])
        node = node_of(out)
    real.testing.assert_array_equal(out, [2, 3])
    assert node_of(a) in ancestors([node])


def test_an_entry_may_be_set_to_an_array_of_one_entry_off_the_record_too():
    with recorder.off_the_record():
        array = np.zeros(3)
        array[1] = array[:1] + 2
    assert list(array) == [0, 2, 0]


@pytest.mark.parametrize(
    ("writes", "made_of_a", "made_of_c"),
    [
        ("", True, False),
        ("out[:] = c", False, True),
        ("for k in range(3): out[k] = c[k]", False, True),
        ("for k in range(2): out[k] = c[k]", True, True),
        ("for k in range(6): out[k % 3] = c[k % 3]", False, True),
        ("for k in range(6): out[k % 2] = c[k % 2]", True, True),
        ("for k in range(12): out[k // 4, k % 4] = c[k // 4, k % 4]", False, True),
        ("for k in range(3): out[k] = c[k]\nout[0, 0] += 1", True, True),
        ("for k in range(3): out[k] = c[k]\nfor k in range(3): out[k] = 1.0", False, False),
        ("for k in range(3): out[k] = c[k]\nout = out[1]", False, True),
        ("out[1] = c[1]; out = out[2]", True, False),
        ("out[1, 2] = c[1, 2]; out = out[1]", True, True),
        ("other = out.copy(); out[1] = c[1]; other[0] = c[0]; out = out[0]", True, False),
    ],
)
def test_what_an_array_that_is_written_into_is_made_of(writes, made_of_a, made_of_c):
    with recording():
        a, c = np.random.rand(3, 4), np.random.rand(3, 4)
        scope = {"np": np, "out": a * 2, "c": c}
        exec(writes, scope)
        inside = made_of([node_of(scope["out"] * 1.0)])
        assert (node_of(a) in inside, node_of(c) in inside) == (made_of_a, made_of_c)


def test_a_change_behind_the_record_is_noticed():
    with recording() as tape:
        a, b = start()
        first = a * 2
        real.asarray(first).view(real.ndarray)[0, 0] = 100.0
        node_of(first + b)
    assert same_as_recorded(tape.nodes, Values()) is not None


def test_what_only_rounding_has_left_is_no_change():
    """Of a gradient that is 0 in single precision there is something left, and an optimiser makes much of it."""
    with recording() as tape:
        x = np.array(real.random.default_rng(0).normal(size=(400, 3)), np.float32)
        rest = (x - x.mean(0)).sum(0)
        node_of(rest / np.abs(rest))
    assert same_as_recorded(tape.nodes, Values()) is None
    with recording() as tape:
        x = np.array(real.random.default_rng(0).normal(size=(400, 3)), np.float32)
        centred = x - x.mean(0)
        real.asarray(centred).view(real.ndarray)[0, 0] = 100.0
        node_of(centred.sum(0))
    assert same_as_recorded(tape.nodes, Values()) is not None


def test_a_batch_of_huge_pictures_is_data_by_itself(monkeypatch):
    monkeypatch.setattr(recorder, "HUGE", 50)
    with recording():
        pictures = np.array(real.arange(240, dtype=real.uint8).reshape(30, 8)) / 255
        words = np.array(real.random.default_rng(0).normal(size=(30, 8)))
        batch, row, most = pictures[np.array([3, 1])], words[2], pictures[4:]
        assert node_of(batch).function is None
        assert real.array_equal(node_of(batch).value, real.array(pictures)[[3, 1]])
        assert [node_of(array).name for array in (row, most)] == ["getitem", "getitem"]


def test_backwards_it_is_jax_grad_of_the_whole():
    def program(a, b, np):
        z = np.maximum(a @ a.T + b[:3], 0)
        p = np.exp(z - np.max(z, axis=1, keepdims=True))
        p = p / np.sum(p, axis=1, keepdims=True)
        rest = np.logaddexp.reduce(np.add.outer(b, z[0]), axis=1, keepdims=True)
        return -np.sum(np.log(p[np.arange(3), np.array([0, 2, 1])])) / 3 + 0.1 * np.sum(a**2) + np.sum(rest)

    with recording() as tape:
        a, b = start()
        begin, loss = node_of(a), program(a, b, np)._node
    active = {n for n in tape.nodes if begin in ancestors([n])}
    found = PullBack([loss], active)(Values(), [1.0])[begin]
    with jax.enable_x64(True):
        true = jax.jit(jax.grad(program), static_argnums=2)(jnp.asarray(begin.value), jnp.asarray(real.array(b)), jnp)
    real.testing.assert_allclose(found, true, rtol=1e-12)


def test_differences_are_what_jax_has_or_none(monkeypatch):
    """With a JAX that has nothing: all is differentiated by differences, but for what has a corner nearby."""
    w = real.random.default_rng(3).normal(size=(4, 3))

    def pulled(program):
        with recording() as tape:
            begin = np.array(w)
            loss = program(begin)._node
        active = {n for n in tape.nodes if node_of(begin) in ancestors([n])}
        return PullBack([loss], active)(Values(), [1.0])[node_of(begin)]

    def smooth(a):
        rest = np.linalg.inv(a.T @ a + np.eye(3))[1:] * np.exp(np.sin(a[:2]))
        return np.sum(np.maximum(a, 0.1) ** 2 / (1 + a**2)) + np.sum(np.concatenate([rest, a]).cumsum(0))

    true = pulled(smooth)

    def nothing(function):
        raise ValueError("no counterpart")

    monkeypatch.setattr(derivative, "in_jax", nothing)
    monkeypatch.setattr(derivative, "_compiled", {})
    monkeypatch.setattr(derivative, "differenced", set())
    real.testing.assert_allclose(pulled(smooth), true, rtol=1e-10)
    with pytest.raises(ValueError, match="cannot be replayed in JAX"):
        pulled(lambda a: np.sum(np.maximum(a, w * (1 + 1e-4))))
    with pytest.raises(ValueError, match="cannot be replayed in JAX"):  # no number is moved in two directions
        pulled(lambda a: np.sum(np.abs(np.exp(1j * a) + a)))


@pytest.mark.parametrize("relu", [lambda z: np.maximum(0, z), lambda z: np.maximum(z, z * 0)])
def test_at_0_a_relu_has_no_slope(relu):
    """As where an image is blank. Of two arrays that both depend on something each has half of it, as JAX has it."""
    with recording() as tape:
        z = np.array([-1.0, 0.0, 2.0])
        begin, loss = node_of(z), np.sum(relu(z))._node
    active = {n for n in tape.nodes if begin in ancestors([n])}
    at_0 = PullBack([loss], active)(Values(), [1.0])[begin][1]
    assert at_0 == (0.5 if len(active) > 3 else 0)


@pytest.mark.parametrize("limits", [{}, {"SMALL": 0}, {"SMALL": 0, "LARGE": 0}])
def test_backwards_through_parts_of_arrays(monkeypatch, limits):
    """Read and written, over each other and broadcast, by numbers, slices and masks."""
    for name, limit in limits.items():
        monkeypatch.setattr(pullback if name == "SMALL" else replay, name, limit)

    def program(a, b, np, write):
        out = np.zeros((3, 4, 2))
        for k in range(3):
            out = write(out, (k, slice(1, 3)), a[k, 1:3, None] * b[k, :2])
            out = write(out, (slice(None), k), a[k, :2] + out[k, k])
        top = out[1:] * out[:2, ::-1]
        out = write(out, (Ellipsis, 1), b[0])
        out = write(out, 2, a[0, 0])
        out = write(out, np.arange(24).reshape(3, 4, 2) % 5 == 0, 2.0)
        return np.sum(out**2) + np.sum(np.tanh(top)) + a[-1, -1] * np.sum(out[0, None, 3])

    def written(array, index, value):
        array[index] = value
        return array

    with recording() as tape:
        a, b = (np.array(values) for values in real.random.default_rng(0).normal(size=(2, 3, 4)))
        begin, loss = node_of(a), program(a, b, np, written)._node
    active = {n for n in tape.nodes if begin in ancestors([n])}
    found = PullBack([loss], active)(Values(), [1.0])[begin]
    with jax.enable_x64(True):
        given = jnp.asarray(begin.value), jnp.asarray(real.array(b)), jnp
        true = jax.grad(program)(*given, lambda array, index, value: array.at[index].set(value))
    real.testing.assert_allclose(found, true, rtol=1e-12)


@pytest.mark.parametrize("kind", [real.float32, real.float64])
def test_other_libraries_get_lists_of_recorded_numbers(kind):
    """NumPy itself is behind them, which has to take a recorded number for one of its own."""
    numbers = [np.tanh(x) for x in np.array([0.5, 2.0], dtype=kind)]
    for array in (real.asarray(numbers), real.asarray(numbers, dtype=kind)):
        assert array.dtype == kind
        assert array.tolist() == real.tanh(kind([0.5, 2.0])).tolist()


def test_the_real_numpy_stays_what_it_is():
    assert real.zeros(2).__class__ is real.ndarray
    assert np.zeros is not real.zeros
    assert not isinstance(real.exp(real.ones(2)), Array)


def test_an_instruction_is_the_same_however_often_it_is_run():
    """Python 3.11 makes calls by another one once it has made them often enough."""
    with recording() as tape:
        a = np.ones(3)
        code = "def total(a):\n    return sum([a, a])\nfor _ in range(40):\n    total(a)\n"
        exec(compile(code, "net.py", "exec"), {"a": recorder.leaf(a, "array")})
    assert len({node.instruction for node in tape.nodes if node.function is real.add}) == 1


def test_versions_of_an_array_that_is_filled_row_by_row_are_not_all_kept(monkeypatch):
    """Each entry that is read needs its own version; of 225 of these one a row is kept."""
    monkeypatch.setattr(replay, "LARGE", 100 * 225)
    with recording() as tape:
        x = np.tanh(np.array(real.random.default_rng(0).normal(size=(15, 15))))
        for k in range(15):
            for j in range(15):
                x[k][j] = x[k][j] * 2
    values = Values()
    for node in (n for n in tape.nodes if n.name == "getitem" and not n.shape):
        values(node)
    real.testing.assert_allclose(values(node_of(x)), real.asarray(x))
    assert sum(real.shape(value) == (15, 15) for value in values.known.values()) < 25


def test_what_another_record_has_made_is_data():
    """A program that trains, and functions of it that are called afterwards, with what it has trained."""
    with recording():
        array = np.arange(3) * 2.0
        number = array.sum()
    with recording() as tape:
        made = node_of(array * number + array[1:].sum())
    assert ancestors([made]) <= set(tape.nodes)
    real.testing.assert_array_equal(Values()(made), real.arange(3) * 12.0 + 6)


def pulled_back(w, loss_of):
    """The derivative of a loss by an array, of what the recording NumPy has computed of it."""
    with recording() as tape:
        a = np.array(w)
        begin, loss = node_of(a), recorder.known_node(loss_of(np, a))
    active = {n for n in tape.nodes if begin in ancestors([n])}
    return PullBack([loss], active)(Values(), [1.0])[begin]


def units(w):
    """An array of the shape of w for each of its entries, with a 1 there."""
    return real.eye(w.size).reshape(w.size, *w.shape)


@pytest.mark.parametrize("limit", [pullback.SMALL, 0])
@pytest.mark.parametrize("index", ["(0, 2), :", "(1, 1), 1:", ":, (3, 0, 0)", "[True, False, True], (1,)"])
def test_backwards_through_positions_in_a_tuple(monkeypatch, limit, index):
    """Inside of another one it is a list, and no further axes."""
    monkeypatch.setattr(pullback, "SMALL", limit)
    w = real.random.default_rng(1).normal(size=(3, 4, 2))
    text = f"out = a * 1\nout[{index}] = 2 * np.tanh(a[{index}])\nloss = np.sum(out ** 2 * a[::-1])"

    def loss_of(np, a):
        exec(text, names := {"np": np, "a": a})
        return names["loss"]

    slopes = [(loss_of(real, w + k) - loss_of(real, w - k)) / 2e-6 for k in 1e-6 * units(w)]
    real.testing.assert_allclose(pulled_back(w, loss_of).ravel(), slopes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("limit", [pullback.SMALL, 0])
@pytest.mark.parametrize("part", ["s[:, :3]", "s[:, [0, 2]]", "s[:, [1, 1, 2]]", "s[abs(s) > 0.5]", "z"])
def test_backwards_through_parts_of_a_spectrum(monkeypatch, limit, part):
    """They are complex, as their cotangents are; what is written into them may be real."""
    monkeypatch.setattr(pullback, "SMALL", limit)
    w = real.random.default_rng(2).normal(size=(3, 8))

    def loss_of(np, a):
        s = np.fft.rfft(a, axis=1)
        z = s * (1 + 2j)
        z[:, 1] = a[:, 2]
        z[[0, 2], [2, 0]] = s[[2, 1], [1, 1]]
        part_of_it = eval(part, {"s": s, "z": z, "abs": abs})
        return np.sum(part_of_it.real**3 + part_of_it.imag * 2)

    slopes = [(loss_of(real, w + k) - loss_of(real, w - k)) / 2e-6 for k in 1e-6 * units(w)]
    real.testing.assert_allclose(pulled_back(w, loss_of).ravel(), slopes, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", ["sum", "mean"])
def test_backwards_through_a_sum_of_what_a_list_tells(function):
    found = pulled_back(real.ones((3, 4)), lambda np, a: getattr(np, function)(a, where=[True, False, True, True]))
    counted = real.tile([1.0, 0, 1, 1], (3, 1))
    real.testing.assert_allclose(found, counted / (counted.sum() if function == "mean" else 1))
    assert None not in derivative.differenced  # no line of a program has called it
