//! `background`: a snapshot that another process saves, and the job by which one asks for it.

use crate::arguments::{Result, engine_of_environment, path_argument};
use crate::failure::write_error;
use crate::files::save_options;
use luasnap_capture::{Call, Compressor, Error, Job, JobFailure, JobFile, Return, Value};
use luasnap_format::{
    AnswerError, Compress, FileError, FileToBe, SaveOptions, remove_left_name,
    write_snapshot_in_one_thread,
};
use luasnap_heap::{Engine, Heap, Snapshot};
use luasnap_words::Sentence;
use std::io;

/// `background(path [, options])`: a process of its own saves a snapshot of everything.
pub fn background(call: &mut Call<'_>) -> Result {
    let path = path_argument(call, 1)?;
    let (options, file) = save_options(call, 2)?;
    if engine_of_environment()? == Some(Engine::Portable) {
        let sentence = Sentence::new("background.portable_only")
            .with("reason", Sentence::new("background.portable_chosen"));
        return Err(Error::Message(sentence.to_string()));
    }
    let to_be = FileToBe::prepare(&path, file).map_err(write_error)?;
    let file = JobFile {
        path,
        descriptor: to_be.descriptor(),
        left: to_be
            .temporary_name()
            .map(|name| (name.to_owned(), remove_left_name as _)),
    };
    // It is here and in the other process, which alone writes it.
    let mut to_be = Some(to_be);
    let job = call.capture_in_background(file, &mut |heap| write(to_be.take(), heap, options))?;
    if let Some(to_be) = to_be {
        to_be.leave();
    }
    Ok(job)
}

/// Writes the file, in the other process.
fn write(
    file: Option<FileToBe>,
    heap: Heap,
    options: SaveOptions,
) -> std::result::Result<(), JobFailure> {
    let Some(file) = file else {
        return Err(JobFailure::Silent);
    };
    let snapshot = Snapshot::new(heap);
    let written =
        file.write(|out| write_snapshot_in_one_thread(out, &snapshot, options, compressor));
    written.map(drop).map_err(|error| match error.source {
        AnswerError::OutOfMemory => JobFailure::OutOfMemory,
        AnswerError::Io(error) => match number_of(&error) {
            Some(number) => JobFailure::System(number),
            None => JobFailure::Said(error.to_string()),
        },
        error => JobFailure::Said(error.to_string()),
    })
}

/// The system's number of an error, or of the one that is wrapped in it.
fn number_of(error: &io::Error) -> Option<i32> {
    let mut error = error;
    loop {
        if let Some(number) = error.raw_os_error() {
            return Some(number);
        }
        error = error.get_ref()?.source()?.downcast_ref()?;
    }
}

struct Zstd(Compressor);

impl Compress for Zstd {
    fn compress(&mut self, block: &[u8], to: &mut Vec<u8>) -> bool {
        self.0.compress(block, to)
    }
}

fn compressor(level: i32) -> Option<Box<dyn Compress>> {
    let compressor = Compressor::new(level)?;
    Some(Box::new(Zstd(compressor)))
}

/// `job:done()`: whether the process has ended.
pub fn done(call: &mut Call<'_>) -> Result {
    let job = call.job_argument(1)?;
    Ok(Return::Value(Value::Boolean(job.ended().is_some())))
}

/// `job:wait()`: waits until the file is written, and raises what `save` would raise if it is not.
pub fn wait(call: &mut Call<'_>) -> Result {
    let job = call.job_argument(1)?;
    job.wait();
    match failure(job) {
        None => Ok(Return::Nothing),
        Some(sentence) => Err(Error::Message(sentence)),
    }
}

/// `job:error()`: why the file was not written; nil if it was, or may still be.
pub fn error(call: &mut Call<'_>) -> Result {
    let text = failure(call.job_argument(1)?);
    Ok(match text {
        None => Return::Nil,
        Some(sentence) => Return::Text(sentence.into_bytes()),
    })
}

/// What `tostring` says of a job; `None` where the argument is none.
pub fn shown(call: &mut Call<'_>) -> Option<&'static str> {
    let job = call.job_argument(1).ok()?;
    Some(match job.ended() {
        None => "snapshot job: running",
        Some(Ok(())) => "snapshot job: done",
        Some(Err(_)) => "snapshot job: failed",
    })
}

/// Why the file was not written, in a sentence; `None` if it was, or may still be.
fn failure(job: &mut Job) -> Option<String> {
    let source = match job.ended()?.as_ref().err()? {
        JobFailure::OutOfMemory => AnswerError::OutOfMemory,
        JobFailure::System(number) => io::Error::from_raw_os_error(*number).into(),
        JobFailure::Said(sentence) => io::Error::other(sentence.clone()).into(),
        JobFailure::Killed(signal) => {
            io::Error::other(Sentence::new("background.killed").with("signal", *signal)).into()
        }
        JobFailure::Panicked => io::Error::other(Sentence::new("background.bug")).into(),
        JobFailure::Silent => io::Error::other(Sentence::new("background.silent")).into(),
    };
    let path = job.path().to_owned();
    Some(FileError { path, source }.to_string())
}
