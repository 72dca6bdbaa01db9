//! `/throttling`: what it is, and changing it while the server runs. A change lasts until the server ends; what shall last
//! longer belongs into the configuration file.
//!
//! - `GET /throttling`: the rates that apply.
//! - `PUT /throttling` with `{"profile": "aws" | "off", "operations": {…}}`: replaces all.
//! - `PUT /throttling/OPERATION` with `{"bucket": …, "refill_per_s": …}`, `DELETE /throttling/OPERATION`: one rate.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::json;
use stepwright_server::endpoint::{Reply, Request};
use stepwright_server::{Answering, Call, Place, Tenant};

use crate::throttling::{Settings, SettingsError, Throttling};

/// The endpoint over a server's buckets.
pub struct ThrottlingEndpoint(pub Arc<Throttling>);

impl Tenant for ThrottlingEndpoint {
    fn place(&self) -> Place {
        Place::Path("throttling")
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        Box::pin(std::future::ready(self.respond(&call.into()).into()))
    }
}

impl ThrottlingEndpoint {
    fn respond(&self, request: &Request) -> Result<Reply, Reply> {
        let path: Vec<&str> = request.path.iter().skip(1).map(String::as_str).collect();
        match (&request.method, path.as_slice()) {
            (&Method::GET, []) => {}
            (&Method::PUT, []) => self.0.set(&request.json::<Settings>()?).map_err(refused)?,
            (&Method::PUT, [name]) => {
                self.0.set_operation(name, Some(request.json()?)).map_err(refused)?;
            }
            (&Method::DELETE, [name]) => self.0.set_operation(name, None).map_err(refused)?,
            (_, []) => return Err(Reply::wrong_method(request, "GET or PUT")),
            (_, [_]) => return Err(Reply::wrong_method(request, "PUT or DELETE")),
            _ => return Err(Reply::not_found("There is /throttling and /throttling/OPERATION.")),
        }
        Ok(Reply::ok(json!({ "operations": self.0.rates() })))
    }
}

fn refused(error: SettingsError) -> Reply {
    Reply::refused(StatusCode::BAD_REQUEST, error)
}
