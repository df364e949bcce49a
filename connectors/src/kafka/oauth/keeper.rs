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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::listener::{Listener, Trouble, TroubleKind};
    use crate::kafka::native::CallError;
    use crate::kafka::oauth::provider::{Provider, answer, grant};

    /// The time after which it is wrong to wait on.
    const LIMIT: Duration = Duration::from_secs(20);

    /// Remembers what it was handed.
    #[derive(Default)]
    struct Client {
        tokens: Mutex<Vec<String>>,
        more: Condvar,
        listener: Listener,
    }

    impl TakesTokens for Client {
        fn take(&self, token: &Token) -> Result<(), CallError> {
            let mut tokens = self.tokens.lock().expect("not poisoned");
            tokens.push(format!("{token:?}"));
            self.more.notify_all();
            Ok(())
        }

        fn listener(&self) -> &Listener {
            &self.listener
        }
    }

    impl Client {
        /// A client that is supplied.
        fn of(provider: &Provider) -> Arc<Client> {
            let client = Arc::<Client>::default();
            supply(provider.settings(), &client);
            client
        }

        /// The tokens, once there are so many.
        fn wait_for(&self, count: usize) -> Vec<String> {
            let tokens = self.tokens.lock().expect("not poisoned");
            let few = |tokens: &mut Vec<String>| tokens.len() < count;
            let waited = self.more.wait_timeout_while(tokens, LIMIT, few);
            let (tokens, waited) = waited.expect("not poisoned");
            assert!(!waited.timed_out(), "{tokens:?} alone");
            tokens.clone()
        }
    }

    #[test]
    fn many_clients_share_a_token_while_it_is_fresh() {
        let hour = Duration::from_secs(3_600);
        let provider = Provider::start(move |number| Some(grant(&format!("{number}"), hour)));
        let first = Client::of(&provider);
        let token = first.wait_for(1).remove(0);
        assert!(token.contains("\"0\""), "{token}");
        let others: Vec<_> = (0..8).map(|_| Client::of(&provider)).collect();
        for other in &others {
            assert_eq!(other.wait_for(1), [&*token]);
        }
        drop((first, others));
        // The token outlives them.
        assert_eq!(Client::of(&provider).wait_for(1), [token]);
        assert_eq!(provider.wait_for(1).len(), 1);
    }

    #[test]
    fn all_clients_get_a_new_token_before_the_old_one_expires() {
        let life = Duration::from_secs(2);
        let provider = Provider::start(move |number| Some(grant(&format!("{number}"), life)));
        let begun = SystemTime::now();
        let clients = [Client::of(&provider), Client::of(&provider)];
        for client in &clients {
            let tokens = client.wait_for(3);
            for (number, token) in tokens.iter().enumerate() {
                assert!(token.contains(&format!("\"{number}\"")), "{tokens:?}");
            }
        }
        let took = begun.elapsed().expect("clocks go on");
        assert!(took >= life.mul_f64(2.0 * FRESH) - life / 10, "{took:?}");
        assert_eq!(clients[0].listener.take_trouble(), None);
    }

    #[test]
    fn a_failure_is_told_and_tried_again() {
        let provider = Provider::start(|number| {
            Some(match number {
                0 => answer("401 Unauthorized", ""),
                1 => answer("503 Service Unavailable", ""),
                _ => grant("me", Duration::from_secs(3_600)),
            })
        });
        let client = Client::of(&provider);
        client.wait_for(1);
        // The greater one is what is kept of two.
        let Some(Trouble { kind, reason }) = client.listener.take_trouble() else {
            panic!("nothing was told");
        };
        assert_eq!(kind, TroubleKind::Refused);
        assert!(reason.contains("it answers 401"), "{reason}");
        assert_eq!(provider.wait_for(3).len(), 3);
    }

    #[test]
    fn while_a_token_is_good_failures_are_not_told() {
        let life = Duration::from_secs(3);
        let provider = Provider::start(move |number| match number {
            0 => Some(grant("me", life)),
            _ => Some(answer("500 Internal Server Error", "")),
        });
        let client = Client::of(&provider);
        client.wait_for(1);
        provider.wait_for(2);
        assert_eq!(client.listener.take_trouble(), None);
        let later = Client::of(&provider);
        later.wait_for(1);
        assert_eq!(later.listener.take_trouble(), None);
        // Those that come when it has expired are told.
        provider.wait_for(4);
        assert_eq!(
            Client::of(&provider)
                .listener
                .take_trouble()
                .map(|told| told.kind),
            Some(TroubleKind::Suspect)
        );
    }
}
