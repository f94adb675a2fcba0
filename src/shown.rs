//! Text from outside, at a length that fits a message.

use crate::check::number;

/// The most characters that are shown whole.
const WHOLE: usize = 120;

/// The characters that are shown of a longer text.
const BEGINNING: usize = 80;

/// A text in quotes; of a long one its beginning and its length.
pub(crate) fn shown(text: &str) -> String {
    let count = text.chars().count();
    if count <= WHOLE {
        return format!("{text:?}");
    }
    let beginning: String = text.chars().take(BEGINNING).collect();
    format!("{beginning:?}… ({} characters)", number(count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shown("a\"b"), r#""a\"b""#);
        assert_eq!(shown(&"δ".repeat(120)).chars().count(), 122);
        assert_eq!(shown(&"δ".repeat(100_000)), format!("\"{}\"… (100,000 characters)", "δ".repeat(80)));
    }
}
