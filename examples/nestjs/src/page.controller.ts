import { Controller, Get, Header } from "@nestjs/common";

/** HTTP and Socket.IO share the port. The page shows what arrives; the console can send. */
@Controller()
export class PageController {
  @Get()
  @Header("Content-Type", "text/html; charset=utf-8")
  page(): string {
    return PAGE;
  }
}

const PAGE = `<!doctype html>
<meta charset="utf-8" />
<title>Gateway</title>
<link rel="icon" href="data:," />
<script src="/socket.io/socket.io.js"></script>
<form><input placeholder="A message" aria-label="Message" autofocus /></form>
<ul></ul>
<script>
  const socket = io();
  const name = "Guest " + Math.floor(Math.random() * 1000);
  const show = (text) => document.querySelector("ul").append(
    Object.assign(document.createElement("li"), { textContent: text }),
  );
  socket.on("connect", async () => show("Here: " + (await socket.emitWithAck("enter", name))));
  socket.on("said", ({ name, text }) => show(name + ": " + text));
  socket.on("exception", ({ message }) => show(message));
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    socket.emit("say", event.target[0].value);
    event.target.reset();
  });
</script>
`;
