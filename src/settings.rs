//! Settings: structs whose fields say their defaults and bounds beside their types.

use crate::error::Result;

/// The allowed range of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The field's name.
    pub field: &'static str,
    /// The least value allowed.
    pub min: f64,
    /// The largest value allowed.
    pub max: f64,
}

/// Settings that can be checked.
pub trait Settings {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is out of range.
    fn validate(&self) -> Result<()>;
}

impl<S: Settings> Settings for Option<S> {
    fn validate(&self) -> Result<()> {
        self.as_ref().map_or(Ok(()), S::validate)
    }
}

/// Checks settings inside others.
pub(crate) fn checked(settings: &impl Settings) -> Result<()> {
    settings.validate()
}

/// A number with bounds.
pub(crate) trait Number {
    /// The number; `None` where an optional one is not given.
    fn number(&self) -> Option<f64>;
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl Number for $number {
            fn number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        })+
    };
}
numbers!(f64, u32, usize);

impl<N: Number> Number for Option<N> {
    fn number(&self) -> Option<f64> {
        self.as_ref().and_then(N::number)
    }
}

/// Requires a number from `min` to `max`, if it is given.
pub(crate) fn within(field: &'static str, number: &impl Number, min: f64, max: f64) -> Result<()> {
    number.number().map_or(Ok(()), |number| crate::check::check_range(field, number, min, max))
}

/// Defines settings, a line per field:
///
/// ```text
/// settings! {
///     /// What the settings are of.
///     pub struct Ttv1 {
///         /// A number: its default, its least and its largest value.
///         pub transfer_every: u32 = 2, 1.0 to 1e9;
///         /// Settings inside these.
///         pub device: DeviceConfig = DeviceConfig::default(), checked;
///         /// Anything else.
///         pub count_pulses: bool = false;
///     }
///     also |settings| check_what_no_field_says_alone(settings)
/// }
/// ```
///
/// The struct has `Default`, the forms of files, `LIMITS`, and `validate`, also as [`Settings`]. In a struct `without
/// default`, files must give every field that has no `#[serde(default)]`.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$doc:meta])*
                pub $field:ident: $type:ty = $default:expr $(, $min:literal to $max:literal)? $(, $checked:ident)?;
            )+
        }
        $(also |$this:ident| $also:expr)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        $crate::settings::settings!(
            @checks $name { $($field $(, $min to $max)? $(, $checked)?;)+ } $(also |$this| $also)?
        );
    };
    (
        $(#[$meta:meta])*
        pub struct $name:ident without default {
            $($(#[$doc:meta])* pub $field:ident: $type:ty $(, $min:literal to $max:literal)?;)+
        }
        $(also |$this:ident| $also:expr)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        $crate::settings::settings!(@checks $name { $($field $(, $min to $max)?;)+ } $(also |$this| $also)?);
    };
    (
        @checks $name:ident { $($field:ident $(, $min:literal to $max:literal)? $(, $checked:ident)?;)+ }
        $(also |$this:ident| $also:expr)?
    ) => {
        impl $name {
            /// The allowed range of every number.
            pub const LIMITS: &[$crate::settings::Limit] =
                &[$($($crate::settings::Limit { field: stringify!($field), min: $min, max: $max },)?)+];

            /// Checks every field.
            pub fn validate(&self) -> $crate::error::Result<()> {
                $($($crate::settings::within(stringify!($field), &self.$field, $min, $max)?;)?)+
                $($($crate::settings::$checked(&self.$field)?;)?)+
                $(
                    let $this = self;
                    $also?;
                )?
                Ok(())
            }
        }

        impl $crate::settings::Settings for $name {
            fn validate(&self) -> $crate::error::Result<()> {
                self.validate()
            }
        }
    };
}
pub(crate) use settings;
