//! Device constants in two bytes each, since an array keeps them for every crosspoint.

use super::variation::Point;
use crate::simd::{LANES, Mask};

/// The constants of a device in units of those of the mean device, as numbers of 16 bits, 5 for the exponent and 11 for
/// the mantissa: within 1/4096 of what was drawn and the mean device's own exactly, from 10⁻⁶ to 4,095 times those.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompactPoint([u16; 4]);

/// 1 in this format.
const ONE: u32 = 20 << 11;

/// Bits by which the mantissa of f32 is longer.
const CUT: u32 = 12;

/// From a number of 16 bits, moved into the place of an f32, to its value.
const SCALE: f32 = f32::from_bits((2 * 127 - (ONE >> 11)) << 23);

/// α₋, α₊, w_min and w_max of the mean device, times [`SCALE`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Units([f32; 4]);

impl Units {
    /// Of a mean step and a mean bound, each at most 10⁶.
    pub(super) fn new(step: f32, bound: f32) -> Self {
        Self([step, step, -bound, bound].map(|unit| unit * SCALE))
    }

    pub(super) fn compact(self, point: &Point) -> CompactPoint {
        let ([down, up], [lower, upper]) = (point.step, point.bound);
        let mut values = [down, up, lower, upper];
        values.iter_mut().zip(self.0).for_each(|(value, unit)| *value /= unit / SCALE);
        CompactPoint(values.map(from_f32))
    }

    #[inline(always)]
    pub(super) fn expand(self, point: CompactPoint) -> Point {
        let mut values = [0.0; 4];
        for ((value, bits), unit) in values.iter_mut().zip(point.0).zip(self.0) {
            *value = f32::from_bits(u32::from(bits) << CUT) * unit;
        }
        let [down, up, lower, upper] = values;
        Point { step: [down, up], bound: [lower, upper] }
    }

    /// α₋, α₊, w_min and w_max of a block of devices.
    #[inline(always)]
    pub(super) fn expand_block<M: Mask>(self, points: &[CompactPoint; LANES]) -> [[f32; LANES]; 4] {
        let bits = M::transpose(&points.map(|point| point.0));
        let values = |k: usize| bits[k].map(|bits| f32::from_bits(bits << CUT) * self.0[k]);
        [values(0), values(1), values(2), values(3)]
    }
}

/// The nearest number of 16 bits, ties to even; 0 for negative values, the largest one for larger values.
fn from_f32(value: f32) -> u16 {
    let bits = (value.max(0.0) / SCALE).to_bits();
    let rounded = (bits + (1 << (CUT - 1)) - 1 + ((bits >> CUT) & 1)) >> CUT;
    u16::try_from(rounded).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_f32(value: u16) -> f32 {
        Units([SCALE; 4]).expand(CompactPoint([value; 4])).step[0]
    }

    #[test]
    fn numbers_by_hand() {
        for (value, expected) in [(0.0, 0), (-1.0, 0), (1.0, ONE), (1.5, ONE + 1024), (2.0, ONE + 2048), (1e9, 0xFFFF)]
        {
            assert_eq!(u32::from(from_f32(value)), expected, "{value}");
        }
        // Halves of the last place go to even.
        assert_eq!(u32::from(from_f32(1.0 + 0.5 / 2048.0)), ONE);
        assert_eq!(u32::from(from_f32(1.0 + 1.5 / 2048.0)), ONE + 2);
        assert_eq!(to_f32(u16::MAX), 4095.0);
        assert!(to_f32(from_f32(1e-6)) > 0.0);
    }

    #[test]
    fn every_number_comes_back() {
        for value in 0..=u16::MAX {
            assert_eq!(from_f32(to_f32(value)), value);
        }
    }

    /// Within half a place, 1/4096, of any constant from a hundred-thousandth of the mean device's on.
    #[test]
    fn constants_are_close() {
        for bound in [0.6, 1e-3, 1e6] {
            let units = Units::new(0.06, bound);
            for k in 0..2000 {
                let factor = 1.0071_f32.powi(k - 1300);
                let point = Point { step: [0.06 * factor, 0.06], bound: [-bound, bound * factor] };
                let back = units.expand(units.compact(&point));
                assert_eq!((back.step[1], back.bound[0]), (0.06, -bound), "the mean device's own");
                for (got, exact) in [(back.step[0], point.step[0]), (back.bound[1], point.bound[1])] {
                    assert!((got / exact - 1.0).abs() < 1.001 / 4096.0, "{got}, {exact} expected");
                }
            }
        }
    }
}
