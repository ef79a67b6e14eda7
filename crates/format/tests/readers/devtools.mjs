// What Chrome DevTools makes of a file: prints its Memory panel's figures as JSON.
//
//   node devtools.mjs FILE [EARLIER_FILE]
//
// With an earlier file, also what the panel's Comparison says of the two.

import {build} from 'esbuild';
import {createReadStream} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

// Chrome has it; Node has it from version 22 on.
Promise.withResolvers ??= function() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, {resolve, reject}));
  return resolvers;
};

const WORKER =
    'chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker/heap_snapshot_worker.ts';

// DevTools' own build makes this module; the worker translates nothing.
const locales = {
  name: 'locales',
  setup(build) {
    build.onResolve({filter: /\/locales\.js$/}, args => ({path: args.path, namespace: 'locales'}));
    build.onLoad({filter: /.*/, namespace: 'locales'}, () => ({
      contents: `export const LOCALES = ['en-US'];
                 export const BUNDLED_LOCALES = LOCALES;
                 export const DEFAULT_LOCALE = 'en-US';
                 export const REMOTE_FETCH_PATTERN = '';
                 export const LOCAL_FETCH_PATTERN = '';`,
    }));
  },
};

// The package has DevTools' sources, which Node cannot load as they are.
async function importWorker() {
  const folder = await mkdtemp(join(process.cwd(), 'bundle-'));
  const outfile = join(folder, 'worker.mjs');
  try {
    await build({
      stdin: {contents: `export * from '${WORKER}';`, resolveDir: process.cwd()},
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
      plugins: [locales],
      outfile,
    });
    return await import(pathToFileURL(outfile));
  } finally {
    await rm(folder, {recursive: true});
  }
}

// As the panel does: one worker loads and analyses, a second one finds the dominators.
async function load(worker, file) {
  const loader = new worker.HeapSnapshotLoader.HeapSnapshotLoader({sendEvent() {}});
  for await (const chunk of createReadStream(file, {encoding: 'utf8'})) {
    loader.write(chunk);
  }
  loader.close();
  const channel = new MessageChannel();
  new worker.HeapSnapshot.SecondaryInitManager(channel.port2);
  try {
    return await loader.buildSnapshot(channel.port1);
  } finally {
    channel.port1.close();
  }
}

function nodes(snapshot) {
  const node = snapshot.createNode(0);
  const found = [];
  for (let at = 0; at < snapshot.nodeCount; at++) {
    node.nodeIndex = at * snapshot.nodeFieldCount;
    found.push({
      id: node.id(),
      name: node.name(),
      type: node.type(),
      class: node.className(),
      size: node.selfSize(),
      retained: node.retainedSize(),
      distance: node.distance(),
      edges: references(node.edges()),
      retainers: references(node.retainers()),
    });
  }
  return found;
}

function references(iterator) {
  const found = [];
  for (; iterator.hasNext(); iterator.next()) {
    const edge = iterator.item();
    found.push({type: edge.type(), name: edge.name(), shown: edge.toString(), id: edge.node().id()});
  }
  return found;
}

function classes(snapshot) {
  const aggregates = snapshot.aggregatesWithFilter({});
  return Object.values(aggregates).map(
      row => ({name: row.name, count: row.count, size: row.self, retained: row.maxRet}));
}

function comparison(snapshot, earlier) {
  const diff = snapshot.calculateSnapshotDiff(
      'earlier', earlier.aggregatesForDiff(snapshot.interfaceDefinitions()));
  return Object.values(diff).map(row => ({
    name: row.name,
    added: row.addedIds,
    removed: row.deletedIds,
    addedSize: row.addedSize,
    removedSize: row.removedSize,
  }));
}

const problems = [];
console.warn = text => problems.push(text);
const [file, earlierFile] = process.argv.slice(2);
const worker = await importWorker();
const snapshot = await load(worker, file);
const result = {
  total: snapshot.totalSize,
  nodeCount: snapshot.nodeCount,
  largestId: snapshot.updateStaticData().maxJSObjectId,
  statistics: snapshot.getStatistics(),
  classes: classes(snapshot),
  nodes: nodes(snapshot),
  problems,
};
if (earlierFile) {
  result.comparison = comparison(snapshot, await load(worker, earlierFile));
}
process.stdout.write(JSON.stringify(result));
