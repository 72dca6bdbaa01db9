//! What the children of a map run are called.
//!
//! A name is a UUID, as on AWS. Its first 48 bits are those of the run's own UUID, so that no two runs have a name in common;
//! and it holds the items, so that a listing of the children says which items have been started.

use stepwright_types::arn::MapRunArn;

/// The items that a child works on: one, or a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    /// The index of the first.
    pub first: u64,
    pub count: u32,
}

/// Items that one run can have: 40 bits.
pub(crate) const ITEMS_MAX: u64 = 1 << 40;
/// Items that one child can have: 20 bits. 256 KiB of input hold fewer.
pub(crate) const BATCH_ITEMS_MAX: usize = (1 << 20) - 1;

/// The name of the child for `span`: `RRRRRRRR-RRRR-4CCC-8CCi-iiiiiiiiiiii`-like; run, count and index.
pub(crate) fn child_name(map_run_arn: &str, span: Span) -> String {
    let run = run_prefix(map_run_arn);
    let count = u64::from(span.count) & 0xF_FFFF;
    let index = span.first & (ITEMS_MAX - 1);
    let middle = 0x4000 | (count >> 8);
    let low = 0x8000_0000_0000_0000 | (count & 0xFF) << 54 | index;
    format!("{run}-{middle:04x}-{:04x}-{:012x}", low >> 48, low & 0xFFFF_FFFF_FFFF)
}

/// The items that a child of this name works on; `None` for a name that is not a child's.
pub fn span_of(name: &str) -> Option<Span> {
    let mut parts = name.split('-').skip(2);
    let mut next = || u64::from_str_radix(parts.next()?, 16).ok();
    let (middle, high, low) = (next()?, next()?, next()?);
    let bits = high << 48 | low;
    let count = (middle & 0xFFF) << 8 | (bits >> 54 & 0xFF);
    Some(Span { first: bits & (ITEMS_MAX - 1), count: u32::try_from(count).ok()? })
}

/// `RRRRRRRR-RRRR`.
const RUN_CHARS: usize = 13;

fn run_prefix(map_run_arn: &str) -> &str {
    let run = MapRunArn::parse(map_run_arn).map_or("", |arn| arn.run);
    run.get(..RUN_CHARS).unwrap_or(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let arn = "arn:aws:states:r:1:mapRun:m/l:91778ae9-0c52-49dd-b9b7-f8a40bf33042";
        for (first, count) in [(0, 1), (7, 1), (ITEMS_MAX - 1, 131_072), (99_999, BATCH_ITEMS_MAX as u32)] {
            let span = Span { first, count };
            let name = child_name(arn, span);
            assert_eq!(name.len(), 36, "{name}");
            assert_eq!(span_of(&name), Some(span), "{name}");
        }
        assert_eq!(child_name(arn, Span { first: 5, count: 1 }), "91778ae9-0c52-4000-8040-000000000005");
        assert_eq!(span_of("x"), None);
    }
}
