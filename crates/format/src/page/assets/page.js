// The page: unpacks the data, shows the parts in their order, and listens to keys.

async function unpacked() {
  const packed = atob(document.getElementById('data').textContent.trim());
  const octets = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

/** When the page is narrow. */
const NARROW = '(max-width: 760px)';

/** What a reader has chosen, kept while the page is shown in another language. */
const state = {
  zoom: 0, focus: 0, colour: 'kind',
  filter: '', kinds: new Set(), sort: 'retained', descending: true, open: new Set(), all: false,
};

function show(data) {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  const last = data.snapshots[data.snapshots.length - 1];
  document.title = data.title || [t(data.growth ? 'head.leak_report' : 'head.heap_report'), last.file].filter(Boolean).join(' · ');
  const tree = icicle(data, state);
  const choose = (chosen) => {
    language = chosen;
    show(data);
  };
  const page = document.getElementById('page');
  const parts = [
    head(data, choose), verdict(data), memory(data),
    data.growth ? growth(data) : null,
    findings(data, tree), tree.element, groups(data, state, tree), waste(data), provenance(data),
    el('footer', { class: 'end' }, t('end')),
  ];
  page.replaceChildren(...parts.filter(Boolean));
  page.removeAttribute('aria-busy');
  tree.draw();
  page.tree = tree;
}

function listen(data) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement) return;
    const tree = document.getElementById('page').tree;
    if (event.key === '/') {
      const filter = document.getElementById('filter');
      filter.focus();
      filter.select();
    } else if (event.key === 'c') {
      tree.toggleColour();
    } else if (/^[1-9]$/.test(event.key) && Number(event.key) <= data.findings.length) {
      const card = document.getElementById(`finding-${event.key}`);
      card.scrollIntoView({ block: 'nearest' });
      card.focus({ preventScroll: true });
    } else {
      return;
    }
    event.preventDefault();
  });
}

async function start() {
  try {
    const data = await unpacked();
    data.chinese.forEach(([english, chinese]) => CHINESE.set(english, chinese));
    language = data.language || (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
    show(data);
    listen(data);
    matchMedia(NARROW).addEventListener('change', () => show(data));
  } catch (error) {
    const page = document.getElementById('page');
    language = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
    page.removeAttribute('aria-busy');
    page.replaceChildren(el('p', {}, t(typeof DecompressionStream === 'undefined' ? 'broken.old_browser' : 'broken.damaged', { error: String(error) })));
  }
}

start();
