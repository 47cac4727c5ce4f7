//! The registry's pages are made from the schema's own help texts and from the examples that other tests apply.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them anew.

use std::{fmt::Write, fs, path::PathBuf};

use terraform_provider_smtp::{
    framework::{
        Provider,
        schema::{Attribute, Mode, Schema, Type},
    },
    provider::Smtp,
};

#[test]
fn the_provider_page_is_what_the_schema_says() {
    let provider = Smtp::new();
    let page = Page {
        title: "smtp Provider",
        heading: "smtp Provider",
        example: "provider/provider.tf",
        schema: provider.schema(),
        import: None,
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
            import: Some(&format!("resources/{name}/import.sh")),
        };
        assert_page(&format!("resources/{}.md", name.trim_start_matches("smtp_")), &page.render());
    }
}

#[test]
fn every_attribute_has_a_help_text() {
    let provider = Smtp::new();
    let schemas =
        std::iter::once(provider.schema()).chain(provider.resources().iter().map(|resource| resource.schema()));
    for attribute in schemas.flat_map(|schema| &schema.attributes).flat_map(|attribute| with_nested("", attribute)) {
        assert!(attribute.1.help.ends_with('.'), "the help text of {} is a sentence", attribute.0);
    }
}

struct Page<'a> {
    title: &'a str,
    heading: &'a str,
    example: &'a str,
    schema: &'a Schema,
    import: Option<&'a str>,
}

impl Page<'_> {
    fn render(&self) -> String {
        let Self { title, heading, schema, .. } = self;
        let (description, prose) = schema.help.split_once("\n\n").unwrap_or((&schema.help, ""));
        let mut page = format!(
            "---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {description}\n---\n\n# {heading}\n\n{description}\n\n## Example Usage\n\n"
        );
        page.push_str(&code_block("terraform", self.example));
        if !prose.is_empty() {
            write!(page, "{}\n\n", prose.trim()).unwrap();
        }
        page.push_str(&schema_section(schema));
        if let Some(import) = self.import {
            write!(page, "\n## Import\n\nThe import id is the resource's `id`:\n\n{}", code_block("shell", import))
                .unwrap();
        }
        page.trim_end().to_owned() + "\n"
    }
}

fn schema_section(schema: &Schema) -> String {
    let mut text = "<!-- Made from the schema: UPDATE_DOCS=1 cargo test --test docs -->\n## Schema\n".to_owned();
    text.push_str(&modes(&schema.attributes, "###", ""));
    for attribute in &schema.attributes {
        text.push_str(&nested_section(attribute, ""));
    }
    text
}

fn nested_section(attribute: &Attribute, above: &str) -> String {
    let (Type::Object(nested) | Type::Objects(nested)) = &attribute.r#type else { return String::new() };
    let path = path(above, attribute);
    let mut text = format!("\n<a id=\"{}\"></a>\n### Nested Schema for `{path}`\n", anchor(&path));
    text.push_str(&modes(nested, "####", &path));
    for attribute in nested {
        text.push_str(&nested_section(attribute, &path));
    }
    text
}

fn modes(attributes: &[Attribute], level: &str, above: &str) -> String {
    let mut text = String::new();
    for (heading, of_mode) in [
        ("Required", &[Mode::Required][..]),
        ("Optional", &[Mode::Optional, Mode::OptionalComputed]),
        ("Read-Only", &[Mode::Computed]),
    ] {
        let mut bullets: Vec<_> = attributes.iter().filter(|attribute| of_mode.contains(&attribute.mode)).collect();
        bullets.sort_by_key(|attribute| &attribute.name);
        if !bullets.is_empty() {
            write!(text, "\n{level} {heading}\n\n").unwrap();
            text.extend(bullets.into_iter().map(|attribute| bullet(attribute, above)));
        }
    }
    text
}

fn bullet(attribute: &Attribute, above: &str) -> String {
    let (kind, link) = match &attribute.r#type {
        Type::Bool => ("Boolean".to_owned(), String::new()),
        Type::Number => ("Number".to_owned(), String::new()),
        Type::String => ("String".to_owned(), String::new()),
        Type::List(_) => ("List".to_owned(), String::new()),
        Type::Object(_) | Type::Objects(_) => {
            let kind = if matches!(attribute.r#type, Type::Object(_)) { "Attributes" } else { "Attributes List" };
            (kind.to_owned(), format!(" (see [below for nested schema](#{}))", anchor(&path(above, attribute))))
        }
    };
    let sensitive = if attribute.sensitive { ", Sensitive" } else { "" };
    let write_only = if attribute.write_only { ", Write-only" } else { "" };
    format!("- `{}` ({kind}{sensitive}{write_only}) {}{link}\n", attribute.name, attribute.help)
}

fn path(above: &str, attribute: &Attribute) -> String {
    if above.is_empty() { attribute.name.to_string() } else { format!("{above}.{}", attribute.name) }
}

fn anchor(path: &str) -> String {
    format!("nestedatt--{}", path.replace('.', "--"))
}

fn with_nested<'a>(above: &str, attribute: &'a Attribute) -> Vec<(String, &'a Attribute)> {
    let path = path(above, attribute);
    let nested = match &attribute.r#type {
        Type::Object(nested) | Type::Objects(nested) => {
            nested.iter().flat_map(|inner| with_nested(&path, inner)).collect()
        }
        _ => vec![],
    };
    std::iter::once((path, attribute)).chain(nested).collect()
}

fn code_block(language: &str, example: &str) -> String {
    let text = fs::read_to_string(root().join("examples").join(example))
        .unwrap_or_else(|_| panic!("examples/{example} exists"));
    format!("```{language}\n{}\n```\n\n", text.trim())
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
        "docs/{name} is not what the schema says; `UPDATE_DOCS=1 cargo test --test docs` writes it anew"
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
