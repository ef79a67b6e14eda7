// Opens pages in Chromium and says what is there: `look.mjs CHROMIUM FOLDER`. The folder has `growth.html`, of three
// snapshots, `one.html`, of one, `plain.html` by the portable engine, `large.html`, and `damaged.html`. Screenshots go there too.
import { chromium } from 'playwright-core';

const [executablePath, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const seen = {};

/** Opens a page, and notes what must not happen on it. */
async function opened(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', ...options });
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (request.url() !== `file://${folder}/${name}`) problems.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.log(`violation: ${event.violatedDirective} ${event.sample}`));
  });
  await page.goto(`file://${folder}/${name}`);
  if (options.javaScriptEnabled !== false) await page.waitForSelector('#page:not([aria-busy])');
  return { page, problems, close: () => context.close() };
}

const text = (page, selector) => page.locator(selector).first().innerText();

/** Returns the rows of the table of groups. */
function rows(page) {
  return page.locator('.groups tbody tr:not(.details)').evaluateAll((rows) =>
    rows.map((row) => {
      const of = (name) => row.querySelector(name)?.textContent;
      return { name: of('.group code'), kind: of('.kind'), count: of('.count'), size: of('.size'), retained: of('.retained'), growth: of('.growth') };
    }),
  );
}

/** Returns what leaves its box: the whole page, or a text over the edge of its own. */
function overflow(page) {
  return page.evaluate(() => {
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide`);
    for (const element of document.querySelectorAll('.card, .ledger div, .bar-row, .step, .detail-line, h1, .chip, .wasters div, td')) {
      const { right } = element.getBoundingClientRect();
      if (right > root.clientWidth + 1) found.push(`${element.className || element.tagName} ends at ${right}`);
    }
    return found;
  });
}

/** Returns labels of one picture that cover or touch each other: those of the memory's bar, and those of the chart. */
function touching(page) {
  return page.evaluate(() => {
    const NEAR = 3;
    const found = [];
    for (const labels of ['.brackets > span > span', '.bar .piece', '.chart svg text']) {
      const boxes = [];
      for (const element of document.querySelectorAll(labels)) {
        const range = document.createRange();
        range.selectNodeContents(element);
        const { left, right, top, bottom } = range.getBoundingClientRect();
        // What leaves a piece of the bar is hidden.
        const end = element.matches('.piece') ? Math.min(right, element.getBoundingClientRect().right - NEAR) : right;
        if (end > left && element.textContent) boxes.push({ text: element.textContent, left, right: end, top, bottom });
      }
      boxes.forEach((a, at) => {
        for (const b of boxes.slice(at + 1)) {
          const isBeside = a.right + NEAR <= b.left || b.right + NEAR <= a.left;
          // Lines of a chart lie close to each other: their boxes have room above and below the letters.
          const isAbove = a.bottom <= b.top + 4 || b.bottom <= a.top + 4;
          if (!isBeside && !isAbove) found.push(`${a.text} | ${b.text}`);
        }
      });
    }
    return found;
  });
}

/** Opens all rows of the table of groups. */
async function openAll(page) {
  await page.evaluate(() => {
    document.querySelector('.more button')?.click();
    const names = [...document.querySelectorAll('.open')].map((button) => button.value);
    for (const name of names) document.querySelector(`.open[value="${name}"]`).click();
  });
}

/** Returns the texts with English words in them: other ones than names, units, and what Chinese has no word for. */
function english(page) {
  return page.evaluate(() => {
    const NAMES = 'code, pre, kbd, .switch, .crumbs, .bar-row .name, .chart .label, svg title';
    const WORDS = ['luasnap', 'Lua', 'GC', 'RSS', 'UTC', 'API', 'KiB', 'MiB', 'userdata', 'Esc', 'Enter'];
    const found = new Set();
    const look = (text) => {
      // Paths, places in code, files, versions and options.
      const words = text.replace(/[!-~]*[._:/[\]][!-~]*|--[a-z-]+/g, ' ').match(/[A-Za-z]{2,}/g) || [];
      if (words.some((word) => !WORDS.includes(word))) found.add(text);
    };
    look(document.title);
    const root = document.getElementById('page');
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (!texts.currentNode.parentElement.closest(NAMES)) look(texts.currentNode.data);
    for (const element of root.querySelectorAll('[aria-label], [placeholder], [title]')) {
      for (const name of ['aria-label', 'placeholder', 'title']) {
        const isName = name === 'title' && element.matches('.name, .open');
        if (element.hasAttribute(name) && !isName) look(element.getAttribute(name));
      }
    }
    return [...found];
  });
}

// How it looks, in each way.
seen.looks = {};
for (const [look, options] of Object.entries({
  light: {},
  dark: { colorScheme: 'dark' },
  narrow: { viewport: { width: 390, height: 844 } },
  zh: { locale: 'zh-CN' },
  'narrow zh': { viewport: { width: 390, height: 844 }, locale: 'zh-CN' },
  print: {},
})) {
  for (const name of ['growth', 'one', 'plain']) {
    const { page, problems, close } = await opened(`${name}.html`, options);
    if (look === 'print') await page.emulateMedia({ media: 'print' });
    await page.screenshot({ path: `${folder}/${name}-${look.replace(' ', '-')}.png`, fullPage: true });
    seen.looks[`${name} ${look}`] = {
      problems, overflow: await overflow(page), touching: await touching(page), verdict: await text(page, 'h1'),
      language: await page.evaluate(() => document.documentElement.lang),
      background: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      sections: await page.locator('section').evaluateAll((sections) => sections.map((section) => section.id)),
    };
    await openAll(page);
    seen.looks[`${name} ${look}`].english = await english(page);
    seen.looks[`${name} ${look}`].details = await page.locator('.details').allInnerTexts();
    seen.looks[`${name} ${look}`].cards = await page.locator('.card').allInnerTexts();
    await close();
  }
}

// What can be done with it.
const { page, problems, close } = await opened('growth.html');
const cellNamed = (path) => page.evaluate((path) => document.getElementById('page').tree.cells.path.indexOf(path), path);
const zoomed = () => page.evaluate(() => document.querySelector('.crumbs')?.innerText.split('\n').filter(Boolean) || []);
const detail = () => text(page, '#tree-detail');
async function click(path) {
  const cell = await cellNamed(path);
  await page.locator('canvas').scrollIntoViewIfNeeded();
  const at = await page.evaluate((cell) => {
    const rect = document.getElementById('page').tree.rectOf(cell);
    return rect && { x: rect.x + rect.width / 2, y: rect.row * 34 + 12 };
  }, cell);
  if (!at) throw new Error(`no cell ${path} is drawn`);
  await page.locator('canvas').click({ position: at });
}
const picture = () => page.evaluate(() => document.querySelector('canvas').toDataURL());

seen.title = await page.title();
seen.rows = await rows(page);
seen.cards = await page.locator('.card h3').allInnerTexts();
seen.ledger = await page.locator('.ledger div').allInnerTexts();
seen.hacked = await page.evaluate(() => [window.hacked, document.images.length, document.querySelectorAll('script').length]);

seen.tree = {};
await page.locator('canvas').hover({ position: { x: 400, y: 34 + 12 } });
seen.tree.hovered = await detail();
await click('_G.server.sessions');
seen.tree.clicked = [await zoomed(), await detail()];
await page.keyboard.press('ArrowDown');
seen.tree.down = await detail();
await page.keyboard.press('Enter');
seen.tree.entered = await zoomed();
await page.keyboard.press('Escape');
await page.keyboard.press('Escape');
await page.keyboard.press('Escape');
await page.keyboard.press('Escape');
seen.tree.left = await zoomed();
const before = await picture();
await page.keyboard.press('c');
const after = await picture();
seen.tree.coloured = [before !== after, await page.locator('#tree [aria-pressed="true"]').innerText()];
await page.keyboard.press('c');
await page.locator('.step').nth(1).click();
seen.tree.step = await detail();

seen.table = {};
await page.keyboard.press('/');
await page.keyboard.type('inventory');
seen.table.filtered = (await rows(page)).map((row) => row.name);
await page.keyboard.press('Escape');
seen.table.all = (await rows(page)).length;
await page.locator('.chip[value="string"]').click();
seen.table.strings = (await rows(page)).map((row) => row.kind.trim());
await page.locator('.chip[value="string"]').click();
await page.locator('.sort[value="count"]').click();
seen.table.byCount = (await rows(page)).map((row) => row.count);
await page.locator('.sort[value="count"]').click();
seen.table.byCountUpwards = (await rows(page)).map((row) => row.count);
await page.locator('.sort[value="name"]').click();
seen.table.byName = (await rows(page)).map((row) => row.name);
await page.locator('.sort[value="retained"]').click();
await page.locator('.open').first().click();
seen.table.opened = await text(page, '.details');
await page.keyboard.press('Enter');
seen.table.closed = await page.locator('.details').count();
await page.locator('.more button').click();
seen.table.everything = (await rows(page)).length;

await page.keyboard.press('2');
seen.focused = await page.evaluate(() => document.activeElement.id);
await page.getByRole('button', { name: '中文' }).click();
seen.chinese = [await text(page, 'h1'), (await rows(page)).length, await page.evaluate(() => document.documentElement.lang)];
await page.getByRole('button', { name: 'English' }).click();
seen.english = await text(page, 'h1');
seen.problems = problems;
await close();

// Without JavaScript, and with data that cannot be read.
const plain = await opened('growth.html', { javaScriptEnabled: false });
seen.withoutScript = await plain.page.innerText('body');
await plain.close();
const damaged = await opened('damaged.html');
seen.damaged = await text(damaged.page, '#page');
await damaged.close();

// A large heap; and how long until there was something to see, for whoever runs this by hand.
const large = await opened('large.html');
seen.large = {
  problems: large.problems,
  // The browser notes its first paint some time after it painted: without waiting there may be no such note yet.
  paint: await large.page.evaluate(() => new Promise((resolve) => {
    new PerformanceObserver((entries) => {
      const [first] = entries.getEntriesByName('first-contentful-paint');
      if (first) resolve(first.startTime);
    }).observe({ type: 'paint', buffered: true });
  })),
  shown: (await rows(large.page)).length,
};
await large.close();

await browser.close();
console.log(JSON.stringify(seen));
