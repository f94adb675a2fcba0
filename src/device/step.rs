//! Models whose devices have a step and a bound in each direction: all that such models share.
//!
//! A model says by its [`Response`] how the mean step depends on the weight; [`StepDevice`] makes a [`Device`] of that,
//! with spreads between devices, cycle noise, clamping and blocks of devices in lanes.

use super::compact::{Constants, Units};
use super::step_blocks::{Devices, pulse_blocks};
use super::variation::{NORMALS, Point, Variation};
use super::{Block, Device};
use crate::simd::{LANES, Mask, unrolled};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The form of the cycle-to-cycle noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleNoise {
    /// Δw + α σ_c ξ, where α is the step at weight 0.
    #[default]
    Additive,
    /// Δw (1 + σ_c ξ).
    Multiplicative,
}

/// How a step depends on the weight.
///
/// Mark all that is called for a pulse `#[inline(always)]`. It may use arithmetic and `f32::mul_add`, which give the same bits
/// on every processor, but not functions such as `f32::exp`, which may not.
pub trait Response: Debug + Clone + Send + Sync + 'static {
    /// How an array keeps the constants of a device: with shapes of its own or without.
    type Constants: Constants;

    /// Whether the loop over pulses is compiled for each form of the noise. Set it where [`share`](Response::share) is so
    /// short that choosing the form for every pulse would show: the loop then takes three times the code.
    const COMPILED_PER_FORM: bool = false;

    /// Whether [`share`](Response::share) looks values up, which lanes do one after another, so that blocks of devices are
    /// not faster than one device at a time.
    const LOOKUP: bool = false;

    /// A device that was drawn, within what the model allows.
    fn limited(&self, point: Point) -> Point {
        point
    }

    /// What the steps of a device in one direction have in common, worked out once for all its pulses of an update;
    /// [`share`](Response::share) finds it in [`Directed::prepared`].
    #[inline(always)]
    fn prepare(&self, _device: &Directed) -> f32 {
        0.0
    }

    /// The mean step at weight `w` as a share of the step at weight 0: not negative.
    fn share(&self, device: &Directed, w: f32) -> f32;

    /// The share with cycle noise ξ ~ N(0, 1), where it is not one of the forms of [`CycleNoise`].
    #[inline(always)]
    fn noisy_share(&self, _device: &Directed, _w: f32, _xi: f32) -> Option<f32> {
        None
    }

    /// The weight at which an up and a down step cancel on average: by bisection, unless a closed form is known.
    fn symmetry_point(&self, point: &Point) -> f32 {
        let both = |w: f32| {
            let step = |up| Directed::new(self, point, up);
            [step(false), step(true)].iter().map(|device| device.step * self.share(device, w)).sum::<f32>()
        };
        let [mut low, mut high] = point.bound;
        if both(low) <= 0.0 {
            return low;
        }
        if both(high) >= 0.0 {
            return high;
        }
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if both(middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}

/// Device constants for one pulse direction.
#[derive(Clone, Copy, Debug)]
pub struct Directed {
    /// α₊ upwards, −α₋ downwards: the step at weight 0.
    pub step: f32,
    /// The bound that the direction leads to.
    pub bound: f32,
    /// The shape of that direction.
    pub shape: f32,
    /// w_min.
    pub lower: f32,
    /// w_max.
    pub upper: f32,
    /// What [`Response::prepare`] has made of these.
    pub prepared: f32,
}

impl Directed {
    #[inline(always)]
    fn new<R: Response>(response: &R, point: &Point, up: bool) -> Self {
        let ([down_step, up_step], [lower, upper], [down_shape, up_shape]) = (point.step, point.bound, point.shape);
        let (step, bound, shape) = if up { (up_step, upper, up_shape) } else { (-down_step, lower, down_shape) };
        let device = Self { step, bound, shape, lower, upper, prepared: 0.0 };
        Self { prepared: response.prepare(&device), ..device }
    }

    /// Whether the direction is up.
    #[inline(always)]
    pub fn up(&self) -> bool {
        self.step.is_sign_positive()
    }

    /// w clamped to [w_min, w_max]: a comparison each, where f32::max would also look for NaN.
    #[inline(always)]
    pub(super) fn clamp(&self, w: f32) -> f32 {
        let w = if w > self.lower { w } else { self.lower };
        if w < self.upper { w } else { self.upper }
    }
}

/// The cycle noise of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    pub(super) size: f32,
    pub(super) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// In steps of the device at weight 0.
    Additive,
    /// In steps as they are.
    Multiplicative,
    /// In units of weight.
    Absolute,
}

impl Form {
    /// The change of weight by a pulse with the noise σ_c ξ.
    #[inline(always)]
    pub(super) fn change(self, step: f32, share: f32, noisy: f32) -> f32 {
        match self {
            Self::Additive => step * (share + noisy),
            Self::Multiplicative => step * share * (1.0 + noisy),
            Self::Absolute => step * share + noisy,
        }
    }
}

impl Noise {
    pub(super) fn new(cycle_noise: f64, form: CycleNoise) -> Self {
        let form = match form {
            CycleNoise::Additive => Form::Additive,
            CycleNoise::Multiplicative => Form::Multiplicative,
        };
        Self { size: cycle_noise as f32, form }
    }

    /// Of the same size in units of weight for all devices and directions.
    pub(super) fn absolute(size: f64) -> Self {
        Self { size: size as f32, form: Form::Absolute }
    }
}

/// The weight after one pulse, before it is clamped.
#[inline(always)]
pub(super) fn respond<R: Response>(response: &R, device: &Directed, noise: Noise, w: f32, xi: f32) -> f32 {
    let noisy = noise.size * xi;
    match response.noisy_share(device, w, noisy) {
        Some(share) => w + device.step * share,
        None => w + noise.form.change(device.step, response.share(device, w), noisy),
    }
}

/// A model of devices with a step and a bound in each direction.
#[derive(Clone, Debug)]
pub struct StepDevice<R> {
    variation: Variation,
    pub(super) units: Units,
    noise: Noise,
    pub(super) response: R,
}

impl<R: Response> StepDevice<R> {
    pub(super) fn new(variation: Variation, noise: Noise, response: R) -> Self {
        Self { units: Units::new(&variation.mean), variation, noise, response }
    }

    /// The constants of a device.
    #[inline(always)]
    pub fn expand(&self, point: R::Constants) -> Point {
        point.expand(&self.units)
    }

    /// [`Device::pulse`] for constants as they are.
    #[inline(always)]
    pub fn answer(&self, point: &Point, w: f32, up: bool, xi: f32) -> f32 {
        let (noise, device) = (self.noise, Directed::new(&self.response, point, up));
        device.clamp(respond(&self.response, &device, noise, w, xi))
    }
}

impl<R: Response> Device for StepDevice<R> {
    type Point = R::Constants;

    const BLOCKS: bool = !R::LOOKUP;

    fn sample(&self, xi: &[f32; NORMALS]) -> R::Constants {
        R::Constants::compact(&self.units, &self.response.limited(self.variation.sample(xi)))
    }

    fn mean(&self) -> R::Constants {
        R::Constants::compact(&self.units, &self.response.limited(self.variation.mean))
    }

    #[inline(always)]
    fn pulse(&self, point: &R::Constants, w: f32, up: bool, xi: f32) -> f32 {
        self.answer(&self.expand(*point), w, up, xi)
    }

    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        blocks: [Block<'_, R::Constants, M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        let (response, noise) = (&self.response, self.noise);
        let devices = unrolled!(N, |k| Devices::new(self, &blocks[k]));
        macro_rules! with {
            ($form:ident) => {
                pulse_blocks(&devices, rounds, response, Noise { form: Form::$form, ..noise })
            };
        }
        if !R::COMPILED_PER_FORM {
            return pulse_blocks(&devices, rounds, response, noise);
        }
        match noise.form {
            Form::Additive => with!(Additive),
            Form::Multiplicative => with!(Multiplicative),
            Form::Absolute => with!(Absolute),
        }
    }

    fn symmetry_point(&self, point: &R::Constants) -> f32 {
        self.response.symmetry_point(&self.expand(*point))
    }

    fn bounds(&self, point: &R::Constants) -> (f32, f32) {
        self.expand(*point).bound.into()
    }

    fn weight_step(&self) -> f32 {
        let [down, up] = self.variation.mean.step;
        0.5 * (down + up)
    }

    fn noisy(&self) -> bool {
        self.noise.size > 0.0
    }

    fn parameters(&self, point: &R::Constants) -> Vec<(&'static str, f32)> {
        let point = self.expand(*point);
        let parameters = [
            ("up_step", point.step[1]),
            ("down_step", point.step[0]),
            ("upper_bound", point.bound[1]),
            ("lower_bound", point.bound[0]),
            ("up_shape", point.shape[1]),
            ("down_shape", point.shape[0]),
        ];
        parameters[..if R::Constants::SHAPED { 6 } else { 4 }].to_vec()
    }
}
