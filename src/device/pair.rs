//! One-sided pairs: two devices per crosspoint, for devices that can be stepped in one direction only.

use super::{Device, MeanDevice, decimal};
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
    /// δ is the mean up step of the mean device at half its range. The pulses of a refresh are sent blindly, as many as the
    /// mean device needs to come nearest to the difference that was read (ours).
    pub struct OneSidedPair {
        /// Updates of the array from one refresh to the next; at most one after a mini-batch.
        pub refresh_every: u32 = 100, 1.0 to 1e9;
        /// u: share of the mean range above which the larger device of a pair must be.
        pub upper_threshold: f64 = 0.75, 0.0 to 1.0;
        /// l: share of the mean range above which the smaller device of a pair must be.
        pub lower_threshold: f64 = 0.25, 0.0 to 1.0;
        /// σ: a reset leaves g at |N(0, σ²)|, as a share of the mean range.
        pub reset_spread: f64 = 0.01, 0.0 to 1.0;
    }
}

/// How the mean device of a pair steps up.
#[derive(Clone, Debug)]
pub(crate) struct MeanOfPair {
    /// g_max.
    pub(crate) range: f32,
    /// δ.
    pub(crate) weight_step: f32,
    /// Mean steps at equally spaced g from 0 to g_max.
    steps: Vec<f32>,
    /// g after 0, 1, … pulses from 0, as long as they help.
    reached: Vec<f32>,
}

/// Intervals between the g at which mean steps are worked out.
const INTERVALS: usize = 256;

/// A pulse that writes must bring the mean device nearer by at least this share of δ: near a bound, further ones are wasted.
const LEAST_STEP: f32 = 1e-3;

impl MeanOfPair {
    /// Of a model; its cycle noise is averaged.
    ///
    /// # Errors
    /// The mean device does not step up from its lower bound, or not at half its range.
    pub(crate) fn new<D: Device>(device: &D) -> Result<Self> {
        let point = device.mean();
        let (lower, upper) = device.bounds(&point);
        let normals: Vec<(f32, f64)> = if device.noisy() {
            (-64..=64).map(|k| f64::from(k) / 16.0).map(|xi| (xi as f32, (-0.5 * xi * xi).exp())).collect()
        } else {
            vec![(0.0, 1.0)]
        };
        let total: f64 = normals.iter().map(|(_, weight)| weight).sum();
        let step = |w: f32| {
            let change = |xi| f64::from(device.pulse(&point, w, true, xi)) - f64::from(w);
            normals.iter().map(|&(xi, weight)| weight * change(xi)).sum::<f64>() / total
        };
        let place = |k| lower + (upper - lower) * (k as f32 / INTERVALS as f32);
        let steps: Vec<f32> = (0..=INTERVALS).map(|k| step(place(k)) as f32).collect();
        for (k, name) in [(0, "from its lower bound"), (INTERVALS / 2, "at half its range")] {
            if steps[k] <= 0.0 || steps[k].is_nan() {
                return Err(Error::Conflict(format!(
                    "a one-sided pair needs devices that step up; the mean device steps by {} {name}",
                    steps[k]
                )));
            }
        }
        let mut mean = Self { range: upper - lower, weight_step: steps[INTERVALS / 2], steps, reached: Vec::new() };
        let (mut g, mut next) = (-1.0, 0.0);
        while next - g >= LEAST_STEP * mean.weight_step {
            mean.reached.push(next);
            (g, next) = (next, (next + mean.step(next)).min(mean.range));
        }
        Ok(mean)
    }

    /// The pulses, `most` at most, that take g from 0 nearest to `target`.
    pub(crate) fn pulses_to(&self, target: f32, most: u64) -> u64 {
        let above = self.reached.partition_point(|&g| g <= target);
        let nearest = match (self.reached.get(above.wrapping_sub(1)), self.reached.get(above)) {
            (Some(below), Some(next)) if (target - below) - (next - target) < LEAST_STEP * self.weight_step => {
                above - 1
            }
            (_, None) => self.reached.len() - 1,
            _ => above,
        };
        (nearest as u64).min(most)
    }

    /// The mean step at g.
    fn step(&self, g: f32) -> f32 {
        let place = (g / self.range).clamp(0.0, 1.0) * INTERVALS as f32;
        let below = (place as usize).min(INTERVALS - 1);
        self.steps[below] + (place - below as f32) * (self.steps[below + 1] - self.steps[below])
    }
}

/// The mean pair with both devices at half their range, from where a weight takes one up and the other down.
pub(super) fn mean_pair<D: Device>(device: &D) -> Result<MeanDevice> {
    let mean = MeanOfPair::new(device)?;
    let (middle, near) = (0.5 * mean.range, 0.125 * mean.range);
    let step = |g| f64::from(mean.step(g));
    let slope = (step(middle - near) - step(middle + near)) / f64::from(2.0 * near);
    let (weight_step, reach) = (f64::from(mean.weight_step), 2.0 * step(middle) / slope);
    let point = device.mean();
    let at = device.bounds(&point).0 + middle;
    let noisy = |xi| device.pulse(&point, at, true, xi);
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
    use crate::device::{ConstantStep, DeviceConfig, DeviceSettings, JumpTable, SoftBounds};

    #[test]
    fn pulses_by_hand() {
        let device = ConstantStep { weight_step: Some(0.1), bound: 0.5, ..ConstantStep::default() };
        let mean = MeanOfPair::new(&device.build().expect("valid")).expect("steps up");
        let counts = [-0.3, 0.0, 0.04, 0.06, 0.31, 0.97].map(|target| mean.pulses_to(target, 100));
        assert_eq!(counts, [0, 0, 0, 1, 3, 10]);
        assert_eq!(mean.pulses_to(0.5, 2), 2);
        assert!((10..=11).contains(&mean.pulses_to(3.0, 100)), "as far as pulses help");
    }

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

    /// A step of which most quantiles are 0, and a list whose median device has a tenth of the mean step.
    #[test]
    fn steps_are_means_over_pulses_and_devices() {
        let pair = Some(OneSidedPair::default());
        let rare = vec![vec![0.0, 0.0, 0.0, 1.0, 8.0]; 2];
        let table =
            JumpTable { states: Some(200.0), up: rare.clone(), down: rare, pair: pair.clone(), ..JumpTable::default() };
        let list = [0.1, 0.1, 2.8].map(|up| vec![up, 1.0, 1.0, 1.0, 0.0, 0.0]).to_vec();
        let listed = SoftBounds { measured: list, pair, ..SoftBounds::default() };
        for (pair, single) in [
            (DeviceConfig::from(table.clone()), DeviceConfig::from(JumpTable { pair: None, ..table })),
            (listed.clone().into(), SoftBounds { pair: None, ..listed }.into()),
        ] {
            let (pair, single) = (pair.mean().expect("valid").weight_step, single.mean().expect("valid").weight_step);
            assert!((pair / single - 1.0).abs() < 3e-3, "{pair}, {single}");
        }
    }
}
