//! One step of the float rule descends the gradient of the loss, as central differences give it, for every
//! kind of layer, every way of stacking them and at any batch.

use tikitaka::Workers;
use tikitaka::network::{
    Conv2dConfig, Examples, Inputs, LayerConfig, Loss, LstmConfig, MaxPool2dConfig, Network, Targets, TrainOptions,
};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{DigitalSgd, RuleConfig};

const LR: f32 = 0.5;

fn network(layers: &[LayerConfig], lr: f32) -> Network {
    Network::new(layers, &RuleConfig::DigitalSgd(DigitalSgd { lr: f64::from(lr) }), Loss::CrossEntropy, 3)
        .expect("valid layers")
}

fn linear(inputs: usize, outputs: usize) -> LayerConfig {
    LayerConfig::linear(inputs, outputs)
}

fn lstm(inputs: usize, hidden: usize, carry: bool) -> LayerConfig {
    LstmConfig { scale: 1.5, carry, ..LstmConfig::new(inputs, hidden) }.into()
}

fn conv(channels: usize, height: usize, width: usize, filters: usize, stride: usize, padding: usize) -> LayerConfig {
    Conv2dConfig { stride, padding, scale: 1.5, ..Conv2dConfig::new((height, width, channels), filters, 3) }.into()
}

fn batch(batch: usize) -> TrainOptions<'static> {
    TrainOptions { batch, ..TrainOptions::default() }
}

fn normals(n: usize) -> Vec<f32> {
    let mut x = vec![0.0; n];
    Stream::new(9, 0, Operation::Numbers, 0).normals(0, &mut x);
    x
}

/// Steps of a whole batch of four examples against central differences.
fn check(layers: &[LayerConfig], x: Examples<'_>, classes: &[u32]) {
    let (targets, workers) = (Targets::Classes(classes), Workers::default());
    let mut trained = network(layers, LR);
    // Twice, so that the second step meets buffers that were used.
    for _ in 0..2 {
        let before: Vec<Vec<f32>> = trained.rules().map(|rule| rule.weights().expect("weights")).collect();
        trained.train(x, targets, batch(4), &workers).expect("data that fit");
        for (k, rule) in trained.rules().enumerate() {
            for (i, after) in rule.weights().expect("weights").into_iter().enumerate() {
                let loss = |shift: f32| {
                    let mut moved = network(layers, LR);
                    for (l, (rule, weights)) in moved.rules_mut().zip(&before).enumerate() {
                        let mut weights = weights.clone();
                        if l == k {
                            weights[i] += shift;
                        }
                        rule.set_weights(&weights).expect("as many weights");
                    }
                    moved.evaluate(x, targets, 0, &workers).expect("data that fit").loss / 4.0
                };
                let step = f64::from((before[k][i] - after) / LR);
                // The largest value of a window may change inside the interval: then a smaller one, which rounding
                // errors spoil more.
                let off = |shift: f32, by: f64| {
                    let numeric = (loss(shift) - loss(-shift)) / f64::from(2.0 * shift);
                    (step - numeric).abs() > by * (1.0 + step.abs())
                };
                let wrong = off(2e-3, 2e-4) && off(2e-4, 2e-3);
                assert!(!wrong, "{layers:?}, array {k}, weight {i}: {step}");
            }
        }
    }
}

#[test]
fn steps_descend_the_numeric_gradient() {
    use LayerConfig::{ReLU, Sigmoid, Tanh};
    let stacks: [&[LayerConfig]; 5] = [
        &[linear(3, 2)],
        &[linear(3, 4), Sigmoid, linear(4, 2)],
        &[linear(3, 4), Sigmoid, Tanh, linear(4, 2)],
        &[linear(3, 4), linear(4, 5), Tanh, ReLU, Sigmoid, linear(5, 2)],
        &[linear(3, 2), Tanh, Sigmoid],
    ];
    let x = [0.3, -0.2, 0.9, 0.0, 0.7, -0.5, 0.1, 0.4, 0.8, -0.9, 0.2, 0.6];
    stacks.into_iter().for_each(|layers| check(layers, (&x).into(), &[0, 1, 1, 0]));
}

#[test]
fn convolutions_descend_the_numeric_gradient() {
    use LayerConfig::Tanh;
    let pool = |channels, height, width, kernel, stride| {
        LayerConfig::from(MaxPool2dConfig { stride, ..MaxPool2dConfig::new((height, width, channels), kernel) })
    };
    let flatten = |channels, height, width| LayerConfig::flatten((height, width, channels));
    let stacks: [&[LayerConfig]; 4] = [
        &[conv(2, 5, 4, 3, 1, 0), linear(18, 2)],
        &[conv(2, 5, 4, 3, 2, 1), Tanh, flatten(3, 3, 2), linear(18, 2)],
        &[conv(2, 5, 4, 3, 1, 1), Tanh, pool(3, 5, 4, 2, Some(1)), conv(3, 4, 3, 2, 1, 0), Tanh, linear(4, 2)],
        &[conv(2, 5, 4, 3, 1, 1), pool(3, 5, 4, 2, None), flatten(3, 2, 2), Tanh, linear(12, 2)],
    ];
    let x = normals(4 * 40);
    stacks.into_iter().for_each(|layers| check(layers, (&x).into(), &[0, 1, 1, 0]));
}

#[test]
fn recurrent_layers_descend_the_numeric_gradient() {
    let stacks: [&[LayerConfig]; 3] = [
        &[lstm(3, 2, false)],
        &[lstm(3, 4, false), linear(4, 2)],
        &[lstm(3, 4, false), LayerConfig::Tanh, lstm(4, 3, false), linear(3, 2)],
    ];
    let (x, codes) = (normals(4 * 5 * 3), [0, 1, 2, 2, 1, 0, 0, 2, 1, 1, 2, 0, 1, 0, 2, 2, 2, 0, 1, 1]);
    let classes = [0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1];
    for layers in stacks {
        check(layers, Examples { inputs: Inputs::Values(&x), time_steps: 5 }, &classes);
        check(layers, Examples::codes(&codes, 5), &classes);
    }
}

/// Two sequences, one carried over from the other, are one of twice the length, in training and in evaluation.
#[test]
fn what_is_carried_makes_one_sequence_of_two() {
    let (x, workers) = (normals(2 * 6 * 3), Workers::default());
    let classes = [0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1];
    let run = |carry, time_steps, orders: [&[u32]; 2]| {
        let mut network = network(&[lstm(3, 4, carry), lstm(4, 2, carry)], 0.0);
        let (x, targets) = (Examples { inputs: Inputs::Values(&x), time_steps }, Targets::Classes(&classes));
        let mut progress = [0.0; 2];
        for (order, loss) in orders.into_iter().zip(&mut progress) {
            *loss = network
                .train(x, targets, TrainOptions { order: Some(order), ..batch(1) }, &workers)
                .expect("fits")
                .loss;
        }
        (progress, network.evaluate(x, targets, 0, &workers).expect("fits").loss)
    };
    let (whole, evaluated) = run(false, 12, [&[0], &[]]);
    let (halves, evaluated_halves) = run(true, 6, [&[0], &[1]]);
    let (apart, evaluated_apart) = run(false, 6, [&[0], &[1]]);
    assert!((whole[0] - halves[0] - halves[1]).abs() < 1e-5);
    assert!((whole[0] - evaluated).abs() < 1e-5 && (evaluated - evaluated_halves).abs() < 1e-5);
    assert_eq!(halves[0], apart[0]);
    assert!((halves[1] - apart[1]).abs() > 1e-3 && (evaluated_apart - evaluated).abs() > 1e-3);
}

/// With one unit whose δ exceeds the limit at every step, the limit is what the array learns from.
#[test]
fn clipping_limits_what_gates_learn_from() {
    let layer = |clip| LayerConfig::from(LstmConfig { clip, ..LstmConfig::new(1, 2) });
    let moved = |clip: f64| {
        let mut network = network(&[layer(clip)], LR);
        let before = network.rules().next().expect("one").weights().expect("weights");
        let x = Examples { inputs: Inputs::Values(&[1.0]), time_steps: 1 };
        network.train(x, Targets::Classes(&[1]), batch(1), &Workers::default()).expect("fits");
        let after = network.rules().next().expect("one").weights().expect("weights");
        before.iter().zip(&after).map(|(b, a)| (b - a) / LR).collect::<Vec<f32>>()
    };
    let (free, clipped) = (moved(0.0), moved(0.01));
    for (free, clipped) in free.iter().zip(clipped) {
        assert!((clipped - free.clamp(-0.01, 0.01)).abs() < 1e-6, "{free} {clipped}");
    }
    assert!(free.iter().any(|g| g.abs() > 0.02));
}

/// Where one layer carries and another does not, evaluation starts the other from 0 as training does.
#[test]
fn only_layers_that_carry_carry_in_evaluation() {
    let workers = Workers::default();
    let codes: Vec<u32> = (0..40).map(|k| k * k % 3).collect();
    let (x, targets) = (Examples::codes(&codes, 2), Targets::Classes(&codes));
    let layers = [lstm(3, 4, false), lstm(4, 3, true)];
    let mut network = network(&layers, 0.0);
    let trained = network.train(x, targets, batch(1), &workers).expect("fits").loss;
    let evaluated = network.evaluate(x, targets, 0, &workers).expect("fits").loss;
    assert!((trained - evaluated).abs() < 1e-4, "{trained} {evaluated}");
}

#[test]
fn a_smaller_mini_batch_goes_on_at_its_places() {
    let workers = Workers::default();
    let codes: Vec<u32> = (0..18).map(|k| k * k % 3).collect();
    let (x, targets) = (Examples::codes(&codes, 3), Targets::Classes(&codes));
    let mut network = network(&[lstm(3, 3, true)], 0.0);
    let loss = |network: &mut Network, order: &[u32]| {
        network.train(x, targets, TrainOptions { order: Some(order), ..batch(2) }, &workers).expect("fits").loss
    };
    loss(&mut network, &[0, 3]);
    let on = loss(&mut network, &[1]);
    network.reset();
    loss(&mut network, &[0]);
    assert_eq!(on, loss(&mut network, &[1]));
}
