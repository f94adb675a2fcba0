//! A training rule of one's own, outside the crate: TTv1 (GH20, PAT1) written once more over the
//! `Array` trait. It equals the built-in rule bit for bit.
//!
//! cargo run --release --example own_rule

#![allow(clippy::print_stdout)]

use tikitaka::crossbar::{Array, Crossbar, Line, Reference, Setup};
use tikitaka::device::{DeviceConfig, DeviceSettings, SoftBounds};
use tikitaka::ledger::Ledger;
use tikitaka::network::{Initial, LayerConfig, LinearConfig, Loss, Network, Targets};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{Rule, RuleConfig, State, Ttv1};
use tikitaka::{Result, Workers};

const FAST_LR: f32 = 0.1;
const TRANSFER_LR: f32 = 0.5;
const TRANSFER_EVERY: u64 = 2;

#[derive(Debug)]
struct MyTtv1 {
    a: Box<dyn Array>,
    c: Box<dyn Array>,
    count: u64,
    k: usize,
}

impl MyTtv1 {
    fn new(at: &Initial<'_>) -> Result<Self> {
        let array = |which: u64, reference: Reference| -> Result<Box<dyn Array>> {
            let setup = Setup { seed: at.seed, array: 2 * at.layer + which, ..Setup::default() };
            let mut crossbar = Crossbar::new(at.rows, at.cols, SoftBounds::default().build()?, &setup)?;
            crossbar.refer(&reference)?;
            Ok(Box::new(crossbar))
        };
        let (a, mut c) = (array(0, Reference::ideal())?, array(1, Reference::default())?);
        c.set_weights(at.weights)?;
        Ok(Self { a, c, count: 0, k: 0 })
    }
}

impl Rule for MyTtv1 {
    fn shape(&self) -> (usize, usize) {
        self.c.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.forward(x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.backward(delta, z, workers)
    }

    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, _workers: &Workers) -> Result<()> {
        let (rows, cols) = self.shape();
        for (x, delta) in x.chunks(cols).zip(delta.chunks(rows)) {
            self.a.update(x, delta, -FAST_LR)?;
            self.count += 1;
            if self.count.is_multiple_of(TRANSFER_EVERY) {
                let (mut u, mut v) = (vec![0.0; cols], vec![0.0; rows]);
                u[self.k] = 1.0;
                self.a.read_line(Line::Column(self.k), &mut v)?;
                self.c.update(&u, &v, TRANSFER_LR * lr_scale)?;
                self.k = (self.k + 1) % cols;
            }
        }
        Ok(())
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.evaluate(draw, x, y, workers)
    }

    fn weights(&self) -> Result<Vec<f32>> {
        Ok(self.c.weights())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.c.set_weights(weights)
    }

    fn read_weights(&self, _draw: u64) -> Result<Vec<f32>> {
        self.weights()
    }

    fn ledger(&self) -> Ledger {
        Ledger { fast: self.a.counts(), slow: self.c.counts(), digital_operations: 0 }
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("a", self.a.as_ref());
        state.add_array("c", self.c.as_ref());
        state.counters.insert("progress".to_owned(), vec![self.count, self.k as u64]);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.restore_array("a", self.a.as_mut())?;
        state.restore_array("c", self.c.as_mut())?;
        (self.count, self.k) = (state.counters("progress")?[0], state.counters("progress")?[1] as usize);
        Ok(())
    }
}

/// The weights of every layer.
type Weights = Vec<Vec<f32>>;

/// PulseTrains on random vectors with random classes and returns the weights of every layer.
fn train(mut network: Network) -> Result<Weights> {
    let mut x = vec![0.0; 8 * 300];
    Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut x);
    let classes: Vec<u32> = (0..300).map(|s| u32::from(x[8 * s] > 0.0)).collect();
    let order: Vec<u32> = (0..300).collect();
    for batch in [1, 4] {
        network.train(&x, Targets::Classes(&classes), &order, batch, 0.5, &Workers::default())?;
    }
    network.rules().map(|linear| linear.weights()).collect()
}

fn layers() -> Vec<LayerConfig> {
    let linear = |inputs, outputs| LayerConfig::Linear(LinearConfig { inputs, outputs, bias: true, scale: 1.0 });
    vec![linear(8, 6), LayerConfig::Tanh, linear(6, 2)]
}

fn both() -> Result<(Weights, Weights)> {
    let built_in = RuleConfig::Ttv1(Ttv1 {
        fast_lr: f64::from(FAST_LR),
        transfer_lr: f64::from(TRANSFER_LR),
        transfer_every: TRANSFER_EVERY as u32,
        device: DeviceConfig::default(),
        ..Ttv1::default()
    });
    let theirs = Network::new(&layers(), &built_in, Loss::CrossEntropy, 7)?;
    let mine = Network::with_rules(&layers(), Loss::CrossEntropy, 7, &mut |at| Ok(Box::new(MyTtv1::new(&at)?)))?;
    Ok((train(mine)?, train(theirs)?))
}

fn main() -> Result<()> {
    let (mine, theirs) = both()?;
    println!("same bits as the built-in rule: {}", mine == theirs);
    Ok(())
}

#[test]
fn equals_the_built_in_rule_bit_for_bit() {
    let (mine, theirs) = both().expect("valid settings");
    assert_eq!(mine, theirs);
    let still =
        Network::new(&layers(), &RuleConfig::Ttv1(Ttv1 { fast_lr: 0.0, ..Ttv1::default() }), Loss::CrossEntropy, 7);
    assert_ne!(
        theirs,
        train(still.expect("valid settings")).expect("valid data"),
        "training must have moved the weights"
    );
}
