//! The arrays of a rule: how they are built, and the samples that they learn from.

use super::Initial;
use crate::check::{check_batch, check_len};
use crate::crossbar::{Array, Periphery, PulseTrains, Reference, Reliability, Setup, build};
use crate::device::DeviceConfig;
use crate::error::{Error, Result};
use crate::ledger::Work;

/// Requires two arrays of one shape.
pub(super) fn check_shapes(a: &dyn Array, c: &dyn Array) -> Result<()> {
    if a.shape() == c.shape() {
        return Ok(());
    }
    Err(Error::Conflict(format!("A and C must have one shape, not {:?} and {:?}", a.shape(), c.shape())))
}

/// What the arrays of one rule have in common.
#[derive(Clone, Debug)]
pub(super) struct Arrays<'a> {
    at: &'a Initial<'a>,
    setup: Setup,
}

impl<'a> Arrays<'a> {
    pub(super) fn new(
        at: &'a Initial<'a>,
        periphery: &Periphery,
        reliability: &Reliability,
        pulse_trains: &PulseTrains,
        count: bool,
    ) -> Self {
        let setup = Setup {
            periphery: periphery.clone(),
            reliability: reliability.clone(),
            pulse_trains: pulse_trains.clone(),
            seed: at.seed,
            count_pulses: count,
            ..Setup::default()
        };
        Self { at, setup }
    }

    fn setup(&self, which: u64) -> Setup {
        Setup { array: 2 * self.at.layer + which, ..self.setup.clone() }
    }

    /// Fast array k, the fastest first, at rest on its reference.
    pub(super) fn fast(&self, k: u64, device: &DeviceConfig, reference: &Reference) -> Result<Box<dyn Array>> {
        // Numbers of their own, so that those of other layers stay as they are.
        build(self.at.rows, self.at.cols, device, &self.setup(k << 40), reference)
    }

    /// The array C that the network sees, at its initial weights; `read_bound` replaces the ADC range of its reads.
    pub(super) fn slow(
        &self,
        device: &DeviceConfig,
        reference: &Reference,
        read_bound: Option<f64>,
    ) -> Result<Box<dyn Array>> {
        let mut setup = self.setup(1);
        if let Some(bound) = read_bound {
            setup.periphery.read.adc_bound = bound;
        }
        let mut array = build(self.at.rows, self.at.cols, device, &setup, reference)?;
        array.set_weights(self.at.weights)?;
        Ok(array)
    }
}

/// The work of the pulse trains of an array: the largest |x| and |δ| of every update.
pub(super) fn scans(array: &dyn Array) -> Work {
    let (rows, cols) = array.shape();
    Work { operations: array.counts().updates * (rows + cols) as u64, accesses: 0 }
}

/// The (x, δ) of every sample of a batch at an array of `shape`.
pub(super) fn samples<'a>(
    shape: (usize, usize),
    x: &'a [f32],
    delta: &'a [f32],
) -> Result<impl ExactSizeIterator<Item = (&'a [f32], &'a [f32])>> {
    let (rows, cols) = shape;
    let batch = check_batch("x", x.len(), cols)?;
    check_len("delta", delta.len(), batch * rows)?;
    Ok(x.chunks_exact(cols).zip(delta.chunks_exact(rows)))
}
