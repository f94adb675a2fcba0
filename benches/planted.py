"""Does an assessment name the weakness that was planted in a device? Ten times for each of three devices.

    TIKITAKA_DATA=DATA python benches/planted.py --data mnist --minutes 1 --out FOLDER

Each assessment has seeds of its own. Prints what it names, and how often the planted weakness comes first; what is in
FOLDER is not trained again. On the bundled digits, TTv2 trains fcn with devices of a single state as well as with many.
"""

import argparse
import warnings
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import tikitaka as tt
from tikitaka.assessment.run import LEVELS
from tikitaka.nn import Layer, Linear, Sigmoid, Sizes, nets

WEAK = {
    "states": (tt.SoftBounds(states=2, cycle_noise=0.1, step_spread=0.1, bound_spread=0.1), tt.Reference("ideal")),
    "pulse noise": (tt.SoftBounds(states=20, cycle_noise=4.0), tt.Reference("ideal")),
    "reference error": (tt.SoftBounds(states=20), tt.Reference("ideal", mean=0.2)),
}
"""Devices and references by their weakness."""


def small(data: Sizes) -> list[Layer]:
    """A network that is trained five times as fast as fcn."""
    return [Linear(data.inputs, 48), Sigmoid(), Linear(48, data.outputs)]


def named(
    weakness: str, data: str, first: int, seeds: int, minutes: float, threads: int | None, out: Path
) -> list[str]:
    """The properties that limit the device with a weakness, the first most, by seeds from `first` on."""
    device, reference = WEAK[weakness]
    found = tt.assess(
        device,
        data=data,
        minutes=minutes,
        out=out / f"{weakness.replace(' ', '-')}-{first}",
        seeds=range(first, first + seeds),
        reference=reference,
        threads=threads,
        progress=False,
    )
    return found.limited_by


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", default="digits", help="data set of the trainings")
    parser.add_argument("--minutes", type=float, default=2.0, help="of each assessment")
    parser.add_argument("--threads", type=int, help="of each assessment (default: cores)")
    parser.add_argument("--times", type=int, default=10, help="assessments of each device")
    parser.add_argument("--seeds", type=int, default=5, help="of each assessment")
    parser.add_argument("--out", type=Path, required=True, help="folder of the assessments")
    parser.add_argument(
        "--quick", action="store_true", help="a small network and only what the naming depends on: ttv2, half and ideal"
    )
    given = parser.parse_args()
    if given.quick:
        patch.multiple("tikitaka.assessment.run", USUAL=("float", "ttv2"), LEVELS=LEVELS[:2]).start()
        patch.dict(nets, fcn=replace(nets["fcn"], build=small)).start()
    warnings.simplefilter("ignore")
    for weakness in WEAK:
        right = 0
        for k in range(given.times):
            limits = named(weakness, given.data, 1000 * k, given.seeds, given.minutes, given.threads, given.out)
            right += limits[:1] == [weakness]
            print(f"{weakness}, seeds from {1000 * k}: {', '.join(limits) or 'nothing significant'}", flush=True)
        print(f"{weakness}: first in {right} of {given.times}", flush=True)


if __name__ == "__main__":
    main()
