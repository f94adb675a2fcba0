"""The Python of docs/figures.md runs and writes the pictures that it names."""

import re
from pathlib import Path

import pytest

DOC = Path(__file__).parents[2] / "docs" / "figures.md"


@pytest.mark.slow
def test_the_examples_make_their_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL))
    exec(compile(code, str(DOC), "exec"), {})
    named = set(re.findall(r'"(\w+\.png)"', code))
    assert (
        {path.name for path in tmp_path.iterdir()}
        == named
        == {
            "claim.png",
            "histograms.png",
            "responses.png",
            "traces.png",
        }
    )
