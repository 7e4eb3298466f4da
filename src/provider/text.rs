//! Texts as providers take them.

/// Most characters of a text.
const LONGEST: usize = 255;

/// A description or name as every provider takes it: one line of at most 255 characters.
pub fn plain_text(text: &str) -> String {
    let line: String =
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain_text;

    #[test]
    fn texts_become_one_bounded_line() {
        for (text, expected) in [
            ("", ""),
            (" one\ntwo\n", "one two"),
            ("a\u{0}b", "a b"),
            ("ä".repeat(300).as_str(), "ä".repeat(255).as_str()),
        ] {
            assert_eq!(plain_text(text), expected);
            assert_eq!(plain_text(&plain_text(text)), plain_text(text));
        }
    }
}
