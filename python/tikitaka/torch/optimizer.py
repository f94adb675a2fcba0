"""An optimiser of PyTorch that also lets crossbars learn."""

import functools
import inspect
import warnings
from typing import Any

import torch

from tikitaka._internal.shown import shown
from tikitaka.torch.module import Analog, analog_modules
from tikitaka.torch.programmed import ProgrammedArray

__all__ = ["attach"]

_GROUP = "tikitaka"
"""The key that marks the group of mirrors."""


def attach(optimizer: torch.optim.Optimizer, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Let the crossbars of `model` learn at every step of `optimizer`, after its own step; returns the same optimiser.

    The mirrors of arrays with a training rule move into a group of their own, of which `lr` is a factor of the rates of
    their rules, 1 at first. Schedulers made afterwards vary it as any other. Momentum and weight decay of the optimiser
    do not reach these arrays; those in programmed mode stay in their groups. `zero_grad` also drops gradients that wait
    for a step. A copy of the optimiser has to be attached again.

    Raises ValueError for a model without crossbars, after a scheduler was made, for an optimiser that is attached to
    `model` already, and for one without groups of parameters, as LBFGS.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"optimizer must be an optimiser of PyTorch, not {shown(optimizer)}")
    modules = [module for _, module in analog_modules(model)]
    if not modules:
        raise ValueError("model must have analog modules: call tikitaka.torch.convert first")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError("optimizer must take one step per gradient; LBFGS evaluates several")
    if any("initial_lr" in group for group in optimizer.param_groups):
        raise ValueError("optimizer must be attached before its scheduler is made")
    ruled = [module for module in modules if not isinstance(module.arrays[0], ProgrammedArray)]
    mirrors = list({id(mirror): mirror for module in ruled for mirror in module.mirrors}.values())
    own = {id(mirror) for mirror in mirrors}
    if any(_GROUP in group and own & set(map(id, group["params"])) for group in optimizer.param_groups):
        raise ValueError("optimizer must not be attached to the same model twice")
    _warn(optimizer, own)
    for group in optimizer.param_groups:
        group["params"] = [parameter for parameter in group["params"] if id(parameter) not in own]
    optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
    if mirrors:
        optimizer.add_param_group({"params": mirrors, "lr": 1.0, "weight_decay": 0.0, _GROUP: True})
    for module in modules:
        for array in module.arrays:
            array.attached = True
    first = id(mirrors[0]) if mirrors else None
    # An optimiser that says so gets the scale of a GradScaler, which the hook before the step refuses.
    optimizer._step_supports_amp_scaling = True
    optimizer.register_step_pre_hook(_before)
    optimizer.register_step_post_hook(functools.partial(_after, modules, first))
    zero_grad = optimizer.zero_grad

    @functools.wraps(zero_grad)
    def forgetting(*args: Any, **kwargs: Any) -> None:
        zero_grad(*args, **kwargs)
        for module in modules:
            module.forget()

    optimizer.zero_grad = forgetting
    return optimizer


def _before(optimizer: Any, *_args: Any) -> None:
    """RuntimeError under a gradient scaler: its factor would multiply the updates of crossbars."""
    if hasattr(optimizer, "found_inf"):
        del optimizer.grad_scale, optimizer.found_inf
        raise RuntimeError(
            "crossbars cannot train under torch.amp.GradScaler, whose factor would multiply their updates: "
            "use torch.autocast with bfloat16, which needs no scaler"
        )


def _after(modules: list[Analog], first: int | None, optimizer: Any, *_args: Any) -> None:
    """Let what waits reach the devices."""
    rate = next((group["lr"] for group in optimizer.param_groups if first in set(map(id, group["params"]))), 1.0)
    if any(module.ignored for module in modules):
        warnings.warn(
            "gradients of crossbars in eval() are not learned: call model.train() before training", stacklevel=3
        )
    for module in modules:
        module.learn(float(rate))


def _warn(optimizer: torch.optim.Optimizer, own: set[int]) -> None:
    """Warn of settings of the optimiser that were chosen, and do not reach crossbars."""
    defaults = inspect.signature(type(optimizer).__init__).parameters
    for name in ("momentum", "weight_decay"):
        usual = defaults[name].default if name in defaults else None
        groups = (group for group in optimizer.param_groups if own & set(map(id, group["params"])))
        if any(group.get(name, usual) != usual for group in groups):
            warnings.warn(f"{name} of the optimiser does not reach crossbars, whose rules have settings of their own",
                          stacklevel=3)  # fmt: skip
