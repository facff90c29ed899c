use bozzetto_mesh::{ColorSource, FinishSettings};

/// Where the colours of the finished mesh come from.
#[derive(Debug, clap::Args)]
pub(super) struct Colors {
    /// Take colours from here: `generated`, or `pictures`, which are finer where they show the object.
    #[arg(long, value_name = "SOURCE", value_enum)]
    colors: Option<Source>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Source {
    Generated,
    Pictures,
}

impl Colors {
    /// Whether anything was said.
    pub(super) fn is_said(&self) -> bool {
        self.colors.is_some()
    }

    /// What was said, over what is set.
    pub(super) fn apply(&self, settings: &mut FinishSettings) {
        if let Some(source) = self.colors {
            settings.colors_from = match source {
                Source::Generated => ColorSource::Asset,
                Source::Pictures => ColorSource::Pictures,
            };
        }
    }
}
