//! Texts of a length that a page has room for.

use serde_json::Value;

/// The most characters of a text: more than people read of a path.
const MOST: usize = 240;
/// Of a longer one, how many of its last characters stay.
const END: usize = 80;

/// Cuts each long text in an answer in its middle. Answers are a few levels deep.
pub(super) fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(short) = shortened(text) {
                *text = short;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

fn shortened(text: &str) -> Option<String> {
    // No character has more bytes than one.
    if text.len() <= MOST {
        return None;
    }
    let count = text.chars().count();
    if count <= MOST {
        return None;
    }
    let first = text.chars().take(MOST - END - 1);
    let last = text.chars().skip(count - END);
    Some(first.chain(['…']).chain(last).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_lose_their_middle() {
        let long = format!("{}{}", "é".repeat(200), "b".repeat(100));
        let mut value = serde_json::json!({ "a": [{ "b": long }, "short", 7] });
        shorten(&mut value);
        let expected = format!("{}…{}", "é".repeat(159), "b".repeat(80));
        assert_eq!(
            value,
            serde_json::json!({ "a": [{ "b": expected }, "short", 7] })
        );
        let mut fits = Value::String("é".repeat(MOST));
        shorten(&mut fits);
        assert_eq!(fits, Value::String("é".repeat(MOST)));
    }
}
