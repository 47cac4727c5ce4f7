//! What the resources that hold a password share: their attributes, states and private data, and when a reset is
//! planned.

pub(in crate::provider) mod names;
pub(in crate::provider) mod new_state;
pub(in crate::provider) mod operation;
pub(in crate::provider) mod private_data;
pub(in crate::provider) mod refresh;
pub(in crate::provider) mod request;
pub(in crate::provider) mod state;
pub(in crate::provider) mod triggers;
