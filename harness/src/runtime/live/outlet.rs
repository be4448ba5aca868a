//! Where frames leave: a bounded, lossy queue in front of a connection.
//!
//! Protocols here expect a network that loses messages, so nobody ever waits for a slow or absent receiver:
//! when the queue is full, or the receiver is down, a frame is lost.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::frame::Frame;

/// How many frames wait at most.
const QUEUE: usize = 1024;

/// How long a failed connection attempt is waited for before the next: first, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Takes frames, and loses them when it must.
#[derive(Clone, Debug)]
pub(super) struct Outlet(mpsc::Sender<Frame>);

impl Outlet {
    /// Sends a frame, or loses it.
    pub(super) fn send(&self, frame: Frame) {
        // Full or closed: lost, as a network may.
        let _lost = self.0.try_send(frame);
    }

    /// An outlet to a connection that exists; when it breaks, everything sent is lost.
    pub(super) fn over<W: AsyncWrite + Send + Unpin + 'static>(mut connection: W) -> Self {
        let (sender, mut queue) = mpsc::channel::<Frame>(QUEUE);
        tokio::spawn(async move {
            while let Some(frame) = queue.recv().await {
                if connection.write_all(frame.bytes()).await.is_err() {
                    return;
                }
            }
        });
        Self(sender)
    }

    /// An outlet that keeps itself connected to an address, which may change; while there is none, everything
    /// sent is lost. It ends when the outlet and all its clones are dropped.
    pub(super) fn to(address: watch::Receiver<Option<SocketAddr>>) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        tokio::spawn(keep_connected(address, queue));
        Self(sender)
    }
}

async fn keep_connected(
    mut address: watch::Receiver<Option<SocketAddr>>,
    mut queue: mpsc::Receiver<Frame>,
) {
    let mut pause = BACK_OFF.0;
    loop {
        let target = *address.borrow_and_update();
        let connection = match target {
            None => None,
            Some(target) => TcpStream::connect(target).await.ok(),
        };
        if let Some(connection) = connection {
            pause = BACK_OFF.0;
            tokio::select! {
                biased;
                () = change(&mut address) => continue,
                end = forward(connection, &mut queue) => match end {
                    End::Broken => continue,
                    End::Closed => return,
                },
            }
        }
        let retry = async {
            match target {
                Some(_) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = change(&mut address) => {}
            () = lose_all(&mut queue) => return,
            () = retry => pause = (pause * 2).min(BACK_OFF.1),
        }
    }
}

/// Why a connection is used no longer.
enum End {
    /// It broke.
    Broken,
    /// Nobody will send any more.
    Closed,
}

/// Forwards frames. When this is cancelled the connection ends too, so that no frame follows half of another.
async fn forward(mut connection: TcpStream, queue: &mut mpsc::Receiver<Frame>) -> End {
    // Without it a small frame would wait for the answer to the one before.
    if connection.set_nodelay(true).is_err() {
        return End::Broken;
    }
    while let Some(frame) = queue.recv().await {
        if connection.write_all(frame.bytes()).await.is_err() {
            return End::Broken;
        }
    }
    End::Closed
}

/// Waits until the address is another: for ever, if nobody can change it.
async fn change(address: &mut watch::Receiver<Option<SocketAddr>>) {
    if address.changed().await.is_err() {
        std::future::pending().await
    }
}

/// Loses what is sent until nobody will send any more.
async fn lose_all(queue: &mut mpsc::Receiver<Frame>) {
    while queue.recv().await.is_some() {}
}
