//! One keep-alive connection that speaks AWS JSON 1.0.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub struct Client {
    connection: BufReader<TcpStream>,
    server: String,
    request: Vec<u8>,
}

impl Client {
    pub fn connect(server: &str) -> Result<Client> {
        let connection = TcpStream::connect(server).with_context(|| server.to_owned())?;
        connection.set_nodelay(true)?;
        Ok(Client { connection: BufReader::new(connection), server: server.to_owned(), request: Vec::new() })
    }

    /// Calls an operation; an answer that is no success is an error.
    pub fn call(&mut self, operation: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        self.request.clear();
        write!(
            self.request,
            "POST / HTTP/1.1\r\nhost: {}\r\nx-amz-target: AWSStepFunctions.{operation}\r\ncontent-type: application/x-amz-json-1.0\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0\r\n\
             x-amz-date: 20260101T000000Z\r\ncontent-length: {}\r\n\r\n{body}",
            self.server,
            body.len(),
        )?;
        self.answer(operation)
    }

    /// Asks an endpoint of the server's own.
    pub fn get(&mut self, path: &str) -> Result<Value> {
        self.request.clear();
        write!(self.request, "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.server)?;
        self.answer(path)
    }

    /// Sends the request; what is answered.
    fn answer(&mut self, asked: &str) -> Result<Value> {
        self.connection.get_mut().write_all(&self.request)?;
        let (head, body) =
            read_message(&mut self.connection)?.context("the server has closed the connection")?;
        if head.split(' ').nth(1) != Some("200") {
            bail!("{asked}: {head}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// The first line of an HTTP message, and its body; `None` at the end of the stream.
pub fn read_message(connection: &mut BufReader<TcpStream>) -> Result<Option<(String, Vec<u8>)>> {
    let mut first = String::new();
    if connection.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let header = line.trim();
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(Some((first.trim().to_owned(), body)))
}
