//! The largest values in windows of an image.

/// Windows of `kernel` × `kernel` pixels of `c` values, each `step` pixels from the one before, `across` in a row; an
/// image has `width` pixels in a row.
#[inline(always)]
pub(in crate::simd) fn max_pool(
    image: &[f32],
    [c, width, kernel, step, across]: [usize; 5],
    y: &mut [f32],
    argmax: &mut [u32],
) {
    for (window, (y, argmax)) in y.chunks_exact_mut(c).zip(argmax.chunks_exact_mut(c)).enumerate() {
        let first = (window / across * step * width + window % across * step) * c;
        y.copy_from_slice(&image[first..first + c]);
        for (channel, index) in argmax.iter_mut().enumerate() {
            *index = (first + channel) as u32;
        }
        for k in 1..kernel * kernel {
            let at = first + (k / kernel * width + k % kernel) * c;
            let pixel = &image[at..at + c];
            for channel in 0..c {
                let v = pixel[channel];
                // NaN wins, as it would in a sum.
                let take = v > y[channel] || v.is_nan();
                y[channel] = if take { v } else { y[channel] };
                argmax[channel] = if take { (at + channel) as u32 } else { argmax[channel] };
            }
        }
    }
}
