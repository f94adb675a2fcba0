//! Where the patches of an image lie in it.

/// The patches of an image without padding: a patch is one piece of each of several rows of pixels. Everything is
/// counted in values, several of which make a pixel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patches {
    /// Values of a piece.
    pub(crate) piece: usize,
    /// Pieces of a patch.
    pub(crate) pieces: usize,
    /// From one row of pixels to the next.
    pub(crate) row: usize,
    /// Patches in a row.
    pub(crate) across: usize,
    /// From one patch of a row to the next.
    pub(crate) step: usize,
    /// From one row of patches to the next.
    pub(crate) down: usize,
}

impl Patches {
    /// Where the patches `first`, `first + 1`, … begin.
    #[inline(always)]
    pub(super) fn corners(&self, first: usize) -> Corners {
        Corners { sizes: *self, row: first / self.across * self.down, column: first % self.across }
    }
}

/// Counts through the patches without dividing.
pub(super) struct Corners {
    sizes: Patches,
    row: usize,
    column: usize,
}

impl Corners {
    #[inline(always)]
    pub(super) fn next(&mut self) -> usize {
        let corner = self.row + self.column * self.sizes.step;
        self.column += 1;
        if self.column == self.sizes.across {
            (self.row, self.column) = (self.row + self.sizes.down, 0);
        }
        corner
    }
}
