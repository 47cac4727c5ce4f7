//! A certificate for a public key of any kind (RFC 5280, section 4.1), put together here: rcgen knows only the kinds
//! that ring does.

use rcgen::{KeyPair, SigningKey};
use sandbox::der::{der, oid, sequence};

/// The common name of the authority.
pub(super) const AUTHORITY: &str = "An authority of these tests";

/// A certificate for `localhost` and `127.0.0.1` with this `SubjectPublicKeyInfo`, signed by the authority's key, which
/// is of P-256.
pub(super) fn certificate(public_key: &[u8], authority: &KeyPair) -> Vec<u8> {
    let algorithm = sequence(&[&oid(ECDSA_WITH_SHA256)]);
    let validity = sequence(&[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
    let names = sequence(&[&der(0x82, &[b"localhost"]), &der(0x87, &[&[127, 0, 0, 1]])]);
    let extension = sequence(&[&oid(SUBJECT_ALTERNATIVE_NAME), &der(0x04, &[&names])]);
    let parts: [&[u8]; 8] = [
        &der(0xa0, &[&der(0x02, &[&[2]])]),
        &der(0x02, &[&[1]]),
        &algorithm,
        &name(AUTHORITY),
        &validity,
        &name("localhost"),
        public_key,
        &der(0xa3, &[&sequence(&[&extension])]),
    ];
    let to_be_signed = sequence(&parts);
    let signature = authority.sign(&to_be_signed).expect("a signature");
    sequence(&[&to_be_signed, &algorithm, &der(0x03, &[&[0], &signature])])
}

fn name(common_name: &str) -> Vec<u8> {
    sequence(&[&der(0x31, &[&sequence(&[&oid(COMMON_NAME), &der(0x0c, &[common_name.as_bytes()])])])])
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
