//! Listens, and takes each request from the client to its vendor and back.

use std::{io, net, sync::Arc, time::Duration};

use rustls::HandshakeKind;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::sleep,
};

use super::{
    Shared, control,
    delivery::{Connection, Wire, deliver},
    faults::{Effect, Moment},
    http::{Answer, Request},
    journal::Entry,
    reader::{Reader, Unread, hang_up},
    smtp,
    tls::Showing,
    vendor::{Api, Call},
};

/// Serves HTTP, HTTPS, SMTP and SMTPS, in this order, until `stopped` says otherwise.
pub(crate) async fn run(listeners: [net::TcpListener; 4], shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let [http, https, smtp, smtps] = listeners;
    tokio::select! {
        _ = accept(http, &shared, serve_http) => {}
        _ = accept(https, &shared, serve_https) => {}
        _ = accept(smtp, &shared, smtp::serve_starttls) => {}
        _ = accept(smtps, &shared, smtp::serve_tls) => {}
        _ = stopped => {}
    }
}

async fn accept<F: Future + Send + 'static>(
    listener: net::TcpListener,
    shared: &Arc<Shared>,
    serve: impl Fn(TcpStream, Arc<Shared>) -> F,
) -> io::Result<()>
where
    F::Output: Send,
{
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, Arc::clone(shared)));
            }
            // Out of file descriptors, most likely: some will be free again soon.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve_http(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    shared.journal.connected(|connections| connections.clear += 1);
    serve(stream, shared).await
}

async fn serve_https(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let acceptor = shared.identity.acceptor(Showing::Usual).map_err(io::Error::other)?;
    let mut stream = acceptor.accept(stream).await?;
    let is_resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
    shared.journal.connected(|connections| if is_resumed { connections.resumed += 1 } else { connections.full += 1 });
    // The tickets of TLS 1.3, which a client has to get before its answer.
    stream.flush().await?;
    serve(stream, shared).await
}

async fn serve(mut stream: impl Wire, shared: Arc<Shared>) -> io::Result<()> {
    let mut reader = Reader::new();
    loop {
        match reader.next(&mut stream).await {
            Ok(request) => {
                let connection = exchange(&mut stream, &request, &shared).await?;
                if connection == Connection::Spent || !request.keeps_alive() {
                    return Ok(());
                }
            }
            Err(Unread::Gone) => return Ok(()),
            Err(Unread::Refused(answer)) => {
                deliver(&mut stream, &answer.with_header("Connection", "close"), None, &shared.gate).await?;
                hang_up(stream).await;
                return Ok(());
            }
        }
    }
}

async fn exchange(stream: &mut impl Wire, request: &Request, shared: &Shared) -> io::Result<Connection> {
    if let Some(answer) = control::answer(request, shared) {
        return deliver(stream, &answer, None, &shared.gate).await;
    }
    let entry = shared.journal.enter(request);
    let vendor = shared.vendors.apis().find_map(|vendor| Some((vendor, vendor.call(request)?)));
    let (answer, effect) = match vendor {
        Some((vendor, call)) => call_vendor(vendor, &call, request, shared).await,
        None => (Answer::page(404), None),
    };
    note(shared, entry, &answer, effect.as_ref());
    deliver(stream, &answer, effect.as_ref(), &shared.gate).await
}

/// Does what is asked, unless a fault comes before it, and returns how to deliver the answer.
async fn call_vendor(vendor: &dyn Api, call: &Call, request: &Request, shared: &Shared) -> (Answer, Option<Effect>) {
    let others = |moment| shared.notify_others(Some(call.operation), call.user_name.as_deref(), moment);
    others(Moment::Before);
    if let Some(effect) = shared.faults.take(Moment::Before, call)
        && !effect.wait(&shared.gate).await
    {
        let placeholder = Answer::json(200, &json!({}));
        return (effect.shape(placeholder, vendor), Some(effect));
    }
    let admission = shared.rate_limit.admit();
    let answer = if admission.is_taken { vendor.answer(request) } else { vendor.failure(429) };
    others(Moment::After);
    let answer = admission.noted_on(answer);
    match shared.faults.take(Moment::After, call) {
        Some(effect) if !effect.wait(&shared.gate).await => (effect.shape(answer, vendor), Some(effect)),
        _ => (answer, None),
    }
}

/// Recorded before the client knows, so anyone who has the answer finds it in the journal.
fn note(shared: &Shared, entry: Entry, answer: &Answer, effect: Option<&Effect>) {
    if !matches!(effect, Some(Effect::Close | Effect::TcpReset)) {
        shared.journal.answered(entry, answer.status);
    }
}
