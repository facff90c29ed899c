//! Tokens: every colour, distance, radius and text size of the window, for the dark and the light theme.
//!
//! Panels and widgets take colours from [`Palette::of`] and sizes from the constants here, never from literals.
//! One hue, fired clay, marks what is chosen or leads on; everything else is a neutral grey with a trace of warmth.

#![expect(
    clippy::disallowed_methods,
    reason = "the one file in which colours are written down"
)]

use egui::epaint::{CornerRadius, Margin, Shadow, Stroke};
use egui::style::{HandleShape, ScrollStyle, WidgetVisuals, Widgets};
use egui::{Color32, FontFamily, FontId, Style, TextStyle, Theme, Vec2, Visuals, vec2};

use super::fonts;
use crate::app::state::ThemeChoice;

/// Distances between things, from touching to apart. Nothing uses another distance.
pub mod space {
    /// Between parts of one control.
    pub const XS: f32 = 4.0;
    /// Between neighbouring controls.
    pub const S: f32 = 8.0;
    /// Between rows of different kinds, and the padding of cards.
    pub const M: f32 = 12.0;
    /// Padding of panels, and between groups.
    pub const L: f32 = 16.0;
    /// Between sections.
    pub const XL: f32 = 24.0;
}

/// Roundness of corners.
pub mod radius {
    /// Fields, chips and buttons.
    pub const CONTROL: u8 = 5;
    /// Cards and pictures.
    pub const CARD: u8 = 7;
    /// Things that float: menus, dialogs, toasts.
    pub const FLOAT: u8 = 10;
}

/// Sizes that several places must agree on.
pub mod size {
    /// Height of fields and small buttons.
    pub const CONTROL: f32 = 26.0;
    /// Height of buttons that stand alone.
    pub const BUTTON: f32 = 30.0;
    /// Height of the one button that starts the work.
    pub const PRIMARY: f32 = 40.0;
    /// Icons beside text.
    pub const ICON: f32 = 16.0;
    /// Icons that stand alone.
    pub const ICON_LARGE: f32 = 20.0;
    /// Height of the top bar.
    pub const TOP_BAR: f32 = 44.0;
    /// Height of the status line.
    pub const STATUS_BAR: f32 = 26.0;
    /// Column of labels in a row of settings.
    pub const LABEL_COLUMN: f32 = 108.0;
    /// Field with a number.
    pub const NUMBER: f32 = 58.0;
    /// Width of lines.
    pub const LINE: f32 = 1.0;
    /// Width of the ring around whatever has the keyboard.
    pub const FOCUS: f32 = 1.5;
}

/// Colours of one theme by what they are for.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Behind everything: the window's own ground.
    pub base: Color32,
    /// Panels.
    pub panel: Color32,
    /// Cards on panels, menus and dialogs.
    pub raised: Color32,
    /// Wells that hold a value: fields, rails, drop zones.
    pub field: Color32,
    /// Buttons at rest.
    pub control: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Held down.
    pub pressed: Color32,
    /// Lines that part.
    pub line: Color32,
    /// Outlines that must be seen.
    pub line_strong: Color32,
    /// Text to read first.
    pub text: Color32,
    /// Text to read second: labels beside values.
    pub text_muted: Color32,
    /// Text to read last: units, hints, captions.
    pub text_faint: Color32,
    /// The one button that leads on, what is chosen, the filled part of a slider.
    pub accent: Color32,
    /// The same under the pointer.
    pub accent_hover: Color32,
    /// The same held down.
    pub accent_pressed: Color32,
    /// Text and icons on the accent.
    pub on_accent: Color32,
    /// The accent as text or line on a panel.
    pub accent_text: Color32,
    /// The accent as a breath of colour behind a chosen thing.
    pub accent_tint: Color32,
    /// All is well.
    pub ok: Color32,
    /// Worth a look.
    pub warning: Color32,
    /// Failed.
    pub error: Color32,
    /// Breath of red behind an error.
    pub error_tint: Color32,
    /// Behind dialogs, over everything else.
    pub scrim: Color32,
    /// Behind controls that float over pictures and over the stage.
    pub veil: Color32,
    /// Shadow under things that float.
    pub shadow: Color32,
    /// Light squares behind transparent pictures.
    pub checker_light: Color32,
    /// Dark squares behind transparent pictures.
    pub checker_dark: Color32,
    /// The stage while nothing is on it, top to bottom.
    pub stage: [Color32; 2],
    /// Colours of the three axes, as every 3D program has them.
    pub axes: [Color32; 3],
    /// Letters on the axes.
    pub on_axes: Color32,
}

const DARK: Palette = Palette {
    base: Color32::from_rgb(0x11, 0x11, 0x12),
    panel: Color32::from_rgb(0x1c, 0x1c, 0x1e),
    raised: Color32::from_rgb(0x26, 0x26, 0x29),
    field: Color32::from_rgb(0x13, 0x13, 0x15),
    control: Color32::from_rgb(0x2d, 0x2d, 0x31),
    hover: Color32::from_rgb(0x37, 0x37, 0x3c),
    pressed: Color32::from_rgb(0x22, 0x22, 0x25),
    line: Color32::from_rgb(0x2b, 0x2b, 0x2e),
    line_strong: Color32::from_rgb(0x43, 0x43, 0x48),
    text: Color32::from_rgb(0xec, 0xea, 0xe7),
    text_muted: Color32::from_rgb(0xb4, 0xb2, 0xb0),
    text_faint: Color32::from_rgb(0x90, 0x8f, 0x8f),
    accent: Color32::from_rgb(0xbc, 0x52, 0x2c),
    accent_hover: Color32::from_rgb(0xd0, 0x65, 0x3c),
    accent_pressed: Color32::from_rgb(0xa8, 0x48, 0x25),
    on_accent: Color32::from_rgb(0xff, 0xfa, 0xf7),
    accent_text: Color32::from_rgb(0xee, 0x94, 0x6c),
    accent_tint: Color32::from_rgb(0x3c, 0x28, 0x20),
    ok: Color32::from_rgb(0x62, 0xbd, 0x8f),
    warning: Color32::from_rgb(0xe2, 0xb3, 0x45),
    error: Color32::from_rgb(0xf2, 0x6d, 0x78),
    error_tint: Color32::from_rgb(0x38, 0x22, 0x26),
    scrim: Color32::from_black_alpha(150),
    veil: Color32::from_rgba_unmultiplied_const(0x1c, 0x1c, 0x1e, 232),
    shadow: Color32::from_black_alpha(110),
    checker_light: Color32::from_rgb(0x3a, 0x3a, 0x3e),
    checker_dark: Color32::from_rgb(0x2f, 0x2f, 0x33),
    stage: [Color32::from_rgb(0x2c, 0x2c, 0x30), Color32::from_rgb(0x1a, 0x1a, 0x1c)],
    axes: [
        Color32::from_rgb(0xe0, 0x5a, 0x5a),
        Color32::from_rgb(0x7d, 0xb8, 0x4f),
        Color32::from_rgb(0x5b, 0x8d, 0xef),
    ],
    on_axes: Color32::from_rgb(0x14, 0x14, 0x16),
};

const LIGHT: Palette = Palette {
    base: Color32::from_rgb(0xd9, 0xd7, 0xd3),
    panel: Color32::from_rgb(0xf6, 0xf5, 0xf3),
    raised: Color32::from_rgb(0xff, 0xff, 0xff),
    field: Color32::from_rgb(0xe9, 0xe7, 0xe4),
    control: Color32::from_rgb(0xe6, 0xe4, 0xe0),
    hover: Color32::from_rgb(0xdc, 0xd9, 0xd5),
    pressed: Color32::from_rgb(0xd0, 0xcd, 0xc8),
    line: Color32::from_rgb(0xdf, 0xdc, 0xd8),
    line_strong: Color32::from_rgb(0xbd, 0xb9, 0xb3),
    text: Color32::from_rgb(0x20, 0x1e, 0x1c),
    text_muted: Color32::from_rgb(0x4f, 0x4c, 0x49),
    text_faint: Color32::from_rgb(0x71, 0x6d, 0x69),
    accent: Color32::from_rgb(0xb9, 0x4f, 0x29),
    accent_hover: Color32::from_rgb(0xc8, 0x5c, 0x34),
    accent_pressed: Color32::from_rgb(0x9c, 0x40, 0x1f),
    on_accent: Color32::from_rgb(0xff, 0xff, 0xff),
    accent_text: Color32::from_rgb(0xa4, 0x43, 0x20),
    accent_tint: Color32::from_rgb(0xf6, 0xe3, 0xda),
    ok: Color32::from_rgb(0x1d, 0x7d, 0x52),
    warning: Color32::from_rgb(0x92, 0x62, 0x00),
    error: Color32::from_rgb(0xbd, 0x2b, 0x40),
    error_tint: Color32::from_rgb(0xf9, 0xe2, 0xe4),
    scrim: Color32::from_black_alpha(90),
    veil: Color32::from_rgba_unmultiplied_const(0xfa, 0xf9, 0xf7, 236),
    shadow: Color32::from_black_alpha(40),
    checker_light: Color32::from_rgb(0xf4, 0xf2, 0xf0),
    checker_dark: Color32::from_rgb(0xe2, 0xdf, 0xdc),
    stage: [Color32::from_rgb(0xec, 0xea, 0xe7), Color32::from_rgb(0xd2, 0xcf, 0xca)],
    axes: [
        Color32::from_rgb(0xc8, 0x3e, 0x3e),
        Color32::from_rgb(0x4f, 0x8f, 0x2a),
        Color32::from_rgb(0x2f, 0x63, 0xcf),
    ],
    on_axes: Color32::from_rgb(0xff, 0xff, 0xff),
};

impl Palette {
    /// The colours in force.
    pub fn of(ui: &egui::Ui) -> &'static Self {
        Self::for_dark_mode(ui.visuals().dark_mode)
    }

    /// The colours of a theme.
    pub fn for_dark_mode(is_dark: bool) -> &'static Self {
        if is_dark { &DARK } else { &LIGHT }
    }
}

/// Text styles beyond egui's own.
pub mod text {
    use egui::{RichText, TextStyle};

    /// Name of a section.
    pub fn section() -> TextStyle {
        TextStyle::Name("section".into())
    }

    /// Smallest text: captions under pictures, units.
    pub fn caption() -> TextStyle {
        TextStyle::Small
    }

    /// The headline of an empty state or a dialog.
    pub fn title() -> TextStyle {
        TextStyle::Heading
    }

    /// Body text with weight.
    pub fn strong() -> TextStyle {
        TextStyle::Name("strong".into())
    }

    /// Text to read second.
    pub fn muted(ui: &egui::Ui, text: impl Into<String>) -> RichText {
        RichText::new(text).color(super::Palette::of(ui).text_muted)
    }

    /// Text about what is chosen.
    pub fn accent(ui: &egui::Ui, text: impl Into<String>) -> RichText {
        RichText::new(text).color(super::Palette::of(ui).accent_text)
    }

    /// Text to read last, in the smallest size.
    pub fn faint(ui: &egui::Ui, text: impl Into<String>) -> RichText {
        RichText::new(text)
            .text_style(caption())
            .color(super::Palette::of(ui).text_faint)
    }
}

/// Sets fonts, icons and both themes; once, before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts::definitions());
    egui_extras::install_image_loaders(ctx);
    ctx.set_style_of(
        Theme::Dark,
        style(
            &DARK,
            Style {
                visuals: Visuals::dark(),
                ..Style::default()
            },
        ),
    );
    ctx.set_style_of(
        Theme::Light,
        style(
            &LIGHT,
            Style {
                visuals: Visuals::light(),
                ..Style::default()
            },
        ),
    );
}

/// Follows the artist's choice of theme.
pub fn choose(ctx: &egui::Context, choice: ThemeChoice) {
    let preference = match choice {
        ThemeChoice::System => egui::ThemePreference::System,
        ThemeChoice::Dark => egui::ThemePreference::Dark,
        ThemeChoice::Light => egui::ThemePreference::Light,
    };
    if ctx.options(|options| options.theme_preference) != preference {
        ctx.set_theme(preference);
    }
}

fn style(palette: &Palette, mut style: Style) -> Style {
    style.text_styles = [
        (TextStyle::Small, FontId::new(11.0, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(13.0, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(13.0, fonts::medium())),
        (TextStyle::Heading, FontId::new(17.0, fonts::semibold())),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
        (text::section(), FontId::new(13.0, fonts::semibold())),
        (text::strong(), FontId::new(13.0, fonts::medium())),
    ]
    .into();
    style.drag_value_text_style = TextStyle::Body;
    style.animation_time = 0.12;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.45;
    set_spacing(&mut style);
    set_visuals(&mut style.visuals, palette);
    style
}

/// Scroll bars stay in a strip that rows leave free.
const MARGIN_OF_BARS: f32 = 6.0;

/// Margin right of rows of settings in a scroll area: with the column of reset dots it makes [`space::L`].
pub const ROWS_MARGIN: i8 = MARGIN_OF_BARS as i8;

fn set_spacing(style: &mut Style) {
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(space::S, space::S);
    spacing.button_padding = vec2(space::M, space::XS);
    spacing.interact_size = vec2(size::CONTROL, size::CONTROL);
    spacing.menu_margin = Margin::same(space::XS as i8);
    spacing.window_margin = Margin::same(space::XL as i8);
    spacing.indent = space::L;
    spacing.icon_width = size::ICON;
    spacing.icon_width_inner = size::ICON - 6.0;
    spacing.icon_spacing = space::S;
    spacing.tooltip_width = 300.0;
    spacing.menu_width = 260.0;
    spacing.combo_width = size::NUMBER;
    spacing.scroll = ScrollStyle {
        bar_width: MARGIN_OF_BARS,
        floating_width: 3.0,
        ..ScrollStyle::floating()
    };
}

fn set_visuals(visuals: &mut Visuals, palette: &Palette) {
    let widget = |fill: Color32, text: Color32, outline: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(size::LINE, outline),
        corner_radius: CornerRadius::same(radius::CONTROL),
        fg_stroke: Stroke::new(size::LINE, text),
        expansion: 0.0,
    };
    visuals.widgets = Widgets {
        noninteractive: widget(palette.panel, palette.text, palette.line),
        inactive: widget(palette.control, palette.text, Color32::TRANSPARENT),
        hovered: widget(palette.hover, palette.text, Color32::TRANSPARENT),
        active: widget(palette.pressed, palette.text, palette.line_strong),
        open: widget(palette.hover, palette.text, Color32::TRANSPARENT),
    };
    visuals.weak_text_color = Some(palette.text_muted);
    visuals.selection.bg_fill = palette.accent_tint;
    visuals.selection.stroke = Stroke::new(size::LINE, palette.accent_text);
    visuals.hyperlink_color = palette.accent_text;
    visuals.faint_bg_color = palette.raised;
    visuals.extreme_bg_color = palette.field;
    visuals.text_edit_bg_color = Some(palette.field);
    visuals.code_bg_color = palette.field;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.error;
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.raised;
    visuals.window_stroke = Stroke::new(size::LINE, palette.line_strong);
    visuals.window_corner_radius = CornerRadius::same(radius::FLOAT);
    visuals.menu_corner_radius = CornerRadius::same(radius::FLOAT - 2);
    visuals.window_shadow = float_shadow(palette);
    visuals.popup_shadow = float_shadow(palette);
    visuals.text_cursor.stroke = Stroke::new(size::FOCUS, palette.accent_text);
    visuals.handle_shape = HandleShape::Circle;
    visuals.slider_trailing_fill = true;
    visuals.indent_has_left_vline = false;
    visuals.image_loading_spinners = false;
    visuals.disabled_alpha = 0.5;
}

fn float_shadow(palette: &Palette) -> Shadow {
    Shadow {
        offset: [0, 8],
        blur: 24,
        spread: 0,
        color: palette.shadow,
    }
}

/// Frame of a panel at the window's edge.
pub fn panel_frame(palette: &Palette) -> egui::Frame {
    egui::Frame::new().fill(palette.panel)
}

/// Frame of a card on a panel.
pub fn card_frame(palette: &Palette) -> egui::Frame {
    egui::Frame::new()
        .fill(palette.raised)
        .corner_radius(radius::CARD)
        .inner_margin(Margin::same(space::M as i8))
}

/// Frame of a dialog.
pub fn dialog_frame(palette: &Palette, shadow: Shadow) -> egui::Frame {
    egui::Frame::new()
        .fill(palette.raised)
        .stroke(Stroke::new(size::LINE, palette.line_strong))
        .corner_radius(radius::FLOAT + 2)
        .shadow(shadow)
        .inner_margin(Margin::same(20))
}

/// Frame of controls that float over the stage.
pub fn float_frame(palette: &Palette) -> egui::Frame {
    egui::Frame::new()
        .fill(palette.veil)
        .stroke(Stroke::new(size::LINE, palette.line))
        .corner_radius(radius::CARD + 1)
        .inner_margin(Margin::same(3))
}

/// A square of the given side.
pub fn square(side: f32) -> Vec2 {
    Vec2::splat(side)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance and contrast as in WCAG 2.1.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let [red, green, blue, _] = color.to_array().map(bozzetto_asset::color::linear_from_srgb_u8);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (high, low) = (luminance(a).max(luminance(b)), luminance(a).min(luminance(b)));
        (high + 0.05) / (low + 0.05)
    }

    #[test]
    fn text_can_be_read_on_everything_it_stands_on() {
        for palette in [&DARK, &LIGHT] {
            for ground in [palette.panel, palette.raised] {
                for text in [
                    palette.text,
                    palette.text_muted,
                    palette.text_faint,
                    palette.accent_text,
                    palette.ok,
                    palette.warning,
                    palette.error,
                ] {
                    assert!(
                        contrast(text, ground) >= 4.5,
                        "{text:?} on {ground:?}: {}",
                        contrast(text, ground)
                    );
                }
            }
            assert!(contrast(palette.text, palette.control) >= 7.0);
            assert!(contrast(palette.text_muted, palette.field) >= 4.5);
            assert!(contrast(palette.on_accent, palette.accent) >= 4.5);
            assert!(contrast(palette.accent_text, palette.accent_tint) >= 4.5);
        }
    }
}
