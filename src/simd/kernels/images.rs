//! Images: their patches, and the largest values in their windows.

use crate::simd::{LANES, Patches};

/// `W` values, or as many as there is room for.
#[inline(always)]
fn copy<const W: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<W>(), to.first_chunk_mut::<W>()) {
        *to = *from;
    } else {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

#[inline(always)]
pub(in crate::simd) fn unfold(image: &[f32], sizes: &Patches, first: usize, each: usize, patches: &mut [f32]) {
    if sizes.piece < LANES {
        unfold_by::<{ LANES / 2 }>(image, sizes, first, each, patches);
    } else {
        unfold_by::<LANES>(image, sizes, first, each, patches);
    }
}

/// `unfold`, `W` values at a time.
#[inline(always)]
fn unfold_by<const W: usize>(image: &[f32], sizes: &Patches, first: usize, each: usize, patches: &mut [f32]) {
    let (piece, values) = (sizes.piece, sizes.piece * sizes.pieces);
    let mut corners = sizes.corners(first);
    for at in (0..patches.len()).step_by(each) {
        let corner = corners.next();
        for done in (0..piece).step_by(W) {
            // The last of a piece are copied once more with those before them. A piece shorter than `W` brings what is
            // behind it, which the next piece overwrites, or the ones, or the next patch.
            let done = done.min(piece.saturating_sub(W));
            for k in 0..sizes.pieces {
                copy::<W>(&image[corner + k * sizes.row + done..], &mut patches[at + k * piece + done..]);
            }
        }
        patches[at + values..at + each].iter_mut().for_each(|one| *one = 1.0);
    }
}

#[inline(always)]
pub(in crate::simd) fn fold(patches: &[f32], sizes: &Patches, first: usize, each: usize, image: &mut [f32]) {
    let mut corners = sizes.corners(first);
    for patch in patches.chunks_exact(each) {
        let corner = corners.next();
        for (k, piece) in patch.chunks_exact(sizes.piece).take(sizes.pieces).enumerate() {
            for (d, z) in image[corner + k * sizes.row..][..sizes.piece].iter_mut().zip(piece) {
                *d += z;
            }
        }
    }
}

/// Windows of `kernel` × `kernel` pixels of `c` values, each `step` pixels from the one before, `across` in a row; an
/// image has `width` pixels in a row.
#[inline(always)]
pub(in crate::simd) fn largest(
    image: &[f32],
    [c, width, kernel, step, across]: [usize; 5],
    y: &mut [f32],
    winners: &mut [u32],
) {
    for (window, (y, winners)) in y.chunks_exact_mut(c).zip(winners.chunks_exact_mut(c)).enumerate() {
        let first = (window / across * step * width + window % across * step) * c;
        y.copy_from_slice(&image[first..first + c]);
        for (channel, winner) in winners.iter_mut().enumerate() {
            *winner = (first + channel) as u32;
        }
        for k in 1..kernel * kernel {
            let at = first + (k / kernel * width + k % kernel) * c;
            let pixel = &image[at..at + c];
            for channel in 0..c {
                let v = pixel[channel];
                // What is not a number wins, as it would in a sum.
                let take = v > y[channel] || v.is_nan();
                y[channel] = if take { v } else { y[channel] };
                winners[channel] = if take { (at + channel) as u32 } else { winners[channel] };
            }
        }
    }
}
