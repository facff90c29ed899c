//! The window's picture, kept from frame to frame, so that only what changed is drawn again.
//!
//! egui draws the whole window every frame. A graphics card does that in no time; a processor that draws in a card's
//! place needs a tenth of a second, during which the window does not answer and the engine does not compute. So where
//! the processor draws, the shapes of a frame are taken before eframe sees them, compared with those of the frame
//! before ([`damage`]), and what differs is drawn into a texture of our own ([`picture`]). eframe gets one shape that
//! copies this texture to the window. While an engine needs the processor, a large change is drawn in slices, a frame each
//! ([`slices`]): it takes a moment longer to show, and the window answers all the while.

mod damage;
mod picture;
mod slices;

use std::sync::Arc;

use egui::epaint::ClippedShape;
use egui::{FullOutput, Rect};
use egui_wgpu::RenderState;
use parking_lot::Mutex;

use super::platform;
use damage::{damaged_rects, shapes_within};
use picture::{Frame, KeptPicture, Layout};
use slices::slices;

/// Square points that a processor of two cores draws in less than a hundredth of a second, most of it taken by an engine.
const BUSY_AREA: f32 = 80_000.0;

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

/// Says whether an engine works, whom the window leaves the processor then.
pub fn set_engine_works(ctx: &egui::Context, works: bool) {
    ctx.data_mut(|data| data.insert_temp(engine_works_id(), works));
}

fn engine_works_id() -> egui::Id {
    egui::Id::unique("an engine works")
}

/// Square points that may be drawn in one frame.
fn area_of_frame(ctx: &egui::Context) -> f32 {
    let engine_works = ctx.data(|data| data.get_temp(engine_works_id()).unwrap_or(false));
    if engine_works { BUSY_AREA } else { f32::INFINITY }
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
        let (stale, damage) = match picture.drawn_frame(layout) {
            Some((drawn, stale)) => (stale.to_vec(), damaged_rects(&drawn.shapes, &shapes, layout.screen)),
            None => (Vec::new(), vec![layout.screen]),
        };
        let damage = damage
            .into_iter()
            .map(|rect| on_pixels(rect, layout.pixels_per_point).intersect(layout.screen))
            .filter(Rect::is_positive);
        // A new picture has nothing to show while the rest of it waits.
        let area = if picture.is_there(layout) {
            area_of_frame(ctx)
        } else {
            f32::INFINITY
        };
        let (now, later) = slices(&stale, damage.collect(), area, layout.pixels_per_point);
        if !later.is_empty() {
            ctx.request_repaint();
        }
        let mut changed = Vec::new();
        for rect in now {
            // Larger than its clip, so that no soft edge shows.
            let ground = egui::Shape::rect_filled(rect.expand(8.0), 0.0, layout.ground);
            changed.push(ClippedShape::new(rect, ground));
            changed.extend(shapes_within(rect, &shapes));
        }
        let changed = ctx.tessellate(changed, layout.pixels_per_point);
        picture.set_next(Frame { shapes, layout }, changed, later);
        drop(picture);
        let copy = picture::copy_to_window(layout.screen, &self.0);
        output.shapes.push(ClippedShape::new(layout.screen, copy));
    }
}

/// The smallest rectangle of whole pixels about another one.
fn on_pixels(rect: Rect, pixels_per_point: f32) -> Rect {
    Rect {
        min: (rect.min.to_vec2() * pixels_per_point).floor().to_pos2() / pixels_per_point,
        max: (rect.max.to_vec2() * pixels_per_point).ceil().to_pos2() / pixels_per_point,
    }
}
