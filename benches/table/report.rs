//! The one table.

use crate::stats::Sample;

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtMost(most) => format!("<= {}{unit}", short(most)),
            Self::AtLeast(least) => format!(">= {}{unit}", short(least)),
        }
    }
}

/// The worker's figures, a peer's name, and its figures.
pub(crate) type Contest<'a> = (&'a Sample, &'a str, &'a Sample);

/// Prints each row as soon as it is known.
#[derive(Debug, Default)]
pub(crate) struct Table {
    misses: usize,
    started: bool,
}

impl Table {
    /// A row whose figure has a target of its own.
    pub(crate) fn absolute(&mut self, name: &str, unit: &str, sample: &Sample, target: Target) {
        let verdict = self.verdict(target.met(sample.median()));
        self.line(&[name, &spread(sample, unit), "", "", &target.text(unit), verdict]);
    }

    /// A row whose figure is held against another's, turn by turn.
    pub(crate) fn ratio(&mut self, name: &str, unit: &str, contest: Contest<'_>, target: Target) {
        let (mine, _, theirs) = contest;
        let verdict = self.verdict(target.met(mine.median() / theirs.median()));
        self.contest(name, unit, contest, [&target.text(" x"), verdict]);
    }

    /// A row with another's figure beside it, for orientation.
    pub(crate) fn beside(&mut self, name: &str, unit: &str, contest: Contest<'_>) {
        self.contest(name, unit, contest, ["", ""]);
    }

    fn contest(&mut self, name: &str, unit: &str, contest: Contest<'_>, end: [&str; 2]) {
        let (mine, peer, theirs) = contest;
        let figure = short(mine.median() / theirs.median());
        let [low, high] = [0.1, 0.9].map(|part| short(mine.over(theirs).quantile(part)));
        let against = format!("{peer}: {}", spread(theirs, unit));
        let ratio = format!("{figure} ({low}..{high})");
        self.line(&[name, &spread(mine, unit), &against, &ratio, end[0], end[1]]);
    }

    /// A row that only tells.
    pub(crate) fn note(&mut self, name: &str, text: &str) {
        self.line(&[name, text, "", "", "", ""]);
    }

    /// How many targets were missed.
    pub(crate) fn end(&self) -> String {
        format!("\n{} missed. Cells: median (p10..p90).", self.misses)
    }

    fn verdict(&mut self, met: bool) -> &'static str {
        self.misses += usize::from(!met);
        if met { "met" } else { "MISSED" }
    }

    fn line(&mut self, cells: &[&str; 6]) {
        if !std::mem::replace(&mut self.started, true) {
            println!("| what | worker | against | ratio | target | |\n|---|---|---|---|---|---|");
        }
        println!("| {} |", cells.join(" | "));
    }
}

/// A median and its spread.
pub(crate) fn spread(sample: &Sample, unit: &str) -> String {
    let [low, middle, high] = [0.1, 0.5, 0.9].map(|part| short(sample.quantile(part)));
    if low == high { format!("{middle}{unit}") } else { format!("{middle}{unit} ({low}..{high})") }
}

/// Three digits that count.
fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 0.1 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}
