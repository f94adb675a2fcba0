"""Operations on all of an array at once: pulses to every device, and weights copied into given memory."""

import numpy as np
import pytest

import tikitaka as tt

RULES = [tt.DigitalSgd(), tt.AnalogSgd(), tt.Ttv2(), tt.Rl(gamma=0.3), tt.MixedPrecision()]


@pytest.mark.parametrize("device", [tt.SoftBounds(states=30), tt.PowerStep(), tt.ConstantStep()], ids=lambda d: d.kind)
def test_pulses_to_all_devices_are_those_of_column_after_column(device: tt.Device) -> None:
    counts = np.random.default_rng(1).integers(-3, 4, (5, 40))
    counts[:, 7] = counts[:, 20] = 0
    at_once, in_turn = (tt.Crossbar(5, 40, device, seed=3, count_pulses=True) for _ in range(2))
    at_once.pulse(counts)
    for k in np.flatnonzero(counts.any(axis=0)):
        in_turn.pulse_column(k, counts[:, k])
    np.testing.assert_array_equal(at_once.weights, in_turn.weights)
    np.testing.assert_array_equal(at_once.pulses, np.abs(counts))
    assert at_once.ledger == in_turn.ledger


def test_pulses_that_are_not_allowed() -> None:
    array = tt.Crossbar(2, 3)
    for counts in ([[1, 2]], [1, 2, 3], np.zeros((3, 2), int)):
        with pytest.raises(ValueError, match=r"counts must have shape \(2, 3\)"):
            array.pulse(counts)
    with pytest.raises(ValueError, match="counts must be"):
        array.pulse(np.full((2, 3), 2_000_000))
    with pytest.raises(TypeError, match="counts must be"):
        array.pulse(np.full((2, 3), 0.5))
    assert not array.weights.any()


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (16, 16), (33, 70)], ids=str)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_copied_weights_are_the_weights(rule: tt.RuleConfig, shape: tuple[int, int]) -> None:
    layer = tt.AnalogLayer(rule, np.random.default_rng(2).uniform(-0.3, 0.3, shape), seed=1)
    layer.update(np.ones((4, shape[1])), np.full((4, shape[0]), 0.1))
    out = np.full(shape, 9, np.float32)
    layer.copy_weights(out)
    np.testing.assert_array_equal(out, layer.weights)
    array = tt.Crossbar(*shape, seed=1)
    array.update(np.ones(shape[1]), np.ones(shape[0]), 0.1)
    array.copy_weights(out)
    np.testing.assert_array_equal(out, array.weights)


def test_memory_that_weights_cannot_be_copied_into() -> None:
    locked = np.zeros((2, 3), np.float32)
    locked.setflags(write=False)
    for copier in (tt.Crossbar(2, 3), tt.AnalogLayer(tt.Ttv2(), np.zeros((2, 3)))):
        for out in (
            np.zeros((3, 2), np.float32),
            np.zeros((2, 3)),
            np.zeros((3, 2), np.float32).T,
            [[0.0] * 3] * 2,
            locked,
        ):
            with pytest.raises(ValueError, match="out must be a writable C-contiguous float32 array of shape"):
                copier.copy_weights(out)
