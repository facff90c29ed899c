use egui::{Rect, pos2};
use serde::{Deserialize, Serialize};

use super::{ViewId, ViewportMode};

/// Nearest to an edge of the stage that the divider comes, as a share of its width.
const EDGE: f32 = 0.02;

/// What stands at the right of the divider; at the left stands the result as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The same result, shown in another way.
    Mode(ViewportMode),
    /// A picture it was made from.
    Photo(ViewId),
    /// The result that was on the stage before.
    Previous,
    /// A saved result, by the name of its folder.
    Saved(String),
}

impl Compared {
    /// Whether it is another result than the one on the stage.
    pub fn is_other_result(&self) -> bool {
        matches!(self, Self::Previous | Self::Saved(_))
    }
}

/// How two things share the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonLayout {
    /// One over the other, each on its side of a line that can be moved.
    #[default]
    Wipe,
    /// One beside the other.
    SideBySide,
}

/// Two things on the stage, seen by one eye.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What stands at the right.
    pub with: Compared,
    /// How they share the stage.
    pub layout: ComparisonLayout,
    /// Where the line stands, as a share of the stage's width.
    pub divider: f32,
}

/// A part of the stage with an eye of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pane {
    /// What the eye's picture fills.
    pub view: Rect,
    /// What of it is seen.
    pub visible: Rect,
}

impl Pane {
    /// The stage when nothing is compared.
    pub fn whole(stage: Rect) -> Self {
        Self {
            view: stage,
            visible: stage,
        }
    }
}

impl Comparison {
    /// A comparison with the line in the middle.
    pub fn new(with: Compared, layout: ComparisonLayout) -> Self {
        Self {
            with,
            layout,
            divider: 0.5,
        }
    }

    /// The same with the line elsewhere, where it can still be taken hold of.
    #[must_use]
    pub fn with_divider(self, divider: f32) -> Self {
        let divider = if divider.is_finite() {
            divider.clamp(EDGE, 1.0 - EDGE)
        } else {
            0.5
        };
        Self { divider, ..self }
    }

    /// Where the line stands on a stage; beside each other both have the same room.
    pub fn line(&self, stage: Rect) -> f32 {
        let share = match self.layout {
            ComparisonLayout::Wipe => self.divider,
            ComparisonLayout::SideBySide => 0.5,
        };
        (stage.left() + stage.width() * share).round()
    }

    /// The left and the right part of a stage.
    pub fn panes(&self, stage: Rect) -> [Pane; 2] {
        let line = self.line(stage);
        let left = Rect::from_min_max(stage.min, pos2(line, stage.bottom()));
        let right = Rect::from_min_max(pos2(line, stage.top()), stage.max);
        [left, right].map(|visible| Pane {
            view: match self.layout {
                ComparisonLayout::Wipe => stage,
                ComparisonLayout::SideBySide => visible,
            },
            visible,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Rect = Rect {
        min: pos2(100.0, 50.0),
        max: pos2(900.0, 650.0),
    };

    #[test]
    fn a_wipe_shows_two_halves_of_one_picture() {
        let comparison = Comparison::new(Compared::Previous, ComparisonLayout::Wipe).with_divider(0.25);
        let [left, right] = comparison.panes(STAGE);
        assert_eq!((left.view, right.view), (STAGE, STAGE));
        assert_eq!(left.visible.right(), 300.0);
        assert_eq!(right.visible.left(), 300.0);
        assert_eq!(left.visible.union(right.visible), STAGE);
    }

    #[test]
    fn side_by_side_each_has_a_whole_picture_in_half_the_room() {
        let comparison = Comparison::new(Compared::Previous, ComparisonLayout::SideBySide).with_divider(0.25);
        let [left, right] = comparison.panes(STAGE);
        assert_eq!(left.view, left.visible);
        assert_eq!(left.view.size(), right.view.size());
        assert_eq!(left.view.union(right.view), STAGE);
    }

    #[test]
    fn the_line_never_leaves_the_stage() {
        let comparison = Comparison::new(Compared::Previous, ComparisonLayout::Wipe);
        for divider in [-3.0, 2.0, f32::NAN, f32::INFINITY] {
            let line = comparison.clone().with_divider(divider).line(STAGE);
            assert!(STAGE.shrink(10.0).x_range().contains(line), "{divider}: {line}");
        }
    }
}
