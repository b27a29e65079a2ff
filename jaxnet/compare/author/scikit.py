"""Scikit-learn where it is not installed: the data, scalers and scores that hand-written networks have around them."""

from __future__ import annotations

import types
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


def datasets(np: types.ModuleType, samples: Samples, frame: Any = None) -> dict[str, Any]:
    """load_… and make_… functions, their arrays made by `np`; tables by `frame` where they are asked for."""

    def bunch(x: Any, y: Any, return_X_y: bool = False, as_frame: bool = False, names: Any = None, **_: Any) -> Any:
        names = names or [f"feature{i}" for i in range(x.shape[1])]
        x, y = np.array(x), np.array(y)
        if as_frame and frame is not None:
            x, y = frame(x, names), frame(y, ["target"])
        if return_X_y:
            return x, y
        images = {"images": np.array(x).reshape(-1, 8, 8)} if x.shape[1] == 64 else {}
        classes = numpy.unique(numpy.asarray(y))
        return Bunch(data=x, target=y, feature_names=names, target_names=classes, frame=None, DESCR="", **images)

    def loader(count: int, features: int, classes: int) -> Any:
        def load(**how: Any) -> Any:
            x, y = samples.points(count, features, classes or 3)
            return bunch(x, y if classes else x @ numpy.ones(features) / features, **how)

        return load

    def load_digits(n_class: int = 10, **how: Any) -> Any:
        images, labels = samples.digits.x_train[:400], samples.digits.y_train[:400].astype(numpy.int64)
        small: Any = images[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3).mean((2, 4)).reshape(-1, 64) // 16
        return bunch(small[labels < n_class], labels[labels < n_class], **how)

    def fetch_openml(name: Any = "mnist_784", version: Any = 1, **how: Any) -> Any:
        if "mnist" not in str(name).lower():
            x, y = samples.points(300, 4, 3)
            return bunch(x, y.astype(str), **how)
        digits = samples.digits
        x = numpy.concatenate([digits.x_train, digits.x_test]).reshape(-1, 784)
        y = numpy.concatenate([digits.y_train, digits.y_test]).astype(str).astype(object)
        how.setdefault("as_frame", True)
        return bunch(x.astype(numpy.int64), y, names=[f"pixel{i + 1}" for i in range(784)], **how)

    def curves(n_samples: Any = 100, noise: float | None = None, bend: Any = None) -> Any:
        count = n_samples if isinstance(n_samples, int) else sum(n_samples)
        draws = numpy.random.default_rng(0)
        labels = draws.permutation(numpy.arange(count) % 2)
        points = bend(draws.random(count), labels) + (noise or 0.0) * draws.normal(size=(count, 2))
        return np.array(points), np.array(labels)

    def moon(t: Any, label: Any) -> Any:
        angle, sign = numpy.pi * t, 1 - 2 * label
        return numpy.column_stack([label + sign * numpy.cos(angle), label / 2 + sign * numpy.sin(angle)])

    def circle(t: Any, label: Any) -> Any:
        radius, angle = 1 - label / 2, 2 * numpy.pi * t
        return radius[:, None] * numpy.column_stack([numpy.cos(angle), numpy.sin(angle)])

    def quantiles(t: Any, label: Any) -> Any:
        return circle(t, 1 - label) * 2

    def points(n_samples: int = 100, n_features: int = 20, n_classes: int = 2, centers: Any = None, **_: Any) -> Any:
        classes = centers if isinstance(centers, int) else n_classes
        return tuple(map(np.array, samples.points(n_samples, n_features, classes)))

    def regression(n_samples: int = 100, n_features: int = 100, **_: Any) -> Any:
        x, _ = samples.points(n_samples, n_features, 2)
        return np.array(x), np.array(x @ numpy.linspace(-1, 1, n_features))

    def curve(bend: Any) -> Any:
        return lambda n_samples=100, noise=None, **_: curves(n_samples, noise, bend)

    return {
        "load_digits": load_digits, "fetch_openml": fetch_openml, "load_iris": loader(150, 4, 3),
        "load_breast_cancer": loader(569, 30, 2), "load_wine": loader(178, 13, 3),
        "load_diabetes": loader(442, 10, 0), "fetch_california_housing": loader(500, 8, 0),
        "load_boston": loader(506, 13, 0), "make_moons": curve(moon), "make_circles": curve(circle),
        "make_gaussian_quantiles": curve(quantiles), "make_classification": points,
        "make_blobs": lambda n_samples=100, n_features=2, centers=3, **_: points(n_samples, n_features, 3, centers),
        "make_regression": regression,
    }  # fmt: skip


def parts(np: types.ModuleType) -> dict[str, dict[str, Any]]:
    """The modules around a network: how data are split, scaled and coded, and predictions scored."""

    def order(count: int, random_state: Any) -> Any:
        return numpy.random.default_rng(random_state if isinstance(random_state, int) else 0).permutation(count)

    def train_test_split(*arrays: Any, test_size: Any = None, train_size: Any = None, random_state: Any = None,
                         **_: Any) -> list[Any]:  # fmt: skip
        count = len(arrays[0])
        test = test_size if test_size is not None else 0.25 if train_size is None else count - _size(train_size, count)
        places = order(count, random_state)
        held = _size(test, count)
        return [_rows(a, p) for a in arrays for p in (places[held:], places[:held])]

    def shuffle(*arrays: Any, random_state: Any = None, **_: Any) -> Any:
        shuffled = [_rows(a, order(len(arrays[0]), random_state)) for a in arrays]
        return shuffled if len(arrays) > 1 else shuffled[0]

    class Scaler:
        """(x − centre) / width for each column."""

        def __init__(self, centre: Any, width: Any) -> None:
            self._centre, self._width = centre, width

        def __call__(self, *_: Any, **__: Any) -> Scaler:
            return Scaler(self._centre, self._width)

        def fit(self, x: Any, y: Any = None) -> Scaler:
            x = numpy.asarray(x, numpy.float64)
            width = self._width(x)
            self.mean_, self.scale_ = self._centre(x), numpy.where(width == 0, 1.0, width)
            return self

        def transform(self, x: Any) -> Any:
            return (np.array(x) - self.mean_) / self.scale_

        def fit_transform(self, x: Any, y: Any = None) -> Any:
            return self.fit(x).transform(x)

        def inverse_transform(self, x: Any) -> Any:
            return np.array(x) * self.scale_ + self.mean_

    class Coder:
        """Classes as integers, as one column for two of them, or one-hot; `sparse` as scikit-learn gives it."""

        def __init__(self, width: int = 2, sparse: bool = False) -> None:
            self._width, self._sparse = width, sparse

        def __call__(self, *_: Any, **how: Any) -> Coder:
            return Coder(self._width, self._sparse and how.get("sparse", how.get("sparse_output", True)))

        def fit(self, y: Any, _: Any = None) -> Coder:
            self.classes_ = numpy.unique(numpy.asarray(y))
            self.categories_ = [self.classes_]
            return self

        def transform(self, y: Any) -> Any:
            places = numpy.searchsorted(self.classes_, numpy.asarray(y).reshape(-1))
            if self._width and len(self.classes_) > self._width:
                coded = np.array(numpy.eye(len(self.classes_))[places])
            else:
                coded = np.array(places.reshape(-1, 1) if self._width else places)
            return Sparse(coded) if self._sparse else coded

        def fit_transform(self, y: Any, _: Any = None) -> Any:
            return self.fit(y).transform(y)

        def inverse_transform(self, coded: Any) -> Any:
            coded = numpy.asarray(coded)
            return np.array(self.classes_[coded.argmax(1) if coded.ndim == 2 else coded])

    def accuracy_score(a: Any, b: Any, **_: Any) -> float:
        return float(numpy.mean(numpy.asarray(a).reshape(-1) == numpy.asarray(b).reshape(-1)))

    def confusion_matrix(a: Any, b: Any, **_: Any) -> Any:
        size = 1 + int(max(numpy.max(a), numpy.max(b)))
        counts = numpy.zeros((size, size), numpy.int64)
        numpy.add.at(counts, (numpy.asarray(a, int).reshape(-1), numpy.asarray(b, int).reshape(-1)), 1)
        return np.array(counts)

    standard = Scaler(lambda x: x.mean(0), lambda x: x.std(0))
    robust = Scaler(lambda x: numpy.median(x, 0), lambda x: numpy.subtract(*numpy.percentile(x, [75, 25], axis=0)))
    return {
        "model_selection": {"train_test_split": train_test_split},
        "preprocessing": {
            "StandardScaler": standard, "RobustScaler": robust, "LabelEncoder": Coder(0),
            "MinMaxScaler": Scaler(lambda x: x.min(0), lambda x: numpy.ptp(x, axis=0)),
            "OneHotEncoder": Coder(1, sparse=True), "LabelBinarizer": Coder(2), "scale": standard.fit_transform,
        },
        "metrics": {"accuracy_score": accuracy_score, "confusion_matrix": confusion_matrix},
        "utils": {"shuffle": shuffle, "Bunch": Bunch},
    }  # fmt: skip


class Sparse:
    """A sparse matrix, which is of use once it is a dense one."""

    def __init__(self, dense: Any) -> None:
        self._dense, self.shape = dense, dense.shape

    def toarray(self) -> Any:
        return self._dense

    todense = toarray


def _size(share: Any, count: int) -> int:
    return round(share * count) if isinstance(share, float) else int(share)


def _rows(array: Any, places: Any) -> Any:
    if isinstance(array, list):
        return [array[k] for k in places]
    return array.iloc[places] if hasattr(array, "iloc") else array[places]
