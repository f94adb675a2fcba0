//! One step of the float rule descends the gradient of the loss, as central differences give it, for every
//! way of stacking stages and at any batch.

use tikitaka::Workers;
use tikitaka::network::{LayerConfig, LinearConfig, Loss, Network, Targets};
use tikitaka::rule::{Float, RuleConfig};

const LR: f32 = 0.5;

fn network(layers: &[LayerConfig]) -> Network {
    Network::new(layers, &RuleConfig::Float(Float { lr: f64::from(LR) }), Loss::CrossEntropy, 3).expect("valid layers")
}

fn linear(inputs: usize, outputs: usize) -> LayerConfig {
    LayerConfig::Linear(LinearConfig { inputs, outputs, bias: true, scale: 1.0 })
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
    let (x, classes) = ([0.3, -0.2, 0.9, 0.0, 0.7, -0.5, 0.1, 0.4, 0.8, -0.9, 0.2, 0.6], [0, 1, 1, 0]);
    let (targets, workers) = (Targets::Classes(&classes), Workers::default());
    for layers in stacks {
        let mut trained = network(layers);
        // Twice, so that the second step meets buffers that were used.
        for _ in 0..2 {
            let before: Vec<Vec<f32>> =
                trained.linear_layers().map(|layer| layer.rule().weights().expect("weights")).collect();
            trained.train(&x, targets, &[0, 1, 2, 3], 4, 1.0, &workers).expect("data that fit");
            for (k, layer) in trained.linear_layers().enumerate() {
                for (i, after) in layer.rule().weights().expect("weights").into_iter().enumerate() {
                    let loss = |shift: f32| {
                        let mut moved = network(layers);
                        for (l, (layer, weights)) in moved.linear_layers_mut().zip(&before).enumerate() {
                            let mut weights = weights.clone();
                            if l == k {
                                weights[i] += shift;
                            }
                            layer.rule_mut().set_weights(&weights).expect("as many weights");
                        }
                        moved.evaluate(&x, targets, 0, &workers).expect("data that fit").loss / 4.0
                    };
                    let numeric = (loss(2e-3) - loss(-2e-3)) / 4e-3;
                    let step = f64::from((before[k][i] - after) / LR);
                    assert!((step - numeric).abs() < 2e-4, "{layers:?}, layer {k}, weight {i}: {step} {numeric}");
                }
            }
        }
    }
}
