"""Would rates beyond the edges of the studies' candidates have done better? 27 trainings, some 3 minutes on two cores.

    python results/claims/edges.py DATA

As in the last round of the search: 4 epochs of the first 50,000 training images, judged on the last 10,000. A star
marks what lies outside of the candidates.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import tikitaka as tt
from tikitaka.experiments import learning_rates
from tikitaka.experiments.measure import scored


def lines() -> list[tuple[str, str, list[tuple[float, bool, tt.RuleConfig]]]]:
    """What is tried: a rule with its devices, the name of its rate, and (rate, whether a candidate, rule) for each."""
    tried: list[tuple[str, str, list[tuple[float, bool, tt.RuleConfig]]]] = [
        ("float", "lr", [(lr, lr <= 0.2, tt.DigitalSgd(lr=lr)) for lr in (0.2, 0.3, 0.4)])
    ]
    for states in (20, 100, 300):
        device = tt.SoftBounds(states=states)
        rules: list[tuple[str, str, Any, tuple[float, ...], tuple[float, ...]]] = [
            ("sgd", "lr", tt.AnalogSgd(device=device), (0.03, 0.1), (0.2, 0.3)),
            ("ttv1", "fast_lr", tt.Ttv1(transfer_lr=0.3, device=device), (0.5,), (1.0, 2.0)),
            (
                "ttv2",
                "fast_lr",
                tt.Ttv2(transfer_lr=3.0 * states / 20, max_pulses=states // 20, device=device),
                (0.8,),
                (1.6, 3.2),
            ),
        ]
        for kind, name, rule, inside, outside in rules:
            each = [(rate, rate in inside, replace(rule, **{name: rate})) for rate in (*inside, *outside)]
            tried.append((f"{kind}, {states} states", name, each))
    return tried


def main(data_dir: str) -> None:
    def error(rule: tt.RuleConfig) -> float:
        config = tt.TrainConfig(net="fcn", data="mnist", epochs=4, holdout=10_000, seed=learning_rates.SEED, rule=rule)
        return 100 * float(scored(config, data_dir=data_dir)["test_error"])

    with ThreadPoolExecutor(2) as threads:
        for title, name, tried in lines():
            found = threads.map(error, [rule for _, _, rule in tried])
            shown = (
                f"{rate:g}{'' if known else '*'} {percent:.2f} %"
                for (rate, known, _), percent in zip(tried, found, strict=True)
            )
            print(f"{title:18} {name:8} {',  '.join(shown)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
