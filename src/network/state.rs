//! What a network holds: its weights, and everything to continue from.

use super::{Memory, Network};
use crate::check::{check_finite, check_len};
use crate::error::{Error, Result};
use crate::rule::{ORIGIN, Rule, State};

/// Everything to continue a training from, bit for bit; the rest follows from the settings and the seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkState {
    /// The state of every rule, in the order of the layers with arrays.
    pub rules: Vec<State>,
    /// What every layer that carries something holds, in order: empty at the start and after
    /// [`reset`](Network::reset).
    pub memories: Vec<Memory>,
}

impl Network {
    /// Everything to continue from, bit for bit.
    ///
    /// # Errors
    /// Those of rules written by a user.
    pub fn state(&self) -> Result<NetworkState> {
        let carrying = self.stages.iter().filter(|stage| stage.layer.carries());
        let of_rule = |rule: &dyn Rule| {
            let mut state = rule.state()?;
            state.add_origin(ORIGIN, self.origin);
            Ok(state)
        };
        Ok(NetworkState {
            rules: self.rules().map(of_rule).collect::<Result<_>>()?,
            memories: carrying.map(|stage| stage.memory.clone()).collect(),
        })
    }

    /// The number of layers that carry something from one sequence to the next.
    pub fn carrying_layers(&self) -> usize {
        self.stages.iter().filter(|stage| stage.layer.carries()).count()
    }

    /// Puts a state of a network of the same layers, rules, loss and seed back.
    ///
    /// # Errors
    /// A state that does not fit or belongs to another network: nothing has changed then.
    pub fn restore(&mut self, state: &NetworkState) -> Result<()> {
        check_len("rules", state.rules.len(), self.rules().count())?;
        for rule in &state.rules {
            if let Some(origin) = rule.origin(ORIGIN)? {
                self.origin.check("a network", origin)?;
            }
        }
        self.check_memories(&state.memories)?;
        self.change_rules(|k, rule| rule.restore(&state.rules[k]))?;
        let carrying = self.stages.iter_mut().filter(|stage| stage.layer.carries());
        carrying.zip(&state.memories).for_each(|(stage, memory)| stage.memory.clone_from(memory));
        Ok(())
    }

    /// The weights of every array as the network sees them, row-major, without any periphery: for inspection, no
    /// operation of hardware.
    ///
    /// # Errors
    /// Those of rules written by a user.
    pub fn weights(&self) -> Result<Vec<Vec<f32>>> {
        self.rules().map(|rule| rule.weights()).collect()
    }

    /// Sets the weights of every array, row-major, each clipped to what its device can hold.
    ///
    /// # Errors
    /// Another number of arrays, weights of another length or not finite: nothing has changed then.
    pub fn set_weights<W: AsRef<[f32]>>(&mut self, weights: &[W]) -> Result<()> {
        check_len("weights", weights.len(), self.rules().count())?;
        for (rule, weights) in self.rules().zip(weights) {
            let (rows, cols) = rule.shape();
            check_len("weights", weights.as_ref().len(), rows * cols)?;
            check_finite("weights", weights.as_ref())?;
        }
        self.change_rules(|k, rule| rule.set_weights(weights[k].as_ref()))
    }

    /// Changes every rule, or none: where one refuses, all get back what they held.
    fn change_rules(&mut self, mut change: impl FnMut(usize, &mut dyn Rule) -> Result<()>) -> Result<()> {
        let before = self.rules().map(|rule| rule.state()).collect::<Result<Vec<_>>>()?;
        for k in 0..before.len() {
            let rule = self.rules_mut().nth(k).expect("as many rules as states");
            if let Err(error) = change(k, rule.as_mut()) {
                // The last one may not know how to restore; then it did not change either.
                self.rules_mut().zip(&before).take(k + 1).for_each(|(rule, state)| _ = rule.restore(state));
                return Err(error);
            }
        }
        Ok(())
    }

    fn check_memories(&self, memories: &[Memory]) -> Result<()> {
        let carrying = || self.stages.iter().filter(|stage| stage.layer.carries());
        check_len("memories", memories.len(), self.carrying_layers())?;
        for (stage, memory) in carrying().zip(memories) {
            check_finite("memories", &memory.h)?;
            check_finite("memories", &memory.c)?;
            let (values, hidden) = (memory.h.len(), stage.outputs);
            if !values.is_multiple_of(hidden) || memory.c.len() != values {
                return Err(Error::Length {
                    what: "memories",
                    given: values,
                    expected: format!("a multiple of {hidden} (as many in h as in c)"),
                });
            }
        }
        let sequences = carrying().zip(memories).map(|(stage, memory)| memory.h.len() / stage.outputs);
        if sequences.clone().min() != sequences.max() {
            return Err(Error::Conflict("memories must have the same number of sequences in every layer".to_owned()));
        }
        Ok(())
    }
}
