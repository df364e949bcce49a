//! The first records of files, from which columns are found out.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::chunk::{Chunk, Wanted};
use super::framing::Framing;

/// How many records are read at once.
const RECORDS: usize = 1000;

/// The longest header or record that is looked at.
const LONGEST: usize = 1 << 20;

/// What the first file with a header says, and which file that is.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) header: Option<(PathBuf, Vec<u8>)>,
}

/// The first line of the first file that has one.
pub(super) fn first_header(files: &[PathBuf], framing: Framing) -> io::Result<Sampled> {
    for path in files {
        if let Some(header) = header_of(path, framing)? {
            return Ok(Sampled {
                header: Some((path.clone(), header)),
            });
        }
    }
    Ok(Sampled::default())
}

fn wanted(framing: Framing, offset: u64, header: bool) -> Wanted {
    Wanted {
        framing,
        offset,
        room: u64::MAX,
        known: u64::MAX,
        limit: RECORDS,
        usual: 64,
        longest: LONGEST,
        header,
        closed: true,
    }
}

fn header_of(path: &Path, framing: Framing) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    Ok(match wanted(framing, 0, true).read(&file)? {
        Chunk::Records(found) => {
            let header = found.header.and_then(|header| header.of(&found.bytes));
            header.map(<[u8]>::to_vec)
        }
        _ => None,
    })
}

/// Shows records of a file to `take`, until it wants no more; the answer is whether it does.
pub(super) fn records(
    path: &Path,
    framing: Framing,
    header: bool,
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> io::Result<bool> {
    let file = File::open(path)?;
    let mut offset = 0;
    while let Chunk::Records(found) = wanted(framing, offset, header && offset == 0).read(&file)? {
        for record in &found.records {
            if !take(record.of(&found.bytes).unwrap_or_default()) {
                return Ok(false);
            }
        }
        offset += found.bytes.len() as u64;
    }
    Ok(true)
}
