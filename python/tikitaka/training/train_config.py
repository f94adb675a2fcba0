"""The settings of a training, and the training that they stand for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from tikitaka._internal.validation import check_types, one_of
from tikitaka.config import RuleConfig, from_dict, to_dict, to_toml
from tikitaka.data import Dataset, load
from tikitaka.network import Network, losses
from tikitaka.nn import Sizes, nets
from tikitaka.training.loop import fit
from tikitaka.training.metrics import Metrics, Progress
from tikitaka.training.schedule import schedules

__all__ = ["TrainConfig"]

_RECIPE: Any = None
"""Stands for what the recipe of the network says."""


@dataclass(frozen=True)
class TrainConfig:
    """All that decides the result of a training, and nothing else: no paths, no threads.

    Without data, epochs, batch or rule a config has those of the recipe that `tikitaka.nn.nets` holds for its
    network; the rule is then ttv2. Once made it holds what it has: `dataclasses.replace` with another network keeps
    them. Of a text, examples are sequences.
    """

    net: Annotated[str, "network"] = "fcn"
    data: Annotated[str, "data set: digits (bundled), or a folder or text file in the data folder"] = _RECIPE
    sequence: Annotated[int, "characters per sequence, text alone"] = 100
    examples: Annotated[int | None, "train on the first so many examples (default: all)"] = None
    holdout: Annotated[int | None, "test on the last so many training examples, for tuning (default: none)"] = None
    epochs: Annotated[int, "passes over the training data"] = _RECIPE
    batch: Annotated[int, "examples per mini-batch"] = _RECIPE
    schedule: Annotated[str, "learning-rate schedule"] = "decay"
    average_from: Annotated[int | None, "epoch from which averages are gathered (default: the last third)"] = None
    seed: Annotated[int, "seed of all randomness, 0 to 2^63 - 1"] = 0
    rule: Annotated[RuleConfig, "training rule"] = _RECIPE

    def __post_init__(self) -> None:
        one_of("net", self.net, nets)
        one_of("schedule", self.schedule, schedules)
        recipe = nets[self.net]
        usual = {"data": recipe.data, "epochs": recipe.epochs, "batch": recipe.batch, "rule": recipe.rule("ttv2")}
        for name, value in usual.items():
            if getattr(self, name) is _RECIPE:
                object.__setattr__(self, name, value)
        check_types(self)
        if any(character < " " for character in self.data):
            raise ValueError(f"data must be a name without line breaks and the like, not {self.data!r}")
        for name, number, least in (
            ("sequence", self.sequence, 1),
            ("examples", self.examples, 1),
            ("holdout", self.holdout, 1),
            ("epochs", self.epochs, 1),
            ("batch", self.batch, 1),
            ("average_from", self.average_from, 1),
            ("seed", self.seed, 0),
        ):
            if number is not None and not least <= number < 2**63:  # what TOML can hold
                raise ValueError(f"{name} must be from {least} to 2^63 - 1, not {number}")

        if self.average_from is not None and self.average_from > self.epochs + 1:
            raise ValueError(f"average_from must be at most epochs + 1 = {self.epochs + 1}, not {self.average_from}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config of nested plain values, as `to_dict` gives them; ValueError or TypeError names what is wrong.

        What is absent is as the recipe of the network says, the fields of the rule among it. A rule may be given by its
        kind alone; `tikitaka.config.from_dict` says how devices and peripheries may be.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"a config must be a table of fields, not {values!r}")
        net, rule = values.get("net", "fcn"), values.get("rule")
        rule = {"kind": rule} if isinstance(rule, str) else rule
        if isinstance(rule, Mapping):
            kind = rule.get("kind", "ttv2")
            usual = nets[net].rules.get(kind) if net in list(nets) and isinstance(kind, str) else None
            rule = {**(to_dict(usual) if usual is not None else {}), **rule, "kind": kind}
        return from_dict(cls, {**values, "rule": rule} if "rule" in values else values)

    def to_dict(self) -> dict[str, Any]:
        """The config as nested plain values."""
        return to_dict(self)

    def to_toml(self) -> str:
        """The config as TOML: every field with its documentation beside it, those that are not set as comments.

        Presets are written out, field by field.
        """
        return to_toml(self, names={"net": tuple(nets), "schedule": tuple(schedules)})

    def dataset(
        self, data_dir: str | Path | None = None, *, load: Callable[[str, str | Path | None, int], Dataset] = load
    ) -> Dataset:
        """The data to train and test on, as `load` reads it by name, folder and length of sequences.

        Raises what `tikitaka.data.load` does, and ValueError for images where the network reads text or the reverse.
        """
        whole = load(self.data, data_dir, self.sequence)
        kinds = {False: "images", True: "text"}
        reads, holds = nets[self.net].text, whole.vocabulary is not None
        if reads != holds:
            raise ValueError(f"the network {self.net} reads {kinds[reads]}, and {self.data} holds {kinds[holds]}")
        return (whole if self.holdout is None else whole.holdout(self.holdout)).first(self.examples)

    def network(self, data: Sizes) -> Network:
        """The untrained network for `data`: for its inputs, outputs, image shape and task, which determines the loss.

        Raises ValueError for data that the network cannot be built for.
        """
        return Network(nets[self.net].build(data), self.rule, loss=losses[data.task], seed=self.seed)

    def fit(
        self,
        network: Network,
        dataset: Dataset,
        *,
        threads: int = 1,
        progress: bool = True,
        start: Progress | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        on_epoch: Callable[[Metrics], object] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[Metrics]:
        """Train `network` on `dataset` as the config says, and return the metrics of each epoch that ends.

        All else is as in `tikitaka.fit`, which raises what this raises.
        """
        return fit(
            network,
            dataset,
            epochs=self.epochs,
            batch=self.batch,
            schedule=self.schedule,
            average_from=self.average_from,
            threads=threads,
            progress=progress,
            start=start,
            on_progress=on_progress,
            on_epoch=on_epoch,
            stop=stop,
        )
