//! Blocks of [`StepDevice`]s in lanes, so that each operation is one vector instruction.

use super::Block;
use super::compact::Constants;
use super::step::{Directed, Form, Noise, Response, StepDevice, respond};
use crate::simd::{LANES, Mask, unrolled};
use std::marker::PhantomData;

/// A block of devices with their constants sorted into lanes, so that each operation is one vector instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Devices<M> {
    step: [f32; LANES],
    bound: [f32; LANES],
    shape: [f32; LANES],
    lower: [f32; LANES],
    upper: [f32; LANES],
    prepared: [f32; LANES],
    reference: [f32; LANES],
    weights: [f32; LANES],
    mask: PhantomData<M>,
}

impl<M: Mask> Devices<M> {
    #[inline(always)]
    pub(super) fn new<R: Response>(model: &StepDevice<R>, block: &Block<'_, R::Constants, M>) -> Self {
        let points = R::Constants::expand_block::<M>(block.points, &model.units);
        let [lower, upper] = points.bound;
        let mut devices = Self {
            step: block.up.select(&points.step[1], &points.step[0].map(|step| -step)),
            bound: block.up.select(&upper, &lower),
            shape: block.up.select(&points.shape[1], &points.shape[0]),
            lower,
            upper,
            prepared: [0.0; LANES],
            reference: block.reference,
            weights: block.weights,
            mask: PhantomData,
        };
        for l in 0..LANES {
            devices.prepared[l] = model.response.prepare(&devices.device(l));
        }
        devices
    }

    #[inline(always)]
    fn device(&self, l: usize) -> Directed {
        let (step, bound, shape, lower, upper) =
            (self.step[l], self.bound[l], self.shape[l], self.lower[l], self.upper[l]);
        Directed { step, bound, shape, lower, upper, prepared: self.prepared[l] }
    }

    /// One round: [`respond`], clamped, where it fires.
    #[inline(always)]
    fn pulse<R: Response>(
        &self,
        response: &R,
        noise: Noise,
        w: [f32; LANES],
        (fires, xi): (M, [f32; LANES]),
    ) -> [f32; LANES] {
        let next = if R::COMPILED_PER_FORM {
            self.respond(response, noise, &w, &xi)
        } else {
            self.respond_by_shares(response, noise, &w, &xi)
        };
        fires.select(&next, &w)
    }

    #[inline(always)]
    fn respond<R: Response>(&self, response: &R, noise: Noise, w: &[f32; LANES], xi: &[f32; LANES]) -> [f32; LANES] {
        let mut next = [0.0; LANES];
        for l in 0..LANES {
            let device = self.device(l);
            let state = respond(response, &device, noise, w[l] + self.reference[l], xi[l]);
            next[l] = device.clamp(state) - self.reference[l];
        }
        next
    }

    /// The same: all shares, then the form of the noise, which is chosen once for the block.
    #[inline(always)]
    fn respond_by_shares<R: Response>(
        &self,
        response: &R,
        noise: Noise,
        w: &[f32; LANES],
        xi: &[f32; LANES],
    ) -> [f32; LANES] {
        let (mut shares, mut own_noise) = ([0.0; LANES], false); // the same for all devices of a model
        for l in 0..LANES {
            let (device, w) = (self.device(l), w[l] + self.reference[l]);
            let share = response.noisy_share(&device, w, noise.size * xi[l]);
            own_noise = share.is_some();
            shares[l] = match share {
                Some(share) => share,
                None => response.share(&device, w),
            };
        }
        let mut next = [0.0; LANES];
        macro_rules! add {
            ($change:expr) => {
                for l in 0..LANES {
                    let change = $change(self.step[l], shares[l], noise.size * xi[l]);
                    next[l] = self.device(l).clamp(w[l] + self.reference[l] + change) - self.reference[l];
                }
            };
        }
        match noise.form {
            _ if own_noise => add!(|step, share, _| step * share),
            Form::Additive => add!(|step, share, noisy| Form::Additive.change(step, share, noisy)),
            Form::Multiplicative => add!(|step, share, noisy| Form::Multiplicative.change(step, share, noisy)),
            Form::Absolute => add!(|step, share, noisy| Form::Absolute.change(step, share, noisy)),
        }
        next
    }
}

/// Rounds of pulses to 1 to 4 blocks of devices; their weights after it. A pulse waits for the one before it; other
/// blocks get theirs meanwhile.
#[inline(always)]
pub(super) fn pulse_blocks<R: Response, M: Mask, const N: usize>(
    devices: &[Devices<M>; N],
    rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    response: &R,
    noise: Noise,
) -> [[f32; LANES]; N] {
    let mut w = unrolled!(N, |k| devices[k].weights);
    for round in rounds {
        w = unrolled!(N, |k| devices[k].pulse(response, noise, w[k], round[k]));
    }
    w
}
