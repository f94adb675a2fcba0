//! Steps that are linear in the weight: the response of soft bounds, constant steps, linear steps and NeuroSim's devices.

use super::compact::{CompactPoint, Constants, ShapedPoint};
use super::step::{Directed, Response};
use super::variation::Point;
use std::fmt::Debug;
use std::marker::PhantomData;

/// Steps that are linear in the weight.
#[derive(Clone, Copy, Debug)]
pub struct LinearResponse<S>(PhantomData<S>);

impl<S> LinearResponse<S> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The slope of a linear step relative to its bound.
pub trait Slope: Debug + Clone + Copy + Send + Sync + 'static {
    /// How an array keeps the constants of such devices.
    type Constants: Constants;

    /// γ/b.
    fn per_weight(device: &Directed) -> f32;
}

/// γ = 1.
#[derive(Clone, Copy, Debug)]
pub struct SoftSlope;

impl Slope for SoftSlope {
    type Constants = CompactPoint;

    #[inline(always)]
    fn per_weight(device: &Directed) -> f32 {
        1.0 / device.bound
    }
}

/// γ = 0.
#[derive(Clone, Copy, Debug)]
pub struct NoSlope;

impl Slope for NoSlope {
    type Constants = CompactPoint;

    #[inline(always)]
    fn per_weight(_device: &Directed) -> f32 {
        0.0
    }
}

/// γ of each device, its shape.
#[derive(Clone, Copy, Debug)]
pub struct FreeSlope;

impl Slope for FreeSlope {
    type Constants = ShapedPoint;

    #[inline(always)]
    fn per_weight(device: &Directed) -> f32 {
        device.shape / device.bound
    }
}

impl<S: Slope> Response for LinearResponse<S> {
    type Constants = S::Constants;

    const COMPILED_PER_FORM: bool = true;

    /// Slopes at most 1, where the step ends at the bound, and at least b₊/b₋ upwards (b₋/b₊ downwards), where it ends at
    /// the other one.
    fn limited(&self, point: Point) -> Point {
        let [lower, upper] = point.bound;
        let [down, up] = point.shape;
        Point { shape: [down.clamp(lower / upper, 1.0), up.clamp(upper / lower, 1.0)], ..point }
    }

    #[inline(always)]
    fn prepare(&self, device: &Directed) -> f32 {
        S::per_weight(device)
    }

    /// The linear step of aihwkit, with the slope γ relative to the bound:
    ///
    /// ```text
    /// up:    Δw = α₊ (1 − γ₊ w/b₊)
    /// down:  Δw = −α₋ (1 − γ₋ w/b₋)
    /// ```
    ///
    /// γ = 1 are soft bounds (R24 eq. 4), γ = 0 constant steps (GV16); with γ < 0 steps grow towards the bound.
    #[inline(always)]
    fn share(&self, device: &Directed, w: f32) -> f32 {
        1.0 - device.prepared * w
    }

    /// w* = (α₊ − α₋) / (α₊γ₊/b₊ − α₋γ₋/b₋), R24 eq. (8) with slopes. Where the steps cancel nowhere within the bounds, a
    /// device rests at the bound of its stronger direction, and at 0 if they are equal everywhere.
    fn symmetry_point(&self, point: &Point) -> f32 {
        let [down, up] = point.step;
        let [lower, upper] = point.bound;
        let slope = up * point.shape[1] / upper - down * point.shape[0] / lower;
        let w = (up - down) / slope;
        if (lower..=upper).contains(&w) {
            w
        } else if up == down && slope == 0.0 {
            0.0
        } else if up - down > slope * 0.5 * (lower + upper) {
            upper
        } else {
            lower
        }
    }
}
