//! The resistance of wires: currents of an output line lower the voltage over its devices, to first order (as aihwkit).
//!
//! Each output has a pair of lines, one for the devices of positive weights and one for those of negative ones. A line has
//! its amplifier before its first device, and a wire of conductance r, in units of the conductance of a weight of 1,
//! between neighbours. Inputs are pulses whose length is |x|, so that a device is part of its line for that share of the
//! time. With n devices on a line, k = 1, 2, … from the amplifier:
//!
//! ```text
//! a = (n/r) Σ_k |w_k x_k|     c = 1.5 (1 − tanh(√a)/√a)     p_k = 1 − (1 − k/n)² + k/n²
//! y = Σ_k w_k x_k max(1 − c p_k, 0)
//! ```
//!
//! c = a/2 for small a, and a/2·p_k is the exact first order for equal devices: Σ_j min(j, k) = (n²/2)·p_k wires carry the
//! current of device k under device j. tanh(√a)/√a is what a long line of equal devices with equal inputs leaves, which
//! aihwkit follows by 0.5 a − 0.2 a² + 0.05 a³; that leaves its range where ours does not. Input lines have no resistance.

use super::effect::{Operands, ProductEffect};
use super::mvm::Direction;
use crate::simd::{self, Isa, Kernel, LANES, math};

/// [The effect](self) of wires.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wires {
    /// r.
    pub(super) ratio: f64,
}

/// c of a load a; by its series where the difference would lose digits.
#[inline(always)]
fn drop_of<M: Isa>(a: f32) -> f32 {
    if a < 0.01 {
        return a * (0.5 - 0.2 * a + 0.05 * a * a);
    }
    let root = a.sqrt();
    1.5 * (1.0 - math::tanh::<M>(root) / root)
}

/// What is left of a weight.
#[inline(always)]
fn left(drop: f32, p: f32) -> f32 {
    let left = 1.0 - drop * p;
    if left > 0.0 { left } else { 0.0 }
}

/// Σ|wx| over the positive and over the negative weights of a line; lane by lane, so that sums need not wait for each
/// other.
#[inline(always)]
fn loads(weights: &[f32], x: &[f32]) -> [f32; 2] {
    let (mut up, mut down) = ([0.0; LANES], [0.0; LANES]);
    let mut add = |weights: &[f32], x: &[f32]| {
        for (((up, down), w), x) in up.iter_mut().zip(&mut down).zip(weights).zip(x) {
            *up += w.max(0.0) * x.abs();
            *down += (-w).max(0.0) * x.abs();
        }
    };
    let ((blocks, rest), (x_blocks, x_rest)) = (weights.as_chunks::<LANES>(), x.as_chunks::<LANES>());
    blocks.iter().zip(x_blocks).for_each(|(weights, x)| add(weights, x));
    add(rest, x_rest);
    [up, down].map(|lanes| lanes.iter().sum())
}

/// p_k of the device at `k` from 0.
fn position(k: usize, n: usize) -> f32 {
    let (k, n) = ((k + 1) as f32, n as f32);
    let left = 1.0 - k / n;
    1.0 - left * left + k / (n * n)
}

impl ProductEffect for Wires {
    fn apply(&self, operands: &mut Operands<'_>) {
        simd::run(Drop { ratio: self.ratio, operands });
    }
}

struct Drop<'a, 'b> {
    ratio: f64,
    operands: &'a mut Operands<'b>,
}

impl Kernel for Drop<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let Operands { direction, shape, rows, cols, weights, x } = self.operands;
        let height = rows.len();
        match direction {
            Direction::Forward => {
                let per_load = (shape.1 as f64 / self.ratio) as f32;
                // What inputs of 0 meet does not matter.
                let driven = || cols.clone().zip(*x).enumerate().filter(|(_, (_, x))| **x != 0.0);
                let (mut up, mut down) = (vec![0.0_f32; height], vec![0.0_f32; height]);
                for (at, (_, x)) in driven() {
                    let x = x.abs();
                    let column = &weights[at * height..][..height];
                    for ((up, down), w) in up.iter_mut().zip(&mut down).zip(column) {
                        *up += w.max(0.0) * x;
                        *down += (-w).max(0.0) * x;
                    }
                }
                up.iter_mut().chain(&mut down).for_each(|load| *load = drop_of::<M>(per_load * *load));
                for (at, (k, _)) in driven() {
                    let p = position(k, shape.1);
                    let column = &mut weights[at * height..][..height];
                    // Both are loaded, so that lanes choose without a branch.
                    for ((&up, &down), w) in up.iter().zip(&down).zip(column) {
                        let (by_up, by_down) = (left(up, p), left(down, p));
                        *w *= if *w > 0.0 { by_up } else { by_down };
                    }
                }
            }
            Direction::Backward => {
                let per_load = (shape.0 as f64 / self.ratio) as f32;
                let p: Vec<f32> = rows.clone().map(|k| position(k, shape.0)).collect();
                for column in weights.chunks_exact_mut(height) {
                    let [up, down] = loads(column, x).map(|load| drop_of::<M>(per_load * load));
                    for (w, &p) in column.iter_mut().zip(&p) {
                        let (by_up, by_down) = (left(up, p), left(down, p));
                        *w *= if *w > 0.0 { by_up } else { by_down };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two devices of weight 1 at x = 1, r = 100: a = 2·2/100, √a = 0.2, p = 3/4 + 1/4, 1 + 1/2.
    #[test]
    fn two_devices_by_hand() {
        let c = 1.5 * (1.0 - 0.2_f32.tanh() / 0.2);
        for direction in [Direction::Forward, Direction::Backward] {
            let shape = if direction == Direction::Forward { (1, 2) } else { (2, 1) };
            let mut weights = [1.0, 1.0];
            let (rows, cols) = (0..shape.0, 0..shape.1);
            let x = &[1.0, 1.0];
            Wires { ratio: 100.0 }.apply(&mut Operands { direction, shape, rows, cols, weights: &mut weights, x });
            for (w, p) in weights.iter().zip([1.0, 1.5]) {
                assert!((w - (1.0 - c * p)).abs() < 1e-6, "{weights:?}");
            }
        }
    }

    /// The second of three devices alone, as a read drives it: a = 3·0.5/100, p = 1 − 1/9 + 2/9.
    #[test]
    fn the_read_of_a_line_by_hand() {
        let a = 3.0 * 0.5 / 100.0;
        let mut weights = [-0.5];
        let (direction, shape, rows, cols) = (Direction::Forward, (1, 3), 0..1, 1..2);
        Wires { ratio: 100.0 }.apply(&mut Operands { direction, shape, rows, cols, weights: &mut weights, x: &[1.0] });
        let expected = -0.5 * (1.0 - a * (0.5 - 0.2 * a + 0.05 * a * a) * (10.0 / 9.0));
        assert!((weights[0] - expected).abs() < 1e-6, "{weights:?}");
    }
}
