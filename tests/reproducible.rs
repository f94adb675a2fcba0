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
    let tiles = Tiles { fast_lr: Some(0.2), every_ratio: 2, warm_start: 20, transfer_every: 1, ..Tiles::default() };
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
    ("ttv1", 0x8faf_687b_7cee_c184),
    ("ttv2", 0x7d68_1b11_e449_a01b),
    ("ttv2 by rows", 0xdf1e_6a35_fa61_dcc9),
    ("cttv2", 0x6aa2_9b34_23e2_d603),
    ("cttv2 by rows", 0xe6be_3dce_00a8_7f56),
    ("agad", 0x035e_4f6c_d826_412a),
    ("agad by batches", 0x2182_ef5f_e567_a747),
    ("mp", 0xb8bc_8243_4532_de6b),
    ("rl", 0x1f56_95f3_1088_0d40),
    ("rlv2", 0x0de4_dffb_1700_434e),
    ("rider", 0x5171_51e8_61a6_2d5c),
    ("erider", 0x412b_dc2a_3805_8963),
    ("erider by rows", 0xdf25_af92_1c20_1225),
    ("tiles", 0xd74c_9984_fa25_6901),
    ("ttv1 at automatic rates", 0x2607_045b_16bd_1955),
    ("ttv2 at automatic rates", 0x95e6_85be_e322_4a4f),
    ("ttv2 at automatic rates by batches", 0xb9ee_d0b6_0240_1f4a),
    ("agad at automatic rates", 0x2e8c_5066_2272_2ee2),
    ("cttv2 at automatic rates", 0x6d6e_46c3_ce8e_b811),
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
    ("soft-bounds", 0xd6b9_252b_033c_3fda),
    ("constant-step", 0x02e6_821e_b97c_c880),
    ("linear-step", 0x4e57_662d_1575_eea9),
    ("exponential-step", 0x6ab7_182f_5f3b_234b),
    ("power-step", 0x043c_2644_73f2_06b1),
    ("table-step", 0x5a8b_1b23_0479_ee5a),
    ("jump-table", 0xce9b_81f0_a5bd_7884),
    ("neurosim", 0x3e34_70fb_0031_71cf),
    ("reram", 0xc130_891c_900a_f996),
    ("reram-hfo2", 0xbeb6_338d_725f_89fe),
    ("ecram-mo", 0x8f1c_ce9f_078a_b129),
    ("pcm", 0x6768_7713_22ea_bc3b),
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
