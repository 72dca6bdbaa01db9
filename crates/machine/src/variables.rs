//! Workflow variables: a frame per line of states. A line reads its own and the outer frames; it sets its own only.

use std::sync::Arc;

use stepwright_value::{Value, written_len};

/// The variables of one line, and where it goes on to look.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Frame {
    pub outer: Option<Arc<Frame>>,
    /// In the order in which they were first set. Few, so a scan is the fastest search.
    pub own: Vec<(Arc<str>, Value)>,
}

impl Frame {
    pub fn empty() -> Arc<Frame> {
        Arc::new(Frame::default())
    }

    /// A frame inside `outer`; shares `outer` while nothing is set in it.
    pub fn inside(outer: &Arc<Frame>) -> Arc<Frame> {
        if outer.own.is_empty() {
            // Nothing to see in this frame: look where it would look.
            return Arc::new(Frame { outer: outer.outer.clone(), own: Vec::new() });
        }
        Arc::new(Frame { outer: Some(outer.clone()), own: Vec::new() })
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut frame = self;
        loop {
            if let Some((_, value)) = frame.own.iter().find(|(candidate, _)| &**candidate == name) {
                return Some(value);
            }
            frame = frame.outer.as_deref()?;
        }
    }

    pub fn set(&mut self, name: &Arc<str>, value: Value) {
        match self.own.iter_mut().find(|(candidate, _)| candidate == name) {
            Some((_, place)) => *place = value,
            None => self.own.push((name.clone(), value)),
        }
    }

    /// All variables in reach; an inner one hides an outer one of the same name.
    pub fn visible(&self) -> Vec<(&Arc<str>, &Value)> {
        let mut all: Vec<(&Arc<str>, &Value)> = Vec::new();
        let mut frame = Some(self);
        while let Some(at) = frame {
            for (name, value) in &at.own {
                if !all.iter().any(|(known, _)| *known == name) {
                    all.push((name, value));
                }
            }
            frame = at.outer.as_deref();
        }
        all
    }

    /// No less than the JSON bytes of all variables in reach.
    pub fn bytes_at_most(&self) -> usize {
        self.visible().iter().map(|(_, value)| written_len(value)).sum()
    }
}

impl stepwright_jsonpath::Variables for Frame {
    fn get(&self, name: &str) -> Option<Value> {
        Frame::get(self, name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_frames_read_outer_ones() {
        let mut outer = Frame::default();
        outer.set(&"a".into(), 1.into());
        outer.set(&"b".into(), 2.into());
        let outer = Arc::new(outer);
        let mut inner = (*Frame::inside(&outer)).clone();
        inner.set(&"b".into(), 3.into());
        assert_eq!(inner.get("a"), Some(&1.into()));
        assert_eq!(inner.get("b"), Some(&3.into()));
        assert_eq!(outer.get("b"), Some(&2.into()));
        assert_eq!(inner.get("c"), None);
        assert_eq!(inner.visible().len(), 2);
        assert_eq!(inner.bytes_at_most(), 2);
    }
}
