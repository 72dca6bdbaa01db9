//! What a misspelt name may have been meant to be.

/// Names that are near, at most.
const NEAR_MAX: usize = 3;
/// Names that are listed where none is near.
const LISTED_MAX: usize = 10;

/// `; did you mean "…"?`, or what there is; empty where there is nothing.
pub fn hint<'n>(given: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    let lower = given.to_lowercase();
    let limit = 1 + given.chars().count() / 4;
    let mut near: Vec<(usize, &str)> = names
        .clone()
        .map(|name| (distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= limit || name.to_lowercase().contains(&lower))
        .collect();
    near.sort();
    near.dedup();
    if !near.is_empty() {
        let near: Vec<String> = near.iter().take(NEAR_MAX).map(|(_, name)| format!("{name:?}")).collect();
        return format!("; did you mean {}?", near.join(" or "));
    }
    let all: Vec<&str> = names.collect();
    match all.len() {
        0 => String::new(),
        1..=LISTED_MAX => format!("; there is {}", all.join(", ")),
        more => format!(
            "; there are {} and {} more",
            all.get(..LISTED_MAX).unwrap_or(&all).join(", "),
            more - LISTED_MAX
        ),
    }
}

/// How many letters have to be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints() {
        let names = ["Charge", "Ship", "NotifyCustomer"];
        for (given, expected) in [
            ("Chrage", "; did you mean \"Charge\"?"),
            ("ship", "; did you mean \"Ship\"?"),
            ("notify", "; did you mean \"NotifyCustomer\"?"),
            ("zzz", "; there is Charge, Ship, NotifyCustomer"),
        ] {
            assert_eq!(hint(given, names.into_iter()), expected, "{given}");
        }
        assert_eq!(hint("a", [].into_iter()), "");
        let many: Vec<String> = (0..20).map(|number| format!("name-{number:02}")).collect();
        assert!(hint("zzzzz", many.iter().map(String::as_str)).ends_with("name-09 and 10 more"));
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
