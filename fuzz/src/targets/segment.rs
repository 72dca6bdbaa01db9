//! Stored events: bytes that are read give events that can be written and read again, and shown.

use stepwright_machine::{codec, history};

pub fn run(data: &[u8]) {
    let _ = codec::snapshot_of(data);
    let Ok(events) = codec::decode_segment(data) else { return };
    let again = codec::decode_segment(&codec::encode_segment(&events));
    assert!(again.as_ref().is_ok_and(|again| same(again, &events)), "{events:?}\nreads back as {again:?}");
    for event in &events {
        history::to_aws(event, true, &mut String::new());
    }
}

/// Equal, but for numbers that are none.
fn same(again: &[stepwright_machine::Event], events: &[stepwright_machine::Event]) -> bool {
    again == events || format!("{again:?}") == format!("{events:?}")
}
