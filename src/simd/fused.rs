//! Fused multiply-add for processors without it.

/// a·b + c, rounded once to f32, from additions in f64: the product of two f32 is exact there, and a sum rounded to odd
/// keeps what the second rounding needs (Boldo & Melquiond, IEEE Trans. Comput. 57:462, 2008).
#[inline(always)]
pub(super) fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // What rounding cut off, exactly (Knuth's two-sum); NaN where the sum is not finite.
    let c_part = sum - product;
    let error = (product - (sum - c_part)) + (c - c_part);
    // Of the two neighbours of the exact sum, the one whose last bit is 1.
    let inexact = error.abs() > 0.0;
    let even = sum.to_bits() & 1 == 0;
    let towards_zero = (error < 0.0) == (sum > 0.0);
    let neighbour = if towards_zero { sum.to_bits().wrapping_sub(1) } else { sum.to_bits().wrapping_add(1) };
    f64::from_bits(if inexact && even { neighbour } else { sum.to_bits() }) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Operation, Stream};

    fn agrees(a: f32, b: f32, c: f32) {
        let (got, expected) = (multiply_add(a, b, c), a.mul_add(b, c));
        assert!(
            got.to_bits() == expected.to_bits() || (got.is_nan() && expected.is_nan()),
            "{a:e} · {b:e} + {c:e}: {got:e}, {expected:e} expected"
        );
    }

    /// Signed zeros, subnormals, ones with their neighbours, halves of the last place, the largest numbers, infinities.
    #[test]
    fn hard_cases() {
        let edges = [0x0000_0000, 0x0000_0001, 0x0000_0003, 0x007F_FFFF, 0x0080_0000, 0x0080_0001, 0x3380_0000];
        let ones = [0x3380_0001, 0x3F7F_FFFF, 0x3F80_0000, 0x3F80_0001, 0x3F80_0003, 0x4B00_0001, 0x4B80_0001];
        let large = [0x7F7F_FFFF, 0x7F00_0001, 0x7F80_0000, 0x7FC0_0000, 0x5F00_0001, 0x1F80_0001, 0x2000_0003];
        let all: Vec<f32> = [edges, ones, large]
            .concat()
            .into_iter()
            .flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
            .collect();
        for &a in &all {
            for &b in &all {
                all.iter().for_each(|&c| agrees(a, b, c));
            }
        }
    }

    /// Any bits; and sums that nearly cancel or nearly tie, where rounding twice would show.
    #[test]
    fn random_cases() {
        const N: usize = 300_000;
        let mut words = vec![0; 4 * N];
        Stream::new(3, 0, Operation::Numbers, 0).words(0, &mut words);
        for &[a, b, c, how] in words.as_chunks::<4>().0 {
            agrees(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
            // Exponents near 1, so that every sum overlaps its product.
            let near =
                |bits: u32, spread: u32| f32::from_bits((bits & 0x807F_FFFF) | ((127 + (bits >> 23) % spread) << 23));
            let (a, b) = (near(a, 4), near(b, 4));
            agrees(a, b, near(c, 40) * 2.0_f32.powi(-((how % 60) as i32)));
            // Close to minus the product.
            agrees(a, b, -(a * b) * (1.0 + ((how >> 8) % 9) as f32 * f32::EPSILON));
            // A product of few bits half a place of the sum away from a tie.
            let (short, place) = (f32::from_bits(a.to_bits() & 0xFFFF_F000), 2.0_f32.powi((how % 30) as i32 - 40));
            agrees(short, place, near(c, 2));
        }
    }
}
