//! Compares a recorded value with one of ours. Placeholders of the recording match anything.

use stepwright_value::{Value, read};

/// Texts that stand for something else in recordings.
pub struct Placeholders {
    words: Vec<String>,
}

/// Members whose values are the outside world's matter.
const VOLATILE: &[&str] = &["timestamp", "SdkHttpMetadata", "SdkResponseMetadata"];

impl Placeholders {
    pub fn of(case: &Value) -> Placeholders {
        let mut words: Vec<String> = vec!["date".into(), "snf_role_arn".into()];
        for entry in case.get("normalise").and_then(Value::as_array).into_iter().flat_map(|list| list.iter())
        {
            if let Some(with) = entry.get("with").and_then(Value::as_str) {
                words.push(with.into());
            }
        }
        words.retain(|word| !word.is_empty() && !word.starts_with('<'));
        // Longer ones first: one may begin like another.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Placeholders { words }
    }

    /// The length of the placeholder at the start of `text`.
    fn at_start(&self, text: &str) -> Option<usize> {
        if text.starts_with('<') {
            // One may stand within another: `<<task_token>:1>`.
            let mut depth = 0;
            let end = text.char_indices().find_map(|(at, found)| {
                depth += i32::from(found == '<') - i32::from(found == '>');
                (depth == 0).then_some(at)
            })?;
            return (end < 80 && !text[..end].contains([' ', '"'])).then_some(end + 1);
        }
        self.words.iter().find(|word| text.starts_with(word.as_str())).map(String::len)
    }

    /// Whether `actual` is what the pattern `expected` stands for.
    pub fn text_matches(&self, expected: &str, actual: &str) -> bool {
        if expected == actual {
            return true;
        }
        let mut parts: Vec<String> = vec![String::new()];
        let mut rest = expected;
        while let Some(first) = rest.chars().next() {
            if let Some(length) = self.at_start(rest) {
                parts.push(String::new());
                rest = &rest[length..];
            } else {
                if let Some(part) = parts.last_mut() {
                    part.push(first);
                }
                rest = &rest[first.len_utf8()..];
            }
        }
        let (Some(head), Some(tail)) = (parts.first(), parts.last()) else { return false };
        if parts.len() == 1 || !actual.starts_with(head.as_str()) || actual.len() < head.len() + tail.len() {
            return false;
        }
        let Some(mut middle) = actual[head.len()..].strip_suffix(tail.as_str()) else { return false };
        for part in &parts[1..parts.len() - 1] {
            match middle.find(part.as_str()) {
                Some(at) => middle = &middle[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// Appends where the two differ.
    pub fn compare(&self, path: &str, expected: &Value, actual: &Value, differences: &mut Vec<String>) {
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(found)) => {
                for (key, value) in wanted.iter() {
                    if VOLATILE.contains(&&**key) || key.to_lowercase().contains("timestamp") {
                        continue;
                    }
                    match found.get(key) {
                        Some(found) => self.compare(&format!("{path}/{key}"), value, found, differences),
                        None if key.starts_with('<') => {}
                        None => differences.push(format!("{path}/{key}: missing, expected {value}")),
                    }
                }
                for key in found.keys() {
                    if !wanted.contains_key(key)
                        && !VOLATILE.contains(&&**key)
                        && !wanted.keys().any(|key| key.starts_with('<'))
                        // Newer than the oldest recordings.
                        && &**key != "RedriveCount"
                    {
                        differences.push(format!("{path}/{key}: not in the recording"));
                    }
                }
            }
            (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
                for (index, (wanted, found)) in wanted.iter().zip(found.iter()).enumerate() {
                    self.compare(&format!("{path}/{index}"), wanted, found, differences);
                }
            }
            // The recording has JSON text parsed, one level.
            (Value::Object(_) | Value::Array(_), Value::String(text))
                if read(text).is_ok_and(|v| !matches!(v, Value::String(_))) =>
            {
                self.compare(path, expected, &read(text).unwrap_or_default(), differences);
            }
            (Value::String(wanted), Value::String(found)) => {
                if !self.text_matches(wanted, found) && !self.json_matches(wanted, found) {
                    differences.push(format!("{path}: expected {wanted:?}, found {found:?}"));
                }
            }
            (Value::String(wanted), _) if self.at_start(wanted) == Some(wanted.len()) => {}
            _ if expected == actual => {}
            _ => differences.push(format!("{path}: expected {expected}, found {actual}")),
        }
    }

    /// Texts that are both JSON may differ in spacing and in the order of members.
    fn json_matches(&self, wanted: &str, found: &str) -> bool {
        let (Ok(wanted), Ok(found)) = (read(wanted), read(found)) else { return false };
        if matches!(wanted, Value::String(_)) && matches!(found, Value::String(_)) {
            return self.text_matches(wanted.as_str().unwrap_or(""), found.as_str().unwrap_or(""));
        }
        let mut differences = Vec::new();
        self.compare("", &wanted, &found, &mut differences);
        differences.is_empty()
    }
}
