/** @import { Server } from "@jackfield/socketio" */

/** What sets a defect off: an event that only attackers send. */
const TRIGGER = "join";

/**
 * Makes a server do what must not happen, so that the fuzzer can be tested.
 *
 * @param {string} defect nothing for ""
 * @param {Server} io
 */
export function plant(defect, io) {
  let count = 0;
  let isLost = false;
  io.on("connection", (socket) => {
    socket.prependAny((event) => {
      if (event !== TRIGGER) return;
      if (defect === "crash") {
        setImmediate(() => {
          throw new Error("planted");
        });
      }
      if (defect === "leak")
        void io.of("/").adapter.addAll(`ghost ${count++}`, new Set(["ghosts"]));
      if (defect === "hang") for (;;);
      // Later, so that it is somebody else's event.
      if (defect === "loss") setImmediate(() => (isLost = true));
    });
    if (defect === "loss") {
      socket.use((_event, next) => {
        if (!isLost) next();
        isLost = false;
      });
    }
  });
}
