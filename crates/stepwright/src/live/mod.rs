//! A running execution, shown as it runs: [`Live`] watches the engine and draws.
//!
//! `picture` understands events, `news` puts them into lines, `tree` into a tree, `screen` draws that in place. Only this
//! file and `screen`'s caller here write anything.

pub mod duration;
mod ending;
mod failure;
pub mod log;
mod news;
mod picture;
mod screen;
mod target;
#[cfg(test)]
mod terminal_model;
#[cfg(test)]
mod tests;
mod tree;
mod visit;
mod whom;

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use stepwright_asl::program::Program;
use stepwright_engine::{MapRunProgress, Observer};
use stepwright_machine::{Event, Identity, history};
use stepwright_value::{Object, Value};
use tokio::sync::watch;

use self::news::{News, What};
pub use self::picture::Ended;
use self::picture::Picture;
use self::screen::Screen;
use self::tree::Layout;
use crate::exit::Failure;
use crate::row::{Row, Theme, Tone};
use crate::terminal::{Size, Stream};

/// Of states that end within one frame, more than this are not shown one by one: a loop can go round thousands of times.
const SETTLED_PER_FRAME_MAX: usize = 200;

/// How an execution is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A tree on standard error, drawn in place.
    Tree(Theme),
    /// A line on standard error for everything that happens.
    Lines,
    /// AWS's history events on standard output, one a line.
    Json,
}

/// Shows one execution.
pub struct Live {
    shown: Mutex<Shown>,
    has_ended: watch::Sender<bool>,
    of: Of,
    /// Known from its first events on.
    execution_arn: OnceLock<Arc<str>>,
}

/// Which execution is shown: the first one of that name.
pub struct Of {
    pub machine_arn: String,
    pub name: String,
}

struct Shown {
    picture: Picture,
    form: Form,
    screen: Option<Screen>,
    /// What goes above the tree with the next frame.
    notes: Vec<Row>,
    is_stopping: bool,
    /// The first write to standard output that failed; the reader may also have gone.
    unwritten: Option<std::io::Error>,
}

impl Live {
    pub fn new(form: Form, program: Arc<Program>, of: Of, start_ms: i64) -> Live {
        let screen = match form {
            Form::Tree(theme) => Some(Screen::new(theme)),
            Form::Lines | Form::Json => None,
        };
        let picture = Picture::new(program, start_ms);
        Live {
            shown: Mutex::new(Shown {
                picture,
                form,
                screen,
                notes: Vec::new(),
                is_stopping: false,
                unwritten: None,
            }),
            has_ended: watch::Sender::new(false),
            of,
            execution_arn: OnceLock::new(),
        }
    }

    /// Whether this is the execution that is shown.
    pub fn shows(&self, execution: &Identity) -> bool {
        let arn = match self.execution_arn.get() {
            Some(arn) => arn,
            None if *execution.machine_arn == *self.of.machine_arn
                && *execution.execution_name == *self.of.name =>
            {
                self.execution_arn.get_or_init(|| execution.execution_arn.clone())
            }
            None => return false,
        };
        *arn == execution.execution_arn
    }

    /// Tells whoever is waited for to come there.
    pub fn reached_at(&self, endpoint: String) {
        self.shown().picture.endpoint = Some(endpoint);
    }

    /// Returns when the execution has ended.
    pub async fn ended(&self) {
        // The sender lives as long as this.
        let _ = self.has_ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Draws the next frame of a tree.
    pub fn draw(&self, now_ms: i64) {
        let mut shown = self.shown();
        let text = shown.frame(now_ms, Stream::Error.size());
        write_error(&text);
    }

    /// Tells the watcher that the execution is being stopped.
    pub fn stopping(&self) {
        self.shown().is_stopping = true;
    }

    /// Removes what is drawn in place, so that the terminal is as it was found.
    pub fn close(&self) {
        let text = self.shown().screen.take().map(|mut screen| screen.close(Stream::Error.size().columns));
        write_error(&text.unwrap_or_default());
    }

    /// Shows what is left to show and the end, once the execution has ended.
    pub fn finish(&self, now_ms: i64) -> Option<Ended> {
        let mut shown = self.shown();
        let ended = shown.picture.outcome.clone()?;
        if shown.form == Form::Json {
            shown.write_out(&(result(&ended).to_json() + "\n"));
            return Some(ended);
        }
        let size = Stream::Error.size();
        let mut text = shown.frame(now_ms, size);
        if let Some(mut screen) = shown.screen.take() {
            text.push_str(&screen.close(size.columns));
        }
        let theme = match shown.form {
            Form::Tree(theme) => theme,
            _ => Theme { colour: false, unicode: false },
        };
        for row in ending::rows(&shown.picture, &ended, theme) {
            // Not cut: errors are to be read in full.
            text.push_str(&row.draw(usize::MAX, theme));
            text.push('\n');
        }
        write_error(&text);
        Some(ended)
    }

    /// A line from elsewhere, such as the log, without disturbing the tree.
    pub fn note(&self, text: &str) {
        let mut shown = self.shown();
        if shown.screen.is_some() {
            shown.notes.extend(text.lines().map(|line| Row::new().with(Tone::Notice, line)));
        } else {
            drop(shown);
            write_error(text);
        }
    }

    /// Whether everything could be written to standard output.
    pub fn written(&self) -> Result<(), Failure> {
        match self.shown().unwritten.take() {
            Some(error) => crate::output::judge(Err(error)).map(|_| ()),
            None => Ok(()),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Live {
    fn committed(&self, execution: &Identity, events: &[Event]) {
        if !self.shows(execution) {
            return;
        }
        let mut shown = self.shown();
        shown.picture.start_ms = execution.start_ms;
        let (mut out, mut error) = (String::new(), String::new());
        for event in events {
            if shown.form == Form::Json && history::to_aws(event, true, &mut out) {
                out.push('\n');
            }
            for news in shown.picture.apply(event) {
                shown.tell(&news, &mut error);
            }
        }
        if shown.screen.is_none() {
            while shown.picture.settle(|_, _| ()).is_some() {}
        }
        shown.write_out(&out);
        write_error(&error);
        if shown.picture.outcome.is_some() {
            self.has_ended.send_replace(true);
        }
    }

    fn map_run(&self, progress: &MapRunProgress<'_>) {
        if self.execution_arn.get().is_some_and(|arn| **arn == *progress.execution_arn) {
            self.shown().picture.map_run(progress.map_run_arn, &progress.items);
        }
    }
}

impl Shown {
    /// Who does not read any more does not stop the execution.
    fn write_out(&mut self, text: &str) {
        if text.is_empty() || self.unwritten.is_some() {
            return;
        }
        let mut stream = std::io::stdout().lock();
        self.unwritten = stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).err();
    }

    fn tell(&mut self, news: &News, error: &mut String) {
        match self.form {
            Form::Lines => {
                error.push_str(&news.line(self.picture.start_ms));
                error.push('\n');
            }
            // What happens is in the tree, and in the events.
            Form::Tree(_) => {
                if let What::Notice { text } = &news.what {
                    self.notes.push(Row::new().with(Tone::Notice, &format!("! {} {text}", news.place)));
                }
            }
            Form::Json => {
                if let What::Notice { text } = &news.what {
                    error.push_str(&format!("{} {text}\n", crate::row::clean(&news.place)));
                }
            }
        }
    }

    /// The next frame of a tree: states that have ended go up for good.
    fn frame(&mut self, now_ms: i64, size: Size) -> String {
        let (Some(screen), Form::Tree(theme)) = (&mut self.screen, self.form) else { return String::new() };
        let layout = Layout::new(self.picture.program(), theme, size.columns);
        let notes = std::mem::take(&mut self.notes);
        let mut settled = Vec::new();
        let count = self.picture.settled_len();
        for at in 0..count {
            let from_end = count - at;
            let is_shown = count <= SETTLED_PER_FRAME_MAX || from_end <= SETTLED_PER_FRAME_MAX / 2;
            if count > SETTLED_PER_FRAME_MAX && from_end == SETTLED_PER_FRAME_MAX / 2 {
                let text = format!("  {} states, too fast to show", count - SETTLED_PER_FRAME_MAX / 2);
                settled.push(Row::new().with(Tone::Dim, &text));
            }
            let rows = self.picture.settle(|picture, visit| {
                if is_shown { tree::settled(picture, visit, layout) } else { Vec::new() }
            });
            settled.extend(rows.into_iter().flatten());
        }
        let mut live = Vec::new();
        if self.picture.outcome.is_none() {
            // The footer and the row of the cursor take one each.
            live = tree::live(&self.picture, layout, size.rows.saturating_sub(2).max(1), now_ms);
            live.push(footer(&self.picture, self.is_stopping, now_ms));
        }
        screen.draw(&notes, &settled, &live, size.columns)
    }
}

/// Below the tree: that it is alive, and how to end it.
fn footer(picture: &Picture, is_stopping: bool, now_ms: i64) -> Row {
    let elapsed = duration::short(now_ms.saturating_sub(picture.start_ms));
    let hint = if is_stopping { "stopping; Ctrl-C again ends at once" } else { "Ctrl-C stops" };
    Row::new().with(Tone::Dim, &format!("  {elapsed}, {} events, {hint}", picture.events))
}

/// The last line of `--json`.
fn result(ended: &Ended) -> Value {
    let mut object = Object::new();
    object.insert("type", "Result");
    object.insert("status", ending::status_name(ended.status));
    if let Some(output) = &ended.output {
        object.insert("output", output.value().clone());
    }
    if let Some(failure) = &ended.failure {
        for (key, text) in [("error", &failure.error), ("cause", &failure.cause)] {
            if let Some(text) = text {
                object.insert(key, text.clone());
            }
        }
    }
    if let Some(origin) = &ended.origin {
        object.insert("state", origin.place.as_str());
        object.insert("pointer", origin.pointer.as_str());
    }
    object.into()
}

fn write_error(text: &str) {
    if !text.is_empty() {
        crate::output::tell(text);
    }
}
