//! Size and origin that a written object has in another program.

use std::ops::RangeInclusive;
use std::sync::Arc;

use glam::Vec3;
use serde::{Deserialize, Serialize};

use crate::TriMesh;

/// A unit of length for files whose numbers have none of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// What Blender, Unity and glTF count in.
    #[default]
    Metre,
    /// What Unreal counts in.
    Centimetre,
    /// What slicers count in.
    Millimetre,
}

impl LengthUnit {
    /// Every unit, the largest first.
    pub const ALL: [Self; 3] = [Self::Metre, Self::Centimetre, Self::Millimetre];

    /// How many of them make a metre.
    pub fn per_metre(self) -> f32 {
        match self {
            Self::Metre => 1.0,
            Self::Centimetre => 100.0,
            Self::Millimetre => 1000.0,
        }
    }

    /// As it stands behind a number: `m`, `cm`, `mm`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Metre => "m",
            Self::Centimetre => "cm",
            Self::Millimetre => "mm",
        }
    }

    /// Its name in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metre => "metres",
            Self::Centimetre => "centimetres",
            Self::Millimetre => "millimetres",
        }
    }
}

/// The point of an object that becomes the origin: what it stands on, turns about and is moved by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pivot {
    /// The origin of the model frame, where the engine left it.
    #[default]
    Model,
    /// The middle of the bounding box.
    Center,
    /// The middle of the bounding box' lower side: the object stands on the ground.
    Bottom,
}

/// How large an object is written and about which point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// Length of the bounding box' longest side in metres; `None` leaves the size as it is.
    pub longest_side: Option<f32>,
    /// What becomes the origin.
    pub pivot: Pivot,
}

impl Placement {
    /// Longest sides that make sense, metres: from a bead to a mountain.
    pub const SIZES: RangeInclusive<f32> = 0.001..=10_000.0;

    /// The factor that brings a mesh to its size; 1 where the mesh has no extent or no size is asked for.
    pub fn scale(&self, mesh: &TriMesh) -> f32 {
        bounds(mesh).map_or(1.0, |bounds| self.scale_of(bounds))
    }

    fn scale_of(&self, (low, high): (Vec3, Vec3)) -> f32 {
        let extent = (high - low).max_element();
        match self.longest_side {
            Some(longest_side) if extent > 0.0 && extent.is_finite() => longest_side / extent,
            _ => 1.0,
        }
    }

    /// The mesh at its size and about its origin, in the model frame. Only what triangles use counts; normals and
    /// tangents stay as they are, because the scale is the same in all directions.
    #[must_use]
    pub fn placed(&self, mesh: &Arc<TriMesh>) -> Arc<TriMesh> {
        let Some(bounds @ (low, high)) = bounds(mesh).filter(|_| *self != Self::default()) else {
            return Arc::clone(mesh);
        };
        let middle = (low + high) * 0.5;
        let origin = match self.pivot {
            Pivot::Model => Vec3::ZERO,
            Pivot::Center => middle,
            Pivot::Bottom => Vec3::new(middle.x, low.y, middle.z),
        };
        let scale = self.scale_of(bounds);
        let mut placed = TriMesh::clone(mesh);
        for position in &mut placed.positions {
            *position = (*position - origin) * scale;
        }
        Arc::new(placed)
    }
}

/// Bounds of what the triangles use, `None` when there are none. Indices that are out of range do not count.
fn bounds(mesh: &TriMesh) -> Option<(Vec3, Vec3)> {
    let corners = mesh.triangles.iter().flatten();
    let mut used = corners.filter_map(|&vertex| mesh.positions.get(vertex as usize).copied());
    let first = used.next()?;
    Some(used.fold((first, first), |(low, high), point| (low.min(point), high.max(point))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A triangle of 2 by 4 m whose box is centred at (1, 2, 3), and a vertex far away that nothing uses.
    fn mesh() -> Arc<TriMesh> {
        let corners = [[0.0, 0.0, 3.0], [2.0, 0.0, 3.0], [0.0, 4.0, 3.0], [100.0, -100.0, 0.0]];
        Arc::new(TriMesh {
            normals: vec![Vec3::Z; 4],
            ..TriMesh::new(corners.map(Vec3::from).to_vec(), vec![[0, 1, 2]])
        })
    }

    fn placed(longest_side: Option<f32>, pivot: Pivot) -> Arc<TriMesh> {
        Placement { longest_side, pivot }.placed(&mesh())
    }

    #[test]
    fn the_longest_side_gets_the_length_that_was_asked_for() {
        let (low, high) = bounds(&placed(Some(0.5), Pivot::Model)).expect("a triangle");
        assert_eq!(high - low, Vec3::new(0.25, 0.5, 0.0));
        // About the origin of the model, which stays where it is.
        assert_eq!((low, high), (Vec3::new(0.0, 0.0, 0.375), Vec3::new(0.25, 0.5, 0.375)));
        let placement = Placement {
            longest_side: Some(0.5),
            ..Placement::default()
        };
        assert_eq!(placement.scale(&mesh()), 0.125);
    }

    #[test]
    fn the_origin_is_the_middle_or_the_middle_of_the_ground() {
        for (pivot, low, high) in [
            (Pivot::Center, Vec3::new(-1.0, -2.0, 0.0), Vec3::new(1.0, 2.0, 0.0)),
            (Pivot::Bottom, Vec3::new(-1.0, 0.0, 0.0), Vec3::new(1.0, 4.0, 0.0)),
        ] {
            assert_eq!(bounds(&placed(None, pivot)), Some((low, high)), "{pivot:?}");
        }
        let both = bounds(&placed(Some(8.0), Pivot::Bottom)).expect("a triangle");
        assert_eq!(both, (Vec3::new(-2.0, 0.0, 0.0), Vec3::new(2.0, 8.0, 0.0)));
    }

    #[test]
    fn what_stays_as_it_is_is_not_copied_and_nothing_is_divided_by_zero() {
        let mesh = mesh();
        assert!(Arc::ptr_eq(&Placement::default().placed(&mesh), &mesh));
        assert_eq!(placed(Some(0.5), Pivot::Bottom).normals, mesh.normals);
        let point = Arc::new(TriMesh::new(vec![Vec3::ONE], vec![[0, 0, 0]]));
        let placement = Placement {
            longest_side: Some(2.0),
            pivot: Pivot::Center,
        };
        assert_eq!(placement.placed(&point).positions, [Vec3::ZERO]);
        let empty = Arc::new(TriMesh::default());
        assert!(Arc::ptr_eq(&placement.placed(&empty), &empty));
    }
}
