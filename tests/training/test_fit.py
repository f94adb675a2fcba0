"""fit: determinism, schedules, stopping; the RUN folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.training.loop import _chunk_size
from tikitaka.training.order import shuffled, streams
from tikitaka.training.schedule import lr_factor

DIGITS = tt.data.load("digits").first(200)
LAYERS = [tt.nn.Linear(64, 16), tt.nn.Tanh(), tt.nn.Linear(16, 10)]
RULES = {
    "float": tt.DigitalSgd(),
    "sgd": tt.AnalogSgd(periphery=tt.Periphery.full()),
    "ttv1": tt.Ttv1(),
    "ttv2": tt.Ttv2(periphery=tt.Periphery.full()),
}


def trained(rule: tt.RuleConfig, *, seed: int = 1, threads: int = 1, batch: int = 8) -> tuple[tt.Network, tt.Metrics]:
    network = tt.Network(LAYERS, rule, seed=seed)
    history = tt.fit(network, DIGITS, epochs=3, batch=batch, threads=threads, progress=False)
    return network, history[-1]


@pytest.mark.parametrize("name", RULES)
def test_same_seed_same_bits_for_any_number_of_threads(name: str) -> None:
    network, last = trained(RULES[name])
    for threads in (2, 4):
        other, other_last = trained(RULES[name], threads=threads)
        assert other.digest() == network.digest()
        assert other_last.train_loss == last.train_loss
        assert other_last.test_loss == last.test_loss
    assert trained(RULES[name], seed=2)[0].digest() != network.digest()


@pytest.mark.parametrize("name", RULES)
def test_cutting_an_epoch_into_chunks_changes_nothing(name: str) -> None:
    order = shuffled(200, seed=1, epoch=1)
    digests = set()
    for cuts in ([200], [8, 192], [96, 8, 96]):
        network = tt.Network(LAYERS, RULES[name], seed=1)
        for part in np.split(order, np.cumsum(cuts)[:-1]):
            network.train(DIGITS.train_x, DIGITS.train_y, order=part, batch=8)
        digests.add(network.digest())
    assert len(digests) == 1


def test_evaluation_changes_no_training_state() -> None:
    network, _ = trained(RULES["ttv2"])
    before = network.state()
    scores = {network.evaluate(DIGITS.test_x, DIGITS.test_y, draw=draw) for draw in (0, 0, 1)}
    network.read_weights()
    network.predict(DIGITS.test_x)
    assert len(scores) == 2  # the same draw twice, another once
    after = network.state()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_shuffling_is_a_pure_function_and_a_permutation() -> None:
    order = shuffled(1000, seed=5, epoch=2)
    np.testing.assert_array_equal(order, shuffled(1000, seed=5, epoch=2))
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    assert not np.array_equal(order, shuffled(1000, seed=5, epoch=3))
    assert not np.array_equal(order, shuffled(1000, seed=6, epoch=2))
    np.testing.assert_array_equal(shuffled(8, seed=1, epoch=1), [0, 6, 5, 3, 4, 7, 2, 1])  # frozen


def test_rates_fall_at_one_third_and_two_thirds() -> None:
    digital, analog = (tt.Network(LAYERS, rule) for rule in (tt.DigitalSgd(), tt.Ttv2()))
    assert [lr_factor("decay", digital, e, 6) for e in range(1, 7)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert [lr_factor("decay", analog, e, 30) for e in (10, 11, 20, 21)] == [1, 0.3, 0.3, 0.09]
    assert lr_factor("constant", analog, 30, 30) == 1
    with pytest.raises(ValueError, match="decay"):
        lr_factor("cosine", analog, 1, 1)


def test_averages_cover_the_last_third() -> None:
    seen = []
    network = tt.Network(LAYERS, tt.Ttv2())
    tt.fit(network, DIGITS.first(20), epochs=6, progress=False, on_epoch=lambda _: seen.append(network.averages))
    assert [average is None for average in seen] == [True] * 4 + [False] * 2
    average = tt.extract.average(network)
    assert average is not None
    assert average.weights[0].shape == network.weights[0].shape
    assert tt.extract.average(tt.Network(LAYERS, tt.DigitalSgd())) is None


def test_the_digital_twin_is_exact() -> None:
    network, _ = trained(tt.Ttv2())
    twin = network.digital()
    np.testing.assert_allclose(twin.forward(DIGITS.test_x), network.forward(DIGITS.test_x), rtol=1e-5, atol=1e-5)
    x, (first, second) = DIGITS.test_x, twin.weights
    hidden = np.tanh(np.c_[x, np.ones(len(x))] @ first.T)
    np.testing.assert_allclose(twin.forward(x), np.c_[hidden, np.ones(len(x))] @ second.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(twin.probabilities(x).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(twin.predict(x), twin.probabilities(x).argmax(axis=1))


def test_metrics_count_pulses_and_losses() -> None:
    network, last = trained(tt.AnalogSgd(), batch=1)
    assert last.epoch == 3
    assert last.pulses_per_sample > 0
    assert last.samples_per_second > 0
    assert last.test_error == network.evaluate(DIGITS.test_x, DIGITS.test_y, draw=3).error
    assert trained(tt.DigitalSgd())[1].pulses_per_sample == 0


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    class Diverging(tt.Network):
        def train(self, *_: object, **__: object) -> tt.Score:
            return tt.Score(float("nan"), 0.9)

    with pytest.raises(FloatingPointError, match=r"nan in epoch 1 .* learning rate"):
        tt.fit(Diverging(LAYERS, tt.DigitalSgd()), DIGITS, progress=False)


@pytest.mark.parametrize(
    ("bad", "words"),
    [({"epochs": 0}, "epochs"), ({"batch": 0}, "batch"), ({"threads": 0}, "threads"), ({"seed": -1}, "seed")],
)
def test_bad_settings_are_refused(bad: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tt.fit(tt.Network(LAYERS, tt.DigitalSgd()), DIGITS, progress=False, **bad)  # type: ignore[arg-type]


def test_bad_arrays_are_refused() -> None:
    network = tt.Network(LAYERS, tt.DigitalSgd())
    x, y = DIGITS.train_x, DIGITS.train_y
    holed = x.copy()
    holed[3, 5] = np.nan
    for bad_x, bad_y in ((x[:, :9], y), (x, y[:9]), (holed, y), (x, y + 10), (x, y - 1)):
        with pytest.raises(ValueError, match=r"\w"):
            network.train(bad_x, bad_y)
    network.train(x.astype(np.float64), y)  # converted


def test_stopping_leaves_a_whole_network() -> None:
    whole, _ = trained(tt.Ttv2())
    epochs: list[int] = []
    network = tt.Network(LAYERS, tt.Ttv2(), seed=1)
    with pytest.raises(tt.Stopped) as stopped:
        tt.fit(
            network,
            DIGITS,
            epochs=3,
            batch=8,
            progress=False,
            on_epoch=lambda m: epochs.append(m.epoch),
            stop=lambda: len(epochs) == 2,
        )
    assert (stopped.value.epoch, stopped.value.position) == (3, 0)
    network.averaging = True
    lr_scale = lr_factor("decay", network, 3, 3)
    network.train(DIGITS.train_x, DIGITS.train_y, order=shuffled(200, seed=1, epoch=3), batch=8, lr_scale=lr_scale)
    assert network.digest() == whole.digest()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", RULES)
def test_a_state_in_the_middle_of_a_text_goes_on_bit_for_bit(name: str, batch: int) -> None:
    layers = [tt.nn.LSTM(11, 6, carry=True, scale=2.0), tt.nn.LSTM(6, 7, carry=True, clip=0.1), tt.nn.Linear(7, 11)]
    codes = np.cumsum(np.random.default_rng(3).integers(1, 3, 30 * 8 + 1)) % 11
    x, y = codes[:-1].reshape(30, 8), codes[1:].reshape(30, 8)
    order = streams(30, batch)
    whole, again, forgetful = (tt.Network(layers, RULES[name], seed=4) for _ in range(3))
    whole.train(x, y, order=order[:12], batch=batch)
    state = whole.state()
    assert state["carried.1.h"].shape == (batch * 7,)
    assert np.all(state["carried.0.c"] != 0)
    for network in (again, forgetful):
        network.train(x[:5], y[:5], batch=5)
        network.restore(state)
    forgetful.reset()
    scores = [
        network.train(x, y, order=order[12:], batch=batch, threads=threads)
        for network, threads in ((whole, 1), (again, 2), (forgetful, 1))
    ]
    assert scores[0] == scores[1] != scores[2]
    last, restored = whole.state(), again.state()
    assert last.keys() == restored.keys()
    assert all(np.array_equal(last[key], restored[key]) for key in last)
    assert again.ledger == whole.ledger


def test_a_run_folder_gives_the_network_back(tmp_path: Path) -> None:
    config = tt.TrainConfig(data="digits", rule=tt.Ttv2(slow_device=tt.SoftBounds(states=40)), seed=2**63 - 1)
    network = config.network(DIGITS)
    network.train(DIGITS.train_x, DIGITS.train_y)
    run = tt.Run.create(tmp_path / "run", config)
    run.checkpoint(network, epoch=1)
    again = tt.Run.open(tmp_path / "run")
    assert again.config == config
    back = again.network()
    state, restored = network.state(), back.state()
    assert state.keys() == restored.keys()
    assert all(np.array_equal(state[key], restored[key]) for key in state)
    for each in (network, back):
        each.train(DIGITS.train_x, DIGITS.train_y)
    assert back.digest() == network.digest()


def test_a_run_folder_is_not_overwritten(tmp_path: Path) -> None:
    config = tt.TrainConfig(data="digits")
    (tmp_path / "empty").mkdir()
    run = tt.Run.create(tmp_path / "empty", config)
    run.finish({"done": True})
    with pytest.raises(FileExistsError, match="force"):
        tt.Run.create(tmp_path / "empty", config)
    (tmp_path / "empty" / "notes.txt").write_text("mine", encoding="utf-8")
    tt.Run.create(tmp_path / "empty", replace(config, epochs=2), force=True)
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == ["config.toml", "notes.txt"]
    with pytest.raises(NotADirectoryError):
        tt.Run.create(tmp_path / "empty" / "notes.txt", config, force=True)


def test_damaged_run_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tt.Run.open(tmp_path / "none")
    run = tt.Run.create(tmp_path / "run", tt.TrainConfig(data="digits"))
    with pytest.raises(FileNotFoundError):
        run.network()
    (run.path / "checkpoint.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises((ValueError, OSError), match="checkpoint"):
        run.network()
    (run.path / "config.toml").write_text("net = [", encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.toml"):
        tt.Run.open(run.path)


def test_describe_names_every_array() -> None:
    text = tt.Network(LAYERS, [tt.Ttv2(), tt.DigitalSgd()]).describe()
    assert "array 0, 16 × 65" in text
    assert "array 1, 10 × 17" in text


def test_describe_names_the_arrays_of_every_kind_of_layer() -> None:
    image, text = tt.Network(tt.nn.lenet(256, 10), tt.Ttv2()), tt.Network(tt.nn.char_lstm(20), tt.Ttv2())
    for network, shapes in (
        (image, ("16 × 26", "32 × 401", "128 × 33", "10 × 129")),
        (text, ("256 × 85", "256 × 129", "20 × 65")),
    ):
        assert all(f"array {i}, {shape}\n" in network.describe() for i, shape in enumerate(shapes))


def test_calls_into_the_core_count_patches() -> None:
    lenet = tt.Network(tt.nn.lenet(), tt.DigitalSgd())
    work = 16 * 26 * 24 * 24 + 32 * 401 * 8 * 8 + 128 * 513 + 10 * 129
    assert _chunk_size(lenet, 1, 1) == round(2e8 / work)
    assert _chunk_size(lenet, 7, 1) == 7 * round(2e8 / (7 * work))
    assert _chunk_size(tt.Network(LAYERS, tt.DigitalSgd()), 1, 1) == round(2e8 / (16 * 65 + 10 * 17))


def test_averages_start_where_asked() -> None:
    digits = tt.data.load("digits").first(60)
    reads = {}
    for start in (1, 2, 3):
        network = tt.Network([tt.nn.Linear(64, 10)], tt.Ttv2(), seed=1)
        tt.fit(network, digits, epochs=2, average_from=start, progress=False)
        reads[start] = int(network.layer_state(0)["average_reads"].sum())
    # 60 examples an epoch, a transfer every 2, each of which reads a line
    assert reads == {1: 60, 2: 30, 3: 0}
    with pytest.raises(ValueError, match="average_from must be from 1 to 3, not 4"):
        tt.fit(network, digits, epochs=2, average_from=4, progress=False)
