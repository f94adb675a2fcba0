//! A network as a Rust program meets it: copies, states and weights as one, rules and layers put together by hand.

use tikitaka::network::{Examples, LinearConfig};
use tikitaka::network::{LayerConfig, LstmConfig, Network, NetworkState, Targets, TrainOptions};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{AnalogSgd, DigitalSgd, RuleConfig, Ttv1, Ttv2};
use tikitaka::{Result, Workers};

const CODES: usize = 5;
const TIME_STEPS: usize = 4;

fn rules() -> [RuleConfig; 4] {
    [
        RuleConfig::DigitalSgd(DigitalSgd::default()),
        RuleConfig::AnalogSgd(AnalogSgd::default()),
        RuleConfig::Ttv1(Ttv1 { gamma: 0.5, ..Ttv1::default() }),
        RuleConfig::Ttv2(Ttv2 { count_pulses: true, ..Ttv2::default() }),
    ]
}

fn network(rule: &RuleConfig) -> Network {
    let layers: [LayerConfig; 3] = [
        LstmConfig { carry: true, ..LstmConfig::new(CODES, 6) }.into(),
        LayerConfig::Tanh,
        LinearConfig { bias: false, ..LinearConfig::new(6, CODES) }.into(),
    ];
    Network::builder().layers(&layers).seed(3).build(rule).expect("valid settings")
}

fn train(network: &mut Network, examples: u32) -> f64 {
    let codes: Vec<u32> = (0..examples * TIME_STEPS as u32).map(|k| k * k % CODES as u32).collect();
    let options = TrainOptions { batch: 2, ..TrainOptions::default() };
    let x = Examples::codes(&codes, TIME_STEPS);
    network.train(x, Targets::Classes(&codes), options, &Workers::default()).expect("valid data").loss
}

fn state(network: &Network) -> NetworkState {
    network.state().expect("built-in rules")
}

#[test]
fn a_copy_continues_as_the_original() {
    for rule in rules() {
        let mut network = network(&rule);
        train(&mut network, 10);
        let mut copy = network.clone();
        let before = state(&copy);
        let loss = train(&mut network, 6);
        assert_eq!(state(&copy), before, "{rule:?}: a network of its own");
        assert_eq!(train(&mut copy, 6), loss, "{rule:?}");
        assert_eq!(state(&copy), state(&network), "{rule:?}");
    }
}

#[test]
fn a_state_is_restored_as_a_whole_or_not_at_all() {
    for rule in rules() {
        let mut network = network(&rule);
        train(&mut network, 10);
        let saved = state(&network);
        train(&mut network, 6);
        let before = state(&network);
        // The first array of the state fits, something after it does not.
        let changes: [fn(&mut NetworkState); 4] = [
            |state| state.rules[1].add_floats("c", &[3], vec![0.0; 3]),
            |state| _ = state.rules.pop(),
            |state| _ = state.memories.pop(),
            |state| state.memories[0].h[0] = f32::NAN,
        ];
        for change in changes {
            let mut bad = saved.clone();
            change(&mut bad);
            network.restore(&bad).expect_err("it does not fit");
            assert_eq!(state(&network), before, "{rule:?}");
        }
        network.restore(&saved).expect("it fits");
        assert_eq!(state(&network), saved, "{rule:?}");
    }
}

#[test]
fn weights_are_set_as_a_whole_or_not_at_all() {
    for rule in rules() {
        let mut network = network(&rule);
        let weights = network.weights().expect("built-in rules");
        train(&mut network, 10);
        let before = state(&network);
        for k in [0, 1] {
            let mut bad = weights.clone();
            bad[k][0] = f32::NAN;
            network.set_weights(&bad).expect_err("not finite");
            bad[k].pop();
            network.set_weights(&bad).expect_err("too short");
            network.set_weights(&weights[..k]).expect_err("too few");
            assert_eq!(state(&network), before, "{rule:?}");
        }
        let half: Vec<Vec<f32>> = weights.iter().map(|w| w.iter().map(|w| 0.5 * w).collect()).collect();
        network.set_weights(&half).expect("they fit");
        assert_ne!(state(&network), before, "{rule:?}");
    }
}

/// A rule for each array, by its number.
#[test]
fn two_rules_in_one_network() -> Result<()> {
    let rules = rules();
    let mut network = Network::builder()
        .layer(LayerConfig::linear(3, 4))
        .layer(LayerConfig::Sigmoid)
        .layer(LayerConfig::linear(4, 2))
        .build_with(&mut |at| rules[3 * at.layer as usize].build(&at))?;
    let mut x = [0.0; 60];
    Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut x);
    let classes: Vec<u32> = (0..20).map(|k| k % 2).collect();
    network.train(&x, Targets::Classes(&classes), TrainOptions::default(), &Workers::default())?;
    let pulses: Vec<u64> = network.rules().map(|rule| rule.ledger().expect("a built-in rule").fast.pulses).collect();
    assert!(pulses[0] == 0 && pulses[1] > 0, "{pulses:?}");
    Ok(())
}
