//! The forest plot: one small drawing per table row, all on one scale, so that plot and table are the same thing.
//!
//! Places are per cent of the drawing's width and there is no `viewBox`: a strip then stretches with its column while text,
//! marks and lines keep their size, at 1280 pixels, at 400 and on paper.

use maud::{Markup, html};

use super::words::{Mark, Scale, said};

/// A figure to draw.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// The figure, if it exists.
    pub(crate) value: Option<f64>,
    /// Its interval, if it exists.
    pub(crate) interval: Option<(f64, f64)>,
    /// Its shape.
    pub(crate) shape: Shape,
}

/// The shape of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// By its outcome.
    Mark(Mark),
    /// A rate that is held against nothing.
    Plain,
    /// The group others are compared with.
    Reference,
}

/// What passes: the lowest and the highest value, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Limits {
    /// The lowest value that passes.
    pub(crate) low: Option<f64>,
    /// The highest value that passes.
    pub(crate) high: Option<f64>,
}

/// The scale that all strips of a table share.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    limits: Limits,
}

/// Room left and right of the scale, in per cent, so that marks and labels at its ends stay whole.
const MARGIN: f64 = 4.0;
/// Where what is off the scale is cut, in per cent.
const EDGES: (f64, f64) = (MARGIN / 2.0, 100.0 - MARGIN / 2.0);
/// A ratio beyond these is drawn as an arrow: groups that differ more than tenfold need no finer picture.
const RATIO_MAX: f64 = 10.0;
/// Two tick labels are at least this far apart, in per cent: room for four characters in a narrow column.
const TICK_GAP: f64 = 12.0;

impl Axis {
    /// A scale that holds the limits and every judged figure. Groups too small to judge do not stretch it, unless there are no
    /// others: their intervals can be as wide as the world. What leaves the scale is cut and ends in an arrow.
    pub(crate) fn new(scale: Scale, points: &[Point], limits: Limits) -> Axis {
        let is_judged = |point: &&Point| point.shape != Shape::Mark(Mark::Small);
        let any_judged = points.iter().any(|point| is_judged(&point));
        let counted = points
            .iter()
            .filter(|point| !any_judged || is_judged(point));
        let ends: Vec<f64> = counted
            .flat_map(|point| {
                [
                    point.value,
                    point.interval.map(|end| end.0),
                    point.interval.map(|end| end.1),
                ]
            })
            .flatten()
            .collect();
        // In the units the scale is even in: logarithms for ratios.
        let (floor, ceiling, least) = match scale {
            Scale::Ratio => (-RATIO_MAX.ln(), RATIO_MAX.ln(), 1.6_f64.ln()),
            Scale::Difference => (-1.0, 1.0, 0.05),
            Scale::Rate => {
                return Axis {
                    scale,
                    low: 0.0,
                    high: 1.0,
                    limits,
                };
            }
        };
        let even: Vec<f64> = ends
            .into_iter()
            .map(|end| scale.even(end))
            .filter(|end| end.is_finite())
            .collect();
        let edges =
            [limits.low, limits.high].map(|limit| limit.map_or(0.0, |limit| scale.even(limit)));
        let low = even
            .iter()
            .copied()
            .fold((edges[0] * 1.8).min(-least), f64::min);
        let high = even
            .iter()
            .copied()
            .fold((edges[1] * 1.8).max(least), f64::max);
        Axis {
            scale,
            low: low.max(floor),
            high: high.min(ceiling),
            limits,
        }
    }

    /// Where a value lies, in per cent of the width; far outside 0..=100 where it is off the scale. A ratio of 0 is off it,
    /// to the left.
    fn at(&self, value: f64) -> f64 {
        let share = (self.scale.even(value) - self.low) / (self.high - self.low);
        (MARGIN + share * (100.0 - 2.0 * MARGIN)).clamp(-1e4, 1e4)
    }

    /// Whether a place is on the scale, or in its margin.
    fn shows(at: f64) -> bool {
        (EDGES.0..=EDGES.1).contains(&at)
    }

    /// The values with a label, the rounder first, none closer to another than its label is wide;
    /// limits have their own.
    fn ticks(&self) -> Vec<(f64, String)> {
        let candidates: Vec<f64> = match self.scale {
            Scale::Ratio => vec![1.0, 0.5, 2.0, 0.2, 5.0, 0.1, 10.0, 0.7, 1.5, 0.3, 3.0],
            Scale::Rate => vec![0.0, 1.0, 0.5, 0.25, 0.75],
            Scale::Difference => {
                let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5];
                let step = steps
                    .into_iter()
                    .find(|step| (self.high - self.low) / step <= 5.5)
                    .unwrap_or(0.5);
                let n = (1.0 / step) as i32;
                (-n..=n).map(|at| f64::from(at) * step).collect()
            }
        };
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for value in candidates {
            let at = self.at(value);
            let is_named = [self.limits.low, self.limits.high]
                .into_iter()
                .flatten()
                .any(|limit| (self.at(limit) - at).abs() < 1.0);
            if Axis::shows(at)
                && !is_named
                && ticks
                    .iter()
                    .all(|(other, _)| (other - at).abs() >= TICK_GAP)
            {
                ticks.push((at, self.tick(value)));
            }
        }
        ticks
    }

    fn tick(&self, value: f64) -> String {
        match self.scale {
            Scale::Ratio => format!("{value}"),
            Scale::Rate => format!("{:.0}", value * 100.0),
            Scale::Difference => match (value * 100.0).round() as i32 {
                0 => "0".to_owned(),
                points if points < 0 => format!("−{}", -points),
                points => format!("+{points}"),
            },
        }
    }

    /// The ground of every strip: the band that passes, the limits, equality.
    fn ground(&self) -> Markup {
        let low = self
            .limits
            .low
            .map_or(EDGES.0, |limit| self.at(limit))
            .clamp(EDGES.0, EDGES.1);
        let high = self
            .limits
            .high
            .map_or(EDGES.1, |limit| self.at(limit))
            .clamp(low, EDGES.1);
        let equality = match self.scale {
            Scale::Ratio => Some(1.0),
            Scale::Difference => Some(0.0),
            Scale::Rate => None,
        };
        html! {
            @if self.limits != Limits::default() {
                rect.band x=(per_cent(low)) y="0" width=(per_cent(high - low)) height="100%" {}
            }
            @if let Some(equality) = equality { (upright("equality", self.at(equality), "0", "100%")) }
            @for limit in [self.limits.low, self.limits.high].into_iter().flatten() { (upright("limit", self.at(limit), "0", "100%")) }
        }
    }

    /// The head of the column: the limits named above, the ticks below.
    pub(crate) fn head(&self, words: &str) -> Markup {
        let label = |limit: f64| match self.scale {
            Scale::Ratio => format!("{limit:.2}"),
            Scale::Difference | Scale::Rate => self.tick(limit),
        };
        html! {
            svg.axis role="img" {
                title { (words) }
                desc { "Shared by all rows below. Shaded: what passes. Dashed: the limits. A thin line: equality." }
                // Labels lean away from each other, so that they never meet in the middle.
                @if let Some(low) = self.limits.low {
                    text.edge x=(per_cent(self.at(low))) y="11" dx="-2" text-anchor="end" { (label(low)) }
                    (upright("limit", self.at(low), "2", "100%"))
                }
                @if let Some(high) = self.limits.high {
                    text.edge x=(per_cent(self.at(high))) y="11" dx="2" { (label(high)) }
                    (upright("limit", self.at(high), "2", "100%"))
                }
                @for (at, label) in self.ticks() {
                    text x=(per_cent(at)) y="25" text-anchor="middle" { (label) }
                    (upright("tick", at, "29", "34"))
                }
            }
        }
    }

    /// One row's drawing.
    pub(crate) fn strip(&self, name: &str, point: &Point) -> Markup {
        self.strip_within(name, point, None)
    }

    /// One row's drawing with a second, wider interval, thin and behind the first: one that holds for many rows at once.
    pub(crate) fn strip_within(
        &self,
        name: &str,
        point: &Point,
        wide: Option<(f64, f64)>,
    ) -> Markup {
        let class = match point.shape {
            Shape::Mark(mark) => mark.class(),
            Shape::Plain | Shape::Reference => "plain",
        };
        let word = match point.shape {
            Shape::Mark(mark) => mark.word(),
            Shape::Plain => "",
            Shape::Reference => "reference",
        };
        html! {
            svg class={ "strip " (class) } role="img" {
                title {
                    (name) ": " (said(self.scale, point.value, point.interval)) @if !word.is_empty() { ", " (word) }
                    @if let Some(wide) = wide { "; for all comparisons at once " (self.scale.bracket(wide)) }
                }
                (self.ground())
                @if let Some(wide) = wide { g.wide { (self.whisker(wide)) } }
                @if let Some(interval) = point.interval { (self.whisker(interval)) }
                @if let Some(value) = point.value { (self.mark(value, point)) }
            }
        }
    }

    fn whisker(&self, (low, high): (f64, f64)) -> Markup {
        let (left, right) = (self.at(low), self.at(high));
        let (from, to) = (left.clamp(EDGES.0, EDGES.1), right.clamp(EDGES.0, EDGES.1));
        html! {
            line.whisker x1=(per_cent(from)) x2=(per_cent(to)) y1="50%" y2="50%" {}
            @for end in [left, right] { (drawn(end.clamp(EDGES.0, EDGES.1), end_path(end), "end")) }
        }
    }

    /// The figure itself; off the scale only the arrow of its interval shows, and the table has the number.
    fn mark(&self, value: f64, point: &Point) -> Markup {
        let at = self.at(value);
        if !Axis::shows(at) {
            if point.interval.is_some() {
                return html! {};
            }
            return drawn(at.clamp(EDGES.0, EDGES.1), end_path(at), "end");
        }
        match point.shape {
            Shape::Mark(Mark::Fail) => drawn(at, "M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5", "cross"),
            Shape::Mark(Mark::Pass) => drawn(at, "M-5 -1L-1.5 4L5 -5", "check"),
            Shape::Mark(Mark::Inconclusive | Mark::NotMeasured) | Shape::Plain => {
                drawn(at, "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z", "disc")
            }
            Shape::Mark(Mark::Small) => drawn(
                at,
                "M-3.5 0A3.5 3.5 0 1 1 3.5 0A3.5 3.5 0 1 1 -3.5 0Z",
                "ring",
            ),
            Shape::Reference => drawn(at, "M0 -7L7 0L0 7L-7 0Z", "disc"),
        }
    }
}

impl Scale {
    /// The value in the units this scale is even in. Minus infinity for a ratio of 0.
    fn even(self, value: f64) -> f64 {
        match self {
            Scale::Ratio => value.ln(),
            Scale::Difference | Scale::Rate => value,
        }
    }
}

/// The end of an interval: a bar on the scale, an arrowhead where it is cut.
fn end_path(at: f64) -> &'static str {
    if Axis::shows(at) {
        "M0 -4V4"
    } else if at < EDGES.0 {
        "M5 -4L0 0L5 4"
    } else {
        "M-5 -4L0 0L-5 4"
    }
}

fn per_cent(at: f64) -> String {
    format!("{at:.2}%")
}

fn upright(class: &str, at: f64, from: &str, to: &str) -> Markup {
    html! { line class=(class) x1=(per_cent(at)) x2=(per_cent(at)) y1=(from) y2=(to) {} }
}

/// A path in pixels around a place in per cent.
fn drawn(at: f64, path: &str, class: &str) -> Markup {
    html! { svg x=(per_cent(at)) y="50%" overflow="visible" { path class=(class) d=(path) {} } }
}
