//! Settings: from flags and the environment, then from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::args::Engine;
use crate::failure::Failure;

/// The settings of a command.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Where state is kept.
    pub(crate) state_dir: Option<PathBuf>,
    /// The number of threads that process records.
    pub(crate) workers: Option<u16>,
    /// Memory for all state together, in MiB.
    pub(crate) memory: Option<usize>,
    /// The time between commits, in milliseconds.
    pub(crate) commit_interval: Option<u64>,
    /// Properties of the default Kafka cluster, by librdkafka's names.
    #[serde(default)]
    pub(crate) kafka: BTreeMap<String, toml::Value>,
    /// Settings of applications by Kafka Streams' names, and properties of their clients by librdkafka's.
    #[serde(default)]
    pub(crate) application: BTreeMap<String, toml::Value>,
    /// Named connections.
    #[serde(default)]
    pub(crate) connections: BTreeMap<String, BTreeMap<String, toml::Value>>,
}

impl Config {
    /// Reads the file that is named, and puts the flags above it.
    pub(crate) fn read(engine: &Engine) -> Result<Config, Failure> {
        let mut config = match &engine.config {
            Some(path) => from_file(path)?,
            None => Config::default(),
        };
        if let Some(dir) = &engine.state_dir {
            config.state_dir = Some(dir.clone());
        }
        config.workers = engine.workers.or(config.workers);
        config.memory = engine.memory.or(config.memory);
        config.commit_interval = engine.commit_interval.or(config.commit_interval);
        if let Some(servers) = &engine.bootstrap_servers {
            let servers = toml::Value::String(servers.clone());
            config.kafka.insert("bootstrap.servers".to_owned(), servers);
        }
        if config.workers == Some(0) {
            return Err(Failure::Usage("workers must be at least 1".to_owned()));
        }
        Ok(config)
    }
}

fn from_file(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::Usage(format!("cannot read {}: {e}", path.display())))?;
    toml::from_str(&text).map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))
}

/// Values of a table of settings as text, nested names joined by dots.
pub(crate) fn options(table: &BTreeMap<String, toml::Value>) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    for (name, value) in table {
        flatten(name, value, &mut options);
    }
    options
}

fn flatten(name: &str, value: &toml::Value, options: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (inner, value) in table {
                flatten(&format!("{name}.{inner}"), value, options);
            }
        }
        toml::Value::String(text) => {
            options.insert(name.to_owned(), text.clone());
        }
        other => {
            options.insert(name.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nested_settings_are_joined() {
        let config: Config = toml::from_str(
            "workers = 2\n[kafka]\nbootstrap.servers = 'a:1'\n[connections.crm]\nhost = 'h'\nport = 5432\n",
        )
        .expect("settings");
        assert_eq!(options(&config.kafka)["bootstrap.servers"], "a:1");
        assert_eq!(options(&config.connections["crm"])["port"], "5432");
    }

    #[test]
    fn unknown_settings_are_mistakes() {
        assert!(toml::from_str::<Config>("worker = 2").is_err());
    }
}
