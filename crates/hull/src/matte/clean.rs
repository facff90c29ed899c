use super::grid::Grid;

/// A connected part of one label.
struct Part {
    is_object: bool,
    touches_border: bool,
    cells: Vec<usize>,
}

/// Removes object parts that are specks beside the largest one (below `least_part` of its size) and fills holes in the
/// object unless `is_real_hole` says of a hole's cells that the backdrop shows through them. `largest` is the size of
/// the largest object part.
pub(crate) fn clean(labels: &mut Grid<bool>, least_part: f32, is_real_hole: impl Fn(&[usize], usize) -> bool) {
    let parts = parts_of(labels);
    let largest = parts
        .iter()
        .filter(|part| part.is_object)
        .map(|part| part.cells.len())
        .max()
        .unwrap_or(0);
    for part in &parts {
        let is_wrong = if part.is_object {
            (part.cells.len() as f32) < least_part * largest as f32
        } else {
            !part.touches_border && !is_real_hole(&part.cells, largest)
        };
        if is_wrong {
            for &cell in &part.cells {
                labels.cells[cell] = !part.is_object;
            }
        }
    }
}

/// Object parts are joined across corners, backdrop parts are not.
fn parts_of(labels: &Grid<bool>) -> Vec<Part> {
    const ACROSS: [[isize; 2]; 8] = [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, 1], [-1, -1], [1, -1]];
    let mut is_seen = vec![false; labels.cells.len()];
    let mut parts = Vec::new();
    for start in 0..labels.cells.len() {
        if is_seen[start] {
            continue;
        }
        is_seen[start] = true;
        let is_object = labels.cells[start];
        let steps = if is_object { &ACROSS[..] } else { &ACROSS[..4] };
        let mut part = Part {
            is_object,
            touches_border: false,
            cells: vec![start],
        };
        let mut next = 0;
        while next < part.cells.len() {
            let cell = part.cells[next];
            next += 1;
            for &step in steps {
                match labels.neighbor(cell, step) {
                    None => part.touches_border = true,
                    Some(other) if labels.cells[other] == is_object && !is_seen[other] => {
                        is_seen[other] = true;
                        part.cells.push(other);
                    }
                    Some(_) => {}
                }
            }
        }
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specks_go_and_only_real_holes_stay() {
        let draw = |has_speck: bool, has_small_hole: bool| {
            Grid::from_fn(60, 40, |x, y| {
                let is_body = (10..50).contains(&x) && (5..35).contains(&y);
                let is_large_hole = (30..40).contains(&x) && (10..20).contains(&y);
                let is_small_hole = has_small_hole && x == 20 && y == 20;
                is_body && !is_large_hole && !is_small_hole || has_speck && x == 2 && y == 2
            })
        };
        let mut labels = draw(true, true);
        clean(&mut labels, 0.01, |hole, _| hole.len() > 10);
        assert_eq!(labels.cells, draw(false, false).cells);
    }
}
