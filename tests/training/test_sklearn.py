"""The estimators of scikit-learn keep its rules, and train networks of tikitaka."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import tikitaka as tt
from tikitaka.sklearn import TikitakaClassifier, TikitakaRegressor


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([TikitakaClassifier(), TikitakaRegressor()])
def test_estimators_pass_the_checks_of_scikit_learn(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)


def test_parameters_of_the_rule_are_reached_by_name() -> None:
    model = TikitakaClassifier(rule=tt.Ttv2(device=tt.SoftBounds(states=50)))
    params = model.get_params()
    assert params["rule__device__states"] == 50
    assert params["rule__periphery__forward__output_noise"] == 0
    assert not any("__" in name for name in model.get_params(deep=False))
    twin = clone(model).set_params(rule__device__states=10, rule__lr=0.2, epochs=3)
    assert (twin.rule.device.states, twin.rule.lr, twin.epochs) == (10, 0.2, 3)
    assert model.rule.device.states == 50
    assert TikitakaClassifier().set_params(rule__device__states=10).rule == tt.Ttv2(device=tt.SoftBounds(states=10))
    changed = model.set_params(rule=tt.AnalogSgd(), rule__device__states=7)
    assert changed.rule == tt.AnalogSgd(device=tt.SoftBounds(states=7))


def test_states_and_weight_step_replace_each_other() -> None:
    for device in (tt.SoftBounds(weight_step=0.06), tt.SoftBounds(states=40), tt.presets["ecram"]):
        model = TikitakaClassifier(rule=tt.Ttv2(device=device))
        assert model.set_params(rule__device__states=np.int64(10)).rule.device.states == 10
        assert model.set_params(rule__device__weight_step=0.05).rule.device.weight_step == 0.05
    other = model.set_params(rule__device=tt.ConstantStep(states=8), rule__periphery=tt.Periphery.full()).rule
    assert other == tt.Ttv2(device=tt.ConstantStep(states=8), periphery=tt.Periphery.full())


def test_parameters_that_are_not_there() -> None:
    model = TikitakaClassifier(rule=tt.DigitalSgd())
    with pytest.raises(ValueError, match="rule__device__states must end in a field of DigitalSgd: lr"):
        model.set_params(rule__device__states=10)
    with pytest.raises(ValueError, match="must be a parameter of TikitakaClassifier"):
        model.set_params(device__states=10)
    with pytest.raises(ValueError, match="states"):
        TikitakaClassifier().set_params(rule__device__states=-1)
    with pytest.raises(ValueError, match="activation must be"):
        TikitakaClassifier(activation="softmax").fit([[0.0], [1.0]], [0, 1])


def test_settings_of_any_type() -> None:
    x, y = load_iris(return_X_y=True)
    for hidden in (np.int64(4), None, [4, 4]):
        TikitakaClassifier(hidden, epochs=1, random_state=1).fit(x, y)
    with pytest.raises(TypeError, match=r"rule must be a rule such as tikitaka\.Ttv2\(\)"):
        TikitakaClassifier(rule=tt.Ttv2).fit(x, y)
    with pytest.raises(ValueError, match="must end in a field of Ttv2"):
        TikitakaClassifier(rule=tt.Ttv2).set_params(rule__device__states=3)
    model = TikitakaClassifier(epochs=2, random_state=1).fit(x, y)
    before = model.predict_proba(x)
    np.testing.assert_array_equal(model.set_params(standardize=False).predict_proba(x), before)
    huge = TikitakaClassifier(random_state=1, rule=tt.DigitalSgd()).fit(x * 1e200, y)
    assert huge.score(x * 1e200, y) > 0.9


def test_labels_of_any_kind_and_probabilities() -> None:
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = TikitakaClassifier(random_state=1, rule=tt.DigitalSgd(lr=0.1)).fit(x, names)
    assert (model.predict(x) == names).mean() > 0.9
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, rtol=1e-5)
    assert len(model.loss_curve_) == model.n_iter_ == 30
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_the_same_state_gives_the_same_bits() -> None:
    x, y = load_iris(return_X_y=True)
    first, second, other = (TikitakaClassifier(epochs=2, random_state=seed).fit(x, y) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.predict_proba(x), second.predict_proba(x))
    assert not np.array_equal(first.predict_proba(x), other.predict_proba(x))


def test_a_grid_of_devices() -> None:
    search = GridSearchCV(
        TikitakaClassifier(random_state=1, epochs=20), {"rule__device__states": [3, 50], "hidden": [(8,), ()]}, cv=3
    )
    search.fit(*load_iris(return_X_y=True))
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.85


def test_regression_in_the_units_of_its_targets() -> None:
    x, y = load_diabetes(return_X_y=True)
    model = TikitakaRegressor((16,), rule=tt.DigitalSgd(lr=0.01), random_state=1).fit(x[:300], y[:300])
    assert model.score(x[300:], y[300:]) > 0.35
    both = TikitakaRegressor((16,), rule=tt.DigitalSgd(lr=0.01), random_state=1).fit(x, np.column_stack([y, -y]))
    assert both.predict(x).shape == (len(x), 2)
