use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Network, TRELLIS2};
use crate::Result;
use crate::weights::{Download, Library, WeightsError};

/// What `pipeline.json` says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PipelineDescription {
    models: BTreeMap<String, String>,
    /// Of the shape's latent.
    pub shape_slat_normalization: Normalization,
    /// Of the material's latent.
    pub tex_slat_normalization: Normalization,
    #[serde(default)]
    image_cond_model: Companion,
    #[serde(default)]
    rembg_model: Companion,
}

/// Means and deviations of a latent's channels: networks see it without them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// Of each channel.
    pub mean: Vec<f32>,
    /// Of each channel.
    pub std: Vec<f32>,
}

/// A network of another repository.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Companion {
    #[serde(default)]
    args: CompanionArgs,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct CompanionArgs {
    #[serde(default)]
    model_name: String,
}

/// A description's own words are in `args`, a pipeline's as a network's.
#[derive(Deserialize)]
struct Described<T> {
    args: T,
}

impl PipelineDescription {
    /// Finds and reads it.
    pub fn find(library: &Library) -> Result<Self> {
        let wanted = Download {
            what: "TRELLIS.2".to_owned(),
            repository: TRELLIS2.to_owned(),
            file: "pipeline.json".to_owned(),
            num_bytes: 0,
        };
        let path = library.find(&wanted)?;
        let description: Self = read_args(&path)?;
        for normalization in [
            &description.shape_slat_normalization,
            &description.tex_slat_normalization,
        ] {
            let is_sound = normalization.mean.len() == normalization.std.len()
                && normalization
                    .std
                    .iter()
                    .all(|deviation| deviation.is_finite() && *deviation > 0.0)
                && normalization.mean.iter().all(|mean| mean.is_finite());
            if !is_sound {
                return Err(WeightsError::BadDescription {
                    path,
                    reason: "means and deviations of a latent do not fit together".to_owned(),
                }
                .into());
            }
        }
        Ok(description)
    }

    /// A network's file of weights.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] with what to fetch.
    pub fn weights_of(&self, network: Network, library: &Library) -> Result<PathBuf> {
        match network {
            Network::Dino | Network::BiRefNet => self.companion(network, library),
            _ => self.find_file(network, ".safetensors", library),
        }
    }

    /// A network's description, in the form that its model takes.
    pub fn config_of<T: DeserializeOwned>(&self, network: Network, library: &Library) -> Result<T> {
        read_args(&self.find_file(network, ".json", library)?)
    }

    /// A file of the pipeline: below its stem in the pipeline's own repository, or in the one that the stem begins with.
    fn find_file(&self, network: Network, suffix: &str, library: &Library) -> Result<PathBuf> {
        let key = network.pipeline_key().unwrap_or_default();
        let stem = self.models.get(key).map(String::as_str).unwrap_or_default();
        let own = network.download(TRELLIS2, format!("{stem}{suffix}"));
        let parts: Vec<_> = stem.splitn(3, '/').collect();
        let elsewhere = match parts.as_slice() {
            [owner, name, file] => network.download(&format!("{owner}/{name}"), format!("{file}{suffix}")),
            _ => return Ok(library.find(&own)?),
        };
        match library.find_if_there(&own.repository, &own.file) {
            Some(path) => Ok(path),
            None => Ok(library.find(&elsewhere)?),
        }
    }

    fn companion(&self, network: Network, library: &Library) -> Result<PathBuf> {
        let named = match network {
            Network::BiRefNet => &self.rembg_model.args.model_name,
            _ => &self.image_cond_model.args.model_name,
        };
        let repositories = network.repositories(named);
        let file = "model.safetensors";
        let found = repositories
            .iter()
            .find_map(|repository| library.find_if_there(repository, file));
        match found {
            Some(path) => Ok(path),
            None => Ok(library.find(&network.download(&repositories[0], file.to_owned()))?),
        }
    }
}

/// The `args` of a description.
pub(super) fn read_args<T: DeserializeOwned>(path: &Path) -> Result<T> {
    Ok(read_json::<Described<T>>(path)?.args)
}

/// A file of JSON.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|source| WeightsError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|error| {
        WeightsError::BadDescription {
            path: path.to_owned(),
            reason: error.to_string(),
        }
        .into()
    })
}
