/**
 * Makes this child process answer the calls of its parent, one message per call, and end when the
 * parent is gone, however that happened.
 *
 * @param {Record<string, (argument: any) => unknown>} methods a promise is awaited, a throw is
 *   reported to the caller
 */
export function answerCalls(methods) {
  process.on("message", async (/** @type {any} */ { id, method, argument }) => {
    try {
      reply({ id, result: await methods[method]?.(argument) });
    } catch (error) {
      reply({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on("disconnect", () => process.exit(0));
}

/** @param {object} message */
function reply(message) {
  // Without a callback, a parent that is already gone would raise an "error" event.
  process.send?.(message, () => {});
}
