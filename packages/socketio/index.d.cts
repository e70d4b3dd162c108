import api = require("./dist/cjs/index.js");

// oxlint-disable typescript/no-explicit-any -- the default that users of the official types know

// Everything that the package exports, and a function that makes a server.
declare const socketio: typeof api & {
  <
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  >(
    target?: api.HttpServerLike | number | string | Partial<api.ServerOptions>,
    options?: Partial<api.ServerOptions>,
  ): api.Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
};

declare namespace socketio {
  export type Server<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type Namespace<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type Socket<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type BroadcastOperator<
    EmitEvents extends api.EventsMap,
    SocketData,
  > = api.BroadcastOperator<EmitEvents, SocketData>;
  export type RemoteSocket<EmitEvents extends api.EventsMap, SocketData> = api.RemoteSocket<
    EmitEvents,
    SocketData
  >;
  export type DefaultEventsMap = api.DefaultEventsMap;
  export type DisconnectReason = api.DisconnectReason;
  export type Event = api.Event;
  export type ExtendedError = api.ExtendedError;
  export type HandlerErrorContext = api.HandlerErrorContext;
  export type Handshake = api.Handshake;
  export type ServerOptions = api.ServerOptions;
}

export = socketio;
