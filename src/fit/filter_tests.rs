use super::*;

const LINE: [f64; 6] = [0.03, 0.02, -1.0, 0.8, 0.01, 0.04];

fn data() -> (Vec<f64>, Vec<i8>, Vec<usize>) {
    let values = (0..60).map(|k| if k == 17 { f64::NAN } else { 0.3 * (0.37 * f64::from(k)).sin() }).collect();
    let signs = (0..60).map(|k| [1, 1, -1, 0, 1, -1][k % 6]).collect();
    (values, signs, vec![0, 13, 41])
}

fn nll(shape: Shape, multiplicative: bool, parameters: &[f64]) -> f64 {
    let (values, signs, starts) = data();
    let reads = Reads { values: &values, signs: &signs, starts: &starts };
    let model = Model { shape, multiplicative, parameters };
    likelihood(&model, &reads, false, &Workers::default()).expect("valid").values.iter().sum()
}

#[test]
fn gradients_are_the_numeric_ones() {
    let table: Vec<f64> = (0..12).map(|k| 0.01 + 0.002 * f64::from(k)).chain([0.01, 0.04]).collect();
    let cases: [(Shape, &[f64]); 5] = [
        (Shape::Constant, &[0.03, 0.02, 0.01, 0.04]),
        (Shape::Linear, &LINE),
        (Shape::Power, &[0.03, 0.02, 0.9, -0.8, 1.4, 0.7, 0.01, 0.04]),
        (Shape::Exponential, &[0.03, 0.02, -0.7, 0.6, 1.3, -0.9, 0.01, 0.04]),
        (Shape::Table, &table),
    ];
    let (values, signs, starts) = data();
    let reads = Reads { values: &values, signs: &signs, starts: &starts };
    for (shape, parameters) in cases {
        for multiplicative in [false, true] {
            let model = Model { shape, multiplicative, parameters };
            let found = likelihood(&model, &reads, true, &Workers::default()).expect("valid");
            assert!((found.values.iter().sum::<f64>() - nll(shape, multiplicative, parameters)).abs() < 1e-9);
            for k in 0..parameters.len() {
                let moved = |by: f64| {
                    let mut moved = parameters.to_vec();
                    moved[k] += by;
                    nll(shape, multiplicative, &moved)
                };
                let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                let exact: f64 = found.gradient.chunks(parameters.len()).map(|each| each[k]).sum();
                assert!((exact - numeric).abs() < 1e-4 * (1.0 + numeric.abs()), "{shape:?} {k}: {exact} {numeric}");
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let (values, signs, _) = data();
    let (values, signs) = (values.repeat(100), signs.repeat(100));
    let starts: Vec<usize> = (0..600).map(|k| 10 * k).collect();
    let reads = Reads { values: &values, signs: &signs, starts: &starts };
    let model = Model { shape: Shape::Linear, multiplicative: false, parameters: &LINE };
    let one = likelihood(&model, &reads, true, &Workers::default()).expect("valid");
    assert_eq!(one, likelihood(&model, &reads, true, &Workers::new(3).expect("few")).expect("valid"));
}

/// Without read noise every read is the state: the likelihood is that of independent increments.
#[test]
fn without_read_noise_increments_are_independent() {
    let (values, signs, starts) = ([0.1, 0.13, 0.2, 0.18], [0, 1, 1, -1], [0]);
    let model = Model { shape: Shape::Constant, multiplicative: false, parameters: &[0.05, 0.03, 0.02, 0.0] };
    let reads = Reads { values: &values, signs: &signs, starts: &starts };
    let found = likelihood(&model, &reads, false, &Workers::default()).expect("valid").values[0];
    let by_hand: f64 = [0.03 - 0.05, 0.07 - 0.05, -0.02 + 0.03]
        .map(|e: f64| 0.5 * (2.0 * 0.02f64.ln() + (e / 0.02).powi(2)))
        .iter()
        .sum();
    assert!((found - by_hand).abs() < 1e-12);
}

/// With read noise alone and no steps, reads are independent around a constant of unknown value.
#[test]
fn pure_read_noise_gives_the_variance_around_the_mean() {
    let (values, signs) = ([0.1, 0.3, -0.2, 0.25, 0.0], [0, 1, -1, 0, 1]);
    let model = Model { shape: Shape::Constant, multiplicative: false, parameters: &[0.0, 0.0, 0.0, 0.2] };
    let reads = Reads { values: &values, signs: &signs, starts: &[0] };
    let found = likelihood(&model, &reads, false, &Workers::default()).expect("valid").values[0];
    let mean = values.iter().sum::<f64>() / 5.0;
    let squares: f64 = values.iter().map(|y| (y - mean).powi(2)).sum();
    let by_hand = 0.5 * squares / 0.04 + 4.0 * 0.2f64.ln() + 0.5 * 5f64.ln();
    assert!((found - by_hand).abs() < 1e-12, "{found} {by_hand}");
}

/// The variance of a random walk that is read settles at P⁻ = (q² + √(q⁴ + 4q²σ_r²))/2.
#[test]
fn the_steady_state_is_that_of_a_random_walk() {
    let values = vec![0.0; 400];
    let model = Model { shape: Shape::Constant, multiplicative: false, parameters: &[0.0, 0.0, 0.1, 0.3] };
    let reads = Reads { values: &values, signs: &vec![1; 400], starts: &[0] };
    let found = states(&model, &reads).expect("valid");
    let (q, r) = (0.01f64, 0.09);
    let predicted = (q + (q * q + 4.0 * q * r).sqrt()) / 2.0;
    assert!((found.variances[399] - predicted - r).abs() < 1e-12);
    // In the middle, the smoother knows what the filters from both ends know.
    let filtered = predicted * r / (predicted + r);
    let both = 1.0 / (1.0 / filtered + 1.0 / predicted);
    assert!((found.smoothed_variances[200] - both).abs() < 1e-12);
}

#[test]
fn what_is_wrong_is_named() {
    let reads = Reads { values: &[0.0, 0.1], signs: &[0, 1], starts: &[0] };
    let words = |shape, parameters: &[f64], reads: &Reads<'_>| {
        likelihood(&Model { shape, multiplicative: false, parameters }, reads, false, &Workers::default())
            .expect_err("refused")
            .to_string()
    };
    assert!(words(Shape::Linear, &[0.1, 0.1, 0.1], &reads).starts_with("parameters must have 4"));
    assert!(words(Shape::Constant, &[0.1, 0.1, -1.0, 0.1], &reads).starts_with("pulse noise must be"));
    assert!(words(Shape::Constant, &[f64::NAN, 0.1, 1.0, 0.1], &reads).starts_with("parameters must be finite"));
    let ends = Reads { starts: &[0, 2], ..reads };
    assert!(words(Shape::Constant, &[0.1, 0.1, 1.0, 0.1], &ends).starts_with("starts must rise"));
}
