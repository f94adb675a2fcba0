"""A small GPT on the characters of a text, with all linear layers of its blocks on crossbars.

    python examples/torch_gpt.py --text war-and-peace.txt --rule programmed --states 20 --out programmed-20

AdamW moves the digital parameters and, under the rule "programmed", also the weights on crossbars; rules such as ttv2
update theirs in place, and so does "exact-sgd", without any devices. "float" is plain PyTorch. A run writes its losses
to OUT.jsonl and its state to OUT.pt; the same command continues it, bit for bit. With the default sizes the two blocks
and the head have 0.9 million weights.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import tikitaka as tt
import tikitaka.torch as analog
from tikitaka.data.text import read_text


class Block(torch.nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), both causal."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for _ in range(2))
        self.qkv, self.out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.up, self.down = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.norms[0](x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.norms[1](x))))


class Gpt(torch.nn.Module):
    """Embeddings of characters and places, blocks, a norm and the head."""

    def __init__(self, characters: int, context: int, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.characters, self.places = torch.nn.Embedding(characters, width), torch.nn.Embedding(context, width)
        self.blocks = torch.nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm, self.head = torch.nn.LayerNorm(width), torch.nn.Linear(width, characters)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        x = self.characters(codes) + self.places(torch.arange(codes.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits: torch.Tensor = self.head(self.norm(x))
        return logits


def rule_of(a: argparse.Namespace) -> Any:
    """The rule of the crossbars; None for plain PyTorch."""
    device, periphery = tt.SoftBounds(states=a.states), tt.Periphery.full() if a.full else tt.Periphery()
    rules = {
        "float": None,
        "exact-sgd": tt.DigitalSgd(lr=a.rate or 0.1),
        "programmed": analog.Programmed(device, periphery),
        "sgd": tt.AnalogSgd(lr=a.rate or 0.003, device=device, periphery=periphery),
        "ttv2": tt.Ttv2(lr=a.rate or 0.1, device=device, periphery=periphery),
        "agad": tt.Agad(lr=a.rate or 0.1, device=device, periphery=periphery),
    }
    return rules[a.rule]


def batch_of(codes: torch.Tensor, step: int, a: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch of a step: places drawn from the seed and the number of the step, so that any step can follow."""
    first = np.random.default_rng((a.seed, step)).integers(0, len(codes) - a.context - 1, a.batch)
    rows = torch.stack([codes[k : k + a.context + 1] for k in first.tolist()])
    return rows[:, :-1], rows[:, 1:]


@torch.no_grad()
def held_out(model: torch.nn.Module, codes: torch.Tensor, a: argparse.Namespace) -> float:
    """The mean loss (nats per character) on the first batches of the held-out text."""
    model.eval()
    rows = codes[: a.judged * (a.context + 1)].unflatten(0, (a.judged, a.context + 1))
    losses = [
        functional.cross_entropy(model(some[:, :-1]).flatten(0, 1), some[:, 1:].flatten())
        for some in rows.split(a.batch)
    ]
    model.train()
    return float(torch.stack(losses).mean())


def save(path: Path, content: Any) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    torch.save(content, part)
    os.replace(part, path)


def main() -> None:
    """The command."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    p.add_argument("--text", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True, help="beginning of the names of its files")
    p.add_argument("--rule", default="programmed", choices=("float", "exact-sgd", "programmed", "sgd", "ttv2", "agad"))
    p.add_argument("--states", type=float, default=20)
    p.add_argument("--full", action="store_true", help="converters and noise (default: exact products)")
    p.add_argument("--scale", type=float, default=0.25, help="of weights over those of devices, whose bounds are ±0.6")
    p.add_argument("--rate", type=float, help="lr of the rule of the crossbars (default: its own)")
    p.add_argument("--lr", type=float, default=1e-3, help="of AdamW")
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--context", type=int, default=64)
    p.add_argument("--width", type=int, default=192)
    p.add_argument("--judged", type=int, default=128, help="held-out sequences")
    p.add_argument("--every", type=int, default=50, help="steps between measurements")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    text = read_text(a.text)
    known = {character: k for k, character in enumerate(sorted(set(text)))}
    codes = torch.tensor([known[character] for character in text])
    training, rest = codes[: len(codes) * 9 // 10], codes[len(codes) * 9 // 10 :]
    model = Gpt(len(known), a.context, a.width, heads=4, blocks=2)
    optimizer: Any = torch.optim.AdamW(model.parameters(), a.lr)
    if (rule := rule_of(a)) is not None:
        print(analog.convert(model, {"blocks.*": rule, "head": rule}, seed=a.seed, scale=a.scale))
        optimizer = analog.attach(torch.optim.AdamW(model.parameters(), a.lr), model)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=a.steps, pct_start=0.1,
        cycle_momentum=False,
    )  # fmt: skip
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    first, state = 0, a.out.with_name(a.out.name + ".pt")
    if state.exists():
        saved = torch.load(state)
        first = saved["steps"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    for step in range(first, a.steps):
        start, (x, y) = time.perf_counter(), batch_of(training, step, a)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step == 0 or (step + 1) % a.every == 0 or step + 1 == a.steps:
            row = {"step": step + 1, "loss": held_out(model, rest, a), "training_loss": loss.item()}
            print(row, f"{time.perf_counter() - start:.2f} s", flush=True)
            with a.out.with_name(a.out.name + ".jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            save(state, {"steps": step + 1, **{name: part.state_dict() for name, part in parts.items()}})


if __name__ == "__main__":
    main()
