//! Every fast way gives the bits of the slow one: pulses in lanes and one at a time, updates of a batch and
//! one after another, products together and alone. `make test` runs this file once per instruction set.

use tikitaka::Workers;
use tikitaka::crossbar::{
    Array, Crossbar, DueRead, ExactWeights, Inspect, Line, Periphery, PulseTrains, Reference, Setup, Visible,
};
use tikitaka::device::{
    ConstantStep, CycleNoise, Device, DeviceConfig, DeviceSettings, DeviceVisitor, LinearStep, PowerStep, SoftBounds,
    Spread,
};
use tikitaka::kinds::Family;
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{DigitalSgdRule, Rule};

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

fn setup(max_length: u32) -> Setup {
    let pulse_trains = PulseTrains { max_length, length_management: false, ..PulseTrains::default() };
    Setup {
        periphery: Periphery::full(0.06),
        pulse_trains,
        seed: SEED,
        array: ARRAY,
        count_pulses: true,
        ..Setup::default()
    }
}

/// An update from its definition: pulse p, counted over parts of 64 slots, then columns, slots and rows,
/// takes the normal p of the stream.
fn update_by_definition<D: Device>(array: &Crossbar<D>, step: u64, x: &[f32], delta: &[f32], lr: f32) -> Vec<f32> {
    let (rows, cols) = array.shape();
    let (row_trains, column_trains) = array.next_pulse_trains(x, delta, lr);
    let slots = row_trains.len() / rows;
    let (mut weights, reference) = (array.weights().expect("of ours"), array.reference());
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
        for (max_length, referred) in [(1, true), (6, false), (31, true), (100, true)] {
            let mut array = crossbar(rows, cols, device, &setup(max_length), referred);
            // From some pulses a slot to all devices of it.
            for (step, load) in (0_u64..).zip([0.02, 0.3, 2.0]) {
                let (x, delta) = (values(step, cols, 0.4, true), values(step + 9, rows, 0.1, true));
                let lr = if step == 1 { -1.0 } else { 1.0 } * load * max_length as f32 * array.weight_step();
                let expected = update_by_definition(&array, step, &x, &delta, lr);
                array.update(&x, &delta, lr).expect("vectors of the array's shape");
                assert_eq!(
                    array.weights().expect("of ours"),
                    expected,
                    "{rows}×{cols}, {max_length} slots, load {load}, {device:?}"
                );
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

struct Follow;

impl DeviceVisitor for Follow {
    type Out = ();

    fn visit<S: DeviceSettings>(self, settings: &S) {
        follows_the_definition(&settings.build().expect("valid settings"));
    }
}

#[test]
fn pulses_of_every_model_follow_the_definition() {
    for kind in DeviceConfig::KINDS {
        kind.default.expect("devices have defaults")().visit(Follow);
    }
    let spread = Spread { up_step: 0.4, upper_bound: 0.2, up_slope: 0.5, down_slope: 0.5, ..Spread::default() };
    follows_the_definition(
        &LinearStep { spread: Some(spread), ..LinearStep::default() }.build().expect("valid settings"),
    );
    let (noise, up_power) = (CycleNoise::Multiplicative, 0.5);
    let measured = vec![vec![1.0, 0.5, 1.0, 1.2, 0.3, -0.2], vec![0.7, 2.0, 0.8, 1.0, -0.3, 1.0]];
    let listed = PowerStep { noise, up_power, measured, ..PowerStep::default() };
    follows_the_definition(&listed.build().expect("valid settings"));
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

/// Pulses to many lines, drawn together, are those of one line after another: few, many and none, columns and rows.
#[test]
fn pulses_to_lines_together_are_those_of_one_after_another() {
    let device = SoftBounds { states: Some(300.0), ..SoftBounds::default() }.build().expect("valid settings");
    let (rows, cols) = (37, 21);
    let mut one = crossbar(rows, cols, &device, &setup(31), true);
    let mut together = one.clone();
    let line = |k: usize| if k % 5 == 4 { Line::Row(k % rows) } else { Line::Column(k % cols) };
    let (lines, mut counts): (Vec<Line>, Vec<i32>) = ((0..60).map(line).collect(), Vec::new());
    for (k, &line) in lines.iter().enumerate() {
        let width = if matches!(line, Line::Row(_)) { cols } else { rows };
        let most = [0.0, 1.2, 1.9, 9.0][k % 4];
        let now: Vec<i32> = values(k as u64, width, 0.3, true).iter().map(|v| (most * v) as i32).collect();
        one.pulse_line(line, &now).expect("a line of the array");
        counts.extend(now);
    }
    together.pulse_lines(&lines, &counts).expect("lines of the array");
    assert_eq!(together.snapshot(), one.snapshot());
    assert!(together.pulse_lines(&lines, &counts[1..]).is_err() && together.pulse_lines(&[], &[1]).is_err());
    assert!(together.pulse_lines(&[Line::Column(0), Line::Column(cols)], &[1; 74]).is_err());
    assert_eq!(together.snapshot(), one.snapshot(), "what is refused changes nothing");
}

/// A sum in order, each product added in one rounding.
fn in_order(terms: impl Iterator<Item = (f32, f32)>) -> f32 {
    terms.fold(0.0, |sum, (a, b)| a.mul_add(b, sum))
}

/// A dot product by lanes: lane l adds up the products l, l + 16, … in order; then halves are added to halves.
fn by_lanes(a: &[f32], b: &[f32]) -> f32 {
    let lane = |l: usize| in_order(a.iter().copied().zip(b.iter().copied()).skip(l).step_by(16));
    let mut sums: Vec<f32> = (0..16).map(lane).collect();
    while sums.len() > 1 {
        let high = sums.split_off(sums.len() / 2);
        sums.iter_mut().zip(high).for_each(|(low, high)| *low += high);
    }
    sums[0]
}

/// y_i adds up the inputs in their order, and so does z_j the rows of an array that has at most 64; of others it adds
/// them up by lanes. Alone and in batches of any number, where lines are whole blocks of lanes and where they are not.
#[test]
fn sums_have_the_stated_order() {
    const BATCH: usize = 131;
    let device = SoftBounds::default().build().expect("valid settings");
    let exact = Setup { seed: SEED, ..Setup::default() };
    let small = (1..=66).map(|rows| (rows, 1 + 7 * rows % 40));
    let large = [80, 95, 127, 128, 145, 161, 257].map(|rows| (rows, 1 + 7 * rows % 40));
    let long = [(10, 321), (16, 640), (33, 700), (70, 401)];
    for (rows, cols) in small.chain(large).chain(long) {
        let mut array = crossbar(rows, cols, &device, &exact, false);
        let w = array.weights().expect("of ours");
        let (x, delta) = (values(1, BATCH * cols, 0.2, true), values(2, BATCH * rows, 0.2, true));
        let row = |i: usize| &w[i * cols..][..cols];
        let column = |j: usize| w.iter().skip(j).step_by(cols).copied();
        let expected = |b: usize| -> (Vec<f32>, Vec<f32>) {
            let (x, delta) = (&x[b * cols..][..cols], &delta[b * rows..][..rows]);
            let y = |i| in_order(x.iter().copied().zip(row(i).iter().copied()));
            let z = |j| match rows {
                ..=64 => in_order(delta.iter().copied().zip(column(j))),
                _ => by_lanes(&column(j).collect::<Vec<_>>(), delta),
            };
            ((0..rows).map(y).collect(), (0..cols).map(z).collect())
        };
        let expected: Vec<_> = (0..BATCH).map(expected).collect();
        for count in [1, 2, 3, 4, 5, 6, 7, 9, 12, 23, BATCH] {
            let (mut y, mut z) = (vec![0.0; count * rows], vec![0.0; count * cols]);
            array.forward(&x[..count * cols], &mut y, &Workers::default()).expect("vectors of its shape");
            array.backward(&delta[..count * rows], &mut z, &Workers::default()).expect("vectors of its shape");
            for (b, (y, z)) in y.chunks_exact(rows).zip(z.chunks_exact(cols)).enumerate() {
                assert_eq!(y, expected[b].0, "{rows}×{cols}, forward, vector {b} of {count}");
                assert_eq!(z, expected[b].1, "{rows}×{cols}, backward, vector {b} of {count}");
            }
        }
    }
}

/// DigitalSgd weights learn from a batch what they learn from its samples in turn, to the same bits: few and many samples
/// with or without zeros, on any number of threads.
#[test]
fn float_learns_from_a_batch_what_it_learns_from_samples() {
    for (rows, cols) in [(10, 30), (16, 26), (20, 90), (32, 401), (64, 130), (90, 70), (530, 44)] {
        for (batch, zeros) in [(5, 0.75), (64, 0.75), (64, 0.0), (150, 0.9), (300, 0.0)] {
            let start = values(3, rows * cols, 0.0, true);
            let (x, delta) = (values(1, batch * cols, 0.0, true), values(2, batch * rows, zeros, true));
            let rule = || DigitalSgdRule::new(ExactWeights::new(rows, cols, &start).expect("as many weights"), 0.03);
            let mut one = rule();
            for (x, delta) in x.chunks_exact(cols).zip(delta.chunks_exact(rows)) {
                one.update(x, delta, 1.0, &Workers::default()).expect("a sample");
            }
            for threads in [1, 2, 3] {
                let (mut all, workers) = (rule(), Workers::new(threads).expect("few threads"));
                all.update(&x, &delta, 1.0, &workers).expect("samples");
                let what = format!("{rows}×{cols}, {batch} samples, {zeros} zeros, {threads} threads");
                assert_eq!(
                    all.visible().weights().expect("weights"),
                    one.visible().weights().expect("weights"),
                    "{what}"
                );
            }
        }
    }
}

/// Dense and sparse vectors, both directions, exact and through the full periphery.
#[test]
fn products_of_a_batch_are_those_of_its_vectors() {
    const BATCH: usize = 107;
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

/// An intrinsic in a closure, which no path is compiled for, would be a function of its own and make a kernel many times
/// slower: so `nm`, where it can be had, must not know one.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn every_instruction_is_in_the_kernel_that_asks_for_it() {
    let program = std::env::current_exe().expect("this program");
    let Ok(listed) = std::process::Command::new("nm").arg("-C").arg(program).output() else { return };
    let symbols = String::from_utf8_lossy(&listed.stdout);
    assert!(symbols.contains("tikitaka::simd::run::with_avx2"));
    let alone = |name: &&str| name.contains("::_mm") || name.contains(" as tikitaka::simd::lanes::");
    let alone: Vec<_> = symbols.lines().filter(alone).collect();
    assert!(alone.is_empty(), "{alone:?}");
}
