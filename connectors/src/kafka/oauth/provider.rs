//! A provider of tokens for tests, on a port of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::settings::{Settings, Trust};

/// Answers requests as it is told.
pub(super) struct Provider {
    address: String,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    requests: Mutex<Vec<String>>,
    more: Condvar,
}

impl Provider {
    /// One that gives this answer to the first request, the second and so on; none hangs up without any.
    pub(super) fn start(answer: impl Fn(usize) -> Option<String> + Send + 'static) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has one").to_string();
        let heard = Arc::<Heard>::default();
        let hears = Arc::downgrade(&heard);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let Some(heard) = hears.upgrade() else { return };
                let request = read(&stream);
                heard.requests.lock().expect("not poisoned").push(request);
                heard.more.notify_all();
                if let Some(answer) = answer(number) {
                    let _ = (&stream).write_all(answer.as_bytes());
                }
            }
        });
        Provider { address, heard }
    }

    /// What it was asked, once it was that often.
    pub(super) fn wait_for(&self, count: usize) -> Vec<String> {
        let requests = self.heard.requests.lock().expect("not poisoned");
        let limit = Duration::from_secs(20);
        let waited = self
            .heard
            .more
            .wait_timeout_while(requests, limit, |requests| requests.len() < count);
        let (requests, waited) = waited.expect("not poisoned");
        assert!(!waited.timed_out(), "asked {} times alone", requests.len());
        requests.clone()
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            endpoint: format!("http://{}/token?tenant=hunter1", self.address),
            client_id: "ferris".to_owned(),
            client_secret: "hunter2".to_owned(),
            scope: Some("read & write".to_owned()),
            extensions: Vec::new(),
            trust: Trust::System,
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.heard = Arc::default();
        // Has it look whether somebody is there.
        drop(TcpStream::connect(&self.address));
    }
}

/// The whole request.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let from = text.len();
        let size = reader.read_line(&mut text).unwrap_or(0);
        let line = text[from..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if size == 0 || line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("it is all sent");
    text + &String::from_utf8(body).expect("a form is text")
}

/// An answer with this status and body.
pub(super) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// A token for somebody that is good for so long.
pub(super) fn token(who: &str, life: Duration) -> String {
    let expires = SystemTime::now() + life;
    let expires = expires
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    let payload = format!(r#"{{"sub":{who:?},"exp":{}}}"#, expires.as_secs_f64());
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
}

/// An answer with a token.
pub(super) fn grant(who: &str, life: Duration) -> String {
    let token = token(who, life);
    answer(
        "200 OK",
        &format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#),
    )
}
