//! Bad inputs: each a clear error that names the argument, the value and what is allowed, with
//! nothing changed.

use tikitaka::Workers;
use tikitaka::crossbar::{Array, Crossbar, Line, Mvm, Periphery, Reference, Setup, Trains};
use tikitaka::device::{ConstantStep, DeviceConfig, SoftBounds};
use tikitaka::network::{LayerConfig, LinearConfig, Loss, Network, Targets};
use tikitaka::rule::{Float, RuleConfig, Sgd, Ttv2};

fn linear(inputs: usize, outputs: usize) -> LayerConfig {
    LayerConfig::Linear(LinearConfig { inputs, outputs, bias: true, scale: 1.0 })
}

fn float() -> RuleConfig {
    RuleConfig::Float(Float::default())
}

#[track_caller]
fn says<T: std::fmt::Debug>(result: tikitaka::Result<T>, parts: &[&str]) {
    let message = result.expect_err("an error").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} in {message:?}");
    }
}

#[test]
fn settings_out_of_range() {
    let device = || ConstantStep::default().build().expect("valid settings");
    says(Crossbar::new(0, 3, device(), &Setup::default()), &["rows", "0", "1 or more"]);
    says(Crossbar::new(1 << 20, 1 << 20, device(), &Setup::default()), &["rows × cols", "at most"]);
    let periphery = Periphery { forward: Mvm { output_noise: -1.0, ..Mvm::default() }, ..Periphery::default() };
    says(Crossbar::new(2, 3, device(), &Setup { periphery, ..Setup::default() }), &["output_noise", "-1", "0 to"]);
    let trains = Trains { max_train: 0, ..Trains::default() };
    says(Crossbar::new(2, 3, device(), &Setup { trains, ..Setup::default() }), &["max_train", "0", "1 to 4096"]);
    says(SoftBounds { bound: f64::NAN, ..SoftBounds::default() }.build(), &["bound", "NaN"]);
    let mut crossbar = Crossbar::new(2, 3, device(), &Setup::default()).expect("valid settings");
    says(crossbar.refer(&Reference { spread: -0.1, ..Reference::ideal() }), &["spread", "-0.1"]);
    says(Workers::new(0), &["threads", "0", "1 to 1024"]);
    let device = DeviceConfig::SoftBounds(SoftBounds { states: Some(-5.0), ..SoftBounds::default() });
    let rule = RuleConfig::Ttv2(Ttv2 { slow_device: Some(device), ..Ttv2::default() });
    says(Network::new(&[linear(2, 2)], &rule, Loss::CrossEntropy, 0), &["states", "-5"]);
    says(Sgd { lr: f64::INFINITY, ..Sgd::default() }.validate(), &["lr", "inf"]);
}

#[test]
fn layers_that_do_not_fit() {
    says(Network::new(&[], &float(), Loss::CrossEntropy, 0), &["first layer"]);
    says(Network::new(&[linear(3, 4), linear(5, 2)], &float(), Loss::CrossEntropy, 0), &["layer 1", "5", "4"]);
    says(Network::new(&[linear(1 << 23, 1 << 23)], &float(), Loss::CrossEntropy, 0), &["at most"]);
}

#[test]
fn lines_and_lengths() {
    let device = ConstantStep::default().build().expect("valid settings");
    let mut crossbar = Crossbar::new(2, 3, device, &Setup::default()).expect("valid settings");
    says(crossbar.read_line(Line::Column(3), &mut [0.0; 2]), &["column", "3", "0 to 2"]);
    says(crossbar.read_line(Line::Row(0), &mut [0.0; 2]), &["2 values", "3"]);
    says(crossbar.pulse_line(Line::Row(2), &[1, 1, 1]), &["row", "2", "0 to 1"]);
    says(crossbar.update(&[1.0; 2], &[1.0; 2], 0.1), &["x", "2", "3"]);
    says(crossbar.forward(&[1.0; 4], &mut [0.0; 2], &Workers::default()), &["4", "multiple of 3"]);
    says(crossbar.set_weights(&[0.0; 5]), &["weights", "5", "6"]);
    says(crossbar.set_reference(&[f32::NAN; 6]), &["reference", "NaN", "finite"]);
    assert_eq!(crossbar.weights(), [0.0; 6]);
}

#[test]
fn data_that_cannot_be_trained_on() {
    let mut network = Network::new(&[linear(2, 3)], &float(), Loss::CrossEntropy, 0).expect("valid settings");
    let before: Vec<_> = network.rules().map(|l| l.weights().expect("float")).collect();
    let mut train = |x: &[f32], targets: Targets<'_>, order: &[u32], batch, rate| {
        network.train(x, targets, order, batch, rate, &Workers::default())
    };
    let x = [0.1, 0.2, 0.3, 0.4];
    let classes = Targets::Classes(&[0, 2]);
    says(train(&x[..3], classes, &[0], 1, 1.0), &["x", "3", "multiple of 2"]);
    says(train(&[0.1, f32::NAN, 0.3, 0.4], classes, &[0, 1], 1, 1.0), &["x", "NaN", "position 1"]);
    says(train(&[0.1, f32::INFINITY, 0.3, 0.4], classes, &[1, 0], 1, 1.0), &["x", "inf", "finite"]);
    says(train(&x, Targets::Classes(&[0, 3]), &[0, 1], 1, 1.0), &["targets", "3", "0 to 2"]);
    says(train(&x, Targets::Classes(&[0]), &[0], 1, 1.0), &["targets", "1", "2"]);
    says(train(&x, Targets::Values(&[0.0; 6]), &[0], 1, 1.0), &["cross-entropy", "class"]);
    says(train(&x, classes, &[2], 1, 1.0), &["order", "2", "0 to 1"]);
    says(train(&x, classes, &[0], 0, 1.0), &["batch", "0"]);
    says(train(&x, classes, &[0], 1, f32::NAN), &["rate", "NaN"]);
    let nothing = train(&[], Targets::Classes(&[]), &[], 1, 1.0).expect("no samples, nothing to do");
    assert_eq!(nothing.samples, 0);
    let after: Vec<_> = network.rules().map(|l| l.weights().expect("float")).collect();
    assert_eq!(before, after);
}
