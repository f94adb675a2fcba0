"""The choice of a form: by cycles that the fit has not seen, and the simplest one that predicts as well as the best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.form import Form, representable
from tikitaka.fitting.optimise import Estimate, maximise, scores
from tikitaka.fitting.start import first_starts, start_of

__all__ = ["Choice", "choose", "fit_line", "fitted"]

F64 = NDArray[np.float64]

_MOST = 30  # devices that the choice looks at
_CHANCE = 2  # log-likelihood per device that parameters gain by chance
_PAYS = 0.005  # what a shape beyond a line must gain per pulse: predictions whose variance is 1 % smaller
_LARGEST = 2.0  # multiplicative noise beyond which the noise at the filtered state is not that at the state


@dataclass(frozen=True)
class Score:
    """How well a form predicts."""

    form: Form
    """the form"""
    nll: float
    """negative log-likelihood per pulse, of held-out cycles or, with one cycle, with Akaike's penalty"""
    behind: float
    """difference to the best form"""
    error: float
    """standard error of `behind`, from pairs of held-out cycles; 0 with one cycle"""


@dataclass(frozen=True)
class Choice:
    """The form that was chosen, and how the others did."""

    form: Form
    """the chosen form"""
    scores: tuple[Score, ...]
    """every form that was likely, the best first"""
    held_out: bool
    """whether held-out cycles decided; otherwise Akaike's criterion"""

    def words(self) -> str:
        """By how much the chosen form is ahead, or behind the best, in one line.

        The runner-up is not named, nor a lead below 0.01 given, since the last bits of NumPy's functions decide them.
        """
        by = "on held-out cycles" if self.held_out else "by Akaike's criterion"
        chosen = next(each for each in self.scores if each.form == self.form)
        best = self.scores[0]
        if len(self.scores) == 1:
            return "the only model that was asked for"
        if best.form == self.form:
            lead = self.scores[1].behind
            words = f"{lead:.2f}" if lead >= 0.01 else "less than 0.01"
            return f"best {by}, ahead of all others by {words} per pulse"
        return (
            f"the simplest that predicts as well as the best {by}: {chosen.behind:.4f} ± {chosen.error:.4f} per pulse "
            f"behind {best.form.shape}, {best.form.noise}"
        )


def fit_line(data: Data, threads: int = 1) -> Estimate:
    """A line with additive noise from three starts, from which all other forms start."""
    return maximise(data, Form("linear"), first_starts(data), threads)


def fitted(data: Data, form: Form, line: Estimate, threads: int = 1) -> Estimate:
    """The most likely parameters of `form`, from a fitted line on."""
    if form == line.form:
        return line
    starts = [start_of(form, line.t, line.form.multiplicative)]
    if form.shape == "power":  # powers and bounds far from those of the line
        starts += [starts[0] + _moved(form, by) for by in (0.7, -0.4)]
    return maximise(data, form, starts, threads)


def _moved(form: Form, by: float) -> F64:
    """A move of powers, and of bounds with them, that leaves the slope in the middle as it is."""
    move = np.zeros(form.parameters)
    move[2:6] = by
    return move


def choose(parts: Mapping[str, Data], forms: Sequence[Form], spread_out: Callable[..., Any] = map) -> Choice:
    """The simplest of `forms`, given the simplest first, within one standard error of the best, for all devices.

    Even cycles are fitted and odd ones scored. The standard error is that of the paired difference over the held-out
    cycles of all devices. With a single cycle, Akaike's criterion chooses. Shapes beyond a line must pay: they gain
    0.005 per pulse at least. Two kinds of candidates drop out: multiplicative noise of more than twice the step, where
    the filter, which takes the noise of the mean state, misjudges whole sweeps; and exponentials that the simulator's
    form cannot have. `spread_out` is a `map`, perhaps of a pool of threads.
    """
    some = list(parts.values())[:: -(-len(parts) // _MOST)]
    held_out = all(each.cycles.max() > 0 for each in some)
    cases = list(spread_out(lambda data: _losses(data, forms, held_out), some))
    losses = {form: np.concatenate([each[0][form] for each in cases]) for form in forms}
    likely = [form for form in forms if np.mean([each[1][form] for each in cases]) > 0.5] or list(forms)
    reads = sum(int((data.half(1) if held_out else data).counts.sum()) for data in some)
    best = min(likely, key=lambda form: float(losses[form].sum()))
    found = [_score(form, losses[form] - losses[best], losses[form], reads, held_out) for form in likely]
    near = [each for each in found if each.behind <= _allowed(each, best, len(some) / reads) or each.form == best]
    return Choice(near[0].form, tuple(sorted(found, key=lambda each: each.nll)), held_out)


def _losses(data: Data, forms: Sequence[Form], held_out: bool) -> tuple[dict[Form, F64], dict[Form, bool]]:
    """Negative log-likelihoods of held-out cycles, or Akaike's criterion, and whether the form is likely."""
    known, unseen = (data.half(0), data.half(1)) if held_out else (data, data)
    groups = np.unique(unseen.cycles, return_inverse=True)[1]
    line = fit_line(known)
    losses: dict[Form, F64] = {}
    likely: dict[Form, bool] = {}
    for form in forms:
        estimate = fitted(known, form, line)
        likely[form] = bool(not form.multiplicative or estimate.p[-2] <= _LARGEST)
        if form.shape == "exponential":
            likely[form] &= all(representable(*estimate.p[[2 + side, 4 + side]]) for side in (0, 1))
        if held_out:
            losses[form] = np.bincount(groups, weights=scores(unseen, form, estimate.t)).astype(np.float64)
        else:
            losses[form] = np.array([estimate.nll + form.free])
    return losses, likely


def _allowed(score: Score, best: Form, share: float) -> float:
    """How far behind the best a form may be: a standard error, what more parameters gain by chance (2 per device), and
    for shapes beyond a constant what must pay. `share` is the number of devices per read."""
    chance = min(max(best.free - score.form.free, 0), _CHANCE) * share
    return max(score.error, chance, 0.0 if score.form.shape == "constant" else _PAYS)


def _score(form: Form, apart: F64, losses: F64, reads: int, held_out: bool) -> Score:
    error = float(np.std(apart, ddof=1) * np.sqrt(len(apart))) if len(apart) > 1 and held_out else 0.0
    return Score(form, float(losses.sum()) / reads, float(apart.sum()) / reads, error / reads)
