//! Inputs bit by bit (as in ISAAC): each bit of the magnitudes is a product of its own, through the converters, and the
//! products add up in digital.
//!
//! ```text
//! DAC(x/s) = ±d·Σ_k 2^k b_k/(2^P − 1), P = dac_bits − 1        y = s·d·Σ_k 2^k/(2^P − 1)·ADC(W (±b_k) + σ ξ_k)
//! ```

use super::conversion::Noise;
use super::mvm::{MvmCost, Products, Scratch};
use super::periphery::IoSettings;
use super::product::Matrix;
use crate::simd;

impl Products<'_> {
    /// [`convert`](Products::convert) with inputs bit by bit: the products of bit k of vector v count as vector v·P + k.
    pub(super) fn convert_bits(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: Noise<'_>,
        first: u64,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Scratch,
    ) -> MvmCost {
        // Bits of the magnitude of an input.
        let (n, m, planes) = (self.inputs, self.outputs, self.mvm.dac_bits as usize - 1);
        let bound = self.mvm.dac_bound as f32;
        let most = ((1_u64 << planes) - 1) as f32;
        let each = IoSettings { dac_bits: 0, noise_management: false, bit_serial: false, ..self.mvm.clone() };
        let of_bits = Products { mvm: &each, ..*self };
        let (mut bits, mut parts) = (vec![0.0; planes * n], vec![0.0; planes * m]);
        let mut cost = MvmCost::default();
        for (v, (x, y)) in (first..).zip(x.chunks_exact(n).zip(y.chunks_exact_mut(m))) {
            let scale = if self.mvm.noise_management { simd::max_abs(x) } else { 1.0 };
            if scale < f32::MIN_POSITIVE {
                cost = cost.add(MvmCost::of(planes, n, m));
                y.fill(0.0);
                continue;
            }
            for (j, x) in x.iter().enumerate() {
                let level = ((x / scale).abs().min(bound) / bound * most).round_ties_even() as u64;
                for k in 0..planes {
                    bits[k * n + j] = if level >> k & 1 == 1 { bound.copysign(*x) } else { 0.0 };
                }
            }
            let at = v * planes as u64;
            if matrix.is_some() {
                cost = cost.add(of_bits.convert(matrix, noise, at, &bits, &mut parts, scratch));
            } else {
                for (k, (bits, part)) in bits.chunks_exact(n).zip(parts.chunks_exact_mut(m)).enumerate() {
                    cost = cost.add(of_bits.convert(None, noise, at + k as u64, bits, part, scratch));
                }
            }
            y.fill(0.0);
            for (k, part) in parts.chunks_exact(m).enumerate() {
                let weight = scale * ((1_u64 << k) as f32 / most);
                y.iter_mut().zip(part).for_each(|(y, part)| *y += weight * part);
            }
        }
        cost
    }
}
