"""Measured pulses from arrays, lists and columns of pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka._internal.arrays import converted
from tikitaka._internal.shown import shown
from tikitaka.measurement.assemble import assemble
from tikitaka.measurement.direction import Trace
from tikitaka.measurement.found import Found
from tikitaka.measurement.grid import number
from tikitaka.measurement.options import options_of
from tikitaka.measurement.table import Measured

__all__ = ["measured", "traces_in"]

F64 = NDArray[np.float64]

_TRACES = 100_000  # of one argument


def measured(
    values: Any = None,
    *,
    up: Any = None,
    down: Any = None,
    pulses: Any = None,
    device: str | None = None,
    unit: str | None = None,
    read_voltage: float | None = None,
    pattern: str | None = None,
    flip: bool = False,
    mirrored_down: bool | None = None,
    initial_read: bool | None = None,
    window: tuple[float, float] | None = None,
) -> Measured:
    """Measured pulses from arrays: one read after each pulse.

    `up` and `down` are reads after up and after down pulses: an array (pulses,) for one cycle, (cycles, pulses) for
    several, a list of arrays of any lengths, a pandas column, a DataFrame with a column for each cycle, or a dict of
    any of these by device. Or `values` are reads of up and down pulses in a row: then `pulses`, of the same shape, has
    +1, −1 or 0 (a read without a pulse) for the pulse before each read, or `pattern` says them (`"1000u,1000d"`,
    `"200u,200d,+-400"`, repeated), or turning points are looked for. NaN is a missing read.

    `unit` is that of the values: "uS", "kohm", "nA", …; resistances become 1/R, and currents with `read_voltage`, in
    V, I/V. Without it they are taken as they are. `initial_read`: the first read of each trace comes before any pulse.
    `mirrored_down` reverses down traces; by default, down traces that rise are reversed. `flip`: −1 is up.
    `window` = (lowest, highest) leaves out other reads, in the unit of the values.

    The account of the result, which `print` shows, has a line for each decision. Raises ValueError for pulses in one
    direction only, fewer than 20 pulses in a direction, an up trace that falls, cells that switch in one pulse,
    negative conductances, ranges that do not overlap, and lengths that do not fit; TypeError for anything but numbers.

    >>> import numpy as np
    >>> import tikitaka as tt
    >>> steps = np.arange(50)
    >>> print(tt.measured(up=20 - 10 * 0.95**steps, down=10 + 10 * 0.95**steps, device="A1", unit="uS"))
    arrays: 1 device, 1 cycle, 50 up and 50 down pulses, 1e-05 to 2e-05 S
    understood: up and down traces as given
    understood: conductance in uS
    """
    options = options_of(
        device=device,
        unit=unit,
        read_voltage=read_voltage,
        pattern=pattern,
        flip=flip,
        mirrored_down=mirrored_down,
        initial_read=initial_read,
        window=window,
    )
    if (values is None) == (up is None and down is None):
        raise ValueError("give either values, or up and down")
    if pulses is not None and pattern is not None:
        raise ValueError("pulses and pattern must not both be given")
    traces: list[Trace] = []
    if values is None:
        if pulses is not None or pattern is not None:
            raise ValueError("pulses and pattern belong to values, not to up and down, whose pulses are known")
        for name, given, sign in (("up", up, 1), ("down", down, -1)):
            for owner, arrays in _by_device(name, given).items():
                traces += [Trace(owner, each, sign=sign) for each in arrays]
        said = "up and down traces as given"
    else:
        of_pulses = _by_device("pulses", pulses)
        for owner, arrays in _by_device("values", values).items():
            known = of_pulses.get(owner) or (next(iter(of_pulses.values()), None) if len(of_pulses) == 1 else None)
            if known and len(known) == 1:
                known = known * len(arrays)
            for k, each in enumerate(arrays):
                signs = None
                if known is not None:
                    if len(known) != len(arrays) or len(known[k]) != len(each):
                        raise ValueError("pulses must have the shape of values: +1, -1 or 0 before each read")
                    if not np.isin(known[k], (-1, 0, 1)).all():
                        raise ValueError("pulses must be +1, -1 or 0 (a read without a pulse)")
                    signs = known[k].astype(np.int8) * np.int8(-1 if flip else 1)
                traces.append(Trace(owner, each, signs=signs))
        said = "reads in a row" + (", with their pulses" if of_pulses else "")
    if not traces:
        raise ValueError("there must be at least one trace")
    found = Found(traces, None)
    found.account = [said]
    return assemble(found, options, "arrays")


def _by_device(name: str, value: Any) -> dict[str, list[F64]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return {"device": traces_in(name, value)}
    for owner in value:
        if not isinstance(owner, str):
            raise TypeError(f"{name} must have names of devices for keys, not {shown(owner)}")
    return {owner: traces_in(f"{name} of {shown(owner)}", each) for owner, each in value.items()}


def traces_in(name: str, value: Any) -> list[F64]:
    """The traces of an argument: one, or one for each row of an array, item of a list, column of a DataFrame."""
    if hasattr(value, "iloc") and np.ndim(value) == 2:
        return [_trace(name, value.iloc[:, k]) for k in range(value.shape[1])]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value and np.ndim(value[0]) == 1:
        if len(value) > _TRACES:
            raise ValueError(f"{name} must hold at most {_TRACES:,} traces, not {len(value):,}")
        return [_trace(name, each) for each in value]
    array = _array(name, value)
    if array.ndim == 2 and 1 <= len(array) <= _TRACES and array.shape[1]:
        return list(array)
    return [_trace(name, array)]


def _array(name: str, value: Any) -> F64:
    if isinstance(value, np.ma.MaskedArray):
        if value.dtype.kind not in "iuf":
            raise TypeError(f"{name} must hold numbers, not {shown(value)}")
        value = np.ma.filled(value.astype(np.float64), np.nan)
    array = converted(name, value, "an array, or a list of arrays")
    plain = (float, int, type(None))
    if array.dtype.kind == "O" and all(isinstance(each, plain) and each is not True for each in array.flat):
        array = np.array([number(each) for each in array.flat], dtype=np.float64).reshape(array.shape)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold numbers, not {shown(value)}")
    array = array.astype(np.float64)
    array[np.isinf(array)] = np.nan
    return array


def _trace(name: str, value: Any) -> F64:
    array = _array(name, value)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must be (pulses,) or (cycles, pulses), not of shape {array.shape}")
    return array
