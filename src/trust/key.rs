//! The size of a certificate's RSA key.

use rustls::pki_types::SubjectPublicKeyInfoDer;

/// Returns the number of bits of the modulus (RFC 8017, appendix A.1.1); `None` if this is not a valid RSA key.
pub(super) fn rsa_bits(key: &SubjectPublicKeyInfoDer<'_>) -> Option<usize> {
    let (key, _) = element(key, SEQUENCE)?;
    let (algorithm, key) = element(key, SEQUENCE)?;
    let (algorithm, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    let (key, _) = element(key, BIT_STRING)?;
    let (key, _) = element(key.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, _) = element(key, INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(first..)?;
    let unused = usize::try_from(significant.first()?.leading_zeros()).ok()?;
    (algorithm == RSA_ENCRYPTION).then_some(significant.len() * 8 - unused)
}

/// Returns the content of the first element and what follows it, if it has this tag (X.690, section 8.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(length) {
        length @ 0..=0x7f => (length, rest),
        longer @ 0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(longer - 0x80)?;
            (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// 1.2.840.113549.1.1.1 (RFC 8017, appendix C).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let [.., high, low] = content.len().to_be_bytes();
        let head: &[u8] = match content.len() {
            0..0x80 => &[tag, low],
            0x80..0x100 => &[tag, 0x81, low],
            _ => &[tag, 0x82, high, low],
        };
        [head, content].concat()
    }

    fn key(algorithm: &[u8], modulus: &[u8]) -> Vec<u8> {
        let numbers = [der(INTEGER, modulus), der(INTEGER, &[1, 0, 1])].concat();
        let bits = [&[0], &*der(SEQUENCE, &numbers)].concat();
        let algorithm = [der(OBJECT_IDENTIFIER, algorithm), der(0x05, &[])].concat();
        der(SEQUENCE, &[der(SEQUENCE, &algorithm), der(BIT_STRING, &bits)].concat())
    }

    fn bits(key: Vec<u8>) -> Option<usize> {
        rsa_bits(&key.into())
    }

    #[test]
    fn the_bits_of_a_modulus_are_counted() {
        for (bytes, first, expected) in
            [(128, 0x80, 1024), (256, 0xff, 2048), (256, 0x7f, 2047), (128, 0x01, 1017), (1025, 1, 8193), (1, 1, 1)]
        {
            let mut modulus = vec![0x55; bytes];
            modulus[0] = first;
            assert_eq!(bits(key(RSA_ENCRYPTION, &modulus)), Some(expected));
            modulus.insert(0, 0);
            assert_eq!(bits(key(RSA_ENCRYPTION, &modulus)), Some(expected), "a positive integer may begin with a zero");
        }
        assert_eq!(bits(key(&[0x2a], &[0x80; 128])), None);
        assert_eq!(bits(key(RSA_ENCRYPTION, &[0, 0])), None);
    }

    proptest! {
        #[test]
        fn what_is_no_key_has_no_size(mut bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0_usize..160, cut in 0_usize..160) {
            prop_assert!(bits(bytes.clone()).is_none_or(|bits| bits <= 64 * 8));
            let whole = key(RSA_ENCRYPTION, &[0x80; 128]);
            prop_assert_eq!(bits(whole[..cut.min(whole.len() - 10)].to_vec()), None);
            // A byte that is another says another thing or nothing, and never reads beyond the end.
            let mut changed = whole;
            let at = at.min(changed.len() - 1);
            changed[at] ^= bytes.pop().unwrap_or(1);
            prop_assert!(bits(changed).is_none_or(|bits| bits <= 160 * 8));
        }
    }
}
