"""A whole sequence of an LSTM as one node of PyTorch's graph of gradients, and one call into the core each way.

With the products of all inputs at hand, each step needs one product of its crossbar and the gates:

    (i, f, g, o) = (σ, σ, tanh, σ)(inputs_t + W h_{t−1} + b);  c_t = f·c_{t−1} + i·g;  h_t = o·tanh c_t

Backward, δ_t is the gradient of what is in the bracket; it is also half of the pair (h_{t−1}, δ_t) of the update.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from tikitaka.torch.product import Call, floats, like, outer
from tikitaka.torch.vectors import VECTORS

__all__ = ["LstmSequence"]


class LstmSequence(torch.autograd.Function):
    """Outputs (steps, batch, hidden) and last cell state (batch, hidden) from inputs (steps, batch, 4 hidden).

    The inputs hold the bias, if it is digital. `source`, `call` and `learns` are those of a `Source`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor,
        source: Any,
        array: Any,
        call: Call | None,
        learns: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.array, ctx.source, ctx.call, ctx.learns = array, source, call, learns
        ctx.order, (outputs, last, ctx.kept) = array.lstm_forward(floats(inputs), floats(h), floats(c), learns)
        return like(outputs, inputs), like(last, inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: torch.Tensor, dc: torch.Tensor) -> tuple[Any, ...]:
        delta, dh, dc_first = ctx.array.lstm_backward(ctx.kept, floats(dy), floats(dc), ctx.learns)
        x, vectors = (values.reshape(-1, values.shape[-1]) for values in (ctx.kept[1], delta))
        source = None
        if ctx.call is not None:
            ctx.call.add([(ctx.order, VECTORS, x, vectors)])
            source = torch.zeros_like(ctx.source)
        elif ctx.learns:
            source = outer(vectors, x).to(ctx.source)
        elif ctx.needs_input_grad[3]:
            source = torch.zeros_like(ctx.source)
        return like(delta, dy), like(dh, dy), like(dc_first, dy), source, None, None, None
