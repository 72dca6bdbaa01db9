//! Timestamps on the wire.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970; on the wire a number of seconds with a fraction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(pub i64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Exact to the millisecond for any time until the year 287396 (2^53 ms).
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        f64::deserialize(deserializer).map(|seconds| Timestamp((seconds * 1000.0).round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (ms, text) in
            [(1_700_000_000_123, "1700000000.123"), (1_700_000_000_000, "1700000000.0"), (0, "0.0")]
        {
            assert_eq!(serde_json::to_string(&Timestamp(ms)).unwrap(), text);
            assert_eq!(serde_json::from_str::<Timestamp>(text).unwrap(), Timestamp(ms));
        }
    }
}
