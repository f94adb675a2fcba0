"""Train one network on noisy 20-state devices, twice: by analog SGD and by TTv2."""

import tikitaka as tt


def main(epochs: int = 20) -> dict[str, float]:
    """Print and return the test errors (shares from 0 to 1)."""
    digits = tt.data.load("digits")
    device = tt.SoftBounds(states=20, cycle_noise=0.3)
    errors = {}
    rules = {"sgd": tt.Sgd(lr=0.1, device=device), "ttv2": tt.Ttv2(fast_lr=0.5, transfer_lr=3.0, device=device)}
    for name, rule in rules.items():
        network = tt.Network(tt.models.fcn(digits.inputs, digits.classes), rule, seed=1)
        tt.fit(network, digits, epochs=epochs)
        errors[name] = network.evaluate(digits.test_x, digits.test_y).error
        print(f"{name}: {100 * errors[name]:.1f} % test error, {network.pulses:,} pulses")
    average = tt.extract.average(network)
    assert average is not None  # ttv2 averages its weights over the last third of the epochs
    errors["average"] = average.evaluate(digits.test_x, digits.test_y).error
    print(f"average of ttv2's weights, in exact arithmetic: {100 * errors['average']:.1f} %")
    return errors


if __name__ == "__main__":
    main()
