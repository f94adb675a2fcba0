"""A ResNet-18 for images of 32 × 32 pixels, its last stage and classifier on crossbars.

    python examples/torch_resnet.py --out resnet

The images are the bundled digits, enlarged, tinted and shifted at random: three channels as in CIFAR, and no download.
AdamW moves the digital layers, TTv2 those on crossbars. A run writes its losses to OUT.jsonl and, every so many steps,
its state to OUT.pt; the same command continues it, bit for bit. Needs torchvision.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch.nn import functional

import tikitaka as tt
import tikitaka.torch as analog


def images(x: Any, seed: int) -> torch.Tensor:
    """Digits (examples, 64) as tinted images (examples, 3, 32, 32), each shifted by up to 4 pixels."""
    draw = np.random.default_rng(seed)
    grey = functional.interpolate(torch.from_numpy(x).reshape(-1, 1, 8, 8), size=(32, 32), mode="bilinear")
    tint = torch.from_numpy(draw.uniform(0.3, 1.0, (len(x), 3, 1, 1)).astype(np.float32))
    noise = torch.from_numpy(draw.normal(0, 0.1, (len(x), 3, 32, 32)).astype(np.float32))
    shifts = draw.integers(-4, 5, (len(x), 2)).tolist()
    shifted = torch.stack([torch.roll(image, shift, (1, 2)) for image, shift in zip(grey, shifts, strict=True)])
    return (shifted * tint + noise - 0.3) / 0.4


def network() -> torch.nn.Module:
    """ResNet-18 with the stem for small images: one convolution 3 × 3 and no pooling."""
    model: torch.nn.Module = torchvision.models.resnet18(num_classes=10)
    model.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = torch.nn.Identity()
    return model


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    p.add_argument("--out", type=Path, required=True, help="beginning of the names of its files")
    p.add_argument("--states", type=float, default=20)
    p.add_argument("--rate", type=float, default=0.1, help="lr of the rule of the crossbars")
    p.add_argument("--lr", type=float, default=1e-3, help="of AdamW")
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--examples", type=int, help="training images (default: all)")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--save-every", type=int, default=10, metavar="STEPS")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    digits = tt.data.load("digits")
    x, y = images(digits.train_x[: a.examples], a.seed), torch.from_numpy(digits.train_y[: a.examples])
    model = network()
    rule = tt.Ttv2(lr=a.rate, device=tt.SoftBounds(states=a.states))
    print(analog.convert(model, {"layer4.*": rule, "fc": rule}, seed=a.seed, scale="fit"))
    optimizer: Any = analog.attach(torch.optim.AdamW(model.parameters(), a.lr), model)
    parts, first = {"model": model, "optimizer": optimizer}, 0
    state, log = (a.out.with_name(a.out.name + ending) for ending in (".pt", ".jsonl"))
    if state.exists():
        saved = torch.load(state)
        first = saved["steps"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    orders = [np.random.default_rng((a.seed, epoch)).permutation(len(x)) for epoch in range(a.epochs)]
    steps = [rows for order in orders for rows in torch.from_numpy(order).split(a.batch)]
    for step in range(first, len(steps)):
        start, rows = time.perf_counter(), steps[step]
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        row = {"step": step + 1, "training_loss": loss.item()}
        print(row, f"{time.perf_counter() - start:.2f} s", flush=True)
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        if (step + 1) % a.save_every == 0 or step + 1 == len(steps):
            part_file = state.with_name(state.name + ".part")
            torch.save({"steps": step + 1, **{name: part.state_dict() for name, part in parts.items()}}, part_file)
            os.replace(part_file, state)
    model.eval()
    test_x, test_y = images(digits.test_x, a.seed + 1), torch.from_numpy(digits.test_y)
    with torch.no_grad():
        wrong = torch.cat([model(some).argmax(1) for some in test_x.split(64)]) != test_y
    print(f"test error {100 * wrong.float().mean():.1f} %")


if __name__ == "__main__":
    main()
