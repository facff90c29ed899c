use glam::Vec3;

/// An axis-aligned box in the model frame, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Lowest corner.
    pub min: Vec3,
    /// Highest corner.
    pub max: Vec3,
}

impl Bounds {
    /// The cube that every asset fits: what is framed while there is nothing to see.
    pub const UNIT: Self = Self {
        min: Vec3::splat(-0.5),
        max: Vec3::splat(0.5),
    };

    /// Middle of the box.
    pub fn center(&self) -> Vec3 {
        (self.min + self.max) * 0.5
    }

    /// Edge lengths.
    pub fn size(&self) -> Vec3 {
        self.max - self.min
    }

    /// Radius of the sphere about the box.
    pub fn radius(&self) -> f32 {
        self.size().length() * 0.5
    }

    /// The eight corners.
    pub fn corners(&self) -> [Vec3; 8] {
        std::array::from_fn(|corner| {
            let pick = |axis: usize| {
                if corner >> axis & 1 == 0 {
                    self.min[axis]
                } else {
                    self.max[axis]
                }
            };
            Vec3::new(pick(0), pick(1), pick(2))
        })
    }

    /// The smallest box about both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    pub(crate) fn from_pair(pair: Option<(Vec3, Vec3)>) -> Option<Self> {
        pair.map(|(min, max)| Self { min, max })
            .filter(|bounds| bounds.min.is_finite() && bounds.max.is_finite())
    }
}
