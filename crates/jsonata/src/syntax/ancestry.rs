//! The parent operator `%`: which step of which path must remember its context, and under which label.

use super::steps::{Kind, NodeData};
use crate::fault::{Fault, Result};

/// One use of `%`.
#[derive(Debug, Clone)]
struct Slot {
    /// How many steps up the parent is, from where the search stands.
    level: i32,
    label: usize,
}

/// All uses of `%` in an expression.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    /// A new use, one level up.
    pub(super) fn add(&mut self) -> usize {
        let number = self.0.len();
        self.0.push(Slot { level: 1, label: number });
        number
    }

    /// The label under which the parent of use `slot` is remembered.
    pub(crate) fn label(&self, slot: usize) -> usize {
        self.0.get(slot).map_or(slot, |slot| slot.label)
    }

    fn level(&mut self, slot: usize) -> &mut i32 {
        // Slots are only ever added, so the number is valid; a spare one keeps this total.
        let index = slot.min(self.0.len().saturating_sub(1));
        &mut self.0[index].level
    }

    /// Looks for the parent of `slot` at `node`, seen from its end.
    pub(super) fn seek(&mut self, node: &mut NodeData, slot: usize) -> Result<()> {
        let position = node.position;
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                *self.level(slot) -= 1;
                if *self.level(slot) == 0 {
                    if let Some(existing) = node.ancestor {
                        let label = self.label(existing);
                        if let Some(slot) = self.0.get_mut(slot) {
                            slot.label = label;
                        }
                    }
                    node.ancestor = Some(slot);
                    node.tuple = true;
                }
            }
            Kind::Parent(_) => *self.level(slot) += 1,
            Kind::Block(expressions) => {
                if let Some(last) = expressions.last_mut() {
                    node.tuple = true;
                    self.seek(last, slot)?;
                }
            }
            Kind::Path(steps) => {
                node.tuple = true;
                let mut rest = steps.iter_mut().rev();
                if let Some(last) = rest.next() {
                    self.seek(last, slot)?;
                }
                for step in rest {
                    if *self.level(slot) <= 0 {
                        break;
                    }
                    self.seek(step, slot)?;
                }
            }
            kind => return Err(Fault::new("S0217").at(position).token(kind.type_name())),
        }
        Ok(())
    }

    /// Looks for the parents that the last step of `path` still misses in the steps before it.
    pub(super) fn resolve(&mut self, path: &mut NodeData) -> Result<()> {
        let Kind::Path(steps) = &mut path.kind else { return Ok(()) };
        let Some(last) = steps.last_mut() else { return Ok(()) };
        let mut slots = last.seeking.clone();
        if let Kind::Parent(slot) = last.kind {
            slots.push(slot);
        }
        for slot in slots {
            let mut index = steps.len() as isize - 2;
            while *self.level(slot) > 0 {
                if index < 0 {
                    path.seeking.push(slot);
                    break;
                }
                let mut at = index as usize;
                index -= 1;
                // Contiguous steps that bind the focus stand on the same context.
                while index >= 0 && steps[at].focus.is_some() && steps[index as usize].focus.is_some() {
                    at = index as usize;
                    index -= 1;
                }
                self.seek(&mut steps[at], slot)?;
            }
        }
        Ok(())
    }

    /// The parents that the predicate of `step` still misses are sought from `step` on.
    pub(super) fn seek_from_predicate(&mut self, step: &mut NodeData, predicate: &NodeData) -> Result<()> {
        if predicate.seeking.is_empty() {
            return Ok(());
        }
        for slot in &predicate.seeking {
            if *self.level(*slot) == 1 {
                self.seek(step, *slot)?;
            } else {
                *self.level(*slot) -= 1;
            }
        }
        push(step, predicate);
        Ok(())
    }
}

/// Parents that `part` misses are also missed by `whole`.
pub(super) fn push(whole: &mut NodeData, part: &NodeData) {
    whole.seeking.extend_from_slice(&part.seeking);
    if let Kind::Parent(slot) = part.kind {
        whole.seeking.push(slot);
    }
}
