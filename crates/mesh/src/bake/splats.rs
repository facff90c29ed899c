use std::sync::OnceLock;

use bozzetto_asset::{GaussianSplats, PbrSample, TriMesh, color, sh_basis};
use glam::{Mat3, Vec3};
use rayon::prelude::*;

use super::Sampler;
use super::vertex_colors::dielectric;
use crate::MeshError;
use crate::nearest::{Nearest, SearchTree};

/// How far a splat reaches, in standard deviations.
const REACH: f32 = 3.0;
/// Standard deviations that are kept as they are, metres. Splats are thinner than the distance between their centres and
/// the surface: at least half a texel of a common texture they must reach. The far end keeps the arithmetic finite.
const SIGMAS: (f32, f32) = (5e-4, 1e4);
/// Centres beyond this, metres, belong to no object.
const FARTHEST: f32 = 1e4;
/// What renderers of splats take for invisible.
const MIN_OPACITY: f32 = 1.0 / 255.0;
/// Splats looked at for one point. Real results have tens; this bounds the time where every splat covers all.
const MAX_AROUND: usize = 1024;

/// Blends the splats around a point by opacity times the Gaussian's value there; where none reaches, the one with the
/// closest centre counts.
///
/// Colours are blended sRGB-encoded, as splats are trained, and seen straight from above the surface. The boxes in which
/// splats reach lie in a search tree, one entry each, so a splat that covers everything takes no more room than another.
pub struct SplatSampler<'a> {
    splats: &'a GaussianSplats,
    kernels: Vec<Kernel>,
    /// The box of kernel `i` is face `i`.
    boxes: SearchTree,
    /// The centres, sorted when a point that no splat reaches is first asked for.
    centers: OnceLock<SearchTree>,
}

/// A splat as a function of place.
struct Kernel {
    /// Its index among the splats.
    splat: u32,
    opacity: f32,
    center: Vec3,
    /// From an offset in the model frame to standard deviations along the splat's axes.
    deviations_from_offset: Mat3,
    /// Half the extent of the box in which it reaches, metres.
    half_extent: Vec3,
}

impl Kernel {
    /// `None` for a splat that is not finite, lies beyond all objects or cannot be seen.
    fn of(splats: &GaussianSplats, splat: usize) -> Option<Self> {
        let (center, opacity) = (splats.positions[splat], splats.opacities[splat]);
        let log_scale = splats.log_scales[splat];
        let rotation = splats.rotations[splat];
        let count = splats.num_sh_coefficients();
        let is_usable = center.is_finite()
            && center.abs().max_element() <= FARTHEST
            && log_scale.is_finite()
            && rotation.is_finite()
            && rotation.length_squared() > f32::MIN_POSITIVE
            && opacity >= MIN_OPACITY
            && splats.sh[splat * count..][..count]
                .as_flattened()
                .iter()
                .all(|value| value.is_finite());
        if !is_usable {
            return None;
        }
        let axes = Mat3::from_quat(rotation.normalize());
        let sigmas = log_scale.exp().clamp(Vec3::splat(SIGMAS.0), Vec3::splat(SIGMAS.1));
        let scaled_axes = axes * Mat3::from_diagonal(sigmas);
        let extent = |axis: usize| scaled_axes.row(axis).length() * REACH;
        Some(Self {
            splat: splat as u32,
            opacity: opacity.min(1.0),
            center,
            deviations_from_offset: Mat3::from_diagonal(sigmas.recip()) * axes.transpose(),
            half_extent: Vec3::new(extent(0), extent(1), extent(2)),
        })
    }

    /// Opacity times the Gaussian; `None` out of reach.
    fn weight(&self, point: Vec3) -> Option<f32> {
        let distance_squared = (self.deviations_from_offset * (point - self.center)).length_squared();
        (distance_squared <= REACH * REACH).then(|| self.opacity * (-0.5 * distance_squared).exp())
    }
}

impl<'a> SplatSampler<'a> {
    /// Sorts the splats by where they reach. Those that are not finite or cannot be seen are left out.
    ///
    /// [`MeshError::BadSplats`] when the arrays contradict one another or no splat is left.
    pub fn new(splats: &'a GaussianSplats) -> Result<Self, MeshError> {
        if !splats.is_consistent() {
            return Err(MeshError::BadSplats);
        }
        let kernels: Vec<Kernel> = (0..splats.len())
            .into_par_iter()
            .filter_map(|splat| Kernel::of(splats, splat))
            .collect();
        if kernels.is_empty() {
            return Err(MeshError::BadSplats);
        }
        Ok(Self {
            splats,
            boxes: SearchTree::new(&boxes(&kernels)),
            kernels,
            centers: OnceLock::new(),
        })
    }

    /// Linear colour at a point of the model frame, seen along a unit direction.
    pub fn at(&self, point: Vec3, direction: Vec3) -> Vec3 {
        let basis = sh_basis(direction);
        let (mut sum, mut total, mut num_around) = (Vec3::ZERO, 0.0, 0);
        self.boxes.overlapping(point, point, |place, _| {
            let kernel = &self.kernels[place as usize];
            if let Some(weight) = kernel.weight(point) {
                sum += self.color(kernel, &basis) * weight;
                total += weight;
            }
            num_around += 1;
            num_around == MAX_AROUND
        });
        let encoded = if total > 0.0 {
            sum / total
        } else {
            self.color(self.closest(point), &basis)
        };
        encoded.map(|channel| color::linear_from_srgb(channel.min(1.0)))
    }

    /// sRGB-encoded; below 0 is black, as renderers take it.
    fn color(&self, kernel: &Kernel, basis: &[f32; 16]) -> Vec3 {
        Vec3::from(self.splats.color_srgb(kernel.splat as usize, basis)).max(Vec3::ZERO)
    }

    fn closest(&self, point: Vec3) -> &Kernel {
        let centers = self.centers.get_or_init(|| {
            let centers: Vec<Vec3> = self.kernels.iter().map(|kernel| kernel.center).collect();
            SearchTree::of_points(&centers)
        });
        &self.kernels[centers.nearest(point).map_or(0, |found| found.face as usize)]
    }
}

impl Sampler for SplatSampler<'_> {
    fn sample(&self, hit: &Nearest, normal: Vec3) -> PbrSample {
        dielectric(self.at(hit.point, -normal))
    }
}

/// For each kernel a face with its box for bounds.
fn boxes(kernels: &[Kernel]) -> TriMesh {
    let positions = kernels
        .iter()
        .flat_map(|kernel| [kernel.center - kernel.half_extent, kernel.center + kernel.half_extent]);
    let faces = (0..kernels.len() as u32).map(|kernel| [2 * kernel, 2 * kernel + 1, 2 * kernel]);
    TriMesh::new(positions.collect(), faces.collect())
}

#[cfg(test)]
mod tests {
    use glam::Quat;

    use super::*;

    /// A round splat of one colour, 1 cm in standard deviation.
    fn add(splats: &mut GaussianSplats, position: Vec3, color: [f32; 3]) {
        splats.positions.push(position);
        splats.log_scales.push(Vec3::splat(0.01_f32.ln()));
        splats.rotations.push(Quat::IDENTITY);
        splats.opacities.push(1.0);
        splats.sh.push(GaussianSplats::dc_from_srgb(color));
    }

    fn pair() -> GaussianSplats {
        let mut splats = GaussianSplats::default();
        add(&mut splats, Vec3::ZERO, [1.0, 0.0, 0.0]);
        add(&mut splats, Vec3::X * 0.02, [0.0, 0.0, 1.0]);
        splats
    }

    fn encoded(splats: &GaussianSplats, point: Vec3) -> [f32; 3] {
        let linear = SplatSampler::new(splats).unwrap().at(point, Vec3::NEG_Z);
        linear.to_array().map(color::srgb_from_linear)
    }

    fn assert_close(found: [f32; 3], expected: [f32; 3]) {
        let distance = Vec3::from(found).distance(Vec3::from(expected));
        assert!(distance < 1e-3, "{found:?} instead of {expected:?}");
    }

    #[test]
    fn weights_are_opacity_times_the_gaussian() {
        let mut splats = pair();
        assert_close(encoded(&splats, Vec3::X * 0.01), [0.5, 0.0, 0.5]);
        splats.opacities[1] = 0.5;
        assert_close(encoded(&splats, Vec3::X * 0.01), [2.0 / 3.0, 0.0, 1.0 / 3.0]);
        // One deviation from the first, three times as thin as the second along x after a quarter turn about z.
        splats.opacities[1] = 1.0;
        splats.log_scales[1] = Vec3::new(0.1, 0.01 / 3.0, 0.01).map(f32::ln);
        splats.rotations[1] = Quat::from_rotation_z(std::f32::consts::FRAC_PI_2);
        let (first, second) = ((-0.5_f32).exp(), (-4.5_f32).exp());
        let share = first / (first + second);
        assert_close(encoded(&splats, Vec3::X * 0.010_001), [share, 0.0, 1.0 - share]);
    }

    #[test]
    fn out_of_reach_the_closest_splat_counts() {
        let splats = pair();
        assert_close(encoded(&splats, Vec3::X * -0.4), [1.0, 0.0, 0.0]);
        assert_close(encoded(&splats, Vec3::X * 900.0), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_side_that_faces_the_viewer_is_taken() {
        let mut splats = GaussianSplats {
            sh_degree: 1,
            ..GaussianSplats::default()
        };
        add(&mut splats, Vec3::ZERO, [0.5; 3]);
        splats.sh.extend([[0.0; 3], [0.5, 0.0, 0.0], [0.0; 3]]);
        let sampler = SplatSampler::new(&splats).unwrap();
        let red = |normal: Vec3| {
            let hit = Nearest {
                face: 0,
                point: Vec3::ZERO,
                barycentric: Vec3::X,
                distance_squared: 0.0,
            };
            color::srgb_from_linear(sampler.sample(&hit, normal).base_color[0])
        };
        assert!((red(Vec3::Z) - (0.5 - 0.25 * 0.977_205)).abs() < 1e-3);
        assert!((red(Vec3::NEG_Z) - (0.5 + 0.25 * 0.977_205)).abs() < 1e-3);
        assert!((red(Vec3::X) - 0.5).abs() < 1e-3);
    }

    #[test]
    fn what_is_not_finite_or_not_seen_is_left_out() {
        let mut splats = pair();
        let broken: [fn(&mut GaussianSplats); 6] = [
            |splats| splats.positions[2].y = f32::NAN,
            |splats| splats.positions[2].y = 1e30,
            |splats| splats.log_scales[2].z = f32::INFINITY,
            |splats| splats.rotations[2] = Quat::from_xyzw(0.0, 0.0, 0.0, 0.0),
            |splats| splats.opacities[2] = f32::NAN,
            |splats| splats.sh[2][1] = f32::NEG_INFINITY,
        ];
        add(&mut splats, Vec3::ZERO, [0.0, 1.0, 0.0]);
        for damage in broken {
            let mut splats = splats.clone();
            damage(&mut splats);
            assert_close(encoded(&splats, Vec3::X * 0.01), [0.5, 0.0, 0.5]);
        }
        splats.opacities.fill(0.0);
        assert_eq!(SplatSampler::new(&splats).err(), Some(MeshError::BadSplats));
        splats.opacities.pop();
        assert_eq!(SplatSampler::new(&splats).err(), Some(MeshError::BadSplats));
        assert_eq!(
            SplatSampler::new(&GaussianSplats::default()).err(),
            Some(MeshError::BadSplats)
        );
    }

    #[test]
    fn splats_that_cover_everything_neither_overflow_nor_hang() {
        let mut splats = GaussianSplats::default();
        for i in 0..20_000 {
            add(&mut splats, Vec3::splat(i as f32 * 1e-5), [0.25, 0.5, 0.75]);
        }
        splats.log_scales.fill(Vec3::splat(80.0));
        let sampler = SplatSampler::new(&splats).unwrap();
        for i in 0..2000 {
            let found = sampler.at(Vec3::splat(i as f32 * 1e-3), Vec3::Y);
            assert_close(found.to_array().map(color::srgb_from_linear), [0.25, 0.5, 0.75]);
        }
    }
}
