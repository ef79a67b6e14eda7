//! Draws a picture.

use crate::view::drawing::columns::Columns;
use crate::view::drawing::fit::{cut_end, cut_middle, join, pad, width};
use crate::view::drawing::palette::Palette;
use crate::view::drawing::regions::Regions;
use crate::view::picture::Picture;
use crate::view::words;
use luasnap_format::grouped;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws a picture into the cells of a terminal, whatever its size.
pub fn draw(picture: &Picture, palette: Palette, area: Rect, cells: &mut Buffer) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let columns = usize::from(area.width);
    let regions = Regions::of(picture, area.width, area.height);
    let mut lines = Lines {
        area,
        next: area.y,
        cells,
    };
    if regions.title > 0 {
        lines.put(Line::styled(
            cut_end(&picture.title, columns),
            palette.title(),
        ));
    }
    if regions.crumbs > 0 {
        lines.put(crumbs(picture, palette, columns));
    }
    for note in &regions.notes {
        lines.put(Line::raw(note.clone()));
    }
    let fit = Columns::of(&picture.heads, columns);
    if regions.heads > 0 {
        lines.put(fit.heads(&picture.heads, palette));
    }
    let end = lines.next + regions.rows;
    for (at, row) in picture.rows.iter().enumerate().take(regions.rows.into()) {
        let is_selected = picture.selected == Some(at);
        let line = match picture.is_help {
            true => fit.help(row, palette),
            false => fit.row(row, palette, is_selected),
        };
        if is_selected {
            let place = Rect::new(area.x, lines.next, area.width, 1);
            lines.cells.set_style(place, palette.selected());
        }
        lines.put(line);
    }
    lines.next = end;
    if regions.status > 0 {
        let status = picture.status.as_deref().unwrap_or_default();
        lines.put(Line::styled(cut_end(status, columns), palette.status()));
    }
    if regions.keys > 0 {
        lines.put(keys(picture, palette, columns));
    }
}

/// The lines of the screen, from above.
struct Lines<'a> {
    area: Rect,
    next: u16,
    cells: &'a mut Buffer,
}

impl Lines<'_> {
    fn put(&mut self, line: Line<'_>) {
        if self.next < self.area.bottom() {
            self.cells
                .set_line(self.area.x, self.next, &line, self.area.width);
            self.next += 1;
        }
    }
}

/// Returns where one is, and at the right which row of how many.
fn crumbs(picture: &Picture, palette: Palette, columns: usize) -> Line<'static> {
    let place = match picture.place {
        (0, 0) => String::new(),
        (at, of) => format!("  {}/{}", grouped(at as u64), grouped(of as u64)),
    };
    let place = if width(&place) * 2 > columns {
        String::new()
    } else {
        place
    };
    let left = columns - width(&place);
    let text = join(&picture.crumbs, words::STEP, words::GAP, left);
    Line::styled(
        format!("{}{place}", pad(&text, left, false)),
        palette.crumbs(),
    )
}

/// Returns the keys that work here, as many as fit; or the line that is typed.
fn keys(picture: &Picture, palette: Palette, columns: usize) -> Line<'static> {
    if let Some(typed) = &picture.prompt {
        // The end is what is being typed.
        return Line::raw(cut_middle(&format!("/{typed}▏"), columns));
    }
    let mut line = Line::default();
    let mut left = columns;
    for (key, what) in &picture.keys {
        let more = width(key) + 1 + width(what);
        let between = if left == columns { 0 } else { 2 };
        if more + between > left {
            break;
        }
        line.push_span(" ".repeat(between));
        line.push_span(Span::styled(key.clone(), palette.key()));
        line.push_span(format!(" {what}"));
        left -= more + between;
    }
    line
}
