//! How a layer is cut into tiles: physical arrays of limited size, side by side.

use crate::check::check_range;
use crate::error::Result;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The most rows or columns of a physical array that can be asked for.
const MAX_SIDE: f64 = 1e9;

/// The largest physical array: a layer with more rows or columns is cut into tiles. In files a number, for both, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Given", into = "[usize; 2]")]
pub struct TileSize {
    /// The most outputs.
    pub rows: usize,
    /// The most inputs.
    pub cols: usize,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number of rows and columns, or two numbers")]
enum Given {
    Square(usize),
    Sides([usize; 2]),
}

impl From<Given> for TileSize {
    fn from(given: Given) -> Self {
        match given {
            Given::Square(side) => Self { rows: side, cols: side },
            Given::Sides([rows, cols]) => Self { rows, cols },
        }
    }
}

impl From<TileSize> for [usize; 2] {
    fn from(tile: TileSize) -> Self {
        [tile.rows, tile.cols]
    }
}

impl Settings for TileSize {
    fn validate(&self) -> Result<()> {
        check_range("tile", self.rows as f64, 1.0, MAX_SIDE)?;
        check_range("tile", self.cols as f64, 1.0, MAX_SIDE)
    }
}

/// The tiles of a layer, row after row of them: as few as possible, and of sizes as equal as possible.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) rows: Vec<Range<usize>>,
    pub(super) cols: Vec<Range<usize>>,
}

impl Grid {
    pub(super) fn new((rows, cols): (usize, usize), tile: TileSize) -> Self {
        Self { rows: parts(rows, tile.rows), cols: parts(cols, tile.cols) }
    }

    /// How many tiles.
    pub(super) fn len(&self) -> usize {
        self.rows.len() * self.cols.len()
    }

    /// (rows, cols) of the layer.
    pub(super) fn shape(&self) -> (usize, usize) {
        let end = |parts: &[Range<usize>]| parts.last().map_or(0, |part| part.end);
        (end(&self.rows), end(&self.cols))
    }

    /// (rows, cols) of tile t.
    pub(super) fn shape_of(&self, t: usize) -> (usize, usize) {
        let across = self.cols.len();
        (self.rows[t / across].len(), self.cols[t % across].len())
    }

    /// The values of tile t, row-major, of those of the layer.
    pub(super) fn cut<T: Copy>(&self, t: usize, values: &[T]) -> Vec<T> {
        let (across, cols) = (self.cols.len(), self.shape().1);
        let (of_rows, of_cols) = (self.rows[t / across].clone(), self.cols[t % across].clone());
        of_rows.flat_map(|i| &values[i * cols..][of_cols.clone()]).copied().collect()
    }

    /// Puts the values of tile t, row-major, among those of the layer.
    pub(super) fn paste<T: Copy>(&self, t: usize, of_tile: &[T], values: &mut [T]) {
        let (across, cols) = (self.cols.len(), self.shape().1);
        let (of_rows, of_cols) = (self.rows[t / across].clone(), self.cols[t % across].clone());
        for (i, row) in of_rows.zip(of_tile.chunks_exact(of_cols.len())) {
            values[i * cols..][of_cols.clone()].copy_from_slice(row);
        }
    }
}

/// `count` lines in as few parts of at most `most` as possible.
fn parts(count: usize, most: usize) -> Vec<Range<usize>> {
    let parts = count.div_ceil(most);
    (0..parts).map(|k| k * count / parts..(k + 1) * count / parts).collect()
}

/// The values of the lines `part` in vectors of `width` values; a copy in `buffer` unless they lie together.
pub(super) fn part_of<'a>(
    vectors: &'a [f32],
    width: usize,
    part: &Range<usize>,
    buffer: &'a mut Vec<f32>,
) -> &'a [f32] {
    if part.len() == width {
        return vectors;
    }
    if vectors.len() == width {
        return &vectors[part.clone()];
    }
    buffer.clear();
    vectors.chunks_exact(width).for_each(|vector| buffer.extend_from_slice(&vector[part.clone()]));
    buffer
}

/// Adds vectors of the lines `part` to vectors of `width` values, or puts them there if they are the first.
pub(super) fn add_part(of_part: &[f32], part: &Range<usize>, sums: &mut [f32], width: usize, first: bool) {
    for (sum, values) in sums.chunks_exact_mut(width).zip(of_part.chunks_exact(part.len())) {
        let sum = &mut sum[part.clone()];
        if first {
            sum.copy_from_slice(values);
        } else {
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_few_and_alike() {
        let grid = Grid::new((257, 785), TileSize { rows: 256, cols: 256 });
        assert_eq!(grid.rows, [0..128, 128..257]);
        assert_eq!(grid.cols, [0..196, 196..392, 392..588, 588..785]);
        assert_eq!((grid.len(), grid.shape(), grid.shape_of(7)), (8, (257, 785), (129, 197)));
    }

    #[test]
    fn tiles_cut_and_pasted_give_the_whole() {
        let (grid, whole) = (Grid::new((3, 5), TileSize { rows: 2, cols: 2 }), Vec::from_iter(0..15));
        let mut again = vec![99; 15];
        for t in 0..grid.len() {
            grid.paste(t, &grid.cut(t, &whole), &mut again);
        }
        assert_eq!((again, grid.cut(1, &whole)), (whole, vec![1, 2]));
    }

    #[test]
    fn parts_of_vectors() {
        let (x, mut buffer) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Vec::new());
        assert_eq!(part_of(&x, 3, &(1..3), &mut buffer), [2.0, 3.0, 5.0, 6.0]);
        let mut sums = [0.5; 6];
        add_part(&[1.0, 2.0, 3.0, 4.0], &(0..2), &mut sums, 3, true);
        add_part(&[1.0, 2.0], &(1..2), &mut sums, 3, false);
        assert_eq!(sums, [1.0, 3.0, 0.5, 3.0, 6.0, 0.5]);
    }
}
