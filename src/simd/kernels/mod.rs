//! The kernels, over fixed lanes: each sum has one order, whatever the vector width.

mod images;
mod products;
mod streams;
mod turned;
mod vectors;

pub(super) use images::*;
pub(super) use products::*;
pub(super) use streams::*;
pub(super) use turned::*;
pub(super) use vectors::*;
