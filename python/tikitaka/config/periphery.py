"""The circuits around an array: converters, noise and management of products and reads."""

from dataclasses import dataclass
from typing import Annotated, Self

from tikitaka import _core
from tikitaka.config.base import Config

__all__ = ["IoSettings", "Periphery"]


@dataclass(frozen=True, repr=False)
class IoSettings(Config):
    """The periphery of one direction of matrix-vector products; everything off by default, which is the exact product.

    Values of the RPU baseline: GV16. A converter of b bits has 2^b − 2 steps over its range.
    """

    dac_bits: Annotated[int, "resolution of the input converters (bits, 2 to 24; 0 = off)"] = 0
    dac_bound: Annotated[float, "input range ± of the DAC (input units, after noise management)"] = 1.0
    adc_bits: Annotated[int, "resolution of the output converters (bits, 2 to 24; 0 = off)"] = 0
    adc_bound: Annotated[float, "output range ± of the ADC (output units)"] = 12.0
    output_noise: Annotated[float, "additive Gaussian noise σ of every output (output units)"] = 0.0
    noise_management: Annotated[bool, "divide the input by its largest |x| and multiply back"] = False
    bound_management: Annotated[bool, "halve the input and repeat while an output saturates"] = False
    adc_gain_error: Annotated[float, "standard deviation of the gains of the ADCs about 1"] = 0.0
    adc_offset_error: Annotated[float, "standard deviation of the offsets of the ADCs (output units)"] = 0.0
    read_noise: Annotated[float, "noise σ of each device that takes part, relative to its weight"] = 0.0
    bit_serial: Annotated[bool, "apply the bits of an input one after another, each through the ADC"] = False


@dataclass(frozen=True, repr=False)
class Periphery(Config):
    """The peripheries of forward products, backward products and single-line reads."""

    forward: Annotated[IoSettings, "y = Wx"] = IoSettings()
    backward: Annotated[IoSettings, "z = Wᵀδ"] = IoSettings()
    read: Annotated[IoSettings, "reads of one column or row"] = IoSettings()
    wire_ratio: Annotated[
        float | None, "conductance of a wire between neighbours over that of a weight of 1 (default: ideal wires)"
    ] = None

    @classmethod
    def ideal(cls) -> Self:
        """Exact products and reads: no converters, no noise."""
        return cls()

    @classmethod
    def full(cls, output_noise: float = 0.06) -> Self:
        """Converters, noise σ = `output_noise` (output units) and management of GV16; reads at an ADC range of ±1."""
        preset = _core.presets("periphery")["full"]
        noise = {"output_noise": output_noise}
        directions = {
            name: IoSettings(**{**value, **noise}) for name, value in preset.items() if isinstance(value, dict)
        }
        return cls(**{**preset, **directions})
