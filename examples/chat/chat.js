// The chat itself: what each event of a browser does.
import { cleanKey, cleanName, cleanText, fields, fold, MAX_TEXT } from "./input.js";
import { RateLimit } from "./rate-limit.js";
import { Rooms } from "./rooms.js";

const ROOM_LIST_DELAY_MS = 100;

const failure = (error) => ({ ok: false, error });

/** An error whose `data` tells the browser that this is an answer and no broken connection. */
function refusal(text) {
  return Object.assign(new Error(text), { data: { isRefusal: true } });
}

/** A room's name in Socket.IO, where every socket's id names a room too. */
const to = (room) => `room:${room.name}`;

/** Puts the chat on a Socket.IO server; returns a function that ends its timer. */
export function serveChat(io) {
  const rooms = new Rooms();
  const people = new Map(); // folded nickname -> socket
  let listTimer;

  // Ten people who enter at once change the list ten times, but it is sent once.
  const sendRoomList = () => {
    listTimer ??= setTimeout(() => {
      listTimer = undefined;
      io.emit("rooms", rooms.list());
    }, ROOM_LIST_DELAY_MS);
  };

  // A name belongs to the browser that took it first, for as long as it is here. The key tells a
  // browser that comes back, before the server noticed that it was gone, from somebody else.
  const isTaken = ({ data }) => {
    const holder = people.get(fold(data.name));
    return holder !== undefined && holder.data.key !== data.key;
  };

  io.use((socket, next) => {
    const auth = fields(socket.handshake.auth);
    const name = cleanName(auth.name);
    const key = cleanKey(auth.key);
    if (name === undefined || key === undefined) {
      next(refusal("Please use 2 to 20 letters and digits."));
      return;
    }
    Object.assign(socket.data, { name, key, room: undefined });
    next(isTaken(socket) ? refusal(`“${name}” is taken. Please choose another name.`) : undefined);
  });

  io.on("connection", (socket) => {
    const { name } = socket.data;
    // Two may have asked for one free name at the same moment.
    if (isTaken(socket)) {
      socket.disconnect(true);
      return;
    }
    people.get(fold(name))?.disconnect(true);
    people.set(fold(name), socket);
    socket.emit("rooms", rooms.list());

    const leaveRoom = () => {
      const { room } = socket.data;
      if (room === undefined) return;
      socket.data.room = undefined;
      socket.leave(to(room));
      rooms.leave(room, socket.id);
      io.to(to(room)).emit("members", { room: room.name, names: room.names() });
    };

    const handlers = {
      join(payload) {
        const wanted = cleanName(payload.room);
        if (wanted === undefined) return failure("A room's name has 2 to 20 letters and digits.");
        const room = rooms.open(wanted);
        if (room === undefined) return failure("There are too many rooms already.");
        if (socket.data.room !== room) leaveRoom();
        socket.data.room = room;
        room.members.set(socket.id, name);
        socket.join(to(room));
        socket.to(to(room)).emit("members", { room: room.name, names: room.names() });
        sendRoomList();
        return { ok: true, room: room.name, names: room.names(), history: room.history };
      },

      message(payload) {
        const id = cleanKey(payload.id);
        const text = cleanText(payload.text);
        const room = rooms.get(cleanName(payload.room) ?? "");
        if (id === undefined || room === undefined) return failure("There is no such room.");
        if (text === undefined) return failure(`A message has 1 to ${MAX_TEXT} characters.`);
        const known = room.find(id);
        if (known !== undefined) {
          return known.name === name ? { ok: true, message: known } : failure("Please try again.");
        }
        const message = { id, room: room.name, name, text, at: Date.now() };
        room.add(message);
        socket.to(to(room)).emit("message", message);
        sendRoomList();
        return { ok: true, message };
      },

      typing(payload) {
        const { room } = socket.data;
        if (room === undefined) return;
        const notice = { room: room.name, name, isTyping: payload.isTyping === true };
        // Nobody misses a typing notice: it is not kept for those who cannot take it now.
        socket.volatile.to(to(room)).emit("typing", notice);
      },
    };

    const limit = new RateLimit({ burst: 20, perSecond: 5 });
    for (const [event, handle] of Object.entries(handlers)) {
      socket.on(event, (payload, ack) => {
        const retryAfter = limit.take();
        const reply = retryAfter > 0 ? { ok: false, retryAfter } : handle(fields(payload));
        if (typeof ack === "function") ack(reply);
      });
    }

    socket.on("disconnect", () => {
      leaveRoom();
      // Not when this one was replaced by the same person's next connection.
      if (people.get(fold(name)) === socket) people.delete(fold(name));
      sendRoomList();
    });
  });

  return () => clearTimeout(listTimer);
}
