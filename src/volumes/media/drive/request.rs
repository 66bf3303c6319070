//! The requests of the kernel's interface for optical drives (`linux/cdrom.h`).

use std::fs::File;
use std::io;

use crate::volumes::media::drive::TrayState;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::c_void;
    use std::fs::File;
    use std::io;

    use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};

    const CDROMEJECT: Opcode = 0x5309;
    const CDROM_DRIVE_STATUS: Opcode = 0x5326;

    /// A request whose argument is a number and whose result is the number that the call returns.
    struct Request {
        opcode: Opcode,
        argument: usize,
    }

    // SAFETY: the kernel takes the argument of these requests as a number and neither reads nor writes memory through
    // it. The result is the return value alone.
    #[allow(unsafe_code)]
    unsafe impl Ioctl for Request {
        type Output = IoctlOutput;

        const IS_MUTATING: bool = false;

        fn opcode(&self) -> Opcode {
            self.opcode
        }

        fn as_ptr(&mut self) -> *mut c_void {
            std::ptr::without_provenance_mut(self.argument)
        }

        unsafe fn output_from_ptr(
            out: IoctlOutput,
            _: *mut c_void,
        ) -> rustix::io::Result<IoctlOutput> {
            Ok(out)
        }
    }

    fn send(device: &File, opcode: Opcode, argument: usize) -> io::Result<IoctlOutput> {
        let request = Request { opcode, argument };
        // SAFETY: see above. A device of another kind refuses the request.
        #[allow(unsafe_code)]
        let sent = unsafe { ioctl(device, request) };
        Ok(sent?)
    }

    pub(super) fn drive_status(device: &File) -> Option<IoctlOutput> {
        /// `CDSL_CURRENT`: the disc at hand, for changers.
        const CURRENT: usize = 0x7fff_ffff;
        send(device, CDROM_DRIVE_STATUS, CURRENT).ok()
    }

    pub(super) fn eject(device: &File) -> io::Result<()> {
        send(device, CDROMEJECT, 0).map(|_| ())
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    use std::fs::File;
    use std::io;

    pub(super) fn drive_status(_: &File) -> Option<i32> {
        None
    }

    pub(super) fn eject(_: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Asks for the state of the tray.
pub(super) fn tray_state(device: &File) -> TrayState {
    match linux::drive_status(device) {
        Some(1) => TrayState::Empty,
        Some(2) => TrayState::Open,
        Some(3) => TrayState::Busy,
        Some(4) => TrayState::Disc,
        _ => TrayState::Unknown,
    }
}

/// Opens the tray.
pub(super) fn eject(device: &File) -> io::Result<()> {
    linux::eject(device)
}
