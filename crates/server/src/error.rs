//! What the server refuses by itself, in the words of AWS's protocols.

/// Errors of the protocol rather than of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// No such operation.
    UnknownOperation,
    /// The body is not the JSON that the operation takes.
    Serialization,
    /// The request is not proper HTTP.
    MalformedHttpRequest,
    /// The body is too long.
    RequestEntityTooLarge,
    /// The body did not arrive in time.
    RequestTimeout,
    /// Something that this release cannot do.
    UnsupportedOperation,
    /// The caller may not do this.
    AccessDenied,
    /// The request is not signed.
    MissingAuthenticationToken,
    /// The signature's headers cannot be read.
    IncompleteSignature,
    /// No such key.
    UnrecognizedClient,
    /// The signature is not that of the key over this request, here and now.
    InvalidSignature,
    /// More requests than can be taken; clients try again later.
    Throttling,
    /// Nothing is left to serve the request with; clients try again later.
    ServiceUnavailable,
    /// A fault of the service.
    InternalFailure,
}

impl ProtocolError {
    /// The name that clients look for.
    pub fn name(self) -> &'static str {
        match self {
            ProtocolError::UnknownOperation => "UnknownOperationException",
            ProtocolError::Serialization => "SerializationException",
            ProtocolError::RequestEntityTooLarge => "RequestEntityTooLargeException",
            ProtocolError::MalformedHttpRequest => "MalformedHttpRequestException",
            ProtocolError::RequestTimeout => "RequestTimeoutException",
            ProtocolError::UnsupportedOperation => "UnsupportedOperationException",
            ProtocolError::AccessDenied => "AccessDeniedException",
            ProtocolError::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            ProtocolError::IncompleteSignature => "IncompleteSignatureException",
            ProtocolError::UnrecognizedClient => "UnrecognizedClientException",
            ProtocolError::InvalidSignature => "InvalidSignatureException",
            ProtocolError::Throttling => "ThrottlingException",
            ProtocolError::ServiceUnavailable => "ServiceUnavailable",
            ProtocolError::InternalFailure => "InternalFailure",
        }
    }

    /// The namespace that stands before the name in `__type`.
    pub fn namespace(self) -> &'static str {
        match self {
            ProtocolError::Throttling | ProtocolError::AccessDenied => "com.amazon.coral.availability",
            _ => "com.amazon.coral.service",
        }
    }

    pub fn http_status(self) -> u16 {
        match self {
            ProtocolError::RequestEntityTooLarge => 413,
            ProtocolError::RequestTimeout => 408,
            ProtocolError::AccessDenied => 403,
            ProtocolError::InternalFailure => 500,
            ProtocolError::ServiceUnavailable => 503,
            _ => 400,
        }
    }
}

/// A refusal by the server itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerError {
    pub kind: ProtocolError,
    pub message: String,
}

impl ServerError {
    pub fn new(kind: ProtocolError, message: impl Into<String>) -> ServerError {
        ServerError { kind, message: message.into() }
    }

    /// A fault of ours: `cause` goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> ServerError {
        tracing::error!(%cause, "request failed");
        ServerError::new(ProtocolError::InternalFailure, "The request processing has failed.")
    }
}
