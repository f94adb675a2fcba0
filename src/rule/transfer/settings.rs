//! The settings that rules with fast arrays share, each written once.

/// Defines the settings of a rule with fast arrays: its own fields, and then those of its arrays and averages.
///
/// ```text
/// transfer_settings! {
///     /// Settings of AGAD.
///     pub struct Agad {
///         /// A field of its own, as in `settings!`.
///         pub flip_rate: f64 = 0.1, 0.0 to 1.0;
///     }
///     reference = Reference::default();
/// }
/// ```
///
/// The struct has all that [`settings!`](crate::settings) gives, and [`ArraySettings`](super::ArraySettings); the rule
/// itself comes from `parts`.
macro_rules! transfer_settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($fields:tt)*
        }
        reference = $reference:expr;
    ) => {
        $crate::settings::settings! {
            $(#[$meta])*
            pub struct $name {
                $($fields)*
                /// Devices of A, and of C unless `slow_device` is given.
                pub device: $crate::device::DeviceConfig = $crate::device::DeviceConfig::default(), checked;
                /// Devices of C.
                pub slow_device: Option<$crate::device::DeviceConfig> = None, checked;
                /// Periphery of all arrays.
                pub periphery: $crate::crossbar::Periphery = $crate::crossbar::Periphery::default(), checked;
                /// Stuck devices, wear, relaxation and write noise of all arrays.
                pub reliability: $crate::crossbar::Reliability = $crate::crossbar::Reliability::default(), checked;
                /// Pulse trains of all arrays.
                pub pulse_trains: $crate::crossbar::PulseTrains = $crate::crossbar::PulseTrains::default(), checked;
                /// R: what counts as 0 on A.
                pub reference: $crate::crossbar::Reference = $reference, checked;
                /// What counts as weight 0 on C.
                pub slow_reference: $crate::crossbar::Reference = $crate::crossbar::Reference::default(), checked;
                /// How the reads of C that form averages are weighted.
                pub average: $crate::average::Weighting = $crate::average::Weighting::Uniform;
                /// Reads of a line that count in an exponential average.
                pub average_memory: f64 = 100.0, 1.0 to 1e9;
                /// Transfers of a line per read of it for its average.
                pub average_every: u32 = 1, 1.0 to 1e9;
                /// Converter range ± of the reads of C, as those that form averages, in units of weight.
                pub average_bound: f64 = 1.5, 1e-6 to 1e6;
                /// The largest physical array; larger layers are cut into tiles.
                pub tile: Option<$crate::rule::TileSize> = None, checked;
                /// Keep a counter of pulses per crosspoint.
                pub count_pulses: bool = false;
            }
        }

        impl $name {
            /// Devices of C.
            pub fn slow_device(&self) -> &$crate::device::DeviceConfig {
                self.slow_device.as_ref().unwrap_or(&self.device)
            }
        }

        impl $crate::rule::transfer::ArraySettings for $name {
            fn hardware(&self) -> $crate::rule::transfer::Hardware<'_> {
                $crate::rule::transfer::Hardware {
                    device: &self.device,
                    slow_device: self.slow_device(),
                    periphery: &self.periphery,
                    reliability: &self.reliability,
                    pulse_trains: &self.pulse_trains,
                    reference: &self.reference,
                    slow_reference: &self.slow_reference,
                    averaging: $crate::rule::parts::averages::Averaging {
                        weighting: self.average,
                        memory: self.average_memory,
                        every: self.average_every,
                    },
                    average_bound: self.average_bound,
                    tile: self.tile,
                    count_pulses: self.count_pulses,
                }
            }
        }
    };
}
pub(in crate::rule) use transfer_settings;

/// Defines the settings of a rule that transfers by pulse trains: the fields of [`transfer_settings`] and those of its
/// rates.
macro_rules! train_settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($fields:tt)*
        }
        reference = $reference:expr;
    ) => {
        $crate::rule::transfer::transfer_settings! {
            $(#[$meta])*
            pub struct $name {
                /// The rate of the float rule, from which `fast_lr` and `transfer_lr` follow; the schedule multiplies it.
                pub lr: f64 = 0.2, 0.0 to 1e3;
                /// lr_A: learning rate of A, by hand.
                pub fast_lr: Option<f64> = None, 0.0 to 1e3;
                /// lr_C: learning rate of the transfer from A to C, by hand; the schedule multiplies it.
                pub transfer_lr: Option<f64> = None, 0.0 to 1e6;
                /// ns: samples (or batches) per transfer of one line.
                pub transfer_every: u32 = 2, 1.0 to 1e9;
                $($fields)*
            }
            reference = $reference;
        }

        impl $name {
            fn rates(&self) -> $crate::rule::parts::rates::Rates {
                let of = $crate::rule::transfer::ArraySettings::hardware(self);
                $crate::rule::parts::rates::Rates::new(self.lr, self.fast_lr, self.transfer_lr, &of)
            }
        }
    };
}
pub(in crate::rule) use train_settings;

/// Defines the settings of a rule whose transfer passes the filter H: the fields of [`transfer_settings`] and those of
/// its rates, its schedule and its filter.
macro_rules! filter_settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($fields:tt)*
        }
        after_pulse = $after_pulse:expr;
        reference = $reference:expr;
    ) => {
        $crate::rule::transfer::transfer_settings! {
            $(#[$meta])*
            pub struct $name {
                /// The rate of the float rule, from which `fast_lr` and `transfer_lr` follow; the schedule multiplies it.
                pub lr: f64 = 0.2, 0.0 to 1e3;
                /// lr_A: learning rate of A, by hand.
                pub fast_lr: Option<f64> = None, 0.0 to 1e3;
                /// λ_H: thresholds that H moves per read and unit of A, by hand; the schedule multiplies it.
                pub transfer_lr: Option<f64> = None, 0.0 to 1e6;
                /// ns: samples (or batches) per transfer of one line.
                pub transfer_every: u32 = 2, 1.0 to 1e9;
                /// What `transfer_every` counts.
                pub transfer_unit: $crate::rule::TransferUnit = $crate::rule::TransferUnit::Sample;
                /// The lines read from A and written to C.
                pub transfer_line: $crate::rule::TransferLine = $crate::rule::TransferLine::Column;
                $($fields)*
                /// What remains in H after a pulse.
                pub after_pulse: $crate::rule::AfterPulse = $after_pulse;
                /// The fraction of H that remains under `after_pulse` "keep".
                pub keep: f64 = 0.0, 0.0 to 1.0;
                /// The most pulses per crossing with `transfer_lr` by hand: trunc(|H|) up to this.
                pub max_pulses: u32 = 1, 1.0 to 1e6;
                /// How the learning rates are set.
                pub rates: $crate::rule::LearningRates = $crate::rule::LearningRates::Auto;
                /// λ: learning rate of C under R24's rules; the schedule multiplies it.
                pub learning_rate: f64 = 0.1, 0.0 to 1e3;
                /// η₀: pulses to A per slot of a full train under R24's rules.
                pub granularity: f64 = 1.0, 1e-6 to 1e3;
                /// γ₀: reads to accumulate over under R24's rules.
                pub reads: f64 = 200.0, 1e-3 to 1e9;
                /// Samples in the running means of max|x| and max|δ| under R24's rules.
                pub memory: f64 = 100.0, 1.0 to 1e9;
            }
            reference = $reference;
        }

        impl $name {
            fn rates(&self) -> $crate::rule::parts::rates::Rates {
                let of = $crate::rule::transfer::ArraySettings::hardware(self);
                $crate::rule::parts::rates::Rates {
                    scheme: self.rates,
                    learning_rate: self.learning_rate,
                    granularity: self.granularity,
                    reads: self.reads,
                    memory: self.memory,
                    ..$crate::rule::parts::rates::Rates::new(self.lr, self.fast_lr, self.transfer_lr, &of)
                }
            }

            fn filtering(&self) -> $crate::rule::parts::filter::Filtering {
                $crate::rule::parts::filter::Filtering {
                    after_pulse: self.after_pulse,
                    keep: self.keep as f32,
                    max_pulses: match (self.rates, self.transfer_lr) {
                        ($crate::rule::LearningRates::Auto, None) => u32::from(u16::MAX),
                        _ => self.max_pulses,
                    },
                    leak: 0.0,
                }
            }
        }
    };
}
pub(in crate::rule) use filter_settings;
