use crate::params::Settings;
use crate::pipeline::PipelineKind;

/// Tokens that a card of 8 GB has room for.
const FEW_TOKENS: usize = 24_576;
/// Chunks are made smaller twice.
const SMALLEST_CHUNKS: usize = 16;

/// How a run is carried out: as it was asked for at first, and with less memory after it ran out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// What the stages compute with.
    pub settings: Settings,
    /// By how much smaller the pieces are that convolutions and decoders work on.
    pub chunk_divisor: usize,
}

impl Plan {
    /// As it was asked for.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            chunk_divisor: 1,
        }
    }

    /// The next plan that takes less memory after it ran out in `stage`, with what is different about it; `None` when there is
    /// none.
    pub fn lighter(&self, stage: &str) -> Option<(Self, &'static str)> {
        let Settings {
            kind, max_num_tokens, ..
        } = self.settings;
        let with = |settings| Self { settings, ..*self };
        if self.settings.keeps_networks {
            let settings = Settings {
                keeps_networks: false,
                ..self.settings
            };
            return Some((with(settings), "networks leave the device when their stage is over"));
        }
        // Flows don't work in pieces, and what the shape's stage decodes takes less than its flows.
        if stage == "decode" && self.chunk_divisor < SMALLEST_CHUNKS {
            let plan = Self {
                chunk_divisor: 4 * self.chunk_divisor,
                ..*self
            };
            return Some((plan, "it works on smaller pieces"));
        }
        let (settings, change) = match (kind, stage) {
            // Neither comes before the shape.
            (_, "features" | "structure") | (PipelineKind::Direct512, _) => return None,
            (PipelineKind::Cascade1536, _) if max_num_tokens > FEW_TOKENS => (
                Settings {
                    max_num_tokens: FEW_TOKENS,
                    ..self.settings
                },
                "the shape gets fewer tokens",
            ),
            (PipelineKind::Cascade1536, _) => (
                self.with_kind(PipelineKind::Cascade1024),
                "the resolution is lowered to 1024",
            ),
            (PipelineKind::Cascade1024 | PipelineKind::Direct1024, _) => (
                self.with_kind(PipelineKind::Direct512),
                "the resolution is lowered to 512",
            ),
        };
        Some((with(settings), change))
    }

    fn with_kind(&self, kind: PipelineKind) -> Settings {
        Settings { kind, ..self.settings }
    }
}

#[cfg(test)]
mod tests {
    use bozzetto_engine::{ParamValue, ParamValues};

    use super::*;

    fn plan(kind: &str, keeps_networks: bool) -> Plan {
        let values = [
            ("shape.pipeline_type".to_owned(), ParamValue::Choice(kind.to_owned())),
            ("features.keep_networks".to_owned(), ParamValue::Bool(keeps_networks)),
        ];
        Plan::new(Settings::from_values(&ParamValues(values.into())))
    }

    /// All rungs below a plan.
    fn rungs(mut plan: Plan, stage: &str) -> Vec<(&'static str, usize, usize, bool)> {
        let mut rungs = Vec::new();
        while let Some((lighter, _)) = plan.lighter(stage) {
            plan = lighter;
            let settings = plan.settings;
            rungs.push((
                settings.kind.id(),
                settings.max_num_tokens,
                plan.chunk_divisor,
                settings.keeps_networks,
            ));
        }
        rungs
    }

    #[test]
    fn chunks_shrink_before_tokens_and_tokens_before_the_resolution() {
        let expected = [
            ("1536_cascade", 49_152, 1, false),
            ("1536_cascade", 49_152, 4, false),
            ("1536_cascade", 49_152, 16, false),
            ("1536_cascade", FEW_TOKENS, 16, false),
            ("1024_cascade", FEW_TOKENS, 16, false),
            ("512", FEW_TOKENS, 16, false),
        ];
        assert_eq!(rungs(plan("1536_cascade", true), "decode"), expected);
    }

    #[test]
    fn a_flow_does_not_get_smaller_chunks() {
        for stage in ["shape", "material"] {
            assert_eq!(rungs(plan("1024_cascade", false), stage), [("512", 49_152, 1, false)]);
        }
        assert_eq!(rungs(plan("512", false), "material"), []);
    }

    #[test]
    fn what_comes_before_the_shape_is_the_same_for_all_resolutions() {
        assert_eq!(rungs(plan("1536_cascade", false), "structure"), []);
    }
}
