//! Sectors: the unit in which a disk writes, each saying by itself whose it is.
//!
//! A crash leaves every sector of what was being written either as it is to be or as it was before. So a sector is that of a
//! record, or that of an older one, or zeros; whatever else is found was not left by a crash but is damage.
//!
//! | bytes | |
//! |---|---|
//! | 0..496 | data |
//! | 496..504 | position of the record |
//! | 504..508 | place among the record's sectors, from 0 |
//! | 508..512 | CRC-32 of all before; in the first sector without its first 8 bytes, which [`super::record`] sees to |

pub(super) const SECTOR_BYTES: usize = 512;
pub(super) const DATA_BYTES: usize = 496;
const CHECKSUM_AT: usize = 508;
const UNCHECKED_BYTES: usize = 8;

/// A sector as it lies in a file.
pub(super) type Sector = [u8; SECTOR_BYTES];

/// What a sector says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Never written.
    Zeros,
    /// Part of a record.
    Part { position: u64, place: u32 },
    /// Not what was written.
    Damaged,
}

/// Writes the mark of the sector.
pub(super) fn mark(sector: &mut Sector, position: u64, place: u32) {
    if let Some(mark) = sector.get_mut(DATA_BYTES..CHECKSUM_AT) {
        let (before, after) = mark.split_at_mut(8);
        before.copy_from_slice(&position.to_le_bytes());
        after.copy_from_slice(&place.to_le_bytes());
    }
    let checksum = checksum(sector, place);
    if let Some(last) = sector.last_chunk_mut::<4>() {
        *last = checksum.to_le_bytes();
    }
}

pub(super) fn kind(sector: &Sector) -> Kind {
    let position = sector.get(DATA_BYTES..).and_then(|rest| rest.first_chunk::<8>());
    let place = sector.get(DATA_BYTES + 8..).and_then(|rest| rest.first_chunk::<4>());
    let (Some(position), Some(place), Some(written)) = (position, place, sector.last_chunk::<4>()) else {
        return Kind::Damaged;
    };
    let (position, place) = (u64::from_le_bytes(*position), u32::from_le_bytes(*place));
    if position != 0 && checksum(sector, place) == u32::from_le_bytes(*written) {
        return Kind::Part { position, place };
    }
    if sector.iter().all(|byte| *byte == 0) { Kind::Zeros } else { Kind::Damaged }
}

fn checksum(sector: &Sector, place: u32) -> u32 {
    let from = if place == 0 { UNCHECKED_BYTES } else { 0 };
    crc32fast::hash(sector.get(from..CHECKSUM_AT).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_says_whose_it_is_or_that_it_is_damaged() {
        assert_eq!(kind(&[0; SECTOR_BYTES]), Kind::Zeros);
        for place in [0, 1, u32::MAX] {
            let mut sector = [7; SECTOR_BYTES];
            mark(&mut sector, 1 << 40, place);
            assert_eq!(kind(&sector), Kind::Part { position: 1 << 40, place });
            let unchecked = if place == 0 { UNCHECKED_BYTES * 8 } else { 0 };
            for bit in unchecked..SECTOR_BYTES * 8 {
                let mut flipped = sector;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(kind(&flipped), Kind::Damaged, "bit {bit}");
            }
        }
    }
}
