//! The Lambda Runtime API of one process: `next`, `response`, `error` and `init/error`.
//!
//! Each process has a listener of its own on a loopback port, so that no function can take another one's events by
//! mistake; runtimes whose client allows it (our own ones) must also name a secret path. Source: Lambda Developer Guide,
//! "Using the Lambda runtime API". Left out: the Extensions, Logs and Telemetry APIs, and streamed responses.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};

/// Lambda's limit for a response. Bytes.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;
/// Connections of one process at a time.
const CONNECTIONS_MAX: usize = 16;
const VERSION: &str = "/2018-06-01/runtime";

/// What a process gets to do.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Its id.
    pub request_id: String,
    /// The event: JSON text.
    pub event: Bytes,
    /// When it must be done: Unix time in milliseconds.
    pub deadline_ms: u64,
    /// ARN that was invoked.
    pub function_arn: String,
    /// X-Ray trace header.
    pub trace_id: String,
    /// JSON text.
    pub client_context: Option<String>,
}

/// What a process says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// It asks for an invocation.
    Ready,
    /// The answer to the current invocation.
    Answer(Bytes),
    /// The error of the current invocation; JSON text.
    Error(Bytes),
    /// It cannot begin at all; JSON text.
    InitError(Bytes),
}

/// The server's end of a process's Runtime API.
pub struct RuntimeApi {
    /// What goes into `AWS_LAMBDA_RUNTIME_API`.
    pub address: String,
    said: mpsc::Receiver<Said>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    prefix: String,
    invocations: mpsc::Sender<Invocation>,
    next: Mutex<mpsc::Receiver<Invocation>>,
    current: StdMutex<Option<String>>,
    say: mpsc::Sender<Said>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// Opens a port. With `is_secret` the address has a path that callers must know.
    pub async fn open(is_secret: bool) -> std::io::Result<RuntimeApi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let prefix = if is_secret { format!("/{}", uuid::Uuid::new_v4().simple()) } else { String::new() };
        let address = format!("{}{prefix}", listener.local_addr()?);
        let (invocations, next) = mpsc::channel(1);
        let (say, said) = mpsc::channel(4);
        let shared = Arc::new(Shared {
            prefix,
            invocations,
            next: Mutex::new(next),
            current: StdMutex::new(None),
            say,
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(RuntimeApi { address, said, shared, server })
    }

    /// Hands an invocation to the process. False if the one before was never fetched.
    pub fn give(&self, invocation: Invocation) -> bool {
        self.shared.invocations.try_send(invocation).is_ok()
    }

    /// What the process says next.
    pub async fn said(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
            None => std::future::pending().await, // `shared` has a sender: this cannot be
        }
    }

    /// What the process has said already.
    pub fn said_already(&mut self) -> Option<Said> {
        self.said.try_recv().ok()
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true); // only speed depends on it
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(shared.respond(request).await) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of a function's runtime broke");
            }
            drop(place);
        });
    }
}

impl Shared {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix(&self.prefix).and_then(|path| path.strip_prefix(VERSION)) else {
            return refusal(StatusCode::FORBIDDEN, "InvalidRuntimeApiPath", "no such runtime");
        };
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.answer(id, request, Said::Answer).await,
            (&Method::POST, ["invocation", id, "error"]) => self.answer(id, request, Said::Error).await,
            (&Method::POST, ["init", "error"]) => {
                let body = error_body(request).await;
                self.tell(Said::InitError(body)).await;
                accepted()
            }
            _ => refusal(StatusCode::NOT_FOUND, "InvalidPath", "no such operation"),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let mut next = self.next.lock().await;
        self.tell(Said::Ready).await;
        let Some(invocation) = next.recv().await else {
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "Closed", "the server ends");
        };
        *self.current() = Some(invocation.request_id.clone());
        drop(next);
        let mut response = Response::new(Full::new(invocation.event));
        let headers = response.headers_mut();
        let mut insert = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        insert("content-type", "application/json");
        insert("lambda-runtime-aws-request-id", &invocation.request_id);
        insert("lambda-runtime-deadline-ms", &invocation.deadline_ms.to_string());
        insert("lambda-runtime-invoked-function-arn", &invocation.function_arn);
        insert("lambda-runtime-trace-id", &invocation.trace_id);
        if let Some(context) = &invocation.client_context {
            insert("lambda-runtime-client-context", context);
        }
        response
    }

    async fn answer(
        &self,
        id: &str,
        request: Request<Incoming>,
        said: impl FnOnce(Bytes) -> Said,
    ) -> Response<Full<Bytes>> {
        if self.current().as_deref() != Some(id) {
            return refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
        }
        let said = said(Bytes::new());
        let (said, response) = if said == Said::Error(Bytes::new()) {
            (Said::Error(error_body(request).await), accepted())
        } else {
            match Limited::new(request.into_body(), RESPONSE_BYTES_MAX).collect().await {
                Ok(body) => (Said::Answer(body.to_bytes()), accepted()),
                Err(error) if error.is::<LengthLimitError>() => {
                    let message = format!(
                        "Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
                    );
                    let kind = "Function.ResponseSizeTooLarge";
                    (
                        Said::Error(error_json(kind, &message)),
                        refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message),
                    )
                }
                // The process broke off: its exit or its next attempt tells how it goes on.
                Err(error) => return refusal(StatusCode::BAD_REQUEST, "InvalidBody", &error.to_string()),
            }
        };
        let was_current = self.current().take_if(|current| current == id).is_some();
        if was_current {
            self.tell(said).await;
        }
        response
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, said: Said) {
        let _ = self.say.send(said).await; // without a receiver the process is about to be ended
    }
}

/// The error that a runtime reports. What is not JSON becomes the message of one.
async fn error_body(request: Request<Incoming>) -> Bytes {
    let kind = request.headers().get("lambda-runtime-function-error-type");
    let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("Runtime.Unknown").to_owned();
    match Limited::new(request.into_body(), RESPONSE_BYTES_MAX).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            if stepwright_value::read_bytes(&body).is_ok() {
                return body;
            }
            error_json(&kind, &String::from_utf8_lossy(&body))
        }
        Err(error) => error_json(&kind, &error.to_string()),
    }
}

/// `{"errorType":…,"errorMessage":…}`, as Lambda itself writes it.
pub fn error_json(kind: &str, message: &str) -> Bytes {
    let mut out = String::from("{\"errorType\":");
    stepwright_value::write_string(kind, &mut out);
    out.push_str(",\"errorMessage\":");
    stepwright_value::write_string(message, &mut out);
    out.push('}');
    Bytes::from(out)
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, Bytes::from_static(b"{\"status\":\"OK\"}\n"))
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    json(status, error_json(kind, message))
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(api: &RuntimeApi, request_line: &str) -> String {
        let host = api.address.split('/').next().expect("a host");
        let mut stream = TcpStream::connect(host).await.expect("a connection");
        let request =
            format!("{request_line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    #[tokio::test]
    async fn only_who_knows_the_secret_path_gets_events() {
        let mut api = RuntimeApi::open(true).await.expect("a port");
        for path in ["/2018-06-01/runtime/invocation/next", "/guess/2018-06-01/runtime/invocation/next", "/"]
        {
            let answer = ask(&api, &format!("GET {path}")).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        }
        assert_eq!(api.said_already(), None);
        let prefix = api.address.split_once('/').expect("a path").1.to_owned();
        let invocation = Invocation {
            request_id: "id".into(),
            event: Bytes::from_static(b"[1]"),
            deadline_ms: 5,
            function_arn: "arn".into(),
            trace_id: "Root=1".into(),
            client_context: None,
        };
        assert!(api.give(invocation));
        let answer = ask(&api, &format!("GET /{prefix}/2018-06-01/runtime/invocation/next")).await;
        for part in [
            "HTTP/1.1 200 OK\r\n",
            "lambda-runtime-aws-request-id: id\r\n",
            "lambda-runtime-deadline-ms: 5\r\n",
            "lambda-runtime-invoked-function-arn: arn\r\n",
            "lambda-runtime-trace-id: Root=1\r\n",
            "\r\n\r\n[1]",
        ] {
            assert!(answer.contains(part), "{answer}");
        }
        assert_eq!(api.said().await, Said::Ready);
        let answer = ask(&api, &format!("POST /{prefix}/2018-06-01/runtime/invocation/id/response")).await;
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
        assert_eq!(api.said().await, Said::Answer(Bytes::new()));
        let answer = ask(&api, &format!("POST /{prefix}/2018-06-01/runtime/invocation/id/response")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "answered already: {answer}");
    }
}
