import api = require("./dist/cjs/index.js");

// oxlint-disable typescript/no-explicit-any -- the default that users of the official types know

// Everything that the package exports, and a function that makes a server. The namespace has every
// type of index.ts once more: what is exported by `export =` has no types otherwise.
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
  export type Namespace<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type Server<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type Socket<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type ServerConstructor = api.ServerConstructor;
  export type Adapter = api.Adapter;
  export type SessionAwareAdapter = api.SessionAwareAdapter;
  export type ClusterAdapter = api.ClusterAdapter;
  export type ClusterError = api.ClusterError;
  export type ClusterErrorCode = api.ClusterErrorCode;
  export type ClusterAdapterOptions = api.ClusterAdapterOptions;
  export type ClusterAdapterWithHeartbeat = api.ClusterAdapterWithHeartbeat;
  export type ClusterMessage = api.ClusterMessage;
  export type ClusterMessageBody = api.ClusterMessageBody;
  export type ClusterResponse = api.ClusterResponse;
  export type ClusterResponseBody = api.ClusterResponseBody;
  export type MessageType = api.MessageType;
  export type Offset = api.Offset;
  export type ServerId = api.ServerId;
  export type AdapterContract = api.AdapterContract;
  export type AdapterConstructor = api.AdapterConstructor;
  export type AdapterNamespace = api.AdapterNamespace;
  export type AdapterPacket = api.AdapterPacket;
  export type AdapterSocket = api.AdapterSocket;
  export type BroadcastFlags = api.BroadcastFlags;
  export type BroadcastOptions = api.BroadcastOptions;
  export type PrivateSessionId = api.PrivateSessionId;
  export type Room = api.Room;
  export type Session = api.Session;
  export type SessionToPersist = api.SessionToPersist;
  export type SocketId = api.SocketId;
  export type BoundEngine = api.BoundEngine;
  export type Broadcaster<EmitEvents extends api.EventsMap, SocketData> = api.Broadcaster<
    EmitEvents,
    SocketData
  >;
  export type BroadcastOperator<
    EmitEvents extends api.EventsMap,
    SocketData,
  > = api.BroadcastOperator<EmitEvents, SocketData>;
  export type Client<Session = api.Connection> = api.Client<Session>;
  export type Connection = api.Connection;
  export type Event = api.Event;
  export type ExtendedError = api.ExtendedError;
  export type HandlerErrorContext = api.HandlerErrorContext;
  export type HandlerErrorSource = api.HandlerErrorSource;
  export type Handshake = api.Handshake;
  export type HttpServerLike = api.HttpServerLike;
  export type NamespaceFunction = api.NamespaceFunction;
  export type NamespaceMiddleware<
    ListenEvents extends api.EventsMap = api.DefaultEventsMap,
    EmitEvents extends api.EventsMap = ListenEvents,
    ServerSideEvents extends api.EventsMap = api.DefaultEventsMap,
    SocketData = any,
  > = api.NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type NamespaceReservedEvents<
    ListenEvents extends api.EventsMap,
    EmitEvents extends api.EventsMap,
    ServerSideEvents extends api.EventsMap,
    SocketData,
  > = api.NamespaceReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type RemoteSocket<EmitEvents extends api.EventsMap, SocketData> = api.RemoteSocket<
    EmitEvents,
    SocketData
  >;
  export type ServerReservedEvents<
    ListenEvents extends api.EventsMap,
    EmitEvents extends api.EventsMap,
    ServerSideEvents extends api.EventsMap,
    SocketData,
  > = api.ServerReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  export type ServerSideEmitter<ServerSideEvents extends api.EventsMap> =
    api.ServerSideEmitter<ServerSideEvents>;
  export type SocketReservedEvents = api.SocketReservedEvents;
  export type DisconnectReason = api.DisconnectReason;
  export type AckTimeoutError = api.AckTimeoutError;
  export type OptionsError = api.OptionsError;
  export type ReservedEventError = api.ReservedEventError;
  export type SocketDisconnectedError = api.SocketDisconnectedError;
  export type EngineServer = api.EngineServer;
  export type EngineSession = api.EngineSession;
  export type EngineSink = api.EngineSink;
  export type EngineWriteOptions = api.EngineWriteOptions;
  export type PreparedMessage = api.PreparedMessage;
  export type DefaultEventsMap = api.DefaultEventsMap;
  export type EventsMap = api.EventsMap;
  export type ConnectionStateRecoveryOptions = api.ConnectionStateRecoveryOptions;
  export type ServerOptions = api.ServerOptions;
  export type ClientFileServer = api.ClientFileServer;
  export type ServerDeps = api.ServerDeps;
  export type Clock = api.Clock;
  export type Timer = api.Timer;
  export type Wheel = api.Wheel;
  export type LimitScope = api.LimitScope;
  export type DrainOptions = api.DrainOptions;
  export type DrainResult = api.DrainResult;
  export type LimitError = api.LimitError;
  export type LimitName = api.LimitName;
  export type EventRate<Socket = object> = api.EventRate<Socket>;
  export type EventRateVerdict = api.EventRateVerdict;
}

export = socketio;
