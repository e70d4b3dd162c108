// The rows of docs/behaviour.md: what clients, and the applications of the official server, rely on.
// Test names end in the numbers of the rows that they show: "a pong restarts the interval (57)".

/** Rows without tests so far, because what they are about is yet to come. */
const PLANNED = new Set([
  // msgpack
  "99",
  // uWebSockets.js
  "133",
]);

const SECTIONS = [
  {
    section: "2.1",
    title: "HTTP requests",
    rows: {
      1: "The path is compared with the beginning of the raw URL, trailing slash included",
      2: "A request is judged in a fixed order, so of two faults the same one is always named",
      3: "A refusal is JSON with code and message, in this order; 403 for code 4, 400 otherwise",
      4: "Transports and session ids that are names of object members are as unknown as any other",
      5: "A known session asked for over another transport is a bad request",
      6: "`allowRequest` is asked at the handshake and at no other request",
      7: "Whatever `allowRequest` gives as an error, the process goes on and the client gets text",
      8: "Middlewares see every request and upgrade; their errors, but not the texts, reach the client",
      9: "Methods other than GET and POST get a 500 from an open session, which goes on",
      10: "A handshake by another method than GET is refused with code 2",
      11: "An origin with characters that headers may not have is refused and forgotten",
    },
  },
  {
    section: "2.2",
    title: "Refused WebSocket upgrades",
    rows: {
      12: "Before the 101, a refusal is plain HTTP with status 400 and the text, then the connection ends",
      13: "An unsupported protocol revision and a failed id are refused before the 101",
      14: "An upgrade that asks for polling is accepted and closed at once",
      15: "Upgrades for other paths are ended after a second if nobody has served them",
      16: "A second candidate, or one whose session is gone, is closed without a status",
      17: "CORS settings keep no request out, a WebSocket least of all",
    },
  },
  {
    section: "2.3",
    title: "Handshake",
    rows: {
      18: "The answer's headers, and the five fields of the open packet, in their order",
      19: "Clients of protocol 3 get the handshake with its length in front",
      20: "The initial packet comes with the handshake; what `connection` listeners send comes later",
      21: "The session is known, and `connection` is emitted, after the open packet was given out",
      22: "Upgrades are offered only where both ends of the way are enabled",
      23: "The cookie is set by polling handshakes only; both header events fire for either transport",
      24: "A session id is 20 characters that are not to be guessed",
      25: "`generateId` may take its time; an id in use is refused",
      26: "Without `EIO=4`, a client speaks protocol 3",
      27: "Internet Explorer is told to leave its filter off",
    },
  },
  {
    section: "2.4",
    title: "Polls and data requests",
    rows: {
      28: "A second poll gets 400, and the session closes",
      29: "A second data request gets 400, the first is cut off, and the session closes",
      30: "A data request is answered with ok once its packets were handed over",
      31: "A bad or empty payload is answered with ok, and the session closes",
      32: "Of a payload, what precedes the fault or the close packet is delivered, and nothing behind it",
      33: "A close packet ends the session, and a waiting poll gets a noop",
      34: "Protocol 4 has no binary bodies; the content type is compared as a whole",
      35: "A body above the limit gets 413, and the session goes on",
      36: "A client that hangs up in the middle of a request ends its session",
      37: "Packets of a poll are separated by 0x1e, bytes are base64; protocol 3 may answer with bytes",
      38: "A closing session tells the poll that waits, or the next one, for up to 30 seconds",
      39: "Closing the server does not wait for polls",
      40: "Long answers are compressed as the client accepts it, unless every packet declines",
      41: "The response of a request is still there when the transport takes the request",
      42: "A session does without its first request, so an application may drop it",
    },
  },
  {
    section: "2.5",
    title: "CORS",
    rows: {
      43: "The options of the `cors` package govern preflights, answers, refusals and client files",
      44: "CORS is no middleware: it does not stand in the way of WebTransport",
    },
  },
  {
    section: "2.6",
    title: "JSONP",
    rows: {
      45: "The parameter `j` of the handshake makes the whole session JSONP; only its digits are used",
      46: "An answer is a script that is safe to run, sent as plain text",
      47: "A body is a form; its field `d` is the payload, with newlines escaped",
      48: "Of a form, no more than 1000 fields are read",
    },
  },
  {
    section: "2.7",
    title: "Upgrade",
    rows: {
      49: "Probe, answer, a noop to the poll every 100 ms, upgrade, and the rest over the WebSocket",
      50: "An upgrade needs no probe; any other first packet closes the candidate alone",
      51: "What is sent between probe and upgrade is not lost",
      52: "The abandoned poll gets a close packet that ends the transport, not the session",
      53: "A candidate that is late, or dies, takes nothing with it",
      54: "The heartbeat goes on over an upgrade, for both protocol revisions",
      55: "A session that closes while it upgrades is closed once it has",
      56: "After the upgrade, `socket.conn` names the new transport",
    },
  },
  {
    section: "2.8",
    title: "Heartbeat",
    rows: {
      57: "Protocol 4: the server pings, and only a pong in time starts the next interval",
      58: "Protocol 3: the client pings, the server answers and waits for the next ping",
      59: "A heartbeat packet in the wrong direction ends the session",
      60: "Every sign of life of the peer emits `heartbeat`",
      61: "A ping waits for the next poll, and its timeout runs meanwhile",
    },
  },
  {
    section: "2.9",
    title: "WebSocket",
    rows: {
      62: "One frame per packet: text with its type, bytes bare in protocol 4, base64 on request",
      63: "How the connection ends decides the reason, and the status that the client sees",
      64: "A close packet over WebSocket means nothing",
      65: "What a slow client leaves is waited for and counted, and keeps its order",
      66: "Compression is negotiated, and chosen message by message",
      67: "A frame that was encoded for many is sent as it is, where its recipients allow it",
      68: "The WebSocket class can be replaced, and needs no more than the common methods",
      69: "Errors of a connection that is no session yet do not end the process",
    },
  },
  {
    section: "2.10",
    title: "WebTransport",
    rows: {
      70: "Frames carry their length in front; the first packet opens or upgrades, in time",
      71: "The HTTP/3 server may give a request, which `allowRequest` and the others see",
      72: "No failure of a WebTransport session escapes as a rejection",
    },
  },
  {
    section: "2.11",
    title: "Connecting to namespaces",
    rows: {
      73: "A client that joins no namespace in time is closed",
      74: "The answer holds the id, and the namespace if it is not the main one; v3 joins by itself",
      75: "The payload of CONNECT is an object or missing; it becomes `handshake.auth`",
      76: "While middlewares run, the socket is not connected yet, and its events precede the answer",
      77: "A middleware's error is answered with message and data, and the socket's rooms are left",
      78: "A refused namespace leaves the connection and the other namespaces alone",
      79: "`connect` precedes `connection`, and a throwing listener leaves the socket connected",
      80: "A second CONNECT while the first is pending makes no second socket",
      81: "A dynamic namespace with a socket on its way in is not cleaned up",
      82: "A packet for a namespace that was not joined closes the connection",
      83: "Patterns for namespaces match every time, those with the flag `g` too",
      84: "A client may join any number of dynamic namespaces by default",
      85: "`new_namespace` is emitted for each namespace but the main one",
      86: "The listener given with a name that a pattern covers is called",
      87: "A middleware that rejects refuses the client at once",
    },
  },
  {
    section: "2.12",
    title: "Socket.IO packets",
    rows: {
      88: "The text form of a packet; bytes follow in their order, with nothing in between",
      89: "Bytes are found wherever they are in the arguments of events and acknowledgements",
      90: "More attachments than `maxAttachments` close the connection",
      91: "Odd packets that are accepted: a numeric name, no payload, a name that is used by emitters",
      92: "Malformed packets and reserved event names are reported, and close the connection",
      93: "A binary packet without attachments is complete, and the next packet is its own",
      94: "A placeholder for an attachment that is not there is an error",
      95: "In a text packet, an object that looks like a placeholder is data",
      96: "An acknowledgement that nobody waits for is ignored, one without arguments is not",
      97: "A handler's acknowledgement works once, and not after the end",
      98: "Events are handled, and sent, in their order",
      99: "The msgpack parser: a packet is one binary message",
      100: "A query in the name of a namespace is part of the name in protocol 5",
    },
  },
  {
    section: "2.13",
    title: "Disconnecting",
    rows: {
      101: "`disconnect()` leaves one namespace, `disconnect(true)` all of them and the connection",
      102: "`disconnectSockets` tells the clients, `io.close()` does not, and so they come back",
      103: "A client that breaks the protocol is closed by force",
      104: "Rooms are there in `disconnecting`, and gone in `disconnect`",
      105: "Events after the end are dropped, and pending acknowledgements fail",
      106: "`io.close()` can be called in any state, and closes what it was attached to",
      107: "What was not sent is still there when an engine session closes",
    },
  },
  {
    section: "2.14",
    title: "Rooms and broadcasts",
    rows: {
      108: "Every socket has a room of its own; a broadcast by a socket leaves the sender out",
      109: "A socket in several of the rooms gets a message once; the order is that of the rooms",
      110: "Joining and leaving take effect at once, though adapters may return promises",
      111: "A volatile event is dropped where it would have to wait",
      112: "`local` keeps a broadcast on this node, `compress(false)` uncompressed",
      113: "A broadcast that times out comes with the answers there are",
      114: "A broadcast with a callback and no timeout waits five seconds for the answers",
      115: "Ids of acknowledgements are shared by the sockets of a namespace",
      116: "Catch-all listeners for outgoing events see a broadcast once per recipient",
      117: "An event that throws leaves no flags behind for the next one",
      118: "A broadcast is encoded once, for however many sockets",
    },
  },
  {
    section: "2.15",
    title: "Connection state recovery",
    rows: {
      119: "The answer to CONNECT holds a private id, and events hold their offset",
      "119b": "Volatile events do not make a client forget its offset",
      120: "A client that returns in time gets its id, rooms and missed packets back",
      121: "Only some reasons of a disconnection can be recovered from",
      122: "A session is restored once, and also when nothing was missed",
      123: "A broadcast of a parent namespace holds one offset for each child",
      124: "Events for one socket need no broadcast",
      125: "An adapter that cannot restore leaves a plain connection",
    },
  },
  {
    section: "2.16",
    title: "Clusters",
    rows: {
      126: "Sockets of this node do not wait for the broker",
      127: "A server-side event is not delivered to the node that emits it",
      128: "Asking the other nodes for their sockets fails after a timeout",
      129: "A node that has just started counts the others right",
      130: "What a remote socket tells of itself",
      131: "Answers go to the node that asked, and nobody hears itself",
      132: "Bytes survive the channel between the processes of a machine",
    },
  },
  {
    section: "2.17",
    title: "uWebSockets.js",
    rows: { 133: "The differences of the official server on uWebSockets.js" },
  },
  {
    section: "2.18",
    title: "Seen with real clients",
    rows: {
      134: "The reasons that clients and servers see for messages above the limit, and for garbage",
      135: "Of many volatile events in one tick, one is sent",
      136: "The status of a refusal does not follow the error of the middleware",
      137: "Clients of v2 pass a query with the namespace, which arrives in `handshake.auth`",
      138: "A client of v2 that falls silent after an upgrade is noticed",
      139: "Over HTTP/2, a compressed poll does not end the session",
      140: "Over WebTransport, empty messages arrive, and closing loses nothing",
      141: "Text that Socket.IO 1.x clients encode twice is left as it is, and no other text is damaged",
      142: "Clients learn the limit, and split what they have to say",
    },
  },
];

/** Every row: its number, section, title, and whether it is planned. */
export const ROWS = SECTIONS.flatMap(({ section, rows }) =>
  Object.entries(rows)
    // Objects keep "119b" behind all the numbers.
    .sort(([a], [b]) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map(([number, title]) => ({ number, section, title, isPlanned: PLANNED.has(number) })),
);

/** The sections, in order. */
export const SECTION_TITLES = SECTIONS.map(({ section, title }) => ({ section, title }));
