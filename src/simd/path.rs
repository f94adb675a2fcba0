//! The instruction set that the kernels use: the best of the processor, or one that the environment names.

use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::fmt;
use std::sync::OnceLock;

const ENVIRONMENT_VARIABLE: &str = "TIKITAKA_SIMD";

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// The target's baseline (SSE2 on x86-64, NEON on AArch64).
    Baseline,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
}

impl Path {
    const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Its name in the variable `TIKITAKA_SIMD`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the environment asked for when first looked at, and what came of it.
struct Choice {
    path: Path,
    refused: Option<String>,
}

fn choice() -> &'static Choice {
    static CHOICE: OnceLock<Choice> = OnceLock::new();
    CHOICE.get_or_init(|| choose(std::env::var_os(ENVIRONMENT_VARIABLE).as_deref(), best()))
}

fn choose(wanted: Option<&OsStr>, best: Path) -> Choice {
    let Some(wanted) = wanted.filter(|name| !name.is_empty()) else { return Choice { path: best, refused: None } };
    match up_to(best).find(|path| wanted == path.name()) {
        Some(path) => Choice { path, refused: None },
        None => Choice { path: best, refused: Some(wanted.to_string_lossy().into_owned()) },
    }
}

/// The path in use: the best that the processor has, or the one named by the environment variable
/// `TIKITAKA_SIMD` (`baseline`, `avx2`, `avx512`), read once.
///
/// A name that [`check`] refuses counts as none.
#[inline]
pub fn path() -> Path {
    choice().path
}

/// The paths that this processor can take, the slowest first. All give the same bits.
pub fn available() -> impl Iterator<Item = Path> {
    up_to(best())
}

fn up_to(best: Path) -> impl Iterator<Item = Path> {
    Path::ALL.into_iter().filter(move |&path| path <= best)
}

/// The path in use, for those who begin something: arrays and networks do when they are made.
///
/// # Errors
/// `TIKITAKA_SIMD` names no path, or one that this processor does not have.
pub fn check() -> Result<Path> {
    let choice = choice();
    match &choice.refused {
        None => Ok(choice.path),
        Some(given) => Err(Error::Choice {
            what: ENVIRONMENT_VARIABLE,
            given: given.clone(),
            allowed: available().map(Path::name).collect::<Vec<_>>().join(", "),
        }),
    }
}

#[cfg(target_arch = "x86_64")]
fn best() -> Path {
    if !(is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("fma")) {
        Path::Baseline
    } else if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        Path::Avx512
    } else if is_x86_feature_detected!("avx2") {
        Path::Avx2
    } else {
        Path::Baseline
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn best() -> Path {
    Path::Baseline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &str, best: Path) -> (Path, bool) {
        let choice = choose(Some(OsStr::new(wanted)), best);
        (choice.path, choice.refused.is_some())
    }

    #[test]
    fn only_what_the_processor_has_is_taken() {
        assert!(available().eq(up_to(best())));
        assert_eq!(choose(None, Path::Avx2).path, Path::Avx2);
        for (wanted, best, expected) in [
            ("", Path::Avx512, (Path::Avx512, false)),
            ("baseline", Path::Avx512, (Path::Baseline, false)),
            ("avx2", Path::Avx512, (Path::Avx2, false)),
            ("avx512", Path::Avx512, (Path::Avx512, false)),
            ("avx512", Path::Avx2, (Path::Avx2, true)),
            ("avx2", Path::Baseline, (Path::Baseline, true)),
            ("AVX2", Path::Avx512, (Path::Avx512, true)),
            ("sse2", Path::Avx2, (Path::Avx2, true)),
        ] {
            assert_eq!(chosen(wanted, best), expected, "{wanted} on {best}");
        }
    }
}
