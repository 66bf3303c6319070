//! A server of registries that does what a test wants, and a blob to hand out.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use carryall::base::backend::BackendError;
use carryall::base::monitor::Monitor;
use carryall::oci::image::{Descriptor, Digest};
use carryall::oci::registry::BlobSource;

/// A request as the misbehaving server sees it; its body is still on the line.
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub line: BufReader<TcpStream>,
}

impl Request {
    fn read(stream: TcpStream) -> Option<Self> {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut line = BufReader::new(stream);
        let mut text = String::new();
        line.read_line(&mut text).ok()?;
        let mut words = text.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut text = String::new();
            line.read_line(&mut text).ok()?;
            let Some((name, value)) = text.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        Some(Self {
            method,
            target,
            headers,
            line,
        })
    }

    pub fn body_bytes(&self) -> usize {
        self.headers
            .get("content-length")
            .map_or(0, |bytes| bytes.parse().unwrap())
    }

    /// Reads so much of the body, less when the client has gone.
    pub fn body(&mut self, bytes: usize) -> Vec<u8> {
        let mut body = Vec::new();
        let _ = (&mut self.line).take(bytes as u64).read_to_end(&mut body);
        body
    }

    /// Answers with a whole body.
    pub fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let announced = body.len();
        self.answer_part(status, headers, body, announced);
    }

    /// Answers, and says that the body is longer or shorter than it is.
    pub fn answer_part(
        &mut self,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
        announced: usize,
    ) {
        let mut head =
            format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {announced}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let is_head = self.method == "HEAD";
        let stream = self.line.get_mut();
        // The client may have gone: that is what some tests are about.
        let _ = stream.write_all(head.as_bytes());
        if !is_head {
            let _ = stream.write_all(body);
        }
    }
}

/// A server that does what a test wants, one request a connection. Its threads end with the test's process.
pub struct Misbehaving {
    pub host: String,
}

impl Misbehaving {
    pub fn start(answer: impl Fn(&mut Request) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                std::thread::spawn(move || {
                    if let Some(mut request) = Request::read(stream) {
                        answer(&mut request);
                    }
                });
            }
        });
        Self { host }
    }
}

/// A source of one blob, whatever is asked for.
pub struct OneBlob(pub Vec<u8>);

impl BlobSource for OneBlob {
    fn bytes(&self, _: &Digest) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    fn write(
        &self,
        _: &Digest,
        range: std::ops::Range<u64>,
        out: &mut dyn Write,
        _: &dyn Monitor,
    ) -> Result<(), BackendError> {
        let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
        Ok(out.write_all(&self.0[range])?)
    }
}

pub fn described(bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: "application/octet-stream".to_owned(),
        digest: Digest::of(bytes),
        bytes: bytes.len() as u64,
    }
}
