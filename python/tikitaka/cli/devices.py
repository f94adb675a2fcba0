"""`tikitaka devices`: the devices that have a name."""

from typing import Any

import click

from tikitaka._core import mean_device, preset_sources
from tikitaka.cli.output import print_json
from tikitaka.config import Device, presets, to_dict

__all__ = ["devices"]

_HEAD = ("name", "kind", "states", "asymmetry", "symmetry point", "pulse noise")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def devices(as_json: bool) -> None:
    """List the devices that have a name, with the numbers of their mean device and their sources.

    \b
    states          range of weights by the step at the symmetry point
    asymmetry       (up step - down step)/(up step + down step) at weight 0
    symmetry point  where up and down steps cancel, from 0 (lower bound) to 1 (upper bound)
    pulse noise     standard deviation of an up step at the symmetry point, in steps

    Use a name as --device of `tikitaka train` or `tikitaka plot`, as preset = "NAME" in a file, or as presets["NAME"]
    in Python.
    """
    sources = preset_sources("device")
    rows = {name: _numbers(device) for name, device in presets.items()}
    if as_json:
        print_json(
            {
                name: {
                    "kind": presets[name].kind,
                    **numbers,
                    "about": sources[name][0],
                    "source": sources[name][1],
                    "device": to_dict(presets[name]),
                }
                for name, numbers in rows.items()
            }
        )
        return
    table = [_HEAD, *((name, presets[name].kind, *map(_short, numbers.values())) for name, numbers in rows.items())]
    widths = [max(len(row[k]) for row in table) for k in range(len(_HEAD))]
    for k, row in enumerate(table):
        text = "  ".join([*(cell.ljust(w) for cell, w in zip(row[:2], widths[:2], strict=True))])
        text += "  " + "  ".join(cell.rjust(w) for cell, w in zip(row[2:], widths[2:], strict=True))
        click.echo(text)
        if k:
            about, source = sources[row[0]]
            click.echo(f"    {about}{f'; {source}' if source else ''}")


def _numbers(device: Device) -> dict[str, float]:
    mean: dict[str, Any] = mean_device(device)
    up, down, step = mean["up_step"], mean["down_step"], mean["step_at_symmetry_point"]
    span = mean["upper_bound"] - mean["lower_bound"]
    return {
        "states": span / step,
        "asymmetry": (up - down) / (up + down),
        "symmetry_point": (mean["symmetry_point"] - mean["lower_bound"]) / span,
        "pulse_noise": mean["noise_at_symmetry_point"] / step,
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value + 0.0:.2g}"
