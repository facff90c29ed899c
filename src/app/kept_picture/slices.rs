use egui::Rect;

/// More pieces than this wait as one: each costs a pass over all shapes.
const MAX_WAITING: usize = 16;

/// Divides what differs into what is drawn now and what waits for the next frame, so that no more than an area (square
/// points) is drawn now.
///
/// `stale` waited in the frame before; `damage` is new. Small damage goes first: it follows the artist's hand. Then what has
/// waited, so that nothing waits for ever, then the rest. What waits never overlaps, so that there is no more of it than of
/// the window.
pub fn slices(stale: &[Rect], mut damage: Vec<Rect>, area: f32, pixels_per_point: f32) -> (Vec<Rect>, Vec<Rect>) {
    damage.sort_by(|a, b| a.area().total_cmp(&b.area()));
    let num_small = damage.partition_point(|rect| rect.area() < area / 8.0);
    let large = damage.split_off(num_small);
    let mut waiting = stale.to_vec();
    for rect in large {
        let uncovered = waiting.iter().fold(vec![rect], |pieces, covering| {
            pieces.into_iter().flat_map(|piece| without(piece, *covering)).collect()
        });
        waiting.extend(uncovered);
        if waiting.len() > MAX_WAITING {
            let about_all = waiting.iter().fold(Rect::NOTHING, |all, rect| all.union(*rect));
            waiting = vec![about_all];
        }
    }
    let (mut now, mut later) = (Vec::new(), Vec::new());
    let mut left = area;
    for rect in damage.into_iter().chain(waiting) {
        if rect.area() <= left {
            left -= rect.area();
            now.push(rect);
            continue;
        }
        // A band of whole pixels at the top.
        let height = (left / rect.width() * pixels_per_point).floor() / pixels_per_point;
        let (band, rest) = rect.split_top_bottom_at_y(rect.top() + height);
        left = 0.0;
        if height > 0.0 {
            now.push(band);
        }
        later.push(rest);
    }
    (now, later)
}

/// What of a rectangle lies outside of another one: above, below, to the left and to the right of it.
fn without(rect: Rect, covering: Rect) -> Vec<Rect> {
    let inside = rect.intersect(covering);
    if !inside.is_positive() {
        return vec![rect];
    }
    let (above, rest) = rect.split_top_bottom_at_y(inside.top());
    let (middle, below) = rest.split_top_bottom_at_y(inside.bottom());
    let (left, rest) = middle.split_left_right_at_x(inside.left());
    let (_, right) = rest.split_left_right_at_x(inside.right());
    [above, left, right, below]
        .into_iter()
        .filter(Rect::is_positive)
        .collect()
}

#[cfg(test)]
mod tests {
    use egui::{pos2, vec2};

    use super::*;

    fn rect(x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(width, height))
    }

    #[test]
    fn everything_is_drawn_at_once_where_nothing_is_in_a_hurry() {
        let damage = vec![rect(0.0, 0.0, 1000.0, 1000.0), rect(0.0, 0.0, 10.0, 10.0)];
        let (now, later) = slices(&[], damage, f32::INFINITY, 1.0);
        assert_eq!((now.len(), later.len()), (2, 0));
    }

    #[test]
    fn a_large_change_is_drawn_in_bands_from_frame_to_frame() {
        let whole = rect(0.0, 0.0, 100.0, 100.0);
        let (mut now, mut later) = slices(&[], vec![whole], 3000.0, 2.0);
        assert_eq!(now, [rect(0.0, 0.0, 100.0, 30.0)]);
        let mut drawn = now.clone();
        while !later.is_empty() {
            (now, later) = slices(&later, Vec::new(), 3000.0, 2.0);
            assert!(now.iter().map(Rect::area).sum::<f32>() <= 3000.0);
            drawn.extend(now);
        }
        assert_eq!(drawn.len(), 4);
        assert_eq!(drawn.iter().map(Rect::area).sum::<f32>(), whole.area());
    }

    #[test]
    fn small_changes_do_not_wait_and_old_ones_do_not_starve() {
        let stale = [rect(0.0, 50.0, 100.0, 50.0)];
        let damage = vec![rect(0.0, 0.0, 100.0, 100.0), rect(5.0, 5.0, 10.0, 10.0)];
        let (now, later) = slices(&stale, damage, 4000.0, 1.0);
        assert_eq!(now, [rect(5.0, 5.0, 10.0, 10.0), rect(0.0, 50.0, 100.0, 39.0)]);
        assert_eq!(later, [rect(0.0, 89.0, 100.0, 11.0), rect(0.0, 0.0, 100.0, 50.0)]);
    }

    #[test]
    fn what_waits_is_never_more_than_the_window() {
        let window = rect(0.0, 0.0, 300.0, 200.0);
        let mut later = Vec::new();
        for frame in 0..200 {
            let at = (frame * 37 % 100) as f32;
            let damage = vec![rect(at, at, 150.0, 90.0), rect(200.0 - at, 20.0, 90.0, 120.0)];
            (_, later) = slices(&later, damage, 2000.0, 1.0);
            let area: f32 = later.iter().map(Rect::area).sum();
            assert!(
                area <= window.area() && later.len() <= MAX_WAITING,
                "{area} in {}",
                later.len()
            );
        }
    }
}
