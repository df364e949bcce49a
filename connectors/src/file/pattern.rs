//! Paths with wildcards.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The files that a source reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The file at this path.
    File(PathBuf),
    /// All files whose paths match.
    Files(Pattern),
}

/// A path with wildcards: `*` and `?` stand for characters of one name, `[a-z]` for one of a set,
/// and `**` for any number of directories. None stands for a leading dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The directory that everything is in.
    base: PathBuf,
    /// The names below, one a level.
    names: Vec<Vec<u8>>,
}

/// What a listing found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// The files, in order.
    pub(super) files: BTreeSet<PathBuf>,
    /// The directories in which files may appear.
    pub(super) directories: BTreeSet<PathBuf>,
}

fn is_wild(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

impl Target {
    /// The file or files that an absolute path means; a file that has wildcards in its name and is
    /// there is that file.
    pub fn of(path: &Path) -> Self {
        if is_wild(path.as_os_str().as_bytes()) && !path.exists() {
            Target::Files(Pattern::new(path))
        } else {
            Target::File(path.to_owned())
        }
    }

    /// The files that are there now, and where more may appear. A single file is listed whether it is
    /// there or not.
    ///
    /// A directory that cannot be read is left out, but for the first.
    pub(super) fn list(&self) -> io::Result<Listing> {
        match self {
            Target::File(path) => Ok(Listing {
                files: BTreeSet::from([path.clone()]),
                directories: path.parent().map(Path::to_owned).into_iter().collect(),
            }),
            Target::Files(pattern) => pattern.list(),
        }
    }
}

/// The path, with its wildcards.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::File(path) => write!(f, "{}", path.display()),
            Target::Files(pattern) => {
                let names = pattern.names.iter().map(|name| OsStr::from_bytes(name));
                let path = pattern.base.join(names.collect::<PathBuf>());
                write!(f, "{}", path.display())
            }
        }
    }
}

impl Pattern {
    fn new(path: &Path) -> Self {
        let mut base = PathBuf::new();
        let mut names: Vec<Vec<u8>> = Vec::new();
        for component in path.components() {
            match component {
                Component::Normal(name) if !names.is_empty() || is_wild(name.as_bytes()) => {
                    names.push(name.as_bytes().to_vec());
                }
                other => base.push(other),
            }
        }
        Pattern { base, names }
    }

    fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        std::fs::read_dir(&self.base)?;
        walk(&self.base, &self.names, &mut listing);
        Ok(listing)
    }
}

fn walk(directory: &Path, names: &[Vec<u8>], listing: &mut Listing) {
    let Some((name, below)) = names.split_first() else {
        return;
    };
    if name == b"**" {
        walk(directory, below, listing);
    }
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    listing.directories.insert(directory.to_owned());
    for entry in entries.flatten() {
        let found = entry.file_name();
        if !matches(name, found.as_bytes()) {
            continue;
        }
        let path = directory.join(&found);
        let is_directory = path.is_dir();
        if name == b"**" {
            if is_directory && !path.is_symlink() {
                walk(&path, names, listing);
            }
        } else if !below.is_empty() {
            if is_directory {
                walk(&path, below, listing);
            }
        } else if !is_directory {
            listing.files.insert(path);
        }
    }
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    matches_from(pattern, name)
}

/// Whether all of a name matches, going back to the last `*` where it does not.
fn matches_from(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, n));
            p += 1;
            continue;
        }
        match one(&pattern[p..], name[n]) {
            Some(len) => {
                p += len;
                n += 1;
            }
            None => match star {
                Some((behind, taken)) => {
                    star = Some((behind, taken + 1));
                    (p, n) = (behind, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// How much of the pattern stands for this byte, if it does.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'[' => match set(pattern) {
            Some((members, len)) => members(byte).then_some(len),
            None => (byte == b'[').then_some(1),
        },
        same => (*same == byte).then_some(1),
    }
}

/// The set that a pattern begins with, and its length; none where it is not closed.
fn set(pattern: &[u8]) -> Option<(impl Fn(u8) -> bool + '_, usize)> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let first = if negated { 2 } else { 1 };
    let close = pattern
        .iter()
        .skip(first + 1)
        .position(|byte| *byte == b']')?
        + first
        + 1;
    let members = &pattern[first..close];
    let contains = move |byte: u8| {
        let mut at = 0;
        let mut found = false;
        while at < members.len() {
            if at + 2 < members.len() && members[at + 1] == b'-' {
                found |= (members[at]..=members[at + 2]).contains(&byte);
                at += 3;
            } else {
                found |= members[at] == byte;
                at += 1;
            }
        }
        found != negated
    };
    Some((contains, close + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match() {
        let yes = [
            ("*.csv", "a.csv"),
            ("*.csv", ".csv.csv.csv".trim_start_matches('.')),
            ("a*b*c", "aXbYbZc"),
            ("?.csv", "x.csv"),
            ("[a-c]x[!0-9]", "bxz"),
            ("[]]", "]"),
            ("[x", "[x"),
            (".h*", ".hidden"),
            ("**", "x"),
        ];
        for (pattern, name) in yes {
            assert!(
                matches(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
        let no = [
            ("*.csv", "a.csv2"),
            ("*", ".hidden"),
            ("?", ""),
            ("a*b*c", "aXcYb"),
            ("[a-c]", "d"),
            ("[!a-c]", "a"),
            ("abc", "ab"),
        ];
        for (pattern, name) in no {
            assert!(
                !matches(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn files_are_found_on_every_level() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for path in [
            "a.csv",
            "b.txt",
            "x/a.csv",
            "x/y/b.csv",
            "x/y/.c.csv",
            "z/q/w/d.csv",
        ] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), "").unwrap();
        }
        std::fs::create_dir(root.join("dir.csv")).unwrap();
        let list = |pattern: &str| -> Vec<String> {
            let listing = Target::of(&root.join(pattern)).list().unwrap();
            let names = listing
                .files
                .iter()
                .map(|path| path.strip_prefix(root).unwrap());
            names
                .map(|path| path.to_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(list("*.csv"), ["a.csv"]);
        assert_eq!(list("*/*.csv"), ["x/a.csv"]);
        assert_eq!(
            list("**/*.csv"),
            ["a.csv", "x/a.csv", "x/y/b.csv", "z/q/w/d.csv"]
        );
        assert_eq!(list("x/**/b.csv"), ["x/y/b.csv"]);
        assert_eq!(list("none.csv"), ["none.csv"]);
        assert!(Target::of(&root.join("none/*.csv")).list().is_err());

        std::fs::write(root.join("[1].csv"), "").unwrap();
        assert_eq!(list("[1].csv"), ["[1].csv"]);
    }
}
