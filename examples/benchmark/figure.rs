//! What was measured, in what unit, and within what bounds it must be.

/// Figures that belong together.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) figures: Vec<Figure>,
}

/// One line of the result.
pub(crate) struct Figure {
    pub(crate) measure: String,
    pub(crate) unit: Unit,
    pub(crate) value: Value,
    pub(crate) bound: Option<Bound>,
}

/// What the numbers count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unit {
    Bytes,
    Count,
    /// Of a million bytes.
    Megabytes,
    Milliseconds,
    PerSecond,
    Percent,
    Times,
}

/// The outcome.
pub(crate) enum Value {
    /// Of several runs, which differ.
    Spread { median: f64, min: f64, max: f64, runs: usize },
    /// Of one look.
    Once(f64),
    /// This system does not report it.
    Unknown,
}

/// What a figure is held to.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Unit {
    /// Its name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Megabytes => "MB",
            Self::Milliseconds => "ms",
            Self::PerSecond => "1/s",
            Self::Percent => "%",
            Self::Times => "times",
        }
    }
}

impl Figure {
    /// A figure from several runs; unknown where there was none.
    pub(crate) fn new(measure: impl Into<String>, unit: Unit, samples: impl IntoIterator<Item = f64>) -> Self {
        let value = Value::of(samples.into_iter().collect());
        Self { measure: measure.into(), unit, value, bound: None }
    }

    /// The number that is compared with others.
    pub(crate) fn middle(&self) -> Option<f64> {
        match self.value {
            Value::Spread { median, .. } => Some(median),
            Value::Once(value) => Some(value),
            Value::Unknown => None,
        }
    }

    /// Sets its upper bound.
    pub(crate) fn at_most(self, bound: f64) -> Self {
        Self { bound: Some(Bound::AtMost(bound)), ..self }
    }

    /// Sets its lower bound.
    pub(crate) fn at_least(self, bound: f64) -> Self {
        Self { bound: Some(Bound::AtLeast(bound)), ..self }
    }

    /// How much of its bound it takes up: 1 is all of it, and more is a bound that is missed.
    pub(crate) fn strain(&self) -> Option<f64> {
        let middle = self.middle()?;
        let strain = match self.bound? {
            Bound::AtLeast(bound) => bound / middle,
            Bound::AtMost(bound) => middle / bound,
        };
        // Zero meets a bound of zero.
        Some(if strain.is_nan() { 0.0 } else { strain })
    }

    /// Writes a number of this figure's unit.
    pub(crate) fn show(&self, number: f64) -> String {
        match self.unit {
            Unit::Bytes => format!("{number:.0} bytes"),
            Unit::Count => format!("{number:.0}"),
            Unit::Megabytes => format!("{number:.2} MB"),
            Unit::Milliseconds if number < 10.0 => format!("{number:.3} ms"),
            Unit::Milliseconds if number < 10_000.0 => format!("{number:.1} ms"),
            Unit::Milliseconds => format!("{:.2} s", number / 1e3),
            Unit::PerSecond => format!("{number:.0} /s"),
            Unit::Percent => format!("{number:.1} %"),
            Unit::Times => format!("{number:.2} ×"),
        }
    }
}

impl Value {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let &[min, .., max] = &samples[..] else {
            return samples.first().map_or(Self::Unknown, |only| Self::Once(*only));
        };
        let runs = samples.len();
        let median = f64::midpoint(samples[(runs - 1) / 2], samples[runs / 2]);
        Self::Spread { median, min, max, runs }
    }
}

/// Bytes in [`Unit::Megabytes`].
#[expect(clippy::cast_precision_loss, reason = "what is measured here is far below 2^53 bytes")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A number of things as a figure.
#[expect(clippy::cast_precision_loss, reason = "there are a few thousands of them")]
pub(crate) fn count(things: usize) -> f64 {
    things as f64
}

/// A time in [`Unit::Milliseconds`].
pub(crate) fn milliseconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
