//! Which lines of the screen show what.

use crate::view::picture::Picture;
use crate::wrap::wrap;

/// The most lines of sentences above the rows.
const MOST_NOTES: usize = 6;

/// How many lines each part of the screen has, from above. What matters least goes first if there are few.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Regions {
    pub title: u16,
    pub crumbs: u16,
    /// The sentences, wrapped.
    pub notes: Vec<String>,
    pub heads: u16,
    pub rows: u16,
    /// What is under way.
    pub status: u16,
    pub keys: u16,
}

impl Regions {
    /// Returns the regions of a screen of this many columns and lines.
    pub fn of(picture: &Picture, width: u16, height: u16) -> Regions {
        let mut regions = Regions::default();
        let mut left = height;
        // Rows have one line at least.
        let mut take = |wanted: u16, at_least: u16| match left >= at_least {
            true => {
                left -= wanted;
                wanted
            }
            false => 0,
        };
        regions.keys = take(1, 2);
        regions.crumbs = take(1, 3);
        regions.status = take(1, 5);
        regions.title = take(1, 6);
        regions.heads = take(u16::from(!picture.is_help), 6);
        if height >= 10 {
            let notes = picture.notes.iter();
            let mut lines: Vec<String> = notes.flat_map(|note| wrap(note, width.into())).collect();
            lines.truncate(MOST_NOTES.min(usize::from(left / 2)));
            left -= lines.len() as u16;
            regions.notes = lines;
        }
        regions.rows = left;
        regions
    }
}
