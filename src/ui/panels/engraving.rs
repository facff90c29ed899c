//! Letters of straight strokes, to be drawn on surfaces that are turned: fonts can only be drawn upright.

/// Points of a stroke.
type Stroke = &'static [[f32; 2]];

/// Space between letters, in units of which a letter is 6 high.
const GAP: f32 = 1.9;
/// Most that a word takes of its face, which is 2 wide, and the largest unit that letters are drawn in.
const MAX_WIDTH: f32 = 1.5;
const MAX_UNIT: f32 = 0.056;
const HEIGHT: f32 = 6.0;

/// Strokes of a letter on a grid of 4 x 6, y down; none for a letter that no word here has.
fn letter(letter: char) -> &'static [Stroke] {
    match letter {
        'A' => &[&[[0.0, 6.0], [2.0, 0.0], [4.0, 6.0]], &[[0.8, 4.0], [3.2, 4.0]]],
        'B' => &[
            &[
                [0.0, 3.0],
                [3.0, 3.0],
                [4.0, 4.0],
                [4.0, 5.0],
                [3.0, 6.0],
                [0.0, 6.0],
                [0.0, 0.0],
            ],
            &[[0.0, 0.0], [3.0, 0.0], [4.0, 1.0], [4.0, 2.0], [3.0, 3.0]],
        ],
        'C' => &[&[
            [4.0, 1.0],
            [3.0, 0.0],
            [1.0, 0.0],
            [0.0, 1.0],
            [0.0, 5.0],
            [1.0, 6.0],
            [3.0, 6.0],
            [4.0, 5.0],
        ]],
        'E' => &[
            &[[4.0, 0.0], [0.0, 0.0], [0.0, 6.0], [4.0, 6.0]],
            &[[0.0, 3.0], [3.2, 3.0]],
        ],
        'F' => &[&[[4.0, 0.0], [0.0, 0.0], [0.0, 6.0]], &[[0.0, 3.0], [3.2, 3.0]]],
        'G' => &[&[
            [4.0, 1.0],
            [3.0, 0.0],
            [1.0, 0.0],
            [0.0, 1.0],
            [0.0, 5.0],
            [1.0, 6.0],
            [3.0, 6.0],
            [4.0, 5.0],
            [4.0, 3.2],
            [2.4, 3.2],
        ]],
        'H' => &[
            &[[0.0, 0.0], [0.0, 6.0]],
            &[[4.0, 0.0], [4.0, 6.0]],
            &[[0.0, 3.0], [4.0, 3.0]],
        ],
        'I' => &[&[[0.0, 0.0], [0.0, 6.0]]],
        'K' => &[
            &[[0.0, 0.0], [0.0, 6.0]],
            &[[4.0, 0.0], [0.0, 3.6]],
            &[[1.3, 2.5], [4.0, 6.0]],
        ],
        'L' => &[&[[0.0, 0.0], [0.0, 6.0], [3.6, 6.0]]],
        'M' => &[&[[0.0, 6.0], [0.0, 0.0], [2.0, 3.4], [4.0, 0.0], [4.0, 6.0]]],
        'N' => &[&[[0.0, 6.0], [0.0, 0.0], [4.0, 6.0], [4.0, 0.0]]],
        'O' => &[&[
            [1.0, 0.0],
            [3.0, 0.0],
            [4.0, 1.0],
            [4.0, 5.0],
            [3.0, 6.0],
            [1.0, 6.0],
            [0.0, 5.0],
            [0.0, 1.0],
            [1.0, 0.0],
        ]],
        'P' => &[&[
            [0.0, 6.0],
            [0.0, 0.0],
            [3.0, 0.0],
            [4.0, 1.0],
            [4.0, 2.4],
            [3.0, 3.4],
            [0.0, 3.4],
        ]],
        'R' => &[
            &[
                [0.0, 6.0],
                [0.0, 0.0],
                [3.0, 0.0],
                [4.0, 1.0],
                [4.0, 2.4],
                [3.0, 3.4],
                [0.0, 3.4],
            ],
            &[[2.2, 3.4], [4.0, 6.0]],
        ],
        'T' => &[&[[0.0, 0.0], [4.0, 0.0]], &[[2.0, 0.0], [2.0, 6.0]]],
        _ => &[],
    }
}

fn width(strokes: &[Stroke]) -> f32 {
    strokes.iter().copied().flatten().map(|[x, _]| *x).fold(0.0, f32::max)
}

/// Strokes of a word about the middle of a face that spans `[-1, 1]^2`, y down.
pub fn engraved(word: &str) -> Vec<Vec<[f32; 2]>> {
    let letters: Vec<_> = word.chars().map(letter).collect();
    let total: f32 = letters.iter().map(|strokes| width(strokes) + GAP).sum::<f32>() - GAP;
    let unit = MAX_UNIT.min(MAX_WIDTH / total);
    let mut left = -total * 0.5;
    let mut word = Vec::new();
    for strokes in letters {
        for stroke in strokes {
            let placed = stroke
                .iter()
                .map(|[x, y]| [(left + x) * unit, (y - HEIGHT * 0.5) * unit]);
            word.push(placed.collect());
        }
        left += width(strokes) + GAP;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_the_middle_and_within_their_face() {
        for word in ["FRONT", "BACK", "LEFT", "RIGHT", "TOP", "BOTTOM"] {
            assert!(word.chars().all(|sign| !letter(sign).is_empty()), "{word}");
            let points: Vec<_> = engraved(word).concat();
            let (min, max) = points
                .iter()
                .fold((f32::MAX, f32::MIN), |(min, max), [x, _]| (min.min(*x), max.max(*x)));
            assert!((min + max).abs() < 1e-5 && max < 0.76, "{word}: {min} to {max}");
            assert!(points.iter().all(|[_, y]| y.abs() < 0.2), "{word}");
        }
    }
}
