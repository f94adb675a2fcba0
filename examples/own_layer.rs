//! A layer of your own: average pooling, which the crate does not have, between built-in layers.
//!
//! cargo run --release --example own_layer

#![allow(clippy::print_stdout)]

use tikitaka::network::layer::{Layer, LayerInput, Part};
use tikitaka::network::{LayerConfig, Network, Shape, Targets, TrainOptions};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{DigitalSgd, RuleConfig};
use tikitaka::{Error, Result, Workers};

/// The mean of each channel in windows of `kernel` × `kernel` pixels, side by side, over images of any size.
#[derive(Clone, Debug)]
struct AveragePool {
    height: usize,
    width: usize,
    channels: usize,
    kernel: usize,
}

impl AveragePool {
    /// Adds up what `add` does with every value of an input image and of the output image that it belongs to.
    fn each(&self, mut add: impl FnMut(usize, usize)) {
        let (k, across) = (self.kernel, self.width / self.kernel);
        for (row, column) in (0..self.height).flat_map(|row| (0..self.width).map(move |column| (row, column))) {
            for channel in 0..self.channels {
                let input = (row * self.width + column) * self.channels + channel;
                add(input, (row / k * across + column / k) * self.channels + channel);
            }
        }
    }
}

impl Layer for AveragePool {
    fn validate(&self) -> Result<()> {
        if self.kernel == 0 || !self.height.is_multiple_of(self.kernel) || !self.width.is_multiple_of(self.kernel) {
            return Err(Error::Conflict(format!("the kernel must divide the image, not be {}", self.kernel)));
        }
        Ok(())
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        let (height, width) = (self.height / self.kernel, self.width / self.kernel);
        (Shape::Image(self.height, self.width, self.channels), Shape::Image(height, width, self.channels))
    }

    fn forward(&self, x: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
        let (images, share) = (part.batch.vectors(), 1.0 / (self.kernel * self.kernel) as f32);
        let (n, m) = (x.values().len() / images, y.len() / images);
        for (x, y) in x.values().chunks_exact(n).zip(y.chunks_exact_mut(m)) {
            y.fill(0.0);
            self.each(|input, output| y[output] += share * x[input]);
        }
        Ok(())
    }

    fn backward(&self, _y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
        let Some(dx) = dx else { return Ok(()) };
        let (images, share) = (part.batch.vectors(), 1.0 / (self.kernel * self.kernel) as f32);
        let (n, m) = (dx.len() / images, dy.len() / images);
        for (dy, dx) in dy.chunks_exact(m).zip(dx.chunks_exact_mut(n)) {
            self.each(|input, output| dx[input] = share * dy[output]);
        }
        Ok(())
    }
}

const EXAMPLES: usize = 200;

fn network() -> Result<Network> {
    Network::builder()
        .layer(LayerConfig::conv2d((8, 8, 1), 4, 3))
        .layer(LayerConfig::Tanh)
        .layer(AveragePool { height: 6, width: 6, channels: 4, kernel: 3 })
        .layer(LayerConfig::flatten((2, 2, 4)))
        .layer(LayerConfig::linear(16, 2))
        .seed(1)
        .build(&RuleConfig::DigitalSgd(DigitalSgd { lr: 0.3 }))
}

/// Noisy images, and in which half of each there is more light.
fn data() -> (Vec<f32>, Vec<u32>) {
    let mut x = vec![0.0; EXAMPLES * 64];
    Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut x);
    let sum = |pixels: &[f32]| pixels.iter().sum::<f32>();
    let classes = x.chunks(64).map(|x| u32::from(sum(&x[..32]) > sum(&x[32..]))).collect();
    (x, classes)
}

/// Wrong classes after so many epochs, and the weights.
fn train(epochs: u32, threads: usize) -> Result<(u64, Vec<Vec<f32>>)> {
    let ((x, classes), workers, mut network) = (data(), Workers::new(threads)?, network()?);
    let options = TrainOptions { batch: 100, ..TrainOptions::default() };
    for _ in 0..epochs {
        network.train(&x, Targets::Classes(&classes), options, &workers)?;
    }
    Ok((network.evaluate(&x, Targets::Classes(&classes), 0, &workers)?.errors, network.weights()?))
}

fn main() -> Result<()> {
    println!("{} of {EXAMPLES} wrong", train(300, 2)?.0);
    Ok(())
}

#[test]
fn learns_with_average_pooling_on_any_number_of_threads() {
    let trained = train(300, 1).expect("valid settings");
    assert!(trained.0 < 40, "{} wrong, where guessing has 100", trained.0);
    assert_eq!(trained, train(300, 2).expect("valid settings"));
}

/// The weights of the convolution below, from the gradient and from differences of the loss.
#[test]
fn the_gradient_passes_through() {
    let ((x, classes), workers) = (data(), Workers::default());
    let before = network().expect("valid settings").weights().expect("float");
    let loss = |shift: f32| {
        let (mut network, mut weights) = (network().expect("valid settings"), before.clone());
        weights[0][7] += shift;
        network.set_weights(&weights).expect("as many");
        network.evaluate(&x, Targets::Classes(&classes), 0, &workers).expect("valid data").loss / EXAMPLES as f64
    };
    let mut trained = network().expect("valid settings");
    let options = TrainOptions { batch: EXAMPLES, ..TrainOptions::default() };
    trained.train(&x, Targets::Classes(&classes), options, &workers).expect("valid data");
    let step = f64::from(before[0][7] - trained.weights().expect("float")[0][7]) / 0.3;
    let numeric = (loss(1e-2) - loss(-1e-2)) / 2e-2;
    assert!((step - numeric).abs() < 1e-5 && numeric.abs() > 1e-3, "{step} {numeric}");
}
