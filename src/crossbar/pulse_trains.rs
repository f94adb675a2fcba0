//! Stochastic pulse trains (GV16; managements as documented by aihwkit).

use super::active::Active;
use crate::error::{Limit, Result, check_limits};
use crate::random::Stream;
use crate::simd::{self, Below, Isa, Kernel, LANES};
use serde::{Deserialize, Serialize};

/// Settings of the pulse trains of an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PulseTrains {
    /// BL_max: the most slots of a train.
    pub max_length: u32,
    /// Balance the firing of rows and columns by their largest values.
    pub update_management: bool,
    /// Make each train only as long as its update needs.
    pub length_management: bool,
}

impl Default for PulseTrains {
    fn default() -> Self {
        Self { max_length: 31, update_management: true, length_management: true }
    }
}

/// How one update fires: slots, and the gain from a value's magnitude to its firing probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdatePlan {
    /// BL: slots of the train.
    pub slots: u32,
    /// A: firing probability of a row per unit of |δ|.
    pub row_gain: f64,
    /// B: firing probability of a column per unit of |x|.
    pub column_gain: f64,
    /// Whether the update needed more than BL_max slots and the largest δ were clipped.
    pub saturated: bool,
}

impl PulseTrains {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] =
        &[Limit { field: "max_length", min: 1.0, max: 4096.0, get: |s| Some(f64::from(s.max_length)) }];

    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)
    }

    /// GV16, with k = lr·x_max·δ_max/δ_step the pulses that the largest crosspoint needs:
    ///
    /// ```text
    /// BL = min(⌈k⌉, BL_max) under train management, else BL_max;  if k > BL_max: δ_max ← δ_max·BL_max/k
    /// A = √(lr/(δ_step BL)) · √(x_max/δ_max)    B = √(lr/(δ_step BL)) · √(δ_max/x_max)
    /// ```
    ///
    /// the second factors under update management only. `None` where nothing can fire.
    pub fn plan(&self, lr: f64, step: f64, x_max: f64, delta_max: f64) -> Option<UpdatePlan> {
        let k = lr.abs() * x_max * delta_max / step;
        if k.is_nan() || k <= 0.0 {
            return None;
        }
        let most = f64::from(self.max_length);
        let saturated = k > most;
        let slots = if self.length_management { k.ceil().min(most) } else { most };
        let delta_max = if saturated { delta_max * most / k } else { delta_max };
        let gain = (lr.abs() / (step * slots)).sqrt();
        let balance = if self.update_management { (x_max / delta_max).sqrt() } else { 1.0 };
        Some(UpdatePlan { slots: slots as u32, row_gain: gain * balance, column_gain: gain / balance, saturated })
    }
}

/// Words drawn at once.
const AT_ONCE: usize = 1024;

/// One side of an update: the lines with a value other than zero, and their firing thresholds.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// Line number · 2 + (value < 0), for each active line.
    pub(super) lines: Vec<u32>,
    active: Active,
    thresholds: Vec<u32>,
    words: Vec<u32>,
    /// Positions in `lines` that fired, slot after slot; longer than it is full.
    fired: Vec<u32>,
    /// Where each slot starts in `fired`; one more entry than slots.
    starts: Vec<usize>,
}

impl Side {
    /// Takes the values of one side; a firing probability is `gain`·|value|, at most 1.
    #[inline(always)]
    pub(super) fn load<M: Isa>(&mut self, values: &[f32], gain: f64) {
        self.active.load_on::<M>(values);
        let (at, values) = (self.active.at(), self.active.values());
        self.lines.clear();
        self.lines.extend(at.iter().zip(values).map(|(at, v)| 2 * at + u32::from(*v < 0.0)));
        // Zeros fill up the last block: they never fire.
        let (lines, whole) = (values.len(), values.len().next_multiple_of(LANES));
        self.thresholds.resize(whole.max(self.thresholds.len()), 0);
        simd::thresholds(values, gain as f32, &mut self.thresholds[..lines]);
        self.thresholds[lines..whole].iter_mut().for_each(|threshold| *threshold = 0);
    }

    /// Draws `slots` slots: slot s of active line c fires on word s·(active lines) + c.
    #[inline(always)]
    pub(super) fn fire<M: Isa>(&mut self, stream: &Stream, slots: u32) {
        let width = self.lines.len();
        let mut words = std::mem::take(&mut self.words);
        self.starts.clear();
        self.starts.push(0);
        // Narrow slots are drawn together: the generator makes words in groups.
        let together = (AT_ONCE / width.max(1)).max(1) as u32;
        for first in (0..slots).step_by(together as usize) {
            let count = together.min(slots - first) as usize;
            words.resize((count * width + LANES).max(words.len()), 0);
            stream.word_kernel(u64::from(first) * width as u64, &mut words[..count * width]).run::<M>();
            self.add::<M>(&words, count);
        }
        self.words = words;
    }

    /// [`fire`](Side::fire) on words that are there already, and room behind them for a block.
    #[inline(always)]
    pub(super) fn fire_on<M: Isa>(&mut self, words: &[u32], slots: u32) {
        self.starts.clear();
        self.starts.push(0);
        self.add::<M>(words, slots as usize);
    }

    #[inline(always)]
    fn add<M: Isa>(&mut self, words: &[u32], slots: usize) {
        let width = self.lines.len();
        let thresholds = &self.thresholds[..width.next_multiple_of(LANES)];
        let mut n = self.starts.last().copied().unwrap_or(0);
        for slot in 0..slots {
            if self.fired.len() < n + width + LANES {
                self.fired.resize(2 * (n + width + LANES), 0);
            }
            n += Below { words: &words[slot * width..], thresholds, at: &mut self.fired[n..] }.run::<M>();
            self.starts.push(n);
        }
    }

    /// Lines that fired in all slots of the last draw.
    pub(super) fn fired(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The positions that fired in a slot of the last draw.
    #[inline(always)]
    pub(super) fn slot(&self, s: usize) -> &[u32] {
        &self.fired[self.starts[s]..self.starts[s + 1]]
    }
}

/// One side of an update, to be drawn on its own.
pub(super) struct Fire<'a> {
    pub(super) side: &'a mut Side,
    pub(super) values: &'a [f32],
    pub(super) gain: f64,
    pub(super) slots: u32,
    pub(super) stream: Stream,
}

impl Kernel for Fire<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        self.side.load::<M>(self.values, self.gain);
        self.side.fire::<M>(&self.stream, self.slots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(plan: UpdatePlan, x: f64, delta: f64) -> (f64, f64) {
        ((plan.row_gain * delta).min(1.0), (plan.column_gain * x).min(1.0))
    }

    #[test]
    fn plan_by_hand() {
        // k = 0.1·0.5·0.2/0.004 = 2.5 → 3 slots; both sides fire with √(k/BL) at their largest value.
        let plan = PulseTrains::default().plan(0.1, 0.004, 0.5, 0.2).expect("fires");
        assert_eq!((plan.slots, plan.saturated), (3, false));
        let (row, column) = probabilities(plan, 0.5, 0.2);
        assert!((row - (2.5_f64 / 3.0).sqrt()).abs() < 1e-12 && (column - row).abs() < 1e-12);
    }

    #[test]
    fn the_mean_update_is_lr_times_the_product() {
        for (update_management, length_management, max_length) in
            [(true, true, 31), (true, false, 5), (false, true, 31), (false, false, 1)]
        {
            let pulse_trains = PulseTrains { max_length, update_management, length_management };
            let plan = pulse_trains.plan(0.01, 0.02, 0.9, 0.7).expect("fires");
            for (x, delta) in [(0.9, 0.7), (0.1, 0.7), (0.05, 0.01)] {
                let (row, column) = probabilities(plan, x, delta);
                let mean = f64::from(plan.slots) * row * column * 0.02;
                assert!((mean / (0.01 * x * delta) - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn long_updates_are_capped() {
        let pulse_trains = PulseTrains { max_length: 5, ..PulseTrains::default() };
        // k = 20: four times too long, so δ is cut at a quarter of its maximum.
        let plan = pulse_trains.plan(1.0, 0.05, 1.0, 1.0).expect("fires");
        assert_eq!((plan.slots, plan.saturated), (5, true));
        assert!((plan.row_gain * 0.25 - 1.0).abs() < 1e-12 && (plan.column_gain - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_fires_on_zero() {
        assert_eq!(PulseTrains::default().plan(0.1, 0.01, 0.0, 1.0), None);
        assert_eq!(PulseTrains::default().plan(0.0, 0.01, 1.0, 1.0), None);
        assert_eq!(PulseTrains::default().plan(0.1, 0.01, 1.0, f64::NAN), None);
    }
}
