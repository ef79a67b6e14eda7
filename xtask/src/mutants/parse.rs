//! The members of the structures in a C header, as places in its text.
//!
//! Supports the small part of C that the headers of the Luas use: declarations that end in a
//! semicolon, nested structures and unions, comments, and directives between members.

use std::ops::Range;

/// The members of a structure, or of a macro that is used in structures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// `Table`; for a nested one `Node.u`.
    pub name: String,
    /// Whether all of its members are at the same place.
    pub is_union: bool,
    pub members: Vec<Member>,
}

/// A member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub name: String,
    /// The range of its declaration, without the semicolon.
    pub declaration: Range<usize>,
    /// Whether a directive such as `#if` is between it and the next.
    pub is_before_directive: bool,
    /// The ranges of several declarators, such as `*previous` and `*next` of `struct CallInfo
    /// *previous, *next`.
    pub declarators: Vec<Range<usize>>,
}

impl Body {
    /// Returns the member with that name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// Replaces a directive in a masked text.
const DIRECTIVE: u8 = 1;

/// Returns every structure and union in a header that has a body, and the given macros.
pub fn bodies(header: &str, macros: &[&str]) -> Vec<Body> {
    let mut masked = header.as_bytes().to_vec();
    mask_comments(&mut masked);
    let mut found = Vec::new();
    for directive in directives(&masked) {
        let macro_body = macros
            .iter()
            .find_map(|name| Some((*name, body_of_macro(&masked, directive.clone(), name)?)));
        // A second definition is in a branch that does not apply.
        let macro_body =
            macro_body.filter(|(name, _)| !found.iter().any(|body: &Body| body.name == *name));
        if let Some((name, body)) = macro_body {
            for at in body.clone() {
                if masked[at] == b'\\' {
                    masked[at] = b' ';
                }
            }
            found.push(Body {
                name: name.into(),
                is_union: false,
                members: members(&masked, body),
            });
        }
        masked[directive.clone()].fill(b' ');
        masked[directive.start] = DIRECTIVE;
    }
    scan(&masked, 0..masked.len(), "", &mut found);
    found
}

/// Replaces comments by blanks.
fn mask_comments(text: &mut [u8]) {
    let mut at = 0;
    while at + 1 < text.len() {
        let end: &[u8] = match &text[at..at + 2] {
            b"/*" => b"*/",
            b"//" => b"\n",
            _ => {
                at += 1;
                continue;
            }
        };
        let rest = &text[at + 2..];
        let len = rest.windows(end.len()).position(|part| part == end);
        let stop = match len {
            Some(len) if end == b"*/" => at + 2 + len + 2,
            Some(len) => at + 2 + len,
            None => text.len(),
        };
        // Line breaks are kept: a comment in a macro may span several lines.
        for byte in &mut text[at..stop] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = stop;
    }
}

/// Returns the directives, each with its continued lines.
fn directives(masked: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut is_continued = false;
    for line in masked.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.len();
        let text = line.trim_ascii();
        if is_continued {
            if let Some(directive) = found.last_mut() {
                directive.end = end;
            }
        } else if text.starts_with(b"#") {
            found.push(start..end);
        }
        is_continued = (is_continued || text.starts_with(b"#")) && text.ends_with(b"\\");
        start = end;
    }
    found
}

/// Returns what follows `#define name` in a directive.
fn body_of_macro(masked: &[u8], directive: Range<usize>, name: &str) -> Option<Range<usize>> {
    let text = &masked[directive.clone()];
    let rest = text.trim_ascii_start().strip_prefix(b"#")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"define")?;
    let rest = rest.trim_ascii_start().strip_prefix(name.as_bytes())?;
    let is_whole = rest.first().is_some_and(u8::is_ascii_whitespace);
    is_whole.then(|| directive.end - rest.len()..directive.end)
}

/// Finds the bodies in a part of the text.
fn scan(masked: &[u8], part: Range<usize>, prefix: &str, found: &mut Vec<Body>) {
    let mut at = part.start;
    while let Some((kind, word)) = next_word(masked, at..part.end) {
        at = word.end;
        let is_union = kind == "union";
        if !is_union && kind != "struct" {
            continue;
        }
        let mut open = word.end;
        let mut tag = None;
        if let Some((name, place)) = next_word(masked, open..part.end)
            && masked[open..place.start]
                .iter()
                .all(u8::is_ascii_whitespace)
        {
            tag = Some(name);
            open = place.end;
        }
        let blanks = masked[open..part.end]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace());
        open += blanks.count();
        if masked.get(open) != Some(&b'{') {
            continue;
        }
        let Some(close) = matching(masked, open, part.end) else {
            return;
        };
        let declarator = match next_word(masked, close + 1..part.end) {
            Some((name, place))
                if masked[close + 1..place.start]
                    .iter()
                    .all(u8::is_ascii_whitespace) =>
            {
                Some(name)
            }
            _ => None,
        };
        let own = match prefix {
            "" => tag.or(declarator),
            _ => declarator.or(tag),
        };
        let own = own.unwrap_or("(nameless)");
        let name = match prefix {
            "" => own.to_owned(),
            _ => format!("{prefix}.{own}"),
        };
        found.push(Body {
            name: name.clone(),
            is_union,
            members: members(masked, open + 1..close),
        });
        scan(masked, open + 1..close, &name, found);
        at = close;
    }
}

/// Returns the next identifier.
fn next_word(masked: &[u8], part: Range<usize>) -> Option<(&str, Range<usize>)> {
    let text = &masked[part.clone()];
    let start = text.iter().position(|&byte| is_word(byte))?;
    let len = text[start..]
        .iter()
        .take_while(|&&byte| is_word(byte))
        .count();
    let place = part.start + start..part.start + start + len;
    Some((std::str::from_utf8(&masked[place.clone()]).ok()?, place))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns the position of the brace that closes the one at `open`.
fn matching(masked: &[u8], open: usize, end: usize) -> Option<usize> {
    let mut depth = 0;
    (open..end).find(|&at| {
        match masked[at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// Returns the members in a part of the text.
fn members(masked: &[u8], part: Range<usize>) -> Vec<Member> {
    let mut found: Vec<Member> = Vec::new();
    let mut depth = 0_usize;
    let mut start = part.start;
    for at in part.clone() {
        match masked[at] {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => {
                found.extend(member(masked, start..at));
                start = at + 1;
            }
            DIRECTIVE if depth == 0 => {
                if let Some(last) = found.last_mut() {
                    last.is_before_directive = true;
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    // The last one of a macro has no semicolon.
    found.extend(member(masked, start..part.end));
    found
}

fn member(masked: &[u8], part: Range<usize>) -> Option<Member> {
    let text = &masked[part.clone()];
    let start = part.start + (text.len() - text.trim_ascii_start().len());
    let end = part.end - (text.len() - text.trim_ascii_end().len());
    if start >= end {
        return None;
    }
    let mut ends = Vec::new();
    let mut depth = 0_usize;
    for (at, byte) in (start..).zip(&masked[start..end]) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    ends.push(end);
    Some(Member {
        name: name_of(&masked[start..ends[0]]),
        declaration: start..end,
        is_before_directive: false,
        declarators: declarators(masked, start, &ends),
    })
}

/// Returns the ranges of several declarators, given their ends.
fn declarators(masked: &[u8], start: usize, ends: &[usize]) -> Vec<Range<usize>> {
    if ends.len() < 2 {
        return Vec::new();
    }
    // The first begins after the type: at its stars, or else at its name.
    let first = &masked[start..ends[0]];
    let words = first
        .iter()
        .rposition(|&byte| !is_word(byte) && byte != b'*');
    let mut from = start + words.map_or(0, |last| last + 1);
    let mut found = Vec::new();
    for &end in ends {
        let blanks = masked[from..end]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace());
        found.push(from + blanks.count()..end);
        from = end + 1;
    }
    found
}

/// Returns the declared name: the last identifier outside brackets.
fn name_of(declaration: &[u8]) -> String {
    let mut depth = 0_usize;
    let mut end = None;
    for (at, &byte) in declaration.iter().enumerate().rev() {
        match byte {
            b']' | b')' | b'}' => depth += 1,
            b'[' | b'(' | b'{' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if is_word(byte) && end.is_none() => end = Some(at + 1),
            _ if !is_word(byte) && end.is_some() => {
                return word(&declaration[at + 1..end.unwrap_or(at + 1)]);
            }
            _ => {}
        }
    }
    word(&declaration[..end.unwrap_or(0)])
}

fn word(bytes: &[u8]) -> String {
    match bytes {
        b"" | b"union" | b"struct" => "(nameless)".to_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
#define CommonHeader\tGCObject *next; lu_byte tt; lu_byte marked
#define CommonHeaderOf(x) ((x)->next)
#define CommonHeader\tlong other
#define ClosureHeader \\
\tCommonHeader; lu_byte nupvalues; \\
\tGCObject *gclist
/* struct Not { int a; } */
struct lua_State;
typedef struct Table {
  CommonHeader;
  lu_byte flags;  /* 1<<p; means { not } there */
  TString *names[TM_N];
#if LUA_32
  struct Table *metatable, *other;
#endif
  LJ_ALIGN(8) uint64_t seed; // of strings; all
  union {
    struct {  /* open */
      struct UpVal *next;
      int extra;
    } open;
    TValue value;
  } u;
  union { int a; };
  void (*hook)(int x);
} Table;
typedef union { int a; } Loose;
";

    fn names(body: &str) -> Vec<String> {
        let bodies = bodies(HEADER, &["CommonHeader", "ClosureHeader"]);
        let body = bodies.into_iter().find(|known| known.name == body);
        let members = body.expect("the body").members.into_iter();
        members.map(|member| member.name).collect()
    }

    #[test]
    fn every_body_is_found_by_its_name() {
        let found: Vec<_> = bodies(HEADER, &["CommonHeader", "ClosureHeader"])
            .into_iter()
            .map(|body| (body.name, body.is_union))
            .collect();
        let expected = [
            ("CommonHeader", false),
            ("ClosureHeader", false),
            ("Table", false),
            ("Table.u", true),
            ("Table.u.open", false),
            ("Table.(nameless)", true),
            ("Loose", true),
        ];
        let found: Vec<_> = found.iter().map(|(name, is)| (&**name, *is)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn members_have_the_names_that_they_declare() {
        let expected = [
            "CommonHeader",
            "flags",
            "names",
            "metatable",
            "seed",
            "u",
            "(nameless)",
        ];
        assert_eq!(names("Table")[..7], expected);
        assert_eq!(names("Table.u.open"), ["next", "extra"]);
        assert_eq!(names("CommonHeader"), ["next", "tt", "marked"]);
        assert_eq!(
            names("ClosureHeader"),
            ["CommonHeader", "nupvalues", "gclist"]
        );
    }

    #[test]
    fn declarations_are_places_in_the_text() {
        let bodies = bodies(HEADER, &["ClosureHeader"]);
        let table = bodies
            .iter()
            .find(|body| body.name == "Table")
            .expect("Table");
        let text = |name| &HEADER[table.member(name).expect("a member").declaration.clone()];
        assert_eq!(text("flags"), "lu_byte flags");
        assert_eq!(text("names"), "TString *names[TM_N]");
        assert_eq!(text("seed"), "LJ_ALIGN(8) uint64_t seed");
        let closure = bodies.iter().find(|body| body.name == "ClosureHeader");
        let last = &closure.expect("ClosureHeader").members[2];
        assert_eq!(&HEADER[last.declaration.clone()], "GCObject *gclist");
    }

    #[test]
    fn directives_part_members() {
        let bodies = bodies(HEADER, &[]);
        let table = bodies
            .iter()
            .find(|body| body.name == "Table")
            .expect("Table");
        let is_parted = |name| table.member(name).expect("a member").is_before_directive;
        assert!(!is_parted("flags") && !is_parted("seed"));
        assert!(is_parted("names") && is_parted("metatable"));
    }

    #[test]
    fn several_declarators_are_told_apart() {
        let bodies = bodies(HEADER, &[]);
        let table = bodies
            .iter()
            .find(|body| body.name == "Table")
            .expect("Table");
        let places = &table.member("metatable").expect("a member").declarators;
        let texts: Vec<_> = places.iter().map(|place| &HEADER[place.clone()]).collect();
        assert_eq!(texts, ["*metatable", "*other"]);
        assert!(
            table
                .member("flags")
                .expect("a member")
                .declarators
                .is_empty()
        );
    }
}
