//! What can be set: upstream's names, its defaults of `pipeline.json` and the ranges of its app.

use bozzetto_engine::{ParamKind, ParamSpec, ParamValues};

use crate::pipeline::PipelineKind;
use crate::sampler::{Guidance, SamplerParams};

/// Parameters in the form that the stages compute with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Whether the object is cut out of the picture.
    pub cuts_out: bool,
    /// Whether all networks stay on the device.
    pub keeps_networks: bool,
    /// Whether linear layers of the flows are computed in 8 bits, where the device can.
    pub is_eight_bit: bool,
    /// How fine the result becomes, and in which steps.
    pub kind: PipelineKind,
    /// Tokens above which a cascade lowers its resolution.
    pub max_num_tokens: usize,
    /// How the structure is sampled.
    pub structure: SamplerParams,
    /// How the shape is, both times in a cascade.
    pub shape: SamplerParams,
    /// How the material is.
    pub material: SamplerParams,
}

impl Settings {
    /// Reads validated values; a missing key counts as its default.
    pub fn from_values(values: &ParamValues) -> Self {
        let specs = specs();
        let default = |key: &str| specs.iter().find(|spec| spec.key == key).map(ParamSpec::default_value);
        let value = |key: &str| values.0.get(key).cloned().or_else(|| default(key));
        let all: ParamValues = ParamValues(
            specs
                .iter()
                .filter_map(|spec| Some((spec.key.clone(), value(&spec.key)?)))
                .collect(),
        );
        let kind = all.choice("shape.pipeline_type").and_then(PipelineKind::of_id);
        Self {
            cuts_out: all.bool("features.cut_out").unwrap_or(true),
            keeps_networks: all.bool("features.keep_networks").unwrap_or(false),
            is_eight_bit: all.bool("structure.fp8").unwrap_or(false),
            kind: kind.unwrap_or(PipelineKind::Cascade1024),
            max_num_tokens: all.int("shape.max_num_tokens").unwrap_or_default().max(1) as usize,
            structure: sampler_params(&all, "structure"),
            shape: sampler_params(&all, "shape"),
            material: sampler_params(&all, "material"),
        }
    }
}

fn sampler_params(values: &ParamValues, stage: &str) -> SamplerParams {
    let float = |name: &str| values.float(&format!("{stage}.{name}")).unwrap_or_default();
    SamplerParams {
        steps: values.int(&format!("{stage}.steps")).unwrap_or_default().max(1) as usize,
        rescale_t: float("rescale_t"),
        guidance: Guidance {
            strength: float("guidance_strength"),
            rescale: float("guidance_rescale"),
            interval: (float("guidance_from"), float("guidance_to")),
        },
    }
}

/// Every parameter, by stage.
pub fn specs() -> Vec<ParamSpec> {
    let mut specs = vec![
        switch(
            "features",
            "cut_out",
            "Cut out the object",
            true,
            "Removes the background where the picture has no transparency, and fills the frame with the object. Off takes \
             the picture as it is: square, on black.",
        ),
        advanced(switch(
            "features",
            "keep_networks",
            "Keep all networks loaded",
            false,
            "Uses what memory there is: every network stays on the graphics card, so that a change shows sooner. Needs \
             about 20 GB.",
        )),
    ];
    specs.extend(sampler_specs("structure", "Structure", 7.5, 0.7, 1.0, 5.0));
    specs.push(advanced(switch(
        "structure",
        "fp8",
        "8-bit layers (FP8)",
        false,
        "Computes structure, shape and material with 8-bit numbers in the linear layers: a tenth faster and 1 GiB smaller, but \
         5 % off where full precision is 1.5 % off. Takes a GeForce RTX 40 or newer.",
    )));
    specs.push(ParamSpec {
        key: "shape.pipeline_type".to_owned(),
        label: "Resolution".to_owned(),
        stage: "shape".to_owned(),
        kind: ParamKind::Choice {
            options: [
                (PipelineKind::Direct512, "512"),
                (PipelineKind::Cascade1024, "1024"),
                (PipelineKind::Cascade1536, "1536"),
                (PipelineKind::Direct1024, "1024 without a coarse step"),
            ]
            .map(|(kind, label)| (kind.id().to_owned(), label.to_owned()))
            .to_vec(),
            default: PipelineKind::Cascade1024.id().to_owned(),
        },
        unit: String::new(),
        help: "Voxels along the longest axis. Finer shapes take longer and need more graphics memory; the structure is kept."
            .to_owned(),
        advanced: false,
    });
    specs.push(advanced(ParamSpec {
        key: "shape.max_num_tokens".to_owned(),
        label: "Most tokens".to_owned(),
        stage: "shape".to_owned(),
        kind: ParamKind::Int {
            min: 8192,
            max: 131_072,
            step: 1024,
            default: 49_152,
        },
        unit: String::new(),
        help: "Intricate shapes are made at a lower resolution than 1536 when they would need more. More need more memory."
            .to_owned(),
        advanced: true,
    }));
    specs.extend(sampler_specs("shape", "Shape", 7.5, 0.5, 1.0, 3.0));
    specs.extend(sampler_specs("material", "Material", 1.0, 0.0, 0.9, 3.0));
    specs
}

/// The parameters that every sampler has.
pub fn sampler_specs(
    stage: &str,
    name: &str,
    strength: f64,
    rescale: f64,
    until: f64,
    rescale_t: f64,
) -> Vec<ParamSpec> {
    let spec = |key: &str, label: &str, kind, help: &str| ParamSpec {
        key: format!("{stage}.{key}"),
        label: format!("{name} {label}"),
        stage: stage.to_owned(),
        kind,
        unit: String::new(),
        help: help.to_owned(),
        advanced: false,
    };
    let float = |min, max, step, default| ParamKind::Float {
        min,
        max,
        step,
        default,
    };
    let steps = ParamKind::Int {
        min: 1,
        max: 50,
        step: 1,
        default: 12,
    };
    vec![
        spec(
            "steps",
            "steps",
            steps,
            "More steps follow the model more closely and take longer; beyond 25 little changes.",
        ),
        spec(
            "guidance_strength",
            "guidance strength",
            float(1.0, 10.0, 0.1, strength),
            "How closely the picture is followed. Too much hardens and overdraws; 1 takes half the time.",
        ),
        advanced(spec(
            "guidance_rescale",
            "guidance rescale",
            float(0.0, 1.0, 0.01, rescale),
            "Takes back the contrast that guidance adds: 0 keeps all of it, 1 takes all of it back.",
        )),
        advanced(spec(
            "guidance_from",
            "guidance from",
            float(0.0, 1.0, 0.05, 0.6),
            "Noise level down to which guidance acts. Lower guides longer, into the fine steps, and takes more time.",
        )),
        advanced(spec(
            "guidance_to",
            "guidance to",
            float(0.0, 1.0, 0.05, until),
            "Noise level from which guidance acts; 1 guides from the first step on.",
        )),
        advanced(spec(
            "rescale_t",
            "rescale T",
            float(1.0, 6.0, 0.1, rescale_t),
            "Higher values spend more of the steps on the coarse form, lower ones more on the details.",
        )),
    ]
}

fn switch(stage: &str, key: &str, label: &str, default: bool, help: &str) -> ParamSpec {
    ParamSpec {
        key: format!("{stage}.{key}"),
        label: label.to_owned(),
        stage: stage.to_owned(),
        kind: ParamKind::Bool { default },
        unit: String::new(),
        help: help.to_owned(),
        advanced: false,
    }
}

fn advanced(spec: ParamSpec) -> ParamSpec {
    ParamSpec { advanced: true, ..spec }
}

#[cfg(test)]
mod tests {
    use bozzetto_engine::ParamValue;

    use super::*;

    #[test]
    fn defaults_are_upstreams() {
        let settings = Settings::from_values(&ParamValues::default());
        assert_eq!(settings.kind, PipelineKind::Cascade1024);
        assert_eq!(settings.max_num_tokens, 49_152);
        let evaluations =
            [settings.structure, settings.shape, settings.material].map(|params| params.num_evaluations());
        assert_eq!(evaluations, [22, 21, 12]);
    }

    #[test]
    fn every_value_arrives_where_it_belongs() {
        for spec in specs() {
            let changed = match &spec.kind {
                ParamKind::Bool { default } => ParamValue::Bool(!default),
                ParamKind::Int { max, .. } => ParamValue::Int(*max),
                ParamKind::Float { min, max, default, .. } => {
                    ParamValue::Float(if default == min { *max } else { *min })
                }
                ParamKind::Choice { options, .. } => ParamValue::Choice(options[2].0.clone()),
            };
            let values = ParamValues([(spec.key.clone(), changed)].into());
            let values = values.validated(&specs()).expect("within its range");
            let settings = Settings::from_values(&values);
            assert_ne!(settings, Settings::from_values(&ParamValues::default()), "{}", spec.key);
        }
    }

    #[test]
    fn keys_begin_with_their_stage_and_differ() {
        let specs = specs();
        let mut keys: Vec<_> = specs.iter().map(|spec| spec.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), specs.len());
        assert!(
            specs
                .iter()
                .all(|spec| spec.key.starts_with(&format!("{}.", spec.stage)))
        );
    }
}
