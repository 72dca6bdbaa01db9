//! Findings about a definition, for people (with the lines they are about) and for programs (as JSON).

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use std::borrow::Cow;
use std::ops::Range;

use stepwright_asl::{Diagnostic, Fix, Severity};
use stepwright_value::{Object, Value};

use crate::excerpt::Excerpt;
use crate::terminal::{Ability, TEXT_COLUMNS_MAX};

/// Lines of the text that are handed to the renderer around a finding.
const CONTEXT_LINES: usize = 4;
/// Characters of a message that are shown.
const MESSAGE_CHARS_MAX: usize = 600;

/// Draws findings about one text.
pub struct Sheet<'t> {
    name: &'t str,
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// A place, counted from 1; columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl<'t> Sheet<'t> {
    pub fn new(name: &'t str, text: &'t str) -> Sheet<'t> {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Sheet { name, text, lines: std::iter::once(0).chain(starts).collect() }
    }

    /// The finding as a compiler would show it, with an empty line at the end.
    pub fn draw(&self, diagnostic: &Diagnostic, ability: Ability, columns: usize) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let primary = self.within(&diagnostic.span);
        let notes: Vec<(Range<usize>, &str)> =
            diagnostic.notes.iter().map(|note| (self.within(&note.span), note.message.as_str())).collect();
        let spans: Vec<Range<usize>> =
            std::iter::once(&primary).chain(notes.iter().map(|(span, _)| span)).cloned().collect();
        let window = self.window(&spans);
        let mut snippet =
            self.snippet(&window).annotation(AnnotationKind::Primary.span(window.local(&primary)));
        for (span, message) in &notes {
            snippet = snippet.annotation(AnnotationKind::Context.span(window.local(span)).label(*message));
        }
        let title = short(headline(&diagnostic.message));
        let mut group = level.primary_title(&*title).id(diagnostic.code).element(snippet);
        if let Some(aws) = aws_note(diagnostic) {
            group = group.element(Level::NOTE.message(aws));
        }
        let fix = diagnostic.fix.as_ref();
        if let Some(help) = diagnostic.help.as_deref().filter(|_| fix.is_none()) {
            group = group.element(Level::HELP.message(help));
        }
        let mut groups = vec![group];
        let fix_window = fix.map(|fix| (fix, self.window(std::slice::from_ref(&self.within(&fix.span)))));
        groups.extend(
            fix_window.as_ref().map(|(fix, window)| self.fix(fix, window, diagnostic.help.as_deref())),
        );
        self.with_place(render(&groups, ability, columns), &window, primary.start)
    }

    fn fix<'f>(&'f self, fix: &'f Fix, window: &'f Window<'t>, help: Option<&'f str>) -> Group<'f> {
        let span = self.within(&fix.span);
        let patch = Patch::new(window.local(&span), self.replacement(fix));
        let snippet = Snippet::source(&*window.excerpt.text).line_start(window.first_line);
        Level::HELP.secondary_title(help.unwrap_or("change it like this")).element(snippet.patch(patch))
    }

    fn snippet<'s>(&'s self, window: &'s Window<'t>) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
        Snippet::source(&*window.excerpt.text).path(self.name).line_start(window.first_line)
    }

    /// The renderer counts columns in what it was given: where a line is cut, its figure is put right.
    fn with_place(&self, text: String, window: &Window<'_>, offset: usize) -> String {
        let before =
            window.excerpt.text.get(..window.excerpt.local(&(offset..offset)).start).unwrap_or_default();
        let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
        let place = self.place(offset);
        if column == place.column {
            return text;
        }
        let (name, line) = (self.name, place.line);
        text.replacen(&format!("{name}:{line}:{column}"), &format!("{name}:{line}:{}", place.column), 1)
    }

    /// The finding as one line of JSON.
    pub fn json(&self, diagnostic: &Diagnostic) -> Value {
        let mut object = Object::new();
        object.insert("file", self.name);
        object.insert("code", diagnostic.code);
        object.insert("aws_code", diagnostic.aws_code.map_or(Value::Null, Value::from));
        object.insert("severity", severity_name(diagnostic.severity));
        object.insert("message", headline(&diagnostic.message));
        object.insert("pointer", pointer(diagnostic));
        self.insert_places(&diagnostic.span, &mut object);
        object.insert("help", diagnostic.help.as_deref().map_or(Value::Null, Value::from));
        let fix = diagnostic.fix.as_ref().map(|fix| {
            let mut object = Object::new();
            self.insert_places(&fix.span, &mut object);
            object.insert("replacement", self.replacement(fix));
            Value::from(object)
        });
        object.insert("fix", fix.unwrap_or_default());
        object.into()
    }

    fn insert_places(&self, span: &Range<usize>, object: &mut Object) {
        let span = self.within(span);
        let (start, end) = (self.place(span.start), self.place(span.end));
        for (key, number) in [
            ("line", start.line),
            ("column", start.column),
            ("end_line", end.line),
            ("end_column", end.column),
        ] {
            object.insert(key, i64::try_from(number).unwrap_or(i64::MAX));
        }
    }

    /// What a fix puts there; in YAML, without quotes where there are none.
    fn replacement<'f>(&self, fix: &'f Fix) -> &'f str {
        let is_quoted = self.text.get(self.within(&fix.span)).is_some_and(|old| old.starts_with(['"', '\'']));
        let bare = fix.replacement.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let is_word = |it: &&str| {
            !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it))
        };
        let starts_as_word = |it: &&str| it.starts_with(|first: char| first.is_ascii_alphabetic());
        match bare.filter(is_word).filter(starts_as_word) {
            Some(bare) if !is_quoted => bare,
            _ => &fix.replacement,
        }
    }

    /// The place of a byte.
    pub fn place(&self, offset: usize) -> Place {
        let line = self.line_of(offset);
        let start = self.lines.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..offset.max(start)).unwrap_or_default();
        Place { line: line + 1, column: before.chars().count() + 1 }
    }

    /// Counted from 0.
    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The span, brought into the text and onto the borders of characters.
    fn within(&self, span: &Range<usize>) -> Range<usize> {
        let border = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = border(span.start);
        start..border(span.end).max(start)
    }

    /// The part of the text around some spans: a renderer that gets it all is slow on large texts, and shows too much of
    /// long lines.
    fn window(&self, spans: &[Range<usize>]) -> Window<'t> {
        let first = spans.iter().map(|span| self.line_of(span.start)).min().unwrap_or(0);
        let last = spans.iter().map(|span| self.line_of(span.end)).max().unwrap_or(first);
        let first = first.saturating_sub(CONTEXT_LINES);
        let start = self.lines.get(first).copied().unwrap_or(0);
        let end = self.lines.get(last + CONTEXT_LINES + 1).copied().unwrap_or(self.text.len());
        Window { excerpt: Excerpt::new(self.text, start..end, spans), first_line: first + 1 }
    }
}

/// Lines of a text.
struct Window<'t> {
    excerpt: Excerpt<'t>,
    first_line: usize,
}

impl Window<'_> {
    fn local(&self, span: &Range<usize>) -> Range<usize> {
        self.excerpt.local(span)
    }
}

/// A problem with a text that is no definition, such as an input: what is wrong, and where.
pub fn draw_text_error(name: &str, text: &str, offset: usize, message: &str, ability: Ability) -> String {
    let sheet = Sheet::new(name, text);
    let span = sheet.within(&(offset..offset + 1));
    let window = sheet.window(std::slice::from_ref(&span));
    let annotation = AnnotationKind::Primary.span(window.local(&span)).label(message);
    let group = Level::ERROR
        .primary_title(format!("{name} is not JSON"))
        .element(sheet.snippet(&window).annotation(annotation));
    sheet.with_place(render(&[group], ability, TEXT_COLUMNS_MAX), &window, span.start)
}

/// A message that quotes a large part of a definition is cut.
fn short(message: &str) -> Cow<'_, str> {
    match message.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", message.get(..at).unwrap_or_default()).into(),
        None => message.into(),
    }
}

fn render(groups: &[Group<'_>], ability: Ability, columns: usize) -> String {
    let renderer = if ability.theme.colour { Renderer::styled() } else { Renderer::plain() };
    let decor = if ability.theme.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let mut text = renderer.decor_style(decor).term_width(columns.max(40)).render(groups);
    text.push_str("\n\n");
    text
}

/// What AWS says about it.
fn aws_note(diagnostic: &Diagnostic) -> Option<String> {
    let code = diagnostic.aws_code?;
    let verb = match diagnostic.severity {
        Severity::Error => "refuses this",
        Severity::Warning => "warns of this",
    };
    let place = match pointer(diagnostic) {
        "" => String::new(),
        pointer => format!(" at {pointer}"),
    };
    Some(format!("AWS {verb}: {code}{place}"))
}

/// The message without the text of the definition, which AWS's JSON parser puts into its own.
fn headline(message: &str) -> &str {
    let cut = [" (start marker at [Source", "\n at [Source"]
        .into_iter()
        .filter_map(|mark| message.find(mark))
        .min();
    message.get(..cut.unwrap_or(message.len())).unwrap_or(message)
}

/// The pointer, where it is one: for a text that is not JSON, AWS puts something else there.
fn pointer(diagnostic: &Diagnostic) -> &str {
    if diagnostic.pointer.starts_with('/') { &diagnostic.pointer } else { "" }
}

pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let sheet = Sheet::new("f", "aä\n\nbc");
        for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (3, 1, 3), (4, 2, 1), (5, 3, 1), (7, 3, 3)] {
            assert_eq!(sheet.place(offset), Place { line, column }, "{offset}");
        }
        assert_eq!(sheet.within(&(2..99)), 1..7);
        assert_eq!(sheet.within(&Range { start: 50, end: 20 }), 7..7);
    }
}
