//! The kernels, over fixed lanes: each sum has one order, whatever the vector width.

mod images;
mod products;
mod streams;
mod turned;
mod vectors;

pub(super) use images::*;
pub(super) use products::*;
pub(crate) use streams::{HeadNormals, HeadWords, Heads, Normals, Words};
pub(super) use turned::*;
pub(super) use vectors::*;
pub(crate) use vectors::{Below, MaxAbs, Nonzero, thresholds};
