//! What stands between digital vectors and an array: converters, noise, managements.

use super::ProductEffect;
use super::wires::Wires;
use crate::error::Result;
use crate::kinds::{Preset, preset};
use crate::settings::settings;
use crate::simd::{LANES, kernels};
use std::sync::Arc;

settings! {
    /// One direction of a periphery; every part is off by default, and all off is the exact product.
    pub struct IoSettings {
        /// Resolution of the input converter, in bits; 0 is off.
        pub dac_bits: u32 = 0, 0.0 to 24.0;
        /// Input range ± of the input converter.
        pub dac_bound: f64 = 1.0, 1e-6 to 1e6;
        /// Resolution of the output converter, in bits; 0 is off.
        pub adc_bits: u32 = 0, 0.0 to 24.0;
        /// Output range ± of the output converter.
        pub adc_bound: f64 = 12.0, 1e-6 to 1e6;
        /// σ: standard deviation of the noise added to each output.
        pub output_noise: f64 = 0.0, 0.0 to 1e4;
        /// Divide the input by its largest magnitude and multiply back after the product.
        pub noise_management: bool = false;
        /// Halve the input and repeat while an output saturates.
        pub bound_management: bool = false;
        /// Standard deviation of the gains of the output converters about 1.
        pub adc_gain_error: f64 = 0.0, 0.0 to 10.0;
        /// Standard deviation of the offsets of the output converters, in units of output.
        pub adc_offset_error: f64 = 0.0, 0.0 to 1e6;
        /// Standard deviation of the noise of each device that takes part, over its weight.
        pub read_noise: f64 = 0.0, 0.0 to 1e3;
        /// Apply the bits of an input one after another, each through the output converter.
        pub bit_serial: bool = false;
    }
    also |settings| settings.check_bits()
}

impl IoSettings {
    fn check_bits(&self) -> Result<()> {
        for (field, bits) in [("dac_bits", self.dac_bits), ("adc_bits", self.adc_bits)] {
            if bits == 1 {
                return Err(crate::Error::range(field, 1.0, "0 (off) or 2 to 24"));
            }
        }
        if self.bit_serial && self.dac_bits == 0 {
            return Err(crate::Error::range("dac_bits", 0.0, "from 2 to 24 with bit_serial"));
        }
        Ok(())
    }

    /// Whether the product goes through as it is.
    pub(super) fn is_exact(&self) -> bool {
        self.dac_bits == 0
            && self.adc_bits == 0
            && self.output_noise == 0.0
            && !self.noise_management
            && self.adc_gain_error == 0.0
            && self.adc_offset_error == 0.0
            && self.read_noise == 0.0
    }

    /// The input converter, if on.
    pub(super) fn dac(&self) -> Option<Converter> {
        Converter::new(self.dac_bits, self.dac_bound)
    }

    /// The output converter, if on.
    pub(super) fn adc(&self) -> Option<Converter> {
        Converter::new(self.adc_bits, self.adc_bound)
    }
}

settings! {
    /// The periphery of an array: forward product, transposed product, and reads of single lines.
    pub struct Periphery {
        /// y = W x.
        pub forward: IoSettings = IoSettings::default(), checked;
        /// z = Wᵀ δ.
        pub backward: IoSettings = IoSettings::default(), checked;
        /// v = W e_k or Wᵀ e_k: one line on its own, so its converter covers the range of one device.
        pub read: IoSettings = IoSettings::default(), checked;
        /// r: conductance of a wire from device to device, over that of a weight of 1.
        pub wire_ratio: Option<f64> = None, 1.0 to 1e15;
    }
    also |periphery| periphery.check_reads()
}

impl Periphery {
    /// Peripheries by name, in the order in which they are listed.
    pub const PRESETS: &[Preset<Self>] = &[
        Preset { name: "ideal", about: "exact products and reads", source: "", make: Self::default },
        Preset {
            name: "full",
            about: "the converters, noise and management of GV16",
            source: "Gokmen and Vlasov, Front. Neurosci. 10:333 (2016)",
            make: || Self::full(Self::OUTPUT_NOISE),
        },
    ];

    /// σ of the output noise of the RPU baseline (GV16).
    pub const OUTPUT_NOISE: f64 = 0.06;

    /// The periphery of that name.
    ///
    /// # Errors
    /// A name that is not among [`PRESETS`](Periphery::PRESETS).
    pub fn preset(name: &str) -> Result<Self> {
        preset("periphery", Self::PRESETS, name)
    }

    fn check_reads(&self) -> Result<()> {
        if self.read.bit_serial {
            let words = "read.bit_serial must be false: a read drives one line, at full scale";
            return Err(crate::Error::Conflict(words.to_owned()));
        }
        Ok(())
    }

    /// What its settings change in products, before the effects of a [`Setup`](super::Setup).
    pub(super) fn effects(&self) -> Vec<Arc<dyn ProductEffect>> {
        let wires = |ratio| Arc::new(Wires { ratio }) as Arc<dyn ProductEffect>;
        self.wire_ratio.map(wires).into_iter().collect()
    }

    /// The RPU baseline (GV16, aihwkit): DAC 7 bit on ±1, ADC 9 bit on ±12, noise management, and
    /// bound management forward; line reads (ours) with ADC range ±1 and no management.
    pub fn full(output_noise: f64) -> Self {
        let forward = IoSettings {
            dac_bits: 7,
            adc_bits: 9,
            output_noise,
            noise_management: true,
            bound_management: true,
            ..IoSettings::default()
        };
        let backward = IoSettings { bound_management: false, ..forward.clone() };
        let mut full = Self { forward, backward, ..Self::default() };
        full.read = IoSettings { adc_bits: 9, adc_bound: 1.0, output_noise, ..IoSettings::default() };
        full
    }
}

/// A uniform quantiser: 2^bits − 2 steps over [−bound, bound], zero among its levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Converter {
    pub(super) bound: f32,
    step: f32,
}

impl Converter {
    fn new(bits: u32, bound: f64) -> Option<Self> {
        (bits > 0).then(|| {
            let steps = f64::from((1_u32 << bits) - 2);
            Self { bound: bound as f32, step: (2.0 * bound / steps) as f32 }
        })
    }

    /// Clips and rounds to the nearest level.
    #[inline(always)]
    pub(super) fn apply(&self, values: &mut [f32; LANES]) {
        kernels::quantise(values, self.bound, self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_by_hand() {
        // 3 bits: 6 steps over ±0.9, levels −0.9, −0.6, …, 0.9.
        let converter = Converter::new(3, 0.9).expect("on");
        let mut values = [0.0; LANES];
        values[..8].copy_from_slice(&[0.0, 0.14, 0.16, -0.44, -0.46, 0.9, 5.0, -5.0]);
        converter.apply(&mut values);
        let expected = [0.0, 0.0, 0.3, -0.3, -0.6, 0.9, 0.9, -0.9];
        for (got, expected) in values.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{values:?}");
        }
    }

    /// Uniform inputs leave an error of mean 0 and variance step²/12 (within 5 standard errors).
    #[test]
    fn quantisation_error_is_uniform() {
        const N: usize = 100_000 / LANES * LANES;
        let converter = Converter::new(9, 12.0).expect("on");
        let mut values = vec![0.0; N];
        crate::random::Stream::new(4, 0, crate::random::Operation::Sample, 0).uniforms(0, &mut values);
        values.iter_mut().for_each(|v| *v = (*v - 0.5) * 20.0);
        let before = values.clone();
        values.as_chunks_mut().0.iter_mut().for_each(|block| converter.apply(block));
        let step = 24.0 / 510.0;
        let errors: Vec<f64> = values.iter().zip(&before).map(|(a, b)| f64::from(a - b) / step).collect();
        let mean = errors.iter().sum::<f64>() / N as f64;
        let var = errors.iter().map(|e| e * e).sum::<f64>() / N as f64;
        assert!(mean.abs() < 5.0 * (1.0 / 12.0 / N as f64).sqrt(), "{mean}");
        // Var(e²) of a uniform error is 1/180.
        assert!((var - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / N as f64).sqrt(), "{var}");
    }

    #[test]
    fn one_bit_is_refused() {
        let message = IoSettings { adc_bits: 1, ..IoSettings::default() }.validate().expect_err("one bit").to_string();
        assert!(message.contains("adc_bits") && message.contains("2 to 24"), "{message}");
    }
}
