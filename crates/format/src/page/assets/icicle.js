// The dominator tree as an icicle: a cell is as wide as what it retains, and below it is what it dominates.

const ROW = 34;
/** The most rows that are drawn; those below come with a zoom. */
const MOST_ROWS = 12;
/** Narrower cells have no name, ... */
const NARROWEST_LABEL = 26;
/** ... and even narrower ones are not drawn. */
const NARROWEST = 0.6;
/** In the colours of growth, what is new by this part has the full colour. */
const FULL_GROWTH = 0.6;

/** Returns the icicle: its element, what other parts of the page ask of it, and what they tell it. */
function icicle(data, state) {
  const cells = data.cells;
  const count = cells.parent.length;
  const hasGrowth = cells.new !== undefined;
  // Children follow each other, and come after their parent.
  const firstChild = new Int32Array(count).fill(-1);
  const childCount = new Int32Array(count);
  for (let cell = 1; cell < count; cell += 1) {
    const parent = cells.parent[cell];
    if (childCount[parent] === 0) firstChild[parent] = cell;
    childCount[parent] += 1;
  }
  const children = (cell) => Array.from({ length: childCount[cell] }, (_, at) => firstChild[cell] + at);
  const total = Math.max(1, count ? cells.retained[0] : 0);

  const canvas = el('canvas', { tabindex: 0, role: 'application', 'aria-label': t('tree.heading'), 'aria-describedby': 'tree-detail' });
  const crumbs = el('nav', { class: 'crumbs', 'aria-label': t('tree.zoomed') });
  const detail = el('p', { class: 'detail', id: 'tree-detail', 'aria-live': 'polite' });
  let rects = [];
  let hovered = -1;

  /** Returns what there is room for in a cell. */
  function title(cell) {
    if (cell === 0) return t('tree.roots');
    if (cells.others[cell]) return counted(cells.count[cell], 'others');
    return cells.name[cell] || t(`kinds.${family(cells.type[cell])}`);
  }

  /** Lays out what is below the zoomed cell. */
  function layout(width) {
    rects = [{ cell: state.zoom, x: 0, width, row: 0 }];
    const scale = width / Math.max(1, cells.retained[state.zoom]);
    for (let at = 0; at < rects.length; at += 1) {
      const { cell, x, row } = rects[at];
      if (row + 1 === MOST_ROWS) continue;
      let from = x;
      for (let child = firstChild[cell]; child >= 0 && child < firstChild[cell] + childCount[cell]; child += 1) {
        const wide = cells.retained[child] * scale;
        // The others of a cell are narrower still.
        if (wide < NARROWEST) break;
        rects.push({ cell: child, x: from, width: wide, row: row + 1 });
        from += wide;
      }
    }
    return 1 + rects[rects.length - 1].row;
  }

  function draw() {
    const width = canvas.parentElement ? canvas.parentElement.clientWidth : 0;
    if (!width || !count) return;
    const rows = layout(width);
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(rows * ROW * scale);
    canvas.style.height = `${rows * ROW}px`;
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const font = getComputedStyle(document.body).fontFamily;
    const mono = colour('mono');
    context.textBaseline = 'middle';
    for (const rect of rects) {
      const { cell, x, width: wide, row } = rect;
      const fill = fillOf(cell, colour);
      const [top, across, down] = [row * ROW, Math.max(0.5, wide - (wide > 3 ? 1 : 0.2)), ROW - 1];
      context.fillStyle = fill;
      context.fillRect(x, top, across, down);
      const isOwn = !cells.others[cell] && cell !== 0;
      if (row % 2 && isOwn) {
        context.fillStyle = colour('stripe');
        context.fillRect(x, top, across, down);
      }
      if (cells.others[cell]) hatch(context, [x, top, across, down], colour('ink-3'));
      if (hasGrowth && state.colour === 'kind' && cells.new[cell] > 0) {
        const share = Math.min(1, cells.new[cell] / Math.max(1, cells.retained[cell]));
        context.fillStyle = colour('background');
        context.fillRect(x, top + down - 4, across * share, 1);
        context.fillStyle = colour('growth-on-kind');
        context.fillRect(x, top + down - 3, across * share, 3);
      }
      if (wide >= NARROWEST_LABEL) {
        context.fillStyle = state.colour === 'growth' && isOwn ? inkOn(fill) : isOwn ? colour('on-kind') : colour('ink');
        label(context, cell, [x + 7, top + ROW / 2 - 1, across - 12], { font, mono });
      }
    }
    const isActive = state.focus !== state.zoom || document.activeElement === canvas;
    for (const [cell, line] of [[hovered, 1], [isActive ? state.focus : -1, 2]]) {
      const rect = rects.find((rect) => rect.cell === cell);
      if (!rect) continue;
      context.strokeStyle = colour('ink');
      context.lineWidth = line;
      context.strokeRect(rect.x + line / 2, rect.row * ROW + line / 2, Math.max(1, rect.width - 1 - line), ROW - 1 - line);
    }
  }

  function fillOf(cell, colour) {
    if (cell === 0 || cells.others[cell]) return colour(cell === 0 ? 'other' : 'soft');
    if (state.colour === 'kind') return colour(family(cells.type[cell]));
    const share = cells.new[cell] / Math.max(1, cells.retained[cell]) / FULL_GROWTH;
    return mixed(colour('other'), colour('growth-bar'), Math.min(1, Math.max(0, share)));
  }

  /** Writes the name, then the count, the size and the share, as far as there is room. */
  function label(context, cell, [x, y, room], { font, mono }) {
    const isName = cell !== 0 && !cells.others[cell] && cells.name[cell];
    const parts = [[fitted(context, title(cell), room, `bold ${isName ? 12 : 13}px ${isName ? mono : font}`), isName ? `bold 12px ${mono}` : `bold 13px ${font}`]];
    const more = [];
    if (cells.count[cell] > 1 && cell !== 0 && !cells.others[cell]) more.push(`× ${grouped(cells.count[cell])}`);
    more.push(bytes(cells.retained[cell]), percent(cells.retained[cell] / total));
    more.forEach((text) => parts.push([text, `12px ${font}`]));
    let at = x;
    parts.forEach(([text, face], number) => {
      context.font = face;
      const wide = context.measureText(text).width;
      if (number && at + wide > x + room) {
        at = Infinity;
        return;
      }
      context.fillText(text, at, y);
      at += wide + 8;
    });
  }

  function fitted(context, text, room, face) {
    context.font = face;
    if (context.measureText(text).width <= room) return text;
    let [fits, end] = [0, text.length];
    while (fits < end) {
      const middle = (fits + end + 1) >> 1;
      if (context.measureText(`${text.slice(0, middle)}…`).width <= room) fits = middle;
      else end = middle - 1;
    }
    return fits ? `${text.slice(0, fits)}…` : '';
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    const [x, row] = [event.clientX - box.left, Math.floor((event.clientY - box.top) / ROW)];
    return rects.find((rect) => rect.row === row && x >= rect.x && x < rect.x + rect.width);
  }

  function describe() {
    const cell = hovered >= 0 ? hovered : state.focus;
    detail.replaceChildren();
    if (!(cell < count)) return;
    const facts = [];
    const add = (text, value, more) => facts.push(el('span', {}, text, ' ', el('b', { class: more || '' }, value)));
    if (cell === 0) facts.push(el('span', {}, t('tree.roots')));
    else if (cells.others[cell]) facts.push(el('span', {}, t('tree.others', { n: counted(cells.count[cell], 'others') })));
    else facts.push(code(cells.path[cell] || title(cell)), el('span', {}, square(cells.type[cell]), ' ', t(`kind.${family(cells.type[cell])}`)));
    if (!cells.others[cell] && cell !== 0) facts.push(el('b', {}, counted(cells.count[cell], 'objects')));
    add(t('tree.retained'), `${bytes(cells.retained[cell])}, ${percent(cells.retained[cell] / total)}`);
    if (!cells.others[cell] && cell !== 0) add(t('tree.shallow'), bytes(cells.size[cell]));
    if (hasGrowth) add(t('tree.new'), bytes(cells.new[cell]), cells.new[cell] ? 'grown' : '');
    detail.append(...facts);
  }

  function crumb() {
    crumbs.replaceChildren();
    const above = [];
    for (let cell = state.zoom; cell !== null && above.length < 1000; cell = cells.parent[cell]) above.push(cell);
    if (above.length < 2) return;
    above.reverse();
    const shown = above.length > 8 ? [above[0], null, ...above.slice(-6)] : above;
    for (const cell of shown) {
      if (cell === null) crumbs.append(el('span', {}, '…'));
      else if (cell === state.zoom) crumbs.append(el('b', {}, title(cell)));
      else crumbs.append(el('button', { type: 'button', class: 'link', on: { click: () => zoom(cell) } }, title(cell)));
    }
  }

  function refresh() {
    crumb();
    draw();
    describe();
  }

  function zoom(cell) {
    state.zoom = childCount[cell] ? cell : cells.parent[cell] || 0;
    state.focus = cell;
    hovered = -1;
    refresh();
  }

  function out() {
    if (state.zoom === 0) return;
    const from = state.zoom;
    zoom(cells.parent[from]);
    state.focus = from;
    refresh();
  }

  /** Shows a cell, or the one below it with this path: zooms so that it is drawn with a name. */
  function show(cell, path) {
    if (cell === null || cell === undefined || !(cell < count)) return;
    const found = path === undefined ? -1 : children(cell).find((child) => cells.path[child] === path);
    const wanted = found > 0 ? found : cell;
    state.focus = wanted;
    let above = wanted;
    for (let up = 0; up < 2 && cells.parent[above] !== null; up += 1) above = cells.parent[above];
    const isThere = rects.some((rect) => rect.cell === wanted && rect.width >= 2 * NARROWEST_LABEL);
    if (!isThere) state.zoom = above;
    refresh();
    document.getElementById('tree').scrollIntoView({ block: 'nearest' });
    canvas.focus({ preventScroll: true });
  }

  /** Moves the focus among the cells that are drawn. */
  function move(key) {
    const place = rects.findIndex((rect) => rect.cell === state.focus);
    if (place < 0) {
      state.focus = state.zoom;
      return refresh();
    }
    const here = rects[place];
    const sameRow = rects.filter((rect) => rect.row === here.row);
    const beside = sameRow.indexOf(here);
    let next;
    if (key === 'ArrowLeft') next = sameRow[beside - 1];
    if (key === 'ArrowRight') next = sameRow[beside + 1];
    if (key === 'ArrowDown') next = rects.find((rect) => cells.parent[rect.cell] === here.cell);
    if (key === 'ArrowUp') next = rects.find((rect) => rect.cell === cells.parent[here.cell]);
    if (next) state.focus = next.cell;
    else if (key === 'ArrowUp') return out();
    else if (key === 'ArrowDown' && childCount[here.cell]) {
      zoom(here.cell);
      state.focus = firstChild[here.cell];
    }
    refresh();
  }

  canvas.addEventListener('mousemove', (event) => {
    const rect = at(event);
    const cell = rect ? rect.cell : -1;
    canvas.classList.toggle('on-cell', cell >= 0);
    if (cell === hovered) return;
    hovered = cell;
    draw();
    describe();
  });
  canvas.addEventListener('mouseleave', () => {
    hovered = -1;
    draw();
    describe();
  });
  canvas.addEventListener('focus', draw);
  canvas.addEventListener('blur', draw);
  canvas.addEventListener('click', (event) => {
    const rect = at(event);
    canvas.focus({ preventScroll: true });
    if (!rect) return;
    if (rect.cell === state.zoom) return state.zoom === 0 ? zoom(0) : out();
    zoom(rect.cell);
  });
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith('Arrow')) move(event.key);
    else if (event.key === 'Enter') zoom(state.focus);
    else if (event.key === 'Escape') out();
    else return;
    event.preventDefault();
  });

  function colourBy(colour) {
    if (!hasGrowth) return;
    state.colour = colour;
    for (const button of colours.children) button.setAttribute('aria-pressed', String(button.value === colour));
    draw();
  }

  const colours = el('div', { class: 'switch', role: 'group', 'aria-label': t('tree.colour_by') });
  for (const value of ['kind', 'growth']) {
    colours.append(el('button', { type: 'button', value, 'aria-pressed': String(state.colour === value), on: { click: () => colourBy(value) } }, t(`colour.${value}`)));
  }
  const families = new Set(cells.type.filter((_, cell) => cell && !cells.others[cell]).map(family));
  const legend = el(
    'div', { class: 'legend' },
    FAMILIES.filter((name) => families.has(name)).map((name) => el('span', {}, square(name), t(`kinds.${name}`))),
    hasGrowth ? el('span', {}, el('span', { class: 'new-mark' }), t('tree.new_mark')) : null,
    el('span', {}, t('tree.blank')),
    hasGrowth ? el('span', { class: 'right' }, t('tree.colour_by'), ' ', colours) : null,
  );
  const element = section(
    'tree', t('tree.heading'), t('tree.finding'), legend, crumbs,
    el('div', { class: 'icicle' }, canvas),
    el('div', { class: 'detail-line' }, detail, el('p', { class: 'hint' }, t('tree.hint'))),
  );
  new ResizeObserver(() => draw()).observe(element);
  for (const query of ['(prefers-color-scheme: dark)', 'print']) matchMedia(query).addEventListener('change', draw);
  return {
    element, cells, children, title, show, draw: refresh,
    toggleColour: () => colourBy(state.colour === 'kind' ? 'growth' : 'kind'),
    /** Returns the rectangle in which a cell is drawn, for tests. */
    rectOf: (cell) => rects.find((rect) => rect.cell === cell),
  };
}

function channels(colour) {
  const digits = colour.replace('#', '');
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
}

function mixed(from, to, part) {
  const [a, b] = [channels(from), channels(to)];
  const hex = a.map((value, at) => Math.round(value + (b[at] - value) * part).toString(16).padStart(2, '0'));
  return `#${hex.join('')}`;
}

/** Returns black or white, whichever reads better on a colour. */
function inkOn(colour) {
  const linear = channels(colour).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.179 ? '#1b1f23' : '#ffffff';
}

/** Draws thin lines, for what is left. */
function hatch(context, [x, top, width, height], colour) {
  context.save();
  context.beginPath();
  context.rect(x, top, width, height);
  context.clip();
  context.globalAlpha = 0.25;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - height; at < x + width; at += 6) {
    context.moveTo(at, top + height);
    context.lineTo(at + height, top);
  }
  context.stroke();
  context.restore();
}
