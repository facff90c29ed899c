use bozzetto_asset::Direction;

/// Directions that file names suggest, one for each name; `None` where a name says nothing.
pub fn propose_directions(names: &[String]) -> Vec<Option<Direction>> {
    vec![None; names.len()]
}

/// `count` level views evenly spaced about the object, starting at the front and turning towards its left (+X).
pub fn turntable(count: usize) -> Vec<Direction> {
    (0..count)
        .map(|index| Direction::Free {
            azimuth_deg: index as f32 * 360.0 / count as f32,
            elevation_deg: 0.0,
        })
        .collect()
}
