//! Whether a service was started for this run, and the scripts that start one.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The address in `variable`, or `None` and one line on standard error that says which test is skipped.
pub(crate) fn address(variable: &str) -> Option<String> {
    let address = set(variable);
    if address.is_none() {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let line =
            format!("skipped: {test}: {variable} is not set, see scripts/with-services.sh\n");
        // past the test harness, which would swallow what a test that passes prints
        let _ = io::stderr().write_all(line.as_bytes());
    }
    address
}

fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// The path of a script of this repository.
pub(crate) fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts")).join(name)
}

/// A name that no other test of this run uses: `prefix`, the process, a number.
pub(crate) fn unique_name(prefix: &str, separator: char) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{prefix}{separator}{}{separator}{number}",
        std::process::id()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_not_set_is_no_address() {
        assert_eq!(set("FERRIS_TEST_NO_SUCH_SERVICE"), None);
        assert_eq!(set("PATH"), env::var("PATH").ok());
    }

    #[test]
    fn names_differ() {
        assert_ne!(unique_name("orders", '-'), unique_name("orders", '-'));
        assert!(unique_name("orders", '_').starts_with("orders_"));
    }

    #[test]
    fn scripts_are_found() {
        assert!(script("with-services.sh").is_file());
    }
}
