"""Checkpoints: a training continues bit for bit wherever it was stopped."""

import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from support.runs import DIGITS, RULES, SMALL, TEXT, at_call, config, dense, outcome, timeless
from tikitaka.training import checkpoint
from tikitaka.training.checkpoint import Checkpoint

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.mark.parametrize("net", SMALL)
@pytest.mark.parametrize("rule", RULES)
def test_a_training_stopped_within_epochs_goes_on_bit_for_bit(tmp_path: Path, rule: str, net: str) -> None:
    dataset = TEXT if net == "carrying" else DIGITS
    settings = config(net, rule)
    whole = tt.Run.create(tmp_path / "whole", settings)
    whole.train(dataset, progress=False)
    run, stops = tt.Run.create(tmp_path / "run", settings), []
    for call, threads in ((3, 1), (4, 2), (2, 3), (4, 1)):  # within the first epoch, at starts and later
        with pytest.raises(tt.Stopped) as stopped:
            run.train(dataset, threads=threads, progress=False, stop=at_call(call))
        stops.append(stopped.value)
        run = tt.Run.open(run.path)
    assert sum(stop.position > 0 for stop in stops) >= 2
    assert stops[0].epoch == 1 < stops[-1].epoch
    assert run.train(dataset, threads=2, progress=False) == run.summary()
    assert outcome(run) == outcome(whole)


def test_fit_goes_on_from_a_progress_and_a_state() -> None:
    seen: list[tuple[tt.Progress, dict[str, Any]]] = []
    whole, again = (tt.Network(dense(64, 10), RULES["ttv2"], seed=2) for _ in range(2))
    history = tt.fit(
        whole, DIGITS, epochs=3, batch=4, progress=False, on_progress=lambda at: seen.append((at, whole.state()))
    )
    middle = [(at, state) for at, state in seen if at.epoch == 1 and 0 < at.position < 60]
    at, state = middle[-1]
    again.restore(state)
    rest = tt.fit(again, DIGITS, epochs=3, batch=4, progress=False, start=at, threads=2)
    assert [timeless(asdict(m)) for m in rest] == [timeless(asdict(m)) for m in history[1:]]
    assert again.digest() == whole.digest()
    assert rest[0].seconds > at.seconds >= at.training > 0
    assert tt.fit(again, DIGITS, epochs=3, batch=4, start=tt.Progress(3)) == []
    before_test = next((at, state) for at, state in seen if at.position == 60)
    again.restore(before_test[1])
    (first, *_) = tt.fit(again, DIGITS, epochs=3, batch=4, progress=False, start=before_test[0])
    assert timeless(asdict(first)) == timeless(asdict(history[0]))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (tt.Progress(4), "start must be within the 3 epochs, not after epoch 4"),
        (tt.Progress(1, 61), "61 examples into an epoch of 60"),
        (tt.Progress(1, 6), "mini-batches of 4"),
        (tt.Progress(3, 4), "start must be within the 3 epochs, not 4 examples after the last"),
    ],
)
def test_starts_that_no_training_was_at_are_refused(start: tt.Progress, words: str) -> None:
    network = tt.Network(dense(64, 10), tt.DigitalSgd())
    with pytest.raises(ValueError, match=words):
        tt.fit(network, DIGITS, epochs=3, batch=4, start=start)


def test_progress_is_a_plain_value() -> None:
    stopped = pickle.loads(pickle.dumps(tt.Stopped(tt.Progress(2, 7))))
    assert (stopped.epoch, stopped.position, str(stopped)) == (3, 7, "stopped in epoch 3 after 7 examples")
    for bad in ({"epoch": -1}, {"position": 1.5}, {"pulses": -1}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            tt.Progress(**bad)  # type: ignore[arg-type]


def test_checkpoints_come_by_epochs_and_by_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tt.Progress] = []
    save = checkpoint.save

    def noted(folder: Path, made: Checkpoint) -> None:
        saved.append(made.progress)
        save(folder, made)

    monkeypatch.setattr(checkpoint, "save", noted)

    def places(**how: Any) -> list[tuple[int, int]]:
        saved.clear()
        tt.Run.create(tmp_path / "run", config(epochs=5), force=True).train(DIGITS, progress=False, **how)
        return [(at.epoch, at.position) for at in saved]

    assert places() == [(epoch, 0) for epoch in range(6)]
    assert places(checkpoint_epochs=2) == [(0, 0), (2, 0), (4, 0), (5, 0)]
    assert places(checkpoint_epochs=99) == [(0, 0), (5, 0)]
    often = places(checkpoint_epochs=99, checkpoint_minutes=0)
    assert {epoch for epoch, _ in often} == set(range(6))
    assert len([position for _, position in often if 0 < position < 60]) >= 5
    for bad in ({"checkpoint_epochs": 0}, {"checkpoint_minutes": -1.0}, {"checkpoint_minutes": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            places(**bad)
