//! Device constants in two bytes each, since an array keeps them for every crosspoint; shapes take four.

use super::variation::Point;
use crate::simd::{LANES, Mask};
use std::fmt::Debug;

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

/// The constants of a device as an array keeps them.
pub trait Constants: Debug + Copy + Send + Sync + 'static {
    /// Whether devices have shapes of their own.
    const SHAPED: bool;

    /// Of a device.
    fn compact(units: &Units, point: &Point) -> Self;

    /// Those of one device.
    fn expand(self, units: &Units) -> Point;

    /// Those of a block of devices.
    fn expand_block<M: Mask>(block: &[Self; LANES], units: &Units) -> PointBlock;
}

/// The constants of a block of devices, sorted into lanes; index 0 is down, 1 is up.
#[derive(Clone, Copy, Debug)]
pub struct PointBlock {
    /// Steps α₋, α₊.
    pub step: [[f32; LANES]; 2],
    /// Bounds w_min, w_max.
    pub bound: [[f32; LANES]; 2],
    /// Shapes.
    pub shape: [[f32; LANES]; 2],
}

/// The constants of the mean device, in whose units those of others are kept.
#[derive(Clone, Copy, Debug)]
pub struct Units {
    /// α₋, α₊, w_min and w_max, times [`SCALE`].
    scaled: [f32; 4],
    shape: [f32; 2],
}

impl Units {
    /// Of a mean device with steps and bounds of at most 10⁶.
    pub(super) fn new(mean: &Point) -> Self {
        let ([down, up], [lower, upper]) = (mean.step, mean.bound);
        Self { scaled: [down, up, lower, upper].map(|unit| unit * SCALE), shape: mean.shape }
    }
}

/// Steps and bounds in two bytes each; the shape is that of the mean device.
impl Constants for CompactPoint {
    const SHAPED: bool = false;

    fn compact(units: &Units, point: &Point) -> Self {
        let ([down, up], [lower, upper]) = (point.step, point.bound);
        let mut values = [down, up, lower, upper];
        values.iter_mut().zip(units.scaled).for_each(|(value, unit)| *value /= unit / SCALE);
        Self(values.map(from_f32))
    }

    #[inline(always)]
    fn expand(self, units: &Units) -> Point {
        let mut values = [0.0; 4];
        for ((value, bits), unit) in values.iter_mut().zip(self.0).zip(units.scaled) {
            *value = f32::from_bits(u32::from(bits) << CUT) * unit;
        }
        let [down, up, lower, upper] = values;
        Point { step: [down, up], bound: [lower, upper], shape: units.shape }
    }

    #[inline(always)]
    fn expand_block<M: Mask>(block: &[Self; LANES], units: &Units) -> PointBlock {
        let bits = M::transpose(&block.map(|point| point.0));
        let values = |k: usize| bits[k].map(|bits| f32::from_bits(bits << CUT) * units.scaled[k]);
        let [down, up] = units.shape;
        PointBlock { step: [values(0), values(1)], bound: [values(2), values(3)], shape: [[down; LANES], [up; LANES]] }
    }
}

/// The constants of a device with shapes of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapedPoint {
    point: CompactPoint,
    shape: [f32; 2],
}

impl Constants for ShapedPoint {
    const SHAPED: bool = true;

    fn compact(units: &Units, point: &Point) -> Self {
        Self { point: CompactPoint::compact(units, point), shape: point.shape }
    }

    #[inline(always)]
    fn expand(self, units: &Units) -> Point {
        Point { shape: self.shape, ..self.point.expand(units) }
    }

    #[inline(always)]
    fn expand_block<M: Mask>(block: &[Self; LANES], units: &Units) -> PointBlock {
        let mut points = CompactPoint::expand_block::<M>(&block.map(|one| one.point), units);
        for (l, one) in block.iter().enumerate() {
            [points.shape[0][l], points.shape[1][l]] = one.shape;
        }
        points
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
        CompactPoint([value; 4]).expand(&Units { scaled: [SCALE; 4], shape: [0.0; 2] }).step[0]
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
            let mean = Point { step: [0.06; 2], bound: [-bound, bound], shape: [1.0; 2] };
            let units = Units::new(&mean);
            for k in 0..2000 {
                let factor = 1.0071_f32.powi(k - 1300);
                let point =
                    Point { step: [0.06 * factor, 0.06], bound: [-bound, bound * factor], shape: [0.5, k as f32] };
                let back = ShapedPoint::compact(&units, &point).expand(&units);
                assert_eq!(back.shape, point.shape);
                let same = Point { shape: mean.shape, ..back };
                assert_eq!(CompactPoint::compact(&units, &point).expand(&units), same);
                assert_eq!((back.step[1], back.bound[0]), (0.06, -bound), "the mean device's own");
                for (got, exact) in [(back.step[0], point.step[0]), (back.bound[1], point.bound[1])] {
                    assert!((got / exact - 1.0).abs() < 1.001 / 4096.0, "{got}, {exact} expected");
                }
            }
        }
    }
}
