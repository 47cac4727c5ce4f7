//! The response to an apply. It contains the true state, however the apply ends.

use std::sync::{Arc, OnceLock};

use super::{
    call::{self, Ended},
    convert::{self, decode, encode},
    identity,
    wire::tfplugin6::{DynamicValue, apply_resource_change},
};
use crate::framework::{
    Call, Change, Crash, NewState, Private, Resource, ResourceState,
    diagnostic::{Diagnostic, Diagnostics, Result, Severity},
    value::Value,
};

/// One apply. It is kept outside the task that carries it out, so it survives a panic there.
pub(super) struct Apply {
    /// The state that core sent, which it stores again if it could not even be decoded.
    prior_state: Option<DynamicValue>,
    planned_private: Vec<u8>,
    begun: OnceLock<Begun>,
}

struct Begun {
    resource: Arc<dyn Resource>,
    prior: Value,
    is_deletion: bool,
    new: NewState,
}

impl Apply {
    pub(super) fn new(request: &apply_resource_change::Request) -> Self {
        let (prior_state, planned_private) = (request.prior_state.clone(), request.planned_private.clone());
        Self { prior_state, planned_private, begun: OnceLock::new() }
    }

    /// Creates, updates or deletes.
    pub(super) async fn carry_out(
        &self,
        resource: Arc<dyn Resource>,
        call: &Call,
        request: apply_resource_change::Request,
    ) -> Result<()> {
        let attributes = &resource.schema().attributes;
        let change = Change {
            prior: decode(request.prior_state, attributes)?,
            planned: decode(request.planned_state, attributes)?,
            config: decode(request.config, attributes)?,
            private: Private(request.planned_private),
        };
        // From here on the response comes from `new`. Up to here nothing was changed, and core keeps what it sent.
        let Begun { resource, new, .. } = self.begun.get_or_init(|| Begun::new(resource.clone(), &change));
        match (change.prior.is_null(), change.planned.is_null()) {
            (true, true) => Ok(()),
            (true, false) => resource.create(call, &change, new).await,
            (false, false) => resource.update(call, &change, new).await,
            (false, true) => {
                resource.delete(call, &change.prior, &change.private).await?;
                // Only after a successful deletion: until then, core must keep the object.
                new.set(ResourceState::default());
                Ok(())
            }
        }
    }

    /// Builds the response with the current state. Cannot fail.
    pub(super) fn answer(&self, ended: Ended<()>, warnings: Diagnostics) -> apply_resource_change::Response {
        let (mut answer, errors) = match self.begun.get() {
            Some(begun) => begun.result(ended),
            None => (self.unchanged(), ended.into_parts().1),
        };
        answer.diagnostics = convert::diagnostics(errors).chain(convert::diagnostics(warnings)).collect();
        answer
    }

    fn unchanged(&self) -> apply_resource_change::Response {
        apply_resource_change::Response {
            new_state: self.prior_state.clone(),
            private: self.planned_private.clone(),
            ..Default::default()
        }
    }
}

impl Begun {
    /// Starts with the state that core stores if nothing changes: none for a create, otherwise the prior state.
    fn new(resource: Arc<dyn Resource>, change: &Change) -> Self {
        let prior = change.prior.clone();
        let held = match prior {
            Value::Null => ResourceState::default(),
            _ => ResourceState { state: prior.clone(), private: change.private.clone() },
        };
        Self { resource, prior, is_deletion: change.planned.is_null(), new: NewState::holding(held) }
    }

    fn result(&self, ended: Ended<()>) -> (apply_resource_change::Response, Diagnostics) {
        // Whether the outcome is unknown decides what a crash is reported as.
        let is_in_doubt = self.new.is_in_doubt();
        let ResourceState { state, private } = self.new.take();
        let errors = match ended {
            // With an error, core would taint the object that was just created, and the next apply would replace it.
            Ended::Crashed if !is_in_doubt && state != self.prior => {
                Diagnostic { severity: Severity::Warning, ..call::crash("Everything done up to that point is stored.") }
                    .into()
            }
            Ended::Crashed => {
                let crash = match (self.is_deletion, is_in_doubt) {
                    (true, _) => Crash::Deleting,
                    (false, true) => Crash::InDoubt,
                    (false, false) => Crash::BeforeAct,
                };
                call::crash(self.resource.after_crash(crash)).into()
            }
            ended => ended.into_parts().1,
        };
        let answer = apply_resource_change::Response {
            new_state: Some(encode(&state, &self.resource.schema().attributes)),
            private: private.0,
            new_identity: identity::of(&*self.resource, &state),
            diagnostics: Vec::new(),
        };
        (answer, errors)
    }
}
