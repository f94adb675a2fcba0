"""The examples of the bridge train, and end at the same bits when they are killed and continued."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
GPT = ["torch_gpt.py", "--text", str(ROOT / "README.md"), "--width", "16", "--context", "16", "--batch", "4",
       "--judged", "8", "--steps", "24", "--every", "6"]  # fmt: skip
COMMANDS = {
    "gpt programmed": [*GPT, "--rule", "programmed", "--full"],
    "gpt ttv2": [*GPT, "--rule", "ttv2"],
    "resnet": ["torch_resnet.py", "--examples", "24", "--batch", "4", "--save-every", "1"],
}


def command(name: str, out: Path) -> list[str]:
    script, *rest = COMMANDS[name]
    return [sys.executable, str(ROOT / "examples" / script), "--out", str(out), *rest]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_and_continued_examples_end_at_the_same_bits(name: str, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    assert subprocess.run(command(name, tmp_path / "whole"), env=env).returncode == 0
    process = subprocess.Popen(command(name, tmp_path / "killed"), env=env)
    while not (tmp_path / "killed.pt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert torch.load(tmp_path / "killed.pt")["steps"] < torch.load(tmp_path / "whole.pt")["steps"]
    assert subprocess.run(command(name, tmp_path / "killed"), env=env).returncode == 0
    whole, killed = (torch.load(tmp_path / f"{each}.pt")["model"] for each in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert [key for key in whole if not torch.equal(whole[key], killed[key])] == []


def test_gpt_under_the_float_rule_of_pytorch(tmp_path: Path) -> None:
    assert subprocess.run([*command("gpt ttv2", tmp_path / "float")[:-1], "float"]).returncode == 0
