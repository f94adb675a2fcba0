"""Output in any encoding: nothing that was computed is lost to a character, and files are UTF-8."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tikitaka as tt
from support.commands import FAST
from tikitaka.config import read_toml

ENCODINGS = ("cp1252", "cp850", "cp932", "ascii", "utf-16", "latin-1:strict")


def ran(*args: object, encoding: str, stdout: int = subprocess.PIPE) -> tuple[int, bytes, bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "tikitaka", *map(str, args)]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_printed_config_is_utf_8_and_can_be_read_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    code, out, err = ran("train", "--print-config", encoding=encoding)
    assert (code, err) == (0, b"")
    (tmp_path / "config.toml").write_bytes(out)
    assert tt.TrainConfig.from_dict(read_toml(tmp_path / "config.toml")) == tt.TrainConfig()


def test_help_and_results_come_in_an_encoding_that_lacks_their_characters(tmp_path: Path) -> None:
    for command in ("train", "plot"):
        code, out, err = ran(command, "--help", encoding="cp932")
        assert (code, err) == (0, b"")
        assert len(out.decode("utf-8")) > 1000
    code, out, _ = ran("train", *FAST, "--out", tmp_path / "r", encoding="cp949")
    assert code == 0
    assert "of the average      " in out.decode("utf-8")
    code, out, _ = ran("evaluate", tmp_path / "r", "--bits", 4, encoding="ascii")
    assert code == 0
    assert "test error" in out.decode("utf-8")


def test_an_error_about_any_name_is_one_line(tmp_path: Path) -> None:
    for name in ("größe", "\udcff", "数"):
        code, out, err = ran("evaluate", tmp_path / name, encoding="cp1252")
        assert (code, out, err.count(b"\n")) == (2, b"", 1)
        assert b"no such RUN folder" in err


def test_a_run_in_a_folder_whose_name_is_no_text_ends_well(tmp_path: Path) -> None:
    code, out, _ = ran("train", *FAST, "--out", tmp_path / "r\udcff", encoding="utf-8:strict")
    assert code == 0
    assert b"digest" in out
    assert b"r\\udcff" in out


def test_output_that_cannot_be_written_is_said_in_words() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        code, _, err = ran("train", "--print-config", encoding="utf-8", stdout=full.fileno())
    assert (code, err) == (1, b"tikitaka: standard output: No space left on device\n")


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        code, _, err = ran("train", "--help", encoding="utf-8", stdout=write)
    finally:
        os.close(write)
    assert (code, err) == (1, b"")
