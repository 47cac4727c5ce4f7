//! A client that sends what it is given, byte by byte.

use std::{
    io::{Read, Result, Write},
    net::TcpStream,
};

use sandbox::Sandbox;
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = parsed.parse(bytes).unwrap().unwrap();
        let owned = |header: &httparse::Header| (header.name.into(), String::from_utf8(header.value.into()).unwrap());
        let status = parsed.code.unwrap();
        Self { status, headers: parsed.headers.iter().map(owned).collect(), body: bytes[length..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) fn send(sandbox: &Sandbox, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}");
    let bytes = talk(sandbox, &format!("{head}\r\n{body}"))?;
    Ok(if bytes.starts_with(b"HTTP/1.1 ") {
        Answer::parse(&bytes)
    } else {
        Answer { status: 0, headers: vec![], body: bytes }
    })
}

/// Sends bytes and reads until the sandbox closes.
pub(crate) fn talk(sandbox: &Sandbox, request: &str) -> Result<Vec<u8>> {
    let mut stream = connect(sandbox);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

pub(crate) fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(sandbox.base_url().strip_prefix("http://").unwrap()).unwrap()
}
