//! Checks of inputs. Every error says what was wrong, what is allowed and what was given.

use crate::error::{Error, Result};

/// Requires a number from `min` to `max`.
pub(crate) fn check_range(what: impl Into<String>, given: f64, min: f64, max: f64) -> Result<()> {
    if (min..=max).contains(&given) {
        return Ok(());
    }
    Err(Error::range(what, given, format!("from {} to {}", number(min), number(max))))
}

/// Requires an index below `count`.
pub(crate) fn check_index(what: &str, index: usize, count: usize) -> Result<()> {
    if index < count { Ok(()) } else { check_range(what, index as f64, 0.0, count as f64 - 1.0) }
}

/// Requires at most `most`.
pub(crate) fn check_most(what: &str, given: f64, most: usize) -> Result<()> {
    if given <= most as f64 {
        Ok(())
    } else {
        Err(Error::range(what, given, format!("at most {}", number(most as f64))))
    }
}

/// Requires a finite number that is not negative.
pub(crate) fn check_not_negative(what: &str, given: f64) -> Result<()> {
    if given.is_finite() && given >= 0.0 { Ok(()) } else { Err(Error::range(what, given, "0 or more")) }
}

/// Requires at least 1.
pub(crate) fn check_some(what: &str, given: usize) -> Result<()> {
    if given > 0 { Ok(()) } else { Err(Error::range(what, 0.0, "1 or more")) }
}

/// Requires at least one row and one column.
pub(crate) fn check_shape(rows: usize, cols: usize) -> Result<()> {
    check_some("rows", rows)?;
    check_some("cols", cols)
}

/// Requires exactly `expected` values.
pub(crate) fn check_len(what: &'static str, given: usize, expected: usize) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    Err(Error::Length { what, given, expected: number(expected as f64) })
}

/// Requires a whole number of vectors of `width` values; returns how many there are.
pub(crate) fn check_batch(what: &'static str, given: usize, width: usize) -> Result<usize> {
    if width > 0 && given.is_multiple_of(width) {
        return Ok(given / width);
    }
    Err(Error::Length { what, given, expected: format!("a multiple of {}", number(width as f64)) })
}

/// Requires finite numbers.
pub(crate) fn check_finite(what: &str, values: &[f32]) -> Result<()> {
    if crate::simd::all_finite(values) {
        return Ok(());
    }
    let index = values.iter().position(|v| !v.is_finite()).unwrap_or(0);
    Err(Error::NotFinite { what: what.to_owned(), given: values[index], index })
}

/// Requires that `bytes` can be had at once for `what`, where running out of memory later would abort.
pub(crate) fn check_room(what: impl Into<String>, bytes: usize) -> Result<()> {
    match Vec::<u8>::new().try_reserve_exact(bytes) {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::Memory { what: what.into(), gigabytes: bytes as f64 / 1e9 }),
    }
}

/// A number as messages show it: thousands separated, very large and very small ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size.is_finite() && (size > 2_f64.powi(64) || size != 0.0 && size < 1e-4) {
        return format!("{value:e}");
    }
    let text = value.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut out = sign.to_owned();
    for (k, digit) in whole.chars().enumerate() {
        if k > 0 && (whole.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        let shown = [0.0, -3.0, 999.0, 1000.0, 1e7, 12_345.5, -1e6, 0.25, 1e-9, 1e300, f64::NAN].map(number);
        let expected =
            ["0", "-3", "999", "1,000", "10,000,000", "12,345.5", "-1,000,000", "0.25", "1e-9", "1e300", "NaN"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn errors_speak_with_one_voice() {
        let said = |result: Result<()>| result.expect_err("refused").to_string();
        assert_eq!(said(check_range("states", 0.0, 1.0, 1e7)), "states must be from 1 to 10,000,000, not 0");
        assert_eq!(said(check_len("x", 5, 1200)), "x must have 1,200 values, not 5");
        assert_eq!(said(check_batch("x", 7, 5).map(|_| ())), "x must have a multiple of 5 values, not 7");
        assert_eq!(said(check_finite("x", &[0.0, f32::NAN])), "x must be finite, not NaN at position 1");
    }
}
