"use strict";
// Module resolution from this package, in a file that is CommonJS in both builds: ES modules have
// no `require.resolve`, CommonJS modules no `import.meta`.
exports.resolveClientManifest = () => require.resolve("socket.io-client/package.json");
