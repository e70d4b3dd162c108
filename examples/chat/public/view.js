// The page. Whatever a user has typed is put in as text (textContent), never as markup.

const MAX_SHOWN = 200;
const SAME_SPEAKER_MS = 5 * 60_000;

const $ = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const narrow = matchMedia("(max-width: 719px)");

let shown; // the room on the screen
let handlers; // what bind() was given
let missed = 0; // messages that came while the page was hidden

/** Makes an element: element("p", { className: "muted" }, "text", anotherElement). */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function avatar(name) {
  const [letter] = name.toUpperCase();
  const made = element("span", { className: "avatar", ariaHidden: "true" }, letter);
  let hash = 0;
  for (const char of name.toLowerCase()) hash = (hash * 31 + char.codePointAt(0)) % 360;
  made.style.setProperty("--hue", hash);
  return made;
}

/** Says something to screen readers only. */
export function announce(text) {
  $("announcer").textContent = text;
}

// --- which page

export const isWelcome = () => !$("welcome").hidden;

/** Shows the form for the name; `isBusy` while the server has not answered. */
export function showWelcome(name, error, { isBusy = false } = {}) {
  const wasWelcome = isWelcome();
  $("welcome").hidden = false;
  $("chat").hidden = true;
  $("banner").replaceChildren();
  document.title = "Jackfield chat";
  const input = $("nickname");
  if (!wasWelcome || input.value === "") input.value = name;
  $("welcome-error").textContent = error;
  input.setAttribute("aria-invalid", String(error !== "" && !isBusy));
  $("enter").disabled = isBusy;
  $("enter").textContent = isBusy ? "Connecting …" : "Enter";
  if (!isBusy) input.focus();
}

export function showChat(name) {
  const wasWelcome = isWelcome();
  $("welcome").hidden = true;
  $("chat").hidden = false;
  $("my-name").replaceChildren(avatar(name), element("span", {}, name));
  if (!wasWelcome) return;
  shown = undefined;
  // On a phone the keyboard would cover half of the conversation.
  if (!narrow.matches) $("text").focus();
}

// --- online or not

export function setOnline() {
  if (!$("chat").classList.contains("offline")) return;
  $("chat").classList.remove("offline");
  $("rooms-nav").inert = false;
  $("banner").replaceChildren();
  announce("You are online again.");
}

/** Shows why there is no connection, with a button when only the user can bring it back. */
export function setOffline(text, onContinue) {
  $("chat").classList.add("offline");
  $("rooms-nav").inert = true;
  $("banner").replaceChildren(element("span", {}, text));
  if (onContinue !== undefined) {
    $("banner").append(element("button", { onclick: onContinue }, "Continue here"));
  }
}

// --- rooms and people

export const shownRoom = () => shown;

export function showRoom(name) {
  shown = name;
  $("room-title").textContent = name;
  document.title = `${name} · Jackfield chat`;
  $("log").replaceChildren();
  $("newest").hidden = true;
  announce(`You are in ${name}.`);
}

const roomItems = new Map(); // name -> the list's item and what changes in it

function makeRoomItem(name) {
  const badge = element("span", { className: "badge" });
  const count = element("span", { className: "count muted" });
  const label = element("span", { className: "name" }, name);
  const button = element("button", { className: "quiet", type: "button" }, label, badge, count);
  button.addEventListener("click", () => {
    closeSide();
    handlers.enterRoom(name);
  });
  return { item: element("li", {}, button), button, badge, count };
}

const spoken = (text) => element("span", { className: "visually-hidden" }, text);

/** Updates the list of rooms; what stays keeps its elements, so a click is never lost. */
export function showRooms(list) {
  const names = new Set(list.map(({ name }) => name));
  for (const [name, { item }] of roomItems) {
    if (names.has(name)) continue;
    item.remove();
    roomItems.delete(name);
  }
  for (const { name, people, isHere, unread } of list) {
    if (!roomItems.has(name)) {
      roomItems.set(name, makeRoomItem(name));
      $("rooms").append(roomItems.get(name).item);
    }
    const { button, badge, count } = roomItems.get(name);
    button.ariaCurrent = isHere ? "true" : null;
    badge.hidden = unread === 0;
    badge.replaceChildren(unread > 99 ? "99+" : String(unread), spoken(" unread"));
    count.replaceChildren(String(people), spoken(" here"));
  }
  $("unread-elsewhere").hidden = list.every(({ unread }) => unread === 0);
}

export function showPeople(names, myName) {
  const items = names.map((name) => {
    const text = name === myName ? `${name} (you)` : name;
    return element("li", {}, avatar(name), element("span", { className: "name" }, text));
  });
  $("people").replaceChildren(...items);
  $("room-count").textContent = names.length === 1 ? "only you" : `${names.length} people`;
}

export function showTypists(names) {
  const [first, second] = names;
  let text = "";
  if (names.length === 1) text = `${first} is typing …`;
  if (names.length === 2) text = `${first} and ${second} are typing …`;
  if (names.length > 2) text = "Several people are typing …";
  $("typing").textContent = text;
}

// --- messages

const itemOf = (id) => $(`message-${id}`);

function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = $("scroller");
  return scrollHeight - scrollTop - clientHeight < 60;
}

function scrollToEnd() {
  $("scroller").scrollTop = $("scroller").scrollHeight;
  $("newest").hidden = true;
}

/** Puts an item where it belongs (those that wait stay last) and keeps the reader's place. */
function place(item, isMine) {
  const wasAtEnd = isAtEnd();
  const log = $("log");
  log.insertBefore(item, item.classList.contains("pending") ? null : log.querySelector(".pending"));
  while (log.childElementCount > MAX_SHOWN) log.firstElementChild.remove();
  group(log.firstElementChild);
  for (let at = item; at !== null; at = at.nextElementSibling) group(at);
  if (wasAtEnd || isMine) scrollToEnd();
  else $("newest").hidden = false;
}

/** Several messages of one speaker, one after the other, show the name once. */
function group(item) {
  const previous = item.previousElementSibling;
  const isSame =
    previous !== null &&
    previous.dataset.name === item.dataset.name &&
    item.dataset.at - previous.dataset.at < SAME_SPEAKER_MS;
  item.classList.toggle("follows", isSame);
}

function messageItem({ id, name, text, at }, isMine) {
  const time = new Date(at);
  const item = element(
    "li",
    { id: `message-${id}`, className: isMine ? "message mine" : "message" },
    avatar(name),
    element(
      "div",
      { className: "bubble" },
      element(
        "p",
        { className: "meta" },
        element("span", { className: "author" }, name),
        element("time", { dateTime: time.toISOString() }, clock.format(time)),
      ),
      element("p", { className: "text", dir: "auto" }, text),
    ),
  );
  item.dataset.name = name;
  item.dataset.at = at;
  return item;
}

/** Shows a message of the server; takes the place of the same one that was waiting. */
export function showMessage(message, isMine) {
  const existing = itemOf(message.id);
  if (existing !== null && !existing.classList.contains("pending")) return;
  existing?.remove();
  place(messageItem(message, isMine), isMine);
  if (document.hidden && !isMine) {
    missed += 1;
    document.title = `(${missed}) ${shown} · Jackfield chat`;
  }
}

/** Shows a room's last messages. After a reconnect most of them are on the page already. */
export function showHistory(messages, myName) {
  // A screen reader would read all of them out.
  $("scroller").ariaLive = "off";
  for (const message of messages) showMessage(message, message.name === myName);
  requestAnimationFrame(() => {
    $("scroller").ariaLive = "polite";
  });
}

/** Shows a message that the server does not have yet, and why. */
export function showPending(message, state) {
  const item = messageItem({ ...message, at: Date.now() }, true);
  item.classList.add("pending");
  item.append(element("p", { className: "state muted" }, state));
  place(item, true);
}

export function markPending(id, text) {
  const item = itemOf(id);
  item?.classList.remove("failed");
  item?.querySelector(".state").replaceChildren(text);
}

export function markFailed(id, text, onRetry) {
  const item = itemOf(id);
  item?.classList.add("failed");
  const retry = element(
    "button",
    { className: "quiet", type: "button", onclick: onRetry },
    "Retry",
  );
  item?.querySelector(".state").replaceChildren(`Not sent: ${text} `, retry);
  announce(`Your message was not sent: ${text}`);
}

// --- what the user does

function openSide() {
  $("chat").classList.add("side-open");
  $("menu").ariaExpanded = "true";
  $("room").inert = true;
  $("side").querySelector("[aria-current], #leave")?.focus();
}

function closeSide() {
  if (!$("chat").classList.contains("side-open")) return;
  $("chat").classList.remove("side-open");
  $("menu").ariaExpanded = "false";
  $("room").inert = false;
  $("menu").focus();
}

function fitComposer() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

/** Connects the page to the functions that act: enterChat, enterRoom, say, typing, ... */
export function bind(given) {
  handlers = given;
  const onSubmit = (id, action) =>
    $(id).addEventListener("submit", (event) => {
      event.preventDefault();
      action();
    });

  onSubmit("welcome-form", () => {
    const name = $("nickname").value.trim();
    if (name.length < 2) showWelcome(name, "Please use 2 to 20 letters and digits.");
    else handlers.enterChat(name);
  });

  onSubmit("room-form", async () => {
    const input = $("room-name");
    const name = input.value.trim();
    if (name === "") return;
    const reply = await handlers.enterRoom(name);
    input.setCustomValidity(reply.error ?? "");
    if (!reply.ok) {
      input.reportValidity();
      return;
    }
    input.value = "";
    closeSide();
  });
  $("room-name").addEventListener("input", () => $("room-name").setCustomValidity(""));

  const text = $("text");
  onSubmit("composer", () => {
    const value = text.value.trim();
    if (value === "") return;
    handlers.say(value);
    text.value = "";
    fitComposer();
    text.focus();
  });
  text.addEventListener("keydown", (event) => {
    // An input method confirms its suggestion with the same key.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("composer").requestSubmit();
  });
  text.addEventListener("input", () => {
    fitComposer();
    if (text.value === "") handlers.stopTyping();
    else handlers.typing();
  });

  $("leave").addEventListener("click", () => {
    closeSide();
    handlers.leave();
  });
  $("menu").addEventListener("click", openSide);
  $("shade").addEventListener("click", closeSide);
  $("side").addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeSide();
  });
  narrow.addEventListener("change", closeSide);

  $("newest").addEventListener("click", scrollToEnd);
  $("scroller").addEventListener("scroll", () => {
    if (isAtEnd()) $("newest").hidden = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || shown === undefined) return;
    missed = 0;
    if (!isWelcome()) document.title = `${shown} · Jackfield chat`;
  });

  // The keyboard of an iPhone covers the page instead of shrinking it.
  visualViewport?.addEventListener("resize", () => {
    const wasAtEnd = isAtEnd();
    document.documentElement.style.setProperty("--height", `${visualViewport.height}px`);
    if (wasAtEnd) scrollToEnd();
  });
}
