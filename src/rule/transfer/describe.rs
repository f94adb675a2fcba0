//! What the settings of a rule with fast arrays mean.

use super::parts::{Parts, StageParts, TransferSettings, Write};
use crate::crossbar::{IoSettings, ReferenceMethod};
use crate::device::MeanDevice;
use crate::error::Result;
use crate::rule::describe::{Description, Situation, short};
use crate::rule::parts::chopper::period;
use crate::rule::parts::rates::Sweep;
use crate::rule::parts::schedule::{ReadVectors, TransferLine, TransferUnit};
use crate::rule::parts::signals::Signals;
use crate::rule::parts::tracker::Adopt;
use crate::rule::{Initial, Rule, RuleSettings, TileSize};

impl<S: TransferSettings> RuleSettings for S {
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        super::TransferRule::build(self, at)
    }

    fn tile(&self) -> Option<TileSize> {
        self.hardware().tile
    }

    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()> {
        let (name, about) = self.about();
        out.line(format_args!("{name} on {} × {} (outputs × inputs): {about}", at.rows, at.cols));
        let (mut parts, hardware) = (self.parts(), self.hardware());
        let (a, c) = (hardware.device.mean()?, hardware.slow_device.mean()?);
        let tracked = parts.stages.iter().any(|stage| stage.tracker.is_some());
        out.array("A", &a, hardware.reference.method);
        out.array("C", &c, hardware.slow_reference.method);
        parts.rates.signals = Signals::constant(at.x, at.delta);
        let of = Transfers { parts: &parts, read: &hardware.periphery.read, a: &a, c: &c, at };
        if parts.rates.automatic() {
            let of = match parts.rates.transfer_lr {
                Some(_) => "rate of A: it follows the signals".into(),
                None => format!("rates: they follow lr = {} and the signals", short(parts.rates.lr)),
            };
            out.line(format_args!("{of}; below, as if every line carried max|x| and max|δ|"));
        }
        let rate = parts.rates.fast(of.rates_at(&parts.stages[0]));
        out.pulse_trains("A", hardware.pulse_trains, &a, rate, parts.rates.sets_fast(), at);
        for (n, stage) in parts.stages.iter().enumerate() {
            of.stage(n, stage, hardware.pulse_trains.max_length, out);
        }
        if let Some(first) = parts.stages.first().filter(|first| first.chopper.1 > 0.0 || tracked) {
            let spread =
                if hardware.reference.method == ReferenceMethod::Ideal { hardware.reference.spread } else { 0.0 };
            of.chopper(first, spread, out);
        }
        out.leak(&a);
        Ok(())
    }
}

struct Transfers<'a> {
    parts: &'a Parts,
    read: &'a IoSettings,
    a: &'a MeanDevice,
    c: &'a MeanDevice,
    at: &'a Situation,
}

impl Transfers<'_> {
    fn lines(&self, stage: &StageParts) -> usize {
        let lines = self.parts.line.count((self.at.rows, self.at.cols)).0;
        if stage.vectors == ReadVectors::Hadamard { lines.next_power_of_two() } else { lines }
    }

    fn rates_at(&self, stage: &StageParts) -> Sweep {
        let step = if matches!(stage.write, Write::Pulses(_)) { self.c.weight_step } else { 1.0 };
        let steps = (self.a.weight_step, step);
        Sweep { every: u64::from(stage.every), lines: self.lines(stage), samples_each: 1.0, steps }
    }

    /// The rate of a transfer into C.
    fn rate(&self, stage: &StageParts) -> f64 {
        let fast = self.parts.rates.fast(self.rates_at(&self.parts.stages[0]));
        self.parts.rates.transfer(self.rates_at(stage), fast) * self.at.lr_scale
    }

    /// Samples (or mini-batches) until every line was read once.
    fn sweep(&self, stage: &StageParts) -> u64 {
        self.lines(stage) as u64 * u64::from(stage.every)
    }

    /// What `transfer_every` counts: one, and several.
    fn unit(&self) -> (&'static str, &'static str) {
        match self.parts.unit {
            TransferUnit::Sample => ("sample", "samples"),
            TransferUnit::Batch => ("mini-batch", "mini-batches"),
        }
    }

    /// The transfer from fast array n to the next.
    fn stage(&self, n: usize, stage: &StageParts, max_length: u32, out: &mut Description) {
        let (sweep, (one, unit), every, last) =
            (self.sweep(stage), self.unit(), stage.every, n + 1 == self.parts.stages.len());
        let axis = match self.parts.line {
            TransferLine::Column => "column",
            TransferLine::Row => "row",
        };
        let rate = self.rate(stage);
        let tiles = self.parts.stages.len() > 1;
        let from =
            if tiles { format!("transfer from tile {}", self.parts.stages.len() - n) } else { "transfer".into() };
        let often = format!("{from}: one {axis} every {every} {unit}, so every crosspoint once per {sweep} {unit}");
        match stage.write {
            Write::Trains(own) => {
                let lr = if last { rate } else { own };
                let (to, step) = if last {
                    ("C".into(), self.c.weight_step)
                } else {
                    (format!("tile {}", self.parts.stages.len() - n - 1), self.a.weight_step)
                };
                out.line(format_args!("{often}; {to} moves by {} per {one} and unit of A", short(lr / sweep as f64)));
                let pulses = lr * self.a.bounds.1 / step;
                out.line(format_args!("{from}: A at its bound sends {} pulses to {to} per read", short(pulses)));
                if pulses > f64::from(max_length) {
                    out.warn(format_args!(
                        "a transfer from A at its bound saturates its train on {to}; lower transfer_lr"
                    ));
                }
            }
            Write::Pulses(filtering) => {
                out.line(&often);
                out.line(format_args!(
                    "H: threshold 1, moved by {} per read and unit of A; C moves by {} per {one} and unit of A",
                    short(rate),
                    short(rate * self.c.weight_step / sweep as f64)
                ));
                self.threshold(stage, rate, out);
                if filtering.leak > 0.0 {
                    let least = f64::from(filtering.leak) / rate;
                    out.line(format_args!(
                        "H: leaks {} per read, so that reads of A below {} never write",
                        short(f64::from(filtering.leak)),
                        short(least)
                    ));
                }
            }
        }
    }

    /// Whether H can cross its threshold at all.
    fn threshold(&self, stage: &StageParts, lambda: f64, out: &mut Description) {
        if lambda <= 0.0 {
            out.warn("the transfer rate is 0: H never moves and C is never written");
            return;
        }
        let (bound, read, (_, unit)) = (self.a.bounds.1, self.read, self.unit());
        let most = if read.adc_bits > 0 { bound.min(read.adc_bound) } else { bound };
        let reads = (1.0 / (lambda * most)).ceil();
        let needed = reads * self.sweep(stage) as f64;
        let level = short(most);
        out.line(format_args!("H: A at {level} needs {reads:.0} read(s), {needed:.0} {unit}, to cross the threshold"));
        if let Some(samples) = self.at.samples
            && needed > samples as f64
        {
            out.warn(format_args!(
                "the threshold cannot be reached: even A at {level} needs {needed:.0} {unit}, but only {samples} are planned; raise the transfer rate or lower transfer_every"
            ));
        }
        let half_level = half_level(read);
        if half_level > most {
            out.warn(format_args!(
                "half a level of the read converter, {half_level:.3}, is more than A can hold: every read is 0"
            ));
        }
    }

    /// The signs of lines and what they cost: a constant error o of the reference moves H by λ_H·|o| per read for a period
    /// of 1/ρ reads, and writes C if that reaches the threshold; a tracked reference repeats its noise in every read of
    /// a period, which multiplies the variance that H gets.
    fn chopper(&self, stage: &StageParts, spread: f64, out: &mut Description) {
        let rate = stage.chopper.1;
        if rate <= 0.0 {
            return;
        }
        let (reads, (_, unit)) = (period(rate), self.unit());
        out.line(format_args!(
            "chopper: the sign of a line flips every {reads} reads, {} {unit}",
            reads * self.sweep(stage)
        ));
        let lambda = self.rate(stage);
        if stage.tracker.is_some_and(|tracking| tracking.adopt == Adopt::AtFlips) {
            out.line(format_args!(
                "reference: the noise of reads reaches H with {} times the variance, as that of the reference repeats in {reads} reads",
                short(self.parts.rates.response.noise(reads))
            ));
        } else if matches!(stage.write, Write::Pulses(_)) {
            let most = if lambda > 0.0 { rate / lambda } else { f64::INFINITY };
            out.line(format_args!("chopper: errors of the reference up to {} write nothing", short(most)));
            if spread > most {
                out.warn(format_args!(
                    "errors of the reference of {} fill H within a period of the chopper and write C; lower the transfer rate or raise flip_rate",
                    short(spread)
                ));
            }
        }
    }
}

fn half_level(read: &IoSettings) -> f64 {
    if read.adc_bits == 0 { 0.0 } else { read.adc_bound / f64::from((1_u32 << read.adc_bits) - 2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{RuleConfig, Ttv2};

    fn of(settings: Ttv2, samples: Option<u64>) -> Description {
        let at = Situation { samples, ..Situation::new(256, 785) };
        RuleConfig::Ttv2(settings).describe(&at).expect("valid")
    }

    #[test]
    fn transfers_count_samples_or_mini_batches() {
        use crate::rule::TransferUnit;
        for (unit, one) in [(TransferUnit::Sample, "per sample and"), (TransferUnit::Batch, "per mini-batch and")] {
            let text = of(Ttv2 { transfer_unit: unit, ..Ttv2::default() }, None).text;
            assert!(text.contains(one), "{text}");
        }
    }

    #[test]
    fn rates_by_hand_are_described_without_warnings() {
        let by_hand = Ttv2 { fast_lr: Some(0.8), transfer_lr: Some(1.0), ..Ttv2::default() };
        let described = of(by_hand, Some(60_000));
        assert_eq!(described.warnings, Vec::<String>::new());
        // k = 0.8·1·0.1/0.06 pulses; 785 columns every 2 samples; 0.6·1 per read.
        for expected in ["needs 1.33 pulses", "once per 1570 samples", "needs 2 read(s), 3140 samples", "threshold 1"] {
            assert!(described.text.contains(expected), "{expected} in {}", described.text);
        }
    }

    #[test]
    fn automatic_rates_say_that_they_follow_the_signals() {
        let described = of(Ttv2::default(), Some(60_000));
        assert!(described.text.contains("rates: they follow lr = 0.2"), "{}", described.text);
        assert_eq!(described.warnings, Vec::<String>::new());
    }

    #[test]
    fn saturation_and_an_unreachable_threshold_are_warned_of() {
        let saturating = Ttv2 { fast_lr: Some(50.0), ..Ttv2::default() };
        assert!(of(saturating, None).warnings[0].contains("saturate"));
        let slow = Ttv2 { transfer_lr: Some(1e-4), ..Ttv2::default() };
        assert!(of(slow.clone(), Some(60_000)).warnings[0].contains("cannot be reached"));
        assert!(of(slow, None).warnings.is_empty());
        let never = Ttv2 { transfer_lr: Some(0.0), ..Ttv2::default() };
        assert!(of(never, None).warnings[0].contains("never"));
    }
}
