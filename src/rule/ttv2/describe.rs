//! What the settings of TTv2 mean.

use super::super::describe::{Description, Situation, short};
use super::super::learning_rates::{SignalMeans, fast_rate, transfer_rate};
use super::{LearningRates, TransferLine, TransferUnit, Ttv2};
use crate::crossbar::IoSettings;
use crate::error::Result;

impl Ttv2 {
    pub(super) fn explain(&self, at: &Situation, out: &mut Description) -> Result<()> {
        out.line(format_args!(
            "ttv2 on {} × {} (outputs × inputs): A accumulates, H filters, C is what the network sees",
            at.rows, at.cols
        ));
        let (a, c) = (self.device.mean()?, self.slow_device().mean()?);
        out.array("A", &a, self.reference.method);
        out.array("C", &c, self.slow_reference.method);
        let (lines, axis) = match self.transfer_line {
            TransferLine::Column => (at.cols, "column"),
            TransferLine::Row => (at.rows, "row"),
        };
        let (every, slow_step) = (self.transfer_every, c.weight_step);
        let (fast, lambda) = match self.rates {
            LearningRates::Manual => (self.fast_lr, self.transfer_lr),
            LearningRates::R24 => {
                let means = SignalMeans { x: at.x as f32, delta: at.delta as f32, samples: 0 };
                (
                    fast_rate(self.granularity, self.pulse_trains.max_length, a.weight_step, means),
                    transfer_rate(self.learning_rate, every, lines, self.reads, slow_step),
                )
            }
        };
        let lambda = lambda * at.lr_scale;
        out.pulse_trains("A", &self.pulse_trains, &a, fast, at);
        let sweep = lines as u64 * u64::from(every);
        let unit = match self.transfer_unit {
            TransferUnit::Sample => "samples",
            TransferUnit::Batch => "mini-batches",
        };
        out.line(format_args!(
            "transfer: one {axis} every {every} {unit}, so every crosspoint once per {sweep} {unit}"
        ));
        out.line(format_args!(
            "H: threshold 1, moved by {} per read and unit of A; C moves by {} per {} and unit of A",
            short(lambda),
            short(lambda * slow_step / sweep as f64),
            &unit[..unit.len() - 1]
        ));
        self.explain_threshold(a.bounds.1, lambda, sweep, unit, at, out);
        out.leak(&a);
        Ok(())
    }

    /// Whether H can cross its threshold at all.
    fn explain_threshold(
        &self,
        bound: f64,
        lambda: f64,
        sweep: u64,
        unit: &str,
        at: &Situation,
        out: &mut Description,
    ) {
        if lambda <= 0.0 {
            out.warn("the transfer rate is 0: H never moves and C is never written");
            return;
        }
        let read = &self.periphery.read;
        let most = if read.adc_bits > 0 { bound.min(read.adc_bound) } else { bound };
        let reads = (1.0 / (lambda * most)).ceil();
        let needed = reads * sweep as f64;
        let level = short(most);
        out.line(format_args!("H: A at {level} needs {reads:.0} read(s), {needed:.0} {unit}, to cross the threshold"));
        if let Some(samples) = at.samples
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
}

fn half_level(read: &IoSettings) -> f64 {
    if read.adc_bits == 0 { 0.0 } else { read.adc_bound / f64::from((1_u32 << read.adc_bits) - 2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleConfig;

    fn of(settings: Ttv2, samples: Option<u64>) -> Description {
        let at = Situation { samples, ..Situation::new(256, 785) };
        RuleConfig::Ttv2(settings).describe(&at).expect("valid")
    }

    #[test]
    fn defaults_are_described_without_warnings() {
        let described = of(Ttv2::default(), Some(60_000));
        assert_eq!(described.warnings, Vec::<String>::new());
        // k = 0.8·1·0.1/0.06 pulses; 785 columns every 2 samples; 0.6·1 per read.
        for expected in ["needs 1.33 pulses", "once per 1570 samples", "needs 2 read(s), 3140 samples", "threshold 1"] {
            assert!(described.text.contains(expected), "{expected} in {}", described.text);
        }
    }

    #[test]
    fn saturation_and_an_unreachable_threshold_are_warned_of() {
        let saturating = Ttv2 { fast_lr: 50.0, ..Ttv2::default() };
        assert!(of(saturating, None).warnings[0].contains("saturate"));
        let slow = Ttv2 { transfer_lr: 1e-4, ..Ttv2::default() };
        assert!(of(slow.clone(), Some(60_000)).warnings[0].contains("cannot be reached"));
        assert!(of(slow, None).warnings.is_empty());
        let never = Ttv2 { transfer_lr: 0.0, ..Ttv2::default() };
        assert!(of(never, None).warnings[0].contains("never"));
    }
}
