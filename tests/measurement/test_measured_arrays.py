"""Arrays, lists and columns of pandas become the same table as files."""

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tikitaka as tt
from support.pulses import cycles, in_a_row

UPS, DOWNS = cycles()
ROW = in_a_row(UPS, DOWNS)
SIGNS = np.tile(np.repeat([1, -1], 60), 3)


def values(found: tt.Measured) -> list[list[float]]:
    return [each.values.tolist() for each in found.sweeps]


PAIRS: dict[str, tuple[Any, Any]] = {
    "arrays": (np.array(UPS), np.array(DOWNS)),
    "lists": ([each.tolist() for each in UPS], [each.tolist() for each in DOWNS]),
    "a list of arrays": (UPS, DOWNS),
    "a DataFrame": (pd.DataFrame(np.array(UPS).T), pd.DataFrame(np.array(DOWNS).T, columns=list("abc"))),
    "columns of pandas": ([pd.Series(each) for each in UPS], [pd.Series(each) for each in DOWNS]),
    "a dict": ({"device": UPS}, {"device": DOWNS}),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_up_and_down(kind: str) -> None:
    up, down = PAIRS[kind]
    found = tt.measured(up=up, down=down)
    assert values(found) == [each.tolist() for pair in zip(UPS, DOWNS, strict=True) for each in pair]
    assert [each.cycle for each in found.sweeps] == [1, 1, 2, 2, 3, 3]
    assert [set(each.signs.tolist()) for each in found.sweeps] == [{1}, {-1}] * 3


@pytest.mark.parametrize("up", [UPS[0], UPS[0].tolist(), pd.Series(UPS[0]), UPS[0].astype(object), UPS[0][None, :]])
def test_one_cycle(up: Any) -> None:
    found = tt.measured(up=up, down=DOWNS[0], device="A1")
    assert (found.devices, found.cycles, found.up, found.down) == (("A1",), 1, 60, 60)
    assert values(found) == [UPS[0].tolist(), DOWNS[0].tolist()]


@pytest.mark.parametrize("given", [{"pulses": SIGNS}, {"pattern": "60u,60d"}, {}, {"pulses": SIGNS.tolist()}])
def test_reads_in_a_row(given: dict[str, Any]) -> None:
    found = tt.measured(ROW, **given)
    assert np.concatenate([each.signs for each in found.sweeps]).tolist() == SIGNS.tolist()
    assert np.concatenate([each.values for each in found.sweeps]).tolist() == ROW.tolist()
    assert found.cycles == 3


def test_a_read_follows_its_pulse() -> None:
    """Nothing is shifted: the pulse with the largest step is the one that the table names."""
    found = tt.measured(np.concatenate([[10.0], ROW]), pulses=[0, *SIGNS.tolist()])
    assert found.sweeps[0].signs[:2].tolist() == [0, 1]
    assert found.sweeps[0].values[:2].tolist() == [10.0, ROW[0]]


def test_devices_by_name_and_unequal_lengths() -> None:
    found = tt.measured(
        up={"A": UPS[0][:40], "B": UPS}, down={"A": DOWNS[0], "B": [DOWNS[0][:30], DOWNS[1]]}, unit="nS"
    )
    assert found.devices == ("A", "B")
    assert [len(each) for each in found.of("A")] == [40, 60]
    assert [len(each) for each in found.of("B")] == [60, 30, 60, 60, 60]
    assert (found.unit, found.source_unit) == ("S", "nS")
    with pytest.raises(ValueError, match="device must be one of A, B, not 'C'"):
        found.of("C")


def test_missing_reads_and_masks() -> None:
    gap = UPS[0].copy()
    gap[[0, 7]] = np.nan
    masked = np.ma.masked_invalid(gap)
    for up in (gap, masked, pd.Series(gap)):
        found = tt.measured(up=up, down=DOWNS[0])
        assert np.isnan(found.sweeps[0].values).nonzero()[0].tolist() == [6]  # a blank start is dropped
        assert found.up == 59


def test_flip_of_pulses() -> None:
    found = tt.measured(ROW, pulses=-SIGNS, flip=True)
    assert np.concatenate([each.signs for each in found.sweeps]).tolist() == SIGNS.tolist()
    with pytest.raises(ValueError, match="if the signs are swapped, pass flip=True"):
        tt.measured(ROW, pulses=-SIGNS)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "give either values, or up and down"),
    ({"values": ROW, "up": ROW}, "give either values, or up and down"),
    ({"up": ROW}, "there are only up pulses"),
    ({"up": "abc", "down": DOWNS}, "up must hold numbers, not 'abc'"),
    ({"up": ["a", "b"], "down": DOWNS}, "up must hold numbers"),
    ({"up": UPS, "down": np.zeros((2, 3, 4))}, "down must be .* not of shape"),
    ({"up": UPS, "down": []}, "down must be"),
    ({"up": {3: UPS}, "down": DOWNS}, "up must have names of devices for keys, not 3"),
    ({"values": ROW, "pulses": SIGNS[:-1]}, "pulses must have the shape of values"),
    ({"values": ROW, "pulses": 2 * SIGNS}, "pulses must be \\+1, -1 or 0"),
    ({"up": UPS, "down": DOWNS, "pattern": "1u"}, "pulses and pattern belong to values"),
    ({"values": ROW * 1j}, "values must hold numbers"),
    ({"values": ROW, "unit": "cm"}, "unit must be one such as"),
]


@pytest.mark.parametrize(("given", "words"), WRONG, ids=lambda each: str(each)[:40])
def test_wrong_arrays_are_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        tt.measured(**given)


def test_sweeps_check_themselves() -> None:
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"signs": [1, 2]}, "signs must be \\+1, -1 or 0, not 2"),
        ({"signs": [1]}, "signs must be one for each of 2 values, not 1"),
        ({"values": [1.0, np.inf]}, "values must be finite"),
        ({"values": [[1.0]]}, "values must hold from 1 to"),
        ({"values": ["a", "b"]}, "values must hold numbers"),
        ({"cycle": 1.5}, "cycle must be a whole number"),
        ({"device": 3}, "device must be a string"),
    ]
    for wrong, words in wrongs:
        good: dict[str, Any] = {"device": "A", "cycle": 1, "signs": [0, 1], "values": [1.0, 2.0]}
        with pytest.raises((ValueError, TypeError), match=words):
            tt.Sweep(**{**good, **wrong})
    sweep = tt.Sweep("A", 1, [0, 1], [1.0, 2.0])  # type: ignore[arg-type]
    assert (sweep.up, sweep.down, len(sweep)) == (1, 0, 2)
    assert sweep.values.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        sweep.values[0] = 3
    with pytest.raises(ValueError, match="at least one sweep"):
        tt.Measured(())
    with pytest.raises(TypeError, match=r"sweeps must hold tt.Sweep only, not 3"):
        tt.Measured((3,))  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies_are_the_same(how: Any) -> None:
    found = tt.measured(up=UPS, down=DOWNS, unit="uS")
    other = how(found)
    assert (repr(other), str(other)) == (repr(found), str(found))
    assert values(other) == values(found)


def test_what_is_shown() -> None:
    found = tt.measured(up=UPS, down=DOWNS, device="<A&B>", unit="uS")
    low, high = found.range
    words = f"1 device, 3 cycles, 180 up and 180 down pulses, {low:.4g} to {high:.4g} S"
    assert repr(found) == f"Measured({words})"
    assert str(found).splitlines() == [
        f"arrays: {words}",
        "understood: up and down traces as given",
        "understood: conductance in uS",
    ]
    page = found._repr_html_()
    assert words in page
    assert "<td" in page
    assert len(found) == 6
    assert repr(found.sweeps[0]) == "Sweep('<A&B>', cycle 1: 60 reads, 60 up and 0 down pulses)"
