"""An optimiser of PyTorch that also lets crossbars learn."""

import functools
import inspect
import warnings
from typing import Any

import torch

from tikitaka._internal.shown import shown
from tikitaka.torch.array import Array
from tikitaka.torch.module import Analog, analog_modules
from tikitaka.torch.programmed import ProgrammedArray

__all__ = ["attach"]

_GROUP = "tikitaka"
"""The key that marks groups of weights with a rule."""
_WARNED = "tikitaka_warned"
_LEAST = 0.2
"""Least factor that a scheduler is likely to mean."""


def attach(optimizer: torch.optim.Optimizer, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Let the crossbars of `model` learn at every step of `optimizer`, after its own step; returns the same optimiser.

    These are the crossbars whose weights the optimiser was given. Weights with a training rule move into groups of
    their own at the end, of which `lr` is a factor of the rates of their rules: 1 at first, or 0 if it was 0.
    Schedulers made afterwards vary it as any other. Momentum and weight decay of the optimiser do not reach these
    arrays; those in programmed mode stay in their groups. `zero_grad` of the optimiser and of `model` also drop
    gradients that wait for a step. A copy of the optimiser has to be attached again.

    Raises ValueError for a model without crossbars, an optimiser without their weights, one that is attached to
    `model` already or has a scheduler, LBFGS, and `maximize`. Warns of settings that were chosen and do not reach
    crossbars, and of arrays that are copies of each other.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"optimizer must be an optimiser of PyTorch, not {shown(optimizer)}")
    modules = [module for _, module in analog_modules(model)]
    if not modules:
        raise ValueError("model must have analog modules: call tikitaka.torch.convert first")
    mirrors = {id(mirror) for module in modules for mirror in module.mirrors}
    ruled = {id(m) for module in modules if not isinstance(module.arrays[0], ProgrammedArray) for m in module.mirrors}
    _check(optimizer, mirrors)
    _warn(optimizer, modules, ruled)
    _regroup(optimizer, ruled)
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    arrays = [array for module in modules for array, weight in module.arrays_and_weights() if id(weight) in held]
    for array in arrays:
        array.attached = True
    # An optimiser that says so gets the scale of a GradScaler, which the hook before the step refuses.
    optimizer._step_supports_amp_scaling = True
    optimizer.register_step_pre_hook(_before)
    optimizer.register_step_post_hook(functools.partial(_after, modules, arrays))
    zero_grad = optimizer.zero_grad

    @functools.wraps(zero_grad)
    def forgetting(*args: Any, **kwargs: Any) -> None:
        zero_grad(*args, **kwargs)
        for array in arrays:
            array.forget()

    optimizer.zero_grad = forgetting
    model.zero_grad = functools.partial(_zero_grad, model)
    return optimizer


def _zero_grad(model: torch.nn.Module, set_to_none: bool = True) -> None:
    """As `torch.nn.Module.zero_grad`; what waits for a step is dropped, too."""
    type(model).zero_grad(model, set_to_none)
    for _, module in analog_modules(model):
        module.forget()


def _check(optimizer: Any, mirrors: set[int]) -> None:
    """Refuse optimisers that cannot be attached."""
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError("optimizer must take one step per gradient; LBFGS evaluates several")
    if not hasattr(optimizer, "_optimizer_step_pre_hooks"):
        raise ValueError(f"optimizer must be attached before it is wrapped in {type(optimizer).__name__}")
    groups = [group for group in optimizer.param_groups if mirrors & set(map(id, group["params"]))]
    if not groups:
        raise ValueError("optimizer must have the weights of crossbars of the model among its parameters")
    if any("initial_lr" in group for group in optimizer.param_groups):
        raise ValueError("optimizer must be attached before its scheduler is made")
    if any(_GROUP in group for group in groups):
        raise ValueError("optimizer must not be attached to the same model twice")
    if any(group.get("maximize") for group in groups):
        raise ValueError("optimizer must minimise, as crossbars descend: maximize is True")


def _regroup(optimizer: Any, ruled: set[int]) -> None:
    """Move the weights with a rule into groups of their own."""
    kept, own = [], []
    for group in optimizer.param_groups:
        moved = [id(parameter) in ruled for parameter in group["params"]]
        for analog in (False, True):
            if analog not in moved:
                continue
            lists = [name for name in ("params", "param_names") if name in group]
            part = group | {
                name: [each for each, moves in zip(group[name], moved, strict=True) if moves is analog]
                for name in lists
            }
            if analog:
                rate = float(torch.as_tensor(group["lr"]).item() != 0)
                own.append(part | {"lr": rate, "weight_decay": 0.0, _GROUP: True})
            else:
                kept.append(part)
    optimizer.param_groups[:] = kept + own


def _before(optimizer: Any, *_args: Any) -> None:
    """RuntimeError under a gradient scaler: its factor would multiply the updates of crossbars."""
    if hasattr(optimizer, "found_inf"):
        del optimizer.grad_scale, optimizer.found_inf
        raise RuntimeError(
            "crossbars cannot train under torch.amp.GradScaler, whose factor would multiply their updates: "
            "use torch.autocast with bfloat16, which needs no scaler"
        )


def _after(modules: list[Analog], arrays: list[Array], optimizer: Any, *_args: Any) -> None:
    """Let what waits reach the devices."""
    if any(array.ignored for array in arrays):
        words = "gradients of crossbars in eval() are not learned: call model.train() before training"
        warnings.warn(words, stacklevel=3)
    for group in optimizer.param_groups:
        if _GROUP in group and group.get("max_lr", 1.0) < _LEAST and not group.get(_WARNED):
            group[_WARNED] = True
            words = (
                f"the scheduler sets the factor of the rates of crossbars to at most {group['max_lr']:g}: give it a "
                "list of rates, with 1.0 for the last group"
            )
            warnings.warn(words, stacklevel=3)
    rates = {id(each): float(group["lr"]) for group in optimizer.param_groups for each in group["params"]}
    for module in modules:
        module.learn(rates)


def _warn(optimizer: torch.optim.Optimizer, modules: list[Analog], ruled: set[int]) -> None:
    """Warn of settings of the optimiser that were chosen, and of arrays with the same devices and noise."""
    defaults = inspect.signature(type(optimizer).__init__).parameters
    for name in ("momentum", "weight_decay"):
        usual = defaults[name].default if name in defaults else None
        groups = (group for group in optimizer.param_groups if ruled & set(map(id, group["params"])))
        if any(group.get(name, usual) != usual for group in groups):
            words = f"{name} of the optimiser does not reach crossbars, whose rules have settings of their own"
            warnings.warn(words, stacklevel=3)
    places = [(array.seed, array.number) for module in modules for array in module.arrays]
    if len(set(places)) < len(places):
        words = (
            "arrays have the same seed and number, so the same devices and noise: convert a model once it is complete"
        )
        warnings.warn(words, stacklevel=3)
