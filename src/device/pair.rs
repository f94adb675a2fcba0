//! One-sided pairs: two devices per crosspoint, for devices that can be stepped in one direction only.

use super::{Device, MeanDevice, NORMALS, decimal};
use crate::error::{Error, Result};
use crate::settings::settings;

settings! {
    /// Settings of one-sided pairs, such as those of phase-change memory (Nandakumar et al., Front. Neurosci. 14:406,
    /// 2020):
    ///
    /// ```text
    /// w = g⁺ − g⁻                    g: the state of a device above its lower bound
    /// up:    g⁺ steps up             both as the device model says: only its up steps are used
    /// down:  g⁻ steps up
    /// refresh: both are read; where the larger is above u·g_max and the smaller above l·g_max, both are reset, and
    ///          pulses to one of them write the difference again
    /// ```
    ///
    /// δ is the up step of the mean device at half its range. Pulses of a refresh are sent without looking: as many as the
    /// mean device needs for the difference that was read [ours].
    pub struct OneSidedPair {
        /// Updates of the array after which all pairs are read, and those that need it are refreshed.
        pub refresh_every: u32 = 100, 1.0 to 1e9;
        /// u: share of the mean range above which the larger device of a pair must be.
        pub upper_threshold: f64 = 0.75, 0.0 to 1.0;
        /// l: share of the mean range above which the smaller device of a pair must be.
        pub lower_threshold: f64 = 0.25, 0.0 to 1.0;
        /// σ: a reset leaves a device at |N(0, σ²)|, as a share of the mean range.
        pub reset_spread: f64 = 0.01, 0.0 to 1.0;
    }
}

/// The mean device of a pair: how its state above the lower bound, g, steps up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MeanOfPair<P> {
    point: P,
    lower: f32,
    /// g_max.
    pub(crate) range: f32,
    /// δ.
    pub(crate) weight_step: f32,
}

impl<P: Copy> MeanOfPair<P> {
    /// Of a model.
    ///
    /// # Errors
    /// Its mean device does not step up at half its range.
    pub(crate) fn new<D: Device<Point = P>>(device: &D) -> Result<Self> {
        let point = device.sample(&[0.0; NORMALS]);
        let (lower, upper) = device.bounds(&point);
        let mean = Self { point, lower, range: upper - lower, weight_step: 0.0 };
        let weight_step = mean.step(device, 0.5 * mean.range);
        if weight_step > 0.0 {
            return Ok(Self { weight_step, ..mean });
        }
        Err(Error::Conflict(format!(
            "a one-sided pair needs devices that step up at half their range; the mean device steps by {weight_step} there"
        )))
    }

    /// g after a pulse at g, without noise.
    pub(crate) fn pulse<D: Device<Point = P>>(&self, device: &D, g: f32) -> f32 {
        device.pulse(&self.point, self.lower + g, true, 0.0) - self.lower
    }

    /// The step at g.
    fn step<D: Device<Point = P>>(&self, device: &D, g: f32) -> f32 {
        self.pulse(device, g) - g
    }
}

/// The mean pair: a weight between ±g_max that starts, for its steps, from devices at half their range.
pub(super) fn mean_pair<D: Device>(device: &D) -> Result<MeanDevice> {
    let mean = MeanOfPair::new(device)?;
    let (middle, near) = (0.5 * mean.range, 0.125 * mean.range);
    let step = |g| f64::from(mean.step(device, g));
    // Devices at middle ± w/2: an up pulse at weight w steps the upper of them, a down pulse the lower.
    let slope = (step(middle - near) - step(middle + near)) / f64::from(2.0 * near);
    let (weight_step, reach) = (step(middle), 2.0 * step(middle) / slope);
    let noisy = |xi| device.pulse(&mean.point, mean.lower + middle, true, xi);
    let range = decimal(mean.range);
    Ok(MeanDevice {
        weight_step: decimal(mean.weight_step),
        bounds: (-range, range),
        fades: step(1.5 * middle) < 0.99 * weight_step,
        reach: if reach > 0.0 && reach.is_finite() { reach.min(range) } else { range },
        steps: (weight_step, weight_step),
        symmetry_point: 0.0,
        step_at_symmetry_point: weight_step,
        noise_at_symmetry_point: 10.0 * f64::from((noisy(0.1) - noisy(0.0)).abs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{ConstantStep, DeviceConfig, SoftBounds};

    /// Steps δ(1 − s/b) at the state s in ±b: 2b is what a pair spans on each side, and what its steps would lead to.
    #[test]
    fn mean_pair_of_soft_bounds() {
        let pair = Some(OneSidedPair::default());
        let mean = DeviceConfig::from(SoftBounds { pair, ..SoftBounds::default() }).mean().expect("valid");
        assert_eq!((mean.bounds, mean.fades, mean.symmetry_point), ((-1.2, 1.2), true, 0.0));
        assert!((mean.weight_step - 0.06).abs() < 1e-6 && (mean.reach - 1.2).abs() < 1e-4, "{mean:?}");
        assert!((mean.noise_at_symmetry_point - 0.3 * 0.06).abs() < 1e-5, "{mean:?}");
    }

    #[test]
    fn constant_steps_do_not_fade() {
        let pair = Some(OneSidedPair::default());
        let mean = DeviceConfig::from(ConstantStep { pair, ..ConstantStep::default() }).mean().expect("valid");
        assert!(!mean.fades && mean.reach == 1.2, "{mean:?}");
    }
}
