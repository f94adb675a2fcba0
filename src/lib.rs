//! Simulates resistive crossbar arrays, and trains neural networks on them.
//!
//! Crossbars multiply matrices and apply gradient updates in place, in one step; their devices have
//! few states, uneven and noisy steps, and noisy reads. This crate holds the device models, the
//! parallel noisy operations of an array, and the training rules up to TTv2 (T. Gokmen, "Enabling
//! Training of Neural Networks on Noisy Hardware", Front. Artif. Intell. 4:699148, 2021).
//!
//! ```
//! use tikitaka::network::{LayerConfig, Loss, Network, Targets, TrainOptions};
//! use tikitaka::rule::{RuleConfig, Ttv2};
//! use tikitaka::Workers;
//!
//! # fn main() -> tikitaka::Result<()> {
//! let layers = [LayerConfig::linear(2, 8), LayerConfig::Tanh, LayerConfig::linear(8, 2)];
//! let rule = RuleConfig::Ttv2(Ttv2 { lr: 0.1, ..Ttv2::default() });
//! let mut network = Network::new(&layers, &rule, Loss::CrossEntropy, 1)?;
//!
//! let x = [0.9, 0.1, 0.2, 0.8];
//! let classes = [0, 1];
//! let order: Vec<u32> = (0..2000).map(|k| k % 2).collect();
//! let options = TrainOptions { order: Some(&order), ..TrainOptions::default() };
//! network.train(&x, Targets::Classes(&classes), options, &Workers::default())?;
//! let result = network.evaluate(&x, Targets::Classes(&classes), 0, &Workers::default())?;
//! assert_eq!(result.errors, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Equations
//!
//! | equation | function | test |
//! |---|---|---|
//! | device-to-device variation, R24 eqs. (5), (6) | `Independent::sample` | `spreads_of_r24` |
//! | joint spreads of devices | `Joint::sample` | `joint_spreads_have_their_covariance` |
//! | soft-bounds, constant and linear step, R24 eq. (4), GV16 | `LinearResponse::share` | `trajectories_in_closed_form` |
//! | symmetry point, R24 eq. (8) | `LinearResponse::symmetry_point` | `up_and_down_cancel_at_the_symmetry_point` |
//! | power step, Fusi & Abbott 2007 | `PowerResponse::share` | `symmetry_point_in_closed_form` |
//! | exponential step, Gong et al. 2018 | `ExponentialResponse::share` | `test_pulses_and_symmetry_points` |
//! | step from a table | `Tables::at` | `the_default_table_is_soft_bounds` |
//! | distribution of steps from a table | `Quantiles::at` | `noise_has_the_stated_moments` |
//! | NeuroSim's curve, Chen et al. 2018 | `Nonlinearity::line_of` | `trajectories_are_those_of_neurosim` |
//! | one-sided pairs, Nandakumar et al. 2020 | `PairPart::pulse`, `Crossbar::rewrite_column` | `pairs_by_hand`, `tests/exact/test_pairs.py` |
//! | zero-shifting, Kim et al. 2019 | `Crossbar::zero_shift` | `test_zero_shifting_finds_the_symmetry_point_up_to_a_step` |
//! | noisy product, GV16 | `Products::convert` | `test_products_through_the_periphery` |
//! | converters, GV16 | `Converter::apply` | `levels_by_hand` |
//! | resistance of wires, first order, as aihwkit | `Wires::apply` | `test_products_are_those_of_the_network_of_resistors` |
//! | gains and offsets of converters | `Readout::distort` | `test_each_converter_has_a_gain_and_an_offset` |
//! | noise of devices in products | `Readout::spread` | `test_noise_of_devices_is_proportional_to_their_weights` |
//! | inputs bit by bit, as in ISAAC | `Products::convert_bits` | `test_each_bit_goes_through_the_converter` |
//! | stuck and worn devices | `FaultPart::after_update` | `test_no_pulse_moves_a_stuck_device` |
//! | relaxation and diffusion, Ornstein and Uhlenbeck 1930 | `Crossbar::relax` | `test_diffusion` |
//! | write noise, as aihwkit | `Faults::written` | `test_write_noise_does_not_add_up` |
//! | tiles | `TiledRule::multiply` | `test_each_tile_is_an_array_of_its_own` |
//! | pulse trains, GV16 | `PulseTrains::plan` | `the_mean_update_is_lr_times_the_product` |
//! | pulsed update, GV16 | `Crossbar::pulsed_updates` | `test_mean_and_variance_of_updates` |
//! | TTv1, GH20 | `Stage::write` | `test_training_step_for_step` |
//! | TTv2, R24 eq. (10) | `Filter::add` | `test_training_step_for_step` |
//! | signs of lines, R24 eq. (11) | `Chopper::after_read` | `test_errors_of_the_reference_cancel_below_the_bound` |
//! | tracked reference, R24 eqs. (12), (13), X26 | `Tracker::take` | `test_agad_by_hand` |
//! | leak of H, W25 | `Filter::add` | `leaks_by_hand` |
//! | shares of arrays, W25, X26, L25 | `View::add_product` | `test_e_rider_sees_chopped_differences` |
//! | mixed precision, Nandakumar et al. 2020 | `MixedPrecisionRule::transfer` | `test_mixed_precision_by_hand` |
//! | automatic rates | `rates::automatic_transfer_rate` | `automatic_rates_by_hand` |
//! | signal of A behind signs that flip | `Response::of` | `steady_gradients_arrive_as_much_as_said` |
//! | learning rates, R24 | `rates::fast_rate` | `rates_by_hand` |
//! | running average of reads | `LineAverage::add` | `by_hand` |
//! | convolution, each patch a sample | `Conv2dConfig::pieces` | `convolutions_descend_the_numeric_gradient` |
//! | LSTM step, Hochreiter & Schmidhuber 1997, Gers et al. 2000 | `lstm::step` | `a_step_by_hand` |
//! | its gradient through time | `lstm::step_back` | `recurrent_layers_descend_the_numeric_gradient` |
//! | step of a measured device by shape, Fusi & Abbott 2007 and others | `response::step` | `steps_by_hand` |
//! | likelihood of measured pulses, Kalman 1960 | `filter::filter` | `test_the_filter_equals_its_twin` |
//! | smoothed states, Rauch et al. 1965 | `filter::states` | `test_smoothed_states_are_those_of_the_whole_covariance` |
//!
//! R24: Rasch et al., Nat. Commun. 15:7133 (2024). GV16: Gokmen & Vlasov, Front. Neurosci. 10:333
//! (2016). GH20: Gokmen & Haensch, Front. Neurosci. 14:103 (2020). PAT: US patents 12,321,852 and
//! 11,562,249 (PAT1). X26: Xiao et al., arXiv 2602.21321.
//!
//! # Settings
//!
//! Settings are plain structs with public fields and a `Default`, and fields may be added in any version: write
//! `..Default::default()` after those you set. That keeps every field visible in one literal and checked when it is
//! compiled, where builders would need a method per field, and `#[non_exhaustive]` would forbid such literals.
//!
//! ```
//! use tikitaka::device::SoftBounds;
//!
//! let device = SoftBounds { states: Some(50.0), ..Default::default() };
//! assert_eq!(device.bound, 0.6);
//! ```
//!
//! # Your own devices, effects and rules
//!
//! A device model implements [`device::Device`], or only [`device::Response`] if its devices have a step and a bound in
//! each direction; every array, rule and network then runs on it: see `examples/own_device.rs`. What changes products,
//! such as the resistance of wires, implements [`crossbar::ProductEffect`]. A training rule implements [`rule::Rule`] over
//! [`crossbar::Array`]s: see `examples/own_rule.rs`. A layer implements
//! [`network::layer::Layer`]: see `examples/own_layer.rs`.

pub mod average;
mod boxed;
mod check;
pub mod crossbar;
pub mod device;
pub mod error;
pub mod fit;
pub mod kinds;
pub mod ledger;
pub mod network;
mod origin;
#[cfg(feature = "python")]
mod python;
pub mod random;
pub mod rule;
pub mod settings;
mod shown;
pub mod simd;
pub mod tensors;
mod threads;

pub use error::{Error, Result};
pub use origin::Origin;
pub use threads::Workers;
