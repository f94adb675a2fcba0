"""The PyTorch counterpart has the same outputs and gradients as the network (`make test-torch`)."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

import tikitaka as tt
from tikitaka.nn.state_dict import named_arrays

F32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
I64 = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

DIGITS = tt.data.load("digits").first(100)
LARGE = np.kron(DIGITS.test_x.reshape(-1, 8, 8), np.ones((2, 2))).astype(np.float32).reshape(-1, 256)
CODES = np.random.default_rng(1).integers(0, 11, (6, 9))
NEXT = np.random.default_rng(2).integers(0, 7, (6, 9))
ONE_HOT = np.eye(11, dtype=np.float32)[CODES]

CONVOLUTIONS = [
    tt.nn.Conv2d(2, 8, 4, filters=5, kernel=3, stride=2, padding=1, bias=False, scale=1.5),
    tt.nn.ReLU(),
    tt.nn.Conv2d(5, 4, 2, filters=4, kernel=2, padding=1, scale=0.5),
    tt.nn.ReLU(),
    tt.nn.MaxPool2d(4, 5, 3, kernel=3, stride=1),
    tt.nn.Flatten(4, 3, 1),
    tt.nn.Linear(12, 10, scale=3.0),
]
LSTM = [tt.nn.LSTM(11, 8, scale=2.0), tt.nn.LSTM(8, 6, bias=False, scale=1.5), tt.nn.Linear(6, 7)]
NETS: dict[str, tuple[list[tt.nn.Layer], F32]] = {
    "fcn": (tt.nn.fcn(64, 10), DIGITS.test_x),
    "scaled, relu, no bias": (
        [tt.nn.Linear(64, 20, bias=False, scale=3.0), tt.nn.ReLU(), tt.nn.Linear(20, 10, scale=0.5)],
        DIGITS.test_x,
    ),
    "tanh at the end": ([tt.nn.Linear(64, 10), tt.nn.Tanh()], DIGITS.test_x),
    "lenet": (tt.nn.lenet(256), LARGE),
    "stride, padding, many channels": (CONVOLUTIONS, DIGITS.test_x),
    "images at the end": ([tt.nn.Conv2d(4, 4, 4, filters=3, kernel=3, padding=2)], DIGITS.test_x),
    "images read as vectors": (
        [
            tt.nn.Conv2d(1, 8, 8, filters=2, kernel=3, stride=2),
            tt.nn.Linear(18, 24),
            tt.nn.Conv2d(2, 3, 4, filters=3, kernel=1),
            tt.nn.MaxPool2d(3, 3, 4, kernel=2),
        ],
        DIGITS.test_x,
    ),
    "two lstm": (LSTM, ONE_HOT),
    "images in every step": (
        [tt.nn.LSTM(11, 18), tt.nn.Conv2d(2, 3, 3, filters=3, kernel=2), tt.nn.Flatten(3, 2, 2), tt.nn.Sigmoid()],
        ONE_HOT,
    ),
}


def twin_of(model: tt.Model) -> torch.nn.Sequential:
    twin = tt.export.torch_module(model.layers)
    twin.load_state_dict(tt.export.torch_state_dict(model))  # strict: the same keys
    return twin


def outputs(twin: torch.nn.Module, x: F32) -> F32:
    with torch.no_grad():
        return twin(torch.tensor(x)).numpy()


@pytest.mark.parametrize("net", NETS)
def test_the_twin_agrees(net: str) -> None:
    layers, x = NETS[net]
    model = tt.Network(layers, tt.DigitalSgd(), seed=1).extract("read")
    np.testing.assert_allclose(outputs(twin_of(model), x), model.forward(x), rtol=1e-5, atol=1e-5)


def test_the_twin_of_what_was_trained_agrees() -> None:
    network = tt.Network(tt.nn.fcn(64, 10), tt.Ttv2(fast_lr=0.5, transfer_lr=3.0), seed=1)
    tt.fit(network, DIGITS, epochs=3, progress=False)
    model, x = network.extract(), DIGITS.test_x
    np.testing.assert_allclose(outputs(twin_of(model), x), model.forward(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("net", NETS)
def test_a_state_dict_of_pytorch_becomes_a_model(net: str) -> None:
    layers, x = NETS[net]
    twin = tt.export.torch_module(layers)
    model = tt.Model.from_weights(layers, {k: v.detach().numpy() for k, v in twin.state_dict().items()})
    np.testing.assert_allclose(model.forward(x), outputs(twin, x), rtol=1e-5, atol=1e-5)
    state, given = tt.export.torch_state_dict(model), twin.state_dict()
    assert state.keys() == given.keys()
    for name in [name for name in given if "bias_hh" in name]:  # only the sum of the two biases counts
        given[name.replace("hh", "ih")] += given[name]
        given[name] *= 0
    for name, tensor in given.items():
        torch.testing.assert_close(state[name], tensor)


def test_the_twin_takes_images_of_pytorch() -> None:
    twin = tt.export.torch_module(CONVOLUTIONS)
    vectors = torch.tensor(DIGITS.test_x)
    images = vectors.reshape(-1, 8, 4, 2).permute(0, 3, 1, 2)
    torch.testing.assert_close(twin(images.contiguous()), twin(vectors))
    torch.testing.assert_close(pickle.loads(pickle.dumps(twin))(images[:0]), twin(vectors[:0]))
    with pytest.raises(RuntimeError):
        twin(vectors[:, :32])


def test_a_layer_without_a_twin_is_refused() -> None:
    class Other(tt.nn.Layer):
        pass

    with pytest.raises(ValueError, match=r"export to PyTorch does not support .*Other"):
        tt.export.torch_module([Other()])


def test_text_that_goes_on_is_one_sequence_to_the_twin() -> None:
    model = tt.Network(tt.nn.char_lstm(11), tt.DigitalSgd(), seed=1).extract("read")
    given = outputs(twin_of(model), ONE_HOT.reshape(1, -1, 11)).reshape(*CODES.shape, 11)
    np.testing.assert_allclose(given, model.forward(CODES), rtol=1e-5, atol=1e-5)


GRADIENTS: dict[str, tuple[list[tt.nn.Layer], F32 | I64, I64]] = {
    "fcn": (tt.nn.fcn(64, 10), DIGITS.test_x, DIGITS.test_y),
    "lenet": (tt.nn.lenet(256), LARGE, DIGITS.test_y),
    "convolutions": (CONVOLUTIONS, DIGITS.test_x, DIGITS.test_y),
    "two lstm": (LSTM, ONE_HOT, NEXT),
    "codes": (LSTM, CODES, NEXT),
}


def loss_of(outputs: torch.Tensor, classes: I64) -> torch.Tensor:
    """Cross-entropy: for sequences the sum over the steps of the mean over the sequences."""
    losses = torch.nn.functional.cross_entropy(outputs.flatten(0, -2), torch.tensor(classes).flatten(), reduction="sum")
    return losses / len(classes)


def moves_along(network: tt.Network, lr: float, before: list[F32], twin: torch.nn.Module) -> None:
    """Every array of `network` has moved from `before` by −lr times the gradients of `twin`."""
    # Both biases of an LSTM have the gradient of the one here.
    gradients = {name: p.grad * float("bias_hh" not in name) for name, p in twin.named_parameters()}
    arrays = named_arrays(network.layers, gradients)
    scales = [layer.scale for layer in network.layers if layer.shape is not None]
    for scale, w, after, gradient in zip(scales, before, network.weights, arrays, strict=True):
        # dL/dW of y = s·W x is s times that by the weights of the twin; named_arrays has divided by s.
        step = -lr * scale**2 * gradient
        assert np.abs(step).max() > 0
        np.testing.assert_allclose(after - w, step, rtol=1e-4, atol=1e-6 * np.abs(step).max())


@pytest.mark.parametrize("net", GRADIENTS)
def test_a_step_of_the_float_rule_is_the_gradient(net: str) -> None:
    layers, x, classes = GRADIENTS[net]
    x, classes = x[:8], classes[:8]
    lr = 100.0  # a step so large that rounding of the final weights is negligible
    network = tt.Network(layers, tt.DigitalSgd(lr=lr), seed=2)
    before = network.weights
    twin = twin_of(network.extract("read")).double()
    network.train(x, classes, batch=len(x))
    given = torch.eye(11)[torch.tensor(x)] if x.dtype == np.int64 else torch.tensor(x)
    loss_of(twin(given.double()), classes).backward()
    moves_along(network, lr, before, twin)


def test_a_carried_state_goes_on_and_its_gradient_does_not() -> None:
    """Two mini-batches with carry: the second starts from h and c of the first, which PyTorch gets detached."""
    lr, layers = 100.0, [replace(LSTM[0], carry=True), replace(LSTM[1], carry=True), LSTM[2]]
    network = tt.Network(layers, tt.DigitalSgd(lr=lr), seed=3)
    network.train(CODES[:3], NEXT[:3], batch=3, lr_scale=0.0)  # without learning
    twin = twin_of(network.extract("read")).double()
    first, second, linear = twin
    below = above = None
    for part in (ONE_HOT[:3], ONE_HOT[3:]):
        h, below = torch.nn.LSTM.forward(first, torch.tensor(part).double(), below)
        h, above = torch.nn.LSTM.forward(second, h, above)
        given = linear(h)
        below, above = [tuple(state.detach() for state in pair) for pair in (below, above)]
    before = network.weights
    score = network.train(CODES[3:], NEXT[3:], batch=3)
    loss = loss_of(given, NEXT[3:])
    assert score.loss == pytest.approx(loss.item() / 9, rel=1e-5)  # a mean over the steps, too
    loss.backward()
    moves_along(network, lr, before, twin)
    carried = network.state()
    for k, (h, c) in enumerate((below, above)):
        np.testing.assert_allclose(carried[f"carried.{k}.h"], h.flatten().numpy(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(carried[f"carried.{k}.c"], c.flatten().numpy(), rtol=1e-4, atol=1e-6)
