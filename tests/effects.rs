//! An effect on products sees the true side of the array, on every path to a product or a read.

use std::sync::Arc;
use tikitaka::Workers;
use tikitaka::crossbar::{
    Array, Crossbar, Direction, DueRead, Line, Operands, Periphery, ProductEffect, PulseTrains, Setup, Visible,
};
use tikitaka::device::{ConstantStep, ConstantStepDevice, DeviceSettings};

/// Each weight times a factor of its row, its column and the side from which the array is driven.
#[derive(Debug)]
struct Factors;

fn factor(direction: Direction, row: usize, col: usize) -> f32 {
    let side = if direction == Direction::Forward { 1.0 } else { 2.0 };
    side + row as f32 / 8.0 + col as f32 / 256.0
}

impl ProductEffect for Factors {
    fn apply(&self, operands: &mut Operands<'_>) {
        let (rows, cols) = (operands.rows.clone(), operands.cols.clone());
        let inputs = if operands.direction == Direction::Forward { cols.len() } else { rows.len() };
        assert_eq!((operands.x.len(), operands.weights.len()), (inputs, rows.len() * cols.len()));
        for (col, column) in cols.zip(operands.weights.chunks_exact_mut(rows.len())) {
            for (row, w) in rows.clone().zip(column) {
                *w *= factor(operands.direction, row, col);
            }
        }
    }
}

fn array(rows: usize, cols: usize, periphery: &Periphery, effects: Vec<Arc<dyn ProductEffect>>) -> impl Array + Clone {
    let device: ConstantStepDevice = ConstantStep { bound: 20.0, ..ConstantStep::default() }.build().expect("valid");
    let pulse_trains = PulseTrains::default();
    let setup = Setup { periphery: periphery.clone(), pulse_trains, effects, seed: 5, ..Setup::default() };
    let mut array = Crossbar::new(rows, cols, device, &setup).expect("valid");
    let weights: Vec<f32> = (0..rows * cols).map(|k| (k % 13) as f32 / 13.0 - 0.5).collect();
    array.set_weights(&weights).expect("right length");
    array
}

/// The same array without effects whose weights are those that the effect shows in one direction.
fn shown(rows: usize, cols: usize, periphery: &Periphery, direction: Direction) -> impl Array + Clone {
    let mut array = array(rows, cols, periphery, Vec::new());
    let weights = array.weights().expect("weights");
    let shown: Vec<f32> = weights.iter().enumerate().map(|(k, w)| w * factor(direction, k / cols, k % cols)).collect();
    array.set_weights(&shown).expect("right length");
    array
}

#[test]
fn products_and_reads_use_the_weights_of_their_own_side() {
    // Few rows take the transposed copy backward, many the lines as they are; 5 vectors fill a group and one more.
    for (rows, cols) in [(3, 40), (100, 7)] {
        for periphery in [Periphery::default(), Periphery::full(0.06)] {
            let workers = Workers::default();
            let mut affected = array(rows, cols, &periphery, vec![Arc::new(Factors)]);
            let mut forward = shown(rows, cols, &periphery, Direction::Forward);
            let mut backward = shown(rows, cols, &periphery, Direction::Backward);
            let values = |n: usize| (0..5 * n).map(|k| (k % 7) as f32 - 3.0).collect::<Vec<_>>();

            let (mut y, mut expected) = (vec![0.0; 5 * rows], vec![0.0; 5 * rows]);
            affected.forward(&values(cols), &mut y, &workers).expect("right lengths");
            forward.forward(&values(cols), &mut expected, &workers).expect("right lengths");
            assert_eq!(y, expected);
            let (mut z, mut expected) = (vec![0.0; 5 * cols], vec![0.0; 5 * cols]);
            affected.backward(&values(rows), &mut z, &workers).expect("right lengths");
            backward.backward(&values(rows), &mut expected, &workers).expect("right lengths");
            assert_eq!(z, expected);

            let read = |array: &mut dyn Array, line| {
                let mut v = vec![0.0; if let Line::Column(_) = line { rows } else { cols }];
                array.read_line(line, &mut v).expect("a line");
                v
            };
            assert_eq!(read(&mut affected, Line::Column(2)), read(&mut forward, Line::Column(2)));
            backward.read_line(Line::Column(0), &mut vec![0.0; rows]).expect("as many reads");
            assert_eq!(read(&mut affected, Line::Row(1)), read(&mut backward, Line::Row(1)));
        }
    }
}

/// A read that is due in a batch is that of a line on its own, and an update works on the stored weights.
#[test]
fn due_reads_see_it_and_updates_do_not() {
    let periphery = Periphery::full(0.06);
    let (mut together, mut alone) =
        (array(4, 6, &periphery, vec![Arc::new(Factors)]), shown(4, 6, &periphery, Direction::Forward));
    let stored = together.weights();
    let (x, delta, line) = ([0.0; 6], [0.0; 4], Line::Column(3));
    let (mut v, mut expected) = ([0.0; 4], [0.0; 4]);
    let due = [DueRead { after: 1, line }];
    together.update_batch(&x, &delta, &[0.1], &due, &mut v, &Workers::default()).expect("right lengths");
    alone.read_line(line, &mut expected).expect("a line");
    assert_eq!(v, expected);
    assert_eq!(together.weights().expect("weights"), stored.expect("weights"));
}
