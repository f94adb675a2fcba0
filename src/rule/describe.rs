//! What the settings of a rule mean on an array of a given size, in words and numbers.

use super::learning_rates::{SignalMeans, fast_rate, transfer_rate};
use super::{LearningRates, RuleConfig, TransferLine, TransferUnit, Ttv1, Ttv2};
use crate::crossbar::{IoSettings, PulseTrains, ReferenceMethod};
use crate::device::DeviceConfig;
use crate::error::{Error, Result};
use std::fmt::Write as _;

/// A description: text, and the warnings among it on their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// Everything, a fact per line, warnings last.
    pub text: String,
    /// Settings that will not do what they seem to ask for.
    pub warnings: Vec<String>,
}

/// The signals and the plan that a description is made for.
#[derive(Clone, Copy, Debug)]
struct Situation {
    rows: usize,
    cols: usize,
    x: f64,
    delta: f64,
    samples: Option<u64>,
    lr_scale: f64,
}

/// Describes `rule` on a `rows` × `cols` array for samples with max|x| = `x` and a max|δ| that varies
/// exponentially about the mean `delta` (ours), with the schedule at `lr_scale`; `samples` is the planned
/// number of samples, if known.
pub fn describe(
    rule: &RuleConfig,
    rows: usize,
    cols: usize,
    x: f64,
    delta: f64,
    samples: Option<u64>,
    lr_scale: f64,
) -> Result<Description> {
    rule.validate()?;
    for (what, value) in [("x", x), ("delta", delta), ("lr_scale", lr_scale)] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Error::range(what, value, "0 or more"));
        }
    }
    let at = Situation { rows, cols, x, delta, samples, lr_scale };
    let mut out = Description::default();
    match rule {
        RuleConfig::DigitalSgd(s) => {
            line(
                &mut out,
                &format!(
                    "float on {rows} × {cols} (outputs × inputs): W moves by {}·δxᵀ, exactly",
                    short(s.lr * lr_scale)
                ),
            );
        }
        RuleConfig::AnalogSgd(s) => {
            line(&mut out, &format!("sgd on {rows} × {cols} (outputs × inputs), one array C"));
            array(&mut out, "C", &s.device, s.reference.method);
            pulse_trains(&mut out, "C", &s.pulse_trains, &s.device, s.lr * lr_scale, at);
        }
        RuleConfig::Ttv1(s) => ttv1(&mut out, s, at),
        RuleConfig::Ttv2(s) => ttv2(&mut out, s, at),
    }
    for warning in &out.warnings {
        let _ = writeln!(out.text, "warning: {warning}");
    }
    Ok(out)
}

/// Three significant digits, without an exponent where that is easy to read.
fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if (-4.0..5.0).contains(&digits) {
        let text = format!("{value:.*}", (2.0 - digits).max(0.0) as usize);
        let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        trimmed.to_owned()
    } else {
        format!("{value:.2e}")
    }
}

fn line(out: &mut Description, text: &str) {
    let _ = writeln!(out.text, "{text}");
}

fn array(out: &mut Description, name: &str, device: &DeviceConfig, reference: ReferenceMethod) {
    let (step, bound) = (device.weight_step(), device.bound());
    let zero = match reference {
        ReferenceMethod::None => "weight 0 is state 0",
        ReferenceMethod::Ideal => "weight 0 is each device's symmetry point",
        ReferenceMethod::ZeroShift => "weight 0 is where zero-shifting left each device",
    };
    line(
        out,
        &format!(
            "{name}: step {}, bounds ±{}, {:.0} states on average; {zero}",
            short(step),
            short(bound),
            2.0 * bound / step
        ),
    );
}

/// Expected train length and share of saturated pulse_trains: with k exponential about its mean k̄,
/// E min(⌈k⌉, BL_max) = Σ_{j < BL_max} exp(−j/k̄) and P(k > BL_max) = exp(−BL_max/k̄).
fn pulse_trains(
    out: &mut Description,
    name: &str,
    pulse_trains: &PulseTrains,
    device: &DeviceConfig,
    lr: f64,
    at: Situation,
) {
    let k = lr * at.x * at.delta / device.weight_step();
    let most = f64::from(pulse_trains.max_length);
    let length = if pulse_trains.length_management && k > 0.0 {
        (0..pulse_trains.max_length).map(|j| (-f64::from(j) / k).exp()).sum()
    } else {
        most
    };
    let saturated = if k > 0.0 { (-most / k).exp() } else { 0.0 };
    line(
        out,
        &format!(
            "{name}: learning rate {}; at max|x| = {}, mean max|δ| = {} the largest crosspoint needs {} pulses per sample: \
             expected train {length:.2} of {most} slots, {:.1} % of pulse_trains saturated",
            short(lr),
            at.x,
            at.delta,
            short(k),
            100.0 * saturated
        ),
    );
    if saturated > 0.05 {
        out.warnings.push(format!(
            "{:.0} % of the pulse trains of {name} saturate: their largest δ are clipped; lower the learning rate or raise max_length above {:.0}",
            100.0 * saturated,
            3.0 * k
        ));
    }
}

fn leak(out: &mut Description, device: &DeviceConfig) {
    if let DeviceConfig::ConstantStep(_) = device {
        out.warnings.push(
            "constant-step devices have no symmetry point inside their bounds: what A accumulates never fades, as it does on soft bounds"
                .to_owned(),
        );
    }
}

fn ttv1(out: &mut Description, s: &Ttv1, at: Situation) {
    line(
        out,
        &format!(
            "ttv1 on {} × {} (outputs × inputs): A accumulates, C takes over; the network sees {}A + C",
            at.rows, at.cols, s.gamma
        ),
    );
    array(out, "A", &s.device, s.reference.method);
    array(out, "C", s.slow_device(), s.slow_reference.method);
    pulse_trains(out, "A", &s.pulse_trains, &s.device, s.fast_lr, at);
    let sweep = at.cols as u64 * u64::from(s.transfer_every);
    let lr = s.transfer_lr * at.lr_scale;
    line(
        out,
        &format!(
            "transfer: one column every {} samples, so every crosspoint once per {sweep} samples; C moves by {} per sample and unit of A",
            s.transfer_every,
            short(lr / sweep as f64)
        ),
    );
    let pulses = lr * s.device.bound() / s.slow_device().weight_step();
    line(out, &format!("transfer: A at its bound sends {} pulses to C per read", short(pulses)));
    if pulses > f64::from(s.pulse_trains.max_length) {
        out.warnings.push("a transfer from A at its bound saturates its train on C; lower transfer_lr".to_owned());
    }
    leak(out, &s.device);
}

fn ttv2(out: &mut Description, s: &Ttv2, at: Situation) {
    line(
        out,
        &format!(
            "ttv2 on {} × {} (outputs × inputs): A accumulates, H filters, C is what the network sees",
            at.rows, at.cols
        ),
    );
    array(out, "A", &s.device, s.reference.method);
    array(out, "C", s.slow_device(), s.slow_reference.method);
    let (lines, axis) = match s.transfer_line {
        TransferLine::Column => (at.cols, "column"),
        TransferLine::Row => (at.rows, "row"),
    };
    let (fast, lambda) = match s.rates {
        LearningRates::Manual => (s.fast_lr, s.transfer_lr),
        LearningRates::R24 => {
            let means = SignalMeans { x: at.x as f32, delta: at.delta as f32 };
            (
                fast_rate(s.granularity, s.pulse_trains.max_length, s.device.weight_step(), means),
                transfer_rate(s.learning_rate, s.transfer_every, lines, s.reads, s.slow_device().weight_step()),
            )
        }
    };
    let lambda = lambda * at.lr_scale;
    pulse_trains(out, "A", &s.pulse_trains, &s.device, fast, at);
    let sweep = lines as u64 * u64::from(s.transfer_every);
    let unit = match s.transfer_unit {
        TransferUnit::Sample => "samples",
        TransferUnit::Batch => "mini-batches",
    };
    line(
        out,
        &format!("transfer: one {axis} every {} {unit}, so every crosspoint once per {sweep} {unit}", s.transfer_every),
    );
    line(
        out,
        &format!(
            "H: threshold 1, moved by {} per read and unit of A; C moves by {} per {} and unit of A",
            short(lambda),
            short(lambda * s.slow_device().weight_step() / sweep as f64),
            &unit[..unit.len() - 1]
        ),
    );
    reach(out, s, lambda, sweep, unit, at);
    leak(out, &s.device);
}

/// Whether H can cross its threshold at all.
fn reach(out: &mut Description, s: &Ttv2, lambda: f64, sweep: u64, unit: &str, at: Situation) {
    let read = &s.periphery.read;
    let most = if read.adc_bits > 0 { s.device.bound().min(read.adc_bound) } else { s.device.bound() };
    if lambda <= 0.0 {
        out.warnings.push("the transfer rate is 0: H never moves and C is never written".to_owned());
        return;
    }
    let reads = (1.0 / (lambda * most)).ceil();
    line(
        out,
        &format!(
            "H: A at {} needs {reads:.0} read(s), {:.0} {unit}, to cross the threshold",
            short(most),
            reads * sweep as f64
        ),
    );
    if let Some(samples) = at.samples
        && reads * sweep as f64 > samples as f64
    {
        out.warnings.push(format!(
            "the threshold cannot be reached: even A at {} needs {:.0} {unit}, but only {samples} are planned; raise the transfer rate or lower transfer_every",
            short(most),
            reads * sweep as f64
        ));
    }
    let half_level = half_level(read);
    if half_level > most {
        out.warnings.push(format!(
            "half a level of the read converter, {half_level:.3}, is more than A can hold: every read is 0"
        ));
    }
}

fn half_level(read: &IoSettings) -> f64 {
    if read.adc_bits == 0 { 0.0 } else { read.adc_bound / f64::from((1_u32 << read.adc_bits) - 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rule: &RuleConfig, samples: Option<u64>) -> Description {
        describe(rule, 256, 785, 1.0, 0.1, samples, 1.0).expect("valid")
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> = [0.0, 0.2, 1.0, 784.25, 1234.5, 0.000_123_45, 1e-7, 3e9].map(short).to_vec();
        assert_eq!(shown, ["0", "0.2", "1", "784", "1234", "0.000123", "1.00e-7", "3.00e9"]);
    }

    #[test]
    fn defaults_are_described_without_warnings() {
        let described = of(&RuleConfig::Ttv2(Ttv2::default()), Some(60_000));
        assert_eq!(described.warnings, Vec::<String>::new());
        // k = 0.8·1·0.1/0.06 pulses; 785 columns every 2 samples; 0.6·1 per read.
        for expected in ["needs 1.33 pulses", "once per 1570 samples", "needs 2 read(s), 3140 samples", "threshold 1"] {
            assert!(described.text.contains(expected), "{expected} in {}", described.text);
        }
    }

    #[test]
    fn saturation_and_an_unreachable_threshold_are_warned_of() {
        let saturating = Ttv2 { fast_lr: 50.0, ..Ttv2::default() };
        assert!(of(&RuleConfig::Ttv2(saturating), None).warnings[0].contains("saturate"));
        let slow = Ttv2 { transfer_lr: 1e-4, ..Ttv2::default() };
        assert!(of(&RuleConfig::Ttv2(slow.clone()), Some(60_000)).warnings[0].contains("cannot be reached"));
        assert!(of(&RuleConfig::Ttv2(slow), None).warnings.is_empty());
        let never = Ttv2 { transfer_lr: 0.0, ..Ttv2::default() };
        assert!(of(&RuleConfig::Ttv2(never), None).warnings[0].contains("never"));
    }
}
