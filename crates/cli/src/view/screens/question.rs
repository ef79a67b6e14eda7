//! What keeps some objects alive: the answer of `luasnap path`, which is looked for while one waits.

use crate::failure::Result;
use crate::view::subject::{Subject, Target};
use crate::view::task::{News, Task};
use crate::view::words::{self, Words};
use luasnap_format::{Retainers, RetainersOptions, group_name, retainers};
use luasnap_heap::NodeId;
use std::sync::Arc;

/// The most retainers that are listed.
const MOST_RETAINERS: usize = 1_000;
/// The most paths that share nothing.
const MOST_PATHS: usize = 8;

/// A question about objects, and its answer once that is there.
pub struct Question {
    /// The object that stands for all.
    pub first: NodeId,
    /// How many objects it is about.
    pub count: u64,
    /// What they are called.
    pub name: String,
    /// The answer.
    pub answer: Option<Retainers>,
    task: Option<Task<Retainers>>,
}

impl Question {
    /// Asks what keeps the objects of a row alive.
    pub fn ask(subject: &Arc<Subject>, target: Target) -> Result<Question> {
        let first = subject.first(target)?;
        let count = subject.count(target)?;
        let task = Task::begin(subject, move |subject, report| {
            let mut nodes = subject.nodes(target)?;
            // The answer shows the path to the first.
            if let Some(at) = nodes.iter().position(|node| *node == first) {
                nodes.swap(0, at);
            }
            let options = RetainersOptions {
                retainers: MOST_RETAINERS,
                paths: MOST_PATHS,
            };
            report.found(retainers(subject.snapshot(), &nodes, options)?);
            Ok(())
        })?;
        Ok(Question {
            first,
            count,
            name: name(subject, target)?,
            answer: None,
            task: Some(task),
        })
    }

    /// Takes the answer, if it has come.
    pub fn take_news(&mut self) -> Result<bool> {
        let Some(task) = &self.task else {
            return Ok(false);
        };
        match task.news()? {
            News::None => return Ok(false),
            News::Found(answer) => self.answer = Some(answer),
            News::Ended => self.task = None,
        }
        Ok(true)
    }

    /// Whether the answer is still looked for.
    pub fn is_open(&self) -> bool {
        self.task.is_some()
    }

    /// Says what the objects are and what they retain.
    pub fn note(&self, words: Words) -> Option<String> {
        let answer = self.answer.as_ref()?;
        let what = match (&answer.object, answer.count) {
            (Some(object), 1) => object.words.clone().into(),
            _ => words::many(&self.name, answer.count).into(),
        };
        let sizes = (answer.size, answer.retained);
        Some(words.retains(what, sizes, answer.share))
    }
}

/// Returns what a row is called.
fn name(subject: &Subject, target: Target) -> Result<String> {
    let group = match target {
        Target::Object(node) => return Ok(subject.rows.object(node)?.name.to_string()),
        Target::Group(group) => Some(group),
        Target::Fold(_) => subject
            .snapshot()
            .groups()?
            .group_of(subject.first(target)?),
    };
    let snapshot = subject.snapshot();
    let groups = snapshot.groups()?;
    Ok(match group.map(|group| &groups.groups()[group]) {
        Some(group) => {
            let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
            group_name(heap, tree, groups, group)?.to_string()
        }
        None => String::new(),
    })
}
