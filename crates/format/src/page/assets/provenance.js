// How the snapshots were taken, the command that makes the page again, and the keys.

function provenance(data) {
  const last = data.snapshots[data.snapshots.length - 1];
  const { stats } = data;
  const facts = [];
  const fact = (name, text) => facts.push(el('dt', {}, t(name)), el('dd', {}, text));
  const taken = data.snapshots.filter((of) => of.taken_at_ms).map((of) => `${moment(of.taken_at_ms)} UTC`);
  if (last.process) fact('taken.process', String(last.process));
  fact('taken.lua', last.layout ? t('taken.layout', { vm: last.vm, layout: last.layout.replaceAll(' to ', t('taken.to')) }) : last.vm || t('taken.unknown'));
  fact('taken.engine', t(last.engine === 'native' ? 'taken.native' : 'taken.portable'));
  if (stats.unaccounted === 0) fact('taken.verified', t('taken.exact'));
  else if (stats.unaccounted !== null) fact('taken.verified', t('taken.unaccounted', { bytes: signedBytes(stats.unaccounted) }));
  if (taken.length) fact('taken.when', listed(taken));
  const file = (of) => (of.file_bytes ? t('taken.file', { file: of.file, bytes: bytes(of.file_bytes) }) : of.file);
  const files = data.snapshots.filter((of) => of.file).map(file);
  if (files.length) fact('taken.files', listed(files));
  fact('taken.strings', t(`strings.${data.strings}`));
  fact('taken.folded', t('taken.cells', { n: grouped(data.cells.parent.length) }));
  fact('taken.made_by', data.made_by);
  const again = data.command ? [el('h4', {}, t('taken.again')), el('pre', {}, data.command)] : null;
  const key = (keys, text) => el('span', {}, keys.map((name) => el('kbd', {}, name)), ' ', t(text));
  const count = Math.min(9, data.findings.length);
  const keys = [
    key(['/'], 'keys.filter'), key(['←', '→', '↑', '↓'], 'keys.move'), key(['Enter'], 'keys.zoom_in'), key(['Esc'], 'keys.zoom_out'),
    data.cells.new ? key(['c'], 'keys.colour') : null,
    count ? key([count > 1 ? `1–${count}` : '1'], data.growth ? 'keys.suspect' : 'keys.finding') : null,
  ];
  return section(
    'taken', t('taken.heading'), '',
    el('div', { class: 'beside' }, el('dl', { class: 'facts' }, facts), el('div', {}, again, el('h4', { class: 'on-screen' }, t('keys.heading')), el('p', { class: 'keys on-screen' }, keys))),
  );
}

/** Returns a list in a line, without its middle if it is long. */
function listed(texts) {
  const shown = texts.length > 6 ? [...texts.slice(0, 3), '…', ...texts.slice(-2)] : texts;
  return shown.join(t('list.separator'));
}
