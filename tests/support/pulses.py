"""Synthetic measurements: a device with soft bounds, pulsed up and down, in files of every layout."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tikitaka as tt

__all__ = ["LAYOUTS", "SCREEN", "Layout", "cycles", "in_a_row", "read_or_refused", "rows_of"]

F64 = NDArray[np.float64]

SCREEN = 80 * 24

LOW, HIGH, STEP = 10.0, 30.0, 0.03
"""bounds in µS, and the share of the way to a bound that one pulse goes"""


def cycles(pulses: int = 60, count: int = 3, *, noise: float = 0.05, seed: int = 1) -> tuple[list[F64], list[F64]]:
    """Reads after each up pulse and after each down pulse of `count` cycles, in µS."""
    rng = np.random.default_rng(seed)
    g = LOW + 1
    ups: list[F64] = []
    downs: list[F64] = []
    for _ in range(count):
        for bound, traces in ((HIGH, ups), (LOW, downs)):
            trace = []
            for _ in range(pulses):
                g += STEP * (bound - g)
                trace.append(g)
            traces.append(np.array(trace) + noise * rng.standard_normal(pulses))
    return ups, downs


def in_a_row(ups: Sequence[F64], downs: Sequence[F64]) -> F64:
    """The reads of all cycles, one after the other."""
    return np.concatenate([each for pair in zip(ups, downs, strict=True) for each in pair])


def rows_of(*columns: Sequence[object], delimiter: str = ",") -> str:
    """Lines of columns of any lengths, blank where they have ended."""
    length = max(map(len, columns))
    cells = ([str(column[k]) if k < len(column) else "" for column in columns] for k in range(length))
    return "".join(delimiter.join(row) + "\n" for row in cells)


def text(values: NDArray[Any], digits: int = 5) -> list[str]:
    """Numbers as a program writes them."""
    return [f"{value:.{digits}f}" for value in values]


@dataclass(frozen=True)
class Layout:
    """A file, and what must be read from it."""

    name: str
    """of the file"""
    content: bytes
    """of the file"""
    ups: Sequence[F64]
    """reads of the up sweeps, in the unit of the table"""
    downs: Sequence[F64]
    """and of the down sweeps"""
    unit: str = ""
    """of the table"""
    said: str = ""
    """words of the account"""


def _wide(ups: Sequence[F64], downs: Sequence[F64]) -> Iterator[list[str]]:
    for up, down in zip(ups, downs, strict=True):
        yield text(up)
        yield text(down)


def _table(ups: Sequence[F64], downs: Sequence[F64], row: Callable[[int, int, float], str]) -> str:
    lines = []
    for cycle, pair in enumerate(zip(ups, downs, strict=True), 1):
        for sign, trace in zip((1, -1), pair, strict=True):
            lines += [row(cycle, sign, value) for value in trace]
    return "\n".join(lines) + "\n"


def _layouts() -> dict[str, Layout]:
    ups, downs = cycles()
    one = (ups[:1], downs[:1])
    micro = [up * 1e-6 for up in ups], [down * 1e-6 for down in downs]
    row = in_a_row(ups, downs)
    counts = np.arange(60) + np.random.default_rng(3).normal(0, 0.02, 60)
    made = {
        "a row per read": Layout(
            "table.csv",
            (
                "device,cycle,pulse,G (uS),V,width,t\n"
                + _table(ups, downs, lambda c, s, v: f"A1,{c},{s},{v:.5f},{2.5 if s > 0 else -2.7},1e-6,{c}")
            ).encode(),
            *micro,
            unit="S",
            said="signs of pulses by column 'pulse'",
        ),
        "signs of voltages, in kilo-ohm": Layout(
            "table.tsv",
            ("V\tR (kohm)\n" + _table(ups, downs, lambda c, s, v: f"{2.5 * s}\t{1e3 / v:.6f}")).encode(),
            *micro,
            unit="S",
            said="resistance in kohm: G = 1/R",
        ),
        "words, currents, a read voltage": Layout(
            "words.csv",
            (
                "operation,I (nA),read_V\n"
                + _table(ups, downs, lambda c, s, v: f"{'SET' if s > 0 else 'RESET'},{200 * v:.4f},0.2")
            ).encode(),
            *micro,
            unit="S",
            said="current in nA, read at 0.2 V: G = I/V",
        ),
        "two columns without headings": Layout(
            "two.csv", rows_of(text(ups[0]), text(downs[0])).encode(), *one, said="two columns without headings"
        ),
        "a column for each trace": Layout(
            "wide.csv",
            (
                "c1 up,c1 down,c2 up,c2 down,c3 up,c3 down\n".replace("c", "cycle ") + rows_of(*_wide(ups, downs))
            ).encode(),
            ups,
            downs,
            said="columns are traces: 3 up, 3 down",
        ),
        "columns of averages": Layout(
            "average.csv",
            ("up,down,average,std\n" + rows_of(*map(text, (ups[0], downs[0], ups[0] + downs[0], ups[0])))).encode(),
            *one,
            said="columns of averages, errors or fits are ignored: average, std",
        ),
        "one column of values, turning": Layout(
            "one.txt", rows_of(text(row)).encode(), ups, downs, said="6 blocks of 60 pulses each, up first"
        ),
        "time and values, semicolons, decimal commas, Latin-1": Layout(
            "german.csv",
            ("t (s);G (µS)\r\n" + rows_of(text(np.arange(360) / 10), text(row), delimiter=";").replace(".", ","))
            .replace("\n", "\r\n")
            .encode("latin-1"),
            *micro,
            unit="S",
            said="semicolons between cells, decimal commas",
        ),
        "one column with decimal commas": Layout(
            "comma.txt", rows_of(text(row)).replace(".", ",").encode(), ups, downs, said="decimal commas"
        ),
        "UTF-16 with a byte order mark": Layout(
            "utf16.txt", ("LTP\tLTD\r\n" + rows_of(text(ups[0]), text(downs[0]), delimiter="\t")).encode("utf-16"), *one
        ),
        "UTF-8 with a byte order mark": Layout(
            "bom.csv", ("LTP,LTD\n" + rows_of(text(ups[0]), text(downs[0]))).encode("utf-8-sig"), *one
        ),
        "UTF-16 without one": Layout(
            "le.txt", ("LTP\tLTD\n" + rows_of(text(ups[0]), text(downs[0]), delimiter="\t")).encode("utf-16-le"), *one
        ),
        "old ends of lines": Layout(
            "mac.csv", ("LTP,LTD\n" + rows_of(text(ups[0]), text(downs[0]))).replace("\n", "\r").encode(), *one
        ),
        "names, then units": Layout(
            "origin.txt",
            (
                "Pulse\tLTP\tLTD\n#\tuS\tuS\n"
                + rows_of(list(range(1, 61)), text(ups[0]), text(downs[0]), delimiter="\t")
            ).encode(),
            micro[0][:1],
            micro[1][:1],
            unit="S",
            said="lines 3 to 62",
        ),
        "a preamble with numbers": Layout(
            "preamble.csv",
            (
                "Setup title\tpulses\r\ntest date\t19.09.2024\r\nground,pulse,start,end\r\n"
                "SMU2,WGFMU1,0.0,2.5,0.0,-2.0\r\nCount\t1\r\nindex, G_up (uS), G_down (uS)\r\n"
                + rows_of(list(range(60)), text(ups[0]), text(downs[0]), delimiter=", ").replace("\n", "\r\n")
            ).encode(),
            micro[0][:1],
            micro[1][:1],
            unit="S",
            said="lines 7 to 66",
        ),
        "digitised pulse numbers, a mirrored and longer down trace": Layout(
            "digitised.csv",
            (
                "pulse LTP,G LTP (nS),pulse LTD,G LTD (nS)\n"
                + rows_of(text(counts[:50]), text(ups[0][:50]), text(counts), text(downs[0][::-1]))
            ).encode(),
            [ups[0][:50] * 1e-9],
            [downs[0] * 1e-9],
            unit="S",
            said="the down traces rise and are read backwards",
        ),
        "rows that are sweeps": Layout(
            "rows.csv",
            "".join(
                f"{kind} {k + 1}," + ",".join(text(traces[k][: 60 - 5 * k])) + "\n"
                for k in range(3)
                for kind, traces in (("erase", ups), ("program", downs))
            ).encode(),
            [up[: 60 - 5 * k] for k, up in enumerate(ups)],
            [down[: 60 - 5 * k] for k, down in enumerate(downs)],
            said="'erase' up, 'program' down",
        ),
        "rows that are sweeps of equal length, with numbers": Layout(
            "numbered.csv",
            "".join(
                f"{kind},{k + 1}," + ",".join(text(traces[k] / 1000, 8)) + "\n"
                for k in range(3)
                for kind, traces in (("set", ups), ("reset", downs))
            ).encode(),
            [up / 1000 for up in ups],
            [down / 1000 for down in downs],
            said="6 rows, each a sweep of 60 reads",
        ),
        "blank lines between blocks": Layout(
            "blocks.txt",
            "\n\n".join(rows_of(text(trace)) for pair in zip(ups, downs, strict=True) for trace in pair).encode(),
            ups,
            downs,
            said="blank lines separate 6 blocks",
        ),
        "spaces, ragged": Layout(
            "spaces.txt",
            (
                "# up  down\n" + "".join(f"  {a:.5f}   {b:.5f}\n" for a, b in zip(ups[0], downs[0], strict=True))
            ).encode(),
            *one,
            said="spaces between cells",
        ),
        "quotes": Layout(
            "quotes.csv",
            (
                '"G up, read","G down, read"\n'
                + "".join(f'"{a:.5f}","{b:.5f}"\n' for a, b in zip(ups[0], downs[0], strict=True))
            ).encode(),
            *one,
        ),
        "JSON by direction, with repeats": Layout(
            "repeats.json", _repeats(ups, downs), *micro, unit="S", said="backwards"
        ),
        "JSON of lists of lists": Layout(
            "lists.json",
            json.dumps({"up": [u.tolist() for u in ups], "down": [d.tolist() for d in downs]}).encode(),
            ups,
            downs,
        ),
        "JSON of records": Layout(
            "records.json",
            json.dumps(
                [
                    {"cycle": c, "pulse": s, "G (uS)": v}
                    for c in range(3)
                    for s, trace in ((1, ups[c]), (-1, downs[c]))
                    for v in trace.tolist()
                ]
            ).encode(),
            *micro,
            unit="S",
        ),
        "JSON of a list": Layout("list.json", json.dumps(row.tolist()).encode(), ups, downs),
        "JSON by device": Layout(
            "devices.json",
            json.dumps({"devices": {"A1": {"up": ups[0].tolist(), "down": downs[0].tolist()}}}).encode(),
            *one,
        ),
        "NPY of a row": Layout("row.npy", _npy(row), ups, downs),
        "NPY of columns": Layout("columns.npy", _npy(np.stack([ups[0], downs[0]], axis=1)), *one),
        "NPZ": Layout("arrays.npz", _npz(up=np.stack(ups), down=np.stack(downs)), ups, downs),
    }
    return made


def _repeats(ups: Sequence[F64], downs: Sequence[F64]) -> bytes:
    """As a group at ETH Zurich stores it: flat lists, the first read before any pulse, down backwards."""
    g_set = [g for up in ups for g in [11e-6, *(up * 1e-6).tolist()]]
    g_reset = [g for down in downs for g in [*(down[::-1] * 1e-6).tolist(), 27e-6]]
    norm = (np.array(g_set) * 1e5).tolist()
    read = {"read_V": 0.2, "repeats": 3, "N": 60, "alpha_noise_set": [0.1] * 30}
    return json.dumps({"V": [2.5, -2.7], **read, "Gset": g_set, "Greset": g_reset, "Gset_norm": norm}).encode()


def _npy(array: F64) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(up: F64, down: F64) -> bytes:
    file = io.BytesIO()
    np.savez(file, up=up, down=down)
    return file.getvalue()


LAYOUTS = _layouts()


def read_or_refused(path: Path) -> None:
    """The file is read, or refused in a short message that names it."""
    words = str(path)
    try:
        tt.read_measured(path)
    except ValueError as error:
        words = str(error)
    assert words.startswith(str(path))
    assert len(words) < SCREEN
