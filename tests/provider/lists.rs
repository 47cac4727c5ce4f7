//! Lists that a vendor would never send: they end in an error, after a bounded number of requests and in bounded
//! memory.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use terraform_provider_smtp::{
    framework::{Provider as _, value::Value},
    provider::Smtp,
};

use sandbox::core::{
    Plugin, command, encode,
    wire::tfplugin6::{configure_provider, read_data_source},
};
use tokio::task::JoinSet;

use crate::BINARY;

/// The most memory that a process may ever have had, in KiB.
const MOST_MEMORY: usize = 64 * 1024;

/// The most requests for one list.
const MOST_REQUESTS: usize = 200;

/// A vendor that sends lists like this.
struct Hostile {
    name: &'static str,
    vendor: &'static str,
    /// In the provider block.
    settings: &'static [(&'static str, &'static str)],
    /// What names the account.
    scope: &'static [(&'static str, &'static str)],
    /// A page, by its number from 0.
    page: fn(usize) -> String,
    says: &'static str,
}

const TOO_LONG: &str = "the list is longer than 200 pages, 10000 credentials or 8 MiB";
const NO_LIST: &str = "the response does not have the documented form";
/// As much as any page may hold.
const LARGE: usize = 15 << 20;

const V1: &[(&str, &str)] = &[("access_token", "token")];
const V3: &[(&str, &str)] = &[("access_token", "token"), ("api_version", "v3")];
const KIRIM: &[(&str, &str)] = &[("username", "owner"), ("api_key", "key")];
const HOSTUP: &[(&str, &str)] = &[("api_key", "key")];
const SMTPD: &[(&str, &str)] = &[("api_key", "key"), ("api_secret", "secret")];
const DOMAIN: &[(&str, &str)] = &[("domain", "example.com")];
const ACCOUNT: &[(&str, &str)] = &[("account_id", "acct_1")];

const CASES: &[Hostile] = &[
    Hostile {
        name: "one entry a page, without end, every cursor another",
        vendor: "hubspot",
        settings: V3,
        scope: &[],
        page: |page| v3(page, 1, ""),
        says: TOO_LONG,
    },
    Hostile {
        name: "a hundred entries with long names a page, without end",
        vendor: "hubspot",
        settings: V3,
        scope: &[],
        page: |page| v3(page, 100, &"x".repeat(4000)),
        says: TOO_LONG,
    },
    Hostile {
        name: "large pages without end",
        vendor: "hubspot",
        settings: V3,
        scope: &[],
        page: |page| {
            format!(r#"{{"results": {}, "paging": {{"next": {{"after": "{page}"}}}}}}"#, large(r#"{"id":"u"}"#))
        },
        says: TOO_LONG,
    },
    Hostile {
        name: "a large page of small entries",
        vendor: "hubspot",
        settings: V1,
        scope: &[],
        page: |_| large(r#"{"userName":"u"}"#),
        says: TOO_LONG,
    },
    Hostile {
        name: "more small entries than a list may have",
        vendor: "hubspot",
        settings: V1,
        scope: &[],
        page: |_| entries(10_001, |text, number| write!(text, r#"{{"userName":"u{number}"}}"#)),
        says: TOO_LONG,
    },
    Hostile {
        name: "a deep and wide value where a time should be",
        vendor: "hubspot",
        settings: V1,
        scope: &[],
        page: |_| format!(r#"[{{"userName":"u","createdAt":[{}0]}}, {{}}]"#, "[0,{}],".repeat(1 << 19)),
        says: NO_LIST,
    },
    Hostile {
        name: "a name of megabytes",
        vendor: "hubspot",
        settings: V1,
        scope: &[],
        page: |_| format!(r#"[{{"userName":"{}"}}]"#, "\\u0061".repeat(1 << 19)),
        says: NO_LIST,
    },
    Hostile {
        name: "full pages without end",
        vendor: "kirim_email",
        settings: KIRIM,
        scope: DOMAIN,
        page: |page| {
            let listed = entries(100, |text, number| write!(text, r#"{{"user_smtp_guid":"g-{page}-{number}"}}"#));
            format!(r#"{{"success": true, "data": {listed}}}"#)
        },
        says: TOO_LONG,
    },
    Hostile {
        name: "a page that is longer than any",
        vendor: "hostup",
        settings: HOSTUP,
        scope: ACCOUNT,
        page: |_| format!(r#"{{"emailAccounts": {0}, "more": {0}}}"#, large(r#"{"id":"mail_1","email":"u@e.se"}"#)),
        says: TOO_LONG,
    },
    Hostile {
        name: "a large page of keys",
        vendor: "smtpd",
        settings: SMTPD,
        scope: &[],
        page: |_| large(r#"{"id":"u","is_active":true}"#),
        says: TOO_LONG,
    },
];

#[tokio::test]
async fn a_list_without_bounds_is_an_error_in_bounded_memory() {
    let mut cases = JoinSet::new();
    for hostile in CASES {
        cases.spawn(survives(hostile));
    }
    cases.join_all().await;
}

async fn survives(hostile: &Hostile) {
    let name = hostile.name;
    let (base_url, requests) = serve(hostile.page);
    let mut start = command(BINARY);
    start.env("NO_PROXY", "*");
    let plugin = Plugin::start(start).await;
    let mut core = plugin.connect().await;
    let smtp = Smtp::new();

    let settings = hostile.settings.iter().copied().chain([("base_url", base_url.as_str())]);
    let config = Value::object([(hostile.vendor, text(settings))]);
    let config = encode(&config, &smtp.schema().attributes);
    let configured = core
        .provider
        .configure_provider(configure_provider::Request { config, ..configure_provider::Request::default() });
    assert_eq!(configured.await.unwrap().into_inner().diagnostics, [], "{name}");

    let config = Value::object([(hostile.vendor, text(hostile.scope.iter().copied()))]);
    let config = encode(&config, &smtp.data_sources()[0].schema().attributes);
    let request = read_data_source::Request { type_name: "smtp_credentials".to_owned(), config };
    let read = core.provider.read_data_source(request).await.unwrap().into_inner();
    let [error] = read.diagnostics.as_slice() else { panic!("{name}: {:?}", read.diagnostics) };
    assert!(error.detail.contains(hostile.says), "{name}: {}", error.detail);
    assert!(error.detail.contains("The password was not changed."), "{name}: {}", error.detail);

    let seen = requests.load(Ordering::SeqCst);
    assert!((1..=MOST_REQUESTS).contains(&seen), "{name}: {seen} requests");
    if let Some(peak) = peak(plugin.child.id().unwrap()) {
        assert!(peak < MOST_MEMORY, "{name}: {peak} KiB");
    }
}

fn text<'a>(fields: impl Iterator<Item = (&'static str, &'a str)>) -> Value {
    Value::object(fields.map(|(name, value)| (name, value.into())))
}

fn v3(page: usize, count: usize, more: &str) -> String {
    let listed = entries(count, |text, number| write!(text, r#"{{"id":"u{page}-{number}{more}"}}"#));
    format!(r#"{{"results": {listed}, "paging": {{"next": {{"after": "{page}"}}}}}}"#)
}

/// A list with as much of one entry as any page may hold.
fn large(entry: &str) -> String {
    format!("[{}{entry}]", format!("{entry},").repeat(LARGE / (entry.len() + 1)))
}

fn entries(count: usize, entry: impl Fn(&mut String, usize) -> std::fmt::Result) -> String {
    let mut text = String::from("[");
    for number in 0..count {
        if number > 0 {
            text.push(',');
        }
        entry(&mut text, number).unwrap();
    }
    text.push(']');
    text
}

/// The most memory that a process has had so far, in KiB; nothing where the system does not report it.
fn peak(pid: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Sends one page after the other, whatever is asked for, and lets everybody log in. Counts the requests but those.
fn serve(page: fn(usize) -> String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&requests);
    // It ends with the test program.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that has read enough goes away.
            let _ = answer(stream, page, &counted);
        }
    });
    (base_url, requests)
}

fn answer(mut stream: TcpStream, page: fn(usize) -> String, requests: &AtomicUsize) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let line = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let body = if line.starts_with("POST /oauth/token") {
        r#"{"token_type": "bearer", "access_token": "access"}"#.to_owned()
    } else {
        page(requests.fetch_add(1, Ordering::SeqCst))
    };
    // No length is announced, so that a body is read until it is too long.
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body.as_bytes())
}
