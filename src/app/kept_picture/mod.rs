//! The window's picture, kept from frame to frame, so that only what changed is drawn again.
//!
//! egui draws the whole window every frame. A graphics card does that in no time; a processor that draws in a card's
//! place needs a tenth of a second, during which the window does not answer and the engine does not compute. So where
//! the processor draws, the shapes of a frame are taken before eframe sees them, compared with those of the frame
//! before ([`damage`]), and what differs is drawn into a texture of our own ([`picture`]). eframe gets one shape that
//! copies this texture to the window.

mod damage;
mod picture;

use std::sync::Arc;

use egui::epaint::ClippedShape;
use egui::{FullOutput, Rect};
use egui_wgpu::RenderState;
use parking_lot::Mutex;

use super::platform;
use damage::damaged_rects;
use picture::{Frame, KeptPicture, Layout};

/// Keeps the window's picture where the processor draws. What is returned is to be drawn and registered with instead of
/// the given state; on a graphics card it is the same.
pub fn install(ctx: &egui::Context, render_state: RenderState) -> RenderState {
    if !platform::draws_in_software(&render_state) {
        return render_state;
    }
    let kept = KeptPicture::new(&render_state);
    let inner = kept.render_state();
    ctx.add_plugin(KeptPicturePlugin(Arc::new(Mutex::new(kept))));
    inner
}

struct KeptPicturePlugin(Arc<Mutex<KeptPicture>>);

impl egui::Plugin for KeptPicturePlugin {
    fn debug_name(&self) -> &'static str {
        "kept picture"
    }

    fn output_hook(&mut self, ctx: &egui::Context, output: &mut FullOutput) {
        if ctx.viewport_id() != egui::ViewportId::ROOT {
            return;
        }
        let layout = Layout {
            screen: ctx.viewport_rect(),
            pixels_per_point: output.pixels_per_point,
            ground: ctx.global_style().visuals.panel_fill,
        };
        let shapes = std::mem::take(&mut output.shapes);
        let mut picture = self.0.lock();
        picture.add_textures(std::mem::take(&mut output.textures_delta));
        let damage = picture.drawn_frame(layout).map_or_else(
            || vec![layout.screen],
            |drawn| damaged_rects(&drawn.shapes, &shapes, layout.screen),
        );
        let damage: Vec<_> = damage
            .into_iter()
            .map(|rect| on_pixels(rect, layout.pixels_per_point).intersect(layout.screen))
            .filter(Rect::is_positive)
            .collect();
        let changed = shapes_within(&damage, &shapes, layout.ground);
        let changed = ctx.tessellate(changed, layout.pixels_per_point);
        picture.set_next(Frame { shapes, layout }, changed);
        drop(picture);
        let copy = picture::copy_to_window(layout.screen, &self.0);
        output.shapes.push(ClippedShape::new(layout.screen, copy));
    }
}

/// The shapes that show in each of some rectangles, over a ground.
fn shapes_within(rects: &[Rect], shapes: &[ClippedShape], ground: egui::Color32) -> Vec<ClippedShape> {
    let mut within = Vec::new();
    for &rect in rects {
        // Larger than its clip, so that no soft edge shows.
        let ground = egui::Shape::rect_filled(rect.expand(8.0), 0.0, ground);
        within.push(ClippedShape::new(rect, ground));
        within.extend(shapes.iter().filter_map(|shape| {
            let clip_rect = shape.clip_rect.intersect(rect);
            let shows = clip_rect.is_positive() && damage::reach(shape).intersects(rect);
            shows.then(|| ClippedShape {
                clip_rect,
                ..shape.clone()
            })
        }));
    }
    within
}

/// The smallest rectangle of whole pixels about another one.
fn on_pixels(rect: Rect, pixels_per_point: f32) -> Rect {
    Rect {
        min: (rect.min.to_vec2() * pixels_per_point).floor().to_pos2() / pixels_per_point,
        max: (rect.max.to_vec2() * pixels_per_point).ceil().to_pos2() / pixels_per_point,
    }
}
