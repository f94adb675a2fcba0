"""Figures of claims draw the numbers of the result; anything but a result is refused."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from matplotlib.container import ErrorbarContainer

from support.figures import axes_of, errorbars, spreads
from tikitaka import plot
from tikitaka.experiments import draw
from tikitaka.plot.style import rule_style

ROOT = Path(__file__).parents[2]
ROWS = [("sgd", 1000.0, 3.0, 0.3), ("sgd", 20.0, 50.0, 2.0), ("ttv2", 20.0, 2.1, 0.1), ("ttv2", 1000.0, 1.8, 0.2)]
STATES: dict[str, Any] = {
    "claim": "states",
    "axis": "rule.device.states",
    "label": "states",
    "unit": "",
    "net": "fcn",
    "rows": [
        {"rule": rule, "value": value, "error_percent": error, "spread": spread, "seeds": 3}
        for rule, value, error, spread in ROWS
    ],
    "float": {"error_percent": 1.75, "spread": 0.25, "seeds": 3},
    "tolerances": [
        {"rule": "ttv2", "points": 1.0, "tolerance": 15.0, "low": 12.0, "high": 18.0},
        {"rule": "sgd", "points": 1.0, "tolerance": None, "low": None, "high": None},
    ],
}


def drawn_bars(bars: ErrorbarContainer) -> list[Any]:
    (lines,) = bars.lines[2]
    return [segment for segment in lines.get_segments() if len(segment)]


def changed(**parts: Any) -> dict[str, Any]:
    return {**deepcopy(STATES), **parts}


def test_a_sweep_is_drawn_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(STATES, "never.png"))
    bars = errorbars(panel)
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("states", "test error (%)")
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    for label, x, y, spread in (("SGD", [20, 1000], [50, 3], [2, 0.3]), ("TTv2", [20, 1000], [2.1, 1.8], [0.1, 0.2])):
        line = bars[label].lines[0]
        assert (list(line.get_xdata()), list(line.get_ydata())) == (x, y)  # in the order of the values
        assert spreads(bars[label], 1) == pytest.approx(spread)
    mark = bars["TTv2: 15"]
    assert (list(mark.lines[0].get_xdata()), list(mark.lines[0].get_ydata())) == ([15], [2.75])
    assert spreads(mark, 0) == pytest.approx([3])
    levels = [float(line.get_ydata()[0]) for line in panel.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [1.75, 2.75]
    (band,) = panel.patches
    assert (band.get_y(), band.get_height()) == pytest.approx((1.5, 0.5))
    legend = panel.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["TTv2: 15", "SGD: none in range"]
    assert legend.get_title().get_text() == "within float + 1 point"


def test_trainings_given_up_have_an_open_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = deepcopy(STATES["rows"])
    rows[1]["given_up"], rows[0]["given_up"] = 2, 0
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(changed(rows=rows, tolerances=[]), "never.png"))
    (mark,) = [line for line in panel.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([20], [50])
    assert mark.get_color() == errorbars(panel)["SGD"].lines[0].get_color()
    assert [text.get_text() for text in panel.get_figure().legends[0].get_texts()] == [
        "float",
        "SGD",
        "TTv2",
        "training given up",
    ]
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(STATES, "never.png"))
    assert "training given up" not in [text.get_text() for text in panel.get_figure().legends[0].get_texts()]


def test_losses_of_texts_are_drawn_in_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**row, "loss": row["error_percent"] / 10} for row in STATES["rows"]]
    for row in rows:
        del row["error_percent"]
    tolerances = [{**each, "points": 0.3} for each in STATES["tolerances"]]
    result = changed(measure="loss", rows=rows, float={"loss": 0.175, "spread": None}, tolerances=tolerances)
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(result, "never.png"))
    assert panel.get_ylabel() == "test loss (nats per character)"
    assert list(errorbars(panel)["SGD"].lines[0].get_ydata()) == pytest.approx([5, 0.3])
    assert panel.get_legend().get_title().get_text() == "within float + 0.3 nats"
    assert panel.get_ylim()[1] == pytest.approx(0.175 + 6 * 0.3)  # the loss of 5 nats is beyond


@pytest.mark.parametrize("rules", [
    ["ttv2"],
    ["sgd", "sgd-symmetric", "ttv1", "ttv2", "agad"],
    ["mp", "sgd-symmetric", "tiles"],
    ["ttv1", "ttv2", "cttv2", "agad", "rl", "rlv2", "rider", "erider", "tiles", "a rule with a rather long name"],
])  # fmt: skip
def test_the_legend_fits_the_figure(monkeypatch: pytest.MonkeyPatch, rules: list[str]) -> None:
    rows = [{**row, "rule": rule, "given_up": 1} for rule in rules for row in STATES["rows"][:2]]
    derived = [{"rule": rules[0], "points": 1.0, "value": 30.0}]
    result = changed(rows=rows, tolerances=[], derived=derived)
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(result, "never.png"))
    figure = panel.get_figure()
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_rules_of_one_figure_look_different() -> None:
    rules = ["sgd", "sgd-symmetric", "ttv1", "ttv2", "agad"]
    looks = [rule_style(rule, rules) for rule in rules]
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == len(rules)


def test_derived_tolerances_are_dotted_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"rule": "ttv2", "points": 1.0, "value": 30.0}, {"rule": "ttv2", "points": 0.5, "value": 15.0}]
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(changed(derived=rows), "never.png"))
    dotted = [line for line in panel.lines if line.get_linestyle() == ":" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in dotted] == [[30.0, 30.0]]
    assert dotted[0].get_color() == errorbars(panel)["TTv2"].lines[0].get_color()
    assert "derived tolerance" in [text.get_text() for text in panel.get_figure().legends[0].get_texts()]


def test_a_single_seed_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**row, "spread": None if row["rule"] == "sgd" else 0.1} for row in STATES["rows"]]
    result = changed(rows=rows, float={"error_percent": 1.75, "spread": None})
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(result, "never.png"))
    assert not panel.patches
    assert not drawn_bars(errorbars(panel)["SGD"])
    assert list(errorbars(panel)["SGD"].lines[0].get_ydata()) == [50, 3]
    assert spreads(errorbars(panel)["TTv2"], 1) == pytest.approx([0.1, 0.1])
    assert len(drawn_bars(errorbars(panel)["TTv2"])) == 2
    cells = [{"setting": "a", "schedule": "b", "model": m, "error_percent": 2.0, "spread": None} for m in "cd"]
    (panel,) = axes_of(monkeypatch, lambda: plot.extraction(cells, "never.png"))
    assert not drawn_bars(errorbars(panel)["schedule b"])


def test_each_panel_holds_its_rows_and_tolerances(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**row, "panel": panel} for panel in ("additive", "multiplicative") for row in STATES["rows"]]
    rows[-1]["error_percent"] = 9.0
    tolerances = [{**STATES["tolerances"][0], "panel": "multiplicative", "points": 0.5}]
    result = changed(rows=rows, tolerances=tolerances, label="cycle noise", unit="steps")
    first, second = axes_of(monkeypatch, lambda: plot.claim(result, "never.png"))
    assert [panel.get_title() for panel in (first, second)] == ["additive", "multiplicative"]
    assert [panel.get_xlabel() for panel in (first, second)] == ["cycle noise (steps)"] * 2
    assert [errorbars(panel)["TTv2"].lines[0].get_ydata()[1] for panel in (first, second)] == [1.8, 9.0]
    assert first.get_legend() is None
    assert errorbars(second)["TTv2: 15"].lines[0].get_ydata()[0] == 2.25
    assert first.get_ylim() == second.get_ylim()


@pytest.mark.parametrize(("values", "scale"), [((0.0, 10.0), "linear"), ((1.0, 9.0), "linear"), ((0.1, 2.0), "log")])
def test_axes_are_logarithmic_where_it_helps(
    monkeypatch: pytest.MonkeyPatch, values: tuple[float, float], scale: str
) -> None:
    rows = [{"rule": "ttv2", "value": value, "error_percent": 2.0, "spread": 0.0} for value in values]
    bare = {"claim": "reference", "axis": "rule.reference.spread", "rows": rows}
    (panel,) = axes_of(monkeypatch, lambda: plot.claim(bare, "never.png"))
    assert (panel.get_xscale(), panel.get_yscale()) == (scale, "linear")
    assert panel.get_xlabel() == "rule.reference.spread"


def test_weight_programming_has_the_numbers_of_r24(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"rule": "ttv2", "states": n, "error_percent": error, "spread": 0.1, "seeds": 3, "lr": None, "r24_percent": r24}
        for n, error, r24 in ((10, 11.6, 9.8), (20, 5.6, 4.8), (30, 4.0, None))
    ]
    result = {"claim": "weight-programming", "rows": rows}
    (panel,) = axes_of(monkeypatch, lambda: draw(result, "never.png"))
    line = errorbars(panel)["TTv2"].lines[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([10, 20, 30], [11.6, 5.6, 4.0])
    (published,) = [line for line in panel.lines if line.get_label() == "TTv2 in R24"]
    assert (list(published.get_xdata()), list(published.get_ydata())) == ([10, 20], [9.8, 4.8])


def test_extraction_has_a_panel_per_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    result = json.loads((ROOT / "results/extraction/extraction.json").read_text())
    panels = axes_of(monkeypatch, lambda: draw(result, "never.png"))
    drawn = [
        (panel.get_title(loc="left"), label.removeprefix("schedule "), list(bars.lines[0].get_xdata()))
        for panel in panels
        for label, bars in errorbars(panel).items()
    ]
    for setting, schedule, errors in drawn:
        rows = [r for r in result["rows"] if (r["setting"], r["schedule"]) == (setting, schedule)]
        assert errors == [row["error_percent"] for row in rows]
    assert sum(len(errors) for *_, errors in drawn) == len(result["rows"])


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([], "a result of"),
        ({"rows": []}, "a result of"),
        (changed(rows=[]), "rows must contain"),
        (changed(rows="many"), "rows of the result must be a list"),
        (changed(rows=[{"value": 1.0, "error_percent": 2.0, "spread": 0.0}]), r"rows\[0\] has no rule"),
        (changed(rows=[{"rule": "sgd", "error_percent": 2.0, "spread": 0.0}]), r"rows\[0\] has no 'value'"),
        (changed(rows=[*STATES["rows"], {**STATES["rows"][0], "error_percent": None}]), r"rows\[4\].error_percent"),
        (changed(rows=[{**STATES["rows"][0], "spread": float("nan")}]), "finite number, not nan"),
        (changed(rows=[{"rule": "sgd", "value": 1.0, "error_percent": 2.0}]), r"rows\[0\] has no 'spread'"),
        (changed(float={"error_percent": 2.0, "spread": "wide"}), "float.spread must be a finite number"),
        (changed(float={"spread": 1.0}), "float has no 'error_percent'"),
        (changed(derived=[{"rule": "ttv2", "points": 1.0}]), r"derived\[0\] has no 'value'"),
        (
            changed(derived=[{"rule": "adam", "points": 1.0, "value": 1.0}]),
            r"derived\[0\].rule must be one of sgd, ttv2",
        ),
        (changed(measure="taste"), "measure must be one of error_percent, loss, not 'taste'"),
        (changed(measure="loss"), r"rows\[0\] has no 'loss'"),
        (changed(float=None), "a result with tolerances must have a float"),
        (changed(tolerances=[{"rule": "ttv3", "points": 1.0, "tolerance": 2.0}]), "must be one of sgd, ttv2"),
        (changed(tolerances=[{"rule": "sgd", "panel": "x", "points": 1.0, "tolerance": 2.0}]), "panel"),
        (changed(tolerances=[{"rule": "sgd", "points": 1.0}]), "has no 'tolerance'"),
        (changed(claim="extraction"), "must be a row of the study"),
        (changed(claim="weight-programming"), "has no 'states'"),
    ],
)
def test_what_is_no_result(tmp_path: Path, result: Any, words: str) -> None:
    (tmp_path / "c.png").write_bytes(b"before")
    with pytest.raises(ValueError, match=words):
        draw(result, tmp_path / "c.png")
    assert [path.name for path in tmp_path.iterdir()] == ["c.png"]
    assert (tmp_path / "c.png").read_bytes() == b"before"


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_result_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    import matplotlib as mpl

    one, other = tmp_path / f"one.{ending}", tmp_path / f"other.{ending}"
    plot.claim(STATES, one)
    monkeypatch.setitem(mpl.rcParams, "font.size", 30)  # independent of the user's settings
    plot.claim(STATES, other)
    assert one.read_bytes() == other.read_bytes()
    plot.claim(changed(label="number of states"), other)
    assert one.read_bytes() != other.read_bytes()
    assert mpl.rcParams["font.size"] == 30
