// Where to look: a card for each leak suspect, or for what retains most of a single snapshot.

/** The most rows of what grew, or of what is in it. */
const CARD_ROWS = 6;

function findings(data, tree) {
  if (data.growth) {
    const none = el('p', { class: 'note' }, t(data.snapshots.length > 2 ? 'finding.none_grew' : 'finding.none_grew_once'));
    const cards = data.findings.map((finding, at) => suspectCard(data, tree, finding, at));
    const small = data.growth.suspects.filter((suspect) => suspect.small);
    const more = small.length
      ? el('p', { class: 'note' }, t('finding.small', { n: counted(small.length, 'suspects'), bytes: bytes(small.reduce((sum, of) => sum + of.grown, 0)) }))
      : null;
    const about = t(data.snapshots.length > 2 ? 'finding.about_suspects' : 'finding.about_one_step');
    return section('findings', t('finding.suspects'), about, cards.length ? el('div', { class: 'cards' }, cards) : none, more);
  }
  if (!data.findings.length) return null;
  const cards = data.findings.map((finding, at) => largeCard(data, tree, finding, at));
  return section('findings', t('finding.largest'), t('finding.about_largest'), el('div', { class: 'cards' }, cards));
}

function card(at, title, figures, left, right, foot) {
  return el(
    'article', { class: at ? 'card' : 'card first', id: `finding-${at + 1}`, tabindex: -1 },
    el('h3', {}, el('span', { class: 'badge' }, String(at + 1)), el('span', {}, title)),
    el('p', { class: 'figures' }, figures),
    el('div', { class: 'columns' }, el('div', {}, left), el('div', {}, right)),
    el('footer', {}, foot),
  );
}

function suspectCard(data, tree, finding, at) {
  const suspect = suspectOf(data, finding);
  const groups = groupsOf(data, suspect);
  const what = code(groups.length ? groups[0].name : suspect.example);
  const point = code(suspect.point);
  const title = suspect.held_by ? 'finding.by_references' : finding.has_point ? 'finding.accumulates' : 'finding.scattered';
  const isItself = groups.length && finding.has_point && groups[0].name === suspect.point;
  const time = data.elapsed_ms ? duration(data.elapsed_ms) : '';
  const grown = suspect.grown ? signedBytes(suspect.grown) : counted(suspect.entries, 'entries');
  const figures = [
    finding.a_minute
      ? el('span', {}, el('em', {}, signedBytes(finding.a_minute)), ' ', t('rate.per_minute'))
      : el('span', {}, el('em', {}, grown)),
    finding.a_minute ? el('span', {}, rich('finding.grown_in', { bytes: el('b', {}, grown), time })) : null,
    finding.has_point
      ? el('span', {}, rich('finding.retains', { bytes: el('b', {}, bytes(suspect.retained)), share: el('b', {}, percent(suspect.share)) }))
      : null,
  ];
  const chip = groups.length && !isItself ? groups[0] : null;
  return card(
    at,
    rich(isItself ? 'finding.grows' : title, { what, path: point }),
    figures,
    [
      paths(tree, finding, chip && { name: chip.name, kind: chip.type, count: chip.counts[chip.counts.length - 1], size: chip.sizes[chip.sizes.length - 1] }, suspect.point),
      el('dl', { class: 'facts' }, kept(finding, suspect), since(data, finding), fact('finding.example', example(suspect))),
    ],
    grew(groups, suspect),
    allow(finding.fingerprint),
  );
}

function largeCard(data, tree, finding, at) {
  const group = data.top.groups.find((group) => group.fingerprint === finding.fingerprint);
  const figures = [
    el('span', {}, el('em', { class: 'plain' }, bytes(group.retained)), ' ', t('finding.retained')),
    el('span', {}, rich('finding.of_heap', { share: el('b', {}, percent(group.share)) })),
    group.count > 1 ? el('span', {}, rich('finding.members', { n: el('b', {}, grouped(group.count)), size: bytes(group.size) })) : null,
  ];
  const chip = group.count > 1 ? { name: group.name, kind: group.type, count: group.count, size: group.size } : null;
  return card(
    at, code(group.name), figures,
    [
      paths(tree, finding, chip, null),
      el('dl', { class: 'facts' }, kept(finding, null), fact('finding.example', example(group))),
    ],
    inside(tree, finding),
    [el('span', {}, t('finding.fingerprint'), ' ', code(group.fingerprint))],
  );
}

/** Returns the steps of the path from a GC root, and of the others, if several have to be cut. */
function paths(tree, finding, chip, point) {
  const steps = finding.steps.map((step, at) => {
    const isPoint = finding.has_point && at === finding.steps.length - 1;
    const label = [
      el('span', { class: 'line' }, step.type === 'root' ? null : square(step.type), code(step.step), isPoint ? el('b', {}, bytes(step.retained)) : null),
      el('span', { class: 'line quiet' }, isPoint ? (point ? t('finding.point') : t('finding.retained')) : step.retained ? bytes(step.retained) : ''),
    ];
    const attributes = { class: !isPoint ? 'step' : point ? 'step point' : 'step held' };
    if (step.cell === undefined) return el('li', {}, el('span', attributes, label));
    const show = () => tree.show(step.cell);
    return el('li', {}, el('button', { ...attributes, type: 'button', title: t('finding.show'), on: { click: show } }, label));
  });
  if (chip) {
    // A path to an example ends at one of the members.
    if (!finding.has_point) steps.pop();
    const each = t('finding.each', { n: grouped(chip.count), bytes: bytes(chip.size / Math.max(1, chip.count)) });
    const label = [
      el('span', { class: 'line' }, square(chip.kind), code(below(chip.name, point || ''))),
      el('span', { class: 'line quiet' }, each),
    ];
    const show = () => tree.show(finding.cell, chip.name);
    steps.push(el('li', {}, el('button', { class: 'step', type: 'button', title: t('finding.show'), on: { click: show } }, label)));
  }
  const others = finding.paths.length > 1 ? el('ul', { class: 'paths' }, finding.paths.map((path) => el('li', {}, code(path)))) : null;
  return [el('h4', {}, t('finding.path')), el('ol', { class: 'steps' }, steps), others && el('h4', {}, t('finding.all_must_be_cut')), others];
}

function fact(name, value) {
  return [el('dt', {}, t(name)), el('dd', {}, value)];
}

/** Returns the path to an example, and what that is, if the path does not say it. */
function example(row) {
  const path = code(row.example);
  return row.example_is ? rich('finding.example_is', { path, what: said(row.example_is) }) : path;
}

/** Returns what keeps it alive. */
function kept(finding, suspect) {
  const keeper = finding.keepers[0];
  const last = finding.steps[finding.steps.length - 1];
  if (suspect && suspect.held_by) return fact('finding.kept_by', rich('finding.kept_by_references', { who: said(suspect.held_by) }));
  if (finding.paths.length > 1) {
    const above = keeper ? rich('finding.several_paths_below', { n: String(finding.paths.length), path: code(keeper.path) }) : t('finding.several_paths', { n: finding.paths.length });
    return fact('finding.kept_by', above);
  }
  if (suspect && finding.has_point) return fact('finding.kept_by', rich('finding.kept_by_point', { path: code(suspect.point) }));
  if (keeper) return fact('finding.kept_by', rich('finding.kept_by_one', { path: code(keeper.path), bytes: bytes(keeper.retained) }));
  return fact('finding.kept_by', rich('finding.kept_by_root', { path: code(finding.steps.length > 1 ? finding.steps[0].step : last.step) }));
}

/** Returns by how much it grew in each step. */
function since(data, finding) {
  if (data.snapshots.length < 3) return null;
  const steps = finding.sizes.slice(1).map((size, at) => signedBytes(size - finding.sizes[at]));
  const shown = steps.length > 5 ? [...steps.slice(0, 2), '…', ...steps.slice(-2)] : steps;
  return fact('finding.since', [t('finding.since_first'), ' ', el('b', {}, shown.join(t('list.then')))]);
}

/** Returns bars for what grew. */
function grew(groups, suspect) {
  const most = Math.max(1, ...groups.map((row) => row.size_change));
  const unit = unitOf(most);
  const row = (of) => {
    const name = of.name === suspect.point ? t('finding.itself') : code(below(of.name, suspect.point));
    return barRow(name, of.name, Math.max(0, of.size_change) / most, 'grown', signedBytes(of.size_change, unit), of.count_change ? signed(of.count_change) : '');
  };
  const left = groups.length - CARD_ROWS;
  return [
    el('h4', {}, t('finding.what_grew')),
    el('div', { class: 'bars' }, groups.slice(0, CARD_ROWS).map(row)),
    left > 0 ? el('p', { class: 'note' }, counted(left, 'more_groups')) : null,
  ];
}

/** Returns bars for what is in a cell. */
function inside(tree, finding) {
  if (finding.cell === null) return null;
  const cells = tree.children(finding.cell);
  const most = Math.max(1, ...cells.map((cell) => tree.cells.retained[cell]));
  const unit = unitOf(most);
  const row = (cell) => {
    const { retained, path, count } = tree.cells;
    const n = count[cell] > 1 && !tree.cells.others[cell] ? `× ${grouped(count[cell])}` : '';
    return barRow(el('span', {}, tree.title(cell)), path[cell], retained[cell] / most, 'shallow', bytes(retained[cell], unit), n);
  };
  if (!cells.length) return null;
  return [el('h4', {}, t('finding.what_is_in_it')), el('div', { class: 'bars' }, cells.slice(0, CARD_ROWS).map(row))];
}

function barRow(name, title, part, fill, size, count) {
  const bar = el('span', { class: `fill-${fill}` });
  bar.style.width = `${100 * part}%`;
  return el('div', { class: 'bar-row' }, el('span', { class: 'name', title }, name), el('span', { class: 'track' }, bar), el('b', {}, size), el('span', { class: 'quiet' }, count));
}

/** Returns the fingerprint, and the line that allows a suspect in a test. */
function allow(fingerprint) {
  const line = code(`allow = { "${fingerprint}" }`);
  const done = el('span', { class: 'quiet', role: 'status' });
  const copy = el('button', { type: 'button', class: 'link', on: { click: () => copied(line, done) } }, t('finding.copy'));
  return [
    el('span', {}, t('finding.fingerprint'), ' ', code(fingerprint)),
    el('span', {}, t('finding.to_allow'), ' ', line),
    copy, done,
  ];
}

/** Copies the text of an element, or selects it where a page may not copy. */
async function copied(element, done) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    done.textContent = t('finding.copied');
  } catch {
    getSelection().selectAllChildren(element);
  }
}
