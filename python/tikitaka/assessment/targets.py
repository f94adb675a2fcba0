"""How good a property must be, with all others as they are, for the error to reach float + 1 point."""

from collections.abc import Mapping, Sequence
from typing import Any

from tikitaka.assessment.hardware import Hardware
from tikitaka.assessment.properties import Property
from tikitaka.experiments.tolerance import tolerance

__all__ = ["POINTS", "target"]

POINTS = 1.0
"""How far above float an error may be, in points."""


def target(
    known: Property,
    hardware: Hardware,
    errors: Mapping[float, Sequence[float]],
    limit: float,
    introduced: float | None = None,
) -> dict[str, Any]:
    """The value of a property at which the error is `limit`, interpolated between its levels, with its interval.

    `errors` (percent) by factor, for each seed; `introduced` is the value at factor 1 where the present one is zero.
    The result has value, low and high (None where unknown), the factor, and beyond: "easy" if even the ideal value is
    not good enough, "hard" if the worst one is, "both" if seeds differ, None otherwise.
    """
    values = sorted(errors)
    seeds = range(len(errors[values[0]]))
    found = tolerance(
        [{value: errors[value][seed] for value in values} for seed in seeds], values, limit, logarithmic=False
    )

    def value(factor: float | None) -> float | None:
        if factor is None:
            return None
        if introduced is not None:
            return factor * introduced
        return known.value(known.scaled(hardware, max(factor, known.best)))

    return {
        "value": value(found.tolerance),
        "low": value(found.low),
        "high": value(found.high),
        "factor": found.tolerance,
        "beyond": found.beyond,
        "falls": known.falls,
    }
