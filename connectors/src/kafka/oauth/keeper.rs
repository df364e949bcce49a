//! Keeps a token for all clients that have the same settings, and hands them a new one in time.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use super::failure::Failure;
use super::request;
use super::settings::{ENDPOINT, Settings};
use crate::kafka::native::{TakesTokens, Token};

/// The part of a token's life after which there is a new one.
const FRESH: f64 = 0.8;

/// The pause after a first failure, which doubles up to the longest one. Whoever comes after it does not
/// wait longer.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The longest sleep: the clock by which tokens expire may be set meanwhile.
const SLEEP: Duration = Duration::from_secs(30);

/// The keepers of the process.
static KEEPERS: LazyLock<Mutex<HashMap<Settings, Arc<Keeper>>>> = LazyLock::new(Mutex::default);

/// Sees to it that a client has a token as long as it lives, and hears why if there is none.
pub(in crate::kafka) fn supply(settings: Settings, client: &Arc<impl TakesTokens + 'static>) {
    let mut keepers = KEEPERS.lock().expect("no panic while locked");
    let keeper = keepers.entry(settings).or_insert_with_key(Keeper::new);
    let keeper = keeper.clone();
    drop(keepers);
    let client: Arc<dyn TakesTokens> = client.clone();
    keeper.add(&client);
}

/// Keeps a token.
struct Keeper {
    settings: Settings,
    state: Mutex<State>,
    /// Told when there is something to do sooner.
    sooner: Condvar,
}

struct State {
    token: Option<Arc<Token>>,
    failure: Option<Failed>,
    /// When a token is fetched next.
    due: SystemTime,
    clients: Vec<Weak<dyn TakesTokens>>,
    /// True while there is a thread.
    runs: bool,
}

/// The last try.
struct Failed {
    failure: Failure,
    at: SystemTime,
    pause: Duration,
}

impl State {
    /// The token, if brokers take it.
    fn good(&self) -> Option<&Arc<Token>> {
        let token = self.token.as_ref();
        token.filter(|token| !token.life().is_zero())
    }

    /// The clients that are there still.
    fn living(&mut self) -> Vec<Arc<dyn TakesTokens>> {
        self.clients.retain(|client| client.strong_count() > 0);
        self.clients.iter().filter_map(Weak::upgrade).collect()
    }
}

fn hand(client: &dyn TakesTokens, token: &Token) {
    if let Err(e) = client.take(token) {
        tracing::warn!("a Kafka client does not take its token: {e}");
    }
}

fn tell(client: &dyn TakesTokens, failure: &Failure) {
    client.listener().hear(failure.kind, &failure.reason);
}

impl Keeper {
    fn new(settings: &Settings) -> Arc<Self> {
        if !settings.is_private() {
            tracing::warn!(
                "secrets go to {} without TLS: {ENDPOINT} should begin with https://",
                settings.shown()
            );
        }
        Arc::new(Keeper {
            settings: settings.clone(),
            state: Mutex::new(State {
                token: None,
                failure: None,
                due: SystemTime::now(),
                clients: Vec::new(),
                runs: false,
            }),
            sooner: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while locked")
    }

    fn add(self: &Arc<Self>, client: &Arc<dyn TakesTokens>) {
        let mut state = self.lock();
        state.clients.retain(|client| client.strong_count() > 0);
        state.clients.push(Arc::downgrade(client));
        match (state.good(), &state.failure) {
            (Some(token), _) => hand(&**client, token),
            (None, Some(failed)) => {
                let again = failed.at + PAUSE;
                tell(&**client, &failed.failure);
                state.due = state.due.min(again);
            }
            (None, None) => state.due = SystemTime::now(),
        }
        if std::mem::replace(&mut state.runs, true) {
            self.sooner.notify_one();
            return;
        }
        let keeper = self.clone();
        let begun = thread::Builder::new()
            .name("kafka-tokens".to_owned())
            .spawn(move || while keeper.step() {});
        if let Err(e) = begun {
            state.runs = false;
            let from = self.settings.shown();
            let failure = Failure::passing(from, format!("no thread can be started: {e}"));
            tell(&**client, &failure);
        }
    }

    /// Waits until a token is due and fetches it. False where nobody wants one.
    fn step(&self) -> bool {
        let mut state = self.lock();
        while let Ok(left) = state.due.duration_since(SystemTime::now()) {
            if left.is_zero() {
                break;
            }
            let waited = self.sooner.wait_timeout(state, left.min(SLEEP));
            state = waited.expect("no panic while locked").0;
        }
        state.clients.retain(|client| client.strong_count() > 0);
        if state.clients.is_empty() {
            state.runs = false;
            return false;
        }
        drop(state);
        // Outside of the lock: clients that come meanwhile do not wait for it.
        match request::fetch(&self.settings) {
            Ok(token) => self.keep(Arc::new(token)),
            Err(failure) => self.fail(failure),
        }
        true
    }

    fn keep(&self, token: Arc<Token>) {
        let mut state = self.lock();
        let pause = token.life().mul_f64(FRESH).max(PAUSE / 2);
        state.due = SystemTime::now() + pause;
        state.token = Some(token.clone());
        if state.failure.take().is_some() {
            tracing::info!("there are tokens from {} again", self.settings.shown());
        }
        let clients = state.living();
        drop(state);
        tracing::debug!("a new token from {}: {token:?}", self.settings.shown());
        // Who is dropped meanwhile ends here, and nobody is to wait for that.
        for client in clients {
            hand(&*client, &token);
        }
    }

    fn fail(&self, failure: Failure) {
        let mut state = self.lock();
        let before = state.failure.as_ref();
        let pause = before.map_or(PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        let reason = &failure.reason;
        if before.is_none_or(|before| before.failure != failure) {
            tracing::warn!("{reason}, trying again");
        } else {
            tracing::debug!("{reason}, trying again");
        }
        let now = SystemTime::now();
        state.due = now + pause;
        state.failure = Some(Failed {
            failure: failure.clone(),
            at: now,
            pause,
        });
        // The old token may do for a while.
        let clients = match state.good() {
            Some(_) => Vec::new(),
            None => state.living(),
        };
        drop(state);
        for client in clients {
            tell(&*client, &failure);
        }
    }
}
