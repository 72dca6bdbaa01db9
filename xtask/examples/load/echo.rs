//! A Lambda endpoint on which each function answers with its payload.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::Result;

use crate::client::read_message;

pub fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || answer(connection));
        }
    });
    // Until whoever started this has gone.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

fn answer(connection: TcpStream) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = BufReader::new(connection);
    let mut answer = Vec::new();
    while let Some((_, body)) = read_message(&mut connection)? {
        answer.clear();
        write!(
            answer,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-amz-executed-version: $LATEST\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )?;
        answer.extend_from_slice(&body);
        connection.get_mut().write_all(&answer)?;
    }
    Ok(())
}
