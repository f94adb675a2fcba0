//! Your own training rule, outside the crate: TTv1 (GH20, PAT1) written once more over the `Array` trait. It equals
//! the built-in rule bit for bit, and is saved, programmed and copied like one.
//!
//! cargo run --release --example own_rule

#![allow(clippy::print_stdout)]

use tikitaka::crossbar::{Array, Line, Reference, Setup, Visible, build};
use tikitaka::device::DeviceConfig;
use tikitaka::network::{LayerConfig, Loss, Network, Targets, TrainOptions};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{Initial, Rule, RuleConfig, State, Ttv1};
use tikitaka::{Result, Workers};

const FAST_LR: f32 = 0.1;
const TRANSFER_LR: f32 = 0.5;
const TRANSFER_EVERY: u64 = 2;

#[derive(Clone, Debug)]
struct MyTtv1 {
    a: Box<dyn Array>,
    c: Box<dyn Array>,
    count: u64,
    k: usize,
}

impl MyTtv1 {
    fn new(at: &Initial<'_>) -> Result<Self> {
        let array = |which: u64, reference: Reference| {
            let setup = Setup { seed: at.seed, array: 2 * at.layer + which, ..Setup::default() };
            build(at.rows, at.cols, &DeviceConfig::default(), &setup, &reference)
        };
        let (a, mut c) = (array(0, Reference::ideal())?, array(1, Reference::default())?);
        c.set_weights(at.weights)?;
        Ok(Self { a, c, count: 0, k: 0 })
    }
}

impl Rule for MyTtv1 {
    fn visible(&self) -> &dyn Visible {
        self.c.as_ref()
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        self.c.as_mut()
    }

    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, _workers: &Workers) -> Result<()> {
        let (rows, cols) = self.c.shape();
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

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("a", self.a.as_ref());
        state.add_array("c", self.c.as_ref());
        state.add_count("count", self.count);
        state.add_count("k", self.k as u64);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let (a, c) = (state.array("a", self.a.as_ref())?, state.array("c", self.c.as_ref())?);
        (self.count, self.k) = (state.count("count")?, state.count("k")? as usize % self.c.shape().1);
        self.a.restore(&a)?;
        self.c.restore(&c)
    }
}

/// The weights of every layer.
type Weights = Vec<Vec<f32>>;

/// Trains on random vectors with random classes and returns the weights of every layer.
fn train(mut network: Network) -> Result<Weights> {
    let mut x = vec![0.0; 8 * 300];
    Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut x);
    let classes: Vec<u32> = (0..300).map(|s| u32::from(x[8 * s] > 0.0)).collect();
    for batch in [1, 4] {
        let options = TrainOptions { batch, lr_scale: 0.5, ..TrainOptions::default() };
        network.train(&x, Targets::Classes(&classes), options, &Workers::default())?;
    }
    network.rules().map(|linear| linear.weights()).collect()
}

fn layers() -> Vec<LayerConfig> {
    let linear = LayerConfig::linear;
    vec![linear(8, 6), LayerConfig::Tanh, linear(6, 2)]
}

fn both() -> Result<(Weights, Weights)> {
    let built_in = RuleConfig::Ttv1(Ttv1 {
        fast_lr: Some(f64::from(FAST_LR)),
        transfer_lr: Some(f64::from(TRANSFER_LR)),
        transfer_every: TRANSFER_EVERY as u32,
        device: DeviceConfig::default(),
        ..Ttv1::default()
    });
    let theirs = Network::new(&layers(), &built_in, Loss::CrossEntropy, 7)?;
    let mine = Network::builder().layers(&layers()).seed(7).build_with(&mut |at| Ok(Box::new(MyTtv1::new(&at)?)))?;
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
    let still = Network::new(
        &layers(),
        &RuleConfig::Ttv1(Ttv1 { fast_lr: Some(0.0), ..Ttv1::default() }),
        Loss::CrossEntropy,
        7,
    );
    assert_ne!(
        theirs,
        train(still.expect("valid settings")).expect("valid data"),
        "training must have moved the weights"
    );
}

/// A copy continues bit for bit as the original does, and so does a new rule with the state of the original.
#[test]
fn copies_and_states_continue_bit_for_bit() -> Result<()> {
    let (weights, workers) = ([0.1; 6], Workers::default());
    let at = Initial { layer: 0, rows: 2, cols: 3, weights: &weights, seed: 3 };
    let step = |rule: &mut Box<dyn Rule>| rule.update(&[0.5, -1.0, 0.2], &[0.4, -0.3], 1.0, &workers);
    let mut rule: Box<dyn Rule> = Box::new(MyTtv1::new(&at)?);
    (0..5).try_for_each(|_| step(&mut rule))?;
    let (mut copy, mut restored): (_, Box<dyn Rule>) = (rule.clone(), Box::new(MyTtv1::new(&at)?));
    restored.restore(&rule.state()?)?;
    assert_eq!(copy.downcast_ref::<MyTtv1>().map(|own| own.count), Some(5));
    for other in [&mut rule, &mut copy, &mut restored] {
        (0..4).try_for_each(|_| step(other))?;
    }
    assert_eq!(copy.state()?, rule.state()?);
    assert_eq!(restored.state()?, rule.state()?);
    Ok(())
}
