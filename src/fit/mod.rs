//! The likelihood of measured pulses: a Kalman filter whose state is the weight of a device.
//!
//! A pulse of sign s moves the state x by s·f_s(x) + q ξ, and a read is x + σ_r ε; ξ and ε are standard normal. The
//! filter is exact for steps on a straight line with additive noise. For other steps it is the extended filter, with
//! F = 1 + s f′. Kalman, J. Basic Eng. 82:35 (1960); Rauch, Tung & Striebel, AIAA J. 3:1445 (1965) for the smoother.

mod filter;
mod number;
mod response;

pub use filter::{Likelihood, Model, Reads, States, likelihood, states};
pub use response::Shape;
