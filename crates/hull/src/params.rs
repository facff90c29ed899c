use bozzetto_engine::{ParamKind, ParamSpec, ParamValues};

/// Parameters in the form that the stages compute with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Full vertical angle of the shared lens, radians; 0 for parallel rays.
    pub field_of_view_rad: f32,
    pub refines_alignment: bool,
    pub resolution: usize,
    pub rounding: f32,
    pub thickness: f32,
    pub relief: f32,
    pub smoothing: f32,
    /// Parts smaller than this share of the largest one are dropped.
    pub smallest_part: f32,
    pub texture_detail: usize,
    pub view_sharpness: f32,
    pub edge_trim_px: f32,
    pub mirrors_unseen: bool,
    pub roughness: f32,
    pub metallic: f32,
    pub splat_scale: f32,
}

impl Settings {
    /// Reads validated values; a missing key counts as its default.
    pub fn from_values(values: &ParamValues) -> Self {
        let specs = specs();
        let values = values.validated(&specs).unwrap_or_else(|_| {
            ParamValues(
                specs
                    .iter()
                    .map(|spec| (spec.key.clone(), spec.default_value()))
                    .collect(),
            )
        });
        let float = |key| values.float(key).unwrap_or_default() as f32;
        let int = |key| values.int(key).unwrap_or_default().max(1) as usize;
        let switch = |key| values.bool(key).unwrap_or_default();
        Self {
            field_of_view_rad: float("fit.field_of_view").to_radians(),
            refines_alignment: switch("fit.refine"),
            resolution: int("carve.resolution"),
            rounding: float("carve.rounding"),
            thickness: float("carve.thickness"),
            relief: float("carve.relief"),
            smoothing: float("surface.smoothing"),
            smallest_part: float("surface.smallest_part") * 0.01,
            texture_detail: int("colour.detail"),
            view_sharpness: float("colour.sharpness"),
            edge_trim_px: float("colour.edge_trim"),
            mirrors_unseen: switch("colour.mirror"),
            roughness: float("colour.roughness"),
            metallic: float("colour.metallic"),
            splat_scale: float("colour.splat_size"),
        }
    }
}

/// Every parameter of the built-in engine, by stage.
pub(crate) fn specs() -> Vec<ParamSpec> {
    vec![
        float(
            "fit.field_of_view",
            "Field of view",
            (0.0, 90.0, 1.0, 0.0),
            "°",
            "How wide the lens was, from the picture's bottom to its top. 0 suits drawings and long lenses, 25 to 50 \
             photographs from close by. Views with a known camera keep theirs.",
        ),
        advanced(switch(
            "fit.refine",
            "Align views",
            true,
            "Shifts and scales the pictures until their outlines agree best. Switch off to take them as they are.",
        )),
        int(
            "carve.resolution",
            "Resolution",
            (64, 512, 32, 256),
            "Cells along each side of the grid that the shape is carved from. More shows finer detail and takes longer.",
        ),
        float(
            "carve.rounding",
            "Rounding",
            (0.0, 1.0, 0.05, 1.0),
            "",
            "How round the shape is where few views leave it boxy. 0 keeps the plain intersection of the outlines.",
        ),
        float(
            "carve.thickness",
            "Thickness",
            (0.1, 3.0, 0.05, 1.0),
            "×",
            "How deep parts are compared with their width, where no view tells.",
        ),
        float(
            "carve.relief",
            "Relief",
            (0.0, 1.0, 0.05, 0.25),
            "",
            "How strongly light and dark in a single picture become bumps and grooves.",
        ),
        float(
            "surface.smoothing",
            "Smoothing",
            (0.0, 1.0, 0.05, 0.4),
            "",
            "Evens out creases and steps. More gives a softer surface and costs fine detail.",
        ),
        advanced(float(
            "surface.smallest_part",
            "Smallest part",
            (0.0, 50.0, 0.5, 1.0),
            "%",
            "Loose parts smaller than this share of the largest part are removed. 0 keeps all.",
        )),
        int(
            "colour.detail",
            "Colour detail",
            (1, 4, 1, 3),
            "Colour samples along the edge of a grid cell. More keeps the pictures sharper and takes more memory.",
        ),
        float(
            "colour.sharpness",
            "View preference",
            (1.0, 12.0, 0.5, 6.0),
            "",
            "How strongly the view that looks straightest at a spot decides its colour. Less blends views more softly, \
             more keeps each view's detail.",
        ),
        float(
            "colour.edge_trim",
            "Edge trim",
            (0.0, 12.0, 0.5, 2.5),
            "px",
            "Picture pixels this close to the outline are avoided, because the background shines through there.",
        ),
        switch(
            "colour.mirror",
            "Mirror unseen sides",
            true,
            "Colours a side that no picture shows with the picture of the opposite side. Switch off to fill it with \
             the surrounding colours.",
        ),
        float(
            "colour.roughness",
            "Roughness",
            (0.0, 1.0, 0.05, 0.7),
            "",
            "How matt the material is: 0 is a mirror, 1 is chalk.",
        ),
        advanced(float(
            "colour.metallic",
            "Metallic",
            (0.0, 1.0, 0.05, 0.0),
            "",
            "0 for plastic, wood, skin and stone, 1 for bare metal.",
        )),
        advanced(float(
            "colour.splat_size",
            "Splat size",
            (0.5, 2.0, 0.05, 1.0),
            "×",
            "Size of the discs that cover the surface. Too small shows gaps, too large blurs.",
        )),
    ]
}

fn spec(key: &str, label: &str, kind: ParamKind, unit: &str, help: &str) -> ParamSpec {
    ParamSpec {
        key: key.to_owned(),
        label: label.to_owned(),
        stage: key.split('.').next().unwrap_or_default().to_owned(),
        kind,
        unit: unit.to_owned(),
        help: help.to_owned(),
        advanced: false,
    }
}

fn float(key: &str, label: &str, (min, max, step, default): (f64, f64, f64, f64), unit: &str, help: &str) -> ParamSpec {
    let kind = ParamKind::Float {
        min,
        max,
        step,
        default,
    };
    spec(key, label, kind, unit, help)
}

fn int(key: &str, label: &str, (min, max, step, default): (i64, i64, i64, i64), help: &str) -> ParamSpec {
    let kind = ParamKind::Int {
        min,
        max,
        step,
        default,
    };
    spec(key, label, kind, "", help)
}

fn switch(key: &str, label: &str, default: bool, help: &str) -> ParamSpec {
    spec(key, label, ParamKind::Bool { default }, "", help)
}

fn advanced(spec: ParamSpec) -> ParamSpec {
    ParamSpec { advanced: true, ..spec }
}
