use bozzetto_mesh::FinishSettings;

/// How the surface is rebuilt before it is simplified, where it is.
#[derive(Debug, clap::Args)]
pub(super) struct Rebuild {
    /// Rebuild the surface as one closed surface, with this many cells along its longest side.
    #[arg(long, value_name = "CELLS", value_parser = clap::value_parser!(u32).range(16..=2048))]
    remesh: Option<u32>,

    /// Of a rebuilt surface, move every point this far back to the surface it was made of: 0 not at all, 1 onto it.
    #[arg(long, value_name = "SHARE")]
    project_back: Option<f32>,
}

impl Rebuild {
    /// Whether anything was said.
    pub(super) fn is_said(&self) -> bool {
        self.remesh.is_some() || self.project_back.is_some()
    }

    /// What was said, over what is set.
    pub(super) fn apply(&self, settings: &mut FinishSettings) {
        if let Some(resolution) = self.remesh {
            settings.remeshes = true;
            settings.remesh.resolution = resolution;
        }
        if let Some(share) = self.project_back {
            settings.remesh.projects_back = share;
        }
    }
}
