//! From what amount of work on threads are worth their cost: measured, each in the unit of its name. No result depends
//! on any of them.

/// Values below which another thread copies inputs no faster.
pub(super) const COPIED_VALUES: usize = 1 << 13;

/// Values below which another thread applies an activation no faster.
pub(super) const ACTIVATED_VALUES: usize = 1 << 12;

/// Values of the patches of a convolution that exist at a time, for each thread: 256 KiB, a part of a core's own cache.
pub(super) const PATCH_VALUES: usize = 1 << 16;

/// Crosspoints of a layer from which threads share the work of a single example of rules that change what they read.
pub(super) const SINGLE_EXAMPLE_CROSSPOINTS: usize = 1 << 20;

/// Multiply-adds of a forward pass from which threads share a single image, patch by patch, layer by layer: below,
/// fetching what the other core has in its caches takes as long as the work.
pub(super) const SINGLE_IMAGE_MULTIPLY_ADDS: usize = 1 << 21;

/// Multiply-adds of a forward pass from which each thread takes examples of its own: some 10 µs of one thread, thrice
/// what handing over takes.
pub(super) const SHARED_BATCH_MULTIPLY_ADDS: usize = 1 << 18;

/// Work of a vector at an array whatever its size, in lines drawn.
pub(super) const VECTOR_LINES: usize = 40;

/// Examples go to threads by so many, which products take at once.
pub(super) const EXAMPLES_TOGETHER: usize = 4;
