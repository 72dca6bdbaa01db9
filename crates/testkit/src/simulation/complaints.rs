//! What the engine complains of by itself: errors in its log, and panics in its background.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::{Arc, Once};

use stepwright_store::faulty::Faulty;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::simulation::world::World;

/// Hears the log. An error that a lost store does not explain is a violation.
pub struct Complaints {
    pub world: Arc<World>,
    pub store: Arc<Faulty>,
}

impl Subscriber for Complaints {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn event(&self, event: &Event<'_>) {
        if !self.store.is_lost() {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.world.violated(format!("the engine complains: {}", text.0));
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// How many panics there were in this thread since the last call. The runtime catches those of its tasks.
pub fn panics() -> u32 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            hook(info);
        }));
    });
    PANICS.take()
}
