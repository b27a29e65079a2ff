"""Scikit-learn where it is not installed: the data, scalers and scores that hand-written networks have around them."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy

from jaxnet.compare.author.samples import Samples


class Bunch(dict):
    """A dict whose entries are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def datasets(np: types.ModuleType, samples: Samples, frame: Any) -> dict[str, Any]:
    """sklearn.datasets: arrays made by `np`, tables by `frame` where they are asked for."""

    def bunch(x: Any, y: Any, names: Any = None, return_X_y: bool = False, as_frame: bool = False, **_: Any) -> Any:
        names, classes = names or [f"feature{k}" for k in range(x.shape[1])], numpy.unique(y)
        images = {"images": np.array(x.reshape(-1, 8, 8))} if x.shape[1] == 64 else {}
        x, y = (frame(x, names), frame(y, name="target")) if as_frame else (np.array(x), np.array(y))
        return (x, y) if return_X_y else Bunch(data=x, target=y, feature_names=names, target_names=classes, **images)

    def classes_of(count: int, features: int, classes: int) -> Callable[..., Any]:
        return lambda **how: bunch(*samples.points(count, features, classes), **how)

    def numbers_of(count: int, features: int) -> Callable[..., Any]:
        x = samples.points(count, features, 3)[0]
        return lambda **how: bunch(x, x.mean(1), **how)

    def load_digits(n_class: int = 10, **how: Any) -> Any:
        images, labels = samples.digits.x_train[:400], samples.digits.y_train[:400].astype(numpy.int64)
        small = images[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3).mean((2, 4)) // 16
        return bunch(small.reshape(-1, 64)[labels < n_class], labels[labels < n_class], **how)

    def fetch_openml(name: Any = "mnist_784", version: Any = 1, **how: Any) -> Any:
        if "mnist" not in str(name).lower():
            x, y = samples.points(300, 4, 3)
            return bunch(x, y.astype(str), **how)
        d = samples.digits
        x = numpy.concatenate([d.x_train, d.x_test]).reshape(-1, 784).astype(numpy.int64)
        y = numpy.concatenate([d.y_train, d.y_test]).astype(str).astype(object)
        return bunch(x, y, [f"pixel{k + 1}" for k in range(784)], **{"as_frame": True, **how})

    def curves(bend: Callable[..., Any]) -> Callable[..., Any]:
        """Two classes of points along curves; bend(t, label) gives the two coordinates for t from 0 to 1."""

        def make(n_samples: Any = 100, noise: Any = None, **_: Any) -> Any:
            count = n_samples if isinstance(n_samples, int) else sum(n_samples)
            draws = numpy.random.default_rng(0)
            labels = draws.permutation(numpy.arange(count) % 2)
            points = numpy.column_stack(bend(draws.random(count), labels))
            return np.array(points + (noise or 0) * draws.normal(size=(count, 2))), np.array(labels)

        return make

    def moon(t: Any, label: Any) -> Any:
        sign = 1 - 2 * label
        return label + sign * numpy.cos(numpy.pi * t), label / 2 + sign * numpy.sin(numpy.pi * t)

    def circle(t: Any, label: Any) -> Any:
        return tuple((1 - label / 2) * turn(2 * numpy.pi * t) for turn in (numpy.cos, numpy.sin))

    def clusters(n_samples: int = 100, n_features: int = 2, centers: Any = 3, n_classes: Any = None, **_: Any) -> Any:
        classes = n_classes or (centers if isinstance(centers, int) else len(centers))
        return tuple(map(np.array, samples.points(n_samples, n_features, classes)))

    def make_regression(n_samples: int = 100, n_features: int = 100, **_: Any) -> Any:
        x = samples.points(n_samples, n_features, 2)[0]
        return np.array(x), np.array(x @ numpy.linspace(-1, 1, n_features))

    return _named("sklearn.datasets", {
        "load_digits": load_digits, "fetch_openml": fetch_openml, "load_iris": classes_of(150, 4, 3),
        "load_breast_cancer": classes_of(569, 30, 2), "load_wine": classes_of(178, 13, 3),
        "load_diabetes": numbers_of(442, 10), "fetch_california_housing": numbers_of(500, 8),
        "load_boston": numbers_of(506, 13), "make_moons": curves(moon), "make_circles": curves(circle),
        "make_gaussian_quantiles": curves(circle), "make_blobs": clusters, "make_regression": make_regression,
        "make_classification": lambda n_samples=100, n_features=20, **how: clusters(
            n_samples, n_features, how.get("n_classes", 2)),
    })  # fmt: skip


def _named(module: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {f"{module}.{name}": value for name, value in attributes.items()}


def around(np: types.ModuleType) -> dict[str, Any]:
    """How data are split, scaled and coded, and predictions scored."""

    def shuffle(*arrays: Any, random_state: Any = 0, **_: Any) -> Any:
        order = numpy.random.default_rng(random_state or 0).permutation(len(arrays[0]))
        shuffled = [_rows(array, order) for array in arrays]
        return shuffled if len(arrays) > 1 else shuffled[0]

    def train_test_split(*arrays: Any, test_size: Any = None, train_size: Any = None, **how: Any) -> list[Any]:
        count = len(arrays[0])
        kept = count - _size(test_size or 0.25, count) if train_size is None else _size(train_size, count)
        order = shuffle(numpy.arange(count), random_state=how.get("random_state"))
        return [_rows(array, part) for array in arrays for part in (order[:kept], order[kept:])]

    class Scaler:
        """(x − centre) / width for each column."""

        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        centre = staticmethod(lambda x: x.mean(0))
        width = staticmethod(lambda x: x.std(0))

        def fit(self, x: Any, y: Any = None) -> Scaler:
            x = numpy.asarray(x, numpy.float64)
            width = self.width(x)
            self.mean_, self.scale_ = self.centre(x), numpy.where(width == 0, 1.0, width)
            return self

        def transform(self, x: Any) -> Any:
            return (np.array(x) - self.mean_) / self.scale_

        def fit_transform(self, x: Any, y: Any = None) -> Any:
            return self.fit(x).transform(x)

        def inverse_transform(self, x: Any) -> Any:
            return np.array(x) * self.scale_ + self.mean_

    class MinMaxScaler(Scaler):
        centre = staticmethod(lambda x: x.min(0))
        width = staticmethod(lambda x: x.max(0) - x.min(0))

    class RobustScaler(Scaler):
        centre = staticmethod(lambda x: numpy.median(x, 0))
        width = staticmethod(lambda x: numpy.subtract(*numpy.percentile(x, [75, 25], axis=0)))

    class LabelEncoder:
        """Classes as integers."""

        def __init__(self, *_: Any, sparse: bool = True, sparse_output: bool = True, **__: Any) -> None:
            self._sparse = sparse and sparse_output

        def fit(self, y: Any, _: Any = None) -> Any:
            self.classes_ = numpy.unique(numpy.asarray(y))
            self.categories_ = [self.classes_]
            return self

        def transform(self, y: Any) -> Any:
            return np.array(numpy.searchsorted(self.classes_, numpy.asarray(y).reshape(-1)))

        def fit_transform(self, y: Any, _: Any = None) -> Any:
            return self.fit(y).transform(y)

        def inverse_transform(self, coded: Any) -> Any:
            coded = numpy.asarray(coded)
            return np.array(self.classes_[coded.argmax(1) if coded.ndim == 2 else coded])

    class LabelBinarizer(LabelEncoder):
        """One-hot, two classes as one column."""

        def transform(self, y: Any) -> Any:
            one_hot = np.eye(len(self.classes_))[super().transform(y)]
            return one_hot if len(self.classes_) > 2 else one_hot[:, 1:]

    class OneHotEncoder(LabelEncoder):
        def transform(self, y: Any) -> Any:
            one_hot = np.eye(len(self.classes_))[super().transform(y)]
            return Bunch(toarray=lambda: one_hot, todense=lambda: one_hot) if self._sparse else one_hot

    def accuracy_score(a: Any, b: Any, **_: Any) -> float:
        return float(numpy.mean(numpy.asarray(a).reshape(-1) == numpy.asarray(b).reshape(-1)))

    def confusion_matrix(a: Any, b: Any, **_: Any) -> Any:
        size = 1 + int(max(numpy.max(a), numpy.max(b)))
        counts = numpy.zeros((size, size), numpy.int64)
        numpy.add.at(counts, (numpy.asarray(a, int).reshape(-1), numpy.asarray(b, int).reshape(-1)), 1)
        return np.array(counts)

    return {
        "model_selection.train_test_split": train_test_split, "utils.shuffle": shuffle, "utils.Bunch": Bunch,
        **_named("preprocessing", {"StandardScaler": Scaler, "MinMaxScaler": MinMaxScaler, "RobustScaler": RobustScaler,
                                   "LabelEncoder": LabelEncoder, "LabelBinarizer": LabelBinarizer,
                                   "OneHotEncoder": OneHotEncoder, "scale": lambda x: Scaler().fit_transform(x)}),
        "metrics.accuracy_score": accuracy_score, "metrics.confusion_matrix": confusion_matrix,
    }  # fmt: skip


def _size(share: Any, count: int) -> int:
    return round(share * count) if isinstance(share, float) else int(share)


def _rows(array: Any, places: Any) -> Any:
    if isinstance(array, list):
        return [array[k] for k in places]
    return array.iloc[places] if hasattr(array, "iloc") else array[places]
