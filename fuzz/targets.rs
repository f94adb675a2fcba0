//! What is fuzzed, for the fuzzer and for the tests that replay its corpus.

use tikitaka::Workers;
use tikitaka::device::DeviceConfig;
use tikitaka::network::{LayerConfig, Loss, Network, Targets, TrainOptions};
use tikitaka::rule::{AnalogSgd, DigitalSgd, Rule, RuleConfig, State, Ttv1, Ttv2};
use tikitaka::tensors::{Tensor, decode as decoded, encode};

/// Reading any bytes as a file gives arrays, which can be written and read again, or an error.
pub(crate) fn decode(bytes: &[u8]) {
    if let Ok(arrays) = decoded(bytes) {
        let held = arrays.floats.values().map(|of| of.values.len()).sum::<usize>() * 4
            + arrays.counters.values().map(|of| of.values.len()).sum::<usize>() * 8;
        assert!(held <= bytes.len(), "{held} bytes of arrays from {}", bytes.len());
        let again = decoded(&encode(&arrays).expect("what was read")).expect("what was written");
        assert_eq!(format!("{again:?}").len(), format!("{arrays:?}").len()); // NaN is no equal of itself
    }
}

/// Restoring any state of a rule is refused, or gives a rule that learns and can be saved.
///
/// The bytes say which rule, and how the state that it has is changed: 12 bytes a change.
pub(crate) fn restore(bytes: &[u8]) {
    let Some((&kind, changes)) = bytes.split_first() else { return };
    let linear = LayerConfig::linear;
    let rules = [
        RuleConfig::DigitalSgd(DigitalSgd::default()),
        RuleConfig::AnalogSgd(AnalogSgd { count_pulses: true, ..AnalogSgd::default() }),
        RuleConfig::Ttv1(Ttv1 { device: DeviceConfig::default(), ..Ttv1::default() }),
        RuleConfig::Ttv2(Ttv2 { count_pulses: true, ..Ttv2::default() }),
    ];
    let rule = &rules[usize::from(kind) % rules.len()];
    let mut network =
        Network::new(&[linear(3, 2), LayerConfig::Tanh, linear(2, 2)], rule, Loss::CrossEntropy, 1).expect("valid");
    let mut states: Vec<State> = network.rules().map(|rule| rule.state().expect("of a rule of ours")).collect();
    for change in changes.as_chunks::<12>().0 {
        let state = &mut states[usize::from(change[0]) % 2];
        apply(state, change[1], usize::from(change[2]), change[3], change[4..].try_into().expect("8 of 12"));
    }
    let restored: Vec<bool> = network
        .rules_mut()
        .zip(&states)
        .map(|(rule, state): (&mut Box<dyn Rule>, _)| rule.restore(state).is_ok())
        .collect();
    let workers = Workers::default();
    let options = TrainOptions { order: Some(&[0, 0, 0]), ..TrainOptions::default() };
    let trained = network.train(&[0.5, -1.0, 0.0], Targets::Classes(&[1]), options, &workers);
    if restored == [true, true] {
        trained.expect("a restored network learns");
    }
    for rule in network.rules() {
        rule.state().expect("of a rule of ours");
    }
}

/// One value is replaced, or an array is cut, or made longer, or taken away.
fn apply(state: &mut State, entry: u8, at: usize, what: u8, value: [u8; 8]) {
    let (entry, floats) = (usize::from(entry), state.floats.len());
    let names: Vec<String> = state.floats.keys().chain(state.counters.keys()).cloned().collect();
    let Some(name) = names.get(entry % names.len().max(1)) else { return };
    if entry % names.len() < floats {
        let [a, b, c, d, ..] = value;
        changed(state.floats.get_mut(name), at, what, f32::from_le_bytes([a, b, c, d]));
    } else {
        changed(state.counters.get_mut(name), at, what, u64::from_le_bytes(value));
    }
    if what % 8 == 7 {
        state.floats.remove(name);
        state.counters.remove(name);
    }
}

fn changed<T: Clone>(tensor: Option<&mut Tensor<T>>, at: usize, what: u8, value: T) {
    let Some(Tensor { values, .. }) = tensor else { return };
    match what % 8 {
        5 => values.truncate(at),
        6 => values.resize(at, value),
        _ => {
            let n = values.len().max(1);
            if let Some(place) = values.get_mut(at % n) {
                *place = value;
            }
        }
    }
}
