"""The compiled core: arrays of devices, training rules and networks.

Every class takes its configuration as one of the frozen dataclasses of
`tikitaka.config` or as a dict with the same keys. Arrays go in as float32
(float64 and integers are converted; NaN and infinities are refused) and come out as
new float32 arrays of shape (outputs, inputs) for anything per crosspoint.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__version__: str
__all__ = [
    "AnalogLayer",
    "Convolution",
    "Crossbar",
    "Network",
    "__version__",
    "bounds",
    "defaults",
    "describe",
    "kinds",
    "likelihood_of_sweeps",
    "load_tensors",
    "lstm_backward",
    "lstm_forward",
    "mean_device",
    "normals",
    "preset_sources",
    "presets",
    "save_tensors",
    "simd",
    "states_of_sweeps",
    "to_toml",
    "validate",
]

_F32 = NDArray[np.float32]

@final
class Crossbar:
    """An array of `rows` × `cols` devices with its periphery; the network's view is state − reference.

    `device`, `periphery`, `reliability`, `pulse_trains` and `reference` are configs of `tikitaka.config`, or dicts of
    their fields; without them devices are 20-state soft bounds without faults, products exact, and nothing is the
    reference. All randomness is a pure function of `seed` and the number `array` (0 to 2⁶⁴ − 1). `count_pulses` counts
    pulses per crosspoint.

    Raises ValueError for settings out of range and arrays of another shape or with values that are not finite, and
    TypeError for anything that is not a number or an array. An array is for one thread at a time (RuntimeError
    otherwise).

    >>> import numpy as np
    >>> import tikitaka as tt
    >>> array = tt.Crossbar(2, 3, tt.ConstantStep(weight_step=0.1, bound=1.0), seed=1)
    >>> array.pulse_column(1, [2, -1])  # two pulses up, one down
    >>> print(array.weights)
    [[ 0.   0.2  0. ]
     [ 0.  -0.1  0. ]]
    >>> print(array.forward(np.array([1.0, 0.5, 0.0])))
    [ 0.1  -0.05]
    """

    def __new__(
        cls,
        rows: int,
        cols: int,
        device: Any = None,
        *,
        periphery: Any = None,
        reliability: Any = None,
        pulse_trains: Any = None,
        reference: Any = None,
        seed: int = 0,
        array: int = 0,
        count_pulses: bool = False,
    ) -> Self:
        """An array of new devices, at weight 0 against their reference."""
    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols): (outputs, inputs)."""
    @property
    def weight_step(self) -> float:
        """δ: the mean step of the devices at w = 0, or of pairs at half their range (weight units)."""
    @property
    def weights(self) -> _F32:
        """The weights (rows, cols), state − reference, without any periphery (weight units): a read-only copy.

        Setting clips each to what its device can hold; ValueError for another shape or values that are not finite.
        """
    @weights.setter
    def weights(self, value: ArrayLike) -> None: ...
    @property
    def reference(self) -> _F32:
        """The reference (rows, cols) that states are read against (weight units); 0 where there is none: a read-only
        copy.

        Setting all of it moves the weights, not the devices.
        """
    @reference.setter
    def reference(self, value: ArrayLike) -> None: ...
    @property
    def symmetry_point(self) -> _F32:
        """The states (rows, cols) at which an up and a down step cancel on average (R24 eq. 8; weight units)."""
    @property
    def device_parameters(self) -> dict[str, _F32]:
        """Constants of each device by name, (rows, cols) each, in weight units (R24 eqs. 5, 6).

        up_step and down_step are α₊ and α₋, upper_bound and lower_bound w_max and w_min. Of one-sided pairs, they are
        the steps with both devices at half their range, and the ranges of g⁺ and of −g⁻; plus_… and minus_… are
        constants of each.
        """
    @property
    def pair(self) -> tuple[_F32, _F32] | None:
        """g⁺ and g⁻ of one-sided pairs, (rows, cols) each (weight units): read-only copies; None for single devices."""
    @property
    def pulses(self) -> NDArray[np.uint32] | None:
        """Pulses that each crosspoint has got, (rows, cols); None unless counted."""
    @property
    def ledger(self) -> dict[str, int]:
        """Operations so far by name: products, updates, pulses, line reads, conversions."""
    def forward(self, x: ArrayLike, *, threads: int = 1) -> _F32:
        """y = W x through the periphery (GV16), for x of shape (cols,) or (batch, cols); y is (rows,) or (batch, rows).

        Every call draws new noise. Raises ValueError for another shape.
        """
    def backward(self, delta: ArrayLike, *, threads: int = 1) -> _F32:
        """z = Wᵀ δ through the periphery (GV16), for delta of shape (rows,) or (batch, rows).

        z is (cols,) or (batch, cols). Every call draws new noise. Raises ValueError for another shape.
        """
    def evaluate(self, x: ArrayLike, *, draw: int = 0, threads: int = 1) -> _F32:
        """y = W x as `forward`, with the noise of evaluation vector `draw`, `draw + 1`, …; nothing changes.

        The same `draw` gives the same noise, and counts in no ledger.
        """
    def update(self, x: ArrayLike, delta: ArrayLike, lr: float) -> None:
        """One pulsed update W ← W + lr·δxᵀ in expectation (GV16), for x of shape (cols,) and delta of shape (rows,).

        Raises ValueError for another shape or an lr that is not finite.
        """
    def next_pulse_trains(
        self, x: ArrayLike, delta: ArrayLike, lr: float
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The pulse trains that `update` would fire next: booleans of shape (slots, rows) and (slots, cols).

        A device gets a pulse in each slot where its row and its column fire. Nothing changes.
        """
    def elapse(self, updates: int) -> None:
        """Tells the array that `updates` (at most 10¹⁵) have gone by: where devices relax or diffuse, they do.

        One-sided pairs are refreshed if a refresh is due.
        """
    def read(self, u: ArrayLike) -> _F32:
        """v = W u through the read periphery, for u of shape (cols,); v is (rows,), in weight units."""
    def read_column(self, k: int) -> _F32:
        """v = W e_k through the read periphery: the weights (rows,) of column k; ValueError if there is none."""
    def read_row(self, k: int) -> _F32:
        """v = Wᵀ e_k through the read periphery: the weights (cols,) of row k; ValueError if there is none."""
    def pulse_column(self, k: int, counts: ArrayLike) -> None:
        """Sends |n| pulses of the sign of n to each device of column k, n of integer `counts` (rows,).

        Raises ValueError for no such column and counts beyond ±1,000,000.
        """
    def pulse_row(self, k: int, counts: ArrayLike) -> None:
        """Sends |n| pulses of the sign of n to each device of row k, n of integer `counts` (cols,).

        Raises ValueError for no such row and counts beyond ±1,000,000.
        """
    def pulse(self, counts: ArrayLike) -> None:
        """Sends |n| pulses of the sign of n to each device, n of integer `counts` (rows, cols): column after column,
        those that get none left out.

        Raises ValueError for another shape and counts beyond ±1,000,000.
        """
    def copy_weights(self, out: _F32) -> None:
        """Copies the weights (rows, cols) into `out`, a C-contiguous float32 array of that shape.

        Raises ValueError for any other.
        """
    def program(self, target: ArrayLike, method: str = "exact", *, error: float = 0.0, max_pulses: int = 1000) -> int:
        """Writes `target` (rows, cols; weight units) onto the devices, and returns the pulses sent.

        `method` is "exact", "error" (adds N(0, `error`²), in weight units), "closed-loop" (pulses until a device is
        within half a mean step) or "open-loop" (as many as the mean device needs), at most `max_pulses` each; a device
        ends within its own bounds. Raises ValueError for another method and numbers out of range.
        """
    def read_weights(self, *, draw: int = 0) -> _F32:
        """The weights (rows, cols) read column by column through the read periphery, with the noise of read `draw`.

        Nothing changes, and nothing counts.
        """
    def state(self) -> dict[str, NDArray[Any]]:
        """Everything to continue from, bit for bit, by name: "weights", and after "weights." the reference,
        positions of random streams, counts of the ledger, and pulses if they are counted.
        """
    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Puts back a state of an array with the same settings, seed and number; ValueError for any other and if it
        does not fit, and the array is then as it was.
        """
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def __getnewargs_ex__(self) -> tuple[tuple[int, int, dict[str, Any]], dict[str, Any]]: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __setstate__(self, state: dict[str, Any], /) -> None: ...
    def zero_shift(self, pulses: int) -> None:
        """Alternates `pulses` up and down pulses on every device, then takes the states as reference (Kim et al. 2019).

        An even number ends on a pulse down, half a step below the symmetry point; an odd one as far above it. Raises
        ValueError for more than 10,000,000, and for one-sided pairs.
        """

@final
class AnalogLayer:
    """One rule with its arrays, for your own training loop.

    `rule` is a config of `tikitaka.config` or a `tikitaka.Rule`; `weights` (outputs, inputs) are what it starts from,
    clipped to each device; all randomness is a pure function of `seed` and the number `layer`.

    Raises ValueError for settings out of range and arrays of another shape or with values that are not finite, and
    TypeError for anything that is not a rule, a number or an array. A layer is for one thread at a time (RuntimeError
    otherwise).

    >>> import numpy as np
    >>> import tikitaka as tt
    >>> layer = tt.AnalogLayer(tt.DigitalSgd(lr=0.1), np.zeros((1, 2)))
    >>> x, target = np.array([1.0, 2.0]), 1.0
    >>> for _ in range(20):
    ...     layer.update(x, layer.forward(x) - target)  # delta = dL/dy of L = (y − target)²/2
    >>> print(layer.forward(x).round(3))
    [1.]
    """

    def __new__(cls, rule: Any, weights: ArrayLike, *, seed: int = 0, layer: int = 0) -> Self:
        """A rule on new arrays, the slow one at `weights`."""
    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
    @property
    def weights(self) -> _F32:
        """The weights (outputs, inputs) that the network sees, without any periphery (weight units): a read-only copy.

        Setting clips each to what its device can hold; ValueError for another shape or values that are not finite.
        """
    @weights.setter
    def weights(self, value: ArrayLike) -> None: ...
    def copy_weights(self, out: _F32) -> None:
        """Copies the weights (outputs, inputs) into `out`, a C-contiguous float32 array of that shape.

        Raises ValueError for any other.
        """
    def program(self, target: ArrayLike, method: str = "exact", *, error: float = 0.0, max_pulses: int = 1000) -> int:
        """Writes `target` (outputs, inputs; weight units) onto the devices of the array that the network sees.

        `method`, `error` and `max_pulses` are those of `Crossbar.program`. Returns the pulses sent. Raises ValueError
        for another method, numbers out of range, and a rule without devices unless `method` is "exact".
        """
    @property
    def average(self) -> _F32 | None:
        """The average (outputs, inputs) of reads of the iterates (weight units); None if there is none."""
    @property
    def ledger(self) -> dict[str, Any]:
        """Operations so far: those of the fast and the slow array, and digital ones."""
    @property
    def averaging(self) -> bool:
        """Whether iterates are being averaged."""
    @averaging.setter
    def averaging(self, on: bool) -> None: ...
    def forward(self, x: ArrayLike, *, threads: int = 1) -> _F32:
        """y = W x for x of shape (inputs,) or (batch, inputs); y is (outputs,) or (batch, outputs).

        Every call draws new noise. Raises ValueError for another shape.
        """
    def backward(self, delta: ArrayLike, *, threads: int = 1) -> _F32:
        """z = Wᵀ δ for delta of shape (outputs,) or (batch, outputs); z is (inputs,) or (batch, inputs)."""
    def update(self, x: ArrayLike, delta: ArrayLike, *, lr_scale: float = 1.0, threads: int = 1) -> None:
        """Learns from a sample or a batch: descends along delta = dL/dy of shape (outputs,) or (batch, outputs).

        x has shape (inputs,) or (batch, inputs); `lr_scale` multiplies the scheduled learning rate of the rule. The
        samples of a batch are applied one after another. Raises ValueError for another shape or an lr_scale below 0.
        """
    def evaluate(self, x: ArrayLike, *, draw: int = 0, threads: int = 1) -> _F32:
        """y = W x as `forward`, with the noise of evaluation vector `draw`, `draw + 1`, …; nothing changes."""
    def read_weights(self, *, draw: int = 0) -> _F32:
        """The weights (outputs, inputs) read column by column through the read periphery, with the noise of `draw`.

        Nothing changes.
        """
    def state(self) -> dict[str, NDArray[Any]]:
        """Everything to continue from, bit for bit, by name: arrays (outputs, inputs) where they are per crosspoint."""
    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Puts back a state of a layer with the same settings, seed and number; for any other and if it does not fit,
        ValueError, no change.
        """
    def device_parameters(self) -> dict[str, _F32]:
        """Constants of each device by name ("a.up_step", …), (outputs, inputs) each, in weight units."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def __getnewargs_ex__(self) -> tuple[tuple[Any, _F32], dict[str, int]]: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __setstate__(self, state: dict[str, Any], /) -> None: ...

@final
class Network:
    """A stack of layers, one rule per array; whole mini-batch steps run without the interpreter lock.

    `layers` are the dataclasses of `tikitaka.nn` (or their dicts); `rules` holds one rule, for all
    arrays, or one for each array in order. A rule is a config dataclass or a `tikitaka.Rule` object.
    """

    def __new__(cls, layers: Sequence[Any], rules: Any, *, loss: str = "cross-entropy", seed: int = 0) -> Self: ...
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def recurrent(self) -> bool: ...
    @property
    def carries(self) -> bool: ...
    def reset(self) -> None: ...
    @property
    def weights(self) -> list[_F32]: ...
    @weights.setter
    def weights(self, value: Sequence[ArrayLike]) -> None: ...
    def program(
        self,
        targets: Sequence[ArrayLike],
        method: str = "exact",
        *,
        error: float | Sequence[float] | None = None,
        max_pulses: int = 1000,
    ) -> list[int]:
        """Writes weights to every array by "exact", "error" (adds N(0, error²), in units of weight; one σ, by
        default 0, or one for each array), "closed-loop" or "open-loop" pulses; returns the pulses sent to each.
        """
    @property
    def averages(self) -> list[_F32] | None: ...
    @property
    def averaging(self) -> bool: ...
    @averaging.setter
    def averaging(self, on: bool) -> None: ...
    @property
    def ledger(self) -> dict[str, Any]: ...
    @property
    def ledgers(self) -> list[dict[str, Any]]: ...
    def train(
        self,
        x: ArrayLike,
        targets: ArrayLike,
        *,
        order: ArrayLike | None = None,
        batch: int = 1,
        lr_scale: float = 1.0,
        threads: int = 1,
    ) -> tuple[float, int]:
        """Train on the samples `order` of `x` (all, in order, by default): (sum of losses, number of wrong classes).

        Losses and wrong classes are those of every step, where the samples are sequences.
        """
    def evaluate(self, x: ArrayLike, targets: ArrayLike, *, draw: int = 0, threads: int = 1) -> tuple[float, int]: ...
    def forward(self, x: ArrayLike, *, draw: int = 0, threads: int = 1) -> _F32:
        """The outputs: (examples, outputs), or (examples, steps, outputs) with an LSTM."""
    def sample(
        self,
        prime: ArrayLike,
        count: int,
        *,
        temperature: float = 1.0,
        seed: int = 0,
        draw: int = 0,
        threads: int = 1,
    ) -> NDArray[np.int64]: ...
    def read_weights(self, *, draw: int = 0) -> list[_F32]: ...
    def state(self) -> dict[str, NDArray[Any]]: ...
    def restore(self, state: Mapping[str, ArrayLike]) -> None: ...
    def layer_state(self, array: int) -> dict[str, NDArray[Any]]: ...
    def device_parameters(self, array: int) -> dict[str, _F32]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...

def describe(
    rule: Any,
    rows: int,
    cols: int,
    *,
    x: float = 1.0,
    delta: float = 0.1,
    samples: int | None = None,
    lr_scale: float = 1.0,
) -> tuple[str, list[str]]: ...
def kinds(family: str) -> list[str]:
    """The kinds of a family, in order.

    `family` is "device", "part" (what an array has besides its devices) or "rule". Raises ValueError for another name.

    >>> kinds("device")
    ['soft-bounds', 'constant-step']
    """

def defaults(kind: str) -> dict[str, Any]:
    """The default settings of a kind, with the key "kind" unless it is a part.

    Raises ValueError for an unknown kind.
    """

def preset_sources(family: str) -> dict[str, tuple[str, str]]:
    """What the presets of `family` describe, and where their numbers are from ("" if they are ours).

    Raises ValueError for another family.
    """

@final
class Convolution:
    """The geometry of a convolution over images of (height, width) pixels with `channels` values each.

    Images are float32 arrays (images, height, width, channels). Pairs are (down, across), `padding` is that above,
    below, before and after. The columns of the array are the values of a patch, pixel by pixel, and 1 for a `bias`.

    Raises ValueError for numbers out of range, a kernel larger than the image, and arrays of another shape or with
    values that are not finite; TypeError for an `array` that is neither an AnalogLayer nor a Crossbar.
    """

    def __new__(
        cls,
        image: tuple[int, int],
        channels: int,
        kernel: tuple[int, int],
        *,
        stride: tuple[int, int] = ...,
        dilation: tuple[int, int] = ...,
        padding: tuple[int, int, int, int] = ...,
        bias: bool = False,
    ) -> Self: ...
    @property
    def patches(self) -> int:
        """Patches of an image."""

    def forward(
        self, array: AnalogLayer | Crossbar, images: ArrayLike, *, draw: int | None = None, threads: int = 1
    ) -> _F32:
        """W x for every patch x of `images`: (images, down, across, rows).

        Draws the noise of training, or with a `draw` that of the evaluation vectors from there on.
        """

    def backward(
        self, array: AnalogLayer | Crossbar, delta: ArrayLike, *, exact: bool = False, threads: int = 1
    ) -> _F32:
        """Wᵀ δ of every patch, added up where patches overlap: (images, height, width, channels).

        `delta` is (images, down, across, rows). Draws the noise of training; `exact` products have no periphery.
        """

    def update(
        self,
        layer: AnalogLayer,
        images: ArrayLike,
        delta: ArrayLike,
        *,
        lr_scale: float = 1.0,
        last: bool = True,
        threads: int = 1,
    ) -> None:
        """Lets a layer learn from every patch of `images` and its δ in turn, as `AnalogLayer.update` from vectors.

        `last` tells whether they end a mini-batch.
        """

    def gather(self, images: ArrayLike) -> _F32:
        """The patches of `images`, each an input vector of the array: (images × down × across, columns)."""

    def __eq__(self, other: object, /) -> bool: ...

def lstm_forward(
    array: AnalogLayer | Crossbar,
    inputs: ArrayLike,
    h: ArrayLike,
    c: ArrayLike,
    *,
    scale: float = 1.0,
    draw: int | None = None,
    threads: int = 1,
) -> tuple[_F32, _F32, tuple[_F32, _F32, _F32, _F32]]:
    """The outputs (steps, sequences, hidden) of an LSTM, its last c (sequences, hidden), and what the way back needs.

    `array` (4 hidden, hidden) sees h of the step before, and 1 if it has a column more; the gates i, f, g, o see
    `scale` times its products. `inputs` (steps, sequences, 4 hidden) are added to them; `h` and `c` (sequences, hidden)
    are the state before the first step. What is kept is (gates, inputs of the array, c before, tanh c), step by step.
    Draws the noise of training, or with a `draw` that of the evaluation vectors from there on.

    Raises ValueError for arrays of another shape or with values that are not finite, TypeError for an `array` that is
    neither an AnalogLayer nor a Crossbar.
    """

def lstm_backward(
    array: AnalogLayer | Crossbar,
    kept: tuple[_F32, _F32, _F32, _F32],
    dy: ArrayLike,
    dc: ArrayLike,
    *,
    scale: float = 1.0,
    exact: bool = False,
    threads: int = 1,
) -> tuple[_F32, _F32, _F32]:
    """The δ (steps, sequences, 4 hidden) of the gates of every step, and dL/dh and dL/dc (sequences, hidden) before it.

    `kept` is what `lstm_forward` returned, `dy` (steps, sequences, hidden) the gradient of its outputs, `dc`
    (sequences, hidden) that of the last c. Draws the noise of training; `exact` products have no periphery. Raises as
    `lstm_forward`.
    """

def mean_device(device: Any) -> dict[str, float]:
    """The mean device of a device config, in weight units.

    Its entries are weight_step, lower_bound, upper_bound, up_step and down_step at weight 0, symmetry_point,
    step_at_symmetry_point and noise_at_symmetry_point. Raises ValueError for settings that are not valid.

    >>> from tikitaka import SoftBounds
    >>> round(mean_device(SoftBounds(states=30))["weight_step"], 3)
    0.04
    """

def presets(family: str) -> dict[str, dict[str, Any]]:
    """The named settings of `family`, "device" or "periphery", as dicts in order. Raises ValueError for another family.

    >>> list(presets("periphery"))
    ['ideal', 'full']
    """

def bounds(kind: str) -> dict[str, tuple[float, float]]:
    """The least and the largest value of every number of a kind. Raises ValueError for an unknown kind."""

def validate(kind: str, config: Any) -> None:
    """Raises ValueError with the field, what is allowed and what was given, if a config or dict is not valid."""

def likelihood_of_sweeps(
    shape: str,
    multiplicative: bool,
    parameters: NDArray[np.float64],
    sweeps: tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.int64]],
    *,
    gradient: bool = True,
    threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """The negative log-likelihood of each sweep (sweeps,) and its gradient (sweeps, parameters).

    `sweeps` are values, signs, and the index at which each sweep begins; `parameters` are those of `shape`, then pulse
    noise and read noise. Raises ValueError for what does not fit.
    """

def states_of_sweeps(
    shape: str,
    multiplicative: bool,
    parameters: NDArray[np.float64],
    sweeps: tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.int64]],
) -> list[NDArray[np.float64]]:
    """Innovations, their variances, filtered states, smoothed states and the variances of these, all (reads,).

    Raises ValueError for what does not fit.
    """

def normals(seed: int, n: int) -> _F32: ...
def simd() -> str: ...
def save_tensors(path: str, tensors: Mapping[str, ArrayLike], metadata: Mapping[str, str]) -> None: ...
def load_tensors(path: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]: ...
def to_toml(config: Mapping[str, Any]) -> str: ...
