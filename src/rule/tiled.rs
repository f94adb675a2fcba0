//! A layer on several physical arrays: each tile has a rule of its own, with its arrays, streams, converters, reference
//! and sweep. Partial sums of products add up in digital.
//!
//! ```text
//! y[I] = Σ_J W_IJ x[J]        tile (I, J) learns from x[J] and δ[I] alone
//! ```

use super::grid::{Grid, TileSize, add_part, part_of};
use super::state::check_tensor;
use super::{Initial, Rule, Sharing, State};
use crate::check::{check_batch, check_finite, check_len, check_most};
use crate::crossbar::{Array, Direction, MvmCost, Programming, Scratch, SharedProducts, Visible};
use crate::error::Result;
use crate::ledger::{Ledger, Work};
use crate::settings::Settings;
use crate::tensors::Tensor;
use crate::threads::Workers;
use std::ops::Range;

/// Layers from one tile to the next in the numbers of layers: tile t of layer k is what layer k + t·2²³ would be.
const LAYERS_PER_TILE: u64 = 1 << 23;

/// The most tiles of a layer; above their numbers come those of further fast arrays.
const MAX_TILES: usize = 1 << 15;

/// The rules of the tiles of one layer.
#[derive(Clone, Debug)]
pub(super) struct TiledRule {
    grid: Grid,
    /// Row after row of tiles.
    tiles: Vec<Box<dyn Rule>>,
    /// Additions of partial sums.
    additions: u64,
    buffers: Buffers,
}

/// Buffers, kept between calls.
#[derive(Clone, Debug, Default)]
struct Buffers {
    scratch: Vec<Scratch>,
    x: Vec<f32>,
    delta: Vec<f32>,
}

/// The rule of a layer, cut into tiles where it is larger than one; `build` makes the rule of each.
///
/// # Errors
/// Those of `build`, a tile out of range, or more tiles than there are numbers for.
pub fn tiled(
    tile: Option<TileSize>,
    at: &Initial<'_>,
    mut build: impl FnMut(&Initial<'_>) -> Result<Box<dyn Rule>>,
) -> Result<Box<dyn Rule>> {
    tile.validate()?;
    match tile.map(|tile| Grid::new((at.rows, at.cols), tile)).filter(|grid| grid.len() > 1) {
        Some(grid) => Ok(Box::new(TiledRule::new(grid, at, build)?)),
        None => build(at),
    }
}

impl TiledRule {
    /// The rule of a layer, whose tiles have the rules that `build` makes.
    ///
    /// # Errors
    /// Those of `build`, or more tiles than there are numbers for.
    fn new(grid: Grid, at: &Initial<'_>, mut build: impl FnMut(&Initial<'_>) -> Result<Box<dyn Rule>>) -> Result<Self> {
        check_most("tiles of a layer", grid.len() as f64, MAX_TILES)?;
        check_most("the number of a layer with tiles", at.layer as f64, LAYERS_PER_TILE as usize - 1)?;
        let mut tile = |t: usize| {
            let ((rows, cols), weights) = (grid.shape_of(t), grid.cut(t, at.weights));
            build(&Initial { layer: at.layer + t as u64 * LAYERS_PER_TILE, rows, cols, weights: &weights, ..*at })
        };
        let tiles = (0..grid.len()).map(&mut tile).collect::<Result<_>>()?;
        Ok(Self { grid, tiles, additions: 0, buffers: Buffers::default() })
    }

    /// Inputs and outputs of products in a direction, and their parts.
    fn sides(&self, direction: Direction) -> [(usize, &[Range<usize>]); 2] {
        let (rows, cols) = self.grid.shape();
        let (rows, cols) = ((rows, &*self.grid.rows), (cols, &*self.grid.cols));
        match direction {
            Direction::Forward => [cols, rows],
            Direction::Backward => [rows, cols],
        }
    }

    /// The products of the layer; `tile` gives those of a tile.
    fn multiply(
        &self,
        direction: Direction,
        x: &[f32],
        y: &mut [f32],
        mut tile: impl FnMut(usize, &[f32], &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        let [(n, inputs), (m, outputs)] = self.sides(direction);
        let batch = check_batch("input", x.len(), n)?;
        check_len("output", y.len(), batch * m)?;
        let (mut buffer, mut partial) = (Vec::new(), Vec::new());
        for (j, input) in inputs.iter().enumerate() {
            let x = part_of(x, n, input, &mut buffer);
            for (i, output) in outputs.iter().enumerate() {
                let t = match direction {
                    Direction::Forward => i * inputs.len() + j,
                    Direction::Backward => j * outputs.len() + i,
                };
                if j == 0 && (batch == 1 || output.len() == m) {
                    let whole = if batch == 1 { output.clone() } else { 0..y.len() };
                    tile(t, x, &mut y[whole])?;
                    continue;
                }
                partial.resize(batch * output.len(), 0.0);
                tile(t, x, &mut partial)?;
                add_part(&partial, output, y, m, j == 0);
            }
        }
        Ok(())
    }

    /// The products of the layer, counted.
    fn count(&mut self, direction: Direction, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let vectors = x.len() / self.sides(direction)[0].0;
        if self.shared().is_some() {
            let mut scratch = std::mem::take(&mut self.buffers.scratch);
            let cost = self.product(direction, 0, x, y, &mut scratch, workers);
            self.buffers.scratch = scratch;
            self.count_shared(direction, vectors, cost?);
            return Ok(());
        }
        let mut tiles = std::mem::take(&mut self.tiles);
        let done = self.multiply(direction, x, y, |t, x, y| match direction {
            Direction::Forward => tiles[t].forward(x, y, workers),
            Direction::Backward => tiles[t].backward(x, y, workers),
        });
        self.tiles = tiles;
        self.count_additions(direction, vectors);
        done
    }

    fn count_additions(&mut self, direction: Direction, vectors: usize) {
        let [(_, inputs), (m, _)] = self.sides(direction);
        self.additions += (vectors * m * (inputs.len() - 1)) as u64;
    }

    /// Values of the layer, row-major, from those of its tiles.
    fn whole(&self, of_tile: impl Fn(usize) -> Result<Vec<f32>>) -> Result<Vec<f32>> {
        let (rows, cols) = self.grid.shape();
        let mut values = vec![0.0; rows * cols];
        for t in 0..self.tiles.len() {
            self.grid.paste(t, &of_tile(t)?, &mut values);
        }
        Ok(values)
    }

    /// Changes every tile, or none.
    fn change(&mut self, mut change: impl FnMut(usize, &mut dyn Rule) -> Result<()>) -> Result<()> {
        let before = self.tiles.iter().map(|tile| tile.state()).collect::<Result<Vec<_>>>()?;
        for t in 0..self.tiles.len() {
            if let Err(error) = change(t, self.tiles[t].as_mut()) {
                self.tiles.iter_mut().zip(&before).take(t).for_each(|(tile, state)| _ = tile.restore(state));
                return Err(error);
            }
        }
        Ok(())
    }
}

impl SharedProducts for TiledRule {
    fn product(
        &self,
        direction: Direction,
        first: usize,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost> {
        let mut cost = MvmCost::default();
        self.multiply(direction, x, y, |t, x, y| {
            let shared = self.tiles[t].shared().expect("all tiles share or none");
            cost = cost.add(shared.product(direction, first, x, y, scratch, workers)?);
            Ok(())
        })?;
        Ok(cost)
    }
}

impl Visible for TiledRule {
    fn shape(&self) -> (usize, usize) {
        self.grid.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.count(Direction::Forward, x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.count(Direction::Backward, delta, z, workers)
    }

    fn shared(&self) -> Option<&dyn SharedProducts> {
        let all = self.tiles.iter().all(|tile| tile.shared().is_some());
        all.then_some(self as &dyn SharedProducts)
    }

    /// Each tile counts its own products; those that bound management repeated, of which only the sum is known, count on
    /// the first.
    fn count_shared(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        let mut repeated = cost;
        for t in (0..self.tiles.len()).rev() {
            let (rows, cols) = self.grid.shape_of(t);
            let (inputs, outputs) = if direction == Direction::Forward { (cols, rows) } else { (rows, cols) };
            let of_tile = if t == 0 { repeated } else { MvmCost::of(vectors, inputs, outputs) };
            repeated = repeated.without(of_tile);
            self.tiles[t].count_shared(direction, vectors, of_tile);
        }
        self.count_additions(direction, vectors);
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Forward, x, y, |t, x, y| self.tiles[t].evaluate(draw, x, y, workers))
    }

    fn copy_weights(&self, out: &mut [f32]) -> Result<()> {
        let (rows, cols) = self.grid.shape();
        check_len("weights", out.len(), rows * cols)?;
        out.copy_from_slice(&self.whole(|t| self.tiles[t].weights())?);
        Ok(())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        let (rows, cols) = self.grid.shape();
        check_len("weights", weights.len(), rows * cols)?;
        let grid = self.grid.clone();
        self.change(|t, tile| tile.set_weights(&grid.cut(t, weights)))
    }

    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        let (rows, cols) = self.grid.shape();
        check_len("target", target.len(), rows * cols)?;
        check_finite("target", target)?;
        let (grid, mut pulses) = (self.grid.clone(), 0);
        self.change(|t, tile| {
            pulses += tile.program(&grid.cut(t, target), method)?;
            Ok(())
        })?;
        Ok(pulses)
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        self.whole(|t| self.tiles[t].read_weights(draw))
    }
}

impl Rule for TiledRule {
    fn visible(&self) -> &dyn Visible {
        self
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        self
    }

    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let (rows, cols) = self.grid.shape();
        let batch = check_batch("x", x.len(), cols)?;
        check_len("delta", delta.len(), batch * rows)?;
        let (down, across) = (self.grid.rows.len(), self.grid.cols.len());
        for j in 0..across {
            let x = part_of(x, cols, &self.grid.cols[j], &mut self.buffers.x);
            for i in 0..down {
                let delta = part_of(delta, rows, &self.grid.rows[i], &mut self.buffers.delta);
                self.tiles[i * across + j].update(x, delta, lr_scale, workers)?;
            }
        }
        Ok(())
    }

    fn finish_batch(&mut self, lr_scale: f32) -> Result<()> {
        self.tiles.iter_mut().try_for_each(|tile| tile.finish_batch(lr_scale))
    }

    fn sharing(&self) -> Sharing {
        self.tiles.iter().map(|tile| tile.sharing()).min().unwrap_or(Sharing::Never)
    }

    /// Values per crosspoint as of one array; all else of each tile on its own.
    fn state(&self) -> Result<State> {
        let states = self.tiles.iter().map(|tile| tile.state()).collect::<Result<Vec<_>>>()?;
        let mut state = State::default();
        join(&self.grid, states.iter().map(|of| &of.floats).collect(), &mut state.floats);
        join(&self.grid, states.iter().map(|of| &of.counters).collect(), &mut state.counters);
        state.add_count("additions", self.additions);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let grid = self.grid.clone();
        let additions = state.count("additions")?;
        self.change(|t, tile| {
            let floats = split(&grid, t, &state.floats)?;
            tile.restore(&State { floats, counters: split(&grid, t, &state.counters)? })
        })?;
        self.additions = additions;
        Ok(())
    }

    /// Those of each tile in turn.
    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        self.tiles.iter().flat_map(|tile| tile.arrays()).collect()
    }

    fn device_parameters(&self) -> Result<Vec<(String, Vec<f32>)>> {
        let each = self.tiles.iter().map(|tile| tile.device_parameters()).collect::<Result<Vec<_>>>()?;
        let names = each[0].iter().map(|(name, _)| name);
        let named = names.enumerate().map(|(k, name)| Ok((name.clone(), self.whole(|t| Ok(each[t][k].1.clone()))?)));
        named.collect()
    }

    fn ledger(&self) -> Result<Ledger> {
        let mut ledger = Ledger::default();
        for tile in &self.tiles {
            ledger += tile.ledger()?;
        }
        ledger.add_work(Work { operations: self.additions, accesses: 0 });
        Ok(ledger)
    }

    fn average(&self) -> Result<Option<Vec<f32>>> {
        let averages = self.tiles.iter().map(|tile| tile.average()).collect::<Result<Vec<_>>>()?;
        if averages.iter().all(Option::is_none) {
            return Ok(None);
        }
        // A tile that has read nothing yet counts as it is read now, as a line that was not read does.
        let of_tile = |t: usize| averages[t].clone().map_or_else(|| self.tiles[t].read_weights(0), Ok);
        self.whole(of_tile).map(Some)
    }

    fn averaging(&self) -> bool {
        self.tiles.iter().all(|tile| tile.averaging())
    }

    fn set_averaging(&mut self, on: bool) -> Result<()> {
        self.tiles.iter_mut().try_for_each(|tile| tile.set_averaging(on))
    }
}

type Named<T> = std::collections::BTreeMap<String, Tensor<T>>;

/// The name of what belongs to one tile.
fn of_tile(t: usize, name: &str) -> String {
    format!("[{t}].{name}")
}

/// Puts the tensors of tiles together where they have a value per crosspoint; others get the name of their tile.
fn join<T: Copy + Default>(grid: &Grid, tiles: Vec<&Named<T>>, to: &mut Named<T>) {
    let (rows, cols) = grid.shape();
    let per_crosspoint = |name: &String| {
        (0..).zip(&tiles).all(|(t, of)| {
            let (rows, cols) = grid.shape_of(t);
            of.get(name).is_some_and(|tensor| tensor.shape == [rows, cols])
        })
    };
    for name in tiles[0].keys().filter(|name| per_crosspoint(name)) {
        let mut values = vec![T::default(); rows * cols];
        tiles.iter().enumerate().for_each(|(t, of)| grid.paste(t, &of[name].values, &mut values));
        to.insert(name.clone(), Tensor { shape: vec![rows, cols], values });
    }
    for (t, of) in tiles.iter().enumerate() {
        let own = of.iter().filter(|(name, _)| !to.contains_key(*name));
        let own: Vec<_> = own.map(|(name, tensor)| (of_tile(t, name), tensor.clone())).collect();
        to.extend(own);
    }
}

/// What [`join`] made of the tensors of tile t.
///
/// # Errors
/// A tensor that does not fit the layer.
fn split<T: Copy>(grid: &Grid, t: usize, from: &Named<T>) -> Result<Named<T>> {
    let ((rows, cols), prefix) = (grid.shape(), of_tile(t, ""));
    let mut of = Named::new();
    for (name, tensor) in from {
        if let Some(own) = name.strip_prefix(&prefix) {
            of.insert(own.to_owned(), tensor.clone());
        } else if tensor.shape.len() == 2 && !name.starts_with('[') {
            check_tensor(name, tensor, (rows, cols))?;
            let (rows, cols) = grid.shape_of(t);
            of.insert(name.clone(), Tensor { shape: vec![rows, cols], values: grid.cut(t, &tensor.values) });
        }
    }
    Ok(of)
}
