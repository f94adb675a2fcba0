//! The kernels, over fixed lanes: each sum has one order, whatever the vector width.

mod products;
mod streams;
mod vectors;

pub(super) use products::*;
pub(super) use streams::*;
pub(super) use vectors::*;
