//! Which known name a misspelt one was meant to be.

/// The closest of `names`, when one is close enough to be worth suggesting.
pub(crate) fn closest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowance(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The nearest of `names`, however far.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names.min_by_key(|candidate| distance(name, candidate))
}

/// Whether `name` may have been meant to be `candidate`.
pub(crate) fn is_close(name: &str, candidate: &str) -> bool {
    distance(name, candidate) <= allowance(candidate)
}

fn allowance(candidate: &str) -> usize {
    (candidate.chars().count() / 3).min(3)
}

/// Longest name that is compared.
const CHARS_MAX: usize = 80;

/// How many letters must be added, dropped, changed or swapped with their neighbour; case does not count.
fn distance(a: &str, b: &str) -> usize {
    let letters =
        |text: &str| text.chars().take(CHARS_MAX).flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, left) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in b.iter().enumerate() {
            let get = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let changed = get(&above, column) + usize::from(left != right);
            let mut best = changed.min(get(&above, column + 1) + 1).min(get(&current, column) + 1);
            let swapped =
                row > 0 && column > 0 && a.get(row - 1) == Some(right) && b.get(column - 1) == Some(left);
            if swapped {
                best = best.min(get(&before, column - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let names = ["Next", "Resource", "ResultPath", "ResultSelector", "End"];
        for (name, expected) in [
            ("Resuorce", Some("Resource")),
            ("next", Some("Next")),
            ("ResultsPath", Some("ResultPath")),
            ("Ende", Some("End")),
            ("Whatever", None),
            ("", None),
        ] {
            assert_eq!(closest(name, names.iter().copied()), expected, "{name}");
        }
    }
}
