//! The checksum at the end of every blob: CRC-32 over the blob and the place where it belongs, so that neither a flipped
//! bit nor a blob in the wrong row is taken for the truth.

use crate::StoreError;

const CHECKSUM_BYTES: usize = 4;

/// Puts the blob with its checksum into `sealed`, which is emptied before.
pub(super) fn seal<'b>(place: i64, data: &[u8], sealed: &'b mut Vec<u8>) -> &'b [u8] {
    sealed.clear();
    sealed.extend_from_slice(data);
    sealed.extend_from_slice(&checksum(place, data));
    sealed
}

/// The blob without its checksum.
pub(super) fn unseal(place: i64, what: &str, mut sealed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let Some((data, written)) = sealed.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(StoreError::Corrupt(format!("{what} is cut off")));
    };
    if *written != checksum(place, data) {
        return Err(StoreError::Corrupt(format!("{what} does not match its checksum")));
    }
    sealed.truncate(data.len());
    Ok(sealed)
}

fn checksum(place: i64, data: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.to_le_bytes());
    hasher.update(data);
    hasher.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_blob_is_read_only_whole_and_in_its_place() {
        let mut sealed = Vec::new();
        for data in [&b""[..], b"x", b"some events"] {
            let bytes = seal(7, data, &mut sealed).to_vec();
            assert_eq!(unseal(7, "blob", bytes.clone()).unwrap(), data);
            assert!(unseal(8, "blob", bytes.clone()).is_err());
            assert!(unseal(7, "blob", bytes[1..].to_vec()).is_err());
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(unseal(7, "blob", flipped).is_err(), "bit {bit}");
            }
        }
    }
}
