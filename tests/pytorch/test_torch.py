"""The twin in PyTorch computes what the model computes (`make test-torch`)."""

import numpy as np
import pytest
import torch

import tikitaka as tt

DIGITS = tt.data.load("digits").first(100)
NETS = {
    "fcn": tt.models.fcn(64, 10),
    "scaled, relu, no bias": [
        tt.nn.Linear(64, 20, bias=False, scale=3.0),
        tt.nn.ReLU(),
        tt.nn.Linear(20, 10, scale=0.5),
    ],
    "tanh at the end": [tt.nn.Linear(64, 10), tt.nn.Tanh()],
}


@pytest.mark.parametrize("net", NETS)
def test_the_twin_agrees(net: str) -> None:
    network = tt.Network(NETS[net], tt.Ttv2(fast_lr=0.5, transfer_lr=3.0), seed=1)
    tt.fit(network, DIGITS, epochs=3, progress=False)
    model = network.extract()
    twin = tt.export.torch_module(model.layers)
    twin.load_state_dict(tt.export.torch_state_dict(model))  # strict: the same keys
    with torch.no_grad():
        outputs = twin(torch.tensor(DIGITS.test_x)).numpy()
    np.testing.assert_allclose(outputs, model.forward(DIGITS.test_x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("net", NETS)
def test_a_state_dict_of_pytorch_becomes_a_model(net: str) -> None:
    twin = tt.export.torch_module(NETS[net])
    model = tt.Model.from_weights(NETS[net], {k: v.detach().numpy() for k, v in twin.state_dict().items()})
    with torch.no_grad():
        outputs = twin(torch.tensor(DIGITS.test_x)).numpy()
    np.testing.assert_allclose(model.forward(DIGITS.test_x), outputs, rtol=1e-5, atol=1e-5)
    state = tt.export.torch_state_dict(model)
    assert state.keys() == twin.state_dict().keys()
    for name, tensor in twin.state_dict().items():
        torch.testing.assert_close(state[name], tensor)
