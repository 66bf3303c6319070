//! A proxy before an object store that counts what goes through, and does to it what networks and busy servers do.
//!
//! It forwards requests unchanged, so that their signatures stay right. Each connection to the server is for one request.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is done to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It is answered with 500, and never reaches the server.
    Error,
    /// It is answered with 503 `SlowDown`.
    SlowDown,
    /// The server does it, and the answer is lost.
    Lost,
    /// The line ends in the middle of the answer.
    Cut,
    /// It takes a while.
    Delay,
}

/// In this order, again and again, when there are faults: about every third request is hurt.
const FAULTS: [Fault; 17] = [
    Fault::None,
    Fault::None,
    Fault::Error,
    Fault::None,
    Fault::None,
    Fault::Cut,
    Fault::None,
    Fault::Delay,
    Fault::None,
    Fault::SlowDown,
    Fault::None,
    Fault::None,
    Fault::Lost,
    Fault::None,
    Fault::None,
    Fault::Cut,
    Fault::None,
];

/// What went through.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    faults: AtomicU64,
    answered_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    first_lines: Mutex<Vec<String>>,
    /// A word in the first line of the put after which nothing more comes through.
    last_put: Mutex<Option<&'static str>>,
    is_stalled: AtomicBool,
}

/// The proxy. It ends with the process.
pub struct FaultyProxy {
    pub endpoint: String,
    counts: Arc<Counts>,
    is_faulty: Arc<AtomicBool>,
}

impl FaultyProxy {
    /// Starts one before `http://HOST:PORT`.
    pub fn before(endpoint: &str) -> Self {
        let server = endpoint.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            counts: Arc::default(),
            is_faulty: Arc::default(),
        };
        let (counts, is_faulty) = (Arc::clone(&proxy.counts), Arc::clone(&proxy.is_faulty));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (counts, is_faulty) = (Arc::clone(&counts), Arc::clone(&is_faulty));
                let (client, server) = (client.unwrap(), server.clone());
                // A client that goes away is no fault of the proxy.
                thread::spawn(move || serve(&client, &server, &counts, &is_faulty));
            }
        });
        proxy
    }

    /// Begins or ends to hurt requests.
    pub fn hurt(&self, is_faulty: bool) {
        self.is_faulty.store(is_faulty, Ordering::SeqCst);
    }

    /// Requests since the last call, with the bytes of their answers, and how many of them were hurt.
    pub fn take(&self) -> (u64, u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        self.counts.first_lines.lock().unwrap().clear();
        let counts = &self.counts;
        (
            take(&counts.requests),
            take(&counts.answered_bytes),
            take(&counts.faults),
        )
    }

    /// Lets nothing through any more once an object with this word in its name was put.
    pub fn stall_after(&self, word: &'static str) {
        *self.counts.last_put.lock().unwrap() = Some(word);
    }

    /// Whether nothing comes through.
    pub fn is_stalled(&self) -> bool {
        self.counts.is_stalled.load(Ordering::SeqCst)
    }

    /// Lets everything through again.
    pub fn go_on(&self) {
        *self.counts.last_put.lock().unwrap() = None;
        self.counts.is_stalled.store(false, Ordering::SeqCst);
    }

    /// Bytes that were sent with requests since the last call.
    pub fn take_sent(&self) -> u64 {
        self.counts.sent_bytes.swap(0, Ordering::SeqCst)
    }

    /// The first lines of the requests since the last call of `take`.
    pub fn lines(&self) -> Vec<String> {
        self.counts.first_lines.lock().unwrap().clone()
    }
}

fn serve(
    client: &TcpStream,
    server: &str,
    counts: &Counts,
    is_faulty: &AtomicBool,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client);
    let mut writer = client;
    loop {
        let mut head = String::new();
        let mut body_bytes = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                body_bytes = value.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; body_bytes];
        reader.read_exact(&mut body)?;
        while counts.is_stalled.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(10));
        }
        counts
            .sent_bytes
            .fetch_add(body.len() as u64, Ordering::SeqCst);
        let number = counts.requests.fetch_add(1, Ordering::SeqCst);
        let line = head.lines().next().unwrap_or_default().to_owned();
        let last_put = *counts.last_put.lock().unwrap();
        if last_put.is_some_and(|word| line.starts_with("PUT") && line.contains(word)) {
            // What comes next waits. This one is done below.
            counts.is_stalled.store(true, Ordering::SeqCst);
        }
        counts.first_lines.lock().unwrap().push(line);
        let fault = match is_faulty.load(Ordering::SeqCst) {
            true => FAULTS[usize::try_from(number).unwrap() % FAULTS.len()],
            false => Fault::None,
        };
        if fault != Fault::None {
            counts.faults.fetch_add(1, Ordering::SeqCst);
        }
        match fault {
            Fault::Error => {
                writer.write_all(
                    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
                )?;
                continue;
            }
            Fault::SlowDown => {
                let text = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
                write!(
                    writer,
                    "HTTP/1.1 503 Slow Down\r\nContent-Length: {}\r\n\r\n{text}",
                    text.len()
                )?;
                continue;
            }
            Fault::Delay => thread::sleep(Duration::from_millis(150)),
            Fault::None | Fault::Lost | Fault::Cut => {}
        }
        let mut upstream = TcpStream::connect(server)?;
        upstream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        upstream.write_all(&body)?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        counts
            .answered_bytes
            .fetch_add(answer.len() as u64, Ordering::SeqCst);
        match fault {
            Fault::Lost => {}
            Fault::Cut => writer.write_all(&answer[..answer.len() / 2])?,
            _ => writer.write_all(&answer)?,
        }
        // The server was told that this is the last request, and says so to the client.
        return client.shutdown(Shutdown::Both);
    }
}
