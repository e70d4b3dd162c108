"use strict";
// The CommonJS entry: `require("@jackfield/socketio")(httpServer, options)` makes a server, as it
// always has in Socket.IO, and the function carries the named exports.
const api = require("./dist/cjs/index.js");
module.exports = Object.assign((...args) => new api.Server(...args), api);
