// Every event that travels, once. Server and client import this file, so neither can send what the
// other does not understand: the compiler objects.
//
// An event is a function type. Its parameters are what is sent; where the last one is a function,
// the receiver must call it: an acknowledgement.

/** An entry of the list that all share. */
export interface Task {
  readonly id: number;
  readonly text: string;
  readonly by: string;
  isDone: boolean;
}

/** An answer: the value, or why there is none. */
export type Answer<Value> = { ok: true; value: Value } | { ok: false; error: string };

export interface ClientToServerEvents {
  add: (text: string, answer: (added: Answer<Task>) => void) => void;
  toggle: (id: number, answer: (changed: Answer<Task>) => void) => void;
}

export interface ServerToClientEvents {
  /** The whole list, to a client that has just come. */
  tasks: (tasks: readonly Task[]) => void;
  /** One entry is new, or another than before. */
  task: (task: Task) => void;
  /** The server asks, and the client answers. */
  "still there?": (answer: (doing: string) => void) => void;
}

/** Between the servers of a cluster; with one server, nobody hears them. */
export interface InterServerEvents {
  reload: () => void;
}

/** What the server keeps with each socket, in `socket.data`. */
export interface SocketData {
  name: string;
}

// The namespace /admin has events and data of its own.

export interface AdminToServerEvents {
  clear: (answer: (removed: number) => void) => void;
  survey: (answer: (doing: string[]) => void) => void;
}

export interface ServerToAdminEvents {
  log: (line: string) => void;
}

export interface AdminData {
  level: "read" | "write";
}
