//! A part of a text for showing: lines that are too long are cut around the places that matter, so that a finding about a
//! definition in one line shows its surroundings and not all of it.

use std::borrow::Cow;
use std::ops::Range;

/// Lines of more bytes than this are cut.
const LINE_BYTES_MAX: usize = 240;
/// Bytes of a long line that are kept before and behind a place.
const AROUND_BYTES: usize = 60;
/// Bytes of a place itself that are kept of a long line.
const PLACE_BYTES_MAX: usize = 120;
const GAP: &str = "…";

/// The text that is shown, and where its parts come from.
pub struct Excerpt<'t> {
    pub text: Cow<'t, str>,
    /// Parts that are kept: where they are in the whole, and where in `text`.
    parts: Vec<(Range<usize>, usize)>,
}

impl<'t> Excerpt<'t> {
    /// The part of `whole` in `bytes`, which are whole lines; `places` are to be seen.
    pub fn new(whole: &'t str, bytes: Range<usize>, places: &[Range<usize>]) -> Excerpt<'t> {
        let text = whole.get(bytes.clone()).unwrap_or_default();
        if text.split('\n').all(|line| line.len() <= LINE_BYTES_MAX) {
            return Excerpt { text: Cow::Borrowed(text), parts: vec![(bytes, 0)] };
        }
        let mut excerpt = Excerpt { text: Cow::Owned(String::new()), parts: Vec::new() };
        let mut at = bytes.start;
        for line in text.split_inclusive('\n') {
            let range = at..at + line.len();
            at = range.end;
            let kept =
                if line.len() <= LINE_BYTES_MAX { vec![range.clone()] } else { kept(whole, &range, places) };
            excerpt.add(whole, &range, kept, line.ends_with('\n'));
        }
        excerpt
    }

    fn add(&mut self, whole: &str, line: &Range<usize>, kept: Vec<Range<usize>>, has_end: bool) {
        let text = self.text.to_mut();
        let mut end = line.start;
        for part in kept {
            if part.start > end {
                text.push_str(GAP);
            }
            end = part.end;
            let there = text.len();
            text.push_str(whole.get(part.clone()).unwrap_or_default());
            self.parts.push((part, there));
        }
        if end < line.end {
            text.push_str(GAP);
            text.push_str(if has_end { "\n" } else { "" });
        }
    }

    /// Where a place of the whole is in the excerpt; what is left out of it lies where the gap is.
    pub fn local(&self, place: &Range<usize>) -> Range<usize> {
        let start = self.place(place.start);
        start..self.place(place.end).max(start)
    }

    fn place(&self, at: usize) -> usize {
        let after = self.parts.partition_point(|(part, _)| part.start <= at);
        match after.checked_sub(1).and_then(|before| self.parts.get(before)) {
            Some((part, there)) => there + (at.min(part.end) - part.start),
            None => 0,
        }
    }
}

/// What is kept of a long line: the surroundings of the places in it, or its begin.
fn kept(whole: &str, line: &Range<usize>, places: &[Range<usize>]) -> Vec<Range<usize>> {
    let border = |mut at: usize| {
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let end = line.end - usize::from(whole.get(line.clone()).is_some_and(|text| text.ends_with('\n')));
    let around = |place: &Range<usize>| {
        let last = place.end.min(place.start.max(line.start) + PLACE_BYTES_MAX);
        let start = place.start.saturating_sub(AROUND_BYTES).max(line.start);
        border(start)..border(last.saturating_add(AROUND_BYTES).min(end))
    };
    let is_here = |place: &&Range<usize>| place.start < line.end && place.end >= line.start;
    let mut parts: Vec<Range<usize>> = places.iter().filter(is_here).map(around).collect();
    parts.sort_by_key(|part| part.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for part in parts {
        match merged.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => merged.push(part),
        }
    }
    if merged.is_empty() {
        merged.push(line.start..border(line.start + LINE_BYTES_MAX / 2));
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    #[test]
    fn short_lines_stay() {
        let excerpt = Excerpt::new("a\nbc\nd", 2..5, slice::from_ref(&(3..4)));
        assert_eq!((&*excerpt.text, excerpt.local(&(3..4))), ("bc\n", 1..2));
    }

    #[test]
    fn long_lines_are_cut_around_places() {
        let whole = format!("{}X{}Y{}\nend", "ä".repeat(500), "b".repeat(1000), "c".repeat(500));
        let (x, y) = (1000..1001, 2001..2002);
        let excerpt = Excerpt::new(&whole, 0..whole.len(), &[x.clone(), y.clone()]);
        assert!(excerpt.text.len() < 300, "{}", excerpt.text);
        assert!(
            excerpt.text.starts_with("…ä")
                && excerpt.text.contains("b…b")
                && excerpt.text.ends_with("c…\nend")
        );
        for (place, letter) in [(x, "X"), (y, "Y")] {
            assert_eq!(excerpt.text.get(excerpt.local(&place)), Some(letter));
        }
        assert!(excerpt.local(&(0..whole.len())).end <= excerpt.text.len());
        let nothing = Excerpt::new(&whole, 0..whole.len(), &[]);
        assert!(nothing.text.len() < 200 && nothing.text.ends_with("…\nend"));
    }

    #[test]
    fn every_place_of_every_text_has_one_in_the_excerpt() {
        let whole = format!("{}\n{}\nx", "äb".repeat(200), "c".repeat(700));
        let borders: Vec<usize> =
            (0..=whole.len()).filter(|at| whole.is_char_boundary(*at)).step_by(7).collect();
        for start in &borders {
            for end in borders.iter().filter(|end| *end >= start).step_by(11) {
                let excerpt = Excerpt::new(&whole, 0..whole.len(), slice::from_ref(&(*start..*end)));
                let local = excerpt.local(&(*start..*end));
                assert!(excerpt.text.get(local.clone()).is_some(), "{start} {end} {local:?}");
                assert!(excerpt.text.len() < 1000);
            }
        }
    }
}
