//! Bad inputs: each a clear error that names the argument, the value and what is allowed, with
//! nothing changed.

use tikitaka::Workers;
use tikitaka::crossbar::{Array, Crossbar, IoSettings, Line, Periphery, PulseTrains, Reference, Setup, Visible};
use tikitaka::device::{ConstantStep, DeviceConfig, DeviceSettings, SoftBounds};
use tikitaka::network::{
    Conv2dConfig, Examples, Inputs, LayerConfig, Loss, LstmConfig, MaxPool2dConfig, Memory, Network, Targets,
    TrainOptions,
};
use tikitaka::rule::{AnalogSgd, DigitalSgd, RuleConfig, Ttv2};

fn linear(inputs: usize, outputs: usize) -> LayerConfig {
    LayerConfig::linear(inputs, outputs)
}

fn conv() -> Conv2dConfig {
    Conv2dConfig::new((4, 5, 1), 2, 3)
}

fn lstm(inputs: usize, hidden: usize) -> LayerConfig {
    LstmConfig { carry: true, ..LstmConfig::new(inputs, hidden) }.into()
}

fn batch(batch: usize) -> TrainOptions<'static> {
    TrainOptions { batch, ..TrainOptions::default() }
}

fn recurrent() -> Network {
    Network::new(&[lstm(3, 2), lstm(2, 4), linear(4, 3)], &float(), Loss::CrossEntropy, 0).expect("valid settings")
}

fn float() -> RuleConfig {
    RuleConfig::DigitalSgd(DigitalSgd::default())
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
    let periphery =
        Periphery { forward: IoSettings { output_noise: -1.0, ..IoSettings::default() }, ..Periphery::default() };
    says(Crossbar::new(2, 3, device(), &Setup { periphery, ..Setup::default() }), &["output_noise", "-1", "0 to"]);
    let pulse_trains = PulseTrains { max_length: 0, ..PulseTrains::default() };
    says(
        Crossbar::new(2, 3, device(), &Setup { pulse_trains, ..Setup::default() }),
        &["max_length", "0", "1 to 4,096"],
    );
    let step = |weight_step, bound| ConstantStep { weight_step: Some(weight_step), bound, ..ConstantStep::default() };
    says(step(2.0, 0.6).build(), &["weight_step must be at most 2·bound = 1.2, which is one state, not 2"]);
    assert!(step(1.2, 0.6).build().is_ok());
    says(SoftBounds { bound: f64::NAN, ..SoftBounds::default() }.build(), &["bound", "NaN"]);
    let mut crossbar = Crossbar::new(2, 3, device(), &Setup::default()).expect("valid settings");
    says(crossbar.refer(&Reference { spread: -0.1, ..Reference::ideal() }), &["spread", "-0.1"]);
    says(Workers::new(0), &["threads", "0", "1 to 1,024"]);
    let device = DeviceConfig::SoftBounds(SoftBounds { states: Some(-5.0), ..SoftBounds::default() });
    let rule = RuleConfig::Ttv2(Ttv2 { slow_device: Some(device), ..Ttv2::default() });
    says(Network::new(&[linear(2, 2)], &rule, Loss::CrossEntropy, 0), &["states", "-5"]);
    says(AnalogSgd { lr: f64::INFINITY, ..AnalogSgd::default() }.validate(), &["lr", "inf"]);
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
    says(crossbar.read_line(Line::Row(0), &mut [0.0; 2]), &["3 values", "2"]);
    says(crossbar.pulse_line(Line::Row(2), &[1, 1, 1]), &["row", "2", "0 to 1"]);
    says(crossbar.update(&[1.0; 2], &[1.0; 2], 0.1), &["x", "2", "3"]);
    says(crossbar.forward(&[1.0; 4], &mut [0.0; 2], &Workers::default()), &["4", "multiple of 3"]);
    says(crossbar.set_weights(&[0.0; 5]), &["weights", "5", "6"]);
    says(crossbar.set_reference(&[f32::NAN; 6]), &["reference", "NaN", "finite"]);
    assert_eq!(crossbar.weights().expect("of ours"), [0.0; 6]);
}

#[test]
fn data_that_cannot_be_trained_on() {
    let mut network = Network::new(&[linear(2, 3)], &float(), Loss::CrossEntropy, 0).expect("valid settings");
    let before: Vec<_> = network.rules().map(|l| l.weights().expect("float")).collect();
    let mut train = |x: &[f32], targets: Targets<'_>, order: &[u32], batch, lr_scale| {
        network.train(x, targets, TrainOptions { order: Some(order), batch, lr_scale }, &Workers::default())
    };
    let x = [0.1, 0.2, 0.3, 0.4];
    let classes = Targets::Classes(&[0, 2]);
    says(train(&x[..3], classes, &[0], 1, 1.0), &["x", "3", "multiple of 2"]);
    says(train(&[0.1, f32::NAN, 0.3, 0.4], classes, &[0, 1], 1, 1.0), &["x of example 0 ", "NaN", "position 1"]);
    says(train(&[0.1, f32::INFINITY, 0.3, 0.4], classes, &[1, 0], 1, 1.0), &["x of example 0 ", "inf", "finite"]);
    says(train(&x, Targets::Classes(&[0, 3]), &[0, 1], 1, 1.0), &["targets of example 1 ", "3", "0 to 2"]);
    says(train(&x, Targets::Classes(&[0]), &[0], 1, 1.0), &["targets", "1", "2"]);
    says(train(&x, Targets::Values(&[0.0; 6]), &[0], 1, 1.0), &["cross-entropy", "class"]);
    says(train(&x, classes, &[2], 1, 1.0), &["order", "2", "0 to 1"]);
    says(train(&x, classes, &[0], 0, 1.0), &["batch", "0"]);
    says(train(&x, classes, &[0], 1, f32::NAN), &["lr_scale", "NaN"]);
    let nothing = train(&[], Targets::Classes(&[]), &[], 1, 1.0).expect("no samples, nothing to do");
    assert_eq!(nothing.samples, 0);
    let after: Vec<_> = network.rules().map(|l| l.weights().expect("float")).collect();
    assert_eq!(before, after);
}

#[test]
fn layers_out_of_range() {
    let refused = |config: Conv2dConfig, parts: &[&str]| says(LayerConfig::Conv2d(config).validate(), parts);
    refused(Conv2dConfig { kernel: 5, ..conv() }, &["kernel", "5", "at most 4", "4 × 5"]);
    refused(Conv2dConfig { kernel: 9, padding: 1, ..conv() }, &["kernel", "9", "at most 6", "4 × 5 with 1 around"]);
    refused(Conv2dConfig { kernel: 0, ..conv() }, &["kernel", "0", "1 to"]);
    refused(Conv2dConfig { stride: 0, ..conv() }, &["stride", "0", "1 to"]);
    refused(Conv2dConfig { padding: 3, ..conv() }, &["padding", "3", "below the kernel (3)"]);
    refused(Conv2dConfig { padding: usize::MAX, ..conv() }, &["padding", "0 to"]);
    refused(Conv2dConfig { channels: 0, ..conv() }, &["channels", "0", "1 to"]);
    refused(Conv2dConfig { filters: usize::MAX, ..conv() }, &["filters", "1 to"]);
    refused(Conv2dConfig { height: 100_000, width: 100_000, ..conv() }, &["height × width × channels", "at most"]);
    refused(Conv2dConfig { scale: f64::NAN, ..conv() }, &["scale", "NaN"]);
    let pool = |kernel, stride| {
        let config = MaxPool2dConfig { channels: 1, height: 4, width: 5, kernel, stride };
        LayerConfig::MaxPool2d(config).validate()
    };
    says(pool(5, None), &["kernel", "5", "at most 4", "4 × 5"]);
    says(pool(0, Some(1)), &["kernel", "0", "1 to"]);
    says(pool(2, Some(0)), &["stride", "0", "1 to"]);
    says(LayerConfig::flatten((0, 3, 2)).validate(), &["height", "0", "1 to"]);
    let lstm = |clip| LayerConfig::from(LstmConfig { clip, ..LstmConfig::new(3, 2) }).validate();
    says(LayerConfig::lstm(3, 0).validate(), &["hidden", "0", "1 to"]);
    says(lstm(-1.0), &["clip", "-1", "0 to"]);
    says(lstm(f64::NAN), &["clip", "NaN"]);
}

#[test]
fn images_and_sequences_that_do_not_fit() {
    let network = |layers: &[LayerConfig]| Network::new(layers, &float(), Loss::CrossEntropy, 0);
    let (first, flatten) = (LayerConfig::Conv2d(conv()), LayerConfig::flatten((4, 5, 2)));
    says(network(&[first.clone(), linear(13, 2)]), &["layer 1", "13 values", "2 × 3 × 2"]);
    says(network(&[first.clone(), flatten.clone()]), &["layer 1", "4 × 5 × 2", "2 × 3 × 2"]);
    says(network(&[first.clone(), LayerConfig::Conv2d(conv())]), &["layer 1", "4 × 5 × 1", "2 × 3 × 2"]);
    let pool = LayerConfig::max_pool2d((4, 5, 2), 2);
    says(network(&[first.clone(), LayerConfig::Tanh, pool.clone()]), &["layer 2", "4 × 5 × 2", "2 × 3 × 2"]);
    says(network(&[lstm(3, 4), lstm(5, 2)]), &["layer 1", "5", "4"]);
    for layer in [flatten, pool, LayerConfig::Tanh] {
        says(network(&[layer, first.clone()]), &["first layer", "linear, conv2d or lstm"]);
    }
    says(network(&[lstm(1_000_000, 1_000_000)]), &["at most"]);
}

#[test]
fn sequences_that_cannot_be_trained_on() {
    let mut network = recurrent();
    let before = network.rules().map(|rule| rule.weights().expect("float")).collect::<Vec<_>>();
    let (codes, classes) = ([0, 1, 2, 0, 1, 2], [0, 1, 2, 2, 1, 0]);
    let x = Examples::codes(&codes, 3);
    let mut train = |x: Examples<'_>, classes: &[u32], order: &[u32]| {
        network.train(
            x,
            Targets::Classes(classes),
            TrainOptions { order: Some(order), ..batch(2) },
            &Workers::default(),
        )
    };
    says(train(Examples::codes(&codes, 0), &classes, &[0]), &["steps", "0", "1 or more"]);
    says(train(Examples::codes(&codes, 4), &classes, &[0]), &["x", "6", "multiple of 4"]);
    says(train(Examples::codes(&[0, 1, 3, 0, 1, 2], 3), &classes, &[0]), &["x", "3", "from 0 to 2"]);
    says(train(x, &classes[..3], &[0]), &["targets", "3", "6"]);
    says(train(x, &[0, 0, 0, 0, 0, 3], &[0, 1]), &["targets", "3", "from 0 to 2"]);
    says(train(x, &classes, &[2]), &["order", "2", "0 to 1"]);
    says(train(Examples::codes(&[], 3), &[], &[0]), &["x", "0", "1 or more"]);
    let mut values = [0.1; 18];
    values[13] = f32::NAN;
    let values = Examples { inputs: Inputs::Values(&values), time_steps: 3 };
    says(train(values, &classes, &[0, 1]), &["x", "NaN", "finite"]);
    says(train(Examples { time_steps: 4, ..values }, &classes, &[0]), &["x", "18", "multiple of 12"]);
    assert_eq!(train(x, &classes, &[]).expect("nothing to do").samples, 0);
    // What is wrong lies in examples that are not asked for.
    train(values, &classes, &[0]).expect("the other example");
    network.reset();
    assert!(network.state().expect("float").memories.iter().all(|memory| memory.h.is_empty()));
    let after = network.rules().map(|rule| rule.weights().expect("float")).collect::<Vec<_>>();
    assert_ne!(before, after);

    let mut images = Network::new(&[LayerConfig::Conv2d(conv())], &float(), Loss::CrossEntropy, 0).expect("valid");
    let x = Examples { inputs: Inputs::Values(&[0.1; 40]), time_steps: 2 };
    let said = images.train(x, Targets::Classes(&[0, 1]), batch(1), &Workers::default());
    says(said, &["steps", "2", "no layer looks back"]);
}

#[test]
fn refused_trainings_and_memories_change_nothing() {
    let mut network = recurrent();
    let (codes, classes) = ([0, 1, 2, 0, 1, 2], [0, 1, 2, 2, 1, 0]);
    let train = |network: &mut Network, codes: &[u32]| {
        network.train(Examples::codes(codes, 3), Targets::Classes(&classes), batch(2), &Workers::default())
    };
    train(&mut network, &codes).expect("valid data");
    let before = network.state().expect("float");
    train(&mut network, &[0, 1, 2, 0, 1, 9]).expect_err("no such code");
    let mut restore = |memories: &[Memory]| {
        let mut state = before.clone();
        state.rules[0].add_floats("c", &[8, 6], vec![0.5; 48]);
        state.memories = memories.to_vec();
        network.restore(&state)
    };
    let memory = |h: usize, c: usize| Memory { h: vec![0.5; h], c: vec![0.5; c] };
    says(restore(&[memory(4, 4)]), &["memories", "1", "2"]);
    says(restore(&[memory(4, 4), memory(7, 7)]), &["memories", "7", "multiple of 4"]);
    says(restore(&[memory(4, 4), memory(4, 4)]), &["memories", "same number of sequences"]);
    says(restore(&[memory(4, 6), memory(8, 8)]), &["memories", "as many in h as in c"]);
    assert_eq!(network.state().expect("float"), before);
}

#[test]
fn texts_that_cannot_go_on() {
    let workers = Workers::default();
    let network = recurrent();
    let sample = |prime: &[u32], temperature| network.sample(prime, 5, temperature, 0, 0, &workers);
    says(sample(&[], 1.0), &["prime", "0", "1 or more"]);
    says(sample(&[0, 3], 1.0), &["3", "from 0 to 2"]);
    for temperature in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        says(sample(&[0], temperature), &["temperature", "above 0"]);
    }
    says(network.sample(&[0], 5, 1.0, 0, 1 << 32, &workers), &["draw", "0 to"]);
    assert!(network.sample(&[0, 1], 0, 1.0, 0, 0, &workers).expect("none asked for").is_empty());
    let other = Network::new(&[lstm(3, 2)], &float(), Loss::CrossEntropy, 0).expect("valid settings");
    says(other.sample(&[0], 5, 1.0, 0, 0, &workers), &["3 inputs and 2 outputs"]);
    let forgetful = Network::new(&[linear(3, 3)], &float(), Loss::CrossEntropy, 0).expect("valid settings");
    says(forgetful.sample(&[0], 5, 1.0, 0, 0, &workers), &["recurrent"]);
}

#[test]
fn a_batch_larger_than_any_data_is_all_of_it() {
    let mut network =
        Network::new(&[LayerConfig::conv2d((3, 3, 1), 2, 2)], &float(), Loss::CrossEntropy, 1).expect("valid");
    network.train(&[0.1; 9], Targets::Classes(&[0]), batch(usize::MAX), &Workers::default()).expect("one batch");
}

#[test]
fn steps_beyond_any_data_are_no_panic() {
    let network = Network::new(&[lstm(3, 3)], &float(), Loss::CrossEntropy, 1).expect("valid");
    let x = Examples::codes(&[], usize::MAX);
    assert!(network.forward(x, 0, &Workers::default()).map_or(true, |y| y.is_empty()));
}

#[test]
fn memories_that_are_not_finite_are_refused() {
    let mut network = Network::new(&[lstm(3, 2)], &float(), Loss::CrossEntropy, 1).expect("valid");
    let mut state = network.state().expect("float");
    state.memories = vec![Memory { h: vec![f32::NAN; 2], c: vec![0.0; 2] }];
    says(network.restore(&state), &["memories", "NaN"]);
}

#[test]
fn images_of_another_shape_and_the_same_size_are_refused() {
    let layers = [LayerConfig::Conv2d(conv()), LayerConfig::Tanh, LayerConfig::max_pool2d((2, 2, 3), 2)];
    assert!(Network::new(&layers, &float(), Loss::CrossEntropy, 1).is_err(), "2 × 3 × 2 is no 2 × 2 × 3");
}

#[test]
fn a_count_beyond_memory_is_no_panic() {
    let network = Network::new(&[lstm(3, 3)], &float(), Loss::CrossEntropy, 1).expect("valid");
    assert!(network.sample(&[0], usize::MAX >> 2, 1.0, 0, 0, &Workers::default()).is_err());
}

#[test]
fn errors_of_sample_name_its_arguments() {
    let network = Network::new(&[lstm(3, 3)], &float(), Loss::CrossEntropy, 1).expect("valid");
    let said = network.sample(&[7], 3, 1.0, 0, 0, &Workers::default()).expect_err("no such code").to_string();
    assert!(said.contains("prime"), "{said}");
    let cold = network.sample(&[0], 3, 1e-39, 0, 0, &Workers::default());
    assert!(cold.as_ref().map_or_else(|e| e.to_string().contains("temperature"), |codes| codes.len() == 3), "{cold:?}");
}

/// A network that diverged does not write as if nothing had happened.
#[test]
fn outputs_that_are_not_finite_write_nothing() {
    let mut network = Network::new(&[lstm(3, 2), linear(2, 3)], &float(), Loss::CrossEntropy, 1).expect("valid");
    let last = network.rules_mut().last().expect("two");
    last.set_weights(&[f32::MAX; 9]).expect("nine");
    let first = network.rules_mut().next().expect("two");
    first.set_weights(&[f32::MAX; 48]).expect("as many");
    says(network.sample(&[0], 3, 1.0, 0, 0, &Workers::default()), &["outputs", "finite"]);
}
