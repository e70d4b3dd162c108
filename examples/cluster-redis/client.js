// A client for the terminal: node examples/cluster-redis/client.js <name> [<url>]
// Lines are messages; `/join tea` changes the room, `/who` asks who is in it.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [myName, url = "http://localhost:3002"] = process.argv.slice(2);
const socket = io(url, { auth: { name: myName } });

socket.on("welcome", ({ node, room }) => console.log(`* You are on node ${node}, in ${room}`));
socket.on("news", (text) => console.log(`* ${text}`));
socket.on("said", ({ name, node, room, text }) => console.log(`${room}| ${name}@${node}: ${text}`));
socket.on("connect_error", ({ message }) => console.log(`* No connection: ${message}`));
socket.on("disconnect", (reason) => console.log(`* Gone: ${reason}`));

const commands = {
  async who() {
    const people = await socket.emitWithAck("who");
    console.log(`* ${people.map(({ name, node }) => `${name}@${node}`).join(", ")}`);
  },
  async join(wanted) {
    const { room } = await socket.emitWithAck("join", wanted);
    console.log(`* You are in ${room}`);
  },
};

await new Promise((resolve) => {
  socket.once("connect", resolve);
});
for await (const line of createInterface({ input: process.stdin })) {
  const [, command, argument] = /^\/(who|join) ?(.*)/.exec(line) ?? [];
  if (command === undefined) socket.emit("say", line);
  else await commands[command](argument).catch(() => console.log("* No answer"));
}
socket.disconnect();
