//! What is at a path before SQLite may write to it: nothing, a file of ours, or one to be left alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use super::error::{Kind, SqliteError};
use super::schema::APPLICATION_ID;
use crate::Timestamp;

/// The whole path, so that nothing depends on the working directory, and no name (`:memory:`) is special to SQLite.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, SqliteError> {
    std::path::absolute(path).map_err(|error| SqliteError::io(path, "the path is empty: name a file", error))
}

/// Makes sure of a file that can be written, in a directory that can: SQLite keeps its log beside the file.
///
/// A new one is empty and can be read by its owner alone; SQLite gives the files beside it the same mode.
pub(super) fn create_if_absent(path: &Path) -> Result<(), SqliteError> {
    let directory = path.parent().unwrap_or(path);
    match fs::metadata(directory) {
        Ok(metadata) if metadata.permissions().readonly() => {
            let message =
                format!("the directory {} is read-only: SQLite must write beside its file", directory.display());
            return Err(SqliteError::new(Kind::ReadOnly, path, message));
        }
        Ok(_) => {}
        Err(error) => {
            let message = match error.kind() {
                ErrorKind::NotFound => format!("there is no directory {}: make it first", directory.display()),
                _ => format!("the directory {} can't be looked at", directory.display()),
            };
            return Err(SqliteError::io(path, message, error));
        }
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let message = format!(
                "{} is a directory: name a file in it, such as {}",
                path.display(),
                path.join("lastseen.db").display()
            );
            Err(SqliteError::new(Kind::Foreign, path, message))
        }
        Ok(metadata) if !metadata.is_file() => {
            Err(SqliteError::new(Kind::Foreign, path, format!("{} is a device or pipe: name a file", path.display())))
        }
        Ok(metadata) if metadata.permissions().readonly() => {
            let message = format!("{} is read-only: make it writable, or name another file", path.display());
            Err(SqliteError::new(Kind::ReadOnly, path, message))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => create(path),
        Err(error) => Err(SqliteError::io(path, format!("{} can't be looked at", path.display()), error)),
    }
}

fn create(path: &Path) -> Result<(), SqliteError> {
    /// Closing any descriptor of a file drops all locks that this process has on it, SQLite's among them: so no two
    /// threads may create while a third may already have opened. Whoever finds the file there never closes it here.
    static CREATING: Mutex<()> = Mutex::new(());

    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _creating = CREATING.lock();
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(SqliteError::io(path, format!("{} can't be created", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Gives the file another name, and with it what SQLite has written beside it; says which.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, SqliteError> {
    let with = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    // Not every file system has names with colons.
    let aside = with(path, &format!(".aside-{now}").replace(':', ""));
    let failed =
        |error| SqliteError::io(path, format!("{} can't be set aside as {}", path.display(), aside.display()), error);
    // The file itself comes last: SQLite would take the log of one that is gone for that of the next.
    for end in ["-wal", "-shm", "-journal", ""] {
        match fs::rename(with(path, end), with(&aside, end)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(aside)
}

/// The schema version of the file: 0 where it is empty.
///
/// The file is read as one that can't change: without a lock, without a log beside it, and without a byte written.
///
/// # Errors
///
/// Where it is not a database, or another application's.
pub(super) fn inspect(path: &Path) -> Result<i64, SqliteError> {
    let failed = |error| SqliteError::sqlite(path, "looking at it", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(immutable(path), flags).map_err(failed)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);

    if pragma("page_count")? == 0 {
        return Ok(0);
    }
    match pragma("application_id")? {
        id if id == i64::from(APPLICATION_ID) => pragma("user_version"),
        id => {
            let message = format!(
                "{} is another application's database (its application_id is {id}): \
                 name a file of lastseen's own, or one that doesn't exist yet",
                path.display()
            );
            Err(SqliteError::new(Kind::Foreign, path, message))
        }
    }
}

/// An address for SQLite, with all but the plainest bytes escaped.
fn immutable(path: &Path) -> String {
    let mut uri = String::from("file://");
    if !path.has_root() || cfg!(windows) {
        uri.push('/');
    }
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => uri.push(char::from(byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => uri.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or_default()
}
