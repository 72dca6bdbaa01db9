//! Tenants over real connections: what they get to know, and streams.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stepwright_server::endpoint::{self, Reply};
use stepwright_server::environment::{Environment as _, System};
use stepwright_server::{
    Access, Answer, Answering, Body, Call, KeyRing, Keys, Options, Place, Server, Signatures, Tenant,
};
use stepwright_sigv4::{Scope, WireRequest, sha256_hex, timestamp};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

const KEY_ID: &str = "AKIDALICE";
const SECRET: &str = "alices-secret-of-some-length";

/// Says what it got to know.
struct Echo(Place);

impl Tenant for Echo {
    fn place(&self) -> Place {
        self.0
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        let request = endpoint::Request::from(call);
        let echo = json!({
            "place": format!("{:?}", self.0),
            "path": request.path,
            "caller": format!("{:?}", request.caller),
        });
        Box::pin(std::future::ready(Reply::ok(echo).into()))
    }
}

/// Sends what the test sends, until the server stops.
struct Events {
    sender: std::sync::Mutex<Option<UnboundedSender<&'static str>>>,
    receiver: std::sync::Mutex<Option<UnboundedReceiver<&'static str>>>,
}

struct EventStream(UnboundedReceiver<&'static str>);

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let event = std::task::ready!(self.0.poll_recv(context));
        Poll::Ready(event.map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}

impl Events {
    fn send(&self, text: &'static str) {
        self.sender.lock().unwrap().as_ref().unwrap().send(text).unwrap();
    }
}

impl Tenant for Events {
    fn place(&self) -> Place {
        Place::Path("events")
    }

    fn answer<'a>(&'a self, _: Call<'a>) -> Answering<'a> {
        let receiver = self.receiver.lock().unwrap().take().unwrap();
        let response = Response::builder().header("content-type", "text/event-stream");
        let response = response.body(Body::Stream(EventStream(receiver).boxed())).unwrap();
        Box::pin(std::future::ready(Answer::from(response)))
    }

    fn stop(&self) {
        drop(self.sender.lock().unwrap().take());
    }
}

async fn serve(tenants: Vec<Arc<dyn Tenant>>, options: Options) -> (Arc<Server>, SendRequest<Full<Bytes>>) {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Arc::new(Server::bind(any_port, tenants, options).await.unwrap());
    let running = server.clone();
    tokio::spawn(async move { running.run().await });
    let stream = TcpStream::connect(server.local_address()).await.unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    (server, sender)
}

async fn send(client: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Response<Incoming> {
    client.ready().await.unwrap();
    client.send_request(request).await.unwrap()
}

async fn json(response: Response<Incoming>) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn signed(service: &str, path: &str) -> Request<Full<Bytes>> {
    let timestamp = timestamp(System.now_ms() / 1_000);
    let scope = Scope { date: &timestamp[..8], region: "us-east-1", service };
    let headers = [("host", "localhost"), ("x-amz-date", &*timestamp)];
    let payload_sha256 = sha256_hex(b"");
    let wire =
        WireRequest { method: "GET", path, query: "", headers: &headers, payload_sha256: &payload_sha256 };
    let canonical = wire.canonical();
    let signature = canonical.signature(&scope.signing_key(SECRET), &timestamp, &scope);
    Request::get(path)
        .header("host", "localhost")
        .header("x-amz-date", &*timestamp)
        .header("authorization", canonical.authorization(KEY_ID, &scope, &signature))
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn a_tenant_sees_who_calls_and_its_service_is_what_was_signed_for() {
    let text = format!("[alice]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET}\n");
    let ring = Arc::new(KeyRing::new(Keys::from_text(&text).unwrap()));
    let access = Access::Verified(Arc::new(Signatures::new(ring, Arc::new(System))));
    let files = Place::Signed { signing_name: "files" };
    let tenants: [Arc<dyn Tenant>; 2] = [Arc::new(Echo(Place::Path("echo"))), Arc::new(Echo(files))];
    let (_server, mut client) = serve(tenants.to_vec(), Options { access, ..Options::default() }).await;
    let (status, answer) = json(send(&mut client, signed("files", "/a/b")).await).await;
    assert_eq!((status, &answer["path"]), (200, &json!([])));
    assert!(answer["caller"].as_str().unwrap().contains("alice"), "{answer}");
    let (status, answer) = json(send(&mut client, signed("states", "/echo/b")).await).await;
    assert_eq!((status, &answer["path"]), (200, &json!(["echo", "b"])), "{answer}");
    assert!(answer["caller"].as_str().unwrap().contains("alice"), "{answer}");
    let (status, answer) = json(send(&mut client, signed("files", "/echo/b")).await).await;
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("service"), "{answer}");
    assert_eq!(send(&mut client, signed("states", "/a/b")).await.status(), 404);
}

#[tokio::test]
async fn a_stream_arrives_piece_by_piece_and_ends_with_the_server() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let events = Arc::new(Events {
        sender: std::sync::Mutex::new(Some(sender)),
        receiver: std::sync::Mutex::new(Some(receiver)),
    });
    let (server, mut client) = serve(vec![events.clone()], Options::default()).await;
    let request = Request::get("/events").header("host", "localhost").body(Full::default()).unwrap();
    let mut response = send(&mut client, request).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    for text in ["data: 1\n\n", "data: 2\n\n"] {
        events.send(text);
        let frame = response.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), text);
    }
    let (is_drained, end) = tokio::join!(server.shut_down(), response.body_mut().frame());
    assert!(is_drained && end.is_none());
}
