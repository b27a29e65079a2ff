"""The helper modules of well-known courses and books, for programs that came without them.

n inputs, m examples: columns, as the courses have it.
"""

from __future__ import annotations

import types
from typing import Any

import numpy

from jaxnet.compare.author.inert import Inert
from jaxnet.compare.author.samples import Samples


def helpers(np: types.ModuleType, samples: Samples) -> dict[str, Any]:
    """All helper functions of the deep-learning course by name; each of its modules has a part of them."""

    def columns(x: Any, y: Any) -> Any:
        return np.array(x.T), np.array(y.reshape(1, -1))

    def load_planar_dataset(*_: Any) -> Any:
        draws = numpy.random.default_rng(0)
        labels = numpy.arange(400) // 200
        angle = draws.uniform(0, 3.12, 400) + 3.12 * labels + draws.normal(0, 0.2, 400)
        radius = 4 * numpy.sin(4 * angle) + draws.normal(0, 0.2, 400)
        return columns(numpy.column_stack([radius * numpy.sin(angle), radius * numpy.cos(angle)]), labels)

    def load_2D_dataset(*_: Any, **__: Any) -> Any:
        return *columns(*samples.points(211, 2, 2)), *columns(*samples.points(200, 2, 2))

    def load_one(*_: Any, **__: Any) -> Any:
        return columns(*samples.points(300, 2, 2))

    def load_pictures(*_: Any) -> Any:
        pictures = h5(samples, np)
        return (pictures["train_set_x"], pictures["train_set_y"].reshape(1, -1), pictures["test_set_x"],
                pictures["test_set_y"].reshape(1, -1), pictures["list_classes"])  # fmt: skip

    def sigmoid(Z: Any) -> Any:
        return 1 / (1 + np.exp(-Z))

    def relu(Z: Any) -> Any:
        return np.maximum(0, Z)

    def initialize_parameters(sizes: Any) -> dict[str, Any]:
        parameters = {}
        for k in range(1, len(sizes)):
            parameters[f"W{k}"] = np.random.randn(sizes[k], sizes[k - 1]) / sizes[k - 1] ** 0.5
            parameters[f"b{k}"] = np.zeros((sizes[k], 1))
        return parameters

    def forward_propagation(X: Any, parameters: Any) -> Any:
        A, cache, depth = X, (), len(parameters) // 2
        for k in range(1, depth + 1):
            W, b = parameters[f"W{k}"], parameters[f"b{k}"]
            Z = np.dot(W, A) + b
            A = sigmoid(Z) if k == depth else relu(Z)
            cache = (*cache, Z, A, W, b)
        return A, cache

    def compute_cost(A: Any, Y: Any) -> Any:
        return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / Y.shape[1]

    def backward_propagation(X: Any, Y: Any, cache: Any) -> dict[str, Any]:
        layers = [cache[k : k + 4] for k in range(0, len(cache), 4)]
        gradients, dZ = {}, (layers[-1][1] - Y) / X.shape[1]
        for k in range(len(layers), 0, -1):
            before = layers[k - 2][1] if k > 1 else X
            gradients[f"dW{k}"], gradients[f"db{k}"] = np.dot(dZ, before.T), np.sum(dZ, axis=1, keepdims=True)
            if k > 1:
                dZ = np.dot(layers[k - 1][2].T, dZ) * (before > 0)
        return gradients

    def update_parameters(parameters: Any, gradients: Any, learning_rate: float) -> Any:
        for name in parameters:
            parameters[name] = parameters[name] - learning_rate * gradients[f"d{name}"]
        return parameters

    def predict(X: Any, y: Any, parameters: Any) -> Any:
        return forward_propagation(X, parameters)[0] > 0.5

    names = (load_planar_dataset, load_2D_dataset, relu, sigmoid, initialize_parameters, forward_propagation,
             compute_cost, backward_propagation, update_parameters, predict)  # fmt: skip
    return {function.__name__: function for function in names} | {
        "load_dataset": load_one, "load_pictures": load_pictures,
        "load_extra_datasets": lambda: tuple(samples.points(200, 2, 2) for _ in range(5)),
        "sigmoid_and_cache": lambda Z: (sigmoid(Z), Z), "relu_and_cache": lambda Z: (relu(Z), Z),
        "sigmoid_backward": lambda dA, Z: dA * sigmoid(Z) * (1 - sigmoid(Z)),
        "relu_backward": lambda dA, Z: np.where(Z > 0, dA, 0), "plot_decision_boundary": Inert(),
    }  # fmt: skip


def modules(np: types.ModuleType, samples: Samples) -> dict[str, dict[str, Any]]:
    """The attributes of the helper modules; a name that ends in * begins the names of several versions."""
    known = helpers(np, samples)
    own = {name: known[name] for name in ("sigmoid_backward", "relu_backward")}
    pairs = {"sigmoid": known["sigmoid_and_cache"], "relu": known["relu_and_cache"], **own}
    steps = {name: known[name] for name in (
        "sigmoid", "relu", "initialize_parameters", "forward_propagation", "compute_cost", "backward_propagation",
        "update_parameters", "predict", "load_2D_dataset", "load_dataset", "plot_decision_boundary")}  # fmt: skip
    planar = ("load_planar_dataset", "load_extra_datasets", "plot_decision_boundary", "sigmoid")

    def load_data_wrapper(*_: Any) -> Any:
        digits = samples.digits
        flat = [np.array(x.reshape(len(x), 784, 1) / 255) for x in (digits.x_train, digits.x_test)]
        held = list(zip(flat[1], map(int, digits.y_test), strict=True))
        return list(zip(flat[0], np.array(numpy.eye(10)[digits.y_train][:, :, None]), strict=True)), held, held

    def load_data(*_: Any, **__: Any) -> Any:
        digits = samples.digits
        test = np.array(digits.x_test.reshape(-1, 784) / 255), np.array(digits.y_test)
        return (np.array(digits.x_train.reshape(-1, 784) / 255), np.array(digits.y_train)), test, test

    def spiral(samples: int = 100, classes: int = 3) -> Any:
        t = numpy.tile(numpy.linspace(0, 1, samples), classes)
        labels = numpy.repeat(numpy.arange(classes), samples)
        angle = 4 * (labels + t) + numpy.random.default_rng(0).normal(0, 0.2, t.shape)
        return np.array(numpy.column_stack([t * numpy.sin(2.5 * angle), t * numpy.cos(2.5 * angle)])), np.array(labels)

    def sine(samples: int = 1000) -> Any:
        x = np.arange(samples).reshape(-1, 1) / samples
        return x, np.sin(2 * np.pi * x)

    return {
        "lr_utils": {"load_dataset": known["load_pictures"]},
        "planar_utils": {name: known[name] for name in planar},
        "dnn_utils*": pairs,
        "dnn_app_utils*": {**pairs, "load_data": known["load_pictures"]},
        "reg_utils": steps, "init_utils": steps, "opt_utils": steps, "opt_utils*": steps,
        "testCases*": {}, "testcases*": {}, "test_utils*": {}, "public_tests*": {},
        "mnist_loader": {"load_data_wrapper": load_data_wrapper, "load_data": load_data},
        "nnfs": {}, "nnfs.datasets": {"spiral_data": spiral, "vertical_data": spiral, "sine_data": sine},
    }  # fmt: skip


def h5(samples: Samples, np: types.ModuleType) -> dict[str, Any]:
    """The pictures of the course, 64 by 64, as its .h5 files name them."""
    train, labels = samples.images(209, 64, 64, 3, classes=2)
    return {name: np.array(value) for name, value in {
        "train_set_x": train, "train_set_y": labels, "test_set_x": train[:50], "test_set_y": labels[:50],
        "list_classes": numpy.array([b"non-cat", b"cat"])}.items()}  # fmt: skip
