use rayon::prelude::*;

/// For each texel of a square picture the index of the closest covered one, itself where it is covered; `None` when
/// nothing is covered. `is_covered` is row-major, `size * size` long.
///
/// Exact Euclidean distance, first along columns, then the lower envelope of parabolas along each row (Felzenszwalb
/// and Huttenlocher 2012). Of equally close texels the choice is fixed.
pub fn closest_covered(is_covered: &[bool], size: usize) -> Option<Vec<u32>> {
    if is_covered.len() != size * size || !is_covered.contains(&true) {
        return None;
    }
    let rows = closest_rows(is_covered, size);
    let mut closest = vec![0_u32; size * size];
    closest.par_chunks_mut(size).enumerate().for_each(|(y, row)| {
        let mut envelope = Envelope::with_capacity(size);
        for x in 0..size {
            let source_row = rows[y * size + x];
            if source_row != FAR {
                let height = (y as f64 - f64::from(source_row)).powi(2);
                envelope.push(x, height);
            }
        }
        let mut place = 0;
        for (x, texel) in row.iter_mut().enumerate() {
            while place + 1 < envelope.starts.len() && envelope.starts[place + 1] < x as f64 {
                place += 1;
            }
            let column = envelope.columns[place].0;
            *texel = rows[y * size + column] * size as u32 + column as u32;
        }
    });
    Some(closest)
}

const FAR: u32 = u32::MAX;

/// For each texel the closest row of its column with a covered texel, or [`FAR`].
fn closest_rows(is_covered: &[bool], size: usize) -> Vec<u32> {
    let mut rows = vec![FAR; size * size];
    for y in 0..size {
        for x in 0..size {
            rows[y * size + x] = if is_covered[y * size + x] {
                y as u32
            } else if y > 0 {
                rows[(y - 1) * size + x]
            } else {
                FAR
            };
        }
    }
    for y in (0..size - 1).rev() {
        for x in 0..size {
            let (above, below) = (rows[y * size + x], rows[(y + 1) * size + x]);
            let distance = |row: u32| if row == FAR { FAR } else { row.abs_diff(y as u32) };
            if distance(below) < distance(above) {
                rows[y * size + x] = below;
            }
        }
    }
    rows
}

/// Columns whose parabolas form the lower envelope, and where each begins to be the lowest. Squares of large pictures'
/// coordinates do not fit the mantissa of an `f32`.
struct Envelope {
    columns: Vec<(usize, f64)>,
    starts: Vec<f64>,
}

impl Envelope {
    fn with_capacity(size: usize) -> Self {
        Self {
            columns: Vec::with_capacity(size),
            starts: Vec::with_capacity(size),
        }
    }

    fn push(&mut self, column: usize, height: f64) {
        let mut start = f64::NEG_INFINITY;
        while let Some(&(last, last_height)) = self.columns.last() {
            let (q, p) = (column as f64, last as f64);
            start = ((height + q * q) - (last_height + p * p)) / (2.0 * (q - p));
            if start > *self.starts.last().unwrap_or(&f64::NEG_INFINITY) {
                break;
            }
            self.columns.pop();
            self.starts.pop();
            start = f64::NEG_INFINITY;
        }
        self.columns.push((column, height));
        self.starts.push(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_texel_points_to_a_covered_one_at_the_least_distance(
            size in 1_usize..24, seeds in prop::collection::vec(0_usize..576, 1..12)
        ) {
            let mut is_covered = vec![false; size * size];
            for seed in seeds {
                is_covered[seed % (size * size)] = true;
            }
            let closest = closest_covered(&is_covered, size).unwrap();
            let distance = |a: usize, b: usize| {
                (a % size).abs_diff(b % size).pow(2) + (a / size).abs_diff(b / size).pow(2)
            };
            for (texel, &found) in closest.iter().enumerate() {
                let found = found as usize;
                prop_assert!(is_covered[found]);
                let least = (0..size * size).filter(|&t| is_covered[t]).map(|t| distance(t, texel)).min();
                prop_assert_eq!(Some(distance(found, texel)), least);
            }
        }
    }

    #[test]
    fn nothing_covered_is_no_answer() {
        assert_eq!(closest_covered(&[false; 16], 4), None);
        assert_eq!(closest_covered(&[], 0), None);
    }

    #[test]
    fn far_columns_of_large_pictures_are_told_apart() {
        // Near the end of an 8K row, where squares need 26 bits.
        let (first, last) = ((8057_usize, 3100_i64), (8058_usize, 3099_i64));
        let mut envelope = Envelope::with_capacity(2);
        for (column, rows) in [first, last] {
            envelope.push(column, (rows * rows) as f64);
        }
        let distance = |x: i64, (column, rows): (usize, i64)| (x - column as i64).pow(2) + rows * rows;
        for x in 0..8192 {
            let is_last = envelope.starts[1] < x as f64;
            let (found, other) = if is_last { (last, first) } else { (first, last) };
            assert!(distance(x, found) <= distance(x, other), "{x}");
        }
    }
}
