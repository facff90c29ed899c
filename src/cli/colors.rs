use bozzetto_asset::{Asset, View};
use bozzetto_mesh::{ColorSource, Control, FinishSettings, Finished, MeshHealth, Prepared};

use crate::pictures;

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

/// Finishes an asset, unless its engine made the textures too, with colours from the pictures of its views where the settings say so.
pub(super) fn finish(
    asset: &Asset,
    views: &[View],
    settings: &FinishSettings,
    control: &Control<'_>,
) -> anyhow::Result<Finished> {
    if let Some(textured) = asset.textured() {
        let health = MeshHealth::examined(&textured.mesh, control)?;
        return Ok(Finished::as_made(textured, health));
    }
    let prepared = Prepared::new(asset, settings, control)?;
    let prepared = match settings.colors_from {
        ColorSource::Asset => prepared,
        ColorSource::Pictures => prepared.with_pictures(pictures::prepared(views, &asset.cameras, control)?),
    };
    Ok(prepared.finish(settings, control)?)
}
