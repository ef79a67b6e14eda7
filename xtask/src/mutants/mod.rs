//! Luas with one change each, to show that no snapshot of any of them is wrong.

mod build;
mod compare;
mod copies;
mod meaning;
mod mutant;
mod mutate;
mod parse;
mod report;
mod run;
mod vm;

use crate::cargo::{cargo, target};
use crate::layout::Layout;
use crate::process;
use anyhow::{Context, Result, ensure};
use build::{Base, Workshop};
use clap::Args;
use compare::Verdict;
use mutant::{Change, Mutant};
use report::{Outcome, Report};
use run::Programs;
use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{fs, thread};
use vm::Vm;

/// A mutant was wrong, or too many were refused.
const NOT_GOOD: u8 = 1;
/// Number of mutants built and run at once.
const AT_ONCE: usize = 2;

/// Makes hundreds of changed Luas, and checks that snapshots of them are right or refused.
///
/// Each member of each structure that is read has a word inserted before it, is swapped with the
/// next, or is removed; numbers, strings, hash tables and metamethods are changed. Mutants that
/// still compile and run a script are captured from inside and from outside. A capture is right if
/// it agrees with the portable engine and with the VM's own headers.
///
/// The mutants of one release, about 470, took 16 minutes on two busy processors; all releases take
/// a few times as long. Exits with 1 if one is wrong, or if more than half of those that move
/// nothing that is read were refused; with 2 if it failed.
#[derive(Args)]
pub struct Mutants {
    /// Only this many of them, chosen at random.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// The seed that chooses them: the same seed chooses the same mutants.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only those with this in their names, as in 5.4.9/TString.hash/word-before.
    #[arg(long, value_name = "SUBSTRING")]
    only: Option<String>,
    /// Every available release of PUC Lua, not just the newest of each version.
    #[arg(long)]
    every_release: bool,
    /// Report the result of each, not only of those that are wrong.
    #[arg(long)]
    verbose: bool,
    /// Keep what was built, and report where.
    #[arg(long)]
    keep: bool,
}

/// What all mutants of a VM share.
struct Prepared<'a> {
    vm: &'a Vm,
    base: Base,
    layout: Layout,
}

impl Mutants {
    pub fn execute(&self) -> Result<ExitCode> {
        let start = Instant::now();
        let vms = Vm::all(self.every_release)?;
        let mut chosen = Vec::new();
        for vm in &vms {
            chosen.extend(mutate::mutants(vm)?);
        }
        if let Some(part) = &self.only {
            chosen.retain(|mutant| mutant.name.contains(part.as_str()));
        }
        ensure!(!chosen.is_empty(), "no mutant has such a name");
        if let Some(count) = self.sample {
            chosen = self.sample_of(chosen, count);
        }

        let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
        let programs = programs()?;
        let workshop = Workshop::new(scratch.path().to_owned());
        let mut prepared = Vec::new();
        for vm in &vms {
            if chosen.iter().any(|mutant| mutant.vm.name == vm.name) {
                prepared.push(Prepared {
                    vm,
                    base: workshop.prepare(vm)?,
                    layout: vm.layout(&vm.sources)?,
                });
            }
        }
        let report = self.run_all(chosen, &workshop, &prepared, &programs)?;
        println!("{report}");
        println!("it took {} s", start.elapsed().as_secs());
        if self.keep {
            println!("what was built is in {}", scratch.keep().display());
        }
        Ok(match report.is_good() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(NOT_GOOD),
        })
    }

    /// Chooses this many of them, in their order.
    fn sample_of<'a>(&self, all: Vec<Mutant<'a>>, count: usize) -> Vec<Mutant<'a>> {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        println!("--sample {count} --seed {seed}");
        let mut numbers: Vec<usize> = (0..all.len()).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut numbers);
        numbers.truncate(count);
        let is_chosen = |number: &usize| numbers.contains(number);
        let chosen = all.into_iter().enumerate();
        let chosen = chosen.filter(|(number, _)| is_chosen(number));
        chosen.map(|(_, mutant)| mutant).collect()
    }

    fn run_all(
        &self,
        mutants: Vec<Mutant<'_>>,
        workshop: &Workshop,
        prepared: &[Prepared<'_>],
        programs: &Programs,
    ) -> Result<Report> {
        let queue = Mutex::new(VecDeque::from(mutants));
        let report = Mutex::new(Report::default());
        let work = || -> Result<()> {
            loop {
                let next = lock(&queue).pop_front();
                let Some(mutant) = next else {
                    return Ok(());
                };
                let prepared = prepared.iter().find(|one| one.vm.name == mutant.vm.name);
                let prepared = prepared.context("every VM was prepared")?;
                let outcome = self
                    .try_one(&mutant, workshop, prepared, programs)
                    .with_context(|| format!("the mutant {}", mutant.name))?;
                let is_wrong = matches!(outcome.verdict, Verdict::Wrong(_));
                if self.verbose || is_wrong {
                    println!("{outcome}");
                }
                lock(&report).add(outcome);
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| {
                let done = thread.join();
                done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Builds and runs one mutant.
    fn try_one(
        &self,
        mutant: &Mutant<'_>,
        workshop: &Workshop,
        prepared: &Prepared<'_>,
        programs: &Programs,
    ) -> Result<Outcome> {
        let built = workshop.start(&prepared.base, mutant)?;
        let layout = mutant.vm.layout(&built.sources);
        let moves_nothing = match mutant.change {
            Change::None | Change::Inner => true,
            Change::Members => layout.is_ok_and(|layout| layout.is_same(&prepared.layout)),
            Change::Headers | Change::Meaning => false,
        };
        let verdict = match workshop.build(&prepared.base, mutant, &built) {
            Err(error) => Verdict::NotCompiled(format!("{error:#}")),
            Ok(()) => compare::verdict(&run::run(programs, &built)?),
        };
        if !self.keep {
            fs::remove_dir_all(&built.folder).context("cannot remove a folder")?;
        }
        Ok(Outcome {
            name: mutant.name.clone(),
            verdict,
            moves_nothing,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds our own programs.
fn programs() -> Result<Programs> {
    let mut command = cargo();
    command.args(["build", "--locked", "--package", "snapshot"]);
    command.args(["--example", "compare", "--example", "attached"]);
    process::output(&mut command)?;
    let folder = target().join("debug/examples");
    let programs = Programs {
        compare: folder.join("libcompare.so"),
        attached: folder.join("attached"),
    };
    for path in [&programs.compare, &programs.attached] {
        ensure!(path.exists(), "cargo did not build {}", path.display());
    }
    Ok(programs)
}
