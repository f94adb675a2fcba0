"""What cannot work is refused in words, before anything changes."""

import copy
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.utils.prune
from bridge import RULES, attached, batches, small, state_of, train

import tikitaka as tt
import tikitaka.torch as analog

RULE = RULES["ttv2"]


def test_gradient_scaler() -> None:
    model = small(RULE)
    optimizer, (x, y) = attached(model), batches(1)[0]
    for unscaled in (False, True):
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        optimizer.zero_grad()
        scaler.scale(torch.nn.functional.cross_entropy(model(x), y)).backward()
        if unscaled:
            scaler.unscale_(optimizer)
        with pytest.raises(RuntimeError, match=r"GradScaler.*bfloat16"):
            scaler.step(optimizer)
    off = torch.amp.GradScaler("cpu", enabled=False)
    optimizer.zero_grad()
    off.scale(torch.nn.functional.cross_entropy(model(x), y)).backward()
    off.step(optimizer)


def test_distributed_data_parallel() -> None:
    script = (
        "import torch, tikitaka as tt, tikitaka.torch as analog\n"
        "torch.distributed.init_process_group('gloo', init_method='tcp://127.0.0.1:29541', world_size=1, rank=0)\n"
        "layer = analog.Linear(2, 2, rule=tt.Ttv2(), seed=1)\n"
        "layer(torch.zeros(1, 2))\n"
        "try: torch.nn.parallel.DistributedDataParallel(layer)(torch.zeros(1, 2))\n"
        "except RuntimeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=dict(os.environ))
    assert "train in one process" in done.stdout, done.stderr


def test_weights_changed_from_outside() -> None:
    model = small(RULE)
    with torch.no_grad():
        model[0].weight.mul_(0.5)
    with pytest.raises(RuntimeError, match="changed from outside"):
        model(batches(1)[0][0])
    with pytest.raises(RuntimeError, match="changed from outside"):
        model.state_dict()
    averaged = torch.optim.swa_utils.AveragedModel(small(RULE))
    averaged.update_parameters(small(RULE))
    averaged.update_parameters(small(RULE))
    with pytest.raises(RuntimeError, match=r"tikitaka\.torch\.extract"):
        averaged(batches(1)[0][0])


@pytest.mark.filterwarnings("ignore")
def test_changes_that_leave_no_trace_in_versions() -> None:
    model = small(RULE)
    with torch.no_grad():
        model[0].weight.mul_(0.5)
    with pytest.raises(RuntimeError, match="changed from outside"):
        model.to("cpu")(batches(1)[0][0])
    with pytest.raises(RuntimeError, match="changed from outside"):
        copy.deepcopy(model)(batches(1)[0][0])
    with pytest.raises(RuntimeError, match="changed from outside"):
        analog.extract(model, "exact")
    pruned = small(RULE)
    torch.nn.utils.prune.l1_unstructured(pruned[0], "weight", 0.5)
    with pytest.raises(RuntimeError, match="no longer its parameter"):
        pruned(batches(1)[0][0])


def test_a_penalty_on_weights() -> None:
    model, (x, y) = small(RULE), batches(1)[0]
    optimizer = attached(model)
    (torch.nn.functional.cross_entropy(model(x), y) + model[0].weight.square().sum()).backward()
    with pytest.raises(RuntimeError, match="gradient outside its layer"):
        optimizer.step()


def test_a_failed_conversion_leaves_the_model_as_it_was() -> None:
    for rules, match in (
        ({"0": RULE, "3": tt.Ttv2}, "3: rule must be a rule"),
        ({"0": RULE, "3": RULE}, "3: .*finite"),
    ):
        model = small()
        if isinstance(rules["3"], tt.Ttv2):
            with torch.no_grad():
                model[3].weight[0, 0] = torch.nan
        before = {name: value.clone() for name, value in model.state_dict().items()}
        parameters = list(model.parameters())
        with pytest.raises((TypeError, ValueError), match=match):
            analog.convert(model, rules)
        assert [type(layer).__module__.split(".")[0] for layer in model] == ["torch"] * 4
        assert all(mine is theirs for mine, theirs in zip(parameters, model.parameters(), strict=True))
        after = model.state_dict()
        assert all(torch.equal(before[name].nan_to_num(), after[name].nan_to_num()) for name in before)


def test_weights_that_do_not_fit() -> None:
    layer = torch.nn.Linear(20, 20)
    with torch.no_grad():
        layer.weight.normal_(0, 2)
    with pytest.warns(UserWarning, match="scale='fit' makes them fit"):
        table = analog.convert(torch.nn.Sequential(layer), RULE, seed=1)
    assert "% of the weights" in repr(table)


def test_encoders_do_not_pass_by_layers_converted_alone() -> None:
    x = torch.randn(2, 5, 8)
    for convert in (
        lambda encoder: analog.convert(encoder.layers[0].linear1, tt.Ttv2(periphery=tt.Periphery.full()), seed=1),
        lambda encoder: analog.convert(encoder.layers[0].self_attn, tt.Ttv2(periphery=tt.Periphery.full()), seed=1),
    ):
        encoder = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1)
        convert(encoder)
        encoder.eval()
        with torch.no_grad():
            assert not torch.equal(encoder(x), encoder(x))  # the noise of evaluation


def test_an_optimizer_that_is_not_attached() -> None:
    model, (x, y) = small(RULE), batches(1)[0]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def loop() -> None:
        for _ in range(50):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

    with pytest.raises(RuntimeError, match=r"attach\(optimizer, model\)"):
        loop()


def test_a_copied_optimizer() -> None:
    model, (x, y) = small(RULE), batches(1)[0]
    optimizer = copy.deepcopy(attached(model))

    def loop() -> None:
        for _ in range(2000):
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

    with pytest.raises(RuntimeError, match="a copy of it has to be attached again"):
        loop()


def test_attach() -> None:
    with pytest.raises(ValueError, match=r"tikitaka\.torch\.convert first"):
        analog.attach(torch.optim.SGD(small().parameters(), 0.1), small())
    with pytest.raises(TypeError, match="optimizer must be an optimiser"):
        analog.attach("adam", small(RULE))  # type: ignore[arg-type]
    model = small(RULE)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    torch.optim.lr_scheduler.StepLR(optimizer, 10)
    with pytest.raises(ValueError, match="before its scheduler"):
        analog.attach(optimizer, model)
    optimizer = attached(model)
    with pytest.raises(ValueError, match="twice"):
        analog.attach(optimizer, model)
    with pytest.raises(ValueError, match="LBFGS"):
        analog.attach(torch.optim.LBFGS(model.parameters()), model)
    with pytest.raises(ValueError, match="maximize"):
        analog.attach(torch.optim.SGD(model.parameters(), 0.1, maximize=True), model)
    with pytest.raises(ValueError, match="must have the weights"):
        analog.attach(torch.optim.SGD(model[1].parameters(), 0.1), model)
    with pytest.warns(UserWarning, match="momentum of the optimiser does not reach crossbars"):
        analog.attach(torch.optim.SGD(model.parameters(), 0.1, momentum=0.9), model)


def test_double_backward() -> None:
    layer = analog.Linear(2, 2, rule=tt.DigitalSgd(), seed=1)
    x = torch.ones(1, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


class Tied(torch.nn.Module):
    """A language model whose output layer has the weight of its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.wte, self.body = torch.nn.Embedding(6, 4), torch.nn.Linear(4, 4)
        self.head = torch.nn.Linear(4, 6, bias=False)
        self.head.weight = self.wte.weight


def test_tied_weights() -> None:
    model = Tied()
    with pytest.raises(ValueError, match=r"head: shares its weight with wte\.weight: .*untie=True"):
        analog.convert(model, RULE)
    assert type(model.body) is torch.nn.Linear
    analog.convert(model, {"head": None, "*": RULE}, seed=1)
    assert type(model.body) is analog.Linear
    model = Tied()
    analog.convert(model, RULE, seed=1, untie=True, scale="fit")
    assert model.head.weight is not model.wte.weight


class Own(torch.nn.Linear):
    """A linear layer that computes otherwise."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


@pytest.mark.filterwarnings("ignore")
def test_layers_that_cannot_be_analog() -> None:
    for layer, words in (
        (torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2)), "parametri"),
        (torch.nn.utils.spectral_norm(torch.nn.Linear(2, 2)), "computed from others"),
        (torch.nn.LazyLinear(2), "must be one of|not there yet"),
        (torch.nn.Linear(2, 2, dtype=torch.complex64), "dense tensor of floats"),
        (torch.nn.Bilinear(2, 2, 2), "must be one of"),
        (Own(2, 2), "must be one of"),
    ):
        model = torch.nn.Sequential(layer, torch.nn.Linear(2, 2))
        with pytest.raises(ValueError, match=words):
            analog.convert(model, {"0": RULE, "1": RULE})
        assert type(model[1]) is torch.nn.Linear
    table = analog.convert(torch.nn.Sequential(Own(2, 2), torch.nn.Linear(2, 2)), RULE)
    assert "a class of its own" in repr(table)


def test_convert() -> None:
    model = small()
    with pytest.raises(ValueError, match=r"rules must name layers of the model; 'layer4\.\*' matches none"):
        analog.convert(model, {"layer4.*": RULE})
    with pytest.raises(TypeError, match="rule must be a rule"):
        analog.convert(model, "ttv2")
    with pytest.raises(TypeError, match="device must be a Device"):
        analog.Programmed(device="ecram")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="model must be"):
        analog.convert([], RULE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scale must be a number above 0 or 'fit'"):
        analog.convert(model, RULE, scale=-1)
    with pytest.raises(ValueError, match="scale must be"):
        analog.convert(model, RULE, scale="width")
    for refused in (model, torch.nn.MultiheadAttention(4, 2)):
        with pytest.raises(ValueError, match="bias must be"):
            analog.convert(refused, RULE, bias="none")
    assert [type(layer).__module__.split(".")[0] for layer in model] == ["torch"] * 4
    analog.convert(model, {"0": RULE}, seed=1)
    with pytest.raises(ValueError, match="analog already"):
        analog.convert(model, {"0": RULE})
    table = analog.convert(model, RULE, seed=2)
    assert table.analog == ["0", "3"]


def test_inputs() -> None:
    layer = analog.Linear(3, 2, rule=RULE, seed=1)
    for shape in ((4, 5), (2, 4, 5), (5,)):
        with pytest.raises(ValueError, match="x must have 3 values in its last dimension"):
            layer(torch.zeros(shape))
    with pytest.raises(ValueError, match="x must"):
        layer(torch.full((1, 3), torch.nan))
    with pytest.raises(TypeError, match="x must be a tensor of floats"):
        layer(torch.ones(4, 3).long())
    with pytest.raises(ValueError, match="x must have 2 channels"):
        analog.Conv2d(2, 3, 3, rule=RULE)(torch.zeros(1, 1, 5, 5))
    with pytest.raises(ValueError, match="as large as the kernel"):
        analog.Conv2d(2, 3, 3, rule=RULE)(torch.zeros(1, 2, 2, 5))
    with pytest.raises(ValueError, match="x must be"):
        analog.LSTM(2, 3, rule=RULE)(torch.zeros(1, 1, 3))
    with pytest.raises(ValueError, match="hx must have shape"):
        analog.GRU(2, 3, rule=RULE)(torch.zeros(4, 1, 2), torch.zeros(1, 2, 3))


def test_an_optimizer_that_diverged() -> None:
    model = small(RULES["programmed"])
    optimizer = attached(model)
    train(model, optimizer, batches(1))
    state = state_of(model)
    model[0].weight.grad = torch.full_like(model[0].weight, torch.nan)
    with pytest.raises(ValueError, match="weights must be finite"):
        optimizer.step()
    assert state


def test_torch_is_imported_only_by_the_bridge() -> None:
    script = (
        "import sys, tikitaka; assert 'torch' not in sys.modules; import tikitaka.torch; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
