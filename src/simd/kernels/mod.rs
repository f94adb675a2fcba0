//! The kernels, over fixed lanes: each sum has one order, whatever the vector width.

mod dot;
mod elementwise;
mod gemm;
mod gemv;
mod ger;
mod ger_sparse;
mod im2col;
mod max_pool;
mod philox;
mod transpose;

pub(super) use dot::Dots;
pub(super) use elementwise::*;
pub(crate) use elementwise::{Below, MaxAbs, Nonzero, beyond, quantise, thresholds};
pub(super) use gemm::Gemm;
pub(super) use gemv::{gemv, gemv_at};
pub(super) use ger::{GerBatch, ger};
pub(super) use ger_sparse::GerSparse;
pub(super) use im2col::{col2im, im2col};
pub(super) use max_pool::max_pool;
pub(crate) use philox::{Numbers, Scattered, ScatteredNumbers};
pub(super) use transpose::Transpose;
