"""Files of every layout are read without an option, to the values that were written."""

from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from support.pulses import LAYOUTS, cycles, rows_of, text


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_needs_no_option(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    path = tmp_path / layout.name
    path.write_bytes(layout.content)
    found = tt.read_measured(path)
    assert found.unit == layout.unit
    assert layout.said in str(found)
    assert len(found.devices) == 1
    assert found.cycles == len(layout.ups)
    for sign, wanted in ((1, layout.ups), (-1, layout.downs)):
        reads = [each.values[each.signs == sign] for each in found.sweeps]
        kept = [each for each in reads if each.size]
        assert [len(each) for each in kept] == [len(each) for each in wanted]
        for got, expected in zip(kept, wanted, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_the_first_read_before_any_pulse_has_no_sign(tmp_path: Path) -> None:
    layout = LAYOUTS["JSON by direction, with repeats"]
    (tmp_path / layout.name).write_bytes(layout.content)
    found = tt.read_measured(tmp_path / layout.name)
    assert [each.signs.tolist() for each in found.sweeps] == [[0, *[sign] * 60] for sign in (1, -1)] * 3
    assert [each.values[0] for each in found.sweeps] == [11e-6, 27e-6] * 3
    assert "the first read of each trace comes before any pulse" in found.account


def test_devices_by_columns_rows_and_files(tmp_path: Path) -> None:
    pairs = {name: cycles(count=1, seed=k) for k, name in enumerate(("A1", "B2"))}
    columns = [text(trace) for ups, downs in pairs.values() for trace in (ups[0], downs[0])]
    (tmp_path / "wide.csv").write_text("A1 up,A1 down,B2 up,B2 down\n" + rows_of(*columns))
    rows = [
        f"{name};{sign};{value:.5f}"
        for name, (ups, downs) in pairs.items()
        for sign, trace in (("+1", ups[0]), ("-1", downs[0]))
        for value in trace
    ]
    (tmp_path / "long.csv").write_text("cell;pulse;G\n" + "\n".join(rows))
    for name, (ups, downs) in pairs.items():
        (tmp_path / f"{name}.csv").write_text(rows_of(text(ups[0]), text(downs[0])))
    for source in ("wide.csv", "long.csv", ["A1.csv", "B2.csv"]):
        paths = [tmp_path / each for each in ([source] if isinstance(source, str) else source)]
        found = tt.read_measured(paths)
        assert found.devices == ("A1", "B2")
        for name, (ups, downs) in pairs.items():
            values = np.concatenate([each.values for each in found.of(name)])
            np.testing.assert_allclose(values, np.concatenate([ups[0], downs[0]]), atol=1e-4)


@pytest.mark.parametrize("names", [("set.csv", "reset.csv"), ("a LTP.csv", "a LTD.csv"), ("first.csv", "second.csv")])
def test_a_file_for_each_direction(names: tuple[str, str], tmp_path: Path) -> None:
    """Ramps of unequal lengths, blank at their ends; without words, by where they lead."""
    ups, downs = cycles()
    for name, traces in zip(names, (ups, downs), strict=True):
        columns = [text(trace[: 60 - k]) for k, trace in enumerate(traces)]
        (tmp_path / name).write_text("rmp1,rmp2,rmp3\n" + rows_of(*columns))
    found = tt.read_measured([tmp_path / name for name in names])
    assert len(found.devices) == 1
    assert (found.cycles, found.up, found.down) == (3, 60 + 59 + 58, 60 + 59 + 58)
    np.testing.assert_allclose(found.sweeps[-1].values, downs[-1][:58], atol=1e-4)


def test_rows_that_end_early_and_a_missing_read(tmp_path: Path) -> None:
    ups, downs = cycles(count=1)
    rows = [f"{a:.5f},{b:.5f}" for a, b in zip(ups[0], downs[0], strict=True)]
    rows[30] = f"NaN,{downs[0][30]:.5f}"
    rows[40] = f"{ups[0][40]:.5f},"
    rows[55:] = [f"{value:.5f}" for value in ups[0][55:]]  # the down column has ended
    (tmp_path / "ragged.csv").write_text("up,down\n" + "\n".join(rows) + "\n,\n")
    found = tt.read_measured(tmp_path / "ragged.csv")
    assert [len(each) for each in found.sweeps] == [60, 55]
    assert np.isnan(found.sweeps[0].values).nonzero()[0].tolist() == [30]
    assert np.isnan(found.sweeps[1].values).nonzero()[0].tolist() == [40]
    assert found.warnings[0].startswith("2 of 115 reads are missing")


def test_a_hundred_thousand_rows_are_read_in_blocks(tmp_path: Path) -> None:
    """A word and a blank far below must not stop the reader, or move a row."""
    k = np.arange(100_000)
    values = 20 + 10 * np.sin(2 * np.pi * k / 2000)
    rows = [
        f"A{i // 50_000},{'u' if c > 0 else 'd'},{v:.6f}"
        for i, c, v in zip(k, np.cos(2 * np.pi * k / 2000), values, strict=True)
    ]
    rows[70_000] = "A1,u,n/a"
    (tmp_path / "long.csv").write_text("device,direction,G\n" + "\n".join(rows) + "\n")
    found = tt.read_measured(tmp_path / "long.csv")
    assert found.devices == ("A0", "A1")
    every = np.concatenate([each.values for each in found.sweeps])
    assert np.isnan(every).nonzero()[0].tolist() == [70_000]
    np.testing.assert_allclose(np.delete(every, 70_000), np.delete(values, 70_000), atol=1e-6)


def test_devices_above_their_columns(tmp_path: Path) -> None:
    """As spreadsheets have it: the name of a device above the first of its columns."""
    (ups, downs), (others, falls) = cycles(count=1), cycles(count=1, seed=4)
    (tmp_path / "merged.csv").write_text(
        "A1,,B2,\nLTP,LTD,LTP,LTD\n" + rows_of(*map(text, (ups[0], downs[0], others[0], falls[0])))
    )
    found = tt.read_measured(tmp_path / "merged.csv")
    assert found.devices == ("A1", "B2")
    np.testing.assert_allclose(found.of("B2")[1].values, falls[0], atol=1e-4)


def test_a_heading_before_each_cycle(tmp_path: Path) -> None:
    ups, downs = cycles()
    blocks = [
        f"# cycle {k + 1}\nup,down\n" + rows_of(text(a), text(b))
        for k, (a, b) in enumerate(zip(ups, downs, strict=True))
    ]
    (tmp_path / "appended.csv").write_text("\n".join(blocks))
    found = tt.read_measured(tmp_path / "appended.csv")
    assert (found.cycles, found.up, found.down) == (3, 180, 180)
    np.testing.assert_allclose(found.sweeps[-1].values, downs[-1], atol=1e-4)
    assert "2 more blocks of these columns, the last in lines 129 to 188" in found.account


def test_other_blocks_are_said_to_be_left_out(tmp_path: Path) -> None:
    ups, downs = cycles(count=1)
    table = "x,y,z\n" + "1,2,3\n" * 30
    (tmp_path / "two.csv").write_text(table + "\nup,down\n" + rows_of(text(ups[0]), text(downs[0])))
    found = tt.read_measured(tmp_path / "two.csv")
    assert found.up == 60
    assert found.warnings == ("1 other block of numbers is left out, at lines 2",)


def test_several_reads_after_each_pulse(tmp_path: Path) -> None:
    ups, downs = cycles(count=1, noise=0.0)
    rows = [f"{2.5 * s},{v:.5f},{v + 0.01:.5f},{v - 0.01:.5f}" for s, t in ((1, ups[0]), (-1, downs[0])) for v in t]
    (tmp_path / "reads.csv").write_text("# pulse_v,read1,read2,read3\n" + "\n".join(rows))
    found = tt.read_measured(tmp_path / "reads.csv", unit="uS")
    assert found.sweeps[0].signs.tolist() == [1, 0, 0] * 60 + [-1, 0, 0] * 60
    np.testing.assert_allclose(found.sweeps[0].values[::3] * 1e6, np.concatenate([ups[0], downs[0]]), atol=1e-4)
    np.testing.assert_allclose(np.diff(found.sweeps[0].values)[1::3] * 1e6, -0.02, atol=1e-4)
    assert "3 reads after each pulse" in found.account


def test_rows_of_reads_between_rows_of_pulses(tmp_path: Path) -> None:
    """Pulses of 2.5 V without a value, then reads at 0.1 V."""
    ups, downs = cycles(count=1)
    rows = [f"{2.5 * s},\n0.1,{v:.5f}" for s, trace in ((1, ups[0]), (-1, downs[0])) for v in trace]
    (tmp_path / "rows.csv").write_text("V,G (uS)\n" + "\n".join(rows))
    found = tt.read_measured(tmp_path / "rows.csv")
    assert found.sweeps[0].signs.tolist()[-4:] == [-1, 0, -1, 0]
    np.testing.assert_allclose(found.sweeps[0].values[-3::2] * 1e6, downs[0][-2:], atol=1e-4)
    assert (found.up, found.down) == (59, 60)  # the first pulse is before the first read


def test_a_mirrored_block_in_a_table_of_reads(tmp_path: Path) -> None:
    ups, downs = cycles()
    rows = [f"{s},{v:.5f}" for a, b in zip(ups, downs, strict=True) for s, t in ((1, a), (-1, b[::-1])) for v in t]
    (tmp_path / "rows.csv").write_text("pulse,G\n" + "\n".join(rows))
    found = tt.read_measured(tmp_path / "rows.csv")
    assert "the down traces rise and are read backwards (mirrored_down=False keeps them)" in found.account
    np.testing.assert_allclose(found.sweeps[0].values, np.concatenate([ups[0], downs[0]]), atol=1e-4)


def test_pulses_that_all_raise_are_not_mirrored(tmp_path: Path) -> None:
    """Both polarities raise the conductance: the down block begins where the up block ends."""
    ramp = np.linspace(10, 30, 120)
    (tmp_path / "rows.csv").write_text(
        "V,G\n" + "\n".join(f"{2.5 if k < 60 else -2.5},{v}" for k, v in enumerate(ramp))
    )
    with pytest.raises(ValueError, match=r"the down trace must fall, not rise by .* like the up trace"):
        tt.read_measured(tmp_path / "rows.csv")


def test_a_column_of_pulses_in_volts(tmp_path: Path) -> None:
    ups, downs = cycles(count=1)
    rows = [f"{v:.5f},{s}" for s, trace in ((2.5, ups[0]), (-2.7, downs[0])) for v in trace]
    (tmp_path / "rows.csv").write_text("G,pulse\n" + "\n".join(rows))
    found = tt.read_measured(tmp_path / "rows.csv")
    assert (found.up, found.down) == (60, 60)


@pytest.mark.parametrize("damage", ["OVERFLOW,{down}", "{up},#REF!", "{up};{down}", "measurement interrupted"])
def test_a_damaged_row_costs_no_other(damage: str, tmp_path: Path) -> None:
    ups, downs = cycles(200, 1)
    rows = [f"{a:.5f},{b:.5f}" for a, b in zip(ups[0], downs[0], strict=True)]
    up, down = rows[100].split(",")
    rows[100] = damage.format(up=up, down=down)
    (tmp_path / "damaged.csv").write_text("up (uS),down (uS)\n" + "\n".join(rows))
    found = tt.read_measured(tmp_path / "damaged.csv")
    for sign, wanted in ((1, ups[0]), (-1, downs[0])):
        values = np.concatenate([each.values for each in found.sweeps if each.signs[0] == sign]) * 1e6
        known = values[~np.isnan(values)]
        assert 199 <= len(known) <= 200
        np.testing.assert_allclose(known, wanted if len(known) == 200 else np.delete(wanted, 100), atol=1e-4)
    assert found.unit == "S"
    assert bool(found.warnings) == ("," in damage)
    assert ("1 more block of these columns" in str(found)) == ("," not in damage)


def test_times_are_no_devices(tmp_path: Path) -> None:
    ups, downs = cycles(count=1)
    rows = [f"12:{k // 60:02}:{k % 60:02},{v:.5f},A1" for k, v in enumerate(np.concatenate([ups[0], downs[0]]))]
    (tmp_path / "log.csv").write_text("\n".join(rows))
    found = tt.read_measured(tmp_path / "log.csv")
    assert found.devices == ("A1",)
    assert (found.up, found.down) == (60, 60)


def test_a_device_that_is_useless_does_not_cost_the_others(tmp_path: Path) -> None:
    columns = {
        f"{name} {word}": text(traces[0])
        for k, name in enumerate("ABC")
        for word, traces in zip(("up", "down"), cycles(count=1, seed=k), strict=True)
    }
    columns["B down"] = columns["B up"] = ["1"] * 60
    (tmp_path / "chip.csv").write_text(",".join(columns) + "\n" + rows_of(*columns.values()))
    found = tt.read_measured(tmp_path / "chip.csv")
    assert found.devices == ("A", "C")
    assert found.warnings[0].startswith("left out: device 'B': the up trace must rise, not stay the same")


def test_many_rows_that_are_sweeps(tmp_path: Path) -> None:
    """Of two devices and 30 cycles, padded to equal lengths as a spreadsheet saves them."""
    ups, downs = cycles(40, 30)
    lines = [
        f"{name} {kind} {k + 1}," + ",".join([*text(traces[k][: 40 - k // 2]), *[""] * (k // 2)])
        for name in ("A1", "B2")
        for k in range(30)
        for kind, traces in (("erase", ups), ("program", downs))
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    found = tt.read_measured(tmp_path / "rows.csv")
    assert found.devices == ("A1", "B2")
    assert (found.cycles, len(found)) == (30, 120)
    np.testing.assert_allclose(found.of("B2")[-1].values, downs[-1][:26], atol=1e-4)


def test_an_array_of_cycles_without_words(tmp_path: Path) -> None:
    ups, downs = cycles(60, 12)
    lines = [",".join(text(trace)) for pair in zip(ups, downs, strict=True) for trace in pair]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    found = tt.read_measured(tmp_path / "rows.csv")
    assert (len(found.devices), found.cycles, found.up) == (1, 12, 720)


@pytest.mark.parametrize("head", ["op,G (uS)", "op,R (kohm)"])
def test_a_column_of_two_unknown_words(head: str, tmp_path: Path) -> None:
    ups, downs = cycles()
    rows = [
        f"{word},{v if 'G' in head else 1e3 / v:.6f}"
        for pair in zip(ups, downs, strict=True)
        for word, trace in zip(("write", "erase"), pair, strict=True)
        for v in trace
    ]
    (tmp_path / "rows.csv").write_text(f"{head}\n" + "\n".join(rows))
    found = tt.read_measured(tmp_path / "rows.csv")
    assert "write and erase in column 'op' are directions, by where their blocks lead" in found.account
    assert (len(found.devices), found.cycles, found.up, found.down) == (1, 3, 180, 180)


def test_a_resistance_without_a_unit_is_inverted(tmp_path: Path) -> None:
    ups, downs = cycles(count=1)
    (tmp_path / "r.csv").write_text("R up,R down\n" + rows_of(text(1e6 / ups[0]), text(1e6 / downs[0])))
    found = tt.read_measured(tmp_path / "r.csv")
    np.testing.assert_allclose(found.sweeps[0].values, ups[0] * 1e-6, rtol=1e-4)
    assert "no unit: resistances are taken to be in ohm" in found.account


def test_normalised_values_are_read_if_there_are_no_others(tmp_path: Path) -> None:
    ups, downs = cycles()
    row = (np.concatenate([each for pair in zip(ups, downs, strict=True) for each in pair]) - 10) / 20
    (tmp_path / "n.csv").write_text("Pulse number,Normalized conductance\n" + rows_of(range(1, 361), text(row)))
    found = tt.read_measured(tmp_path / "n.csv")
    assert (found.cycles, found.unit) == (3, "")


def test_blocks_of_different_lengths_are_warned_of(tmp_path: Path) -> None:
    """A block of alternating pulses is no block up or down."""
    ups, downs = cycles(200, 2)
    row = np.concatenate([ups[0], downs[0], ups[1], downs[1], np.linspace(12, 20, 60), np.full(300, 20.0)])
    (tmp_path / "row.txt").write_text(rows_of(text(row)))
    found = tt.read_measured(tmp_path / "row.txt")
    assert "blocks between turning points are of different lengths" in found.warnings[0]
    assert not tt.read_measured(tmp_path / "row.txt", pattern="200u,200d,200u,200d,360r").warnings


def test_cells_that_are_set_and_reset_once_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    on, off = 3e4 * rng.uniform(1, 1.2, 60), 3e6 * rng.uniform(1, 1.2, 60)
    rows = [f"{k}\tSET\t{on[k]:.1f}\n{k}\tRESET\t{off[k]:.1f}" for k in range(60)]
    (tmp_path / "cells.txt").write_text("\n".join(rows))
    with pytest.raises(
        ValueError, match="device '0': there must be at least 20 pulses in each direction, and 1 are up"
    ):
        tt.read_measured(tmp_path / "cells.txt")
    (tmp_path / "cell.csv").write_text(
        "op,R (ohm)\n" + "\n".join(row.partition("\t")[2].replace("\t", ",") for row in "\n".join(rows).split("\n"))
    )
    with pytest.raises(ValueError, match=r"it switches: one pulse covers \d+ % of the range"):
        tt.read_measured(tmp_path / "cell.csv")
