//! What the settings of a rule mean on an array of a given size, in words and numbers: the parts that rules share.

use crate::check::check_not_negative;
use crate::crossbar::{PulseTrains, ReferenceMethod};
use crate::device::MeanDevice;
use crate::error::Result;
use std::fmt::{Display, Write as _};

/// A description: text, and the warnings among it on their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// Everything, a fact per line, warnings last.
    pub text: String,
    /// Settings that will not do what they seem to ask for.
    pub warnings: Vec<String>,
}

/// The array, the signals and the plan that a description is made for.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// Outputs.
    pub rows: usize,
    /// Inputs, the bias among them.
    pub cols: usize,
    /// max|x| of a sample.
    pub x: f64,
    /// Mean of max|δ|, which varies exponentially about it (ours).
    pub delta: f64,
    /// Planned number of samples, if known.
    pub samples: Option<u64>,
    /// The schedule's factor on the learning rate.
    pub lr_scale: f64,
}

impl Situation {
    /// A `rows` × `cols` array, max|x| = 1, mean max|δ| = 0.1, nothing planned.
    pub fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols, x: 1.0, delta: 0.1, samples: None, lr_scale: 1.0 }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let signals = [("x", self.x), ("delta", self.delta), ("lr_scale", self.lr_scale)];
        signals.into_iter().try_for_each(|(what, value)| check_not_negative(what, value))
    }
}

impl Description {
    /// Adds a line of text.
    pub fn line(&mut self, text: impl Display) {
        let _ = writeln!(self.text, "{text}");
    }

    /// Adds a warning.
    pub fn warn(&mut self, text: impl Display) {
        self.warnings.push(text.to_string());
    }

    /// The description with its warnings in the text.
    pub(super) fn finish(mut self) -> Self {
        for warning in &self.warnings {
            let _ = writeln!(self.text, "warning: {warning}");
        }
        self
    }

    /// The devices of an array.
    pub(super) fn array(&mut self, name: &str, device: &MeanDevice, reference: ReferenceMethod) {
        let MeanDevice { weight_step, bounds: (lower, upper), .. } = *device;
        let bounds = if lower == -upper {
            format!("±{}", short(upper))
        } else {
            format!("{} to {}", short(lower), short(upper))
        };
        let zero = match reference {
            ReferenceMethod::None => "weight 0 is state 0",
            ReferenceMethod::Ideal => "weight 0 is each device's symmetry point",
            ReferenceMethod::ZeroShift => "weight 0 is where zero-shifting left each device",
        };
        self.line(format_args!(
            "{name}: step {}, bounds {bounds}, {:.0} states on average; {zero}",
            short(weight_step),
            (upper - lower) / weight_step
        ));
    }

    /// Expected train length and share of saturated pulse trains: with k exponential about its mean k̄,
    /// E min(⌈k⌉, BL_max) = Σ_{j < BL_max} exp(−j/k̄) and P(k > BL_max) = exp(−BL_max/k̄). Warns of many that saturate,
    /// unless the rate is `automatic`: then a large δ fills half a train.
    pub(super) fn pulse_trains(
        &mut self,
        name: &str,
        pulse_trains: &PulseTrains,
        device: &MeanDevice,
        lr: f64,
        automatic: bool,
        at: &Situation,
    ) {
        let k = lr * at.x * at.delta / device.weight_step;
        let most = f64::from(pulse_trains.max_length);
        let length = if pulse_trains.length_management && k > 0.0 {
            (0..pulse_trains.max_length).map(|j| (-f64::from(j) / k).exp()).sum()
        } else {
            most
        };
        let saturated = if k > 0.0 { (-most / k).exp() } else { 0.0 };
        self.line(format_args!(
            "{name}: learning rate {}; at max|x| = {}, mean max|δ| = {} the largest crosspoint needs {} pulses per sample: \
             expected train {length:.2} of {most} slots, {:.1} % of pulse trains saturated",
            short(lr),
            at.x,
            at.delta,
            short(k),
            100.0 * saturated
        ));
        if saturated > 0.05 && !automatic {
            self.warn(format_args!(
                "{:.0} % of the pulse trains of {name} saturate: their largest δ are clipped; lower the learning rate or raise max_length above {:.0}",
                100.0 * saturated,
                3.0 * k
            ));
        }
    }

    /// Whether what A accumulates fades.
    pub(super) fn leak(&mut self, device: &MeanDevice) {
        if !device.fades {
            self.warn(
                "the steps of A's devices do not shrink towards their bounds: what A accumulates never fades, as it does on soft bounds",
            );
        }
    }
}

/// Three significant digits, without an exponent where that is easy to read.
pub(super) fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if (-4.0..5.0).contains(&digits) {
        let text = format!("{value:.*}", (2.0 - digits).max(0.0) as usize);
        let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        trimmed.to_owned()
    } else {
        format!("{value:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> = [0.0, 0.2, 1.0, 784.25, 1234.5, 0.000_123_45, 1e-7, 3e9].map(short).to_vec();
        assert_eq!(shown, ["0", "0.2", "1", "784", "1234", "0.000123", "1.00e-7", "3.00e9"]);
    }
}
