"""The helper modules of well-known courses and books, for programs that came without them.

n inputs, m examples: columns (n, m), as the courses have it.
"""

from __future__ import annotations

import types
from typing import Any

import numpy

from jaxnet.compare.author.inert import Inert
from jaxnet.compare.author.samples import Samples


def modules(np: types.ModuleType, samples: Samples) -> dict[str, Any]:
    """The attributes of the helper modules, by their dotted names; those of other versions are the same."""
    sets, network = _data(np, samples), _network(np)
    sigmoid, relu = network["sigmoid"], network["relu"]
    pairs = {
        "sigmoid": lambda Z: (sigmoid(Z), Z), "relu": lambda Z: (relu(Z), Z),
        "sigmoid_backward": lambda dA, cache: dA * sigmoid(cache) * (1 - sigmoid(cache)),
        "relu_backward": lambda dA, cache: np.where(cache > 0, dA, 0),
    }  # fmt: skip
    steps = {**network, "plot_decision_boundary": Inert(), "load_2D_dataset": sets["load_2D_dataset"],
             "load_dataset": sets["load_blobs"]}  # fmt: skip
    planar = {name: sets[name] for name in ("load_planar_dataset", "load_extra_datasets")}
    contents = {
        "lr_utils": {"load_dataset": sets["load_pictures"]},
        "planar_utils": {**planar, "sigmoid": sigmoid, "plot_decision_boundary": Inert()},
        "dnn_utils": pairs, "dnn_app_utils": {**pairs, "load_data": sets["load_pictures"]},
        "reg_utils": steps, "init_utils": steps, "opt_utils": steps,
        "mnist_loader": {"load_data_wrapper": sets["load_data_wrapper"], "load_data": sets["load_data"]},
        "nnfs.datasets": {"spiral_data": sets["spiral"], "vertical_data": sets["spiral"], "sine_data": sets["sine"]},
    }  # fmt: skip
    return {f"{module}.{name}": value for module, part in contents.items() for name, value in part.items()}


def pictures(np: types.ModuleType, samples: Samples) -> dict[str, Any]:
    """The pictures of the course, 64 by 64, as its .h5 files name them."""
    x, y = samples.images(209, 64, 64, 3, classes=2)
    arrays = {"train_set_x": x, "train_set_y": y, "test_set_x": x[:50], "test_set_y": y[:50]}
    return {name: np.array(array) for name, array in arrays.items()} | {"list_classes": np.array([b"no", b"yes"])}


def _data(np: types.ModuleType, samples: Samples) -> dict[str, Any]:
    def columns(x: Any, y: Any) -> Any:
        return np.array(x.T), np.array(y.reshape(1, -1))

    def load_planar_dataset(*_: Any) -> Any:
        draws = numpy.random.default_rng(0)
        labels = numpy.arange(400) // 200
        angle = 3.12 * (labels + draws.random(400)) + draws.normal(0, 0.2, 400)
        radius = 4 * numpy.sin(4 * angle) + draws.normal(0, 0.2, 400)
        return columns(numpy.column_stack([radius * numpy.sin(angle), radius * numpy.cos(angle)]), labels)

    def load_pictures(*_: Any) -> Any:
        x, y, x_test, y_test, classes = pictures(np, samples).values()
        return x, y.reshape(1, -1), x_test, y_test.reshape(1, -1), classes

    def load_data(*_: Any, **__: Any) -> Any:
        d = samples.digits
        test = np.array(d.x_test.reshape(-1, 784) / 255), np.array(d.y_test)
        return (np.array(d.x_train.reshape(-1, 784) / 255), np.array(d.y_train)), test, test

    def load_data_wrapper(*_: Any) -> Any:
        (x, y), (x_test, y_test), _held = load_data()
        test = list(zip(x_test.reshape(-1, 784, 1), y_test, strict=True))
        return list(zip(x.reshape(-1, 784, 1), np.eye(10)[y].reshape(-1, 10, 1), strict=True)), test, test

    def spiral(samples: int = 100, classes: int = 3) -> Any:
        t = numpy.tile(numpy.linspace(0, 1, samples), classes)
        labels = numpy.repeat(numpy.arange(classes), samples)
        angle = 10 * (labels + t) + numpy.random.default_rng(0).normal(0, 0.5, t.shape)
        return np.array(numpy.column_stack([t * numpy.sin(angle), t * numpy.cos(angle)])), np.array(labels)

    def sine(samples: int = 1000) -> Any:
        x = np.arange(samples).reshape(-1, 1) / samples
        return x, np.sin(2 * np.pi * x)

    functions = (load_planar_dataset, load_pictures, load_data, load_data_wrapper, spiral, sine)
    return {function.__name__: function for function in functions} | {
        "load_blobs": lambda *_, **__: columns(*samples.points(300, 2, 2)),
        "load_2D_dataset": lambda *_, **__: columns(*samples.points(211, 2, 2)) + columns(*samples.points(200, 2, 2)),
        "load_extra_datasets": lambda: tuple(tuple(map(np.array, samples.points(200, 2, 2))) for _ in range(5)),
    }  # fmt: skip


def _network(np: types.ModuleType) -> dict[str, Any]:
    """The course's network of relu layers with a sigmoid on top."""

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
        return {name: value - learning_rate * gradients[f"d{name}"] for name, value in parameters.items()}

    def predict(X: Any, y: Any, parameters: Any) -> Any:
        return forward_propagation(X, parameters)[0] > 0.5

    functions = (sigmoid, relu, initialize_parameters, forward_propagation, compute_cost, backward_propagation,
                 update_parameters, predict)  # fmt: skip
    return {function.__name__: function for function in functions}
