//! Vendors that differ by value only: requests with placeholders, and where the responses have what is needed.
//!
//! A recipe says what to send and what to read; how a reset stays safe is not its concern. The engine sends a reset
//! that makes a password at most once, and repeats one that sends a password only until the documented success.

mod engine;
mod page;
mod template;
mod value;

use std::sync::Arc;

pub(super) use self::value::{Body, Call, List, Login, One, Paging, Recipe, Reset};
use super::{api::VendorApi, fields::Fields};
use crate::http::Api;

/// Makes the API of a recipe from checked settings. Sends nothing.
pub(super) fn connect(recipe: &'static Recipe, settings: &Fields, api: Api) -> Arc<dyn VendorApi> {
    Arc::new(engine::Engine::new(recipe, settings.clone(), api))
}
