//! Patterns for ARNs and names: `*` stands for any text, `?` for one character.

/// A pattern.
#[derive(Clone, Debug)]
pub(crate) struct Glob(String);

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        Glob(pattern.to_owned())
    }

    /// Whether the whole text is as the pattern says. Takes as long as both are, at most multiplied.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut place) = (0, 0);
        // Where the last `*` is, and where the text behind it begins that it does not stand for.
        let mut star: Option<(usize, usize)> = None;
        while let Some(byte) = text.get(place) {
            match (pattern.get(at), star) {
                (Some(b'*'), _) => {
                    star = Some((at, place));
                    at += 1;
                }
                (Some(expected), _) if expected == byte || *expected == b'?' => {
                    (at, place) = (at + 1, place + 1)
                }
                (_, Some((star_at, behind))) => {
                    star = Some((star_at, behind + 1));
                    (at, place) = (star_at + 1, behind + 1);
                }
                (_, None) => return false,
            }
        }
        pattern.iter().skip(at).all(|byte| *byte == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:charge-card";
        for (pattern, text, expected) in [
            ("arn:aws:lambda:*:*:function:charge*", arn, true),
            ("arn:aws:lambda:*:*:function:charge", arn, false),
            ("*charge*", arn, true),
            ("*card", arn, true),
            ("charge*", arn, false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "aab", true),
            ("*ab", "aab", true),
            ("a**b", "ab", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
        let long = "a".repeat(2_000);
        assert!(!Glob::new(&format!("{}b", "*a".repeat(50))).matches(&long));
    }
}
