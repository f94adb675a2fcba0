//! A state says what it belongs to: it is refused by arrays, rules and networks of another seed, other devices or
//! other settings.

use tikitaka::Workers;
use tikitaka::crossbar::{Reference, Setup, build};
use tikitaka::device::{ConstantStep, DeviceConfig, SoftBounds};
use tikitaka::network::{LayerConfig, Loss, Network, Targets, TrainOptions};
use tikitaka::rule::{AnalogSgd, DigitalSgd, Initial, RuleConfig, Ttv1, Ttv2};

fn network_with(between: LayerConfig, rule: &RuleConfig, seed: u64) -> Network {
    let layers = [LayerConfig::linear(2, 3), between, LayerConfig::linear(3, 2)];
    Network::new(&layers, rule, Loss::CrossEntropy, seed).expect("valid settings")
}

fn network(rule: &RuleConfig, seed: u64) -> Network {
    network_with(LayerConfig::Tanh, rule, seed)
}

fn trained(rule: &RuleConfig, seed: u64) -> Network {
    let mut network = network(rule, seed);
    let (x, options) = ([0.9, 0.1, 0.2, 0.8], TrainOptions { batch: 2, ..TrainOptions::default() });
    network.train(&x, Targets::Classes(&[0, 1]), options, &Workers::default()).expect("valid data");
    network
}

/// Rules, each with another of its kind.
fn pairs() -> [(RuleConfig, RuleConfig); 4] {
    let device = DeviceConfig::from(SoftBounds { states: Some(30.0), ..SoftBounds::default() });
    let slow_device = Some(DeviceConfig::from(ConstantStep::default()));
    [
        (DigitalSgd::default().into(), DigitalSgd { lr: 0.1 }.into()),
        (AnalogSgd::default().into(), AnalogSgd { device, ..AnalogSgd::default() }.into()),
        (Ttv1::default().into(), Ttv1 { slow_device, ..Ttv1::default() }.into()),
        (Ttv2::default().into(), Ttv2 { fast_lr: Some(0.1), ..Ttv2::default() }.into()),
    ]
}

#[test]
fn a_network_refuses_the_state_of_another_seed_rule_or_layer() {
    for (rule, other) in pairs() {
        let state = trained(&rule, 1).state().expect("built in");
        let mut same = network(&rule, 1);
        same.restore(&state).expect("its own");
        assert_eq!(same.state().expect("built in"), state);
        for (mut wrong, words) in [
            (network(&rule, 2), "a network with the seed 2, not 1"),
            (network(&other, 1), "with the same devices and settings"),
            (network_with(LayerConfig::Sigmoid, &rule, 1), "a network with the same devices and settings"),
        ] {
            let before = wrong.state().expect("built in");
            let message = wrong.restore(&state).expect_err("of another").to_string();
            assert!(message.contains(words), "{message}");
            assert_eq!(wrong.state().expect("built in"), before);
        }
    }
}

#[test]
fn a_rule_refuses_the_state_of_another() {
    for (rule, other) in pairs() {
        let build = |rule: &RuleConfig, seed, layer| {
            rule.build(&Initial { layer, rows: 2, cols: 3, weights: &[0.1; 6], seed }).expect("valid settings")
        };
        let state = build(&rule, 1, 0).state().expect("built in");
        build(&rule, 1, 0).restore(&state).expect("its own");
        build(&other, 1, 0).restore(&state).expect_err("of other settings");
        if !matches!(rule, RuleConfig::DigitalSgd(_)) {
            build(&rule, 2, 0).restore(&state).expect_err("of another seed");
            build(&rule, 1, 1).restore(&state).expect_err("of another layer");
        }
    }
}

#[test]
fn an_array_refuses_the_snapshot_of_another() {
    let made = |seed, device: &DeviceConfig| {
        let setup = Setup { seed, ..Setup::default() };
        build(2, 3, device, &setup, &Reference::default()).expect("valid settings")
    };
    let (device, other) = (DeviceConfig::default(), DeviceConfig::from(ConstantStep::default()));
    let mut array = made(1, &device);
    array.update(&[1.0; 3], &[0.5; 2], 0.1).expect("valid data");
    let snapshot = array.snapshot();
    let mut same = made(1, &device);
    same.restore(&snapshot).expect("its own");
    assert_eq!(same.snapshot(), snapshot);
    for mut wrong in [made(2, &device), made(1, &other)] {
        let before = wrong.snapshot();
        wrong.restore(&snapshot).expect_err("of another");
        assert_eq!(wrong.snapshot(), before);
    }
}
