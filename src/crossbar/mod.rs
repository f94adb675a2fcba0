//! An array of devices with its periphery.
//!
//! Devices of one input line (a column of W) lie next to each other: the forward product adds up the
//! lines of the non-zero inputs, the transposed product is one dot product per line, a column transfer
//! touches one contiguous line, and an update visits only lines that fire.

pub(crate) mod active;
mod array;
mod bit_serial;
mod conversion;
mod converter_errors;
mod due;
mod effect;
mod exact;
mod faults;
mod inspect;
mod lines;
pub(crate) mod mvm;
mod pairs;
mod periphery;
mod product;
mod program;
mod readout;
mod reference;
mod refresh;
mod reliability;
mod snapshot;
mod tuning;
mod update;
mod visible;
mod wires;

pub use array::{Array, BoxedClone, Line};
pub use due::DueRead;
pub use effect::{Operands, ProductEffect};
pub use exact::ExactWeights;
pub use inspect::{Inspect, TrainSlots};
pub use mvm::{Direction, MvmCost, Scratch};
pub use periphery::{IoSettings, Periphery};
pub use program::Programming;
pub use reference::{Reference, ReferenceMethod};
pub use reliability::Reliability;
pub(crate) use snapshot::PAIR;
pub use snapshot::{Snapshot, StreamPositions};
pub use update::{PulseTrains, UpdatePlan};
pub use visible::{SharedProducts, Visible};

use crate::check::{check_most, check_room, check_shape};
use crate::device::{Device, DeviceConfig, DeviceSettings, DeviceVisitor, NORMALS, OneSidedPair, check_contract};
use crate::error::Result;
use crate::ledger::Counts;
use crate::random::{Operation, Stream};
use crate::simd::aligned::Aligned;
use converter_errors::Converters;
use faults::Faults;
use lines::LineScratch;
use pairs::Pairs;
use std::sync::Arc;
use update::UpdateScratch;

/// The most crosspoints of one array.
pub const MAX_CROSSPOINTS: usize = 1 << 28;

/// What an array is made of, apart from its devices.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Converters, noise and managements.
    pub periphery: Periphery,
    /// Pulse trains of updates.
    pub pulse_trains: PulseTrains,
    /// Stuck devices, wear, relaxation and write noise.
    pub reliability: Reliability,
    /// Two devices per crosspoint that only step up; one device without it. [`build`] takes it from the device.
    pub pair: Option<OneSidedPair>,
    /// What changes products and reads, in order.
    pub effects: Vec<Arc<dyn ProductEffect>>,
    /// Seed of every random number of the array.
    pub seed: u64,
    /// Number of the array: arrays of one seed differ by it.
    pub array: u64,
    /// Keep a counter of pulses per crosspoint.
    pub count_pulses: bool,
}

/// An array of `rows` outputs × `cols` inputs. Its weights are the states of its devices minus a
/// reference array (zero unless set).
#[derive(Clone, Debug)]
pub struct Crossbar<D: Device> {
    rows: usize,
    cols: usize,
    device: D,
    setup: Setup,
    points: Aligned<D::Point>,
    weights: Aligned<f32>,
    reference: Aligned<f32>,
    steps: StreamPositions,
    counts: Counts,
    pulse_counters: Option<Vec<u32>>,
    faults: Option<Box<Faults>>,
    pairs: Option<Box<Pairs<D>>>,
    converters: Option<Box<Converters>>,
    scratch: Vec<Scratch>,
    update_scratch: UpdateScratch,
    line_scratch: LineScratch,
}

impl<D: Device> Crossbar<D> {
    /// An array at weight 0 whose devices are drawn from (seed, array).
    ///
    /// # Errors
    /// No rows or columns, more than [`MAX_CROSSPOINTS`], settings out of range, or what [`crate::simd::check`] refuses.
    pub fn new(rows: usize, cols: usize, device: D, setup: &Setup) -> Result<Self> {
        crate::simd::check()?;
        check_shape(rows, cols)?;
        check_most("rows × cols", rows as f64 * cols as f64, MAX_CROSSPOINTS)?;
        let n = rows * cols;
        // weight, reference and a copy of either while they are set
        let device_size = size_of::<D::Point>() + 4 * size_of::<f32>();
        let each = device_size * (1 + usize::from(setup.pair.is_some()))
            + if setup.count_pulses { size_of::<u32>() } else { 0 };
        check_room(format!("an array of {rows} × {cols}"), n * each)?;
        setup.periphery.validate()?;
        setup.pulse_trains.validate()?;
        setup.reliability.validate()?;
        check_contract(&device)?;
        let stream = Stream::new(setup.seed, setup.array, Operation::Sample, 0);
        let mut xi = vec![0.0; NORMALS * 1024];
        let points = Aligned::new((0..n).map(|k| {
            if k % 1024 == 0 {
                stream.normals((NORMALS * k) as u64, &mut xi);
            }
            device.sample(&xi.as_chunks::<NORMALS>().0[k % 1024])
        }));
        let pairs = Pairs::new(&device, &points, setup, &Stream::new(setup.seed, setup.array, Operation::Sample, 1))?;
        let counts = setup.count_pulses || setup.reliability.endurance.is_some();
        let (pulse_counters, mut setup) = (counts.then(|| vec![0; n]), setup.clone());
        let mut weights = Aligned::new(std::iter::repeat_n(0.0, n));
        let of = |operation| Stream::new(setup.seed, setup.array, operation, 0);
        let converters = Converters::new((rows, cols), &setup.periphery, &of(Operation::Converters));
        let faults = Faults::new(&setup.reliability, &device, &points, &mut weights, of);
        setup.effects.splice(..0, setup.periphery.effects());
        Ok(Self {
            rows,
            cols,
            device,
            setup,
            points,
            weights,
            reference: Aligned::default(),
            steps: StreamPositions::default(),
            counts: Counts::default(),
            pulse_counters,
            faults,
            pairs,
            converters,
            scratch: Vec::new(),
            update_scratch: UpdateScratch::default(),
            line_scratch: LineScratch::default(),
        })
    }

    /// The response model.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// The constants of the device at (row, col).
    ///
    /// # Panics
    /// Outside the array, as an index into a slice does.
    pub fn point(&self, row: usize, col: usize) -> &D::Point {
        assert!(row < self.rows && col < self.cols, "({row}, {col}) is outside {}×{}", self.rows, self.cols);
        &self.points[col * self.rows + row]
    }

    /// Row after row, from a value per device in the array's own order.
    fn by_rows<T: Copy>(&self, value: impl Fn(usize) -> T) -> Vec<T> {
        let (rows, cols) = (self.rows, self.cols);
        (0..rows * cols).map(|k| value((k % cols) * rows + k / cols)).collect()
    }

    fn stream(&self, operation: Operation, step: u64) -> Stream {
        Stream::new(self.setup.seed, self.setup.array, operation, step)
    }
}

/// A crossbar of built-in devices with its reference, behind the trait that rules see.
pub fn build(
    rows: usize,
    cols: usize,
    device: &DeviceConfig,
    setup: &Setup,
    reference: &Reference,
) -> Result<Box<dyn Array>> {
    device.visit(Build { rows, cols, setup, reference })
}

/// What a crossbar of built-in devices is built from.
struct Build<'a> {
    rows: usize,
    cols: usize,
    setup: &'a Setup,
    reference: &'a Reference,
}

impl DeviceVisitor for Build<'_> {
    type Out = Result<Box<dyn Array>>;

    fn visit<S: DeviceSettings>(self, settings: &S) -> Self::Out {
        let setup = Setup { pair: settings.pair().cloned(), ..self.setup.clone() };
        let mut crossbar = Crossbar::new(self.rows, self.cols, settings.build()?, &setup)?;
        crossbar.refer(self.reference)?;
        Ok(Box::new(crossbar))
    }
}

/// Row-major from line after line of `rows` values, or back with the sizes exchanged.
pub(crate) fn transpose<T: Copy>(values: &[T], rows: usize, cols: usize) -> Vec<T> {
    (0..rows * cols).map(|k| values[(k % cols) * rows + k / cols]).collect()
}
