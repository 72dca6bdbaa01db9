//! The picture as rows of text: a tree of states, Parallel branches and Map iterations.
//!
//! ```text
//! ✔ Validate             Pass         2 ms
//! ⠹ ChargeAll            Map         4.2 s   12/1000 done, 2 running, 1 failed
//! ├  17 ✘ Charge         Task       210 ms   CardExpired: card 4711 has expired
//! ├  18 ⠹ Charge         Task        1.2 s   lambda charge
//! └  19 ↻ Charge         Task        3.1 s   retry 2 of 3 in 4 s after Lambda.TooManyRequestsException
//! ```

use stepwright_asl::program::{FlowId, Kind, Program, StateId};
use stepwright_machine::BranchId;
use stepwright_machine::event::StateKind;

use super::duration;
use super::news::brief;
use super::picture::Picture;
use super::visit::{Doing, End, Group, Line, Visit};
use crate::row::{Row, Theme, Tone, clean};

/// A row for each step of the spinner, in milliseconds.
const SPIN_MS: i64 = 80;
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ASCII_SPINNER: [&str; 4] = ["|", "/", "-", "\\"];

/// The names of types are padded to this.
const KIND_WIDTH: usize = 10;
/// Durations are right-aligned in this.
const DURATION_WIDTH: usize = 9;
/// Below this width the types are left out.
const NARROW_COLUMNS: usize = 70;
/// Digits that the indexes of a Map are expected to have.
const INDEX_DIGITS: usize = 3;

/// How the tree is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub theme: Theme,
    pub columns: usize,
    /// Where the column of types begins.
    name_columns: usize,
}

/// How much of the tree is shown. A live view must fit the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Detail {
    /// Lines of one Parallel or Map state.
    pub lines: usize,
    /// Visits of one line.
    pub visits: usize,
}

impl Detail {
    /// What is shown of a state that has ended.
    pub const SETTLED: Detail = Detail { lines: 20, visits: 20 };
    /// Tried one after another until the tree fits.
    const LADDER: [Detail; 5] = [
        Detail { lines: 20, visits: 20 },
        Detail { lines: 12, visits: 4 },
        Detail { lines: 8, visits: 1 },
        Detail { lines: 4, visits: 1 },
        Detail { lines: 1, visits: 1 },
    ];
}

impl Layout {
    pub fn new(program: &Program, theme: Theme, columns: usize) -> Layout {
        let widths = program.states.iter().map(|state| {
            let name = Row::new().with(Tone::Plain, &state.name).width();
            name + 2 + indentation(program, state.flow)
        });
        let most = (columns * 2 / 5).max(16);
        Layout { theme, columns, name_columns: (widths.max().unwrap_or(0) + 2).clamp(12, most) }
    }
}

/// The width of the tree's edges and indexes in front of a flow's states.
fn indentation(program: &Program, flow: FlowId) -> usize {
    let mut width = 0;
    let mut owner: Option<StateId> = program.flow(flow).owner;
    while let Some(id) = owner {
        let state = program.state(id);
        let digits = match &state.kind {
            Kind::Parallel(parallel) => digits(parallel.branches.len()),
            _ => INDEX_DIGITS,
        };
        width += 3 + digits;
        owner = program.flow(state.flow).owner;
    }
    width
}

/// Of the greatest index.
fn digits(count: usize) -> usize {
    count.saturating_sub(1).to_string().len()
}

/// The rows of what is under way, at most `rows_max` of them.
pub fn live(picture: &Picture, layout: Layout, rows_max: usize, now_ms: i64) -> Vec<Row> {
    let mut rows = Vec::new();
    for detail in Detail::LADDER {
        let mut tree = Tree { picture, layout, detail, now_ms, rows: Vec::new() };
        let root = picture.line(BranchId::ROOT);
        for visit in root.into_iter().flat_map(|line| &line.visits) {
            tree.visit(visit, &Row::new(), &Row::new());
        }
        rows = tree.rows;
        if rows.len() <= rows_max {
            return rows;
        }
    }
    let left_out = rows.len() - rows_max.saturating_sub(1);
    rows.truncate(rows_max.saturating_sub(1));
    rows.push(Row::new().with(Tone::Dim, &format!("  {left_out} rows more")));
    rows
}

/// The rows of one of the machine's own states that has ended.
pub fn settled(picture: &Picture, visit: &Visit, layout: Layout) -> Vec<Row> {
    let now_ms = visit.ended.map_or(visit.entered_ms, |(at_ms, _)| at_ms);
    let mut tree = Tree { picture, layout, detail: Detail::SETTLED, now_ms, rows: Vec::new() };
    tree.visit(visit, &Row::new(), &Row::new());
    tree.rows
}

struct Tree<'p> {
    picture: &'p Picture,
    layout: Layout,
    detail: Detail,
    now_ms: i64,
    rows: Vec<Row>,
}

impl Tree<'_> {
    /// The state's row, and those of its lines. `first` stands before the state, `rest` before what is inside it.
    fn visit(&mut self, visit: &Visit, first: &Row, rest: &Row) {
        let mut row = first.clone();
        let (tone, icon) = self.icon(visit);
        row.push(tone, icon);
        row.push(Tone::Plain, " ");
        let name_tone = if visit.ended.is_none() { Tone::Strong } else { Tone::Plain };
        row.push(name_tone, &fitted(&visit.name, self.layout.name_columns.saturating_sub(row.width() + 1)));
        row.pad_to(self.layout.name_columns);
        if self.layout.columns >= NARROW_COLUMNS {
            row.push(Tone::Dim, &format!("{:<KIND_WIDTH$}", visit.kind.name()));
        }
        row.push(Tone::Dim, &format!("{:>DURATION_WIDTH$}", duration::short(visit.took_ms(self.now_ms))));
        row.push(Tone::Plain, "   ");
        self.detail_of(visit, &mut row);
        self.rows.push(row);
        if let Some(group) = &visit.group {
            self.group(group, rest);
        }
    }

    fn group(&mut self, group: &Group, before: &Row) {
        let mut lines: Vec<(u32, &Line)> = group
            .lines
            .iter()
            .filter_map(|id| self.picture.line(*id))
            .filter(|line| !line.visits.is_empty())
            .filter_map(|line| line.parent.map(|(_, index)| (index, line)))
            .collect();
        let all = lines.len();
        if all > self.detail.lines {
            // What needs attention comes first.
            lines.sort_by_key(|(index, line)| (attention(line), *index));
            lines.truncate(self.detail.lines);
        }
        let hidden = all - lines.len();
        let digits = digits(group.total as usize);
        let count = lines.len();
        for (at, (index, line)) in lines.into_iter().enumerate() {
            let is_last = at + 1 == count && hidden == 0;
            let (branch, trunk) = self.edges(is_last);
            let first = before.clone().with(Tone::Dim, &format!("{branch} {index:>digits$} "));
            let rest = before.clone().with(Tone::Dim, &format!("{trunk} {:digits$} ", ""));
            self.line(line, first, &rest);
        }
        if hidden > 0 {
            let (branch, _) = self.edges(true);
            let text = format!("{branch} {:digits$} {hidden} more", "");
            self.rows.push(before.clone().with(Tone::Dim, &text));
        }
    }

    fn line(&mut self, line: &Line, first: Row, rest: &Row) {
        let shown = line.visits.len().min(self.detail.visits);
        let earlier = line.earlier + (line.visits.len() - shown) as u64;
        let mut before = first;
        if earlier > 0 && self.detail.visits > 1 {
            let text =
                if earlier == 1 { "1 state before".to_owned() } else { format!("{earlier} states before") };
            self.rows.push(before.with(Tone::Dim, &text));
            before = rest.clone();
        }
        for visit in line.visits.iter().skip(line.visits.len() - shown) {
            self.visit(visit, &before, rest);
            before = rest.clone();
        }
    }

    fn edges(&self, is_last: bool) -> (&'static str, &'static str) {
        match (self.layout.theme.unicode, is_last) {
            (true, false) => ("├", "│"),
            (true, true) => ("└", " "),
            (false, false) => ("|-", "| "),
            (false, true) => ("`-", "  "),
        }
    }

    fn icon(&self, visit: &Visit) -> (Tone, &'static str) {
        let unicode = self.layout.theme.unicode;
        let pick = |symbol, ascii| if unicode { symbol } else { ascii };
        match (visit.end(), visit.doing) {
            (Some(End::Succeeded), _) => (Tone::Good, pick("✔", "v")),
            (Some(End::Caught), _) => (Tone::Notice, pick("↷", "!")),
            (Some(End::Failed), _) => (Tone::Bad, pick("✘", "x")),
            (Some(End::Aborted), _) => (Tone::Notice, pick("■", "#")),
            (None, Doing::Working | Doing::Settling | Doing::Job) => (Tone::Busy, self.spinner()),
            (None, Doing::Waiting { .. }) => (Tone::Busy, pick("○", "o")),
            (None, Doing::Callback | Doing::Worker) => (Tone::Notice, pick("○", "o")),
            (None, Doing::Retrying { .. }) => (Tone::Notice, pick("↻", "r")),
        }
    }

    fn spinner(&self) -> &'static str {
        let frames: &[&'static str] = if self.layout.theme.unicode { &SPINNER } else { &ASCII_SPINNER };
        let at = usize::try_from(self.now_ms.max(0) / SPIN_MS).unwrap_or(0) % frames.len();
        frames.get(at).copied().unwrap_or(" ")
    }

    /// What there is to tell of a visit beyond its name, type and duration.
    fn detail_of(&self, visit: &Visit, row: &mut Row) {
        match visit.end() {
            Some(End::Succeeded) => self.succeeded(visit, row),
            Some(End::Caught) => {
                row.push(Tone::Notice, &visit.failure.as_ref().map(brief).unwrap_or_default());
                self.next(visit, row);
            }
            Some(End::Failed) => row.push(Tone::Bad, &visit.failure.as_ref().map(brief).unwrap_or_default()),
            Some(End::Aborted) => row.push(Tone::Notice, "aborted"),
            None => self.under_way(visit, row),
        }
    }

    fn succeeded(&self, visit: &Visit, row: &mut Row) {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(visit.target.clone());
        if let Some(group) = &visit.group {
            parts.push(all_of(visit.kind, group));
        }
        match visit.retries {
            0 => {}
            1 => parts.push("after 1 retry".to_owned()),
            retries => parts.push(format!("after {retries} retries")),
        }
        row.push(Tone::Dim, &parts.join(", "));
        self.next(visit, row);
    }

    fn next(&self, visit: &Visit, row: &mut Row) {
        if let Some(next) = &visit.next {
            let arrow = if self.layout.theme.unicode { "→" } else { "->" };
            let gap = if visit.failure.is_some() { " " } else { "" };
            row.push(Tone::Dim, &format!("{gap}{arrow} {next}"));
        }
    }

    fn under_way(&self, visit: &Visit, row: &mut Row) {
        let left = |due_ms: i64| duration::left(due_ms.saturating_sub(self.now_ms));
        match visit.doing {
            Doing::Waiting { due_ms } => row.push(Tone::Busy, &format!("{} left", left(due_ms))),
            Doing::Retrying { due_ms, number, of } => {
                row.push(Tone::Notice, &format!("retry {number} of {of} in {}", left(due_ms)));
                if let Some(failure) = &visit.failure {
                    row.push(Tone::Dim, &format!(" after {}", brief(failure)));
                }
            }
            Doing::Callback => row.push(Tone::Notice, "waits for its task token"),
            Doing::Worker => {
                row.push(Tone::Dim, visit.target.as_deref().unwrap_or_default());
                row.push(Tone::Notice, " waits for a worker");
            }
            Doing::Working | Doing::Settling | Doing::Job => {
                row.push(Tone::Dim, visit.target.as_deref().unwrap_or_default());
                if let Some(group) = &visit.group {
                    progress(visit.kind, group, row);
                }
                if visit.retries > 0 {
                    row.push(Tone::Dim, &format!(" retry {}", visit.retries));
                }
            }
        }
    }
}

/// `12/1000 done, 3 running, 1 failed`.
fn progress(kind: StateKind, group: &Group, row: &mut Row) {
    row.push(Tone::Plain, &format!("{}/{} done", group.done, group.total));
    if kind == StateKind::Map {
        row.push(Tone::Plain, &format!(", {} running", group.running));
    }
    if group.failed > 0 {
        row.push(Tone::Plain, ", ");
        row.push(Tone::Bad, &format!("{} failed", group.failed));
    }
}

/// `3 branches`, `1000 items`, `1000 items, 2 failed`.
fn all_of(kind: StateKind, group: &Group) -> String {
    let (one, many) = if kind == StateKind::Parallel { ("branch", "branches") } else { ("item", "items") };
    let unit = if group.total == 1 { one } else { many };
    match group.failed {
        0 => format!("{} {unit}", group.total),
        failed => format!("{} {unit}, {failed} failed", group.total),
    }
}

/// What is shown first when not everything can be.
fn attention(line: &Line) -> u8 {
    match line.end {
        Some(End::Failed) => 0,
        None => 1,
        Some(End::Aborted) => 2,
        Some(End::Succeeded | End::Caught) => 3,
    }
}

/// The name, cut to a width.
fn fitted(name: &str, columns: usize) -> String {
    let row = Row::new().with(Tone::Plain, name);
    if row.width() <= columns {
        clean(name)
    } else {
        row.draw(columns, Theme { colour: false, unicode: true })
    }
}
