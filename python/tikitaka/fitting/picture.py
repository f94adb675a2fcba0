"""The numbers of the picture of a fit."""

import numpy as np

from tikitaka import _core
from tikitaka.fitting.form import steps
from tikitaka.fitting.goodness import simulated
from tikitaka.fitting.population import MeanDevice, Member
from tikitaka.plot import FittedPanels

__all__ = ["panels_of"]

_TRACES = 4  # sweeps drawn
_BAND = 100  # sweeps simulated for the band
_SHOWN = 30  # devices whose steps are drawn


def panels_of(members: tuple[Member, ...], mean: MeanDevice, unit: str) -> FittedPanels:
    """Traces of the first device with the fit's band, and the steps and errors of all."""
    first = members[0]
    data, curves = first.data, first.curves
    p = curves.p[0]
    states = _core.states_of_sweeps(curves.form.shape, curves.form.multiplicative, p, data.arrays)
    traces = []
    rng = np.random.default_rng(0)
    for k in range(min(_TRACES, len(data.starts))):
        values, signs = data.sweeps()[k]
        start = int(data.starts[k])
        known = int(np.flatnonzero(~np.isnan(values))[0])
        begin = np.full((1, _BAND), states[3][start + known])
        path = simulated(curves.form, p, begin, signs[None, known + 1 :], rng, data.hard)[:, 0]
        path = path + p[-1] * rng.standard_normal(path.shape)
        low, high = np.quantile(path, [0.025, 0.975], axis=1)
        shown = [x * curves.size + curves.middle for x in (values[known:], low, high)]
        traces.append((shown[0], shown[1], shown[2]))
    responses = []
    for each in members[:_SHOWN]:
        low, high = each.curves.used
        at = np.linspace(low, high, 60)
        x = (at - each.curves.middle) / each.curves.size
        up, down = (steps(each.curves.form.shape, each.curves.p[:1], s, x)[0] * each.curves.size for s in (1, -1))
        responses.append((at, np.maximum(up, 0.0), -np.maximum(down, 0.0)))
    errors = [
        _core.states_of_sweeps(
            each.curves.form.shape, each.curves.form.multiplicative, each.curves.p[0], each.data.arrays
        )[0]
        for each in members
    ]
    z = np.concatenate(errors)
    points = [(float(each.curves.step(1, mean.zero)[0]), float(each.curves.step(-1, mean.zero)[0])) for each in members]
    return FittedPanels(first.name, unit, tuple(traces), tuple(responses), mean.zero, z[~np.isnan(z)], tuple(points))
