"""Trainers that people use: Lightning, and Hugging Face's Trainer, with their own kinds of layers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from bridge import RULES, batches, small

import tikitaka as tt
import tikitaka.torch as analog


@pytest.mark.filterwarnings("ignore")
def test_lightning_trains(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning")

    class Classifier(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = small(RULES["ttv2"])

        def training_step(self, batch: Any, _index: int) -> Any:
            return torch.nn.functional.cross_entropy(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            optimizer = analog.attach(torch.optim.AdamW(self.parameters(), 1e-3), self)
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2)]

    module = Classifier()
    before = analog.ledger(module)["total"]["fast"]["updates"]
    trainer = lightning.Trainer(
        max_steps=4, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path,
        accumulate_grad_batches=2, gradient_clip_val=1.0, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(batches(8), batch_size=None))
    assert analog.ledger(module)["total"]["fast"]["updates"] - before == 2 * 8 * 6
    other = Classifier()
    other.load_state_dict(torch.load(trainer.checkpoint_callback.best_model_path, weights_only=False)["state_dict"])
    assert torch.equal(other.model[0].weight, module.model[0].weight)


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_trains_gpt2(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    config = transformers.GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=2, n_head=2)
    torch.manual_seed(1)
    model = transformers.GPT2LMHeadModel(config)
    digital = model(torch.arange(8)[None]).logits
    table = analog.convert(model, {"transformer.h.*": RULES["ttv2"]}, seed=1, scale="fit")
    assert len(table.analog) == 8
    assert {layer for _, layer, where, _ in table.rows if where == "analog"} == {"Conv1D"}
    exact = analog.extract(model, "exact").eval()
    assert type(exact.transformer.h[0].mlp.c_fc).__name__ == "Conv1D"
    assert exact(torch.arange(8)[None]).logits.shape == digital.shape
    optimizer = analog.attach(torch.optim.AdamW(model.parameters(), 1e-3), model)
    rows = [{"input_ids": torch.arange(8), "labels": torch.arange(8)} for _ in range(8)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), max_steps=2, per_device_train_batch_size=2, gradient_accumulation_steps=2,
        use_cpu=True, report_to=[], save_steps=2, disable_tqdm=True,
    )  # fmt: skip
    transformers.Trainer(model, arguments, train_dataset=rows, optimizers=(optimizer, None)).train()
    assert analog.ledger(model)["total"]["fast"]["updates"] > 0
    files = pytest.importorskip("safetensors.torch")
    saved = files.load_file(next(tmp_path.glob("checkpoint-2/*.safetensors")))
    again = transformers.GPT2LMHeadModel(config)
    analog.convert(again, {"transformer.h.*": RULES["ttv2"]}, seed=5)
    again.load_state_dict(saved, strict=False)
    assert torch.equal(again.transformer.h[1].mlp.c_fc.weight, model.transformer.h[1].mlp.c_fc.weight)


def test_conv1d_is_linear_transposed() -> None:
    pytorch_utils = pytest.importorskip("transformers.pytorch_utils")
    torch.manual_seed(1)
    layer = pytorch_utils.Conv1D(5, 3)
    x, twin = torch.randn(2, 4, 3), torch.nn.Linear(3, 5)
    twin.load_state_dict({"weight": layer.weight.detach().T.clone(), "bias": layer.bias.detach()})
    model = torch.nn.Sequential(layer)
    analog.convert(model, tt.DigitalSgd(lr=0.1), seed=1)
    optimizers = [analog.attach(torch.optim.SGD(model.parameters(), 0.1), model)]
    optimizers.append(torch.optim.SGD(twin.parameters(), 0.1))
    for _ in range(20):
        for network, optimizer in zip((model, twin), optimizers, strict=True):
            optimizer.zero_grad()
            network(x).sin().mean().backward()
            optimizer.step()
    torch.testing.assert_close(model[0].weight.T, twin.weight, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_residual_network_of_torchvision_trains() -> None:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(1)
    model = torchvision.models.resnet18(num_classes=4)
    rule = tt.Ttv2(device=tt.SoftBounds(states=20), periphery=tt.Periphery.full())
    table = analog.convert(model, {"layer4.*": rule, "fc": rule}, seed=1, scale="fit")
    assert len(table.analog) == 6
    optimizer = analog.attach(torch.optim.AdamW(model.parameters(), lr=1e-3), model)
    x, y = torch.randn(2, 3, 32, 32), torch.tensor([0, 3])
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert analog.ledger(model)["total"]["fast"]["updates"] > 0
    analog.extract(model).eval()(x)
