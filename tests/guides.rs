//! What a vendor's data says is in its guide, in the guides that name vendors, and in `README.md`.
//!
//! `UPDATE_DOCS=1 cargo test --test guides` rewrites these parts, between their two marks. The rest of a guide is
//! written by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "contract/case.rs"]
mod case;
#[path = "support/features.rs"]
mod features;

use std::{fs, path::Path};

use features::Feature;
use terraform_provider_smtp::vendors::{Field, ImportId, PasswordSource, ResetKind, SmtpDefaults, VENDORS, Vendor};

#[test]
fn every_guide_is_what_its_vendor_says() {
    for vendor in VENDORS {
        let guide = format!("docs/guides/{}.md", vendor.name);
        assert_part(&guide, "at a glance", &at_a_glance(vendor));
        assert_part(&guide, "import", &import(vendor));
    }
}

#[test]
fn the_guide_on_adopting_has_what_no_import_knows() {
    let row = |vendor: &&Vendor| {
        let is_known = |field: &&&Field| vendor.identity.iter().any(|known| known.name == field.name);
        let unknown: Vec<_> = vendor.target.iter().copied().filter(|field| !is_known(&field)).collect();
        (!unknown.is_empty()).then(|| format!("| {} | {} |\n", vendor.title, names(&unknown, "`")))
    };
    let rows: String = VENDORS.iter().filter_map(row).collect();
    let table = format!("| vendor | unknown after an import |\n|---|---|\n{rows}");
    assert_part("docs/guides/adopting.md", "unknown to an import", &table);
}

#[test]
fn the_readme_and_the_index_have_every_vendor_and_every_recipe() {
    let row = |vendor: &&Vendor| {
        let Vendor { name, title, api_docs, .. } = vendor;
        let (without_gap, change) = match (vendor.reset_kind, vendor.reports_version) {
            (ResetKind::NewCredential, _) => ("overlap", "leaves the password as it is"),
            (ResetKind::InPlace, true) => ("pair", "reported"),
            (ResetKind::InPlace, false) => ("pair", "found by a login"),
        };
        let login = match vendor.smtp {
            SmtpDefaults::Undocumented => "a login at a `host` that you name",
            _ => "a login",
        };
        let heading = format!("[{title}](docs/guides/{name}.md) | `{name} = {{ {} }}`", names(vendor.target, ""));
        let maker = maker(vendor.password_source);
        format!("| {heading} | {maker} | {without_gap} | {change} | {login} | no | [API]({api_docs}) |\n")
    };
    let columns = "vendor | in HCL | password made by | without a gap | a reset by somebody else | `verify` | \
                   tried with a live account | its documentation";
    let mut table = format!("| {columns} |\n|---|---|---|---|---|---|---|---|\n");
    table.extend(VENDORS.iter().map(row));
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/http.md")).unwrap();
    let (_, recipes) = guide.split_once("\n## Recipes\n").unwrap();
    let (recipes, _) = recipes.split_once("\n## ").unwrap();
    table.extend(recipes.split("\n### ").skip(1).map(recipe_row));
    table.extend(WITHOUT.map(|(title, reason)| format!("| {title} | none: {reason} | | | | | | |\n")));
    assert_part("README.md", "vendors", &table);
    assert_part("src/provider/description.md", "vendors", &table.replace("docs/guides/", "guides/"));
}

/// Vendors that are asked for, and why no API of theirs can rotate a password.
const WITHOUT: [(&str, &str); 3] = [
    ("Brevo", "SMTP keys are made on its website only"),
    ("Google", "app passwords are made by their user only"),
    ("Postmark", "tokens are made on its website only"),
];

fn maker(source: PasswordSource) -> &'static str {
    match source {
        PasswordSource::Caller => "provider or you",
        PasswordSource::Vendor => "vendor",
    }
}

/// The row of a recipe, as its HCL says it.
fn recipe_row(recipe: &str) -> String {
    let (title, text) = recipe.split_once('\n').unwrap();
    let has = |argument: &str| text.lines().any(|line| line.trim().starts_with(argument));
    let source = if text.contains("{password}") { PasswordSource::Caller } else { PasswordSource::Vendor };
    let (without_gap, change) = match (has("create {"), has("version")) {
        (true, _) => ("overlap", "leaves the password as it is"),
        (false, true) => ("pair", "reported"),
        (false, false) => ("pair", "found by a login"),
    };
    let anchor: String = title.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let heading = format!("[{title}](docs/guides/http.md#{anchor}) | `http = {{ name }}`");
    format!("| {heading} | {} | {without_gap} | {change} | a login | no | recipe |\n", maker(source))
}

#[test]
fn the_guide_on_versions_has_what_tests_are_skipped_for_and_what_they_run() {
    let rows = Feature::ALL.iter().map(|feature| {
        let opentofu = feature.opentofu.map_or_else(|| "none".to_owned(), |minor| format!("1.{minor}"));
        format!("| {} | 1.{} | {opentofu} |\n", documented(*feature), feature.terraform)
    });
    let table = format!("| feature | Terraform | OpenTofu |\n|---|---|---|\n{}", rows.collect::<String>());
    assert_part("docs/guides/versions.md", "features", &table);

    let rows = cores().into_iter().map(|(title, version, runs)| {
        let minor = version.split('.').nth(1).unwrap().parse().unwrap();
        let unknown = Feature::ALL.iter().filter(|feature| !feature.is_in(title == "OpenTofu", minor));
        let unknown: Vec<_> = unknown.map(|feature| feature.name).collect();
        let tested = match &*unknown {
            [] => "everything".to_owned(),
            unknown => format!("everything but {}", unknown.join(", ")),
        };
        format!("| {title} {version} | {runs} | {tested} |\n")
    });
    let table = format!("| version | when | what is tested |\n|---|---|---|\n{}", rows.collect::<String>());
    assert_part("docs/guides/versions.md", "tested", &table);
}

/// Every feature is the reason for which a kind of workspace is not set up.
#[test]
fn tests_are_skipped_for_every_feature_of_the_guide() {
    let workspace = include_str!("support/workspace.rs");
    let features = include_str!("support/features.rs");
    let names = features.lines().filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": Self"));
    let names: Vec<_> = names.map(|(name, _)| name).collect();
    assert_eq!(names.len(), Feature::ALL.len(), "{names:?}");
    for name in names {
        assert!(workspace.contains(&format!("Feature::{name}")), "no test is skipped for {name}");
    }
}

/// The name, the version and the use of each core that the tests run: the pinned one, and those in `tests/cores`.
fn cores() -> Vec<(&'static str, String, &'static str)> {
    let pinned = include_str!("../examples/distribution/src/core.rs");
    let (_, pinned) = pinned.split_once("const VERSION: &str = \"").unwrap();
    let pinned = pinned.split_once('"').unwrap().0.to_owned();
    let mut cores = vec![("Terraform", pinned, "all tests with every change")];
    let others = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cores")).unwrap();
    for name in others.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        let (core, version) = name.rsplit_once('-').unwrap();
        let title = if core == "opentofu" { "OpenTofu" } else { "Terraform" };
        let workflow = include_str!("../.github/workflows/ci.yml");
        assert!(workflow.contains(&name), "the workflow runs everything with {name}");
        cores.push((
            title,
            version.to_owned(),
            "a part of the tests with every change, all of them in the workflow for CI",
        ));
    }
    cores.sort();
    cores
}

/// A feature as users meet it.
fn documented(feature: Feature) -> &'static str {
    match feature.name {
        "`for_each` in import blocks" => "[`for_each` in import blocks](adopting.md#all-credentials-of-an-account)",
        "provider functions" => {
            "the functions [`url`](../functions/url.md), [`decrypt`](../functions/decrypt.md) and \
             [`ses_password`](../functions/ses_password.md)"
        }
        "`moved` between two types of resources" => {
            "[`moved` from `smtp_credential_password` to `smtp_credential_pair`](rotation-without-a-gap.md)"
        }
        "write-only arguments" => {
            "`password_wo`, and [`decrypt` with an ephemeral identity](encrypted-password.md) for write-only arguments"
        }
        "mocks in tests" => "[mocks](testing.md) in tests of modules that call functions",
        "resource identities" => {
            "resource identities: [imports by `identity`](../resources/credential_password.md#import)"
        }
        "`query`" => {
            "[`terraform query`](adopting.md#find-what-exists), which lists credentials and writes their configuration"
        }
        other => panic!("{other} has no words for users"),
    }
}

#[test]
fn the_guides_name_the_vendors_that_a_sentence_is_about() {
    let titles = |is_meant: fn(&&Vendor) -> bool| {
        let mut titles: Vec<_> = VENDORS.iter().copied().filter(is_meant).map(|vendor| vendor.title).collect();
        let last = titles.pop().unwrap();
        format!("{} and {last}", titles.join(", "))
    };
    let makes_new = titles(|vendor| vendor.reset_kind == ResetKind::NewCredential);
    let reports_nothing = titles(|vendor| vendor.reset_kind == ResetKind::InPlace && !vendor.reports_version);
    let recovering = "docs/guides/recovering.md";
    let sentence = format!(
        "{reports_nothing} report no changes: only `verify = {{ on_refresh = true }}` notices a late reset there.\n"
    );
    assert_part(recovering, "no changes are reported", &sentence);
    let sentence = format!(
        "At {makes_new}, a reset makes a new credential, so a late reset makes one more. The one in the state still works.\n"
    );
    assert_part(recovering, "a late reset", &sentence);
    let sentence = format!("A reset makes a new credential at {makes_new}.\n");
    assert_part("docs/guides/rotation-without-a-gap.md", "new credentials", &sentence);
}

fn at_a_glance(vendor: &Vendor) -> String {
    let variable = |field: &Field| match field.env {
        Some(variable) if !field.is_variable => format!("`{}` (`{variable}`)", field.name),
        _ => format!("`{}`", field.name),
    };
    let source = match vendor.password_source {
        PasswordSource::Caller => "this provider, by `password_policy`, or you, with `password_wo`",
        PasswordSource::Vendor => {
            "the vendor, which shows it once; `password_policy` and `password_wo` are not possible"
        }
    };
    let reset = match vendor.reset_kind {
        ResetKind::InPlace => "changes the password of the credential",
        ResetKind::NewCredential => "makes a new credential; the previous one is then revoked",
    };
    let change = match (vendor.reset_kind, vendor.reports_version) {
        (ResetKind::NewCredential, _) => "makes another credential, and leaves this one as it is",
        (ResetKind::InPlace, true) => "moves `remote_version`, which a refresh compares",
        (ResetKind::InPlace, false) => "is not reported; `verify = { on_refresh = true }` notices it by a login",
    };
    let smtp = match vendor.smtp {
        SmtpDefaults::At { host, port } => format!("`{host}`, port {port}"),
        SmtpDefaults::Of { form, port, .. } => format!("`{form}`, port {port}"),
        SmtpDefaults::ByRegion { hosts, port } => {
            let hosts: Vec<_> = hosts.iter().map(|host| format!("`{host}`")).collect();
            format!("{} by `region`, port {port}", hosts.join(" or "))
        }
        SmtpDefaults::Reported { port } => format!("the host that the vendor names for the account, port {port}"),
        SmtpDefaults::Undocumented => {
            "not documented; set `smtp_host` and `smtp_port` where they are needed".to_owned()
        }
    };
    let scope = match vendor.scope {
        [] => "the account of the login".to_owned(),
        scope => names(scope, "`"),
    };
    let rows = [
        ("To log in", logins(vendor, variable)),
        ("To name a credential", names(vendor.target, "`")),
        ("To list credentials", scope),
        ("The password is made by", source.to_owned()),
        ("A reset", reset.to_owned()),
        ("A reset by somebody else", change.to_owned()),
        ("Submission server", smtp),
        ("Address of the API", format!("`{}`, or what `{}` says", vendor.base_url, vendor.base_url_variable())),
    ];
    let rows = rows.map(|(what, answer)| format!("| {what} | {answer} |\n")).concat();
    format!("| | |\n|---|---|\n{rows}")
}

fn import(vendor: &Vendor) -> String {
    let case = &case::cases_of(vendor.name)[0];
    let named = |name| vendor.target.iter().zip(case.target).find(|(field, _)| field.name == name).unwrap().1;
    let (form, example) = match vendor.import {
        ImportId::Credential | ImportId::ScopedCredential => {
            let parts = vendor.import_scope().iter().map(|field| format!("<{}>", field.name));
            let values = vendor.import_scope().iter().map(|field| *named(field.name));
            let parts: Vec<_> = parts.chain(["<credential id>".to_owned()]).collect();
            let values: Vec<_> = values.chain([case.version.unwrap()]).collect();
            (parts.join("/"), values.join("/"))
        }
        ImportId::Identity => {
            let parts = vendor.identity.iter().map(|field| format!("<{}>", field.name));
            let values = vendor.identity.iter().map(|field| *named(field.name));
            (parts.collect::<Vec<_>>().join("/"), values.collect::<Vec<_>>().join("/"))
        }
    };
    let name = vendor.name;
    let adopted = match vendor.password_source {
        PasswordSource::Caller => "`rotation_trigger`, `password_policy` or `password_wo_version`",
        PasswordSource::Vendor => "`rotation_trigger`",
    };
    format!(
        "The import id is `{name}/{form}`:\n\n\
         ```shell\nterraform import smtp_credential_password.this {name}/{example}\n```\n\n\
         An import resets nothing, so the state has no password.\n\
         The first {adopted} after it is adopted without a reset, with a warning; the next change resets.\n\
         To reset at once, apply with `-replace=smtp_credential_password.this`.\n"
    )
}

fn names(fields: &[&Field], quote: &str) -> String {
    fields.iter().map(|field| format!("{quote}{}{quote}", field.name)).collect::<Vec<_>>().join(", ")
}

fn logins(vendor: &Vendor, name: impl Fn(&Field) -> String) -> String {
    let join = |fields: &[&Field]| match fields {
        [] => "another source that its guide lists".to_owned(),
        fields => fields.iter().map(|field| name(field)).collect::<Vec<_>>().join(" and "),
    };
    let (common, own) = vendor.login_parts();
    let own = own.iter().map(|login| join(login)).collect::<Vec<_>>().join(", or ");
    if common.is_empty() { own } else { format!("{}, with {own}", join(&common)) }
}

/// A page has this text between the two marks of a part.
#[track_caller]
fn assert_part(page: &str, part: &str, expected: &str) {
    let (start, end) = (format!("<!-- {part} -->\n"), format!("<!-- end of {part} -->"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(&start).unwrap_or_else(|| panic!("{page} lacks a line `{}`", start.trim()));
    let (actual, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{page} lacks a line `{end}`"));
    if actual != expected && std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{start}{expected}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(actual, expected, "{page}: `UPDATE_DOCS=1 cargo test --test guides` rewrites it");
}
