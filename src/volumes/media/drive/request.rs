//! The requests of Linux for optical drives (`linux/cdrom.h`).

use std::ffi::c_void;
use std::fs::File;
use std::io;

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};

use crate::volumes::media::drive::TrayState;

const CDROMEJECT: Opcode = 0x5309;
const CDROM_DRIVE_STATUS: Opcode = 0x5326;
/// `CDSL_CURRENT`: the disc at hand, for changers.
const CURRENT: usize = 0x7fff_ffff;

/// A request whose argument is a number and whose result is the number that the call returns.
struct Request {
    opcode: Opcode,
    argument: usize,
}

// SAFETY: the kernel takes the argument of these requests as a number and neither reads nor writes memory through it.
// The result is the return value alone.
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

    unsafe fn output_from_ptr(out: IoctlOutput, _: *mut c_void) -> rustix::io::Result<IoctlOutput> {
        Ok(out)
    }
}

fn send(device: &File, opcode: Opcode, argument: usize) -> io::Result<IoctlOutput> {
    // Elsewhere the numbers mean something else.
    if !cfg!(target_os = "linux") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let request = Request { opcode, argument };
    // SAFETY: see above. A device of another kind refuses the request.
    #[allow(unsafe_code)]
    let sent = unsafe { ioctl(device, request) };
    Ok(sent?)
}

/// Asks for the state of the tray.
pub(super) fn tray_state(device: &File) -> TrayState {
    match send(device, CDROM_DRIVE_STATUS, CURRENT) {
        Ok(1) => TrayState::Empty,
        Ok(2) => TrayState::Open,
        Ok(3) => TrayState::Busy,
        Ok(4) => TrayState::Disc,
        _ => TrayState::Unknown,
    }
}

/// Opens the tray.
pub(super) fn eject(device: &File) -> io::Result<()> {
    send(device, CDROMEJECT, 0).map(|_| ())
}
