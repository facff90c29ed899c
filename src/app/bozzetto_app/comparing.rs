use std::sync::Arc;

use bozzetto_asset::Asset;
use bozzetto_asset::formats::generation::Generation;
use bozzetto_mesh::{FinishSettings, Finished};

use super::super::finish::Source;
use super::super::stage::{Slot, StageRequest};
use super::super::state::{Compared, Comparison, NoticeLevel, OtherResult, Problem, ResultState, ViewportMode};
use super::BozzettoApp;

/// Results that the one on the stage can be compared with.
#[derive(Default)]
pub(super) struct Comparing {
    /// The result that was on the stage before.
    previous: Option<Other>,
    /// The saved result that is being compared with, by its id.
    saved: Option<(String, Other)>,
}

/// A result as far as the stage needs it.
struct Other {
    name: String,
    request: StageRequest,
    is_finishing: bool,
}

impl BozzettoApp {
    /// Compares the result with something, or ends that.
    pub(super) fn compare(&mut self, comparison: Option<Comparison>) {
        let viewport = &mut self.state.viewport;
        let Some(comparison) = comparison else {
            if viewport.comparison.take().is_some() {
                viewport.other = OtherResult::None;
                self.comparing.saved = None;
                if let Some(finish) = &self.finish {
                    finish.cancel_other();
                }
                if let Some(viewport) = &mut self.viewport {
                    viewport.end_comparison();
                }
            }
            return;
        };
        let divider = comparison.divider;
        let comparison = comparison.with_divider(divider);
        let was_with = viewport.comparison.as_ref().map(|comparison| &comparison.with);
        let is_other_thing = was_with != Some(&comparison.with);
        viewport.overlay = None;
        if viewport.comparison_layout != comparison.layout {
            viewport.comparison_layout = comparison.layout;
            self.remember();
        }
        self.state.viewport.comparison = Some(comparison);
        if is_other_thing {
            self.show_other();
        }
    }

    /// Compares with what an artist most likely wants to see, or ends the comparison.
    pub(super) fn toggle_comparison(&mut self) {
        let viewport = &self.state.viewport;
        if viewport.comparison.is_some() {
            return self.compare(None);
        }
        let shows_splats = viewport.mode.shows().has_splats();
        let has_splats = self
            .state
            .result
            .as_ref()
            .is_some_and(|result| result.asset.splats.is_some());
        let with = if self.comparing.previous.is_some() {
            Compared::Previous
        } else if let Some(photo) = self.usual_photo() {
            Compared::Photo(photo)
        } else if has_splats && !shows_splats {
            Compared::Mode(ViewportMode::Splats)
        } else if viewport.mode == ViewportMode::Clay {
            Compared::Mode(ViewportMode::Mesh)
        } else {
            Compared::Mode(ViewportMode::Clay)
        };
        self.compare(Some(Comparison::new(with, viewport.comparison_layout)));
    }

    /// Nothing can be compared with a picture that is gone.
    pub(super) fn forget_missing_photo(&mut self) {
        if let Some(Compared::Photo(id)) = self.compared_with()
            && self.state.views.get(*id).is_none()
        {
            self.compare(None);
        }
    }

    /// Keeps the result that is about to leave the stage, to compare the next one with.
    pub(super) fn keep_previous(&mut self, result: &ResultState) {
        self.comparing.previous = Some(Other {
            name: result.name.clone(),
            request: request_of(&result.asset, result.finished.clone()),
            is_finishing: false,
        });
        self.state.viewport.previous_name = Some(result.name.clone());
        if self.compared_with() == Some(&Compared::Previous) {
            self.show_other();
        }
    }

    fn compared_with(&self) -> Option<&Compared> {
        Some(&self.state.viewport.comparison.as_ref()?.with)
    }

    /// Brings whatever is compared with to the stage, or has it read.
    pub(super) fn show_other(&mut self) {
        let with = self.compared_with().cloned();
        if let Some(Compared::Photo(id)) = with {
            self.glide_to_view(id);
        }
        let other = match &with {
            Some(Compared::Previous) => self.comparing.previous.as_ref(),
            Some(Compared::Saved(id)) => {
                let read = self.comparing.saved.as_ref().filter(|(saved, _)| saved == id);
                if read.is_none() {
                    self.read_other(id.clone());
                    return;
                }
                read.map(|(_, other)| other)
            }
            _ => None,
        };
        let (status, request) = match other {
            Some(other) => (
                OtherResult::Shown {
                    name: other.name.clone(),
                    is_finishing: other.is_finishing,
                },
                other.request.clone(),
            ),
            None => (OtherResult::None, StageRequest::default()),
        };
        self.state.viewport.other = status;
        if let Some(viewport) = &mut self.viewport {
            viewport.show(Slot::Other, request);
        }
    }

    fn read_other(&mut self, id: String) {
        self.state.viewport.other = OtherResult::Opening;
        if let Some(viewport) = &mut self.viewport {
            viewport.show(Slot::Other, StageRequest::default());
        }
        if let Some(library) = &self.library {
            library.read(id);
        }
    }

    /// A saved result was read: shows it as it is and has it finished.
    pub(super) fn apply_read(&mut self, id: String, read: Result<Box<(Generation, Asset)>, Problem>) {
        if self.compared_with() != Some(&Compared::Saved(id.clone())) {
            return;
        }
        let (generation, asset) = match read {
            Ok(read) => *read,
            Err(problem) => {
                self.say(NoticeLevel::Error, &problem);
                self.state.viewport.other = OtherResult::Failed(problem);
                return;
            }
        };
        let settings = serde_json::from_value::<FinishSettings>(generation.finish.clone())
            .ok()
            .filter(|settings| settings.validate().is_ok())
            .unwrap_or_else(|| self.state.finish.settings.clone());
        let request = request_of(&asset, None);
        let finish = self.finish.as_ref().filter(|_| asset.mesh.is_some());
        let is_finishing = finish.is_some();
        if let Some(finish) = finish {
            finish.request_other(Source { result: 0, asset }, settings);
        }
        let other = Other {
            name: generation.name,
            request,
            is_finishing,
        };
        self.comparing.saved = Some((id, other));
        self.show_other();
    }

    /// The saved result has its textures, or stays without.
    pub(super) fn apply_other_finished(&mut self, finished: Result<Arc<Finished>, Problem>) {
        let Some((_, other)) = &mut self.comparing.saved else {
            return;
        };
        other.is_finishing = false;
        match finished {
            Ok(finished) => {
                other.request.raw = None;
                other.request.finished = Some(finished);
            }
            Err(problem) => tracing::warn!("the compared result stays without textures: {}", problem.sentence),
        }
        self.show_other();
    }
}

fn request_of(asset: &Asset, finished: Option<Arc<Finished>>) -> StageRequest {
    StageRequest {
        splats: asset.splats.clone(),
        raw: asset.mesh.clone().filter(|_| finished.is_none()),
        finished,
        ..StageRequest::default()
    }
}
