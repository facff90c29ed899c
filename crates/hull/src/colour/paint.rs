use glam::{Vec2, Vec3};

use super::depth::DepthMap;
use super::picture::Picture;
use crate::fit::FittedView;
use crate::params::Settings;

/// Weight of a picture looked at through the object from behind, against one that sees the surface, where that one sees
/// too little.
const MIRRORED: f32 = 0.02;
/// Least weight at the outline itself, where the background shines through.
const RIM_WEIGHT: f32 = 0.02;
/// Cosines between which a grazing look becomes trustworthy.
const GRAZING: (f32, f32) = (0.06, 0.3);

/// The pictures' colour at a point of the surface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touch {
    /// Linear RGB; black when nothing sees the point.
    pub color: Vec3,
    /// How far the colour can be trusted, `[0, 1]`.
    pub trust: f32,
}

/// Blends the pictures at points of the surface.
pub(super) struct Painter<'a> {
    views: Vec<Source<'a>>,
    sharpness: f32,
    edge_trim_px: f32,
    mirrors_unseen: bool,
    /// Depth by which a point may lie behind the surface that a depth map shows, metres.
    tolerance: f32,
}

struct Source<'a> {
    view: &'a FittedView,
    depth: DepthMap,
    picture: Picture,
}

impl<'a> Painter<'a> {
    pub fn new(views: &'a [FittedView], depth: Vec<DepthMap>, settings: &Settings, step: f32, voxel: f32) -> Self {
        let views = views
            .iter()
            .zip(depth)
            .map(|(view, depth)| {
                let metres_per_px = view.projector.project(Vec3::ZERO).metres_per_px;
                Source {
                    view,
                    depth,
                    picture: Picture::new(&view.view.color, voxel / metres_per_px),
                }
            })
            .collect();
        Self {
            views,
            sharpness: settings.view_sharpness,
            edge_trim_px: settings.edge_trim_px,
            mirrors_unseen: settings.mirrors_unseen,
            tolerance: 1.5 * step,
        }
    }

    /// The colour at a surface point with a unit normal.
    pub fn touch(&self, position: Vec3, normal: Vec3) -> Touch {
        let mut blend = Blend::default();
        let facings = self.views.iter().map(|source| {
            let facing = -normal.dot(source.view.projector.ray_direction(position));
            (source, facing)
        });
        for (source, facing) in facings.clone().filter(|(_, facing)| *facing >= 0.0) {
            blend.add(self.look(source, position, facing), 1.0);
        }
        // Pictures of the opposite side speak as far as none of this side does.
        let unseen = 1.0 - blend.trust();
        if self.mirrors_unseen && unseen > 0.0 {
            for (source, facing) in facings.filter(|(_, facing)| *facing < 0.0) {
                blend.add(self.look(source, position, facing), MIRRORED * unseen);
            }
        }
        if blend.weights < 1e-20 {
            return Touch::default();
        }
        Touch {
            color: blend.color / blend.weights,
            trust: blend.trust(),
        }
    }

    /// One picture's look at a point whose normal meets its ray at this cosine, negative from behind; `None` when it does
    /// not see it.
    fn look(&self, source: &Source<'_>, position: Vec3, facing: f32) -> Option<Look> {
        let from_behind = facing < 0.0;
        let cosine = facing.abs();
        if cosine < 0.01 {
            return None;
        }
        let seen = source.view.projector.project(position);
        let outside = (seen.pixel - source.view.silhouette.picture_px.as_vec2()).max(-seen.pixel);
        // The picture's border says nothing of an object that goes on beyond it.
        if outside.max_element() > source.depth.guard_px() {
            return None;
        }
        // On a slope the surface's own depth changes within the guard about occluders.
        let slope = ((1.0 - cosine * cosine).max(0.0).sqrt() / cosine).min(5.0);
        let tolerance = self.tolerance + slope * source.depth.guard_px() * seen.metres_per_px * 1.2;
        let visibility = source.depth.visibility(seen.pixel, seen.depth, tolerance, from_behind);
        if visibility <= 0.0 {
            return None;
        }
        let silhouette = &source.view.silhouette;
        let beyond = silhouette.distance(seen.pixel);
        let inner = self.edge_trim_px;
        let mut pixel = seen.pixel;
        let mut rim = 1.0;
        if beyond > -2.0 * inner {
            let along = |axis: Vec2| silhouette.distance(pixel + axis) - silhouette.distance(pixel - axis);
            let outward = Vec2::new(along(Vec2::X), along(Vec2::Y)).normalize_or_zero();
            pixel -= outward * (beyond + inner).max(0.0);
            rim = (-beyond / (2.0 * inner).max(1e-3)).clamp(RIM_WEIGHT, 1.0);
        }
        Some(Look {
            color: source.picture.at(pixel),
            weight: cosine.powf(self.sharpness) * visibility * rim * source.view.view.weight.max(1e-3),
            quality: cosine * visibility,
        })
    }
}

/// What one picture says of a point.
struct Look {
    color: Vec3,
    weight: f32,
    /// How well it sees the point, `[0, 1]`.
    quality: f32,
}

/// What several pictures say of a point.
#[derive(Default)]
struct Blend {
    color: Vec3,
    weights: f32,
    best: f32,
}

impl Blend {
    fn add(&mut self, look: Option<Look>, share: f32) {
        if let Some(look) = look {
            self.color += look.color * (look.weight * share);
            self.weights += look.weight * share;
            self.best = self.best.max(look.quality);
        }
    }

    fn trust(&self) -> f32 {
        let t = ((self.best - GRAZING.0) / (GRAZING.1 - GRAZING.0)).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bozzetto_asset::{Camera, PreparedView, Projection, TriMesh};
    use bozzetto_engine::{CancelToken, ParamValues, RunContext};
    use image::{GrayImage, Luma, Rgb, RgbImage};

    use super::*;
    use crate::progress::Progress;
    use crate::projector::Projector;
    use crate::silhouette::Silhouette;

    #[test]
    fn what_lies_beyond_the_frame_takes_no_colour_from_its_border() {
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|_| (),
        };
        let progress = Progress::new(&context, "colour");
        let camera = Camera::orbit(0.0, 0.0, 2.0, Projection::Orthographic { height: 1.0 }, 1.0);
        let matte = GrayImage::from_pixel(64, 64, Luma([255]));
        let silhouette = Silhouette::new(&matte, true, &progress)
            .expect("not cancelled")
            .expect("full");
        let view = FittedView {
            view: PreparedView {
                name: "cut".to_owned(),
                color: Arc::new(RgbImage::from_pixel(64, 64, Rgb([255, 0, 0]))),
                matte: Arc::new(matte),
                direction: None,
                camera: Some(camera),
                weight: 1.0,
            },
            camera,
            projector: Projector::new(&camera, 64, 64),
            silhouette: Arc::new(silhouette),
            is_exact: true,
        };
        let depth = DepthMap::render(&view, &TriMesh::default(), &progress.part(0, 1, 1)).expect("not cancelled");
        let settings = Settings::from_values(&ParamValues::default());
        let views = [view];
        let painter = Painter::new(&views, vec![depth], &settings, 0.01, 0.01);
        assert!(painter.touch(Vec3::new(0.3, 0.0, 0.0), Vec3::Z).color.x > 0.9);
        for beyond in [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y] {
            assert_eq!(painter.touch(beyond * 0.7, Vec3::Z).trust, 0.0, "{beyond}");
        }
    }
}
