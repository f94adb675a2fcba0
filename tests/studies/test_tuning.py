"""The search for the learning rates of one training: what it tries, what it chooses, and what it says."""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tikitaka as tt
from tikitaka.experiments.learning_rates import SEED, rates_of
from tikitaka.experiments.tuned import Tried, Tuned

BASE = tt.TrainConfig(data="digits", examples=600, epochs=9, rule=tt.Ttv2(lr=0.1))
Plant = Callable[..., list[tt.TrainConfig]]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Replaces trainings by a planted error and loss of their config; the list gets every config that is measured."""

    def planted(
        error: Callable[[tt.TrainConfig], float], loss: Callable[[tt.TrainConfig], float] = lambda _: 2.0
    ) -> list[tt.TrainConfig]:
        measured: list[tt.TrainConfig] = []

        def scored(config: tt.TrainConfig, **_: Any) -> Mapping[str, Any]:
            measured.append(config)
            found = error(config)
            if found == 1.0:
                return {"test_error": 1.0, "diverged": True}
            pulses = 600 * config.epochs * 7
            return {"test_error": found, "test_loss": loss(config), "pulses": pulses, "epochs": config.epochs}

        scored.__qualname__ = "scored"
        monkeypatch.setattr("tikitaka.experiments.tuning.scored", scored)
        return measured

    return planted


def lr(config: tt.TrainConfig) -> float:
    return float(config.rule.lr)  # type: ignore[attr-defined]


def near(best: float) -> Callable[[tt.TrainConfig], float]:
    """An error that grows with the distance of lr from the best, as a factor."""
    return lambda config: 0.1 + 0.01 * abs(math.log(lr(config) / best))


def tuned(folder: Path, config: tt.TrainConfig = BASE, **options: Any) -> Tuned:
    return tt.tune(config, out=folder / "tuned.jsonl", progress=False, threads=1, **options)


def rates(found: Tuned, number: int) -> list[float]:
    return [each.rates["lr"] for each in found.tried if each.round == number]


def test_a_grid_then_its_best_and_what_lies_between_in_longer_trainings(plant: Plant, tmp_path: Path) -> None:
    measured = plant(near(0.19))
    found = tuned(tmp_path, held_out=100, seeds=2)
    assert rates(found, 1) == [0.0111, 0.0333, 0.1, 0.3, 0.9]
    # The finalists 0.3, 0.1 and 0.9, and half a step around 0.3.
    assert rates(found, 2) == [0.1, 0.173, 0.3, 0.52, 0.9]
    assert (found.rates, found.at_edge, found.held_out, found.epochs) == ({"lr": 0.173}, (), 100, (3, 9))
    assert found.config == replace(BASE, rule=tt.Ttv2(lr=0.173))
    plans = {(c.epochs, c.seed, c.holdout, c.examples) for c in measured}
    assert plans == {(3, SEED, 100, 600), (9, SEED, 100, 600), (9, SEED + 1, 100, 600)}
    assert len(measured) == 5 + 2 * 5
    assert found.best == Tried(2, {"lr": 0.173}, (found.best.error,) * 2, (2.0, 2.0), 0, 7.0)


def test_one_finalist_is_the_answer_of_the_first_round(plant: Plant, tmp_path: Path) -> None:
    measured = plant(near(0.28))
    found = tuned(tmp_path, finalists=1, first_epochs=4)
    assert (found.rates, found.epochs, len(measured)) == ({"lr": 0.3}, (4,), 5)
    assert found.held_out == 1442 // 6


@pytest.mark.parametrize(("best", "extended"), [(25.0, [2.7, 8.1, 24.3, 72.9]), (0.001, [0.00123, 0.0037, 0.000412])])
def test_the_grid_grows_where_the_best_lies_at_its_edge(
    plant: Plant, tmp_path: Path, best: float, extended: list[float]
) -> None:
    plant(near(best))
    found = tuned(tmp_path, finalists=1)
    assert set(rates(found, 1)) == {0.0111, 0.0333, 0.1, 0.3, 0.9, *extended}
    assert found.at_edge == ()
    assert abs(math.log(found.rates["lr"] / best)) < math.log(3) / 2


def test_where_it_stops_growing_is_said(plant: Plant, tmp_path: Path) -> None:
    plant(lambda config: 0.5 / (1 + lr(config)))
    found = tuned(tmp_path, finalists=1)
    assert (max(rates(found, 1)), found.rates, found.at_edge) == (72.9, {"lr": 72.9}, ("lr",))
    assert repr(found).endswith(
        "best: lr = 72.9\nat the end of what was tried: lr; rates beyond may be better, so search again from the best"
    )
    # The longer round goes on from there, by whole steps at its end; lr is at most 1000.
    again = tuned(tmp_path, seeds=1)
    assert rates(again, 2) == [8.1, 24.3, 42.1, 72.9, 126.0, 219.0, 379.0, 656.0]
    assert (again.rates, again.at_edge) == ({"lr": 656.0}, ())
    largest = tuned(tmp_path, replace(BASE, rule=tt.Ttv2(lr=300.0)), seeds=1)
    assert (max(rates(largest, 1)), largest.rates, largest.at_edge) == (900.0, {"lr": 900.0}, ())


def test_rates_by_hand_are_searched_together(plant: Plant, tmp_path: Path) -> None:
    rule = tt.Ttv2(fast_lr=0.5, transfer_lr=1.0)

    def error(config: tt.TrainConfig) -> float:
        rule: Any = config.rule
        return 0.1 + 0.01 * abs(math.log(rule.fast_lr / 5)) + 0.01 * abs(math.log(rule.transfer_lr / 0.33))

    plant(error)
    found = tuned(tmp_path, replace(BASE, rule=rule), finalists=1)
    tried = [(each.rates["fast_lr"], each.rates["transfer_lr"]) for each in found.tried]
    grid = {(a, c) for a in (0.167, 0.5, 1.5) for c in (0.333, 1.0, 3.0)}
    beyond = {(4.5, 0.333), (1.5, 0.111), (13.5, 0.333), (4.5, 1.0), (4.5, 0.111)}
    assert set(tried) == grid | beyond
    assert found.config.rule == tt.Ttv2(fast_lr=4.5, transfer_lr=0.333)


def test_which_rates_there_are() -> None:
    assert rates_of(tt.Ttv2()) == ("lr",)
    assert rates_of(tt.Ttv2(fast_lr=0.5)) == ("lr", "fast_lr")
    assert rates_of(tt.Ttv2(fast_lr=0.5, transfer_lr=1.0)) == ("fast_lr", "transfer_lr")
    assert rates_of(tt.Ttv2(rates="r24")) == ("learning_rate",)
    assert rates_of(tt.Tiles()) == ("transfer_lr",)
    assert rates_of(tt.MixedPrecision()) == ("lr",)


def test_of_equal_errors_the_loss_decides_and_then_the_given_rates(plant: Plant, tmp_path: Path) -> None:
    plant(lambda config: 1.0 if lr(config) > 0.5 else 0.25)
    found = tuned(tmp_path, finalists=1)
    assert found.rates == {"lr": 0.1}
    assert [(each.diverged, each.pulses_per_sample) for each in found.tried] == [(0, 7.0)] * 4 + [(1, None)]
    plant(lambda _: 0.25, lambda config: abs(lr(config) - 0.3))
    assert tuned(tmp_path / "loss", finalists=1).rates == {"lr": 0.3}
    plant(lambda config: 1.0 if config.seed == SEED + 1 and lr(config) == 0.3 else near(0.2)(config))
    again = tuned(tmp_path / "again", seeds=2)
    assert again.rates == {"lr": 0.173}
    assert "55.20 ± 63.35 % (1 diverged)" in repr(again)


def test_for_texts_the_loss_decides(plant: Plant, tmp_path: Path) -> None:
    """An error that falls where the loss rises: it would choose another rate."""
    (tmp_path / "letters.txt").write_text("abcd" * 500)
    config = tt.TrainConfig(net="lstm", data="letters", sequence=10, examples=60, epochs=3, rule=tt.DigitalSgd(lr=0.1))
    plant(near(0.9), lambda config: 1.0 + abs(math.log(lr(config) / 0.3)))
    found = tuned(tmp_path, config, finalists=1, data_dir=tmp_path)
    assert (found.rates, found.judge) == ({"lr": 0.3}, "loss")
    assert found.guessing == pytest.approx(math.log(4), abs=0.01)
    assert "held-out loss" in repr(found)
    assert "1.00 nats" in repr(found)
    told = found.to_dict()
    assert (told["judge"], told["loss"]) == ("loss", pytest.approx(1.0))
    plant(lambda config: 1.0 if lr(config) > 0.5 else near(0.9)(config), lambda config: 2 - lr(config))
    diverged = tuned(tmp_path / "some", config, finalists=1, data_dir=tmp_path)
    assert diverged.rates == {"lr": 0.3}
    assert [each["loss"] for each in diverged.to_dict()["tried"]][-1] is None


def test_if_all_diverge_there_is_no_answer(plant: Plant, tmp_path: Path) -> None:
    plant(lambda _: 1.0)
    with pytest.raises(ArithmeticError, match=r"every training diverged, with rates around lr = 0\.1; start from much"):
        tuned(tmp_path)


def test_the_judge_has_another_seed_than_the_config(plant: Plant, tmp_path: Path) -> None:
    measured = plant(near(0.1))
    tuned(tmp_path, replace(BASE, seed=SEED + 1), seeds=2)
    assert {config.seed for config in measured} == {SEED + 2, SEED + 3}


def test_factors_of_a_schedule_are_spread_over_fewer_epochs(plant: Plant, tmp_path: Path) -> None:
    measured = plant(near(0.1))
    schedule = (1, 1, 1, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1)
    found = tuned(tmp_path, replace(BASE, schedule=schedule, average_from=9), seeds=1)
    assert {config.schedule for config in measured} == {(1, 0.5, 0.1), schedule}
    assert (found.config.schedule, found.config.average_from) == (schedule, 9)


def test_what_is_in_the_file_is_not_trained_again(plant: Plant, tmp_path: Path) -> None:
    fails = [0.9]

    def error(config: tt.TrainConfig) -> float:
        if lr(config) in fails:
            raise MemoryError("too little memory")
        return near(0.2)(config)

    measured = plant(error)
    with pytest.raises(RuntimeError, match=r"1 of 5 cells failed, .* too little memory \(rule.lr=0\.9\)"):
        tuned(tmp_path)
    fails.clear()
    measured.clear()
    found = tuned(tmp_path)
    assert [lr(config) for config in measured[:1]] == [0.9]
    assert sum(config.epochs == 3 for config in measured) == 1
    measured.clear()
    assert tuned(tmp_path) == found
    assert measured == []
    with ThreadPoolExecutor(1) as pool:
        assert tt.tune(BASE, out=tmp_path / "other.jsonl", executor=pool, progress=False) == found


def test_the_table_shows_everything(plant: Plant, tmp_path: Path) -> None:
    plant(lambda config: 0.88 if config.epochs == 1 else near(0.2)(config) + (0.01 if config.seed == SEED else 0))
    found = tuned(tmp_path, held_out=100, seeds=2, finalists=2, first_epochs=1)
    assert repr(found) == str(found)
    assert str(found).splitlines() == [
        "round 1: 1 epoch, 1 seed, judged on 100 held-out examples",
        "      lr  held-out error  pulses per sample",
        "  0.0111         88.00 %                7.0",
        "  0.0333         88.00 %                7.0",
        "     0.1         88.00 %                7.0",
        "     0.3         88.00 %                7.0",
        "     0.9         88.00 %                7.0",
        "nothing learns much more than to guess (89 %): more epochs in this round would say more",
        "",
        "round 2: 9 epochs, 2 seeds, judged on 100 held-out examples",
        "      lr  held-out error  pulses per sample",
        "  0.0333  12.29 ± 0.71 %                7.0",
        "  0.0577  11.74 ± 0.71 %                7.0",
        "     0.1  11.19 ± 0.71 %                7.0",
        "*  0.173  10.65 ± 0.71 %                7.0",
        "     0.3  10.91 ± 0.71 %                7.0",
        "    0.52  11.46 ± 0.71 %                7.0",
        "",
        "best: lr = 0.173",
    ]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"held_out": 0}, "held_out must be at least 1, not 0"),
    ({"held_out": 1_200}, "examples must be from 1 to 242 for digits, not 600"),
    ({"held_out": 5_000}, "examples must be from 1 to 1,441 for digits, not 5,000"),
    ({"finalists": 0}, "finalists must be at least 1, not 0"),
    ({"seeds": 101}, "seeds must be from 1 to 100, not 101"),
    ({"first_epochs": 10}, "first_epochs must be from 1 to 9, not 10"),
    ({"config": replace(BASE, holdout=10)}, "holdout must be None in config, as held_out is what judges here, not 10"),
    (
        {"config": replace(BASE, rule=tt.DigitalSgd(lr=0))},
        "rule must have a learning rate above 0, .*: all of lr are 0",
    ),
    ({"config": replace(BASE, data="war-and-peace")}, "war-and-peace"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_arguments_are_refused_before_any_training(
    plant: Plant, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    measured = plant(near(0.1))
    with pytest.raises((ValueError, OSError), match=words):
        tuned(tmp_path, **{"config": BASE, **options})
    with pytest.raises(TypeError, match="config must be a TrainConfig"):
        tuned(tmp_path, config={"net": "fcn"})  # type: ignore[arg-type]
    assert (measured, list(tmp_path.iterdir())) == ([], [])


def test_digits(tmp_path: Path) -> None:
    config = tt.TrainConfig(data="digits", examples=300, epochs=3, rule=tt.DigitalSgd(lr=0.3), validation=0.1)
    found = tuned(tmp_path, config, seeds=1, finalists=2)
    assert found.guessing == pytest.approx(0.89, abs=0.02)
    assert found.best.pulses_per_sample == 0
    assert found.to_dict()["error"] == found.best.error <= min(e.error for e in found.tried if e.round == 2)
    sgd = tuned(tmp_path, replace(config, rule=tt.AnalogSgd(lr=0.1, device=tt.SoftBounds())), finalists=1)
    assert all(each.pulses_per_sample for each in sgd.tried)
