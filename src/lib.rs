//! tikitaka
pub mod average;
pub mod crossbar;
pub mod device;
pub mod error;
pub mod ledger;
pub mod network;
#[cfg(feature = "python")]
mod python;
pub mod random;
pub mod rule;
pub mod simd;
mod workers;
pub use error::{Error, Result};
pub use workers::Workers;
