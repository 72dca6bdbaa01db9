//! Reading a request's body, within limits.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Limits;
use crate::error::{ApiError, ProtocolError};

/// Bodies up to this size do not count towards [`Limits::bodies_bytes_max`].
const SMALL_BODY_BYTES: u64 = 64 << 10;

/// A body, with its share of the memory for large ones.
pub struct Received<'s> {
    pub bytes: Bytes,
    _share: Option<SemaphorePermit<'s>>,
}

/// Whether a body takes of the memory for large ones.
pub fn is_large(body: &Incoming) -> bool {
    body.size_hint().upper().is_none_or(|bytes| bytes > SMALL_BODY_BYTES)
}

/// Lets a body go by, so that the client comes to read why it is not wanted.
pub async fn discard(mut body: Incoming, limits: &Limits) {
    let going_by = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await
            && bytes <= limits.body_bytes_max
        {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // However it ends, the refusal is what the client gets.
    let _ = tokio::time::timeout(limits.body_timeout, going_by).await;
}

/// Reads the whole body.
pub async fn read<'s>(
    body: Incoming,
    limits: &Limits,
    bodies: &'s Semaphore,
) -> Result<Received<'s>, ApiError> {
    // A body without a length can become as long as the longest.
    let expected = body.size_hint().upper().unwrap_or(limits.body_bytes_max as u64);
    if expected > limits.body_bytes_max as u64 {
        return Err(too_large(limits));
    }
    let reading = async {
        let share = if expected > SMALL_BODY_BYTES {
            let kib = u32::try_from(expected >> 10).unwrap_or(u32::MAX);
            Some(bodies.acquire_many(kib).await.map_err(ApiError::internal)?)
        } else {
            None
        };
        Ok(Received { bytes: collect(body, limits).await?, _share: share })
    };
    match tokio::time::timeout(limits.body_timeout, reading).await {
        Ok(received) => received,
        Err(_) => Err(ApiError::protocol(
            ProtocolError::RequestTimeout,
            "The request's body did not arrive in time.",
        )),
    }
}

async fn collect(mut body: Incoming, limits: &Limits) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let broken = |error| ApiError::protocol(ProtocolError::Serialization, format!("{error}"));
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        let so_far = all.as_ref().map_or(first.len(), BytesMut::len);
        if so_far + data.len() > limits.body_bytes_max {
            return Err(too_large(limits));
        }
        match &mut all {
            Some(all) => all.extend_from_slice(&data),
            // Most bodies are one piece, which need not be copied.
            None if first.is_empty() => first = data,
            None => {
                let mut joined = BytesMut::from(first.as_ref());
                joined.extend_from_slice(&data);
                all = Some(joined);
            }
        }
    }
    Ok(all.map_or(first, BytesMut::freeze))
}

fn too_large(limits: &Limits) -> ApiError {
    ApiError::protocol(
        ProtocolError::RequestEntityTooLarge,
        format!("The request's body is longer than {} bytes.", limits.body_bytes_max),
    )
}
