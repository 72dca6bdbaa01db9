//! Arrays that an expression makes, with the flags of sequences.

use std::rc::Rc;

use stepwright_value as json;

use super::{Val, from_json};
use crate::fault::{Fault, Result};
use crate::limits::{CONTAINER_BYTES, Charge, ITEM_BYTES, Meter, NESTING_MAX};

/// Made by a path or a function as a sequence: a single item stands for itself, and no item for nothing.
pub(crate) const SEQUENCE: u8 = 1;
/// A sequence that stays an array even with a single item.
pub(crate) const KEEP_SINGLETON: u8 = 2;
/// Made by an array constructor in a path: it is not flattened into the path's result.
pub(crate) const CONS: u8 = 4;
/// The wrapping around an input that is an array, so that it is one item.
pub(crate) const OUTER_WRAPPER: u8 = 8;
/// The items are tuples: values with the variables that travel with them.
pub(crate) const TUPLE_STREAM: u8 = 16;

/// An array that was made. The flags belong to the reference, the items are shared.
#[derive(Clone)]
pub(crate) struct List<'a> {
    data: Rc<Data<'a>>,
    pub(crate) flags: u8,
}

struct Data<'a> {
    items: Vec<Val<'a>>,
    nesting: u16,
    _charge: Charge<'a>,
}

impl<'a> List<'a> {
    pub(crate) fn new(items: Vec<Val<'a>>, flags: u8, meter: &'a Meter<'a>) -> Result<List<'a>> {
        let charge = meter.hold(CONTAINER_BYTES + items.len() * ITEM_BYTES)?;
        List::charged(items, flags, charge)
    }

    fn charged(items: Vec<Val<'a>>, flags: u8, charge: Charge<'a>) -> Result<List<'a>> {
        let nesting = 1 + items.iter().map(Val::nesting).max().unwrap_or(0);
        if nesting > NESTING_MAX {
            return Err(Fault::stack());
        }
        Ok(List { data: Rc::new(Data { items, nesting, _charge: charge }), flags })
    }

    pub(crate) fn items(&self) -> &[Val<'a>] {
        &self.data.items
    }

    pub(crate) fn nesting(&self) -> u16 {
        self.data.nesting
    }

    pub(crate) fn is_same(&self, other: &List<'a>) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
    }
}

/// The items of any array.
#[derive(Clone, Copy)]
pub(crate) enum Items<'v, 'a> {
    Json(&'a [json::Value]),
    Made(&'v [Val<'a>]),
}

impl<'a> Items<'_, 'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Items::Json(items) => items.len(),
            Items::Made(items) => items.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Item `at`; undefined past the end.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Val<'a> {
        match self {
            Items::Json(items) => items.get(at).map_or(Val::Undefined, from_json),
            Items::Made(items) => items.get(at).cloned().unwrap_or_default(),
        }
    }

    /// Whether `test` holds for every item; it sees them in order.
    #[inline]
    pub(crate) fn all(&self, mut test: impl FnMut(&Val<'a>) -> bool) -> bool {
        match self {
            Items::Json(items) => items.iter().all(|item| test(&from_json(item))),
            Items::Made(items) => items.iter().all(test),
        }
    }

    pub(crate) fn to_vec(self) -> Vec<Val<'a>> {
        match self {
            Items::Json(items) => items.iter().map(from_json).collect(),
            Items::Made(items) => items.to_vec(),
        }
    }
}

/// A list that is being made, its growth counted.
pub(crate) struct ListBuilder<'a> {
    items: Vec<Val<'a>>,
    charge: Charge<'a>,
    sequence_max: usize,
}

impl<'a> ListBuilder<'a> {
    pub(crate) fn new(meter: &'a Meter<'a>, sequence_max: usize) -> Result<ListBuilder<'a>> {
        Ok(ListBuilder { items: Vec::new(), charge: meter.hold(CONTAINER_BYTES)?, sequence_max })
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, value: Val<'a>) -> Result<()> {
        if self.items.len() == self.items.capacity() {
            self.grow(1)?;
        }
        self.items.push(value);
        Ok(())
    }

    #[inline]
    pub(crate) fn extend(&mut self, items: Items<'_, 'a>) -> Result<()> {
        if self.items.capacity() - self.items.len() < items.len() {
            self.grow(items.len())?;
        }
        match items {
            Items::Json(items) => self.items.extend(items.iter().map(from_json)),
            Items::Made(items) => self.items.extend_from_slice(items),
        }
        Ok(())
    }

    /// Makes room for `more` items, and for as many again as there are where memory allows.
    #[inline(never)]
    pub(crate) fn grow(&mut self, more: usize) -> Result<()> {
        let wanted = self.items.len() + more;
        if wanted > self.sequence_max {
            return Err(Fault::new("D2015").value(self.sequence_max.to_string()));
        }
        let roomy = wanted.max(self.items.len() * 2).max(4);
        let bytes = |items: usize| CONTAINER_BYTES + items * ITEM_BYTES;
        let room = match self.charge.resize(bytes(roomy)) {
            Ok(()) => roomy,
            Err(_) => {
                self.charge.resize(bytes(wanted))?;
                wanted
            }
        };
        self.charge.meter().spend(more as u64)?;
        self.items.reserve_exact(room - self.items.len());
        Ok(())
    }

    pub(crate) fn finish(self, flags: u8) -> Result<List<'a>> {
        self.charge.resize(CONTAINER_BYTES + self.items.len() * ITEM_BYTES)?;
        List::charged(self.items, flags, self.charge)
    }
}
