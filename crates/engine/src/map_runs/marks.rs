//! Which items of a run have been started: a bit for each.

use crate::map_runs::naming::Span;

/// As many bits as there are items up to the last that was marked.
#[derive(Default)]
pub(crate) struct Marks {
    words: Vec<u64>,
}

impl Marks {
    pub fn mark(&mut self, span: Span) {
        for index in span.first..span.first.saturating_add(u64::from(span.count)) {
            let (word, bit) = place(index);
            if word >= self.words.len() {
                self.words.resize(word + 1, 0);
            }
            self.words[word] |= bit;
        }
    }

    pub fn is_marked(&self, index: u64) -> bool {
        let (word, bit) = place(index);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn place(index: u64) -> (usize, u64) {
    (usize::try_from(index / 64).unwrap_or(usize::MAX - 1), 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits() {
        let mut marks = Marks::default();
        marks.mark(Span { first: 62, count: 4 });
        let marked: Vec<u64> = (0..130).filter(|index| marks.is_marked(*index)).collect();
        assert_eq!(marked, [62, 63, 64, 65]);
    }
}
