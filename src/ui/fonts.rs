//! Inter in three weights from one variable font, with egui's own fonts behind it for rarer glyphs.

use std::sync::Arc;

use egui::epaint::text::{FontTweak, VariationCoords};
use egui::{FontData, FontDefinitions, FontFamily};

static INTER: &[u8] = include_bytes!("../../assets/fonts/Inter.ttf");

/// Family of buttons and of text with weight.
pub fn medium() -> FontFamily {
    FontFamily::Name("Inter Medium".into())
}

/// Family of headings.
pub fn semibold() -> FontFamily {
    FontFamily::Name("Inter SemiBold".into())
}

/// Every family of the window.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let fallbacks = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    for (family, name, weight) in [
        (FontFamily::Proportional, "Inter Regular", 410.0),
        (medium(), "Inter Medium", 520.0),
        (semibold(), "Inter SemiBold", 620.0),
    ] {
        let face = FontData::from_static(INTER).tweak(FontTweak {
            coords: VariationCoords::new([(b"wght", weight)]),
            ..FontTweak::default()
        });
        fonts.font_data.insert(name.to_owned(), Arc::new(face));
        let faces = std::iter::once(name.to_owned())
            .chain(fallbacks.iter().cloned())
            .collect();
        fonts.families.insert(family, faces);
    }
    fonts
}
