//! Tokens for OAUTHBEARER that a provider hands out by OAuth's client credentials grant, as
//! `sasl.oauthbearer.method = oidc` asks for them.
//!
//! The library fetches such tokens itself only where it is built with libcurl. Here the engine fetches them, one
//! for all clients that have the same settings, and hands a new one to each before the old one expires.

mod settings;
mod claims;
mod failure;
#[cfg(test)]
mod provider;
mod request;
mod keeper;

pub(super) use self::keeper::supply;
pub(super) use self::settings::Settings;
