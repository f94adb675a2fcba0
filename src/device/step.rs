//! Models whose devices have a step and a bound in each direction: all that such models share.
//!
//! A model says by its [`Response`] how a step depends on the weight; [`StepDevice`] makes a [`Device`] of that, with
//! spreads between devices, cycle noise, clamping and blocks of devices in lanes.

use super::compact::{CompactPoint, Units};
use super::variation::{Point, Variation};
use super::{Block, Device};
use crate::check::number;
use crate::error::{Error, Result};
use crate::simd::{LANES, Mask, unrolled};
use std::fmt::Debug;
use std::marker::PhantomData;

/// How a step depends on the weight.
pub trait Response: Debug + Clone + Send + Sync + 'static {
    /// Draws the constants of a device from four independent standard normals: log-normal steps unless overridden.
    fn sample(variation: &Variation, xi: [f32; 4]) -> Point {
        variation.sample(xi)
    }

    /// The weight after one pulse at weight `w` with cycle noise σ_c = `cycle_noise` and ξ ~ N(0, 1), before it is
    /// clamped to the bounds. Mark it `#[inline(always)]`.
    fn respond(&self, device: Directed, cycle_noise: f32, w: f32, xi: f32) -> f32;

    /// [`Device::pulse_blocks`]. Override it, with [`pulse_blocks`], where a choice that [`respond`](Response::respond)
    /// makes for every pulse can be made once.
    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        cycle_noise: f32,
        devices: [Devices<M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        let response = self.clone();
        pulse_blocks(devices, rounds, |device, w, xi| response.respond(device, cycle_noise, w, xi))
    }

    /// The weight at which an up and a down step cancel on average.
    fn symmetry_point(&self, point: &Point) -> f32;
}

/// Device constants for one pulse direction.
#[derive(Clone, Copy, Debug)]
pub struct Directed {
    /// α₊ upwards, −α₋ downwards.
    pub step: f32,
    /// The bound that the direction leads to.
    pub bound: f32,
    /// w_min.
    pub lower: f32,
    /// w_max.
    pub upper: f32,
}

impl Directed {
    #[inline(always)]
    fn new(point: &Point, up: bool) -> Self {
        let ([down_step, up_step], [lower, upper]) = (point.step, point.bound);
        Self { step: if up { up_step } else { -down_step }, bound: if up { upper } else { lower }, lower, upper }
    }

    /// w clamped to [w_min, w_max]: a comparison each, where f32::max would also look for NaN.
    #[inline(always)]
    fn clamp(&self, w: f32) -> f32 {
        let w = if w > self.lower { w } else { self.lower };
        if w < self.upper { w } else { self.upper }
    }
}

/// A model of devices with a step and a bound in each direction.
#[derive(Clone, Debug)]
pub struct StepDevice<R> {
    variation: Variation,
    units: Units,
    /// σ_c, in steps.
    cycle_noise: f32,
    pub(super) response: R,
}

impl<R: Response> StepDevice<R> {
    pub(super) fn new(variation: Variation, cycle_noise: f32, response: R) -> Self {
        let units = Units::new(variation.step, variation.bound);
        Self { variation, units, cycle_noise, response }
    }

    /// The constants of a device.
    #[inline(always)]
    pub fn expand(&self, point: CompactPoint) -> Point {
        self.units.expand(point)
    }

    /// [`Device::pulse`] for constants as they are.
    #[inline(always)]
    pub fn answer(&self, point: &Point, w: f32, up: bool, xi: f32) -> f32 {
        let device = Directed::new(point, up);
        device.clamp(self.response.respond(device, self.cycle_noise, w, xi))
    }
}

impl<R: Response> Device for StepDevice<R> {
    type Point = CompactPoint;

    fn sample(&self, xi: [f32; 4]) -> CompactPoint {
        self.units.compact(&R::sample(&self.variation, xi))
    }

    #[inline(always)]
    fn pulse(&self, point: &CompactPoint, w: f32, up: bool, xi: f32) -> f32 {
        self.answer(&self.expand(*point), w, up, xi)
    }

    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        blocks: [Block<'_, CompactPoint, M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        self.response.pulse_blocks(self.cycle_noise, unrolled!(N, |k| Devices::new(blocks[k], self.units)), rounds)
    }

    fn symmetry_point(&self, point: &CompactPoint) -> f32 {
        self.response.symmetry_point(&self.expand(*point))
    }

    fn bounds(&self, point: &CompactPoint) -> (f32, f32) {
        self.expand(*point).bound.into()
    }

    fn weight_step(&self) -> f32 {
        self.variation.step
    }

    fn noisy(&self) -> bool {
        self.cycle_noise > 0.0
    }

    fn parameters(&self, point: &CompactPoint) -> Vec<(&'static str, f32)> {
        let point = self.expand(*point);
        vec![
            ("up_step", point.step[1]),
            ("down_step", point.step[0]),
            ("upper_bound", point.bound[1]),
            ("lower_bound", point.bound[0]),
        ]
    }
}

/// A block of devices with their constants sorted into lanes, so that each operation is one vector instruction.
#[derive(Clone, Copy, Debug)]
pub struct Devices<M> {
    step: [f32; LANES],
    bound: [f32; LANES],
    lower: [f32; LANES],
    upper: [f32; LANES],
    reference: [f32; LANES],
    weights: [f32; LANES],
    mask: PhantomData<M>,
}

impl<M: Mask> Devices<M> {
    #[inline(always)]
    fn new(block: Block<'_, CompactPoint, M>, units: Units) -> Self {
        let [down_steps, up_steps, lower, upper] = units.expand_block::<M>(block.points);
        Self {
            step: block.up.select(&up_steps, &down_steps.map(|step| -step)),
            bound: block.up.select(&upper, &lower),
            lower,
            upper,
            reference: block.reference,
            weights: block.weights,
            mask: PhantomData,
        }
    }

    /// One round: `respond(device, state, ξ)` where it fires.
    #[inline(always)]
    fn pulse(
        &self,
        w: [f32; LANES],
        (fires, xi): (M, [f32; LANES]),
        respond: &impl Fn(Directed, f32, f32) -> f32,
    ) -> [f32; LANES] {
        let mut next = [0.0; LANES];
        for l in 0..LANES {
            let (step, bound, lower, upper) = (self.step[l], self.bound[l], self.lower[l], self.upper[l]);
            let device = Directed { step, bound, lower, upper };
            next[l] = device.clamp(respond(device, w[l] + self.reference[l], xi[l])) - self.reference[l];
        }
        fires.select(&next, &w)
    }
}

/// Rounds of pulses to 1 to 4 blocks of devices, each with the weight `respond(device, w, ξ)` after it, clamped. A pulse
/// waits for the one before it; other blocks get theirs meanwhile.
#[inline(always)]
pub fn pulse_blocks<M: Mask, const N: usize>(
    devices: [Devices<M>; N],
    rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    respond: impl Fn(Directed, f32, f32) -> f32,
) -> [[f32; LANES]; N] {
    let mut w = unrolled!(N, |k| devices[k].weights);
    for round in rounds {
        w = unrolled!(N, |k| devices[k].pulse(w[k], round[k], &respond));
    }
    w
}

/// For settings with the fields `states`, `weight_step`, `bound`, `cycle_noise`, `step_spread`, `bound_spread` and
/// `asymmetry`, and a constant `STATES`: the model with the response that they make.
macro_rules! step_settings {
    ($settings:ident, $response:ty, |$these:ident| $make:expr) => {
        impl DeviceSettings for $settings {
            type Device = StepDevice<$response>;

            fn build(&self) -> Result<Self::Device> {
                self.validate()?;
                let $these = self;
                let step = self.weight_step.unwrap_or(2.0 * self.bound / self.states.unwrap_or(Self::STATES));
                let variation = Variation {
                    step: step as f32,
                    bound: self.bound as f32,
                    step_spread: self.step_spread as f32,
                    bound_spread: self.bound_spread as f32,
                    asymmetry: self.asymmetry as f32,
                };
                Ok(StepDevice::new(variation, self.cycle_noise as f32, $make))
            }
        }
    };
}
pub(super) use step_settings;

/// Either `states` or `step`, or both where they agree; a step is at most the whole range, which is one state.
pub(super) fn check_states(states: Option<f64>, step: Option<f64>, bound: f64) -> Result<()> {
    let Some(step) = step else { return Ok(()) };
    let range = 2.0 * bound;
    if step > range {
        let allowed = format!("at most 2·bound = {}, which is one state", number(range));
        return Err(Error::range("weight_step", step, allowed));
    }
    if let Some(states) = states.filter(|states| (step * states / range - 1.0).abs() > 1e-6) {
        return Err(Error::Conflict(format!(
            "states must be 2·bound/weight_step = {}, not {}; give one of states and weight_step",
            number(range / step),
            number(states)
        )));
    }
    Ok(())
}
