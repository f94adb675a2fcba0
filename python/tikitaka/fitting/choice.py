"""The choice of a form: by cycles that the fit has not seen, and the simplest one that predicts as well as the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tikitaka.fitting.data import Data
from tikitaka.fitting.form import Form
from tikitaka.fitting.optimise import Estimate, maximise, scores
from tikitaka.fitting.start import first_starts, start_of

__all__ = ["Choice", "choose", "fit_line", "fitted"]

F64 = NDArray[np.float64]

_MOST = 30  # devices that the choice looks at
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
        """The runner-up, and by how much it differs, in one line."""
        by = "on held-out cycles" if self.held_out else "by Akaike's criterion"
        chosen = next(each for each in self.scores if each.form == self.form)
        best = self.scores[0]
        if len(self.scores) == 1:
            return "the only model that was asked for"
        if best.form == self.form:
            other = self.scores[1]
            return f"best {by}, ahead of {other.form.shape}, {other.form.noise} by {other.behind:.4f} per pulse"
        return (
            f"the simplest that predicts as well as the best {by}: {chosen.behind:.4f} ± {chosen.error:.4f} per pulse behind "
            f"{best.form.shape}, {best.form.noise}"
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


def choose(parts: Mapping[str, Data], forms: Sequence[Form], threads: int = 1) -> Choice:
    """The simplest of `forms`, given the simplest first, within one standard error of the best, for all devices.

    Even cycles are fitted and odd ones scored. The standard error is that of the paired difference over the held-out
    cycles of all devices. With a single cycle, Akaike's criterion chooses. Shapes beyond a line must pay: they gain
    0.005 per pulse at least. Multiplicative noise of more than twice the step is no candidate: the filter, which takes
    the noise of the mean state, then misjudges whole sweeps.
    """
    some = list(parts.values())[:: -(-len(parts) // _MOST)]
    held_out = all(each.cycles.max() > 0 for each in some)
    losses: dict[Form, list[float]] = {form: [] for form in forms}
    noises: dict[Form, list[float]] = {form: [] for form in forms}
    reads = 0
    for data in some:
        known = data.half(0) if held_out else data
        unseen = data.half(1) if held_out else data
        reads += int(unseen.counts.sum())
        line = fit_line(known, threads)
        for form in forms:
            estimate = fitted(known, form, line, threads)
            noises[form].append(float(estimate.p[-2]))
            if held_out:
                each = scores(unseen, form, estimate.t, threads)
                groups = np.unique(unseen.cycles, return_inverse=True)[1]
                losses[form] += np.bincount(groups, weights=each).tolist()
            else:
                losses[form].append(estimate.nll + form.free)
    likely = [form for form in forms if not form.multiplicative or np.median(noises[form]) <= _LARGEST]
    likely = likely or list(forms)
    best = min(likely, key=lambda form: sum(losses[form]))
    found = [_score(form, losses, best, reads, held_out) for form in likely]
    near = [each for each in found if each.behind <= _allowed(each) or each.form == best]
    return Choice(near[0].form, tuple(sorted(found, key=lambda each: each.nll)), held_out)


def _allowed(score: Score) -> float:
    """How far behind the best a form may be."""
    return score.error if score.form.shape == "constant" else max(score.error, _PAYS)


def _score(form: Form, losses: Mapping[Form, list[float]], best: Form, reads: int, held_out: bool) -> Score:
    apart = np.array(losses[form]) - np.array(losses[best])
    error = float(np.std(apart, ddof=1) * np.sqrt(len(apart))) if len(apart) > 1 and held_out else 0.0
    return Score(form, sum(losses[form]) / reads, float(apart.sum()) / reads, error / reads)
