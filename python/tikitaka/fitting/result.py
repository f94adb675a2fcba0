"""What a fit returns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikitaka._internal.display import table
from tikitaka.config import Device, to_dict
from tikitaka.config.device_file import write_device
from tikitaka.fitting.ageing import CycleEffect
from tikitaka.fitting.choice import Choice
from tikitaka.fitting.form import Form
from tikitaka.fitting.goodness import Goodness
from tikitaka.fitting.picture import panels_of
from tikitaka.fitting.population import MeanDevice, Member, Spreads
from tikitaka.fitting.values import Value
from tikitaka.plot import fitted_device

__all__ = ["DeviceFit"]


@dataclass(frozen=True, eq=False, repr=False)
class DeviceFit:
    """A device fitted to measured pulses, by [`fit_device`][tikitaka.fit_device]; `print` shows the report."""

    device: Device
    """the device for the simulator"""
    read_noise: float
    """standard deviation of a read, as a fraction of the mean range from bound to bound; it is no part of `device`"""
    replicates: tuple[Device, ...]
    """devices of bootstrap replicates of the fit, which differ as much as the fit is uncertain"""
    form: Form
    """the chosen shape of the step and form of the noise"""
    choice: Choice
    """how the other forms did"""
    goodness: Goodness
    """how well reads are predicted, on cycles that the fit has not seen if there are several"""
    values: Mapping[str, Value]
    """the figures of the report with their intervals, by name; `up_slope` and `down_slope` are the shares γ of a step
    that are lost from weight 0 to its bound (1 for soft bounds, 0 for constant steps), or the exponents of power steps;
    exponential steps and tables have none"""
    spreads: Spreads | None
    """how devices differ; None for a single device"""
    effects: tuple[CycleEffect, CycleEffect]
    """how the steps up and down differ between cycles"""
    members: tuple[Member, ...]
    """each device with its parameters"""
    mean: MeanDevice
    """the mean device, in the unit of the source"""
    physical: Mapping[str, Any]
    """what the device file keeps: units, the conductance at weight 0, …"""
    unknown: tuple[str, ...]
    """what the file does not show, and which default stands in"""
    warnings: tuple[str, ...]
    """what is unusual"""
    lines: tuple[tuple[str, str], ...]
    """the report, as pairs of subject and words"""

    def report(self) -> str:
        """The report, on one screen."""
        return "\n".join(f"{subject:<12} {words}".rstrip() for subject, words in self.lines)

    def write(self, path: str | Path, *, replicates: bool = True) -> None:
        """Write a device file (TOML), whole or not at all; `replicates`: with the replicates of the fit.

        Raises OSError if it cannot be written.
        """
        write_device(
            path,
            self.device,
            physical=self.physical,
            fit=self._fit(),
            replicates=self.replicates if replicates else (),
        )

    def plot(self, path: str | Path) -> None:
        """A picture: traces with the band of the fit, step against conductance, errors of prediction, devices.

        Raises ModuleNotFoundError without matplotlib, ValueError for an ending other than .png, .svg and .pdf, and
        OSError if it cannot be written.
        """
        fitted_device(panels_of(self.members, self.mean, str(self.physical["unit"])), path)

    def to_dict(self) -> dict[str, Any]:
        """All numbers of the fit as nested plain values, as for JSON; None for what is not known."""
        lines = [{"subject": subject, "words": words} for subject, words in self.lines]
        return {"device": to_dict(self.device), "physical": dict(self.physical), "fit": self._fit(), "report": lines}

    def _fit(self) -> dict[str, Any]:
        """The table `fit` of the device file."""
        good = self.goodness
        values = {
            name: {
                "estimate": _known(each.estimate),
                "low": _known(each.low),
                "high": _known(each.high),
                "unit": each.unit,
            }
            for name, each in self.values.items()
        }
        return {
            "model": self.form.shape,
            "noise": self.form.noise,
            "choice": self.choice.words(),
            "passed": good.passed,
            "goodness": {
                "words": good.words(),
                "held_out": good.held_out,
                "mean": good.mean,
                "sd": good.sd,
                "lag": good.lag,
                "coverage": good.coverage,
                "distance": good.distance,
                "ends": good.ends,
            },
            "unknown": list(self.unknown),
            "warnings": list(self.warnings),
            "values": values,
        }

    def __repr__(self) -> str:
        words = "passes" if self.goodness.passed else "fails"
        count = len(self.members)
        return f"DeviceFit({count} device{'s' * (count != 1)}, {self.form.shape}, {words}: {self.device!r})"

    def __str__(self) -> str:
        return self.report()

    def _repr_html_(self) -> str:
        return table("fit of a device", ("", ""), self.lines)


def _known(value: float) -> float | None:
    """None for NaN and infinities, which JSON does not have."""
    return value if math.isfinite(value) else None
