// Memory that is wasted: equal texts, empty slots, garbage, weak tables that keep their entries.

function waste(data) {
  const { strings, tables } = data.waste;
  const garbage = data.waste.garbage ? data.waste.garbage.bytes : 0;
  const parts = [];
  if (strings && strings.bytes > 0) {
    const text = (row) => (row.text ? code(`"${row.text}"`) : code(row.example));
    const row = (row) => [el('span', { class: 'name', title: row.example }, text(row)), el('span', { class: 'quiet' }, counted(row.count, 'copies')), el('b', {}, bytes(row.bytes))];
    parts.push(part(t('waste.strings'), strings.bytes, t('waste.about_strings'), strings.top.map(row)));
  }
  if (tables && tables.bytes > 0) {
    const used = (row) => row.array_used + row.hash_used;
    const slots = (row) => row.array_slots + row.hash_slots;
    const row = (row) => [el('span', { class: 'name', title: row.path }, code(row.path)), el('span', { class: 'quiet' }, t('waste.used', { used: grouped(used(row)), all: grouped(slots(row)) })), el('b', {}, bytes(row.bytes))];
    parts.push(part(t('waste.tables'), tables.bytes, t('waste.about_tables'), tables.top.map(row)));
  }
  if (garbage > 0) {
    const total = data.waste.total;
    const about = total ? t('waste.about_garbage_share', { share: percent(garbage / total) }) : t('waste.about_garbage');
    parts.push(part(t('waste.garbage'), garbage, about, []));
  }
  if (data.weak_tables.length) {
    const row = (row) => [el('span', { class: 'name', title: row.path }, code(row.path)), el('span', { class: 'quiet' }, t(`weak.${row.why}`)), el('b', {}, counted(row.entries, 'entries'))];
    parts.push(part(t('weak.heading'), null, t('weak.about'), data.weak_tables.map(row)));
  }
  const spared = (strings ? strings.bytes : 0) + (tables ? tables.bytes : 0) + garbage;
  const finding = spared ? t('waste.finding', { bytes: bytes(spared) }) : t(strings ? 'waste.none' : 'waste.unknown');
  return section('waste', t('waste.heading'), finding, parts.length ? el('div', { class: 'thirds' }, parts) : null);
}

function part(heading, size, about, rows) {
  return el(
    'div', {},
    el('h3', {}, heading, size === null ? null : el('b', {}, bytes(size))),
    el('p', { class: 'quiet' }, about),
    el('div', { class: 'wasters' }, rows.map((row) => el('div', {}, row))),
  );
}
