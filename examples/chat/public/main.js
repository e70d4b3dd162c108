// The connection and what this browser knows; view.js draws it.
import * as view from "./view.js";

const TYPING_NOTICE_MS = 2000; // how often to say that one is still typing
const TYPING_EXPIRES_MS = 4000; // how long to believe it of others
const ANSWER_TIMEOUT_MS = 8000;

const stored = sessionStorage;
const me = { name: stored.getItem("name") ?? "", key: stored.getItem("key") ?? randomHex() };
stored.setItem("key", me.key);

let room = stored.getItem("room") ?? "Lobby"; // where we are, or want to be after a reconnect
let rooms = [];
const seen = new Map(); // room -> how many of its messages were there when we last looked
const pending = new Map(); // id -> message that the server has not acknowledged
const typists = new Map(); // name -> the timer that forgets it
let saidTypingAt = 0;
let isReady = false; // connected, and in the room
let isSending = false;

// `io` comes with /socket.io/socket.io.js. The name is sent with every (re)connection.
const socket = globalThis.io({
  autoConnect: false,
  reconnectionDelay: 500,
  reconnectionDelayMax: 3000,
  auth: (send) => send({ name: me.name, key: me.key }),
});

function randomHex() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends an event; resolves with the server's answer, or with `{ isLost: true }` without one. */
async function request(event, payload) {
  // Socket.IO would keep it for later, but after a reconnect we must enter the room first.
  if (!socket.connected) return { ok: false, isLost: true };
  try {
    return await socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(event, payload);
  } catch {
    return { ok: false, isLost: true };
  }
}

// --- rooms

async function enter(name) {
  const reply = await request("join", { room: name });
  if (!reply.ok) {
    if (reply.error !== undefined) view.announce(reply.error);
    if (reply.retryAfter !== undefined) setTimeout(() => enter(name), reply.retryAfter);
    return reply;
  }
  if (reply.room !== view.shownRoom()) {
    room = reply.room;
    stored.setItem("room", room);
    forgetTypists();
    view.showRoom(room);
    for (const message of pending.values()) if (message.room === room) showPending(message);
  }
  view.showPeople(reply.names, me.name);
  view.showHistory(reply.history, me.name);
  updateRooms();
  return reply;
}

function updateRooms() {
  const list = rooms.map(({ name, people, total }) => {
    if (name === room) seen.set(name, total);
    // A restarted server counts from zero again.
    else if (seen.get(name) > total) seen.delete(name);
    return { name, people, isHere: name === room, unread: total - (seen.get(name) ?? 0) };
  });
  view.showRooms(list);
}

// --- messages

function say(text) {
  const message = { id: randomHex(), room, text };
  pending.set(message.id, message);
  showPending(message);
  stopTyping();
  void sendPending();
}

function showPending(message) {
  const state = isReady ? "Sending …" : "Waiting for the connection …";
  view.showPending({ ...message, name: me.name }, state);
}

/** Sends what waits, in order and one after the other; may be called at any time. */
async function sendPending() {
  const [message] = pending.values();
  if (isSending || !isReady || message === undefined) return;
  isSending = true;
  await transmit(message);
  isSending = false;
  void sendPending();
}

/** Sends a message; without an answer it stays. The server knows the id: twice does no harm. */
async function transmit(message) {
  view.markPending(message.id, "Sending …");
  const reply = await request("message", message);
  if (reply.isLost) return;
  if (reply.retryAfter !== undefined) {
    view.markPending(message.id, "Waiting: too many at once …");
    await new Promise((resolve) => setTimeout(resolve, reply.retryAfter));
    return;
  }
  pending.delete(message.id);
  if (reply.ok) {
    if (message.room === view.shownRoom()) view.showMessage(reply.message, true);
    return;
  }
  view.markFailed(message.id, reply.error, () => {
    pending.set(message.id, message);
    void sendPending();
  });
}

// --- typing

function typing() {
  if (Date.now() - saidTypingAt < TYPING_NOTICE_MS) return;
  saidTypingAt = Date.now();
  socket.volatile.emit("typing", { isTyping: true });
}

function stopTyping() {
  if (saidTypingAt === 0) return;
  saidTypingAt = 0;
  socket.volatile.emit("typing", { isTyping: false });
}

function setTypist(name, isTyping) {
  clearTimeout(typists.get(name));
  typists.delete(name);
  if (isTyping) {
    typists.set(
      name,
      setTimeout(() => setTypist(name, false), TYPING_EXPIRES_MS),
    );
  }
  view.showTypists([...typists.keys()]);
}

function forgetTypists() {
  for (const name of typists.keys()) setTypist(name, false);
}

// --- the connection

socket.on("connect", async () => {
  stored.setItem("name", me.name);
  view.showChat(me.name);
  view.setOnline();
  const reply = await enter(room);
  // The room may be one that this server does not want.
  if (reply.error !== undefined) await enter("Lobby");
  isReady = socket.connected;
  void sendPending();
});

socket.on("connect_error", (error) => {
  if (error.data?.isRefusal) {
    stored.removeItem("name");
    view.showWelcome(me.name, error.message);
  } else if (view.isWelcome()) {
    view.showWelcome(me.name, "The server does not answer. Trying again …", { isBusy: true });
  }
});

socket.on("disconnect", (reason) => {
  isReady = false;
  forgetTypists();
  saidTypingAt = 0;
  if (reason === "io client disconnect") return;
  if (reason === "io server disconnect") {
    view.setOffline("You continued in another window.", () => socket.connect());
  } else {
    view.setOffline("Connection lost. Trying again …");
  }
  for (const id of pending.keys()) view.markPending(id, "Waiting for the connection …");
});

socket.on("rooms", (list) => {
  // What was said before one came counts as seen; of rooms that are opened later, nothing does.
  if (seen.size === 0) for (const { name, total } of list) seen.set(name, total);
  rooms = list;
  updateRooms();
});

socket.on("members", (event) => {
  if (event.room !== view.shownRoom()) return;
  for (const name of typists.keys()) if (!event.names.includes(name)) setTypist(name, false);
  view.showPeople(event.names, me.name);
});

socket.on("message", (message) => {
  if (message.room !== view.shownRoom()) return;
  setTypist(message.name, false);
  view.showMessage(message, false);
});

socket.on("typing", (event) => {
  if (event.room === view.shownRoom()) setTypist(event.name, event.isTyping);
});

// --- what the user does

view.bind({
  enterChat(name) {
    me.name = name;
    view.showWelcome(name, "", { isBusy: true });
    socket.connect();
  },
  enterRoom: enter,
  say,
  typing,
  stopTyping,
  leave() {
    socket.disconnect();
    stored.removeItem("name");
    pending.clear();
    view.showWelcome(me.name, "");
  },
});

if (me.name === "") {
  view.showWelcome("", "");
} else {
  view.showWelcome(me.name, "", { isBusy: true });
  socket.connect();
}
