//! The patches of an image as rows of a matrix, and back.

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
pub(in crate::simd) fn im2col(image: &[f32], sizes: &Patches, first: usize, each: usize, patches: &mut [f32]) {
    if sizes.piece < LANES {
        im2col_by::<{ LANES / 2 }>(image, sizes, first, each, patches);
    } else {
        im2col_by::<LANES>(image, sizes, first, each, patches);
    }
}

/// `im2col`, `W` values at a time.
#[inline(always)]
fn im2col_by<const W: usize>(image: &[f32], sizes: &Patches, first: usize, each: usize, patches: &mut [f32]) {
    let (piece, values) = (sizes.piece, sizes.piece * sizes.pieces);
    let mut corners = sizes.corners(first);
    for at in (0..patches.len()).step_by(each) {
        let corner = corners.next();
        for done in (0..piece).step_by(W) {
            // The last values of a piece are copied once more with those before them. A piece shorter than `W` brings
            // values after it, which the next piece, the ones or the next patch overwrite.
            let done = done.min(piece.saturating_sub(W));
            for k in 0..sizes.pieces {
                copy::<W>(&image[corner + k * sizes.row + done..], &mut patches[at + k * piece + done..]);
            }
        }
        patches[at + values..at + each].iter_mut().for_each(|one| *one = 1.0);
    }
}

#[inline(always)]
pub(in crate::simd) fn col2im(patches: &[f32], sizes: &Patches, first: usize, each: usize, image: &mut [f32]) {
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
