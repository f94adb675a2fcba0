//! What a network answers, outside training: nothing in it changes.

use super::batch::{Draw, Examples, Shape, check_codes};
use super::loss::softmax;
use super::lstm::Memory;
use super::{Network, Progress, Targets};
use crate::error::{Error, Result, check_finite};
use crate::random::{Operation, Stream};
use crate::rule::Sharing;
use crate::workers::Workers;

/// Examples evaluated at once.
const BLOCK: usize = 256;

/// Values of the inputs evaluated at once.
const VALUES: usize = 1 << 22;

/// Codes that a network may go on for.
const CODES: usize = 100_000_000;

/// Consecutive sequences are cut into at most so many streams, of no fewer than so many sequences each, which are
/// evaluated beside each other.
const STREAMS: usize = 32;
const LENGTH: usize = 16;

impl Network {
    /// One mini-batch through all layers, on from what `memories` hold for each.
    fn answer(
        &self,
        draw: Draw,
        shape: Shape,
        values: &mut Vec<f32>,
        memories: &mut [Memory],
        workers: &Workers,
    ) -> Result<()> {
        let mut spare = Vec::new();
        for (stage, memory) in self.stages.iter().zip(memories) {
            stage.evaluate(draw, shape, values, &mut spare, memory, workers)?;
        }
        Ok(())
    }

    /// Shows `each` the outputs of every example and step: (number of the output, outputs).
    fn visit(
        &self,
        x: Examples<'_>,
        draw: u64,
        workers: &Workers,
        mut each: impl FnMut(usize, &mut [f32]) + Send,
    ) -> Result<()> {
        let count = x.count(self.inputs())?;
        check_draw(draw)?;
        let (n, carries) = (self.inputs(), self.carries());
        // Of a block that begins at example b, mini-batch k holds the examples b + s·length + k, s the stream.
        let (block, length) = if carries {
            let streams = (count / LENGTH).clamp(1, STREAMS);
            (count.max(1), count.div_ceil(streams))
        } else {
            (BLOCK.min(VALUES / x.steps.saturating_mul(n)).max(1), 1)
        };
        let mut visit = || {
            let (mut values, mut seen) = (Vec::new(), 0_u64);
            for first in (0..count).step_by(block) {
                let end = (first + block).min(count);
                let mut memories = vec![Memory::default(); self.stages.len()];
                for k in 0..length {
                    let example = |s: usize| first + s * length + k;
                    // Only the last stream may be shorter than the others.
                    let sequences = (0..).take_while(|&s| example(s) < end).count();
                    if sequences == 0 {
                        break;
                    }
                    let shape = Shape { steps: x.steps, sequences };
                    values.resize(shape.vectors() * n, 0.0);
                    for (v, to) in values.chunks_exact_mut(n).enumerate() {
                        x.write(example(v % sequences), v / sequences, to);
                    }
                    for (stage, memory) in self.stages.iter().zip(&mut memories) {
                        if !stage.carries() {
                            memory.clear();
                        }
                    }
                    self.answer(Draw { draw, first: seen }, shape, &mut values, &mut memories, workers)?;
                    seen += shape.vectors() as u64;
                    for (v, y) in values.chunks_exact_mut(self.outputs()).enumerate() {
                        each(example(v % sequences) * x.steps + v / sequences, y);
                    }
                }
            }
            Ok(())
        };
        if self.sharing() == Sharing::Never { visit() } else { workers.run(visit) }
    }

    /// The outputs for every example and step of `x`, with the noise of evaluation `draw`; no state changes.
    /// Where sequences carry over, `x` is taken as consecutive ones, in up to 32 streams beside each other.
    pub fn forward<'a>(&self, x: impl Into<Examples<'a>>, draw: u64, workers: &Workers) -> Result<Vec<f32>> {
        let x = x.into();
        let examples = self.check(x, None, None)?;
        let m = self.outputs();
        let mut outputs = vec![0.0; examples * x.steps * m];
        self.visit(x, draw, workers, |k, y| outputs[k * m..][..m].copy_from_slice(y))?;
        Ok(outputs)
    }

    /// Loss and errors on every example of `x`, with the noise of evaluation `draw`; no state changes.
    pub fn evaluate<'a>(
        &self,
        x: impl Into<Examples<'a>>,
        targets: Targets<'_>,
        draw: u64,
        workers: &Workers,
    ) -> Result<Progress> {
        let x = x.into();
        let examples = self.check(x, Some(targets), None)?;
        // Summed in the order of the data, however it was evaluated.
        let mut losses = vec![0.0; examples * x.steps];
        let mut progress = Progress { samples: losses.len() as u64, ..Progress::default() };
        self.visit(x, draw, workers, |k, y| {
            let (loss, wrong) = self.loss.gradient(y, targets, k);
            losses[k] = loss;
            progress.errors += u64::from(wrong);
        })?;
        progress.loss = losses.iter().sum();
        Ok(progress)
    }

    /// Class probabilities for every example and step of `x`: the softmax of [`forward`](Network::forward).
    pub fn probabilities<'a>(&self, x: impl Into<Examples<'a>>, draw: u64, workers: &Workers) -> Result<Vec<f32>> {
        let mut outputs = self.forward(x, draw, workers)?;
        outputs.chunks_exact_mut(self.outputs()).for_each(softmax);
        Ok(outputs)
    }

    /// `count` codes that go on from the codes `prime`, each drawn from the softmax of the outputs over `temperature`
    /// and fed back; the noise of the products is that of evaluation `draw`, the choices follow from `seed`.
    ///
    /// # Errors
    /// A network without memory or with other outputs than inputs, an empty `prime`, codes it does not have, a
    /// temperature that is not above 0.
    pub fn sample(
        &self,
        prime: &[u32],
        count: usize,
        temperature: f32,
        seed: u64,
        draw: u64,
        workers: &Workers,
    ) -> Result<Vec<u32>> {
        if !self.recurrent() || self.inputs() != self.outputs() {
            return Err(Error::Conflict(format!(
                "only a recurrent network with as many outputs as inputs can go on by itself; this one has {} inputs \
                 and {} outputs",
                self.inputs(),
                self.outputs()
            )));
        }
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(Error::range("temperature", f64::from(temperature), "above 0"));
        }
        if prime.is_empty() {
            return Err(Error::Length { what: "prime", given: 0, expected: "1 or more".to_owned() });
        }
        if count > CODES {
            return Err(Error::range("count", count as f64, format!("0 to {CODES}")));
        }
        check_draw(draw)?;
        check_codes("prime", prime, self.inputs())?;
        let (n, shape) = (self.inputs(), Shape { steps: 1, sequences: 1 });
        let mut choices = vec![0.0; count];
        Stream::new(seed, 0, Operation::Numbers, 1).uniforms(0, &mut choices);
        let mut memories = vec![Memory::default(); self.stages.len()];
        let mut codes = Vec::with_capacity(count);
        let mut values = Vec::new();
        for k in 0..(prime.len() + count).saturating_sub(1) {
            let code = if k < prime.len() { prime[k] } else { codes[k - prime.len()] };
            values.clear();
            values.resize(n, 0.0);
            values[code as usize] = 1.0;
            self.answer(Draw { draw, first: k as u64 }, shape, &mut values, &mut memories, workers)?;
            if k + 1 >= prime.len() && codes.len() < count {
                check_finite("outputs", &values)?;
                // The largest becomes 0 first, so that a low temperature makes nothing infinite but certainties.
                let top = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                values.iter_mut().for_each(|v| *v = ((*v - top) / temperature).max(f32::MIN));
                softmax(&mut values);
                codes.push(choose(&values, choices[codes.len()]));
            }
        }
        Ok(codes)
    }
}

fn check_draw(draw: u64) -> Result<()> {
    if draw >= 1 << 32 {
        return Err(Error::range("draw", draw as f64, "0 to 4294967295"));
    }
    Ok(())
}

/// The code whose share of the probabilities holds `u` in [0, 1).
fn choose(probabilities: &[f32], u: f32) -> u32 {
    let mut sum = 0.0;
    let within = |p: &f32| {
        sum += p;
        u < sum
    };
    // Rounding may leave the sum a little below 1.
    let code = probabilities.iter().position(within);
    code.or_else(|| probabilities.iter().rposition(|&p| p > 0.0)).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_by_hand() {
        let p = [0.25, 0.0, 0.5, 0.25, 0.0];
        for (u, code) in [(0.0, 0), (0.24, 0), (0.25, 2), (0.74, 2), (0.75, 3), (0.999, 3)] {
            assert_eq!(choose(&p, u), code);
        }
        assert_eq!(choose(&[0.5, 0.499, 0.0], 0.9999), 1);
    }
}
