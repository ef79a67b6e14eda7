// The head of the page, and the verdict.

function head(data, choose) {
  const last = data.snapshots[data.snapshots.length - 1];
  const facts = [
    t(data.growth ? 'head.leak_report' : 'head.heap_report'),
    data.title || last.file,
    last.process ? t('head.process', { id: last.process }) : '',
    last.vm,
    last.taken_at_ms ? `${moment(last.taken_at_ms).slice(0, 16)} UTC` : '',
  ];
  const button = (code, name) =>
    el('button', { type: 'button', lang: code, 'aria-pressed': String(language === code), on: { click: () => choose(code) } }, name);
  return el(
    'header', {},
    el('p', {}, el('b', {}, 'luasnap'), facts.filter(Boolean).map((fact) => el('span', {}, fact))),
    el('div', { class: 'switch', role: 'group', 'aria-label': t('head.language') }, button('en', 'English'), button('zh', '中文')),
  );
}

/** Returns the verdict in a sentence, and what the answers say. */
function verdict(data) {
  const answer = data.growth || data.top;
  const ledger = answer.ledger.verdict;
  const sentences = [answer.verdict && said(answer.verdict), ledger && t('verdict.sentence', { text: said(ledger) })];
  return el(
    'div', { class: 'verdict' },
    el('h1', {}, data.growth ? ofGrowth(data) : ofOne(data)),
    sentences.filter(Boolean).map((sentence) => el('p', {}, sentence)),
  );
}

function ofGrowth(data) {
  const finding = data.findings[0];
  const suspect = finding && suspectOf(data, finding);
  const rise = (text) => el('em', {}, text);
  if (suspect) {
    const values = { path: code(suspect.point), share: percent(suspect.share, 0) };
    const isSeries = data.snapshots.length > 2;
    const rate = finding.a_minute;
    const isLeak = isSeries && rate && finding.has_point && !suspect.held_by;
    values.rate = rise(rate ? t(isLeak ? 'rate.leaks' : 'rate.a_minute', { bytes: bytes(rate) }) : bytes(suspect.grown));
    if (suspect.held_by) return rich('verdict.references', values);
    if (!finding.has_point) {
      const group = groupsOf(data, suspect)[0];
      return rich('verdict.scattered', { ...values, path: code(group ? group.name : suspect.example) });
    }
    return rich(isLeak ? 'verdict.leaks' : 'verdict.grew', values);
  }
  const most = data.growth.changed.find((row) => row.size_change > 0);
  if (!most) return rich('verdict.nothing_grew');
  return rich('verdict.grew_most', { path: code(most.name), bytes: rise(bytes(most.size_change)) });
}

function ofOne(data) {
  const finding = data.findings[0];
  const group = finding && data.top.groups.find((group) => group.fingerprint === finding.fingerprint);
  if (!group) return rich('verdict.nothing_large');
  const values = { path: code(group.name), bytes: el('b', {}, bytes(group.retained)), share: percent(group.share, 0) };
  if (group.count === 1) return rich('verdict.retains', values);
  return rich('verdict.retain', { ...values, n: grouped(group.count) });
}

/** Returns the suspect of a finding. */
function suspectOf(data, finding) {
  return data.growth.suspects.find((suspect) => suspect.fingerprint === finding.fingerprint);
}

/** Returns the rows of a suspect's groups. */
function groupsOf(data, suspect) {
  const known = new Map(data.growth.growing.map((row) => [row.fingerprint, row]));
  return suspect.groups.map((fingerprint) => known.get(fingerprint)).filter(Boolean);
}
