"""The search for the rate that `swa` holds: trained on 50,000 images, tested on 10,000 held out of the training set.

python results/extraction/swa-rates.py DATA
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from tikitaka.config import Periphery, Ttv2
from tikitaka.model import extract
from tikitaka.training import TrainConfig, schedules

FACTORS, SEEDS = (0.3, 0.6, 1.0), (1, 2)


def run(factor: float, seed: int) -> str:
    name = f"swa {factor}"
    schedules[name] = {**schedules["swa"], "analog": (1.0, factor, factor)}
    config = TrainConfig(holdout=10_000, schedule=name, seed=seed, rule=Ttv2(periphery=Periphery.full()))
    data = config.dataset(sys.argv[1])
    network = config.network(data)
    chip = config.fit(network, data, progress=False)[-1].test_error
    read, average = extract.last_read(network), extract.average(network)
    errors = [100 * model.evaluate(data.test_x, data.test_y).error for model in (read, average) if model is not None]
    return f"| {factor:g} | {seed} | {100 * chip:.2f} | {errors[0]:.2f} | {errors[1]:.2f} |"


if __name__ == "__main__":
    print("| held at | seed | the chip itself | one read | average |\n|---|---|---|---|---|")
    with ThreadPoolExecutor(2) as pool:
        for line in pool.map(lambda job: run(*job), [(f, s) for f in FACTORS for s in SEEDS]):
            print(line, flush=True)
