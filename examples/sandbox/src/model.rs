//! What tests know of a vendor, and what they do at it. Neither comes from the provider, which would only be compared
//! with itself.

use std::fmt;

use super::Sandbox;

/// A vendor under test: one value for each, `MODEL` of its type, and a line in `vendors.rs`.
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Model {
    /// The name of its argument.
    pub name: &'static str,
    /// What users call it.
    pub title: &'static str,
    /// Whether the caller makes the password.
    pub takes_passwords: bool,
    /// Whether a reset makes another credential, and the previous one works until it is revoked.
    pub makes_successors: bool,
    /// Whether it shows when a password was changed.
    pub shows_changes: bool,
    /// Whether a token that was revoked can be made good again.
    pub restores_tokens: bool,
    /// The variable that holds the token.
    pub token_variable: &'static str,
    /// The submission server that it documents.
    pub submission: Option<(&'static str, u16)>,
    /// How the request begins that asks what there is, or at `SMTPD` the one that logs in before it.
    pub first_request: &'static str,
    /// Two credentials. Their names are no other vendor's.
    pub examples: [Example; 2],
    /// The fields of the argument for a credential that is no example.
    pub fields: fn(name: &str) -> Vec<(&'static str, String)>,
    /// A response to a reset with this JSON as its password.
    pub reset_response: fn(password: &str) -> String,
}

/// A credential, and the fields of the argument that names it.
pub struct Example {
    /// The name that faults go by: who logs in, or at `SMTPD` the API key's name.
    pub name: &'static str,
    /// The fields, those of its `id` first.
    pub fields: &'static [(&'static str, &'static str)],
}

impl Model {
    /// The vendor in a sandbox.
    pub fn at<'sandbox>(&self, sandbox: &'sandbox Sandbox) -> &'sandbox dyn UnderTest {
        sandbox.vendors().get(self)
    }

    /// Whether it makes the password of a credential that stays the same.
    pub fn makes_passwords(&self) -> bool {
        !self.takes_passwords && !self.makes_successors
    }

    /// Whether it shows what became of a reset whose response was lost.
    pub fn finds_lost_resets(&self) -> bool {
        self.shows_changes || self.makes_successors
    }

    /// The most requests for one reset: one for a password of the caller's own is the same however often it is sent.
    pub fn most_requests(&self) -> usize {
        if self.takes_passwords { 4 } else { 1 }
    }

    /// The name of a credential, made from a word: where the vendor makes user names, it is the word itself.
    pub fn name_of(&self, word: &str) -> String {
        if self.makes_successors { word.to_owned() } else { format!("{word}@example.com") }
    }

    /// The fields of the argument for a credential.
    pub fn fields(&self, name: &str) -> Vec<(&'static str, String)> {
        match self.examples.iter().find(|example| example.name == name) {
            Some(example) => example.fields.iter().map(|(field, value)| (*field, (*value).to_owned())).collect(),
            None => (self.fields)(name),
        }
    }

    /// The object that names a credential, as a configuration has it.
    pub fn element(&self, name: &str) -> String {
        let fields = self.fields(name).into_iter().map(|(field, value)| format!("{field} = \"{value}\""));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
    }

    /// The argument for a credential, as a configuration has it.
    pub fn argument(&self, name: &str) -> String {
        format!("{} = {}", self.name, self.element(name))
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Model {}

impl fmt::Debug for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// A vendor under test in a sandbox, whichever it is. Its credentials go by the names that faults go by: who logs in,
/// or at `SMTPD` the API key's name.
pub trait UnderTest {
    /// What is true of it in every sandbox.
    fn model(&self) -> &'static Model;

    /// Adds a credential at the sandbox's own account. Returns its id where it is not made of the argument's fields.
    fn add(&self, name: &str) -> Option<String>;

    /// Adds a credential that no configuration names; one that may share the name, if names may be shared. Returns what
    /// [`Self::add`] does.
    fn add_stranger(&self, _name: &str) -> Option<String> {
        self.add(&self.model().name_of("stranger"))
    }

    /// Who logs in.
    fn username(&self, name: &str) -> Option<String>;

    /// The current password; of several credentials of a name, that of the newest.
    fn password(&self, name: &str) -> Option<String>;

    /// How many resets there have been.
    fn resets(&self, name: &str) -> usize;

    /// Scripts the password that a later reset makes, at a vendor that [makes them](Model::makes_passwords).
    fn next_password(&self, _name: &str, _password: &str) {}

    /// Lets the responses to resets name another user; nothing where they name nobody.
    fn answer_as(&self, name: &str, other: &str) -> Option<()>;

    /// Resets a password as somebody else; a vendor that makes another credential with every reset revokes the newest.
    fn reset_elsewhere(&self, name: &str);

    /// Deletes a credential as somebody else.
    fn delete(&self, name: &str);

    /// Lets so many reads after each change show the credential as it was before, and, if `answers`, the responses to
    /// resets too. What was late until now shows. At a vendor that shows no changes, nothing happens.
    fn show_late(&self, _name: &str, _reads: usize, _answers: bool) {}

    /// The ids of the credentials that resets have made, as far as they may still be used.
    fn successors(&self) -> Vec<String> {
        Vec::new()
    }

    /// What the provider logs in with.
    fn token(&self) -> &str;

    /// Makes the token worthless, where it can be [made good again](Model::restores_tokens).
    fn revoke_token(&self);

    /// Makes the token good again.
    fn restore_token(&self);

    /// The secrets beyond the current password of each credential: of those that were revoked too.
    fn secrets(&self) -> Vec<String> {
        vec![self.token().to_owned()]
    }
}
