"""A whole sequence of an LSTM as one node of PyTorch's graph of gradients.

With the products of all inputs at hand, each step needs one product of its crossbar and the gates:

    (i, f, g, o) = (σ, σ, tanh, σ)(inputs_t + W h_{t−1} + b);  c_t = f·c_{t−1} + i·g;  h_t = o·tanh c_t

Backward, δ_t is the gradient of what is in the bracket; it is also half of the pair (h_{t−1}, δ_t) of the update.
"""

from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from tikitaka.torch.product import Call, floats, outer

__all__ = ["LstmSequence"]


class LstmSequence(torch.autograd.Function):
    """Outputs (steps, batch, hidden) and last cell state (batch, hidden) from inputs (steps, batch, 4 hidden).

    `source`, `call` and `learns` are those of a `Source`. `ones` tells whether the array has a column for its bias.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor,
        bias: torch.Tensor | None,
        source: Any,
        array: Any,
        call: Call | None,
        learns: bool,
        ones: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        steps, batch, width = inputs.shape
        hidden = width // 4
        gates = torch.from_numpy(floats(inputs).copy())
        if bias is not None:
            gates += torch.from_numpy(floats(bias))
        before = np.ones((steps, batch, hidden + ones), np.float32)  # h_{t−1}, and 1 for the bias
        cells = torch.empty(steps + 1, batch, hidden)
        outputs, squashed = torch.empty(steps, batch, hidden), torch.empty(steps, batch, hidden)
        orders, last = [], torch.from_numpy(floats(h))
        cells[0] = torch.from_numpy(floats(c))
        for t in range(steps):
            before[t, :, :hidden] = last.numpy()
            order, y = array.forward(before[t]) if learns else (0, array.evaluate(before[t]))
            orders.append(order)
            gate = gates[t]
            gate += torch.from_numpy(y)
            gate[:, : 2 * hidden].sigmoid_()
            gate[:, 2 * hidden : 3 * hidden].tanh_()
            gate[:, 3 * hidden :].sigmoid_()
            i, f, g, o = gate.chunk(4, dim=1)
            torch.mul(f, cells[t], out=cells[t + 1])
            cells[t + 1].addcmul_(i, g)
            torch.tanh(cells[t + 1], out=squashed[t])
            last = torch.mul(o, squashed[t], out=outputs[t])
        ctx.array, ctx.source, ctx.call, ctx.learns = array, source, call, learns
        ctx.kept = gates, cells, squashed, before, orders
        return outputs.to(inputs), cells[-1].clone().to(inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, douts: torch.Tensor, dlast: torch.Tensor) -> tuple[Any, ...]:
        gates, cells, squashed, before, orders = ctx.kept
        steps, batch, width = gates.shape
        hidden = width // 4
        dh_all, dc = torch.from_numpy(floats(douts)), torch.from_numpy(floats(dlast).copy())
        i, f, g, o = gates.chunk(4, dim=2)
        # δ of (i, f, g) is dL/dc times these, δ of o is dL/dh times that, and dL/dc grows by dL/dh times the last.
        by_c = torch.stack([g * i * (1 - i), cells[:-1] * f * (1 - f), i * (1 - g * g)], dim=2)
        by_h, into_c = squashed * o * (1 - o), o * (1 - squashed * squashed)
        delta, dh = torch.empty(steps, batch, 4, hidden), torch.zeros(batch, hidden)
        vectors = delta.flatten(2).numpy()
        product = ctx.array.backward if ctx.learns else ctx.array.exact_backward
        for t in reversed(range(steps)):
            dh = dh + dh_all[t]
            dc.addcmul_(dh, into_c[t])
            torch.mul(dc[:, None], by_c[t], out=delta[t, :, :3])
            torch.mul(dh, by_h[t], out=delta[t, :, 3])
            dc *= f[t]
            dh = torch.from_numpy(product(vectors[t]))[:, :hidden]
        delta = delta.flatten(2)
        source = None
        if ctx.call is not None:
            ctx.call.add(zip(orders, before, vectors, strict=True))
            source = torch.zeros_like(ctx.source)
        elif ctx.learns:
            source = outer(vectors.reshape(-1, width), before.reshape(-1, before.shape[-1])).to(ctx.source)
        elif ctx.needs_input_grad[4]:
            source = torch.zeros_like(ctx.source)
        bias = delta.sum((0, 1)).to(douts) if ctx.needs_input_grad[3] else None
        return delta.to(douts), dh.to(douts), dc.to(douts), bias, source, None, None, None, None
