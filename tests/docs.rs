//! The registry's pages are generated from the schema's descriptions and from the examples that other tests apply, and
//! whatever the other pages refer to exists.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` rewrites the registry's pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use terraform_provider_smtp::{
    framework::{
        Provider, Signature,
        schema::{Attribute, Mode, Schema, Type},
    },
    provider::Smtp,
    vendors::{Field, VENDORS},
};

#[test]
fn the_provider_page_is_what_the_schema_says() {
    let provider = Smtp::new();
    let page = Page {
        title: "smtp Provider",
        heading: "smtp Provider",
        example: "provider/provider.tf",
        schema: provider.schema(),
        extra: &vendors(),
        after: "",
    };
    assert_page("index.md", &page.render());
}

#[test]
fn each_resource_page_is_what_its_schema_says() {
    for resource in Smtp::new().resources() {
        let name = resource.type_name();
        let page = Page {
            title: &format!("{name} Resource - smtp"),
            heading: &format!("{name} (Resource)"),
            example: &format!("resources/{name}/resource.tf"),
            schema: resource.schema(),
            extra: "",
            after: &import(name),
        };
        assert_page(&format!("resources/{}.md", name.trim_start_matches("smtp_")), &page.render());
    }
}

#[test]
fn each_data_source_page_is_what_its_schema_says() {
    for source in Smtp::new().data_sources() {
        let name = source.type_name();
        let page = Page {
            title: &format!("{name} Data Source - smtp"),
            heading: &format!("{name} (Data Source)"),
            example: &format!("data-sources/{name}/data-source.tf"),
            schema: source.schema(),
            extra: &walkthrough(name),
            after: "",
        };
        assert_page(&format!("data-sources/{}.md", name.trim_start_matches("smtp_")), &page.render());
    }
}

#[test]
fn each_list_resource_page_is_what_its_schema_says() {
    for list in Smtp::new().list_resources() {
        let name = list.type_name();
        let page = Page {
            title: &format!("{name} List Resource - smtp"),
            heading: &format!("{name} (List Resource)"),
            example: &format!("list-resources/{name}/list-resource.tfquery.hcl"),
            schema: list.schema(),
            extra: "",
            after: "",
        };
        assert_page(&format!("list-resources/{}.md", name.trim_start_matches("smtp_")), &page.render());
    }
}

#[test]
fn each_function_page_is_what_its_signature_says() {
    for function in Smtp::new().functions() {
        let name = function.name();
        assert_page(&format!("functions/{name}.md"), &function_page(name, function.signature()));
    }
}

#[test]
fn every_attribute_has_a_help_text() {
    let provider = Smtp::new();
    let schemas = std::iter::once(provider.schema())
        .chain(provider.resources().iter().map(|resource| resource.schema()))
        .chain(provider.data_sources().iter().map(|source| source.schema()))
        .chain(provider.list_resources().iter().map(|list| list.schema()));
    let parameters = provider.functions().iter().flat_map(|function| {
        let signature = function.signature();
        signature.parameters.iter().chain(&signature.variadic)
    });
    let attributes = schemas.flat_map(|schema| &schema.attributes).chain(parameters);
    for attribute in attributes.flat_map(|attribute| with_nested("", attribute)) {
        assert!(attribute.1.description.ends_with('.'), "the help text of {} is a sentence", attribute.0);
    }
}

#[test]
fn every_link_leads_to_a_file() {
    let broken: Vec<_> = pages()
        .iter()
        .flat_map(|page| {
            let text = prose(page);
            let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let files = targets.filter_map(|target| target.split('#').next());
            let missing = files.filter(|file| !file.is_empty() && !file.contains("://"));
            let missing = missing.filter(|file| !page.parent().unwrap().join(file).exists());
            missing.map(|file| format!("{} links to {file}", page.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_first_pages_link_every_resource_function_and_guide() {
    let read = |page: &str| fs::read_to_string(root().join(page)).unwrap();
    let (readme, index) = (read("README.md"), read("docs/index.md"));
    for page in pages() {
        let Some(page) = page.strip_prefix(root().join("docs")).ok().and_then(Path::to_str) else { continue };
        if page.contains('/') {
            assert!(readme.contains(&format!("](docs/{page}")), "README.md does not link docs/{page}");
            assert!(index.contains(&format!("]({page}")), "docs/index.md does not link {page}");
        }
    }
}

#[test]
fn every_path_in_backticks_exists() {
    let folders = [".ci/", "docs/", "examples/", "proto/", "src/", "tests/"];
    let missing: Vec<_> = pages()
        .iter()
        .flat_map(|page| {
            let text = prose(page);
            let quoted = text.split('`').skip(1).step_by(2).filter(|quoted| !quoted.contains(['<', ' ', '*']));
            let paths = quoted.filter(|quoted| folders.iter().any(|folder| quoted.starts_with(folder)));
            let paths = paths.filter(|path| !root().join(path).exists());
            paths.map(|path| format!("{} names {path}", page.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_cargo_command_runs_what_exists() {
    let missing: Vec<_> = pages()
        .iter()
        .flat_map(|page| {
            let text = fs::read_to_string(page).unwrap();
            let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c == '`').collect();
            let named = words.windows(2).filter_map(|pair| match *pair {
                ["--bench", name] => Some([format!("benches/{name}.rs"), format!("benches/{name}/main.rs")]),
                ["--example", name] => Some([format!("examples/{name}.rs"), format!("examples/{name}/main.rs")]),
                ["--test", name] => Some([format!("tests/{name}.rs"), format!("tests/{name}/main.rs")]),
                _ => None,
            });
            let missing = named.filter(|files| !files.iter().any(|file| root().join(file).exists()));
            missing.map(|[file, _]| format!("{} runs {file}", page.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_benchmark_knows_the_options_that_its_page_names() {
    let (page, program) = (root().join("docs/benchmarks.md"), root().join("examples/benchmark/main.rs"));
    let (page, program) = (fs::read_to_string(page).unwrap(), fs::read_to_string(program).unwrap());
    for option in ["--gap", "--json", "--short", "--write-docs"] {
        assert!(page.contains(&format!("-- {option}")) && program.contains(&format!("\"{option}\"")), "{option}");
    }
}

/// A page in the registry's format.
struct Page<'a> {
    title: &'a str,
    heading: &'a str,
    example: &'a str,
    schema: &'a Schema,
    /// What comes between the description and the schema.
    extra: &'a str,
    /// What comes after the schema.
    after: &'a str,
}

impl Page<'_> {
    fn render(&self) -> String {
        let Self { title, heading, schema, extra, after, .. } = self;
        let (description, prose) = schema.description.split_once("\n\n").unwrap_or((&schema.description, ""));
        let front = format!("page_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {description}");
        let example = code_block("terraform", self.example);
        let prose = illustrated(prose.trim());
        let schema = schema_section(schema);
        let page = format!(
            "---\n{front}\n---\n\n# {heading}\n\n{description}\n\n## Example Usage\n\n{example}\n{prose}\n\n{extra}{schema}\n{after}"
        );
        page.trim_end().to_owned() + "\n"
    }
}

/// Sections of descriptions, each with the example that is shown below its first paragraph.
const ILLUSTRATED: [(&str, &str); 3] = [
    ("## Encrypted passwords", "resources/smtp_credential_password/encrypted.tf"),
    ("## When somebody else resets the password", "resources/smtp_credential_password/external-change.tf"),
    ("## Whether a new password works", "resources/smtp_credential_password/verify.tf"),
];

/// A description with its examples.
fn illustrated(prose: &str) -> String {
    let mut text = prose.to_owned();
    for (heading, example) in ILLUSTRATED {
        if let Some(start) = text.find(&format!("{heading}\n\n")) {
            let first = start + heading.len() + 2;
            let end = text[first..].find("\n\n").map_or(text.len(), |length| first + length);
            text.insert_str(end, &format!("\n\n{}", code_block("terraform", example).trim_end()));
        }
    }
    text
}

/// The vendors, and the environment variables that log in to each.
fn vendors() -> String {
    let mut text =
        "## Vendors\n\n| vendor | attribute | variables to log in with | other variables |\n|---|---|---|---|\n"
            .to_owned();
    let variable = |field: &&Field| field.env.map(|variable| format!("`{variable}`"));
    for vendor in VENDORS {
        let join = |fields: &[&Field]| fields.iter().filter_map(variable).collect::<Vec<_>>().join(" + ");
        let (common, own) = vendor.login_parts();
        let logins = own.iter().map(|login| join(login)).filter(|login| !login.is_empty());
        let logins = logins.collect::<Vec<_>>().join(" or ");
        let logins = if common.is_empty() { logins } else { format!("{}, with {logins}", join(&common)) };
        let is_login =
            |field: &Field| vendor.logins.iter().any(|login| login.iter().any(|other| other.name == field.name));
        let others = vendor.settings.iter().filter(|field| !is_login(field)).filter_map(variable);
        let others = others.chain([format!("`{}`", vendor.base_url_variable())]);
        writeln!(
            text,
            "| [{}](guides/{name}.md) | `{name}` | {} | {} |",
            vendor.title,
            logins,
            others.collect::<Vec<_>>().join(", "),
            name = vendor.name,
        )
        .unwrap();
    }
    text + "\n"
}

fn import(resource: &str) -> String {
    let id = if resource == "smtp_credential_pair" {
        "The import id is the ids of both credentials, joined by a comma. The first is that of the credential in use."
    } else {
        "The import id is the resource's `id`. Where a reset makes a new credential, it is the vendor and the credential's id \
         instead, as the vendor's guide says."
    };
    format!(
        "## Import\n\n{id} In a configuration:\n\n{}\n\
         Or by identity, which is the same id, with Terraform 1.12 or later:\n\n{}\n\
         Or on the command line:\n\n{}",
        code_block("terraform", &format!("resources/{resource}/import-by-string-id.tf")),
        code_block("terraform", &format!("resources/{resource}/import-by-identity.tf")),
        code_block("shell", &format!("resources/{resource}/import.sh"))
    )
}

/// What a list is used for, step by step.
fn walkthrough(source: &str) -> String {
    let example = |name: &str| code_block("terraform", &format!("data-sources/{source}/{name}.tf"));
    format!(
        "## A resource for every credential\n\nA credential that somebody adds at the vendor gets a resource, and a reset, in the \
         next apply. A credential that is missing from a list while it still exists would be removed from the state together with \
         its password: `prevent_destroy` makes that an error. One that was really deleted is still removed by the refresh.\n\n{}\n\
         ## Import existing credentials\n\nThis imports the credentials without a reset. `for_each` in an import block needs Terraform \
         1.7 or OpenTofu 1.7.\n\n{}\n## An audit\n\nThis warns in every plan and apply about credentials that are not in the \
         configuration, and about old ones.\n\n{}\n",
        example("for-each"),
        example("import"),
        example("audit"),
    )
}

fn function_page(name: &str, signature: &Signature) -> String {
    let Signature { summary, description, parameters, variadic, returns } = signature;
    let typed = |parameter: &Attribute| format!("{} {}", parameter.name, hcl_type(&parameter.r#type));
    let more = variadic.as_ref().map(|parameter| format!("{} {}...", parameter.name, hcl_type(&parameter.r#type)));
    let takes = parameters.iter().map(typed).chain(more).collect::<Vec<_>>().join(", ");
    let argument = |(index, parameter): (usize, &Attribute)| {
        let more = if index < parameters.len() { "" } else { "Variadic, " };
        let kind = if matches!(parameter.r#type, Type::Object(_)) { "Object" } else { kind(&parameter.r#type) };
        let null = if parameter.mode == Mode::Optional { ", Nullable" } else { "" };
        let nested = match &parameter.r#type {
            Type::Object(attributes) => attributes.iter().map(argument_part).collect(),
            _ => String::new(),
        };
        format!("{}. `{}` ({more}{kind}{null}) {}\n{nested}", index + 1, parameter.name, parameter.description)
    };
    let arguments: String = parameters.iter().chain(variadic).enumerate().map(argument).collect();
    let older = format!("functions/{name}/without-functions.tf");
    let older = root().join("examples").join(&older).exists().then(|| code_block("terraform", &older) + "\n");
    format!(
        "---\npage_title: \"{name} function - smtp\"\nsubcategory: \"\"\ndescription: |-\n  {summary}\n---\n\n\
         # function: {name}\n\n{summary}\n\n{}\n\n## Example Usage\n\n{}\n{}\
         <!-- made from the signature by `UPDATE_DOCS=1 cargo test --test docs` -->\n## Signature\n\n\
         ```text\n{name}({takes}) {}\n```\n\n## Arguments\n\n{arguments}",
        description.trim(),
        code_block("terraform", &format!("functions/{name}/function.tf")),
        older.unwrap_or_default(),
        hcl_type(returns),
    )
}

fn argument_part(attribute: &Attribute) -> String {
    format!("   - `{}` ({}) {}\n", attribute.name, kind(&attribute.r#type), attribute.description)
}

fn hcl_type(r#type: &Type) -> &'static str {
    match r#type {
        Type::Bool => "bool",
        Type::Number => "number",
        Type::String => "string",
        Type::List(_) | Type::Objects(_) => "list",
        Type::Object(_) | Type::Block(_) => "object",
        Type::Map(_) => "map",
    }
}

fn schema_section(schema: &Schema) -> String {
    let mut text = "<!-- made from the schema by `UPDATE_DOCS=1 cargo test --test docs` -->\n## Schema\n".to_owned();
    text.push_str(&modes(&schema.attributes, |heading| format!("### {heading}"), ""));
    for attribute in &schema.attributes {
        text.push_str(&nested_section(attribute, ""));
    }
    text
}

fn nested_section(attribute: &Attribute, above: &str) -> String {
    let nested = nested(&attribute.r#type);
    if nested.is_empty() {
        return String::new();
    }
    let path = path(above, attribute);
    let mut text = format!("\n<a id=\"{}\"></a>\n### Nested Schema for `{path}`\n", anchor(&path, attribute));
    text.push_str(&modes(nested, |heading| format!("{heading}:"), &path));
    for attribute in nested {
        text.push_str(&nested_section(attribute, &path));
    }
    text
}

fn modes(attributes: &[Attribute], heading: impl Fn(&str) -> String, above: &str) -> String {
    let mut text = String::new();
    for (name, of_mode) in [
        ("Required", &[Mode::Required][..]),
        ("Optional", &[Mode::Optional, Mode::OptionalComputed]),
        ("Read-Only", &[Mode::Computed]),
    ] {
        let mut bullets: Vec<_> = attributes.iter().filter(|attribute| of_mode.contains(&attribute.mode)).collect();
        bullets.sort_by_key(|attribute| &attribute.name);
        if !bullets.is_empty() {
            write!(text, "\n{}\n\n", heading(name)).unwrap();
            text.extend(bullets.into_iter().map(|attribute| bullet(attribute, above)));
        }
    }
    text
}

fn bullet(attribute: &Attribute, above: &str) -> String {
    let link = if nested(&attribute.r#type).is_empty() {
        String::new()
    } else {
        format!(" (see [below for nested schema](#{}))", anchor(&path(above, attribute), attribute))
    };
    let kind = kind(&attribute.r#type);
    let sensitive = if attribute.sensitive { ", Sensitive" } else { "" };
    let write_only = if attribute.write_only { ", Write-only" } else { "" };
    format!("- `{}` ({kind}{sensitive}{write_only}) {}{link}\n", attribute.name, attribute.description)
}

/// The attributes of an object, or of the objects in a list.
fn nested(r#type: &Type) -> &[Attribute] {
    match r#type {
        Type::Object(nested) | Type::Objects(nested) | Type::Block(nested) => nested,
        Type::List(element) => nested(element),
        _ => &[],
    }
}

fn kind(r#type: &Type) -> &'static str {
    match r#type {
        Type::List(element) if matches!(**element, Type::Object(_)) => "List of Object",
        Type::Bool => "Boolean",
        Type::Number => "Number",
        Type::String => "String",
        Type::List(_) => "List",
        Type::Object(_) => "Attributes",
        Type::Objects(_) => "Attributes List",
        Type::Map(_) => "Map of String",
        Type::Block(_) => "Block, Optional",
    }
}

fn path(above: &str, attribute: &Attribute) -> String {
    if above.is_empty() { attribute.name.to_string() } else { format!("{above}.{}", attribute.name) }
}

fn anchor(path: &str, attribute: &Attribute) -> String {
    let kind = if matches!(attribute.r#type, Type::Block(_)) { "nestedblock" } else { "nestedatt" };
    format!("{kind}--{}", path.replace('.', "--"))
}

fn with_nested<'a>(above: &str, attribute: &'a Attribute) -> Vec<(String, &'a Attribute)> {
    let path = path(above, attribute);
    let nested: Vec<_> = nested(&attribute.r#type).iter().flat_map(|inner| with_nested(&path, inner)).collect();
    std::iter::once((path, attribute)).chain(nested).collect()
}

fn code_block(language: &str, example: &str) -> String {
    let text = fs::read_to_string(root().join("examples").join(example))
        .unwrap_or_else(|_| panic!("examples/{example} exists"));
    format!("```{language}\n{}\n```\n", text.trim())
}

fn assert_page(name: &str, expected: &str) {
    let file = root().join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, expected).unwrap();
    }
    let actual = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        actual == expected,
        "docs/{name} is not what the schema says; `UPDATE_DOCS=1 cargo test --test docs` rewrites it"
    );
}

/// Every page that people read, the generated ones included.
fn pages() -> Vec<PathBuf> {
    fn markdown(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let found = entries.flat_map(|path| if path.is_dir() { markdown(&path) } else { vec![path] });
        found.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
    }
    let mut pages = markdown(&root().join("docs"));
    pages.extend(
        ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "RELEASING.md", "SECURITY.md"].map(|name| root().join(name)),
    );
    pages
}

/// A page without its code blocks.
fn prose(page: &Path) -> String {
    fs::read_to_string(page).unwrap().split("```").step_by(2).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
