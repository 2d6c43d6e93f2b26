//! Listening, and stopping without cutting anybody off.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use kjerne_workspace::Runtime;
use kjerne_workspace::error::{Context as _, Error, Result};
use kjerne_workspace::workers::Workers;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::Door;
use crate::limits::SHUTDOWN_TIME;
use crate::routes::router;
#[cfg(unix)]
use crate::socket::OwnerListener;

/// Serves an open workspace until the process is asked to stop, then lets requests under way and
/// workers finish. Its owner's commands come in by the socket in its directory, everybody else by
/// the address.
///
/// # Errors
/// When the address cannot be had, or may not be without a token.
pub fn serve(runtime: Runtime, listen: Option<&str>) -> Result<()> {
    let listen = listen
        .unwrap_or(&runtime.workspace.settings().serve.listen)
        .to_owned();
    let address = check_listen(&listen, !runtime.secrets().tokens.is_empty())?;
    let runtime = Arc::new(runtime);
    let engine = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let served = engine.block_on(listen_and_work(&runtime, address));
    // What still blocks a thread by now works for nobody.
    engine.shutdown_timeout(Duration::from_millis(SHUTDOWN_TIME.value));
    served
}

async fn listen_and_work(runtime: &Arc<Runtime>, address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    // A server that its owner's commands cannot reach would hold the workspace against them.
    #[cfg(unix)]
    let owner = OwnerListener::bind(&runtime.workspace)?;
    let workers = Workers::start(runtime)?;
    let (stop, stopping) = watch::channel(false);
    #[cfg(unix)]
    let owner = listen_to_owner(owner, Arc::clone(runtime), stopping.clone());
    #[cfg(not(unix))]
    let owner = std::future::ready(());
    let name = &runtime.workspace.settings().name;
    eprintln!("{name}: http://{address}/ (stop with ctrl-c)");
    let loopback = address.ip().is_loopback();
    let network = router(Arc::clone(runtime), Door::Network { loopback });
    let asked = async {
        asked_to_stop().await;
        // Nobody may be listening any more, which is the end all the same.
        let _ = stop.send(true);
    };
    let (served, ..) = tokio::join!(run(listener, network, stopping), owner, asked);
    let stopped = tokio::task::spawn_blocking(move || workers.stop()).await;
    stopped.map_err(|error| Error::failed(format!("stopping broke: {error}")))?;
    Ok(served?)
}

/// Serves the workspace's owner.
#[cfg(unix)]
async fn listen_to_owner(
    listener: OwnerListener,
    runtime: Arc<Runtime>,
    stopping: watch::Receiver<bool>,
) {
    let served = run(listener, router(runtime, Door::Owner), stopping).await;
    if let Err(error) = served {
        eprintln!("the owner's socket: {error}");
    }
}

/// Serves what a listener lets in until told to stop, and then requests under way for a while.
async fn run<L: Listener>(
    listener: L,
    router: Router,
    stopping: watch::Receiver<bool>,
) -> io::Result<()>
where
    L::Addr: std::fmt::Debug,
{
    let told = |mut stopping: watch::Receiver<bool>| async move {
        // A sender that is gone says the same.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let (first, second) = (told(stopping.clone()), told(stopping));
    let server = axum::serve(listener, router).with_graceful_shutdown(first);
    let patience = async {
        second.await;
        tokio::time::sleep(Duration::from_millis(SHUTDOWN_TIME.value)).await;
    };
    tokio::select! {
        served = server => served,
        () = patience => Ok(()),
    }
}

/// Another address than loopback is open to others, who then need a token.
fn check_listen(listen: &str, has_token: bool) -> Result<SocketAddr> {
    let text = listen.replace("localhost:", "127.0.0.1:");
    let address: SocketAddr = text.parse().map_err(|_| {
        Error::unreadable(format!(
            "cannot listen on {listen:?}: expected an address and a port such as 127.0.0.1:7380"
        ))
    })?;
    if address.ip().is_loopback() || has_token {
        return Ok(address);
    }
    Err(Error::unreadable(format!(
        "{address} can be reached by others, and the workspace has no token; make one with: kjerne \
         token add NAME, or listen on 127.0.0.1"
    )))
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        () = interrupted() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system's own takes the process down.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_than_loopback_needs_a_token() {
        for (listen, token, expected) in [
            ("127.0.0.1:7380", false, Ok("127.0.0.1:7380")),
            ("localhost:1", false, Ok("127.0.0.1:1")),
            ("[::1]:7380", false, Ok("[::1]:7380")),
            ("0.0.0.0:7380", true, Ok("0.0.0.0:7380")),
            ("0.0.0.0:7380", false, Err("the workspace has no token")),
            ("7380", false, Err("expected an address and a port")),
        ] {
            match (check_listen(listen, token), expected) {
                (Ok(address), Ok(expected)) => assert_eq!(address.to_string(), expected),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (found, expected) => panic!("{listen}: {found:?} instead of {expected:?}"),
            }
        }
    }
}
