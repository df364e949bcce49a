//! Options: what stands in `WITH (...)`, read by name and type.
//!
//! Whoever reads an option makes it known. [`OptionReader::finish`] then finds those that nobody
//! knows, and names the known one that was probably meant.

use std::ops::RangeInclusive;
use std::time::Duration;

use ferrisstreams_topology::ErrorPolicy;
use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind, Options};

use crate::uri::is_secret;
use ferrisstreams_topology::nearest;

/// Reads options. Names compare without regard to case, and `-`, `.` and `_` are the same in them.
pub struct OptionReader {
    given: Vec<Given>,
    known: Vec<String>,
}

struct Given {
    /// The name as it was written.
    name: String,
    value: String,
    taken: bool,
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '.'], "_")
}

impl OptionReader {
    /// A reader of these options.
    pub fn new(options: &Options) -> Self {
        let given = options.iter().map(|(name, value)| Given {
            name: name.clone(),
            value: value.clone(),
            taken: false,
        });
        OptionReader {
            given: given.collect(),
            known: Vec::new(),
        }
    }

    /// Adds options from elsewhere.
    ///
    /// # Errors
    ///
    /// Where one is there already.
    pub fn add(&mut self, options: Options) -> Result<(), ConnectorError> {
        for (name, value) in options {
            if self
                .given
                .iter()
                .any(|given| plain(&given.name) == plain(&name))
            {
                return Err(invalid(&name, format!("option `{name}` is given twice")));
            }
            self.given.push(Given {
                name,
                value,
                taken: false,
            });
        }
        Ok(())
    }

    /// Makes `synonym` another word for the option `name`.
    ///
    /// # Errors
    ///
    /// Where both are given.
    pub fn alias(&mut self, synonym: &str, name: &str) -> Result<(), ConnectorError> {
        self.known.push(synonym.to_owned());
        let find = |wanted: &str| {
            let wanted = plain(wanted);
            self.given
                .iter()
                .position(|given| plain(&given.name) == wanted)
        };
        match (find(synonym), find(name)) {
            (Some(_), Some(_)) => {
                let message =
                    format!("option `{synonym}` is another word for `{name}`, and both are given");
                Err(invalid(synonym, message))
            }
            (Some(at), None) => {
                // What is told of it later names it as it was written.
                let value = self.given[at].value.clone();
                self.given[at].taken = true;
                self.given.push(Given {
                    name: name.to_owned(),
                    value,
                    taken: false,
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// True where the option is given; it stays untaken.
    pub fn has(&self, name: &str) -> bool {
        let wanted = plain(name);
        self.given.iter().any(|given| plain(&given.name) == wanted)
    }

    /// Takes an option as text.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        self.known.push(name.to_owned());
        let wanted = plain(name);
        let given = self
            .given
            .iter_mut()
            .find(|given| plain(&given.name) == wanted)?;
        given.taken = true;
        Some(given.value.clone())
    }

    /// Takes the options whose names, in lower case with `_` for `-` and `.`, are `wanted`: names as
    /// written, and values.
    pub fn take_matching(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let mut taken = Vec::new();
        for given in self.given.iter_mut().filter(|given| !given.taken) {
            if wanted(&plain(&given.name)) {
                given.taken = true;
                taken.push((given.name.clone(), given.value.clone()));
            }
        }
        taken
    }

    /// Makes names known that [`take_matching`](OptionReader::take_matching) takes, for suggestions.
    pub fn know<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.known.extend(names.into_iter().map(str::to_owned));
    }

    /// Takes an option that is true or false.
    ///
    /// # Errors
    ///
    /// Where its value is neither.
    pub fn take_bool(&mut self, name: &str) -> Result<Option<bool>, ConnectorError> {
        const WORDS: [(&str, bool); 8] = [
            ("true", true),
            ("false", false),
            ("yes", true),
            ("no", false),
            ("on", true),
            ("off", false),
            ("1", true),
            ("0", false),
        ];
        let Some(text) = self.take_text(name) else {
            return Ok(None);
        };
        let word = WORDS
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        match word {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(wrong(name, &text, "true or false")),
        }
    }

    /// Takes an option that is an integer of a range.
    ///
    /// # Errors
    ///
    /// Where its value is none.
    pub fn take_integer(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ConnectorError> {
        let Some(text) = self.take_text(name) else {
            return Ok(None);
        };
        let value: Option<i64> = text.trim().replace('_', "").parse().ok();
        match value.filter(|value| range.contains(value)) {
            Some(value) => Ok(Some(value)),
            None => {
                let (least, most) = (*range.start(), *range.end());
                let expected = match (least, most) {
                    (i64::MIN, i64::MAX) => "an integer".to_owned(),
                    (least, i64::MAX) => format!("an integer of at least {least}"),
                    (least, most) => format!("an integer from {least} to {most}"),
                };
                Err(wrong(name, &text, &expected))
            }
        }
    }

    /// Takes an option that is a span of time: `500ms`, `2 s`, `1 minute`; a number alone is
    /// milliseconds.
    ///
    /// # Errors
    ///
    /// Where its value is none.
    pub fn take_duration(&mut self, name: &str) -> Result<Option<Duration>, ConnectorError> {
        let Some(text) = self.take_text(name) else {
            return Ok(None);
        };
        match duration(&text) {
            Some(duration) => Ok(Some(duration)),
            None => Err(wrong(
                name,
                &text,
                "a duration such as `500 ms`, `2 s` or `1 minute`",
            )),
        }
    }

    /// Takes an option that is a number of bytes: `4096`, `64 KB`, `1 MiB`; all units are powers of
    /// 1024.
    ///
    /// # Errors
    ///
    /// Where its value is none.
    pub fn take_size(&mut self, name: &str) -> Result<Option<u64>, ConnectorError> {
        let Some(text) = self.take_text(name) else {
            return Ok(None);
        };
        match size(&text) {
            Some(size) => Ok(Some(size)),
            None => Err(wrong(
                name,
                &text,
                "a size such as `4096`, `64 KB` or `1 MB`",
            )),
        }
    }

    /// Takes an option that is one ASCII character; `tab`, `space` and `\t` stand for what they say.
    ///
    /// # Errors
    ///
    /// Where its value is none.
    pub fn take_char(&mut self, name: &str) -> Result<Option<u8>, ConnectorError> {
        let Some(text) = self.take_text(name) else {
            return Ok(None);
        };
        match text.as_bytes() {
            [byte] if byte.is_ascii() => Ok(Some(*byte)),
            _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(Some(b'\t')),
            _ if text.eq_ignore_ascii_case("space") => Ok(Some(b' ')),
            _ => Err(wrong(name, &text, "one ASCII character, `tab` or `space`")),
        }
    }

    /// Takes an option that is one of some words; case does not count.
    ///
    /// # Errors
    ///
    /// Where its value is none of them.
    pub fn take_word<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, ConnectorError> {
        let Some(text) = self.take_text(name) else {
            return Ok(None);
        };
        word(name, &text, words).map(Some)
    }

    /// Takes `on_error`: what happens to records that cannot be read. `skip`, `fail`, or
    /// `dead_letter:NAME`; by default they are skipped and counted.
    ///
    /// # Errors
    ///
    /// Where its value is none of them.
    pub fn take_on_error(&mut self) -> Result<ErrorPolicy, ConnectorError> {
        const NAME: &str = "on_error";
        let Some(text) = self.take_text(NAME) else {
            return Ok(ErrorPolicy::Skip);
        };
        if let Some((word, sink)) = text.split_once(':')
            && plain(word.trim()) == "dead_letter"
            && !sink.trim().is_empty()
        {
            return Ok(ErrorPolicy::DeadLetter(sink.trim().to_owned()));
        }
        match &plain(text.trim())[..] {
            "skip" => Ok(ErrorPolicy::Skip),
            "fail" => Ok(ErrorPolicy::Fail),
            "dead_letter" | "dead_letter:" => {
                Err(invalid(NAME, "dead_letter needs the name of a sink")
                    .help("on_error = 'dead_letter:NAME'"))
            }
            _ => Err(wrong(NAME, &text, "skip, fail or dead_letter:NAME")),
        }
    }

    /// Ends the reading. A connector calls this before it touches the world.
    ///
    /// # Errors
    ///
    /// Where an option is given that nobody took.
    pub fn finish(&self) -> Result<(), ConnectorError> {
        let Some(unknown) = self.given.iter().find(|given| !given.taken) else {
            return Ok(());
        };
        let name = &unknown.name;
        let error = ConnectorError::new(
            ConnectorErrorKind::UnknownOption,
            format!("there is no option `{name}` here"),
        )
        .option(name);
        let plain_names: Vec<String> = self.known.iter().map(|known| plain(known)).collect();
        if let Some(meant) = nearest(&plain(name), plain_names.iter().map(String::as_str)) {
            let at = plain_names.iter().position(|known| known == meant);
            let meant = at.map_or(meant, |at| &self.known[at]);
            return Err(error.help(format!("did you mean `{meant}`?")));
        }
        let mut names: Vec<&str> = self.known.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        Err(match &names[..] {
            [] => error.help("it takes no options"),
            names => error.help(format!("there are: {}", names.join(", "))),
        })
    }
}

/// The error of an option whose value is wrong, in one's own words.
pub(crate) fn invalid(name: &str, message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ConnectorErrorKind::InvalidOption, message).option(name)
}

/// The error of an option whose value is not what is expected.
fn wrong(name: &str, value: &str, expected: &str) -> ConnectorError {
    let shown = if is_secret(name) { "***" } else { value };
    invalid(name, format!("{name} must be {expected}, not `{shown}`"))
}

/// The meaning of one of some words.
pub(crate) fn word<T: Copy>(
    name: &str,
    text: &str,
    words: &[(&str, T)],
) -> Result<T, ConnectorError> {
    let wanted = plain(text.trim());
    if let Some((_, value)) = words.iter().find(|(word, _)| plain(word) == wanted) {
        return Ok(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let error = wrong(name, text, &listed(&names));
    Err(match nearest(text, names) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error,
    })
}

/// `a`, `a or b`, `a, b or c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} or {last}", names.join(", ")),
    }
}

/// A number and the unit behind it.
fn measure(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let number = text[..digits].replace('_', "").parse().ok()?;
    Some((number, text[digits..].trim().to_ascii_lowercase()))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = measure(text)?;
    let millis = match &unit[..] {
        "us" | "microsecond" | "microseconds" => return Some(Duration::from_micros(number)),
        "" | "ms" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = measure(text)?;
    let shift = match &unit[..] {
        "" | "b" | "byte" | "bytes" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(options: &[(&str, &str)]) -> OptionReader {
        let owned = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        OptionReader::new(&owned.collect())
    }

    fn shown(error: &ConnectorError) -> String {
        let help = error.help.as_ref().map(|help| format!(" ({help})"));
        let option = error.option.as_deref().unwrap_or("-");
        format!("{option}: {}{}", error.message, help.unwrap_or_default())
    }

    #[test]
    fn values_by_type() {
        let mut options = reader(&[
            ("Flag", "YES"),
            ("count", "1_000"),
            ("wait", "2 s"),
            ("pause", "1500"),
            ("room", "64 KB"),
            ("poll-interval", "5min"),
            ("delimiter", "tab"),
            ("order", "Desc"),
        ]);
        assert_eq!(options.take_bool("flag"), Ok(Some(true)));
        assert_eq!(options.take_integer("count", 0..=i64::MAX), Ok(Some(1000)));
        assert_eq!(
            options.take_duration("wait"),
            Ok(Some(Duration::from_secs(2)))
        );
        assert_eq!(
            options.take_duration("pause"),
            Ok(Some(Duration::from_millis(1500)))
        );
        assert_eq!(options.take_size("room"), Ok(Some(65536)));
        assert_eq!(
            options.take_duration("poll_interval"),
            Ok(Some(Duration::from_secs(300)))
        );
        assert_eq!(options.take_char("delimiter"), Ok(Some(b'\t')));
        assert_eq!(
            options.take_word("order", &[("asc", 1), ("desc", 2)]),
            Ok(Some(2))
        );
        assert_eq!(options.take_text("nothing"), None);
        assert_eq!(options.finish(), Ok(()));
    }

    #[test]
    fn wrong_values_say_what_is_expected() {
        let mut options = reader(&[
            ("flag", "maybe"),
            ("count", "-1"),
            ("few", "11"),
            ("wait", "soon"),
            ("long", "99999999999999999999 s"),
            ("far", "300000000000000000 d"),
            ("room", "1 XB"),
            ("delimiter", "ab"),
            ("format", "jsn"),
            ("on_error", "dead_letter"),
            ("password", "hush"),
        ]);
        let errors = [
            options.take_bool("flag").map(drop),
            options.take_integer("count", 0..=i64::MAX).map(drop),
            options.take_integer("few", 1..=10).map(drop),
            options.take_duration("wait").map(drop),
            options.take_duration("long").map(drop),
            options.take_duration("far").map(drop),
            options.take_size("room").map(drop),
            options.take_char("delimiter").map(drop),
            options
                .take_word("format", &[("csv", 1), ("json", 2), ("none", 3)])
                .map(drop),
            options.take_on_error().map(drop),
            options.take_bool("password").map(drop),
        ];
        let told: Vec<String> = errors
            .iter()
            .map(|e| shown(e.as_ref().expect_err("wrong")))
            .collect();
        let expected = [
            "flag: flag must be true or false, not `maybe`",
            "count: count must be an integer of at least 0, not `-1`",
            "few: few must be an integer from 1 to 10, not `11`",
            "wait: wait must be a duration such as `500 ms`, `2 s` or `1 minute`, not `soon`",
            "long: long must be a duration such as `500 ms`, `2 s` or `1 minute`, not `99999999999999999999 s`",
            "far: far must be a duration such as `500 ms`, `2 s` or `1 minute`, not `300000000000000000 d`",
            "room: room must be a size such as `4096`, `64 KB` or `1 MB`, not `1 XB`",
            "delimiter: delimiter must be one ASCII character, `tab` or `space`, not `ab`",
            "format: format must be csv, json or none, not `jsn` (did you mean `json`?)",
            "on_error: dead_letter needs the name of a sink (on_error = 'dead_letter:NAME')",
            "password: password must be true or false, not `***`",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn unknown_options_are_told_with_what_was_probably_meant() {
        let mut options = reader(&[("delimeter", ";")]);
        assert_eq!(options.take_char("delimiter"), Ok(None));
        let error = options.finish().expect_err("unknown");
        assert_eq!(
            shown(&error),
            "delimeter: there is no option `delimeter` here (did you mean `delimiter`?)"
        );
        let mut options = reader(&[("zzz", "")]);
        assert_eq!(options.take_bool("header"), Ok(None));
        assert_eq!(options.take_bool("append"), Ok(None));
        let error = options.finish().expect_err("unknown");
        assert_eq!(
            shown(&error),
            "zzz: there is no option `zzz` here (there are: append, header)"
        );
        let error = reader(&[("a", "")]).finish().expect_err("unknown");
        assert_eq!(
            shown(&error),
            "a: there is no option `a` here (it takes no options)"
        );
    }

    #[test]
    fn synonyms_and_what_is_given_twice() {
        let mut options = reader(&[("VALUE_FORMAT", "csv")]);
        assert_eq!(options.alias("value_format", "format"), Ok(()));
        assert_eq!(options.take_text("format").as_deref(), Some("csv"));
        assert_eq!(options.finish(), Ok(()));
        let mut options = reader(&[("value_format", "csv"), ("format", "json")]);
        let error = options.alias("value_format", "format").expect_err("both");
        assert_eq!(error.option.as_deref(), Some("value_format"));
        let more: Options = [("Format".to_owned(), "csv".to_owned())].into();
        let error = options.add(more).expect_err("twice");
        assert_eq!(error.message, "option `Format` is given twice");
    }

    #[test]
    fn policies() {
        let policy = |text: &str| reader(&[("on_error", text)]).take_on_error();
        assert_eq!(policy("SKIP"), Ok(ErrorPolicy::Skip));
        assert_eq!(policy("fail"), Ok(ErrorPolicy::Fail));
        assert_eq!(
            policy("dead-letter: bad_orders"),
            Ok(ErrorPolicy::DeadLetter("bad_orders".to_owned()))
        );
        assert!(policy("explode").is_err());
        assert_eq!(reader(&[]).take_on_error(), Ok(ErrorPolicy::Skip));
    }

    #[test]
    fn properties_that_pass_through() {
        let mut options = reader(&[
            ("bootstrap.servers", "a:1"),
            ("client.id", "x"),
            ("header", "true"),
        ]);
        let taken = options
            .take_matching(|name| name == "bootstrap_servers" || name.starts_with("client_"));
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0], ("bootstrap.servers".to_owned(), "a:1".to_owned()));
        options.know(["headers"]);
        assert_eq!(
            options.finish().expect_err("unknown").help.as_deref(),
            Some("did you mean `headers`?")
        );
    }
}
