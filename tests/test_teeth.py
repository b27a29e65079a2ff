"""What a right verdict rests on: wrong formulas are tried on the very data, and those that change nothing are named."""

from itertools import pairwise

import numpy as np
import pytest

from jaxnet.compare.gradients import make_pass
from jaxnet.compare.teeth import teeth


def a_pass(m=9, sizes=(4, 4, 3), hidden="relu", output="softmax", loss="squared-error", shift=0.0):
    random = np.random.default_rng(3)
    W = [random.normal(size=(o, i)) for i, o in pairwise(sizes)]
    b = [random.normal(size=o) for o in sizes[1:]]
    b[0] = b[0] + shift
    X, Y = random.normal(size=(m, sizes[0])), np.eye(sizes[-1])[random.integers(sizes[-1], size=m)]
    return make_pass(W, b, X, Y, ["", *[hidden] * (len(W) - 1), output], loss)


def test_all_mistakes_show_on_random_data():
    found = teeth([a_pass()], "squared-error", {1, 2}, 1e-6)
    assert found is not None
    assert found.hidden == ()
    assert found.shown == found.of > 20


def test_one_example_hides_a_sum_over_examples():
    found = teeth([a_pass(m=1)], "squared-error", {1, 2}, 1e-6)
    assert found is not None
    assert {("db1", "not-summed"), ("db2", "not-summed")} <= set(found.hidden)
    assert found.shown == found.of - len(found.hidden)
    # Two batches, of which one has several examples, hide nothing.
    both = teeth([a_pass(m=1), a_pass()], "squared-error", {1, 2}, 1e-6)
    assert both is not None
    assert both.hidden == ()


@pytest.mark.parametrize(("shift", "code"), [(100.0, "missing-activation-derivative"), (100.0, "pre-activation-input")])
def test_a_relu_that_never_bends_hides_its_slope(shift, code):
    found = teeth([a_pass(shift=shift)], "squared-error", {1, 2}, 1e-6)
    assert found is not None
    assert code in {hidden for _, hidden in found.hidden}


def test_a_dead_layer_hides_everything_in_it():
    found = teeth([a_pass(shift=-100.0)], "squared-error", {1, 2}, 1e-6)
    assert found is not None
    assert {"dZ1", "dW1", "db1"} <= {at for at, _ in found.hidden}
    assert ("dZ2", "missing-output-derivative") not in found.hidden


def test_what_is_no_mistake_here_does_not_count():
    """Ŷ − Y is right for the cross-entropy; a network without biases has no mistakes in them."""
    right = teeth([a_pass(loss="cross-entropy")], "cross-entropy", set(), 1e-6)
    assert right is not None
    assert right.hidden == ()
    wrong = teeth([a_pass()], "squared-error", {1, 2}, 1e-6)
    assert wrong is not None
    assert right.of < wrong.of
    assert teeth([a_pass(output="softmax")], "binary-cross-entropy", {1, 2}, 1e-6) is None


def test_a_mistake_that_overflows_shows():
    forward = a_pass(sizes=(4, 5, 3), hidden="sigmoid", output="identity", shift=0.0)
    huge = forward._replace(Z=[forward.Z[0], forward.Z[1] * 800, forward.Z[2]])
    found = teeth([huge], "squared-error", {1, 2}, 1e-6)
    assert found is not None
    assert ("dZ1", "derivative-at-wrong-point") not in found.hidden
