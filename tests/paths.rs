//! Every fast way gives the bits of the slow one: pulses in lanes and one at a time, updates of a batch and
//! one after another, products together and alone. `make test` runs this file once per instruction set.

use tikitaka::Workers;
use tikitaka::crossbar::{Array, Crossbar, DueRead, Line, Periphery, Reference, Setup, Trains};
use tikitaka::device::{ConstantStep, CycleNoise, Device, SoftBounds};
use tikitaka::random::{Operation, Stream};

const SEED: u64 = 5;
const ARRAY: u64 = 3;

/// Uniform numbers, a share of them zero, of both signs if `signed`.
fn values(step: u64, count: usize, zeros: f32, signed: bool) -> Vec<f32> {
    let mut u = vec![0.0; 2 * count];
    Stream::new(8, 0, Operation::Numbers, step).uniforms(0, &mut u);
    let value = |k: usize| match u[count + k] {
        share if share < zeros => 0.0,
        _ if signed => 2.0 * u[k] - 1.0,
        _ => u[k],
    };
    (0..count).map(value).collect()
}

fn crossbar<D: Device>(rows: usize, cols: usize, device: &D, setup: &Setup, referred: bool) -> Crossbar<D> {
    let mut crossbar = Crossbar::new(rows, cols, device.clone(), setup).expect("valid settings");
    if referred {
        crossbar.refer(&Reference::ideal()).expect("valid settings");
    }
    crossbar.set_weights(&values(77, rows * cols, 0.0, true)).expect("as many weights");
    crossbar
}

fn setup(max_train: u32) -> Setup {
    let trains = Trains { max_train, train_management: false, ..Trains::default() };
    Setup { periphery: Periphery::full(0.06), trains, seed: SEED, array: ARRAY, count_pulses: true }
}

/// An update from its definition: pulse p, counted over parts of 64 slots, then columns, slots and rows,
/// takes the normal p of the stream.
fn update_by_definition<D: Device>(array: &Crossbar<D>, step: u64, x: &[f32], delta: &[f32], lr: f32) -> Vec<f32> {
    let (rows, cols) = array.shape();
    let (row_trains, column_trains) = array.next_trains(x, delta, lr);
    let slots = row_trains.len() / rows;
    let (mut weights, reference) = (array.weights(), array.reference());
    let (stream, mut p) = (Stream::new(SEED, ARRAY, Operation::Update, step), 0);
    for part in (0..slots).step_by(64) {
        for j in 0..cols {
            for s in (part..slots.min(part + 64)).filter(|s| column_trains[s * cols + j]) {
                for i in (0..rows).filter(|i| row_trains[s * rows + i]) {
                    let mut xi = [0.0];
                    if array.device().noisy() {
                        stream.normals(p, &mut xi);
                    }
                    p += 1;
                    let up = (x[j] < 0.0) == ((delta[i] < 0.0) ^ (lr < 0.0));
                    let (w, r) = (&mut weights[i * cols + j], reference[i * cols + j]);
                    *w = array.device().pulse(array.point(i, j), *w + r, up, xi[0]) - r;
                }
            }
        }
    }
    weights
}

fn follows_the_definition<D: Device>(device: &D) {
    for (rows, cols) in [(5, 40), (16, 7), (37, 30), (130, 11)] {
        for (max_train, referred) in [(1, true), (6, false), (31, true), (100, true)] {
            let mut array = crossbar(rows, cols, device, &setup(max_train), referred);
            // From some pulses a slot to all devices of it.
            for (step, load) in (0_u64..).zip([0.02, 0.3, 2.0]) {
                let (x, delta) = (values(step, cols, 0.4, true), values(step + 9, rows, 0.1, true));
                let lr = if step == 1 { -1.0 } else { 1.0 } * load * max_train as f32 * array.step();
                let expected = update_by_definition(&array, step, &x, &delta, lr);
                array.update(&x, &delta, lr).expect("vectors of the array's shape");
                assert_eq!(array.weights(), expected, "{rows}×{cols}, {max_train} slots, load {load}, {device:?}");
            }
        }
    }
}

#[test]
fn pulses_in_lanes_and_one_at_a_time_follow_the_definition() {
    follows_the_definition(&SoftBounds::default().build().expect("valid settings"));
    let noise = CycleNoise::Multiplicative;
    follows_the_definition(&SoftBounds { noise, ..SoftBounds::default() }.build().expect("valid settings"));
    let noisy = ConstantStep { states: Some(30.0), cycle_noise: 0.5, step_spread: 0.3, ..ConstantStep::default() };
    follows_the_definition(&noisy.build().expect("valid settings"));
    follows_the_definition(&ConstantStep::default().build().expect("valid settings"));
}

/// Weights, reads, counts and counters of a batch are those of one update and one read after another.
#[test]
fn a_batch_of_updates_is_one_after_another_on_any_number_of_threads() {
    const BATCH: usize = 70;
    let device = SoftBounds { states: Some(300.0), ..SoftBounds::default() }.build().expect("valid settings");
    for (rows, cols) in [(150, 40), (9, 200)] {
        let start = crossbar(rows, cols, &device, &setup(31), true);
        let (x, delta) = (values(1, BATCH * cols, 0.5, true), values(2, BATCH * rows, 0.0, true));
        let lr: Vec<f32> = (0..BATCH).map(|b| 0.1 * (b % 4) as f32 - 0.1).collect();
        let due = |after, column| DueRead { after, line: Line::Column(column) };
        let reads: Vec<_> = [due(1, 3), due(1, 0), due(33, cols - 1), due(64, 3), due(BATCH, 7)].into();
        let (mut one, mut expected) = (start.clone(), vec![0.0; reads.len() * rows]);
        for b in 0..BATCH {
            one.update(&x[b * cols..][..cols], &delta[b * rows..][..rows], lr[b]).expect("vectors of its shape");
            for (read, v) in reads.iter().zip(expected.chunks_exact_mut(rows)).filter(|(r, _)| r.after == b + 1) {
                one.read_line(read.line, v).expect("a line of the array");
            }
        }
        assert!(one.counts().pulses > 100_000, "enough to be shared among threads");
        for threads in [1, 2, 3] {
            let workers = Workers::new(threads).expect("threads");
            let (mut batch, mut v) = (start.clone(), vec![0.0; expected.len()]);
            batch.update_batch(&x, &delta, &lr, &reads, &mut v, &workers).expect("vectors of its shape");
            assert_eq!(v, expected, "{threads} threads");
            assert_eq!(batch.snapshot(), one.snapshot(), "{threads} threads");
        }
    }
}

#[test]
fn an_empty_batch_changes_nothing() {
    let device = SoftBounds::default().build().expect("valid settings");
    for threads in [1, 2] {
        let workers = Workers::new(threads).expect("threads");
        let mut array = crossbar(20, 30, &device, &setup(31), true);
        let before = array.snapshot();
        array.forward(&[], &mut [], &workers).expect("no vectors");
        array.backward(&[], &mut [], &workers).expect("no vectors");
        array.update_batch(&[], &[], &[], &[], &mut [], &workers).expect("no vectors");
        assert_eq!(array.snapshot(), before);
    }
}

#[test]
fn reads_out_of_order_or_outside_are_refused() {
    let device = SoftBounds::default().build().expect("valid settings");
    let mut array = crossbar(3, 4, &device, &setup(31), false);
    let mut refused = |reads: &[DueRead]| {
        let mut v = vec![0.0; 3 * reads.len()];
        array.update_batch(&[0.1; 8], &[0.1; 6], &[0.1; 2], reads, &mut v, &Workers::default()).is_err()
    };
    let due = |after, column| DueRead { after, line: Line::Column(column) };
    assert!(
        refused(&[due(0, 1)]) && refused(&[due(3, 1)]) && refused(&[due(2, 1), due(1, 1)]) && refused(&[due(1, 4)])
    );
    assert!(!refused(&[due(1, 1), due(1, 0), due(2, 3)]));
}

/// Dense and sparse vectors, both directions, exact and through the full periphery.
#[test]
fn products_of_a_batch_are_those_of_its_vectors() {
    const BATCH: usize = 11;
    let device = SoftBounds::default().build().expect("valid settings");
    for periphery in [Periphery::default(), Periphery::full(0.06)] {
        for (rows, cols) in [(5, 3), (64, 100), (131, 70), (300, 200)] {
            for zeros in [0.0, 0.8] {
                let setup = Setup { periphery: periphery.clone(), ..setup(31) };
                let start = crossbar(rows, cols, &device, &setup, false);
                let (mut x, delta) = (values(1, BATCH * cols, zeros, true), values(2, BATCH * rows, zeros, true));
                x[..cols].fill(0.0);
                let mut one = start.clone();
                let (mut y, mut z) = (vec![0.0; BATCH * rows], vec![0.0; BATCH * cols]);
                for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(rows)) {
                    one.forward(x, y, &Workers::default()).expect("a vector of its shape");
                }
                for (delta, z) in delta.chunks_exact(rows).zip(z.chunks_exact_mut(cols)) {
                    one.backward(delta, z, &Workers::default()).expect("a vector of its shape");
                }
                for threads in [1, 2] {
                    let workers = Workers::new(threads).expect("threads");
                    let mut batch = start.clone();
                    let (mut all_y, mut all_z) = (vec![0.0; y.len()], vec![0.0; z.len()]);
                    batch.forward(&x, &mut all_y, &workers).expect("vectors of its shape");
                    batch.backward(&delta, &mut all_z, &workers).expect("vectors of its shape");
                    assert_eq!(all_y, y, "{rows}×{cols}, {zeros} zeros, {threads} threads");
                    assert_eq!(all_z, z, "{rows}×{cols}, {zeros} zeros, {threads} threads");
                    assert_eq!(batch.snapshot(), one.snapshot());
                }
            }
        }
    }
}
