/**
 * The states of a session (`readyState` of the public API).
 *
 * While `closing`, the write buffer drains and the peer is told; nothing more is accepted from
 * either side. An upgrade is a sub-state of `open` and `closing`, held by the probe.
 */
export type SessionState = "opening" | "open" | "closing" | "closed";

/** Every legal move. `Session` has one method that changes state, and it reads this table. */
export const TRANSITIONS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  opening: ["open", "closed"],
  open: ["closing", "closed"],
  closing: ["closed"],
  closed: [],
};

/** Why a session closed (R1 to R5). */
export type CloseReason =
  "transport error" | "transport close" | "forced close" | "ping timeout" | "parse error";
