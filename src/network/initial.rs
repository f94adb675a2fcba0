//! What the array of a layer starts from.

use super::layer::ArraySpec;
use crate::check::{check_most, check_room};
use crate::crossbar::MAX_CROSSPOINTS;
use crate::error::{Error, Result};
use crate::random::{Operation, Stream};
use crate::rule::{Initial, Rule};

/// The rule that `build` makes for array number `layer` of a network, from the initial weights of the layer.
pub(super) fn rule(
    array: ArraySpec,
    layer: u64,
    seed: u64,
    build: &mut dyn FnMut(Initial<'_>) -> Result<Box<dyn Rule>>,
) -> Result<Box<dyn Rule>> {
    let ArraySpec { rows, cols, half_width, .. } = array;
    check_most("outputs × (inputs + bias)", rows as f64 * cols as f64, MAX_CROSSPOINTS)?;
    check_room(format!("a layer of {rows} × {cols}"), 3 * rows * cols * size_of::<f32>())?; // with the rule's own copies
    let mut weights = vec![0.0; rows * cols];
    Stream::new(seed, layer, Operation::Initialise, 0).uniforms(0, &mut weights);
    weights.iter_mut().for_each(|w| *w = half_width * (2.0 * *w - 1.0));
    let rule = build(Initial { layer, rows, cols, weights: &weights, seed })?;
    if rule.shape() != (rows, cols) {
        return Err(Error::Conflict(format!(
            "the rule of layer {layer} must be {:?}, not {:?}",
            (rows, cols),
            rule.shape()
        )));
    }
    Ok(rule)
}
