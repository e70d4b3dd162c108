/** @import { Server } from "socket.io" */
/** @import { Parameters } from "../cases.mjs" */

/**
 * The applications under test; each runs unchanged on every Socket.IO server. An application
 * registers only the listeners of its own case, because listeners cost memory per connection.
 */
export const applications = { echo, acknowledge, receive, broadcast, rooms, memberships, churn };

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
 * For "churn", `repeat` times every socket joins a room, then every socket leaves it. Before the
 * first time the rooms are made, each with a socket that stays in it.
 *
 * @param {Server} io
 * @param {Parameters} parameters
 */
function churn(io, { repeat, rooms: count }) {
  const names = Array.from({ length: count }, (_, index) => `room-${index}`);
  /** @type {import("socket.io").Socket[]} */
  const sockets = [];
  let isPrepared = false;
  const prepare = () => {
    for (const [index, name] of names.entries()) void sockets[index % sockets.length]?.join(name);
    isPrepared = true;
  };
  /**
   * Another room for every socket and turn, but never one that the socket stays in: room `n` keeps
   * the socket `n % sockets.length`. (With a single room, the first socket has no choice.)
   *
   * @param {number} index
   * @param {number} turn
   */
  const roomOf = (index, turn) => {
    const width = Math.min(count, sockets.length);
    const layers = Math.floor(count / width);
    return at(names, ((index + 1 + turn) % width) + width * ((index + turn) % layers));
  };
  io.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("churn", (reply) => {
      if (!isPrepared) prepare();
      for (let turn = 0; turn < repeat; turn++) {
        for (const [index, member] of sockets.entries()) void member.join(roomOf(index, turn));
        for (const [index, member] of sockets.entries()) void member.leave(roomOf(index, turn));
      }
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
