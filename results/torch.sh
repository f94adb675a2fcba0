#!/usr/bin/env bash
# The GPT of 0.9 million weights on the characters of War and Peace, 1,000 steps each, one after another, one thread each;
# then one epoch of the ResNet.
# usage: results/torch.sh TEXT OUT     (TEXT: War and Peace, plain or gzip; OUT: a folder for losses, states,
#                                       torch.jsonl and torch.png)
set -euo pipefail
text=$1 out=$2 examples=$(dirname "$0")/../examples
mkdir -p "$out"
gpt() {
    name=$1
    shift
    python "$examples/torch_gpt.py" --text "$text" --steps 1000 --out "$out/$name" "$@"
}
gpt float --rule float
gpt programmed-200 --rule programmed --states 200
gpt programmed-20 --rule programmed --states 20
gpt ttv2-200 --rule ttv2 --states 200
gpt ttv2-20 --rule ttv2 --states 20
gpt ttv2-20-rate-1 --rule ttv2 --states 20 --rate 1
gpt exact-sgd --rule exact-sgd --rate 0.1
gpt exact-sgd-rate-1 --rule exact-sgd --rate 1
python "$examples/torch_resnet.py" --out "$out/resnet" --threads 1
python - "$out" <<'END'
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

folder = Path(sys.argv[1])
labels = {
    "float": "PyTorch, AdamW",
    "programmed-200": "programmed, 200 states",
    "programmed-20": "programmed, 20 states",
    "ttv2-200": "TTv2, 200 states",
    "ttv2-20": "TTv2, 20 states",
    "ttv2-20-rate-1": "TTv2, 20 states, lr 1",
    "exact-sgd": "exact SGD, lr 0.1",
    "exact-sgd-rate-1": "exact SGD, lr 1",
}
lines = [
    json.dumps({"case": name, **json.loads(line)})
    for name in labels
    for line in (folder / f"{name}.jsonl").read_text().splitlines()
]
(folder / "torch.jsonl").write_text("\n".join(lines) + "\n")
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, label in labels.items():
    rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    axes.plot([row["step"] for row in rows], [row["loss"] for row in rows], label=label)
axes.set(xlabel="steps of 1,024 characters", ylabel="held-out loss (nats per character)", ylim=(1.7, 3.2))
axes.legend(frameon=False, fontsize="small")
figure.savefig(folder / "torch.png", dpi=150)
END
