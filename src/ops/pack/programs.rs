//! The programs that come onto the volumes of a set: the running one when it can run anywhere, and others that are named.
//!
//! Whether they come by themselves depends on the room. Nobody carries another disc for the sake of the program.

use std::path::PathBuf;

use serde::Serialize;

use crate::base::size::total;
use crate::ops::Error;
use crate::ops::program::{Program, ProgramError, companions};
use crate::volumes::media::{CompanionFile, CompanionRoom};
use crate::volumes::{self, SetPlan, SetRequest, signatures};

/// Without being asked for, programs take at most one part in so many of a medium.
const SHARE: u64 = 20;

/// Whether programs are put on the volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgramWish {
    /// Never.
    #[default]
    Never,
    /// When they take no further volume and a small part of each.
    WhenTheyFit,
    /// In any case.
    Always,
}

/// Programs for the volumes. By default there are none.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PackPrograms {
    /// The programs, each static and for another machine.
    pub programs: Vec<Program>,
    /// Whether they are put on the volumes.
    pub wish: ProgramWish,
    /// Why the running program is not among them.
    pub left_out: Option<ProgramLeftOut>,
}

/// Says why the running program is not on the volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProgramLeftOut {
    /// It needs a loader and libraries of the system.
    NotStatic,
    /// It cannot be read, or is for a machine without a name here.
    Unreadable,
    /// It would need another volume, or a large part of each.
    NoRoom,
}

/// A program on the volumes.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PlannedProgram {
    /// Name of its file.
    pub file: String,
    /// The machine it is for, such as `x86-64`.
    pub machine: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

impl PackPrograms {
    /// Finds the programs: the running one, and those at these paths. One that is named replaces the running one for
    /// the same machine.
    ///
    /// # Errors
    /// [`Error::Program`] and [`Error::Io`] for a path that is no static program. The running program is left out
    /// instead.
    pub fn find(wish: ProgramWish, named: &[PathBuf]) -> Result<Self, Error> {
        let mut found = Self {
            wish,
            ..Self::default()
        };
        if wish == ProgramWish::Never {
            return Ok(found);
        }
        for path in named {
            let program = Program::read(path)?;
            if !program.is_static {
                let path = path.clone();
                return Err(ProgramError::NotStatic { path }.into());
            }
            let machine = program.machine;
            if let Some(other) = found.programs.iter().find(|one| one.machine == machine) {
                return Err(ProgramError::SameMachine {
                    first: other.path.clone(),
                    second: path.clone(),
                }
                .into());
            }
            found.programs.push(program);
        }
        match Program::running() {
            Ok(own) if found.programs.iter().any(|one| one.machine == own.machine) => {}
            Ok(own) if own.is_static => found.programs.insert(0, own),
            Ok(_) => found.left_out = Some(ProgramLeftOut::NotStatic),
            Err(_) => found.left_out = Some(ProgramLeftOut::Unreadable),
        }
        found.programs[..].sort_by_key(|program| program.machine);
        Ok(found)
    }

    /// Describes them for the text that stands for a request.
    pub(crate) fn asked(&self) -> String {
        let words = self.programs.iter();
        let words = words.map(|program| format!("|{:?} {}", self.wish, program.sha256()));
        words.collect()
    }
}

/// A plan, and what stands on each volume beside it.
pub(crate) struct PlanWithCompanions {
    pub(crate) plan: SetPlan,
    pub(crate) companions: Vec<CompanionFile>,
    /// Those who sign the set, and whose signatures take room too.
    signers: usize,
    pub(crate) left_out: Option<ProgramLeftOut>,
}

impl PlanWithCompanions {
    /// Returns the room that the companion files of one volume take.
    pub(crate) fn room(&self) -> CompanionRoom {
        room_of(&self.companions, self.signers)
    }

    /// Describes the programs.
    pub(crate) fn programs(&self, from: &PackPrograms) -> Vec<PlannedProgram> {
        let is_on = |program: &&Program| {
            let name = program.file_name();
            self.companions.iter().any(|file| file.name == name)
        };
        let programs = from.programs.iter().filter(is_on);
        programs
            .map(|program| PlannedProgram {
                file: program.file_name(),
                machine: program.machine.name(),
                bytes: program.bytes(),
                sha256: program.sha256().to_owned(),
            })
            .collect()
    }
}

fn room_of(files: &[CompanionFile], signers: usize) -> CompanionRoom {
    signatures::room_with(signers, files.iter().map(|file| file.bytes.len() as u64))
}

/// Plans a set for so many signers, with programs as far as they are wanted and fit.
pub(crate) fn plan_with(
    request: &SetRequest<'_>,
    programs: &PackPrograms,
    signers: usize,
) -> Result<PlanWithCompanions, Error> {
    let companions = match programs.wish {
        ProgramWish::Never => Vec::new(),
        ProgramWish::WhenTheyFit | ProgramWish::Always => companions(&programs.programs),
    };
    let mut bare = request.clone();
    bare.capacity = request.capacity.with_companions(room_of(&[], signers));
    let without = |left_out| -> Result<_, Error> {
        Ok(PlanWithCompanions {
            plan: volumes::plan(&bare)?,
            companions: Vec::new(),
            signers,
            left_out,
        })
    };
    if companions.is_empty() {
        return without(programs.left_out);
    }
    let mut wider = request.clone();
    wider.capacity = request
        .capacity
        .with_companions(room_of(&companions, signers));
    let plan = volumes::plan(&wider);
    if programs.wish == ProgramWish::WhenTheyFit {
        let bare = without(Some(ProgramLeftOut::NoRoom))?;
        let bytes = total(companions.iter().map(|file| file.bytes.len() as u64));
        let share = request.capacity.bytes().map(|medium| medium / SHARE);
        let volumes = |plan: &SetPlan| plan.geometry().volume_count();
        let is_light = share.is_none_or(|share| bytes <= share);
        if !is_light
            || !plan
                .as_ref()
                .is_ok_and(|plan| volumes(plan) <= volumes(&bare.plan))
        {
            return Ok(bare);
        }
    }
    Ok(PlanWithCompanions {
        plan: plan?,
        companions,
        signers,
        left_out: programs.left_out,
    })
}
