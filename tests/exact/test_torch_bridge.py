"""A short core of the tests of `tikitaka.torch`, where PyTorch is installed; `make test-torch` runs all of them."""

import pytest

pytest.importorskip("torch")

from test_bridge_state import test_deepcopy_and_pickle, test_state_dict_has_tensors_alone
from test_bridge_training import test_fcn_ends_at_the_bits_of_network, test_zero_grad_drops_what_waits

__all__ = [
    "test_deepcopy_and_pickle",
    "test_fcn_ends_at_the_bits_of_network",
    "test_state_dict_has_tensors_alone",
    "test_zero_grad_drops_what_waits",
]
