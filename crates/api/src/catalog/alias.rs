//! Aliases: names that route to one or two versions.

use stepwright_formats::FormatError;
use stepwright_formats::catalog as format;
use stepwright_store::CatalogKind;

use super::records::Record;
use super::words;
use crate::model::RoutingConfigurationListItem;

/// An alias.
#[derive(Clone, PartialEq, Debug)]
pub struct Alias {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    /// One or two versions; the weights add up to 100.
    pub routing: Vec<RoutingConfigurationListItem>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub updated_ms: i64,
}

impl Alias {
    /// The version for a draw between 0 and 99.
    pub fn route(&self, draw: u32) -> Option<&str> {
        let mut below = 0;
        for item in &self.routing {
            below += u32::try_from(item.weight).unwrap_or(0);
            if draw < below {
                return Some(&item.state_machine_version_arn);
            }
        }
        self.routing.last().map(|item| item.state_machine_version_arn.as_str())
    }
}

impl Record for Alias {
    const KIND: CatalogKind = CatalogKind::Alias;

    type Stored = format::Alias;

    fn to_stored(&self) -> format::Alias {
        format::Alias {
            arn: self.arn.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            routing: self.routing.iter().map(words::route).collect(),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
        }
    }

    fn from_stored(stored: format::Alias) -> Result<Alias, FormatError> {
        Ok(Alias {
            arn: stored.arn,
            name: stored.name,
            description: stored.description,
            routing: stored.routing.into_iter().map(words::of_route).collect(),
            created_ms: stored.created_ms,
            updated_ms: stored.updated_ms,
        })
    }

    fn key(&self) -> String {
        self.arn.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_by_weight() {
        let item = |version: &str, weight| RoutingConfigurationListItem {
            state_machine_version_arn: version.to_owned(),
            weight,
        };
        let alias = Alias {
            arn: String::new(),
            name: String::new(),
            description: None,
            routing: vec![item("one", 30), item("two", 70)],
            created_ms: 0,
            updated_ms: 0,
        };
        for (draw, version) in [(0, "one"), (29, "one"), (30, "two"), (99, "two"), (100, "two")] {
            assert_eq!(alias.route(draw), Some(version), "{draw}");
        }
    }
}
