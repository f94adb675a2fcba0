"""The parts of time, energy and area of one array."""

from collections.abc import Mapping

from tikitaka.costs import formulas
from tikitaka.costs.band import Band
from tikitaka.costs.work import Work

__all__ = ["QUANTITIES", "parts_of"]

QUANTITIES = {"time_s": "s", "energy_j": "J", "area_mm2": "mm²"}
"""What is told, with its unit."""

Parts = dict[str, dict[str, Band]]


def parts_of(work: Work, numbers: Mapping[str, Band]) -> Parts:
    """The parts of each quantity, as bands: from the cheap, the usual and the dear value of all `numbers`."""
    told = [_told(work, {name: values[k] for name, values in numbers.items()}) for k in range(3)]
    return {
        name: {part: _band([each[name][part] for each in told]) for part in parts} for name, parts in told[0].items()
    }


def _band(values: list[float]) -> Band:
    """Usually the ends in order; a dear factor per bit makes a conversion of few bits cheap."""
    return Band(min(values), values[1], max(values))


def _told(work: Work, numbers: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """The parts of each quantity, each by its formula."""
    n, tiles = numbers, work.tiles
    read = (n["read_v"], n["conductance_us"], n["mvm_ns"])
    write = (n["write_v"], n["conductance_us"], n["slot_ns"])
    adc = (n["adc_pj"], n["adc_bit_factor"], n["adc_bit_factor_above_9"])
    return {
        "time_s": {
            "products": formulas.operations_time(work.products, n["mvm_ns"], tiles),
            "reads of lines": formulas.operations_time(work.reads, n["mvm_ns"], tiles),
            "pulse trains": formulas.slots_time(work.slots, n["slot_ns"], tiles),
            "writes of lines": formulas.slots_time(work.line_slots, n["slot_ns"], tiles),
            "digital operations": formulas.digital_time(work.operations, n["digital_gflops"], tiles),
        },
        "energy_j": {
            "array reads": formulas.read_energy(work.driven, n["mean_square_input"], *read)
            + formulas.read_energy(work.read, 1.0, *read),
            "DACs": sum(formulas.dac_energy(each.dac, each.dac_bits, n["dac_pj"]) for each in work.conversions),
            "ADCs": sum(formulas.adc_energy(each.adc, each.adc_bits, *adc) for each in work.conversions),
            "pulses": formulas.pulses_energy(work.pulses, *write),
            "half-selected devices": formulas.half_selected_energy(work.fired, *write),
            "charging of lines": formulas.charging_energy(work.fired, n["write_v"], n["line_ff"]),
            "digital operations": formulas.digital_energy(work.operations, n["digital_pj"]),
            "digital memories": formulas.buffer_energy(work.accesses, n["buffer_pj"]),
        },
        "area_mm2": {
            "devices": formulas.devices_area(work.devices, n["cell_f2"], n["feature_nm"]),
            "reference devices": formulas.devices_area(work.references, n["cell_f2"], n["feature_nm"]),
            "ADCs": formulas.adcs_area(work.lines, n["adc_um2"], n["lines_per_adc"]),
        },
    }
