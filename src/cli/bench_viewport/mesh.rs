use std::f32::consts::{PI, TAU};
use std::sync::Arc;

use anyhow::Context as _;
use bozzetto_asset::{Material, TexturedMesh, TriMesh};
use bozzetto_viewport::{Offscreen, RenderSettings, Scene, Shading};
use glam::{Vec2, Vec3};
use image::{Rgba, RgbaImage};

use super::super::output;
use super::{Arguments, NO_CLOCK, cameras, median, millis};

/// Side of the made-up texture, pixels.
const TEXTURE_PX: u32 = 2048;

/// Draws a made-up object as an artist looks at it.
pub(super) fn bench(offscreen: &Offscreen, arguments: &Arguments) -> anyhow::Result<()> {
    let textured = object(arguments.triangles);
    output::line(&format!(
        "\nMade-up mesh: {} triangles, {TEXTURE_PX} px of texture, {} x {} pixels, 4 samples each, {} cameras",
        textured.mesh.triangles.len(),
        arguments.size,
        arguments.size,
        arguments.cameras
    ));
    let mut scene = Scene::new();
    scene.set_textured_mesh(offscreen.device(), offscreen.queue(), Some(&textured))?;
    output::line("  picture         solid layer   whole frame (ms, medians)");
    let with = |shading, wireframe| RenderSettings {
        shading,
        wireframe,
        ..RenderSettings::default()
    };
    for (name, settings) in [
        ("lit", with(Shading::Pbr, false)),
        ("clay", with(Shading::Clay, false)),
        ("wireframe", with(Shading::Clay, true)),
        ("mesh health", with(Shading::Health, false)),
    ] {
        let mut figures = Vec::new();
        for camera in cameras(arguments.cameras) {
            for index in 0..=arguments.frames {
                let measured = offscreen.time_mesh(&mut scene, &camera, [arguments.size; 2], &settings)?;
                if index > 0 {
                    figures.push(measured.context(NO_CLOCK)?);
                }
            }
        }
        let solid = median(figures.iter().map(|figures| figures.solid).collect());
        let frame = median(figures.iter().map(|figures| figures.frame).collect());
        output::line(&format!("  {name:<14}{:>13.3}{:>14.3}", millis(solid), millis(frame)));
    }
    Ok(())
}

/// A bumpy ball of about this many triangles that fills the view.
fn object(num_triangles: u32) -> TexturedMesh {
    let rings = ((f64::from(num_triangles) / 4.0).sqrt().round() as u32).max(2);
    let segments = rings * 2;
    let mut mesh = TriMesh::default();
    for ring in 0..=rings {
        for segment in 0..=segments {
            let uv = Vec2::new(segment as f32 / segments as f32, ring as f32 / rings as f32);
            let (sin_polar, cos_polar) = (uv.y * PI).sin_cos();
            let (sin_turn, cos_turn) = (uv.x * TAU).sin_cos();
            let direction = Vec3::new(sin_polar * sin_turn, cos_polar, sin_polar * cos_turn);
            let bump = 0.02 * (24.0 * direction.x).sin() * (24.0 * direction.y).sin();
            mesh.positions.push(direction * (0.42 + bump));
            mesh.normals.push(direction);
            mesh.uvs.push(uv);
        }
    }
    for ring in 0..rings {
        for segment in 0..segments {
            let a = ring * (segments + 1) + segment;
            let b = a + segments + 1;
            mesh.triangles.push([a, b, b + 1]);
            mesh.triangles.push([a, b + 1, a + 1]);
        }
    }
    let texel = |x: u32, y: u32| Rgba([(x / 8) as u8, (y / 8) as u8, ((x ^ y) / 8) as u8, 255]);
    TexturedMesh {
        mesh: Arc::new(mesh),
        material: Material {
            base_color: Arc::new(RgbaImage::from_fn(TEXTURE_PX, TEXTURE_PX, texel)),
            ..Material::default()
        },
        ..TexturedMesh::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_the_triangles_that_were_asked_for() {
        let mesh = object(20_000).mesh;
        assert!(mesh.triangles.len().abs_diff(20_000) < 400, "{}", mesh.triangles.len());
        assert!(mesh.positions.iter().all(|position| position.length() < 0.45));
    }
}
