//! Samples, and contestants that take turns so that a busy moment of the machine hits them all.

/// What was measured, in one unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value below which this part of the sample lies; NaN of an empty one.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1) as f64;
        sorted.get((last * part).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Each value divided by the one of the same turn.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine / theirs).collect())
    }

    /// The sum of the values of the same turn.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine + theirs).collect())
    }

    pub(crate) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self(self.0.iter().map(|&value| change(value)).collect())
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// One who is measured; each turn returns its figure.
pub(crate) type Turn<'a> = Box<dyn FnMut() -> f64 + 'a>;

/// Lets them take turns, one round beforehand that does not count.
pub(crate) fn interleave<const N: usize>(rounds: usize, mut turns: [Turn<'_>; N]) -> [Sample; N] {
    let mut samples = [const { Sample(Vec::new()) }; N];
    for round in 0..=rounds {
        for (turn, sample) in turns.iter_mut().zip(&mut samples) {
            let figure = turn();
            if round > 0 {
                sample.push(figure);
            }
        }
    }
    samples
}
