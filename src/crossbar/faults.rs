//! Devices of an array that are stuck, wear out, relax or are written with an error. An array without any has none of
//! this, and pays nothing for it.

use super::Crossbar;
use super::reliability::Reliability;
use super::update::{Firing, bits};
use crate::device::Device;
use crate::random::{Operation, Stream};

/// Added to the number of a write of a line, or of a programming, so that it shares no stream of write noise with an
/// update.
pub(super) const LINE_WRITES: u64 = 1 << 63;
pub(super) const PROGRAMMING_WRITES: u64 = 1 << 62;

/// The faults of an array, a value per device in its order; what is off is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// Devices that were stuck from the start.
    stuck_at_first: Vec<u32>,
    /// The weight that a stuck device keeps; NaN for one that is not stuck.
    held: Vec<f32>,
    /// Pulses that each device endures.
    endurance: Vec<u32>,
    /// σ_w, and what pulses made of each weight.
    write_noise: f32,
    pub(super) persistent: Vec<f32>,
    relaxation: Option<Relaxation>,
}

/// How states relax and diffuse.
#[derive(Clone, Debug)]
struct Relaxation {
    every: u64,
    diffusion: f64,
    /// 1/τ of all devices, or of each; none without retention.
    rates: Vec<f64>,
    /// The states at rest.
    rest: Vec<f32>,
}

/// The faults of a range of columns.
#[derive(Debug)]
pub(super) struct FaultPart<'a> {
    held: &'a mut [f32],
    endurance: &'a [u32],
    pub(super) persistent: &'a mut [f32],
    write_noise: f32,
}

impl Faults {
    /// The faults of new devices; moves those that are stuck to where they are.
    pub(super) fn new<D: Device>(
        settings: &Reliability,
        device: &D,
        points: &[D::Point],
        states: &mut [f32],
        stream: impl Fn(Operation) -> Stream,
    ) -> Option<Box<Self>> {
        if *settings == Reliability::default() {
            return None;
        }
        let n = states.len();
        let normals = |operation, count: usize| {
            let mut xi = vec![0.0; count];
            stream(operation).normals(0, &mut xi);
            xi
        };
        let mut faults = Self { write_noise: settings.write_noise as f32, ..Self::default() };
        if settings.sticks() {
            faults.held = vec![f32::NAN; n];
        }
        if settings.stuck > 0.0 {
            let mut u = vec![0.0; 2 * n];
            stream(Operation::Stuck).uniforms(0, &mut u);
            for (k, u) in u.as_chunks::<2>().0.iter().enumerate().filter(|(_, u)| f64::from(u[0]) < settings.stuck) {
                let (lower, upper) = device.bounds(&points[k]);
                let (low, high) = settings.stuck_range.map_or((lower, upper), |range| (-range as f32, range as f32));
                states[k] = (low + u[1] * (high - low)).max(lower).min(upper);
                faults.held[k] = states[k];
                faults.stuck_at_first.push(k as u32);
            }
        }
        if let Some(median) = settings.endurance {
            let spread = settings.endurance_spread;
            let limit = |xi: f32| (median * (spread * f64::from(xi)).exp()).clamp(1.0, f64::from(u32::MAX)) as u32;
            faults.endurance = normals(Operation::Endurance, n).into_iter().map(limit).collect();
        }
        if settings.write_noise > 0.0 {
            faults.persistent = states.to_vec();
        }
        faults.relaxation = settings.relaxes().then(|| {
            let xi = normals(Operation::Retention, 2 * n);
            let xi = xi.as_chunks::<2>().0;
            let rest = xi.iter().zip(points).map(|(xi, point)| {
                let (lower, upper) = device.bounds(point);
                (settings.rest as f32 + settings.rest_spread as f32 * xi[1]).max(lower).min(upper)
            });
            let rate = |xi: &[f32; 2], tau: f64| (-settings.retention_spread * f64::from(xi[0])).exp() / tau;
            let rates = settings.retention.map_or_else(Vec::new, |tau| match settings.retention_spread {
                0.0 => vec![1.0 / tau],
                _ => xi.iter().map(|xi| rate(xi, tau)).collect(),
            });
            let (every, diffusion) = (settings.updates_per_step(), settings.diffusion);
            Relaxation { every, diffusion, rates, rest: rest.collect() }
        });
        Some(Box::new(faults))
    }

    /// Whether device k is stuck.
    pub(super) fn is_stuck(&self, k: usize) -> bool {
        self.held.get(k).is_some_and(|held| !held.is_nan())
    }

    /// The pulses that still move device k, which has had `had`.
    pub(super) fn pulses_left(&self, k: usize, had: u32) -> u32 {
        let limit = self.endurance.get(k).copied().unwrap_or(u32::MAX);
        if self.is_stuck(k) { 0 } else { limit.saturating_sub(had) }
    }

    /// The faults of all columns, to be split by columns.
    pub(super) fn part(&mut self) -> FaultPart<'_> {
        FaultPart {
            held: &mut self.held,
            endurance: &self.endurance,
            persistent: &mut self.persistent,
            write_noise: self.write_noise,
        }
    }

    /// Stuck devices keep the weights that they have: those that were stuck at first and, by their pulses, those that are
    /// worn out.
    pub(super) fn hold_stuck(&mut self, weights: &[f32], counters: Option<&[u32]>) {
        if !self.held.is_empty() {
            self.held.fill(f32::NAN);
            self.stuck_at_first.iter().for_each(|&k| self.held[k as usize] = weights[k as usize]);
        }
        if let Some(counters) = counters.filter(|_| !self.endurance.is_empty()) {
            for (k, (&n, &limit)) in counters.iter().zip(&self.endurance).enumerate() {
                if n >= limit {
                    self.held[k] = weights[k];
                }
            }
        }
    }

    /// The weights moved, by another reference, as far as from `before` to `after`: states stayed.
    pub(super) fn rebase(&mut self, k: usize, before: f32, after: f32) {
        if let Some(held) = self.held.get_mut(k).filter(|held| !held.is_nan()) {
            *held = after;
        }
        if let Some(persistent) = self.persistent.get_mut(k) {
            *persistent += after - before;
        }
    }

    /// What is seen of device k after a pulse, the last of `count`; with its last one it gets stuck.
    fn written(&mut self, k: usize, weight: f32, count: Option<u32>, xi: f32) -> f32 {
        let seen = if self.persistent.is_empty() {
            weight
        } else {
            self.persistent[k] = weight;
            weight + self.write_noise * xi
        };
        if let (Some(count), Some(&limit)) = (count, self.endurance.get(k))
            && count >= limit
        {
            self.held[k] = seen;
            if let Some(persistent) = self.persistent.get_mut(k) {
                *persistent = seen;
            }
        }
        seen
    }
}

impl<'a> FaultPart<'a> {
    /// Splits those of the first `devices` devices off.
    pub(super) fn split_off(&mut self, devices: usize) -> Self {
        fn first<'a>(values: &mut &'a mut [f32], devices: usize) -> &'a mut [f32] {
            let count = devices.min(values.len());
            values.split_off_mut(..count).expect("no more than there are")
        }
        let limits = devices.min(self.endurance.len());
        Self {
            held: first(&mut self.held, devices),
            endurance: self.endurance.split_off(..limits).expect("no more than there are"),
            persistent: first(&mut self.persistent, devices),
            write_noise: self.write_noise,
        }
    }

    /// After the pulses of an update: what is seen of devices that got some, the last of which counts; stuck devices are
    /// as they were; and devices that have had all the pulses that they endure are stuck.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn after_update(
        &mut self,
        firing: &Firing,
        columns: std::ops::Range<usize>,
        rows: usize,
        weights: &mut [f32],
        counters: &[u32],
        noise: &Stream,
        xi: &mut Vec<f32>,
    ) {
        for (slot, coincidences) in firing.parts(columns.clone()) {
            for one in coincidences {
                let start = ((one.line >> 1) as usize - columns.start) * rows;
                let devices = start..start + rows;
                if !self.persistent.is_empty() {
                    xi.resize(one.pulses as usize, 0.0);
                    noise.normals(one.first, xi);
                    let mut xi = xi.iter();
                    for s in bits(one.train) {
                        for &row in firing.rows.slot(slot + s) {
                            let k = start + (firing.rows.lines[row as usize] >> 1) as usize;
                            weights[k] = self.persistent[k] + self.write_noise * xi.next().expect("one per pulse");
                        }
                    }
                }
                if self.held.is_empty() {
                    continue;
                }
                let held = &mut self.held[devices.clone()];
                keep(&mut weights[devices.clone()], held);
                if !self.endurance.is_empty() {
                    let limits = counters[devices.clone()].iter().zip(&self.endurance[devices.clone()]);
                    for ((held, weight), (n, limit)) in held.iter_mut().zip(&weights[devices.clone()]).zip(limits) {
                        if n >= limit && held.is_nan() {
                            *held = *weight;
                        }
                    }
                }
                if !self.persistent.is_empty() {
                    keep(&mut self.persistent[devices], held);
                }
            }
        }
    }
}

/// Stuck devices are as they were.
fn keep(weights: &mut [f32], held: &[f32]) {
    for (weight, held) in weights.iter_mut().zip(held) {
        *weight = if held.is_nan() { *weight } else { *held };
    }
}

impl<D: Device> Crossbar<D> {
    /// What pulses made of the weights, where write noise hides it.
    pub(super) fn persistent(&self) -> &[f32] {
        self.faults.as_ref().map_or(&[], |faults| &faults.persistent)
    }

    /// [`Array::elapse`](super::Array::elapse): states relax and diffuse whenever `relax_every` updates are complete.
    ///
    /// ```text
    /// s ← r + (s − r)·e^(−Δ/τ) + σ ξ,   σ² = σ_d²·τ/2·(1 − e^(−2Δ/τ)),  σ_d²·Δ without retention
    /// ```
    ///
    /// the Ornstein–Uhlenbeck process in closed form, within the bounds of each device.
    pub(super) fn relax(&mut self, updates: u64) {
        let Some(mut faults) = self.faults.take() else { return };
        if let Some(relaxation) = faults.relaxation.take() {
            let (before, every) = (self.steps.elapsed, relaxation.every);
            self.steps.elapsed = before.saturating_add(updates);
            let periods = self.steps.elapsed / every - before / every;
            if periods > 0 {
                self.relax_states((periods * every) as f64, &relaxation, &mut faults);
            }
            faults.relaxation = Some(relaxation);
        }
        self.faults = Some(faults);
    }

    fn relax_states(&mut self, elapsed: f64, relaxation: &Relaxation, faults: &mut Faults) {
        let Relaxation { every, diffusion, rates, rest } = relaxation;
        let mut xi = vec![0.0; if *diffusion > 0.0 { self.weights.len() } else { 0 }];
        self.stream(Operation::Diffusion, self.steps.elapsed / every).normals(0, &mut xi);
        let law = |rate: f64| {
            let variance = if rate > 0.0 { -(-2.0 * elapsed * rate).exp_m1() / (2.0 * rate) } else { elapsed };
            ((-(-elapsed * rate).exp_m1()) as f32, (diffusion * variance.sqrt()) as f32)
        };
        let shared = law(rates.first().copied().unwrap_or(0.0));
        for k in 0..self.weights.len() {
            if faults.is_stuck(k) {
                continue;
            }
            let (nearer, spread) = if rates.len() > 1 { law(rates[k]) } else { shared };
            let r = self.reference.get(k).copied().unwrap_or(0.0);
            let weight = faults.persistent.get_mut(k);
            let state = weight.as_ref().map_or(self.weights[k], |weight| **weight) + r;
            let mut next = state + (rest[k] - state) * nearer;
            if spread > 0.0 {
                let (lower, upper) = self.device.bounds(&self.points[k]);
                next = (next + spread * xi[k]).max(lower).min(upper);
            }
            match weight {
                Some(weight) => {
                    self.weights[k] += next - r - *weight;
                    *weight = next - r;
                }
                None => self.weights[k] = next - r,
            }
        }
    }

    /// One pulse to the device at position k of the array's order; write noise is number `place` of its stream.
    pub(super) fn pulse_faulty(&mut self, k: usize, up: bool, xi: f32, (stream, place): (u64, u64)) {
        let mut written = [0.0];
        if self.setup.reliability.write_noise > 0.0 {
            self.stream(Operation::WriteNoise, stream).normals(place, &mut written);
        }
        let count = self.pulse_counters.as_ref().map(|counters| counters[k]);
        let faults = self.faults.as_mut().expect("a faulty array");
        if faults.is_stuck(k) {
            return;
        }
        let r = self.reference.get(k).copied().unwrap_or(0.0);
        let before = faults.persistent.get(k).copied().unwrap_or(self.weights[k]);
        let weight = self.device.pulse(&self.points[k], before + r, up, xi) - r;
        self.weights[k] = faults.written(k, weight, count, written[0]);
    }
}
