//! Same seed, same bits: frozen values, any number of threads, any way of cutting the work, and after
//! a state was put back. `make test` runs this file once per instruction set.

#![allow(clippy::single_range_in_vec_init)] // pieces of the data, often only one

use tikitaka::crossbar::{Periphery, PulseTrains, Reference, ReferenceMethod};
use tikitaka::device::DeviceConfig;
use tikitaka::kinds::Family;
use tikitaka::network::{Conv2dConfig, LayerConfig, LinearConfig, Loss, Network, Targets, TrainOptions};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{
    Agad, AnalogSgd, Chopping, Cttv2, DigitalSgd, Erider, Initial, LearningRates, MixedPrecision, ReadVectors, Rider,
    Rl, Rlv2, RuleConfig, State, Tiles, TransferLine, TransferUnit, Ttv1, Ttv2,
};
use tikitaka::{Result, Workers};

const SAMPLES: u32 = 240;
const INPUTS: usize = 37;

fn rules() -> Vec<(&'static str, RuleConfig)> {
    let periphery = Periphery::full(0.06);
    vec![
        ("float", RuleConfig::DigitalSgd(DigitalSgd { lr: 0.1 })),
        ("sgd", RuleConfig::AnalogSgd(AnalogSgd { lr: 0.1, periphery: periphery.clone(), ..AnalogSgd::default() })),
        (
            "ttv1",
            RuleConfig::Ttv1(Ttv1 {
                fast_lr: Some(0.1),
                transfer_lr: Some(0.1),
                gamma: 0.5,
                read_vectors: ReadVectors::Hadamard,
                periphery: periphery.clone(),
                ..Ttv1::default()
            }),
        ),
        (
            "ttv2",
            RuleConfig::Ttv2(Ttv2 {
                fast_lr: Some(0.5),
                transfer_lr: Some(1.0),
                periphery,
                count_pulses: true,
                ..Ttv2::default()
            }),
        ),
        (
            "ttv2 by rows",
            RuleConfig::Ttv2(Ttv2 {
                transfer_line: TransferLine::Row,
                rates: LearningRates::R24,
                max_pulses: 3,
                pulse_trains: PulseTrains { max_length: 70, length_management: false, ..PulseTrains::default() },
                ..Ttv2::default()
            }),
        ),
    ]
    .into_iter()
    .chain(newer_rules())
    .collect()
}

/// The others of the family, with choppers that flip within the few samples here.
fn newer_rules() -> Vec<(&'static str, RuleConfig)> {
    let periphery = Periphery::full(0.06);
    let agad = Agad {
        fast_lr: Some(0.5),
        transfer_lr: Some(3.0),
        flip_rate: 0.4,
        periphery: periphery.clone(),
        ..Agad::default()
    };
    let erider = Erider {
        fast_lr: Some(0.5),
        transfer_lr: Some(3.0),
        flip_rate: 0.4,
        chopper: Chopping::Random,
        ..Erider::default()
    };
    let cttv2 = Cttv2 {
        fast_lr: Some(0.5),
        transfer_lr: Some(3.0),
        flip_rate: 0.4,
        chopper: Chopping::Random,
        ..Cttv2::default()
    };
    let ideal = Reference { method: ReferenceMethod::Ideal, ..Reference::default() };
    let counting = Tiles { transfer_unit: TransferUnit::Sample, transfer_every: 1, ..Tiles::default() };
    let tiles = Tiles { fast_lr: Some(0.2), every_ratio: 2, warm_start: 20, ..counting };
    vec![
        ("cttv2", Cttv2 { periphery: periphery.clone(), ..cttv2.clone() }.into()),
        ("cttv2 by rows", Cttv2 { transfer_line: TransferLine::Row, rates: LearningRates::R24Matched, ..cttv2 }.into()),
        ("agad", agad.clone().into()),
        ("agad by batches", Agad { transfer_unit: TransferUnit::Batch, transfer_every: 1, ..agad }.into()),
        ("mp", MixedPrecision { lr: 0.1, periphery: periphery.clone(), ..MixedPrecision::default() }.into()),
        ("rl", Rl { fast_lr: Some(0.1), transfer_lr: Some(0.1), periphery: periphery.clone(), ..Rl::default() }.into()),
        (
            "rlv2",
            Rlv2 { fast_lr: Some(0.5), periphery: periphery.clone(), transfer_lr: Some(3.0), ..Rlv2::default() }.into(),
        ),
        ("rider", Rider { fast_lr: Some(0.1), periphery: periphery.clone(), ..Rider::default() }.into()),
        ("erider", Erider { periphery, ..erider.clone() }.into()),
        ("erider by rows", Erider { transfer_line: TransferLine::Row, ..erider }.into()),
        ("tiles", tiles.into()),
        ("ttv1 at automatic rates", Ttv1 { gamma: 0.5, ..Ttv1::default() }.into()),
        ("ttv2 at automatic rates", Ttv2::default().into()),
        ("ttv2 at automatic rates by batches", Ttv2 { transfer_unit: TransferUnit::Batch, ..Ttv2::default() }.into()),
        ("agad at automatic rates", Agad { flip_rate: 0.4, ..Agad::default() }.into()),
        (
            "cttv2 at automatic rates",
            Cttv2 { flip_rate: 0.4, chopper: Chopping::Random, reference: ideal, ..Cttv2::default() }.into(),
        ),
    ]
}

fn network(rule: &RuleConfig, seed: u64) -> Network {
    let linear = |inputs, outputs| LayerConfig::from(LinearConfig { scale: 1.5, ..LinearConfig::new(inputs, outputs) });
    let layers = [linear(INPUTS, 70), LayerConfig::Sigmoid, linear(70, 3)];
    let mut network = Network::new(&layers, rule, Loss::CrossEntropy, seed).expect("valid settings");
    network.rules_mut().for_each(|rule| rule.set_averaging(true).expect("a built-in rule"));
    network
}

fn data() -> (Vec<f32>, Vec<u32>) {
    let mut x = vec![0.0; SAMPLES as usize * INPUTS];
    Stream::new(99, 0, Operation::Sample, 0).normals(0, &mut x);
    // Some inputs are zero, as in images.
    x.iter_mut().filter(|x| **x < 0.0).for_each(|x| *x = 0.0);
    let classes = x.chunks(INPUTS).map(|x| u32::from(x[0] > x[1]) + u32::from(x[2] > 0.5)).collect();
    (x, classes)
}

/// Trains on `pieces` of the data one after another.
fn train(network: &mut Network, batch: usize, threads: usize, pieces: &[std::ops::Range<u32>]) -> Result<()> {
    let (x, classes) = data();
    let workers = Workers::new(threads)?;
    for piece in pieces {
        let order: Vec<u32> = piece.clone().collect();
        network.train(&x, Targets::Classes(&classes), options(&order, batch), &workers)?;
    }
    Ok(())
}

fn options(order: &[u32], batch: usize) -> TrainOptions<'_> {
    TrainOptions { order: Some(order), batch, ..TrainOptions::default() }
}

fn states(network: &Network) -> Vec<State> {
    network.rules().map(|linear| linear.state().expect("a built-in rule")).collect()
}

/// FNV-1a over the bits of every array of a network.
fn digest(network: &Network) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for state in states(network) {
        for word in state.floats.iter().map(|x| x.1).flat_map(|tensor| &tensor.values).map(|v| v.to_bits()) {
            hash = (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Frozen: a change of these bits changes every result and needs a note in CHANGELOG.md.
#[test]
fn frozen_values() {
    let digests: Vec<(&str, u64)> = rules()
        .into_iter()
        .map(|(name, rule)| {
            let mut network = network(&rule, 5);
            train(&mut network, 3, 1, &[0..SAMPLES]).expect("valid data");
            (name, digest(&network))
        })
        .collect();
    assert_eq!(digests, FROZEN);
}

const FROZEN: [(&str, u64); 21] = [
    ("float", 0x5ff9_0e8a_5d85_8725),
    ("sgd", 0x9c6b_5e18_a252_5213),
    ("ttv1", 0xd3bb_3e85_4ce0_ee8c),
    ("ttv2", 0x766a_a571_ae46_f703),
    ("ttv2 by rows", 0xf7c6_0c0c_bf5d_3245),
    ("cttv2", 0x94d7_8d09_f616_0f0b),
    ("cttv2 by rows", 0xfbc5_50a4_e04d_c24e),
    ("agad", 0xd5ef_56d4_15df_1aaa),
    ("agad by batches", 0x4f92_060d_8077_c6af),
    ("mp", 0xb8bc_8243_4532_de6b),
    ("rl", 0xac15_6e9c_4560_1ac8),
    ("rlv2", 0xac31_8579_1734_9226),
    ("rider", 0x99f8_f840_e178_956f),
    ("erider", 0xf07f_bba7_6d5c_d7c3),
    ("erider by rows", 0xc7b2_d4d9_997e_1275),
    ("tiles", 0x3e71_5284_c519_3af5),
    ("ttv1 at automatic rates", 0x389c_7514_f8e0_7396),
    ("ttv2 at automatic rates", 0xbe19_2c30_c79d_f985),
    ("ttv2 at automatic rates by batches", 0x1d91_87a0_b336_0af4),
    ("agad at automatic rates", 0x630d_c485_e70a_77cb),
    ("cttv2 at automatic rates", 0x4734_7cc5_ac5b_bafd),
];

/// Frozen: as above, for TTv2 on each device model and for devices of the literature.
#[test]
fn frozen_values_of_device_models() {
    let models = DeviceConfig::KINDS.iter().map(|kind| (kind.name, kind.default.expect("devices have defaults")()));
    let literature =
        ["reram", "reram-hfo2", "ecram-mo", "pcm"].map(|name| (name, DeviceConfig::preset(name).expect("known")));
    let digests: Vec<(&str, u64)> = models
        .chain(literature)
        .map(|(name, device)| {
            let rule = RuleConfig::Ttv2(Ttv2 { fast_lr: Some(0.5), transfer_lr: Some(1.0), device, ..Ttv2::default() });
            let mut network = network(&rule, 5);
            train(&mut network, 3, 1, &[0..SAMPLES]).expect("valid data");
            (name, digest(&network))
        })
        .collect();
    assert_eq!(digests, FROZEN_MODELS);
}

const FROZEN_MODELS: [(&str, u64); 12] = [
    ("soft-bounds", 0x003d_e313_9b07_c062),
    ("constant-step", 0xfecb_ef11_30ed_18f0),
    ("linear-step", 0x14c5_ab7a_6466_f4d1),
    ("exponential-step", 0xd4e3_429b_623e_54ab),
    ("power-step", 0x826a_17e4_39f1_7141),
    ("table-step", 0xec4f_cb30_7aad_a6e2),
    ("jump-table", 0x2289_93c7_ee06_71d4),
    ("neurosim", 0x9e66_903f_2783_bdbf),
    ("reram", 0x6ea8_d3e2_7873_4e56),
    ("reram-hfo2", 0xfea2_09c5_c92c_be36),
    ("ecram-mo", 0x8a71_0fe3_cde6_6039),
    ("pcm", 0xc2bf_8d2f_8e38_0f83),
];

#[test]
fn threads_and_cuts_do_not_matter_and_seeds_do() {
    for (name, rule) in rules() {
        let trained = |seed, threads, pieces: &[std::ops::Range<u32>]| {
            let mut network = network(&rule, seed);
            train(&mut network, 8, threads, pieces).expect("valid data");
            states(&network)
        };
        let once = trained(5, 1, &[0..SAMPLES]);
        assert_eq!(once, trained(5, 2, &[0..SAMPLES]), "{name}, 2 threads");
        assert_eq!(once, trained(5, 4, &[0..64, 64..72, 72..SAMPLES]), "{name}, 4 threads, in pieces");
        assert_ne!(once, trained(6, 1, &[0..SAMPLES]), "{name}, another seed");
    }
}

/// Batches large enough that each thread takes its examples through all layers; the last ones are no multiple of four.
#[test]
fn shared_mini_batches_give_what_one_thread_does() {
    let (x, classes) = data();
    let order: Vec<u32> = (0..SAMPLES).rev().collect();
    let ttv1 = Ttv1 { fast_lr: Some(0.1), transfer_lr: Some(0.1), periphery: Periphery::full(0.06), ..Ttv1::default() };
    for (name, rule) in rules().into_iter().chain([("ttv1 without A", RuleConfig::Ttv1(ttv1))]) {
        for batch in [100, 239] {
            let trained = |threads| {
                let (mut network, workers) = (network(&rule, 5), Workers::new(threads).expect("few threads"));
                let progress = network.train(&x, Targets::Classes(&classes), options(&order, batch), &workers);
                (progress.expect("valid data"), network.ledger().expect("a built-in rule"), states(&network))
            };
            let once = trained(1);
            (2..=5)
                .for_each(|threads| assert_eq!(once, trained(threads), "{name}, {batch} at once, {threads} threads"));
        }
    }
}

/// The same with convolutions and pooling: patches that are kept to learn from, and more than are kept.
#[test]
fn shared_mini_batches_of_images_give_what_one_thread_does() {
    let conv = |channels, side, filters, padding| {
        LayerConfig::from(Conv2dConfig { padding, scale: 0.5, ..Conv2dConfig::new((side, side, channels), filters, 3) })
    };
    let layers = [
        conv(1, 12, 4, 1),
        LayerConfig::Tanh,
        LayerConfig::max_pool2d((12, 12, 4), 2),
        conv(4, 6, 20, 0),
        LayerConfig::ReLU,
        LayerConfig::flatten((4, 4, 20)),
        LayerConfig::linear(320, 3),
    ];
    let mut x = vec![0.0; 239 * 144];
    Stream::new(3, 0, Operation::Sample, 0).normals(0, &mut x);
    let (order, classes): (Vec<u32>, Vec<u32>) = (0..239).map(|k| (k, k % 3)).unzip();
    for (name, rule) in rules() {
        for batch in [30, 239] {
            let trained = |threads| {
                let workers = Workers::new(threads).expect("few threads");
                let mut network = Network::new(&layers, &rule, Loss::CrossEntropy, 5).expect("valid settings");
                let progress = network.train(&x, Targets::Classes(&classes), options(&order, batch), &workers);
                (progress.expect("valid data"), network.ledger().expect("a built-in rule"), states(&network))
            };
            let once = trained(1);
            (2..=4)
                .for_each(|threads| assert_eq!(once, trained(threads), "{name}, {batch} at once, {threads} threads"));
        }
    }
}

/// Large enough for the work to be split.
#[test]
fn products_of_large_batches_do_not_depend_on_threads() {
    let rule = RuleConfig::AnalogSgd(AnalogSgd { periphery: Periphery::full(0.06), ..AnalogSgd::default() });
    let (rows, cols, batch) = (300, 400, 128);
    let mut weights = vec![0.0; rows * cols];
    Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut weights);
    let mut x = vec![0.0; batch * cols];
    Stream::new(2, 0, Operation::Sample, 0).normals(0, &mut x);
    let products = |threads| {
        let workers = Workers::new(threads).expect("few threads");
        let mut layer =
            rule.build(&Initial { layer: 0, rows, cols, weights: &weights, seed: 3 }).expect("valid settings");
        let (mut y, mut z) = (vec![0.0; batch * rows], vec![0.0; batch * cols]);
        layer.forward(&x, &mut y, &workers).expect("valid shapes");
        layer.backward(&y, &mut z, &workers).expect("valid shapes");
        (y, z, layer.ledger().expect("a built-in rule"))
    };
    let once = products(1);
    assert_eq!(once, products(2));
    assert_eq!(once, products(4));
}

#[test]
fn a_state_put_back_goes_on_bit_for_bit() {
    for (name, rule) in rules() {
        let mut whole = network(&rule, 5);
        train(&mut whole, 1, 1, &[0..SAMPLES]).expect("valid data");
        let mut first = network(&rule, 5);
        train(&mut first, 1, 1, &[0..101]).expect("valid data");
        let mut second = network(&rule, 5);
        for (linear, state) in second.rules_mut().zip(states(&first)) {
            linear.restore(&state).expect("a state of the same settings");
        }
        train(&mut second, 1, 1, &[101..SAMPLES]).expect("valid data");
        assert_eq!(states(&second), states(&whole), "{name}");
        assert_eq!(second.ledger().expect("built in"), whole.ledger().expect("built in"), "{name}");
    }
}

#[test]
fn evaluation_leaves_training_alone_and_has_noise_of_its_own() {
    let (x, classes) = data();
    let rule = RuleConfig::Ttv2(Ttv2 { periphery: Periphery::full(0.06), ..Ttv2::default() });
    let network = network(&rule, 1);
    let before = states(&network);
    let outputs =
        |draw, threads| network.forward(&x, draw, &Workers::new(threads).expect("few threads")).expect("valid data");
    assert_eq!(outputs(3, 1), outputs(3, 2));
    assert_ne!(outputs(3, 1), outputs(4, 1));
    network.evaluate(&x, Targets::Classes(&classes), 0, &Workers::default()).expect("valid data");
    assert_eq!(before, states(&network));
}

#[test]
fn states_of_other_settings_are_refused() {
    let all = rules();
    let sgd = states(&network(&all[1].1, 1));
    let mut ttv2 = network(&all[3].1, 1);
    let before = states(&ttv2);
    let first = ttv2.rules_mut().next().expect("a layer");
    let message = first.restore(&sgd[0]).expect_err("a state of sgd").to_string();
    assert!(message.contains("the same devices and settings"), "{message}");
    assert_eq!(before, states(&ttv2));
}
