//! A directory for one test, and the ways in which files change under a program that watches them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

/// A new empty directory, removed when it is dropped, unless the test fails: then it is kept and its path printed.
///
/// ```
/// let dir = ferrisstreams_tests::TestDir::new();
/// let orders = dir.write("orders.csv", "id,amount\n1,10.00\n");
/// dir.append("orders.csv", "2,20.00\n");
/// assert_eq!(std::fs::read_to_string(orders).unwrap(), "id,amount\n1,10.00\n2,20.00\n");
/// ```
#[derive(Debug)]
pub struct TestDir {
    dir: TempDir,
}

impl TestDir {
    /// Makes a directory in the system's folder for temporary files.
    #[track_caller]
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default value that makes a directory would surprise"
    )]
    pub fn new() -> TestDir {
        let dir = tempfile::Builder::new().prefix("ferris-test-").tempdir();
        TestDir {
            dir: dir.unwrap_or_else(|error| panic!("making a directory for a test: {error}")),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The path of a file in it, which need not exist.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a whole file in place: a new one, or the old one truncated and filled again. A reader may see it half
    /// written. Folders on the way are made.
    #[track_caller]
    pub fn write(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        let folder = path.parent().expect("a file in the directory has a parent");
        check("making the folder of", &path, fs::create_dir_all(folder));
        check("writing", &path, fs::write(&path, contents));
        path
    }

    /// Puts a whole file in the place of another in one step: a reader sees the old one or the new one, and its inode
    /// changes.
    #[track_caller]
    pub fn replace(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        let mut new = path.clone().into_os_string();
        new.push(".new");
        check("writing", &path, fs::write(&new, contents));
        check("replacing", &path, fs::rename(&new, &path));
        path
    }

    /// Adds to the end of a file with a single write; makes the file if there is none.
    #[track_caller]
    pub fn append(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        check(
            "appending to",
            &path,
            file.and_then(|mut file| file.write_all(contents.as_ref())),
        );
        path
    }
}

#[track_caller]
fn check<T>(doing: &str, path: &Path, result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{doing} {}: {error}", path.display()))
}

impl Drop for TestDir {
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows it with the failure"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            self.dir.disable_cleanup(true);
            eprintln!(
                "the files of this test are kept in {}",
                self.dir.path().display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn inode(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    #[test]
    fn writing_keeps_the_inode_and_replacing_changes_it() {
        let dir = TestDir::new();
        let path = dir.write("sub/a.csv", "1\n");
        let first = inode(&path);
        dir.write("sub/a.csv", "2\n");
        assert_eq!(
            (inode(&path), fs::read_to_string(&path).unwrap()),
            (first, "2\n".to_owned())
        );
        dir.replace("sub/a.csv", "3\n");
        assert_ne!(inode(&path), first);
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\n");
        assert_eq!(fs::read_dir(dir.join("sub")).unwrap().count(), 1);
    }

    #[test]
    fn the_directory_goes_with_its_owner() {
        let dir = TestDir::new();
        let path = dir.append("log", "line\n");
        drop(dir);
        assert!(!path.exists());
    }

    #[test]
    fn the_directory_of_a_failed_test_is_kept() {
        let kept = thread::spawn(|| {
            let dir = TestDir::new();
            let path = dir.write("evidence", "x");
            std::panic::panic_any((path, dir.path().to_owned()))
        });
        let payload = kept.join().unwrap_err();
        let (path, dir) = payload.downcast_ref::<(PathBuf, PathBuf)>().unwrap();
        assert!(path.exists());
        fs::remove_dir_all(dir).unwrap();
    }
}
