//! What the array of a layer starts from.

use crate::error::{Error, Result, check_room};
use crate::random::{Operation, Stream};
use crate::rule::{Initial, Rule};

/// Makes the rule of a layer.
pub(super) type Build<'a> = &'a mut dyn FnMut(Initial<'_>) -> Result<Box<dyn Rule>>;

/// Where a layer stands in a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Number of the layer among those with arrays.
    pub(super) layer: u64,
    /// Seed of the network.
    pub(super) seed: u64,
}

/// The shape that an array of `rows` × `cols` may have.
pub(super) fn check_size(rows: f64, cols: f64) -> Result<()> {
    let most = crate::crossbar::MAX_CROSSPOINTS;
    if rows * cols > most as f64 {
        return Err(Error::range("outputs × (inputs + bias)", rows * cols, format!("at most {most}")));
    }
    Ok(())
}

/// The rule that `build` makes from weights uniform in ± `half_width`.
pub(super) fn rule(
    at: Place,
    (rows, cols): (usize, usize),
    half_width: f32,
    build: Build<'_>,
) -> Result<Box<dyn Rule>> {
    check_size(rows as f64, cols as f64)?;
    check_room(format!("a layer of {rows} × {cols}"), 3 * rows * cols * size_of::<f32>())?; // with the rule's own copies
    let mut weights = vec![0.0; rows * cols];
    Stream::new(at.seed, at.layer, Operation::Initialise, 0).uniforms(0, &mut weights);
    weights.iter_mut().for_each(|w| *w = half_width * (2.0 * *w - 1.0));
    let rule = build(Initial { layer: at.layer, rows, cols, weights: &weights, seed: at.seed })?;
    if rule.shape() != (rows, cols) {
        return Err(Error::Conflict(format!(
            "the rule of layer {} is {:?}, not ({rows}, {cols})",
            at.layer,
            rule.shape()
        )));
    }
    Ok(rule)
}

/// values ← s·values.
pub(super) fn rescale(values: &mut [f32], scale: f64) {
    if scale != 1.0 {
        let s = scale as f32;
        values.iter_mut().for_each(|v| *v *= s);
    }
}
