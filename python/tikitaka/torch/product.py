"""Products of a crossbar in PyTorch's graph of gradients.

The forward product is W x, the backward product Wᵀ δ. The pair (x, δ) of a sample is kept for the update only if the
gradient of the weight is asked for: `Anchor` is the node that is asked. `torch.autograd.grad(loss, inputs)` never
reaches it, so it teaches nothing.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd.function import once_differentiable

from tikitaka.torch.vectors import Operation

__all__ = ["Anchor", "Call", "Ignored", "Pair", "Product", "Source", "eager", "floats", "like", "outer"]

F32 = NDArray[np.float32]
Pair = tuple[int, Operation, F32, F32]
"""The place of a product in the order of all, what the array makes of its inputs, the inputs, and δ of the outputs."""


def eager(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A `forward` that `torch.compile` leaves as it is, between the parts that it compiles."""
    disabled = torch.compiler.disable(forward)

    @functools.wraps(forward)
    def run(*args: Any, **kwargs: Any) -> Any:
        return (disabled if torch.compiler.is_compiling() else forward)(*args, **kwargs)

    return run


def floats(values: torch.Tensor) -> F32:
    """The values as a float32 array of NumPy; a view of contiguous float32 on the CPU."""
    values = values.detach()
    if values.dtype is not torch.float32 or values.device.type != "cpu":
        values = values.to(device="cpu", dtype=torch.float32)
    array: F32 = values.contiguous().numpy()
    return array


def _own(values: torch.Tensor, array: F32) -> F32:
    """The `floats` of values, in memory that nobody else writes to."""
    shared = values.device.type == "cpu" and values.data_ptr() == array.ctypes.data
    return array.copy() if shared else array


def like(values: F32, other: torch.Tensor) -> torch.Tensor:
    """An array of NumPy as a tensor of the type and on the device of another."""
    tensor = torch.from_numpy(values)
    return tensor if other.dtype is torch.float32 and other.device.type == "cpu" else tensor.to(other)


def outer(delta: F32, x: F32) -> torch.Tensor:
    """δᵀx (rows, columns), the gradient of the weights; by PyTorch, whose threads are the user's choice."""
    return torch.from_numpy(delta).T @ torch.from_numpy(x)


class Call:
    """The pairs of a backward pass through an array, until its weight is asked for."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self._pass, self._pairs = -1, list[Pair]()

    def add(self, pairs: Iterable[Pair]) -> None:
        """Gather the pairs of this backward pass; those of one that did not ask for the weight are lost."""
        if (now := torch._C._current_graph_task_id()) != self._pass:
            self._pass, self._pairs = now, []
        self._pairs += pairs

    def commit(self) -> None:
        """Hand the pairs of this backward pass to the array, which learns from them at the next step."""
        pairs, self._pairs = self._pairs, []
        self.array.keep(pairs)


class Ignored:
    """One use of an array that does not learn."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def commit(self) -> None:
        """Note that a gradient was asked for."""
        self.array.ignored = True


@dataclass(frozen=True)
class Source:
    """What the products of an array depend on, besides their inputs."""

    tensor: torch.Tensor | None = None
    """an anchor, or the weights (rows, columns) if their gradient δᵀx is wanted"""
    call: Call | None = None
    """what gathers the pairs"""
    learns: bool = False
    """whether products count as training: they draw its noise, forward and backward"""


class Anchor(torch.autograd.Function):
    """A scalar that depends on the weight: its gradient is asked for if and only if that of the weight is.

    The weight itself gets no gradient, so every optimiser of PyTorch leaves it alone.
    """

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, call: Call) -> torch.Tensor:
        ctx.call = call
        return weight.new_zeros(())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _grad: torch.Tensor) -> tuple[None, None]:
        if _accumulates(ctx.next_functions[0][0]):
            ctx.call.commit()
        return None, None


def _accumulates(node: Any) -> bool:
    """Whether this pass adds to `.grad`, as `backward` does; `torch.autograd.grad` returns gradients instead."""
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:  # so it answers for a leaf under torch.autograd.grad
        return False


class Product(torch.autograd.Function):
    """y = W x for the inputs x of an `operation`: vectors (vectors, columns) to (vectors, rows), or images.

    y is of the type and on the device of x. `source`, `call` and `learns` are those of a `Source`. A product that does
    not learn only reads the array: it has the noise of evaluation, and its backward product is exact.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, source: Any, array: Any, operation: Operation, call: Call | None, learns: bool
    ) -> torch.Tensor:
        if not x.is_floating_point():
            raise TypeError(f"x must be a tensor of floats, not {x.dtype}")
        ctx.array, ctx.operation, ctx.source, ctx.call, ctx.learns = array, operation, source, call, learns
        values = floats(x)
        if not learns:
            return like(array.evaluate(values, operation), x)
        ctx.save_for_backward(x)
        ctx.order, y = array.forward(values, operation)
        return like(y, x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None, None, None]:
        delta, z, gradient = floats(dy), None, None
        if ctx.needs_input_grad[0]:
            z = like(ctx.array.backward(delta, ctx.operation, exact=not ctx.learns), dy)
        if ctx.call is not None:
            (x,) = ctx.saved_tensors
            ctx.call.add([(ctx.order, ctx.operation, _own(x, floats(x)), _own(dy, delta))])
        elif ctx.learns and ctx.needs_input_grad[1]:
            (x,) = ctx.saved_tensors
            vectors = delta.reshape(-1, delta.shape[-1])
            gradient = outer(vectors, ctx.operation.gather(floats(x))).to(ctx.source)
        if gradient is None and ctx.needs_input_grad[1]:
            gradient = ctx.source.detach() if ctx.source.dim() == 0 else torch.zeros_like(ctx.source)  # an anchor is 0
        return z, gradient, None, None, None, None
