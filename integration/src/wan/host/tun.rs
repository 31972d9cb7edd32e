//! A TUN device inside a namespace, open for packets with virtio headers and all segmentation offloads.

use std::io;

use rustix::{
    fd::{AsFd, BorrowedFd},
    io::Errno,
};
use tun_rs::{DeviceBuilder, SyncDevice};

use super::{super::error::HostError, namespace};

/// Packets that the kernel keeps until they are read: more than a burst at the capacity while the thread is not scheduled.
const QUEUE_PACKETS: u32 = 10_000;

/// Gone, with its device, when it is dropped.
pub(crate) struct Tun {
    device: SyncDevice,
}

impl Tun {
    pub(crate) fn open(namespace: &str, name: &str, mtu: u16) -> Result<Self, HostError> {
        namespace::within(namespace, || {
            let builder = DeviceBuilder::new().name(name).mtu(mtu).offload(true).tx_queue_len(QUEUE_PACKETS);
            let device = builder.enable(true).build_sync()?;
            device.set_nonblocking(true)?;
            Ok(Self { device })
        })
    }

    /// The next packet, if one is there.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::io::read(&self.device, buffer) {
            Ok(length) => Ok(Some(length)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the kernel took the packet.
    pub(crate) fn write(&self, packet: &[u8]) -> bool {
        rustix::io::write(&self.device, packet).is_ok()
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}
