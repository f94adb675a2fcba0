"""What every analog module shares: arrays, weights that mirror them, state, training and evaluation."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from tikitaka._internal.shown import shown
from tikitaka.config import RuleConfig
from tikitaka.rule import Rule
from tikitaka.torch.array import Array, scale_of
from tikitaka.torch.product import Source, floats
from tikitaka.torch.programmed import Programmed, ProgrammedArray

__all__ = ["Analog", "AnyRule", "Part", "analog_modules"]

F32 = NDArray[np.float32]
AnyRule = RuleConfig | Rule | Programmed

_DISTRIBUTED = torch.distributed.is_available()


@dataclasses.dataclass(frozen=True)
class Part:
    """The part of a module's parameters that one array holds: rows of a weight, and of a bias as its last column."""

    weight: str
    """the name of the weight"""
    lines: tuple[int, int | None] = (0, None)
    """the first of its rows and the one after the last; further dimensions are the columns of the array"""
    bias: str | None = None
    """the name of the bias, if the array holds it"""
    transposed: bool = False
    """whether the weight is (columns, rows)"""
    pixelwise: bool = False
    """whether the weight is (rows, channels, *kernel) and the columns of the array go pixel by pixel"""

    @property
    def rows(self) -> slice:
        """The rows of the weight."""
        return slice(*self.lines)

    def lines_of(self, weight: torch.Tensor) -> torch.Tensor:
        """The rows of a weight that the array holds, each with its values in the order of the columns: a view."""
        weight = weight.T if self.transposed else weight
        return (weight.movedim(1, -1) if self.pixelwise else weight)[self.rows]


class Analog(torch.nn.Module):
    """A module whose weights are on crossbars.

    Each weight is an ordinary parameter that mirrors what the network sees. It changes at the step of an attached
    optimiser, and through `load_state_dict`; any other change is an error at the next use. A module that does not learn
    (in `eval()`, under `no_grad`, or with weights that require no gradient) is only read: its products have the noise
    of evaluation, which starts again at every `eval()`, and its backward product is exact.
    """

    digital: ClassVar[type[torch.nn.Module]]
    """the module of PyTorch that it replaces"""

    arrays: list[Array]
    """the arrays, in the order of the parts"""

    parts: list[Part]
    """the parts of the parameters that are on arrays, one for each array"""

    clipped: float
    """the share of weights that its devices could not hold when it was made, by more than a tenth of the largest"""

    def __init__(
        self,
        *args: Any,
        rule: AnyRule,
        bias: bool | str | None = None,
        seed: int | None = None,
        number: int = 0,
        scale: float | str = 1.0,
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings, **({} if bias is None else {"bias": bool(bias)}))
        self.build(rule, seed=seed, number=number, scale=scale, bias=bias if isinstance(bias, str) else "digital")

    @property
    def replaced(self) -> type[torch.nn.Module]:
        """The class of the module before it was converted, or `digital`."""
        return vars(self).get("_digital") or type(self).digital

    def layout(self) -> list[Part]:
        """The parts of the parameters that go onto arrays, one for each."""
        raise NotImplementedError

    def build(
        self,
        rule: AnyRule,
        *,
        seed: int | None = None,
        number: int = 0,
        scale: float | str = 1.0,
        bias: str = "digital",
    ) -> None:
        """Put the weights onto new arrays with numbers from `number` on.

        Without a `seed` it is drawn from PyTorch's generator. Raises TypeError for anything that is not a rule,
        ValueError for another `bias` than "digital" and "analog".
        """
        if not isinstance(rule, RuleConfig | Rule | Programmed):
            raise TypeError(f"rule must be a rule of tikitaka or tikitaka.torch.Programmed, not {shown(rule)}")
        if bias not in ("digital", "analog"):
            raise ValueError(f"bias must be 'digital' or 'analog', not {shown(bias)}")
        if seed is None:
            seed = int(torch.randint(2**62, ()))
        self.analog_bias = bias == "analog"
        self.arrays, self.parts = [], self.layout()
        self._names = list(dict.fromkeys(name for part in self.parts for name in (part.weight, part.bias) if name))
        clipped: list[Any] = []
        make: Any = ProgrammedArray if isinstance(rule, Programmed) else Array
        for place, part in enumerate(self.parts):
            weights = self._weights(part)
            own = scale_of(scale, rule, weights)
            self.arrays.append(make(rule, weights, seed=seed, number=number + place, scale=own))
            clipped.append(np.abs(self.arrays[-1].weights - weights) > 0.1 * np.abs(weights).max(initial=0.0))
        self.clipped = float(np.mean(np.concatenate([each.ravel() for each in clipped])))
        self._mirror()
        for mirror in self.mirrors:
            mirror.grad = None
        self.register_forward_pre_hook(_unfused)

    def bias_name(self, name: str) -> str | None:
        """The name of a bias that is on an array; None if it is digital or there is none."""
        return name if self.analog_bias and getattr(self, name, None) is not None else None

    def digital_bias(self, name: str) -> torch.Tensor | None:
        """A bias to be added digitally; None if it is on an array or there is none."""
        return None if self.analog_bias else getattr(self, name, None)

    @property
    def mirrors(self) -> list[torch.nn.Parameter]:
        """The parameters that mirror arrays, each once."""
        found = [self._parameters.get(name) for name in self._names]
        if any(mirror is None for mirror in found):
            raise RuntimeError(
                f"a weight of {type(self).__name__} is no longer its parameter (pruned, parametrised, or removed): "
                "do that before converting"
            )
        return found

    def arrays_and_weights(self) -> Iterator[tuple[Array, torch.Tensor]]:
        """Each array with the parameter of its weight."""
        return ((array, getattr(self, part.weight)) for array, part in zip(self.arrays, self.parts, strict=True))

    def sources(self) -> list[Source]:
        """For each array what its products depend on.

        Raises RuntimeError if a mirror was changed from outside, or in a distributed training.
        """
        _refuse_distributed()
        self.check()
        sources = []
        enabled = torch.is_grad_enabled()
        for array, part in zip(self.arrays, self.parts, strict=True):
            weight = self._parameters[part.weight]
            if weight is None or not (enabled and weight.requires_grad):
                sources.append(Source())
            elif self.training:
                sources.append(array.source(weight, functools.partial(self._matrix, part)))
            else:
                sources.append(array.ignoring(weight))
        return sources

    def product(self, place: int, x: torch.Tensor, source: Source) -> torch.Tensor:
        """The product of an array with x (…, columns, without that of the bias); y is (…, rows)."""
        with_bias = self.parts[place].bias is not None
        if x.shape[-1] != (columns := self.arrays[place].shape[1] - with_bias):
            raise ValueError(f"x must have {columns} values in its last dimension, not shape {tuple(x.shape)}")
        if with_bias:
            x = torch.cat([x, x.new_ones(*x.shape[:-1], 1)], dim=-1)
        return self.arrays[place].product(x, source)

    def learn(self, rates: Mapping[int, float]) -> None:
        """Apply what waits to the arrays, and renew the mirrors.

        `rates` are factors of the rates of their rules by the `id` of their weights; arrays of others do not learn.
        Raises RuntimeError if a weight has got a gradient, which does not reach its crossbar.
        """
        learned = False
        try:
            for array, part in zip(self.arrays, self.parts, strict=True):
                weight: Any = self._parameters.get(part.weight)
                if id(weight) not in rates:
                    continue
                if weight.grad is not None and not isinstance(array, ProgrammedArray):
                    raise RuntimeError(
                        f"the weight of {type(self).__name__} has got a gradient outside its layer, which does not "
                        "reach its crossbar: no penalty or second use of it can be learned"
                    )
                learned |= array.learn(rates[id(weight)], functools.partial(self._weights, part))
        finally:  # where an array refuses, the mirror shows what those before it have learned
            if learned:
                self._mirror()

    def forget(self) -> None:
        """Drop the gradients that wait for the next step."""
        for array in self.arrays:
            array.forget()

    def program(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Write new weights, by parameter, onto new devices with the same seed."""
        with torch.no_grad():
            for name, value in weights.items():
                getattr(self, name).copy_(value)
        for array, part in zip(self.arrays, self.parts, strict=True):
            array.program(self._weights(part))
        self._mirror()

    def train(self, mode: bool = True) -> "Analog":
        """As `torch.nn.Module.train`; the noise of evaluation starts again."""
        super().train(mode)
        if not mode:
            for array in self.arrays:
                array.restart_draws()
        return self

    def _matrix(self, part: Part) -> torch.Tensor:
        """The weights (rows, columns) of a part."""
        matrix = part.lines_of(getattr(self, part.weight)).flatten(1)
        return torch.cat([matrix, getattr(self, part.bias)[part.rows, None]], dim=1) if part.bias else matrix

    def _weights(self, part: Part) -> F32:
        return floats(self._matrix(part)).copy()

    def _mirror(self) -> None:
        """Copy what the network sees into the parameters."""
        for array, part in zip(self.arrays, self.parts, strict=True):
            whole = getattr(self, part.weight).detach()
            if part.bias or not array.copy_into(part.lines_of(whole)):
                self._write(part, array.weights)
            if isinstance(array, ProgrammedArray):
                array.shown = None if whole.dtype is torch.float32 else self._weights(part)
        self._seen()

    def _write(self, part: Part, weights: F32) -> None:
        """Write weights (rows, columns) into the parameters of a part."""
        rows = part.lines_of(getattr(self, part.weight).detach())
        own = weights[:, : rows[0].numel()].reshape(rows.shape)
        if rows.dtype is torch.float32 and rows.device.type == "cpu":
            np.copyto(rows.numpy(), own)
        else:
            rows.copy_(torch.from_numpy(own.copy()))
        if part.bias:
            getattr(self, part.bias).detach()[part.rows] = torch.from_numpy(weights[:, -1].copy()).to(rows)

    def _seen(self) -> None:
        self._versions = [mirror._version for mirror in self.mirrors]

    def _changed(self) -> bool:
        """Whether a mirror was changed from outside."""
        return self._versions != [mirror._version for mirror in self.mirrors]

    def check(self) -> None:
        """RuntimeError if a mirror was changed from outside."""
        if self._changed():
            raise RuntimeError(
                f"a weight of {type(self).__name__} was changed from outside, which does not reach its crossbar: "
                "use load_state_dict or program. Call tikitaka.torch.attach(optimizer, model) before training; "
                "for averages of iterates there is tikitaka.torch.extract"
            )

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        changed = self._changed()
        result = super()._apply(*args, **kwargs)
        if not changed:
            self._mirror()  # in the new type
        return result

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        same = all(
            np.allclose(self._weights(part), array.weights, rtol=1e-2)
            for array, part in zip(self.arrays, self.parts, strict=True)
        )
        self._versions = [mirror._version if same else -1 for mirror in self.mirrors]

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        self.check()
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for place, array in enumerate(self.arrays):
            for name, value in array.state().items():
                destination[f"{prefix}tikitaka.{place}.{name}"] = value

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, metadata: Any, strict: bool, missing: Any, unexpected: Any, errors: Any
    ) -> None:
        own = f"{prefix}tikitaka."
        states: list[dict[str, Any]] = [{} for _ in self.arrays]
        for key in filter(functools.partial(_among, own=own, states=states), state_dict):
            place, _, name = key.removeprefix(own).partition(".")
            states[int(place)][name] = state_dict[key]
        before = len(errors)
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, unexpected, errors)
        unexpected[:] = [key for key in unexpected if not _among(key, own, states)]
        given = any(states) or any(prefix + name in state_dict for name in self._names)
        if len(errors) > before or not given:
            return
        for place, (array, part, state) in enumerate(zip(self.arrays, self.parts, states, strict=True)):
            try:
                if state:
                    array.restore(state)
                    shown = prefix + part.weight in state_dict
                    if shown and not np.allclose(self._weights(part), array.weights, rtol=1e-2, atol=1e-6):
                        shows = f"{own}{place} is not what {prefix}{part.weight} shows"
                        errors.append(f"{shows}: another version of tikitaka may have saved it")
                else:
                    missing.append(f"{own}{place}")
                    array.program(self._weights(part))
            except (ValueError, TypeError) as error:
                errors.append(f"{own}{place}: {error}")
        self._mirror()

    def extra_repr(self) -> str:
        """The settings of the module, its rule and the shapes of its arrays."""
        base = str(super().extra_repr())
        if not vars(self).get("arrays"):
            return base
        rule = self.arrays[0].rule
        shapes = ", ".join(f"{rows} × {cols}" for rows, cols in dict.fromkeys(array.shape for array in self.arrays))
        return f"{base}, rule={getattr(rule, 'kind', type(rule).__name__)}, arrays={len(self.arrays)} of {shapes}"

    @classmethod
    def convert(cls, module: torch.nn.Module, rule: AnyRule, **settings: Any) -> None:
        """Turn a module of PyTorch into this one, in place; `settings` are those of `build`."""
        digital, module.__class__ = type(module), cls
        try:
            module.build(rule, **settings)
        except BaseException:
            module.__class__ = digital
            raise
        module._digital = digital

    def to_digital(self, weights: list[F32]) -> None:
        """Turn the module into the one of PyTorch, in place, with `weights` (rows, columns), one for each array."""
        for part, values in zip(self.parts, weights, strict=True):
            self._write(part, values)
        digital = self.replaced
        self.__dict__.pop("_digital", None)
        for name in ("arrays", "parts", "analog_bias", "clipped", "_names", "_versions"):
            delattr(self, name)
        for key in [key for key, hook in self._forward_pre_hooks.items() if hook is _unfused]:
            del self._forward_pre_hooks[key]
        self.__class__ = digital


def _unfused(_module: torch.nn.Module, _args: Any) -> None:
    """A hook that does nothing, but keeps encoders of PyTorch from computing with the mirror in a fused kernel."""


def analog_modules(model: torch.nn.Module) -> Iterator[tuple[str, Analog]]:
    """The analog modules of `model` by name."""
    return ((name, module) for name, module in model.named_modules() if isinstance(module, Analog))


def _among(key: str, own: str, states: list[dict[str, Any]]) -> bool:
    """Whether a key is of the state of an array."""
    place = key.removeprefix(own).partition(".")[0]
    return key.startswith(own) and place.isdecimal() and int(place) < len(states)


def _refuse_distributed() -> None:
    if not _DISTRIBUTED or not torch.distributed.is_initialized():
        return
    inside = getattr(torch.nn.parallel.DistributedDataParallel, "_active_ddp_module", None) is not None
    if inside or torch.distributed.get_world_size() > 1:
        raise RuntimeError(
            "crossbars train in one process: DistributedDataParallel would need one chip for all of them"
        )
