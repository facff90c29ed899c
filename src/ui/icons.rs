//! Icons of our own: one 20 px grid, one 1.5 px stroke, white in the file and tinted when drawn.

use egui::{Color32, Image, ImageSource, Rect, Ui};

use super::theme::square;

macro_rules! icons {
    ($($name:ident => $file:literal,)*) => {
        /// A sign that stands for an act or a thing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is what its name says")]
        pub enum Icon {
            $($name,)*
        }

        impl Icon {
            /// Every icon.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            fn source(self) -> ImageSource<'static> {
                match self {
                    $(Self::$name => egui::include_image!(concat!("../../assets/icons/", $file, ".svg")),)*
                }
            }
        }
    };
}

icons! {
    Axes => "axes",
    Both => "both",
    Camera => "camera",
    Check => "check",
    ChevronDown => "chevron_down",
    ChevronRight => "chevron_right",
    Chip => "chip",
    Clay => "clay",
    Compare => "compare",
    Clipboard => "clipboard",
    Clock => "clock",
    Close => "close",
    Copy => "copy",
    Cube => "cube",
    Dice => "dice",
    Error => "error",
    Export => "export",
    Eye => "eye",
    EyeOff => "eye_off",
    Film => "film",
    Folder => "folder",
    Frame => "frame",
    Generate => "generate",
    Grid => "grid",
    Grip => "grip",
    Image => "image",
    ImagePlus => "image_plus",
    Info => "info",
    Inspect => "inspect",
    Library => "library",
    Lock => "lock",
    LockOpen => "lock_open",
    Log => "log",
    Logo => "logo",
    Moon => "moon",
    More => "more",
    Ok => "ok",
    Orthographic => "orthographic",
    PanelBottom => "panel_bottom",
    PanelLeft => "panel_left",
    PanelRight => "panel_right",
    Perspective => "perspective",
    Plus => "plus",
    Queue => "queue",
    Redo => "redo",
    Reset => "reset",
    Shaded => "shaded",
    Splats => "splats",
    Stop => "stop",
    Sun => "sun",
    Trash => "trash",
    Undo => "undo",
    Warning => "warning",
    Wireframe => "wireframe",
}

impl Icon {
    /// The icon as a picture of the given side, in points.
    pub fn image(self, side: f32, tint: Color32) -> Image<'static> {
        Image::new(self.source()).fit_to_exact_size(square(side)).tint(tint)
    }

    /// Draws the icon in the middle of `rect`.
    pub fn paint(self, ui: &Ui, rect: Rect, side: f32, tint: Color32) {
        let centred = Rect::from_center_size(rect.center(), square(side));
        let pixels_per_point = ui.pixels_per_point();
        let on_pixel = (centred.min.to_vec2() * pixels_per_point).round() / pixels_per_point;
        self.image(side, tint)
            .paint_at(ui, Rect::from_min_size(on_pixel.to_pos2(), square(side)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_can_be_drawn_and_keeps_to_the_grid() {
        for icon in Icon::ALL {
            let ImageSource::Bytes { bytes, .. } = icon.source() else {
                panic!("{icon:?} is not embedded");
            };
            let text = std::str::from_utf8(&bytes).expect("SVG is text");
            assert!(text.contains(r#"viewBox="0 0 20 20""#), "{icon:?}");
            #[expect(clippy::default_trait_access, reason = "the type of these options is not exported")]
            let options = Default::default();
            let image =
                egui_extras::image::load_svg_bytes_with_size(&bytes, egui::SizeHint::Scale(1.0.into()), &options);
            let image = image.expect("a valid SVG");
            assert_eq!(image.size, [20, 20], "{icon:?}");
            assert!(
                image.pixels.iter().any(|pixel| pixel.a() > 120),
                "{icon:?} shows nothing"
            );
        }
    }
}
