//! A JSON object: members in the order they were written.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::Value;

/// Objects with more members than this get an index; below it, a scan is faster and smaller.
const INDEX_FROM: usize = 12;

/// A JSON object. Members keep their order; a key that is set again keeps its first place and takes the new value,
/// which is what AWS does with duplicate keys. Clones share the members until one is changed.
#[derive(Clone, Default)]
pub struct Object(Arc<Members>);

#[derive(Clone, Default)]
struct Members {
    entries: Vec<(Arc<str>, Value)>,
    index: Option<HashMap<Arc<str>, usize>>,
}

impl Object {
    /// An empty object.
    pub fn new() -> Object {
        Object::default()
    }

    /// An empty object with room for `members`.
    pub fn with_capacity(members: usize) -> Object {
        Object(Arc::new(Members { entries: Vec::with_capacity(members), index: None }))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.position(key).map(|at| &self.0.entries[at].1)
    }

    /// As [`Object::get`], looking first at place `hint`, and returning the place where `key` was found: objects that
    /// come together mostly have their members in one order.
    #[inline]
    pub fn get_near(&self, key: &str, hint: usize) -> Option<(usize, &Value)> {
        match self.0.entries.get(hint) {
            Some((candidate, value)) if &**candidate == key => Some((hint, value)),
            _ => self.0.position(key).map(|at| (at, &self.0.entries[at].1)),
        }
    }

    /// Whether there is a member `key`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.position(key).is_some()
    }

    /// Sets `key`, and returns the value it had.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: impl Into<Value>) -> Option<Value> {
        Arc::make_mut(&mut self.0).insert(key.into(), value.into())
    }

    /// The value of `key`, to change in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.0.position(key)?;
        Some(&mut Arc::make_mut(&mut self.0).entries[at].1)
    }

    /// Takes the member `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.position(key)?;
        let members = Arc::make_mut(&mut self.0);
        members.index = None;
        let (_, value) = members.entries.remove(at);
        members.index_if_large();
        Some(value)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> + DoubleEndedIterator {
        self.0.entries.iter().map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.0.entries.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.entries.iter().map(|(_, value)| value)
    }

    /// Whether both are the very same object in memory.
    pub fn ptr_eq(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Members {
    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(candidate, _)| &**candidate == key),
        }
    }

    fn insert(&mut self, key: Arc<str>, value: Value) -> Option<Value> {
        if let Some(at) = self.position(&key) {
            return Some(std::mem::replace(&mut self.entries[at].1, value));
        }
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        if self.index.is_none() {
            self.index_if_large();
        }
        None
    }

    fn index_if_large(&mut self) {
        if self.entries.len() > INDEX_FROM {
            self.index =
                Some(self.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect());
        }
    }
}

impl PartialEq for Object {
    /// By members, whatever their order.
    fn eq(&self, other: &Object) -> bool {
        self.ptr_eq(other)
            || (self.len() == other.len()
                && self.iter().all(|(key, value)| other.get(key).is_some_and(|theirs| theirs == value)))
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Object {
        let members = members.into_iter();
        let mut object = Members { entries: Vec::with_capacity(members.size_hint().0), index: None };
        for (key, value) in members {
            object.insert(key.into(), value.into());
        }
        Object(Arc::new(object))
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_duplicates() {
        let mut object: Object = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(Value::from(object.clone()).to_string(), r#"{"b":3,"a":2}"#);
        for n in 0..40 {
            object.insert(format!("k{n}"), n);
        }
        assert_eq!(object.get("k39"), Some(&Value::from(39)));
        assert_eq!(object.remove("k3"), Some(Value::from(3)));
        assert_eq!(object.get("k39"), Some(&Value::from(39)));
        assert_eq!(object.get("k3"), None);
        assert_eq!(object.len(), 41);
    }
}
