//! The state that an import returns.

use super::{
    CredentialPair, plan,
    targets::{SEPARATOR, Targets},
    validate,
};
use crate::{
    framework::{
        Call, Private, ResourceState,
        diagnostic::{Diagnostic, Result},
        plan::draft,
        value::Value,
    },
    provider::{
        attributes::{
            rotation_version,
            target::{self, Imported},
        },
        diagnostics::{
            pair,
            vendor::{self, Step},
        },
        password::{
            names::ROTATION_VERSION,
            operation::Timed,
            state::{completed, rotated_at, without_unknowns},
        },
    },
    rotation::Spared,
    text::is_same_name,
    vendors::{Found, Operation, Presence, PriorCredential, Target},
};

impl CredentialPair {
    pub(super) async fn import_by_ids(&self, call: &Call, id: &str) -> Result<ResourceState> {
        let parts: Vec<_> = id.split(SEPARATOR).map(str::trim).collect();
        let [first, second] = *parts else { return Err(pair::import_id("does not have two parts").into()) };
        let configured = self.connections.configured();
        let imported = [Imported::from_id(first, configured)?, Imported::from_id(second, configured)?];
        let vendor = imported[0].vendor();
        if imported[1].vendor().name != vendor.name {
            return Err(pair::import_id("names two vendors").into());
        }
        let elements = imported.iter().map(|imported| match imported {
            Imported::Target(target) => Ok(target::value(target)),
            Imported::Credential { .. } => Err(pair::makes_another(vendor)),
        });
        let elements = elements.collect::<std::result::Result<Vec<_>, Diagnostic>>()?;
        let config = Value::object([(vendor.name, Value::List(elements))]);
        // An import id may name what no configuration may, such as the same credential twice.
        let found = validate::configured(&config, configured);
        if found.has_errors() {
            return Err(found);
        }
        let targets = Targets::of(&config, configured)?;
        let op = Timed::Read.operation(call, &Value::Null);
        let mut spared = Vec::new();
        let mut of_current = Found::default();
        for target in targets.elements.iter().flatten().rev() {
            let found = self.found(&op, target).await?;
            spared.extend(found.username.clone().map(|name| Spared { id: target.id(), username: name.into() }));
            // The first id is that of the current credential, and comes last here.
            of_current = found;
        }
        if let ([second, first], Some(target)) = (&*spared, targets.element(1))
            && is_same_name(&second.username, &first.username)
        {
            return Err(pair::same_user(target, first).into());
        }
        // An import stores what a plan makes of the bare list, so the first plan after it has no changes.
        let mut draft = draft(&self.schema, config, Value::Null, Private::default());
        plan::finish(&mut draft, configured)?;
        let mut state = without_unknowns(draft.planned);
        state.set(ROTATION_VERSION, rotation_version::of(rotated_at(&state)));
        Ok(ResourceState { state: completed(state, of_current, None), private: Private::default() })
    }

    async fn found(&self, op: &Operation, target: &Target) -> Result<Found> {
        let api = self.connections.api(target.vendor)?;
        match api.read(op, &target.fields, &PriorCredential::default()).await {
            Ok(Presence::Found(found)) => Ok(found),
            Ok(Presence::Gone) => Err(pair::not_imported(target).into()),
            Err(error) => Err(vendor::failed(Step::Reading, target, &error).into()),
        }
    }
}
