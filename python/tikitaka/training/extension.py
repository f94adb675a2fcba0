"""More epochs for a training that has begun or ended: the bits of one that was planned so, or a reason why not."""

from collections.abc import Sequence
from dataclasses import replace

from tikitaka.config import DigitalSgd, RuleConfig
from tikitaka.config.rule import AVERAGING
from tikitaka.training.schedule import schedules
from tikitaka.training.train_config import TrainConfig

__all__ = ["extended"]


def extended(
    config: TrainConfig,
    begun: int,
    epochs: int,
    *,
    schedule: str | Sequence[float] | None = None,
    average_from: int | None = None,
) -> TrainConfig:
    """`config` with another number of `epochs`, for a training of which `begun` epochs have begun.

    A training by the new config has the same bits in those epochs. So its schedule must give them the same factors, and
    averages must be gathered in the same of them: `average_from` stays where it was unless it is given. Raises
    ValueError, with the first epoch that differs, if that is not so, and for fewer epochs than have begun.
    """
    if epochs < begun:
        raise ValueError(f"epochs must be at least {begun:,}, which have begun, not {epochs:,}")
    rules = [config.rule, *config.layer_rules.values()]
    first = _average_from(config)
    averages = any(isinstance(rule, AVERAGING) for rule in rules)
    if averages and average_from is None and config.average_from is None and begun >= first:
        average_from = first
    plan = config.schedule if schedule is None else schedule
    if isinstance(plan, tuple | list) and len(plan) != epochs:
        raise ValueError(f"schedule must have a factor for each of {epochs:,} epochs, not {len(plan):,}: give it again")
    new = replace(
        config,
        epochs=epochs,
        schedule=plan if isinstance(plan, str) else tuple(plan),
        average_from=config.average_from if average_from is None else average_from,
    )
    for epoch in range(1, begun + 1):
        before, after = (_factor(each, epoch, rules) for each in (config, new))
        if before != after:
            raise ValueError(
                f"epochs cannot become {epochs:,}: in epoch {epoch:,} the schedule had the factor {before:g}, and a "
                f"training of {epochs:,} epochs has {after:g} there; the schedule constant can go on, and so can "
                "factors that begin with those so far"
            )
        if averages and (epoch >= first) != (epoch >= _average_from(new)):
            raise ValueError(
                f"average_from must be {first:,}, because the averages of {begun:,} epochs are there, "
                f"not {_average_from(new):,}"
            )
    return new


def _average_from(config: TrainConfig) -> int:
    return 2 * config.epochs // 3 + 1 if config.average_from is None else config.average_from


def _factor(config: TrainConfig, epoch: int, rules: Sequence[RuleConfig]) -> float:
    if not isinstance(config.schedule, str):
        return config.schedule[epoch - 1]
    family = "float" if all(isinstance(rule, DigitalSgd) for rule in rules) else "analog"
    return schedules[config.schedule][family][3 * (epoch - 1) // config.epochs]
