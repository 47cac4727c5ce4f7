//! Terraform's numbers: decimal, of any size and precision.

use std::fmt;

/// An exact number.
///
/// Equal numbers are equal however they were written: `587`, `587.0` and `5.87e2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Number(pub(super) Form);

/// The canonical form of a number. Each number has exactly one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// A whole number from [`i64::MIN`] to [`u64::MAX`].
    Integer(i128),
    /// A fraction that a float64 represents exactly. Finite, and never a whole number.
    Float(f64),
    /// Any other number, as `-?digits(.digits)?` without superfluous zeros.
    Decimal(String),
}

impl Number {
    /// Converts a float64 exactly. `None` for infinities and NaN.
    pub fn from_f64(float: f64) -> Option<Self> {
        float
            .is_finite()
            .then(|| if float.fract() == 0.0 { Self::from_plain(expand(float)) } else { Self(Form::Float(float)) })
    }

    /// Parses a decimal number with an optional sign, fraction and exponent.
    ///
    /// `None` for anything else, and for an exponent beyond ±4096.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => ("-", unsigned),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // A number is its digits and the position of the point among them. The exponent moves the point: past the
        // digits it adds zeros behind them, before them it adds zeros in front.
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Without this limit, `1e999999999` would allocate a gigabyte of zeros.
        let exponent = exponent.parse::<i64>().ok().filter(|exponent| exponent.unsigned_abs() <= MAX_SHIFT)?;
        let point = i64::try_from(whole.len()).ok()? + exponent;
        let shifted = match usize::try_from(point) {
            Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
            Ok(point) => format!("{}.{}", &digits[..point], &digits[point..]),
            Err(_) => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
        };
        Some(Self::from_plain(format!("{sign}{}", trim(&shifted))))
    }

    /// Returns the number if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Form::Integer(integer) => i64::try_from(integer).ok(),
            Form::Float(_) | Form::Decimal(_) => None,
        }
    }

    /// Returns the nearest float64. `None` if the number is out of range.
    pub fn as_f64(&self) -> Option<f64> {
        match self.0 {
            Form::Float(float) => Some(float),
            Form::Integer(_) | Form::Decimal(_) => {
                self.to_string().parse().ok().filter(|float: &f64| float.is_finite())
            }
        }
    }

    /// Finds the canonical form of a number that is written as [`Form::Decimal`] describes.
    fn from_plain(plain: String) -> Self {
        if let Some(integer) = plain.parse().ok().filter(|integer| is_64_bits(*integer)) {
            return Self(Form::Integer(integer));
        }
        let float = plain.parse().ok().filter(|float: &f64| float.is_finite() && float.fract() != 0.0);
        // Parsing rounds to the nearest float64. Only if that float has exactly these digits is it the number itself.
        match float.filter(|float| expand(*float) == plain) {
            Some(float) => Self(Form::Float(float)),
            None => Self(Form::Decimal(plain)),
        }
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self(Form::Integer(integer.into()))
    }
}

impl fmt::Display for Number {
    /// Writes every digit, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Integer(integer) => write!(f, "{integer}"),
            Form::Float(float) => f.write_str(&expand(*float)),
            Form::Decimal(text) => f.write_str(text),
        }
    }
}

fn is_64_bits(integer: i128) -> bool {
    (i64::MIN.into()..=u64::MAX.into()).contains(&integer)
}

/// Writes a finite float64 in full: 0.1 has 55 fraction digits.
fn expand(float: f64) -> String {
    let text = format!("{float:.FLOAT_DIGITS$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Removes the superfluous zeros of an unsigned decimal number.
fn trim(unsigned: &str) -> String {
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// How far an exponent may move the decimal point.
const MAX_SHIFT: u64 = 4096;

/// The number of fraction digits of the smallest float64, written in full.
const FLOAT_DIGITS: usize = 1074;

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn one_number_has_one_form() {
        for (number, texts) in [
            (Number::from(587), ["587", "587.0", "+5.87e2", "0587", "58700E-2"]),
            (Number::from(0), ["0", "-0", "0.000", "0e4096", "-0.0e-7"]),
            (Number::from(-1200), ["-1200", "-1.2e3", "-1200.", "-12E+2", "-0.0012e6"]),
            (Number::from_f64(-0.375).unwrap(), ["-0.375", "-.375", "-375e-3", "-0.3750", "-00.0375e1"]),
        ] {
            for text in texts {
                assert_eq!(Number::parse(text).as_ref(), Some(&number), "{text}");
            }
        }
        assert_eq!(Number::from_f64(587.0), Some(Number::from(587)));
        assert_eq!(Number::from_f64(-0.0), Some(Number::from(0)));
        assert_eq!(Number::from_f64(1e300).unwrap().to_string().parse(), Ok(1e300));
    }

    #[test]
    fn a_float_is_exactly_the_number_that_it_is() {
        let tenth = Number::from_f64(0.1).unwrap();
        assert_ne!(tenth, number("0.1"));
        assert_eq!(tenth, number("0.1000000000000000055511151231257827021181583404541015625"));
        assert_eq!(tenth.as_f64(), number("0.1").as_f64());
    }

    #[test]
    fn every_digit_is_kept() {
        for text in [
            "-9223372036854775809",
            "18446744073709551615",
            "18446744073709551616",
            "0.1",
            "-123456789012345678901234567890.098765432109876543210987654321",
        ] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1e400").to_string(), format!("1{}", "0".repeat(400)));
        assert_eq!(number("1e-400").to_string(), format!("0.{}1", "0".repeat(399)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", "+", ".", "e1", "1e", "1e+", "1 ", " 1", "--1", "+-1", "1.2.3", "1e2e3", "1e1.5", "0x10", "1_000",
            "١",
        ] {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Number::parse(&float.to_string()), None);
            assert_eq!(Number::from_f64(float), None);
        }
    }

    #[test]
    fn an_exponent_asks_for_no_more_than_a_few_kilobytes() {
        assert_eq!(Number::parse("1e4097"), None);
        assert_eq!(Number::parse("1e-999999999"), None);
        assert_eq!(Number::parse("1e99999999999999999999"), None);
        assert_eq!(number("1e-4096").to_string().len(), 4098);
    }

    #[test]
    fn a_hundred_thousand_digits_are_a_number() {
        let digits = "123456789".repeat(11_112);
        assert_eq!(number(&digits).to_string(), digits);
        assert_eq!(number(&format!("0.{digits}")).to_string(), format!("0.{digits}"));
    }

    #[test]
    fn conversions_answer_only_within_their_range() {
        assert_eq!(number("-9223372036854775808").as_i64(), Some(i64::MIN));
        assert_eq!(number("9223372036854775808").as_i64(), None);
        assert_eq!(number("0.5").as_i64(), None);
        assert_eq!(number("0.5").as_f64(), Some(0.5));
        assert_eq!(number("1e300").as_f64(), Some(1e300));
        assert_eq!(number("1e400").as_f64(), None);
    }
}
