//! Proxies of the environment. Each test runs itself again in an environment of its own.

use std::{
    env,
    process::{Command, Output},
};

use tokio::task::JoinSet;

use super::{
    server::{Act, Server, bound},
    tls::{acceptor, authority, file, leaf, pem},
    *,
};

/// In the second run: the base URL to call.
const BASE: &str = "TEST_BASE_URL";

/// In the second run: the path of a file with certificates.
const FILE: &str = "TEST_FILE";

/// Runs the test of this name alone, with `proxy` for every scheme.
async fn again(test: &str, proxy: String, base: String) -> Output {
    again_with(test, &[("HTTPS_PROXY", &proxy), ("http_proxy", &proxy), (BASE, &base)]).await
}

/// Runs the test of this name alone, with these variables and no other that is about proxies.
async fn again_with(test: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([&format!("proxies::{test}"), "--exact", "--nocapture"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a run has printed.
fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// In the second run: the result of a reset at the base URL, printed; `None` in the first run.
#[expect(clippy::print_stdout, reason = "the first run reads what the second prints")]
async fn reset_again() -> Option<Result<Answer, Error>> {
    let base = env::var(BASE).ok()?;
    let file = env::var_os(FILE).map(|path| CertificateFile::read(path.as_ref()).unwrap());
    let api = api(Settings { ca_certificate_file: file, ..settings() }, &base);
    let result = post(&api).reset(&operation(10)).await;
    println!("{api:?} {result:?}");
    Some(result)
}

#[tokio::test]
async fn a_proxys_failure_is_reported_with_its_status_but_no_password() {
    if let Some(result) = reset_again().await {
        let error = result.unwrap_err();
        return assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
    }
    let test = "a_proxys_failure_is_reported_with_its_status_but_no_password";
    // Those that are not final are tried again until the time is over, so all are tried at once.
    let mut cases = JoinSet::new();
    for (act, words, is_final) in [
        (
            Act::answer(407, &["Proxy-Authenticate: Basic"], ""),
            "the proxy requires a user name and password (407)",
            true,
        ),
        (Act::answer(403, &[], "the-proxy-password"), "the proxy returned 403 and opened no tunnel", true),
        (Act::answer(302, &["Location: http://x"], ""), "the proxy returned 302 and opened no tunnel", true),
        (Act::answer(502, &[], ""), "the proxy returned 502 and opened no tunnel", false),
        (Act::CloseAfterRequest, "the proxy closed the connection", false),
        (Act::Say(b"NONSENSE\r\n\r\n".to_vec()), "the proxy's response is not HTTP", false),
        (
            Act::Say(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".to_vec()),
            "the proxy's response is not HTTP",
            false,
        ),
    ] {
        cases.spawn(async move {
            let proxy = Server::start([act]);
            let url = format!("http://user:the-proxy-password@{}", proxy.address);
            let output = again(test, url, "https://api.example.com".to_owned()).await;
            let printed = printed(&output);
            assert!(output.status.success() && printed.contains(words), "{words}: {printed}");
            assert!(!printed.contains("the-proxy-password"), "{printed}");
            let requests = proxy.requests();
            assert_eq!(requests.len() == 1, is_final, "{words}");
            for request in requests {
                assert!(request.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{request}");
                // RFC 7617: the base64 of `user:the-proxy-password`.
                assert!(
                    request.contains("Proxy-Authorization: Basic dXNlcjp0aGUtcHJveHktcGFzc3dvcmQ=\r\n"),
                    "{request}"
                );
                assert!(!request.contains(TOKEN));
            }
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_an_error_and_nothing_goes_direct() {
    if let Some(result) = reset_again().await {
        let error = result.unwrap_err();
        return assert_eq!((error.kind, error.outcome), (Kind::Setup, Outcome::NotChanged));
    }
    let test = "a_proxy_that_cannot_be_used_is_an_error_and_nothing_goes_direct";
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for proxy in [
            "http://user:the-proxy pass@127.0.0.1:1",
            "htp://user:the-proxy@127.0.0.1:1",
            "ht!tp://:::",
            "socks5://user:the-proxy@127.0.0.1:1",
            "http://user:the-proxy#@127.0.0.1:1",
        ] {
            let output = again_with(test, &[(name, proxy), (BASE, "https://api.example.com")]).await;
            let printed = printed(&output);
            assert!(output.status.success(), "{printed}");
            assert!(printed.contains(&format!("the environment variable `{name}` ")), "{printed}");
            assert!(!printed.contains("the-proxy"), "{printed}");
        }
    }
}

#[tokio::test]
async fn a_host_in_no_proxy_is_called_directly() {
    if let Some(result) = reset_again().await {
        // Nobody listens there, and no proxy says so.
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        return assert!(!error.reason.contains("proxy"), "{error}");
    }
    let test = "a_host_in_no_proxy_is_called_directly";
    let proxy = Server::start([Act::answer(403, &[], "")]);
    let url = format!("http://{}", proxy.address);
    let mut cases = JoinSet::new();
    for list in ["*", "*.nobody.invalid", ".nobody.invalid", "nobody.invalid", "api.nobody.invalid:443"] {
        let name = if list == "*" { "no_proxy" } else { "NO_PROXY" };
        let url = url.clone();
        cases.spawn(async move {
            let variables = [("HTTPS_PROXY", &*url), (name, list), (BASE, "https://api.nobody.invalid")];
            let output = again_with(test, &variables).await;
            assert!(output.status.success(), "{list}: {}", printed(&output));
        });
    }
    cases.join_all().await;
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_tunnel_leads_to_the_api_through_proxies_of_both_kinds() {
    if let Some(result) = reset_again().await {
        return assert_eq!(result.unwrap().status, 200);
    }
    let test = "a_tunnel_leads_to_the_api_through_proxies_of_both_kinds";
    let ours = authority("ours");
    let file = file(&pem(ours.der()));
    let api = Server::start_tls([Act::answer(200, &[], PASSWORD)], acceptor(&ours, &leaf("api.example.com")));
    for is_tls in [false, true] {
        let act = Act::Tunnel(api.address);
        let proxy =
            if is_tls { Server::start_tls([act], acceptor(&ours, &leaf("127.0.0.1"))) } else { Server::start([act]) };
        let scheme = if is_tls { "https" } else { "http" };
        let url = format!("{scheme}://user:pass@{}", proxy.address);
        let path = file.path().to_str().unwrap();
        let variables = [("https_proxy", &*url), (BASE, "https://api.example.com"), (FILE, path)];
        let output = again_with(test, &variables).await;
        assert!(output.status.success(), "{}", printed(&output));
        assert_eq!(proxy.requests().len(), 1);
    }
    assert_eq!(api.requests().len(), 2);
}

#[tokio::test]
async fn a_proxy_whose_certificate_is_not_trusted_is_said_to_be_the_proxy() {
    if let Some(result) = reset_again().await {
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Certificate, Outcome::NotChanged));
        let words = "the proxy's certificate is for another host: it names proxy.example.com";
        return assert_eq!(error.reason, words);
    }
    let test = "a_proxy_whose_certificate_is_not_trusted_is_said_to_be_the_proxy";
    let ours = authority("ours");
    let file = file(&pem(ours.der()));
    let proxy = Server::start_tls([Act::Silence], acceptor(&ours, &leaf("proxy.example.com")));
    let url = format!("https://{}", proxy.address);
    let path = file.path().to_str().unwrap();
    let output = again_with(test, &[("https_proxy", &url), (BASE, "https://api.example.com"), (FILE, path)]).await;
    assert!(output.status.success(), "{}", printed(&output));
}

#[tokio::test]
async fn this_machine_is_called_without_a_proxy() {
    if let Some(result) = reset_again().await {
        return assert_eq!(result.unwrap().status, 200);
    }

    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    for proxy in [format!("http://{}", bound().local_addr().unwrap()), "htp://unusable".to_owned()] {
        let output = again("this_machine_is_called_without_a_proxy", proxy, format!("http://{}", server.address)).await;
        assert!(output.status.success(), "{}", printed(&output));
    }
    assert_eq!(server.requests().len(), 2);
}
