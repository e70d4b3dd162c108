export { FakeClock } from "./fake-clock.js";
export {
  formatRequest,
  joinPayload,
  parseOpen,
  parseResponse,
  pollingHandshake,
  RawConnection,
  rawRequest,
  RawPolling,
  splitPayload,
  type HeaderList,
  type OpenData,
  type PendingRequest,
  type PollingOptions,
  type RawRequest,
  type RawRequestTo,
  type RawResponse,
} from "./raw-http.js";
export {
  formatFrame,
  OPCODE,
  RawWebSocket,
  type IncomingFrame,
  type OutgoingFrame,
  type RawClosure,
  type UpgradeOutcome,
  type UpgradeRequest,
} from "./raw-websocket.js";
export {
  InMemoryEngine,
  InMemoryPeer,
  type ConnectOptions,
  type InMemoryEngineOptions,
  type WrittenMessage,
} from "./in-memory-engine.js";
