//! One table per family of kinds: devices, rules, layers.
//!
//! A family is an enum of settings. One line per kind in `kinds!` gives its variant, its name in files, its
//! conversion, its place behind the trait of the family, and its entry in [`Family::KINDS`], from which
//! everything that lists kinds is made: names, defaults, bounds, and what Python and the command line offer.

use crate::error::{Error, Result};
use crate::settings::{Limit, Settings};

/// One kind of a family, as data.
#[derive(Clone, Copy, Debug)]
pub struct Kind<F: 'static> {
    /// Its name in files, and the value of the key "kind".
    pub name: &'static str,
    /// Its default settings; `None` where there are none, as for the sizes of a layer.
    pub default: Option<fn() -> F>,
    /// The allowed range of each of its numbers.
    pub limits: &'static [Limit],
}

/// Settings with a name.
#[derive(Clone, Copy, Debug)]
pub struct Preset<T> {
    /// The name in files, flags and Python.
    pub name: &'static str,
    /// What they describe.
    pub about: &'static str,
    /// Where their numbers are from; empty if they are ours.
    pub source: &'static str,
    /// Makes the settings.
    pub make: fn() -> T,
}

/// The preset of that name.
pub(crate) fn preset<T>(what: &'static str, presets: &[Preset<T>], name: &str) -> Result<T> {
    presets.iter().find(|preset| preset.name == name).map(|preset| (preset.make)()).ok_or_else(|| Error::Choice {
        what,
        given: name.to_owned(),
        allowed: presets.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", "),
    })
}

/// A family of kinds, implemented by the macro that makes its enum.
pub trait Family: Settings + Sized + 'static {
    /// What one of the family is called.
    const NAME: &'static str;
    /// Every kind, in the order in which they are listed to users.
    const KINDS: &'static [Kind<Self>];
}

/// Defines the enum of a family:
///
/// ```text
/// kinds! {
///     /// What the family is.
///     pub enum DeviceConfig("device"): DeviceSettings, visited by DeviceVisitor {
///         /// One line per kind: its settings struct, and its name in files.
///         SoftBounds(SoftBounds) = "soft-bounds",
///         /// Settings that have no default.
///         Linear(LinearConfig) = "linear" without default,
///         /// A kind without settings: what stands for it behind the trait.
///         Tanh = "tanh" as &Activation::Tanh,
///     }
/// }
/// ```
///
/// Every settings struct comes from [`settings!`](crate::settings) and implements the trait of the family, which has
/// `validate`. The enum is tagged by the key "kind" in files; it has `kind`, `validate`, `settings` (the trait object),
/// `From` of each struct, and [`Family`]. A visitor is for what a trait object cannot do: its `visit` is generic over
/// the settings.
macro_rules! kinds {
    (
        $(#[$meta:meta])*
        $vis:vis enum $family:ident($name:literal): $object:ident $(, visited by $visitor:ident)? {
            $(
                $(#[$doc:meta])*
                $variant:ident $(($settings:ty))? = $kind:literal $(without $default:ident)? $(as $unit:expr)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "kind")]
        $vis enum $family {
            $(
                $(#[$doc])*
                #[serde(rename = $kind)]
                $variant $(($settings))?,
            )+
        }

        impl $family {
            /// The name of the kind.
            #[allow(dead_code)]
            $vis fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $kind,)+
                }
            }

            /// The settings, whatever their kind.
            $vis fn settings(&self) -> &dyn $object {
                match self {
                    $(Self::$variant $(($crate::kinds::kinds!(@pattern settings $settings)))? => {
                        $crate::kinds::kinds!(@object settings $(($settings))? $(as $unit)?)
                    })+
                }
            }

            /// Checks every field.
            $vis fn validate(&self) -> $crate::error::Result<()> {
                self.settings().validate()
            }
        }

        $crate::kinds::kinds!(@visit $family $vis [$($visitor)?] $($variant)+);

        impl $crate::kinds::Family for $family {
            const NAME: &'static str = $name;
            const KINDS: &'static [$crate::kinds::Kind<Self>] = &[
                $($crate::kinds::Kind {
                    name: $kind,
                    default: $crate::kinds::kinds!(@default $variant $(($settings))? $(without $default)?),
                    limits: $crate::kinds::kinds!(@limits $(($settings))?),
                },)+
            ];
        }

        impl $crate::settings::Settings for $family {
            fn validate(&self) -> $crate::error::Result<()> {
                self.validate()
            }
        }

        $($(
            impl From<$settings> for $family {
                fn from(settings: $settings) -> Self {
                    Self::$variant(settings)
                }
            }
        )?)+
    };
    (@pattern $name:ident $settings:ty) => { $name };
    (@object $name:ident ($settings:ty)) => { $name };
    (@object $name:ident as $unit:expr) => { $unit };
    (@visit $family:ident $vis:vis [] $($variant:ident)+) => {};
    (@visit $family:ident $vis:vis [$visitor:ident] $($variant:ident)+) => {
        impl $family {
            /// Shows the settings to a visitor, with their own type.
            $vis fn visit<V: $visitor>(&self, visitor: V) -> V::Out {
                match self {
                    $(Self::$variant(settings) => visitor.visit(settings),)+
                }
            }
        }
    };
    (@default $variant:ident ($settings:ty)) => { Some(|| Self::$variant(<$settings>::default())) };
    (@default $variant:ident ($settings:ty) without default) => { None };
    (@default $variant:ident) => { Some(|| Self::$variant) };
    (@limits) => { &[] };
    (@limits ($settings:ty)) => { <$settings>::LIMITS };
}
pub(crate) use kinds;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceConfig, SoftBounds};
    use crate::rule::RuleConfig;

    fn tables_agree<F: Family>(name: fn(&F) -> &'static str) {
        for kind in F::KINDS {
            let default = kind.default.expect("every device and rule has defaults")();
            assert_eq!(name(&default), kind.name);
            default.validate().expect("defaults are valid");
        }
    }

    #[test]
    fn a_line_gives_name_default_and_bounds() {
        tables_agree(DeviceConfig::kind);
        tables_agree(RuleConfig::kind);
        let names: Vec<_> = DeviceConfig::KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names[..2], ["soft-bounds", "constant-step"]);
        assert!(DeviceConfig::KINDS[0].limits.contains(&Limit { field: "states", min: 1.0, max: 1e7 }));
        assert_eq!(DeviceConfig::from(SoftBounds::default()), DeviceConfig::default());
    }
}
