"""Analog modules under the float rule compute and learn as those of PyTorch do."""

import copy

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import tikitaka as tt
import tikitaka.torch as analog

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
    pytest.mark.filterwarnings("ignore:LSTM with projections"),
    pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors"),
]

FLOAT = tt.DigitalSgd(lr=0.05)
torch.manual_seed(2)  # of the modules below


def pair(module: torch.nn.Module, **settings: object) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A module and its analog copy under the float rule."""
    twin = copy.deepcopy(module)
    analog.convert(twin, FLOAT, seed=1, **settings)  # type: ignore[arg-type]
    return module, twin


def leaves(y: object) -> list[torch.Tensor]:
    """The tensors of an output."""
    if isinstance(y, torch.Tensor):
        return [y]
    if isinstance(y, torch.nn.utils.rnn.PackedSequence):
        return [y.data]
    return [leaf for each in y for leaf in leaves(each)] if isinstance(y, tuple) else []


def same_after_training(module: torch.nn.Module, inputs: list[tuple], steps: int = 20, **settings: object) -> None:
    """Both give the same outputs, gradients of inputs and parameters, after steps of training on each of `inputs`."""
    digital, twin = pair(module, **settings)
    optimizers = [torch.optim.SGD(digital.parameters(), lr=0.05)]
    optimizers.append(analog.attach(torch.optim.SGD(twin.parameters(), lr=0.05), twin))
    for step in range(steps):
        for given in inputs:
            results = []
            for network, optimizer in zip((digital, twin), optimizers, strict=True):
                optimizer.zero_grad()
                own = [x.clone().requires_grad_() if torch.is_tensor(x) and x.is_floating_point() else x for x in given]
                torch.manual_seed(step)
                outputs = leaves(network(*own))
                sum((y.sin() * (k + 1)).mean() for k, y in enumerate(outputs)).backward()  # type: ignore[union-attr]
                optimizer.step()
                results.append([*outputs, *(x.grad for x in own if torch.is_tensor(x) and x.grad is not None)])
            for mine, theirs in zip(*results, strict=True):
                torch.testing.assert_close(mine, theirs, rtol=2e-5, atol=5e-6)
    for (name, mine), theirs in zip(digital.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=2e-6, msg=lambda text, name=name: f"{name}: {text}")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(3)


@pytest.mark.parametrize("bias", ["digital", "analog"])
@pytest.mark.parametrize("shape", [(5, 7), (7,), (0, 7), (2, 3, 7)], ids=str)
def test_linear(shape: tuple[int, ...], bias: str) -> None:
    steps = 1 if 0 in shape else 100
    if 0 in shape:
        _, twin = pair(torch.nn.Linear(7, 4), bias=bias)
        assert twin(torch.randn(shape)).shape == (0, 4)
        return
    same_after_training(torch.nn.Linear(7, 4), [(torch.randn(shape),)], steps=steps, bias=bias)


def test_linear_without_bias() -> None:
    same_after_training(torch.nn.Linear(7, 4, bias=False), [(torch.randn(5, 7),)])


CONVOLUTIONS = {
    "plain": (torch.nn.Conv2d(3, 4, 3), (2, 3, 8, 9)),
    "one image": (torch.nn.Conv2d(3, 4, 3), (3, 8, 9)),
    "point": (torch.nn.Conv2d(3, 4, 1), (2, 3, 5, 6)),
    "point, stride": (torch.nn.Conv2d(3, 4, 1, stride=2), (2, 3, 5, 6)),
    "stride, padding": (torch.nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 2)), (2, 3, 8, 9)),
    "same": (torch.nn.Conv2d(3, 4, 4, padding="same"), (2, 3, 8, 9)),
    "dilation": (torch.nn.Conv2d(3, 4, 3, dilation=(2, 1)), (2, 3, 8, 9)),
    "groups": (torch.nn.Conv2d(6, 4, 3, groups=2), (2, 6, 8, 9)),
    "depthwise": (torch.nn.Conv2d(3, 6, 3, groups=3, padding=1), (2, 3, 8, 9)),
    "reflect": (torch.nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), (2, 3, 8, 9)),
    "circular": (torch.nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="circular"), (2, 3, 8, 9)),
    "1d": (torch.nn.Conv1d(3, 4, 3, stride=2, padding=1, dilation=2), (2, 3, 11)),
    "1d, groups": (torch.nn.Conv1d(4, 4, 3, groups=2, padding_mode="replicate", padding=1), (2, 4, 11)),
    "3d": (torch.nn.Conv3d(2, 4, (2, 3, 2), stride=(1, 2, 1), padding=1, dilation=(1, 1, 2)), (2, 2, 4, 5, 6)),
    "3d, groups": (torch.nn.Conv3d(2, 4, 2, groups=2), (2, 2, 4, 5, 6)),
}


@pytest.mark.parametrize("bias", ["digital", "analog"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name: str, bias: str) -> None:
    module, shape = CONVOLUTIONS[name]
    same_after_training(module, [(torch.randn(shape),)], bias=bias)


def test_channels_last_images() -> None:
    module = torch.nn.Conv2d(3, 4, 3, padding=1)
    same_after_training(module, [(torch.randn(2, 3, 8, 9).contiguous(memory_format=torch.channels_last),)])


RECURRENT = {
    "lstm": torch.nn.LSTM(3, 4),
    "lstm without bias": torch.nn.LSTM(3, 4, bias=False),
    "lstm, two layers both ways": torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True),
    "lstm with projection": torch.nn.LSTM(3, 5, proj_size=4, num_layers=2),
    "gru": torch.nn.GRU(3, 4),
    "gru, two layers both ways": torch.nn.GRU(3, 4, num_layers=2, bidirectional=True),
    "rnn": torch.nn.RNN(3, 4),
    "rnn with relu": torch.nn.RNN(3, 4, nonlinearity="relu"),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent(name: str) -> None:
    module = RECURRENT[name]
    count = module.num_layers * (2 if module.bidirectional else 1)
    state = torch.randn(count, 2, 4)
    cell = (state, torch.randn(count, 2, module.hidden_size)) if module.mode == "LSTM" else state
    same_after_training(module, [(torch.randn(6, 2, 3), cell), (torch.randn(6, 2, 3),)], steps=5)
    same_after_training(module, [(torch.randn(6, 3),)], steps=3)


@pytest.mark.parametrize("bias", ["digital", "analog"])
def test_recurrent_bias(bias: str) -> None:
    same_after_training(torch.nn.LSTM(3, 4, batch_first=True), [(torch.randn(2, 6, 3),)], steps=5, bias=bias)


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("ordered", [True, False])
def test_packed_sequences(name: str, ordered: bool) -> None:
    lengths = (5, 3, 3, 1) if ordered else (3, 1, 5, 3)
    packed = pack_sequence([torch.randn(n, 3) for n in lengths], enforce_sorted=ordered)
    same_after_training(RECURRENT[name], [(packed,)], steps=3)


ATTENTION = {
    "plain": {},
    "without bias": {"bias": False},
    "batch first": {"batch_first": True},
    "other sizes": {"kdim": 5, "vdim": 6},
    "bias of keys": {"add_bias_kv": True, "add_zero_attn": True},
}


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("name", ATTENTION)
def test_attention(name: str, needed: bool) -> None:
    module = torch.nn.MultiheadAttention(8, 2, **ATTENTION[name])
    queries, places = torch.randn(4, 3, 8), torch.randn(5, 3, 8)
    key = torch.randn(5, 3, module.kdim)
    value = torch.randn(5, 3, module.vdim)
    if module.batch_first:
        queries, key, value = (x.transpose(0, 1) for x in (queries, places, places))
    padding = torch.zeros(3, 5, dtype=torch.bool)
    padding[1, 3:] = True
    causal = torch.triu(torch.ones(4, 5, dtype=torch.bool), 1)
    bare = [(queries, key, value, None, needed), (queries, key, value, padding, needed)]
    masked = [(queries, key, value, padding, needed, causal), (queries, key, value, None, needed, torch.randn(6, 4, 5))]
    same_after_training(module, bare + masked, steps=4)


def test_attention_without_batch_and_heads_apart() -> None:
    module = torch.nn.MultiheadAttention(8, 2)
    x = torch.randn(4, 8)
    same_after_training(module, [(x, x, x, None, True, None, False), (x, x, x)], steps=3)


@pytest.mark.parametrize("first", [True, False])
def test_transformer_encoder_in_training_and_evaluation(first: bool) -> None:
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=first)
    module = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=first)
    x = torch.randn(3, 5, 8)
    same_after_training(module, [(x,)], steps=3)
    digital, twin = pair(module)
    padding = torch.zeros((3, 5) if first else (5, 3), dtype=torch.bool)
    padding[1, 2:] = True
    with torch.no_grad():
        mine, theirs = digital.eval()(x, src_key_padding_mask=padding), twin.eval()(x, src_key_padding_mask=padding)
    valid = ~padding if first else ~padding.T
    torch.testing.assert_close(mine[valid], theirs[valid], rtol=1e-5, atol=1e-6)


def test_new_modules_take_the_arguments_of_their_namesakes() -> None:
    made = [
        (analog.Linear(3, 2, False, rule=FLOAT), torch.randn(4, 3)),
        (analog.Linear(3, 2, bias="analog", rule=FLOAT, seed=1, number=4, scale=2.0), torch.randn(4, 3)),
        (analog.Conv1d(2, 3, 3, padding="same", rule=FLOAT), torch.randn(1, 2, 5)),
        (analog.Conv2d(2, 3, kernel_size=3, groups=1, bias=False, rule=FLOAT), torch.randn(1, 2, 5, 5)),
        (analog.Conv3d(2, 3, 2, rule=FLOAT), torch.randn(1, 2, 3, 3, 3)),
        (analog.LSTM(2, 3, num_layers=2, rule=FLOAT), torch.randn(5, 1, 2)),
        (analog.GRU(2, 3, batch_first=True, rule=FLOAT), torch.randn(1, 5, 2)),
        (analog.RNN(2, 3, rule=FLOAT), torch.randn(5, 1, 2)),
    ]
    for module, x in made:
        assert isinstance(module, type(module).digital)
        module(x)
    attention = analog.MultiheadAttention(4, 2, batch_first=True, rule=FLOAT)
    attention(*[torch.randn(2, 3, 4)] * 3)
    with pytest.raises(TypeError, match="rule must be a rule"):
        analog.Linear(3, 2, rule="ttv2")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bias must be"):
        analog.Linear(3, 2, rule=FLOAT, bias="on")
