import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type WsResponse,
  WsException,
} from "@nestjs/websockets";
import { Server, Socket } from "socket.io";
import { People } from "./people.js";

/** The events of the chat: each method answers one, and what it returns is the acknowledgement. */
@WebSocketGateway()
export class ChatGateway implements OnGatewayDisconnect {
  @WebSocketServer()
  private readonly server!: Server;

  constructor(private readonly people: People) {}

  handleDisconnect(socket: Socket): void {
    this.people.leave(socket.id);
  }

  @SubscribeMessage("enter")
  async enter(@ConnectedSocket() socket: Socket, @MessageBody() name: unknown): Promise<string[]> {
    if (typeof name !== "string" || name === "" || name.length > 20) {
      // Arrives as the event `exception`.
      throw new WsException("a name has 1 to 20 characters");
    }
    this.people.enter(socket.id, name);
    await socket.join("chat");
    return this.people.list();
  }

  @SubscribeMessage("say")
  say(@ConnectedSocket() socket: Socket, @MessageBody() text: unknown): boolean {
    const name = this.people.nameOf(socket.id);
    if (name === undefined) throw new WsException("please enter first");
    if (typeof text !== "string") return false;
    this.server.to("chat").emit("said", { name, text: text.slice(0, 200) });
    return true;
  }

  /** An object of this shape is sent as an event, to the one who asked. */
  @SubscribeMessage("who")
  who(): WsResponse<string[]> {
    return { event: "people", data: this.people.list() };
  }
}
