//! What the width of a schema costs core: the same plans, with more attributes than ours that nobody needs.

use std::{env, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use sandbox::{HubSpot, Sandbox};
use terraform_provider_smtp::{
    framework::{
        Call, Change, Client, Crash, NewState, Private, Provider, Resource, ResourceState,
        diagnostic::{Diagnostics, Result},
        plan::Draft,
        schema::{Attribute, Schema, Type},
        value::Value,
    },
    protocol::{self, Start},
    provider::Smtp,
};

use crate::{
    core::Core,
    credential::user_name,
    figure::{Figure, Section, Unit, count, milliseconds},
    meter::Meter,
    workspace::{Workspace, credentials},
};

/// How many attributes are added, so that their cost stands out.
const ADDED: usize = 20;

/// Plans so many credentials with the schema as it is and with each kind of attribute added, in turn.
pub(crate) fn measure(core: &Core, resources: usize, runs: usize) -> crate::Result<Section> {
    let sandbox = Sandbox::start();
    for number in 0..resources {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &user_name(number));
    }
    let meter = Meter::new(&env::current_exe()?)?;
    let mut workspaces = Vec::new();
    for kind in KINDS {
        let workspace = Workspace::new(core, &meter, &sandbox, &credentials(resources, ""))?.with(ADD, kind);
        workspace.apply()?;
        workspaces.push(workspace);
    }
    let mut times = [const { Vec::new() }; KINDS.len()];
    for _ in 0..runs {
        for (workspace, times) in workspaces.iter().zip(&mut times) {
            times.extend(workspace.plan()?.core().map(|core| milliseconds(core) / count(resources)));
        }
    }
    let [bare, added @ ..] = times;
    let more = added.iter().map(|times| times.iter().zip(&bare).map(|(more, bare)| (more - bare) / count(ADDED)));
    let smtp = Smtp::new();
    let ours = resource(&smtp);
    let mut figures = vec![
        Figure::new("Attributes, nested ones included", Unit::Count, [count(width(&ours.attributes))]),
        Figure::new("Attributes at the top", Unit::Count, [count(ours.attributes.len())]),
        Figure::new("Core's own CPU a resource", Unit::Milliseconds, bare.iter().copied()),
    ];
    figures.extend(
        KINDS[1..]
            .iter()
            .zip(more)
            .map(|(kind, more)| Figure::new(format!("Core's own CPU a resource for {kind}"), Unit::Milliseconds, more)),
    );
    Ok(Section { title: format!("Width of the schema, `plan` of {resources} resources"), figures })
}

/// Serves the provider with more attributes, where [`measure`] started this program.
pub(crate) fn serve() -> Option<ExitCode> {
    let kind = env::var(ADD).ok()?;
    let smtp = Smtp::new();
    let mut schema = resource(&smtp).clone();
    schema.attributes.extend((0..ADDED).filter_map(|number| added(&kind, format!("added_{number:02}"))));
    let resources = [Arc::new(Wide { inner: Arc::clone(&smtp.resources()[0]), schema }) as Arc<dyn Resource>];
    Some(protocol::serve(Arc::new(WideProvider { inner: smtp, resources }), Start::ByCore))
}

const ADD: &str = "BENCHMARK_ADD";
const KINDS: [&str; 5] = ["nothing more", TEXT, TEXT_SET, SECRET_SET, OBJECT];
const TEXT: &str = "a text that is not set";
const TEXT_SET: &str = "a text that is set";
const SECRET_SET: &str = "a sensitive text that is set";
const OBJECT: &str = "an object of four texts that is not set";

fn added(kind: &str, name: String) -> Option<Attribute> {
    let set = |name| Attribute::computed(name, Type::String, "");
    match kind {
        TEXT => Some(Attribute::optional(name, Type::String, "")),
        TEXT_SET => Some(set(name)),
        SECRET_SET => Some(set(name).sensitive()),
        OBJECT => {
            let texts = ["one", "two", "three", "four"].map(|name| Attribute::optional(name, Type::String, ""));
            Some(Attribute::optional(name, Type::Object(texts.into()), ""))
        }
        _ => None,
    }
}

fn resource(smtp: &Smtp) -> &Schema {
    smtp.resources()[0].schema()
}

fn width(attributes: &[Attribute]) -> usize {
    let nested = attributes.iter().map(|attribute| match &attribute.r#type {
        Type::Object(nested) | Type::Objects(nested) | Type::Block(nested) => width(nested),
        _ => 0,
    });
    attributes.len() + nested.sum::<usize>()
}

struct WideProvider {
    inner: Smtp,
    resources: [Arc<dyn Resource>; 1],
}

#[async_trait]
impl Provider for WideProvider {
    fn address(&self) -> &'static str {
        self.inner.address()
    }

    fn schema(&self) -> &Schema {
        self.inner.schema()
    }

    fn resources(&self) -> &[Arc<dyn Resource>] {
        &self.resources
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        self.inner.validate(config)
    }

    async fn configure(&self, call: &Call, client: &Client, config: Value) -> Result<()> {
        self.inner.configure(call, client, config).await
    }
}

struct Wide {
    inner: Arc<dyn Resource>,
    schema: Schema,
}

#[async_trait]
impl Resource for Wide {
    fn type_name(&self) -> &'static str {
        self.inner.type_name()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        self.inner.validate(config)
    }

    fn plan(&self, call: &Call, draft: &mut Draft) -> Result<()> {
        self.inner.plan(call, draft)?;
        let ours = self.inner.schema();
        for added in
            self.schema.attributes.iter().filter(|added| ours.attribute(&added.name).is_none() && added.is_computed())
        {
            draft.planned.set(added.name.clone(), "a text of some length");
        }
        Ok(())
    }

    fn plan_destroy(&self, prior: &Value) -> Private {
        self.inner.plan_destroy(prior)
    }

    async fn read(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        self.inner.read(call, prior).await
    }

    async fn create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        self.inner.create(call, change, new).await
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        self.inner.update(call, change, new).await
    }

    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()> {
        self.inner.delete(call, prior, planned).await
    }

    fn after_crash(&self, crash: Crash) -> &'static str {
        self.inner.after_crash(crash)
    }

    async fn import(&self, call: &Call, id: &str) -> Result<ResourceState> {
        self.inner.import(call, id).await
    }
}
