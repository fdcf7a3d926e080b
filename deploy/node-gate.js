// Runs under whatever Node the machine has (npm scripts find the project's own Node 24 first on the path).
// Plain JavaScript of long ago, because its only job is to speak clearly on an old Node.
var major = Number(process.versions.node.split('.')[0]);
var installing = process.env.npm_lifecycle_event === 'postinstall';
if (major < 24 && !installing) {
  console.error(
    'Firn runs on Node 24, this is Node ' +
      process.versions.node +
      '.\n' +
      'Node 24 comes with the dependencies, but its install step did not run.\n' +
      'What to do: `npm ci` without --ignore-scripts, then the same command again.',
  );
  process.exit(1);
}
