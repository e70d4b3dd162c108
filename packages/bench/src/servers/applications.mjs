/** @import { Server } from "socket.io" */
/** @import { Parameters } from "../cases.mjs" */

/**
 * The applications under test; each runs unchanged on every Socket.IO server. An application
 * registers only the listeners of its own case, because listeners cost memory per connection.
 */
export const applications = { echo, acknowledge, receive, broadcast, rooms, memberships };

/** @param {Server} io */
function echo(io) {
  io.on("connection", (socket) => {
    socket.on("echo", (data) => socket.emit("echo", data));
  });
}

/** @param {Server} io */
function acknowledge(io) {
  io.on("connection", (socket) => {
    socket.on("ask", (data, reply) => reply(data));
  });
}

/** @param {Server} io */
function receive(io) {
  io.on("connection", (socket) => {
    socket.on("note", (_data, reply) => reply?.());
  });
}

/**
 * @param {Server} io
 * @param {Parameters} parameters
 */
function broadcast(io, { text, repeat }) {
  io.on("connection", (socket) => {
    socket.on("start", () => {
      for (let count = 0; count < repeat; count++) io.emit("message", text);
    });
  });
}

/**
 * @param {Server} io
 * @param {Parameters} parameters
 */
function rooms(io, { text, rooms: count }) {
  const names = Array.from({ length: count }, (_, index) => `room-${index}`);
  let next = 0;
  io.on("connection", (socket) => {
    void socket.join(at(names, next++));
    socket.on("start", () => {
      for (const name of names) io.to(name).emit("message", text);
    });
  });
}

/**
 * Every socket joins `repeat` of the rooms, and for "join and leave" gives them up again; rooms
 * come into being and vanish on the way.
 *
 * @param {Server} io
 * @param {Parameters} parameters
 */
function memberships(io, { repeat, rooms: count }) {
  const names = Array.from({ length: count }, (_, index) => `room-${index}`);
  /** @type {import("socket.io").Socket[]} */
  const sockets = [];
  /** @param {(socket: import("socket.io").Socket, name: string) => void} action */
  const each = (action) => {
    for (const [index, socket] of sockets.entries()) {
      for (let turn = 0; turn < repeat; turn++) action(socket, at(names, index + turn));
    }
  };
  io.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("join", (reply) => {
      each((member, name) => void member.join(name));
      reply();
    });
    socket.on("join and leave", (reply) => {
      each((member, name) => void member.join(name));
      each((member, name) => void member.leave(name));
      reply();
    });
  });
}

/**
 * @param {string[]} names
 * @param {number} index counts on beyond the end
 */
function at(names, index) {
  return /** @type {string} */ (names[index % names.length]);
}
