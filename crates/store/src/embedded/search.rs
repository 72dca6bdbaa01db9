//! Searching: where to look first, and how far.
//!
//! Of what is said of the wanted executions, one part leads: the one that fits the fewest, as far as that is known at once. Its
//! executions are looked at one after the other, newest first, and those are taken that fit in all else. Every way of leading
//! goes along an index, and looking ends after a bounded number of executions: the page is then a short one.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params, params_from_iter};

use super::name;
use super::read::{self, RawRow, column};
use crate::{Counts, ExecutionKey, Found, Search, Status, StoreError};

/// Executions that are looked at for one page.
const LOOKED_AT_MAX: usize = 1_000;
/// Executions of one term or prefix that are counted to find out what leads.
const COUNTED_MAX: usize = 1_000;
/// Machines that lead together; of more, the time leads.
const MACHINES_MAX: usize = 16;

/// A place in the order: start and key.
type Place = (i64, i64);

/// What leads.
enum Lead {
    /// Nothing fits.
    Nobody,
    /// These alone, newest first.
    Places(Vec<Place>),
    /// The executions that have a term.
    Term(i64),
    /// Those of some machines, by number.
    Machines(Vec<i64>),
    Everybody,
}

pub(super) fn search(connection: &Connection, search: &Search) -> Result<Found, StoreError> {
    let mut terms = Vec::with_capacity(search.terms.len());
    for (field, value) in &search.terms {
        let mut find = connection.prepare_cached("SELECT id FROM term WHERE field = ?1 AND value = ?2")?;
        match find.query_row([field, value], |row| row.get::<_, i64>(0)).optional()? {
            Some(term) => terms.push(term),
            None => return Ok(Found::default()),
        }
    }
    let lead = lead(connection, search, &terms)?;
    let mut look =
        Look { search, terms, row: connection.prepare_cached(read::ROW)?, found: Found::default() };
    let mut has_term =
        connection.prepare_cached("SELECT 1 FROM termed WHERE term = ?1 AND start_ms = ?2 AND key = ?3")?;
    let mut looked_at = 0;
    let mut last = None;
    let mut each = |place: Place| -> Result<bool, StoreError> {
        if look.found.items.len() >= search.limit || looked_at >= LOOKED_AT_MAX {
            look.found.next = last;
            return Ok(false);
        }
        looked_at += 1;
        last = Some((place.0, read::key(place.1)?));
        look.at(place, &mut has_term)?;
        Ok(true)
    };
    match lead {
        Lead::Nobody => {}
        Lead::Places(places) => {
            for place in places {
                if !each(place)? {
                    break;
                }
            }
        }
        lead => along(connection, search, &lead, &mut each)?,
    }
    Ok(look.found)
}

/// What looks at executions.
struct Look<'s> {
    search: &'s Search,
    terms: Vec<i64>,
    row: CachedStatement<'s>,
    found: Found,
}

impl Look<'_> {
    /// Takes the execution if it fits.
    fn at(&mut self, (start_ms, key): Place, has_term: &mut CachedStatement<'_>) -> Result<(), StoreError> {
        for term in &self.terms {
            if !has_term.exists([*term, start_ms, key])? {
                return Ok(());
            }
        }
        let Some(row) = self.row.query_row([key], RawRow::read).optional()? else { return Ok(()) };
        let execution = row.decode()?;
        if self.search.fits(&execution) {
            self.found.items.push(execution);
        }
        Ok(())
    }
}

fn lead(connection: &Connection, search: &Search, terms: &[i64]) -> Result<Lead, StoreError> {
    let mut best = (usize::MAX, Lead::Everybody);
    for term in terms {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM termed WHERE term = ?1 LIMIT ?2)";
        let count = connection
            .prepare_cached(sql)?
            .query_row([*term, COUNTED_MAX as i64], |row| row.get::<_, i64>(0))?;
        let count = usize::try_from(count).unwrap_or(0);
        if count < best.0 {
            best = (count, Lead::Term(*term));
        }
    }
    if let Some(machines) = &search.machines {
        let numbers = numbers(connection, machines)?;
        if numbers.is_empty() {
            return Ok(Lead::Nobody);
        }
        if numbers.len() <= MACHINES_MAX {
            let count = of_machines(connection, &numbers, search.status)?;
            if count < best.0 {
                best = (count, Lead::Machines(numbers));
            }
        }
    }
    if let Some(prefix) = search.name_prefix.as_deref().filter(|prefix| !prefix.is_empty())
        && best.0 > 0
        && let Some(places) = named(connection, search, prefix)?
        && places.len() < best.0
    {
        best = (0, Lead::Places(places));
    }
    Ok(best.1)
}

/// The numbers of machines.
fn numbers(connection: &Connection, machines: &BTreeSet<Arc<str>>) -> Result<Vec<i64>, StoreError> {
    let mut find = connection.prepare_cached("SELECT id FROM machine WHERE name = ?1")?;
    let mut numbers = Vec::new();
    for machine in machines {
        numbers.extend(find.query_row([machine], |row| row.get::<_, i64>(0)).optional()?);
    }
    Ok(numbers)
}

fn of_machines(
    connection: &Connection,
    machines: &[i64],
    status: Option<Status>,
) -> Result<usize, StoreError> {
    let mut sum = connection.prepare_cached(
        "SELECT coalesce(sum(count), 0) FROM tally WHERE machine = ?1 AND (?2 IS NULL OR status = ?2)",
    )?;
    let mut count = 0;
    for machine in machines {
        let of_one: i64 =
            sum.query_row(params![machine, status.map(|status| status as u8)], |row| row.get(0))?;
        count += usize::try_from(of_one).unwrap_or(0);
    }
    Ok(count)
}

/// The executions whose name begins with the prefix, newest first, within what is searched; `None`: there are many.
fn named(connection: &Connection, search: &Search, prefix: &str) -> Result<Option<Vec<Place>>, StoreError> {
    let mut keys: Vec<i64> = Vec::new();
    let limit = COUNTED_MAX as i64;
    let mut texts = connection.prepare_cached(
        "SELECT key, name FROM execution INDEXED BY execution_by_name WHERE name >= ?1 AND name < x'' LIMIT ?2",
    )?;
    let mut rows = texts.query(params![prefix, limit])?;
    while let Some(row) = rows.next()? {
        if !name::name(row.get_ref(1)?).map_err(rusqlite::Error::from)?.starts_with(prefix) {
            break;
        }
        keys.push(row.get(0)?);
    }
    if let Some((first, last)) = name::uuids(prefix) {
        let mut uuids = connection.prepare_cached(
            "SELECT key FROM execution INDEXED BY execution_by_name WHERE name BETWEEN ?1 AND ?2 LIMIT ?3",
        )?;
        let mut rows = uuids.query(params![first, last, limit])?;
        while let Some(row) = rows.next()? {
            keys.push(row.get(0)?);
        }
    }
    if keys.len() >= COUNTED_MAX {
        return Ok(None);
    }
    let (before, from_ms) = bounds(search);
    let mut start = connection.prepare_cached("SELECT start_ms FROM execution WHERE key = ?1")?;
    let mut places = Vec::with_capacity(keys.len());
    for key in keys {
        let place = (start.query_row([key], |row| row.get(0))?, key);
        if place < before && place.0 >= from_ms {
            places.push(place);
        }
    }
    places.sort_unstable_by(|one, other| other.cmp(one));
    Ok(Some(places))
}

/// Before which place, and from which start on, executions are wanted.
fn bounds(search: &Search) -> (Place, i64) {
    let after = search
        .after
        .map_or((i64::MAX, i64::MAX), |(start_ms, key): (i64, ExecutionKey)| (start_ms, column(key)));
    // No key is negative.
    let until = search.until_ms.map_or((i64::MAX, i64::MAX), |until_ms| (until_ms, -1));
    (after.min(until), search.from_ms.unwrap_or(i64::MIN))
}

/// Goes through the places to which an index leads, newest first, as long as `each` wants more.
fn along(
    connection: &Connection,
    search: &Search,
    lead: &Lead,
    each: &mut dyn FnMut(Place) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let (before, from_ms) = bounds(search);
    let mut values: Vec<Value> = vec![before.0.into(), before.1.into(), from_ms.into()];
    let within = "(start_ms, key) < (?1, ?2) AND start_ms >= ?3";
    let statuses = search.status.map_or(Status::ALL.to_vec(), |status| vec![status]);
    let statuses = || statuses.iter().map(|status| *status as u8);
    let ranges: Vec<String> = match lead {
        Lead::Term(term) => {
            values.push((*term).into());
            vec![format!("SELECT start_ms, key FROM termed WHERE term = ?4 AND {within}")]
        }
        Lead::Machines(machines) => {
            values.extend(machines.iter().map(|machine| Value::from(*machine)));
            let range = |parameter: usize, status: u8| {
                format!(
                    "SELECT start_ms, key FROM execution WHERE machine = ?{parameter} AND status = {status} AND {within}"
                )
            };
            let machines = (4..).take(machines.len());
            machines.flat_map(|parameter| statuses().map(move |status| range(parameter, status))).collect()
        }
        _ => statuses()
            .map(|status| format!("SELECT start_ms, key FROM execution WHERE status = {status} AND {within}"))
            .collect(),
    };
    let sql = format!("{} ORDER BY start_ms DESC, key DESC", ranges.join(" UNION ALL "));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        if !each((row.get(0)?, row.get(1)?))? {
            break;
        }
    }
    Ok(())
}

pub(super) fn counts(
    connection: &Connection,
    machines: Option<&BTreeSet<Arc<str>>>,
) -> Result<Counts, StoreError> {
    let mut counts = Counts::new();
    let mut add = |row: &rusqlite::Row<'_>| -> Result<(), StoreError> {
        let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        *counts.entry(read::status(row.get(0)?)?).or_default() += count;
        Ok(())
    };
    match machines {
        None => {
            let mut all =
                connection.prepare_cached("SELECT status, sum(count) FROM tally GROUP BY status")?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                add(row)?;
            }
        }
        Some(machines) => {
            let mut of_one =
                connection.prepare_cached("SELECT status, count FROM tally WHERE machine = ?1")?;
            for machine in numbers(connection, machines)? {
                let mut rows = of_one.query([machine])?;
                while let Some(row) = rows.next()? {
                    add(row)?;
                }
            }
        }
    }
    Ok(counts)
}
