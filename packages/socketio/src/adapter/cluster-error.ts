/** What can go wrong between the servers of a cluster. */
export type ClusterErrorCode =
  | "ERR_CLUSTER_TIMEOUT" // not all servers, or not even the broker, have answered in time
  | "ERR_CLUSTER_CLOSED"; // the adapter was closed before all servers had answered

/** The servers of a cluster could not do something together. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly code: ClusterErrorCode;
  /** What came before the failure, if answers were waited for. */
  declare responses?: unknown[];

  constructor(code: ClusterErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
