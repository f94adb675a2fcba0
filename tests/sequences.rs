//! Same seed, same bits for convolutions and for layers with memory, whatever the rule: frozen values, any number of
//! threads, any way of cutting the work, and after a state was put back. `make test` runs this file once per
//! instruction set.

#![allow(clippy::single_range_in_vec_init)] // pieces of the data, often only one

use std::ops::Range;
use tikitaka::crossbar::Periphery;
use tikitaka::network::{
    Conv2dConfig, Examples, LayerConfig, LinearConfig, Loss, LstmConfig, MaxPool2dConfig, Memory, Network,
    NetworkState, Targets, TrainOptions,
};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{AnalogSgd, DigitalSgd, RuleConfig, TransferUnit, Ttv1, Ttv2};
use tikitaka::{Result, Workers};

const EXAMPLES: u32 = 40;
const BATCHES: [usize; 2] = [1, 5];

/// All four, with everything that has noise or a position of its own.
fn rules() -> Vec<(&'static str, RuleConfig)> {
    let periphery = Periphery::full(0.06);
    let ttv2 = Ttv2 { fast_lr: Some(0.5), transfer_lr: Some(5.0), periphery: periphery.clone(), ..Ttv2::default() };
    vec![
        ("float", RuleConfig::DigitalSgd(DigitalSgd { lr: 0.1 })),
        ("sgd", RuleConfig::AnalogSgd(AnalogSgd { lr: 0.1, periphery: periphery.clone(), ..AnalogSgd::default() })),
        (
            "ttv1",
            RuleConfig::Ttv1(Ttv1 {
                fast_lr: Some(0.1),
                transfer_lr: Some(0.1),
                gamma: 0.5,
                periphery,
                ..Ttv1::default()
            }),
        ),
        ("ttv2", RuleConfig::Ttv2(ttv2.clone())),
        ("ttv2 by batches", RuleConfig::Ttv2(Ttv2 { transfer_unit: TransferUnit::Batch, transfer_every: 3, ..ttv2 })),
    ]
}

/// A kind of network with data that fit it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Its patches make up more than one block, and work enough for threads.
    Images,
    /// Two layers of memory that carry.
    Text,
}

const KINDS: [Kind; 2] = [Kind::Images, Kind::Text];
const STEPS: usize = 7;
const CODES: usize = 30;

fn network(kind: Kind, rule: &RuleConfig, seed: u64) -> Network {
    let linear = |inputs, outputs| LayerConfig::from(LinearConfig { scale: 1.5, ..LinearConfig::new(inputs, outputs) });
    let lstm = |inputs, hidden| {
        LayerConfig::from(LstmConfig { scale: 2.0, clip: 0.1, carry: true, ..LstmConfig::new(inputs, hidden) })
    };
    let conv = |channels, height, width, filters, padding| {
        let image = (height, width, channels);
        LayerConfig::from(Conv2dConfig { padding, scale: 1.5, ..Conv2dConfig::new(image, filters, 5) })
    };
    let pool = |channels, height, width, stride| {
        LayerConfig::from(MaxPool2dConfig { stride, ..MaxPool2dConfig::new((height, width, channels), 2) })
    };
    let layers = match kind {
        Kind::Images => vec![
            conv(2, 20, 18, 6, 2),
            LayerConfig::Tanh,
            pool(6, 20, 18, None),
            conv(6, 10, 9, 8, 0),
            pool(8, 6, 5, Some(1)),
            LayerConfig::ReLU,
            LayerConfig::flatten((5, 4, 8)),
            linear(160, 3),
        ],
        Kind::Text => vec![lstm(CODES, 24), lstm(24, 20), linear(20, CODES)],
    };
    let mut network = Network::new(&layers, rule, Loss::CrossEntropy, seed).expect("valid settings");
    network.rules_mut().for_each(|rule| rule.set_averaging(true).expect("a built-in rule"));
    network
}

fn normals(count: usize) -> Vec<f32> {
    let mut x = vec![0.0; count];
    Stream::new(99, 0, Operation::Sample, 0).normals(0, &mut x);
    x
}

/// A text, and the codes that follow.
fn text() -> (Vec<u32>, Vec<u32>) {
    let codes: Vec<u32> = normals(EXAMPLES as usize * STEPS + 1)
        .iter()
        .scan(0, |code, x| {
            *code = (*code * 7 + 3 + u32::from(*x > 0.7)) % CODES as u32;
            Some(*code)
        })
        .collect();
    (codes[..codes.len() - 1].to_vec(), codes[1..].to_vec())
}

/// Trains on `pieces` of the data one after another; the sum of the losses.
fn train(kind: Kind, network: &mut Network, batch: usize, threads: usize, pieces: &[Range<u32>]) -> Result<f64> {
    let workers = Workers::new(threads)?;
    let (codes, next) = text();
    let images = normals(EXAMPLES as usize * 720);
    let classes: Vec<u32> = images.chunks(720).map(|x| u32::from(x[0] > x[1]) + u32::from(x[2] > 0.5)).collect();
    let mut loss = 0.0;
    for piece in pieces {
        let order: Vec<u32> = piece.clone().collect();
        let options = TrainOptions { order: Some(&order), batch, ..TrainOptions::default() };
        let (x, targets) = match kind {
            Kind::Images => (Examples::from(&images), Targets::Classes(&classes)),
            Kind::Text => (Examples::codes(&codes, STEPS), Targets::Classes(&next)),
        };
        loss += network.train(x, targets, options, &workers)?.loss;
    }
    Ok(loss)
}

fn state(network: &Network) -> NetworkState {
    network.state().expect("built-in rules")
}

/// FNV-1a over the bits of every array of a network, and of what it carries.
fn digest(network: &Network) -> u64 {
    let NetworkState { rules, memories } = state(network);
    let carried = memories.iter().flat_map(|memory| memory.h.iter().chain(&memory.c));
    let words = rules.iter().flat_map(|state| state.floats.values().flat_map(|tensor| &tensor.values)).chain(carried);
    words.fold(0xcbf2_9ce4_8422_2325, |hash, v| (hash ^ u64::from(v.to_bits())).wrapping_mul(0x0100_0000_01b3))
}

/// Frozen: a change of these bits changes every result and needs a note in CHANGELOG.md.
#[test]
fn frozen_values() {
    for (kind, frozen) in KINDS.into_iter().zip([IMAGES, TEXT]) {
        let digests: Vec<(&str, [u64; 2])> = rules()
            .into_iter()
            .map(|(name, rule)| {
                let digests = BATCHES.map(|batch| {
                    let mut network = network(kind, &rule, 5);
                    train(kind, &mut network, batch, 1, &[0..EXAMPLES]).expect("valid data");
                    digest(&network)
                });
                (name, digests)
            })
            .collect();
        assert_eq!(digests, frozen, "{kind:?}");
    }
}

const IMAGES: [(&str, [u64; 2]); 5] = [
    ("float", [0x4f03_5c21_a213_9702, 0xc470_1ad4_2256_6f95]),
    ("sgd", [0xe436_df77_836a_6659, 0x00df_2cc1_7634_a799]),
    ("ttv1", [0xb9fd_20dd_a594_ee15, 0x1254_c14a_f2f9_d5f7]),
    ("ttv2", [0x564b_7d93_9f09_5259, 0x6e9c_7bb3_b09a_f190]),
    ("ttv2 by batches", [0xac27_d5c8_202e_0f76, 0x479c_c13b_847d_3200]),
];

const TEXT: [(&str, [u64; 2]); 5] = [
    ("float", [0x02e5_a1c5_3571_6846, 0xdade_63bd_cfdf_bf2f]),
    ("sgd", [0xd311_f40f_a20f_8bdc, 0x97af_8746_8f91_5515]),
    ("ttv1", [0x7f68_70c0_ed42_ec2a, 0xd045_19c2_f839_80ea]),
    ("ttv2", [0xaee2_7b1c_392c_a043, 0xe44e_7582_6be8_3019]),
    ("ttv2 by batches", [0x6cb9_d9bd_964f_6479, 0x3708_7fac_49d6_6097]),
];

#[test]
fn threads_and_cuts_do_not_matter_and_seeds_do() {
    for (kind, batch) in KINDS.into_iter().flat_map(|kind| BATCHES.map(|batch| (kind, batch))) {
        for (name, rule) in rules() {
            let trained = |seed, threads, pieces: &[Range<u32>]| {
                let mut network = network(kind, &rule, seed);
                train(kind, &mut network, batch, threads, pieces).expect("valid data");
                (state(&network), network.ledger().expect("a built-in rule"))
            };
            let once = trained(5, 1, &[0..EXAMPLES]);
            let about = format!("{kind:?}, {name}, batch {batch}");
            assert_eq!(once, trained(5, 2, &[0..EXAMPLES]), "{about}, 2 threads");
            assert_eq!(once, trained(5, 4, &[0..10, 10..10, 10..15, 15..EXAMPLES]), "{about}, 4 threads, in pieces");
            assert_ne!(once, trained(6, 1, &[0..EXAMPLES]), "{about}, another seed");
        }
    }
}

#[test]
fn a_state_put_back_goes_on_bit_for_bit() {
    for (kind, batch) in KINDS.into_iter().flat_map(|kind| BATCHES.map(|batch| (kind, batch))) {
        for (name, rule) in rules() {
            let mut whole = network(kind, &rule, 5);
            train(kind, &mut whole, batch, 1, &[0..25]).expect("valid data");
            let saved = state(&whole);
            let mut second = network(kind, &rule, 5);
            // Used before, so that nothing may be left of what it did.
            train(kind, &mut second, 3, 1, &[30..EXAMPLES]).expect("valid data");
            second.restore(&saved).expect("a state of the same settings");
            let rest = [25..EXAMPLES];
            let loss = train(kind, &mut whole, batch, 1, &rest).expect("valid data");
            let again = train(kind, &mut second, batch, 2, &rest).expect("valid data");
            assert_eq!(state(&second), state(&whole), "{kind:?}, {name}, batch {batch}");
            let ledgers = [&second, &whole].map(|network| network.ledger().expect("a built-in rule"));
            assert_eq!(ledgers[0], ledgers[1]);
            assert_eq!(again, loss, "{kind:?}, {name}, batch {batch}");
        }
    }
}

/// What is carried makes a difference, until it is forgotten.
#[test]
fn a_reset_forgets_what_was_carried() {
    for (name, rule) in rules() {
        let trained = |forget: bool| {
            let mut network = network(Kind::Text, &rule, 5);
            train(Kind::Text, &mut network, 5, 1, &[0..20]).expect("valid data");
            let carried = state(&network).memories;
            assert!(carried.iter().all(|memory| memory.h.iter().chain(&memory.c).any(|v| *v != 0.0)));
            if forget {
                network.reset();
                assert_eq!(state(&network).memories, [const { Memory { h: Vec::new(), c: Vec::new() } }; 2]);
            }
            let loss = train(Kind::Text, &mut network, 5, 1, &[20..25]).expect("valid data");
            (loss, state(&network))
        };
        let (kept, forgot) = (trained(false), trained(true));
        assert!((kept.0 - forgot.0).abs() > 1e-4, "{name}: {} {}", kept.0, forgot.0);
        assert_ne!(kept.1, forgot.1, "{name}");
    }
}

#[test]
fn evaluation_leaves_training_alone_and_does_not_depend_on_threads() {
    let (codes, next) = text();
    let images = normals(EXAMPLES as usize * 720);
    for kind in KINDS {
        let x = match kind {
            Kind::Images => Examples::from(&images),
            Kind::Text => Examples::codes(&codes, STEPS),
        };
        for (name, rule) in rules() {
            let mut network = network(kind, &rule, 1);
            train(kind, &mut network, 5, 1, &[0..10]).expect("valid data");
            let before = state(&network);
            let workers = |threads| Workers::new(threads).expect("few threads");
            let outputs = |draw, threads| network.forward(x, draw, &workers(threads)).expect("valid data");
            let once = outputs(3, 1);
            assert_eq!(once, outputs(3, 2), "{kind:?}, {name}");
            assert_eq!(once, outputs(3, 4), "{kind:?}, {name}");
            assert_eq!(once == outputs(4, 1), name == "float", "{kind:?}, {name}");
            if kind == Kind::Text {
                network.evaluate(x, Targets::Classes(&next), 0, &workers(1)).expect("valid data");
                let sample = |threads, draw| network.sample(&codes[..5], 20, 0.8, 2, draw, &workers(threads));
                assert_eq!(sample(1, 0).expect("codes"), sample(3, 0).expect("codes"), "{name}");
            }
            assert_eq!(before, state(&network), "{kind:?}, {name}");
        }
    }
}
