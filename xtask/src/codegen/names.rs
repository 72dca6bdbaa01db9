//! Rust names for the model's names.

/// `stateMachineArn` to `state_machine_arn`, `billedMemoryUsedInMB` to `billed_memory_used_in_mb`.
pub fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, character) in characters.iter().enumerate() {
        let after_lower = index > 0 && !characters[index - 1].is_uppercase();
        let before_lower = characters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if character.is_uppercase() && index > 0 && (after_lower || before_lower) {
            out.push('_');
        }
        out.extend(character.to_lowercase());
    }
    out
}

/// A field name, escaped where it is a keyword.
pub fn field(name: &str) -> String {
    match snake(name).as_str() {
        "type" => "r#type".to_owned(),
        other => other.to_owned(),
    }
}

/// A constant's name.
pub fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

/// An enum variant: `TIMED_OUT` to `TimedOut`, `AWS_OWNED_KEY` to `AwsOwnedKey`.
pub fn variant(value: &str) -> String {
    if value.chars().any(char::is_lowercase) {
        return value.to_owned();
    }
    value
        .split('_')
        .map(|word| {
            let mut characters = word.chars();
            let first = characters.next().map(String::from).unwrap_or_default();
            first + &characters.as_str().to_lowercase()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds() {
        assert_eq!(snake("stateMachineArn"), "state_machine_arn");
        assert_eq!(snake("billedMemoryUsedInMB"), "billed_memory_used_in_mb");
        assert_eq!(snake("URL"), "url");
        assert_eq!(snake("HTTPHeaders"), "http_headers");
        assert_eq!(field("type"), "r#type");
        assert_eq!(constant("CharacterRestrictedName"), "CHARACTER_RESTRICTED_NAME");
        assert_eq!(variant("TIMED_OUT"), "TimedOut");
        assert_eq!(variant("ALL"), "All");
    }
}
