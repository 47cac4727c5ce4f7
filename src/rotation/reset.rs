//! Resets one credential: the checks before, the reset, and what follows.

use super::{
    endpoint::SmtpEndpoint,
    error::RotationError,
    issued::{Issued, Prepared},
    locks::Occurrence,
    login_check::LoginCheck,
    reconcile::{LostReset, Reconciled, reconcile},
    refused::Rotated,
    request::{NewPassword, Request},
    revoke::Predecessor,
    rotator::Rotator,
    sink::Sink,
    spared::Spared,
};
use crate::{
    clock,
    http::{Error, Outcome},
    secret::{Name, Secret},
    text::is_same_name,
    vendors::{Before, Found, Operation, Presence, PriorCredential, ResetKind},
};

impl Rotator {
    /// Checks all that can be checked without a reset: that the vendor is reachable, accepts the login and has the
    /// target.
    pub(crate) async fn check(&self, op: &Operation) -> Result<Found, RotationError> {
        match self.api.check(op, &self.target.fields, &self.credential).await {
            Ok(Presence::Found(found)) => Ok(found),
            Ok(Presence::Gone) => Err(RotationError::Gone),
            Err(error) => Err(RotationError::Checking(error)),
        }
    }

    /// Checks that the vendor allows another credential, once `revoked` is revoked. What the first half of a replacement
    /// has revoked may still be on a vendor's list.
    pub(crate) async fn check_room(
        &self,
        op: &Operation,
        revoked: Option<&PriorCredential>,
    ) -> Result<(), RotationError> {
        // What a create replaces is known from the state that it follows.
        let is_new = self.credential == PriorCredential::default();
        let held = if is_new { &self.known.credential } else { &self.credential };
        let previous = self.known.previous.as_ref();
        let held: Vec<_> = std::iter::once(held).chain(previous).collect();
        let revoked = revoked.or(previous.filter(|_| self.known.is_previous_revoked));
        self.api.check_room(op, &self.target.fields, &held, revoked).await.map_err(RotationError::Checking)
    }

    /// Checks that a login at an endpoint is possible.
    pub(crate) async fn check_endpoint(&self, op: &Operation, endpoint: &SmtpEndpoint) -> Result<(), RotationError> {
        let reported = if endpoint.host.is_none() { self.smtp_host(op).await? } else { None };
        self.login_check(endpoint.clone().at(reported.as_deref()))?.prepare(op).await
    }

    /// Fetches the submission host from the vendor.
    pub(crate) async fn smtp_host(&self, op: &Operation) -> Result<Option<Name>, RotationError> {
        self.api.smtp_host(op, &self.target.fields).await.map_err(RotationError::Checking)
    }

    /// Resets the password and passes the results to `sink`. Returns whether the new password was verified, or that it
    /// has to be undone.
    pub(crate) async fn rotate(
        &self,
        op: &Operation,
        mut request: Request,
        sink: &dyn Sink,
    ) -> Result<Rotated, RotationError> {
        let guard = self.shared.locks.acquire(op, &self.target.id()).await;
        let mut guard = guard.map_err(RotationError::Waiting)?;
        let first = request.revokes.take();
        let prepared = self.prepare(op, request, first.as_ref()).await?;
        if let Some(first) = first {
            let revoked = first.revoke(op).await;
            revoked.map_err(|error| RotationError::Revoking { id: first.id().to_owned(), error: Box::new(error) })?;
            sink.revoked();
        }
        // After the checks, which may fail without a reset, and before the request, which may succeed without a
        // response.
        let occurrence = guard.attempts(&self.api);
        let begun = clock::now();
        sink.doubt();
        match self.api.reset(op, &self.target.fields, &prepared.before, prepared.password.as_ref()).await {
            Ok(reset) => Ok(Issued { rotator: self, guard, prepared, occurrence }.conclude(op, reset, sink).await),
            Err(error) => {
                // Any other outcome stays in doubt, so core stores the leftover of the change.
                if error.outcome == Outcome::NotChanged {
                    sink.settle();
                }
                Err(RotationError::Reset(Box::new(self.reconciled(error, op, &prepared, occurrence, begun).await)))
            }
        }
    }

    async fn prepare(
        &self,
        op: &Operation,
        request: Request,
        revokes: Option<&Predecessor>,
    ) -> Result<Prepared, RotationError> {
        let (password, is_own) = match request.password {
            NewPassword::ByVendor => (None, false),
            NewPassword::Own(own) => (Some(own), true),
            NewPassword::Generated(policy) => {
                let made = policy.generate(getrandom::fill).map_err(|_| RotationError::NoRandomBytes)?;
                (Some(made), false)
            }
        };
        // Before anything is sent, so that no response can repeat the password unredacted.
        password.as_ref().map(Secret::remember);
        let found = self.check(op).await?;
        self.check_room(op, revokes.map(|revoked| &revoked.credential)).await?;
        let names = [found.username.as_deref(), request.username.as_deref()];
        let is_spared = |spared: &Spared| names.into_iter().flatten().any(|name| is_same_name(&spared.username, name));
        if let Some(spared) = request.spared.into_iter().find(is_spared) {
            return Err(RotationError::Spared(spared));
        }
        let smtp_host = if request.wants_smtp_host { self.smtp_host(op).await? } else { None };
        let endpoint = request.endpoint.map(|endpoint| endpoint.at(smtp_host.as_deref()));
        let login_check = endpoint.map(|endpoint| self.login_check(endpoint)).transpose()?;
        if let Some(login_check) = &login_check {
            login_check.prepare(op).await?;
        }
        let before = Before { prior: self.known.credential.clone(), found };
        let Request { username, replaces, tries_previous, undoes_refusal, .. } = request;
        Ok(Prepared {
            password,
            is_own,
            before,
            smtp_host,
            login_check,
            tries_previous,
            username,
            replaces,
            undoes_refusal,
        })
    }

    fn login_check(&self, endpoint: SmtpEndpoint) -> Result<LoginCheck, RotationError> {
        LoginCheck::new(endpoint, self.roots.clone(), self.shared.logins.clone())
    }

    /// Adds to the error of a reset what can be found out about it.
    ///
    /// If this run has already reset the credential, comparing with what was known before would show that earlier
    /// reset. Then only a vendor that creates new credentials can be asked.
    async fn reconciled(
        &self,
        error: Error,
        op: &Operation,
        prepared: &Prepared,
        occurrence: Occurrence,
        begun: jiff::Timestamp,
    ) -> Reconciled {
        let is_first = occurrence == Occurrence::First;
        let unknown = Before::default();
        let makes_another = self.target.vendor.reset_kind == ResetKind::NewCredential;
        let before = if is_first || makes_another { &prepared.before } else { &unknown };
        let login_check = prepared.login_check.as_ref();
        let previous = self.known.previous_password.as_ref().filter(|_| is_first);
        let previous = login_check.zip(previous).filter(|(check, previous)| previous.logged_in_at == *check.endpoint());
        let previous = previous.map(|(check, previous)| (check.server(), previous));
        reconcile(error, op, LostReset { target: &self.target, api: &*self.api, before, begun, previous }).await
    }
}

#[cfg(test)]
mod tests;
