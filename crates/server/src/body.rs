//! Reading a request's body, within limits.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::Notify;

use crate::Limits;
use crate::budget::{Budget, SMALL_BYTES};
use crate::error::{ProtocolError, ServerError};
use crate::meter::Meter;

/// How many times the longest body is let go by before the connection is closed instead.
const DISCARDED_BODIES: usize = 16;

/// Whether a body takes of the memory for large ones.
pub fn is_large(body: &Incoming) -> bool {
    body.size_hint().upper().is_none_or(|bytes| bytes > SMALL_BYTES as u64)
}

/// Lets a body go by, so that the client comes to read why it is not wanted.
pub async fn discard(mut body: Incoming, limits: &Limits) {
    let going_by = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await
            && bytes <= limits.body_bytes_max.saturating_mul(DISCARDED_BODIES)
        {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // However it ends, the refusal is what the client gets.
    let _ = tokio::time::timeout(limits.body_timeout, going_by).await;
}

/// Reads bodies for one connection.
pub struct Reader<'s> {
    pub limits: &'s Limits,
    pub budget: &'s Arc<Budget>,
    /// Counts what the connection receives.
    pub meter: &'s Arc<Meter>,
}

/// How reading ended.
enum End {
    Whole(Bytes),
    TooLarge,
}

impl Reader<'_> {
    /// The whole body. While it is held, so is its memory.
    pub async fn read(&self, mut body: Incoming) -> Result<Bytes, ServerError> {
        let announced = body.size_hint().upper();
        if announced.is_some_and(|bytes| bytes > self.limits.body_bytes_max as u64) {
            return Err(self.too_large());
        }
        // A body without a length can become as long as the longest.
        let expected = announced.map_or(self.limits.body_bytes_max, |bytes| bytes as usize);
        let timely = tokio::time::timeout(self.limits.body_timeout, self.receive(&mut body, expected)).await;
        match timely {
            Ok(Ok(End::Whole(bytes))) => Ok(bytes),
            Ok(Ok(End::TooLarge)) => Err(self.too_large()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.too_slow("The request's body did not arrive in time.")),
        }
    }

    /// What has come takes memory, not what was promised: a large body gets its own once its beginning is there.
    async fn receive(&self, body: &mut Incoming, expected: usize) -> Result<End, ServerError> {
        let mut first = Bytes::new();
        while let Some(data) = next(body).await? {
            // Most bodies are one piece, which need not be copied.
            if first.is_empty() && data.len() <= SMALL_BYTES {
                first = data;
                continue;
            }
            if first.len() + data.len() > SMALL_BYTES {
                return self.receive_large(body, expected, &[first, data]).await;
            }
            let mut joined = BytesMut::from(first);
            joined.extend_from_slice(&data);
            first = joined.freeze();
        }
        Ok(End::Whole(first))
    }

    async fn receive_large(
        &self,
        body: &mut Incoming,
        expected: usize,
        begun: &[Bytes],
    ) -> Result<End, ServerError> {
        let mut share = self.budget.reserve(expected).await?;
        let cut_off = Arc::new(Notify::new());
        share.begin_turn(self.meter, &cut_off);
        let mut all = BytesMut::with_capacity(expected);
        for data in begun {
            all.extend_from_slice(data);
        }
        while all.len() <= self.limits.body_bytes_max {
            let data = tokio::select! {
                biased;
                data = next(body) => data?,
                () = cut_off.notified() => return Err(self.too_slow(
                    "The request's body came too slowly while others waited for memory. Try again later.",
                )),
            };
            let Some(data) = data else {
                share.end_turn();
                share.resize(all.len());
                return Ok(End::Whole(share.around(all)));
            };
            all.extend_from_slice(&data);
        }
        Ok(End::TooLarge)
    }

    fn too_large(&self) -> ServerError {
        self.meter.abandon();
        ServerError::new(
            ProtocolError::RequestEntityTooLarge,
            format!("The request's body is longer than {} bytes.", self.limits.body_bytes_max),
        )
    }

    fn too_slow(&self, message: &str) -> ServerError {
        self.meter.abandon();
        ServerError::new(ProtocolError::RequestTimeout, message)
    }
}

/// The next piece.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, ServerError> {
    while let Some(frame) = body.frame().await {
        let broken = |error| ServerError::new(ProtocolError::Serialization, format!("{error}"));
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
