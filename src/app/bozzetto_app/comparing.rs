use std::sync::Arc;

use bozzetto_asset::formats::generation::Generation;
use bozzetto_asset::{Asset, View};
use bozzetto_mesh::{FinishSettings, Finished};

use super::super::finish::{Finish, Source};
use super::super::stage::{Slot, StageRequest};
use super::super::state::{Compared, Comparison, NoticeLevel, OtherResult, Problem, ResultState, ViewportMode};
use super::BozzettoApp;
use crate::pictures;

/// Results that the one on the stage can be compared with.
#[derive(Default)]
pub(super) struct Comparing {
    /// The result that was on the stage before.
    previous: Option<Other>,
    /// The saved result that is being compared with, by its id.
    saved: Option<(String, Other)>,
    /// Whether the result's flaws are shown at the right.
    marks_flaws: bool,
}

/// A result as far as the stage needs it.
struct Other {
    name: String,
    request: StageRequest,
    /// What its textures are made from, while it has none.
    unfinished: Option<(Source, FinishSettings)>,
    is_finishing: bool,
}

impl BozzettoApp {
    /// Compares the result with something, or ends that.
    pub(super) fn compare(&mut self, comparison: Option<Comparison>) {
        let viewport = &mut self.state.viewport;
        let Some(comparison) = comparison else {
            if viewport.comparison.take().is_some() {
                viewport.other = OtherResult::None;
                self.forget_other_finish();
                self.comparing.saved = None;
                self.marks_changed();
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
        let photo = match comparison.with {
            Compared::Photo(photo) => Some(photo),
            _ => None,
        };
        self.state.viewport.comparison = Some(comparison);
        if is_other_thing {
            self.forget_other_finish();
            self.show_other();
            if let Some(photo) = photo {
                self.glide_to_view(photo);
            }
            self.marks_changed();
        }
    }

    /// Compares with what an artist most likely wants to see, or ends the comparison.
    pub(super) fn toggle_comparison(&mut self) {
        let viewport = &self.state.viewport;
        if viewport.comparison.is_some() {
            return self.compare(None);
        }
        if self.state.result.is_none() {
            return;
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
            unfinished: (result.finished.is_none() && result.can_finish && result.asset.mesh.is_some()).then(|| {
                let source = other_source(result.asset.clone(), result.views.clone());
                (source, self.state.finish.settings.clone())
            }),
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
        let other = match &with {
            Some(Compared::Previous) => self.comparing.previous.as_mut(),
            Some(Compared::Saved(id)) => {
                let read = self.comparing.saved.as_mut().filter(|(saved, _)| saved == id);
                if read.is_none() {
                    self.read_other(id.clone());
                    return;
                }
                read.map(|(_, other)| other)
            }
            _ => None,
        };
        let (status, mut request) = match other {
            Some(other) => {
                other.finish(self.finish.as_ref());
                let status = OtherResult::Shown {
                    name: other.name.clone(),
                    is_finishing: other.is_finishing,
                };
                (status, other.request.clone())
            }
            None => (OtherResult::None, StageRequest::default()),
        };
        request.marks_flaws = self.state.viewport.mode == ViewportMode::Health;
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
        let views = pictures::views_of(pictures::job_of(&generation).as_ref());
        let other = Other {
            name: generation.name,
            request: request_of(&asset, None),
            unfinished: asset.mesh.is_some().then_some((other_source(asset, views), settings)),
            is_finishing: false,
        };
        self.comparing.saved = Some((id, other));
        self.show_other();
    }

    /// The other result has its textures, or stays without.
    pub(super) fn apply_other_finished(&mut self, finished: Result<Arc<Finished>, Problem>) {
        let other = match self.compared_with() {
            Some(Compared::Previous) => self.comparing.previous.as_mut(),
            Some(Compared::Saved(_)) => self.comparing.saved.as_mut().map(|(_, other)| other),
            _ => None,
        };
        let Some(other) = other else { return };
        other.is_finishing = false;
        other.unfinished = None;
        match finished {
            Ok(finished) => {
                other.request.raw = None;
                other.request.finished = Some(finished);
            }
            Err(problem) => tracing::warn!("the compared result stays without textures: {}", problem.sentence),
        }
        self.show_other();
    }

    /// Nobody waits for the other result's textures any more; they are asked for again when it is shown again.
    fn forget_other_finish(&mut self) {
        if let Some(finish) = &self.finish {
            finish.cancel_other();
        }
        let saved = self.comparing.saved.iter_mut().map(|(_, other)| other);
        for other in saved.chain(&mut self.comparing.previous) {
            other.is_finishing = false;
        }
    }

    /// What is looked for on the result may have changed with what is shown at its side.
    fn marks_changed(&mut self) {
        let shows_health = |with: &Compared| *with == Compared::Mode(ViewportMode::Health);
        let marks = self.compared_with().is_some_and(shows_health);
        if marks != self.comparing.marks_flaws {
            self.comparing.marks_flaws = marks;
            self.update_stage();
        }
    }

    /// Whether some side of the stage shows what is sound and broken about the result.
    pub(super) fn shows_health(&self) -> bool {
        self.state.viewport.mode == ViewportMode::Health || self.comparing.marks_flaws
    }
}

impl Other {
    /// Has it finished unless it is, or is about to be.
    fn finish(&mut self, finish: Option<&Finish>) {
        if let (Some(finish), Some((source, settings)), false) = (finish, &self.unfinished, self.is_finishing) {
            finish.request_other(source.clone(), settings.clone());
            self.is_finishing = true;
        }
    }
}

/// Nothing is kept of it from one finish to the next, so it needs no number.
fn other_source(asset: Asset, views: Vec<View>) -> Source {
    Source {
        result: 0,
        asset,
        views,
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
