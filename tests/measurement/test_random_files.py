"""Whatever a file holds, it is read, or refused in a short message that names it."""

import json
import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support.pulses import LAYOUTS, read_or_refused

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SETTINGS = settings(
    max_examples=5000 if LONG else 60,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)

CELLS = st.one_of(
    st.floats(allow_nan=True).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["", " ", "1", "-1", "0", "2,5", "1e-6", "1e400", "nan", "inf", "n/a", "−3", "1_0", "0x1", "+"]),
    st.sampled_from(["G (uS)", "R (ohm)", "I", "V", "device", "cycle", "pulse", "up", "LTD", "read_V", "width", "t"]),
    st.text(max_size=6),
)


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Rows of cells, some of them many times over."""
    delimiter = draw(st.sampled_from([",", ";", "\t", " ", ", "]))
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=width), min_size=0, max_size=8))
    lines: list[str] = []
    for row in rows:
        lines += [delimiter.join(row)] * draw(st.sampled_from([1, 1, 1, 3, 30]))
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)


@pytest.mark.slow
@SETTINGS
@given(tables(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]))
@example("1\n" * 40, "utf-8")
@example('"' * 50 + ",1\n" * 30, "utf-8")
def test_any_text(tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text.encode(encoding, "replace"))
    read_or_refused(path)


@pytest.mark.slow
@SETTINGS
@given(st.binary(max_size=300), st.sampled_from(["csv", "json", "npy", "npz", "xlsx", "txt"]))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"any.{ending}"
    path.write_bytes(content)
    read_or_refused(path)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(st.floats(-9, 9), min_size=20, max_size=25),
        st.dictionaries(st.sampled_from(["up", "down", "G", "Gset", "repeats", "N", "A", "V", "cycle"]), inner),
    ),
    max_leaves=12,
)


@pytest.mark.slow
@SETTINGS
@given(JSON)
@example({"up": [10**400] * 30, "down": [1.0] * 30})
@example({"up": [[1.0] * 30, 3], "down": [1.0] * 30})
@example([[1.0, [2.0]]] * 30)
def test_any_json(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(data))
    read_or_refused(path)


@pytest.mark.slow
@SETTINGS
@given(st.sampled_from(sorted(LAYOUTS)), st.data())
def test_any_damage(tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject) -> None:
    """A file of a known layout with some bytes changed, taken out or doubled."""
    layout = LAYOUTS[name]
    content = bytearray(layout.content)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        end = data.draw(st.integers(start, min(len(content), start + 300)))
        part = data.draw(st.one_of(st.binary(max_size=8), st.just(bytes(content[start:end]) * 2)))
        content[start:end] = part
        if not content:
            break
    path = tmp_path_factory.getbasetemp() / f"damaged-{layout.name}"
    path.write_bytes(bytes(content))
    read_or_refused(path)
