//! Listening, and stopping without cutting anybody off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt as _;
use kjerne_workspace::Runtime;
use kjerne_workspace::error::{Context as _, Error, Result};
use kjerne_workspace::stderr::tell;
use kjerne_workspace::workers::Workers;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::Door;
use crate::connection::{Allows, run};
use crate::limits::SHUTDOWN_TIME;
use crate::routes::router_until;
#[cfg(unix)]
use crate::socket::OwnerListener;
use crate::watch::Stopping;

/// How often it is looked whether work has ended.
const LOOK: Duration = Duration::from_millis(5);

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
    let longest = Duration::from_millis(SHUTDOWN_TIME.value);
    let began = Instant::now();
    engine.shutdown_timeout(longest);
    // Work that goes on holds the workspace.
    while Arc::strong_count(&runtime) > 1 && began.elapsed() < longest {
        thread::sleep(LOOK);
    }
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
    let (stop, told) = watch::channel(false);
    let stopping = Stopping::default();
    #[cfg(unix)]
    let owner = listen_to_owner(owner, Arc::clone(runtime), told.clone(), stopping.clone());
    #[cfg(not(unix))]
    let owner = std::future::ready(());
    let name = &runtime.workspace.settings().name;
    tell(format_args!("{name}: http://{address}/ (stop with ctrl-c)"));
    let loopback = address.ip().is_loopback();
    let door = Door::Network { loopback };
    let network = router_until(Arc::clone(runtime), door, stopping.clone());
    // An answer waits for no further packet.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let asked = async {
        asked_to_stop().await;
        stopping.stop();
        // Nobody may be listening any more, which is the end all the same.
        let _ = stop.send(true);
    };
    let (served, ..) = tokio::join!(run(listener, network, Allows::NETWORK, told), owner, asked);
    let stopped = tokio::task::spawn_blocking(move || workers.stop()).await;
    stopped.map_err(|error| Error::failed(format!("stopping broke: {error}")))?;
    Ok(served?)
}

/// Serves the workspace's owner.
#[cfg(unix)]
async fn listen_to_owner(
    listener: OwnerListener,
    runtime: Arc<Runtime>,
    told: watch::Receiver<bool>,
    stopping: Stopping,
) {
    let router = router_until(runtime, Door::Owner, stopping);
    let served = run(listener, router, Allows::OWNER, told).await;
    if let Err(error) = served {
        tell(format_args!("the owner's socket: {error}"));
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
