//! Deletes a resource, which is either destroyed or replaced by a create that follows.

use crate::{
    framework::{Call, Private, diagnostic::Result, value::Value},
    provider::{
        attributes::target::StoredTarget,
        credential_pair::CredentialPair,
        diagnostics::{pair, rotation},
        password::{
            operation::Timed,
            private_data::{PlannedAction, PrivateData},
            state::State,
        },
    },
    rotation::{DeletedObject, Known},
    text::is_same_name,
    vendors::PriorCredential,
};

impl CredentialPair {
    /// A destroy leaves both credentials as they are, and sends nothing.
    pub(in crate::provider::credential_pair) async fn apply_delete(
        &self,
        call: &Call,
        prior: &Value,
        planned: &Private,
    ) -> Result<()> {
        let notes = PrivateData::from(planned);
        let Some(PlannedAction::Create(successor)) = &notes.action else { return Ok(()) };
        // Where the create's target is not known yet, there is nothing to check.
        let configured = self.connections.configured();
        let Some(target) = successor.as_ref().and_then(|stored: &StoredTarget| stored.target(configured)) else {
            return Ok(());
        };
        // The create resets the first credential. The passwords in the state are still valid, so they must not leave it
        // before it is clear that the create can work.
        let op = Timed::Delete.operation(call, prior);
        let known = State::of(prior);
        let id = target.id();
        let is_current = is_same_name(&known.current, &id);
        let credential = if is_current { known.stored.credential.clone() } else { PriorCredential::default() };
        let rotator = self.rotator(target, credential.clone(), Known::default())?;
        rotator.check(&op).await.map_err(|error| rotation::failed(&rotator.target, &error))?;
        if let Some(endpoint) = &notes.endpoint {
            let checked = rotator.check_endpoint(&op, endpoint).await;
            checked.map_err(|error| rotation::failed(&rotator.target, &error))?;
        }
        // Also where the state does not have the password, such as after an import: every sender has it.
        if is_current && !known.is_leftover() {
            call.warn(pair::first_is_current(&rotator.target));
        }
        let previous_password = known.previous_password(notes.logged_in_at.clone());
        // What the state knows of the current credential only helps the create if that is the one it resets.
        let known = if is_current {
            Known { credential, login: known.login(), previous_password, ..Known::default() }
        } else {
            Known::default()
        };
        let healed = notes.healed_after();
        self.replacements.deleted(id, DeletedObject { predecessors: Vec::new(), known, is_named: true, healed });
        Ok(())
    }
}
