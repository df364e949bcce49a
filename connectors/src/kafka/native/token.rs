//! Tokens that clients log in with by OAUTHBEARER.

use std::ffi::{CString, c_char};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::admin::AdminClient;
use rdkafka::bindings as sys;
use rdkafka::client::Client;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};

use super::call::{self, CallError};
use crate::kafka::listener::{Listener, WithListener};

/// A token, as the library takes it. It is not shown.
pub(in crate::kafka) struct Token {
    text: CString,
    principal: CString,
    /// Names and values that brokers are told with it, in turn.
    extensions: Vec<CString>,
    expires: SystemTime,
}

impl Token {
    /// Who the token says we are, up to when, and what brokers are told besides.
    pub(in crate::kafka) fn new(
        text: &str,
        principal: &str,
        extensions: &[(String, String)],
        expires: SystemTime,
    ) -> Result<Self, CallError> {
        let parts = extensions.iter().flat_map(|(name, value)| [name, value]);
        Ok(Token {
            text: call::name(text)?,
            principal: call::name(principal)?,
            extensions: parts
                .map(|part| call::name(part))
                .collect::<Result<_, _>>()?,
            expires,
        })
    }

    /// How long it is good for.
    pub(in crate::kafka) fn life(&self) -> Duration {
        let life = self.expires.duration_since(SystemTime::now());
        life.unwrap_or_default()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("principal", &self.principal)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A client that is handed tokens whenever there is a new one.
///
/// The library's own way, a callback for each client that asks for a token, is of no use here: it is called
/// by whoever polls the client, and clients that write or ask once are not polled.
pub(in crate::kafka) trait TakesTokens: Send + Sync {
    /// Hands over a token, with which it logs in from now on.
    fn take(&self, token: &Token) -> Result<(), CallError>;

    /// Who hears why there is none.
    fn listener(&self) -> &Listener;
}

impl<C: WithListener> TakesTokens for Client<C> {
    fn take(&self, token: &Token) -> Result<(), CallError> {
        let expires = token.expires.duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires = i64::try_from(expires.as_millis()).unwrap_or(i64::MAX / 1_000);
        let mut extensions: Vec<*const c_char> =
            token.extensions.iter().map(|part| part.as_ptr()).collect();
        let mut why = [0 as c_char; 256];
        // SAFETY: the client lives; all texts live during the call, which copies them, and end with a zero
        // byte; so does the answer, for which there is as much room as is said.
        let code = unsafe {
            sys::rd_kafka_oauthbearer_set_token(
                self.native_ptr(),
                token.text.as_ptr(),
                expires,
                token.principal.as_ptr(),
                extensions.as_mut_ptr(),
                extensions.len(),
                why.as_mut_ptr(),
                why.len(),
            )
        };
        call::check(code).map_err(|e| CallError {
            // SAFETY: the call has put a text there as it failed, and else the first byte is zero.
            message: unsafe { call::text(why.as_ptr()) },
            ..e
        })
    }

    fn listener(&self) -> &Listener {
        self.context().listener()
    }
}

impl<C: ConsumerContext + WithListener> TakesTokens for BaseConsumer<C> {
    fn take(&self, token: &Token) -> Result<(), CallError> {
        self.client().take(token)
    }

    fn listener(&self) -> &Listener {
        self.client().listener()
    }
}

impl<C: WithListener> TakesTokens for AdminClient<C> {
    fn take(&self, token: &Token) -> Result<(), CallError> {
        self.inner().take(token)
    }

    fn listener(&self) -> &Listener {
        self.inner().listener()
    }
}
