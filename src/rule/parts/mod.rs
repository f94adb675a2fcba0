//! The parts that rules with fast arrays are made of. A rule says which it has and their numbers; the engine in
//! [`transfer`](super::transfer) runs them.
//!
//! | part | what it is |
//! |---|---|
//! | [`visible`] | the weights that the network sees: C and shares of the fast arrays |
//! | [`chopper`] | signs of the lines of a fast array, which flip now and then |
//! | [`tracker`] | the running mean of what a fast array is read as, which serves as its reference |
//! | [`filter`] | the digital filter H |
//! | [`averages`] | averages over iterates |
//! | [`schedule`] | when which line is read |
//! | [`rates`] | the rates of the gradient and of the transfer |
//! | [`signals`] | the size of the signals, from which rates can be set |
//! | [`response`] | how much of what a fast array holds is transferred where signs flip |

pub(super) mod averages;
pub(super) mod chopper;
pub(super) mod filter;
pub(super) mod rates;
pub(super) mod response;
pub(super) mod schedule;
pub(super) mod signals;
pub(super) mod tracker;
pub(super) mod visible;

pub use chopper::Chopping;
pub use filter::AfterPulse;
pub use rates::LearningRates;
pub use schedule::{ReadVectors, TransferLine, TransferUnit};
