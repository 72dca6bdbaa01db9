//! Tags of a resource.

use stepwright_formats::FormatError;
use stepwright_formats::catalog as format;
use stepwright_store::CatalogKind;

use super::records::Record;
use crate::model::Tag;

/// Tags of one resource (quota "Tags per resource").
pub const TAGS_MAX: usize = 50;

/// The tags of one resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tags {
    /// The resource's ARN.
    pub arn: String,
    /// Keys and values in the order in which the keys were first set.
    pub entries: Vec<(String, String)>,
}

impl Record for Tags {
    const KIND: CatalogKind = CatalogKind::Tags;

    type Stored = format::Tags;

    fn to_stored(&self) -> format::Tags {
        format::Tags { arn: self.arn.clone(), entries: self.entries.clone() }
    }

    fn from_stored(stored: format::Tags) -> Result<Tags, FormatError> {
        Ok(Tags { arn: stored.arn, entries: stored.entries })
    }

    fn key(&self) -> String {
        self.arn.clone()
    }
}

impl Tags {
    /// Sets each tag, the later of two with one key last. A tag without a value has an empty one.
    pub fn set(&mut self, tags: Vec<Tag>) {
        for tag in tags {
            let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
            match self.entries.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => entry.1 = value,
                None => self.entries.push((key, value)),
            }
        }
    }

    pub fn remove(&mut self, keys: &[String]) {
        self.entries.retain(|(key, _)| !keys.contains(key));
    }

    pub fn into_list(self) -> Vec<Tag> {
        self.entries.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
    }
}
