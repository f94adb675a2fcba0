"""What happens between sweeps: relaxation, or pulses that the file does not show."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tikitaka.measurement.table import Sweep

__all__ = ["gap"]

_LEAST = 0.03  # of the range


def gap(devices: Sequence[Sequence[Sweep]], sign: int, step: float, read_noise: float, size: float) -> float | None:
    """Mean change, as a fraction of the range `size`, from the last read after pulses of `sign` to the first read of
    the next sweep, beyond the pulse between them if there is one.

    None if it is not above three standard errors and 3 % of the range. The fit does not use it: each sweep starts where
    its first read says.
    """
    changes = [
        float(after.values[0] - before.values[-1]) - float(after.signs[0]) * step
        for sweeps in devices
        for before, after in pairwise(sweeps)
        if before.signs[-1] == sign
    ]
    known = np.array([each for each in changes if not np.isnan(each)])
    if len(known) < 3:
        return None
    mean = float(known.mean()) / size
    error = max(float(known.std(ddof=1)), 1.4 * read_noise) / size / len(known) ** 0.5
    return mean if abs(mean) > max(3 * error, _LEAST) else None
