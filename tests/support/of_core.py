"""The twin of a network of the core."""

from dataclasses import replace

import numpy as np

import tikitaka as tt
import twin


def twin_rule(config: tt.RuleConfig, core: tt.Network, layer: int, seed: int, ties: twin.Ties) -> twin.Rule:
    """The twin of an array's rule: with the device constants, initial weights and next trains of the core."""
    weights = core.weights[layer].astype(float)
    if isinstance(config, tt.DigitalSgd):
        return twin.Float(config, weights)
    constants = core.device_parameters(layer)
    trains_of_rule = getattr(config, "pulse_trains", tt.PulseTrains())

    def array(name: str, model: tt.Device, reference: tt.Reference, nth_fast: int = 0) -> twin.Array:
        number = 2 * layer + (name == "c") + (nth_fast << 40)
        source = tt.Crossbar(*weights.shape, model, pulse_trains=trains_of_rule, seed=seed, array=number)

        def fires(x: twin.F64, delta: twin.F64, lr: float) -> tuple[twin.Bools, twin.Bools]:
            trains = source.next_pulse_trains(x, delta, lr)
            for near in (lr * (1 - 5e-6), lr * (1 + 5e-6)):  # a number that decides whether a line fires may be a tie
                same = (
                    np.array_equal(*pair) for pair in zip(trains, source.next_pulse_trains(x, delta, near), strict=True)
                )
                ties.note(1.0 if all(same) else 0.0)
            source.update(x, delta, lr)  # trains depend on earlier updates, not on the weights
            return trains

        periphery = config.periphery
        if name == "c" and isinstance(config, tt.TransferRule | tt.MixedPrecision):  # reads of C make averages
            periphery = replace(periphery, read=replace(periphery.read, adc_bound=config.average_bound))
        own = {key.removeprefix(f"{name}."): value for key, value in constants.items() if key.startswith(f"{name}.")}
        setup = {"periphery": periphery, "pulse_trains": trains_of_rule, "reference": reference, "ties": ties}
        return twin.Array(twin.Devices(model, own), fires, **setup)

    if isinstance(config, tt.AnalogSgd | tt.MixedPrecision):
        c = array("c", config.device, config.reference)
        c.hold(weights)
        return twin.AnalogSgd(config, c) if isinstance(config, tt.AnalogSgd) else twin.MixedPrecision(config, c)
    c = array("c", config.slow_device or config.device, config.slow_reference)
    c.hold(core.layer_state(layer)["c"])
    if isinstance(config, tt.Tiles):
        names = enumerate(twin.tile_names(config.fast_tiles))
        fast = [array(name, config.device, config.reference, n) for n, name in names]
        return twin.Tiles(config, fast, c)
    a = array("a", config.device, config.reference)
    if isinstance(config, tt.Ttv1 | tt.Rl):
        return twin.Ttv1(config, a, c)
    if isinstance(config, tt.Rider):
        return twin.Rider(config, a, c)
    return twin.Ttv2(config, a, c) if isinstance(config, tt.Ttv2) else twin.Filtered(config, a, c)
