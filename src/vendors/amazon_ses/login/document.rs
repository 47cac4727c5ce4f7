//! Small files with credentials.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use crate::{
    http::{Operation, Result},
    secret::Secret,
};

/// Why a file was not read, to follow its name.
pub(super) const NOT_READ: &str = "cannot be read";

/// No file of this kind is larger, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A file may be a pipe or on a network that hangs.
const TIME: Duration = Duration::from_secs(10);

/// Reads a text file; `None` if there is none. The inner error is why it was not read, to follow its name.
pub(super) async fn read(op: &Operation, path: &Path) -> Result<Result<Option<Secret>, &'static str>> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_now(&path));
    let read = op.wait(tokio::time::timeout(TIME, reading)).await?;
    Ok(match read {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err(NOT_READ),
        Err(_) => Err("cannot be read within ten seconds"),
    })
}

fn read_now(path: &Path) -> std::result::Result<Option<Secret>, &'static str> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(NOT_READ),
    };
    // A text that grows would leave copies of the secrets in it behind.
    let size = file.metadata().map_or(0, |data| data.len()).min(LONGEST);
    let mut text = zeroize::Zeroizing::new(String::with_capacity(usize::try_from(size).unwrap_or_default() + 1));
    // One byte more, because a file that is cut off would look like one without the profile.
    match file.take(LONGEST + 1).read_to_string(&mut text) {
        Ok(read) if u64::try_from(read).is_ok_and(|read| read > LONGEST) => Err("is larger than 1 MiB"),
        Ok(_) => Ok(Some(Secret::new(text.as_str()))),
        Err(_) => Err("is not a text in UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let longest = usize::try_from(LONGEST).unwrap();
        for (length, expected) in [(0, Ok(0)), (longest, Ok(longest)), (longest + 1, Err("is larger than 1 MiB"))] {
            std::fs::write(file.path(), "x".repeat(length)).unwrap();
            let read = read_now(file.path()).map(|text| text.unwrap().for_wire().len());
            assert_eq!(read, expected);
        }
        assert!(read_now(Path::new("there/is/no/such/file")).unwrap().is_none());
    }
}
