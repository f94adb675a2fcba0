//! Codes that a recurrent network writes by itself.

use super::Network;
use super::evaluate::Evaluation;
use super::loss::softmax;
use crate::check::{check_finite, check_index, check_range};
use crate::error::{Error, Result};
use crate::random::{Operation, Stream};
use crate::threads::Workers;

/// The most codes that a network may write.
const MAX_CODES: f64 = 1e8;

impl Network {
    /// `count` codes that continue the codes `prime`, each drawn from the softmax of the outputs over `temperature`
    /// and fed back; the noise of the products is that of evaluation `draw`, the choices follow from `seed`.
    ///
    /// # Errors
    /// A network without memory, with other outputs than inputs or without classes, an empty `prime`, codes it does not
    /// have, a temperature that is not above 0.
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
                "only a recurrent network with as many outputs as inputs can continue by itself; this one has {} inputs \
                 and {} outputs",
                self.inputs(),
                self.outputs()
            )));
        }
        self.check_classes()?;
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(Error::range("temperature", f64::from(temperature), "above 0"));
        }
        if prime.is_empty() {
            return Err(Error::Length { what: "prime", given: 0, expected: "1 or more".to_owned() });
        }
        check_range("count", count as f64, 0.0, MAX_CODES)?;
        let mut evaluation = Evaluation::new(self, draw, workers)?;
        prime.iter().try_for_each(|&code| check_index("prime", code as usize, self.inputs()))?;
        let mut choices = vec![0.0; count];
        Stream::new(seed, 0, Operation::Numbers, 1).uniforms(0, &mut choices);
        let mut codes = Vec::with_capacity(count);
        let mut values = Vec::new();
        let mut steps = 0..(prime.len() + count).saturating_sub(1);
        workers.steps(false, || {
            let Some(k) = steps.next() else { return Ok(false) };
            let code = if k < prime.len() { prime[k] } else { codes[k - prime.len()] };
            values.clear();
            values.resize(self.inputs(), 0.0);
            values[code as usize] = 1.0;
            evaluation.run(1, 1, &mut values)?;
            if k + 1 >= prime.len() && codes.len() < count {
                check_finite("outputs", &values)?;
                // The largest becomes 0 first, so that a low temperature makes nothing infinite but certainties.
                let top = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                values.iter_mut().for_each(|v| *v = ((*v - top) / temperature).max(f32::MIN));
                softmax(&mut values);
                codes.push(choose(&values, choices[codes.len()]));
            }
            Ok(true)
        })?;
        Ok(codes)
    }
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
