// Where the memory is: a bar as wide as the process, and a ledger that adds up to it.

const KINDS = {
  table: 'table', lua_function: 'function', c_function: 'function', prototype: 'function',
  string: 'string', thread: 'thread', userdata: 'userdata', cdata: 'userdata',
};

/** Returns the parts of the memory, in the order of the bar: what, bytes, and how it is filled. */
function memoryParts(data) {
  const ledger = data.top.ledger;
  const sums = new Map(FAMILIES.map((name) => [name, 0]));
  for (const [kind, row] of Object.entries(data.stats.kinds)) {
    const name = KINDS[kind] || 'other';
    sums.set(name, sums.get(name) + row.bytes);
  }
  const parts = [...sums].filter(([, size]) => size > 0).map(([name, size]) => ({ text: t(`kinds.${name}`), size, fill: name }));
  const inUse = parts.reduce((sum, part) => sum + part.size, 0);
  parts.push({ text: t('memory.in_use'), size: inUse, isSum: true });
  if (ledger.vm_total === null) return { parts, all: inUse };
  // Most of what is the VM's own is its table of strings.
  const strings = data.stats.blocks['string table'] || 0;
  const isStrings = strings > 0.9 * ledger.other;
  const rest = [
    { text: t('memory.garbage'), size: ledger.garbage || 0, fill: 'garbage' },
    { text: t(isStrings ? 'memory.string_table' : 'memory.own'), size: ledger.other || 0, fill: 'string-table' },
  ];
  // Estimates may be more than the whole.
  const left = ledger.vm_total - inUse - rest.reduce((sum, part) => sum + part.size, 0);
  rest.push({ text: t(ledger.in_use === null ? 'memory.not_itemised' : 'memory.unaccounted'), size: Math.max(0, left), fill: 'own' });
  parts.push(...rest.filter((part) => part.size > 0));
  const vm = Math.max(ledger.vm_total, inUse);
  parts.push({ text: t('memory.vm'), size: vm, isSum: true, isTotal: true });
  if (ledger.resident === null) return { parts, all: vm, vm };
  if (ledger.outside > 0) {
    parts.push({ text: t('memory.outside'), size: ledger.outside, fill: 'outside' });
  }
  parts.push({ text: t('memory.resident'), size: ledger.resident, isSum: true, isTotal: true });
  return { parts, all: vm + ledger.outside, vm, outside: ledger.outside };
}

function memory(data) {
  const { parts, all, vm, outside } = memoryParts(data);
  const share = (size) => `${(100 * size) / Math.max(1, all)}%`;
  const bar = el('div', { class: 'bar', role: 'img', 'aria-label': t('memory.heading') });
  for (const part of parts.filter((part) => !part.isSum)) {
    const piece = el('span', { class: `piece fill-${part.fill}`, title: `${part.text} ${bytes(part.size)}` });
    piece.style.width = share(part.size);
    if (part.size > 0.09 * all) append(piece, [part.text, ' ', el('b', {}, bytes(part.size))]);
    bar.append(piece);
  }
  const brackets = el('div', { class: 'brackets' });
  if (vm !== undefined) {
    const bracket = (text, size) => {
      const line = el('span', {}, el('span', {}, el('b', {}, text), ' ', bytes(size)));
      line.style.width = share(size);
      return line;
    };
    brackets.append(bracket(t('memory.vm'), vm));
    if (outside) brackets.append(bracket(t('memory.outside'), outside));
  }
  // One unit for the whole column of numbers, so that they can be added up by eye.
  const unit = unitOf(all);
  const row = (part) =>
    el(
      'div', { class: part.isSum ? 'sum' : '' },
      el('dt', {}, part.isSum ? null : el('span', { class: `square fill-${part.fill}` }), part.isTotal ? `= ${part.text}` : part.text),
      el('dd', {}, bytes(part.size, unit)),
    );
  const ledger = data.top.ledger;
  const finding = ledger.resident
    ? t('memory.finding', { share: percent(Math.min(1, ledger.vm_total / ledger.resident), 0), vm: bytes(ledger.vm_total), all: bytes(ledger.resident) })
    : t('memory.finding_vm', { bytes: bytes(data.top.size), objects: counted(data.top.count, 'objects') });
  return section('memory', t('memory.heading'), finding, brackets, bar, el('dl', { class: 'ledger' }, parts.map(row)), holders(ledger));
}

/** Returns who may hold memory outside the VM. */
function holders(ledger) {
  const lines = [];
  if (ledger.peak_resident) lines.push(t('memory.peak', { bytes: bytes(ledger.peak_resident) }));
  if (ledger.limit) lines.push(t('memory.limit', { bytes: bytes(ledger.limit) }));
  if (ledger.snapshots) lines.push(t('memory.snapshots', { bytes: bytes(ledger.snapshots) }));
  if (ledger.finalizers) lines.push(counted(ledger.finalizers, 'finalizers'));
  if (ledger.cdata) lines.push(counted(ledger.cdata, 'cdata'));
  return lines.length ? el('p', { class: 'note' }, lines.join(t('list.separator'))) : null;
}
