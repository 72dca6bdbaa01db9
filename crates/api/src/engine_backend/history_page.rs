//! Pages of a history. A page reads and decodes only the sections that it shows: a history has up to 25,000 events.

use stepwright_engine::Engine;
use stepwright_machine::history;
use stepwright_store::ExecutionKey;

use super::internal;
use crate::backend::{ExecutionError, HistoryPage, HistoryPosition, HistoryRequest};

/// A page ends once its events have this many bytes.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// The page that was asked for.
pub(super) async fn read(
    engine: &Engine,
    key: ExecutionKey,
    request: &HistoryRequest,
) -> Result<HistoryPage, ExecutionError> {
    let mut page = Page { request, events: Vec::new(), bytes: 0 };
    let start = if request.reverse { u32::MAX } else { 1 };
    let number = request.from.map_or(start, |from| from.section);
    let mut sections = engine.sections(key, number, request.reverse);
    while let Some(section) = sections.next().await.map_err(internal)? {
        let next = if request.reverse {
            page.add(section.events.iter().rev())
        } else {
            page.add(section.events.iter())
        };
        if let Some(event_id) = next {
            let next = Some(HistoryPosition { event_id, section: section.number });
            return Ok(HistoryPage { events: page.events, next });
        }
    }
    Ok(HistoryPage { events: page.events, next: None })
}

/// A page that is being filled.
struct Page<'r> {
    request: &'r HistoryRequest,
    /// Each as AWS shows it.
    events: Vec<String>,
    /// How long they are together.
    bytes: usize,
}

impl Page<'_> {
    /// Adds events as far as they fit; the id of the first one that does not.
    fn add<'e>(&mut self, events: impl Iterator<Item = &'e stepwright_machine::Event>) -> Option<u32> {
        let HistoryRequest { from, limit, reverse, include_data, .. } = self.request;
        let is_wanted = |id: u32| {
            id > 0 && from.is_none_or(|from| if *reverse { id <= from.event_id } else { id >= from.event_id })
        };
        for event in events.filter(|event| is_wanted(event.id)) {
            if self.events.len() == *limit || self.bytes >= PAGE_BYTES_MAX {
                return Some(event.id);
            }
            let mut text = String::new();
            history::to_aws(event, *include_data, &mut text);
            self.bytes += text.len();
            self.events.push(text);
        }
        None
    }
}
