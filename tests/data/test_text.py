"""Texts: files, vocabularies, sequences, sets by name, and their order in training."""

import gzip
import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import tikitaka as tt
from tikitaka.data import Vocabulary, load, read_text, text_dataset
from tikitaka.data.sets import _SHA256_OF_TEXT
from tikitaka.training.order import streams

compress = partial(gzip.compress, mtime=0)  # the same bytes, hence the same test names, in every process

TEXT = "".join(chr(ord("a") + k * k % 26) for k in range(300)) + "é\n"


@pytest.mark.parametrize("pack", [bytes, compress], ids=["plain", "gzip"])
def test_files_are_read_as_they_are(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "book"
    content = "Ä\r\nb\n\ufeffc".encode()
    path.write_bytes(pack(content))
    assert read_text(path, hashlib.sha256(content).hexdigest()) == "Ä\r\nb\n\ufeffc"
    path.write_bytes(pack(b"\xef\xbb\xbf" + content))
    assert read_text(str(path)) == "Ä\r\nb\n\ufeffc"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (compress(b""), "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"abc\xff", "not UTF-8: invalid start byte 0xff at byte 3"),
        (b"\xef\xbb\xbfabc\xc3", "not UTF-8: unexpected end of data 0xc3 at byte 6"),
        (compress(b"ab\xe9cd"), "not UTF-8: invalid continuation byte 0xe9 at byte 2"),
        (compress(b"text")[:-9], "gzip"),
        (compress(b"text")[:-8] + b"\x00" * 8, "gzip"),
        (b"\x1f\x8b" + b"\xff" * 40, "gzip"),
        (b"\x1f\x8b", "gzip"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as error:
        read_text(path)
    assert str(error.value).startswith(str(path))


def test_files_that_cannot_be_read_or_are_others_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(OSError, match=str(tmp_path)):
        read_text(tmp_path)
    (tmp_path / "book.txt").write_text("other", encoding="utf-8")
    with pytest.raises(ValueError, match="SHA-256"):
        read_text(tmp_path / "book.txt", "0" * 64)


def test_codes_are_places_in_the_sorted_characters() -> None:
    vocabulary = Vocabulary.of("banana\n\U0001f34c")
    assert (vocabulary.characters, len(vocabulary)) == ("\nabn\U0001f34c", 5)
    codes = vocabulary.encode("ban\U0001f34c\n")
    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes, [2, 1, 3, 4, 0])
    assert vocabulary.decode(codes) == "ban\U0001f34c\n"
    assert vocabulary.decode([]) == ""
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.decode(vocabulary.encode("a" * 1000)) == "a" * 1000


@pytest.mark.parametrize(
    ("text", "words"), [("abc", "'c' at position 2"), ("\t", r"'\\t' at position 0"), ("a~~", "'~'")]
)
def test_characters_outside_the_vocabulary_are_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Vocabulary("ab").encode(text)


def test_lone_surrogates_of_a_command_line_are_only_other_characters() -> None:
    with pytest.raises(ValueError, match=r"'\\udcff' at position 1"):
        Vocabulary("ab").encode("a\udcff")


def test_bad_codes_and_characters_are_refused() -> None:
    for codes in ([0, 2], [0, -1], np.array([0, 2], np.uint8)):
        with pytest.raises(ValueError, match=r"code (2|-1) at position 1 is outside 0 to 1"):
            Vocabulary("ab").decode(codes)
    with pytest.raises(TypeError, match="whole numbers"):
        Vocabulary("ab").decode([0.5])
    for characters in ("", "ba", "aab"):
        with pytest.raises(ValueError, match="sorted"):
            Vocabulary(characters)
    with pytest.raises(TypeError, match="string"):
        Vocabulary(["a"])  # type: ignore[arg-type]


def test_a_text_is_cut_into_sequences_and_what_follows() -> None:
    dataset = text_dataset(TEXT, name="mine", sequence=7)
    vocabulary = dataset.vocabulary
    assert vocabulary is not None
    assert (dataset.inputs, dataset.classes, dataset.time_steps) == (len(vocabulary), len(vocabulary), 7)
    split = len(TEXT) - len(TEXT) // 10
    for x, y, part in (
        (dataset.train_x, dataset.train_y, TEXT[:split]),
        (dataset.test_x, dataset.test_y, TEXT[split:]),
    ):
        whole = (len(part) - 1) // 7 * 7
        assert x.shape == y.shape == (whole // 7, 7)
        assert (x.dtype, y.dtype) == (np.int64, np.int64)
        assert vocabulary.decode(x.ravel()) == part[:whole]
        assert vocabulary.decode(y.ravel()) == part[1 : whole + 1]
    assert len(text_dataset("ab" * 10, name="mine", sequence=1, test_share=0.25).test_y) == 4


def test_parts_of_a_text_count_sequences() -> None:
    dataset = text_dataset(TEXT, name="mine", sequence=10)
    held = dataset.first(20).holdout(5)
    np.testing.assert_array_equal(held.train_x, dataset.train_x[:15])
    np.testing.assert_array_equal(held.test_y, dataset.train_y[15:20])
    assert held.vocabulary == dataset.vocabulary


def test_a_part_shorter_than_a_sequence_is_refused() -> None:
    with pytest.raises(
        ValueError, match="the test part of mine has 57 characters; a sequence of 100 needs 101 or more"
    ):
        text_dataset("ab" * 285, name="mine")
    with pytest.raises(ValueError, match="the training part of mine has 9 characters; a sequence of 9 needs 10"):
        text_dataset("abc" * 4, name="mine", sequence=9, test_share=0.25)
    assert len(text_dataset("ab" * 505, name="mine").test_y) == 1
    with pytest.raises(ValueError, match="sequence must be at least 1, not 0"):
        text_dataset(TEXT, name="mine", sequence=0)
    with pytest.raises(ValueError, match="test_share"):
        text_dataset(TEXT, name="mine", test_share=1.0)


def test_a_text_takes_the_codes_of_another_vocabulary() -> None:
    wider = Vocabulary.of(TEXT + "0123")
    dataset = text_dataset(TEXT, name="mine", sequence=10, vocabulary=wider)
    assert dataset.classes == len(wider)
    assert wider.decode(dataset.train_x[0]) == TEXT[:10]
    with pytest.raises(ValueError, match=r"mine: character 'b' at position 1 is not among the 1 known ones"):
        text_dataset("ab", name="mine", vocabulary=Vocabulary("a"))


@pytest.mark.parametrize("file", ["tiny/any.txt", "tiny/any.txt.gz", "tiny", "tiny.txt", "tiny.txt.gz"])
def test_a_folder_with_one_text_or_a_file_is_a_data_set(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(compress(TEXT.encode()) if file.endswith(".gz") else TEXT.encode())
    (tmp_path / "NOTES.md").write_text("not a text", encoding="utf-8")
    dataset = load("tiny", tmp_path, sequence=20)
    assert (dataset.name, dataset.train_x.shape, dataset.vocabulary) == ("tiny", (13, 20), Vocabulary.of(TEXT))
    if "/" not in file:
        assert load(file, tmp_path, 20).name == file
    with pytest.raises(
        FileNotFoundError, match=f"no data set 'none' in .*: there are digits(, {file.split('/')[0]})?$"
    ):
        load("none", tmp_path)
    with pytest.raises(ValueError, match="the test part of tiny has 30 characters"):
        load("tiny", tmp_path)


def test_folders_without_one_text_say_what_they_hold(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match=r"neither images .* nor a text .* it holds nothing"):
        load("tiny", tmp_path)
    (folder / "book.pdf").write_bytes(b"PDF")
    with pytest.raises(FileNotFoundError, match=r"it holds book\.pdf"):
        load("tiny", tmp_path)
    for name in ("one.txt", "two.txt.gz"):
        (folder / name).write_bytes(TEXT.encode())
    with pytest.raises(ValueError, match=r"it must hold one text, not 2: one\.txt, two\.txt\.gz"):
        load("tiny", tmp_path)


def test_images_win_over_texts_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "LICENSE.txt").write_bytes(TEXT.encode())
    (folder / "train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(ValueError, match="not an IDX file"):
        load("tiny", tmp_path)
    assert load("digits").vocabulary is None


def test_another_text_is_refused_as_war_and_peace(tmp_path: Path) -> None:
    (tmp_path / "war-and-peace.txt").write_bytes(TEXT.encode())
    with pytest.raises(ValueError, match=f"SHA-256 .* must be {_SHA256_OF_TEXT['war-and-peace']}"):
        load("war-and-peace", tmp_path)


# --- training ---------------------------------------------------------------------------------------------------------


class Reader(tt.Network):
    """A stand-in for a network that carries state, which records its calls."""

    recurrent = carries = True
    inputs = outputs = 100
    layers = (tt.nn.Linear(9, 1000), tt.nn.Linear(1000, 9))
    rules = tt.DigitalSgd()
    seed = 0
    loss = "cross-entropy"
    pulses = 0
    averaging = keeps_average = False
    __setattr__ = object.__setattr__

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.calls: list[str] = []

    def reset(self) -> None:
        self.calls.append("reset")

    def train(self, x: object, y: object, *, order: np.ndarray, batch: int, **_: object) -> tt.Score:
        self.calls.append("train")
        self.seen += [row.tolist() for row in order.reshape(-1, batch)]
        self.pulses += 30 * len(order)
        return tt.Score(2.0, 0.5)

    def evaluate(self, *_: object, **__: object) -> tt.Score:
        return tt.Score(1.0, 0.25)

    def device_parameters(self, _: int) -> dict[str, np.ndarray]:
        return {}


def test_streams_run_beside_each_other() -> None:
    np.testing.assert_array_equal(streams(8, 2), [0, 4, 1, 5, 2, 6, 3, 7])
    np.testing.assert_array_equal(streams(11, 3), [0, 3, 6, 1, 4, 7, 2, 5, 8])  # 9 and 10 do not fill the streams
    np.testing.assert_array_equal(streams(4, 1), range(4))
    assert streams(3, 4).shape == (0,)


def test_a_network_that_carries_reads_the_text_in_order() -> None:
    dataset = text_dataset(TEXT, name="mine", sequence=10).first(23)
    network = Reader()
    history = tt.fit(network, dataset, epochs=2, batch=5, progress=False)
    assert network.seen == 2 * [[k, k + 4, k + 8, k + 12, k + 16] for k in range(4)]
    assert network.calls == 2 * ["reset", "train"]
    assert (history[0].train_loss, history[0].train_error) == (2.0, 0.5)
    assert history[0].pulses_per_sample == 3  # 10 characters a sequence
    with pytest.raises(ValueError, match="batch must be at most 23, the training sequences of mine, not 24"):
        tt.fit(network, dataset, epochs=1, batch=24, progress=False)


def test_calls_into_the_core_count_characters() -> None:
    weights = 1000 * 10 + 9 * 1001
    network = Reader()
    dataset = text_dataset("abc" * 40_000, name="mine", sequence=1000)
    tt.fit(network, dataset, epochs=1, batch=4, progress=False)
    at_once = 4 * round(2e8 / (weights * 1000 * 4))
    assert network.calls == ["reset"] + ["train"] * -(-108 // at_once)
    assert at_once < 108


def test_networks_and_data_of_another_kind_are_refused() -> None:
    text = text_dataset(TEXT, name="mine", sequence=10)
    digits = load("digits")
    with pytest.raises(ValueError, match="mine must hold single examples for a network with no LSTM, not sequences"):
        tt.fit(tt.Network([tt.nn.Linear(text.inputs, text.classes)], tt.DigitalSgd()), text, progress=False)
    with pytest.raises(ValueError, match="digits must hold sequences for a network with an LSTM, not single examples"):
        tt.fit(Reader(), digits, progress=False)


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_recurrent_network_learns_a_text(carry: bool, batch: int) -> None:
    text = text_dataset("the cat sat on the mat. " * 60, name="mine", sequence=12)
    layers = [tt.nn.LSTM(text.inputs, 16, carry=carry), tt.nn.Linear(16, text.classes)]
    network = tt.Network(layers, tt.DigitalSgd(lr=0.1), seed=1)
    assert (network.recurrent, network.carries) == (True, carry)
    untrained = network.evaluate(text.test_x, text.test_y)
    assert untrained.loss == pytest.approx(np.log(text.classes), abs=0.2)  # of a character, not of a sequence
    history = tt.fit(network, text, epochs=6, batch=batch, progress=False)
    assert history[-1].test_loss < history[0].test_loss < untrained.loss
    assert history[-1].train_loss < history[0].train_loss < np.log(text.classes) + 0.2
    again = tt.Network(layers, tt.DigitalSgd(lr=0.1), seed=1)
    tt.fit(again, text, epochs=6, batch=batch, threads=2, progress=False)
    assert again.digest() == network.digest()


def test_outputs_of_a_recurrent_network_are_those_of_every_step() -> None:
    text = text_dataset(TEXT, name="mine", sequence=10)
    network = tt.Network([tt.nn.LSTM(text.inputs, 8), tt.nn.Linear(8, text.classes)], tt.DigitalSgd(), seed=1)
    x, y = text.test_x, text.test_y
    for each in (network, network.extract("read")):
        assert each.recurrent
        probabilities = each.probabilities(x)
        assert probabilities.shape == (*x.shape, text.classes)
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)
        classes = each.predict(x)
        assert (classes.shape, classes.dtype) == (x.shape, np.int64)
        score = each.evaluate(x, y)
        assert score.error == pytest.approx(np.mean(classes != y))
        losses = -np.log(np.take_along_axis(probabilities, y[..., None], axis=-1))
        assert score.loss == pytest.approx(losses.mean(), rel=1e-4)
    score = network.train(text.train_x, text.train_y, order=[3, 1], batch=2)
    assert score.loss == pytest.approx(np.log(text.classes), abs=0.3)


def test_a_network_writes_what_its_seed_says() -> None:
    text = text_dataset("abcdefgh" * 150, name="mine", sequence=8)
    network = tt.Network([tt.nn.LSTM(8, 16, carry=True), tt.nn.Linear(16, 8)], tt.DigitalSgd(lr=0.2), seed=1)
    tt.fit(network, text, epochs=8, progress=False)
    before = network.state()
    codes = network.sample([0, 1, 2], 40, temperature=0.5, seed=3)
    assert (codes.shape, codes.dtype) == ((40,), np.int64)
    np.testing.assert_array_equal(codes, network.sample([0, 1, 2], 40, temperature=0.5, seed=3))
    np.testing.assert_array_equal(codes, network.extract("read").sample([0, 1, 2], 40, temperature=0.5, seed=3))
    assert np.mean(codes == np.arange(3, 43) % 8) > 0.9  # it has learned the alphabet
    assert all(np.array_equal(before[key], value) for key, value in network.state().items())
    for prime in ([], [8], [-1]):
        with pytest.raises(ValueError, match=r"\w"):
            network.sample(prime, 5)
    for temperature in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="temperature"):
            network.sample([0], 5, temperature=temperature)
    with pytest.raises(ValueError, match="recurrent"):
        tt.Network([tt.nn.Linear(8, 8)], tt.DigitalSgd()).sample([0], 5)


def test_the_carried_state_is_part_of_a_checkpoint(tmp_path: Path) -> None:
    text = text_dataset(TEXT, name="mine", sequence=10)
    config = tt.TrainConfig(net="lstm", data="mine", sequence=10, rule=tt.Ttv2(), seed=3)
    network = config.network(text)
    network.train(text.train_x, text.train_y, order=streams(20, 2)[:10], batch=2)
    assert {"carried.0.h", "carried.0.c", "carried.1.h", "carried.1.c"} <= network.state().keys()
    run = tt.Run.create(tmp_path / "run", config)
    run.checkpoint(network, progress=tt.Progress(0, 10), dataset=text)
    back = tt.Run.open(tmp_path / "run")
    assert back.vocabulary() == text.vocabulary
    restored = back.network()
    for each in (network, restored):
        each.train(text.train_x, text.train_y, order=streams(20, 2)[10:], batch=2)
    assert restored.digest() == network.digest()
    restored.reset()
    assert not restored.state()["carried.0.h"].any()
    model = back.extract("read")
    assert model.metadata["vocabulary"] == text.vocabulary.characters  # type: ignore[union-attr]
    assert model.metadata["sequence"] == 10
