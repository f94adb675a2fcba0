//! The plan of an update: how long its pulse trains are, and how likely they fire (GV16; managements as documented by
//! aihwkit).

use crate::settings::settings;

settings! {
    /// Settings of the pulse trains of an update.
    pub struct PulseTrains {
        /// BL_max: the most slots of a train.
        pub max_length: u32 = 31, 1.0 to 4096.0;
        /// Balance the firing of rows and columns by their largest values.
        pub update_management: bool = true;
        /// Make each train only as long as its update needs.
        pub length_management: bool = true;
    }
}

/// How one update fires: slots, and the gain from a value's magnitude to its firing probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdatePlan {
    /// BL: slots of the train.
    pub slots: u32,
    /// A: firing probability of a row per unit of |δ|.
    pub row_gain: f64,
    /// B: firing probability of a column per unit of |x|.
    pub column_gain: f64,
    /// Whether the update needed more than BL_max slots and the largest δ were clipped.
    pub saturated: bool,
}

impl PulseTrains {
    /// GV16, with k = lr·x_max·δ_max/δ_step the pulses that the largest crosspoint needs:
    ///
    /// ```text
    /// BL = min(⌈k⌉, BL_max) under length management, else BL_max;  if k > BL_max: δ_max ← δ_max·BL_max/k
    /// A = √(lr/(δ_step BL)) · √(x_max/δ_max)    B = √(lr/(δ_step BL)) · √(δ_max/x_max)
    /// ```
    ///
    /// the second factors under update management only. `None` where nothing can fire.
    pub fn plan(&self, lr: f64, step: f64, x_max: f64, delta_max: f64) -> Option<UpdatePlan> {
        let k = lr.abs() * x_max * delta_max / step;
        if k.is_nan() || k <= 0.0 {
            return None;
        }
        let most = f64::from(self.max_length);
        let saturated = k > most;
        let slots = if self.length_management { k.ceil().min(most) } else { most };
        let delta_max = if saturated { delta_max * most / k } else { delta_max };
        let gain = (lr.abs() / (step * slots)).sqrt();
        let balance = if self.update_management { (x_max / delta_max).sqrt() } else { 1.0 };
        Some(UpdatePlan { slots: slots as u32, row_gain: gain * balance, column_gain: gain / balance, saturated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(plan: UpdatePlan, x: f64, delta: f64) -> (f64, f64) {
        ((plan.row_gain * delta).min(1.0), (plan.column_gain * x).min(1.0))
    }

    #[test]
    fn plan_by_hand() {
        // k = 0.1·0.5·0.2/0.004 = 2.5 → 3 slots; both sides fire with √(k/BL) at their largest value.
        let plan = PulseTrains::default().plan(0.1, 0.004, 0.5, 0.2).expect("fires");
        assert_eq!((plan.slots, plan.saturated), (3, false));
        let (row, column) = probabilities(plan, 0.5, 0.2);
        assert!((row - (2.5_f64 / 3.0).sqrt()).abs() < 1e-12 && (column - row).abs() < 1e-12);
    }

    #[test]
    fn the_mean_update_is_lr_times_the_product() {
        for (update_management, length_management, max_length) in
            [(true, true, 31), (true, false, 5), (false, true, 31), (false, false, 1)]
        {
            let pulse_trains = PulseTrains { max_length, update_management, length_management };
            let plan = pulse_trains.plan(0.01, 0.02, 0.9, 0.7).expect("fires");
            for (x, delta) in [(0.9, 0.7), (0.1, 0.7), (0.05, 0.01)] {
                let (row, column) = probabilities(plan, x, delta);
                let mean = f64::from(plan.slots) * row * column * 0.02;
                assert!((mean / (0.01 * x * delta) - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn long_updates_are_capped() {
        let pulse_trains = PulseTrains { max_length: 5, ..PulseTrains::default() };
        // k = 20: four times too long, so δ is cut at a quarter of its maximum.
        let plan = pulse_trains.plan(1.0, 0.05, 1.0, 1.0).expect("fires");
        assert_eq!((plan.slots, plan.saturated), (5, true));
        assert!((plan.row_gain * 0.25 - 1.0).abs() < 1e-12 && (plan.column_gain - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_fires_on_zero() {
        assert_eq!(PulseTrains::default().plan(0.1, 0.01, 0.0, 1.0), None);
        assert_eq!(PulseTrains::default().plan(0.0, 0.01, 1.0, 1.0), None);
        assert_eq!(PulseTrains::default().plan(0.1, 0.01, 1.0, f64::NAN), None);
    }
}
