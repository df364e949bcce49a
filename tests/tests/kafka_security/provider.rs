//! A provider of tokens, as an organisation has one: it knows the secret of `ferris`, and signs what it hands
//! out with the key that the brokers know.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ferrisstreams_tests::TestDir;
use native_tls::{Identity, TlsAcceptor};

use crate::secured::{LIMIT, Properties, Secured, but};

/// A provider of tokens at 127.0.0.1, by TLS.
pub(crate) struct Provider {
    address: String,
    authority: String,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    requests: Mutex<usize>,
    more: Condvar,
}

/// What tokens are made from.
struct Mint {
    key: PathBuf,
    other_key: PathBuf,
    life: Duration,
}

impl Provider {
    /// One whose tokens are good for so long.
    pub(crate) fn start(secured: &Secured, life: Duration) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has one").to_string();
        let store = std::fs::read(secured.file("server-keystore.pem")).expect("it is there");
        let identity = Identity::from_pkcs8(&store, &store).expect("a certificate and its key");
        let acceptor = TlsAcceptor::new(identity).expect("they belong together");
        let mint = Mint {
            key: secured.file("token.key").into(),
            other_key: secured.file("other-token.key").into(),
            life,
        };
        let heard = Arc::<Heard>::default();
        let hears = Arc::downgrade(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(heard) = hears.upgrade() else { return };
                // Who does not trust us goes away.
                let Ok(mut stream) = acceptor.accept(stream) else {
                    continue;
                };
                let answer = mint.answer(&read(&mut stream));
                let _ = stream.write_all(answer.as_bytes());
                let _ = stream.shutdown();
                *heard.requests.lock().expect("not poisoned") += 1;
                heard.more.notify_all();
            }
        });
        Provider {
            address,
            authority: secured.file("ca.pem"),
            heard,
        }
    }

    /// Properties of clients that show its tokens.
    pub(crate) fn properties(&self) -> Properties {
        let pairs = [
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.oauthbearer.method", "oidc"),
            ("sasl.oauthbearer.client.id", "ferris"),
            ("sasl.oauthbearer.client.secret", "hunter2"),
            ("sasl.oauthbearer.extensions", "traceId=7"),
            ("https.ca.location", &self.authority),
        ];
        let pairs = pairs.map(|(name, value)| (name, value.to_owned()));
        let endpoint = vec![(
            "sasl.oauthbearer.token.endpoint.url",
            format!("https://{}/token", self.address),
        )];
        but(pairs.into(), endpoint)
    }

    /// How often it was asked, once it was that often.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> usize {
        let requests = self.heard.requests.lock().expect("not poisoned");
        let more = &self.heard.more;
        let waited = more.wait_timeout_while(requests, LIMIT, |requests| *requests < count);
        let (requests, waited) = waited.expect("not poisoned");
        assert!(!waited.timed_out(), "asked {requests} times alone");
        *requests
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.heard = Arc::default();
        // Has it look whether somebody is there.
        drop(TcpStream::connect(&self.address));
    }
}

/// The head of a request, and its body.
fn read(stream: &mut impl Read) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let from = head.len();
        let size = reader.read_line(&mut head).unwrap_or(0);
        let line = head[from..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if size == 0 || line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    let whole = reader.read_exact(&mut body).is_ok();
    let body = if whole { body } else { Vec::new() };
    (head, String::from_utf8(body).expect("a form is text"))
}

impl Mint {
    fn answer(&self, (head, body): &(String, String)) -> String {
        let who = format!("Basic {}", BASE64_STANDARD.encode("ferris:hunter2"));
        let (status, body) = if !head.contains(&who) {
            (
                "401 Unauthorized",
                r#"{"error":"invalid_client"}"#.to_owned(),
            )
        } else {
            let scope = body.split_once("&scope=").map_or("", |(_, scope)| scope);
            (
                "200 OK",
                format!(r#"{{"access_token":"{}"}}"#, self.token(scope)),
            )
        };
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    }

    /// The scope says what is wrong with the token, if anything.
    fn token(&self, scope: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        let (now, audience) = (
            now.as_secs_f64(),
            match scope {
                "elsewhere" => "others",
                _ => "ferris-brokers",
            },
        );
        let key = match scope {
            "forged" => &self.other_key,
            _ => &self.key,
        };
        let payload = format!(
            r#"{{"iss":"ferris-provider","aud":"{audience}","sub":"ferris","iat":{now},"exp":{}}}"#,
            now + self.life.as_secs_f64()
        );
        let signed = [r#"{"alg":"RS256","kid":"ferris"}"#, &payload];
        let signed = signed
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(key, &signed));
        format!("{signed}.{signature}")
    }
}

fn sign(key: &Path, text: &str) -> Vec<u8> {
    let dir = TestDir::new();
    let file = dir.write("signed", text);
    let mut openssl = Command::new("openssl");
    let made = openssl
        .args(["dgst", "-sha256", "-sign"])
        .arg(key)
        .arg(file)
        .output();
    let made = made.expect("openssl is there");
    assert!(made.status.success(), "{made:?}");
    made.stdout
}
