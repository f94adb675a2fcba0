"""Progress in notebooks, whose output is no terminal."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from tqdm.auto import tqdm as automatic

import tikitaka as tt
from tikitaka.training import loop

DIGITS = tt.data.load("digits").first(60)


def fit(**settings: bool) -> None:
    network = tt.Network([tt.nn.Linear(64, 10)], tt.DigitalSgd(), seed=1)
    tt.fit(network, DIGITS, epochs=2, **settings)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell of an IPython kernel, as far as it can be told from outside."""
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)


@pytest.mark.usefixtures("notebook")
def test_a_notebook_shows_progress(capsys: pytest.CaptureFixture[str]) -> None:
    fit()
    assert "epoch 2/2: 100%" in capsys.readouterr().err
    fit(progress=False)
    assert capsys.readouterr().err == ""


def test_a_file_and_a_plain_shell_of_ipython_show_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fit()
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    fit()
    assert capsys.readouterr().err == ""


def test_the_bar_is_the_one_that_tqdm_chooses() -> None:
    """In a notebook, tqdm.auto is the bar made of widgets."""
    assert loop.tqdm is automatic
