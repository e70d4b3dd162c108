// The rows of docs/compatibility.md: the API of npm `socket.io` and of the packages around it.
//
// `what`: what it is. `differs`: where this server deliberately is not the same, and why. Which tests
// prove a row is known from three places: tests that name it at the end of their names ("(S12)"),
// tests that name one of its `behaviours` ("(73)"), and whole `files` where the row is about a package
// of others, with which all the tests of the file are run.

const e2e = (name) => `packages/e2e/test/${name}`;

const SECTIONS = [
  {
    section: "Packages and their exports",
    rows: {
      X1: {
        what: "The entries of npm `socket.io`: `require`, `import`, types, `./package.json`",
        differs: "Node.js 20.19 is needed, since older ones are not maintained",
      },
      X2: {
        what: "`require()` gives a function that makes a server, with `Server`, `Namespace`, `Socket`",
      },
      X3: {
        what: "`import` gives `Server`, `Namespace`, `Socket`",
        differs: "More names: adapter classes and errors, so that no second package is needed",
      },
      X4: {
        what: "The types `Socket`, `DisconnectReason`, `ServerOptions`, `Namespace`, `BroadcastOperator`, `RemoteSocket`, `DefaultEventsMap`, `ExtendedError`, `Event`",
        differs:
          "More types; `ServerOptions` has no required members, so there is nothing to leave out with `Partial`",
      },
      X5: {
        what: "`require()` of npm `engine.io`: `Server`, `transports`, `listen`, `attach`, `parser`, `protocol`, `Socket`, `Transport`",
        differs: "No `uServer`: uWebSockets.js is not supported",
      },
      X6: { what: "`import` of npm `engine.io`: the same without `uServer`" },
      X7: { what: "npm `engine.io` is not callable; `protocol` is 4" },
      X8: { what: "`listen(port, options?, callback?)`, which answers everything else with 501" },
      X9: { what: "`attach(httpServer, options)` gives an engine" },
      X10: {
        what: "The classes and types of npm `socket.io-adapter`: `Adapter`, `SessionAwareAdapter`, `ClusterAdapter`, `ClusterAdapterWithHeartbeat`, `MessageType`",
      },
      X11: {
        what: "npm `socket.io-parser`: what it writes we read, and the other way round",
        differs:
          "Its names are those of `@jackfield/parser`; `protocol` and `isPacketValid` are missing, as nobody but the official server calls them",
        files: ["packages/parser/test/socket/official-parser.test.ts"],
      },
      X12: {
        what: "npm `engine.io-parser`, as `parser`: packets, payloads, streams of protocol 4",
      },
      X13: { what: "The parser of protocol 3, with binary and base64 payloads, as `parserV3`" },
      X14: {
        what: "npm `@socket.io/cluster-adapter` runs unchanged",
        files: [e2e("adapters/node-cluster.test.ts")],
      },
      X16: {
        what: "npm `@socket.io/redis-emitter`, and what others write into a Redis stream, reach the clients",
        differs:
          "The PostgreSQL emitter is left out: it does not work with the published PostgreSQL adapter either",
        files: [e2e("adapters/redis-emitter.test.ts"), e2e("adapters/redis-streams.test.ts")],
      },
      X17: {
        what: "npm `@socket.io/sticky` keeps every client with one worker",
        files: [e2e("ecosystem/aliased.test.ts")],
      },
      X18: {
        what: "npm `@socket.io/admin-ui`: `instrument()` with all of its events and stores",
        files: [e2e("ecosystem/admin-ui.test.ts")],
      },
      X19: {
        what: "npm `socket.io-msgpack-parser` as the option `parser`",
        files: [e2e("ecosystem/msgpack.test.ts")],
      },
      X21: {
        what: "Adapters that extend the classes of npm `socket.io-adapter`, known by their methods alone",
        files: ["packages/socketio/test/adapter/contract.test.ts"],
      },
    },
  },
  {
    section: "Server",
    rows: {
      S1: { what: "Four event maps: `Server<Listen, Emit, ServerSide, Data>`" },
      S2: {
        what: "`new Server(options)`, `new Server(httpServer or port, options)`; port 0 is a port",
      },
      S3: { what: "`sockets` is the namespace `/`" },
      S4: { what: "`engine`, the one that was bound last" },
      S5: { what: "`httpServer`, the one that was attached last" },
      S6: {
        what: "`opts`, `encoder`, `eio`, `_nsps`, for packages",
        differs:
          "No `_parser`, `_opts`, `_connectTimeout`, `_checkNamespace`: methods of the server that its other classes call, and no package does",
      },
      S7: { what: "`serveClient()` gets and sets" },
      S8: { what: "`path()` gets and sets, without one trailing slash" },
      S9: { what: "`connectTimeout()` gets and sets; 45 seconds", behaviours: ["73"] },
      S10: { what: "`adapter()` gets and sets, anew for every namespace that there is" },
      S11: { what: "`listen()` is `attach()`" },
      S12: {
        what: "`attach()`: an HTTP server or a port; refuses an Express application; options of the constructor win",
        differs: "The options of the caller are not written to: they may be used for two servers",
      },
      S14: {
        what: '`bind()` any engine with `on("connection")` and `close()`',
        files: [e2e("ecosystem/servers.test.ts")],
      },
      S15: { what: "`onconnection()` takes one connection; for clients of v2 it joins `/`" },
      S16: {
        what: "`of()` a name, a pattern, or a function, with a listener for connections",
        differs: "The listener is called for a name that a pattern covers, too (behaviour 86)",
        behaviours: ["83", "86"],
      },
      S17: {
        what: "`close()`: sockets, adapters, engine, HTTP server; the callback gets the error of the last",
        differs:
          "A server that was never attached can be closed, and every HTTP server is closed, not the last alone (behaviour 106): what was opened has to end",
        behaviours: ["106"],
      },
      S18: { what: "`use()` is that of `/`" },
      S19: { what: "`to()`, `in()`, `except()`, one room or several" },
      S20: { what: "`emit()` reaches everybody, and is `true`" },
      S21: { what: "`send()` and `write()` emit `message`" },
      S22: { what: "`serverSideEmit()`, which refuses the events of the library" },
      S23: {
        what: "`serverSideEmitWithAck()`: one answer per other server, or an error with `responses`",
        differs:
          "Without other servers it resolves with no answers; the official one never settles (Q11)",
      },
      S24: { what: "`allSockets()`, deprecated" },
      S25: { what: "`compress()`, `volatile`, `local`, `timeout()`" },
      S26: {
        what: "`fetchSockets()`, `socketsJoin()`, `socketsLeave()`, `disconnectSockets()`",
        behaviours: ["102"],
      },
      S27: { what: "The methods of an emitter are those of `/`" },
      S28: {
        what: "The events `connect`, `connection`, `new_namespace`",
        differs: "`handler_error` besides, for functions of the application that throw or reject",
        behaviours: ["79", "85"],
      },
    },
  },
  {
    section: "Options",
    rows: {
      O1: { what: "`path`: `/socket.io`" },
      O2: { what: "`serveClient`: `true`" },
      O3: { what: "`adapter`: a class or a function", differs: "Arrow functions will do, too" },
      O4: { what: "`parser`: an `Encoder` and a `Decoder`" },
      O5: { what: "`connectTimeout`: 45000 ms", behaviours: ["73"] },
      O6: {
        what: "`connectionStateRecovery`: `maxDisconnectionDuration` 120000 ms, `skipMiddlewares` `true`",
        differs:
          "Bounded by count and bytes as well, and a session is restored once (behaviour 122): memory is not the client's to fill",
        behaviours: ["119", "120", "122"],
      },
      O7: {
        what: "`cleanupEmptyChildNamespaces`: `false`",
        differs: "A namespace with a socket on its way in stays (behaviour 81)",
        behaviours: ["81"],
      },
    },
  },
  {
    section: "Files of the client",
    rows: {
      V1: { what: "Four bundles and their maps under the path" },
      V2: { what: "`Content-Type`, `Cache-Control`, and the version as `ETag`" },
      V3: { what: "`If-None-Match` with this version is answered with 304, without these headers" },
      V4: {
        what: "br, gzip or deflate, as the client accepts it",
        differs:
          "Compressed once and kept, with `Content-Length` and `Vary`; of codings that a client likes equally, the one with the smallest result",
      },
      V5: { what: "Any method is served; HEAD without the file" },
      V6: {
        what: "The query does not count; an unknown file is for the engine, which answers 400",
      },
      V7: { what: "The option `cors` holds for the files, too", behaviours: ["43"] },
    },
  },
  {
    section: "Namespace",
    rows: {
      N1: {
        what: "`name`, `sockets`, `adapter`; for packages `server`, `_preConnectSockets`, `_fns`, `_ids`",
      },
      N2: {
        what: "A namespace makes and starts its adapter; a failure at the start is survived",
        differs: "The failure is a `handler_error`: the operator has to know. No `_initAdapter`",
      },
      N3: { what: "`use()`; the `data` of an error reaches the client", behaviours: ["77"] },
      N4: {
        what: "Joining: the socket is in `_preConnectSockets`, middlewares run, then CONNECT or CONNECT_ERROR",
        differs: "Two CONNECTs before the answer make one socket (behaviour 80). No `_add`",
        behaviours: ["76", "80"],
      },
      N5: {
        what: "Middlewares run one after the other, those that there were at the start; an error ends them",
        differs:
          "What throws or rejects refuses the client, who would wait for ever (behaviour 87); a second `next()` is ignored",
        behaviours: ["87"],
      },
      N6: {
        what: "Connected: in `sockets`, in its own room, the packet, `connect`, `connection`",
        differs: "A listener that throws is reported, and the socket stays connected",
        behaviours: ["74", "79"],
      },
      N7: { what: "`to()`, `in()`, `except()`" },
      N8: { what: "`emit()`, `send()`, `write()`" },
      N9: {
        what: "`serverSideEmit()`, `serverSideEmitWithAck()`, and `_onServerSideEmit()` for adapters",
      },
      N10: {
        what: "`allSockets()`, `fetchSockets()`, `socketsJoin()`, `socketsLeave()`, `disconnectSockets()`, and the flags",
      },
      N11: {
        what: "`connect`, `connection` and `new_namespace` cannot be emitted to other servers",
        differs: "Nor can `handler_error`, which is an event of the library here",
      },
      N12: {
        what: "Parents, made of patterns and functions; children copy middlewares and listeners when they are made",
      },
      N13: { what: "What a parent emits reaches the children of this process" },
      N14: { what: "`fetchSockets()` of a parent throws" },
      N15: {
        what: "A child is announced; with the option it is closed with its last socket",
        differs: "Not while a socket is on its way in (behaviour 81)",
        behaviours: ["81", "84"],
      },
      N16: {
        what: "Parents are asked in the order they were made in; an error is a no",
        differs: "A pattern with the flag `g` matches every time (behaviour 83)",
        behaviours: ["83"],
      },
    },
  },
  {
    section: "Socket",
    rows: {
      K1: { what: "`id`: 20 characters, not those of the session" },
      K2: { what: "`recovered`", behaviours: ["120"] },
      K3: { what: "`handshake`, with its nine members" },
      K4: { what: "`data`: `{}` at first" },
      K5: { what: "`connected`, `disconnected`" },
      K6: {
        what: "`nsp`, `client`, `server`, `adapter`, `acks`",
        differs: "No `fns`, `flags`: nobody outside reads them",
      },
      K7: { what: "`request`, `conn`, and `rooms`, a live set, an empty one after the end" },
      K8: {
        what: "`emit()` is `true` always, and refuses reserved names",
        behaviours: ["105"],
      },
      K9: {
        what: "`emitWithAck()` resolves with the first value",
        differs:
          "It is rejected when the client leaves; the official promise never settles (behaviour 105)",
        behaviours: ["105"],
      },
      K10: { what: "After `timeout()`, an acknowledgement gets `null` or an error first" },
      K11: { what: "`send()`, `write()`" },
      K12: {
        what: "`to()`, `in()`, `except()`, `broadcast`, `local` leave the socket itself out",
        behaviours: ["108"],
      },
      K13: {
        what: "`join()` one room or several, `leave()` one, `leaveAll()`",
        behaviours: ["110"],
      },
      K14: { what: "After the end, `join()` does nothing" },
      K15: {
        what: "`disconnect()` leaves the namespace, `disconnect(true)` all, and closes",
        behaviours: ["101"],
      },
      K16: {
        what: "`compress()`, `volatile`, `timeout()` hold for the next packet",
        differs: "They do not outlive an emit that throws (behaviour 117)",
        behaviours: ["111", "112", "117"],
      },
      K17: { what: "`use()`: an error drops the event, and is an `error` event of the socket" },
      K18: { what: "`onAny()`, `prependAny()`, `offAny()`, `listenersAny()`" },
      K19: { what: "The same for what goes out, not for acknowledgements", behaviours: ["116"] },
      K20: { what: "Catch-all listeners come before middlewares, which come before listeners" },
      K21: {
        what: "`disconnecting` with the rooms, `disconnect` without; `error` needs no listener",
        behaviours: ["104"],
      },
      K22: { what: "Six names cannot be emitted" },
      K23: {
        what: "For adapters: `packet()`, `notifyOutgoingListeners()`, `_onclose()`, `acks`, `client`",
        differs:
          "No `_onconnect`, `_onpacket`, `_onerror`, `_cleanup`, `_error`: called by the official namespace and client only, which have ports of their own here",
      },
      K24: { what: "The methods of an emitter, with types" },
    },
  },
  {
    section: "Why sockets are disconnected",
    rows: {
      R1: { what: "`transport error`", behaviours: ["134"] },
      R2: { what: "`transport close`", behaviours: ["134"] },
      R3: { what: "`forced close`" },
      R4: { what: "`ping timeout`" },
      R5: { what: "`parse error`", behaviours: ["134"] },
      R6: { what: "`server shutting down`" },
      R7: { what: "`forced server close`", behaviours: ["103"] },
      R8: { what: "`client namespace disconnect`" },
      R9: { what: "`server namespace disconnect`" },
      R10: {
        what: "Which of them can be recovered from: not R5, R8 and R9",
        behaviours: ["121"],
      },
      R11: {
        what: "The `description` of a transport error: an error of type `TransportError`",
        differs:
          "It has a `code`; the message of an error of a WebSocket is that of its cause, without the name of its class before it",
        behaviours: ["28", "29", "36"],
      },
    },
  },
  {
    section: "BroadcastOperator and RemoteSocket",
    rows: {
      B1: { what: "Immutable: every call makes another operator" },
      B2: { what: "`to()`, `in()`, `except()`, `compress()`, `volatile`, `local`, `timeout()`" },
      B3: { what: "`emit()` is `true`; an acknowledgement gets `(error, responses)`" },
      B4: {
        what: "A timeout comes with the answers there are",
        differs:
          "Without `timeout()` it is 5 seconds; officially 1 ms, with which every call fails (behaviour 114)",
        behaviours: ["113", "114"],
      },
      B5: { what: "Complete when all servers have counted and all clients have answered" },
      B6: { what: "`emitWithAck()`, whose rejection has `responses`" },
      B7: { what: "`allSockets()`, deprecated" },
      B8: { what: "`fetchSockets()`: own sockets as they are, others as `RemoteSocket`" },
      B9: { what: "`socketsJoin()`, `socketsLeave()`, `disconnectSockets()`" },
      B10: {
        what: "`RemoteSocket`: `id`, `handshake`, `rooms`, `data`, `timeout()`, `emit()`, `join()`, `leave()`, `disconnect()`",
        behaviours: ["130"],
      },
      B11: { what: "A `RemoteSocket` has no `emitWithAck`, `to`, `on`, `connected`" },
    },
  },
  {
    section: "Client",
    rows: {
      C1: {
        what: "`conn`, `request`; for packages `id`, `sockets`, `nsps`",
        differs: "No `server`, `encoder`, `decoder`: nobody outside reads them",
      },
      C2: { what: "A connection without a namespace is closed in time", behaviours: ["73"] },
      C3: { what: "`connect()`; an unknown namespace is refused", behaviours: ["77", "78"] },
      C4: {
        what: "`close()` ends an open connection and its sockets",
        differs: "No `_disconnect`, `_remove`: steps between the official classes",
      },
      C5: {
        what: "`writeToEngine()`, for adapters; volatile packets are dropped while the transport is busy",
        differs: "No `_packet`: adapters of today use `writeToEngine`",
        behaviours: ["111"],
      },
      C6: {
        what: "What cannot be decoded is an error of each socket, then the end",
        behaviours: ["92"],
      },
      C7: {
        what: "A second CONNECT, an event before CONNECT, or a CONNECT_ERROR closes",
        behaviours: ["80", "82"],
      },
      C8: { what: "For clients of v2, the query of a namespace is `auth`", behaviours: ["137"] },
    },
  },
  {
    section: "Types",
    rows: {
      T1: { what: "Event maps: `EventsMap`, `DefaultEventsMap`, `EventNames`" },
      T2: {
        what: "Names by acknowledgement: `EventNamesWithAck`, `EventNamesWithoutAck`, `EventNamesWithError`, `RemoveAcknowledgements`",
      },
      T3: { what: "Listeners of reserved and own events, asynchronous ones included" },
      T4: { what: "Strict `on`, `once`, `emit`, `listeners`" },
      T5: { what: "Taking apart the tuples of parameters" },
      T6: { what: "Acknowledgements after `timeout()`, of many clients, and of both" },
      T7: { what: "Four maps on `Server`, `Namespace`, `Socket`; two on what broadcasts" },
      T8: {
        what: "What the official types cannot say",
        differs:
          "`io.of<Listen, Emit, ServerSide, Data>(...)` gives a namespace maps and data of its own; `nsp.server` and `socket.server` have no maps, since each namespace may have its own",
      },
    },
  },
  {
    section: "Adapters and clusters",
    rows: {
      A1: {
        what: "`Adapter`: `rooms`, `sids`, `nsp`",
        differs: "No `encoder`: `nsp.server.encoder` is the one to use",
      },
      A2: { what: "`init()`, `close()`, `serverCount()`" },
      A3: { what: "`addAll()`, `del()`, `delAll()`" },
      A4: { what: "`create-room`, `join-room`, `leave-room`, `delete-room`", behaviours: ["110"] },
      A5: { what: "`broadcast()` with rooms, exceptions and flags", behaviours: ["109"] },
      A6: { what: "`broadcastWithAck()`, with one id for all", behaviours: ["115"] },
      A7: {
        what: "A WebSocket frame is encoded once for all recipients; adapters may bring it with them",
        differs:
          "Ours is kept on the message that all sessions share, made by the first that sends it, and for packets with attachments as well",
        behaviours: ["67", "118"],
      },
      A8: {
        what: "`sockets()`, `socketRooms()`, `fetchSockets()`, `addSockets()`, `delSockets()`, `disconnectSockets()`",
      },
      A9: {
        what: "`serverSideEmit()` where there is no other server",
        differs: "Our class does not warn: there is nobody who could have missed the event",
      },
      A10: { what: "`persistSession()`, `restoreSession()`, which do nothing without recovery" },
      A11: {
        what: "`SessionAwareAdapter`: keeps what was missed, and gives it to the client that comes back",
        differs:
          "Used once, bounded by count and bytes, one offset per event (behaviours 119b, 122, 123)",
        behaviours: ["119", "119b", "120", "122", "123", "124"],
      },
      A12: {
        what: "`ClusterAdapter`: publishes, and collects the answers of the other servers",
        differs:
          "Sockets of this server do not wait for the broker (behaviour 126); a broker that fails is reported",
        behaviours: ["126", "127", "128", "130", "131"],
        files: ["packages/socketio/test/adapter/cluster.test.ts"],
      },
      A13: {
        what: "`ClusterAdapterWithHeartbeat`: knows which servers there are",
        behaviours: ["129"],
        files: ["packages/socketio/test/adapter/cluster-heartbeat.test.ts"],
      },
      A14: { what: "`MessageType`, 1 to 13" },
      A15: {
        what: "The messages between servers, which npm `socket.io-adapter` understands",
        files: [
          e2e("adapters/own-cluster.test.ts"),
          e2e("adapters/own-cluster-processes.test.ts"),
          e2e("adapters/own-cluster-redis.test.ts"),
          e2e("adapters/mixed.test.ts"),
        ],
      },
      A16: {
        what: "npm `@socket.io/cluster-adapter`",
        behaviours: ["132"],
        files: [e2e("adapters/node-cluster.test.ts")],
      },
      A17: {
        what: "npm `@socket.io/redis-adapter`, classic and sharded",
        files: [e2e("adapters/redis-classic.test.ts"), e2e("adapters/redis-sharded.test.ts")],
      },
      A18: {
        what: "npm `@socket.io/redis-streams-adapter`",
        files: [e2e("adapters/redis-streams.test.ts")],
      },
      A19: {
        what: "npm `@socket.io/postgres-adapter`",
        files: [e2e("adapters/postgres.test.ts")],
      },
      A20: {
        what: "Recovery with the adapters that support it",
        behaviours: ["125"],
      },
      A21: {
        what: "Emitters: rooms, flags, joining, leaving, disconnecting, server-side events",
        files: [e2e("adapters/redis-emitter.test.ts")],
      },
    },
  },
  {
    section: "Debugging, recipes",
    rows: {
      D1: {
        what: "`DEBUG=engine*`, `DEBUG=socket.io*`",
        differs:
          "The words are our own. No scope `socket.io-parser`: the parser depends on nothing, so each packet is told of by `engine:ws`, before it is decoded",
      },
      D3: {
        what: "Recipes of the documentation: sessions, passport, helmet, JWT, headers, HTTP/2, WebTransport, engines of others",
        files: [
          e2e("ecosystem/sessions.test.ts"),
          e2e("ecosystem/frameworks.test.ts"),
          e2e("ecosystem/servers.test.ts"),
        ],
      },
      D4: { what: "HTTP/2 clients, which poll", behaviours: ["139"] },
    },
  },
  {
    section: "What packages of others touch",
    rows: {
      I1: {
        what: "Namespace: `server.encoder`, `server.opts`, `_ids`, `_fns`, `_preConnectSockets`, `_onServerSideEmit`, `prependListener`, `children` of a parent",
      },
      I2: {
        what: "Socket: `packet`, `acks`, `notifyOutgoingListeners`, `leaveAll`, `_onclose`, `client.writeToEngine`, `request.session`",
      },
      I3: {
        what: "Server and engine: `_nsps`, `eio`, `onconnection`, `httpServer`; `clients`, `clientsCount`, `opts`, `generateId`, `use`, `handleRequest`, `handleUpgrade`, events",
      },
      I4: {
        what: "Session and transport: `id`, `sid`, `writeBuffer`, `request._query`; `packet`, `packetCreate`, `upgrade`, `drain`, `close`, `headers`",
      },
      I5: {
        what: "`rooms`, `exceptRooms`, `flags` of an operator; a request that was deleted",
        behaviours: ["42"],
      },
    },
  },
];

/** What is left out on purpose, and why. */
export const ABSENT = {
  S13: "`attachApp()`: uWebSockets.js is not supported; it is not on npm, and replaces `node:http`",
  V8: "Client files through uWebSockets.js: as S13",
  A24: "`patchAdapter()` for uWebSockets.js: as S13",
  O8: "Options of implementations in Go and Rust: they were never options of npm `socket.io`",
  K25: "Methods of implementations in Go and Rust: as O8",
  X15: "`@socket.io/cluster-engine`: a package of others, which extends private methods of npm `engine.io`",
  A22: "Options of `@socket.io/cluster-engine`: as X15",
  A23: "`@socket.io/cluster-engine` on Redis: as X15",
  X20: "`@socket.io/component-emitter`: a package of others, which the official decoder extends; ours is no emitter",
  D2: "A command-line program: no official package of the server has one",
  D5: "What python-socketio has besides: it is no part of the API of npm `socket.io`",
  D6: "What go-socket.io of 2013 had besides: as D5",
};

/** Every row: its id, section, and what is said of it. */
export const ROWS = SECTIONS.flatMap(({ section, rows }) =>
  Object.entries(rows).map(([id, row]) => ({ id, section, ...row })),
);

/** The titles of the sections, in order. */
export const SECTION_TITLES = SECTIONS.map(({ section }) => section);
