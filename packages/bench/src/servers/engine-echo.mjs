/**
 * The application under test in the cases of the engine alone; it runs unchanged on both servers.
 *
 * @param {import("engine.io").Server} server
 */
export function echo(server) {
  server.on("connection", (session) => {
    session.on("message", (/** @type {string} */ data) => session.send(data));
  });
}
