//! Networks: layers in a row, those with weights each with a rule of its own and its arrays.

mod data;
mod evaluate;
mod initial;
pub mod layer;
mod loss;
mod sample;
mod sequential;
mod shape;
mod state;
mod step;
mod train;
mod tuning;

pub use crate::rule::Initial;
pub use data::{Examples, Inputs};
pub use layer::built_in::*;
pub use layer::{LayerConfig, Memory};
pub use loss::{Loss, Targets};
pub use sequential::{Network, NetworkBuilder};
pub use shape::Shape;
pub use state::NetworkState;
pub use train::{Progress, TrainOptions};
