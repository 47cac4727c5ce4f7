//! Zip archives: written so that the same files always make the same bytes, and read after their checksum was compared.

use std::fmt::Write as _;

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

const DEFLATED: u16 = 8;
const STORED: u16 = 0;

/// 1980-01-01, the earliest date of the format, as MS-DOS writes it.
const DATE: u16 = 0x0021;

/// Version 2.0 of the format, on Unix, so that readers look at the permissions.
const VERSION: u16 = 20;
const UNIX: u16 = 3 << 8;

/// No core is larger when it is unpacked.
const MAX_UNPACKED: usize = 512 << 20;

/// A file in an archive.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its path in the archive.
    pub name: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
    /// The permissions on Unix, such as `0o755`.
    pub mode: u32,
}

/// Writes an archive of these files, in this order and without their times.
pub fn write(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let packed = compress_to_vec(entry.content, 9);
        let offset = small(archive.len())?;
        let mut fields = Vec::new();
        put16(&mut fields, &[VERSION, 0, DEFLATED, 0, DATE]);
        put32(&mut fields, &[crc32(entry.content), small(packed.len())?, small(entry.content.len())?]);
        put16(&mut fields, &[u16::try_from(entry.name.len()).map_err(|_| too_large())?, 0]);

        put32(&mut archive, &[LOCAL_HEADER]);
        archive.extend([&fields, entry.name.as_bytes(), &packed].concat());

        put32(&mut directory, &[CENTRAL_HEADER]);
        put16(&mut directory, &[UNIX | VERSION]);
        directory.extend(fields);
        put16(&mut directory, &[0, 0, 0]);
        put32(&mut directory, &[(0o100_000 | entry.mode) << 16, offset]);
        directory.extend(entry.name.as_bytes());
    }
    let count = u16::try_from(entries.len()).map_err(|_| too_large())?;
    let (start, length) = (small(archive.len())?, small(directory.len())?);
    archive.extend(directory);
    put32(&mut archive, &[END]);
    put16(&mut archive, &[0, 0, count, count]);
    put32(&mut archive, &[length, start]);
    put16(&mut archive, &[0]);
    Ok(archive)
}

/// Returns the content of one file of an archive; `None` if it has no such file or is damaged.
pub fn read(archive: &[u8], name: &str) -> Option<Vec<u8>> {
    // The comment at the end may have any length.
    let end = archive.windows(4).rposition(|window| window == END.to_le_bytes())?;
    let count = get16(archive, end + 10)?;
    let mut at = get32(archive, end + 16)?;
    for _ in 0..count {
        if get32(archive, at)? != CENTRAL_HEADER as usize {
            return None;
        }
        let [of_name, of_extra, of_comment] = [28, 30, 32].map(|field| get16(archive, at + field));
        let found = archive.get(at + 46..at + 46 + of_name?)?;
        if found == name.as_bytes() {
            let (method, crc) = (get16(archive, at + 10)?, get32(archive, at + 16)?);
            let (packed, local) = (get32(archive, at + 20)?, get32(archive, at + 42)?);
            let content = local + 30 + get16(archive, local + 26)? + get16(archive, local + 28)?;
            let content = archive.get(content..content.checked_add(packed)?)?;
            let content = match u16::try_from(method).ok()? {
                STORED => content.to_vec(),
                DEFLATED => decompress_to_vec_with_limit(content, MAX_UNPACKED).ok()?,
                _ => return None,
            };
            return Some(content).filter(|content| crc32(content) as usize == crc);
        }
        at += 46 + of_name? + of_extra? + of_comment?;
    }
    None
}

/// The SHA-256 of bytes, in lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in ring::digest::digest(&ring::digest::SHA256, bytes).as_ref() {
        _ = write!(hex, "{byte:02x}");
    }
    hex
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index: u32 = 0;
    while index < 256 {
        let mut value = index;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[index as usize] = value;
        index += 1;
    }
    table
}

fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc: u32, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

fn small(length: usize) -> Result<u32, String> {
    u32::try_from(length).map_err(|_| too_large())
}

fn too_large() -> String {
    "The package is too large for a zip archive.".to_owned()
}

fn put16(to: &mut Vec<u8>, values: &[u16]) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put32(to: &mut Vec<u8>, values: &[u32]) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn get16(from: &[u8], at: usize) -> Option<usize> {
    from.get(at..at.checked_add(2)?).map(|bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
}

fn get32(from: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 4] = from.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}
