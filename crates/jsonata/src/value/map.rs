//! Objects that an expression makes. They change in place only within a transform (`|...|...|`), which works on a copy
//! of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use stepwright_value as json;

use super::{Text, Val, from_json};
use crate::fault::{Fault, Result};
use crate::limits::{CONTAINER_BYTES, Charge, ITEM_BYTES, Meter, NESTING_MAX};

/// Objects with more members than this get an index.
const INDEX_FROM: usize = 12;

/// An object that was made: members in the order in which their keys first came.
pub(crate) struct Map<'a> {
    inner: RefCell<Inner<'a>>,
    charge: Charge<'a>,
}

#[derive(Default)]
struct Inner<'a> {
    entries: Vec<(Text<'a>, Val<'a>)>,
    index: Option<HashMap<Rc<str>, usize>>,
    nesting: u16,
    bytes: usize,
}

impl<'a> Map<'a> {
    pub(crate) fn new(meter: &'a Meter<'a>) -> Result<Map<'a>> {
        let inner = RefCell::new(Inner { nesting: 1, bytes: CONTAINER_BYTES, ..Inner::default() });
        Ok(Map { inner, charge: meter.hold(CONTAINER_BYTES)? })
    }

    pub(crate) fn with_capacity(members: usize, meter: &'a Meter<'a>) -> Result<Map<'a>> {
        let map = Map::new(meter)?;
        map.inner.borrow_mut().entries.reserve_exact(members);
        Ok(map)
    }

    pub(crate) fn len(&self) -> usize {
        self.inner.borrow().entries.len()
    }

    pub(crate) fn nesting(&self) -> u16 {
        self.inner.borrow().nesting
    }

    pub(crate) fn get(&self, key: &str) -> Option<Val<'a>> {
        let inner = self.inner.borrow();
        inner.position(key).and_then(|at| inner.entries.get(at)).map(|(_, value)| value.clone())
    }

    /// Shows every member to `see`, which must not change this object.
    pub(crate) fn visit(&self, mut see: impl FnMut(&Text<'a>, &Val<'a>) -> Result<()>) -> Result<()> {
        self.inner.borrow().entries.iter().try_for_each(|(key, value)| see(key, value))
    }

    pub(crate) fn insert(&self, key: Text<'a>, value: Val<'a>) -> Result<()> {
        let mut inner = self.inner.borrow_mut();
        inner.nesting = inner.nesting.max(1 + value.nesting());
        if inner.nesting > NESTING_MAX {
            return Err(Fault::stack());
        }
        match inner.position(key.as_str()) {
            Some(at) => {
                if let Some(entry) = inner.entries.get_mut(at) {
                    entry.1 = value;
                }
            }
            None => {
                inner.bytes += ITEM_BYTES + key.as_str().len();
                self.charge.resize(inner.bytes)?;
                let at = inner.entries.len();
                if let Some(index) = &mut inner.index {
                    index.insert(key.as_str().into(), at);
                }
                inner.entries.push((key, value));
                inner.index_if_large();
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&self, key: &str) {
        let mut inner = self.inner.borrow_mut();
        if let Some(at) = inner.position(key) {
            inner.entries.remove(at);
            inner.index = None;
            inner.index_if_large();
        }
    }
}

impl Inner<'_> {
    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(candidate, _)| candidate.as_str() == key),
        }
    }

    fn index_if_large(&mut self) {
        if self.index.is_none() && self.entries.len() > INDEX_FROM {
            let places = self.entries.iter().enumerate().map(|(at, (key, _))| (key.as_str().into(), at));
            self.index = Some(places.collect());
        }
    }
}

/// The members of any object.
pub(crate) enum Members<'v, 'a> {
    Json(&'a json::Object),
    Made(&'v Map<'a>),
}

impl<'a> Members<'_, 'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Members::Json(object) => object.len(),
            Members::Made(map) => map.len(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Val<'a>> {
        match self {
            Members::Json(object) => object.get(key).map(from_json),
            Members::Made(map) => map.get(key),
        }
    }

    /// All members. Made objects may change meanwhile, so their members are copied out.
    pub(crate) fn to_vec(&self) -> Vec<(Text<'a>, Val<'a>)> {
        match self {
            Members::Json(object) => {
                object.iter().map(|(key, value)| (Text::Shared(key), from_json(value))).collect()
            }
            Members::Made(map) => map.inner.borrow().entries.clone(),
        }
    }
}
