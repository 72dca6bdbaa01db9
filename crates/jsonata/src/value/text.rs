//! Texts: of the input, of the expression, or made.

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use crate::fault::Result;
use crate::limits::{Charge, Meter};

/// A text.
#[derive(Clone)]
pub(crate) enum Text<'a> {
    /// Of the input or the expression: leaves as it came, without a copy.
    Shared(&'a Arc<str>),
    Static(&'static str),
    /// One character, without allocation: its bytes and their number.
    Short([u8; 7], u8),
    Made(Rc<Made<'a>>),
}

#[derive(Debug)]
pub(crate) struct Made<'a> {
    text: Box<str>,
    _charge: Charge<'a>,
}

impl<'a> Text<'a> {
    /// A text that the expression made.
    pub(crate) fn new(text: String, meter: &'a Meter<'a>) -> Result<Text<'a>> {
        if text.len() <= 7 {
            return Ok(Text::short(&text));
        }
        let charge = meter.hold(text.len())?;
        Ok(Text::Made(Rc::new(Made { text: text.into_boxed_str(), _charge: charge })))
    }

    /// A copy of `text`.
    pub(crate) fn copy(text: &str, meter: &'a Meter<'a>) -> Result<Text<'a>> {
        if text.len() <= 7 {
            return Ok(Text::short(text));
        }
        let charge = meter.hold(text.len())?;
        Ok(Text::Made(Rc::new(Made { text: text.into(), _charge: charge })))
    }

    fn short(text: &str) -> Text<'a> {
        let mut bytes = [0; 7];
        let length = text.len().min(7);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Text::Short(bytes, length as u8)
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Shared(text) => text,
            Text::Static(text) => text,
            // Always whole characters, put there by `short`.
            Text::Short(bytes, length) => {
                std::str::from_utf8(bytes.get(..usize::from(*length)).unwrap_or_default()).unwrap_or_default()
            }
            Text::Made(made) => &made.text,
        }
    }

    /// The text to keep beyond the evaluation.
    pub(crate) fn to_arc(&self) -> Arc<str> {
        match self {
            Text::Shared(text) => Arc::clone(text),
            _ => self.as_str().into(),
        }
    }
}

/// The order of JavaScript: by UTF-16 code units.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    // Code units and code points only differ in order above the surrogates.
    let plain = |text: &str| text.bytes().all(|byte| byte < 0xEE);
    if plain(a) && plain(b) {
        return a.cmp(b);
    }
    a.encode_utf16().cmp(b.encode_utf16())
}
