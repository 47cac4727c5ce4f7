//! Proxies of the environment. Each test runs itself again in an environment of its own.

use std::env;
use std::process::{Command, Output};

use super::server::{Act, Server, bound};
use super::*;

/// In the second run: the base URL to call.
const BASE: &str = "TEST_BASE_URL";

/// Runs the test of this name alone, with `proxy` for every scheme.
async fn again(test: &str, proxy: String, base: String) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(BASE, base);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs([("HTTPS_PROXY", &proxy), ("http_proxy", &proxy)]);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the first run reads what the second prints")]
async fn a_proxy_that_refuses_its_password_is_told_without_it() {
    if let Ok(base) = env::var(BASE) {
        let api = api(settings(), &base);
        let error = post(&api).reset(&operation(20)).await.unwrap_err();
        println!("{api:?} {error:?}");
        return assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
    }

    let proxy = Server::start([Act::answer(407, &["Proxy-Authenticate: Basic"], "")]);
    let url = format!("http://user:the-proxy-password@{}", proxy.address);
    let test = "proxies::a_proxy_that_refuses_its_password_is_told_without_it";
    let output = again(test, url, "https://api.example.com".to_owned()).await;

    let printed = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("the proxy asks for a user name and password"), "{printed}");
    assert!(!printed.contains("the-proxy-password"), "{printed}");
    let requests = proxy.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(!requests[0].contains(TOKEN));
}

#[tokio::test]
async fn this_machine_is_called_without_a_proxy() {
    if let Ok(base) = env::var(BASE) {
        return assert_eq!(post(&api(settings(), &base)).reset(&operation(20)).await.unwrap().status, 200);
    }

    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let nobody = bound();
    let proxy = format!("http://{}", nobody.local_addr().unwrap());
    let test = "proxies::this_machine_is_called_without_a_proxy";
    let output = again(test, proxy, format!("http://{}", server.address)).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.requests().len(), 1);
}
