//! The Lua state that the user means, by its address or its name.

use luasnap_capture::process::StateChoice;
use luasnap_format::address_of;
use luasnap_words::Sentence;

/// A state by its address, or all of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StateArgument {
    /// The address of its main thread.
    Address(u64),
    /// What it is called.
    Name(String),
}

impl StateArgument {
    /// Reads what the user typed.
    pub fn parse(text: &str) -> Result<StateArgument, Sentence> {
        match address_of(text.as_bytes()) {
            _ if text.is_empty() => Err(Sentence::new("quantity.state")),
            Some(address) if text.starts_with("0x") => Ok(StateArgument::Address(address)),
            _ => Ok(StateArgument::Name(text.to_owned())),
        }
    }

    /// Returns the choice.
    pub fn choice(&self) -> StateChoice<'_> {
        match self {
            StateArgument::Address(address) => StateChoice::At(*address),
            StateArgument::Name(name) => StateChoice::Called(name),
        }
    }
}

/// Parses an address such as `0x55d0`.
pub fn address(text: &str) -> Result<u64, Sentence> {
    address_of(text.as_bytes()).ok_or_else(|| Sentence::new("quantity.address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        let parse = StateArgument::parse;
        assert_eq!(parse("0x55d0"), Ok(StateArgument::Address(0x55d0)));
        for name in [
            "agent",
            ":0000000a",
            "agent :0000000a",
            "0xyz",
            "main.lua",
            "10",
        ] {
            assert_eq!(parse(name), Ok(StateArgument::Name(name.to_owned())));
        }
        assert!(parse("").is_err());
    }
}
