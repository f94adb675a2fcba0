"""Networks on crossbars as estimators of scikit-learn: a classifier and a regressor.

Needs scikit-learn (the extra `sklearn`).

>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import cross_val_score
>>> from tikitaka.sklearn import TikitakaClassifier
>>> x, y = load_iris(return_X_y=True)
>>> scores = cross_val_score(TikitakaClassifier(random_state=1), x, y)
>>> bool(scores.mean() > 0.9)
True
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    words = "tikitaka.sklearn needs scikit-learn: pip install 'tikitaka[sklearn]'"
    raise ModuleNotFoundError(words, name="sklearn") from error

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_int, one_of
from tikitaka.config import RuleConfig
from tikitaka.config.base import Config
from tikitaka.config.convert import from_dict, over, to_dict
from tikitaka.data import Dataset
from tikitaka.network import Network
from tikitaka.nn import Layer, Linear, ReLU, Sigmoid, Tanh, nets
from tikitaka.rule import Rule
from tikitaka.score import softmax
from tikitaka.training import fit

__all__ = ["TikitakaClassifier", "TikitakaRegressor"]

F32 = NDArray[np.float32]

_ACTIVATIONS: dict[str, type[Layer]] = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}


class _Estimator(BaseEstimator):
    """What both estimators share.

    Parameters of the rule are reached by name, as in configuration files: `rule__device__states`,
    `rule__periphery__forward__output_noise`.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64,),
        *,
        activation: str = "tanh",
        rule: RuleConfig | Rule | None = None,
        epochs: int = 30,
        batch: int = 1,
        schedule: Any = "decay",
        standardize: bool = True,
        threads: int = 1,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.rule = rule
        self.epochs = epochs
        self.batch = batch
        self.schedule = schedule
        self.standardize = standardize
        self.threads = threads
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; with `deep` those of the rule, too."""
        params: dict[str, Any] = super().get_params(deep=False)
        return params | dict(_flat("rule", params["rule"])) if deep else params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; those of the rule go to a copy of it, by default of that for `batch`."""
        own = {name: value for name, value in params.items() if "__" not in name}
        super().set_params(**own)
        for name, value in params.items():
            first, *path = name.split("__")
            if not path:
                continue
            if first != "rule":
                raise ValueError(f"{name} must be a parameter of {type(self).__name__}, or of its rule as rule__…")
            self.rule = _replaced(self._rule(self.batch), path, value, name)
        return self

    def _rule(self, batch: int) -> Any:
        """The rule, by default TTv2 with the rate for mini-batches of so many examples."""
        return nets["fcn"].rule("ttv2", batch) if self.rule is None else self.rule

    def _inputs(self, x: Any) -> F32:
        return np.asarray((x - self._centre) / self._spread, dtype=np.float32)

    def _train(self, x: Any, targets: NDArray[Any], classes: int) -> None:
        """Train a new network on checked examples; classes are 0 for a regression."""
        hidden = [self.hidden] if isinstance(self.hidden, Integral) else list(self.hidden or ())
        sizes = [x.shape[1], *(check_int("hidden", size, 1) for size in hidden)]
        activation = _ACTIVATIONS[one_of("activation", self.activation, _ACTIVATIONS)]
        layers: list[Layer] = []
        for inputs, outputs in pairwise(sizes):
            layers += [Linear(inputs, outputs), activation()]
        layers.append(Linear(sizes[-1], classes or targets.shape[1]))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._centre, self._spread = _scale(x, self.standardize)
        rule = self._rule(min(self.batch, len(x)))
        if not isinstance(rule, RuleConfig | Rule):
            raise TypeError(f"rule must be a rule such as tikitaka.Ttv2(), not {shown(rule)}")
        self.network_ = Network(layers, rule, loss="cross-entropy" if classes else "mse", seed=seed)
        x = self._inputs(x)
        data = Dataset("arrays", x, targets, x[:1], targets[:1], classes)
        history = fit(
            self.network_,
            data,
            epochs=self.epochs,
            batch=min(self.batch, len(x)),
            schedule=self.schedule,
            threads=self.threads,
            progress=False,
        )
        self.loss_curve_ = [metrics.train_loss for metrics in history]
        self.n_iter_ = len(history)

    def _outputs(self, x: ArrayLike) -> F32:
        check_is_fitted(self)
        inputs = self._inputs(validate_data(self, x, reset=False, dtype=np.float64))
        return self.network_.forward(inputs, threads=self.threads)


class TikitakaClassifier(ClassifierMixin, _Estimator):
    """A fully connected network on crossbars that classifies.

    `hidden` are the sizes of its hidden layers, `activation` is "sigmoid", "tanh" or "relu"; `rule` is a rule of
    tikitaka, by default `Ttv2()` with a rate in proportion to `batch`; `epochs`, `batch` and `schedule` are those of
    `tikitaka.fit`. Inputs are standardised (mean 0, variance 1) unless `standardize` is False. `random_state`
    determines devices, noise and the order of the examples. Training releases the interpreter lock, so
    `joblib.parallel_config(backend="threading")` uses all cores.

    After `fit`: `network_` is the `tikitaka.Network`, `classes_` the labels, `loss_curve_` the training loss of every
    epoch, `n_iter_` the epochs.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from tikitaka.sklearn import TikitakaClassifier
    >>> search = GridSearchCV(TikitakaClassifier(random_state=1), {"rule__device__states": [10, 50]})
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> search.best_score_ > 0.9
    np.True_
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on X (examples, inputs) and labels y (examples,)."""
        x, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must have labels of at least two classes, not only 1 class: {self.classes_[0]!r}")
        self._train(x, codes.astype(np.int64), len(self.classes_))
        return self

    def predict_proba(self, X: ArrayLike) -> F32:
        """The probability (examples, classes) of each class."""
        return softmax(self._outputs(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The label (examples,) of the most probable class."""
        outputs = self._outputs(X)
        labels: NDArray[Any] = self.classes_[outputs.argmax(axis=1)]
        return labels


class TikitakaRegressor(MultiOutputMixin, RegressorMixin, _Estimator):
    """A fully connected network on crossbars that predicts numbers.

    Parameters are those of `TikitakaClassifier`; with `standardize` targets are standardised, too, and predictions
    scaled back.

    >>> import numpy as np
    >>> from tikitaka.sklearn import TikitakaRegressor
    >>> x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    >>> model = TikitakaRegressor(random_state=1).fit(x, 10 + x[:, 0] - 2 * x[:, 1])
    >>> bool(model.score(x, 10 + x[:, 0] - 2 * x[:, 1]) > 0.8)
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on X (examples, inputs) and targets y (examples,) or (examples, values)."""
        x, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        targets = np.asarray(y, dtype=np.float64)
        self._single = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        self._offset, self._unit = _scale(targets, self.standardize)
        self._train(x, ((targets - self._offset) / self._unit).astype(np.float32), 0)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """The predicted values, (examples,) or (examples, values) as the targets were."""
        y = np.asarray(self._outputs(X) * self._unit + self._offset, dtype=np.float64)
        return y[:, 0] if self._single else y


def _scale(values: NDArray[Any], standardize: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation of each column, 1 for one that is constant; without `standardize` 0 and 1."""
    if not standardize:
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    largest = np.abs(values).max(axis=0, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)  # so that squares of huge values are finite
    shares = values / unit
    spread = shares.std(axis=0)
    return shares.mean(axis=0) * unit, np.where(spread > 1e-12, spread * unit, 1.0)


def _flat(name: str, config: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a config, and of those in it, by their path."""
    if is_dataclass(config) and not isinstance(config, type):
        for f in fields(config):
            if f.init:
                value = getattr(config, f.name)
                yield f"{name}__{f.name}", value
                yield from _flat(f"{name}__{f.name}", value)


def _replaced(config: Any, path: Sequence[str], value: Any, name: str) -> Any:
    """A copy of `config` with the value at `path`; ValueError if there is no such field."""
    known: Mapping[str, Any] = {}
    if is_dataclass(config) and not isinstance(config, type):
        known = {f.name: f for f in fields(config) if f.init}
    first, *rest = path
    if first not in known:
        allowed = ", ".join(known) or "it has none"
        kind = config.__name__ if isinstance(config, type) else type(config).__name__
        raise ValueError(f"{name} must end in a field of {kind}: {allowed}")
    if rest:
        value = _replaced(getattr(config, first), rest, value, name)
    elif isinstance(config, Config) and not is_dataclass(value):
        return from_dict(type(config), over(to_dict(config), {first: value}))  # states replace weight_step
    return replace(config, **{first: value})
