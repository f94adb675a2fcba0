//! Steps from a table: the change of weight by a pulse as it was measured at a number of weights.

use super::compact::CompactPoint;
use super::step::{Directed, Response, StepDevice};
use super::step_settings::step_settings;
use super::table::{Tables, check_entries, middle};
use crate::check::check_range;
use crate::error::Result;

step_settings! {
    /// Settings of table-step devices, aihwkit's piecewise step:
    ///
    /// ```text
    /// up:    w ← w + α₊ (v₊(w)/v + σ_c ξ)
    /// down:  w ← w − α₋ (v₋(w)/v + σ_c ξ)     then clamped to [w_min, w_max]
    /// v = (v₊(0) + v₋(0))/2 of the mean device
    /// ```
    ///
    /// v₊ and v₋ have their entries at equally spaced weights from w_min to w_max of each device, with lines between
    /// them. Only ratios count; δ, and so `states`, give the size of a step.
    pub struct TableStep {
        states: 20.0, cycle_noise: 0.3, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
        /// v₊: 2 to 64 relative up steps, 0 or more, from the lower to the upper bound.
        pub up: Vec<f64> = vec![2.0, 0.0];
        /// v₋: 2 to 64 relative down steps, 0 or more, from the lower to the upper bound.
        pub down: Vec<f64> = vec![0.0, 2.0];
    }
    StepDevice<TableResponse> = |s| ([0.0, 0.0], s.response()?); also |s| s.check_tables()
}

impl TableStep {
    fn check_tables(&self) -> Result<()> {
        for (name, entries) in [("up", &self.up), ("down", &self.down)] {
            check_entries(name, entries.len())?;
            for (k, &value) in entries.iter().enumerate() {
                check_range(format!("{name}[{k}]"), value, 0.0, 1e6)?;
            }
        }
        self.middle().map(drop)
    }

    fn middle(&self) -> Result<f64> {
        middle(&self.down, &self.up, self.common().bounds)
    }

    fn response(&self) -> Result<TableResponse> {
        let middle = self.middle()?;
        let relative = |entries: &[f64]| entries.iter().map(|value| value / middle).collect::<Vec<_>>();
        Ok(TableResponse { tables: Tables::new(&relative(&self.down), &relative(&self.up)) })
    }
}

/// The table-step model.
pub type TableStepDevice = StepDevice<TableResponse>;

/// Steps from a table.
#[derive(Clone, Debug)]
pub struct TableResponse {
    tables: Tables,
}

impl Response for TableResponse {
    type Constants = CompactPoint;

    const LOOKUP: bool = true;

    #[inline(always)]
    fn prepare(&self, device: &Directed) -> f32 {
        self.tables.prepare(device)
    }

    /// The equations of [`TableStep`] without noise.
    #[inline(always)]
    fn share(&self, device: &Directed, w: f32) -> f32 {
        self.tables.at(device, w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceSettings, NORMALS, Point, SoftBounds};

    #[test]
    fn one_step_by_hand() {
        let settings =
            TableStep { up: vec![3.0, 1.0, 2.0], down: vec![1.0, 5.0], cycle_noise: 0.0, ..Default::default() };
        let device = settings.build().expect("valid settings");
        // At weight 0 the tables have 1 and 3, so v = 2.
        let point = Point { step: [0.1, 0.12], bound: [-0.4, 0.6], shape: [0.0, 0.0] };
        let close = |got: f32, expected: f32| assert!((got - expected).abs() < 1e-7, "{got}, {expected} expected");
        close(device.answer(&point, -0.15, true, 0.0), -0.15 + 0.12 * 2.0 / 2.0);
        close(device.answer(&point, 0.35, true, 0.0), 0.35 + 0.12 * 1.5 / 2.0);
        close(device.answer(&point, 0.1, false, 0.0), 0.1 - 0.1 * 3.0 / 2.0);
        close(device.answer(&point, 0.6, false, 0.0), 0.6 - 0.1 * 5.0 / 2.0);
        close(device.answer(&point, -0.4, true, 0.0), -0.4 + 0.12 * 3.0 / 2.0);
    }

    #[test]
    fn the_default_table_is_soft_bounds() {
        let table = TableStep { cycle_noise: 0.0, ..Default::default() }.build().expect("valid settings");
        let soft = SoftBounds { cycle_noise: 0.0, ..Default::default() }.build().expect("valid settings");
        let (a, b) = (table.sample(&[0.0; NORMALS]), soft.sample(&[0.0; NORMALS]));
        for k in -5..=5 {
            let w = 0.11 * k as f32;
            for up in [false, true] {
                let difference = table.pulse(&a, w, up, 0.0) - soft.pulse(&b, w, up, 0.0);
                assert!(difference.abs() < 1e-7, "{w}: {difference}");
            }
        }
        assert!(table.symmetry_point(&a).abs() < 1e-6);
    }

    #[test]
    fn tables_are_checked() {
        let message = |up: &[f64], down: &[f64]| {
            let settings = TableStep { up: up.to_vec(), down: down.to_vec(), ..Default::default() };
            settings.validate().expect_err("not valid").to_string()
        };
        assert_eq!(message(&[1.0], &[1.0, 2.0]), "number of entries of up must be from 2 to 64, not 1");
        assert_eq!(message(&[1.0, 1.0], &[1.0, -2.0]), "down[1] must be from 0 to 1,000,000, not -2");
        assert!(message(&[0.0, 0.0], &[0.0, 0.0]).contains("at weight 0 must be positive, not 0"));
        assert!(message(&[1.0, f64::NAN], &[0.0, 0.0]).contains("up[1]"));
    }
}
