//! What the responses to a recipe's requests say.

use super::value::Response;
use crate::{
    http::{Agreement, Answer, Condition, Error, Finality, Outcome, Result},
    secret::{Name, Secret},
};

/// The password in the response to a reset.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) password: Secret,
    /// Whether it is a string, as a password should be.
    pub(super) is_text: bool,
}

/// Returns the password in the response to a reset. Without one, what the response says decides what is known.
pub(super) fn issued(answer: &Answer, success: &Agreement, pointer: &str) -> Result<Issued> {
    let lost = match answer.password(pointer) {
        Ok(password) => return Ok(Issued { password, is_text: true }),
        Err(lost) => lost,
    };
    // It may be the only copy.
    if let Some(password) = answer.secret_number(pointer) {
        return Ok(Issued { password, is_text: false });
    }
    // Neither what something in between says nor an error of the API shows that the API has changed the password.
    let is_doubtful = if success.is_documented() { !answer.agrees(success) } else { answer.reports_error() };
    Err(if answer.is_refusal_of(success) {
        answer.refused()
    } else if lost.outcome == Outcome::Changed && is_doubtful {
        let lost = Error { outcome: Outcome::MayHaveChanged, finality: Finality::InFlight, ..lost };
        answer.with_message(lost)
    } else {
        lost
    })
}

/// Returns whether nothing in a response contradicts its documentation.
pub(super) fn is_as_documented(answer: &Answer, success: &Agreement) -> bool {
    !success.is_documented() || answer.agrees(success)
}

pub(super) fn username(answer: &Answer, response: &Response) -> Option<Name> {
    response.username.and_then(|pointer| answer.text_or_number(pointer)).and_then(|text| text.name())
}

pub(super) fn version(answer: &Answer, response: &Response) -> Option<Name> {
    response.version.and_then(|pointer| answer.text_or_number(pointer)).and_then(|text| text.name())
}

/// Fails if a response to a look-up does not fulfill the recipe's conditions.
pub(super) fn fulfills(answer: &Answer, success: &'static [Condition]) -> Result<()> {
    if success.is_empty() || answer.agrees(&Agreement::Described { success, refused: &[] }) {
        Ok(())
    } else {
        Err(answer.unreadable("the response does not fulfill the conditions for a success"))
    }
}
