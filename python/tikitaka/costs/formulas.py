"""The equations of the costs, one function each: counts and numbers of the table in, seconds, joules or mm² out."""

__all__ = [
    "adc_energy",
    "adcs_area",
    "buffer_energy",
    "charging_energy",
    "dac_energy",
    "devices_area",
    "digital_energy",
    "digital_time",
    "half_selected_energy",
    "operations_time",
    "pulses_energy",
    "read_energy",
    "slots_time",
]

_REFERENCE_BITS, _FEWEST_BITS = 9, 5


def operations_time(operations: float, mvm_ns: float, tiles: int = 1) -> float:
    """n·t_MVM/T in s: `operations` products and reads of lines, each t_MVM = `mvm_ns` (ns), spread over T `tiles` that
    work side by side (R24 Table 1: t_MVM)."""
    return operations * mvm_ns * 1e-9 / tiles


def slots_time(slots: float, slot_ns: float, tiles: int = 1) -> float:
    """l·t_p/T in s: l `slots` of pulse trains or of writes to lines, each t_p = `slot_ns` (ns), whatever fires, spread
    over T `tiles` (R24 Table 1: l·t_p)."""
    return slots * slot_ns * 1e-9 / tiles


def digital_time(operations: float, digital_gflops: float, tiles: int = 1) -> float:
    """n/(F·T) in s: `operations` at F = `digital_gflops` (operations/ns) for each of T `tiles` (R24 Table 1: ops/F)."""
    return operations / (digital_gflops * 1e9 * tiles)


def read_energy(devices: float, mean_square: float, read_v: float, conductance_us: float, mvm_ns: float) -> float:
    """n·V²·G·t·⟨x²⟩ in J: `devices` driven, summed over products and reads; V = `read_v` (V) at an input of 1,
    G = `conductance_us` (µS), t = `mvm_ns` (ns), and ⟨x²⟩ = `mean_square` of the inputs, 1 for the line of a read
    (Joule's law)."""
    return devices * mean_square * read_v**2 * conductance_us * 1e-6 * mvm_ns * 1e-9


def adc_energy(
    conversions: float, bits: int, adc_pj: float, adc_bit_factor: float, adc_bit_factor_above_9: float
) -> float:
    """n·E₉·f^(b−9) in J: `conversions` of b `bits`, E₉ = `adc_pj` (pJ) at 9 bits; f = `adc_bit_factor` from 5 to 9 bits
    and `adc_bit_factor_above_9` above; fewer than 5 bits take what 5 do (isaac.py; Schreier FoM)."""
    apart = max(bits, _FEWEST_BITS) - _REFERENCE_BITS
    factor = adc_bit_factor if apart <= 0 else adc_bit_factor_above_9
    return conversions * adc_pj * 1e-12 * factor**apart


def dac_energy(conversions: float, bits: int, dac_pj: float) -> float:
    """n·b·E₁ in J: `conversions` of b `bits`, one after another, each E₁ = `dac_pj` (pJ) (isaac.py)."""
    return conversions * bits * dac_pj * 1e-12


def pulses_energy(pulses: float, write_v: float, conductance_us: float, slot_ns: float) -> float:
    """n·V²·G·t in J: `pulses` of V = `write_v` (V) through G = `conductance_us` (µS) for t = `slot_ns` (ns)
    (MLP_NeuroSim_V3.0 Cell.cpp, WriteEnergyCalculation)."""
    return pulses * write_v**2 * conductance_us * 1e-6 * slot_ns * 1e-9


def half_selected_energy(devices: float, write_v: float, conductance_us: float, slot_ns: float) -> float:
    """n·(V/2)²·G·t in J: `devices` on lines that fire, summed over firings; V = `write_v` (V), G = `conductance_us`
    (µS), t = `slot_ns` (ns) (MLP_NeuroSim_V3.0 Cell.cpp, WriteEnergyCalculation)."""
    return pulses_energy(devices, write_v / 2, conductance_us, slot_ns)


def charging_energy(devices: float, write_v: float, line_ff: float) -> float:
    """n·V²·C in J: the same `devices`, each with C = `line_ff` (fF) of line, at V = `write_v` (V)
    (MLP_NeuroSim_V3.0 Cell.cpp, WriteEnergyCalculation; C is an estimate)."""
    return devices * write_v**2 * line_ff * 1e-15


def digital_energy(operations: float, digital_pj: float) -> float:
    """n·E in J: `operations`, each E = `digital_pj` (pJ) (Horowitz 2014 as in PMC8934428 Table 3)."""
    return operations * digital_pj * 1e-12


def buffer_energy(accesses: float, buffer_pj: float) -> float:
    """n·E in J: `accesses` to values of 32 bits, each E = `buffer_pj` (pJ) (Horowitz 2014 as in PMC8934428 Table 3)."""
    return accesses * buffer_pj * 1e-12


def devices_area(devices: float, cell_f2: float, feature_nm: float) -> float:
    """n·a·F² in mm²: `devices` of a = `cell_f2` squares of the feature size F = `feature_nm` (nm) (CiMLoop
    rram_neurosim_default)."""
    return devices * cell_f2 * (feature_nm * 1e-6) ** 2


def adcs_area(lines: float, adc_um2: float, lines_per_adc: float) -> float:
    """n/m·A in mm²: `lines` of which m = `lines_per_adc` share a converter of A = `adc_um2` (µm²) (isaac.py)."""
    return lines / lines_per_adc * adc_um2 * 1e-6
