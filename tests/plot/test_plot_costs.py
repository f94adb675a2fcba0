"""The figure of a bill."""

from pathlib import Path

import pytest

import tikitaka as tt
from support.figures import axes_of


@pytest.fixture(scope="module")
def bill() -> tt.costs.Bill:
    digits = tt.data.load("digits").first(40)
    network = tt.Network(tt.nn.fcn(64, 10), tt.Ttv2(periphery=tt.Periphery.full()), seed=1)
    tt.fit(network, digits, epochs=3, progress=False)
    return tt.Costs().of(network)


def test_parts_with_their_bands(monkeypatch: pytest.MonkeyPatch, bill: tt.costs.Bill) -> None:
    panels = axes_of(monkeypatch, lambda: tt.plot.costs(bill, "never.png"))
    for panel, of in zip(panels, ("energy_j", "time_s"), strict=True):
        shares = bill.largest(of, 9)
        assert [label.get_text() for label in panel.get_yticklabels()] == list(shares)
        for name, band, dot in zip(shares, panel.lines[::2], panel.lines[1::2], strict=True):
            low, usual, high = bill.parts[of][name]
            assert list(band.get_xdata()) == [low, high]
            assert list(dot.get_xdata()) == [usual]
        whole = sum(float(str(text.get_text()).strip("< %")) for text in panel.texts)
        assert whole == pytest.approx(100, abs=5)
    assert panels[0].get_title("left").startswith("energy: ")


def test_same_bytes_every_time(tmp_path: Path, bill: tt.costs.Bill) -> None:
    for name in ("a.svg", "b.svg"):
        tt.plot.costs(bill, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_bill_of_nothing_is_refused(tmp_path: Path) -> None:
    network = tt.Network(tt.nn.fcn(64, 10), tt.DigitalSgd(), seed=1)
    with pytest.raises(ValueError, match="bill must be of a training: this one has no energy or no time"):
        tt.plot.costs(tt.Costs().of(network), tmp_path / "a.png")
    with pytest.raises(TypeError, match="bill must be a Bill"):
        tt.plot.costs(network.ledger, tmp_path / "a.png")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
