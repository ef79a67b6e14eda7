//! The declaration of a Lua module.

use crate::background::job;
use crate::module::call::Call;
use crate::module::frame::{Dispatch, Frame, Outcome};
use crate::module::result::{Error, Return};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A function of a module.
pub struct Function {
    /// Its name in the module's table, or in the metatable of snapshots.
    pub name: &'static str,
    /// What it does.
    pub body: fn(&mut Call<'_>) -> Result<Return, Error>,
}

/// A Lua module.
pub struct Module {
    /// Its name, used for the global and in the registry.
    pub name: &'static str,
    /// The functions in its table, which are also the methods of snapshots.
    pub functions: &'static [Function],
    /// The metamethods of snapshots. `__index` is the module's table.
    pub metamethods: &'static [Function],
}

impl Function {
    /// A function of that name.
    pub const fn new(
        name: &'static str,
        body: fn(&mut Call<'_>) -> Result<Return, Error>,
    ) -> Function {
        Function { name, body }
    }
}

impl Module {
    /// All functions, in the order of their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Function> + use<> {
        self.functions.iter().chain(self.metamethods)
    }
}

impl Dispatch for Module {
    fn call(&self, frame: Frame, number: usize) -> Outcome {
        let Some(function) = self.all().nth(number) else {
            return Outcome::Return(0);
        };
        let mut call = Call::new(frame, function.name);
        job::wait_for_abandoned();
        let result = catch_unwind(AssertUnwindSafe(|| (function.body)(&mut call)))
            .unwrap_or_else(|_| Err(Error::Message("internal error in snapshot (a bug)".into())));
        call.finish(result)
    }
}
