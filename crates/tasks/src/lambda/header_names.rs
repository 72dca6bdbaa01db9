//! How AWS spells the headers of an answer. Over the wire case means nothing; in a task's result it is data.

const NAMES: [&str; 12] = [
    "Connection",
    "Content-Length",
    "Content-Type",
    "Date",
    "Server",
    "Transfer-Encoding",
    "X-Amz-Executed-Version",
    "X-Amz-Function-Error",
    "X-Amz-Log-Result",
    "x-amzn-Remapped-Content-Length",
    "x-amzn-RequestId",
    "X-Amzn-Trace-Id",
];

/// AWS's spelling of a header's name; a name that AWS does not send stays as it is.
pub fn spelled(name: &str) -> &str {
    NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name)
}
