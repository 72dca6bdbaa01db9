//! What has a name and outlives executions: state machines with their revisions, versions and aliases, activities, and
//! tags. Kept as catalogue records of the store; executions are none of its business.

mod activity;
mod alias;
mod machine;
mod records;
mod store;
mod tags;
mod version;
mod words;

pub use activity::Activity;
pub use alias::Alias;
pub use machine::{Machine, MachineEntry, Published};
pub(crate) use records::decode;
pub use records::{Catalog, Record};
pub use store::{CatalogStore, CatalogWrite, StoredCatalog, WriteError};
pub use tags::{TAGS_MAX, Tags};
pub use version::Version;
