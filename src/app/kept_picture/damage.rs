use egui::epaint::ClippedShape;
use egui::{Rect, Shape};

/// How far into the older frame a shape of the newer one is looked for.
const LOOKAHEAD: usize = 1024;
/// Most rectangles: each costs a pass over the shapes.
const MAX_RECTS: usize = 8;
/// Soft edges reach this far beyond a shape, in points.
const SOFT_EDGE: f32 = 2.0;
/// Rectangles are drawn as one when that draws no more than this many square points in excess.
const MERGE_EXCESS: f32 = 4096.0;

/// Where two frames may look different.
///
/// Outside of these rectangles both frames have the same shapes in the same order.
pub fn damaged_rects(old: &[ClippedShape], new: &[ClippedShape], screen: Rect) -> Vec<Rect> {
    let mut rects = DamagedRects::default();
    let (old, new) = (extents(old), extents(new));
    let mut damage = |shape: &Extent<'_>| rects.add(shape.rect.intersect(screen));
    let mut rest = &old[..];
    for shape in &new {
        let place = rest.iter().take(LOOKAHEAD).position(|candidate| candidate == shape);
        if let Some(place) = place {
            rest[..place].iter().for_each(&mut damage);
            rest = &rest[place + 1..];
        } else {
            damage(shape);
        }
    }
    rest.iter().for_each(&mut damage);
    rects.merged()
}

/// A shape with where it shows: most shapes that differ are told apart by that alone.
#[derive(PartialEq)]
struct Extent<'a> {
    rect: Rect,
    shape: &'a ClippedShape,
}

fn extents(frame: &[ClippedShape]) -> Vec<Extent<'_>> {
    let with_extent = |shape| Extent {
        rect: reach(shape),
        shape,
    };
    frame.iter().map(with_extent).collect()
}

/// The shapes of a frame that show within a rectangle, from the bottom up. What an opaque rectangle covers is left out.
pub fn shapes_within(rect: Rect, frame: &[ClippedShape]) -> impl Iterator<Item = ClippedShape> {
    let covering = frame.iter().rposition(|shape| covers(shape, rect));
    let visible = &frame[covering.unwrap_or(0)..];
    visible.iter().filter_map(move |shape| {
        let clip_rect = shape.clip_rect.intersect(rect);
        let shows = clip_rect.is_positive() && reach(shape).intersects(rect);
        shows.then(|| ClippedShape {
            clip_rect,
            ..shape.clone()
        })
    })
}

/// Whether nothing below a shape can be seen within a rectangle.
fn covers(shape: &ClippedShape, rect: Rect) -> bool {
    let Shape::Rect(filled) = &shape.shape else {
        return false;
    };
    let is_opaque = filled.fill.is_opaque() && filled.blur_width == 0.0 && filled.brush.is_none();
    let has_corners = filled.corner_radius == egui::CornerRadius::ZERO && filled.angle == 0.0;
    let is_moved = shape.transform_after_tessellation != egui::emath::TSTransform::IDENTITY;
    // Its own edge is soft.
    let inside = filled.rect.shrink(SOFT_EDGE).intersect(shape.clip_rect);
    is_opaque && has_corners && !is_moved && inside.contains_rect(rect)
}

/// Where a shape may change pixels.
pub fn reach(shape: &ClippedShape) -> Rect {
    let extent = match &shape.shape {
        Shape::Noop => return Rect::NOTHING,
        Shape::Callback(callback) => callback.rect,
        other => other.visual_bounding_rect().expand(SOFT_EDGE),
    };
    let extent = shape.transform_after_tessellation.mul_rect(extent);
    extent.intersect(shape.clip_rect)
}

/// Rectangles, merged where that is cheaper.
#[derive(Default)]
struct DamagedRects(Vec<Rect>);

impl DamagedRects {
    fn add(&mut self, mut rect: Rect) {
        if !rect.is_positive() {
            return;
        }
        // A larger rectangle may in turn reach others.
        while let Some(index) = self.0.iter().position(|&other| excess(rect, other) <= MERGE_EXCESS) {
            rect = rect.union(self.0.swap_remove(index));
        }
        self.0.push(rect);
    }

    fn merged(mut self) -> Vec<Rect> {
        while self.0.len() > MAX_RECTS {
            let pairs = (0..self.0.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
            let cheapest =
                pairs.min_by(|&(a, b), &(c, d)| excess(self.0[a], self.0[b]).total_cmp(&excess(self.0[c], self.0[d])));
            let Some((a, b)) = cheapest else {
                break;
            };
            let rect = self.0.swap_remove(a).union(self.0[b]);
            self.0.swap_remove(b);
            self.add(rect);
        }
        self.0
    }
}

/// The area that drawing two rectangles as one adds; negative where they overlap much.
fn excess(a: Rect, b: Rect) -> f32 {
    a.union(b).area() - a.area() - b.area()
}

#[cfg(test)]
mod tests {
    use egui::{Color32, pos2, vec2};
    use proptest::prelude::*;

    use super::*;

    const SCREEN: Rect = Rect {
        min: pos2(0.0, 0.0),
        max: pos2(1000.0, 1000.0),
    };

    fn square(x: f32, y: f32, gray: u8) -> ClippedShape {
        let place = Rect::from_min_size(pos2(x, y), vec2(10.0, 10.0));
        ClippedShape::new(SCREEN, Shape::rect_filled(place, 0.0, Color32::from_gray(gray)))
    }

    #[test]
    fn equal_frames_are_undamaged() {
        let frame = [square(0.0, 0.0, 1), square(500.0, 500.0, 2)];
        assert!(damaged_rects(&frame, &frame, SCREEN).is_empty());
    }

    #[test]
    fn a_changed_shape_damages_its_own_place() {
        let old = [square(0.0, 0.0, 1), square(500.0, 500.0, 2), square(900.0, 0.0, 3)];
        let new = [square(0.0, 0.0, 1), square(500.0, 500.0, 9), square(900.0, 0.0, 3)];
        let expected = Rect::from_min_size(pos2(500.0, 500.0), vec2(10.0, 10.0)).expand(SOFT_EDGE);
        assert_eq!(damaged_rects(&old, &new, SCREEN), [expected]);
    }

    #[test]
    fn a_moved_shape_damages_both_places() {
        let damage = damaged_rects(&[square(100.0, 100.0, 1)], &[square(800.0, 800.0, 1)], SCREEN);
        assert_eq!(damage.len(), 2, "{damage:?}");
    }

    #[test]
    fn what_an_opaque_rectangle_covers_is_left_out() {
        let panel = ClippedShape::new(SCREEN, Shape::rect_filled(SCREEN.expand(4.0), 0.0, Color32::BLACK));
        let glass = ClippedShape::new(
            SCREEN,
            Shape::rect_filled(SCREEN.expand(4.0), 0.0, Color32::from_black_alpha(9)),
        );
        let frame = [
            square(5.0, 5.0, 1),
            panel.clone(),
            square(50.0, 5.0, 2),
            glass.clone(),
            square(300.0, 300.0, 3),
        ];
        let within = |rect| shapes_within(rect, &frame).map(|shape| shape.shape).collect::<Vec<_>>();
        let corner = Rect::from_min_size(pos2(0.0, 0.0), vec2(100.0, 100.0));
        assert_eq!(within(corner), [panel.shape, square(50.0, 5.0, 2).shape, glass.shape]);
    }

    #[test]
    fn an_inserted_shape_leaves_the_others_alone() {
        let old: Vec<_> = (0..40).map(|index| square(index as f32 * 20.0, 0.0, 1)).collect();
        let mut new = old.clone();
        new.insert(7, square(300.0, 800.0, 5));
        assert_eq!(damaged_rects(&old, &new, SCREEN).len(), 1);
        assert_eq!(damaged_rects(&new, &old, SCREEN).len(), 1);
    }

    proptest! {
        /// Pixel for pixel: what covers a point outside of the damage is the same in both frames, bottom to top.
        #[test]
        fn nothing_changes_outside_of_the_damage(
            old in prop::collection::vec((0_u8..12, 0_u8..12, 0_u8..3), 0..60),
            new in prop::collection::vec((0_u8..12, 0_u8..12, 0_u8..3), 0..60),
        ) {
            let frame = |squares: &[(u8, u8, u8)]| -> Vec<ClippedShape> {
                squares.iter().map(|&(x, y, gray)| square(f32::from(x) * 7.0, f32::from(y) * 7.0, gray)).collect()
            };
            let (old, new) = (frame(&old), frame(&new));
            let damage = damaged_rects(&old, &new, SCREEN);
            prop_assert!(damage.len() <= MAX_RECTS);
            for y in 0..100 {
                for x in 0..100 {
                    let point = pos2(x as f32 + 0.5, y as f32 + 0.5);
                    if damage.iter().any(|rect| rect.contains(point)) {
                        continue;
                    }
                    let stack = |frame: &[ClippedShape]| -> Vec<Shape> {
                        frame.iter().filter(|shape| reach(shape).contains(point)).map(|shape| shape.shape.clone()).collect()
                    };
                    prop_assert_eq!(stack(&old), stack(&new));
                }
            }
        }
    }
}
