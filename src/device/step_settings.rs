//! The settings that all models with a step and a bound in each direction share.

use super::spread::Spread;
use super::variation::{Differences, Factors, Independent, Joint, Point, Variation};
use crate::check::{check_range, number};
use crate::error::{Error, Result};
use std::sync::Arc;

/// Most devices in a list of measured ones.
const MOST_MEASURED: usize = 100_000;

/// Defines the settings of such a model and how they make it:
///
/// ```text
/// step_settings! {
///     /// What the settings are of.
///     pub struct LinearStep {
///         states: 20.0, cycle_noise: 0.3, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
///         /// Fields of its own, as in `settings!`.
///         pub up_slope: f64 = 0.5, -0.99 to 1.0;
///     }
///     StepDevice<LinearResponse> = |settings| (the shapes of the mean device, the response)
///     also |settings| check_what_no_field_says_alone(settings)
/// }
/// ```
macro_rules! step_settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            states: $states:literal, cycle_noise: $cycle_noise:literal, step_spread: $step_spread:literal,
            bound_spread: $bound_spread:literal, asymmetry: $asymmetry:literal, normal: $normal:literal;
            $(
                $(#[$doc:meta])*
                pub $field:ident: $type:ty = $default:expr $(, $min:literal to $max:literal)?;
            )*
        }
        StepDevice<$response:ty> = |$these:ident| $make:expr
        $(; also |$this:ident| $also:expr)?
    ) => {
        $crate::settings::settings! {
            $(#[$meta])*
            pub struct $name {
                $(
                    $(#[$doc])*
                    pub $field: $type = $default $(, $min to $max)?;
                )*
                /// The range of the bounds by δ; the default of the model where neither states nor step is given.
                pub states: Option<f64> = None, 1.0 to 1e7;
                /// δ: mean step at w = 0, in units of weight.
                pub weight_step: Option<f64> = None, 1e-9 to 1e3;
                /// b: mean bound, in units of weight.
                pub bound: f64 = 0.6, 1e-3 to 1e6;
                /// b₊: mean upper bound, in units of weight; b where it is not given.
                pub upper_bound: Option<f64> = None, 1e-3 to 1e6;
                /// b₋: mean lower bound, in units of weight; −b where it is not given.
                pub lower_bound: Option<f64> = None, -1e6 to -1e-3;
                /// u: systematic asymmetry, mean steps δ(1 + u) up and δ(1 − u) down at w = 0.
                pub up_down: f64 = 0.0, -1.0 to 1.0;
                /// σ_c: cycle-to-cycle noise, in steps.
                pub cycle_noise: f64 = $cycle_noise, 0.0 to 1e4;
                /// Additive or multiplicative cycle noise.
                pub noise: $crate::device::CycleNoise = $crate::device::CycleNoise::Additive;
                /// σ_d: device-to-device spread of the step.
                pub step_spread: f64 = $step_spread, 0.0 to 3.0;
                /// σ_b: device-to-device spread of the bounds, relative to them.
                pub bound_spread: f64 = $bound_spread, 0.0 to 3.0;
                /// σ_±: device-to-device spread of the up/down asymmetry.
                pub asymmetry: f64 = $asymmetry, 0.0 to 3.0;
                /// Spreads with their correlations, instead of the three above.
                pub spread: Option<$crate::device::Spread> = None, checked;
                /// Measured devices to draw from, instead of spreads: factors of the up step, the down step, the upper
                /// and the lower bound of the mean device, then what is added to the slopes of up and down.
                pub measured: Vec<Vec<f64>> = Vec::new();
                /// Two devices per crosspoint that only step up, w = g⁺ − g⁻; one device without it.
                pub pair: Option<$crate::device::OneSidedPair> = None, checked;
            }
            also |s| {
                s.common().check()?;
                $(
                    let $this = s;
                    $also?;
                )?
                $crate::error::Result::Ok(())
            }
        }

        impl $name {
            /// States where neither `states` nor `weight_step` is given.
            pub const STATES: f64 = $states;

            fn common(&self) -> $crate::device::step_settings::Common<'_> {
                $crate::device::step_settings::Common {
                    states: self.states,
                    default_states: Self::STATES,
                    weight_step: self.weight_step,
                    bounds: (self.lower_bound.unwrap_or(-self.bound), self.upper_bound.unwrap_or(self.bound)),
                    up_down: self.up_down,
                    step_spread: self.step_spread,
                    bound_spread: self.bound_spread,
                    asymmetry: self.asymmetry,
                    normal: $normal,
                    spread: self.spread.as_ref(),
                    measured: &self.measured,
                }
            }
        }

        impl $crate::device::DeviceSettings for $name {
            type Device = $crate::device::StepDevice<$response>;

            fn build(&self) -> $crate::error::Result<Self::Device> {
                self.validate()?;
                let $these = self;
                let (shape, response) = $make;
                let noise = $crate::device::step::Noise::new(self.cycle_noise, self.noise);
                Ok($crate::device::StepDevice::new(self.common().variation(shape)?, noise, response))
            }

            fn pair(&self) -> Option<&$crate::device::OneSidedPair> {
                self.pair.as_ref()
            }
        }
    };
}
pub(super) use step_settings;

/// What these settings have in common.
pub(super) struct Common<'a> {
    pub(super) states: Option<f64>,
    pub(super) default_states: f64,
    pub(super) weight_step: Option<f64>,
    pub(super) bounds: (f64, f64),
    pub(super) up_down: f64,
    pub(super) step_spread: f64,
    pub(super) bound_spread: f64,
    pub(super) asymmetry: f64,
    /// Whether steps have a normal gain.
    pub(super) normal: bool,
    pub(super) spread: Option<&'a Spread>,
    pub(super) measured: &'a [Vec<f64>],
}

impl Common<'_> {
    pub(super) fn check(&self) -> Result<()> {
        self.check_states()?;
        if self.spread.is_some() && !self.measured.is_empty() {
            return Err(Error::Conflict("give one of spread and measured, not both".to_owned()));
        }
        check_range("number of measured devices", self.measured.len() as f64, 0.0, MOST_MEASURED as f64)?;
        for (row, device) in self.measured.iter().enumerate() {
            if device.len() != 6 {
                return Err(Error::range(format!("number of values of measured[{row}]"), device.len() as f64, "6"));
            }
            for (k, &value) in device.iter().enumerate() {
                let (min, max) = [(0.0, 4000.0), (1e-6, 4000.0), (-100.0, 100.0)][k / 2];
                check_range(format!("measured[{row}][{k}]"), value, min, max)?;
            }
        }
        Ok(())
    }

    /// Either `states` or `step`, or both where they agree; a step is at most the whole range, which is one state.
    fn check_states(&self) -> Result<()> {
        let Some(step) = self.weight_step else { return Ok(()) };
        let (lower, upper) = self.bounds;
        let range = upper - lower;
        let name = if lower == -upper { "2·bound" } else { "upper_bound − lower_bound" };
        if step > range {
            let allowed = format!("at most {name} = {}, which is one state", number(range));
            return Err(Error::range("weight_step", step, allowed));
        }
        if let Some(states) = self.states.filter(|states| (step * states / range - 1.0).abs() > 1e-6) {
            let name = if lower == -upper { name.to_owned() } else { format!("({name})") };
            return Err(Error::Conflict(format!(
                "states must be {name}/weight_step = {}, not {}; give one of states and weight_step",
                number((range / step * 1e6).round() / 1e6),
                number(states)
            )));
        }
        Ok(())
    }

    /// Of valid settings, with the shapes of the mean device: down, up.
    pub(super) fn variation(&self, shape: [f64; 2]) -> Result<Variation> {
        let (lower, upper) = self.bounds;
        let step = self.weight_step.unwrap_or((upper - lower) / self.states.unwrap_or(self.default_states));
        let mean = Point {
            step: [1.0 - self.up_down, 1.0 + self.up_down].map(|factor| (step * factor) as f32),
            bound: [lower as f32, upper as f32],
            shape: shape.map(|value| value as f32),
        };
        let differences = if let Some(spread) = self.spread {
            Differences::Joint(Arc::new(Joint::new(spread)?))
        } else if self.measured.is_empty() {
            Differences::Independent(Independent {
                step: self.step_spread as f32,
                bound: self.bound_spread as f32,
                asymmetry: self.asymmetry as f32,
                normal: self.normal,
            })
        } else {
            let factors = |device: &Vec<f64>| std::array::from_fn(|k| device[k] as f32);
            let mut devices: Vec<Factors> = self.measured.iter().map(factors).collect();
            devices.sort_by(|a, b| (a[0] + a[1]).total_cmp(&(b[0] + b[1])));
            Differences::Measured(devices.into())
        };
        Ok(Variation { mean, differences })
    }
}
