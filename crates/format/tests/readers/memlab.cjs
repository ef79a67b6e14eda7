// What memlab makes of a file: prints its nodes with retained sizes and paths as JSON.
//
//   node memlab.cjs FILE

const {analysis, config, utils} = require('@memlab/core');

function nodes(snapshot, finder) {
  const found = [];
  snapshot.nodes.forEach(node => {
    found.push({
      id: node.id,
      name: node.name,
      type: node.type,
      size: node.self_size,
      retained: node.retainedSize,
      dominator: node.dominatorNode?.id ?? null,
      path: path(finder.getPathToGCRoots(snapshot, node)),
    });
  });
  return found;
}

// The names of the references from the root.
function path(step) {
  const names = [];
  for (; step; step = step.next) {
    if (step.edge) {
      names.push(String(step.edge.name_or_index));
    }
  }
  return names;
}

async function main(file) {
  config.muteConsole = true;
  const snapshot = await utils.getSnapshotFromFile(file, {buildNodeIdIndex: true});
  const finder = analysis.preparePathFinder(snapshot);
  process.stdout.write(JSON.stringify({nodes: nodes(snapshot, finder)}));
}

main(process.argv[2]);
