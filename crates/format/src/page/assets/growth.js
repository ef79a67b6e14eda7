// What grew: stacked areas on an axis of time, and the snapshots in a table.

/** The most suspects with an area of their own. */
const AREAS = 3;
/** The most rows of the table; of more, the middle is left out. */
const SNAPSHOT_ROWS = 12;
/** The width of a size or a time at the chart, with what is to be free beside it. */
const LABEL = 72;

function growth(data) {
  const sizes = data.growth.sizes;
  const grown = sizes[sizes.length - 1] - sizes[0];
  const rate = data.elapsed_ms >= 1000 ? (grown * 60000) / data.elapsed_ms : 0;
  const values = { bytes: signedBytes(grown), time: data.elapsed_ms ? duration(data.elapsed_ms) : '', rate: signedBytes(rate) };
  const finding = rate ? t('growth.finding', values) : t('growth.finding_untimed', values);
  return section(
    'growth', t('growth.heading'), finding,
    el('div', { class: 'beside' }, el('div', { class: 'chart' }, chart(data)), el('div', {}, table(data), pace(data, rate))),
  );
}

/** Returns where each snapshot is on the axis, from 0 to 1: by its time if all times are known and rise. */
function places(snapshots) {
  const times = snapshots.map((of) => of.taken_at_ms);
  const rises = times.every((time, at) => time && (at === 0 || time > times[at - 1]));
  const last = snapshots.length - 1;
  return { rises, at: times.map((time, at) => (rises ? (time - times[0]) / (times[last] - times[0]) : at / last)) };
}

function chart(data) {
  // On a narrow page it is drawn smaller, so that its words stay as large as others.
  const isNarrow = matchMedia(NARROW).matches;
  const [left, width, top, height] = [2, isNarrow ? 180 : 400, 34, 116];
  const whole = width + 200;
  const sizes = data.growth.sizes;
  const last = sizes.length - 1;
  const findings = data.findings.slice(0, AREAS);
  const of = (finding, at) => finding.sizes[at] || 0;
  const rest = sizes.map((size, at) => Math.max(0, size - findings.reduce((sum, finding) => sum + of(finding, at), 0)));
  const layers = [{ name: t('growth.rest'), sizes: rest, fill: 'rest' }];
  findings.forEach((finding, at) => {
    const suspect = suspectOf(data, finding);
    layers.push({ name: finding.has_point ? suspect.point : nameOf(data, suspect), sizes: finding.sizes, fill: `area-${at + 1}`, number: at + 1 });
  });
  const { rises, at: xs } = places(data.snapshots);
  const most = Math.max(1, ...sizes);
  const x = (at) => left + width * xs[at];
  const y = (size) => top + height * (1 - size / most);
  const svg = drawn('svg', { viewBox: `0 0 ${whole} ${top + height + 24}`, role: 'img', 'aria-label': t('growth.heading') });
  const sums = sizes.map(() => 0);
  const labels = [];
  for (const layer of layers) {
    const below = sums.map((sum, at) => `${x(at)},${y(sum)}`).reverse();
    layer.sizes.forEach((size, at) => { sums[at] += size; });
    const above = sums.map((sum, at) => `${x(at)},${y(sum)}`);
    svg.append(drawn('polygon', { class: layer.fill, points: above.concat(below).join(' ') }));
    labels.push({ layer, y: y(sums[last] - layer.sizes[last] / 2) });
  }
  // Those between have the room that the first and the last leave, and the one before.
  let free = left + 1.5 * LABEL;
  const hasRoom = (at) => {
    if (at === 0 || at === last) return true;
    if (sizes.length > 4 || x(at) < free || x(at) > left + width - 1.5 * LABEL) return false;
    free = x(at) + LABEL;
    return true;
  };
  sizes.forEach((size, at) => {
    const isLabelled = hasRoom(at);
    if (at > 0 && at < last) svg.append(drawn('line', { class: 'rule', x1: x(at), x2: x(at), y1: y(sums[at]), y2: top + height }));
    svg.append(drawn('circle', { cx: x(at), cy: y(size), r: isLabelled ? 3 : 1.5 }));
    const anchor = at === 0 ? 'start' : at === last ? 'end' : 'middle';
    if (!isLabelled) return;
    svg.append(drawn('text', { class: 'figure', x: x(at), y: y(size) - 10, 'text-anchor': anchor }, bytes(size, unitOf(most))));
    const time = rises ? moment(data.snapshots[at].taken_at_ms).slice(11, data.elapsed_ms < 600000 ? 19 : 16) : `${at + 1}`;
    svg.append(drawn('text', { x: x(at), y: top + height + 16, 'text-anchor': anchor }, time));
  });
  svg.append(drawn('line', { class: 'axis', x1: left, x2: left + width, y1: top + height, y2: top + height }));
  labelled(svg, labels, [left + width + 10, whole - 2, top, top + height]);
  return svg;
}

/** Writes the layers' names beside them, so that none covers another. */
function labelled(svg, labels, [x, right, first, end]) {
  const apart = 18;
  labels.reverse();
  let free = first - 20;
  labels.forEach((label, at) => {
    const latest = end - apart * (labels.length - 1 - at);
    label.y = Math.max(free, Math.min(label.y, latest));
    free = label.y + apart;
  });
  for (const { layer, y } of labels) {
    const grown = layer.sizes[layer.sizes.length - 1] - layer.sizes[0];
    if (layer.number) {
      svg.append(drawn('circle', { class: 'badge', cx: x + 7, cy: y - 4, r: 7 }));
      svg.append(drawn('text', { class: 'badge-text', x: x + 7, y, 'text-anchor': 'middle' }, String(layer.number)));
    }
    const short = lastSteps(layer.name, 15);
    const name = drawn('text', { class: layer.number ? 'label' : 'quiet', x: layer.number ? x + 20 : x, y }, short);
    name.append(drawn('title', {}, layer.name));
    svg.append(name);
    svg.append(drawn('text', { class: layer.number ? 'grown' : 'quiet', x: right, y, 'text-anchor': 'end' }, signedBytes(grown)));
  }
}

/** Returns the end of a name that has room for so many characters: whole steps, if it is a path. */
function lastSteps(name, room) {
  if (name.length <= room) return name;
  const steps = name.split('.');
  let end = steps.pop();
  while (steps.length && end.length + steps[steps.length - 1].length + 2 <= room) end = `${steps.pop()}.${end}`;
  return end.length < room ? `…${end}` : `${name.slice(0, room - 1)}…`;
}

/** Returns what a suspect without an accumulation point is called. */
function nameOf(data, suspect) {
  const group = groupsOf(data, suspect)[0];
  return group ? group.name : suspect.example;
}

function table(data) {
  const sizes = data.growth.sizes;
  const unit = unitOf(Math.max(...sizes));
  const head = ['growth.snapshot', 'growth.time', 'growth.in_use', 'growth.step', 'growth.objects'];
  const row = (of, at) =>
    el(
      'tr', {},
      el('td', {}, code(of.file || String(at + 1))),
      el('td', {}, of.taken_at_ms ? moment(of.taken_at_ms).slice(11) : ''),
      el('td', { class: 'number' }, bytes(sizes[at], unit)),
      el('td', { class: at && sizes[at] > sizes[at - 1] ? 'number grown' : 'number' }, at ? signedBytes(sizes[at] - sizes[at - 1], unit) : ''),
      el('td', { class: 'number' }, grouped(of.count)),
    );
  let rows = data.snapshots.map(row);
  if (rows.length > SNAPSHOT_ROWS) {
    const left = rows.length - SNAPSHOT_ROWS + 1;
    const gap = el('tr', {}, el('td', { colspan: 5, class: 'quiet' }, t('growth.more', { n: left })));
    rows = [...rows.slice(0, 4), gap, ...rows.slice(4 + left)];
  }
  return el(
    'table', { class: 'plain' },
    el('thead', {}, el('tr', {}, head.map((name, at) => el('th', { scope: 'col', class: at > 1 ? 'number' : '' }, t(name))))),
    el('tbody', {}, rows),
  );
}

/** Returns when the heap doubles, if it goes on like that. */
function pace(data, rate) {
  const minutes = data.growth.sizes[data.growth.sizes.length - 1] / rate;
  if (!(rate > 0) || minutes > 60 * 24 * 365) return null;
  return el('p', { class: 'note' }, t('growth.doubles', { time: duration(minutes * 60000) }));
}
