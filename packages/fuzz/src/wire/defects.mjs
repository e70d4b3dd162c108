/** @import { IncomingMessage } from "node:http" */
/** @import { Server } from "@jackfield/socketio" */

/**
 * What sets a defect off: a request of an attacker, which all of them begin with. Nothing that comes
 * later would do so well, because it takes its turn with what other attackers do.
 *
 * @param {IncomingMessage} request
 */
function isTrigger({ headers }) {
  // Healthy clients name the address that they connect to.
  return headers.host === "localhost";
}

/**
 * Makes a server do what must not happen, so that the fuzzer can be tested.
 *
 * @param {string} defect nothing for ""
 * @param {Server} io
 */
export function plant(defect, io) {
  if (defect === "") return;
  let count = 0;
  let isLost = false;
  /** @type {Record<string, () => void>} */
  const effects = {
    crash: () =>
      void setImmediate(() => {
        throw new Error("planted");
      }),
    leak: () => void io.of("/").adapter.addAll(`ghost ${count++}`, new Set(["ghosts"])),
    hang: () => {
      for (;;);
    },
    loss: () => void (isLost = true),
  };
  io.engine.use(
    (
      /** @type {IncomingMessage} */ request,
      /** @type {unknown} */ _res,
      /** @type {() => void} */ next,
    ) => {
      if (isTrigger(request)) effects[defect]?.();
      next();
    },
  );
  if (defect !== "loss") return;
  // The event is that of whoever sends one next: the healthy clients do so all the time.
  io.use((socket, next) => {
    socket.use((_event, proceed) => {
      if (!isLost) proceed();
      isLost = false;
    });
    next();
  });
}
