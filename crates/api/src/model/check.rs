//! Checks of the model's constraints, as the generated code calls them, and AWS's sentences about violations.

use std::fmt;
use std::fmt::Write as _;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Longest value that a message repeats; the rest is cut off. Bytes.
const VALUE_SHOWN_BYTES_MAX: usize = 8_192;
/// Violations that a message lists; further ones are only counted.
const VIOLATIONS_SHOWN_MAX: usize = 10;

/// A request (or a part of one) as it arrives: every member may be missing.
pub trait Wire: DeserializeOwned {
    type Checked: Checked<Wire = Self>;

    /// Checks all constraints. Without violations the result is there.
    fn check(self, at: &Path<'_>, violations: &mut Violations) -> Option<Self::Checked>;

    /// The value as AWS shows it in the message about a list that is too long.
    fn describe(&self) -> String {
        String::new()
    }
}

/// A request (or a part of one) that satisfies the model's constraints.
pub trait Checked: Sized {
    type Wire: Wire<Checked = Self>;
}

/// A structure that is written as a JSON object. (Derived code would also take an array of the members' values.)
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// A closed set of texts.
pub trait Enumeration: Copy + 'static {
    const ALL: &'static [Self];

    fn as_str(self) -> &'static str;

    fn from_text(text: &str) -> Option<Self>;
}

/// Where in a request a value stands; grows on the stack and becomes text only when something is wrong there.
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step,
}

enum Step {
    Root,
    Member(&'static str),
    /// Counted from 0, shown from 1.
    Item(usize),
}

impl<'p> Path<'p> {
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    pub fn member(&'p self, name: &'static str) -> Path<'p> {
        Path { parent: Some(self), step: Step::Member(name) }
    }

    fn item(&'p self, index: usize) -> Path<'p> {
        Path { parent: Some(self), step: Step::Item(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent
            && parent.parent.is_some()
        {
            write!(formatter, "{parent}.")?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => formatter.write_str(name),
            Step::Item(index) => write!(formatter, "{}.member", index + 1),
        }
    }
}

/// Constraints of a text. Lengths are in characters.
pub struct TextRule {
    pub chars_min: usize,
    pub chars_max: usize,
    pub pattern: Option<Pattern>,
    /// Messages do not repeat the value.
    pub sensitive: bool,
}

/// A pattern: the model's regular expression, for messages, and the function that decides.
pub struct Pattern {
    pub source: &'static str,
    pub matches: fn(&str) -> bool,
}

/// Constraints of an integer.
pub struct IntegerRule {
    pub min: Option<i64>,
    pub max: Option<i64>,
}

/// Constraints of a number.
pub struct FloatRule {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// Constraints of the number of items in a list.
pub struct SizeRule {
    pub min: usize,
    pub max: usize,
}

/// What is wrong with a request.
#[derive(Default)]
pub struct Violations {
    count: usize,
    shown: Vec<String>,
}

impl Violations {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// AWS's sentence: `1 validation error detected: Value '…' at '…' failed to satisfy constraint: …`.
    pub fn message(&self) -> String {
        let plural = if self.count == 1 { "" } else { "s" };
        format!("{} validation error{plural} detected: {}", self.count, self.shown.join("; "))
    }

    fn add(&mut self, value: impl FnOnce() -> String, at: &Path<'_>, constraint: fmt::Arguments<'_>) {
        self.count += 1;
        if self.shown.len() < VIOLATIONS_SHOWN_MAX {
            let value = value();
            self.shown.push(format!("Value{value} at '{at}' failed to satisfy constraint: {constraint}"));
        }
    }

    pub fn present<T>(&mut self, value: &Option<T>, at: &Path<'_>) {
        if value.is_none() {
            self.add(|| " null".to_owned(), at, format_args!("Member must not be null"));
        }
    }

    pub fn text(&mut self, value: Option<String>, at: &Path<'_>, rule: &TextRule) -> Option<String> {
        if let Some(text) = &value {
            self.text_ref(text, at, rule);
        }
        value
    }

    fn text_ref(&mut self, text: &str, at: &Path<'_>, rule: &TextRule) {
        let show = || if rule.sensitive { String::new() } else { shown(text) };
        // A character has one to four bytes, so most lengths are decided without counting.
        if text.len() > rule.chars_max && text.chars().count() > rule.chars_max {
            let max = rule.chars_max;
            self.add(show, at, format_args!("Member must have length less than or equal to {max}"));
        }
        if text.len() < rule.chars_min.saturating_mul(4) && text.chars().count() < rule.chars_min {
            let min = rule.chars_min;
            self.add(show, at, format_args!("Member must have length greater than or equal to {min}"));
        }
        if let Some(pattern) = &rule.pattern
            && !(pattern.matches)(text)
        {
            let source = pattern.source;
            self.add(show, at, format_args!("Member must satisfy regular expression pattern: {source}"));
        }
    }

    pub fn one_of<E: Enumeration>(&mut self, value: Option<String>, at: &Path<'_>) -> Option<E> {
        let text = value?;
        let found = E::from_text(&text);
        if found.is_none() {
            let all: Vec<&str> = E::ALL.iter().map(|value| value.as_str()).collect();
            self.add(
                || shown(&text),
                at,
                format_args!("Member must satisfy enum value set: [{}]", all.join(", ")),
            );
        }
        found
    }

    pub fn integer<T: Copy + Into<i64>>(
        &mut self,
        value: Option<T>,
        at: &Path<'_>,
        rule: &IntegerRule,
    ) -> Option<T> {
        let number: i64 = value?.into();
        self.range(number, rule.min, rule.max, at);
        value
    }

    pub fn float(&mut self, value: Option<f64>, at: &Path<'_>, rule: &FloatRule) -> Option<f64> {
        self.range(value?, rule.min, rule.max, at);
        value
    }

    fn range<N: PartialOrd + fmt::Display>(
        &mut self,
        number: N,
        min: Option<N>,
        max: Option<N>,
        at: &Path<'_>,
    ) {
        if let Some(max) = max
            && number > max
        {
            let show = || format!(" '{number}'");
            self.add(show, at, format_args!("Member must have value less than or equal to {max}"));
        }
        if let Some(min) = min
            && number < min
        {
            let show = || format!(" '{number}'");
            self.add(show, at, format_args!("Member must have value greater than or equal to {min}"));
        }
    }

    pub fn nested<W: Wire>(&mut self, value: Option<Object<W>>, at: &Path<'_>) -> Option<W::Checked> {
        value?.0.check(at, self)
    }

    pub fn list<W: Wire>(
        &mut self,
        value: Option<Vec<Option<Object<W>>>>,
        at: &Path<'_>,
        rule: &SizeRule,
    ) -> Option<Vec<W::Checked>> {
        let items = value?;
        self.size(items.len(), at, rule, || {
            let texts: Vec<String> = items
                .iter()
                .map(|item| item.as_ref().map_or("null".to_owned(), |item| item.0.describe()))
                .collect();
            shown(&format!("[{}]", texts.join(", ")))
        });
        let mut checked = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let here = at.item(index);
            self.present(&item, &here);
            checked.extend(item.and_then(|item| item.0.check(&here, self)));
        }
        Some(checked)
    }

    pub fn texts(
        &mut self,
        value: Option<Vec<Option<String>>>,
        at: &Path<'_>,
        rule: &SizeRule,
        item_rule: &TextRule,
    ) -> Option<Vec<String>> {
        let items = value?;
        self.size(items.len(), at, rule, || {
            let texts: Vec<&str> = items.iter().map(|item| item.as_deref().unwrap_or("null")).collect();
            shown(&format!("[{}]", texts.join(", ")))
        });
        let mut checked = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let here = at.item(index);
            self.present(&item, &here);
            checked.extend(self.text(item, &here, item_rule));
        }
        Some(checked)
    }

    fn size(&mut self, len: usize, at: &Path<'_>, rule: &SizeRule, show: impl FnOnce() -> String) {
        if len > rule.max {
            let max = rule.max;
            self.add(show, at, format_args!("Member must have length less than or equal to {max}"));
        } else if len < rule.min {
            let min = rule.min;
            self.add(show, at, format_args!("Member must have length greater than or equal to {min}"));
        }
    }
}

/// The value in quotes after a space, cut off where it is very long.
fn shown(text: &str) -> String {
    let end = text.floor_char_boundary(VALUE_SHOWN_BYTES_MAX);
    let mut out = String::with_capacity(end + 3);
    let _ = write!(out, " '{}'", &text[..end]);
    out
}

/// A member's value as AWS shows it within a list.
pub fn or_null<T: fmt::Display>(value: &Option<T>) -> String {
    value.as_ref().map_or("null".to_owned(), T::to_string)
}

/// The model's patterns, one function for each shape that has one.
pub mod patterns {
    /// `^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`: not only digits.
    pub fn character_restricted_name(text: &str) -> bool {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            && text.bytes().any(|byte| !byte.is_ascii_digit())
    }

    /// `[!-~]+`: printable ASCII without the space.
    pub fn client_token(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// `\p{ASCII}*`
    pub fn trace_header(text: &str) -> bool {
        text.is_ascii()
    }
}
