//! The settings of the built-in rules, and how they are built.

use super::{AnalogSgd, AnalogSgdRule, DigitalSgd, DigitalSgdRule, Rule, Ttv1, Ttv1Rule, Ttv2, Ttv2Rule};
use crate::crossbar::{Array, Periphery, PulseTrains, Reference, Setup, build};
use crate::device::DeviceConfig;
use crate::error::Result;
use crate::kinds::kinds;
use std::fmt::Debug;

/// The settings of a training rule.
pub trait RuleSettings: Debug {
    /// Checks every field.
    fn validate(&self) -> Result<()>;

    /// The rule of layer number `layer` with `rows` × `cols` initial weights, row-major.
    ///
    /// # Errors
    /// What [`validate`](RuleSettings::validate) refuses, and more crosspoints than there is room for.
    fn build(&self, rows: usize, cols: usize, weights: &[f32], seed: u64, layer: u64) -> Result<Box<dyn Rule>>;
}

kinds! {
    /// The settings of a built-in rule, by kind.
    pub enum RuleConfig("rule"): RuleSettings {
        /// Exact arithmetic.
        DigitalSgd(DigitalSgd) = "float",
        /// Pulsed stochastic gradient descent.
        AnalogSgd(AnalogSgd) = "sgd",
        /// Tiki-Taka.
        Ttv1(Ttv1) = "ttv1",
        /// Tiki-Taka version 2.
        Ttv2(Ttv2) = "ttv2",
    }
}

impl RuleConfig {
    /// The rule of layer number `layer` with `rows` × `cols` initial weights, row-major.
    ///
    /// # Errors
    /// Settings out of range, and more crosspoints than there is room for.
    pub fn build(&self, rows: usize, cols: usize, weights: &[f32], seed: u64, layer: u64) -> Result<Box<dyn Rule>> {
        self.validate()?;
        self.settings().build(rows, cols, weights, seed, layer)
    }
}

/// The traits of the built-in settings, from their own functions.
macro_rules! rule_settings {
    ($($settings:ty => $build:expr),+ $(,)?) => {
        $(impl RuleSettings for $settings {
            fn validate(&self) -> Result<()> {
                self.validate()
            }

            fn build(&self, rows: usize, cols: usize, weights: &[f32], seed: u64, layer: u64) -> Result<Box<dyn Rule>> {
                let build: fn(_, _, &[f32], _, _, _) -> Result<_> = $build;
                Ok(Box::new(build(rows, cols, weights, self.clone(), seed, layer)?))
            }
        })+
    };
}
rule_settings! {
    DigitalSgd => |rows, cols, weights, settings, _, _| DigitalSgdRule::new(rows, cols, weights, settings),
    AnalogSgd => AnalogSgdRule::build,
    Ttv1 => Ttv1Rule::build,
    Ttv2 => Ttv2Rule::build,
}

/// Checks the devices of a rule, those that are given.
pub(super) fn check_devices<const N: usize>(devices: [Option<&DeviceConfig>; N]) -> Result<()> {
    devices.into_iter().flatten().try_for_each(DeviceConfig::validate)
}

/// Checks what surrounds the devices of a rule.
pub(super) fn check_surroundings<const N: usize>(
    periphery: &Periphery,
    pulse_trains: &PulseTrains,
    references: [&Reference; N],
) -> Result<()> {
    periphery.validate()?;
    pulse_trains.validate()?;
    references.into_iter().try_for_each(Reference::validate)
}

/// What the arrays of one rule share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrays<'a> {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) periphery: &'a Periphery,
    pub(super) pulse_trains: &'a PulseTrains,
    pub(super) count_pulses: bool,
    pub(super) seed: u64,
    pub(super) layer: u64,
}

impl Arrays<'_> {
    fn setup(&self, which: u64) -> Setup {
        Setup {
            periphery: self.periphery.clone(),
            pulse_trains: self.pulse_trains.clone(),
            seed: self.seed,
            array: 2 * self.layer + which,
            count_pulses: self.count_pulses,
        }
    }

    /// The fast array A, at rest on its reference.
    pub(super) fn fast(&self, device: &DeviceConfig, reference: &Reference) -> Result<Box<dyn Array>> {
        build(self.rows, self.cols, device, &self.setup(0), reference)
    }

    /// The array C that the network sees, at its initial weights; `read_bound` replaces the ADC range of its reads.
    pub(super) fn slow(
        &self,
        device: &DeviceConfig,
        reference: &Reference,
        weights: &[f32],
        read_bound: Option<f64>,
    ) -> Result<Box<dyn Array>> {
        let mut setup = self.setup(1);
        if let Some(bound) = read_bound {
            setup.periphery.read.adc_bound = bound;
        }
        let mut array = build(self.rows, self.cols, device, &setup, reference)?;
        array.set_weights(weights)?;
        Ok(array)
    }
}
