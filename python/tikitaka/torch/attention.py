"""Multi-head attention on crossbars: arrays for the queries, keys, values and outputs; products of activations and the
softmax are digital."""

from typing import Any

import torch
from torch.nn import functional

from tikitaka.torch.linear import Linear
from tikitaka.torch.module import Analog, AnyRule, Part
from tikitaka.torch.product import eager

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Analog, torch.nn.MultiheadAttention):
    """`torch.nn.MultiheadAttention` on four arrays; its parameters, arguments and outputs are those of PyTorch.

    The biases are always digital. The output array is the `Linear` under `out_proj`.
    """

    digital = torch.nn.MultiheadAttention

    in_proj_weight: torch.nn.Parameter | None
    embed_dim: int
    num_heads: int
    head_dim: int
    dropout: float
    batch_first: bool
    add_zero_attn: bool

    def layout(self) -> list[Part]:
        """The projections of queries, keys and values."""
        if self.in_proj_weight is None:
            return [Part(f"{name}_proj_weight") for name in "qkv"]
        rows = [(k * self.embed_dim, (k + 1) * self.embed_dim) for k in range(3)]
        return [Part("in_proj_weight", each) for each in rows]

    def build(self, rule: AnyRule, *, number: int = 0, bias: str = "digital", **settings: Any) -> None:
        """As that of any module, and the same for the output array, which has the next number."""
        super().build(rule, number=number, bias=bias, **settings)
        settings["seed"], following = self.arrays[0].seed, number + len(self.arrays)
        Linear.convert(self.out_proj, rule, number=following, **settings)

    @eager
    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        key_padding_mask: torch.Tensor | None = None,
        need_weights: bool = True,
        attn_mask: torch.Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As in PyTorch: the attended values, and the weights of the attention if they are needed."""
        if query.dim() == 2:
            padding = None if key_padding_mask is None else key_padding_mask[None]
            dim = 0 if self.batch_first else 1
            y, weights = self.forward(
                *(each.unsqueeze(dim) for each in (query, key, value)),
                padding, need_weights, attn_mask, average_attn_weights, is_causal,
            )  # fmt: skip
            return y.squeeze(dim), None if weights is None else weights.squeeze(0)
        if not self.batch_first:
            query, key, value = (each.transpose(0, 1) for each in (query, key, value))
        q, k, v = self._projected(query, key, value)
        if self.bias_k is not None and self.bias_v is not None:
            k, v = (
                torch.cat([each, bias.expand(len(each), 1, -1)], 1)
                for each, bias in ((k, self.bias_k), (v, self.bias_v))
            )
        if self.add_zero_attn:
            k, v = (torch.cat([each, each.new_zeros(len(each), 1, each.shape[-1])], 1) for each in (k, v))
        mask = self._mask(q, k, key_padding_mask, attn_mask, is_causal)
        q, k, v = (each.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for each in (q, k, v))
        dropout, weights = self.dropout if self.training else 0.0, None
        if need_weights:
            scores = q @ k.transpose(-1, -2) / self.head_dim**0.5
            weights = torch.softmax(scores if mask is None else scores + mask, dim=-1)
            weights = functional.dropout(weights, dropout)
            y = weights @ v
            weights = weights.mean(1) if average_attn_weights else weights
        else:
            y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
        y = self.out_proj(y.transpose(1, 2).flatten(2))
        return y if self.batch_first else y.transpose(0, 1), weights

    def _projected(self, *inputs: torch.Tensor) -> Any:
        """Queries, keys and values (batch, places, embed_dim)."""
        projected = [
            self.product(place, x, source) for place, (x, source) in enumerate(zip(inputs, self.sources(), strict=True))
        ]
        if self.in_proj_bias is None:
            return projected
        return [y + bias.to(y) for y, bias in zip(projected, self.in_proj_bias.chunk(3), strict=True)]

    def _mask(
        self, q: torch.Tensor, k: torch.Tensor, padding: Any, attn_mask: Any, is_causal: bool
    ) -> torch.Tensor | None:
        """What is added to the scores (batch, heads, queries, keys): −∞ where a mask is True."""
        batch, queries, keys = len(q), q.shape[1], k.shape[1]
        if is_causal and attn_mask is None:
            raise ValueError("attn_mask must be given where is_causal is True, as in PyTorch")
        mask = None
        if attn_mask is not None:
            mask = _additive(attn_mask, q)
            mask = mask.unflatten(0, (batch, self.num_heads)) if mask.dim() == 3 else mask[None, None]
        if padding is not None:
            own = _additive(padding, q)[:, None, None]
            own = functional.pad(own, (0, keys - own.shape[-1]))
            mask = own if mask is None else functional.pad(mask, (0, keys - mask.shape[-1])) + own
        elif mask is not None:
            mask = functional.pad(mask, (0, keys - mask.shape[-1]))
        return None if mask is None else mask.expand(batch, self.num_heads, queries, keys)


def _additive(mask: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if mask.dtype != torch.bool:
        return mask.to(like)
    return torch.zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill_(mask.to(like.device), -torch.inf)
