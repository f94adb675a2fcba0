"""The settings of a training, and the training by them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Self

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind, check_types, one_of
from tikitaka.config import RuleConfig, from_dict, to_dict, to_toml
from tikitaka.config import rules as config_rules
from tikitaka.data import Dataset, load
from tikitaka.network import Network, losses
from tikitaka.nn import Layer, Sizes, array_names, nets, per_array
from tikitaka.nn.arrays import DEFAULT
from tikitaka.training.callbacks import Callbacks, callbacks_of
from tikitaka.training.early_stopping import EarlyStopping
from tikitaka.training.loop import fit
from tikitaka.training.metrics import Metrics, Progress
from tikitaka.training.schedule import check_schedule, schedules
from tikitaka.training.validation import check_validation

__all__ = ["TrainConfig"]

_RECIPE: Any = None
"""Stands for the value of the network's recipe."""

_LEAST = {"seed": 0}
"""The smallest value of a whole number if not 1."""

_ALWAYS = frozenset(
    ["net", "data", "sequence", "examples", "holdout", "epochs", "batch", "schedule", "average_from", "seed", "rule"]
)
"""Fields that `to_dict` always contains. It omits any other field that has its default, so that a new field changes no
key of earlier results."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that determines the result of a training, and nothing else: no paths, no threads.

    By default data, epochs, batch and rule are those of the network's recipe in `tikitaka.nn.nets`; the default rule is
    ttv2, and its rate grows in proportion to `batch`. They are fixed when the config is created: `dataclasses.replace`
    with another network or batch keeps them. The examples of a text are sequences.

    With a `validation` share and `patience`, a training ends early, as under `EarlyStopping`; averages are gathered
    from `average_from` on, so a training that ends before has none. `layer_rules` are rules of single arrays, by
    name ("linear3") or index ("-1"); all others have `rule`. A `schedule` is a name or a sequence of factors; for a
    function of the epoch, call `tikitaka.fit`.
    """

    net: Annotated[str, "network"] = "fcn"
    data: Annotated[str, "data set: digits (bundled), or a folder or text file in the data folder"] = _RECIPE
    sequence: Annotated[int, "characters per sequence, for texts only"] = 100
    examples: Annotated[int | None, "train on the first N examples only (default: all)"] = None
    holdout: Annotated[int | None, "test on the last N training examples, for tuning (default: none)"] = None
    validation: Annotated[
        float | None, "share of the training examples, the last ones, held out and evaluated each epoch (default: none)"
    ] = None
    patience: Annotated[int | None, "end the training N epochs after the best validation loss (default: never)"] = None
    epochs: Annotated[int, "passes over the training data"] = _RECIPE
    batch: Annotated[int, "examples per mini-batch"] = _RECIPE
    schedule: Annotated[str | tuple[float, ...], "learning-rate schedule, or a factor for each epoch"] = "decay"
    average_from: Annotated[int | None, "epoch from which averages are gathered (default: the last third)"] = None
    seed: Annotated[int, "seed of all randomness, 0 to 2^63 - 1"] = 0
    rule: Annotated[RuleConfig, "training rule"] = _RECIPE
    layer_rules: Annotated[Mapping[str, RuleConfig], "training rules of single arrays, by name or index"] = field(
        default_factory=dict, hash=False
    )

    def __post_init__(self) -> None:
        one_of("net", self.net, nets)
        recipe = nets[self.net]
        recipe_values = {
            "data": recipe.data,
            "epochs": recipe.epochs,
            "batch": recipe.batch,
            "rule": recipe.rule("ttv2", self.batch),
        }
        for name, value in recipe_values.items():
            if getattr(self, name) is _RECIPE:
                object.__setattr__(self, name, value)
        check_types(self)
        if any(character < " " for character in self.data):
            raise ValueError(f"data must be a name without control characters, not {shown(self.data)}")
        for name, value in vars(self).items():
            least = _LEAST.get(name, 1)
            if type(value) is int and not least <= value < 2**63:  # what TOML can hold
                raise ValueError(f"{name} must be from {least} to 2^63 - 1, not {shown(value)}")
        if self.average_from is not None and self.average_from > self.epochs + 1:
            raise ValueError(f"average_from must be at most epochs + 1 = {self.epochs + 1}, not {self.average_from}")
        if callable(self.schedule):
            raise TypeError(f"schedule must be a name or a sequence of factors, not {shown(self.schedule)}")
        object.__setattr__(self, "schedule", check_schedule(self.schedule, self.epochs))
        check_validation(self.validation)
        if self.patience is not None and self.validation is None:
            raise ValueError(f"validation must be a share to hold out where patience is {self.patience}, not None")
        object.__setattr__(self, "layer_rules", _layer_rules(self.layer_rules))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config from nested plain values, as of `to_dict`; ValueError or TypeError names the field that is wrong.

        Missing values are those of the network's recipe, including the fields of its rules. A rule may be given by its
        kind alone; for devices and peripheries see `tikitaka.config.from_dict`.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"a config must be a table of fields, not {shown(values)}")
        net, table = values.get("net", "fcn"), dict(values)
        if "rule" in table:
            rule = table["rule"]
            kind = {} if isinstance(rule, Mapping) and "kind" in rule else {"kind": "ttv2"}
            table["rule"] = _usual(net, {**kind, **rule} if isinstance(rule, Mapping) else rule, table.get("batch"))
        if isinstance(table.get("layer_rules"), Mapping):
            table["layer_rules"] = {
                name: _usual(net, rule, table.get("batch")) for name, rule in table["layer_rules"].items()
            }
        return from_dict(cls, table)

    def to_dict(self) -> dict[str, Any]:
        """The config as nested plain values.

        Contains `validation`, `patience` and `layer_rules` only where they are set.
        """
        values = to_dict(self)
        if isinstance(self.schedule, tuple):
            values["schedule"] = list(self.schedule)
        for f in fields(self):
            default = f.default if f.default_factory is MISSING else f.default_factory()
            if f.name not in _ALWAYS and values[f.name] == default:
                del values[f.name]
        return values

    def to_toml(self) -> str:
        """The config as TOML: every field with its documentation as a comment; fields that are not set are comments.

        Presets are written out, field by field.
        """
        return to_toml(self, names={"net": tuple(nets), "schedule": tuple(schedules)})

    def dataset(
        self, data_dir: str | Path | None = None, *, load: Callable[[str, str | Path | None, int], Dataset] = load
    ) -> Dataset:
        """The data to train and test on, loaded by name, folder and length of sequences.

        Raises what `tikitaka.data.load` does, and ValueError for images if the network reads text, or the reverse.
        """
        dataset = load(self.data, data_dir, self.sequence)
        kinds = {False: "images", True: "text"}
        reads, holds = nets[self.net].text, dataset.vocabulary is not None
        if reads != holds:
            raise ValueError(f"{self.data} must hold {kinds[reads]} for the network {self.net}, not {kinds[holds]}")
        return (dataset if self.holdout is None else dataset.holdout(self.holdout)).first(self.examples)

    def network(self, data: Sizes) -> Network:
        """The untrained network for `data`: for its inputs, outputs, image shape and task, which determines the loss.

        Raises TypeError for `data` without one of these, and ValueError for data that the network cannot be built for
        and for `layer_rules` of arrays that it does not have.
        """
        layers, rules = self._built(data)
        return Network(layers, rules, loss=losses[data.task], seed=self.seed)

    def check(self, data: Sizes) -> None:
        """Raise what `network` raises for `data` that the network cannot be built for, but build nothing."""
        self._built(data)

    def _built(self, data: Sizes) -> tuple[list[Layer], RuleConfig | list[RuleConfig]]:
        if not isinstance(data, Sizes):
            raise TypeError(
                "data must be a tikitaka.Dataset, or another object with inputs, outputs, shape and task, "
                f"not {shown(data)}"
            )
        layers = nets[self.net].build(data)
        if not self.layer_rules:
            return layers, self.rule
        return layers, per_array("layer_rules", {DEFAULT: self.rule, **self.layer_rules}, array_names(layers))

    def fit(
        self,
        network: Network,
        dataset: Dataset,
        *,
        threads: int = 1,
        progress: bool = True,
        start: Progress | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        on_epoch: Callbacks = None,
        stop: Callable[[], bool] | None = None,
        history: Sequence[Metrics] = (),
    ) -> list[Metrics]:
        """Train `network` on `dataset` as the config says, and return the metrics of each epoch that ends.

        `history` holds the metrics of the epochs before `start`, which count for `patience`; if the last of
        them ended the training, no more epochs follow. The other arguments are those of `tikitaka.fit`, and so are the
        exceptions; with a `patience`, also ValueError for a `history` of another length.
        """
        callbacks = callbacks_of(on_epoch, validated=self.validation is not None)
        if self.patience is not None:
            stopping, before = EarlyStopping(self.patience), 0 if start is None else start.epoch
            if len(history) != before:
                raise ValueError(f"history must hold the {before} epochs before start, not {len(history)}")
            if any([stopping(metrics) for metrics in history]):
                return []
            callbacks = (*callbacks, stopping)
        return fit(
            network,
            dataset,
            epochs=self.epochs,
            batch=self.batch,
            schedule=self.schedule,
            average_from=self.average_from,
            validation=self.validation,
            threads=threads,
            progress=progress,
            start=start,
            on_progress=on_progress,
            on_epoch=callbacks,
            stop=stop,
        )


def _usual(net: Any, rule: Any, batch: Any) -> Any:
    """`rule`, a kind or a table with a kind, as a table completed by the network's settings for that kind."""
    table = {"kind": rule} if isinstance(rule, str) else rule
    kind = table.get("kind") if isinstance(table, Mapping) else None
    if net not in list(nets) or not isinstance(kind, str) or kind not in config_rules:
        return table
    of_net = nets[net].rule(kind, batch)
    return table if of_net == config_rules[kind]() else {**to_dict(of_net), **table}


def _layer_rules(rules: Any) -> dict[str, RuleConfig]:
    """A copy of `rules`; TypeError or ValueError unless it maps names or indices to rules."""
    check_kind("layer_rules", rules, Mapping)
    for name, rule in rules.items():
        if not isinstance(name, str):
            raise TypeError(f"layer_rules must have strings as keys, such as 'linear1' or '-1', not {shown(name)}")
        if name == DEFAULT or not re.fullmatch("[A-Za-z0-9_-]+", name):
            raise ValueError(f"layer_rules must have names or indices of arrays as keys, not {shown(name)}")
        check_kind(f"layer_rules.{name}", rule, RuleConfig)
    return dict(rules)
