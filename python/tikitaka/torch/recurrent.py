"""LSTM, GRU and plain recurrent layers on crossbars, over whole sequences.

Each layer and direction has an array for the inputs of a step, whose product is one call for all steps, and one for the
outputs of the step before. Gates are digital.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from tikitaka.torch.module import Analog, Part
from tikitaka.torch.product import eager
from tikitaka.torch.sequence import LstmSequence

__all__ = ["GRU", "LSTM", "RNN"]

State = tuple[torch.Tensor, ...]


class _Recurrent(Analog):
    """What the kinds of recurrent layers share; `x` is what `torch.nn.LSTM` accepts: batched or not, packed or not."""

    input_size: int
    hidden_size: int
    num_layers: int
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int
    bias: bool
    mode: str

    def _endings(self) -> Iterator[str]:
        """The ending of the parameters of each layer and direction, in order."""
        for layer in range(self.num_layers):
            yield f"l{layer}"
            if self.bidirectional:
                yield f"l{layer}_reverse"

    def layout(self) -> list[Part]:
        """For each layer and direction the arrays of inputs, of outputs before, and of a projection."""
        parts = []
        for name in self._endings():
            parts += [Part(f"weight_{of}_{name}", bias=self.bias_name(f"bias_{of}_{name}")) for of in ("ih", "hh")]
            if self.proj_size:
                parts.append(Part(f"weight_hr_{name}"))
        return parts

    def _cell(self, inputs: torch.Tensor, before: torch.Tensor, state: State) -> State:
        """The state after a step, its output first, from the products with the input and the output before."""
        raise NotImplementedError

    def _states(self, given: Any, batch: int, x: torch.Tensor) -> list[State]:
        """For each layer and direction the state before the first step, its output first: `given`, or 0."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size, self.hidden_size][: 2 if self.mode == "LSTM" else 1]
        if given is None:
            given = tuple(x.new_zeros(count, batch, size) for size in sizes)
        given = tuple(given) if isinstance(given, tuple | list) else (given,)
        for state, size in zip(given, sizes, strict=True):
            if state.shape != (count, batch, size):
                raise ValueError(f"hx must have shape {(count, batch, size)}, not {tuple(state.shape)}")
        return list(zip(*(state.unbind(0) for state in given), strict=True))

    @eager
    def forward(self, x: Any, hx: Any = None) -> Any:
        """As in PyTorch: the outputs of all steps, and the last state of each layer and direction."""
        if isinstance(x, PackedSequence):
            states = self._states(_permuted(hx, x.sorted_indices), int(x.batch_sizes[0]), x.data)
            data, last = self._layers(x.data, x.batch_sizes.tolist(), states)
            packed = PackedSequence(data, x.batch_sizes, x.sorted_indices, x.unsorted_indices)
            return packed, _permuted(last, x.unsorted_indices)
        if x.dim() not in (2, 3) or x.shape[-1] != self.input_size:
            raise ValueError(f"x must be (steps, batch, {self.input_size}) or (steps, {self.input_size}), "
                             f"with batch_first (batch, steps, {self.input_size}), not {tuple(x.shape)}")  # fmt: skip
        if x.dim() == 2:
            batched = None if hx is None else _each(hx, lambda state: state[:, None])
            y, last = _Recurrent.forward(self, x[None] if self.batch_first else x[:, None], batched)
            return y[0] if self.batch_first else y[:, 0], _each(last, lambda state: state[:, 0])
        steps = x.transpose(0, 1) if self.batch_first else x
        count, batch = steps.shape[:2]
        data, last = self._layers(steps.flatten(0, 1), [batch] * count, self._states(hx, batch, x))
        y = data.unflatten(0, (count, batch))
        return y.transpose(0, 1) if self.batch_first else y, last

    def _layers(self, data: torch.Tensor, sizes: list[int], states: list[State]) -> tuple[torch.Tensor, Any]:
        """All layers over packed data (all steps, features), `sizes` sequences at each step."""
        sources, names = self.sources(), list(self._endings())
        arrays = len(self.arrays) // len(names)
        last: list[State] = []
        directions = 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                which = layer * directions + direction
                places = range(which * arrays, (which + 1) * arrays)
                y, state = self._sequence(data, sizes, states[which], names[which], places, sources, direction == 1)
                outputs.append(y)
                last.append(state)
            data = torch.cat(outputs, dim=-1) if directions > 1 else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                data = functional.dropout(data, self.dropout, self.training)
        stacked = tuple(torch.stack(each) for each in zip(*last, strict=True))
        return data, stacked if self.mode == "LSTM" else stacked[0]

    def _sequence(
        self, data: torch.Tensor, sizes: list[int], first: State, name: str, places: range, sources: Any, reverse: bool
    ) -> tuple[torch.Tensor, State]:
        """One layer in one direction: outputs as packed data, and the last state of every sequence."""
        inputs = _plus(self.product(places[0], data, sources[places[0]]), self._bias(f"bias_ih_{name}"))
        if self.mode == "LSTM" and not self.proj_size and sizes and sizes[0] == sizes[-1]:
            return self._lstm(inputs.unflatten(0, (len(sizes), sizes[0])), first, name, places[1], sources, reverse)
        steps = list(inputs.split(sizes))
        outputs: list[Any] = [None] * len(steps)
        ended: list[State] = []
        order = range(len(steps) - 1, -1, -1) if reverse else range(len(steps))
        state = tuple(part[: sizes[order[0]]] for part in first) if steps else first
        for t in order:
            count, now = sizes[t], len(state[0])
            if count < now:  # forward: sequences that have ended keep their state
                ended.append(tuple(part[count:] for part in state))
                state = tuple(part[:count] for part in state)
            elif count > now:  # backward: sequences that begin here
                state = tuple(torch.cat([part, new[now:count]]) for part, new in zip(state, first, strict=True))
            before = _plus(self.product(places[1], state[0], sources[places[1]]), self._bias(f"bias_hh_{name}"))
            state = self._cell(steps[t], before, state)
            if self.proj_size:
                state = (self.product(places[2], state[0], sources[places[2]]), *state[1:])
            outputs[t] = state[0]
        parts = zip(state, *reversed(ended), strict=True)
        return (torch.cat(outputs) if outputs else data.new_zeros(0, self.hidden_size)), tuple(map(torch.cat, parts))

    def _lstm(
        self, inputs: torch.Tensor, first: State, name: str, place: int, sources: Any, reverse: bool
    ) -> tuple[torch.Tensor, State]:
        """The same for an LSTM over sequences of one length, in one node."""
        source, steps = sources[place], _plus(inputs, self._bias(f"bias_hh_{name}"))
        steps = steps.flip(0) if reverse else steps
        outputs, c = LstmSequence.apply(steps, *first, source.tensor, self.arrays[place], source.call, source.learns)
        y = outputs.flip(0) if reverse else outputs
        return y.flatten(0, 1), (outputs[-1], c)

    def _bias(self, name: str) -> torch.Tensor | None:
        return self.digital_bias(name) if self.bias else None


class LSTM(_Recurrent, torch.nn.LSTM):
    """`torch.nn.LSTM` on crossbars: arrays (4 hidden, inputs) and (4 hidden, hidden) for each layer and direction."""

    digital = torch.nn.LSTM

    def _cell(self, inputs: torch.Tensor, before: torch.Tensor, state: State) -> State:
        i, f, g, o = (inputs + before).chunk(4, dim=-1)
        c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class GRU(_Recurrent, torch.nn.GRU):
    """`torch.nn.GRU` on crossbars: arrays (3 hidden, inputs) and (3 hidden, hidden) for each layer and direction."""

    digital = torch.nn.GRU

    def _cell(self, inputs: torch.Tensor, before: torch.Tensor, state: State) -> State:
        (r, z, n), (hr, hz, hn) = inputs.chunk(3, dim=-1), before.chunk(3, dim=-1)
        z = torch.sigmoid(z + hz)
        n = torch.tanh(n + torch.sigmoid(r + hr) * hn)
        return ((1 - z) * n + z * state[0],)


class RNN(_Recurrent, torch.nn.RNN):
    """`torch.nn.RNN` on crossbars: arrays of (hidden, inputs) and (hidden, hidden) for each layer and direction."""

    digital = torch.nn.RNN

    def _cell(self, inputs: torch.Tensor, before: torch.Tensor, state: State) -> State:
        return (torch.tanh(inputs + before) if self.mode == "RNN_TANH" else torch.relu(inputs + before),)


def _plus(y: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return y if bias is None else y + bias.to(y)


def _each(state: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    return tuple(map(change, state)) if isinstance(state, tuple) else change(state)


def _permuted(state: Any, order: torch.Tensor | None) -> Any:
    return state if state is None or order is None else _each(state, lambda each: each.index_select(1, order))
