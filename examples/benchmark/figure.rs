//! What was measured, in what unit, and what it may be at most.

/// One line of the result.
pub(crate) struct Figure {
    pub(crate) measure: &'static str,
    pub(crate) unit: Unit,
    pub(crate) value: Value,
    pub(crate) bound: Option<f64>,
}

/// What the numbers count.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Milliseconds,
    /// Of a million bytes.
    Megabytes,
}

/// The outcome.
pub(crate) enum Value {
    /// Of several runs, which differ.
    Spread { median: f64, min: f64, max: f64, runs: usize },
    /// Of one look, or drawn from other figures.
    Once(f64),
    /// This system does not tell.
    Unknown,
}

impl Figure {
    /// A figure from several runs; unknown where there was none.
    pub(crate) fn spread(measure: &'static str, unit: Unit, samples: Vec<f64>) -> Self {
        Self { measure, unit, value: Value::spread(samples), bound: None }
    }

    /// A figure that has no spread.
    pub(crate) fn once(measure: &'static str, unit: Unit, value: f64) -> Self {
        Self { measure, unit, value: Value::Once(value), bound: None }
    }

    /// How much more the one is than the other, in the unit of the one.
    pub(crate) fn difference(measure: &'static str, one: &Self, other: &Self) -> Self {
        let middles = one.value.middle().zip(other.value.middle());
        let value = middles.map_or(Value::Unknown, |(one, other)| Value::Once(one - other));
        Self { measure, unit: one.unit, value, bound: None }
    }

    /// Sets the bound.
    pub(crate) fn at_most(self, bound: f64) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// Tells whether the bound held, where there is one and the value is known.
    pub(crate) fn held(&self) -> Option<bool> {
        Some(self.value.middle()? <= self.bound?)
    }
}

impl Value {
    fn spread(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let &[min, .., max] = &samples[..] else {
            return samples.first().map_or(Self::Unknown, |only| Self::Once(*only));
        };
        let runs = samples.len();
        let median = f64::midpoint(samples[(runs - 1) / 2], samples[runs / 2]);
        Self::Spread { median, min, max, runs }
    }

    /// The number that is compared with others.
    pub(crate) fn middle(&self) -> Option<f64> {
        match self {
            Self::Spread { median, .. } => Some(*median),
            Self::Once(value) => Some(*value),
            Self::Unknown => None,
        }
    }
}

/// Bytes in [`Unit::Megabytes`].
#[expect(clippy::cast_precision_loss, reason = "what is measured here is far below 2^53 bytes")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
