//! The built-in rules by kind.

use super::{AnalogSgd, Description, DigitalSgd, Initial, Rule, Situation, Ttv1, Ttv2};
use crate::error::Result;
use crate::kinds::kinds;
use std::fmt::Debug;

/// The settings of a rule: what they allow, what they build and what they mean.
pub trait RuleSettings: Debug {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range.
    fn validate(&self) -> Result<()>;

    /// The rule of a layer.
    ///
    /// # Errors
    /// Settings out of range, or more memory than there is.
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>>;

    /// Adds what the settings mean for an array and its signals.
    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()>;
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
    /// The rule of a layer.
    pub fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        self.validate()?;
        self.settings().build(at)
    }

    /// What the settings mean for an array and its signals.
    ///
    /// # Errors
    /// Settings or signals out of range.
    pub fn describe(&self, at: &Situation) -> Result<Description> {
        self.validate()?;
        at.validate()?;
        let mut out = Description::default();
        self.settings().describe(at, &mut out)?;
        Ok(out.finish())
    }
}
