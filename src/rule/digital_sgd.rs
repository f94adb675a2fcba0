//! Stochastic gradient descent in exact (f32) arithmetic: the reference line of every figure.

use super::describe::short;
use super::{Description, Initial, Rule, RuleSettings, Sharing, Situation, State};
use crate::crossbar::{ExactWeights, Visible};
use crate::error::Result;
use crate::settings::settings;
use crate::threads::Workers;

settings! {
    /// Settings of the float rule.
    pub struct DigitalSgd {
        /// Learning rate; the schedule multiplies it.
        pub lr: f64 = 0.05, 0.0 to 1e3;
    }
}

impl RuleSettings for DigitalSgd {
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        Ok(Box::new(DigitalSgdRule::new(ExactWeights::new(at.rows, at.cols, at.weights)?, self.lr)))
    }

    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()> {
        let (rows, cols, lr) = (at.rows, at.cols, short(self.lr * at.lr_scale));
        out.line(format_args!("float on {rows} × {cols} (outputs × inputs): W moves by {lr}·δxᵀ, exactly"));
        Ok(())
    }
}

/// The float rule of one layer.
#[derive(Clone, Debug)]
pub struct DigitalSgdRule {
    lr: f64,
    w: ExactWeights,
}

impl DigitalSgdRule {
    /// The rule on initial weights.
    pub fn new(w: ExactWeights, lr: f64) -> Self {
        Self { lr, w }
    }
}

impl Rule for DigitalSgdRule {
    fn visible(&self) -> &dyn Visible {
        &self.w
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        &mut self.w
    }

    /// W ← W − lr·δxᵀ.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        self.w.add_products(x, delta, -(self.lr as f32 * lr_scale), workers)
    }

    fn sharing(&self) -> Sharing {
        Sharing::Batches
    }

    fn state(&self) -> Result<State> {
        let (mut state, (rows, cols)) = (State::default(), self.w.shape());
        state.add_floats("c", &[rows, cols], self.w.weights()?);
        state.add_settings(&("float", self.lr));
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.check_settings("a rule", &("float", self.lr))?;
        self.w.set_weights(state.matrix("c", self.w.shape())?)
    }
}
