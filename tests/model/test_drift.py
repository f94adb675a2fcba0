"""Chips whose weights drift: the law, its composition, and what stays."""

import copy
import pickle

import numpy as np
import pytest

import tikitaka as tt

LAYERS = [tt.nn.Linear(99, 100), tt.nn.Tanh(), tt.nn.Linear(100, 10)]
RANDOM = np.random.default_rng(4)
MODEL = tt.Model.from_weights(LAYERS, [RANDOM.uniform(-0.2, 0.2, s) for s in ((100, 100), (10, 101))])
DEVICE = tt.ConstantStep(states=1000)


def chip(**kwargs: object) -> tt.Chip:
    return tt.program(MODEL, device=DEVICE, seed=3, **kwargs)  # type: ignore[arg-type]


def same(one: tt.Chip, other: tt.Chip, atol: float = 0.0) -> None:
    for ours, theirs in zip(one.network.weights, other.network.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


def test_weights_fall_as_a_power_of_time() -> None:
    young = chip()
    drift = tt.Drift(exponent=0.06, spread=0.02, start_s=20)
    for seconds in (100.0, 1e6):
        old = young.after(seconds, drift)
        weights = young.network.weights[0].astype(float)
        exponents = -np.log(old.network.weights[0] / weights) / np.log(seconds / 20)
        sure = np.abs(weights) > 0.01
        n = sure.sum()
        assert exponents[sure].mean() == pytest.approx(0.06, abs=5 * 0.02 / np.sqrt(n))
        assert exponents[sure].std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * n))
        np.testing.assert_allclose(old.residuals[0], old.network.weights[0] - MODEL.weights[0], atol=1e-6)
        assert old.age_s == seconds
    same(young.after(20.0), young)  # not yet
    same(young.after(0), young)


def test_later_from_later_is_the_same_as_at_once() -> None:
    young = chip()
    once = young.after(3600)
    same(young.after(600).after(1000).after(2000), once)
    same(young.after(5).after(5).after(3590), once)
    same(pickle.loads(pickle.dumps(young.after(600))).after(3000), once)
    same(copy.deepcopy(young.after(600)).after(3000), once)
    same(young, chip())  # it is another chip


def test_devices_have_exponents_of_their_own() -> None:
    share = [one.after(1e5).network.weights[0] / one.network.weights[0] for one in (chip(), tt.program(MODEL, seed=9))]
    assert abs(np.corrcoef(share[0].ravel(), share[1].ravel())[0, 1]) < 0.05
    still = chip().after(1e5, tt.Drift(exponent=0.0, spread=0.0))
    same(still, chip())


def test_weights_that_were_trained_since_drift_from_then_on() -> None:
    old = tt.program(MODEL, rule=tt.AnalogSgd(device=DEVICE), seed=3).after(3600)
    old.network.weights = [w + 0.01 for w in old.network.weights]
    set_, now = old.network.weights, old.after(0)
    for ours, theirs in zip(now.network.weights, set_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(now.residuals[0], set_[0] - MODEL.weights[0], atol=1e-6)
    later = old.after(100, tt.Drift(exponent=0.1, spread=0.0))
    np.testing.assert_allclose(later.network.weights[0], set_[0] * (100 / 20) ** -0.1, rtol=1e-5)
    same(later.after(900, tt.Drift(exponent=0.1, spread=0.0)), old.after(1000, tt.Drift(exponent=0.1, spread=0.0)))


def test_faulty_chips_and_tiles() -> None:
    broken = chip(reliability=tt.reliabilities["reram-om"], tile=40)
    off = np.abs(broken.residuals[0]) > 0.01
    assert off.mean() == pytest.approx(0.135, abs=0.03)
    old = broken.after(1e6, tt.Drift(exponent=0.1, spread=0.0))
    np.testing.assert_array_equal(old.network.weights[0][off], broken.network.weights[0][off])  # stuck stays


def test_refusals() -> None:
    young = chip()
    for bad in (-1, float("nan"), float("inf"), 10**400):
        with pytest.raises(ValueError, match="seconds must be from 0 to 1e15"):
            young.after(bad)
    with pytest.raises(TypeError, match="seconds"):
        young.after("a day")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="drift"):
        young.after(1, 0.1)  # type: ignore[arg-type]
    for bad_drift in ({"spread": -1}, {"start_s": 0}, {"exponent": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(bad_drift))):
            tt.Drift(**bad_drift)
    with pytest.raises(ValueError, match="either rule or device, tile, not both"):
        tt.program(MODEL, rule=tt.Ttv2(), device=DEVICE, tile=3)
