// The groups, as a table that filters, sorts and opens.

/** Rows before all are asked for. */
const FIRST_ROWS = 12;

/** Returns the rows of the table: the groups that retain most with what they grew by, then others that changed. */
function groupRows(data) {
  const changed = new Map((data.growth ? data.growth.changed : []).map((row) => [row.fingerprint, row]));
  const rows = data.top.groups.map((group) => ({ ...group, change: changed.get(group.fingerprint) }));
  const listed = new Set(rows.map((row) => row.fingerprint));
  for (const row of changed.values()) {
    if (listed.has(row.fingerprint)) continue;
    const last = row.sizes.length - 1;
    rows.push({ ...row, retained: null, share: null, count: row.counts[last], size: row.sizes[last], change: row });
  }
  return rows;
}

function groups(data, state, tree) {
  const rows = groupRows(data);
  const columns = [
    { key: 'name', text: 'groups.group', of: (row) => row.name },
    { key: 'type', text: 'groups.kind', of: (row) => family(row.type) },
    { key: 'count', text: 'groups.count', of: (row) => row.count, isNumber: true },
    { key: 'size', text: 'groups.shallow', of: (row) => row.size, isNumber: true },
    { key: 'retained', text: 'groups.retained', of: (row) => (row.retained === null ? -1 : row.retained), isNumber: true },
    { key: 'bar' },
  ];
  if (data.growth) {
    columns.push({ key: 'trend' });
    columns.push({ key: 'growth', text: 'groups.growth', of: (row) => (row.change ? row.change.size_change : 0), isNumber: true });
  }
  const most = Math.max(1, ...rows.map((row) => row.retained || row.size));
  const unit = unitOf(most);
  const growthUnit = unitOf(Math.max(1, ...rows.map((row) => Math.abs(row.change ? row.change.size_change : 0))));
  const body = el('tbody');
  const heads = el('tr');
  const more = el('p', { class: 'more' });
  const filter = el('input', {
    type: 'search', id: 'filter', placeholder: t('groups.filter'), 'aria-label': t('groups.filter'), autocomplete: 'off', spellcheck: 'false',
    on: { input: () => { state.filter = filter.value; fill(); }, keydown: leave },
  });
  filter.value = state.filter;
  const families = FAMILIES.filter((name) => rows.some((row) => family(row.type) === name));
  const chips = families.map((name) =>
    el('button', { type: 'button', class: 'chip', value: name, 'aria-pressed': String(state.kinds.has(name)), on: { click: () => choose(name) } }, square(name), t(`kind.${name}`)),
  );

  function leave(event) {
    if (event.key !== 'Escape') return;
    filter.value = '';
    state.filter = '';
    filter.blur();
    fill();
    event.stopPropagation();
  }

  function choose(name) {
    if (!state.kinds.delete(name)) state.kinds.add(name);
    chips.forEach((chip) => chip.setAttribute('aria-pressed', String(state.kinds.has(chip.value))));
    fill();
  }

  function sort(key) {
    const isText = key === 'name' || key === 'type';
    state.descending = state.sort === key ? !state.descending : !isText;
    state.sort = key;
    fill();
  }

  function matching() {
    const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (row) => {
      if (state.kinds.size && !state.kinds.has(family(row.type))) return false;
      const text = `${row.name}\n${row.example}\n${row.fingerprint}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const of = (columns.find((column) => column.key === state.sort) || columns[4]).of;
    const order = state.descending ? -1 : 1;
    const compare = (a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0);
    return rows.filter(fits).sort((a, b) => order * compare(a, b));
  }

  function fill() {
    const found = matching();
    const shown = state.all ? found : found.slice(0, FIRST_ROWS);
    heads.replaceChildren(...columns.map(heading));
    body.replaceChildren(...shown.flatMap(row));
    if (!found.length) body.append(el('tr', {}, el('td', { colspan: columns.length, class: 'quiet' }, t('groups.none'))));
    const left = found.length - shown.length;
    const button = (text, all) => el('button', { type: 'button', class: 'link', on: { click: () => { state.all = all; fill(); } } }, text);
    more.replaceChildren();
    if (left) more.append(button(t('groups.all', { n: grouped(found.length) }), true));
    else if (state.all && found.length > FIRST_ROWS) more.append(button(t('groups.fewer'), false));
  }

  function heading(column) {
    if (column.key === 'bar') {
      return el('th', { scope: 'col', class: 'legend' }, el('span', {}, el('span', { class: 'square fill-retained' }), t('groups.retained')), ' ', el('span', {}, el('span', { class: 'square fill-shallow' }), t('groups.shallow')));
    }
    if (!column.text) return el('th', { scope: 'col' }, t('groups.trend'));
    const isChosen = state.sort === column.key;
    const arrow = isChosen ? (state.descending ? '▾' : '▴') : '';
    return el(
      'th', { scope: 'col', class: column.isNumber ? 'number' : '', 'aria-sort': isChosen ? (state.descending ? 'descending' : 'ascending') : null },
      el('button', { type: 'button', class: isChosen ? 'sort chosen' : 'sort', value: column.key, on: { click: () => sort(column.key) } }, t(column.text), el('span', { class: 'arrow' }, arrow)),
    );
  }

  function row(of) {
    const isOpen = state.open.has(of.fingerprint);
    const toggle = () => {
      if (!state.open.delete(of.fingerprint)) state.open.add(of.fingerprint);
      fill();
      body.querySelector(`button[value="${of.fingerprint}"]`)?.focus();
    };
    const name = el(
      'td', { class: 'group' },
      el('button', { type: 'button', class: 'open', value: of.fingerprint, 'aria-expanded': String(isOpen), title: of.name, on: { click: toggle } }, el('span', { class: 'twist' }, isOpen ? '▾' : '▸'), code(of.name)),
    );
    const cells = [
      name,
      el('td', { class: 'kind' }, square(of.type), ' ', t(`kind.${family(of.type)}`)),
      el('td', { class: 'number count' }, grouped(of.count)),
      el('td', { class: 'number size' }, bytes(of.size, unit)),
      el('td', { class: 'number retained' }, of.retained === null ? '–' : el('b', {}, bytes(of.retained, unit))),
      el('td', { class: 'bar-cell' }, bar(of)),
    ];
    if (data.growth) {
      cells.push(el('td', { class: 'trend' }, trend(of.change)));
      const change = of.change ? of.change.size_change : 0;
      const isSteady = of.change && of.change.growing && data.snapshots.length > 2;
      cells.push(
        el('td', { class: change > 0 ? 'number growth grown' : 'number growth' }, isSteady ? el('span', { class: 'steady', title: t('groups.every_step') }, '▲ ') : null, of.change ? signedBytes(change, growthUnit) : ''),
      );
    }
    const lines = [el('tr', { class: isOpen ? 'opened' : '' }, cells)];
    if (isOpen) lines.push(el('tr', { class: 'details' }, el('td', { colspan: columns.length }, details(of))));
    return lines;
  }

  function bar(of) {
    const track = el('span', { class: 'track' });
    for (const [fill, size] of [['retained', of.retained || 0], ['shallow', of.size]]) {
      const piece = el('span', { class: `fill-${fill}` });
      piece.style.width = `${Math.min(100, (100 * size) / most)}%`;
      track.append(piece);
    }
    return track;
  }

  /** Returns a column for each of the last snapshots. */
  function trend(change) {
    if (!change) return null;
    const sizes = change.sizes.slice(-8);
    const highest = Math.max(1, ...sizes);
    return el('span', { class: 'columns-small', title: sizes.map((size) => bytes(size)).join(' → ') }, sizes.map((size, at) => {
      const column = el('span', { class: at && size > sizes[at - 1] ? 'rises' : '' });
      column.style.height = `${Math.max(8, (100 * size) / highest)}%`;
      return column;
    }));
  }

  function details(of) {
    const last = data.snapshots[data.snapshots.length - 1];
    const facts = [];
    if (of.name.length > 40) facts.push(code(of.name));
    facts.push(el('span', {}, t('finding.example'), ' ', example(of)));
    if (of.coroutine) facts.push(el('span', {}, said(of.coroutine.words)));
    facts.push(el('span', {}, t('finding.fingerprint'), ' ', code(of.fingerprint)));
    if (of.change) facts.push(el('span', {}, t('groups.counts'), ' ', of.change.counts.map(grouped).join(' → ')));
    facts.push(el('span', {}, t('groups.ask'), ' ', code(`luasnap path ${last.file ? quoted(last.file) : 'FILE'} ${of.fingerprint}`)));
    const cell = tree.cells.fingerprint.indexOf(of.fingerprint);
    if (cell > 0) facts.push(el('button', { type: 'button', class: 'link', on: { click: () => tree.show(cell) } }, t('groups.show')));
    return facts;
  }

  fill();
  const listed = t('groups.finding', { n: grouped(rows.length), all: grouped(data.top.group_count) });
  const steady = data.snapshots.length > 2 ? el('span', { class: 'right quiet' }, el('span', { class: 'steady' }, '▲'), ' ', t('groups.every_step')) : null;
  return section(
    'groups', t('groups.heading'), listed,
    el('div', { class: 'tools' }, filter, chips, steady),
    el('table', { class: 'groups' }, el('thead', {}, heads), body), more,
  );
}

/** Returns a word of a command line. */
function quoted(word) {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
