// An application of NestJS with a gateway. Run it with `npm run example:nestjs` in the root folder;
// PORT says where it listens. Nothing in this folder but package.json says which package is behind
// the name "socket.io".
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { ChatGateway } from "./chat.gateway.js";
import { PageController } from "./page.controller.js";
import { People } from "./people.js";

@Module({ controllers: [PageController], providers: [ChatGateway, People] })
class ChatModule {}

const app = await NestFactory.create(ChatModule, { logger: ["warn", "error"] });
app.useWebSocketAdapter(new IoAdapter(app));
app.enableShutdownHooks(["SIGINT", "SIGTERM"]); // a signal closes the sockets and the HTTP server
await app.listen(Number(process.env["PORT"] || 3005));
const { port } = app.getHttpServer().address();
console.log(`The gateway is on http://localhost:${port} (Ctrl+C stops it)`);
