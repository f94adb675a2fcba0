"""How good is the first order of the resistance of wires? Against the exact solution of the network of resistors.

    python examples/wires.py [PICTURE]

Arrays of n × n random weights from −1 to 1, inputs from −1 to 1. An output has a line for its positive weights and one
for its negative ones: a chain of n wires from the amplifier, where device k connects node k to its input while that
is on.
Prints, for wires of falling conductance, the largest load a of a line, what wires take of the outputs, and how far the
formula is from the exact solution: with ideal input lines, which it assumes, and with input lines of the same wire.
"""

import sys
from typing import Any

import numpy as np

import tikitaka as tt


def line(g: Any, v: Any, wire: float) -> float:
    """The current into the amplifier of a line of conductances g at the voltages v."""
    n = len(g)
    matrix = np.diag(g + np.where(np.arange(n) < n - 1, 2 * wire, wire))
    matrix -= wire * (np.eye(n, k=1) + np.eye(n, k=-1))
    return float(wire * np.linalg.solve(matrix, g * v)[0])


def array(g: Any, v: Any, wire: float) -> Any:
    """The currents of an array of conductances g (outputs, inputs) whose input lines are wires too, driven at the first
    device."""
    m, n = g.shape
    nodes = np.arange(m * n).reshape(m, n)  # of output lines; those of input lines come after them
    matrix = np.zeros((2 * m * n, 2 * m * n))

    def join(a: int, b: int, conductance: float) -> None:
        matrix[a, a] += conductance
        matrix[b, b] += conductance
        matrix[a, b] -= conductance
        matrix[b, a] -= conductance

    for i in range(m):
        for k in range(n):
            join(nodes[i, k], nodes[i, k] + m * n, g[i, k])
            if k + 1 < n:
                join(nodes[i, k], nodes[i, k + 1], wire)
            if i + 1 < m:
                join(nodes[i, k] + m * n, nodes[i + 1, k] + m * n, wire)
    source = np.zeros(2 * m * n)
    for i in range(m):
        matrix[nodes[i, 0], nodes[i, 0]] += wire  # to the amplifier, at 0 V
    for k in range(n):
        matrix[nodes[0, k] + m * n, nodes[0, k] + m * n] += wire
        source[nodes[0, k] + m * n] += wire * v[k]
    return wire * np.linalg.solve(matrix, source)[nodes[:, 0]]


def solved(weights: Any, x: Any, wire: float, whole: bool = False) -> Any:
    """The outputs of inputs that are on for a share |x| of the time."""
    y, before = np.zeros(len(weights)), 0.0
    for level in np.unique(np.abs(x)):
        on = np.abs(x) >= level
        for sign in (1, -1):
            g = np.where(on, np.maximum(sign * weights, 0), 0.0)
            if whole:
                currents = array(g + 1e-12, np.where(on, np.sign(x), 0), wire)
            else:
                currents = np.array([line(row, np.sign(x), wire) for row in g])
            y += sign * (level - before) * currents
        before = level
    return y


def main() -> None:
    rows = []
    print(f"{'n':>4}{'wire':>10}{'load a':>9}{'wires take':>12}{'formula':>9}{'with input lines':>18}")
    for n, wires in ((32, (1e5, 3e4, 1e4, 3e3, 1e3)), (64, (4e5, 1e5, 4e4, 1e4, 4e3)), (128, (1e6, 3e5, 1e5, 3e4))):
        generator = np.random.default_rng(1)
        weights = generator.uniform(-1, 1, (n, n))
        x = np.round(generator.uniform(-1, 1, n) * 7) / 7  # few lengths of pulses
        device = tt.ConstantStep(weight_step=0.001, bound=1.0)
        for wire in wires:
            made = tt.Crossbar(n, n, device, periphery=tt.Periphery(wire_ratio=wire))
            made.weights = weights
            exact, formula, ideal = solved(weights, x, wire), made.forward(x), weights @ x
            load = max(n / wire * np.maximum(s * weights, 0).dot(np.abs(x)).max() for s in (1, -1))
            size = np.linalg.norm(exact)
            taken, error = np.linalg.norm(ideal - exact) / size, np.linalg.norm(formula - exact) / size
            both = float("nan")
            if n == 32:
                both = float(np.linalg.norm(formula - solved(weights, x, wire, whole=True)) / size)
            rows.append((n, load, taken, error, both))
            last = "" if np.isnan(both) else f"{100 * both:.2f} %"
            print(f"{n:>4}{wire:>10,.0f}{load:>9.4f}{100 * taken:>10.2f} %{100 * error:>7.2f} %{last:>18}")
    if len(sys.argv) > 1:
        draw(rows, sys.argv[1])


def draw(rows: list[Any], path: str) -> None:
    """The error of the formula against the load of a line."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panel = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    for n, marker in ((32, "o"), (64, "s"), (128, "^")):
        of = np.array([row[1:] for row in rows if row[0] == n])
        panel.plot(of[:, 0], 100 * of[:, 2], marker=marker, label=f"formula, n = {n}")
        panel.plot(of[:, 0], 100 * of[:, 1], marker=marker, color="0.6", linestyle=":", zorder=1)
    of = np.array([row[1:] for row in rows if row[0] == 32])
    look: dict[str, Any] = {"marker": "o", "linestyle": "--", "color": "tab:red"}
    panel.plot(of[:, 0], 100 * of[:, 3], **look, label="input lines of wire, n = 32")
    panel.plot([], [], color="0.6", linestyle=":", label="what wires take")
    panel.axhline(2, color="0.35", linewidth=1)
    panel.axvspan(1e-6, 0.06, color="0.93", zorder=0)
    panel.set(xscale="log", yscale="log", xlabel="largest load a of a line", ylabel="error of the outputs (%)")
    panel.set_xlim(min(row[1] for row in rows) / 1.3, max(row[1] for row in rows) * 1.3)
    panel.grid(alpha=0.3)
    panel.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
